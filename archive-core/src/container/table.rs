//! The table behind a block: what lies in it and whose it is, so that containers alone give every mail back.

use minicbor::{Decode, Encode};

use crate::records::{Runs, Shape};
use crate::wire::Keys;

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
    /// Seed of the commit's salts; the salt of a content is that of the fact named in its entry.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) seed: Option<[u8; 32]>,
    /// Contents whose last stored byte lies in this block.
    #[n(4)]
    pub(crate) contents: Vec<TableContent>,
    #[n(5)]
    pub(crate) messages: Vec<TableMessage>,
    /// Parts whose last byte lies in this block.
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
