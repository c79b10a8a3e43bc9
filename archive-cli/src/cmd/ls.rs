//! `ls`.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::ControlFlow;

use archive_core::{Acting, Error, FolderInfo, FolderPath, MessageInfo};
use serde_json::json as object;

use super::search::{message_row, message_table};
use crate::args::{Ls, SortKey};
use crate::failure::{Exit, Failure};
use crate::out::table::Table;
use crate::out::{Out, json, when};

pub fn run(acting: &Acting<'_>, args: Ls, out: &mut Out) -> Result<Exit, Failure> {
    let mut folders = acting.folders();
    if let Some(wanted) = &args.folder {
        folders.retain(|folder| folder.path.is_within(wanted));
        if folders.is_empty() {
            return Err(Error::NoSuchFolder(wanted.to_string()).into());
        }
    }
    if args.messages {
        return messages(acting, folders, args.sort.unwrap_or(SortKey::Date), args.sort.is_none(), out);
    }
    match args.sort {
        None | Some(SortKey::Name) => {}
        Some(SortKey::Messages) => folders.sort_by_key(|folder| Reverse(folder.messages)),
        Some(SortKey::Size) => folders.sort_by_key(|folder| Reverse(folder.bytes)),
        Some(_) => return Err(Failure::Usage("folders are sorted by name, messages or size".to_owned())),
    }
    let table = Table::new([-8, -10, 0]);
    let (mut count, mut bytes) = (0, 0);
    for folder in &folders {
        count += folder.messages;
        bytes += folder.bytes;
        match out.is_json() {
            true => out.json(&json::folder(folder))?,
            false => table.row(out, [&folder.messages.to_string(), &when::size(folder.bytes), &folder.path.to_string()])?,
        }
    }
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "folders": folders.len(), "messages": count, "bytes": bytes }))?,
        false => out.note(&format!("{count} mails, {} in {} folders", when::size(bytes), folders.len()))?,
    }
    Ok(Exit::Done)
}

fn messages(acting: &Acting<'_>, mut folders: Vec<FolderInfo>, sort: SortKey, is_listed_by_folder: bool, out: &mut Out) -> Result<Exit, Failure> {
    let table = message_table();
    // Folders whose names differ in their Unicode form alone are listed as one.
    let mut listed = HashSet::new();
    folders.retain(|folder| listed.insert(folder.path.normal()));
    let mut count = 0;
    let mut print = |info: &MessageInfo, out: &mut Out| {
        count += 1;
        match out.is_json() {
            true => out.json(&json::message("message", info)),
            false => message_row(&table, info, out),
        }
    };
    if is_listed_by_folder {
        for folder in &folders {
            each(acting, &folder.path, |info| print(&info, out))?;
        }
    } else {
        let mut all = Vec::new();
        for folder in &folders {
            each(acting, &folder.path, |info| {
                all.push(info);
                Ok(())
            })?;
        }
        let from = |info: &MessageInfo| info.from.first().map(|one| (one.name.to_lowercase(), one.address.clone()));
        match sort {
            SortKey::Date => all.sort_by_key(|info| Reverse((info.date, info.id))),
            SortKey::Archived => all.sort_by_key(|info| Reverse((info.archived, info.id))),
            SortKey::Size => all.sort_by_key(|info| Reverse((info.size, info.id))),
            SortKey::From => all.sort_by_cached_key(from),
            SortKey::Subject => all.sort_by_cached_key(|info| info.subject.to_lowercase()),
            SortKey::Name | SortKey::Messages => {
                return Err(Failure::Usage("mails are sorted by date, archived, from, subject or size".to_owned()));
            }
        }
        for info in &all {
            print(info, out)?;
        }
    }
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "messages": count }))?,
        false => out.note(&format!("{count} mails"))?,
    }
    Ok(Exit::Done)
}

fn each(acting: &Acting<'_>, folder: &FolderPath, mut take: impl FnMut(MessageInfo) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut failure = None;
    acting.messages_in(folder, &mut |info| match take(info) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) => {
            failure = Some(error);
            Ok(ControlFlow::Break(()))
        }
    })?;
    failure.map_or(Ok(()), Err)
}
