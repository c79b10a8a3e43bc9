//! What lists and look-ups ask of a mail: the facts of its header, and how many attachments it has.
//!
//! Of the top header block the first [`MAX_HEADER`](super::walk::MAX_HEADER) bytes are read. Dates and addresses are
//! mail-parser's, which sees single fields of bounded number and length, unfolded and in UTF-8, and never a body.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use mail_parser::{Address, DateTime, HeaderName, HeaderValue, MessageParser};
use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::header_text::{decode_escapes, decode_words};
use super::media::{Field, is_white, trim};
use super::walk::{Kind, Node};

/// Bytes of a text fact, and of all names and addresses of a field together. The content has all.
pub const MAX_FACT: usize = 1 << 10;
/// Ids that are kept of References and In-Reply-To each, the last ones.
pub const MAX_REFERENCES: usize = 128;
/// Bytes of one field's value that are read, and fields of one name.
const MAX_VALUE: usize = 64 << 10;
const MAX_FIELDS: usize = 16;
/// Decoded bytes of an HTML body in which references to parts are looked for, and references that are kept.
const MAX_HTML: usize = 1 << 20;
const MAX_CIDS: usize = 10_000;

/// The facts of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The Date field in seconds since 1970 UTC, if it is a date.
    pub date: Option<i64>,
    /// Of the From fields, in order; of each list as many as [`MAX_FACT`] bytes hold.
    pub from: Vec<Mailbox>,
    /// Of the To fields.
    pub to: Vec<Mailbox>,
    /// Of the Cc fields.
    pub cc: Vec<Mailbox>,
    /// The first Subject field, decoded.
    pub subject: String,
    /// The first Message-ID field, without angle brackets.
    pub header_message_id: String,
    /// Of each id in In-Reply-To its [`id_hash`].
    pub in_reply_to: Vec<[u8; 8]>,
    /// Of each id in References its [`id_hash`].
    pub references: Vec<[u8; 8]>,
    /// The List-Id, without the text around its angle brackets if it has any.
    pub list_id: String,
    /// The importance.
    pub importance: Importance,
    /// Parts that are attachments: marked as such, or named and not shown in an HTML body; no signatures.
    pub attachments: u32,
}

/// One of a list of addresses. At least one of the two is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded; empty if there is none.
    pub name: String,
    /// The address; empty if there is none.
    pub address: String,
}

/// How important the sender says a mail is: `Importance`, else `X-Priority`, else `Priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Importance {
    /// Below normal.
    Low,
    /// Normal, or nothing is said.
    #[default]
    Normal,
    /// Above normal.
    High,
}

/// The first 8 bytes of the SHA-256 of a header message id without angle brackets: how mails find those they answer.
#[must_use]
pub fn id_hash(header_message_id: &[u8]) -> [u8; 8] {
    let mut hash = [0; 8];
    hash.iter_mut().zip(Sha256::digest(header_message_id)).for_each(|(to, from)| *to = from);
    hash
}

impl Facts {
    /// The facts of a header block; no attachments.
    pub(super) fn of_header(node: &Node<'_>) -> Self {
        let mut facts = Self::default();
        let mut seen = [false; 4];
        let mut addresses = String::new();
        let mut lists = [0; 3];
        let mut says = [None; 3];
        for field in node.fields {
            let is = |names: &[&str]| names.iter().position(|name| field.name.len() == name.len() && field.is(name));
            if let Some(which) = is(&["Date", "Subject", "Message-ID", "List-Id"]) {
                if let Some(seen) = seen.get_mut(which).filter(|seen| !**seen) {
                    *seen = true;
                    facts.set(which, field);
                }
            } else if let Some(which) = is(&["From", "To", "Cc"]) {
                let Some(count) = lists.get_mut(which).filter(|count| **count < MAX_FIELDS) else {
                    continue;
                };
                *count += 1;
                let name = ["From", "To", "Cc"].get(which).copied().unwrap_or_default();
                for piece in [name, ": ", &text(&value(field)), "\r\n"] {
                    addresses.push_str(piece);
                }
            } else if let Some(which) = is(&["In-Reply-To", "References"]) {
                let list = if which == 0 { &mut facts.in_reply_to } else { &mut facts.references };
                add_ids(&value(field), list);
            } else if let Some(says) = is(&["Importance", "X-Priority", "Priority"]).and_then(|which| says.get_mut(which)) {
                *says = says.or_else(|| importance(trim(&value(field), is_white)));
            }
        }
        facts.importance = says.into_iter().flatten().next().unwrap_or_default();
        facts.set_addresses(&addresses);
        facts
    }

    fn set(&mut self, which: usize, field: &Field<'_>) {
        let value = value(field);
        match which {
            0 => self.date = date(&text(&value)),
            1 => self.subject = cut(decode_words(text(&value).into_owned()).trim()),
            2 => self.header_message_id = cut(&text(id(&value))),
            _ => self.list_id = cut(&text(id(&value))),
        }
    }

    fn set_addresses(&mut self, block: &str) {
        let parser = MessageParser::new().header_address(HeaderName::From).header_address(HeaderName::To).header_address(HeaderName::Cc);
        let Some(message) = parser.parse_headers(block.as_bytes()) else {
            return;
        };
        for header in message.headers() {
            let list = match header.name {
                HeaderName::From => &mut self.from,
                HeaderName::To => &mut self.to,
                HeaderName::Cc => &mut self.cc,
                _ => continue,
            };
            if let HeaderValue::Address(addresses) = &header.value {
                add_mailboxes(addresses, list);
            }
        }
    }
}

/// Adds as many as there is room for.
fn add_mailboxes(addresses: &Address<'_>, list: &mut Vec<Mailbox>) {
    let mut room = MAX_FACT.saturating_sub(list.iter().map(|found| found.name.len() + found.address.len()).sum());
    for found in addresses.iter() {
        let (name, address) = (found.name().unwrap_or_default().trim(), found.address().unwrap_or_default().trim());
        let len = name.len() + address.len();
        if len == 0 {
            continue;
        }
        if len > room && !list.is_empty() {
            return;
        }
        let address = cut(address);
        let name = name.get(..name.floor_char_boundary(MAX_FACT - address.len())).unwrap_or_default().to_owned();
        room = room.saturating_sub(len);
        list.push(Mailbox { name, address });
    }
}

fn value(field: &Field<'_>) -> Vec<u8> {
    let mut value = field.value();
    value.truncate(MAX_VALUE);
    value
}

/// Header bytes as text in one line: UTF-8, else windows-1252.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    if text.contains(['\r', '\n', '\0']) { Cow::Owned(text.replace(['\r', '\n', '\0'], " ")) } else { text }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_FACT)).unwrap_or_default().to_owned()
}

/// What stands in the first angle brackets, else all; without white around.
fn id(value: &[u8]) -> &[u8] {
    let (_, behind) = split_once(value, b'<').unwrap_or((&[], value));
    let (inside, _) = split_once(behind, b'>').unwrap_or((behind, &[]));
    trim(inside, is_white)
}

fn add_ids(value: &[u8], list: &mut Vec<[u8; 8]>) {
    let mut rest = value;
    let mut any = false;
    while let Some((inside, behind)) = split_once(rest, b'<').and_then(|(_, behind)| split_once(behind, b'>')) {
        rest = behind;
        any = true;
        let id: Vec<u8> = inside.iter().copied().filter(|&byte| !is_white(byte)).collect();
        list.push(id_hash(&id));
    }
    let bare = trim(value, is_white);
    if !any && !bare.is_empty() && !bare.iter().any(|&byte| is_white(byte)) {
        list.push(id_hash(bare));
    }
    list.drain(..list.len().saturating_sub(MAX_REFERENCES));
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = memchr::memchr(at, bytes)?;
    Some((bytes.get(..place)?, bytes.get(place + 1..)?))
}

/// What a value of `Importance`, `X-Priority` or `Priority` says; their words do not overlap.
fn importance(value: &[u8]) -> Option<Importance> {
    let word = value.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-').next()?.to_ascii_lowercase();
    match word.as_slice() {
        b"high" | b"urgent" | b"1" | b"2" => Some(Importance::High),
        b"normal" | b"3" => Some(Importance::Normal),
        b"low" | b"non-urgent" | b"4" | b"5" => Some(Importance::Low),
        _ => None,
    }
}

/// A date (RFC 5322 section 3.3, with the obsolete forms); without a zone it is UTC.
fn date(text: &str) -> Option<i64> {
    let text = text.get(..text.floor_char_boundary(256))?;
    let date = DateTime::parse_rfc822(text).or_else(|| DateTime::parse_rfc822(&format!("{text} +0000")))?;
    // A leap second is a date too.
    let date = DateTime { second: date.second.min(59), ..date };
    date.is_valid().then(|| date.to_timestamp())
}

/// Counts attachments along a walk.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    sure: u32,
    /// Named parts with a Content-ID: attachments unless an HTML body shows them.
    named: Vec<u64>,
    shown: HashSet<u64>,
    /// The HTML body being read.
    html: Option<Vec<u8>>,
}

impl Attachments {
    pub(super) fn node(&mut self, node: &Node<'_>) {
        let content = node.content;
        let is_signature = matches!(
            content.media.as_slice(),
            b"application/pkcs7-signature" | b"application/x-pkcs7-signature" | b"application/pgp-signature"
        );
        if is_signature || node.kind == Kind::Multipart {
            return;
        }
        if content.disposition == b"attachment" {
            self.sure += 1;
        } else if content.file_names().next().is_some() {
            match content.id.as_slice() {
                [] => self.sure += 1,
                id => self.named.push(hash(id)),
            }
        } else if content.media == b"text/html" && node.kind == Kind::Leaf && node.depth > 0 {
            self.html = Some(Vec::new());
        }
    }

    /// Decoded bytes of the node's body.
    pub(super) fn body(&mut self, bytes: &[u8]) {
        if let Some(html) = &mut self.html {
            html.extend(bytes.iter().take(MAX_HTML - html.len()));
        }
    }

    /// The node's body ends.
    pub(super) fn end(&mut self) {
        let html = self.html.take().unwrap_or_default();
        for scheme in [b"cid:", b"CID:"] {
            for at in memmem::find_iter(&html, scheme).take(MAX_CIDS.saturating_sub(self.shown.len())) {
                let behind = html.get(at + scheme.len()..).unwrap_or_default();
                let id = behind.split(|byte| b" \t\r\n\"'<>()".contains(byte)).next().unwrap_or_default();
                let mut decoded = Vec::new();
                decode_escapes(id.get(..MAX_FACT).unwrap_or(id), b'%', |byte| byte, &mut decoded);
                self.shown.insert(hash(&decoded));
            }
        }
    }

    pub(super) fn finish(self) -> u32 {
        let named = self.named.iter().filter(|id| !self.shown.contains(id)).count();
        self.sure + u32::try_from(named).unwrap_or(u32::MAX)
    }
}

fn hash(id: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
