//! Repair: a store that must not be written accepts mail again. Nothing is deleted: a new records file continues after
//! what is lost.
//!
//! It begins after the last commit that any witness knows, with its chain value. It notes which commits are lost, the
//! next numbers, and the tree that continues, and records again what lost commits held, as far as catalog and tables
//! know it. Until that note is synced, the store stays as it is, and an interrupted repair is started over. Docs:
//! FORMAT.md, "After damage"; DURABILITY.md, "After damage".

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::Store;
use super::recover::{is_before, rolled_back};
use super::verify::{Checked, Findings};
use crate::catalog::{ContentRow, FactPlace, Numbers};
use crate::container::{BLOCK_LEN, encode_block};
use crate::error::{Damage, Error};
use crate::id::{ContentNo, FolderNo, MessageNo, PartNo};
use crate::progress::Progress;
use crate::records::{
    ContainerFact, ContentFact, FactValue, FolderFact, FolderRemovedFact, Frontier, Head, HeadNumbers, Link, MessageFact, NewCommit,
    NewFact, PackedFact, PartFact, Records, RepairedFact, Run, Runs, SaltRange, Scan, ScanItem, SeenHead, TreeHead, file_number,
    give_names_back, list_files, write_head,
};

/// If the highest number is not proven, this many are skipped, so that no number is assigned twice.
const LEFT_OUT: u32 = 1 << 20;
/// Recovered facts of one commit.
const FACTS_OF_COMMIT: usize = 20_000;

/// What a repair does, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repair {
    /// Commits that are lost: sequences from and to.
    pub(crate) lost: Vec<(u64, u64)>,
    /// Messages recorded again.
    pub(crate) messages: u64,
    /// Messages that had a number, and of which nothing is left.
    pub(crate) lost_messages: u64,
    /// The tree could not be continued, and a new one is begun.
    pub(crate) new_tree: bool,
    /// Numbers were skipped, since the highest one was not proven.
    pub(crate) left_out: bool,
    /// The head afterwards; the previous one if nothing was done.
    pub(crate) head: SeenHead,
}

/// What is recorded again.
#[derive(Default)]
struct Again {
    facts: Vec<FactValue>,
    /// Facts of what was in the section of a lost commit, and blocks with its bytes: they go into the section of the
    /// commit that repairs.
    carried: Vec<FactValue>,
    blocks: Vec<Vec<u8>>,
}

impl Again {
    fn all(&self) -> impl Iterator<Item = &FactValue> {
        self.facts.iter().chain(&self.carried)
    }

    /// Adds a fact, whose runs were carried or stay where they are.
    fn push(&mut self, fact: FactValue, carried: bool) {
        let facts = if carried { &mut self.carried } else { &mut self.facts };
        facts.push(FactValue::Recovered(Box::new(fact)));
    }
}

/// What the records still have.
struct There {
    /// Sequences of their commits.
    found: BTreeSet<u64>,
    last: Link,
    /// The tree head after it.
    tree: Option<TreeHead>,
    /// They end with a mark after the last commit that any witness knows.
    ends_whole: bool,
}

/// What is known for the store to continue from.
struct GoOn {
    link: Link,
    lost: Vec<(u64, u64)>,
    numbers: HeadNumbers,
    /// How many message numbers are skipped, since the highest one was not proven.
    left_out: u32,
    tree: Frontier,
    new_tree: bool,
}

impl Store {
    /// What [`Store::repair`] would do.
    pub(crate) fn plan_repair(&self, noted: Option<Link>) -> Result<Repair, Error> {
        let go_on = self.go_on(noted)?;
        let again = self.facts_to_record_again(&go_on.lost)?;
        self.report(&go_on, &again)
    }

    fn report(&self, go_on: &GoOn, again: &Again) -> Result<Repair, Error> {
        let is_message = |fact: &&FactValue| matches!(fact, FactValue::Recovered(inner) if matches!(**inner, FactValue::Message(_)));
        let given = go_on.numbers.messages.saturating_sub(go_on.left_out);
        Ok(Repair {
            lost_messages: self.catalog().lost_of(given),
            lost: go_on.lost.clone(),
            messages: again.all().filter(is_message).count() as u64,
            new_tree: go_on.new_tree,
            left_out: go_on.left_out > 0,
            head: self.seen_head(),
        })
    }

    /// Makes the store ready for mail; it must be reopened afterwards. `noted` is the head that the master noted,
    /// `master` its own. `accepted`: a person accepts that what was noted is lost.
    pub(crate) fn repair(&self, noted: Option<Link>, master: Option<SeenHead>, accepted: bool) -> Result<Repair, Error> {
        let go_on = self.go_on(noted)?;
        let again = self.facts_to_record_again(&go_on.lost)?;
        let mut report = self.report(&go_on, &again)?;
        let Again { mut facts, carried, blocks } = again;
        let accepted = noted.filter(|_| accepted);
        let accepted = accepted.map(|noted| SeenHead::new(self.uuid, noted));
        let names = self.vfs.list(&self.dirs.records)?;
        // A file number that the catalog knows is not assigned again, even if its file is gone: places of facts name
        // it.
        let known = self.catalog().basis().records.0;
        let number = names.iter().filter_map(|entry| file_number(&entry.path)).fold(known, u64::max) + 1;
        let (vfs, key) = (Arc::clone(&self.vfs), self.key.duplicate());
        let mut records = Records::begin(vfs, &self.dirs.records, key, self.uuid, number, go_on.link, go_on.tree.clone())?;
        let time = self.now();
        let mut commit = |facts: Vec<NewFact>, section: &[Vec<u8>]| {
            let salts = vec![SaltRange::fresh(0)?];
            records.commit(NewCommit { time, facts, salts, container_end: (0, 0), container_frames: 0, section }).map(drop)
        };
        while facts.len() > FACTS_OF_COMMIT {
            let rest = facts.split_off(FACTS_OF_COMMIT);
            commit(std::mem::replace(&mut facts, rest).into_iter().map(NewFact::new).collect(), &[])?;
        }
        facts.extend(self.containers_there()?);
        // The last commit, since it is what accepts the damage before it.
        let GoOn { lost, numbers, tree, left_out, .. } = go_on;
        let repaired = RepairedFact { lost, numbers, tree: tree.clone(), accepted, left_out };
        let all = std::iter::once(FactValue::Repaired(Box::new(repaired))).chain(carried).chain(facts);
        commit(all.map(NewFact::new).collect(), &blocks)?;
        records.mark()?;
        report.head = SeenHead::new(self.uuid, records.last());
        let head = Head::new(records.last(), (0, 0), numbers, tree, master.into_iter().collect());
        write_head(&*self.vfs, &self.dirs.root, &self.key, self.uuid, &head)?;
        Ok(report)
    }

    /// Whether there is no message, and the records end before the head that was noted.
    pub(crate) fn has_nothing_of(&self, noted: Link) -> bool {
        let catalog = self.catalog();
        catalog.messages().0 == 0 && catalog.basis().link.sequence < noted.sequence
    }

    /// See [`give_names_back`].
    pub(crate) fn give_names_back(&self) -> Result<bool, Error> {
        give_names_back(&*self.vfs, &self.dirs.records, &self.key, self.uuid)
    }

    /// The error that the store is not what was `noted` of it.
    pub(crate) fn rolled_back(&self, noted: Link) -> Error {
        rolled_back(&self.name, noted, self.catalog().basis().link)
    }

    /// Damage of the catalog, if it can be rebuilt from the records as they are.
    pub(crate) fn damaged_catalog(&self) -> Result<Option<Damage>, Error> {
        let (mut in_catalog, mut records) = (None, Findings::default());
        self.catalog().verify(&mut |damage| {
            in_catalog.get_or_insert(damage);
        })?;
        if in_catalog.is_some() {
            self.verify_records(&mut records, &mut Checked::default(), &Progress::new())?;
        }
        let repaired_at = self.catalog().basis().repaired_at;
        let files = list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?.files;
        Ok(in_catalog.filter(|_| records.all(|damage| is_before(damage, repaired_at, &files))))
    }

    /// Makes the next open rebuild the catalog.
    pub(crate) fn forget_catalog(&self) -> Result<(), Error> {
        let _naming = self.naming();
        self.catalog_mut().forget()
    }

    /// Facts that name the existing containers: earlier facts may be lost, and nothing is appended to these containers
    /// any more.
    fn containers_there(&self) -> Result<Vec<FactValue>, Error> {
        let mut facts = Vec::new();
        for no in self.containers.list()? {
            match self.containers.file(no) {
                Ok(file) => {
                    let (file_id, end) = (file.header().file_id.0, Some(file.len()?));
                    facts.push(FactValue::ContainerClosed(ContainerFact { no, file_id, end }));
                }
                Err(Error::Damage(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(facts)
    }

    /// Where the store continues: after the last commit that any witness knows, so that a lost state that is restored
    /// later is not mistaken for this one.
    fn go_on(&self, noted: Option<Link>) -> Result<GoOn, Error> {
        let basis = self.catalog().basis().clone();
        let link = if self.mark.sequence > basis.link.sequence { self.mark } else { basis.link };
        let There { found, last: mut last_link, tree: mut last_tree, ends_whole } = self.commits_there()?;
        let link = if last_link.sequence > link.sequence { last_link } else { link };
        let link = noted.filter(|noted| noted.sequence > link.sequence).unwrap_or(link);
        let lost = gaps(&found, link.sequence);
        let head = self.head.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone().filter(|head| head.link() == link);
        let containers = self.containers.list()?.into_iter().max().unwrap_or(0);
        // If the end of the records cannot be read, commits after the last witness may have assigned numbers too.
        let proven = ends_whole && (head.is_some() || basis.link == link && lost.is_empty());
        let seen = head_numbers(basis.numbers);
        let mut numbers = head.as_ref().map_or(seen, |head| HeadNumbers {
            contents: head.numbers.contents.max(seen.contents),
            messages: head.numbers.messages.max(seen.messages),
            parts: head.numbers.parts.max(seen.parts),
            runs: head.numbers.runs.max(seen.runs),
            folders: head.numbers.folders.max(seen.folders),
            containers: head.numbers.containers.max(seen.containers),
        });
        let left_out = if proven { 0 } else { LEFT_OUT.min(u32::MAX - numbers.messages) };
        numbers.messages += left_out;
        if !proven {
            numbers.contents = numbers.contents.saturating_add(LEFT_OUT);
        }
        numbers.containers = numbers.containers.max(containers);
        let tree = match head {
            Some(head) => Some(head.tree),
            None => {
                if last_link.sequence < basis.link.sequence {
                    (last_link, last_tree) = (basis.link, Some(basis.tree.head()));
                }
                let sound = basis.link == link && last_link == link && last_tree == Some(basis.tree.head());
                sound.then(|| basis.tree.clone())
            }
        };
        let tree = match (tree, last_tree) {
            (None, Some(head)) if last_link == link => self.tree_of_all_leaves(head)?,
            (tree, _) => tree,
        };
        let new_tree = tree.is_none();
        let tree = tree.unwrap_or_else(|| Frontier::after(last_tree.unwrap_or_else(|| basis.tree.head())));
        Ok(GoOn { link, lost, numbers, left_out, tree, new_tree })
    }

    fn commits_there(&self) -> Result<There, Error> {
        let listing = list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?;
        let mut there = There { found: BTreeSet::new(), last: Link::origin(self.uuid), tree: None, ends_whole: false };
        let last_known = self.catalog().basis().records.0;
        let highest = listing.damage.iter().filter_map(|damage| file_number(&damage.file)).fold(last_known, u64::max);
        for file in listing.files {
            there.ends_whole = false;
            let number = file.number;
            let mut scan = Scan::new(file, 0);
            while let Some(item) = scan.next()? {
                there.ends_whole = false;
                match item {
                    ScanItem::Commit(commit) => {
                        there.found.insert(commit.link.sequence);
                        if commit.link.sequence > there.last.sequence {
                            (there.last, there.tree) = (commit.link, Some(commit.commit.tree()));
                        }
                    }
                    // A writer that was closed or idle leaves a mark. Anything written later would follow it here.
                    ScanItem::Mark(_) => there.ends_whole = number >= highest && scan.synced == there.last,
                    ScanItem::Bad(_) => {}
                }
            }
        }
        there.ends_whole &= there.last.sequence >= self.mark.sequence;
        Ok(there)
    }

    /// What the catalog knows of lost commits, as facts to be recorded again.
    fn facts_to_record_again(&self, lost: &[(u64, u64)]) -> Result<Again, Error> {
        let mut again = Again::default();
        if lost.is_empty() {
            return Ok(again);
        }
        let numbers = self.catalog().basis().numbers;
        let mut packed = Vec::new();
        // Folders first, so that each exists before what is in it; the catalog does not say which commit made a folder.
        let catalog = self.catalog();
        let folders = catalog.folders().top_down();
        for folder in &folders {
            let fact = FolderFact { no: folder.no, parent: folder.parent, name: folder.name.to_owned(), epoch: folder.epoch };
            again.push(FactValue::FolderMade(fact), false);
        }
        // Nor does it say that of a part.
        for no in (0..numbers.parts).map(PartNo) {
            let Some(row) = self.catalog().part_row(no)? else { continue };
            let Some((runs, carried)) = self.carry(row.runs, row.section, &mut again.blocks)? else { continue };
            again.push(FactValue::Part(PartFact { no: no.0, digest: row.digest, len: row.len, runs }), carried);
        }
        for no in (0..numbers.contents).map(ContentNo) {
            let Some(row) = self.catalog().content_row(no)? else { continue };
            if self.is_lost(row.fact)? {
                let (runs, section) = (row.runs.clone(), row.section);
                let fact = match self.content_again(no, row.clone())? {
                    Some(FactValue::Content(fact)) => *fact,
                    // Its bytes are hit. If a content with its digest is imported later, its message is read from that.
                    _ => fact_of_row(no, row),
                };
                let (runs, carried) = self.carry(runs, section, &mut again.blocks)?.unwrap_or_default();
                again.push(FactValue::Content(Box::new(ContentFact { runs, ..fact })), carried);
            } else if row.section.is_none() && self.was_moved(no, &row.runs)? {
                packed.push((no.0, row.runs));
            }
        }
        let mut messages = Vec::new();
        self.catalog().message_rows(MessageNo(0), &mut |no, row| {
            messages.push((no, row));
            Ok(ControlFlow::Continue(()))
        })?;
        for (no, row) in messages {
            if self.is_lost(row.fact)? {
                let fact = MessageFact::of_lost_origin(no.0, row.content, row.folder, row.direction, row.archived, row.number);
                // After all contents, in whichever commit these are.
                again.push(FactValue::Message(Box::new(fact)), false);
            }
        }
        again.facts.extend(self.erasures_again()?);
        again.facts.extend(self.deletions_again(list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?)?);
        if !packed.is_empty() {
            again.facts.push(FactValue::Packed(PackedFact { contents: packed, parts: Vec::new() }));
        }
        // Last, since nothing may come into a removed folder.
        let removed = folders.iter().rev().map(|folder| folder.no);
        let removed: Vec<u32> = removed.filter(|no| catalog.folders().is_removed(FolderNo(*no))).collect();
        if !removed.is_empty() {
            let (actor, time) = ("system".to_owned(), self.now());
            again.facts.push(FactValue::FolderRemoved(FolderRemovedFact { folders: removed, actor, time }));
        }
        Ok(again)
    }

    /// Runs as a new commit can name them: as they are, or in `blocks` if they are in the section of a commit; and
    /// whether they went there. `None` if the bytes are damaged.
    fn carry(&self, runs: Runs, section: Option<u64>, blocks: &mut Vec<Vec<u8>>) -> Result<Option<(Runs, bool)>, Error> {
        if section.is_none() {
            return Ok(Some((runs, false)));
        }
        let mut stored = Vec::new();
        match self.read_stored(&runs.0, section, &mut |bytes| {
            stored.extend_from_slice(bytes);
            Ok(())
        }) {
            Ok(()) => {}
            Err(Error::Damage(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
        let carried = stored.chunks(BLOCK_LEN).map(|chunk| {
            blocks.push(encode_block(chunk));
            Run { container: 0, frame: blocks.len() as u64 - 1, start: 0, len: chunk.len() as u32 }
        });
        Ok(Some((Runs(carried.collect()), true)))
    }

    /// Whether the fact of a content has other runs than its row: then a commit that packed it is needed.
    fn was_moved(&self, no: ContentNo, runs: &Runs) -> Result<bool, Error> {
        Ok(self.content_fact(no)?.is_some_and(|fact| fact.runs != *runs))
    }

    /// Whether the commit of this fact can no longer be read.
    fn is_lost(&self, place: FactPlace) -> Result<bool, Error> {
        if place.file == 0 {
            return Ok(true);
        }
        match self.commit_at(place) {
            Ok(_) => Ok(false),
            Err(Error::Damage(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// As much of a content's fact as its row has, if its bytes cannot be read.
fn fact_of_row(no: ContentNo, row: ContentRow) -> ContentFact {
    ContentFact {
        no: no.0,
        digest: row.digest,
        identity: [0; 16],
        size: row.size,
        shape: row.shape,
        runs: row.runs,
        date: row.date,
        date_source: row.date_source,
        from: row.from,
        to: row.to,
        cc: Vec::new(),
        subject: row.subject,
        header_message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        list_id: None,
        labels: None,
        attachments: row.attachments,
        importance: row.importance,
        restated: row.restated,
        guesses: None,
        attachment_types: row.attachment_types,
    }
}

pub(super) fn head_numbers(numbers: Numbers) -> HeadNumbers {
    let Numbers { contents, messages, parts, runs, folders, containers, .. } = numbers;
    HeadNumbers { contents, messages, parts, runs, folders, containers }
}

/// Sequences from 1 to `last` that are not among those found, as ranges.
fn gaps(found: &BTreeSet<u64>, last: u64) -> Vec<(u64, u64)> {
    let mut gaps = Vec::new();
    let mut next = 1;
    for sequence in found.iter().copied().chain([last.saturating_add(1)]) {
        if sequence > next {
            gaps.push((next, sequence - 1));
        }
        next = next.max(sequence.saturating_add(1));
    }
    gaps
}

#[cfg(test)]
mod tests {
    #[test]
    fn gaps_are_what_is_not_there() {
        let gaps = |found: &[u64], last| super::gaps(&found.iter().copied().collect(), last);
        assert_eq!(gaps(&[1, 2, 3], 3), []);
        assert_eq!(gaps(&[], 2), [(1, 2)]);
        assert_eq!(gaps(&[2, 3, 6], 8), [(1, 1), (4, 5), (7, 8)]);
        assert_eq!(gaps(&[1, 2], 1), []);
    }
}
