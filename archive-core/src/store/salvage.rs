//! Takes what the records lost from the tables in containers: contents, parts, first messages and their folders.
//!
//! A table says where bytes are and to what they belong. What it lacks (digest, header facts) is taken from the mail
//! itself. Rows made this way have no fact in the records, which marks them as recovered. A recorded commit takes
//! precedence, then the table of the higher sequence.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::Store;
use super::commit::PreparedHeader;
use crate::catalog::ContentRow;
use crate::container::{Table, TableContent, TablePart};
use crate::error::Error;
use crate::id::{ContentNo, Digest, FolderNo, MessageNo, PartNo};
use crate::mail::{Discard, Examination, Examiner};
use crate::records::{DIRECTION_UNKNOWN, DateSource, FactValue, FolderFact, MessageFact, PackedFact, PartFact, Runs};
use crate::seal::{FrameKind, HEADER_LEN, SealedReader};

/// What tables have and the catalog lacks, each with the sequence of its table.
#[derive(Default)]
struct Lacking {
    /// With the time of archiving.
    contents: BTreeMap<u32, (u64, (TableContent, i64))>,
    messages: BTreeMap<u32, (u64, FoundMessage)>,
    parts: BTreeMap<u32, (u64, TablePart)>,
    /// Paths of folders by their numbers, from existing messages and their tables.
    paths: BTreeMap<u32, Vec<String>>,
    /// The places of contents and parts whose commit exists, while the commit that packed them is lost.
    packed: [BTreeMap<u32, (u64, Runs)>; 2],
}

struct FoundMessage {
    content: u32,
    folder: Vec<String>,
    number: u32,
    archived: i64,
}

fn keep<T>(found: &mut BTreeMap<u32, (u64, T)>, no: u32, sequence: u64, value: T) {
    match found.entry(no) {
        Entry::Occupied(known) if known.get().0 >= sequence => {}
        Entry::Occupied(mut known) => {
            known.insert((sequence, value));
        }
        Entry::Vacant(free) => {
            free.insert((sequence, value));
        }
    }
}

/// A row of the catalog.
enum Row<T> {
    There(T),
    Missing,
    /// Unknown: its page cannot be read.
    Damaged,
}

fn readable<T>(row: Result<Option<T>, Error>) -> Result<Row<T>, Error> {
    match row {
        Ok(Some(row)) => Ok(Row::There(row)),
        Ok(None) => Ok(Row::Missing),
        Err(Error::Damage(_)) => Ok(Row::Damaged),
        Err(error) => Err(error),
    }
}

/// Whether these bytes were in a section that is gone, or in a container that is.
fn lie_nowhere(runs: &Runs, section: Option<u64>, there: &BTreeSet<u32>) -> bool {
    section.is_none() && runs.0.iter().any(|run| !there.contains(&run.container))
}

/// Passes every readable table of `file` to `visit`.
pub(crate) fn tables(file: &SealedReader, visit: &mut dyn FnMut(Table) -> Result<(), Error>) -> Result<(), Error> {
    let (mut at, len) = (HEADER_LEN as u64, file.len()?);
    while at < len {
        let read = file.raw(at, len).and_then(|raw| match raw.kind {
            FrameKind::Table => file.frame(at, len).map(|frame| (raw, Some(frame))),
            _ => Ok((raw, None)),
        });
        match read {
            Ok((raw, frame)) => {
                at = raw.place.end();
                if let Some(table) = frame.and_then(|frame| Table::read(frame.bytes())) {
                    visit(table)?;
                }
            }
            Err(Error::Damage(_)) => at = crate::records::next_frame(file, at + 1, len)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Store {
    /// Adds what tables have and the records lack. Nothing is written: the rows are in memory until the store is
    /// repaired.
    pub(super) fn complete_from_tables(&self) -> Result<(), Error> {
        let mut lacking = Lacking::default();
        let there: BTreeSet<u32> = self.containers.list()?.into_iter().collect();
        for number in there.iter().copied() {
            match self.containers.file(number) {
                Ok(file) => tables(&file, &mut |table| self.note_lacking(table, &there, &mut lacking))?,
                Err(Error::Damage(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let Lacking { contents, messages, parts, paths, packed } = lacking;
        self.complete_folders(paths)?;
        let [contents_packed, parts_packed] = packed.map(|runs| runs.into_iter().map(|(no, (_, runs))| (no, runs)).collect());
        let packed = PackedFact { contents: contents_packed, parts: parts_packed };
        self.catalog_mut().add_recovered(0, FactValue::Packed(packed))?;
        for (no, (sequence, part)) in parts {
            if let Some(digest) = self.digest_of(&part.runs)? {
                let fact = PartFact { no, digest: digest.0, len: part.len, runs: part.runs };
                self.catalog_mut().add_recovered(sequence, FactValue::Part(fact))?;
            }
        }
        let mut messages_of: BTreeMap<u32, Vec<(u32, u64, FoundMessage)>> = BTreeMap::new();
        for (no, (sequence, message)) in messages {
            messages_of.entry(message.content).or_default().push((no, sequence, message));
        }
        for (no, (sequence, (content, archived))) in contents {
            if let Some(fact) = self.recovered_content(content, archived)? {
                self.catalog_mut().add_recovered(sequence, fact)?;
                self.add_recovered_messages(messages_of.remove(&no).unwrap_or_default())?;
            }
        }
        messages_of.into_values().try_for_each(|messages| self.add_recovered_messages(messages))?;
        self.catalog_mut().settle()
    }

    /// Notes what a table has and the catalog lacks.
    fn note_lacking(&self, table: Table, there: &BTreeSet<u32>, lacking: &mut Lacking) -> Result<(), Error> {
        let catalog = self.catalog();
        for content in table.contents {
            match readable(catalog.content_row(ContentNo(content.no)))? {
                // A container that was to be removed may still be there.
                Row::Missing if catalog.is_erased(ContentNo(content.no)) => {}
                Row::Missing => keep(&mut lacking.contents, content.no, table.sequence, (content, table.archived)),
                Row::There(row) if lie_nowhere(&row.runs, row.section, there) => {
                    keep(&mut lacking.packed[0], content.no, table.sequence, content.runs);
                }
                Row::There(_) | Row::Damaged => {}
            }
        }
        for part in table.parts {
            match readable(catalog.part_row(PartNo(part.no)))? {
                Row::Missing => keep(&mut lacking.parts, part.no, table.sequence, part),
                Row::There(row) if lie_nowhere(&row.runs, row.section, there) => {
                    keep(&mut lacking.packed[1], part.no, table.sequence, part.runs)
                }
                Row::There(_) | Row::Damaged => {}
            }
        }
        for message in table.messages {
            let Some(folder) = usize::try_from(message.folder).ok().and_then(|at| table.folders.get(at)) else { continue };
            if catalog.is_erased_message(MessageNo(message.no)) {
                continue;
            }
            match readable(catalog.message_row(MessageNo(message.no)))? {
                Row::There(row) => drop(lacking.paths.entry(row.folder).or_insert_with(|| folder.clone())),
                Row::Damaged => {}
                Row::Missing => {
                    let found = FoundMessage {
                        content: message.content,
                        folder: folder.clone(),
                        number: message.number,
                        archived: message.archived.unwrap_or(table.archived),
                    };
                    keep(&mut lacking.messages, message.no, table.sequence, found);
                }
            }
        }
        Ok(())
    }

    /// Adds folders of existing messages whose facts are lost: the numbers are known, and the names come from tables.
    fn complete_folders(&self, paths: BTreeMap<u32, Vec<String>>) -> Result<(), Error> {
        for (mut no, path) in paths {
            for (depth, name) in path.iter().enumerate().rev() {
                // It was moved since, and its way up is shorter than it was.
                if no == 0 {
                    break;
                }
                let known = self.catalog().folders().get(FolderNo(no)).map(|folder| folder.parent);
                no = match known {
                    Some(parent) => parent,
                    None => {
                        let parent = self.recovered_folder(path.get(..depth).unwrap_or_default(), 0)?;
                        let fact = FolderFact { no, parent: parent.0, name: name.clone(), epoch: 1 };
                        self.catalog_mut().add_recovered(0, FactValue::FolderMade(fact))?;
                        break;
                    }
                };
            }
        }
        Ok(())
    }

    /// The digest of a part's bytes; `None` if they are damaged.
    fn digest_of(&self, runs: &Runs) -> Result<Option<Digest>, Error> {
        let mut hasher = Sha256::new();
        match self.read_stored(&runs.0, None, &mut |bytes| {
            hasher.update(bytes);
            Ok(())
        }) {
            Ok(()) => Ok(Some(Digest(hasher.finalize().into()))),
            Err(Error::Damage(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The fact of a content that a table names, as far as its bytes give it; `None` if they are damaged.
    fn recovered_content(&self, content: TableContent, archived: i64) -> Result<Option<FactValue>, Error> {
        let row = ContentRow::to_read(content.size, content.shape, content.runs);
        self.content_fact_of(ContentNo(content.no), row, None, |header| {
            let (date, source) = header.dated().unwrap_or((archived.div_euclid(1000), DateSource::Archiving));
            (date, source as u8)
        })
    }

    /// The fact of a content whose commit is lost, from its row in the catalog; `None` if its bytes are damaged.
    pub(super) fn content_again(&self, no: ContentNo, row: ContentRow) -> Result<Option<FactValue>, Error> {
        let (digest, noted) = (Digest(row.digest), (row.date, row.date_source));
        self.content_fact_of(no, row, Some(digest), |_| noted)
    }

    /// The fact that the bytes of a content give. `known` is its digest, if the archive knows it.
    fn content_fact_of(
        &self,
        no: ContentNo,
        row: ContentRow,
        known: Option<Digest>,
        date: impl FnOnce(&PreparedHeader) -> (i64, u8),
    ) -> Result<Option<FactValue>, Error> {
        let mut examiner = Examiner::new(Discard);
        match self.join_row(&row, &mut |bytes| {
            examiner.push(bytes);
            Ok(())
        }) {
            Ok(()) => {}
            Err(Error::Damage(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
        let Ok((Discard, examined)) = examiner.finish();
        let Examination { len, digest, identity, restated, facts, .. } = examined;
        if len != row.size || known.is_some_and(|known| known != digest) {
            return Ok(None);
        }
        let header = PreparedHeader { digest, identity, restated, size: len, facts, guesses: Vec::new() };
        let date = date(&header);
        Ok(Some(FactValue::Content(Box::new(header.fact(no, row.shape, row.runs, date)))))
    }

    fn add_recovered_messages(&self, messages: Vec<(u32, u64, FoundMessage)>) -> Result<(), Error> {
        for (no, sequence, message) in messages {
            let folder = self.recovered_folder(&message.folder, sequence)?;
            let fact = MessageFact::of_lost_origin(no, message.content, folder.0, DIRECTION_UNKNOWN, message.archived, message.number);
            self.catalog_mut().add_recovered(sequence, FactValue::Message(Box::new(fact)))?;
        }
        Ok(())
    }

    /// The folder of this path, made if it does not exist.
    fn recovered_folder(&self, path: &[String], sequence: u64) -> Result<FolderNo, Error> {
        let mut at = FolderNo(0);
        for name in path {
            let known = self.catalog().folders().child(at, name);
            at = match known {
                Some(known) => known,
                None => {
                    let mut catalog = self.catalog_mut();
                    let no = catalog.basis().numbers.folders.saturating_add(1);
                    let fact = FolderFact { no, parent: at.0, name: name.clone(), epoch: 1 };
                    catalog.add_recovered(sequence, FactValue::FolderMade(fact))?;
                    FolderNo(no)
                }
            };
        }
        Ok(at)
    }
}
