//! The library itself: its versions and features.

use std::ffi::c_char;

use crate::argument::{mk_message_id, out, text};
use crate::error::{call, mk_error};
use crate::handle;
use crate::status::{MK_BAD_ARGUMENT, MK_BUFFER_TOO_SMALL, MK_OK, code_of, mk_status};

/// The version of this interface, which the name of the shared library has too. It grows if something that a program may
/// use is removed or changed.
pub const MK_ABI_VERSION: u32 = 1;

/// The version of the interface of the library that is loaded: compare it with `MK_ABI_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn mk_library_abi() -> u32 {
    MK_ABI_VERSION
}

/// The version of the library, such as `0.2.0`: text that ends with a zero byte and lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn mk_library_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Features that a later version may lack or add.
const FEATURES: [&str; 4] = ["import", "search", "export", "repair"];

/// 1 if the library has the feature of this name, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_library_has(name: *const c_char, length: usize) -> i32 {
    // SAFETY: C passes NULL, or text of this length.
    let name = unsafe { text(name, length) };
    i32::from(name.is_ok_and(|name| FEATURES.contains(&name)))
}

/// How many handles are in use: 0 after everything was freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_library_handles(count: *mut u64, error: *mut mk_error) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a number.
        unsafe { out(count) }?.write(handle::count() as u64);
        Ok(MK_OK)
    })
}

/// Panics inside the library, for tests of programs that embed it: the result is `MK_BUG`, and nothing else happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_library_panic(error: *mut mk_error) -> mk_status {
    call(error, || std::panic::resume_unwind(Box::new("a panic on request")))
}

/// The name of a status, such as `wrong_key`: text that ends with a zero byte and lives for ever. `other` for a number that
/// this version does not know.
#[unsafe(no_mangle)]
pub extern "C" fn mk_status_name(status: mk_status) -> *const c_char {
    crate::status::c_name(code_of(status))
}

/// Writes a message's id as it is printed, such as `1:42`, and a zero byte. `needed`, which may be NULL, gets the length with
/// the zero byte, also with `MK_BUFFER_TOO_SMALL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_message_id_print(
    buffer: *mut c_char,
    size: usize,
    needed: *mut usize,
    id: mk_message_id,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let text = format!("{}\0", crate::argument::id_of(id));
        if !needed.is_null() {
            // SAFETY: C passes a place for a number.
            unsafe { out(needed) }?.write(text.len());
        }
        if size < text.len() {
            return Err(crate::error::Fault::new(MK_BUFFER_TOO_SMALL, format!("{} bytes are needed, and {size} are given", text.len())));
        }
        if buffer.is_null() {
            return Err(crate::error::Fault::new(MK_BAD_ARGUMENT, "the buffer is NULL"));
        }
        // SAFETY: C passes a buffer of `size` bytes, which is enough, and `text` is not in it.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr().cast(), buffer, text.len()) };
        Ok(MK_OK)
    })
}

/// Reads a message's id from text such as `1:42`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_message_id_read(id: *mut mk_message_id, data: *const c_char, length: usize, error: *mut mk_error) -> mk_status {
    call(error, || {
        // SAFETY: C passes a place for a number, and text of this length.
        let (place, text) = unsafe { (out(id)?, text(data, length)?) };
        let id = text.parse().map_err(|error: archive_core::NotAMessageId| crate::error::Fault::new(MK_BAD_ARGUMENT, error.to_string()))?;
        place.write(crate::argument::number_of(id));
        Ok(MK_OK)
    })
}
