//! Sort keys: texts by which documents are ordered and counted; docs/FORMAT-INDEX.md, "Sort keys".
//!
//! Each segment has its distinct keys in order, and for each document the rank of its key among them. So an order is
//! found, and documents are counted, by comparing numbers; only the keys that are shown are read.

mod first;
pub(crate) mod merge;
pub(crate) mod pages;
mod read;

pub use first::{Position, SortPlace};

use crate::text::key::MAX_KEY;

/// By which of its texts a document is ordered or counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortKey {
    /// The subject.
    Subject,
    /// The name of the sender, or what stands for it.
    Sender,
    /// The name of the first recipient, or what stands for it.
    Recipient,
    /// The address of the sender, or what stands for it.
    Address,
}

impl SortKey {
    pub(crate) const ALL: [SortKey; SORT_KEYS] = [SortKey::Subject, SortKey::Sender, SortKey::Recipient, SortKey::Address];

    /// Its place in a directory.
    pub(crate) fn at(self) -> usize {
        self as usize
    }
}

/// How many sort keys a document has.
pub(crate) const SORT_KEYS: usize = 4;

/// The sort keys of a document. They are compared byte by byte; of each, about the first 2 KiB count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SortKeys<'a> {
    /// The subject.
    pub subject: &'a str,
    /// The name of the sender, or what stands for it.
    pub sender: &'a str,
    /// The name of the first recipient, or what stands for it.
    pub recipient: &'a str,
    /// The address of the sender, or what stands for it.
    pub address: &'a str,
}

impl SortKeys<'_> {
    fn all(&self) -> [&str; SORT_KEYS] {
        [self.subject, self.sender, self.recipient, self.address].map(|text| text.get(..text.floor_char_boundary(MAX_KEY)).unwrap_or(text))
    }
}

/// The sort keys of the documents in memory.
#[derive(Default)]
pub(crate) struct KeysInMemory {
    bytes: Vec<u8>,
    /// Where each key ends, document by document.
    ends: Vec<u32>,
}

impl KeysInMemory {
    pub(crate) fn push(&mut self, keys: &SortKeys<'_>) {
        for key in keys.all() {
            self.bytes.extend_from_slice(key.as_bytes());
            // The bytes in memory are below 4 GiB: `Memory::add` refuses more.
            self.ends.push(self.bytes.len() as u32);
        }
    }

    /// A key of the document that was added as number `row`.
    pub(crate) fn key(&self, row: usize, of: SortKey) -> &[u8] {
        let at = row * SORT_KEYS + of.at();
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.bytes.get(start..end(at)).unwrap_or_default()
    }

    /// Bytes that they take.
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}
