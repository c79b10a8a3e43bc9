//! Search: requests as JSON, hits as pages.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, TryLockError};

use archive_core::{SearchPages, SearchRequest};

use crate::argument::{id_of, mk_message_id, out, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object};
use crate::page::{PageObject, mk_page};
use crate::progress::{mk_progress, progress};
use crate::session::{mk_session, session, with_archive};
use crate::status::{MK_BUSY, MK_END, MK_OK, mk_status};

/// A search that is read page by page. Opaque.
pub struct mk_search(());

pub(crate) struct SearchObject(Mutex<SearchPages>);

impl Object for SearchObject {
    type Handle = mk_search;
    const KIND: Kind = Kind::Search;
}

/// A request, followed by the caller.
///
/// # Safety
///
/// `data` is NULL or text of this length, and `given` NULL or a struct with its size.
unsafe fn request(data: *const c_char, length: usize, given: *const mk_progress) -> Result<SearchRequest, Fault> {
    // SAFETY: the caller's contract.
    let (json, progress) = unsafe { (text(data, length)?, progress(given)?) };
    Ok(SearchRequest::from_json(json)?.progress(&progress))
}

/// Searches once, and returns a page. A request is JSON: `{"query":"invoice","limit":50}`. Without `limit`, the page has all hits.
/// It may have instead of `query` the `criteria` of docs/SEARCH.md, and `after` (a cursor), `now` (milliseconds), `counts` (such as
/// `["year","from"]`), `snippets`, `subject_words`, `suggestions` and `once` (`true`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_search(
    page: *mut *mut mk_page,
    of: *const mk_session,
    json: *const c_char,
    json_length: usize,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, a struct with its size, and a place for a pointer.
        unsafe {
            let request = request(json, json_length, given)?;
            PageObject::of_search(session(of)?.search(&request)?)?.give(page)
        }
    })
}

/// Begins a search that is read page by page with `mk_search_next`. It runs once, and all hits cost one pass. What `given`
/// names, its callback and payload, must live until the search is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_search_begin(
    search: *mut *mut mk_search,
    of: *const mk_session,
    json: *const c_char,
    json_length: usize,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, a struct with its size, and a place for a pointer.
        let (place, request) = unsafe { (out(search)?, request(json, json_length, given)?) };
        let (session, archive) = with_archive(of)?;
        let pages = session.search_pages(&request)?;
        place.write(handle::put(Arc::new(SearchObject(Mutex::new(pages))), archive)?);
        Ok(MK_OK)
    })
}

/// The next page of a search, of at most `most` hits; 0 is the `limit` of the request, or all that are left if it has none.
/// `MK_END` after the last one; there is always a first one. `MK_BUSY` while another call reads from it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_search_next(page: *mut *mut mk_page, search: *const mk_search, most: usize, error: *mut mk_error) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { out(page) }?;
        let object = handle::get::<SearchObject>(search)?;
        let mut pages = match object.0.try_lock() {
            Ok(pages) => pages,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Fault::new(MK_BUSY, "another call reads from this search")),
        };
        if most > 0 {
            pages.set_limit(most);
        }
        match pages.next() {
            None => Ok(MK_END),
            // SAFETY: the same.
            Some(found) => unsafe { PageObject::of_search(found?)?.give(page) },
        }
    })
}

/// Frees a search, read to its end or not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_search_free(search: *mut mk_search) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<SearchObject>(search)?);
        Ok(MK_OK)
    })
}

/// How the query of a request is read, clause by clause, and what each clause finds alone, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_explain(
    clauses: *mut *mut mk_buffer,
    of: *const mk_session,
    json: *const c_char,
    json_length: usize,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, a struct with its size, and a place for a pointer.
        unsafe {
            let request = request(json, json_length, given)?;
            Buffer::json(&session(of)?.explain(&request)?)?.give(clauses)
        }
    })
}

/// Which clauses of a request a message meets, and in which fields their words are, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_why(
    verdicts: *mut *mut mk_buffer,
    of: *const mk_session,
    id: mk_message_id,
    json: *const c_char,
    json_length: usize,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, a struct with its size, and a place for a pointer.
        unsafe {
            let request = request(json, json_length, given)?;
            Buffer::json(&session(of)?.why(id_of(id), &request)?)?.give(verdicts)
        }
    })
}

/// Of the first `most` messages for which text that could not be read would decide: what could not be read, and why, as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_undecided(
    parts: *mut *mut mk_buffer,
    of: *const mk_session,
    json: *const c_char,
    json_length: usize,
    most: usize,
    given: *const mk_progress,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, a struct with its size, and a place for a pointer.
        unsafe {
            let request = request(json, json_length, given)?;
            Buffer::json(&session(of)?.undecided(&request, most)?)?.give(parts)
        }
    })
}

/// Reads a query or criteria and returns them as the versioned JSON form that can be kept, such as for a saved search. `MK_QUERY` with
/// the bytes at fault in the error's JSON if they cannot be understood.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_criteria_read(
    criteria: *mut *mut mk_buffer,
    json: *const c_char,
    json_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes text of this length, and a place for a pointer.
        unsafe {
            let read = SearchRequest::from_json(text(json, json_length)?)?;
            Buffer::new(read.criteria().to_json().into_bytes()).give(criteria)
        }
    })
}
