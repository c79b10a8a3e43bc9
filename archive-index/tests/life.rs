//! What happens to documents after they were indexed: marked dead, purged, given up, mended, rebuilt.

use archive_index::{
    Bound, Columns, DocNo, DocRange, Field, FileId, Index, IndexError, MemPages, Options, PageRef, PageStore, SegmentDamage, SortKeys,
    Value, ValueKind, parse,
};
use proptest::prelude::*;
use std::sync::Arc;

fn bound(query: &str) -> Bound {
    parse(query).unwrap().without_filters().unwrap()
}

fn found(index: &Index, query: &str) -> Vec<u32> {
    index.snapshot().search(&bound(query)).unwrap().iter().collect()
}

/// A word that only this document has, and that nothing else contains by chance.
fn secret(number: u32) -> String {
    let mixed = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    format!("{:016x}", (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb))
}

fn text(number: u32) -> String {
    format!("common word{number} w{} {}@example.org größe {}", number % 7, secret(number), "more ".repeat(number as usize % 5))
}

fn add(index: &Index, number: u32) {
    add_as(index, number, number);
}

/// Document `number`, under the number `doc`.
fn add_as(index: &Index, number: u32, doc: u32) {
    let text = text(number);
    let address = format!("only{number}@example.org");
    let values = [
        Value { field: Field::Body, kind: ValueKind::Text, text: &text },
        Value { field: Field::From, kind: ValueKind::Address, text: &address },
    ];
    let sort = SortKeys { subject: &text, sender: &address, recipient: "all", address: &address };
    index.add(DocNo(doc), &values, &[], &Columns { date: i64::from(number % 11), ..Columns::default() }, &sort).unwrap();
}

fn open(pages: &MemPages) -> Index {
    Index::open(Arc::new(pages.clone()), Options::default()).unwrap()
}

const QUERIES: [&str; 8] = ["common", "word1*", "*1", "\"common word3\"", "w3 -word10", "-only12@example.org", "*9e*", "*ord1*"];

/// Everything that the pages of an index say, decompressed.
fn plain(pages: &MemPages, index: &Index) -> Vec<u8> {
    let mut all = Vec::new();
    for file in index.files() {
        let reader = pages.open(file).unwrap();
        for at in 0..pages.page_lengths(file).len() {
            let page = reader.read(PageRef(at as u64)).unwrap();
            match page[2] {
                1 => all.extend_from_slice(&page[12..]),
                _ => all.extend(zstd::decode_all(&page[12..]).unwrap()),
            }
            all.push(0xff);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    /// Dead documents disappear from every answer at once. After a merge or a purge, answers are the same, and no page
    /// has a word of them.
    #[test]
    fn dead_documents_never_show_and_leave_no_word(dead in prop::collection::btree_set(0u32..60, 0..60), flushes in prop::collection::btree_set(0u32..60, 0..5), merge: bool) {
        let pages = MemPages::new();
        let index = open(&pages);
        for number in 0..60 {
            add(&index, number);
            if flushes.contains(&number) {
                index.flush(b"").unwrap();
            }
        }
        let whole: Vec<Vec<u32>> = QUERIES.iter().map(|query| found(&index, query)).collect();
        let check = |index: &Index, when: &str| {
            for (query, whole) in QUERIES.iter().zip(&whole) {
                let expected: Vec<u32> = whole.iter().copied().filter(|doc| !dead.contains(doc)).collect();
                assert_eq!(found(index, query), expected, "{query} {when}");
            }
            let all = index.snapshot().all().unwrap();
            let newest = index.snapshot().newest_first(&all, None).unwrap().count();
            assert_eq!((all.len(), newest), (60 - dead.len() as u64, 60 - dead.len()), "{when}");
        };
        index.tell_dead(&dead.iter().copied().collect()).unwrap();
        check(&index, "told");
        index.flush(b"").unwrap();
        check(&index, "flushed");
        check(&open(&pages), "reopened");
        if merge {
            index.merge_all().unwrap();
            check(&index, "merged");
        }
        index.purge(&(std::sync::Arc::new(|| true) as archive_index::BetweenPages)).unwrap();
        check(&index, "purged");
        let reopened = open(&pages);
        check(&reopened, "reopened after the purge");
        let plain = plain(&pages, &reopened);
        for number in &dead {
            // A page may have only the bytes of a word that the word does not share with its neighbour.
            let word = &secret(*number)[4..];
            let backward: Vec<u8> = word.bytes().rev().collect();
            assert!(memchr::memmem::find(&plain, word.as_bytes()).is_none(), "{word}");
            assert!(memchr::memmem::find(&plain, &backward[4..]).is_none(), "{word} backward");
        }
    }
}

#[test]
fn an_index_built_again_takes_the_place_of_the_old_one_while_searches_go_on() {
    let pages = MemPages::new();
    let index = open(&pages);
    (0..50).for_each(|number| add(&index, number));
    index.flush(b"old").unwrap();
    add(&index, 50);
    let before: Vec<Vec<u32>> = QUERIES.iter().map(|query| found(&index, query)).collect();
    let early = index.snapshot();
    let built = index.detached(DocNo(0));
    (0..50).for_each(|number| add(&built, number));
    assert!(matches!(index.replace(&built, DocNo(0), b"new"), Err(IndexError::Order { .. })), "what came meanwhile must be in it");
    add(&built, 50);
    index.replace(&built, DocNo(0), b"new").unwrap();
    for (query, before) in QUERIES.iter().zip(&before) {
        assert_eq!(&found(&index, query), before, "{query}");
        assert_eq!(&early.search(&bound(query)).unwrap().iter().collect::<Vec<_>>(), before, "{query}, asked of the old one");
    }
    assert_eq!((index.watermark(), index.basis()), (DocNo(51), b"new".to_vec()));
    drop(early);
    assert_eq!(pages.files(), index.files(), "files of the old one are gone");
    add(&index, 51);
    assert_eq!(found(&open(&pages), "common").len(), 51);
}

#[test]
fn p11_a_damaged_segment_is_given_up_and_mended_alone() {
    let pages = MemPages::new();
    let index = open(&pages);
    for number in 0..30 {
        add(&index, number);
        if number % 10 == 9 {
            index.flush(b"").unwrap();
        }
    }
    let whole = found(&index, "common");
    let middle = index.files()[1];
    for page in 0..pages.page_lengths(middle).len() - 2 {
        assert!(pages.damage(middle, page, 12, 0xff));
    }
    let index = open(&pages);
    let Err(IndexError::Damaged(damage)) = index.snapshot().search(&bound("common")) else { panic!("the damage was not seen") };
    assert_eq!(damage.file, middle);
    index.give_up(&damage);
    let snapshot = index.snapshot();
    assert_eq!(snapshot.lost().len(), 1);
    assert_eq!(found(&index, "common"), [(0..10).collect::<Vec<_>>(), (20..30).collect()].concat());
    let built = index.detached(damage.docs.start);
    (10..20).for_each(|number| add(&built, number));
    index.mend(damage.docs, &built).unwrap();
    assert!(index.snapshot().lost().is_empty());
    assert_eq!(found(&index, "common"), whole);
    assert_eq!(found(&open(&pages), "common"), whole);
}

/// Pages are cached by the number of their file.
#[test]
fn p8_numbers_of_files_never_go_back() {
    let pages = MemPages::new();
    let index = open(&pages);
    add(&index, 0);
    index.flush(b"").unwrap();
    assert_eq!(found(&index, "common"), [0], "its pages are in the cache");
    let file = index.files()[0];
    let docs = index.snapshot().all().unwrap();
    index.give_up(&SegmentDamage { file, page: None, what: "seal", docs: DocRange { start: DocNo(0), end: DocNo(1) } });
    assert!(pages.files().is_empty() && docs.contains(0), "the file went");
    // An index that is rebuilt while documents are added takes its file numbers from the same counter.
    let built = index.detached(DocNo(0));
    add_as(&built, 7, 0);
    add(&index, 1);
    index.flush(b"").unwrap();
    add(&built, 1);
    index.replace(&built, DocNo(0), b"").unwrap();
    assert_eq!((found(&index, "word7"), found(&index, "word0"), found(&index, "common")), (vec![0], vec![], vec![0, 1]));
    let highest = pages.files().into_iter().max().unwrap();
    assert!(pages.files().iter().all(|new| *new > file) && highest.0 == 3);
    // Numbers are not reused either if the file with the highest number was removed before the index was opened again,
    // or if a crash left one.
    index.give_up(&SegmentDamage { file: highest, page: None, what: "seal", docs: DocRange { start: DocNo(0), end: DocNo(2) } });
    drop((index, built));
    let index = open(&pages);
    add(&index, 2);
    index.flush(b"").unwrap();
    assert_eq!(pages.files(), [FileId(4)]);
    pages.create(FileId(9)).unwrap().finish().unwrap();
    let index = open(&pages);
    add(&index, 3);
    index.flush(b"").unwrap();
    assert_eq!(pages.files(), [FileId(4), FileId(9), FileId(10)]);
}

/// Numbers so far apart that the segments are shared out among the processors.
#[test]
fn s4_8_a_large_index_answers_like_a_small_one() {
    let (far, near) = (open(&MemPages::new()), open(&MemPages::new()));
    for number in 0..20 {
        add_as(&far, number, number * 25_000);
        add_as(&near, number, number);
        far.flush(b"").unwrap();
    }
    for query in QUERIES {
        assert_eq!(found(&far, query), found(&near, query).into_iter().map(|doc| doc * 25_000).collect::<Vec<_>>(), "{query}");
    }
    assert_eq!(found(&far, "common").len(), 20);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(true));
    assert!(matches!(far.snapshot().until(stop).search(&bound("common")), Err(IndexError::Stopped)));
}
