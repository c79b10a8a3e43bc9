//! What writes mails out.

use std::ffi::{c_char, c_void};

use archive_core::{Error, ExportFormat, ExportOptions, MessageId};

use crate::argument::{Sized32, mk_message_id, mk_text, number_of, optional_folder, optional_text, options, out, path, reserved};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::events::{mk_write_fn, sink};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, mk_status};

/// A file for each mail, with exactly its bytes.
pub const MK_EXPORT_EML: u32 = 0;
/// An mbox for each folder.
pub const MK_EXPORT_MBOX: u32 = 1;
/// A Maildir for each folder.
pub const MK_EXPORT_MAILDIR: u32 = 2;

/// `SHA256SUMS` and `MANIFEST.jsonl` are written.
pub const MK_EXPORT_MANIFEST: u32 = 1;
/// The destination may contain files; only what is missing is written.
pub const MK_EXPORT_UPDATE: u32 = 2;
/// Fields that say where a mail is from are written before all others (EML only).
pub const MK_EXPORT_ORIGIN: u32 = 4;

/// Receives a message that could not be written, and why. The export continues.
pub type mk_failed_fn = Option<unsafe extern "C" fn(payload: *mut c_void, id: mk_message_id, message: *const mk_text)>;

/// What is exported, and how. NULL is the default: everything, as single files.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_export_options {
    /// `sizeof(mk_export_options)`.
    pub size: u32,
    /// `MK_EXPORT_MANIFEST`, `MK_EXPORT_UPDATE`, `MK_EXPORT_ORIGIN`, added up.
    pub flags: u32,
    /// `MK_EXPORT_EML`, `MK_EXPORT_MBOX` or `MK_EXPORT_MAILDIR`.
    pub format: u32,
    /// 0.
    pub reserved: u32,
    /// Only this folder and those below it; may be NULL.
    pub folder: *const c_char,
    /// The length of the folder.
    pub folder_length: usize,
    /// Only messages that meet this query; may be NULL.
    pub query: *const c_char,
    /// The length of the query.
    pub query_length: usize,
    /// Follows and ends it; may be NULL.
    pub progress: *const mk_progress,
    /// Receives what could not be written; may be NULL.
    pub failed: mk_failed_fn,
    /// The first argument of `failed`.
    pub failed_payload: *mut c_void,
}

impl Default for mk_export_options {
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            flags: 0,
            format: MK_EXPORT_EML,
            reserved: 0,
            folder: std::ptr::null(),
            folder_length: 0,
            query: std::ptr::null(),
            query_length: 0,
            progress: std::ptr::null(),
            failed: None,
            failed_payload: std::ptr::null_mut(),
        }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_export_options {
    const FIRST_SIZE: usize = 72;
}

/// The library's form of the options, and the function that receives failures.
///
/// # Safety
///
/// As for [`options`]; its pointers are good until the call returns.
unsafe fn export_options(given: *const mk_export_options) -> Result<(ExportOptions, impl FnMut(MessageId, &Error)), Fault> {
    // SAFETY: the caller's contract.
    let given = unsafe { options(given) }?;
    reserved(given.reserved)?;
    if given.flags & !(MK_EXPORT_MANIFEST | MK_EXPORT_UPDATE | MK_EXPORT_ORIGIN) != 0 {
        return Err(Fault::new(MK_BAD_ARGUMENT, format!("{:#x} has flags that no version knows; see MK_EXPORT_…", given.flags)));
    }
    let format = match given.format {
        MK_EXPORT_EML => ExportFormat::Eml,
        MK_EXPORT_MBOX => ExportFormat::Mbox,
        MK_EXPORT_MAILDIR => ExportFormat::Maildir,
        number => return Err(Fault::new(MK_BAD_ARGUMENT, format!("{number} is not a format of exports that this version knows"))),
    };
    // SAFETY: the caller's contract.
    let (folder, query, progress) = unsafe {
        let query = optional_text(given.query, given.query_length)?.map(str::to_owned);
        (optional_folder(given.folder, given.folder_length)?, query, progress(given.progress)?)
    };
    let has = |flag| given.flags & flag != 0;
    let options = ExportOptions {
        format,
        folder,
        query,
        manifest: has(MK_EXPORT_MANIFEST),
        update: has(MK_EXPORT_UPDATE),
        origin: has(MK_EXPORT_ORIGIN),
        progress,
    };
    let failed = move |id, error: &Error| {
        let Some(failed) = given.failed else { return };
        let message = error.to_string();
        let text = mk_text::borrowed(&message);
        // SAFETY: the caller's function, with a pointer that is good during the callback.
        unsafe { failed(given.failed_payload, number_of(id), &raw const text) };
    };
    Ok((options, failed))
}

/// Writes messages into a folder, which is created if missing. `report` gets the totals as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_export(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    destination: *const c_char,
    destination_length: usize,
    given: *const mk_export_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes bytes of this length, structs with their sizes, and a place for a pointer.
        unsafe {
            out(report)?;
            let (options, mut failed) = export_options(given)?;
            Buffer::json(&session.export(path(destination, destination_length)?, &options, &mut failed)?)?.give(report)
        }
    })
}

/// Writes one mbox of the messages to a function, folder by folder. Of the options, `format` and `flags` have no effect.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_export_mbox(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    write: mk_write_fn,
    payload: *mut c_void,
    given: *const mk_export_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes structs with their sizes, a function that can be called, and a place for a pointer.
        unsafe {
            out(report)?;
            let (options, mut failed) = export_options(given)?;
            Buffer::json(&session.export_mbox(&mut sink(write, payload)?, &options, &mut failed)?)?.give(report)
        }
    })
}
