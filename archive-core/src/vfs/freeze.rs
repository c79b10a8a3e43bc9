//! The gate that everything passes which changes a file of an archive: commits, catalog, index, keys, and whatever comes
//! later. While it is shut, files stay as they are, so that a copy of them is a state that the archive once had.
//!
//! It is a file system around the real one, since then no writer can go round it. Between two operations the files are
//! as a killed process would leave them, which every open can go on from (P13).

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{DirEntry, EntryKind, LockKind, Vfs, VfsError, VfsFile, VfsLock};

/// Shut or open.
#[derive(Debug, Default)]
pub(crate) struct Freezer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Operations that change a file at this moment.
    passing: usize,
    /// Until when nothing is changed, and by which freeze.
    frozen: Option<(Instant, u64)>,
    freezes: u64,
}

impl State {
    /// How long it stays shut from now on, if it is.
    fn left(&self, now: Instant) -> Option<Duration> {
        let (until, _) = self.frozen?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

impl Freezer {
    /// Shuts the gate for at most `max`, and waits for operations under way. Returns the number of this freeze, or `None` if
    /// it is shut already.
    pub(crate) fn freeze(&self, max: Duration) -> Option<u64> {
        let mut state = self.state();
        let now = Instant::now();
        if state.left(now).is_some() {
            return None;
        }
        state.freezes += 1;
        let number = state.freezes;
        // Longer than any copy takes.
        let until = now.checked_add(max).unwrap_or_else(|| now + Duration::from_secs(u32::MAX.into()));
        state.frozen = Some((until, number));
        // No longer than it lasts: it has not held then.
        while state.passing > 0
            && let Some(left) = state.left(Instant::now())
        {
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(number)
    }

    /// Whether a freeze holds it shut.
    pub(crate) fn is_shut(&self) -> bool {
        self.state().left(Instant::now()).is_some()
    }

    /// Opens the gate again. Returns whether it was shut until now by the freeze of this number.
    pub(crate) fn thaw(&self, number: u64) -> bool {
        let mut state = self.state();
        let is_this = state.frozen.is_some_and(|(_, of)| of == number);
        let held = is_this && state.left(Instant::now()).is_some();
        if is_this {
            state.frozen = None;
            self.changed.notify_all();
        }
        held
    }

    /// Waits until the gate is open, and passes it.
    fn pass<T>(&self, change: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        while let Some(left) = state.left(Instant::now()) {
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.passing += 1;
        drop(state);
        let _passing = Passing(self);
        change()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the end of an operation, also where it panics.
struct Passing<'f>(&'f Freezer);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.passing -= 1;
        if state.passing == 0 {
            self.0.changed.notify_all();
        }
    }
}

/// A file system whose changes wait while the gate is shut.
#[derive(Debug)]
pub(crate) struct FreezableVfs {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) freezer: Arc<Freezer>,
}

impl FreezableVfs {
    fn file(&self, file: Result<Arc<dyn VfsFile>, VfsError>) -> Result<Arc<dyn VfsFile>, VfsError> {
        Ok(Arc::new(FreezableFile { file: file?, freezer: Arc::clone(&self.freezer) }))
    }
}

impl Vfs for FreezableVfs {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.file(self.freezer.pass(|| self.vfs.create(path)))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.file(self.vfs.open(path))
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.vfs.open_read(path)
    }

    fn open_closed(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.vfs.open_closed(path)
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        self.freezer.pass(|| self.vfs.create_dir(path))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>, VfsError> {
        self.vfs.list(dir)
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        self.vfs.kind(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.freezer.pass(|| self.vfs.rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.freezer.pass(|| self.vfs.rename_new(from, to))
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        self.freezer.pass(|| self.vfs.remove(path))
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), VfsError> {
        self.vfs.sync_dir(dir)
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        self.vfs.try_lock(path, kind)
    }
}

#[derive(Debug)]
struct FreezableFile {
    file: Arc<dyn VfsFile>,
    freezer: Arc<Freezer>,
}

impl VfsFile for FreezableFile {
    fn len(&self) -> Result<u64, VfsError> {
        self.file.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        self.file.read_exact_at(offset, buf)
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        self.freezer.pass(|| self.file.append(bytes))
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        self.freezer.pass(|| self.file.rewrite(offset, len))
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        self.freezer.pass(|| self.file.truncate(len))
    }

    // A sync changes no byte that a copy reads.
    fn sync(&self) -> Result<(), VfsError> {
        self.file.sync()
    }

    fn links(&self) -> Result<u64, VfsError> {
        self.file.links()
    }
}
