//! Encoded words in header values (docs/TEXT.md, T3; RFC 2047, read leniently).

use std::ops::Range;

use encoding_rs::WINDOWS_1252;

use super::charset::{self, Charset};
use super::transfer;

/// An encoded word found in a text: byte ranges in it.
#[derive(Clone, Debug)]
pub(super) struct EncodedWord {
    /// The label, without a language after `*`.
    label: Range<usize>,
    base64: bool,
    text: Range<usize>,
    /// Behind the closing `?=`.
    pub(super) end: usize,
}

/// The encoded word that begins at byte `at` of `text`, if one does (T3.2).
pub(super) fn encoded_word_at(text: &str, at: usize) -> Option<EncodedWord> {
    let bytes = text.as_bytes();
    if !bytes.get(at..)?.starts_with(b"=?") {
        return None;
    }
    let charset = at + 2;
    let charset_end = charset + run(bytes, charset, 0x21..=0x7e);
    let [b'?', encoding, b'?'] = *bytes.get(charset_end..charset_end + 3)? else { return None };
    if charset_end == charset {
        return None;
    }
    let base64 = match encoding {
        b'b' | b'B' => true,
        b'q' | b'Q' => false,
        _ => return None,
    };
    let start = charset_end + 3;
    let end = start + run(bytes, start, 0x20..=0x7e);
    if bytes.get(end..end + 2)? != b"?=" {
        return None;
    }
    let label_end = memchr::memchr(b'*', bytes.get(charset..charset_end)?).map_or(charset_end, |star| charset + star);
    Some(EncodedWord { label: charset..label_end, base64, text: start..end, end: end + 2 })
}

/// How many bytes from `start` on lie in `allowed` and are no `?`.
fn run(bytes: &[u8], start: usize, allowed: std::ops::RangeInclusive<u8>) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    rest.iter().position(|b| *b == b'?' || !allowed.contains(b)).unwrap_or(rest.len())
}

/// `text` with its encoded words decoded (T3.3 to T3.5).
pub(super) fn decode_words(text: String) -> String {
    if !text.contains("=?") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    // Words of one label in a row, whose bytes belong together.
    let mut row = Row::default();
    let mut done = 0;
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(text.as_bytes().get(from..).unwrap_or_default(), b"=?") {
        let at = from + found;
        let Some(word) = encoded_word_at(&text, at) else {
            from = at + 1;
            continue;
        };
        let between = text.get(done..at).unwrap_or_default();
        let label = text.get(word.label.clone()).unwrap_or_default();
        let joined = row.label.is_some() && between.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
        if !joined {
            row.end(&mut out);
            out.push_str(between);
        } else if !row.label.is_some_and(|before| before.eq_ignore_ascii_case(label)) {
            row.end(&mut out);
        }
        row.label.get_or_insert(label);
        row.push(&word, &text);
        done = word.end;
        from = word.end;
    }
    row.end(&mut out);
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[derive(Default)]
struct Row<'a> {
    label: Option<&'a str>,
    bytes: Vec<u8>,
}

impl Row<'_> {
    fn push(&mut self, word: &EncodedWord, text: &str) {
        let encoded = text.get(word.text.clone()).unwrap_or_default().as_bytes();
        if word.base64 {
            self.bytes.append(&mut transfer::decode_base64(encoded));
        } else {
            decode_escapes(encoded, b'=', |byte| if byte == b'_' { b' ' } else { byte }, &mut self.bytes);
        }
    }

    fn end(&mut self, out: &mut String) {
        if let Some(label) = self.label.take() {
            out.push_str(&decode_header_bytes(&self.bytes, label));
        }
        self.bytes.clear();
    }
}

/// Replaces `mark` and two hex digits by their byte; `plain` maps what is no escape.
pub(super) fn decode_escapes(encoded: &[u8], mark: u8, plain: impl Fn(u8) -> u8, out: &mut Vec<u8>) {
    let mut rest = encoded;
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = match behind {
            [high, low, ..] if byte == mark => transfer::hex_value(*high).zip(transfer::hex_value(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            out.push(plain(byte));
            rest = behind;
        }
    }
}

/// Bytes of an encoded word or a parameter of RFC 2231; nothing is guessed, windows-1252 is taken instead (T3.3).
pub(super) fn decode_header_bytes(bytes: &[u8], label: &str) -> String {
    let decoded = charset::decode(bytes, Charset::from_label(label), |_| WINDOWS_1252);
    decoded.map(|text| text.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        decode_words(text.to_owned())
    }

    #[test]
    fn t3_2_words_are_found_anywhere_and_leniently() {
        assert_eq!(decoded("a=?utf-8?q?=C3=BC?=b \"=?iso-8859-1?Q?=fc?=\""), "aüb \"ü\"");
        assert_eq!(decoded("=?=?utf-8?q?a b?="), "=?a b");
        for none in ["=??q?x?=", "=?utf-8?x?y?=", "=?utf-8?q?x?y?=", "=?utf-8?q?x", "=?ü?q?x?=", "=?u t?q?x?=", "=?"] {
            assert_eq!(decoded(none), none);
        }
    }

    #[test]
    fn t3_3_q_b_language_and_false_labels() {
        assert_eq!(decoded("=?us-ascii*en?q?a_b=5f=?="), "a b_=");
        assert_eq!(decoded("=?utf-8?b?w7w?="), "ü");
        assert_eq!(decoded("=?x-nonsense?q?=C3=BC_=FC?="), "Ã¼ ü");
        assert_eq!(decoded("=?x-nonsense?q?=C3=BC?="), "ü");
        assert_eq!(decoded("a =?hz-gb-2312?q?~{<:?="), "a ");
    }

    #[test]
    fn t3_4_white_between_words_goes_and_split_characters_are_joined() {
        assert_eq!(decoded("=?utf-8?q?=C3?= \t=?UTF-8?b?vA==?= x"), "ü x");
        assert_eq!(decoded("=?utf-8?q?a?= =?iso-8859-1?q?=fc?="), "aü");
        assert_eq!(decoded("=?utf-8?q?a?= b =?utf-8?q?c?="), "a b c");
    }
}
