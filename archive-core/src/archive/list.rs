//! Lists: folders with their counts, the messages of a folder, and the totals and disk usage of the archive.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::ControlFlow;

use super::Opened;
use super::actor::{Acting, InStore, Sight};
use crate::catalog::{ContentRow, Dated, Folder, Folders, MessageRow, Subtree};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId, MessageNo, StoreNo};
use crate::message::{AddressInfo, DateOrigin, Direction, Importance, MessageInfo};
use crate::progress::{Progress, Step, Unit};
use crate::seal::{open_token, seal_token};
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
                1 => Importance::Low,
                3 => Importance::High,
                _ => Importance::Normal,
            },
            direction: match row.direction {
                1 => Direction::Received,
                2 => Direction::Sent,
                _ => Direction::Unknown,
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
    /// Messages that are deleted, and can be brought back.
    pub deleted_messages: u64,
    /// Contents that no message refers to any more since theirs were deleted; `contents` counts them too.
    pub unreferenced_contents: u64,
    /// Bytes of these contents, each once; `bytes_raw` counts them too.
    pub unreferenced_bytes: u64,
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

/// Some of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one. Opaque; valid only for this list and actor, also in another
    /// process and after changes: it names a place in the order.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// All of a list on one page.
    #[must_use]
    pub fn of(items: Vec<T>) -> Self {
        Self { items, cursor: None }
    }
}

/// Receives each message with its place, until it breaks.
pub(super) type EachMessage<'v> = dyn FnMut(MessageId, &[u8]) -> Result<ControlFlow<()>, Error> + 'v;

/// A folder of one store whose messages are listed.
pub(super) struct Listed<'a> {
    store: &'a Store,
    folder: FolderNo,
    waiting: VecDeque<Dated>,
    /// The place in the folder of the last message that was looked up.
    last: Vec<u8>,
    ended: bool,
}

/// Bytes of a date in a place, and of the numbers of store and message after it.
const DATE: usize = 8;
const NUMBER: usize = 4;

impl<'a> Listed<'a> {
    /// What comes after `place`: a date, a store and a message, as they are compared over all stores. Of equal dates, the
    /// store with the highest number comes first.
    pub(super) fn after(store: &'a Store, folder: FolderNo, place: &[u8]) -> Self {
        let mut last = Vec::new();
        if let (Some(date), Some(other), Some(message)) =
            (place.get(..DATE), place.get(DATE..DATE + NUMBER), place.get(DATE + NUMBER..DATE + 2 * NUMBER))
        {
            last.extend(date);
            match Self::store_in_place(store).as_slice().cmp(other) {
                // Its messages of this date came before the place, or come after it.
                Ordering::Less => last.extend([0xff; NUMBER]),
                Ordering::Equal => last.extend(message),
                Ordering::Greater => last.extend([0; NUMBER]),
            }
        }
        Self { store, folder, waiting: VecDeque::new(), last, ended: false }
    }

    fn store_in_place(store: &Store) -> [u8; NUMBER] {
        (!store.no().0).to_be_bytes()
    }

    /// The place of its next message.
    fn next_place(&self) -> Option<Vec<u8>> {
        let (date, message) = self.waiting.front()?.order().split_at_checked(DATE)?;
        Some([date, &Self::store_in_place(self.store), message].concat())
    }

    /// Looks up the next messages, if none are waiting and some may follow.
    fn fill(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() && !self.ended {
            self.waiting = self.store.catalog().messages_in(self.folder, &self.last, AT_ONCE)?.into();
            match self.waiting.back() {
                Some(last) => last.order().clone_into(&mut self.last),
                None => self.ended = true,
            }
        }
        Ok(())
    }
}

/// A place in a list that goes by store and message.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdPlace {
    pub(super) store: StoreNo,
    pub(super) no: MessageNo,
}

impl IdPlace {
    /// The place that a cursor has; the beginning if it has none.
    pub(super) fn read(place: &[u8]) -> Self {
        let part = |from: usize| place.get(from..from + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
        Self { store: StoreNo(part(0)), no: MessageNo(part(4)) }
    }

    pub(super) fn write(self) -> Vec<u8> {
        [self.store.0.to_be_bytes(), self.no.0.to_be_bytes()].concat()
    }

    /// Where the list goes on in a store; `None` if it has been there.
    pub(super) fn in_store(self, store: StoreNo) -> Option<MessageNo> {
        match store.cmp(&self.store) {
            Ordering::Less => None,
            Ordering::Equal => Some(self.no),
            Ordering::Greater => Some(MessageNo(0)),
        }
    }
}

impl FolderInfo {
    /// Adds the counts that the folder has in another store.
    fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.total_messages += other.total_messages;
        self.total_bytes += other.total_bytes;
        self.epoch = self.epoch.max(other.epoch);
        self.last_number = self.last_number.max(other.last_number);
    }
}

/// The folders of several stores as one tree, in the order of their paths.
fn as_one(mut lists: Vec<Vec<FolderInfo>>) -> Vec<FolderInfo> {
    if lists.len() == 1 {
        return lists.pop().unwrap_or_default();
    }
    let mut by_path: BTreeMap<Vec<String>, FolderInfo> = BTreeMap::new();
    for info in lists.into_iter().flatten() {
        match by_path.entry(info.path.names().to_vec()) {
            Entry::Vacant(entry) => drop(entry.insert(info)),
            Entry::Occupied(mut entry) => entry.get_mut().add(&info),
        }
    }
    by_path.into_values().collect()
}

impl Acting<'_> {
    pub(super) fn folders(&self) -> Vec<FolderInfo> {
        let mut folders = as_one(self.each_store().map(|within| within.folders()).collect());
        if self.stores.len() > 1 {
            // Stores have different folders below the same one.
            let paths: Vec<Vec<String>> = folders.iter().map(|info| info.path.names().to_vec()).collect();
            for (at, info) in folders.iter_mut().enumerate() {
                let names = info.path.names();
                let below = paths.iter().skip(at + 1).take_while(|path| path.starts_with(names));
                info.folders_below = below.count() as u64;
            }
        }
        folders
    }

    pub(super) fn folders_in(&self, folder: Option<&FolderPath>) -> Result<Vec<FolderInfo>, Error> {
        let mut lists = Vec::new();
        let mut unknown = None;
        for within in self.each_store() {
            match within.folders_in(folder) {
                Err(error @ Error::NoSuchFolder(_)) => unknown = Some(error),
                list => lists.push(list?),
            }
        }
        match unknown.filter(|_| lists.is_empty()) {
            Some(unknown) => Err(unknown),
            None => {
                let mut list = as_one(lists);
                if self.stores.len() > 1 {
                    let all = self.folders();
                    for info in &mut list {
                        let names = info.path.names();
                        // Sorted by path, those below follow.
                        let from = all.partition_point(|known| known.path.names() <= names);
                        let below = all.iter().skip(from).take_while(|known| known.path.names().starts_with(names));
                        info.folders_below = below.count() as u64;
                    }
                }
                Ok(list)
            }
        }
    }

    /// A page of the messages of a folder, newest first; without a folder, of all messages in the order of their ids.
    pub(super) fn messages_page(&self, folder: Option<&FolderPath>, cursor: Option<&str>, most: usize) -> Result<Page<MessageInfo>, Error> {
        let list = folder.map_or_else(|| "messages".to_owned(), |folder| format!("messages in {folder}"));
        let after = self.place_in(&list, cursor)?;
        let (items, last) = match folder {
            Some(folder) => self.page_of_folder(folder, &after, most)?,
            None => self.page_by_number(&after, most)?,
        };
        Ok(Page { items, cursor: last.map(|last| self.cursor_in(&list, &last)).transpose()? })
    }

    /// Messages after a place, and the place of the last one if more may follow.
    fn page_of_folder(&self, folder: &FolderPath, after: &[u8], most: usize) -> Result<(Vec<MessageInfo>, Option<Vec<u8>>), Error> {
        let mut lists = Vec::new();
        for within in self.each_store() {
            let (mut folders, sight) = (within.store.catalog().folders().of_path(folder.names()), within.sight());
            folders.retain(|no| sight.sees(*no));
            lists.extend(folders.into_iter().map(|no| Listed::after(within.store, no, after)));
        }
        if lists.is_empty() {
            return Err(Error::NoSuchFolder(folder.to_string()));
        }
        let (mut items, mut last) = (Vec::new(), after.to_owned());
        messages_of(lists, &mut |id, place| {
            if items.len() == most {
                return Ok(ControlFlow::Break(()));
            }
            items.extend(self.of(id)?.unless_deleted(id)?);
            place.clone_into(&mut last);
            Ok(ControlFlow::Continue(()))
        })
        .map(|flow| (items, flow.is_break().then_some(last)))
    }

    fn page_by_number(&self, after: &[u8], most: usize) -> Result<(Vec<MessageInfo>, Option<Vec<u8>>), Error> {
        let from = IdPlace::read(after);
        let mut items = Vec::new();
        for within in self.each_store() {
            let Some(first) = from.in_store(within.store.no()) else { continue };
            if let Some(no) = within.messages_from(first, most, &mut items)? {
                return Ok((items, Some(IdPlace { store: within.store.no(), no }.write())));
            }
        }
        Ok((items, None))
    }

    /// A page of [`folders`](Self::folders).
    pub(super) fn folders_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<FolderInfo>, Error> {
        let after = cursor.map(|_| self.place_in("folders", cursor)).transpose()?;
        let after = after.map(|after| names_of(&after));
        let mut left = self.folders().into_iter().filter(|info| after.as_ref().is_none_or(|after| info.path.names() > &**after)).peekable();
        let items: Vec<FolderInfo> = left.by_ref().take(most).collect();
        let last = items.last().map_or(after.clone().unwrap_or_default(), |last| last.path.names().to_vec());
        let last = left.peek().is_some().then(|| last.join("\0").into_bytes());
        Ok(Page { items, cursor: last.map(|last| self.cursor_in("folders", &last)).transpose()? })
    }

    /// A cursor for the place `place` of a list.
    pub(super) fn cursor_in(&self, list: &str, place: &[u8]) -> Result<String, Error> {
        seal_token(self.archive.archive_key(), "cursor", &self.binding_of(list.as_bytes()), place)
    }

    /// The place in a list that a cursor names: the beginning if there is none.
    pub(super) fn place_in(&self, list: &str, cursor: Option<&str>) -> Result<Vec<u8>, Error> {
        let Some(cursor) = cursor else { return Ok(Vec::new()) };
        let place = open_token(self.archive.archive_key(), "cursor", &self.binding_of(list.as_bytes()), cursor)?;
        place.ok_or_else(|| Error::misuse("the cursor is not one of this list", "begin again without it"))
    }

    pub(super) fn stats(&self, progress: &Progress) -> Result<StatsReport, Error> {
        self.only_system("read totals of the archive")?;
        let mut report = StatsReport {
            user_archives: self.folders_in(None)?,
            other: self.archive.other_bytes()?,
            lost_found: crate::store::lost_bytes(&*self.archive.vfs, &super::master::dir(&self.archive.dir))?,
            ..StatsReport::default()
        };
        let total = Some(self.stores.len() as u64);
        for (done, within) in self.each_store().enumerate() {
            progress.step(Step { done: done as u64, total, unit: Unit::Steps, activity: "adding up" })?;
            within.add_stats(&mut report, progress)?;
        }
        Ok(report)
    }

    pub(super) fn types_not_read(&self, progress: &Progress) -> Result<Vec<(String, u64)>, Error> {
        self.only_system("read totals of the archive")?;
        let mut types = BTreeMap::new();
        for store in self.stores.iter() {
            for (media, contents) in store.types_not_read(progress)? {
                *types.entry(media).or_default() += contents;
            }
        }
        Ok(types.into_iter().collect())
    }
}

impl InStore<'_> {
    fn folders(&self) -> Vec<FolderInfo> {
        self.numbered_folders().into_iter().map(|(_, info)| info).collect()
    }

    /// The same, with their numbers.
    pub(super) fn numbered_folders(&self) -> Vec<(FolderNo, FolderInfo)> {
        let catalog = self.store.catalog();
        let folders = catalog.folders();
        let sight = self.actor.sight(folders);
        let mut list = Vec::new();
        for (folder, below) in folders.with_totals(|no| sight.sees(no)) {
            let no = FolderNo(folder.no);
            if sight.sees(no) {
                list.extend(folder_info(folders, &sight, &folder, below).map(|info| (no, info)));
            }
        }
        list.sort_by(|(_, a), (_, b)| a.path.names().cmp(b.path.names()));
        list
    }

    fn folders_in(&self, folder: Option<&FolderPath>) -> Result<Vec<FolderInfo>, Error> {
        let catalog = self.store.catalog();
        let folders = catalog.folders();
        let sight = self.actor.sight(folders);
        let above = folder.map(|folder| folders.of_path(folder.names()));
        let mut is_there = above.is_none();
        let mut list = Vec::new();
        for (one, below) in folders.with_totals(|no| sight.sees(no)).filter(|(_, below)| below.folders > 0) {
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

    fn add_stats(&self, report: &mut StatsReport, progress: &Progress) -> Result<(), Error> {
        let stats = self.store.stats()?;
        let catalog = self.store.catalog();
        let numbers = catalog.basis().numbers;
        let (again, bytes_again) = catalog.come_again()?;
        let (unreferenced_contents, unreferenced_bytes) = catalog.unreferenced();
        let snapshot = self.store.indexer().snapshot().until(progress.flag());
        report.messages += stats.messages;
        report.lost_messages += stats.lost_messages;
        report.contents += u64::from(numbers.contents_there).saturating_sub(again);
        report.parts += u64::from(numbers.parts);
        report.bytes_raw += numbers.content_bytes.saturating_sub(bytes_again);
        report.last_archived = report.last_archived.max(catalog.basis().archived);
        report.deleted_messages += catalog.deleted().len();
        report.unreferenced_contents += unreferenced_contents;
        report.unreferenced_bytes += unreferenced_bytes;
        report.lost_found += stats.lost_found;
        report.undecided += (snapshot.incomplete().map_err(crate::store::failed)? - catalog.unplaced()).len();
        report.not_indexed += (super::search::missing(&snapshot, &catalog) - catalog.unplaced()).len();
        report.stores.push(StoreStats { name: self.archive.stores.name(self.store.no()), ..stats });
        Ok(())
    }

    /// Adds messages from number `no` on, until there are `most` items; returns where more may begin.
    fn messages_from(&self, mut no: MessageNo, most: usize, items: &mut Vec<MessageInfo>) -> Result<Option<MessageNo>, Error> {
        let store = self.store;
        let count = store.catalog().basis().numbers.messages;
        while no.0 < count {
            if items.len() == most {
                return Ok(Some(no));
            }
            if store.catalog().deleted().contains(no.0) {
                no = MessageNo(no.0.saturating_add(1));
                continue;
            }
            match self.unless_deleted(store.message_id(no)) {
                Ok(info) => items.extend(info),
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
        Ok(None)
    }
}

/// The messages of several folders, newest first; each with its place.
pub(super) fn messages_of(mut lists: Vec<Listed<'_>>, visit: &mut EachMessage<'_>) -> Result<ControlFlow<()>, Error> {
    loop {
        for list in &mut lists {
            list.fill()?;
        }
        let waiting = lists.iter_mut().filter_map(|list| list.next_place().map(|place| (place, list)));
        let Some((place, list)) = waiting.min_by(|(a, _), (b, _)| a.cmp(b)) else { return Ok(ControlFlow::Continue(())) };
        let Some(first) = list.waiting.pop_front() else { return Err(Error::Bug("a list lost its first message")) };
        if visit(list.store.message_id(first.message), &place)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// The names of a path, as a cursor has them.
fn names_of(place: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(place).split('\0').map(str::to_owned).collect()
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

impl Opened {
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
    fn a_folder_is_listed_newest_first_however_large_and_as_far_as_it_is_read() {
        let mails = 3 * AT_ONCE + 5;
        let mbox: String = (0..mails)
            .map(|n| {
                // Five mails share each date.
                let date = format!("{} Jan 2020 {:02}:00:00 +0000", 1 + n / 5 % 28, n / 140);
                format!("From a@b.example Thu Jan  1 00:00:00 2015\nFrom: a@b.example\nDate: {date}\nSubject: {n}\n\ntext {n}\n\n")
            })
            .collect();
        let options = CreateOptions::new("anna");
        let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), options).unwrap();
        let _kept = new.keys();
        let session = new.commit().unwrap().session(Actor::System);
        let source = ImportSource::Stream(&mut mbox.as_bytes(), "all.mbox");
        let folder = session.import(source, &ImportOptions::default(), &mut NoEvents).unwrap().folder.unwrap();
        let listed = |most: usize| {
            let some = session.messages_in(&folder).take(most);
            some.map(|info| info.map(|info| (info.date, info.id.no)).unwrap()).collect::<Vec<_>>()
        };
        let all = listed(usize::MAX);
        assert_eq!(all.len(), mails);
        assert!(all.is_sorted_by(|a, b| a > b));
        for most in [1, AT_ONCE, AT_ONCE + 1] {
            assert_eq!(listed(most), all[..most]);
        }
    }
}
