//! Creation of an archive, under its lock: first master, first store and owner, all of it synced; then `archive.mk`, in
//! one step that replaces nothing. Without that file there is no archive, and the next creation in the same folder
//! clears what was begun.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::identity::state_of;
use super::lock::FolderLock;
use super::master::Master;
use super::unfinished::{clear, unfinished};
use super::{Archive, OpenOptions, identity_path, stores_dir};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::Uuid;
use crate::records::{Link, SeenHead};
use crate::seal::{ArchiveIdentity, ArchiveKeys, IdentityFile, KeyWrap, Secret, SecretKey, Slot, print_recovery_key, random};
use crate::store::{StoreDirs, Wrapping, create_store};
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
    passphrase: Option<Secret>,
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
        Self { passphrase: Some(passphrase.into()), ..self }
    }

    /// How the archive is opened after its creation.
    #[must_use]
    pub fn open_options(self, open: OpenOptions) -> Self {
        Self { open, ..self }
    }
}

/// The page that describes every byte of an archive.
const PAGE: &str = include_str!("../../FORMAT.md");

/// An archive that is not on disk yet: its keys exist, and are to be kept before [`commit`](Self::commit) makes it one.
///
/// It holds the lock on the folder. Dropping it leaves nothing.
#[must_use = "nothing is created before `commit`"]
pub struct NewArchive {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    id: Uuid,
    owner: String,
    keys: ArchiveKeys,
    secrets: Secrets,
    identity: ArchiveIdentity,
    open: OpenOptions,
    /// Before the lock, to be dropped under it.
    folder: MadeFolder,
    lock: FolderLock,
    is_watched: bool,
    /// Its keys were asked for.
    shown: AtomicBool,
}

struct Secrets {
    archive: SecretKey,
    master: SecretKey,
    recovery_wrap: SecretKey,
}

/// A folder that was made for an archive; removed again if nothing was put into it.
struct MadeFolder(Option<PathBuf>);

impl Drop for MadeFolder {
    fn drop(&mut self) {
        if let Some(dir) = &self.0 {
            let _not_empty = std::fs::remove_dir(dir);
        }
    }
}

impl std::fmt::Debug for NewArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewArchive").field("dir", &self.dir).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Archive {
    /// Begins an archive in `dir`, in two steps: keep [`NewArchive::keys`], then [`NewArchive::commit`]. The folder must
    /// not exist yet, or be empty, or contain nothing but an archive whose creation was cut short. A folder created here
    /// is accessible to its owner only; files and folders in it take their mode from it.
    ///
    /// ```
    /// use archive_core::{Archive, CreateOptions, Key, OpenOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let place = tempfile::tempdir()?;
    /// # let dir = place.path().join("mail");
    /// let new = Archive::create(&dir, CreateOptions::new("anna"))?;
    /// let recovery_key = new.keys().recovery.text().to_owned();
    /// println!("write this down: {recovery_key}");
    /// let archive = new.commit()?;
    /// archive.close()?;
    ///
    /// let archive = Archive::open(&dir, &Key::Recovery(recovery_key.into()), OpenOptions::default())?;
    /// archive.close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(dir: &Path, options: CreateOptions) -> Result<NewArchive, Error> {
        check_owner(&options.owner)?;
        let made = make_folder(dir).map_err(|source| VfsError::new(Operation::Create, dir, source))?;
        let new = Self::begin(Arc::new(options.open.disk()), dir, options, made)?;
        Ok(NewArchive { is_watched: true, ..new })
    }

    /// Like [`Archive::create`], on any file system; the folder must exist.
    pub fn create_on(vfs: Arc<dyn Vfs>, dir: &Path, options: CreateOptions) -> Result<NewArchive, Error> {
        check_owner(&options.owner)?;
        Self::begin(vfs, dir, options, false)
    }

    /// Begins an archive in a folder, which may have been `made` for it.
    fn begin(vfs: Arc<dyn Vfs>, dir: &Path, options: CreateOptions, made: bool) -> Result<NewArchive, Error> {
        if options.open.is_read_only() {
            return Err(Error::misuse("an archive cannot be created for reading only", "open it so once it is created"));
        }
        let lock = FolderLock::take(&*vfs, dir)?;
        // Only under the lock is it certain that the folder is not the beginning of another archive.
        let folder = MadeFolder(made.then(|| dir.to_owned()));
        unfinished(&*vfs, dir)?;
        let (id, made) = (Uuid(random()?), crate::clock::now().div_euclid(1000));
        let secrets = Secrets { archive: SecretKey::random()?, master: SecretKey::random()?, recovery_wrap: SecretKey::random()? };
        let recovery_key = SecretKey::random()?;
        let mut slots = vec![Slot::recovery(id, &secrets.archive, made, &recovery_key)?];
        let mut keys = ArchiveKeys { key_file: None, recovery: print_recovery_key(id, &recovery_key) };
        if options.key_file {
            let (slot, text) = Slot::key_file(id, &secrets.archive, made)?;
            slots.push(slot);
            keys.key_file = Some(text);
        }
        if let Some(passphrase) = &options.passphrase {
            slots.push(Slot::passphrase(id, &secrets.archive, made, passphrase.text())?);
        }
        let identity = ArchiveIdentity {
            slots: slots.into_iter().map(Into::into).collect(),
            master: KeyWrap::make(&secrets.archive, &secrets.master, id, MASTER)?,
            master_recovery: KeyWrap::make(&secrets.recovery_wrap, &secrets.master, id, MASTER_RECOVERY)?,
            recovery_wrap: KeyWrap::make(&secrets.archive, &secrets.recovery_wrap, id, RECOVERY_WRAP)?,
            recovery: KeyWrap::make(&recovery_key, &secrets.recovery_wrap, id, RECOVERY)?,
            generation: 1,
        };
        Ok(NewArchive {
            vfs,
            dir: dir.to_owned(),
            id,
            owner: options.owner,
            keys,
            secrets,
            identity,
            open: options.open,
            folder,
            lock,
            is_watched: false,
            shown: AtomicBool::new(false),
        })
    }
}

impl NewArchive {
    /// The id that it will have.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// What will open it. It cannot be shown again.
    pub fn keys(&self) -> &ArchiveKeys {
        self.shown.store(true, Ordering::Relaxed);
        &self.keys
    }

    /// Creates the archive, synced, and opens it.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if nobody asked for its [`keys`](Self::keys): such an archive could be lost with one disk. In
    /// case of an error, an archive exists only if `archive.mk` does: its last file.
    pub fn commit(self) -> Result<Archive, Error> {
        if !self.shown.load(Ordering::Relaxed) {
            return Err(Error::misuse("the keys of the new archive were not asked for", "keep them, then commit"));
        }
        let Self { vfs, dir, id, secrets, identity, mut folder, lock, .. } = self;
        // From here on the folder is that of an archive, or of one whose creation was cut short.
        folder.0 = None;
        let lock = lock.note(&*vfs)?;
        clear(&*vfs, &dir)?;
        write_page(&*vfs, &dir)?;
        let mut master = Master::create(&vfs, &dir, &secrets.master, id)?;
        let (stores, name) = (stores_dir(&dir), "1".to_owned());
        vfs.create_dir(&stores)?;
        vfs.sync_dir(&dir)?;
        let recovery = identity.recovery.clone();
        let wrapping = Wrapping { archive: id, archive_key: &secrets.archive, recovery_wrap_key: &secrets.recovery_wrap, recovery };
        let store = create_store(&vfs, &StoreDirs::below(&stores.join(&name)), 1, &name, &wrapping)?;
        let uuid = Uuid(store.uuid);
        master.note_stores(vec![store])?;
        master.set(super::master::OWNER, &self.owner)?;
        let file = IdentityFile::seal(id, identity, &secrets.archive)?;
        master.record_keys(id, state_of(&file))?;
        // So that the next open finds a master that says that all of it is synced.
        master.mark(vec![SeenHead::new(uuid, Link::origin(uuid))])?;
        drop(master);
        let watched = lock.to_watch();
        if !watched.is_in_place().unwrap_or_default() {
            return Err(Error::LockLost { path: watched.path().to_owned() });
        }
        // Last, after all else is synced: this file is what makes the folder an archive.
        file.create(&*vfs, &identity_path(&dir))?;
        let opened = Archive::open_with(vfs, &dir, id, secrets.archive, self.open, Some(lock))?;
        Ok(Archive::new(if self.is_watched { opened.watched() } else { opened }))
    }
}

fn check_owner(owner: &str) -> Result<(), Error> {
    FolderPath::from_names(vec![owner.to_owned()]).map(drop).map_err(Error::folder)
}

/// Stores the page on the format with what it describes: in decades, the archive and its key are all that a reader
/// needs.
fn write_page(vfs: &dyn Vfs, dir: &Path) -> Result<(), Error> {
    let file = vfs.create(&dir.join("FORMAT.md"))?;
    file.append(PAGE.as_bytes())?;
    Ok(file.sync()?)
}

/// Creates `dir` for its owner only, and missing folders above it with the usual mode. Existing folders stay as they
/// are. Returns whether it made `dir`.
fn make_folder(dir: &Path) -> std::io::Result<bool> {
    if dir.is_dir() {
        return Ok(false);
    }
    if let Some(above) = dir.parent() {
        std::fs::create_dir_all(above)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        Err(_) if dir.is_dir() => Ok(false),
        made => made.map(|()| true),
    }
}
