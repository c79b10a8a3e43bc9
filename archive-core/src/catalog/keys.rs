//! The keys of the catalog's entries: a letter for the question, then numbers that sort as they should.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Deref;

use crate::id::{ContentNo, Digest, FolderNo, Identity, MessageNo, PartNo};

/// The length of the longest key.
const MOST: usize = 17;

/// A key, stored without heap memory: an import makes seven of them for each mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// The bytes after `len` are zero, so that comparing all bytes gives the right order.
    bytes: [u8; MOST],
    len: u8,
}

impl Key {
    fn begun(letter: u8) -> Self {
        let mut bytes = [0; MOST];
        bytes[0] = letter;
        Self { bytes, len: 1 }
    }

    fn and(mut self, more: &[u8]) -> Self {
        let at = usize::from(self.len);
        debug_assert!(at + more.len() <= MOST);
        self.bytes.iter_mut().skip(at).zip(more).for_each(|(to, from)| *to = *from);
        self.len += more.len() as u8;
        self
    }

    /// The key with one more number after it.
    pub(super) fn with(self, number: u32) -> Self {
        self.and(&number.to_be_bytes())
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes).then(self.len.cmp(&other.len))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

pub(super) fn content(no: ContentNo) -> Key {
    Key::begun(b'c').with(no.0)
}

/// What all keys of contents begin with.
pub(super) const CONTENTS: &[u8] = b"c";

/// What all keys of messages begin with.
pub(super) const MESSAGES: &[u8] = b"m";

pub(super) fn message(no: MessageNo) -> Key {
    Key::begun(b'm').with(no.0)
}

pub(super) fn part(no: PartNo) -> Key {
    Key::begun(b'p').with(no.0)
}

/// Bytes of a digest in a key. Among a hundred million digests, one in three million collides; what is found is
/// compared as a whole.
const SHORT: usize = 6;

/// Contents that have this digest, with or without their status headers.
pub(super) fn by_digest(digest: Digest) -> Key {
    short(b'd', digest.0.first_chunk())
}

pub(super) fn by_identity(identity: Identity) -> Key {
    short(b'i', identity.0.first_chunk())
}

pub(super) fn by_part_digest(digest: Digest) -> Key {
    short(b'q', digest.0.first_chunk())
}

/// What all keys of folders begin with.
pub(super) const FOLDERS: &[u8] = b"n";

pub(super) fn folder(no: u32) -> Key {
    Key::begun(b'n').with(no)
}

/// What all keys of sets begin with.
pub(super) const SETS: &[u8] = b"s";

/// The numbers of a set whose upper half is `upper`.
pub(super) fn set(of: u8, upper: u16) -> Key {
    Key::begun(b's').and(&[of]).and(&upper.to_be_bytes())
}

/// Set and upper half of a [`set`] key.
pub(super) fn set_of(key: &[u8]) -> Option<(u8, u16)> {
    match key {
        [b's', of, high, low] => Some((*of, u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// What all keys of accepted damage begin with.
pub(super) const ACCEPTED: &[u8] = b"a";

/// A place that was accepted as damaged, by the beginning of its SHA-256.
pub(super) fn accepted(place: &[u8; 16]) -> Key {
    Key::begun(b'a').and(place)
}

/// What all keys of deleted messages begin with.
pub(super) const DELETED: &[u8] = b"g";

/// A message that is deleted.
pub(super) fn deleted(no: MessageNo) -> Key {
    Key::begun(b'g').with(no.0)
}

/// Messages that a content has, or had.
pub(super) fn placed(content: ContentNo) -> Key {
    Key::begun(b'x').with(content.0)
}

/// Contents that have a part.
pub(super) fn used(part: PartNo) -> Key {
    Key::begun(b'u').with(part.0)
}

/// Messages of a folder by date.
pub(super) fn in_folder(folder: FolderNo) -> Key {
    Key::begun(b'f').with(folder.0)
}

/// A message in its folder; later dates sort first, and, for equal dates, higher numbers.
pub(super) fn dated(folder: FolderNo, date: i64, message: MessageNo) -> Key {
    in_folder(folder).and(&(!(date as u64 ^ 1 << 63)).to_be_bytes()).with(!message.0)
}

/// The message of a [`dated`] key.
pub(super) fn message_of_dated(key: &[u8]) -> Option<MessageNo> {
    last_number(key).map(|number| MessageNo(!number))
}

/// The number at the end of a key.
pub(super) fn last_number(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The complete short digest at the beginning of a key that has one.
pub(super) fn short_digest(key: &[u8]) -> Option<(u8, u64)> {
    let (letter, rest) = key.split_first()?;
    let digest = rest.first_chunk::<SHORT>()?;
    matches!(letter, b'd' | b'i' | b'q').then(|| (*letter, digest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))))
}

fn short(letter: u8, digest: Option<&[u8; SHORT]>) -> Key {
    // Digests and identities are longer, so there always is one.
    digest.map_or(Key::begun(letter), |digest| Key::begun(letter).and(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_bytes_do() {
        let keys = [
            in_folder(FolderNo(0)),
            in_folder(FolderNo(1)),
            dated(FolderNo(0), 0, MessageNo(u32::MAX)),
            dated(FolderNo(0), i64::MAX, MessageNo(u32::MAX)),
            dated(FolderNo(0), i64::MIN, MessageNo(0)),
            content(ContentNo(0)),
            placed(ContentNo(0)).with(0),
            by_digest(Digest([0; 32])),
            by_digest(Digest([0; 32])).with(0),
        ];
        for (a, b) in keys.iter().flat_map(|a| keys.iter().map(move |b| (a, b))) {
            assert_eq!(a.cmp(b), a[..].cmp(&b[..]));
            assert_eq!(a == b, a[..] == b[..]);
        }
        assert_eq!(short_digest(&by_identity(Identity([1; 16])).with(5)), Some((b'i', 0x0101_0101_0101)));
        assert_eq!(short_digest(&content(ContentNo(5))), None);
    }
}
