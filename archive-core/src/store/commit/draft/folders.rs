//! Changes of folders in a commit.

use super::Draft;
use crate::catalog::Folders;
use crate::error::Error;
use crate::id::FolderNo;
use crate::records::{FactValue, FolderMovedFact, FolderRemovedFact, FolderRenamedFact};
use crate::store::FolderChange;

impl Draft<'_> {
    /// The folders before this commit.
    pub(in crate::store::commit) fn folders_before(&self) -> &Folders {
        self.catalog.folders()
    }

    /// Adds a change of folders.
    pub(in crate::store::commit) fn change(&mut self, change: FolderChange, actor: &str) -> Result<(), Error> {
        let (actor, time) = (actor.to_owned(), self.now);
        match change {
            FolderChange::Make { path } => drop(self.folder_at(&path)?),
            FolderChange::Move { folder, parent, name } => {
                let FolderNo(parent) = self.folder_at(&parent)?;
                let stays = self.catalog.folders().get(folder).is_some_and(|folder| folder.parent == parent);
                self.changed.push(match stays {
                    true => FactValue::FolderRenamed(FolderRenamedFact { folder: folder.0, name, actor, time }),
                    false => FactValue::FolderMoved(FolderMovedFact { folder: folder.0, parent, name, actor, time }),
                });
            }
            FolderChange::Remove { folders } => {
                let folders = folders.into_iter().map(|no| no.0).collect();
                self.changed.push(FactValue::FolderRemoved(FolderRemovedFact { folders, actor, time }));
            }
        }
        Ok(())
    }
}
