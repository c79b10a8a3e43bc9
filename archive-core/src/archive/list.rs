//! Lists: folders with their counts, messages of a folder, what the archive takes.

use std::ops::ControlFlow;

use super::Acting;
use crate::catalog::{ContentRow, MessageRow};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId};
use crate::message::{AddressInfo, DateOrigin, MessageInfo};
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
