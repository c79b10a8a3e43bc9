//! Merging the sort keys of segments.

use super::SortKey;
use crate::error::IndexError;
use crate::segment::build::SegmentWriter;
use crate::segment::merge::KeyReader;
use crate::segment::page::PageKind;
use crate::segment::read::Segment;
use crate::wire::Malformed;
use roaring::RoaringBitmap;

/// Merges the sort keys of `inputs`, which are in the order of their documents, without those that only dead documents
/// have. Memory holds two numbers for each document.
pub(crate) fn merge_sort_keys(inputs: &[&Segment], dead: &RoaringBitmap, writer: &mut SegmentWriter) -> Result<(), IndexError> {
    for of in SortKey::ALL {
        let mut readers = Vec::with_capacity(inputs.len());
        for segment in inputs {
            readers.push(Input::new(segment, of, dead)?);
        }
        let mut next = 0;
        while let Some(least) = readers.iter().filter_map(|reader| reader.keys.current.as_ref()).min().cloned() {
            let mut lives = false;
            for reader in readers.iter_mut().filter(|reader| reader.keys.current.as_ref() == Some(&least)) {
                lives |= reader.give(next)?;
                reader.keys.advance()?;
            }
            // Of a key that only dead documents had, nothing is written, so that a purge leaves no trace of it.
            if lives {
                writer.sort_key(of, &least)?;
                next += 1;
            }
        }
        for reader in &readers {
            for rank in &reader.ranks {
                let rank = reader.new.get(*rank as usize).copied().flatten();
                writer.rank(of, rank.ok_or_else(|| reader.segment.damage(None, Malformed("ranks")))?)?;
            }
        }
    }
    Ok(())
}

/// The keys of a segment in order, and the ranks of its live documents.
struct Input<'s> {
    segment: &'s Segment,
    keys: KeyReader<'s>,
    /// The rank of the current key.
    at: usize,
    ranks: Vec<u32>,
    /// By rank: the rank in the new segment, of keys that a live document has.
    new: Vec<Option<u32>>,
    lives: Vec<bool>,
}

impl<'s> Input<'s> {
    fn new(segment: &'s Segment, of: SortKey, dead: &RoaringBitmap) -> Result<Self, IndexError> {
        let column = segment.sort.get(of.at()).ok_or(IndexError::Bug("a sort key that no segment has"))?;
        let places = column.pages.iter().map(|(_, place)| *place).collect();
        let (mut ranks, mut lives) = (Vec::new(), vec![false; column.count as usize]);
        let mut live = RoaringBitmap::new();
        live.insert_range(segment.lo()..segment.hi());
        live -= dead;
        segment.each_rank(of, &live, &mut |_, _, rank| {
            ranks.push(rank);
            lives.get_mut(rank as usize).into_iter().for_each(|lives| *lives = true);
        })?;
        let keys = KeyReader::new(segment, PageKind::SortKeys, places)?;
        Ok(Self { segment, keys, at: 0, ranks, new: vec![None; lives.len()], lives })
    }

    /// Gives the current key a rank, if a live document has it, and returns whether one has.
    fn give(&mut self, rank: u32) -> Result<bool, IndexError> {
        let lives = self.lives.get(self.at).copied().ok_or_else(|| self.segment.damage(None, Malformed("number of sort keys")))?;
        self.new.get_mut(self.at).filter(|_| lives).into_iter().for_each(|new| *new = Some(rank));
        self.at += 1;
        Ok(lives)
    }
}
