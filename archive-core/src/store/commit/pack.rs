//! Packs contents of small commits into blocks: compressed together, with tables, in containers like the rest. Then
//! their sections are removed from the records, so that nothing is on disk twice.

use std::collections::BTreeSet;
use std::sync::{RwLockWriteGuard, TryLockError};

use super::place::{Laid, Placer};
use crate::catalog::{ContentRow, PartRow};
use crate::container::{Table, TableContent, TableMessage, TablePart, encode_block, gives_back};
use crate::error::Error;
use crate::id::{ContentNo, PartNo};
use crate::records::{Doomed, FactValue, NewCommit, NewFact, PackedFact, Rewritten, Run, SaltRange, Without};
use crate::store::{Store, WriterGuard};

const UNLIKE: Error = Error::Bug("a block does not give back the bytes that went into it");

/// What is packed, with where it was laid.
#[derive(Default)]
pub(super) struct Packing {
    pub(super) contents: Vec<(ContentNo, ContentRow, Laid)>,
    pub(super) parts: Vec<(PartNo, PartRow, Laid)>,
    pub(super) bytes: Bytes,
}

/// The bytes that are packed.
pub(super) enum Bytes {
    /// Of many contents and parts, together in blocks that are in memory.
    Together(Placer),
    /// Of one content or part, wherever they are now: each of these runs becomes a block.
    Long(Vec<Run>),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Together(Placer::default())
    }
}

impl Packing {
    pub(super) fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.parts.is_empty()
    }
}

impl Store {
    /// Packs all contents of small commits. It is not an error if there is nothing to do.
    pub(crate) fn pack(&self) -> Result<(), Error> {
        let mut writer = self.writer()?;
        self.pack_all(&mut writer)?;
        self.drop_sections(&mut writer)
    }

    /// The same, and leaves the sections where they are.
    pub(in crate::store) fn pack_all(&self, writer: &mut WriterGuard<'_>) -> Result<(), Error> {
        let packing = self.gather()?;
        if packing.is_empty() { Ok(()) } else { self.write_packed(writer, &packing) }
    }

    /// Rewrites records files without their sections, if these are packed and at least a quarter of the file. So
    /// sections enlarge records by at most a third, and the bytes rewritten stay in proportion to those archived.
    fn drop_sections(&self, writer: &mut WriterGuard<'_>) -> Result<(), Error> {
        let sections = self.catalog().basis().sections.clone();
        if sections.is_empty() {
            return Ok(());
        }
        let needed = self.files_with_unpacked()?;
        for (number, bytes) in sections.into_iter().filter(|(number, _)| !needed.contains(number)) {
            let len = match self.records_file(number) {
                Ok(file) => file.reader.len()?,
                // A lost file cannot be rewritten.
                Err(Error::Damage(_)) => continue,
                Err(error) => return Err(error),
            };
            if bytes.saturating_mul(4) < len {
                continue;
            }
            // Otherwise left for the next time.
            let Some(_unread) = self.unread_sections() else { return Ok(()) };
            self.rewrite_records(writer, number, Without { sections: true, facts: &Doomed::default() })?;
        }
        Ok(())
    }

    /// Held while sections are removed; `None` while contents are read.
    pub(in crate::store) fn unread_sections(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        match self.sections.try_write() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Rewrites a records file, and forgets what was read of it.
    pub(in crate::store) fn rewrite_records(
        &self,
        writer: &mut WriterGuard<'_>,
        number: u64,
        without: Without<'_>,
    ) -> Result<Rewritten, Error> {
        // Until the new file takes the name of the old one, a failure changes nothing.
        let written = writer.get()?.records.write_without(number, without)?;
        let rewritten = writer.latch(|writer| writer.records.replace(written))?;
        if rewritten == Rewritten::Done {
            self.records_read.forget_file(number);
            self.containers.forget();
        }
        if without.sections && rewritten != Rewritten::Damaged {
            self.catalog_mut().sections_dropped(number);
        }
        Ok(rewritten)
    }

    /// Records files with contents or parts that could not be packed.
    pub(in crate::store) fn files_with_unpacked(&self) -> Result<BTreeSet<u64>, Error> {
        let catalog = self.catalog();
        let mut files = BTreeSet::new();
        for no in catalog.unpacked() {
            files.extend(catalog.content_row(ContentNo(no))?.and_then(|row| row.section));
        }
        for no in catalog.unpacked_parts() {
            files.extend(catalog.part_row(PartNo(no))?.and_then(|row| row.section));
        }
        Ok(files)
    }

    fn gather(&self) -> Result<Packing, Error> {
        let (contents, parts) = {
            let catalog = self.catalog();
            (catalog.unpacked().clone(), catalog.unpacked_parts().clone())
        };
        let (mut packing, mut placer) = (Packing::default(), Placer::default());
        for no in parts.into_iter().map(PartNo) {
            let Some(row) = self.catalog().part_row(no)? else { continue };
            let Some(bytes) = self.stored(&row.runs.0, row.section)? else { continue };
            let laid = placer.lay(&bytes);
            packing.parts.push((no, row, laid));
        }
        for no in contents.into_iter().map(ContentNo) {
            let Some(row) = self.catalog().content_row(no)? else { continue };
            let Some(bytes) = self.stored(&row.runs.0, row.section)? else { continue };
            let laid = placer.lay(&bytes);
            packing.contents.push((no, row, laid));
        }
        packing.bytes = Bytes::Together(placer);
        Ok(packing)
    }

    /// Stored bytes; `None` if they are damaged, which leaves them where they are.
    pub(super) fn stored(&self, runs: &[Run], section: Option<u64>) -> Result<Option<Vec<u8>>, Error> {
        let mut stored = Vec::new();
        match self.read_stored(runs, section, &mut |bytes| {
            stored.extend_from_slice(bytes);
            Ok(())
        }) {
            Ok(()) => Ok(Some(stored)),
            Err(Error::Damage(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Commits what is packed. Its blocks replace the only copy of the bytes, so what the encoder put out is decoded and
    /// compared before.
    pub(super) fn write_packed(&self, writer: &mut WriterGuard<'_>, packing: &Packing) -> Result<(), Error> {
        let blocks = match &packing.bytes {
            Bytes::Together(placer) => placer.encode()?,
            Bytes::Long(_) => Vec::new(),
        };
        if let Bytes::Together(placer) = &packing.bytes
            && !blocks.iter().zip(placer.blocks()).all(|(block, bytes)| gives_back(block, bytes))
        {
            return Err(UNLIKE);
        }
        let now = self.now();
        let committed = writer.latch(|writer| {
            let last = writer.records.last();
            let mut places = Vec::with_capacity(blocks.len());
            for (at, block) in blocks.iter().enumerate() {
                places.push(writer.containers.block(last, block)?);
                writer.containers.table(last, &self.packed_table(packing, &places, at, last.sequence + 1)?)?;
            }
            if let Bytes::Long(runs) = &packing.bytes {
                for run in runs {
                    let mut bytes = Vec::new();
                    self.read_stored(std::slice::from_ref(run), None, &mut |read| {
                        bytes.extend_from_slice(read);
                        Ok(())
                    })?;
                    let block = encode_block(&bytes);
                    if !gives_back(&block, &bytes) {
                        return Err(UNLIKE);
                    }
                    places.push(writer.containers.block(last, &block)?);
                }
                let table = self.packed_table(packing, &places, places.len().saturating_sub(1), last.sequence + 1)?;
                writer.containers.table(last, &table)?;
            }
            let placed = writer.containers.finish_commit()?;
            let fact = PackedFact {
                contents: packing.contents.iter().map(|(no, _, laid)| Ok((no.0, laid.runs(&places)?))).collect::<Result<_, Error>>()?,
                parts: packing.parts.iter().map(|(no, _, laid)| Ok((no.0, laid.runs(&places)?))).collect::<Result<_, Error>>()?,
            };
            let mut facts = vec![NewFact::new(FactValue::Packed(fact))];
            facts.extend(placed.facts);
            let (container_end, container_frames) = (placed.end, placed.frames);
            let salts = vec![SaltRange::fresh(0)?];
            writer.records.commit(NewCommit { time: now, facts, salts, container_end, container_frames, section: &[] })
        })?;
        self.take_over(writer, committed)
    }

    fn packed_table(&self, packing: &Packing, places: &[(u32, u64)], block: usize, sequence: u64) -> Result<Table, Error> {
        let mut table =
            Table { sequence, archived: 0, seed: None, contents: Vec::new(), messages: Vec::new(), parts: Vec::new(), folders: Vec::new() };
        for (no, row, laid) in packing.contents.iter().filter(|(_, _, laid)| laid.last_block() == block) {
            let salt = match self.commit_at(row.fact) {
                Ok(commit) => Some(commit.salts().of(row.fact.index as usize)?),
                // Without it, a repair cannot prove the tree by this content; its bytes are as good as before.
                Err(Error::Damage(_)) => None,
                Err(error) => return Err(error),
            };
            let (fact, runs, shape) = (row.fact.index, laid.runs(places)?, row.shape.clone());
            table.contents.push(TableContent { no: no.0, size: row.size, fact, runs, shape, salt });
            let catalog = self.catalog();
            let Some((message, folder)) = catalog.messages_read_from(*no)?.into_iter().next() else { continue };
            let path = catalog.folders().path(folder);
            let known = table.folders.iter().position(|folder| *folder == path);
            let folder = known.unwrap_or_else(|| {
                table.folders.push(path);
                table.folders.len() - 1
            });
            let Some(row) = catalog.message_row(message)? else { continue };
            let (number, archived) = (row.number, Some(row.archived));
            table.messages.push(TableMessage { no: message.0, content: no.0, folder: folder as u32, number, archived });
        }
        for (no, row, laid) in packing.parts.iter().filter(|(_, _, laid)| laid.last_block() == block) {
            table.parts.push(TablePart { no: no.0, len: row.len, runs: laid.runs(places)? });
        }
        Ok(table)
    }
}
