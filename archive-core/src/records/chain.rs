//! The record chain: a value after every commit over all that was true up to it.
//!
//! It runs over skeletons (sequence, tree head, hash of each fact), so that a deleted mail's facts can later be replaced by their
//! hashes while every later value stays good. Docs: FORMAT.md, "Chain".

use sha2::{Digest as _, Sha256};

use super::TreeHead;
use crate::id::Uuid;

/// A place in the chain: the value after the commit of this sequence. Sequence 0 is before all commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) sequence: u64,
    pub(crate) chain: [u8; 32],
}

impl Link {
    /// The chain of a store or archive before its first commit.
    pub(crate) fn origin(owner: Uuid) -> Self {
        let chain = Sha256::new_with_prefix(b"mailkeep chain").chain_update(owner.0).finalize().into();
        Self { sequence: 0, chain }
    }

    /// The link after one more commit.
    pub(crate) fn next(&self, tree: TreeHead, fact_hashes: &[[u8; 32]]) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let mut hasher = Sha256::new_with_prefix(self.chain);
        hasher.update(sequence.to_le_bytes());
        hasher.update(tree.size.to_le_bytes());
        hasher.update(tree.hash);
        hasher.update((fact_hashes.len() as u64).to_le_bytes());
        fact_hashes.iter().for_each(|hash| hasher.update(hash));
        Self { sequence, chain: hasher.finalize().into() }
    }
}

/// The hash of a fact: SHA-256 of its salt and its bytes.
pub(super) fn fact_hash(salt: &[u8; 16], bytes: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix(salt).chain_update(bytes).finalize().into()
}
