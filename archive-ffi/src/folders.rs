//! What changes folders.

use std::ffi::c_char;

use archive_core::{Error, FolderOptions, FolderReport, Session};

use crate::argument::{folder, optional_folder, out, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, mk_status};

/// Nothing is done; the report says what would be, and the call fails as the change would.
pub const MK_FOLDER_DRY_RUN: u32 = 1;

/// Makes a change and gives its report.
///
/// # Safety
///
/// `report` is NULL or a place for a pointer, that can be written until the call returns.
unsafe fn change(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    flags: u32,
    work: impl FnOnce(&Session, FolderOptions) -> Result<FolderReport, Error>,
) -> Result<mk_status, Fault> {
    if flags & !MK_FOLDER_DRY_RUN != 0 {
        return Err(Fault::new(MK_BAD_ARGUMENT, format!("{flags:#x} has flags that no version knows; see MK_FOLDER_…")));
    }
    let session = session(of)?;
    // SAFETY: the caller's contract; looked at before anything is done.
    unsafe { out(report) }?;
    let done = work(&session, FolderOptions { dry_run: flags & MK_FOLDER_DRY_RUN != 0 })?;
    // SAFETY: the same.
    unsafe { Buffer::json(&done)?.give(report) }
}

/// Makes a folder, and the folders above it that do not exist. `report` gets what was done, as JSON: `made`, `moved`,
/// `removed`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_make_folder(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    path: *const c_char,
    path_length: usize,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and NULL or a place for a pointer.
        unsafe {
            let path = folder(path, path_length)?;
            change(report, of, flags, |session, options| session.make_folder(&path, options))
        }
    })
}

/// Gives a folder another name. `report` gets what was done, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_rename_folder(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    path: *const c_char,
    path_length: usize,
    name: *const c_char,
    name_length: usize,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes texts of these lengths, and NULL or a place for a pointer.
        unsafe {
            let (path, name) = (folder(path, path_length)?, text(name, name_length)?);
            change(report, of, flags, |session, options| session.rename_folder(&path, name, options))
        }
    })
}

/// Makes `to` the path of the folder `from`, with everything in it. Folders above `to` that do not exist are made. Nothing
/// that names a folder by its path follows. `report` gets what was done, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_move_folder(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    from: *const c_char,
    from_length: usize,
    to: *const c_char,
    to_length: usize,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes texts of these lengths, and NULL or a place for a pointer.
        unsafe {
            let (from, to) = (folder(from, from_length)?, folder(to, to_length)?);
            change(report, of, flags, |session, options| session.move_folder(&from, &to, options))
        }
    })
}

/// Removes a folder and all folders below it, if none of them has a message. `report` gets what was done, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_remove_folder(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    path: *const c_char,
    path_length: usize,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and NULL or a place for a pointer.
        unsafe {
            let path = folder(path, path_length)?;
            change(report, of, flags, |session, options| session.remove_folder(&path, options))
        }
    })
}

/// Removes all folders that have no message in themselves and in the folders below them; with a folder, of that folder and
/// those below it. User archives stay. `report` gets what was done, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_prune_folders(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    path: *const c_char,
    path_length: usize,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length or NULL, and NULL or a place for a pointer.
        unsafe {
            let below = optional_folder(path, path_length)?;
            change(report, of, flags, |session, options| session.prune_folders(below.as_ref(), options))
        }
    })
}
