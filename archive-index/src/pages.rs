//! The pages of the index: the trait by which they are read and written, and an implementation in memory.
//!
//! A file is a sequence of pages, written once from front to back and immutable from then on. The page store knows
//! nothing of their content; the index knows nothing of names, encryption keys and disks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file of pages within its store. The index assigns the numbers: they rise from 1, and none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u64);

/// The place of a page within its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageRef(pub u64);

/// Why a page could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageErrorKind {
    /// The file or page does not exist.
    Missing,
    /// It exists, but its bytes are not those that were written.
    Damaged,
    /// Anything else, for example a refusal by the system: nothing is known of the bytes, which may be intact.
    Io,
}

/// A page or file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {cause}")]
pub struct PageError {
    /// The kind of failure.
    pub kind: PageErrorKind,
    /// What the page store reports.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl PageError {
    /// An error of `kind`, caused by `cause`.
    pub fn new(kind: PageErrorKind, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, cause: cause.into() }
    }
}

/// Where the index keeps its pages. It is shared by one writer and any number of readers.
pub trait PageStore: Send + Sync {
    /// Creates file `file`, whose number was never used before. Readers see it only once it is finished.
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError>;
    /// The highest number of any file in the store, finished or not; 0 if there is none.
    fn highest(&self) -> Result<FileId, PageError>;
    /// Opens a finished file.
    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError>;
    /// Gives up a finished file: it is not opened again. A reader that has it open may go on; the store may remove it
    /// later.
    fn remove(&self, file: FileId) -> Result<(), PageError>;
    /// The manifest as it was last replaced; `None` before the first time.
    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError>;
    /// Replaces the manifest. After `Ok` the new one is durable. Whatever happens, either the old or the new one
    /// exists, intact.
    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError>;
}

/// A file that is being written. If it is dropped unfinished, nothing of it remains.
pub trait PageWriter: Send {
    /// Appends a page of at most 4 MiB; places rise.
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError>;
    /// Closes the file. After `Ok` all its pages are durable.
    fn finish(self: Box<Self>) -> Result<(), PageError>;
}

/// A finished file.
pub trait PageReader: Send + Sync {
    /// The bytes of one page, exactly as they were appended.
    fn read(&self, page: PageRef) -> Result<Vec<u8>, PageError>;
    /// The place of the last page.
    fn last(&self) -> Result<PageRef, PageError>;
}

type Pages = Vec<Vec<u8>>;

/// Pages in memory, for tests and measurements.
#[derive(Clone, Debug, Default)]
pub struct MemPages {
    inner: Arc<Mutex<MemInner>>,
}

#[derive(Debug, Default)]
struct MemInner {
    files: HashMap<FileId, Arc<Pages>>,
    manifest: Option<Vec<u8>>,
}

impl MemPages {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy that shares nothing with this one.
    pub fn deep_clone(&self) -> Self {
        let inner = self.lock();
        let copy = MemInner { files: inner.files.clone(), manifest: inner.manifest.clone() };
        Self { inner: Arc::new(Mutex::new(copy)) }
    }

    /// The finished files, in the order of their numbers.
    pub fn files(&self) -> Vec<FileId> {
        let mut files: Vec<FileId> = self.lock().files.keys().copied().collect();
        files.sort_unstable();
        files
    }

    /// The lengths of the pages of a file, in bytes; empty for an unknown one.
    pub fn page_lengths(&self, file: FileId) -> Vec<usize> {
        self.lock().files.get(&file).map(|pages| pages.iter().map(Vec::len).collect()).unwrap_or_default()
    }

    /// The bytes of all finished files together.
    pub fn total_bytes(&self) -> u64 {
        self.lock().files.values().flat_map(|pages| pages.iter()).map(|page| page.len() as u64).sum()
    }

    /// Flips the bits of `mask` in one byte, as damage would. Returns whether there is such a byte.
    pub fn damage(&self, file: FileId, page: usize, byte: usize, mask: u8) -> bool {
        let mut inner = self.lock();
        let Some(pages) = inner.files.get_mut(&file) else { return false };
        match Arc::make_mut(pages).get_mut(page).and_then(|page| page.get_mut(byte)) {
            Some(byte) => {
                *byte ^= mask;
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, MemInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageStore for MemPages {
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        if self.lock().files.contains_key(&file) {
            return Err(PageError::new(PageErrorKind::Io, format!("file {} is there already", file.0)));
        }
        Ok(Box::new(MemWriter { store: self.clone(), file, pages: Vec::new() }))
    }

    fn highest(&self) -> Result<FileId, PageError> {
        Ok(self.lock().files.keys().copied().max().unwrap_or(FileId(0)))
    }

    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        match self.lock().files.get(&file) {
            Some(pages) => Ok(Arc::new(MemReader { pages: Arc::clone(pages) })),
            None => Err(PageError::new(PageErrorKind::Missing, format!("no file {}", file.0))),
        }
    }

    fn remove(&self, file: FileId) -> Result<(), PageError> {
        self.lock().files.remove(&file);
        Ok(())
    }

    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        Ok(self.lock().manifest.clone())
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        self.lock().manifest = Some(bytes.to_vec());
        Ok(())
    }
}

struct MemWriter {
    store: MemPages,
    file: FileId,
    pages: Pages,
}

impl PageWriter for MemWriter {
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError> {
        self.pages.push(page.to_vec());
        Ok(PageRef(self.pages.len() as u64 - 1))
    }

    fn finish(self: Box<Self>) -> Result<(), PageError> {
        self.store.lock().files.insert(self.file, Arc::new(self.pages));
        Ok(())
    }
}

struct MemReader {
    pages: Arc<Pages>,
}

impl PageReader for MemReader {
    fn read(&self, page: PageRef) -> Result<Vec<u8>, PageError> {
        let found = usize::try_from(page.0).ok().and_then(|at| self.pages.get(at));
        found.cloned().ok_or_else(|| PageError::new(PageErrorKind::Missing, format!("no page {}", page.0)))
    }

    fn last(&self) -> Result<PageRef, PageError> {
        match self.pages.len() {
            0 => Err(PageError::new(PageErrorKind::Missing, "no pages")),
            length => Ok(PageRef(length as u64 - 1)),
        }
    }
}
