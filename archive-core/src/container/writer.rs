//! The writer of containers: it appends blocks and tables of a commit, in order, and syncs them before the commit that
//! names them (P5).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::table::Table;
use crate::error::Error;
use crate::id::Uuid;
use crate::records::{ContainerFact, FactValue, Link, NewFact, Stamp};
use crate::seal::{FileKind, FrameKind, RecordsStart, SealedWriter, SecretKey};
use crate::vfs::Vfs;
use crate::wire::{Effort, compress, encode};

/// Frames are written to the file when this many bytes wait.
const FLUSH: usize = 4 << 20;

pub(super) fn file_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.mkc"))
}

/// The writer of a store's containers; it has at most one open.
pub(crate) struct ContainerWriter {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    owner: Uuid,
    limit: u64,
    next_no: u32,
    active: Option<(u32, SealedWriter)>,
    commit: InCommit,
}

/// What the current commit has written into containers so far.
#[derive(Debug, Default)]
struct InCommit {
    frames: u32,
    facts: Vec<NewFact>,
    dirty: bool,
}

/// What a commit has in containers, all of it synced.
pub(crate) struct PlacedBlocks {
    /// Number of the active container (0 if none) and its end.
    pub(crate) end: (u32, u64),
    pub(crate) frames: u32,
    /// Facts about containers opened and closed by the commit.
    pub(crate) facts: Vec<NewFact>,
}

impl ContainerWriter {
    /// A writer that will begin with container `next_no`.
    pub(crate) fn new(vfs: Arc<dyn Vfs>, dir: &Path, key: SecretKey, owner: Uuid, next_no: u32, limit: u64) -> Self {
        Self { vfs, dir: dir.to_owned(), key, owner, limit, next_no, active: None, commit: InCommit::default() }
    }

    /// Continues container `no`, whose writer is at its last recorded end.
    pub(crate) fn resume(&mut self, no: u32, writer: SealedWriter) {
        self.active = Some((no, writer));
    }

    /// Appends an encoded block for the commit after `last`. Returns its place: container and offset of its frame.
    pub(crate) fn block(&mut self, last: Link, block: &[u8]) -> Result<(u32, u64), Error> {
        self.push(last, FrameKind::Block, block)
    }

    /// Appends the table of the blocks just written.
    pub(crate) fn table(&mut self, last: Link, table: &Table) -> Result<(), Error> {
        let packed = compress(Effort::Facts, &encode(table)).ok_or(Error::Bug("zstd refused a table"))?;
        self.push(last, FrameKind::Table, &packed).map(drop)
    }

    fn push(&mut self, last: Link, kind: FrameKind, bytes: &[u8]) -> Result<(u32, u64), Error> {
        // A table stays with its block: only a block may begin a new container.
        if kind == FrameKind::Block && self.active.as_ref().is_some_and(|(_, writer)| writer.end() >= self.limit) {
            self.close()?;
        }
        if self.active.is_none() {
            self.open()?;
        }
        let (no, writer) = self.active.as_mut().ok_or(Error::Bug("a container was just opened"))?;
        let stamp = Stamp { sequence: last.sequence + 1, index: self.commit.frames, synced: last };
        let place = writer.push(kind, &[&stamp.encode(), bytes])?;
        if writer.pending_len() >= FLUSH {
            writer.flush()?;
        }
        self.commit.frames += 1;
        self.commit.dirty = true;
        Ok((*no, place.offset))
    }

    fn open(&mut self) -> Result<(), Error> {
        let no = self.next_no;
        let path = file_path(&self.dir, no);
        let start = RecordsStart::default();
        let mut writer = SealedWriter::create(&*self.vfs, &path, &self.key, FileKind::Container, self.owner, no.into(), start)?;
        writer.sync()?;
        self.vfs.sync_dir(&self.dir)?;
        self.next_no += 1;
        self.commit.facts.push(NewFact::new(FactValue::ContainerOpened(fact(no, &writer, None))));
        self.active = Some((no, writer));
        Ok(())
    }

    /// Closes the active container: synced, and immutable from now on.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        if let Some((no, mut writer)) = self.active.take() {
            writer.copy_header();
            writer.sync()?;
            let end = writer.end();
            self.commit.facts.push(NewFact::new(FactValue::ContainerClosed(fact(no, &writer, Some(end)))));
        }
        Ok(())
    }

    /// Notes that the open closed container `no` at `end`.
    pub(crate) fn note_closed(&mut self, no: u32, file_id: Uuid, end: u64) {
        let fact = ContainerFact { no, file_id: file_id.0, end: Some(end) };
        self.commit.facts.push(NewFact::new(FactValue::ContainerClosed(fact)));
    }

    /// Syncs what the current commit has in containers, and returns it.
    pub(crate) fn finish_commit(&mut self) -> Result<PlacedBlocks, Error> {
        let commit = std::mem::take(&mut self.commit);
        let end = match &mut self.active {
            Some((no, writer)) => {
                if commit.dirty {
                    writer.sync()?;
                }
                (*no, writer.end())
            }
            None => (0, 0),
        };
        Ok(PlacedBlocks { end, frames: commit.frames, facts: commit.facts })
    }

    /// Whether facts wait for the next commit.
    pub(crate) fn has_news(&self) -> bool {
        !self.commit.facts.is_empty()
    }
}

fn fact(no: u32, writer: &SealedWriter, end: Option<u64>) -> ContainerFact {
    ContainerFact { no, file_id: writer.reader().header().file_id.0, end }
}
