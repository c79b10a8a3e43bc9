//! The fixed header at the start of every file. Docs: FORMAT.md, "File header"; a test reads the example there.

use std::path::Path;

use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::wire::{Fixed, TooShort};

/// Bytes of a file header.
pub(crate) const HEADER_LEN: usize = 144;
pub(crate) const MAGIC: [u8; 8] = *b"MAILKEEP";
const VERSION: u16 = 2;
const SCHEME_HKDF: u16 = 1;
/// Where the key commitment begins: everything before it goes into the key of the file.
const COMMITMENT_AT: usize = 108;
const CRC_AT: usize = 140;

/// The kind of a file. Numbers are never reused for something else; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum FileKind {
    ArchiveIdentity = 1,
    StoreIdentity = 2,
    Container = 3,
    Records = 4,
    CatalogRun = 5,
    CatalogManifest = 6,
    Segment = 7,
    IndexManifest = 8,
    LostFound = 9,
    Head = 10,
    /// A kind that a later version may write.
    #[cfg(test)]
    Later = 1000,
}

impl FileKind {
    fn known(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::ArchiveIdentity,
            2 => Self::StoreIdentity,
            3 => Self::Container,
            4 => Self::Records,
            5 => Self::CatalogRun,
            6 => Self::CatalogManifest,
            7 => Self::Segment,
            8 => Self::IndexManifest,
            9 => Self::LostFound,
            10 => Self::Head,
            _ => return None,
        })
    }
}

/// Where a records file continues the chain; zero in other files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RecordsStart {
    /// Sequence of the first commit in the file.
    pub(crate) first_sequence: u64,
    /// The chain value before it.
    pub(crate) chain: [u8; 32],
}

/// The identity of a file: kind, owner, number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) kind: FileKind,
    pub(crate) file_id: Uuid,
    /// The store's UUID; the archive's id in its own files.
    pub(crate) owner: Uuid,
    /// Number in its series.
    pub(crate) number: u64,
    /// Generation of the store key.
    pub(crate) generation: u32,
    pub(crate) start: RecordsStart,
    pub(crate) commitment: [u8; 32],
}

impl FileHeader {
    /// The bytes that go into the key of the file.
    pub(super) fn key_info(&self) -> [u8; COMMITMENT_AT] {
        let mut bytes = [0; COMMITMENT_AT];
        let encoded = self.encode();
        bytes.copy_from_slice(&encoded[..COMMITMENT_AT]);
        bytes
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&MAGIC);
        put(&(self.kind as u16).to_le_bytes());
        put(&VERSION.to_le_bytes());
        put(&SCHEME_HKDF.to_le_bytes());
        put(&(HEADER_LEN as u16).to_le_bytes());
        put(&self.file_id.0);
        put(&self.owner.0);
        put(&self.number.to_le_bytes());
        put(&self.generation.to_le_bytes());
        put(&0u64.to_le_bytes());
        put(&self.start.first_sequence.to_le_bytes());
        put(&self.start.chain);
        put(&self.commitment);
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of `path`; what is wrong with it is damage at offset 0, or a format too new.
    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let broken = || Error::from(Damage::new(path, 0, HEADER_LEN as u64, DamageCause::Header));
        let head = bytes.get(..HEADER_LEN).ok_or_else(broken)?;
        if !head.starts_with(&MAGIC) || crc32fast::hash(&head[..CRC_AT]).to_le_bytes() != head[CRC_AT..] {
            return Err(broken());
        }
        let (header, version, scheme) = Self::fields(head).map_err(|_| broken())?;
        if version > VERSION {
            return Err(Error::TooNew { path: path.to_owned(), found: version, known: VERSION });
        }
        if version < VERSION {
            return Err(Error::TooOld { path: path.to_owned(), found: version, known: VERSION });
        }
        if scheme != SCHEME_HKDF {
            return Err(Error::UnknownFeature { what: "key scheme", number: scheme.into() });
        }
        header.ok_or_else(broken)
    }

    fn fields(head: &[u8]) -> Result<(Option<Self>, u16, u16), TooShort> {
        let mut fields = Fixed::new(head);
        let _magic: [u8; 8] = fields.array()?;
        let kind = FileKind::known(fields.u16()?);
        let (version, scheme, len) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (file_id, owner) = (Uuid(fields.array()?), Uuid(fields.array()?));
        let (number, generation, reserved) = (fields.u64()?, fields.u32()?, fields.u64()?);
        let start = RecordsStart { first_sequence: fields.u64()?, chain: fields.array()? };
        let commitment = fields.array()?;
        let header = kind.filter(|_| reserved == 0 && usize::from(len) == HEADER_LEN).map(|kind| Self {
            kind,
            file_id,
            owner,
            number,
            generation,
            start,
            commitment,
        });
        Ok((header, version, scheme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FileHeader {
        let start = RecordsStart { first_sequence: 9, chain: [5; 32] };
        let (file_id, owner) = (Uuid([1; 16]), Uuid([2; 16]));
        FileHeader { kind: FileKind::Records, file_id, owner, number: 3, generation: 1, start, commitment: [7; 32] }
    }

    #[test]
    fn a_header_reads_back_what_was_written() {
        assert_eq!(FileHeader::decode(Path::new("f"), &header().encode()).unwrap(), header());
    }

    #[test]
    fn p6_every_flipped_bit_of_a_header_is_found() {
        let good = header().encode();
        for bit in 0..good.len() * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(FileHeader::decode(Path::new("f"), &bad).is_err(), "bit {bit}");
        }
        assert!(FileHeader::decode(Path::new("f"), &good[..100]).is_err());
    }
}
