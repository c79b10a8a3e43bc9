//! The indexes of an archive: their status, what they cover, and rebuilding them. The names are those of the
//! administration (`GetStoreIndexes`, `RebuildStoreIndex`, `SelectAllStoreIndexesForRebuild`,
//! `RebuildSelectedStoreIndexes`).
//!
//! Each store has one index; each of its user archives is a view of it with the same status.

use std::collections::BTreeSet;

use super::actor::{Acting, InStore};
use super::{Opened, master};
use crate::error::Error;
use crate::id::StoreNo;
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
            self.numbered(no)?;
        }
        let mut indexes = Vec::new();
        for within in self.each_store().filter(|within| store.is_none_or(|no| no == within.store.no().0)) {
            within.add_indexes(&mut indexes)?;
        }
        Ok(indexes)
    }

    pub(super) fn rebuild_store_index(&self, store: u32, progress: &Progress) -> Result<(), Error> {
        self.only_system("rebuild an index")?;
        self.numbered(store)?.store.rebuild_index(progress)?;
        let mut selected = self.archive.selected();
        if selected.remove(&store) {
            self.archive.select(&selected)?;
        }
        Ok(())
    }

    pub(super) fn select_all_store_indexes_for_rebuild(&self) -> Result<(), Error> {
        self.only_system("rebuild an index")?;
        self.archive.select(&self.stores.iter().map(|store| store.no().0).collect())
    }

    pub(super) fn rebuild_selected_store_indexes(&self, progress: &Progress) -> Result<usize, Error> {
        self.only_system("rebuild an index")?;
        let (selected, mut rebuilt) = (self.archive.selected(), 0);
        for store in self.stores.iter() {
            let is_needed =
                selected.contains(&store.no().0) || store.index_status() == IndexStatus::NeedsRebuild || store.index_is_damaged()?;
            if is_needed {
                self.rebuild_store_index(store.no().0, progress)?;
                rebuilt += 1;
            }
        }
        Ok(rebuilt)
    }

    /// The call in the open store of a number.
    pub(super) fn numbered(&self, no: u32) -> Result<InStore<'_>, Error> {
        self.in_store(StoreNo(no)).ok_or(Error::NoSuchStore(no))
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
        for store in self.stores.iter() {
            store.indexer().set_types(configured(&master).types);
        }
        Ok(())
    }
}

impl InStore<'_> {
    fn add_indexes(&self, indexes: &mut Vec<StoreIndex>) -> Result<(), Error> {
        let (no, status, size) = (self.store.no().0, self.store.index_status(), self.store.stats()?.index);
        let selected_for_rebuild = self.archive.selected().contains(&no) || status == IndexStatus::NeedsRebuild;
        for (_, folder) in self.numbered_folders() {
            let Some(name) = folder.path.names().first() else { continue };
            match indexes.last_mut().filter(|last| last.store == no && last.folder == *name) {
                Some(index) => index.messages += folder.messages,
                None => indexes.push(StoreIndex {
                    store: no,
                    folder: name.clone(),
                    messages: folder.messages,
                    size,
                    status,
                    selected_for_rebuild,
                }),
            }
        }
        Ok(())
    }
}

impl Opened {
    /// Numbers of the stores whose indexes are marked to be rebuilt.
    fn selected(&self) -> BTreeSet<u32> {
        let selected = self.master().setting(master::INDEX_SELECTED).unwrap_or_default();
        match &*selected {
            // As long as there was one store.
            "all" => self.stores.open().iter().map(|store| store.no().0).collect(),
            numbers => numbers.split_whitespace().filter_map(|no| no.parse().ok()).collect(),
        }
    }

    fn select(&self, stores: &BTreeSet<u32>) -> Result<(), Error> {
        let numbers: Vec<String> = stores.iter().map(u32::to_string).collect();
        self.master().set(master::INDEX_SELECTED, &numbers.join(" "))
    }
}

/// What the settings of an archive say.
pub(super) fn configured(master: &master::Master) -> IndexConfiguration {
    let types = master.setting(master::INDEX_TYPES).unwrap_or_default();
    IndexConfiguration { types: types.split_whitespace().map(str::to_owned).collect() }
}
