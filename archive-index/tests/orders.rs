//! Orders and counts by a sort key against sorting and counting in memory, in every state of the index.

use archive_index::{Columns, DocNo, Index, MemPages, Options, Position, RoaringBitmap, SortKey, SortKeys, SortPlace};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A text of each of the four keys, a date, and whether the document is marked dead.
#[derive(Clone, Debug)]
struct Doc {
    texts: [String; 4],
    date: i64,
    dead: bool,
}

const KEYS: [SortKey; 4] = [SortKey::Subject, SortKey::Sender, SortKey::Recipient, SortKey::Address];

fn doc() -> impl Strategy<Value = Doc> {
    // Few and short, so that many are equal; now and then one of more than a page.
    let text = prop_oneof![9 => "[ab]{0,3}", 1 => "[a-z]{30}".prop_map(|part| part.repeat(40)), 1 => "\\PC{0,8}"];
    let texts = (text.clone(), text.clone(), text.clone(), text).prop_map(|(a, b, c, d)| [a, b, c, d]);
    (texts, prop::sample::select(&[i64::MIN, -3, 0, 1, 2, i64::MAX][..]), prop::bool::weighted(0.2)).prop_map(|(texts, date, dead)| Doc {
        texts,
        date,
        dead,
    })
}

fn add(index: &Index, number: u32, doc: &Doc) {
    let [subject, sender, recipient, address] = &doc.texts;
    let sort = SortKeys { subject, sender, recipient, address };
    index.add(DocNo(number), &[], &[], &Columns { date: doc.date, ..Columns::default() }, &sort).unwrap();
}

/// The places of the documents in an order, as the rule has it.
fn sorted(docs: &BTreeMap<u32, Doc>, key: usize, reverse: bool) -> Vec<SortPlace> {
    let mut places: Vec<SortPlace> =
        docs.iter().map(|(number, doc)| SortPlace { text: doc.texts[key].clone(), date: doc.date, doc: DocNo(*number) }).collect();
    places.sort_by(|a, b| {
        let newest = b.date.cmp(&a.date).then(b.doc.cmp(&a.doc));
        let order = a.text.as_bytes().cmp(b.text.as_bytes()).then(newest);
        if reverse { order.reverse() } else { order }
    });
    places
}

fn check(index: &Index, docs: &BTreeMap<u32, Doc>, wanted: &RoaringBitmap, most: usize) -> Result<(), TestCaseError> {
    let snapshot = index.snapshot();
    let live: BTreeMap<u32, Doc> =
        docs.iter().filter(|(number, doc)| !doc.dead && wanted.contains(**number)).map(|(number, doc)| (*number, doc.clone())).collect();
    let wanted: RoaringBitmap = live.keys().copied().collect();
    for (at, key) in KEYS.into_iter().enumerate() {
        for reverse in [false, true] {
            let expected = sorted(&live, at, reverse);
            // Page by page, each after the place at which the one before ended.
            let mut read: Vec<SortPlace> = Vec::new();
            loop {
                let after =
                    read.last().map(|last| Position { text: &last.text, date: last.date, doc: u64::from(last.doc.0) + u64::from(reverse) });
                let page = snapshot.first_by(key, &wanted, reverse, after, most).unwrap();
                prop_assert!(page.len() <= most);
                if page.is_empty() {
                    break;
                }
                read.extend(page);
            }
            prop_assert_eq!(&read, &expected, "{:?} {}", key, reverse);
            // A position that includes all documents of a text and date.
            for place in expected.iter().take(3) {
                let all = Position { text: &place.text, date: place.date, doc: if reverse { 0 } else { u64::MAX } };
                let found = snapshot.first_by(key, &wanted, reverse, Some(all), 1).unwrap();
                let first = expected.iter().find(|other| (&other.text, other.date) == (&place.text, place.date));
                prop_assert_eq!(found.first(), first);
            }
        }
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        live.values().for_each(|doc| *counts.entry(doc.texts[at].clone()).or_default() += 1);
        prop_assert_eq!(snapshot.counts(key, &wanted).unwrap(), counts);
    }
    let mut rows = Vec::new();
    snapshot.each_columns(&wanted, &mut |doc, columns| rows.push((doc.0, columns.date))).unwrap();
    prop_assert_eq!(rows, live.iter().map(|(number, doc)| (*number, doc.date)).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn orders_and_counts_equal_a_scan_in_every_state(
        docs in prop::collection::vec((doc(), 1..40u32, 0..6u8), 1..60),
        wanted in prop::collection::vec(any::<bool>(), 60),
        most in 1..7usize,
        small_budget: bool,
    ) {
        let pages = MemPages::new();
        let options = Options { memory_budget: if small_budget { 30 << 10 } else { 1 << 20 }, pages: archive_index::SharedPages::new(4 << 10) };
        let index = Index::open(Arc::new(pages.clone()), options.clone()).unwrap();
        let (mut all, mut next) = (BTreeMap::new(), 0);
        for (doc, gap, event) in docs {
            next += gap;
            add(&index, next, &doc);
            all.insert(next, doc);
            if event < 2 {
                index.flush(b"").unwrap();
            }
        }
        let wanted: RoaringBitmap = all.keys().zip(wanted).filter(|(_, wanted)| *wanted).map(|(number, _)| *number).collect();
        let alive: BTreeMap<u32, Doc> = all.iter().map(|(number, doc)| (*number, Doc { dead: false, ..doc.clone() })).collect();
        check(&index, &alive, &wanted, most)?;
        index.flush(b"").unwrap();
        check(&index, &alive, &wanted, most)?;
        let dead: RoaringBitmap = all.iter().filter(|(_, doc)| doc.dead).map(|(number, _)| *number).collect();
        index.tell_dead(&dead).unwrap();
        check(&index, &all, &wanted, most)?;
        index.merge_all().unwrap();
        check(&index, &all, &wanted, most)?;
        check(&Index::open(Arc::new(pages), options).unwrap(), &all, &wanted, most)?;
    }
}

#[test]
fn pages_of_many_keys_are_read_from_any_place() {
    let pages = MemPages::new();
    let index = Index::open(Arc::new(pages.clone()), Options::default()).unwrap();
    let text = |number: u32| format!("{:08}", u64::from(number) * 7919 % 20_011);
    for number in 0..20_000u32 {
        let (subject, address) = (text(number), text(number % 3));
        let sort = SortKeys { subject: &subject, address: &address, ..SortKeys::default() };
        index.add(DocNo(number), &[], &[], &Columns::default(), &sort).unwrap();
        if number == 12_345 {
            index.flush(b"").unwrap();
        }
    }
    index.flush(b"").unwrap();
    let check = |index: &Index| {
        let snapshot = index.snapshot();
        let docs = snapshot.all().unwrap();
        let expected: BTreeSet<String> = (0..20_000).map(text).collect();
        for from in ["", "00000000", "00007000", "00007000x", "00020000", "9"] {
            let after = Position { text: from, date: i64::MIN, doc: 0 };
            let found = snapshot.first_by(SortKey::Subject, &docs, false, Some(after), 100).unwrap();
            let found: Vec<String> = found.into_iter().map(|place| place.text).collect();
            let expected: Vec<String> = expected.iter().filter(|text| text.as_str() > from).take(100).cloned().collect();
            assert_eq!(found, expected, "after {from}");
        }
        assert_eq!(snapshot.counts(SortKey::Address, &docs).unwrap().values().copied().collect::<Vec<_>>(), [6667, 6667, 6666]);
    };
    check(&index);
    index.merge_all().unwrap();
    check(&index);
    check(&Index::open(Arc::new(pages), Options::default()).unwrap());
}

#[test]
fn a_very_long_key_counts_by_its_beginning() {
    let index = Index::open(Arc::new(MemPages::new()), Options::default()).unwrap();
    let long = "é".repeat(2000);
    for (number, end) in [(0, "a"), (1, "b")] {
        let subject = format!("{long}{end}");
        index.add(DocNo(number), &[], &[], &Columns::default(), &SortKeys { subject: &subject, ..SortKeys::default() }).unwrap();
    }
    index.flush(b"").unwrap();
    let snapshot = index.snapshot();
    let counts = snapshot.counts(SortKey::Subject, &snapshot.all().unwrap()).unwrap();
    assert_eq!(counts.into_iter().map(|(text, docs)| (long.starts_with(&text), text.len(), docs)).collect::<Vec<_>>(), [(true, 2052, 2)]);
}
