//! Reading sort keys from the pages of a segment.

use super::SortKey;
use super::pages::RANKS;
use crate::columns::{CHUNK, Columns};
use crate::error::IndexError;
use crate::segment::cache::Held;
use crate::segment::page::PageKind;
use crate::segment::read::Segment;
use crate::terms::{KeyCursor, key_cursor};
use crate::wire::Malformed;
use roaring::RoaringBitmap;
use std::sync::Arc;

/// The place of a text among the sort keys of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seek {
    /// It is the key of this rank.
    At(u32),
    /// It is no key; so many keys are below it.
    Before(u32),
}

impl Segment {
    /// A page of ranks: of the documents in eight pages of columns.
    fn ranks(&self, of: SortKey, at: usize) -> Result<Arc<Vec<u32>>, IndexError> {
        let Some(column) = self.sort.get(of.at()) else { return Ok(Arc::default()) };
        let Some(&place) = column.ranks.get(at) else { return Ok(Arc::default()) };
        let taken = |held| if let Held::Ranks(ranks) = held { Some(ranks) } else { None };
        self.cached(PageKind::Ranks, place, taken, |plain| column.read_ranks(&plain).map(|ranks| Held::Ranks(Arc::new(ranks))))
    }

    /// Visits those of `docs` that are in the segment, with their columns and ranks; documents rise.
    pub(super) fn each_rank(&self, of: SortKey, docs: &RoaringBitmap, visit: &mut dyn FnMut(u32, &Columns, u32)) -> Result<(), IndexError> {
        let mut page: (usize, Arc<Vec<u32>>) = (usize::MAX, Arc::default());
        self.each_row(docs, &mut |row, doc, columns| {
            if page.0 != row / RANKS {
                page = (row / RANKS, self.ranks(of, row / RANKS)?);
            }
            let rank = page.1.get(row % RANKS).ok_or_else(|| self.damage(None, Malformed("ranks")))?;
            visit(doc, columns, *rank);
            Ok(())
        })
    }

    /// Visits the columns of those of `docs` that are in the segment, and which row of all columns each is; documents
    /// rise.
    pub(crate) fn each_row(
        &self,
        docs: &RoaringBitmap,
        visit: &mut dyn FnMut(usize, u32, &Columns) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let mut wanted = docs.range(self.lo()..self.hi()).peekable();
        while let Some(&doc) = wanted.peek() {
            let at = self.chunk_of(doc);
            let chunk = self.chunk(at)?;
            let mut rows = chunk.rows.iter().enumerate().peekable();
            // A document without a row is passed over: an index may have a document number and nothing of it.
            while let Some(&doc) = wanted.peek().filter(|&&doc| chunk.next.is_none_or(|next| doc < next)) {
                wanted.next();
                while rows.next_if(|(_, (row, _))| *row < doc).is_some() {}
                if let Some((row, (_, columns))) = rows.next_if(|(_, (row, _))| *row == doc) {
                    visit(at * CHUNK + row, doc, columns)?;
                }
            }
        }
        Ok(())
    }

    /// Visits the keys of `ranks`, which rise.
    pub(super) fn keys_of(
        &self,
        of: SortKey,
        ranks: impl Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<(), IndexError> {
        let mut ranks = ranks.peekable();
        let column = self.sort.get(of.at());
        while let (Some(column), Some(&rank)) = (column, ranks.peek()) {
            let at = column.pages.partition_point(|(first, _)| *first <= rank).saturating_sub(1);
            let end = column.pages.get(at + 1).map_or(column.count, |(first, _)| *first);
            let Some(&(first, _)) = column.pages.get(at).filter(|_| rank < end) else { break };
            self.with_keys(of, at, |keys| {
                for here in first..end {
                    if !keys.advance()? {
                        return Err(Malformed("number of sort keys"));
                    }
                    while ranks.next_if_eq(&here).is_some() {
                        visit(here, keys.key());
                    }
                    if ranks.peek().is_none_or(|rank| *rank >= end) {
                        break;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Where a text is among the keys.
    pub(super) fn seek(&self, of: SortKey, text: &[u8]) -> Result<Seek, IndexError> {
        let Some(column) = self.sort.get(of.at()) else { return Ok(Seek::Before(0)) };
        // The last page whose first key is not above the text.
        let (mut low, mut high) = (0, column.pages.len());
        while low < high {
            let middle = low.midpoint(high);
            let above = self.with_keys(of, middle, |keys| Ok(!keys.advance()? || keys.key() > text))?;
            if above { high = middle } else { low = middle + 1 }
        }
        let Some(at) = low.checked_sub(1) else { return Ok(Seek::Before(0)) };
        let mut rank = column.pages.get(at).map_or(0, |(first, _)| *first);
        self.with_keys(of, at, |keys| {
            while keys.advance()? {
                if keys.key() >= text {
                    return Ok(if keys.key() == text { Seek::At(rank) } else { Seek::Before(rank) });
                }
                rank = rank.saturating_add(1);
            }
            Ok(Seek::Before(rank))
        })
    }

    fn with_keys<T>(&self, of: SortKey, at: usize, read: impl FnOnce(&mut KeyCursor<'_>) -> Result<T, Malformed>) -> Result<T, IndexError> {
        let place = self.sort.get(of.at()).and_then(|column| column.pages.get(at)).map(|(_, place)| *place);
        let place = place.ok_or(IndexError::Bug("a page of sort keys that does not exist"))?;
        let page = self.page(PageKind::SortKeys, place)?;
        key_cursor(&page).and_then(|mut keys| read(&mut keys)).map_err(|broken| self.damage(Some(place), broken))
    }
}
