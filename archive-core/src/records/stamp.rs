//! The beginning of every frame of records and containers: its commit, its index in it, and what was synced before it
//! was written.

use super::Link;
use crate::wire::{Fixed, TooShort};

/// Bytes of a stamp.
pub(crate) const STAMP_LEN: usize = 8 + 4 + 8 + 32;

/// The stamp of a frame. Docs: FORMAT.md, "Stamp".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Sequence of the commit that the frame belongs to.
    pub(crate) sequence: u64,
    /// The frame's index within the commit, containers first.
    pub(crate) index: u32,
    /// The last commit whose sync had returned.
    pub(crate) synced: Link,
}

impl Stamp {
    /// The stamp of a mark, which says that `last` is synced.
    pub(super) fn mark(last: Link) -> Self {
        Self { sequence: last.sequence, index: u32::MAX, synced: last }
    }

    pub(crate) fn encode(&self) -> [u8; STAMP_LEN] {
        let mut bytes = [0; STAMP_LEN];
        bytes[..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.index.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.synced.sequence.to_le_bytes());
        bytes[20..].copy_from_slice(&self.synced.chain);
        bytes
    }

    /// The stamp at the start of a frame's plaintext, and what follows it.
    pub(crate) fn split(plaintext: &[u8]) -> Result<(Self, &[u8]), TooShort> {
        let mut fields = Fixed::new(plaintext);
        let (sequence, index) = (fields.u64()?, fields.u32()?);
        let synced = Link { sequence: fields.u64()?, chain: fields.array()? };
        Ok((Self { sequence, index, synced }, fields.rest()))
    }
}
