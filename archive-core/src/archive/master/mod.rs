//! The archive's own records: its stores, its settings, and which state of its identity files is valid.
//!
//! `state` is the result of the facts, `replay` reads them, and this module writes them. After 4,096 commits a new file
//! begins with a checkpoint, so that an open need not read what came before.

mod replay;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::replay::{Reached, Replayed, replay};
pub(super) use self::state::{KeyRecord, KeyState};
use self::state::{MasterFact, State};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::records::{
    Frontier, Head, HeadNumbers, Link, NewCommit, Records, SaltRange, SeenHead, SettingFact, StoreFact, TakenCommit, cut_tail, file_number,
    list_files, read_head, write_head,
};
use crate::seal::SecretKey;
use crate::store::{LostFound, Recovery};
use crate::vfs::Vfs;
use crate::wire::Unknown;

/// Setting: the recovery key was confirmed.
pub(super) const RECOVERY_CONFIRMED: u32 = 1;
/// Setting: the first user archive.
pub(super) const OWNER: u32 = 2;
/// Setting: indexes that are marked to be rebuilt.
pub(super) const INDEX_SELECTED: u32 = 3;
/// Setting: media types of attachments that are to be searched.
pub(super) const INDEX_TYPES: u32 = 4;
/// Setting: store and number of the owner's folder, since it was renamed.
pub(super) const OWNER_FOLDER: u32 = 5;
/// Setting: a change of folders that was begun in several stores.
pub(super) const FOLDERS_BEGUN: u32 = 6;
/// Setting: when a new store is made by itself.
pub(super) const STORE_RULE: u32 = 7;

/// After so many commits a new file begins with a checkpoint.
const CHECKPOINT_AFTER: u64 = 4096;

/// Where an open master may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appends {
    ToAnyFile,
    /// Another process may still hold the existing ones.
    ToNewFiles,
    /// It is only read.
    Never,
}

/// The master, open for writing, or what is left of a damaged one.
pub(super) struct Master {
    records: Option<Records>,
    /// `None` if the master is damaged.
    keeper: Option<HeadKeeper>,
    state: State,
    since_checkpoint: u64,
    damage: Option<Damage>,
    /// The last commit, where the records are only read.
    read_to: Option<Link>,
    /// Why nothing is written.
    barred: Option<Error>,
    /// What the open did after a crash.
    pub(super) recovery: Recovery,
}

/// What writes `master/head.mkm`.
struct HeadKeeper {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    id: Uuid,
    /// The head that was last written or read.
    written: Option<Head>,
}

pub(super) fn dir(archive: &Path) -> PathBuf {
    archive.join("master")
}

impl Master {
    /// Creates the master of a new archive.
    pub(super) fn create(vfs: &Arc<dyn Vfs>, archive: &Path, key: &SecretKey, id: Uuid) -> Result<Self, Error> {
        let dir = dir(archive);
        vfs.create_dir(&dir)?;
        vfs.sync_dir(archive)?;
        let records = Records::begin(Arc::clone(vfs), &dir, key.duplicate(), id, 1, Link::origin(id), Frontier::default())?;
        let keeper = HeadKeeper { vfs: Arc::clone(vfs), dir, key: key.duplicate(), id, written: None };
        let (state, recovery) = (State::default(), Recovery::default());
        let (damage, read_to, barred) = (None, None, None);
        Ok(Self { records: Some(records), keeper: Some(keeper), state, since_checkpoint: 0, damage, read_to, barred, recovery })
    }

    /// Opens the master.
    pub(super) fn open(vfs: &Arc<dyn Vfs>, archive: &Path, key: &SecretKey, id: Uuid, appends: Appends) -> Result<Self, Error> {
        let dir = dir(archive);
        if appends != Appends::Never {
            vfs.create_dir(&dir)?;
        }
        // Before the records: a writer may add to both meanwhile.
        let head = read_head(&**vfs, &dir, key, id);
        let listing = list_files(&**vfs, &dir, key, id)?;
        // Damage before the last checkpoint is left to verification.
        if let Some(damage) = replay::damage_that_counts(&listing)? {
            return Err(damage.into());
        }
        let head = match head {
            Ok(head) => head,
            // Reported by verification, and rewritten on closing.
            Err(Error::Damage(_)) => None,
            Err(error) => return Err(error),
        };
        let Replayed { mut reached, in_flight, clean } = replay(&listing, &dir, id, head.as_ref().map(Head::link))?;
        let before = reached.link;
        if let Some(taken) = &in_flight {
            reached.follow(&taken.commit, taken.link, || Damage::new(&dir, 0, 0, DamageCause::Chain))?;
        }
        let keeper = HeadKeeper { vfs: Arc::clone(vfs), dir: dir.clone(), key: key.duplicate(), id, written: head };
        // Before anything is written: the commit in flight may have been written by a later version.
        let barred = match reached.state.passed_over.clone() {
            Some(Unknown { what, number }) => Some(Error::TooNewToWrite { what: what.to_owned(), number }),
            None => (appends == Appends::Never).then_some(Error::ReadOnly),
        };
        if barred.is_some() {
            let Reached { state, link, since_checkpoint } = reached;
            return Ok(Self {
                records: None,
                keeper: Some(keeper),
                state,
                since_checkpoint,
                damage: None,
                read_to: Some(link),
                barred,
                recovery: Recovery::default(),
            });
        }
        let number = listing.files.last().map_or(0, |file| file.number);
        let tree = Frontier::default();
        let mut recovery = Recovery::default();
        let records = if clean && in_flight.is_none() && listing.leftovers.is_empty() {
            let anew = appends == Appends::ToNewFiles;
            Records::resume(Arc::clone(vfs), &dir, key.duplicate(), id, number, reached.link, tree, anew)?
        } else {
            let first =
                in_flight.as_ref().map(|taken| TakenCommit { commit: &taken.commit, link: taken.link, container_frames: 0, section: &[] });
            let records = Records::take_over(Arc::clone(vfs), &dir, key.duplicate(), id, number + 1, before, first, tree)?.0;
            let lost = LostFound::new(vfs, &dir);
            if let Some(old) = listing.files.last() {
                cut_tail(&**vfs, old, before, 0, &mut |file, from| lost.keep_tail(file, from))?;
            }
            for path in &listing.leftovers {
                if vfs.kind(path)?.is_some() {
                    vfs.remove(path)?;
                }
            }
            vfs.sync_dir(&dir)?;
            (recovery.bytes_put_aside, recovery.commit_taken_over) = (lost.put_aside(), in_flight.is_some());
            records
        };
        let Reached { state, since_checkpoint, .. } = reached;
        let (damage, read_to, barred) = (None, None, None);
        Ok(Self { records: Some(records), keeper: Some(keeper), state, since_checkpoint, damage, read_to, barred, recovery })
    }

    /// Starts a damaged master over: a new file, whose checkpoint contains what can still be read, the `stores` that
    /// were found, and the owner. `seen` is the head that a store noted. Nothing is deleted; an open no longer reads
    /// what comes before.
    pub(super) fn begin_again(
        vfs: &Arc<dyn Vfs>,
        archive: &Path,
        key: &SecretKey,
        id: Uuid,
        stores: Vec<StoreFact>,
        owner: Option<String>,
        seen: Option<Link>,
    ) -> Result<(), Error> {
        let dir = dir(archive);
        let listing = list_files(&**vfs, &dir, key, id)?;
        let (mut state, mut last) = replay::readable(&listing, id)?;
        if let Some(Unknown { what, number }) = state.passed_over {
            return Err(Error::TooNewToWrite { what: what.to_owned(), number });
        }
        let head = match read_head(&**vfs, &dir, key, id) {
            Ok(head) => head.map(|head| head.link()),
            Err(Error::Damage(_)) => None,
            Err(error) => return Err(error),
        };
        for witness in head.into_iter().chain(seen) {
            last = if witness.sequence > last.sequence { witness } else { last };
        }
        for store in stores {
            if !state.stores.iter().any(|known| known.uuid == store.uuid) {
                // At most one takes new mail.
                let current = store.current && !state.stores.iter().any(|known| known.current);
                state.stores.push(StoreFact { current, ..store });
            }
        }
        if let Some(owner) = owner {
            state.settings.entry(OWNER).or_insert(owner);
        }
        let numbers = vfs.list(&dir)?.into_iter().filter_map(|entry| file_number(&entry.path));
        // Never number 1: if that file is gone, it stays gone.
        let number = numbers.max().unwrap_or(1) + 1;
        let mut records = Records::begin(Arc::clone(vfs), &dir, key.duplicate(), id, number, last, Frontier::default())?;
        records.commit(new_commit(&[MasterFact::Checkpoint(state.checkpoint(true))])?)?;
        records.mark()?;
        // The head noted a state that is lost.
        let head = Head::new(records.last(), (0, 0), HeadNumbers::default(), Frontier::default(), Vec::new());
        write_head(&**vfs, &dir, key, id, &head)
    }

    /// Replaces a damaged master that no longer names its stores: they can be read, and nothing is written.
    pub(super) fn salvaged(damage: Damage, stores: Vec<StoreFact>) -> Self {
        let barred = Error::NeedsRepair { store: "master".to_owned(), damage: damage.to_string() };
        let state = State { stores, ..State::default() };
        let recovery = Recovery::default();
        let (damage, read_to, barred) = (Some(damage), None, Some(barred));
        Self { records: None, keeper: None, state, since_checkpoint: 0, damage, read_to, barred, recovery }
    }

    /// The head of a store as it was last noted.
    pub(super) fn noted(&self, store: Uuid) -> Option<Link> {
        self.keeper.as_ref()?.written.as_ref()?.seen(store)
    }

    /// The master's own head, for the store to note.
    pub(super) fn seen_head(&self) -> Option<SeenHead> {
        let last = self.records.as_ref().map(Records::last).or(self.read_to)?;
        Some(SeenHead::new(self.keeper.as_ref()?.id, last))
    }

    /// Why nothing is written.
    pub(super) fn barred(&self) -> Option<&Error> {
        self.barred.as_ref()
    }

    /// The damage for which nothing is written.
    pub(super) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// Reads and checks all of the master's records; where they are only read, up to the last commit of this state.
    /// `report` receives damage, and whether a repair accepted it. Returns the number of files.
    pub(super) fn verify(
        vfs: &dyn Vfs,
        archive: &Path,
        key: &SecretKey,
        id: Uuid,
        read_to: Option<Link>,
        report: &mut dyn FnMut(Damage, bool),
    ) -> Result<u64, Error> {
        replay::verify(vfs, &dir(archive), key, id, read_to, report)
    }

    /// The last commit, where the records are only read.
    pub(super) fn read_to(&self) -> Option<Link> {
        self.read_to
    }

    pub(super) fn stores(&self) -> &[StoreFact] {
        &self.state.stores
    }

    pub(super) fn setting(&self, number: u32) -> Option<String> {
        self.state.settings.get(&number).cloned()
    }

    /// What is recorded of the identity file of `owner`; nothing if the master is damaged.
    pub(super) fn keys(&self, owner: Uuid) -> KeyRecord {
        self.state.keys.get(&owner.0).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, number: u32, text: &str) -> Result<(), Error> {
        self.commit(vec![MasterFact::Setting(SettingFact { number, text: text.to_owned() })])
    }

    /// Records what is now true of `stores`.
    pub(super) fn note_stores(&mut self, stores: Vec<StoreFact>) -> Result<(), Error> {
        self.commit(stores.into_iter().map(MasterFact::Store).collect())
    }

    /// Notes that an identity file is about to change; called before any copy of it does.
    pub(super) fn begin_key_change(&mut self, owner: Uuid, state: KeyState) -> Result<(), Error> {
        self.commit(vec![MasterFact::begun(owner.0, state)])
    }

    /// Notes that both copies of the identity file have this generation.
    pub(super) fn finish_key_change(&mut self, owner: Uuid, generation: u64) -> Result<(), Error> {
        self.commit(vec![MasterFact::done(owner.0, generation)])
    }

    /// Records the state of an identity file as it is on disk: the first state of a new one, or one that was accepted.
    pub(super) fn record_keys(&mut self, owner: Uuid, state: KeyState) -> Result<(), Error> {
        self.commit(vec![MasterFact::begun(owner.0, state), MasterFact::done(owner.0, state.generation)])
    }

    fn commit(&mut self, facts: Vec<MasterFact>) -> Result<(), Error> {
        if let Some(error) = &self.barred {
            return Err(error.clone());
        }
        let written = self.write(&facts);
        if let Err(error) = &written {
            self.barred = Some(Error::Latched { cause: error.clone().into() });
        }
        written?;
        facts.into_iter().try_for_each(|fact| self.state.apply(fact))
    }

    /// Commits facts as a later version may write them; `marked` if the records are to say that they are durable.
    #[cfg(test)]
    pub(super) fn forge_commit(&mut self, facts: Vec<crate::records::NewFact>, marked: bool) -> Result<(), Error> {
        let records = self.records.as_mut().ok_or(Error::Bug("a master without damage has records"))?;
        records.commit(NewCommit { facts, ..new_commit(&[])? })?;
        if marked { records.mark() } else { Ok(()) }
    }

    fn write(&mut self, facts: &[MasterFact]) -> Result<(), Error> {
        let records = self.records.as_mut().ok_or(Error::Bug("a master without damage has records"))?;
        if self.since_checkpoint >= CHECKPOINT_AFTER {
            records.commit_in_new_file(new_commit(&[MasterFact::Checkpoint(self.state.checkpoint(false))])?)?;
            self.since_checkpoint = 0;
        }
        records.commit(new_commit(facts)?)?;
        self.since_checkpoint += 1;
        Ok(())
    }

    /// Notes on disk that everything is synced, and the heads of `stores`; what was noted of others stays.
    pub(super) fn mark(&mut self, stores: Vec<SeenHead>) -> Result<(), Error> {
        if self.barred.is_some() {
            return Ok(());
        }
        let noted = self.keeper.as_ref().and_then(|keeper| keeper.written.as_ref());
        let mut heads = noted.map(|head| head.seen.clone()).unwrap_or_default();
        heads.retain(|noted| stores.iter().all(|store| store.owner != noted.owner));
        heads.extend(stores);
        heads.sort_by_key(|head| head.owner);
        let marked = self.write_mark(heads);
        self.barred = marked.as_ref().err().map(|error| Error::Latched { cause: error.clone().into() });
        marked
    }

    fn write_mark(&mut self, stores: Vec<SeenHead>) -> Result<(), Error> {
        let (Some(records), Some(keeper)) = (&mut self.records, &mut self.keeper) else { return Ok(()) };
        records.mark()?;
        let head = Head::new(records.last(), (0, 0), HeadNumbers::default(), Frontier::default(), stores);
        let HeadKeeper { vfs, dir, key, id, written } = keeper;
        if written.as_ref() != Some(&head) {
            write_head(&**vfs, dir, key, *id, &head)?;
            *written = Some(head);
        }
        Ok(())
    }
}

fn new_commit(facts: &[MasterFact]) -> Result<NewCommit<'static>, Error> {
    let facts = facts.iter().map(MasterFact::to_commit).collect::<Result<_, _>>()?;
    let (time, salts) = (crate::clock::now(), vec![SaltRange::fresh(0)?]);
    Ok(NewCommit { time, facts, salts, container_end: (0, 0), container_frames: 0, section: &[] })
}
