//! Search: criteria become a query, the query yields messages, and these become an answer in order, with exact total,
//! coverage and counts (S4).
//!
//! The answer depends only on what the actor may see: rights are one more condition on messages, applied where messages
//! are derived from contents.

mod calendar;
mod counts;
mod criteria;
mod explain;
mod found;
mod notices;
mod order;
mod pages;
mod thread;
mod zone;

use std::ops::Range;
use std::sync::Arc;

use archive_index::{DocRange, RoaringBitmap, Snapshot};
use sha2::{Digest as _, Sha256};

pub use counts::{CountBy, Counts};
pub use criteria::{DateRange, Level, Order, OrderKey, SearchCriteria, SearchField, SizeRange};
pub use explain::{ClauseReport, ClauseVerdict, HitSnippet, Suggestions};
pub use pages::SearchPages;

use super::actor::{Acting, InStore};
use super::{Actor, NotSearchable};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::id::{ContentNo, MessageId, StoreNo};
use crate::message::MessageInfo;
use crate::progress::Progress;
use crate::seal::{open_token, seal_token};
use crate::store::{Placed, Store};
use crate::wire;
use calendar::Calendar;
use found::{Ask, Searcher};
use order::{InOrder, Place};
use pages::Shown;
pub use zone::Zone;

/// A search: what is searched for, and how much of the answer is wanted.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    criteria: SearchCriteria,
    limit: Option<usize>,
    cursor: Option<String>,
    counts: Vec<CountBy>,
    now: Option<i64>,
    snippets: bool,
    subject_words: bool,
    suggest: bool,
    once: bool,
    progress: Progress,
}

impl SearchRequest {
    /// All messages that meet `query`, newest first. The language is that of docs/SEARCH.md.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self::of(SearchCriteria::of_text(query))
    }

    /// All messages that meet `criteria`, in their order.
    #[must_use]
    pub fn of(criteria: SearchCriteria) -> Self {
        Self { criteria, ..Self::default() }
    }

    /// A request from its JSON form: an object with `query`, or with the `criteria` of [`SearchCriteria::from_json`], and
    /// what else is wanted: `limit`, `after` (a cursor), `now` (milliseconds since 1970 UTC), `counts` (names of
    /// [`CountBy`]), `snippets`, `subject_words`, `suggestions`, `once`. Other names are an error.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] if it is not such an object, or its criteria are not understood.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            #[serde(default)]
            version: Option<u32>,
            #[serde(default)]
            query: Option<String>,
            #[serde(default)]
            criteria: Option<serde_json::Value>,
            #[serde(default)]
            limit: Option<usize>,
            #[serde(default)]
            after: Option<String>,
            #[serde(default)]
            now: Option<i64>,
            #[serde(default)]
            counts: Vec<String>,
            #[serde(default)]
            snippets: bool,
            #[serde(default)]
            subject_words: bool,
            #[serde(default)]
            suggestions: bool,
            #[serde(default)]
            once: bool,
        }
        let form: Form = serde_json::from_str(text).map_err(|error| Error::query(format!("the request is not understood: {error}")))?;
        if form.version.is_some_and(|version| version != 1) {
            return Err(Error::query("the request is of a later version; this one knows version 1"));
        }
        let criteria = match (form.query, form.criteria) {
            (Some(query), None) => SearchCriteria::of_text(&query),
            (None, Some(criteria)) => SearchCriteria::from_json(&criteria.to_string())?,
            _ => return Err(Error::query("a request has either `query` or `criteria`")),
        };
        let unknown = |name: &String| Error::query(format!("`{name}` is nothing to count by; use year, month, from, folder or type"));
        let counts = form.counts.iter().map(|name| CountBy::named(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
        // What cannot be understood is said at once, before anything is searched.
        criteria.query()?;
        Ok(Self {
            criteria,
            limit: form.limit,
            cursor: form.after,
            counts,
            now: form.now,
            snippets: form.snippets,
            subject_words: form.subject_words,
            suggest: form.suggestions,
            once: form.once,
            progress: Progress::new(),
        })
    }

    /// What is searched for.
    #[must_use]
    pub fn criteria(&self) -> &SearchCriteria {
        &self.criteria
    }

    /// Returns at most this many hits; the total counts all.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues after the page whose answer gave this cursor; valid for the same criteria and actor.
    #[must_use]
    pub fn after(self, cursor: &str) -> Self {
        Self { cursor: Some(cursor.to_owned()), ..self }
    }

    /// Counts all messages that meet the criteria, by each of `counts`.
    #[must_use]
    pub fn count_by(self, counts: &[CountBy]) -> Self {
        Self { counts: counts.to_vec(), ..self }
    }

    /// The moment that relative dates count from: milliseconds since 1970 UTC. Now by default.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Shows, for each hit, the place that has the most words of the query. This reads the mails.
    #[must_use]
    pub fn with_snippets(self) -> Self {
        Self { snippets: true, ..self }
    }

    /// Shows which words of each hit's subject the query asks for.
    #[must_use]
    pub fn with_subject_words(self) -> Self {
        Self { subject_words: true, ..self }
    }

    /// If nothing is found, reports which clause no message meets, and words near its own.
    #[must_use]
    pub fn with_suggestions(self) -> Self {
        Self { suggest: true, ..self }
    }

    /// Shows a mail that is archived in several folders once, at the place of its newest message, and lists its other
    /// messages ([`SearchResult::also`]). The total still counts messages.
    #[must_use]
    pub fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// Ends the search with [`Error::Stopped`] soon after `progress` is cancelled.
    #[must_use]
    pub fn progress(self, progress: &Progress) -> Self {
        Self { progress: progress.clone(), ..self }
    }
}

/// What a search could not look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Messages that the index does not have: not indexed yet, or in a part of it that is damaged or cannot be read.
    pub not_indexed: u64,
    /// Messages for which text that could not be read would decide.
    pub undecided: u64,
    /// Names of the stores that could not be opened: nothing of them was looked at. Disabled ones are not listed.
    pub unreachable_stores: Vec<String>,
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchResult {
    /// Hits, in the order of the criteria.
    pub hits: Vec<MessageInfo>,
    /// How many messages meet the criteria, exactly.
    pub total: u64,
    /// How many different mails these are: one that is archived in several folders counts once.
    pub contents: u64,
    /// If mails are shown once: for each hit, the other messages with the same mail that meet the criteria, newest
    /// first.
    pub also: Vec<Vec<MessageInfo>>,
    /// Where the next page begins, if there is one. Opaque; valid only for this search.
    pub cursor: Option<String>,
    /// What could not be looked at.
    pub coverage: Coverage,
    /// One for each count that was requested.
    pub counts: Vec<Counts>,
    /// If requested: the snippet of each hit; `None` if its text has no word of the query.
    pub snippets: Vec<Option<HitSnippet>>,
    /// If requested: of each hit, the bytes of its subject that are words of the query, in order.
    pub subject_words: Vec<Vec<Range<usize>>>,
    /// If requested and nothing was found: what to try.
    pub suggestions: Option<Suggestions>,
    /// What the author of the query should know, although it is not an error.
    pub notices: Vec<String>,
}

impl Acting<'_> {
    pub(in crate::archive) fn explain(&self, request: &SearchRequest) -> Result<Vec<ClauseReport>, Error> {
        let query = request.criteria.query()?;
        let mut reports = Vec::new();
        if let Some(query) = &query {
            self.in_each(request, |searcher| searcher.clauses(query), |_, of_store| explain::add_clauses(&mut reports, of_store))?;
        }
        Ok(reports)
    }

    pub(in crate::archive) fn why(&self, id: MessageId, request: &SearchRequest) -> Result<Vec<ClauseVerdict>, Error> {
        let placed = self.of(id)?.placed(id)?;
        let mut verdicts = Vec::new();
        if let Some(query) = request.criteria.query()? {
            let ask = |searcher: &Searcher<'_>| match searcher.store.no() == id.store {
                true => searcher.verdicts(&query, &placed),
                false => Ok(Vec::new()),
            };
            self.in_each(request, ask, |_, of_store| verdicts.extend(of_store))?;
        }
        Ok(verdicts)
    }

    pub(in crate::archive) fn undecided(&self, request: &SearchRequest, most: usize) -> Result<Vec<NotSearchable>, Error> {
        let Some(query) = request.criteria.query()? else { return Ok(Vec::new()) };
        let mut parts = Vec::new();
        let ask = |searcher: &Searcher<'_>| {
            let (store, mut parts) = (searcher.store, Vec::new());
            let found = InOrder::new(searcher, searcher.find(&query, Ask::Undecided)?, request.criteria.order)?;
            for no in found.page(searcher, None, most)?.places.iter().map(Place::message) {
                let message = store.message_id(no);
                let row = searcher.catalog().message_row(no)?.ok_or(Error::NoSuchMessage(message))?;
                parts.push(super::gaps::not_searchable(store, message, ContentNo(row.content))?);
            }
            Ok(parts)
        };
        self.in_each(request, ask, |_, of_store| parts.extend(of_store))?;
        Ok(parts.into_iter().take(most).flatten().collect())
    }

    /// Runs `ask` on a snapshot of each store, and once more without a segment that turns out to be damaged; `take`
    /// receives the answers.
    fn in_each<T>(
        &self,
        request: &SearchRequest,
        ask: impl Fn(&Searcher<'_>) -> Result<T, Error>,
        mut take: impl FnMut(StoreNo, T),
    ) -> Result<(), Error> {
        self.check_store(&request.criteria)?;
        let calendar = self.calendar(request)?;
        let query = request.criteria.query()?;
        let threads = loop {
            match self.threads(query.as_ref(), &request.progress) {
                // It was noted, and is left out from now on.
                Err(Error::IndexDamaged(_)) => {}
                threads => break threads?,
            }
        };
        for within in self.asked_stores(&request.criteria) {
            let store = within.store;
            let answer = loop {
                let snapshot = store.indexer().snapshot().until(request.progress.flag());
                let (view, sight) = within.view();
                match noted(store, ask(&Searcher::new(store, &view, &snapshot, &sight, &calendar, &threads))) {
                    Err(Error::IndexDamaged(_)) => {}
                    answer => break answer?,
                }
            };
            take(store.no(), answer);
        }
        Ok(())
    }

    /// The stores that are searched.
    fn asked_stores(&self, criteria: &SearchCriteria) -> impl Iterator<Item = InStore<'_>> {
        let only = criteria.store;
        self.each_store().filter(move |within| only.is_none_or(|no| no == within.store.no().0))
    }

    /// The messages that a search finds, store by store and by content; they are held as sets of numbers.
    pub(super) fn each_found(
        &self,
        request: &SearchRequest,
        mut visit: impl FnMut(StoreNo, Placed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(query) = request.criteria.query()? else { return Ok(()) };
        let mut all = Vec::new();
        let ask = |searcher: &Searcher<'_>| Ok((searcher.find(&query, Ask::Hits)?, Arc::clone(searcher.view.catalog())));
        self.in_each(request, ask, |no, found| all.push((no, found)))?;
        for (no, (found, catalog)) in all {
            found.each(&catalog, |placed| visit(no, placed))?;
        }
        Ok(())
    }

    /// The store criterion is for administrators (O45), and must name an existing store.
    fn check_store(&self, criteria: &SearchCriteria) -> Result<(), Error> {
        match criteria.store {
            None => Ok(()),
            Some(_) if !self.actor.is_administrator() => Err(Error::Denied("search in one store")),
            Some(no) => self.numbered(no).map(drop),
        }
    }

    fn calendar(&self, request: &SearchRequest) -> Result<Calendar, Error> {
        let name = &request.criteria.zone;
        let zone = Zone::named(name);
        let zone = zone.ok_or_else(|| Error::query(format!("zone: `{name}` is not known; zones look like Europe/Berlin or +02:00")))?;
        Ok(Calendar::new(zone, request.now.unwrap_or_else(|| self.archive.now())))
    }

    fn cursor(&self, shown: &Shown, criteria: &SearchCriteria) -> Result<String, Error> {
        seal_token(self.archive.archive_key(), "cursor", &self.binding(criteria), &wire::encode(shown))
    }

    fn shown_at(&self, cursor: &str, criteria: &SearchCriteria) -> Result<Shown, Error> {
        let plain = open_token(self.archive.archive_key(), "cursor", &self.binding(criteria), cursor)?;
        let shown = plain.and_then(|plain| minicbor::decode(&plain).ok());
        shown.ok_or_else(|| Error::query("the cursor is not one of this search; begin again without it"))
    }

    /// What a cursor is bound to: criteria, order and actor. A search that shows each mail once walks the same order
    /// and skips some hits, so its cursors are valid for both.
    fn binding(&self, criteria: &SearchCriteria) -> Vec<u8> {
        self.binding_of(criteria.to_json().as_bytes())
    }

    /// What a cursor in `what` is bound to: that, and the actor.
    pub(in crate::archive) fn binding_of(&self, what: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(what);
        hash.update([0]);
        match self.actor {
            Actor::System => hash.update(b"system"),
            Actor::User(user) => hash.update(serde_json::to_string(user).unwrap_or_default()),
        }
        hash.finalize().to_vec()
    }
}

/// What was asked of the index of a store. From now on a segment that turns out to be damaged is left out, and the search
/// has to run again.
fn noted<T>(store: &Store, asked: Result<T, Error>) -> Result<T, Error> {
    if let Err(Error::IndexDamaged(damage)) = &asked {
        store.indexer().give_up(damage);
    }
    asked
}

/// The contents that are not in a snapshot of the index.
pub(super) fn missing(snapshot: &Snapshot, catalog: &Catalog) -> RoaringBitmap {
    let mut docs = RoaringBitmap::new();
    // Numbers that a repair skipped have nothing to be searched. What a damaged page hides counts as missing.
    let first = catalog.next_content(ContentNo(snapshot.end().0)).unwrap_or(Some(ContentNo(snapshot.end().0)));
    if let Some(first) = first {
        docs.insert_range(first.0..catalog.basis().numbers.contents.max(first.0));
    }
    let lost = snapshot.lost().iter().map(|lost| lost.docs);
    for DocRange { start, end } in lost.chain(snapshot.unread().iter().map(|unread| unread.docs)) {
        docs.insert_range(start.0..end.0);
    }
    docs
}
