//! `repair`.

use archive_core::{Archive, RepairOptions};
use serde_json::json;

use super::system;
use crate::args::Repair;
use crate::failure::{Exit, Failure};
use crate::out::{Out, escape};

pub fn run(archive: &Archive, args: &Repair, out: &mut Out) -> Result<Exit, Failure> {
    let options = RepairOptions { accept_state: args.accept_state, dry_run: args.dry_run };
    let report = system(archive).repair(options)?;
    if out.is_json() {
        out.json(&json!({
            "event": "summary",
            "reason": report.reason,
            "needs_acceptance": report.needs_acceptance,
            "lost_commits": report.lost_commits,
            "recorded_again": report.recorded_again,
            "lost_messages": report.lost_messages,
            "new_tree": report.new_tree,
            "left_out": report.left_out,
            "dry_run": args.dry_run,
        }))?;
        return Ok(Exit::Done);
    }
    let Some(reason) = &report.reason else {
        out.line("nothing to repair")?;
        return Ok(Exit::Done);
    };
    out.line(&format!("to be repaired: {}", escape::line(reason)))?;
    if !report.lost_commits.is_empty() {
        let ranges = report.lost_commits.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from} to {to}") });
        out.line(&format!("lost commits: {}", ranges.collect::<Vec<_>>().join(", ")))?;
        out.line(&format!("mails of lost commits that are recorded again: {}", report.recorded_again))?;
    }
    if report.lost_messages > 0 {
        out.line(&format!("mails of which nothing is left: {}; import their sources again", report.lost_messages))?;
    }
    if report.new_tree {
        out.line("proofs: the Merkle tree cannot be continued; a new one begins with the last head known")?;
    }
    if report.left_out {
        out.line("ids of new mails begin at a higher number, since the highest one that was given is not known")?;
    }
    out.line(match args.dry_run {
        true if report.needs_acceptance => "nothing was changed; with --accept-state, this is done",
        true => "nothing was changed; without --dry-run, this is done",
        false => "done; `repair` once more says whether anything is left to do",
    })?;
    Ok(Exit::Done)
}
