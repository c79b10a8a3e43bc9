//! The idle marker: once the writer is idle, it notes on disk that everything is synced.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Opened;
use super::master::Master;
use super::stores::Stores;
use crate::error::Error;
use crate::store::{Due, Idle};
use crate::timer::{Scheduled, schedule};
use crate::vfs::Freezer;

/// How often it is looked whether an archive is still frozen.
const WHILE_FROZEN: Duration = Duration::from_millis(500);

/// Marks the archive whenever its writer is idle, until this is dropped.
pub(super) struct IdleMarker {
    idle: Arc<Idle>,
    _scheduled: Scheduled,
}

impl IdleMarker {
    /// If the system provides no thread, nothing is marked before the archive is closed, which costs the next open some
    /// time.
    fn watch(idle: &Arc<Idle>, stores: &Arc<Stores>, master: &Arc<Mutex<Master>>, freezer: &Arc<Freezer>) -> Self {
        let (watched, stores, master, freezer) = (Arc::clone(idle), Arc::clone(stores), Arc::clone(master), Arc::clone(freezer));
        let scheduled = Scheduled::new(move || {
            // The thread is that of all archives, and must not wait for one that is frozen.
            if freezer.is_shut() {
                return Some(Instant::now() + WHILE_FROZEN);
            }
            match watched.take_due() {
                Due::Nothing => None,
                Due::At(at) => Some(at),
                Due::Now => {
                    // If this fails, the store is latched, and the next write returns the reason.
                    let _latched = mark(&stores, &master);
                    None
                }
            }
        });
        let number = scheduled.number();
        idle.set_on_commit(Some(Box::new(move || schedule(number, Instant::now()))));
        // As after a commit: what the open found has no mark either.
        idle.committed();
        schedule(number, Instant::now());
        Self { idle: Arc::clone(idle), _scheduled: scheduled }
    }
}

impl Drop for IdleMarker {
    fn drop(&mut self) {
        self.idle.set_on_commit(None);
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
        self.idle = Some(IdleMarker::watch(&self.opener.options.idle, &self.stores, &self.master, &self.freezer));
        self
    }
}
