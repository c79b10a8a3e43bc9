//! The contents of identity files, `archive.mk` and `store.mk`: the identity of an archive or store, and what wraps its
//! keys.
//!
//! Docs: FORMAT.md, "Identity files". The files on disk: `identity_file`.

use minicbor::{Decode, Encode};

use super::header::FileKind;
use super::slot::{KeptSlot, within_limits};
use super::wrap::KeyWrap;
use crate::wire::Keys;

/// The map of an identity file.
pub(crate) trait IdentityMap: Keys + Encode<()> + for<'b> Decode<'b, ()> {
    /// The kind of its file.
    const KIND: FileKind;

    /// Which state of the file it is: 1 the first, one more with each change.
    fn generation(&self) -> u64;

    /// Whether it is within the limits; checked before any work that a forged file could demand.
    fn is_within_limits(&self) -> bool {
        true
    }
}

/// The contents of `archive.mk` after its header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ArchiveIdentity {
    /// What opens the archive key.
    #[n(1)]
    pub(crate) slots: Vec<KeptSlot>,
    /// The master key under the archive key.
    #[n(2)]
    pub(crate) master: KeyWrap,
    /// The master key under the recovery wrap key.
    #[n(3)]
    pub(crate) master_recovery: KeyWrap,
    /// The recovery wrap key under the archive key, so that new stores need no recovery key at hand.
    #[n(4)]
    pub(crate) recovery_wrap: KeyWrap,
    /// The recovery wrap key under the recovery key.
    #[n(5)]
    pub(crate) recovery: KeyWrap,
    #[n(6)]
    pub(crate) generation: u64,
}

impl Keys for ArchiveIdentity {
    const WHAT: &'static str = "key of archive.mk";
    const LAST: u64 = 6;
}

impl IdentityMap for ArchiveIdentity {
    const KIND: FileKind = FileKind::ArchiveIdentity;

    fn generation(&self) -> u64 {
        self.generation
    }

    fn is_within_limits(&self) -> bool {
        within_limits(&self.slots).is_ok()
    }
}

/// The contents of `store.mk` after its header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoreIdentity {
    /// The archive in which the store was created.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) archive: [u8; 16],
    /// The store key under the archive key.
    #[n(2)]
    pub(crate) key: KeyWrap,
    /// The store key under the recovery wrap key.
    #[n(3)]
    pub(crate) key_recovery: KeyWrap,
    /// The recovery wrap key under the recovery key: with it alone the store opens on a bare machine.
    #[n(4)]
    pub(crate) recovery: KeyWrap,
    #[n(5)]
    pub(crate) generation: u64,
    /// Number of the store.
    #[n(6)]
    pub(crate) no: u32,
    /// Name of its folder below `stores/`.
    #[n(7)]
    pub(crate) name: String,
}

impl Keys for StoreIdentity {
    const WHAT: &'static str = "key of store.mk";
    const LAST: u64 = 7;
}

impl IdentityMap for StoreIdentity {
    const KIND: FileKind = FileKind::StoreIdentity;

    fn generation(&self) -> u64 {
        self.generation
    }
}
