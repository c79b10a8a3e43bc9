//! Running a query on one segment.
//!
//! Documents are sets of bits over the range of the segment. Clauses of an AND run cheapest first, and phrases read positions only
//! of documents that the others left.

use super::tree::{Node, Part, Term};
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::segment::Source;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;
use crate::text::key::{ALL_DOCS, VALUE_ENDS};

/// Positions held at a time while a phrase is joined, in bytes of their packed form.
const POSITIONS_AT_ONCE: u64 = 8 << 20;

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
    let mut weight = 0u64;
    for part in parts {
        let (docs, part_weight) = match part {
            Part::Word(pattern) => word(source, pattern, zones)?,
            Part::AnyWord => (special(source, VALUE_ENDS, zones)?, 0),
        };
        weight = weight.saturating_add(part_weight);
        match &mut candidates {
            Some(candidates) => candidates.and(&docs),
            None => candidates = Some(docs),
        }
        if candidates.as_ref().is_some_and(Bits::is_empty) {
            return Ok(empty(source));
        }
    }
    let candidates = candidates.unwrap_or_else(|| empty(source));
    let mut found = empty(source);
    for window in windows(&candidates, weight, source) {
        join(source, parts, zones, &window, &mut found)?;
    }
    Ok(found)
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

/// Adds the documents of `wanted` in which the parts follow each other.
fn join<S: Source>(source: &S, parts: &[Part], zones: Zones, wanted: &Bits, found: &mut Bits) -> Result<(), IndexError> {
    // Beginnings of the phrase that are still possible: document in the upper half, position of its first word in the lower.
    let mut starts: Option<Vec<u64>> = None;
    for (offset, part) in (0u64..).zip(parts) {
        let Part::Word(pattern) = part else { continue };
        let mut positions = Vec::new();
        source.find(pattern, &mut |term| source.positions(term, zones, wanted, &mut positions))?;
        if !positions.is_sorted() {
            positions.sort_unstable();
        }
        positions.retain(|&place| (place & 0xffff_ffff) > offset);
        positions.iter_mut().for_each(|place| *place -= offset);
        starts = Some(match starts {
            None => positions,
            Some(starts) => both(&starts, &positions),
        });
        if starts.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
    }
    let stars: Vec<u64> = (0u64..).zip(parts).filter(|(_, part)| **part == Part::AnyWord).map(|(offset, _)| offset).collect();
    if stars.is_empty() {
        starts.unwrap_or_default().iter().for_each(|place| found.insert((place >> 32) as u32));
        return Ok(());
    }
    let mut ends = Vec::new();
    source.special(VALUE_ENDS, &mut |term| source.positions(term, Zones::ALL, wanted, &mut ends))?;
    ends.sort_unstable();
    let zone_ends = if starts.is_none() {
        let mut ends = Vec::new();
        source.special(VALUE_ENDS, &mut |term| source.positions(term, zones, wanted, &mut ends))?;
        ends
    } else {
        Vec::new()
    };
    match starts {
        Some(starts) => {
            for place in starts {
                // A `*` needs a word at its position: none of the ends of values, of which position 0 is one.
                let is_word = |offset: &u64| ends.binary_search(&(place + offset)).is_err();
                if stars.iter().all(is_word) {
                    found.insert((place >> 32) as u32);
                }
            }
        }
        None => {
            // Nothing but `*`: a value of as many words.
            for end in zone_ends {
                let doc = end >> 32 << 32;
                let before = ends.get(..ends.partition_point(|&other| other < end)).and_then(<[u64]>::last);
                let start = before.filter(|&&before| before > doc).map_or(doc, |&before| before);
                if end - start > parts.len() as u64 {
                    found.insert((end >> 32) as u32);
                }
            }
        }
    }
    Ok(())
}

/// What two sorted lists share.
fn both(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut shared = Vec::new();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(&&x), Some(&&y)) = (a.peek(), b.peek()) {
        match x.cmp(&y) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                shared.push(x);
                a.next();
                b.next();
            }
        }
    }
    shared
}
