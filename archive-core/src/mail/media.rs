//! Header blocks as sequences of fields, and the fields that describe a body: Content-Type, Content-Transfer-Encoding,
//! Content-Disposition, Content-ID (RFC 2045, 2183), read leniently. Values stay bytes: their charset is not known
//! here, and encoded words and the charsets of RFC 2231 are left to the code that shows names.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::{memchr, memchr2};

use super::header_text::decode_escapes;

/// The byte that ends lines: LF (a CR directly before it belongs to the line end), or CR in mails that have no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// LF or CRLF.
    Lf,
    /// CR alone.
    Cr,
}

impl LineEnd {
    /// The last byte of a line end.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Lf => b'\n',
            Self::Cr => b'\r',
        }
    }

    /// `line` without its line end, if it has one.
    #[must_use]
    pub fn strip(self, line: &[u8]) -> &[u8] {
        match (self, line.strip_suffix(&[self.byte()])) {
            (Self::Lf, Some(text)) => text.strip_suffix(b"\r").unwrap_or(text),
            (_, text) => text.unwrap_or(line),
        }
    }
}

/// One field of a header block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as written, without the colon and without `>` before it: one or more visible ASCII characters.
    pub name: &'a [u8],
    /// What follows the colon, folded as written, including the last line end.
    pub folded: &'a [u8],
    /// The whole field as written: all its lines with their line ends.
    pub raw: &'a [u8],
    /// Where `raw` begins in the block.
    pub at: usize,
    line_end: LineEnd,
}

impl<'a> Field<'a> {
    /// The value: all lines joined after removing their line ends. White space stays.
    #[must_use]
    pub fn value(&self) -> Cow<'a, [u8]> {
        if line_len(self.folded, self.line_end) == self.folded.len() {
            return Cow::Borrowed(self.line_end.strip(self.folded));
        }
        let mut value = Vec::with_capacity(self.folded.len());
        for line in lines(self.folded, self.line_end) {
            value.extend_from_slice(self.line_end.strip(line));
        }
        Cow::Owned(value)
    }

    /// Whether the field has this name, in any ASCII case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header block in order. Lines that are neither field nor continuation are passed over.
pub fn fields(block: &[u8], line_end: LineEnd) -> impl Iterator<Item = Field<'_>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let mut end = line_len(rest, line_end);
            while rest.get(end).is_some_and(|&byte| is_space(byte)) {
                end += line_len(rest.get(end..).unwrap_or_default(), line_end);
            }
            let (raw, behind) = rest.split_at(end);
            let at = block.len() - rest.len();
            rest = behind;
            if let Some(field) = field(raw, at, line_end) {
                return Some(field);
            }
        }
    })
}

fn field(raw: &[u8], at: usize, line_end: LineEnd) -> Option<Field<'_>> {
    let colon = memchr(b':', raw.get(..line_len(raw, line_end))?)?;
    let (name, behind) = raw.split_at(colon);
    let name = unquoted_name(trim_end(name, is_space));
    let visible = !name.is_empty() && name.iter().all(|byte| (0x21..=0x7e).contains(byte));
    visible.then_some(Field { name, folded: behind.get(1..)?, raw, at, line_end })
}

/// A name without the `>` that quoting of `From` in mailboxes put before it (T2.5).
pub(crate) fn unquoted_name(name: &[u8]) -> &[u8] {
    trim_start(name, |byte| byte == b'>')
}

/// Bytes of the longest field name that is looked for.
const MAX_NAME: usize = 64;

/// Whether a line is a field that mails have (T2.2); `None`: more of it has to be known.
pub(crate) fn begins_with_known_field(line: &[u8]) -> Option<bool> {
    let window = line.get(..MAX_NAME).unwrap_or(line);
    match memchr(b':', window) {
        Some(colon) => Some(is_known_name(unquoted_name(trim_end(window.get(..colon)?, is_space)))),
        None if window.len() == MAX_NAME || window.iter().any(|byte| b"\r\n".contains(byte)) => Some(false),
        None => None,
    }
}

/// Whether fields of this name are common in mails and rare in other texts.
pub(crate) fn is_known_name(name: &[u8]) -> bool {
    const NAMES: &[&str] = &[
        "from",
        "to",
        "cc",
        "bcc",
        "date",
        "subject",
        "sender",
        "reply-to",
        "message-id",
        "in-reply-to",
        "references",
        "received",
        "return-path",
        "mime-version",
        "delivered-to",
        "envelope-to",
        "errors-to",
        "precedence",
        "organization",
        "newsgroups",
        "path",
        "lines",
        "status",
        "dkim-signature",
        "arc-seal",
        "authentication-results",
        "received-spf",
        "user-agent",
        "importance",
        "priority",
        "apparently-to",
        "xref",
        "summary",
    ];
    const STARTS: [&str; 4] = ["x-", "list-", "resent-", "content-"];
    let begins = |start: &&str| name.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()));
    let visible = name.iter().all(|byte| (0x21..=0x7e).contains(byte));
    visible && (NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) || STARTS.iter().any(begins))
}

/// The lines of `bytes` with their line ends.
pub fn lines(bytes: &[u8], line_end: LineEnd) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (line, behind) = rest.split_at(line_len(rest, line_end));
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

fn line_len(bytes: &[u8], line_end: LineEnd) -> usize {
    memchr(line_end.byte(), bytes).map_or(bytes.len(), |at| at + 1)
}

/// How a body is encoded for transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// 7bit, 8bit, binary, none, or an unknown name: the bytes are the body.
    #[default]
    Identity,
    /// base64 (RFC 2045 section 6.8).
    Base64,
    /// quoted-printable (RFC 2045 section 6.7).
    QuotedPrintable,
}

/// The contents of the content fields of a header block. If several fields have the same name, the first counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// `type/subtype`, ASCII lowercased; the default type if there is no usable Content-Type.
    pub media: Vec<u8>,
    /// Parameters of Content-Type.
    pub parameters: Parameters,
    /// The transfer encoding.
    pub encoding: Encoding,
    /// Disposition, ASCII lowercased; empty if there is none.
    pub disposition: Vec<u8>,
    /// Parameters of Content-Disposition.
    pub disposition_parameters: Parameters,
    /// Content-ID without angle brackets and white space; empty if there is none.
    pub id: Vec<u8>,
}

impl Content {
    /// Reads the fields of a header block. `default_media` is the type if there is no usable one.
    #[must_use]
    pub fn read(fields: &[Field<'_>], default_media: &str) -> Self {
        let [mut kind, mut encoding, mut disposition, mut id] = [None, None, None, None];
        for field in fields {
            let place = match field.name.len() {
                12 if field.is("content-type") => &mut kind,
                25 if field.is("content-transfer-encoding") => &mut encoding,
                19 if field.is("content-disposition") => &mut disposition,
                10 if field.is("content-id") => &mut id,
                _ => continue,
            };
            if place.is_none() {
                *place = Some(field.value());
            }
        }
        let (media, parameters) = content_field(&kind.unwrap_or_default());
        let (disposition, disposition_parameters) = content_field(&disposition.unwrap_or_default());
        let encoding = match content_field(&encoding.unwrap_or_default()).0.as_slice() {
            b"base64" => Encoding::Base64,
            b"quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Identity,
        };
        let id = id.unwrap_or_default();
        let id = split_at_byte(trim_start(&id, |byte| is_white(byte) || byte == b'<'), b'>').0;
        let id = trim_end(id, is_white).to_vec();
        let media = media_of(&media).unwrap_or_else(|| default_media.as_bytes().to_vec());
        Self { media, parameters, encoding, disposition, disposition_parameters, id }
    }

    /// A body of plain text without any other property.
    #[must_use]
    pub fn plain() -> Self {
        Self { media: b"text/plain".to_vec(), ..Self::default() }
    }

    /// The charset label as written; empty if there is none.
    #[must_use]
    pub fn charset(&self) -> Vec<u8> {
        cut_at_white(&self.parameters.value("charset").unwrap_or_default()).to_vec()
    }

    /// The boundary of a multipart; `None` for other types, and where it is missing or empty.
    #[must_use]
    pub fn boundary(&self) -> Option<Vec<u8>> {
        let boundary = self.parameters.value("boundary").filter(|_| self.media.starts_with(b"multipart/"))?;
        let boundary = trim_end(&boundary, is_white);
        (!boundary.is_empty()).then(|| boundary.to_vec())
    }

    /// The values that name a file, as written and in order: `filename` of the disposition, then `name` of the type,
    /// each with its variants of RFC 2231 (`filename*`, `filename*0`).
    pub fn file_names(&self) -> impl Iterator<Item = &[u8]> {
        let of_disposition = self.disposition_parameters.0.iter().filter(|(name, _)| is_numbered(name, b"filename"));
        let of_type = self.parameters.0.iter().filter(|(name, _)| is_numbered(name, b"name"));
        of_disposition.chain(of_type).map(|(_, value)| value.as_slice()).filter(|value| !value.is_empty())
    }
}

/// Whether `name` is `base`, or `base` with what RFC 2231 appends (`*`, `*0`, `*0*`).
fn is_numbered(name: &[u8], base: &[u8]) -> bool {
    name.strip_prefix(base).is_some_and(|behind| behind.is_empty() || behind.starts_with(b"*"))
}

/// Parameters of a field in order: names ASCII lowercased, values unquoted, RFC 2231 not applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Parameters {
    /// The first parameter of this (lowercase) name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| found == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// The same, also if it is written in the forms of RFC 2231 (docs/TEXT.md, T5.9).
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.get(name).map(Cow::Borrowed).or_else(|| self.extended(name).map(Cow::Owned))
    }

    fn extended(&self, name: &str) -> Option<Vec<u8>> {
        let is_form = |found: &[u8]| found.strip_prefix(name.as_bytes()).is_some_and(|form| form.starts_with(b"*"));
        if !self.0.iter().any(|(found, _)| is_form(found)) {
            return None;
        }
        // Backwards, so that the first of a name stays.
        let forms: HashMap<&[u8], &[u8]> = self.0.iter().rev().map(|(found, value)| (found.as_slice(), value.as_slice())).collect();
        let mut bytes = Vec::new();
        if let Some(value) = forms.get(format!("{name}*").as_bytes()) {
            decode_escapes(without_label(value), b'%', |byte| byte, &mut bytes);
            return Some(bytes);
        }
        for number in 0.. {
            if let Some(value) = forms.get(format!("{name}*{number}*").as_bytes()) {
                let text = if number == 0 { without_label(value) } else { value };
                decode_escapes(text, b'%', |byte| byte, &mut bytes);
            } else if let Some(value) = forms.get(format!("{name}*{number}").as_bytes()) {
                bytes.extend_from_slice(value);
            } else {
                break;
            }
        }
        (!bytes.is_empty()).then_some(bytes)
    }
}

/// What follows the charset and the language of an extended value.
fn without_label(value: &[u8]) -> &[u8] {
    value.splitn(3, |&byte| byte == b'\'').nth(2).unwrap_or(value)
}

/// `type/subtype` of a word that has one: the first piece between slashes, and the first later piece that differs from
/// it (docs/TEXT.md, T5.2).
fn media_of(word: &[u8]) -> Option<Vec<u8>> {
    let mut pieces = word.split(|&byte| byte == b'/').filter(|piece| !piece.is_empty());
    let first = match pieces.next() {
        Some(b"multipart") if !word.contains(&b'/') => return Some(b"multipart/mixed".to_vec()),
        first => first?,
    };
    let second = pieces.clone().find(|piece| *piece != first).or_else(|| pieces.next())?;
    Some([first, b"/", second].concat())
}

/// Parameters that end an unquoted value even without a `;` before them (T5.3); names of files, in any form, do so too.
const KNOWN: [&[u8]; 14] = [
    b"boundary",
    b"charset",
    b"creation-date",
    b"delsp",
    b"format",
    b"method",
    b"micalg",
    b"modification-date",
    b"protocol",
    b"report-type",
    b"size",
    b"smime-type",
    b"start",
    b"type",
];

/// What precedes the parameters, ASCII lowercased, and the parameters.
fn content_field(value: &[u8]) -> (Vec<u8>, Parameters) {
    let value = trim_start(value, |byte| is_white(byte) || byte == b'"');
    let ends = |&byte: &u8| is_white(byte) || b";,(\"".contains(&byte);
    let (main, mut rest) = value.split_at(value.iter().position(ends).unwrap_or(value.len()));
    let main = if main.contains(&b'=') {
        rest = value;
        Vec::new()
    } else {
        main.to_ascii_lowercase()
    };
    let mut parameters = Vec::new();
    loop {
        rest = trim_start(rest, separates);
        if rest.is_empty() {
            return (main, Parameters(parameters));
        }
        let name_end = rest.iter().position(|byte| b"=;".contains(byte)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(name_end);
        let Some(behind) = behind.strip_prefix(b"=") else {
            rest = behind;
            continue;
        };
        let name = trim_end(name, is_white).rsplit(|&byte| separates(byte)).next().unwrap_or_default().to_ascii_lowercase();
        let behind = trim_start(behind, is_white);
        let (value, behind) = match behind.strip_prefix(b"\"") {
            Some(quoted) => quoted_value(quoted),
            None => {
                let (value, behind) = behind.split_at(bare_value_len(behind));
                let value = if name == b"boundary" { cut_at_white(value) } else { trim_end(value, is_white) };
                (value.to_vec(), behind)
            }
        };
        rest = behind;
        parameters.push((name, value));
    }
}

/// Whether the byte may be between parameters.
fn separates(byte: u8) -> bool {
    is_white(byte) || b";,".contains(&byte)
}

/// The length of an unquoted value: up to the next `;`, or up to the name of a known parameter.
fn bare_value_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'=', b';', rest)).map(|found| at + found) {
        if bytes.get(found) == Some(&b';') {
            return found;
        }
        let before = trim_end(bytes.get(at..found).unwrap_or_default(), is_white);
        let name_at = before.iter().rposition(|&byte| separates(byte));
        if let Some(name_at) = name_at
            && is_known(before.get(name_at + 1..).unwrap_or_default())
        {
            return trim_end(bytes.get(..at + name_at).unwrap_or_default(), separates).len();
        }
        at = found + 1;
    }
    bytes.len()
}

fn is_known(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    KNOWN.contains(&name.as_slice()) || is_numbered(&name, b"filename") || is_numbered(&name, b"name")
}

/// The value after an opening quote, and what follows it.
fn quoted_value(quoted: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut bytes = quoted.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (byte, quoted.get(at + 1)) {
            (b'\\', Some(&escaped @ (b'"' | b'\\'))) => {
                value.push(escaped);
                bytes.next();
            }
            (b'"', _) => return (value, quoted.get(at + 1..).unwrap_or_default()),
            _ => value.push(byte),
        }
    }
    (value, &[])
}

/// What precedes the first such byte, and what follows it.
fn split_at_byte(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match memchr(at, bytes) {
        Some(place) => (bytes.get(..place).unwrap_or_default(), bytes.get(place + 1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

fn cut_at_white(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| is_white(byte)).next().unwrap_or_default()
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(super) fn trim_start(bytes: &[u8], is: impl Fn(u8) -> bool) -> &[u8] {
    let at = bytes.iter().position(|&byte| !is(byte)).unwrap_or(bytes.len());
    bytes.get(at..).unwrap_or_default()
}

pub(super) fn trim_end(bytes: &[u8], is: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| !is(byte)).map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

pub(super) fn trim(bytes: &[u8], is: impl Fn(u8) -> bool + Copy) -> &[u8] {
    trim_start(trim_end(bytes, is), is)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type, then parameters.
    fn read(value: &str) -> (String, Vec<String>) {
        let header = format!("Content-Type: {value}\n");
        let content = Content::read(&fields(header.as_bytes(), LineEnd::Lf).collect::<Vec<_>>(), "text/plain");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let parameters = content.parameters.0.iter().map(|(name, value)| format!("{}={}", text(name), text(value)));
        (text(&content.media), parameters.collect())
    }

    #[test]
    fn t5_2_types_with_too_many_slashes_or_none() {
        for (value, media) in [
            ("multipart/multipart/mixed; boundary=b", "multipart/mixed"),
            ("image/jpeg/jpg", "image/jpeg"),
            ("application//pdf", "application/pdf"),
            ("Multipart; boundary=b", "multipart/mixed"),
            ("text/html,charset=utf-8", "text/html"),
            ("text/html(a comment)", "text/html"),
            ("text/text", "text/text"),
            ("text", "text/plain"),
            ("/pdf", "text/plain"),
            ("pdf/", "text/plain"),
            ("charset=utf-8", "text/plain"),
        ] {
            assert_eq!(read(value).0, media, "{value}");
        }
    }

    #[test]
    fn t5_3_parameters_without_semicolons() {
        for (value, parameters) in [
            ("multipart/mixed boundary=\"a b\"", &["boundary=a b"][..]),
            ("multipart/mixed, boundary=a, charset=b", &["boundary=a", "charset=b"]),
            ("text/plain charset=utf-8 format=flowed\tDelSp = yes", &["charset=utf-8", "format=flowed", "delsp=yes"]),
            ("a/b; name=\"a.pdf\" charset=c", &["name=a.pdf", "charset=c"]),
            ("a/b name=my own file.pdf; x=y", &["name=my own file.pdf", "x=y"]),
            ("a/b; name=a q=1 b.pdf size=12", &["name=a q=1 b.pdf", "size=12"]),
            ("a/b; name==?utf-8?q?a_b?= filename*0=c", &["name==?utf-8?q?a_b?=", "filename*0=c"]),
            ("a/b (no; parameter); junk;; x=y", &["x=y"]),
            ("name=a.pdf", &["name=a.pdf"]),
            ("text/plain; charset = \"c\" Content-Transfer-Encoding: 8bit", &["charset=c"]),
        ] {
            assert_eq!(read(value).1, parameters, "{value}");
        }
    }

    #[test]
    fn many_parameters_are_read_in_linear_time() {
        let (_, parameters) = read(&"charset=x ".repeat(100_000));
        assert_eq!(parameters.len(), 100_000);
    }
}
