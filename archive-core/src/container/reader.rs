//! Reading stored bytes by their place, and walking over all frames of a container.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::block::OpenBlock;
use super::writer::file_path;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::records::{Run, Stamp};
use crate::seal::{FileKind, FrameKind, FramePlace, Opened, SealedReader, SecretKey};
use crate::vfs::{EntryKind, Vfs};

/// Blocks kept decompressed, as far as they were asked for.
const CACHED_BLOCKS: usize = 8;
/// File handles kept open.
const OPEN_FILES: usize = 16;

/// The readers of a store's containers.
pub(crate) struct Containers {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    owner: Uuid,
    files: Mutex<VecDeque<(u32, SealedReader)>>,
    blocks: Mutex<VecDeque<CachedBlock>>,
}

/// Container, frame, and the block as far as it was decompressed.
type CachedBlock = ((u32, u64), Arc<Mutex<OpenBlock>>);

impl Containers {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, dir: &Path, key: SecretKey, owner: Uuid) -> Self {
        Self { vfs, dir: dir.to_owned(), key, owner, files: Mutex::default(), blocks: Mutex::default() }
    }

    pub(crate) fn path(&self, number: u32) -> PathBuf {
        file_path(&self.dir, number)
    }

    /// Numbers of the containers that are there.
    pub(crate) fn list(&self) -> Result<Vec<u32>, Error> {
        let entries = self.vfs.list(&self.dir)?;
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let names = files.filter_map(|entry| entry.path.file_name()?.to_str()?.strip_suffix(".mkc"));
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// The reader of container `number`.
    pub(crate) fn file(&self, number: u32) -> Result<SealedReader, Error> {
        let mut files = lock(&self.files);
        if let Some(at) = files.iter().position(|(open, _)| *open == number) {
            return Ok(files[at].1.clone());
        }
        let path = self.path(number);
        let file = self.vfs.open_read(&path).map_err(Damage::of_open)?;
        let reader = SealedReader::open(&path, file, &self.key, FileKind::Container, self.owner)?;
        files.push_back((number, reader.clone()));
        if files.len() > OPEN_FILES {
            files.pop_front();
        }
        Ok(reader)
    }

    /// Forgets open files and blocks, after files were cut or removed.
    pub(crate) fn forget(&self) {
        lock(&self.files).clear();
        lock(&self.blocks).clear();
    }

    /// Hands the stored bytes of `run` to `sink`, at once. `ahead` more behind them will be asked for next.
    pub(crate) fn read(&self, run: &Run, ahead: u32, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let file = self.file(run.container)?;
        self.read_run(&file, (run.container, run.frame), run, ahead, sink)
    }

    /// Does that where the block's frame lies in `file`, and `cached_as` names it in the cache.
    pub(crate) fn read_run(
        &self,
        file: &SealedReader,
        cached_as: (u32, u64),
        run: &Run,
        ahead: u32,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let frame = cached_as.1;
        let block = self.block(file, cached_as, frame)?;
        let mut block = lock(&block);
        let missing = || Damage::new(file.path(), frame, u64::from(run.len), DamageCause::Decode);
        sink(block.stretch(run.start, run.len, ahead).ok_or_else(missing)?)
    }

    fn block(&self, file: &SealedReader, cached_as: (u32, u64), frame: u64) -> Result<Arc<Mutex<OpenBlock>>, Error> {
        {
            let mut blocks = lock(&self.blocks);
            if let Some(at) = blocks.iter().position(|(place, _)| *place == cached_as) {
                let found = blocks.remove(at).ok_or(Error::Bug("a cached block was just found"))?;
                let block = Arc::clone(&found.1);
                blocks.push_back(found);
                return Ok(block);
            }
        }
        let opened = file.frame(frame, file.len()?)?;
        let block = Arc::new(Mutex::new(open_block(file, &opened)?));
        let mut blocks = lock(&self.blocks);
        blocks.push_back((cached_as, Arc::clone(&block)));
        while blocks.len() > CACHED_BLOCKS {
            blocks.pop_front();
        }
        Ok(block)
    }

    /// Walks over the frames of `file` in `range`. What cannot be read is handed over as damage, and the walk goes on behind it.
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
