//! `lost`: what an open cut after the last durable commit.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use archive_core::{Archive, LostMail, Receipt};
use serde_json::{Value, json};

use super::system;
use crate::args::Lost;
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::out::table::Column::{Right, Tail};
use crate::out::table::Table;
use crate::out::{Out, counted, escape, json as lines, when};
use crate::place;

pub fn run(archive: &Archive, args: &Lost, out: &mut Out) -> Result<Exit, Failure> {
    match &args.export {
        Some(dir) => export(archive, dir, out),
        None if args.import => import(archive, out),
        None => list(archive, out),
    }
}

fn list(archive: &Archive, out: &mut Out) -> Result<Exit, Failure> {
    let files = system(archive).lost_files()?;
    let (mut bytes, mut mails) = (0, 0);
    let table = Table([Right(10), Right(8), Tail(1)]);
    for file in &files {
        (bytes, mails) = (bytes + file.bytes, mails + file.found.mails);
        let path = file.path.display().to_string();
        if out.is_json() {
            out.json(&lines::line("lost", file))?;
            continue;
        }
        table.row(out, [&when::size(file.bytes), &file.found.mails.to_string(), &path])?;
    }
    match out.is_json() {
        true => out.json(&json!({ "event": "summary", "files": files.len(), "bytes": bytes, "mails": mails }))?,
        false => out.note(&format!("{}, {}, {mails} readable mails", counted(files.len() as u64, "file"), when::size(bytes)))?,
    }
    Ok(Exit::Done)
}

fn export(archive: &Archive, dir: &Path, out: &mut Out) -> Result<Exit, Failure> {
    place::outside(dir, archive)?;
    place::make_private_dir(dir)?;
    let (mut bytes, mut count, mut failure) = (0, 0, None);
    let found = system(archive).lost_mails(&mut |mail| {
        bytes += mail.bytes.len() as u64;
        match write(dir, &mut count, &mail).and_then(|path| report_mail(&path, &mail, out)) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) => {
                failure = Some(error);
                Ok(ControlFlow::Break(()))
            }
        }
    })?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    place::sync_dir(&dir.join("000001.eml"))?;
    if out.is_json() {
        out.json(&json!({
            "event": "summary",
            "exported": found.mails,
            "too_large": found.too_large,
            "incomplete": found.incomplete,
            "bytes": bytes,
        }))?;
    } else {
        let left_out = |count: u64, what: &str| if count > 0 { format!("; {count} {what}") } else { String::new() };
        let (too_large, incomplete) =
            (left_out(found.too_large, "above 16 MiB are left out"), left_out(found.incomplete, "are incomplete and left out"));
        out.note(&format!("{} exported, {}{too_large}{incomplete}", found.mails, when::size(bytes)))?;
    }
    Ok(if found.too_large > 0 { Exit::Wrong } else { Exit::Done })
}

/// Writes a mail under the next free number.
fn write(dir: &Path, count: &mut u64, mail: &LostMail) -> Result<PathBuf, Failure> {
    let path = loop {
        *count += 1;
        let path = dir.join(format!("{count:06}.eml"));
        if fs::symlink_metadata(&path).is_err() {
            break path;
        }
    };
    let mut file = place::new_private(&path)?;
    file.write_all(&mail.bytes).and_then(|()| file.sync_all()).map_err(Failure::file("write", &path))?;
    Ok(path)
}

fn report_mail(path: &Path, mail: &LostMail, out: &mut Out) -> Result<(), Failure> {
    let file = path.display().to_string();
    let folder = mail.folder.as_ref().map(ToString::to_string);
    if out.is_json() {
        out.json(&json!({
            "event": "exported",
            "file": file,
            "folder": folder,
            "digest": mail.digest.to_string(),
            "size": mail.bytes.len(),
            "archived": mail.archived.map(|id| id.to_string()),
        }))?;
        return Ok(());
    }
    let there = mail.archived.map_or_else(|| "not in the archive".to_owned(), |id| format!("same bytes as {id}"));
    out.line(&format!("{}\t{}\t{there}", escape::line(&file), escape::line(&folder.unwrap_or_default())))?;
    Ok(())
}

fn import(archive: &Archive, out: &mut Out) -> Result<Exit, Failure> {
    let is_json = out.is_json();
    let mut receipts: Vec<Value> = Vec::new();
    let report = system(archive).import_lost(&mut |receipt: &Receipt| {
        if is_json {
            receipts.push(lines::receipt(receipt, receipt.source()));
        }
    });
    // What has a receipt stays, whatever became of the rest.
    receipts.iter().try_for_each(|receipt| out.json(receipt))?;
    let report = report?;
    if is_json {
        out.json(&json!({
            "event": "summary",
            "read": report.read,
            "stored": report.stored,
            "duplicate": report.duplicate,
            "restated": report.restated,
            "failed": report.failed,
            "bytes_in": report.bytes_in,
        }))?;
    } else {
        keys::remind_unconfirmed(archive, out)?;
        let (read, stored, duplicate, failed) = (report.read, report.stored, report.duplicate, report.failed);
        out.note(&format!("read {read} = stored {stored} + duplicate {duplicate} + failed {failed}"))?;
    }
    Ok(if report.failed > 0 { Exit::Wrong } else { Exit::Done })
}
