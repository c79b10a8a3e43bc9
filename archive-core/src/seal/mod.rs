//! Nothing readable leaves here unsealed: keys and their slots, keys of files, file headers, frames, and files as
//! sequences of frames.
//!
//! AES-256-GCM with random nonces under a separate key for each file (HKDF-SHA-256, RFC 5869); the key commitment is
//! checked before a frame is opened. The CRCs are outside the seal, so that damage can be told from a wrong key, and
//! files can be checked without keys. Bytes: docs/FORMAT.md, "File header" and "Frame".

mod derive;
#[cfg(test)]
mod example;
mod file;
mod frame;
mod header;
mod identity;
mod identity_file;
mod single;
mod slot;
mod token;
mod wrap;

pub(crate) use derive::{SecretKey, random};
pub(crate) use file::{COPY_FROM, SealedReader, SealedWriter, read_header};
pub(crate) use frame::{FRAME_OVERHEAD, FrameKind, FramePlace, Opened, RawFrame};
pub(crate) use header::{FileKind, HEADER_LEN, MAGIC as HEADER_MAGIC, RecordsStart};
pub(crate) use identity::{ArchiveIdentity, StoreIdentity};
pub(crate) use identity_file::{IdentityCopy, IdentityFile, copies_of, decode_map, name_by_bytes, read_copies, unplaced, verify_copies};
pub(crate) use single::{Single, read_single, replace_single};
pub(crate) use slot::print_recovery_key;
pub use slot::{ArchiveKeys, Key, Secret, SlotInfo, SlotKind};
pub(crate) use slot::{KeptSlot, Slot, recovery_identifier, within_limits};
pub(crate) use token::{open_token, seal_token};
pub(crate) use wrap::KeyWrap;

/// Decodes any bytes as the header of a file: what is accepted encodes to the same bytes.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_header(bytes: &[u8]) {
    if let Ok(header) = header::FileHeader::decode(std::path::Path::new("f"), bytes) {
        assert_eq!(header.encode()[..], bytes[..HEADER_LEN]);
    }
}

/// Decodes any bytes as a frame, up to the seal.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_frame(bytes: &[u8]) {
    if let Some(head) = bytes.first_chunk()
        && let Ok(raw) = RawFrame::read(head, 144)
    {
        let _ = raw.with_body(bytes[head.len()..].to_vec());
    }
    let mut from = 0;
    while let Some(at) = RawFrame::find_marker(bytes, from) {
        from = at + 1;
    }
}
