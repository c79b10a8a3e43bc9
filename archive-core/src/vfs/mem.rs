//! A file system in memory, for tests and for archives that need no medium.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::error::{check_cut, name_range, read_only};
use super::holders::Holders;
use super::names::Names;
use super::{DirEntry, EntryKind, LockKind, Operation, Vfs, VfsError, VfsFile, VfsLock};

/// Files in memory. Clones are the same file system; the files are gone with the last one.
///
/// The roots (`/`, `.` and the empty path) exist from the start. Calls fail only on misuse, and syncing does nothing.
#[derive(Clone, Default)]
pub struct MemVfs {
    names: Arc<Mutex<Names<Arc<Content>>>>,
    /// The holders of locks on directories.
    dirs: Arc<Mutex<BTreeMap<PathBuf, Holders>>>,
}

#[derive(Default)]
struct Content {
    bytes: RwLock<Vec<u8>>,
    holders: Mutex<Holders>,
}

impl MemVfs {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn names(&self) -> MutexGuard<'_, Names<Arc<Content>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_as(&self, path: &Path, writable: bool) -> Result<Arc<dyn VfsFile>, VfsError> {
        let content = self.names().file(path).map_err(|error| VfsError::new(Operation::Open, path, error))?;
        Ok(Arc::new(MemFile { content, path: path.to_owned(), writable }))
    }
}

impl fmt::Debug for MemVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemVfs").finish_non_exhaustive()
    }
}

impl Vfs for MemVfs {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        let content = Arc::new(Content::default());
        let added = self.names().add_file(path, Arc::clone(&content));
        added.map_err(|error| VfsError::new(Operation::Create, path, error))?;
        Ok(Arc::new(MemFile { content, path: path.to_owned(), writable: true }))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.open_as(path, true)
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.open_as(path, false)
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        let added = self.names().add_dir(path);
        added.map(drop).map_err(|error| VfsError::new(Operation::Create, path, error))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>, VfsError> {
        self.names().list(dir).map_err(|error| VfsError::new(Operation::List, dir, error))
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        Ok(self.names().kind(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.names().rename(from, to).map_err(|error| VfsError::new(Operation::Rename, from, error))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.names().rename_new(from, to).map_err(|error| VfsError::new(Operation::Rename, from, error))
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        self.names().remove(path).map_err(|error| VfsError::new(Operation::Remove, path, error))
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), VfsError> {
        self.names().need_dir(dir).map_err(|error| VfsError::new(Operation::SyncDir, dir, error))
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        let names = self.names();
        let locked = match names.kind(path) {
            Some(EntryKind::Dir) => Locked::Dir,
            _ => Locked::File(names.file(path).map_err(|error| VfsError::new(Operation::Lock, path, error))?),
        };
        drop(names);
        let lock = MemLock { vfs: self.clone(), locked, path: path.to_owned(), kind };
        Ok(lock.holders(|holders| holders.take(kind)).then(|| Box::new(Held(lock)) as Box<dyn VfsLock>))
    }
}

impl Content {
    fn read(&self) -> RwLockReadGuard<'_, Vec<u8>> {
        self.bytes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<u8>> {
        self.bytes.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct MemFile {
    content: Arc<Content>,
    path: PathBuf,
    writable: bool,
}

impl MemFile {
    fn need_writable(&self, operation: Operation) -> Result<(), VfsError> {
        if self.writable { Ok(()) } else { Err(VfsError::new(operation, &self.path, read_only())) }
    }
}

impl VfsFile for MemFile {
    fn len(&self) -> Result<u64, VfsError> {
        Ok(self.content.read().len() as u64)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        let bytes = self.content.read();
        match range_of(&bytes, offset, buf.len()) {
            Some(found) => {
                buf.copy_from_slice(found);
                Ok(())
            }
            None => Err(past_end(&self.path, offset, buf.len())),
        }
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        self.need_writable(Operation::Write)?;
        self.content.write().extend_from_slice(bytes);
        Ok(())
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        self.need_writable(Operation::Write)?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        match range_of(&self.content.read(), offset, len) {
            Some(_) => Ok(()),
            None => Err(past_end(&self.path, offset, len)),
        }
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        self.need_writable(Operation::Truncate)?;
        let mut bytes = self.content.write();
        check_cut(bytes.len() as u64, len).map_err(|error| VfsError::new(Operation::Truncate, &self.path, error))?;
        bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        Ok(())
    }

    fn sync(&self) -> Result<(), VfsError> {
        self.need_writable(Operation::Sync)
    }

    fn links(&self) -> Result<u64, VfsError> {
        Ok(1)
    }
}

#[derive(Debug)]
enum Locked {
    File(Arc<Content>),
    Dir,
}

#[derive(Debug)]
struct MemLock {
    vfs: MemVfs,
    locked: Locked,
    path: PathBuf,
    kind: LockKind,
}

impl MemLock {
    fn holders<T>(&self, act: impl FnOnce(&mut Holders) -> T) -> T {
        match &self.locked {
            Locked::File(content) => act(&mut content.holders()),
            Locked::Dir => {
                let mut dirs = self.vfs.dirs.lock().unwrap_or_else(PoisonError::into_inner);
                act(dirs.entry(self.path.clone()).or_default())
            }
        }
    }
}

/// A lock that was taken, released on drop.
#[derive(Debug)]
struct Held(MemLock);

impl VfsLock for Held {
    fn path(&self) -> &Path {
        &self.0.path
    }

    fn note(&self, bytes: &[u8]) -> Result<(), VfsError> {
        let refuse = |error| Err(VfsError::new(Operation::Write, &self.0.path, error));
        match &self.0.locked {
            Locked::Dir => refuse(ErrorKind::IsADirectory.into()),
            Locked::File(_) if self.0.kind == LockKind::Shared => refuse(read_only()),
            Locked::File(content) => {
                let mut content = content.write();
                content.clear();
                content.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn is_in_place(&self) -> Result<bool, VfsError> {
        let names = self.0.vfs.names();
        Ok(match &self.0.locked {
            Locked::Dir => names.kind(&self.0.path) == Some(EntryKind::Dir),
            Locked::File(content) => names.file(&self.0.path).is_ok_and(|there| Arc::ptr_eq(&there, content)),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.holders(|holders| holders.give_back(self.0.kind));
    }
}

/// The bytes of a range, or `None` if it is not complete.
pub(super) fn range_of(bytes: &[u8], offset: u64, len: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(len)?)
}

/// The error of reading a range that does not exist.
pub(super) fn past_end(path: &Path, offset: u64, len: usize) -> VfsError {
    let source = io::Error::new(ErrorKind::UnexpectedEof, "the file ends before");
    VfsError::new(Operation::Read, path, name_range(offset, len, source))
}
