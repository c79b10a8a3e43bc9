//! Finds the entities of a mail, a piece at a time (docs/TEXT.md, T2).
//!
//! Knows lines and boundaries only; what a header block says is for its [`Visitor`] to tell. Holds one line and one header block, each
//! bounded, and the stack of open entities. Nothing recurses.

use super::fields::MOST_HEADER_BYTES;

/// Entities at this depth are not opened (T2.11).
pub(super) const MOST_DEPTH: usize = 64;
/// A line longer than this is no delimiter line (T2.7).
const MOST_LINE_BYTES: usize = 64 * 1024;

/// What an entity turned out to be.
#[derive(Debug)]
pub(super) enum Opening {
    Leaf,
    /// With its boundary, not empty.
    Multipart(Vec<u8>),
    /// The body is a message.
    Message,
}

/// Is told what is found, in document order.
pub(super) trait Visitor {
    /// An entity begins, the child of the innermost one that is open. `may_open` is false at the limit of depth.
    fn begin(&mut self, header: &[u8], may_open: bool) -> Opening;
    /// Bytes of the body of the innermost open entity: of a leaf, or of a multipart outside its parts.
    fn body(&mut self, bytes: &[u8]);
    /// The first delimiter line of the innermost open entity, a multipart, came.
    fn delimited(&mut self);
    /// The innermost open entity ends.
    fn end(&mut self);
}

/// Where in the bytes of a mail the walk is.
#[derive(Debug)]
pub(super) struct Structure {
    open: Vec<Open>,
    /// The header block that is being read belongs to an entity that has not begun; it will lie above `open`.
    header: Option<HeaderBlock>,
    /// The beginning of a line of which more is needed.
    carry: Vec<u8>,
    at_line_start: bool,
    outermost: bool,
}

#[derive(Debug)]
enum Open {
    Leaf,
    Message,
    Multipart { boundary: Vec<u8>, delimited: bool, closed: bool },
}

#[derive(Debug, Default)]
struct HeaderBlock {
    bytes: Vec<u8>,
    /// No line was seen; only of messages, which may begin with a `From ` line.
    may_have_from_line: bool,
    skips_line: bool,
}

impl Structure {
    /// A mail, or (not `outermost`) the decoded body of a nested one.
    pub(super) fn new(outermost: bool) -> Self {
        Self {
            open: Vec::new(),
            header: Some(HeaderBlock { may_have_from_line: true, ..HeaderBlock::default() }),
            carry: Vec::new(),
            at_line_start: true,
            outermost,
        }
    }

    /// The next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8], visitor: &mut impl Visitor) {
        while !bytes.is_empty() {
            if self.header.is_none() && !self.looks_for_delimiters() {
                return visitor.body(bytes);
            }
            bytes = if self.at_line_start { self.line_start(bytes, visitor) } else { self.inside_line(bytes, visitor) };
        }
    }

    /// The end of the mail: closes what is open.
    pub(super) fn finish(&mut self, visitor: &mut impl Visitor) {
        let carry = std::mem::take(&mut self.carry);
        if !carry.is_empty() {
            self.line(&carry, visitor);
        }
        self.close_down_to(0, visitor);
    }

    fn looks_for_delimiters(&self) -> bool {
        self.open.iter().any(|open| matches!(open, Open::Multipart { closed: false, .. }))
    }

    /// Takes one whole line, or what there is of it; gives what is left of `bytes`.
    fn line_start<'a>(&mut self, bytes: &'a [u8], visitor: &mut impl Visitor) -> &'a [u8] {
        let first = self.carry.first().or(bytes.first());
        if self.header.is_none() && first != Some(&b'-') {
            self.at_line_start = false;
            return bytes;
        }
        if let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end + 1);
            if self.carry.is_empty() {
                self.line(line, visitor);
            } else {
                let mut whole = std::mem::take(&mut self.carry);
                whole.extend_from_slice(line);
                self.line(&whole, visitor);
            }
            return rest;
        }
        let room = (MOST_LINE_BYTES + 1).saturating_sub(self.carry.len());
        let (more, rest) = bytes.split_at(room.min(bytes.len()));
        self.carry.extend_from_slice(more);
        if self.carry.len() > MOST_LINE_BYTES {
            let carry = std::mem::take(&mut self.carry);
            self.at_line_start = false;
            self.ordinary(&carry, visitor);
        }
        rest
    }

    fn inside_line<'a>(&mut self, bytes: &'a [u8], visitor: &mut impl Visitor) -> &'a [u8] {
        let end = if self.header.is_some() {
            memchr::memchr(b'\n', bytes)
        } else {
            // Lines that do not begin with a hyphen need no look of their own.
            memchr::memmem::find(bytes, b"\n-").or_else(|| (bytes.last() == Some(&b'\n')).then(|| bytes.len() - 1))
        };
        let (now, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        match &mut self.header {
            Some(header) => header.push(now),
            None => visitor.body(now),
        }
        if end.is_some() {
            self.at_line_start = true;
            if let Some(header) = &mut self.header {
                header.skips_line = false;
            }
        }
        rest
    }

    /// A whole line with its line end, if it has one.
    fn line(&mut self, line: &[u8], visitor: &mut impl Visitor) {
        let found = line.strip_prefix(b"--").filter(|_| line.len() <= MOST_LINE_BYTES).and_then(|rest| {
            let places = self.open.iter().enumerate().rev();
            places.into_iter().find_map(|(at, open)| match open {
                Open::Multipart { boundary, closed: false, .. } => delimiter(rest, boundary).map(|closing| (at, closing)),
                _ => None,
            })
        });
        match found {
            Some((at, closing)) => self.delimiter_line(at, closing, visitor),
            None if self.header.is_some() && matches!(line, b"\n" | b"\r\n") => self.end_header(visitor),
            None => {
                self.ordinary(line, visitor);
                if let Some(header) = &mut self.header {
                    header.skips_line = false;
                }
            }
        }
    }

    /// The beginning of a line, or a whole one, that is neither empty nor a delimiter line.
    fn ordinary(&mut self, line: &[u8], visitor: &mut impl Visitor) {
        let outermost = self.outermost && self.open.is_empty();
        match &mut self.header {
            Some(header) => header.begin_line(line, outermost),
            None => visitor.body(line),
        }
    }

    fn delimiter_line(&mut self, at: usize, closing: bool, visitor: &mut impl Visitor) {
        self.close_down_to(at + 1, visitor);
        if let Some(Open::Multipart { delimited, closed, .. }) = self.open.last_mut() {
            if !std::mem::replace(delimited, true) {
                visitor.delimited();
            }
            *closed = closing;
        }
        self.header = (!closing).then(HeaderBlock::default);
        self.at_line_start = true;
    }

    fn end_header(&mut self, visitor: &mut impl Visitor) {
        let Some(header) = self.header.take() else { return };
        let may_open = self.open.len() < MOST_DEPTH;
        let opening = visitor.begin(&header.bytes, may_open);
        self.at_line_start = true;
        self.open.push(match opening {
            Opening::Multipart(boundary) => Open::Multipart { boundary, delimited: false, closed: false },
            Opening::Message => {
                self.header = Some(HeaderBlock { may_have_from_line: true, ..HeaderBlock::default() });
                Open::Message
            }
            Opening::Leaf => Open::Leaf,
        });
    }

    /// Ends entities until `depth` are open.
    fn close_down_to(&mut self, depth: usize, visitor: &mut impl Visitor) {
        while self.header.is_some() {
            self.end_header(visitor);
        }
        while self.open.len() > depth {
            self.open.pop();
            visitor.end();
        }
    }
}

impl HeaderBlock {
    fn begin_line(&mut self, line: &[u8], outermost: bool) {
        let mut line = line;
        if std::mem::replace(&mut self.may_have_from_line, false) {
            if outermost {
                line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            }
            self.skips_line = line.starts_with(b"From ") || line.starts_with(b">From ");
        }
        self.push(line);
    }

    /// Keeps one byte more than is read, as a sign that there was more.
    fn push(&mut self, bytes: &[u8]) {
        if self.skips_line {
            return;
        }
        let room = (MOST_HEADER_BYTES + 1).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

/// Whether `rest`, a line behind its `--`, is a delimiter line of `boundary`, and if so, whether it is the closing one (T2.7).
fn delimiter(rest: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = rest.strip_prefix(boundary)?;
    let (rest, closing) = rest.strip_prefix(b"--").map_or((rest, false), |rest| (rest, true));
    let rest = match rest.strip_suffix(b"\n") {
        Some(rest) => rest.strip_suffix(b"\r").unwrap_or(rest),
        None => rest,
    };
    rest.iter().all(|b| matches!(b, b' ' | b'\t')).then_some(closing)
}
