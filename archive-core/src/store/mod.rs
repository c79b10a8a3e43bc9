//! One store: its keys, containers, records, catalog and index as one thing that commits, reads, opens and closes.
//!
//! Order of writes (P5): containers synced, then the commit synced, then receipts, then catalog and index in memory,
//! whose files may lag by any amount. There is one writer; readers hold views of the catalog and never wait for a sync.

mod background;
mod commit;
mod compact;
mod create;
mod deletions;
mod facts;
#[cfg(test)]
mod forge;
mod identity;
mod idle;
mod index;
mod leaves;
mod lost;
mod lost_mails;
mod lost_tail;
mod open;
mod placements;
mod read;
mod recover;
mod repair;
mod salvage;
mod stats;
mod verify;
mod witness;

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

pub(crate) use background::Attended;
pub use commit::Duplicates;
pub(crate) use commit::{Divided, Elsewhere, FolderChange, NewPlace, Note, Outcome, Prepared, PreparedHeader, RunInfo};
pub use compact::{CompactReport, Erased, NotRewritten};
pub(crate) use create::create_store;
pub(crate) use identity::{Wrapping, found_store, keep_apart};
pub(crate) use idle::{Due, Idle};
pub use index::IndexStatus;
pub(crate) use index::{Indexer, failed, id_label};
pub use lost::Recovery;
pub(crate) use lost::{LostFound, lost_files};
pub(crate) use lost_mails::LostContent;
pub(crate) use open::FromMaster;
pub(crate) use placements::{FoldersOf, Marked, Placed, Placements, View};
pub use stats::StoreStats;
pub(crate) use stats::{bytes_in, lost_bytes};
pub(crate) use verify::Reach;

use crate::catalog::Catalog;
use crate::clock::{Clock, Watch};
use crate::container::{ContainerWriter, Containers};
use crate::error::{Damage, Error};
use crate::id::{ContentNo, MessageId, MessageNo, StoreNo, Uuid};
use crate::records::{Head, Link, Records};
use crate::seal::SecretKey;
use crate::vfs::{Vfs, VfsLock};

/// What a store is opened with.
#[derive(Debug, Clone)]
pub(crate) struct StoreOptions {
    /// Pages that were read, in memory that stores share.
    pub(crate) caches: Caches,
    /// A container is closed when it is larger.
    pub(crate) container_limit: u64,
    /// Changes of the catalog in memory are written when they are larger.
    pub(crate) flush_bytes: usize,
    /// Bytes that the index may take in memory before it writes a segment.
    pub(crate) index_bytes: usize,
    /// Whether new contents are indexed now, or when the archive is next opened with this on.
    pub(crate) index: bool,
    /// Media types of attachments that are to be searched.
    pub(crate) index_types: Vec<String>,
    pub(crate) clock: Clock,
    /// Whether the store is only read: another process may be writing it.
    pub(crate) read_only: bool,
    /// Whether appends go only to new files: another process may still hold the existing ones.
    pub(crate) new_files: bool,
    /// The lock that may be lost while the store is open: checked before each write and after it, before anything of
    /// the write counts.
    pub(crate) lock: Option<Arc<dyn VfsLock>>,
    /// What commits of all stores of the archive tell.
    pub(crate) idle: Arc<idle::Idle>,
    /// Held by a commit, where an archive has several stores: two of them must not give the same number in a folder.
    pub(crate) numbering: Arc<Mutex<()>>,
}

/// Memory for pages that were read, which stores share.
#[derive(Debug, Clone)]
pub(crate) struct Caches {
    pub(crate) catalog: crate::catalog::SharedPages,
    pub(crate) index: archive_index::SharedPages,
}

impl Caches {
    pub(crate) fn new(catalog: u64, index: usize) -> Self {
        Self { catalog: crate::catalog::SharedPages::new(catalog), index: archive_index::SharedPages::new(index) }
    }
}

/// The folders of a store.
#[derive(Debug, Clone)]
pub(crate) struct StoreDirs {
    pub(crate) root: PathBuf,
    pub(crate) records: PathBuf,
    pub(crate) content: PathBuf,
    pub(crate) catalog: PathBuf,
    pub(crate) index: PathBuf,
}

impl StoreDirs {
    pub(crate) fn below(root: &Path) -> Self {
        let dir = |name| root.join(name);
        Self { root: root.to_owned(), records: dir("records"), content: dir("content"), catalog: dir("catalog"), index: dir("index") }
    }
}

/// A store open for reading and writing.
pub(crate) struct Store {
    no: StoreNo,
    name: String,
    uuid: Uuid,
    /// The map of `store.mk` as the master repeats it.
    identity: Option<Vec<u8>>,
    vfs: Arc<dyn Vfs>,
    dirs: StoreDirs,
    key: SecretKey,
    options: StoreOptions,
    containers: Containers,
    catalog: RwLock<Arc<Catalog>>,
    /// Held by whoever writes runs of the catalog or its manifest; taken before `writer`.
    naming: Mutex<()>,
    /// Held by a compaction, and by what must not be done beside it.
    compacting: Mutex<()>,
    /// Held by whoever merges runs of the catalog.
    merging: Mutex<()>,
    background: background::Background,
    writer: Mutex<Option<Writer>>,
    indexer: Indexer,
    records_read: facts::RecordsRead,
    idle: Arc<idle::Idle>,
    /// The other stores of the archive.
    beside: Mutex<Vec<std::sync::Weak<Store>>>,
    /// What the clock is expected to read.
    watch: Watch,
    /// Held for reading while contents are read: a section is not removed while a reader may be about to read it.
    sections: RwLock<()>,
    /// Contents that a read found damaged and no commit has noted yet.
    damaged: Mutex<std::collections::BTreeSet<u32>>,
    /// The placement of contents, as far as searches needed it.
    placements: Arc<Mutex<Arc<Placements>>>,
    last_seen: Mutex<placements::LastSeen>,
    /// The first damage found at opening.
    damage: Option<Damage>,
    /// Why nothing is written.
    barred: Option<Error>,
    /// The catalog on disk could not be used, and was made from the records.
    catalog_begun_anew: bool,
    /// The head that was last written or read.
    head: Mutex<Option<Head>>,
    /// The clean mark at opening.
    mark: Link,
    /// Whether records and containers could be continued.
    has_sound_records: bool,
    /// What the open did after a crash.
    recovery: Recovery,
}

/// What only the writer may touch.
struct Writer {
    records: Records,
    containers: ContainerWriter,
    /// See [`StoreOptions::lock`].
    lock: Option<Arc<dyn VfsLock>>,
    /// The error of a failed write: nothing more is written until the store is reopened.
    latched: Option<Error>,
}

impl Store {
    /// The first damage found at opening.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// What the open did after a crash.
    pub(crate) fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Why nothing is written, if so.
    pub(crate) fn barred(&self) -> Option<&Error> {
        self.barred.as_ref()
    }

    /// Whether catalog or index could not be used as their manifests name them, as when a writer has removed a file since
    /// the manifest was read.
    pub(crate) fn lacks_cache_files(&self) -> bool {
        let index = self.indexer.snapshot();
        self.catalog_begun_anew || !index.lost().is_empty() || !index.unread().is_empty()
    }

    /// For a store that is only read: whether catalog or index lack so much that not all of it is applied in memory.
    /// Opening it for writing brings them up to date.
    pub(crate) fn lags(&self) -> Result<bool, Error> {
        let catalog = self.catalog();
        let next = ContentNo(self.indexer.index().next().0);
        let index = self.indexer.is_enabled() && catalog.next_content(next)?.is_some();
        Ok(index || catalog.memory_len() >= self.options.flush_bytes)
    }

    pub(crate) fn no(&self) -> StoreNo {
        self.no
    }

    /// The id of one of its messages.
    pub(crate) fn message_id(&self, no: MessageNo) -> MessageId {
        MessageId { store: self.no, no }
    }

    /// Whether its own files allow writing; if it is still barred, the reason is elsewhere.
    pub(crate) fn has_sound_records(&self) -> bool {
        self.has_sound_records
    }

    /// Name of the first user archive.
    pub(crate) fn first_user_archive(&self) -> Option<String> {
        let catalog = self.catalog();
        catalog.folders().iter().find(|folder| folder.parent == 0).map(|folder| folder.name.to_owned())
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.uuid
    }

    pub(crate) fn containers(&self) -> &Containers {
        &self.containers
    }

    pub(crate) fn indexer(&self) -> &Indexer {
        &self.indexer
    }

    /// The catalog as it is now. The view does not change, and keeps nobody from changing the catalog.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The catalog to be changed, without those who hold a view of it seeing that.
    fn catalog_mut(&self) -> CatalogMut<'_> {
        CatalogMut(self.catalog.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The clock's reading: milliseconds since 1970, UTC.
    pub(crate) fn now(&self) -> i64 {
        self.options.clock.now()
    }

    /// If the clock reads `now` and has jumped: the time of archiving of the last message before.
    pub(crate) fn jumped_from(&self, now: i64) -> Option<i64> {
        let last = self.catalog().basis().archived?;
        (now < last || self.watch.is_ahead(now)).then_some(last)
    }

    /// The writer, if the store may be written.
    fn writer(&self) -> Result<WriterGuard<'_>, Error> {
        let mut guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *guard, &self.barred) {
            (Some(Writer { latched: Some(cause), .. }), _) => Err(Error::Latched { cause: cause.clone().into() }),
            (Some(writer), None) => {
                let held = writer.holds_lock();
                writer.latched = held.as_ref().err().filter(|error| matches!(error, Error::LockLost { .. })).cloned();
                held.map(|()| WriterGuard(guard))
            }
            (_, Some(barred)) => Err(barred.clone()),
            (None, None) => Err(Error::Bug("a store that may be written has no writer")),
        }
    }
}

/// The catalog while it is changed.
struct CatalogMut<'s>(RwLockWriteGuard<'s, Arc<Catalog>>);

impl Deref for CatalogMut<'_> {
    type Target = Catalog;

    fn deref(&self) -> &Catalog {
        &self.0
    }
}

impl DerefMut for CatalogMut<'_> {
    fn deref_mut(&mut self) -> &mut Catalog {
        Arc::make_mut(&mut self.0)
    }
}

impl Writer {
    /// Fails if another process may be writing too.
    fn holds_lock(&self) -> Result<(), Error> {
        match &self.lock {
            Some(lock) if !lock.is_in_place()? => Err(Error::LockLost { path: lock.path().to_owned() }),
            _ => Ok(()),
        }
    }
}

/// The writer, which exists and is not latched.
struct WriterGuard<'s>(MutexGuard<'s, Option<Writer>>);

impl WriterGuard<'_> {
    fn get(&self) -> Result<&Writer, Error> {
        self.0.as_ref().ok_or(Error::Bug("a writer vanished while it was held"))
    }

    /// Runs `write`; an error latches the store, and so do a panic and a lost lock.
    fn latch<T>(&mut self, write: impl FnOnce(&mut Writer) -> Result<T, Error>) -> Result<T, Error> {
        let writer = self.0.as_mut().ok_or(Error::Bug("a writer vanished while it was held"))?;
        let before = writer.latched.replace(Error::Bug("a write panicked"));
        let result = write(writer).and_then(|done| writer.holds_lock().map(|()| done));
        writer.latched = before.or_else(|| result.as_ref().err().cloned());
        result
    }
}
