//! The dictionary: sorted keys in pages, each with its list or the place of it; docs/FORMAT-INDEX.md, "Term pages".
//!
//! The forward pages have keys and lists. The backward pages have the folded forms, reversed, so that a word is found
//! by its last letters. Transducers lead to the block of a page in which a key is ([`blocks`]).

pub(crate) mod blocks;
pub(crate) mod pattern;
pub(crate) mod typo;

use crate::postings::{BLOCK, Shape, read_tag};
use crate::text::key::MAX_KEY;
use crate::wire::{Malformed, Reader, put_block, put_varint};
use blocks::separator;

/// Plain bytes from which on a page is full.
const PAGE: usize = 32 << 10;
/// A documents part of at most this many bytes is stored inline, in the term's entry; that of a single document always
/// is.
const INLINE_DOCS: usize = 24;
/// Terms in a block. Reading can begin at a block, since its first key is stored whole.
pub(crate) const STRIDE: usize = 32;
/// Positions of at most this many bytes are inline too, if the documents part is.
const INLINE_POSITIONS: u64 = 12;

fn inline_docs(shape: &Shape) -> bool {
    shape.docs == 1 || shape.docs_bytes() <= INLINE_DOCS
}

fn inline_positions(shape: &Shape) -> bool {
    inline_docs(shape) && shape.positions <= INLINE_POSITIONS
}

/// Where a part of a list is: inline in the page of the term, or at an offset of its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Inline(&'a [u8]),
    Stream(u64),
}

/// A term as it is in its page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) shape: Shape,
    pub(crate) docs: Place<'a>,
    pub(crate) positions: Place<'a>,
}

/// Front-codes the keys of a page: each as its difference to the key before.
#[derive(Default)]
struct KeyColumn {
    lengths: Vec<u8>,
    bytes: Vec<u8>,
    last: Vec<u8>,
    count: usize,
}

impl KeyColumn {
    fn add(&mut self, key: &[u8]) {
        let shared =
            if self.count.is_multiple_of(STRIDE) { 0 } else { self.last.iter().zip(key).take_while(|(a, b)| a == b).count().min(255) };
        self.lengths.push(shared as u8);
        put_varint(&mut self.lengths, (key.len() - shared) as u64);
        self.bytes.extend_from_slice(key.get(shared..).unwrap_or_default());
        self.last.clear();
        self.last.extend_from_slice(key);
        self.count += 1;
    }

    fn size(&self) -> usize {
        self.lengths.len() + self.bytes.len()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        put_varint(out, self.count as u64);
        put_block(out, &self.lengths);
        put_block(out, &self.bytes);
        self.lengths.clear();
        self.bytes.clear();
        self.count = 0;
    }
}

/// The keys of a page, in order.
pub(crate) struct KeyCursor<'a> {
    left: usize,
    lengths: Reader<'a>,
    bytes: Reader<'a>,
    key: Vec<u8>,
    /// Bytes that the key shares with the one before.
    shared: usize,
}

impl<'a> KeyCursor<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let left = reader.length()?;
        Ok(Self {
            left,
            lengths: Reader::new(reader.block()?),
            bytes: Reader::new(reader.block()?),
            key: Vec::with_capacity(64),
            shared: 0,
        })
    }

    /// The key that the last call of [`advance`](Self::advance) reached.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Moves to the next key; returns `false` after the last.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool, Malformed> {
        if self.left == 0 {
            self.lengths.end()?;
            self.bytes.end()?;
            return Ok(false);
        }
        self.left -= 1;
        let shared = usize::from(self.lengths.byte()?);
        let length = self.lengths.varint()?;
        if shared > self.key.len() || length > MAX_KEY as u64 {
            return Err(Malformed("key"));
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(self.bytes.take(length as usize)?);
        self.shared = shared;
        Ok(true)
    }

    /// Bytes that the key shares with the one before.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }

    /// Visits all remaining keys that contain `needle`. Of each key, only the places are searched that the bytes shared
    /// with the key before leave open.
    pub(crate) fn holding(&mut self, needle: &[u8], mut visit: impl FnMut(&[u8])) -> Result<(), Malformed> {
        let Some((&first, rest)) = needle.split_first() else {
            while self.advance()? {
                visit(&self.key);
            }
            return Ok(());
        };
        // Where the first occurrence in the key ends.
        let mut held: Option<usize> = None;
        while self.advance()? {
            if held.is_none_or(|end| end > self.shared) {
                let open = self.shared.saturating_sub(rest.len());
                let tail = self.key.get(open..).unwrap_or_default();
                let found = (0..tail.len().saturating_sub(rest.len()))
                    .find(|&at| tail.get(at) == Some(&first) && tail.get(at + 1..).is_some_and(|behind| behind.starts_with(rest)));
                held = found.map(|at| open + at + needle.len());
            }
            if held.is_some() {
                visit(&self.key);
            }
        }
        Ok(())
    }
}

/// Offsets of the four columns of a page, and of both streams, at an entrance, counted from the beginning of the page.
type Entrance = [u64; 6];

/// Collects terms into pages.
#[derive(Default)]
pub(crate) struct TermPages {
    keys: KeyColumn,
    meta: Vec<u8>,
    inline: Vec<u8>,
    /// The separators of the blocks of the page.
    separators: Vec<Vec<u8>>,
    /// Offsets of both streams at the first term of the page.
    start: (u64, u64),
    entrances: Vec<u8>,
    last_entrance: Entrance,
}

impl TermPages {
    /// Adds a term. `streams` are the offsets at which parts that are not inline begin. Returns which parts are inline.
    pub(crate) fn add(&mut self, key: &[u8], shape: &Shape, docs: &[u8], streams: (u64, u64)) -> Parts {
        if self.keys.count == 0 {
            self.start = streams;
        }
        if self.keys.count.is_multiple_of(STRIDE) {
            self.separators.push(separator(&self.keys.last, key));
            self.entrance(streams);
        }
        self.keys.add(key);
        put_varint(&mut self.meta, u64::from(shape.docs));
        if shape.docs != 1 {
            put_varint(&mut self.meta, shape.gaps as u64);
            put_varint(&mut self.meta, shape.tags as u64);
            if shape.docs > BLOCK {
                put_varint(&mut self.meta, shape.skips as u64);
            }
        }
        put_varint(&mut self.meta, shape.positions);
        let parts = Parts { inline_docs: inline_docs(shape), inline_positions: inline_positions(shape) };
        if parts.inline_docs {
            self.inline.extend_from_slice(docs);
        }
        parts
    }

    fn entrance(&mut self, streams: (u64, u64)) {
        let columns = [self.keys.lengths.len(), self.keys.bytes.len(), self.meta.len(), self.inline.len()].map(|length| length as u64);
        let [lengths, bytes, meta, inline] = columns;
        let here: Entrance = [lengths, bytes, meta, inline, streams.0 - self.start.0, streams.1 - self.start.1];
        if self.keys.count > 0 {
            for (now, before) in here.iter().zip(self.last_entrance) {
                put_varint(&mut self.entrances, now - before);
            }
        }
        self.last_entrance = here;
    }

    /// Adds bytes to the inline positions of the last term.
    pub(crate) fn positions(&mut self, bytes: &[u8]) {
        self.inline.extend_from_slice(bytes);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.keys.size() + self.meta.len() + self.inline.len() >= PAGE
    }

    /// Returns the separators of the blocks, and the plain bytes of the page, unless it is empty; then starts another
    /// page.
    pub(crate) fn take(&mut self) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
        if self.keys.count == 0 {
            return None;
        }
        let mut page = Vec::with_capacity(PAGE + 64);
        put_varint(&mut page, self.start.0);
        put_varint(&mut page, self.start.1);
        self.keys.finish(&mut page);
        put_block(&mut page, &self.meta);
        put_block(&mut page, &self.inline);
        put_block(&mut page, &self.entrances);
        self.meta.clear();
        self.inline.clear();
        self.entrances.clear();
        Some((std::mem::take(&mut self.separators), page))
    }
}

/// Which parts of a list went into its entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) inline_docs: bool,
    pub(crate) inline_positions: bool,
}

/// Where reading the columns of a page continues at an entrance.
#[derive(Clone, Copy)]
struct Origin<'a> {
    left: usize,
    lengths: Reader<'a>,
    bytes: Reader<'a>,
    meta: Reader<'a>,
    inline: Reader<'a>,
    docs_at: u64,
    positions_at: u64,
}

/// The terms of a page, in order.
pub(crate) struct TermCursor<'a> {
    pub(crate) keys: KeyCursor<'a>,
    meta: Reader<'a>,
    inline: Reader<'a>,
    docs_at: u64,
    positions_at: u64,
    /// The entrances that were not passed yet, and the last one passed.
    entrances: Reader<'a>,
    origin: Origin<'a>,
    /// The number of the block that begins at the origin.
    block: u32,
}

impl<'a> TermCursor<'a> {
    pub(crate) fn new(page: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(page);
        let docs_at = reader.varint()?;
        let positions_at = reader.varint()?;
        let keys = KeyCursor::read(&mut reader)?;
        let meta = Reader::new(reader.block()?);
        let inline = Reader::new(reader.block()?);
        let entrances = Reader::new(reader.block()?);
        reader.end()?;
        let origin = Origin { left: keys.left, lengths: keys.lengths, bytes: keys.bytes, meta, inline, docs_at, positions_at };
        Ok(Self { keys, meta, inline, docs_at, positions_at, entrances, origin, block: 0 })
    }

    /// Moves forward to a point at most a few terms before `key`.
    pub(crate) fn seek(&mut self, key: &[u8]) -> Result<(), Malformed> {
        while let Some((ahead, entrances)) = self.next_block()? {
            let mut first = ahead.lengths;
            if first.byte()? != 0 {
                return Err(Malformed("entrance of a page"));
            }
            let length = usize::try_from(first.varint()?).map_err(|_| Malformed("key"))?;
            if ahead.bytes.rest().get(..length).ok_or(Malformed("key"))? > key {
                break;
            }
            (self.origin, self.entrances) = (ahead, entrances);
            self.block += 1;
        }
        self.go_to_origin();
        Ok(())
    }

    /// Moves forward to the beginning of a block, unless it was passed.
    pub(crate) fn enter(&mut self, block: u32) -> Result<(), Malformed> {
        while self.block < block {
            (self.origin, self.entrances) = self.next_block()?.ok_or(Malformed("block of a page"))?;
            self.block += 1;
        }
        self.go_to_origin();
        Ok(())
    }

    /// Where the block after the origin begins, and the entrances after it.
    fn next_block(&self) -> Result<Option<(Origin<'a>, Reader<'a>)>, Malformed> {
        let mut entrances = self.entrances;
        if entrances.is_empty() {
            return Ok(None);
        }
        let mut here: Entrance = [0; 6];
        for offset in &mut here {
            *offset = entrances.varint()?;
        }
        let [lengths, bytes, meta, inline, docs, positions] = here;
        let mut ahead = self.origin;
        ahead.lengths.skip(lengths)?;
        ahead.bytes.skip(bytes)?;
        ahead.meta.skip(meta)?;
        ahead.inline.skip(inline)?;
        ahead.docs_at = ahead.docs_at.checked_add(docs).ok_or(Malformed("place of a list"))?;
        ahead.positions_at = ahead.positions_at.checked_add(positions).ok_or(Malformed("place of positions"))?;
        ahead.left = ahead.left.checked_sub(STRIDE).ok_or(Malformed("entrance of a page"))?;
        Ok(Some((ahead, entrances)))
    }

    fn go_to_origin(&mut self) {
        let Origin { left, lengths, bytes, meta, inline, docs_at, positions_at } = self.origin;
        if left < self.keys.left {
            self.keys.left = left;
            self.keys.lengths = lengths;
            self.keys.bytes = bytes;
            self.keys.key.clear();
            (self.meta, self.inline, self.docs_at, self.positions_at) = (meta, inline, docs_at, positions_at);
        }
    }

    /// Moves to the next term.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<Option<Entry<'a>>, Malformed> {
        if !self.keys.advance()? {
            return Ok(None);
        }
        let mut shape = Shape { docs: self.meta.varint_u32()?, ..Shape::default() };
        if shape.docs == 1 {
            let mut ahead = self.inline;
            ahead.varint()?;
            shape.gaps = self.inline.left() - ahead.left();
            read_tag(&mut ahead, |_| {})?;
            shape.tags = self.inline.left() - ahead.left() - shape.gaps;
        } else {
            shape.gaps = self.meta.varint_u32()? as usize;
            shape.tags = self.meta.varint_u32()? as usize;
            if shape.docs > BLOCK {
                shape.skips = self.meta.varint_u32()? as usize;
            }
        }
        shape.positions = self.meta.varint()?;
        let docs = if inline_docs(&shape) {
            Place::Inline(self.inline.take(shape.docs_bytes())?)
        } else {
            let at = self.docs_at;
            self.docs_at = at.checked_add(shape.docs_bytes() as u64).ok_or(Malformed("place of a list"))?;
            Place::Stream(at)
        };
        let positions = if inline_positions(&shape) {
            Place::Inline(self.inline.take(shape.positions as usize)?)
        } else {
            let at = self.positions_at;
            self.positions_at = at.checked_add(shape.positions).ok_or(Malformed("place of positions"))?;
            Place::Stream(at)
        };
        Ok(Some(Entry { shape, docs, positions }))
    }
}

/// Collects keys without lists into pages.
#[derive(Default)]
pub(crate) struct KeyPages {
    keys: KeyColumn,
    separator: Vec<u8>,
}

impl KeyPages {
    pub(crate) fn add(&mut self, key: &[u8]) {
        if self.keys.count == 0 {
            self.separator = separator(&self.keys.last, key);
        }
        self.keys.add(key);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.keys.size() >= PAGE
    }

    /// Returns the separator and the plain bytes of the page, which is one block, unless it is empty; then starts
    /// another page.
    pub(crate) fn take(&mut self) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
        if self.keys.count == 0 {
            return None;
        }
        let mut page = Vec::with_capacity(PAGE + 64);
        self.keys.finish(&mut page);
        Some((vec![std::mem::take(&mut self.separator)], page))
    }
}

/// The keys of a page of keys without lists.
pub(crate) fn key_cursor(page: &[u8]) -> Result<KeyCursor<'_>, Malformed> {
    let mut reader = Reader::new(page);
    let cursor = KeyCursor::read(&mut reader)?;
    reader.end()?;
    Ok(cursor)
}

/// A folded form, reversed, after its lead. Applied twice, it restores the form.
pub(crate) fn backward(folded: &[u8], lead: u8, out: &mut Vec<u8>) {
    out.clear();
    if lead != 0 {
        out.push(lead);
    }
    out.extend(folded.iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn keys_that_hold_some_bytes_are_found_wherever_these_stand(
            keys in prop::collection::btree_set("[ab]{1,9}", 1..120),
            needle in "[ab]{0,4}",
        ) {
            let mut pages = KeyPages::default();
            keys.iter().for_each(|key| pages.add(key.as_bytes()));
            let (_, page) = pages.take().unwrap();
            let mut found = BTreeSet::new();
            key_cursor(&page).unwrap().holding(needle.as_bytes(), |key| { found.insert(String::from_utf8(key.to_vec()).unwrap()); }).unwrap();
            let expected: BTreeSet<String> = keys.into_iter().filter(|key| key.contains(&needle)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
