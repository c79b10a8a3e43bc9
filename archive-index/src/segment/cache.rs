//! Opened pages in memory, up to a budget.
//!
//! Two generations: a page that is asked for moves into the young one; when that holds half the budget, the old one is dropped and the young
//! one grows old. So what is asked for often stays, without a list to keep in order.

use crate::pages::{FileId, PageRef};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Key = (FileId, PageRef);
type Generation = HashMap<Key, Arc<Vec<u8>>>;

pub(crate) struct PageCache {
    half: usize,
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: Generation,
    old: Generation,
    bytes: usize,
}

/// What a page costs beside its bytes.
const OVERHEAD: usize = 96;

impl PageCache {
    pub(crate) fn new(budget: usize) -> Self {
        Self { half: budget / 2, generations: Mutex::default() }
    }

    pub(crate) fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = generations.young.get(&key) {
            return Some(Arc::clone(page));
        }
        let page = generations.old.remove(&key)?;
        generations.insert(key, Arc::clone(&page), self.half);
        Some(page)
    }

    pub(crate) fn put(&self, key: Key, page: &Arc<Vec<u8>>) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.insert(key, Arc::clone(page), self.half);
    }
}

impl Generations {
    fn insert(&mut self, key: Key, page: Arc<Vec<u8>>, half: usize) {
        let cost = page.len() + OVERHEAD;
        if cost > half {
            return;
        }
        if self.bytes + cost > half {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if self.young.insert(key, page).is_none() {
            self.bytes += cost;
        }
    }
}
