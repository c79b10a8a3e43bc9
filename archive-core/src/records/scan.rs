//! Reads records from a place on, frame by frame, and continues after what cannot be read.

use std::path::{Path, PathBuf};

use super::log::{CommitPlace, CommitSpan, file_number, file_path};
use super::moved::Moved;
use super::stamp::Stamp;
use super::{Commit, Link};
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::seal::{COPY_FROM, FileKind, FrameKind, FramePlace, HEADER_LEN, Opened, RawFrame, SealedReader, SecretKey};
use crate::vfs::{EntryKind, Vfs, cut_file};
use crate::wire::decompress;

/// Facts of one commit, decompressed, are never more than this.
const MAX_COMMIT: usize = 256 << 20;

/// A records file with a good header.
#[derive(Debug, Clone)]
pub(crate) struct RecordsFile {
    pub(crate) number: u64,
    pub(crate) reader: SealedReader,
    pub(crate) len: u64,
    /// Where its commits were first written.
    pub(crate) moved: Moved,
    /// Commits of this sequence and above are void here: a later file continues. `u64::MAX` in the last file.
    pub(crate) void_from: u64,
}

impl RecordsFile {
    /// The file that `reader` reads, as it is now, and the last of its series.
    pub(crate) fn of(reader: SealedReader) -> Result<Self, Error> {
        let (number, len, moved) = (reader.header().number, reader.len()?, Moved::of(&reader)?);
        Ok(Self { number, reader, len, moved, void_from: u64::MAX })
    }
}

/// The contents of a folder of records.
pub(crate) struct Listing {
    /// Good files in order of their numbers.
    pub(crate) files: Vec<RecordsFile>,
    /// Files that were never finished: they mean nothing.
    pub(crate) leftovers: Vec<PathBuf>,
    /// Broken headers, whether a copy opened the file or not. A file gets its name only after it is synced, so none of
    /// them is a leftover of a crash.
    pub(crate) damage: Vec<Damage>,
}

/// Lists the records files in `dir`. A writer may begin a file meanwhile, and then cut or rewrite an earlier one: what was
/// opened fits together only if the names are still the same afterwards.
pub(crate) fn list_files(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid) -> Result<Listing, Error> {
    let names = || -> Result<Vec<PathBuf>, Error> {
        let entries = vfs.list(dir)?.into_iter().map(|entry| entry.path);
        Ok(entries.filter(|path| path.extension().is_some_and(|extension| extension == "mkr")).collect())
    };
    let mut before = names()?;
    for _ in 1..LISTINGS {
        let listing = open_files(vfs, dir, key, owner)?;
        let after = names()?;
        if after == before {
            return Ok(listing);
        }
        before = after;
    }
    open_files(vfs, dir, key, owner)
}

/// How often a folder is listed whose names change: a writer begins a file every 64 MiB of records, or after a crash.
const LISTINGS: usize = 5;

fn open_files(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid) -> Result<Listing, Error> {
    let mut listing = Listing { files: Vec::new(), leftovers: Vec::new(), damage: Vec::new() };
    let mut misnamed = Vec::new();
    for entry in vfs.list(dir)?.into_iter().filter(|entry| entry.kind != EntryKind::Dir) {
        let name = entry.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".tmp") {
            listing.leftovers.push(entry.path);
        } else if name.ends_with(".mkr") {
            let opened = vfs.open_read(&entry.path).map_err(Error::from);
            match opened.and_then(|file| SealedReader::open(&entry.path, file, key, FileKind::Records, owner)) {
                Ok(reader) if file_number(&entry.path) != Some(reader.header().number) => misnamed.push(reader),
                Ok(reader) => {
                    // The copy replaces a broken header completely; the damage is still reported.
                    listing.damage.extend(reader.header_damage());
                    listing.files.push(RecordsFile::of(reader)?);
                }
                Err(Error::Damage(damage)) => listing.damage.push(damage),
                Err(error) => return Err(error),
            }
        }
    }
    for reader in misnamed {
        // If the file of that name exists too, this one is a copy, and means nothing.
        let number = reader.header().number;
        if !listing.files.iter().any(|file| file.number == number) {
            listing.damage.push(Damage::new(reader.path(), 0, 0, DamageCause::Misnamed(number)));
            listing.files.push(RecordsFile::of(reader)?);
        }
    }
    listing.files.sort_by_key(|file| file.number);
    let begins: Vec<u64> = listing.files.iter().skip(1).map(|file| file.reader.header().start.first_sequence).collect();
    listing.files.iter_mut().zip(begins).for_each(|(file, next)| file.void_from = next);
    // A store or master has its first records file before anything names it.
    if listing.files.first().is_none_or(|file| file.reader.header().start.first_sequence != 1) && listing.damage.is_empty() {
        listing.damage.push(Damage::new(&file_path(dir, 1), 0, 0, DamageCause::Missing));
    }
    Ok(listing)
}

/// Renames each misnamed file to its number, if that name is free. Returns whether any was renamed.
pub(crate) fn give_names_back(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid) -> Result<bool, Error> {
    let mut renamed = false;
    for damage in list_files(vfs, dir, key, owner)?.damage {
        let DamageCause::Misnamed(number) = damage.cause else { continue };
        let path = file_path(dir, number);
        if vfs.kind(&path)?.is_none() {
            vfs.rename(&damage.file, &path)?;
            vfs.sync_dir(dir)?;
            renamed = true;
        }
    }
    Ok(renamed)
}

/// A whole commit.
#[derive(Debug, Clone)]
pub(crate) struct ScannedCommit {
    pub(crate) commit: Commit,
    /// The link that its frame states.
    pub(crate) link: Link,
    pub(crate) stamp: Stamp,
    /// Where its frames were first written.
    pub(crate) span: CommitSpan,
    /// Where it begins now.
    pub(crate) begin: u64,
    pub(crate) end: u64,
    /// Frames that hold its facts.
    pub(crate) pieces: u32,
}

impl ScannedCommit {
    /// Frames that the commit has in containers: its last frame's index, minus its other frames here.
    pub(crate) fn container_frames(&self) -> Option<u32> {
        self.stamp.index.checked_sub(self.commit.section_frames().checked_add(self.pieces)?.checked_sub(1)?)
    }
}

/// What a scan finds.
#[derive(Debug)]
pub(crate) enum ScanItem {
    Commit(Box<ScannedCommit>),
    /// A frame that only says what was synced, and where it ends.
    Mark(u64),
    /// A stretch that cannot be read; the scan continues after it.
    Bad(Damage),
}

/// A scan of one records file.
#[derive(Debug)]
pub(crate) struct Scan {
    file: RecordsFile,
    at: u64,
    /// The highest link that any good frame so far calls synced.
    pub(crate) synced: Link,
    /// Sequence of the last commit found here, or of the one before the file.
    reached: u64,
    pieces: Pieces,
}

#[derive(Debug, Default)]
struct Pieces {
    stamp: Option<Stamp>,
    begin: u64,
    offset: Option<u64>,
    section: Vec<u64>,
    count: u32,
    bytes: Vec<u8>,
}

impl Scan {
    /// Scans `file` from the frame on that was first written at `first`.
    pub(crate) fn new(file: RecordsFile, first: u64) -> Self {
        let offset = file.moved.now(first);
        let start = file.reader.header().start;
        let synced = Link { sequence: start.first_sequence.saturating_sub(1), chain: start.chain };
        let reached = synced.sequence;
        Self { file, at: offset.max(HEADER_LEN as u64), synced, reached, pieces: Pieces::default() }
    }

    /// The next thing found; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<ScanItem>, Error> {
        let item = self.step()?;
        match &item {
            Some(ScanItem::Commit(commit)) => self.reached = commit.link.sequence,
            // After the last commit that the next file does not replace, everything is void, readable or not.
            Some(ScanItem::Bad(_)) if self.reached.saturating_add(1) >= self.file.void_from => {
                self.at = self.file.len;
                return Ok(None);
            }
            _ => {}
        }
        Ok(item)
    }

    fn step(&mut self) -> Result<Option<ScanItem>, Error> {
        while self.at < self.file.len {
            let frame = match self.file.reader.frame(self.at, self.file.len) {
                Ok(frame) => frame,
                Err(Error::Damage(damage)) => return self.skip(damage).map(Some),
                Err(error) => return Err(error),
            };
            self.at = frame.place.end();
            if let Some(item) = self.take(&frame)? {
                return Ok(Some(item));
            }
        }
        if let Some(stamp) = self.pieces.stamp.take() {
            let place = FramePlace { offset: self.pieces.begin, len: self.file.len - self.pieces.begin };
            self.pieces = Pieces::default();
            let mut damage = self.file.reader.damage(place, DamageCause::Truncated);
            damage.len = damage.len.max(u64::from(stamp.index.min(1)));
            return Ok(Some(ScanItem::Bad(damage)));
        }
        Ok(None)
    }

    fn skip(&mut self, mut damage: Damage) -> Result<ScanItem, Error> {
        let from = self.pieces.stamp.take().map_or(self.at, |_| self.pieces.begin);
        self.pieces = Pieces::default();
        self.at = next_frame(&self.file.reader, self.at + 1, self.file.len)?;
        damage.offset = from;
        damage.len = self.at - from;
        Ok(ScanItem::Bad(damage))
    }

    fn take(&mut self, frame: &Opened) -> Result<Option<ScanItem>, Error> {
        if frame.kind == FrameKind::HeaderCopy {
            return Ok(None);
        }
        let bad = ScanItem::Bad(self.file.reader.damage(frame.place, DamageCause::Decode));
        let Ok((stamp, rest)) = Stamp::split(frame.bytes()) else { return Ok(Some(bad)) };
        if frame.kind == FrameKind::Moved {
            self.see(stamp);
            let first = frame.place.offset == HEADER_LEN as u64 && Moved::decode(frame.bytes(), frame.place.end()).is_some();
            return Ok((!first).then_some(bad));
        }
        if frame.kind == FrameKind::Mark {
            self.see(stamp);
            self.pieces = Pieces::default();
            self.at = self.after_copy(frame.place)?;
            return Ok(Some(ScanItem::Mark(self.at)));
        }
        if stamp.sequence >= self.file.void_from {
            self.at = self.file.len;
            self.pieces = Pieces::default();
            return Ok(None);
        }
        self.see(stamp);
        let continues =
            self.pieces.stamp.is_some_and(|last| last.sequence == stamp.sequence && last.index.checked_add(1) == Some(stamp.index));
        if !continues {
            self.pieces = Pieces { begin: frame.place.offset, ..Pieces::default() };
        }
        self.pieces.stamp = Some(stamp);
        match frame.kind {
            FrameKind::Block => self.pieces.section.push(frame.place.offset),
            FrameKind::CommitPiece => {
                self.pieces.offset.get_or_insert(frame.place.offset);
                self.pieces.count += 1;
                self.pieces.bytes.extend_from_slice(rest);
            }
            FrameKind::Commit => {
                self.pieces.offset.get_or_insert(frame.place.offset);
                let pieces = std::mem::take(&mut self.pieces);
                return Ok(Some(self.finish(pieces, stamp, rest, frame.place)?));
            }
            _ => return Ok(Some(bad)),
        }
        Ok(None)
    }

    /// Where the frame at `place` ends, with the copy of the header that was written with it: a file that ends so was ended by that frame.
    fn after_copy(&self, place: FramePlace) -> Result<u64, Error> {
        if place.end() < COPY_FROM || place.offset >= COPY_FROM || place.end() >= self.file.len {
            return Ok(place.end());
        }
        match self.file.reader.frame(place.end(), self.file.len) {
            Ok(next) if next.kind == FrameKind::HeaderCopy => Ok(next.place.end()),
            // What else stands there is for the next step to read.
            Ok(_) | Err(Error::Damage(_)) => Ok(place.end()),
            Err(error) => Err(error),
        }
    }

    fn see(&mut self, stamp: Stamp) {
        if stamp.synced.sequence > self.synced.sequence {
            self.synced = stamp.synced;
        }
    }

    fn finish(&self, mut pieces: Pieces, stamp: Stamp, rest: &[u8], last: FramePlace) -> Result<ScanItem, Error> {
        let whole = FramePlace { offset: pieces.begin, len: last.end() - pieces.begin };
        let damage = |cause| self.file.reader.damage(whole, cause);
        let Some((chain, piece)) = rest.split_first_chunk::<32>() else { return Ok(ScanItem::Bad(damage(DamageCause::Decode))) };
        pieces.bytes.extend_from_slice(piece);
        let commit: Commit = match decode_commit(&pieces.bytes) {
            Ok(commit) => commit,
            Err(None) => return Ok(ScanItem::Bad(damage(DamageCause::Decode))),
            Err(Some(error)) => return Err(error),
        };
        // A section may be gone, if everything in it was packed.
        let (said, there) = (commit.section_frames() as usize, pieces.section.len());
        if commit.sequence() != stamp.sequence || there != said && there != 0 {
            return Ok(ScanItem::Bad(damage(DamageCause::Decode)));
        }
        Ok(ScanItem::Commit(Box::new(ScannedCommit {
            link: Link { sequence: commit.sequence(), chain: *chain },
            commit,
            stamp,
            span: CommitSpan {
                place: CommitPlace { file: self.file.number, offset: self.file.moved.first(pieces.offset.unwrap_or(last.offset)) },
                begin: self.file.moved.first(pieces.begin),
                section: pieces.section,
            },
            begin: pieces.begin,
            end: last.end(),
            pieces: pieces.count + 1,
        })))
    }
}

pub(super) fn decode_commit(packed: &[u8]) -> Result<Commit, Option<Error>> {
    let len = zstd::bulk::Decompressor::upper_bound(packed).unwrap_or(MAX_COMMIT);
    if len > MAX_COMMIT || len > packed.len().saturating_mul(1 << 15) {
        return Err(None);
    }
    let bytes = decompress(packed, len).ok_or(None)?;
    Commit::from_bytes(&bytes).map_err(|cause| match cause {
        crate::wire::Undecodable::Malformed => None,
        crate::wire::Undecodable::Unknown(what, number) => Some(Error::UnknownFeature { what, number }),
    })
}

/// Reads the commit again that was first written at `offset` of `file`.
pub(crate) fn read_commit(file: &RecordsFile, offset: u64) -> Result<Commit, Error> {
    let mut at = file.moved.now(offset);
    let file = &file.reader;
    let len = file.len()?;
    let mut bytes = Vec::new();
    loop {
        let frame = file.frame(at, len)?;
        if frame.kind == FrameKind::HeaderCopy {
            at = frame.place.end();
            continue;
        }
        let broken = || Error::from(file.damage(frame.place, DamageCause::Decode));
        let (_, rest) = Stamp::split(frame.bytes()).map_err(|_| broken())?;
        match frame.kind {
            FrameKind::CommitPiece => bytes.extend_from_slice(rest),
            FrameKind::Commit => {
                bytes.extend_from_slice(rest.get(32..).ok_or_else(broken)?);
                return decode_commit(&bytes).map_err(|error| error.unwrap_or_else(broken));
            }
            _ => return Err(broken()),
        }
        at = frame.place.end();
    }
}

/// Cuts everything after commit `last` from a file that a later one continues, so that no void frame is ever seen
/// again. `from` is where a frame at or before the end of that commit was first written. `keep` receives the file and
/// where it will be cut.
pub(crate) fn cut_tail(
    vfs: &dyn Vfs,
    old: &RecordsFile,
    last: Link,
    from: u64,
    keep: &mut dyn FnMut(&SealedReader, u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut scan = Scan::new(old.clone(), from);
    let mut end = scan.at;
    while let Some(item) = scan.next()? {
        match item {
            ScanItem::Commit(commit) if commit.link.sequence <= last.sequence => end = commit.end,
            ScanItem::Mark(mark_end) if scan.synced.sequence <= last.sequence => end = mark_end,
            _ => break,
        }
    }
    if end < old.len {
        keep(&old.reader, end)?;
        cut_file(vfs, old.reader.path(), end)?;
    }
    Ok(())
}

/// Where the next frame with a good head and checksum begins at or after `from`; `end` if there is none.
pub(crate) fn next_frame(file: &SealedReader, from: u64, end: u64) -> Result<u64, Error> {
    const WINDOW: u64 = 1 << 20;
    let mut at = from;
    while at < end {
        let len = WINDOW.min(end - at) as usize;
        let mut window = vec![0; len];
        file.file().read_exact_at(at, &mut window)?;
        let mut found = 0;
        while let Some(offset) = RawFrame::find_marker(&window, found) {
            let candidate = at + offset as u64;
            match file.frame(candidate, end) {
                Ok(_) => return Ok(candidate),
                Err(Error::Damage(_)) => found = offset + 1,
                Err(error) => return Err(error),
            }
        }
        if at + len as u64 >= end {
            break;
        }
        at += len as u64 - 3;
    }
    Ok(end)
}

/// Records file `number`, to read commits and sections from.
pub(crate) fn open_file(vfs: &dyn Vfs, dir: &Path, key: &SecretKey, owner: Uuid, number: u64) -> Result<RecordsFile, Error> {
    let path = super::log::file_path(dir, number);
    let file = vfs.open_read(&path).map_err(Damage::of_open)?;
    let reader = SealedReader::open(&path, file, key, FileKind::Records, owner)?;
    Ok(RecordsFile { number, ..RecordsFile::of(reader)? })
}
