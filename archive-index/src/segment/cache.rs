//! Opened pages in memory, up to a budget, in the form in which they are read. Half of the budget is for the
//! dictionary, so that long lists do not evict what every search begins with.

use super::page::PageKind;
use crate::columns::{Columns, Dated};
use crate::pages::{FileId, PageRef};
use crate::terms::blocks::Blocks;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

type Key = (FileId, PageRef);
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

pub(crate) struct PageCache {
    dictionary: Pages,
    lists: Pages,
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

impl PageCache {
    pub(crate) fn new(budget: usize) -> Self {
        let half = || Cache::with_weighter(budget / 2 / PAGE, budget as u64 / 2, Bytes);
        Self { dictionary: half(), lists: half() }
    }

    fn of(&self, kind: PageKind) -> &Pages {
        match kind {
            PageKind::Terms | PageKind::Backward | PageKind::Blocks => &self.dictionary,
            _ => &self.lists,
        }
    }

    pub(crate) fn get(&self, kind: PageKind, key: Key) -> Option<Held> {
        self.of(kind).get(&key)
    }

    pub(crate) fn put(&self, kind: PageKind, key: Key, page: Held) {
        self.of(kind).insert(key, page);
    }
}
