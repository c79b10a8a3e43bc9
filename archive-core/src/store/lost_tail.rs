//! The tail of a file in `lost+found`, presented as the file that it was cut from: the header, a gap, and the tail at
//! its original offset.

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::seal::{HEADER_LEN, read_header};
use crate::vfs::{Operation, VfsError, VfsFile};

/// Where the bytes of the tail begin: after the header and the offset.
const TAIL_AT: u64 = HEADER_LEN as u64 + 8;
/// Offsets are below it (docs/FORMAT.md, "Limits").
const MAX_OFFSET: u64 = 1 << 53;

/// The view.
#[derive(Debug)]
pub(super) struct LostTail {
    path: PathBuf,
    file: Arc<dyn VfsFile>,
    from: u64,
}

impl LostTail {
    /// The view of `file`; `None` if that is not a tail with a good header.
    pub(super) fn open(path: &Path, file: Arc<dyn VfsFile>) -> Result<Option<Self>, Error> {
        match read_header(path, &*file) {
            Ok(_) if file.len()? > TAIL_AT => {}
            Err(error @ Error::Io(_)) => return Err(error),
            _ => return Ok(None),
        }
        let mut from = [0; 8];
        file.read_exact_at(HEADER_LEN as u64, &mut from)?;
        let from = u64::from_le_bytes(from);
        if !(HEADER_LEN as u64..MAX_OFFSET).contains(&from) {
            return Ok(None);
        }
        Ok(Some(Self { path: path.to_owned(), file, from }))
    }

    /// The offset at which the tail begins.
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    fn read_only(&self, operation: Operation) -> VfsError {
        VfsError::new(operation, &self.path, IoError::from(ErrorKind::ReadOnlyFilesystem))
    }
}

impl VfsFile for LostTail {
    fn len(&self) -> Result<u64, VfsError> {
        Ok(self.file.len()?.saturating_sub(TAIL_AT).saturating_add(self.from))
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        let (header, mut at, mut rest) = (HEADER_LEN as u64, offset, buf);
        while !rest.is_empty() {
            let (room, place) = match at {
                at if at < header => (header - at, Some(at)),
                at if at < self.from => (self.from - at, None),
                at => (u64::MAX, Some((at - self.from).saturating_add(TAIL_AT))),
            };
            let len = room.min(rest.len() as u64);
            let (now, later) = rest.split_at_mut(len as usize);
            match place {
                Some(place) => self.file.read_exact_at(place, now)?,
                None => now.fill(0),
            }
            at = at.saturating_add(len);
            rest = later;
        }
        Ok(())
    }

    fn append(&self, _: &[u8]) -> Result<(), VfsError> {
        Err(self.read_only(Operation::Write))
    }

    fn rewrite(&self, _: u64, _: u64) -> Result<(), VfsError> {
        Err(self.read_only(Operation::Write))
    }

    fn truncate(&self, _: u64) -> Result<(), VfsError> {
        Err(self.read_only(Operation::Truncate))
    }

    fn sync(&self) -> Result<(), VfsError> {
        Err(self.read_only(Operation::Sync))
    }

    fn links(&self) -> Result<u64, VfsError> {
        self.file.links()
    }
}
