//! Packs contents of small commits into blocks: compressed together, with tables, in containers like the rest. Then
//! their sections are removed from the records, so that nothing is on disk twice.

use std::collections::BTreeSet;
use std::sync::TryLockError;

use super::place::{Laid, Placer};
use crate::catalog::{ContentRow, PartRow};
use crate::container::{Table, TableContent, TableMessage, TablePart};
use crate::error::Error;
use crate::id::{ContentNo, PartNo};
use crate::records::{Committed, FactValue, NewCommit, NewFact, PackedFact, Run, SaltRange};
use crate::store::{Store, WriterGuard};

/// What is packed, with where it was laid.
struct Packing {
    contents: Vec<(ContentNo, ContentRow, Laid)>,
    parts: Vec<(PartNo, PartRow, Laid)>,
    placer: Placer,
}

impl Store {
    /// Packs all contents of small commits. It is not an error if there is nothing to do.
    pub(crate) fn pack(&self) -> Result<(), Error> {
        let mut writer = self.writer()?;
        let packing = self.gather()?;
        if !packing.contents.is_empty() || !packing.parts.is_empty() {
            let committed = self.write_packed(&mut writer, &packing)?;
            self.take_over(&mut writer, committed)?;
        }
        self.drop_sections(&mut writer)
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
            let _unread = match self.sections.try_write() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // Left for the next time.
                Err(TryLockError::WouldBlock) => return Ok(()),
            };
            writer.latch(|writer| writer.records.drop_sections(number))?;
            self.records_read.forget_file(number);
            self.containers.forget();
            self.catalog_mut().sections_dropped(number);
        }
        Ok(())
    }

    /// Records files with contents or parts that could not be packed.
    fn files_with_unpacked(&self) -> Result<BTreeSet<u64>, Error> {
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
        let mut packing = Packing { contents: Vec::new(), parts: Vec::new(), placer: Placer::default() };
        for no in parts.into_iter().map(PartNo) {
            let Some(row) = self.catalog().part_row(no)? else { continue };
            let Some(bytes) = self.stored(&row.runs.0, row.section)? else { continue };
            let laid = packing.placer.lay(&bytes);
            packing.parts.push((no, row, laid));
        }
        for no in contents.into_iter().map(ContentNo) {
            let Some(row) = self.catalog().content_row(no)? else { continue };
            let Some(bytes) = self.stored(&row.runs.0, row.section)? else { continue };
            let laid = packing.placer.lay(&bytes);
            packing.contents.push((no, row, laid));
        }
        Ok(packing)
    }

    /// Stored bytes in a section; `None` if they are damaged, which leaves them where they are.
    fn stored(&self, runs: &[Run], section: Option<u64>) -> Result<Option<Vec<u8>>, Error> {
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

    fn write_packed(&self, writer: &mut WriterGuard<'_>, packing: &Packing) -> Result<Committed, Error> {
        let blocks = packing.placer.encode()?;
        let now = self.now();
        writer.latch(|writer| {
            let last = writer.records.last();
            let mut places = Vec::with_capacity(blocks.len());
            for (at, block) in blocks.iter().enumerate() {
                places.push(writer.containers.block(last, block)?);
                writer.containers.table(last, &self.packed_table(packing, &places, at, last.sequence + 1)?)?;
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
        })
    }

    fn packed_table(&self, packing: &Packing, places: &[(u32, u64)], block: usize, sequence: u64) -> Result<Table, Error> {
        let mut table =
            Table { sequence, archived: 0, seed: None, contents: Vec::new(), messages: Vec::new(), parts: Vec::new(), folders: Vec::new() };
        for (no, row, laid) in packing.contents.iter().filter(|(_, _, laid)| laid.last_block() == block) {
            let salt = self.commit_at(row.fact)?.salts().of(row.fact.index as usize)?;
            let (fact, runs, shape) = (row.fact.index, laid.runs(places)?, row.shape.clone());
            table.contents.push(TableContent { no: no.0, size: row.size, fact, runs, shape, salt: Some(salt) });
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
