//! Opens an archive with any of its keys.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::identity::Found;
use super::lock::WriteLock;
use super::master::{Appends, Master};
use super::stores::{Opener, Stores, noted_rule};
use super::{Archive, Opened, identity_path, import, stores_dir};
use crate::clock::Clock;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::progress::Progress;
use crate::records::{Link, SeenHead, StoreFact};
use crate::runtime::Runtime;
use crate::seal::{ArchiveIdentity, KeptSlot, Key, SecretKey, Slot, recovery_identifier};
use crate::store::{Caches, StoreOptions, found_store};
use crate::vfs::{DiskVfs, FreezableVfs, Freezer, ReadOnlyVfs, Vfs, VfsLock};

/// Options for opening an archive: memory, container size, index, clock.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    container_limit: u64,
    index: bool,
    read_only: bool,
    clock: Clock,
    memory: u64,
    runtime: Option<Runtime>,
    mapped_reads: bool,
    progress: Progress,
}

/// An archive that seems to be damaged is looked at so often by a reader: a writer may have changed it meanwhile.
const LOOKS: usize = 5;

/// The default memory budget.
const MEMORY: u64 = 144 << 20;

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            container_limit: 256 << 20,
            index: true,
            read_only: false,
            clock: Clock::default(),
            memory: MEMORY,
            runtime: None,
            mapped_reads: false,
            progress: Progress::new(),
        }
    }
}

impl OpenOptions {
    /// Containers are closed when they are larger than this many bytes; 256 MiB by default.
    #[must_use]
    pub fn container_limit(mut self, bytes: u64) -> Self {
        self.container_limit = bytes;
        self
    }

    /// Whether mail is indexed; true by default. Mail that was not is indexed at the next open with this option.
    #[must_use]
    pub fn index(mut self, index: bool) -> Self {
        self.index = index;
        self
    }

    /// Whether the archive is only read; false by default. It can then be opened beside a process that writes it and on
    /// read-only media, by any number of processes at once, and no byte of it is changed.
    ///
    /// It shows what was committed when it was opened, or last [refreshed](Archive::refresh). What catalog and index lack
    /// of that is applied in memory, the index within its share of [`memory`](Self::memory): searches count what is left
    /// out. Whatever would change it fails with [`Error::ReadOnly`].
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// The source of time; the system's clock by default.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Whether closed files (containers, segments of the index, runs of the catalog) are read through memory maps
    /// instead of by positioned reads; off by default. Takes effect in [`Archive::open`] and [`Archive::create`] on 64-bit
    /// Unix systems; elsewhere it changes nothing.
    ///
    /// While files are in the system's cache, it makes nothing faster; `docs/ARCHITECTURE.md` has the figures. If the
    /// medium fails, or another process cuts a file at the moment it is read, the system ends the process with SIGBUS,
    /// where a positioned read returns an error. Pages that were read count as memory of the process, although the system
    /// reclaims them when it needs to.
    #[must_use]
    pub fn mapped_reads(mut self, mapped_reads: bool) -> Self {
        self.mapped_reads = mapped_reads;
        self
    }

    /// Reports what the open does where that takes time: reading records that the catalog does not have, and indexing
    /// mails that the index does not have. An open that is ended returns [`Error::Stopped`], and the next one goes on.
    #[must_use]
    pub fn progress(mut self, progress: &Progress) -> Self {
        self.progress = progress.clone();
        self
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The real disk, read as these options say.
    pub(super) fn disk(&self) -> DiskVfs {
        DiskVfs::new().mapped_reads(self.mapped_reads)
    }

    /// About how many bytes of memory the archive may take; 144 MiB by default, never below 16 MiB. Imports take more
    /// for mails in flight: `benches/RESULTS.md` has their peaks. With a [`runtime`](Self::runtime), whose memory comes
    /// on top, most of this is not used.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes.max(16 << 20);
        self
    }

    /// Memory for pages that were read, which the archive shares with all others that are opened with it.
    #[must_use]
    pub fn runtime(mut self, runtime: &Runtime) -> Self {
        self.runtime = Some(runtime.clone());
        self
    }

    fn share(&self, of_eighteen: u64) -> u64 {
        self.memory / 18 * of_eighteen
    }

    /// The memory that the archive shares, or that its stores share.
    fn caches(&self) -> Caches {
        match &self.runtime {
            Some(runtime) => runtime.caches.clone(),
            None => Caches::new(self.share(3), usize::try_from(self.share(8)).unwrap_or(usize::MAX)),
        }
    }

    /// How each store is opened, once what it takes is known.
    fn of_stores(&self, caches: Caches, index_types: Vec<String>, new_files: bool, lock: Option<Arc<dyn VfsLock>>) -> StoreOptions {
        let share = |of_eighteen| usize::try_from(self.share(of_eighteen)).unwrap_or(usize::MAX);
        StoreOptions {
            caches,
            container_limit: self.container_limit,
            flush_bytes: share(3),
            index_bytes: share(4),
            index: self.index,
            index_types,
            clock: self.clock.clone(),
            read_only: self.read_only,
            new_files,
            lock,
            idle: Arc::default(),
            numbering: Arc::default(),
        }
    }
}

impl Archive {
    /// Opens the archive in `dir`, for reading and writing unless the options say otherwise.
    pub fn open(dir: &Path, key: &Key, options: OpenOptions) -> Result<Self, Error> {
        let (vfs, read_only) = (Arc::new(options.disk()), options.read_only);
        let opened = Self::unlock(vfs, dir, key, options)?;
        Ok(Self::new(if read_only { opened } else { opened.watched() }))
    }

    /// Like [`Archive::open`], on any file system and without the thread that marks an idle archive: the caller calls
    /// [`Archive::mark`].
    pub fn open_on(vfs: Arc<dyn Vfs>, dir: &Path, key: &Key, options: OpenOptions) -> Result<Self, Error> {
        Ok(Self::new(Self::unlock(vfs, dir, key, options)?))
    }

    fn unlock(vfs: Arc<dyn Vfs>, dir: &Path, key: &Key, options: OpenOptions) -> Result<Opened, Error> {
        let unlocked = Found::read(&*vfs, dir)?.unlock(key)?;
        if options.read_only {
            return Self::look(Arc::new(ReadOnlyVfs(vfs)), dir, unlocked.id, &unlocked.archive_key, &options);
        }
        let lock = WriteLock::take(&*vfs, dir)?;
        Self::open_with(vfs, dir, unlocked.id, unlocked.archive_key, options, Some(lock))
    }

    /// Opens an archive for reading only. A writer may change it meanwhile: what was found wrong counts if it is found
    /// again.
    pub(super) fn look(vfs: Arc<dyn Vfs>, dir: &Path, id: Uuid, archive_key: &SecretKey, options: &OpenOptions) -> Result<Opened, Error> {
        let mut before = String::new();
        for _ in 1..LOOKS {
            let looked = Self::open_with(Arc::clone(&vfs), dir, id, archive_key.duplicate(), options.clone(), None);
            let wrong = match &looked {
                Ok(opened) => opened.wrong(),
                Err(error) => Some(error.to_string()),
            };
            match wrong {
                Some(wrong) if wrong != before => before = wrong,
                _ => return looked,
            }
        }
        Self::open_with(vfs, dir, id, archive_key.duplicate(), options.clone(), None)
    }

    /// The id of the archive in `dir`, without a key.
    pub fn id_of(dir: &Path) -> Result<Uuid, Error> {
        Ok(Found::read(&DiskVfs::new(), dir)?.any()?.owner)
    }

    /// Describes, without a key, what opens the archive in `dir`, for people who look for the right key.
    pub fn opens_with(dir: &Path) -> Result<String, Error> {
        let found = Found::read(&DiskVfs::new(), dir)?;
        let file = found.any()?;
        Ok(needed(&file.value, file.owner))
    }

    pub(super) fn open_with(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        id: Uuid,
        archive_key: SecretKey,
        options: OpenOptions,
        lock: Option<WriteLock>,
    ) -> Result<Opened, Error> {
        let freezer = Arc::<Freezer>::default();
        let vfs: Arc<dyn Vfs> = match &lock {
            Some(_) => Arc::new(FreezableVfs { vfs, freezer: Arc::clone(&freezer) }),
            None => vfs,
        };
        // Read under the lock: a writer may have changed it since it was opened.
        let found = Found::read(&*vfs, dir)?;
        let stores = stores_dir(dir);
        let is_doubtful = lock.as_ref().is_some_and(WriteLock::is_doubtful);
        let appends = match &lock {
            None => Appends::Never,
            Some(_) if is_doubtful => Appends::ToNewFiles,
            Some(_) => Appends::ToAnyFile,
        };
        if lock.is_some() {
            vfs.create_dir(&stores)?;
        }
        let salvaged =
            |damage: Damage| found_stores(&*vfs, &stores, id, &archive_key, &damage).map(|stores| Master::salvaged(damage, stores));
        let mut master = match found.master_key(id, &archive_key)? {
            None => salvaged(Damage::new(&identity_path(dir), 0, 0, DamageCause::Forged))?,
            Some(master_key) => match Master::open(&vfs, dir, &master_key, id, appends) {
                // An archive has its first store before it has its identity: without a store, the facts that named it
                // are lost.
                Ok(master) if master.stores().is_empty() => salvaged(Damage::new(&super::master::dir(dir), 0, 0, DamageCause::Truncated))?,
                Err(Error::Damage(damage)) => salvaged(damage)?,
                master => master?,
            },
        };
        let (mut keyring, mut notices) = found.settle(&vfs, id, &archive_key, &mut master)?;
        if lock.is_none() {
            keyring.barred.get_or_insert(Error::ReadOnly);
        }
        let index_types = super::indexes::configured(&master).types;
        let watched = lock.as_ref().map(WriteLock::to_watch);
        let caches = options.caches();
        let store_options = options.of_stores(caches.clone(), index_types, is_doubtful, watched);
        let opener = Opener { vfs: Arc::clone(&vfs), dir: dir.to_owned(), archive_key, options: store_options };
        let stores = Stores::open_all(&opener, &master, &options.progress)?;
        let is_older = |(own, seen): (SeenHead, Link)| own.link().sequence < seen.sequence;
        for store in stores.open().iter() {
            if master.seen_head().zip(store.seen_of(id)).is_some_and(is_older) && keyring.barred.is_some() {
                // An older master names an older state of the keys: the master has to be restored, not `archive.mk`.
                keyring.barred = store.barred().cloned();
                notices.retain(|notice| !matches!(notice, Error::IdentityChanged { .. } | Error::IdentityOlder { .. }));
            }
            notices.extend(store.indexer().older().map(Error::IndexOlder));
        }
        notices.extend(stores.failures());
        let store_rule = Mutex::new(noted_rule(&master));
        let mut opened = Opened {
            idle: None,
            dir: dir.to_owned(),
            id,
            vfs,
            freezer,
            keyring: Mutex::new(keyring),
            notices,
            master: Arc::new(Mutex::new(master)),
            stores: Arc::new(stores),
            changing_stores: Mutex::default(),
            store_not_made: Mutex::default(),
            store_rule,
            opener,
            singles: import::Singles::default(),
            // Whoever follows the open need not be there any more at a refresh.
            // In the same memory.
            reopened: lock.is_none().then(|| options.progress(&Progress::new()).runtime(&Runtime { caches })),
            owner_known: Arc::default(),
            _lock: lock,
        };
        if opened._lock.is_some()
            && let Err(error) = opened.complete_folders()
        {
            // It is tried again by the next change of folders.
            opened.notices.push(error);
        }
        Ok(opened)
    }
}

/// The stores that have an identity, the last one in use first, where the master does not list them.
fn found_stores(vfs: &dyn Vfs, stores: &Path, archive: Uuid, archive_key: &SecretKey, damage: &Damage) -> Result<Vec<StoreFact>, Error> {
    let mut found = Vec::new();
    let entries = if vfs.kind(stores)?.is_some() { vfs.list(stores)? } else { Vec::new() };
    for entry in entries {
        found.extend(found_store(vfs, &entry.path, archive, archive_key)?);
    }
    found.sort_by_key(|store: &StoreFact| store.no);
    match found.last_mut() {
        Some(last) => last.current = true,
        None => return Err(damage.clone().into()),
    }
    Ok(found)
}

/// The slot that `key` opens, and the archive key.
pub(super) fn open_slots<'i>(identity: &'i ArchiveIdentity, id: Uuid, key: &Key) -> Result<(&'i Slot, SecretKey), Error> {
    Slot::open_any(&identity.slots, id, key)?.ok_or_else(|| Error::WrongKey {
        given: key.kind().name(),
        archive: id.to_string(),
        needed: needed(identity, id),
    })
}

/// Describes what opens the archive, for people who look for the right key.
fn needed(identity: &ArchiveIdentity, id: Uuid) -> String {
    let infos = identity.slots.iter().filter_map(KeptSlot::info);
    let needed: Vec<String> = infos
        .map(|slot| match slot.kind {
            crate::seal::SlotKind::Recovery => format!("recovery key {}-…", recovery_identifier(id)),
            kind => format!("{} (slot {})", kind.name(), slot.id),
        })
        .collect();
    needed.join(", ")
}
