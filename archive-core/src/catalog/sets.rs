//! Sets of numbers that grow with the archive: in memory as bitmaps, on disk as rows of 65,536 numbers each, rewritten
//! when one of them changes.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use super::page::{put_varint, take_varint};

/// What the numbers of a set are. Its value is part of the keys of the set's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOf {
    /// Contents whose messages are looked up one by one: those with several, and those whose only message is not the
    /// first that they got.
    Shared = 1,
    /// Contents noted damaged.
    Damaged = 2,
    /// Parts of these contents.
    DamagedParts = 3,
    /// Contents in sections of small commits that wait to be packed.
    Unpacked = 4,
    /// Parts in these sections.
    UnpackedParts = 5,
    /// Messages whose time of archiving is, or may be, before that of the message with the previous number.
    Earlier = 6,
    /// Contents without a message, which no search counts: damaged contents of the same digest are read from them, or
    /// nothing is left of them except perhaps their text in the index.
    Unplaced = 7,
    /// Messages that are deleted.
    Deleted = 8,
    /// Contents all of whose messages are deleted; they are among the unplaced ones too.
    Unreferenced = 9,
    /// Contents that were erased; they are among the unplaced ones too.
    ErasedContents = 10,
    /// Parts that were erased.
    ErasedParts = 11,
    /// Messages that were erased.
    ErasedMessages = 12,
    /// Containers that have bytes of what was erased.
    ContainersToRemove = 13,
    /// Containers that were removed.
    ContainersRemoved = 14,
    /// 0 while an erasure is not done.
    Erasing = 15,
}

const SETS: [SetOf; 15] = [
    SetOf::Shared,
    SetOf::Damaged,
    SetOf::DamagedParts,
    SetOf::Unpacked,
    SetOf::UnpackedParts,
    SetOf::Earlier,
    SetOf::Unplaced,
    SetOf::Deleted,
    SetOf::Unreferenced,
    SetOf::ErasedContents,
    SetOf::ErasedParts,
    SetOf::ErasedMessages,
    SetOf::ContainersToRemove,
    SetOf::ContainersRemoved,
    SetOf::Erasing,
];

#[derive(Debug, Default, Clone)]
struct NumberSet {
    numbers: RoaringBitmap,
    /// Upper halves of numbers whose rows are out of date.
    changed: BTreeSet<u16>,
}

/// All sets of a catalog.
#[derive(Debug, Default, Clone)]
pub(super) struct Sets([NumberSet; SETS.len()]);

impl Sets {
    fn set(&self, of: SetOf) -> &NumberSet {
        // The values of the sets are their places, from 1.
        &self.0[of as usize - 1]
    }

    pub(super) fn of(&self, of: SetOf) -> &RoaringBitmap {
        &self.set(of).numbers
    }

    /// Inserts a number; `false` if it was there.
    pub(super) fn insert(&mut self, of: SetOf, number: u32) -> bool {
        let set = &mut self.0[of as usize - 1];
        let is_new = set.numbers.insert(number);
        if is_new {
            set.changed.insert((number >> 16) as u16);
        }
        is_new
    }

    /// Inserts the numbers of a gap: at most as many as a person's repairs could skip, whatever the records say.
    pub(super) fn insert_gap(&mut self, of: SetOf, gap: std::ops::Range<u32>) {
        const MOST: u32 = 1 << 24;
        let set = &mut self.0[of as usize - 1];
        let gap = gap.start..gap.end.min(gap.start.saturating_add(MOST));
        if gap.is_empty() {
            return;
        }
        set.changed.extend((gap.start >> 16) as u16..=((gap.end - 1) >> 16) as u16);
        set.numbers.insert_range(gap);
    }

    /// Removes a number; `false` if it was not there.
    pub(super) fn remove(&mut self, of: SetOf, number: u32) -> bool {
        let set = &mut self.0[of as usize - 1];
        let was_there = set.numbers.remove(number);
        if was_there {
            set.changed.insert((number >> 16) as u16);
        }
        was_there
    }

    /// Inserts or removes a number; `true` if that changed the set.
    pub(super) fn change(&mut self, of: SetOf, number: u32, is_in: bool) -> bool {
        if is_in { self.insert(of, number) } else { self.remove(of, number) }
    }

    pub(super) fn changed(&self) -> usize {
        self.0.iter().map(|set| set.changed.len()).sum()
    }

    /// Takes the rows that are out of date: set, upper half of its numbers, and their lower halves as gaps.
    pub(super) fn take_changed(&mut self, put: &mut dyn FnMut(u8, u16, &[u8])) {
        for (of, set) in SETS.into_iter().zip(&mut self.0) {
            for upper in std::mem::take(&mut set.changed) {
                let first = u32::from(upper) << 16;
                let (mut row, mut last) = (Vec::new(), first);
                for number in set.numbers.range(first..=first | 0xffff) {
                    put_varint(&mut row, u64::from(number - last));
                    last = number;
                }
                put(of as u8, upper, &row);
            }
        }
    }

    /// Loads a row; `None` if it is invalid.
    pub(super) fn load(&mut self, of: u8, upper: u16, mut row: &[u8]) -> Option<()> {
        let set = self.0.get_mut(usize::from(of).checked_sub(1)?)?;
        let mut lower = 0u16;
        while !row.is_empty() {
            lower = lower.checked_add(u16::try_from(take_varint(&mut row)?).ok()?)?;
            set.numbers.insert(u32::from(upper) << 16 | u32::from(lower));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sets_come_back_from_their_rows(numbers in proptest::collection::btree_set(prop_oneof![0u32..70_000, any::<u32>()], 0..200), gone in 0u32..70_000) {
            let (mut sets, mut loaded) = (Sets::default(), Sets::default());
            for number in &numbers {
                sets.insert(SetOf::Unpacked, *number);
            }
            sets.insert(SetOf::Earlier, u32::MAX);
            let mut rows = std::collections::BTreeMap::new();
            sets.take_changed(&mut |of, upper, row| drop(rows.insert((of, upper), row.to_vec())));
            sets.remove(SetOf::Unpacked, gone);
            sets.take_changed(&mut |of, upper, row| drop(rows.insert((of, upper), row.to_vec())));
            assert_eq!(sets.changed(), 0);
            rows.iter().for_each(|((of, upper), row)| loaded.load(*of, *upper, row).unwrap());
            for of in SETS {
                prop_assert_eq!(loaded.of(of), sets.of(of));
            }
        }
    }

    #[test]
    fn what_is_no_row_of_a_set_is_refused() {
        for (of, row) in [(0, &[][..]), (16, &[]), (1, &[0xff]), (1, &[0xff, 0xff, 0x03, 1]), (1, &[0xff, 0xff, 0x07])] {
            assert_eq!(Sets::default().load(of, 0, row), None, "{of} {row:?}");
        }
    }
}
