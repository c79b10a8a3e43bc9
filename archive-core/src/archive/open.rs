//! An archive is opened, by any of its keys.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::create::MASTER;
use super::lock::WriteLock;
use super::master::Master;
use super::unfinished::unfinished;
use super::{Archive, identity_path, import_one, stores_dir};
use crate::clock::Clock;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::records::StoreFact;
use crate::seal::{ArchiveIdentity, FileKind, Key, SecretKey, Slot, complete_identity, read_identity, recovery_identifier};
use crate::store::{FromMaster, Store, StoreOptions, store_uuid};
use crate::vfs::{DiskVfs, Vfs};

/// What an archive may take of memory and disk.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    store: StoreOptions,
}

/// Memory of an archive of which nothing else is told.
const MEMORY: u64 = 144 << 20;

impl Default for OpenOptions {
    fn default() -> Self {
        let store = StoreOptions {
            cache_bytes: 0,
            container_limit: 256 << 20,
            flush_bytes: 0,
            index_bytes: 0,
            page_bytes: 0,
            index: true,
            index_types: Vec::new(),
            clock: Clock::default(),
            new_files: false,
            lock: None,
        };
        Self { store }.memory(MEMORY)
    }
}

impl OpenOptions {
    /// Containers are closed when they are larger than this many bytes; 256 MiB unless told.
    #[must_use]
    pub fn container_limit(mut self, bytes: u64) -> Self {
        self.store.container_limit = bytes;
        self
    }

    /// Whether mail is indexed; what was not is indexed at the next open that asks for it. It is unless told otherwise.
    #[must_use]
    pub fn index(mut self, index: bool) -> Self {
        self.store.index = index;
        self
    }

    /// Where the time comes from; the system's clock unless told.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.store.clock = clock;
        self
    }

    /// About how many bytes of memory the archive may take; 144 MiB unless told, never below 16 MiB. Imports take more for what is on its
    /// way: `benches/RESULTS.md` has their peaks.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        let bytes = bytes.max(16 << 20);
        let share = |of_eighteen: u64| usize::try_from(bytes / 18 * of_eighteen).unwrap_or(usize::MAX);
        self.store.cache_bytes = share(3) as u64;
        self.store.flush_bytes = share(3);
        self.store.index_bytes = share(4);
        self.store.page_bytes = share(8);
        self
    }
}

impl Archive {
    /// Opens the archive in `dir` for reading and writing.
    pub fn open(dir: &Path, key: &Key, options: OpenOptions) -> Result<Self, Error> {
        Ok(Self::open_on(Arc::new(DiskVfs::new()), dir, key, options)?.watched())
    }

    /// Like [`Archive::open`], on any file system, and without a thread of its own: [`Archive::mark`] is for the caller to call.
    pub fn open_on(vfs: Arc<dyn Vfs>, dir: &Path, key: &Key, options: OpenOptions) -> Result<Self, Error> {
        let (id, identity) = read_archive(&*vfs, dir)?;
        let archive_key = open_slots(&identity, id, key)?.1;
        let lock = WriteLock::take(&*vfs, dir)?;
        Self::open_with(vfs, dir, id, identity, archive_key, options, lock)
    }

    /// The id of the archive in `dir`, without a key.
    pub fn id_of(dir: &Path) -> Result<Uuid, Error> {
        Ok(read_archive(&DiskVfs::new(), dir)?.0)
    }

    /// What opens the archive in `dir`, without a key, for people who look for the right one.
    pub fn opens_with(dir: &Path) -> Result<String, Error> {
        let (id, identity) = read_archive(&DiskVfs::new(), dir)?;
        Ok(needed(&identity, id))
    }

    pub(super) fn open_with(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        id: Uuid,
        identity: ArchiveIdentity,
        archive_key: SecretKey,
        options: OpenOptions,
        lock: WriteLock,
    ) -> Result<Self, Error> {
        complete_identity(&*vfs, &identity_path(dir), FileKind::ArchiveIdentity, id, &identity)?;
        let broken = || Error::BrokenIdentity { path: identity_path(dir) };
        let master_key = identity.master.open(&archive_key, id, MASTER)?.ok_or_else(broken)?;
        let stores = stores_dir(dir);
        vfs.create_dir(&stores)?;
        let salvaged = |damage: Damage| {
            let stores = found_stores(&*vfs, &stores, damage.clone())?;
            Ok::<_, Error>(Master::salvaged(&vfs, dir, &master_key, id, damage, stores))
        };
        let master = match Master::open(&vfs, dir, &master_key, id, lock.is_doubtful()) {
            Ok(master) if master.stores.is_empty() => {
                // An archive has its first store before it has its identity: what named it is lost.
                let damage = Damage::new(&super::master::dir(dir), 0, 0, DamageCause::Truncated);
                salvaged(damage)?
            }
            Err(Error::Damage(damage)) => salvaged(damage)?,
            master => master?,
        };
        let Some(fact) = master.stores.iter().find(|store| store.current).cloned() else {
            return Err(Error::Bug("no store of the archive takes new mail"));
        };
        let root = stores.join(&fact.name);
        let index_types = super::indexes::configured(&master).types;
        let store_options = StoreOptions { index_types, new_files: lock.is_doubtful(), lock: lock.to_watch(), ..options.store };
        let says = FromMaster { damage: master.damage().cloned(), noted: master.noted(Uuid(fact.uuid)), head: master.seen_head() };
        let store = Store::open(Arc::clone(&vfs), &fact, &root, &archive_key, store_options, says)?;
        Ok(Self {
            idle: None,
            dir: dir.to_owned(),
            id,
            vfs,
            identity: Mutex::new(identity),
            archive_key,
            master: Arc::new(Mutex::new(master)),
            store: Arc::new(store),
            singles: import_one::Singles::default(),
            _lock: lock,
        })
    }
}

/// The stores that have an identity, the last one first in use, where the master does not say which there are.
fn found_stores(vfs: &dyn Vfs, stores: &Path, damage: Damage) -> Result<Vec<StoreFact>, Error> {
    let mut found = Vec::new();
    let entries = if vfs.kind(stores)?.is_some() { vfs.list(stores)? } else { Vec::new() };
    for entry in entries {
        let name = entry.path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Ok(no) = name.parse() else { continue };
        match store_uuid(vfs, &entry.path) {
            Ok(uuid) => found.push(StoreFact { no, uuid: uuid.0, name, current: false }),
            Err(Error::Io(error)) if !error.is_not_found() => return Err(error.into()),
            Err(_) => {}
        }
    }
    found.sort_by_key(|store| store.no);
    match found.last_mut() {
        Some(last) => last.current = true,
        None => return Err(damage.into()),
    }
    Ok(found)
}

pub(super) fn read_archive(vfs: &dyn Vfs, dir: &Path) -> Result<(Uuid, ArchiveIdentity), Error> {
    let path = identity_path(dir);
    if vfs.kind(&path)?.is_none() && vfs.kind(&dir.join("archive.mk.2"))?.is_none() {
        if unfinished(vfs, dir).is_ok_and(|files| !files.is_empty()) {
            return Err(Error::Unfinished { path: dir.to_owned() });
        }
        return Err(Error::NotAnArchive { path: dir.to_owned(), why: "there is no archive.mk" });
    }
    read_identity(vfs, &path, FileKind::ArchiveIdentity)
}

/// The slot that `key` opens, and the archive key.
pub(super) fn open_slots<'i>(identity: &'i ArchiveIdentity, id: Uuid, key: &Key) -> Result<(&'i Slot, SecretKey), Error> {
    Slot::open_any(&identity.slots, id, key)?.ok_or_else(|| Error::WrongKey {
        given: key.kind().name(),
        archive: id.to_string(),
        needed: needed(identity, id),
    })
}

/// What opens the archive, for people who look for the right key.
fn needed(identity: &ArchiveIdentity, id: Uuid) -> String {
    let infos = identity.slots.iter().filter_map(Slot::info);
    let needed: Vec<String> = infos
        .map(|slot| match slot.kind {
            crate::seal::SlotKind::Recovery => format!("recovery key {}-…", recovery_identifier(id)),
            kind => format!("{} (slot {})", kind.name(), slot.id),
        })
        .collect();
    needed.join(", ")
}
