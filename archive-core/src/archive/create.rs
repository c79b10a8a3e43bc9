//! An archive is made: its identity first, the rest by the same code that completes a creation which a crash cut short.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Archive, OpenOptions, identity_path};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::Uuid;
use crate::seal::{ArchiveIdentity, ArchiveKeys, FileKind, KeyWrap, RecoveryKey, SecretKey, Slot, random, write_identity};
use crate::vfs::{DiskVfs, Vfs};

pub(super) const MASTER: &str = "master key";
pub(super) const MASTER_RECOVERY: &str = "master key by recovery";
pub(super) const RECOVERY_WRAP: &str = "recovery wrap key";
pub(super) const RECOVERY: &str = "recovery wrap key by recovery key";

/// How a new archive is to be.
#[derive(Debug)]
pub struct CreateOptions {
    owner: String,
    key_file: bool,
    passphrase: Option<Zeroizing<String>>,
    open: OpenOptions,
}

impl CreateOptions {
    /// An archive whose first user archive is called `owner`. It opens with a key file and the recovery key.
    #[must_use]
    pub fn new(owner: &str) -> Self {
        Self { owner: owner.to_owned(), key_file: true, passphrase: None, open: OpenOptions::default() }
    }

    /// Whether a key file is made; it is unless told otherwise.
    #[must_use]
    pub fn key_file(self, key_file: bool) -> Self {
        Self { key_file, ..self }
    }

    /// A passphrase that opens the archive too.
    #[must_use]
    pub fn passphrase(self, passphrase: &str) -> Self {
        Self { passphrase: Some(Zeroizing::new(passphrase.to_owned())), ..self }
    }

    /// How the archive is opened after it was made.
    #[must_use]
    pub fn open_options(self, open: OpenOptions) -> Self {
        Self { open, ..self }
    }
}

impl Archive {
    /// Makes an archive in `dir`, a folder that is empty or not there yet, and opens it.
    ///
    /// `keep` gets the archive's id and its keys, which nobody can show again, before anything is written: where it fails, nothing is made.
    pub fn create(dir: &Path, options: CreateOptions, keep: impl FnOnce(Uuid, &ArchiveKeys) -> Result<(), Error>) -> Result<Self, Error> {
        if !dir.exists() {
            std::fs::create_dir_all(dir).map_err(|source| crate::vfs::VfsError::new(crate::vfs::Operation::Create, dir, source))?;
        }
        Ok(Self::create_on(Arc::new(DiskVfs::new()), dir, options, keep)?.watched())
    }

    /// Like [`Archive::create`], on any file system; the folder must exist.
    pub fn create_on(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        options: CreateOptions,
        keep: impl FnOnce(Uuid, &ArchiveKeys) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        FolderPath::from_names(vec![options.owner.clone()]).map_err(|error| Error::Misuse(error.to_string()))?;
        // What a crash left of an earlier creation is no archive yet, and is written anew.
        let unfinished = dir.join("archive.mk.tmp");
        if vfs.list(dir)?.iter().any(|entry| entry.path != unfinished) {
            let hint = match vfs.kind(&identity_path(dir))? {
                Some(_) => ": it is an archive already",
                None => " and is not empty; an archive needs a folder of its own",
            };
            return Err(Error::Exists { path: dir.to_owned(), hint });
        }
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
            slots,
            master: KeyWrap::make(&archive_key, &master_key, id, MASTER)?,
            master_recovery: KeyWrap::make(&recovery_wrap_key, &master_key, id, MASTER_RECOVERY)?,
            recovery_wrap: KeyWrap::make(&archive_key, &recovery_wrap_key, id, RECOVERY_WRAP)?,
            recovery: KeyWrap::make(&recovery_key, &recovery_wrap_key, id, RECOVERY)?,
        };
        keep(id, &keys)?;
        write_identity(&*vfs, &identity_path(dir), FileKind::ArchiveIdentity, id, &identity)?;
        let archive = Self::open_with(vfs, dir, id, identity, archive_key, options.open)?;
        archive.master().set(super::master::OWNER, &options.owner)?;
        Ok(archive)
    }
}
