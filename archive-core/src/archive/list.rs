//! Lists: folders with their counts, the messages of a folder, and the totals and disk usage of the archive.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::Acting;
use super::actor::Sight;
use crate::catalog::{ContentRow, Dated, Folder, Folders, MessageRow, Subtree};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId, MessageNo};
use crate::message::{AddressInfo, DateOrigin, MessageInfo};
use crate::store::{Store, StoreStats};

/// How many messages of a folder are looked up at once.
const AT_ONCE: usize = 64;

/// A folder with its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderInfo {
    /// The path of the folder.
    pub path: FolderPath,
    /// Messages in the folder itself.
    pub messages: u64,
    /// Bytes of these messages.
    pub bytes: u64,
    /// Messages in the folder and in all folders below it.
    pub total_messages: u64,
    /// Bytes of these messages; a mail that is there several times counts each time.
    pub total_bytes: u64,
    /// How many folders are below it, at any depth.
    pub folders_below: u64,
    /// When the folder was created, in seconds since 1970. Together with the number of a message in the folder, it
    /// identifies the message permanently.
    pub epoch: u32,
    /// The number of the last message that was added here; 0 if there was none. Numbers are never reused.
    pub last_number: u32,
}

impl MessageInfo {
    pub(super) fn new(id: MessageId, row: &MessageRow, content: ContentRow, folder: FolderPath) -> Self {
        Self {
            id,
            date: content.dated(),
            date_in_record: content.date,
            date_origin: match content.date_source {
                1 => DateOrigin::Mail,
                2 => DateOrigin::MboxLine,
                3 => DateOrigin::MaildirName,
                4 => DateOrigin::Archiving,
                5 => DateOrigin::Received,
                6 => DateOrigin::ReceivedField,
                _ => DateOrigin::Unknown,
            },
            archived: row.archived,
            from: addresses(&content.from),
            to: addresses(&content.to),
            subject: content.subject,
            folder,
            number_in_folder: row.number,
            size: content.size,
            attachments: content.attachments,
            importance: match content.importance {
                1 => -1,
                3 => 1,
                _ => 0,
            },
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

/// Totals of the archive, and its disk usage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatsReport {
    /// Messages.
    pub messages: u64,
    /// Messages that were archived and then lost completely to damage.
    pub lost_messages: u64,
    /// Contents, each counted once per store; one that was archived again after damage counts once.
    pub contents: u64,
    /// Parts, each counted once per store.
    pub parts: u64,
    /// Bytes of these contents.
    pub bytes_raw: u64,
    /// When the last message was archived, in milliseconds since 1970 UTC.
    pub last_archived: Option<i64>,
    /// The stores.
    pub stores: Vec<StoreStats>,
    /// The user archives: the folders of the first level.
    pub user_archives: Vec<FolderInfo>,
    /// Bytes of files outside the stores.
    pub other: u64,
    /// Bytes in `lost+found` of the stores and of the master: data after the last durable commit, moved there at
    /// opening.
    pub lost_found: u64,
    /// Contents whose text is not completely indexed.
    pub undecided: u64,
    /// Contents that are not indexed yet.
    pub not_indexed: u64,
}

/// A folder whose messages are listed.
struct Listed {
    folder: FolderNo,
    waiting: VecDeque<Dated>,
    last: Option<Dated>,
    ended: bool,
}

impl Listed {
    fn begin(folder: FolderNo) -> Self {
        Self { folder, waiting: VecDeque::new(), last: None, ended: false }
    }

    /// Looks up the next messages, if none are waiting and some may follow.
    fn fill(&mut self, store: &Store) -> Result<(), Error> {
        if self.waiting.is_empty() && !self.ended {
            self.waiting = store.catalog().messages_in(self.folder, self.last.as_ref(), AT_ONCE)?.into();
            self.ended = self.waiting.is_empty();
        }
        Ok(())
    }

    fn order(&self) -> Option<&[u8]> {
        self.waiting.front().and_then(Dated::order)
    }

    fn take(&mut self) -> Option<MessageNo> {
        let next = self.waiting.pop_front()?;
        let no = next.message;
        self.last = Some(next);
        Some(no)
    }
}

impl Acting<'_> {
    /// All folders with their counts, sorted by path.
    #[must_use]
    pub fn folders(&self) -> Vec<FolderInfo> {
        self.numbered_folders().into_iter().map(|(_, info)| info).collect()
    }

    /// The same, with their numbers.
    pub(super) fn numbered_folders(&self) -> Vec<(FolderNo, FolderInfo)> {
        let catalog = self.archive.store.catalog();
        let folders = catalog.folders();
        let sight = self.actor.sight(folders);
        let mut list = Vec::new();
        for (folder, below) in folders.iter().zip(folders.subtrees(|no| sight.sees(no))) {
            let no = FolderNo(folder.no);
            if sight.sees(no) {
                list.extend(folder_info(folders, &sight, &folder, below).map(|info| (no, info)));
            }
        }
        list.sort_by(|(_, a), (_, b)| a.path.names().cmp(b.path.names()));
        list
    }

    /// The folders directly in `folder`, sorted by name; without `folder`, the user archives. If the path names several
    /// folders, whose names differ only in their Unicode form, the result has the folders of all of them. A folder that
    /// the actor does not see is listed if it has visible folders below it.
    pub fn folders_in(&self, folder: Option<&FolderPath>) -> Result<Vec<FolderInfo>, Error> {
        let catalog = self.archive.store.catalog();
        let folders = catalog.folders();
        let sight = self.actor.sight(folders);
        let above = folder.map(|folder| folders.of_path(folder.names()));
        let mut is_there = above.is_none();
        let mut list = Vec::new();
        for (one, below) in folders.iter().zip(folders.subtrees(|no| sight.sees(no))).filter(|(_, below)| below.folders > 0) {
            let lies_in = match &above {
                Some(above) => above.iter().any(|no| no.0 == one.parent),
                None => folders.is_first(&one),
            };
            is_there |= above.as_ref().is_some_and(|above| above.contains(&FolderNo(one.no)));
            if lies_in {
                list.extend(folder_info(folders, &sight, &one, below));
            }
        }
        if let Some(folder) = folder.filter(|_| !is_there) {
            return Err(Error::NoSuchFolder(folder.to_string()));
        }
        list.sort_by(|a, b| a.path.names().cmp(b.path.names()));
        Ok(list)
    }

    /// The folder that a path names for a change. A folder that exists in another Unicode form is meant; if there are
    /// several, this is an error.
    pub(super) fn to_change(&self, path: &FolderPath) -> Result<FolderPath, Error> {
        let catalog = self.archive.store.catalog();
        let folders = catalog.folders();
        let (mut names, mut above) = (Vec::with_capacity(path.names().len()), Some(FolderNo(0)));
        for name in path.names() {
            let like = above.map(|above| folders.children_like(above, name)).unwrap_or_default();
            if like.len() > 1 {
                let folders = like.into_iter().map(|no| folders.path(no).join("/").escape_default().to_string()).collect();
                return Err(Error::AmbiguousFolder { path: path.to_string(), folders });
            }
            above = like.first().copied();
            let known = above.and_then(|no| folders.get(no));
            if known.is_none() && matches!(name.as_str(), "." | "..") {
                return Err(Error::Misuse(format!(
                    "{path}: no folder is named `{name}`; a path begins with the user archive, like anna/inbox"
                )));
            }
            names.push(known.map_or_else(|| name.clone(), |folder| folder.name.to_owned()));
        }
        FolderPath::from_names(names).map_err(|error| Error::Misuse(error.to_string()))
    }

    /// The messages of one folder, newest first, until the visitor breaks. If the path names several folders, whose
    /// names differ only in their Unicode form, the messages of all of them are visited.
    pub fn messages_in(
        &self,
        folder: &FolderPath,
        visit: &mut dyn FnMut(MessageInfo) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let (mut folders, sight) = (self.archive.store.catalog().folders().of_path(folder.names()), self.sight());
        folders.retain(|no| sight.sees(*no));
        if folders.is_empty() {
            return Err(Error::NoSuchFolder(folder.to_string()));
        }
        self.messages_of(&folders, visit)
    }

    /// The messages of several folders, newest first.
    pub(super) fn messages_of(
        &self,
        folders: &[FolderNo],
        visit: &mut dyn FnMut(MessageInfo) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let store = &self.archive.store;
        let mut lists: Vec<Listed> = folders.iter().map(|folder| Listed::begin(*folder)).collect();
        loop {
            for list in &mut lists {
                list.fill(store)?;
            }
            let first = lists.iter_mut().filter(|list| !list.waiting.is_empty()).min_by(|a, b| a.order().cmp(&b.order()));
            // The visitor may use the catalog, so it is not called while the catalog is held.
            let Some(no) = first.and_then(Listed::take) else { return Ok(()) };
            if visit(self.message(MessageId { store: store.no(), no })?)?.is_break() {
                return Ok(());
            }
        }
    }

    /// All messages, in the order of their numbers, until the visitor breaks.
    pub fn messages(&self, visit: &mut dyn FnMut(MessageInfo) -> Result<ControlFlow<()>, Error>) -> Result<(), Error> {
        let store = &self.archive.store;
        let count = store.catalog().basis().numbers.messages;
        let mut no = MessageNo(0);
        while no.0 < count {
            match self.message(MessageId { store: store.no(), no }) {
                Ok(info) => {
                    if visit(info)?.is_break() {
                        break;
                    }
                }
                Err(Error::NoSuchMessage(_)) => {
                    if store.catalog().message_row(no)?.is_none() {
                        let Some(next) = store.catalog().next_message(no)? else { break };
                        no = next;
                        continue;
                    }
                }
                Err(error) => return Err(error),
            }
            no = MessageNo(no.0.saturating_add(1));
        }
        Ok(())
    }

    /// The totals of the archive, and its disk usage.
    pub fn stats(&self) -> Result<StatsReport, Error> {
        let store = &self.archive.store;
        let stats = store.stats()?;
        self.only_system("read totals of the archive")?;
        let (numbers, last_archived, (again, bytes_again)) = {
            let catalog = store.catalog();
            (catalog.basis().numbers, catalog.basis().archived, catalog.come_again()?)
        };
        let snapshot = store.indexer().snapshot();
        Ok(StatsReport {
            messages: stats.messages,
            lost_messages: stats.lost_messages,
            contents: u64::from(numbers.contents_there).saturating_sub(again),
            parts: numbers.parts.into(),
            bytes_raw: numbers.content_bytes.saturating_sub(bytes_again),
            last_archived,
            user_archives: self.folders_in(None)?,
            other: self.archive.other_bytes()?,
            lost_found: stats.lost_found + crate::store::lost_bytes(&*self.archive.vfs, &super::master::dir(&self.archive.dir))?,
            undecided: snapshot.incomplete().map_err(crate::store::failed)?.len(),
            not_indexed: super::search::missing(&snapshot, store).len(),
            stores: vec![stats],
        })
    }

    /// Media types of attachments that are not searched, sorted by name, each with the number of contents that have
    /// such attachments.
    ///
    /// Types that the archive is configured to search are not among them; [`StatsReport::undecided`] counts their
    /// contents. This reads the row of every content, so it takes time in proportion to their number.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] for anyone but the system; [`Error::Damage`] if the catalog is damaged.
    pub fn types_not_read(&self) -> Result<Vec<(String, u64)>, Error> {
        self.only_system("read totals of the archive")?;
        Ok(self.archive.store.types_not_read()?.into_iter().collect())
    }
}

fn folder_info(folders: &Folders, sight: &Sight, folder: &Folder<'_>, below: Subtree) -> Option<FolderInfo> {
    let is_seen = sight.sees(FolderNo(folder.no));
    let (messages, bytes) = if is_seen { (folder.messages.into(), folder.bytes) } else { (0, 0) };
    Some(FolderInfo {
        path: FolderPath::from_names(folders.path(FolderNo(folder.no))).ok()?,
        messages,
        bytes,
        total_messages: below.messages,
        total_bytes: below.bytes,
        folders_below: below.folders.saturating_sub(is_seen.into()),
        epoch: folder.epoch,
        last_number: folder.last,
    })
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
