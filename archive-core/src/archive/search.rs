//! Search: hits of contents become hits of messages, newest first, with the exact total and the coverage.

use archive_index::{DocNo, Snapshot};

use super::Acting;
use crate::error::Error;
use crate::id::{ContentNo, MessageId, MessageNo};
use crate::message::MessageInfo;

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    query: String,
    limit: Option<usize>,
}

impl SearchRequest {
    /// The messages that meet `query`, all of them, newest first. The language is that of docs/SEARCH.md.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self { query: query.to_owned(), limit: None }
    }

    /// At most so many hits; the total counts all.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

/// What a search could not look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Messages that are not indexed yet.
    pub not_indexed: u64,
    /// Messages of which some text could not be read, so that a word may be there all the same.
    pub undecided: u64,
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchResult {
    /// Hits, newest first; of one date the highest message number first.
    pub hits: Vec<MessageInfo>,
    /// How many messages meet the query, exactly.
    pub total: u64,
    /// What could not be looked at.
    pub coverage: Coverage,
    /// What the reader of the query should know, though it is no error.
    pub notices: Vec<String>,
}

fn failed(error: archive_index::IndexError) -> Error {
    Error::Index(error.to_string())
}

impl Acting<'_> {
    /// Searches all messages that the actor may see.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResult, Error> {
        let query = archive_index::parse(&request.query).map_err(|error| Error::Query(error.to_string()))?;
        let store = &self.archive.store;
        let snapshot = store.indexer().snapshot();
        let docs = snapshot.search(&query).map_err(failed)?;
        let total = self.messages_of(&docs)?;
        let limit = request.limit.unwrap_or(usize::MAX);
        let ids = if limit == 0 { Vec::new() } else { self.newest(&snapshot, &docs, limit)? };
        let mut hits = Vec::with_capacity(ids.len());
        for id in ids {
            hits.push(self.message(id)?);
        }
        let (contents, messages) = {
            let numbers = store.catalog().basis().numbers;
            (u64::from(numbers.contents), u64::from(numbers.messages))
        };
        let undecided = self.messages_of(&snapshot.undecided().map_err(failed)?)?;
        let not_indexed = match contents.saturating_sub(snapshot.documents()) {
            0 => 0,
            _ => messages.saturating_sub(self.messages_of(&snapshot.all().map_err(failed)?)?),
        };
        let notices = query.notices().iter().map(|notice| notice_text(&request.query, notice)).collect();
        Ok(SearchResult { hits, total, coverage: Coverage { not_indexed, undecided }, notices })
    }

    /// How many messages the contents in `docs` have.
    fn messages_of(&self, docs: &archive_index::RoaringBitmap) -> Result<u64, Error> {
        let catalog = self.archive.store.catalog();
        let mut total = docs.len();
        for content in docs & catalog.shared() {
            total += catalog.placements(ContentNo(content))?.len() as u64 - 1;
        }
        Ok(total)
    }

    /// The first messages of `docs`: newest first, of one date the highest number first.
    fn newest(&self, snapshot: &Snapshot, docs: &archive_index::RoaringBitmap, limit: usize) -> Result<Vec<MessageId>, Error> {
        let store = &self.archive.store;
        let mut ids = Vec::new();
        let mut same_date: Vec<MessageNo> = Vec::new();
        let mut date = None;
        let mut take = |group: &mut Vec<MessageNo>| {
            group.sort_unstable_by(|a, b| b.cmp(a));
            ids.extend(group.drain(..).map(|no| MessageId { store: store.no(), no }));
            ids.len() >= limit
        };
        for doc in snapshot.newest_first(docs).map_err(failed)? {
            let doc: DocNo = doc.map_err(failed)?;
            let catalog = store.catalog();
            let of = catalog.content_row(ContentNo(doc.0))?.map(|row| row.date);
            if of != date {
                if take(&mut same_date) {
                    break;
                }
                date = of;
            }
            same_date.extend(catalog.placements(ContentNo(doc.0))?.into_iter().map(|(message, _)| message));
        }
        take(&mut same_date);
        ids.truncate(limit);
        Ok(ids)
    }
}

fn notice_text(query: &str, notice: &archive_index::Notice) -> String {
    let prefix = query.get(notice.range.clone()).unwrap_or_default();
    match notice.nearest {
        Some(near) => format!("{prefix}: is no field and was read as text; did you mean {near}:?"),
        None => format!("{prefix}: is no field and was read as text"),
    }
}
