//! The idle marker: a thread that sleeps until the writer is idle, and then notes on disk that everything is synced.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Opened;
use super::master::Master;
use crate::error::Error;
use crate::store::Store;

/// The thread, which ends when this is dropped.
pub(super) struct IdleMarker {
    store: Arc<Store>,
    thread: Option<JoinHandle<()>>,
}

impl IdleMarker {
    /// Starts the thread. If the system provides none, nothing is marked before the archive is closed, which costs the
    /// next open some time.
    fn watch(store: &Arc<Store>, master: &Arc<Mutex<Master>>) -> Self {
        let (watched, master) = (Arc::clone(store), Arc::clone(master));
        let work = move || {
            while watched.idle().wait() {
                if mark(&watched, &master).is_err() {
                    // The store is latched, and the next write returns the reason.
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("mailkeep-idle".to_owned()).spawn(work).ok();
        Self { store: Arc::clone(store), thread }
    }
}

impl Drop for IdleMarker {
    fn drop(&mut self) {
        self.store.idle().end();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// The store first, so that what the master notes of it is durable.
pub(super) fn mark(store: &Store, master: &Mutex<Master>) -> Result<(), Error> {
    let mut master = master.lock().unwrap_or_else(PoisonError::into_inner);
    if store.barred().is_some() {
        // What the master noted is the only evidence that the store was rolled back.
        return master.mark_as_noted();
    }
    store.mark(master.seen_head())?;
    master.mark(store.seen_head())
}

impl Opened {
    pub(super) fn mark(&self) -> Result<(), Error> {
        mark(&self.store, &self.master)
    }

    pub(super) fn watched(mut self) -> Self {
        self.store.idle().committed();
        self.idle = Some(IdleMarker::watch(&self.store, &self.master));
        self
    }
}
