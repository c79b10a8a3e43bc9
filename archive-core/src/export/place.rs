//! The destination: folders are created below it, and no link is followed out of it.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::names::escape;
use super::new_file::NewFile;
use super::waiting::Waiting;
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::Digest;
use crate::source::PARTIAL_EXPORT;
use crate::vfs::{Operation, VfsError};

/// A failed operation on a file of the user.
pub(super) fn failed(operation: Operation, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| VfsError::new(operation, path, source).into()
}

/// The folder that an export goes into.
pub(super) struct Destination {
    root: PathBuf,
    waiting: Waiting,
    /// The folder used last, which is mostly that of the next mail too.
    last: Option<PathBuf>,
}

/// A place below the destination: its path, and the same relative to the destination with `/`.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) relative: String,
}

impl Place {
    /// `name` in this folder.
    pub(super) fn join(&self, name: &str) -> Self {
        let relative = if self.relative.is_empty() { name.to_owned() } else { format!("{}/{name}", self.relative) };
        Self { path: self.path.join(name), relative }
    }

    /// Whether anything exists there, including a dangling link.
    pub(super) fn is_taken(&self) -> Result<bool, Error> {
        match fs::symlink_metadata(&self.path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(Operation::List, &self.path)(error)),
        }
    }
}

/// Whether an unfinished export left this file.
fn is_partial(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(PARTIAL_EXPORT.as_bytes()) && entry.file_type().is_ok_and(|kind| kind.is_file())
}

/// Removes what unfinished exports left, in the destination and all folders below it.
fn remove_partials(dest: &Path) -> Result<(), Error> {
    let mut waiting = vec![dest.to_owned()];
    while let Some(folder) = waiting.pop() {
        // A folder that cannot be listed is not one that an export could have written to.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if is_partial(&entry) {
                fs::remove_file(entry.path()).map_err(failed(Operation::Remove, &entry.path()))?;
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
    Ok(())
}

impl Destination {
    /// Opens `dest`, which is created if missing and must be empty unless `update`.
    pub(super) fn open(dest: &Path, update: bool) -> Result<Self, Error> {
        if dest.exists() && !dest.is_dir() {
            return Err(Error::Exists { path: dest.to_owned(), hint: " and is not a folder" });
        }
        fs::create_dir_all(dest).map_err(failed(Operation::Create, dest))?;
        let mut entries = fs::read_dir(dest).map_err(failed(Operation::List, dest))?;
        if !update && entries.any(|entry| !entry.is_ok_and(|entry| is_partial(&entry))) {
            return Err(Error::Exists { path: dest.to_owned(), hint: " and is not empty; export into an empty folder, or with `update`" });
        }
        remove_partials(dest)?;
        Ok(Self { root: dest.to_owned(), waiting: Waiting::below(dest)?, last: None })
    }

    /// The destination itself.
    pub(super) fn root(&self) -> Place {
        Place { path: self.root.clone(), relative: String::new() }
    }

    /// Whether there is a file of this name, relative to the destination.
    pub(super) fn has(&self, relative: &str) -> bool {
        let path = Path::new(relative);
        let is_below = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        is_below && fs::symlink_metadata(self.root.join(path)).is_ok_and(|data| data.is_file())
    }

    /// The place of a folder, which need not exist.
    pub(super) fn folder(&self, path: &FolderPath) -> Place {
        path.names().iter().fold(self.root(), |place, name| place.join(&escape(name)))
    }

    /// Creates a folder below the destination, with its parents. An existing one must be a folder itself, not a link to
    /// one.
    pub(super) fn make(&mut self, place: &Place) -> Result<(), Error> {
        if self.last.as_ref() == Some(&place.path) {
            return Ok(());
        }
        let mut path = self.root.clone();
        for name in place.relative.split('/').filter(|name| !name.is_empty()) {
            path.push(name);
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let data = fs::symlink_metadata(&path).map_err(failed(Operation::List, &path))?;
                    if !data.is_dir() {
                        return Err(Error::Exists { path, hint: " and is not a folder" });
                    }
                }
                Err(error) => return Err(failed(Operation::Create, &path)(error)),
            }
        }
        self.last = Some(place.path.clone());
        Ok(())
    }

    /// A new file for `place`, whose folder exists.
    pub(super) fn create(&self, place: Place) -> Result<NewFile, Error> {
        NewFile::create(place, self.waiting.next_number())
    }

    /// Called when the file is whole; it gets its name together with others. Returns its digest.
    pub(super) fn keep(&mut self, file: NewFile, seconds: Option<i64>) -> Result<Digest, Error> {
        let (written, digest) = file.finish(seconds)?;
        self.waiting.add(written)?;
        Ok(digest)
    }

    /// Gives all files their names.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        self.waiting.settle()
    }

    /// Makes all names durable.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.waiting.finish()
    }
}
