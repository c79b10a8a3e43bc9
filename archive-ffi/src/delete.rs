//! Deletes messages, brings them back, lists what is deleted, and erases it.

use std::ffi::c_char;

use archive_core::{CompactOptions, DeleteOptions, MessageId};

use crate::argument::{bytes, id_of, mk_message_id, optional_text, out, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, mk_status};

/// Nothing is done; the report says what would be.
pub const MK_DELETE_DRY_RUN: u32 = 1;

/// The ids that C passes.
///
/// # Safety
///
/// As for [`bytes`], with `count` numbers.
unsafe fn ids_of(ids: *const mk_message_id, count: usize) -> Result<Vec<MessageId>, Fault> {
    let size = count.checked_mul(size_of::<mk_message_id>()).ok_or_else(|| Fault::new(MK_BAD_ARGUMENT, "too many messages"))?;
    // SAFETY: the caller's contract. They are copied, since they need not be aligned.
    let numbers = unsafe { bytes(ids.cast(), size) }?;
    Ok(numbers.as_chunks().0.iter().map(|number| id_of(u64::from_ne_bytes(*number))).collect())
}

/// Deletes messages, all of them or none: durable when this returns. They leave lists, counts and searches at once;
/// `mk_session_undelete` brings them back. `reason`, which must not be empty and has at most 1 KiB, is recorded. `report` gets JSON:
/// `deleted`, `already_deleted`. `MK_NO_SUCH_MESSAGE` if an id is not there; then nothing was changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_delete(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    ids: *const mk_message_id,
    count: usize,
    reason: *const c_char,
    reason_length: usize,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        if flags & !MK_DELETE_DRY_RUN != 0 {
            return Err(Fault::new(MK_BAD_ARGUMENT, format!("{flags:#x} has flags that no version knows; see MK_DELETE_…")));
        }
        let options = DeleteOptions { dry_run: flags & MK_DELETE_DRY_RUN != 0 };
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer, looked at before anything is done; this many ids; text.
        let (_, ids, reason) = unsafe { (out(report)?, ids_of(ids, count)?, text(reason, reason_length)?) };
        let done = session.delete(&ids, reason, options)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&done)?.give(report) }
    })
}

/// Brings deleted messages back, all of them or none, as `mk_session_delete` deletes them; `reason` is needed too. They keep their
/// ids, and get the next numbers of their folders. `report` gets JSON: `undeleted`, `not_deleted`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_undelete(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    ids: *const mk_message_id,
    count: usize,
    reason: *const c_char,
    reason_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer, looked at before anything is done; this many ids; text.
        let (_, ids, reason) = unsafe { (out(report)?, ids_of(ids, count)?, text(reason, reason_length)?) };
        let done = session.undelete(&ids, reason)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&done)?.give(report) }
    })
}

/// A page of at most `most` deleted messages, in the order of their numbers, as JSON: `items`, `cursor`. An item is a
/// message with `deleted`, `deleted_by` and `reason`. `cursor` is NULL for the first page.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_deleted(
    json: *mut *mut mk_buffer,
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
            Buffer::json(&session(of)?.deleted_page(cursor, most)?)?.give(json)
        }
    })
}

/// Nothing is done; the report says what would be.
pub const MK_COMPACT_DRY_RUN: u32 = 1;

/// Compacts what `options` say.
///
/// # Safety
///
/// `report` is NULL or a place for a pointer, that can be written until the call returns; `given` as for [`progress`].
pub(crate) unsafe fn compact(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    flags: u32,
    options: CompactOptions,
    given: *const mk_progress,
) -> Result<mk_status, Fault> {
    if flags & !MK_COMPACT_DRY_RUN != 0 {
        return Err(Fault::new(MK_BAD_ARGUMENT, format!("{flags:#x} has flags that no version knows; see MK_COMPACT_…")));
    }
    let session = session(of)?;
    // SAFETY: the caller's contract; looked at before anything is done.
    let (_, progress) = unsafe { (out(report)?, progress(given)?) };
    let done = session.compact(options, &progress)?;
    // SAFETY: the same.
    unsafe { Buffer::json(&done)?.give(report) }
}

/// Erases what was deleted from every file of the archive, but for stores that are not open or write-protected, and removes what is in `lost+found`. What is erased cannot be
/// brought back; everything else keeps its id, and can be read and archived meanwhile. If it is ended or the process dies,
/// the next call goes on with it. `report` gets JSON: `erased`, `resumed`, `containers`, `records`, `lost_found`,
/// `bytes_before`, `bytes_after`, `left`: files that could not be rewritten, which is no failure of the call; the next one
/// tries again. `MK_DENIED` for a user; `MK_MISUSE` while another compaction, or a rebuild of the index, is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_compact(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    flags: u32,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    let options = CompactOptions { dry_run: flags & MK_COMPACT_DRY_RUN != 0, ..CompactOptions::default() };
    // SAFETY: C passes NULL or a place for a pointer; NULL, or a struct with its size.
    call(error, || unsafe { compact(report, of, flags, options, given) })
}
