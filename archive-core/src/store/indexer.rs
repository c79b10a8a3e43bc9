//! From contents to the index: those just committed from memory, those behind the watermark read again.
//!
//! Contents are queued while the writer is held, so they reach the index in the order of their numbers. The index may lag as far as
//! it likes: its basis names the commit up to which it is true, and opening catches up.

use std::sync::{Arc, Mutex, PoisonError};

use archive_index::{Columns, DocNo, Field, Index, Label, LabelKind, Priority, Snapshot, Value, ValueKind};

use super::pages::SealedPages;
use super::{Store, StoreOptions};
use crate::error::{Damage, Error};
use crate::id::{ContentNo, Uuid};
use crate::mail::facts::id_hash;
use crate::mail::{AddressKind, Facts, MailText, TextReader, Unsearchable, Why};
use crate::records::{CommitPlace, ContentFact, Link, Scan, ScanItem, list_files};
use crate::seal::SecretKey;
use crate::vfs::Vfs;

/// Bytes of opened index pages that are kept.
const PAGE_CACHE: usize = 32 << 20;

/// The index of a store and the contents on their way to it.
pub(crate) struct Indexer {
    index: Mutex<Arc<Index>>,
    pages: Arc<SealedPages>,
    enabled: bool,
    memory_budget: usize,
    waiting: Mutex<Vec<(ContentNo, Option<Indexable>)>>,
    /// Held by the one who feeds the index.
    feeding: Mutex<()>,
}

fn failed(error: archive_index::IndexError) -> Error {
    Error::Index(error.to_string())
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
        let index = open_index(&pages, options.index_bytes)?;
        Ok(Self {
            index: Mutex::new(Arc::new(index)),
            pages,
            enabled: options.index,
            memory_budget: options.index_bytes,
            waiting: Mutex::default(),
            feeding: Mutex::default(),
        })
    }

    fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Throws the index away; it begins anew.
    fn reset(&self) -> Result<(), Error> {
        self.pages.remove_all()?;
        let index = open_index(&self.pages, self.memory_budget)?;
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(index);
        Ok(())
    }

    /// Contents just committed; called with the writer held.
    pub(super) fn queue(&self, contents: Vec<(ContentNo, Option<Indexable>)>) {
        if self.enabled {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(contents);
        }
    }

    /// Is new mail indexed at once?
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// What a search sees from now on.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.index().snapshot()
    }
}

/// An index whose manifest cannot be read is thrown away: it is a cache.
fn open_index(pages: &Arc<SealedPages>, memory_budget: usize) -> Result<Index, Error> {
    let options = archive_index::Options { memory_budget, page_cache: PAGE_CACHE };
    let open = || Index::open(Arc::clone(pages) as Arc<dyn archive_index::PageStore>, options);
    match open() {
        Ok(index) => Ok(index),
        Err(archive_index::IndexError::FormatTooNew { found, .. }) => {
            Err(Error::UnknownFeature { what: "format of the index", number: found })
        }
        Err(_) => {
            pages.remove_all()?;
            open().map_err(failed)
        }
    }
}

impl Store {
    /// Feeds the index with what waits for it.
    pub(crate) fn index_queued(&self) -> Result<(), Error> {
        let _feeding = self.indexer.feeding.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut *self.indexer.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for (content, known) in waiting {
            let known = match known {
                Some(known) => known,
                None => self.indexable(content)?,
            };
            self.index_content(content, &known)?;
        }
        Ok(())
    }

    fn index_content(&self, content: ContentNo, Indexable { text, labels }: &Indexable) -> Result<(), Error> {
        let row = self.catalog().content_row(content)?.ok_or(Error::Bug("a content to be indexed is not in the catalog"))?;
        let columns = Columns {
            date: row.date,
            size: row.size,
            attachments: row.attachments,
            priority: match row.importance {
                1 => Priority::Low,
                3 => Priority::High,
                _ => Priority::Normal,
            },
            unsearchable: text.unsearchable.iter().any(|part| !matches!(part.why, Why::TypeOff(_))),
        };
        let values: Vec<Value<'_>> = text.values.iter().filter_map(value).collect();
        self.indexer.index().add(DocNo(content.0), &values, labels, &columns).map_err(failed)
    }

    /// What the index takes of a content, read from the store; a damaged content has no text.
    fn indexable(&self, content: ContentNo) -> Result<Indexable, Error> {
        let fact = match self.content_fact(content) {
            Ok(fact) => fact,
            Err(Error::Damage(_)) => None,
            Err(error) => return Err(error),
        };
        let labels = fact.as_ref().map(labels_of_fact).unwrap_or_default();
        let text = self.text_of(content, &fact.and_then(|fact| fact.guesses).unwrap_or_default())?;
        Ok(Indexable { text, labels })
    }

    /// The text of a content, with the guesses that were made when it came.
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

    /// Brings the index up to the last commit, or begins it anew where the records contradict it.
    pub(super) fn catch_up(&self) -> Result<(), Error> {
        if !self.indexer.enabled {
            return Ok(());
        }
        let damaged = !self.indexer.snapshot().lost().is_empty();
        if damaged || !self.index_fits()? {
            self.indexer.reset()?;
        }
        let index = self.indexer.index();
        if self.damage.is_none() {
            let used = index.files();
            self.indexer.pages.remove_others(&used)?;
        }
        let (from, to) = (index.watermark().0, self.catalog().basis().numbers.contents);
        for no in (from..to).map(ContentNo) {
            let known = self.indexable(no)?;
            self.index_content(no, &known)?;
        }
        Ok(())
    }

    /// Do the records have the commit that the index is based on?
    fn index_fits(&self) -> Result<bool, Error> {
        let index = self.indexer.index();
        let basis = index.basis();
        if basis.is_empty() {
            return Ok(index.watermark().0 == 0);
        }
        let Some((link, place)) = decode_basis(&basis) else { return Ok(false) };
        let listing = list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?;
        let Some(file) = listing.files.into_iter().find(|file| file.number == place.file) else { return Ok(false) };
        Ok(match Scan::new(file, place.offset).next() {
            Ok(Some(ScanItem::Commit(commit))) => commit.link == link,
            Ok(Some(ScanItem::Bad(Damage { .. }))) => self.damage.is_some(),
            Ok(_) => false,
            Err(error) => return Err(error),
        })
    }

    /// Writes a segment of what is in memory.
    pub(crate) fn flush_index(&self) -> Result<(), Error> {
        if !self.indexer.enabled {
            return Ok(());
        }
        self.index_queued()?;
        let _feeding = self.indexer.feeding.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.indexer.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(());
        }
        let basis = {
            let catalog = self.catalog();
            encode_basis(catalog.basis().link, catalog.basis().records)
        };
        let index = self.indexer.index();
        if index.basis() == basis {
            return Ok(());
        }
        index.flush(&basis).map_err(failed)
    }
}

/// What the index takes of a content.
pub(crate) struct Indexable {
    pub(crate) text: MailText,
    pub(crate) labels: Vec<Label>,
}

/// By which ids and list a mail is found, beside its text.
pub(crate) fn labels_of(facts: &Facts) -> Vec<Label> {
    let references = facts.in_reply_to.iter().chain(&facts.references);
    labels(&facts.header_message_id, references.copied(), &facts.list_id)
}

fn labels_of_fact(fact: &ContentFact) -> Vec<Label> {
    let hashes = fact.in_reply_to.as_chunks().0.iter().chain(fact.references.as_chunks().0).copied();
    labels(fact.header_message_id.as_deref().unwrap_or_default(), hashes, fact.list_id.as_deref().unwrap_or_default())
}

fn labels(id: &str, references: impl Iterator<Item = [u8; 8]>, list: &str) -> Vec<Label> {
    let mut labels: Vec<Label> = references.map(|hash| id_label(LabelKind::Reference, &hash)).collect();
    if !id.is_empty() {
        labels.push(id_label(LabelKind::Id, &id_hash(id.as_bytes())));
    }
    if !list.is_empty() {
        labels.push(Label { kind: LabelKind::List, bytes: list.to_ascii_lowercase().into_bytes() });
    }
    labels
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

fn encode_basis(link: Link, records: (u64, u64)) -> Vec<u8> {
    [&link.sequence.to_le_bytes()[..], &link.chain, &records.0.to_le_bytes(), &records.1.to_le_bytes()].concat()
}

fn decode_basis(bytes: &[u8]) -> Option<(Link, CommitPlace)> {
    let mut fields = crate::wire::Fixed::new(bytes);
    let link = Link { sequence: fields.u64().ok()?, chain: fields.array().ok()? };
    Some((link, CommitPlace { file: fields.u64().ok()?, offset: fields.u64().ok()? }))
}
