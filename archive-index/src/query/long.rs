//! Words above 64 letters are stored in the index as pieces (S1.4); a wildcard runs over them. The pattern is run
//! through the pieces of each long word, one after the other, as a set of states: places in the pattern (Thompson
//! 1968).

use super::run::How;
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::segment::Source;
use crate::terms::pattern::{Elem, Pattern, meets};
use crate::text::field::Zones;
use crate::text::fold::{Letter, letters};
use crate::text::key::{CONTINUES, LONG, parts};

/// Documents whose long words are held in memory at a time.
const AT_ONCE: usize = 64;

/// A piece as it is in the dictionary.
struct Piece {
    letters: Vec<Letter>,
    goes_on: bool,
}

/// The documents with a word of several pieces.
pub(super) fn docs_with_long_words<S: Source>(source: &S, zones: Zones) -> Result<Bits, IndexError> {
    let (lo, hi) = source.range();
    let mut docs = Bits::empty(lo, hi);
    source.find(&Pattern::all_with_lead(LONG), &mut |_, term| source.docs(term, zones, &mut docs))?;
    Ok(docs)
}

/// Adds the documents with a word of several pieces that `pattern` matches as a whole.
pub(super) fn long_words<S: Source>(source: &S, pattern: &Pattern, zones: Zones, how: How<'_>, found: &mut Bits) -> Result<(), IndexError> {
    let Some(elems) = pattern.over_pieces() else { return Ok(()) };
    let start = closure(elems, vec![true]);
    let (lo, hi) = source.range();
    let mut candidates = Bits::empty(lo, hi);
    source.find(&Pattern::all_with_lead(LONG), &mut |key, term| {
        how.go_on()?;
        if advance(elems, &start, &piece(key).letters).contains(&true) { source.docs(term, zones, &mut candidates) } else { Ok(()) }
    })?;
    let docs: Vec<u32> = candidates.iter().filter(|doc| !found.contains(*doc)).collect();
    for docs in docs.chunks(AT_ONCE) {
        let mut window = Bits::empty(lo, hi);
        docs.iter().for_each(|doc| window.insert(*doc));
        long_places(source, pattern, zones, &window, how)?.into_iter().for_each(|place| found.insert((place >> 32) as u32));
    }
    Ok(())
}

/// Where, in the documents of `window`, words of several pieces begin that `pattern` matches as a whole.
pub(super) fn long_places<S: Source>(
    source: &S,
    pattern: &Pattern,
    zones: Zones,
    window: &Bits,
    how: How<'_>,
) -> Result<Vec<u64>, IndexError> {
    let Some(elems) = pattern.over_pieces() else { return Ok(Vec::new()) };
    let start = closure(elems, vec![true]);
    let firsts = places_of(source, LONG, zones, window, how)?;
    let mut rests = places_of(source, CONTINUES, zones, window, how)?;
    rests.sort_unstable_by_key(|(place, _)| *place);
    let mut pieces = Pieces::default();
    let mut found = Vec::new();
    for (place, key) in firsts {
        let mut states = advance(elems, &start, &pieces.get(&key).letters);
        let mut next = place + 1;
        // A word that goes on has its next piece at the next position.
        while let Ok(at) = rests.binary_search_by_key(&next, |(place, _)| *place) {
            let Some((_, key)) = rests.get(at) else { break };
            let piece = pieces.get(key);
            states = advance(elems, &states, &piece.letters);
            if !piece.goes_on {
                if states.last() == Some(&true) && states.len() == elems.len() + 1 {
                    found.push(place);
                }
                break;
            }
            next += 1;
        }
    }
    Ok(found)
}

/// The places of the pieces that continue a word; with them, positions are converted to words.
pub(super) struct Rests(Vec<u64>);

impl Rests {
    /// Of the documents of `window`.
    pub(super) fn of<S: Source>(source: &S, window: &Bits, how: How<'_>) -> Result<Self, IndexError> {
        let mut rests: Vec<u64> = places_of(source, CONTINUES, Zones::ALL, window, how)?.into_iter().map(|(place, _)| place).collect();
        rests.sort_unstable();
        rests.dedup();
        Ok(Self(rests))
    }

    /// The place, counted in words: all pieces of a word have the place of its beginning.
    pub(super) fn word_at(&self, place: u64) -> u64 {
        let below = |place: u64| self.0.partition_point(|rest| *rest <= place) as u64;
        place - (below(place) - below(place >> 32 << 32))
    }
}

/// Decoded pieces, each decoded once.
#[derive(Default)]
struct Pieces(std::collections::HashMap<Vec<u8>, Piece>);

impl Pieces {
    fn get(&mut self, key: &[u8]) -> &Piece {
        self.0.entry(key.to_vec()).or_insert_with(|| piece(key))
    }
}

fn piece(key: &[u8]) -> Piece {
    let taken = parts(key);
    let (folded, goes_on) = match taken.folded.split_last() {
        Some((&CONTINUES, folded)) => (folded, true),
        _ => (taken.folded, false),
    };
    let bare = |text: &str| text.chars().map(|base| Letter { base, marks: String::new() }).collect();
    let letters = match taken.exact {
        Some(exact) => letters(&String::from_utf8_lossy(exact)),
        None => bare(&String::from_utf8_lossy(folded)),
    };
    Piece { letters, goes_on }
}

/// Where pieces with this lead occur in the documents of `window`: place and key.
fn places_of<S: Source>(source: &S, lead: u8, zones: Zones, window: &Bits, how: How<'_>) -> Result<Vec<(u64, Vec<u8>)>, IndexError> {
    let mut found = Vec::new();
    source.find(&Pattern::all_with_lead(lead), &mut |key, term| {
        how.go_on()?;
        let mut places = Places::all(0);
        places.begin_term();
        source.positions(term, zones, window, &mut places)?;
        found.extend(places.into_sorted().into_iter().map(|place| (place, key.to_vec())));
        Ok(())
    })?;
    Ok(found)
}

/// Adds the states that are reached without a letter: the one after each `*` that is reached.
fn closure(elems: &[Elem], mut states: Vec<bool>) -> Vec<bool> {
    states.resize(elems.len() + 1, false);
    for (at, elem) in elems.iter().enumerate() {
        if *elem == Elem::Many && states.get(at) == Some(&true) {
            states[at + 1] = true;
        }
    }
    states
}

/// The states that are reached from `states` with `letters`.
fn advance(elems: &[Elem], states: &[bool], letters: &[Letter]) -> Vec<bool> {
    let mut states = states.to_vec();
    for letter in letters {
        let mut next = vec![false; elems.len() + 1];
        for (at, elem) in elems.iter().enumerate().filter(|(at, _)| states.get(*at) == Some(&true)) {
            match elem {
                Elem::Many => next[at] = true,
                elem if meets(elem, letter) => next[at + 1] = true,
                _ => {}
            }
        }
        states = closure(elems, next);
    }
    states
}
