//! Slots of an archive: listed, tried, added, removed.

use std::path::Path;

use super::identity::Found;
use super::open::open_slots;
use super::{Archive, Opened, master};
use crate::error::Error;
use crate::seal::{KeptSlot, Key, Slot, SlotInfo, SlotKind, recovery_identifier, within_limits};
use crate::vfs::DiskVfs;

/// What opens an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its slots.
    pub slots: Vec<SlotInfo>,
    /// The first characters of the recovery key, which identify the right printout.
    pub recovery_identifier: String,
    /// The recovery key was entered once after it was shown.
    pub recovery_confirmed: bool,
}

impl Archive {
    /// What opens this archive.
    pub fn key_status(&self) -> Result<KeyStatus, Error> {
        let archive = self.enter()?;
        let slots = archive.keyring().identity.slots.iter().filter_map(KeptSlot::info).collect();
        Ok(KeyStatus { slots, recovery_identifier: recovery_identifier(archive.id), recovery_confirmed: archive.recovery_confirmed() })
    }

    /// Whether the recovery key was confirmed.
    pub fn recovery_confirmed(&self) -> Result<bool, Error> {
        Ok(self.enter()?.recovery_confirmed())
    }

    /// Tries only `key` on the archive in `dir`. Returns the slot that it opens.
    pub fn test_key(dir: &Path, key: &Key) -> Result<SlotInfo, Error> {
        Ok(Found::read(&DiskVfs::new(), dir)?.unlock(key)?.slot)
    }

    /// Notes that the recovery key is at hand, if `key` is it.
    pub fn confirm_recovery(&self, key: &Key) -> Result<(), Error> {
        if key.kind() != SlotKind::Recovery {
            return Err(Error::misuse("only the recovery key can be confirmed", "give the recovery key"));
        }
        let archive = self.enter_to_change()?;
        open_slots(&archive.keyring().identity, archive.id, key)?;
        if archive.recovery_confirmed() {
            return Ok(());
        }
        archive.master().set(master::RECOVERY_CONFIRMED, "yes")?;
        archive.committed();
        Ok(())
    }

    /// Adds a passphrase that opens the archive.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Archive, CreateOptions, Key, OpenOptions, SlotKind, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let vfs = Arc::new(MemVfs::new());
    /// # let new = Archive::create_on(vfs.clone(), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let archive = new.commit()?;
    /// let slot = archive.add_passphrase("correct horse battery staple")?;
    /// assert_eq!(slot.kind, SlotKind::Passphrase);
    /// archive.close()?;
    ///
    /// let key = Key::Passphrase("correct horse battery staple".into());
    /// # let archive = Archive::open_on(vfs, Path::new("/"), &key, OpenOptions::default())?;
    /// // let archive = Archive::open(folder, &key, OpenOptions::default())?;
    /// archive.remove_passphrase(&slot.id)?;
    /// assert!(archive.key_status()?.slots.iter().all(|slot| slot.kind != SlotKind::Passphrase));
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_passphrase(&self, passphrase: &str) -> Result<SlotInfo, Error> {
        if passphrase.is_empty() {
            return Err(Error::misuse("the passphrase is empty", "give at least one character"));
        }
        let archive = self.enter_to_change()?;
        let slot = Slot::passphrase(archive.id, archive.archive_key(), crate::clock::now().div_euclid(1000), passphrase)?;
        let info = slot.info().ok_or(Error::Bug("a slot of an unknown kind was made"))?;
        archive.change_keys(|identity| {
            identity.slots.push(slot.into());
            within_limits(&identity.slots)
        })?;
        Ok(info)
    }

    /// Removes the passphrase whose slot has this identifier.
    pub fn remove_passphrase(&self, slot: &str) -> Result<(), Error> {
        self.enter_to_change()?.change_keys(|identity| {
            let before = identity.slots.len();
            identity.slots.retain(|known| !known.info().is_some_and(|info| info.kind == SlotKind::Passphrase && info.id == slot));
            match identity.slots.len() == before {
                true => Err(Error::misuse(format!("no passphrase has slot `{slot}`"), "`key status` lists them")),
                false => Ok(()),
            }
        })
    }
}

impl Opened {
    fn recovery_confirmed(&self) -> bool {
        self.master().setting(master::RECOVERY_CONFIRMED).is_some_and(|confirmed| !confirmed.is_empty())
    }
}
