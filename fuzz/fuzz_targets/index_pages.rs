//! Pages of a segment with any bytes in them and good checksums: answers or errors, no panic.
#![no_main]

use std::sync::{Arc, OnceLock};

use archive_index::{Columns, DocNo, Field, FileId, Index, MemPages, Options, PageError, PageReader, PageRef, PageStore, PageWriter, Position, SortKey, SortKeys, Value, ValueKind, parse};

const QUERIES: [&str; 10] = ["alpha", "al*", "*ta", "*et*", "\"alpha beta\"", "to:x@example.org", "-alpha", "alpho~", "bet~2", "*"];

/// Pages of a sound index: kind, and the plain bytes.
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
        for number in 0..120u32 {
            let text = format!("alpha beta w{number} größe {}", "gamma ".repeat(number as usize % 7));
            let values = [
                Value { field: Field::Body, kind: ValueKind::Text, text: &text },
                Value { field: Field::To, kind: ValueKind::Address, text: "x@example.org" },
            ];
            let sort = SortKeys { subject: &text, address: ["", "a@example.org"][number as usize % 2], ..SortKeys::default() };
            index.add(DocNo(number), &values, &[], &Columns { date: i64::from(number % 11), ..Columns::default() }, &sort).expect("added");
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

struct Changed {
    pages: Arc<Vec<Vec<u8>>>,
    store: MemPages,
}

impl PageStore for Changed {
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        self.store.create(file)
    }
    fn highest(&self) -> Result<FileId, PageError> {
        self.store.highest()
    }
    fn open(&self, _: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        Ok(Arc::new(Reading(Arc::clone(&self.pages))))
    }
    fn remove(&self, _: FileId) -> Result<(), PageError> {
        Ok(())
    }
    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        self.store.load_manifest()
    }
    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        self.store.replace_manifest(bytes)
    }
}

struct Reading(Arc<Vec<Vec<u8>>>);

impl PageReader for Reading {
    fn read(&self, page: PageRef) -> Result<Vec<u8>, PageError> {
        let found = usize::try_from(page.0).ok().and_then(|at| self.0.get(at));
        found.cloned().ok_or_else(|| PageError::new(archive_index::PageErrorKind::Missing, "no such page"))
    }
    fn last(&self) -> Result<PageRef, PageError> {
        Ok(PageRef(self.0.len() as u64 - 1))
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [which, edits @ ..] = bytes else { return };
    let sound = sound();
    let mut pages: Vec<(u8, Vec<u8>)> = sound.pages.clone();
    let at = usize::from(which & 0x7f) % pages.len();
    let plain = &mut pages[at].1;
    if which & 0x80 != 0 {
        *plain = edits.to_vec();
    } else {
        for edit in edits.chunks_exact(3) {
            let place = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
            if let Some(byte) = plain.get_mut(place) {
                *byte = edit[2];
            } else if !plain.is_empty() {
                let length = place % plain.len();
                plain.truncate(length);
            }
        }
    }
    let pages = pages.iter().map(|(kind, plain)| page(*kind, plain)).collect();
    let store = Changed { pages: Arc::new(pages), store: sound.store.deep_clone() };
    assert_eq!(sound.file, sound.store.files()[0]);
    let Ok(index) = Index::open(Arc::new(store), Options::default()) else { return };
    let snapshot = index.snapshot();
    for query in QUERIES {
        if let Ok(docs) = snapshot.search(&parse(query).expect("a query").without_filters().expect("no filter"))
            && let Ok(newest) = snapshot.newest_first(&docs, None)
        {
            newest.take(200).for_each(drop);
        }
    }
    if let Ok(docs) = snapshot.all() {
        for (key, reverse) in [(SortKey::Subject, false), (SortKey::Address, true)] {
            let first = snapshot.first_by(key, &docs, reverse, None, 7).unwrap_or_default();
            let after = first.last().map(|last| Position { text: &last.text, date: last.date, doc: last.doc.0.into() });
            let _next = snapshot.first_by(key, &docs, reverse, after, 7);
            let _counts = snapshot.counts(key, &docs);
        }
    }
});
