//! The placement of each content: the folder of its only message, or all messages if there are several. A cache in
//! memory, made by the first search that needs folders, and updated by each later one: 4 bytes a content, 12 a message
//! of contents placed more than once, and some bits a message that was sent, or whose source noted whether it was read,
//! flagged, answered.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use archive_index::Mark;
use roaring::RoaringBitmap;

use super::Store;
use crate::catalog::{Catalog, MessageRow};
use crate::error::Error;
use crate::id::{ContentNo, FolderNo, MessageNo};

/// A message of a content that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Placed {
    pub(crate) content: ContentNo,
    pub(crate) message: MessageNo,
    pub(crate) folder: FolderNo,
}

/// The placements of all contents up to a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placements {
    /// By content: the folder of its first message; 0 if it has none.
    folder_of: Vec<u32>,
    /// Contents with several messages, and these messages in order.
    shared: RoaringBitmap,
    placed: Vec<Placed>,
    marks: Marks,
    /// The first message that is not included.
    next: u32,
}

/// What sources noted of messages, and which were sent: sets of messages, and of the contents that have one of them.
#[derive(Debug, Clone, Default)]
struct Marks {
    read: Marked,
    unread: Marked,
    flagged: Marked,
    answered: Marked,
    sent: Marked,
}

/// Messages with a mark, and the contents of these messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marked {
    pub(crate) messages: RoaringBitmap,
    pub(crate) contents: RoaringBitmap,
}

impl Marks {
    fn note(&mut self, no: MessageNo, row: &MessageRow) {
        let mark = |marked: &mut Marked| {
            marked.messages.insert(no.0);
            marked.contents.insert(row.content);
        };
        if row.direction == SENT {
            mark(&mut self.sent);
        }
        // Whether a mail was read is known only if the source has flags.
        let Some(flags) = &row.flags else { return };
        mark(if flags.contains('S') { &mut self.read } else { &mut self.unread });
        if flags.contains('F') {
            mark(&mut self.flagged);
        }
        if flags.contains('R') {
            mark(&mut self.answered);
        }
    }
}

impl Placements {
    /// Contents with exactly one message, whose folder is one of `folders`.
    pub(crate) fn singles_in(&self, folders: &RoaringBitmap) -> RoaringBitmap {
        // A lookup table by folder, since it is asked once for each content.
        let wanted: Vec<bool> = (0..=folders.max().unwrap_or(0)).map(|no| folders.contains(no)).collect();
        let lies = |folder: &u32| wanted.get(*folder as usize).copied().unwrap_or(false);
        let all = (0u32..).zip(&self.folder_of).filter(|(_, folder)| lies(folder)).map(|(content, _)| content);
        // Numbers rise, so appending cannot fail.
        let mut found = RoaringBitmap::from_sorted_iter(all).unwrap_or_default();
        found -= &self.shared;
        found
    }

    /// Contents with several messages.
    pub(crate) fn shared(&self) -> &RoaringBitmap {
        &self.shared
    }

    /// All messages of contents with several, by content and message.
    pub(crate) fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// The messages with this mark from their source.
    pub(crate) fn marked(&self, mark: Mark) -> &Marked {
        match mark {
            Mark::Read => &self.marks.read,
            Mark::Unread => &self.marks.unread,
            Mark::Flagged => &self.marks.flagged,
            Mark::Answered => &self.marks.answered,
        }
    }

    /// The messages that were sent.
    pub(crate) fn sent(&self) -> &Marked {
        &self.marks.sent
    }

    fn bring_up(&mut self, catalog: &Catalog) -> Result<(), Error> {
        let mut again = RoaringBitmap::new();
        catalog.message_rows(MessageNo(self.next), &mut |no, row| {
            let at = row.content as usize;
            if self.folder_of.len() <= at {
                self.folder_of.resize(at + 1, 0);
            }
            // If damage took the first message of a content, the next one may be anywhere in the order of messages.
            match self.folder_of.get_mut(at).filter(|_| !catalog.shared().contains(row.content)) {
                Some(folder @ 0) => *folder = row.folder,
                _ => drop(again.insert(row.content)),
            }
            self.marks.note(no, &row);
            self.next = no.0.saturating_add(1);
            Ok(ControlFlow::Continue(()))
        })?;
        if again.is_empty() {
            return Ok(());
        }
        self.placed.retain(|placed| !again.contains(placed.content.0));
        for content in again.iter().map(ContentNo) {
            let placed = catalog.placements(content)?.into_iter();
            self.placed.extend(placed.map(|(message, folder)| Placed { content, message, folder }));
        }
        self.placed.sort_unstable();
        self.shared |= again;
        Ok(())
    }
}

/// The folders of contents with one message.
pub(crate) enum FoldersOf {
    Few(BTreeMap<ContentNo, FolderNo>),
    All(Arc<Placements>),
}

impl FoldersOf {
    /// The folder of one of these contents; number 0 for any other.
    pub(crate) fn of(&self, content: ContentNo) -> FolderNo {
        match self {
            Self::Few(folders) => folders.get(&content).copied().unwrap_or(FolderNo(0)),
            Self::All(placements) => FolderNo(placements.folder_of.get(content.0 as usize).copied().unwrap_or(0)),
        }
    }
}

/// The last answer from placements: the folders, up to which message, and the contents with one message there.
pub(crate) type LastSeen = Option<(RoaringBitmap, u32, Arc<RoaringBitmap>)>;

/// The direction of sent mail in a row.
const SENT: u8 = 2;

/// Up to this many contents, messages are looked up one by one; for more, all placements are used.
const FEW: u64 = 1000;

impl Store {
    /// All messages of `contents`, by content and message.
    pub(crate) fn placed_of(&self, contents: &RoaringBitmap) -> Result<Vec<Placed>, Error> {
        if contents.len() > FEW {
            let placements = self.placements()?;
            return Ok(placements.placed().iter().filter(|placed| contents.contains(placed.content.0)).copied().collect());
        }
        let catalog = self.catalog();
        let mut found = Vec::new();
        for content in contents.iter().map(ContentNo) {
            let placed = catalog.placements(content)?.into_iter();
            found.extend(placed.map(|(message, folder)| Placed { content, message, folder }));
        }
        Ok(found)
    }

    /// The folders of `contents`, which have one message each.
    pub(crate) fn folders_of(&self, contents: &RoaringBitmap) -> Result<FoldersOf, Error> {
        if contents.len() > FEW {
            return Ok(FoldersOf::All(self.placements()?));
        }
        let mut folders = BTreeMap::new();
        for content in contents.iter().map(ContentNo) {
            let placed = self.catalog().placements(content)?;
            folders.extend(placed.first().map(|(_, folder)| (content, *folder)));
        }
        Ok(FoldersOf::Few(folders))
    }

    /// Contents with exactly one message, whose folder is one of `folders`; kept for the next search with the same
    /// rights.
    pub(crate) fn singles_seen(&self, placements: &Placements, folders: &RoaringBitmap) -> Arc<RoaringBitmap> {
        let mut last = self.last_seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, next, singles)) if known == folders && *next == placements.next => Arc::clone(singles),
            _ => {
                let singles = Arc::new(placements.singles_in(folders));
                *last = Some((folders.clone(), placements.next, Arc::clone(&singles)));
                singles
            }
        }
    }

    /// The placements of all contents as they are now.
    pub(crate) fn placements(&self) -> Result<Arc<Placements>, Error> {
        let mut known = self.placements.lock().unwrap_or_else(PoisonError::into_inner);
        let catalog = self.catalog();
        if known.next < catalog.basis().numbers.messages {
            Arc::make_mut(&mut known).bring_up(&catalog)?;
        }
        Ok(Arc::clone(&known))
    }
}
