//! The body of one leaf, from encoded bytes to values (docs/TEXT.md, T6 to T9).

use std::borrow::Cow;

use super::charset::{self, Charset, NoDecoder};
use super::text::{Collected, Entity, MOST_LEAF_TEXT, MOST_SOURCE_BYTES, Why};
use super::transfer::Decoder;
use super::{flowed, html};

/// Bytes that are decoded at a time, so that a limit is noticed soon after it is reached.
const STEP: usize = 64 * 1024;

/// How much of a leaf is read, and kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes after transfer decoding.
    pub(super) source: usize,
    /// Bytes of text.
    pub(super) text: usize,
}

/// T8.5.
const INDEXED: Limits = Limits { source: MOST_SOURCE_BYTES, text: MOST_LEAF_TEXT };

/// The text of a leaf.
pub(super) struct BodyText {
    pub(super) text: String,
    /// Values of attributes (T9.7).
    pub(super) attributes: Vec<String>,
    /// There is more than the limits allow.
    pub(super) is_cut: bool,
}

/// The text of a leaf's decoded bytes (T7, T8.3 to T8.5, T9).
pub(super) fn read(
    entity: &Entity,
    is_html: bool,
    mut decoded: Vec<u8>,
    limits: Limits,
    collected: &mut Collected,
) -> Result<BodyText, NoDecoder> {
    let mut is_cut = false;
    if decoded.len() > limits.source {
        is_cut = true;
        decoded.truncate(limits.source);
        let end = decoded.iter().rposition(|b| *b <= b' ').map_or(limits.source, |at| at + 1);
        decoded.truncate(end);
    }
    let text = characters(decoded, Charset::from_label(&entity.label), 2 * entity.number + 1, collected)?;
    let (mut text, attributes) = if is_html {
        let found = html::text_of(&text, limits.text);
        (found.text, found.attributes)
    } else if entity.deletes_spaces {
        (flowed::join_deleting_spaces(&text), Vec::new())
    } else {
        (text, Vec::new())
    };
    if text.len() > limits.text {
        is_cut = true;
        text.truncate(text.floor_char_boundary(limits.text));
        let end = text.rfind(|c| c <= ' ').map_or(text.len(), |at| at + 1);
        text.truncate(end);
    }
    Ok(BodyText { text, attributes, is_cut })
}

/// The body of a leaf with text, while it arrives.
#[derive(Debug)]
pub(super) struct TextBody {
    entity: Entity,
    is_html: bool,
    decoder: Decoder,
    decoded: Vec<u8>,
}

impl TextBody {
    pub(super) fn new(entity: Entity, is_html: bool) -> Self {
        let decoder = Decoder::new(entity.transfer, entity.line_end);
        Self { entity, is_html, decoder, decoded: Vec::new() }
    }

    /// The next encoded bytes; those after the limit are dropped.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for step in bytes.chunks(STEP) {
            if self.decoded.len() > INDEXED.source {
                return;
            }
            self.decoder.push(step, &mut self.decoded);
        }
    }

    /// The end of the body: adds its values.
    pub(super) fn finish(mut self, collected: &mut Collected) {
        self.decoder.finish(&mut self.decoded);
        let Entity { number, field, .. } = self.entity;
        match read(&self.entity, self.is_html, self.decoded, INDEXED, collected) {
            Err(NoDecoder) => collected.cannot(number, Why::Charset(self.entity.label)),
            Ok(BodyText { text, attributes, mut is_cut }) => {
                let mut left = INDEXED.text - text.len();
                collected.add(number, field, None, text);
                for value in attributes {
                    let Some(rest) = left.checked_sub(value.len()) else {
                        is_cut = true;
                        break;
                    };
                    left = rest;
                    collected.add(number, field, None, value);
                }
                if is_cut {
                    collected.cannot(number, Why::TooLong);
                }
            }
        }
    }
}

/// T7; if the bytes are the text already, they are not copied.
fn characters(bytes: Vec<u8>, charset: Charset, place: u32, collected: &mut Collected) -> Result<String, NoDecoder> {
    let text = charset::decode(&bytes, charset, |bytes| collected.guess(place, [bytes]))?;
    let is_same = matches!(&text, Cow::Borrowed(text) if text.len() == bytes.len());
    if !is_same {
        return Ok(text.into_owned());
    }
    Ok(String::from_utf8(bytes).unwrap_or_default())
}
