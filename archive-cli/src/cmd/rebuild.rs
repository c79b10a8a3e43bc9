//! `rebuild`.

use std::sync::atomic::Ordering;

use archive_core::{Acting, IndexStatus, StoreIndex};
use serde_json::json as object;

use crate::args::Rebuild;
use crate::failure::{Exit, Failure};
use crate::out::table::Column::{Left, Right, Share};
use crate::out::table::Table;
use crate::out::{Out, when};
use crate::stop;

pub fn run(acting: &Acting<'_>, command: &Rebuild, out: &mut Out) -> Result<Exit, Failure> {
    let Rebuild::Index { if_needed, dry_run } = command;
    if *dry_run {
        return list(acting, out);
    }
    let stop = stop::at_safe_points();
    if !if_needed {
        acting.select_all_store_indexes_for_rebuild()?;
    }
    let mut progress = out.progress(None);
    let built = acting.rebuild_selected_store_indexes(&mut |done, _| {
        progress.set(u64::from(done));
        !stop.load(Ordering::Relaxed)
    })?;
    progress.end();
    let stopped = stop.load(Ordering::Relaxed);
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "rebuilt": built, "stopped": stopped }))?,
        false => out.note(&format!("{built} indexes rebuilt{}", if stopped { "; stopped, and the old one is kept" } else { "" }))?,
    }
    Ok(if stopped { Exit::Stopped } else { Exit::Done })
}

fn list(acting: &Acting<'_>, out: &mut Out) -> Result<Exit, Failure> {
    let table = Table([Right(5), Left(12), Right(8), Right(10), Share(1)]);
    for index in acting.store_indexes(None)? {
        let status = status(&index);
        match out.is_json() {
            true => out.json(&object!({
                "event": "index",
                "store": index.store,
                "folder": index.folder,
                "messages": index.messages,
                "size": index.size,
                "status": status,
                "selected_for_rebuild": index.selected_for_rebuild,
            }))?,
            false => {
                let (messages, size) = (index.messages.to_string(), when::size(index.size));
                table.row(out, [&index.store.to_string(), status, &messages, &size, &index.folder])?;
            }
        }
    }
    Ok(Exit::Done)
}

fn status(index: &StoreIndex) -> &'static str {
    match index.status {
        IndexStatus::Ok => "ok",
        IndexStatus::Rebuilding { .. } => "rebuilding",
        _ => "needsRebuild",
    }
}
