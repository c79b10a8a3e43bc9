//! Holds an archive still, so that its folder can be copied.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use archive_core::Frozen;

use crate::archive::{ArchiveObject, mk_archive};
use crate::argument::out;
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object, number};
use crate::status::{MK_MISUSE, MK_OK, mk_status};

/// An archive that does not change. Opaque.
pub struct mk_frozen(());

/// Until it is thawed.
struct FrozenObject(Mutex<Option<Frozen>>);

impl Object for FrozenObject {
    type Handle = mk_frozen;
    const KIND: Kind = Kind::Frozen;
}

/// Holds everything that changes a file of the archive, for at most `max_ms` milliseconds, so that its folder can be copied,
/// or a snapshot of its volume taken: such a copy has all mail that had a receipt before. Reading and searching go on; other
/// calls wait, in this thread too, until `mk_frozen_thaw`, `mk_frozen_free`, or the time is over. `mk_archive_close` thaws
/// at once. `MK_MISUSE` if the archive is frozen already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_freeze(
    frozen: *mut *mut mk_frozen,
    archive: *const mk_archive,
    max_ms: u64,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a pointer; looked at before anything is done.
        let place = unsafe { out(frozen) }?;
        let object = handle::get::<ArchiveObject>(archive)?;
        let made = object.archive.freeze(Duration::from_millis(max_ms))?;
        place.write(handle::put(Arc::new(FrozenObject(Mutex::new(Some(made)))), Some(number(archive)))?);
        Ok(MK_OK)
    })
}

/// Lets the archive change again. `held` gets 1 if nothing had changed until now, and 0 if the time was over: then a copy
/// that was not complete by then must not be used. `frozen` is spent: a second call is `MK_MISUSE`, and `mk_frozen_free` is still needed. If
/// the archive was closed before, the handle was freed with it (`MK_BAD_HANDLE`), and the copy must not be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_frozen_thaw(held: *mut i32, frozen: *const mk_frozen, error: *mut mk_error) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a number; looked at before anything is done.
        let place = unsafe { out(held) }?;
        let object = handle::get::<FrozenObject>(frozen)?;
        let held = object.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let spent = || Fault::new(MK_MISUSE, "this mk_frozen was used up by mk_frozen_thaw; free it, and freeze the archive again");
        place.write(i32::from(held.ok_or_else(spent)?.thaw()));
        Ok(MK_OK)
    })
}

/// Frees it, and lets the archive change again if it was not thawed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_frozen_free(frozen: *mut mk_frozen) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<FrozenObject>(frozen)?);
        Ok(MK_OK)
    })
}
