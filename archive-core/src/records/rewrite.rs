//! Rewrites a records file without the sections of its small commits, once everything in them has been packed.
//!
//! Only blocks are removed: facts, stamps and chain values stay as they are, and a table says where each commit was
//! first written. The new file has the old one's number and takes its name in one step, so that at any moment one of
//! the two is there, whole and synced.

use std::path::Path;

use super::log::file_path;
use super::moved::Moved;
use super::scan::RecordsFile;
use super::stamp::Stamp;
use super::{Link, Records, list_files};
use crate::error::Error;
use crate::seal::{FileKind, FrameKind, SealedReader, SealedWriter};
use crate::vfs::Vfs;

/// Bytes that are copied at a time.
const COPIED_AT_ONCE: usize = 4 << 20;

impl Records {
    /// Rewrites file `number` without sections, which must not contain anything that a fact still needs. A file with
    /// damage stays as it is, which is not an error. After an error nothing more may be written before the store is
    /// opened again.
    pub(crate) fn drop_sections(&mut self, number: u64) -> Result<(), Error> {
        let listing = list_files(&*self.vfs, &self.dir, &self.key, self.owner)?;
        let Some(old) = listing.files.into_iter().find(|file| file.number == number) else { return Ok(()) };
        let path = file_path(&self.dir, number);
        let tmp = path.with_extension("mkr.tmp");
        remove(&*self.vfs, &tmp)?;
        let active = number == self.number;
        if !self.copy(&old, &tmp, active.then_some(self.last))? {
            return remove(&*self.vfs, &tmp);
        }
        self.vfs.rename(&tmp, &path)?;
        self.vfs.sync_dir(&self.dir)?;
        if active {
            let reader = SealedReader::open(&path, self.vfs.open(&path)?, &self.key, FileKind::Records, self.owner)?;
            self.moved = Moved::of(&reader)?;
            self.writer = SealedWriter::resume(reader)?;
            self.marked = true;
        }
        Ok(())
    }

    /// Copies what stays of `old` to `path` and syncs it; `false` where `old` has damage.
    fn copy(&self, old: &RecordsFile, path: &Path, mark: Option<Link>) -> Result<bool, Error> {
        let Some(stay) = staying(old)? else { return Ok(false) };
        let header = old.reader.header();
        let new = SealedWriter::create(&*self.vfs, path, &self.key, FileKind::Records, self.owner, old.number, header.start)?;
        // The table relies on the frames that it names being consecutive, so the copy of the header comes after them.
        let mut new = new.without_copy();
        let table = new.push(FrameKind::Moved, &[&Moved::encode(&stay.table, self.last)])?;
        for at in stay.frames {
            let frame = match old.reader.frame(at, old.len) {
                Ok(frame) => frame,
                Err(Error::Damage(_)) => return Ok(false),
                Err(error) => return Err(error),
            };
            let void = |stamp: Stamp| stamp.sequence >= old.void_from && frame.kind != FrameKind::Mark;
            if !Stamp::split(frame.bytes()).is_ok_and(|(stamp, _)| !void(stamp)) {
                return Ok(false);
            }
            new.push(frame.kind, &[frame.bytes()])?;
            if new.pending_len() >= COPIED_AT_ONCE {
                new.flush()?;
            }
        }
        if new.end() != table.end() + stay.len {
            return Err(Error::Bug("a frame that was copied has another length"));
        }
        new.copy_header();
        if let Some(last) = mark {
            new.push(FrameKind::Mark, &[&Stamp::mark(last).encode()])?;
        }
        new.sync()?;
        Ok(true)
    }
}

/// What stays of a file.
#[derive(Default)]
struct Staying {
    /// Offsets of the frames that stay.
    frames: Vec<u64>,
    /// Where stretches of these were first written, and how many bytes stay before each.
    table: Vec<(u64, u64)>,
    len: u64,
}

/// Walks over the heads of the frames of `old`; `None` where one is broken.
fn staying(old: &RecordsFile) -> Result<Option<Staying>, Error> {
    let mut stay = Staying::default();
    let (mut at, mut follows) = (crate::seal::HEADER_LEN as u64, 0);
    while at < old.len {
        let raw = match old.reader.raw(at, old.len) {
            Ok(raw) => raw,
            Err(Error::Damage(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !matches!(raw.kind, FrameKind::Block | FrameKind::Moved | FrameKind::HeaderCopy) {
            let first = old.moved.first(at);
            if first != follows {
                stay.table.push((first, stay.len));
            }
            follows = first + raw.place.len;
            stay.frames.push(at);
            stay.len += raw.place.len;
        }
        at = raw.place.end();
    }
    Ok(Some(stay))
}

fn remove(vfs: &dyn Vfs, path: &Path) -> Result<(), Error> {
    if vfs.kind(path)?.is_some() {
        vfs.remove(path)?;
    }
    Ok(())
}
