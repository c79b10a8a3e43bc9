//! `lost+found`: what an open found after the last durable commit, kept before it is cut.
//!
//! A whole file is renamed into the folder. The tail of a file is copied there, still sealed, with the header of its
//! file and its offset, so that the key that sealed it also opens it here. Bounded: 64 MiB of tails from one crash, 256
//! MiB in all. The oldest is removed first, and the newest never. Bytes: docs/FORMAT.md, "lost+found".

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::id::Uuid;
use crate::seal::{HEADER_LEN, SealedReader};
use crate::vfs::{EntryKind, Vfs, VfsFile};

/// Bytes of tails kept from one crash. Whole files are renamed, which takes no space.
const MOST_AT_ONCE: u64 = 64 << 20;
/// Bytes kept in all.
const MOST: u64 = 256 << 20;
/// Bytes copied at a time.
const CHUNK: u64 = 4 << 20;

/// What an open did after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// Bytes without a receipt that were moved to `lost+found`.
    pub bytes_put_aside: u64,
    /// Whether a commit that nothing called durable was whole, and was adopted.
    pub commit_taken_over: bool,
}

/// The folder for what is lost in the folder `root` of a store or master.
pub(crate) fn lost_dir(root: &Path) -> PathBuf {
    root.join("lost+found")
}

/// Keeps what would be cut.
pub(crate) struct LostFound<'v> {
    vfs: &'v Arc<dyn Vfs>,
    dir: PathBuf,
    /// How many more bytes of tails may be kept from this crash.
    left: Cell<u64>,
    put_aside: Cell<u64>,
}

/// A file in `lost+found`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostFile {
    pub(crate) path: PathBuf,
    serial: u64,
    /// The rest of its name: file id, and offset of a tail.
    what: String,
    pub(crate) len: u64,
}

/// Files in the `lost+found` of `root`, the oldest first; none if there is no such folder.
pub(crate) fn lost_files(vfs: &dyn Vfs, root: &Path) -> Result<Vec<LostFile>, Error> {
    let dir = lost_dir(root);
    if vfs.kind(&dir)? != Some(EntryKind::Dir) {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in vfs.list(&dir)?.into_iter().filter(|entry| entry.kind == EntryKind::File) {
        let name = entry.path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('-'));
        if let Some((serial, what)) = name
            && let Ok(serial) = serial.parse()
            && !what.ends_with(".tmp")
        {
            let (what, len) = (what.to_owned(), vfs.open_read(&entry.path)?.len()?);
            files.push(LostFile { path: entry.path, serial, what, len });
        }
    }
    files.sort_by_key(|file| file.serial);
    Ok(files)
}

impl<'v> LostFound<'v> {
    /// Keeps what is lost in `root`.
    pub(crate) fn new(vfs: &'v Arc<dyn Vfs>, root: &Path) -> Self {
        Self { vfs, dir: lost_dir(root), left: Cell::new(MOST_AT_ONCE), put_aside: Cell::new(0) }
    }

    /// Bytes put aside from this crash, including those kept before a second one.
    pub(crate) fn put_aside(&self) -> u64 {
        self.put_aside.get()
    }

    /// Keeps the bytes of `file` from `from` on, as far as there is space. What was kept before a second crash is not
    /// kept twice.
    pub(crate) fn keep_tail(&self, file: &SealedReader, from: u64) -> Result<(), Error> {
        let from = from.max(HEADER_LEN as u64);
        let len = file.len()?.saturating_sub(from).min(self.left.get());
        if len == 0 {
            return Ok(());
        }
        self.put_aside.set(self.put_aside.get() + len);
        let Some(path) = self.place(&format!("{}-{from}.mkl", file.header().file_id))? else { return Ok(()) };
        let tmp = path.with_extension("mkl.tmp");
        self.remove(&tmp)?;
        let kept = self.vfs.create(&tmp)?;
        kept.append(&file.header().encode())?;
        kept.append(&from.to_le_bytes())?;
        copy(&**file.file(), from, len, &*kept)?;
        kept.sync()?;
        self.vfs.rename(&tmp, &path)?;
        self.vfs.sync_dir(&self.dir)?;
        self.left.set(self.left.get() - len);
        self.bound()
    }

    /// Moves the file at `path` into the folder; `file_id` is that of its header, or is derived from its bytes if it
    /// has none.
    pub(crate) fn keep_file(&self, path: &Path, file_id: Uuid) -> Result<(), Error> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("bin");
        let what = format!("{file_id}.{extension}");
        let len = self.vfs.open_read(path)?.len()?;
        match self.place(&what)? {
            Some(kept) => {
                self.put_aside.set(self.put_aside.get() + len);
                self.vfs.rename(path, &kept)?;
                self.vfs.sync_dir(&self.dir)?;
                self.bound()
            }
            None => Ok(self.vfs.remove(path)?),
        }
    }

    /// The path for something new; `None` if it is kept already.
    fn place(&self, what: &str) -> Result<Option<PathBuf>, Error> {
        let root = self.dir.parent().ok_or(Error::Bug("lost+found lies in a folder"))?;
        if self.vfs.kind(&self.dir)?.is_none() {
            self.vfs.create_dir(&self.dir)?;
            self.vfs.sync_dir(root)?;
        }
        let files = lost_files(&**self.vfs, root)?;
        if files.iter().any(|file| file.what == what) {
            return Ok(None);
        }
        let serial = files.last().map_or(1, |file| file.serial.saturating_add(1));
        Ok(Some(self.dir.join(format!("{serial:06}-{what}"))))
    }

    /// Removes the oldest until the rest is within the bound.
    fn bound(&self) -> Result<(), Error> {
        let root = self.dir.parent().ok_or(Error::Bug("lost+found lies in a folder"))?;
        let files = lost_files(&**self.vfs, root)?;
        let mut all: u64 = files.iter().map(|file| file.len).sum();
        // One full container is larger than the bound: what was just kept is not removed for that.
        for file in files.split_last().map_or(&[][..], |(_, older)| older) {
            if all <= MOST {
                break;
            }
            self.vfs.remove(&file.path)?;
            all -= file.len;
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        if self.vfs.kind(path)?.is_some() {
            self.vfs.remove(path)?;
        }
        Ok(())
    }
}

fn copy(from: &dyn VfsFile, offset: u64, len: u64, to: &dyn VfsFile) -> Result<(), Error> {
    let mut at = 0;
    while at < len {
        let mut chunk = vec![0; CHUNK.min(len - at) as usize];
        from.read_exact_at(offset + at, &mut chunk)?;
        to.append(&chunk)?;
        at += chunk.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::DiskVfs;

    #[test]
    fn p13_a_file_larger_than_the_bound_is_kept_in_the_place_of_the_older_ones() {
        let root = tempfile::tempdir().unwrap();
        let vfs: Arc<dyn Vfs> = Arc::new(DiskVfs::new());
        let lost = LostFound::new(&vfs, root.path());
        for (name, id, len) in [("000001.mkc", 1, 10), ("000002.mkc", 2, MOST + 1)] {
            let path = root.path().join(name);
            std::fs::File::create(&path).unwrap().set_len(len).unwrap();
            lost.keep_file(&path, Uuid([id; 16])).unwrap();
        }
        let kept = lost_files(&*vfs, root.path()).unwrap();
        assert_eq!(kept.iter().map(|file| file.len).collect::<Vec<_>>(), [MOST + 1]);
    }
}
