//! Words of the dictionary that a query's wildcards match, and words near those that it asks for.

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

/// The most words that are returned for a query.
pub const MOST_WORDS: usize = 10_000;

/// A word of the dictionary.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Its text, mapped (S1.1).
    pub text: String,
    /// The documents that have it in a field in which the query looks for it.
    pub docs: RoaringBitmap,
}

/// Which words of a query are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordsOf {
    /// Those that its words with wildcards match.
    Wildcards,
    /// Those that differ little from its words without wildcards.
    Near,
}

/// Words to look for.
pub(crate) struct Wanted {
    pattern: Pattern,
    zones: Zones,
    /// The word of the query itself, which does not count as near.
    but: Option<Pattern>,
}

/// What to look for.
pub(crate) fn wanted(query: &Bound, which: WordsOf) -> Vec<Wanted> {
    let mut terms = Vec::new();
    query.root.terms(&mut terms);
    let of_term = |term: &Term| {
        let words = term.parts.iter().filter_map(|part| match part {
            Part::Word(pattern) if pattern.is_whole() => match which {
                // Every other word of one or two letters would be near.
                WordsOf::Near if pattern.letters() <= 2 => None,
                WordsOf::Near => pattern.near().map(|near| (near, Some(pattern.clone()))),
                WordsOf::Wildcards => None,
            },
            Part::Word(pattern) => (which == WordsOf::Wildcards).then(|| (pattern.clone(), None)),
            Part::AnyWord => None,
        });
        let zones = term.zones;
        words.map(move |(pattern, but)| Wanted { pattern, zones, but }).collect::<Vec<_>>()
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

/// Adds the words of `source` that match and that a document of `seen` has, up to a bound.
pub(crate) fn collect<S: Source>(
    source: &S,
    wanted: &[Wanted],
    seen: &impl Fn(RoaringBitmap) -> RoaringBitmap,
    end: u32,
    words: &mut BTreeMap<String, RoaringBitmap>,
) -> Result<(), IndexError> {
    let (lo, hi) = source.range();
    for Wanted { pattern, zones, but } in wanted {
        source.find(pattern, &mut |key, term| {
            let taken = parts(key);
            if but.as_ref().is_some_and(|but| but.matches(&taken)) {
                return Ok(());
            }
            let form = taken.exact.unwrap_or(taken.folded);
            let form = form.strip_suffix(&[CONTINUES]).unwrap_or(form);
            let text = String::from_utf8_lossy(form).into_owned();
            if words.len() >= MOST_WORDS && !words.contains_key(&text) {
                return Ok(());
            }
            let mut docs = Bits::empty(lo, hi);
            source.docs(term, *zones, &mut docs)?;
            let mut found = RoaringBitmap::new();
            docs.add_to(end, &mut found);
            let found = seen(found);
            if !found.is_empty() {
                *words.entry(text).or_default() |= found;
            }
            Ok(())
        })?;
    }
    Ok(())
}
