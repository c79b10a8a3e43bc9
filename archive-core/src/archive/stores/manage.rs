//! Stores are listed, created, attached, detached, renamed, moved, and put into a state. The names are those of the
//! administration (`GetStores`, `CreateStore`, `AttachStore`, `DetachStore`, `RenameStore`, `SetStoreRequestedState`,
//! `SetStoreProperties`, `RetryOpenStores`).
//!
//! The master records each change before it is made: whatever a crash leaves, the next open makes it so.

use std::path::{Path, PathBuf, absolute};
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

use super::super::create::RECOVERY_WRAP;
use super::open::said;
use super::{
    Actual, Attached, AttachedStore, DETACHED, DirLocks, OpenStore, StoreState, Stores, dirs_of, not_open, noted_path, shown_name,
};
use crate::archive::gate::Within;
use crate::archive::{Opened, locked};
use crate::error::Error;
use crate::id::{StoreNo, Uuid};
use crate::progress::Progress;
use crate::records::StoreFact;
use crate::store::{Attended, FromMaster, Store, StoreDirs, StoreStats, Wrapping, create_store, found_store};
use crate::vfs::EntryKind;

/// How long a store that is to be closed is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// The longest name of a store, in bytes.
const MOST_NAME: usize = 1 << 10;

/// A store of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreInfo {
    /// Its number: the first part of the ids of its messages. It is never given to another store.
    pub no: u32,
    /// Its name.
    pub name: String,
    /// Its id, for ever.
    pub id: Uuid,
    /// What it is to be used for.
    pub state: StoreState,
    /// Why it is not open, if it should be.
    pub error: Option<String>,
    /// The code of that error.
    pub error_code: Option<&'static str>,
    /// Its folder: records and catalog.
    pub dir: PathBuf,
    /// The folder of its containers.
    pub content_dir: PathBuf,
    /// The folder of its index.
    pub index_dir: PathBuf,
    /// Its contents in numbers, if it is open and they were asked for.
    pub stats: Option<StoreStats>,
}

impl StoreInfo {
    /// Whether it is open: its messages are listed and searched.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.error.is_none() && self.state != StoreState::Disabled
    }
}

/// A store that is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewStore {
    /// Its name, which no other store has.
    pub name: String,
    /// What it is to be used for.
    pub state: StoreState,
    /// Where its files go.
    pub dirs: AttachOptions,
}

impl NewStore {
    /// One that takes new mail from then on, in a folder of its own within the archive.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), state: StoreState::Current, dirs: AttachOptions::default() }
    }
}

/// Where the files of a store are. A relative path counts from the current folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Records and catalog, and everything else unless it is named; by default a folder within the archive.
    pub dir: Option<PathBuf>,
    /// Containers; by default `content` in `dir`.
    pub content_dir: Option<PathBuf>,
    /// The index; by default `index` in `dir`.
    pub index_dir: Option<PathBuf>,
}

impl AttachOptions {
    /// Notes the folders in a fact.
    fn note(&self, archive: &Path, fact: &mut StoreFact) -> Result<(), Error> {
        let noted = |dir: &Option<PathBuf>| dir.as_deref().map(|dir| noted_path(archive, &whole(dir)?)).transpose();
        let own = super::super::stores_dir(archive).join(&fact.name);
        fact.root = noted(&self.dir.clone().filter(|dir| whole(dir).ok().as_ref() != Some(&own)))?;
        (fact.content, fact.index) = (noted(&self.content_dir)?, noted(&self.index_dir)?);
        Ok(())
    }
}

fn whole(dir: &Path) -> Result<PathBuf, Error> {
    absolute(dir).map_err(|error| Error::misuse(format!("{}: {error}", dir.display()), "name a folder"))
}

impl Stores {
    fn fact(&self, no: StoreNo) -> Result<StoreFact, Error> {
        self.read().by_no.get(&no).map(|store| store.fact.clone()).ok_or(Error::NoSuchStore(no.0))
    }

    fn put(&self, no: StoreNo, store: AttachedStore) {
        let mut attached = self.write();
        attached.by_no.insert(no, store);
        attached.list_open();
    }

    /// Undoes [`take`](Self::take).
    fn put_back(&self, no: StoreNo, store: Arc<Store>, locks: DirLocks) {
        let attended = Some(Attended::begin(&store));
        let mut attached = self.write();
        if let Some(known) = attached.by_no.get_mut(&no) {
            known.actual = Actual::Open(OpenStore { store, _attended: attended, _locks: locks });
        }
        attached.closing = None;
        attached.list_open();
    }

    /// Takes a store out of those that are open, once no call uses it any more.
    fn take(&self, no: StoreNo) -> Result<Option<(Arc<Store>, DirLocks)>, Error> {
        let taken = {
            let mut attached = self.write();
            let store = attached.by_no.get_mut(&no).ok_or(Error::NoSuchStore(no.0))?;
            let taken = std::mem::replace(&mut store.actual, Actual::Closed);
            attached.closing = Some(no);
            attached.list_open();
            taken
        };
        let Actual::Open(OpenStore { store, _attended, _locks }) = taken else {
            self.write().closing = None;
            return Ok(None);
        };
        // Its thread uses it too.
        drop(_attended);
        let begun = Instant::now();
        while Arc::strong_count(&store) > 1 {
            if begun.elapsed() >= PATIENCE {
                self.put_back(no, store, _locks);
                return Err(Error::StoreBusy { store: self.name(no) });
            }
            std::thread::sleep(LOOK);
        }
        Ok(Some((store, _locks)))
    }
}

fn in_a_call() -> Error {
    Error::misuse("a store cannot be closed by a function that a call runs", "close it after the call")
}

/// What keeps two changes of stores apart; the master is locked for less.
type Changing<'a> = std::sync::MutexGuard<'a, ()>;

impl Opened {
    pub(super) fn changing_stores(&self) -> Result<Changing<'_>, Error> {
        // A function that a call runs may be one of a change of stores, and would wait for it.
        match self.changing_stores.try_lock() {
            Ok(one) => Ok(one),
            Err(TryLockError::WouldBlock) if Within::depth() > 1 => Err(in_a_call()),
            Err(_) => Ok(locked(&self.changing_stores)),
        }
    }

    /// The stores of the archive, by number.
    pub(in crate::archive) fn store_infos(&self, with_stats: bool) -> Result<Vec<StoreInfo>, Error> {
        let known: Vec<(StoreFact, Option<Error>, Option<Arc<Store>>)> = {
            let attached = self.stores.read();
            let known = attached.by_no.values().map(|store| match &store.actual {
                Actual::Open(open) => (store.fact.clone(), None, Some(Arc::clone(&open.store))),
                Actual::Failed(error) => (store.fact.clone(), Some(error.clone()), None),
                Actual::Closed => (store.fact.clone(), None, None),
            });
            known.collect()
        };
        let mut infos = Vec::with_capacity(known.len());
        for (fact, error, store) in known {
            let dirs = dirs_of(&self.dir, &fact);
            let stats = match store.filter(|_| with_stats) {
                Some(store) => Some(StoreStats { name: shown_name(&fact), ..store.stats()? }),
                None => None,
            };
            infos.push(StoreInfo {
                no: fact.no,
                name: shown_name(&fact),
                id: Uuid(fact.uuid),
                state: StoreState::of(&fact).unwrap_or(StoreState::Disabled),
                error_code: error.as_ref().map(Error::code),
                error: error.map(|error| error.to_string()),
                dir: dirs.root,
                content_dir: dirs.content,
                index_dir: dirs.index,
                stats,
            });
        }
        Ok(infos)
    }

    pub(in crate::archive) fn create_store(&self, new: &NewStore) -> Result<u32, Error> {
        let _one = self.changing_stores()?;
        self.create_store_now(new)
    }

    /// The caller holds what keeps other changes off.
    pub(super) fn create_store_now(&self, new: &NewStore) -> Result<u32, Error> {
        let name = self.checked_name(&new.name, None)?;
        let no = self.next_store_no()?;
        let mut fact = StoreFact::new(no, [0; 16], no.to_string(), false, None);
        new.dirs.note(&self.dir, &mut fact)?;
        let dirs = dirs_of(&self.dir, &fact);
        for dir in [&dirs.root, &dirs.content, &dirs.index] {
            self.check_unused(dir)?;
        }
        let made = {
            let keyring = self.keyring();
            let broken = || Error::BrokenIdentity { path: super::super::identity_path(&self.dir) };
            let recovery_wrap_key = keyring.identity.recovery_wrap.open(self.archive_key(), self.id, RECOVERY_WRAP)?.ok_or_else(broken)?;
            let wrapping = Wrapping {
                archive: self.id,
                archive_key: self.archive_key(),
                recovery_wrap_key: &recovery_wrap_key,
                recovery: keyring.identity.recovery.clone(),
            };
            create_store(&self.vfs, &dirs, no, &fact.name, &wrapping)?
        };
        (fact.uuid, fact.identity) = (made.uuid, made.identity);
        fact.label = Some(name).filter(|name| *name != fact.name);
        new.state.note(&mut fact);
        let opened = self.opener.attach(fact.clone(), self.says(&fact), &Progress::new());
        // A new store that cannot be opened takes no mail: it stays as it was before, and its folder is left.
        if let Actual::Failed(error) = opened.actual {
            return Err(error);
        }
        self.note_opened(fact, Some(opened)).map(|()| no)
    }

    pub(in crate::archive) fn attach_store(&self, name: &str, state: StoreState, dirs: &AttachOptions) -> Result<u32, Error> {
        let _one = self.changing_stores()?;
        let name = self.checked_name(name, None)?;
        let Some(dir) = &dirs.dir else { return Err(Error::misuse("the folder of the store is missing", "name it")) };
        let dir = whole(dir)?;
        if self.vfs.kind(&dir)? != Some(EntryKind::Dir) {
            return Err(Error::NotAStore { path: dir, why: "there is no such folder" });
        }
        let found = found_store(&*self.vfs, &dir, self.id, self.archive_key())?;
        let mut fact = found.ok_or_else(|| Error::NotAStore { path: dir, why: "it has no store.mk that can be read" })?;
        let known = self.master().stores().iter().find(|known| known.uuid == fact.uuid).cloned();
        match &known {
            Some(known) if known.state != Some(DETACHED) => {
                return Err(Error::misuse(
                    format!("the store is in the archive already, as {}", shown_name(known)),
                    "attach another folder",
                ));
            }
            // Its number and its keys, as they were recorded.
            Some(known) => (fact.no, fact.name, fact.identity) = (known.no, known.name.clone(), known.identity.clone()),
            None => {
                let is_taken = self.master().stores().iter().any(|known| known.no == fact.no);
                if is_taken {
                    fact.no = self.next_store_no()?;
                }
                fact.name = fact.no.to_string();
            }
        }
        dirs.note(&self.dir, &mut fact)?;
        fact.label = Some(name).filter(|name| *name != fact.name);
        state.note(&mut fact);
        let no = fact.no;
        // One that cannot be read at all is not attached.
        let opened = self.opener.attach(fact.clone(), self.says(&fact), &Progress::new());
        if let Actual::Failed(error @ (Error::TooNew { .. } | Error::TooOld { .. } | Error::UnknownFeature { .. } | Error::InUse { .. })) =
            opened.actual
        {
            return Err(error);
        }
        self.note_opened(fact, Some(opened)).map(|()| no)
    }

    /// Leaves the files of a store as they are, and forgets it but for its number.
    pub(in crate::archive) fn detach_store(&self, no: u32, progress: &Progress) -> Result<(), Error> {
        let _one = self.changing_stores()?;
        let mut fact = self.stores.fact(StoreNo(no))?;
        if self.stores.read().by_no.len() == 1 {
            return Err(Error::misuse("it is the only store of the archive", "create another one first"));
        }
        (fact.current, fact.state) = (false, Some(DETACHED));
        let closed = self.close_store(fact, progress);
        let mut attached = self.stores.write();
        // Once that is recorded, whatever came of the closing.
        if attached.by_no.get(&StoreNo(no)).is_some_and(|store| store.fact.state == Some(DETACHED)) {
            attached.by_no.remove(&StoreNo(no));
            attached.list_open();
        }
        closed
    }

    pub(in crate::archive) fn rename_store(&self, no: u32, name: &str) -> Result<(), Error> {
        let _one = self.changing_stores()?;
        let mut fact = self.stores.fact(StoreNo(no))?;
        let name = self.checked_name(name, Some(no))?;
        fact.label = Some(name).filter(|name| *name != fact.name);
        self.note(vec![fact])
    }

    pub(in crate::archive) fn set_store_state(&self, no: u32, state: StoreState, progress: &Progress) -> Result<(), Error> {
        let _one = self.changing_stores()?;
        let mut fact = self.stores.fact(StoreNo(no))?;
        if StoreState::of(&fact) == Some(state) && self.stores.in_state(StoreNo(no)) {
            return Ok(());
        }
        state.note(&mut fact);
        match state {
            StoreState::Disabled => self.close_store(fact, progress),
            _ => self.open_and_note(fact, progress),
        }
    }

    pub(in crate::archive) fn set_store_dirs(&self, no: u32, dirs: &AttachOptions) -> Result<(), Error> {
        let _one = self.changing_stores()?;
        let mut fact = self.stores.fact(StoreNo(no))?;
        if StoreState::of(&fact) != Some(StoreState::Disabled) {
            return Err(Error::misuse(
                format!("store {} is not disabled", shown_name(&fact)),
                "disable it, move its files, then name their folders",
            ));
        }
        dirs.note(&self.dir, &mut fact)?;
        self.note(vec![fact])
    }

    /// Tries again to open the stores that could not be opened. Returns those that still cannot.
    pub(in crate::archive) fn retry_open_stores(&self, progress: &Progress) -> Result<Vec<Error>, Error> {
        let _one = self.changing_stores()?;
        let failed: Vec<StoreFact> = {
            let attached = self.stores.read();
            attached.by_no.values().filter(|store| matches!(store.actual, Actual::Failed(_))).map(|store| store.fact.clone()).collect()
        };
        for fact in failed {
            let no = StoreNo(fact.no);
            let says = self.says(&fact);
            let attached = self.opener.attach(fact, says, progress);
            self.stores.put(no, attached);
        }
        Ok(self.stores.failures())
    }

    /// The name of a store as it is kept; names are compared in NFC and without case.
    fn checked_name(&self, name: &str, own: Option<u32>) -> Result<String, Error> {
        let name = name.trim();
        if name.is_empty() || name.len() > MOST_NAME || name.chars().any(char::is_control) {
            return Err(Error::misuse(
                "the name of a store is empty, too long, or has control characters",
                format!("give a name of at most {MOST_NAME} bytes"),
            ));
        }
        let folded = archive_index::fold(name);
        let attached = self.stores.read();
        match attached.by_no.values().find(|store| Some(store.fact.no) != own && archive_index::fold(&shown_name(&store.fact)) == folded) {
            Some(_) => Err(Error::StoreExists(name.to_owned())),
            None => Ok(name.to_owned()),
        }
    }

    /// A number that no store had, and whose folder within the archive is not there.
    fn next_store_no(&self) -> Result<u32, Error> {
        let mut no = self.master().stores().iter().map(|store| store.no).max().unwrap_or(0);
        loop {
            no = no.checked_add(1).ok_or(Error::Bug("all numbers of stores are given"))?;
            // One is left of a creation that was cut short: nothing is put where something lies.
            if self.vfs.kind(&super::super::stores_dir(&self.dir).join(no.to_string()))?.is_none() {
                return Ok(no);
            }
        }
    }

    /// An error unless a new store may take a folder.
    fn check_unused(&self, dir: &Path) -> Result<(), Error> {
        let own = super::super::stores_dir(&self.dir);
        let is_in_archive = dir.starts_with(&self.dir) && !dir.starts_with(&own) || dir == own;
        let of_stores = self.stores.dirs(&self.dir);
        let overlaps = |other: &PathBuf| dir.starts_with(other) || other.starts_with(dir);
        let is_taken = of_stores.iter().any(|StoreDirs { root, content, index, .. }| [root, content, index].into_iter().any(overlaps));
        if is_in_archive || is_taken {
            return Err(Error::misuse(
                format!("{}: the folder belongs to the archive or to a store", dir.display()),
                "choose another folder",
            ));
        }
        match self.vfs.kind(dir)? {
            None => Ok(()),
            Some(EntryKind::Dir) if self.vfs.list(dir)?.is_empty() => Ok(()),
            Some(_) => Err(Error::misuse(
                format!("{}: the folder is not empty", dir.display()),
                "choose an empty folder, or one that does not exist",
            )),
        }
    }

    /// Opens a store if it is not open, records it, and only then counts it. If it takes new mail, the one that did
    /// becomes normal.
    fn open_and_note(&self, fact: StoreFact, progress: &Progress) -> Result<(), Error> {
        let no = StoreNo(fact.no);
        let is_open = matches!(self.stores.read().by_no.get(&no), Some(AttachedStore { actual: Actual::Open(_), .. }));
        let opened = (!is_open).then(|| self.opener.attach(fact.clone(), self.says(&fact), progress));
        self.note_opened(fact, opened)
    }

    /// What the master says of a store. It is not held while the store is opened.
    fn says(&self, fact: &StoreFact) -> FromMaster {
        said(&self.master(), fact)
    }

    /// Records a store that was opened, or is open.
    fn note_opened(&self, fact: StoreFact, opened: Option<AttachedStore>) -> Result<(), Error> {
        let no = StoreNo(fact.no);
        let mut facts = vec![fact.clone()];
        if fact.current {
            let attached = self.stores.read();
            let others = attached.by_no.values().map(|store| &store.fact).filter(|other| other.no != fact.no && other.current);
            facts.extend(others.map(|other| StoreFact { current: false, ..other.clone() }));
        }
        self.master().note_stores(facts.clone())?;
        let failed =
            opened.as_ref().filter(|opened| matches!(opened.actual, Actual::Failed(_))).map(|opened| not_open(&fact, &opened.actual));
        let mut attached = self.stores.write();
        if let Some(opened) = opened {
            attached.by_no.insert(no, opened);
        }
        attached.note(facts);
        attached.list_open();
        drop(attached);
        self.committed();
        failed.map_or(Ok(()), Err)
    }

    /// Closes a store once no call uses it, after its new state is recorded.
    fn close_store(&self, fact: StoreFact, progress: &Progress) -> Result<(), Error> {
        // It would wait for the call that runs it.
        if Within::depth() > 1 {
            return Err(in_a_call());
        }
        let no = StoreNo(fact.no);
        let Some((store, locks)) = self.stores.take(no)? else { return self.note(vec![fact]) };
        if let Err(error) = self.note(vec![fact]) {
            self.stores.put_back(no, store, locks);
            return Err(error);
        }
        self.stores.write().closing = None;
        let closed = match store.close(progress) {
            // What the caches lack is left to the next open.
            Err(Error::CachesLag(_) | Error::Stopped) => Ok(()),
            closed => closed,
        };
        if store.barred().is_none() {
            let mut master = self.master();
            let marked = store.mark(master.seen_head()).and_then(|()| master.mark(vec![store.seen_head()]));
            return closed.and(marked);
        }
        closed
    }

    /// Records what is true of stores, here and in the master.
    fn note(&self, facts: Vec<StoreFact>) -> Result<(), Error> {
        self.master().note_stores(facts.clone())?;
        self.stores.write().note(facts);
        self.committed();
        Ok(())
    }
}

impl Attached {
    fn note(&mut self, facts: Vec<StoreFact>) {
        for fact in facts {
            if let Some(store) = self.by_no.get_mut(&StoreNo(fact.no)) {
                store.fact = fact;
            }
        }
    }
}

impl Stores {
    /// Whether a store is open if it should be, and closed if it should.
    fn in_state(&self, no: StoreNo) -> bool {
        let attached = self.read();
        attached.by_no.get(&no).is_some_and(|store| match &store.actual {
            Actual::Open(_) => StoreState::of(&store.fact) != Some(StoreState::Disabled),
            Actual::Closed => StoreState::of(&store.fact) == Some(StoreState::Disabled),
            Actual::Failed(_) => false,
        })
    }
}
