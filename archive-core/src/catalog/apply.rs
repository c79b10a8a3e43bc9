//! Turns facts into entries. This is the only place that does so, both for a commit just written and for one read
//! again.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roaring::RoaringBitmap;
use sha2::{Digest as _, Sha256};

use super::folders::Folders;
use super::manifest::{Basis, Manifest, Numbers, decode_manifest, read_manifest};
pub(crate) use super::rows::FactPlace;
use super::rows::{FolderRow, read_row, write_row};
use super::run::SharedPages;
use super::sets::{SetOf, Sets};
use super::sorted::{Sorted, runs_in};
use super::{ContentRow, MessageRow, PartRow, StoredRows, keys};
use crate::error::{Damage, Error};
use crate::id::{ContentNo, Digest, FolderNo, Identity, MessageNo, PartNo, Uuid};
use crate::records::{
    AcceptedFact, Commit, CommitPlace, CommitSpan, Committed, ContentFact, DamageFact, DamagedPlace, Fact, FactKind, FactValue, Frontier,
    HeadNumbers, Link, MessageFact, PackedFact, PartFact, Runs,
};
use crate::seal::{FileKind, SecretKey};
use crate::vfs::Vfs;

mod deletion;
mod erasure;
mod folders;
mod write;

pub(crate) use write::Merged;

/// Names and addresses of a list that are repeated in its row.
const ROW_ADDRESSES: usize = 6;

fn manifest_path(dir: &Path) -> PathBuf {
    dir.join("manifest.mkm")
}

/// About the memory of a row that waits to be written with the next files.
const WAITING_ROW: usize = 256;

/// A message at its place in the order of its folder.
pub(crate) struct Dated {
    pub(crate) message: MessageNo,
    key: Vec<u8>,
}

impl Dated {
    /// Its place among messages of any folders: the lowest comes first.
    pub(crate) fn order(&self) -> &[u8] {
        self.key.get(keys::in_folder(FolderNo(0)).len()..).unwrap_or_default()
    }
}

/// The catalog of one store. A clone is a view, which does not change when more commits are adopted.
#[derive(Clone)]
pub(crate) struct Catalog {
    sorted: Sorted,
    folders: Arc<Folders>,
    basis: Basis,
    /// What the manifest on disk says.
    flushed: Arc<Basis>,
    sets: Arc<Sets>,
    /// Contents of the commit being applied that have no message yet: date and size.
    fresh: HashMap<u32, (i64, u64)>,
    /// Messages whose content is not known yet, by its number: damage took its commit, and a repair records it again
    /// after them.
    waiting: HashMap<u32, Vec<(MessageFact, FactPlace)>>,
    /// How often messages were brought back since the catalog was opened, and which.
    brought_back: (u64, Arc<RoaringBitmap>),
    /// Erased messages of this replay that no fact 23 has named yet.
    erased_unnamed: u32,
    /// The next open starts over: nothing is written any more.
    forgotten: bool,
}

impl Catalog {
    /// Opens the catalog in `dir`. One that is missing or proven damaged starts empty, to be filled from the records. A
    /// refusal by the system or a newer format proves nothing, and is an error: without a catalog no mail is found.
    pub(crate) fn open(vfs: Arc<dyn Vfs>, dir: &Path, key: SecretKey, owner: Uuid, pages: &SharedPages) -> Result<Self, Error> {
        let found = match read_manifest(&*vfs, &manifest_path(dir), &key, FileKind::CatalogManifest, owner) {
            Ok(bytes) => bytes.map(|bytes| decode_manifest(&bytes)).transpose()?.flatten(),
            Err(Error::Damage(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(manifest) = found {
            match Self::of_manifest(&vfs, dir, &key, owner, pages, &manifest) {
                Ok(Some(catalog)) => return Ok(catalog),
                Ok(None) | Err(Error::Damage(_)) => {}
                Err(Error::Io(error)) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Self::empty(vfs, dir, key, owner, 1, pages)
    }

    /// The catalog that a manifest names; `None` if its rows cannot be read.
    fn of_manifest(
        vfs: &Arc<dyn Vfs>,
        dir: &Path,
        key: &SecretKey,
        owner: Uuid,
        pages: &SharedPages,
        manifest: &Manifest,
    ) -> Result<Option<Self>, Error> {
        let sorted = Sorted::open(Arc::clone(vfs), dir, key.duplicate(), owner, &manifest.runs, manifest.next_run, pages)?;
        let (mut folders, mut sets, mut all_read) = (Folders::default(), Sets::default(), true);
        sorted.scan(keys::FOLDERS, keys::FOLDERS, &mut |key, row| {
            match (keys::last_number(key), read_row::<FolderRow>(row)) {
                (Some(no), Ok(row)) => folders.load(no, &row),
                _ => all_read = false,
            }
            Ok(ControlFlow::Continue(()))
        })?;
        folders.loaded();
        sorted.scan(keys::SETS, keys::SETS, &mut |key, row| {
            all_read &= keys::set_of(key).and_then(|(of, upper)| sets.load(of, upper, row)).is_some();
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all_read.then(|| Self::with(sorted, folders, sets, manifest.basis())))
    }

    /// An empty catalog. Its files get numbers that no existing file has, `next_number` or above.
    fn empty(vfs: Arc<dyn Vfs>, dir: &Path, key: SecretKey, owner: Uuid, next_number: u64, pages: &SharedPages) -> Result<Self, Error> {
        let there = runs_in(&*vfs, dir)?.into_iter().map(|(number, _)| number.saturating_add(1));
        let next_number = there.fold(next_number, u64::max);
        let sorted = Sorted::open(vfs, dir, key, owner, &[], next_number, pages)?;
        let link = Link::origin(owner);
        let basis = Basis {
            link,
            tree: Frontier::default(),
            numbers: Numbers::default(),
            records: (0, 0),
            container: (0, 0),
            unpacked_bytes: 0,
            sections: BTreeMap::new(),
            passed_over: None,
            archived: None,
            repaired_at: (0, 0),
            left_out: 0,
        };
        Ok(Self::with(sorted, Folders::default(), Sets::default(), basis))
    }

    fn with(sorted: Sorted, folders: Folders, sets: Sets, basis: Basis) -> Self {
        let flushed = Arc::new(basis.clone());
        let (folders, sets) = (Arc::new(folders), Arc::new(sets));
        let (fresh, waiting, brought_back, erased_unnamed) = Default::default();
        Self { sorted, folders, basis, flushed, sets, fresh, waiting, brought_back, erased_unnamed, forgotten: false }
    }

    /// Discards everything, to be filled from the records again.
    pub(crate) fn reset(&mut self) -> Result<(), Error> {
        let home = Arc::clone(self.sorted.home());
        *self = Self::empty(Arc::clone(&home.vfs), &home.dir, home.key.duplicate(), home.owner, home.next_number(), home.pages())?;
        Ok(())
    }

    pub(crate) fn basis(&self) -> &Basis {
        &self.basis
    }

    /// How many messages there are, and how many were archived of which damage left nothing.
    pub(crate) fn messages(&self) -> (u64, u64) {
        (self.folders.messages(), self.lost_of(self.basis.numbers.messages))
    }

    /// How many messages with a number below `next` have left nothing. Numbers that repairs skipped were never
    /// assigned, and deleted and erased messages are not lost.
    pub(crate) fn lost_of(&self, next: u32) -> u64 {
        let known = self.folders.messages().saturating_add(self.deleted().range_cardinality(..next));
        u64::from(next.saturating_sub(self.basis.left_out)).saturating_sub(known)
    }

    /// Whether this content was noted damaged.
    pub(crate) fn is_damaged(&self, content: ContentNo) -> bool {
        self.sets.of(SetOf::Damaged).contains(content.0)
    }

    /// How many contents noted damaged were imported again, and their bytes.
    pub(crate) fn come_again(&self) -> Result<(u64, u64), Error> {
        let (mut contents, mut bytes) = (0, 0u64);
        for no in self.sets.of(SetOf::Damaged) {
            let Some(row) = self.content_row(ContentNo(no))? else { continue };
            for other in self.contents_by_digest(Digest(row.digest))? {
                if other.0 > no && self.content_row(other)?.is_some_and(|other| other.digest == row.digest) {
                    (contents, bytes) = (contents + 1, bytes.saturating_add(row.size));
                    break;
                }
            }
        }
        Ok((contents, bytes))
    }

    /// Contents without a message, from which damaged ones are read.
    pub(crate) fn unplaced(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::Unplaced)
    }

    /// Contents placed more than once, and those whose only message is not the first that they got. All others except
    /// the unplaced have exactly one message, so totals need no look-up, and these messages rise with their contents.
    pub(crate) fn shared(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::Shared)
    }

    /// Contents in sections of small commits that wait to be packed.
    pub(crate) fn unpacked(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::Unpacked)
    }

    /// Parts in these sections.
    pub(crate) fn unpacked_parts(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::UnpackedParts)
    }

    /// Messages whose time of archiving may be before that of the previous message: between two of them, times rise
    /// with numbers.
    pub(crate) fn archived_earlier(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::Earlier)
    }

    pub(crate) fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Number of files with rows.
    pub(crate) fn runs(&self) -> usize {
        self.sorted.runs()
    }

    /// Whether there is a manifest on disk.
    pub(crate) fn has_manifest(&self) -> Result<bool, Error> {
        let home = self.sorted.home();
        Ok(home.vfs.kind(&manifest_path(&home.dir))?.is_some())
    }

    /// Whether the file of this number is one of its runs.
    pub(crate) fn has_run(&self, number: u64) -> bool {
        self.sorted.has_run(number)
    }

    /// Is the file of this number one that is being written, or that a merge has replaced since the open?
    pub(crate) fn is_under_way(&self, number: u64) -> bool {
        self.sorted.is_under_way(number)
    }

    /// About the bytes that recent changes take in memory.
    pub(crate) fn memory_len(&self) -> usize {
        self.sorted.memory_len() + (self.folders.changed() as usize + self.sets.changed()) * WAITING_ROW
    }

    /// Applies one commit, which must follow the last one applied.
    pub(crate) fn apply(&mut self, commit: &Commit, link: Link, span: &CommitSpan) -> Result<(), Error> {
        let mut salts = commit.salts();
        let mut passed_over = commit.passed_over().cloned();
        for (index, fact) in commit.facts.iter().enumerate() {
            let (kind, bytes) = match fact {
                Fact::Known { kind, bytes } => (*kind, bytes),
                // An erased fact keeps its number, which follows from its place in the order; an erased content keeps
                // its leaf.
                Fact::Erased { leaf: Some(leaf), .. } => {
                    self.basis.tree.push_leaf(*leaf);
                    self.basis.numbers.contents = self.basis.numbers.contents.saturating_add(1);
                    continue;
                }
                Fact::Erased { kind, .. } => {
                    let numbers = &mut self.basis.numbers;
                    // It is not lost. A fact 23 says which it is: after a lost commit the order does not.
                    if *kind == FactKind::Message as u16 {
                        numbers.messages = numbers.messages.saturating_add(1);
                        self.basis.left_out = self.basis.left_out.saturating_add(1);
                        self.erased_unnamed = self.erased_unnamed.saturating_add(1);
                    } else if *kind == FactKind::Part as u16 {
                        numbers.parts = numbers.parts.saturating_add(1);
                    }
                    continue;
                }
            };
            let fact = FactValue::read(kind, bytes, &mut passed_over)?;
            if let FactValue::Content(content) = &fact {
                self.basis.tree.push(&salts.of(index)?, Digest(content.digest));
            }
            self.fact(fact, link.sequence, span, index)?;
        }
        if let Some(unknown) = passed_over {
            self.basis.passed_over.get_or_insert((unknown.what.to_owned(), unknown.number));
        }
        self.applied(link, span, commit.container_end())
    }

    /// Applies the commit just made, from its facts.
    pub(crate) fn apply_new(&mut self, committed: Committed) -> Result<(), Error> {
        let Committed { link, span, container_end, tree, facts } = committed;
        for (index, fact) in facts.into_iter().enumerate() {
            self.fact(fact, link.sequence, &span, index)?;
        }
        self.basis.tree = tree;
        self.applied(link, &span, container_end)
    }

    /// Applies a fact that no commit has: it comes from a table of a container, since the records lost it. The tree has
    /// its leaf already, or lost it with the commit.
    pub(crate) fn add_recovered(&mut self, sequence: u64, fact: FactValue) -> Result<(), Error> {
        let nowhere = CommitSpan { place: CommitPlace { file: 0, offset: 0 }, begin: 0, section: Vec::new() };
        self.fact(fact, sequence, &nowhere, 0)
    }

    fn applied(&mut self, link: Link, span: &CommitSpan, container_end: (u32, u64)) -> Result<(), Error> {
        if !span.section.is_empty() {
            *self.basis.sections.entry(span.place.file).or_default() += span.place.offset.saturating_sub(span.begin);
        }
        self.settle()?;
        self.basis.link = link;
        self.basis.records = (span.place.file, span.begin);
        self.basis.container = container_end;
        Ok(())
    }

    /// Whether the row that `fact` is about, if there is one, agrees with it.
    pub(crate) fn agrees(&self, fact: &Fact) -> Result<bool, Error> {
        let Fact::Known { kind, bytes } = fact else { return Ok(true) };
        Ok(match FactValue::read(*kind, bytes, &mut None)? {
            FactValue::Content(fact) => self.content_row(ContentNo(fact.no))?.is_none_or(|row| row.digest == fact.digest),
            // A message that was brought back has another number, perhaps in another folder.
            FactValue::Message(fact) => self
                .message_row(MessageNo(fact.no))?
                .is_none_or(|row| row.content == fact.content && (row.folder == fact.folder || row.number != fact.number)),
            _ => true,
        })
    }

    /// Notes which contents came without a message, once all facts of a commit are applied.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        for no in std::mem::take(&mut self.fresh).into_keys() {
            if self.placements(ContentNo(no))?.is_empty() {
                self.sets_mut().insert(SetOf::Unplaced, no);
            }
        }
        Ok(())
    }

    /// Notes that records file `number` no longer has sections.
    pub(crate) fn sections_dropped(&mut self, number: u64) {
        self.basis.sections.remove(&number);
    }

    fn fact(&mut self, fact: FactValue, sequence: u64, span: &CommitSpan, index: usize) -> Result<(), Error> {
        let place = FactPlace { file: span.place.file, offset: span.place.offset, index: index as u32 };
        let numbers = &mut self.basis.numbers;
        match fact {
            FactValue::Content(fact) => self.content(*fact, sequence, place, &span.section),
            FactValue::Message(fact) => self.message(&fact, place),
            FactValue::Part(fact) => self.part(fact, place, &span.section),
            FactValue::FolderMade(_) | FactValue::FolderRenamed(_) | FactValue::FolderMoved(_) | FactValue::FolderRemoved(_) => {
                self.folder(fact);
                Ok(())
            }
            FactValue::MessagesDeleted(fact) => self.delete(&fact, place),
            FactValue::MessagesUndeleted(fact) => self.undelete(&fact),
            FactValue::Erasure(fact) => self.erase(&fact),
            FactValue::ErasureDone(_) => {
                self.erasure_done();
                Ok(())
            }
            FactValue::ContainersRemoved(fact) => {
                self.remove_containers(&fact);
                Ok(())
            }
            FactValue::ImportRun(fact) => {
                numbers.runs = numbers.runs.max(fact.no.saturating_add(1));
                Ok(())
            }
            FactValue::ContainerOpened(fact) | FactValue::ContainerClosed(fact) => {
                numbers.containers = numbers.containers.max(fact.no);
                Ok(())
            }
            FactValue::Packed(fact) => self.packed(fact),
            FactValue::DamageNoted(fact) => self.damage(&fact),
            FactValue::DamageAccepted(fact) => {
                self.accept(&fact);
                Ok(())
            }
            FactValue::Repaired(fact) => {
                let HeadNumbers { contents, messages, parts, runs, folders, containers } = fact.numbers;
                Arc::make_mut(&mut self.sets).insert_gap(SetOf::Unplaced, numbers.contents..contents);
                numbers.contents = numbers.contents.max(contents);
                numbers.messages = numbers.messages.max(messages);
                numbers.parts = numbers.parts.max(parts);
                numbers.runs = numbers.runs.max(runs);
                numbers.folders = numbers.folders.max(folders);
                numbers.containers = numbers.containers.max(containers);
                self.basis.tree = fact.tree;
                self.basis.repaired_at = (place.file, place.offset);
                self.basis.left_out = self.basis.left_out.saturating_add(fact.left_out);
                Ok(())
            }
            FactValue::Recovered(fact) => self.recovered(*fact, sequence, span, index),
            FactValue::PassedOver => Ok(()),
        }
    }

    fn content(&mut self, fact: ContentFact, sequence: u64, place: FactPlace, section: &[u64]) -> Result<(), Error> {
        let no = ContentNo(fact.no);
        let digest = Digest(fact.digest);
        let (runs, in_section) = resolve(fact.runs, section)?;
        if in_section {
            self.sets_mut().insert(SetOf::Unpacked, fact.no);
            self.basis.unpacked_bytes = self.basis.unpacked_bytes.saturating_add(runs.bytes());
        }
        let row = ContentRow {
            digest: fact.digest,
            size: fact.size,
            shape: fact.shape,
            runs,
            section: in_section.then_some(place.file),
            fact: place,
            restated: fact.restated,
            sequence,
            date: fact.date,
            date_source: fact.date_source,
            attachments: fact.attachments,
            importance: fact.importance,
            from: first(fact.from),
            to: first(fact.to),
            subject: fact.subject,
            attachment_types: fact.attachment_types,
        };
        for digest in [Some(digest), fact.restated.map(Digest)].into_iter().flatten() {
            self.sorted.put(keys::by_digest(digest).with(no.0));
        }
        // The identity of a content that was recorded again without its bytes is unknown.
        if fact.identity != [0; 16] {
            self.sorted.put(keys::by_identity(Identity(fact.identity)).with(no.0));
        }
        for extent in row.shape.iter().flat_map(|shape| &shape.0) {
            if let crate::mail::Extent::Part { .. } = extent.extent {
                self.sorted.put(keys::used(PartNo(extent.part)).with(no.0));
            }
        }
        self.sorted.put_value(keys::content(no), |out| write_row(&row, out));
        self.fresh.insert(no.0, (row.date_in_order(), fact.size));
        // The numbers between are lost; a content found later fills its gap.
        let known = self.basis.numbers.contents;
        self.sets_mut().insert_gap(SetOf::Unplaced, known..no.0);
        self.sets_mut().remove(SetOf::Unplaced, no.0);
        self.basis.numbers.contents = self.basis.numbers.contents.max(no.0.saturating_add(1));
        self.basis.numbers.contents_there = self.basis.numbers.contents_there.saturating_add(1);
        self.basis.numbers.content_bytes = self.basis.numbers.content_bytes.saturating_add(fact.size);
        for (message, place) in self.waiting.remove(&no.0).unwrap_or_default() {
            self.message(&message, place)?;
        }
        Ok(())
    }

    fn part(&mut self, fact: PartFact, place: FactPlace, section: &[u64]) -> Result<(), Error> {
        let (runs, in_section) = resolve(fact.runs, section)?;
        if in_section {
            self.sets_mut().insert(SetOf::UnpackedParts, fact.no);
            self.basis.unpacked_bytes = self.basis.unpacked_bytes.saturating_add(runs.bytes());
        }
        let row = PartRow { digest: fact.digest, len: fact.len, runs, section: in_section.then_some(place.file) };
        self.sorted.put(keys::by_part_digest(Digest(fact.digest)).with(fact.no));
        self.sorted.put_value(keys::part(PartNo(fact.no)), |out| write_row(&row, out));
        self.basis.numbers.parts = self.basis.numbers.parts.max(fact.no.saturating_add(1));
        self.basis.numbers.part_bytes = self.basis.numbers.part_bytes.saturating_add(fact.len);
        Ok(())
    }

    /// A repair records again what a lost commit held. An existing row is not counted twice, and gets the place of its
    /// new fact.
    fn recovered(&mut self, fact: FactValue, sequence: u64, span: &CommitSpan, index: usize) -> Result<(), Error> {
        let place = FactPlace { file: span.place.file, offset: span.place.offset, index: index as u32 };
        match fact {
            FactValue::Content(fact) if let Some(row) = self.content_row(ContentNo(fact.no))? => {
                let row = ContentRow { fact: place, ..row };
                self.sorted.put_value(keys::content(ContentNo(fact.no)), |out| write_row(&row, out));
                Ok(())
            }
            FactValue::Message(fact) if let Some(row) = self.message_row(MessageNo(fact.no))? => {
                let row = MessageRow { fact: place, ..row };
                self.sorted.put_value(keys::message(MessageNo(fact.no)), |out| write_row(&row, out));
                Ok(())
            }
            FactValue::Part(fact) if let Some(row) = self.part_row(PartNo(fact.no))? => {
                // The commit that moved it may be lost.
                let moved = fact.runs != row.runs && fact.runs.0.iter().all(|run| run.container != 0);
                if moved { self.packed(PackedFact { contents: Vec::new(), parts: vec![(fact.no, fact.runs)] }) } else { Ok(()) }
            }
            FactValue::FolderMade(fact) if self.folders.get(FolderNo(fact.no)).is_some() => {
                self.folders_mut().put(fact.no, fact.parent, &fact.name);
                Ok(())
            }
            fact => self.fact(fact, sequence, span, index),
        }
    }

    fn message(&mut self, fact: &MessageFact, place: FactPlace) -> Result<(), Error> {
        let (no, content) = (MessageNo(fact.no), ContentNo(fact.content));
        self.archived(no, fact.archived);
        self.folders_mut().number(fact.folder, fact.number);
        self.basis.numbers.messages = self.basis.numbers.messages.max(no.0.saturating_add(1));
        let fresh = self.fresh.remove(&fact.content);
        let (date, size) = match fresh {
            Some(of) => of,
            None => {
                // Damage took the content's fact. Replay reports it, and the message waits for what a repair recorded
                // again.
                let Some(of) = self.content_row(content)? else {
                    self.waiting.entry(fact.content).or_default().push((fact.clone(), place));
                    return Ok(());
                };
                (of.date_in_order(), of.size)
            }
        };
        let row = MessageRow {
            content: fact.content,
            folder: fact.folder,
            direction: fact.direction,
            archived: fact.archived,
            fact: place,
            number: fact.number,
            flags: fact.flags.clone(),
        };
        self.sorted.put_value(keys::message(no), |out| write_row(&row, out));
        // A repair may record a message again after it was deleted.
        let is_deleted = self.deleted().contains(no.0);
        if is_deleted {
            self.was_placed(content, no);
        } else {
            self.place(no, &row, date, size);
        }
        if is_deleted || self.unplaced().contains(fact.content) {
            self.judge(content, size)?;
        } else if fresh.is_none() {
            self.sets_mut().insert(SetOf::Shared, fact.content);
        }
        Ok(())
    }

    /// Notes where times of archiving fall: the clock may have been set back, and damage may bring messages out of
    /// their order.
    fn archived(&mut self, no: MessageNo, time: i64) {
        if no.0 < self.basis.numbers.messages {
            self.sets_mut().insert(SetOf::Earlier, no.0);
            self.sets_mut().insert(SetOf::Earlier, no.0.saturating_add(1));
            return;
        }
        if self.basis.archived.is_some_and(|last| time < last) {
            self.sets_mut().insert(SetOf::Earlier, no.0);
        }
        self.basis.archived = Some(time);
    }

    fn damage(&mut self, fact: &DamageFact) -> Result<(), Error> {
        for no in &fact.contents {
            let Some(row) = self.content_row(ContentNo(*no))? else { continue };
            self.sets_mut().insert(SetOf::Damaged, *no);
            for extent in row.shape.iter().flat_map(|shape| &shape.0) {
                if let crate::mail::Extent::Part { .. } = extent.extent {
                    self.sets_mut().insert(SetOf::DamagedParts, extent.part);
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self, fact: &AcceptedFact) {
        for place in &fact.places {
            let bytes = crate::wire::encode(place);
            let hash: [u8; 32] = Sha256::digest(&bytes).into();
            // A digest is longer than its short form.
            let Some(short) = hash.first_chunk() else { continue };
            self.sorted.put_value(keys::accepted(short), |out| out.extend_from_slice(&bytes));
        }
    }

    /// The damaged places that were accepted.
    pub(crate) fn accepted(&self) -> Result<Vec<DamagedPlace>, Error> {
        let mut places = Vec::new();
        self.sorted.scan(keys::ACCEPTED, keys::ACCEPTED, &mut |_, row| {
            places.extend(minicbor::decode::<DamagedPlace>(row).ok());
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(places)
    }

    fn packed(&mut self, fact: PackedFact) -> Result<(), Error> {
        for (no, runs) in fact.contents {
            self.sets_mut().remove(SetOf::Unpacked, no);
            let Some(row) = self.content_row(ContentNo(no))? else { continue };
            if row.section.is_some() {
                self.basis.unpacked_bytes = self.basis.unpacked_bytes.saturating_sub(runs.bytes());
            }
            let row = ContentRow { runs, section: None, ..row };
            self.sorted.put_value(keys::content(ContentNo(no)), |out| write_row(&row, out));
        }
        for (no, runs) in fact.parts {
            self.sets_mut().remove(SetOf::UnpackedParts, no);
            let Some(row) = self.part_row(PartNo(no))? else { continue };
            if row.section.is_some() {
                self.basis.unpacked_bytes = self.basis.unpacked_bytes.saturating_sub(runs.bytes());
            }
            let row = PartRow { runs, section: None, ..row };
            self.sorted.put_value(keys::part(PartNo(no)), |out| write_row(&row, out));
        }
        Ok(())
    }

    pub(crate) fn content_row(&self, no: ContentNo) -> Result<Option<ContentRow>, Error> {
        self.sorted.get(&keys::content(no))?.map(|row| read_row(&row)).transpose()
    }

    /// Visits the contents from `from` on, until the visitor breaks.
    pub(crate) fn content_rows(
        &self,
        from: ContentNo,
        visit: &mut dyn FnMut(ContentNo, ContentRow) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.sorted.scan(keys::CONTENTS, &keys::content(from), &mut |key, row| {
            let Some(no) = keys::last_number(key) else { return Ok(ControlFlow::Continue(())) };
            Ok(visit(ContentNo(no), read_row(row)?))
        })
    }

    /// The first existing content from `from` on: damage and repairs leave gaps of a million numbers.
    pub(crate) fn next_content(&self, from: ContentNo) -> Result<Option<ContentNo>, Error> {
        Ok(self.next_number(keys::CONTENTS, &keys::content(from))?.map(ContentNo))
    }

    /// The first existing message from `from` on.
    pub(crate) fn next_message(&self, from: MessageNo) -> Result<Option<MessageNo>, Error> {
        Ok(self.next_number(keys::MESSAGES, &keys::message(from))?.map(MessageNo))
    }

    fn next_number(&self, prefix: &[u8], from: &[u8]) -> Result<Option<u32>, Error> {
        let mut found = None;
        self.sorted.scan(prefix, from, &mut |key, _| {
            found = keys::last_number(key);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    pub(crate) fn message_row(&self, no: MessageNo) -> Result<Option<MessageRow>, Error> {
        self.sorted.get(&keys::message(no))?.map(|row| read_row(&row)).transpose()
    }

    /// The rows of a message and of its content, as they are stored; `None` if one of them is missing.
    pub(crate) fn stored_rows(&self, no: MessageNo) -> Result<Option<StoredRows>, Error> {
        let Some(message) = self.sorted.get(&keys::message(no))? else { return Ok(None) };
        let row: MessageRow = read_row(&message)?;
        let content = self.sorted.get(&keys::content(ContentNo(row.content)))?;
        Ok(content.map(|content| StoredRows { message: message.into(), content: content.into() }))
    }

    /// The rows of the messages from `from` on, in order.
    pub(crate) fn message_rows(
        &self,
        from: MessageNo,
        visit: &mut dyn FnMut(MessageNo, MessageRow) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        self.sorted.scan(keys::MESSAGES, &keys::message(from), &mut |key, row| match keys::last_number(key) {
            Some(no) => visit(MessageNo(no), read_row(row)?),
            None => Ok(ControlFlow::Continue(())),
        })
    }

    pub(crate) fn part_row(&self, no: PartNo) -> Result<Option<PartRow>, Error> {
        self.sorted.get(&keys::part(no))?.map(|row| read_row(&row)).transpose()
    }

    /// Contents whose digest, with or without status headers, begins like `digest`; to be confirmed by their rows.
    pub(crate) fn contents_by_digest(&self, digest: Digest) -> Result<Vec<ContentNo>, Error> {
        Ok(self.numbers_behind(&keys::by_digest(digest))?.into_iter().map(ContentNo).collect())
    }

    /// Contents whose identity begins like `identity`; to be confirmed by their facts.
    pub(crate) fn contents_by_identity(&self, identity: Identity) -> Result<Vec<ContentNo>, Error> {
        Ok(self.numbers_behind(&keys::by_identity(identity))?.into_iter().map(ContentNo).collect())
    }

    /// The part with this digest, if it may be referred to.
    pub(crate) fn part_by_digest(&self, digest: Digest) -> Result<Option<PartNo>, Error> {
        for no in self.numbers_behind(&keys::by_part_digest(digest))? {
            if !self.sets.of(SetOf::DamagedParts).contains(no) && self.part_row(PartNo(no))?.is_some_and(|row| row.digest == digest.0) {
                return Ok(Some(PartNo(no)));
            }
        }
        Ok(None)
    }

    /// Another part with the digest of a damaged one, if it may be referred to.
    pub(crate) fn whole_part(&self, no: PartNo) -> Result<Option<PartNo>, Error> {
        if !self.sets.of(SetOf::DamagedParts).contains(no.0) {
            return Ok(None);
        }
        match self.part_row(no)? {
            Some(row) => self.part_by_digest(Digest(row.digest)),
            None => Ok(None),
        }
    }

    /// Messages of a content with their folders.
    pub(crate) fn placements(&self, content: ContentNo) -> Result<Vec<(MessageNo, FolderNo)>, Error> {
        let mut found = Vec::new();
        self.each_placed(content, &mut |no, folder| {
            found.extend(folder.map(|folder| (no, folder)));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The first message that a content got, whether it is deleted or not.
    pub(crate) fn first_message(&self, content: ContentNo) -> Result<Option<MessageNo>, Error> {
        let mut first = None;
        self.each_placed(content, &mut |no, _| {
            first = Some(no);
            ControlFlow::Break(())
        })?;
        Ok(first)
    }

    /// Visits the messages that a content got, in order, with their folders: none if a message is deleted.
    fn each_placed(&self, content: ContentNo, visit: &mut dyn FnMut(MessageNo, Option<FolderNo>) -> ControlFlow<()>) -> Result<(), Error> {
        let key = keys::placed(content);
        self.sorted.scan(&key, &key, &mut |key, folder| match keys::last_number(key) {
            Some(no) => Ok(visit(MessageNo(no), folder.first_chunk().map(|folder| FolderNo(u32::from_le_bytes(*folder))))),
            None => Ok(ControlFlow::Continue(())),
        })
    }

    /// Messages of a content; if damaged contents are read from it, their messages.
    pub(crate) fn messages_read_from(&self, no: ContentNo) -> Result<Vec<(MessageNo, FolderNo)>, Error> {
        let mut placed = self.placements(no)?;
        if self.unplaced().contains(no.0)
            && let Some(row) = self.content_row(no)?
        {
            for other in self.contents_by_digest(Digest(row.digest))? {
                if self.content_row(other)?.is_some_and(|other| other.digest == row.digest) {
                    placed.extend(self.placements(other)?);
                }
            }
        }
        Ok(placed)
    }

    /// Up to `limit` messages of a folder, newest first, after the place `after`: the [`order`](Dated::order) of a message
    /// of any folder. An empty one is before all.
    pub(crate) fn messages_in(&self, folder: FolderNo, after: &[u8], limit: usize) -> Result<Vec<Dated>, Error> {
        let prefix = keys::in_folder(folder);
        let from = [&*prefix, after].concat();
        let mut found = Vec::new();
        self.sorted.scan(&prefix, &from, &mut |key, _| {
            if key != from {
                found.extend(keys::message_of_dated(key).map(|message| Dated { message, key: key.to_vec() }));
            }
            Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(found)
    }

    fn numbers_behind(&self, key: &[u8]) -> Result<Vec<u32>, Error> {
        let mut numbers = Vec::new();
        self.sorted.scan(key, key, &mut |key, _| {
            numbers.extend(keys::last_number(key));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(numbers)
    }

    fn folders_mut(&mut self) -> &mut Folders {
        Arc::make_mut(&mut self.folders)
    }

    fn sets_mut(&mut self) -> &mut Sets {
        Arc::make_mut(&mut self.sets)
    }

    /// Reads and checks every page; `report` receives damage.
    pub(crate) fn verify(&self, report: &mut dyn FnMut(Damage)) -> Result<(), Error> {
        self.sorted.verify(report)
    }

    /// Removes runs that no manifest names, and what is left of one that was never finished.
    pub(crate) fn remove_leftovers(&self) -> Result<(), Error> {
        let home = self.sorted.home();
        let unfinished = manifest_path(&home.dir).with_extension("tmp");
        if home.vfs.kind(&unfinished)?.is_some() {
            home.vfs.remove(&unfinished)?;
        }
        self.sorted.remove_leftovers()
    }
}

fn first(mut list: Vec<String>) -> Vec<String> {
    list.truncate(ROW_ADDRESSES);
    list
}

/// Runs in which the section of a small commit is replaced by its frames. If the section is gone, they stay as they
/// are: a later commit says where its contents were packed.
fn resolve(mut runs: Runs, section: &[u64]) -> Result<(Runs, bool), Error> {
    let mut in_section = false;
    if section.is_empty() {
        return Ok((runs, in_section));
    }
    for run in runs.0.iter_mut().filter(|run| run.container == 0) {
        let frame = usize::try_from(run.frame).ok().and_then(|at| section.get(at));
        run.frame = *frame.ok_or(Error::Bug("a fact names a frame that its commit does not have"))?;
        in_section = true;
    }
    Ok((runs, in_section))
}
