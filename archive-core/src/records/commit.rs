//! One commit: its skeleton, its facts as bytes, their salts.

use std::borrow::Cow;

use minicbor::decode::Error as CborError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::chain::fact_hash;
use super::salts::{SaltRange, Salts, cover};
use super::tree::FIRST_TREE;
use super::{FactKind, FactValue, Frontier, Link, RecoveredFact, TreeHead};
use crate::error::Error;
use crate::id::Digest;
use crate::wire::{Keys, Undecodable, Unknown, decode_noting, encode};

/// A fact to be committed.
#[derive(Debug, Clone)]
pub(crate) struct NewFact {
    kind: u16,
    bytes: Vec<u8>,
    /// What the catalog applies; nothing for the master.
    value: FactValue,
}

impl NewFact {
    /// A fact of the master, which has no catalog.
    pub(crate) fn of_master(kind: FactKind, fact: &impl Encode<()>) -> Self {
        Self { kind: kind as u16, bytes: crate::wire::encode(fact), value: FactValue::PassedOver }
    }

    /// A fact as a later version may write it.
    #[cfg(test)]
    pub(crate) fn unknown(kind: u16, bytes: Vec<u8>) -> Self {
        Self { kind, bytes, value: FactValue::PassedOver }
    }

    /// A fact of a store.
    pub(crate) fn new(value: FactValue) -> Self {
        let (kind, bytes) = value.write();
        Self { kind: kind as u16, bytes, value }
    }
}

/// A fact as it is in a commit: kind and bytes, or what is left of an erased one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    Known {
        kind: u16,
        bytes: Vec<u8>,
    },
    Erased {
        kind: u16,
        hash: [u8; 32],
        /// For a content: its leaf in the tree.
        leaf: Option<[u8; 32]>,
    },
}

impl<C> Encode<C> for Fact {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Known { kind, bytes } => e.array(2)?.u16(*kind)?.bytes(bytes)?,
            Self::Erased { kind, hash, leaf: None } => e.array(3)?.u16(0)?.u16(*kind)?.bytes(hash)?,
            Self::Erased { kind, hash, leaf: Some(leaf) } => e.array(4)?.u16(0)?.u16(*kind)?.bytes(hash)?.bytes(leaf)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Fact {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, CborError> {
        let (len, kind) = (d.array()?, d.u16()?);
        let hash = |bytes: &[u8]| bytes.try_into().map_err(|_| CborError::message("a hash has 32 bytes"));
        match (len, kind) {
            (Some(3 | 4), 0) => {
                let (kind, erased) = (d.u16()?, hash(d.bytes()?)?);
                let leaf = if len == Some(4) { Some(hash(d.bytes()?)?) } else { None };
                if kind == 0 || leaf.is_some() != (kind == FactKind::Content as u16) {
                    return Err(CborError::message("an erased fact has its kind, and of a content its leaf"));
                }
                Ok(Self::Erased { kind, hash: erased, leaf })
            }
            (Some(2), 1..) => Ok(Self::Known { kind, bytes: d.bytes()?.to_vec() }),
            _ => Err(CborError::message("no fact has this form")),
        }
    }
}

impl Fact {
    /// The bytes of the fact itself, unwrapped if it recovers a fact of a lost commit; `None` for an erased one.
    pub(crate) fn own_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Known { kind, bytes } if *kind == FactKind::Recovered as u16 => {
                decode_noting::<RecoveredFact>(bytes, &mut None).ok().map(|fact| fact.bytes.into())
            }
            Self::Known { bytes, .. } => Some(bytes.into()),
            Self::Erased { .. } => None,
        }
    }
}

/// What the chain covers of a commit besides its facts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Skeleton {
    #[n(1)]
    pub(crate) sequence: u64,
    /// Milliseconds since 1970, UTC.
    #[n(2)]
    pub(crate) time: i64,
    #[n(3)]
    pub(crate) tree_size: u64,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(crate) tree_hash: [u8; 32],
    /// Number of the active container (0 if none) and its end, tables included.
    #[n(5)]
    pub(crate) container_end: (u32, u64),
    /// Frames before this one that hold the contents of a small commit.
    #[n(6)]
    pub(crate) section_frames: u32,
    /// Number of the tree, if it is not the first.
    #[n(7)]
    tree_no: Option<u32>,
}

impl Keys for Skeleton {
    const WHAT: &'static str = "key of a commit's skeleton";
    const LAST: u64 = 7;
}

/// A commit to be written: [`Written`], borrowed.
#[derive(Encode)]
#[cbor(map)]
struct ToWrite<'c> {
    #[cbor(n(1), with = "minicbor::bytes")]
    skeleton: &'c [u8],
    #[n(2)]
    facts: &'c [Fact],
    #[n(3)]
    salts: &'c [SaltRange],
}

/// A commit as it is written.
#[derive(Debug, Decode)]
#[cbor(map)]
struct Written {
    /// The skeleton as bytes, since the chain also covers keys that this version does not know.
    #[cbor(n(1), with = "minicbor::bytes")]
    skeleton: Vec<u8>,
    #[n(2)]
    facts: Vec<Fact>,
    #[n(3)]
    salts: Vec<SaltRange>,
}

impl Keys for Written {
    const WHAT: &'static str = "key of a commit";
    const LAST: u64 = 3;
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    skeleton: Skeleton,
    skeleton_bytes: Vec<u8>,
    pub(crate) facts: Vec<Fact>,
    pub(super) salts: Vec<SaltRange>,
    passed_over: Option<Unknown>,
}

/// What a commit is built from.
pub(super) struct Parts {
    pub(super) time: i64,
    pub(super) facts: Vec<NewFact>,
    pub(super) salts: Vec<SaltRange>,
    pub(super) container_end: (u32, u64),
    pub(super) section_frames: u32,
}

impl Commit {
    /// Builds the commit after `last`, whose contents go into `tree`. Returns it with the link after it, and what the
    /// catalog applies.
    pub(super) fn build(last: &Link, tree: &mut Frontier, parts: Parts) -> Result<(Self, Link, Vec<FactValue>), Error> {
        let Parts { time, facts, salts, container_end, section_frames } = parts;
        let mut hashes = Vec::with_capacity(facts.len());
        let mut kept = Vec::with_capacity(facts.len());
        let mut values = Vec::with_capacity(facts.len());
        let mut of = Salts::new(&salts);
        for (at, fact) in facts.into_iter().enumerate() {
            let salt = of.of(at)?;
            if let FactValue::Content(content) = &fact.value {
                tree.push(&salt, Digest(content.digest));
            }
            hashes.push((fact.kind, fact_hash(&salt, &fact.bytes)));
            kept.push(Fact::Known { kind: fact.kind, bytes: fact.bytes });
            values.push(fact.value);
        }
        let head = tree.head();
        let sequence = last.sequence.saturating_add(1);
        let tree_no = Some(head.no).filter(|no| *no != FIRST_TREE);
        let skeleton = Skeleton { sequence, time, tree_size: head.size, tree_hash: head.hash, container_end, section_frames, tree_no };
        let skeleton_bytes = encode(&skeleton);
        let link = last.next(&skeleton_bytes, &hashes);
        Ok((Self { skeleton, skeleton_bytes, facts: kept, salts, passed_over: None }, link, values))
    }

    /// The bytes of a commit, before compression.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(&ToWrite { skeleton: &self.skeleton_bytes, facts: &self.facts, salts: &self.salts })
    }

    /// Decodes a commit.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Undecodable> {
        let mut passed_over = None;
        let Written { skeleton: skeleton_bytes, facts, salts } = decode_noting(bytes, &mut passed_over)?;
        let skeleton = decode_noting(&skeleton_bytes, &mut passed_over)?;
        if !cover(&salts, facts.len()) {
            return Err(Undecodable::Malformed);
        }
        Ok(Self { skeleton, skeleton_bytes, facts, salts, passed_over })
    }

    /// What was passed over in it and forbids writing, apart from facts.
    pub(crate) fn passed_over(&self) -> Option<&Unknown> {
        self.passed_over.as_ref()
    }

    /// The same, facts of a store included; an error where one may not be passed over.
    pub(crate) fn forbids_writing(&self) -> Result<Option<Unknown>, Error> {
        let mut passed_over = self.passed_over.clone();
        for fact in &self.facts {
            if let Fact::Known { kind, bytes } = fact {
                FactValue::read(*kind, bytes, &mut passed_over)?;
            }
        }
        Ok(passed_over)
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.skeleton.sequence
    }

    /// Number of the active container (0 if none) and its end after the commit.
    pub(crate) fn container_end(&self) -> (u32, u64) {
        self.skeleton.container_end
    }

    /// Frames of its section.
    pub(crate) fn section_frames(&self) -> u32 {
        self.skeleton.section_frames
    }

    /// The tree head after the commit.
    pub(crate) fn tree(&self) -> TreeHead {
        TreeHead { no: self.skeleton.tree_no.unwrap_or(FIRST_TREE), size: self.skeleton.tree_size, hash: self.skeleton.tree_hash }
    }

    /// Whether it repairs the store, and so continues after lost commits.
    pub(crate) fn repairs(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Known { kind, .. } if *kind == FactKind::Repaired as u16))
    }

    /// The salts of its facts.
    pub(crate) fn salts(&self) -> Salts<'_> {
        Salts::new(&self.salts)
    }

    /// The link after this commit, if it follows `last`.
    pub(crate) fn link_after(&self, last: &Link) -> Result<Option<Link>, Error> {
        if Some(self.skeleton.sequence) != last.sequence.checked_add(1) {
            return Ok(None);
        }
        let mut hashes = Vec::with_capacity(self.facts.len());
        let mut salts = self.salts();
        for (at, fact) in self.facts.iter().enumerate() {
            hashes.push(match fact {
                Fact::Known { kind, bytes } => (*kind, fact_hash(&salts.of(at)?, bytes)),
                Fact::Erased { kind, hash, .. } => (*kind, *hash),
            });
        }
        Ok(Some(last.next(&self.skeleton_bytes, &hashes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Uuid;
    use crate::records::salts::{SALT_LEN, Salt};
    use crate::records::{ContentFact, Doomed, ImportRunFact, PartFact, Runs};

    /// The commit without these facts: contents by their number, the part by 5.
    fn erased(commit: &Commit, gone: &[usize]) -> Commit {
        let mut doomed = Doomed::default();
        doomed.contents.extend(gone.iter().filter(|at| **at < 5).map(|at| *at as u32));
        doomed.parts.extend(gone.iter().filter(|at| **at == 5).map(|_| 7));
        let left = commit.without(&doomed).unwrap().unwrap();
        assert_eq!(left.without(&doomed).unwrap(), None, "nothing is left to be erased");
        Commit::from_bytes(&left.to_bytes()).unwrap()
    }

    fn content(no: u32) -> NewFact {
        NewFact::new(FactValue::Content(Box::new(ContentFact {
            no,
            digest: [no as u8; 32],
            identity: [0; 16],
            size: 5,
            shape: None,
            runs: Runs::default(),
            date: 0,
            date_source: 1,
            from: Vec::new(),
            to: Vec::new(),
            cc: Vec::new(),
            subject: format!("subject {no}"),
            header_message_id: None,
            in_reply_to: Vec::new(),
            references: Vec::new(),
            list_id: None,
            labels: None,
            attachments: 0,
            importance: 2,
            restated: None,
            guesses: None,
            attachment_types: None,
        })))
    }

    fn built() -> (Link, Commit, Link, Frontier) {
        let (origin, mut tree) = (Link::origin(Uuid([7; 16])), Frontier::default());
        let mut facts: Vec<NewFact> = (0..5).map(content).collect();
        facts.push(NewFact::new(FactValue::Part(PartFact { no: 7, digest: [7; 32], len: 9, runs: Runs::default() })));
        // Contents of two blocks, then all other facts.
        let seeded = |first, byte| SaltRange { first, salt: Salt::Seed([byte; 32]) };
        let salts = vec![seeded(0, 1), seeded(2, 2), seeded(5, 3)];
        let parts = Parts { time: 77, facts, salts, container_end: (1, 5000), section_frames: 0 };
        let (commit, link, _) = Commit::build(&origin, &mut tree, parts).unwrap();
        (origin, commit, link, tree)
    }

    #[test]
    fn p9_an_erased_fact_keeps_chain_tree_and_all_other_salts() {
        let (origin, commit, link, tree) = built();
        for gone in [&[0][..], &[3], &[0, 4, 5], &[0, 1, 2, 3, 4, 5]] {
            let left = erased(&commit, gone);
            assert_eq!(left.link_after(&origin).unwrap(), Some(link), "the chain value stays");
            let mut again = Frontier::default();
            let mut salts = left.salts();
            for (at, fact) in left.facts.iter().enumerate() {
                match fact {
                    Fact::Erased { kind, leaf, .. } => {
                        assert!(gone.contains(&at));
                        assert_eq!(leaf.is_some(), *kind == FactKind::Content as u16);
                        leaf.iter().for_each(|leaf| again.push_leaf(*leaf));
                        assert_eq!(salts.of(at).unwrap(), [0; SALT_LEN], "nothing confirms a guess");
                    }
                    Fact::Known { kind, bytes } if *kind == FactKind::Content as u16 => {
                        let content: ContentFact = crate::wire::decode(bytes).unwrap();
                        assert_eq!(salts.of(at).unwrap(), commit.salts().of(at).unwrap());
                        again.push(&salts.of(at).unwrap(), Digest(content.digest));
                    }
                    Fact::Known { .. } => {}
                }
            }
            assert_eq!(again.head(), tree.head(), "the tree stays");
            let seeds = left.salts.iter().filter(|range| matches!(range.salt, Salt::Seed(_))).count();
            let hit = [0..2, 2..5, 5..6].into_iter().filter(|facts| facts.clone().any(|at| gone.contains(&at))).count();
            assert_eq!(seeds, 3 - hit, "a seed goes where it would confirm, and stays elsewhere");
        }
    }

    #[test]
    fn p6_whatever_is_changed_in_a_commit_changes_the_chain() {
        let (origin, commit, link, _) = built();
        let holds = |changed: &Commit| changed.link_after(&origin).unwrap() == Some(link);
        let changed_skeleton = |change: &dyn Fn(&mut Skeleton)| {
            let mut changed = commit.clone();
            change(&mut changed.skeleton);
            changed.skeleton_bytes = encode(&changed.skeleton);
            changed
        };
        assert!(holds(&commit));
        for (what, changed) in [
            ("time", changed_skeleton(&|skeleton| skeleton.time += 1)),
            ("tree size", changed_skeleton(&|skeleton| skeleton.tree_size += 1)),
            ("tree hash", changed_skeleton(&|skeleton| skeleton.tree_hash[0] ^= 1)),
            ("container", changed_skeleton(&|skeleton| skeleton.container_end.0 += 1)),
            ("container end", changed_skeleton(&|skeleton| skeleton.container_end.1 += 1)),
            ("section", changed_skeleton(&|skeleton| skeleton.section_frames += 1)),
            ("tree number", changed_skeleton(&|skeleton| skeleton.tree_no = Some(2))),
        ] {
            assert!(!holds(&changed), "{what}");
        }
        // A key that this version does not know is covered like all others.
        let mut unknown = commit.clone();
        unknown.skeleton_bytes[0] += 1;
        unknown.skeleton_bytes.extend_from_slice(&[0x18, 200, 1]);
        let unknown = Commit::from_bytes(&unknown.to_bytes()).unwrap();
        assert!(!holds(&unknown) && unknown.passed_over().is_none());
        for at in 0..commit.facts.len() {
            for new_kind in [FactKind::Checkpoint as u16, 200] {
                let mut changed = commit.clone();
                if let Fact::Known { kind, .. } = &mut changed.facts[at] {
                    *kind = new_kind;
                }
                assert!(!holds(&changed), "kind of fact {at}");
            }
            let mut changed = commit.clone();
            if let Fact::Known { bytes, .. } = &mut changed.facts[at] {
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
            }
            assert!(!holds(&changed), "bytes of fact {at}");
        }
        let mut more = commit.clone();
        let run = ImportRunFact { no: 0, ..run() };
        let (kind, bytes) = (FactKind::ImportRun as u16, encode(&run));
        more.facts.push(Fact::Known { kind, bytes });
        assert!(!holds(&more), "a fact more");
        let mut fewer = commit.clone();
        fewer.facts.pop();
        fewer.salts.pop();
        assert!(!holds(&fewer), "a fact less");
        let mut swapped = commit;
        swapped.facts.swap(0, 1);
        assert!(!holds(&swapped), "another order");
    }

    fn run() -> ImportRunFact {
        let text = String::new;
        ImportRunFact {
            no: 0,
            actor: text(),
            program: text(),
            start: 0,
            host: text(),
            source: text(),
            size: None,
            modified: None,
            jumped_from: None,
        }
    }

    #[test]
    fn what_is_unknown_in_a_commit_is_judged_by_its_class() {
        let (_, commit, ..) = built();
        let with_key = |key: u8| {
            let mut changed = commit.clone();
            changed.skeleton_bytes[0] += 1;
            changed.skeleton_bytes.extend_from_slice(&[0x18, key, 1]);
            Commit::from_bytes(&changed.to_bytes())
        };
        assert_eq!(with_key(40).unwrap_err(), Undecodable::Unknown(Skeleton::WHAT, 40));
        assert_eq!(with_key(64).unwrap().passed_over().map(|unknown| unknown.number), Some(64));
        assert!(with_key(128).unwrap().passed_over().is_none());
        let read = |kind: u16| {
            let mut passed_over = None;
            FactValue::read(kind, &[0xa0], &mut passed_over).map(|value| (value, passed_over.map(|unknown| unknown.number)))
        };
        for refused in [13, 15, 20, 25, 63, 70, 95] {
            assert_eq!(read(refused).unwrap_err().code(), "unknown_feature", "kind {refused}");
        }
        for no_write in [96, 97, 127] {
            assert_eq!(read(no_write).unwrap(), (FactValue::PassedOver, Some(no_write.into())));
        }
        for ignored in [128, 132, 1000] {
            assert_eq!(read(ignored).unwrap(), (FactValue::PassedOver, None));
        }
    }
}
