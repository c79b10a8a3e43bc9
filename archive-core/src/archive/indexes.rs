//! The indexes of an archive: their status, what they cover, and rebuilding them. The names are those of the
//! administration (`GetStoreIndexes`, `RebuildStoreIndex`, `SelectAllStoreIndexesForRebuild`,
//! `RebuildSelectedStoreIndexes`).
//!
//! Each store has one index; each of its user archives is a view of it with the same status.

use super::actor::Acting;
use super::{Opened, master};
use crate::error::Error;
use crate::progress::Progress;
use crate::store::IndexStatus;

/// The index of one user archive in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreIndex {
    /// Number of the store.
    pub store: u32,
    /// The user archive.
    pub folder: String,
    /// Messages of the user archive in the store.
    pub messages: u64,
    /// Bytes of the store's index on disk, for all its user archives.
    pub size: u64,
    /// Its status.
    pub status: IndexStatus,
    /// It waits for [`Session::rebuild_selected_store_indexes`](super::Session::rebuild_selected_store_indexes).
    pub selected_for_rebuild: bool,
}

/// What the index covers besides text, HTML and nested mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexConfiguration {
    /// Media types of attachments that are to be searched, in lower case. As long as no reader for them exists,
    /// messages that have them count as undecided. This applies to mail indexed from then on; for older mail the index
    /// must be rebuilt.
    pub types: Vec<String>,
}

impl Acting<'_> {
    pub(super) fn store_indexes(&self, store: Option<u32>) -> Result<Vec<StoreIndex>, Error> {
        self.only_system("list indexes")?;
        if let Some(no) = store {
            self.archive.check_store(no)?;
        }
        let (status, size) = (self.archive.store.index_status(), self.archive.store.stats()?.index);
        let selected_for_rebuild = self.archive.is_selected() || status == IndexStatus::NeedsRebuild;
        let mut indexes: Vec<StoreIndex> = Vec::new();
        for folder in self.folders() {
            let Some(name) = folder.path.names().first() else { continue };
            match indexes.last_mut().filter(|last| last.folder == *name) {
                Some(index) => index.messages += folder.messages,
                None => indexes.push(StoreIndex {
                    store: self.archive.store.no().0,
                    folder: name.clone(),
                    messages: folder.messages,
                    size,
                    status,
                    selected_for_rebuild,
                }),
            }
        }
        Ok(indexes)
    }

    pub(super) fn rebuild_store_index(&self, store: u32, progress: &Progress) -> Result<(), Error> {
        self.only_system("rebuild an index")?;
        self.archive.check_store(store)?;
        self.archive.store.rebuild_index(progress)?;
        if self.archive.is_selected() {
            self.archive.master().set(master::INDEX_SELECTED, "")?;
        }
        Ok(())
    }

    pub(super) fn select_all_store_indexes_for_rebuild(&self) -> Result<(), Error> {
        self.only_system("rebuild an index")?;
        self.archive.master().set(master::INDEX_SELECTED, "all")
    }

    pub(super) fn rebuild_selected_store_indexes(&self, progress: &Progress) -> Result<usize, Error> {
        self.only_system("rebuild an index")?;
        let store = &self.archive.store;
        let is_needed = self.archive.is_selected() || store.index_status() == IndexStatus::NeedsRebuild || store.index_is_damaged()?;
        if !is_needed {
            return Ok(0);
        }
        self.rebuild_store_index(store.no().0, progress).map(|()| 1)
    }

    pub(super) fn index_configuration(&self) -> Result<IndexConfiguration, Error> {
        self.only_system("read the configuration of indexes")?;
        Ok(configured(&self.archive.master()))
    }

    pub(super) fn set_index_configuration(&self, configuration: &IndexConfiguration) -> Result<(), Error> {
        self.only_system("configure indexes")?;
        let types = configuration.types.iter().map(|media| media.to_ascii_lowercase());
        let mut master = self.archive.master();
        master.set(master::INDEX_TYPES, &types.collect::<Vec<_>>().join(" "))?;
        self.archive.store.indexer().set_types(configured(&master).types);
        Ok(())
    }
}

impl Opened {
    fn check_store(&self, no: u32) -> Result<(), Error> {
        if no == self.store.no().0 { Ok(()) } else { Err(Error::NoSuchStore(no)) }
    }

    fn is_selected(&self) -> bool {
        self.master().setting(master::INDEX_SELECTED).is_some_and(|selected| !selected.is_empty())
    }
}

/// What the settings of an archive say.
pub(super) fn configured(master: &master::Master) -> IndexConfiguration {
    let types = master.setting(master::INDEX_TYPES).unwrap_or_default();
    IndexConfiguration { types: types.split_whitespace().map(str::to_owned).collect() }
}
