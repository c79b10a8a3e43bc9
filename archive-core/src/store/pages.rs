//! The index's pages over sealed files: each page is a frame, so that no key ever reaches the index (P10).

use std::path::PathBuf;
use std::sync::Arc;

use archive_index::{FileId, PageError, PageErrorKind, PageReader, PageRef, PageStore, PageWriter};

use crate::catalog::{read_manifest, replace_manifest};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{FRAME_OVERHEAD, FileKind, FrameKind, RecordsStart, SealedReader, SealedWriter, SecretKey};
use crate::vfs::{EntryKind, Vfs};

/// Pages are handed to the file when this many bytes wait.
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

    /// Removes all files of the index.
    pub(super) fn remove_all(&self) -> Result<(), Error> {
        // Without its manifest nothing names a segment, so a crash in between leaves an empty index and files to be removed.
        self.remove_where(|path| *path == self.manifest())?;
        self.remove_where(|_| true)
    }

    /// Removes files that no manifest names.
    pub(super) fn remove_others(&self, used: &[FileId]) -> Result<(), Error> {
        let keep: Vec<PathBuf> = used.iter().map(|file| self.path(*file)).chain([self.manifest()]).collect();
        self.remove_where(|path| !keep.contains(path))
    }

    fn remove_where(&self, goes: impl Fn(&PathBuf) -> bool) -> Result<(), Error> {
        for path in self.files()?.iter().filter(|path| goes(path)) {
            self.vfs.remove(path)?;
        }
        Ok(self.vfs.sync_dir(&self.dir)?)
    }

    /// Files of the index, its manifest first.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let entries = self.vfs.list(&self.dir)?;
        Ok(entries.into_iter().filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.path).collect())
    }
}

fn failed(error: Error) -> PageError {
    let kind = match &error {
        Error::Io(error) if error.is_not_found() => PageErrorKind::Missing,
        Error::Io(_) => PageErrorKind::Io,
        _ => PageErrorKind::Damaged,
    };
    PageError::new(kind, error)
}

impl PageStore for SealedPages {
    fn create(&self) -> Result<Box<dyn PageWriter>, PageError> {
        let highest = self.files().map_err(failed)?.iter().filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).max();
        let file = FileId(highest.map_or(1, |number: u64| number + 1));
        let start = RecordsStart::default();
        let writer = SealedWriter::create(&*self.vfs, &self.path(file), &self.key, FileKind::Segment, self.owner, file.0, start);
        let writer = writer.map_err(failed)?;
        let (vfs, dir) = (Arc::clone(&self.vfs), self.dir.clone());
        Ok(Box::new(SealedPageWriter { writer, vfs, dir, file, last: 0, finished: false }))
    }

    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        let path = self.path(file);
        let opened = self.vfs.open_read(&path).map_err(|error| failed(error.into()))?;
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
    file: FileId,
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

    fn finish(mut self: Box<Self>) -> Result<FileId, PageError> {
        self.writer.push(FrameKind::IndexEnd, &[&self.last.to_le_bytes()]).map_err(failed)?;
        self.writer.sync().map_err(failed)?;
        self.vfs.sync_dir(&self.dir).map_err(|error| failed(error.into()))?;
        self.finished = true;
        Ok(self.file)
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
