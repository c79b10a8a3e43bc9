//! The body of one leaf, from encoded bytes to values (docs/TEXT.md, T6 to T9).

use std::borrow::Cow;

use super::charset::{self, Charset, NoDecoder};
use super::text::{Collected, Entity, MOST_LEAF_TEXT, MOST_SOURCE_BYTES, Place, Why};
use super::transfer::Decoder;
use super::{flowed, html};

/// Bytes are decoded so many at a time, so that a limit is noticed soon behind it.
const STEP: usize = 64 * 1024;

/// What is done with a leaf (T8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Plain,
    Html,
    /// Neither read nor missed.
    Silent,
    Encrypted,
    Off,
}

impl Treatment {
    pub(super) fn of(media: &str, place: Place) -> Self {
        match media {
            "text/html" => Self::Html,
            "text/rtf" | "text/richtext" | "text/enriched" => Self::Off,
            "message/delivery-status"
            | "message/global-delivery-status"
            | "message/disposition-notification"
            | "message/global-disposition-notification"
            | "message/feedback-report"
            | "message/global-headers" => Self::Plain,
            "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature" | "application/pgp-encrypted" => {
                Self::Silent
            }
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => Self::Encrypted,
            "application/octet-stream" if place.in_encrypted => Self::Encrypted,
            _ => match media.split('/').next() {
                Some("text") => Self::Plain,
                Some("image" | "audio" | "video") => Self::Silent,
                _ => Self::Off,
            },
        }
    }
}

/// The body of a leaf with text, while it comes in.
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

    /// The next encoded bytes; those behind the limit are dropped.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for step in bytes.chunks(STEP) {
            if self.decoded.len() > MOST_SOURCE_BYTES {
                return;
            }
            self.decoder.push(step, &mut self.decoded);
        }
    }

    /// The end of the body: adds its values.
    pub(super) fn finish(mut self, collected: &mut Collected) {
        self.decoder.finish(&mut self.decoded);
        let number = self.entity.number;
        let mut too_long = false;
        if self.decoded.len() > MOST_SOURCE_BYTES {
            too_long = true;
            self.decoded.truncate(MOST_SOURCE_BYTES);
            let end = self.decoded.iter().rposition(|b| *b <= b' ').map_or(MOST_SOURCE_BYTES, |at| at + 1);
            self.decoded.truncate(end);
        }
        match characters(self.decoded, Charset::from_label(&self.entity.label), 2 * number + 1, collected) {
            Err(NoDecoder) => collected.cannot(number, Why::Charset(self.entity.label.clone())),
            Ok(text) if self.is_html => {
                let found = html::text_of(&text, MOST_LEAF_TEXT);
                drop(text);
                too_long |= add(&self.entity, found.text, found.attributes, collected);
            }
            Ok(text) if self.entity.deletes_spaces => {
                too_long |= add(&self.entity, flowed::join_deleting_spaces(&text), Vec::new(), collected);
            }
            Ok(text) => too_long |= add(&self.entity, text, Vec::new(), collected),
        }
        if too_long {
            collected.cannot(number, Why::TooLong);
        }
    }
}

/// T7; where the bytes are the text already, they are not copied.
fn characters(bytes: Vec<u8>, charset: Charset, place: u32, collected: &mut Collected) -> Result<String, NoDecoder> {
    let text = charset::decode(&bytes, charset, |bytes| collected.guess(place, [bytes]))?;
    let is_same = matches!(&text, Cow::Borrowed(text) if text.len() == bytes.len());
    if !is_same {
        return Ok(text.into_owned());
    }
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// T8.5, T9.6, T9.7. Says whether anything was cut or left out.
fn add(entity: &Entity, mut text: String, attributes: Vec<String>, collected: &mut Collected) -> bool {
    let mut cut = false;
    if text.len() > MOST_LEAF_TEXT {
        cut = true;
        text.truncate(text.floor_char_boundary(MOST_LEAF_TEXT));
        let end = text.rfind(|c| c <= ' ').map_or(text.len(), |at| at + 1);
        text.truncate(end);
    }
    let mut left = MOST_LEAF_TEXT - text.len();
    collected.add(entity.number, entity.field, None, text);
    for value in attributes {
        match left.checked_sub(value.len()) {
            Some(rest) => left = rest,
            None => return true,
        }
        collected.add(entity.number, entity.field, None, value);
    }
    cut
}
