//! Lists: folders with their counts, messages of a folder, what the archive takes.

use std::ops::ControlFlow;

use super::{Acting, FolderPath};
use crate::catalog::{ContentRow, MessageRow};
use crate::error::Error;
use crate::id::{Digest, FolderNo, Identity, MessageId};
use crate::store::StoreStats;

/// A folder with its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderInfo {
    /// Its path.
    pub path: FolderPath,
    /// Messages in the folder itself.
    pub messages: u64,
    /// Bytes of these messages.
    pub bytes: u64,
}

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
    /// It has none: the time of archiving.
    Archiving,
}

/// What lists show of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageInfo {
    /// Its id.
    pub id: MessageId,
    /// Seconds since 1970, UTC.
    pub date: i64,
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
    /// Where it lies.
    pub folder: FolderPath,
    /// Bytes.
    pub size: u64,
    /// Attachments.
    pub attachments: u32,
    /// -1 low, 0 normal, 1 high.
    pub importance: i8,
    /// `received`, `sent` or `unknown`.
    pub direction: &'static str,
}

impl MessageInfo {
    pub(super) fn new(id: MessageId, row: &MessageRow, content: ContentRow, folder: FolderPath) -> Self {
        Self {
            id,
            date: content.date,
            date_origin: match content.date_source {
                1 => DateOrigin::Mail,
                2 => DateOrigin::MboxLine,
                3 => DateOrigin::MaildirName,
                5 => DateOrigin::Received,
                _ => DateOrigin::Archiving,
            },
            archived: row.archived,
            from: addresses(&content.from),
            to: addresses(&content.to),
            subject: content.subject,
            folder,
            size: content.size,
            attachments: content.attachments,
            importance: content.importance as i8 - 2,
            direction: match row.direction {
                1 => "received",
                2 => "sent",
                _ => "unknown",
            },
        }
    }
}

pub(super) fn addresses(flat: &[String]) -> Vec<AddressInfo> {
    let pairs = flat.chunks_exact(2);
    pairs.map(|pair| AddressInfo { name: pair[0].clone(), address: pair[1].clone() }).collect()
}

/// Everything that the archive knows of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageRecord {
    /// What lists show.
    pub info: MessageInfo,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What makes two copies the same mail to a person.
    pub identity: Identity,
    /// Digest without status headers, where there are any.
    pub restated: Option<Digest>,
    /// Text of its Message-ID field.
    pub header_message_id: Option<String>,
    /// Its List-Id.
    pub list_id: Option<String>,
    /// All of Cc, as far as kept.
    pub cc: Vec<AddressInfo>,
    /// Name of the store.
    pub store: String,
    /// Number of the content there.
    pub content: u32,
    /// Container of its first stored byte; none while it lies in a small commit.
    pub container: Option<u32>,
    /// Offset of that block's frame.
    pub offset: Option<u64>,
    /// Sequence of the commit that brought the content.
    pub sequence: u64,
    /// Path within the source it was imported from.
    pub source: String,
    /// Offset there.
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

/// What the archive holds and takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatsReport {
    /// Messages.
    pub messages: u64,
    /// Contents, each once a store.
    pub contents: u64,
    /// Parts, each once a store.
    pub parts: u64,
    /// Bytes of all contents.
    pub bytes_raw: u64,
    /// Each store.
    pub stores: Vec<StoreStats>,
    /// Each folder.
    pub folders: Vec<FolderInfo>,
    /// Bytes of files besides stores.
    pub other: u64,
    /// Contents whose text was not all taken into the index.
    pub undecided: u64,
    /// Contents that are not indexed yet.
    pub not_indexed: u64,
}

impl Acting<'_> {
    /// All folders with their counts, in order of their paths.
    #[must_use]
    pub fn folders(&self) -> Vec<FolderInfo> {
        let catalog = self.archive.store.catalog();
        let folders = catalog.folders();
        let info = |folder: &crate::catalog::Folder| {
            let path = FolderPath::from_names(folders.path(FolderNo(folder.no))).ok()?;
            Some(FolderInfo { path, messages: folder.messages, bytes: folder.bytes })
        };
        let mut list: Vec<FolderInfo> = folders.iter().filter_map(info).collect();
        list.sort_by(|a, b| a.path.names().cmp(b.path.names()));
        list
    }

    /// Messages of one folder, newest first, until the visitor breaks.
    pub fn messages_in(
        &self,
        folder: &FolderPath,
        visit: &mut dyn FnMut(MessageInfo) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let store = &self.archive.store;
        let no = store.folder(folder.names()).ok_or_else(|| Error::NoSuchFolder(folder.to_string()))?;
        let mut numbers = Vec::new();
        store.catalog().messages_in(no, &mut |message| {
            numbers.push(message);
            Ok(ControlFlow::Continue(()))
        })?;
        for no in numbers {
            let info = self.message(MessageId { store: store.no(), no })?;
            if visit(info)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// All messages, in order of their numbers, until the visitor breaks.
    pub fn messages(&self, visit: &mut dyn FnMut(MessageInfo) -> Result<ControlFlow<()>, Error>) -> Result<(), Error> {
        let store = &self.archive.store;
        let count = store.catalog().basis().numbers.messages;
        for no in (0..count).map(crate::id::MessageNo) {
            match self.message(MessageId { store: store.no(), no }) {
                Ok(info) => {
                    if visit(info)?.is_break() {
                        break;
                    }
                }
                Err(Error::NoSuchMessage(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What the archive holds and takes on disk.
    pub fn stats(&self) -> Result<StatsReport, Error> {
        let store = &self.archive.store;
        let stats = store.stats()?;
        let numbers = store.catalog().basis().numbers;
        let snapshot = store.indexer().snapshot();
        Ok(StatsReport {
            messages: numbers.messages.into(),
            contents: numbers.contents.into(),
            parts: numbers.parts.into(),
            bytes_raw: numbers.content_bytes,
            folders: self.folders(),
            other: self.archive.other_bytes()?,
            undecided: snapshot.undecided().map_err(|error| Error::Index(error.to_string()))?.len(),
            not_indexed: u64::from(numbers.contents).saturating_sub(snapshot.documents()),
            stores: vec![stats],
        })
    }
}

impl super::Archive {
    /// Bytes of the archive's own files.
    fn other_bytes(&self) -> Result<u64, Error> {
        let mut bytes = crate::store::bytes_in(&*self.vfs, &self.dir)?;
        bytes += crate::store::bytes_in(&*self.vfs, &super::master::dir(&self.dir))?;
        Ok(bytes)
    }
}
