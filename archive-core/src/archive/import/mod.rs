//! Import: source, workers, one committer, receipts, index. Data flows one way; every queue is bounded by bytes (P15).
//!
//! The caller's thread reads the source. Workers examine mails; the committer restores their order and commits by bytes
//! and time; the indexer follows. A mail above 16 MiB is received by the caller's thread itself, once all mails before
//! it are durable.

mod check;
mod committer;
mod destination;
mod jobs;
mod one;
mod plan;
mod prepare;
mod receipt;

use std::io::Read;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Scope, ScopedJoinHandle};

pub use check::CheckReport;
pub use plan::ImportPlan;
pub(super) use prepare::prepare;
pub use receipt::{Outcome, Receipt};

use super::actor::Acting;
use super::gate::Within;
use super::{Opened, locked};
use crate::error::Error;
use crate::folder::{FolderPath, below};
use crate::mail::{Examiner, TextReader};
use crate::progress::{Progress, Step, Unit};
use crate::source::{self, Body, Item, SourceOptions, SourceVisitor, Trouble};
use crate::store::{Duplicates, NewPlace, PreparedHeader, RunInfo};
pub(super) use destination::{Committed, Destination};

use committer::{Alarm, Budget, Committer, Failure, Ready, Sums, weight};
use jobs::{Feed, Job, Jobs};
pub(super) use one::{Singles, receipt};
use prepare::Places;

/// How mail is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The destination. By default, a folder named after the mailbox, below the owner's user archive.
    pub into: Option<FolderPath>,
    /// When a mail is a duplicate.
    pub duplicates: Duplicates,
    /// How the source is read.
    pub source: SourceOptions,
    /// How labels of a mail service are used.
    pub labels: LabelRule,
    /// Commits each mail separately: slower, but each is durable as soon as possible.
    pub commit_each: bool,
    /// Receives the bytes of the source read so far, and ends the import after the commit that is under way: what was
    /// read ahead is not archived. Clones of the options share it.
    pub progress: Progress,
}

/// How an import uses labels of a mail service (docs/TEXT.md, T12). The record keeps them in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LabelRule {
    /// They are only kept in the record.
    #[default]
    Record,
    /// A mail also goes into the folder that they name, below that of its mailbox: trash, spam, inbox, sent or drafts,
    /// or else the first label that the user created.
    Folders,
}

/// Where mail comes from.
pub enum ImportSource<'a> {
    /// A file or folder.
    Path(&'a Path),
    /// A stream; its name hints at its format. Others can archive while it is read, however slow it is, and so can the
    /// stream itself.
    Stream(&'a mut dyn Read, &'a str),
}

/// What happens during an import. Called from several threads, never concurrently. The methods may use the archive,
/// even to archive more. A panic in one of them ends the import and resumes in the caller of [`Session::import`](super::Session::import).
pub trait ImportEvents: Send {
    /// A mail is durable. Receipts of one import come in the order of the source.
    fn receipt(&mut self, _receipt: &Receipt) {}
    /// Something in the source that is not a mail, or cannot be read.
    fn trouble(&mut self, _trouble: &Trouble) {}
    /// A mail that a check does not find in the archive, or finds damaged there: its path in the source and its offset.
    fn missing(&mut self, _source: &str, _offset: u64) {}
    /// Bytes of the source that belong to no mail and are not archived, in pieces; the trouble that gives the reason
    /// follows the last piece.
    fn lost(&mut self, _bytes: &[u8]) {}
}

/// Ignores all events.
#[derive(Debug, Clone, Copy)]
pub struct NoEvents;

impl ImportEvents for NoEvents {}

/// The totals of an import: read = stored + duplicate + failed.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Mails found in the source.
    pub read: u64,
    /// New messages.
    pub stored: u64,
    /// Mails that the archive already had.
    pub duplicate: u64,
    /// Duplicates whose bytes differ in headers that mail programs change.
    pub restated: u64,
    /// Mails or pieces of the source that could not be read.
    pub failed: u64,
    /// Mails skipped because their program had marked them as deleted.
    pub deleted: u64,
    /// Mails of which the source itself has only a part; they count as read, and are archived as they are.
    pub incomplete: u64,
    /// Files that are not mail.
    pub skipped_files: u64,
    /// Files of kinds that are not supported.
    pub unsupported_files: u64,
    /// Bytes of the mails read.
    pub bytes_in: u64,
    /// The destination folder; folders of the source are below it.
    pub folder: Option<FolderPath>,
    /// The caller ended it.
    pub stopped: bool,
}

impl Acting<'_> {
    pub(super) fn import(
        &self,
        source: ImportSource<'_>,
        options: &ImportOptions,
        events: &mut dyn ImportEvents,
    ) -> Result<ImportReport, Error> {
        self.only_system("import")?;
        let target = self.target(&source, options)?;
        let (run, total) = (self.run_info(&source), size(&source));
        let events = Mutex::new(events);
        let archive = self.archive;
        // Before anything is read: whether mail is accepted at all.
        let index = Destination::of(archive)?.current.indexer().is_enabled();
        let budget = Budget::default();
        let failure = Failure::default();
        let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 8);
        let jobs = Jobs::default();
        let panicked = Mutex::default();
        let imported = std::thread::scope(|scope| {
            // If the system provides no thread, all of these are dropped, which ends the threads already started.
            let feed = jobs.feed();
            let (ready, ready_end) = sync_channel::<Ready>(16);
            let (fed, fed_end) = sync_channel::<()>(1);
            let alarm = || Alarm { failure: &failure, budget: &budget };
            let mut others = Vec::with_capacity(workers + 1);
            for _ in 0..workers {
                let (jobs, ready, alarm) = (&jobs, ready.clone(), alarm());
                others.push(begin(scope, move || {
                    let _alarm = alarm;
                    work(jobs, &ready, index);
                })?);
            }
            let (failure_of_index, alarm_of_index) = (&failure, alarm());
            others.push(begin(scope, move || {
                let _alarm = alarm_of_index;
                while fed_end.recv().is_ok() {
                    if let Err(error) = archive.feed_index() {
                        failure_of_index.set(error);
                    }
                }
            })?);
            let committer =
                Committer { archive, options, run: &run, events: &events, budget: &budget, failure: &failure, fed, panicked: &panicked };
            let alarm_of_committer = alarm();
            let commits = begin(scope, move || {
                let (_alarm, _within) = (alarm_of_committer, Within::note());
                committer.run(&ready_end)
            })?;
            let mut feeder = Feeder {
                archive,
                options,
                run: &run,
                events: &events,
                budget: &budget,
                failure: &failure,
                jobs: feed,
                ready,
                places: Places::below(target.names(), options.labels),
                index,
                next: 0,
                total,
                report: ImportReport::default(),
            };
            let read = feeder.feed(source);
            let Feeder { jobs, ready, mut report, .. } = feeder;
            drop((jobs, ready));
            let sums = commits.join();
            // A panic was reported by the thread itself.
            others.into_iter().for_each(|other| drop(other.join()));
            let sums = sums.map_err(|_| Error::Bug("the committer panicked"))?;
            let summary = read?;
            report.skipped_files = summary.skipped_files;
            report.unsupported_files = summary.unsupported_files;
            report.deleted = summary.deleted;
            report.incomplete = summary.incomplete;
            report.stored += sums.stored;
            report.duplicate += sums.duplicate;
            report.restated += sums.restated;
            Ok::<_, Error>(report)
        });
        if let Some(panic) = locked(&panicked).take() {
            resume_unwind(panic);
        }
        if let Some(error) = failure.take() {
            return Err(error);
        }
        let mut report = imported?;
        archive.feed_index()?;
        report.stopped = options.progress.is_cancelled();
        if report.stopped {
            // What was read and not committed before the stop is not counted as read.
            report.read = report.stored + report.duplicate + report.failed;
        }
        report.folder = Some(target);
        Ok(report)
    }

    pub(super) fn target(&self, source: &ImportSource<'_>, options: &ImportOptions) -> Result<FolderPath, Error> {
        self.only_system("import")?;
        if let Some(into) = &options.into {
            return self.to_change(into);
        }
        let name = match source {
            ImportSource::Path(path) => source::folder_name(&absolute(path)),
            ImportSource::Stream(_, name) if !name.is_empty() => source::folder_name(Path::new(name)),
            ImportSource::Stream(..) => String::new(),
        };
        let owner = Some(self.archive.owner()).filter(|owner| !owner.is_empty());
        FolderPath::from_names(below(owner.as_slice(), &[name])).map_err(Error::folder)
    }

    pub(super) fn run_info(&self, source: &ImportSource<'_>) -> RunInfo {
        let (text, data) = match source {
            ImportSource::Path(path) => (path.to_string_lossy().into_owned(), std::fs::metadata(path).ok()),
            ImportSource::Stream(_, name) => ((*name).to_owned(), None),
        };
        let modified = data.as_ref().and_then(|data| data.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok());
        let start = self.archive.now();
        RunInfo {
            actor: self.actor.name().to_owned(),
            host: super::lock::host(),
            source: text,
            size: data.filter(std::fs::Metadata::is_file).map(|data| data.len()),
            modified: modified.and_then(|since| i64::try_from(since.as_secs()).ok()),
            start,
            jumped_from: self.archive.stores.open().iter().filter_map(|store| store.jumped_from(start)).max(),
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn read_source(
    source: ImportSource<'_>,
    options: &ImportOptions,
    visitor: &mut dyn SourceVisitor,
) -> Result<source::Summary, Error> {
    match source {
        ImportSource::Path(path) => {
            source::read_path(path, options.source, visitor).map_err(|source::SourceError::Open { error, .. }| Error::Source {
                path: path.to_owned(),
                why: format!("{error}{}", crate::vfs::hint_of_open_files(&error)),
            })
        }
        ImportSource::Stream(stream, name) => {
            let mut stream = Watched { stream, read: 0, progress: &options.progress };
            Ok(source::read_stream(&mut stream, name, options.source, visitor))
        }
    }
}

/// A stream that ends when the import does: it may be slow, and have no end.
struct Watched<'s> {
    stream: &'s mut dyn Read,
    read: u64,
    progress: &'s Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.progress.step(reading(self.read, None)).map_err(std::io::Error::other)?;
        let len = self.stream.read(buffer)?;
        self.read += len as u64;
        Ok(len)
    }
}

fn begin<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, Error> {
    std::thread::Builder::new().spawn_scoped(scope, work).map_err(Error::no_thread)
}

fn work(jobs: &Jobs, ready: &SyncSender<Ready>, index: bool) {
    loop {
        let taken = jobs.take();
        let Some(at) = taken.first().map(|job| job.at) else { return };
        let mails = taken.into_iter().map(|Job { raw, place, .. }| {
            let weight = weight(raw.len() as u64, &place);
            prepare(raw, place, index).map_err(|error| (error, weight))
        });
        let mails = mails.collect();
        if ready.send(Ready::Mails { at, mails }).is_err() {
            return;
        }
    }
}

/// Reads the source and feeds the workers.
struct Feeder<'a, 'e> {
    archive: &'a Opened,
    options: &'a ImportOptions,
    run: &'a RunInfo,
    events: &'a Mutex<&'e mut dyn ImportEvents>,
    budget: &'a Budget,
    failure: &'a Failure,
    jobs: Feed<'a>,
    /// Where barriers are sent.
    ready: SyncSender<Ready>,
    places: Places<'a>,
    index: bool,
    next: u64,
    /// Bytes of the source, if they are known.
    total: Option<u64>,
    report: ImportReport,
}

/// The progress of reading a source.
pub(super) fn reading(done: u64, total: Option<u64>) -> Step {
    Step { done, total, unit: Unit::Bytes, activity: "reading the source" }
}

/// Bytes of a source, if they can be known.
pub(super) fn size(source: &ImportSource<'_>) -> Option<u64> {
    match source {
        ImportSource::Path(path) => Some(source::size(path)),
        ImportSource::Stream(..) => None,
    }
}

impl Feeder<'_, '_> {
    fn feed(&mut self, source: ImportSource<'_>) -> Result<source::Summary, Error> {
        read_source(source, self.options, self)
    }

    fn whole(&mut self, raw: Vec<u8>, place: NewPlace) {
        self.budget.take(weight(raw.len() as u64, &place));
        self.jobs.push(Job { at: self.next, raw, place });
        self.next += 1;
    }

    /// Waits until everything read so far is durable.
    fn settle(&mut self) {
        let (done, wait) = sync_channel(1);
        let barrier = Ready::Barrier { at: self.next, done };
        self.next += 1;
        if self.ready.send(barrier).is_err() || wait.recv().is_err() {
            self.failure.set(Error::Bug("the committer ended before the source"));
        }
    }

    /// Receives a large mail; others archive meanwhile. What the source cannot give is a failed mail, not the end of
    /// the import.
    fn large(&mut self, head: &[u8], rest: &mut dyn Read, place: NewPlace) -> Result<(), Error> {
        self.settle();
        if self.failure.is_set() {
            return Ok(());
        }
        let (source, offset) = (Arc::clone(&place.path), place.offset);
        let destination = Destination::of(self.archive)?;
        let mut examiner = Examiner::new(destination.current.begin_large()?);
        let mut text = self.index.then(|| TextReader::new(&[]));
        let mut bytes = head.len() as u64;
        let mut take = |examiner: &mut Examiner<_>, piece: &[u8]| {
            examiner.push(piece);
            text.iter_mut().for_each(|text| text.push(piece));
        };
        take(&mut examiner, head);
        let mut window = vec![0; 256 << 10];
        loop {
            let len = match rest.read(&mut window) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) if self.options.progress.is_cancelled() => return Ok(()),
                Err(_) => {
                    // The reader of the source reports it, and it is counted then.
                    self.report.read -= 1;
                    return Ok(());
                }
            };
            take(&mut examiner, window.get(..len).unwrap_or_default());
            bytes += len as u64;
            if self.options.progress.is_cancelled() {
                return Ok(());
            }
            if examiner.failed() {
                break;
            }
        }
        let (large, examined) = examiner.finish()?;
        let text = text.map(TextReader::finish);
        let guesses = text.as_ref().map(|text| text.guesses.clone()).unwrap_or_default();
        let digest = examined.digest;
        let header = PreparedHeader {
            digest,
            identity: examined.identity,
            restated: examined.restated,
            size: bytes,
            facts: examined.facts,
            guesses,
        };
        let (duplicates, store) = (self.options.duplicates, &destination.current);
        let (id, outcome) = match destination.known_elsewhere(&header, &place, duplicates)? {
            Some(known) => known,
            None => {
                // The source may have been slow.
                self.archive.stores.check_changeable(store.no())?;
                let outcome = large.finish(header, examined.extents, text, place, duplicates, Some(self.run), store.now())?;
                (store.message_id(outcome.message()), outcome)
            }
        };
        let receipt = receipt(id, outcome, digest, source, offset);
        let mut sums = Sums::default();
        sums.count(receipt.outcome());
        self.report.stored += sums.stored;
        self.report.duplicate += sums.duplicate;
        self.report.restated += sums.restated;
        locked(self.events).receipt(&receipt);
        self.archive.feed_index()
    }
}

impl SourceVisitor for Feeder<'_, '_> {
    fn item(&mut self, mut item: Item<'_>) -> ControlFlow<()> {
        if self.failure.is_set() || self.options.progress.is_cancelled() {
            return ControlFlow::Break(());
        }
        self.report.read += 1;
        let place = self.places.of(&mut item);
        match item.body {
            Body::Whole(raw) => {
                self.report.bytes_in += raw.len() as u64;
                self.whole(raw, place);
            }
            Body::Stream { head, rest } => {
                let mut counted = Counted { inner: rest, bytes: head.len() as u64 };
                if let Err(error) = self.large(&head, &mut counted, place) {
                    self.failure.set(error);
                }
                self.report.bytes_in += counted.bytes;
            }
        }
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        if self.options.progress.is_cancelled() {
            // The source was broken off.
            return;
        }
        if trouble.kind.is_loss() && !matches!(trouble.kind, source::TroubleKind::Unsupported(_)) {
            self.report.read += 1;
            self.report.failed += 1;
        }
        locked(self.events).trouble(&trouble);
    }

    fn lost(&mut self, bytes: &[u8]) {
        locked(self.events).lost(bytes);
    }

    fn progress(&mut self, bytes: u64) {
        // An end is seen at the next mail.
        let _ended = self.options.progress.step(reading(bytes, self.total));
    }
}

struct Counted<'r> {
    inner: &'r mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.bytes += len as u64;
        Ok(len)
    }
}
