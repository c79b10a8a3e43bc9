//! The manifest: `SHA256SUMS`, with a line for each file, as `sha256sum -c` reads it, and `MANIFEST.jsonl`, with a line
//! for each mail.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::place::{Destination, Place, failed};
use crate::error::Error;
use crate::id::Digest;
use crate::message::MessageRecord;
use crate::source::PARTIAL_EXPORT;
use crate::vfs::Operation;

/// What became of a mail in an export.
pub(super) enum Laying {
    New(Entry),
    /// The destination has something that counts as this mail.
    There(Place),
}

/// The place of a mail in an export.
pub(super) struct Entry {
    /// The file, relative to the destination.
    pub(super) file: String,
    /// Where in the file its bytes begin.
    pub(super) offset: u64,
    /// How many bytes it has in the file.
    pub(super) len: u64,
    /// How they are quoted there.
    pub(super) quoting: Option<&'static str>,
    /// Digest of the file, if that is complete.
    pub(super) digest_of_file: Option<Digest>,
}

impl Entry {
    /// The entry of a mail whose file exists already, if the file ends with the mail and `may_lead` allows what
    /// precedes it.
    pub(super) fn of_file(place: &Place, record: &MessageRecord, may_lead: bool) -> Result<Self, Error> {
        let other = || Error::Exists { path: place.path.clone(), hint: " and is not the mail; remove it and update again" };
        let data = fs::symlink_metadata(&place.path).map_err(failed(Operation::List, &place.path))?;
        let lead = data.len().checked_sub(record.info.size).filter(|lead| data.is_file() && (*lead == 0 || may_lead));
        let offset = lead.ok_or_else(other)?;
        let mut file = File::open(&place.path).map_err(failed(Operation::Open, &place.path))?;
        let (mut of_file, mut of_mail) = (Sha256::new(), Sha256::new());
        let (mut at, mut window) = (0u64, vec![0; 256 << 10]);
        loop {
            let read = file.read(&mut window).map_err(failed(Operation::Read, &place.path))?;
            if read == 0 {
                break;
            }
            let bytes = window.get(..read).unwrap_or_default();
            of_file.update(bytes);
            let skip = usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
            of_mail.update(bytes.get(skip..).unwrap_or_default());
            at += read as u64;
        }
        if Digest(of_mail.finalize().into()) != record.digest {
            return Err(other());
        }
        let digest_of_file = Some(Digest(of_file.finalize().into()));
        Ok(Self { file: place.relative.clone(), offset, len: record.info.size, quoting: None, digest_of_file })
    }
}

/// Both files of a manifest, rewritten: they get their names when the export is done; an update keeps those previous
/// lines that are still valid.
pub(super) struct Manifest {
    sums: Lines,
    mails: Lines,
    update: bool,
    /// In an update: files that have a line in `sums`, and those that have one in `mails` too.
    summed: HashSet<Key>,
    described: HashSet<Key>,
}

/// The first half of a SHA-256 represents a name or line, since there may be millions.
type Key = [u8; 16];

fn key(text: &str) -> Key {
    let digest: [u8; 32] = Sha256::digest(text).into();
    std::array::from_fn(|at| digest[at])
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

struct Lines {
    path: PathBuf,
    partial: PathBuf,
    out: BufWriter<File>,
}

/// An export that did not finish leaves the manifest as it was.
impl Drop for Lines {
    fn drop(&mut self) {
        let _renamed = fs::remove_file(&self.partial);
    }
}

impl Lines {
    fn open(destination: &Destination, name: &str, update: bool) -> Result<Self, Error> {
        let path = destination.root().join(name).path;
        let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|data| data.is_file());
        if fs::symlink_metadata(&path).is_ok() && !(update && is_file(&path)) {
            return Err(Error::Exists { path, hint: "; nothing is written over it" });
        }
        let partial = path.with_file_name(format!("{PARTIAL_EXPORT}-{name}"));
        if is_file(&partial) {
            fs::remove_file(&partial).map_err(failed(Operation::Remove, &partial))?;
        }
        let file = File::create_new(&partial).map_err(failed(Operation::Create, &partial))?;
        Ok(Self { path, partial, out: BufWriter::new(file) })
    }

    fn write(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.out, "{line}").map_err(failed(Operation::Write, &self.partial))
    }

    fn finish(mut self) -> Result<(), Error> {
        self.out.flush().map_err(failed(Operation::Write, &self.partial))?;
        self.out.get_ref().sync_all().map_err(failed(Operation::Sync, &self.partial))?;
        fs::rename(&self.partial, &self.path).map_err(failed(Operation::Rename, &self.path))
    }
}

/// Passes the lines of a file to `take`, if the file exists. A line that a crash cut has no end, and does not count.
fn whole_lines(path: &Path, take: &mut dyn FnMut(&str) -> Result<(), Error>) -> Result<(), Error> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file.map_err(failed(Operation::Open, path))?,
    };
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed(Operation::Read, path))? > 0 {
        if let Some(whole) = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok()) {
            take(whole)?;
        }
        line.clear();
    }
    Ok(())
}

/// The keys of a line that are read; everything else is ignored, however deep it is.
#[derive(Deserialize)]
struct Told {
    file: String,
}

impl Manifest {
    pub(super) fn open(destination: &Destination, update: bool) -> Result<Self, Error> {
        let sums = Lines::open(destination, "SHA256SUMS", update)?;
        let mails = Lines::open(destination, "MANIFEST.jsonl", update)?;
        let mut manifest = Self { sums, mails, update, summed: HashSet::new(), described: HashSet::new() };
        manifest.keep(destination)?;
        Ok(manifest)
    }

    /// Keeps lines of the previous manifest whose files exist.
    fn keep(&mut self, destination: &Destination) -> Result<(), Error> {
        let Self { sums, mails, summed, described, .. } = self;
        whole_lines(&sums.path.clone(), &mut |line| match line.split_once("  ") {
            Some((digest, file)) if is_digest(digest) && destination.has(file) && summed.insert(key(file)) => sums.write(line),
            _ => Ok(()),
        })?;
        let mut lines = HashSet::new();
        whole_lines(&mails.path.clone(), &mut |line| match serde_json::from_str(line).ok().map(|Told { file }| file) {
            Some(file) if summed.contains(&key(&file)) && lines.insert(key(line)) => {
                described.insert(key(&file));
                mails.write(line)
            }
            _ => Ok(()),
        })
    }

    /// Whether it has everything about this file.
    pub(super) fn describes(&self, file: &str) -> bool {
        self.described.contains(&key(file))
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

    /// Names never contain characters that `sha256sum` would have to escape.
    pub(super) fn add_file(&mut self, file: &str, digest: Digest) -> Result<(), Error> {
        if !self.update || self.summed.insert(key(file)) { self.sums.write(&format!("{digest}  {file}")) } else { Ok(()) }
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        self.mails.finish()?;
        self.sums.finish()
    }
}
