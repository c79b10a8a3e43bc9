//! The manifest: `SHA256SUMS`, a line a file, as `sha256sum -c` reads it, and `MANIFEST.jsonl`, a line a mail.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::place::{Destination, failed};
use crate::error::Error;
use crate::id::Digest;
use crate::message::MessageRecord;
use crate::vfs::Operation;

/// Where a mail lies in an export.
pub(super) struct Entry {
    /// The file, relative to the destination.
    pub(super) file: String,
    /// Where in the file its bytes begin.
    pub(super) offset: u64,
    /// How many there are, as they stand in the file.
    pub(super) len: u64,
    /// How they are quoted there.
    pub(super) quoting: Option<&'static str>,
    /// Digest of the file, if that is complete.
    pub(super) digest_of_file: Option<Digest>,
}

/// Both files of a manifest, open for appending.
pub(super) struct Manifest {
    sums: Lines,
    mails: Lines,
}

struct Lines {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Lines {
    fn open(destination: &Destination, name: &str, update: bool) -> Result<Self, Error> {
        let place = destination.root().join(name);
        if place.is_taken()? && !std::fs::symlink_metadata(&place.path).is_ok_and(|data| update && data.is_file()) {
            return Err(Error::Exists { path: place.path, hint: "; nothing is written over it" });
        }
        let file = OpenOptions::new().append(true).create(true).open(&place.path).map_err(failed(Operation::Create, &place.path))?;
        Ok(Self { path: place.path, out: BufWriter::new(file) })
    }

    fn write(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.out, "{line}").map_err(failed(Operation::Write, &self.path))
    }

    fn finish(mut self) -> Result<(), Error> {
        self.out.flush().map_err(failed(Operation::Write, &self.path))?;
        self.out.get_ref().sync_all().map_err(failed(Operation::Sync, &self.path))
    }
}

impl Manifest {
    pub(super) fn open(destination: &Destination, update: bool) -> Result<Self, Error> {
        let sums = Lines::open(destination, "SHA256SUMS", update)?;
        let mails = Lines::open(destination, "MANIFEST.jsonl", update)?;
        Ok(Self { sums, mails })
    }

    pub(super) fn add(&mut self, entry: &Entry, record: &MessageRecord) -> Result<(), Error> {
        let mut line = serde_json::json!({
            "file": entry.file,
            "offset": entry.offset,
            "length": entry.len,
            "digest": record.digest.to_string(),
            "folder": record.info.folder.to_string(),
            "id": record.info.id.to_string(),
        });
        if let (Some(quoting), Some(line)) = (entry.quoting, line.as_object_mut()) {
            line.insert("quoting".to_owned(), quoting.into());
        }
        self.mails.write(&line.to_string())?;
        entry.digest_of_file.map_or(Ok(()), |digest| self.add_file(&entry.file, digest))
    }

    /// Names never hold what `sha256sum` would have to escape.
    pub(super) fn add_file(&mut self, file: &str, digest: Digest) -> Result<(), Error> {
        self.sums.write(&format!("{digest}  {file}"))
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        self.sums.finish()?;
        self.mails.finish()
    }
}
