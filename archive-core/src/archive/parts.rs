//! The parts of a message: what they are, and their bytes. A message is read as a stream, however large it is.

use super::Acting;
use crate::error::Error;
use crate::id::MessageId;
use crate::mail::{HeaderReader, PartKind, PartReader, View, Viewer};

/// Takes bytes of parts, with the number of the part that they are of.
pub type PartSink<'a> = dyn FnMut(u32, &[u8]) -> Result<(), Error> + 'a;

impl Acting<'_> {
    /// A message as a person reads it: its header fields, its parts with numbers, names, types and sizes, and its text up to
    /// [`MOST_SHOWN`](crate::mail::MOST_SHOWN). Takes little memory, whatever the message is; where its record is damaged, charsets are guessed again.
    pub fn parts(&self, id: MessageId) -> Result<View, Error> {
        let (record, _) = self.known(id)?;
        let mut viewer = Viewer::new(&record.charset_guesses);
        self.read(id, &mut |bytes| {
            viewer.push(bytes);
            Ok(())
        })?;
        Ok(viewer.finish())
    }

    /// Hands the bytes of one part to `sink` in pieces: transfer encoding undone, of a mail of its own that mail. As for [`Acting::read`], the end
    /// of a large message may be an error, and then nothing of it is to be used. A part that is not there, or has other parts instead of bytes, is
    /// [`Error::NoSuchPart`].
    pub fn read_part(&self, id: MessageId, part: u32, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let view = self.parts(id)?;
        if view.part(part).is_none_or(|part| part.kind == PartKind::Multipart) {
            return Err(Error::NoSuchPart { message: id, part });
        }
        self.read_parts(id, &[part], &mut |_, bytes| sink(bytes))
    }

    /// Hands the bytes of some parts to `sink` with their numbers, in one pass over the message. Each that is there comes at least once, be it
    /// without bytes; one that lies in another comes between its pieces. The numbers are those of [`Acting::parts`], of parts that have bytes.
    pub fn read_parts(&self, id: MessageId, parts: &[u32], sink: &mut PartSink<'_>) -> Result<(), Error> {
        let mut reader = PartReader::new(parts, sink);
        self.read(id, &mut |bytes| reader.push(bytes))?;
        reader.finish()
    }

    /// Hands the header of a message to `sink` in pieces, as it is, without the empty line after it. Of a message above 16 MiB not more is read, so
    /// that nothing says whether it is whole.
    pub fn read_header(&self, id: MessageId, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut reader = HeaderReader::new(sink);
        let mut is_over = false;
        let read = self.read(id, &mut |bytes| {
            is_over = reader.push(bytes)?;
            if is_over { Err(Error::Stopped) } else { Ok(()) }
        });
        match read {
            Err(Error::Stopped) if is_over => Ok(()),
            Err(error) => Err(error),
            Ok(()) => reader.finish(),
        }
    }
}
