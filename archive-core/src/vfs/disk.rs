//! The real file system, through the standard library, and through system calls where that has none.
//!
//! Files are not opened in the system's append mode: there every write goes to the end, including [`VfsFile::rewrite`].
//! The end is tracked here instead, which is correct as long as a file has one appender at a time; the archive's write
//! lock ensures that.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::{Linked, check_cut, name_range, read_only};
use super::map::Map;
use super::{DirEntry, EntryKind, LockKind, Operation, Vfs, VfsError, VfsFile, VfsLock};

#[cfg(windows)]
#[path = "disk/windows.rs"]
mod system;
#[cfg(unix)]
#[path = "disk/unix.rs"]
mod system;

/// Bytes that a rewrite holds in memory at a time.
const REWRITE_STEP: usize = 1 << 20;

/// The system's own files and directories. What it creates has the mode of its directory, files without the execute
/// bits: whoever may read or change the directory may also read or change the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskVfs {
    mapped_reads: bool,
}

impl DiskVfs {
    /// The real file system.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether closed files ([`Vfs::open_closed`]) are read through memory maps; off by default.
    /// [`crate::OpenOptions::mapped_reads`] describes the risk.
    #[must_use]
    pub fn mapped_reads(mut self, mapped_reads: bool) -> Self {
        self.mapped_reads = mapped_reads;
        self
    }
}

impl Vfs for DiskVfs {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        let file = system::create(path).map_err(failed(Operation::Create, path))?;
        Ok(Arc::new(Appendable::new(file, path, 0)))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        let (file, len) = open_file(path, true).map_err(failed(Operation::Open, path))?;
        Ok(Arc::new(Appendable::new(file, path, len)))
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        let (file, _) = open_file(path, false).map_err(failed(Operation::Open, path))?;
        Ok(Arc::new(Readable { file, path: path.to_owned() }))
    }

    fn open_closed(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        let (file, len) = open_file(path, false).map_err(failed(Operation::Open, path))?;
        let map = if self.mapped_reads { Map::of(&file, len) } else { None };
        let file = Readable { file, path: path.to_owned() };
        Ok(match map {
            Some(map) => Arc::new(Mapped { map, file }),
            None => Arc::new(file),
        })
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        match system::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::symlink_metadata(path) {
                Ok(there) if there.is_dir() => Ok(()),
                Ok(there) if there.is_symlink() => Err(Linked::Symbolic.into()),
                _ => Err(error),
            },
            other => other,
        }
        .map_err(failed(Operation::Create, path))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>, VfsError> {
        let read = || -> io::Result<Vec<DirEntry>> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(dir)? {
                let entry = entry?;
                entries.push(DirEntry { path: dir.join(entry.file_name()), kind: kind_of(entry.file_type()?) });
            }
            entries.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(entries)
        };
        read().map_err(failed(Operation::List, dir))
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(kind_of(metadata.file_type()))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(VfsError::new(Operation::List, path, error)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        fs::rename(from, to).map_err(failed(Operation::Rename, from))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        system::rename_new(from, to).map_err(failed(Operation::Rename, from))
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        fs::remove_file(path).map_err(failed(Operation::Remove, path))
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), VfsError> {
        system::sync_names(dir).map_err(failed(Operation::SyncDir, dir))
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        let is_dir = path.is_dir();
        // Where locks are emulated over a network, an exclusive one needs a file open for writing, a shared one a file
        // open for reading.
        let opened = if is_dir { system::open_dir(path) } else { open_file(path, kind == LockKind::Exclusive).map(|(file, _)| file) };
        let file = opened.map_err(failed(Operation::Lock, path))?;
        let locked = match kind {
            LockKind::Shared => file.try_lock_shared(),
            LockKind::Exclusive => file.try_lock(),
        };
        match locked {
            Ok(()) => Ok(Some(Box::new(Lock { file: Mutex::new(file), path: path.to_owned(), kind, is_dir }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if is_dir => Err(VfsError::new(Operation::Lock, path, system::without_folder_locks(error))),
            Err(TryLockError::Error(error)) => Err(VfsError::new(Operation::Lock, path, error)),
        }
    }
}

/// A file opened only for reading.
#[derive(Debug)]
struct Readable {
    file: File,
    path: PathBuf,
}

impl VfsFile for Readable {
    fn len(&self) -> Result<u64, VfsError> {
        let metadata = self.file.metadata().map_err(failed(Operation::Len, &self.path))?;
        Ok(metadata.len())
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        read_range(&self.file, &self.path, offset, buf)
    }

    fn append(&self, _bytes: &[u8]) -> Result<(), VfsError> {
        Err(VfsError::new(Operation::Write, &self.path, read_only()))
    }

    fn rewrite(&self, _offset: u64, _len: u64) -> Result<(), VfsError> {
        Err(VfsError::new(Operation::Write, &self.path, read_only()))
    }

    fn truncate(&self, _len: u64) -> Result<(), VfsError> {
        Err(VfsError::new(Operation::Truncate, &self.path, read_only()))
    }

    fn sync(&self) -> Result<(), VfsError> {
        Err(VfsError::new(Operation::Sync, &self.path, read_only()))
    }

    fn links(&self) -> Result<u64, VfsError> {
        system::links(&self.file).map_err(failed(Operation::Len, &self.path))
    }
}

/// A closed file, read through a map of it.
#[derive(Debug)]
struct Mapped {
    map: Map,
    file: Readable,
}

impl VfsFile for Mapped {
    fn len(&self) -> Result<u64, VfsError> {
        self.file.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        // Pages cut from the file are still in the map, and touching one ends the process. Bytes that the map does not
        // have may still be in the file; otherwise the read of the file returns the error.
        let is_there = self.len()? >= offset.saturating_add(buf.len() as u64);
        if is_there && self.map.read(offset, buf) { Ok(()) } else { self.file.read_exact_at(offset, buf) }
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        self.file.append(bytes)
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        self.file.rewrite(offset, len)
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        self.file.truncate(len)
    }

    fn sync(&self) -> Result<(), VfsError> {
        self.file.sync()
    }

    fn links(&self) -> Result<u64, VfsError> {
        self.file.links()
    }
}

/// A file opened for reading and appending.
#[derive(Debug)]
struct Appendable {
    file: File,
    path: PathBuf,
    /// Where the next append goes. Readers use it without waiting for an append in progress.
    end: AtomicU64,
    /// Held while the file changes.
    changing: Mutex<()>,
}

impl Appendable {
    fn new(file: File, path: &Path, len: u64) -> Self {
        Self { file, path: path.to_owned(), end: AtomicU64::new(len), changing: Mutex::new(()) }
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VfsFile for Appendable {
    fn len(&self) -> Result<u64, VfsError> {
        Ok(self.end.load(Ordering::Acquire))
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        read_range(&self.file, &self.path, offset, buf)
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        let _changing = self.change();
        let end = self.end.load(Ordering::Acquire);
        match system::write_all_at(&self.file, bytes, end) {
            Ok(()) => {
                self.end.store(end + bytes.len() as u64, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                // Some of the bytes may be in the file; the system knows how many.
                if let Ok(metadata) = self.file.metadata() {
                    self.end.store(metadata.len(), Ordering::Release);
                }
                Err(VfsError::new(Operation::Write, &self.path, error))
            }
        }
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        let _changing = self.change();
        let mut buf = vec![0; usize::try_from(len).map_or(REWRITE_STEP, |len| len.min(REWRITE_STEP))];
        let mut done = 0;
        while done < len {
            let step = usize::try_from(len - done).map_or(buf.len(), |left| left.min(buf.len()));
            let (part, _) = buf.split_at_mut(step);
            let at = offset.saturating_add(done);
            read_range(&self.file, &self.path, at, part)?;
            system::write_all_at(&self.file, part, at).map_err(failed(Operation::Write, &self.path))?;
            done += step as u64;
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        let _changing = self.change();
        check_cut(self.end.load(Ordering::Acquire), len)
            .and_then(|()| self.file.set_len(len))
            .map_err(failed(Operation::Truncate, &self.path))?;
        self.end.store(len, Ordering::Release);
        Ok(())
    }

    fn sync(&self) -> Result<(), VfsError> {
        // Carries the length too, which is the one piece of metadata that reading needs.
        self.file.sync_data().map_err(failed(Operation::Sync, &self.path))
    }

    fn links(&self) -> Result<u64, VfsError> {
        system::links(&self.file).map_err(failed(Operation::Len, &self.path))
    }
}

/// A file or directory with the system's lock on it; closing it releases the lock.
#[derive(Debug)]
struct Lock {
    file: Mutex<File>,
    path: PathBuf,
    kind: LockKind,
    is_dir: bool,
}

impl Lock {
    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VfsLock for Lock {
    fn path(&self) -> &Path {
        &self.path
    }

    fn note(&self, bytes: &[u8]) -> Result<(), VfsError> {
        let write = || {
            if self.is_dir {
                return Err(ErrorKind::IsADirectory.into());
            }
            if self.kind == LockKind::Shared {
                return Err(read_only());
            }
            let mut file = self.file();
            let links = system::links(&file)?;
            if links > 1 {
                return Err(Linked::Hard(links).into());
            }
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(bytes)
        };
        write().map_err(failed(Operation::Write, &self.path))
    }

    fn is_in_place(&self) -> Result<bool, VfsError> {
        system::stands_for(&self.path, &self.file(), self.is_dir).map_err(failed(Operation::List, &self.path))
    }
}

fn failed(operation: Operation, path: &Path) -> impl FnOnce(io::Error) -> VfsError + '_ {
    move |error| VfsError::new(operation, path, error)
}

/// Opens a regular file and takes its length. The system would also open a directory, and wait for the other end of a
/// pipe.
fn open_file(path: &Path, writable: bool) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true).write(writable);
    system::no_follow(&mut options);
    let file = match options.open(path) {
        // Systems report this differently.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) => return Err(Linked::Symbolic.into()),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    match kind_of(metadata.file_type()) {
        EntryKind::File => Ok((file, metadata.len())),
        EntryKind::Dir => Err(ErrorKind::IsADirectory.into()),
        EntryKind::Other if metadata.is_symlink() => Err(Linked::Symbolic.into()),
        EntryKind::Other => Err(io::Error::other("no file, but a pipe or device")),
    }
}

fn kind_of(file_type: fs::FileType) -> EntryKind {
    if file_type.is_file() {
        EntryKind::File
    } else if file_type.is_dir() {
        EntryKind::Dir
    } else {
        EntryKind::Other
    }
}

fn read_range(file: &File, path: &Path, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
    let len = buf.len();
    system::fill_at(file, offset, buf).map_err(|error| VfsError::new(Operation::Read, path, name_range(offset, len, error)))
}
