//! The archive's own records: which stores it has, its settings. Few facts, read whole at every open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::records::{
    Commit, Fact, FactKind, Frontier, Head, HeadNumbers, Link, NewCommit, NewFact, Records, SaltRange, Scan, ScanItem, ScannedCommit,
    SeenHead, SettingFact, StoreFact, TakenCommit, cut_tail, list_files, read_head, write_head,
};
use crate::seal::SecretKey;
use crate::store::LostFound;
use crate::vfs::Vfs;
use crate::wire::decode;

/// Setting: the recovery key was confirmed.
pub(super) const RECOVERY_CONFIRMED: u32 = 1;
/// Setting: the first user archive.
pub(super) const OWNER: u32 = 2;
/// Setting: indexes that are marked to be built again.
pub(super) const INDEX_SELECTED: u32 = 3;
/// Setting: media types of attachments that are to be searched.
pub(super) const INDEX_TYPES: u32 = 4;

/// The master, open for writing, or what is left of a damaged one.
pub(super) struct Master {
    records: Result<Records, Damage>,
    keeper: HeadKeeper,
    pub(super) stores: Vec<StoreFact>,
    settings: BTreeMap<u32, String>,
}

/// What writes `master/head.mkm`.
struct HeadKeeper {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    id: Uuid,
    /// What was last written or read.
    written: Option<Head>,
}

pub(super) fn dir(archive: &Path) -> PathBuf {
    archive.join("master")
}

impl Master {
    /// Makes the master of a new archive.
    pub(super) fn create(vfs: &Arc<dyn Vfs>, archive: &Path, key: &SecretKey, id: Uuid) -> Result<Self, Error> {
        let dir = dir(archive);
        vfs.create_dir(&dir)?;
        vfs.sync_dir(archive)?;
        let records = Records::begin(Arc::clone(vfs), &dir, key.duplicate(), id, 1, Link::origin(id), Frontier::default())?;
        let keeper = HeadKeeper { vfs: Arc::clone(vfs), dir, key: key.duplicate(), id, written: None };
        Ok(Self { records: Ok(records), keeper, stores: Vec::new(), settings: BTreeMap::new() })
    }

    /// Opens the master. With `anew`, nothing is appended to a file that is there.
    pub(super) fn open(vfs: &Arc<dyn Vfs>, archive: &Path, key: &SecretKey, id: Uuid, anew: bool) -> Result<Self, Error> {
        let dir = dir(archive);
        vfs.create_dir(&dir)?;
        let listing = list_files(&**vfs, &dir, key, id)?;
        if let Some(damage) = listing.damage.into_iter().next() {
            return Err(damage.into());
        }
        let head = match read_head(&**vfs, &dir, key, id) {
            Ok(head) => head,
            // Named by verifying, and written again on closing.
            Err(Error::Damage(_)) => None,
            Err(error) => return Err(error),
        };
        let mut state = State { link: Link::origin(id), stores: Vec::new(), settings: BTreeMap::new() };
        let (mut pending, mut mark, mut clean, mut bad) = (None::<ScannedCommit>, state.link, false, None);
        for file in &listing.files {
            let mut scan = Scan::new(file.clone(), 0);
            while let Some(item) = scan.next()? {
                clean = false;
                match item {
                    ScanItem::Commit(commit) => {
                        if let Some(before) = pending.replace(*commit) {
                            state.apply(&before.commit, before.link)?;
                        }
                    }
                    ScanItem::Mark(end) => clean = end == file.len,
                    ScanItem::Bad(damage) => bad = Some((pending.as_ref().map_or(state.link.sequence, |c| c.link.sequence), damage)),
                }
            }
            mark = if scan.synced.sequence > mark.sequence { scan.synced } else { mark };
        }
        if let Some((_, damage)) = bad.filter(|(reached, _)| *reached < mark.sequence) {
            return Err(damage.into());
        }
        if let Some(head) = &head {
            mark = if head.link().sequence > mark.sequence { head.link() } else { mark };
        }
        let taken = match pending {
            Some(commit) if commit.link.sequence <= mark.sequence => {
                state.apply(&commit.commit, commit.link)?;
                None
            }
            Some(commit) => commit.commit.link_after(&state.link)?.filter(|link| *link == commit.link).map(|_| commit),
            None => None,
        };
        if state.link.sequence < mark.sequence {
            let path = listing.files.last().map_or_else(|| dir.clone(), |file| file.reader.path().to_owned());
            return Err(Damage::new(&path, 0, 0, DamageCause::Truncated).into());
        }
        let number = listing.files.last().map_or(0, |file| file.number);
        let tree = Frontier::default();
        let records = if clean && taken.is_none() && listing.leftovers.is_empty() {
            Records::resume(Arc::clone(vfs), &dir, key.duplicate(), id, number, state.link, tree, anew)?
        } else {
            let first = taken.as_ref().map(|scanned| TakenCommit {
                commit: &scanned.commit,
                link: scanned.link,
                container_frames: 0,
                section: &[],
            });
            let before = state.link;
            if let Some(scanned) = &taken {
                state.apply(&scanned.commit, scanned.link)?;
            }
            let vfs = Arc::clone(vfs);
            let records = Records::take_over(Arc::clone(&vfs), &dir, key.duplicate(), id, number + 1, before, first, tree)?.0;
            let lost = LostFound::new(&vfs, &dir);
            if let Some(old) = listing.files.last() {
                cut_tail(&*vfs, old, before, 0, &mut |file, from| lost.keep_tail(file, from))?;
            }
            for path in &listing.leftovers {
                if vfs.kind(path)?.is_some() {
                    vfs.remove(path)?;
                }
            }
            vfs.sync_dir(&dir)?;
            records
        };
        let keeper = HeadKeeper { vfs: Arc::clone(vfs), dir, key: key.duplicate(), id, written: head };
        Ok(Self { records: Ok(records), keeper, stores: state.stores, settings: state.settings })
    }

    /// In the place of a damaged master, which names its stores no more: they can be read, and nothing is written.
    pub(super) fn salvaged(vfs: &Arc<dyn Vfs>, archive: &Path, key: &SecretKey, id: Uuid, damage: Damage, stores: Vec<StoreFact>) -> Self {
        let keeper = HeadKeeper { vfs: Arc::clone(vfs), dir: dir(archive), key: key.duplicate(), id, written: None };
        Self { records: Err(damage), keeper, stores, settings: BTreeMap::new() }
    }

    /// The head of a store as it was last noted.
    pub(super) fn noted(&self, store: Uuid) -> Option<Link> {
        self.keeper.written.as_ref()?.seen(store)
    }

    /// The master's own head, for the store to note.
    pub(super) fn seen_head(&self) -> Option<SeenHead> {
        self.records.as_ref().ok().map(|records| SeenHead::new(self.keeper.id, records.last()))
    }

    /// Why nothing is written.
    pub(super) fn damage(&self) -> Option<&Damage> {
        self.records.as_ref().err()
    }

    /// Reads and checks the master's records; damage is handed to `report`.
    pub(super) fn verify(vfs: &dyn Vfs, archive: &Path, key: &SecretKey, id: Uuid, report: &mut dyn FnMut(Damage)) -> Result<u64, Error> {
        let listing = list_files(vfs, &dir(archive), key, id)?;
        listing.damage.into_iter().for_each(&mut *report);
        let (mut last, files) = (Link::origin(id), listing.files.len() as u64);
        for file in listing.files {
            let path = file.reader.path().to_owned();
            let mut scan = Scan::new(file, 0);
            while let Some(item) = scan.next()? {
                match item {
                    ScanItem::Commit(commit) => {
                        if commit.commit.link_after(&last)? != Some(commit.link) {
                            report(Damage::new(&path, commit.begin, commit.end - commit.begin, DamageCause::Chain));
                        }
                        last = commit.link;
                    }
                    ScanItem::Mark(_) => {}
                    ScanItem::Bad(damage) => report(damage),
                }
            }
        }
        Ok(files)
    }

    pub(super) fn setting(&self, number: u32) -> Option<String> {
        self.settings.get(&number).cloned()
    }

    pub(super) fn set(&mut self, number: u32, text: &str) -> Result<(), Error> {
        let fact = SettingFact { number, text: text.to_owned() };
        self.commit(vec![NewFact::of_master(FactKind::Setting, &fact)])?;
        self.settings.insert(number, fact.text);
        Ok(())
    }

    pub(super) fn add_store(&mut self, store: StoreFact) -> Result<(), Error> {
        self.commit(vec![NewFact::of_master(FactKind::Store, &store)])?;
        self.stores.push(store);
        Ok(())
    }

    fn commit(&mut self, facts: Vec<NewFact>) -> Result<(), Error> {
        let (time, salts) = (crate::clock::now(), vec![SaltRange::fresh(0)?]);
        self.writer()?.commit(NewCommit { time, facts, salts, container_end: (0, 0), container_frames: 0, section: &[] })?;
        Ok(())
    }

    /// Says on disk that everything is synced, and how far the store was.
    pub(super) fn mark(&mut self, store: SeenHead) -> Result<(), Error> {
        let Ok(records) = &mut self.records else { return Ok(()) };
        records.mark()?;
        let head = Head::new(records.last(), (0, 0), HeadNumbers::default(), Frontier::default(), vec![store]);
        let HeadKeeper { vfs, dir, key, id, written } = &mut self.keeper;
        if written.as_ref() != Some(&head) {
            write_head(&**vfs, dir, key, *id, &head)?;
            *written = Some(head);
        }
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut Records, Error> {
        let needs_repair = |damage: &mut Damage| Error::NeedsRepair { store: "master".to_owned(), damage: damage.to_string() };
        self.records.as_mut().map_err(needs_repair)
    }
}

struct State {
    link: Link,
    stores: Vec<StoreFact>,
    settings: BTreeMap<u32, String>,
}

impl State {
    fn apply(&mut self, commit: &Commit, link: Link) -> Result<(), Error> {
        for fact in &commit.facts {
            let Fact::Known { kind, bytes } = fact else { continue };
            let unreadable = |_| Error::Bug("a fact of the master that lies behind a seal cannot be read");
            if *kind == FactKind::Store as u16 {
                self.stores.push(decode(bytes).map_err(unreadable)?);
            } else if *kind == FactKind::Setting as u16 {
                let setting: SettingFact = decode(bytes).map_err(unreadable)?;
                self.settings.insert(setting.number, setting.text);
            } else if *kind < 128 {
                return Err(Error::UnknownFeature { what: "kind of fact", number: (*kind).into() });
            }
        }
        self.link = link;
        Ok(())
    }
}
