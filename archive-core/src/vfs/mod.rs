//! The file operations that the engine needs, as a trait whose text is a contract. Everything that the
//! library writes goes through it; tests put a simulated disk in place of the real one.
//!
//! The engine appends, reads by range, renames whole files and syncs; it never overwrites in place except in
//! [`VfsFile::rewrite`], which writes the same bytes where they already are. Paths are absolute or relative to the
//! process's working directory, and are passed to the system as they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

mod cut;
mod disk;
mod error;
mod freeze;
mod holders;
mod kept;
mod map;
mod mem;
mod names;
mod read_only;
#[cfg(any(test, feature = "sim"))]
mod sim;

pub(crate) use cut::cut_file;
pub use disk::DiskVfs;
pub use error::{Operation, VfsError, hint_of_open_files};
pub(crate) use freeze::{FreezableVfs, Freezer};
pub(crate) use kept::KeptFile;
pub use mem::MemVfs;
pub(crate) use read_only::ReadOnlyVfs;
#[cfg(any(test, feature = "sim"))]
pub use sim::{CrashMoment, CrashStyle, Fault, SimVfs};

/// A file system as the engine sees it.
///
/// A name (created, renamed, removed) survives a loss of power only after [`Vfs::sync_dir`] of its directory
/// returned `Ok`; contents only after [`VfsFile::sync`]. Every error names the path and the operation.
///
/// Links are not followed: if a call expects a file, a link in its place is an error ([`VfsError::is_link`]), and so is
/// one where [`Vfs::create_dir`] expects a directory. Parent directories may be links; a caller that must not be led
/// elsewhere calls [`Vfs::create_dir`] first.
pub trait Vfs: Send + Sync + std::fmt::Debug {
    /// Creates a new empty file, open for reading and appending. Fails if the name exists.
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError>;

    /// Opens an existing file for reading and appending at its end.
    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError>;

    /// Opens an existing file only for reading; changing and syncing it fails. Works on read-only media.
    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError>;

    /// Opens a closed file for reading: nobody changes it any more, but it may be renamed and removed. If it grows or is
    /// cut nevertheless, reads return the bytes that it has, or an error; an implementation may promise less about a cut.
    /// By default the same as [`Vfs::open_read`].
    fn open_closed(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.open_read(path)
    }

    /// Creates a directory whose parent exists; `Ok` if it already exists.
    fn create_dir(&self, path: &Path) -> Result<(), VfsError>;

    /// The entries of a directory, sorted by name. A missing directory is an error.
    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>, VfsError>;

    /// What is at `path`, or `None` if nothing is.
    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError>;

    /// Gives the file `from` the name `to` in one step; a file at `to` is replaced. Open files stay usable.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError>;

    /// Like [`Vfs::rename`], but fails if the name `to` exists ([`VfsError::is_taken`]).
    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError>;

    /// Removes a file. Files that are open stay readable until they are closed.
    fn remove(&self, path: &Path) -> Result<(), VfsError>;

    /// `Ok`: all names created, renamed or removed in `dir` before survive a loss of power.
    fn sync_dir(&self, dir: &Path) -> Result<(), VfsError>;

    /// Takes the system's lock on the file or directory at `path`, without waiting; `None` if another holder is in the
    /// way. The lock is released with the value, and with the process. The path must exist. Two locks of the same
    /// process exclude each other like those of two processes. A directory may be named through a link. A system
    /// without locks for directories returns an error ([`VfsError::is_unsupported`]).
    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError>;
}

/// An open file. Methods take `&self`: readers share it with the appender.
pub trait VfsFile: Send + Sync + std::fmt::Debug {
    /// Length in bytes, including everything appended so far.
    fn len(&self) -> Result<u64, VfsError>;

    /// `true` if the file is empty.
    fn is_empty(&self) -> Result<bool, VfsError> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf` from `offset` on. Fewer than `buf.len()` bytes are an error that names the range; short reads of the
    /// system are continued.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError>;

    /// Appends all of `bytes`. `Err`: any prefix of them may have been written; the caller truncates or gives up.
    fn append(&self, bytes: &[u8]) -> Result<(), VfsError>;

    /// Writes `len` bytes from `offset` once more where they are, so that the next sync brings them to the medium
    /// whatever the system believes about its cache (after a failed sync it forgets what was dirty).
    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError>;

    /// Cuts the file to `len` bytes, which must not exceed its length.
    fn truncate(&self, len: u64) -> Result<(), VfsError>;

    /// `Ok`: all bytes written before survive a loss of power. `Err`: nothing is known; do not continue to write.
    fn sync(&self) -> Result<(), VfsError>;

    /// How many names the file has now. With more than one, a write is visible under all of them.
    fn links(&self) -> Result<u64, VfsError>;
}

/// A lock; dropping it releases it.
pub trait VfsLock: Send + Sync + std::fmt::Debug {
    /// The path by which it was taken.
    fn path(&self) -> &Path;

    /// Replaces the locked file's bytes by `bytes`. Only for messages to others: never synced, and not to be relied on.
    /// Fails under a shared lock, on a directory, and on a file that has more than one name ([`VfsError::is_link`]).
    fn note(&self, bytes: &[u8]) -> Result<(), VfsError>;

    /// Whether the path still leads to what is locked. `false`: it was removed, renamed or replaced, and another
    /// process may hold a lock there.
    fn is_in_place(&self) -> Result<bool, VfsError>;
}

/// How a lock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// Any number of holders, none exclusive.
    Shared,
    /// One holder.
    Exclusive,
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// Anything else (a link, a device); the engine ignores it.
    Other,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The directory joined with the name.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
}
