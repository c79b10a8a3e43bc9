//! The segment in memory: what was added since the last flush, searchable at once.
//!
//! An open-addressing table maps keys to entries. The postings of an entry are a byte string that begins in the entry
//! and continues in blocks of an arena (measured in 2026 at 1.1 to 1.4 times the speed of a map to growing vectors).
//! Each occurrence is
//!
//! ```text
//! varint(distance to the position before << 1)                                  in the same document and zone
//! varint((gap to the document before << 4 | zone) << 1 | 1) varint(position)    else; position 0: none
//! ```

use super::{Source, Visit};
use crate::columns::{Columns, Dated};
use crate::error::{DocNo, IndexError};
use crate::pages::{FileId, PageStore};
use crate::postings::ListBuilder;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::query::leaf::{Label, LabelPattern};
use crate::segment::build::SegmentWriter;
use crate::sort::{KeysInMemory, SortKey, SortKeys};
use crate::terms::backward;
use crate::terms::pattern::{Pattern, Reach};
use crate::text::field::{Value, ValueKind, Zones, zone};
use crate::text::key::{ALL_DOCS, CONTINUES, LONG, PIECE, SPECIAL, UNSEARCHABLE, VALUE_ENDS, label, parts, put_address};
use crate::text::map::map;
use crate::text::split::keys;
use crate::wire::{Malformed, Reader};
use std::hash::{BuildHasher, Hasher};

const NONE: u32 = u32::MAX;
const INLINE: usize = 16;
/// The most bytes of a key that is stored in its entry.
const SHORT: usize = 14;
const FIRST_BLOCK: usize = 32;
const LAST_BLOCK: usize = 4096;
/// A link to the next block, at the end of a block.
const LINK: usize = 4;

/// An entry fits in one cache line, so that finding a word and adding an occurrence wait for memory once.
#[repr(align(64))]
struct Entry {
    /// A short key itself; else its place among the long ones.
    key: [u8; SHORT],
    key_len: u16,
    /// All bytes of its postings.
    bytes: u32,
    /// The first block, where the next byte goes, and where the open block ends.
    head: u32,
    at: u32,
    end: u32,
    last_doc: u32,
    last_position: u32,
    last_zone: u8,
    /// Bytes of the open block.
    block: u16,
    /// Another form of the same folded form.
    next_form: u32,
    inline: [u8; INLINE],
}

/// Documents added since the last flush.
pub(crate) struct Memory {
    lo: u32,
    hi: u32,
    seed: u64,
    /// Hash and number of the entry.
    slots: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    /// Keys that do not fit into their entries.
    keys: Vec<u8>,
    arena: Vec<u8>,
    rows: Vec<(u32, Columns)>,
    sort: KeysInMemory,
}

impl Memory {
    /// An empty segment, for documents from `lo` on.
    pub(crate) fn new(lo: u32) -> Self {
        // Words come from untrusted mail: without a secret seed they could be chosen to collide.
        let seed = std::collections::hash_map::RandomState::new().build_hasher().finish();
        Self {
            lo,
            hi: lo,
            seed,
            slots: vec![(0, NONE); 1024],
            entries: Vec::new(),
            keys: Vec::new(),
            arena: Vec::new(),
            rows: Vec::new(),
            sort: KeysInMemory::default(),
        }
    }

    /// Bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.slots.capacity() * size_of::<(u32, u32)>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.keys.capacity()
            + self.arena.capacity()
            + self.rows.capacity() * size_of::<(u32, Columns)>()
            + self.sort.size()
    }

    pub(crate) fn rows(&self) -> &[(u32, Columns)] {
        &self.rows
    }

    /// A sort key of the document of a row.
    pub(crate) fn sort_key(&self, row: usize, of: SortKey) -> &[u8] {
        self.sort.key(row, of)
    }

    /// Adds a document, whose number is above all before.
    pub(crate) fn add(
        &mut self,
        doc: u32,
        values: &[Value<'_>],
        labels: &[Label],
        columns: &Columns,
        sort: &SortKeys<'_>,
    ) -> Result<(), IndexError> {
        let text: usize = values.iter().map(|value| value.text.len()).sum();
        // A byte of text takes at most 16 bytes here; offsets have 32 bits.
        if self.size() + text.saturating_mul(16) > NONE as usize {
            return Err(IndexError::TooLarge { what: "one document" });
        }
        let mut position = 1u32;
        let mut address = Vec::new();
        for value in values {
            let zone = zone(value.field, value.kind);
            let start = position;
            keys(value.text, &mut |key| {
                self.occurrence(key, doc, zone, position);
                if key.len() > PIECE && begins_long_word(key) {
                    let again = [&[LONG], key].concat();
                    self.occurrence(&again, doc, zone, position);
                }
                position += 1;
            });
            if position > start {
                self.occurrence(VALUE_ENDS, doc, zone, position);
                position += 1;
            }
            if value.kind == ValueKind::Address && !value.text.trim().is_empty() {
                address.clear();
                put_address(&mut address, &map(value.text));
                self.occurrence(&address, doc, zone, 0);
            }
        }
        let mut seen: Vec<Vec<u8>> = labels.iter().map(|of| label(of.kind, &of.bytes)).collect();
        seen.sort_unstable();
        seen.dedup();
        for key in &seen {
            self.occurrence(key, doc, 0, 0);
        }
        self.occurrence(ALL_DOCS, doc, 0, 0);
        if columns.unsearchable {
            self.occurrence(UNSEARCHABLE, doc, 0, 0);
        }
        self.rows.push((doc, *columns));
        self.sort.push(sort);
        self.hi = doc + 1;
        Ok(())
    }

    fn hash(&self, key: &[u8]) -> u32 {
        let mut state = self.seed ^ key.len() as u64;
        let mut chunks = key.chunks_exact(8);
        for chunk in &mut chunks {
            state = mix(state ^ chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        let last = chunks.remainder().iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
        (mix(state ^ last) >> 32) as u32
    }

    fn key<'s>(&'s self, entry: &'s Entry) -> &'s [u8] {
        let len = usize::from(entry.key_len);
        if let Some(short) = entry.key.get(..len) {
            return short;
        }
        let at = entry.key.first_chunk().map_or(0, |at| u32::from_le_bytes(*at)) as usize;
        self.keys.get(at..at + len).unwrap_or_default()
    }

    /// The entry of a key, or the hash and the free slot where it belongs.
    fn look_up(&self, key: &[u8]) -> Result<u32, (u32, usize)> {
        let hash = self.hash(key);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get(at) {
                Some(&(found, entry)) if entry != NONE => {
                    if found == hash && self.entries.get(entry as usize).is_some_and(|entry| self.key(entry) == key) {
                        return Ok(entry);
                    }
                }
                _ => return Err((hash, at)),
            }
            at = (at + 1) & mask;
        }
    }

    fn entry(&mut self, key: &[u8]) -> u32 {
        match self.look_up(key) {
            Ok(entry) => entry,
            Err((hash, at)) => self.insert(key, hash, at),
        }
    }

    fn insert(&mut self, key: &[u8], hash: u32, at: usize) -> u32 {
        let number = self.entries.len() as u32;
        let mut short = [0; SHORT];
        match short.get_mut(..key.len()) {
            Some(place) => place.copy_from_slice(key),
            None => {
                short.iter_mut().zip((self.keys.len() as u32).to_le_bytes()).for_each(|(place, byte)| *place = byte);
                self.keys.extend_from_slice(key);
            }
        }
        self.entries.push(Entry {
            key: short,
            // No key is longer than MAX_KEY.
            key_len: key.len() as u16,
            bytes: 0,
            head: NONE,
            at: 0,
            end: 0,
            last_doc: NONE,
            last_position: 0,
            last_zone: 0,
            block: 0,
            next_form: NONE,
            inline: [0; INLINE],
        });
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = (hash, number);
        }
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
        let taken = parts(key);
        if taken.exact.is_some() && taken.lead != SPECIAL {
            let folded = key.get(..usize::from(taken.lead != 0) + taken.folded.len()).unwrap_or_default().to_vec();
            let bare = self.entry(&folded);
            let before = self.entries.get_mut(bare as usize).map(|entry| std::mem::replace(&mut entry.next_form, number));
            if let (Some(entry), Some(before)) = (self.entries.get_mut(number as usize), before) {
                entry.next_form = before;
            }
        }
        number
    }

    fn grow(&mut self) {
        let mut slots = vec![(0, NONE); self.slots.len() * 2];
        let mask = slots.len() - 1;
        for &(hash, entry) in self.slots.iter().filter(|(_, entry)| *entry != NONE) {
            let mut at = hash as usize & mask;
            while slots.get(at).is_some_and(|(_, taken)| *taken != NONE) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = (hash, entry);
            }
        }
        self.slots = slots;
    }

    fn occurrence(&mut self, key: &[u8], doc: u32, zone: u8, position: u32) {
        let number = self.entry(key);
        let lo = self.lo;
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        let mut bytes = ShortBytes::default();
        if entry.last_doc == doc && entry.last_zone == zone && position != 0 {
            bytes.varint(u64::from(position - entry.last_position) << 1);
        } else {
            let gap = doc - if entry.last_doc == NONE { lo } else { entry.last_doc };
            bytes.varint((u64::from(gap) << 4 | u64::from(zone)) << 1 | 1);
            bytes.varint(u64::from(position));
        }
        (entry.last_doc, entry.last_zone, entry.last_position) = (doc, zone, position);
        append(entry, &mut self.arena, bytes.as_slice());
    }

    /// The postings of an entry, copied out.
    fn bytes_of(&self, entry: &Entry, out: &mut Vec<u8>) {
        out.clear();
        let mut left = entry.bytes as usize;
        out.extend_from_slice(entry.inline.get(..left.min(INLINE)).unwrap_or_default());
        left -= left.min(INLINE);
        let mut at = entry.head as usize;
        let mut room = FIRST_BLOCK;
        while left > 0 {
            let now = left.min(room - LINK);
            out.extend_from_slice(self.arena.get(at..at + now).unwrap_or_default());
            left -= now;
            let link = self.arena.get(at + room - LINK..at + room).and_then(|link| link.try_into().ok());
            at = link.map_or(0, u32::from_le_bytes) as usize;
            room = (room * 2).min(LAST_BLOCK);
        }
    }

    /// Visits each document of an entry with its zones and sorted occurrences.
    fn each_doc(&self, entry: &Entry, scratch: &mut Scratch, mut visit: impl FnMut(u32, u16, &[(u8, u32)])) -> Result<(), IndexError> {
        self.bytes_of(entry, &mut scratch.bytes);
        let Scratch { bytes, occurrences } = scratch;
        let broken = |_: Malformed| IndexError::Bug("postings in memory");
        let mut reader = Reader::new(bytes);
        let (mut doc, mut zone, mut position) = (self.lo, 0u8, 0u32);
        let (mut zones, mut open) = (0u16, false);
        occurrences.clear();
        while !reader.is_empty() {
            let first = reader.varint().map_err(broken)?;
            if first & 1 == 0 {
                position += (first >> 1) as u32;
                occurrences.push((zone, position));
                continue;
            }
            let gap = (first >> 5) as u32;
            if gap != 0 && open {
                finish_doc(doc, zones, occurrences, &mut visit);
                zones = 0;
            }
            open = true;
            doc += gap;
            zone = (first >> 1 & 15) as u8;
            zones |= 1 << zone;
            position = reader.varint().map_err(broken)? as u32;
            if position != 0 {
                occurrences.push((zone, position));
            }
        }
        if open {
            finish_doc(doc, zones, occurrences, &mut visit);
        }
        Ok(())
    }

    /// Writes all of it to `file`, as a segment of the documents below `hi`.
    pub(crate) fn write(&self, store: &dyn PageStore, file: FileId) -> Result<(), IndexError> {
        let mut writer = SegmentWriter::create(store, file, self.lo, self.hi)?;
        let mut sorted: Vec<u32> = (0..self.entries.len() as u32).collect();
        let key_of = |number: u32| self.entries.get(number as usize).map_or(&[][..], |entry| self.key(entry));
        sorted.sort_unstable_by(|&a, &b| key_of(a).cmp(key_of(b)));
        let mut list = ListBuilder::default();
        let mut docs = Vec::new();
        let mut scratch = Scratch::default();
        for &number in &sorted {
            let Some(entry) = self.entries.get(number as usize) else { continue };
            if entry.bytes == 0 {
                continue;
            }
            list.clear(self.lo);
            self.each_doc(entry, &mut scratch, |doc, zones, occurrences| list.add(doc, zones, occurrences))?;
            let shape = list.finish(&mut docs);
            writer.term(self.key(entry), &shape, &docs)?;
            writer.positions(&list.positions)?;
        }
        self.write_backward(&sorted, &mut writer)?;
        for &(doc, columns) in &self.rows {
            writer.columns(doc, columns)?;
        }
        let mut dated: Vec<Dated> = self.rows.iter().map(|(doc, row)| Dated::new(row.date, *doc)).collect();
        dated.sort_unstable();
        for dated in dated {
            writer.dated(dated)?;
        }
        self.write_sort_keys(&mut writer)?;
        writer.finish()
    }

    fn write_sort_keys(&self, writer: &mut SegmentWriter) -> Result<(), IndexError> {
        for of in SortKey::ALL {
            let mut sorted: Vec<(&[u8], usize)> = (0..self.rows.len()).map(|row| (self.sort.key(row, of), row)).collect();
            sorted.sort_unstable();
            let mut ranks = vec![0; sorted.len()];
            for (rank, same) in (0..).zip(sorted.chunk_by(|a, b| a.0 == b.0)) {
                same.first().map_or(Ok(()), |(key, _)| writer.sort_key(of, key))?;
                for (_, row) in same {
                    ranks.get_mut(*row).into_iter().for_each(|place| *place = rank);
                }
            }
            for rank in ranks {
                writer.rank(of, rank)?;
            }
        }
        Ok(())
    }

    fn write_backward(&self, sorted: &[u32], writer: &mut SegmentWriter) -> Result<(), IndexError> {
        let mut turned: Vec<Vec<u8>> = Vec::new();
        let mut last: &[u8] = &[];
        for &number in sorted {
            let Some(entry) = self.entries.get(number as usize) else { continue };
            let key = self.key(entry);
            let taken = parts(key);
            let bare = key.get(..usize::from(taken.lead != 0) + taken.folded.len()).unwrap_or_default();
            if taken.lead == SPECIAL || bare == last || taken.folded.last() == Some(&CONTINUES) {
                continue;
            }
            last = bare;
            let mut backwards = Vec::new();
            backward(taken.folded, taken.lead, &mut backwards);
            turned.push(backwards);
        }
        turned.sort_unstable();
        for key in &turned {
            writer.backward(key)?;
        }
        Ok(())
    }
}

fn finish_doc(doc: u32, zones: u16, occurrences: &mut Vec<(u8, u32)>, visit: &mut impl FnMut(u32, u16, &[(u8, u32)])) {
    if !zones.is_power_of_two() {
        occurrences.sort_unstable();
    }
    visit(doc, zones, occurrences);
    occurrences.clear();
}

fn begins_long_word(key: &[u8]) -> bool {
    let taken = parts(key);
    taken.lead == 0 && taken.folded.last() == Some(&CONTINUES)
}

fn mix(value: u64) -> u64 {
    let product = u128::from(value) * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ (product >> 64) as u64
}

#[derive(Default)]
struct Scratch {
    bytes: Vec<u8>,
    occurrences: Vec<(u8, u32)>,
}

/// Room for two numbers.
#[derive(Default)]
struct ShortBytes {
    bytes: [u8; 16],
    length: usize,
}

impl ShortBytes {
    fn varint(&mut self, mut value: u64) {
        loop {
            let more = value >= 0x80;
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = value as u8 & 0x7f | u8::from(more) << 7;
            }
            self.length += 1;
            value >>= 7;
            if !more {
                return;
            }
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn append(entry: &mut Entry, arena: &mut Vec<u8>, mut bytes: &[u8]) {
    let used = entry.bytes as usize;
    entry.bytes += bytes.len() as u32;
    if used < INLINE {
        let (now, later) = bytes.split_at(bytes.len().min(INLINE - used));
        if let Some(place) = entry.inline.get_mut(used..used + now.len()) {
            place.copy_from_slice(now);
        }
        bytes = later;
    }
    while !bytes.is_empty() {
        if entry.at == entry.end {
            open_block(entry, arena);
        }
        let (now, later) = bytes.split_at(bytes.len().min((entry.end - entry.at) as usize));
        if let Some(place) = arena.get_mut(entry.at as usize..entry.at as usize + now.len()) {
            place.copy_from_slice(now);
        }
        entry.at += now.len() as u32;
        bytes = later;
    }
}

/// Blocks double up to [`LAST_BLOCK`]; `end` is where the link of the open block is, so its size follows from the bytes
/// before.
fn open_block(entry: &mut Entry, arena: &mut Vec<u8>) {
    let start = arena.len() as u32;
    let size = if entry.head == NONE {
        entry.head = start;
        FIRST_BLOCK
    } else {
        if let Some(link) = arena.get_mut(entry.end as usize..entry.end as usize + LINK) {
            link.copy_from_slice(&start.to_le_bytes());
        }
        (usize::from(entry.block) * 2).min(LAST_BLOCK)
    };
    arena.resize(arena.len() + size, 0);
    entry.at = start;
    entry.end = start + (size - LINK) as u32;
    entry.block = size as u16;
}

impl Source for Memory {
    /// The number of the entry.
    type Term<'a> = u32;

    fn range(&self) -> (u32, u32) {
        (self.lo, self.hi)
    }

    fn special(&self, key: &[u8], visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        self.look_up(key).map_or(Ok(()), |number| visit(key, &number))
    }

    fn labels(&self, pattern: &LabelPattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        if !pattern.wild {
            return self.special(&label(pattern.kind, &pattern.bytes), visit);
        }
        let kind = label(pattern.kind, &[]);
        for (number, entry) in self.entries.iter().enumerate() {
            if entry.bytes > 0 && self.key(entry).strip_prefix(kind.as_slice()).is_some_and(|bytes| pattern.matches(bytes)) {
                visit(self.key(entry), &(number as u32))?;
            }
        }
        Ok(())
    }

    fn columns(&self, _: Option<&Bits>, visit: &mut dyn FnMut(u32, &Columns)) -> Result<(), IndexError> {
        self.rows.iter().for_each(|(doc, columns)| visit(*doc, columns));
        Ok(())
    }

    fn find(&self, pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        if let (true, Reach::Forward(folded)) = (pattern.is_whole(), pattern.reach()) {
            let mut next = self.look_up(folded).unwrap_or(NONE);
            while let Some(entry) = self.entries.get(next as usize) {
                if entry.bytes > 0 && pattern.matches(&parts(self.key(entry))) {
                    visit(self.key(entry), &next)?;
                }
                next = entry.next_form;
            }
            return Ok(());
        }
        let matcher = pattern.matcher();
        for (number, entry) in self.entries.iter().enumerate() {
            if entry.bytes > 0 && matcher.matches(&parts(self.key(entry))) {
                visit(self.key(entry), &(number as u32))?;
            }
        }
        Ok(())
    }

    fn docs(&self, term: &u32, zones: Zones, out: &mut Bits) -> Result<(), IndexError> {
        let Some(entry) = self.entries.get(*term as usize) else { return Ok(()) };
        self.each_doc(entry, &mut Scratch::default(), |doc, found, _| {
            if zones == Zones::ALL || found & zones.0 != 0 {
                out.insert(doc);
            }
        })
    }

    fn weight(&self, term: &u32) -> u64 {
        self.entries.get(*term as usize).map_or(0, |entry| u64::from(entry.bytes))
    }

    fn positions(&self, term: &u32, zones: Zones, wanted: &Bits, out: &mut Places) -> Result<(), IndexError> {
        let Some(entry) = self.entries.get(*term as usize) else { return Ok(()) };
        self.each_doc(entry, &mut Scratch::default(), |doc, _, occurrences| {
            if wanted.contains(doc) {
                let kept = occurrences.iter().filter(|(zone, _)| zones.0 >> zone & 1 == 1);
                kept.for_each(|(_, position)| out.add(doc, *position));
            }
        })
    }
}

impl Memory {
    /// The columns of a document.
    pub(crate) fn columns_of(&self, doc: DocNo) -> Option<Columns> {
        let at = self.rows.binary_search_by_key(&doc.0, |(doc, _)| *doc).ok()?;
        self.rows.get(at).map(|(_, columns)| *columns)
    }
}
