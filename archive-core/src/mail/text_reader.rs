//! From the entities of a mail to its text: how each body is read (docs/TEXT.md, T8).

use super::layers::{Entities, Layer, Shape};
use super::text::{Collected, Entity, MailText, Place, Why};
use super::text_body::TextBody;
use super::transfer::Decoder;
use super::treatment::{SMIME_HEAD, Treatment, smime};
use super::walk::Node;

/// Extracts the text of a mail that comes in pieces.
///
/// Holds at most 32 MiB of the current body and 64 MiB of text, however large the mail is.
#[derive(Debug)]
pub struct TextReader {
    layer: Layer,
    read: Read,
}

impl TextReader {
    /// `recorded_guesses` are those of [`MailText::guesses`] that were kept with the mail, if any.
    #[must_use]
    pub fn new(recorded_guesses: &[(u32, String)]) -> Self {
        Self { layer: Layer::outermost(), read: Read { collected: Collected::new(recorded_guesses), body: Body::Nothing } }
    }

    /// The next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8]) {
        self.layer.push(bytes, &mut self.read);
    }

    /// The end of the mail.
    #[must_use]
    pub fn finish(mut self) -> MailText {
        self.layer.finish(&mut self.read);
        self.read.collected.out
    }
}

/// Extracts the text of a whole mail. See [`TextReader`] for pieces.
#[must_use]
pub fn extract(raw: &[u8], recorded_guesses: &[(u32, String)]) -> MailText {
    let mut reader = TextReader::new(recorded_guesses);
    reader.push(raw);
    reader.finish()
}

#[derive(Debug)]
struct Read {
    collected: Collected,
    /// The body of the innermost entity.
    body: Body,
}

#[derive(Debug)]
enum Body {
    Nothing,
    /// The body of a leaf, or what precedes the first delimiter line of a multipart.
    Text(Box<TextBody>),
    Smime(Box<SmimeHead>),
}

/// The first bytes of what S/MIME wraps.
#[derive(Debug)]
struct SmimeHead {
    number: u32,
    content: super::media::Content,
    decoder: Decoder,
    decoded: Vec<u8>,
}

impl Read {
    fn opened(&mut self, entity: Entity, node: &Node<'_>, place: Place, shape: Shape) -> Body {
        let number = entity.number;
        match shape {
            Shape::Multipart => Body::Text(Box::new(TextBody::new(entity.undelimited(place), false))),
            Shape::Mail => Body::Nothing,
            Shape::TooDeep => self.cannot(number, Why::TooDeep),
            Shape::Leaf(treatment) => match treatment {
                Treatment::Plain => Body::Text(Box::new(TextBody::new(entity, false))),
                Treatment::Html => Body::Text(Box::new(TextBody::new(entity, true))),
                Treatment::Smime => {
                    let decoder = Decoder::new(node.content.encoding, node.line_end);
                    Body::Smime(Box::new(SmimeHead { number, content: node.content.clone(), decoder, decoded: Vec::new() }))
                }
                Treatment::Silent | Treatment::Mail => Body::Nothing,
                Treatment::Encrypted => self.cannot(number, Why::Encrypted),
                Treatment::Off => self.cannot(number, Why::TypeOff(String::from_utf8_lossy(&node.content.media).into_owned())),
            },
        }
    }

    fn finish(&mut self) {
        match std::mem::replace(&mut self.body, Body::Nothing) {
            Body::Text(text) => text.finish(&mut self.collected),
            Body::Smime(mut wrapped) => {
                wrapped.decoder.finish(&mut wrapped.decoded);
                if let Some(why) = smime(&wrapped.content, wrapped.decoded.get(..SMIME_HEAD).unwrap_or(&wrapped.decoded)) {
                    self.collected.cannot(wrapped.number, why);
                }
            }
            Body::Nothing => {}
        }
    }

    fn cannot(&mut self, number: u32, why: Why) -> Body {
        self.collected.cannot(number, why);
        Body::Nothing
    }
}

impl Entities for Read {
    fn open(&mut self, node: &Node<'_>, place: Place, shape: Shape) {
        let entity = self.collected.read_header(node, place);
        self.body = self.opened(entity, node, place, shape);
    }

    fn body(&mut self, bytes: &[u8]) {
        match &mut self.body {
            Body::Text(text) => text.push(bytes),
            Body::Smime(wrapped) => {
                for step in bytes.chunks(SMIME_HEAD) {
                    if wrapped.decoded.len() >= SMIME_HEAD {
                        return;
                    }
                    wrapped.decoder.push(step, &mut wrapped.decoded);
                }
            }
            Body::Nothing => {}
        }
    }

    fn delimited(&mut self) {
        self.body = Body::Nothing;
    }

    fn overflow(&mut self, number: u32) {
        self.finish();
        self.collected.too_many_parts(number);
    }

    fn close(&mut self, _: u32, _: u64) {
        self.finish();
    }
}
