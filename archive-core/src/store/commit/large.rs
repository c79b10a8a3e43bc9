//! A content above 16 MiB: its blocks are received into a separate file while its source is read, and nothing else
//! waits for that source. When the source has ended, they are read back, joined and compared (P7), and copied into a
//! container by the commit that names them.
//!
//! What is copied is what was compared: at both reads, each block is compared with the digest that it had in memory.

use std::io::{self, Cursor, Read};
use std::slice;

use sha2::{Digest as _, Sha256};

use super::draft::{Duplicates, Outcome};
use super::prepared::ReceivedContent;
use super::{NewPlace, PreparedHeader, RunInfo};
use crate::container::{BLOCK_LEN, Received, encode_block};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Digest;
use crate::mail::{Extent, MailText, SplitSink};
use crate::records::{Run, Runs};
use crate::store::index::{Indexable, labels_of};
use crate::store::read::{StoredBytes, join};
use crate::store::{Store, WriterGuard};

/// A large content being received. Dropping this removes all of it.
pub(crate) struct LargeContent<'s> {
    store: &'s Store,
    received: Received,
    own: Stream,
    parts: Vec<(Digest, u64, Runs)>,
    part: Option<(Sha256, u64, Stream)>,
}

/// Bytes on their way into blocks.
#[derive(Default)]
struct Stream {
    waiting: Vec<u8>,
    runs: Vec<Run>,
}

impl Stream {
    fn push(&mut self, received: &mut Received, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_LEN - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = rest;
            if self.waiting.len() == BLOCK_LEN {
                self.flush(received)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self, received: &mut Received) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let run = received.push(&encode_block(&self.waiting), self.waiting.len() as u32)?;
        self.runs.push(run);
        self.waiting.clear();
        Ok(())
    }
}

impl SplitSink for LargeContent<'_> {
    type Error = Error;

    fn stored(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.own.push(&mut self.received, bytes)
    }

    fn part_begin(&mut self) -> Result<(), Error> {
        self.part = Some((Sha256::new(), 0, Stream::default()));
        Ok(())
    }

    fn part(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (hasher, len, stream) = self.part.as_mut().ok_or(Error::Bug("bytes of a part that was not begun"))?;
        hasher.update(bytes);
        *len += bytes.len() as u64;
        stream.push(&mut self.received, bytes)
    }

    fn part_end(&mut self) -> Result<(), Error> {
        let (hasher, len, mut stream) = self.part.take().ok_or(Error::Bug("the end of a part that was not begun"))?;
        stream.flush(&mut self.received)?;
        self.parts.push((Digest(hasher.finalize().into()), len, Runs(stream.runs)));
        Ok(())
    }
}

impl Store {
    /// Begins to receive a large content, if the store may be written.
    pub(crate) fn begin_large(&self) -> Result<LargeContent<'_>, Error> {
        drop(self.writer()?);
        let received = self.containers.receive()?;
        Ok(LargeContent { store: self, received, own: Stream::default(), parts: Vec::new(), part: None })
    }
}

impl LargeContent<'_> {
    /// Joins what was received, compares it, and commits it.
    #[expect(clippy::too_many_arguments, reason = "everything about the content comes at its end")]
    pub(crate) fn finish(
        mut self,
        header: PreparedHeader,
        extents: Vec<Extent>,
        text: Option<MailText>,
        place: NewPlace,
        duplicates: Duplicates,
        run: Option<&RunInfo>,
        now: i64,
    ) -> Result<Outcome, Error> {
        self.own.flush(&mut self.received)?;
        self.received.flush()?;
        let Self { store, received, own, parts, .. } = self;
        let large = ReceivedContent { extents, runs: Runs(own.runs), parts };
        compare(&received, &large, header.digest)?;
        let text = text.map(|text| Indexable { text, labels: labels_of(&header.facts) });
        store.tidy()?;
        store.note_damage()?;
        store.commit_drafted(duplicates, run, now, |draft, writer| {
            let (outcome, new) = draft.add_received(header, place, large)?;
            draft.copy_received(&mut |run| copy(&received, run, writer))?;
            Ok((outcome, new.map(|content| (content, text)).into_iter().collect()))
        })
    }
}

/// P7: what was received, read back and joined, must have the digest of what was read from the source.
fn compare(received: &Received, large: &ReceivedContent, digest: Digest) -> Result<(), Error> {
    let mut hasher = Sha256::new();
    let own = ReadBack::new(received, &large.runs);
    let parts = large.parts.iter().map(|(_, _, runs)| ReadBack::new(received, runs));
    join(large.extents.iter().copied(), own, parts, &mut |bytes| {
        hasher.update(bytes);
        Ok(())
    })?;
    if Digest(hasher.finalize().into()) != digest {
        return Err(Damage::new(received.path(), 0, 0, DamageCause::Digest).into());
    }
    Ok(())
}

/// Copies a block into a container, compressed as it is. An error latches the store: the current commit has frames
/// there already.
fn copy(received: &Received, run: &Run, writer: &mut WriterGuard<'_>) -> Result<Run, Error> {
    writer.latch(|writer| {
        let block = received.block(run)?;
        let (container, frame) = writer.containers.block(writer.records.last(), &block)?;
        Ok(Run { container, frame, ..*run })
    })
}

/// Stored bytes, read back from the file of what was received.
struct ReadBack<'r> {
    received: &'r Received,
    runs: slice::Iter<'r, Run>,
    block: Cursor<Vec<u8>>,
    error: Option<Error>,
}

impl<'r> ReadBack<'r> {
    fn new(received: &'r Received, runs: &'r Runs) -> Self {
        Self { received, runs: runs.0.iter(), block: Cursor::default(), error: None }
    }
}

impl Read for ReadBack<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.block.read(buf)?;
            if len > 0 || buf.is_empty() {
                return Ok(len);
            }
            let Some(run) = self.runs.next() else { return Ok(0) };
            match self.received.stored(run) {
                Ok(block) => self.block = Cursor::new(block),
                Err(error) => {
                    self.error = Some(error);
                    return Err(io::Error::other("a received block cannot be read back"));
                }
            }
        }
    }
}

impl StoredBytes for ReadBack<'_> {
    fn error(&mut self) -> Option<Error> {
        self.error.take()
    }
}
