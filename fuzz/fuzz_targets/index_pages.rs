//! Pages of a segment with any bytes in them and good checksums: searched, ordered, counted and merged, they give answers or errors, no panic.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use archive_index::{
    Columns, DocNo, Field, FileId, Index, Label, LabelKind, MemPages, Options, PageRef, PageStore, Position, RoaringBitmap, SortKey,
    SortKeys, Value, ValueKind, parse,
};

const QUERIES: [&str; 14] = [
    "alpha",
    "al*",
    "*ta",
    "*et*",
    "w?1",
    "\"alpha beta\"",
    "\"gamma gamma\"",
    "\"al* w*\"",
    "subject:gamma",
    "to:x@example.org",
    "-alpha",
    "alpho~",
    "bet~2",
    "*",
];

/// A sound index of two segments; of the first one, the kinds and the plain bytes of its pages.
struct Sound {
    store: MemPages,
    file: FileId,
    pages: Vec<(u8, Vec<u8>)>,
}

fn sound() -> &'static Sound {
    static SOUND: OnceLock<Sound> = OnceLock::new();
    SOUND.get_or_init(|| {
        let store = MemPages::new();
        let index = Index::open(Arc::new(store.clone()), Options::default()).expect("an index");
        // Lists of more than 128 documents have several blocks of positions.
        for number in 0..320u32 {
            let text = format!("alpha beta w{number} größe {}", "gamma ".repeat(number as usize % 7));
            let values = [
                Value { field: Field::Subject, kind: ValueKind::Text, text: &text[11..] },
                Value { field: Field::Body, kind: ValueKind::Text, text: &text },
                Value { field: Field::To, kind: ValueKind::Address, text: "x@example.org" },
            ];
            let labels = [Label { kind: LabelKind::Given, bytes: b"work".to_vec() }];
            let sort = SortKeys { subject: &text, address: ["", "a@example.org"][number as usize % 2], ..SortKeys::default() };
            let columns = Columns { date: i64::from(number % 11), ..Columns::default() };
            index.add(DocNo(number), &values, &labels, &columns, &sort).expect("added");
            if number == 299 {
                index.flush(b"basis").expect("flushed");
            }
        }
        index.flush(b"basis").expect("flushed");
        let file = store.files()[0];
        let reader = store.open(file).expect("a file");
        let pages = (0..store.page_lengths(file).len() as u64).map(|at| {
            let page = reader.read(PageRef(at)).expect("a page");
            let length = u32::from_le_bytes(page[4..8].try_into().expect("four")) as usize;
            let plain = if page[2] == 1 { page[12..].to_vec() } else { zstd::bulk::decompress(&page[12..], length).expect("plain") };
            (page[0], plain)
        });
        let pages = pages.collect();
        Sound { store, file, pages }
    })
}

/// A page as in docs/FORMAT-INDEX.md, not compressed.
fn page(kind: u8, plain: &[u8]) -> Vec<u8> {
    let mut page = vec![kind, 1, 1, 0];
    page.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&page);
    sum.update(plain);
    page.extend_from_slice(&sum.finalize().to_le_bytes());
    page.extend_from_slice(plain);
    page
}

/// The pages that differ from the sound ones. An edit is four bytes: what is done, where in the page (two bytes), and a byte.
fn changed(pages: &[(u8, Vec<u8>)], edits: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    let mut changed = BTreeMap::new();
    let mut at = 0;
    for edit in edits.chunks_exact(4) {
        let (place, byte) = (usize::from(u16::from_le_bytes([edit[1], edit[2]])), edit[3]);
        if edit[0] % 8 == 0 {
            at = place % pages.len();
            continue;
        }
        let plain = changed.entry(at).or_insert_with(|| pages[at].1.clone());
        let place = place % (plain.len() + 1);
        match edit[0] % 8 {
            1 => plain.insert(place, byte),
            2 => drop(plain.drain(place..plain.len().min(place + usize::from(byte) + 1))),
            3 => plain.truncate(place),
            4 => *plain = pages[place % pages.len()].1.clone(),
            // A long number in place of a short one.
            5 => drop(plain.splice(place..plain.len().min(place + 1), [0xff, 0xff, 0xff, 0xff, byte & 0x0f])),
            _ => plain.get_mut(place).into_iter().for_each(|old| *old = byte),
        }
    }
    changed
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [mode, rest @ ..] = bytes else { return };
    let sound = sound();
    let changed = match rest {
        // A page of any bytes.
        [at, plain @ ..] if mode & 1 == 1 => BTreeMap::from([(usize::from(*at) % sound.pages.len(), plain.to_vec())]),
        edits => changed(&sound.pages, edits),
    };
    let store = sound.store.deep_clone();
    store.remove(sound.file).expect("removed");
    let mut writer = store.create(sound.file).expect("a file");
    for (at, (kind, plain)) in sound.pages.iter().enumerate() {
        writer.append(&page(*kind, changed.get(&at).unwrap_or(plain))).expect("appended");
    }
    writer.finish().expect("finished");
    let Ok(index) = Index::open(Arc::new(store), Options::default()) else { return };
    // One use a run, so that many are tried.
    match mode >> 1 & 7 {
        share @ 0..4 => search(&index, share),
        4 => order(&index),
        5 => drop(index.merge_all()),
        6 => drop(
            index
                .tell_dead(&RoaringBitmap::from_iter([3, 150, 151]))
                .and_then(|()| index.purge(&(Arc::new(|| true) as archive_index::BetweenPages))),
        ),
        _ => drop(index.tell_dead(&RoaringBitmap::from_iter([7])).and_then(|()| index.merge_all())),
    }
});

fn search(index: &Index, share: u8) {
    let snapshot = index.snapshot();
    for query in QUERIES.iter().skip(share.into()).step_by(4) {
        if let Ok(docs) = snapshot.search(&parse(query).expect("a query").without_filters().expect("no filter"))
            && let Ok(newest) = snapshot.newest_first(&docs, None)
        {
            newest.take(400).for_each(drop);
        }
    }
}

fn order(index: &Index) {
    let snapshot = index.snapshot();
    let Ok(docs) = snapshot.all() else { return };
    for (key, reverse) in [(SortKey::Subject, false), (SortKey::Address, true)] {
        let first = snapshot.first_by(key, &docs, reverse, None, 7).unwrap_or_default();
        let after = first.last().map(|last| Position { text: &last.text, date: last.date, doc: last.doc.0.into() });
        let _next = snapshot.first_by(key, &docs, reverse, after, 7);
        let _counts = snapshot.counts(key, &docs);
    }
}
