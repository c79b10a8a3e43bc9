//! Slots of an archive: listed, tried, added, removed.

use std::path::Path;

use super::identity::Found;
use super::open::open_slots;
use super::{Archive, master};
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
    #[must_use]
    pub fn key_status(&self) -> KeyStatus {
        KeyStatus {
            slots: self.keyring().identity.slots.iter().filter_map(KeptSlot::info).collect(),
            recovery_identifier: recovery_identifier(self.id),
            recovery_confirmed: self.recovery_confirmed(),
        }
    }

    /// Whether the recovery key was confirmed.
    #[must_use]
    pub fn recovery_confirmed(&self) -> bool {
        self.master().setting(master::RECOVERY_CONFIRMED).is_some_and(|confirmed| !confirmed.is_empty())
    }

    /// Tries only `key` on the archive in `dir`. Returns the slot that it opens.
    pub fn test_key(dir: &Path, key: &Key) -> Result<SlotInfo, Error> {
        Ok(Found::read(&DiskVfs::new(), dir)?.unlock(key)?.slot)
    }

    /// Notes that the recovery key is at hand, if `key` is it.
    pub fn confirm_recovery(&self, key: &Key) -> Result<(), Error> {
        if key.kind() != SlotKind::Recovery {
            return Err(Error::Misuse("only the recovery key can be confirmed".to_owned()));
        }
        open_slots(&self.keyring().identity, self.id, key)?;
        if self.recovery_confirmed() {
            return Ok(());
        }
        self.master().set(master::RECOVERY_CONFIRMED, "yes")?;
        self.store.idle().committed();
        Ok(())
    }

    /// Adds a passphrase that opens the archive.
    pub fn add_passphrase(&self, passphrase: &str) -> Result<SlotInfo, Error> {
        if passphrase.is_empty() {
            return Err(Error::Misuse("a passphrase has at least one character".to_owned()));
        }
        let slot = Slot::passphrase(self.id, &self.archive_key, crate::clock::now().div_euclid(1000), passphrase)?;
        let info = slot.info().ok_or(Error::Bug("a slot of an unknown kind was made"))?;
        self.change_keys(|identity| {
            identity.slots.push(slot.into());
            within_limits(&identity.slots)
        })?;
        Ok(info)
    }

    /// Removes the passphrase whose slot has this identifier.
    pub fn remove_passphrase(&self, slot: &str) -> Result<(), Error> {
        self.change_keys(|identity| {
            let before = identity.slots.len();
            identity.slots.retain(|known| !known.info().is_some_and(|info| info.kind == SlotKind::Passphrase && info.id == slot));
            match identity.slots.len() == before {
                true => Err(Error::Misuse(format!("no passphrase has slot `{slot}`; `key status` lists them"))),
                false => Ok(()),
            }
        })
    }
}
