//! Opens and closes a store.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::index::may_lag;
use super::recover::Replay;
use super::repair::head_numbers;
use super::{Indexer, Store, StoreDirs, StoreOptions, Writer};
use crate::catalog::Catalog;
use crate::clock::Watch;
use crate::container::{ContainerWriter, Containers};
use crate::error::{Damage, Error, Remedy};
use crate::id::{StoreNo, Uuid};
use crate::progress::{Progress, Step, Unit};
use crate::records::{Head, Link, SeenHead, StoreFact, write_head};
use crate::seal::{FileKind, SealedReader, SealedWriter, SecretKey};
use crate::vfs::Vfs;

/// What the master says of a store that is opened.
pub(crate) struct FromMaster {
    /// Its damage, which bars new mail.
    pub(crate) damage: Option<Damage>,
    /// Something unknown in it that forbids writing.
    pub(crate) barred: Option<Error>,
    /// The head of the store that it noted.
    pub(crate) noted: Option<Link>,
    /// Its own head.
    pub(crate) head: Option<SeenHead>,
}

impl FromMaster {
    /// The master was rolled back if the store has seen a later head of it.
    fn rolled_back(&self, store: Option<&Head>) -> Option<Error> {
        let own = self.head.as_ref()?;
        let noted = store?.seen(Uuid(own.owner))?;
        let found = own.link();
        let holds = found.sequence > noted.sequence || found == noted;
        (!holds).then(|| Error::RolledBack { store: "master/".to_owned(), noted: noted.to_string(), found: found.to_string() })
    }
}

/// How often a reader opens a catalog that a writer may be changing.
const LOOKS: usize = 5;

impl Store {
    /// Opens the store that `fact` names, in `dirs`: catalog, records, what a crash left, then the index up to the last
    /// commit. With damage in the `master` no mail is accepted.
    pub(crate) fn open(
        vfs: Arc<dyn Vfs>,
        fact: &StoreFact,
        dirs: StoreDirs,
        archive_key: &SecretKey,
        options: StoreOptions,
        master: FromMaster,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let uuid = Uuid(fact.uuid);
        if vfs.kind(&dirs.root)?.is_none() {
            return Err(Error::StoreMissing { store: fact.name.clone(), path: dirs.root });
        }
        let (key, broken_identity) = super::identity::open(&*vfs, &dirs.root, fact, archive_key)?;
        if !options.read_only {
            for dir in [&dirs.records, &dirs.content] {
                vfs.create_dir(dir)?;
            }
            // Caches: a folder that cannot be created has no files, and what would go there stays in memory.
            for dir in [&dirs.catalog, &dirs.index] {
                may_lag(vfs.create_dir(dir).map_err(Error::from))?;
            }
        }
        let containers = Containers::new(Arc::clone(&vfs), &dirs.content, key.duplicate(), uuid);
        if options.read_only {
            containers.begin_beside_writer()?;
        }
        let open_catalog = || Catalog::open(Arc::clone(&vfs), &dirs.catalog, key.duplicate(), uuid, &options.caches.catalog);
        let mut catalog = open_catalog()?;
        for _ in 1..LOOKS {
            // A writer may have merged a run since the manifest was read. Without a catalog all records are replayed.
            if !options.read_only || catalog.basis().link.sequence > 0 || !catalog.has_manifest()? {
                break;
            }
            catalog = open_catalog()?;
        }
        let catalog_begun_anew = catalog.basis().link.sequence == 0 && catalog.has_manifest()?;
        let indexer = Indexer::open(Arc::clone(&vfs), &dirs.index, key.duplicate(), uuid, &options)?;
        let replay = Replay {
            vfs: &vfs,
            dirs: &dirs,
            key: &key,
            owner: uuid,
            options: &options,
            containers: &containers,
            name: &fact.name,
            index_basis: indexer.basis().map(|(link, _)| link),
            noted: master.noted,
            progress,
        };
        let recovered = replay.run(&mut catalog)?;
        let next = catalog.basis().numbers.containers + 1;
        let mut writer = ContainerWriter::new(Arc::clone(&vfs), &dirs.content, key.duplicate(), uuid, next, options.container_limit);
        let mut closed = recovered.closed;
        if let Some((number, end)) = recovered.active {
            let path = containers.path(number);
            let file = vfs.open(&path)?;
            match options.new_files || file.links()? > 1 {
                true => closed = Some((number, end)),
                false => {
                    let reader = SealedReader::open(&path, file, &key, FileKind::Container, uuid)?;
                    writer.resume(number, SealedWriter::resume(reader)?);
                }
            }
        }
        if let Some((number, end)) = closed {
            writer.note_closed(number, containers.file(number)?.header().file_id, end);
        }
        containers.closed_before(match catalog.basis().container {
            (0, _) => next,
            (active, _) => active,
        });
        let (lock, read_only, idle) = (options.lock.clone(), options.read_only, Arc::clone(&options.idle));
        let all_else_is_sound = master.damage.is_none() && broken_identity.is_none();
        let rolled_back = master.rolled_back(recovered.head.as_ref());
        let damage = recovered.damage.into_iter().next().or(master.damage).or(broken_identity);
        let needs_repair = |damage: &Damage| Error::NeedsRepair { store: fact.name.clone(), damage: damage.to_string() };
        let barred = match (recovered.barred.or(rolled_back).or(master.barred), &recovered.records) {
            (None, Some(_)) if all_else_is_sound => None,
            (None, None) if recovered.is_sound && all_else_is_sound => Some(Error::ReadOnly),
            (None, _) => damage.as_ref().map(needs_repair),
            (barred, _) => barred,
        };
        if barred.is_none() && !read_only {
            may_lag(catalog.remove_leftovers())?;
            may_lag(containers.remove_leftovers())?;
            // A process may have died after it recorded that they are removed.
            for number in containers.list()?.into_iter().filter(|number| catalog.containers_removed().contains(*number)) {
                may_lag(containers.remove(number))?;
            }
        }
        let has_sound_records = recovered.records.is_some();
        let watch = Watch::begin(options.clock.now());
        let store = Self {
            no: StoreNo(fact.no),
            name: fact.name.clone(),
            uuid,
            identity: fact.identity.clone(),
            vfs,
            dirs,
            key,
            options,
            containers,
            catalog: RwLock::new(Arc::new(catalog)),
            naming: Mutex::default(),
            compacting: Mutex::default(),
            merging: Mutex::default(),
            background: super::background::Background::default(),
            writer: Mutex::new(recovered.records.filter(|_| barred.is_none()).map(|records| Writer {
                records,
                containers: writer,
                lock,
                latched: None,
            })),
            indexer,
            records_read: super::facts::RecordsRead::new(recovered.pinned),
            idle,
            beside: Mutex::default(),
            watch,
            sections: RwLock::default(),
            damaged: Mutex::default(),
            placements: Arc::default(),
            last_seen: Mutex::default(),
            damage,
            barred,
            catalog_begun_anew,
            head: Mutex::new(recovered.head),
            mark: recovered.mark,
            has_sound_records,
            recovery: recovered.recovery,
        };
        if recovered.incomplete {
            match store.complete_from_tables() {
                // A damaged page of the catalog, which is reported separately: everything else is shown.
                Err(Error::Damage(_)) => {}
                completed => completed?,
            }
        }
        match store.catch_up(progress) {
            // With a damaged page of the catalog, mails can be read, and searched as far as the index goes. Searches
            // count what it lacks, and it catches up once the catalog is rebuilt.
            Err(Error::Damage(damage)) if damage.remedy() == Some(Remedy::RebuildCatalog) => {}
            caught_up => caught_up?,
        }
        Ok(store)
    }

    /// Packs small commits, and writes catalog and index; [`Error::CachesLag`] if only these could not be written.
    /// [`Store::mark`] comes after it. A running merge is stopped and what it wrote is removed; small ones are done.
    /// What `progress` ends is left to the next open.
    pub(crate) fn close(&self, progress: &Progress) -> Result<(), Error> {
        if self.barred.is_some() {
            return Ok(());
        }
        self.end_background();
        // In the folder of another archive, caches would be taken for its own.
        drop(self.writer()?);
        self.pack()?;
        self.note_damage()?;
        let step = |done| progress.step(Step { done, total: Some(3), unit: Unit::Steps, activity: "writing catalog and index" });
        let indexed = step(0).and_then(|()| self.flush_index());
        let cataloged = step(1).and_then(|()| self.flush_catalog());
        match indexed.and(cataloged).and_then(|()| step(2)).and_then(|()| self.merge_small(progress)) {
            Err(Error::Io(error)) => Err(Error::CachesLag(error)),
            written => written,
        }
    }

    /// Notes on disk that everything up to the last commit is synced, in the records and in `head.mkm`. `master` is the
    /// master's head.
    pub(crate) fn mark(&self, master: Option<SeenHead>) -> Result<(), Error> {
        if self.barred.is_some() {
            return Ok(());
        }
        let mut writer = self.writer()?;
        writer.latch(|writer| writer.records.mark())?;
        let head = {
            let catalog = self.catalog();
            let basis = catalog.basis();
            Head::new(basis.link, basis.container, head_numbers(basis.numbers), basis.tree.clone(), master.into_iter().collect())
        };
        let mut written = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if written.as_ref() != Some(&head) {
            write_head(&*self.vfs, &self.dirs.root, &self.key, self.uuid, &head)?;
            *written = Some(head);
        }
        Ok(())
    }

    /// The head of the master of this id, as the store last saw it.
    pub(crate) fn seen_of(&self, master: Uuid) -> Option<Link> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.seen(master)
    }

    /// The head of the store, as the master notes it.
    pub(crate) fn seen_head(&self) -> SeenHead {
        SeenHead::new(self.uuid, self.catalog().basis().link)
    }
}
