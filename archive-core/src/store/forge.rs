//! What a later version, or someone with the key, may write into a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Store;
use crate::error::Error;
use crate::records::{NewCommit, NewFact, SaltRange};
use crate::seal::{FileKind, FrameKind, RecordsStart, SealedReader, SealedWriter};

impl Store {
    /// Commits facts of any kind; `marked` if the records are to say that they are durable.
    pub(crate) fn forge_commit(&self, facts: Vec<NewFact>, marked: bool) -> Result<(), Error> {
        let mut writer = self.writer()?;
        let container_end = self.catalog().basis().container;
        let salts = vec![SaltRange::fresh(0)?];
        let new = NewCommit { time: 7, facts, salts, container_end, container_frames: 0, section: &[] };
        writer.latch(|writer| {
            writer.records.commit(new)?;
            if marked { writer.records.mark() } else { Ok(()) }
        })
    }

    /// The numbers that the next content and message get.
    pub(crate) fn next_numbers(&self) -> (u32, u32) {
        let numbers = self.catalog().basis().numbers;
        (numbers.contents, numbers.messages)
    }

    /// Appends a frame of an unknown kind to a file of this store.
    pub(crate) fn forge_frame(&self, path: &Path, kind: FileKind) -> Result<(), Error> {
        let reader = SealedReader::open(path, self.vfs.open(path)?, &self.key, kind, self.uuid)?;
        let mut writer = SealedWriter::resume(reader)?;
        writer.push(FrameKind::Later, &[b"what nobody knows yet"])?;
        writer.sync()
    }

    /// Makes a file of an unknown kind, `name` below the store's folder.
    pub(crate) fn forge_file(&self, name: &str) -> Result<PathBuf, Error> {
        let (path, vfs) = (self.dirs.root.join(name), Arc::clone(&self.vfs));
        let mut writer = SealedWriter::create(&*vfs, &path, &self.key, FileKind::Later, self.uuid, 1, RecordsStart::default())?;
        writer.push(FrameKind::Later, &[b"what nobody knows yet"])?;
        writer.sync()?;
        Ok(path)
    }

    /// The container and the records file written last.
    pub(crate) fn last_files(&self) -> Result<(PathBuf, PathBuf), Error> {
        let container = self.containers().path(self.catalog().basis().container.0);
        let records = self.vfs.list(&self.dirs.records)?.pop().ok_or(Error::Bug("a store has records"))?;
        Ok((container, records.path))
    }
}
