//! The Merkle tree of RFC 9162, 2.1.1, with one leaf for each content, kept as the roots of its complete subtrees.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::id::Digest;

/// Number of the tree that a store begins with. A new tree begins if a repair cannot continue the previous one.
pub(super) const FIRST_TREE: u32 = 1;

/// Number, size and root of the tree at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TreeHead {
    pub(crate) no: u32,
    pub(crate) size: u64,
    pub(crate) hash: [u8; 32],
}

impl TreeHead {
    /// Whether every leaf of the tree is a content.
    pub(crate) fn is_of_first_tree(&self) -> bool {
        self.no == FIRST_TREE
    }
}

/// What it takes to append leaves: the roots of the complete subtrees, largest first (at most 64).
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Frontier {
    #[n(1)]
    size: u64,
    #[cbor(n(2), with = "minicbor::bytes")]
    roots: Vec<u8>,
    /// Number of the tree, if it is not the first.
    #[n(3)]
    no: Option<u32>,
}

impl Frontier {
    /// The tree after one that cannot be continued: its first leaf is the last known head of that tree.
    pub(crate) fn after(lost: TreeHead) -> Self {
        let mut tree = Self { no: Some(lost.no.saturating_add(1)), ..Self::default() };
        tree.push_leaf(Sha256::new_with_prefix([0]).chain_update(lost.hash).finalize().into());
        tree
    }

    /// Number of the tree.
    pub(crate) fn no(&self) -> u32 {
        self.no.unwrap_or(FIRST_TREE)
    }

    /// Appends the leaf of a content: salt of its fact, then its digest.
    pub(crate) fn push(&mut self, salt: &[u8; 16], digest: Digest) {
        self.push_leaf(leaf_hash(salt, digest));
    }

    /// Appends a leaf of which only the hash is left.
    pub(crate) fn push_leaf(&mut self, leaf: [u8; 32]) {
        let mut node = leaf;
        let mut rest = self.size;
        while rest & 1 == 1 {
            let Some(left) = self.roots.len().checked_sub(32) else { break };
            node = Sha256::new_with_prefix([1]).chain_update(&self.roots[left..]).chain_update(node).finalize().into();
            self.roots.truncate(left);
            rest >>= 1;
        }
        self.roots.extend_from_slice(&node);
        self.size += 1;
    }

    pub(crate) fn head(&self) -> TreeHead {
        let mut roots = self.roots.rchunks_exact(32);
        let Some(last) = roots.next() else {
            return TreeHead { no: self.no(), size: 0, hash: Sha256::digest([]).into() };
        };
        let fold = |right: Vec<u8>, left: &[u8]| Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().to_vec();
        let hash = roots.fold(last.to_vec(), fold);
        TreeHead { no: self.no(), size: self.size, hash: hash.try_into().unwrap_or_default() }
    }

    /// `false` for a frontier that no sequence of leaves gives.
    pub(crate) fn is_sound(&self) -> bool {
        self.roots.len() == 32 * self.size.count_ones() as usize
    }
}

/// The leaf hash of a content.
pub(crate) fn leaf_hash(salt: &[u8; 16], digest: Digest) -> [u8; 32] {
    Sha256::new_with_prefix([0]).chain_update(salt).chain_update(digest.0).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 9162, 2.1.1, word for word.
    fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
        match leaves {
            [] => Sha256::digest([]).to_vec(),
            [leaf] => Sha256::digest([&[0u8][..], leaf].concat()).to_vec(),
            _ => {
                let mut split = 1;
                while split * 2 < leaves.len() {
                    split *= 2;
                }
                Sha256::digest([vec![1u8], root(&leaves[..split]), root(&leaves[split..])].concat()).to_vec()
            }
        }
    }

    #[test]
    fn the_head_is_that_of_the_definition_for_every_size() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for at in 0..70u8 {
            assert_eq!(frontier.head().hash.to_vec(), root(&leaves), "size {at}");
            assert!(frontier.is_sound());
            frontier.push(&[at; 16], Digest([at; 32]));
            leaves.push([[at; 16].to_vec(), [at; 32].to_vec()].concat());
        }
    }
}
