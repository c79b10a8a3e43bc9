//! The background thread of a store. It writes and merges the catalog and the index, so that no caller waits for that.
//! It is started when there is work, and joined when the store is closed.
//!
//! There is one thread, and between two pages of a merge it does more urgent work: a merge may take minutes, and
//! changes that wait for a flush take memory. If the system refuses a thread, the caller that would wake it does the
//! work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use archive_index::BetweenPages;

use super::Store;
use super::index::failed;
use crate::catalog::Merged;
use crate::error::Error;
use crate::progress::Progress;

/// Closing does merges of up to this many documents or pages: they are quick, and without them many short sessions
/// would leave many files.
const SMALL_DOCS: u32 = 16 << 10;
const SMALL_PAGES: usize = 256;
/// With this many files of one kind, closing merges however long it takes.
const MANY_FILES: usize = 64;

/// The thread of a store, and its state.
#[derive(Default)]
pub(super) struct Background {
    state: Mutex<State>,
    changed: Condvar,
    /// There is work that must not wait for the end of a merge.
    due: AtomicBool,
    ended: AtomicBool,
}

#[derive(Default)]
struct State {
    store: Weak<Store>,
    thread: Option<JoinHandle<()>>,
    /// An error that was not reported yet.
    failed: Option<Error>,
}

impl Background {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn take_due(&self) -> bool {
        self.due.load(Ordering::Acquire) && self.due.swap(false, Ordering::AcqRel)
    }

    /// Waits until work is due and returns `true`; returns `false` when the thread is to end.
    fn wait(&self) -> bool {
        let mut state = self.state();
        while !self.has_ended() {
            if self.take_due() {
                return true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        false
    }

    /// Returns an error of the thread that was not reported yet.
    pub(super) fn failure(&self) -> Result<(), Error> {
        self.state().failed.take().map_or(Ok(()), Err)
    }

    /// Ends the thread: a merge stops at its next page.
    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let thread = {
            let mut state = self.state();
            state.store = Weak::new();
            state.thread.take()
        };
        self.changed.notify_all();
        if let Some(thread) = thread {
            let _panicked = thread.join();
        }
    }
}

/// While this exists, the store may have a thread; dropping it ends the thread.
pub(crate) struct Attended(Arc<Store>);

impl Attended {
    pub(crate) fn begin(store: &Arc<Store>) -> Self {
        store.background.state().store = Arc::downgrade(store);
        store.background.ended.store(false, Ordering::Release);
        Self(Arc::clone(store))
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.background.end();
    }
}

impl Store {
    /// Wakes the thread to look for work. Returns `false` if there is no thread.
    pub(super) fn wake(&self) -> bool {
        let background = &self.background;
        let mut state = background.state();
        if background.has_ended() {
            return false;
        }
        background.due.store(true, Ordering::Release);
        // A thread can only have ended in a panic here, and its work is due again.
        if state.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            let Some(store) = state.store.upgrade() else { return false };
            let work = move || {
                while store.background.wait() {
                    store.look_after();
                }
            };
            state.thread = std::thread::Builder::new().name("mailkeep-index".to_owned()).spawn(work).ok();
        }
        background.changed.notify_all();
        state.thread.is_some()
    }

    /// Ends the thread; from then on the caller alone does the work.
    pub(super) fn end_background(&self) {
        self.background.end();
    }

    /// Does what is due. What fails is tried again when the thread is woken next.
    fn look_after(self: &Arc<Self>) {
        self.do_urgent();
        let store = Arc::clone(self);
        let between: BetweenPages = Arc::new(move || {
            if store.background.take_due() {
                store.do_urgent();
            }
            !store.background.has_ended()
        });
        let merged = self.merge_index(u32::MAX, &between).and_then(|()| self.merge_catalog(usize::MAX, &*between));
        self.note_failure(merged);
    }

    /// Writes what takes memory, and feeds the index with documents that no caller adds.
    fn do_urgent(&self) {
        if self.catalog().memory_len() >= self.catalog_due() {
            // If this fails, the caller that needs the memory tries again and gets the error.
            let _told_later = self.flush_catalog();
        }
        let fed = self.write_index_if_full().and_then(|()| self.feed_index()).and_then(|()| self.write_index_if_full());
        self.note_failure(fed);
    }

    fn note_failure(&self, done: Result<(), Error>) {
        match done {
            // A cache that cannot be written catches up later, and a stopped merge is done later.
            Ok(()) | Err(Error::Io(_) | Error::Stopped) => {}
            Err(error) => drop(self.background.state().failed.get_or_insert(error)),
        }
    }

    /// Does the merges that closing has time for.
    pub(super) fn merge_small(&self, progress: &Progress) -> Result<(), Error> {
        let watched = progress.clone();
        let between: BetweenPages = Arc::new(move || !watched.is_cancelled());
        let docs = if self.indexer.index().segments() < MANY_FILES { SMALL_DOCS } else { u32::MAX };
        let pages = if self.catalog().runs() < MANY_FILES { SMALL_PAGES } else { usize::MAX };
        self.merge_index(docs, &between).and_then(|()| self.merge_catalog(pages, &*between))
    }

    /// Merges segments of the index with at most `most` documents. A segment that turns out to be damaged is given up.
    fn merge_index(&self, most: u32, between: &BetweenPages) -> Result<(), Error> {
        if !self.indexer.is_enabled() {
            return Ok(());
        }
        while self.given_up(self.indexer.index().merge_some(most, between).map_err(failed))?.unwrap_or(false) {}
        Ok(())
    }

    /// The bytes of changes at which the catalog is written. Three quarters of the budget leave room for changes that
    /// arrive meanwhile; and runs should be large, since a look-up reads each of them.
    pub(super) fn catalog_due(&self) -> usize {
        self.options.flush_bytes / 4 * 3
    }

    /// Writes recent changes of the catalog and names them in its manifest. Meanwhile the catalog can be read, and
    /// applies commits.
    pub(super) fn flush_catalog(&self) -> Result<(), Error> {
        let _naming = self.naming();
        let frozen = {
            // This fails for a store that must not be written: its catalog may have half of a commit.
            let _writer = self.writer()?;
            if !self.catalog_mut().freeze() {
                return Ok(());
            }
            self.catalog()
        };
        let written = frozen.write_frozen()?;
        self.catalog_mut().adopt(written);
        Ok(())
    }

    /// Merges runs of the catalog with at most `most` pages. Meanwhile the catalog can be read and written, and applies
    /// commits.
    fn merge_catalog(&self, most: usize, between: &dyn Fn() -> bool) -> Result<(), Error> {
        loop {
            let _merging = self.merging();
            let Some(due) = self.catalog().due().filter(|due| due.pages() <= most) else { return Ok(()) };
            let merged = match self.catalog().write_merged(due, between) {
                // Runs that can no longer be read are not merged; the new runs are kept beside them.
                Err(Error::Damage(_)) => return Ok(()),
                merged => merged?,
            };
            self.adopt_merged(&merged)?;
        }
    }

    /// Writes all runs of the catalog anew, without what leads to something erased.
    pub(super) fn purge_catalog(&self, between: &dyn Fn() -> bool) -> Result<(), Error> {
        let _merging = self.merging();
        match self.catalog().write_purged(between)? {
            Some(merged) => self.adopt_merged(&merged),
            None => Ok(()),
        }
    }

    /// Removes runs that are no longer in use.
    pub(super) fn sweep_catalog(&self) -> Result<(), Error> {
        let (_merging, _naming) = (self.merging(), self.naming());
        self.catalog().remove_leftovers()
    }

    fn adopt_merged(&self, merged: &Merged) -> Result<(), Error> {
        let _naming = self.naming();
        let view = self.catalog();
        view.name_merged(merged)?;
        self.catalog_mut().take_merged(merged);
        view.remove_merged(merged)
    }

    fn merging(&self) -> MutexGuard<'_, ()> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by the one thread that writes runs and the manifest of the catalog.
    pub(super) fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
