//! Decides what is erased, and records it: deleted messages, contents that no message refers to any more, parts that no
//! content uses. From the commit on nothing brings them back, and nothing new refers to them.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::Duplicates;
use crate::catalog::{Catalog, ContentRow};
use crate::error::Error;
use crate::id::{ContentNo, Digest, FolderNo, MessageNo, PartNo};
use crate::mail::Extent;
use crate::records::{DamageFact, Doomed, ErasureFact, FactValue, MOST_NUMBERS, ranges_of};
use crate::store::Store;

/// What a compaction would erase.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Dead {
    pub(in crate::store) messages: RoaringBitmap,
    pub(in crate::store) contents: RoaringBitmap,
    pub(in crate::store) parts: RoaringBitmap,
    /// Bytes of these contents.
    pub(in crate::store) bytes: u64,
    /// Containers with bytes of them.
    pub(in crate::store) containers: BTreeSet<u32>,
    /// Deleted messages that stay, since damaged mails are read from their contents.
    pub(in crate::store) needed: u64,
    /// Contents that stay and have a damaged part of one that does not: they are noted themselves, or nothing would say
    /// so once that one is erased.
    damaged: BTreeSet<u32>,
    /// Contents that stay and whose first message does not.
    first: Vec<(u32, u32)>,
    /// The highest number assigned in each of their folders.
    numbers: BTreeMap<u32, u32>,
}

impl Dead {
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.contents.is_empty()
    }

    pub(in crate::store) fn of(catalog: &Catalog) -> Result<Self, Error> {
        let mut dead = Self::default();
        let mut kept = RoaringBitmap::new();
        for no in catalog.unreferenced_contents().iter().map(ContentNo) {
            let Some(row) = catalog.content_row(no)? else { continue };
            let (twins, is_needed) = twins(catalog, no, &row)?;
            if is_needed {
                kept.insert(no.0);
                continue;
            }
            // What was archived again for a damaged mail has its bytes, and no message.
            for (no, row) in twins.into_iter().chain([(no, row)]) {
                if dead.contents.insert(no.0) {
                    dead.bytes = dead.bytes.saturating_add(row.size);
                    dead.containers.extend(row.runs.0.iter().map(|run| run.container));
                    dead.parts.extend(parts_of(&row).map(|part| part.0));
                }
            }
        }
        dead.parts = unused(catalog, &dead.parts, &dead.contents)?;
        for no in &dead.parts {
            let row = catalog.part_row(PartNo(no))?;
            dead.containers.extend(row.iter().flat_map(|row| &row.runs.0).map(|run| run.container));
        }
        for no in dead.contents.iter().map(ContentNo).filter(|no| catalog.is_damaged(*no)) {
            for part in catalog.content_row(no)?.iter().flat_map(parts_of).filter(|part| catalog.is_damaged_part(*part)) {
                let users = catalog.users_of(part)?.into_iter();
                dead.damaged
                    .extend(users.map(|user| user.0).filter(|user| !dead.contents.contains(*user) && !catalog.is_erased(ContentNo(*user))));
            }
        }
        // Those of damaged contents that a repair recorded without their bytes lie nowhere.
        dead.containers.remove(&0);
        for no in catalog.deleted() {
            let Some(row) = catalog.message_row(MessageNo(no))? else {
                dead.messages.insert(no);
                continue;
            };
            if kept.contains(row.content) {
                dead.needed += 1;
                continue;
            }
            dead.messages.insert(no);
            dead.numbers.entry(row.folder).or_insert_with(|| catalog.folders().last_number(FolderNo(row.folder)));
            if !dead.contents.contains(row.content) && catalog.first_message(ContentNo(row.content))? == Some(MessageNo(no)) {
                dead.first.push((row.content, no));
            }
        }
        Ok(dead)
    }

    /// Everything that was erased before.
    pub(in crate::store) fn of_erased(catalog: &Catalog) -> Result<Self, Error> {
        let Doomed { contents, parts, messages } = catalog.erased();
        let mut dead = Self { contents, parts, messages, ..Self::default() };
        if dead.is_empty() {
            return Ok(dead);
        }
        dead.containers.extend(catalog.containers_to_remove());
        dead.numbers.extend(catalog.folders().iter().map(|folder| (folder.no, folder.last)));
        for no in catalog.shared() {
            let first = catalog.first_message(ContentNo(no))?;
            dead.first.extend(first.filter(|first| dead.messages.contains(first.0)).map(|first| (no, first.0)));
        }
        Ok(dead)
    }

    /// As facts: one, unless there are more numbers than a fact may name.
    pub(in crate::store) fn facts(self, actor: &str, time: i64) -> Vec<ErasureFact> {
        let (mut contents, mut parts, mut messages) = (pieces(&self.contents), pieces(&self.parts), pieces(&self.messages));
        let mut facts = Vec::new();
        let (mut containers, mut first, mut numbers) =
            (self.containers.into_iter().collect(), self.first, self.numbers.into_iter().collect());
        while !(contents.is_empty() && parts.is_empty() && messages.is_empty()) {
            let next = |pieces: &mut Vec<RoaringBitmap>| pieces.pop().map(|numbers| ranges_of(&numbers)).unwrap_or_default();
            facts.push(ErasureFact {
                contents: next(&mut contents),
                parts: next(&mut parts),
                messages: next(&mut messages),
                containers: std::mem::take(&mut containers),
                first: std::mem::take(&mut first),
                numbers: std::mem::take(&mut numbers),
                actor: actor.to_owned(),
                time,
            });
        }
        facts
    }
}

/// The numbers in sets that a fact may name.
fn pieces(numbers: &RoaringBitmap) -> Vec<RoaringBitmap> {
    let mut numbers = numbers.iter().peekable();
    let mut pieces = Vec::new();
    while numbers.peek().is_some() {
        pieces.push(numbers.by_ref().take(MOST_NUMBERS).collect());
    }
    pieces
}

fn parts_of(row: &ContentRow) -> impl Iterator<Item = PartNo> {
    let extents = row.shape.iter().flat_map(|shape| &shape.0);
    extents.filter(|extent| matches!(extent.extent, Extent::Part { .. })).map(|extent| PartNo(extent.part))
}

/// Contents without a message that have the bytes of a content whose messages are deleted; and whether that content is
/// needed, since a damaged one that has a message is read from it.
fn twins(catalog: &Catalog, no: ContentNo, row: &ContentRow) -> Result<(Vec<(ContentNo, ContentRow)>, bool), Error> {
    let mut found = Vec::new();
    for other in catalog.contents_by_digest(Digest(row.digest))? {
        let Some(twin) = catalog.content_row(other)?.filter(|twin| other != no && twin.digest == row.digest) else { continue };
        if !catalog.unplaced().contains(other.0) {
            if catalog.is_damaged(other) {
                return Ok((Vec::new(), true));
            }
        } else if !catalog.unreferenced_contents().contains(other.0) {
            found.push((other, twin));
        }
    }
    // The same for the parts of damaged mails.
    for no in parts_of(row) {
        if let Some(part) = catalog.part_row(no)?
            && catalog.has_damaged_part(no, Digest(part.digest))?
        {
            return Ok((Vec::new(), true));
        }
    }
    Ok((found, false))
}

/// Those of `parts` that no content uses but `contents`.
fn unused(catalog: &Catalog, parts: &RoaringBitmap, contents: &RoaringBitmap) -> Result<RoaringBitmap, Error> {
    let mut unused = RoaringBitmap::new();
    for no in parts {
        // A damaged part that stays may be read from it.
        let Some(row) = catalog.part_row(PartNo(no))? else { continue };
        if catalog.has_damaged_part(PartNo(no), Digest(row.digest))? {
            continue;
        }
        let is_gone = |user: &ContentNo| Ok::<_, Error>(contents.contains(user.0) || catalog.content_row(*user)?.is_none());
        let mut users = catalog.users_of(PartNo(no))?.into_iter();
        if users.try_fold(true, |all, user| Ok::<_, Error>(all && is_gone(&user)?))? {
            unused.insert(no);
        }
    }
    Ok(unused)
}

impl Store {
    /// Records that everything dead is erased. Returns what that is.
    pub(in crate::store) fn erase(&self, actor: &str) -> Result<Dead, Error> {
        // Nobody may be about to index what goes.
        let _feeding = self.indexer.feeding.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.now();
        self.commit_drafted(Duplicates::Folder, None, now, |draft, writer| {
            let dead = Dead::of(draft.catalog)?;
            // From this commit on nothing more comes into the containers that it names.
            if dead.containers.contains(&draft.catalog.basis().container.0) {
                writer.latch(|writer| writer.containers.close())?;
            }
            if !dead.damaged.is_empty() {
                draft.changed.push(FactValue::DamageNoted(DamageFact { contents: dead.damaged.iter().copied().collect() }));
            }
            draft.changed.extend(dead.clone().facts(actor, now).into_iter().map(|fact| FactValue::Erasure(Box::new(fact))));
            Ok((dead, Vec::new()))
        })
    }
}
