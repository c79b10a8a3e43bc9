//! From the entities of a mail to its text: which body is read how, and nested mails that lie in an encoding (docs/TEXT.md, T2, T8).

use super::structure::{Opening, Structure, Visitor};
use super::text::{Collected, Entity, MailText, Place, Why};
use super::text_body::{TextBody, Treatment};
use super::transfer::{Decoder, Encoding};

/// So many encoded nested mails may lie in each other (T2.11); plain ones are bounded by the depth.
const MOST_ENCODED: usize = 8;
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
        Self { collected: Collected::new(recorded_guesses), layer: Layer::new(0) }
    }

    /// The next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8]) {
        self.layer.push(bytes, &mut self.collected);
    }

    /// The end of the mail.
    #[must_use]
    pub fn finish(mut self) -> MailText {
        self.layer.finish(&mut self.collected);
        self.collected.out
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
    structure: Structure,
    entities: Entities,
}

/// The open entities of a layer, the outermost first.
#[derive(Debug)]
struct Entities {
    /// How many encodings are around.
    encoded: usize,
    open: Vec<OpenEntity>,
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

#[derive(Debug)]
struct Encoded {
    decoder: Decoder,
    decoded: Vec<u8>,
    layer: Layer,
}

impl Layer {
    fn new(encoded: usize) -> Self {
        Self { structure: Structure::new(encoded == 0), entities: Entities { encoded, open: Vec::new() } }
    }

    fn push(&mut self, bytes: &[u8], collected: &mut Collected) {
        self.structure.push(bytes, &mut Walk { entities: &mut self.entities, collected });
    }

    fn finish(&mut self, collected: &mut Collected) {
        self.structure.finish(&mut Walk { entities: &mut self.entities, collected });
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

    fn finish(&mut self, collected: &mut Collected) {
        self.decoder.finish(&mut self.decoded);
        self.layer.push(&self.decoded, collected);
        self.layer.finish(collected);
    }
}

struct Walk<'a> {
    entities: &'a mut Entities,
    collected: &'a mut Collected,
}

impl Visitor for Walk<'_> {
    fn begin(&mut self, header: &[u8], may_open: bool) -> Opening {
        let place = match self.entities.open.last() {
            Some(parent) => parent.children,
            None => Place { is_message: true, nested: self.entities.encoded > 0, ..Place::default() },
        };
        let Some(number) = self.collected.next_number() else {
            self.entities.open.push(OpenEntity { children: place, body: Body::Nothing });
            return Opening::Leaf;
        };
        let entity = self.collected.read_header(number, header, place);
        let (opening, open) = self.open(entity, place, may_open);
        self.entities.open.push(open);
        opening
    }

    fn body(&mut self, bytes: &[u8]) {
        match self.entities.open.last_mut().map(|open| &mut open.body) {
            Some(Body::Text(text)) => text.push(bytes),
            Some(Body::Encoded(nested)) => nested.push(bytes, self.collected),
            Some(Body::Nothing) | None => {}
        }
    }

    fn delimited(&mut self) {
        if let Some(open) = self.entities.open.last_mut() {
            open.body = Body::Nothing;
        }
    }

    fn end(&mut self) {
        match self.entities.open.pop().map(|open| open.body) {
            Some(Body::Text(text)) => text.finish(self.collected),
            Some(Body::Encoded(mut nested)) => nested.finish(self.collected),
            Some(Body::Nothing) | None => {}
        }
    }
}

impl Walk<'_> {
    fn open(&mut self, entity: Entity, place: Place, may_open: bool) -> (Opening, OpenEntity) {
        let children = Place { nested: place.nested, ..Place::default() };
        if let Some(subtype) = entity.mime.strip_prefix("multipart/") {
            let children = Place { in_digest: subtype == "digest", in_encrypted: subtype == "encrypted", ..children };
            return self.open_multipart(entity, children, may_open);
        }
        let is_mail = matches!(entity.mime.as_str(), "message/rfc822" | "message/global" | "message/news");
        if is_mail {
            return self.open_nested(entity, Place { is_message: true, nested: true, ..children }, may_open);
        }
        let body = match Treatment::of(&entity.mime, place) {
            Treatment::Plain => Body::Text(Box::new(TextBody::new(entity, false))),
            Treatment::Html => Body::Text(Box::new(TextBody::new(entity, true))),
            Treatment::Silent => Body::Nothing,
            Treatment::Encrypted => self.cannot(entity.number, Why::Encrypted),
            Treatment::Off => self.cannot(entity.number, Why::TypeOff(entity.mime)),
        };
        (Opening::Leaf, OpenEntity { children, body })
    }

    fn open_multipart(&mut self, mut entity: Entity, children: Place, may_open: bool) -> (Opening, OpenEntity) {
        let boundary = std::mem::take(&mut entity.boundary);
        if !may_open && !boundary.is_empty() {
            return (Opening::Leaf, OpenEntity { children, body: self.cannot(entity.number, Why::TooDeep) });
        }
        // What counts if no delimiter line comes (T2.7).
        let text = Entity { transfer: Encoding::Identity, label: String::new(), ..entity };
        let body = Body::Text(Box::new(TextBody::new(text, false)));
        let opening = if boundary.is_empty() { Opening::Leaf } else { Opening::Multipart(boundary) };
        (opening, OpenEntity { children, body })
    }

    fn open_nested(&mut self, entity: Entity, children: Place, may_open: bool) -> (Opening, OpenEntity) {
        let encoded = self.entities.encoded + 1;
        let is_encoded = entity.transfer != Encoding::Identity;
        if !may_open || (is_encoded && encoded > MOST_ENCODED) {
            return (Opening::Leaf, OpenEntity { children, body: self.cannot(entity.number, Why::TooDeep) });
        }
        if !is_encoded {
            return (Opening::Message, OpenEntity { children, body: Body::Nothing });
        }
        let nested = Encoded { decoder: Decoder::new(entity.transfer), decoded: Vec::new(), layer: Layer::new(encoded) };
        (Opening::Leaf, OpenEntity { children, body: Body::Encoded(Box::new(nested)) })
    }

    fn cannot(&mut self, entity: u32, why: Why) -> Body {
        self.collected.cannot(entity, why);
        Body::Nothing
    }
}
