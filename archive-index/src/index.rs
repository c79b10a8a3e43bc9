//! The index: one writer, and snapshots for any number of readers.
//!
//! Invariants: numbers of documents rise. Documents below the watermark are in segments that the manifest names; those
//! above it are in memory, or in segments that the next flush will name. A manifest names only finished files. A file
//! number is never used twice, since pages are cached by it.
//!
//! A flush writes a part of the memory to which nothing is added any more, and a merge writes new files beside the old
//! ones, so documents are added and searched meanwhile. Locks, in the order in which they are taken: `merging`,
//! `naming`, `writer`, `view`; only the first two are held while a file is read or written.

use crate::columns::Columns;
use crate::error::{DocNo, DocRange, IndexError, SegmentDamage, UnreadSegment};
use crate::manifest::{FILES_END, Listed, Manifest};
use crate::pages::{FileId, PageError, PageErrorKind, PageReader, PageRef, PageStore, PageWriter};
use crate::query::leaf::Label;
use crate::query::run::all;
use crate::recent::Recent;
use crate::segment::cache::{PageCache, SharedPages};
use crate::segment::merge::merge;
use crate::segment::read::Segment;
use crate::snapshot::Snapshot;
use crate::sort::SortKeys;
use crate::text::field::Value;
use roaring::RoaringBitmap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// How much memory an index may use.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of documents in memory, including those that are being written. Above it, they are written out as a
    /// segment before more are added. The default is 32 MiB. A process that only reads sets `usize::MAX`, never
    /// flushes, and watches [`Index::memory_used`] itself.
    pub memory_budget: usize,
    /// Where opened pages are kept: 64 MiB for this index alone by default.
    pub pages: SharedPages,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_budget: 32 << 20, pages: SharedPages::new(64 << 20) }
    }
}

/// How many segments of one level are merged into one of the next.
const FANOUT: usize = 8;

/// An open segment.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) segment: Arc<Segment>,
    pub(crate) level: u8,
}

/// What readers see at one moment; replaced as a whole.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) segments: Vec<Open>,
    pub(crate) lost: Vec<SegmentDamage>,
    pub(crate) unread: Vec<UnreadSegment>,
    /// Documents that were marked dead.
    pub(crate) dead: Arc<RoaringBitmap>,
    /// Documents in memory that wait to be written, oldest first. Nothing is added to them.
    pub(crate) frozen: Vec<Arc<Recent>>,
    pub(crate) memory: Arc<Recent>,
}

/// Called between two pages of a merge; returns whether to go on. It may do more urgent work first.
pub type BetweenPages = Arc<dyn Fn() -> bool + Send + Sync>;

/// The full-text index of a store.
pub struct Index {
    store: Arc<dyn PageStore>,
    cache: Arc<PageCache>,
    /// The number of the next file; shared with an index that is built beside this one.
    next_file: Arc<AtomicU64>,
    /// Files from this number on were created since the index was opened.
    first_file: u64,
    memory_budget: usize,
    writer: Mutex<Writer>,
    /// One merge at a time.
    merging: Mutex<()>,
    /// Held while segments are written out of memory, or the manifest changes: one at a time.
    naming: Mutex<()>,
    view: RwLock<View>,
    manifest: RwLock<Manifest>,
}

/// State of the writer alone.
struct Writer {
    /// The lowest number that is still free.
    next: u32,
    /// Segments that are lost or unread stay in the manifest, so that the next open reports them too, or can read them.
    missing: Vec<Listed>,
}

impl Index {
    /// Opens the index stored in `pages`, or creates one. Segments that cannot be opened do not prevent this; snapshots
    /// report them.
    pub fn open(pages: Arc<dyn PageStore>, options: Options) -> Result<Index, IndexError> {
        let manifest = pages.load_manifest()?.map(|bytes| Manifest::decode(&bytes)).transpose()?.unwrap_or_default();
        Self::of(pages, options, manifest)
    }

    /// An empty index, whatever is in `pages`. Its first manifest replaces the one there, whose files are then no
    /// longer used.
    pub fn anew(pages: Arc<dyn PageStore>, options: Options) -> Result<Index, IndexError> {
        Self::of(pages, options, Manifest::default())
    }

    fn of(pages: Arc<dyn PageStore>, options: Options, manifest: Manifest) -> Result<Index, IndexError> {
        // A crash leaves files that no manifest names.
        let next_file = manifest.next_file.max(pages.highest()?.0.saturating_add(1));
        let cache = Arc::new(PageCache::new(&options.pages));
        let (mut segments, mut lost, mut unread, mut missing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for listed in &manifest.segments {
            match Segment::open(&pages, listed.file, listed.docs, &cache) {
                Ok(segment) => segments.push(Open { segment: Arc::new(segment), level: listed.level }),
                Err(IndexError::Damaged(damage)) => {
                    lost.push(*damage);
                    missing.push(*listed);
                }
                Err(IndexError::Pages(cause)) => {
                    unread.push(UnreadSegment { file: listed.file, docs: listed.docs, cause: Arc::new(cause) });
                    missing.push(*listed);
                }
                Err(error) => return Err(error),
            }
        }
        let next = manifest.watermark;
        let dead = Arc::new(manifest.dead.clone());
        let view = View { segments, lost, unread, dead, frozen: Vec::new(), memory: Arc::new(Recent::new(next)) };
        Ok(Index {
            store: pages,
            cache,
            next_file: Arc::new(AtomicU64::new(next_file)),
            first_file: next_file,
            memory_budget: options.memory_budget,
            writer: Mutex::new(Writer { next, missing }),
            merging: Mutex::new(()),
            naming: Mutex::new(()),
            view: RwLock::new(view),
            manifest: RwLock::new(manifest),
        })
    }

    /// An index over the same pages that begins with document `start` and that no manifest names. It is filled, and
    /// then replaces what is to be rebuilt, by [`replace`](Self::replace) or [`mend`](Self::mend). Until then it can be
    /// dropped without a trace.
    pub fn detached(&self, start: DocNo) -> Index {
        let memory = Arc::new(Recent::new(start.0));
        let view = View { segments: Vec::new(), lost: Vec::new(), unread: Vec::new(), dead: Arc::default(), frozen: Vec::new(), memory };
        Index {
            store: Arc::clone(&self.store),
            cache: Arc::clone(&self.cache),
            next_file: Arc::clone(&self.next_file),
            first_file: self.first_file,
            memory_budget: self.memory_budget,
            writer: Mutex::new(Writer { next: start.0, missing: Vec::new() }),
            merging: Mutex::new(()),
            naming: Mutex::new(()),
            view: RwLock::new(view),
            manifest: RwLock::default(),
        }
    }

    /// Replaces the whole content of this index with that of `built`. Running searches keep what they see. Documents
    /// below `end` that `built` lacks have nothing to index; it must have come as far as this index has.
    pub fn replace(&self, built: &Index, end: DocNo, basis: &[u8]) -> Result<(), IndexError> {
        let (merging, naming) = (self.merging(), self.naming());
        let mut writer = self.lock();
        let given = built.next().max(end);
        if given.0 < writer.next {
            return Err(IndexError::Order { given, expected: DocNo(writer.next) });
        }
        let next = built.spill(&built.naming(), end.0)?;
        let segments = built.view().segments;
        let manifest = Manifest { watermark: next, basis: basis.to_vec(), segments: listed(&segments), ..self.manifest() };
        self.replace_manifest(manifest)?;
        let old = self.change(|view| {
            let memory = Arc::new(Recent::new(next));
            let new = View { segments, lost: Vec::new(), unread: Vec::new(), frozen: Vec::new(), memory, dead: Arc::clone(&view.dead) };
            std::mem::replace(view, new)
        });
        old.segments.iter().for_each(|open| open.segment.doom());
        *writer = Writer { next, missing: Vec::new() };
        drop((writer, naming, merging));
        self.merge_due()
    }

    /// Gives up a segment that turned out to be damaged: snapshots report it, and its documents cannot be searched
    /// until they are mended. Its file is removed after the last reader, so that the next open finds it missing too.
    pub fn give_up(&self, damage: &SegmentDamage) {
        let mut writer = self.lock();
        let given_up = self.change(|view| {
            let at = view.segments.iter().position(|open| open.segment.file() == damage.file)?;
            view.lost.push(damage.clone());
            Some(view.segments.remove(at))
        });
        let Some(open) = given_up else { return };
        open.segment.doom();
        writer.missing.extend(listed(&[open]));
    }

    /// Replaces the lost segment of `docs` with the content of `built`, which has documents of this range alone.
    pub fn mend(&self, docs: DocRange, built: &Index) -> Result<(), IndexError> {
        let (_merging, _naming) = (self.merging(), self.naming());
        built.spill(&built.naming(), 0)?;
        let mended = built.view().segments;
        let mut manifest = self.manifest();
        manifest.segments.retain(|listed| listed.docs != docs);
        manifest.segments.extend(listed(&mended));
        manifest.segments.sort_unstable_by_key(|listed| listed.docs.start);
        self.replace_manifest(manifest)?;
        let mut writer = self.lock();
        writer.missing.retain(|listed| listed.docs != docs);
        self.change(|view| {
            view.lost.retain(|lost| lost.docs != docs);
            view.segments.extend(mended);
            view.segments.sort_unstable_by_key(|open| open.segment.lo());
        });
        Ok(())
    }

    /// Whether segments were written that no manifest names yet; a flush makes them durable.
    pub fn is_spilled(&self) -> bool {
        let missing = self.lock().missing.len();
        self.view().segments.len() + missing > self.manifest().segments.len()
    }

    /// The lowest number that can still be added.
    pub fn next(&self) -> DocNo {
        DocNo(self.lock().next)
    }

    /// Documents below it are in segments. After a crash, the caller adds those from it on again.
    pub fn watermark(&self) -> DocNo {
        DocNo(self.manifest.read().unwrap_or_else(PoisonError::into_inner).watermark)
    }

    /// The value that the caller gave at the last flush; empty before the first.
    pub fn basis(&self) -> Vec<u8> {
        self.manifest.read().unwrap_or_else(PoisonError::into_inner).basis.clone()
    }

    /// The files that are in use. All others in the page store may be removed while no other process reads the index.
    pub fn files(&self) -> Vec<FileId> {
        let writer = self.lock();
        let missing = writer.missing.iter().map(|listed| listed.file);
        self.view().segments.iter().map(|open| open.segment.file()).chain(missing).collect()
    }

    /// Whether the file is being written, or was replaced by a merge since the index was opened.
    pub fn is_under_way(&self, file: FileId) -> bool {
        (self.first_file..self.next_file.load(Ordering::Relaxed)).contains(&file.0) && !self.files().contains(&file)
    }

    /// Adds a document and makes it searchable. Numbers rise; gaps are allowed. `values` are in the order of the
    /// document, `sort` the texts by which it is ordered.
    ///
    /// Above the memory budget, what is in memory is first written out as a segment, which the next flush will name. If
    /// that fails, the document is not added.
    pub fn add(
        &self,
        doc: DocNo,
        values: &[Value<'_>],
        labels: &[Label],
        columns: &Columns,
        sort: &SortKeys<'_>,
    ) -> Result<(), IndexError> {
        let mut writer = self.lock();
        if self.memory_used() >= self.memory_budget {
            drop(writer);
            self.spill(&self.naming(), 0)?;
            writer = self.lock();
        }
        if doc.0 < writer.next || doc.0 == u32::MAX {
            return Err(IndexError::Order { given: doc, expected: DocNo(writer.next) });
        }
        while !self.view().memory.add(doc.0, values, labels, columns, sort)? {
            // A long search keeps the memory that it reads; new documents go to another one.
            self.freeze(writer.next);
        }
        writer.next = doc.0 + 1;
        Ok(())
    }

    /// Writes what is in memory as a segment, and moves the watermark after the last document added. `basis` is stored
    /// with it. When that is durable, merges segments if there are enough of one level; documents can be added
    /// meanwhile.
    pub fn flush(&self, basis: &[u8]) -> Result<(), IndexError> {
        self.flush_to(basis, DocNo(0))
    }

    /// Like [`flush`](Self::flush), with a watermark of at least `end`, for documents that have nothing to index.
    pub fn flush_to(&self, basis: &[u8], end: DocNo) -> Result<(), IndexError> {
        self.write_to(&|| basis.to_vec(), end)?;
        self.merge_due()
    }

    /// Like [`flush`](Self::flush), without merging: that is for [`merge_some`](Self::merge_some). `basis` is called
    /// after everything that is written was added.
    pub fn write(&self, basis: &dyn Fn() -> Vec<u8>) -> Result<(), IndexError> {
        self.write_to(basis, DocNo(0))
    }

    fn write_to(&self, basis: &dyn Fn() -> Vec<u8>, end: DocNo) -> Result<(), IndexError> {
        let naming = self.naming();
        let watermark = self.spill(&naming, end.0)?;
        let segments = self.listed(&self.lock());
        self.replace_manifest(Manifest { watermark, basis: basis(), segments, ..self.manifest() })
    }

    /// Marks `docs` as dead: from now on no snapshot shows them, and merges drop what the index has of them. This is
    /// durable when the call returns.
    pub fn tell_dead(&self, docs: &RoaringBitmap) -> Result<(), IndexError> {
        let _naming = self.naming();
        let mut manifest = self.manifest();
        manifest.dead |= docs;
        let dead = Arc::new(manifest.dead.clone());
        self.replace_manifest(manifest)?;
        let _old = self.change(|view| std::mem::replace(&mut view.dead, dead));
        Ok(())
    }

    /// Rewrites each segment that has something of dead documents, so that no page of the index has a word of them.
    /// Flush those in memory first. Files of old segments are removed with the last snapshot that sees them.
    ///
    /// If `between` returns `false`, this ends with [`IndexError::Stopped`]; segments that were rewritten by then stay so.
    pub fn purge(&self, between: &BetweenPages) -> Result<(), IndexError> {
        let merging = self.merging();
        let View { segments, dead, .. } = self.view();
        for open in segments {
            let mut docs = RoaringBitmap::new();
            all(open.segment.as_ref())?.add_to(open.segment.hi(), &mut docs);
            if !docs.is_disjoint(&dead) {
                self.merge_run(&[open], &merging, between)?;
            }
        }
        Ok(())
    }

    /// Merges all segments into one, unless some are lost. It takes time and, temporarily, disk space in proportion to
    /// the whole index.
    pub fn merge_all(&self) -> Result<(), IndexError> {
        let merging = self.merging();
        let listed = self.manifest().segments;
        match self.opened(&listed) {
            Some(run) if run.len() > 1 => self.merge_run(&run, &merging, &unhurried()),
            _ => Ok(()),
        }
    }

    fn merge_due(&self) -> Result<(), IndexError> {
        while self.merge_some(u32::MAX, &unhurried())? {}
        Ok(())
    }

    /// Merges [`FANOUT`] adjacent segments of one level, if there are some with at most `most` documents in all: each
    /// document is rewritten once a level. If `between` returns `false`, this ends with [`IndexError::Stopped`] and
    /// changes nothing.
    pub fn merge_some(&self, most: u32, between: &BetweenPages) -> Result<bool, IndexError> {
        let merging = self.merging();
        let listed = self.manifest().segments;
        let is_due = |run: &&[Listed]| {
            let docs: u32 = run.iter().map(|one| one.docs.end.0 - one.docs.start.0).sum();
            docs <= most && run.iter().all(|one| Some(one.level) == run.first().map(|first| first.level))
        };
        let Some(run) = listed.windows(FANOUT).filter(is_due).find_map(|run| self.opened(run)) else { return Ok(false) };
        self.merge_run(&run, &merging, between)?;
        Ok(true)
    }

    /// How many segments a manifest names.
    pub fn segments(&self) -> usize {
        self.manifest.read().unwrap_or_else(PoisonError::into_inner).segments.len()
    }

    /// The segments of a run of the manifest; `None` if one of them is lost.
    fn opened(&self, listed: &[Listed]) -> Option<Vec<Open>> {
        let segments = self.view().segments;
        listed.iter().map(|one| segments.iter().find(|open| open.segment.file() == one.file).cloned()).collect()
    }

    /// Replaces several adjacent segments in the manifest with one. The watermark does not change.
    fn merge_run(&self, run: &[Open], _merging: &MutexGuard<'_, ()>, between: &BetweenPages) -> Result<(), IndexError> {
        let inputs: Vec<&Segment> = run.iter().map(|open| open.segment.as_ref()).collect();
        let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else { return Ok(()) };
        let docs = DocRange { start: DocNo(first.lo()), end: DocNo(last.hi()) };
        let level = run.iter().map(|open| open.level).max().unwrap_or(0).saturating_add(u8::from(run.len() > 1));
        let file = self.new_file()?;
        let pages = Interrupted { store: self.store.as_ref(), between, stopped: Arc::default() };
        let dead = Arc::clone(&self.view().dead);
        let merged = merge(&pages, file, &inputs, &dead);
        merged.map_err(|error| if pages.stopped.load(Ordering::Relaxed) { IndexError::Stopped } else { error })?;
        let segment = Arc::new(Segment::open(&self.store, file, docs, &self.cache)?);
        let is_merged = |file: FileId| run.iter().any(|open| open.segment.file() == file);
        let _naming = self.naming();
        let mut manifest = self.manifest();
        manifest.segments.retain(|listed| !is_merged(listed.file));
        manifest.segments.push(Listed { file, docs, level });
        manifest.segments.sort_unstable_by_key(|listed| listed.docs.start);
        // If this fails, the file stays: the manifest that names it may have reached the disk.
        self.replace_manifest(manifest)?;
        let mut writer = self.lock();
        // A segment that was given up meanwhile had been read by then.
        writer.missing.retain(|listed| !is_merged(listed.file));
        self.change(|view| {
            view.lost.retain(|lost| !is_merged(lost.file));
            view.segments.retain(|open| !is_merged(open.segment.file()));
            let at = view.segments.partition_point(|open| open.segment.lo() < docs.start.0);
            view.segments.insert(at, Open { segment, level });
        });
        run.iter().for_each(|open| open.segment.doom());
        Ok(())
    }

    /// Bytes that the documents in memory take, including those that are being written.
    pub fn memory_used(&self) -> usize {
        let view = self.view();
        view.frozen.iter().chain([&view.memory]).map(|recent| recent.size()).sum()
    }

    /// What a reader sees from now on: all documents added so far, and none added later.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.view())
    }

    fn merging(&self) -> MutexGuard<'_, ()> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> View {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what readers see. What `change` takes out is dropped after the lock is released, since a segment may
    /// then remove its file.
    fn change<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        change(&mut self.view.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn manifest(&self) -> Manifest {
        self.manifest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on, documents from `next` on are added to a new memory; the one before waits to be written. The caller
    /// holds the writer.
    fn freeze(&self, next: u32) {
        self.change(|view| {
            let full = std::mem::replace(&mut view.memory, Arc::new(Recent::new(next)));
            if !full.is_empty() {
                view.frozen.push(full);
            }
        });
    }

    /// Writes the memory out as segments, which the next manifest will name. Returns the first document that was not
    /// written, at least `end`.
    fn spill(&self, _naming: &MutexGuard<'_, ()>, end: u32) -> Result<u32, IndexError> {
        let next = {
            let mut writer = self.lock();
            writer.next = writer.next.max(end);
            self.freeze(writer.next);
            writer.next
        };
        // What was frozen since then is left for the next time.
        while let Some(frozen) = self.view().frozen.first().filter(|frozen| frozen.end() <= next) {
            let file = self.new_file()?;
            let docs = frozen.write(self.store.as_ref(), file)?;
            let segment = Arc::new(Segment::open(&self.store, file, docs, &self.cache)?);
            let _written = self.change(|view| {
                view.segments.push(Open { segment, level: 0 });
                view.frozen.remove(0)
            });
        }
        Ok(next)
    }

    /// The segments as a manifest would name them now.
    fn listed(&self, writer: &Writer) -> Vec<Listed> {
        let mut listed = listed(&self.view().segments);
        listed.extend(&writer.missing);
        listed.sort_unstable_by_key(|listed| listed.docs.start);
        listed
    }

    /// A file number that was never used.
    fn new_file(&self) -> Result<FileId, IndexError> {
        let next = |next: u64| (next < FILES_END).then_some(next + 1);
        let given = self.next_file.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        given.map(FileId).map_err(|_| IndexError::TooLarge { what: "number of a file" })
    }

    fn replace_manifest(&self, manifest: Manifest) -> Result<(), IndexError> {
        let manifest = Manifest { next_file: self.next_file.load(Ordering::Relaxed), ..manifest };
        self.store.replace_manifest(&manifest.encode()?)?;
        *self.manifest.write().unwrap_or_else(PoisonError::into_inner) = manifest;
        Ok(())
    }
}

/// Open segments as a manifest names them.
fn listed(segments: &[Open]) -> Vec<Listed> {
    let one = |open: &Open| {
        let docs = DocRange { start: DocNo(open.segment.lo()), end: DocNo(open.segment.hi()) };
        Listed { file: open.segment.file(), docs, level: open.level }
    };
    segments.iter().map(one).collect()
}

/// For merges that are not interrupted.
fn unhurried() -> BetweenPages {
    Arc::new(|| true)
}

/// The page store for a merge: writing stops when `between` returns `false`.
struct Interrupted<'i> {
    store: &'i dyn PageStore,
    between: &'i BetweenPages,
    stopped: Arc<AtomicBool>,
}

impl PageStore for Interrupted<'_> {
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        let pages = self.store.create(file)?;
        Ok(Box::new(InterruptedWriter { pages, between: Arc::clone(self.between), stopped: Arc::clone(&self.stopped) }))
    }

    fn highest(&self) -> Result<FileId, PageError> {
        self.store.highest()
    }

    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        self.store.open(file)
    }

    fn remove(&self, file: FileId) -> Result<(), PageError> {
        self.store.remove(file)
    }

    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        self.store.load_manifest()
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        self.store.replace_manifest(bytes)
    }
}

struct InterruptedWriter {
    pages: Box<dyn PageWriter>,
    between: BetweenPages,
    stopped: Arc<AtomicBool>,
}

impl PageWriter for InterruptedWriter {
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError> {
        if !(self.between)() {
            self.stopped.store(true, Ordering::Relaxed);
            return Err(PageError::new(PageErrorKind::Io, "the merge was stopped"));
        }
        self.pages.append(page)
    }

    fn finish(self: Box<Self>) -> Result<(), PageError> {
        self.pages.finish()
    }
}
