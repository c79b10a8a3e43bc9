//! The idle marker: a thread that sleeps until the writer is idle, and then notes on disk that everything is synced.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Opened;
use super::master::Master;
use super::stores::Stores;
use crate::error::Error;
use crate::store::Idle;

/// The thread, which ends when this is dropped.
pub(super) struct IdleMarker {
    idle: Arc<Idle>,
    thread: Option<JoinHandle<()>>,
}

impl IdleMarker {
    /// Starts the thread. If the system provides none, nothing is marked before the archive is closed, which costs the
    /// next open some time.
    fn watch(idle: &Arc<Idle>, stores: &Arc<Stores>, master: &Arc<Mutex<Master>>) -> Self {
        let (watched, stores, master) = (Arc::clone(idle), Arc::clone(stores), Arc::clone(master));
        let work = move || {
            while watched.wait() {
                if mark(&stores, &master).is_err() {
                    // The store is latched, and the next write returns the reason.
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("mailkeep-idle".to_owned()).spawn(work).ok();
        Self { idle: Arc::clone(idle), thread }
    }
}

impl Drop for IdleMarker {
    fn drop(&mut self) {
        self.idle.end();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// The stores first, so that what the master notes of them is durable.
pub(super) fn mark(stores: &Stores, master: &Mutex<Master>) -> Result<(), Error> {
    let mut master = master.lock().unwrap_or_else(PoisonError::into_inner);
    let mut heads = Vec::new();
    // Of a store that is barred, what the master noted is the only evidence that it was rolled back.
    for store in stores.open().iter().filter(|store| store.barred().is_none()) {
        store.mark(master.seen_head())?;
        heads.push(store.seen_head());
    }
    master.mark(heads)
}

impl Opened {
    pub(super) fn mark(&self) -> Result<(), Error> {
        mark(&self.stores, &self.master)
    }

    /// Notes that the master has a commit.
    pub(super) fn committed(&self) {
        self.opener.options.idle.committed();
    }

    pub(super) fn watched(mut self) -> Self {
        self.committed();
        self.idle = Some(IdleMarker::watch(&self.opener.options.idle, &self.stores, &self.master));
        self
    }
}
