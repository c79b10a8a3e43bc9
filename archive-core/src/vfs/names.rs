//! The names of a file system in memory: which files and directories exist, and the rules for changing them. `F` is how
//! the file system refers to a file's contents.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::{DirEntry, EntryKind};

/// Names and what they lead to. The roots (`/`, `.` and the empty path) are always there and have no entry.
#[derive(Debug, Clone)]
pub(super) struct Names<F>(BTreeMap<PathBuf, Node<F>>);

/// What a name leads to.
#[derive(Debug, Clone)]
pub(super) enum Node<F> {
    Dir,
    File(F),
}

impl<F> Default for Names<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Clone> Names<F> {
    /// What is at `path`.
    pub(super) fn kind(&self, path: &Path) -> Option<EntryKind> {
        if is_root(path) { Some(EntryKind::Dir) } else { self.0.get(path).map(Node::kind) }
    }

    /// The entries of a directory, sorted.
    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.need_dir(dir)?;
        let below = self.0.range::<Path, _>((Bound::Excluded(dir), Bound::Unbounded)).take_while(|(path, _)| path.starts_with(dir));
        let entries = below.filter(|(path, _)| path.parent() == Some(dir));
        Ok(entries.map(|(path, node)| DirEntry { path: path.clone(), kind: node.kind() }).collect())
    }

    /// Fails unless `path` is a directory.
    pub(super) fn need_dir(&self, path: &Path) -> io::Result<()> {
        match self.kind(path) {
            Some(EntryKind::Dir) => Ok(()),
            Some(_) => Err(ErrorKind::NotADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    /// The file at `path`.
    pub(super) fn file(&self, path: &Path) -> io::Result<F> {
        match self.0.get(path) {
            Some(Node::File(file)) => Ok(file.clone()),
            Some(Node::Dir) => Err(ErrorKind::IsADirectory.into()),
            None if is_root(path) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Gives a file its first name.
    pub(super) fn add_file(&mut self, path: &Path, file: F) -> io::Result<()> {
        self.need_dir(parent(path))?;
        if self.kind(path).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.put(path, Node::File(file));
        Ok(())
    }

    /// Adds a directory; `false` if it already exists.
    pub(super) fn add_dir(&mut self, path: &Path) -> io::Result<bool> {
        match self.kind(path) {
            Some(EntryKind::Dir) => return Ok(false),
            Some(_) => return Err(ErrorKind::AlreadyExists.into()),
            None => self.need_dir(parent(path))?,
        }
        self.put(path, Node::Dir);
        Ok(true)
    }

    /// Renames a file, replacing a file of that name.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.file(from)?;
        self.need_dir(parent(to))?;
        if self.kind(to) == Some(EntryKind::Dir) {
            return Err(ErrorKind::IsADirectory.into());
        }
        self.take(from);
        self.put(to, Node::File(file));
        Ok(())
    }

    /// Renames a file to a name that must be free.
    pub(super) fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.file(from)?;
        if self.kind(to).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to)
    }

    /// Removes the name of a file.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.take(path);
        Ok(())
    }

    /// Sets a name, whatever it was before and whether or not its directory exists.
    pub(super) fn put(&mut self, path: &Path, node: Node<F>) {
        self.0.insert(path.to_owned(), node);
    }

    /// Removes a name and returns what it led to.
    pub(super) fn take(&mut self, path: &Path) -> Option<Node<F>> {
        self.0.remove(path)
    }
}

#[cfg(any(test, feature = "sim"))]
impl<F: Clone> Names<F> {
    /// The names whose directories all exist.
    pub(super) fn reachable(&self) -> Self {
        let mut reached = Self::default();
        // A directory sorts before what is in it.
        for (path, node) in &self.0 {
            if reached.need_dir(parent(path)).is_ok() {
                reached.put(path, node.clone());
            }
        }
        reached
    }

    /// All files that have a name.
    pub(super) fn files(&self) -> impl Iterator<Item = &F> {
        self.0.values().filter_map(|node| match node {
            Node::Dir => None,
            Node::File(file) => Some(file),
        })
    }
}

impl<F> Node<F> {
    fn kind(&self) -> EntryKind {
        match self {
            Self::Dir => EntryKind::Dir,
            Self::File(_) => EntryKind::File,
        }
    }
}

/// The directory that contains the name `path`.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn is_root(path: &Path) -> bool {
    path.parent().is_none() || path == Path::new(".")
}
