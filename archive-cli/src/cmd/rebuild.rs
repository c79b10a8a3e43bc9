//! `rebuild`.

use archive_core::{Error, Session};
use serde_json::json as object;

use crate::args::Rebuild;
use crate::failure::{Exit, Failure};
use crate::out::table::Column::{Left, Right, Share};
use crate::out::table::Table;
use crate::out::{Out, json, when};
use crate::stop;

pub fn run(session: &Session, command: &Rebuild, out: &mut Out) -> Result<Exit, Failure> {
    let Rebuild::Index { if_needed, dry_run } = command;
    if *dry_run {
        return list(session, out);
    }
    if !if_needed {
        session.select_all_store_indexes_for_rebuild()?;
    }
    let meter = out.meter(None);
    let built = session.rebuild_selected_store_indexes(&meter.follow(&stop::at_safe_points()));
    meter.end();
    let (built, stopped) = match built {
        Err(Error::Stopped) => (0, true),
        built => (built?, false),
    };
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "rebuilt": built, "stopped": stopped }))?,
        false => out.note(&format!("{built} indexes rebuilt{}", if stopped { "; stopped, and the old one is kept" } else { "" }))?,
    }
    Ok(if stopped { Exit::Stopped } else { Exit::Done })
}

fn list(session: &Session, out: &mut Out) -> Result<Exit, Failure> {
    let table = Table([Right(5), Left(12), Right(8), Right(10), Share(1)]);
    for index in session.store_indexes(None)? {
        match out.is_json() {
            true => out.json(&json::line("index", &index))?,
            false => {
                let (messages, size) = (index.messages.to_string(), when::size(index.size));
                table.row(out, [&index.store.to_string(), index.status.name(), &messages, &size, &index.folder])?;
            }
        }
    }
    Ok(Exit::Done)
}
