//! Enough words and documents for many pages, lists of many blocks and streams of several pages, against a scan.

use archive_index::{Columns, DocNo, Field, Index, MemPages, Options, SortKeys, Value, ValueKind, parse};
use std::sync::Arc;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn documents() -> Vec<Vec<String>> {
    let mut numbers = Numbers(7);
    let word = |numbers: &mut Numbers| match numbers.below(4) {
        0 => format!("w{:x}z", numbers.below(60_000)),
        1 => ["the", "of", "and"][numbers.below(3) as usize].to_owned(),
        2 => format!("{}tail{}", ["ab", "abc", "b"][numbers.below(3) as usize], numbers.below(50)),
        _ => format!("c{}", numbers.below(400)),
    };
    (0..4000).map(|_| (0..40).map(|_| word(&mut numbers)).collect()).collect()
}

type Holds = fn(&[String]) -> bool;

fn pair(words: &[String], first: impl Fn(&str) -> bool, second: impl Fn(&str) -> bool) -> bool {
    words.windows(2).any(|pair| first(&pair[0]) && second(&pair[1]))
}

const CASES: [(&str, Holds); 14] = [
    ("the", |words| words.iter().any(|word| word == "the")),
    ("w1f*", |words| words.iter().any(|word| word.starts_with("w1f"))),
    ("w*", |words| words.iter().any(|word| word.starts_with('w'))),
    ("*fz", |words| words.iter().any(|word| word.ends_with("fz"))),
    ("*z", |words| words.iter().any(|word| word.ends_with('z'))),
    ("*tail7", |words| words.iter().any(|word| word.ends_with("tail7"))),
    ("*bcta*", |words| words.iter().any(|word| word.contains("bcta"))),
    ("*3*", |words| words.iter().any(|word| word.contains('3'))),
    ("a*9", |words| words.iter().any(|word| word.starts_with('a') && word.ends_with('9'))),
    ("c?7", |words| words.iter().any(|word| word.len() == 3 && word.starts_with('c') && word.ends_with('7'))),
    ("\"the of\"", |words| pair(words, |word| word == "the", |word| word == "of")),
    ("\"the c*\"", |words| pair(words, |word| word == "the", |word| word.starts_with('c'))),
    ("\"*z *z\"", |words| pair(words, |word| word.ends_with('z'), |word| word.ends_with('z'))),
    ("the -of -c1*", |words| words.iter().any(|word| word == "the") && !words.iter().any(|word| word == "of" || word.starts_with("c1"))),
];

fn check(index: &Index, docs: &[Vec<String>], state: &str) {
    let snapshot = index.snapshot();
    for (query, holds) in CASES {
        let found = snapshot.search(&parse(query).unwrap().without_filters().unwrap()).unwrap();
        let expected: Vec<u32> = (0u32..).zip(docs).filter(|(_, words)| holds(words)).map(|(doc, _)| doc).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query} ({state})");
        let mut by_date: Vec<(i64, u32)> = found.iter().map(|doc| (date(doc), doc)).collect();
        by_date.sort_unstable_by(|a, b| b.cmp(a));
        let newest: Vec<u32> = snapshot.newest_first(&found, None).unwrap().map(|doc| doc.unwrap().1.0).collect();
        assert_eq!(newest, by_date.iter().map(|(_, doc)| *doc).collect::<Vec<_>>(), "{query} ({state})");
    }
}

fn date(doc: u32) -> i64 {
    i64::from(doc.wrapping_mul(2_654_435_761) % 5000)
}

#[test]
fn searches_equal_scans_over_many_pages() {
    let docs = documents();
    let pages = MemPages::new();
    // A memory budget that some of the documents fill, and a cache of a few pages.
    let options = Options { memory_budget: 1200 << 10, pages: archive_index::SharedPages::new(300 << 10) };
    let index = Index::open(Arc::new(pages.clone()), options.clone()).unwrap();
    for (number, words) in (0u32..).zip(&docs) {
        let text = words.join(" ");
        let value = Value { field: Field::Body, kind: ValueKind::Text, text: &text };
        index.add(DocNo(number), &[value], &[], &Columns { date: date(number), ..Columns::default() }, &SortKeys::default()).unwrap();
    }
    check(&index, &docs, "spilled");
    index.flush(b"").unwrap();
    assert!(index.files().len() > 1);
    check(&index, &docs, "flushed");
    index.merge_all().unwrap();
    assert_eq!(index.files(), pages.files(), "nothing is left behind");
    check(&Index::open(Arc::new(pages), options).unwrap(), &docs, "merged");
}
