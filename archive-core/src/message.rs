//! What is known of a message: for callers, lists and exports.

use crate::folder::FolderPath;
use crate::id::{Digest, Identity, MessageId};

/// A display name, which may be empty, and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressInfo {
    /// The name; empty if there is none.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Where the date of a message is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateOrigin {
    /// The mail itself.
    Mail,
    /// The From_ line of an mbox.
    MboxLine,
    /// The name of the file in a Maildir.
    MaildirName,
    /// What Apple Mail noted as received.
    Received,
    /// The first Received field of the mail that has a date.
    ReceivedField,
    /// It has none: its record has the time of archiving.
    Archiving,
    /// A source that only a later version knows.
    Unknown,
}

/// How important the sender of a message called it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Importance {
    /// Low.
    Low,
    /// Normal, or not said.
    Normal,
    /// High.
    High,
}

/// Whether a message was received or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// Not known.
    Unknown,
    /// Received.
    Received,
    /// Sent.
    Sent,
}

impl Importance {
    /// -1 low, 0 normal or not said, 1 high.
    #[must_use]
    pub fn level(self) -> i8 {
        match self {
            Self::Low => -1,
            Self::Normal => 0,
            Self::High => 1,
        }
    }
}

impl Direction {
    /// Its name: `unknown`, `received`, `sent`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// What lists show of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageInfo {
    /// Its id.
    pub id: MessageId,
    /// Its date: seconds since 1970, UTC; `None` if only the time of archiving is known.
    pub date: Option<i64>,
    /// The date in the record: that of the mail, or else the time at which its bytes were first archived.
    pub(crate) date_in_record: i64,
    /// Where the date is from.
    pub date_origin: DateOrigin,
    /// Time of archiving: milliseconds since 1970, UTC.
    pub archived: i64,
    /// The first senders.
    pub from: Vec<AddressInfo>,
    /// The first receivers.
    pub to: Vec<AddressInfo>,
    /// The subject, decoded.
    pub subject: String,
    /// Its folder.
    pub folder: FolderPath,
    /// Its number in the folder, which no other message ever gets.
    pub number_in_folder: u32,
    /// Bytes.
    pub size: u64,
    /// Attachments.
    pub attachments: u32,
    /// How important its sender called it.
    pub importance: Importance,
    /// Whether the owner of the user archive received or sent it.
    pub direction: Direction,
}

/// Everything that the archive knows of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageRecord {
    /// What lists show, with all of From and To, as far as they are kept.
    pub info: MessageInfo,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What makes two copies the same mail to a person.
    pub identity: Identity,
    /// Digest without status headers, if there are any.
    pub restated: Option<Digest>,
    /// Text of its Message-ID field.
    pub header_message_id: Option<String>,
    /// Its List-Id.
    pub list_id: Option<String>,
    /// Labels that it had before it was archived, in their order.
    pub labels: Vec<String>,
    /// All of Cc, as far as it is kept.
    pub cc: Vec<AddressInfo>,
    /// Name of the store.
    pub store: String,
    /// Number of the content in the store.
    pub content: u32,
    /// Container of its first stored byte; `None` while it is in a small commit.
    pub container: Option<u32>,
    /// Offset of that block's frame.
    pub offset: Option<u64>,
    /// Sequence of the commit that added the content.
    pub sequence: u64,
    /// Path within the source it was imported from.
    pub source: String,
    /// Offset in that file.
    pub source_offset: u64,
    /// From_ line of the mbox it was in.
    pub from_line: Option<Vec<u8>>,
    /// Quoted From lines were unquoted by one level.
    pub unquoted: bool,
    /// Flags of the Maildir it was in.
    pub flags: Option<String>,
    /// Charsets that were guessed: place (TEXT.md, T7.5) and WHATWG name.
    pub charset_guesses: Vec<(u32, String)>,
}
