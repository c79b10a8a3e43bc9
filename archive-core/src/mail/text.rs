//! The text of a mail for the index: values by field, and what cannot be searched and why.
//!
//! Every rule stands in docs/TEXT.md (T1 to T10), from which the tests' oracle is written; the numbers here cite it. The text is
//! decoded, not yet folded or split into words: that is the index's part. Works on a mail in pieces of any size, in bounded memory
//! and linear time, whatever the bytes are.

use std::collections::HashMap;

use encoding_rs::Encoding;

pub use super::address::AddressKind;
pub use super::text_reader::{TextReader, extract};
use super::address::each_name_and_address;
use super::charset::{self, Charset};
use super::fields::{self, MOST_HEADER_BYTES};
use super::header_text::decode_words;
use super::params::ContentField;

/// So many bytes of a leaf are read, after transfer decoding (T8.5).
pub(super) const MOST_SOURCE_BYTES: usize = 32 << 20;
/// So much text of a leaf is kept (T8.5).
pub(super) const MOST_LEAF_TEXT: usize = 16 << 20;
/// So much text of a mail is kept, all values together (T8.6).
const MOST_TEXT: usize = 64 << 20;
/// What a value counts beyond its text (T8.6), so that their number is bounded too.
const VALUE_COST: usize = 64;
/// So many entities of a mail are read (T2.11).
const MOST_ENTITIES: u32 = 10_000;

/// Where a text belongs (SEARCH.md, S1.5). The numbers are stable: they lie in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// The subject of the mail itself.
    Subject = 1,
    /// Its senders.
    From = 2,
    /// Its receivers.
    To = 3,
    /// Who got a copy.
    Cc = 4,
    /// Who got a blind copy.
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
    pub const ALL: [Self; 8] =
        [Self::Subject, Self::From, Self::To, Self::Cc, Self::Bcc, Self::Attachment, Self::Acontent, Self::Bcontent];

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

/// A text of its own: positions of its words never touch those of another.
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
    /// Encrypted, or wrapped by S/MIME.
    Encrypted,
    /// There is no decoder for this charset label.
    Charset(String),
    /// Only the first 16 MiB of the text (or 32 MiB of its bytes) were taken.
    TooLong,
    /// The mail has more than 64 MiB of text; this and what follows is left out.
    TooLarge,
    /// Nested too deep to be opened.
    TooDeep,
    /// What lies behind the 10,000th entity is left out.
    TooManyParts,
    /// Only the first 256 KiB of the header block were read.
    HeaderTooLong,
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
    /// Encodings that had to be guessed: place (T7.5) and WHATWG name. To be kept with the mail and handed in the next time.
    pub guesses: Vec<(u32, String)>,
}

/// What of an entity's header decides about its body.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) number: u32,
    /// Its type as T2.6 has it, lower case.
    pub(super) mime: String,
    pub(super) field: Field,
    pub(super) transfer: super::transfer::Encoding,
    pub(super) label: String,
    /// Of a multipart: its boundary, or nothing.
    pub(super) boundary: Vec<u8>,
    /// format=flowed with DelSp.
    pub(super) deletes_spaces: bool,
}

/// What is collected over all entities of a mail.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) out: MailText,
    recorded: HashMap<u32, String>,
    entities: u32,
    left: usize,
    full: bool,
}

impl Collected {
    pub(super) fn new(recorded: &[(u32, String)]) -> Self {
        Self {
            out: MailText::default(),
            recorded: recorded.iter().cloned().collect(),
            entities: 0,
            left: MOST_TEXT,
            full: false,
        }
    }

    /// The number of the next entity; none when there were too many.
    pub(super) fn next_number(&mut self) -> Option<u32> {
        if self.entities >= MOST_ENTITIES {
            if self.entities == MOST_ENTITIES {
                self.cannot(MOST_ENTITIES - 1, Why::TooManyParts);
                self.entities += 1;
            }
            return None;
        }
        self.entities += 1;
        Some(self.entities - 1)
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

    /// Reads the header block of an entity: adds its values, and says what its body is.
    pub(super) fn read_header(&mut self, number: u32, block: &[u8], place: Place) -> Entity {
        if block.len() > MOST_HEADER_BYTES {
            self.cannot(number, Why::HeaderTooLong);
        }
        let fields = fields::fields(block.get(..MOST_HEADER_BYTES).unwrap_or(block));
        let header = Header::decode(self, number, &fields, place.is_message);
        let nested = |field| if place.nested { Field::Acontent } else { field };
        for subject in header.of(Use::Subject) {
            self.add(number, nested(Field::Subject), None, decode_words(subject.trim().to_owned()));
        }
        for (part, field) in [(Use::From, Field::From), (Use::To, Field::To), (Use::Cc, Field::Cc), (Use::Bcc, Field::Bcc)] {
            for text in header.of(part) {
                each_name_and_address(text, &mut |kind, text| self.add(number, nested(field), Some(kind), text));
            }
        }
        self.read_content_fields(number, &header, place)
    }

    fn read_content_fields(&mut self, number: u32, header: &Header, place: Place) -> Entity {
        let parsed = |part| header.of(part).next().map(ContentField::parse).unwrap_or_default();
        let content_type = parsed(Use::ContentType);
        let disposition = parsed(Use::Disposition);
        let mime = match content_type.main.split_once('/') {
            Some((kind, sub)) if !kind.is_empty() && !sub.is_empty() && !sub.contains('/') => content_type.main.clone(),
            _ if place.in_digest => "message/rfc822".to_owned(),
            _ => "text/plain".to_owned(),
        };
        let mut names: Vec<String> = Vec::new();
        if !mime.starts_with("multipart/") {
            for name in disposition.names("filename").chain(content_type.names("name")) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let is_attachment = disposition.main == "attachment" || !names.is_empty();
        for name in names {
            self.add(number, if place.nested { Field::Acontent } else { Field::Attachment }, None, name);
        }
        Entity {
            number,
            field: if place.nested || is_attachment { Field::Acontent } else { Field::Bcontent },
            transfer: super::transfer::Encoding::from_name(&parsed(Use::Transfer).main),
            label: content_type.charset().to_owned(),
            boundary: content_type.boundary().as_bytes().to_vec(),
            deletes_spaces: mime == "text/plain" && content_type.says("format", "flowed") && content_type.says("delsp", "yes"),
            mime,
        }
    }
}

/// Where an entity stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The outermost or a nested message, not a body part.
    pub(super) is_message: bool,
    /// Below a nested mail (T1.4).
    pub(super) nested: bool,
    /// A direct child of `multipart/digest`.
    pub(super) in_digest: bool,
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
    ContentType,
    Transfer,
    Disposition,
}

const CONTENT_FIELDS: [(&str, Use); 3] = [
    ("content-type", Use::ContentType),
    ("content-transfer-encoding", Use::Transfer),
    ("content-disposition", Use::Disposition),
];
const MESSAGE_FIELDS: [(&str, Use); 5] =
    [("subject", Use::Subject), ("from", Use::From), ("to", Use::To), ("cc", Use::Cc), ("bcc", Use::Bcc)];

/// The used fields of a block as characters (T3.1), in the order of the block.
#[derive(Debug)]
struct Header {
    texts: Vec<(Use, String)>,
}

impl Header {
    fn decode(collected: &mut Collected, number: u32, fields: &[fields::Field<'_>], is_message: bool) -> Self {
        let mut used: Vec<(Use, &[u8])> = Vec::new();
        let mut seen = [false; CONTENT_FIELDS.len()];
        for field in fields {
            // Of content fields the first counts (T2.6), of the others every one (T4.1).
            let content = CONTENT_FIELDS.iter().zip(&mut seen).find(|((name, _), _)| field.is(name));
            let part = match content {
                Some(((_, part), seen)) => (!std::mem::replace(seen, true)).then_some(*part),
                None if is_message => MESSAGE_FIELDS.iter().find(|(name, _)| field.is(name)).map(|(_, part)| *part),
                None => None,
            };
            used.extend(part.map(|part| (part, field.value.as_ref())));
        }
        let mut guessed = None;
        let texts = used.iter().map(|(part, value)| {
            let guess = |_: &[u8]| {
                *guessed.get_or_insert_with(|| {
                    let strange = used.iter().map(|(_, value)| *value).filter(|value| std::str::from_utf8(value).is_err());
                    collected.guess(2 * number, strange.flat_map(|value| [value, b"\n"]))
                })
            };
            let text = charset::decode(value, Charset::Unlabelled, guess).unwrap_or_default();
            (*part, text.into_owned())
        });
        Self { texts: texts.collect() }
    }

    fn of(&self, part: Use) -> impl Iterator<Item = &str> {
        self.texts.iter().filter(move |(other, _)| *other == part).map(|(_, text)| text.as_str())
    }
}
