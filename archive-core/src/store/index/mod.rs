//! From contents to the index: those just committed from memory, those after the watermark read again.
//!
//! The index takes contents in the order of their numbers, and may lag by any amount: its basis names the commit up to
//! which it is valid, opening catches up, and searches count what it lacks. So an index that cannot be read or written
//! never prevents reading and archiving. It is discarded only if it is proven damaged or foreign, never after an error
//! of the system.

mod pages;
mod reindex;
mod sort_keys;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use archive_index::{
    Columns, DocNo, Field, Index, IndexError, Label, LabelKind, MemPages, PageErrorKind, PageStore, Priority, Snapshot, Value, ValueKind,
};

pub use reindex::IndexStatus;

use super::{Store, StoreOptions};
use crate::catalog::ContentRow;
use crate::error::Error;
use crate::id::{ContentNo, Uuid};
use crate::mail::facts::{id_hash, kept};
use crate::mail::{AddressKind, Facts, MailText, TextReader, Unsearchable, Why};
use crate::records::{CommitPlace, ContentFact, Link};
use crate::seal::SecretKey;
use crate::vfs::Vfs;
use pages::SealedPages;
use sort_keys::MailKeys;

/// The index of a store and the contents on their way to it.
pub(crate) struct Indexer {
    index: Mutex<Arc<Index>>,
    /// Why this is not the index on disk: the system does not let that be read. It stays as it is, and nothing is fed.
    unread: Mutex<Option<Error>>,
    /// The format of the index that was there, if an earlier version wrote it.
    older: Option<u64>,
    pages: Arc<SealedPages>,
    enabled: bool,
    /// The memory that the index may take.
    memory: archive_index::Options,
    waiting: Mutex<Waiting>,
    /// Held while the index is fed.
    pub(super) feeding: Mutex<()>,
    /// Contents done, and of how many, while it is rebuilt.
    rebuilding: Mutex<Option<(u32, u32)>>,
    /// Media types of attachments that are to be searched.
    types: RwLock<Vec<String>>,
}

/// Contents on their way to the index. Their numbers are those from the next one of the index up to `end`, so that none
/// is ever left out, whatever fails.
#[derive(Default)]
struct Waiting {
    /// Contents below this number are to be indexed.
    end: u32,
    /// Some of the contents with their texts, in order. The others are read from the store again.
    texts: VecDeque<(ContentNo, Indexable)>,
    /// Bytes of the texts.
    bytes: usize,
}

/// The most text that may wait; the rest is read from the store again.
const WAITING_BYTES: usize = 24 << 20;

/// What an error of the index means to the archive: the error of the file, if a file failed.
pub(crate) fn failed(error: IndexError) -> Error {
    match error {
        IndexError::Stopped => Error::Stopped,
        IndexError::Damaged(damage) => Error::IndexDamaged(damage),
        IndexError::FormatTooNew { found, .. } => Error::UnknownFeature { what: "format of the index", number: found },
        IndexError::Pages(pages) => match pages.cause.downcast::<Error>() {
            Ok(error) => *error,
            Err(cause) => Error::Index { what: cause.to_string() },
        },
        error => Error::Index { what: error.to_string() },
    }
}

impl Indexer {
    pub(super) fn open(
        vfs: Arc<dyn Vfs>,
        dir: &std::path::Path,
        key: SecretKey,
        owner: Uuid,
        options: &StoreOptions,
    ) -> Result<Self, Error> {
        let pages = Arc::new(SealedPages::new(vfs, dir.to_owned(), key, owner));
        let memory = archive_index::Options { memory_budget: options.index_bytes, pages: options.caches.index.clone() };
        let mut older = None;
        let (index, unread) = match open_index(&pages, memory.clone(), &mut older) {
            // Mails can be read without it.
            Err(error @ Error::Io(_)) if !is_shortage(&error) => {
                (Index::open(Arc::new(MemPages::new()), memory.clone()).map_err(failed)?, Some(error))
            }
            index => (index?, None),
        };
        Ok(Self {
            index: Mutex::new(Arc::new(index)),
            unread: Mutex::new(unread),
            older,
            pages,
            enabled: options.index,
            memory,
            waiting: Mutex::default(),
            feeding: Mutex::default(),
            rebuilding: Mutex::default(),
            types: RwLock::new(options.index_types.clone()),
        })
    }

    /// The commit up to which the index on disk is valid, and where it was first written.
    pub(super) fn basis(&self) -> Option<(Link, CommitPlace)> {
        decode_basis(&self.index().basis())
    }

    pub(super) fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Discards the index, which was proven foreign, and starts an empty one.
    pub(super) fn reset(&self) -> Result<(), Error> {
        self.put(Arc::new(begin_anew(&self.pages, self.memory.clone())?));
        Ok(())
    }

    /// The format of the index that this open threw away since an earlier version wrote it.
    pub(crate) fn older(&self) -> Option<u64> {
        self.older
    }

    /// The index that a rebuilt one replaces: if the one on disk cannot be read, an empty one that is not visible yet.
    pub(super) fn replaceable(&self) -> Result<Arc<Index>, Error> {
        let is_unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_unread { anew(&self.pages, self.memory.clone()).map(Arc::new) } else { Ok(self.index()) }
    }

    /// Replaces the index: from now on `index` is searched and fed.
    pub(super) fn put(&self, index: Arc<Index>) {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = index;
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the index or some of it could not be read when it was opened.
    pub(crate) fn unread(&self) -> Option<Error> {
        let whole = self.unread.lock().unwrap_or_else(PoisonError::into_inner).clone();
        whole.or_else(|| self.index().snapshot().unread().iter().map(|segment| cause_of(&segment.cause)).next())
    }

    /// Contents just committed; called with the writer held.
    pub(super) fn queue(&self, contents: Vec<(ContentNo, Option<Indexable>)>) {
        if !self.enabled {
            return;
        }
        let is_fed = self.is_enabled();
        let mut waiting = self.waiting();
        for (content, known) in contents {
            waiting.end = waiting.end.max(content.0 + 1);
            let Some(known) = known.filter(|_| is_fed) else { continue };
            let bytes = known.bytes();
            if waiting.bytes + bytes <= WAITING_BYTES {
                waiting.bytes += bytes;
                waiting.texts.push_back((content, known));
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text of `content`, if it waits. Texts of earlier contents are no longer needed.
    fn take_text(&self, content: ContentNo) -> Option<Indexable> {
        let mut waiting = self.waiting();
        while let Some((no, text)) = waiting.texts.pop_front_if(|(no, _)| *no <= content) {
            waiting.bytes -= text.bytes();
            if no == content {
                return Some(text);
            }
        }
        None
    }

    /// Removes files that the index does not name.
    pub(super) fn remove_unused(&self, index: &Index) -> Result<(), Error> {
        self.pages.remove_others(&index.files())
    }

    /// The highest number that a segment has.
    pub(super) fn highest(&self) -> Result<u64, Error> {
        Ok(self.pages.highest().map_err(|error| failed(error.into()))?.0)
    }

    /// Removes segments that are no longer in use. Returns whether one with a number up to `before` stays, since it was
    /// replaced by this process and is still read.
    pub(super) fn sweep(&self, before: u64) -> Result<bool, Error> {
        let index = self.index();
        let (in_use, mut is_read) = (index.files(), false);
        for file in self.pages.segments()?.into_iter().filter(|file| !in_use.contains(file)) {
            match index.is_under_way(file) {
                true => is_read |= file.0 <= before,
                false => self.pages.remove(file).map_err(|error| failed(error.into()))?,
            }
        }
        Ok(is_read)
    }

    /// Gives up a damaged segment: its messages count as not indexed until it is rebuilt.
    pub(crate) fn give_up(&self, damage: &archive_index::SegmentDamage) {
        self.index().give_up(damage);
    }

    pub(super) fn rebuilding(&self) -> Option<(u32, u32)> {
        *self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_rebuilding(&self, done: Option<(u32, u32)>) {
        *self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner) = done;
    }

    /// Media types of attachments that are to be searched: a part of such a type that cannot be read leaves its message
    /// undecided. Applies to mail indexed from now on.
    pub(crate) fn set_types(&self, types: Vec<String>) {
        *self.types.write().unwrap_or_else(PoisonError::into_inner) = types;
    }

    /// Whether this keeps a message from being searched completely.
    pub(crate) fn is_gap(&self, part: &Unsearchable) -> bool {
        match &part.why {
            Why::TypeOff(media) => self.types.read().unwrap_or_else(PoisonError::into_inner).contains(media),
            _ => true,
        }
    }

    /// Whether new mail is indexed at once.
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled && self.unread.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// What a search sees from now on.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.index().snapshot()
    }
}

/// Opens the index. One that is proven damaged is discarded, since it is a cache. A refusal by the system proves
/// nothing.
fn open_index(pages: &Arc<SealedPages>, options: archive_index::Options, older: &mut Option<u64>) -> Result<Index, Error> {
    match Index::open(Arc::clone(pages) as Arc<dyn PageStore>, options.clone()) {
        Ok(index) => {
            // A temporary error is one of the call; a permanent one affects only the segment.
            match index.snapshot().unread().iter().map(|segment| cause_of(&segment.cause)).find(is_shortage) {
                Some(shortage) => Err(shortage),
                None => Ok(index),
            }
        }
        Err(IndexError::Manifest { .. }) => begin_anew(pages, options),
        Err(IndexError::FormatTooOld { found, .. }) => {
            *older = Some(found);
            begin_anew(pages, options)
        }
        Err(IndexError::Pages(error)) if error.kind == PageErrorKind::Damaged => begin_anew(pages, options),
        Err(error) => Err(failed(error)),
    }
}

/// Discards the index on disk, as far as it can be written, and starts an empty one.
fn begin_anew(pages: &Arc<SealedPages>, options: archive_index::Options) -> Result<Index, Error> {
    may_lag(pages.remove_all())?;
    anew(pages, options)
}

fn anew(pages: &Arc<SealedPages>, options: archive_index::Options) -> Result<Index, Error> {
    Index::anew(Arc::clone(pages) as Arc<dyn PageStore>, options).map_err(failed)
}

/// The error of the store after one of pages.
fn cause_of(error: &archive_index::PageError) -> Error {
    error.cause.downcast_ref::<Error>().cloned().unwrap_or_else(|| Error::Index { what: error.to_string() })
}

fn is_shortage(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.is_shortage())
}

/// Judges the result of bringing a cache up to date. A cache that cannot be written lags, and searches count what it
/// lacks; a temporary shortage is an error of the call.
pub(super) fn may_lag(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(error @ Error::Io(_)) if !is_shortage(&error) => Ok(()),
        written => written,
    }
}

impl Store {
    /// Feeds the index with what waits for it. An index that cannot be written lags, and archiving continues: searches
    /// count what it lacks.
    pub(crate) fn feed_index(&self) -> Result<(), Error> {
        self.background.failure()?;
        match self.given_up(self.index_queued()) {
            Err(Error::Io(_)) => Ok(()),
            fed => fed.map(drop),
        }
    }

    /// Feeds the index with a mail that was just archived and the little that waits before it, without waiting for
    /// anyone. The rest is left to the thread of the store.
    pub(crate) fn feed_one(&self) {
        if !self.indexer.is_enabled() {
            return;
        }
        // Others hold it for a moment, but for a rebuild that ends: that waits for a merge.
        let feeding = match self.indexer.rebuilding() {
            None => Some(self.indexer.feeding.lock().unwrap_or_else(PoisonError::into_inner)),
            Some(_) => self.indexer.feeding.try_lock().ok(),
        };
        if let Some(feeding) = feeding {
            // Whoever feeds the rest meets the same error.
            let _left = self.feed(FED_AT_ONCE, Texts::AtHand, &feeding);
        }
        if self.indexer.index().next().0 < self.indexer.waiting().end {
            self.wake();
        }
    }

    /// A segment that a merge found damaged is given up, which is no error: `None`.
    pub(super) fn given_up<T>(&self, done: Result<T, Error>) -> Result<Option<T>, Error> {
        match done {
            Err(Error::IndexDamaged(damage)) => {
                self.indexer.give_up(&damage);
                Ok(None)
            }
            done => done.map(Some),
        }
    }

    /// Feeds the index with what waits for it: contents committed since, and those that it still lacks from before.
    fn index_queued(&self) -> Result<(), Error> {
        while self.indexer.is_enabled() {
            let fed = {
                let feeding = self.indexer.feeding.lock().unwrap_or_else(PoisonError::into_inner);
                self.feed(FED_AT_ONCE, Texts::Any, &feeding)?
            };
            match fed {
                Fed::All => break,
                Fed::Some => {}
                Fed::Full => self.write_index(&self.indexer.index())?,
            }
        }
        Ok(())
    }

    /// Feeds the index with about so many bytes of text; called by the one who feeds. It never waits for a flush.
    fn feed(&self, bytes: usize, texts: Texts, _feeding: &MutexGuard<'_, ()>) -> Result<Fed, Error> {
        let mut left = bytes;
        let index = self.indexer.index();
        let end = self.indexer.waiting().end;
        let mut content = ContentNo(index.next().0);
        while content.0 < end {
            if left == 0 {
                return Ok(Fed::Some);
            }
            if index.memory_used() >= self.options.index_bytes {
                return Ok(Fed::Full);
            }
            let known = match self.indexer.take_text(content) {
                Some(known) => known,
                None if !self.is_there(content)? => {
                    let Some(next) = self.catalog().next_content(content)? else { break };
                    content = next;
                    continue;
                }
                None if texts == Texts::AtHand => return Ok(Fed::Some),
                None => self.indexable(content)?,
            };
            left = left.saturating_sub(known.bytes());
            self.index_content(&index, content, &known)?;
            content = ContentNo(content.0.saturating_add(1));
            if is_full(&index, &self.options) && !self.wake() {
                self.write_index(&index)?;
            }
        }
        Ok(Fed::All)
    }

    /// Writes the memory of the index, if there is much of it or a manifest lacks a segment.
    pub(super) fn write_index_if_full(&self) -> Result<(), Error> {
        let index = self.indexer.index();
        if !self.indexer.is_enabled() || !is_full(&index, &self.options) { Ok(()) } else { self.write_index(&index) }
    }

    fn write_index(&self, index: &Index) -> Result<(), Error> {
        index.write(&|| self.index_basis()).map_err(failed)
    }

    /// The commit up to which the index is valid, or a later one: an open examines again what is above the watermark.
    fn index_basis(&self) -> Vec<u8> {
        let catalog = self.catalog();
        encode_basis(catalog.basis().link, catalog.basis().records)
    }

    pub(super) fn index_content(&self, index: &Index, content: ContentNo, known: &Indexable) -> Result<(), Error> {
        // It may have been erased since its text was read.
        let Some(row) = self.catalog().content_row(content)? else { return Ok(()) };
        let (labels, columns) = self.beside_text(&row, known);
        index.add(DocNo(content.0), &known.values(), &labels, &columns, &MailKeys::of(&row).as_keys()).map_err(failed)
    }

    /// Whether there is a content of this number. A repair skips numbers, damage takes facts, and no message refers to
    /// a missing content.
    pub(super) fn is_there(&self, content: ContentNo) -> Result<bool, Error> {
        Ok(self.catalog().content_row(content)?.is_some())
    }

    /// What the index takes of a content besides its text.
    pub(crate) fn row_to_index(&self, content: ContentNo) -> Result<ContentRow, Error> {
        self.catalog().content_row(content)?.ok_or(Error::Bug("a content to be indexed is not in the catalog"))
    }

    /// The labels and columns of a content with this row.
    pub(crate) fn beside_text(&self, row: &ContentRow, known: &Indexable) -> (Vec<Label>, Columns) {
        let types = row.attachment_types.iter().flatten();
        let types = types.map(|media| Label { kind: LabelKind::Type, bytes: media.to_ascii_lowercase().into_bytes() });
        let labels = known.labels.iter().cloned().chain(types).chain(endings(&known.text)).collect();
        let columns = Columns {
            date: row.date_in_order(),
            size: row.size,
            attachments: row.attachments,
            priority: match row.importance {
                1 => Priority::Low,
                3 => Priority::High,
                _ => Priority::Normal,
            },
            unsearchable: known.text.unsearchable.iter().any(|part| self.indexer.is_gap(part)),
        };
        (labels, columns)
    }

    /// What the index takes of a content, read from the store; a damaged content has no text.
    pub(crate) fn indexable(&self, content: ContentNo) -> Result<Indexable, Error> {
        let fact = match self.content_fact(content) {
            Ok(fact) => fact,
            Err(Error::Damage(_)) => None,
            Err(error) => return Err(error),
        };
        let labels = fact.as_ref().map(labels_of_fact).unwrap_or_default();
        let text = self.text_of(content, &fact.and_then(|fact| fact.guesses).unwrap_or_default())?;
        Ok(Indexable { text, labels })
    }

    /// The text of a content as the index has it, without its labels. Its fact is read only if a charset has to be
    /// guessed, since that takes longer than reading the mail.
    pub(crate) fn indexed_text(&self, content: ContentNo) -> Result<Indexable, Error> {
        let text = self.text_of(content, &[])?;
        if text.guesses.is_empty() { Ok(Indexable { text, labels: Vec::new() }) } else { self.indexable(content) }
    }

    /// The text of a content, with the guesses that were made when it was archived.
    pub(crate) fn text_of(&self, content: ContentNo, guesses: &[(u32, String)]) -> Result<MailText, Error> {
        let mut reader = TextReader::new(guesses);
        match self.read(content, &mut |bytes| {
            reader.push(bytes);
            Ok(())
        }) {
            Ok(()) => Ok(reader.finish()),
            Err(Error::Damage(_)) => {
                let unsearchable = vec![Unsearchable { entity: 0, why: Why::Damaged }];
                Ok(MailText { unsearchable, ..MailText::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a segment of what is in memory.
    pub(crate) fn flush_index(&self) -> Result<(), Error> {
        if !self.indexer.is_enabled() {
            return Ok(());
        }
        self.background.failure()?;
        self.index_queued()?;
        let index = self.indexer.index();
        if index.basis() == self.index_basis() && index.watermark() == index.next() {
            return Ok(());
        }
        self.write_index(&index)
    }
}

/// Which texts go to the index.
#[derive(PartialEq, Eq)]
enum Texts {
    Any,
    /// Those in memory; nothing is read from the store.
    AtHand,
}

/// How far the index was fed.
enum Fed {
    All,
    Some,
    /// It has no room before it is written.
    Full,
}

/// Bytes of text that are fed before others who wait to feed have their turn, and that a single mail is fed with.
const FED_AT_ONCE: usize = 4 << 20;

/// Is it time to write the memory of the index? A third of its share is left for mail that comes meanwhile.
fn is_full(index: &Index, options: &StoreOptions) -> bool {
    index.is_spilled() || index.memory_used() >= options.index_bytes / 3 * 2
}

/// What the index takes of a content.
pub(crate) struct Indexable {
    pub(crate) text: MailText,
    pub(crate) labels: Vec<Label>,
}

impl Indexable {
    fn bytes(&self) -> usize {
        self.text.values.iter().map(|value| value.text.len() + size_of::<crate::mail::Value>()).sum()
    }

    /// Its values as the index takes them.
    pub(crate) fn values(&self) -> Vec<Value<'_>> {
        self.text.values.iter().filter_map(value).collect()
    }
}

/// The ids, list and labels by which a mail is found, besides its text.
pub(crate) fn labels_of(facts: &Facts) -> Vec<Label> {
    let references = facts.in_reply_to.iter().chain(&facts.references);
    labels(&facts.header_message_id, references.copied(), &facts.list_id, &facts.labels)
}

fn labels_of_fact(fact: &ContentFact) -> Vec<Label> {
    let hashes = fact.in_reply_to.as_chunks().0.iter().chain(fact.references.as_chunks().0).copied();
    labels(
        fact.header_message_id.as_deref().unwrap_or_default(),
        hashes,
        fact.list_id.as_deref().unwrap_or_default(),
        fact.labels.as_deref().unwrap_or_default(),
    )
}

fn labels(id: &str, references: impl Iterator<Item = [u8; 8]>, list: &str, given: &[String]) -> Vec<Label> {
    let mut labels: Vec<Label> = references.map(|hash| id_label(LabelKind::Reference, &hash)).collect();
    if !id.is_empty() {
        labels.push(id_label(LabelKind::Id, &id_hash(id.as_bytes())));
    }
    if !list.is_empty() {
        labels.push(Label { kind: LabelKind::List, bytes: list.to_ascii_lowercase().into_bytes() });
    }
    labels.extend(given.iter().map(|label| given_label(label)));
    labels
}

/// A label of a mail, as the index has it.
fn given_label(label: &str) -> Label {
    Label { kind: LabelKind::Given, bytes: kept(&archive_index::fold(label)).as_bytes().to_vec() }
}

/// The most extensions of names of attachments by which a mail is found, and the most letters and digits of each.
const MAX_ENDINGS: usize = 64;
const MAX_ENDING: usize = 16;

/// The extensions of the names of attachments.
fn endings(text: &MailText) -> BTreeSet<Label> {
    let names = text.values.iter().filter(|value| value.field == crate::mail::Field::Attachment);
    let ending = |name: &str| {
        let (_, ending) = name.trim_end().rsplit_once('.')?;
        let ending = ending.to_lowercase();
        let is_ending = (1..=MAX_ENDING).contains(&ending.chars().count()) && ending.chars().all(char::is_alphanumeric);
        is_ending.then(|| Label { kind: LabelKind::Type, bytes: format!(".{ending}").into_bytes() })
    };
    names.filter_map(|value| ending(&value.text)).take(MAX_ENDINGS).collect()
}

/// A Message-ID as the index has it.
pub(crate) fn id_label(kind: LabelKind, hash: &[u8; 8]) -> Label {
    Label { kind, bytes: hash.to_vec() }
}

fn value(value: &crate::mail::Value) -> Option<Value<'_>> {
    let field = *Field::ALL.get(usize::from(value.field.number()).checked_sub(1)?)?;
    let kind = match value.kind {
        None => ValueKind::Text,
        Some(AddressKind::Name) => ValueKind::DisplayName,
        Some(AddressKind::Address) => ValueKind::Address,
    };
    Some(Value { field, kind, text: &value.text })
}

pub(super) fn encode_basis(link: Link, records: (u64, u64)) -> Vec<u8> {
    [&link.sequence.to_le_bytes()[..], &link.chain, &records.0.to_le_bytes(), &records.1.to_le_bytes()].concat()
}

pub(super) fn decode_basis(bytes: &[u8]) -> Option<(Link, CommitPlace)> {
    let mut fields = crate::wire::Fixed::new(bytes);
    let link = Link { sequence: fields.u64().ok()?, chain: fields.array().ok()? };
    Some((link, CommitPlace { file: fields.u64().ok()?, offset: fields.u64().ok()? }))
}
