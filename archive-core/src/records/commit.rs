//! One commit: its facts as bytes, their salts, the skeleton that the chain runs over.

use minicbor::decode::Error as CborError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::chain::fact_hash;
use super::{FactKind, FactValue, Frontier, Link, TreeHead};
use crate::error::Error;
use crate::id::Digest;
use crate::wire::Keys;

/// A fact to be committed.
#[derive(Debug, Clone)]
pub(crate) struct NewFact {
    kind: FactKind,
    bytes: Vec<u8>,
    /// What the catalog takes over; of the master, nothing.
    value: FactValue,
}

impl NewFact {
    /// A fact of the master, which has no catalog.
    pub(crate) fn of_master(kind: FactKind, fact: &impl Encode<()>) -> Self {
        Self { kind, bytes: crate::wire::encode(fact), value: FactValue::PassedOver }
    }

    /// A fact of a store.
    pub(crate) fn new(value: FactValue) -> Self {
        let (kind, bytes) = value.write();
        Self { kind, bytes, value }
    }
}

/// A fact as it lies in a commit: kind and bytes, or what is left of an erased one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    Known { kind: u16, bytes: Vec<u8> },
    Erased { hash: [u8; 32] },
}

impl<C> Encode<C> for Fact {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Known { kind, bytes } => e.array(2)?.u16(*kind)?.bytes(bytes)?,
            Self::Erased { hash } => e.array(2)?.u16(0)?.bytes(hash)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Fact {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, CborError> {
        if d.array()? != Some(2) {
            return Err(CborError::message("a fact is a pair"));
        }
        let (kind, bytes) = (d.u16()?, d.bytes()?);
        Ok(match kind {
            0 => Self::Erased { hash: bytes.try_into().map_err(|_| CborError::message("a hash has 32 bytes"))? },
            kind => Self::Known { kind, bytes: bytes.to_vec() },
        })
    }
}

/// A commit as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Commit {
    #[n(1)]
    pub(crate) sequence: u64,
    /// Milliseconds since 1970, UTC.
    #[n(2)]
    pub(crate) time: i64,
    #[n(3)]
    tree_size: u64,
    #[cbor(n(4), with = "minicbor::bytes")]
    tree_hash: [u8; 32],
    /// The salts are derived from it; a commit that lost facts has explicit salts instead.
    #[cbor(n(5), with = "minicbor::bytes")]
    seed: Option<[u8; 32]>,
    #[n(6)]
    pub(crate) facts: Vec<Fact>,
    /// Number of the active container (0 if none) and its end, tables included.
    #[n(7)]
    pub(crate) container_end: (u32, u64),
    /// Frames before this one that hold the contents of a small commit.
    #[n(8)]
    pub(crate) section_frames: u32,
    /// 16 bytes a fact, in place of the seed.
    #[cbor(n(9), with = "minicbor::bytes")]
    salts: Option<Vec<u8>>,
}

impl Keys for Commit {
    const WHAT: &'static str = "key of a commit";
    const LAST: u64 = 9;
}

impl Commit {
    /// The commit after `last`, whose contents go into `tree`; the link after it, and what the catalog takes over.
    pub(crate) fn build(
        last: &Link,
        tree: &mut Frontier,
        time: i64,
        seed: [u8; 32],
        facts: Vec<NewFact>,
        container_end: (u32, u64),
        section_frames: u32,
    ) -> Result<(Self, Link, Vec<FactValue>), Error> {
        let mut hashes = Vec::with_capacity(facts.len());
        let mut kept = Vec::with_capacity(facts.len());
        let mut values = Vec::with_capacity(facts.len());
        let salts = Salts::derived(&seed)?;
        for (at, fact) in facts.into_iter().enumerate() {
            let salt = salts.of(at)?;
            if let FactValue::Content(content) = &fact.value {
                tree.push(&salt, Digest(content.digest));
            }
            hashes.push(fact_hash(&salt, &fact.bytes));
            kept.push(Fact::Known { kind: fact.kind as u16, bytes: fact.bytes });
            values.push(fact.value);
        }
        let head = tree.head();
        let link = last.next(head, &hashes);
        let commit = Self {
            sequence: link.sequence,
            time,
            tree_size: head.size,
            tree_hash: head.hash,
            seed: Some(seed),
            facts: kept,
            container_end,
            section_frames,
            salts: None,
        };
        Ok((commit, link, values))
    }

    /// The tree head after the commit.
    pub(crate) fn tree(&self) -> TreeHead {
        TreeHead { size: self.tree_size, hash: self.tree_hash }
    }

    /// The salts of its facts.
    pub(crate) fn salts(&self) -> Result<Salts<'_>, Error> {
        match (&self.seed, &self.salts) {
            (Some(seed), None) => Salts::derived(seed),
            (None, Some(salts)) => Ok(Salts::Explicit(salts)),
            _ => Err(Error::Bug("a commit has either a seed or salts")),
        }
    }

    /// The link after this commit, if it follows `last`.
    pub(crate) fn link_after(&self, last: &Link) -> Result<Option<Link>, Error> {
        if Some(self.sequence) != last.sequence.checked_add(1) || !self.has_salts() {
            return Ok(None);
        }
        let mut hashes = Vec::with_capacity(self.facts.len());
        let salts = self.salts()?;
        for (at, fact) in self.facts.iter().enumerate() {
            hashes.push(match fact {
                Fact::Known { bytes, .. } => fact_hash(&salts.of(at)?, bytes),
                Fact::Erased { hash } => *hash,
            });
        }
        Ok(Some(last.next(self.tree(), &hashes)))
    }

    fn has_salts(&self) -> bool {
        match (&self.seed, &self.salts) {
            (Some(_), None) => true,
            (None, Some(salts)) => salts.len() == self.facts.len() * 16,
            _ => false,
        }
    }
}

/// The salts of a commit's facts.
pub(crate) enum Salts<'c> {
    /// HKDF-Expand (RFC 5869, 2.3) of the seed, over the index of each fact.
    Derived(Box<hkdf::Hkdf<sha2::Sha256>>),
    /// 16 bytes a fact.
    Explicit(&'c [u8]),
}

impl Salts<'_> {
    fn derived(seed: &[u8; 32]) -> Result<Self, Error> {
        let hkdf = hkdf::Hkdf::from_prk(seed).map_err(|_| Error::Bug("HKDF refused a seed of 32 bytes"))?;
        Ok(Self::Derived(Box::new(hkdf)))
    }

    /// The salt of fact `at`.
    pub(crate) fn of(&self, at: usize) -> Result<[u8; 16], Error> {
        match self {
            Self::Derived(hkdf) => {
                let mut salt = [0; 16];
                hkdf.expand(&(at as u64).to_le_bytes(), &mut salt).map_err(|_| Error::Bug("HKDF refused 16 bytes"))?;
                Ok(salt)
            }
            Self::Explicit(salts) => {
                let salt = salts.get(at * 16..at * 16 + 16).and_then(|salt| salt.try_into().ok());
                salt.ok_or(Error::Bug("a commit with explicit salts lacks one"))
            }
        }
    }
}
