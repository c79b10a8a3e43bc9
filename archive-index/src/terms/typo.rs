//! Typing errors: the words that differ from one in few letters (Levenshtein 1966), as an automaton (Schulz and Mihov 2002; the
//! `fst` crate builds it).

use fst::Automaton;
use fst::automaton::Levenshtein;
use std::fmt;
use std::sync::Arc;

/// A letter more, less or other is an error. It runs over whole keys, of which the folded form counts.
#[derive(Clone)]
pub(crate) struct Typo {
    word: String,
    errors: u8,
    /// Bytes of the first letter, where that is right.
    fixed: usize,
    /// Of the letters after it.
    rest: Arc<Levenshtein>,
}

/// The automaton would have too many states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// How far a key was read.
#[derive(Clone, Copy)]
pub(crate) enum State {
    /// So many bytes of the first letter.
    First(usize),
    /// Among the other letters.
    Rest(Option<usize>),
    /// The folded form is over, and was accepted.
    Accepted,
    Dead,
}

/// Letters of words; bytes below lead keys or part them.
const LETTERS_FROM: u8 = 0x20;

impl Typo {
    /// Words with at most so many errors; where `first` says so, none of them in the first letter.
    pub(crate) fn new(folded: &str, errors: u8, first: bool) -> Result<Self, TooLarge> {
        let fixed = if first { folded.chars().next().map_or(0, char::len_utf8) } else { 0 };
        // Where first letters are the same, as many errors lie in the rest as in the whole.
        let rest = Levenshtein::new(folded.get(fixed..).unwrap_or_default(), errors.into()).map_err(|_| TooLarge)?;
        Ok(Self { word: folded.to_owned(), errors, fixed, rest: Arc::new(rest) })
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

    #[test]
    fn an_automaton_of_too_many_states_is_not_built() {
        assert_eq!(Typo::new(&"abcdefghijklmnopqrstuvwxyz".repeat(3), 2, false).err(), Some(TooLarge));
    }
}
