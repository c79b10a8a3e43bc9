//! Words of the dictionary that a query's wildcards stand for, and words near to those that it asks for.

use super::leaf::Leaf;
use super::tree::{Bound, Node, Part, Term};
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::segment::Source;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;
use crate::text::key::{CONTINUES, parts};
use roaring::RoaringBitmap;
use std::collections::BTreeMap;

/// Words that are collected at the most.
const MOST: usize = 10_000;

/// A word of the dictionary.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// As it is written, mapped (S1.1).
    pub text: String,
    /// The documents that have it where the query looks for it.
    pub docs: RoaringBitmap,
}

/// Which words of a query are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordsOf {
    /// Those that its words with wildcards stand for.
    Wildcards,
    /// Those that differ little from its words without any.
    Near,
}

/// The patterns to look for, each with the zones it counts in.
pub(crate) fn patterns(query: &Bound, which: WordsOf) -> Vec<(Pattern, Zones)> {
    let mut terms = Vec::new();
    query.root.terms(&mut terms);
    let of_term = |term: &Term| {
        let words = term.parts.iter().filter_map(|part| match part {
            Part::Word(pattern) if pattern.is_whole() => (which == WordsOf::Near).then(|| pattern.near()),
            Part::Word(pattern) => (which == WordsOf::Wildcards).then(|| pattern.clone()),
            Part::AnyWord => None,
        });
        let zones = term.zones;
        words.map(move |pattern| (pattern, zones)).collect::<Vec<_>>()
    };
    terms.into_iter().flat_map(of_term).collect()
}

impl Node<Leaf> {
    fn terms<'n>(&'n self, found: &mut Vec<&'n Term>) {
        match self {
            Node::All | Node::Nothing | Node::Filter(_) => {}
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| node.terms(found)),
            Node::Not(inner) => inner.terms(found),
            Node::Term(term) => found.push(term),
        }
    }
}

/// Adds the words of `source` that match, up to a bound.
pub(crate) fn collect<S: Source>(
    source: &S,
    patterns: &[(Pattern, Zones)],
    end: u32,
    words: &mut BTreeMap<String, RoaringBitmap>,
) -> Result<(), IndexError> {
    let (lo, hi) = source.range();
    for (pattern, zones) in patterns {
        source.find(pattern, &mut |key, term| {
            let taken = parts(key);
            let form = taken.exact.unwrap_or(taken.folded);
            let form = form.strip_suffix(&[CONTINUES]).unwrap_or(form);
            let text = String::from_utf8_lossy(form).into_owned();
            if words.len() >= MOST && !words.contains_key(&text) {
                return Ok(());
            }
            let mut docs = Bits::empty(lo, hi);
            source.docs(term, *zones, &mut docs)?;
            if !docs.is_empty() {
                docs.add_to(end, words.entry(text).or_default());
            }
            Ok(())
        })?;
    }
    Ok(())
}
