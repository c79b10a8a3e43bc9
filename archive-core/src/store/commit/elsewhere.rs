//! What the other stores of the archive have: a mail that is archived there already, and the numbers given in a folder.

use std::sync::{Arc, MutexGuard, PoisonError, Weak};

use super::Duplicates;
use super::draft::{Draft, Known, Outcome};
use super::prepared::PreparedHeader;
use crate::catalog::{Catalog, Folders};
use crate::error::Error;
use crate::id::FolderNo;
use crate::store::Store;

/// What another store has of a mail that is to be archived.
pub(crate) enum Elsewhere {
    /// A message, so that the mail is a duplicate.
    Duplicate(Outcome),
    /// Its message, whose bytes are damaged: this store has to store them again.
    Damaged,
    Nothing,
}

impl Store {
    /// What this store has of a mail that is to be archived in `folder` of another one.
    pub(crate) fn has(&self, header: &PreparedHeader, folder: &[String], duplicates: Duplicates) -> Result<Elsewhere, Error> {
        let catalog = self.catalog();
        let (known, at) = along(catalog.folders(), folder);
        // For the user archive, its folders count alike.
        let is_there = known == folder.len() || duplicates == Duplicates::Archive && known > 0;
        if !is_there {
            return Ok(Elsewhere::Nothing);
        }
        let draft = Draft::new(&catalog, &[], duplicates, self.newly_damaged(), 0);
        Ok(match draft.known(header, at)? {
            Known::Message(outcome) => Elsewhere::Duplicate(outcome),
            Known::Damaged(_) => Elsewhere::Damaged,
            Known::Content(_) | Known::Nothing => Elsewhere::Nothing,
        })
    }

    /// Notes the other stores of the archive that are open.
    pub(crate) fn set_beside(&self, stores: Vec<Weak<Self>>) {
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = stores;
    }

    /// What other stores have now; and what keeps them from giving numbers meanwhile.
    pub(super) fn beside(&self) -> (Vec<Arc<Catalog>>, MutexGuard<'_, ()>) {
        // First of all: a store that is made meanwhile commits after this one, and sees what it did.
        let numbering = self.options.numbering.lock().unwrap_or_else(PoisonError::into_inner);
        let stores: Vec<Arc<Self>> = {
            let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
            beside.iter().filter_map(Weak::upgrade).collect()
        };
        (stores.iter().map(|store| store.catalog()).collect(), numbering)
    }
}

/// How many names of a path exist, and the last folder that does.
fn along(folders: &Folders, path: &[String]) -> (usize, FolderNo) {
    let mut at = FolderNo(0);
    for (known, name) in path.iter().enumerate() {
        match folders.child(at, name) {
            Some(child) => at = child,
            None => return (known, at),
        }
    }
    (path.len(), at)
}

/// The folder of a path.
pub(super) fn folder_at(folders: &Folders, path: &[String]) -> Option<FolderNo> {
    let (known, at) = along(folders, path);
    (known == path.len()).then_some(at)
}
