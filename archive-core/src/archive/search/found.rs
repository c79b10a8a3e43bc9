//! From a query to the messages that meet it (S4.1). The index knows contents; folder, time of archiving and rights
//! belong to messages.
//!
//! Most contents have one message: for these a condition on messages is a set of contents, and the index answers the
//! whole query at once. The messages of contents that have several, or of whose messages the first was deleted, are
//! grouped by the conditions that they meet, and the query runs once for each group.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use archive_index::{Bound, Filter, FilterKind, LabelKind, LabelPattern, Leaf, Mark, MessageRef, Query, RoaringBitmap, Snapshot};

use super::calendar::Calendar;
use super::thread::Threads;
use crate::archive::actor::{FolderScope, Sight, folders_of};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::id::{ContentNo, FolderNo, MessageNo};
use crate::mail::facts::{id_hash, kept};
use crate::store::{FoldersOf, Marked, Placed, Placements, Store, View, failed, id_label};

/// Messages that meet a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Found {
    /// Contents with one message, which meets the query.
    pub(super) singles: RoaringBitmap,
    /// Messages of contents with several, by content and message.
    pub(super) placed: Vec<Placed>,
}

impl Found {
    pub(super) fn total(&self) -> u64 {
        self.singles.len() + self.placed.len() as u64
    }

    /// The number of different mails.
    pub(super) fn contents(&self) -> u64 {
        self.singles.len() + self.placed.chunk_by(|a, b| a.content == b.content).count() as u64
    }

    /// The newest message found of each content, and, by these, the others, newest first.
    pub(super) fn once(self) -> (Self, BTreeMap<MessageNo, Vec<MessageNo>>) {
        let (mut newest, mut others) = (Vec::new(), BTreeMap::new());
        // Sorted by content and message, so that the last of a content is its newest.
        for placed in self.placed.chunk_by(|a, b| a.content == b.content) {
            let Some((last, before)) = placed.split_last() else { continue };
            newest.push(*last);
            others.insert(last.message, before.iter().rev().map(|placed| placed.message).collect());
        }
        (Self { singles: self.singles, placed: newest }, others)
    }

    /// The contents, by how many of their messages were found.
    pub(super) fn by_messages(&self) -> BTreeMap<u64, RoaringBitmap> {
        let mut docs = BTreeMap::from([(1, self.singles.clone())]);
        for placed in self.placed.chunk_by(|a, b| a.content == b.content) {
            let contents = docs.entry(placed.len() as u64).or_default();
            placed.first().map(|placed| contents.insert(placed.content.0));
        }
        docs
    }

    /// All messages, by content.
    pub(super) fn each(&self, catalog: &Catalog, mut visit: impl FnMut(Placed) -> Result<(), Error>) -> Result<(), Error> {
        for content in self.singles.iter().map(ContentNo) {
            visit(only_message(catalog, content)?)?;
        }
        self.placed.iter().try_for_each(|placed| visit(*placed))
    }
}

/// The message of a content that has one.
pub(super) fn only_message(catalog: &Catalog, content: ContentNo) -> Result<Placed, Error> {
    let placements = catalog.placements(content)?;
    let (message, folder) = *placements.first().ok_or(Error::Bug("a content that was found has no message"))?;
    Ok(Placed { content, message, folder })
}

/// Calls `visit` with each of some items, lowest number first, and the place of the item among them: rows of the catalog
/// are read in the order in which they lie, since in another each would decompress a page.
pub(super) fn as_they_lie<T, N: Ord>(
    items: &[T],
    number: impl Fn(&T) -> N,
    mut visit: impl FnMut(usize, &T) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut order: Vec<(N, usize)> = items.iter().enumerate().map(|(at, item)| (number(item), at)).collect();
    order.sort_unstable();
    order.into_iter().try_for_each(|(_, at)| items.get(at).map_or(Ok(()), |item| visit(at, item)))
}

/// The messages of contents that have one, in their order.
pub(super) fn only_messages(catalog: &Catalog, contents: &[ContentNo]) -> Result<Vec<MessageNo>, Error> {
    let mut messages = vec![MessageNo(0); contents.len()];
    as_they_lie(
        contents,
        |content| *content,
        |at, content| {
            let message = only_message(catalog, *content)?.message;
            messages.get_mut(at).into_iter().for_each(|place| *place = message);
            Ok(())
        },
    )?;
    Ok(messages)
}

/// What is asked of the index.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// What meets the query.
    Hits,
    /// What would be decided by text that could not be read.
    Undecided,
}

/// A search in one store.
pub(super) struct Searcher<'a> {
    pub(super) store: &'a Store,
    /// The messages that it looks at.
    pub(super) view: &'a View,
    pub(super) snapshot: &'a Snapshot,
    pub(super) sight: &'a Sight,
    pub(super) calendar: &'a Calendar,
    threads: &'a Threads,
}

/// A condition on messages.
pub(super) enum Condition {
    Folders(RoaringBitmap),
    /// Time of archiving, as ascending ranges of messages.
    Archived(Vec<Range<u32>>),
    /// These messages, which have these contents.
    Messages(Marked),
    /// All messages of these contents.
    Contents(RoaringBitmap),
}

impl Condition {
    pub(super) fn holds(&self, placed: &Placed) -> bool {
        match self {
            Self::Folders(folders) => folders.contains(placed.folder.0),
            Self::Archived(ranges) => {
                let at = ranges.partition_point(|range| range.end <= placed.message.0);
                ranges.get(at).is_some_and(|range| range.contains(&placed.message.0))
            }
            Self::Messages(marked) => marked.messages.contains(placed.message.0),
            Self::Contents(contents) => contents.contains(placed.content.0),
        }
    }
}

impl<'a> Searcher<'a> {
    pub(super) fn new(
        store: &'a Store,
        view: &'a View,
        snapshot: &'a Snapshot,
        sight: &'a Sight,
        calendar: &'a Calendar,
        threads: &'a Threads,
    ) -> Self {
        Self { store, view, snapshot, sight, calendar, threads }
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        self.view.catalog()
    }

    pub(super) fn placements(&self) -> Result<Arc<Placements>, Error> {
        self.view.placements()
    }

    /// The folders of `contents`, which have one message each.
    pub(super) fn folders_of(&self, contents: &RoaringBitmap) -> Result<FoldersOf, Error> {
        self.store.folders_of(self.view, contents)
    }

    /// The contents of `docs` with one message, in `folders` that the actor sees.
    fn seen(&self, docs: RoaringBitmap, folders: &RoaringBitmap, placements: &Placements) -> RoaringBitmap {
        docs & &*self.store.singles_seen(placements, folders)
    }

    /// The conditions on messages of a query, in the order of its filters.
    pub(super) fn conditions(&self, query: &Query) -> Result<Vec<Condition>, Error> {
        query.filters().into_iter().filter_map(|filter| self.condition(filter).transpose()).collect()
    }

    pub(super) fn find(&self, query: &Query, ask: Ask) -> Result<Found, Error> {
        let conditions = self.conditions(query)?;
        if conditions.is_empty() {
            let docs = self.ask(&self.bind(query, Vec::new())?, ask)?;
            return self.messages_of(docs);
        }
        let placements = self.placements()?;
        let of_singles = conditions.iter().map(|condition| self.singles(condition, &placements)).collect::<Result<_, _>>()?;
        let mut singles = self.ask(&self.bind(query, of_singles)?, ask)?;
        singles -= placements.shared();
        self.leave_out_unplaced(&mut singles);
        if let Sight::Folders(folders) = self.sight {
            singles = self.seen(singles, folders, &placements);
        }
        let mut groups: BTreeMap<Vec<bool>, RoaringBitmap> = BTreeMap::new();
        let truth = |placed: &Placed| conditions.iter().map(|condition| condition.holds(placed)).collect::<Vec<bool>>();
        for placed in self.visible(&placements) {
            groups.entry(truth(placed)).or_default().insert(placed.content.0);
        }
        let mut hits = BTreeMap::new();
        for (held, contents) in groups {
            let docs = held.iter().map(|holds| if *holds { contents.clone() } else { RoaringBitmap::new() }).collect();
            let found = self.ask(&self.bind(query, docs)?, ask)? & contents;
            hits.insert(held, found);
        }
        let is_hit = |placed: &&Placed| hits.get(&truth(placed)).is_some_and(|found| found.contains(placed.content.0));
        Ok(Found { singles, placed: self.visible(&placements).filter(is_hit).copied().collect() })
    }

    /// Leaves out contents without a message; after damage an index may know more of them than the records do.
    fn leave_out_unplaced(&self, docs: &mut RoaringBitmap) {
        let catalog = self.catalog();
        *docs -= catalog.unplaced();
        docs.remove_range(catalog.basis().numbers.contents..);
    }

    /// The messages of `docs` that the actor sees.
    pub(super) fn messages_of(&self, mut docs: RoaringBitmap) -> Result<Found, Error> {
        match self.sight {
            _ if docs.is_empty() => Ok(Found::default()),
            Sight::All => {
                self.leave_out_unplaced(&mut docs);
                let shared = &docs & self.catalog().shared();
                let placed = self.store.placed_of(self.view, &shared)?;
                Ok(Found { singles: docs - shared, placed })
            }
            Sight::Folders(folders) => {
                let placements = self.placements()?;
                let placed = self.visible(&placements).filter(|placed| docs.contains(placed.content.0)).copied().collect();
                Ok(Found { singles: self.seen(docs, folders, &placements), placed })
            }
        }
    }

    /// The contents of which the actor sees a message; `None` if the actor sees everything.
    pub(super) fn seen_contents(&self) -> Result<Option<RoaringBitmap>, Error> {
        let Sight::Folders(folders) = self.sight else { return Ok(None) };
        let placements = self.placements()?;
        let mut seen = RoaringBitmap::clone(&self.store.singles_seen(&placements, folders));
        seen.extend(self.visible(&placements).map(|placed| placed.content.0));
        Ok(Some(seen))
    }

    fn visible<'p>(&'p self, placements: &'p Placements) -> impl Iterator<Item = &'p Placed> {
        placements.placed().iter().filter(|placed| self.sight.sees(placed.folder))
    }

    fn ask(&self, query: &Bound, ask: Ask) -> Result<RoaringBitmap, Error> {
        match ask {
            Ask::Hits => self.snapshot.search(query),
            Ask::Undecided => self.snapshot.undecided(query),
        }
        .map_err(failed)
    }

    /// The query with its filters bound; `docs` are the sets of its conditions on messages, in order.
    pub(super) fn bind(&self, query: &Query, docs: Vec<RoaringBitmap>) -> Result<Bound, Error> {
        let mut docs = docs.into_iter();
        query.bind(|filter| {
            Ok(match &filter.kind {
                FilterKind::Date(span) => Leaf::Date(self.calendar.seconds(span)),
                FilterKind::Larger(bytes) => Leaf::Size(*bytes..=u64::MAX),
                FilterKind::Smaller(bytes) => Leaf::Size(0..=*bytes),
                FilterKind::Attachments(with) => Leaf::Attachments(*with),
                FilterKind::Priority(priority) => Leaf::Priority(*priority),
                FilterKind::MessageId(id) => Leaf::Labels(vec![id_label(LabelKind::Id, &id_hash(kept(id).as_bytes())).into()]),
                FilterKind::List(id) => Leaf::Labels(list_patterns(id)),
                FilterKind::Type(name) => Leaf::Labels(type_patterns(name)),
                FilterKind::Label(label) => {
                    let (bytes, wild) = (kept(label).as_bytes().to_vec(), label.contains('*'));
                    Leaf::Labels(vec![LabelPattern { kind: LabelKind::Given, bytes, wild }])
                }
                FilterKind::Folder { .. }
                | FilterKind::Archived(_)
                | FilterKind::Is(_)
                | FilterKind::Message(_)
                | FilterKind::Thread(_) => Leaf::Docs(docs.next().ok_or(Error::Bug("a condition on messages was not resolved"))?),
                _ => return Err(Error::Bug("a filter that this library does not know")),
            })
        })
    }

    fn condition(&self, filter: &Filter) -> Result<Option<Condition>, Error> {
        Ok(match &filter.kind {
            FilterKind::Folder { path, subfolders } => {
                let scope = FolderScope { path: path.clone(), subfolders: *subfolders };
                Some(Condition::Folders(folders_of(self.catalog().folders(), [&scope])))
            }
            FilterKind::Archived(span) => {
                let Range { start, end } = self.calendar.seconds(span);
                let millis = |seconds: i64| seconds.saturating_mul(1000);
                Some(Condition::Archived(self.archived(millis(start)..millis(end))?))
            }
            FilterKind::Is(mark) => Some(Condition::Messages(self.marked(*mark)?)),
            FilterKind::Message(of) => Some(Condition::Messages(self.one(*of)?)),
            FilterKind::Thread(of) => Some(Condition::Contents(self.thread_of(*of))),
            _ => None,
        })
    }

    /// Contents with one message that meet a condition.
    fn singles(&self, condition: &Condition, placements: &Placements) -> Result<RoaringBitmap, Error> {
        match condition {
            Condition::Folders(folders) => Ok(placements.singles_in(folders)),
            Condition::Archived(ranges) => {
                let mut docs = RoaringBitmap::new();
                for messages in ranges {
                    docs.insert_range(self.content_from(messages.start)?..self.content_from(messages.end)?);
                }
                docs -= placements.shared();
                Ok(docs)
            }
            Condition::Messages(Marked { contents: docs, .. }) | Condition::Contents(docs) => Ok(docs - placements.shared()),
        }
    }

    fn marked(&self, mark: Mark) -> Result<Marked, Error> {
        Ok(self.placements()?.marked(mark).clone())
    }

    /// A message and its content, if it exists and the actor sees it.
    fn one(&self, of: MessageRef) -> Result<Marked, Error> {
        let mut one = Marked::default();
        if let Some(content) = self.content_of(of)? {
            one.messages.insert(of.message);
            one.contents.insert(content.0);
        }
        Ok(one)
    }

    /// The contents of the thread of a message, if it exists and the actor sees it.
    fn thread_of(&self, of: MessageRef) -> RoaringBitmap {
        let thread = self.threads.get(&(of.store, of.message));
        thread.and_then(|thread| thread.get(&self.store.no())).cloned().unwrap_or_default()
    }

    fn content_of(&self, of: MessageRef) -> Result<Option<ContentNo>, Error> {
        if of.store != self.store.no().0 {
            return Ok(None);
        }
        if self.catalog().deleted().contains(of.message) {
            return Ok(None);
        }
        let row = self.catalog().message_row(MessageNo(of.message))?;
        Ok(row.filter(|row| self.sight.sees(FolderNo(row.folder))).map(|row| ContentNo(row.content)))
    }

    /// The messages that were archived in `span` of milliseconds, as ascending ranges.
    fn archived(&self, span: Range<i64>) -> Result<Vec<Range<u32>>, Error> {
        let catalog = self.catalog();
        let all = catalog.basis().numbers.messages;
        // The clock may have been set back: only from each of these messages to the next do times rise with numbers.
        let begins = catalog.archived_earlier().iter().take_while(|no| *no < all);
        let ends = begins.clone().chain([all]);
        let mut ranges = Vec::new();
        for (begin, end) in std::iter::once(0).chain(begins).zip(ends) {
            let from = archived_from(catalog, begin..end, span.start)?;
            let to = archived_from(catalog, from..end, span.end)?;
            ranges.extend(Some(from..to).filter(|range| !range.is_empty()));
        }
        Ok(ranges)
    }

    /// The first content whose first message is `message` or a later one: first messages rise with contents, whether
    /// they are deleted or not.
    pub(super) fn content_from(&self, message: u32) -> Result<u32, Error> {
        let catalog = self.catalog();
        let contents = catalog.basis().numbers.contents;
        partition(0..contents, |no| {
            let mut from = ContentNo(no);
            while let Some(next) = catalog.next_content(from)? {
                if let Some(first) = catalog.first_message(next)? {
                    return Ok(first.0 >= message);
                }
                from = ContentNo(next.0.saturating_add(1));
            }
            Ok(true)
        })
    }
}

/// The first message of `among`, in which times of archiving rise, that was archived at `millis` or later.
fn archived_from(catalog: &Catalog, among: Range<u32>, millis: i64) -> Result<u32, Error> {
    partition(among.clone(), |no| {
        let mut later = None;
        catalog.message_rows(MessageNo(no), &mut |no, row| {
            later = Some(no.0 >= among.end || row.archived >= millis);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(later.unwrap_or(true))
    })
}

/// The first number of `among` for which `is_behind` is true; it is true for all that follow.
fn partition(among: Range<u32>, is_behind: impl Fn(u32) -> Result<bool, Error>) -> Result<u32, Error> {
    let Range { start: mut low, end: mut high } = among;
    while low < high {
        let middle = low.midpoint(high);
        if is_behind(middle)? { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// Patterns for a List-Id; for one without a full stop, such as `talk`, also all that begin with it and a full stop.
fn list_patterns(id: &str) -> Vec<LabelPattern> {
    let pattern = |id: &str, wild| LabelPattern { kind: LabelKind::List, bytes: kept(id).as_bytes().to_vec(), wild };
    let mut patterns = vec![pattern(id, id.contains('*'))];
    if !id.contains(['.', '*']) {
        patterns.push(pattern(&format!("{id}.*"), true));
    }
    patterns
}

/// Patterns for a media type; for a name without `/`, such as `pdf`, extensions and both halves of media types.
fn type_patterns(name: &str) -> Vec<LabelPattern> {
    let pattern = |text: String| LabelPattern { kind: LabelKind::Type, wild: text.contains('*'), bytes: text.into_bytes() };
    if name.contains('/') {
        return vec![pattern(name.to_owned())];
    }
    [format!(".{name}"), format!("*/{name}"), format!("{name}/*")].map(pattern).to_vec()
}

/// The folder of a message as text.
pub(super) fn path_text(catalog: &Catalog, folder: FolderNo) -> String {
    catalog.folders().path(folder).join("/")
}
