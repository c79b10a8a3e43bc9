//! An mbox for each folder, quoted as mboxrd, so that reading it gives the same mails again (spec A31.6).

use super::manifest::{Entry, Laying};
use super::names::Moment;
use super::new_file::NewFile;
use super::place::{Destination, Place};
use super::{NotLaid, Read};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::Digest;
use crate::message::MessageRecord;
use crate::source::mbox_quote::LineQuoter;

const ROOM: usize = 256 << 10;

/// An mbox that is being written, or the place of one that is there already, which stays as it is.
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
                Ok(NewFile::create(place)?)
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
        let mut lay = |file: &mut NewFile| {
            let line = from_line(record);
            file.write(&line).and_then(|()| file.write(b"\n")).map_err(NotLaid::Destination)?;
            let offset = file.len();
            let mut quoter = LineQuoter::quoting();
            let mut out = Vec::new();
            let mut last = b'\n';
            file.mail(read, &mut |bytes, write| {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let taken = quoter.feed(rest, ROOM, &mut out);
                    rest = rest.get(taken..).unwrap_or_default();
                    last = out.last().copied().unwrap_or(last);
                    write(&out)?;
                    out.clear();
                }
                Ok(())
            })?;
            loop {
                let is_all = quoter.finish(ROOM, &mut out);
                last = out.last().copied().unwrap_or(last);
                file.write(&out).map_err(NotLaid::Destination)?;
                out.clear();
                if is_all {
                    break;
                }
            }
            let len = file.len() - offset;
            let end: &[u8] = if last == b'\n' { b"\n" } else { b"\n\n" };
            file.write(end).map_err(NotLaid::Destination)?;
            Ok((offset, len))
        };
        match lay(file) {
            Ok((offset, len)) => {
                Ok(Laying::New(Entry { file: file.name().to_owned(), offset, len, quoting: Some("mboxrd"), digest_of_file: None }))
            }
            Err(NotLaid::Mail(error)) => {
                file.cut(start, digest).map_err(NotLaid::Destination)?;
                Err(NotLaid::Mail(error))
            }
            Err(error) => Err(error),
        }
    }

    /// The file gets its name; its name and digest, if it was written.
    pub(super) fn end(self) -> Result<Option<(String, Digest)>, Error> {
        let Ok(file) = self.file else { return Ok(None) };
        let name = file.name().to_owned();
        Ok(Some((name, file.finish(None)?)))
    }
}

/// As recorded, else made of the sender and the date.
fn from_line(record: &MessageRecord) -> Vec<u8> {
    if let Some(line) = record.from_line.as_deref().filter(|line| line.starts_with(b"From ") && !line.contains(&b'\n')) {
        return line.to_vec();
    }
    let is_plain = |address: &&str| !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_graphic());
    let sender = record.info.from.first().map(|from| from.address.as_str()).filter(is_plain).unwrap_or("MAILER-DAEMON");
    format!("From {sender} {}", Moment::of(record.info.date_in_record).asctime()).into_bytes()
}
