//! Bytes to characters: labels, byte order marks, the guess (docs/TEXT.md, T7).
//!
//! Decoders and labels are those of the WHATWG Encoding standard; on top lie a table of labels that lie or that no browser knows, and UTF-7,
//! which only mail has.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, ISO_2022_JP, ISO_8859_15, KOI8_R, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

/// What a charset label means (T7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// No label, or one that says nothing.
    Unlabelled,
    /// An encoding of the WHATWG standard.
    Encoding(&'static Encoding),
    /// RFC 2152.
    Utf7,
    /// A label that the standard maps to "replacement": there is no text.
    Replacement,
}

impl Charset {
    /// The meaning of a label, as written in the mail.
    pub(super) fn from_label(label: &str) -> Self {
        let label = label.trim_matches(|c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '\x0c'));
        // No label known is longer; this bounds the copy that lower case needs.
        if label.len() > 40 {
            return Self::Unlabelled;
        }
        let label = label.to_ascii_lowercase();
        match label.as_str() {
            "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown" | "unknown-8bit" | "x-unknown" | "default" | "default_charset"
            | "none" | "binary" | "7bit" | "8bit" | "charset" => Self::Unlabelled,
            "uft-8" | "utf_8" | "utf8mb4" | "utf" | "utf-8-purple" => Self::Encoding(UTF_8),
            "_iso-2022-jp" | "_iso-2022-jp$esc" | "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "cp50220" => {
                Self::Encoding(ISO_2022_JP)
            }
            "shift-jis" | "cp932" => Self::Encoding(SHIFT_JIS),
            "eucgb2312_cn" | "cp936" => Self::Encoding(GBK),
            "cp949" => Self::Encoding(EUC_KR),
            "cp950" => Self::Encoding(BIG5),
            "koi8_r" => Self::Encoding(KOI8_R),
            "iso-8858-15" => Self::Encoding(ISO_8859_15),
            "unicodebig" => Self::Encoding(UTF_16BE),
            "utf-7" | "unicode-1-1-utf-7" | "x-utf-7" => Self::Utf7,
            other => match Encoding::for_label(other.as_bytes()) {
                None => Self::Unlabelled,
                Some(encoding) if encoding == REPLACEMENT => Self::Replacement,
                Some(encoding) => Self::Encoding(encoding),
            },
        }
    }
}

/// There is no text, since the charset has no decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoDecoder;

/// Decodes `bytes` (T7.2 to T7.6); `guess` is asked only where neither a label nor the bytes say what they are.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    charset: Charset,
    guess: impl FnOnce(&[u8]) -> &'static Encoding,
) -> Result<Cow<'a, str>, NoDecoder> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(decode_as(bytes.get(mark..).unwrap_or_default(), encoding));
    }
    match charset {
        Charset::Replacement => Err(NoDecoder),
        Charset::Utf7 => Ok(Cow::Owned(decode_utf7(bytes))),
        Charset::Encoding(encoding) if !is_false_utf16(bytes, encoding) => Ok(decode_as(bytes, encoding)),
        Charset::Encoding(_) | Charset::Unlabelled => Ok(decode_unlabelled(bytes, guess)),
    }
}

/// The encoding that a detector takes `bytes` for (T7.5); never UTF-8 or ISO-2022-JP, which were tried before.
pub(super) fn guess<'a>(bytes: impl IntoIterator<Item = &'a [u8]>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for piece in bytes {
        detector.feed(piece, false);
    }
    detector.feed(b"", true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The encoding a recorded guess names (T7.5).
pub(super) fn recorded(name: &str) -> &'static Encoding {
    Encoding::for_label(name.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).unwrap_or(WINDOWS_1252)
}

fn decode_as<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Cow<'a, str> {
    if encoding == ISO_2022_JP
        && let Some(bytes) = without_idle_escapes(bytes)
    {
        return Cow::Owned(ISO_2022_JP.decode_without_bom_handling(&bytes).0.into_owned());
    }
    encoding.decode_without_bom_handling(bytes).0
}

/// The bytes without escape sequences that another follows directly, if there are such: encoded words that were joined have them, and the
/// standard makes U+FFFD of each (T7.1).
fn without_idle_escapes(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_escape = |at: usize| matches!(bytes.get(at..at + 3), Some(b"\x1b$@" | b"\x1b$B" | b"\x1b(B" | b"\x1b(J" | b"\x1b(I"));
    let mut idle = memchr::memchr_iter(0x1b, bytes).filter(|&at| is_escape(at) && is_escape(at + 3)).peekable();
    idle.peek()?;
    let mut kept = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for at in idle {
        kept.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        done = at + 3;
    }
    kept.extend_from_slice(bytes.get(done..).unwrap_or_default());
    Some(kept)
}

/// T7.4.
fn decode_unlabelled<'a>(bytes: &'a [u8], guess: impl FnOnce(&[u8]) -> &'static Encoding) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if memchr::memchr(0x1b, bytes).is_some() && bytes.is_ascii() && has_japanese_escape(bytes) => {
            decode_as(text.as_bytes(), ISO_2022_JP)
        }
        Ok(text) => Cow::Borrowed(text),
        Err(_) => decode_as(bytes, guess(bytes)),
    }
}

fn has_japanese_escape(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0x1b, bytes).any(|at| {
        let rest = bytes.get(at..).unwrap_or_default();
        rest.starts_with(b"\x1b$@") || rest.starts_with(b"\x1b$B") || rest.starts_with(b"\x1b(J")
    })
}

fn is_false_utf16(bytes: &[u8], encoding: &'static Encoding) -> bool {
    (encoding == UTF_16LE || encoding == UTF_16BE) && memchr::memchr(0, bytes).is_none()
}

/// T7.6 (RFC 2152).
fn decode_utf7(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'+' {
            text.push(if first < 0x80 { char::from(first) } else { char::REPLACEMENT_CHARACTER });
            continue;
        }
        let run = rest.iter().position(|&b| super::transfer::base64_value(b).is_none()).unwrap_or(rest.len());
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
        bits = (bits << 6) | super::transfer::base64_value(b)?;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], label: &str) -> String {
        decode(bytes, Charset::from_label(label), |b| guess([b])).unwrap().into_owned()
    }

    #[test]
    fn t7_2_false_labels_and_whatwg_labels() {
        assert_eq!(text(b"Gr\xc3\xbc\xdfe", "uft-8"), "Gr\u{fc}\u{fffd}e");
        assert_eq!(text(b"\x80uro", " ISO-8859-1 "), "\u{20ac}uro");
        assert_eq!(text("Grüße".as_bytes(), "us-ascii"), "Grüße");
        assert_eq!(text(b"plain", "utf-16"), "plain");
        assert_eq!(text(b"p\0l\0", "utf-16"), "pl");
        assert_eq!(text(b"\0p\0l", "unicodebig"), "pl");
        assert_eq!(decode(b"x", Charset::from_label("hz-gb-2312"), |b| guess([b])), Err(NoDecoder));
        assert_eq!(Charset::from_label("no such charset"), Charset::Unlabelled);
    }

    #[test]
    fn t7_3_a_byte_order_mark_wins() {
        assert_eq!(text(b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "iso-8859-1"), "Grüße");
        assert_eq!(text(b"\xfe\xff\0a", "us-ascii"), "a");
    }

    #[test]
    fn t7_4_without_label_japanese_escapes_then_utf8_then_the_guess() {
        assert_eq!(text(b"\x1b$B$3$s\x1b(B", ""), "こん");
        assert_eq!(text("Grüße".as_bytes(), ""), "Grüße");
        assert_eq!(text(b"\x1b[1m", ""), "\u{1b}[1m");
        assert_eq!(text(b"die Gr\xfc\xdfe aus K\xf6ln", ""), "die Grüße aus Köln");
    }

    #[test]
    fn t7_5_a_recorded_name_that_is_none_is_windows_1252() {
        assert_eq!(recorded("koi8-r").name(), "KOI8-R");
        assert_eq!(recorded("gibberish").name(), "windows-1252");
    }

    #[test]
    fn t7_6_utf7() {
        assert_eq!(text(b"A+ImIDkQ.", "utf-7"), "A\u{2262}\u{391}.");
        assert_eq!(text(b"Hi Mom -+Jjo--!", "unicode-1-1-utf-7"), "Hi Mom -\u{263a}-!");
        assert_eq!(text(b"1 +- 1 +", "utf-7"), "1 + 1 ");
        assert_eq!(text(b"+2AA-\xff", "utf-7"), "\u{fffd}\u{fffd}");
    }
}
