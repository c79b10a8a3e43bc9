//! A file system that asks a test before it opens a file for reading, before it writes to one and after it has read a range.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::{DirEntry, EntryKind, LockKind, MemVfs, Vfs, VfsError, VfsFile, VfsLock};

/// What the test is asked about; an error that it answers is that of the call.
pub enum Call<'a> {
    /// A file is about to be opened for reading.
    Open(&'a Path),
    /// These bytes were read from the offset on; the test may change them.
    Read(&'a Path, u64, &'a mut [u8]),
    /// A file is about to be created, or bytes to be appended to it.
    Write(&'a Path),
}

type Hook = dyn Fn(Call<'_>) -> Result<(), VfsError> + Send + Sync;

#[derive(Clone)]
pub struct Hooked {
    inner: MemVfs,
    hook: Arc<Hook>,
}

impl Hooked {
    pub fn new(inner: &MemVfs, hook: impl Fn(Call<'_>) -> Result<(), VfsError> + Send + Sync + 'static) -> Self {
        Self { inner: inner.clone(), hook: Arc::new(hook) }
    }

    fn file(&self, path: &Path, inner: Arc<dyn VfsFile>) -> Arc<dyn VfsFile> {
        Arc::new(HookedFile { inner, path: path.to_owned(), hook: Arc::clone(&self.hook) })
    }
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooked").finish_non_exhaustive()
    }
}

impl Vfs for Hooked {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        (self.hook)(Call::Write(path))?;
        Ok(self.file(path, self.inner.create(path)?))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        Ok(self.file(path, self.inner.open(path)?))
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        (self.hook)(Call::Open(path))?;
        Ok(self.file(path, self.inner.open_read(path)?))
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        self.inner.create_dir(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<DirEntry>, VfsError> {
        self.inner.list(path)
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        self.inner.kind(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.inner.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.inner.rename_new(from, to)
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        self.inner.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<(), VfsError> {
        self.inner.sync_dir(path)
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        self.inner.try_lock(path, kind)
    }
}

struct HookedFile {
    inner: Arc<dyn VfsFile>,
    path: PathBuf,
    hook: Arc<Hook>,
}

impl std::fmt::Debug for HookedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookedFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl VfsFile for HookedFile {
    fn len(&self) -> Result<u64, VfsError> {
        self.inner.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        self.inner.read_exact_at(offset, buf)?;
        (self.hook)(Call::Read(&self.path, offset, buf))
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        (self.hook)(Call::Write(&self.path))?;
        self.inner.append(bytes)
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        self.inner.rewrite(offset, len)
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        self.inner.truncate(len)
    }

    fn sync(&self) -> Result<(), VfsError> {
        self.inner.sync()
    }

    fn links(&self) -> Result<u64, VfsError> {
        self.inner.links()
    }
}
