//! Reading stored bytes by their place, and walking over all frames of a container.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::block::{BLOCK_LEN, OpenBlock};
use super::received::{self, Received};
use super::writer::file_path;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::records::{Run, Stamp};
use crate::seal::{FileKind, FrameKind, FramePlace, Opened, SealedReader, SecretKey};
use crate::vfs::{EntryKind, Vfs};

/// Bytes of decompressed blocks that are kept, counted as far as they were decompressed.
const BLOCK_BYTES: u64 = 16 << 20;
/// File handles kept open.
const OPEN_FILES: usize = 16;

/// The readers of a store's containers. A caller waits for another one only if both want the same file or block.
pub(crate) struct Containers {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    owner: Uuid,
    /// Containers with lower numbers are closed.
    closed_before: AtomicU32,
    /// Beside a writer: those that were there when the store was opened.
    there: OnceLock<BTreeSet<u32>>,
    /// How many were removed by this process.
    removed: AtomicU64,
    files: Cache<u32, SealedReader>,
    /// By container and frame.
    blocks: Cache<(u32, u64), Arc<CachedBlock>, ByMemory>,
}

struct CachedBlock {
    /// Bytes of memory that it takes when all of it is decompressed.
    weight: u64,
    block: Mutex<OpenBlock>,
}

#[derive(Debug, Clone)]
struct ByMemory;

impl Weighter<(u32, u64), Arc<CachedBlock>> for ByMemory {
    fn weight(&self, _: &(u32, u64), block: &Arc<CachedBlock>) -> u64 {
        block.weight
    }
}

impl Containers {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, dir: &Path, key: SecretKey, owner: Uuid) -> Self {
        let blocks = Cache::with_weighter(BLOCK_BYTES as usize / BLOCK_LEN, BLOCK_BYTES, ByMemory);
        Self {
            vfs,
            dir: dir.to_owned(),
            key,
            owner,
            closed_before: AtomicU32::new(0),
            there: OnceLock::new(),
            removed: AtomicU64::new(0),
            files: Cache::new(OPEN_FILES),
            blocks,
        }
    }

    /// Begins to receive a content whose length is unknown.
    pub(crate) fn receive(&self) -> Result<Received, Error> {
        Received::create(Arc::clone(&self.vfs), &self.dir, &self.key, self.owner)
    }

    /// Removes what was being received when a process died.
    pub(crate) fn remove_leftovers(&self) -> Result<(), Error> {
        received::remove_leftovers(&*self.vfs, &self.dir)
    }

    pub(crate) fn path(&self, number: u32) -> PathBuf {
        file_path(&self.dir, number)
    }

    /// Numbers of the existing containers.
    pub(crate) fn list(&self) -> Result<Vec<u32>, Error> {
        let entries = self.vfs.list(&self.dir)?;
        let files = entries.iter().filter(|entry| entry.kind != EntryKind::Dir);
        let numbers = files.filter_map(|entry| Some((entry.path.file_name()?.to_str()?.strip_suffix(".mkc")?.parse().ok()?, &entry.path)));
        // A file whose name spells its number differently is not a container of this store.
        Ok(numbers.filter(|(number, path)| self.path(*number) == **path).map(|(number, _)| number).collect())
    }

    /// The reader of container `number`.
    pub(crate) fn file(&self, number: u32) -> Result<SealedReader, Error> {
        self.files.get_or_insert_with(&number, || {
            let path = self.path(number);
            let is_closed = number < self.closed_before.load(Ordering::Relaxed);
            let file = if is_closed { self.vfs.open_closed(&path) } else { self.vfs.open_read(&path) };
            let file = match file {
                Err(error) if error.is_not_found() && self.was_there(number) => return Err(Error::SnapshotGone { path }),
                file => file.map_err(Damage::of_open)?,
            };
            SealedReader::open(&path, file, &self.key, FileKind::Container, self.owner)
        })
    }

    /// Notes that another process may remove containers, after a compaction.
    pub(crate) fn begin_beside_writer(&self) -> Result<(), Error> {
        let there = self.list()?.into_iter().collect();
        self.there.get_or_init(|| there);
        Ok(())
    }

    /// Whether a container was there when a store was opened beside a writer, or was begun by that since.
    pub(crate) fn was_there(&self, number: u32) -> bool {
        self.there.get().is_some_and(|there| there.contains(&number) || there.last().is_none_or(|last| number > *last))
    }

    /// Notes that, by the records, all containers before `number` are closed.
    pub(crate) fn closed_before(&self, number: u32) {
        self.closed_before.fetch_max(number, Ordering::Relaxed);
    }

    /// Removes a container of which nothing is in use. The caller syncs the folder.
    pub(crate) fn remove(&self, number: u32) -> Result<(), Error> {
        // First, so that a read that does not find the file sees that it is no damage.
        self.removed.fetch_add(1, Ordering::SeqCst);
        let path = self.path(number);
        if self.vfs.kind(&path)?.is_some() {
            self.vfs.remove(&path)?;
        }
        self.forget();
        Ok(())
    }

    /// Rises whenever containers are removed: what was looked up before may lead to one that is gone.
    pub(crate) fn removals(&self) -> u64 {
        self.removed.load(Ordering::SeqCst)
    }

    /// Forgets open files and blocks, after files were cut or removed. Blocks being read at the same time are not kept
    /// either.
    pub(crate) fn forget(&self) {
        self.files.clear();
        self.blocks.clear();
    }

    /// Passes the stored bytes of `run` to `sink` in one piece. The next `ahead` bytes will be requested after them.
    pub(crate) fn read(&self, run: &Run, ahead: u32, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let file = self.file(run.container)?;
        self.read_run(&file, (run.container, run.frame), run, ahead, sink)
    }

    /// The same for a block whose frame is in `file` and whose key in the cache is `cached_as`.
    pub(crate) fn read_run(
        &self,
        file: &SealedReader,
        cached_as: (u32, u64),
        run: &Run,
        ahead: u32,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let frame = cached_as.1;
        let block = self.blocks.get_or_insert_with(&cached_as, || {
            let opened = file.frame(frame, file.len()?)?;
            let block = open_block(file, &opened)?;
            Ok::<_, Error>(Arc::new(CachedBlock { weight: block.weight(), block: Mutex::new(block) }))
        })?;
        let mut block = block.block.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || Damage::new(file.path(), frame, u64::from(run.len), DamageCause::Decode);
        sink(block.stretch(run.start, run.len, ahead).ok_or_else(missing)?)
    }

    /// Walks over the frames of `file` in `range`. What cannot be read is passed as damage, and the walk continues
    /// after it.
    pub(crate) fn walk(
        file: &SealedReader,
        range: std::ops::Range<u64>,
        visit: &mut dyn FnMut(Result<(Stamp, Opened), Damage>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut at = range.start;
        while at < range.end {
            match file.frame(at, range.end) {
                Ok(frame) => {
                    at = frame.place.end();
                    if frame.kind == FrameKind::HeaderCopy {
                        continue;
                    }
                    match Stamp::split(frame.bytes()).map(|(stamp, _)| stamp) {
                        Ok(stamp) => visit(Ok((stamp, frame)))?,
                        Err(_) => visit(Err(file.damage(frame.place, DamageCause::Decode)))?,
                    }
                }
                Err(Error::Damage(mut damage)) => {
                    let from = at;
                    at = crate::records::next_frame(file, at + 1, range.end)?;
                    damage.offset = from;
                    damage.len = at - from;
                    visit(Err(damage))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn open_block(file: &SealedReader, opened: &Opened) -> Result<OpenBlock, Error> {
    let broken = || Error::from(file.damage(FramePlace { ..opened.place }, DamageCause::Decode));
    if opened.kind != FrameKind::Block {
        return Err(broken());
    }
    let (_, block) = Stamp::split(opened.bytes()).map_err(|_| broken())?;
    OpenBlock::new(block).ok_or_else(broken)
}
