//! Orders, pages and cursors (S4.5).
//!
//! By date, the index walks from the newest on, and a page costs what it shows. In the other orders the keys of all hits
//! are compared as numbers, which the index has beside dates, and those of a page kept: every page costs the same, and
//! memory does not grow with the hits.
//!
//! Contents with one message and those with several are put in order apart, since the index knows contents: where key
//! and date are equal, messages with one content each rise with their contents, and the others are compared.

mod keys;
mod walk;

use archive_index::{Columns, DocNo, RoaringBitmap, SortKey};
use minicbor::{Decode, Encode};

use super::criteria::{Order, OrderKey};
use super::found::{Found, Searcher, only_message};
use crate::error::Error;
use crate::id::{ContentNo, MessageNo, StoreNo};
use crate::store::{Placed, failed};
use keys::{ByArchived, ByFolder, Keys};
use walk::{Hit, Number, Walk, first};

/// The place of a message in an order; the lowest comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(super) struct Place {
    #[n(0)]
    key: Key,
    /// For equal keys the newest first, for equal dates the highest number first: both are complemented bit by bit.
    #[n(1)]
    date: i64,
    #[n(2)]
    message: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
enum Key {
    #[n(0)]
    None,
    /// Largest first: complemented bit by bit.
    #[n(1)]
    Number(#[n(0)] i64),
    #[n(2)]
    Text(#[n(0)] String),
}

impl Place {
    fn new(key: Key, date: i64, message: MessageNo) -> Self {
        Self { key, date: !date, message: !message.0 }
    }

    pub(super) fn message(&self) -> MessageNo {
        MessageNo(!self.message)
    }

    fn date(&self) -> i64 {
        !self.date
    }

    /// What decides between places in different stores: of equal keys and dates, the highest store comes first.
    pub(super) fn rank(&self, store: StoreNo) -> impl Ord + use<'_> {
        (&self.key, self.date, !store.0, self.message)
    }

    /// The place after all with its key and date, in an order.
    pub(super) fn after_equals(&self, reverse: bool) -> Self {
        Self { message: if reverse { 0 } else { u32::MAX }, ..self.clone() }
    }

    /// A place before all with its key and date, and after those of other dates that come before it; `None` if there is
    /// none but the beginning.
    pub(super) fn before_equals(&self, reverse: bool) -> Option<Self> {
        match reverse {
            false => Some(Self { message: 0, ..self.clone() }),
            true => self.date().checked_sub(1).map(|date| Self { date: !date, message: 0, ..self.clone() }),
        }
    }

    fn text(&self) -> &str {
        if let Key::Text(text) = &self.key { text } else { "" }
    }
}

/// Places in an order that follow each other.
pub(super) struct Page {
    pub(super) places: Vec<Place>,
    /// Whether more come after them.
    pub(super) more: bool,
}

/// Messages that are read in an order.
pub(super) struct InOrder {
    found: Found,
    /// The contents of the messages in `found.placed`.
    shared: RoaringBitmap,
    order: Order,
    keys: Keys,
}

impl InOrder {
    pub(super) fn new(searcher: &Searcher<'_>, found: Found, order: Order) -> Result<Self, Error> {
        let shared: RoaringBitmap = found.placed.iter().map(|placed| placed.content.0).collect();
        let keys = match order.by {
            OrderKey::Date => Keys::Date,
            OrderKey::Size => Keys::Size,
            OrderKey::Sender => Keys::Text(SortKey::Sender),
            OrderKey::Subject => Keys::Text(SortKey::Subject),
            OrderKey::Party => Keys::Party(searcher.placements()?.sent().clone()),
            OrderKey::Folder => Keys::Folder(Box::new(ByFolder::new(searcher, &found)?)),
            OrderKey::Archived => Keys::Archived(Box::new(ByArchived::new(searcher, &found)?)),
        };
        Ok(Self { found, shared, order, keys })
    }

    /// The hits after `after`, at most `limit`.
    pub(super) fn page(&self, searcher: &Searcher<'_>, after: Option<&Place>, limit: usize) -> Result<Page, Error> {
        if limit == 0 {
            return Ok(Page { places: Vec::new(), more: false });
        }
        let walk = Walk::new(searcher, self.order.reverse, after, limit.saturating_add(1))?;
        let mut places = Vec::new();
        match &self.keys {
            Keys::Date if !self.order.reverse => {
                self.newest(&walk, &mut places)?;
                self.several_by(&walk, &Number::None, &mut |_, _| 0, &mut places)?;
            }
            Keys::Date => self.all_by(&walk, &Number::None, &mut |_, _| 0, &mut places)?,
            Keys::Size => {
                let size = |_: Hit<'_>, columns: &Columns| !i64::try_from(columns.size).unwrap_or(i64::MAX);
                self.all_by(&walk, &Number::Plain, &mut { size }, &mut places)?;
            }
            Keys::Archived(times) => self.all_by(&walk, &Number::Plain, &mut |hit, _| times.key(hit), &mut places)?,
            Keys::Folder(folders) => {
                self.all_by(&walk, &Number::Texts(&folders.texts), &mut |hit, _| folders.key(hit), &mut places)?;
            }
            Keys::Text(key) => {
                walk.singles_by_text(*key, &self.found.singles, &mut places)?;
                walk.several_by_text(*key, &self.found.placed, &mut places)?;
            }
            Keys::Party(sent) => {
                walk.singles_by_text(SortKey::Recipient, &(&self.found.singles & &sent.contents), &mut places)?;
                walk.singles_by_text(SortKey::Sender, &(&self.found.singles - &sent.contents), &mut places)?;
                let (to, from): (Vec<Placed>, Vec<Placed>) =
                    self.found.placed.iter().partition(|placed| sent.messages.contains(placed.message.0));
                walk.several_by_text(SortKey::Recipient, &to, &mut places)?;
                walk.several_by_text(SortKey::Sender, &from, &mut places)?;
            }
        }
        places.sort_unstable_by(|a, b| walk.order(a, b));
        let more = places.len() > limit;
        places.truncate(limit);
        Ok(Page { places, more })
    }

    /// By date: the contents with one message as the index walks them.
    fn newest(&self, walk: &Walk<'_>, places: &mut Vec<Place>) -> Result<(), Error> {
        let (searcher, after) = (walk.searcher, walk.after);
        let before = places.len();
        for dated in searcher.snapshot.newest_first(&self.found.singles, after.map(Place::date)).map_err(failed)? {
            let (date, doc) = dated.map_err(failed)?;
            if after.is_some_and(|after| date == after.date() && u64::from(doc.0) >= walk.content) {
                continue;
            }
            places.push(Place::new(Key::None, date, only_message(searcher.catalog(), ContentNo(doc.0))?.message));
            if places.len() - before >= walk.most {
                break;
            }
        }
        Ok(())
    }

    fn all_by(
        &self,
        walk: &Walk<'_>,
        numbers: &Number<'_>,
        number: &mut dyn FnMut(Hit<'_>, &Columns) -> i64,
        places: &mut Vec<Place>,
    ) -> Result<(), Error> {
        walk.singles_by(numbers, &self.found.singles, number, places)?;
        self.several_by(walk, numbers, number, places)
    }

    fn several_by(
        &self,
        walk: &Walk<'_>,
        numbers: &Number<'_>,
        number: &mut dyn FnMut(Hit<'_>, &Columns) -> i64,
        places: &mut Vec<Place>,
    ) -> Result<(), Error> {
        let after = walk.after.map(|after| walk.slot(numbers.of(&after.key), after.date(), i64::from(after.message().0)));
        let mut placed = self.found.placed.iter().peekable();
        let first = first(walk.most, after, |take| {
            let visit = &mut |doc: DocNo, columns: &Columns| {
                while placed.next_if(|placed| placed.content.0 < doc.0).is_some() {}
                while let Some(of_doc) = placed.next_if(|placed| placed.content.0 == doc.0) {
                    take(walk.slot(number(Hit::Of(of_doc), columns), columns.date, i64::from(of_doc.message.0)));
                }
            };
            walk.searcher.snapshot.each_columns(&self.shared, visit).map_err(failed)
        })?;
        for slot in first {
            let (number, date, message) = walk.unslot(slot);
            places.push(Place::new(numbers.key(number), date, MessageNo(message as u32)));
        }
        Ok(())
    }
}
