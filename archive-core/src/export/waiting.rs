//! Files that are written and wait for their names: they are synced together, which on some systems is one call for all
//! of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::place::failed;
use crate::error::Error;
use crate::vfs::Operation;

/// At most this many files, or this many bytes, wait.
const FILES: usize = 512;
const BYTES: u64 = 64 << 20;

/// A file that is written and closed, under the name that it has until it is synced.
pub(super) struct Written {
    pub(super) partial: PathBuf,
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

/// The files that wait. What waits when this is dropped gets its name if it can still be synced.
pub(super) struct Waiting {
    volume: Volume,
    files: Vec<Written>,
    bytes: u64,
}

impl Waiting {
    /// For files below `root`.
    pub(super) fn below(root: &Path) -> Result<Self, Error> {
        Ok(Self { volume: Volume::of(root)?, files: Vec::new(), bytes: 0 })
    }

    /// No other file that waits has this number.
    pub(super) fn next_number(&self) -> usize {
        self.files.len()
    }

    pub(super) fn add(&mut self, file: Written) -> Result<(), Error> {
        self.bytes += file.len;
        self.files.push(file);
        if self.files.len() >= FILES || self.bytes >= BYTES { self.settle() } else { Ok(()) }
    }

    /// Syncs all files that wait, and gives them their names.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        let files = std::mem::take(&mut self.files);
        self.bytes = 0;
        self.volume.sync(&files)?;
        for file in &files {
            name(file)?;
        }
        let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.path.parent()).collect();
        folders.into_iter().try_for_each(|folder| self.volume.sync_names(folder))
    }

    /// Settles the rest, and makes the names durable.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.settle()?;
        self.volume.finish()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The export has failed and reported that already.
        let _unnamed = self.settle();
    }
}

fn name(file: &Written) -> Result<(), Error> {
    let Written { partial, path, .. } = file;
    match fs::hard_link(partial, path) {
        Ok(()) => fs::remove_file(partial).map_err(failed(Operation::Remove, partial)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Error::Exists { path: path.clone(), hint: "; nothing is written over it" })
        }
        // Some file systems have no links.
        Err(_) => fs::rename(partial, path).map_err(failed(Operation::Rename, path)),
    }
}

fn sync_each(files: &[Written]) -> Result<(), Error> {
    files.iter().try_for_each(|file| {
        // Windows syncs only files that are open for writing.
        let opened = File::options().read(true).append(true).open(&file.partial);
        opened.and_then(|file| file.sync_all()).map_err(failed(Operation::Sync, &file.partial))
    })
}

/// The volume of the destination, which can be synced as a whole.
#[cfg(any(target_os = "linux", target_os = "android"))]
struct Volume {
    /// Opened before anything is written, so that no error of a write is missed.
    root: File,
    path: PathBuf,
    device: u64,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Volume {
    fn of(root: &Path) -> Result<Self, Error> {
        use std::os::unix::fs::MetadataExt;
        let file = File::open(root).map_err(failed(Operation::Open, root))?;
        let device = file.metadata().map_err(failed(Operation::List, root))?.dev();
        Ok(Self { root: file, path: root.to_owned(), device })
    }

    fn sync(&self, files: &[Written]) -> Result<(), Error> {
        use std::os::unix::fs::MetadataExt;
        // Another volume may be mounted below the destination. For a few files, syncing each costs less than syncing
        // everything that others wrote to the volume.
        let are_here = files.iter().all(|file| fs::symlink_metadata(&file.partial).is_ok_and(|data| data.dev() == self.device));
        if !are_here || files.len() < 3 {
            return sync_each(files);
        }
        self.sync_all()
    }

    /// Until [`Volume::finish`], a crash may take the names, and the files with them.
    fn sync_names(&self, _folder: &Path) -> Result<(), Error> {
        Ok(())
    }

    fn finish(&self) -> Result<(), Error> {
        self.sync_all()
    }

    fn sync_all(&self) -> Result<(), Error> {
        rustix::fs::syncfs(&self.root).map_err(|error| failed(Operation::Sync, &self.path)(error.into()))
    }
}

/// This system has no call to sync a volume.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
struct Volume;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Volume {
    fn of(_root: &Path) -> Result<Self, Error> {
        Ok(Self)
    }

    fn sync(&self, files: &[Written]) -> Result<(), Error> {
        sync_each(files)
    }

    fn sync_names(&self, folder: &Path) -> Result<(), Error> {
        if cfg!(unix) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(Operation::Sync, folder))?;
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Error> {
        Ok(())
    }
}
