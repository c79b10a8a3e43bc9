//! Folders are made, renamed, moved and removed, each time in one commit.

use super::Duplicates;
use crate::catalog::Folders;
use crate::error::Error;
use crate::id::FolderNo;
use crate::store::Store;

/// A change of folders that was found possible.
#[derive(Debug)]
pub(crate) enum FolderChange {
    /// The folders of this path that do not exist are made.
    Make { path: Vec<String> },
    /// A folder gets another place and name; missing folders of its new parent's path are made.
    Move { folder: FolderNo, parent: Vec<String>, name: String },
    /// Empty folders are removed, those below a folder before it.
    Remove { folders: Vec<FolderNo> },
}

impl Store {
    /// Makes the change that `plan` decides upon from the folders as they are then, durable when this returns. Nothing
    /// else changes between the two.
    pub(crate) fn change_folders<T>(
        &self,
        actor: &str,
        plan: impl FnOnce(&Folders) -> Result<(Option<FolderChange>, T), Error>,
    ) -> Result<T, Error> {
        self.tidy()?;
        self.commit_drafted(Duplicates::Folder, None, self.now(), |draft, _| {
            let (change, planned) = plan(draft.folders_before())?;
            change.map_or(Ok(()), |change| draft.change(change, actor))?;
            Ok((planned, Vec::new()))
        })
    }
}
