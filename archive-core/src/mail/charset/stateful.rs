//! Stateful 7-bit charsets (docs/TEXT.md, T7.6 to T7.8): those that the WHATWG standard does not decode, or decodes
//! more strictly than mail is written.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, GBK};
use memchr::memmem;

use crate::mail::transfer::base64_value;

/// Replaces half a character; not a lead byte of GBK or EUC-KR.
const HALF: u8 = 0xff;
/// Length of each escape sequence of ISO-2022-JP.
const ESCAPE: usize = 3;

/// ISO-2022-JP as the WHATWG decoder reads it without errors, but for those of the text (T7.7).
pub(super) fn tidy_iso_2022_jp(bytes: &[u8]) -> Cow<'_, [u8]> {
    match lines_that_end_in_ascii(bytes) {
        Cow::Borrowed(bytes) => without_empty_escapes(bytes),
        Cow::Owned(bytes) => Cow::Owned(without_empty_escapes(&bytes).into_owned()),
    }
}

/// A line that ends among pairs, or in half-width katakana, first goes back to ASCII: many programs leave that to the line end.
fn lines_that_end_in_ascii(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let (mut done, mut shifted) = (0, false);
    for at in memchr::memchr3_iter(0x1b, b'\r', b'\n', bytes) {
        match bytes.get(at..).unwrap_or_default() {
            [0x1b, b'$', b'@' | b'B', ..] | [0x1b, b'(', b'I', ..] => shifted = true,
            [0x1b, b'(', b'B' | b'J', ..] => shifted = false,
            [b'\r' | b'\n', ..] if shifted => {
                out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
                out.extend_from_slice(b"\x1b(B");
                (done, shifted) = (at, false);
            }
            _ => {}
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// Removes escape sequences of ISO-2022-JP that are directly followed by another one: the WHATWG decoder treats them as
/// errors (T7.7).
fn without_empty_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_escape = |at: usize| {
        let found = bytes.get(at..at + ESCAPE);
        found.is_some_and(|found| matches!(found, b"\x1b(B" | b"\x1b(J" | b"\x1b(I" | b"\x1b$@" | b"\x1b$B"))
    };
    let mut out = Vec::new();
    let mut done = 0;
    for at in memchr::memchr_iter(0x1b, bytes) {
        if is_escape(at) && is_escape(at + ESCAPE) {
            out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
            done = at + ESCAPE;
        }
    }
    if done == 0 {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// ISO-2022-KR (RFC 1557): pairs of KS X 1001 are between SO and SI.
pub(super) fn decode_iso_2022_kr(bytes: &[u8]) -> String {
    let mut out = Pairs::new(bytes.len());
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        rest = match first {
            0x0e | 0x0f => {
                out.shift(first == 0x0e);
                behind
            }
            0x1b if rest.starts_with(b"\x1b$)C") => rest.get(4..).unwrap_or_default(),
            _ => {
                out.push(first);
                behind
            }
        };
    }
    EUC_KR.decode_without_bom_handling(&out.finish()).0.into_owned()
}

/// HZ (RFC 1843): pairs of GB 2312 are between `~{` and `~}`.
pub(super) fn decode_hz(bytes: &[u8]) -> String {
    let mut out = Pairs::new(bytes.len());
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        rest = match behind {
            [b'{', behind @ ..] if first == b'~' && out.lead.is_none() => {
                out.shift(true);
                behind
            }
            [b'}', behind @ ..] if first == b'~' && out.lead.is_none() => {
                out.shift(false);
                behind
            }
            [b'~', behind @ ..] if first == b'~' && !out.shifted => {
                out.push(b'~');
                behind
            }
            [b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] if first == b'~' && !out.shifted => behind,
            _ => {
                out.push(first);
                behind
            }
        };
    }
    GBK.decode_without_bom_handling(&out.finish()).0.into_owned()
}

/// Pairs of 7 bits as pairs of 8 bits, among ASCII.
struct Pairs {
    out: Vec<u8>,
    shifted: bool,
    /// The first of a pair.
    lead: Option<u8>,
}

impl Pairs {
    fn new(room: usize) -> Self {
        Self { out: Vec::with_capacity(room), shifted: false, lead: None }
    }

    fn shift(&mut self, shifted: bool) {
        self.end_lead();
        self.shifted = shifted;
    }

    fn push(&mut self, byte: u8) {
        if self.shifted && (0x21..=0x7e).contains(&byte) {
            match self.lead.take() {
                None => self.lead = Some(byte | 0x80),
                Some(lead) => self.out.extend_from_slice(&[lead, byte | 0x80]),
            }
            return;
        }
        self.end_lead();
        // Lines end in ASCII.
        self.shifted &= byte != b'\n';
        self.out.push(if byte < 0x80 { byte } else { HALF });
    }

    fn end_lead(&mut self) {
        if self.lead.take().is_some() {
            self.out.push(HALF);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.end_lead();
        self.out
    }
}

/// UTF-7 (RFC 2152).
pub(super) fn decode_utf7(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'+' {
            text.push(if first < 0x80 { char::from(first) } else { char::REPLACEMENT_CHARACTER });
            continue;
        }
        let run = rest.iter().position(|&b| base64_value(b).is_none()).unwrap_or(rest.len());
        let (encoded, behind) = rest.split_at(run);
        push_utf16_run(encoded, &mut text);
        rest = behind;
        if let Some((b'-', behind)) = rest.split_first() {
            if run == 0 {
                text.push('+');
            }
            rest = behind;
        }
    }
    text
}

fn push_utf16_run(encoded: &[u8], text: &mut String) {
    let mut bits = 0u32;
    let mut count = 0u32;
    let units = encoded.iter().filter_map(|&b| {
        bits = (bits << 6) | base64_value(b)?;
        count += 6;
        if count < 16 {
            return None;
        }
        count -= 16;
        let unit = (bits >> count) as u16;
        bits &= (1 << count) - 1;
        Some(unit)
    });
    text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    if count >= 6 || bits != 0 {
        text.push(char::REPLACEMENT_CHARACTER);
    }
}

/// UTF-32. A mark at the beginning takes precedence over `little`, and is removed.
pub(super) fn decode_utf32(bytes: &[u8], little: bool) -> String {
    let (bytes, little) = match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => (rest, true),
        [0, 0, 0xfe, 0xff, rest @ ..] => (rest, false),
        _ => (bytes, little),
    };
    let units = bytes.chunks(4).map(|unit| {
        let unit: [u8; 4] = unit.try_into().ok()?;
        char::from_u32(if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) })
    });
    units.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Whether an escape sequence of ISO-2022-JP that switches to Japanese occurs.
pub(super) fn has_japanese_escape(bytes: &[u8]) -> bool {
    [b"\x1b$@", b"\x1b$B", b"\x1b(J"].iter().any(|escape| memmem::find(bytes, *escape).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t7_6_utf7() {
        assert_eq!(decode_utf7(b"A+ImIDkQ."), "A\u{2262}\u{391}.");
        assert_eq!(decode_utf7(b"Hi Mom -+Jjo--!"), "Hi Mom -\u{263a}-!");
        assert_eq!(decode_utf7(b"1 +- 1 +"), "1 + 1 ");
        assert_eq!(decode_utf7(b"+2AA-\xff"), "\u{fffd}\u{fffd}");
        assert_eq!(decode_utf7(b"+AOlA-"), "é\u{fffd}", "bits that are no character are not passed over");
    }

    #[test]
    fn t7_7_iso_2022_jp_has_no_empty_escapes() {
        let clean = |bytes: &'static [u8]| without_empty_escapes(bytes).into_owned();
        assert_eq!(clean(b"\x1b$B2q\x1b(B\x1b$B5D\x1b(B"), b"\x1b$B2q\x1b$B5D\x1b(B");
        assert_eq!(clean(b"\x1b(B\x1b(B\x1b$B\x1b(Bx"), b"\x1b(Bx");
        assert_eq!(clean(b"a\x1b(B b\x1b"), b"a\x1b(B b\x1b");
    }

    #[test]
    fn t7_7_lines_of_iso_2022_jp_end_in_ascii() {
        let tidy = |bytes: &'static [u8]| tidy_iso_2022_jp(bytes).into_owned();
        assert_eq!(tidy(b"\x1b$B2q\r\n\x1b$B5D\nab"), b"\x1b$B2q\x1b(B\r\n\x1b$B5D\x1b(B\nab");
        assert_eq!(tidy(b"\x1b(I6@\nx\x1b(J\n"), b"\x1b(I6@\x1b(B\nx\x1b(J\n");
        assert_eq!(tidy(b"\x1b$B\nx"), b"\x1b(B\nx", "an escape without text stays none");
    }

    #[test]
    fn t7_8_iso_2022_kr_and_hz() {
        assert_eq!(decode_iso_2022_kr(b"\x1b$)C\x0e>H3gGO<<?d\x0f \x0eH8@G7O\x0f"), "안녕하세요 회의록");
        assert_eq!(decode_iso_2022_kr(b"\x0e>H\na\x0e>\x0fb\xff"), "안\na\u{fffd}b\u{fffd}", "a line ends in ASCII");
        assert_eq!(decode_hz(b"~{;aRi<MR*~} ~~ a~\nb~c"), "会议纪要 ~ ab~c");
        assert_eq!(decode_hz(b"~{;a\nb~{!~~};\n"), "会\nb\u{3013};\n", "the second of a pair may be a tilde");
    }

    #[test]
    fn t7_9_utf_32() {
        assert_eq!(decode_utf32(b"\xff\xfe\0\0\xfc\0\0\0a\0\0\0", false), "üa");
        assert_eq!(decode_utf32(b"\0\0\xfe\xff\0\x01\xf3\x89", true), "🎉");
        assert_eq!(decode_utf32(b"\0\0\0a\0\0\xd8\0\0", false), "a\u{fffd}\u{fffd}");
        assert_eq!(decode_utf32(b"a\0\0\0", true), "a");
    }
}
