//! Separators between two mails of a file: a From_ line, a line of 73 `=`, a line of four ^A.
//!
//! A line ends with LF, CR LF, or a CR that no LF follows; so files of old Macs are split, and so are files that have
//! both.

use super::from_line::{self, MAX_FROM_LINE};
use super::header::{self, line};

const EQUALS: [u8; 73] = [b'='; 73];
const CONTROLS: [u8; 4] = [1; 4];

/// How the mails of a file are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// By From_ lines.
    Mbox,
    /// By lines of 73 `=`.
    Listserv,
    /// By lines of four ^A, one before and one after each mail.
    Mmdf,
}

/// Kinds of From_ lines: what begins a mail in one file is quoted text in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without a date, and with nothing but an address or `-` in its place.
    Bare,
    /// The first line of a patch of git: a digest and always the same date.
    Patch,
    /// Any other kind.
    Usual,
}

impl Kind {
    fn of(line: &[u8]) -> Self {
        let rest = line.get(b"From ".len()..).unwrap_or_default().trim_ascii();
        let (word, date) = rest.split_at(rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()));
        let is_digest = matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit);
        if is_digest && date.trim_ascii() == b"Mon Sep 17 00:00:00 2001" {
            return Self::Patch;
        }
        let is_address = word.is_empty() || word == b"-" || word.contains(&b'@');
        if is_address && date.is_empty() { Self::Bare } else { Self::Usual }
    }
}

/// The separators of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Separators {
    pub(super) style: Style,
    /// The kind of the file's first From_ line; without one, any kind counts.
    own: Option<Kind>,
    /// Everything that looks like a From_ line is one, since the text is known to be quoted.
    is_quoted: bool,
}

impl Separators {
    pub(super) fn new(style: Style, is_quoted: bool) -> Self {
        Self { style, own: None, is_quoted }
    }

    /// Notes that the first mail of the file begins with this line, or without any.
    pub(super) fn begin(&mut self, from_line: Option<&[u8]>) {
        self.own.get_or_insert(from_line.map_or(Kind::Usual, Kind::of));
    }

    /// The word that a separator begins with, or all of it.
    pub(super) fn word(&self) -> &'static [u8] {
        match self.style {
            Style::Mbox => b"From ",
            Style::Listserv => &EQUALS,
            Style::Mmdf => &CONTROLS,
        }
    }

    /// The first place from `from` on, but not at the very beginning, where a line begins like a separator.
    pub(super) fn candidate(&self, data: &[u8], mut from: usize) -> Option<usize> {
        let word = self.word();
        loop {
            let at = from + memchr::memmem::find(data.get(from..)?, word)?;
            match at.checked_sub(1).and_then(|before| data.get(before)) {
                Some(b'\n' | b'\r') => return Some(at),
                // No line begins within the word.
                _ => from = at + word.len(),
            }
        }
    }

    /// Whether there is a separator at `at`; `start`: the data begin where a mail or file begins.
    pub(super) fn is_at(&self, data: &[u8], at: usize, start: bool) -> bool {
        let (before, rest) = data.split_at_checked(at).unwrap_or_default();
        let (this, len) = line(rest);
        let next = || line(rest.get(len..).unwrap_or_default()).0;
        match self.style {
            Style::Listserv => this == EQUALS && header::is_known_field(next()),
            Style::Mmdf => this == CONTROLS,
            Style::Mbox => {
                if !this.starts_with(b"From ") || this.len() > MAX_FROM_LINE {
                    return false;
                }
                let kind = Kind::of(this);
                if kind == Kind::Patch && !self.is_quoted && self.own.is_some_and(|own| own != Kind::Patch) {
                    return false;
                }
                let (is_dated, has_header) = (from_line::is_from_line(this), header::is_known_field(next()));
                if is_blank_before(before, start) {
                    is_dated || has_header
                } else {
                    has_header && (is_dated || (kind == Kind::Bare && self.own == Some(Kind::Bare)))
                }
            }
        }
    }
}

/// Whether `before` ends with a blank line.
fn is_blank_before(before: &[u8], start: bool) -> bool {
    let is_blank = [&b"\n\n"[..], b"\n\r\n", b"\r\r", b"\n\r"].iter().any(|end| before.ends_with(end));
    is_blank || (start && matches!(before, b"" | b"\n" | b"\r\n" | b"\r"))
}

/// Length of the blank line that ends the data, 0 without one.
pub(super) fn blank_end(data: &[u8], start: bool) -> usize {
    let (len, before) = match data {
        [before @ .., b'\r', b'\n'] => (2, before),
        [before @ .., b'\n' | b'\r'] => (1, before),
        _ => return 0,
    };
    let is_cr = data.ends_with(b"\r");
    if before.last().map_or(start, |&byte| byte == b'\n' || (is_cr && byte == b'\r')) { len } else { 0 }
}

/// Bytes that may precede the first separator: a byte order mark, empty lines.
pub(super) fn leading(data: &[u8]) -> usize {
    let mark = if data.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    mark + blank_lines(data.get(mark..).unwrap_or_default())
}

/// Length of the blank lines at the start of the data.
pub(super) fn blank_lines(data: &[u8]) -> usize {
    data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// How the mails of a file that begins with these bytes are separated, if it is a file of many mails.
pub(super) fn style_of(data: &[u8]) -> Option<Style> {
    let bare = data.get(leading(data)..).unwrap_or_default();
    if Separators::new(Style::Mbox, false).is_at(bare, 0, true) {
        return Some(Style::Mbox);
    }
    if Separators::new(Style::Listserv, false).is_at(data, 0, true) {
        return Some(Style::Listserv);
    }
    let (first, len) = line(bare);
    let next = bare.get(len..).unwrap_or_default();
    let has_mail = || next.starts_with(b"From ") || header::field_name(line(next).0).is_some();
    (first == CONTROLS && has_mail()).then_some(Style::Mmdf)
}
