//! The manifest: which runs make the catalog, and up to which commit they are true. Replaced by rename.

use std::collections::BTreeMap;
use std::path::Path;

use minicbor::{Decode, Encode};

use roaring::RoaringBitmap;

use super::folders::Folder;
use super::page::{put_varint, take_varint};
use super::run::RunName;
use crate::error::Error;
use crate::id::Uuid;
use crate::records::{Frontier, Link};
use crate::seal::{FileKind, FrameKind, SecretKey, Single, read_single, replace_single};
use crate::vfs::Vfs;
use crate::wire::{Keys, decode, encode};

/// The next numbers to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Numbers {
    #[n(1)]
    pub(crate) contents: u32,
    #[n(2)]
    pub(crate) messages: u32,
    #[n(3)]
    pub(crate) parts: u32,
    /// Highest folder given.
    #[n(4)]
    pub(crate) folders: u32,
    /// Highest container given.
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
}

/// The commit up to which a catalog is true, and where it lies in the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Basis {
    pub(crate) link: Link,
    pub(crate) tree: Frontier,
    pub(crate) numbers: Numbers,
    /// Records file and offset at which the commit begins.
    pub(crate) records: (u64, u64),
    /// Number of the active container (0 if none) and its end.
    pub(crate) container: (u32, u64),
    /// Contents in sections of small commits that wait to be packed.
    pub(crate) unpacked: Vec<u32>,
    /// Parts there.
    pub(crate) unpacked_parts: Vec<u32>,
    /// Stored bytes of both.
    pub(crate) unpacked_bytes: u64,
    /// Records files that have sections, packed or not, and how many bytes of them.
    pub(crate) sections: BTreeMap<u64, u64>,
    /// The first thing in the records that is unknown here and forbids writing.
    pub(crate) passed_over: Option<(String, u64)>,
}

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
    #[n(7)]
    unpacked: Vec<u32>,
    #[n(8)]
    unpacked_parts: Vec<u32>,
    #[n(9)]
    pub(super) runs: Vec<RunName>,
    #[n(10)]
    pub(super) folders: Vec<Folder>,
    /// Which of `readers.0` and `readers.1` holds the files of this manifest.
    #[n(11)]
    readers: u8,
    #[n(12)]
    unpacked_bytes: u64,
    #[n(13)]
    pub(super) shared: NumberSet,
    #[n(14)]
    pub(super) damaged: NumberSet,
    #[n(15)]
    pub(super) damaged_parts: NumberSet,
    #[cbor(n(16), default)]
    sections: BTreeMap<u64, u64>,
    #[n(17)]
    passed_over: Option<(String, u64)>,
}

/// Numbers, written as the gaps between them.
#[derive(Debug, Default)]
pub(super) struct NumberSet(pub(super) RoaringBitmap);

impl<C> Encode<C> for NumberSet {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        let (mut bytes, mut last) = (Vec::new(), 0);
        for no in &self.0 {
            put_varint(&mut bytes, u64::from(no - last));
            last = no;
        }
        e.bytes(&bytes)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for NumberSet {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let mut bytes = d.bytes()?;
        let (mut set, mut last) = (RoaringBitmap::new(), 0u32);
        while !bytes.is_empty() {
            let gap = take_varint(&mut bytes).and_then(|gap| u32::try_from(gap).ok());
            last = gap.and_then(|gap| last.checked_add(gap)).ok_or_else(|| minicbor::decode::Error::message("no such number"))?;
            set.insert(last);
        }
        Ok(Self(set))
    }
}

impl Keys for Manifest {
    const WHAT: &'static str = "key of the catalog's manifest";
    const LAST: u64 = 17;
}

impl Manifest {
    pub(super) fn new(basis: &Basis, runs: Vec<RunName>, folders: Vec<Folder>, sets: [&RoaringBitmap; 3]) -> Self {
        let [shared, damaged, damaged_parts] = sets.map(|set| NumberSet(set.clone()));
        Self {
            sequence: basis.link.sequence,
            chain: basis.link.chain,
            tree: basis.tree.clone(),
            numbers: basis.numbers,
            records: basis.records,
            container: basis.container,
            unpacked: basis.unpacked.clone(),
            unpacked_parts: basis.unpacked_parts.clone(),
            runs,
            folders,
            readers: 0,
            shared,
            damaged,
            damaged_parts,
            unpacked_bytes: basis.unpacked_bytes,
            sections: basis.sections.clone(),
            passed_over: basis.passed_over.clone(),
        }
    }

    pub(super) fn basis(&self) -> Basis {
        Basis {
            link: Link { sequence: self.sequence, chain: self.chain },
            tree: self.tree.clone(),
            numbers: self.numbers,
            records: self.records,
            container: self.container,
            unpacked: self.unpacked.clone(),
            unpacked_parts: self.unpacked_parts.clone(),
            unpacked_bytes: self.unpacked_bytes,
            sections: self.sections.clone(),
            passed_over: self.passed_over.clone(),
        }
    }
}

fn single(kind: FileKind, owner: Uuid) -> Single {
    Single { kind, frame: FrameKind::Manifest, owner }
}

/// Reads a manifest's bytes; `None` where there is none.
pub(crate) fn read_manifest(vfs: &dyn Vfs, path: &Path, key: &SecretKey, kind: FileKind, owner: Uuid) -> Result<Option<Vec<u8>>, Error> {
    read_single(vfs, path, key, single(kind, owner))
}

/// Puts a manifest in place of the one before.
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

pub(super) fn decode_manifest(bytes: &[u8]) -> Option<Manifest> {
    let manifest: Manifest = decode(bytes).ok()?;
    manifest.tree.is_sound().then_some(manifest)
}

pub(super) fn encode_manifest(manifest: &Manifest) -> Vec<u8> {
    encode(manifest)
}
