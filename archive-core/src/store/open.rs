//! A store is opened and closed.

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use super::create::{WRAP, identity_path};
use super::recover::Replay;
use super::{Indexer, Store, StoreDirs, StoreOptions, Writer};
use crate::catalog::Catalog;
use crate::clock::Watch;
use crate::container::{ContainerWriter, Containers};
use crate::error::{Damage, Error, Remedy};
use crate::id::{StoreNo, Uuid};
use crate::records::StoreFact;
use crate::seal::{FileKind, SealedReader, SealedWriter, SecretKey, StoreIdentity, read_identity};
use crate::vfs::Vfs;

impl Store {
    /// Opens the store that `fact` names, in `root`: catalog, records, what a crash left, then the index up to the last commit. With `barred`, damage elsewhere that
    /// has to be repaired first, no mail is taken.
    pub(crate) fn open(
        vfs: Arc<dyn Vfs>,
        fact: &StoreFact,
        root: &Path,
        archive_key: &SecretKey,
        options: StoreOptions,
        barred: Option<Damage>,
    ) -> Result<Self, Error> {
        let path = identity_path(root);
        let (uuid, identity): (Uuid, StoreIdentity) = read_identity(&*vfs, &path, FileKind::StoreIdentity)?;
        let key = identity.key.open(archive_key, uuid, WRAP)?.filter(|_| uuid.0 == fact.uuid);
        let Some(key) = key else { return Err(Error::BrokenIdentity { path }) };
        let dirs = StoreDirs::below(root);
        for dir in [&dirs.records, &dirs.content, &dirs.catalog, &dirs.index] {
            vfs.create_dir(dir)?;
        }
        let containers = Containers::new(Arc::clone(&vfs), &dirs.content, key.duplicate(), uuid);
        let mut catalog = Catalog::open(Arc::clone(&vfs), &dirs.catalog, key.duplicate(), uuid, options.cache_bytes)?;
        let replay = Replay { vfs: &vfs, dirs: &dirs, key: &key, owner: uuid, options: &options, containers: &containers };
        let recovered = replay.run(&mut catalog)?;
        let next = catalog.basis().numbers.containers + 1;
        let mut writer = ContainerWriter::new(Arc::clone(&vfs), &dirs.content, key.duplicate(), uuid, next, options.container_limit);
        if let Some((number, _)) = recovered.active {
            let path = containers.path(number);
            let reader = SealedReader::open(&path, vfs.open(&path)?, &key, FileKind::Container, uuid)?;
            writer.resume(number, SealedWriter::resume(reader)?);
        }
        if let Some((number, end)) = recovered.closed {
            writer.note_closed(number, containers.file(number)?.header().file_id, end);
        }
        let damage = recovered.damage.into_iter().next().or(barred);
        if damage.is_none() {
            catalog.remove_leftovers()?;
        }
        let indexer = Indexer::open(Arc::clone(&vfs), &dirs.index, key.duplicate(), uuid, &options)?;
        let watch = Watch::begin(options.clock.now());
        let store = Self {
            no: StoreNo(fact.no),
            name: fact.name.clone(),
            uuid,
            vfs,
            dirs,
            key,
            options,
            containers,
            catalog: RwLock::new(catalog),
            writer: Mutex::new(recovered.records.filter(|_| damage.is_none()).map(|records| Writer {
                records,
                containers: writer,
                latched: None,
            })),
            indexer,
            last_commit: Mutex::default(),
            idle: super::idle::Idle::default(),
            watch,
            last_file: Mutex::default(),
            sections: RwLock::default(),
            damaged: Mutex::default(),
            placements: Mutex::default(),
            last_seen: Mutex::default(),
            damage,
        };
        match store.catch_up() {
            // Mails can be read and searched as far as the index has come: what lacks is counted, and made up for when there is room again.
            Err(Error::Io(error)) if error.is_full() => {}
            // The same where a page of the catalog is damaged: made up for when it was made anew.
            Err(Error::Damage(damage)) if damage.remedy() == Some(Remedy::RemoveCatalog) => {}
            caught_up => caught_up?,
        }
        Ok(store)
    }

    /// Packs small commits, writes catalog and index, and says on disk that everything is synced.
    pub(crate) fn close(&self) -> Result<(), Error> {
        if self.damage.is_some() {
            return Ok(());
        }
        self.pack()?;
        self.note_damage()?;
        self.flush_index()?;
        self.catalog_mut().flush()?;
        self.mark()
    }

    /// Says on disk that everything up to the last commit is synced.
    pub(crate) fn mark(&self) -> Result<(), Error> {
        if self.damage.is_some() {
            return Ok(());
        }
        self.writer()?.latch(|writer| writer.records.mark())
    }
}
