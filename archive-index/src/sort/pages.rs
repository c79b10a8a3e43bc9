//! The pages of a sort key: keys in order, and the ranks of the documents.

use crate::error::IndexError;
use crate::pages::PageRef;
use crate::segment::build::{Output, put_refs};
use crate::segment::page::PageKind;
use crate::segment::read::read_refs;
use crate::terms::KeyPages;
use crate::wire::{Malformed, Reader, put_varint};

/// Documents in a page of ranks: those of eight pages of columns.
pub(crate) const RANKS: usize = 8 * crate::columns::CHUNK;

/// Collects the keys and then the ranks of one sort key into pages.
#[derive(Default)]
pub(crate) struct SortWriter {
    keys: KeyPages,
    /// Keys in the page that is collected.
    collected: u32,
    /// Of each page of keys, how many it has, and where it is.
    pages: Vec<(u32, PageRef)>,
    ranks: Vec<u32>,
    rank_pages: Vec<PageRef>,
}

impl SortWriter {
    /// Adds a key, which is above all before.
    pub(crate) fn key(&mut self, key: &[u8], out: &mut Output) -> Result<(), IndexError> {
        self.keys.add(key);
        self.collected += 1;
        if self.keys.is_full() { self.cut_keys(out) } else { Ok(()) }
    }

    fn cut_keys(&mut self, out: &mut Output) -> Result<(), IndexError> {
        if let Some((_, plain)) = self.keys.take() {
            self.pages.push((std::mem::take(&mut self.collected), out.page(PageKind::SortKeys, &plain)?));
        }
        Ok(())
    }

    /// Adds the rank of the next document.
    pub(crate) fn rank(&mut self, rank: u32, out: &mut Output) -> Result<(), IndexError> {
        self.ranks.push(rank);
        if self.ranks.len() == RANKS { self.cut_ranks(out) } else { Ok(()) }
    }

    fn cut_ranks(&mut self, out: &mut Output) -> Result<(), IndexError> {
        if !self.ranks.is_empty() {
            self.rank_pages.push(out.page(PageKind::Ranks, &put_ranks(&self.ranks))?);
            self.ranks.clear();
        }
        Ok(())
    }

    /// Writes the rest, and puts where everything is into a directory.
    pub(crate) fn finish(&mut self, out: &mut Output, directory: &mut Vec<u8>) -> Result<(), IndexError> {
        self.cut_keys(out)?;
        self.cut_ranks(out)?;
        put_varint(directory, self.pages.len() as u64);
        for (keys, _) in &self.pages {
            put_varint(directory, u64::from(*keys));
        }
        let places: Vec<PageRef> = self.pages.iter().map(|(_, place)| *place).collect();
        put_refs(&places, directory);
        put_refs(&self.rank_pages, directory);
        Ok(())
    }
}

fn put_ranks(ranks: &[u32]) -> Vec<u8> {
    let mut page = Vec::with_capacity(ranks.len() * 3);
    put_varint(&mut page, ranks.len() as u64);
    for rank in ranks {
        put_varint(&mut page, u64::from(*rank));
    }
    page
}

/// Where the pages of a sort key are, as the directory says.
#[derive(Default)]
pub(crate) struct SortColumn {
    /// Of each page of keys, the rank of its first key, and where it is.
    pub(crate) pages: Vec<(u32, PageRef)>,
    /// How many keys there are.
    pub(crate) count: u32,
    pub(crate) ranks: Vec<PageRef>,
}

impl SortColumn {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut counts = Vec::new();
        for _ in 0..reader.length()? {
            counts.push(reader.varint_u32()?);
        }
        let places = read_refs(reader)?;
        if places.len() != counts.len() {
            return Err(Malformed("pages of sort keys"));
        }
        let mut column = Self { ranks: read_refs(reader)?, ..Self::default() };
        for (count, place) in counts.into_iter().zip(places) {
            column.pages.push((column.count, place));
            column.count = column.count.checked_add(count).ok_or(Malformed("number of sort keys"))?;
        }
        Ok(column)
    }

    /// The ranks of a page.
    pub(crate) fn read_ranks(&self, plain: &[u8]) -> Result<Vec<u32>, Malformed> {
        let mut reader = Reader::new(plain);
        let count = reader.length()?;
        if count > RANKS {
            return Err(Malformed("ranks"));
        }
        let mut ranks = Vec::with_capacity(count);
        for _ in 0..count {
            let rank = reader.varint_u32()?;
            if rank >= self.count {
                return Err(Malformed("rank"));
            }
            ranks.push(rank);
        }
        reader.end()?;
        Ok(ranks)
    }
}
