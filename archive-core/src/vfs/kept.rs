//! A file with a stretch of it in memory: what a reader shows of the end of a file stays readable when a writer that
//! comes after a crash moves it to another file and cuts this one.

use std::sync::Arc;

use super::{VfsError, VfsFile};

/// `file`, whose bytes from `from` on are `bytes`, whatever becomes of them on the medium.
#[derive(Debug)]
pub(crate) struct KeptFile {
    pub(crate) file: Arc<dyn VfsFile>,
    pub(crate) from: u64,
    pub(crate) bytes: Vec<u8>,
}

impl KeptFile {
    fn kept(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(offset.checked_sub(self.from)?).ok()?;
        self.bytes.get(at..at.checked_add(len)?)
    }
}

impl VfsFile for KeptFile {
    fn len(&self) -> Result<u64, VfsError> {
        Ok(self.file.len()?.max(self.from + self.bytes.len() as u64))
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), VfsError> {
        match self.kept(offset, buf.len()) {
            Some(kept) => {
                buf.copy_from_slice(kept);
                Ok(())
            }
            None => self.file.read_exact_at(offset, buf),
        }
    }

    fn append(&self, bytes: &[u8]) -> Result<(), VfsError> {
        self.file.append(bytes)
    }

    fn rewrite(&self, offset: u64, len: u64) -> Result<(), VfsError> {
        self.file.rewrite(offset, len)
    }

    fn truncate(&self, len: u64) -> Result<(), VfsError> {
        self.file.truncate(len)
    }

    fn sync(&self) -> Result<(), VfsError> {
        self.file.sync()
    }

    fn links(&self) -> Result<u64, VfsError> {
        self.file.links()
    }
}
