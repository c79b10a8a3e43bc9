//! The frame: the unit that is sealed, checked and read. Docs: FORMAT.md, "Frame".
//!
//! States are types: [`RawFrame`] has a good head, [`SealedFrame`] a good checksum, and only [`Opened`] has bytes to
//! parse.

use super::derive::{FileKey, NONCE_LEN, TAG_LEN};
use super::header::HEADER_LEN;
use crate::error::{DamageCause, Error};
use crate::id::Uuid;
use crate::wire::Fixed;

/// Bytes of a frame's head.
pub(crate) const HEAD_LEN: usize = 16;
const MARKER: [u8; 4] = *b"MKF\x01";
const PAD_LEN: usize = 2;
const CRC_LEN: usize = 4;
/// What a frame adds to the bytes it seals.
pub(crate) const FRAME_OVERHEAD: usize = HEAD_LEN + NONCE_LEN + PAD_LEN + TAG_LEN + CRC_LEN;
/// No frame is longer; a larger length is invalid.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// What a frame contains. Numbers are never reused for something else; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum FrameKind {
    /// Stored bytes of contents and parts, consecutive and compressed together.
    Block = 1,
    /// The contents of the blocks before it.
    Table = 2,
    /// Nothing but the stamp: says what was synced.
    Mark = 3,
    /// A piece of a commit that is not its last.
    CommitPiece = 4,
    /// The last piece of a commit; it makes the commit valid.
    Commit = 5,
    /// A page of a catalog run.
    CatalogPage = 6,
    /// The directory of a catalog run's pages.
    CatalogDirectory = 7,
    /// A manifest.
    Manifest = 8,
    /// A page of a segment.
    IndexPage = 9,
    /// Something that could not be archived.
    Failed = 10,
    /// The end of a segment: where its last page is.
    IndexEnd = 11,
    /// Where the commits of a rewritten records file were first written.
    Moved = 12,
    /// The head of a store or master.
    Head = 13,
    /// A copy of the file's header. Not sealed: it is found without a key when the header is broken.
    HeaderCopy = 14,
    /// A kind that a later version may write.
    #[cfg(test)]
    Later = 1000,
}

impl FrameKind {
    fn known(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Block,
            2 => Self::Table,
            3 => Self::Mark,
            4 => Self::CommitPiece,
            5 => Self::Commit,
            6 => Self::CatalogPage,
            7 => Self::CatalogDirectory,
            8 => Self::Manifest,
            9 => Self::IndexPage,
            10 => Self::Failed,
            11 => Self::IndexEnd,
            12 => Self::Moved,
            13 => Self::Head,
            14 => Self::HeaderCopy,
            _ => return None,
        })
    }
}

/// The place of a frame in its file, including its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FramePlace {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

impl FramePlace {
    pub(crate) fn end(self) -> u64 {
        self.offset + self.len
    }
}

/// The number of zero bytes that hide the length of a plaintext; 0 until there is a padding scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pad(pub(crate) u16);

fn aad(file_id: Uuid, offset: u64, head: &[u8; HEAD_LEN]) -> [u8; 16 + 8 + HEAD_LEN] {
    let mut aad = [0; 16 + 8 + HEAD_LEN];
    aad[..16].copy_from_slice(&file_id.0);
    aad[16..24].copy_from_slice(&offset.to_le_bytes());
    aad[24..].copy_from_slice(head);
    aad
}

/// Appends to `out` the frame with `plaintext` that will be at `offset` of the file.
pub(super) fn seal(
    key: &FileKey,
    file_id: Uuid,
    offset: u64,
    kind: FrameKind,
    plaintext: &[&[u8]],
    out: &mut Vec<u8>,
) -> Result<FramePlace, Error> {
    let text_len: usize = plaintext.iter().map(|piece| piece.len()).sum();
    let body_len = text_len + FRAME_OVERHEAD - HEAD_LEN;
    if body_len > MAX_BODY {
        return Err(Error::Bug("a frame above 64 MiB was to be sealed"));
    }
    let head = head_of(kind, body_len);
    out.reserve(HEAD_LEN + body_len);
    out.extend_from_slice(&head);
    let body = out.len();
    out.extend_from_slice(&[0; NONCE_LEN]);
    let text = out.len();
    out.extend_from_slice(&Pad::default().0.to_le_bytes());
    plaintext.iter().for_each(|piece| out.extend_from_slice(piece));
    let nonce = key.seal(out, text, &aad(file_id, offset, &head))?;
    out[body..text].copy_from_slice(&nonce);
    let crc = crc32fast::hash(&out[body..]);
    out.extend_from_slice(&crc.to_le_bytes());
    Ok(FramePlace { offset, len: (HEAD_LEN + body_len) as u64 })
}

/// The head of a frame of this kind and body.
fn head_of(kind: FrameKind, body_len: usize) -> [u8; HEAD_LEN] {
    let mut head = [0; HEAD_LEN];
    head[..4].copy_from_slice(&MARKER);
    head[4..6].copy_from_slice(&(kind as u16).to_le_bytes());
    head[8..12].copy_from_slice(&(body_len as u32).to_le_bytes());
    let crc = crc32fast::hash(&head[..12]);
    head[12..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Appends to `out` the frame with the file's unsealed header that will be at `offset` of the file.
pub(super) fn copy_header(offset: u64, header: &[u8; HEADER_LEN], out: &mut Vec<u8>) -> FramePlace {
    let begin = out.len();
    out.extend_from_slice(&head_of(FrameKind::HeaderCopy, HEADER_LEN + CRC_LEN));
    out.extend_from_slice(header);
    out.extend_from_slice(&crc32fast::hash(header).to_le_bytes());
    FramePlace { offset, len: (out.len() - begin) as u64 }
}

/// The header in the bytes of a frame that is a copy of one.
pub(super) fn read_copy(frame: &[u8]) -> Option<&[u8]> {
    let (head, body) = frame.split_first_chunk()?;
    let raw = RawFrame::read(head, 0).ok().filter(|raw| raw.kind == FrameKind::HeaderCopy)?;
    let (header, crc) = body.get(..raw.body_len())?.split_last_chunk::<CRC_LEN>()?;
    (crc32fast::hash(header).to_le_bytes() == *crc).then_some(header)
}

/// A frame whose head is good; its body is still to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawFrame {
    pub(crate) kind: FrameKind,
    pub(crate) place: FramePlace,
    head: [u8; HEAD_LEN],
}

impl RawFrame {
    /// Checks the head found at `offset`.
    pub(crate) fn read(head: &[u8; HEAD_LEN], offset: u64) -> Result<Self, DamageCause> {
        let mut fields = Fixed::new(head);
        let mut read = || {
            let (marker, kind, flags) = (fields.array::<4>()?, fields.u16()?, fields.u16()?);
            Ok::<_, crate::wire::TooShort>((marker, kind, flags, fields.u32()?, fields.u32()?))
        };
        let (marker, kind, flags, body_len, crc) = read().map_err(|_| DamageCause::FrameHead)?;
        let good = marker == MARKER && flags == 0 && crc == crc32fast::hash(&head[..12]);
        let fits = (FRAME_OVERHEAD - HEAD_LEN..=MAX_BODY).contains(&(body_len as usize));
        let kind = FrameKind::known(kind).filter(|_| good && fits).ok_or(DamageCause::FrameHead)?;
        let place = FramePlace { offset, len: HEAD_LEN as u64 + u64::from(body_len) };
        Ok(Self { kind, place, head: *head })
    }

    pub(crate) fn body_len(&self) -> usize {
        self.place.len as usize - HEAD_LEN
    }

    /// Checks the body's checksum; the body becomes the frame's.
    pub(crate) fn with_body(self, mut body: Vec<u8>) -> Result<SealedFrame, DamageCause> {
        let (text, crc) = body.split_last_chunk::<CRC_LEN>().ok_or(DamageCause::FrameBody)?;
        if body.len() != self.body_len() || crc32fast::hash(text).to_le_bytes() != *crc {
            return Err(DamageCause::FrameBody);
        }
        body.truncate(body.len() - CRC_LEN);
        Ok(SealedFrame { raw: self, body })
    }

    /// The next offset at or after `from` where a frame's head may begin, to continue after damage.
    pub(crate) fn find_marker(bytes: &[u8], from: usize) -> Option<usize> {
        memchr::memmem::find(bytes.get(from..)?, &MARKER).map(|at| at + from)
    }
}

/// A frame with a good checksum, still sealed.
#[derive(Debug)]
pub(crate) struct SealedFrame {
    raw: RawFrame,
    body: Vec<u8>,
}

impl SealedFrame {
    pub(super) fn open(mut self, key: &FileKey, file_id: Uuid) -> Result<Opened, DamageCause> {
        if self.raw.kind == FrameKind::HeaderCopy {
            let len = self.body.len();
            self.body.splice(..0, [0; PAD_LEN]);
            return Ok(Opened { kind: self.raw.kind, place: self.raw.place, text: self.body, len });
        }
        let nonce: [u8; NONCE_LEN] = *self.body.first_chunk().ok_or(DamageCause::Tag)?;
        self.body.drain(..NONCE_LEN);
        key.open(&nonce, &mut self.body, &aad(file_id, self.raw.place.offset, &self.raw.head)).map_err(|_| DamageCause::Tag)?;
        let mut fields = Fixed::new(&self.body);
        let pad = usize::from(fields.u16().map_err(|_| DamageCause::Decode)?);
        let len = self.body.len().checked_sub(PAD_LEN + pad).ok_or(DamageCause::Decode)?;
        Ok(Opened { kind: self.raw.kind, place: self.raw.place, text: self.body, len })
    }
}

/// The contents of a frame, checked and opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) kind: FrameKind,
    pub(crate) place: FramePlace,
    text: Vec<u8>,
    len: usize,
}

impl Opened {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text[PAD_LEN..PAD_LEN + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::SecretKey;

    fn key() -> FileKey {
        SecretKey::new([1; 32]).derive(b"salt", &[b"info"]).unwrap().0
    }

    fn read(bytes: &[u8], offset: u64) -> Result<Vec<u8>, DamageCause> {
        let head = bytes.first_chunk().ok_or(DamageCause::FrameHead)?;
        let raw = RawFrame::read(head, offset)?;
        let body = bytes.get(HEAD_LEN..HEAD_LEN + raw.body_len()).ok_or(DamageCause::Truncated)?;
        Ok(raw.with_body(body.to_vec())?.open(&key(), Uuid([3; 16]))?.bytes().to_vec())
    }

    #[test]
    fn p6_every_flipped_bit_of_a_frame_is_found_and_so_is_another_place() {
        let mut frame = Vec::new();
        let place = seal(&key(), Uuid([3; 16]), 500, FrameKind::Block, &[b"hello ", b"world"], &mut frame).unwrap();
        assert_eq!(place.len as usize, frame.len());
        assert_eq!(frame.len(), 11 + FRAME_OVERHEAD);
        assert_eq!(read(&frame, 500).unwrap(), b"hello world");
        assert_eq!(read(&frame, 501), Err(DamageCause::Tag));
        for bit in 0..frame.len() * 8 {
            let mut bad = frame.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad, 500).is_err(), "bit {bit}");
        }
    }
}
