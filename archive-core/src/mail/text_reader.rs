//! From the entities of a mail to its text: which body is read how, and nested mails that lie in an encoding (docs/TEXT.md, T2, T8).

use super::media::Encoding;
use super::text::{Collected, Entity, Field, MailText, Place, Why};
use super::text_body::{TextBody, Treatment};
use super::transfer::Decoder;
use super::walk::{Kind, MAX_DEPTH, Node, NodeNo, Visitor, WalkEnd, Walker};

/// Bytes of encoded nested mails are decoded so many at a time.
const STEP: usize = 64 * 1024;

/// Takes the text of a mail that comes in pieces.
///
/// Holds at most 32 MiB of the body at hand and 64 MiB of text, however large the mail is.
#[derive(Debug)]
pub struct TextReader {
    collected: Collected,
    layer: Layer,
}

impl TextReader {
    /// `recorded_guesses` are those of [`MailText::guesses`] that were kept with the mail, if any.
    #[must_use]
    pub fn new(recorded_guesses: &[(u32, String)]) -> Self {
        Self { collected: Collected::new(recorded_guesses), layer: Layer::new(NodeNo(0), 0, Place::default()) }
    }

    /// The next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8]) {
        self.layer.push(bytes, &mut self.collected);
    }

    /// The end of the mail.
    #[must_use]
    pub fn finish(self) -> MailText {
        let Self { mut collected, mut layer } = self;
        layer.finish(&mut collected);
        collected.out
    }
}

/// Takes the text of a whole mail. See [`TextReader`] for pieces.
#[must_use]
pub fn extract(raw: &[u8], recorded_guesses: &[(u32, String)]) -> MailText {
    let mut reader = TextReader::new(recorded_guesses);
    reader.push(raw);
    reader.finish()
}

/// A mail that is walked: the outermost, or one that lay in a transfer encoding.
#[derive(Debug)]
struct Layer {
    walker: Walker,
    entities: Entities,
}

/// The open entities of a layer, the outermost first.
#[derive(Debug)]
struct Entities {
    open: Vec<OpenEntity>,
    /// Where the mail of this layer stands.
    root: Place,
    /// Entities inside the one closed last, if that was an encoded mail.
    inside: u32,
}

#[derive(Debug)]
struct OpenEntity {
    /// What holds for its children.
    children: Place,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Nothing,
    /// A leaf's, or what stands before the first delimiter line of a multipart.
    Text(Box<TextBody>),
    Encoded(Box<Encoded>),
}

/// An encoded mail inside a leaf. Layers lie in each other no deeper than [`MAX_DEPTH`].
#[derive(Debug)]
struct Encoded {
    decoder: Decoder,
    decoded: Vec<u8>,
    first: NodeNo,
    layer: Layer,
}

impl Layer {
    fn new(first: NodeNo, depth: u32, root: Place) -> Self {
        Self { walker: Walker::inside(first, depth), entities: Entities { open: Vec::new(), root, inside: 0 } }
    }

    fn push(&mut self, bytes: &[u8], collected: &mut Collected) {
        self.walker.push(bytes, &mut Walk { entities: &mut self.entities, collected });
    }

    fn finish(&mut self, collected: &mut Collected) -> WalkEnd {
        std::mem::take(&mut self.walker).finish(&mut Walk { entities: &mut self.entities, collected })
    }
}

impl Encoded {
    fn push(&mut self, bytes: &[u8], collected: &mut Collected) {
        for step in bytes.chunks(STEP) {
            self.decoder.push(step, &mut self.decoded);
            self.layer.push(&self.decoded, collected);
            self.decoded.clear();
        }
    }

    /// Says how many entities there were.
    fn finish(&mut self, collected: &mut Collected) -> u32 {
        self.decoder.finish(&mut self.decoded);
        self.layer.push(&self.decoded, collected);
        self.layer.finish(collected).next.0.saturating_sub(self.first.0)
    }
}

struct Walk<'a> {
    entities: &'a mut Entities,
    collected: &'a mut Collected,
}

impl Visitor for Walk<'_> {
    fn open(&mut self, node: &Node<'_>) {
        let place = self.entities.open.last().map_or(self.entities.root, |parent| parent.children);
        let entity = self.collected.read_header(node, place);
        let open = self.opened(node, entity, place);
        self.entities.open.push(open);
    }

    fn body(&mut self, _: NodeNo, _: u64, bytes: &[u8]) {
        match self.entities.open.last_mut().map(|open| &mut open.body) {
            Some(Body::Text(text)) => text.push(bytes),
            Some(Body::Encoded(nested)) => nested.push(bytes, self.collected),
            Some(Body::Nothing) | None => {}
        }
    }

    fn preamble(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        self.body(node, at, bytes);
    }

    fn delimited(&mut self, _: NodeNo) {
        if let Some(open) = self.entities.open.last_mut() {
            open.body = Body::Nothing;
        }
    }

    fn overflow(&mut self, node: NodeNo) {
        if let Some(open) = self.entities.open.last_mut() {
            let body = std::mem::replace(&mut open.body, Body::Nothing);
            self.finish(body);
        }
        self.collected.too_many_parts(node.0);
    }

    fn close(&mut self, _: NodeNo) {
        if let Some(open) = self.entities.open.pop() {
            self.finish(open.body);
        }
    }

    fn found_inside(&mut self) -> u32 {
        std::mem::take(&mut self.entities.inside)
    }
}

impl Walk<'_> {
    fn opened(&mut self, node: &Node<'_>, entity: Entity, place: Place) -> OpenEntity {
        let number = node.no.0;
        let media = String::from_utf8_lossy(&node.content.media);
        let is_mail = matches!(media.as_ref(), "message/rfc822" | "message/global" | "message/news");
        let mut children = Place { nested: place.nested, in_encrypted: media == "multipart/encrypted" };
        let body = match node.kind {
            Kind::Multipart => Body::Text(Box::new(TextBody::new(undelimited(entity, place), false))),
            Kind::NestedMessage => {
                children.nested = true;
                Body::Nothing
            }
            Kind::Leaf if node.depth >= MAX_DEPTH && (is_mail || media.starts_with("multipart/")) => self.cannot(number, Why::TooDeep),
            Kind::Leaf if is_mail => {
                let first = NodeNo(number.saturating_add(1));
                let root = Place { nested: true, in_encrypted: false };
                let layer = Layer::new(first, node.depth + 1, root);
                let decoder = Decoder::new(node.content.encoding, node.line_end);
                Body::Encoded(Box::new(Encoded { decoder, decoded: Vec::new(), first, layer }))
            }
            Kind::Leaf => match Treatment::of(&media, place) {
                Treatment::Plain => Body::Text(Box::new(TextBody::new(entity, false))),
                Treatment::Html => Body::Text(Box::new(TextBody::new(entity, true))),
                Treatment::Silent => Body::Nothing,
                Treatment::Encrypted => self.cannot(number, Why::Encrypted),
                Treatment::Off => self.cannot(number, Why::TypeOff(media.into_owned())),
            },
        };
        OpenEntity { children, body }
    }

    fn finish(&mut self, body: Body) {
        match body {
            Body::Text(text) => text.finish(self.collected),
            Body::Encoded(mut nested) => self.entities.inside = nested.finish(self.collected),
            Body::Nothing => {}
        }
    }

    fn cannot(&mut self, number: u32, why: Why) -> Body {
        self.collected.cannot(number, why);
        Body::Nothing
    }
}

/// How a multipart's body is read if no delimiter line comes (T2.7).
fn undelimited(entity: Entity, place: Place) -> Entity {
    let field = if place.nested { Field::Acontent } else { Field::Bcontent };
    Entity { field, transfer: Encoding::Identity, label: String::new(), ..entity }
}
