//! A file as a header and a sequence of frames: one writer that appends, readers that open a frame by its offset.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::derive::{FileKey, SecretKey, commits, random};
use super::frame::{self, HEAD_LEN, RawFrame, SealedFrame};
use super::header::{FileHeader, FileKind, HEADER_LEN, RecordsStart};
use super::{FrameKind, FramePlace, Opened};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::vfs::{KeptFile, Vfs, VfsFile};

/// Random nonces of 96 bits keep their margin up to here (NIST SP 800-38D, 8.3).
const MAX_FRAMES: u64 = 1 << 32;
/// The first frame boundary at or after this offset has a copy of the header, out of reach of damage to the first
/// sectors.
pub(crate) const COPY_FROM: u64 = 4096;

fn keyed(key: &SecretKey, header: &FileHeader) -> Result<(FileKey, [u8; 32]), Error> {
    let info = header.key_info();
    key.derive(&header.file_id.0, &[b"mailkeep file", &info])
}

/// The writer that appends frames to a file.
#[derive(Debug)]
pub(crate) struct SealedWriter {
    reader: SealedReader,
    end: u64,
    frames: u64,
    pending: Vec<u8>,
    /// No further copy of the header is written automatically.
    copied: bool,
}

impl SealedWriter {
    /// Creates the file with its header. The caller syncs it and its directory before naming it anywhere.
    pub(crate) fn create(
        vfs: &dyn Vfs,
        path: &Path,
        key: &SecretKey,
        kind: FileKind,
        owner: Uuid,
        number: u64,
        start: RecordsStart,
    ) -> Result<Self, Error> {
        let file_id = Uuid(random()?);
        let mut header = FileHeader { kind, file_id, owner, number, generation: 1, start, commitment: [0; 32] };
        let (file_key, commitment) = keyed(key, &header)?;
        header.commitment = commitment;
        let file = vfs.create(path)?;
        file.append(&header.encode())?;
        let reader = SealedReader { path: path.to_owned(), file, key: Arc::new(file_key), header, broken_header: false };
        Ok(Self { reader, end: HEADER_LEN as u64, frames: 0, pending: Vec::new(), copied: !has_copy(kind) })
    }

    /// Turns off the automatic copy of the header: the caller writes it where it wants.
    pub(crate) fn without_copy(self) -> Self {
        Self { copied: true, ..self }
    }

    /// Continues after the last byte of a file that was read and found whole.
    pub(crate) fn resume(reader: SealedReader) -> Result<Self, Error> {
        let end = reader.file.len()?;
        let copied = end >= COPY_FROM || !has_copy(reader.header.kind);
        Ok(Self { reader, end, frames: end / frame::FRAME_OVERHEAD as u64, pending: Vec::new(), copied })
    }

    /// Seals `plaintext` as the next frame and keeps it until [`Self::flush`].
    pub(crate) fn push(&mut self, kind: FrameKind, plaintext: &[&[u8]]) -> Result<FramePlace, Error> {
        self.frames += 1;
        if self.frames >= MAX_FRAMES {
            return Err(Error::Bug("a file holds 2^32 frames"));
        }
        let reader = &self.reader;
        let place = frame::seal(&reader.key, reader.header.file_id, self.end, kind, plaintext, &mut self.pending)?;
        self.end = place.end();
        if !self.copied && self.end >= COPY_FROM {
            self.copy_header();
        }
        Ok(place)
    }

    /// Pushes a copy of the header as the next frame.
    pub(crate) fn copy_header(&mut self) {
        self.frames += 1;
        self.copied = true;
        self.end = frame::copy_header(self.end, &self.reader.header.encode(), &mut self.pending).end();
    }

    /// Appends what was pushed. After an error the file's end is unknown: nothing more may be pushed.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.reader.file.append(&pending)?;
        }
        self.pending = pending;
        self.pending.clear();
        self.pending.shrink_to(4 << 20);
        Ok(())
    }

    /// Appends what was pushed and syncs it.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.flush()?;
        Ok(self.reader.file.sync()?)
    }

    /// Bytes that [`Self::flush`] would append.
    pub(crate) fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Length of the file with all that was pushed.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn reader(&self) -> &SealedReader {
        &self.reader
    }
}

/// A file whose header was read and whose key is right.
#[derive(Clone)]
pub(crate) struct SealedReader {
    path: PathBuf,
    file: Arc<dyn VfsFile>,
    key: Arc<FileKey>,
    header: FileHeader,
    /// The header at the start is broken, and a copy of it was read.
    broken_header: bool,
}

impl std::fmt::Debug for SealedReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedReader").field("path", &self.path).field("header", &self.header).finish_non_exhaustive()
    }
}

impl SealedReader {
    /// Reads the header and checks the key against its commitment.
    pub(crate) fn open(path: &Path, file: Arc<dyn VfsFile>, key: &SecretKey, kind: FileKind, owner: Uuid) -> Result<Self, Error> {
        let (header, broken_header) = match read_header(path, &*file) {
            Ok(header) => (header, false),
            Err(Error::Damage(damage)) if has_copy(kind) => (find_copy(path, &*file)?.ok_or(damage)?, true),
            Err(error) => return Err(error),
        };
        if header.kind != kind || header.owner != owner {
            return Err(Damage::new(path, 0, HEADER_LEN as u64, DamageCause::Header).into());
        }
        let (file_key, commitment) = keyed(key, &header)?;
        if !commits(&commitment, &header.commitment) {
            return Err(Damage::new(path, 0, HEADER_LEN as u64, DamageCause::KeyCommitment).into());
        }
        Ok(Self { path: path.to_owned(), file, key: Arc::new(file_key), header, broken_header })
    }

    /// The damage to the header at the start, if the file was opened by a copy of it.
    pub(crate) fn header_damage(&self) -> Option<Damage> {
        self.broken_header.then(|| Damage::new(&self.path, 0, HEADER_LEN as u64, DamageCause::Header))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn header(&self) -> &FileHeader {
        &self.header
    }

    pub(crate) fn file(&self) -> &Arc<dyn VfsFile> {
        &self.file
    }

    /// The same reader with the bytes of `range` in memory: they stay readable if the file is cut.
    pub(crate) fn keeping(mut self, range: std::ops::Range<u64>) -> Result<Self, Error> {
        let len = usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| Error::Bug("a commit fits in memory"))?;
        let mut bytes = vec![0; len];
        self.read_at(range.start, &mut bytes)?;
        self.file = Arc::new(KeptFile { file: self.file, from: range.start, bytes });
        Ok(self)
    }

    /// Length of the file in bytes.
    pub(crate) fn len(&self) -> Result<u64, Error> {
        Ok(self.file.len()?)
    }

    pub(crate) fn damage(&self, place: FramePlace, cause: DamageCause) -> Damage {
        Damage::new(&self.path, place.offset, place.len, cause)
    }

    /// The head of the frame at `offset`, if there is a good one and its body ends at or before `end`.
    pub(crate) fn raw(&self, offset: u64, end: u64) -> Result<RawFrame, Error> {
        let broken = |len, cause| Error::from(Damage::new(&self.path, offset, len, cause));
        if offset.checked_add(HEAD_LEN as u64).is_none_or(|head_end| head_end > end) {
            return Err(broken(end.saturating_sub(offset), DamageCause::Truncated));
        }
        let mut head = [0; HEAD_LEN];
        self.read_at(offset, &mut head)?;
        let raw = RawFrame::read(&head, offset).map_err(|cause| broken(HEAD_LEN as u64, cause))?;
        if raw.place.end() > end {
            return Err(broken(end - offset, DamageCause::Truncated));
        }
        Ok(raw)
    }

    /// Reads recorded bytes; if the file ends before them, that is damage.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        match self.file.read_exact_at(offset, buf) {
            Err(_) if self.file.len()? < offset.saturating_add(buf.len() as u64) => {
                Err(Damage::new(&self.path, offset, buf.len() as u64, DamageCause::Truncated).into())
            }
            read => Ok(read?),
        }
    }

    /// The sealed frame of `raw`, its checksum checked.
    pub(crate) fn sealed(&self, raw: RawFrame) -> Result<SealedFrame, Error> {
        let mut body = vec![0; raw.body_len()];
        self.read_at(raw.place.offset + HEAD_LEN as u64, &mut body)?;
        raw.with_body(body).map_err(|cause| self.damage(raw.place, cause).into())
    }

    /// The frame at `offset`, checked and opened.
    pub(crate) fn frame(&self, offset: u64, end: u64) -> Result<Opened, Error> {
        let raw = self.raw(offset, end)?;
        let opened = self.sealed(raw)?.open(&self.key, self.header.file_id).map_err(|cause| self.damage(raw.place, cause))?;
        if opened.kind == FrameKind::HeaderCopy && opened.bytes() != self.header.encode() {
            return Err(self.damage(raw.place, DamageCause::Header).into());
        }
        Ok(opened)
    }
}

/// Whether files of this kind have copies of their header: those that grow and cannot be rebuilt.
fn has_copy(kind: FileKind) -> bool {
    matches!(kind, FileKind::Container | FileKind::Records)
}

/// Looks for a copy of the header of the file at `path`, from the start, without a key.
fn find_copy(path: &Path, file: &dyn VfsFile) -> Result<Option<FileHeader>, Error> {
    const WINDOW: u64 = 1 << 20;
    const COPY_LEN: u64 = (HEAD_LEN + HEADER_LEN + 4) as u64;
    let (len, mut at) = (file.len()?, 0);
    while at < len {
        let mut window = vec![0; WINDOW.min(len - at) as usize];
        file.read_exact_at(at, &mut window)?;
        let mut from = 0;
        while let Some(found) = RawFrame::find_marker(&window, from) {
            from = found + 1;
            let copy = window.get(found..found + COPY_LEN as usize);
            if let Some(header) = copy.and_then(frame::read_copy).and_then(|bytes| FileHeader::decode(path, bytes).ok()) {
                return Ok(Some(header));
            }
        }
        if at + window.len() as u64 >= len {
            break;
        }
        at += window.len() as u64 - (COPY_LEN - 1);
    }
    Ok(None)
}

/// The header of the file at `path`, without a key.
pub(crate) fn read_header(path: &Path, file: &dyn VfsFile) -> Result<FileHeader, Error> {
    let mut bytes = [0; HEADER_LEN];
    if file.len()? < HEADER_LEN as u64 {
        return Err(Damage::new(path, 0, HEADER_LEN as u64, DamageCause::Header).into());
    }
    file.read_exact_at(0, &mut bytes)?;
    FileHeader::decode(path, &bytes)
}
