//! Passes on the bytes of parts while a mail is read.

use super::layers::{Entities, Layer, Shape};
use super::media::Encoding;
use super::text::Place;
use super::transfer::Decoder;
use super::walk::{Node, NodeNo, Visitor, Walker};

/// Encoded bytes that are decoded at a time.
const STEP: usize = 64 << 10;

/// Passes the bytes of some parts of a mail to `sink`, while the mail is pushed in pieces: after transfer decoding; for
/// a nested mail, the bytes of that mail. Each existing part comes at least once, even if it is empty; a part inside
/// another wanted part comes between the pieces of the outer one.
pub struct PartReader<E, S: FnMut(u32, &[u8]) -> Result<(), E>> {
    layer: Layer,
    taken: Taken<E, S>,
}

impl<E, S: FnMut(u32, &[u8]) -> Result<(), E>> PartReader<E, S> {
    /// At the beginning of a mail. The numbers are those of [`Part`](super::Part), for parts that are not multiparts.
    pub fn new(parts: &[u32], sink: S) -> Self {
        let mut wanted = parts.to_vec();
        wanted.sort_unstable();
        Self { layer: Layer::outermost(), taken: Taken { wanted, sink, error: None, body: None, decoded: Vec::new() } }
    }

    /// Takes the next bytes of the mail. After an error of the sink, nothing more is passed on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), E> {
        self.layer.push(bytes, &mut self.taken);
        self.taken.error.take().map_or(Ok(()), Err)
    }

    /// The end of the mail.
    pub fn finish(mut self) -> Result<(), E> {
        self.layer.finish(&mut self.taken);
        self.taken.error.take().map_or(Ok(()), Err)
    }
}

struct Taken<E, S> {
    wanted: Vec<u32>,
    sink: S,
    error: Option<E>,
    /// The number and decoder of the innermost entity, if it is wanted and not a mail.
    body: Option<(u32, Decoder)>,
    decoded: Vec<u8>,
}

impl<E, S: FnMut(u32, &[u8]) -> Result<(), E>> Taken<E, S> {
    fn give(&mut self, number: u32, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = (self.sink)(number, bytes).err();
        }
    }

    fn give_decoded(&mut self, number: u32) {
        let decoded = std::mem::take(&mut self.decoded);
        if !decoded.is_empty() {
            self.give(number, &decoded);
        }
        self.decoded = decoded;
        self.decoded.clear();
    }

    fn end_body(&mut self) {
        if let Some((number, mut decoder)) = self.body.take() {
            decoder.finish(&mut self.decoded);
            self.give_decoded(number);
        }
    }
}

impl<E, S: FnMut(u32, &[u8]) -> Result<(), E>> Entities for Taken<E, S> {
    fn open(&mut self, node: &Node<'_>, _: Place, shape: Shape) {
        let number = node.no.0;
        self.body = None;
        if self.wants(number) {
            self.give(number, &[]);
            let encoding = if shape == Shape::Multipart { Encoding::Identity } else { node.content.encoding };
            self.body = (shape != Shape::Mail).then(|| (number, Decoder::new(encoding, node.line_end)));
        }
    }

    fn body(&mut self, bytes: &[u8]) {
        for step in bytes.chunks(STEP) {
            let Some((number, decoder)) = &mut self.body else { return };
            let number = *number;
            decoder.push(step, &mut self.decoded);
            self.give_decoded(number);
        }
    }

    fn delimited(&mut self) {
        self.body = None;
    }

    fn overflow(&mut self, _: u32) {
        self.end_body();
    }

    fn close(&mut self, _: u32, _: u64) {
        self.end_body();
    }

    fn wants(&self, number: u32) -> bool {
        self.wanted.binary_search(&number).is_ok()
    }

    fn mail(&mut self, number: u32, bytes: &[u8]) {
        self.give(number, bytes);
    }
}

/// Passes the header block of a mail to `sink`, while the mail is pushed in pieces: everything before the empty line
/// that ends it.
pub struct HeaderReader<E, S: FnMut(&[u8]) -> Result<(), E>> {
    walker: Walker,
    head: Head<E, S>,
}

impl<E, S: FnMut(&[u8]) -> Result<(), E>> HeaderReader<E, S> {
    /// At the beginning of a mail.
    pub fn new(sink: S) -> Self {
        Self { walker: Walker::new(), head: Head { sink, error: None, end: None } }
    }

    /// Takes the next bytes of the mail. Returns whether the header is over.
    pub fn push(&mut self, bytes: &[u8]) -> Result<bool, E> {
        self.walker.push(bytes, &mut self.head);
        self.head.error.take().map_or(Ok(self.head.end.is_some()), Err)
    }

    /// The end of the mail.
    pub fn finish(mut self) -> Result<(), E> {
        self.walker.finish(&mut self.head);
        self.head.error.take().map_or(Ok(()), Err)
    }
}

struct Head<E, S> {
    sink: S,
    error: Option<E>,
    /// Where the header ends, once that is known.
    end: Option<u64>,
}

impl<E, S: FnMut(&[u8]) -> Result<(), E>> Visitor for Head<E, S> {
    fn open(&mut self, node: &Node<'_>) {
        if node.no == NodeNo(0) {
            self.end = Some(node.header_at.end);
        }
    }

    fn glue(&mut self, at: u64, bytes: &[u8]) {
        let left = self.end.map_or(u64::MAX, |end| end.saturating_sub(at));
        let bytes = bytes.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(bytes);
        if !bytes.is_empty() && self.error.is_none() {
            self.error = (self.sink)(bytes).err();
        }
    }
}
