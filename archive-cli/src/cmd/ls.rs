//! `ls`.

use std::cmp::Reverse;
use std::collections::HashSet;

use archive_core::{Error, FolderInfo, FolderPath, MessageInfo, Session};
use serde_json::json as object;

use super::rows::{MessageTable, folder_row, message_row};
use crate::args::{Ls, SortKey};
use crate::failure::{Exit, Failure};
use crate::out::{Out, counted, escape, json, when};

/// Mails of a folder on a terminal by default.
const ON_TERMINAL: usize = 20;

pub fn run(session: &Session, args: &Ls, out: &mut Out) -> Result<Exit, Failure> {
    if args.deleted {
        return super::delete::list(session, args, out);
    }
    match (args.messages, out.is_json()) {
        (true, _) => messages(session, args, out),
        (false, true) => folders(session, args, out),
        (false, false) => listing(session, args, out),
    }
}

/// The requested folder and all below it, or all folders.
fn all_folders(session: &Session, args: &Ls) -> Result<Vec<FolderInfo>, Failure> {
    let mut folders = session.folders()?;
    if let Some(wanted) = &args.folder {
        folders.retain(|folder| folder.path.is_within(wanted));
        if folders.is_empty() {
            return Err(Error::NoSuchFolder(wanted.to_string()).into());
        }
    }
    Ok(folders)
}

/// For machines: each folder, with its own mails and the totals of all below it.
fn folders(session: &Session, args: &Ls, out: &mut Out) -> Result<Exit, Failure> {
    let mut folders = all_folders(session, args)?;
    match args.sort {
        None | Some(SortKey::Name) => {}
        Some(SortKey::Messages) => folders.sort_by_key(|folder| Reverse(folder.messages)),
        Some(SortKey::Size) => folders.sort_by_key(|folder| Reverse(folder.bytes)),
        Some(_) => return Err(Failure::Usage("folders are sorted by name, messages or size".to_owned())),
    }
    let (mut count, mut bytes) = (0, 0);
    for folder in &folders {
        count += folder.messages;
        bytes += folder.bytes;
        out.json(&json::line("folder", folder))?;
    }
    out.json(&object!({ "event": "summary", "folders": folders.len(), "messages": count, "bytes": bytes }))?;
    Ok(Exit::Done)
}

/// For people: what is directly in a folder, folders first. Without a folder, the user archives.
fn listing(session: &Session, args: &Ls, out: &mut Out) -> Result<Exit, Failure> {
    let mut folders = match args.recursive {
        true => all_folders(session, args)?,
        false => session.folders_in(args.folder.as_ref())?,
    };
    match args.sort {
        Some(SortKey::Messages) => folders.sort_by_key(|folder| Reverse(folder.total_messages)),
        Some(SortKey::Size) => folders.sort_by_key(|folder| Reverse(folder.total_bytes)),
        Some(SortKey::Date | SortKey::Archived | SortKey::From | SortKey::Subject) if args.folder.is_none() || args.recursive => {
            return Err(Failure::Usage("folders are sorted by name, messages or size".to_owned()));
        }
        _ => {}
    }
    for folder in &folders {
        folder_row(folder, out)?;
    }
    let here = match &args.folder {
        Some(wanted) => the_folder(session, wanted)?,
        None => session.folders_in(None)?,
    };
    let Some(wanted) = args.folder.as_ref().filter(|_| !args.recursive) else {
        out.note(&Sums::of(&here).to_string())?;
        return Ok(Exit::Done);
    };
    let mails = here.iter().map(|folder| folder.messages).sum::<u64>();
    if !folders.is_empty() && mails > 0 && out.is_terminal() {
        out.line("")?;
    }
    let shown = mails_of(session, std::slice::from_ref(wanted), args, out)?;
    let of = escape::line(&wanted.to_string());
    out.note(&format!("{of}: {}", Sums::of(&here)))?;
    if shown < mails {
        out.note(&format!("{shown} of {} directly in this folder shown; --limit {mails} shows all", counted(mails, "mail")))?;
    }
    Ok(Exit::Done)
}

/// The folder of this path; several if names differ only in their Unicode form.
fn the_folder(session: &Session, wanted: &FolderPath) -> Result<Vec<FolderInfo>, Failure> {
    let above = wanted.names().split_last().and_then(|(_, above)| FolderPath::from_names(above.to_vec()).ok());
    let mut folders = session.folders_in(above.as_ref())?;
    folders.retain(|folder| folder.path.normal() == wanted.normal());
    Ok(folders)
}

/// The totals of folders with everything below them.
#[derive(Default)]
struct Sums {
    folders: u64,
    messages: u64,
    bytes: u64,
}

impl Sums {
    /// The totals of folders, none of which is inside another.
    fn of(folders: &[FolderInfo]) -> Self {
        folders.iter().fold(Self::default(), |sums, folder| Self {
            folders: sums.folders + folder.folders_below + 1,
            messages: sums.messages + folder.total_messages,
            bytes: sums.bytes + folder.total_bytes,
        })
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} in {}", counted(self.messages, "mail"), when::size(self.bytes), counted(self.folders, "folder"))
    }
}

/// The mails of the folder and of all below it.
fn messages(session: &Session, args: &Ls, out: &mut Out) -> Result<Exit, Failure> {
    let mut paths: Vec<FolderPath> = all_folders(session, args)?.into_iter().map(|folder| folder.path).collect();
    // Folders whose names differ only in their Unicode form are listed as one.
    let mut listed = HashSet::new();
    paths.retain(|path| listed.insert(path.normal()));
    let count = mails_of(session, &paths, args, out)?;
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "messages": count }))?,
        false => out.note(&counted(count, "mail"))?,
    }
    Ok(Exit::Done)
}

/// Prints the mails of these folders, folder by folder, or all of them in one order. Returns how many.
fn mails_of(session: &Session, folders: &[FolderPath], args: &Ls, out: &mut Out) -> Result<u64, Failure> {
    let on_terminal = if args.messages || !out.is_terminal() { usize::MAX } else { ON_TERMINAL };
    let most = args.limit.unwrap_or(on_terminal);
    let table = MessageTable { with_size: args.sort == Some(SortKey::Size) };
    let print = |info: &MessageInfo, out: &mut Out| match out.is_json() {
        true => out.json(&json::line("message", info)),
        false => message_row(&table, info, out),
    };
    let sort: fn(&mut [MessageInfo]) = match args.sort {
        Some(SortKey::Size) => |all| all.sort_by_key(|info| Reverse((info.size, info.id))),
        Some(SortKey::Date) => |all| all.sort_by_key(|info| Reverse((info.date, info.id))),
        Some(SortKey::Archived) => |all| all.sort_by_key(|info| Reverse((info.archived, info.id))),
        Some(SortKey::From) => |all| all.sort_by_cached_key(from),
        Some(SortKey::Subject) => |all| all.sort_by_cached_key(|info| info.subject.to_lowercase()),
        Some(SortKey::Name | SortKey::Messages) if args.messages => {
            return Err(Failure::Usage("mails are sorted by date, archived, from, subject or size".to_owned()));
        }
        // In their own order: folder by folder, the newest first.
        None | Some(SortKey::Name | SortKey::Messages) => {
            let mut count = 0;
            for folder in folders {
                each(session, folder, most - count, |info| {
                    count += 1;
                    print(&info, out)
                })?;
            }
            return Ok(count as u64);
        }
    };
    let mut all = Vec::new();
    for folder in folders {
        each(session, folder, usize::MAX, |info| {
            all.push(info);
            Ok(())
        })?;
    }
    sort(&mut all);
    all.truncate(most);
    all.iter().try_for_each(|info| print(info, out))?;
    Ok(all.len() as u64)
}

fn from(info: &MessageInfo) -> Option<(String, String)> {
    info.from.first().map(|one| (one.name.to_lowercase(), one.address.clone()))
}

/// The first `most` mails of a folder, newest first.
fn each(
    session: &Session,
    folder: &FolderPath,
    most: usize,
    mut take: impl FnMut(MessageInfo) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for info in session.messages_in(folder).take(most) {
        take(info?)?;
    }
    Ok(())
}
