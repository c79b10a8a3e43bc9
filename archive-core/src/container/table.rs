//! The table after a block: what is in the block and to which contents it belongs, so that containers alone give every
//! mail back.

use minicbor::{Decode, Encode};

use crate::records::{Runs, Shape, Stamp};
use crate::wire::{Keys, decode, decompress};

/// A table, decompressed, is never more than this.
const MAX_TABLE: usize = 64 << 20;

/// The table of one block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Table {
    /// Sequence of the commit.
    #[n(1)]
    pub(crate) sequence: u64,
    /// Time of archiving: milliseconds since 1970, UTC.
    #[n(2)]
    pub(crate) archived: i64,
    /// Seed of the salts of its contents, over the index of the fact named in the entry of each.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) seed: Option<[u8; 32]>,
    /// Contents whose last stored byte is in this block.
    #[n(4)]
    pub(crate) contents: Vec<TableContent>,
    #[n(5)]
    pub(crate) messages: Vec<TableMessage>,
    /// Parts whose last byte is in this block.
    #[n(6)]
    pub(crate) parts: Vec<TablePart>,
    /// Paths of folders, components in order.
    #[n(7)]
    pub(crate) folders: Vec<Vec<String>>,
}

impl Keys for Table {
    const WHAT: &'static str = "key of a table";
    const LAST: u64 = 7;
}

impl Table {
    /// Reads the table from the plaintext of its frame; `None` if there is none.
    pub(crate) fn read(plaintext: &[u8]) -> Option<Self> {
        let (_, packed) = Stamp::split(plaintext).ok()?;
        decode(&decompress(packed, MAX_TABLE)?).ok()
    }
}

/// A content in a table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct TableContent {
    #[n(0)]
    pub(crate) no: u32,
    #[n(1)]
    pub(crate) size: u64,
    /// Index of its fact in the commit.
    #[n(2)]
    pub(crate) fact: u32,
    #[n(3)]
    pub(crate) runs: Runs,
    #[n(4)]
    pub(crate) shape: Option<Shape>,
    /// The salt itself, where it does not come from the seed.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(crate) salt: Option<[u8; 16]>,
}

/// A message of a content in a table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct TableMessage {
    #[n(0)]
    pub(crate) no: u32,
    #[n(1)]
    pub(crate) content: u32,
    /// Index into the table's folders.
    #[n(2)]
    pub(crate) folder: u32,
    /// Its number in the folder.
    #[n(3)]
    pub(crate) number: u32,
    /// Time of archiving, where it is not that of the table.
    #[n(4)]
    pub(crate) archived: Option<i64>,
}

/// A part in a table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct TablePart {
    #[n(0)]
    pub(crate) no: u32,
    #[n(1)]
    pub(crate) len: u64,
    #[n(2)]
    pub(crate) runs: Runs,
}
