//! A mail as a person reads it: header fields decoded, its parts with their names and sizes, and the text to show.
//!
//! Structure, text and file names are those of docs/TEXT.md, from the walk that the index uses, so that what is found
//! is what is shown. A mail is read in pieces of any size, and little of it is held: text ends at [`MOST_SHOWN`], and
//! [`PartReader`](super::PartReader) passes on the bytes of parts.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::charset;
use super::file_names::Named;
use super::header_text::{decode_words, raw_text};
use super::layers::{Entities, Layer, Shape};
use super::media::{Encoding, fields};
use super::saved_name::shortened;
use super::text::{Collected, Entity, Field, Place, guess_header};
use super::text_body::{BodyText, Limits, read};
use super::transfer::Decoder;
use super::treatment::Treatment;
use super::walk::Node;

/// The most text that is shown: of all plain text of a mail together, and of all HTML together.
pub const MOST_SHOWN: usize = 1 << 20;
/// Less of a text is not worth showing.
const LEAST_SHOWN: usize = 256;
/// The most bytes of a part that are read for text.
const MOST_SOURCE: usize = 4 << 20;
/// Encoded bytes that are decoded at a time.
const STEP: usize = 64 << 10;
/// Bytes of a name or subject, and of a type, that are kept.
const MOST_NAME: usize = 512;
const MOST_MEDIA: usize = 128;

/// A mail as a person reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// The fields of the mail's own header, in its order: name and decoded value, unfolded.
    pub header: Vec<(String, String)>,
    /// All parts, in document order.
    pub parts: Vec<Part>,
    /// There is more: a header above 256 KiB or more than 10,000 parts. The rest is in the mail's bytes.
    pub is_cut: bool,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartKind {
    /// It consists of other parts.
    Multipart,
    /// A nested mail: its bytes are that mail, whose parts follow.
    Mail,
    /// It has bytes.
    Leaf,
}

/// A part of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Its number by docs/TEXT.md (T2.10).
    pub number: u32,
    /// The part that it is in.
    pub parent: Option<u32>,
    /// The innermost part around it that is a nested mail; `None` if it belongs to the outermost mail.
    pub within: Option<u32>,
    /// What it is.
    pub kind: PartKind,
    /// `type/subtype` in lower case.
    pub media: String,
    /// Its file name, decoded, if it has one.
    pub name: Option<String>,
    /// The decoded subject of the mail in it, if it is a nested mail with a subject.
    pub subject: Option<String>,
    /// Length of its bytes after transfer decoding; 0 for a multipart.
    pub size: u64,
    /// It is marked as an attachment, has a file name, is a nested mail, or is not text.
    pub is_attachment: bool,
    /// Its text, if it is to be shown: not for an attachment, and not for HTML next to the same text in plain form.
    pub text: Option<PartText>,
}

/// Text of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PartText {
    /// The text that is shown, up to [`MOST_SHOWN`].
    pub text: String,
    /// About how many bytes of the part follow it; 0 if it is complete.
    pub left_out: u64,
}

impl View {
    /// The decoded value of the first header field of this name, in any case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.header.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The part with this number.
    #[must_use]
    pub fn part(&self, number: u32) -> Option<&Part> {
        self.parts.get(self.parts.binary_search_by_key(&number, |part| part.number).ok()?)
    }

    fn ancestors<'v>(&'v self, part: &'v Part) -> impl Iterator<Item = &'v Part> + 'v {
        std::iter::successors(part.parent.and_then(|at| self.part(at)), |at| self.part(at.parent?))
    }

    /// Removes the text of HTML if the same is there as plain text.
    fn without_doubles(&mut self) {
        let is_alternative = |part: &&Part| part.media == "multipart/alternative";
        let has_text = |part: &&Part| part.media != HTML && part.text.as_ref().is_some_and(|text| !text.text.trim().is_empty());
        let plain = self.parts.iter().filter(has_text);
        let in_plain: HashSet<u32> = plain.flat_map(|part| self.ancestors(part).filter(is_alternative)).map(|part| part.number).collect();
        let is_double = |part: &Part| part.media == HTML && self.ancestors(part).any(|at| in_plain.contains(&at.number));
        let doubles: Vec<bool> = self.parts.iter().map(is_double).collect();
        for (part, _) in self.parts.iter_mut().zip(doubles).filter(|(_, is_double)| *is_double) {
            part.text = None;
        }
    }
}

const HTML: &str = "text/html";

/// Reads a mail that is pushed in pieces.
#[derive(Debug)]
pub struct Viewer {
    layer: Layer,
    seen: Seen,
}

impl Viewer {
    /// At the beginning of a mail. `recorded_guesses` are those kept with it (TEXT.md, T7.5).
    #[must_use]
    pub fn new(recorded_guesses: &[(u32, String)]) -> Self {
        let seen = Seen {
            guesses: recorded_guesses.iter().cloned().collect(),
            collected: Collected::new(recorded_guesses),
            view: View::default(),
            open: Vec::new(),
            body: None,
            plain_room: MOST_SHOWN,
            html_room: MOST_SHOWN,
        };
        Self { layer: Layer::outermost(), seen }
    }

    /// Takes the next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8]) {
        self.layer.push(bytes, &mut self.seen);
    }

    /// The end of the mail.
    #[must_use]
    pub fn finish(mut self) -> View {
        self.layer.finish(&mut self.seen);
        let mut view = self.seen.view;
        view.without_doubles();
        view
    }
}

/// Reads a whole mail. See [`Viewer`] for pieces.
#[must_use]
pub fn view(raw: &[u8], recorded_guesses: &[(u32, String)]) -> View {
    let mut viewer = Viewer::new(recorded_guesses);
    viewer.push(raw);
    viewer.finish()
}

#[derive(Debug)]
struct Seen {
    guesses: HashMap<u32, String>,
    collected: Collected,
    view: View,
    /// Places of the open parts in the view, the outermost first.
    open: Vec<usize>,
    /// The body of the innermost part.
    body: Option<Body>,
    /// How much text may still be shown.
    plain_room: usize,
    html_room: usize,
}

#[derive(Debug)]
struct Body {
    decoder: Decoder,
    decoded: Vec<u8>,
    size: u64,
    text: Option<Text>,
}

/// A text that is to be shown.
#[derive(Debug)]
struct Text {
    entity: Entity,
    is_html: bool,
    kept: Vec<u8>,
}

impl Body {
    fn take(&mut self) {
        self.size += self.decoded.len() as u64;
        if let Some(Text { kept, .. }) = &mut self.text {
            let room = MOST_SOURCE.saturating_sub(kept.len());
            kept.extend_from_slice(self.decoded.get(..room).unwrap_or(&self.decoded));
        }
        self.decoded.clear();
    }
}

impl Seen {
    fn read_header(&mut self, node: &Node<'_>, characters: &Characters<'_>) {
        for field in fields(node.header, node.line_end) {
            let value = decode_words(characters.of(&field.value()).trim().to_owned());
            self.view.header.push((String::from_utf8_lossy(field.name).into_owned(), value));
        }
    }

    /// Ends the current body: the size of its part is known, and its text.
    fn end_body(&mut self) {
        let Some(mut body) = self.body.take() else { return };
        body.decoder.finish(&mut body.decoded);
        body.take();
        let Some(part) = self.open.last().and_then(|at| self.view.parts.get_mut(*at)) else { return };
        part.size = body.size;
        if part.kind == PartKind::Multipart {
            // No delimiter line came (T2.7).
            (part.kind, part.media) = (PartKind::Leaf, "text/plain".to_owned());
        }
        let Some(Text { entity, is_html, kept }) = body.text else { return };
        let room = if is_html { &mut self.html_room } else { &mut self.plain_room };
        if *room < LEAST_SHOWN {
            *room = 0;
        }
        let limits = Limits { source: MOST_SOURCE, text: *room };
        let unread = body.size - kept.len() as u64;
        let known = kept.len() as u64;
        if let Ok(BodyText { text, is_cut, .. }) = read(&entity, is_html, kept, limits, &mut self.collected) {
            *room -= text.len();
            let left_out = if is_cut { unread + known.saturating_sub(text.len() as u64).max(1) } else { unread };
            part.text = Some(PartText { text, left_out });
        }
    }
}

/// Decodes a header block's values to characters, with one guess for all of them (T3.1).
struct Characters<'n> {
    node: &'n Node<'n>,
    guess: OnceCell<&'static encoding_rs::Encoding>,
}

impl<'n> Characters<'n> {
    fn new(node: &'n Node<'n>, guesses: &HashMap<u32, String>) -> Self {
        let recorded = guesses.get(&(2 * node.no.0)).map(|name| charset::recorded(name));
        Self { node, guess: recorded.map_or_else(OnceCell::new, OnceCell::from) }
    }

    fn of<'v>(&self, value: &'v [u8]) -> Cow<'v, str> {
        let guess = |_: &[u8]| *self.guess.get_or_init(|| guess_header(self.node));
        raw_text(value, guess)
    }

    fn name(&self) -> Option<String> {
        let content = self.node.content;
        let name = [(&content.disposition_parameters, "filename"), (&content.parameters, "name")].into_iter().find_map(|(of, name)| {
            // The clearest form comes last: RFC 2231 segments, extended value, plain value.
            Named::new(of, name, &mut |value| self.of(value).into_owned()).names(name).last()
        });
        name.map(|name| shortened(&name, MOST_NAME))
    }

    fn subject(&self) -> Option<String> {
        let value = self.node.fields.iter().find(|field| field.is("subject"))?.value();
        let subject = decode_words(self.of(&value).trim().to_owned());
        (!subject.is_empty()).then(|| cut(subject, MOST_NAME))
    }
}

impl Entities for Seen {
    fn open(&mut self, node: &Node<'_>, place: Place, shape: Shape) {
        let number = node.no.0;
        let characters = Characters::new(node, &self.guesses);
        if number == 0 {
            self.read_header(node, &characters);
        }
        self.view.is_cut |= node.header_is_cut();
        let name = characters.name();
        let subject = if node.is_message { characters.subject() } else { None };
        let around = self.open.last().and_then(|at| self.view.parts.get_mut(*at));
        let (parent, within) = match around {
            None => (None, None),
            Some(part) if part.kind == PartKind::Mail => {
                part.subject = subject;
                (Some(part.number), Some(part.number))
            }
            Some(part) => (Some(part.number), part.within),
        };
        let treatment = match shape {
            Shape::Multipart => Some(Treatment::Plain),
            Shape::Leaf(treatment) => Some(treatment),
            Shape::Mail | Shape::TooDeep => None,
        };
        let entity = Entity::of(node, place, name.is_some());
        let entity = if shape == Shape::Multipart { entity.undelimited(place) } else { entity };
        let is_text = matches!(treatment, Some(Treatment::Plain | Treatment::Html));
        let is_attachment = node.content.disposition == b"attachment" || name.is_some() || !is_text;
        let encoding = if shape == Shape::Multipart { Encoding::Identity } else { node.content.encoding };
        let text = (is_text && entity.field == Field::Bcontent).then(|| Text {
            entity,
            is_html: treatment == Some(Treatment::Html),
            kept: Vec::new(),
        });
        self.body =
            (shape != Shape::Mail).then(|| Body { decoder: Decoder::new(encoding, node.line_end), decoded: Vec::new(), size: 0, text });
        self.open.push(self.view.parts.len());
        self.view.parts.push(Part {
            number,
            parent,
            within,
            kind: match shape {
                Shape::Multipart => PartKind::Multipart,
                Shape::Mail => PartKind::Mail,
                Shape::Leaf(_) | Shape::TooDeep => PartKind::Leaf,
            },
            media: cut(String::from_utf8_lossy(&node.content.media).into_owned(), MOST_MEDIA),
            name: name.filter(|_| shape != Shape::Multipart),
            subject: None,
            size: 0,
            is_attachment: is_attachment && shape != Shape::Multipart,
            text: None,
        });
    }

    fn body(&mut self, bytes: &[u8]) {
        let Some(body) = &mut self.body else { return };
        for step in bytes.chunks(STEP) {
            body.decoder.push(step, &mut body.decoded);
            body.take();
        }
    }

    fn delimited(&mut self) {
        self.body = None;
    }

    fn overflow(&mut self, _: u32) {
        self.end_body();
        self.view.is_cut = true;
    }

    fn close(&mut self, _: u32, mail: u64) {
        self.end_body();
        if let Some(part) = self.open.pop().and_then(|at| self.view.parts.get_mut(at))
            && part.kind == PartKind::Mail
        {
            part.size = mail;
        }
    }
}

fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests;
