//! Which short digests a run may contain: most mail is new, and the look-up of a new mail must not read a page of every
//! run.
//!
//! A Bloom filter whose bits for one digest lie in one line of the processor's cache. Digests are evenly spread, but
//! short: a multiplication makes the bits that choose the line differ from those that choose within it.

/// Bits for each digest. With three kinds of digests for each content they stay below the 4 bytes a content that P15
/// allows.
const BITS: usize = 10;
const WORDS: usize = 8;
/// Bits set for a digest, all of one line.
const PROBES: u32 = 5;

/// Digests of one kind in one run.
#[derive(Debug)]
pub(super) struct Filter {
    lines: Vec<[u64; WORDS]>,
}

impl Filter {
    /// An empty filter with room for about `digests`.
    pub(super) fn with_room(digests: usize) -> Self {
        Self { lines: vec![[0; WORDS]; (digests * BITS).div_ceil(WORDS * 64).max(1)] }
    }

    pub(super) fn add(&mut self, digest: u64) {
        let digest = spread(digest);
        let line = self.line(digest);
        if let Some(line) = self.lines.get_mut(line) {
            bits(digest).for_each(|(word, bit)| line[word] |= bit);
        }
    }

    /// `false` if it was never added.
    pub(super) fn may_hold(&self, digest: u64) -> bool {
        let digest = spread(digest);
        self.lines.get(self.line(digest)).is_none_or(|line| bits(digest).all(|(word, bit)| line[word] & bit != 0))
    }

    /// Chosen by the upper bits, which [`bits`] does not use up to half a million lines.
    fn line(&self, digest: u64) -> usize {
        ((u128::from(digest) * self.lines.len() as u128) >> 64) as usize
    }
}

/// An odd number near 2^64 divided by the golden ratio (Knuth, TAOCP 3, 6.4).
fn spread(digest: u64) -> u64 {
    digest.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn bits(digest: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let at = (digest >> (9 * probe)) as usize % (WORDS * 64);
        (at / 64, 1 << (at % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn what_was_added_is_never_denied_and_little_else_is_affirmed() {
        let digest =
            |n: u32| Sha256::digest(n.to_le_bytes()).first_chunk().map(|bytes: &[u8; 8]| u64::from_be_bytes(*bytes) >> 16).unwrap();
        let mut filter = Filter::with_room(10_000);
        (0..10_000).for_each(|n| filter.add(digest(n)));
        assert!((0..10_000).all(|n| filter.may_hold(digest(n))));
        let wrong = (10_000..30_000).filter(|n| filter.may_hold(digest(*n))).count();
        assert!(wrong < 600, "{wrong} of 20,000");
        assert!(!Filter::with_room(0).may_hold(7));
    }
}
