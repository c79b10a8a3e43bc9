//! What brings mail in, and checks whether it is there.

use std::ffi::{c_char, c_void};
use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::argument::{Sized32, bytes, check_sized, folder, mk_text, optional_folder, options, out, path, reserved, text, write_sized};
use crate::buffer::{Buffer, mk_buffer, versioned};
use crate::error::{Fault, call, mk_error};
use crate::events::{Events, mk_import_events, mk_receipt};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, MK_OK, mk_status};
use archive_core::source::{Format, SourceOptions};
use archive_core::{Duplicates, Error, ImportOptions, ImportSource, LabelRule, LostMail, Progress};

/// Mails are read that their program had marked as deleted.
pub const MK_IMPORT_WITH_DELETED: u32 = 1;
/// Each mail is committed separately: slower, but each is durable as soon as possible.
pub const MK_IMPORT_COMMIT_EACH: u32 = 2;
/// A mail also goes into the folder that its labels name.
pub const MK_IMPORT_LABEL_FOLDERS: u32 = 4;

/// A duplicate is what its folder has, apart from headers that mail programs change.
pub const MK_DUPLICATES_FOLDER: u32 = 0;
/// A duplicate is what its folder has with exactly the same bytes.
pub const MK_DUPLICATES_EXACT: u32 = 1;
/// A duplicate is what its user archive has, as a person would say.
pub const MK_DUPLICATES_ARCHIVE: u32 = 2;

/// Names and contents say what a source is.
pub const MK_FORMAT_AUTO: u32 = 0;
/// Any mbox.
pub const MK_FORMAT_MBOX: u32 = 1;
/// An mbox without lengths, in which `From ` is quoted.
pub const MK_FORMAT_MBOXO: u32 = 2;
/// The same; quoted lines are quoted again.
pub const MK_FORMAT_MBOXRD: u32 = 3;
/// An mbox with lengths, in which `From ` is quoted.
pub const MK_FORMAT_MBOXCL: u32 = 4;
/// An mbox with lengths, in which nothing is quoted.
pub const MK_FORMAT_MBOXCL2: u32 = 5;
/// Mails between lines of four ^A.
pub const MK_FORMAT_MMDF: u32 = 6;
/// A LISTSERV notebook.
pub const MK_FORMAT_LISTSERV: u32 = 7;
/// A Maildir, or one file of it.
pub const MK_FORMAT_MAILDIR: u32 = 8;
/// A folder of MH.
pub const MK_FORMAT_MH: u32 = 9;
/// One file, one mail.
pub const MK_FORMAT_EML: u32 = 10;
/// One mail of Apple Mail.
pub const MK_FORMAT_EMLX: u32 = 11;

/// How mail is imported. NULL is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_import_options {
    /// `sizeof(mk_import_options)`.
    pub size: u32,
    /// `MK_IMPORT_…`, added up.
    pub flags: u32,
    /// `MK_DUPLICATES_…`.
    pub duplicates: u32,
    /// `MK_FORMAT_…`.
    pub format: u32,
    /// The destination, such as `anna/inbox`. NULL: a folder named after the source, below the owner's.
    pub into: *const c_char,
    /// The length of the destination.
    pub into_length: usize,
    /// Follows and ends it; may be NULL.
    pub progress: *const mk_progress,
    /// What is called during it; may be NULL.
    pub events: *const mk_import_events,
}

impl Default for mk_import_options {
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            flags: 0,
            duplicates: MK_DUPLICATES_FOLDER,
            format: MK_FORMAT_AUTO,
            into: std::ptr::null(),
            into_length: 0,
            progress: std::ptr::null(),
            events: std::ptr::null(),
        }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_import_options {
    const FIRST_SIZE: usize = 48;
}

/// The library's form of the options.
///
/// # Safety
///
/// As for [`options`]; its pointers are good until the call returns.
unsafe fn import_options(given: *const mk_import_options) -> Result<(ImportOptions, Events), Fault> {
    // SAFETY: the caller's contract.
    let given = unsafe { options(given) }?;
    let unknown = |what, number| Err(Fault::new(MK_BAD_ARGUMENT, format!("{number} is not {what} that this version knows")));
    if given.flags & !(MK_IMPORT_WITH_DELETED | MK_IMPORT_COMMIT_EACH | MK_IMPORT_LABEL_FOLDERS) != 0 {
        return unknown("a set of flags", given.flags);
    }
    let duplicates = match given.duplicates {
        MK_DUPLICATES_FOLDER => Duplicates::Folder,
        MK_DUPLICATES_EXACT => Duplicates::Exact,
        MK_DUPLICATES_ARCHIVE => Duplicates::Archive,
        number => return unknown("a rule for duplicates", number),
    };
    let format = match given.format {
        MK_FORMAT_AUTO => None,
        MK_FORMAT_MBOX => Some(Format::Mbox),
        MK_FORMAT_MBOXO => Some(Format::Mboxo),
        MK_FORMAT_MBOXRD => Some(Format::Mboxrd),
        MK_FORMAT_MBOXCL => Some(Format::Mboxcl),
        MK_FORMAT_MBOXCL2 => Some(Format::Mboxcl2),
        MK_FORMAT_MMDF => Some(Format::Mmdf),
        MK_FORMAT_LISTSERV => Some(Format::Listserv),
        MK_FORMAT_MAILDIR => Some(Format::Maildir),
        MK_FORMAT_MH => Some(Format::Mh),
        MK_FORMAT_EML => Some(Format::Eml),
        MK_FORMAT_EMLX => Some(Format::Emlx),
        number => return unknown("a format", number),
    };
    // SAFETY: the caller's contract.
    let (into, progress, events) =
        unsafe { (optional_folder(given.into, given.into_length)?, progress(given.progress)?, options(given.events)?) };
    let events = Events::new(events, &progress)?;
    let options = ImportOptions {
        into,
        duplicates,
        source: SourceOptions { format, with_deleted: given.flags & MK_IMPORT_WITH_DELETED != 0 },
        labels: if given.flags & MK_IMPORT_LABEL_FOLDERS != 0 { LabelRule::Folders } else { LabelRule::Record },
        commit_each: given.flags & MK_IMPORT_COMMIT_EACH != 0,
        progress,
    };
    Ok((options, events))
}

/// Reads the next bytes of a source into `data`, at most `length`, and returns how many; 0 at the end, a negative number if
/// the source cannot be read.
pub type mk_read_fn = Option<unsafe extern "C" fn(payload: *mut c_void, data: *mut c_void, length: usize) -> i64>;

/// What is imported or checked: a path, or a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_source {
    /// `sizeof(mk_source)`.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// A file or folder; with a stream, a name that hints at its format, or NULL.
    pub path: *const c_char,
    /// The length of the path.
    pub path_length: usize,
    /// Reads a stream; NULL for a path.
    pub read: mk_read_fn,
    /// The first argument of `read`.
    pub payload: *mut c_void,
}

impl Default for mk_source {
    fn default() -> Self {
        let (path, payload) = (std::ptr::null(), std::ptr::null_mut());
        Self { size: size_of::<Self>() as u32, reserved: 0, path, path_length: 0, read: None, payload }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_source {
    const FIRST_SIZE: usize = 40;
}

/// The caller's stream.
struct Stream {
    read: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> i64,
    payload: *mut c_void,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the caller's function, with a buffer of this length.
        let read = unsafe { (self.read)(self.payload, buffer.as_mut_ptr().cast(), buffer.len()) };
        match usize::try_from(read) {
            Ok(read) if read <= buffer.len() => Ok(read),
            Ok(read) => Err(io::Error::other(format!("the function that reads the source returned {read}, more than it was asked for"))),
            Err(_) => Err(io::Error::other(format!("the function that reads the source returned {read}"))),
        }
    }
}

/// Runs `work` on the caller's source.
///
/// # Safety
///
/// As for [`options`]; its pointers are good until the call returns.
unsafe fn with_source<T>(
    given: *const mk_source,
    work: impl FnOnce(ImportSource<'_>) -> Result<T, Error>,
) -> Result<Result<T, Error>, Fault> {
    if given.is_null() {
        return Err(Fault::new(MK_BAD_ARGUMENT, "the source is NULL"));
    }
    // SAFETY: the caller's contract.
    let given = unsafe { options(given) }?;
    reserved(given.reserved)?;
    match given.read {
        // SAFETY: the caller's contract.
        None => Ok(work(ImportSource::Path(unsafe { path(given.path, given.path_length) }?))),
        Some(read) => {
            // SAFETY: the caller's contract.
            let name = unsafe { text(given.path, given.path_length) }?;
            Ok(work(ImportSource::Stream(&mut Stream { read, payload: given.payload }, name)))
        }
    }
}

/// Imports everything in a source. What has a receipt is durable, whatever happens later. `report` gets the totals as JSON:
/// `read` = `stored` + `duplicate` + `failed`; `restated`: duplicates that differ in headers that mail programs change; `deleted`:
/// skipped because their program had marked them; `incomplete`: of which the source has only a part; `skipped_files` and
/// `unsupported_files`; `bytes_in`; `folder`, the destination; `stopped`: the progress or its cancellation ended the import.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_import(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    source: *const mk_source,
    given: *const mk_import_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes structs with their sizes, and a place for a pointer.
        unsafe {
            out(report)?;
            let (options, mut events) = import_options(given)?;
            let imported = with_source(source, |source| session.import(source, &options, &mut events))?;
            Buffer::json(&events.judge(imported)?)?.give(report)
        }
    })
}

/// Archives one mail in a folder, which is created if missing. The mail is durable when this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_import_one(
    receipt: *mut mk_receipt,
    of: *const mk_session,
    mail: *const c_void,
    mail_length: usize,
    into: *const c_char,
    into_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes bytes and text of these lengths.
        let (mail, folder) = unsafe { (bytes(mail, mail_length)?, folder(into, into_length)?) };
        if !receipt.is_null() {
            // SAFETY: C passes a struct with its size; looked at before anything is archived.
            unsafe { check_sized(receipt) }?;
        }
        let archived = session.import_one(mail, &folder)?;
        if !receipt.is_null() {
            // Its source is empty, and no text outlives it.
            let of_c = mk_receipt { source: mk_text::default(), ..mk_receipt::of(&archived) };
            // SAFETY: the same.
            unsafe { write_sized(receipt, &of_c) }?;
        }
        Ok(MK_OK)
    })
}

/// Where `mk_session_import` would put the mails of a source: the folder, as text. Nothing is read of a stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_import_target(
    folder: *mut *mut mk_buffer,
    of: *const mk_session,
    source: *const mk_source,
    given: *const mk_import_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes structs with their sizes, and a place for a pointer.
        unsafe {
            let (options, _) = import_options(given)?;
            let target = with_source(source, |source| session.target(&source, &options))??;
            Buffer::new(target.to_string().into_bytes()).give(folder)
        }
    })
}

/// Reads a source as an import does, archives nothing, and returns where its mails would go, as JSON: `folders`, `source`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_import_plan(
    plan: *mut *mut mk_buffer,
    of: *const mk_session,
    source: *const mk_source,
    given: *const mk_import_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes structs with their sizes, and a place for a pointer.
        unsafe {
            out(plan)?;
            let (options, mut events) = import_options(given)?;
            let planned = with_source(source, |source| session.plan(source, &options, &mut events))?;
            Buffer::json(&events.judge(planned)?)?.give(plan)
        }
    })
}

/// Checks whether every mail of a source is in the archive with exactly its bytes, apart from headers that mail programs
/// change. `report` gets the totals as JSON; the events name each mail that is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_check(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    source: *const mk_source,
    given: *const mk_import_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes structs with their sizes, and a place for a pointer.
        unsafe {
            out(report)?;
            let (options, mut events) = import_options(given)?;
            let checked = with_source(source, |source| session.check(source, &options, &mut events))?;
            Buffer::json(&events.judge(checked)?)?.give(report)
        }
    })
}

/// The files in `lost+found`, as JSON: what opens cut after the last durable commit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_lost_files(json: *mut *mut mk_buffer, of: *const mk_session, error: *mut mk_error) -> mk_status {
    call(error, || {
        let files = session(of)?.lost_files()?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&files)?.give(json) }
    })
}

/// Receives a mail of `lost+found`: what is known of it as JSON, and its bytes.
pub type mk_lost_mail_fn =
    Option<unsafe extern "C" fn(payload: *mut c_void, json: *const mk_text, data: *const c_void, length: usize) -> i32>;

/// Passes the mails in `lost+found` to a function, one at a time. `report` gets the totals as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_lost_mails(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    visit: mk_lost_mail_fn,
    payload: *mut c_void,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer; looked at before anything is done.
        unsafe { out(report) }?;
        let Some(visit) = visit else { return Err(Fault::new(MK_BAD_ARGUMENT, "the function that receives mails is NULL")) };
        let mut take = |mail: LostMail| {
            let form = versioned(&mail).map_err(Error::caller)?;
            let form = mk_text::borrowed(&form);
            // SAFETY: the caller's function, with pointers that are good during the callback.
            match unsafe { visit(payload, &raw const form, mail.bytes.as_ptr().cast(), mail.bytes.len()) } {
                0 => Ok(ControlFlow::Continue(())),
                returned => Err(Error::caller(format!("the function that receives mails returned {returned}"))),
            }
        };
        let found = session.lost_mails(&mut take)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&found)?.give(report) }
    })
}

/// Imports the mails of `lost+found` into the folders that they were meant for. `report` gets the totals as JSON. Of the
/// events, only receipts come, and none ends it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_import_lost(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    given: *const mk_import_events,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer; looked at before anything is done.
        unsafe { out(report) }?;
        // SAFETY: C passes NULL, or a struct with its size.
        let mut events = Events::new(unsafe { options(given) }?, &Progress::new())?;
        let imported = session.import_lost(&mut |receipt| archive_core::ImportEvents::receipt(&mut events, receipt));
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&events.judge(imported)?)?.give(report) }
    })
}
