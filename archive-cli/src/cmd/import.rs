//! `import`, and what it shares with `check`: the sources, and what is reported about them.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use archive_core::source::{self, SourceOptions, Trouble, TroubleKind};
use archive_core::{
    Archive, Error, FolderPath, ImportEvents, ImportOptions, ImportReport, ImportSource, Outcome, Progress, Receipt, StoreState, StoreStats,
};
use serde_json::json;

use super::failed::Failed;
use super::rows::count_row;
use super::system;
use crate::args::{CommitRule, Import};
use crate::failure::{Exit, Failure};
use crate::input::Input;
use crate::key as keys;
use crate::out::progress::Meter;
use crate::out::{Out, counted, escape, json, when};
use crate::place;
use crate::stop;

/// Troubles that are listed; further ones are counted.
const LISTED: u64 = 1000;

/// The text for mails that Apple Mail had not fetched completely.
pub const INCOMPLETE: &str = "incomplete in the source, which has only a part of each; read as they are";

/// The beginning of files of receipts.
const RECEIPT_BEGINS: &[u8] = br#"{"digest":""#;

pub fn run(archive: &Archive, args: Import, out: &mut Out) -> Result<Exit, Failure> {
    let sources = sources(archive, &args.sources)?;
    let mut events = Events::new(total(&sources), &stop::at_safe_points(), out);
    let options = ImportOptions {
        into: args.into.clone(),
        duplicates: args.duplicates.into(),
        source: SourceOptions { format: args.format.map(Into::into), with_deleted: args.with_deleted },
        labels: args.labels.into(),
        commit_each: args.commit == CommitRule::Each,
        progress: events.progress.clone(),
    };
    let each = sources.iter().map(|one| options_of(archive, one, &args, &options)).collect::<Result<Vec<_>, _>>()?;
    events.is_lone = sources.len() == 1;
    if args.dry_run {
        return plan(archive, &sources, &each, &mut events, out);
    }
    if let Some(path) = &args.receipts {
        place::outside(path, archive)?;
        refuse_receipts(path, &sources)?;
        events.receipts = Some((fs::File::create(path).map_err(Failure::file("create the file", path))?, path.clone()));
    }
    if let Some(dir) = &args.failed {
        events.failed = Some(Failed::new(dir, archive)?);
    }
    let before = disk(archive)?;
    let mut sums = Sums::default();
    let mut failure = None;
    let mut unreadable = Vec::new();
    for (one, options) in sources.iter().zip(&each) {
        match one.import(archive, options, &mut events) {
            Ok(report) => {
                sums.add(&report);
                if report.read == 0 && report.deleted == 0 && !report.stopped {
                    events.without_mail();
                }
            }
            Err(error @ Error::Source { .. }) => {
                events.unreadable(&error);
                unreadable.push(error);
            }
            Err(error) => {
                // What has a receipt stays, and is reported.
                sums.add(&events.totals);
                failure = Some(error);
                break;
            }
        }
        if sums.of.stopped || events.failure.is_some() {
            break;
        }
    }
    events.meter.end();
    sums.unreadable_sources = unreadable.len() as u64;
    // Where there is nothing but an error, the error says it alone.
    let is_error_alone = sources.len() == 1 && !unreadable.is_empty() && !out.is_json();
    let summary = if is_error_alone { Ok(()) } else { summary(archive, &sums, &events, before, out) };
    if let Some(failure) = events.failure {
        return Err(failure);
    }
    if let Some(error) = failure.or_else(|| none_readable(&sources, unreadable)) {
        return Err(error.into());
    }
    summary?;
    if sums.of.stopped {
        return Err(Error::Stopped.into());
    }
    let is_wrong = sums.of.failed + sums.of.unsupported_files + sums.unreadable_sources + events.without_mail > 0;
    Ok(if is_wrong { Exit::Wrong } else { Exit::Done })
}

/// The error, if no source could be read at all.
pub fn none_readable(sources: &[Source], unreadable: Vec<Error>) -> Option<Error> {
    if unreadable.len() == sources.len() { unreadable.into_iter().next() } else { None }
}

/// Receipts replace only receipts, and never what is to be imported.
fn refuse_receipts(path: &Path, sources: &[Source]) -> Result<(), Failure> {
    let refuse = |why: &str| Err(Failure::Usage(format!("{}: {why}; name another file for receipts", path.display())));
    if path == Path::new("-") {
        return refuse("receipts go into a file");
    }
    let real = Archive::leads_to(path);
    if sources.iter().any(|one| matches!(one, Source::Path(source) if real.starts_with(Archive::leads_to(source)))) {
        return refuse("is a source, or inside one");
    }
    let mut begin = Vec::new();
    // Opening a pipe would block until another process writes to it.
    if fs::metadata(path).is_ok_and(|data| data.is_file()) {
        let file = fs::File::open(path).map_err(Failure::file("open", path))?;
        file.take(RECEIPT_BEGINS.len() as u64).read_to_end(&mut begin).map_err(Failure::file("read", path))?;
    }
    if begin.is_empty() || begin == RECEIPT_BEGINS { Ok(()) } else { refuse("exists, and is not a file of receipts") }
}

/// The totals of the sources of an import.
#[derive(Default)]
struct Sums {
    of: ImportReport,
    /// Sources that could not be read at all.
    unreadable_sources: u64,
}

impl Sums {
    fn add(&mut self, report: &ImportReport) {
        let sums = &mut self.of;
        sums.read += report.read;
        sums.stored += report.stored;
        sums.duplicate += report.duplicate;
        sums.restated += report.restated;
        sums.failed += report.failed;
        sums.deleted += report.deleted;
        sums.incomplete += report.incomplete;
        sums.skipped_files += report.skipped_files;
        sums.unsupported_files += report.unsupported_files;
        sums.bytes_in += report.bytes_in;
        sums.stopped |= report.stopped;
    }
}

/// The options for one source, and whether its folder is allowed; with `--each-into`, the name of the source is in the
/// folder.
fn options_of(archive: &Archive, source: &Source, args: &Import, options: &ImportOptions) -> Result<ImportOptions, Failure> {
    let into = match &args.each_into {
        Some(pattern) => Some(folder_of(source, pattern)?),
        None => options.into.clone(),
    };
    let options = ImportOptions { into, ..options.clone() };
    if options.into.is_some() {
        system(archive).target(&ImportSource::Stream(&mut std::io::empty(), ""), &options)?;
    }
    Ok(options)
}

fn folder_of(source: &Source, pattern: &str) -> Result<FolderPath, Failure> {
    let Source::Path(path) = source else {
        return Err(Failure::Usage("standard input has no name for --each-into; give --into".to_owned()));
    };
    let name = source::folder_name(&fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
    let into = pattern.replace("{name}", &name);
    into.parse().map_err(|error| Failure::Usage(format!("{}: {error}; give --into", path.display())))
}

/// A source as given on the command line.
pub enum Source {
    Path(PathBuf),
    StandardInput,
}

impl Source {
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::StandardInput => "standard input".to_owned(),
        }
    }

    /// Passes the source to one of the library's readers.
    pub fn read<T>(&self, progress: &Progress, take: impl FnOnce(ImportSource<'_>) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Path(path) => take(ImportSource::Path(path)),
            Self::StandardInput => take(ImportSource::Stream(&mut Input::standard(progress)?, "")),
        }
    }

    fn import(&self, archive: &Archive, options: &ImportOptions, events: &mut Events) -> Result<ImportReport, Error> {
        self.name().clone_into(&mut events.source);
        events.totals = ImportReport::default();
        let report = self.read(&options.progress, |source| {
            events.target(archive, &source, options)?;
            system(archive).import(source, options, &mut *events)
        });
        events.source_ended();
        report
    }
}

/// The given sources; none of them may be inside the archive.
pub fn sources(archive: &Archive, named: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for path in named {
        if path == Path::new("-") {
            sources.push(Source::StandardInput);
            continue;
        }
        if archive.holds(path) {
            return Err(Failure::Usage(format!("{}: is the archive {}, or inside it", path.display(), archive.dir().display())));
        }
        sources.push(Source::Path(path.clone()));
    }
    Ok(sources)
}

/// Bytes of all sources, if that can be known.
pub fn total(sources: &[Source]) -> Option<u64> {
    let sizes = sources.iter().map(|one| match one {
        Source::Path(path) => Some(source::size(path)),
        Source::StandardInput => None,
    });
    sizes.sum()
}

/// Reports while sources are read.
pub struct Events {
    pub meter: Meter,
    /// Reports to the meter, and ends the import when receipts cannot be written any more.
    pub progress: Progress,
    pub source: String,
    /// Why they cannot.
    failure: Option<Failure>,
    receipts: Option<(fs::File, PathBuf)>,
    failed: Option<Failed>,
    /// User archives that did not exist before the import.
    new_archives: Vec<String>,
    is_json: bool,
    /// There is one source, whose failure the end of the command names.
    pub is_lone: bool,
    listed: u64,
    /// Sources that gave no mail.
    pub without_mail: u64,
    /// The totals of receipts and troubles of the current source; all that is known if its import ends with an error.
    totals: ImportReport,
}

impl Events {
    pub fn new(total: Option<u64>, progress: &Progress, out: &Out) -> Self {
        let meter = out.meter(total);
        Self {
            progress: meter.follow(progress),
            meter,
            source: String::new(),
            failure: None,
            receipts: None,
            failed: None,
            new_archives: Vec::new(),
            is_json: out.is_json(),
            is_lone: false,
            listed: 0,
            without_mail: 0,
            totals: ImportReport::default(),
        }
    }

    /// Reports the folder of the source, and the user archive that would be created for it.
    fn target(&mut self, archive: &Archive, source: &ImportSource<'_>, options: &ImportOptions) -> Result<(), Error> {
        if matches!(source, ImportSource::Path(path) if !path.exists()) {
            return Ok(());
        }
        let target = system(archive).target(source, options)?;
        let first = target.names().first().cloned().unwrap_or_default();
        // That of the owner was reported when the archive was created.
        let is_known = first == archive.owner() || self.new_archives.contains(&first);
        let is_new = !is_known && !system(archive).folders_in(None)?.iter().any(|known| known.path.names().first() == Some(&first));
        let new = if is_new { format!(", which creates the user archive `{}`", escape::line(&first)) } else { String::new() };
        if is_new {
            self.new_archives.push(first);
        }
        if !self.is_json {
            self.meter.say(&format!("{}: into {}{new}", escape::line(&self.source), escape::line(&target.to_string())));
        }
        Ok(())
    }

    /// Reports a source that could not be read at all. It is not a mail, so no total counts it.
    pub fn unreadable(&mut self, error: &Error) {
        let why = match error {
            Error::Source { why, .. } => why.clone(),
            error => error.to_string(),
        };
        let source = self.source.clone();
        self.put_aside(|failed| failed.reason(&source, 0, &why));
        match self.is_json {
            true => print_trouble(&source, 0, &why, true),
            false if self.is_lone => {}
            false => self.meter.warn(&format!("error: {source}: {why}")),
        }
    }

    /// Reports a source that was read and gave no mail.
    pub fn without_mail(&mut self) {
        self.without_mail += 1;
        let what = "no mail was found in it";
        match self.is_json {
            true => print_trouble(&self.source, 0, what, true),
            false => self.meter.warn(&format!("warning: {}: {what}", self.source)),
        }
    }

    /// Called after each source: the next one continues the counts.
    pub fn source_ended(&mut self) {
        self.meter.next();
    }

    /// A failure to keep a piece ends the import.
    fn put_aside(&mut self, put: impl FnOnce(&mut Failed) -> Result<(), Failure>) {
        if let Some(Err(failure)) = self.failed.as_mut().map(put) {
            self.failure.get_or_insert(failure);
            self.failed = None;
            self.progress.cancel();
        }
    }

    fn path(&self, within: &str) -> String {
        if within.is_empty() { self.source.clone() } else { format!("{}/{within}", self.source.trim_end_matches('/')) }
    }
}

fn print_trouble(source: &str, offset: u64, message: &str, loss: bool) {
    let event = json!({ "event": "trouble", "source": source, "offset": offset, "message": message, "loss": loss });
    let _unread = writeln!(std::io::stdout(), "{}", escape::json(&event.to_string()));
}

impl ImportEvents for Events {
    fn receipt(&mut self, receipt: &Receipt) {
        match receipt.outcome() {
            Outcome::Duplicate { restated } => {
                self.totals.duplicate += 1;
                self.totals.restated += u64::from(restated);
            }
            _ => self.totals.stored += 1,
        }
        self.totals.read += 1;
        let source = self.path(receipt.source());
        if let Some((file, path)) = &mut self.receipts {
            let line = format!("{}\n", json::receipt(receipt, &source));
            if let Err(source) = file.write_all(line.as_bytes()) {
                self.failure.get_or_insert(Failure::File { doing: "write", path: path.clone(), source });
                self.receipts = None;
                self.progress.cancel();
            }
        }
    }

    fn trouble(&mut self, trouble: &Trouble) {
        if trouble.kind == TroubleKind::Partial && !self.is_json {
            // A mailbox may have thousands of these: they are counted.
            return;
        }
        let is_quiet = matches!(trouble.kind, TroubleKind::Skipped | TroubleKind::EmptyFile | TroubleKind::EmptyMail);
        let source = self.path(&trouble.source);
        if trouble.kind.is_loss() {
            if !matches!(trouble.kind, TroubleKind::Unsupported(_)) {
                self.totals.read += 1;
                self.totals.failed += 1;
            }
            self.put_aside(|failed| failed.reason(&source, trouble.offset, &trouble.kind.to_string()));
        }
        self.listed += 1;
        if self.is_json {
            print_trouble(&source, trouble.offset, &trouble.kind.to_string(), trouble.kind.is_loss());
        } else if self.listed <= LISTED {
            let said = format!("{source}, offset {}: {}", trouble.offset, trouble.kind);
            match (trouble.kind.is_loss(), is_quiet) {
                (true, _) => self.meter.warn(&format!("warning: {said}")),
                (false, true) => self.meter.say(&format!("note: {said}")),
                (false, false) => self.meter.say(&format!("warning: {said}")),
            }
        } else if self.listed == LISTED + 1 {
            self.meter.say("more of these are counted but not listed");
        }
    }

    fn lost(&mut self, bytes: &[u8]) {
        self.put_aside(|failed| failed.bytes(bytes));
    }
}

fn disk(archive: &Archive) -> Result<u64, Failure> {
    let stats = system(archive).stats(&Progress::new())?;
    let of = |store: &StoreStats| store.containers + store.records + store.catalog + store.index;
    Ok(stats.other + stats.stores.iter().map(of).sum::<u64>())
}

fn summary(archive: &Archive, sums: &Sums, events: &Events, before: u64, out: &mut Out) -> Result<(), Failure> {
    let Sums { of: sums, unreadable_sources } = sums;
    let seconds = events.meter.seconds();
    let stats = system(archive).stats(&Progress::new())?;
    let current = system(archive).stores(false)?.into_iter().find(|store| store.state == StoreState::Current);
    let of_current = |store: &&StoreStats| current.as_ref().is_some_and(|current| current.no == store.no);
    let head = stats.stores.iter().find(of_current).map(StoreStats::head_text);
    if out.is_json() {
        return out.json(&json!({
            "event": "summary",
            "read": sums.read,
            "stored": sums.stored,
            "duplicate": sums.duplicate,
            "restated": sums.restated,
            "failed": sums.failed,
            "deleted": sums.deleted,
            "incomplete": sums.incomplete,
            "sources_without_mail": events.without_mail,
            "skipped_files": sums.skipped_files,
            "unsupported_files": sums.unsupported_files,
            "bytes_in": sums.bytes_in,
            "seconds": seconds,
            "head": head,
            "recovery_key": keys::recovery_state(archive)?,
            "new_user_archives": events.new_archives,
            "unreadable_sources": unreadable_sources,
            "unreachable_stores": [],
            "stopped": sums.stopped,
        }));
    }
    let grown = disk(archive)?.saturating_sub(before);
    let rate = sums.bytes_in as f64 / 1e6 / seconds.max(1e-3);
    let mut said = vec![format!("{} in, {} more on disk, {rate:.1} MB/s", when::size(sums.bytes_in), when::size(grown))];
    said.extend(head.map(|head| format!("head of the record chain {head}")));
    for (count, what) in [(sums.deleted, "marked as deleted, not imported (--with-deleted imports them)"), (sums.incomplete, INCOMPLETE)] {
        if count > 0 {
            said.push(format!("{count} {what}"));
        }
    }
    for (count, one, what) in [
        (sums.skipped_files, "file", " skipped: no mail"),
        (sums.unsupported_files, "file", " of an unsupported kind, named above"),
        (events.without_mail, "source", " without any mail, named above"),
    ] {
        if count > 0 {
            said.push(format!("{}{what}", counted(count, one)));
        }
    }
    if sums.failed > 0 {
        let aside = events.failed.as_ref().map_or_else(String::new, |failed| format!(" and written to {}", failed.dir().display()));
        said.push(format!("{} failed, named above with file and offset{aside}; everything else is archived", sums.failed));
    }
    if *unreadable_sources > 0 {
        said.push(format!("{} could not be read, named above; nothing of that is archived", counted(*unreadable_sources, "source")));
    }
    if sums.stopped {
        said.push("stopped before the end of the source; what has a receipt stays".to_owned());
    }
    for line in said {
        out.note(&line)?;
    }
    keys::remind_unconfirmed(archive, out)?;
    let restated = match sums.restated {
        0 => String::new(),
        count => format!(" ({count} of the duplicates differ in status headers)"),
    };
    let ImportReport { read, stored, duplicate, failed, .. } = sums;
    out.note(&format!("read {read} = stored {stored} + duplicate {duplicate} + failed {failed}{restated}"))
}

fn plan(archive: &Archive, sources: &[Source], each: &[ImportOptions], events: &mut Events, out: &mut Out) -> Result<Exit, Failure> {
    let mut mails = 0;
    let mut losses = 0;
    let mut unreadable = Vec::new();
    for (one, options) in sources.iter().zip(each) {
        one.name().clone_into(&mut events.source);
        let planned = one.read(&options.progress, |source| {
            events.target(archive, &source, options)?;
            system(archive).plan(source, options, &mut *events)
        });
        let plan = match planned {
            Err(error @ Error::Source { .. }) => {
                events.unreadable(&error);
                losses += 1;
                unreadable.push(error);
                continue;
            }
            plan => plan?,
        };
        if plan.source.mails == 0 && plan.source.deleted == 0 {
            events.without_mail();
        }
        events.source_ended();
        for (folder, count, bytes) in &plan.folders {
            if out.is_json() {
                out.json(&json!({ "event": "folder", "folder": folder.to_string(), "messages": count, "bytes": bytes }))?;
            } else {
                count_row(*count, *bytes, &folder.to_string(), out)?;
            }
        }
        mails += plan.source.mails;
        losses += plan.source.losses + plan.source.unsupported_files;
    }
    events.meter.end();
    if let Some(error) = none_readable(sources, unreadable) {
        return Err(error.into());
    }
    if events.progress.is_cancelled() {
        return Err(Error::Stopped.into());
    }
    match out.is_json() {
        true => {
            out.json(&json!({ "event": "summary", "read": mails, "stored": 0, "new_user_archives": events.new_archives, "dry_run": true }))?
        }
        false => out.note(&format!("{}; nothing was stored", counted(mails, "mail")))?,
    }
    Ok(if losses + events.without_mail > 0 { Exit::Wrong } else { Exit::Done })
}
