//! `check`: may the source be deleted?

use archive_core::Archive;
use archive_core::source::SourceOptions;
use serde_json::json;

use super::import::{Events, sources, total};
use super::system;
use crate::args::Check;
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::out::{Out, escape};

pub fn run(archive: &Archive, args: Check, out: &mut Out) -> Result<Exit, Failure> {
    let sources = sources(archive, &args.sources)?;
    let options = SourceOptions { format: args.format.map(Into::into), with_deleted: args.with_deleted };
    let mut events = Events::new(total(&sources), out);
    let (mut read, mut present, mut missing, mut failed) = (0, 0, 0, 0);
    for one in &sources {
        one.name().clone_into(&mut events.source);
        let report = one.read(|source| system(archive).check(source, &options, &mut events))?;
        events.source_ended();
        for (path, offset) in &report.missing {
            let source = if path.is_empty() { one.name() } else { format!("{}/{path}", one.name()) };
            match out.is_json() {
                true => out.json(&json!({ "event": "missing", "source": source, "offset": offset }))?,
                false => out.line(&format!("{}\t{offset}", escape::line(&source)))?,
            }
        }
        read += report.read;
        present += report.present;
        missing += report.missing.len();
        failed += report.failed;
    }
    events.progress.end();
    let is_all_there = missing == 0 && failed == 0;
    if out.is_json() {
        let recovery_key = keys::recovery_state(archive);
        let event = "summary";
        out.json(&json!({ "event": event, "read": read, "present": present, "missing": missing, "failed": failed, "recovery_key": recovery_key }))?;
    } else {
        keys::warn_unconfirmed(archive, out)?;
        let verdict = if is_all_there { "all are in the archive" } else { "the source holds mail that the archive does not" };
        out.note(&format!("read {read} = present {present} + missing {missing}; {failed} could not be read: {verdict}"))?;
    }
    Ok(if is_all_there { Exit::Done } else { Exit::Wrong })
}
