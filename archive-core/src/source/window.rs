//! A stream seen through a window: bytes ahead can be examined before they are consumed.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

const CHUNK: usize = 256 << 10;

/// A reader whose next bytes stay in memory until they are consumed.
pub(super) struct Window<'r> {
    reader: &'r mut dyn Read,
    /// A second handle on the same bytes, to look far ahead; only plain files have one.
    far: Option<std::fs::File>,
    buf: Vec<u8>,
    start: usize,
    offset: u64,
    ended: bool,
    error: Option<std::io::Error>,
}

impl<'r> Window<'r> {
    pub(super) fn new(reader: &'r mut dyn Read, far: Option<std::fs::File>) -> Self {
        Self { reader, far, buf: Vec::new(), start: 0, offset: 0, ended: false, error: None }
    }

    /// The bytes in the window.
    pub(super) fn data(&self) -> &[u8] {
        self.buf.get(self.start..).unwrap_or_default()
    }

    /// Offset of the first byte in the window.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether nothing follows the bytes in the window.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The error that ended the reading, once.
    pub(super) fn take_error(&mut self) -> Option<std::io::Error> {
        self.error.take()
    }

    /// Whether an error ended the reading.
    pub(super) fn error(&self) -> Option<&std::io::Error> {
        self.error.as_ref()
    }

    /// Reads until the window has `wanted` bytes or the source ends; an error ends it too, and is kept.
    pub(super) fn ensure(&mut self, wanted: usize) {
        while !self.ended && self.buf.len() - self.start < wanted {
            if self.start > 0 && self.start >= self.buf.len() / 2 {
                self.buf.drain(..self.start);
                self.start = 0;
            }
            let filled = self.buf.len();
            let room = CHUNK.max(wanted.saturating_sub(filled - self.start).min(4 * CHUNK));
            self.buf.resize(filled + room, 0);
            let got = self.buf.get_mut(filled..).map_or(Ok(0), |space| self.reader.read(space));
            self.buf.truncate(filled + *got.as_ref().unwrap_or(&0).min(&room));
            match got {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
    }

    /// Drops the first `len` bytes of the window.
    pub(super) fn consume(&mut self, len: usize) {
        let len = len.min(self.buf.len() - self.start);
        self.start += len;
        self.offset += len as u64;
        if self.start == self.buf.len() && self.buf.capacity() > 8 * CHUNK {
            self.buf = Vec::new();
            self.start = 0;
        }
    }

    /// The second handle on the same bytes.
    pub(super) fn take_far(&mut self) -> Option<std::fs::File> {
        self.far.take()
    }

    /// The bytes at a far offset, and whether the source ends with them; `None` if there is no second handle.
    pub(super) fn look_far(&mut self, offset: u64, len: usize) -> Option<(Vec<u8>, bool)> {
        let far = self.far.as_ref()?;
        if far.metadata().ok()?.len() < offset {
            return None;
        }
        let mut far = far;
        far.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = Vec::new();
        far.take(len as u64).read_to_end(&mut bytes).ok()?;
        let ended = bytes.len() < len;
        Some((bytes, ended))
    }
}

impl Read for Window<'_> {
    /// An error of the source is kept for [`Self::take_error`]; an early end of packed data reads as an end.
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.ensure(1);
        let len = self.data().len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..len), self.data().get(..len)) {
            to.copy_from_slice(from);
        }
        self.consume(len);
        match &self.error {
            Some(error) if len == 0 && !out.is_empty() && error.kind() != ErrorKind::UnexpectedEof => {
                Err(std::io::Error::new(error.kind(), error.to_string()))
            }
            _ => Ok(len),
        }
    }
}
