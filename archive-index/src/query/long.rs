//! Words above 64 letters lie in the index as pieces (S1.4); a wildcard runs over them. The pattern is taken through the pieces of each long
//! word one after the other, as a set of places in it (Thompson 1968).

use super::run::How;
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::segment::Source;
use crate::terms::pattern::{Elem, Pattern, meets};
use crate::text::field::Zones;
use crate::text::fold::{Letter, letters};
use crate::text::key::{CONTINUES, LONG, parts};

/// Documents whose long words are held at a time.
const AT_ONCE: usize = 64;

/// A piece as the dictionary has it.
struct Piece {
    letters: Vec<Letter>,
    goes_on: bool,
}

/// Adds the documents with a word of several pieces that `pattern` matches as a whole.
pub(crate) fn long_words<S: Source>(source: &S, pattern: &Pattern, zones: Zones, how: How<'_>, found: &mut Bits) -> Result<(), IndexError> {
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
        let firsts = places_of(source, LONG, zones, &window, how)?;
        let mut rests = places_of(source, CONTINUES, zones, &window, how)?;
        rests.sort_unstable_by_key(|(place, _)| *place);
        let mut pieces = Pieces::default();
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
                        found.insert((place >> 32) as u32);
                    }
                    break;
                }
                next += 1;
            }
        }
    }
    Ok(())
}

/// Pieces taken apart, each once.
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

/// Where pieces with this lead stand in the documents of `window`: place and key.
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

/// The places of the pattern that are reached without a letter: behind each `*` that is.
fn closure(elems: &[Elem], mut states: Vec<bool>) -> Vec<bool> {
    states.resize(elems.len() + 1, false);
    for (at, elem) in elems.iter().enumerate() {
        if *elem == Elem::Many && states.get(at) == Some(&true) {
            states[at + 1] = true;
        }
    }
    states
}

/// The places that are reached from `states` with `letters`.
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
