//! The stores of an archive, as callers see them.

use super::Session;
use crate::archive::{AttachOptions, NewStore, StoreInfo, StoreRule, StoreState};
use crate::error::Error;
use crate::progress::Progress;

impl Session {
    /// The stores of the archive, by number (`GetStores`). With `stats`, each that is open has its sizes, which takes a
    /// look at every file.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] for anyone but the system.
    pub fn stores(&self, stats: bool) -> Result<Vec<StoreInfo>, Error> {
        self.with_stores(|archive| archive.store_infos(stats))
    }

    /// Creates a store, and returns its number (`CreateStore`). It takes new mail from then on, unless the request says
    /// otherwise. Folders are created; those that exist must be empty.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::{NewStore, StoreState};
    ///
    /// let old = session.import_one(b"Subject: of last year\n\nText.\n", &"anna/inbox".parse()?)?;
    /// session.create_store(&NewStore::new("2027"))?;
    /// let new = session.import_one(b"Subject: of this year\n\nText.\n", &"anna/inbox".parse()?)?;
    ///
    /// assert_eq!((old.id().to_string(), new.id().to_string()), ("1:0".to_owned(), "2:0".to_owned()));
    /// assert_eq!(session.messages_in(&"anna/inbox".parse()?).count(), 2);
    /// let states: Vec<StoreState> = session.stores(false)?.iter().map(|store| store.state).collect();
    /// assert_eq!(states, [StoreState::Normal, StoreState::Current]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::StoreExists`] if another store has the name; [`Error::Misuse`] if a folder cannot be used, and in a
    /// function that a call runs.
    pub fn create_store(&self, new: &NewStore) -> Result<u32, Error> {
        self.change_stores(|archive| archive.create_store(new))
    }

    /// Makes a store that was detached part of the archive again, and returns its number, which is the one that it had
    /// (`AttachStore`). Its folder is `dirs.dir`.
    ///
    /// # Errors
    ///
    /// [`Error::NotAStore`] if there is no store of this archive; [`Error::Misuse`] if it is part of the archive;
    /// [`Error::StoreNotOpen`] if it was attached and cannot be opened.
    pub fn attach_store(&self, name: &str, state: StoreState, dirs: &AttachOptions) -> Result<u32, Error> {
        self.change_stores(|archive| archive.attach_store(name, state, dirs))
    }

    /// Takes a store out of the archive (`DetachStore`). Its files stay as they are; its messages are in no list and no
    /// search until it is attached again. Waits up to 10 s for calls that use it.
    ///
    /// # Errors
    ///
    /// [`Error::StoreBusy`] if calls still use it, and nothing was changed; [`Error::Misuse`] for the only store.
    pub fn detach_store(&self, no: u32, progress: &Progress) -> Result<(), Error> {
        self.change_stores(|archive| archive.detach_store(no, progress))
    }

    /// Gives a store another name (`RenameStore`). Its folders keep theirs.
    pub fn rename_store(&self, no: u32, name: &str) -> Result<(), Error> {
        self.change_stores(|archive| archive.rename_store(no, name))
    }

    /// Puts a store into a state (`SetStoreRequestedState`). A store that is disabled is closed, once calls that use it
    /// have ended, for which it waits up to 10 s. If the store becomes the current one, the current one becomes normal.
    ///
    /// # Errors
    ///
    /// [`Error::StoreBusy`] if calls still use it, and nothing was changed; [`Error::StoreNotOpen`] if it cannot be
    /// opened: the state is recorded, and [`retry_open_stores`](Self::retry_open_stores) tries again.
    pub fn set_store_requested_state(&self, no: u32, state: StoreState, progress: &Progress) -> Result<(), Error> {
        self.change_stores(|archive| archive.set_store_state(no, state, progress))
    }

    /// Records where the files of a disabled store are (`SetStoreProperties`), after they were moved.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if it is not disabled.
    pub fn set_store_dirs(&self, no: u32, dirs: &AttachOptions) -> Result<(), Error> {
        self.change_stores(|archive| archive.set_store_dirs(no, dirs))
    }

    /// When a new store is made by itself.
    pub fn store_rule(&self) -> Result<StoreRule, Error> {
        self.with_stores(|archive| Ok(archive.store_rule()))
    }

    /// Says when a new store is made by itself; by default when the current one has 5,000,000 messages. It is named
    /// after the month, such as `2026-12`, lies within the archive, and takes new mail. If it cannot be made, archiving
    /// goes on in the current one, and it is tried again after an hour.
    pub fn set_store_rule(&self, rule: StoreRule) -> Result<(), Error> {
        self.change_stores(|archive| archive.set_store_rule(rule))
    }

    /// Tries again to open the stores that could not be opened (`RetryOpenStores`). Returns why some still cannot:
    /// each is a [`Error::StoreNotOpen`].
    pub fn retry_open_stores(&self, progress: &Progress) -> Result<Vec<Error>, Error> {
        self.change_stores(|archive| archive.retry_open_stores(progress))
    }
}
