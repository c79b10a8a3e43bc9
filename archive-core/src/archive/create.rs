//! Creation of an archive, under its lock: first master, first store and owner, all of it synced; then `archive.mk`, in
//! one step that replaces nothing. Without that file there is no archive, and the next creation in the same folder
//! clears what was begun.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::identity::state_of;
use super::lock::FolderLock;
use super::master::Master;
use super::unfinished::{clear, unfinished};
use super::{Archive, OpenOptions, identity_path, stores_dir};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::Uuid;
use crate::records::{Link, SeenHead};
use crate::seal::{ArchiveIdentity, ArchiveKeys, IdentityFile, KeyWrap, RecoveryKey, SecretKey, Slot, random};
use crate::store::{Wrapping, create_store};
use crate::vfs::{Operation, Vfs, VfsError};

pub(super) const MASTER: &str = "master key";
pub(super) const MASTER_RECOVERY: &str = "master key by recovery";
pub(super) const RECOVERY_WRAP: &str = "recovery wrap key";
pub(super) const RECOVERY: &str = "recovery wrap key by recovery key";

/// Options for a new archive.
#[derive(Debug)]
pub struct CreateOptions {
    owner: String,
    key_file: bool,
    passphrase: Option<Zeroizing<String>>,
    open: OpenOptions,
}

impl CreateOptions {
    /// An archive whose first user archive is called `owner`, opened by a key file and the recovery key.
    #[must_use]
    pub fn new(owner: &str) -> Self {
        Self { owner: owner.to_owned(), key_file: true, passphrase: None, open: OpenOptions::default() }
    }

    /// Whether a key file is created; true by default.
    #[must_use]
    pub fn key_file(self, key_file: bool) -> Self {
        Self { key_file, ..self }
    }

    /// A passphrase that also opens the archive.
    #[must_use]
    pub fn passphrase(self, passphrase: &str) -> Self {
        Self { passphrase: Some(Zeroizing::new(passphrase.to_owned())), ..self }
    }

    /// How the archive is opened after its creation.
    #[must_use]
    pub fn open_options(self, open: OpenOptions) -> Self {
        Self { open, ..self }
    }
}

/// The page that describes every byte of an archive.
const PAGE: &str = include_str!("../../FORMAT.md");

impl Archive {
    /// Creates an archive in `dir` and opens it. The folder must not exist yet, or be empty, or contain nothing but an
    /// archive whose creation was cut short. A folder created here is accessible to its owner only; files and folders
    /// in it take their mode from it.
    ///
    /// `keep` receives the archive's id and its keys, which cannot be shown again, before anything is written: if it
    /// fails, nothing is created.
    pub fn create(dir: &Path, options: CreateOptions, keep: impl FnOnce(Uuid, &ArchiveKeys) -> Result<(), Error>) -> Result<Self, Error> {
        make_folder(dir).map_err(|source| VfsError::new(Operation::Create, dir, source))?;
        Ok(Self::create_on(Arc::new(options.open.disk()), dir, options, keep)?.watched())
    }

    /// Like [`Archive::create`], on any file system; the folder must exist.
    pub fn create_on(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        options: CreateOptions,
        keep: impl FnOnce(Uuid, &ArchiveKeys) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        FolderPath::from_names(vec![options.owner.clone()]).map_err(|error| Error::Misuse(error.to_string()))?;
        let lock = FolderLock::take(&*vfs, dir)?;
        unfinished(&*vfs, dir)?;
        let (id, made) = (Uuid(random()?), crate::clock::now().div_euclid(1000));
        let (archive_key, master_key) = (SecretKey::random()?, SecretKey::random()?);
        let (recovery_key, recovery_wrap_key) = (SecretKey::random()?, SecretKey::random()?);
        let mut slots = vec![Slot::recovery(id, &archive_key, made, &recovery_key)?];
        let mut keys = ArchiveKeys { key_file: None, recovery: RecoveryKey::print(id, &recovery_key) };
        if options.key_file {
            let (slot, text) = Slot::key_file(id, &archive_key, made)?;
            slots.push(slot);
            keys.key_file = Some(text);
        }
        if let Some(passphrase) = &options.passphrase {
            slots.push(Slot::passphrase(id, &archive_key, made, passphrase)?);
        }
        let identity = ArchiveIdentity {
            slots: slots.into_iter().map(Into::into).collect(),
            master: KeyWrap::make(&archive_key, &master_key, id, MASTER)?,
            master_recovery: KeyWrap::make(&recovery_wrap_key, &master_key, id, MASTER_RECOVERY)?,
            recovery_wrap: KeyWrap::make(&archive_key, &recovery_wrap_key, id, RECOVERY_WRAP)?,
            recovery: KeyWrap::make(&recovery_key, &recovery_wrap_key, id, RECOVERY)?,
            generation: 1,
        };
        keep(id, &keys)?;
        let lock = lock.note(&*vfs)?;
        clear(&*vfs, dir)?;
        write_page(&*vfs, dir)?;
        let mut master = Master::create(&vfs, dir, &master_key, id)?;
        let (stores, name) = (stores_dir(dir), "1".to_owned());
        vfs.create_dir(&stores)?;
        vfs.sync_dir(dir)?;
        let recovery = identity.recovery.clone();
        let wrapping = Wrapping { archive: id, archive_key: &archive_key, recovery_wrap_key: &recovery_wrap_key, recovery };
        let store = create_store(&vfs, &stores.join(&name), 1, &name, &wrapping)?;
        let uuid = Uuid(store.uuid);
        master.add_store(store)?;
        master.set(super::master::OWNER, &options.owner)?;
        let file = IdentityFile::seal(id, identity, &archive_key)?;
        master.record_keys(id, state_of(&file))?;
        // So that the next open finds a master that says that all of it is synced.
        master.mark(SeenHead::new(uuid, Link::origin(uuid)))?;
        drop(master);
        let watched = lock.to_watch();
        if !watched.is_in_place().unwrap_or_default() {
            return Err(Error::LockLost { path: watched.path().to_owned() });
        }
        // Last, after all else is synced: this file is what makes the folder an archive.
        file.create(&*vfs, &identity_path(dir))?;
        Self::open_with(vfs, dir, id, archive_key, options.open, lock)
    }
}

/// Stores the page on the format with what it describes: in decades, the archive and its key are all that a reader
/// needs.
fn write_page(vfs: &dyn Vfs, dir: &Path) -> Result<(), Error> {
    let file = vfs.create(&dir.join("FORMAT.md"))?;
    file.append(PAGE.as_bytes())?;
    Ok(file.sync()?)
}

/// Creates `dir` for its owner only, and missing folders above it with the usual mode. Existing folders stay as they
/// are.
fn make_folder(dir: &Path) -> std::io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent() {
        std::fs::create_dir_all(above)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        Err(_) if dir.is_dir() => Ok(()),
        made => made,
    }
}
