//! From contents to the index: those just committed from memory, those behind the watermark read again.
//!
//! Contents are queued while the writer is held, so they reach the index in the order of their numbers. The index may lag as far as
//! it likes: its basis names the commit up to which it is true, and opening catches up.

use std::sync::{Arc, Mutex, PoisonError};

use archive_index::{Columns, DocNo, Field, Index, Priority, Snapshot, Value, ValueKind};

use super::pages::SealedPages;
use super::{Store, StoreOptions};
use crate::error::{Damage, Error};
use crate::id::{ContentNo, Uuid};
use crate::mail::{AddressKind, MailText, TextReader, Unsearchable, Why};
use crate::records::{CommitPlace, Link, Scan, ScanItem, list_files};
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
    waiting: Mutex<Vec<(ContentNo, Option<MailText>)>>,
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
    pub(super) fn queue(&self, contents: Vec<(ContentNo, Option<MailText>)>) {
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
        for (content, text) in waiting {
            let text = match text {
                Some(text) => text,
                None => self.text_of(content)?,
            };
            self.index_content(content, &text)?;
        }
        Ok(())
    }

    fn index_content(&self, content: ContentNo, text: &MailText) -> Result<(), Error> {
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
        self.indexer.index().add(DocNo(content.0), &values, &columns).map_err(failed)
    }

    /// The text of a content, read from the store; a damaged content has none.
    fn text_of(&self, content: ContentNo) -> Result<MailText, Error> {
        let guesses = match self.content_fact(content) {
            Ok(fact) => fact.and_then(|fact| fact.guesses).unwrap_or_default(),
            Err(Error::Damage(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut reader = TextReader::new(&guesses);
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
            let text = self.text_of(no)?;
            self.index_content(no, &text)?;
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
