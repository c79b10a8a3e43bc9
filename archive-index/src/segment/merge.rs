//! Merging adjacent segments into one, page by page. Memory holds a few pages of each input, and one list of documents.

use super::build::{STREAM_PAGE, SegmentWriter};
use super::page::PageKind;
use super::read::{Segment, Stop, StreamKind};
use crate::columns::Dated;
use crate::error::IndexError;
use crate::pages::{FileId, PageRef, PageStore};
use crate::postings::{DocList, ListJoiner, Shape};
use crate::sort::merge::merge_sort_keys;
use crate::terms::{Place, TermCursor, backward, key_cursor};
use crate::text::key::{ADDRESS, CONTINUES, parts};
use crate::wire::Malformed;
use roaring::RoaringBitmap;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Merges `inputs`, which are in the order of their documents, into one segment, and writes it to `file`. Whatever they
/// have of `dead` documents is left out.
pub(crate) fn merge(store: &dyn PageStore, file: FileId, inputs: &[&Segment], dead: &RoaringBitmap) -> Result<(), IndexError> {
    let lo = inputs.first().map_or(0, |segment| segment.lo());
    let hi = inputs.last().map_or(0, |segment| segment.hi());
    let mut writer = SegmentWriter::create(store, file, lo, hi)?;
    // Terms come before backward keys: only when all are merged is it known which words no document has any more.
    let dropped = merge_terms(inputs, lo, dead, &mut writer)?;
    merge_backward(inputs, &dropped, &mut writer)?;
    // The ranges of the inputs rise and do not overlap, so rows are in order when they are copied one input after
    // another.
    for segment in inputs {
        for at in 0..segment.chunks_count() {
            for &(doc, columns) in segment.chunk(at)?.rows.iter() {
                if !dead.contains(doc) {
                    writer.columns(doc, columns)?;
                }
            }
        }
    }
    // Dates have no such order among the inputs: their lists are interleaved.
    merge_order(inputs, dead, &mut writer)?;
    merge_sort_keys(inputs, dead, &mut writer)?;
    writer.finish()
}

/// The folded forms, with their lead, of which no form is left. Only dead documents had them, so they are few
/// compared with the dictionary.
#[derive(Default)]
struct Dropped {
    forms: HashSet<Vec<u8>>,
    current: Vec<u8>,
    lives: bool,
}

impl Dropped {
    /// Takes the next key, and whether a document has it. All forms of a word follow each other.
    fn take(&mut self, key: &[u8], lives: bool) {
        let taken = parts(key);
        // A backward key is written once for all forms of a word, so it may go only with the last of them.
        let bare = key.get(..usize::from(taken.lead != 0) + taken.folded.len()).unwrap_or_default();
        if bare != self.current {
            self.end();
            self.current.extend_from_slice(bare);
        }
        self.lives |= lives;
    }

    fn end(&mut self) {
        if !self.lives && !self.current.is_empty() {
            self.forms.insert(self.current.clone());
        }
        self.current.clear();
        self.lives = false;
    }
}

fn merge_terms(inputs: &[&Segment], lo: u32, dead: &RoaringBitmap, writer: &mut SegmentWriter) -> Result<Dropped, IndexError> {
    let mut terms = Vec::with_capacity(inputs.len());
    for segment in inputs {
        terms.push(TermReader::new(segment, dead)?);
    }
    let mut joiner = ListJoiner::default();
    let mut dropped = Dropped::default();
    let mut key = Vec::new();
    let (mut docs, mut bytes) = (Vec::new(), Vec::new());
    while let Some(least) = terms.iter().filter_map(TermReader::key).min() {
        // A copy, since `least` borrows from a reader, and the readers move on below.
        key.clear();
        key.extend_from_slice(least);
        // The first gap counts from the first document of the new segment, not from that of an input.
        joiner.clear(lo);
        // In the order of the inputs, and so of their documents: the joiner appends, and refuses a document that falls.
        let here: Vec<usize> = (0..terms.len()).filter(|&at| terms.get(at).and_then(TermReader::key) == Some(key.as_slice())).collect();
        // The writer takes positions after their term, and the term needs its whole list: which positions to copy is
        // noted.
        let mut copies = Vec::with_capacity(here.len());
        for &at in &here {
            let Some(term) = terms.get_mut(at) else { continue };
            let shape = term.docs_bytes(&mut bytes)?;
            let list = DocList { lo: term.segment.lo(), shape, bytes: &bytes };
            copies.push(term.join(&list, &mut joiner)?);
        }
        // Of a word that only dead documents had, nothing is written, so that a purge leaves no trace of it.
        let shape = joiner.finish(&mut docs);
        dropped.take(&key, shape.docs > 0);
        if shape.docs > 0 {
            writer.term(&key, &shape, &docs)?;
        }
        // Readers move on only now: the positions are found through the current row.
        for (&at, copies) in here.iter().zip(copies) {
            if let Some(term) = terms.get_mut(at) {
                for range in copies {
                    term.each_position(range, &mut |bytes| writer.positions(bytes))?;
                }
                term.advance()?;
            }
        }
    }
    dropped.end();
    Ok(dropped)
}

#[derive(Clone)]
enum Held {
    Inline(Range<usize>),
    Stream(u64),
}

struct Row {
    key: Range<usize>,
    shape: Shape,
    docs: Held,
    positions: Held,
}

/// The terms of a segment in order, one page at a time.
struct TermReader<'s> {
    segment: &'s Segment,
    /// Documents of this segment that are left out.
    dead: RoaringBitmap,
    next_page: usize,
    rows: Vec<Row>,
    at: usize,
    keys: Vec<u8>,
    inline: Vec<u8>,
    docs: StreamReader<'s>,
    positions: StreamReader<'s>,
}

impl<'s> TermReader<'s> {
    fn new(segment: &'s Segment, dead: &RoaringBitmap) -> Result<Self, IndexError> {
        let mut reader = Self {
            segment,
            // Only those of this segment, so that `join` sees whether it has any.
            dead: dead.range(segment.lo()..segment.hi()).collect(),
            next_page: 0,
            rows: Vec::new(),
            at: 0,
            keys: Vec::new(),
            inline: Vec::new(),
            docs: StreamReader::new(segment, StreamKind::Docs),
            positions: StreamReader::new(segment, StreamKind::Positions),
        };
        reader.load()?;
        Ok(reader)
    }

    fn row(&self) -> Option<&Row> {
        self.rows.get(self.at)
    }

    fn key(&self) -> Option<&[u8]> {
        self.row().and_then(|row| self.keys.get(row.key.clone()))
    }

    fn advance(&mut self) -> Result<(), IndexError> {
        self.at += 1;
        if self.at >= self.rows.len() { self.load() } else { Ok(()) }
    }

    /// Reads the next page that has terms.
    fn load(&mut self) -> Result<(), IndexError> {
        self.rows.clear();
        self.at = 0;
        while let (true, Some(page_ref)) = (self.rows.is_empty(), self.segment.forward.get(self.next_page)) {
            self.next_page += 1;
            // Rows refer to these bytes, and the rows of the page before are gone.
            self.keys.clear();
            self.inline.clear();
            let page = self.segment.read_page(PageKind::Terms, page_ref)?;
            self.parse(&page).map_err(|broken| self.segment.damage(Some(page_ref), broken))?;
        }
        Ok(())
    }

    fn parse(&mut self, page: &[u8]) -> Result<(), Malformed> {
        let mut cursor = TermCursor::new(page)?;
        while let Some(entry) = cursor.advance()? {
            // Keys are front-coded: the cursor overwrites each with the next.
            let start = self.keys.len();
            self.keys.extend_from_slice(cursor.keys.key());
            let key = start..self.keys.len();
            let docs = self.hold(entry.docs);
            let positions = self.hold(entry.positions);
            self.rows.push(Row { key, shape: entry.shape, docs, positions });
        }
        Ok(())
    }

    fn hold(&mut self, place: Place<'_>) -> Held {
        match place {
            Place::Stream(offset) => Held::Stream(offset),
            Place::Inline(bytes) => {
                let start = self.inline.len();
                self.inline.extend_from_slice(bytes);
                Held::Inline(start..self.inline.len())
            }
        }
    }

    /// Puts the documents part of the current term into `out`.
    fn docs_bytes(&mut self, out: &mut Vec<u8>) -> Result<Shape, IndexError> {
        out.clear();
        let Some(row) = self.rows.get(self.at) else { return Ok(Shape::default()) };
        match &row.docs {
            Held::Inline(range) => out.extend_from_slice(self.inline.get(range.clone()).unwrap_or_default()),
            Held::Stream(offset) => self.docs.each(*offset, row.shape.docs_bytes() as u64, &mut |bytes| {
                out.extend_from_slice(bytes);
                Ok(())
            })?,
        }
        Ok(row.shape)
    }

    /// Gives the list of the current term to `joiner`, and returns the ranges of its positions that go with it.
    fn join(&mut self, list: &DocList<'_>, joiner: &mut ListJoiner) -> Result<Vec<Range<u64>>, IndexError> {
        // Without dead documents, the list is appended without decoding a tag or reading a position.
        if self.dead.is_empty() {
            joiner.add(list).map_err(|broken| self.segment.damage(None, broken))?;
            return Ok(std::iter::once(0..list.shape.positions).collect());
        }
        // Taken out while `fetch` borrows the whole reader, and put back before any error returns.
        let dead = std::mem::take(&mut self.dead);
        let mut copies = Vec::new();
        // Positions carry no length for each document. Where a block has dead and live ones, its bytes must be read for
        // that.
        let mut fetch = |range: Range<u64>| -> Result<Vec<u8>, Stop> {
            let mut bytes = Vec::new();
            self.each_position(range, &mut |found| {
                bytes.extend_from_slice(found);
                Ok(())
            })?;
            Ok(bytes)
        };
        let joined = joiner.add_live(list, |doc| !dead.contains(doc), &mut fetch, &mut copies);
        self.dead = dead;
        joined.map_err(|stop: Stop| stop.at(self.segment))?;
        Ok(copies)
    }

    /// Gives a range of the positions of the current term to `sink`.
    fn each_position(&mut self, range: Range<u64>, sink: &mut dyn FnMut(&[u8]) -> Result<(), IndexError>) -> Result<(), IndexError> {
        let Some(row) = self.rows.get(self.at) else { return Ok(()) };
        match &row.positions {
            Held::Inline(held) => {
                let all = self.inline.get(held.clone()).unwrap_or_default();
                let found = all.get(range.start as usize..range.end as usize);
                sink(found.ok_or_else(|| self.segment.damage(None, Malformed("positions")))?)
            }
            Held::Stream(offset) => {
                // The offset was read from a page, so the sum may overflow.
                let start = offset.checked_add(range.start).ok_or_else(|| self.segment.damage(None, Malformed("positions")))?;
                self.positions.each(start, range.end - range.start, sink)
            }
        }
    }
}

/// A stream that is read from front to back, bypassing the cache.
struct StreamReader<'s> {
    segment: &'s Segment,
    kind: StreamKind,
    page_at: Option<usize>,
    page: Vec<u8>,
}

impl<'s> StreamReader<'s> {
    fn new(segment: &'s Segment, kind: StreamKind) -> Self {
        Self { segment, kind, page_at: None, page: Vec::new() }
    }

    fn each(&mut self, offset: u64, length: u64, sink: &mut dyn FnMut(&[u8]) -> Result<(), IndexError>) -> Result<(), IndexError> {
        let mut offset = offset;
        let mut left = length;
        while left > 0 {
            let at = (offset / STREAM_PAGE as u64) as usize;
            // Lists are stored in the order of their terms: the next one mostly begins in the page that is held. The
            // cache is bypassed, or a merge would evict the pages that searches use.
            if self.page_at != Some(at) {
                let broken = || self.segment.damage(None, Malformed("place in a stream"));
                let page_ref = self.segment.stream_pages(self.kind).get(at).copied().ok_or_else(broken)?;
                let kind = match self.kind {
                    StreamKind::Docs => PageKind::Docs,
                    StreamKind::Positions => PageKind::Positions,
                };
                self.page = self.segment.read_page(kind, page_ref)?;
                self.page_at = Some(at);
            }
            let from = (offset % STREAM_PAGE as u64) as usize;
            let tail = self.page.get(from..).unwrap_or_default();
            let now = tail.get(..tail.len().min(usize::try_from(left).unwrap_or(usize::MAX))).unwrap_or_default();
            // A damaged page may be shorter than its place in the stream says; the loop would not end.
            if now.is_empty() {
                return Err(self.segment.damage(None, Malformed("page of a stream")));
            }
            sink(now)?;
            offset += now.len() as u64;
            left -= now.len() as u64;
        }
        Ok(())
    }
}

/// The keys of pages without lists, in order.
pub(crate) struct KeyReader<'s> {
    segment: &'s Segment,
    kind: PageKind,
    pages: std::vec::IntoIter<PageRef>,
    keys: std::vec::IntoIter<Vec<u8>>,
    pub(crate) current: Option<Vec<u8>>,
}

impl<'s> KeyReader<'s> {
    /// Stands at the first key of the first of `pages`.
    pub(crate) fn new(segment: &'s Segment, kind: PageKind, pages: Vec<PageRef>) -> Result<Self, IndexError> {
        let mut reader = Self { segment, kind, pages: pages.into_iter(), keys: Vec::new().into_iter(), current: None };
        reader.advance()?;
        Ok(reader)
    }

    pub(crate) fn advance(&mut self) -> Result<(), IndexError> {
        loop {
            self.current = self.keys.next();
            if self.current.is_some() {
                return Ok(());
            }
            let Some(page_ref) = self.pages.next() else { return Ok(()) };
            let page = self.segment.read_page(self.kind, page_ref)?;
            // Keys are copied out of the page: the cursor holds only the current one.
            let mut keys = Vec::new();
            let mut read = || -> Result<(), Malformed> {
                let mut cursor = key_cursor(&page)?;
                while cursor.advance()? {
                    keys.push(cursor.key().to_vec());
                }
                Ok(())
            };
            read().map_err(|broken| self.segment.damage(Some(page_ref), broken))?;
            self.keys = keys.into_iter();
        }
    }
}

fn merge_backward(inputs: &[&Segment], dropped: &Dropped, writer: &mut SegmentWriter) -> Result<(), IndexError> {
    let is_dropped = |key: &[u8]| {
        // The usual case: turning each key around would be for nothing.
        if dropped.forms.is_empty() {
            return false;
        }
        // The lead is not reversed: it is in front in both dictionaries.
        let lead = key.first().copied().filter(|lead| matches!(*lead, CONTINUES | ADDRESS)).unwrap_or(0);
        let mut forward = Vec::with_capacity(key.len());
        backward(key.get(usize::from(lead != 0)..).unwrap_or_default(), lead, &mut forward);
        dropped.forms.contains(&forward)
    };
    let mut readers = Vec::with_capacity(inputs.len());
    for segment in inputs {
        let pages = (0..segment.backward.len()).filter_map(|at| segment.backward.get(at)).collect();
        readers.push(KeyReader::new(segment, PageKind::Backward, pages)?);
    }
    while let Some(least) = readers.iter().filter_map(|reader| reader.current.as_ref()).min().cloned() {
        if !is_dropped(&least) {
            writer.backward(&least)?;
        }
        // Each key is written once, however many inputs have it: all of them move on.
        for reader in &mut readers {
            if reader.current.as_ref() == Some(&least) {
                reader.advance()?;
            }
        }
    }
    Ok(())
}

/// The documents of a segment, newest first.
pub(crate) struct OrderReader<'s> {
    segment: &'s Segment,
    next_page: usize,
    rows: Arc<Vec<Dated>>,
    at: usize,
}

impl<'s> OrderReader<'s> {
    pub(crate) fn new(segment: &'s Segment) -> Self {
        Self { segment, next_page: 0, rows: Arc::default(), at: 0 }
    }

    /// Starts at the first document whose date is not after `date`.
    pub(crate) fn from(segment: &'s Segment, date: i64) -> Result<Self, IndexError> {
        let mut reader = Self::new(segment);
        let (mut low, mut high) = (0, segment.order_pages());
        // Finds the last page that begins with a later date: in all pages before it every date is later.
        while low < high {
            let middle = low.midpoint(high);
            let rows = segment.order_page(middle)?.unwrap_or_default();
            if rows.first().is_some_and(|first| first.date.0 > date) { low = middle + 1 } else { high = middle }
        }
        // Documents at or before `date` may begin in the middle of that page. If the very first page begins with one, no
        // page is before it.
        reader.next_page = low.saturating_sub(1);
        if let Some(rows) = segment.order_page(reader.next_page)? {
            reader.next_page += 1;
            reader.at = rows.partition_point(|dated| dated.date.0 > date);
            reader.rows = rows;
        }
        Ok(reader)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Dated>, IndexError> {
        loop {
            if let Some(dated) = self.rows.get(self.at) {
                self.at += 1;
                return Ok(Some(*dated));
            }
            let Some(rows) = self.segment.order_page(self.next_page)? else { return Ok(None) };
            self.next_page += 1;
            (self.rows, self.at) = (rows, 0);
        }
    }
}

fn merge_order(inputs: &[&Segment], dead: &RoaringBitmap, writer: &mut SegmentWriter) -> Result<(), IndexError> {
    let mut readers = Vec::with_capacity(inputs.len());
    for segment in inputs {
        let mut reader = OrderReader::new(segment);
        let first = reader.next()?;
        readers.push((reader, first));
    }
    while let Some((reader, current)) = readers.iter_mut().filter(|(_, current)| current.is_some()).min_by_key(|(_, current)| *current) {
        // A dead document is left out only here, since its reader must move on as well.
        if let Some(dated) = current.take().filter(|dated| !dead.contains(dated.doc.0)) {
            writer.dated(dated)?;
        }
        *current = reader.next()?;
    }
    Ok(())
}
