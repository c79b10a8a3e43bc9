//! What can go wrong with a file: the operation, the path, and the system's own words.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file operation that failed. Its source is the system's [`io::Error`].
#[derive(Debug, Clone)]
pub struct VfsError {
    /// What was tried.
    pub operation: Operation,
    /// On which file or directory.
    pub path: PathBuf,
    /// The system's answer.
    pub source: Arc<io::Error>,
}

impl fmt::Display for VfsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}{}", self.operation, self.path.display(), self.source, self.fix())
    }
}

impl std::error::Error for VfsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Not the `Arc`, which could not be downcast to the error in it.
        Some(&*self.source)
    }
}

impl VfsError {
    /// What to do.
    fn fix(&self) -> String {
        if self.is_full() {
            return "; free some space and try again".to_owned();
        }
        if self.is_denied() && self.path.ends_with("write.lock") {
            return "; only reading works without the right to write there".to_owned();
        }
        if self.is_denied() && self.operation.writes() {
            return "; archiving needs permission to write there".to_owned();
        }
        hint_of_open_files(&self.source)
    }

    /// An error of `operation` on `path`.
    #[must_use]
    pub fn new(operation: Operation, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.to_owned(), source: Arc::new(source) }
    }

    /// `true` if the medium is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
    }

    /// `true` if nothing can be written there for now: it is full, read-only, or permission is denied.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.is_full() || self.is_denied()
    }

    /// `true` if the process or the system is short of open files or of memory: nothing is wrong with the file, and the
    /// same call may succeed later.
    #[must_use]
    pub fn is_shortage(&self) -> bool {
        is_out_of_files(&self.source) || self.source.kind() == io::ErrorKind::OutOfMemory
    }

    /// `true` if the process or the system has as many files open as it may.
    #[must_use]
    pub fn is_out_of_files(&self) -> bool {
        is_out_of_files(&self.source)
    }

    /// `true` if the system does not let the file be written: permission denied, or a read-only medium.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    }

    /// `true` if the name does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// `true` if the name had to be new and already exists.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }

    /// `true` if the file system has no such operation.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.source.kind() == io::ErrorKind::Unsupported
    }

    /// `true` if a link is in the place of a file or directory, or the file has other names.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.source.get_ref().is_some_and(|inner| inner.is::<Linked>())
    }
}

/// Why a name or file is not touched: it may lead outside the archive.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum Linked {
    #[error("a link is in its place; nothing is read or written through links")]
    Symbolic,
    #[error("it has {0} names (hard links); nothing is written, since all of them would change")]
    Hard(u64),
}

impl From<Linked> for io::Error {
    fn from(linked: Linked) -> Self {
        Self::other(linked)
    }
}

/// Error numbers without a kind in the standard library; the same on all Unix-like systems.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
/// `ERROR_TOO_MANY_OPEN_FILES`.
const WINDOWS_TOO_MANY: i32 = 4;

fn is_out_of_files(error: &io::Error) -> bool {
    match error.raw_os_error() {
        Some(number) if cfg!(windows) => number == WINDOWS_TOO_MANY,
        number => matches!(number, Some(EMFILE | ENFILE)),
    }
}

/// The system's error if the process has too many files open.
#[cfg(any(test, feature = "sim"))]
pub(super) fn out_of_files() -> io::Error {
    io::Error::from_raw_os_error(if cfg!(windows) { WINDOWS_TOO_MANY } else { EMFILE })
}

/// What to do about `error`, to be appended to its text, if it is about the limit on open files; otherwise empty.
#[must_use]
pub fn hint_of_open_files(error: &io::Error) -> String {
    match error.raw_os_error() {
        _ if !is_out_of_files(error) => String::new(),
        Some(ENFILE) if cfg!(unix) => {
            "; too many files are open on this system: end some processes, or raise the system's limit".to_owned()
        }
        _ => match open_files_limit() {
            Some(limit) => format!("; raise the limit of open files, `ulimit -n`, which is now {limit}"),
            None => "; raise the limit of open files".to_owned(),
        },
    }
}

/// The limit on open files of the process.
#[cfg(unix)]
fn open_files_limit() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
}

#[cfg(not(unix))]
fn open_files_limit() -> Option<u64> {
    None
}

/// The error of changing a file that was opened read-only.
pub(super) fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "opened read-only")
}

/// The error of a read, with the requested range.
pub(super) fn name_range(offset: u64, len: usize, source: io::Error) -> io::Error {
    let end = offset.saturating_add(len as u64);
    io::Error::new(source.kind(), format!("bytes {offset}..{end}: {source}"))
}

/// Refuses to "cut" a file of `len` bytes to a greater length.
pub(super) fn check_cut(len: u64, to: u64) -> io::Result<()> {
    if to > len {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{to} bytes asked for, but it has {len}")));
    }
    Ok(())
}

/// The operations of [`super::Vfs`] and [`super::VfsFile`], for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Creating a file or directory.
    Create,
    /// Opening a file.
    Open,
    /// Listing a directory or looking up a name.
    List,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
    /// Syncing a directory.
    SyncDir,
    /// Locking.
    Lock,
    /// Getting the length.
    Len,
    /// Reading a range.
    Read,
    /// Appending or rewriting.
    Write,
    /// Cutting a file.
    Truncate,
    /// Syncing a file.
    Sync,
}

impl Operation {
    /// `true` if it changes something on the medium.
    pub(crate) fn writes(self) -> bool {
        !matches!(self, Self::Open | Self::List | Self::Lock | Self::Len | Self::Read)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "cannot create",
            Self::Open => "cannot open",
            Self::List => "cannot list",
            Self::Rename => "cannot rename",
            Self::Remove => "cannot remove",
            Self::SyncDir => "cannot sync the folder",
            Self::Lock => "cannot lock",
            Self::Len => "cannot take the length of",
            Self::Read => "cannot read",
            Self::Write => "cannot write",
            Self::Truncate => "cannot cut",
            Self::Sync => "cannot sync",
        })
    }
}
