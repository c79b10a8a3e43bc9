//! Explains the answer of a search: clause by clause, for all messages or for one; what to try if nothing was found;
//! the place in a message that shows why it was found. Only words of messages that the actor sees are named (S4.4).

use std::collections::BTreeMap;
use std::ops::Range;

use archive_index::{Probe, Query, RoaringBitmap, Truth, WordsOf};

use super::found::{Ask, Searcher};
use crate::error::Error;
use crate::id::ContentNo;
use crate::store::{Placed, failed};

/// Words that are listed for a clause: the most frequent ones.
const WORDS: usize = 20;
/// Words that are suggested.
const SUGGESTIONS: usize = 3;
/// Bytes of a snippet.
const SNIPPET: usize = 160;

/// A clause of a query, and what it finds alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClauseReport {
    /// The clause as it was read.
    pub clause: String,
    /// Messages that meet it.
    pub messages: u64,
    /// Words that its wildcards match, with the number of messages that have them; the most frequent ones.
    pub words: Vec<(String, u64)>,
    /// How many such words there are in all. No more than [`MOST_WORDS`](crate::MOST_WORDS) are counted.
    pub all_words: usize,
}

/// A clause of a query, evaluated for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClauseVerdict {
    /// The clause as it was read.
    pub clause: String,
    /// Whether the message meets it; `None` if text that could not be read would decide.
    pub met: Option<bool>,
    /// Fields that contain something that the clause names, wanted or excluded.
    pub fields: Vec<&'static str>,
}

/// What to try if nothing was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suggestions {
    /// The clause that, together with those before it, no message meets.
    pub clause: Option<String>,
    /// That clause with its last word left open, as in `torv*`, and how many messages meet it; `None` if no message
    /// does, or if some message meets the clause alone.
    pub completion: Option<(String, u64)>,
    /// Words near those of that clause that some message has; none if some message meets the clause alone.
    pub words: Vec<String>,
}

/// The place of a message that shows why it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HitSnippet {
    /// The field, as the language names it.
    pub field: &'static str,
    /// A piece of its text.
    pub text: String,
    /// Bytes of `text` that are words of the query, in order.
    pub ranges: Vec<Range<usize>>,
}

/// Adds what a clause finds in another store.
pub(super) fn add_clauses(sums: &mut Vec<ClauseReport>, of_store: Vec<ClauseReport>) {
    if sums.is_empty() {
        *sums = of_store;
        return;
    }
    for (sum, report) in sums.iter_mut().zip(of_store) {
        sum.messages += report.messages;
        let mut words: BTreeMap<String, u64> = sum.words.drain(..).collect();
        for (word, messages) in report.words {
            *words.entry(word).or_default() += messages;
        }
        sum.words.extend(words);
        sum.words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        sum.all_words = sum.all_words.max(report.all_words).max(sum.words.len());
        sum.words.truncate(WORDS);
    }
}

impl Suggestions {
    /// Adds what is suggested in another store.
    pub(super) fn add(&mut self, other: Self) {
        self.clause = self.clause.take().or(other.clause);
        self.completion = match (self.completion.take(), other.completion) {
            (Some((text, found)), Some((of_other, more))) if text == of_other => Some((text, found + more)),
            (own, other) => own.or(other),
        };
        for word in other.words {
            if self.words.len() < SUGGESTIONS && !self.words.contains(&word) {
                self.words.push(word);
            }
        }
    }
}

impl Searcher<'_> {
    pub(super) fn clauses(&self, query: &Query) -> Result<Vec<ClauseReport>, Error> {
        let mut reports = Vec::new();
        for clause in query.clauses() {
            let messages = self.find(&clause, Ask::Hits)?.total();
            let words = self.words(&clause, WordsOf::Wildcards)?;
            let all_words = words.len();
            reports.push(ClauseReport { clause: clause.to_string(), messages, words: words.into_iter().take(WORDS).collect(), all_words });
        }
        Ok(reports)
    }

    /// Words of the dictionary that visible messages have, the most frequent first.
    fn words(&self, query: &Query, which: WordsOf) -> Result<Vec<(String, u64)>, Error> {
        let conditions = query.filters().len();
        let bound = self.bind(query, vec![RoaringBitmap::new(); conditions])?;
        let seen = self.seen_contents()?;
        let mut words = Vec::new();
        for word in self.snapshot.words(&bound, which, seen.as_ref()).map_err(failed)? {
            let messages = self.messages_of(word.docs)?.total();
            if messages > 0 {
                words.push((word.text, messages));
            }
        }
        words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(words)
    }

    pub(super) fn suggestions(&self, query: &Query) -> Result<Suggestions, Error> {
        let clauses = query.clauses();
        let mut emptied = None;
        for (at, clause) in clauses.iter().enumerate() {
            let alone = self.find(clause, Ask::Hits)?.total();
            let together = Query::all_of(clauses.iter().take(at + 1).cloned());
            if alone == 0 || self.find(&together, Ask::Hits)?.total() == 0 {
                emptied = Some((clause, alone));
                break;
            }
        }
        let Some((clause, alone)) = emptied else { return Ok(Suggestions::default()) };
        let completed = if alone == 0 { clause.completed() } else { None };
        let completion = match completed {
            Some(completed) => Some((completed.to_string(), self.find(&completed, Ask::Hits)?.total())).filter(|(_, found)| *found > 0),
            None => None,
        };
        let near = if alone == 0 { self.words(clause, WordsOf::Near)? } else { Vec::new() };
        let words = near.into_iter().map(|(word, _)| word).take(SUGGESTIONS).collect();
        Ok(Suggestions { clause: Some(clause.to_string()), completion, words })
    }

    pub(super) fn verdicts(&self, query: &Query, placed: &Placed) -> Result<Vec<ClauseVerdict>, Error> {
        let known = self.store.indexable(placed.content)?;
        let (labels, columns) = self.store.beside_text(&self.store.row_to_index(placed.content)?, &known);
        let probe = Probe::new(&known.values(), &labels, &columns).map_err(failed)?;
        let mut verdicts = Vec::new();
        for clause in query.clauses() {
            // In the probe the content has the number 0.
            let holds = |condition: &super::found::Condition| {
                if condition.holds(placed) { [0].into_iter().collect() } else { RoaringBitmap::new() }
            };
            let docs = self.conditions(&clause)?.iter().map(holds).collect();
            let bound = self.bind(&clause, docs)?;
            let met = match probe.meets(&bound).map_err(failed)? {
                Truth::True => Some(true),
                Truth::False => Some(false),
                Truth::Unknown => None,
            };
            let fields = probe.fields(&bound).map_err(failed)?.into_iter().map(archive_index::Field::name).collect();
            verdicts.push(ClauseVerdict { clause: clause.to_string(), met, fields });
        }
        Ok(verdicts)
    }

    pub(super) fn snippet(&self, query: &Query, content: ContentNo) -> Result<Option<HitSnippet>, Error> {
        let known = self.store.indexed_text(content)?;
        let found = archive_index::snippet(query, &known.values(), SNIPPET);
        Ok(found.map(|found| HitSnippet { field: found.field.name(), text: found.text, ranges: found.ranges }))
    }
}
