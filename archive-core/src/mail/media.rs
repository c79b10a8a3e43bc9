//! Header blocks as rows of fields, and the fields that say what a body is: Content-Type, Content-Transfer-Encoding,
//! Content-Disposition, Content-ID (RFC 2045, 2183), read leniently. Values stay bytes: their charset is not known here, and
//! RFC 2231 and encoded words are left to those who show names.

use std::borrow::Cow;

use memchr::memchr;

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
    /// The name as written, without the colon: one or more visible ASCII characters.
    pub name: &'a [u8],
    /// What stands behind the colon, folded as written, the last line end included.
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
    let name = trim_end(name, is_space);
    let visible = !name.is_empty() && name.iter().all(|byte| (0x21..=0x7e).contains(byte));
    visible.then_some(Field { name, folded: behind.get(1..)?, raw, at, line_end })
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
    /// 7bit, 8bit, binary, nothing, or a name that is not known: the bytes are the body.
    #[default]
    Identity,
    /// base64 (RFC 2045 section 6.8).
    Base64,
    /// quoted-printable (RFC 2045 section 6.7).
    QuotedPrintable,
}

/// What the content fields of a header block say. Of several fields of one name the first counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// `type/subtype`, ASCII lowercased; the default type where there is no usable Content-Type.
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
    /// Reads the fields of a header block. `default_media` is the type where there is no usable one.
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
        let media = if is_media(&media) { media } else { default_media.as_bytes().to_vec() };
        Self { media, parameters, encoding, disposition, disposition_parameters, id }
    }

    /// A body of plain text about which nothing else is said.
    #[must_use]
    pub fn plain() -> Self {
        Self { media: b"text/plain".to_vec(), ..Self::default() }
    }

    /// The charset label as written; empty if there is none.
    #[must_use]
    pub fn charset(&self) -> &[u8] {
        cut_at_white(self.parameters.get("charset").unwrap_or_default())
    }

    /// The boundary of a multipart; `None` for other types, and where it is missing or empty.
    #[must_use]
    pub fn boundary(&self) -> Option<&[u8]> {
        let boundary = trim_end(self.parameters.get("boundary")?, is_white);
        (self.media.starts_with(b"multipart/") && !boundary.is_empty()).then_some(boundary)
    }

    /// The values that name a file, as written and in order: `filename` of the disposition, then `name` of the type,
    /// each with what RFC 2231 makes of it (`filename*`, `filename*0`).
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

/// Parameters of a field in order: names ASCII lowercased, values unquoted, nothing of RFC 2231 done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Parameters {
    /// The first parameter of this (lowercase) name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| found == name.as_bytes()).map(|(_, value)| value.as_slice())
    }
}

/// Exactly one `/` with something on both sides.
fn is_media(media: &[u8]) -> bool {
    let mut pieces = media.split(|&byte| byte == b'/');
    matches!((pieces.next(), pieces.next(), pieces.next()), (Some([_, ..]), Some([_, ..]), None))
}

/// What stands before the parameters, ASCII lowercased, and the parameters.
fn content_field(value: &[u8]) -> (Vec<u8>, Parameters) {
    let (before, mut rest) = split_at_byte(value, b';');
    let before = before.split(|&byte| byte == b'(').next().unwrap_or_default();
    let main = cut_at_white(trim_start(before, is_white)).to_ascii_lowercase();
    let mut parameters = Vec::new();
    loop {
        rest = trim_start(rest, |byte| is_white(byte) || byte == b';');
        if rest.is_empty() {
            return (main, Parameters(parameters));
        }
        let name_end = rest.iter().position(|byte| b"=;".contains(byte)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(name_end);
        let Some(behind) = behind.strip_prefix(b"=") else {
            rest = behind;
            continue;
        };
        let name = trim_end(name, is_white).to_ascii_lowercase();
        let behind = trim_start(behind, is_white);
        let (value, behind) = match behind.strip_prefix(b"\"") {
            Some(quoted) => quoted_value(quoted),
            None => {
                let (value, behind) = split_at_byte(behind, b';');
                let value = if name == b"boundary" { cut_at_white(value) } else { trim_end(value, is_white) };
                (value.to_vec(), behind)
            }
        };
        rest = behind;
        parameters.push((name, value));
    }
}

/// The value behind an opening quote, and what follows its parameter.
fn quoted_value(quoted: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut bytes = quoted.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (byte, quoted.get(at + 1)) {
            (b'\\', Some(&escaped @ (b'"' | b'\\'))) => {
                value.push(escaped);
                bytes.next();
            }
            (b'"', _) => return (value, split_at_byte(quoted.get(at + 1..).unwrap_or_default(), b';').1),
            _ => value.push(byte),
        }
    }
    (value, &[])
}

/// What stands before the first such byte, and what behind it.
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
