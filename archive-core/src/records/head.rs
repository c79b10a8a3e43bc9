//! `head.mkm`: the second witness of what was durable, and of the head of the other side (store or master).
//!
//! One sealed frame in the folder of a store and in that of the master, replaced on closing and when the writer is
//! idle. It may be older than the records, never newer: it is written after their sync. Bytes: docs/FORMAT.md, "Head".

use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};

use super::{Frontier, Link};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{FileKind, FrameKind, HEADER_LEN, SecretKey, Single, read_single, replace_single};
use crate::vfs::Vfs;
use crate::wire::{Keys, decode, encode};

/// The next numbers of a store: contents, messages, parts, import runs; the highest folder and container assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub(crate) struct HeadNumbers {
    #[n(0)]
    pub(crate) contents: u32,
    #[n(1)]
    pub(crate) messages: u32,
    #[n(2)]
    pub(crate) parts: u32,
    #[n(3)]
    pub(crate) runs: u32,
    #[n(4)]
    pub(crate) folders: u32,
    #[n(5)]
    pub(crate) containers: u32,
}

/// The head of another chain, as it was last seen: of a store in the master, of the master in a store.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct SeenHead {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) owner: [u8; 16],
    #[n(1)]
    pub(crate) sequence: u64,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) chain: [u8; 32],
}

impl SeenHead {
    pub(crate) fn new(owner: Uuid, link: Link) -> Self {
        Self { owner: owner.0, sequence: link.sequence, chain: link.chain }
    }

    pub(crate) fn link(&self) -> Link {
        Link { sequence: self.sequence, chain: self.chain }
    }
}

/// What was durable when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Head {
    #[n(1)]
    sequence: u64,
    #[cbor(n(2), with = "minicbor::bytes")]
    chain: [u8; 32],
    /// Number of the active container (0 if none) and its end.
    #[n(3)]
    pub(crate) container: (u32, u64),
    #[n(4)]
    pub(crate) numbers: HeadNumbers,
    #[n(5)]
    pub(crate) tree: Frontier,
    #[n(6)]
    pub(crate) seen: Vec<SeenHead>,
}

impl Keys for Head {
    const WHAT: &'static str = "key of head.mkm";
    const LAST: u64 = 6;
}

impl Head {
    pub(crate) fn new(link: Link, container: (u32, u64), numbers: HeadNumbers, tree: Frontier, seen: Vec<SeenHead>) -> Self {
        Self { sequence: link.sequence, chain: link.chain, container, numbers, tree, seen }
    }

    pub(crate) fn link(&self) -> Link {
        Link { sequence: self.sequence, chain: self.chain }
    }

    /// The head of `owner` as it was last seen.
    pub(crate) fn seen(&self, owner: Uuid) -> Option<Link> {
        self.seen.iter().find(|seen| seen.owner == owner.0).map(SeenHead::link)
    }
}

/// The path of the head in the folder of a store or of the master.
pub(crate) fn head_path(dir: &Path) -> PathBuf {
    dir.join("head.mkm")
}

fn single(owner: Uuid) -> Single {
    Single { kind: FileKind::Head, frame: FrameKind::Head, owner }
}

/// The head in `dir`; `None` if there is none, as before the first close.
pub(crate) fn read_head(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid) -> Result<Option<Head>, Error> {
    let path = head_path(dir);
    let Some(bytes) = read_single(vfs, &path, key, single(owner))? else { return Ok(None) };
    let damage = || Damage::new(&path, HEADER_LEN as u64, bytes.len() as u64, DamageCause::Decode);
    let head: Head = decode(&bytes).map_err(|cause| cause.at(damage))?;
    if head.tree.is_sound() { Ok(Some(head)) } else { Err(damage().into()) }
}

/// Replaces the head in `dir`.
pub(crate) fn write_head(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid, head: &Head) -> Result<(), Error> {
    replace_single(vfs, &head_path(dir), key, single(owner), &encode(head))
}
