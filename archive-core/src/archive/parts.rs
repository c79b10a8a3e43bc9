//! The parts of a message: what they are, and their bytes. A message is read as a stream, however large it is.

use std::ops::Range;

use super::actor::Acting;
use crate::error::Error;
use crate::id::MessageId;
use crate::mail::{HeaderReader, PartKind, PartReader, View, Viewer};

/// Receives bytes of parts, each with the number of its part.
pub type PartSink<'a> = dyn FnMut(u32, &[u8]) -> Result<(), Error> + 'a;

impl Acting<'_> {
    pub(super) fn parts(&self, id: MessageId) -> Result<View, Error> {
        let (record, _) = self.known(id)?;
        let mut viewer = Viewer::new(&record.charset_guesses);
        self.read(id, &mut |bytes| {
            viewer.push(bytes);
            Ok(())
        })?;
        Ok(viewer.finish())
    }

    pub(super) fn read_part(
        &self,
        id: MessageId,
        part: u32,
        from: u64,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let view = self.parts(id)?;
        if view.part(part).is_none_or(|part| part.kind == PartKind::Multipart) {
            return Err(Error::NoSuchPart { message: id, part });
        }
        let mut window = Window::new(from..u64::MAX, sink);
        self.read_parts(id, &[part], &mut |_, bytes| window.push(bytes))
    }

    pub(super) fn read_range(
        &self,
        id: MessageId,
        range: Range<u64>,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut window = Window::new(range, sink);
        let mut is_over = false;
        let read = self.read(id, &mut |bytes| {
            window.push(bytes)?;
            is_over = window.is_over();
            if is_over { Err(Error::Stopped) } else { Ok(()) }
        });
        match read {
            Err(Error::Stopped) if is_over => Ok(()),
            read => read,
        }
    }

    pub(super) fn read_parts(&self, id: MessageId, parts: &[u32], sink: &mut PartSink<'_>) -> Result<(), Error> {
        let mut reader = PartReader::new(parts, sink);
        self.read(id, &mut |bytes| reader.push(bytes))?;
        reader.finish()
    }

    pub(super) fn read_header(&self, id: MessageId, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
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

/// Passes on the part of a stream that lies in a range.
struct Window<'s> {
    range: Range<u64>,
    at: u64,
    sink: &'s mut dyn FnMut(&[u8]) -> Result<(), Error>,
}

impl<'s> Window<'s> {
    fn new(range: Range<u64>, sink: &'s mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Self {
        Self { range, at: 0, sink }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let within = |place: u64| usize::try_from(place.saturating_sub(self.at)).unwrap_or(usize::MAX).min(bytes.len());
        let (from, to) = (within(self.range.start), within(self.range.end));
        self.at = self.at.saturating_add(bytes.len() as u64);
        match bytes.get(from..to) {
            Some(piece) if !piece.is_empty() => (self.sink)(piece),
            _ => Ok(()),
        }
    }

    fn is_over(&self) -> bool {
        self.at >= self.range.end
    }
}
