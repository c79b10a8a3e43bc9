//! A set of documents of one segment, one bit each.

use roaring::RoaringBitmap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    /// The document of the first bit; a multiple of 64.
    base: u32,
    words: Vec<u64>,
}

impl Bits {
    /// The empty set, for documents from `lo` up to, but not including, `hi`.
    pub(crate) fn empty(lo: u32, hi: u32) -> Self {
        let base = lo & !63;
        Self { base, words: vec![0; (hi.saturating_sub(base) as usize).div_ceil(64)] }
    }

    /// Adds a document; one out of range is ignored.
    #[inline]
    pub(crate) fn insert(&mut self, doc: u32) {
        let at = doc.wrapping_sub(self.base);
        if let Some(word) = self.words.get_mut((at >> 6) as usize) {
            *word |= 1 << (at & 63);
        }
    }

    #[inline]
    pub(crate) fn contains(&self, doc: u32) -> bool {
        let at = doc.wrapping_sub(self.base);
        self.words.get((at >> 6) as usize).is_some_and(|word| word >> (at & 63) & 1 == 1)
    }

    /// Whether the set has a document from `lo` up to, but not including, `hi`.
    pub(crate) fn any_in(&self, lo: u32, hi: u32) -> bool {
        let word = |doc: u32| (doc.saturating_sub(self.base) >> 6) as usize;
        let last = self.words.len().min(word(hi.saturating_sub(1)).saturating_add(1));
        let words = self.words.get(word(lo)..last).unwrap_or_default();
        words.iter().any(|word| *word != 0) && (lo..hi).any(|doc| self.contains(doc))
    }

    /// How many documents are in it.
    pub(crate) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    pub(crate) fn and(&mut self, other: &Bits) {
        self.zip(other, |a, b| a & b);
    }

    pub(crate) fn or(&mut self, other: &Bits) {
        self.zip(other, |a, b| a | b);
    }

    pub(crate) fn and_not(&mut self, other: &Bits) {
        self.zip(other, |a, b| a & !b);
    }

    /// Both sets are of the same segment.
    fn zip(&mut self, other: &Bits, combine: impl Fn(u64, u64) -> u64) {
        debug_assert!(self.base == other.base && self.words.len() == other.words.len());
        for (word, &other) in self.words.iter_mut().zip(&other.words) {
            *word = combine(*word, other);
        }
    }

    /// Adds the documents below `end` to `docs`.
    pub(crate) fn add_to(&self, end: u32, docs: &mut RoaringBitmap) {
        if self.count() < self.words.len() as u64 {
            // Few documents are added one by one at less cost than the words of the whole segment.
            docs.extend(self.iter().take_while(|doc| *doc < end));
            return;
        }
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut found = RoaringBitmap::from_lsb0_bytes(self.base, &bytes);
        if found.max().is_some_and(|max| max >= end) {
            found.remove_range(end..);
        }
        *docs |= found;
    }

    /// The documents in rising order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(move |(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(self.base + (at as u32) * 64 + bit)
            })
        })
    }
}
