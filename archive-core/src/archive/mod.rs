//! Many stores as one: the public face of the library.
//!
//! An [`Archive`] is a folder with a master (which stores, which settings) and its stores. One process has it open for
//! writing. Every call that reads, searches or changes names an [`Actor`], by [`Archive::session`].
//!
//! [`Archive`] and [`Session`] are what callers hold. Each of their calls enters the `Gate`, and becomes a call of
//! `Acting`: an open archive with an actor, for as long as the call lasts.

mod actor;
mod compact;
mod create;
mod delete;
mod export;
mod folders;
mod foreign;
mod freeze;
#[cfg(test)]
mod from_later_versions;
mod gaps;
mod gate;
mod identity;
mod idle;
mod import;
mod indexes;
mod inside;
mod key;
mod list;
mod lock;
mod lost;
mod master;
mod open;
mod parts;
mod read;
mod repair;
mod search;
mod session;
mod stores;
mod unfinished;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use actor::{Actor, FolderScope, User};
pub use compact::CompactOptions;
pub use create::{CreateOptions, NewArchive};
pub use delete::{DeleteOptions, DeleteReport, DeletedMessage, Deletion, UndeleteReport};
pub use export::{ExportOptions, ExportReport, FailedMails};
pub use folders::{FolderOptions, FolderReport, MovedFolder};
pub use freeze::Frozen;
pub use gaps::NotSearchable;
pub use import::{CheckReport, ImportEvents, ImportOptions, ImportPlan, ImportReport, ImportSource, LabelRule, NoEvents, Outcome, Receipt};
pub use indexes::{IndexConfiguration, StoreIndex};
pub use key::KeyStatus;
pub use list::{FolderInfo, Page, StatsReport};
pub use lost::{LostFileInfo, LostMail, LostReport};
pub use open::OpenOptions;
pub use parts::PartSink;
pub use repair::{RepairOptions, RepairReport};
pub use search::{
    ClauseReport, ClauseVerdict, CountBy, Counts, Coverage, DateRange, HitSnippet, Level, Order, OrderKey, SearchCriteria, SearchField,
    SearchPages, SearchRequest, SearchResult, SizeRange, Suggestions, Zone,
};
pub use session::Session;
pub use stores::{AttachOptions, NewStore, StoreInfo, StoreRule, StoreState};
pub use verify::{Depth, Finding, VerifyReport};

use gate::{Call, Gate, Within};
use stores::{Opener, Stores};

use crate::error::{Damage, Error};
use crate::id::Uuid;
use crate::progress::Progress;
use crate::seal::SecretKey;
use crate::store::Recovery;
use crate::vfs::{Freezer, Vfs};

/// An archive that is open, for reading and writing or for reading only. Clones are handles of the same archive; any
/// thread may use any of them.
///
/// Closing it is better than dropping the last handle: the next open is quicker.
#[derive(Clone)]
pub struct Archive {
    handle: Arc<Handle>,
}

/// What is known of an archive without a call.
struct Handle {
    dir: PathBuf,
    id: Uuid,
    owner: Arc<Mutex<String>>,
    damage: Option<Damage>,
    barred: Option<Error>,
    notices: Vec<Error>,
    recovered: Option<Recovery>,
    read_only: bool,
    refreshing: Mutex<()>,
    gate: Gate,
}

/// An open archive.
struct Opened {
    /// The first field, to be dropped first: its thread holds the store.
    idle: Option<idle::IdleMarker>,
    dir: PathBuf,
    id: Uuid,
    vfs: Arc<dyn Vfs>,
    /// What holds all changes, for an archive that is open for writing.
    freezer: Arc<Freezer>,
    keyring: Mutex<identity::Keyring>,
    notices: Vec<Error>,
    master: Arc<Mutex<master::Master>>,
    stores: Arc<Stores>,
    /// Held by a change of stores.
    changing_stores: Mutex<()>,
    /// When a store was to be made by itself and could not.
    store_not_made: Mutex<Option<i64>>,
    /// When one is made: looked at before each commit, which must not wait for the master.
    store_rule: Mutex<StoreRule>,
    /// How a store is opened.
    opener: Opener,
    singles: import::Singles,
    /// Of an archive that is only read: how it is opened again.
    reopened: Option<OpenOptions>,
    /// What is known of it without a call.
    owner_known: Arc<Mutex<String>>,
    _lock: Option<lock::WriteLock>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("dir", &self.handle.dir).field("id", &self.handle.id).finish_non_exhaustive()
    }
}

impl Archive {
    fn new(opened: Opened) -> Self {
        *locked(&opened.owner_known) = opened.owner();
        let handle = Handle {
            dir: opened.dir.clone(),
            id: opened.id,
            owner: Arc::clone(&opened.owner_known),
            damage: opened.damage(),
            barred: opened.stores.wrong(),
            notices: opened.notices.clone(),
            recovered: opened.recovered(),
            read_only: opened.reopened.is_some(),
            refreshing: Mutex::default(),
            gate: Gate::new(opened),
        };
        Self { handle: Arc::new(handle) }
    }

    /// The folder of the archive.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.handle.dir
    }

    /// The first damage that opening found in what was durable. No mail is accepted, and lists may lack the mails that
    /// it hit.
    #[must_use]
    pub fn damage(&self) -> Option<&Damage> {
        self.handle.damage.as_ref()
    }

    /// Why no mail is accepted, if so. The archive can still be read.
    #[must_use]
    pub fn barred(&self) -> Option<&Error> {
        self.handle.barred.as_ref()
    }

    /// Problems found by the open that cost no mail: identity files that were changed, replaced by older ones, or lost.
    /// What could be fixed has been, and is listed here once.
    #[must_use]
    pub fn notices(&self) -> &[Error] {
        &self.handle.notices
    }

    /// What the open did after a crash; `None` if there was nothing to do. This is not damage: every mail with a
    /// receipt is there.
    #[must_use]
    pub fn recovered(&self) -> Option<Recovery> {
        self.handle.recovered
    }

    /// The archive's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.handle.id
    }

    /// The first user archive, which receives mail for which no folder was named. If it is renamed, this is its new name;
    /// if it is moved into another folder or removed, its last one.
    #[must_use]
    pub fn owner(&self) -> String {
        locked(&self.handle.owner).clone()
    }

    /// The archive, used on behalf of `actor`.
    #[must_use]
    pub fn session(&self, actor: Actor) -> Session {
        Session::new(self.clone(), actor)
    }

    /// Closes the archive for all its handles: waits for calls under way, writes the caches, and notes on disk that
    /// everything is synced, so that the next open has nothing to recover. Its threads have ended and its locks are free
    /// when this returns, also with an error. Later calls fail with [`Error::Closed`].
    ///
    /// # Errors
    ///
    /// [`Error::CachesLag`] if catalog or index could not be written: all mail is archived, and all else was noted.
    /// [`Error::Closed`] if it was closed before. [`Error::Misuse`] in a function that a call runs, such as those of
    /// [`ImportEvents`].
    pub fn close(&self) -> Result<(), Error> {
        self.close_with(&Progress::new())
    }

    /// Like [`close`](Self::close), with a report. If it is ended, what the caches lack is left to the next open, and
    /// the result is [`Error::Stopped`]: the archive is closed, and no mail is lost.
    pub fn close_with(&self, progress: &Progress) -> Result<(), Error> {
        self.handle.gate.shut()?.close(progress)
    }

    /// Whether this thread is inside a call of an archive, as functions are that a call runs: such as those of
    /// [`ImportEvents`]. No archive can be closed there, since closing waits for calls.
    #[must_use]
    pub fn is_in_call() -> bool {
        Within::is_noted()
    }

    /// Notes on disk that everything up to the last commit is synced. A process that is killed before its next commit
    /// then leaves nothing to recover. An archive opened on the real disk does this by itself within a second of its
    /// last commit.
    pub fn mark(&self) -> Result<(), Error> {
        self.enter()?.mark()
    }

    /// Shows what was committed since the archive was opened, or refreshed last. Only an archive that is open for reading
    /// only has to be refreshed; in all others this does nothing. Calls under way go on with what they saw, and so do
    /// streams that were begun; lists and searches that are read page by page go on in the new state. During a refresh both
    /// states take memory.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and damage or another reason to write nothing that the open did not find. The archive
    /// then shows what it showed before.
    pub fn refresh(&self) -> Result<(), Error> {
        let call = self.enter()?;
        let Some(options) = &call.reopened else { return Ok(()) };
        // One at a time: a state must not be replaced by an earlier one.
        let _refreshing = locked(&self.handle.refreshing);
        let opened = Self::look(Arc::clone(&call.vfs), &call.dir, call.id, call.archive_key(), options)?;
        if let Some(wrong) = opened.not_writable().filter(|_| self.damage().is_none() && self.barred().is_none()) {
            return Err(wrong);
        }
        let owner = opened.owner();
        self.handle.gate.replace(opened)?;
        *locked(&self.handle.owner) = owner;
        Ok(())
    }

    /// Whether the archive is open for reading only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.handle.read_only
    }

    /// Whether catalog or index lack more than an archive that is open for reading only applies in memory: searches count
    /// what is left out. Opening it for writing once brings both up to date.
    pub fn lags(&self) -> Result<bool, Error> {
        let call = self.enter()?;
        for store in call.stores.open().iter().filter(|_| self.is_read_only()) {
            if store.lags()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn enter(&self) -> Result<Call<'_>, Error> {
        self.handle.gate.enter()
    }

    /// Begins a call that changes the archive.
    fn enter_to_change(&self) -> Result<Call<'_>, Error> {
        if self.is_read_only() { Err(Error::ReadOnly) } else { self.enter() }
    }
}

impl Opened {
    fn damage(&self) -> Option<Damage> {
        self.stores.open().iter().find_map(|store| store.damage().cloned())
    }

    fn recovered(&self) -> Option<Recovery> {
        let mut recovery = self.master().recovery;
        for store in self.stores.open().iter().map(|store| store.recovery()) {
            recovery.bytes_put_aside = recovery.bytes_put_aside.saturating_add(store.bytes_put_aside);
            recovery.commit_taken_over |= store.commit_taken_over;
        }
        (recovery != Recovery::default()).then_some(recovery)
    }

    /// What is wrong with a store, so that nothing could be written if it were open for writing; not that one is disabled.
    fn not_writable(&self) -> Option<Error> {
        self.damage().map(Error::from).or_else(|| self.stores.wrong())
    }

    /// What a reader found wrong, in words: damage, or a state that does not fit together.
    fn wrong(&self) -> Option<String> {
        let is_lost = || self.stores.open().iter().any(|store| store.lacks_cache_files());
        let lost = || is_lost().then(|| "files of catalog or index are missing".to_owned());
        let damage = self.not_writable().map(|error| error.to_string());
        damage.or_else(|| self.notices.first().map(ToString::to_string)).or_else(lost)
    }

    /// Every store is closed, whatever happens with the others.
    fn close(self, progress: &Progress) -> Result<(), Error> {
        let (mut lag, mut failed) = (None, None);
        for store in self.stores.open().iter() {
            match store.close(progress) {
                Err(of_caches @ (Error::CachesLag(_) | Error::Stopped)) => lag = lag.or(Some(of_caches)),
                Err(error) => failed = failed.or(Some(error)),
                Ok(()) => {}
            }
        }
        match failed {
            Some(failed) => Err(failed),
            None => self.mark().and(lag.map_or(Ok(()), Err)),
        }
    }

    /// The clock's reading: milliseconds since 1970, UTC.
    fn now(&self) -> i64 {
        self.opener.options.clock.now()
    }

    fn archive_key(&self) -> &SecretKey {
        &self.opener.archive_key
    }

    fn master(&self) -> MutexGuard<'_, master::Master> {
        locked(&self.master)
    }

    fn master_key(&self) -> Result<Option<SecretKey>, Error> {
        identity::master_key(&self.keyring().identity, self.id, self.archive_key())
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
