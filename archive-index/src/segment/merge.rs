//! Merging segments that follow each other into one, page by page: memory is some pages for each input, and one list of documents.

use super::build::{STREAM_PAGE, SegmentWriter};
use super::page::PageKind;
use super::read::{Segment, StreamKind};
use crate::columns::Dated;
use crate::error::IndexError;
use crate::pages::{FileId, PageStore};
use crate::postings::{DocList, ListJoiner, Shape};
use crate::terms::{Place, TermCursor, key_cursor};
use crate::wire::Malformed;
use std::ops::Range;

/// Writes one segment out of `inputs`, which are in the order of their documents.
pub(crate) fn merge(store: &dyn PageStore, inputs: &[&Segment]) -> Result<FileId, IndexError> {
    let lo = inputs.first().map_or(0, |segment| segment.lo());
    let hi = inputs.last().map_or(0, |segment| segment.hi());
    let mut writer = SegmentWriter::create(store, lo, hi)?;
    merge_terms(inputs, lo, &mut writer)?;
    merge_backward(inputs, &mut writer)?;
    for segment in inputs {
        for at in 0..segment.chunks_count() {
            for (doc, columns) in segment.chunk(at)?.rows {
                writer.columns(doc, columns)?;
            }
        }
    }
    merge_order(inputs, &mut writer)?;
    writer.finish()
}

fn merge_terms(inputs: &[&Segment], lo: u32, writer: &mut SegmentWriter) -> Result<(), IndexError> {
    let mut terms = Vec::with_capacity(inputs.len());
    for segment in inputs {
        terms.push(TermReader::new(segment)?);
    }
    let mut joiner = ListJoiner::default();
    let mut key = Vec::new();
    let (mut docs, mut bytes) = (Vec::new(), Vec::new());
    while let Some(least) = terms.iter().filter_map(TermReader::key).min() {
        key.clear();
        key.extend_from_slice(least);
        joiner.clear(lo);
        let here: Vec<usize> = (0..terms.len()).filter(|&at| terms.get(at).and_then(TermReader::key) == Some(key.as_slice())).collect();
        for &at in &here {
            let Some(term) = terms.get_mut(at) else { continue };
            let shape = term.docs_bytes(&mut bytes)?;
            let list = DocList { lo: term.segment.lo(), shape, bytes: &bytes };
            joiner.add(&list).map_err(|broken| term.segment.damage(None, broken))?;
        }
        let shape = joiner.finish(&mut docs);
        writer.term(&key, &shape, &docs)?;
        for &at in &here {
            if let Some(term) = terms.get_mut(at) {
                term.copy_positions(writer)?;
                term.advance()?;
            }
        }
    }
    Ok(())
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

/// The terms of a segment in order, a page at a time.
struct TermReader<'s> {
    segment: &'s Segment,
    next_page: usize,
    rows: Vec<Row>,
    at: usize,
    keys: Vec<u8>,
    inline: Vec<u8>,
    docs: StreamReader<'s>,
    positions: StreamReader<'s>,
}

impl<'s> TermReader<'s> {
    fn new(segment: &'s Segment) -> Result<Self, IndexError> {
        let mut reader = Self {
            segment,
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

    /// The documents part of the current term.
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

    fn copy_positions(&mut self, writer: &mut SegmentWriter) -> Result<(), IndexError> {
        let Some(row) = self.rows.get(self.at) else { return Ok(()) };
        match &row.positions {
            Held::Inline(range) => writer.positions(self.inline.get(range.clone()).unwrap_or_default()),
            Held::Stream(offset) => self.positions.each(*offset, row.shape.positions, &mut |bytes| writer.positions(bytes)),
        }
    }
}

/// A stream that is read from front to back, past the cache.
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

/// The backward keys of a segment in order.
struct BackwardReader<'s> {
    segment: &'s Segment,
    next_page: usize,
    keys: std::vec::IntoIter<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl BackwardReader<'_> {
    fn advance(&mut self) -> Result<(), IndexError> {
        loop {
            self.current = self.keys.next();
            if self.current.is_some() {
                return Ok(());
            }
            let Some(page_ref) = self.segment.backward.get(self.next_page) else { return Ok(()) };
            self.next_page += 1;
            let page = self.segment.read_page(PageKind::Backward, page_ref)?;
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

fn merge_backward(inputs: &[&Segment], writer: &mut SegmentWriter) -> Result<(), IndexError> {
    let mut readers = Vec::with_capacity(inputs.len());
    for segment in inputs {
        let mut reader = BackwardReader { segment, next_page: 0, keys: Vec::new().into_iter(), current: None };
        reader.advance()?;
        readers.push(reader);
    }
    while let Some(least) = readers.iter().filter_map(|reader| reader.current.as_ref()).min().cloned() {
        writer.backward(&least)?;
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
    rows: std::vec::IntoIter<Dated>,
}

impl<'s> OrderReader<'s> {
    pub(crate) fn new(segment: &'s Segment) -> Self {
        Self { segment, next_page: 0, rows: Vec::new().into_iter() }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Dated>, IndexError> {
        loop {
            if let Some(dated) = self.rows.next() {
                return Ok(Some(dated));
            }
            let Some(rows) = self.segment.order_page(self.next_page)? else { return Ok(None) };
            self.next_page += 1;
            self.rows = rows.into_iter();
        }
    }
}

fn merge_order(inputs: &[&Segment], writer: &mut SegmentWriter) -> Result<(), IndexError> {
    let mut readers = Vec::with_capacity(inputs.len());
    for segment in inputs {
        let mut reader = OrderReader::new(segment);
        let first = reader.next()?;
        readers.push((reader, first));
    }
    while let Some((reader, current)) = readers.iter_mut().filter(|(_, current)| current.is_some()).min_by_key(|(_, current)| *current) {
        if let Some(dated) = current.take() {
            writer.dated(dated)?;
        }
        *current = reader.next()?;
    }
    Ok(())
}
