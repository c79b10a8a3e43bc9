//! Opens stores: all of an archive, and single ones while it is open.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use super::super::lock::FolderLock;
use super::super::master::Master;
use super::{Actual, Attached, AttachedStore, DETACHED, DISABLED, OpenStore, Stores, dirs_of};
use crate::error::Error;
use crate::id::{StoreNo, Uuid};
use crate::progress::Progress;
use crate::records::StoreFact;
use crate::seal::SecretKey;
use crate::store::{Attended, FromMaster, Store, StoreOptions};
use crate::vfs::{EntryKind, Vfs};

/// What it takes to open a store of an archive.
pub(in crate::archive) struct Opener {
    pub(in crate::archive) vfs: Arc<dyn Vfs>,
    pub(in crate::archive) dir: PathBuf,
    pub(in crate::archive) archive_key: SecretKey,
    pub(in crate::archive) options: StoreOptions,
}

impl Opener {
    fn open(&self, fact: &StoreFact, says: FromMaster, progress: &Progress) -> Result<OpenStore, Error> {
        let (vfs, dirs, options) = (Arc::clone(&self.vfs), dirs_of(&self.dir, fact), self.options.clone());
        let read_only = options.read_only;
        let mut locks = Vec::new();
        if !read_only {
            // The archive's own lock is on its folder.
            let elsewhere = [&dirs.root, &dirs.content, &dirs.index].into_iter().filter(|dir| !dir.starts_with(&self.dir));
            for dir in elsewhere.filter(|dir| vfs.kind(dir).is_ok_and(|kind| kind == Some(EntryKind::Dir))) {
                locks.push(FolderLock::take(&*vfs, dir)?);
            }
        }
        let store = Arc::new(Store::open(vfs, fact, dirs, &self.archive_key, options, says, progress)?);
        let attended = (!read_only).then(|| Attended::begin(&store));
        Ok(OpenStore { store, _attended: attended, _locks: locks })
    }

    /// A store of the archive, open if it is to be.
    pub(super) fn attach(&self, fact: StoreFact, says: FromMaster, progress: &Progress) -> AttachedStore {
        let actual = match fact.state {
            Some(DISABLED) => Actual::Closed,
            _ => self.open(&fact, says, progress).map_or_else(Actual::Failed, Actual::Open),
        };
        AttachedStore { fact, actual }
    }
}

/// What the master says of a store.
pub(super) fn said(master: &Master, fact: &StoreFact) -> FromMaster {
    FromMaster {
        damage: master.damage().cloned(),
        barred: master.barred().cloned().filter(|barred| master.damage().is_none() && !matches!(barred, Error::ReadOnly)),
        noted: master.noted(Uuid(fact.uuid)),
        head: master.seen_head(),
    }
}

impl Stores {
    /// Opens the stores that belong to an archive. One that cannot be opened is left out.
    ///
    /// # Errors
    ///
    /// The first reason, if none can be opened that should be; and [`Error::Stopped`].
    pub(in crate::archive) fn open_all(opener: &Opener, master: &Master, progress: &Progress) -> Result<Self, Error> {
        let mut by_no = BTreeMap::new();
        for fact in master.stores().iter().filter(|fact| fact.state != Some(DETACHED)) {
            let attached = opener.attach(fact.clone(), said(master, fact), progress);
            if let Actual::Failed(Error::Stopped) = attached.actual {
                return Err(Error::Stopped);
            }
            by_no.insert(StoreNo(fact.no), attached);
        }
        let mut attached = Attached { by_no, ..Attached::default() };
        attached.list_open();
        if attached.open.is_empty() {
            let failed =
                attached.by_no.values().find_map(|store| if let Actual::Failed(error) = &store.actual { Some(error) } else { None });
            if let Some(error) = failed {
                return Err(error.clone());
            }
        }
        Ok(Self(RwLock::new(attached)))
    }
}
