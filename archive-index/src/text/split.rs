//! Splitting (S1.1, S1.3, S1.4): mapped text to words, and words to keys.
//!
//! Runs of ASCII take a fast path. Everything else goes through [`map`] in chunks that begin and end between two ASCII
//! characters: there, no mapping or normalization affects both sides.

use super::class::class;
use super::key::{PIECE, put_word};
use super::map::map;

/// 0 separates; `UNICODE` leaves the fast path; anything else is the letter in lower case.
const LETTERS: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b'0'..=b'9' | b'a'..=b'z' => byte,
            b'A'..=b'Z' => byte + 32,
            0x80.. => UNICODE,
            _ => 0,
        };
        at += 1;
    }
    table
};
const UNICODE: u8 = 0xff;

/// Gives the key of each word of `text`, in order, to `emit`.
pub(crate) fn keys(text: &str, emit: &mut impl FnMut(&[u8])) {
    let bytes = text.as_bytes();
    let mut word = [0u8; PIECE];
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let first = LETTERS[usize::from(byte)];
        if first == 0 && bytes.get(at + 1).is_none_or(u8::is_ascii) {
            at += 1;
            continue;
        }
        let start = at;
        let mut length = 0;
        let mut letter = first;
        while letter != 0 && letter != UNICODE {
            if let Some(place) = word.get_mut(length) {
                *place = letter;
            }
            length += 1;
            at += 1;
            letter = bytes.get(at).map_or(0, |&byte| LETTERS[usize::from(byte)]);
        }
        if letter != UNICODE && length > 0 {
            match word.get(..length) {
                Some(word) => emit(word),
                None => long_word(text.get(start..at).unwrap_or_default(), emit),
            }
            continue;
        }
        at = chunk_end(bytes, at);
        unicode_chunk(text.get(start..at).unwrap_or_default(), emit);
    }
}

/// The end of the chunk that contains `at`: after an ASCII separator that another ASCII character, or nothing, follows.
fn chunk_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if LETTERS[usize::from(byte)] == 0 && bytes.get(at).is_none_or(u8::is_ascii) {
            break;
        }
    }
    at
}

fn long_word(word: &str, emit: &mut impl FnMut(&[u8])) {
    pieces(&word.to_ascii_lowercase(), emit);
}

fn unicode_chunk(chunk: &str, emit: &mut impl FnMut(&[u8])) {
    let mapped = map(chunk);
    for word in words(&mapped) {
        pieces(word, emit);
    }
}

fn pieces(word: &str, emit: &mut impl FnMut(&[u8])) {
    let mut key = Vec::with_capacity(word.len() * 2 + 2);
    for (piece, continues, goes_on) in cut(word) {
        key.clear();
        put_word(&mut key, piece, continues, goes_on);
        emit(&key);
    }
}

/// The pieces of a word (S1.4), and for each whether it continues another piece and whether it goes on in another.
pub(crate) fn cut(word: &str) -> impl Iterator<Item = (&str, bool, bool)> {
    let mut rest = word;
    let mut continues = false;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = rest.char_indices().nth(PIECE).map_or(rest.len(), |(at, _)| at);
        let (piece, behind) = rest.split_at(at);
        rest = behind;
        Some((piece, std::mem::replace(&mut continues, true), !behind.is_empty()))
    })
}

/// The words of mapped text.
pub(crate) fn words(mapped: &str) -> impl Iterator<Item = &str> {
    let mut rest = mapped;
    std::iter::from_fn(move || {
        let start = rest.char_indices().find(|&(_, c)| class(c).is_word())?.0;
        let tail = rest.get(start..)?;
        let end = word_end(tail);
        rest = tail.get(end..)?;
        tail.get(..end)
    })
}

/// The length in bytes of the word that `text` begins with.
fn word_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    let alone = chars.next().is_some_and(|(_, c)| class(c).stands_alone());
    for (at, c) in chars {
        let class = class(c);
        let belongs = if alone { class.is_mark() } else { class.is_word() && !class.stands_alone() };
        if !belongs {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        keys(text, &mut |key| found.push(String::from_utf8_lossy(key).into_owned()));
        found
    }

    #[test]
    fn s1_1_everything_but_letters_digits_and_marks_separates() {
        assert_eq!(split("Me@Sub.Example,a;b-c_d/e\\f\0g 12:30"), ["me", "sub", "example", "a", "b", "c", "d", "e", "f", "g", "12", "30"]);
        assert_eq!(split("So\u{ad}ft\u{200b}ware"), ["software"]);
        assert_eq!(split("ﬁn Ⅷ"), ["fin", "viii"]);
        assert_eq!(split("=\u{338}x"), ["x"], "the sign and its overlay are one separator");
    }

    #[test]
    fn s1_2_marked_words_stand_beside_their_folded_form() {
        assert_eq!(split("Müller Muller"), ["muller\0müller", "muller"]);
    }

    #[test]
    fn s1_3_letters_of_scripts_without_blanks_are_words() {
        assert_eq!(split("Windows系统2000年"), ["windows", "系", "统", "2000", "年"]);
        assert_eq!(split("カタカナ"), ["カ", "タ", "カ", "ナ"]);
        assert_eq!(split("ｶﾞ가"), ["ガ", "가"]);
        assert_eq!(split("ที่"), ["ที่"], "a Thai letter keeps its marks");
    }

    #[test]
    fn s1_4_long_words_are_pieces_of_64() {
        let word = format!("{}{}b", "a".repeat(64), "c".repeat(64));
        assert_eq!(split(&word), [format!("{}\u{1}", "a".repeat(64)), format!("\u{1}{}\u{1}", "c".repeat(64)), "\u{1}b".to_owned()]);
        assert_eq!(split(&"a".repeat(64)), ["a".repeat(64)]);
        let marked = "ä".repeat(65);
        assert_eq!(split(&marked), [format!("{}\u{1}\0{}", "a".repeat(64), "ä".repeat(64)), "\u{1}a\0ä".to_owned()]);
    }

    /// What mapping and splitting the whole text gives.
    fn split_whole(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for word in words(&map(text)) {
            pieces(word, &mut |key| found.push(String::from_utf8_lossy(key).into_owned()));
        }
        found
    }

    proptest! {
        #[test]
        fn the_fast_way_and_chunks_change_nothing(text in "[a-cX \\-=<äß\u{308}\u{338}\u{ad}\u{a0}\u{a8}系\u{345}αΣ]{0,24}") {
            prop_assert_eq!(split(&text), split_whole(&text));
        }

        #[test]
        fn the_fast_way_and_chunks_change_nothing_of_any_text(text: String) {
            prop_assert_eq!(split(&text), split_whole(&text));
        }

        /// Each word of a text finds the text: queries and texts are split alike.
        #[test]
        fn a_text_is_found_by_itself(text: String) {
            let quoted: String = text.chars().filter(|c| !"\"*?\u{201c}\u{201d}\u{201e}\u{ab}\u{bb}\u{fdd0}\u{fdd1}".contains(*c)).collect();
            let index = crate::Index::open(std::sync::Arc::new(crate::MemPages::new()), crate::Options::default()).unwrap();
            let value = crate::Value { field: crate::Field::Body, kind: crate::ValueKind::Text, text: &quoted };
            index.add(crate::DocNo(0), &[value], &[], &crate::Columns::default(), &crate::SortKeys::default()).unwrap();
            let query = crate::parse(&format!("\"{quoted}\"")).unwrap();
            prop_assert_eq!(index.snapshot().search(&query.without_filters().unwrap()).unwrap().len(), u64::from(!query.is_empty()));
        }
    }
}
