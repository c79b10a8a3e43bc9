//! Posting lists: docs/FORMAT-INDEX.md, "Posting lists".
//!
//! A list has two parts, which are stored apart. The documents part is three runs of numbers, one after the other: gaps
//! between documents, a tag for each document (zones and how often), and the lengths of blocks of positions. The
//! positions part is read for phrases only.

pub(crate) mod bits;
pub(crate) mod places;

use crate::text::field::{ZONES, Zones};
use crate::wire::{Malformed, Reader, put_varint};
use bits::Bits;
use places::Places;
use std::ops::Range;

/// Documents in a block of positions, which is read as a whole.
pub(crate) const BLOCK: u32 = 128;

/// The lengths of the parts of a list: documents, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) docs: u32,
    pub(crate) gaps: usize,
    pub(crate) tags: usize,
    pub(crate) skips: usize,
    pub(crate) positions: u64,
}

impl Shape {
    /// Bytes of the documents part.
    pub(crate) fn docs_bytes(&self) -> usize {
        self.gaps + self.tags + self.skips
    }
}

/// Appends a tag: the zones in which a document has the term, and how often in each. The body alone is by far the most
/// frequent case, and takes one byte for up to 63 occurrences.
fn put_tag(zones: u16, counts: &[u32; ZONES as usize], out: &mut Vec<u8>) {
    if zones == 1 {
        put_varint(out, u64::from(counts[0]) << 1);
        return;
    }
    put_varint(out, u64::from(zones) << 1 | 1);
    for (zone, &count) in counts.iter().enumerate() {
        if zones >> zone & 1 == 1 {
            put_varint(out, u64::from(count));
        }
    }
}

/// Reads a tag: its zones; the count of each zone goes to `count`, lowest first.
#[inline]
pub(crate) fn read_tag(reader: &mut Reader<'_>, mut count: impl FnMut(u32)) -> Result<u16, Malformed> {
    let first = reader.varint()?;
    if first & 1 == 0 {
        count(u32::try_from(first >> 1).map_err(|_| Malformed("count"))?);
        return Ok(1);
    }
    let zones = u16::try_from(first >> 1).map_err(|_| Malformed("zones"))?;
    if zones >> ZONES != 0 {
        return Err(Malformed("zones"));
    }
    for _ in 0..zones.count_ones() {
        count(reader.varint_u32()?);
    }
    Ok(zones)
}

/// The lengths of the parts of a block, whose positions are read as a whole: documents, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lengths {
    docs: u32,
    tags: u64,
    positions: u64,
}

impl Lengths {
    /// The lengths of both blocks together; `None` on overflow.
    fn and(self, other: Self) -> Option<Self> {
        Some(Self {
            docs: self.docs.checked_add(other.docs)?,
            tags: self.tags.checked_add(other.tags)?,
            positions: self.positions.checked_add(other.positions)?,
        })
    }
}

/// The documents part of a list of a segment.
#[derive(Clone, Copy)]
pub(crate) struct DocList<'a> {
    /// The first document of the segment.
    pub(crate) lo: u32,
    pub(crate) shape: Shape,
    /// Gaps, tags, skips.
    pub(crate) bytes: &'a [u8],
}

impl<'a> DocList<'a> {
    fn gaps(&self) -> Result<Reader<'a>, Malformed> {
        self.bytes.get(..self.shape.gaps).map(Reader::new).ok_or(Malformed("posting list"))
    }

    fn tags(&self) -> Result<Reader<'a>, Malformed> {
        let end = self.shape.gaps + self.shape.tags;
        self.bytes.get(self.shape.gaps..end).map(Reader::new).ok_or(Malformed("posting list"))
    }

    fn skips(&self) -> Result<Reader<'a>, Malformed> {
        let start = self.shape.gaps + self.shape.tags;
        self.bytes.get(start..start + self.shape.skips).map(Reader::new).ok_or(Malformed("posting list"))
    }

    /// Adds the documents that have the term in one of `zones` to `out`. With [`Zones::ALL`] that is every document.
    pub(crate) fn add_to(&self, zones: Zones, out: &mut Bits) -> Result<(), Malformed> {
        let mut gaps = self.gaps()?;
        let mut doc = self.lo;
        if zones == Zones::ALL {
            for _ in 0..self.shape.docs {
                doc = doc.wrapping_add(gaps.varint_u32()?);
                out.insert(doc);
            }
            return Ok(());
        }
        let mut tags = self.tags()?;
        for _ in 0..self.shape.docs {
            doc = doc.wrapping_add(gaps.varint_u32()?);
            if read_tag(&mut tags, |_| {})? & zones.0 != 0 {
                out.insert(doc);
            }
        }
        Ok(())
    }

    /// The blocks, which together make up the whole list.
    fn blocks(&self) -> Result<Vec<Lengths>, Malformed> {
        let all = Lengths { docs: self.shape.docs, tags: self.shape.tags as u64, positions: self.shape.positions };
        if self.shape.skips == 0 {
            return Ok(vec![all]);
        }
        let mut skips = self.skips()?;
        let mut blocks = Vec::new();
        let mut sum = Some(Lengths::default());
        while !skips.is_empty() {
            let block = Lengths { docs: skips.varint_u32()?, tags: skips.varint()?, positions: skips.varint()? };
            sum = sum.and_then(|sum| sum.and(block));
            blocks.push(block);
        }
        if sum == Some(all) { Ok(blocks) } else { Err(Malformed("blocks of positions")) }
    }

    /// Gives each occurrence in `zones` of a document of `wanted` to `out`. `fetch` returns the bytes of the positions
    /// part at an offset.
    pub(crate) fn positions<B: AsRef<[u8]>, E: From<Malformed>>(
        &self,
        zones: Zones,
        wanted: &Bits,
        mut fetch: impl FnMut(u64, usize) -> Result<B, E>,
        out: &mut Places,
    ) -> Result<(), E> {
        let mut gaps = self.gaps()?;
        let mut tags = self.tags()?;
        let mut doc = self.lo;
        let mut offset = 0u64;
        let mut block = Vec::with_capacity(BLOCK as usize);
        for lengths in self.blocks()? {
            block.clear();
            let mut any = false;
            for _ in 0..lengths.docs {
                doc = doc.wrapping_add(gaps.varint_u32()?);
                any |= wanted.contains(doc);
                block.push(doc);
            }
            let of_block = tags.take(usize::try_from(lengths.tags).map_err(|_| Malformed("blocks of positions"))?)?;
            if any {
                let length = usize::try_from(lengths.positions).map_err(|_| Malformed("blocks of positions"))?;
                let bytes = fetch(offset, length)?;
                read_block(&block, &mut Reader::new(of_block), bytes.as_ref(), zones, wanted, out)?;
            }
            offset += lengths.positions;
        }
        Ok(())
    }
}

fn read_block(block: &[u32], tags: &mut Reader<'_>, bytes: &[u8], zones: Zones, wanted: &Bits, out: &mut Places) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    let mut counts = [0u32; ZONES as usize];
    // Positions that are not asked for are skipped together, which is faster than one at a time.
    let mut passed = 0u64;
    for &doc in block {
        let asked = if wanted.contains(doc) { zones.0 } else { 0 };
        let mut held = 0;
        let found = read_tag(tags, |count| {
            if let Some(place) = counts.get_mut(held) {
                *place = count;
            }
            held += 1;
        })?;
        if found & asked == 0 {
            passed += counts.iter().take(held).map(|count| u64::from(*count)).sum::<u64>();
            continue;
        }
        let mut left = found;
        for &count in counts.iter().take(held) {
            let zone = left & left.wrapping_neg();
            left ^= zone;
            if asked & zone == 0 {
                passed += u64::from(count);
                continue;
            }
            reader.skip_varints(std::mem::take(&mut passed))?;
            let mut position = 0u32;
            for _ in 0..count {
                position = position.wrapping_add(reader.varint_u32()?);
                out.add(doc, position);
            }
        }
    }
    reader.skip_varints(passed)?;
    tags.end()?;
    reader.end()
}

/// Builds a list from the documents of one term, in rising order.
#[derive(Default)]
pub(crate) struct ListBuilder {
    pub(crate) gaps: Vec<u8>,
    pub(crate) tags: Vec<u8>,
    pub(crate) positions: Vec<u8>,
    blocks: Vec<Lengths>,
    docs: u32,
    last: u32,
    /// The number of documents in the open block, and where its tags and positions begin.
    open: (u32, usize, usize),
}

impl ListBuilder {
    /// Starts again, for a segment whose first document is `lo`.
    pub(crate) fn clear(&mut self, lo: u32) {
        self.gaps.clear();
        self.tags.clear();
        self.positions.clear();
        self.blocks.clear();
        self.docs = 0;
        self.last = lo;
        self.open = (0, 0, 0);
    }

    /// Adds a document. `occurrences` are pairs of zone and position, sorted; there may be none.
    pub(crate) fn add(&mut self, doc: u32, zones: u16, occurrences: &[(u8, u32)]) {
        if self.open.0 == BLOCK {
            self.close_block();
        }
        put_varint(&mut self.gaps, u64::from(doc.wrapping_sub(self.last)));
        self.last = doc;
        let mut counts = [0u32; ZONES as usize];
        let mut before = (ZONES, 0);
        for &(zone, position) in occurrences {
            if let Some(count) = counts.get_mut(usize::from(zone)) {
                *count += 1;
            }
            let from = if before.0 == zone { before.1 } else { 0 };
            put_varint(&mut self.positions, u64::from(position - from));
            before = (zone, position);
        }
        put_tag(zones, &counts, &mut self.tags);
        self.docs += 1;
        self.open.0 += 1;
    }

    fn close_block(&mut self) {
        let (docs, tags, positions) = self.open;
        if docs > 0 {
            let (tags, positions) = (self.tags.len() - tags, self.positions.len() - positions);
            self.blocks.push(Lengths { docs, tags: tags as u64, positions: positions as u64 });
        }
        self.open = (0, self.tags.len(), self.positions.len());
    }

    /// The shape of the list, and the bytes of its documents part in `docs`.
    pub(crate) fn finish(&mut self, docs: &mut Vec<u8>) -> Shape {
        self.close_block();
        docs.clear();
        docs.extend_from_slice(&self.gaps);
        docs.extend_from_slice(&self.tags);
        let skips = put_skips(&self.blocks, docs);
        Shape { docs: self.docs, gaps: self.gaps.len(), tags: self.tags.len(), skips, positions: self.positions.len() as u64 }
    }
}

/// Appends a range; one that touches the last range extends it.
fn copy(range: Range<u64>, copies: &mut Vec<Range<u64>>) {
    match copies.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.is_empty() => {}
        _ => copies.push(range),
    }
}

/// Appends the lengths of blocks and returns how many bytes they took; a single block needs none.
fn put_skips(blocks: &[Lengths], out: &mut Vec<u8>) -> usize {
    let start = out.len();
    if blocks.len() > 1 {
        for block in blocks {
            put_varint(out, u64::from(block.docs));
            put_varint(out, block.tags);
            put_varint(out, block.positions);
        }
    }
    out.len() - start
}

/// Joins the lists of one term from adjacent segments. The caller joins the positions parts, without reading them.
#[derive(Default)]
pub(crate) struct ListJoiner {
    gaps: Vec<u8>,
    tags: Vec<u8>,
    blocks: Vec<Lengths>,
    docs: u32,
    last: u32,
    positions: u64,
}

impl ListJoiner {
    /// Starts again, for a segment whose first document is `lo`.
    pub(crate) fn clear(&mut self, lo: u32) {
        self.gaps.clear();
        self.tags.clear();
        self.blocks.clear();
        self.docs = 0;
        self.last = lo;
        self.positions = 0;
    }

    /// Appends a list whose documents are all higher than those before.
    pub(crate) fn add(&mut self, list: &DocList<'_>) -> Result<(), Malformed> {
        let mut gaps = list.gaps()?;
        if list.shape.docs == 0 {
            return Ok(());
        }
        let first = list.lo.wrapping_add(gaps.varint_u32()?);
        let gap = first.checked_sub(self.last).ok_or(Malformed("order of documents"))?;
        put_varint(&mut self.gaps, u64::from(gap));
        let rest = gaps.rest();
        self.gaps.extend_from_slice(rest);
        self.last = first;
        for _ in 1..list.shape.docs {
            let gap = gaps.varint_u32()?;
            self.last = self.last.checked_add(gap).ok_or(Malformed("order of documents"))?;
        }
        gaps.end()?;
        self.tags.extend_from_slice(list.tags()?.rest());
        list.blocks()?.into_iter().for_each(|block| self.block(block));
        self.docs = self.docs.checked_add(list.shape.docs).ok_or(Malformed("number of documents"))?;
        self.positions = self.positions.checked_add(list.shape.positions).ok_or(Malformed("length of positions"))?;
        Ok(())
    }

    /// Appends the live documents of a list. `fetch` returns a range of its positions part; the ranges that go with the
    /// documents are put into `copies`.
    pub(crate) fn add_live<B: AsRef<[u8]>, E: From<Malformed>>(
        &mut self,
        list: &DocList<'_>,
        is_live: impl Fn(u32) -> bool,
        mut fetch: impl FnMut(Range<u64>) -> Result<B, E>,
        copies: &mut Vec<Range<u64>>,
    ) -> Result<(), E> {
        let mut gaps = list.gaps()?;
        let mut tags = list.tags()?;
        let mut doc = list.lo;
        let mut offset = 0u64;
        let mut block: Vec<(u32, &[u8], u64)> = Vec::new();
        for Lengths { docs, positions: length, .. } in list.blocks()? {
            let end = offset + length;
            block.clear();
            for _ in 0..docs {
                doc = doc.checked_add(gaps.varint_u32()?).ok_or(Malformed("order of documents"))?;
                let before = tags;
                let mut count = 0u64;
                read_tag(&mut tags, |found| count += u64::from(found))?;
                let tag = before.rest().get(..before.left() - tags.left()).unwrap_or_default();
                block.push((doc, tag, count));
            }
            let live = block.iter().filter(|(doc, ..)| is_live(*doc)).count();
            if live > 0 {
                let (tags_start, start) = (self.tags.len(), self.positions);
                let bytes = if live < block.len() { Some(fetch(offset..end)?) } else { None };
                let mut reader = Reader::new(bytes.as_ref().map_or(&[][..], AsRef::as_ref));
                let mut at = offset;
                for &(doc, tag, count) in &block {
                    let begin = at;
                    if bytes.is_some() {
                        let before = reader.left();
                        reader.skip_varints(count)?;
                        at += (before - reader.left()) as u64;
                    }
                    if is_live(doc) {
                        let gap = doc.checked_sub(self.last).ok_or(Malformed("order of documents"))?;
                        put_varint(&mut self.gaps, u64::from(gap));
                        self.tags.extend_from_slice(tag);
                        self.last = doc;
                        self.docs = self.docs.checked_add(1).ok_or(Malformed("number of documents"))?;
                        copy(begin..at, copies);
                        self.positions += at - begin;
                    }
                }
                if bytes.is_none() {
                    copy(offset..end, copies);
                    self.positions += length;
                } else {
                    reader.end()?;
                }
                let tags = (self.tags.len() - tags_start) as u64;
                self.block(Lengths { docs: live as u32, tags, positions: self.positions - start });
            }
            offset = end;
        }
        Ok(())
    }

    /// Adds a block of positions; it is joined with the one before if both fit into one.
    fn block(&mut self, block: Lengths) {
        match self.blocks.last_mut() {
            Some(last) if let Some(both) = last.and(block).filter(|both| both.docs <= BLOCK) => *last = both,
            _ => self.blocks.push(block),
        }
    }

    /// The shape of the joined list, and the bytes of its documents part in `docs`.
    pub(crate) fn finish(&self, docs: &mut Vec<u8>) -> Shape {
        docs.clear();
        docs.extend_from_slice(&self.gaps);
        docs.extend_from_slice(&self.tags);
        let skips = put_skips(&self.blocks, docs);
        Shape { docs: self.docs, gaps: self.gaps.len(), tags: self.tags.len(), skips, positions: self.positions }
    }
}
