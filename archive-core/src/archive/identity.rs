//! Decides which copy of `archive.mk` is valid: the one that the master names. What a crash left half done is
//! completed; a file that someone else put in its place is kept elsewhere, and reported.
//!
//! Order of a change: the master notes it as begun, copy 1, copy 2, the master notes it as done.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::create::{MASTER, MASTER_RECOVERY, RECOVERY_WRAP};
use super::master::{self, KeyState, Master, RECOVERY_CONFIRMED};
use super::unfinished::unfinished;
use super::{Opened, identity_path, open};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{
    ArchiveIdentity, IdentityCopy, IdentityFile, Key, KeyWrap, SecretKey, SlotInfo, copies_of, read_copies, unplaced, verify_copies,
};
use crate::store::keep_apart;
use crate::vfs::Vfs;

type File = IdentityFile<ArchiveIdentity>;

/// What wraps the keys of an open archive.
pub(super) struct Keyring {
    pub(super) identity: ArchiveIdentity,
    /// Why keys are not changed.
    pub(super) barred: Option<Error>,
}

/// What a key opened.
pub(super) struct Unlocked {
    pub(super) id: Uuid,
    pub(super) slot: SlotInfo,
    pub(super) archive_key: SecretKey,
}

/// Both copies of `archive.mk` as they are on disk.
pub(super) struct Found {
    path: PathBuf,
    copies: [IdentityCopy<ArchiveIdentity>; 2],
}

impl Found {
    pub(super) fn read(vfs: &dyn Vfs, dir: &Path) -> Result<Self, Error> {
        let path = identity_path(dir);
        let copies = read_copies(vfs, &path)?;
        match copies {
            [IdentityCopy::Missing, IdentityCopy::Missing] => {
                if unfinished(vfs, dir).is_ok_and(|files| !files.is_empty()) {
                    return Err(Error::Unfinished { path: dir.to_owned() });
                }
                let is_left = |name: &str| vfs.kind(&dir.join(name)).is_ok_and(|kind| kind.is_some());
                let why = match is_left("master") || is_left("stores") {
                    true => "archive.mk and archive.mk.2 are missing; put one of them back from a backup",
                    false => "there is no archive.mk",
                };
                Err(Error::NotAnArchive { path: dir.to_owned(), why })
            }
            copies => Ok(Self { path, copies }),
        }
    }

    fn whole(&self) -> impl Iterator<Item = &File> {
        self.copies.iter().filter_map(IdentityCopy::whole)
    }

    /// A copy that is whole, where no key decides which one is valid.
    pub(super) fn any(&self) -> Result<&File, Error> {
        let unreadable = self.copies.iter().find_map(|copy| match copy {
            IdentityCopy::Unreadable(error) => Some(error.clone()),
            _ => None,
        });
        self.whole().next().ok_or_else(|| unreadable.unwrap_or(Error::BrokenIdentity { path: self.path.clone() }))
    }

    /// What `key` opens. If there are several copies, it must open the newest: an older one may have slots that were
    /// removed.
    pub(super) fn unlock(&self, key: &Key) -> Result<Unlocked, Error> {
        let first = self.any()?;
        let (file, unlocked) = match unlock(first, key) {
            Ok(unlocked) => (first, unlocked),
            Err(error) => {
                let other = self.whole().find(|other| other.map() != first.map()).ok_or_else(|| error.clone())?;
                (other, unlock(other, key).map_err(|_| error)?)
            }
        };
        match self.newest(&unlocked.archive_key)? {
            Some((_, newest)) if newest.map() != file.map() => unlock(newest, key),
            _ => Ok(unlocked),
        }
    }

    /// The copy of the highest generation that was written with the archive key.
    fn newest(&self, archive_key: &SecretKey) -> Result<Option<(usize, &File)>, Error> {
        let mut newest = None::<(usize, &File)>;
        for (at, copy) in self.copies.iter().enumerate() {
            if let Some(file) = copy.authentic(archive_key)?
                && newest.is_none_or(|(_, known)| known.value.generation < file.value.generation)
            {
                newest = Some((at, file));
            }
        }
        Ok(newest)
    }

    /// The master key, by any wrap of any copy that opens.
    pub(super) fn master_key(&self, id: Uuid, archive_key: &SecretKey) -> Result<Option<SecretKey>, Error> {
        let newest = self.newest(archive_key)?.map(|(_, file)| file);
        for file in newest.into_iter().chain(self.whole()) {
            if let Some(key) = master_key(&file.value, id, archive_key)? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Decides which copy is valid, completes what a crash left half done, and reports what else is wrong. If that
    /// cannot be written, the archive can still be read.
    pub(super) fn settle(
        &self,
        vfs: &Arc<dyn Vfs>,
        id: Uuid,
        archive_key: &SecretKey,
        master: &mut Master,
    ) -> Result<(Keyring, Vec<Error>), Error> {
        let mut notices = Vec::new();
        let newest = self.newest(archive_key)?;
        let record = master.keys(id);
        let holds = match (record.begun, record.done) {
            (None, None) => newest.map(|(_, file)| file),
            (begun, done) => self.of_state(begun, archive_key)?.or(self.of_state(done, archive_key)?),
        };
        let Some(holds) = holds else {
            let (file, finding) = self.unrecorded(archive_key, record.done)?;
            return Ok((Keyring { identity: file.value.clone(), barred: Some(finding.clone()) }, vec![finding]));
        };
        // Nothing is written unless the master says which copy is valid and may itself be written.
        if record.done.is_some()
            && master.barred().is_none()
            && let Err(error) = self.complete(vfs, id, archive_key, master, holds, &mut notices)
        {
            notices.push(error);
        }
        Ok((Keyring { identity: holds.value.clone(), barred: None }, notices))
    }

    fn of_state(&self, state: Option<KeyState>, archive_key: &SecretKey) -> Result<Option<&File>, Error> {
        for copy in &self.copies {
            if let Some(file) = copy.authentic(archive_key)?
                && Some(state_of(file)) == state
            {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// The copy to use where none is the one recorded, and what is wrong with it.
    fn unrecorded(&self, archive_key: &SecretKey, recorded: Option<KeyState>) -> Result<(&File, Error), Error> {
        let [first, second] = copies_of(&self.path);
        let (at, file) = match self.newest(archive_key)? {
            Some(newest) => newest,
            None => (usize::from(self.copies[0].whole().is_none()), self.any()?),
        };
        let path = if at == 0 { first } else { second };
        let damage = file.damage(&path, archive_key, recorded.map(|state| (state.generation, state.digest)))?;
        let damage = damage.unwrap_or_else(|| Damage::new(&path, 0, 0, DamageCause::Unrecorded));
        let finding = match (damage.cause, recorded) {
            (DamageCause::Older, Some(recorded)) => {
                Error::IdentityOlder { path, found: file.value.generation, recorded: recorded.generation }
            }
            (cause, _) => Error::IdentityChanged { path, cause },
        };
        Ok((file, finding))
    }

    /// Writes the valid state to both copies, and notes that a change is done.
    fn complete(
        &self,
        vfs: &Arc<dyn Vfs>,
        id: Uuid,
        archive_key: &SecretKey,
        master: &mut Master,
        holds: &File,
        notices: &mut Vec<Error>,
    ) -> Result<(), Error> {
        let (record, state) = (master.keys(id), state_of(holds));
        let before = record.begun.and(record.done).map(|done| done.digest);
        for (copy, path) in self.copies.iter().zip(copies_of(&self.path)) {
            let wrong = match copy {
                IdentityCopy::Missing => None,
                IdentityCopy::Unreadable(error) => {
                    notices.push(error.clone());
                    continue;
                }
                IdentityCopy::Broken(damage) => Some(damage.clone()),
                IdentityCopy::Whole(file) => match file.damage(&path, archive_key, Some((state.generation, state.digest)))? {
                    None => continue,
                    // The state before a change that a crash cut short.
                    Some(damage) => Some(damage).filter(|damage| damage.cause != DamageCause::Older || Some(file.digest()) != before),
                },
            };
            if let Some(damage) = wrong {
                notices.push(damage.into());
                keep_apart(vfs, &path, &beside(&self.path)?)?;
            }
            holds.write_copy(&**vfs, &path)?;
        }
        if record.begun.is_some() {
            for path in copies_of(&self.path).iter().map(|copy| unplaced(copy)) {
                if vfs.kind(&path)?.is_some() {
                    vfs.remove(&path)?;
                }
            }
            master.finish_key_change(id, state.generation)?;
        }
        Ok(())
    }
}

fn unlock(file: &File, key: &Key) -> Result<Unlocked, Error> {
    let (slot, archive_key) = open::open_slots(&file.value, file.owner, key)?;
    let slot = slot.info().ok_or(Error::Bug("a slot of an unknown kind was opened"))?;
    Ok(Unlocked { id: file.owner, slot, archive_key })
}

pub(super) fn state_of(file: &File) -> KeyState {
    KeyState { generation: file.value.generation, digest: file.digest() }
}

/// The folder of the master, in whose `lost+found` files are put aside.
fn beside(identity: &Path) -> Result<PathBuf, Error> {
    let dir = identity.parent().ok_or(Error::Bug("an identity file lies in a folder"))?;
    Ok(master::dir(dir))
}

/// The master key, unwrapped by the archive key or through the recovery wrap key.
pub(super) fn master_key(identity: &ArchiveIdentity, id: Uuid, archive_key: &SecretKey) -> Result<Option<SecretKey>, Error> {
    if let Some(key) = identity.master.open(archive_key, id, MASTER)? {
        return Ok(Some(key));
    }
    match identity.recovery_wrap.open(archive_key, id, RECOVERY_WRAP)? {
        Some(recovery_wrap_key) => identity.master_recovery.open(&recovery_wrap_key, id, MASTER_RECOVERY),
        None => Ok(None),
    }
}

impl Opened {
    /// Changes what opens the archive, in an order that leaves the state before or after it whatever happens.
    pub(super) fn change_keys<T>(&self, change: impl FnOnce(&mut ArchiveIdentity) -> Result<T, Error>) -> Result<T, Error> {
        let mut keyring = self.keyring();
        // An archive that was rolled back is not written before that is accepted.
        let stores = self.stores.open();
        let rolled_back = stores.iter().filter_map(|store| store.barred()).find(|error| matches!(error, Error::RolledBack { .. }));
        if let Some(error) = keyring.barred.as_ref().or(rolled_back) {
            return Err(error.clone());
        }
        let mut changed = keyring.identity.clone();
        let result = change(&mut changed)?;
        let generation = changed.generation;
        self.put_identity(&mut keyring, changed, generation)?;
        Ok(result)
    }

    /// Writes `changed` as the generation after `last`.
    fn put_identity(&self, keyring: &mut Keyring, mut changed: ArchiveIdentity, last: u64) -> Result<(), Error> {
        changed.generation = last.checked_add(1).ok_or(Error::Bug("the keys changed too often"))?;
        let file = IdentityFile::seal(self.id, changed, self.archive_key())?;
        let mut master = self.master();
        master.begin_key_change(self.id, state_of(&file))?;
        // From here on only the next open can tell which state the copies have.
        keyring.barred = Some(Error::Latched { cause: Error::Bug("a change of keys was not completed").into() });
        file.write(&*self.vfs, &identity_path(&self.dir))?;
        master.finish_key_change(self.id, file.value.generation)?;
        *keyring = Keyring { identity: file.value, barred: None };
        self.committed();
        Ok(())
    }

    /// Repairs the identity files: `store.mk` is rewritten from the master; if no copy of `archive.mk` is the one
    /// recorded, the one that was read becomes a new generation, provided that a person accepts its slots. Any other
    /// file in the place of a copy is put aside.
    pub(super) fn repair_identities(&self, accept: bool) -> Result<(), Error> {
        for store in self.stores.open().iter() {
            store.repair_identity(self.archive_key())?;
        }
        let mut keyring = self.keyring();
        if keyring.barred.is_none() || !accept {
            return Ok(());
        }
        // The wraps of the recovery key can be checked with that key alone.
        self.master().set(RECOVERY_CONFIRMED, "")?;
        let mut accepted = keyring.identity.clone();
        let mut last = accepted.generation;
        let record = self.master().keys(self.id);
        for state in [record.done, record.begun].into_iter().flatten() {
            last = last.max(state.generation);
        }
        if accepted.master.open(self.archive_key(), self.id, MASTER)?.is_none()
            && let Some(key) = master_key(&accepted, self.id, self.archive_key())?
        {
            accepted.master = KeyWrap::make(self.archive_key(), &key, self.id, MASTER)?;
        }
        let path = identity_path(&self.dir);
        for (copy, path) in read_copies::<ArchiveIdentity>(&*self.vfs, &path)?.iter().zip(copies_of(&path)) {
            let stays = match copy {
                IdentityCopy::Whole(file) => file.value == keyring.identity,
                IdentityCopy::Missing => true,
                IdentityCopy::Broken(_) | IdentityCopy::Unreadable(_) => false,
            };
            if !stays {
                keep_apart(&self.vfs, &path, &beside(&path)?)?;
            }
        }
        self.put_identity(&mut keyring, accepted, last)
    }

    /// What is wrong with the copies of `archive.mk` that are on disk now.
    pub(super) fn verify_identity(&self) -> Result<Vec<Damage>, Error> {
        let known = self.master().keys(self.id).done.map(|state| (state.generation, state.digest));
        let mut found = verify_copies::<ArchiveIdentity>(&*self.vfs, &identity_path(&self.dir), self.archive_key(), known)?;
        if self.reopened.is_some() {
            // A writer may have changed the keys since this state.
            found.retain(|damage| !matches!(damage.cause, DamageCause::Older | DamageCause::Unrecorded));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Archive, CreateOptions, OpenOptions};
    use crate::vfs::MemVfs;

    const DIR: &str = "/archive";

    fn open(vfs: &MemVfs, key: &str) -> Archive {
        Archive::open_on(Arc::new(vfs.clone()), Path::new(DIR), &Key::File(key.to_owned().into()), OpenOptions::default()).unwrap()
    }

    fn bytes(vfs: &MemVfs, path: &Path) -> Vec<u8> {
        let file = vfs.open_read(path).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(0, &mut bytes).unwrap();
        bytes
    }

    fn write(vfs: &MemVfs, path: &Path, bytes: &[u8]) {
        let file = vfs.open(path).unwrap();
        file.truncate(0).unwrap();
        file.append(bytes).unwrap();
    }

    fn is_sound(archive: &Archive) -> bool {
        let archive = archive.enter().unwrap();
        let are_stores = archive.stores.open().iter().all(|store| store.verify_identity(archive.archive_key()).unwrap().is_empty());
        archive.verify_identity().unwrap().is_empty() && are_stores
    }

    #[test]
    fn repair_accepts_an_older_identity_and_writes_lost_ones_again() {
        let vfs = MemVfs::new();
        vfs.create_dir(Path::new(DIR)).unwrap();
        let options = CreateOptions::new("anna").passphrase("old");
        let new = Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), options).unwrap();
        let key = new.keys().key_file.as_ref().unwrap().text().to_owned();
        let archive = new.commit().unwrap();
        let [first, second] = copies_of(&identity_path(Path::new(DIR)));
        let older = bytes(&vfs, &first);
        let slots = archive.key_status().unwrap().slots;
        archive.remove_passphrase(&slots[2].id).unwrap();
        archive.close().unwrap();
        // Both earlier copies of archive.mk, and no copy of store.mk.
        [&first, &second].iter().for_each(|path| write(&vfs, path, &older));
        let store = Path::new(DIR).join("stores/1/store.mk");
        let whole = bytes(&vfs, &store);
        copies_of(&store).iter().for_each(|path| vfs.remove(path).unwrap());
        let archive = open(&vfs, &key);
        assert!(matches!(archive.notices(), [Error::IdentityOlder { found: 1, recorded: 2, .. }]), "{:?}", archive.notices());
        assert!(archive.add_passphrase("new").is_err() && !is_sound(&archive));
        archive.enter().unwrap().repair_identities(true).unwrap();
        assert!(is_sound(&archive));
        archive.close().unwrap();
        let archive = open(&vfs, &key);
        assert!(archive.notices().is_empty() && archive.damage().is_none() && is_sound(&archive));
        assert_eq!(archive.key_status().unwrap().slots, slots, "accepted as it lay there");
        archive.add_passphrase("new").unwrap();
        // The same except for its file id, and what depends on it.
        assert_eq!(bytes(&vfs, &store)[148..whole.len() - 36], whole[148..whole.len() - 36]);
    }
}
