//! A run: an immutable sealed file of sorted entries in pages, with a directory of the pages' first keys, in as many
//! frames as it takes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use minicbor::{Decode, Encode};

use super::filter::Filter;
use super::keys;
use super::page::{Page, PageBuilder, put_varint, take_slice, take_varint};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{FileKind, FrameKind, Opened, RecordsStart, SealedReader, SealedWriter, SecretKey};
use crate::vfs::Vfs;
use crate::wire::{Effort, compress, decompress};

/// Bytes of the entries of a page before compression.
const PAGE_LEN: usize = 32 << 10;
const MAX_PAGE: usize = 64 << 20;
/// Bytes of a directory's frame before compression: with one frame for all, a run could have no more than some 250
/// million messages.
pub(super) const DIRECTORY_LEN: usize = if cfg!(test) { 128 } else { 1 << 20 };
/// Bytes written to the file at a time.
const FLUSH: usize = 4 << 20;

/// How the manifest names a run.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct RunName {
    #[n(0)]
    pub(crate) number: u64,
    /// How often its entries were merged.
    #[n(1)]
    pub(crate) level: u32,
    /// Offset of the first frame of its directory, which ends with the file.
    #[n(2)]
    pub(crate) directory: u64,
    #[n(3)]
    pub(crate) len: u64,
    /// So that another file of the same number, from an older state or a fork, is not mistaken for it.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(crate) file_id: [u8; 16],
}

pub(super) fn file_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.mks"))
}

/// A catalog, a run of it, and a page.
type Key = (u64, u64, u32);
type Pages = quick_cache::sync::Cache<Key, Arc<Page>, ByMemory>;

/// Decoded pages, bounded by bytes. Any number of catalogs share them; clones are handles of the same.
#[derive(Clone)]
pub(crate) struct SharedPages(Arc<Shared>);

struct Shared {
    pages: Pages,
    /// The number of the next catalog.
    next: AtomicU64,
}

impl SharedPages {
    /// About how many bytes a page takes.
    const PAGE: u64 = 48 << 10;

    pub(crate) fn new(bytes: u64) -> Self {
        let pages = Pages::with_weighter((bytes / Self::PAGE).max(16) as usize, bytes, ByMemory);
        Self(Arc::new(Shared { pages, next: AtomicU64::new(0) }))
    }
}

impl std::fmt::Debug for SharedPages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedPages").field("bytes", &self.0.pages.weight()).finish()
    }
}

/// The decoded pages of one catalog.
pub(super) struct PageCache {
    shared: SharedPages,
    catalog: u64,
}

impl PageCache {
    /// Of a new catalog.
    pub(super) fn new(shared: &SharedPages) -> Self {
        let catalog = shared.0.next.fetch_add(1, Ordering::Relaxed);
        Self { shared: shared.clone(), catalog }
    }

    /// What it shares.
    pub(super) fn shared(&self) -> &SharedPages {
        &self.shared
    }

    fn get(&self, (run, page): (u64, u32)) -> Option<Arc<Page>> {
        self.shared.0.pages.get(&(self.catalog, run, page))
    }

    fn insert(&self, (run, no): (u64, u32), page: Arc<Page>) {
        self.shared.0.pages.insert((self.catalog, run, no), page);
    }
}

impl Drop for PageCache {
    /// Gives the memory back to the other catalogs.
    fn drop(&mut self) {
        self.shared.0.pages.retain(|(catalog, ..), _| *catalog != self.catalog);
    }
}

/// A page weighs what it holds.
#[derive(Debug, Clone)]
pub(super) struct ByMemory;

impl quick_cache::Weighter<Key, Arc<Page>> for ByMemory {
    fn weight(&self, _: &Key, page: &Arc<Page>) -> u64 {
        page.memory() as u64 + 64
    }
}

/// Writes a run.
pub(super) struct RunWriter {
    writer: SealedWriter,
    page: PageBuilder,
    /// Frames of the directory.
    directory: Vec<Vec<u8>>,
    last_offset: u64,
    number: u64,
}

impl RunWriter {
    pub(super) fn create(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid, number: u64) -> Result<Self, Error> {
        let path = file_path(dir, number);
        if vfs.kind(&path)?.is_some() {
            vfs.remove(&path)?;
        }
        let writer = SealedWriter::create(vfs, &path, key, FileKind::CatalogRun, owner, number, RecordsStart::default())?;
        Ok(Self { writer, page: PageBuilder::default(), directory: Vec::new(), last_offset: 0, number })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Appends an entry whose key is above all before it.
    pub(super) fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        self.page.push(key, value);
        if self.page.len() >= PAGE_LEN {
            self.finish_page()?;
        }
        Ok(())
    }

    fn finish_page(&mut self) -> Result<(), Error> {
        let Some((first, bytes)) = self.page.finish() else { return Ok(()) };
        self.push_page(&first, &packed(&bytes)?)
    }

    /// Appends page `at` of another run, all of whose keys are above those before it, as it is.
    pub(super) fn copy_page(&mut self, run: &Run, at: usize) -> Result<(), Error> {
        self.finish_page()?;
        let first = run.first_key(at).ok_or(Error::Bug("a page after the end of a run was to be copied"))?;
        self.push_page(first, run.frame(at)?.bytes())
    }

    fn push_page(&mut self, first: &[u8], packed: &[u8]) -> Result<(), Error> {
        let place = self.writer.push(FrameKind::CatalogPage, &[packed])?;
        if self.directory.last().is_none_or(|frame| frame.len() >= DIRECTORY_LEN) {
            self.directory.push(Vec::new());
        }
        if let Some(frame) = self.directory.last_mut() {
            put_varint(frame, place.offset - self.last_offset);
            put_varint(frame, first.len() as u64);
            frame.extend_from_slice(first);
        }
        self.last_offset = place.offset;
        if self.writer.pending_len() >= FLUSH {
            self.writer.flush()?;
        }
        Ok(())
    }

    /// Writes the directory and syncs the file; the caller syncs the folder before naming the run.
    pub(super) fn finish(mut self, level: u32) -> Result<RunName, Error> {
        self.finish_page()?;
        let directory = self.writer.end();
        for frame in &self.directory {
            self.writer.push(FrameKind::CatalogDirectory, &[&packed(frame)?])?;
        }
        self.writer.sync()?;
        let file_id = self.writer.reader().header().file_id.0;
        Ok(RunName { number: self.number, level, directory, len: self.writer.end(), file_id })
    }
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    compress(Effort::Facts, bytes).ok_or(Error::Bug("zstd refused a page"))
}

/// A run open for reading.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: RunName,
    file: SealedReader,
    /// First key and offset of each page.
    pages: Vec<(Box<[u8]>, u64)>,
    /// Filters for the letters in [`FILTERED`].
    filters: [LazyFilter; FILTERED.len()],
}

/// Look-ups by digest, most of which find nothing.
const FILTERED: [u8; 3] = *b"diq";
/// About the bytes of a page that an entry of these look-ups takes.
const FILTERED_ENTRY: usize = 10;
/// After this many look-ups a run gets a filter: making one reads all its digests.
const ASKED_OFTEN: u32 = 64;

/// A filter, made once it is worth its cost.
#[derive(Debug, Default)]
struct LazyFilter {
    asked: AtomicU32,
    /// `None`: a page of digests is damaged, which costs only the look-ups that need that page.
    filter: OnceLock<Option<Filter>>,
}

impl Run {
    pub(super) fn open(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid, name: RunName) -> Result<Self, Error> {
        let path = file_path(dir, name.number);
        let file = SealedReader::open(&path, vfs.open_closed(&path)?, key, FileKind::CatalogRun, owner)?;
        if file.header().file_id.0 != name.file_id {
            return Err(Damage::new(&path, 0, 0, DamageCause::Unrecorded).into());
        }
        let (mut pages, mut at) = (Vec::new(), name.directory);
        while at < name.len {
            let frame = file.frame(at, name.len)?;
            let is_one = frame.kind == FrameKind::CatalogDirectory && decode_directory(frame.bytes(), &mut pages).is_some();
            at = if is_one { frame.place.end() } else { return Err(file.damage(frame.place, DamageCause::Decode).into()) };
        }
        Ok(Self { name, file, pages, filters: Default::default() })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Index of the page that has `key`, if any does.
    pub(super) fn page_of(&self, key: &[u8]) -> usize {
        self.pages.partition_point(|(first, _)| &**first <= key).saturating_sub(1)
    }

    /// Page `at`, from the cache if it is there.
    pub(super) fn page(&self, cache: &PageCache, at: usize) -> Result<Arc<Page>, Error> {
        let cached_as = (self.name.number, at as u32);
        if let Some(page) = cache.get(cached_as) {
            return Ok(page);
        }
        let page = Arc::new(self.read_page(at)?);
        cache.insert(cached_as, Arc::clone(&page));
        Ok(page)
    }

    /// The first key of page `at`; `None` after the last page.
    pub(super) fn first_key(&self, at: usize) -> Option<&[u8]> {
        self.pages.get(at).map(|(first, _)| &**first)
    }

    /// Whether the run may have keys that begin with `prefix`.
    pub(super) fn may_hold(&self, prefix: &[u8]) -> Result<bool, Error> {
        let Some((letter, digest)) = keys::short_digest(prefix) else { return Ok(true) };
        let Some(lazy) = FILTERED.iter().position(|filtered| *filtered == letter).and_then(|at| self.filters.get(at)) else {
            return Ok(true);
        };
        if lazy.filter.get().is_none() {
            if lazy.asked.fetch_add(1, Ordering::Relaxed) < ASKED_OFTEN {
                return Ok(true);
            }
            let filter = match self.filter(letter) {
                Ok(filter) => Some(filter),
                Err(Error::Damage(_)) => None,
                Err(error) => return Err(error),
            };
            // Another thread may have made the same one.
            let _same = lazy.filter.set(filter);
        }
        Ok(lazy.filter.get().and_then(Option::as_ref).is_none_or(|filter| filter.may_hold(digest)))
    }

    fn filter(&self, letter: u8) -> Result<Filter, Error> {
        let pages = self.page_of(&[letter])..self.pages.partition_point(|(first, _)| **first < [letter + 1][..]);
        let mut filter = Filter::with_room(pages.len() * PAGE_LEN / FILTERED_ENTRY);
        for at in pages {
            let page = self.read_page(at)?;
            for key in (0..page.len()).filter_map(|at| page.entry(at)).map(|(key, _)| key) {
                if let Some((_, digest)) = keys::short_digest(key).filter(|(found, _)| *found == letter) {
                    filter.add(digest);
                }
            }
        }
        Ok(filter)
    }

    /// Page `at`, read and checked.
    pub(super) fn read_page(&self, at: usize) -> Result<Page, Error> {
        let frame = self.frame(at)?;
        let page = decompress(frame.bytes(), MAX_PAGE).and_then(|bytes| Page::decode(&bytes));
        page.ok_or_else(|| self.file.damage(frame.place, DamageCause::Decode).into())
    }

    /// The frame of page `at`, opened.
    fn frame(&self, at: usize) -> Result<Opened, Error> {
        let (_, offset) = self.pages.get(at).ok_or(Error::Bug("a run was asked for a page after its end"))?;
        let frame = self.file.frame(*offset, self.name.len)?;
        match frame.kind {
            FrameKind::CatalogPage => Ok(frame),
            _ => Err(self.file.damage(frame.place, DamageCause::Decode).into()),
        }
    }
}

#[cfg(any(test, fuzzing))]
pub(super) fn fuzz_directory(bytes: &[u8]) {
    let mut pages = Vec::new();
    let _ = decode_directory(bytes, &mut pages);
    let _ = compress(Effort::Facts, bytes).and_then(|packed| decode_directory(&packed, &mut pages));
}

/// Adds the pages that a frame of a directory names; the offset of the first is relative to the last page before.
fn decode_directory(packed: &[u8], pages: &mut Vec<(Box<[u8]>, u64)>) -> Option<()> {
    let bytes = decompress(packed, MAX_PAGE)?;
    let mut bytes = bytes.as_slice();
    let mut offset = pages.last().map_or(0, |(_, offset)| *offset);
    while !bytes.is_empty() {
        offset = offset.checked_add(take_varint(&mut bytes)?)?;
        let len = take_varint(&mut bytes)?;
        pages.push((take_slice(&mut bytes, len)?.into(), offset));
    }
    Some(())
}
