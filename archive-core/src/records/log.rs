//! The writer of records: it appends commits, syncs them, and begins new files.
//!
//! Invariants: sequences have no gaps; a commit is appended only after the previous one is synced; a new file's header
//! names the chain value before its first commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::commit::Parts;
use super::moved::Moved;
use super::stamp::Stamp;
use super::{Commit, FactValue, Frontier, Link, NewFact, SaltRange};
use crate::error::Error;
use crate::id::Uuid;
use crate::seal::{FileKind, FrameKind, RecordsStart, SealedReader, SealedWriter, SecretKey};
use crate::vfs::Vfs;
use crate::wire::{Effort, compress};

/// A records file is closed when it is larger.
const FILE_LIMIT: u64 = 64 << 20;
/// The compressed bytes of a commit are cut into frames of this size.
const PIECE: usize = 4 << 20;

/// Where a commit was first written: its records file and the offset of its first frame that holds facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CommitPlace {
    pub(crate) file: u64,
    pub(crate) offset: u64,
}

/// The places of all frames of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitSpan {
    pub(crate) place: CommitPlace,
    /// Where it begins, including the contents of a small commit; like its place, as it was first written.
    pub(crate) begin: u64,
    /// Present offsets of the frames with the contents of a small commit; empty if they were dropped.
    pub(crate) section: Vec<u64>,
}

/// A durable commit: only the sync of the records makes one.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) link: Link,
    pub(crate) span: CommitSpan,
    pub(crate) container_end: (u32, u64),
    /// The tree after it.
    pub(crate) tree: Frontier,
    /// Its facts as values, in order.
    pub(crate) facts: Vec<FactValue>,
}

/// The parts of a commit to be written.
pub(crate) struct NewCommit<'a> {
    pub(crate) time: i64,
    pub(crate) facts: Vec<NewFact>,
    /// Where the salts of the facts come from.
    pub(crate) salts: Vec<SaltRange>,
    /// Number of the active container (0 if none) and its end.
    pub(crate) container_end: (u32, u64),
    /// Frames that the commit has in containers.
    pub(crate) container_frames: u32,
    /// Encoded blocks with the contents of a small commit.
    pub(crate) section: &'a [Vec<u8>],
}

/// A commit above the clean mark that is whole, to be written again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakenCommit<'a> {
    pub(crate) commit: &'a Commit,
    pub(crate) link: Link,
    /// Frames that the commit has in containers: the copy counts them too, otherwise it would not be whole if it has to
    /// be adopted once more.
    pub(crate) container_frames: u32,
    /// Encoded blocks with the contents of a small commit.
    pub(crate) section: &'a [Vec<u8>],
}

/// The records of one store or master, open for writing.
pub(crate) struct Records {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) dir: PathBuf,
    pub(super) key: SecretKey,
    pub(super) owner: Uuid,
    /// Number of the active file.
    pub(super) number: u64,
    pub(super) writer: SealedWriter,
    pub(super) moved: Moved,
    pub(super) last: Link,
    /// Whether the active file says that the last commit is synced.
    pub(super) marked: bool,
    tree: Frontier,
}

/// The path of records file `number`.
pub(crate) fn file_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.mkr"))
}

/// The number that a records file has by its name. A file with a number of 2^53 or more does not come from this
/// library.
pub(crate) fn file_number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".mkr")?.parse().ok().filter(|number| *number < 1 << 53)
}

impl Records {
    /// Begins records file `number` after `last`.
    pub(crate) fn begin(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        key: SecretKey,
        owner: Uuid,
        number: u64,
        last: Link,
        tree: Frontier,
    ) -> Result<Self, Error> {
        let writer = Self::new_file(&*vfs, dir, &key, owner, number, last, None)?.0;
        Ok(Self { vfs, dir: dir.to_owned(), key, owner, number, writer, moved: Moved::default(), last, marked: false, tree })
    }

    /// Continues a file that was read to its end and found clean. Begins the next one if the file must not be appended
    /// to, because it has other names (a snapshot) or `anew` is set.
    #[expect(clippy::too_many_arguments, reason = "what a writer is made of has no other use")]
    pub(crate) fn resume(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        key: SecretKey,
        owner: Uuid,
        number: u64,
        last: Link,
        tree: Frontier,
        anew: bool,
    ) -> Result<Self, Error> {
        let path = file_path(dir, number);
        let file = vfs.open(&path)?;
        if anew || file.links()? > 1 {
            return Self::begin(vfs, dir, key, owner, number + 1, last, tree);
        }
        let reader = SealedReader::open(&path, file, &key, FileKind::Records, owner)?;
        let moved = Moved::of(&reader)?;
        if moved.is_unreadable() {
            return Self::begin(vfs, dir, key, owner, number + 1, last, tree);
        }
        // A process that died after it gave a rewritten file its name may have left that name unsynced: a loss of power
        // would bring the old file back, without what is appended from now on.
        vfs.sync_dir(dir)?;
        let writer = SealedWriter::resume(reader)?;
        Ok(Self { vfs, dir: dir.to_owned(), key, owner, number, writer, moved, last, marked: true, tree })
    }

    /// Begins file `number` with a whole commit from above the clean mark: it is written again under another name,
    /// synced and renamed, so that it is durable whatever became of its first copy.
    #[expect(clippy::too_many_arguments, reason = "what a commit is taken over with has no other use")]
    pub(crate) fn take_over(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        key: SecretKey,
        owner: Uuid,
        number: u64,
        before: Link,
        taken: Option<TakenCommit<'_>>,
        tree: Frontier,
    ) -> Result<(Self, Option<CommitSpan>), Error> {
        let last = taken.map_or(before, |taken| taken.link);
        let (writer, committed) = Self::new_file(&*vfs, dir, &key, owner, number, before, taken)?;
        let moved = Moved::default();
        Ok((Self { vfs, dir: dir.to_owned(), key, owner, number, writer, moved, last, marked: false, tree }, committed))
    }

    fn new_file(
        vfs: &dyn Vfs,
        dir: &Path,
        key: &SecretKey,
        owner: Uuid,
        number: u64,
        before: Link,
        first: Option<TakenCommit<'_>>,
    ) -> Result<(SealedWriter, Option<CommitSpan>), Error> {
        let path = file_path(dir, number);
        let tmp = dir.join(format!("{number:06}.mkr.tmp"));
        if vfs.kind(&tmp)?.is_some() {
            vfs.remove(&tmp)?;
        }
        let start = RecordsStart { first_sequence: before.sequence + 1, chain: before.chain };
        let mut writer = SealedWriter::create(vfs, &tmp, key, FileKind::Records, owner, number, start)?;
        let committed = match first {
            Some(TakenCommit { commit, link, container_frames, section }) => {
                Some(push(&mut writer, number, commit, link, before, container_frames, section)?)
            }
            None => None,
        };
        writer.sync()?;
        vfs.rename(&tmp, &path)?;
        vfs.sync_dir(dir)?;
        drop(writer);
        let reader = SealedReader::open(&path, vfs.open(&path)?, key, FileKind::Records, owner)?;
        Ok((SealedWriter::resume(reader)?, committed))
    }

    /// Sets the tree after a commit that was adopted.
    pub(crate) fn set_tree(&mut self, tree: Frontier) {
        self.tree = tree;
    }

    /// Writes one commit and syncs it. After an error nothing more may be written before the store is opened again.
    pub(crate) fn commit(&mut self, new: NewCommit<'_>) -> Result<Committed, Error> {
        if self.writer.end() > FILE_LIMIT {
            let number = self.number + 1;
            self.writer = Self::new_file(&*self.vfs, &self.dir, &self.key, self.owner, number, self.last, None)?.0;
            self.number = number;
            self.moved = Moved::default();
        }
        let section_frames = new.section.len() as u32;
        let NewCommit { time, facts, salts, container_end, .. } = new;
        let parts = Parts { time, facts, salts, container_end, section_frames };
        let (commit, link, facts) = Commit::build(&self.last, &mut self.tree, parts)?;
        let mut span = push(&mut self.writer, self.number, &commit, link, self.last, new.container_frames, new.section)?;
        self.writer.sync()?;
        span.place.offset = self.moved.first(span.place.offset);
        span.begin = self.moved.first(span.begin);
        self.last = link;
        self.marked = false;
        Ok(Committed { link, span, container_end, tree: self.tree.clone(), facts })
    }

    /// Writes one commit as the first of a new file, which appears together with it or not at all. After an error
    /// nothing more may be written before the store is opened again.
    pub(crate) fn commit_in_new_file(&mut self, new: NewCommit<'_>) -> Result<Link, Error> {
        let NewCommit { time, facts, salts, container_end, .. } = new;
        let parts = Parts { time, facts, salts, container_end, section_frames: 0 };
        let (commit, link, _) = Commit::build(&self.last, &mut self.tree, parts)?;
        let first = TakenCommit { commit: &commit, link, container_frames: new.container_frames, section: &[] };
        let number = self.number + 1;
        self.writer = Self::new_file(&*self.vfs, &self.dir, &self.key, self.owner, number, self.last, Some(first))?.0;
        (self.number, self.last, self.moved, self.marked) = (number, link, Moved::default(), false);
        Ok(link)
    }

    /// Notes on disk that everything up to the last commit is synced, unless that is already noted.
    pub(crate) fn mark(&mut self) -> Result<(), Error> {
        if self.marked {
            return Ok(());
        }
        self.writer.push(FrameKind::Mark, &[&Stamp::mark(self.last).encode()])?;
        self.writer.sync()?;
        self.marked = true;
        Ok(())
    }

    pub(crate) fn last(&self) -> Link {
        self.last
    }
}

/// Takes the kind of a frame, and its plaintext in pieces.
pub(super) type PushFrame<'p> = dyn FnMut(FrameKind, &[&[u8]]) -> Result<(), Error> + 'p;

/// Passes the compressed bytes of a commit to `push`, frame by frame; `stamp` is that of the first frame.
pub(super) fn push_pieces(packed: &[u8], mut stamp: Stamp, chain: &[u8; 32], push: &mut PushFrame<'_>) -> Result<(), Error> {
    let mut pieces = packed.chunks(PIECE).peekable();
    while let Some(piece) = pieces.next() {
        match pieces.peek() {
            Some(_) => push(FrameKind::CommitPiece, &[&stamp.encode(), piece])?,
            None => push(FrameKind::Commit, &[&stamp.encode(), chain, piece])?,
        }
        stamp.index += 1;
    }
    Ok(())
}

fn push(
    writer: &mut SealedWriter,
    number: u64,
    commit: &Commit,
    link: Link,
    synced: Link,
    container_frames: u32,
    section: &[Vec<u8>],
) -> Result<CommitSpan, Error> {
    let begin = writer.end();
    let mut stamp = Stamp { sequence: link.sequence, index: container_frames, synced };
    let mut offsets = Vec::with_capacity(section.len());
    for block in section {
        offsets.push(writer.push(FrameKind::Block, &[&stamp.encode(), block])?.offset);
        stamp.index += 1;
    }
    let packed = compress(Effort::Facts, &commit.to_bytes()).ok_or(Error::Bug("zstd refused a commit"))?;
    let mut offset = None;
    push_pieces(&packed, stamp, &link.chain, &mut |kind, fields| {
        let place = writer.push(kind, fields)?;
        offset.get_or_insert(place.offset);
        Ok(())
    })?;
    let place = CommitPlace { file: number, offset: offset.ok_or(Error::Bug("a commit has a frame"))? };
    Ok(CommitSpan { place, begin, section: offsets })
}
