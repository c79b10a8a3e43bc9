//! `compact`.

use archive_core::{Archive, CompactOptions, CompactReport, Error};

use super::system;
use crate::args::Compact;
use crate::failure::{Exit, Failure};
use crate::out::{Out, counted, escape, json, when};
use crate::stop;

pub fn run(archive: &Archive, args: &Compact, out: &mut Out) -> Result<Exit, Failure> {
    let options = CompactOptions { dry_run: args.dry_run, store: args.store };
    let meter = out.meter(None);
    let done = system(archive).compact(options, &meter.follow(&stop::at_safe_points()));
    meter.end();
    if matches!(done, Err(Error::Stopped)) {
        out.note("nothing that was being erased comes back; the next `mailkeep compact` goes on with it")?;
    }
    let report = done?;
    if out.is_json() {
        let mut summary = json::line("summary", &report);
        summary["dry_run"] = args.dry_run.into();
        out.json(&summary)?;
    } else if args.dry_run {
        plan(&report, out)?;
    } else {
        say(&report, out)?;
    }
    Ok(if report.is_done() { Exit::Done } else { Exit::Wrong })
}

fn plan(report: &CompactReport, out: &mut Out) -> Result<(), Failure> {
    let CompactReport { erased, containers, lost_found, bytes_before, .. } = report;
    needed(report, out)?;
    if erased.messages == 0 && erased.mails == 0 && !report.resumed {
        return out.line("nothing to erase");
    }
    if report.resumed {
        out.line("an earlier compaction is not finished; this goes on with it")?;
    }
    let (messages, contents) = (counted(erased.messages, "deleted mail"), counted(erased.mails, "content"));
    out.line(&format!("to be erased: {messages}, with {contents}, {}, that no other mail has", when::size(erased.bytes)))?;
    out.line(&format!(
        "to be rewritten: {}, {}; records, catalog and index",
        counted(*containers, "container"),
        when::size(*bytes_before)
    ))?;
    if *lost_found > 0 {
        out.line(&format!("to be removed from lost+found: {}", counted(*lost_found, "file")))?;
    }
    out.line("nothing was changed; without --dry-run, this is done, and cannot be undone")
}

fn say(report: &CompactReport, out: &mut Out) -> Result<(), Failure> {
    let CompactReport { erased, bytes_before, bytes_after, .. } = report;
    needed(report, out)?;
    if erased.messages == 0 && erased.mails == 0 && !report.resumed {
        return out.line("nothing to erase");
    }
    if report.resumed {
        out.line("went on with an earlier compaction that was not finished")?;
    }
    let (messages, contents) = (counted(erased.messages, "deleted mail"), counted(erased.mails, "content"));
    out.line(&format!("erased: {messages}, with {contents}, {}, that no other mail had", when::size(erased.bytes)))?;
    let (containers, records) = (counted(report.containers, "container"), counted(report.records, "file"));
    out.line(&format!("rewritten: {containers}, {records} of records, catalog and index"))?;
    if report.lost_found > 0 {
        out.line(&format!("removed from lost+found: {}", counted(report.lost_found, "file")))?;
    }
    let freed = when::size(bytes_before.saturating_sub(*bytes_after));
    out.line(&format!("on disk: {} before, {} now, {freed} freed", when::size(*bytes_before), when::size(*bytes_after)))?;
    for left in &report.left {
        out.line(&escape::line(&format!("not rewritten: {} {}", left.path.display(), left.why)))?;
    }
    if !report.is_done() {
        out.warn("warning: something that was erased may still be in what was not rewritten; after the remedies above, run `mailkeep compact` again")?;
    }
    Ok(())
}

/// Deleted mails that are not erased.
fn needed(report: &CompactReport, out: &mut Out) -> Result<(), Failure> {
    match report.erased.needed {
        0 => Ok(()),
        needed => out.warn(&format!(
            "notice: {} not erased, since damaged mails are read from their bytes",
            match needed {
                1 => "1 deleted mail is".to_owned(),
                many => format!("{many} deleted mails are"),
            }
        )),
    }
}
