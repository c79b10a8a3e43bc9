//! A view of a file system that changes nothing: what a reader beside a writer works on, so that no code of it can
//! create, cut, rename or remove anything (P14).

use std::path::Path;
use std::sync::Arc;

use super::error::read_only;
use super::{DirEntry, EntryKind, LockKind, Operation, Vfs, VfsError, VfsFile, VfsLock};

/// Reads from `0`, and refuses everything else as a read-only medium does.
#[derive(Debug)]
pub(crate) struct ReadOnlyVfs(pub(crate) Arc<dyn Vfs>);

fn refused<T>(operation: Operation, path: &Path) -> Result<T, VfsError> {
    Err(VfsError::new(operation, path, read_only()))
}

impl Vfs for ReadOnlyVfs {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        refused(Operation::Create, path)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        refused(Operation::Open, path)
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.0.open_read(path)
    }

    fn open_closed(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.0.open_closed(path)
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        refused(Operation::Create, path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>, VfsError> {
        self.0.list(dir)
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        self.0.kind(path)
    }

    fn rename(&self, from: &Path, _to: &Path) -> Result<(), VfsError> {
        refused(Operation::Rename, from)
    }

    fn rename_new(&self, from: &Path, _to: &Path) -> Result<(), VfsError> {
        refused(Operation::Rename, from)
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        refused(Operation::Remove, path)
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), VfsError> {
        refused(Operation::SyncDir, dir)
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        match kind {
            LockKind::Shared => self.0.try_lock(path, kind),
            LockKind::Exclusive => refused(Operation::Lock, path),
        }
    }
}
