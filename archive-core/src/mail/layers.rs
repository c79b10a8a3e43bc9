//! A mail with the mails that are encoded in it, as one sequence of entities (docs/TEXT.md, T2.8 to T2.11). All code
//! that reads text and parts uses this walk, so that what is shown is what is found.

use super::text::Place;
use super::transfer::Decoder;
use super::treatment::Treatment;
use super::walk::{Kind, MAX_DEPTH, Node, NodeNo, Visitor, WalkEnd, Walker};

/// Bytes of encoded nested mails that are decoded at a time.
const STEP: usize = 64 * 1024;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Entities between delimiter lines; text, if none comes.
    Multipart,
    /// A nested mail, which is its only child, encoded or not.
    Mail,
    /// Nested too deep to be opened.
    TooDeep,
    /// Bytes.
    Leaf(Treatment),
}

/// Takes the entities of a mail in document order. Between its opening and closing an entity has others inside.
pub(super) trait Entities {
    /// An entity begins; its header block is known.
    fn open(&mut self, node: &Node<'_>, place: Place, shape: Shape);
    /// Bytes of the body of the innermost entity, still encoded: of a leaf, or of a multipart before its first
    /// delimiter line.
    fn body(&mut self, bytes: &[u8]);
    /// The innermost entity is a multipart that has delimiter lines: the bytes of its body so far are not text.
    fn delimited(&mut self);
    /// There are too many entities: the rest of the mail does not belong to the body of this one, or of those around
    /// it.
    fn overflow(&mut self, number: u32);
    /// The innermost entity ends; `mail` is the length of the mail in it, if it has one.
    fn close(&mut self, number: u32, mail: u64);

    /// Whether the bytes of the mail in this entity are passed to [`Self::mail`].
    fn wants(&self, number: u32) -> bool {
        let _ = number;
        false
    }

    /// Bytes of the mail in this entity, in order.
    fn mail(&mut self, number: u32, bytes: &[u8]) {
        let _ = (number, bytes);
    }
}

/// A mail that is walked: the outermost, or one that was in a transfer encoding. Layers nest no deeper than
/// [`MAX_DEPTH`].
#[derive(Debug)]
pub(super) struct Layer {
    walker: Walker,
    state: State,
}

#[derive(Debug)]
struct State {
    /// The open entities, the outermost first.
    open: Vec<Open>,
    /// The place of the mail of this layer.
    root: Place,
    /// Entities inside the one closed last, if that was an encoded mail.
    inside: u32,
    /// The bytes up to here were passed on.
    passed: u64,
    /// Where there were too many entities.
    end: Option<u64>,
    /// How many of the open mails are wanted.
    wanted: u32,
}

#[derive(Debug)]
struct Open {
    number: u32,
    /// The place of its children.
    children: Place,
    /// Where the mail in it begins, if that is not encoded.
    begins: Option<u64>,
    is_wanted: bool,
    encoded: Option<Box<Encoded>>,
}

/// An encoded mail inside a leaf.
#[derive(Debug)]
struct Encoded {
    decoder: Decoder,
    decoded: Vec<u8>,
    len: u64,
    number: u32,
    is_wanted: bool,
    layer: Layer,
}

impl Layer {
    /// At the beginning of the outermost mail.
    pub(super) fn outermost() -> Self {
        Self::new(NodeNo(0), 0, Place::default())
    }

    fn new(first: NodeNo, depth: u32, root: Place) -> Self {
        let state = State { open: Vec::new(), root, inside: 0, passed: 0, end: None, wanted: 0 };
        Self { walker: Walker::inside(first, depth), state }
    }

    /// The next bytes of the mail.
    pub(super) fn push(&mut self, bytes: &[u8], entities: &mut impl Entities) {
        self.walker.push(bytes, &mut Walk { state: &mut self.state, entities });
    }

    /// The end of the mail.
    pub(super) fn finish(&mut self, entities: &mut impl Entities) -> WalkEnd {
        std::mem::take(&mut self.walker).finish(&mut Walk { state: &mut self.state, entities })
    }
}

impl Encoded {
    fn push(&mut self, bytes: &[u8], entities: &mut impl Entities) {
        for step in bytes.chunks(STEP) {
            self.decoder.push(step, &mut self.decoded);
            self.hand_on(entities);
        }
    }

    fn hand_on(&mut self, entities: &mut impl Entities) {
        self.len += self.decoded.len() as u64;
        if self.is_wanted {
            entities.mail(self.number, &self.decoded);
        }
        self.layer.push(&self.decoded, entities);
        self.decoded.clear();
    }

    /// Returns how many entities there were.
    fn finish(&mut self, entities: &mut impl Entities) -> u32 {
        self.decoder.finish(&mut self.decoded);
        self.hand_on(entities);
        self.layer.finish(entities).next.0.saturating_sub(self.number.saturating_add(1))
    }
}

struct Walk<'a, E: Entities> {
    state: &'a mut State,
    entities: &'a mut E,
}

impl<E: Entities> Visitor for Walk<'_, E> {
    fn open(&mut self, node: &Node<'_>) {
        let number = node.no.0;
        let place = self.state.open.last().map_or(self.state.root, |parent| parent.children);
        let shape = shape_of(node, place);
        self.entities.open(node, place, shape);
        let is_mail = shape == Shape::Mail;
        let is_wanted = is_mail && self.entities.wants(number);
        let children = Place { nested: place.nested || is_mail, in_encrypted: node.content.media == b"multipart/encrypted" };
        let begins = (node.kind == Kind::NestedMessage).then_some(node.body_at);
        let encoded = (is_mail && begins.is_none()).then(|| {
            let layer = Layer::new(NodeNo(number.saturating_add(1)), node.depth + 1, Place { nested: true, in_encrypted: false });
            let decoder = Decoder::new(node.content.encoding, node.line_end);
            Box::new(Encoded { decoder, decoded: Vec::new(), len: 0, number, is_wanted, layer })
        });
        self.state.wanted += u32::from(is_wanted && begins.is_some());
        self.state.open.push(Open { number, children, begins, is_wanted, encoded });
    }

    fn body(&mut self, _: NodeNo, at: u64, bytes: &[u8]) {
        self.passed(at, bytes);
        match self.state.open.last_mut().map(|open| &mut open.encoded) {
            Some(Some(encoded)) => encoded.push(bytes, self.entities),
            _ => self.entities.body(bytes),
        }
    }

    fn preamble(&mut self, _: NodeNo, at: u64, bytes: &[u8]) {
        self.passed(at, bytes);
        self.entities.body(bytes);
    }

    fn glue(&mut self, at: u64, bytes: &[u8]) {
        self.passed(at, bytes);
    }

    fn delimited(&mut self, _: NodeNo) {
        self.entities.delimited();
    }

    fn overflow(&mut self, node: NodeNo) {
        if let Some(mut encoded) = self.state.open.last_mut().and_then(|open| open.encoded.take()) {
            self.state.inside = encoded.finish(self.entities);
        }
        self.state.end = Some(self.state.passed);
        self.state.wanted = 0;
        self.entities.overflow(node.0);
    }

    fn close(&mut self, node: NodeNo) {
        let Some(open) = self.state.open.pop() else { return };
        let end = self.state.end.unwrap_or(self.state.passed);
        let mut len = open.begins.map_or(0, |begins| end.saturating_sub(begins));
        if let Some(mut encoded) = open.encoded {
            self.state.inside = encoded.finish(self.entities);
            len = encoded.len;
        }
        if open.is_wanted && open.begins.is_some() {
            self.state.wanted = self.state.wanted.saturating_sub(1);
        }
        self.entities.close(node.0, len);
    }

    fn found_inside(&mut self) -> u32 {
        std::mem::take(&mut self.state.inside)
    }
}

impl<E: Entities> Walk<'_, E> {
    /// Receives every byte of the mail, in order; bytes of nested mails that are not encoded may be wanted.
    fn passed(&mut self, at: u64, bytes: &[u8]) {
        self.state.passed = at + bytes.len() as u64;
        if self.state.wanted == 0 {
            return;
        }
        for open in &self.state.open {
            if let Some(begins) = open.begins.filter(|_| open.is_wanted) {
                let before = usize::try_from(begins.saturating_sub(at)).unwrap_or(usize::MAX);
                if let Some(inside @ [_, ..]) = bytes.get(before..) {
                    self.entities.mail(open.number, inside);
                }
            }
        }
    }
}

fn shape_of(node: &Node<'_>, place: Place) -> Shape {
    let treatment = Treatment::of(node.content, place);
    match node.kind {
        Kind::Multipart => Shape::Multipart,
        Kind::NestedMessage => Shape::Mail,
        Kind::Leaf if node.depth >= MAX_DEPTH && (treatment == Treatment::Mail || node.content.media.starts_with(b"multipart/")) => {
            Shape::TooDeep
        }
        Kind::Leaf if treatment == Treatment::Mail => Shape::Mail,
        Kind::Leaf => Shape::Leaf(treatment),
    }
}
