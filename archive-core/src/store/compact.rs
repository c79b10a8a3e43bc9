//! Compaction: what was deleted is erased from every file of the store.
//!
//! One commit records what is erased, and from then on nothing brings it back. After it, step by step: what else is in
//! the containers concerned moves to the active one, and they are removed; records files are rewritten without the facts;
//! catalog and index without the entries; `lost+found` is emptied. A last commit records that nothing is left. Each step
//! can be done again, so a compaction that was stopped, or died, is continued by the next one. Beside the store it needs
//! space for one container, for one records file, and for catalog and index. Docs: DURABILITY.md, "Compaction".

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, TryLockError};
use std::time::Duration;

use archive_index::BetweenPages;

use super::commit::{Dead, Duplicates, Tenants};
use super::index::failed;
use super::lost::{lost_dir, lost_files};
use super::{Store, WriterGuard};
use crate::error::{DamageCause, Error};
use crate::id::{ContentNo, PartNo};
use crate::progress::{Progress, Step, Unit};
use crate::records::{ErasureDoneFact, FactValue, Rewritten, Without, file_path, list_files};
use crate::vfs::EntryKind;

/// How long a compaction waits before it looks again whether a section is still read.
const WAIT: Duration = Duration::from_millis(5);

/// What a compaction erases, or would erase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// Deleted messages.
    pub messages: u64,
    /// Different mails that only these messages had.
    pub mails: u64,
    /// Bytes of these mails.
    pub bytes: u64,
    /// Deleted messages that stay, since damaged mails are read from their bytes.
    pub needed: u64,
}

/// What a compaction did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactReport {
    /// What this call erased.
    pub erased: Erased,
    /// Whether it went on with an earlier compaction that was stopped.
    pub resumed: bool,
    /// Containers that were rewritten.
    pub containers: u64,
    /// Records files that were rewritten; 0 of a plan.
    pub records: u64,
    /// Files in `lost+found` that were removed.
    pub lost_found: u64,
    /// Bytes of the store's files before and after; of a plan, those of the containers that would be rewritten, and 0.
    pub bytes_before: u64,
    /// See `bytes_before`.
    pub bytes_after: u64,
    /// What could not be rewritten, so that something erased may still be in it. The next compaction tries again.
    pub left: Vec<NotRewritten>,
}

/// A file that a compaction could not rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotRewritten {
    /// The file, or the folder of the index.
    pub path: PathBuf,
    /// Why, and what to do.
    pub why: &'static str,
}

const DAMAGED_MAILS: &str = "has damaged mails that are stored nowhere else; `verify` lists them; import them again";
const DAMAGED_RECORDS: &str = "is damaged; `verify` says where, and `repair` lets the store go on";
const STILL_READ: &str = "is still read by a search that was begun before; end that search";
const DAMAGED_CACHE: &str = "is damaged; `rebuild` makes a new one";

impl CompactReport {
    /// Adds what was done in another store.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { erased, resumed, containers, records, lost_found, bytes_before, bytes_after, left } = other;
        self.erased.messages += erased.messages;
        self.erased.mails += erased.mails;
        self.erased.bytes += erased.bytes;
        self.erased.needed += erased.needed;
        self.resumed |= resumed;
        self.containers += containers;
        self.records += records;
        self.lost_found += lost_found;
        self.bytes_before += bytes_before;
        self.bytes_after += bytes_after;
        self.left.extend(left);
    }

    /// Whether nothing is left of what was erased.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }
}

impl From<&Dead> for Erased {
    fn from(dead: &Dead) -> Self {
        Self { messages: dead.messages.len(), mails: dead.contents.len(), bytes: dead.bytes, needed: dead.needed }
    }
}

impl Store {
    /// What [`Store::compact`] would do.
    pub(crate) fn plan_compaction(&self) -> Result<CompactReport, Error> {
        let catalog = self.catalog();
        let dead = Dead::of(&catalog)?;
        let mut containers = catalog.containers_to_remove().clone();
        containers.extend(&dead.containers);
        let mut bytes_before = 0;
        for number in &containers {
            bytes_before += match self.containers.file(number).and_then(|file| file.len()) {
                Err(Error::Damage(_)) => 0,
                len => len?,
            };
        }
        let resumed = catalog.is_erasing();
        let lost_found = if resumed || !dead.is_empty() { lost_files(&*self.vfs, &self.dirs.root)?.len() as u64 } else { 0 };
        Ok(CompactReport {
            erased: Erased::from(&dead),
            resumed,
            containers: containers.len(),
            lost_found,
            bytes_before,
            ..CompactReport::default()
        })
    }

    /// Erases what was deleted, and goes on with a compaction that was stopped.
    pub(crate) fn compact(&self, actor: &str, progress: &Progress) -> Result<CompactReport, Error> {
        let _one = self.compacting()?;
        let mut report = CompactReport { resumed: self.catalog().is_erasing(), ..CompactReport::default() };
        report.bytes_before = self.bytes_on_disk()?;
        // What is damaged is known then, so that nothing is erased from which it is read; and no section has anything.
        self.note_damage()?;
        self.pack()?;
        progress.check()?;
        report.erased = Erased::from(&self.erase(actor)?);
        if self.catalog().is_erasing() {
            self.rewrite_containers(&mut report, progress)?;
            self.rewrite_records_files(&mut report, progress)?;
            self.rewrite_catalog(&mut report, progress)?;
            let before = self.rewrite_index(&mut report, progress)?;
            report.lost_found = self.empty_lost_found()?;
            self.sweep(before, &mut report)?;
            if report.is_done() {
                self.note_erased()?;
            }
        }
        report.bytes_after = self.bytes_on_disk()?;
        Ok(report)
    }

    /// Held by whatever must not be done beside a compaction.
    pub(super) fn compacting(&self) -> Result<MutexGuard<'_, ()>, Error> {
        match self.compacting.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(Error::misuse("the store is being compacted, or its index rebuilt", "wait until that has ended, and try again"))
            }
        }
    }

    fn bytes_on_disk(&self) -> Result<u64, Error> {
        let stats = self.stats()?;
        Ok(stats.containers + stats.records + stats.catalog + stats.index + stats.lost_found)
    }

    fn rewrite_containers(&self, report: &mut CompactReport, progress: &Progress) -> Result<(), Error> {
        let tenants = self.tenants(progress)?;
        let (mut done, mut total) = (0, 0);
        for number in tenants.keys() {
            total += match self.containers.file(*number).and_then(|file| file.len()) {
                Err(Error::Damage(_)) => 0,
                len => len?,
            };
        }
        for (number, tenants) in tenants {
            let is_left = self.move_out(number, &tenants, &mut |bytes| {
                done += bytes;
                progress.step(Step { done, total: Some(total.max(done)), unit: Unit::Bytes, activity: "moving what stays" })
            })?;
            if is_left {
                self.remove_containers(vec![number])?;
                report.containers += 1;
            } else {
                report.left.push(NotRewritten { path: self.containers.path(number), why: DAMAGED_MAILS });
            }
        }
        Ok(())
    }

    /// What is in use of each container that is to be removed.
    fn tenants(&self, progress: &Progress) -> Result<BTreeMap<u32, Tenants>, Error> {
        let catalog = self.catalog();
        let mut tenants: BTreeMap<u32, Tenants> = catalog.containers_to_remove().iter().map(|no| (no, Tenants::default())).collect();
        if tenants.is_empty() {
            return Ok(tenants);
        }
        progress.step(Step { done: 0, total: None, unit: Unit::Steps, activity: "looking for what stays" })?;
        catalog.content_rows(ContentNo(0), &mut |no, row| {
            for run in &row.runs.0 {
                if let Some(here) = tenants.get_mut(&run.container) {
                    here.contents.insert(no.0);
                }
            }
            ControlFlow::Continue(())
        })?;
        for no in 0..catalog.basis().numbers.parts {
            for run in catalog.part_row(PartNo(no))?.iter().flat_map(|row| &row.runs.0) {
                if let Some(here) = tenants.get_mut(&run.container) {
                    here.parts.insert(no);
                }
            }
        }
        Ok(tenants)
    }

    fn rewrite_records_files(&self, report: &mut CompactReport, progress: &Progress) -> Result<(), Error> {
        let listing = list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?;
        // What cannot be opened cannot be rewritten.
        let there = listing.damage.into_iter().filter(|damage| damage.cause != DamageCause::Missing);
        report.left.extend(there.map(|damage| NotRewritten { path: damage.file, why: DAMAGED_RECORDS }));
        let numbers: Vec<u64> = listing.files.iter().map(|file| file.number).collect();
        drop(listing.files);
        let doomed = self.catalog().erased();
        for (done, number) in numbers.iter().enumerate() {
            let (done, total) = (done as u64, Some(numbers.len() as u64));
            progress.step(Step { done, total, unit: Unit::Steps, activity: "rewriting records" })?;
            let (mut writer, unread) = self.writer_of_sections(*number, progress)?;
            // In a section that could not be packed there are damaged mails, beside what was erased.
            let without = Without { sections: unread.is_some(), facts: &doomed };
            let is_needed = self.files_with_unpacked()?.contains(number);
            let path = file_path(&self.dirs.records, *number);
            if is_needed {
                // Its section stays where it is: rows name the frames there.
                report.left.push(NotRewritten { path, why: DAMAGED_MAILS });
                continue;
            }
            match self.rewrite_records(&mut writer, *number, without)? {
                Rewritten::Damaged => report.left.push(NotRewritten { path, why: DAMAGED_RECORDS }),
                Rewritten::Done => report.records += 1,
                Rewritten::Needless => {}
            }
        }
        // Also for a file that an earlier compaction rewrote and then died: only now does it stay so.
        Ok(self.vfs.sync_dir(&self.dirs.records)?)
    }

    /// The writer; and, if the sections of a records file can go, what keeps others from reading them.
    fn writer_of_sections(
        &self,
        number: u64,
        progress: &Progress,
    ) -> Result<(WriterGuard<'_>, Option<std::sync::RwLockWriteGuard<'_, ()>>), Error> {
        loop {
            let mut writer = self.writer()?;
            if !self.catalog().basis().sections.contains_key(&number) {
                return Ok((writer, None));
            }
            // Mails that came meanwhile may be there too.
            self.pack_all(&mut writer)?;
            if self.files_with_unpacked()?.contains(&number) {
                return Ok((writer, None));
            }
            if let Some(unread) = self.unread_sections() {
                return Ok((writer, Some(unread)));
            }
            drop(writer);
            progress.check()?;
            std::thread::sleep(WAIT);
        }
    }

    fn rewrite_catalog(&self, report: &mut CompactReport, progress: &Progress) -> Result<(), Error> {
        progress.step(Step { done: 0, total: None, unit: Unit::Steps, activity: "rewriting the catalog" })?;
        self.flush_catalog()?;
        match self.purge_catalog(&|| !progress.is_cancelled()) {
            Err(Error::Damage(damage)) => report.left.push(NotRewritten { path: damage.file, why: DAMAGED_CACHE }),
            purged => purged?,
        }
        Ok(())
    }

    /// Returns the highest number of a segment before.
    fn rewrite_index(&self, report: &mut CompactReport, progress: &Progress) -> Result<u64, Error> {
        progress.step(Step { done: 0, total: None, unit: Unit::Steps, activity: "rewriting the index" })?;
        self.feed_index()?;
        self.flush_index()?;
        let before = self.indexer.highest()?;
        let index = self.indexer.index();
        let watched = progress.clone();
        let between: BetweenPages = Arc::new(move || !watched.is_cancelled());
        let purge = || index.tell_dead(&self.catalog().erased().contents).and_then(|()| index.purge(&between));
        let purged = self.given_up(purge().map_err(failed))?;
        let snapshot = index.snapshot();
        // A segment that cannot be read is made anew by a rebuild, and an index that cannot is left alone.
        if purged.is_none() || !snapshot.lost().is_empty() || !snapshot.unread().is_empty() || self.indexer.unread().is_some() {
            report.left.push(NotRewritten { path: self.dirs.index.clone(), why: DAMAGED_CACHE });
        }
        Ok(before)
    }

    /// Removes what a process that died, or a failure, has left of files that are no longer in use, and syncs the folders:
    /// only then nothing comes back. `before` is the highest number of a segment before the index was rewritten.
    fn sweep(&self, before: u64, report: &mut CompactReport) -> Result<(), Error> {
        let removed = self.catalog().containers_removed().clone();
        for number in self.containers.list()?.into_iter().filter(|number| removed.contains(*number)) {
            self.containers.remove(number)?;
        }
        self.sweep_catalog()?;
        if self.indexer.sweep(before)? {
            report.left.push(NotRewritten { path: self.dirs.index.clone(), why: STILL_READ });
        }
        for dir in [&self.dirs.content, &self.dirs.catalog, &self.dirs.index] {
            self.vfs.sync_dir(dir)?;
        }
        Ok(())
    }

    fn empty_lost_found(&self) -> Result<u64, Error> {
        let files = lost_files(&*self.vfs, &self.dirs.root)?.len() as u64;
        let dir = lost_dir(&self.dirs.root);
        if self.vfs.kind(&dir)? != Some(EntryKind::Dir) {
            return Ok(0);
        }
        // Those too that an open left unfinished.
        for entry in self.vfs.list(&dir)?.into_iter().filter(|entry| entry.kind == EntryKind::File) {
            self.vfs.remove(&entry.path)?;
        }
        self.vfs.sync_dir(&dir)?;
        Ok(files)
    }

    fn note_erased(&self) -> Result<(), Error> {
        let time = self.now();
        self.commit_drafted(Duplicates::Folder, None, time, |draft, _| {
            draft.changed.push(FactValue::ErasureDone(ErasureDoneFact { time }));
            Ok(((), Vec::new()))
        })
    }
}
