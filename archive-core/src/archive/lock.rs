//! One writing process at a time (P14): the system's lock on `write.lock`, with a note of who holds it for messages alone.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::vfs::{LockKind, Vfs, VfsLock};

const MAGIC: [u8; 8] = *b"MKLOCK\0\x01";
const NOTE_LEN: usize = 64;

/// The right to write, while it lives.
#[derive(Debug)]
pub(super) struct WriteLock {
    _lock: Box<dyn VfsLock>,
}

fn path(dir: &Path) -> PathBuf {
    dir.join("write.lock")
}

impl WriteLock {
    pub(super) fn take(vfs: &dyn Vfs, dir: &Path) -> Result<Self, Error> {
        let path = path(dir);
        if vfs.kind(&path)?.is_none() {
            vfs.create(&path)?;
        }
        let Some(lock) = vfs.try_lock(&path, LockKind::Exclusive)? else {
            return Err(Error::InUse { holder: holder(vfs, &path), path });
        };
        lock.note(&note())?;
        Ok(Self { _lock: lock })
    }
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

/// Name of this machine, as far as it says it.
pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("COMPUTERNAME").ok());
    name.map_or_else(|| "unknown host".to_owned(), |name| name.trim().to_owned())
}
