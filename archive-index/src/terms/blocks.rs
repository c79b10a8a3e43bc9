//! The blocks of a dictionary: a transducer (the `fst` crate; Gallant 2015) from the separator of each block to its
//! number.
//!
//! Transducers of all keys would take twice the space of front-coded blocks compressed with zstd. So a transducer has
//! only the separator of each block of terms: the shortest bytes that distinguish its first key from the last key of
//! the block before. Finding a key takes one walk down the transducer, and one block. An automaton is run over the
//! transducer first, and then over the keys of the blocks that remain (like Lucene's block tree, 2011).
//! docs/FORMAT-INDEX.md, "Blocks".

use super::typo::{State, Typo};
use crate::pages::PageRef;
use crate::wire::{Malformed, Reader, put_block, put_varint};
use fst::Automaton;
use fst::raw::{Builder, Fst, Node};

/// About how many blocks one transducer has: at 8 bytes a block, that is a page of the usual size.
const MOST_BLOCKS: u32 = 4096;

/// The shortest beginning of `key` that is above `before`, the last key of the block before; empty for the first block
/// of all.
pub(crate) fn separator(before: &[u8], key: &[u8]) -> Vec<u8> {
    if before.is_empty() {
        return Vec::new();
    }
    let shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
    key.get(..=shared).unwrap_or(key).to_vec()
}

/// A transducer and the pages that it leads to.
pub(crate) struct Built {
    /// The first separator.
    pub(crate) first: Vec<u8>,
    /// Its plain bytes; `None` if it could not be built.
    pub(crate) plain: Option<Vec<u8>>,
    pub(crate) pages: Vec<PageRef>,
}

/// Collects the blocks of consecutive pages.
pub(crate) struct BlocksBuilder {
    fst: Builder<Vec<u8>>,
    first: Vec<u8>,
    /// The number of blocks, and the place, of each page.
    pages: Vec<(u32, PageRef)>,
    count: u32,
}

impl Default for BlocksBuilder {
    fn default() -> Self {
        Self { fst: Builder::memory(), first: Vec::new(), pages: Vec::new(), count: 0 }
    }
}

impl BlocksBuilder {
    /// Adds a page with the separators of its blocks, which rise. Returns `false` if they do not.
    #[must_use]
    pub(crate) fn add(&mut self, separators: &[Vec<u8>], page: PageRef) -> bool {
        if self.pages.is_empty() {
            self.first = separators.first().cloned().unwrap_or_default();
        }
        self.pages.push((separators.len() as u32, page));
        separators.iter().all(|separator| {
            let added = self.fst.insert(separator, u64::from(self.count)).is_ok();
            self.count += 1;
            added
        })
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count >= MOST_BLOCKS
    }

    /// Returns what was collected, if anything, and starts again.
    pub(crate) fn take(&mut self) -> Option<Built> {
        let Self { fst, first, pages, .. } = std::mem::take(self);
        if pages.is_empty() {
            return None;
        }
        let fst = fst.into_inner().ok();
        let plain = fst.map(|fst| {
            let mut plain = Vec::with_capacity(fst.len() + 2 * pages.len() + 8);
            put_varint(&mut plain, pages.len() as u64);
            pages.iter().for_each(|(blocks, _)| put_varint(&mut plain, u64::from(*blocks)));
            put_block(&mut plain, &fst);
            plain
        });
        Some(Built { first, plain, pages: pages.into_iter().map(|(_, page)| page).collect() })
    }
}

/// The blocks of some consecutive pages.
pub(crate) struct Blocks {
    fst: Fst<Vec<u8>>,
    /// The first block of each page, and then the number of all blocks.
    starts: Vec<u32>,
}

/// A block: its page, from 0, and its number in that page.
pub(crate) type BlockAt = (usize, u32);

impl Blocks {
    pub(crate) fn read(plain: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(plain);
        let mut starts = vec![0u32];
        let mut count = 0u32;
        for _ in 0..reader.length()? {
            count = count.checked_add(reader.varint_u32()?).ok_or(Malformed("number of blocks"))?;
            starts.push(count);
        }
        let fst = Fst::new(reader.block()?.to_vec()).map_err(|_| Malformed("transducer"))?;
        reader.end()?;
        // It trusts its bytes, and may answer wrongly or panic on others: they must be those that were written.
        fst.verify().map_err(|_| Malformed("transducer"))?;
        if fst.len() != count as usize {
            return Err(Malformed("number of blocks"));
        }
        Ok(Self { fst, starts })
    }

    pub(crate) fn pages(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.fst.size() + self.starts.len() * size_of::<u32>()
    }

    fn count(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0).into()
    }

    fn at(&self, block: u64) -> BlockAt {
        let block = u32::try_from(block).unwrap_or(u32::MAX);
        let page = self.starts.partition_point(|start| *start <= block).saturating_sub(1);
        (page, block - self.starts.get(page).copied().unwrap_or(block))
    }

    /// The block in which `key` is, if it exists: the last whose separator is not above it. For a key below all
    /// separators, the first block.
    ///
    /// Numbers rise with separators, so the sum up to a transition is the least number after it: the block before that
    /// number is the last one below.
    pub(crate) fn floor(&self, key: &[u8]) -> BlockAt {
        let mut node = self.fst.root();
        let (mut sum, mut next) = (0, self.count());
        for &byte in key {
            let Some(at) = first_from(&node, byte) else { return self.at(next.saturating_sub(1)) };
            let transition = node.transition(at);
            if transition.inp > byte {
                return self.at((sum + transition.out.value()).saturating_sub(1));
            }
            if at + 1 < node.len() {
                next = sum + node.transition(at + 1).out.value();
            }
            sum += transition.out.value();
            node = self.fst.node(transition.addr);
        }
        self.at(if node.is_final() { sum } else { sum.saturating_sub(1) })
    }

    /// The blocks that may hold a key which `typo` accepts, in order.
    pub(crate) fn of(&self, typo: &Typo) -> Vec<BlockAt> {
        let mut found = Vec::new();
        self.walk(typo, &self.fst.root(), &typo.start(), (0, self.count()), &mut found);
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|block| self.at(block)).collect()
    }

    /// Adds the blocks with keys that begin like `node`, which is reached with `state`: the blocks from `sum` up to,
    /// but not including, `next`, and the block before them, whose keys may sort before the first separator of `node`.
    fn walk(&self, typo: &Typo, node: &Node<'_>, state: &State, (sum, next): (u64, u64), found: &mut Vec<u64>) {
        if typo.will_always_match(state) {
            found.extend(sum.saturating_sub(1)..next.min(self.count()));
            return;
        }
        if typo.is_match(state) {
            found.push(if node.is_final() { sum } else { sum.saturating_sub(1) });
        }
        // Keys whose next byte no separator has are in the block before the next separator.
        let mut from = 0u8;
        let mut is_open = true;
        for at in 0..node.len() {
            let transition = node.transition(at);
            let here = sum + transition.out.value();
            if let Some(below) = transition.inp.checked_sub(1)
                && from <= below
                && typo.goes_on(state, from..=below)
            {
                found.push(here.saturating_sub(1));
            }
            let after = typo.accept(state, transition.inp);
            if typo.can_match(&after) {
                let next = if at + 1 < node.len() { sum + node.transition(at + 1).out.value() } else { next };
                self.walk(typo, &self.fst.node(transition.addr), &after, (here, next), found);
            }
            (from, is_open) = (transition.inp.wrapping_add(1), transition.inp < u8::MAX);
        }
        if is_open && typo.goes_on(state, from..=u8::MAX) {
            found.push(next.saturating_sub(1));
        }
    }
}

/// The first transition of `node` whose byte is not below `byte`.
fn first_from(node: &Node<'_>, byte: u8) -> Option<usize> {
    let (mut low, mut high) = (0, node.len());
    while low < high {
        let middle = low.midpoint(high);
        if node.transition(middle).inp < byte { low = middle + 1 } else { high = middle }
    }
    (low < node.len()).then_some(low)
}

/// Where the pages of a dictionary are stored, and the transducers that lead to them.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// The first separator of each transducer, its place, and its first page.
    blocks: Vec<(Box<[u8]>, PageRef, usize)>,
    pages: Vec<PageRef>,
}

impl Directory {
    pub(crate) fn push(&mut self, first: Vec<u8>, blocks: PageRef, pages: Vec<PageRef>) {
        self.blocks.push((first.into_boxed_slice(), blocks, self.pages.len()));
        self.pages.extend(pages);
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let mut last = 0;
        let mut put = |place: PageRef, out: &mut Vec<u8>| {
            put_varint(out, place.0.wrapping_sub(last));
            last = place.0;
        };
        put_varint(out, self.blocks.len() as u64);
        for (at, (first, place, start)) in self.blocks.iter().enumerate() {
            let end = self.blocks.get(at + 1).map_or(self.pages.len(), |(_, _, next)| *next);
            put_block(out, first);
            put(*place, out);
            put_varint(out, end.saturating_sub(*start) as u64);
            self.pages.get(*start..end).unwrap_or_default().iter().for_each(|page| put(*page, out));
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut directory = Directory::default();
        let mut last = 0u64;
        let mut place = |reader: &mut Reader<'_>| {
            last = last.wrapping_add(reader.varint()?);
            Ok(PageRef(last))
        };
        for _ in 0..reader.length()? {
            let first = reader.block()?.to_vec();
            let blocks = place(reader)?;
            let count = reader.length()?;
            let pages = (0..count).map(|_| place(reader)).collect::<Result<Vec<_>, Malformed>>()?;
            directory.push(first, blocks, pages);
        }
        Ok(directory)
    }

    /// The transducer that leads to `key`, if there is one: its place, its first page, and how many pages it should
    /// have.
    pub(crate) fn blocks_of(&self, key: &[u8]) -> Option<(PageRef, usize, usize)> {
        self.blocks(self.blocks.partition_point(|(first, ..)| first.as_ref() <= key).saturating_sub(1))
    }

    /// The transducer with this number, likewise.
    pub(crate) fn blocks(&self, at: usize) -> Option<(PageRef, usize, usize)> {
        let (_, place, start) = self.blocks.get(at)?;
        let end = self.blocks.get(at + 1).map_or(self.pages.len(), |(_, _, next)| *next);
        Some((*place, *start, end.saturating_sub(*start)))
    }

    pub(crate) fn get(&self, page: usize) -> Option<PageRef> {
        self.pages.get(page).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Blocks of three keys, four blocks a page.
    fn built(keys: &[String]) -> Blocks {
        let mut builder = BlocksBuilder::default();
        let mut before: &str = "";
        let mut page = Vec::new();
        for block in keys.chunks(3) {
            page.push(separator(before.as_bytes(), block[0].as_bytes()));
            before = &block[block.len() - 1];
            if page.len() == 4 {
                assert!(builder.add(&std::mem::take(&mut page), PageRef(7)));
            }
        }
        if !page.is_empty() {
            assert!(builder.add(&page, PageRef(7)));
        }
        Blocks::read(&builder.take().unwrap().plain.unwrap()).unwrap()
    }

    fn number((page, block): BlockAt) -> usize {
        page * 4 + block as usize
    }

    proptest! {
        #[test]
        fn a_key_lies_in_the_last_block_that_does_not_begin_above_it(keys in prop::collection::btree_set("[abc]{1,6}", 1..60), asked in "[abcd]{0,7}") {
            let keys: Vec<String> = keys.into_iter().collect();
            let blocks = built(&keys);
            for key in &keys {
                prop_assert_eq!(keys.chunks(3).position(|block| block.contains(key)), Some(number(blocks.floor(key.as_bytes()))));
            }
            // A key that does not exist may belong to the block before as well, whose last key is below it.
            let at = number(blocks.floor(asked.as_bytes()));
            let block = keys.chunks(3).nth(at).unwrap();
            prop_assert!(at == 0 || keys[at * 3 - 1] < asked);
            prop_assert!(keys.get(at * 3 + block.len()).is_none_or(|next| *next > asked));
        }

        #[test]
        fn no_block_with_a_key_that_an_automaton_accepts_is_left_out(
            keys in prop::collection::btree_set("[abжз]{1,7}(\u{0}[aä]{1,2})?", 1..80),
            word in "[abжз]{1,6}",
            errors in 1u8..3,
            first in any::<bool>(),
        ) {
            let keys: Vec<String> = keys.into_iter().collect();
            let typo = Typo::new(&word, errors, first);
            let reached: BTreeSet<usize> = built(&keys).of(&typo).into_iter().map(number).collect();
            for (at, block) in keys.chunks(3).enumerate() {
                let has = block.iter().any(|key| typo.accepts(key.split('\u{0}').next().unwrap().as_bytes()));
                prop_assert!(!has || reached.contains(&at), "{block:?}");
            }
        }
    }
}
