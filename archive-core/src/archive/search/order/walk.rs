//! Walking the hits in an order, up to so many places after one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use archive_index::{Columns, DocNo, Position, RoaringBitmap, SortKey, SortPlace};

use super::super::found::{Searcher, only_messages};
use super::{Key, Place};
use crate::error::Error;
use crate::id::ContentNo;
use crate::store::{Placed, failed};

/// A message whose key is asked for.
#[derive(Clone, Copy)]
pub(super) enum Hit<'p> {
    /// The message of a content that has one.
    Only(ContentNo),
    /// A message of a content that has several.
    Of(&'p Placed),
}

/// How keys that are compared as numbers stand in a place.
pub(super) enum Number<'t> {
    /// They do not: the date decides.
    None,
    /// As they are.
    Plain,
    /// As texts: number 1 is the first, 3 the second, and so on.
    Texts(&'t [String]),
}

impl Number<'_> {
    pub(super) fn key(&self, number: i64) -> Key {
        match self {
            Self::None => Key::None,
            Self::Plain => Key::Number(number),
            Self::Texts(texts) => Key::Text(usize::try_from(number / 2).ok().and_then(|at| texts.get(at)).cloned().unwrap_or_default()),
        }
    }

    /// The number of a key; of a text that no folder has any more, a number between those of its neighbours.
    pub(super) fn of(&self, key: &Key) -> i64 {
        match (self, key) {
            (_, Key::Number(number)) => *number,
            (Self::Texts(texts), Key::Text(text)) => match texts.binary_search(text) {
                Ok(at) => 2 * at as i64 + 1,
                Err(at) => 2 * at as i64,
            },
            _ => 0,
        }
    }
}

/// Key, date, and content or message; the least comes first.
pub(super) type Slot = (i64, i64, i64);

/// Reading up to so many places after one.
pub(super) struct Walk<'a> {
    pub(super) searcher: &'a Searcher<'a>,
    pub(super) reverse: bool,
    pub(super) after: Option<&'a Place>,
    /// Of the contents with one message and the key and date of `after`, those below this come after it; in a reversed
    /// order, those from it on.
    pub(super) content: u64,
    pub(super) most: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(searcher: &'a Searcher<'a>, reverse: bool, after: Option<&'a Place>, most: usize) -> Result<Self, Error> {
        let content = match after {
            None => 0,
            Some(after) => searcher.content_from(after.message().0.saturating_add(u32::from(reverse)))?.into(),
        };
        Ok(Self { searcher, reverse, after, content, most })
    }

    pub(super) fn order(&self, a: &Place, b: &Place) -> Ordering {
        if self.reverse { b.cmp(a) } else { a.cmp(b) }
    }

    pub(super) fn slot(&self, key: i64, date: i64, no: i64) -> Slot {
        if self.reverse { (!key, date, no) } else { (key, !date, !no) }
    }

    pub(super) fn unslot(&self, (key, date, no): Slot) -> Slot {
        if self.reverse { (!key, date, no) } else { (key, !date, !no) }
    }

    /// The first of the contents with one message, by a number.
    pub(super) fn singles_by(
        &self,
        numbers: &Number<'_>,
        docs: &RoaringBitmap,
        number: &mut dyn FnMut(Hit<'_>, &Columns) -> i64,
        places: &mut Vec<Place>,
    ) -> Result<(), Error> {
        let after = self.after.map(|after| {
            let end = self.content as i64 - i64::from(self.reverse);
            self.slot(numbers.of(&after.key), after.date(), end)
        });
        let first = first(self.most, after, |take| {
            let visit = &mut |doc: DocNo, columns: &Columns| {
                take(self.slot(number(Hit::Only(ContentNo(doc.0)), columns), columns.date, doc.0.into()));
            };
            self.searcher.snapshot.each_columns(docs, visit).map_err(failed)
        })?;
        let first: Vec<Slot> = first.into_iter().map(|slot| self.unslot(slot)).collect();
        let contents: Vec<ContentNo> = first.iter().map(|(.., content)| ContentNo(*content as u32)).collect();
        for ((number, date, _), message) in first.into_iter().zip(only_messages(self.searcher.catalog(), &contents)?) {
            places.push(Place::new(numbers.key(number), date, message));
        }
        Ok(())
    }

    /// The first of the contents with one message, by a text.
    pub(super) fn singles_by_text(&self, key: SortKey, docs: &RoaringBitmap, places: &mut Vec<Place>) -> Result<(), Error> {
        let after = self.after.map(|after| Position { text: after.text(), date: after.date(), doc: self.content });
        let first = self.first_by(key, docs, after, self.most)?;
        let contents: Vec<ContentNo> = first.iter().map(|place| ContentNo(place.doc.0)).collect();
        for (SortPlace { text, date, .. }, message) in first.into_iter().zip(only_messages(self.searcher.catalog(), &contents)?) {
            places.push(Place::new(Key::Text(text), date, message));
        }
        Ok(())
    }

    /// The first messages of contents with several, by a text. Contents with equal texts and dates are taken together,
    /// since only their messages say which comes first.
    pub(super) fn several_by_text(&self, key: SortKey, placed: &[Placed], places: &mut Vec<Place>) -> Result<(), Error> {
        let docs: RoaringBitmap = placed.iter().map(|placed| placed.content.0).collect();
        let all = if self.reverse { 0 } else { u64::MAX };
        let after = self.after.map(|after| Position { text: after.text(), date: after.date(), doc: all });
        // One more shows in most cases that no other has the text and date of the last.
        let batch = self.most.saturating_add(1);
        let (mut contents, before) = (self.first_by(key, &docs, after, batch)?, places.len());
        let mut last: Option<SortPlace> = None;
        loop {
            let is_last = contents.len() < batch;
            for content in contents {
                let is_new = last.as_ref().is_none_or(|last| (&last.text, last.date) != (&content.text, content.date));
                if is_new && places.len() - before >= self.most {
                    return Ok(());
                }
                let from = placed.partition_point(|placed| placed.content.0 < content.doc.0);
                for of_doc in placed.iter().skip(from).take_while(|placed| placed.content.0 == content.doc.0) {
                    let place = Place::new(Key::Text(content.text.clone()), content.date, of_doc.message);
                    places.extend(Some(place).filter(|place| self.after.is_none_or(|after| self.order(place, after) == Ordering::Greater)));
                }
                last = Some(content);
            }
            let Some(last) = last.as_ref().filter(|_| !is_last) else { return Ok(()) };
            contents = self.first_by(key, &docs, Some(Position::after(last, self.reverse)), batch)?;
        }
    }

    fn first_by(&self, key: SortKey, docs: &RoaringBitmap, after: Option<Position<'_>>, most: usize) -> Result<Vec<SortPlace>, Error> {
        self.searcher.snapshot.first_by(key, docs, self.reverse, after, most).map_err(failed)
    }
}

/// The first `most` values after `after` that `each` yields, in order.
pub(super) fn first<T: Ord>(
    most: usize,
    after: Option<T>,
    each: impl FnOnce(&mut dyn FnMut(T)) -> Result<(), Error>,
) -> Result<Vec<T>, Error> {
    let mut heap = BinaryHeap::new();
    each(&mut |place| {
        if after.as_ref().is_some_and(|after| place <= *after) {
            return;
        }
        if heap.len() < most {
            heap.push(place);
        } else if let Some(mut last) = heap.peek_mut()
            && place < *last
        {
            *last = place;
        }
    })?;
    Ok(heap.into_sorted_vec())
}
