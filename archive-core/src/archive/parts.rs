//! The parts of a message: what they are, and their bytes. A message is read as a stream, however large it is.

use super::Acting;
use crate::error::Error;
use crate::id::MessageId;
use crate::mail::{HeaderReader, PartKind, PartReader, View, Viewer};

/// Receives bytes of parts, each with the number of its part.
pub type PartSink<'a> = dyn FnMut(u32, &[u8]) -> Result<(), Error> + 'a;

impl Acting<'_> {
    /// A message as a person reads it: its header fields, its parts with numbers, names, types and sizes, and its text
    /// up to [`MOST_SHOWN`](crate::mail::MOST_SHOWN). Takes little memory, whatever the message is. If the record is
    /// damaged, charsets are guessed again.
    pub fn parts(&self, id: MessageId) -> Result<View, Error> {
        let (record, _) = self.known(id)?;
        let mut viewer = Viewer::new(&record.charset_guesses);
        self.read(id, &mut |bytes| {
            viewer.push(bytes);
            Ok(())
        })?;
        Ok(viewer.finish())
    }

    /// Passes the bytes of one part to `sink` in pieces, after transfer decoding; for a nested mail, the bytes of that
    /// mail. As with [`Acting::read`], reading a large message may end in an error, and then none of it must be used. A
    /// part that does not exist, or that consists of other parts, is [`Error::NoSuchPart`].
    pub fn read_part(&self, id: MessageId, part: u32, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let view = self.parts(id)?;
        if view.part(part).is_none_or(|part| part.kind == PartKind::Multipart) {
            return Err(Error::NoSuchPart { message: id, part });
        }
        self.read_parts(id, &[part], &mut |_, bytes| sink(bytes))
    }

    /// Passes the bytes of some parts to `sink` with their numbers, in one pass over the message. Each existing part
    /// comes at least once, even if it is empty; a part inside another comes between the pieces of the outer one. The
    /// numbers are those of [`Acting::parts`], for parts that have bytes.
    pub fn read_parts(&self, id: MessageId, parts: &[u32], sink: &mut PartSink<'_>) -> Result<(), Error> {
        let mut reader = PartReader::new(parts, sink);
        self.read(id, &mut |bytes| reader.push(bytes))?;
        reader.finish()
    }

    /// Passes the header of a message to `sink` in pieces, as it is, without the empty line after it. No more is read
    /// of a message above 16 MiB, so that its digest is not checked.
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
