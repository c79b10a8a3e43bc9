//! What reads mails, lists them and writes them out.

use std::ops::Range;
use std::path::Path;

use super::{AT_ONCE, Session, each};
use crate::archive::{ExportOptions, ExportReport, FailedMails, FolderInfo, Page, PartSink};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::MessageId;
use crate::mail::View;
use crate::message::{MessageInfo, MessageRecord};
use crate::progress::Progress;

impl Session {
    /// All folders with their counts, sorted by path.
    pub fn folders(&self) -> Result<Vec<FolderInfo>, Error> {
        self.call(|acting| Ok(acting.folders()))
    }

    /// The folders directly in `folder`, sorted by name; without `folder`, the user archives. If the path names several
    /// folders, whose names differ only in their Unicode form, the result has the folders of all of them. A folder that
    /// the actor does not see is listed if it has visible folders below it.
    pub fn folders_in(&self, folder: Option<&FolderPath>) -> Result<Vec<FolderInfo>, Error> {
        self.call(|acting| acting.folders_in(folder))
    }

    /// A page of [`folders`](Self::folders), of at most `most`.
    pub fn folders_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<FolderInfo>, Error> {
        self.call(|acting| acting.folders_page(cursor, most))
    }

    /// A page of at most `most` messages of one folder, newest first; without a folder, of all messages in the order of
    /// their numbers. If the path names several folders, whose names differ only in their Unicode form, the page has the
    /// messages of all of them. For other orders, and for folders with those below them, search `in:FOLDER`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchFolder`]; [`Error::Misuse`] for a cursor of another list.
    pub fn messages_page(&self, folder: Option<&FolderPath>, cursor: Option<&str>, most: usize) -> Result<Page<MessageInfo>, Error> {
        self.call(|acting| acting.messages_page(folder, cursor, most))
    }

    /// All messages of one folder, newest first, read page by page. See [`messages_page`](Self::messages_page).
    pub fn messages_in(&self, folder: &FolderPath) -> impl Iterator<Item = Result<MessageInfo, Error>> + use<> {
        let (session, folder) = (self.clone(), folder.clone());
        each(move |cursor| session.messages_page(Some(&folder), cursor, AT_ONCE))
    }

    /// All messages in the order of their numbers, read page by page.
    pub fn messages(&self) -> impl Iterator<Item = Result<MessageInfo, Error>> + use<> {
        let session = self.clone();
        each(move |cursor| session.messages_page(None, cursor, AT_ONCE))
    }

    /// What lists show of a message.
    pub fn message(&self, id: MessageId) -> Result<MessageInfo, Error> {
        self.call(|acting| acting.message(id))
    }

    /// Everything that the archive knows of a message.
    pub fn record(&self, id: MessageId) -> Result<MessageRecord, Error> {
        self.call(|acting| acting.record(id))
    }

    /// The exact bytes of a message, checked against their digest (P3).
    pub fn raw(&self, id: MessageId) -> Result<Vec<u8>, Error> {
        self.call(|acting| acting.raw(id))
    }

    /// Passes the bytes of a message to `sink` in pieces. A mail of up to 16 MiB is checked before the first piece.
    /// Reading a larger one may end in an error, and then none of it must be used.
    pub fn read(&self, id: MessageId, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.call(|acting| acting.read(id, sink))
    }

    /// Passes the header of a message to `sink` in pieces, as it is, without the empty line after it. No more is read
    /// of a message above 16 MiB, so that its digest is not checked.
    pub fn read_header(&self, id: MessageId, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.call(|acting| acting.read_header(id, sink))
    }

    /// A message as a person reads it: its header fields, its parts with numbers, names, types and sizes, and its text
    /// up to [`MOST_SHOWN`](crate::mail::MOST_SHOWN). Takes little memory, whatever the message is. If the record is
    /// damaged, charsets are guessed again.
    pub fn parts(&self, id: MessageId) -> Result<View, Error> {
        self.call(|acting| acting.parts(id))
    }

    /// Passes the bytes of a message in `range` to `sink` in pieces; what is beyond its end is left out. As with
    /// [`read`](Self::read), a mail of up to 16 MiB is checked first; of a larger one no more is read than up to the end of
    /// the range, so that its digest is not checked.
    pub fn read_range(&self, id: MessageId, range: Range<u64>, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.call(|acting| acting.read_range(id, range, sink))
    }

    /// Passes the bytes of one part from `from` on to `sink` in pieces, after transfer decoding; for a nested mail, the bytes of that
    /// mail. As with [`Session::read`], reading a large message may end in an error, and then none of it must be used. A
    /// part that does not exist, or that consists of other parts, is [`Error::NoSuchPart`].
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// let mail = b"From: ada@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee below.\n\
    ///     --b\nContent-Type: text/csv; name=\"a.csv\"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nNDIK\n--b--\n";
    /// let id = session.import_one(mail, &"anna/inbox".parse()?)?.id();
    /// let view = session.parts(id)?;
    /// let part = view.parts.iter().find(|part| part.is_attachment).ok_or("no attachment")?;
    /// let mut bytes = Vec::new();
    /// session.read_part(id, part.number, 0, &mut |piece| {
    ///     bytes.extend_from_slice(piece);
    ///     Ok(())
    /// })?;
    /// assert_eq!((part.name.as_deref(), bytes.as_slice()), (Some("a.csv"), &b"42\n"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_part(&self, id: MessageId, part: u32, from: u64, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.call(|acting| acting.read_part(id, part, from, sink))
    }

    /// Passes the bytes of some parts to `sink` with their numbers, in one pass over the message. Each existing part
    /// comes at least once, even if it is empty; a part inside another comes between the pieces of the outer one. The
    /// numbers are those of [`Session::parts`], for parts that have bytes.
    pub fn read_parts(&self, id: MessageId, parts: &[u32], sink: &mut PartSink<'_>) -> Result<(), Error> {
        self.call(|acting| acting.read_parts(id, parts, sink))
    }

    /// The thread of a message, including the message itself: oldest first, then messages without a date. Two messages
    /// belong together if one refers to the other, or both to the same one. Messages that the actor does not see
    /// connect nothing. At most 10,000 messages.
    pub fn thread(&self, id: MessageId, progress: &Progress) -> Result<Vec<MessageInfo>, Error> {
        self.call(|acting| acting.thread(id, progress))
    }

    /// Writes messages into `dest`, which is created if missing, must be empty unless it is updated, and must not be
    /// inside the archive.
    ///
    /// ```
    /// # use archive_core::{Actor, Archive, CreateOptions};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let place = tempfile::tempdir()?;
    /// # let new = Archive::create(&place.path().join("archive"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::{ExportFormat, ExportOptions};
    ///
    /// session.import_one(b"From: ada@example.org\nSubject: Hello\n\nText.\n", &"anna/inbox".parse()?)?;
    /// let options = ExportOptions { format: ExportFormat::Eml, manifest: true, ..ExportOptions::default() };
    /// let report = session.export(&place.path().join("mails"), &options, &mut |id, error| eprintln!("{id}: {error}"))?;
    /// assert_eq!((report.exported, report.failed), (1, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn export(&self, dest: &Path, options: &ExportOptions, failed: &mut FailedMails<'_>) -> Result<ExportReport, Error> {
        self.call(|acting| acting.export(dest, options, failed))
    }

    /// Writes one mbox of all chosen messages to `out`, folder by folder, quoted as mboxrd. The options `format`,
    /// `manifest`, `update` and `origin` have no effect here. An error of `out` ends the export. A mail that cannot be
    /// read leaves nothing in the mbox, unless it is above 16 MiB and could be read once: then the export ends.
    pub fn export_mbox(
        &self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
        options: &ExportOptions,
        failed: &mut FailedMails<'_>,
    ) -> Result<ExportReport, Error> {
        self.call(|acting| acting.export_mbox(out, options, failed))
    }
}
