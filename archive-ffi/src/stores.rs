//! The stores of an archive.

use std::ffi::c_char;
use std::path::PathBuf;

use archive_core::{AttachOptions, CompactOptions, Error, NewStore, StoreState};

use crate::argument::{Sized32, bytes, options, out, path, reserved, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::delete::{MK_COMPACT_DRY_RUN, compact};
use crate::error::{Fault, call, mk_error};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, MK_OK, mk_status};

/// The store takes new mail; the one that did becomes `MK_STORE_NORMAL`.
pub const MK_STORE_CURRENT: u32 = 1;
/// It is read and searched, and its messages and folders can be changed.
pub const MK_STORE_NORMAL: u32 = 2;
/// It is read and searched, and nothing in it changes.
pub const MK_STORE_WRITE_PROTECTED: u32 = 3;
/// It is closed: its messages are in no list and no search.
pub const MK_STORE_DISABLED: u32 = 4;

fn state(number: u32) -> Result<StoreState, Fault> {
    Ok(match number {
        MK_STORE_CURRENT => StoreState::Current,
        MK_STORE_NORMAL => StoreState::Normal,
        MK_STORE_WRITE_PROTECTED => StoreState::WriteProtected,
        MK_STORE_DISABLED => StoreState::Disabled,
        _ => return Err(Fault::new(MK_BAD_ARGUMENT, format!("{number} is not a state that this version knows; see MK_STORE_…"))),
    })
}

/// Where the files of a store are. NULL is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_store_dirs {
    /// `sizeof(mk_store_dirs)`.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Records and catalog, and everything else unless it is named; NULL is a folder within the archive.
    pub dir: *const c_char,
    /// Its length.
    pub dir_length: usize,
    /// Containers; NULL is `content` in `dir`.
    pub content_dir: *const c_char,
    /// Its length.
    pub content_dir_length: usize,
    /// The index; NULL is `index` in `dir`.
    pub index_dir: *const c_char,
    /// Its length.
    pub index_dir_length: usize,
}

impl Default for mk_store_dirs {
    fn default() -> Self {
        let none = std::ptr::null();
        Self {
            size: size_of::<Self>() as u32,
            reserved: 0,
            dir: none,
            dir_length: 0,
            content_dir: none,
            content_dir_length: 0,
            index_dir: none,
            index_dir_length: 0,
        }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_store_dirs {
    const FIRST_SIZE: usize = 56;
}

/// # Safety
///
/// As for [`options`]; its pointers are good until the call returns.
unsafe fn dirs(given: *const mk_store_dirs) -> Result<AttachOptions, Fault> {
    // SAFETY: the caller's contract.
    let given = unsafe { options(given) }?;
    reserved(given.reserved)?;
    let one = |data: *const c_char, length: usize| -> Result<Option<PathBuf>, Fault> {
        if data.is_null() {
            // SAFETY: nothing is read; a length without a path is refused.
            return unsafe { bytes(data.cast(), length) }.map(|_| None);
        }
        // SAFETY: the caller's contract.
        unsafe { path(data, length) }.map(|path| Some(path.to_owned()))
    };
    Ok(AttachOptions {
        dir: one(given.dir, given.dir_length)?,
        content_dir: one(given.content_dir, given.content_dir_length)?,
        index_dir: one(given.index_dir, given.index_dir_length)?,
    })
}

/// The list also has the sizes of each store, which takes a look at every file.
pub const MK_STORES_STATS: u32 = 1;

/// The stores of the archive, by number, as JSON: `items`, each with `number`, `name`, `id`, `state` (`current`, `normal`,
/// `writeProtected`, `disabled`), `open`, `error` and `error_code` (null unless it should be open and is not), `dir`,
/// `content_dir`, `index_dir`, `stats`. `MK_DENIED` for a user.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_stores(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        if flags & !MK_STORES_STATS != 0 {
            return Err(Fault::new(MK_BAD_ARGUMENT, format!("{flags:#x} has flags that no version knows; see MK_STORES_…")));
        }
        let stores = session(of)?.stores(flags & MK_STORES_STATS != 0)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&stores)?.give(json) }
    })
}

/// Creates a store. `store` gets its number. Folders are created; those that exist must be empty. `MK_STORE_EXISTS` if
/// another store has the name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_create_store(
    store: *mut u32,
    of: *const mk_session,
    name: *const c_char,
    name_length: usize,
    requested_state: u32,
    where_to: *const mk_store_dirs,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes a place for a number, looked at before anything is done; text of this length; NULL, or a struct
        // with its size.
        let (place, name, dirs) = unsafe { (out(store)?, text(name, name_length)?, dirs(where_to)?) };
        let mut new = NewStore::new(name);
        (new.state, new.dirs) = (state(requested_state)?, dirs);
        place.write(session.create_store(&new)?);
        Ok(MK_OK)
    })
}

/// Makes a store that was detached part of the archive again. `store` gets its number, which is the one that it had. Its
/// folder is `dir` of `where_from`. `MK_NOT_A_STORE` if there is no store of this archive; `MK_STORE_NOT_OPEN` if it was
/// attached and cannot be opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_attach_store(
    store: *mut u32,
    of: *const mk_session,
    name: *const c_char,
    name_length: usize,
    requested_state: u32,
    where_from: *const mk_store_dirs,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes a place for a number, looked at before anything is done; text of this length; NULL, or a struct
        // with its size.
        let (place, name, dirs) = unsafe { (out(store)?, text(name, name_length)?, dirs(where_from)?) };
        place.write(session.attach_store(name, state(requested_state)?, &dirs)?);
        Ok(MK_OK)
    })
}

/// Takes a store out of the archive. Its files stay as they are; its messages are in no list and no search until it is
/// attached again. Waits up to 10 s for calls that use it: `MK_STORE_BUSY` if they go on, and nothing was changed.
/// `MK_MISUSE` for the only store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_detach_store(
    of: *const mk_session,
    store: u32,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL, or a struct with its size.
        session(of)?.detach_store(store, &unsafe { progress(given) }?)?;
        Ok(MK_OK)
    })
}

/// Gives a store another name. Its folders keep theirs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_rename_store(
    of: *const mk_session,
    store: u32,
    name: *const c_char,
    name_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length.
        session(of)?.rename_store(store, unsafe { text(name, name_length) }?)?;
        Ok(MK_OK)
    })
}

/// Puts a store into a state. One that is to be disabled is closed once calls that use it have ended, for which it waits
/// up to 10 s: `MK_STORE_BUSY` if they go on, and nothing was changed. `MK_STORE_NOT_OPEN` if it cannot be opened: the state
/// is recorded, and `mk_session_retry_open_stores` tries again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_set_store_state(
    of: *const mk_session,
    store: u32,
    requested_state: u32,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL, or a struct with its size.
        session(of)?.set_store_requested_state(store, state(requested_state)?, &unsafe { progress(given) }?)?;
        Ok(MK_OK)
    })
}

/// Records where the files of a disabled store are, after they were moved: this moves nothing. `MK_MISUSE` if it is not
/// disabled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_set_store_dirs(
    of: *const mk_session,
    store: u32,
    new_dirs: *const mk_store_dirs,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL, or a struct with its size.
        session(of)?.set_store_dirs(store, &unsafe { dirs(new_dirs) }?)?;
        Ok(MK_OK)
    })
}

/// When a new store is made by itself: text, such as `messages:5000000`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_store_rule(rule: *mut *mut mk_buffer, of: *const mk_session, error: *mut mk_error) -> mk_status {
    call(error, || {
        let text = session(of)?.store_rule()?.to_string();
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::new(text.into_bytes()).give(rule) }
    })
}

/// Says when a new store is made by itself: `never`, `messages:N` (when the current store has so many), `bytes:N` (when its
/// mails have so many bytes, each counted once), `monthly` or `quarterly`. It is named after the month, such as `2026-12`,
/// lies within the archive, and takes new mail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_set_store_rule(
    of: *const mk_session,
    rule: *const c_char,
    rule_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length.
        session(of)?.set_store_rule(unsafe { text(rule, rule_length) }?.parse()?)?;
        Ok(MK_OK)
    })
}

/// Tries again to open the stores that could not be opened. `errors` gets why some still cannot, as JSON: `items`, each
/// with `code`, `message`, `store` (its name) and `why` (the code of the reason). None is a failure of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_retry_open_stores(
    errors: *mut *mut mk_buffer,
    of: *const mk_session,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer, looked at before anything is done; NULL, or a struct with its size.
        let (_, progress) = unsafe { (out(errors)?, progress(given)?) };
        let left: Vec<Error> = session.retry_open_stores(&progress)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&left)?.give(errors) }
    })
}

/// The same as `mk_session_compact` for one store, by number. `MK_STORE_IS_WRITE_PROTECTED` if it must not change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_compact_store(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    store: u32,
    flags: u32,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    let options = CompactOptions { dry_run: flags & MK_COMPACT_DRY_RUN != 0, store: Some(store) };
    // SAFETY: C passes NULL or a place for a pointer; NULL, or a struct with its size.
    call(error, || unsafe { compact(report, of, flags, options, given) })
}
