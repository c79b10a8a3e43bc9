//! The bytes of a simulated file: what the process sees, what is on the medium, and the changes between them.

use super::CrashStyle;
use super::chance::Chance;

/// The unit that media write whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A file's bytes in the cache and on the medium.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Changes that are in the cache and may be missing on the medium, in their order.
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

/// What became of a change when power failed.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Kept,
    Dropped,
    Torn,
}

impl Content {
    /// What the process sees.
    pub(super) fn live(&self) -> &[u8] {
        &self.live
    }

    /// Appends to the cache.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let at = self.live.len();
        self.live.extend_from_slice(bytes);
        self.unsynced.push(Change::Write { at, bytes: bytes.to_vec() });
    }

    /// Makes a range of the cache dirty again. `None` if the file has no such range.
    pub(super) fn rewrite(&mut self, at: usize, len: usize) -> Option<()> {
        let bytes = self.live.get(at..at.checked_add(len)?)?.to_vec();
        self.unsynced.push(Change::Write { at, bytes });
        Some(())
    }

    /// Cuts the cache to `len`, which is not more than it has.
    pub(super) fn cut(&mut self, len: usize) {
        self.live.truncate(len);
        self.unsynced.push(Change::Cut(len));
    }

    /// Brings the dirty part of the cache, and nothing else, to the medium.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Marks the cache as clean although the medium never got it.
    pub(super) fn forget(&mut self) {
        self.unsynced.clear();
    }

    /// The file as it is after power failed.
    pub(super) fn after_power_loss(&self, style: CrashStyle, chance: &mut Chance) -> Self {
        let mut bytes = self.durable.clone();
        // Half of the time, changes were written back in order up to a moment; otherwise in any order.
        let moment = chance.once_in(2).then(|| chance.below(self.unsynced.len() + 1));
        for (n, change) in self.unsynced.iter().enumerate() {
            let fate = match (style, moment) {
                (CrashStyle::KeepNothing, _) => continue,
                (CrashStyle::KeepAll, _) => Fate::Kept,
                (CrashStyle::Seeded(_), Some(moment)) if n < moment => Fate::Kept,
                (CrashStyle::Seeded(_), Some(moment)) if n == moment => Fate::Torn,
                (CrashStyle::Seeded(_), Some(_)) => Fate::Dropped,
                (CrashStyle::Seeded(_), None) => match chance.below(3) {
                    0 => Fate::Kept,
                    1 => Fate::Dropped,
                    _ => Fate::Torn,
                },
            };
            change.meet(fate, &mut bytes, chance);
        }
        Self { live: bytes.clone(), durable: bytes, unsynced: Vec::new() }
    }
}

impl Change {
    fn apply(&self, medium: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(medium, *at, bytes),
            Self::Cut(len) => medium.resize(*len, 0),
        }
    }

    fn meet(&self, fate: Fate, medium: &mut Vec<u8>, chance: &mut Chance) {
        match (fate, self) {
            (Fate::Kept, _) => self.apply(medium),
            (Fate::Dropped, Self::Cut(_)) => {}
            // A cut is one entry in the file system's journal.
            (Fate::Torn, Self::Cut(_)) => {
                if chance.once_in(2) {
                    self.apply(medium);
                }
            }
            (Fate::Dropped, Self::Write { at, bytes }) => {
                // Some file systems keep the new length without the bytes.
                if chance.once_in(4) {
                    lengthen(medium, at + bytes.len());
                }
            }
            (Fate::Torn, Self::Write { at, bytes }) => {
                if bytes.len() <= SECTOR || chance.once_in(2) {
                    let cut = chance.below(bytes.len() + 1);
                    put(medium, *at, bytes.split_at(cut).0);
                } else {
                    put_some_sectors(medium, *at, bytes, chance);
                }
            }
        }
    }
}

fn put_some_sectors(medium: &mut Vec<u8>, mut at: usize, mut bytes: &[u8], chance: &mut Chance) {
    while !bytes.is_empty() {
        let (sector, rest) = bytes.split_at((SECTOR - at % SECTOR).min(bytes.len()));
        if chance.once_in(2) {
            put(medium, at, sector);
        }
        at += sector.len();
        bytes = rest;
    }
}

/// Writes `bytes` at `at`. A gap before them reads as zeros.
fn put(medium: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = at + bytes.len();
    lengthen(medium, end);
    medium[at..end].copy_from_slice(bytes);
}

fn lengthen(medium: &mut Vec<u8>, len: usize) {
    if medium.len() < len {
        medium.resize(len, 0);
    }
}
