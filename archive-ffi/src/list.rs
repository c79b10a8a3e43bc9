//! Lists: folders and their messages, threads, single messages.

use std::ffi::c_char;

use archive_core::{MessageInfo, Page};

use crate::argument::{folder, id_of, mk_message_id, optional_folder, optional_text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::page::{PageObject, mk_page};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session};
use crate::status::mk_status;

fn all(items: Vec<MessageInfo>) -> Result<PageObject, Fault> {
    PageObject::of_messages(Page::of(items))
}

/// A page of at most `most` folders with their counts, sorted by path. `cursor` is NULL for the first page.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_folders(
    page: *mut *mut mk_page,
    of: *const mk_session,
    cursor: *const c_char,
    cursor_length: usize,
    most: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and a place for a pointer.
        unsafe {
            let cursor = optional_text(cursor, cursor_length)?;
            PageObject::of_folders(session(of)?.folders_page(cursor, most)?)?.give(page)
        }
    })
}

/// The folders directly in a folder, on one page; without a folder, the user archives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_folders_in(
    page: *mut *mut mk_page,
    of: *const mk_session,
    path: *const c_char,
    path_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and a place for a pointer.
        unsafe {
            let above = optional_folder(path, path_length)?;
            PageObject::of_folders(Page::of(session(of)?.folders_in(above.as_ref())?))?.give(page)
        }
    })
}

/// A page of at most `most` messages of a folder, newest first; with NULL for the folder, of all messages in the order of
/// their numbers. `cursor` is NULL for the first page.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_messages(
    page: *mut *mut mk_page,
    of: *const mk_session,
    path: *const c_char,
    path_length: usize,
    cursor: *const c_char,
    cursor_length: usize,
    most: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of these lengths, and a place for a pointer.
        unsafe {
            let (folder, cursor) = (optional_folder(path, path_length)?, optional_text(cursor, cursor_length)?);
            PageObject::of_messages(session(of)?.messages_page(folder.as_ref(), cursor, most)?)?.give(page)
        }
    })
}

/// What lists show of a message, as a page of one row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_message(
    page: *mut *mut mk_page,
    of: *const mk_session,
    id: mk_message_id,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let info = session(of)?.message(id_of(id))?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { all(vec![info])?.give(page) }
    })
}

/// The thread of a message, oldest first, on one page: the messages that refer to each other. At most 10,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_thread(
    page: *mut *mut mk_page,
    of: *const mk_session,
    id: mk_message_id,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL, or a struct with its size.
        let progress = unsafe { progress(given) }?;
        let thread = session(of)?.thread(id_of(id), &progress)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { all(thread)?.give(page) }
    })
}

/// How a folder's path is read: the names of its parts, as JSON. `MK_MISUSE` if it is not one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_folder_names(
    json: *mut *mut mk_buffer,
    path: *const c_char,
    path_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and a place for a pointer.
        unsafe { Buffer::json(&folder(path, path_length)?.names())?.give(json) }
    })
}
