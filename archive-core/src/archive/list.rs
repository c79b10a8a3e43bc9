//! Lists: folders with their counts, messages of a folder, what the archive takes.

use std::ops::ControlFlow;

use super::Acting;
use crate::catalog::{ContentRow, MessageRow};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId};
use crate::message::{AddressInfo, DateOrigin, MessageInfo};
use crate::store::StoreStats;

/// Messages of a folder that are looked up at once.
const AT_ONCE: usize = 64;

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
        let sight = self.actor.sight(folders);
        let info = |folder: &crate::catalog::Folder| {
            let path = FolderPath::from_names(folders.path(FolderNo(folder.no))).ok()?;
            Some(FolderInfo { path, messages: folder.messages, bytes: folder.bytes })
        };
        let mut list: Vec<FolderInfo> = folders.iter().filter(|folder| sight.sees(FolderNo(folder.no))).filter_map(info).collect();
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
        let no = store.folder(folder.names()).filter(|no| self.sight().sees(*no));
        let no = no.ok_or_else(|| Error::NoSuchFolder(folder.to_string()))?;
        let mut last = None;
        loop {
            // The visitor may ask the catalog, so it is not called while that is held.
            let messages = store.catalog().messages_in(no, last.as_ref(), AT_ONCE)?;
            for at in &messages {
                let info = self.message(MessageId { store: store.no(), no: at.message })?;
                if visit(info)?.is_break() {
                    return Ok(());
                }
            }
            match messages.into_iter().next_back() {
                Some(at) => last = Some(at),
                None => return Ok(()),
            }
        }
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
        self.only_system("to see what an archive holds as a whole")?;
        let snapshot = store.indexer().snapshot();
        Ok(StatsReport {
            messages: numbers.messages.into(),
            contents: numbers.contents.into(),
            parts: numbers.parts.into(),
            bytes_raw: numbers.content_bytes,
            folders: self.folders(),
            other: self.archive.other_bytes()?,
            undecided: snapshot.incomplete().map_err(crate::store::failed)?.len(),
            not_indexed: super::search::missing(&snapshot, store).len(),
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::archive::{Actor, Archive, CreateOptions, ImportOptions, ImportSource, NoEvents};
    use crate::vfs::MemVfs;

    #[test]
    fn a_folder_is_listed_newest_first_however_large_and_until_the_visitor_breaks() {
        let mails = 3 * AT_ONCE + 5;
        let mbox: String = (0..mails)
            .map(|n| {
                // Five mails share each date.
                let date = format!("{} Jan 2020 {:02}:00:00 +0000", 1 + n / 5 % 28, n / 140);
                format!("From a@b.example Thu Jan  1 00:00:00 2015\nFrom: a@b.example\nDate: {date}\nSubject: {n}\n\ntext {n}\n\n")
            })
            .collect();
        let options = CreateOptions::new("anna");
        let archive = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), options, |_, _| Ok(())).unwrap();
        let acting = archive.acting_as(Actor::System);
        let source = ImportSource::Stream(&mut mbox.as_bytes(), "all.mbox");
        let folder = acting.import(source, &ImportOptions::default(), &mut NoEvents).unwrap().folder.unwrap();
        let listed = |most: usize| {
            let mut seen = Vec::new();
            let mut visit = |info: MessageInfo| {
                seen.push((info.date, info.id.no));
                Ok(if seen.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            acting.messages_in(&folder, &mut visit).unwrap();
            seen
        };
        let all = listed(usize::MAX);
        assert_eq!(all.len(), mails);
        assert!(all.is_sorted_by(|a, b| a > b));
        for most in [1, AT_ONCE, AT_ONCE + 1] {
            assert_eq!(listed(most), all[..most]);
        }
    }
}
