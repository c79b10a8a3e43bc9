//! The index: one writer, and snapshots for any number of readers.
//!
//! Invariants: documents rise; those below the watermark lie in segments that the manifest names, those above in memory or in segments
//! that the next flush will name; a manifest names only finished files; a number of a file is never given twice, since pages are cached by it.

use crate::columns::Columns;
use crate::error::{DocNo, DocRange, IndexError, SegmentDamage, UnreadSegment};
use crate::manifest::{FILES_END, Listed, Manifest};
use crate::pages::{FileId, PageStore};
use crate::query::leaf::Label;
use crate::query::run::all;
use crate::segment::cache::PageCache;
use crate::segment::memory::Memory;
use crate::segment::merge::merge;
use crate::segment::read::Segment;
use crate::snapshot::Snapshot;
use crate::text::field::Value;
use roaring::RoaringBitmap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// What an index may take.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of documents in memory; above it they are written out as a segment. 32 MiB unless told. A process that only reads sets
    /// `usize::MAX`, never flushes, and minds [`Index::memory_used`] itself.
    pub memory_budget: usize,
    /// Bytes of opened pages that are kept. 64 MiB unless told.
    pub page_cache: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_budget: 32 << 20, page_cache: 64 << 20 }
    }
}

/// Segments of one level that are merged into one of the next.
const FANOUT: usize = 8;

/// A segment that is open.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) segment: Arc<Segment>,
    pub(crate) level: u8,
}

/// What readers see at a time; replaced as a whole.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) segments: Vec<Open>,
    pub(crate) lost: Vec<SegmentDamage>,
    pub(crate) unread: Vec<UnreadSegment>,
    /// Documents that were told dead.
    pub(crate) dead: Arc<RoaringBitmap>,
    pub(crate) memory: Arc<RwLock<Memory>>,
}

/// The full-text index of a store.
pub struct Index {
    store: Arc<dyn PageStore>,
    cache: Arc<PageCache>,
    /// The number of the next file; shared with what is being built beside.
    next_file: Arc<AtomicU64>,
    memory_budget: usize,
    writer: Mutex<Writer>,
    /// One merge at a time; taken before `writer`.
    merging: Mutex<()>,
    view: RwLock<View>,
    manifest: RwLock<Manifest>,
}

/// What only the writer knows.
struct Writer {
    /// The lowest number that is still free.
    next: u32,
    /// Segments that are lost or unread stay named, so that the next open says so too, or can read them.
    missing: Vec<Listed>,
}

impl Index {
    /// Opens the index that lies in `pages`, or begins one. Segments that cannot be opened do not keep it from opening: the snapshots name them.
    pub fn open(pages: Arc<dyn PageStore>, options: Options) -> Result<Index, IndexError> {
        let manifest = pages.load_manifest()?.map(|bytes| Manifest::decode(&bytes)).transpose()?.unwrap_or_default();
        Self::of(pages, options, manifest)
    }

    /// An index that begins anew, whatever there is in `pages`: its first manifest takes the place of the one there, whose files are nobody's then.
    pub fn anew(pages: Arc<dyn PageStore>, options: Options) -> Result<Index, IndexError> {
        Self::of(pages, options, Manifest::default())
    }

    fn of(pages: Arc<dyn PageStore>, options: Options, manifest: Manifest) -> Result<Index, IndexError> {
        // A crash leaves files behind that no manifest knows of.
        let next_file = manifest.next_file.max(pages.highest()?.0.saturating_add(1));
        let cache = Arc::new(PageCache::new(options.page_cache));
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
        let view = View { segments, lost, unread, dead, memory: Arc::new(RwLock::new(Memory::new(next))) };
        Ok(Index {
            store: pages,
            cache,
            next_file: Arc::new(AtomicU64::new(next_file)),
            memory_budget: options.memory_budget,
            writer: Mutex::new(Writer { next, missing }),
            merging: Mutex::new(()),
            view: RwLock::new(view),
            manifest: RwLock::new(manifest),
        })
    }

    /// An index of the same pages that begins with document `start` and that no manifest names: it is filled, and then put in the place of
    /// what is to be built again, by [`replace`](Self::replace) or [`mend`](Self::mend). Until then it can be dropped without a trace.
    pub fn detached(&self, start: DocNo) -> Index {
        let memory = Arc::new(RwLock::new(Memory::new(start.0)));
        let view = View { segments: Vec::new(), lost: Vec::new(), unread: Vec::new(), dead: Arc::default(), memory };
        Index {
            store: Arc::clone(&self.store),
            cache: Arc::clone(&self.cache),
            next_file: Arc::clone(&self.next_file),
            memory_budget: self.memory_budget,
            writer: Mutex::new(Writer { next: start.0, missing: Vec::new() }),
            merging: Mutex::new(()),
            view: RwLock::new(view),
            manifest: RwLock::default(),
        }
    }

    /// Puts everything that `built` has in the place of everything there is. Searches under way keep what they see. `built` must have come
    /// as far as this index has.
    pub fn replace(&self, built: &Index, basis: &[u8]) -> Result<(), IndexError> {
        let merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut writer, built_writer) = (self.lock(), built.lock());
        if built_writer.next < writer.next {
            return Err(IndexError::Order { given: DocNo(built_writer.next), expected: DocNo(writer.next) });
        }
        built.spill(&built_writer)?;
        let segments = built.view().segments;
        let next = built_writer.next;
        let manifest = Manifest { watermark: next, basis: basis.to_vec(), segments: listed(&segments), ..self.manifest() };
        self.replace_manifest(manifest)?;
        let old = self.view();
        let memory = Arc::new(RwLock::new(Memory::new(next)));
        self.show(View { segments, lost: Vec::new(), unread: Vec::new(), memory, ..old.clone() });
        old.segments.iter().for_each(|open| open.segment.doom());
        *writer = Writer { next, missing: Vec::new() };
        drop((writer, merging));
        while self.merge_due()? {}
        Ok(())
    }

    /// Gives a segment up that turned out to be damaged: snapshots name it, and its documents cannot be searched until they are mended. Its
    /// file goes when nobody reads it any more, so that the next open misses it too.
    pub fn give_up(&self, damage: &SegmentDamage) {
        let _merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = self.lock();
        let mut view = self.view();
        let Some(at) = view.segments.iter().position(|open| open.segment.file() == damage.file) else { return };
        let open = view.segments.remove(at);
        open.segment.doom();
        writer.missing.extend(listed(&[open]));
        view.lost.push(damage.clone());
        self.show(view);
    }

    /// Puts what `built` has in the place of the lost segment of `docs`; `built` holds documents of this range alone.
    pub fn mend(&self, docs: DocRange, built: &Index) -> Result<(), IndexError> {
        let _merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = self.lock();
        built.spill(&built.lock())?;
        let mended = built.view().segments;
        let mut manifest = self.manifest();
        manifest.segments.retain(|listed| listed.docs != docs);
        manifest.segments.extend(listed(&mended));
        manifest.segments.sort_unstable_by_key(|listed| listed.docs.start);
        self.replace_manifest(manifest)?;
        writer.missing.retain(|listed| listed.docs != docs);
        let mut view = self.view();
        view.lost.retain(|lost| lost.docs != docs);
        view.segments.extend(mended);
        view.segments.sort_unstable_by_key(|open| open.segment.lo());
        self.show(view);
        Ok(())
    }

    /// Whether segments were written that no manifest names yet: a flush makes them durable.
    pub fn is_spilled(&self) -> bool {
        let missing = self.lock().missing.len();
        self.view().segments.len() + missing > self.manifest().segments.len()
    }

    /// The lowest number that can still be added.
    pub fn next(&self) -> DocNo {
        DocNo(self.lock().next)
    }

    /// Documents below it are in segments: after a crash the caller adds those from it on again.
    pub fn watermark(&self) -> DocNo {
        DocNo(self.manifest.read().unwrap_or_else(PoisonError::into_inner).watermark)
    }

    /// What the caller gave at the last flush; empty before the first.
    pub fn basis(&self) -> Vec<u8> {
        self.manifest.read().unwrap_or_else(PoisonError::into_inner).basis.clone()
    }

    /// The files that are in use. All others of the store of pages may go while no other process reads the index.
    pub fn files(&self) -> Vec<FileId> {
        let writer = self.lock();
        let missing = writer.missing.iter().map(|listed| listed.file);
        self.view().segments.iter().map(|open| open.segment.file()).chain(missing).collect()
    }

    /// Adds a document and makes it searchable. Numbers rise; gaps are allowed. `values` in the order of the document.
    ///
    /// Above the memory budget what is in memory is first written out as a segment that the next flush will name. Where that fails, the
    /// document is not added.
    pub fn add(&self, doc: DocNo, values: &[Value<'_>], labels: &[Label], columns: &Columns) -> Result<(), IndexError> {
        let mut writer = self.lock();
        if doc.0 < writer.next || doc.0 == u32::MAX {
            return Err(IndexError::Order { given: doc, expected: DocNo(writer.next) });
        }
        let mut memory = self.view().memory;
        if memory.read().unwrap_or_else(PoisonError::into_inner).size() >= self.memory_budget {
            self.spill(&writer)?;
            memory = self.view().memory;
        }
        memory.write().unwrap_or_else(PoisonError::into_inner).add(doc.0, values, labels, columns)?;
        writer.next = doc.0 + 1;
        Ok(())
    }

    /// Writes what is in memory as a segment and moves the watermark after the last document added. `basis` is kept beside it.
    /// When that is durable, merges segments where there are enough of one level; documents can be added meanwhile.
    pub fn flush(&self, basis: &[u8]) -> Result<(), IndexError> {
        self.flush_to(basis, DocNo(0))
    }

    /// Like [`flush`](Self::flush), with a watermark of at least `end`, for documents that have nothing to index.
    pub fn flush_to(&self, basis: &[u8], end: DocNo) -> Result<(), IndexError> {
        {
            let mut writer = self.lock();
            self.spill(&writer)?;
            if end.0 > writer.next {
                writer.next = end.0;
                let mut view = self.view();
                view.memory = Arc::new(RwLock::new(Memory::new(writer.next)));
                self.show(view);
            }
            let manifest = Manifest { watermark: writer.next, basis: basis.to_vec(), segments: self.listed(&writer), ..self.manifest() };
            self.replace_manifest(manifest)?;
        }
        while self.merge_due()? {}
        Ok(())
    }

    /// Tells that `docs` are dead: from now on no snapshot shows them, and merges drop what the index has of them. Durable when it returns.
    pub fn tell_dead(&self, docs: &RoaringBitmap) -> Result<(), IndexError> {
        let _writer = self.lock();
        let mut manifest = self.manifest();
        manifest.dead |= docs;
        let dead = Arc::new(manifest.dead.clone());
        self.replace_manifest(manifest)?;
        let mut view = self.view();
        view.dead = dead;
        self.show(view);
        Ok(())
    }

    /// Writes each segment anew that has something of dead documents, so that no page of the index has a word of them; those in memory
    /// are to be flushed before. Files of old segments go when the last snapshot that sees them does.
    pub fn purge(&self) -> Result<(), IndexError> {
        let merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let View { segments, dead, .. } = self.view();
        for open in segments {
            let mut docs = RoaringBitmap::new();
            all(open.segment.as_ref())?.add_to(open.segment.hi(), &mut docs);
            if !docs.is_disjoint(&dead) {
                self.merge_run(&[open], &merging)?;
            }
        }
        Ok(())
    }

    /// Merges all segments into one, unless some are lost. It takes the time and, for a while, the room of the whole index.
    pub fn merge_all(&self) -> Result<(), IndexError> {
        let merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = self.manifest().segments;
        match self.opened(&listed) {
            Some(run) if run.len() > 1 => self.merge_run(&run, &merging),
            _ => Ok(()),
        }
    }

    /// Merges [`FANOUT`] segments of one level that follow each other, if there are: each document is written anew once a level.
    fn merge_due(&self) -> Result<bool, IndexError> {
        let merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = self.manifest().segments;
        let same_level = |run: &&[Listed]| run.iter().all(|one| Some(one.level) == run.first().map(|first| first.level));
        let Some(run) = listed.windows(FANOUT).filter(same_level).find_map(|run| self.opened(run)) else { return Ok(false) };
        self.merge_run(&run, &merging)?;
        Ok(true)
    }

    /// The segments of a row of the manifest; none where one of them is lost.
    fn opened(&self, listed: &[Listed]) -> Option<Vec<Open>> {
        let segments = self.view().segments;
        listed.iter().map(|one| segments.iter().find(|open| open.segment.file() == one.file).cloned()).collect()
    }

    /// Puts one segment in the place of several that follow each other in the manifest. The watermark stays.
    fn merge_run(&self, run: &[Open], _merging: &MutexGuard<'_, ()>) -> Result<(), IndexError> {
        let inputs: Vec<&Segment> = run.iter().map(|open| open.segment.as_ref()).collect();
        let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else { return Ok(()) };
        let docs = DocRange { start: DocNo(first.lo()), end: DocNo(last.hi()) };
        let level = run.iter().map(|open| open.level).max().unwrap_or(0).saturating_add(u8::from(run.len() > 1));
        let file = self.new_file()?;
        merge(self.store.as_ref(), file, &inputs, &self.view().dead)?;
        let segment = Arc::new(Segment::open(&self.store, file, docs, &self.cache)?);
        let _writer = self.lock();
        let mut manifest = self.manifest();
        manifest.segments.retain(|listed| !run.iter().any(|open| open.segment.file() == listed.file));
        manifest.segments.push(Listed { file, docs, level });
        manifest.segments.sort_unstable_by_key(|listed| listed.docs.start);
        // Where this fails the file stays: the manifest that names it may be on disk all the same.
        self.replace_manifest(manifest)?;
        let mut view = self.view();
        view.segments.retain(|open| !run.iter().any(|merged| merged.segment.file() == open.segment.file()));
        let at = view.segments.partition_point(|open| open.segment.lo() < docs.start.0);
        view.segments.insert(at, Open { segment, level });
        self.show(view);
        run.iter().for_each(|open| open.segment.doom());
        Ok(())
    }

    /// Bytes that the documents in memory take.
    pub fn memory_used(&self) -> usize {
        self.view().memory.read().unwrap_or_else(PoisonError::into_inner).size()
    }

    /// What a reader sees from now on: all documents added so far, and none added later.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.view())
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> View {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    fn manifest(&self) -> Manifest {
        self.manifest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the memory out as a segment, which the next manifest will name.
    fn spill(&self, writer: &Writer) -> Result<(), IndexError> {
        let mut view = self.view();
        {
            let memory = view.memory.read().unwrap_or_else(PoisonError::into_inner);
            let Some(&(last, _)) = memory.rows().last() else { return Ok(()) };
            let (lo, _) = crate::segment::Source::range(&*memory);
            let docs = DocRange { start: DocNo(lo), end: DocNo(last + 1) };
            let file = self.new_file()?;
            memory.write(self.store.as_ref(), file)?;
            let segment = Segment::open(&self.store, file, docs, &self.cache)?;
            view.segments.push(Open { segment: Arc::new(segment), level: 0 });
        }
        view.memory = Arc::new(RwLock::new(Memory::new(writer.next)));
        self.show(view);
        Ok(())
    }

    /// The segments as a manifest would name them now.
    fn listed(&self, writer: &Writer) -> Vec<Listed> {
        let mut listed = listed(&self.view().segments);
        listed.extend(&writer.missing);
        listed.sort_unstable_by_key(|listed| listed.docs.start);
        listed
    }

    /// A number that no file ever had.
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
