//! Facts about folders.

use super::Catalog;
use crate::records::FactValue;

impl Catalog {
    /// Applies a fact about folders.
    pub(super) fn folder(&mut self, fact: FactValue) {
        match fact {
            FactValue::FolderMade(fact) => {
                self.folder_number(fact.no);
                self.folders_mut().add(fact.no, fact.parent, &fact.name, fact.epoch);
            }
            FactValue::FolderRenamed(fact) => self.folders_mut().rename(fact.folder, &fact.name),
            FactValue::FolderMoved(fact) => {
                self.folder_number(fact.folder);
                self.folders_mut().put(fact.folder, fact.parent, &fact.name);
            }
            FactValue::FolderRemoved(fact) => self.folders_mut().remove(&fact.folders),
            _ => {}
        }
    }

    fn folder_number(&mut self, no: u32) {
        self.basis.numbers.folders = self.basis.numbers.folders.max(no);
    }
}
