//! Running a query on one segment.
//!
//! Documents are sets of bits over the range of the segment. Clauses of an AND run cheapest first, and phrases read positions only
//! of documents that the others left.

use super::leaf::Leaf;
use super::long::long_words;
use super::tree::{Node, Part, Term};
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::segment::Source;
use crate::terms::pattern::Pattern;
use crate::text::class::class;
use crate::text::field::Zones;
use crate::text::key::{ALL_DOCS, KeyParts, PIECE, UNSEARCHABLE, VALUE_ENDS, parts};
use std::sync::atomic::{AtomicBool, Ordering};

/// Positions held at a time while a phrase is joined, in bytes of their packed form.
const POSITIONS_AT_ONCE: u64 = 4 << 20;

/// What is taken of a document whose text is not complete: is a word there that was not found? (S4.3)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// No, in both signs: what a search answers.
    Plain,
    /// What holds whatever the missing text is.
    Sure,
    /// What holds for some missing text.
    Possible,
}

impl Reading {
    /// The reading of what an exclusion excludes.
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
    /// Set by who wants the answer no more.
    pub(crate) stop: &'a AtomicBool,
}

impl How<'_> {
    pub(super) fn go_on(self) -> Result<(), IndexError> {
        if self.stop.load(Ordering::Relaxed) { Err(IndexError::Stopped) } else { Ok(()) }
    }
}

/// The documents of `source` for which `node` holds. `within`, where given, are those that still matter: others may come or not.
/// Depth is bounded by the grammar.
pub(crate) fn run<S: Source>(source: &S, node: &Node<Leaf>, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    how.go_on()?;
    match node {
        Node::All => all(source),
        Node::Nothing => Ok(empty(source)),
        Node::Not(inner) => {
            let mut docs = all(source)?;
            docs.and_not(&run(source, inner, within, How { reading: how.reading.excluded(), ..how })?);
            Ok(docs)
        }
        Node::Or(nodes) => {
            let mut docs = empty(source);
            for node in nodes {
                docs.or(&run(source, node, within, how)?);
            }
            Ok(docs)
        }
        Node::And(nodes) => and(source, nodes, within, how),
        Node::Term(term) => run_term(source, term, within, how),
        Node::Filter(leaf) => filter(source, leaf, within),
    }
}

/// Words before columns before phrases before exclusions.
fn cost(node: &Node<Leaf>) -> u8 {
    match node {
        Node::All | Node::Nothing | Node::Filter(Leaf::Docs(_) | Leaf::Label(_)) => 0,
        Node::Term(term) if term.parts.len() == 1 => 1,
        Node::Filter(_) => 2,
        Node::Term(_) => 3,
        Node::And(_) | Node::Or(_) => 4,
        Node::Not(_) => 5,
    }
}

fn and<S: Source>(source: &S, nodes: &[Node<Leaf>], within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    let mut order: Vec<&Node<Leaf>> = nodes.iter().collect();
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
            let gone = run(source, inner, Some(&left), How { reading: how.reading.excluded(), ..how })?;
            left.and_not(&gone);
            docs = Some(left);
            continue;
        }
        let found = run(source, node, docs.as_ref().or(within), how)?;
        match &mut docs {
            Some(docs) => docs.and(&found),
            None => docs = Some(found),
        }
    }
    Ok(docs.unwrap_or_else(|| empty(source)))
}

/// The documents that meet a filter; of columns only those of `within` are looked at.
fn filter<S: Source>(source: &S, leaf: &Leaf, within: Option<&Bits>) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    match leaf {
        Leaf::Docs(known) => {
            let (lo, hi) = source.range();
            known.range(lo..hi).for_each(|doc| docs.insert(doc));
        }
        Leaf::Label(pattern) => {
            source.labels(pattern, &mut |_, term| source.docs(term, Zones::ALL, &mut docs))?;
        }
        leaf => source.columns(within, &mut |doc, columns| {
            if leaf.of_columns(columns) == Some(true) {
                docs.insert(doc);
            }
        })?,
    }
    Ok(docs)
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
    if let Some((address, zones)) = &term.address {
        docs.or(&word(source, address, *zones, how)?.0);
    }
    if how.reading == Reading::Possible {
        docs.or(&special(source, UNSEARCHABLE, Zones::ALL)?);
    }
    Ok(docs)
}

/// The documents of a word, and the bytes that its positions take.
fn word<S: Source>(source: &S, pattern: &Pattern, zones: Zones, how: How<'_>) -> Result<(Bits, u64), IndexError> {
    let mut docs = empty(source);
    let mut weight = 0u64;
    source.find(pattern, &mut |_, term| {
        how.go_on()?;
        weight = weight.saturating_add(source.weight(term));
        source.docs(term, zones, &mut docs)
    })?;
    Ok((docs, weight))
}

/// The documents of complete addresses in which the parts of `term` follow each other.
fn complete<S: Source>(source: &S, term: &Term, how: How<'_>) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    let zones = Zones(term.zones.0 & Zones::ADDRESSES.0);
    let Some(pattern) = term.complete.as_ref().filter(|_| zones.0 != 0) else { return Ok(docs) };
    let needs_word = term.parts.first() == Some(&Part::AnyWord);
    source.find(pattern, &mut |key, found| {
        how.go_on()?;
        if pattern.is_whole() || is_sure_with_beginning(key, pattern, needs_word) {
            source.docs(found, zones, &mut docs)?;
        }
        Ok(())
    })?;
    Ok(docs)
}

/// Whether parts that end a complete address follow each other in it. Not sure of long ones, of which only the beginning is known, or whose words are
/// kept in pieces. With `needs_word`, a word must stand before them.
fn is_sure_with_beginning(key: &[u8], pattern: &Pattern, needs_word: bool) -> bool {
    let KeyParts { folded, exact, .. } = parts(key);
    let letters = |form: &[u8]| std::str::from_utf8(form).map_or(usize::MAX, |form| form.chars().count());
    let beginning = folded.get(..folded.len().saturating_sub(pattern.end().len())).and_then(|form| std::str::from_utf8(form).ok());
    letters(exact.unwrap_or(folded)) < PIECE
        && beginning.is_some_and(|beginning| !needs_word || beginning.chars().any(|c| class(c).is_word()))
}

fn phrase<S: Source>(source: &S, term: &Term, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    let (parts, zones) = (&term.parts, term.zones);
    let mut found = complete(source, term, how)?;
    let mut candidates: Option<Bits> = within.cloned();
    let mut words = Vec::new();
    for (offset, part) in (0u64..).zip(parts) {
        let Part::Word(pattern) = part else { continue };
        let (docs, weight) = word(source, pattern, zones, how)?;
        words.push(PhraseWord { weight, offset, pattern });
        match &mut candidates {
            Some(candidates) => candidates.and(&docs),
            None => candidates = Some(docs),
        }
        if candidates.as_ref().is_some_and(Bits::is_empty) {
            return Ok(found);
        }
    }
    let stars: Vec<u64> = (0u64..).zip(parts).filter(|(_, part)| **part == Part::AnyWord).map(|(offset, _)| offset).collect();
    words.sort_by_key(|word| word.weight);
    let Some(lightest) = words.first() else { return long_values(source, parts.len() as u64, zones) };
    let mut candidates = candidates.unwrap_or_else(|| empty(source));
    candidates.and_not(&found);
    if candidates.is_empty() {
        return Ok(found);
    }
    for window in windows(&candidates, lightest.weight, source) {
        how.go_on()?;
        join(source, &Phrase { words: &words, stars: &stars, zones }, window, how, &mut found)?;
    }
    Ok(found)
}

/// A phrase that is looked for: its words, lightest first, and where a `*` stands for one.
struct Phrase<'q> {
    words: &'q [PhraseWord<'q>],
    stars: &'q [u64],
    zones: Zones,
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
fn join<S: Source>(source: &S, phrase: &Phrase<'_>, mut wanted: Bits, how: How<'_>, found: &mut Bits) -> Result<(), IndexError> {
    let mut starts: Option<Vec<u64>> = None;
    for word in phrase.words {
        let mut places = match starts.take() {
            None => Places::all(word.offset),
            Some(starts) => Places::among(starts, word.offset, source.range()),
        };
        source.find(word.pattern, &mut |_, term| {
            how.go_on()?;
            places.begin_term();
            source.positions(term, phrase.zones, &wanted, &mut places)
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
    if phrase.stars.is_empty() {
        found.or(&wanted);
        return Ok(());
    }
    let ends = value_ends(source, Zones::ALL, &wanted)?;
    for start in starts {
        // A `*` needs a word at its position: none of the ends of values.
        if phrase.stars.iter().all(|offset| ends.binary_search(&(start + offset)).is_err()) {
            found.insert((start >> 32) as u32);
        }
    }
    Ok(())
}

fn value_ends<S: Source>(source: &S, zones: Zones, wanted: &Bits) -> Result<Vec<u64>, IndexError> {
    let mut places = Places::all(0);
    source.special(VALUE_ENDS, &mut |_, term| source.positions(term, zones, wanted, &mut places))?;
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
