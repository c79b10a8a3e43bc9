//! Running a query on one segment.
//!
//! Documents are sets of bits over the range of the segment. Clauses of an AND run cheapest first, and phrases read positions only
//! of documents that the others left.

use super::tree::{Node, Part, Term};
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::segment::Source;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;
use crate::text::key::{ALL_DOCS, VALUE_ENDS};

/// Positions held at a time while a phrase is joined, in bytes of their packed form.
const POSITIONS_AT_ONCE: u64 = 4 << 20;

/// The documents of `source` for which `node` holds. `within`, where given, are those that still matter: others may come or not.
/// Depth is bounded by the grammar.
pub(crate) fn run<S: Source>(source: &S, node: &Node, within: Option<&Bits>) -> Result<Bits, IndexError> {
    match node {
        Node::All => all(source),
        Node::Nothing => Ok(empty(source)),
        Node::Not(inner) => {
            let mut docs = all(source)?;
            docs.and_not(&run(source, inner, within)?);
            Ok(docs)
        }
        Node::Or(nodes) => {
            let mut docs = empty(source);
            for node in nodes {
                docs.or(&run(source, node, within)?);
            }
            Ok(docs)
        }
        Node::And(nodes) => and(source, nodes, within),
        Node::Term(term) => run_term(source, term, within),
    }
}

/// Words before phrases before exclusions.
fn cost(node: &Node) -> u8 {
    match node {
        Node::All | Node::Nothing => 0,
        Node::Term(term) if term.parts.len() == 1 => 1,
        Node::Term(_) => 2,
        Node::And(_) | Node::Or(_) => 3,
        Node::Not(_) => 4,
    }
}

fn and<S: Source>(source: &S, nodes: &[Node], within: Option<&Bits>) -> Result<Bits, IndexError> {
    let mut order: Vec<&Node> = nodes.iter().collect();
    order.sort_by_key(|node| cost(node));
    let mut docs: Option<Bits> = None;
    for node in order {
        if docs.as_ref().is_some_and(Bits::is_empty) {
            break;
        }
        if let Node::Not(inner) = node {
            let mut left = match docs.take() {
                Some(docs) => docs,
                None => all(source)?,
            };
            let gone = run(source, inner, Some(&left))?;
            left.and_not(&gone);
            docs = Some(left);
            continue;
        }
        let found = run(source, node, docs.as_ref().or(within))?;
        match &mut docs {
            Some(docs) => docs.and(&found),
            None => docs = Some(found),
        }
    }
    Ok(docs.unwrap_or_else(|| empty(source)))
}

fn empty<S: Source>(source: &S) -> Bits {
    let (lo, hi) = source.range();
    Bits::empty(lo, hi)
}

pub(crate) fn all<S: Source>(source: &S) -> Result<Bits, IndexError> {
    special(source, ALL_DOCS, Zones::ALL)
}

/// The documents of a special term.
pub(crate) fn special<S: Source>(source: &S, key: &[u8], zones: Zones) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    source.special(key, &mut |term| source.docs(term, zones, &mut docs))?;
    Ok(docs)
}

fn run_term<S: Source>(source: &S, term: &Term, within: Option<&Bits>) -> Result<Bits, IndexError> {
    let mut docs = match term.parts.as_slice() {
        [Part::AnyWord] => special(source, VALUE_ENDS, term.zones)?,
        [Part::Word(pattern)] => word(source, pattern, term.zones)?.0,
        parts => phrase(source, parts, term.zones, within)?,
    };
    if let Some(address) = &term.address {
        docs.or(&word(source, address, Zones::ALL)?.0);
    }
    Ok(docs)
}

/// The documents of a word, and the bytes that its positions take.
fn word<S: Source>(source: &S, pattern: &Pattern, zones: Zones) -> Result<(Bits, u64), IndexError> {
    let mut docs = empty(source);
    let mut weight = 0u64;
    source.find(pattern, &mut |term| {
        weight = weight.saturating_add(source.weight(term));
        source.docs(term, zones, &mut docs)
    })?;
    Ok((docs, weight))
}

fn phrase<S: Source>(source: &S, parts: &[Part], zones: Zones, within: Option<&Bits>) -> Result<Bits, IndexError> {
    let mut candidates: Option<Bits> = within.cloned();
    let mut words = Vec::new();
    for (offset, part) in (0u64..).zip(parts) {
        let Part::Word(pattern) = part else { continue };
        let (docs, weight) = word(source, pattern, zones)?;
        words.push(PhraseWord { weight, offset, pattern });
        match &mut candidates {
            Some(candidates) => candidates.and(&docs),
            None => candidates = Some(docs),
        }
        if candidates.as_ref().is_some_and(Bits::is_empty) {
            return Ok(empty(source));
        }
    }
    let stars: Vec<u64> = (0u64..).zip(parts).filter(|(_, part)| **part == Part::AnyWord).map(|(offset, _)| offset).collect();
    words.sort_by_key(|word| word.weight);
    let Some(lightest) = words.first() else { return long_values(source, parts.len() as u64, zones) };
    let candidates = candidates.unwrap_or_else(|| empty(source));
    let mut found = empty(source);
    for window in windows(&candidates, lightest.weight, source) {
        join(source, &words, &stars, zones, window, &mut found)?;
    }
    Ok(found)
}

/// A word of a phrase, how many words behind its beginning, and the bytes that its positions take.
struct PhraseWord<'q> {
    weight: u64,
    offset: u64,
    pattern: &'q Pattern,
}

/// Cuts the candidates so that the positions of each cut fit into memory.
fn windows<S: Source>(candidates: &Bits, weight: u64, source: &S) -> Vec<Bits> {
    let count = usize::try_from(weight / POSITIONS_AT_ONCE).unwrap_or(usize::MAX);
    if count == 0 {
        return vec![candidates.clone()];
    }
    let docs: Vec<u32> = candidates.iter().collect();
    let cut = |docs: &[u32]| {
        let mut window = empty(source);
        docs.iter().for_each(|&doc| window.insert(doc));
        window
    };
    docs.chunks((docs.len() / (count + 1)).max(64)).map(cut).collect()
}

/// Adds the documents of `wanted` in which the parts follow each other. The lightest word gives the places at which the phrase may
/// begin; each of the others strikes out of them, in fewer documents from word to word.
fn join<S: Source>(
    source: &S,
    words: &[PhraseWord<'_>],
    stars: &[u64],
    zones: Zones,
    mut wanted: Bits,
    found: &mut Bits,
) -> Result<(), IndexError> {
    let mut starts: Option<Vec<u64>> = None;
    for word in words {
        let mut places = match starts.take() {
            None => Places::all(word.offset),
            Some(starts) => Places::among(starts, word.offset, source.range()),
        };
        source.find(word.pattern, &mut |term| {
            places.begin_term();
            source.positions(term, zones, &wanted, &mut places)
        })?;
        let kept = places.into_sorted();
        wanted = empty(source);
        kept.iter().for_each(|place| wanted.insert((place >> 32) as u32));
        if kept.is_empty() {
            return Ok(());
        }
        starts = Some(kept);
    }
    let starts = starts.unwrap_or_default();
    if stars.is_empty() {
        found.or(&wanted);
        return Ok(());
    }
    let ends = value_ends(source, Zones::ALL, &wanted)?;
    for start in starts {
        // A `*` needs a word at its position: none of the ends of values.
        if stars.iter().all(|offset| ends.binary_search(&(start + offset)).is_err()) {
            found.insert((start >> 32) as u32);
        }
    }
    Ok(())
}

fn value_ends<S: Source>(source: &S, zones: Zones, wanted: &Bits) -> Result<Vec<u64>, IndexError> {
    let mut places = Places::all(0);
    source.special(VALUE_ENDS, &mut |term| source.positions(term, zones, wanted, &mut places))?;
    Ok(places.into_sorted())
}

/// The documents with a value of at least so many words: a phrase of nothing but `*`.
fn long_values<S: Source>(source: &S, words: u64, zones: Zones) -> Result<Bits, IndexError> {
    let wanted = special(source, VALUE_ENDS, zones)?;
    let ends = value_ends(source, Zones::ALL, &wanted)?;
    let mut found = empty(source);
    for end in value_ends(source, zones, &wanted)? {
        let doc = end >> 32 << 32;
        let before = ends.get(..ends.partition_point(|&other| other < end)).and_then(<[u64]>::last);
        // Position 0 is an end too.
        let start = before.filter(|&&before| before > doc).map_or(doc, |&before| before);
        if end - start > words {
            found.insert((end >> 32) as u32);
        }
    }
    Ok(found)
}
