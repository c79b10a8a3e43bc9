//! Orders, pages and cursors (S4.5).
//!
//! By date, the index walks from the newest on, and a page costs what it shows. In every other order the keys of all
//! hits are looked up, and those of a page kept: every page costs the same, and memory does not grow with the hits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use archive_index::Snapshot;
use minicbor::{Decode, Encode};

use super::criteria::{Order, OrderKey};
use super::found::{Found, only_message, path_text};
use crate::catalog::{ContentRow, MessageRow};
use crate::error::Error;
use crate::id::{ContentNo, MessageNo};
use crate::store::{Placed, Store, failed};

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
}

/// A page of hits.
pub(super) struct Page {
    pub(super) messages: Vec<MessageNo>,
    /// The last place of the page, if more come after it.
    pub(super) last: Option<Place>,
}

/// The hits of `found` after `after`, at most `limit`.
pub(super) fn page(
    store: &Store,
    snapshot: &Snapshot,
    found: &Found,
    order: Order,
    after: Option<Place>,
    limit: usize,
) -> Result<Page, Error> {
    if limit == 0 {
        return Ok(Page { messages: Vec::new(), last: after });
    }
    let most = limit.saturating_add(1);
    let mut places = match (order.by, order.reverse) {
        (OrderKey::Date, false) => newest(store, snapshot, found, after.as_ref(), most)?,
        (_, false) => first(most, after, |take| each_place(store, found, order.by, take))?,
        (_, true) => {
            let after = after.map(Reverse);
            let places = first(most, after, |take| each_place(store, found, order.by, &mut |place| take(Reverse(place))))?;
            places.into_iter().map(|Reverse(place)| place).collect()
        }
    };
    let more = places.len() > limit;
    places.truncate(limit);
    let messages = places.iter().map(Place::message).collect();
    Ok(Page { messages, last: if more { places.pop() } else { None } })
}

/// The first `most` values after `after` that `each` yields, in order.
fn first<T: Ord>(most: usize, after: Option<T>, each: impl FnOnce(&mut dyn FnMut(T)) -> Result<(), Error>) -> Result<Vec<T>, Error> {
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

fn each_place(store: &Store, found: &Found, by: OrderKey, take: &mut dyn FnMut(Place)) -> Result<(), Error> {
    let mut row: Option<(ContentNo, ContentRow)> = None;
    found.each(store, |placed| {
        if row.as_ref().is_none_or(|(content, _)| *content != placed.content) {
            let found = store.catalog().content_row(placed.content)?;
            row = Some((placed.content, found.ok_or(Error::Bug("a content that was found is not in the catalog"))?));
        }
        if let Some((_, row)) = &row {
            take(Place::new(key(store, by, &placed, row)?, row.date_in_order(), placed.message));
        }
        Ok(())
    })
}

fn key(store: &Store, by: OrderKey, placed: &Placed, content: &ContentRow) -> Result<Key, Error> {
    let text = |text: &str| Key::Text(archive_index::fold(text).into_owned());
    // Names and addresses in turn.
    let party = |list: &[String]| match list {
        [name, address, ..] => text(if name.is_empty() { address } else { name }),
        _ => text(""),
    };
    Ok(match by {
        OrderKey::Date => Key::None,
        OrderKey::Archived => Key::Number(!message_row(store, placed)?.archived),
        OrderKey::Size => Key::Number(!i64::try_from(content.size).unwrap_or(i64::MAX)),
        OrderKey::Sender => party(&content.from),
        OrderKey::Party if message_row(store, placed)?.direction == SENT => party(&content.to),
        OrderKey::Party => party(&content.from),
        OrderKey::Subject => text(&content.subject),
        OrderKey::Folder => text(&path_text(store, placed.folder)),
    })
}

/// The direction of sent mail in a row.
const SENT: u8 = 2;

fn message_row(store: &Store, placed: &Placed) -> Result<MessageRow, Error> {
    store.catalog().message_row(placed.message)?.ok_or(Error::Bug("a message that was found is not in the catalog"))
}

/// By date: the contents with one message as the index walks them, merged with the messages of the others.
fn newest(store: &Store, snapshot: &Snapshot, found: &Found, after: Option<&Place>, most: usize) -> Result<Vec<Place>, Error> {
    let mut others = Vec::with_capacity(found.placed.len());
    for placed in &found.placed {
        let row = store.catalog().content_row(placed.content)?;
        let row = row.ok_or(Error::Bug("a content that was found is not in the catalog"))?;
        others.push(Place::new(Key::None, row.date_in_order(), placed.message));
    }
    others.sort_unstable();
    let mut others = others.into_iter().peekable();
    let mut places = Vec::new();
    let is_behind = |place: &Place| after.is_none_or(|after| place > after);
    // Among equal dates, messages rise with contents, so the walk yields places in order.
    for dated in snapshot.newest_first(&found.singles, after.map(Place::date)).map_err(failed)? {
        let (date, doc) = dated.map_err(failed)?;
        let place = Place::new(Key::None, date, only_message(store, ContentNo(doc.0))?.message);
        while let Some(other) = others.next_if(|other| *other < place) {
            places.extend(Some(other).filter(is_behind));
        }
        places.extend(Some(place).filter(is_behind));
        if places.len() >= most {
            break;
        }
    }
    if places.len() < most {
        places.extend(others.filter(is_behind));
    }
    places.truncate(most);
    Ok(places)
}
