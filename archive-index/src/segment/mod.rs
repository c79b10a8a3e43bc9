//! Segments: parts of the index, each for one range of documents. New documents go to a segment in memory; a flush
//! writes it out as an immutable file; a merge makes one file of several.
//!
//! Invariants: the ranges of the segments of an index rise and do not overlap; a file never changes.

pub(crate) mod build;
pub(crate) mod cache;
pub(crate) mod memory;
pub(crate) mod merge;
pub(crate) mod page;
pub(crate) mod read;

use crate::columns::Columns;
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::query::leaf::LabelPattern;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;

/// What a search needs from a segment, in memory or on pages.
pub(crate) trait Source: Sized + 'static {
    /// A term that was found.
    type Term<'a>;

    /// The first document, and the first one after the range.
    fn range(&self) -> (u32, u32);

    /// Visits the term of exactly this key, if there is one.
    fn special(&self, key: &[u8], visit: &mut Visit<'_, Self>) -> Result<(), IndexError>;

    /// Visits the terms of the labels that match.
    fn labels(&self, pattern: &LabelPattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError>;

    /// Visits the columns of each document, at least of those in `within`; documents rise.
    fn columns(&self, within: Option<&Bits>, visit: &mut dyn FnMut(u32, &Columns)) -> Result<(), IndexError>;

    /// Visits every term that matches, in any order.
    fn find(&self, pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError>;

    /// Adds the documents that have the term in one of `zones`.
    fn docs(&self, term: &Self::Term<'_>, zones: Zones, out: &mut Bits) -> Result<(), IndexError>;

    /// About how many bytes the positions of the term take.
    fn weight(&self, term: &Self::Term<'_>) -> u64;

    /// Gives each occurrence in `zones` of a document of `wanted` to `out`; documents rise.
    fn positions(&self, term: &Self::Term<'_>, zones: Zones, wanted: &Bits, out: &mut Places) -> Result<(), IndexError>;
}

/// Called with each term that was found, and its key.
pub(crate) type Visit<'v, S> = dyn for<'a> FnMut(&[u8], &<S as Source>::Term<'a>) -> Result<(), IndexError> + 'v;

#[cfg(test)]
mod tests {
    use super::page::{Envelope, PageKind, open};
    use crate::{Columns, DocNo, Field, FileId, Index, MemPages, Options, PageRef, PageStore, SortKey, SortKeys, Value, ValueKind, parse};
    use proptest::prelude::*;
    use std::sync::{Arc, OnceLock};

    const KINDS: [PageKind; 11] = [
        PageKind::Terms,
        PageKind::Backward,
        PageKind::Docs,
        PageKind::Positions,
        PageKind::Columns,
        PageKind::Order,
        PageKind::Directory,
        PageKind::Footer,
        PageKind::Blocks,
        PageKind::SortKeys,
        PageKind::Ranks,
    ];

    fn sort(number: u32) -> SortKeys<'static> {
        let texts = ["", "anna", "anton", "berta"];
        SortKeys { subject: texts[number as usize % 4], sender: texts[number as usize % 3], ..SortKeys::default() }
    }

    type PlainPages = Vec<(PageKind, Vec<u8>)>;

    /// The plain pages of a segment, and its manifest.
    fn plain_pages() -> &'static (PlainPages, Vec<u8>) {
        static PAGES: OnceLock<(PlainPages, Vec<u8>)> = OnceLock::new();
        PAGES.get_or_init(|| {
            let store = MemPages::new();
            let index = Index::open(Arc::new(store.clone()), Options::default()).unwrap();
            for number in 0..200u32 {
                let text = format!("alpha beta w{number} größe {}", "gamma ".repeat(number as usize % 7));
                let body = Value { field: Field::Body, kind: ValueKind::Text, text: &text };
                let to = Value { field: Field::To, kind: ValueKind::Address, text: "x@example.org" };
                index
                    .add(DocNo(number), &[body, to], &[], &Columns { date: i64::from(number % 9), ..Columns::default() }, &sort(number))
                    .unwrap();
            }
            index.flush(b"").unwrap();
            let reader = store.open(FileId(1)).unwrap();
            let pages = (0..store.page_lengths(FileId(1)).len()).map(|at| {
                let page = reader.read(PageRef(at as u64)).unwrap();
                let kind = KINDS[usize::from(page[0]) - 1];
                (kind, open(kind, &page).unwrap())
            });
            (pages.collect(), store.load_manifest().unwrap().unwrap())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Pages with a valid checksum and invalid content: any answer or an error, but no panic and no endless work.
        #[test]
        fn foreign_pages_never_panic(page: prop::sample::Index, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let (plain, manifest) = plain_pages();
            let store = MemPages::new();
            let mut envelope = Envelope::new().unwrap();
            let mut writer = store.create(FileId(1)).unwrap();
            let target = page.index(plain.len());
            for (at, (kind, bytes)) in plain.iter().enumerate() {
                let mut bytes = bytes.clone();
                if at == target {
                    for (place, value) in &changes {
                        *place.get_mut(&mut bytes) = *value;
                    }
                }
                writer.append(&envelope.seal(*kind, &bytes).unwrap()).unwrap();
            }
            writer.finish().unwrap();
            store.replace_manifest(manifest).unwrap();
            let Ok(index) = Index::open(Arc::new(store), Options::default()) else { return Ok(()) };
            let snapshot = index.snapshot();
            for query in ["alpha", "al*", "*ta", "*et*", "\"alpha beta\"", "\"* beta *\"", "to:x@example.org", "-x@example.org", "größe", "alpha~", "bets~1", "*"] {
                if let Ok(docs) = snapshot.search(&parse(query).unwrap().without_filters().unwrap()) {
                    let _ = snapshot.newest_first(&docs, None).map(|order| order.take(1000).count());
                }
            }
            let _ = snapshot.columns(DocNo(7));
            if let Ok(docs) = snapshot.all() {
                for (key, reverse) in [(SortKey::Subject, false), (SortKey::Sender, true)] {
                    let first = snapshot.first_by(key, &docs, reverse, None, 50).unwrap_or_default();
                    let after = first.get(20).map(|place| crate::Position { text: &place.text, date: place.date, doc: place.doc.0.into() });
                    let _ = snapshot.first_by(key, &docs, reverse, after, 50);
                    let _ = snapshot.counts(key, &docs);
                }
            }
            let segments = index.files().len();
            if segments == 1 {
                // A second segment, to have something to merge.
                let body = Value { field: Field::Body, kind: ValueKind::Text, text: "alpha" };
                index.add(DocNo(300), &[body], &[], &Columns::default(), &SortKeys::default()).unwrap();
                let _ = index.flush(b"").and_then(|()| index.merge_all());
            }
        }
    }
}
