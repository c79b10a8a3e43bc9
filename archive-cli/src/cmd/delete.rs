//! `delete`, `undelete`, and the list of what is deleted.

use archive_core::{Archive, DeleteOptions, DeletedMessage, MessageId, Session};
use serde_json::json;

use super::rows::{message_row, message_table};
use super::system;
use crate::args::{Delete, Ls, Undelete};
use crate::failure::{Exit, Failure};
use crate::out::{Out, counted, escape, json as lines, when};

pub fn run(archive: &Archive, args: &Delete, out: &mut Out) -> Result<Exit, Failure> {
    let report = system(archive).delete(&args.ids, &args.reason, DeleteOptions { dry_run: args.dry_run })?;
    if out.is_json() {
        let mut summary = lines::line("summary", &report);
        summary["dry_run"] = args.dry_run.into();
        out.json(&summary)?;
        return Ok(Exit::Done);
    }
    same(&report.already_deleted, "deleted already", out)?;
    let count = counted(report.deleted.len() as u64, "mail");
    out.line(&match args.dry_run {
        true => format!("{count} would be deleted; without --dry-run, this is done"),
        false => format!("{count} deleted; `mailkeep ls --deleted` lists them, `mailkeep undelete` brings them back"),
    })?;
    Ok(Exit::Done)
}

pub fn undo(archive: &Archive, args: &Undelete, out: &mut Out) -> Result<Exit, Failure> {
    let report = system(archive).undelete(&args.ids, &args.reason)?;
    if out.is_json() {
        out.json(&lines::line("summary", &report))?;
        return Ok(Exit::Done);
    }
    same(&report.not_deleted, "not deleted", out)?;
    out.line(&format!("{} brought back", counted(report.undeleted.len() as u64, "mail")))?;
    Ok(Exit::Done)
}

/// Messages about which nothing is changed.
fn same(ids: &[MessageId], what: &str, out: &mut Out) -> Result<(), Failure> {
    match ids.is_empty() {
        true => Ok(()),
        false => out.line(&format!("{what}: {}", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))),
    }
}

/// `ls --deleted`: what is deleted, in the order of ids.
pub fn list(session: &Session, args: &Ls, out: &mut Out) -> Result<Exit, Failure> {
    let is_wanted = |message: &DeletedMessage| args.folder.as_ref().is_none_or(|folder| message.info.folder.is_within(folder));
    let (mut count, most) = (0, args.limit.unwrap_or(usize::MAX) as u64);
    for message in session.deleted() {
        let message = message?;
        if count == most {
            break;
        }
        if !is_wanted(&message) {
            continue;
        }
        count += 1;
        if out.is_json() {
            out.json(&lines::line("deleted", &message))?;
            continue;
        }
        message_row(&message_table(), &message.info, out)?;
        if let Some(deletion) = &message.deletion {
            let time = when::local(deletion.time.div_euclid(1000), out.zone());
            out.line(&format!("    deleted {time} by {}: {}", escape::line(&deletion.actor), escape::line(&deletion.reason)))?;
        }
    }
    match out.is_json() {
        true => out.json(&json!({ "event": "summary", "deleted": count }))?,
        false => out.note(&format!("{} deleted", counted(count, "mail")))?,
    }
    Ok(Exit::Done)
}
