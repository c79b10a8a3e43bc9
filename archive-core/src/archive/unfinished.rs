//! What the creation of an archive leaves behind when it is cut short. It is recognised by names, sizes and first
//! bytes, so that nothing else is ever removed.

use std::path::{Path, PathBuf};

use super::identity_path;
use crate::error::Error;
use crate::seal::{HEADER_LEN, HEADER_MAGIC};
use crate::vfs::{EntryKind, Vfs};

/// No file of an unfinished archive is larger.
const MOST: u64 = 256 << 10;
/// The beginning of the page on the format in an archive's folder.
const PAGE: &[u8] = b"# The format on disk";
/// Folders that are created before `archive.mk`.
const FOLDERS: [&str; 8] =
    ["master", "stores", "stores/1", "stores/1/records", "stores/1/content", "stores/1/catalog", "stores/1/index", "stores/1/lost+found"];
/// Files that are created before it, each also with `.tmp` after its name or in place of its extension.
const FILES: [&str; 9] = [
    "archive.mk",
    "write.lock",
    "FORMAT.md",
    "master/000001.mkr",
    "master/head.mkm",
    "stores/1/store.mk",
    "stores/1/store.mk.2",
    "stores/1/head.mkm",
    RECORDS,
];
/// If it has a single commit, there may be mail: then this was an archive, and its identity is lost.
const RECORDS: &str = "stores/1/records/000001.mkr";

/// The files in `dir` that an unfinished creation left; none in an empty folder. Fails if there is an archive, or
/// anything else.
pub(super) fn unfinished(vfs: &dyn Vfs, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let refuse = |hint| Err(Error::Exists { path: dir.to_owned(), hint });
    let second = dir.join("archive.mk.2");
    if vfs.kind(&identity_path(dir))?.is_some() || vfs.kind(&second)?.is_some() {
        return refuse("; it is an archive");
    }
    let (mut files, mut folders) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in vfs.list(&folder)? {
            let name = relative(dir, &entry.path);
            match entry.kind {
                EntryKind::Dir if FOLDERS.contains(&name.as_str()) => folders.push(entry.path),
                EntryKind::File if is_ours(vfs, &entry.path, &name)? => files.push(entry.path),
                _ => return refuse(" and is not empty; an archive needs a separate folder"),
            }
        }
    }
    Ok(files)
}

/// Removes what an unfinished creation left in `dir`, except for the lock and the folders, which are reused.
pub(super) fn clear(vfs: &dyn Vfs, dir: &Path) -> Result<(), Error> {
    let lock = super::lock::path(dir);
    let mut cleared = Vec::new();
    for path in unfinished(vfs, dir)?.into_iter().filter(|path| *path != lock) {
        vfs.remove(&path)?;
        cleared.extend(path.parent().map(Path::to_owned));
    }
    cleared.dedup();
    cleared.iter().try_for_each(|folder| Ok(vfs.sync_dir(folder)?))
}

/// The path relative to `dir`, with `/` between its parts on every system; empty if `path` is not below `dir` or not
/// UTF-8.
fn relative(dir: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(dir).ok().map(|below| below.iter().map(|part| part.to_str()).collect::<Option<Vec<&str>>>());
    parts.flatten().unwrap_or_default().join("/")
}

/// Bytes that never reached the medium read as zeros, or are missing.
fn is_ours(vfs: &dyn Vfs, path: &Path, name: &str) -> Result<bool, Error> {
    let stem = name.strip_suffix(".tmp").unwrap_or(name);
    let is_meant = |known: &&&str| **known == stem || stem != name && Path::new(known).with_extension("") == Path::new(stem);
    let Some(name) = FILES.iter().find(is_meant).copied() else { return Ok(false) };
    let file = vfs.open_read(path)?;
    let len = file.len()?;
    let begins: &[u8] = match name {
        "write.lock" => &super::lock::MAGIC,
        "FORMAT.md" => PAGE,
        _ => &HEADER_MAGIC,
    };
    let mut begin = vec![0; begins.len().min(usize::try_from(len).unwrap_or(usize::MAX))];
    file.read_exact_at(0, &mut begin)?;
    let most = if name == RECORDS { HEADER_LEN as u64 } else { MOST };
    Ok(len <= most && begin.iter().zip(begins).all(|(byte, of_ours)| byte == of_ours || *byte == 0))
}
