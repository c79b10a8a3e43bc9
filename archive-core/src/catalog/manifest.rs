//! The manifest: which runs make the catalog, and up to which commit they are valid. Replaced by rename.

use std::collections::BTreeMap;
use std::path::Path;

use minicbor::{Decode, Encode};

use super::run::RunName;
use crate::error::Error;
use crate::id::Uuid;
use crate::records::{Frontier, Link};
use crate::seal::{FileKind, FrameKind, SecretKey, Single, read_single, replace_single};
use crate::vfs::Vfs;
use crate::wire::{Keys, Undecodable, decode, encode};

/// The next numbers to assign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Numbers {
    #[n(1)]
    pub(crate) contents: u32,
    #[n(2)]
    pub(crate) messages: u32,
    #[n(3)]
    pub(crate) parts: u32,
    /// Highest folder assigned.
    #[n(4)]
    pub(crate) folders: u32,
    /// Highest container assigned.
    #[n(5)]
    pub(crate) containers: u32,
    #[n(6)]
    pub(crate) runs: u32,
    /// Bytes of all contents, each once.
    #[n(7)]
    pub(crate) content_bytes: u64,
    /// Bytes of all parts, each once.
    #[n(8)]
    pub(crate) part_bytes: u64,
    /// Contents that have a row: damage may have taken others.
    #[n(9)]
    pub(crate) contents_there: u32,
    /// Bytes of contents all of whose messages are deleted.
    #[cbor(n(10), default)]
    pub(crate) unreferenced_bytes: u64,
}

/// The commit up to which a catalog is valid, and its place in the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Basis {
    pub(crate) link: Link,
    pub(crate) tree: Frontier,
    pub(crate) numbers: Numbers,
    /// Records file and offset at which the commit begins.
    pub(crate) records: (u64, u64),
    /// Number of the active container (0 if none) and its end.
    pub(crate) container: (u32, u64),
    /// Stored bytes in sections of small commits that wait to be packed.
    pub(crate) unpacked_bytes: u64,
    /// Records files that have sections, packed or not, and how many bytes of them.
    pub(crate) sections: BTreeMap<u64, u64>,
    /// The first thing in the records that is unknown here and forbids writing.
    pub(crate) passed_over: Option<(String, u64)>,
    /// Time of archiving of the last message, if there is one: milliseconds since 1970, UTC.
    pub(crate) archived: Option<i64>,
    /// Records file and offset of the last repair: damage before it was accepted. Zeros if there was none.
    pub(crate) repaired_at: (u64, u64),
    /// Message numbers without a message that is lost: repairs skipped them, or the message was erased.
    pub(crate) left_out: u32,
}

/// The contents of a manifest. Nothing in it grows with messages, contents or folders, which are in rows. There are
/// fewer than [`FANOUT`](super::sorted::FANOUT) runs a level, not counting those beside a damaged one; sections take at
/// most 20 bytes a records file, so that a frame has room for those of three million files.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Manifest {
    #[n(1)]
    sequence: u64,
    #[cbor(n(2), with = "minicbor::bytes")]
    chain: [u8; 32],
    #[n(3)]
    tree: Frontier,
    #[n(4)]
    numbers: Numbers,
    #[n(5)]
    records: (u64, u64),
    #[n(6)]
    container: (u32, u64),
    #[n(9)]
    pub(super) runs: Vec<RunName>,
    /// Which of `readers.0` and `readers.1` locks the files of this manifest.
    #[n(11)]
    readers: u8,
    #[n(12)]
    unpacked_bytes: u64,
    #[n(16)]
    sections: BTreeMap<u64, u64>,
    /// The number of the next run, which no run had before.
    #[n(17)]
    pub(super) next_run: u64,
    #[n(18)]
    archived: Option<i64>,
    #[n(19)]
    passed_over: Option<(String, u64)>,
    #[n(20)]
    repaired_at: (u64, u64),
    #[n(21)]
    left_out: u32,
}

impl Keys for Manifest {
    const WHAT: &'static str = "key of the catalog's manifest";
    const LAST: u64 = 21;
}

impl Manifest {
    pub(super) fn new(basis: &Basis, runs: Vec<RunName>, next_run: u64) -> Self {
        Self {
            sequence: basis.link.sequence,
            chain: basis.link.chain,
            tree: basis.tree.clone(),
            numbers: basis.numbers,
            records: basis.records,
            container: basis.container,
            runs,
            readers: 0,
            unpacked_bytes: basis.unpacked_bytes,
            sections: basis.sections.clone(),
            passed_over: basis.passed_over.clone(),
            next_run,
            archived: basis.archived,
            repaired_at: basis.repaired_at,
            left_out: basis.left_out,
        }
    }

    pub(super) fn basis(&self) -> Basis {
        Basis {
            link: Link { sequence: self.sequence, chain: self.chain },
            tree: self.tree.clone(),
            numbers: self.numbers,
            records: self.records,
            container: self.container,
            unpacked_bytes: self.unpacked_bytes,
            sections: self.sections.clone(),
            passed_over: self.passed_over.clone(),
            archived: self.archived,
            repaired_at: self.repaired_at,
            left_out: self.left_out,
        }
    }
}

fn single(kind: FileKind, owner: Uuid) -> Single {
    Single { kind, frame: FrameKind::Manifest, owner }
}

/// Reads a manifest's bytes; `None` if there is none.
pub(crate) fn read_manifest(vfs: &dyn Vfs, path: &Path, key: &SecretKey, kind: FileKind, owner: Uuid) -> Result<Option<Vec<u8>>, Error> {
    read_single(vfs, path, key, single(kind, owner))
}

/// Replaces the manifest.
pub(crate) fn replace_manifest(
    vfs: &dyn Vfs,
    path: &Path,
    key: &SecretKey,
    kind: FileKind,
    owner: Uuid,
    bytes: &[u8],
) -> Result<(), Error> {
    replace_single(vfs, path, key, single(kind, owner), bytes)
}

/// Decodes a manifest; `None` if `bytes` are not one. A manifest of a newer format is an error.
pub(super) fn decode_manifest(bytes: &[u8]) -> Result<Option<Manifest>, Error> {
    match decode::<Manifest>(bytes) {
        Ok(manifest) => Ok(manifest.tree.is_sound().then_some(manifest)),
        Err(Undecodable::Malformed) => Ok(None),
        Err(Undecodable::Unknown(what, number)) => Err(Error::UnknownFeature { what, number }),
    }
}

pub(super) fn encode_manifest(manifest: &Manifest) -> Vec<u8> {
    encode(manifest)
}
