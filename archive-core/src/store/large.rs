//! A content above 16 MiB: sealed and appended chunk by chunk while it is read, without a number; number and table come at its end.
//!
//! If it turns out to be known, or its source fails, what was appended is cut again before anything else is written.

use sha2::{Digest as _, Sha256};

use super::draft::{Draft, Duplicates, Outcome, write_draft};
use super::indexer::{Indexable, labels_of};
use super::{NewPlace, PreparedHeader, RunInfo, Store, WriterGuard};
use crate::container::{BLOCK_LEN, Checkpoint, encode_block};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Digest;
use crate::mail::{Extent, MailText, SplitSink};
use crate::records::{Run, Runs};

/// What lies in containers already and waits for its number.
pub(crate) struct PlacedContent {
    pub(super) extents: Vec<Extent>,
    pub(super) runs: Runs,
    /// Parts in the order in which extents take them.
    pub(super) parts: Vec<(Digest, u64, Runs)>,
}

/// A large content being taken in. The store is held until it is finished or dropped.
pub(crate) struct LargeContent<'s> {
    store: &'s Store,
    writer: WriterGuard<'s>,
    before: Option<Checkpoint>,
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
    fn push(&mut self, writer: &mut WriterGuard<'_>, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_LEN - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = rest;
            if self.waiting.len() == BLOCK_LEN {
                self.flush(writer)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self, writer: &mut WriterGuard<'_>) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let block = encode_block(&self.waiting);
        let (container, frame) = writer.latch(|writer| writer.containers.block(writer.records.last(), &block))?;
        self.runs.push(Run { container, frame, start: 0, len: self.waiting.len() as u32 });
        self.waiting.clear();
        Ok(())
    }
}

impl SplitSink for LargeContent<'_> {
    type Error = Error;

    fn stored(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.own.push(&mut self.writer, bytes)
    }

    fn part_begin(&mut self) -> Result<(), Error> {
        self.part = Some((Sha256::new(), 0, Stream::default()));
        Ok(())
    }

    fn part(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (hasher, len, stream) = self.part.as_mut().ok_or(Error::Bug("bytes of a part that was not begun"))?;
        hasher.update(bytes);
        *len += bytes.len() as u64;
        stream.push(&mut self.writer, bytes)
    }

    fn part_end(&mut self) -> Result<(), Error> {
        let (hasher, len, mut stream) = self.part.take().ok_or(Error::Bug("the end of a part that was not begun"))?;
        stream.flush(&mut self.writer)?;
        self.parts.push((Digest(hasher.finalize().into()), len, Runs(stream.runs)));
        Ok(())
    }
}

impl Store {
    /// Begins to take in a large content.
    pub(crate) fn begin_large(&self) -> Result<LargeContent<'_>, Error> {
        self.tidy()?;
        self.note_damage()?;
        let mut writer = self.writer()?;
        let before = Some(writer.latch(|writer| writer.containers.checkpoint())?);
        Ok(LargeContent { store: self, writer, before, own: Stream::default(), parts: Vec::new(), part: None })
    }
}

impl LargeContent<'_> {
    /// Joins what was written, compares it, and commits it.
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
        self.own.flush(&mut self.writer)?;
        self.writer.latch(|writer| writer.containers.flush())?;
        self.compare(&extents, header.digest)?;
        let large = PlacedContent { extents, runs: Runs(std::mem::take(&mut self.own.runs)), parts: std::mem::take(&mut self.parts) };
        let indexable = text.map(|text| Indexable { text, labels: labels_of(&header.facts) });
        let before = self.before.take().ok_or(Error::Bug("a large content is finished twice"))?;
        let store = self.store;
        let (committed, outcome, new) = {
            let catalog = store.catalog();
            let mut draft = Draft::new(&catalog, duplicates, store.newly_damaged(), now);
            let (outcome, new) = draft.add_placed(header, place, large)?;
            if !draft.adds_content() {
                self.writer.latch(|writer| writer.containers.roll_back(before))?;
                store.containers.forget();
            }
            (self.writer.latch(|writer| write_draft(writer, draft, run))?, outcome, new)
        };
        if let Some(committed) = committed {
            store.take_over(&mut self.writer, committed)?;
        }
        store.indexer.queue(new.map(|content| (content, indexable)).into_iter().collect());
        Ok(outcome)
    }

    /// P7: what was written, read back and joined, must have the digest of what was read.
    fn compare(&self, extents: &[Extent], digest: Digest) -> Result<(), Error> {
        let mut hasher = Sha256::new();
        let parts: Vec<(Runs, Option<u64>)> = self.parts.iter().map(|(_, _, runs)| (runs.clone(), None)).collect();
        let own = Runs(self.own.runs.clone());
        self.store.join(extents.iter().copied(), (&own, None), &parts, &mut |bytes| {
            hasher.update(bytes);
            Ok(())
        })?;
        if Digest(hasher.finalize().into()) != digest {
            let number = self.own.runs.first().map_or(0, |run| run.container);
            return Err(Damage::new(&self.store.containers.path(number), 0, 0, DamageCause::Digest).into());
        }
        Ok(())
    }
}

impl Drop for LargeContent<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            // An error here latches the store, and the next open cuts what is left.
            let _latched = self.writer.latch(|writer| writer.containers.roll_back(before));
            self.store.containers.forget();
        }
    }
}
