//! What the catalog has for each number. A row repeats what lists and look-ups need of the facts; the rest is read from
//! the records.

use minicbor::{Decode, Encode};

use crate::error::Error;
use crate::records::{DateSource, Runs, Shape};
use crate::wire::{Keys, decode, encode_to};

/// The place of a fact in the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct FactPlace {
    /// Records file.
    #[n(0)]
    pub(crate) file: u64,
    /// Offset of the first frame of its commit.
    #[n(1)]
    pub(crate) offset: u64,
    /// Index in the commit.
    #[n(2)]
    pub(crate) index: u32,
}

/// What is known of a content by its number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ContentRow {
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) digest: [u8; 32],
    #[n(2)]
    pub(crate) size: u64,
    #[n(3)]
    pub(crate) shape: Option<Shape>,
    #[n(4)]
    pub(crate) runs: Runs,
    /// The records file of a small commit, while the runs are in its section.
    #[n(5)]
    pub(crate) section: Option<u64>,
    #[n(6)]
    pub(crate) fact: FactPlace,
    #[cbor(n(7), with = "minicbor::bytes")]
    pub(crate) restated: Option<[u8; 32]>,
    #[n(8)]
    pub(crate) sequence: u64,
    /// Seconds since 1970, UTC; for a mail without a date, the time of archiving.
    #[n(9)]
    pub(crate) date: i64,
    #[n(10)]
    pub(crate) date_source: u8,
    #[n(11)]
    pub(crate) attachments: u32,
    /// 1 low, 2 normal, 3 high.
    #[n(12)]
    pub(crate) importance: u8,
    /// The first names and addresses, in turn.
    #[n(13)]
    pub(crate) from: Vec<String>,
    #[n(14)]
    pub(crate) to: Vec<String>,
    #[n(15)]
    pub(crate) subject: String,
    /// Media types of attachments, where there are any.
    #[n(16)]
    pub(crate) attachment_types: Option<Vec<String>>,
}

/// What is known of a message by its number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct MessageRow {
    #[n(1)]
    pub(crate) content: u32,
    #[n(2)]
    pub(crate) folder: u32,
    /// 1 received, 2 sent, 3 unknown.
    #[n(3)]
    pub(crate) direction: u8,
    /// Milliseconds since 1970, UTC.
    #[n(4)]
    pub(crate) archived: i64,
    #[n(5)]
    pub(crate) fact: FactPlace,
    /// Its number in the folder.
    #[n(6)]
    pub(crate) number: u32,
    /// The flags from its source, in letters of Maildir; `None` if the source has none.
    #[n(7)]
    pub(crate) flags: Option<String>,
}

/// The rows of a message and of its content as they are stored: a fraction of what they take when they are decoded.
pub(crate) struct StoredRows {
    pub(super) message: Box<[u8]>,
    pub(super) content: Box<[u8]>,
}

impl StoredRows {
    pub(crate) fn read(&self) -> Result<(MessageRow, ContentRow), Error> {
        Ok((read_row(&self.message)?, read_row(&self.content)?))
    }
}

/// What is known of a part by its number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PartRow {
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) digest: [u8; 32],
    #[n(2)]
    pub(crate) len: u64,
    #[n(3)]
    pub(crate) runs: Runs,
    #[n(4)]
    pub(crate) section: Option<u64>,
}

/// The date of a mail without one, where mails are put in order.
pub(crate) const NOT_DATED: i64 = i64::MIN;

impl ContentRow {
    /// The date of the mail, if it has one; the time of archiving does not count.
    pub(crate) fn dated(&self) -> Option<i64> {
        (self.date_source != DateSource::Archiving as u8).then_some(self.date)
    }

    /// What mails are ordered by: a mail without a date comes before all dates.
    pub(crate) fn date_in_order(&self) -> i64 {
        self.dated().unwrap_or(NOT_DATED)
    }

    /// A row from the table in a container: it has only what is needed to read the content.
    pub(crate) fn to_read(size: u64, shape: Option<Shape>, runs: Runs) -> Self {
        Self {
            digest: [0; 32],
            size,
            shape,
            runs,
            section: None,
            fact: FactPlace { file: 0, offset: 0, index: 0 },
            restated: None,
            sequence: 0,
            date: 0,
            date_source: 0,
            attachments: 0,
            importance: 0,
            from: Vec::new(),
            to: Vec::new(),
            subject: String::new(),
            attachment_types: None,
        }
    }
}

/// What is known of a folder by its number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct FolderRow {
    /// 0 is the root.
    #[n(1)]
    pub(crate) parent: u32,
    #[n(2)]
    pub(crate) name: String,
    /// Messages in the folder itself.
    #[n(3)]
    pub(crate) messages: u32,
    /// Bytes of these messages; a content counts once for each of its messages here.
    #[n(4)]
    pub(crate) bytes: u64,
    /// The highest number that a message got here; 0 if none did.
    #[n(5)]
    pub(crate) last: u32,
    #[n(6)]
    pub(crate) epoch: u32,
    /// True if it was removed.
    #[n(7)]
    pub(crate) removed: Option<bool>,
}

impl Keys for ContentRow {
    const WHAT: &'static str = "key of a content row";
    const LAST: u64 = 16;
}

impl Keys for MessageRow {
    const WHAT: &'static str = "key of a message row";
    const LAST: u64 = 7;
}

impl Keys for FolderRow {
    const WHAT: &'static str = "key of a folder row";
    const LAST: u64 = 7;
}

impl Keys for PartRow {
    const WHAT: &'static str = "key of a part row";
    const LAST: u64 = 4;
}

/// A row with a valid seal was written by this library; if it cannot be read, the catalog is to be rebuilt.
pub(super) fn read_row<T: Keys + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, Error> {
    decode(bytes).map_err(|_| Error::Bug("a row of the catalog cannot be read; `repair` rebuilds it"))
}

/// Reads the place of a fact.
pub(super) fn read_place(bytes: &[u8]) -> Result<FactPlace, Error> {
    minicbor::decode(bytes).map_err(|_| Error::Bug("a row of the catalog cannot be read; `repair` rebuilds it"))
}

/// Appends a row.
pub(super) fn write_row<T: Encode<()>>(row: &T, out: &mut Vec<u8>) {
    encode_to(row, out);
}
