//! A content being received, whose length is unknown: its blocks are in a separate sealed file, `content/NAME.tmp`,
//! until they are copied into a container.
//!
//! Nothing names the file, so it is never synced. It is removed with this value; what a crash leaves, the next open
//! removes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::OpenBlock;
use crate::error::{Damage, DamageCause, Error};
use crate::id::{Digest, Uuid};
use crate::records::{Link, Run, Stamp};
use crate::seal::{FileKind, FrameKind, RecordsStart, SealedWriter, SecretKey, random};
use crate::vfs::{EntryKind, Vfs};

/// Frames are written to the file when this many bytes wait.
const FLUSH: usize = 4 << 20;
/// The stamp of these frames, which belong to no commit.
const NO_COMMIT: Stamp = Stamp { sequence: 0, index: 0, synced: Link { sequence: 0, chain: [0; 32] } };

/// The blocks received so far.
pub(crate) struct Received {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
    writer: SealedWriter,
    /// The digest that each block had in memory, by the offset of its frame.
    blocks: BTreeMap<u64, Digest>,
}

impl Received {
    pub(super) fn create(vfs: Arc<dyn Vfs>, dir: &Path, key: &SecretKey, owner: Uuid) -> Result<Self, Error> {
        let path = dir.join(format!("{:016x}.tmp", u64::from_le_bytes(random()?)));
        let made = SealedWriter::create(&*vfs, &path, key, FileKind::Container, owner, 0, RecordsStart::default());
        let writer = made.inspect_err(|_| remove(&*vfs, &path))?;
        Ok(Self { vfs, path, writer, blocks: BTreeMap::new() })
    }

    /// Appends an encoded block of `len` stored bytes. The returned run is valid only for this value.
    pub(crate) fn push(&mut self, block: &[u8], len: u32) -> Result<Run, Error> {
        let frame = self.writer.push(FrameKind::Block, &[&NO_COMMIT.encode(), block])?.offset;
        if self.writer.pending_len() >= FLUSH {
            self.writer.flush()?;
        }
        self.blocks.insert(frame, Digest::of(block));
        Ok(Run { container: 0, frame, start: 0, len })
    }

    /// Writes all waiting blocks to the file, so that they can be read.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush()
    }

    /// The encoded block of `run`, read from the file and compared with the digest that it had in memory, so that each
    /// read gives the same.
    pub(crate) fn block(&self, run: &Run) -> Result<Vec<u8>, Error> {
        let frame = self.writer.reader().frame(run.frame, self.writer.end())?;
        let damage = |cause| Error::from(Damage::new(&self.path, frame.place.offset, frame.place.len, cause));
        let (_, block) = Stamp::split(frame.bytes()).map_err(|_| damage(DamageCause::Decode))?;
        if self.blocks.get(&run.frame) != Some(&Digest::of(block)) {
            return Err(damage(DamageCause::Digest));
        }
        Ok(block.to_vec())
    }

    /// The stored bytes of `run`, read back.
    pub(crate) fn stored(&self, run: &Run) -> Result<Vec<u8>, Error> {
        let damage = || Damage::new(&self.path, run.frame, u64::from(run.len), DamageCause::Decode);
        let mut block = OpenBlock::new(&self.block(run)?).ok_or_else(damage)?;
        Ok(block.stretch(run.start, run.len, 0).ok_or_else(damage)?.to_vec())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        remove(&*self.vfs, &self.path);
    }
}

/// What cannot be removed now, the next open removes.
fn remove(vfs: &dyn Vfs, path: &Path) {
    let _stays = vfs.remove(path);
}

/// Removes from `dir` what was being received when a process died.
pub(super) fn remove_leftovers(vfs: &dyn Vfs, dir: &Path) -> Result<(), Error> {
    for entry in vfs.list(dir)?.into_iter().filter(|entry| entry.kind == EntryKind::File) {
        if entry.path.file_name().and_then(OsStr::to_str).is_some_and(is_ours) {
            vfs.remove(&entry.path)?;
        }
    }
    Ok(())
}

/// Whether this module makes such names; no other file is removed.
fn is_ours(name: &str) -> bool {
    name.strip_suffix(".tmp").is_some_and(|name| name.len() == 16 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}
