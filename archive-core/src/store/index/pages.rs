//! The index's pages over sealed files: each page is a frame, so that no key ever reaches the index (P10).

use std::path::PathBuf;
use std::sync::Arc;

use archive_index::{FileId, PageError, PageErrorKind, PageReader, PageRef, PageStore, PageWriter};

use crate::catalog::{read_manifest, replace_manifest};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{FRAME_OVERHEAD, FileKind, FrameKind, RecordsStart, SealedReader, SealedWriter, SecretKey};
use crate::vfs::{EntryKind, Vfs};

/// Pages are written to the file when this many bytes wait.
const FLUSH: usize = 4 << 20;
/// Bytes of the frame that ends a file.
const END_LEN: u64 = (FRAME_OVERHEAD + 8) as u64;

/// The files of a store's index.
pub(super) struct SealedPages {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    owner: Uuid,
}

impl SealedPages {
    pub(super) fn new(vfs: Arc<dyn Vfs>, dir: PathBuf, key: SecretKey, owner: Uuid) -> Self {
        Self { vfs, dir, key, owner }
    }

    fn path(&self, file: FileId) -> PathBuf {
        self.dir.join(format!("{:06}.mki", file.0))
    }

    fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.mkm")
    }

    /// Removes all files of the index. Only an index that is proven damaged or foreign may be removed.
    pub(super) fn remove_all(&self) -> Result<(), Error> {
        // Without its manifest nothing names a segment, so a crash in between leaves an empty index and files to be
        // removed.
        if self.vfs.kind(&self.manifest())?.is_some() {
            self.vfs.remove(&self.manifest())?;
            self.vfs.sync_dir(&self.dir)?;
        }
        self.remove_others(&[])
    }

    /// Removes segments that no manifest names, and what is left of one that was never finished.
    pub(super) fn remove_others(&self, used: &[FileId]) -> Result<(), Error> {
        let segments = self.segments()?.into_iter().filter(|file| !used.contains(file)).map(|file| self.path(file));
        let unfinished = self.manifest().with_extension("tmp");
        let unfinished = self.vfs.kind(&unfinished)?.map(|_| unfinished);
        let mut removed = false;
        for path in segments.chain(unfinished) {
            self.vfs.remove(&path)?;
            removed = true;
        }
        if removed { Ok(self.vfs.sync_dir(&self.dir)?) } else { Ok(()) }
    }

    /// The segments in the folder, named by a manifest or not; none if there is no folder.
    pub(super) fn segments(&self) -> Result<Vec<FileId>, Error> {
        let entries = match self.vfs.list(&self.dir) {
            Err(error) if error.is_not_found() => Vec::new(),
            entries => entries?,
        };
        let files = entries.into_iter().filter(|entry| entry.kind != EntryKind::Dir);
        let segments = files.filter_map(|entry| Some((FileId(entry.path.file_stem()?.to_str()?.parse().ok()?), entry.path)));
        // No segment of this library has a number that large.
        Ok(segments.filter(|(file, path)| file.0 < 1 << 53 && self.path(*file) == *path).map(|(file, _)| file).collect())
    }
}

/// Only proven damage counts as damage; a refusal by the system or a newer format proves nothing.
fn failed(error: Error) -> PageError {
    let kind = match &error {
        Error::Io(error) if error.is_not_found() => PageErrorKind::Missing,
        Error::Damage(_) => PageErrorKind::Damaged,
        _ => PageErrorKind::Io,
    };
    PageError::new(kind, error)
}

impl PageStore for SealedPages {
    fn highest(&self) -> Result<FileId, PageError> {
        Ok(self.segments().map_err(failed)?.into_iter().max().unwrap_or(FileId(0)))
    }

    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        let start = RecordsStart::default();
        let writer = SealedWriter::create(&*self.vfs, &self.path(file), &self.key, FileKind::Segment, self.owner, file.0, start);
        let writer = writer.map_err(failed)?;
        let (vfs, dir) = (Arc::clone(&self.vfs), self.dir.clone());
        Ok(Box::new(SealedPageWriter { writer, vfs, dir, last: 0, finished: false }))
    }

    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        let path = self.path(file);
        let opened = self.vfs.open_closed(&path).map_err(|error| failed(error.into()))?;
        let reader = SealedReader::open(&path, opened, &self.key, FileKind::Segment, self.owner).map_err(failed)?;
        let len = reader.len().map_err(failed)?;
        Ok(Arc::new(SealedPageReader { reader, len }))
    }

    fn remove(&self, file: FileId) -> Result<(), PageError> {
        self.vfs.remove(&self.path(file)).map_err(|error| failed(error.into()))
    }

    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        read_manifest(&*self.vfs, &self.manifest(), &self.key, FileKind::IndexManifest, self.owner).map_err(failed)
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        replace_manifest(&*self.vfs, &self.manifest(), &self.key, FileKind::IndexManifest, self.owner, bytes).map_err(failed)
    }
}

struct SealedPageWriter {
    writer: SealedWriter,
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    last: u64,
    finished: bool,
}

impl PageWriter for SealedPageWriter {
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError> {
        let place = self.writer.push(FrameKind::IndexPage, &[page]).map_err(failed)?;
        if self.writer.pending_len() >= FLUSH {
            self.writer.flush().map_err(failed)?;
        }
        self.last = place.offset;
        Ok(PageRef(place.offset))
    }

    fn finish(mut self: Box<Self>) -> Result<(), PageError> {
        self.writer.push(FrameKind::IndexEnd, &[&self.last.to_le_bytes()]).map_err(failed)?;
        self.writer.sync().map_err(failed)?;
        self.vfs.sync_dir(&self.dir).map_err(|error| failed(error.into()))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for SealedPageWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing names the file; if it cannot be removed now, the next open does it.
            let _left_for_the_next_open = self.vfs.remove(self.writer.reader().path());
        }
    }
}

struct SealedPageReader {
    reader: SealedReader,
    len: u64,
}

impl SealedPageReader {
    /// The last frame says where the last page is.
    fn end(&self) -> Result<u64, Error> {
        let broken = || Damage::new(self.reader.path(), self.len.saturating_sub(END_LEN), END_LEN, DamageCause::Decode);
        let frame = self.reader.frame(self.len.saturating_sub(END_LEN), self.len)?;
        let offset = frame.bytes().try_into().map(u64::from_le_bytes);
        match (frame.kind, offset) {
            (FrameKind::IndexEnd, Ok(offset)) => Ok(offset),
            _ => Err(broken().into()),
        }
    }
}

impl PageReader for SealedPageReader {
    fn read(&self, page: PageRef) -> Result<Vec<u8>, PageError> {
        let frame = self.reader.frame(page.0, self.len).map_err(failed)?;
        Ok(frame.bytes().to_vec())
    }

    fn last(&self) -> Result<PageRef, PageError> {
        self.end().map(PageRef).map_err(failed)
    }
}
