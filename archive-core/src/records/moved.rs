//! Where commits of a records file were first written, once the file has been rewritten without the sections of its
//! small commits.
//!
//! Catalog and index name commits by file and offset. To keep them valid when a file is rewritten, these offsets stay
//! what they were, and the file has a table from them to the present offsets. Bytes: docs/FORMAT.md, section 8,
//! "Moved".

use super::Link;
use super::stamp::Stamp;
use crate::error::Error;
use crate::seal::{FrameKind, HEADER_LEN, SealedReader};
use crate::wire::Fixed;

/// A stretch of frames that follow each other as they did when they were first written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Offset at which it was first written.
    first: u64,
    /// Present offset.
    now: u64,
}

/// The table of one file; empty if the file was never rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    stretches: Vec<Stretch>,
}

impl Moved {
    /// The table of `file`. An unreadable one is damage, reported by any scan of the file from its start.
    pub(super) fn of(file: &SealedReader) -> Result<Self, Error> {
        let (at, len) = (HEADER_LEN as u64, file.len()?);
        if len <= at {
            return Ok(Self::default());
        }
        match file.raw(at, len) {
            Ok(raw) if raw.kind == FrameKind::Moved => {}
            Ok(_) => return Ok(Self::default()),
            // The frame may have been a table or not.
            Err(Error::Damage(_)) => return Ok(Self::unreadable()),
            Err(error) => return Err(error),
        }
        match file.frame(at, len) {
            Ok(frame) => Ok(Self::decode(frame.bytes(), frame.place.end()).unwrap_or_else(Self::unreadable)),
            Err(Error::Damage(_)) => Ok(Self::unreadable()),
            Err(error) => Err(error),
        }
    }

    /// A table with which every search begins at the first frame.
    fn unreadable() -> Self {
        Self { stretches: vec![Stretch { first: u64::MAX, now: HEADER_LEN as u64 }] }
    }

    /// Whether it is unknown where anything was first written. Then nothing may be appended to the file.
    pub(super) fn is_unreadable(&self) -> bool {
        self.stretches.first().is_some_and(|stretch| stretch.first == u64::MAX)
    }

    /// The table in a frame's plaintext; `base` is where the frame ends.
    pub(super) fn decode(bytes: &[u8], base: u64) -> Option<Self> {
        let (_, mut rest) = Stamp::split(bytes).ok()?;
        let mut stretches: Vec<Stretch> = Vec::new();
        while !rest.is_empty() {
            let mut fields = Fixed::new(rest);
            let stretch = Stretch { first: fields.u64().ok()?, now: base.checked_add(fields.u64().ok()?)? };
            if stretches.last().is_some_and(|last| last.first >= stretch.first || last.now >= stretch.now) {
                return None;
            }
            stretches.push(stretch);
            rest = fields.rest();
        }
        Some(Self { stretches })
    }

    /// The frame's plaintext. `stretches` are pairs of the offset at which frames were first written, and their present
    /// offset minus the end of this frame. `last` was synced: without the commit that packed them, the sections would
    /// still be there.
    pub(super) fn encode(stretches: &[(u64, u64)], last: Link) -> Vec<u8> {
        let mut bytes = Stamp::mark(last).encode().to_vec();
        for (first, offset) in stretches {
            bytes.extend_from_slice(&first.to_le_bytes());
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        bytes
    }

    /// The present offset of the frame that was first written at `first`; if that was dropped, of the next one that is
    /// left.
    pub(crate) fn now(&self, first: u64) -> u64 {
        let behind = self.stretches.partition_point(|stretch| stretch.first <= first);
        let next = self.stretches.get(behind).map(|next| next.now);
        match behind.checked_sub(1).and_then(|at| self.stretches.get(at)) {
            Some(stretch) => stretch.now.saturating_add(first - stretch.first).min(next.unwrap_or(u64::MAX)),
            None => next.map_or(first, |next| if first <= HEADER_LEN as u64 { first } else { next }),
        }
    }

    /// Where the frame whose present offset is `now` was first written.
    pub(crate) fn first(&self, now: u64) -> u64 {
        if self.is_unreadable() {
            return now;
        }
        let behind = self.stretches.partition_point(|stretch| stretch.now <= now);
        let stretch = behind.checked_sub(1).and_then(|at| self.stretches.get(at));
        stretch.map_or(now, |stretch| stretch.first.saturating_add(now - stretch.now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Link = Link { sequence: 0, chain: [0; 32] };

    #[test]
    fn offsets_of_frames_that_stayed_map_both_ways_and_those_of_dropped_ones_to_the_next() {
        let plain = Moved::encode(&[(244, 0), (1000, 300)], ORIGIN);
        let moved = Moved::decode(&plain, 200).unwrap();
        for (first, now) in [(244, 200), (300, 256), (1000, 500), (5000, 4500)] {
            assert_eq!((moved.now(first), moved.first(now)), (now, first));
        }
        assert_eq!(moved.now(144), 144);
        assert_eq!(moved.now(150), 200, "a dropped frame before all others");
        assert_eq!(moved.now(600), 500, "a dropped frame between them");
        assert_eq!((Moved::default().now(77), Moved::default().first(77)), (77, 77));
    }

    #[test]
    fn a_table_that_does_not_rise_is_none() {
        for bad in [&[(5, 0), (5, 9)][..], &[(5, 9), (6, 9)], &[(5, u64::MAX)]] {
            assert_eq!(Moved::decode(&Moved::encode(bad, ORIGIN), 200), None);
        }
        assert_eq!(Moved::decode(&Moved::encode(&[(5, 0)], ORIGIN)[..60], 200), None);
    }
}
