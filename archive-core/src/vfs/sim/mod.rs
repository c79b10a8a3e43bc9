//! A simulated disk that fails on demand and the same way each time: power loss, killed processes, full and broken
//! media.
//!
//! It knows two states of everything: what the process sees (the cache of the system) and what is on the medium. Only
//! syncs bring one to the other. A seed decides what a power loss makes of the rest, within what real file systems do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::disk::{Disk, Effect, FileNo, Locked};
use super::error::{check_cut, name_range, read_only};
use super::mem::{past_end, range_of};
use super::{DirEntry, EntryKind, LockKind, Operation, Vfs, VfsError, VfsFile, VfsLock};

mod chance;
mod content;
mod disk;

/// A simulated disk. Clones are handles of the same disk.
///
/// Calls that change something (create, create directory, append, rewrite, truncate, sync, rename, remove, sync
/// directory, note) are numbered from 0, and so, separately, are those that do not (open, list, kind, length, read,
/// lock). Refused writes to a file that is open only for reading are not counted.
#[derive(Clone)]
pub struct SimVfs {
    disk: Arc<Mutex<Disk>>,
}

/// What power loss makes of changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashStyle {
    /// Each write is kept, dropped or torn, each cut and each change of a name kept or dropped. Equal seeds decide
    /// equally.
    ///
    /// Torn: a prefix is kept, or some sectors of 512 bytes of a long write. If later bytes are kept and earlier ones
    /// are not, there are zeros between them; a dropped append may leave its length in zeros. A rename happens
    /// completely or not at all, and no change of a name is kept without the earlier ones of that name.
    Seeded(u64),
    /// All of them are lost.
    KeepNothing,
    /// None of them is lost.
    KeepAll,
}

/// When a process dies in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashMoment {
    /// The call has no effect.
    Before,
    /// An append has written a prefix; other calls have no effect.
    Within,
    /// The call has its whole effect, but does not return.
    After,
}

/// How a call fails. A fault that does not fit the call (a short read of a rename) acts as [`Fault::Eio`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Input/output error, without an effect; what was dirty stays dirty.
    Eio,
    /// The medium is full; no effect.
    Enospc,
    /// The file ends within the range read.
    ShortRead,
    /// A prefix is appended, then the medium is full.
    ShortWrite,
    /// A sync of a file fails, and the system marks what was dirty as clean although the medium never got it: a later
    /// sync succeeds without writing it. Only [`VfsFile::rewrite`] makes it dirty again.
    SyncForgets,
    /// Permission denied; no effect.
    Denied,
    /// The file system is read-only; no effect.
    ReadOnly,
    /// The process has too many files open; no effect.
    OutOfFiles,
}

impl SimVfs {
    /// An empty disk. `seed` decides how much of a short write is written.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(Disk::new(seed))
    }

    fn of(disk: Disk) -> Self {
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Number of calls made so far that change something, which is the number of the next one.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.disk().plan.calls
    }

    /// Number of calls made so far that change nothing, which is the number of the next one.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.disk().plan.reads
    }

    /// Lets the process die in the changing call of this number, or in the next one if that is past. From there on
    /// every call fails; [`SimVfs::process_death`] or [`SimVfs::power_loss`] give the disk that the next process finds.
    pub fn crash_at(&self, call: u64, moment: CrashMoment) {
        self.disk().plan.crash = Some((call, moment));
    }

    /// Lets the changing call of this number fail. The calls after it work. More than one fault may be planned.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.disk().plan.faults.insert(call, fault);
    }

    /// Lets the call of this number among those that change nothing fail, like [`SimVfs::fail_at`].
    pub fn fail_read_at(&self, read: u64, fault: Fault) {
        self.disk().plan.read_faults.insert(read, fault);
    }

    /// Lets every changing call on `dir` and below it fail from now on; `None` ends that.
    pub fn refuse_changes(&self, dir: &Path, fault: Option<Fault>) {
        let mut disk = self.disk();
        match fault {
            Some(fault) => disk.plan.refused_changes.insert(dir.to_owned(), fault),
            None => disk.plan.refused_changes.remove(dir),
        };
    }

    /// Lets every call that changes nothing on `dir` and below it fail from now on; `None` ends that. A single file may
    /// be named too.
    pub fn refuse_reads(&self, dir: &Path, fault: Option<Fault>) {
        let mut disk = self.disk();
        match fault {
            Some(fault) => disk.plan.refused_reads.insert(dir.to_owned(), fault),
            None => disk.plan.refused_reads.remove(dir),
        };
    }

    /// At most this many files and locks may be open at a time, through all handles of this disk. Listing and syncing a
    /// folder needs one while it runs.
    pub fn limit_open_files(&self, most: Option<usize>) {
        self.disk().plan.most_open = most;
    }

    /// The most files and locks that were open at a time.
    #[must_use]
    pub fn most_opened(&self) -> usize {
        self.disk().plan.most_opened
    }

    /// `true` if the process died, so that every call fails.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.disk().plan.dead
    }

    /// A disk as this one would be after power failed now: a copy, with no handles, locks, planned faults or calls
    /// made. This one continues, so that many outcomes can be drawn from one state.
    #[must_use]
    pub fn power_loss(&self, style: CrashStyle) -> Self {
        Self::of(self.disk().after_power_loss(style))
    }

    /// Kills the process: every call on this disk and its handles fails from now on. The returned disk is what the next
    /// process finds: everything written is visible, locks are free, and what was not synced may still be lost to a
    /// later power loss.
    #[must_use]
    pub fn process_death(&self) -> Self {
        let mut disk = self.disk();
        disk.plan.dead = true;
        Self::of(disk.after_process_death())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a changing call; a failing one has its whole effect or none.
    fn change<T>(&self, operation: Operation, path: &Path, act: impl FnOnce(&mut Disk) -> io::Result<T>) -> Result<T, VfsError> {
        let mut disk = self.disk();
        let done = match disk.begin_call(path) {
            Ok(()) => act(&mut disk),
            Err((Effect::Whole, error)) => act(&mut disk).and(Err(error)),
            Err((_, error)) => Err(error),
        };
        done.map_err(|error| VfsError::new(operation, path, error))
    }

    /// Makes a call that changes nothing.
    fn read<T>(&self, operation: Operation, path: &Path, act: impl FnOnce(&mut Disk) -> io::Result<T>) -> Result<T, VfsError> {
        let mut disk = self.disk();
        disk.begin_read(path).and_then(|()| act(&mut disk)).map_err(|error| VfsError::new(operation, path, error))
    }

    fn opened(&self, path: &Path) -> Result<FileNo, VfsError> {
        self.read(Operation::Open, path, |disk| {
            disk.need_handle()?;
            disk.names.file(path).inspect(|_| disk.opened())
        })
    }

    /// A handle of `file`, which was counted as open.
    fn handle(&self, file: FileNo, path: &Path, writable: bool) -> Arc<dyn VfsFile> {
        Arc::new(SimFile { vfs: self.clone(), file, path: path.to_owned(), writable })
    }
}

impl Default for SimVfs {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for SimVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimVfs").finish_non_exhaustive()
    }
}

impl Vfs for SimVfs {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        let file = self.change(Operation::Create, path, |disk| {
            disk.need_handle()?;
            disk.create(path).inspect(|_| disk.opened())
        })?;
        Ok(self.handle(file, path, true))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        Ok(self.handle(self.opened(path)?, path, true))
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        Ok(self.handle(self.opened(path)?, path, false))
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        self.change(Operation::Create, path, |disk| disk.create_dir(path))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>, VfsError> {
        self.read(Operation::List, dir, |disk| disk.need_handle().and_then(|()| disk.names.list(dir)))
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        self.read(Operation::List, path, |disk| Ok(disk.names.kind(path)))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.change(Operation::Rename, from, |disk| disk.rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.change(Operation::Rename, from, |disk| disk.rename_new(from, to))
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        self.change(Operation::Remove, path, |disk| disk.remove(path))
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), VfsError> {
        self.change(Operation::SyncDir, dir, |disk| disk.need_handle().and_then(|()| disk.sync_dir(dir)))
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        let locked = self.read(Operation::Lock, path, |disk| {
            disk.need_handle()?;
            let locked = disk.locked(path)?;
            let taken = disk.holders.entry(locked.clone()).or_default().take(kind);
            Ok(taken.then(|| disk.opened()).map(|()| locked))
        })?;
        Ok(locked.map(|locked| Box::new(SimLock { vfs: self.clone(), locked, path: path.to_owned(), kind }) as Box<dyn VfsLock>))
    }
}

/// An open file of the simulated disk.
#[derive(Debug)]
struct SimFile {
    vfs: SimVfs,
    file: FileNo,
    path: PathBuf,
    writable: bool,
}

impl SimFile {
    fn need_writable(&self, operation: Operation) -> Result<(), VfsError> {
        if self.writable { Ok(()) } else { Err(VfsError::new(operation, &self.path, read_only())) }
    }
}

impl VfsFile for SimFile {
    fn len(&self) -> Result<u64, VfsError> {
        self.vfs.read(Operation::Len, &self.path, |disk| Ok(disk.content(self.file).live().len() as u64))
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        let mut disk = self.vfs.disk();
        let failed = |error| VfsError::new(Operation::Read, &self.path, name_range(offset, buf.len(), error));
        disk.begin_read(&self.path).map_err(failed)?;
        match range_of(disk.content(self.file).live(), offset, buf.len()) {
            Some(found) => {
                buf.copy_from_slice(found);
                Ok(())
            }
            None => Err(past_end(&self.path, offset, buf.len())),
        }
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        self.need_writable(Operation::Write)?;
        let mut disk = self.vfs.disk();
        let (written, error) = match disk.begin_call(&self.path) {
            Ok(()) => (bytes, None),
            Err((Effect::Whole, error)) => (bytes, Some(error)),
            Err((Effect::Part(fraction), error)) => {
                let cut = (bytes.len() as u64 * u64::from(fraction)) >> 16;
                (bytes.split_at(cut as usize).0, Some(error))
            }
            Err((Effect::None | Effect::Forget, error)) => (&bytes[..0], Some(error)),
        };
        disk.content(self.file).append(written);
        error.map_or(Ok(()), |error| Err(VfsError::new(Operation::Write, &self.path, error)))
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        self.need_writable(Operation::Write)?;
        let (at, len) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(len).unwrap_or(usize::MAX));
        let rewritten = self.vfs.change(Operation::Write, &self.path, |disk| Ok(disk.content(self.file).rewrite(at, len)))?;
        rewritten.ok_or_else(|| past_end(&self.path, offset, len))
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        self.need_writable(Operation::Truncate)?;
        self.vfs.change(Operation::Truncate, &self.path, |disk| {
            let content = disk.content(self.file);
            check_cut(content.live().len() as u64, len)?;
            content.cut(usize::try_from(len).unwrap_or(usize::MAX));
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), VfsError> {
        self.need_writable(Operation::Sync)?;
        let mut disk = self.vfs.disk();
        let outcome = disk.begin_call(&self.path);
        let content = disk.content(self.file);
        match &outcome {
            Ok(()) | Err((Effect::Whole, _)) => content.sync(),
            Err((Effect::Forget, _)) => content.forget(),
            Err((Effect::None | Effect::Part(_), _)) => {}
        }
        outcome.map_err(|(_, error)| VfsError::new(Operation::Sync, &self.path, error))
    }

    fn links(&self) -> Result<u64, VfsError> {
        self.vfs.read(Operation::Len, &self.path, |_| Ok(1))
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.vfs.disk().plan.open -= 1;
    }
}

/// A lock on a file or directory of the simulated disk.
#[derive(Debug)]
struct SimLock {
    vfs: SimVfs,
    locked: Locked,
    path: PathBuf,
    kind: LockKind,
}

impl VfsLock for SimLock {
    fn path(&self) -> &Path {
        &self.path
    }

    fn note(&self, bytes: &[u8]) -> Result<(), VfsError> {
        if self.kind == LockKind::Shared {
            return Err(VfsError::new(Operation::Write, &self.path, read_only()));
        }
        self.vfs.change(Operation::Write, &self.path, |disk| {
            let Locked::File(file) = self.locked else { return Err(io::ErrorKind::IsADirectory.into()) };
            let content = disk.content(file);
            content.cut(0);
            content.append(bytes);
            Ok(())
        })
    }

    fn is_in_place(&self) -> Result<bool, VfsError> {
        self.vfs.read(Operation::List, &self.path, |disk| Ok(disk.locked(&self.path).is_ok_and(|there| there == self.locked)))
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut disk = self.vfs.disk();
        disk.holders.entry(self.locked.clone()).or_default().give_back(self.kind);
        disk.plan.open -= 1;
    }
}
