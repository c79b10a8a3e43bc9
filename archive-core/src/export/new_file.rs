//! A file being written: it gets its name only when it is whole and synced ([`Waiting`](super::waiting::Waiting)), and
//! never the name of an existing file.

use std::fs::{self, File, FileTimes};
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::place::{Place, failed};
use super::waiting::Written;
use super::{NotLaid, Read, Sink};
use crate::error::Error;
use crate::id::Digest;
use crate::source::PARTIAL_EXPORT;
use crate::vfs::Operation;

/// Converts bytes of a mail to what the file is to contain.
type Change<'c> = dyn FnMut(&[u8], &mut Sink<'_>) -> Result<(), Error> + 'c;

/// A file that is being written, with its digest so far.
pub(super) struct NewFile {
    place: Place,
    partial: PathBuf,
    out: BufWriter<File>,
    digest: Sha256,
    len: u64,
}

impl NewFile {
    /// A file for `place`, whose folder exists. No other file being written has this number.
    pub(super) fn create(place: Place, number: usize) -> Result<Self, Error> {
        if place.is_taken()? {
            return Err(Error::Exists { path: place.path, hint: "; nothing is written over it" });
        }
        let partial = place.path.with_file_name(format!("{PARTIAL_EXPORT}-{number}"));
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(Operation::Remove, &partial)(error)),
            _ => {}
        }
        let file = File::create_new(&partial).map_err(failed(Operation::Create, &partial))?;
        Ok(Self { place, partial, out: BufWriter::with_capacity(256 << 10, file), digest: Sha256::new(), len: 0 })
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Relative to the destination.
    pub(super) fn name(&self) -> &str {
        &self.place.relative
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(failed(Operation::Write, &self.partial))?;
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Writes a mail, each piece as `change` converts it, or nothing of it if it cannot be read.
    pub(super) fn mail(&mut self, read: &mut Read<'_>, change: &mut Change<'_>) -> Result<(), NotLaid> {
        let (len, digest) = (self.len, self.digest.clone());
        let mut broken = None;
        let done = read(&mut |bytes| {
            change(bytes, &mut |bytes| self.write(bytes)).map_err(|error| {
                broken = Some(error);
                Error::Stopped
            })
        });
        match (done, broken) {
            (_, Some(error)) => Err(NotLaid::Destination(error)),
            (Ok(()), None) => Ok(()),
            (Err(error), None) => {
                self.cut(len, digest).map_err(NotLaid::Destination)?;
                Err(NotLaid::Mail(error))
            }
        }
    }

    /// Takes back what was written after `len`.
    pub(super) fn cut(&mut self, len: u64, digest: Sha256) -> Result<(), Error> {
        self.out.flush().map_err(failed(Operation::Write, &self.partial))?;
        let file = self.out.get_mut();
        file.set_len(len).and_then(|()| file.seek(SeekFrom::Start(len))).map_err(failed(Operation::Truncate, &self.partial))?;
        (self.len, self.digest) = (len, digest);
        Ok(())
    }

    /// The present end of the file, for [`NewFile::cut`].
    pub(super) fn mark(&self) -> (u64, Sha256) {
        (self.len, self.digest.clone())
    }

    /// Sets the time of the file, if the system accepts it. Returns the file that waits for its name, and its digest.
    pub(super) fn finish(mut self, seconds: Option<i64>) -> Result<(Written, Digest), Error> {
        self.out.flush().map_err(failed(Operation::Write, &self.partial))?;
        let file = self.out.get_ref();
        if let Some(seconds) = seconds.and_then(|seconds| u64::try_from(seconds).ok())
            && let Some(time) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
        {
            // A time that the file system cannot store is not an error.
            let _not_kept = file.set_times(FileTimes::new().set_modified(time));
        }
        let written = Written { partial: self.partial, path: self.place.path, len: self.len };
        Ok((written, Digest(self.digest.finalize().into())))
    }

    /// Removes the file, which contains nothing worth keeping.
    pub(super) fn give_up(self) {
        drop(self.out);
        // The next file of this number removes it in any case.
        let _left = fs::remove_file(&self.partial);
    }
}
