//! One writing process at a time (P14): the system's locks on the archive's folder, and on
//! `write.lock`, which names its holder. Where folders have no locks, that file is the only lock, and may be removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::vfs::{EntryKind, LockKind, Vfs, VfsLock};

pub(super) const MAGIC: [u8; 8] = *b"MKLOCK\0\x01";
const NOTE_LEN: usize = 64;

/// The lock on the folder of an archive, if the system has such locks. It writes nothing.
#[derive(Debug)]
pub(super) struct FolderLock {
    dir: PathBuf,
    lock: Option<Arc<dyn VfsLock>>,
}

/// The right to write, while it lives.
#[derive(Debug)]
pub(super) struct WriteLock {
    folder: FolderLock,
    file: Arc<dyn VfsLock>,
    is_new: bool,
}

/// The file with the note.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("write.lock")
}

impl FolderLock {
    pub(super) fn take(vfs: &dyn Vfs, dir: &Path) -> Result<Self, Error> {
        let lock = match vfs.try_lock(dir, LockKind::Exclusive) {
            Ok(Some(lock)) => Some(lock.into()),
            Ok(None) => return Err(in_use(vfs, path(dir))),
            Err(error) if error.is_unsupported() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { dir: dir.to_owned(), lock })
    }

    /// Takes the lock on `write.lock` too, and writes the note of its holder.
    pub(super) fn note(self, vfs: &dyn Vfs) -> Result<WriteLock, Error> {
        let path = path(&self.dir);
        // A snapshot of hard links shares the file. The snapshot keeps it, and the archive gets a new one. If the file
        // is the only lock, it stays, and the open is refused.
        if self.lock.is_some() && vfs.kind(&path)? == Some(EntryKind::File) && vfs.open_read(&path)?.links()? > 1 {
            vfs.remove(&path)?;
        }
        let is_new = vfs.kind(&path)?.is_none();
        match if is_new { vfs.create(&path).map(drop) } else { Ok(()) } {
            Err(error) if error.is_taken() => return Err(in_use(vfs, path)),
            created => created?,
        }
        let Some(file) = vfs.try_lock(&path, LockKind::Exclusive)? else { return Err(in_use(vfs, path)) };
        if !file.is_in_place()? {
            return Err(in_use(vfs, path));
        }
        file.note(&note())?;
        Ok(WriteLock { folder: self, file: file.into(), is_new })
    }
}

impl WriteLock {
    pub(super) fn take(vfs: &dyn Vfs, dir: &Path) -> Result<Self, Error> {
        FolderLock::take(vfs, dir)?.note(vfs)
    }

    /// The lock that another writer would need: a writer has to check before a receipt that it is still in place. A
    /// file may be removed, and a folder moved away and replaced.
    pub(super) fn to_watch(&self) -> Arc<dyn VfsLock> {
        Arc::clone(self.folder.lock.as_ref().unwrap_or(&self.file))
    }

    /// Whether another process may hold a lock that was removed, and still write to the files that are there.
    pub(super) fn is_doubtful(&self) -> bool {
        self.folder.lock.is_none() && self.is_new
    }
}

fn in_use(vfs: &dyn Vfs, path: PathBuf) -> Error {
    Error::InUse { holder: holder(vfs, &path), path }
}

/// Magic, process id, start (milliseconds since 1970), host (padded with zeros), CRC-32. Docs: FORMAT.md, "Locks".
fn note() -> Vec<u8> {
    let mut note = MAGIC.to_vec();
    note.extend_from_slice(&std::process::id().to_le_bytes());
    note.extend_from_slice(&crate::clock::now().to_le_bytes());
    let host = host();
    note.extend(host.bytes().chain(std::iter::repeat(0)).take(NOTE_LEN - 4 - note.len()));
    let crc = crc32fast::hash(&note);
    note.extend_from_slice(&crc.to_le_bytes());
    note
}

fn holder(vfs: &dyn Vfs, path: &Path) -> String {
    let unknown = || "it did not say who it is".to_owned();
    let mut note = [0; NOTE_LEN];
    let read = vfs.open_read(path).and_then(|file| file.read_exact_at(0, &mut note));
    let (text, crc) = note.split_at(NOTE_LEN - 4);
    if read.is_err() || !text.starts_with(&MAGIC) || crc32fast::hash(text).to_le_bytes() != crc {
        return unknown();
    }
    let mut fields = crate::wire::Fixed::new(&text[MAGIC.len()..]);
    let (Ok(process), Ok(_start)) = (fields.u32(), fields.u64()) else { return unknown() };
    let host: Vec<u8> = fields.rest().iter().copied().take_while(|byte| *byte != 0).collect();
    let host = String::from_utf8_lossy(&host);
    let own = if process == std::process::id() && host == self::host() { ", which is this one" } else { "" };
    format!("process {process} on {host}{own}")
}

/// Name of this machine, if the system reports one.
pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("COMPUTERNAME").ok());
    name.map_or_else(|| "unknown host".to_owned(), |name| name.trim().to_owned())
}
