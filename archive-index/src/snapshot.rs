//! What one reader sees: the segments and the documents in memory at one moment.

use crate::columns::{CHUNK, Columns, Dated};
use crate::error::{DocNo, IndexError, SegmentDamage};
use crate::index::View;
use crate::query::run::{all, run, special};
use crate::query::tree::{Node, Query};
use crate::segment::Source;
use crate::segment::memory::Memory;
use crate::segment::merge::OrderReader;
use crate::segment::read::{Chunk, Segment};
use crate::text::field::Zones;
use crate::text::key::UNSEARCHABLE;
use roaring::RoaringBitmap;
use std::sync::{PoisonError, RwLockReadGuard};

/// A moment of the index. It stays as it is whatever is added, flushed or merged; holding it holds the files it sees.
#[derive(Clone)]
pub struct Snapshot {
    view: View,
    /// Documents in memory at that moment lie below.
    end: u32,
}

impl Snapshot {
    pub(crate) fn new(view: View) -> Self {
        let end = view.memory.read().unwrap_or_else(PoisonError::into_inner).range().1;
        Self { view, end }
    }

    fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.view.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The documents that meet the query. It equals a scan of all documents of the snapshot, less those of [`lost`](Self::lost).
    pub fn search(&self, query: &Query) -> Result<RoaringBitmap, IndexError> {
        let mut found = RoaringBitmap::new();
        if query.root == Node::Nothing {
            return Ok(found);
        }
        for open in &self.view.segments {
            run(open.segment.as_ref(), &query.root, None)?.add_to(open.segment.hi(), &mut found);
        }
        run(&*self.memory(), &query.root, None)?.add_to(self.end, &mut found);
        Ok(found)
    }

    /// How many documents can be searched.
    pub fn documents(&self) -> u64 {
        let in_memory = self.memory().rows().partition_point(|(doc, _)| *doc < self.end);
        self.view.segments.iter().map(|open| open.segment.docs_count()).sum::<u64>() + in_memory as u64
    }

    /// All documents that can be searched.
    pub fn all(&self) -> Result<RoaringBitmap, IndexError> {
        let mut docs = RoaringBitmap::new();
        for open in &self.view.segments {
            all(open.segment.as_ref())?.add_to(open.segment.hi(), &mut docs);
        }
        all(&*self.memory())?.add_to(self.end, &mut docs);
        Ok(docs)
    }

    /// The documents whose text was not taken in completely: a search may miss them.
    pub fn undecided(&self) -> Result<RoaringBitmap, IndexError> {
        let mut docs = RoaringBitmap::new();
        for open in &self.view.segments {
            special(open.segment.as_ref(), UNSEARCHABLE, Zones::ALL)?.add_to(open.segment.hi(), &mut docs);
        }
        special(&*self.memory(), UNSEARCHABLE, Zones::ALL)?.add_to(self.end, &mut docs);
        Ok(docs)
    }

    /// Segments that could not be opened, with the documents that cannot be searched for it.
    pub fn lost(&self) -> &[SegmentDamage] {
        &self.view.lost
    }

    /// The columns of a document; none where there is no such document.
    pub fn columns(&self, doc: DocNo) -> Result<Option<Columns>, IndexError> {
        if doc.0 >= self.end {
            return Ok(None);
        }
        let at = self.view.segments.partition_point(|open| open.segment.hi() <= doc.0);
        match self.view.segments.get(at) {
            Some(open) if open.segment.lo() <= doc.0 => open.segment.columns_of(doc.0),
            _ => Ok(self.memory().columns_of(doc)),
        }
    }

    /// Those of `docs` that are in the snapshot, newest first; of one date the highest number first. Lazily: the first ones cost
    /// little however many there are.
    pub fn newest_first<'s>(&'s self, docs: &'s RoaringBitmap) -> Result<NewestFirst<'s>, IndexError> {
        let mut runs = Vec::with_capacity(self.view.segments.len() + 1);
        for open in &self.view.segments {
            runs.push(Run { source: RunSource::of(&open.segment, docs)?, head: None });
        }
        let mut dated: Vec<Dated> = {
            let memory = self.memory();
            let rows = memory.rows().iter().filter(|(doc, _)| *doc < self.end && docs.contains(*doc));
            rows.map(|(doc, row)| Dated::new(row.date, *doc)).collect()
        };
        dated.sort_unstable();
        runs.push(Run { source: RunSource::Sorted(dated.into_iter()), head: None });
        for run in &mut runs {
            run.advance(docs)?;
        }
        Ok(NewestFirst { docs, runs })
    }
}

/// Documents newest first; see [`Snapshot::newest_first`]. After an error it ends.
pub struct NewestFirst<'s> {
    docs: &'s RoaringBitmap,
    runs: Vec<Run<'s>>,
}

/// The documents of one segment in order.
struct Run<'s> {
    source: RunSource<'s>,
    head: Option<Dated>,
}

enum RunSource<'s> {
    /// Few: their dates were looked up.
    Sorted(std::vec::IntoIter<Dated>),
    /// Many: the order of the segment, from which the others are left out.
    Order(OrderReader<'s>),
}

impl<'s> RunSource<'s> {
    fn of(segment: &'s Segment, docs: &RoaringBitmap) -> Result<Self, IndexError> {
        let count = docs.range_cardinality(segment.lo()..segment.hi());
        // Walking the order to 50 hits reads about 50 / count of it; looking dates up reads a page of columns for each hit, at the cost of
        // about 1,500 steps of the walk (measured).
        let chunks = segment.chunks_count() as u64;
        let walk = (chunks * CHUNK as u64).min(chunks * CHUNK as u64 * 50 / count.max(1));
        if count.min(chunks) * 1500 > walk {
            return Ok(RunSource::Order(OrderReader::new(segment)));
        }
        let mut dated = Vec::new();
        let mut wanted = docs.range(segment.lo()..segment.hi()).peekable();
        while let Some(&doc) = wanted.peek() {
            let Chunk { rows, next } = segment.chunk(segment.chunk_of(doc))?;
            let mut rows = rows.into_iter().peekable();
            while let Some(&doc) = wanted.peek().filter(|&&doc| next.is_none_or(|next| doc < next)) {
                wanted.next();
                while rows.next_if(|(row, _)| *row < doc).is_some() {}
                if let Some((_, row)) = rows.next_if(|(row, _)| *row == doc) {
                    dated.push(Dated::new(row.date, doc));
                }
            }
        }
        dated.sort_unstable();
        Ok(RunSource::Sorted(dated.into_iter()))
    }
}

impl Run<'_> {
    fn advance(&mut self, docs: &RoaringBitmap) -> Result<(), IndexError> {
        self.head = match &mut self.source {
            RunSource::Sorted(dated) => dated.next(),
            RunSource::Order(order) => loop {
                match order.next()? {
                    Some(dated) if !docs.contains(dated.doc.0) => {}
                    next => break next,
                }
            },
        };
        Ok(())
    }
}

impl Iterator for NewestFirst<'_> {
    type Item = Result<DocNo, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        let newest = self.runs.iter_mut().filter(|run| run.head.is_some()).min_by_key(|run| run.head)?;
        let doc = newest.head?.doc.0;
        if let Err(error) = newest.advance(self.docs) {
            self.runs.clear();
            return Some(Err(error));
        }
        Some(Ok(DocNo(doc)))
    }
}
