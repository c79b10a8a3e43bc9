//! What checks, repairs and measures an archive, and keeps its index.

use std::ffi::c_char;

use archive_core::{Depth, IndexConfiguration, RepairOptions};
use serde_json::json;

use crate::argument::{optional_text, out, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session};
use crate::status::{MK_BAD_ARGUMENT, MK_MISUSE, MK_OK, mk_status};

/// Totals and disk usage, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_stats(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a struct with its size, and a place for a pointer.
        unsafe { Buffer::json(&session(of)?.stats(&progress(given)?)?)?.give(json) }
    })
}

/// Media types of attachments that are not searched, each with the number of contents, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_types_not_read(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a struct with its size, and a place for a pointer.
        unsafe { Buffer::json(&session(of)?.types_not_read(&progress(given)?)?)?.give(json) }
    })
}

/// A page of the parts that searches cannot look into, as JSON: `items`, `cursor`. `cursor` is NULL for the first page.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_not_searchable(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    cursor: *const c_char,
    cursor_length: usize,
    most: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and a place for a pointer.
        unsafe {
            let cursor = optional_text(cursor, cursor_length)?;
            Buffer::json(&session(of)?.not_searchable_page(cursor, most)?)?.give(json)
        }
    })
}

/// Every frame of every file, and every mail against its digest.
pub const MK_VERIFY_EVERYTHING: u32 = 0;
/// Every frame of every file.
pub const MK_VERIFY_STRUCTURE: u32 = 1;
/// A part of the mails and containers, and all other files.
pub const MK_VERIFY_PART: u32 = 2;
/// Added to these: what was found is recorded as known, except what can be rebuilt.
pub const MK_VERIFY_ACCEPT: u32 = 0x100;

/// Reads everything and checks everything. With `MK_VERIFY_PART`, part `part` of `parts`, counted from 1; else both are 0
/// (`MK_MISUSE`).
/// `report` gets what was read and found, as JSON; damage is no failure of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_verify(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    depth: u32,
    part: u32,
    parts: u32,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let reach = match depth & !MK_VERIFY_ACCEPT {
            MK_VERIFY_EVERYTHING | MK_VERIFY_STRUCTURE if part != 0 || parts != 0 => {
                return Err(Fault::new(MK_MISUSE, "a part can be verified with MK_VERIFY_PART alone; give it, or 0 and 0"));
            }
            MK_VERIFY_EVERYTHING => Depth::Everything,
            MK_VERIFY_STRUCTURE => Depth::Structure,
            MK_VERIFY_PART => Depth::Part { no: part, of: parts },
            number => return Err(Fault::new(MK_BAD_ARGUMENT, format!("{number} is not a depth that this version knows"))),
        };
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer; looked at before anything is done.
        unsafe { out(report) }?;
        // SAFETY: C passes NULL, or a struct with its size.
        let mut found = session.verify(reach, &unsafe { progress(given) }?)?;
        if depth & MK_VERIFY_ACCEPT != 0 {
            session.accept_damage(&mut found)?;
        }
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&found)?.give(report) }
    })
}

/// A state that is not what was recorded is accepted.
pub const MK_REPAIR_ACCEPT_STATE: u32 = 1;
/// Nothing is done; the report says what would be.
pub const MK_REPAIR_DRY_RUN: u32 = 2;

/// Makes an archive that refuses mail accept it again. `report` gets what was done, as JSON. Close the archive afterwards and
/// open it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_repair(
    report: *mut *mut mk_buffer,
    of: *const mk_session,
    flags: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        if flags & !(MK_REPAIR_ACCEPT_STATE | MK_REPAIR_DRY_RUN) != 0 {
            return Err(Fault::new(MK_BAD_ARGUMENT, format!("{flags:#x} has flags that no version knows; see MK_REPAIR_…")));
        }
        let options = RepairOptions { accept_state: flags & MK_REPAIR_ACCEPT_STATE != 0, dry_run: flags & MK_REPAIR_DRY_RUN != 0 };
        let session = session(of)?;
        // SAFETY: C passes NULL or a place for a pointer; looked at before anything is done.
        unsafe { out(report) }?;
        let done = session.repair(options)?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&done)?.give(report) }
    })
}

/// The indexes of a store, or of all with 0, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_store_indexes(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    store: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let indexes = session(of)?.store_indexes((store != 0).then_some(store))?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&indexes)?.give(json) }
    })
}

/// Rebuilds the index of a store from its mails. Until it is done, searches use the old one, which stays if the call is ended.
/// `MK_MISUSE` while a compaction is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_rebuild_store_index(
    of: *const mk_session,
    store: u32,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL, or a struct with its size.
        session(of)?.rebuild_store_index(store, &unsafe { progress(given) }?)?;
        Ok(MK_OK)
    })
}

/// Marks all indexes for `mk_session_rebuild_selected_store_indexes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_select_all_store_indexes(of: *const mk_session, error: *mut mk_error) -> mk_status {
    call(error, || {
        session(of)?.select_all_store_indexes_for_rebuild()?;
        Ok(MK_OK)
    })
}

/// Rebuilds the indexes that are marked or need it. `rebuilt` gets how many. `MK_MISUSE` while a compaction is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_rebuild_selected_store_indexes(
    rebuilt: *mut u64,
    of: *const mk_session,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes a place for a number, and NULL or a struct with its size.
        let (place, progress) = unsafe { (out(rebuilt)?, progress(given)?) };
        place.write(session(of)?.rebuild_selected_store_indexes(&progress)? as u64);
        Ok(MK_OK)
    })
}

/// What the index covers besides text, as JSON: `types`, the media types of attachments that are to be searched.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_index_configuration(
    json: *mut *mut mk_buffer,
    of: *const mk_session,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        let configuration = session(of)?.index_configuration()?;
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&json!({ "types": configuration.types }))?.give(json) }
    })
}

/// Sets what the index covers from now on: JSON such as `{"types":["application/pdf"]}`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_set_index_configuration(
    of: *const mk_session,
    json: *const c_char,
    json_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length.
        let given: serde_json::Value = serde_json::from_str(unsafe { text(json, json_length) }?)
            .map_err(|error| Fault::new(MK_BAD_ARGUMENT, format!("the configuration is not JSON: {error}")))?;
        let types = given["types"].as_array().and_then(|types| types.iter().map(|media| media.as_str().map(str::to_owned)).collect());
        let Some(types) = types else {
            return Err(Fault::new(
                MK_BAD_ARGUMENT,
                r#"the configuration has no list of texts `types`; give {"types":["application/pdf"]}"#,
            ));
        };
        session(of)?.set_index_configuration(&IndexConfiguration { types })?;
        Ok(MK_OK)
    })
}
