//! Writes a draft: blocks and tables into containers, facts into records.

use std::collections::HashMap;

use super::{Added, AddedMessage, AddedPart, Draft, Source};
use crate::container::{ContainerWriter, Table, TableContent, TableMessage, TablePart};
use crate::error::Error;
use crate::id::{ContentNo, MessageNo};
use crate::records::{
    AcceptedFact, Committed, ContentFact, DIRECTION_UNKNOWN, DamageFact, FactValue, ImportRunFact, Link, MessageFact, NewCommit, NewFact,
    PartFact, Salt, SaltRange,
};
use crate::seal::random;
use crate::store::Writer;
use crate::store::commit::RunInfo;
use crate::store::commit::prepared::SMALL;

/// Writes what `draft` adds: blocks and tables, then the commit. `None` if there is nothing to write.
pub(in crate::store) fn write_draft(writer: &mut Writer, draft: Draft<'_>, run: Option<&RunInfo>) -> Result<Option<Committed>, Error> {
    if draft.is_empty() && run.is_none() && !writer.containers.has_news() {
        return Ok(None);
    }
    let last = writer.records.last();
    let small = draft.placer.stored() < SMALL;
    let blocks = draft.placer.encode()?;
    let mut places = Vec::with_capacity(blocks.len());
    let mut salts = Vec::new();
    if small {
        places.extend((0..blocks.len()).map(|at| (0, at as u64)));
    } else {
        let tables = Tables::new(&draft, blocks.len())?;
        salts = tables.salts();
        for (at, block) in blocks.iter().enumerate() {
            places.push(writer.containers.block(last, block)?);
            tables.write(&mut writer.containers, &places, at, last)?;
        }
    }
    if draft.contents.iter().any(|content| matches!(content.laid, Source::Received(_))) {
        let seed = random()?;
        salts = vec![SaltRange { first: 0, salt: Salt::Seed(seed) }];
        let table = draft.table(draft.contents.iter().enumerate(), draft.parts.iter(), &[], last.sequence + 1, seed)?;
        writer.containers.table(last, &table)?;
    }
    let placed = writer.containers.finish_commit()?;
    let time = draft.now;
    // A separate seed for all facts except the contents in tables; it is stored nowhere else.
    let in_tables = if salts.is_empty() { 0 } else { draft.contents.len() as u32 };
    let mut facts = draft.facts(&places, run)?;
    facts.extend(placed.facts);
    if facts.len() > in_tables as usize {
        salts.push(SaltRange::fresh(in_tables)?);
    }
    let new = NewCommit {
        time,
        facts,
        salts,
        container_end: placed.end,
        container_frames: placed.frames,
        section: if small { &blocks } else { &[] },
    };
    writer.records.commit(new).map(Some)
}

/// Tables of the blocks of one commit.
struct Tables<'d, 's> {
    draft: &'d Draft<'s>,
    /// Contents and parts by the block that holds their last byte.
    contents: Vec<Vec<usize>>,
    parts: Vec<Vec<usize>>,
    /// The seeds for the salts of the contents of each.
    seeds: Vec<[u8; 32]>,
}

impl<'d, 's> Tables<'d, 's> {
    fn new(draft: &'d Draft<'s>, blocks: usize) -> Result<Self, Error> {
        let seeds = (0..blocks).map(|_| random()).collect::<Result<_, _>>()?;
        let mut tables = Self { draft, contents: vec![Vec::new(); blocks], parts: vec![Vec::new(); blocks], seeds };
        let file = |rows: &mut Vec<Vec<usize>>, at: usize, laid: &Source| {
            if let Source::Laid(laid) = laid
                && let Some(row) = rows.get_mut(laid.last_block())
            {
                row.push(at);
            }
        };
        draft.contents.iter().enumerate().for_each(|(at, content)| file(&mut tables.contents, at, &content.laid));
        draft.parts.iter().enumerate().for_each(|(at, part)| file(&mut tables.parts, at, &part.laid));
        Ok(tables)
    }

    /// A range for each sequence of contents in one table.
    fn salts(&self) -> Vec<SaltRange> {
        let mut block_of = vec![0; self.draft.contents.len()];
        for (block, contents) in self.contents.iter().enumerate() {
            contents.iter().for_each(|at| block_of[*at] = block);
        }
        let rows = block_of.chunk_by(|a, b| a == b);
        let mut first = 0;
        rows.filter_map(|row| {
            let seed = *self.seeds.get(*row.first()?)?;
            let range = SaltRange { first, salt: Salt::Seed(seed) };
            first += row.len() as u32;
            Some(range)
        })
        .collect()
    }

    fn write(&self, containers: &mut ContainerWriter, places: &[(u32, u64)], block: usize, last: Link) -> Result<(), Error> {
        let contents = self.contents[block].iter().map(|at| (*at, &self.draft.contents[*at]));
        let parts = self.parts[block].iter().map(|at| &self.draft.parts[*at]);
        containers.table(last, &self.draft.table(contents, parts, places, last.sequence + 1, self.seeds[block])?)
    }
}

impl Draft<'_> {
    fn table<'a>(
        &self,
        contents: impl Iterator<Item = (usize, &'a Added)>,
        parts: impl Iterator<Item = &'a AddedPart>,
        places: &[(u32, u64)],
        sequence: u64,
        seed: [u8; 32],
    ) -> Result<Table, Error> {
        let mut table = Table {
            sequence,
            archived: self.now,
            seed: Some(seed),
            contents: Vec::new(),
            messages: Vec::new(),
            parts: Vec::new(),
            folders: Vec::new(),
        };
        let mut folders: HashMap<&[String], u32> = HashMap::new();
        for (at, content) in contents {
            table.contents.push(TableContent {
                no: content.no.0,
                size: content.header.size,
                fact: at as u32,
                runs: content.laid.runs(places)?,
                shape: content.shape.clone(),
                salt: None,
            });
            let Some((no, path, number, archived)) = self.first_message(content.no) else { continue };
            let next = folders.len() as u32;
            let folder = *folders.entry(path).or_insert_with(|| {
                table.folders.push(path.to_vec());
                next
            });
            table.messages.push(TableMessage { no: no.0, content: content.no.0, folder, number, archived });
        }
        for part in parts {
            table.parts.push(TablePart { no: part.no.0, len: part.len, runs: part.laid.runs(places)? });
        }
        Ok(table)
    }

    /// The message that the table names with a content: its first one, or the one whose damaged bytes it replaces.
    fn first_message(&self, content: ContentNo) -> Option<(MessageNo, &[String], u32, Option<i64>)> {
        if let Some(healed) = self.healed.binary_search_by_key(&content, |healed| healed.content).ok().and_then(|at| self.healed.get(at)) {
            return Some((healed.message, &healed.folder, healed.number, Some(healed.archived)));
        }
        let (no, _) = self.placed_here(content).next()?;
        let at = no.0.checked_sub(self.catalog.basis().numbers.messages)?;
        let message = self.messages.get(at as usize)?;
        Some((no, &message.place.folder, message.number, None))
    }

    /// Facts of the commit: contents first, so that the index of each is known to its table.
    fn facts(self, places: &[(u32, u64)], run: Option<&RunInfo>) -> Result<Vec<NewFact>, Error> {
        let mut facts = Vec::with_capacity(self.contents.len() + self.messages.len() + self.parts.len() + 2);
        for content in self.contents {
            facts.push(NewFact::new(FactValue::Content(Box::new(content.fact(places)?))));
        }
        for part in &self.parts {
            let fact = PartFact { no: part.no.0, digest: part.digest.0, len: part.len, runs: part.laid.runs(places)? };
            facts.push(NewFact::new(FactValue::Part(fact)));
        }
        facts.extend(self.folders.into_iter().map(|folder| NewFact::new(FactValue::FolderMade(folder))));
        facts.extend(self.changed.into_iter().map(NewFact::new));
        if !self.damaged.is_empty() {
            facts.push(NewFact::new(FactValue::DamageNoted(DamageFact { contents: self.damaged })));
        }
        if !self.accepted.is_empty() {
            facts.push(NewFact::new(FactValue::DamageAccepted(AcceptedFact { places: self.accepted })));
        }
        facts.extend(self.deleted.map(|fact| NewFact::new(FactValue::MessagesDeleted(fact))));
        facts.extend(self.undeleted.map(|fact| NewFact::new(FactValue::MessagesUndeleted(fact))));
        // If this commit records the run, its number is the next one; otherwise the run was recorded last.
        let next_run = self.catalog.basis().numbers.runs;
        if let Some(run) = run {
            facts.push(NewFact::new(FactValue::ImportRun(run.fact(next_run))));
        }
        let run = if run.is_some() { next_run } else { next_run.saturating_sub(1) };
        let now = self.now;
        facts.extend(self.messages.into_iter().map(|message| NewFact::new(FactValue::Message(Box::new(message.fact(run, now))))));
        Ok(facts)
    }
}

impl Added {
    fn fact(self, places: &[(u32, u64)]) -> Result<ContentFact, Error> {
        let runs = self.laid.runs(places)?;
        Ok(self.header.fact(self.no, self.shape, runs, (self.date, self.date_source as u8)))
    }
}

impl AddedMessage {
    fn fact(self, run: u32, now: i64) -> MessageFact {
        MessageFact {
            no: self.no.0,
            content: self.content.0,
            folder: self.folder.0,
            direction: DIRECTION_UNKNOWN,
            archived: now,
            run,
            path: self.place.path.to_string(),
            offset: self.place.offset,
            from_line: self.place.from_line,
            quoting: self.place.unquoted.then_some(1),
            flags: self.place.flags,
            number: self.number,
        }
    }
}

impl RunInfo {
    fn fact(&self, no: u32) -> ImportRunFact {
        ImportRunFact {
            no,
            actor: self.actor.clone(),
            program: concat!("mailkeep ", env!("CARGO_PKG_VERSION")).to_owned(),
            start: self.start,
            host: self.host.clone(),
            source: self.source.clone(),
            size: self.size,
            modified: self.modified,
            jumped_from: self.jumped_from,
        }
    }
}
