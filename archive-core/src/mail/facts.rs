//! What lists and look-ups need of a mail: the facts of its header, and how many attachments it has.
//!
//! The first [`MAX_HEADER`](super::walk::MAX_HEADER) bytes of the top header block are read. Subject, names and
//! addresses are those that the index finds (docs/TEXT.md, T3 and T4), so that a list shows what a search found.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use encoding_rs::Encoding;
use memchr::memchr_iter;
use sha2::{Digest as _, Sha256};

use super::address::{self, Of};
use super::date::{date, received};
use super::file_names::has_file_name;
use super::header_text::{decode_escapes, decode_words, raw_text};
use super::labels;
use super::media::{is_white, trim};
use super::text;
use super::treatment::counted_as;
use super::walk::{Kind, Node};

/// Bytes of a text fact, and of all names and addresses of a field together. The content has the full text.
pub const MAX_FACT: usize = 1 << 10;
/// Ids that are kept of References, and of In-Reply-To: the last ones.
pub const MAX_REFERENCES: usize = 128;
/// Decoded bytes of an HTML body that are searched for references to parts at a time, and the number of references that
/// are kept.
const HTML_WINDOW: usize = 64 << 10;
/// Media types of attachments that are kept, and bytes of each.
pub const MAX_TYPES: usize = 16;
const MAX_TYPE: usize = 128;
const MAX_CIDS: usize = 10_000;
const SCHEME: &[u8] = b"cid:";

/// The facts of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The first Date field in seconds since 1970 UTC, if it is a date.
    pub date: Option<i64>,
    /// The first Received field that has a date, in seconds since 1970 UTC.
    pub received: Option<i64>,
    /// The entries of the From fields, in order, without names of groups; of each list, as many as fit into
    /// [`MAX_FACT`] bytes.
    pub from: Vec<Mailbox>,
    /// The entries of the To fields.
    pub to: Vec<Mailbox>,
    /// The entries of the Cc fields.
    pub cc: Vec<Mailbox>,
    /// The first Subject field, decoded.
    pub subject: String,
    /// The first Message-ID field, without angle brackets.
    pub header_message_id: String,
    /// The [`id_hash`] of each id in In-Reply-To.
    pub in_reply_to: Vec<[u8; 8]>,
    /// The [`id_hash`] of each id in References.
    pub references: Vec<[u8; 8]>,
    /// The first List-Id: what is in its last angle brackets, else all.
    pub list_id: String,
    /// The importance.
    pub importance: Importance,
    /// Parts that are attachments: marked as such, or named and not shown in an HTML body; no signatures.
    pub attachments: u32,
    /// Their media types in lower case, each once, sorted; the first [`MAX_TYPES`].
    pub attachment_types: Vec<String>,
    /// Labels from a mail service: those of the X-Gmail-Labels fields.
    pub labels: Vec<String>,
}

/// An entry of a list of addresses. At least one of the two fields is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded, or else a comment; empty if there is neither.
    pub name: String,
    /// The address; empty if there is none.
    pub address: String,
}

/// How important the sender says a mail is: `Importance`, else `X-Priority`, else `Priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Importance {
    /// Below normal.
    Low,
    /// Normal, or not stated.
    #[default]
    Normal,
    /// Above normal.
    High,
}

/// The first 8 bytes of the SHA-256 of a header message id without angle brackets: it links a mail to those that it
/// answers.
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
        let characters = Characters { node, guess: OnceCell::new() };
        let mut seen = [false; 4];
        let mut says = [None; 3];
        for field in node.fields {
            let is = |names: &[&str]| names.iter().position(|name| field.name.len() == name.len() && field.is(name));
            if let Some(which) = is(&["Date", "Subject", "Message-ID", "List-Id"]) {
                if let Some(seen) = seen.get_mut(which).filter(|seen| !**seen) {
                    *seen = true;
                    facts.set(which, &field.value(), &characters);
                }
            } else if let Some(which) = is(&["From", "To", "Cc"]) {
                let list = match which {
                    0 => &mut facts.from,
                    1 => &mut facts.to,
                    _ => &mut facts.cc,
                };
                let of = if which == 0 { Of::Sender } else { Of::Receivers };
                add_mailboxes(&characters.of(&field.value()), of, list);
            } else if let Some(which) = is(&["In-Reply-To", "References"]) {
                let list = if which == 0 { &mut facts.in_reply_to } else { &mut facts.references };
                add_ids(&field.value(), list);
            } else if field.is("Received") {
                facts.received = facts.received.or_else(|| received(&decode_words(characters.of(&field.value()).into_owned())));
            } else if field.is(labels::FIELD) {
                labels::add(&decode_words(characters.of(&field.value()).into_owned()), &mut facts.labels);
            } else if let Some(says) = is(&["Importance", "X-Priority", "Priority"]).and_then(|which| says.get_mut(which)) {
                *says = says.or_else(|| importance(trim(&field.value(), is_white)));
            }
        }
        facts.importance = says.into_iter().flatten().next().unwrap_or_default();
        facts
    }

    fn set(&mut self, which: usize, value: &[u8], characters: &Characters<'_>) {
        match which {
            0 => self.date = date(&decode_words(characters.of(value).into_owned())),
            1 => self.subject = cut(without_white(&decode_words(characters.of(value).into_owned()))),
            2 => self.header_message_id = cut(&characters.of(id(value))),
            _ => self.list_id = cut(&characters.of(list_id(value))),
        }
    }
}

/// Decodes a block's values to characters, with one guess for all of them (docs/TEXT.md, T3.1).
struct Characters<'n> {
    node: &'n Node<'n>,
    guess: OnceCell<&'static Encoding>,
}

impl Characters<'_> {
    fn of<'v>(&self, value: &'v [u8]) -> Cow<'v, str> {
        let guess = |_: &[u8]| *self.guess.get_or_init(|| text::guess_header(self.node));
        raw_text(value, guess)
    }
}

/// Adds as many entries as there is room for.
fn add_mailboxes(text: &str, of: Of, list: &mut Vec<Mailbox>) {
    let mut room = MAX_FACT.saturating_sub(list.iter().map(|found| found.name.len() + found.address.len()).sum());
    if room == 0 {
        return;
    }
    for found in address::entries(text, of).filter(|entry| !entry.is_group) {
        let mut names = [found.name].into_iter().chain(found.comments);
        let mut name = names.find(|name| !name.is_empty()).unwrap_or_default();
        let mut addresses = found.addresses.into_iter().filter(|address| !address.is_empty());
        let mut address = addresses.next().unwrap_or_default();
        loop {
            let mailbox = Mailbox::cut(without_white(&name), &address);
            let len = mailbox.name.len() + mailbox.address.len();
            if len > room {
                return;
            }
            if len > 0 {
                room -= len;
                list.push(mailbox);
            }
            // If one entry has several addresses, the name belongs to the first.
            let Some(next) = addresses.next() else { break };
            (name, address) = (String::new(), next);
        }
    }
}

impl Mailbox {
    /// Name and address, cut to [`MAX_FACT`] bytes.
    fn cut(name: &str, address: &str) -> Self {
        let address = cut(address);
        let name = name.get(..name.floor_char_boundary(MAX_FACT - address.len())).unwrap_or_default().to_owned();
        Self { name, address }
    }
}

fn without_white(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The part of a text that is kept.
pub(crate) fn kept(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_FACT)).unwrap_or_default()
}

fn cut(text: &str) -> String {
    kept(text).to_owned()
}

/// What is in the first angle brackets, else all; without surrounding white space.
fn id(value: &[u8]) -> &[u8] {
    let (_, behind) = split_once(value, b'<').unwrap_or((&[], value));
    let (inside, _) = split_once(behind, b'>').unwrap_or((behind, &[]));
    trim(inside, is_white)
}

/// What is in the last angle brackets, else all; without surrounding white space (RFC 2919).
fn list_id(value: &[u8]) -> &[u8] {
    let is_angle = |byte: &u8| b"<>".contains(byte);
    let close = value.iter().rposition(is_angle).unwrap_or(0);
    let (before, from_close) = value.split_at(close);
    let open = before.iter().rposition(is_angle).unwrap_or(0);
    let inside = match (before.get(open..), from_close) {
        (Some([b'<', inside @ ..]), [b'>', ..]) => inside,
        _ => value,
    };
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

/// The meaning of a value of `Importance`, `X-Priority` or `Priority`; their words do not conflict.
fn importance(value: &[u8]) -> Option<Importance> {
    let word = value.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-').next()?.to_ascii_lowercase();
    match word.as_slice() {
        b"high" | b"urgent" | b"1" | b"2" => Some(Importance::High),
        b"normal" | b"3" => Some(Importance::Normal),
        b"low" | b"non-urgent" | b"4" | b"5" => Some(Importance::Low),
        _ => None,
    }
}

/// Counts attachments along a walk.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    sure: u32,
    /// Media types that occur, and whether a part that is certainly an attachment has them.
    types: Vec<(Vec<u8>, bool)>,
    /// Named parts with a Content-ID, and the number of their type: attachments unless an HTML body shows them.
    named: Vec<(u64, usize)>,
    shown: HashSet<u64>,
    /// The part of the current HTML body that was not searched yet.
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
            self.sure(counted_as(content));
        } else if has_file_name(content) {
            match content.id.as_slice() {
                [] => self.sure(counted_as(content)),
                id => {
                    let of_type = self.type_no(counted_as(content));
                    self.named.push((hash(id), of_type));
                }
            }
        } else if content.media == b"text/html" && node.kind == Kind::Leaf && node.depth > 0 {
            self.html = Some(Vec::new());
        }
    }

    fn sure(&mut self, media: &[u8]) {
        self.sure += 1;
        let of_type = self.type_no(media);
        if let Some((_, is_sure)) = self.types.get_mut(of_type) {
            *is_sure = true;
        }
    }

    /// The number of a media type; one past the last if no more are kept.
    fn type_no(&mut self, media: &[u8]) -> usize {
        let known = self.types.iter().position(|(known, _)| known == media);
        known.unwrap_or_else(|| {
            if self.types.len() < MAX_TYPES {
                self.types.push((media.get(..MAX_TYPE).unwrap_or(media).to_vec(), false));
                return self.types.len() - 1;
            }
            MAX_TYPES
        })
    }

    /// Decoded bytes of the node's body.
    pub(super) fn body(&mut self, bytes: &[u8]) {
        if let Some(html) = &mut self.html {
            // UTF-16 has NULs between the letters.
            html.extend(bytes.iter().filter(|&&byte| byte != 0));
            if html.len() >= HTML_WINDOW {
                self.look(false);
            }
        }
    }

    /// The node's body ends.
    pub(super) fn end(&mut self) {
        self.look(true);
        self.html = None;
    }

    /// Notes the references in what was read, and keeps what may be the beginning of one.
    fn look(&mut self, to_end: bool) {
        let Some(html) = &mut self.html else { return };
        let mut done = html.len().saturating_sub(SCHEME.len());
        for colon in memchr_iter(b':', html) {
            let (before, behind) = html.split_at(colon + 1);
            let scheme = before.len().checked_sub(SCHEME.len()).and_then(|at| before.get(at..));
            if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME)) {
                continue;
            }
            if behind.len() < MAX_FACT && !to_end {
                done = before.len() - SCHEME.len();
                break;
            }
            let behind = behind.get(..MAX_FACT).unwrap_or(behind);
            let id = behind.split(|byte| b" \t\r\n\"'<>)".contains(byte)).next().unwrap_or_default();
            let mut decoded = Vec::new();
            decode_escapes(id, b'%', |byte| byte, &mut decoded);
            if self.shown.len() < MAX_CIDS {
                self.shown.insert(hash(&decoded));
            }
        }
        html.drain(..done);
    }

    /// The number of attachments, and their types.
    pub(super) fn finish(mut self) -> (u32, Vec<String>) {
        let mut count = self.sure;
        for (_, of_type) in self.named.iter().filter(|(id, _)| !self.shown.contains(id)) {
            count = count.saturating_add(1);
            if let Some((_, is_sure)) = self.types.get_mut(*of_type) {
                *is_sure = true;
            }
        }
        let types = self.types.into_iter().filter(|(_, is_sure)| *is_sure);
        let mut types: Vec<String> = types.map(|(media, _)| String::from_utf8_lossy(&media).into_owned()).collect();
        types.sort_unstable();
        (count, types)
    }
}

fn hash(id: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
