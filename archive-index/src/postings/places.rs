//! Places at which a phrase may begin. A place is one number: the document in the upper half, the position in the
//! lower.

/// Takes the positions of one word of a phrase.
pub(crate) struct Places {
    /// How many words after the beginning of the phrase this word is.
    offset: u64,
    /// The beginnings that remain after the words before, sorted; `None` for the first word.
    starts: Option<Vec<u64>>,
    /// For each document from `lo` on, the index of its first beginning; empty if there are so few that a search is
    /// cheaper.
    table: Vec<u32>,
    lo: u32,
    kept: Vec<u64>,
    /// The document whose positions are being added, and the range of its beginnings.
    doc: Option<u32>,
    from: usize,
    to: usize,
    /// The first of these that is not below the position before.
    next: usize,
}

impl Places {
    /// Keeps all positions.
    pub(crate) fn all(offset: u64) -> Self {
        Self { offset, starts: None, table: Vec::new(), lo: 0, kept: Vec::new(), doc: None, from: 0, to: 0, next: 0 }
    }

    /// Keeps the positions that match one of `starts`, which are sorted, and whose documents are from `lo` up to, but
    /// not including, `hi`.
    pub(crate) fn among(starts: Vec<u64>, offset: u64, (lo, hi): (u32, u32)) -> Self {
        let span = hi.saturating_sub(lo) as usize;
        let mut table = Vec::new();
        if starts.len() > span / 8 && u32::try_from(starts.len()).is_ok() {
            table.reserve_exact(span + 1);
            let mut at = 0;
            for doc in u64::from(lo)..=u64::from(hi) {
                while starts.get(at).is_some_and(|start| start >> 32 < doc) {
                    at += 1;
                }
                table.push(at as u32);
            }
        }
        Self { starts: Some(starts), table, lo, ..Self::all(offset) }
    }

    /// The next term begins: documents start from the lowest again.
    pub(crate) fn begin_term(&mut self) {
        (self.doc, self.from, self.to, self.next) = (None, 0, 0, 0);
    }

    /// Adds a position. Documents of one term rise.
    #[inline]
    pub(crate) fn add(&mut self, doc: u32, position: u32) {
        let Some(start) = u64::from(position).checked_sub(self.offset).filter(|&start| start > 0) else { return };
        let place = u64::from(doc) << 32 | start;
        match &self.starts {
            None => self.kept.push(place),
            Some(starts) => {
                if self.doc != Some(doc) {
                    self.doc = Some(doc);
                    let at = doc.wrapping_sub(self.lo) as usize;
                    (self.from, self.to) = match self.table.get(at..).unwrap_or_default() {
                        [from, to, ..] => (*from as usize, *to as usize),
                        _ => {
                            let from = gallop(starts, self.to, u64::from(doc) << 32);
                            (from, gallop(starts, from, (u64::from(doc) + 1) << 32))
                        }
                    };
                    self.next = self.from;
                }
                // Positions rise, except where a zone begins.
                if self.next > self.from && starts.get(self.next - 1).is_some_and(|&start| start >= place) {
                    self.next = self.from;
                }
                // Steps double: otherwise, in a document with many places, each of many words would walk past all of
                // them.
                self.next = gallop(starts, self.next, place).min(self.to);
                if self.next < self.to && starts.get(self.next) == Some(&place) {
                    self.kept.push(place);
                }
            }
        }
    }

    /// The places that were kept, sorted.
    pub(crate) fn into_sorted(mut self) -> Vec<u64> {
        if !self.kept.is_sorted() {
            self.kept.sort_unstable();
        }
        self.kept
    }
}

/// The first place at `from` or after that is not below `least`, in steps that double.
fn gallop(sorted: &[u64], from: usize, least: u64) -> usize {
    let mut low = from;
    let mut step = 1;
    while sorted.get(low + step - 1).is_some_and(|&place| place < least) {
        low += step;
        step *= 2;
    }
    let tail = sorted.get(low..sorted.len().min(low + step)).unwrap_or_default();
    low + tail.partition_point(|&place| place < least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn galloping_finds_what_a_walk_finds(mut sorted: Vec<u8>, from: u8, least: u8) {
            sorted.sort_unstable();
            let sorted: Vec<u64> = sorted.into_iter().map(u64::from).collect();
            let from = usize::from(from).min(sorted.len());
            let walked = (from..sorted.len()).find(|&at| sorted[at] >= u64::from(least)).unwrap_or(sorted.len());
            prop_assert_eq!(gallop(&sorted, from, u64::from(least)), walked);
        }
    }
}
