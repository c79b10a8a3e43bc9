//! Pages of Mailkeep's index in files of a folder, so that it writes and syncs as the other engines do.
//!
//! An archive seals them; here they are plain, each preceded by its length, and a file ends with the place of the last
//! one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_index::{FileId, PageError, PageErrorKind, PageReader, PageRef, PageStore, PageWriter};
use tempfile::NamedTempFile;

/// Bytes that wait to be written, as many as an archive lets wait.
const BUFFER: usize = 4 << 20;

/// The folder.
pub struct FilePages {
    dir: PathBuf,
}

impl FilePages {
    /// Pages in `dir`, which is empty.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    fn path(&self, file: FileId) -> PathBuf {
        self.dir.join(format!("{:06}.pages", file.0))
    }

    fn manifest(&self) -> PathBuf {
        self.dir.join("manifest")
    }
}

fn failed(error: io::Error) -> PageError {
    let kind = if error.kind() == io::ErrorKind::NotFound { PageErrorKind::Missing } else { PageErrorKind::Io };
    PageError::new(kind, error)
}

/// Gives a finished file its permanent name.
fn keep(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_data()?;
    file.persist(path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

impl PageStore for FilePages {
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        let out = BufWriter::with_capacity(BUFFER, NamedTempFile::new_in(&self.dir).map_err(failed)?);
        Ok(Box::new(Writer { out, path: self.path(file), end: 0, last: 0 }))
    }

    /// The folder was empty: the index itself has numbered everything in it.
    fn highest(&self) -> Result<FileId, PageError> {
        Ok(FileId(0))
    }

    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        Ok(Arc::new(Reader(File::open(self.path(file)).map_err(failed)?)))
    }

    fn remove(&self, file: FileId) -> Result<(), PageError> {
        fs::remove_file(self.path(file)).map_err(failed)
    }

    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        match fs::read(self.manifest()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(failed),
        }
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        let replace = || {
            let mut file = NamedTempFile::new_in(&self.dir)?;
            file.write_all(bytes)?;
            keep(file, &self.manifest())
        };
        replace().map_err(failed)
    }
}

struct Writer {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
    end: u64,
    last: u64,
}

impl PageWriter for Writer {
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError> {
        let length = u32::try_from(page.len()).map_err(|error| PageError::new(PageErrorKind::Io, error))?;
        self.out.write_all(&length.to_le_bytes()).and_then(|()| self.out.write_all(page)).map_err(failed)?;
        self.last = self.end;
        self.end += 4 + u64::from(length);
        Ok(PageRef(self.last))
    }

    fn finish(mut self: Box<Self>) -> Result<(), PageError> {
        self.out.write_all(&self.last.to_le_bytes()).map_err(failed)?;
        let file = self.out.into_inner().map_err(|error| failed(error.into_error()))?;
        keep(file, &self.path).map_err(failed)
    }
}

struct Reader(File);

impl PageReader for Reader {
    fn read(&self, page: PageRef) -> Result<Vec<u8>, PageError> {
        let mut length = [0; 4];
        self.0.read_exact_at(&mut length, page.0).map_err(failed)?;
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        self.0.read_exact_at(&mut bytes, page.0 + 4).map_err(failed)?;
        Ok(bytes)
    }

    fn last(&self) -> Result<PageRef, PageError> {
        let end = self.0.metadata().map_err(failed)?.len();
        let at = end.checked_sub(8).ok_or_else(|| PageError::new(PageErrorKind::Missing, "no pages"))?;
        let mut last = [0; 8];
        self.0.read_exact_at(&mut last, at).map_err(failed)?;
        Ok(PageRef(u64::from_le_bytes(last)))
    }
}
