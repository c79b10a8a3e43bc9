//! The stores of an archive: which there are, in which state, and which of them are open.
//!
//! A store is asked for by a state ([`StoreState`]), and is open, closed, or could not be opened: what is asked for and
//! what is are two things. Exactly one store takes new mail, or none. One that cannot be opened keeps no other from being
//! read.

mod manage;
mod open;
mod rule;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

pub use manage::{AttachOptions, NewStore, StoreInfo};
pub(super) use open::Opener;
pub use rule::StoreRule;
pub(super) use rule::noted_rule;

use super::Opened;
use super::lock::FolderLock;
use crate::error::{Damage, DamageCause, Error};
use crate::id::StoreNo;
use crate::records::StoreFact;
use crate::store::{Attended, Store, StoreDirs};

/// What a store is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreState {
    /// It takes new mail; the store that did becomes [`Normal`](Self::Normal).
    Current,
    /// It is read and searched, and its messages and folders can be changed.
    Normal,
    /// It is read and searched, and nothing in it changes.
    WriteProtected,
    /// It is closed: its messages are in no list and no search. Its paths can be changed.
    Disabled,
}

impl StoreState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Current, Self::Normal, Self::WriteProtected, Self::Disabled];

    /// Its name: `current`, `normal`, `writeProtected` or `disabled`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Normal => "normal",
            Self::WriteProtected => "writeProtected",
            Self::Disabled => "disabled",
        }
    }

    /// That of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    fn of(fact: &StoreFact) -> Option<Self> {
        Some(match fact.state {
            None if fact.current => Self::Current,
            None => Self::Normal,
            Some(WRITE_PROTECTED) => Self::WriteProtected,
            Some(DISABLED) => Self::Disabled,
            Some(_) => return None,
        })
    }

    /// Notes the state in a fact.
    fn note(self, fact: &mut StoreFact) {
        fact.current = self == Self::Current;
        fact.state = match self {
            Self::Current | Self::Normal => None,
            Self::WriteProtected => Some(WRITE_PROTECTED),
            Self::Disabled => Some(DISABLED),
        };
    }
}

/// Values of a store's state (FORMAT.md, fact 64).
const WRITE_PROTECTED: u8 = 1;
const DISABLED: u8 = 2;
const DETACHED: u8 = 3;

/// The stores that are open, by number.
pub(super) type OpenStores = Arc<[Arc<Store>]>;

/// All stores of an open archive.
pub(super) struct Stores(RwLock<Attached>);

#[derive(Default)]
struct Attached {
    by_no: BTreeMap<StoreNo, AttachedStore>,
    open: OpenStores,
    /// The store that is being closed: whether it will be is not decided yet.
    closing: Option<StoreNo>,
}

/// A store that belongs to the archive.
struct AttachedStore {
    fact: StoreFact,
    actual: Actual,
}

enum Actual {
    Open(OpenStore),
    /// It is disabled.
    Closed,
    Failed(Error),
}

/// A store that is open. Its thread ends when this is dropped.
struct OpenStore {
    store: Arc<Store>,
    _attended: Option<Attended>,
    _locks: DirLocks,
}

/// Locks on folders of a store that lie outside the archive's: a copy of the archive names them too.
type DirLocks = Vec<FolderLock>;

impl Attached {
    fn list_open(&mut self) {
        let open = self.by_no.values().filter_map(|attached| match &attached.actual {
            Actual::Open(open) => Some(Arc::clone(&open.store)),
            _ => None,
        });
        self.open = open.collect();
        for store in self.open.iter() {
            let others = self.open.iter().filter(|other| other.no() != store.no());
            store.set_beside(others.map(Arc::downgrade).collect());
        }
    }
}

impl Stores {
    fn read(&self) -> RwLockReadGuard<'_, Attached> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Attached> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are open.
    pub(super) fn open(&self) -> OpenStores {
        Arc::clone(&self.read().open)
    }

    /// The store that takes new mail.
    ///
    /// # Errors
    ///
    /// [`Error::NoCurrentStore`] if there is none, and [`Error::StoreNotOpen`] if it could not be opened.
    pub(super) fn current(&self) -> Result<Arc<Store>, Error> {
        let attached = self.read();
        let current = attached.by_no.values().find(|store| store.fact.current).ok_or(Error::NoCurrentStore)?;
        match &current.actual {
            Actual::Open(open) => Ok(Arc::clone(&open.store)),
            actual => Err(not_open(&current.fact, actual)),
        }
    }

    /// The store that takes new mail, if every store can be asked whether it has a mail already.
    pub(super) fn to_archive(&self) -> Result<Arc<Store>, Error> {
        let attached = loop {
            let attached = self.read();
            if attached.closing.is_none() {
                break attached;
            }
            drop(attached);
            // Whoever closes a store waits for those that use it, which may be this import, and then gives up.
            std::thread::sleep(Duration::from_millis(5));
        };
        for attached in attached.by_no.values() {
            match &attached.actual {
                Actual::Open(open) => match open.store.barred() {
                    // It may have lost mails, or be an older state of itself.
                    Some(barred) if !matches!(barred, Error::ReadOnly) => return Err(barred.clone()),
                    _ => {}
                },
                actual => return Err(not_open(&attached.fact, actual)),
            }
        }
        drop(attached);
        self.current()
    }

    /// An error if messages and folders in store `no` must not change.
    pub(super) fn check_changeable(&self, no: StoreNo) -> Result<(), Error> {
        let attached = self.read();
        let store = attached.by_no.get(&no).ok_or(Error::NoSuchStore(no.0))?;
        match StoreState::of(&store.fact) {
            Some(StoreState::Current | StoreState::Normal) => Ok(()),
            _ => Err(Error::StoreWriteProtected { store: shown_name(&store.fact) }),
        }
    }

    /// An error if a store is not open, or must not change: what concerns all stores is done in all of them or in none.
    pub(super) fn check_all_changeable(&self) -> Result<(), Error> {
        let attached = self.read();
        for store in attached.by_no.values() {
            if !matches!(store.actual, Actual::Open(_)) {
                return Err(not_open(&store.fact, &store.actual));
            }
            if !matches!(StoreState::of(&store.fact), Some(StoreState::Current | StoreState::Normal)) {
                return Err(Error::StoreWriteProtected { store: shown_name(&store.fact) });
            }
        }
        Ok(())
    }

    /// The name of a store.
    pub(super) fn name(&self, no: StoreNo) -> String {
        self.read().by_no.get(&no).map(|store| shown_name(&store.fact)).unwrap_or_default()
    }

    /// Names of the stores that could not be opened.
    pub(super) fn unreachable(&self) -> Vec<String> {
        let attached = self.read();
        attached.by_no.values().filter(|store| matches!(store.actual, Actual::Failed(_))).map(|store| shown_name(&store.fact)).collect()
    }

    /// The first reason for which a store that should be open is not, or must not be written, apart from being read only.
    pub(super) fn wrong(&self) -> Option<Error> {
        let attached = self.read();
        attached.by_no.values().find_map(|store| match &store.actual {
            Actual::Open(open) => open.store.barred().filter(|barred| !matches!(barred, Error::ReadOnly)).cloned(),
            Actual::Failed(_) => Some(not_open(&store.fact, &store.actual)),
            Actual::Closed => None,
        })
    }

    /// Whether a store belongs to the archive.
    pub(super) fn is_attached(&self, no: StoreNo) -> bool {
        self.read().by_no.contains_key(&no)
    }

    /// Why stores could not be opened.
    pub(super) fn failures(&self) -> Vec<Error> {
        let attached = self.read();
        let failed = attached.by_no.values().filter(|store| matches!(store.actual, Actual::Failed(_)));
        failed.map(|store| not_open(&store.fact, &store.actual)).collect()
    }

    /// Damage in the place of stores that could not be opened.
    pub(super) fn damage_of_failed(&self, archive: &Path) -> Vec<Damage> {
        let attached = self.read();
        let failed = attached.by_no.values().filter_map(|store| match &store.actual {
            Actual::Failed(Error::Damage(damage)) => Some(damage.clone()),
            Actual::Failed(_) => Some(Damage::new(&dirs_of(archive, &store.fact).root, 0, 0, DamageCause::Missing)),
            _ => None,
        });
        failed.collect()
    }

    /// Where the files of all stores that belong to the archive are.
    pub(super) fn dirs(&self, archive: &Path) -> Vec<StoreDirs> {
        self.read().by_no.values().map(|store| dirs_of(archive, &store.fact)).collect()
    }
}

fn not_open(fact: &StoreFact, actual: &Actual) -> Error {
    let why = match actual {
        Actual::Failed(error) => error.clone(),
        _ => Error::StoreDisabled,
    };
    Error::StoreNotOpen { store: shown_name(fact), why: Box::new(why) }
}

/// The name of a store for people.
fn shown_name(fact: &StoreFact) -> String {
    fact.label.clone().unwrap_or_else(|| fact.name.clone())
}

/// Where the files of a store are.
fn dirs_of(archive: &Path, fact: &StoreFact) -> StoreDirs {
    let root = match &fact.root {
        Some(root) => archive.join(root),
        None => super::stores_dir(archive).join(&fact.name),
    };
    let mut dirs = StoreDirs::below(&root);
    if let Some(content) = &fact.content {
        dirs.content = archive.join(content);
    }
    if let Some(index) = &fact.index {
        dirs.index = archive.join(index);
    }
    dirs
}

/// A path as a fact has it: relative to the archive if it lies there.
fn noted_path(archive: &Path, path: &Path) -> Result<String, Error> {
    let path = path.strip_prefix(archive).unwrap_or(path);
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::misuse(format!("{}: the path is not UTF-8", path.display()), "choose another folder"))
}

impl Opened {
    /// The store that takes new mail.
    pub(super) fn current(&self) -> Result<Arc<Store>, Error> {
        self.stores.current()
    }
}
