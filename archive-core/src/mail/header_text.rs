//! Encoded words in header values (docs/TEXT.md, T3; RFC 2047, read leniently).

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{Encoding, UTF_8};
use memchr::memmem;

use super::charset::{self, Charset, NoDecoder};
use super::transfer;

/// The bytes of a value as characters (T3.1); `guess` is called if they are not UTF-8.
pub(super) fn raw_text<'a>(value: &'a [u8], guess: impl FnOnce(&[u8]) -> &'static Encoding) -> Cow<'a, str> {
    let text = charset::decode(value, Charset::Unlabelled, guess).unwrap_or_default();
    if memchr::memchr(b'\t', text.as_bytes()).is_some() { Cow::Owned(text.replace('\t', " ")) } else { text }
}

/// An encoded word found in a text: byte ranges in it.
#[derive(Clone, Debug)]
pub(super) struct EncodedWord {
    /// The label, without a language after `*`.
    label: Range<usize>,
    base64: bool,
    text: Range<usize>,
    /// Its `?=` is missing.
    is_cut_off: bool,
    /// After the closing `?=`.
    pub(super) end: usize,
}

/// The encoded word that begins at byte `at` of `text`, if one does (T3.2).
pub(super) fn encoded_word_at(text: &str, at: usize) -> Option<EncodedWord> {
    let bytes = text.as_bytes();
    let head = head_at(bytes, at)?;
    let start = head.end;
    let mut end = start;
    let is_cut_off = loop {
        match bytes.get(end..).unwrap_or_default() {
            [b'?', b'=', ..] => break false,
            [b'=', b'?', ..] if head_at(bytes, end).is_some() => break true,
            [] | [0..=8 | 10..=0x1f | 0x7f, ..] => break true,
            _ => end += 1,
        }
    };
    let label_end = memchr::memchr(b'*', bytes.get(head.charset.clone())?).map_or(head.charset.end, |star| head.charset.start + star);
    let label = head.charset.start..label_end;
    if !is_cut_off {
        return Some(EncodedWord { label, base64: head.base64, text: start..end, is_cut_off, end: end + 2 });
    }
    let rest = bytes.get(start..end)?;
    let len = rest.iter().position(|byte| b" \t\"<>".contains(byte)).unwrap_or(rest.len());
    let written = rest.get(..len)?.strip_suffix(b"?").unwrap_or(rest.get(..len)?);
    let is_any = !written.is_empty() && Charset::from_label(text.get(label.clone())?) != Charset::Unlabelled;
    is_any.then_some(EncodedWord { label, base64: head.base64, text: start..start + written.len(), is_cut_off, end: start + len })
}

/// `=?` charset `?` encoding `?`.
struct Head {
    charset: Range<usize>,
    base64: bool,
    end: usize,
}

fn head_at(bytes: &[u8], at: usize) -> Option<Head> {
    let rest = bytes.get(at..)?.strip_prefix(b"=?")?;
    let len = rest.iter().position(|byte| *byte == b'?' || !(0x21..=0x7e).contains(byte)).unwrap_or(rest.len());
    let [b'?', encoding, b'?'] = *rest.get(len..len + 3)? else { return None };
    let base64 = match encoding {
        b'b' | b'B' => true,
        b'q' | b'Q' => false,
        _ => return None,
    };
    (len > 0).then_some(Head { charset: at + 2..at + 2 + len, base64, end: at + len + 5 })
}

/// `text` with its encoded words decoded (T3.3 to T3.5).
pub(super) fn decode_words(text: String) -> String {
    if !text.contains("=?") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut row = Row::default();
    let mut done = 0;
    let mut from = 0;
    while let Some(found) = memmem::find(text.as_bytes().get(from..).unwrap_or_default(), b"=?") {
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
        row.label = Some(label);
        row.push(&word, text.get(at..word.end).unwrap_or_default(), text.get(word.text.clone()).unwrap_or_default(), &mut out);
        done = word.end;
        from = word.end;
    }
    row.end(&mut out);
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// A row of words with one label, whose bytes belong together.
#[derive(Default)]
struct Row<'a> {
    label: Option<&'a str>,
    bytes: Vec<u8>,
    /// Where each word ends in the bytes.
    ends: Vec<usize>,
    /// The words as they are in the text.
    written: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// Adds a word that is `written` in this way and contains `encoded`.
    fn push(&mut self, word: &EncodedWord, written: &'a str, encoded: &str, out: &mut String) {
        if word.base64 {
            self.bytes.append(&mut transfer::decode_base64(encoded.as_bytes()));
        } else {
            let mut rest = encoded;
            // If there is no decoder, the word stays as it is written.
            while let Some(at) = rest.find(|c: char| !c.is_ascii()).filter(|_| self.charset() != Charset::NoDecoder) {
                let (ascii, behind) = rest.split_at(at);
                self.push_quoted(ascii);
                // This character does not depend on the label.
                self.end_bytes(out);
                let mut characters = behind.chars();
                out.extend(characters.next());
                rest = characters.as_str();
            }
            self.push_quoted(if word.is_cut_off { without_half_an_escape(rest) } else { rest });
        }
        if word.is_cut_off {
            self.drop_half_a_character();
        }
        self.ends.push(self.bytes.len());
        self.written.push(written);
    }

    fn push_quoted(&mut self, encoded: &str) {
        decode_escapes(encoded.as_bytes(), b'=', |byte| if byte == b'_' { b' ' } else { byte }, &mut self.bytes);
    }

    fn drop_half_a_character(&mut self) {
        let is_begun = |len: &usize| {
            let end = self.bytes.len().checked_sub(*len).and_then(|at| self.bytes.get(at..)).unwrap_or_default();
            std::str::from_utf8(end).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        };
        if self.charset() == Charset::Encoding(UTF_8)
            && let Some(len) = (1..=3).find(is_begun)
        {
            self.bytes.truncate(self.bytes.len() - len);
        }
    }

    fn charset(&self) -> Charset {
        Charset::from_label(self.label.unwrap_or_default())
    }

    fn end(&mut self, out: &mut String) {
        self.end_bytes(out);
        self.label = None;
    }

    /// Decodes the bytes so far.
    fn end_bytes(&mut self, out: &mut String) {
        if !self.bytes.is_empty() {
            match self.decode() {
                Ok(text) => out.push_str(&text),
                Err(NoDecoder) => self.written.iter().for_each(|written| out.push_str(written)),
            }
        }
        self.bytes.clear();
        self.ends.clear();
        self.written.clear();
    }

    /// Decodes the bytes together, or each word separately if that gives fewer malformed characters (T3.4).
    fn decode(&self) -> Result<String, NoDecoder> {
        let charset = self.charset();
        let joined = decode_as(&self.bytes, charset)?;
        let malformed = joined.matches(char::REPLACEMENT_CHARACTER).count();
        if malformed == 0 || self.ends.len() < 2 || charset == Charset::Encoding(UTF_8) {
            return Ok(joined);
        }
        let mut alone = String::new();
        let mut from = 0;
        for &end in self.ends.iter().chain([&self.bytes.len()]) {
            alone.push_str(&decode_as(self.bytes.get(from..end).unwrap_or_default(), charset)?);
            from = end;
        }
        Ok(if alone.matches(char::REPLACEMENT_CHARACTER).count() < malformed { alone } else { joined })
    }
}

/// The text without an incomplete escape at its end.
fn without_half_an_escape(encoded: &str) -> &str {
    let at = encoded.len() - encoded.len().min(2);
    match encoded.as_bytes().get(at..).unwrap_or_default().iter().position(|byte| *byte == b'=') {
        Some(place) => encoded.get(..at + place).unwrap_or_default(),
        None => encoded,
    }
}

/// Replaces `mark` and two hex digits by their byte; `plain` maps every other byte.
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

/// Decodes the bytes of a parameter of RFC 2231; `None` if there is no decoder.
pub(super) fn decode_header_bytes(bytes: &[u8], label: &str) -> String {
    decode_as(bytes, Charset::from_label(label)).unwrap_or_default()
}

/// Nothing is guessed and recorded here (T3.3).
fn decode_as(bytes: &[u8], charset: Charset) -> Result<String, NoDecoder> {
    charset::decode(bytes, charset, charset::not_guessed).map(Cow::into_owned)
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
        for none in ["=??q?x?=", "=?utf-8?x?y?=", "=?ü?q?x?=", "=?u t?q?x?=", "=?", "=?utf-8?q?", "=?x-nonsense?q?x", "=?utf-8?b?? x"] {
            assert_eq!(decoded(none), none);
        }
    }

    #[test]
    fn t3_2_question_marks_and_raw_characters_belong_to_a_word() {
        assert_eq!(decoded("=?utf-8?q?What?_Is_it?_ja?="), "What? Is it? ja");
        assert_eq!(decoded("=?iso-8859-1?q?Was=20ist das? f=FCr wen??= x"), "Was ist das? für wen? x");
        assert_eq!(decoded("=?UTF-8?Q?Grü=C3=9Fe_日?= =?utf-8?q?!?="), "Grüße 日!");
        assert_eq!(decoded("=?koi8-r?Q?=F0ü=D2?="), "Пüр");
    }

    #[test]
    fn t3_2_a_word_that_is_cut_off_goes_as_far_as_it_can() {
        assert_eq!(decoded("=?utf-8?B?w5xidW5n"), "Übung");
        assert_eq!(decoded("=?utf-8?B?w5xidW5n?"), "Übung");
        assert_eq!(decoded("Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf"), "Re: Grüße.pdf");
        for half in ["=?utf-8?Q?Gr=C3=BC=C3=9", "=?utf-8?Q?Gr=C3=BC=C3=", "=?utf-8?Q?Gr=C3=BC=C3", "=?utf-8?Q?Gr=C3=BC="] {
            assert_eq!(decoded(half), "Grü", "{half}");
        }
        assert_eq!(decoded("=?utf-8?q?=C3=BCber alles"), "über alles");
        assert_eq!(decoded("=?utf-8?b?w5xi =?utf-8?b?dW5n?="), "Übung", "another word begins");
        assert_eq!(decoded("=?utf-8?q?J=C3=BCrgen <a@b>"), "Jürgen <a@b>");
    }

    #[test]
    fn t3_3_q_b_language_and_false_labels() {
        assert_eq!(decoded("=?us-ascii*en?q?a_b=5f=?="), "a b_=");
        assert_eq!(decoded("=?utf-8?b?w7w?="), "ü");
        assert_eq!(decoded("=?x-nonsense?q?=C3=BC_=FC?="), "Ã¼ ü");
        assert_eq!(decoded("=?x-nonsense?q?=C3=BC?="), "ü");
        assert_eq!(decoded("=?iso-8859-1?q?=C3=BC?= =?utf-8?q?caf=E9?="), "ücafé");
        assert_eq!(decoded("a =?hz-gb-2312?q?~{<<GI~}?="), "a 技巧");
        assert_eq!(decoded("a =?viscii?q?=D6?= =?viscii?q?b?= c"), "a =?viscii?q?=D6?==?viscii?q?b?= c", "no decoder");
    }

    #[test]
    fn t3_4_white_between_words_goes_and_split_characters_are_joined() {
        assert_eq!(decoded("=?utf-8?q?=C3?= \t=?UTF-8?b?vA==?= x"), "ü x");
        assert_eq!(decoded("=?utf-8?q?a?= =?iso-8859-1?q?=fc?="), "aü");
        assert_eq!(decoded("=?utf-8?q?a?= b =?utf-8?q?c?="), "a b c");
    }

    #[test]
    fn t3_4_words_of_a_charset_with_states_are_joined_or_not() {
        for (words, text) in [
            // Each word returns to ASCII.
            ("=?ISO-2022-JP?B?GyRCMnE1RCROGyhC?= =?ISO-2022-JP?B?GyRCNUQ7dk8/GyhC?=", "会議の議事録"),
            // One word continues in the next.
            ("=?iso-2022-jp?B?GyRCMnE1RCRO?= =?iso-2022-jp?B?NUQ7dk8/GyhC?=", "会議の議事録"),
            ("=?iso-2022-jp?B?GyRCMnE1?= =?iso-2022-jp?B?RCRONUQ7dk8/GyhC?=", "会議の議事録"),
            // One word does not return, and ASCII follows.
            ("=?iso-2022-jp?B?GyRCMnE1RCRO?= =?iso-2022-jp?Q?Minutes?=", "会議のMinutes"),
            ("=?iso-2022-kr?q?=1B$)C=0E>H3g=0F?= =?iso-2022-kr?q?=1B$)C=0EGO=0F?=", "안녕하"),
            ("=?hz-gb-2312?q?~{;a~}?= =?hz-gb-2312?q?~{Ri~}?=", "会议"),
            ("=?utf-7?q?+AOk?= =?utf-7?q?+AOk-?=", "éé"),
            ("=?utf-7?q?+AO?= =?utf-7?q?k-x?=", "éx"),
            ("=?gb2312?b?u+HS?= =?gb2312?b?6Q==?=", "会议"),
        ] {
            assert_eq!(decoded(words), text, "{words}");
        }
    }

    #[test]
    fn t3_1_a_tab_is_a_blank() {
        assert_eq!(raw_text(b"a\tb", |_| UTF_8), "a b");
    }
}
