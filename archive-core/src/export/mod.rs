//! Writes mails in the file formats of other programs: a file for each, mboxes, Maildirs, optionally with a manifest.
//!
//! These files are the user's, so they are written directly through the system, not through `vfs`. Nothing is written
//! outside the destination or over an existing file; a file gets its name only when it is whole and synced. Mails are
//! streamed.

mod eml;
mod maildir;
mod manifest;
mod mbox;
mod names;
mod new_file;
mod place;
mod waiting;

use std::io::ErrorKind;
use std::path::Path;

use crate::error::Error;
use crate::folder::FolderPath;
use crate::message::MessageRecord;

use manifest::{Entry, Laying, Manifest};
use mbox::MboxFile;
pub(crate) use mbox::MboxStream;
use place::Destination;

/// What an export writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ExportFormat {
    /// A file for each mail, with exactly its bytes.
    #[default]
    Eml,
    /// An mbox for each folder, quoted as mboxrd.
    Mbox,
    /// A Maildir for each folder, with flags and times.
    Maildir,
}

/// How an export is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layout {
    pub(crate) format: ExportFormat,
    pub(crate) manifest: bool,
    pub(crate) update: bool,
    pub(crate) origin: bool,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Laid {
    Written,
    /// The destination had it already.
    Present,
}

impl From<Laying> for Laid {
    fn from(laying: Laying) -> Self {
        match laying {
            Laying::New(_) => Self::Written,
            Laying::There(_) => Self::Present,
        }
    }
}

/// Receives bytes.
pub(crate) type Sink<'s> = dyn FnMut(&[u8]) -> Result<(), Error> + 's;

/// Passes the bytes of a mail to a sink.
pub(crate) type Read<'r> = dyn FnMut(&mut Sink<'_>) -> Result<(), Error> + 'r;

/// Why a mail is not written.
#[derive(Debug)]
pub(crate) enum NotLaid {
    /// It could not be read, or its name is too long for the file system; the export continues.
    Mail(Error),
    /// The destination failed; the export ends.
    Destination(Error),
}

impl NotLaid {
    /// What a failure at the place of a mail means.
    fn at_place(error: Error) -> Self {
        match &error {
            Error::Io(failed) if failed.source.kind() == ErrorKind::InvalidFilename => Self::Mail(error),
            _ => Self::Destination(error),
        }
    }
}

/// The target of an export, written folder by folder.
pub(crate) trait Target {
    /// Writes a mail. The mails of a folder are consecutive.
    fn add(&mut self, record: &MessageRecord, read: &mut Read<'_>) -> Result<Laid, NotLaid>;

    /// Whether an export may end before a mail of `folder`.
    fn may_end_before(&self, folder: Option<&FolderPath>) -> bool;
}

impl Target for MboxStream<'_, '_> {
    fn add(&mut self, record: &MessageRecord, read: &mut Read<'_>) -> Result<Laid, NotLaid> {
        self.add(record, read).map(|()| Laid::Written)
    }

    fn may_end_before(&self, _folder: Option<&FolderPath>) -> bool {
        true
    }
}

/// Writes mails into files.
pub(crate) struct Exporter {
    layout: Layout,
    destination: Destination,
    manifest: Option<Manifest>,
    mbox: Option<MboxFile>,
}

impl Exporter {
    /// An export into `dest`, which is created if missing and must be empty unless it is updated.
    pub(crate) fn new(dest: &Path, layout: Layout) -> Result<Self, Error> {
        let destination = Destination::open(dest, layout.update)?;
        let manifest = layout.manifest.then(|| Manifest::open(&destination, layout.update)).transpose()?;
        Ok(Self { layout, destination, manifest, mbox: None })
    }

    fn mbox_for(&mut self, record: &MessageRecord) -> Result<&mut MboxFile, NotLaid> {
        let path = &record.info.folder;
        if self.mbox.as_ref().is_none_or(|open| open.folder() != path) {
            self.end_mbox().map_err(NotLaid::Destination)?;
            let open = MboxFile::open(&mut self.destination, path, self.layout.update).map_err(NotLaid::at_place)?;
            return Ok(self.mbox.insert(open));
        }
        self.mbox.as_mut().ok_or(NotLaid::Destination(Error::Bug("an open mbox is gone")))
    }

    fn end_mbox(&mut self) -> Result<(), Error> {
        let ended = self.mbox.take().map(|mbox| mbox.end(&mut self.destination));
        let Some((file, digest)) = ended.transpose()?.flatten() else { return Ok(()) };
        self.manifest.as_mut().map_or(Ok(()), |manifest| manifest.add_file(&file, digest))
    }

    /// Called when everything is written: the files get their names.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.end_mbox()?;
        self.destination.settle()?;
        self.manifest.map_or(Ok(()), Manifest::finish)?;
        self.destination.finish()
    }
}

impl Target for Exporter {
    fn add(&mut self, record: &MessageRecord, read: &mut Read<'_>) -> Result<Laid, NotLaid> {
        let laying = match self.layout.format {
            ExportFormat::Eml => eml::write(&mut self.destination, record, self.layout, read)?,
            ExportFormat::Maildir => maildir::write(&mut self.destination, record, read)?,
            ExportFormat::Mbox => self.mbox_for(record)?.add(record, read)?,
        };
        let Some(manifest) = &mut self.manifest else { return Ok(laying.into()) };
        match &laying {
            Laying::New(entry) => manifest.add(entry, record).map_err(NotLaid::Destination)?,
            Laying::There(place) if manifest.describes(&place.relative) => {}
            // The previous export did not finish.
            Laying::There(place) if self.layout.format == ExportFormat::Mbox => {
                let hint = " and is not in the manifest; remove it and update again";
                return Err(NotLaid::Mail(Error::Exists { path: place.path.clone(), hint }));
            }
            Laying::There(place) => {
                let entry = Entry::of_file(place, record, self.layout.format == ExportFormat::Eml).map_err(NotLaid::Mail)?;
                manifest.add(&entry, record).map_err(NotLaid::Destination)?;
            }
        }
        Ok(laying.into())
    }

    /// An mbox is always finished.
    fn may_end_before(&self, folder: Option<&FolderPath>) -> bool {
        self.mbox.as_ref().is_none_or(|open| folder.is_some_and(|folder| folder != open.folder()))
    }
}
