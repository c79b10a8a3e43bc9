//! Typing errors: the words that differ from one in few letters (Levenshtein 1966), as an automaton (Schulz and Mihov
//! 2002; the `fst` crate builds it).

use fst::Automaton;
use fst::automaton::Levenshtein;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// An automaton for a word with typing errors: a letter more, less, or other. It runs over whole keys, of which the
/// folded form counts.
#[derive(Clone)]
pub(crate) struct Typo {
    word: String,
    errors: u8,
    /// Bytes of the first letter, if that must be right; else 0.
    fixed: usize,
    /// The automaton for the other letters.
    rest: Arc<Levenshtein>,
    /// The distinct bytes of the word.
    bytes: Vec<u8>,
}

/// The automaton would have too many states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// How far a key was read, and with what result.
#[derive(Clone, Copy)]
pub(crate) enum State {
    /// This many bytes of the first letter were read.
    First(usize),
    /// Among the other letters.
    Rest(Option<usize>),
    /// The folded form is over, and was accepted.
    Accepted,
    Dead,
}

/// Letters of words begin here; bytes below are leads and separators of keys.
const LETTERS_FROM: u8 = 0x20;

impl Typo {
    /// Words with at most `errors` errors; with `first`, none of them in the first letter.
    pub(crate) fn new(folded: &str, errors: u8, first: bool) -> Result<Self, TooLarge> {
        let fixed = if first { folded.chars().next().map_or(0, char::len_utf8) } else { 0 };
        // If the first letters are the same, the rest has as many errors as the whole.
        let rest = Levenshtein::new(folded.get(fixed..).unwrap_or_default(), errors.into()).map_err(|_| TooLarge)?;
        let mut bytes = folded.as_bytes().to_vec();
        bytes.sort_unstable();
        bytes.dedup();
        Ok(Self { word: folded.to_owned(), errors, fixed, rest: Arc::new(rest), bytes })
    }

    /// Whether a byte of `range` may follow. All bytes that the word does not have lead to the same state, except those
    /// inside a letter of several bytes.
    pub(crate) fn goes_on(&self, state: &State, range: RangeInclusive<u8>) -> bool {
        let goes_on = |byte: u8| self.can_match(&self.step(*state, byte));
        if range.contains(&0) && goes_on(0) {
            return true;
        }
        let within = |least: u8, most: u8| least.max(*range.start())..=most.min(*range.end());
        let other = |mut bytes: RangeInclusive<u8>| bytes.find(|byte| self.bytes.binary_search(byte).is_err());
        let others = [other(within(LETTERS_FROM, 0x7f)), other(within(0xc2, 0xf4))];
        let own = self.bytes.iter().copied().filter(|byte| range.contains(byte));
        others.into_iter().flatten().chain(own).chain(within(0x80, 0xbf)).any(goes_on)
    }

    /// Whether a folded form, without lead, is near enough.
    pub(crate) fn accepts(&self, folded: &[u8]) -> bool {
        let mut state = self.start_state();
        for &byte in folded {
            state = self.step(state, byte);
            if matches!(state, State::Dead) {
                return false;
            }
        }
        self.is_match(&state)
    }

    fn start_state(&self) -> State {
        if self.fixed > 0 { State::First(0) } else { State::Rest(self.rest.start()) }
    }

    #[inline]
    fn step(&self, state: State, byte: u8) -> State {
        match state {
            State::Accepted => State::Accepted,
            _ if byte == 0 && self.is_match(&state) => State::Accepted,
            _ if byte < LETTERS_FROM => State::Dead,
            State::First(at) if self.word.as_bytes().get(at) != Some(&byte) => State::Dead,
            State::First(at) if at + 1 < self.fixed => State::First(at + 1),
            State::First(_) => State::Rest(self.rest.start()),
            State::Rest(rest) => match self.rest.accept(&rest, byte) {
                None => State::Dead,
                rest => State::Rest(rest),
            },
            State::Dead => State::Dead,
        }
    }
}

impl Automaton for Typo {
    type State = State;

    fn start(&self) -> State {
        self.start_state()
    }

    fn is_match(&self, state: &State) -> bool {
        match state {
            State::Rest(rest) => self.rest.is_match(rest),
            State::Accepted => true,
            State::First(_) | State::Dead => false,
        }
    }

    fn can_match(&self, state: &State) -> bool {
        match state {
            State::Rest(rest) => self.rest.can_match(rest),
            State::First(_) | State::Accepted => true,
            State::Dead => false,
        }
    }

    fn will_always_match(&self, state: &State) -> bool {
        matches!(state, State::Accepted)
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        self.step(*state, byte)
    }
}

impl PartialEq for Typo {
    fn eq(&self, other: &Self) -> bool {
        (&self.word, self.errors, self.fixed) == (&other.word, other.errors, other.fixed)
    }
}

impl Eq for Typo {}

impl fmt::Debug for Typo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typo").field("word", &self.word).field("errors", &self.errors).field("fixed", &self.fixed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The distance by its definition (Wagner and Fischer 1974).
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut before = std::mem::replace(&mut row[0], i + 1);
            for (j, y) in b.iter().enumerate() {
                let least = (before + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                before = std::mem::replace(&mut row[j + 1], least);
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn s2_10_a_word_is_accepted_where_its_distance_is_small(word in "[abéж]{1,7}", other in "[abéж]{0,8}", errors in 1u8..3, first in any::<bool>()) {
            let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), other.chars().collect());
            let near = distance(&a, &b) <= usize::from(errors) && (!first || a.first() == b.first());
            prop_assert_eq!(Typo::new(&word, errors, first).unwrap().accepts(other.as_bytes()), near);
        }
    }

    proptest! {
        #[test]
        fn bytes_that_may_follow_are_found_without_a_look_at_each(word in "[abéж東]{1,5}", read in "[abéжü東𝄞]{0,4}", cut in 0usize..3, low: u8, high: u8) {
            let typo = Typo::new(&word, 1, false).unwrap();
            let read = &read.as_bytes()[..read.len().saturating_sub(cut)];
            let state = read.iter().fold(typo.start(), |state, byte| typo.step(state, *byte));
            let any = (low..=high).any(|byte| typo.can_match(&typo.step(state, byte)));
            prop_assert_eq!(typo.goes_on(&state, low..=high), any);
        }
    }

    #[test]
    fn an_automaton_of_too_many_states_is_not_built() {
        assert_eq!(Typo::new(&"abcdefghijklmnopqrstuvwxyz".repeat(3), 2, false).err(), Some(TooLarge));
    }
}
