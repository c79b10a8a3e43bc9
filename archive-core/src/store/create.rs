//! Creates a store: folders, identity, an empty records file. Nothing names it before all of that is synced.

use std::sync::Arc;

use super::StoreDirs;
use super::identity::{Wrapping, make};
use crate::error::Error;
use crate::id::Uuid;
use crate::records::{Frontier, Link, Records, StoreFact};
use crate::seal::SecretKey;
use crate::vfs::Vfs;

/// Creates a store in `dirs`, whose parents exist, and syncs it. Returns what the master is to record of it.
pub(crate) fn create_store(vfs: &Arc<dyn Vfs>, dirs: &StoreDirs, no: u32, name: &str, wrapping: &Wrapping<'_>) -> Result<StoreFact, Error> {
    let key = SecretKey::random()?;
    for dir in [&dirs.root, &dirs.records, &dirs.content, &dirs.catalog, &dirs.index] {
        vfs.create_dir(dir)?;
    }
    let store = make(&**vfs, &dirs.root, no, name, &key, wrapping)?;
    let uuid = Uuid(store.uuid);
    Records::begin(Arc::clone(vfs), &dirs.records, key, uuid, 1, Link::origin(uuid), Frontier::default())?;
    vfs.sync_dir(&dirs.root)?;
    for dir in [&dirs.root, &dirs.content, &dirs.index] {
        vfs.sync_dir(dir.parent().ok_or(Error::Bug("a store lies in a folder"))?)?;
    }
    Ok(store)
}
