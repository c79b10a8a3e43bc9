//! Pages of lists and searches: structs for what every row needs, JSON for the rest.

use std::sync::Arc;

use archive_core::{AddressInfo, DateOrigin, Direction, FolderInfo, MessageInfo, Page, SearchResult};
use serde_json::Value;

use crate::argument::{Sized32, mk_message_id, mk_text, number_of, write_sized};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object};
use crate::status::{MK_END, MK_OK, mk_status};

/// Some of a list or of the hits of a search. Opaque.
pub struct mk_page(());

pub(crate) struct PageObject {
    rows: Rows,
    cursor: Option<String>,
    /// Of a search.
    sums: Sums,
    /// Of a search: what is not in the rows, for its JSON.
    found: Option<Box<SearchResult>>,
}

enum Rows {
    Messages(Vec<Message>),
    Folders(Vec<Folder>),
}

struct Message {
    info: MessageInfo,
    folder: String,
    snippet: String,
}

struct Folder {
    info: FolderInfo,
    path: String,
}

#[derive(Default)]
struct Sums {
    total: u64,
    contents: u64,
    not_indexed: u64,
    undecided: u64,
}

impl Object for PageObject {
    type Handle = mk_page;
    const KIND: Kind = Kind::Page;
}

fn form(of: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(of).map_err(|error| Fault::bug(&error.to_string()))
}

fn messages(infos: Vec<MessageInfo>) -> Rows {
    Rows::Messages(infos.into_iter().map(|info| Message { folder: info.folder.to_string(), info, snippet: String::new() }).collect())
}

/// Whether an answer has more than its hits and its numbers.
fn has_more(found: &SearchResult) -> bool {
    let SearchResult { also, counts, snippets, subject_words, notices, coverage, .. } = found;
    let lists = [also.len(), counts.len(), snippets.len(), subject_words.len(), notices.len(), coverage.unreachable_stores.len()];
    lists.into_iter().any(|len| len > 0) || found.suggestions.is_some()
}

impl PageObject {
    pub(crate) fn of_messages(page: Page<MessageInfo>) -> Result<Self, Fault> {
        Ok(Self { rows: messages(page.items), cursor: page.cursor, sums: Sums::default(), found: None })
    }

    pub(crate) fn of_folders(page: Page<FolderInfo>) -> Result<Self, Fault> {
        let folders = page.items.into_iter().map(|info| Folder { path: info.path.to_string(), info }).collect();
        Ok(Self { rows: Rows::Folders(folders), cursor: page.cursor, sums: Sums::default(), found: None })
    }

    pub(crate) fn of_search(mut found: SearchResult) -> Result<Self, Fault> {
        let sums = Sums {
            total: found.total,
            contents: found.contents,
            not_indexed: found.coverage.not_indexed,
            undecided: found.coverage.undecided,
        };
        let (hits, cursor) = (std::mem::take(&mut found.hits), found.cursor.take());
        let mut rows = messages(hits);
        if let Rows::Messages(rows) = &mut rows {
            for (row, snippet) in rows.iter_mut().zip(&found.snippets) {
                row.snippet = snippet.as_ref().map(|snippet| snippet.text.clone()).unwrap_or_default();
            }
        }
        Ok(Self { rows, cursor, sums, found: Some(Box::new(found)) })
    }

    /// All of it, as JSON.
    fn json(&self) -> Result<Value, Fault> {
        let items = match &self.rows {
            Rows::Messages(rows) => form(&rows.iter().map(|row| &row.info).collect::<Vec<_>>())?,
            Rows::Folders(rows) => form(&rows.iter().map(|row| &row.info).collect::<Vec<_>>())?,
        };
        let mut all = match self.found.as_ref().map(form).transpose()? {
            Some(Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        // The hits of a search are the rows.
        all.remove("hits");
        all.insert("items".to_owned(), items);
        all.insert("cursor".to_owned(), self.cursor.clone().into());
        Ok(Value::Object(all))
    }

    /// Gives it to the caller.
    ///
    /// # Safety
    ///
    /// As for [`out`](crate::argument::out).
    pub(crate) unsafe fn give(self, place: *mut *mut mk_page) -> Result<mk_status, Fault> {
        // SAFETY: the caller's contract.
        let place = unsafe { crate::argument::out(place) }?;
        place.write(handle::put(Arc::new(self), None)?);
        Ok(MK_OK)
    }
}

/// What a page has.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_page_info {
    /// `sizeof(mk_page_info)`.
    pub size: u32,
    /// Rows.
    pub count: u32,
    /// Where the next page begins; no text if there is none. It lives as long as the page.
    pub cursor: mk_text,
    /// Of a search: how many messages meet it, exactly.
    pub total: u64,
    /// Of a search: how many different mails these are.
    pub contents: u64,
    /// Of a search: messages that the index does not have.
    pub not_indexed: u64,
    /// Of a search: messages for which text that could not be read would decide.
    pub undecided: u64,
    /// Of a search: 1 if `mk_page_json` has more than the rows and these numbers (counts, snippets, subject words, other messages
    /// with the same mail, suggestions, notices, stores that could not be opened), else 0.
    pub more: u32,
    /// 0.
    pub reserved: u32,
}

impl Default for mk_page_info {
    fn default() -> Self {
        let (size, cursor) = (size_of::<Self>() as u32, mk_text::default());
        Self { size, count: 0, cursor, total: 0, contents: 0, not_indexed: 0, undecided: 0, more: 0, reserved: 0 }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers.
unsafe impl Sized32 for mk_page_info {
    const FIRST_SIZE: usize = 64;
}

/// A message has no date.
pub const MK_NO_DATE: i64 = -0x7fff_ffff_ffff_ffff - 1;

/// Whether it was received or sent is not known.
pub const MK_DIRECTION_UNKNOWN: u32 = 0;
/// Received.
pub const MK_DIRECTION_RECEIVED: u32 = 1;
/// Sent.
pub const MK_DIRECTION_SENT: u32 = 2;

/// Where a date is from is not known.
pub const MK_DATE_UNKNOWN: u32 = 0;
/// The mail itself.
pub const MK_DATE_MAIL: u32 = 1;
/// The From_ line of an mbox.
pub const MK_DATE_MBOX_LINE: u32 = 2;
/// The name of a file in a Maildir.
pub const MK_DATE_MAILDIR_NAME: u32 = 3;
/// None: its record has the time of archiving.
pub const MK_DATE_ARCHIVING: u32 = 4;
/// What Apple Mail noted as received.
pub const MK_DATE_RECEIVED: u32 = 5;
/// The first Received field that has a date.
pub const MK_DATE_RECEIVED_FIELD: u32 = 6;

/// A message in a list. Its texts live as long as the page. `mk_session_record` has everything else.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_message {
    /// `sizeof(mk_message)`.
    pub size: u32,
    /// Attachments.
    pub attachments: u32,
    /// Its permanent id.
    pub id: mk_message_id,
    /// Its date, or `MK_NO_DATE`.
    pub date: i64,
    /// When it was archived.
    pub archived: i64,
    /// Its bytes.
    pub bytes: u64,
    /// `MK_DATE_…`.
    pub date_origin: u32,
    /// `MK_DIRECTION_…`.
    pub direction: u32,
    /// -1 low, 0 normal or not said, 1 high.
    pub importance: i32,
    /// Its number in the folder, which no other message ever gets.
    pub number_in_folder: u32,
    /// Its subject.
    pub subject: mk_text,
    /// Its folder.
    pub folder: mk_text,
    /// The name of its first sender; may be empty.
    pub from_name: mk_text,
    /// The address of its first sender.
    pub from_address: mk_text,
    /// The name of its first receiver; may be empty.
    pub to_name: mk_text,
    /// The address of its first receiver.
    pub to_address: mk_text,
    /// With `snippets` in a request: the place with the most words of the query.
    pub snippet: mk_text,
}

impl Default for mk_message {
    fn default() -> Self {
        let text = mk_text::default();
        Self {
            size: size_of::<Self>() as u32,
            attachments: 0,
            id: 0,
            date: MK_NO_DATE,
            archived: 0,
            bytes: 0,
            date_origin: MK_DATE_UNKNOWN,
            direction: MK_DIRECTION_UNKNOWN,
            importance: 0,
            number_in_folder: 0,
            subject: text,
            folder: text,
            from_name: text,
            from_address: text,
            to_name: text,
            to_address: text,
            snippet: text,
        }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers.
unsafe impl Sized32 for mk_message {
    const FIRST_SIZE: usize = 168;
}

fn of_message(row: &Message) -> mk_message {
    let info = &row.info;
    let first = |list: &[AddressInfo]| {
        let texts = list.first().map(|one| (mk_text::borrowed(&one.name), mk_text::borrowed(&one.address)));
        texts.unwrap_or_default()
    };
    let ((from_name, from_address), (to_name, to_address)) = (first(&info.from), first(&info.to));
    mk_message {
        size: size_of::<mk_message>() as u32,
        attachments: info.attachments,
        id: number_of(info.id),
        date: info.date.and_then(|seconds| seconds.checked_mul(1000)).unwrap_or(MK_NO_DATE),
        archived: info.archived,
        bytes: info.size,
        date_origin: match info.date_origin {
            DateOrigin::Mail => MK_DATE_MAIL,
            DateOrigin::MboxLine => MK_DATE_MBOX_LINE,
            DateOrigin::MaildirName => MK_DATE_MAILDIR_NAME,
            DateOrigin::Archiving => MK_DATE_ARCHIVING,
            DateOrigin::Received => MK_DATE_RECEIVED,
            DateOrigin::ReceivedField => MK_DATE_RECEIVED_FIELD,
            _ => MK_DATE_UNKNOWN,
        },
        direction: match info.direction {
            Direction::Received => MK_DIRECTION_RECEIVED,
            Direction::Sent => MK_DIRECTION_SENT,
            _ => MK_DIRECTION_UNKNOWN,
        },
        importance: info.importance.level().into(),
        number_in_folder: info.number_in_folder,
        subject: mk_text::borrowed(&info.subject),
        folder: mk_text::borrowed(&row.folder),
        from_name,
        from_address,
        to_name,
        to_address,
        snippet: mk_text::borrowed(&row.snippet),
    }
}

/// A folder with its counts. Its path lives as long as the page.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_folder {
    /// `sizeof(mk_folder)`.
    pub size: u32,
    /// When it was created, in seconds since 1970.
    pub epoch: u32,
    /// Its path.
    pub path: mk_text,
    /// Messages in the folder itself.
    pub messages: u64,
    /// Bytes of these messages.
    pub bytes: u64,
    /// Messages in it and in all folders below it.
    pub total_messages: u64,
    /// Bytes of these messages.
    pub total_bytes: u64,
    /// Folders below it, at any depth.
    pub folders_below: u64,
    /// The number of the last message that was added here.
    pub last_number: u32,
    /// 0.
    pub reserved: u32,
}

impl Default for mk_folder {
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            epoch: 0,
            path: mk_text::default(),
            messages: 0,
            bytes: 0,
            total_messages: 0,
            total_bytes: 0,
            folders_below: 0,
            last_number: 0,
            reserved: 0,
        }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers.
unsafe impl Sized32 for mk_folder {
    const FIRST_SIZE: usize = 72;
}

/// What a page has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_page_get_info(info: *mut mk_page_info, page: *const mk_page, error: *mut mk_error) -> mk_status {
    call(error, || {
        let page = handle::get::<PageObject>(page)?;
        let count = match &page.rows {
            Rows::Messages(rows) => rows.len(),
            Rows::Folders(rows) => rows.len(),
        };
        let Sums { total, contents, not_indexed, undecided } = page.sums;
        let of_c = mk_page_info {
            size: size_of::<mk_page_info>() as u32,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            cursor: page.cursor.as_deref().map(mk_text::borrowed).unwrap_or_default(),
            total,
            contents,
            not_indexed,
            undecided,
            more: page.found.as_ref().is_some_and(|found| has_more(found)).into(),
            reserved: 0,
        };
        // SAFETY: C passes a struct with its size.
        unsafe { write_sized(info, &of_c) }?;
        Ok(MK_OK)
    })
}

/// A row of a page of messages. `MK_END` after the last one, and on a page of folders.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_page_message(message: *mut mk_message, page: *const mk_page, row: usize, error: *mut mk_error) -> mk_status {
    call(error, || {
        let page = handle::get::<PageObject>(page)?;
        let Rows::Messages(rows) = &page.rows else { return Ok(MK_END) };
        let Some(row) = rows.get(row) else { return Ok(MK_END) };
        // SAFETY: C passes a struct with its size.
        unsafe { write_sized(message, &of_message(row)) }?;
        Ok(MK_OK)
    })
}

/// A row of a page of folders. `MK_END` after the last one, and on a page of messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_page_folder(folder: *mut mk_folder, page: *const mk_page, row: usize, error: *mut mk_error) -> mk_status {
    call(error, || {
        let page = handle::get::<PageObject>(page)?;
        let Rows::Folders(rows) = &page.rows else { return Ok(MK_END) };
        let Some(Folder { info, path }) = rows.get(row) else { return Ok(MK_END) };
        let of_c = mk_folder {
            size: size_of::<mk_folder>() as u32,
            epoch: info.epoch,
            path: mk_text::borrowed(path),
            messages: info.messages,
            bytes: info.bytes,
            total_messages: info.total_messages,
            total_bytes: info.total_bytes,
            folders_below: info.folders_below,
            last_number: info.last_number,
            reserved: 0,
        };
        // SAFETY: C passes a struct with its size.
        unsafe { write_sized(folder, &of_c) }?;
        Ok(MK_OK)
    })
}

/// A page as JSON: all `items` with all of their fields, the `cursor`, and of a search its counts, snippets, notices and
/// what else it found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_page_json(json: *mut *mut mk_buffer, page: *const mk_page, error: *mut mk_error) -> mk_status {
    call(error, || {
        let page = handle::get::<PageObject>(page)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&page.json()?)?.give(json) }
    })
}

/// Frees a page.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_page_free(page: *mut mk_page) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<PageObject>(page)?);
        Ok(MK_OK)
    })
}
