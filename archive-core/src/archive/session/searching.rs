//! What searches, and explains what was found.

use super::Session;
use crate::archive::{ClauseReport, ClauseVerdict, NotSearchable, SearchRequest, SearchResult};
use crate::error::Error;
use crate::id::MessageId;

impl Session {
    /// Searches all messages that the actor may see. A segment of the index that turns out to be damaged is given up,
    /// and its messages count as not indexed.
    ///
    /// Without a limit the answer holds all hits. [`search_pages`](Self::search_pages) reads them page by page.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResult, Error> {
        self.call(|acting| acting.search(request))
    }

    /// How the query of a search is read, clause by clause, and what each clause finds alone.
    pub fn explain(&self, request: &SearchRequest) -> Result<Vec<ClauseReport>, Error> {
        self.call(|acting| acting.explain(request))
    }

    /// Which clauses of a search a message meets, and in which fields their words are.
    pub fn why(&self, id: MessageId, request: &SearchRequest) -> Result<Vec<ClauseVerdict>, Error> {
        self.call(|acting| acting.why(id, request))
    }

    /// Takes the first `most` messages for which text that could not be read would decide ([`Coverage::undecided`](crate::Coverage::undecided)),
    /// and returns what could not be read in them, and why. This reads the mails.
    pub fn undecided(&self, request: &SearchRequest, most: usize) -> Result<Vec<NotSearchable>, Error> {
        self.call(|acting| acting.undecided(request, most))
    }
}
