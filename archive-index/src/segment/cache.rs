//! Opened pages in memory, up to a budget: half of it for the dictionary, so that long lists do not drive out what every search begins with.

use super::page::PageKind;
use crate::pages::{FileId, PageRef};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

type Key = (FileId, PageRef);
type Pages = Cache<Key, Arc<Vec<u8>>, Bytes>;

pub(crate) struct PageCache {
    dictionary: Pages,
    lists: Pages,
}

/// About what a page takes.
const PAGE: usize = 32 << 10;
/// What a page costs beside its bytes.
const OVERHEAD: u64 = 96;

/// Pages weigh what they take.
#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Vec<u8>>> for Bytes {
    fn weight(&self, _: &Key, page: &Arc<Vec<u8>>) -> u64 {
        page.len() as u64 + OVERHEAD
    }
}

impl PageCache {
    pub(crate) fn new(budget: usize) -> Self {
        let half = || Cache::with_weighter(budget / 2 / PAGE, budget as u64 / 2, Bytes);
        Self { dictionary: half(), lists: half() }
    }

    fn of(&self, kind: PageKind) -> &Pages {
        match kind {
            PageKind::Terms | PageKind::Backward => &self.dictionary,
            _ => &self.lists,
        }
    }

    pub(crate) fn get(&self, kind: PageKind, key: Key) -> Option<Arc<Vec<u8>>> {
        self.of(kind).get(&key)
    }

    pub(crate) fn put(&self, kind: PageKind, key: Key, page: &Arc<Vec<u8>>) {
        self.of(kind).insert(key, Arc::clone(page));
    }
}
