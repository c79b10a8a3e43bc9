//! `check`: may the source be deleted?

use archive_core::source::{SourceOptions, Trouble};
use archive_core::{Archive, Error, ImportEvents, ImportOptions, Progress};
use serde_json::json;

use super::import::{Events, INCOMPLETE, none_readable, sources, total};
use super::system;
use crate::args::Check;
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::out::{Out, counted, escape};

/// What is reported while a source is read, and a line for each mail that is missing.
struct Checking<'a> {
    events: &'a mut Events,
    source: String,
    out: &'a mut Out,
    /// Why lines cannot be printed.
    failure: Option<Failure>,
}

impl ImportEvents for Checking<'_> {
    fn trouble(&mut self, trouble: &Trouble) {
        self.events.trouble(trouble);
    }

    fn missing(&mut self, path: &str, offset: u64) {
        let source = if path.is_empty() { self.source.clone() } else { format!("{}/{path}", self.source) };
        let out = &mut *self.out;
        let printed = self.events.meter.beside(|| match out.is_json() {
            true => out.json(&json!({ "event": "missing", "source": source, "offset": offset })),
            false => out.line(&format!("{}\t{offset}", escape::line(&source))),
        });
        if let Err(failure) = printed {
            self.failure.get_or_insert(failure);
        }
    }
}

pub fn run(archive: &Archive, args: Check, out: &mut Out) -> Result<Exit, Failure> {
    let sources = sources(archive, &args.sources)?;
    let mut events = Events::new(total(&sources), &Progress::new(), out);
    let source = SourceOptions { format: args.format.map(Into::into), with_deleted: args.with_deleted };
    let options = ImportOptions { source, progress: events.progress.clone(), ..ImportOptions::default() };
    events.is_lone = sources.len() == 1;
    let (mut read, mut present, mut missing, mut failed) = (0, 0, 0, 0);
    let (mut skipped, mut deleted, mut incomplete, mut unreadable) = (0, 0, 0, Vec::new());
    for one in &sources {
        one.name().clone_into(&mut events.source);
        let mut checking = Checking { events: &mut events, source: one.name(), out, failure: None };
        let report = one.read(&options.progress, |source| system(archive).check(source, &options, &mut checking));
        if let Some(failure) = checking.failure {
            return Err(failure);
        }
        let report = match report {
            Err(error @ Error::Source { .. }) => {
                events.unreadable(&error);
                unreadable.push(error);
                continue;
            }
            report => report?,
        };
        events.source_ended();
        skipped += report.skipped_files;
        deleted += report.deleted;
        incomplete += report.incomplete;
        if report.read == 0 {
            events.without_mail();
        }
        read += report.read;
        present += report.present;
        missing += report.missing;
        failed += report.failed;
    }
    events.meter.end();
    let unreadable_sources = unreadable.len();
    if let Some(error) = none_readable(&sources, unreadable) {
        return Err(error.into());
    }
    let is_known = missing == 0 && failed == 0 && unreadable_sources == 0;
    let is_all_there = is_known && events.without_mail == 0;
    if out.is_json() {
        let recovery_key = keys::recovery_state(archive)?;
        out.json(&json!({
            "event": "summary",
            "read": read,
            "present": present,
            "missing": missing,
            "failed": failed,
            "deleted": deleted,
            "incomplete": incomplete,
            "unreadable_sources": unreadable_sources,
            "sources_without_mail": events.without_mail,
            "skipped_files": skipped,
            "recovery_key": recovery_key,
            "damage_noted": !archive.is_read_only(),
        }))?;
    } else {
        keys::remind_unconfirmed(archive, out)?;
        let verdict = match (is_all_there, is_known) {
            (true, _) => "all are in the archive",
            (_, true) => "a source has no mail that can be read",
            (_, false) if missing == 0 && failed == 0 => "a source cannot be read",
            _ => "the source holds mail that the archive does not",
        };
        if deleted > 0 {
            out.note(&format!("{deleted} marked as deleted, not checked (--with-deleted checks them)"))?;
        }
        if incomplete > 0 {
            out.note(&format!("{incomplete} {INCOMPLETE}"))?;
        }
        if skipped > 0 {
            out.note(&format!("{}, named above: no mail, and not in the archive", counted(skipped, "file")))?;
        }
        let unread = match unreadable_sources {
            0 => String::new(),
            count => format!(", and {}", counted(count as u64, "source")),
        };
        if missing > 0 && archive.is_read_only() {
            out.warn(&format!("warning: {}", super::NOT_NOTED))?;
        }
        out.line(&format!("read {read} = present {present} + missing {missing}; {failed} could not be read{unread}: {verdict}"))?;
    }
    Ok(if is_all_there { Exit::Done } else { Exit::Wrong })
}
