//! What changes folders.

use super::Session;
use crate::archive::actor::Acting;
use crate::archive::{FolderOptions, FolderReport};
use crate::error::Error;
use crate::folder::FolderPath;

/// All of these are for the system alone so far: others get [`Error::Denied`]. A path that names several folders, whose
/// names differ only in their Unicode form, is [`Error::AmbiguousFolder`].
impl Session {
    /// Makes a folder, and the folders above it that do not exist.
    ///
    /// # Errors
    ///
    /// [`Error::FolderExists`] if it exists, also in another Unicode form.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::FolderOptions;
    ///
    /// let options = FolderOptions::default();
    /// session.make_folder(&"anna/projects/bridge".parse()?, options)?;
    /// session.rename_folder(&"anna/projects".parse()?, "work", options)?;
    /// let report = session.move_folder(&"anna/work/bridge".parse()?, &"anna/done/2024/bridge".parse()?, options)?;
    /// assert_eq!(report.made, ["anna/done".parse()?, "anna/done/2024".parse()?]);
    /// let report = session.prune_folders(None, FolderOptions { dry_run: true })?;
    /// assert_eq!(report.removed.len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn make_folder(&self, path: &FolderPath, options: FolderOptions) -> Result<FolderReport, Error> {
        self.change_folders(options, |acting| acting.make_folder(path, options))
    }

    /// Gives a folder another name, in the folder in which it is. See [`move_folder`](Self::move_folder).
    pub fn rename_folder(&self, path: &FolderPath, name: &str, options: FolderOptions) -> Result<FolderReport, Error> {
        self.change_folders(options, |acting| acting.rename_folder(path, name, options))
    }

    /// Makes `to` the path of the folder `from`, with everything in it: this renames, moves, or both. Folders above `to`
    /// that do not exist are made. A path of one name is a user archive, so that this also renames a user archive, moves
    /// one into another, and makes a folder one; the owner's may be renamed, and stays the owner's
    /// ([`Archive::owner`](crate::Archive::owner)).
    ///
    /// Messages keep their ids and their numbers in the folder. Nothing that names a folder by its path follows: the
    /// folders of a [`User`](crate::User), queries kept somewhere, the destination of an import. An import that is under
    /// way makes the path that it was given again, and goes on there.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchFolder`]; [`Error::FolderExists`] if there is a folder at `to`; [`Error::Misuse`] if `to` is below
    /// `from`, or if a path would have more than 128 names.
    pub fn move_folder(&self, from: &FolderPath, to: &FolderPath, options: FolderOptions) -> Result<FolderReport, Error> {
        self.change_folders(options, |acting| acting.move_folder(from, to, options))
    }

    /// Removes a folder and all folders below it, if none of them has a message.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchFolder`]; [`Error::FolderNotEmpty`] with the number of messages, and then nothing was removed.
    pub fn remove_folder(&self, path: &FolderPath, options: FolderOptions) -> Result<FolderReport, Error> {
        self.change_folders(options, |acting| acting.remove_folder(path, options))
    }

    /// Removes all folders that have no message in themselves and in the folders below them; with `below`, of that folder
    /// and those below it. User archives stay.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchFolder`].
    pub fn prune_folders(&self, below: Option<&FolderPath>, options: FolderOptions) -> Result<FolderReport, Error> {
        self.change_folders(options, |acting| acting.prune_folders(below, options))
    }

    fn change_folders(
        &self,
        options: FolderOptions,
        work: impl FnOnce(&Acting<'_>) -> Result<FolderReport, Error>,
    ) -> Result<FolderReport, Error> {
        if options.dry_run { self.call(work) } else { self.change(work) }
    }
}
