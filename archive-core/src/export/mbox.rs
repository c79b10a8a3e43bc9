//! An mbox for each folder, quoted as mboxrd, so that reading it gives the same mails again (spec A31.6).

use super::manifest::{Entry, Laying};
use super::names::Moment;
use super::new_file::NewFile;
use super::place::{Destination, Place};
use super::{NotLaid, Read, Sink};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::Digest;
use crate::message::MessageRecord;
use crate::source::mbox_quote::LineQuoter;

const ROOM: usize = 256 << 10;

/// Mails up to this size are kept in memory until all of their bytes were read.
const KEPT: u64 = 16 << 20;

/// An mbox that is being written, or the place of an existing one, which stays as it is.
pub(super) struct MboxFile {
    folder: FolderPath,
    file: Result<NewFile, Place>,
}

impl MboxFile {
    pub(super) fn open(destination: &mut Destination, folder: &FolderPath, update: bool) -> Result<Self, Error> {
        let place = destination.folder(folder);
        let (above, name) = match place.relative.rsplit_once('/') {
            Some((above, name)) => (above, name),
            None => ("", place.relative.as_str()),
        };
        let above = above.split('/').filter(|name| !name.is_empty()).fold(destination.root(), |place, name| place.join(name));
        let place = above.join(&format!("{name}.mbox"));
        let is_there = update && place.is_taken()?;
        let file = match is_there {
            true => Err(place),
            false => {
                destination.make(&above)?;
                Ok(destination.create(place)?)
            }
        };
        Ok(Self { folder: folder.clone(), file })
    }

    pub(super) fn folder(&self) -> &FolderPath {
        &self.folder
    }

    pub(super) fn add(&mut self, record: &MessageRecord, read: &mut Read<'_>) -> Result<Laying, NotLaid> {
        let file = match &mut self.file {
            Ok(file) => file,
            Err(there) => return Ok(Laying::There(there.clone())),
        };
        let (start, digest) = file.mark();
        match lay(record, read, &mut |bytes| file.write(bytes)) {
            Ok((offset, len)) => {
                let (name, offset) = (file.name().to_owned(), start + offset);
                Ok(Laying::New(Entry { file: name, offset, len, quoting: Some("mboxrd"), digest_of_file: None }))
            }
            Err(NotLaid::Mail(error)) => {
                file.cut(start, digest).map_err(NotLaid::Destination)?;
                Err(NotLaid::Mail(error))
            }
            Err(error) => Err(error),
        }
    }

    /// The file is whole; its name and digest, if it was written.
    pub(super) fn end(self, destination: &mut Destination) -> Result<Option<(String, Digest)>, Error> {
        let Ok(file) = self.file else { return Ok(None) };
        let name = file.name().to_owned();
        Ok(Some((name, destination.keep(file, None)?)))
    }
}

/// An mbox of all folders that is written to a stream.
pub(crate) struct MboxStream<'o, 's> {
    out: &'o mut Sink<'s>,
}

impl<'o, 's> MboxStream<'o, 's> {
    pub(crate) fn new(out: &'o mut Sink<'s>) -> Self {
        Self { out }
    }

    /// Nothing that was written can be taken back, so the mail is read first: a small one into memory, a larger one
    /// twice.
    pub(super) fn add(&mut self, record: &MessageRecord, read: &mut Read<'_>) -> Result<(), NotLaid> {
        let mut whole = Vec::new();
        let is_kept = record.info.size <= KEPT;
        read(&mut |bytes| {
            if is_kept {
                whole.extend_from_slice(bytes);
            }
            Ok(())
        })
        .map_err(NotLaid::Mail)?;
        let laid = match is_kept {
            true => lay(record, &mut |sink| sink(&whole), self.out),
            false => lay(record, read, self.out),
        };
        match laid {
            // Part of the mail is already written.
            Err(NotLaid::Mail(error)) => Err(NotLaid::Destination(error)),
            laid => laid.map(|_| ()),
        }
    }
}

/// Writes From_ line, mail and blank line. Returns where in them the mail begins, and its length as it is quoted.
fn lay(record: &MessageRecord, read: &mut Read<'_>, sink: &mut Sink<'_>) -> Result<(u64, u64), NotLaid> {
    let mut line = from_line(record);
    line.push(b'\n');
    sink(&line).map_err(NotLaid::Destination)?;
    let mut quoter = LineQuoter::quoting();
    let mut out = Vec::new();
    let (mut last, mut len, mut broken) = (b'\n', 0, None);
    let mut write = |out: &mut Vec<u8>| {
        last = out.last().copied().unwrap_or(last);
        len += out.len() as u64;
        let written = sink(out);
        out.clear();
        written
    };
    let done = read(&mut |bytes| {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = quoter.feed(rest, ROOM, &mut out);
            rest = rest.get(taken..).unwrap_or_default();
            write(&mut out).map_err(|error| {
                broken = Some(error);
                Error::Stopped
            })?;
        }
        Ok(())
    });
    match (done, broken) {
        (_, Some(error)) => return Err(NotLaid::Destination(error)),
        (Err(error), None) => return Err(NotLaid::Mail(error)),
        (Ok(()), None) => {}
    }
    loop {
        let is_all = quoter.finish(ROOM, &mut out);
        write(&mut out).map_err(NotLaid::Destination)?;
        if is_all {
            break;
        }
    }
    let end: &[u8] = if last == b'\n' { b"\n" } else { b"\n\n" };
    sink(end).map_err(NotLaid::Destination)?;
    Ok((line.len() as u64, len))
}

/// The recorded From_ line, else one made from the sender and the date.
fn from_line(record: &MessageRecord) -> Vec<u8> {
    if let Some(line) = record.from_line.as_deref().filter(|line| line.starts_with(b"From ") && !line.contains(&b'\n')) {
        return line.to_vec();
    }
    let is_plain = |address: &&str| !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_graphic());
    let sender = record.info.from.first().map(|from| from.address.as_str()).filter(is_plain).unwrap_or("MAILER-DAEMON");
    format!("From {sender} {}", Moment::of(record.info.date_in_record).asctime()).into_bytes()
}
