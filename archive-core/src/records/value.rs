//! Facts of a store as values: what a commit is made from, and what the catalog applies, whether the commit was just
//! written or is read again.

use super::erasure::{ContainersRemovedFact, ErasureDoneFact, ErasureFact};
use super::fact::{
    AcceptedFact, ContainerFact, ContentFact, DamageFact, DeletedFact, FactKind, FolderFact, FolderMovedFact, FolderRemovedFact,
    FolderRenamedFact, ImportRunFact, MessageFact, PackedFact, PartFact, RecoveredFact, RepairedFact, UndeletedFact,
};
use crate::error::Error;
use crate::wire::{Class, Keys, Undecodable, Unknown, decode_noting, encode};

const EMPTY_MAP: u8 = 0xa0;

/// A fact with its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FactValue {
    ImportRun(ImportRunFact),
    ContainerOpened(ContainerFact),
    ContainerClosed(ContainerFact),
    ContainersRemoved(ContainersRemovedFact),
    Content(Box<ContentFact>),
    Part(PartFact),
    Packed(PackedFact),
    Message(Box<MessageFact>),
    FolderMade(FolderFact),
    FolderRenamed(FolderRenamedFact),
    FolderMoved(FolderMovedFact),
    FolderRemoved(FolderRemovedFact),
    MessagesDeleted(DeletedFact),
    MessagesUndeleted(UndeletedFact),
    Erasure(Box<ErasureFact>),
    ErasureDone(ErasureDoneFact),
    DamageNoted(DamageFact),
    DamageAccepted(AcceptedFact),
    Repaired(Box<RepairedFact>),
    /// A fact of a lost commit; never a recovered fact itself.
    Recovered(Box<Self>),
    /// A fact of a kind that may be passed over.
    PassedOver,
}

impl FactValue {
    /// Decodes a fact; what is passed over in it and forbids writing goes into `passed_over`.
    pub(crate) fn read(kind: u16, bytes: &[u8], passed_over: &mut Option<Unknown>) -> Result<Self, Error> {
        let is = |known: FactKind| kind == known as u16;
        Ok(if is(FactKind::Content) {
            Self::Content(read(bytes, passed_over)?)
        } else if is(FactKind::Message) {
            Self::Message(read(bytes, passed_over)?)
        } else if is(FactKind::Part) {
            Self::Part(*read(bytes, passed_over)?)
        } else if is(FactKind::FolderMade) {
            Self::FolderMade(*read(bytes, passed_over)?)
        } else if is(FactKind::FolderRenamed) {
            Self::FolderRenamed(*read(bytes, passed_over)?)
        } else if is(FactKind::FolderMoved) {
            Self::FolderMoved(*read(bytes, passed_over)?)
        } else if is(FactKind::FolderRemoved) {
            Self::FolderRemoved(*read(bytes, passed_over)?)
        } else if is(FactKind::MessagesDeleted) {
            Self::MessagesDeleted(*read(bytes, passed_over)?)
        } else if is(FactKind::MessagesUndeleted) {
            Self::MessagesUndeleted(*read(bytes, passed_over)?)
        } else if is(FactKind::Erasure) {
            Self::Erasure(read(bytes, passed_over)?)
        } else if is(FactKind::ErasureDone) {
            Self::ErasureDone(*read(bytes, passed_over)?)
        } else if is(FactKind::ContainersRemoved) {
            Self::ContainersRemoved(*read(bytes, passed_over)?)
        } else if is(FactKind::ImportRun) {
            Self::ImportRun(*read(bytes, passed_over)?)
        } else if is(FactKind::ContainerOpened) {
            Self::ContainerOpened(*read(bytes, passed_over)?)
        } else if is(FactKind::ContainerClosed) {
            Self::ContainerClosed(*read(bytes, passed_over)?)
        } else if is(FactKind::Packed) {
            Self::Packed(*read(bytes, passed_over)?)
        } else if is(FactKind::DamageNoted) {
            Self::DamageNoted(*read(bytes, passed_over)?)
        } else if is(FactKind::DamageAccepted) {
            Self::DamageAccepted(*read(bytes, passed_over)?)
        } else if is(FactKind::Repaired) {
            Self::Repaired(read(bytes, passed_over)?)
        } else if is(FactKind::Recovered) {
            Self::recovered(*read(bytes, passed_over)?, passed_over)?
        } else if is(FactKind::Checkpoint) {
            Self::PassedOver
        } else {
            match class_of_kind(kind) {
                Class::Ignore => {}
                Class::NoWrite => {
                    passed_over.get_or_insert(Unknown { what: KIND, number: kind.into() });
                }
                Class::Refuse => return Err(Error::UnknownFeature { what: KIND, number: kind.into() }),
            }
            Self::PassedOver
        })
    }

    fn recovered(fact: RecoveredFact, passed_over: &mut Option<Unknown>) -> Result<Self, Error> {
        let is = |known: FactKind| fact.kind == known as u16;
        if ![FactKind::Content, FactKind::Part, FactKind::Message, FactKind::FolderMade].into_iter().any(is) {
            return Err(Error::UnknownFeature { what: "kind of a recovered fact", number: fact.kind.into() });
        }
        Ok(Self::Recovered(Box::new(Self::read(fact.kind, &fact.bytes, passed_over)?)))
    }

    /// Its kind and bytes, as in a commit.
    pub(super) fn write(&self) -> (FactKind, Vec<u8>) {
        match self {
            Self::ImportRun(fact) => (FactKind::ImportRun, encode(fact)),
            Self::ContainerOpened(fact) => (FactKind::ContainerOpened, encode(fact)),
            Self::ContainerClosed(fact) => (FactKind::ContainerClosed, encode(fact)),
            Self::Content(fact) => (FactKind::Content, encode(&**fact)),
            Self::Part(fact) => (FactKind::Part, encode(fact)),
            Self::Packed(fact) => (FactKind::Packed, encode(fact)),
            Self::Message(fact) => (FactKind::Message, encode(&**fact)),
            Self::FolderMade(fact) => (FactKind::FolderMade, encode(fact)),
            Self::FolderRenamed(fact) => (FactKind::FolderRenamed, encode(fact)),
            Self::FolderMoved(fact) => (FactKind::FolderMoved, encode(fact)),
            Self::FolderRemoved(fact) => (FactKind::FolderRemoved, encode(fact)),
            Self::MessagesDeleted(fact) => (FactKind::MessagesDeleted, encode(fact)),
            Self::MessagesUndeleted(fact) => (FactKind::MessagesUndeleted, encode(fact)),
            Self::Erasure(fact) => (FactKind::Erasure, encode(&**fact)),
            Self::ErasureDone(fact) => (FactKind::ErasureDone, encode(fact)),
            Self::ContainersRemoved(fact) => (FactKind::ContainersRemoved, encode(fact)),
            Self::DamageNoted(fact) => (FactKind::DamageNoted, encode(fact)),
            Self::DamageAccepted(fact) => (FactKind::DamageAccepted, encode(fact)),
            Self::Repaired(fact) => (FactKind::Repaired, encode(&**fact)),
            Self::Recovered(fact) => {
                let (kind, bytes) = fact.write();
                (FactKind::Recovered, encode(&RecoveredFact { kind: kind as u16, bytes }))
            }
            // In a store, a checkpoint means nothing.
            Self::PassedOver => (FactKind::Checkpoint, vec![EMPTY_MAP]),
        }
    }
}

/// The class of an unknown kind of fact. Docs: FORMAT.md, section 1.
pub(crate) fn class_of_kind(kind: u16) -> Class {
    match kind {
        0..=95 => Class::Refuse,
        96..=127 => Class::NoWrite,
        128.. => Class::Ignore,
    }
}

/// What [`class_of_kind`] judges, for messages.
pub(crate) const KIND: &str = "kind of fact";

fn read<'b, T: Keys + minicbor::Decode<'b, ()>>(bytes: &'b [u8], passed_over: &mut Option<Unknown>) -> Result<Box<T>, Error> {
    decode_noting(bytes, passed_over).map(Box::new).map_err(|cause| match cause {
        Undecodable::Malformed => Error::Bug("a fact has a valid seal and cannot be read"),
        Undecodable::Unknown(what, number) => Error::UnknownFeature { what, number },
    })
}
