//! The text of a mail for the index: values by field, and what cannot be searched and why.
//!
//! Every rule is in docs/TEXT.md (T1 to T10), from which the tests' oracle is written; the numbers here cite it. The
//! text is decoded, but not yet folded or split into words, which the index does. Header fields follow small rules,
//! since the oracle must be able to follow them. A mail comes in pieces of any size, and takes bounded memory and
//! linear time, whatever the bytes are.

use std::collections::HashMap;
use std::fmt;

use encoding_rs::Encoding;

pub use super::address::AddressKind;
use super::address::{Of, each_name_and_address};
use super::charset;
use super::file_names::Named;
use super::header_text::{decode_words, raw_text};
use super::media::{Encoding as Transfer, LineEnd};
pub use super::text_reader::{TextReader, extract};
use super::walk::Node;

/// The most bytes of a leaf that are read, after transfer decoding (T8.5).
pub(super) const MOST_SOURCE_BYTES: usize = 32 << 20;
/// The most text of a leaf that is kept (T8.5).
pub(super) const MOST_LEAF_TEXT: usize = 16 << 20;
/// The most text of a mail that is kept, all values together (T8.6).
const MOST_TEXT: usize = 64 << 20;
/// What a value counts in addition to its text (T8.6), so that their number is bounded too.
const VALUE_COST: usize = 64;

/// Where a text belongs (SEARCH.md, S1.5). The numbers are stable: they are stored in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// The subject of the mail itself.
    Subject = 1,
    /// Its senders.
    From = 2,
    /// Its receivers.
    To = 3,
    /// Receivers of a copy.
    Cc = 4,
    /// Receivers of a blind copy.
    Bcc = 5,
    /// Names of files.
    Attachment = 6,
    /// Text of attachments, and everything below a nested mail.
    Acontent = 7,
    /// All other text.
    Bcontent = 8,
}

impl Field {
    /// All fields, in the order of their numbers.
    pub const ALL: [Self; 8] = [Self::Subject, Self::From, Self::To, Self::Cc, Self::Bcc, Self::Attachment, Self::Acontent, Self::Bcontent];

    /// The stable number, 1 to 8.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name, as in queries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::From => "from",
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
            Self::Attachment => "attachment",
            Self::Acontent => "acontent",
            Self::Bcontent => "bcontent",
        }
    }
}

/// A separate text: positions of its words are never adjacent to those of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Where it belongs.
    pub field: Field,
    /// In address fields: what it is.
    pub kind: Option<AddressKind>,
    /// Decoded, not yet folded.
    pub text: String,
}

/// Why something cannot be searched (T10).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// Files of this type are not read; it is given in lower case.
    TypeOff(String),
    /// Encrypted.
    Encrypted,
    /// Signed, with the content inside the signature (S/MIME): it is readable, but not read.
    Signed,
    /// There is no decoder for this charset label.
    Charset(String),
    /// Only the first 16 MiB of the text (or 32 MiB of its bytes) are searchable.
    TooLong,
    /// The mail has more than 64 MiB of text; this and what follows is left out.
    TooLarge,
    /// Nested too deep to be opened.
    TooDeep,
    /// Everything after the 10,000th entity is left out.
    TooManyParts,
    /// Only the first 256 KiB of the header block were read.
    HeaderTooLong,
    /// The mail's bytes are damaged on disk.
    Damaged,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TypeOff(media) => write!(f, "files of type {media} are not read"),
            Self::Encrypted => f.write_str("encrypted"),
            Self::Signed => f.write_str("signed, content inside"),
            Self::Charset(label) => write!(f, "no decoder for the charset {label}"),
            Self::TooLong => f.write_str("text after the first 16 MiB of a part"),
            Self::TooLarge => f.write_str("text after the first 64 MiB of a mail"),
            Self::TooDeep => f.write_str("nested too deep"),
            Self::TooManyParts => f.write_str("parts after the 10,000th"),
            Self::HeaderTooLong => f.write_str("a header after its first 256 KiB"),
            Self::Damaged => f.write_str("damaged on disk"),
        }
    }
}

/// Something that cannot be searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsearchable {
    /// Number of the entity in document order, from 0 (T2.10).
    pub entity: u32,
    /// Why.
    pub why: Why,
}

/// What [`extract`] finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailText {
    /// In document order (T1.2).
    pub values: Vec<Value>,
    /// In document order.
    pub unsearchable: Vec<Unsearchable>,
    /// Encodings that had to be guessed: place (T7.5) and WHATWG name. Keep them with the mail, and pass them in the
    /// next time.
    pub guesses: Vec<(u32, String)>,
}

/// The part of an entity's header that decides how its body is read.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) number: u32,
    pub(super) field: Field,
    pub(super) transfer: Transfer,
    pub(super) line_end: LineEnd,
    /// The charset label; empty if there is none.
    pub(super) label: String,
    /// format=flowed with DelSp.
    pub(super) deletes_spaces: bool,
}

impl Entity {
    pub(super) fn of(node: &Node<'_>, place: Place, has_name: bool) -> Self {
        let is_attachment = node.content.disposition == b"attachment" || has_name;
        let says = |name, expected: &str| {
            let value = node.content.parameters.get(name).unwrap_or_default();
            let value = value.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
            value.eq_ignore_ascii_case(expected.as_bytes())
        };
        Self {
            number: node.no.0,
            field: if place.nested || is_attachment { Field::Acontent } else { Field::Bcontent },
            transfer: node.content.encoding,
            line_end: node.line_end,
            label: label(&node.content.charset()),
            deletes_spaces: node.content.media == b"text/plain" && says("format", "flowed") && says("delsp", "yes"),
        }
    }

    /// How a multipart's body is read if no delimiter line comes (T2.7).
    pub(super) fn undelimited(self, place: Place) -> Self {
        let field = if place.nested { Field::Acontent } else { Field::Bcontent };
        Self { field, transfer: Transfer::Identity, label: String::new(), deletes_spaces: false, ..self }
    }
}

/// What is collected over all entities of a mail.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) out: MailText,
    recorded: HashMap<u32, String>,
    left: usize,
    full: bool,
}

impl Collected {
    pub(super) fn new(recorded: &[(u32, String)]) -> Self {
        Self { out: MailText::default(), recorded: recorded.iter().cloned().collect(), left: MOST_TEXT, full: false }
    }

    /// T2.11: noted once.
    pub(super) fn too_many_parts(&mut self, entity: u32) {
        if !self.out.unsearchable.iter().any(|entry| entry.why == Why::TooManyParts) {
            self.cannot(entity, Why::TooManyParts);
        }
    }

    pub(super) fn cannot(&mut self, entity: u32, why: Why) {
        self.out.unsearchable.push(Unsearchable { entity, why });
    }

    /// Adds a value (T8.6).
    pub(super) fn add(&mut self, entity: u32, field: Field, kind: Option<AddressKind>, text: String) {
        if text.is_empty() || self.full {
            return;
        }
        match self.left.checked_sub(text.len().saturating_add(VALUE_COST)) {
            Some(left) => {
                self.left = left;
                self.out.values.push(Value { field, kind, text });
            }
            None => {
                self.full = true;
                self.cannot(entity, Why::TooLarge);
            }
        }
    }

    /// The encoding of the place `number` (T7.5): as recorded, else guessed; either way it is recorded.
    pub(super) fn guess<'a>(&mut self, number: u32, bytes: impl IntoIterator<Item = &'a [u8]>) -> &'static Encoding {
        let encoding = match self.recorded.get(&number) {
            Some(name) => charset::recorded(name),
            None => charset::guess(bytes),
        };
        if self.out.guesses.last().is_none_or(|(last, _)| *last != number) {
            self.out.guesses.push((number, encoding.name().to_owned()));
        }
        encoding
    }

    /// Reads the header block of an entity: adds its values, and returns how its body is to be read.
    pub(super) fn read_header(&mut self, node: &Node<'_>, place: Place) -> Entity {
        let number = node.no.0;
        if node.header_is_cut() {
            self.cannot(number, Why::HeaderTooLong);
        }
        let mut header = Header::read(node);
        let nested = |field| if place.nested { Field::Acontent } else { field };
        for subject in header.texts(Use::Subject, self) {
            self.add(number, nested(Field::Subject), None, decode_words(subject.trim().to_owned()));
        }
        for (part, field) in [(Use::From, Field::From), (Use::To, Field::To), (Use::Cc, Field::Cc), (Use::Bcc, Field::Bcc)] {
            for text in header.texts(part, self) {
                let of = if part == Use::From { Of::Sender } else { Of::Receivers };
                each_name_and_address(&text, of, &mut |kind, text| self.add(number, nested(field), Some(kind), text));
            }
        }
        let names = self.file_names(node, &mut header);
        let has_name = !names.is_empty();
        for name in names {
            self.add(number, nested(Field::Attachment), None, name);
        }
        Entity::of(node, place, has_name)
    }

    /// T5.5, T5.8.
    fn file_names(&mut self, node: &Node<'_>, header: &mut Header) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if node.content.media.starts_with(b"multipart/") {
            return names;
        }
        for (parameters, name) in [(&node.content.disposition_parameters, "filename"), (&node.content.parameters, "name")] {
            let named = Named::new(parameters, name, &mut |value| header.text(value, self));
            for name in named.names(name) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// The encoding that a detector finds for the values of an entity's header (T3.1, T7.5).
pub(super) fn guess_header(node: &Node<'_>) -> &'static Encoding {
    charset::guess(Header::read(node).strange())
}

/// T5.4; a label is ASCII, so no charset is needed.
fn label(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    let value = value.split('(').next().unwrap_or_default();
    let value = value.strip_prefix('\'').unwrap_or(value);
    value.strip_suffix('\'').unwrap_or(value).to_owned()
}

/// The place of an entity.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Below a nested mail (T1.4).
    pub(super) nested: bool,
    /// A direct child of `multipart/encrypted`.
    pub(super) in_encrypted: bool,
}

/// What a header field is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Subject,
    From,
    To,
    Cc,
    Bcc,
    Content,
}

const MESSAGE_FIELDS: [(&str, Use); 5] =
    [("subject", Use::Subject), ("from", Use::From), ("to", Use::To), ("cc", Use::Cc), ("bcc", Use::Bcc)];
const CONTENT_FIELDS: [&str; 3] = ["content-type", "content-transfer-encoding", "content-disposition"];

/// The values of a block's used fields, in its order, and the guessed encoding of their bytes.
#[derive(Debug)]
struct Header {
    number: u32,
    used: Vec<(Use, Vec<u8>)>,
    guess: Option<&'static Encoding>,
}

impl Header {
    fn read(node: &Node<'_>) -> Self {
        let mut used = Vec::new();
        let mut seen = [false; CONTENT_FIELDS.len()];
        for field in node.fields {
            // Only the first of a content field counts (T2.6); the others all count (T4.1).
            let content = CONTENT_FIELDS.iter().zip(&mut seen).find(|(name, _)| field.is(name));
            let part = match content {
                Some((_, seen)) => (!std::mem::replace(seen, true)).then_some(Use::Content),
                None if node.is_message => MESSAGE_FIELDS.iter().find(|(name, _)| field.is(name)).map(|(_, part)| *part),
                None => None,
            };
            used.extend(part.map(|part| (part, field.value().into_owned())));
        }
        Self { number: node.no.0, used, guess: None }
    }

    /// The values that a guess looks at (T3.1).
    fn strange(&self) -> impl Iterator<Item = &[u8]> {
        let values = self.used.iter().map(|(_, value)| value.as_slice());
        values.filter(|value| std::str::from_utf8(value).is_err()).flat_map(|value| [value, b"\n"])
    }

    /// The bytes of a value as characters (T3.1).
    fn text(&mut self, value: &[u8], collected: &mut Collected) -> String {
        let guess = |_: &[u8]| match self.guess {
            Some(guess) => guess,
            None => {
                let guess = collected.guess(2 * self.number, self.strange());
                self.guess = Some(guess);
                guess
            }
        };
        raw_text(value, guess).into_owned()
    }

    /// The texts of all fields of one use.
    fn texts(&mut self, part: Use, collected: &mut Collected) -> Vec<String> {
        let values: Vec<Vec<u8>> = self.used.iter().filter(|(other, _)| *other == part).map(|(_, value)| value.clone()).collect();
        values.iter().map(|value| self.text(value, collected)).collect()
    }
}
