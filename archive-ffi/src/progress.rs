//! Progress and cancellation of long calls.

use std::ffi::c_void;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archive_core::{Progress, Unit};

use crate::argument::{Payload, Sized32, mk_text, options, out, reserved};
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object};
use crate::status::{MK_OK, mk_status};

/// Ends calls from another thread. Opaque.
pub struct mk_cancel(());

/// Bytes.
pub const MK_UNIT_BYTES: u32 = 1;
/// Messages.
pub const MK_UNIT_MESSAGES: u32 = 2;
/// Contents: different mails.
pub const MK_UNIT_CONTENTS: u32 = 3;
/// Commits of the records.
pub const MK_UNIT_COMMITS: u32 = 4;
/// Steps of a call whose parts cannot be compared.
pub const MK_UNIT_STEPS: u32 = 5;

/// How far a call is. Lives during the callback.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_step {
    /// The size of the struct.
    pub size: u32,
    /// What is counted: `MK_UNIT_…`. Later versions may add numbers.
    pub unit: u32,
    /// What is done, in this unit.
    pub done: u64,
    /// What there is to do; 0 if that is not known.
    pub total: u64,
    /// What the call is doing, in a few English words.
    pub activity: mk_text,
}

/// Receives how far a call is, from any thread, one call at a time. Another number than 0 ends this call with `MK_STOPPED`, and no
/// other that uses the same `mk_cancel`.
pub type mk_progress_fn = Option<unsafe extern "C" fn(payload: *mut c_void, step: *const mk_step) -> i32>;

/// How a long call is followed and ended. NULL where one is expected means: not at all.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_progress {
    /// `sizeof(mk_progress)`.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Ends the call when it is cancelled; may be NULL.
    pub cancel: *const mk_cancel,
    /// Receives the progress; may be NULL.
    pub report: mk_progress_fn,
    /// The first argument of `report`.
    pub payload: *mut c_void,
}

impl Default for mk_progress {
    fn default() -> Self {
        Self { size: size_of::<Self>() as u32, reserved: 0, cancel: std::ptr::null(), report: None, payload: std::ptr::null_mut() }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers; a handle is looked up, and `report` is the
// caller's.
unsafe impl Sized32 for mk_progress {
    const FIRST_SIZE: usize = 32;
}

/// Each call that uses it has a progress of its own, so that one that ends itself ends no other.
#[derive(Default)]
pub(crate) struct Cancel(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    is_cancelled: bool,
    begun: u64,
    under_way: Vec<(u64, Progress)>,
}

impl Object for Cancel {
    type Handle = mk_cancel;
    const KIND: Kind = Kind::Cancel;
}

impl Cancel {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(self: Arc<Self>, progress: &Progress) -> Watched {
        let mut calls = self.calls();
        if calls.is_cancelled {
            progress.cancel();
        }
        calls.begun += 1;
        let number = calls.begun;
        calls.under_way.push((number, progress.clone()));
        drop(calls);
        Watched { cancel: self, number }
    }
}

/// A call that can be ended, while this lives.
struct Watched {
    cancel: Arc<Cancel>,
    number: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.cancel.calls().under_way.retain(|(number, _)| *number != self.number);
    }
}

/// The library's form of what the caller passed.
///
/// # Safety
///
/// As for [`options`]; `report` can be called with `payload` until the call returns.
pub(crate) unsafe fn progress(given: *const mk_progress) -> Result<Progress, Fault> {
    // SAFETY: the caller's contract.
    let given = unsafe { options(given) }?;
    reserved(given.reserved)?;
    let base = Progress::new();
    let watched = match given.cancel.is_null() {
        true => None,
        false => Some(handle::get::<Cancel>(given.cancel)?.watch(&base)),
    };
    let (report, payload) = (given.report, Payload(given.payload));
    if report.is_none() && watched.is_none() {
        return Ok(base);
    }
    Ok(base.with_report(move |step| {
        // It is dropped with this closure, which lives as long as the call.
        let _watched = &watched;
        let Some(report) = report else { return ControlFlow::Continue(()) };
        let unit = match step.unit {
            Unit::Bytes => MK_UNIT_BYTES,
            Unit::Messages => MK_UNIT_MESSAGES,
            Unit::Contents => MK_UNIT_CONTENTS,
            Unit::Commits => MK_UNIT_COMMITS,
            _ => MK_UNIT_STEPS,
        };
        let activity = mk_text::borrowed(step.activity);
        let of_c = mk_step { size: size_of::<mk_step>() as u32, unit, done: step.done, total: step.total.unwrap_or(0), activity };
        // SAFETY: the caller's contract: it lives as long as the call, and this closure is dropped with it.
        match unsafe { report(payload.get(), &raw const of_c) } {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }))
}

/// Makes an object that ends calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_cancel_new(cancel: *mut *mut mk_cancel, error: *mut mk_error) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a pointer.
        let place = unsafe { out(cancel) }?;
        place.write(handle::put(Arc::new(Cancel::default()), None)?);
        Ok(MK_OK)
    })
}

/// Ends the calls that use it, soon, and those that begin with it later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_cancel_now(cancel: *const mk_cancel, error: *mut mk_error) -> mk_status {
    call(error, || {
        let cancel = handle::get::<Cancel>(cancel)?;
        let mut calls = cancel.calls();
        calls.is_cancelled = true;
        calls.under_way.iter().for_each(|(_, progress)| progress.cancel());
        Ok(MK_OK)
    })
}

/// Frees it. Calls that use it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_cancel_free(cancel: *mut mk_cancel) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<Cancel>(cancel)?);
        Ok(MK_OK)
    })
}
