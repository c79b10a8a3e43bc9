//! What a reader of mailboxes must know of headers: whether a line looks like a header field, and the few fields that
//! tell how a mail is stored.

use crate::mail::media::{is_known_name, unquoted_name};

/// A text must have one of these fields to be recognised as a mail by its content alone.
const TELLING: [&[u8]; 17] = [
    b"from",
    b"to",
    b"cc",
    b"date",
    b"subject",
    b"sender",
    b"reply-to",
    b"message-id",
    b"in-reply-to",
    b"received",
    b"return-path",
    b"delivered-to",
    b"mime-version",
    b"content-type",
    b"newsgroups",
    b"x-mozilla-status",
    b"apparently-to",
];

/// The name of the header field that a line begins with.
pub(super) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line.get(..line.len().min(128))?)?;
    let name = unquoted_name(line.get(..colon)?.trim_ascii_end());
    (!name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte))).then_some(name)
}

/// Whether the line is a header field that is common in mails.
pub(super) fn is_known_field(line: &[u8]) -> bool {
    field_name(line).is_some_and(is_known_name)
}

/// The line at the start of `data`, without its end, and its length with it: it ends with LF, CR LF, or a CR that no LF
/// follows. More than one CR before an LF is one line end, as some gateways wrote it.
pub(super) fn line(data: &[u8]) -> (&[u8], usize) {
    let Some(at) = memchr::memchr2(b'\n', b'\r', data) else { return (data, data.len()) };
    let (line, end) = data.split_at(at);
    let returns = end.iter().take(3).take_while(|&&byte| byte == b'\r').count();
    (line, at + if end.get(returns) == Some(&b'\n') { returns + 1 } else { 1 })
}

/// The line at the start of `data`, without its end, and its length with it, where a CR alone ends no line.
pub(super) fn first_line(data: &[u8]) -> (&[u8], usize) {
    let (line, len) = match memchr::memchr(b'\n', data) {
        Some(at) => (data.get(..at).unwrap_or_default(), at + 1),
        None => (data, data.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), len)
}

/// The header fields at the start of a mail: name, value (unfolded lines joined as they are), each line ended by LF,
/// CRLF or CR.
pub(super) struct Fields<'a> {
    data: &'a [u8],
    taken: usize,
    /// Reads one line; the first one says what lines end with.
    line: fn(&[u8]) -> (&[u8], usize),
}

/// How to read the lines of a header: a CR ends each line if it ends the first one.
fn line_reader(data: &[u8]) -> fn(&[u8]) -> (&[u8], usize) {
    let (_, len) = line(data);
    if data.get(..len).is_some_and(|line| line.ends_with(b"\r")) { line } else { first_line }
}

/// Walks over the fields at the start of `data`.
pub(super) fn fields(data: &[u8]) -> Fields<'_> {
    Fields { data, taken: 0, line: line_reader(data) }
}

impl<'a> Fields<'a> {
    /// How many bytes were read.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.data.get(self.taken..)?;
        let (line, mut len) = (self.line)(rest);
        let name = field_name(line)?;
        loop {
            let (next, more) = (self.line)(rest.get(len..)?);
            if !next.starts_with(b" ") && !next.starts_with(b"\t") {
                break;
            }
            len += more;
        }
        let colon = memchr::memchr(b':', rest)?;
        let value = rest.get(colon + 1..len)?;
        self.taken += len;
        Some((name, value.trim_ascii()))
    }
}

/// What a header says about how the mail is stored.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keeping {
    /// `Content-Length`.
    pub(super) content_length: Option<u64>,
    /// Length of the header with its blank line, if that is within the bytes read.
    pub(super) header_len: Option<usize>,
    /// `X-Mozilla-Status`.
    pub(super) mozilla_status: Option<u16>,
}

impl Keeping {
    /// Reads the header at the start of `data`.
    pub(super) fn of(data: &[u8]) -> Self {
        let mut keeping = Self::default();
        let mut at = 0;
        let line_of = line_reader(data);
        let blank = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if is_known_field(line_of(data.get(blank..).unwrap_or_default()).0) {
            at = blank;
        }
        loop {
            let mut fields = fields(data.get(at..).unwrap_or_default());
            for (name, value) in fields.by_ref() {
                if name.eq_ignore_ascii_case(b"content-length") {
                    keeping.content_length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                } else if name.eq_ignore_ascii_case(b"x-mozilla-status") {
                    keeping.mozilla_status = std::str::from_utf8(value).ok().and_then(|text| u16::from_str_radix(text, 16).ok());
                }
            }
            at += fields.taken();
            let (line, len) = line_of(data.get(at..).unwrap_or_default());
            // Lines that old transports left among the fields.
            if line.starts_with(b">From ") || line.starts_with(b"From ") {
                at += len;
                continue;
            }
            keeping.header_len = (line.is_empty() && len > 0).then_some(at + len);
            break;
        }
        keeping
    }

    /// Whether Mozilla marked the mail as deleted (`nsMsgMessageFlags::Expunged`).
    pub(super) fn is_expunged(&self) -> bool {
        self.mozilla_status.is_some_and(|status| status & 0x0008 != 0)
    }

    /// The marks of Mozilla (`nsMsgMessageFlags`) in the letters of Maildir.
    pub(super) fn mozilla_flags(&self) -> Option<String> {
        let status = self.mozilla_status?;
        let letters = [('F', 0x0004), ('P', 0x1000), ('R', 0x0002), ('S', 0x0001), ('T', 0x0008)];
        Some(letters.iter().filter(|(_, bit)| status & bit != 0).map(|(letter, _)| *letter).collect())
    }
}

/// Whether the text begins as a mail does: header fields, of which at least one is well known, before anything else.
pub(super) fn looks_like_mail(data: &[u8]) -> bool {
    let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
    let data = data.get(data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()..).unwrap_or_default();
    let (line, len) = line(data);
    // A mail that came out of an mbox: its From_ line, perhaps quoted, is still before the fields.
    let data = if line.starts_with(b"From ") || line.starts_with(b">From ") { data.get(len..).unwrap_or_default() } else { data };
    fields(data).take(64).any(|(name, _)| TELLING.iter().any(|known| known.eq_ignore_ascii_case(name)))
}
