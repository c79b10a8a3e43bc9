//! The placement of each content: the folder of its only message, or all messages if there are several. A cache in
//! memory, made by the first search that needs folders, and updated by each later one: 4 bytes a content, 12 a message
//! of contents whose messages are looked up one by one, and some bits a message that was sent, or whose source noted
//! whether it was read, flagged, answered.
//!
//! A search looks at one [`View`]: catalog and placements of the same commit. What is archived, deleted or brought back
//! meanwhile, later searches see.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use archive_index::Mark;
use roaring::RoaringBitmap;

use super::Store;
use crate::catalog::{Catalog, MessageRow};
use crate::error::Error;
use crate::id::{ContentNo, FolderNo, MessageNo};

/// A message of a content whose messages are looked up one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Placed {
    pub(crate) content: ContentNo,
    pub(crate) message: MessageNo,
    pub(crate) folder: FolderNo,
}

/// The placements of all contents after a commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placements {
    /// By content: the folder of its only message. Of contents without one and of shared ones, anything.
    folder_of: Vec<u32>,
    /// Contents without a message.
    unplaced: RoaringBitmap,
    /// Contents whose messages are looked up one by one, and these messages in order.
    shared: RoaringBitmap,
    placed: Vec<Placed>,
    marks: Marks,
    /// Messages that are deleted, and how often some were brought back.
    deleted: RoaringBitmap,
    brought_back: u64,
    /// The first message that is not included.
    next: u32,
    /// The sequence of the commit.
    sequence: u64,
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
    fn all(&mut self) -> [&mut Marked; 5] {
        [&mut self.read, &mut self.unread, &mut self.flagged, &mut self.answered, &mut self.sent]
    }

    /// Forgets a content, whose messages have changed.
    fn forget(&mut self, content: ContentNo) {
        for marked in self.all() {
            marked.contents.remove(content.0);
        }
    }

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
        found -= &self.unplaced;
        found
    }

    /// Contents whose messages are looked up one by one.
    pub(crate) fn shared(&self) -> &RoaringBitmap {
        &self.shared
    }

    /// All messages of these, by content and message.
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

    /// Makes them those of `catalog`, which is of a later commit.
    fn bring_up(&mut self, catalog: &Catalog) -> Result<(), Error> {
        // Contents that are shared now and were not, or were and have other messages now.
        let mut again = catalog.shared() ^ &self.shared;
        let is_single = |content: u32| !catalog.shared().contains(content) && !catalog.unplaced().contains(content);
        catalog.message_rows(MessageNo(self.next), &mut |no, row| {
            self.next = no.0.saturating_add(1);
            if catalog.deleted().contains(no.0) {
                return Ok(ControlFlow::Continue(()));
            }
            self.marks.note(no, &row);
            if is_single(row.content) {
                self.set_folder(row.content, row.folder);
            } else {
                again.insert(row.content);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        // A content with one message that was deleted is unplaced, and needs no look-up; only shared ones do.
        let changed = catalog.deleted() ^ &self.deleted;
        if !changed.is_empty() {
            again.extend(self.placed.iter().filter(|placed| changed.contains(placed.message.0)).map(|placed| placed.content.0));
        }
        let (times, brought_back) = catalog.brought_back();
        if times != self.brought_back {
            for no in brought_back.iter().map(MessageNo) {
                again.extend(catalog.message_row(no)?.map(|row| row.content));
            }
        }
        self.look_up(catalog, &again)?;
        self.unplaced.clone_from(catalog.unplaced());
        self.shared.clone_from(catalog.shared());
        self.deleted.clone_from(catalog.deleted());
        self.brought_back = times;
        self.sequence = catalog.basis().link.sequence;
        Ok(())
    }

    fn set_folder(&mut self, content: u32, folder: u32) {
        let at = content as usize;
        if self.folder_of.len() <= at {
            self.folder_of.resize(at + 1, 0);
        }
        self.folder_of.get_mut(at).into_iter().for_each(|known| *known = folder);
    }

    /// Looks up the messages of `contents`, and what their sources noted.
    fn look_up(&mut self, catalog: &Catalog, contents: &RoaringBitmap) -> Result<(), Error> {
        if contents.is_empty() {
            return Ok(());
        }
        self.placed.retain(|placed| !contents.contains(placed.content.0));
        for content in contents.iter().map(ContentNo) {
            self.marks.forget(content);
            let is_shared = catalog.shared().contains(content.0);
            for (message, folder) in catalog.placements(content)? {
                if let Some(row) = catalog.message_row(message)? {
                    self.marks.note(message, &row);
                }
                if is_shared {
                    self.placed.push(Placed { content, message, folder });
                } else {
                    self.set_folder(content.0, folder.0);
                }
            }
        }
        self.placed.sort_unstable();
        Ok(())
    }
}

/// What a search sees of messages: the catalog after a commit, and the placements of the same commit if it needs them.
pub(crate) struct View {
    catalog: Arc<Catalog>,
    /// Those that the store keeps, of this commit or any other.
    kept: Arc<Mutex<Arc<Placements>>>,
    /// Those of this commit or an earlier one, until it needs its own.
    earlier: Mutex<Arc<Placements>>,
    own: OnceLock<Arc<Placements>>,
}

impl View {
    pub(crate) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The placements of all its contents.
    pub(crate) fn placements(&self) -> Result<Arc<Placements>, Error> {
        if let Some(own) = self.own.get() {
            return Ok(Arc::clone(own));
        }
        let sequence = self.catalog.basis().link.sequence;
        // Taken away, so that nothing is copied if only this view has them.
        let mut earlier = std::mem::take(&mut *self.earlier.lock().unwrap_or_else(PoisonError::into_inner));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // A later search may have brought them beyond this view, which then makes its own.
        let placements = if kept.sequence > sequence {
            &mut earlier
        } else {
            drop(earlier);
            &mut *kept
        };
        if placements.sequence < sequence
            && let Err(error) = Arc::make_mut(placements).bring_up(&self.catalog)
        {
            *placements = Arc::default();
            return Err(error);
        }
        Ok(Arc::clone(self.own.get_or_init(|| Arc::clone(placements))))
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

/// The last answer from placements: the folders, after which commit, and the contents with one message there.
pub(crate) type LastSeen = Option<(RoaringBitmap, u64, Arc<RoaringBitmap>)>;

/// The direction of sent mail in a row.
const SENT: u8 = 2;

/// Up to this many contents, messages are looked up one by one; for more, all placements are used.
const FEW: u64 = 1000;

impl Store {
    /// What is there now.
    pub(crate) fn view(&self) -> View {
        // Placements are never of a later commit than the catalog that is read while they are held.
        let kept = self.placements.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = Mutex::new(Arc::clone(&kept));
        View { catalog: self.catalog(), kept: Arc::clone(&self.placements), earlier, own: OnceLock::new() }
    }

    /// All messages of `contents`, by content and message.
    pub(crate) fn placed_of(&self, view: &View, contents: &RoaringBitmap) -> Result<Vec<Placed>, Error> {
        if contents.len() > FEW {
            let placements = view.placements()?;
            return Ok(placements.placed().iter().filter(|placed| contents.contains(placed.content.0)).copied().collect());
        }
        let mut found = Vec::new();
        for content in contents.iter().map(ContentNo) {
            let placed = view.catalog.placements(content)?.into_iter();
            found.extend(placed.map(|(message, folder)| Placed { content, message, folder }));
        }
        Ok(found)
    }

    /// The folders of `contents`, which have one message each.
    pub(crate) fn folders_of(&self, view: &View, contents: &RoaringBitmap) -> Result<FoldersOf, Error> {
        if contents.len() > FEW {
            return Ok(FoldersOf::All(view.placements()?));
        }
        let mut folders = BTreeMap::new();
        for content in contents.iter().map(ContentNo) {
            let placed = view.catalog.placements(content)?;
            folders.extend(placed.first().map(|(_, folder)| (content, *folder)));
        }
        Ok(FoldersOf::Few(folders))
    }

    /// Contents with exactly one message, whose folder is one of `folders`; kept for the next search with the same
    /// rights.
    pub(crate) fn singles_seen(&self, placements: &Placements, folders: &RoaringBitmap) -> Arc<RoaringBitmap> {
        let mut last = self.last_seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, sequence, singles)) if known == folders && *sequence == placements.sequence => Arc::clone(singles),
            _ => {
                let singles = Arc::new(placements.singles_in(folders));
                *last = Some((folders.clone(), placements.sequence, Arc::clone(&singles)));
                singles
            }
        }
    }
}
