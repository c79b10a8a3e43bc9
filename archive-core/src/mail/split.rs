//! Splits a mail for storing: literal bytes, base64 that is stored decoded, and parts that are stored once in each
//! store (ARCHITECTURE, "Content"). [`join`](super::join) restores the exact bytes.
//!
//! Base64 is decided a chunk at a time: it is stored decoded only if encoding it again gives exactly the same bytes, so
//! exactness rests on a comparison and not on the judgement of a parser. Nothing depends on how the bytes are cut into
//! chunks.

use std::convert::Infallible;

use encodify::base64::{self, Base64, LineEnding};
use memchr::memchr;

use super::media::Encoding;
use super::walk::{Node, NodeNo, Visitor, WalkEnd, Walker};

/// Encoded bytes whose exactness is decided at a time.
pub const CHUNK: usize = 1 << 20;
/// Base64 with more decoded bytes than this is a part.
pub const BASE64_PART: u64 = 1 << 10;
/// A body that is not base64 and longer than this is a part.
pub const PLAIN_PART: usize = 64 << 10;
/// After this many extents, the rest of the mail is literal: regular mails have at most two a node, and one more.
pub const MAX_EXTENTS: usize = 32 << 10;

/// A piece of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Stored bytes as they are.
    Literal {
        /// Bytes stored.
        len: u64,
    },
    /// Stored bytes that are encoded in the mail.
    Decoded {
        /// Bytes stored.
        len: u64,
        /// How they are encoded.
        wrap: Wrap,
    },
    /// The next part.
    Part {
        /// Bytes of the part.
        len: u64,
        /// How they are encoded, if they are.
        wrap: Option<Wrap>,
    },
}

/// The form of a base64 text (RFC 2045): full lines, of which the last may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrap {
    /// Characters of a full line, a multiple of 4; 0: all is one line.
    pub line_len: u16,
    /// What ends the lines.
    pub eol: Eol,
    /// Whether the last line is ended too.
    pub ends_with_eol: bool,
}

/// A line end of a base64 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eol {
    /// LF.
    Lf,
    /// CR LF.
    CrLf,
}

impl Eol {
    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

impl Wrap {
    /// The encoder that ends every line of `line_len` characters.
    pub(super) fn engine(self) -> Base64 {
        let ending = match self.eol {
            Eol::Lf => LineEnding::Lf,
            Eol::CrLf => LineEnding::CrLf,
        };
        if self.line_len == 0 { base64::STANDARD } else { base64::STANDARD.wrapped(usize::from(self.line_len), ending) }
    }

    /// Appends the encoding of `decoded` with every line ended, whether full or not.
    fn encode(self, decoded: &[u8], out: &mut Vec<u8>) {
        self.engine().encode_append(decoded, out);
        if self.line_len == 0 {
            out.extend_from_slice(self.eol.bytes());
        }
    }
}

/// Receives what a mail is split into, in order.
///
/// Literal and decoded bytes go to `stored`; between `part_begin` and `part_end` all bytes go to `part`.
pub trait SplitSink {
    /// Why bytes were not accepted. Ends the splitting.
    type Error;
    /// The next bytes of the content's own stored body.
    fn stored(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
    /// A part begins.
    fn part_begin(&mut self) -> Result<(), Self::Error>;
    /// The next bytes of the part.
    fn part(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
    /// The part ends.
    fn part_end(&mut self) -> Result<(), Self::Error>;
}

/// A mail in memory, split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// The pieces, which cover every byte of the mail in order.
    pub extents: Vec<Extent>,
    /// Bytes of all literal and decoded extents, one after the other.
    pub stored: Vec<u8>,
    /// The parts in the order of their extents.
    pub parts: Vec<Vec<u8>>,
}

/// Discards the pieces of a split mail, if only its facts are wanted.
pub(crate) struct Discard;

impl SplitSink for Discard {
    type Error = Infallible;

    fn stored(&mut self, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn part_begin(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn part(&mut self, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn part_end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl SplitSink for Split {
    type Error = Infallible;

    fn stored(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.stored.extend_from_slice(bytes);
        Ok(())
    }

    fn part_begin(&mut self) -> Result<(), Infallible> {
        self.parts.push(Vec::new());
        Ok(())
    }

    fn part(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        if let Some(part) = self.parts.last_mut() {
            part.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn part_end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Splits a mail in memory.
#[must_use]
pub fn split(raw: &[u8]) -> Split {
    let mut walker = Walker::new();
    let mut splitter = Splitter::new(Split::default());
    walker.push(raw, &mut splitter);
    walker.finish(&mut splitter);
    let Ok((mut split, extents)) = splitter.finish();
    split.extents = extents;
    split
}

/// Splits the mail whose walk it visits.
pub struct Splitter<S: SplitSink> {
    out: Out<S>,
    leaf: Leaf,
    /// Bytes of the leaf's body that wait for a decision.
    held: Vec<u8>,
    /// How many of them have been decided (only for base64).
    used: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    /// Not in a leaf, or in one that is literal.
    Literal,
    /// Not known yet to be long enough for a part.
    Short,
    /// A part without wrap.
    Long,
    Base64,
}

impl<S: SplitSink> Splitter<S> {
    /// A splitter that passes the pieces to `sink`.
    pub fn new(sink: S) -> Self {
        let out = Out { sink, error: None, extents: Vec::new(), run: None, decoded: Vec::new(), encoded: Vec::new() };
        Self { out, leaf: Leaf::Literal, held: Vec::new(), used: 0 }
    }

    /// The sink and the extents of the mail, after the walk is finished; or the first error of the sink.
    pub fn finish(self) -> Result<(S, Vec<Extent>), S::Error> {
        match self.out.error {
            Some(error) => Err(error),
            None => Ok((self.out.sink, self.out.extents)),
        }
    }

    /// Whether the sink failed; then nothing more goes to it.
    pub fn failed(&self) -> bool {
        self.out.error.is_some()
    }

    fn begin(&mut self, leaf: Leaf) {
        self.leaf = if self.out.extents.len() < MAX_EXTENTS { leaf } else { Leaf::Literal };
    }

    fn end(&mut self) {
        match self.leaf {
            Leaf::Literal => {}
            Leaf::Short => self.out.literal(&self.held),
            Leaf::Long => self.out.end_run(),
            Leaf::Base64 => {
                while self.used < self.held.len() {
                    let rest = self.held.get(self.used..).unwrap_or_default();
                    self.used += self.out.base64(rest.get(..CHUNK).unwrap_or(rest));
                }
                self.used = 0;
                self.out.end_run();
            }
        }
        self.held.clear();
        self.leaf = Leaf::Literal;
    }

    fn base64(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.held.is_empty() && bytes.len() >= CHUNK {
                let used = self.out.base64(bytes.get(..CHUNK).unwrap_or_default());
                bytes = bytes.get(used..).unwrap_or_default();
                continue;
            }
            // Two chunks are held, so that the remaining bytes are rarely moved.
            let (now, later) = bytes.split_at(bytes.len().min(2 * CHUNK - self.held.len()));
            self.held.extend_from_slice(now);
            bytes = later;
            while let Some(text) = self.held.get(self.used..self.used + CHUNK) {
                self.used += self.out.base64(text);
            }
            if self.used > CHUNK || self.used == self.held.len() {
                self.held.drain(..self.used);
                self.used = 0;
            }
        }
    }
}

impl<S: SplitSink> Visitor for Splitter<S> {
    fn open(&mut self, node: &Node<'_>) {
        self.begin(match node.content.encoding {
            Encoding::Base64 => Leaf::Base64,
            Encoding::Identity | Encoding::QuotedPrintable => Leaf::Short,
        });
    }

    fn body(&mut self, _: NodeNo, _: u64, bytes: &[u8]) {
        match self.leaf {
            Leaf::Literal => self.out.literal(bytes),
            Leaf::Long => self.out.part(bytes),
            Leaf::Base64 => self.base64(bytes),
            Leaf::Short if self.held.len() + bytes.len() <= PLAIN_PART => self.held.extend_from_slice(bytes),
            Leaf::Short => {
                self.leaf = Leaf::Long;
                self.out.begin_part(None);
                self.out.part(&self.held);
                self.out.part(bytes);
                self.held.clear();
            }
        }
    }

    fn preamble(&mut self, _: NodeNo, _: u64, bytes: &[u8]) {
        self.out.literal(bytes);
    }

    fn glue(&mut self, _: u64, bytes: &[u8]) {
        self.out.literal(bytes);
    }

    fn overflow(&mut self, _: NodeNo) {
        if self.leaf == Leaf::Literal {
            self.begin(Leaf::Short);
        }
    }

    fn close(&mut self, _: NodeNo) {
        self.end();
    }
}

/// The extents so far, and the sink.
struct Out<S: SplitSink> {
    sink: S,
    error: Option<S::Error>,
    extents: Vec<Extent>,
    run: Option<Run>,
    decoded: Vec<u8>,
    encoded: Vec<u8>,
}

/// A part that has begun.
#[derive(Debug, Clone, Copy)]
struct Run {
    len: u64,
    wrap: Option<Wrap>,
}

/// Lines at the beginning of a text that may be exact base64.
#[derive(Debug, Clone, Copy)]
struct Lines {
    wrap: Wrap,
    len: usize,
    /// Whether these lines can be continued: they are full, and the last is ended (or there is only one).
    full: bool,
}

impl<S: SplitSink> Out<S> {
    fn put(&mut self, put: impl FnOnce(&mut S) -> Result<(), S::Error>) {
        if self.error.is_none() {
            self.error = put(&mut self.sink).err();
        }
    }

    fn literal(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.put(|sink| sink.stored(bytes));
        match self.extents.last_mut() {
            Some(Extent::Literal { len }) => *len += bytes.len() as u64,
            _ => self.extents.push(Extent::Literal { len: bytes.len() as u64 }),
        }
    }

    fn begin_part(&mut self, wrap: Option<Wrap>) {
        self.put(S::part_begin);
        self.run = Some(Run { len: 0, wrap });
    }

    fn part(&mut self, bytes: &[u8]) {
        self.put(|sink| sink.part(bytes));
        if let Some(run) = &mut self.run {
            run.len += bytes.len() as u64;
        }
    }

    fn end_run(&mut self) {
        if let Some(Run { len, wrap }) = self.run.take() {
            self.put(S::part_end);
            self.extents.push(Extent::Part { len, wrap });
        }
    }

    /// Takes the beginning of a base64 text: all that is left of the body, or [`CHUNK`] of it. Returns how many bytes
    /// it took, at least one.
    fn base64(&mut self, text: &[u8]) -> usize {
        let continued = self.run.and_then(|run| run.wrap);
        let lines = continued.and_then(|wrap| lines_of(wrap, text));
        if lines.is_none() {
            self.end_run();
        }
        let room = self.extents.len() + 2 < MAX_EXTENTS;
        match lines.or_else(|| first_wrap(text).and_then(|wrap| lines_of(wrap, text))) {
            Some(lines) if room => self.lines(lines, text),
            Some(lines) => {
                self.end_run();
                self.literal(text.get(..lines.len).unwrap_or_default());
                lines.len
            }
            None => {
                let end = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
                self.literal(text.get(..end).unwrap_or_default());
                end
            }
        }
    }

    fn lines(&mut self, lines: Lines, text: &[u8]) -> usize {
        let Lines { wrap, len, full } = lines;
        let text = text.get(..len).unwrap_or_default();
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        self.encoded.clear();
        let mut exact = base64::LENIENT.decode_append(text, &mut decoded).is_ok() && !decoded.is_empty();
        if exact {
            wrap.encode(&decoded, &mut self.encoded);
            let behind = self.encoded.strip_prefix(text);
            exact = behind.is_some_and(|behind| behind == if wrap.ends_with_eol { &[] } else { wrap.eol.bytes() });
        }
        if exact {
            self.exact(wrap, &decoded);
            if !full || !decoded.len().is_multiple_of(3) {
                self.end_run();
            }
        } else {
            self.end_run();
            self.literal(text);
        }
        self.decoded = decoded;
        len
    }

    fn exact(&mut self, wrap: Wrap, decoded: &[u8]) {
        if self.run.is_none() {
            if decoded.len() as u64 <= BASE64_PART {
                self.put(|sink| sink.stored(decoded));
                self.extents.push(Extent::Decoded { len: decoded.len() as u64, wrap });
                return;
            }
            self.begin_part(Some(wrap));
        }
        self.part(decoded);
        if let Some(run) = &mut self.run {
            run.wrap = Some(wrap);
        }
    }
}

/// The wrap that the first line of `text` suggests.
fn first_wrap(text: &[u8]) -> Option<Wrap> {
    let (line_len, eol) = match memchr(b'\n', text.get(..usize::from(u16::MAX) + 2).unwrap_or(text)) {
        Some(at) => match text.get(..at)?.strip_suffix(b"\r") {
            Some(line) => (line.len(), Eol::CrLf),
            None => (at, Eol::Lf),
        },
        None => return Some(Wrap { line_len: 0, eol: Eol::Lf, ends_with_eol: false }),
    };
    let line_len = u16::try_from(line_len).ok().filter(|len| *len > 0 && len % 4 == 0)?;
    Some(Wrap { line_len, eol, ends_with_eol: true })
}

/// The lines at the beginning of `text` that have the form of `wrap` (whatever their characters), if any.
fn lines_of(wrap: Wrap, text: &[u8]) -> Option<Lines> {
    if wrap.line_len == 0 {
        return one_line(wrap, text);
    }
    let eol = wrap.eol.bytes();
    let line_len = usize::from(wrap.line_len);
    let stride = line_len + eol.len();
    let full = text.chunks_exact(stride).take_while(|line| line.ends_with(eol)).count();
    let len = full * stride;
    let rest = text.get(len..).unwrap_or_default();
    if text.len() == CHUNK && rest.len() < stride {
        // The next line is incomplete.
        return (full > 0).then_some(Lines { wrap: Wrap { ends_with_eol: true, ..wrap }, len, full: true });
    }
    // The last line is shorter, or not ended.
    let window = rest.get(..stride).unwrap_or(rest);
    let (last, ended) = match memchr(b'\n', window) {
        Some(at) => (at + 1, true),
        None => (rest.len(), false),
    };
    let line = window.get(..last).unwrap_or_default();
    let characters = if ended { line.strip_suffix(eol).map_or(0, <[u8]>::len) } else { last };
    if characters > 0 && characters % 4 == 0 && characters <= line_len {
        return Some(Lines { wrap: Wrap { ends_with_eol: ended, ..wrap }, len: len + last, full: false });
    }
    (full > 0).then_some(Lines { wrap: Wrap { ends_with_eol: true, ..wrap }, len, full: true })
}

/// A text without line breaks, up to its line end.
fn one_line(wrap: Wrap, text: &[u8]) -> Option<Lines> {
    let (len, wrap) = match memchr(b'\n', text) {
        None if text.len() == CHUNK => return Some(Lines { wrap, len: CHUNK, full: true }),
        None => (text.len(), wrap),
        Some(at) if at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\r') => {
            (at + 1, Wrap { eol: Eol::CrLf, ends_with_eol: true, ..wrap })
        }
        Some(at) => (at + 1, Wrap { ends_with_eol: true, ..wrap }),
    };
    let characters = len - if wrap.ends_with_eol { wrap.eol.bytes().len() } else { 0 };
    (characters > 0 && characters % 4 == 0).then_some(Lines { wrap, len, full: false })
}

/// Splits a mail that is pushed in chunks.
pub struct StreamSplit<S: SplitSink> {
    walker: Walker,
    splitter: Splitter<S>,
}

impl<S: SplitSink> StreamSplit<S> {
    /// At the beginning of a mail.
    pub fn new(sink: S) -> Self {
        Self { walker: Walker::new(), splitter: Splitter::new(sink) }
    }

    /// Takes the next bytes. After an error of the sink, nothing more is passed on.
    pub fn push(&mut self, bytes: &[u8]) {
        self.walker.push(bytes, &mut self.splitter);
    }

    /// Ends the mail: the sink, the extents, and how the walk ended.
    pub fn finish(mut self) -> Result<(S, Vec<Extent>, WalkEnd), S::Error> {
        let end = self.walker.finish(&mut self.splitter);
        let (sink, extents) = self.splitter.finish()?;
        Ok((sink, extents, end))
    }
}

#[cfg(test)]
mod tests;
