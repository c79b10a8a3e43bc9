//! `folder`.

use archive_core::{FolderOptions, FolderPath, Session};
use serde_json::json;

use crate::args::Folder;
use crate::failure::{Exit, Failure};
use crate::out::{Out, escape};

pub fn run(session: &Session, command: &Folder, out: &mut Out) -> Result<Exit, Failure> {
    let dry_run = command.is_dry_run();
    let options = FolderOptions { dry_run };
    let report = match command {
        Folder::New { folder, .. } => session.make_folder(folder, options),
        Folder::Rename { folder, name, .. } => session.rename_folder(folder, name, options),
        Folder::Move { from, to, .. } => session.move_folder(from, to, options),
        Folder::Remove { folder, .. } => session.remove_folder(folder, options),
        Folder::Prune { folder, .. } => session.prune_folders(folder.as_ref(), options),
    }?;
    if out.is_json() {
        report.made.iter().try_for_each(|folder| out.json(&json!({ "event": "made", "folder": folder })))?;
        report.moved.iter().try_for_each(|moved| out.json(&json!({ "event": "moved", "from": moved.from, "to": moved.to })))?;
        report.removed.iter().try_for_each(|folder| out.json(&json!({ "event": "removed", "folder": folder })))?;
        out.json(&json!({
            "event": "summary",
            "made": report.made.len(),
            "moved": report.moved.iter().len(),
            "removed": report.removed.len(),
            "dry_run": dry_run,
        }))?;
        return Ok(Exit::Done);
    }
    let shown = |folder: &FolderPath| escape::line(&folder.to_string());
    report.made.iter().try_for_each(|folder| out.line(&format!("new: {}", shown(folder))))?;
    report.moved.iter().try_for_each(|moved| out.line(&format!("moved: {} is now {}", shown(&moved.from), shown(&moved.to))))?;
    report.removed.iter().try_for_each(|folder| out.line(&format!("removed: {}", shown(folder))))?;
    if matches!(command, Folder::Prune { .. }) && report.removed.is_empty() {
        out.note("no folder is empty")?;
    } else if dry_run {
        out.note("nothing was changed; without --dry-run, this is done")?;
    }
    Ok(Exit::Done)
}
