//! A file of one sealed frame, replaced as a whole: new file, sync, rename, sync of the folder.

use std::path::Path;

use super::file::{SealedReader, SealedWriter};
use super::{FileKind, FrameKind, HEADER_LEN, RecordsStart, SecretKey};
use crate::error::{DamageCause, Error};
use crate::id::Uuid;
use crate::vfs::Vfs;

/// A file of one frame: its kind, that of its frame, and its owner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Single {
    pub(crate) kind: FileKind,
    pub(crate) frame: FrameKind,
    pub(crate) owner: Uuid,
}

/// The contents of the frame of the file at `path`; `None` if there is no file.
pub(crate) fn read_single(vfs: &dyn Vfs, path: &Path, key: &SecretKey, single: Single) -> Result<Option<Vec<u8>>, Error> {
    if vfs.kind(path)?.is_none() {
        return Ok(None);
    }
    let file = SealedReader::open(path, vfs.open_read(path)?, key, single.kind, single.owner)?;
    let len = file.len()?;
    let frame = file.frame(HEADER_LEN as u64, len)?;
    if frame.kind != single.frame || frame.place.end() != len {
        return Err(file.damage(frame.place, DamageCause::Decode).into());
    }
    Ok(Some(frame.bytes().to_vec()))
}

/// Replaces the file at `path` by one with `bytes`.
pub(crate) fn replace_single(vfs: &dyn Vfs, path: &Path, key: &SecretKey, single: Single, bytes: &[u8]) -> Result<(), Error> {
    let new = path.with_extension("tmp");
    if vfs.kind(&new)?.is_some() {
        vfs.remove(&new)?;
    }
    let mut writer = SealedWriter::create(vfs, &new, key, single.kind, single.owner, 0, RecordsStart::default())?;
    writer.push(single.frame, &[bytes])?;
    writer.sync()?;
    vfs.rename(&new, path)?;
    let dir = path.parent().ok_or(Error::Bug("a file of one frame lies in a folder"))?;
    Ok(vfs.sync_dir(dir)?)
}
