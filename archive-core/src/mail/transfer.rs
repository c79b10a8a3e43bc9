//! Transfer decoding, lenient and a piece at a time (docs/TEXT.md, T6).
//!
//! For text only: what must be restored byte for byte is decided elsewhere, and exactly.

use memchr::memchr3;

use super::media::{Encoding, LineEnd, is_space, trim_end};

/// The most spaces at the end of a line that are held back; longer runs are passed on.
const MOST_SPACES: usize = 64 * 1024;

/// Decodes bytes as they arrive.
#[derive(Debug)]
pub(super) enum Decoder {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    pub(super) fn new(encoding: Encoding, line_end: LineEnd) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Base64 => Self::Base64(Base64::default()),
            Encoding::QuotedPrintable => Self::QuotedPrintable(QuotedPrintable { held: Held::Nothing, spaces: Vec::new(), line_end }),
        }
    }

    /// Decodes the next bytes of the body to the end of `out`, which grows by no more than `bytes` (and the spaces held
    /// back) justify.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Identity => out.extend_from_slice(bytes),
            Self::Base64(decoder) => decoder.push(bytes, out),
            Self::QuotedPrintable(decoder) => decoder.push(bytes, out),
        }
    }

    /// The end of the body.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Identity => {}
            Self::Base64(decoder) => decoder.finish(out),
            Self::QuotedPrintable(decoder) => decoder.finish(out),
        }
    }
}

/// Not a character of the alphabet.
const STRANGER: u8 = 0x80;

/// The six bits of each character of RFC 4648 section 4.
const BASE64: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [STRANGER; 256];
    let mut at = 0;
    while at < alphabet.len() {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values
};

/// The six bits of a character.
pub(super) fn base64_value(byte: u8) -> Option<u32> {
    BASE64.get(usize::from(byte)).filter(|&&value| value != STRANGER).map(|&value| u32::from(value))
}

/// T6.3.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    characters: u32,
    /// After padding: the bytes examined, up to [`MOST_LOOKED_AT`], to see whether more data follow.
    look: Option<Vec<u8>>,
    ended: bool,
}

/// The most bytes of a line after padding that are examined.
const MOST_LOOKED_AT: usize = 1024;

impl Base64 {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve(bytes.len() / 4 * 3 + 3);
        let mut rest = bytes;
        while !self.ended {
            if self.look.is_none() && self.characters == 0 {
                rest = rest.get(whole_groups(rest, out)..).unwrap_or_default();
            }
            let Some((&byte, behind)) = rest.split_first() else {
                return;
            };
            rest = behind;
            match &mut self.look {
                None => self.step(byte, out),
                Some(line) => match byte {
                    b'=' | b' ' | b'\t' | b'\r' | b'\n' if line.is_empty() => {}
                    b'\r' | b'\n' => self.judge(out),
                    _ => {
                        line.push(byte);
                        if line.len() == MOST_LOOKED_AT {
                            self.judge(out);
                        }
                    }
                },
            }
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match base64_value(byte) {
            Some(value) => self.take(value, out),
            None if byte == b'=' => {
                self.flush(out);
                self.look = Some(Vec::new());
            }
            None => {}
        }
    }

    fn take(&mut self, value: u32, out: &mut Vec<u8>) {
        self.bits = (self.bits << 6) | value;
        self.characters += 1;
        if self.characters == 4 {
            let [_, a, b, c] = self.bits.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            (self.bits, self.characters) = (0, 0);
        }
    }

    /// Whether the line after padding is base64: another piece, which is decoded, or the end.
    fn judge(&mut self, out: &mut Vec<u8>) {
        let Some(line) = self.look.take() else { return };
        let text = trim_end(&line, is_space);
        let is_base64 = text.iter().all(|&byte| byte == b'=' || base64_value(byte).is_some());
        self.ended = !is_base64 || text.is_empty() || !(text.len().is_multiple_of(4) || line.len() == MOST_LOOKED_AT);
        if self.ended {
            return;
        }
        for &byte in text {
            match base64_value(byte) {
                Some(value) => self.take(value, out),
                None => self.flush(out),
            }
        }
        self.look = text.ends_with(b"=").then(Vec::new);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.judge(out);
        self.flush(out);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        match self.characters {
            2 => out.push((self.bits >> 4) as u8),
            3 => out.extend_from_slice(&[(self.bits >> 10) as u8, (self.bits >> 2) as u8]),
            _ => {}
        }
        (self.bits, self.characters) = (0, 0);
    }
}

/// Decodes the groups of four characters at the beginning of `bytes`, up to the first other character. Returns how many
/// bytes they are.
fn whole_groups(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let mut used = 0;
    for group in bytes.chunks_exact(4) {
        let mut bits = 0;
        let mut strange = 0;
        for &byte in group {
            let value = BASE64.get(usize::from(byte)).copied().unwrap_or(STRANGER);
            strange |= value;
            bits = (bits << 6) | u32::from(value);
        }
        if strange & STRANGER != 0 {
            break;
        }
        let [_, a, b, c] = u32::to_be_bytes(bits);
        out.extend_from_slice(&[a, b, c]);
        used += 4;
    }
    used
}

/// T6.4. What cannot be decided before the next byte is held back.
#[derive(Debug)]
pub(super) struct QuotedPrintable {
    held: Held,
    spaces: Vec<u8>,
    line_end: LineEnd,
}

#[derive(Clone, Copy, Debug)]
enum Held {
    Nothing,
    Equals,
    EqualsAndDigit(u8),
}

impl QuotedPrintable {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if matches!(self.held, Held::Nothing) && self.spaces.is_empty() {
                // Spaces are literal if something else follows in the line.
                let text = rest.get(..memchr3(b'=', b'\r', b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
                let text = trim_end(text, is_space);
                out.extend_from_slice(text);
                rest = rest.get(text.len()..).unwrap_or_default();
            }
            let Some((&byte, behind)) = rest.split_first() else {
                return;
            };
            rest = behind;
            self.step(byte, out);
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match if byte == self.line_end.byte() { b'\n' } else { byte } {
            b' ' | b'\t' | b'\r' => {
                if let Held::EqualsAndDigit(_) = self.held {
                    self.release(out);
                }
                self.spaces.push(byte);
                if self.spaces.len() >= MOST_SPACES {
                    self.release(out);
                }
            }
            b'\n' => {
                let soft = matches!(self.held, Held::Equals);
                self.spaces.clear();
                if soft {
                    self.held = Held::Nothing;
                } else {
                    self.release(out);
                    out.push(b'\n');
                }
            }
            b'=' => {
                self.release(out);
                self.held = Held::Equals;
            }
            _ => match (self.held, hex_value(byte)) {
                (Held::Equals, Some(_)) if self.spaces.is_empty() => self.held = Held::EqualsAndDigit(byte),
                (Held::EqualsAndDigit(first), Some(low)) if self.spaces.is_empty() => {
                    out.push(hex_value(first).unwrap_or(0) << 4 | low);
                    self.held = Held::Nothing;
                }
                _ => {
                    self.release(out);
                    out.push(byte);
                }
            },
        }
    }

    /// What was held back turned out to be literal.
    fn release(&mut self, out: &mut Vec<u8>) {
        match self.held {
            Held::Nothing => {}
            Held::Equals => out.push(b'='),
            Held::EqualsAndDigit(digit) => out.extend_from_slice(&[b'=', digit]),
        }
        self.held = Held::Nothing;
        out.append(&mut self.spaces);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.spaces.clear();
        if matches!(self.held, Held::Equals) {
            self.held = Held::Nothing;
        }
        self.release(out);
    }
}

/// The value of a hexadecimal digit, in any case.
pub(super) fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Decodes a whole short text, such as an encoded word's.
pub(super) fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut decoder = Base64::default();
    decoder.push(bytes, &mut out);
    decoder.finish(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, bytes: &[u8]) -> String {
        let whole = decoded_in_pieces(encoding, bytes, bytes.len().max(1));
        assert_eq!(whole, decoded_in_pieces(encoding, bytes, 1), "pieces change nothing");
        String::from_utf8(whole).unwrap()
    }

    fn decoded_in_pieces(encoding: Encoding, bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut decoder = Decoder::new(encoding, LineEnd::Lf);
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.push(piece, &mut out);
        }
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn t6_3_base64_skips_strangers() {
        let base64 = |bytes| decoded(Encoding::Base64, bytes);
        assert_eq!(base64(b"R3J\r\n!1bWVs"), "Grumel");
        assert_eq!(base64(b"YWJjYQ"), "abca");
        assert_eq!(base64(b"YWJjYWI"), "abcab");
        assert_eq!(base64(b"YWJjY"), "abc");
    }

    #[test]
    fn t6_3_base64_goes_on_behind_padding_where_more_base64_follows() {
        let base64 = |bytes: &str| decoded(Encoding::Base64, bytes.as_bytes());
        for pieces in ["YWI=\nYWI=", "YWI=YWI=", "YWI=\r\n\r\n YWI= \r\n", "YWI==\n=\nYWI=\n\n", "YWI=\nYWI="] {
            assert_eq!(base64(pieces), "abab", "{pieces:?}");
        }
        assert_eq!(base64("YQ==\nYWJj\nYWJj\nYg==\nYWJjYWJj\nYWJj\nYQ"), "aabcabcbabcabcabca");
        assert_eq!(base64("YQ==YQ==YQ==\nYQ==YQ==\nYWJj\n"), "aaaaaabc");
        let long = format!("YQ==\n{}\n", "YWJj".repeat(1000));
        assert_eq!(base64(&long), format!("a{}", "abc".repeat(1000)));
        for text in ["____\n", "-- \nlist", "This is a list.\nYWJj", "words\n", "YWJ!\n", "YWJ\n", "=\n", "http://example.org/"] {
            assert_eq!(base64(&format!("YWI=\n{text}")), "ab", "{text:?}");
        }
    }

    #[test]
    fn t6_4_quoted_printable_is_lenient() {
        let quoted = |bytes| decoded(Encoding::QuotedPrintable, bytes);
        assert_eq!(quoted(b"a=3D=3d b \t\r\nc=\r\nd= \t\ne"), "a== b\ncde");
        assert_eq!(quoted(b"==41=4=\nx=zz=4 1="), "=A=4x=zz=4 1");
        assert_eq!(quoted(b"foo==\nbar=20\nx = y  "), "foo=bar \nx = y");
        assert_eq!(quoted(b"=4\n=4"), "=4\n=4");
    }

    #[test]
    fn t6_4_lines_may_end_with_cr_alone() {
        let mut decoder = Decoder::new(Encoding::QuotedPrintable, LineEnd::Cr);
        let mut out = Vec::new();
        decoder.push(b"a=\rb \rc\nd", &mut out);
        decoder.finish(&mut out);
        assert_eq!(out, b"ab\nc\nd");
    }
}
