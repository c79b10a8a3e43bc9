//! The first documents in the order of a sort key, and how many have each key.

use super::SortKey;
use super::read::Seek;
use crate::columns::Columns;
use crate::error::{DocNo, IndexError};
use crate::segment::read::Segment;
use crate::snapshot::Snapshot;
use roaring::RoaringBitmap;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

/// A document in the order of a sort key. The least value is the first: texts rise; among equal ones, the newest comes
/// first, and among equal dates the highest number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortPlace {
    /// The sort key.
    pub text: String,
    /// The date, as in [`Columns::date`].
    pub date: i64,
    /// The document.
    pub doc: DocNo,
}

impl Ord for SortPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |place: &Self| (Reverse(place.date), Reverse(place.doc));
        self.text.cmp(&other.text).then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for SortPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How far an order was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'p> {
    /// A sort key.
    pub text: &'p str,
    /// A date.
    pub date: i64,
    /// Of the documents with this key and date, those below this number come after the position; in a reversed order,
    /// those from this number on.
    pub doc: u64,
}

impl Position<'_> {
    /// The position just after a place.
    #[must_use]
    pub fn after(place: &SortPlace, reverse: bool) -> Position<'_> {
        Position { text: &place.text, date: place.date, doc: u64::from(place.doc.0) + u64::from(reverse) }
    }

    /// Whether a document comes after it. `text` is how the key of the document compares with that of the position.
    fn is_passed(&self, text: Ordering, date: i64, doc: u32, reverse: bool) -> bool {
        let (doc, end) = (u64::from(doc), if reverse { Ordering::Less } else { Ordering::Greater });
        match text.then(self.date.cmp(&date)) {
            Ordering::Equal => (doc >= self.doc) == reverse,
            order => order == end,
        }
    }
}

/// A position among the ranks of a segment.
struct Passed<'p> {
    position: Position<'p>,
    key: Seek,
    reverse: bool,
}

impl<'p> Passed<'p> {
    fn new(segment: &Segment, key: SortKey, position: Position<'p>, reverse: bool) -> Result<Self, IndexError> {
        Ok(Self { position, key: segment.seek(key, position.text.as_bytes())?, reverse })
    }

    /// Whether a document comes after the position.
    fn by(&self, rank: u32, date: i64, doc: u32) -> bool {
        let text = match self.key {
            Seek::At(at) => rank.cmp(&at),
            Seek::Before(at) if rank < at => Ordering::Less,
            Seek::Before(_) => Ordering::Greater,
        };
        self.position.is_passed(text, date, doc, self.reverse)
    }
}

/// A document of a segment in an order; the least value is the first.
type Slot = (u32, i64, u32);

fn slot(rank: u32, date: i64, doc: u32, reverse: bool) -> Slot {
    if reverse { (!rank, date, doc) } else { (rank, !date, !doc) }
}

impl Snapshot {
    /// Those of `docs` that come first in the order of a sort key, at most `most`, and only those after `after`. The
    /// cost grows with `docs`, and the memory with `most`.
    pub fn first_by(
        &self,
        key: SortKey,
        docs: &RoaringBitmap,
        reverse: bool,
        after: Option<Position<'_>>,
        most: usize,
    ) -> Result<Vec<SortPlace>, IndexError> {
        let mut places = Vec::new();
        if most == 0 {
            return Ok(places);
        }
        for segment in self.segments() {
            self.check_stop()?;
            first_in(segment, key, docs, reverse, after, most, &mut places)?;
        }
        for memory in self.memories() {
            for (row, (doc, columns)) in memory.rows().iter().enumerate().filter(|(_, (doc, _))| docs.contains(*doc)) {
                let text = memory.sort_key(row, key);
                let date = columns.date;
                if after.is_none_or(|after| after.is_passed(text.cmp(after.text.as_bytes()), date, *doc, reverse)) {
                    places.push(SortPlace { text: String::from_utf8_lossy(text).into_owned(), date, doc: DocNo(*doc) });
                }
            }
            keep(&mut places, reverse, most);
        }
        Ok(places)
    }

    /// How many of `docs` have each sort key.
    pub fn counts(&self, key: SortKey, docs: &RoaringBitmap) -> Result<BTreeMap<String, u64>, IndexError> {
        let mut counts = BTreeMap::new();
        let mut add = |text: &[u8], docs: u64| match std::str::from_utf8(text).ok().and_then(|text| counts.get_mut(text)) {
            Some(count) => *count += docs,
            None => drop(counts.insert(String::from_utf8_lossy(text).into_owned(), docs)),
        };
        for segment in self.segments() {
            self.check_stop()?;
            let mut of_rank = vec![0u64; segment.sort.get(key.at()).map_or(0, |column| column.count as usize)];
            segment.each_rank(key, docs, &mut |_, _, rank| of_rank.get_mut(rank as usize).into_iter().for_each(|count| *count += 1))?;
            let ranks = (0u32..).zip(&of_rank).filter(|(_, count)| **count > 0).map(|(rank, _)| rank);
            segment.keys_of(key, ranks, &mut |rank, text| add(text, of_rank.get(rank as usize).copied().unwrap_or(0)))?;
        }
        for memory in self.memories() {
            let rows = memory.rows().iter().enumerate().filter(|(_, (doc, _))| docs.contains(*doc));
            rows.for_each(|(row, _)| add(memory.sort_key(row, key), 1));
        }
        Ok(counts)
    }

    /// Visits the columns of `docs`, as far as they are in the snapshot; documents rise.
    pub fn each_columns(&self, docs: &RoaringBitmap, visit: &mut dyn FnMut(DocNo, &Columns)) -> Result<(), IndexError> {
        for segment in self.segments() {
            self.check_stop()?;
            segment.each_row(docs, &mut |_, doc, columns| {
                visit(DocNo(doc), columns);
                Ok(())
            })?;
        }
        for memory in self.memories() {
            let rows = memory.rows().iter().filter(|(doc, _)| docs.contains(*doc));
            rows.for_each(|(doc, columns)| visit(DocNo(*doc), columns));
        }
        Ok(())
    }
}

/// Adds the first documents of a segment to the first of those before, and keeps the first of all.
fn first_in(
    segment: &Segment,
    key: SortKey,
    docs: &RoaringBitmap,
    reverse: bool,
    after: Option<Position<'_>>,
    most: usize,
    places: &mut Vec<SortPlace>,
) -> Result<(), IndexError> {
    let after = after.map(|after| Passed::new(segment, key, after, reverse)).transpose()?;
    // What comes after the last of a full list is not read further.
    let full = places.last().filter(|_| places.len() >= most);
    let end = full.map(|last| Passed::new(segment, key, Position::after(last, reverse), reverse)).transpose()?;
    let mut slots: Vec<Slot> = Vec::new();
    let mut last: Option<Slot> = None;
    segment.each_rank(key, docs, &mut |doc, columns, rank| {
        let (here, date) = (slot(rank, columns.date, doc, reverse), columns.date);
        if last.is_some_and(|last| here > last)
            || after.as_ref().is_some_and(|after| !after.by(rank, date, doc))
            || end.as_ref().is_some_and(|end| end.by(rank, date, doc))
        {
            return;
        }
        slots.push(here);
        if slots.len() >= most.saturating_mul(2) {
            let (_, nth, _) = slots.select_nth_unstable(most - 1);
            last = Some(*nth);
            slots.truncate(most);
        }
    })?;
    if slots.len() > most {
        slots.select_nth_unstable(most - 1);
        slots.truncate(most);
    }
    let mut found: Vec<(u32, i64, u32)> =
        slots.into_iter().map(|(rank, date, doc)| if reverse { (!rank, date, doc) } else { (rank, !date, !doc) }).collect();
    found.sort_unstable();
    // A key is visited once for each document that has it.
    let ranks: Vec<u32> = found.iter().map(|(rank, ..)| *rank).collect();
    let mut found = found.into_iter();
    segment.keys_of(key, ranks.into_iter(), &mut |_, text| {
        let text = String::from_utf8_lossy(text).into_owned();
        places.extend(found.next().map(|(_, date, doc)| SortPlace { text, date, doc: DocNo(doc) }));
    })?;
    keep(places, reverse, most);
    Ok(())
}

/// Puts places in order and keeps the first ones.
fn keep(places: &mut Vec<SortPlace>, reverse: bool, most: usize) {
    places.sort_unstable_by(|a, b| if reverse { b.cmp(a) } else { a.cmp(b) });
    places.truncate(most);
}
