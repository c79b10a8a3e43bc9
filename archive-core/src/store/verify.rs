//! Verification: reads and checks everything in a store: every frame of every file, every digest, the whole chain.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use archive_index::FileId;

use super::Store;
use super::recover::is_before;
use crate::catalog::FactPlace;
use crate::container::Containers;
use crate::error::{Damage, DamageCause, Error};
use crate::id::{ContentNo, MessageNo};
use crate::progress::{Progress, Step, Unit};
use crate::records::{Link, Scan, ScanItem, file_number, list_files};
use crate::seal::{FileKind, HEADER_LEN, SealedReader};

/// How many contents a thread takes at once: adjacent contents share blocks.
const SHARE: u64 = 512;
/// A bound on memory: each thread holds a mail of up to 16 MiB.
const MOST_THREADS: usize = 4;

/// Damage, with the messages that it affects.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) damage: Damage,
    pub(crate) messages: Vec<MessageNo>,
    /// Messages whose bytes are intact and whose record is damaged.
    pub(crate) records: Vec<MessageNo>,
    /// Every affected content can be read from another place.
    pub(crate) healed: bool,
    /// It is before the last repair, which accepted it.
    pub(crate) repaired: bool,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Checked {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    /// Messages that are lost completely to damage.
    pub(crate) lost_messages: u64,
    /// Bytes of contents whose digest was checked.
    pub(crate) content_bytes: u64,
}

/// Which contents and containers are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Whether contents are read and compared with their digests.
    pub(crate) contents: bool,
    /// Which part, counted from 1, of how many.
    pub(crate) part: (u32, u32),
}

impl Reach {
    /// The numbers below `count` that belong to this part.
    fn of(self, count: u32) -> Range<u32> {
        let (no, of) = (u64::from(self.part.0), u64::from(self.part.1.max(1)));
        let at = |part: u64| (u64::from(count) * part / of) as u32;
        at(no.saturating_sub(1))..at(no)
    }
}

/// Damage by file and offset, so that damage to many contents is reported once; and the affected contents that can be
/// read from another place.
#[derive(Default)]
pub(super) struct Findings(BTreeMap<(PathBuf, u64), Damage>, BTreeSet<ContentNo>);

impl Findings {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all(&self, holds: impl Fn(&Damage) -> bool) -> bool {
        self.0.values().all(holds)
    }

    fn add(&mut self, damage: Damage) {
        let known = self.0.entry((damage.file.clone(), damage.offset)).or_insert_with(|| Damage { costs: Vec::new(), ..damage.clone() });
        known.costs.extend(damage.costs);
        // Several contents may report the same place: the longest range is kept, so that each run reports the same
        // length.
        known.len = known.len.max(damage.len);
    }
}

/// The result of reading a share of the contents.
#[derive(Default)]
struct Share {
    /// Bytes of the contents that are intact.
    bytes: u64,
    damages: Vec<Damage>,
    /// Damaged contents that can be read from another place.
    healed: Vec<ContentNo>,
}

/// What a damaged page of the catalog would say is left out; the page is reported by itself.
fn readable<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::Damage(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The progress of checking files as they are.
fn files(checked: &Checked) -> Step {
    Step { done: checked.bytes, total: None, unit: Unit::Bytes, activity: "checking files" }
}

impl Store {
    /// Reads and checks the contents and containers of `reach`, and everything else. `progress` gets the bytes of
    /// contents checked so far.
    pub(crate) fn verify(&self, reach: Reach, progress: &Progress) -> Result<(Vec<Finding>, Checked), Error> {
        let mut findings = Findings::default();
        let mut checked = Checked::default();
        if reach.contents {
            self.verify_contents(reach, &mut findings, &mut checked, progress)?;
        }
        self.verify_containers(reach, &mut findings, &mut checked, progress)?;
        self.verify_records(&mut findings, &mut checked, progress)?;
        self.verify_caches(&mut findings, &mut checked, progress)?;
        (checked.messages, checked.lost_messages) = self.catalog().messages();
        // Only opening detects this damage: a broken head, or the head of another store.
        if let Some(damage) = self.damage().filter(|damage| findings.is_empty() && damage.file.starts_with(&self.dirs.root)) {
            findings.add(damage.clone());
        }
        let mut found = Vec::new();
        let repaired_at = self.catalog().basis().repaired_at;
        let in_records = findings.0.values().any(|damage| damage.file.starts_with(&self.dirs.records));
        let files = match in_records {
            true => list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?.files,
            false => Vec::new(),
        };
        for (_, mut damage) in findings.0 {
            damage.costs.sort_unstable();
            damage.costs.dedup();
            let mut messages = Vec::new();
            for content in &damage.costs {
                let placements = readable(self.catalog().messages_read_from(*content))?.unwrap_or_default();
                messages.extend(placements.into_iter().map(|(message, _)| message));
            }
            messages.sort_unstable();
            messages.dedup();
            let in_container = damage.file.starts_with(&self.dirs.content);
            let healed = in_container && !damage.costs.is_empty() && damage.costs.iter().all(|no| findings.1.contains(no));
            let repaired = is_before(&damage, repaired_at, &files) && damage.file.starts_with(&self.dirs.records);
            found.push(Finding { damage, messages, records: Vec::new(), healed, repaired });
        }
        self.add_records_hit(&mut found)?;
        Ok((found, checked))
    }

    /// Adds to each damage in records the messages whose facts are there.
    fn add_records_hit(&self, found: &mut [Finding]) -> Result<(), Error> {
        let listing = list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?;
        let mut hit = Vec::new();
        // A commit that does not follow the one before is still readable.
        for (at, finding) in found.iter().enumerate().filter(|(_, finding)| finding.damage.cause != DamageCause::Chain) {
            let Damage { file: path, offset, len, .. } = &finding.damage;
            match listing.files.iter().find(|file| file.reader.path() == path) {
                Some(file) => hit.push((at, file.number, file.moved.first(*offset)..file.moved.first(offset.saturating_add(*len)))),
                // The file cannot be opened, or is missing.
                None if path.starts_with(&self.dirs.records) => hit.extend(file_number(path).map(|number| (at, number, 0..u64::MAX))),
                None => {}
            }
        }
        if hit.is_empty() {
            return Ok(());
        }
        let catalog = self.catalog();
        let looked_through = catalog.message_rows(MessageNo(0), &mut |no, row| {
            let content = catalog.content_row(ContentNo(row.content))?.map(|content| content.fact);
            for (at, number, offsets) in &hit {
                let lies_there = |fact: FactPlace| fact.file == *number && offsets.contains(&fact.offset);
                if (lies_there(row.fact) || content.is_some_and(lies_there))
                    && let Some(finding) = found.get_mut(*at).filter(|finding| finding.messages.binary_search(&no).is_err())
                {
                    finding.records.push(no);
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        readable(looked_through).map(|_| ())
    }

    fn verify_contents(&self, reach: Reach, findings: &mut Findings, checked: &mut Checked, progress: &Progress) -> Result<(), Error> {
        let total = self.catalog().basis().numbers.content_bytes / u64::from(reach.part.1.max(1));
        let Range { start, end } = reach.of(self.catalog().basis().numbers.contents);
        let (start, end) = (u64::from(start), u64::from(end));
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let next = AtomicU64::new(start);
        let (told, shares) = sync_channel(2 * threads);
        std::thread::scope(|scope| {
            let mut workers = Vec::with_capacity(threads);
            for _ in 0..threads {
                let (told, next) = (told.clone(), &next);
                let work = move || {
                    loop {
                        let from = next.fetch_add(SHARE, Ordering::Relaxed);
                        // Sending fails once `progress` has ended the work.
                        if from >= end || told.send(self.verify_share(from..end.min(from + SHARE), progress)).is_err() {
                            return;
                        }
                    }
                };
                match std::thread::Builder::new().spawn_scoped(scope, work) {
                    Ok(worker) => workers.push(worker),
                    Err(error) if workers.is_empty() => return Err(Error::no_thread(error)),
                    Err(_) => break,
                }
            }
            drop(told);
            for share in shares {
                let Share { bytes, damages, healed } = share?;
                damages.into_iter().for_each(|damage| findings.add(damage));
                findings.1.extend(healed);
                checked.content_bytes += bytes;
                progress.step(Step { done: checked.content_bytes, total: Some(total), unit: Unit::Bytes, activity: "checking mails" })?;
            }
            // What a worker skipped must not count as checked.
            let left_out = workers.into_iter().fold(false, |left_out, worker| worker.join().is_err() | left_out);
            if left_out { Err(Error::Bug("verifying contents panicked")) } else { Ok(()) }
        })
    }

    fn verify_share(&self, contents: Range<u64>, progress: &Progress) -> Result<Share, Error> {
        let mut share = Share::default();
        let number = |no: u64| u32::try_from(no).unwrap_or(u32::MAX);
        let (mut hit, mut failed) = (Vec::new(), None);
        let numbers = number(contents.start)..=number(contents.end.saturating_sub(1));
        self.read_own(numbers, progress, &mut |no, read| match read {
            Ok(len) => share.bytes += len,
            Err(Error::Damage(damage)) => hit.push((no, damage)),
            Err(error) => failed = failed.take().or(Some(error)),
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        for (no, damage) in hit {
            if damage.remedy().is_none() && self.is_readable(no)? {
                share.healed.push(no);
            }
            share.damages.push(damage);
        }
        Ok(share)
    }

    fn verify_containers(&self, reach: Reach, findings: &mut Findings, checked: &mut Checked, progress: &Progress) -> Result<(), Error> {
        let (active, end) = self.catalog().basis().container;
        let known = self.catalog().basis().numbers.containers;
        let mut there = self.containers().list()?;
        there.retain(|number| !self.options.read_only || *number <= known);
        // Asked after the list was made: meanwhile some may have been removed.
        let catalog = self.catalog();
        let removed = catalog.containers_removed();
        for number in (1..=known).filter(|number| !there.contains(number) && !removed.contains(*number)) {
            let path = self.containers().path(number);
            if self.containers().was_there(number) {
                return Err(Error::SnapshotGone { path });
            }
            findings.add(Damage::new(&path, 0, 0, DamageCause::Missing));
        }
        let parts = reach.of(there.len() as u32);
        for number in there.into_iter().enumerate().filter(|(at, _)| parts.contains(&(*at as u32))).map(|(_, number)| number) {
            let path = self.containers().path(number);
            let file = match self.containers().file(number) {
                Ok(file) => file,
                Err(Error::Damage(_)) if self.catalog().containers_removed().contains(number) => continue,
                Err(Error::Damage(damage)) => {
                    findings.add(damage);
                    continue;
                }
                Err(error) => return Err(error),
            };
            file.header_damage().into_iter().for_each(|damage| findings.add(damage));
            let len = match file.len()? {
                // What a writer has added since is not of this state.
                len if self.options.read_only && number == active => len.min(end),
                len => len,
            };
            checked.files += 1;
            checked.bytes += len;
            Containers::walk(&file, HEADER_LEN as u64..len, &mut |frame| {
                if let Err(damage) = frame {
                    findings.add(damage);
                }
                progress.check()
            })?;
            progress.step(files(checked))?;
            match u32::try_from(file.header().number) {
                Ok(named) if named != number => findings.add(Damage::new(&path, 0, 0, DamageCause::Misnamed(named.into()))),
                _ if number > known => findings.add(Damage::new(&path, 0, len, DamageCause::Stray)),
                _ => {}
            }
            if number == active && len < end {
                findings.add(Damage::new(&path, len, end - len, DamageCause::Truncated));
            }
        }
        Ok(())
    }

    pub(super) fn verify_records(&self, findings: &mut Findings, checked: &mut Checked, progress: &Progress) -> Result<(), Error> {
        let listing = list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?;
        listing.damage.into_iter().for_each(|damage| findings.add(damage));
        let mut last = Link::origin(self.uuid);
        let reached = self.catalog().basis().link;
        'records: for file in listing.files {
            checked.files += 1;
            checked.bytes += file.len;
            let path = file.reader.path().to_owned();
            let mut scan = Scan::new(file, 0);
            progress.step(files(checked))?;
            while let Some(item) = scan.next()? {
                progress.check()?;
                if self.options.read_only && last == reached {
                    // What follows is not of this state: a writer has added it since, or is writing it.
                    break 'records;
                }
                match item {
                    ScanItem::Commit(commit) => {
                        // A commit that repairs continues after what is lost; its frames say after which commit.
                        let last_known = if commit.commit.repairs() { commit.stamp.synced } else { last };
                        if commit.commit.link_after(&last_known)? != Some(commit.link) {
                            findings.add(Damage::new(&path, commit.begin, commit.end - commit.begin, DamageCause::Chain));
                        }
                        last = commit.link;
                    }
                    ScanItem::Mark(_) => {}
                    ScanItem::Bad(damage) => findings.add(damage),
                }
            }
        }
        if last != reached {
            findings.add(Damage::new(&self.dirs.records, 0, 0, DamageCause::Chain));
        }
        Ok(())
    }

    /// Catalog and index: every frame of every file.
    fn verify_caches(&self, findings: &mut Findings, checked: &mut Checked, progress: &Progress) -> Result<(), Error> {
        progress.step(files(checked))?;
        self.catalog().verify(&mut |damage| findings.add(damage))?;
        self.verify_cache(&self.dirs.catalog, findings, checked)?;
        progress.step(files(checked))?;
        self.verify_cache(&self.dirs.index, findings, checked)
    }

    /// Whether the index has a frame that cannot be read.
    pub(crate) fn index_is_damaged(&self) -> Result<bool, Error> {
        let mut findings = Findings::default();
        self.verify_cache(&self.dirs.index, &mut findings, &mut Checked::default())?;
        Ok(!findings.is_empty())
    }

    fn verify_cache(&self, dir: &Path, findings: &mut Findings, checked: &mut Checked) -> Result<(), Error> {
        let entries = match self.vfs.list(dir) {
            // The folder could not be created, so there is nothing in it.
            Err(error) if error.is_not_found() => Vec::new(),
            entries => entries?,
        };
        for path in entries.into_iter().map(|entry| entry.path) {
            let kind = match path.extension().and_then(|extension| extension.to_str()) {
                Some("mks") => FileKind::CatalogRun,
                Some("mki") => FileKind::Segment,
                Some("mkm") if dir == self.dirs.catalog => FileKind::CatalogManifest,
                Some("mkm") => FileKind::IndexManifest,
                _ => continue,
            };
            if self.is_under_way(&path, kind) {
                continue;
            }
            let file = match self.vfs.open_read(&path) {
                // A merge has replaced it.
                Err(error) if error.is_not_found() => continue,
                file => file.map_err(Error::from),
            };
            let opened = file.and_then(|file| SealedReader::open(&path, file, &self.key, kind, self.uuid));
            match opened.and_then(|file| self.verify_frames(&file, findings, checked)) {
                Ok(()) => {}
                Err(Error::Damage(damage)) => findings.add(damage),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the file is being written, or is no longer in use.
    fn is_under_way(&self, path: &Path, kind: FileKind) -> bool {
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if self.options.read_only {
            // Whatever this state does not have is a writer's affair.
            return match (number, kind) {
                (Some(number), FileKind::CatalogRun) => !self.catalog().has_run(number),
                (Some(number), FileKind::Segment) => !self.indexer.index().files().contains(&FileId(number)),
                _ => false,
            };
        }
        match (number, kind) {
            (Some(number), FileKind::CatalogRun) => self.catalog().is_under_way(number),
            (Some(number), FileKind::Segment) => self.indexer.index().is_under_way(FileId(number)),
            _ => false,
        }
    }

    fn verify_frames(&self, file: &SealedReader, findings: &mut Findings, checked: &mut Checked) -> Result<(), Error> {
        let len = file.len()?;
        checked.files += 1;
        checked.bytes += len;
        let mut at = HEADER_LEN as u64;
        while at < len {
            match file.frame(at, len) {
                Ok(frame) => at = frame.place.end(),
                Err(Error::Damage(mut damage)) => {
                    let next = crate::records::next_frame(file, at + 1, len)?;
                    damage.len = next - at;
                    findings.add(damage);
                    at = next;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
