//! Keys: what C passes to open an archive, and their administration.

use std::ffi::{c_char, c_void};

use archive_core::{Archive, Error, Key};

use crate::archive::{ArchiveObject, mk_archive};
use crate::argument::{Sized32, mk_text, options, out, path, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::handle;
use crate::status::{MK_BAD_ARGUMENT, MK_CALLBACK, MK_OK, mk_status};

/// The text of a key file.
pub const MK_KEY_FILE: u32 = 1;
/// The recovery key as it was printed.
pub const MK_KEY_RECOVERY: u32 = 2;
/// A passphrase.
pub const MK_KEY_PASSPHRASE: u32 = 3;
/// A callback gives the key.
pub const MK_KEY_PROMPT: u32 = 4;

/// What a prompt answers. Its bytes must live until the call that asked returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_answer {
    /// The size of the struct, set by the library.
    pub size: u32,
    /// `MK_KEY_FILE`, `MK_KEY_RECOVERY` or `MK_KEY_PASSPHRASE`.
    pub kind: u32,
    /// The text.
    pub data: *const c_char,
    /// Its length.
    pub length: usize,
}

/// Gives a key when an archive is opened: fills in `answer`. `needed` says which keys open it. Another number than 0 ends the call
/// that asked with `MK_CALLBACK`.
pub type mk_key_fn = Option<unsafe extern "C" fn(payload: *mut c_void, needed: *const mk_text, answer: *mut mk_answer) -> i32>;

/// A key.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_key {
    /// `sizeof(mk_key)`.
    pub size: u32,
    /// `MK_KEY_FILE`, `MK_KEY_RECOVERY`, `MK_KEY_PASSPHRASE` or `MK_KEY_PROMPT`.
    pub kind: u32,
    /// Its text. The library wipes its own copies.
    pub data: *const c_char,
    /// The length of the text.
    pub length: usize,
    /// With `MK_KEY_PROMPT`: gives the key.
    pub prompt: mk_key_fn,
    /// The first argument of `prompt`.
    pub payload: *mut c_void,
}

impl Default for mk_key {
    fn default() -> Self {
        let (size, data, payload) = (size_of::<Self>() as u32, std::ptr::null(), std::ptr::null_mut());
        Self { size, kind: 0, data, length: 0, prompt: None, payload }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_key {
    const FIRST_SIZE: usize = 40;
}

/// The library's form of a key. `needed` describes what opens the archive.
///
/// # Safety
///
/// As for [`options`]; its pointers are good until the call returns.
pub(crate) unsafe fn key(given: *const mk_key, needed: impl FnOnce() -> Result<String, Error>) -> Result<Key, Fault> {
    // SAFETY: the caller's contract.
    let mut given = unsafe { options(given) }?;
    if given.kind == MK_KEY_PROMPT {
        let Some(prompt) = given.prompt else { return Err(Fault::new(MK_BAD_ARGUMENT, "the prompt is NULL")) };
        let needed = needed()?;
        let mut answer = mk_answer { size: size_of::<mk_answer>() as u32, kind: 0, data: std::ptr::null(), length: 0 };
        let text = mk_text::borrowed(&needed);
        // SAFETY: the caller's function, with pointers that are good during the callback.
        if unsafe { prompt(given.payload, &raw const text, &raw mut answer) } != 0 {
            return Err(Fault::new(MK_CALLBACK, "the prompt gave no key"));
        }
        given = mk_key { kind: answer.kind, data: answer.data, length: answer.length, ..given };
    }
    // SAFETY: the caller's contract, or that of the prompt.
    let secret = || unsafe { text(given.data, given.length) };
    match given.kind {
        MK_KEY_FILE => Ok(Key::File(secret()?.into())),
        MK_KEY_RECOVERY => Ok(Key::Recovery(secret()?.into())),
        MK_KEY_PASSPHRASE => Ok(Key::Passphrase(secret()?.into())),
        kind => Err(Fault::new(MK_BAD_ARGUMENT, format!("{kind} is no kind of key; see MK_KEY_…"))),
    }
}

/// What opens an archive, as JSON: `slots`, `recovery_identifier`, `recovery_key`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_key_status(json: *mut *mut mk_buffer, archive: *const mk_archive, error: *mut mk_error) -> mk_status {
    call(error, || {
        let archive = handle::get::<ArchiveObject>(archive)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&archive.archive.key_status()?)?.give(json) }
    })
}

/// Tries a key on the archive in a folder, and returns the slot that it opens, as JSON. Nothing else is opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_key_test(
    json: *mut *mut mk_buffer,
    folder: *const c_char,
    folder_length: usize,
    given: *const mk_key,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes bytes of this length, and a struct with its size.
        let (dir, key) = unsafe {
            let dir = path(folder, folder_length)?;
            (dir, key(given, || Archive::opens_with(dir))?)
        };
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&Archive::test_key(dir, &key)?)?.give(json) }
    })
}

/// Notes that the recovery key is at hand, if this is it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_key_confirm_recovery(archive: *const mk_archive, given: *const mk_key, error: *mut mk_error) -> mk_status {
    call(error, || {
        let archive = handle::get::<ArchiveObject>(archive)?;
        // SAFETY: C passes a struct with its size.
        let key = unsafe { key(given, || Archive::opens_with(archive.archive.dir())) }?;
        archive.archive.confirm_recovery(&key)?;
        Ok(MK_OK)
    })
}

/// Adds a passphrase that opens the archive. `json` gets its slot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_key_add_passphrase(
    json: *mut *mut mk_buffer,
    archive: *const mk_archive,
    passphrase: *const c_char,
    passphrase_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let archive = handle::get::<ArchiveObject>(archive)?;
        // SAFETY: C passes text of this length.
        let passphrase = unsafe { text(passphrase, passphrase_length) }?;
        // SAFETY: C passes NULL or a place for a pointer; it is looked at first, so that no slot is added for nothing.
        unsafe { out(json) }?;
        // SAFETY: the same.
        unsafe { Buffer::json(&archive.archive.add_passphrase(passphrase)?)?.give(json) }
    })
}

/// Removes the passphrase with this slot, such as `1f2e3d4c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_key_remove_passphrase(
    archive: *const mk_archive,
    slot: *const c_char,
    slot_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let archive = handle::get::<ArchiveObject>(archive)?;
        // SAFETY: C passes text of this length.
        archive.archive.remove_passphrase(unsafe { text(slot, slot_length) }?)?;
        Ok(MK_OK)
    })
}
