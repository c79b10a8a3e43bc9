//! Errors at the border: what a call failed with, the caller's object that keeps it, and the frame of every call.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use archive_core::Error;
use serde_json::json;

use crate::argument::{mk_text, out};
use crate::handle::{self, Kind, Object};
use crate::status::{MK_BUG, MK_FORKED, MK_OK, code_of, mk_status, status_of};

/// Keeps the error of the last call that failed with it. One serves any number of calls, one after the other; each thread
/// uses its own. Opaque.
pub struct mk_error(());

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Fault {
    status: mk_status,
    code: &'static str,
    message: String,
    json: String,
}

impl Fault {
    pub(crate) fn new(status: mk_status, message: impl Into<String>) -> Self {
        let (code, message) = (code_of(status), message.into());
        let json = json!({ "version": 1, "code": code, "message": message, "retryable": false }).to_string();
        Self { status, code, message, json }
    }

    pub(crate) fn bug(what: &str) -> Self {
        Self::new(MK_BUG, format!("internal error: {what}; please report it"))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let mut form = json!(error);
        form["version"] = 1.into();
        Self { status: status_of(error.code()), code: error.code(), message: error.to_string(), json: form.to_string() }
    }
}

/// The caller's object.
#[derive(Default)]
pub(crate) struct ErrorObject(Mutex<Option<Arc<Fault>>>);

impl Object for ErrorObject {
    type Handle = mk_error;
    const KIND: Kind = Kind::Error;
}

impl ErrorObject {
    fn last(&self) -> Option<Arc<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, fault: Option<Arc<Fault>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

/// The process that used the library first. A fork of it has a copy of the tables, but none of the threads.
static PROCESS: AtomicU32 = AtomicU32::new(0);

fn is_forked() -> bool {
    let own = std::process::id();
    match PROCESS.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => false,
        Err(first) => first != own,
    }
}

thread_local! {
    /// How many calls this thread is in: in a second one, a callback of the first one runs.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Whether a callback runs, on this thread or on one that works for a call.
pub(crate) fn is_in_callback() -> bool {
    DEPTH.get() > 1 || archive_core::Archive::is_in_call()
}

/// The frame of every call: nothing unwinds into C, and what failed is kept for the caller.
pub(crate) fn call(error: *const mk_error, work: impl FnOnce() -> Result<mk_status, Fault>) -> mk_status {
    // Before anything is locked: another thread may have held the lock when the process was forked.
    if is_forked() {
        return MK_FORKED;
    }
    DEPTH.set(DEPTH.get() + 1);
    let framed = catch_unwind(AssertUnwindSafe(|| match work() {
        Ok(status) => status,
        Err(fault) => {
            let status = fault.status;
            if let Ok(object) = handle::get::<ErrorObject>(error) {
                object.set(Some(Arc::new(fault)));
            }
            status
        }
    }));
    DEPTH.set(DEPTH.get() - 1);
    framed.unwrap_or_else(|panic| {
        // A text is dropped; dropping anything else might panic again.
        if !panic.is::<&'static str>() && !panic.is::<String>() {
            std::mem::forget(panic);
        }
        let noted = catch_unwind(|| {
            let object = handle::get::<ErrorObject>(error).ok();
            object.map(|object| object.set(Some(Arc::new(Fault::bug("the library panicked")))))
        });
        if let Err(again) = noted {
            std::mem::forget(again);
        }
        MK_BUG
    })
}

/// Makes an error object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_error_new(error: *mut *mut mk_error) -> mk_status {
    call(std::ptr::null(), || {
        // SAFETY: C passes NULL or a place for a pointer.
        let place = unsafe { out(error) }?;
        place.write(handle::put(Arc::new(ErrorObject::default()), None)?);
        Ok(MK_OK)
    })
}

/// The status of the last call that failed with this object; `MK_OK` if none did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_error_status(error: *const mk_error) -> mk_status {
    call(std::ptr::null(), || Ok(handle::get::<ErrorObject>(error)?.last().map_or(MK_OK, |fault| fault.status)))
}

/// A stable name of that error, such as `wrong_key`; empty if there is none. It lives until the next call that fails with this
/// object, as do the other texts of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_error_code(code: *mut mk_text, error: *const mk_error) -> mk_status {
    // SAFETY: the same contract.
    unsafe { text_of(code, error, |fault| fault.code) }
}

/// What went wrong, where, and what to do: one sentence in English.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_error_message(message: *mut mk_text, error: *const mk_error) -> mk_status {
    // SAFETY: the same contract.
    unsafe { text_of(message, error, |fault| &fault.message) }
}

/// The same as a JSON object: `code`, `message`, `retryable`, and fields of the error, such as `file`, or `start` and `end` of
/// the bytes of a query.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_error_json(json: *mut mk_text, error: *const mk_error) -> mk_status {
    // SAFETY: the same contract.
    unsafe { text_of(json, error, |fault| &fault.json) }
}

/// # Safety
///
/// `place` is NULL, or a place for a text.
unsafe fn text_of(place: *mut mk_text, error: *const mk_error, of: impl Fn(&Fault) -> &str) -> mk_status {
    call(std::ptr::null(), || {
        // SAFETY: the caller's contract.
        let place = unsafe { out(place) }?;
        let object = handle::get::<ErrorObject>(error)?;
        // The object keeps the text alive.
        place.write(object.last().map_or_else(mk_text::default, |fault| mk_text::borrowed(of(&fault))));
        Ok(MK_OK)
    })
}

/// Frees an error object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_error_free(error: *mut mk_error) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<ErrorObject>(error)?);
        Ok(MK_OK)
    })
}
