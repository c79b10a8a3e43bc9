//! The keys of a store: those that the master repeats, or, if it is lost, those of `store.mk`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{LostFound, Store};
use crate::error::{Damage, DamageCause, Error};
use crate::id::{Digest, Uuid};
use crate::records::StoreFact;
use crate::seal::{
    IdentityCopy, IdentityFile, KeyWrap, SecretKey, StoreIdentity, copies_of, decode_map, name_by_bytes, random, read_copies, verify_copies,
};
use crate::vfs::Vfs;

const WRAP: &str = "store key";
const WRAP_RECOVERY: &str = "store key by recovery";

/// The path of a store's identity file.
pub(super) fn identity_path(root: &Path) -> PathBuf {
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

/// Writes the identity of a new store. Returns what the master is to record of it.
pub(super) fn make(vfs: &dyn Vfs, root: &Path, no: u32, name: &str, key: &SecretKey, wrapping: &Wrapping<'_>) -> Result<StoreFact, Error> {
    let uuid = Uuid(random()?);
    let identity = StoreIdentity {
        archive: wrapping.archive.0,
        key: KeyWrap::make(wrapping.archive_key, key, uuid, WRAP)?,
        key_recovery: KeyWrap::make(wrapping.recovery_wrap_key, key, uuid, WRAP_RECOVERY)?,
        recovery: wrapping.recovery.clone(),
        generation: 1,
        no,
        name: name.to_owned(),
    };
    let file = IdentityFile::seal(uuid, identity, wrapping.archive_key)?;
    file.write(vfs, &identity_path(root))?;
    Ok(StoreFact::new(no, uuid.0, name.to_owned(), true, Some(file.map().to_vec())))
}

/// The store of `archive` in `root` according to its identity file; not as the one in use.
pub(crate) fn found_store(vfs: &dyn Vfs, root: &Path, archive: Uuid, archive_key: &SecretKey) -> Result<Option<StoreFact>, Error> {
    let Some(name) = root.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let copies = read_copies::<StoreIdentity>(vfs, &identity_path(root))?;
    let mut found = None;
    for copy in &copies {
        if let IdentityCopy::Unreadable(error) = copy {
            return Err(error.clone());
        }
        // A changed one is better than none: opening the store shows whether it has the keys.
        if let Some(file) = copy.authentic(archive_key)? {
            found = Some(file);
            break;
        }
        found = found.or(copy.whole());
    }
    // Of another archive, whose key is needed.
    let found = found.filter(|file| file.value.archive == archive.0);
    Ok(found.map(|file| StoreFact::new(file.value.no, file.owner.0, name.to_owned(), false, Some(file.map().to_vec()))))
}

/// The store key, and what is wrong if neither copy of `store.mk` is as it should be.
pub(super) fn open(vfs: &dyn Vfs, root: &Path, fact: &StoreFact, archive_key: &SecretKey) -> Result<(SecretKey, Option<Damage>), Error> {
    let (path, uuid) = (identity_path(root), Uuid(fact.uuid));
    let copies = read_copies::<StoreIdentity>(vfs, &path)?;
    let recorded = fact.identity.as_deref();
    let (mut wrong, mut unreadable) = (None, None);
    for (copy, path) in copies.iter().zip(copies_of(&path)) {
        wrong = Some(match copy {
            IdentityCopy::Missing => Damage::new(&path, 0, 0, DamageCause::Missing),
            IdentityCopy::Broken(damage) => damage.clone(),
            IdentityCopy::Unreadable(error) => {
                unreadable = Some(error.clone());
                continue;
            }
            IdentityCopy::Whole(file) if !file.is_authentic(archive_key)? => Damage::new(&path, 0, 0, DamageCause::Forged),
            IdentityCopy::Whole(file) if file.owner != uuid || recorded.is_some_and(|map| map != file.map()) => {
                Damage::new(&path, 0, 0, DamageCause::Unrecorded)
            }
            IdentityCopy::Whole(_) => {
                (wrong, unreadable) = (None, None);
                break;
            }
        });
    }
    if let Some(error) = unreadable {
        return Err(error);
    }
    let repeated = match recorded.map(decode_map::<StoreIdentity>) {
        Some(Err(Some(error))) => return Err(error),
        Some(Ok(identity)) => Some(identity),
        Some(Err(None)) | None => None,
    };
    let lying_there = copies.iter().filter_map(IdentityCopy::whole).map(|file| &file.value);
    for identity in repeated.iter().chain(lying_there) {
        if let Some(key) = identity.key.open(archive_key, uuid, WRAP)? {
            return Ok((key, wrong));
        }
    }
    Err(Error::BrokenIdentity { path })
}

/// Moves the identity file at `path`, which is not the valid one, to the `lost+found` of `root`.
pub(crate) fn keep_apart(vfs: &Arc<dyn Vfs>, path: &Path, root: &Path) -> Result<(), Error> {
    let name = name_by_bytes(&**vfs, path)?;
    LostFound::new(vfs, root).keep_file(path, name)?;
    let dir = path.parent().ok_or(Error::Bug("an identity file lies in a folder"))?;
    Ok(vfs.sync_dir(dir)?)
}

impl Store {
    fn recorded_identity(&self) -> Result<Option<(StoreIdentity, &[u8])>, Error> {
        let Some(map) = self.identity.as_deref() else { return Ok(None) };
        let broken = Error::BrokenIdentity { path: identity_path(&self.dirs.root) };
        Ok(Some((decode_map(map).map_err(|error| error.unwrap_or(broken))?, map)))
    }

    /// What is wrong with both copies of `store.mk`.
    pub(crate) fn verify_identity(&self, archive_key: &SecretKey) -> Result<Vec<Damage>, Error> {
        let recorded = self.recorded_identity()?;
        let known = recorded.map(|(identity, map)| (identity.generation, Digest::of(map).0));
        verify_copies::<StoreIdentity>(&*self.vfs, &identity_path(&self.dirs.root), archive_key, known)
    }

    /// Rewrites copies of `store.mk` that differ from what the master repeats. What was in their place is put aside.
    pub(crate) fn repair_identity(&self, archive_key: &SecretKey) -> Result<(), Error> {
        let Some((identity, map)) = self.recorded_identity()? else { return Ok(()) };
        let path = identity_path(&self.dirs.root);
        let file = IdentityFile::of_map(self.uuid, identity, map, archive_key)?;
        for (copy, path) in read_copies::<StoreIdentity>(&*self.vfs, &path)?.iter().zip(copies_of(&path)) {
            match copy {
                IdentityCopy::Unreadable(error) => return Err(error.clone()),
                IdentityCopy::Missing => {}
                _ if copy.authentic(archive_key)?.is_some_and(|copy| copy.map() == map) => continue,
                _ => keep_apart(&self.vfs, &path, &self.dirs.root)?,
            }
            file.write_copy(&*self.vfs, &path)?;
        }
        Ok(())
    }
}
