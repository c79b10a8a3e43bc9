//! Bytes to characters: labels, byte order marks, wrong labels, the guess (docs/TEXT.md, T7).
//!
//! Decoders and labels are those of the WHATWG Encoding standard; this module adds labels that no browser knows, and
//! charsets that only mail has.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1252};

use code_pages::CodePage;

mod code_pages;
mod labels;
mod stateful;

/// What a charset label means (T7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// No label, or a meaningless one.
    Unlabelled,
    /// An encoding of the WHATWG standard.
    Encoding(&'static Encoding),
    /// A code page of DOS or a character set of the Mac.
    CodePage(CodePage),
    /// RFC 2152.
    Utf7,
    Utf32 {
        little: bool,
    },
    /// RFC 1843.
    Hz,
    /// RFC 1557.
    Iso2022Kr,
    /// A known charset without a decoder here.
    NoDecoder,
}

/// There is no text, since the charset has no decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoDecoder;

/// Decodes `bytes` (T7.2 to T7.9); `guess` is called if neither a label nor the bytes tell the encoding, and if the
/// label is wrong.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    charset: Charset,
    guess: impl FnOnce(&[u8]) -> &'static Encoding,
) -> Result<Cow<'a, str>, NoDecoder> {
    if let Charset::Utf32 { little } = charset
        && has_nul(bytes)
    {
        return Ok(Cow::Owned(stateful::decode_utf32(bytes, little)));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(decode_as(bytes.get(mark..).unwrap_or_default(), encoding));
    }
    Ok(match charset {
        Charset::Encoding(encoding) => decode_labelled(bytes, encoding, guess),
        Charset::CodePage(page) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.is_ascii() => decode_as(bytes, guess(bytes)),
            _ => Cow::Owned(code_pages::decode(bytes, page)),
        },
        Charset::Utf7 => Cow::Owned(stateful::decode_utf7(bytes)),
        Charset::Hz => Cow::Owned(stateful::decode_hz(bytes)),
        Charset::Iso2022Kr => Cow::Owned(stateful::decode_iso_2022_kr(bytes)),
        Charset::NoDecoder => Cow::Borrowed(plain_ascii(bytes).ok_or(NoDecoder)?),
        Charset::Unlabelled | Charset::Utf32 { .. } => decode_unlabelled(bytes, guess),
    })
}

/// The encoding that a detector finds for bytes without a correct label (T7.5); never ISO-2022-JP, which was tried
/// before.
pub(super) fn guess<'a>(bytes: impl IntoIterator<Item = &'a [u8]>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for piece in bytes {
        detector.feed(piece, false);
    }
    detector.feed(b"", true);
    detector.guess(None, Utf8Detection::Allow)
}

/// What replaces a guess where none is made and recorded (T3.3).
pub(super) fn not_guessed(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 }
}

/// The encoding a recorded guess names (T7.5).
pub(super) fn recorded(name: &str) -> &'static Encoding {
    Encoding::for_label(name.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).unwrap_or(WINDOWS_1252)
}

fn decode_as<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Cow<'a, str> {
    decode_checked(bytes, encoding).0
}

/// The text, and whether any bytes were malformed.
fn decode_checked<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> (Cow<'a, str>, bool) {
    if encoding == ISO_2022_JP
        && let Cow::Owned(bytes) = stateful::tidy_iso_2022_jp(bytes)
    {
        let (text, malformed) = encoding.decode_without_bom_handling(&bytes);
        return (Cow::Owned(text.into_owned()), malformed);
    }
    encoding.decode_without_bom_handling(bytes)
}

/// T7.10.
fn decode_labelled<'a>(bytes: &'a [u8], encoding: &'static Encoding, guess: impl FnOnce(&[u8]) -> &'static Encoding) -> Cow<'a, str> {
    if encoding.is_single_byte() {
        return match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Cow::Borrowed(text),
            Ok(text) if encoding != WINDOWS_874 || text.chars().any(is_thai) => decode_as(bytes, guess(bytes)),
            _ => decode_as(bytes, encoding),
        };
    }
    if encoding == UTF_8 {
        // Nearly all text is that: it is looked through once.
        return match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if is_mostly_utf8(bytes) => decode_as(bytes, UTF_8),
            Err(_) => decode_as(bytes, guess(bytes)),
        };
    }
    let is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
    if is_utf16 && !has_nul(bytes) {
        return decode_unlabelled(bytes, guess);
    }
    match decode_checked(bytes, encoding) {
        (_, true) if !is_utf16 && !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() => decode_as(bytes, guess(bytes)),
        (text, _) => text,
    }
}

/// T7.4.
fn decode_unlabelled<'a>(bytes: &'a [u8], guess: impl FnOnce(&[u8]) -> &'static Encoding) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if memchr::memchr(0x1b, bytes).is_some() && bytes.is_ascii() && stateful::has_japanese_escape(bytes) => {
            decode_as(text.as_bytes(), ISO_2022_JP)
        }
        Ok(text) => Cow::Borrowed(text),
        Err(_) => decode_as(bytes, guess(bytes)),
    }
}

/// Whether there are at most as many malformed sequences as well-formed characters of several bytes.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut formed, mut malformed) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        formed += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        malformed += usize::from(!chunk.invalid().is_empty());
    }
    malformed <= formed
}

fn is_thai(c: char) -> bool {
    ('\u{e00}'..='\u{e7f}').contains(&c)
}

fn has_nul(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes).is_some()
}

/// Text that needs no decoder: ASCII without bytes that switch to another state.
fn plain_ascii(bytes: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| byte.is_ascii() && !matches!(byte, 0x0e | 0x0f | 0x1b);
    std::str::from_utf8(bytes).ok().filter(|text| text.as_bytes().iter().all(is_plain))
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
        assert_eq!(text(b"\x9aber", "cp850"), "Über");
        assert_eq!(text(b"\0\0\0p", "utf-32"), "p");
        assert_eq!(text(b"plain", "utf-32"), "plain");
        assert_eq!(Charset::from_label("no such charset"), Charset::Unlabelled);
    }

    #[test]
    fn t7_2_a_charset_without_decoder_gives_its_ascii_and_nothing_else() {
        let decoded = |bytes: &'static [u8], label| decode(bytes, Charset::from_label(label), |b| guess([b])).map(Cow::into_owned);
        assert_eq!(decoded(b"plain\n", "viscii"), Ok("plain\n".to_owned()));
        assert_eq!(decoded(b"Ti\xaang", "viscii"), Err(NoDecoder));
        assert_eq!(decoded(b"\x1b$)A\x0e=;;;\x0f", "iso-2022-cn"), Err(NoDecoder));
    }

    #[test]
    fn t7_3_a_byte_order_mark_wins() {
        assert_eq!(text(b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "iso-8859-1"), "Grüße");
        assert_eq!(text(b"\xfe\xff\0a", "us-ascii"), "a");
        assert_eq!(text(b"\xff\xfe\0\0a\0\0\0", "utf-32be"), "a");
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
    fn t7_10_utf_8_under_a_label_of_single_bytes() {
        for label in ["iso-8859-1", "windows-1252", "koi8-r", "iso-8859-15", "macintosh", "cp850", "x-mac-ce", "windows-1251"] {
            assert_eq!(text("Überweisung Köln".as_bytes(), label), "Überweisung Köln", "{label}");
        }
        assert_eq!(text("สวัสดี".as_bytes(), "tis-620"), "สวัสดี");
        assert_eq!(text(b"\xe1\xb4\xa7", "tis-620"), "แดง", "a word of Thai that happens to be UTF-8");
        assert_eq!(text(b"\xc3\xbc \xfc", "iso-8859-1"), "Ã¼ ü", "all of it has to be UTF-8");
        for label in ["gb2312", "big5", "shift_jis", "euc-kr", "euc-jp", "iso-2022-jp", "gb18030"] {
            assert_eq!(text("会议的纪要，见附件。".as_bytes(), label), "会议的纪要，见附件。", "{label}");
        }
    }

    #[test]
    fn t7_10_what_is_not_utf_8_under_that_label_is_guessed() {
        assert_eq!(text(b"die Gr\xfc\xdfe aus K\xf6ln", "utf-8"), "die Grüße aus Köln");
        let (koi8, _, _) = encoding_rs::KOI8_R.encode("Москва - столица России, большой город");
        assert_eq!(text(&koi8, "utf-8"), "Москва - столица России, большой город");
        assert_eq!(text("Grüße aus K\u{f6}ln".as_bytes(), "utf-8"), "Grüße aus Köln");
        assert_eq!(text(b"Gr\xc3\xbc\xc3\x9fe \xe2\x82", "utf-8"), "Grüße \u{fffd}", "cut short, but UTF-8");
    }
}
