//! Many stores as one: the public face of the library.
//!
//! An [`Archive`] is a folder with a master (which stores, which settings) and its stores. One process has it open for
//! writing. Every call that reads, searches or changes names an [`Actor`], by [`Archive::acting_as`].

mod actor;
mod check;
mod committer;
mod create;
mod export;
mod foreign;
#[cfg(test)]
mod from_later_versions;
mod gaps;
mod identity;
mod idle;
mod import;
mod import_one;
mod indexes;
mod inside;
mod jobs;
mod key;
mod list;
mod lock;
mod lost;
mod master;
mod open;
mod parts;
mod plan;
mod prepare;
mod read;
mod receipt;
mod repair;
mod search;
mod unfinished;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use actor::{Acting, Actor, FolderScope, User};
pub use check::CheckReport;
pub use create::CreateOptions;
pub use export::{ExportEvent, ExportOptions, ExportReport};
pub use gaps::NotSearchable;
pub use import::{ImportEvents, ImportOptions, ImportReport, ImportSource, LabelRule, NoEvents, Stop};
pub use indexes::{IndexConfiguration, RebuildProgress, StoreIndex};
pub use key::KeyStatus;
pub use list::{FolderInfo, StatsReport};
pub use lost::{LostFileInfo, LostMail, LostReport};
pub use open::OpenOptions;
pub use parts::PartSink;
pub use plan::ImportPlan;
pub use receipt::{Outcome, Receipt};
pub use repair::{RepairOptions, RepairReport};
pub use search::{
    ClauseReport, ClauseVerdict, CountBy, Counts, Coverage, DateRange, HitSnippet, Level, Order, OrderKey, SearchCriteria, SearchField,
    SearchPages, SearchRequest, SearchResult, SizeRange, Suggestions, read_zone,
};
pub use verify::{Depth, Finding, VerifyReport};

use crate::error::{Damage, Error};
use crate::id::Uuid;
use crate::seal::SecretKey;
use crate::store::{Attended, Recovery, Store};
use crate::vfs::Vfs;

/// An archive open for reading and writing. Closing it is better than dropping it: the next open is quicker.
pub struct Archive {
    /// The first field, to be dropped first: its thread holds the store.
    idle: Option<idle::IdleMarker>,
    /// As long as it is there, the store may have a thread.
    _attended: Attended,
    dir: PathBuf,
    id: Uuid,
    vfs: Arc<dyn Vfs>,
    keyring: Mutex<identity::Keyring>,
    notices: Vec<Error>,
    archive_key: SecretKey,
    master: Arc<Mutex<master::Master>>,
    /// The store that receives new mail; the only one until stores can be added.
    store: Arc<Store>,
    singles: import_one::Singles,
    _lock: lock::WriteLock,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("dir", &self.dir).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Archive {
    /// The folder of the archive.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The first damage that opening found in what was durable. No mail is accepted, and lists may lack the mails that
    /// it hit.
    #[must_use]
    pub fn damage(&self) -> Option<&Damage> {
        self.store.damage()
    }

    /// Why no mail is accepted, if so. The archive can still be read.
    #[must_use]
    pub fn barred(&self) -> Option<&Error> {
        self.store.barred()
    }

    /// Problems found by the open that cost no mail: identity files that were changed, replaced by older ones, or lost.
    /// What could be fixed has been, and is listed here once.
    #[must_use]
    pub fn notices(&self) -> &[Error] {
        &self.notices
    }

    /// What the open did after a crash; `None` if there was nothing to do. This is not damage: every mail with a
    /// receipt is there.
    #[must_use]
    pub fn recovered(&self) -> Option<Recovery> {
        let (master, store) = (self.master().recovery, self.store.recovery());
        let recovery = Recovery {
            bytes_put_aside: master.bytes_put_aside.saturating_add(store.bytes_put_aside),
            commit_taken_over: master.commit_taken_over || store.commit_taken_over,
        };
        (recovery != Recovery::default()).then_some(recovery)
    }

    /// The archive's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The first user archive, which receives mail for which no folder was named.
    #[must_use]
    pub fn owner(&self) -> String {
        self.master().setting(master::OWNER).unwrap_or_default()
    }

    /// The archive, used on behalf of `actor`.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Acting<'_> {
        Acting::new(self, actor)
    }

    /// Writes the caches and notes on disk that everything is synced, so that the next open has nothing to recover.
    /// After [`Error::CachesLag`] this holds too, except for what catalog and index lack.
    pub fn close(self) -> Result<(), Error> {
        match self.store.close() {
            Err(lag @ Error::CachesLag(_)) => self.mark().and(Err(lag)),
            closed => closed.and_then(|()| self.mark()),
        }
    }

    fn master(&self) -> MutexGuard<'_, master::Master> {
        locked(&self.master)
    }

    fn master_key(&self) -> Result<Option<SecretKey>, Error> {
        identity::master_key(&self.keyring().identity, self.id, &self.archive_key)
    }

    fn keyring(&self) -> MutexGuard<'_, identity::Keyring> {
        locked(&self.keyring)
    }
}

/// Where the files of an archive are.
fn identity_path(dir: &Path) -> PathBuf {
    dir.join("archive.mk")
}

fn stores_dir(dir: &Path) -> PathBuf {
    dir.join("stores")
}

/// What the mutex guards, even if a thread panicked while holding it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
