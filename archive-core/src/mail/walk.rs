//! The structure of a mail (RFC 2045, 2046, 5322), found in one pass over chunks of any size, whatever the bytes are.
//!
//! A mail is a tree of nodes in document order: node 0 is the mail, every body part is a node, and so is every mail in
//! a `message/rfc822` part (the part is node n, the mail in it n + 1). A leaf's body is passed on in large slices as it
//! arrives; everything else (delimiter lines with the line end before them, preambles, epilogues, header blocks)
//! belongs to no leaf. Nothing depends on how the bytes are cut into chunks.
//!
//! Time is linear; memory is [`MAX_HEADER`], a line that may be a delimiter ([`MAX_DELIMITER_LINE`]) and the stack of
//! open nodes ([`MAX_DEPTH`]). Nothing recurses.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::media::{self, Content, Encoding, Field, LineEnd, is_space, is_white, trim_end};

/// Bytes of a header block that are kept and read.
pub const MAX_HEADER: usize = 256 << 10;
const HEADER_ROOM: usize = 4 << 10;
/// Longer lines are not delimiter lines. This is more than the longest boundary that fits into a kept header block, and
/// spaces after it.
pub const MAX_DELIMITER_LINE: usize = 384 << 10;
/// Nodes at this depth are leaves, whatever their type; the mail itself is at depth 0.
pub const MAX_DEPTH: u32 = 64;
/// The most nodes of a mail; where one more would begin, the rest of the mail belongs to the innermost open node.
pub const MAX_NODES: u32 = 10_000;
/// If the first bytes, as many as this, have no LF but a CR, the mail has CR line ends.
const SNIFF: usize = 64 << 10;
/// Blank lines before a header block are skipped up to this many bytes.
const MAX_BLANK: usize = 1 << 10;
const PLAIN: &str = "text/plain";
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Number of a node in its mail, in document order from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNo(pub u32);

/// How a node's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Children between delimiter lines.
    Multipart,
    /// Bytes.
    Leaf,
    /// A nested mail, which is the only child.
    NestedMessage,
}

/// A node whose header block is known.
#[derive(Debug)]
pub struct Node<'a> {
    /// Its number.
    pub no: NodeNo,
    /// The node that it is in.
    pub parent: Option<NodeNo>,
    /// Nodes around it; [`MAX_DEPTH`] means that it is a leaf because of that.
    pub depth: u32,
    /// How its body is read.
    pub kind: Kind,
    /// Whether the header block is that of a mail (the whole one or a nested one) and not that of a body part.
    pub is_message: bool,
    /// The header block without the empty line after it, [`MAX_HEADER`] bytes of it at most.
    pub header: &'a [u8],
    /// The fields in it.
    pub fields: &'a [Field<'a>],
    /// The range of the whole header block in the mail.
    pub header_at: Range<u64>,
    /// Where the body begins: after the empty line, if there is one.
    pub body_at: u64,
    /// How lines end in this mail.
    pub line_end: LineEnd,
    /// What the header says of the body. A multipart without usable boundary is plain text.
    pub content: &'a Content,
}

impl Node<'_> {
    /// Whether there is more of the header block than was kept.
    #[must_use]
    pub fn header_is_cut(&self) -> bool {
        self.header_at.end - self.header_at.start > self.header.len() as u64
    }
}

/// The events of a walk, in the order of the mail. The default methods do nothing.
pub trait Visitor {
    /// A node begins; its header block is known.
    fn open(&mut self, node: &Node<'_>) {
        let _ = node;
    }

    /// Bytes of a leaf's body, at `at` in the mail, in order and without gaps. (After [`Visitor::overflow`] of any
    /// node.)
    fn body(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        let _ = (node, at, bytes);
    }

    /// Bytes of a multipart before its first delimiter line, in order. They are its text if no [`Visitor::delimited`]
    /// follows.
    fn preamble(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        let _ = (node, at, bytes);
    }

    /// Bytes that are neither body nor preamble: header blocks, delimiter lines, epilogues. They come together with the
    /// node that they open, or later, but in order, and before the end of the node that they belong to. Every byte of a
    /// mail is passed exactly once, here or in another method.
    fn glue(&mut self, at: u64, bytes: &[u8]) {
        let _ = (at, bytes);
    }

    /// The first delimiter line of a multipart: its preamble is not text.
    fn delimited(&mut self, node: NodeNo) {
        let _ = node;
    }

    /// There are too many nodes: all the rest of the mail follows as the body of this one, whatever its kind.
    fn overflow(&mut self, node: NodeNo) {
        let _ = node;
    }

    /// A node ends.
    fn close(&mut self, node: NodeNo) {
        let _ = node;
    }

    /// Nodes that the visitor itself found inside the leaf just closed (in an encoded mail): they take the next
    /// numbers, and count.
    fn found_inside(&mut self) -> u32 {
        0
    }
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkEnd {
    /// Bytes of the mail.
    pub len: u64,
    /// The number that a further node would have.
    pub next: NodeNo,
    /// Whether there were more than [`MAX_NODES`].
    pub overflowed: bool,
}

/// Finds the structure of a mail that is pushed in chunks.
#[derive(Debug)]
pub struct Walker {
    /// Bytes that cannot be decided on yet. They precede the next push.
    carry: Vec<u8>,
    /// Length of `carry` that is worth a further look.
    retry: usize,
    tree: Tree,
}

#[derive(Debug)]
struct Tree {
    at: u64,
    /// Bytes up to here were passed on, if that is more than `at`.
    passed: u64,
    line_end: LineEnd,
    state: State,
    /// Whether the next byte begins a line.
    at_line_start: bool,
    header: Vec<u8>,
    header_at: Range<u64>,
    stack: Vec<Open>,
    /// Boundaries on the stack that are looked for.
    boundaries: usize,
    next: u32,
    /// Depth of the outermost message.
    depth: u32,
    default_media: &'static str,
    /// The header block being read is that of a message.
    is_message: bool,
    overflowed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is known, not even the line ends.
    Sniff,
    /// Before the header block of a message; whether its From_ line is over.
    MessageStart {
        after_from_line: bool,
    },
    /// In a From_ line.
    FromLine,
    /// After a delimiter line.
    PartStart,
    Header,
    /// In the body of the innermost node.
    Body,
    /// In the rest of a mail with too many nodes.
    Overflow,
}

#[derive(Debug)]
struct Open {
    no: NodeNo,
    boundary: Vec<u8>,
    is_digest: bool,
    part: Part,
}

/// What the bytes in a node's body are, while it is the innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Leaf,
    Message,
    Preamble,
    /// Between the first and the closing delimiter line.
    Children,
    Epilogue,
}

/// The meaning of a line that begins with `--`.
enum Line {
    Unknown,
    Other,
    Delimiter { of: usize, closes: bool, len: usize },
}

impl Default for Walker {
    fn default() -> Self {
        Self::new()
    }
}

impl Walker {
    /// A walker at the beginning of a mail.
    #[must_use]
    pub fn new() -> Self {
        Self::inside(NodeNo(0), 0)
    }

    /// A walker of a mail that was found encoded in a leaf: its node gets number `first` and depth `depth`, and both
    /// continue from there towards their limits. A mail at [`MAX_DEPTH`] is one leaf.
    #[must_use]
    pub fn inside(first: NodeNo, depth: u32) -> Self {
        let tree = Tree {
            at: 0,
            passed: 0,
            line_end: LineEnd::Lf,
            state: State::Sniff,
            at_line_start: true,
            header: Vec::new(),
            header_at: 0..0,
            stack: Vec::new(),
            boundaries: 0,
            next: first.0,
            depth,
            default_media: PLAIN,
            is_message: true,
            overflowed: false,
        };
        Self { carry: Vec::new(), retry: 0, tree }
    }

    /// Takes the next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8], visitor: &mut impl Visitor) {
        let mut bytes = bytes;
        while !self.carry.is_empty() && !bytes.is_empty() {
            // Held bytes wait for the end of their line, so that they are moved and examined in amortized linear time.
            let window = bytes.get(..SNIFF).unwrap_or(bytes);
            let (taken, whole_line) = match memchr(self.tree.line_end.byte(), window) {
                Some(at) => (at + 1, true),
                None => (window.len(), false),
            };
            let (head, rest) = bytes.split_at(taken);
            bytes = rest;
            self.carry.extend_from_slice(head);
            if whole_line || self.carry.len() >= self.retry {
                let used = self.tree.take(&self.carry, false, visitor);
                self.carry.drain(..used);
                self.retry = self.carry.len() * 2 + 16;
            }
        }
        if !bytes.is_empty() {
            let used = self.tree.take(bytes, false, visitor);
            self.carry.extend_from_slice(bytes.get(used..).unwrap_or_default());
            self.retry = self.carry.len() * 2 + 16;
        }
    }

    /// Ends the mail: what is open is closed.
    pub fn finish(mut self, visitor: &mut impl Visitor) -> WalkEnd {
        self.tree.take(&self.carry, true, visitor);
        self.tree.end(visitor);
        WalkEnd { len: self.tree.at, next: NodeNo(self.tree.next), overflowed: self.tree.overflowed }
    }
}

impl Tree {
    /// Takes as many of `bytes` as can be decided, all of them if they are the last, and returns how many.
    fn take(&mut self, bytes: &[u8], last: bool, visitor: &mut impl Visitor) -> usize {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return used;
            }
            let state = self.state;
            let step = match state {
                State::Sniff => self.sniff(rest, last),
                State::MessageStart { after_from_line } => self.message_start(rest, after_from_line, last),
                State::FromLine => self.skip_from_line(rest),
                State::PartStart => self.begin_header(self.at, false),
                State::Header => self.header(rest, last, visitor),
                State::Body => self.body(rest, last, visitor),
                State::Overflow => self.overflow(rest, visitor),
            };
            let passed = (self.passed.saturating_sub(self.at) as usize).min(step);
            if passed < step {
                visitor.glue(self.at + passed as u64, rest.get(passed..step).unwrap_or_default());
            }
            self.at += step as u64;
            used += step;
            if step == 0 && self.state == state {
                return used;
            }
        }
    }

    fn sniff(&mut self, bytes: &[u8], last: bool) -> usize {
        let window = bytes.get(..SNIFF).unwrap_or(bytes);
        self.line_end = match memchr(b'\n', window) {
            Some(_) => LineEnd::Lf,
            None if window.len() < SNIFF && !last => return 0,
            None if memchr(b'\r', window).is_some() => LineEnd::Cr,
            None => LineEnd::Lf,
        };
        self.state = State::MessageStart { after_from_line: false };
        if self.depth == 0 && bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
    }

    /// T2.2.
    fn message_start(&mut self, bytes: &[u8], after_from_line: bool, last: bool) -> usize {
        let window = bytes.get(..MAX_BLANK).unwrap_or(bytes);
        let white = window.iter().position(|&byte| !is_white(byte)).unwrap_or(window.len());
        if white == bytes.len() && white < MAX_BLANK && !last {
            return 0;
        }
        let blank = window.get(..white).unwrap_or_default().iter().rposition(|&byte| byte == self.line_end.byte()).map_or(0, |at| at + 1);
        let line = bytes.get(blank..).unwrap_or_default();
        let is_open = |start: &[u8]| !last && line.len() < start.len() && start.starts_with(line);
        if !after_from_line && (is_open(b"From ") || is_open(b">From ")) {
            return 0;
        }
        if !after_from_line && (line.starts_with(b"From ") || line.starts_with(b">From ")) {
            self.state = State::FromLine;
            return blank;
        }
        if blank == 0 {
            return self.begin_header(self.at, true);
        }
        match media::begins_with_known_field(line) {
            None if !last => 0,
            Some(true) => self.begin_header(self.at + blank as u64, true) + blank,
            None | Some(false) => self.begin_header(self.at, true),
        }
    }

    fn skip_from_line(&mut self, bytes: &[u8]) -> usize {
        match memchr(self.line_end.byte(), bytes) {
            Some(end) => {
                self.state = State::MessageStart { after_from_line: true };
                end + 1
            }
            None => bytes.len(),
        }
    }

    fn begin_header(&mut self, at: u64, is_message: bool) -> usize {
        self.state = State::Header;
        self.at_line_start = true;
        self.header.clear();
        // Most header blocks fit.
        self.header.reserve(HEADER_ROOM);
        self.header_at = at..at;
        self.is_message = is_message;
        0
    }

    fn header(&mut self, bytes: &[u8], last: bool, visitor: &mut impl Visitor) -> usize {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let Some(&first) = rest.first() else {
                return used;
            };
            if self.at_line_start {
                let empty = match (first, rest.get(1)) {
                    (b'\r', None) if self.line_end == LineEnd::Lf && !last => return used,
                    (b'\r', Some(b'\n')) if self.line_end == LineEnd::Lf => 2,
                    _ if first == self.line_end.byte() => 1,
                    _ => 0,
                };
                if empty > 0 {
                    self.open(empty, visitor);
                    return used + empty;
                }
                match self.line(rest, last) {
                    Line::Unknown => return used,
                    Line::Other => self.at_line_start = false,
                    Line::Delimiter { .. } => {
                        self.open(0, visitor);
                        return used;
                    }
                }
            }
            let end = memchr(self.line_end.byte(), rest).map(|at| at + 1);
            self.at_line_start = end.is_some();
            let len = end.unwrap_or(rest.len());
            used += len;
            self.header_at.end += len as u64;
            let room = MAX_HEADER - self.header.len();
            self.header.extend_from_slice(rest.get(..len.min(room)).unwrap_or_default());
        }
    }

    /// The header block is over, with so many bytes of an empty line after it: its node begins.
    fn open(&mut self, empty: usize, visitor: &mut impl Visitor) {
        // Most mails have fewer.
        let mut fields: Vec<Field<'_>> = Vec::with_capacity(32);
        fields.extend(media::fields(&self.header, self.line_end));
        let mut content = Content::read(&fields, self.default_media);
        let boundary = content.boundary();
        if content.media.starts_with(b"multipart/") && boundary.is_none() {
            content = Content::plain();
        }
        let depth = self.depth + self.stack.len() as u32;
        let is_mail = matches!(content.media.as_slice(), b"message/rfc822" | b"message/global" | b"message/news");
        let kind = match &boundary {
            _ if depth >= MAX_DEPTH => Kind::Leaf,
            Some(_) => Kind::Multipart,
            None if is_mail && content.encoding == Encoding::Identity => Kind::NestedMessage,
            None => Kind::Leaf,
        };
        let no = NodeNo(self.next);
        self.next = self.next.saturating_add(1);
        visitor.open(&Node {
            no,
            parent: self.stack.last().map(|open| open.no),
            depth,
            kind,
            is_message: self.is_message,
            header: &self.header,
            fields: &fields,
            header_at: self.header_at.clone(),
            body_at: self.header_at.end + empty as u64,
            line_end: self.line_end,
            content: &content,
        });
        let part = match kind {
            Kind::Leaf => Part::Leaf,
            Kind::NestedMessage => Part::Message,
            Kind::Multipart => Part::Preamble,
        };
        let boundary = boundary.filter(|_| kind == Kind::Multipart).unwrap_or_default();
        self.boundaries += usize::from(kind == Kind::Multipart);
        self.stack.push(Open { no, boundary, is_digest: content.media == b"multipart/digest", part });
        self.at_line_start = true;
        self.state = State::Body;
        if kind == Kind::NestedMessage {
            if self.next >= MAX_NODES {
                self.begin_overflow(visitor);
            } else {
                self.default_media = PLAIN;
                self.state = State::MessageStart { after_from_line: false };
            }
        }
    }

    fn body(&mut self, bytes: &[u8], last: bool, visitor: &mut impl Visitor) -> usize {
        if self.boundaries == 0 {
            self.tell(bytes, visitor);
            return bytes.len();
        }
        if self.at_line_start {
            match self.line(bytes, last) {
                Line::Unknown => return 0,
                Line::Other => self.at_line_start = false,
                Line::Delimiter { of, closes, len } => return self.delimiter(of, closes, len, visitor),
            }
        }
        let Some((at, line)) = self.find_delimiter(bytes, last) else {
            let decided = if last { bytes.len() } else { bytes.len() - self.undecided(bytes) };
            self.tell(bytes.get(..decided).unwrap_or_default(), visitor);
            return decided;
        };
        let before = at - usize::from(self.is_crlf(bytes, at));
        self.tell(bytes.get(..before).unwrap_or_default(), visitor);
        match line {
            Line::Delimiter { of, closes, len } => match self.delimiter(of, closes, len, visitor) {
                // The rest belongs to the open node, including the line end before the delimiter.
                0 => before,
                len => at + 1 + len,
            },
            Line::Unknown | Line::Other => before,
        }
    }

    /// The first line end before a line that is a delimiter line, or may become one. A separate function, since a
    /// search takes much of the stack, and encoded mails within encoded mails call [`Self::body`] recursively.
    #[inline(never)]
    fn find_delimiter(&self, bytes: &[u8], last: bool) -> Option<(usize, Line)> {
        let needle = [self.line_end.byte(), b'-', b'-'];
        memmem::find_iter(bytes, &needle).find_map(|at| match self.line(bytes.get(at + 1..).unwrap_or_default(), last) {
            Line::Other => None,
            line => Some((at, line)),
        })
    }

    /// How many bytes at the end of `bytes` may belong to a delimiter line.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let end = self.line_end.byte();
        let dash = usize::from(bytes.last() == Some(&b'-'));
        let Some(at) = bytes.len().checked_sub(dash + 1) else {
            return 0;
        };
        match bytes.get(at) {
            Some(&byte) if byte == end => dash + 1 + usize::from(self.is_crlf(bytes, at)),
            Some(b'\r') if dash == 0 => 1,
            _ => 0,
        }
    }

    /// Whether a CR belongs to the line end whose last byte is at `at`.
    fn is_crlf(&self, bytes: &[u8], at: usize) -> bool {
        self.line_end == LineEnd::Lf && at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\r')
    }

    /// Passes on bytes of the innermost node, which begin at the current place.
    fn tell(&mut self, bytes: &[u8], visitor: &mut impl Visitor) {
        let Some(open) = self.stack.last().filter(|_| !bytes.is_empty()) else {
            return;
        };
        match open.part {
            Part::Leaf => visitor.body(open.no, self.at, bytes),
            Part::Preamble => visitor.preamble(open.no, self.at, bytes),
            Part::Message | Part::Children | Part::Epilogue => visitor.glue(self.at, bytes),
        }
        self.passed = self.at + bytes.len() as u64;
    }

    /// The meaning of the line with which `bytes` begin.
    fn line(&self, bytes: &[u8], last: bool) -> Line {
        if self.boundaries == 0 || !(bytes.starts_with(b"--") || bytes == b"-") {
            return Line::Other;
        }
        let window = bytes.get(..MAX_DELIMITER_LINE).unwrap_or(bytes);
        let len = match memchr(self.line_end.byte(), window) {
            Some(end) => end + 1,
            None if window.len() == MAX_DELIMITER_LINE => return Line::Other,
            None if last => window.len(),
            None => return Line::Unknown,
        };
        let line = self.line_end.strip(window.get(..len).unwrap_or_default());
        let Some(text) = trim_end(line, is_space).strip_prefix(b"--") else {
            return Line::Other;
        };
        let closing = text.strip_suffix(b"--");
        for (of, open) in self.stack.iter().enumerate().rev() {
            if !matches!(open.part, Part::Preamble | Part::Children) {
                continue;
            }
            if text == open.boundary {
                return Line::Delimiter { of, closes: false, len };
            }
            if closing == Some(open.boundary.as_slice()) {
                // The line end stays: before another delimiter line it belongs to that one.
                return Line::Delimiter { of, closes: true, len: line.len() };
            }
        }
        Line::Other
    }

    /// A delimiter line of the node at `of` on the stack, `len` bytes long. Returns how many of them are used.
    fn delimiter(&mut self, of: usize, closes: bool, len: usize, visitor: &mut impl Visitor) -> usize {
        if !closes && self.next >= MAX_NODES {
            self.begin_overflow(visitor);
            return 0;
        }
        while self.stack.len() > of + 1 {
            self.close(visitor);
        }
        let Some(open) = self.stack.last_mut() else {
            return len;
        };
        if open.part == Part::Preamble {
            visitor.delimited(open.no);
        }
        if closes {
            open.part = Part::Epilogue;
            self.boundaries -= 1;
            self.state = State::Body;
            self.at_line_start = false;
        } else {
            open.part = Part::Children;
            self.state = State::PartStart;
            self.default_media = if open.is_digest { "message/rfc822" } else { PLAIN };
        }
        len
    }

    fn begin_overflow(&mut self, visitor: &mut impl Visitor) {
        self.state = State::Overflow;
        self.overflowed = true;
        if let Some(open) = self.stack.last_mut() {
            open.part = Part::Leaf;
            visitor.overflow(open.no);
        }
    }

    fn overflow(&mut self, bytes: &[u8], visitor: &mut impl Visitor) -> usize {
        self.tell(bytes, visitor);
        bytes.len()
    }

    fn close(&mut self, visitor: &mut impl Visitor) {
        let Some(open) = self.stack.pop() else {
            return;
        };
        if matches!(open.part, Part::Preamble | Part::Children) {
            self.boundaries = self.boundaries.saturating_sub(1);
        }
        visitor.close(open.no);
        if open.part == Part::Leaf {
            self.next = self.next.saturating_add(visitor.found_inside());
        }
    }

    fn end(&mut self, visitor: &mut impl Visitor) {
        loop {
            match self.state {
                State::Sniff | State::MessageStart { .. } | State::FromLine => self.begin_header(self.at, true),
                State::PartStart => self.begin_header(self.at, false),
                State::Header => {
                    self.open(0, visitor);
                    0
                }
                State::Body | State::Overflow => break,
            };
        }
        while !self.stack.is_empty() {
            self.close(visitor);
        }
    }
}

#[cfg(test)]
pub(in crate::mail) mod tests;
