//! A query as a tree, and the errors and notices of one.

use super::filter::Filter;
use super::grammar::is_quote;
use super::leaf::Leaf;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;
use std::fmt;
use std::ops::Range;

/// Number of the query language that [`parse`](crate::parse) reads. It is stored with saved queries; the grammar of a
/// language never changes.
pub const LANGUAGE: u32 = 1;

/// A query as it was parsed: words and filters. [`bind`](Self::bind) determines what its filters mean, and makes it
/// ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) root: Node<Filter>,
    pub(crate) notices: Vec<Notice>,
}

/// A query ready to run on any snapshot: each filter is bound to a [`Leaf`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    pub(crate) root: Node<Leaf>,
}

impl Query {
    /// Number of its language.
    pub fn language(&self) -> u32 {
        LANGUAGE
    }

    /// Whether it asks for nothing: no clause is left, and nothing is found.
    pub fn is_empty(&self) -> bool {
        self.root == Node::Nothing
    }

    /// What the writer of the query should know, though it is no error.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Every document.
    pub fn everything() -> Self {
        Self { root: Node::All, notices: Vec::new() }
    }

    /// A query of one filter.
    pub fn of_filter(filter: Filter) -> Self {
        Self { root: Node::Filter(filter), notices: Vec::new() }
    }

    /// A query of one filter that is bound already.
    pub fn of_leaf(leaf: Leaf) -> Bound {
        Bound { root: Node::Filter(leaf) }
    }

    /// The query for what meets all of `queries`. A query that asks for nothing restricts nothing; if all of them ask
    /// for nothing, so does the result.
    pub fn all_of(queries: impl IntoIterator<Item = Query>) -> Self {
        let mut all = Self { root: Node::Nothing, notices: Vec::new() };
        let mut roots = Vec::new();
        for query in queries {
            all.notices.extend(query.notices);
            if query.root != Node::Nothing {
                roots.push(query.root);
            }
        }
        all.root = match roots.len() {
            0 => Node::Nothing,
            1 => roots.pop().unwrap_or(Node::Nothing),
            _ => Node::And(roots),
        };
        all
    }

    /// Binds each filter, in the order of the text, to what it means.
    ///
    /// # Errors
    ///
    /// The first error of `leaf`.
    pub fn bind<E>(&self, mut leaf: impl FnMut(&Filter) -> Result<Leaf, E>) -> Result<Bound, E> {
        Ok(Bound { root: self.root.bind(&mut leaf)? })
    }

    /// The query, ready to run, if it has no filters.
    pub fn without_filters(&self) -> Option<Bound> {
        self.bind(|_| Err(())).ok()
    }

    /// The query with its last word left open at the end: `torv*` for `torv`. This is only for a single word or phrase
    /// whose last word has no wildcards and belongs to a script with blanks.
    pub fn completed(&self) -> Option<Query> {
        let Node::Term(term) = &self.root else { return None };
        let mut term = term.clone();
        let Some(Part::Word(last)) = term.parts.last_mut() else { return None };
        *last = last.completed()?;
        (term.address, term.complete) = (None, None);
        let at = term.written.trim_end_matches(is_quote).len();
        let (text, quote) = term.written.split_at(at);
        term.written = format!("{text}*{quote}").into();
        Some(Query { root: Node::Term(term), notices: Vec::new() })
    }

    /// The filters, in the order of the text.
    pub fn filters(&self) -> Vec<&Filter> {
        let mut found = Vec::new();
        self.root.filters(&mut found);
        found
    }

    /// The clauses that must all be met, each as a separate query; a single one if the query is an alternative.
    pub fn clauses(&self) -> Vec<Query> {
        let one = |node: &Node<Filter>| Query { root: node.clone(), notices: Vec::new() };
        match &self.root {
            Node::Nothing => Vec::new(),
            Node::And(nodes) => nodes.iter().flat_map(|node| one(node).clauses()).collect(),
            node => vec![one(node)],
        }
    }
}

/// The query as text that is parsed the same, with blanks and groups normalized.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)
    }
}

/// A place in a query that may mean something else than its writer intended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its bytes; for a prefix, without the colon.
    pub range: Range<usize>,
    /// How it was read.
    pub kind: NoticeKind,
}

/// How the place that a [`Notice`] names was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// A prefix that the language does not have was read as text.
    UnknownPrefix {
        /// The nearest field or filter, if one is near.
        nearest: Option<&'static str>,
    },
    /// `AND` or `NOT` was read as a word, as the language has neither.
    OperatorAsWord,
    /// A clause without letter or digit was ignored.
    Ignored,
    /// A word with `~` and without a number is too short for typing errors, and was read as it is.
    ShortWord,
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

/// A tree of clauses, with filters as they were parsed, or as they are bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node<F> {
    /// Every document.
    All,
    /// No document.
    Nothing,
    /// All of them; if there are only exclusions, everything without those.
    And(Vec<Node<F>>),
    /// Any of them.
    Or(Vec<Node<F>>),
    Not(Box<Node<F>>),
    Term(Term),
    Filter(F),
}

impl<F> Node<F> {
    fn bind<L, E>(&self, leaf: &mut impl FnMut(&F) -> Result<L, E>) -> Result<Node<L>, E> {
        // Not collected into a vector: that takes three times the stack.
        let mut each = |nodes: &[Node<F>]| {
            let mut bound = Vec::with_capacity(nodes.len());
            for node in nodes {
                bound.push(node.bind(leaf)?);
            }
            Ok(bound)
        };
        match self {
            Node::And(nodes) => each(nodes).map(Node::And),
            Node::Or(nodes) => each(nodes).map(Node::Or),
            Node::Not(inner) => inner.bind(leaf).map(Box::new).map(Node::Not),
            node => node.bind_leaf(leaf),
        }
    }

    /// Separate from [`Self::bind`], which calls itself for groups within groups: this one takes more of the stack.
    #[inline(never)]
    fn bind_leaf<L, E>(&self, leaf: &mut impl FnMut(&F) -> Result<L, E>) -> Result<Node<L>, E> {
        Ok(match self {
            Node::All => Node::All,
            Node::Nothing | Node::And(_) | Node::Or(_) | Node::Not(_) => Node::Nothing,
            Node::Term(term) => Node::Term(term.clone()),
            Node::Filter(filter) => Node::Filter(leaf(filter)?),
        })
    }

    fn filters<'n>(&'n self, found: &mut Vec<&'n F>) {
        match self {
            Node::All | Node::Nothing | Node::Term(_) => {}
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| node.filters(found)),
            Node::Not(inner) => inner.filters(found),
            Node::Filter(filter) => found.push(filter),
        }
    }

    /// The terms that a document meets by having them, not by lacking them: those outside exclusions.
    pub(crate) fn positive_terms<'n>(&'n self, found: &mut Vec<&'n Term>) {
        match self {
            Node::All | Node::Nothing | Node::Filter(_) | Node::Not(_) => {}
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| node.positive_terms(found)),
            Node::Term(term) => found.push(term),
        }
    }
}

impl<F: fmt::Display> fmt::Display for Node<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |nodes: &[Node<F>], between: &str, f: &mut fmt::Formatter<'_>| {
            for (at, node) in nodes.iter().enumerate() {
                f.write_str(if at > 0 { between } else { "" })?;
                match node {
                    Node::And(_) if between.trim().is_empty() => write!(f, "({node})")?,
                    Node::Or(_) => write!(f, "({node})")?,
                    node => write!(f, "{node}")?,
                }
            }
            Ok(())
        };
        match self {
            Node::All => f.write_str("*"),
            Node::Nothing => Ok(()),
            Node::And(nodes) => join(nodes, " ", f),
            Node::Or(nodes) => join(nodes, " OR ", f),
            Node::Not(inner) => match &**inner {
                Node::And(_) | Node::Or(_) => write!(f, "-({inner})"),
                inner => write!(f, "-{inner}"),
            },
            // It was written where OR is not an operator. In quotes it never is one, and the words stay the same.
            Node::Term(term) if begins_as_or(&term.written) => write!(f, "\"{}\"", term.written.replace('"', " ")),
            Node::Term(term) => f.write_str(&term.written),
            Node::Filter(filter) => write!(f, "{filter}"),
        }
    }
}

/// Whether it would be read as the operator after another clause.
fn begins_as_or(written: &str) -> bool {
    written.strip_prefix("OR").is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ')']))
}

/// A word or a phrase: parts that follow each other in one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) zones: Zones,
    pub(crate) parts: Vec<Part>,
    /// In a bare exclusion: the clause as a complete address (S2.4), and the address fields it is compared in.
    pub(crate) address: Option<Box<(Pattern, Zones)>>,
    /// Complete addresses in which the parts follow each other: for their documents, positions need not be read. Other
    /// documents may match too.
    pub(crate) complete: Option<Box<Pattern>>,
    /// Field and text as they were written.
    pub(crate) written: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Word(Pattern),
    /// `*` alone: exactly one word.
    AnyWord,
}

#[cfg(test)]
mod tests {
    use crate::query::grammar::parse;

    #[test]
    fn the_word_or_is_not_read_as_an_operator_when_a_query_is_written_anew() {
        for text in ["a (OR)b", "\u{307})m:a  (OR)b, *", "OR b", "a -(OR)", "* (OR((OR\u{1}", "a (OR(b"] {
            let written = parse(text).expect("a query").to_string();
            let again = parse(&written).expect("a query");
            assert_eq!(again.to_string(), written, "{text}");
            assert!(!written.contains(" OR"), "{text}: {written}");
            assert_eq!(again.clauses().len(), parse(text).expect("a query").clauses().len(), "{text}");
        }
    }
}
