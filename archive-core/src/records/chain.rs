//! The record chain: after every commit, a value over everything that was recorded up to it.
//!
//! It runs over the skeleton of each commit and over kind and hash of each fact, so that a deleted mail's facts can
//! later be replaced by their hashes while every later value stays valid. Docs: FORMAT.md, "Chain".

use sha2::{Digest as _, Sha256};

use crate::id::Uuid;

/// A place in the chain: the value after the commit of this sequence. Sequence 0 is before all commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) sequence: u64,
    pub(crate) chain: [u8; 32],
}

impl std::fmt::Display for Link {
    /// The form in which heads are printed: the sequence, then the chain value in hexadecimal digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.sequence)?;
        self.chain.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Link {
    /// The chain of a store or archive before its first commit.
    pub(crate) fn origin(owner: Uuid) -> Self {
        let chain = Sha256::new_with_prefix(b"mailkeep chain").chain_update(owner.0).finalize().into();
        Self { sequence: 0, chain }
    }

    /// The link after one more commit: its skeleton as it is written, kind and hash of each fact.
    pub(crate) fn next(&self, skeleton: &[u8], facts: &[(u16, [u8; 32])]) -> Self {
        let mut hasher = Sha256::new_with_prefix(self.chain);
        hasher.update((skeleton.len() as u64).to_le_bytes());
        hasher.update(skeleton);
        hasher.update((facts.len() as u64).to_le_bytes());
        for (kind, hash) in facts {
            hasher.update(kind.to_le_bytes());
            hasher.update(hash);
        }
        Self { sequence: self.sequence.saturating_add(1), chain: hasher.finalize().into() }
    }
}

/// The hash of a fact: SHA-256 of its salt and its bytes.
pub(super) fn fact_hash(salt: &[u8; 16], bytes: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix(salt).chain_update(bytes).finalize().into()
}
