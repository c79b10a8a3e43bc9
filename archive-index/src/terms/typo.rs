//! Typing errors: the words that differ from one in few letters (Levenshtein 1966), as an automaton whose state is a set of bits for each
//! number of errors (Wu and Manber 1992, "Fast text searching allowing errors").
//!
//! The automaton that the `fst` crate builds (0.4.7) is wrong for letters of several bytes that share a first byte, as those of
//! Cyrillic words do; its tables for long words also take megabytes, and here nothing has to be built.

use fst::Automaton;
use std::ops::RangeInclusive;

/// A letter more, less or other is an error. It runs over whole keys, of which the folded form counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typo {
    /// At most 64 letters.
    letters: Vec<char>,
    errors: u8,
    /// No error is in the first letter.
    first: bool,
    /// Of each letter of the word the places at which it is, as bits; by letter.
    places: Vec<(char, Places)>,
}

/// Bit `i` set: the first `i` letters of the word were read.
type Places = u128;

/// Errors that can be forgiven.
const MOST_ERRORS: usize = 2;

/// How far a key was read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    Reading {
        /// By the number of errors.
        rows: [Places; MOST_ERRORS + 1],
        /// A letter of which not all bytes were read.
        bytes: [u8; 4],
        read: u8,
        /// The first letter is not read yet.
        is_first: bool,
    },
    /// The folded form is over, and was accepted.
    Accepted,
    Dead,
}

/// Letters of words; bytes below lead keys or part them.
const LETTERS_FROM: u8 = 0x20;

/// The number of bytes of a letter, by its first byte; `None` if no letter begins with it.
fn length_of(lead: u8) -> Option<usize> {
    match lead {
        LETTERS_FROM..=0x7f => Some(1),
        0xc2..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xf4 => Some(4),
        _ => None,
    }
}

impl Typo {
    /// Words with at most `errors` errors, which is 1 or 2; with `first`, none of them is in the first letter. `folded` has
    /// at most 64 letters.
    pub(crate) fn new(folded: &str, errors: u8, first: bool) -> Self {
        let letters: Vec<char> = folded.chars().take(Places::BITS as usize - 1).collect();
        let mut places: Vec<(char, Places)> = Vec::with_capacity(letters.len());
        for (at, letter) in letters.iter().enumerate() {
            match places.iter_mut().find(|(known, _)| known == letter) {
                Some((_, places)) => *places |= 1 << at,
                None => places.push((*letter, 1 << at)),
            }
        }
        Self { letters, errors: errors.min(MOST_ERRORS as u8), first, places }
    }

    /// Whether a folded form, without lead, is near enough.
    pub(crate) fn accepts(&self, folded: &[u8]) -> bool {
        let mut state = self.start();
        for &byte in folded {
            state = self.accept(&state, byte);
            if matches!(state, State::Dead) {
                return false;
            }
        }
        self.is_match(&state)
    }

    /// Whether a byte of a range may follow. It may say so of a byte that cannot, but never misses one that can.
    pub(crate) fn goes_on(&self, state: &State, range: RangeInclusive<u8>) -> bool {
        let State::Reading { rows, bytes, read, is_first } = state else { return matches!(state, State::Accepted) };
        if range.contains(&0) && self.is_match(state) {
            return true;
        }
        let read_bytes = bytes.get(..usize::from(*read)).unwrap_or_default();
        let meets = |least: u8, most: u8| *range.start() <= most && least <= *range.end();
        if self.may_be_any(rows, *is_first) {
            return if *read > 0 { meets(0x80, 0xbf) } else { meets(LETTERS_FROM, 0x7f) || meets(0xc2, 0xf4) };
        }
        self.next_letters(rows, *is_first).any(|letter| {
            let mut buffer = [0; 4];
            let letter = letter.encode_utf8(&mut buffer).as_bytes();
            letter.strip_prefix(read_bytes).and_then(<[u8]>::first).is_some_and(|next| range.contains(next))
        })
    }

    /// Whether an error is left for the letter that comes next.
    fn may_be_any(&self, rows: &[Places; MOST_ERRORS + 1], is_first: bool) -> bool {
        let before_last = rows.get(..usize::from(self.errors)).unwrap_or_default();
        !(is_first && self.first) && before_last.iter().any(|row| *row != 0)
    }

    /// The letters with which the word goes on where no error is left for them.
    fn next_letters(&self, rows: &[Places; MOST_ERRORS + 1], is_first: bool) -> impl Iterator<Item = char> {
        let open = if is_first && self.first { 1 } else { rows.iter().fold(0, |open, row| open | row) };
        self.letters.iter().enumerate().filter(move |(at, _)| open >> at & 1 == 1).map(|(_, letter)| *letter)
    }

    /// The rows after a letter.
    fn after(&self, rows: &[Places; MOST_ERRORS + 1], letter: char) -> [Places; MOST_ERRORS + 1] {
        let places = self.places.iter().find(|(known, _)| *known == letter).map_or(0, |(_, places)| *places);
        let mut after = [0; MOST_ERRORS + 1];
        let [mut before_old, mut before_new] = [0; 2];
        for (row, new) in rows.iter().zip(&mut after).take(usize::from(self.errors) + 1) {
            // The letter itself; one more; another; and one less, which the new row of fewer errors gives.
            *new = (row & places) << 1 | before_old | before_old << 1 | before_new << 1;
            *new &= self.within();
            (before_old, before_new) = (*row, *new);
        }
        after
    }

    /// The places of the word: before its first letter up to after its last.
    fn within(&self) -> Places {
        Places::MAX >> (Places::BITS as usize - 1 - self.letters.len())
    }
}

impl Automaton for Typo {
    type State = State;

    fn start(&self) -> State {
        // With so many errors as many letters may be left out before any is read.
        let rows = [1, 0b11, 0b111].map(|row: Places| row & self.within());
        let kept = |at: usize| if at <= usize::from(self.errors) { rows.get(at).copied().unwrap_or(0) } else { 0 };
        State::Reading { rows: [kept(0), kept(1), kept(2)], bytes: [0; 4], read: 0, is_first: true }
    }

    fn is_match(&self, state: &State) -> bool {
        match state {
            State::Reading { rows, read: 0, is_first, .. } => {
                !(*is_first && self.first) && rows.iter().any(|row| row >> self.letters.len() & 1 == 1)
            }
            State::Accepted => true,
            State::Reading { .. } | State::Dead => false,
        }
    }

    fn can_match(&self, state: &State) -> bool {
        !matches!(state, State::Dead)
    }

    fn will_always_match(&self, state: &State) -> bool {
        matches!(state, State::Accepted)
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        let State::Reading { rows, mut bytes, read, is_first } = *state else { return *state };
        if byte == 0 {
            return if self.is_match(state) { State::Accepted } else { State::Dead };
        }
        if read > 0 && !(0x80..=0xbf).contains(&byte) {
            return State::Dead;
        }
        let Some(place) = bytes.get_mut(usize::from(read)) else { return State::Dead };
        *place = byte;
        let read = read + 1;
        let read_bytes = bytes.get(..usize::from(read)).unwrap_or_default();
        let Some(length) = length_of(bytes[0]) else { return State::Dead };
        if usize::from(read) < length {
            let begins = |letter: char| letter.encode_utf8(&mut [0; 4]).as_bytes().starts_with(read_bytes);
            let is_open = self.may_be_any(&rows, is_first) || self.next_letters(&rows, is_first).any(begins);
            return if is_open { State::Reading { rows, bytes, read, is_first } } else { State::Dead };
        }
        let letter = std::str::from_utf8(read_bytes).ok().and_then(|letter| letter.chars().next());
        let Some(letter) = letter else { return State::Dead };
        if is_first && self.first && self.letters.first() != Some(&letter) {
            return State::Dead;
        }
        match self.after(&rows, letter) {
            [0, 0, 0] => State::Dead,
            rows => State::Reading { rows, bytes: [0; 4], read: 0, is_first: false },
        }
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
        fn s2_10_a_word_is_accepted_where_its_distance_is_small(
            word in "[abéжзсрि𝄞]{1,7}",
            other in "[abéêжзсрि𝄞]{0,8}",
            errors in 1u8..3,
            first in any::<bool>(),
        ) {
            let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), other.chars().collect());
            let near = distance(&a, &b) <= usize::from(errors) && (!first || a.first() == b.first());
            prop_assert_eq!(Typo::new(&word, errors, first).accepts(other.as_bytes()), near);
        }

        #[test]
        fn no_byte_that_may_follow_is_left_out(
            word in "[abéжз東]{1,5}",
            read in "[abéжзü東𝄞]{0,4}",
            cut in 0usize..3,
            errors in 1u8..3,
            first in any::<bool>(),
            low: u8,
            high: u8,
        ) {
            let typo = Typo::new(&word, errors, first);
            let read = &read.as_bytes()[..read.len().saturating_sub(cut)];
            let state = read.iter().fold(typo.start(), |state, byte| typo.accept(&state, *byte));
            let any = (low..=high).any(|byte| typo.can_match(&typo.accept(&state, byte)));
            prop_assert!(typo.goes_on(&state, low..=high) || !any);
        }
    }

    #[test]
    fn s2_10_words_of_64_letters_have_room() {
        let word = "x".repeat(64);
        let typo = Typo::new(&word, 2, false);
        for (letters, near) in [(61, false), (62, true), (64, true), (66, true), (67, false)] {
            assert_eq!(typo.accepts("x".repeat(letters).as_bytes()), near, "{letters}");
        }
    }
}
