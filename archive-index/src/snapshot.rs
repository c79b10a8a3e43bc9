//! What one reader sees: the segments and the documents in memory at one moment.

use crate::columns::{CHUNK, Columns, Dated};
use crate::error::{DocNo, IndexError, SegmentDamage, UnreadSegment};
use crate::index::View;
use crate::postings::bits::Bits;
use crate::query::leaf::Leaf;
use crate::query::run::{How, Reading, all, run, special};
use crate::query::tree::{Bound, Node};
use crate::query::words::{Word, WordsOf, collect, wanted};
use crate::recent::Read;
use crate::segment::Source;
use crate::segment::merge::OrderReader;
use crate::segment::read::Segment;
use crate::text::field::Zones;
use crate::text::key::UNSEARCHABLE;
use roaring::RoaringBitmap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Fewer documents are searched faster than threads are started.
const SHARED_OUT: u64 = 200_000;

/// The index at one moment. It does not change, whatever is added, flushed or merged; while it exists, the files that
/// it sees are kept. Documents that were marked dead are not in it.
#[derive(Clone)]
pub struct Snapshot {
    view: View,
    /// Documents in memory at that moment are below it.
    end: u32,
    stop: Arc<AtomicBool>,
}

impl Snapshot {
    pub(crate) fn new(view: View) -> Self {
        let end = view.memory.end();
        Self { view, end, stop: Arc::default() }
    }

    /// The same snapshot; its searches end with [`IndexError::Stopped`] soon after `stop` is set.
    #[must_use]
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// The segments in memory, in the order of their documents. Each is locked only while it is read.
    pub(crate) fn memories(&self) -> impl Iterator<Item = Read<'_>> {
        self.view.frozen.iter().chain([&self.view.memory]).map(|recent| recent.read())
    }

    /// The segments on pages, in the order of their documents.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.view.segments.iter().map(|open| open.segment.as_ref())
    }

    /// [`IndexError::Stopped`] if its searches should end: see [`until`](Self::until).
    pub fn check_stop(&self) -> Result<(), IndexError> {
        How { reading: Reading::Plain, stop: &self.stop }.go_on()
    }

    /// The first document number that is not in the snapshot.
    pub fn end(&self) -> DocNo {
        DocNo(self.end)
    }

    /// The documents that meet the query. The result equals a scan of all documents of the snapshot, except those of
    /// [`lost`](Self::lost) and [`unread`](Self::unread).
    pub fn search(&self, query: &Bound) -> Result<RoaringBitmap, IndexError> {
        self.gather(&Search { root: &query.root, stop: &self.stop })
    }

    /// The documents with missing text that would decide whether they meet the query.
    pub fn undecided(&self, query: &Bound) -> Result<RoaringBitmap, IndexError> {
        self.gather(&Undecided { root: &query.root, stop: &self.stop })
    }

    /// All documents that can be searched.
    pub fn all(&self) -> Result<RoaringBitmap, IndexError> {
        self.gather(&All)
    }

    /// The documents whose text was not completely indexed: a search may miss them.
    pub fn incomplete(&self) -> Result<RoaringBitmap, IndexError> {
        self.gather(&Incomplete)
    }

    /// Words of the dictionary that the words of a query match or are near to, with the documents of `seen` that have
    /// them; at most [`MOST_WORDS`](crate::MOST_WORDS). Without `seen`, all documents count.
    pub fn words(&self, query: &Bound, which: WordsOf, seen: Option<&RoaringBitmap>) -> Result<Vec<Word>, IndexError> {
        let wanted = wanted(query, which);
        let live = |mut docs: RoaringBitmap| {
            docs -= &*self.view.dead;
            seen.into_iter().for_each(|seen| docs &= seen);
            docs
        };
        let mut words = BTreeMap::new();
        for open in &self.view.segments {
            collect(open.segment.as_ref(), &wanted, &live, open.segment.hi(), &mut words)?;
        }
        for memory in self.memories() {
            collect(&*memory, &wanted, &live, self.end, &mut words)?;
        }
        Ok(words.into_iter().map(|(text, docs)| Word { text, docs }).collect())
    }

    fn gather(&self, question: &(impl Question + Sync)) -> Result<RoaringBitmap, IndexError> {
        let mut found = RoaringBitmap::new();
        let segments = &self.view.segments;
        for (open, answer) in segments.iter().zip(self.answers(question)?) {
            answer.add_to(open.segment.hi(), &mut found);
        }
        for memory in self.memories() {
            question.answer(&*memory)?.add_to(self.end, &mut found);
        }
        found -= &*self.view.dead;
        Ok(found)
    }

    /// The answer of each segment. If there are many documents, the segments are shared out among threads.
    fn answers(&self, question: &(impl Question + Sync)) -> Result<Vec<Bits>, IndexError> {
        let segments = &self.view.segments;
        let docs: u64 = segments.iter().map(|open| u64::from(open.segment.hi() - open.segment.lo())).sum();
        let threads = match docs {
            0..SHARED_OUT => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from).min(segments.len()),
        };
        if threads <= 1 {
            return segments.iter().map(|open| question.answer(open.segment.as_ref())).collect();
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut answers = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(open) = segments.get(at) else { return Ok(answers) };
                answers.push((at, question.answer(open.segment.as_ref())?));
            }
        };
        let mut answers: Vec<(usize, Bits)> = std::thread::scope(|scope| {
            // If the system refuses a thread, the others do its work.
            let others: Vec<_> = (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
            let mut all: Result<Vec<_>, IndexError> = work();
            for other in others {
                let more = other.join().unwrap_or(Err(IndexError::Bug("a search of a segment panicked")));
                all = all.and_then(|mut all| more.map(|more| all.extend(more)).map(|()| all));
            }
            all
        })?;
        answers.sort_unstable_by_key(|(at, _)| *at);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Segments that the system did not allow to be read when the index was opened.
    pub fn unread(&self) -> &[UnreadSegment] {
        &self.view.unread
    }

    /// Segments that are damaged or missing, with the documents that cannot be searched because of that.
    pub fn lost(&self) -> &[SegmentDamage] {
        &self.view.lost
    }

    /// The columns of a document; `None` if there is no such document.
    pub fn columns(&self, doc: DocNo) -> Result<Option<Columns>, IndexError> {
        if doc.0 >= self.end || self.view.dead.contains(doc.0) {
            return Ok(None);
        }
        let at = self.view.segments.partition_point(|open| open.segment.hi() <= doc.0);
        match self.view.segments.get(at) {
            Some(open) if open.segment.lo() <= doc.0 => open.segment.columns_of(doc.0),
            _ => Ok(self.memories().find_map(|memory| memory.columns_of(doc))),
        }
    }

    /// Those of `docs` that are in the snapshot, newest first; among equal dates, the highest number comes first. With
    /// `from`, only those of that date and before. The iterator is lazy: the first ones cost little, however many there
    /// are and wherever they begin.
    pub fn newest_first<'s>(&'s self, docs: &'s RoaringBitmap, from: Option<i64>) -> Result<NewestFirst<'s>, IndexError> {
        let from = from.unwrap_or(i64::MAX);
        let mut runs = Vec::with_capacity(self.view.segments.len() + 1);
        for open in &self.view.segments {
            runs.push(Run { source: RunSource::of(&open.segment, docs, from)?, head: None });
        }
        let mut dated: Vec<Dated> = Vec::new();
        for memory in self.memories() {
            let rows = memory.rows().iter().filter(|(doc, row)| *doc < self.end && row.date <= from && docs.contains(*doc));
            dated.extend(rows.map(|(doc, row)| Dated::new(row.date, *doc)));
        }
        dated.sort_unstable();
        runs.push(Run { source: RunSource::Sorted(dated.into_iter()), head: None });
        for run in &mut runs {
            run.advance(docs)?;
        }
        Ok(NewestFirst { docs, runs })
    }
}

/// A question that each segment answers.
trait Question {
    fn answer<S: Source>(&self, source: &S) -> Result<Bits, IndexError>;
}

struct Search<'q> {
    root: &'q Node<Leaf>,
    stop: &'q AtomicBool,
}

impl Question for Search<'_> {
    fn answer<S: Source>(&self, source: &S) -> Result<Bits, IndexError> {
        run(source, self.root, None, How { reading: Reading::Plain, stop: self.stop })
    }
}

struct Undecided<'q> {
    root: &'q Node<Leaf>,
    stop: &'q AtomicBool,
}

impl Question for Undecided<'_> {
    fn answer<S: Source>(&self, source: &S) -> Result<Bits, IndexError> {
        let mut open = special(source, UNSEARCHABLE, Zones::ALL)?;
        if !open.is_empty() {
            let read = |reading| run(source, self.root, Some(&open), How { reading, stop: self.stop });
            let (sure, possible) = (read(Reading::Sure)?, read(Reading::Possible)?);
            open.and(&possible);
            open.and_not(&sure);
        }
        Ok(open)
    }
}

struct All;

impl Question for All {
    fn answer<S: Source>(&self, source: &S) -> Result<Bits, IndexError> {
        all(source)
    }
}

struct Incomplete;

impl Question for Incomplete {
    fn answer<S: Source>(&self, source: &S) -> Result<Bits, IndexError> {
        special(source, UNSEARCHABLE, Zones::ALL)
    }
}

/// Documents newest first; see [`Snapshot::newest_first`]. It ends after an error.
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
    /// Few documents: their dates were looked up.
    Sorted(std::vec::IntoIter<Dated>),
    /// Many documents: the order of the segment, without all other documents.
    Order(OrderReader<'s>),
}

impl<'s> RunSource<'s> {
    fn of(segment: &'s Segment, docs: &RoaringBitmap, from: i64) -> Result<Self, IndexError> {
        let count = docs.range_cardinality(segment.lo()..segment.hi());
        // Walking the order to 50 hits reads about 50 / count of it; looking dates up reads a page of columns for each
        // hit, at the cost of about 1,500 steps of the walk (measured).
        let chunks = segment.chunks_count() as u64;
        let walk = (chunks * CHUNK as u64).min(chunks * CHUNK as u64 * 50 / count.max(1));
        if count.min(chunks) * 1500 > walk {
            return Ok(RunSource::Order(OrderReader::from(segment, from)?));
        }
        let mut dated = Vec::new();
        segment.each_row(docs, &mut |_, doc, row| {
            dated.extend(Some(Dated::new(row.date, doc)).filter(|_| row.date <= from));
            Ok(())
        })?;
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
    /// Date and number.
    type Item = Result<(i64, DocNo), IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        let newest = self.runs.iter_mut().filter(|run| run.head.is_some()).min_by_key(|run| run.head)?;
        let Dated { date, doc } = newest.head?;
        if let Err(error) = newest.advance(self.docs) {
            self.runs.clear();
            return Some(Err(error));
        }
        Some(Ok((date.0, DocNo(doc.0))))
    }
}
