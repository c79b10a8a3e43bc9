//! A run: an immutable sealed file of sorted entries in pages, with a directory of the pages' first keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::page::{Page, PageBuilder, put_varint, take_slice, take_varint};
use crate::error::{DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{FileKind, FrameKind, FramePlace, RecordsStart, SealedReader, SealedWriter, SecretKey};
use crate::vfs::Vfs;

/// Entries of a page before compression.
const PAGE_LEN: usize = 32 << 10;
const MAX_PAGE: usize = 64 << 20;
const LEVEL: i32 = 3;
/// Bytes handed to the file at once.
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
    /// Offset of its directory.
    #[n(2)]
    pub(crate) directory: u64,
    #[n(3)]
    pub(crate) len: u64,
}

pub(super) fn file_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.mks"))
}

/// Decoded pages of all runs, bounded by bytes.
pub(super) type PageCache = quick_cache::sync::Cache<(u64, u32), Arc<Page>, ByMemory>;

/// A page weighs what it holds.
#[derive(Debug, Clone)]
pub(super) struct ByMemory;

impl quick_cache::Weighter<(u64, u32), Arc<Page>> for ByMemory {
    fn weight(&self, _: &(u64, u32), page: &Arc<Page>) -> u64 {
        page.memory() as u64 + 64
    }
}

/// Writes a run.
pub(super) struct RunWriter {
    writer: SealedWriter,
    compressor: zstd::bulk::Compressor<'static>,
    page: PageBuilder,
    directory: Vec<u8>,
    pages: u64,
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
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|_| Error::Bug("zstd refused a level"))?;
        Ok(Self { writer, compressor, page: PageBuilder::default(), directory: Vec::new(), pages: 0, last_offset: 0, number })
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
        let place = self.writer.push(FrameKind::CatalogPage, &[&compress(&mut self.compressor, &bytes)?])?;
        put_varint(&mut self.directory, place.offset - self.last_offset);
        put_varint(&mut self.directory, first.len() as u64);
        self.directory.extend_from_slice(&first);
        self.last_offset = place.offset;
        self.pages += 1;
        if self.writer.pending_len() >= FLUSH {
            self.writer.flush()?;
        }
        Ok(())
    }

    /// Writes the directory and syncs the file; the caller syncs the folder before he names the run.
    pub(super) fn finish(mut self, level: u32) -> Result<RunName, Error> {
        self.finish_page()?;
        let place = self.writer.push(FrameKind::CatalogDirectory, &[&compress(&mut self.compressor, &self.directory)?])?;
        self.writer.sync()?;
        Ok(RunName { number: self.number, level, directory: place.offset, len: self.writer.end() })
    }
}

fn compress(compressor: &mut zstd::bulk::Compressor<'_>, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    compressor.compress(bytes).map_err(|_| Error::Bug("zstd refused a page"))
}

thread_local! {
    /// Making one takes as long as decompressing a page.
    static DECOMPRESSOR: std::cell::RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { std::cell::RefCell::new(None) };
}

fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let len = zstd::bulk::Decompressor::upper_bound(bytes).filter(|len| *len <= MAX_PAGE)?;
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Decompressor::new().ok();
        }
        slot.as_mut()?.decompress(bytes, len).ok()
    })
}

/// A run open for reading.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: RunName,
    file: SealedReader,
    /// First key and offset of each page.
    pages: Vec<(Box<[u8]>, u64)>,
}

impl Run {
    pub(super) fn open(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid, name: RunName) -> Result<Self, Error> {
        let path = file_path(dir, name.number);
        let file = SealedReader::open(&path, vfs.open_read(&path)?, key, FileKind::CatalogRun, owner)?;
        let frame = file.frame(name.directory, name.len)?;
        let pages = decode_directory(frame.bytes()).ok_or_else(|| file.damage(frame.place, DamageCause::Decode))?;
        Ok(Self { name, file, pages })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Index of the page that holds `key`, if any page does.
    pub(super) fn page_of(&self, key: &[u8]) -> usize {
        self.pages.partition_point(|(first, _)| &**first <= key).saturating_sub(1)
    }

    /// Page `at`, from the cache if it is there.
    pub(super) fn page(&self, cache: &PageCache, at: usize) -> Result<Arc<Page>, Error> {
        let cached_as = (self.name.number, at as u32);
        if let Some(page) = cache.get(&cached_as) {
            return Ok(page);
        }
        let page = Arc::new(self.read_page(at)?);
        cache.insert(cached_as, Arc::clone(&page));
        Ok(page)
    }

    /// Page `at`, read and checked.
    pub(super) fn read_page(&self, at: usize) -> Result<Page, Error> {
        let (_, offset) = self.pages.get(at).ok_or(Error::Bug("a run was asked for a page behind its end"))?;
        let frame = self.file.frame(*offset, self.name.len)?;
        let broken = || Error::from(self.file.damage(FramePlace { ..frame.place }, DamageCause::Decode));
        if frame.kind != FrameKind::CatalogPage {
            return Err(broken());
        }
        decompress(frame.bytes()).and_then(|bytes| Page::decode(&bytes)).ok_or_else(broken)
    }
}

#[cfg(any(test, fuzzing))]
pub(super) fn fuzz_directory(bytes: &[u8]) {
    let _ = decode_directory(bytes);
    let _ = zstd::bulk::compress(bytes, LEVEL).ok().and_then(|packed| decode_directory(&packed));
}

fn decode_directory(packed: &[u8]) -> Option<Vec<(Box<[u8]>, u64)>> {
    let bytes = decompress(packed)?;
    let mut bytes = bytes.as_slice();
    let (mut pages, mut offset) = (Vec::new(), 0u64);
    while !bytes.is_empty() {
        offset = offset.checked_add(take_varint(&mut bytes)?)?;
        let len = take_varint(&mut bytes)?;
        pages.push((take_slice(&mut bytes, len)?.into(), offset));
    }
    Some(pages)
}
