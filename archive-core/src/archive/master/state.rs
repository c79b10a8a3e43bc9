//! The result of the master's facts: stores, settings, and which state of each identity file is valid.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::records::{CheckpointFact, FactKind, KIND, KeyChangeFact, NewFact, SettingFact, StoreFact, class_of_kind};
use crate::wire::{Class, Keys, Undecodable, Unknown, decode_noting, encode};

/// Phases of a key change.
const BEGUN: u8 = 1;
const DONE: u8 = 2;

/// A state of an identity file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) struct KeyState {
    pub(in crate::archive) generation: u64,
    /// SHA-256 of the file's map.
    pub(in crate::archive) digest: [u8; 32],
}

/// What is recorded of one identity file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::archive) struct KeyRecord {
    /// The valid state.
    pub(in crate::archive) done: Option<KeyState>,
    /// The new state, if a change was begun and not noted as done.
    pub(in crate::archive) begun: Option<KeyState>,
}

/// A fact of the master.
#[derive(Debug, Clone)]
pub(super) enum MasterFact {
    Store(StoreFact),
    Setting(SettingFact),
    KeyChange(KeyChangeFact),
    Checkpoint(CheckpointFact),
    /// From a newer version: passed over, and kept.
    Unknown(u16, Vec<u8>),
}

impl MasterFact {
    pub(super) fn begun(owner: [u8; 16], state: KeyState) -> Self {
        Self::KeyChange(KeyChangeFact { phase: BEGUN, generation: state.generation, digest: Some(state.digest), owner })
    }

    pub(super) fn done(owner: [u8; 16], generation: u64) -> Self {
        Self::KeyChange(KeyChangeFact { phase: DONE, generation, digest: None, owner })
    }

    fn read(kind: u16, bytes: &[u8], passed_over: &mut Option<Unknown>) -> Result<Self, Error> {
        let is = |known: FactKind| kind == known as u16;
        Ok(if is(FactKind::Store) {
            Self::Store(read(bytes, passed_over)?)
        } else if is(FactKind::Setting) {
            Self::Setting(read(bytes, passed_over)?)
        } else if is(FactKind::KeyChange) {
            Self::KeyChange(read(bytes, passed_over)?)
        } else if is(FactKind::Checkpoint) {
            Self::Checkpoint(read(bytes, passed_over)?)
        } else {
            let unknown = Unknown { what: KIND, number: kind.into() };
            match class_of_kind(kind) {
                Class::Refuse => return Err(refused(&unknown)),
                Class::NoWrite => *passed_over = passed_over.take().or(Some(unknown)),
                Class::Ignore => {}
            }
            Self::Unknown(kind, bytes.to_vec())
        })
    }

    fn parts(&self) -> (u16, Vec<u8>) {
        match self {
            Self::Store(fact) => (FactKind::Store as u16, encode(fact)),
            Self::Setting(fact) => (FactKind::Setting as u16, encode(fact)),
            Self::KeyChange(fact) => (FactKind::KeyChange as u16, encode(fact)),
            Self::Checkpoint(fact) => (FactKind::Checkpoint as u16, encode(fact)),
            Self::Unknown(kind, bytes) => (*kind, bytes.clone()),
        }
    }

    /// The fact as it is committed. Unknown facts are committed only within a checkpoint.
    pub(super) fn to_commit(&self) -> Result<NewFact, Error> {
        match self {
            Self::Store(fact) => Ok(NewFact::of_master(FactKind::Store, fact)),
            Self::Setting(fact) => Ok(NewFact::of_master(FactKind::Setting, fact)),
            Self::KeyChange(fact) => Ok(NewFact::of_master(FactKind::KeyChange, fact)),
            Self::Checkpoint(fact) => Ok(NewFact::of_master(FactKind::Checkpoint, fact)),
            Self::Unknown(..) => Err(Error::Bug("a fact of an unknown kind is not written")),
        }
    }
}

/// Everything that the master says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) stores: Vec<StoreFact>,
    pub(super) settings: BTreeMap<u32, String>,
    pub(super) keys: BTreeMap<[u8; 16], KeyRecord>,
    /// Facts of newer versions that may be passed over, in order.
    pub(super) unknown: Vec<(u16, Vec<u8>)>,
    /// Why nothing may be written: something that a writer must know.
    pub(super) passed_over: Option<Unknown>,
}

impl State {
    /// Applies a fact of a commit.
    pub(super) fn take(&mut self, kind: u16, bytes: &[u8]) -> Result<(), Error> {
        let fact = MasterFact::read(kind, bytes, &mut self.passed_over)?;
        self.apply(fact)
    }

    pub(super) fn apply(&mut self, fact: MasterFact) -> Result<(), Error> {
        match fact {
            MasterFact::Store(store) => match self.stores.iter_mut().find(|known| known.uuid == store.uuid) {
                Some(known) => *known = store,
                None => self.stores.push(store),
            },
            MasterFact::Setting(setting) => {
                self.settings.insert(setting.number, setting.text);
            }
            MasterFact::KeyChange(change) => self.change_keys(&change)?,
            MasterFact::Checkpoint(checkpoint) => *self = Self::of(&checkpoint)?,
            MasterFact::Unknown(kind, bytes) => self.unknown.push((kind, bytes)),
        }
        Ok(())
    }

    /// If a change is done for another generation than the one begun, the one begun never happened: the previous state
    /// stays valid.
    fn change_keys(&mut self, change: &KeyChangeFact) -> Result<(), Error> {
        let record = self.keys.entry(change.owner).or_default();
        match (change.phase, change.digest) {
            (BEGUN, Some(digest)) => record.begun = Some(KeyState { generation: change.generation, digest }),
            (DONE, _) => {
                let is_it = |state: &KeyState| state.generation == change.generation;
                record.done = record.begun.filter(is_it).or(record.done);
                record.begun = None;
            }
            (phase, _) => return Err(Error::UnknownFeature { what: "phase of a key change", number: phase.into() }),
        }
        Ok(())
    }

    fn of(checkpoint: &CheckpointFact) -> Result<Self, Error> {
        let mut state = Self::default();
        for (kind, bytes) in &checkpoint.facts {
            match MasterFact::read(*kind, bytes, &mut state.passed_over)? {
                MasterFact::Checkpoint(_) => {
                    return Err(Error::UnknownFeature { what: "checkpoint within a checkpoint", number: (*kind).into() });
                }
                fact => state.apply(fact)?,
            }
        }
        Ok(state)
    }

    /// The facts that make up this state. `repairs`: a damaged master starts over with them.
    pub(super) fn checkpoint(&self, repairs: bool) -> CheckpointFact {
        let stores = self.stores.iter().cloned().map(MasterFact::Store);
        let settings = self.settings.iter().map(|(number, text)| MasterFact::Setting(SettingFact { number: *number, text: text.clone() }));
        let keys = self.keys.iter().flat_map(|(owner, record)| {
            let done =
                record.done.into_iter().flat_map(|state| [MasterFact::begun(*owner, state), MasterFact::done(*owner, state.generation)]);
            done.chain(record.begun.map(|state| MasterFact::begun(*owner, state)))
        });
        let unknown = self.unknown.iter().map(|(kind, bytes)| MasterFact::Unknown(*kind, bytes.clone()));
        let facts = stores.chain(settings).chain(keys).chain(unknown).map(|fact| fact.parts());
        CheckpointFact { facts: facts.map(|(kind, bytes)| (kind, bytes.into())).collect(), repairs }
    }
}

fn refused(unknown: &Unknown) -> Error {
    Error::UnknownFeature { what: unknown.what, number: unknown.number }
}

fn read<'b, T: Keys + minicbor::Decode<'b, ()>>(bytes: &'b [u8], passed_over: &mut Option<Unknown>) -> Result<T, Error> {
    decode_noting(bytes, passed_over).map_err(|cause| match cause {
        Undecodable::Malformed => Error::Bug("a fact of the master has a valid seal and cannot be read"),
        Undecodable::Unknown(what, number) => Error::UnknownFeature { what, number },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: [u8; 16] = [7; 16];

    fn filled() -> State {
        let store = StoreFact::new(1, [1; 16], "1".to_owned(), true, Some(vec![0xa0]));
        let setting = |number, text: &str| MasterFact::Setting(SettingFact { number, text: text.to_owned() });
        let [first, second] = [1, 2].map(|generation| KeyState { generation, digest: [generation as u8; 32] });
        let facts = [
            MasterFact::Store(store.clone()),
            setting(1, "no"),
            setting(1, "yes"),
            MasterFact::Store(StoreFact { current: false, ..store }),
            MasterFact::begun(OWNER, first),
            MasterFact::done(OWNER, 1),
            MasterFact::begun(OWNER, second),
            MasterFact::Unknown(200, vec![1, 2]),
        ];
        let mut state = State::default();
        facts.into_iter().for_each(|fact| state.apply(fact).unwrap());
        state
    }

    #[test]
    fn a_checkpoint_makes_the_state_that_it_was_made_of() {
        let state = filled();
        assert_eq!((state.stores.len(), state.settings[&1].as_str()), (1, "yes"));
        assert_eq!(State::of(&state.checkpoint(false)).unwrap(), state);
    }

    #[test]
    fn a_change_that_is_done_for_the_old_generation_never_came_about() {
        let mut state = filled();
        let before = state.keys[&OWNER];
        assert!(before.begun.is_some());
        state.apply(MasterFact::done(OWNER, 1)).unwrap();
        assert_eq!(state.keys[&OWNER], KeyRecord { begun: None, ..before });
        state = filled();
        state.apply(MasterFact::done(OWNER, 2)).unwrap();
        assert_eq!(state.keys[&OWNER], KeyRecord { done: before.begun, begun: None });
    }

    #[test]
    fn kinds_of_facts_of_newer_versions_are_treated_by_their_class() {
        let mut state = State::default();
        assert!(matches!(state.take(95, &[0xa0]), Err(Error::UnknownFeature { number: 95, .. })));
        state.take(128, &[0xa0]).unwrap();
        assert_eq!(state.passed_over, None);
        state.take(96, &[0xa0]).unwrap();
        assert!(state.passed_over.as_ref().is_some_and(|unknown| unknown.number == 96));
        assert_eq!(State::of(&state.checkpoint(false)).unwrap(), state);
    }
}
