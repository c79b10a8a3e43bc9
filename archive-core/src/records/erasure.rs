//! What a compaction records, and how it takes facts out of commits that were written long ago.
//!
//! Of an erased fact, kind and hash are left, and the leaf of a content: chain, tree and the numbers that follow from
//! the order of facts stay as they were. Docs: FORMAT.md, sections 8 and 9.

use minicbor::{Decode, Encode};
use roaring::RoaringBitmap;

use super::FactValue;
use super::chain::fact_hash;
use super::salts::{SALT_LEN, Salt};
use super::tree::leaf_hash;
use super::{Commit, Fact};
use crate::error::Error;
use crate::id::Digest;
use crate::wire::Keys;

/// The most numbers that one list of a fact may name: a commit is read as a whole.
pub(crate) const MOST_NUMBERS: usize = 1 << 22;

/// Numbers as a fact lists them: ranges, rising, each as its first number and how many.
pub(crate) type Ranges = Vec<(u32, u32)>;

/// The ranges of a set.
pub(crate) fn ranges_of(numbers: &RoaringBitmap) -> Ranges {
    let mut ranges: Ranges = Vec::new();
    for no in numbers {
        match ranges.last_mut() {
            Some((first, count)) if first.checked_add(*count) == Some(no) => *count += 1,
            _ => ranges.push((no, 1)),
        }
    }
    ranges
}

/// The numbers of ranges; no more than a fact may name, whatever the records say.
pub(crate) fn numbers_of(ranges: &Ranges) -> impl Iterator<Item = u32> + use<> {
    let ranges = ranges.clone().into_iter();
    ranges.flat_map(|(first, count)| first..first.saturating_add(count)).take(MOST_NUMBERS)
}

/// Contents, parts and messages are erased from now on: nothing refers to them any more, and nothing brings them back.
/// Files that have something of them are rewritten or removed after this commit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ErasureFact {
    #[n(1)]
    pub(crate) contents: Ranges,
    #[n(2)]
    pub(crate) parts: Ranges,
    #[n(3)]
    pub(crate) messages: Ranges,
    /// Containers that have bytes of them, rising: what else is in these is packed elsewhere, then they are removed.
    #[n(4)]
    pub(crate) containers: Vec<u32>,
    /// Contents that stay although their first message is erased, with the number of that message.
    #[n(5)]
    pub(crate) first: Vec<(u32, u32)>,
    /// Folders in which messages are erased, with the highest number that was assigned in each.
    #[n(6)]
    pub(crate) numbers: Vec<(u32, u32)>,
    /// Who had it done.
    #[n(7)]
    pub(crate) actor: String,
    /// Milliseconds since 1970, UTC.
    #[n(8)]
    pub(crate) time: i64,
}

impl Keys for ErasureFact {
    const WHAT: &'static str = "key of an erasure";
    const LAST: u64 = 8;
}

/// Containers were removed: what was in use of them was packed elsewhere before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ContainersRemovedFact {
    #[n(1)]
    pub(crate) containers: Vec<u32>,
}

impl Keys for ContainersRemovedFact {
    const WHAT: &'static str = "key of removed containers";
    const LAST: u64 = 1;
}

/// No file has anything left of what was erased.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ErasureDoneFact {
    /// Milliseconds since 1970, UTC.
    #[n(1)]
    pub(crate) time: i64,
}

impl Keys for ErasureDoneFact {
    const WHAT: &'static str = "key of an erasure that is done";
    const LAST: u64 = 1;
}

/// Numbers whose facts are to be erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Doomed {
    pub(crate) contents: RoaringBitmap,
    pub(crate) parts: RoaringBitmap,
    pub(crate) messages: RoaringBitmap,
}

impl Doomed {
    pub(crate) fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.parts.is_empty() && self.messages.is_empty()
    }

    fn has(&self, fact: &FactValue) -> bool {
        match fact {
            FactValue::Content(fact) => self.contents.contains(fact.no),
            FactValue::Part(fact) => self.parts.contains(fact.no),
            FactValue::Message(fact) => self.messages.contains(fact.no),
            FactValue::Recovered(fact) => self.has(fact),
            _ => false,
        }
    }
}

impl Commit {
    /// The commit without the facts of `doomed`; `None` if it has none of them.
    pub(super) fn without(&self, doomed: &Doomed) -> Result<Option<Self>, Error> {
        let mut left = self.clone();
        let mut salts = self.salts();
        let mut erased = vec![false; self.facts.len()];
        for (at, fact) in left.facts.iter_mut().enumerate() {
            let Fact::Known { kind, bytes } = fact else { continue };
            let (kind, of_store) = (*kind, FactValue::read(*kind, bytes, &mut None));
            // A fact that a later version wrote is not known to name any of them.
            let value = match of_store {
                Err(Error::UnknownFeature { .. }) => continue,
                value => value?,
            };
            if !doomed.has(&value) {
                continue;
            }
            let salt = salts.of(at)?;
            let leaf = match &value {
                FactValue::Content(content) => Some(leaf_hash(&salt, Digest(content.digest))),
                _ => None,
            };
            *fact = Fact::Erased { kind, hash: fact_hash(&salt, bytes), leaf };
            erased[at] = true;
        }
        if !erased.contains(&true) {
            return Ok(None);
        }
        // The seed of a range gives the salt of each of its facts: those that stay keep theirs explicitly.
        let ends: Vec<usize> = left.salts.iter().skip(1).map(|range| range.first as usize).chain([erased.len()]).collect();
        for (range, end) in left.salts.iter_mut().zip(ends) {
            let facts = range.first as usize..end;
            if !facts.clone().any(|at| erased.get(at) == Some(&true)) {
                continue;
            }
            let mut explicit = Vec::with_capacity(facts.len() * SALT_LEN);
            for at in facts {
                let is_erased = matches!(left.facts.get(at), Some(Fact::Erased { .. }));
                explicit.extend(if is_erased { [0; SALT_LEN] } else { salts.of(at)? });
            }
            range.salt = Salt::Explicit(explicit);
        }
        Ok(Some(left))
    }
}
