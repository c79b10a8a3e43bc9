//! Mails in `lost+found`: from commits that no record made valid, or whose records were put aside with them.
//!
//! In lost containers, tables name contents, parts and folders; in lost records, facts do. What was lost takes
//! precedence over the catalog, whose numbers were assigned again after the crash. The digest of a mail that only a
//! table names is unknown: only its own bytes may be used, never those at the same place in a later file. Nothing here
//! has a receipt: what does not match is left out.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use quick_cache::sync::Cache;

use super::Store;
use super::lost::{LostFile, lost_files};
use super::lost_tail::LostTail;
use super::read::{Sink, StoredBytes, join};
use crate::container::{Containers, Table};
use crate::error::{Damage, DamageCause, Error};
use crate::folder::MAX_DEPTH;
use crate::id::{Digest, FolderNo, PartNo};
use crate::mail::Extent;
use crate::records::{Fact, FactValue, RecordsFile, Run, Runs, Shape, ShapeExtent, Stamp, read_commit};
use crate::seal::{FileKind, FrameKind, HEADER_LEN, SealedReader};

/// Larger mails are counted, but not read.
const LARGEST: u64 = 16 << 20;
/// File handles kept open.
const OPEN_FILES: usize = 8;

/// A content that was looked for in `lost+found`.
pub(crate) enum LostContent {
    /// Its bytes, and the names of the first folder it was meant for; empty if that is not known.
    Mail { folder: Vec<String>, bytes: Vec<u8> },
    /// It is too large to be read.
    TooLarge,
    /// Some of its bytes are missing.
    Unreadable,
}

/// Receives what is found, until it breaks.
pub(crate) type Visit<'v> = dyn FnMut(LostContent) -> Result<ControlFlow<()>, Error> + 'v;

/// The contents of the `lost+found` of a store.
pub(crate) struct LostMails<'s> {
    store: &'s Store,
    files: Vec<(LostFile, Held)>,
    readers: Cache<usize, SealedReader>,
    /// Blocks of lost files, by the place of the file in the list.
    blocks: Containers,
}

/// The places of things in a lost file.
#[derive(Default)]
struct Held {
    /// Its number, if it is a container.
    container: Option<u32>,
    /// Blocks of a container: offset, and sequence of the commit.
    blocks: BTreeMap<u64, u64>,
    tables: Vec<u64>,
    commits: Vec<LostCommit>,
    /// The commit whose last piece was not read yet.
    begun: LostCommit,
}

/// A commit of lost records whose last piece exists.
#[derive(Default)]
struct LostCommit {
    sequence: u64,
    /// Blocks of its section: index in the commit, and offset.
    section: BTreeMap<u32, u64>,
    /// Index and offset of its first piece.
    piece: Option<(u32, u64)>,
}

/// What is known of the commit that a content belongs to.
struct Own {
    sequence: u64,
    parts: BTreeMap<u32, Runs>,
    /// Offsets of the blocks of its section.
    section: BTreeMap<u64, u64>,
}

/// A content to be read.
struct Wanted {
    size: u64,
    shape: Option<Shape>,
    runs: Runs,
    digest: Option<Digest>,
}

/// The file of a run.
#[derive(Clone, Copy)]
enum Place {
    Lost(usize),
    /// The store itself; a section is in this records file.
    Store(Option<u64>),
}

type Placed = Vec<(Place, Run)>;

/// What was read; `None` if it cannot be read for a reason other than an error of the system.
fn readable<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ Error::Io(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

impl Held {
    fn note(&mut self, stamp: Stamp, kind: FrameKind, offset: u64) {
        match (kind, self.container) {
            (FrameKind::Block, Some(_)) => {
                self.blocks.insert(offset, stamp.sequence);
            }
            (FrameKind::Table, Some(_)) => self.tables.push(offset),
            (FrameKind::Block | FrameKind::CommitPiece | FrameKind::Commit, None) => {
                if self.begun.sequence != stamp.sequence {
                    self.begun = LostCommit { sequence: stamp.sequence, ..LostCommit::default() };
                }
                if kind == FrameKind::Block {
                    self.begun.section.insert(stamp.index, offset);
                    return;
                }
                self.begun.piece.get_or_insert((stamp.index, offset));
                if kind == FrameKind::Commit {
                    self.commits.push(std::mem::take(&mut self.begun));
                }
            }
            _ => {}
        }
    }
}

impl Store {
    /// Examines what opens put aside.
    pub(crate) fn lost_mails(&self) -> Result<LostMails<'_>, Error> {
        let blocks = Containers::new(Arc::clone(&self.vfs), &self.dirs.content, self.key.duplicate(), self.uuid);
        let mut lost = LostMails { store: self, files: Vec::new(), readers: Cache::new(OPEN_FILES), blocks };
        for file in lost_files(&*self.vfs, &self.dirs.root)? {
            let held = lost.look_through(&file)?;
            lost.files.push((file, held));
        }
        Ok(lost)
    }
}

impl LostMails<'_> {
    /// The files, the oldest first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &LostFile> {
        self.files.iter().map(|(file, _)| file)
    }

    /// Passes the contents that file `at` names to `visit`.
    pub(crate) fn contents_of(&self, at: usize, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, Error> {
        let Some((file, held)) = self.files.get(at) else { return Ok(ControlFlow::Continue(())) };
        if held.tables.is_empty() && held.commits.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(reader) = readable(self.reader(at, file))? else { return Ok(ControlFlow::Continue(())) };
        match held.container {
            Some(_) => self.of_tables(at, &reader, held, visit),
            None => self.of_commits(at, reader, held, visit),
        }
    }

    /// The file, and where the kept part of it begins; `None` if it is not a file of a store.
    fn open(&self, file: &LostFile) -> Result<Option<(SealedReader, u64)>, Error> {
        let (path, store) = (&file.path, self.store);
        let mut view = store.vfs.open_read(path)?;
        let mut from = HEADER_LEN as u64;
        if path.extension().is_some_and(|extension| extension == "mkl") {
            let Some(tail) = LostTail::open(path, view)? else { return Ok(None) };
            from = tail.from();
            view = Arc::new(tail);
        }
        for kind in [FileKind::Container, FileKind::Records] {
            if let Some(reader) = readable(SealedReader::open(path, Arc::clone(&view), &store.key, kind, store.uuid))? {
                return Ok(Some((reader, from)));
            }
        }
        Ok(None)
    }

    fn look_through(&self, file: &LostFile) -> Result<Held, Error> {
        let mut held = Held::default();
        let Some((reader, from)) = self.open(file)? else { return Ok(held) };
        if reader.header().kind == FileKind::Container {
            held.container = u32::try_from(reader.header().number).ok();
        }
        Containers::walk(&reader, from..reader.len()?, &mut |frame| {
            if let Ok((stamp, frame)) = frame {
                held.note(stamp, frame.kind, frame.place.offset);
            }
            Ok(())
        })?;
        Ok(held)
    }

    fn reader(&self, at: usize, file: &LostFile) -> Result<SealedReader, Error> {
        self.readers.get_or_insert_with(&at, || match self.open(file)? {
            Some((reader, _)) => Ok(reader),
            None => Err(Damage::new(&file.path, 0, 0, DamageCause::Header).into()),
        })
    }

    fn of_tables(&self, at: usize, file: &SealedReader, held: &Held, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, Error> {
        let len = file.len()?;
        let table = |offset: u64| Ok::<_, Error>(readable(file.frame(offset, len))?.and_then(|frame| Table::read(frame.bytes())));
        let mut commits: BTreeMap<u64, Own> = BTreeMap::new();
        for offset in &held.tables {
            if let Some(table) = table(*offset)? {
                let sequence = table.sequence;
                let own = commits.entry(sequence).or_insert_with(|| Own { sequence, parts: BTreeMap::new(), section: BTreeMap::new() });
                own.parts.extend(table.parts.into_iter().map(|part| (part.no, part.runs)));
            }
        }
        for offset in &held.tables {
            let Some(table) = table(*offset)? else { continue };
            let Some(own) = commits.get(&table.sequence) else { continue };
            let mut folder_of: BTreeMap<u32, u32> = BTreeMap::new();
            for message in &table.messages {
                folder_of.entry(message.content).or_insert(message.folder);
            }
            for content in table.contents {
                let folder = folder_of.get(&content.no).and_then(|folder| table.folders.get(*folder as usize));
                let wanted = Wanted { size: content.size, shape: content.shape, runs: content.runs, digest: None };
                if self.hand_out(at, own, &wanted, || folder.cloned().unwrap_or_default(), visit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn of_commits(&self, at: usize, reader: SealedReader, held: &Held, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, Error> {
        let Some(file) = readable(RecordsFile::of(reader))? else { return Ok(ControlFlow::Continue(())) };
        for lost in &held.commits {
            let Some((index, offset)) = lost.piece else { continue };
            let Some(commit) = readable(read_commit(&file, file.moved.first(offset)))? else { continue };
            let base = index.checked_sub(commit.section_frames());
            let in_section = |(index, offset): (&u32, &u64)| Some((u64::from(index.checked_sub(base?)?), *offset));
            let section = lost.section.iter().filter_map(in_section).collect();
            let mut own = Own { sequence: lost.sequence, parts: BTreeMap::new(), section };
            let (mut contents, mut folder_of, mut made) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
            for fact in &commit.facts {
                let Fact::Known { kind, bytes } = fact else { continue };
                match readable(FactValue::read(*kind, bytes, &mut None))? {
                    Some(FactValue::Content(fact)) => contents.push(*fact),
                    Some(FactValue::Part(fact)) => {
                        own.parts.insert(fact.no, fact.runs);
                    }
                    Some(FactValue::Message(fact)) => {
                        folder_of.entry(fact.content).or_insert(fact.folder);
                    }
                    Some(FactValue::FolderMade(fact)) => {
                        made.insert(fact.no, (fact.parent, fact.name));
                    }
                    _ => {}
                }
            }
            for content in contents {
                let folder = || folder_of.get(&content.no).map(|folder| self.folder(*folder, &made)).unwrap_or_default();
                let digest = Some(Digest(content.digest));
                let wanted = Wanted { size: content.size, shape: content.shape, runs: content.runs, digest };
                if self.hand_out(at, &own, &wanted, folder, visit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The path of a folder that the commit made, below an existing one.
    fn folder(&self, no: u32, made: &BTreeMap<u32, (u32, String)>) -> Vec<String> {
        let (mut at, mut names) = (no, Vec::new());
        while let Some((parent, name)) = made.get(&at).filter(|_| names.len() < MAX_DEPTH) {
            names.push(name.clone());
            at = *parent;
        }
        names.reverse();
        let mut path = self.store.catalog().folders().path(FolderNo(at));
        path.append(&mut names);
        path
    }

    fn hand_out(
        &self,
        at: usize,
        own: &Own,
        wanted: &Wanted,
        folder: impl FnOnce() -> Vec<String>,
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>, Error> {
        if wanted.size > LARGEST {
            return visit(LostContent::TooLarge);
        }
        match self.read(at, own, wanted)? {
            Some(bytes) => visit(LostContent::Mail { folder: folder(), bytes }),
            None => visit(LostContent::Unreadable),
        }
    }

    fn read(&self, at: usize, own: &Own, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        let _sections = self.store.sections.read().unwrap_or_else(PoisonError::into_inner);
        let whole = Shape(vec![ShapeExtent { extent: Extent::Literal { len: wanted.size }, part: 0 }]);
        let shape = wanted.shape.as_ref().unwrap_or(&whole);
        let proven = wanted.digest.is_some();
        let Some(runs) = self.placed(at, own, &wanted.runs, proven) else { return Ok(None) };
        let (mut stored, mut parts) = (0_u64, Vec::new());
        for extent in &shape.0 {
            match extent.extent {
                Extent::Literal { len } | Extent::Decoded { len, .. } => stored = stored.saturating_add(len),
                Extent::Part { len, .. } => match readable(self.part(at, own, extent.part, proven))?.flatten() {
                    Some(part) if part.iter().map(|(_, run)| u64::from(run.len)).sum::<u64>() == len => parts.push(part),
                    _ => return Ok(None),
                },
            }
        }
        if stored != wanted.runs.bytes() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let reader = |runs| LostReader { lost: self, runs, next: 0, at: 0, error: None };
        let joined = join(shape.0.iter().map(|extent| extent.extent), reader(runs), parts.into_iter().map(reader), &mut |piece| {
            bytes.extend_from_slice(piece);
            if bytes.len() as u64 > wanted.size { Err(Error::Stopped) } else { Ok(()) }
        });
        let is_joined = readable(joined)?.is_some() && bytes.len() as u64 == wanted.size;
        let fits = is_joined && wanted.digest.is_none_or(|digest| digest == Digest::of(&bytes));
        Ok(fits.then_some(bytes))
    }

    /// The places of runs of the commit itself. In the store only if a digest will prove the bytes: what was cut there
    /// is gone, and other bytes may be in its place.
    fn placed(&self, at: usize, own: &Own, runs: &Runs, proven: bool) -> Option<Placed> {
        let place = |run: &Run| {
            if run.container == 0 {
                return own.section.get(&run.frame).map(|offset| (Place::Lost(at), Run { frame: *offset, ..*run }));
            }
            let holds = |at: &usize| {
                let held = self.files.get(*at).map(|(_, held)| held).filter(|held| held.container == Some(run.container));
                held.is_some_and(|held| held.blocks.get(&run.frame) == Some(&own.sequence))
            };
            let lost = Some(at).filter(holds).or_else(|| (0..self.files.len()).rev().find(holds));
            let place = lost.map(Place::Lost).or(proven.then_some(Place::Store(None)));
            place.map(|place| (place, *run))
        };
        runs.0.iter().map(place).collect()
    }

    /// The place of a part: from the commit itself, else from the catalog, if the part is older than the commit.
    fn part(&self, at: usize, own: &Own, no: u32, proven: bool) -> Result<Option<Placed>, Error> {
        if let Some(runs) = own.parts.get(&no) {
            return Ok(self.placed(at, own, runs, proven));
        }
        let Some(row) = self.store.catalog().part_row(PartNo(no))? else { return Ok(None) };
        let is_older = proven || own.parts.keys().next().is_some_and(|first| no < *first);
        if !is_older && !self.was_written_before(own.sequence, &row.runs, row.section)? {
            return Ok(None);
        }
        Ok(Some(row.runs.0.into_iter().map(|run| (Place::Store(row.section), run)).collect()))
    }

    /// Whether the blocks of these runs say that they belong to an earlier commit.
    fn was_written_before(&self, sequence: u64, runs: &Runs, section: Option<u64>) -> Result<bool, Error> {
        for run in &runs.0 {
            let file = match (run.container, section) {
                (0, Some(number)) => self.store.records_file(number)?.reader.clone(),
                (number, _) => self.store.containers.file(number)?,
            };
            let frame = file.frame(run.frame, file.len()?)?;
            if Stamp::split(frame.bytes()).map_or(true, |(stamp, _)| stamp.sequence >= sequence) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read_run(&self, place: Place, run: &Run, ahead: u32, sink: &mut Sink<'_>) -> Result<(), Error> {
        match place {
            Place::Store(section) => self.store.read_stored(std::slice::from_ref(run), section, sink),
            Place::Lost(at) => {
                let (file, _) = self.files.get(at).ok_or(Error::Bug("a run lies in a lost file that is not listed"))?;
                self.blocks.read_run(&self.reader(at, file)?, (at as u32, run.frame), run, ahead, sink)
            }
        }
    }
}

/// Reads runs one after the other.
struct LostReader<'l> {
    lost: &'l LostMails<'l>,
    runs: Placed,
    next: usize,
    /// Bytes of the next run that were taken already.
    at: u32,
    error: Option<Error>,
}

impl Read for LostReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some((place, run)) = self.runs.get(self.next) {
            let rest = run.len.saturating_sub(self.at);
            if rest == 0 {
                (self.next, self.at) = (self.next + 1, 0);
                continue;
            }
            let len = rest.min(u32::try_from(buf.len()).unwrap_or(u32::MAX));
            let stretch = Run { start: run.start.saturating_add(self.at), len, ..*run };
            let taken = buf.get_mut(..len as usize).unwrap_or_default();
            let read = self.lost.read_run(*place, &stretch, rest - len, &mut |bytes| {
                taken.copy_from_slice(bytes);
                Ok(())
            });
            if let Err(error) = read {
                self.error = Some(error);
                return Err(io::Error::other("a run of a lost mail cannot be read"));
            }
            self.at += len;
            return Ok(len as usize);
        }
        Ok(0)
    }
}

impl StoredBytes for LostReader<'_> {
    fn error(&mut self) -> Option<Error> {
        self.error.take()
    }
}
