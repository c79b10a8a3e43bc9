//! A store is made: folders, identity, an empty records file. Nothing names it before all of that is synced.

use std::path::Path;
use std::sync::Arc;

use super::StoreDirs;
use crate::error::Error;
use crate::id::Uuid;
use crate::records::{Frontier, Link, Records};
use crate::seal::{FileKind, KeyWrap, SecretKey, StoreIdentity, random, read_identity, write_identity};
use crate::vfs::Vfs;

pub(super) const WRAP: &str = "store key";
pub(super) const WRAP_RECOVERY: &str = "store key by recovery";

/// The id of the store in `root`, as its identity says.
pub(crate) fn store_uuid(vfs: &dyn Vfs, root: &Path) -> Result<Uuid, Error> {
    let (uuid, _): (Uuid, StoreIdentity) = read_identity(vfs, &identity_path(root), FileKind::StoreIdentity)?;
    Ok(uuid)
}

/// The path of a store's identity file.
pub(super) fn identity_path(root: &Path) -> std::path::PathBuf {
    root.join("store.mk")
}

/// Keys under which a store key is wrapped.
pub(crate) struct Wrapping<'a> {
    pub(crate) archive: Uuid,
    pub(crate) archive_key: &'a SecretKey,
    pub(crate) recovery_wrap_key: &'a SecretKey,
    /// The recovery wrap key under the recovery key, copied from the archive.
    pub(crate) recovery: KeyWrap,
}

/// Makes a store in `root`, whose parent exists, and syncs it.
pub(crate) fn create_store(vfs: &Arc<dyn Vfs>, root: &Path, wrapping: &Wrapping<'_>) -> Result<Uuid, Error> {
    let uuid = Uuid(random()?);
    let key = SecretKey::random()?;
    let dirs = StoreDirs::below(root);
    for dir in [&dirs.root, &dirs.records, &dirs.content, &dirs.catalog, &dirs.index] {
        vfs.create_dir(dir)?;
    }
    let identity = StoreIdentity {
        archive: wrapping.archive.0,
        key: KeyWrap::make(wrapping.archive_key, &key, uuid, WRAP)?,
        key_recovery: KeyWrap::make(wrapping.recovery_wrap_key, &key, uuid, WRAP_RECOVERY)?,
        recovery: wrapping.recovery.clone(),
    };
    write_identity(&**vfs, &identity_path(root), FileKind::StoreIdentity, uuid, &identity)?;
    Records::begin(Arc::clone(vfs), &dirs.records, key, uuid, 1, Link::origin(uuid), Frontier::default())?;
    vfs.sync_dir(root)?;
    let parent = root.parent().ok_or(Error::Bug("a store lies in a folder"))?;
    vfs.sync_dir(parent)?;
    Ok(uuid)
}
