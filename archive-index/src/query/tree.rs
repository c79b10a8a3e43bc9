//! A query as a tree, and what can be wrong with one.

use crate::terms::pattern::Pattern;
use crate::text::field::Zones;
use std::ops::Range;

/// Number of the query language that [`parse`](crate::parse) reads. It is kept with saved queries; a language never changes its grammar.
pub const LANGUAGE: u32 = 1;

/// A query, ready to run on any snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) root: Node,
    pub(crate) notices: Vec<Notice>,
}

impl Query {
    /// Number of its language.
    pub fn language(&self) -> u32 {
        LANGUAGE
    }

    /// It asks for nothing at all: no clause is left. Nothing is found.
    pub fn is_empty(&self) -> bool {
        self.root == Node::Nothing
    }

    /// What the reader of the query should know, though it is no error.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

/// A prefix that is none of the language, and was therefore read as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Bytes of the prefix, without the colon.
    pub range: Range<usize>,
    /// The nearest field, where one is near.
    pub nearest: Option<&'static str>,
}

/// A query that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at bytes {start} to {end}: {problem}; {expected}", start = .range.start, end = .range.end)]
pub struct QueryError {
    /// The bytes at fault.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub problem: &'static str,
    /// What was expected instead.
    pub expected: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Every document.
    All,
    /// No document.
    Nothing,
    /// All of them; of exclusions alone, everything without those.
    And(Vec<Node>),
    /// Any of them.
    Or(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

/// A word or a phrase: parts that follow each other in one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) zones: Zones,
    pub(crate) parts: Vec<Part>,
    /// In a bare exclusion: the clause as a complete address (S2.4).
    pub(crate) address: Option<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Word(Pattern),
    /// `*` alone: exactly one word.
    AnyWord,
}
