//! The thread of a store, which writes and merges catalog and index so that nobody waits for it. It is started when
//! there is something to do, and joined when the store is closed.
//!
//! There is one thread, and between two pages of a merge it does what is more urgent: a merge may take minutes, and
//! changes that wait for a flush take memory. If the system gives no thread, whoever would wake it does the work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use archive_index::BetweenPages;

use super::Store;
use super::indexer::failed;
use crate::error::Error;

/// Closing does merges of up to so many documents or pages: they take a moment, and otherwise many short sessions would
/// leave many files.
const SMALL_DOCS: u32 = 16 << 10;
const SMALL_PAGES: usize = 256;
/// With so many files of one kind, closing merges whatever it takes.
const MANY_FILES: usize = 64;

/// The thread of a store and what it is told.
#[derive(Default)]
pub(super) struct Background {
    state: Mutex<State>,
    changed: Condvar,
    /// There is something to do that does not wait for the end of a merge.
    due: AtomicBool,
    ended: AtomicBool,
}

#[derive(Default)]
struct State {
    store: Weak<Store>,
    thread: Option<JoinHandle<()>>,
    /// An error that nobody was told yet.
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

    /// Waits until something is due, `true`, or nothing will be any more.
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

    /// An error of the thread that nobody was told yet.
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

/// While it lives the store may have a thread; dropping it ends the thread.
pub(crate) struct Attended(Arc<Store>);

impl Attended {
    pub(crate) fn begin(store: &Arc<Store>) -> Self {
        store.background.state().store = Arc::downgrade(store);
        Self(Arc::clone(store))
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.background.end();
    }
}

impl Store {
    /// Lets the thread look for work. `false`: there is no thread.
    pub(super) fn wake(&self) -> bool {
        let background = &self.background;
        let mut state = background.state();
        if background.has_ended() {
            return false;
        }
        background.due.store(true, Ordering::Release);
        // A thread that ended did so in a panic, and its work is due again.
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

    /// Ends the thread, so that what follows is done by the caller alone.
    pub(super) fn end_background(&self) {
        self.background.end();
    }

    /// Does what is due; what fails is tried again when the thread is woken next time.
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

    /// Writes what takes memory, and feeds the index with what nobody else does.
    fn do_urgent(&self) {
        if self.catalog().memory_len() >= self.catalog_due() {
            // If it fails, whoever needs the room tries again and is told why.
            let _told_later = self.flush_catalog();
        }
        let fed = self.write_index_if_full().and_then(|()| self.feed_index()).and_then(|()| self.write_index_if_full());
        self.note_failure(fed);
    }

    fn note_failure(&self, done: Result<(), Error>) {
        match done {
            // A cache that cannot be written lags, and a stopped merge is done another time.
            Ok(()) | Err(Error::Io(_) | Error::Stopped) => {}
            Err(error) => drop(self.background.state().failed.get_or_insert(error)),
        }
    }

    /// Merges what closing may take the time for.
    pub(super) fn merge_small(&self) -> Result<(), Error> {
        let unhurried: BetweenPages = Arc::new(|| true);
        let docs = if self.indexer.index().segments() < MANY_FILES { SMALL_DOCS } else { u32::MAX };
        let pages = if self.catalog().runs() < MANY_FILES { SMALL_PAGES } else { usize::MAX };
        self.merge_index(docs, &unhurried).and_then(|()| self.merge_catalog(pages, &|| true))
    }

    /// Merges segments of the index of at most `most` documents. One that turns out to be damaged is given up.
    fn merge_index(&self, most: u32, between: &BetweenPages) -> Result<(), Error> {
        if !self.indexer.is_enabled() {
            return Ok(());
        }
        while self.given_up(self.indexer.index().merge_some(most, between).map_err(failed))?.unwrap_or(false) {}
        Ok(())
    }

    /// With so many bytes of changes the catalog is written: three quarters of its share, so that the rest takes the changes
    /// that come meanwhile, and runs are large: a look-up asks each of them.
    pub(super) fn catalog_due(&self) -> usize {
        self.options.flush_bytes / 4 * 3
    }

    /// Writes recent changes of the catalog and names them in its manifest, while it is read and takes commits over.
    pub(super) fn flush_catalog(&self) -> Result<(), Error> {
        let _naming = self.naming();
        let frozen = {
            // Fails for a store that must not be written: its catalog may have half of a commit.
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

    /// Merges runs of the catalog of at most `most` pages, while it is read, written and takes commits over.
    fn merge_catalog(&self, most: usize, between: &dyn Fn() -> bool) -> Result<(), Error> {
        while let Some(due) = self.catalog().due().filter(|due| due.pages() <= most) {
            let merged = match self.catalog().write_merged(due, between) {
                // The new runs are kept beside runs that can no longer be read.
                Err(Error::Damage(_)) => return Ok(()),
                merged => merged?,
            };
            let _naming = self.naming();
            let view = self.catalog();
            view.name_merged(&merged)?;
            self.catalog_mut().take_merged(&merged);
            view.remove_merged(&merged)?;
        }
        Ok(())
    }

    /// One thread at a time writes runs and the manifest of the catalog.
    pub(super) fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
