//! The state of a simulated disk: its names and files, in the cache and on the medium, and the planned faults.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::chance::Chance;
use super::content::Content;
use super::{CrashMoment, CrashStyle, Fault};
use crate::vfs::EntryKind;
use crate::vfs::error::out_of_files;
use crate::vfs::holders::Holders;
use crate::vfs::names::{Names, Node, parent};

/// Number of a file on the disk, whatever its name; never reused.
pub(super) type FileNo = u64;

/// What a lock is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Locked {
    File(FileNo),
    Dir(PathBuf),
}

/// How much of a call's effect takes place when the call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    /// This fraction, in 65536ths, of the bytes of a write; nothing of other calls.
    Part(u16),
    /// All of it, but the call reports failure.
    Whole,
    /// The cache marks what is dirty as clean.
    Forget,
}

/// A simulated disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) names: Names<FileNo>,
    durable_names: Names<FileNo>,
    /// Changes of names that no sync of a directory has covered yet, in their order.
    unsynced: Vec<NameChange>,
    pub(super) files: BTreeMap<FileNo, Content>,
    pub(super) holders: BTreeMap<Locked, Holders>,
    next_file: FileNo,
    seed: u64,
    pub(super) plan: Plan,
}

/// Which calls were made, and which are to fail.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) calls: u64,
    pub(super) reads: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    pub(super) read_faults: BTreeMap<u64, Fault>,
    pub(super) crash: Option<(u64, CrashMoment)>,
    pub(super) dead: bool,
    /// Folders whose files cannot be changed, and how that fails.
    pub(super) refused_changes: BTreeMap<PathBuf, Fault>,
    /// Folders whose files cannot be read, and how that fails.
    pub(super) refused_reads: BTreeMap<PathBuf, Fault>,
    /// How many files may be open.
    pub(super) most_open: Option<usize>,
    pub(super) open: usize,
    pub(super) most_opened: usize,
}

/// Which of `refused` a call on `path` meets: that of the folder or of a file in it.
fn refused(refused: &BTreeMap<PathBuf, Fault>, path: &Path) -> Option<Fault> {
    path.ancestors().find_map(|above| refused.get(above)).copied()
}

#[derive(Debug, Clone)]
enum NameChange {
    Add { path: PathBuf, node: Node<FileNo> },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
}

impl Disk {
    /// An empty disk.
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Counts a call that changes something at `path`. `Err`: it is to fail in this way, and with this effect.
    pub(super) fn begin_call(&mut self, path: &Path) -> Result<(), (Effect, io::Error)> {
        if self.plan.dead {
            return Err((Effect::None, dead()));
        }
        let call = self.plan.calls;
        self.plan.calls += 1;
        let part = Effect::Part((Chance::new(self.seed ^ call).next() & 0xffff) as u16);
        if let Some((at, moment)) = self.plan.crash
            && call >= at
        {
            self.plan.dead = true;
            let effect = match moment {
                CrashMoment::Before => Effect::None,
                CrashMoment::Within => part,
                CrashMoment::After => Effect::Whole,
            };
            return Err((effect, dead()));
        }
        match self.plan.faults.remove(&call).or_else(|| refused(&self.plan.refused_changes, path)) {
            None => Ok(()),
            Some(Fault::Eio | Fault::ShortRead) => Err((Effect::None, eio())),
            Some(Fault::Enospc) => Err((Effect::None, ErrorKind::StorageFull.into())),
            Some(Fault::ShortWrite) => Err((part, ErrorKind::StorageFull.into())),
            Some(Fault::SyncForgets) => Err((Effect::Forget, eio())),
            Some(Fault::Denied) => Err((Effect::None, ErrorKind::PermissionDenied.into())),
            Some(Fault::ReadOnly) => Err((Effect::None, ErrorKind::ReadOnlyFilesystem.into())),
            Some(Fault::OutOfFiles) => Err((Effect::None, out_of_files())),
        }
    }

    /// Counts a call that changes nothing, at `path`.
    pub(super) fn begin_read(&mut self, path: &Path) -> io::Result<()> {
        if self.plan.dead {
            return Err(dead());
        }
        let call = self.plan.reads;
        self.plan.reads += 1;
        match self.plan.read_faults.remove(&call).or_else(|| refused(&self.plan.refused_reads, path)) {
            None => Ok(()),
            Some(Fault::ShortRead) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the file ends before (simulated)")),
            Some(Fault::Enospc) => Err(ErrorKind::StorageFull.into()),
            Some(Fault::Eio | Fault::ShortWrite | Fault::SyncForgets) => Err(eio()),
            Some(Fault::Denied) => Err(ErrorKind::PermissionDenied.into()),
            Some(Fault::ReadOnly) => Err(ErrorKind::ReadOnlyFilesystem.into()),
            Some(Fault::OutOfFiles) => Err(out_of_files()),
        }
    }

    /// Fails if no further file can be opened.
    pub(super) fn need_handle(&self) -> io::Result<()> {
        if self.plan.most_open.is_some_and(|most| self.plan.open >= most) { Err(out_of_files()) } else { Ok(()) }
    }

    /// Counts a file that is open from now on.
    pub(super) fn opened(&mut self) {
        self.plan.open += 1;
        self.plan.most_opened = self.plan.most_opened.max(self.plan.open);
    }

    /// The bytes of a file. Numbers come from this disk, so the file exists.
    pub(super) fn content(&mut self, file: FileNo) -> &mut Content {
        self.files.entry(file).or_default()
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<FileNo> {
        let file = self.next_file;
        self.names.add_file(path, file)?;
        self.next_file += 1;
        self.files.insert(file, Content::default());
        self.unsynced.push(NameChange::Add { path: path.to_owned(), node: Node::File(file) });
        Ok(file)
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        if self.names.add_dir(path)? {
            self.unsynced.push(NameChange::Add { path: path.to_owned(), node: Node::Dir });
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.names.rename(from, to)?;
        self.unsynced.push(NameChange::Rename { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    pub(super) fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.names.rename_new(from, to)?;
        self.unsynced.push(NameChange::Rename { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    /// What is at `path`, to be locked.
    pub(super) fn locked(&self, path: &Path) -> io::Result<Locked> {
        match self.names.kind(path) {
            Some(EntryKind::Dir) => Ok(Locked::Dir(path.to_owned())),
            _ => self.names.file(path).map(Locked::File),
        }
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.names.remove(path)?;
        self.unsynced.push(NameChange::Remove { path: path.to_owned() });
        Ok(())
    }

    /// Brings the changes of names in `dir`, and those on which they depend, to the medium.
    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.names.need_dir(dir)?;
        let mut needed = BTreeSet::new();
        let mut carried = Vec::new();
        for change in self.unsynced.drain(..).rev().collect::<Vec<_>>() {
            if change.paths().any(|path| parent(path) == dir || needed.contains(path)) {
                needed.extend(change.paths().map(Path::to_owned));
                carried.push(change);
            } else {
                self.unsynced.push(change);
            }
        }
        self.unsynced.reverse();
        for change in carried.iter().rev() {
            change.apply(&mut self.durable_names);
        }
        Ok(())
    }

    /// The disk as the next process finds it.
    pub(super) fn after_process_death(&self) -> Self {
        Self {
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            unsynced: self.unsynced.clone(),
            files: self.files.clone(),
            next_file: self.next_file,
            ..Self::new(self.seed)
        }
    }

    /// The disk as it is when power is back.
    pub(super) fn after_power_loss(&self, style: CrashStyle) -> Self {
        let seed = match style {
            CrashStyle::Seeded(seed) => seed,
            CrashStyle::KeepNothing | CrashStyle::KeepAll => self.seed,
        };
        let mut chance = Chance::new(seed);
        let mut names = self.durable_names.clone();
        // A change of a name depends on the earlier changes of this name; apart from that, each has its own fate.
        let mut lost = BTreeSet::new();
        for change in &self.unsynced {
            let kept = match style {
                CrashStyle::KeepNothing => false,
                CrashStyle::KeepAll => true,
                CrashStyle::Seeded(_) => !chance.once_in(3),
            };
            if kept && !change.paths().any(|path| lost.contains(path)) {
                change.apply(&mut names);
            } else {
                lost.extend(change.paths());
            }
        }
        let names = names.reachable();
        let named: BTreeSet<FileNo> = names.files().copied().collect();
        let mut files = BTreeMap::new();
        for (file, content) in &self.files {
            let survivor = content.after_power_loss(style, &mut chance);
            if named.contains(file) {
                files.insert(*file, survivor);
            }
        }
        Self { durable_names: names.clone(), names, files, next_file: self.next_file, ..Self::new(self.seed) }
    }
}

impl NameChange {
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match self {
            Self::Add { path, .. } | Self::Remove { path } => (path, None),
            Self::Rename { from, to } => (from, Some(to)),
        };
        std::iter::once(first).chain(second).map(PathBuf::as_path)
    }

    fn apply(&self, names: &mut Names<FileNo>) {
        match self {
            Self::Add { path, node } => names.put(path, node.clone()),
            Self::Rename { from, to } => {
                if let Some(node) = names.take(from) {
                    names.put(to, node);
                }
            }
            Self::Remove { path } => drop(names.take(path)),
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead (simulated)")
}

fn eio() -> io::Error {
    io::Error::other("input/output error (simulated)")
}
