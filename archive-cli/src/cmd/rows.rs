//! Mails and folders as rows of lists.

use std::ops::Range;

use archive_core::Zone;
use archive_core::{FolderInfo, HitSnippet, MessageInfo};

use crate::failure::Failure;
use crate::out::marked::marked;
use crate::out::table::Column::{Left, Right, Share, Tail};
use crate::out::table::{NARROW, Table};
use crate::out::{Out, when};

/// Marks the row of a mail with attachments.
const ATTACHED: &str = "@";

/// A list of mails.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessageTable {
    /// Whether to show their sizes.
    pub with_size: bool,
}

/// A list of mails without their sizes.
pub fn message_table() -> MessageTable {
    MessageTable::default()
}

/// A mail in a list. On a terminal, the columns depend on the width.
pub fn message_row(table: &MessageTable, info: &MessageInfo, out: &mut Out) -> Result<(), Failure> {
    hit_row(table, info, &[], out)
}

/// The same for a hit; `found` are the bytes of its subject that were asked for.
pub fn hit_row(table: &MessageTable, info: &MessageInfo, found: &[Range<usize>], out: &mut Out) -> Result<(), Failure> {
    let from = info.from.first().map(|one| if one.name.is_empty() { one.address.clone() } else { one.name.clone() });
    let from = from.unwrap_or_default();
    let (id, folder, size) = (info.id.to_string(), info.folder.to_string(), when::size(info.size));
    let sign = if info.attachments > 0 { ATTACHED } else { "" };
    let (from, subject) = (from.as_str(), info.subject.as_str());
    let Some(width) = out.width() else {
        let date = shown(info, when::local, out);
        return match table.with_size {
            true => Table([Left(0); 7]).row(out, [&id, &date, from, subject, &folder, sign, &size]),
            false => Table([Left(0); 6]).row(out, [&id, &date, from, subject, &folder, sign]),
        };
    };
    let day = shown(info, when::day, out);
    if width < NARROW {
        return match table.with_size {
            true => Table([Left(6), Left(1), Right(9), Share(1)]).row_with_found(out, [&id, sign, &size, subject], 3, found),
            false => Table([Left(6), Left(10), Left(1), Share(1)]).row_with_found(out, [&id, &day, sign, subject], 3, found),
        };
    }
    let minute = shown(info, when::minute, out);
    match table.with_size {
        true => Table([Left(8), Left(10), Left(1), Right(10), Share(3), Share(5), Tail(3)]).row_with_found(
            out,
            [&id, &day, sign, &size, from, subject, &folder],
            5,
            found,
        ),
        false => Table([Left(8), Left(16), Left(1), Share(3), Share(6), Tail(3)]).row_with_found(
            out,
            [&id, &minute, sign, from, subject, &folder],
            4,
            found,
        ),
    }
}

/// The date of a mail, blank if it has none.
fn shown(info: &MessageInfo, form: fn(i64, &Zone) -> String, out: &Out) -> String {
    info.date.map(|date| form(date, out.zone())).unwrap_or_default()
}

/// The place with the found words, below the row of its mail.
pub fn snippet_row(snippet: &HitSnippet, out: &mut Out) -> Result<(), Failure> {
    let lead = format!("    {}: ", field_name(snippet.field));
    let room = out.width().map(|width| width.saturating_sub(lead.len()));
    let text = marked(&snippet.text, &snippet.ranges, room, out.has_colour());
    out.line(&format!("{lead}{text}"))
}

/// The name of a field for people.
pub fn field_name(field: &str) -> &str {
    match field {
        "bcontent" => "text",
        "acontent" => "text of attachment",
        "attachment" => "name of attachment",
        other => other,
    }
}

/// A folder with everything below it.
pub fn folder_row(info: &FolderInfo, out: &mut Out) -> Result<(), Failure> {
    count_row(info.total_messages, info.total_bytes, &info.path.to_string(), out)
}

/// A row with a number of mails, their bytes, and what they are.
pub fn count_row(messages: u64, bytes: u64, what: &str, out: &mut Out) -> Result<(), Failure> {
    Table([Right(8), Right(10), Tail(1)]).row(out, [&messages.to_string(), &when::size(bytes), what])
}
