//! A search that is read page by page: it runs once, and memory holds what it found as sets of numbers.

use std::collections::{BTreeMap, VecDeque};

use archive_index::{Field, Query, Snapshot, Value, ValueKind};

use super::calendar::Calendar;
use super::counts::{Counts, count};
use super::found::{Ask, Searcher, as_they_lie};
use super::order::{InOrder, Page, Place};
use super::{Coverage, SearchRequest, SearchResult, missing, notices};
use crate::archive::actor::Acting;
use crate::archive::actor::Sight;
use crate::archive::{Actor, Session};
use crate::catalog::StoredRows;
use crate::error::Error;
use crate::id::{ContentNo, MessageId, MessageNo};
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
    request: SearchRequest,
    calendar: Calendar,
    reading: Option<Reading>,
    state: State,
    ahead: Ahead,
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
    /// What was found, and what was asked; `None` if nothing was.
    found: Option<(InOrder, Query)>,
    /// If mails are shown once: by the message that is shown, the others.
    others: BTreeMap<MessageNo, Vec<MessageNo>>,
    /// What all pages have.
    answer: SearchResult,
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
        self.search.request.limit = Some(limit);
    }
}

impl Search {
    fn begin(acting: &Acting<'_>, request: &SearchRequest) -> Result<Self, Error> {
        acting.check_store(&request.criteria)?;
        let after = request.cursor.as_deref().map(|cursor| acting.place_of(cursor, &request.criteria)).transpose()?;
        let calendar = acting.calendar(request)?;
        Ok(Self {
            request: request.clone(),
            calendar,
            reading: None,
            state: State::First,
            ahead: Ahead { rows: VecDeque::new(), after, more: true, at_once: 0 },
        })
    }

    fn next(&mut self, acting: &Acting<'_>) -> Option<Result<SearchResult, Error>> {
        if self.state == State::Ended {
            return None;
        }
        let page = loop {
            match self.page(acting) {
                Err(Error::IndexDamaged(damage)) => {
                    acting.archive.store.indexer().give_up(&damage);
                    self.reading = None;
                }
                page => break page,
            }
        };
        let more = page.as_ref().is_ok_and(|page| page.cursor.is_some()) && self.request.limit != Some(0);
        self.state = if more { State::Later } else { State::Ended };
        Some(page)
    }

    fn page(&mut self, acting: &Acting<'_>) -> Result<SearchResult, Error> {
        let reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.run(acting)?,
        };
        let page = self.fill(acting, &reading);
        self.reading = Some(reading);
        page
    }

    /// Runs the search.
    fn run(&self, acting: &Acting<'_>) -> Result<Reading, Error> {
        let (request, store) = (&self.request, &acting.archive.store);
        let criteria = &request.criteria;
        let snapshot = store.indexer().snapshot().until(request.progress.flag());
        let (view, sight) = acting.view();
        let searcher = Searcher::new(store, &view, &snapshot, &sight, &self.calendar);
        let mut answer = SearchResult {
            hits: Vec::new(),
            total: 0,
            contents: 0,
            also: Vec::new(),
            cursor: None,
            coverage: Coverage { not_indexed: searcher.messages_of(missing(&snapshot, view.catalog()))?.total(), undecided: 0 },
            counts: request.counts.iter().map(|by| Counts::new(*by)).collect(),
            snippets: Vec::new(),
            subject_words: Vec::new(),
            suggestions: None,
            notices: Vec::new(),
        };
        let of_query = |query: &Query| query.notices().iter().map(|notice| notices::of_query(&criteria.text, notice)).collect();
        let Some(query) = criteria.query()? else {
            answer.notices = of_query(&criteria.text_query()?);
            return Ok(Reading { view, snapshot, sight, found: None, others: BTreeMap::new(), answer });
        };
        answer.notices = of_query(&query);
        answer.notices.extend(searcher.unknown_folders(&query));
        if *acting.actor == Actor::System {
            let unread = store.indexer().unread();
            answer.notices.extend(unread.map(|error| format!("some of the index cannot be read, and was not looked at: {error}")));
        }
        let found = searcher.find(&query, Ask::Hits)?;
        (answer.total, answer.contents) = (found.total(), found.contents());
        answer.coverage.undecided = searcher.find(&query, Ask::Undecided)?.total();
        if self.state == State::First {
            count(&searcher, &found, &mut answer.counts)?;
            if request.suggest && answer.total == 0 {
                answer.suggestions = Some(searcher.suggestions(&query)?);
            }
        }
        let (found, others) = if request.once { found.once() } else { (found, BTreeMap::new()) };
        let found = InOrder::new(&searcher, found, criteria.order)?;
        Ok(Reading { view, snapshot, sight, found: Some((found, query)), others, answer })
    }

    /// The hits of a page, and what was asked for beside them.
    fn fill(&mut self, acting: &Acting<'_>, reading: &Reading) -> Result<SearchResult, Error> {
        let store = &acting.archive.store;
        let mut page = reading.answer.clone();
        if self.state != State::First {
            page.counts.iter_mut().for_each(|counts| counts.rows.clear());
            page.suggestions = None;
        }
        let Some((found, query)) = &reading.found else { return Ok(page) };
        let searcher = Searcher::new(store, &reading.view, &reading.snapshot, &reading.sight, &self.calendar);
        let limit = self.request.limit.unwrap_or(usize::MAX);
        if limit == 0 {
            // A page of nothing ends where it begins.
            page.cursor = self.ahead.after.as_ref().map(|place| acting.cursor(place, &self.request.criteria)).transpose()?;
            return Ok(page);
        }
        if self.ahead.rows.len() < limit && self.ahead.more {
            self.ahead.read(&searcher, found, limit - self.ahead.rows.len())?;
        }
        let request = &self.request;
        let mut last = None;
        let now = store.catalog();
        for (place, rows) in self.ahead.rows.drain(..limit.min(self.ahead.rows.len())) {
            // What was deleted since the search ran is not shown.
            if now.is_deleted_or_erased(place.message()) {
                last = Some(place);
                continue;
            }
            let (row, content) = rows.read()?;
            // The actor sees what was found: rights were a condition of the search.
            let info = acting.info_of(MessageId { store: store.no(), no: place.message() }, &row, content)?;
            if request.subject_words {
                let subject = Value { field: Field::Subject, kind: ValueKind::Text, text: &info.subject };
                page.subject_words.push(archive_index::found_words(query, &subject));
            }
            page.hits.push(info);
            if request.once {
                let others = reading.others.get(&place.message()).into_iter().flatten();
                let others = others.map(|no| acting.unless_deleted(MessageId { store: store.no(), no: *no }));
                page.also.push(others.filter_map(Result::transpose).collect::<Result<_, _>>()?);
            }
            if request.snippets {
                page.snippets.push(searcher.snippet(query, ContentNo(row.content))?);
            }
            last = Some(place);
        }
        let last = last.filter(|_| self.ahead.more || !self.ahead.rows.is_empty());
        page.cursor = last.map(|place| acting.cursor(&place, &request.criteria)).transpose()?;
        Ok(page)
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
            let id = MessageId { store: searcher.store.no(), no: place.message() };
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
