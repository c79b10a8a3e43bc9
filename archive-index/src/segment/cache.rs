//! Opened pages in memory, up to a budget, in the form in which they are read. Half of the budget is for the
//! dictionary, so that long lists do not evict what every search begins with. Any number of indexes share a budget.

use super::page::PageKind;
use crate::columns::{Columns, Dated};
use crate::pages::{FileId, PageRef};
use crate::terms::blocks::Blocks;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The index, its file, and the page.
type Key = (u64, FileId, PageRef);
type Pages = Cache<Key, Held, Bytes>;

/// A page as it is read.
#[derive(Clone)]
pub(crate) enum Held {
    /// Lists, terms, keys: read in place.
    Plain(Arc<Vec<u8>>),
    Blocks(Arc<Blocks>),
    Order(Arc<Vec<Dated>>),
    Columns(Arc<Vec<(u32, Columns)>>),
    Ranks(Arc<Vec<u32>>),
}

impl Held {
    fn size(&self) -> usize {
        match self {
            Self::Plain(page) => page.len(),
            Self::Blocks(blocks) => blocks.size(),
            Self::Order(order) => size_of_val(order.as_slice()),
            Self::Columns(rows) => size_of_val(rows.as_slice()),
            Self::Ranks(ranks) => size_of_val(ranks.as_slice()),
        }
    }
}

/// Memory for opened pages, which indexes share. Clones are handles of the same memory.
#[derive(Clone)]
pub struct SharedPages(Arc<Shared>);

struct Shared {
    dictionary: Pages,
    lists: Pages,
    /// The number of the next index.
    next: AtomicU64,
}

/// The pages of one index in shared memory.
pub(crate) struct PageCache {
    shared: Arc<Shared>,
    index: u64,
}

/// About how many bytes a page takes.
const PAGE: usize = 32 << 10;
/// Bytes that a page costs besides its own.
const OVERHEAD: u64 = 96;

/// The weight of a page is the bytes that it takes.
#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Held> for Bytes {
    fn weight(&self, _: &Key, page: &Held) -> u64 {
        page.size() as u64 + OVERHEAD
    }
}

impl SharedPages {
    /// Memory for `bytes` of pages.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let half = || Cache::with_weighter(bytes / 2 / PAGE, bytes as u64 / 2, Bytes);
        Self(Arc::new(Shared { dictionary: half(), lists: half(), next: AtomicU64::new(0) }))
    }
}

impl std::fmt::Debug for SharedPages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedPages").field("bytes", &(self.0.dictionary.weight() + self.0.lists.weight())).finish()
    }
}

impl PageCache {
    /// Of a new index.
    pub(crate) fn new(pages: &SharedPages) -> Self {
        let index = pages.0.next.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&pages.0), index }
    }

    fn of(&self, kind: PageKind) -> &Pages {
        match kind {
            PageKind::Terms | PageKind::Backward | PageKind::Blocks => &self.shared.dictionary,
            _ => &self.shared.lists,
        }
    }

    pub(crate) fn get(&self, kind: PageKind, (file, page): (FileId, PageRef)) -> Option<Held> {
        self.of(kind).get(&(self.index, file, page))
    }

    pub(crate) fn put(&self, kind: PageKind, (file, page): (FileId, PageRef), held: Held) {
        self.of(kind).insert((self.index, file, page), held);
    }
}

impl Drop for PageCache {
    /// Gives the memory back to the other indexes.
    fn drop(&mut self) {
        for pages in [&self.shared.dictionary, &self.shared.lists] {
            pages.retain(|(index, ..), _| *index != self.index);
        }
    }
}
