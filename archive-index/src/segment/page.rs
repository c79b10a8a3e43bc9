//! The envelope of every page: kind, version, codec, length and CRC-32; docs/FORMAT-INDEX.md, "Pages".

use crate::error::IndexError;
use crate::wire::Malformed;

/// What a page contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PageKind {
    Terms = 1,
    Backward = 2,
    Docs = 3,
    Positions = 4,
    Columns = 5,
    Order = 6,
    Directory = 7,
    Footer = 8,
    Blocks = 9,
    SortKeys = 10,
    Ranks = 11,
}

const VERSION: u8 = 1;
const RAW: u8 = 1;
const ZSTD: u8 = 2;
const HEAD: usize = 12;
/// The most plain bytes of a page.
pub(crate) const MAX_PAGE: usize = 4 << 20;
const LEVEL: i32 = 3;

/// Makes pages; reuses the compressor's memory between them.
pub(crate) struct Envelope {
    compressor: zstd::bulk::Compressor<'static>,
}

impl Envelope {
    pub(crate) fn new() -> Result<Self, IndexError> {
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|_| IndexError::Bug("no compressor"))?;
        Ok(Self { compressor })
    }

    /// The page that holds `plain`.
    pub(crate) fn seal(&mut self, kind: PageKind, plain: &[u8]) -> Result<Vec<u8>, IndexError> {
        if plain.len() > MAX_PAGE {
            return Err(IndexError::TooLarge { what: "page" });
        }
        let packed = self.compressor.compress(plain).map_err(|_| IndexError::Bug("compression failed"))?;
        let (codec, body) = if packed.len() < plain.len() { (ZSTD, packed.as_slice()) } else { (RAW, plain) };
        let mut page = Vec::with_capacity(HEAD + body.len());
        page.extend_from_slice(&[kind as u8, VERSION, codec, 0]);
        page.extend_from_slice(&(plain.len() as u32).to_le_bytes());
        let sum = checksum(&page, body);
        page.extend_from_slice(&sum.to_le_bytes());
        page.extend_from_slice(body);
        Ok(page)
    }
}

/// The plain bytes of a page that should be of `kind`.
pub(crate) fn open(kind: PageKind, page: &[u8]) -> Result<Vec<u8>, Malformed> {
    let (head, body) = page.split_at_checked(HEAD).ok_or(Malformed("page head"))?;
    let &[found_kind, version, codec, zero, l0, l1, l2, l3, c0, c1, c2, c3] = head else {
        return Err(Malformed("page head"));
    };
    if u32::from_le_bytes([c0, c1, c2, c3]) != checksum(head.get(..8).unwrap_or_default(), body) {
        return Err(Malformed("page checksum"));
    }
    if found_kind != kind as u8 || zero != 0 {
        return Err(Malformed("page kind"));
    }
    if version != VERSION {
        return Err(Malformed("page version"));
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_PAGE {
        return Err(Malformed("page length"));
    }
    let plain = match codec {
        RAW => body.to_vec(),
        ZSTD => zstd::bulk::decompress(body, length).map_err(|_| Malformed("compressed page"))?,
        _ => return Err(Malformed("page codec")),
    };
    if plain.len() == length { Ok(plain) } else { Err(Malformed("page length")) }
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}
