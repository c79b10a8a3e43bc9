//! Running a query on one segment.
//!
//! Sets of documents are bit sets over the range of the segment. Clauses of an AND run cheapest first.

use super::leaf::Leaf;
use super::long::long_words;
use super::phrase::phrase;
use super::tree::{Node, Part, Term};
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::segment::Source;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;
use crate::text::key::{ALL_DOCS, UNSEARCHABLE, VALUE_ENDS};
use std::sync::atomic::{AtomicBool, Ordering};

/// How a document whose text is incomplete is treated: does it have a word that was not found? (S4.3)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// No, in both signs: the answer of a search.
    Plain,
    /// What is true whatever the missing text is.
    Sure,
    /// What is true for some missing text.
    Possible,
}

impl Reading {
    /// The reading that applies inside an exclusion.
    fn excluded(self) -> Self {
        match self {
            Reading::Plain => Reading::Plain,
            Reading::Sure => Reading::Possible,
            Reading::Possible => Reading::Sure,
        }
    }
}

/// How a query is run.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) reading: Reading,
    /// Set when the answer is no longer wanted.
    pub(crate) stop: &'a AtomicBool,
}

impl How<'_> {
    /// An error if the search should end.
    pub(crate) fn go_on(self) -> Result<(), IndexError> {
        if self.stop.load(Ordering::Relaxed) { Err(IndexError::Stopped) } else { Ok(()) }
    }
}

/// The documents of `source` for which `node` holds. `within`, if given, are the documents that still matter: of all
/// others, the result says nothing.
///
/// It calls itself for groups within groups, of which the grammar allows 32; separate functions do what takes much of
/// the stack.
pub(crate) fn run<S: Source>(source: &S, node: &Node<Leaf>, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    how.go_on()?;
    match node {
        Node::And(nodes) => and(source, nodes, within, how),
        Node::Or(nodes) => or(source, nodes, within, how),
        Node::Not(inner) => not(source, inner, within, how),
        leaf => run_leaf(source, leaf, within, how),
    }
}

#[inline(never)]
fn run_leaf<S: Source>(source: &S, node: &Node<Leaf>, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    match node {
        Node::All => all(source),
        Node::Term(term) => run_term(source, term, within, how),
        Node::Filter(leaf) => filter(source, leaf, within),
        Node::Nothing | Node::And(_) | Node::Or(_) | Node::Not(_) => Ok(empty(source)),
    }
}

fn or<S: Source>(source: &S, nodes: &[Node<Leaf>], within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    for node in nodes {
        docs.or(&run(source, node, within, how)?);
    }
    Ok(docs)
}

fn not<S: Source>(source: &S, inner: &Node<Leaf>, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    let gone = run(source, inner, within, How { reading: how.reading.excluded(), ..how })?;
    let mut docs = all(source)?;
    docs.and_not(&gone);
    Ok(docs)
}

/// Words before columns before phrases before exclusions.
fn cost(node: &Node<Leaf>) -> u8 {
    match node {
        Node::All | Node::Nothing | Node::Filter(Leaf::Docs(_) | Leaf::Labels(_)) => 0,
        Node::Term(term) if term.parts.len() == 1 => 1,
        Node::Filter(_) => 2,
        Node::Term(_) => 3,
        Node::And(_) | Node::Or(_) => 4,
        Node::Not(_) => 5,
    }
}

#[inline(never)]
fn cheapest_first(nodes: &[Node<Leaf>]) -> Vec<&Node<Leaf>> {
    let mut order: Vec<&Node<Leaf>> = nodes.iter().collect();
    order.sort_by_key(|node| cost(node));
    order
}

fn and<S: Source>(source: &S, nodes: &[Node<Leaf>], within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    let mut docs: Option<Bits> = None;
    for node in cheapest_first(nodes) {
        if docs.as_ref().is_some_and(Bits::is_empty) {
            break;
        }
        let (node, reading, excludes) = match node {
            Node::Not(inner) => (&**inner, how.reading.excluded(), true),
            node => (node, how.reading, false),
        };
        if excludes && docs.is_none() {
            docs = Some(all(source)?);
        }
        let found = run(source, node, docs.as_ref().or(within), How { reading, ..how })?;
        narrow(&mut docs, found, excludes);
    }
    Ok(docs.unwrap_or_else(|| empty(source)))
}

#[inline(never)]
fn narrow(docs: &mut Option<Bits>, found: Bits, excludes: bool) {
    match docs {
        Some(docs) if excludes => docs.and_not(&found),
        Some(docs) => docs.and(&found),
        None => *docs = Some(found),
    }
}

/// The documents that meet a filter; columns are read for documents of `within` only.
fn filter<S: Source>(source: &S, leaf: &Leaf, within: Option<&Bits>) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    match leaf {
        Leaf::Docs(known) => {
            let (lo, hi) = source.range();
            known.range(lo..hi).for_each(|doc| docs.insert(doc));
        }
        Leaf::Labels(patterns) => {
            for pattern in patterns {
                source.labels(pattern, &mut |_, term| source.docs(term, Zones::ALL, &mut docs))?;
            }
        }
        leaf => source.columns(within, &mut |doc, columns| {
            if leaf.of_columns(columns) == Some(true) {
                docs.insert(doc);
            }
        })?,
    }
    Ok(docs)
}

pub(super) fn empty<S: Source>(source: &S) -> Bits {
    let (lo, hi) = source.range();
    Bits::empty(lo, hi)
}

pub(crate) fn all<S: Source>(source: &S) -> Result<Bits, IndexError> {
    special(source, ALL_DOCS, Zones::ALL)
}

/// The documents of a special term.
pub(crate) fn special<S: Source>(source: &S, key: &[u8], zones: Zones) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    source.special(key, &mut |_, term| source.docs(term, zones, &mut docs))?;
    Ok(docs)
}

fn run_term<S: Source>(source: &S, term: &Term, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    let mut docs = match term.parts.as_slice() {
        [Part::AnyWord] => special(source, VALUE_ENDS, term.zones)?,
        [Part::Word(pattern)] => {
            let mut docs = word(source, pattern, term.zones, how)?.0;
            long_words(source, pattern, term.zones, how, &mut docs)?;
            docs
        }
        _ => phrase(source, term, within, how)?,
    };
    if let Some((address, zones)) = term.address.as_deref() {
        docs.or(&word(source, address, *zones, how)?.0);
    }
    if how.reading == Reading::Possible {
        docs.or(&special(source, UNSEARCHABLE, Zones::ALL)?);
    }
    Ok(docs)
}

/// The documents of a word, and the bytes that its positions take.
pub(super) fn word<S: Source>(source: &S, pattern: &Pattern, zones: Zones, how: How<'_>) -> Result<(Bits, u64), IndexError> {
    let mut docs = empty(source);
    let mut weight = 0u64;
    source.find(pattern, &mut |_, term| {
        how.go_on()?;
        weight = weight.saturating_add(source.weight(term));
        source.docs(term, zones, &mut docs)
    })?;
    Ok((docs, weight))
}
