//! Marks (S1.2): a word as letters with their marks, so that a letter typed without marks matches it with any.

use super::class::class;
use icu_normalizer::DecomposingNormalizerBorrowed;

/// One letter of a mapped word: the part that is always compared, and the part that is compared only if it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The letter without the marks that may be left out.
    pub(crate) base: char,
    /// The marks that may be left out; for ø ł đ ħ, the letter itself represents its stroke.
    pub(crate) marks: String,
}

/// Letters that count as another letter with a mark, though Unicode does not decompose them.
fn stroke(c: char) -> Option<char> {
    match c {
        'ø' => Some('o'),
        'ł' => Some('l'),
        'đ' => Some('d'),
        'ħ' => Some('h'),
        _ => None,
    }
}

/// The letters of a mapped word in NFC.
pub(crate) fn letters(word: &str) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::with_capacity(word.len());
    // Whether marks that follow belong to the last letter.
    let mut sheds = false;
    for c in word.chars() {
        if c.is_ascii() {
            sheds = c.is_ascii_alphabetic();
            letters.push(Letter { base: c, marks: String::new() });
            continue;
        }
        let class = class(c);
        if class.is_mark() {
            match letters.last_mut() {
                Some(last) if sheds => last.marks.push(c),
                _ => letters.push(Letter { base: c, marks: String::new() }),
            }
        } else if c == 'ё' {
            sheds = false;
            letters.push(Letter { base: 'е', marks: "\u{308}".to_owned() });
        } else if class.sheds_marks() {
            sheds = true;
            letters.push(taken_apart(c));
        } else {
            sheds = false;
            letters.push(Letter { base: c, marks: String::new() });
        }
    }
    letters
}

fn taken_apart(c: char) -> Letter {
    let mut buffer = [0; 4];
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(c.encode_utf8(&mut buffer)).into_owned();
    let mut rest = apart.chars();
    let first = rest.next().unwrap_or(c);
    match stroke(first) {
        Some(base) => Letter { base, marks: apart },
        None => Letter { base: first, marks: rest.collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(word: &str) -> String {
        letters(word).iter().map(|letter| letter.base).collect()
    }

    #[test]
    fn s1_2_marks_of_four_scripts_come_off() {
        for (word, bare) in [
            ("müller", "muller"),
            ("ǿre", "ore"),
            ("łódź", "lodz"),
            ("đħ", "dh"),
            ("ёлка", "елка"),
            ("άλφα", "αλφα"),
            ("שָׁלוֹם", "שלום"),
            ("أَب", "اب"),
            ("q\u{308}\u{301}", "q"),
        ] {
            assert_eq!(bases(word), bare);
        }
    }

    #[test]
    fn s1_2_in_other_scripts_marks_are_letters() {
        for word in ["йод", "कि", "が", "1\u{308}"] {
            assert_eq!(bases(word), word);
        }
    }
}
