//! Rewrites a records file: without the sections of its small commits, once everything in them has been packed, and
//! without the facts that an erasure takes away.
//!
//! Whatever else is in the file stays: facts, stamps and chain values, and a table says where each commit was first
//! written. The new file has the old one's number and takes its name in one step, so that at any moment one of the two
//! is there, whole and synced.

use std::path::{Path, PathBuf};

use super::commit::Commit;
use super::erasure::Doomed;
use super::log::{PushFrame, file_path, push_pieces};
use super::moved::Moved;
use super::scan::{RecordsFile, decode_commit};
use super::stamp::Stamp;
use super::{Link, Records, list_files};
use crate::error::{DamageCause, Error};
use crate::seal::{FRAME_OVERHEAD, FileKind, FrameKind, FramePlace, HEADER_LEN, RawFrame, SealedReader, SealedWriter};
use crate::vfs::Vfs;
use crate::wire::{Effort, compress};

/// Bytes of commits without their erased facts that are kept from planning to writing; others are made once more.
const KEPT: usize = 32 << 20;
/// Bytes that are copied at a time.
const COPIED_AT_ONCE: usize = 4 << 20;

/// What a file is rewritten without.
#[derive(Clone, Copy)]
pub(crate) struct Without<'d> {
    /// Its sections, which must not contain anything that a fact still needs.
    pub(crate) sections: bool,
    pub(crate) facts: &'d Doomed,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rewritten {
    /// It has nothing of what it should be without.
    Needless,
    Done,
    /// It has damage, and stays as it is.
    Damaged,
}

/// A file that was written beside the one that it replaces.
#[must_use]
pub(crate) enum Written {
    Not(Rewritten),
    Beside { number: u64, tmp: PathBuf },
}

impl Records {
    /// Writes file `number` once more, beside the old one. A file with damage stays as it is, which is not an error. After
    /// an error everything is as it was.
    pub(crate) fn write_without(&self, number: u64, without: Without<'_>) -> Result<Written, Error> {
        let listing = list_files(&*self.vfs, &self.dir, &self.key, self.owner)?;
        let Some(old) = listing.files.into_iter().find(|file| file.number == number) else {
            return Ok(Written::Not(Rewritten::Damaged));
        };
        let tmp = file_path(&self.dir, number).with_extension("mkr.tmp");
        remove(&*self.vfs, &tmp)?;
        let plan = match staying(&old, without) {
            Err(Error::Damage(_)) => return Ok(Written::Not(Rewritten::Damaged)),
            plan => plan?,
        };
        if !plan.changes {
            return Ok(Written::Not(Rewritten::Needless));
        }
        let mark = (number == self.number).then_some(self.last);
        match self.copy(&old, &plan, without, &tmp, mark) {
            Ok(()) => Ok(Written::Beside { number, tmp }),
            Err(error) => {
                // A next attempt, or the next open, removes what cannot be removed now.
                let _left = remove(&*self.vfs, &tmp);
                match error {
                    Error::Damage(_) => Ok(Written::Not(Rewritten::Damaged)),
                    error => Err(error),
                }
            }
        }
    }

    /// Puts a file that was written in the place of the old one. After an error nothing more may be written before the
    /// store is opened again.
    pub(crate) fn replace(&mut self, written: Written) -> Result<Rewritten, Error> {
        let (number, tmp) = match written {
            Written::Not(rewritten) => return Ok(rewritten),
            Written::Beside { number, tmp } => (number, tmp),
        };
        let path = file_path(&self.dir, number);
        self.vfs.rename(&tmp, &path)?;
        self.vfs.sync_dir(&self.dir)?;
        if number == self.number {
            let reader = SealedReader::open(&path, self.vfs.open(&path)?, &self.key, FileKind::Records, self.owner)?;
            self.moved = Moved::of(&reader)?;
            self.writer = SealedWriter::resume(reader)?;
            self.marked = true;
        }
        Ok(Rewritten::Done)
    }

    /// Copies what stays of `old` to `path` and syncs it; [`Error::Damage`] where `old` cannot be read.
    fn copy(&self, old: &RecordsFile, plan: &Plan, without: Without<'_>, path: &Path, mark: Option<Link>) -> Result<(), Error> {
        let header = old.reader.header();
        let new = SealedWriter::create(&*self.vfs, path, &self.key, FileKind::Records, self.owner, old.number, header.start)?;
        // The table relies on the frames that it names being consecutive, so the copy of the header comes after them.
        let mut new = new.without_copy();
        let table = new.push(FrameKind::Moved, &[&Moved::encode(&plan.table, self.last)])?;
        for stays in &plan.stays {
            match stays {
                Stays::Frame(at) => {
                    let frame = old.reader.frame(*at, old.len)?;
                    let is_void = |stamp: Stamp| stamp.sequence >= old.void_from && frame.kind != FrameKind::Mark;
                    if !Stamp::split(frame.bytes()).is_ok_and(|(stamp, _)| !is_void(stamp)) {
                        return Err(broken(old, frame.place));
                    }
                    new.push(frame.kind, &[frame.bytes()])?;
                }
                Stays::Commit(frames, kept) => {
                    let again = match kept {
                        Some(_) => None,
                        None => Read::of(old, frames, without.facts)?.erased,
                    };
                    let erased = kept.as_ref().or(again.as_ref()).ok_or(Error::Bug("a commit has nothing to erase any more"))?;
                    erased.each_frame(&mut |kind, fields| new.push(kind, fields).map(drop))?;
                }
            }
            if new.pending_len() >= COPIED_AT_ONCE {
                new.flush()?;
            }
        }
        if new.end() != table.end() + plan.len {
            return Err(Error::Bug("a frame that was copied has another length"));
        }
        new.copy_header();
        if let Some(last) = mark {
            new.push(FrameKind::Mark, &[&Stamp::mark(last).encode()])?;
        }
        new.sync()
    }
}

/// What stays of a file.
#[derive(Default)]
struct Plan {
    stays: Vec<Stays>,
    /// Where stretches of it were first written, and how many bytes stay before each.
    table: Vec<(u64, u64)>,
    len: u64,
    /// Whether anything does not stay.
    changes: bool,
    /// Where the next frame was first written if it continues the stretch.
    follows: u64,
}

enum Stays {
    /// The frame at this offset, as it is.
    Frame(u64),
    /// The commit whose frames are at these offsets, without some of its facts; and that, if it was kept.
    Commit(Vec<u64>, Option<Erased>),
}

impl Plan {
    /// Notes that something stays that was first written at `first`, and takes `len` bytes now.
    fn stays(&mut self, stays: Stays, first: u64, len: u64) {
        if first != self.follows {
            self.table.push((first, self.len));
        }
        self.follows = first + len;
        self.len += len;
        self.stays.push(stays);
    }
}

/// Looks through the frames of `old`; [`Error::Damage`] where one is broken.
fn staying(old: &RecordsFile, without: Without<'_>) -> Result<Plan, Error> {
    let (mut plan, mut kept) = (Plan::default(), 0);
    let mut pieces = Vec::new();
    let mut reached = old.reader.header().start.first_sequence.saturating_sub(1);
    let mut at = HEADER_LEN as u64;
    while at < old.len {
        let raw = match frame_at(old, at, without) {
            // What follows the last commit that counts is void, whether it can be read or not, and may have anything.
            Ok(None) => return Ok(Plan { changes: true, ..plan }),
            Err(Error::Damage(_)) if reached.saturating_add(1) >= old.void_from && !without.facts.is_empty() => {
                return Ok(Plan { changes: true, ..plan });
            }
            Ok(Some(raw)) => raw,
            Err(error) => return Err(error),
        };
        let first = old.moved.first(at);
        match raw.kind {
            FrameKind::Moved | FrameKind::HeaderCopy => {}
            FrameKind::Block if without.sections => plan.changes = true,
            // A copy of the header may stand between two of them, and goes.
            FrameKind::CommitPiece if !without.facts.is_empty() => pieces.push((at, first, raw.place.len)),
            FrameKind::Commit if !without.facts.is_empty() => {
                pieces.push((at, first, raw.place.len));
                let offsets: Vec<u64> = pieces.iter().map(|(at, ..)| *at).collect();
                let Read { link, erased } = Read::of(old, &offsets, without.facts)?;
                match erased {
                    Some(erased) => {
                        plan.changes = true;
                        let first = pieces.first().map_or(first, |(_, first, _)| *first);
                        let len = erased.len()?;
                        kept += erased.packed.len();
                        plan.stays(Stays::Commit(offsets, (kept <= KEPT).then_some(erased)), first, len);
                    }
                    None => pieces.iter().for_each(|(at, first, len)| plan.stays(Stays::Frame(*at), *first, *len)),
                }
                reached = link.sequence;
                pieces.clear();
            }
            _ => plan.stays(Stays::Frame(at), first, raw.place.len),
        }
        at = raw.place.end();
    }
    match pieces.first() {
        None => Ok(plan),
        Some(_) if reached.saturating_add(1) >= old.void_from => Ok(Plan { changes: true, ..plan }),
        // Pieces of a commit that never ended.
        Some((at, _, len)) => Err(broken(old, FramePlace { offset: *at, len: *len })),
    }
}

/// The head of the frame at `at`; `None` if the frame is void, which only matters where facts are erased.
fn frame_at(old: &RecordsFile, at: u64, without: Without<'_>) -> Result<Option<RawFrame>, Error> {
    let raw = old.reader.raw(at, old.len)?;
    if without.facts.is_empty() || matches!(raw.kind, FrameKind::Moved | FrameKind::HeaderCopy | FrameKind::Mark) {
        return Ok(Some(raw));
    }
    let frame = old.reader.frame(at, old.len)?;
    let (stamp, _) = Stamp::split(frame.bytes()).map_err(|_| broken(old, raw.place))?;
    Ok((stamp.sequence < old.void_from).then_some(raw))
}

/// A commit that was read, and what it is without some of its facts if it has any of them.
struct Read {
    link: Link,
    erased: Option<Erased>,
}

/// A commit without some of its facts, as its frames will have it.
struct Erased {
    stamp: Stamp,
    chain: [u8; 32],
    packed: Vec<u8>,
}

impl Read {
    /// Reads the commit whose frames are at `frames` and takes the facts out.
    fn of(old: &RecordsFile, frames: &[u64], facts: &Doomed) -> Result<Self, Error> {
        let (mut bytes, mut begun, mut link) = (Vec::new(), None, None);
        let mut place = FramePlace { offset: 0, len: 0 };
        for at in frames {
            let frame = old.reader.frame(*at, old.len)?;
            place = frame.place;
            let (stamp, mut rest) = Stamp::split(frame.bytes()).map_err(|_| broken(old, place))?;
            begun.get_or_insert(stamp);
            if frame.kind == FrameKind::Commit {
                let (chain, piece) = rest.split_first_chunk::<32>().ok_or_else(|| broken(old, place))?;
                (link, rest) = (Some(Link { sequence: stamp.sequence, chain: *chain }), piece);
            }
            bytes.extend_from_slice(rest);
        }
        let (Some(stamp), Some(link)) = (begun, link) else { return Err(broken(old, place)) };
        let commit: Commit = decode_commit(&bytes).map_err(|error| error.unwrap_or_else(|| broken(old, place)))?;
        if commit.link_after(&stamp.synced)? != Some(link) {
            return Err(broken(old, place));
        }
        let Some(left) = commit.without(facts)? else { return Ok(Self { link, erased: None }) };
        // Nothing may be written that would break the chain.
        if left.link_after(&stamp.synced)? != Some(link) {
            return Err(Error::Bug("a commit has another chain value without facts that are erased"));
        }
        let packed = compress(Effort::Facts, &left.to_bytes()).ok_or(Error::Bug("zstd refused a commit"))?;
        Ok(Self { link, erased: Some(Erased { stamp, chain: link.chain, packed }) })
    }
}

impl Erased {
    fn each_frame(&self, push: &mut PushFrame<'_>) -> Result<(), Error> {
        push_pieces(&self.packed, self.stamp, &self.chain, push)
    }

    /// The bytes that its frames take.
    fn len(&self) -> Result<u64, Error> {
        let mut len = 0;
        self.each_frame(&mut |_, fields| {
            len += (FRAME_OVERHEAD + fields.iter().map(|field| field.len()).sum::<usize>()) as u64;
            Ok(())
        })?;
        Ok(len)
    }
}

fn broken(old: &RecordsFile, place: FramePlace) -> Error {
    old.reader.damage(place, DamageCause::Decode).into()
}

fn remove(vfs: &dyn Vfs, path: &Path) -> Result<(), Error> {
    if vfs.kind(path)?.is_some() {
        vfs.remove(path)?;
    }
    Ok(())
}
