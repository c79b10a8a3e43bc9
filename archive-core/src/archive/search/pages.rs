//! A search that is read page by page: it runs once, and memory holds what it found as sets of numbers.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use archive_index::{Field, Query, Snapshot, Value, ValueKind};
use minicbor::{Decode, Encode};

use super::calendar::Calendar;
use super::counts::{Counts, count, settle};
use super::found::{Ask, Searcher, as_they_lie};
use super::order::{InOrder, Page, Place};
use super::thread::Threads;
use super::{Coverage, SearchRequest, SearchResult, missing, noted, notices};
use crate::archive::actor::{Acting, InStore, Sight};
use crate::archive::{Actor, Session};
use crate::catalog::StoredRows;
use crate::error::Error;
use crate::id::{ContentNo, MessageNo, StoreNo};
use crate::store::{View, failed};

/// The pages of a search, in order, each of at most as many hits as the limit of the request; there is always a first
/// one. Counts and suggestions are in the first. All come from the state of the archive at the first; if a segment of
/// the index turns out to be damaged, the rest comes without it. It ends after an error.
pub struct SearchPages {
    session: Session,
    search: Search,
}

/// A search, and how far it was read.
struct Search {
    request: Arc<SearchRequest>,
    calendar: Arc<Calendar>,
    /// The place of the last hit that was shown, with its store.
    last: Option<Shown>,
    /// The search in each store.
    stores: Vec<OfStore>,
    /// What all pages have; `None` before the first.
    answer: Option<SearchResult>,
    state: State,
}

/// The search in one store.
struct OfStore {
    no: StoreNo,
    /// What was found; `None` after it turned out that some of the index is damaged, until it is searched again.
    reading: Option<Reading>,
    /// What is shown comes after it.
    begin: Option<Shown>,
    ahead: Ahead,
}

/// Where a page ended.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(array)]
pub(super) struct Shown {
    #[n(0)]
    place: Place,
    #[n(1)]
    store: u32,
}

/// Hits that were read and are in no page yet.
struct Ahead {
    rows: VecDeque<(Place, StoredRows)>,
    /// The place after which hits were not read yet, and whether there are more.
    after: Option<Place>,
    more: bool,
    /// How many hits are read at once.
    at_once: usize,
}

/// The most hits whose rows are read ahead: about 400 bytes each.
const MOST_AHEAD: usize = 32 << 10;

#[derive(PartialEq)]
enum State {
    First,
    Later,
    Ended,
}

/// A search that ran.
struct Reading {
    view: View,
    snapshot: Snapshot,
    sight: Sight,
    /// What was found; `None` if nothing was asked.
    found: Option<InOrder>,
    /// If mails are shown once: by the message that is shown, the others.
    others: BTreeMap<MessageNo, Vec<MessageNo>>,
}

impl Session {
    /// Searches all messages that the actor may see, and reads the hits page by page. The search runs once, and all its
    /// hits are read at the cost of one pass; each page ends with a cursor, as that of [`search`](Self::search).
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::SearchRequest;
    ///
    /// for number in 1..=5 {
    ///     session.import_one(format!("From: ada@example.org\nSubject: Invoice {number}\n\nText.\n").as_bytes(), &"anna/inbox".parse()?)?;
    /// }
    /// let mut sizes = Vec::new();
    /// for page in session.search_pages(&SearchRequest::new("subject:invoice").limit(2))? {
    ///     let page = page?;
    ///     assert_eq!(page.total, 5);
    ///     sizes.push(page.hits.len());
    /// }
    /// assert_eq!(sizes, [2, 2, 1]);
    ///
    /// // A client that comes back later continues by the cursor.
    /// let request = SearchRequest::new("subject:invoice").limit(2);
    /// let first = session.search(&request)?;
    /// let next = session.search(&request.after(&first.cursor.ok_or("no next page")?))?;
    /// assert_ne!(first.hits, next.hits);
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_pages(&self, request: &SearchRequest) -> Result<SearchPages, Error> {
        let search = self.call(|acting| Search::begin(acting, request))?;
        Ok(SearchPages { session: self.clone(), search })
    }
}

impl Acting<'_> {
    pub(in crate::archive) fn search(&self, request: &SearchRequest) -> Result<SearchResult, Error> {
        Search::begin(self, request)?.next(self).unwrap_or(Err(Error::Bug("a search without a first page")))
    }
}

impl Iterator for SearchPages {
    type Item = Result<SearchResult, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.session.call(|acting| Ok(self.search.next(acting))) {
            Ok(page) => page,
            Err(error) if self.search.state != State::Ended => {
                self.search.state = State::Ended;
                Some(Err(error))
            }
            Err(_) => None,
        }
    }
}

impl SearchPages {
    /// The pages from the next one on have at most so many hits.
    pub fn set_limit(&mut self, limit: usize) {
        Arc::make_mut(&mut self.search.request).limit = Some(limit);
    }
}

impl Shown {
    /// After which place of its own order store `no` goes on, if this was shown last.
    fn in_store(&self, no: StoreNo, reverse: bool) -> Option<Place> {
        // Of equal places the store with the highest number comes first; in a reversed order, that with the lowest.
        match no.0.cmp(&self.store) {
            Ordering::Equal => Some(self.place.clone()),
            of_equal => match (of_equal == Ordering::Greater) != reverse {
                true => Some(self.place.after_equals(reverse)),
                false => self.place.before_equals(reverse),
            },
        }
    }

    /// Whether a place in store `no` comes after it.
    fn is_before(&self, place: &Place, no: StoreNo, reverse: bool) -> bool {
        let order = place.rank(no).cmp(&self.place.rank(StoreNo(self.store)));
        order == if reverse { Ordering::Less } else { Ordering::Greater }
    }
}

impl OfStore {
    /// Searches in a store. Adds what all pages have to `answer`.
    fn run(&mut self, within: &InStore<'_>, search: &Asked<'_>, answer: &mut SearchResult) -> Result<(), Error> {
        let (request, store, criteria) = (search.request, within.store, search.request.criteria());
        let snapshot = store.indexer().snapshot().until(request.progress.flag());
        let (view, sight) = within.view();
        let searcher = Searcher::new(store, &view, &snapshot, &sight, search.calendar, search.threads);
        answer.coverage.not_indexed += searcher.messages_of(missing(&snapshot, view.catalog()))?.total();
        let Some(query) = search.query else {
            self.reading = Some(Reading { view, snapshot, sight, found: None, others: BTreeMap::new() });
            return Ok(());
        };
        if *within.actor == Actor::System {
            let unread = store.indexer().unread();
            answer.notices.extend(unread.map(|error| format!("some of the index cannot be read, and was not looked at: {error}")));
        }
        let found = searcher.find(query, Ask::Hits)?;
        answer.total += found.total();
        answer.contents += found.contents();
        answer.coverage.undecided += searcher.find(query, Ask::Undecided)?.total();
        if search.is_first {
            count(&searcher, &found, &mut answer.counts)?;
        }
        let (found, others) = if request.once { found.once() } else { (found, BTreeMap::new()) };
        let found = InOrder::new(&searcher, found, criteria.order)?;
        self.reading = Some(Reading { view, snapshot, sight, found: Some(found), others });
        Ok(())
    }

    /// Reads hits ahead, about `least`, if none wait and there are more.
    fn read_ahead(&mut self, within: &InStore<'_>, search: &Asked<'_>, least: usize) -> Result<(), Error> {
        let Some(reading) = &self.reading else { return Ok(()) };
        let Some(found) = &reading.found else { return Ok(()) };
        let searcher = Searcher::new(within.store, &reading.view, &reading.snapshot, &reading.sight, search.calendar, search.threads);
        let reverse = search.request.criteria().order.reverse;
        while self.ahead.rows.is_empty() && self.ahead.more {
            self.ahead.read(&searcher, found, least)?;
            if let Some(begin) = &self.begin {
                self.ahead.rows.retain(|(place, _)| begin.is_before(place, self.no, reverse));
            }
        }
        Ok(())
    }

    /// The rank of the hit that waits first.
    fn next_rank(&self) -> Option<impl Ord + use<'_>> {
        self.ahead.rows.front().map(|(place, _)| place.rank(self.no))
    }

    fn has_more(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.found.is_some()) && (self.ahead.more || !self.ahead.rows.is_empty())
    }
}

/// What is asked, of every store alike.
struct Asked<'a> {
    request: &'a SearchRequest,
    calendar: &'a Calendar,
    query: Option<&'a Query>,
    threads: &'a Threads,
    is_first: bool,
}

impl Search {
    fn begin(acting: &Acting<'_>, request: &SearchRequest) -> Result<Self, Error> {
        acting.check_store(&request.criteria)?;
        let last = request.cursor.as_deref().map(|cursor| acting.shown_at(cursor, &request.criteria)).transpose()?;
        let calendar = acting.calendar(request)?;
        let asked = acting.asked_stores(&request.criteria);
        let reverse = request.criteria.order.reverse;
        let stores = asked.map(|within| {
            let no = within.store.no();
            let after = last.as_ref().and_then(|last: &Shown| last.in_store(no, reverse));
            OfStore { no, reading: None, begin: last.clone(), ahead: Ahead { rows: VecDeque::new(), after, more: true, at_once: 0 } }
        });
        let stores = stores.collect();
        Ok(Self { request: Arc::new(request.clone()), calendar: Arc::new(calendar), last, stores, answer: None, state: State::First })
    }

    fn next(&mut self, acting: &Acting<'_>) -> Option<Result<SearchResult, Error>> {
        if self.state == State::Ended {
            return None;
        }
        let page = self.page(acting);
        let more = page.as_ref().is_ok_and(|page| page.cursor.is_some()) && self.request.limit != Some(0);
        self.state = if more { State::Later } else { State::Ended };
        Some(page)
    }

    fn page(&mut self, acting: &Acting<'_>) -> Result<SearchResult, Error> {
        let (request, calendar) = (Arc::clone(&self.request), Arc::clone(&self.calendar));
        let query = request.criteria.query()?;
        loop {
            let page = acting.threads(query.as_ref(), &request.progress).and_then(|threads| {
                let is_first = self.state == State::First;
                let asked = Asked { request: &request, calendar: &calendar, query: query.as_ref(), threads: &threads, is_first };
                self.run(acting, &asked).and_then(|()| self.fill(acting, &asked))
            });
            match page {
                Err(Error::IndexDamaged(_)) => {
                    // It is searched again without what is damaged.
                    self.stores.iter_mut().for_each(|of_store| of_store.reading = None);
                    self.answer = None;
                }
                page => return page,
            }
        }
    }

    /// Runs the search, in all stores, if it has not run.
    fn run(&mut self, acting: &Acting<'_>, asked: &Asked<'_>) -> Result<(), Error> {
        if self.answer.is_some() {
            return Ok(());
        }
        let (request, criteria) = (asked.request, asked.request.criteria());
        let mut answer = SearchResult {
            hits: Vec::new(),
            total: 0,
            contents: 0,
            also: Vec::new(),
            cursor: None,
            coverage: Coverage { unreachable_stores: acting.archive.stores.unreachable(), ..Coverage::default() },
            counts: request.counts.iter().map(|by| Counts::new(*by)).collect(),
            snippets: Vec::new(),
            subject_words: Vec::new(),
            suggestions: None,
            notices: Vec::new(),
        };
        let of_query = |query: &Query| query.notices().iter().map(|notice| notices::of_query(&criteria.text, notice)).collect();
        answer.notices = match asked.query {
            None => of_query(&criteria.text_query()?),
            Some(query) => of_query(query),
        };
        if let Some(query) = asked.query {
            answer.notices.extend(acting.unknown_folders(query));
        }
        for of_store in &mut self.stores {
            let within = acting.in_store(of_store.no).ok_or(Error::NoSuchStore(of_store.no.0))?;
            noted(within.store, of_store.run(&within, asked, &mut answer))?;
        }
        settle(&mut answer.counts);
        if asked.is_first && request.suggest && answer.total == 0 {
            for of_store in &self.stores {
                let (Some(reading), Some(query)) = (&of_store.reading, asked.query) else { continue };
                let within = acting.in_store(of_store.no).ok_or(Error::NoSuchStore(of_store.no.0))?;
                let searcher = Searcher::new(within.store, &reading.view, &reading.snapshot, &reading.sight, asked.calendar, asked.threads);
                let suggested = noted(within.store, searcher.suggestions(query))?;
                answer.suggestions.get_or_insert_default().add(suggested);
            }
        }
        self.answer = Some(answer);
        Ok(())
    }

    /// The hits of a page, and what was asked for beside them.
    fn fill(&mut self, acting: &Acting<'_>, asked: &Asked<'_>) -> Result<SearchResult, Error> {
        let mut page = self.answer.clone().ok_or(Error::Bug("a search has not run"))?;
        if !asked.is_first {
            page.counts.iter_mut().for_each(|counts| counts.rows.clear());
            page.suggestions = None;
        }
        let (request, Some(query)) = (asked.request, asked.query) else { return Ok(page) };
        let limit = request.limit.unwrap_or(usize::MAX);
        if limit == 0 {
            // A page of nothing ends where it begins.
            page.cursor = self.last.as_ref().map(|last| acting.cursor(last, request.criteria())).transpose()?;
            return Ok(page);
        }
        let (reverse, share) = (request.criteria().order.reverse, self.stores.len().max(1));
        let (mut taken, mut last) = (0, None);
        while taken < limit {
            // How much is read ahead of a store grows while its hits are taken.
            for of_store in &mut self.stores {
                if of_store.ahead.rows.is_empty() && of_store.ahead.more {
                    let within = acting.in_store(of_store.no).ok_or(Error::NoSuchStore(of_store.no.0))?;
                    noted(within.store, of_store.read_ahead(&within, asked, (limit - taken).div_ceil(share)))?;
                }
            }
            let waiting = self.stores.iter_mut().filter(|of_store| !of_store.ahead.rows.is_empty());
            let next = waiting.min_by(|a, b| {
                let order = a.next_rank().cmp(&b.next_rank());
                if reverse { order.reverse() } else { order }
            });
            let Some(of_store) = next else { break };
            let Some((place, rows)) = of_store.ahead.rows.pop_front() else { break };
            taken += 1;
            let within = acting.in_store(of_store.no).ok_or(Error::NoSuchStore(of_store.no.0))?;
            of_store.show(&within, asked, query, &place, rows, &mut page)?;
            last = Some(Shown { place, store: of_store.no.0 });
        }
        self.last = last.clone().or(self.last.take());
        let last = last.filter(|_| self.stores.iter().any(OfStore::has_more));
        page.cursor = last.map(|last| acting.cursor(&last, request.criteria())).transpose()?;
        Ok(page)
    }
}

impl OfStore {
    /// Adds a hit to a page, unless it was deleted since the search ran.
    fn show(
        &self,
        within: &InStore<'_>,
        asked: &Asked<'_>,
        query: &Query,
        place: &Place,
        rows: StoredRows,
        page: &mut SearchResult,
    ) -> Result<(), Error> {
        let (store, request) = (within.store, asked.request);
        let Some(reading) = &self.reading else { return Err(Error::Bug("a search has not run")) };
        if store.catalog().is_deleted_or_erased(place.message()) {
            return Ok(());
        }
        let (row, content) = rows.read()?;
        // The actor sees what was found: rights were a condition of the search.
        let info = within.info_of(store.message_id(place.message()), &row, content)?;
        if request.subject_words {
            let subject = Value { field: Field::Subject, kind: ValueKind::Text, text: &info.subject };
            page.subject_words.push(archive_index::found_words(query, &subject));
        }
        page.hits.push(info);
        if request.once {
            let others = reading.others.get(&place.message()).into_iter().flatten();
            let others = others.map(|no| within.unless_deleted(store.message_id(*no)));
            page.also.push(others.filter_map(Result::transpose).collect::<Result<_, _>>()?);
        }
        if request.snippets {
            let searcher = Searcher::new(store, &reading.view, &reading.snapshot, &reading.sight, asked.calendar, asked.threads);
            page.snippets.push(searcher.snippet(query, ContentNo(row.content))?);
        }
        Ok(())
    }
}

impl Ahead {
    /// Reads the next hits: those of a page, and from the second page on each time twice as many. Their rows are read in
    /// the order in which they lie, so that a page of the catalog is decompressed once for many of them.
    fn read(&mut self, searcher: &Searcher<'_>, found: &InOrder, least: usize) -> Result<(), Error> {
        let Page { places, more } = found.page(searcher, self.after.as_ref(), least.max(self.at_once))?;
        self.at_once = places.len().saturating_mul(2).min(MOST_AHEAD);
        let mut rows: Vec<Option<StoredRows>> = places.iter().map(|_| None).collect();
        as_they_lie(&places, Place::message, |at, place| {
            searcher.snapshot.check_stop().map_err(failed)?;
            let found = searcher.catalog().stored_rows(place.message())?;
            let id = searcher.store.message_id(place.message());
            if let Some(row) = rows.get_mut(at) {
                *row = Some(found.ok_or(Error::NoSuchMessage(id))?);
            }
            Ok(())
        })?;
        (self.after, self.more) = (places.last().cloned().or(self.after.take()), more);
        self.rows.extend(places.into_iter().zip(rows.into_iter().flatten()));
        Ok(())
    }
}
