//! What reads single mails: bytes, parts, records.

use std::ffi::c_void;

use crate::argument::{id_of, mk_message_id};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::events::{mk_write_fn, sink};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, MK_OK, mk_status};

/// The exact bytes of a message, checked against their digest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_raw(
    bytes: *mut *mut mk_buffer,
    of: *const mk_session,
    id: mk_message_id,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let raw = session(of)?.raw(id_of(id))?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::new(raw).give(bytes) }
    })
}

/// Passes the bytes of a message to a function, in pieces. A mail of up to 16 MiB is checked before the first piece; reading
/// a larger one may end in an error, and then none of it must be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_read(
    of: *const mk_session,
    id: mk_message_id,
    write: mk_write_fn,
    payload: *mut c_void,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes a function that can be called.
        session.read(id_of(id), &mut unsafe { sink(write, payload) }?)?;
        Ok(MK_OK)
    })
}

/// The same, of the bytes from `from` to before `to`. Of a mail above 16 MiB no more is read than up to there, so that its
/// digest is not checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_read_range(
    of: *const mk_session,
    id: mk_message_id,
    from: u64,
    to: u64,
    write: mk_write_fn,
    payload: *mut c_void,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes a function that can be called.
        session.read_range(id_of(id), from..to, &mut unsafe { sink(write, payload) }?)?;
        Ok(MK_OK)
    })
}

/// The same, of the header as it is, without the empty line after it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_read_header(
    of: *const mk_session,
    id: mk_message_id,
    write: mk_write_fn,
    payload: *mut c_void,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes a function that can be called.
        session.read_header(id_of(id), &mut unsafe { sink(write, payload) }?)?;
        Ok(MK_OK)
    })
}

/// A message as a person reads it, as JSON: `header`, and `parts` with `number`, `type`, `name`, `size`, `attachment`, `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_parts(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    id: mk_message_id,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let view = session(of)?.parts(id_of(id))?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&view)?.give(json) }
    })
}

/// Passes the decoded bytes of one part, from `from` on, to a function, in pieces.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_read_part(
    of: *const mk_session,
    id: mk_message_id,
    part: u32,
    from: u64,
    write: mk_write_fn,
    payload: *mut c_void,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        // SAFETY: C passes a function that can be called.
        session.read_part(id_of(id), part, from, &mut unsafe { sink(write, payload) }?)?;
        Ok(MK_OK)
    })
}

/// Receives bytes of parts, each with the number of its part.
pub type mk_write_part_fn = Option<unsafe extern "C" fn(payload: *mut c_void, part: u32, data: *const c_void, length: usize) -> i32>;

/// Passes the decoded bytes of some parts to a function, in one pass over the message. Each part comes at least once, even
/// if it is empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_read_parts(
    of: *const mk_session,
    id: mk_message_id,
    parts: *const u32,
    count: usize,
    write: mk_write_part_fn,
    payload: *mut c_void,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let session = session(of)?;
        let Some(write) = write else { return Err(Fault::new(MK_BAD_ARGUMENT, "the function that receives bytes is NULL")) };
        let size = count.checked_mul(size_of::<u32>()).ok_or_else(|| Fault::new(MK_BAD_ARGUMENT, "too many parts"))?;
        // SAFETY: C passes this many numbers. They are copied, since they need not be aligned.
        let numbers = unsafe { crate::argument::bytes(parts.cast(), size) }?;
        let numbers: Vec<u32> = numbers.as_chunks().0.iter().map(|number| u32::from_ne_bytes(*number)).collect();
        session.read_parts(id_of(id), &numbers, &mut |part, bytes| {
            // SAFETY: the caller's function, with bytes that are good during the callback.
            match unsafe { write(payload, part, bytes.as_ptr().cast(), bytes.len()) } {
                0 => Ok(()),
                returned => Err(archive_core::Error::caller(format!("the function that receives bytes returned {returned}"))),
            }
        })?;
        Ok(MK_OK)
    })
}

/// Everything that the archive knows of a message, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_record(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    id: mk_message_id,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let record = session(of)?.record(id_of(id))?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&record)?.give(json) }
    })
}
