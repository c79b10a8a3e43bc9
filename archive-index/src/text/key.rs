//! Keys of the dictionary: docs/FORMAT-INDEX.md, "Keys".
//!
//! ```text
//! [CONTINUES] folded [GOES_ON] [MARKED exact]     a word, or a piece of one above 64 letters
//! ADDRESS     folded           [MARKED exact]     a complete address as one string
//! LONG        folded GOES_ON   [MARKED exact]     the first piece of a word above 64 letters once more
//! SPECIAL     letter [bytes]                      all documents, ends of values, unsearchable documents, labels
//! ```
//! `folded` is the word without the marks that may be left out; the exact form follows only if it has such marks. So
//! all forms of a word are adjacent, each token has one key, and searching for letters without marks costs nothing
//! extra.

use super::fold::{Letter, letters};
use crate::query::leaf::LabelKind;

/// Between the folded form and the exact one.
pub(crate) const MARKED: u8 = 0;
/// Before a piece that continues a word, and after a piece that goes on.
pub(crate) const CONTINUES: u8 = 1;
/// Before a complete address.
pub(crate) const ADDRESS: u8 = 2;
/// Before what is not text.
pub(crate) const SPECIAL: u8 = 3;
/// Before the first piece of a word that goes on: a second key for it, so that all such words are adjacent.
pub(crate) const LONG: u8 = 4;

/// Every document of the segment.
pub(crate) const ALL_DOCS: &[u8] = &[SPECIAL, b'a'];
/// The position after each value, in its zone.
pub(crate) const VALUE_ENDS: &[u8] = &[SPECIAL, b'e'];
/// Documents whose text is incomplete.
pub(crate) const UNSEARCHABLE: &[u8] = &[SPECIAL, b'u'];

/// The most bytes of a label that count.
const LABEL_BYTES: usize = 1 << 10;

/// The key of a label: the letter of its kind, and its bytes.
pub(crate) fn label(kind: LabelKind, bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.get(..LABEL_BYTES).unwrap_or(bytes);
    [&[SPECIAL, kind as u8], bytes].concat()
}

/// Letters of a piece (S1.4).
pub(crate) const PIECE: usize = 64;
/// The most letters of an address that are compared; of a longer one only the beginning counts.
pub(crate) const ADDRESS_LETTERS: usize = 256;
/// No key is longer: two forms of at most 256 letters.
pub(crate) const MAX_KEY: usize = 4 * ADDRESS_LETTERS * 2 + 4;

/// The parts of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyParts<'a> {
    /// [`CONTINUES`], [`ADDRESS`], [`SPECIAL`], [`LONG`], or 0 for the beginning of a word.
    pub(crate) lead: u8,
    /// The folded form; with [`GOES_ON`](CONTINUES) at its end for a piece that another follows.
    pub(crate) folded: &'a [u8],
    /// The exact form, if it differs.
    pub(crate) exact: Option<&'a [u8]>,
}

/// Splits a key into its parts.
pub(crate) fn parts(key: &[u8]) -> KeyParts<'_> {
    let (lead, rest) = match key.split_first() {
        Some((&lead @ (CONTINUES | ADDRESS | SPECIAL | LONG), rest)) => (lead, rest),
        _ => (0, key),
    };
    match memchr::memchr(MARKED, rest) {
        Some(at) => {
            let (folded, exact) = rest.split_at(at);
            KeyParts { lead, folded, exact: exact.get(1..) }
        }
        None => KeyParts { lead, folded: rest, exact: None },
    }
}

/// Appends the key of a word or piece to `out`. `word` is mapped.
pub(crate) fn put_word(out: &mut Vec<u8>, word: &str, continues: bool, goes_on: bool) {
    if continues {
        out.push(CONTINUES);
    }
    let marked = put_folded(out, &letters(word));
    if goes_on {
        out.push(CONTINUES);
    }
    if marked {
        out.push(MARKED);
        out.extend_from_slice(word.as_bytes());
    }
}

/// Appends the key of a complete address, whose text is mapped, to `out`.
pub(crate) fn put_address(out: &mut Vec<u8>, mapped: &str) {
    out.push(ADDRESS);
    let text = address_text(mapped);
    if put_folded(out, &letters(&text)) {
        out.push(MARKED);
        out.extend_from_slice(text.as_bytes());
    }
}

/// The part of an address that is compared: its first letters, with controls as blanks, since controls have a meaning
/// in keys.
pub(crate) fn address_text(mapped: &str) -> String {
    mapped.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(ADDRESS_LETTERS).collect()
}

fn put_folded(out: &mut Vec<u8>, letters: &[Letter]) -> bool {
    let mut buffer = [0; 4];
    let mut marked = false;
    for letter in letters {
        out.extend_from_slice(letter.base.encode_utf8(&mut buffer).as_bytes());
        marked |= !letter.marks.is_empty();
    }
    marked
}
