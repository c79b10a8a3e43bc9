//! Whether a path leads into an archive. Nothing is written there in the clear, and none of its files is used as a
//! source.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Archive, stores_dir};

/// Links that are followed at most; then the path is used as it is.
const MOST_LINKS: usize = 40;

impl Archive {
    /// Whether `path` is the archive's folder or inside it. See [`Archive::lies_in`].
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        Self::lies_in(self.dir(), path)
    }

    /// Whether `path`, which need not exist, is or leads into the folder `dir` of an archive: by its name, by links
    /// (including one whose target does not exist yet), or by a folder of the archive that is mounted elsewhere.
    #[must_use]
    pub fn lies_in(dir: &Path, path: &Path) -> bool {
        let (dir, path) = (Self::leads_to(dir), Self::leads_to(path));
        if path.starts_with(&dir) {
            return true;
        }
        let folders: Vec<_> = folders(&dir).iter().filter_map(|folder| identity(folder)).collect();
        path.ancestors().filter_map(identity).any(|above| folders.contains(&above))
    }

    /// Where a file created at `path` would be: links are followed, including a last one whose target does not exist.
    #[must_use]
    pub fn leads_to(path: &Path) -> PathBuf {
        let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        for _ in 0..MOST_LINKS {
            let found = path.ancestors().find_map(|above| {
                let rest = path.strip_prefix(above).ok()?;
                match (fs::canonicalize(above), fs::read_link(above)) {
                    (Ok(real), _) => Some((real.join(rest), rest.components().all(|part| part != Component::ParentDir))),
                    (Err(_), Ok(to)) => Some((above.parent()?.join(to).join(rest), false)),
                    _ => None,
                }
            });
            match found {
                // Joining an empty rest would add a slash at the end, and the last link would be followed.
                Some((real, true)) => return real.components().collect(),
                Some((next, false)) => path = without_missing(&next),
                None => break,
            }
        }
        path
    }
}

/// `path` without each `missing/..`: a program that creates the missing folder leaves it again. An existing one may be
/// a link, so that its `..` stays.
fn without_missing(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir && fs::symlink_metadata(&out).is_err() {
            out.pop();
        } else {
            out.push(part);
        }
    }
    out
}

/// The archive's folders, including those of its stores, which may be elsewhere.
fn folders(dir: &Path) -> Vec<PathBuf> {
    let mut folders = vec![dir.to_owned(), super::master::dir(dir), stores_dir(dir)];
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let stores = below(&stores_dir(dir));
    folders.extend(stores.iter().flat_map(|store| below(store)));
    folders.extend(stores);
    folders.extend(below(&super::master::dir(dir)));
    folders
}

/// What identifies a folder under any name.
#[cfg(unix)]
fn identity(folder: &Path) -> Option<(u64, u64)> {
    let data = fs::metadata(folder).ok()?;
    Some((std::os::unix::fs::MetadataExt::dev(&data), std::os::unix::fs::MetadataExt::ino(&data)))
}

#[cfg(not(unix))]
fn identity(_folder: &Path) -> Option<(u64, u64)> {
    None
}
