//! The keys of the catalog's entries: a letter for the question, then numbers that sort as they should.

use crate::id::{ContentNo, Digest, FolderNo, Identity, MessageNo, PartNo};

pub(super) fn content(no: ContentNo) -> Vec<u8> {
    numbered(b'c', &[no.0])
}

pub(super) fn message(no: MessageNo) -> Vec<u8> {
    numbered(b'm', &[no.0])
}

pub(super) fn part(no: PartNo) -> Vec<u8> {
    numbered(b'p', &[no.0])
}

/// The first 8 bytes of a digest, for contents that have it with or without their status headers.
pub(super) fn by_digest(digest: Digest) -> Vec<u8> {
    short(b'd', &digest.0)
}

pub(super) fn by_identity(identity: Identity) -> Vec<u8> {
    short(b'i', &identity.0)
}

pub(super) fn by_part_digest(digest: Digest) -> Vec<u8> {
    short(b'q', &digest.0)
}

/// Messages of a content.
pub(super) fn placed(content: ContentNo) -> Vec<u8> {
    numbered(b'x', &[content.0])
}

/// Contents that take a part.
pub(super) fn used(part: PartNo) -> Vec<u8> {
    numbered(b'u', &[part.0])
}

/// Messages of a folder by date.
pub(super) fn in_folder(folder: FolderNo) -> Vec<u8> {
    numbered(b'f', &[folder.0])
}

/// `key` with one more number behind it.
pub(super) fn with(mut key: Vec<u8>, number: u32) -> Vec<u8> {
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// A message in its folder; later dates sort first, and so do higher numbers of one date.
pub(super) fn dated(folder: FolderNo, date: i64, message: MessageNo) -> Vec<u8> {
    let mut key = in_folder(folder);
    key.extend_from_slice(&(!(date as u64 ^ 1 << 63)).to_be_bytes());
    with(key, !message.0)
}

/// The message of a [`dated`] key.
pub(super) fn message_of_dated(key: &[u8]) -> Option<MessageNo> {
    last_number(key).map(|number| MessageNo(!number))
}

/// The number at the end of a key.
pub(super) fn last_number(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn numbered(letter: u8, numbers: &[u32]) -> Vec<u8> {
    numbers.iter().fold(begun(letter), |key, number| with(key, *number))
}

fn short(letter: u8, digest: &[u8]) -> Vec<u8> {
    let mut key = begun(letter);
    key.extend_from_slice(&digest[..8]);
    key
}

/// A key with room for all that any key holds.
fn begun(letter: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(17);
    key.push(letter);
    key
}
