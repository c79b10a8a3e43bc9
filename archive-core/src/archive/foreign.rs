//! Which names belong in the folders of an archive. Verification reports all others, and they are left as they are.

use std::path::{Path, PathBuf};

use super::{Opened, stores_dir};
use crate::error::Error;
use crate::vfs::{EntryKind, Vfs};

/// What a folder may contain. In names of files, `#` means at least six digits and `*` means anything.
struct Folder {
    files: &'static [&'static str],
    folders: &'static [(&'static str, &'static Folder)],
}

static ARCHIVE: Folder = Folder {
    files: &["archive.mk", "archive.mk.2", "write.lock", "readers.0", "readers.1", "FORMAT.md"],
    folders: &[("master", &MASTER), ("stores", &STORES)],
};
static MASTER: Folder = Folder { files: &["#.mkr", "head.mkm"], folders: &[("lost+found", &LOST), ("catalog", &CATALOG)] };
/// Its folders are the stores that the master names.
static STORES: Folder = Folder { files: &[], folders: &[] };
static STORE: Folder = Folder {
    files: &["store.mk", "store.mk.2", "head.mkm"],
    folders: &[("records", &RECORDS), ("content", &CONTENT), ("catalog", &CATALOG), ("index", &INDEX), ("lost+found", &LOST)],
};
static RECORDS: Folder = Folder { files: &["#.mkr"], folders: &[] };
static CONTENT: Folder = Folder { files: &["#.mkc"], folders: &[] };
static CATALOG: Folder = Folder { files: &["#.mks", "manifest.mkm"], folders: &[] };
static INDEX: Folder = Folder { files: &["#.mki", "manifest.mkm"], folders: &[] };
static LOST: Folder = Folder { files: &["#-*"], folders: &[] };

impl Opened {
    /// What is in the archive's folder and does not belong there, sorted by name. The contents of a foreign folder are
    /// not listed.
    pub(super) fn foreign(&self) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        look(&*self.vfs, &self.dir, &ARCHIVE, &mut found)?;
        // Also of those that are detached, or lie elsewhere with some of their folders.
        let known: Vec<PathBuf> = self.master().stores().iter().map(|store| stores_dir(&self.dir).join(&store.name)).collect();
        found.retain(|path| !known.contains(path));
        let dirs = self.stores.dirs(&self.dir);
        for store in &dirs {
            if self.vfs.kind(&store.root)?.is_some() {
                look(&*self.vfs, &store.root, &STORE, &mut found)?;
            }
        }
        found.sort();
        Ok(found)
    }
}

fn look(vfs: &dyn Vfs, dir: &Path, folder: &'static Folder, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in vfs.list(dir)? {
        let name = entry.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match folder.folders.iter().find(|(known, _)| *known == name) {
            Some((_, below)) if entry.kind == EntryKind::Dir => look(vfs, &entry.path, below, found)?,
            // A link in the place of a file is damage of that file.
            _ if entry.kind != EntryKind::Dir && belongs(folder, name) => {}
            _ => found.push(entry.path),
        }
    }
    Ok(())
}

/// The name of any unfinished file ends in `.tmp`.
fn belongs(folder: &Folder, name: &str) -> bool {
    name.ends_with(".tmp") || folder.files.iter().any(|pattern| fits(pattern, name))
}

fn fits(pattern: &str, name: &str) -> bool {
    let Some(rest) = pattern.strip_prefix('#') else { return pattern == name };
    let behind = name.trim_start_matches(|c: char| c.is_ascii_digit());
    let ends = rest.strip_suffix('*').map_or(behind == rest, |begin| behind.starts_with(begin));
    name.len() - behind.len() >= 6 && ends
}
