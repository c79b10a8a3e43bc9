//! Damage that gets past the seal should not happen. If it does, a broken page is an error that names the segment,
//! never a panic or a wrong answer.

use archive_index::{
    Columns, DocNo, Field, FileId, Index, IndexError, MemPages, Options, PageError, PageErrorKind, PageRef, PageStore, SortKeys, Value,
    ValueKind, parse,
};
use std::sync::Arc;

const QUERIES: [&str; 8] = ["alpha", "al*", "*ta", "*et*", "\"alpha beta\"", "to:x@example.org", "-alpha", "*"];

fn build() -> MemPages {
    let pages = MemPages::new();
    let index = open(&pages).unwrap();
    for number in 0..300u32 {
        let text = format!("alpha beta w{number} größe {}", "gamma ".repeat(number as usize % 7));
        let values = [
            Value { field: Field::Body, kind: ValueKind::Text, text: &text },
            Value { field: Field::To, kind: ValueKind::Address, text: "x@example.org" },
        ];
        index
            .add(DocNo(number), &values, &[], &Columns { date: i64::from(number % 11), ..Columns::default() }, &SortKeys::default())
            .unwrap();
    }
    index.flush(b"basis").unwrap();
    pages
}

fn open(pages: &MemPages) -> Result<Index, IndexError> {
    Index::open(Arc::new(pages.clone()), Options::default())
}

/// What all queries find, newest first; none where an error says that something is damaged.
fn answers(index: &Index) -> Option<Vec<Vec<u32>>> {
    let snapshot = index.snapshot();
    if !snapshot.lost().is_empty() {
        return None;
    }
    let answer = |query: &str| -> Result<Vec<u32>, IndexError> {
        let docs = snapshot.search(&parse(query).unwrap().without_filters().unwrap())?;
        snapshot.newest_first(&docs, None)?.map(|doc| doc.map(|(_, doc)| doc.0)).collect()
    };
    let all: Result<Vec<_>, _> = QUERIES.iter().map(|query| answer(query)).collect();
    match all {
        Ok(all) => Some(all),
        Err(IndexError::Damaged(damage)) => {
            assert_eq!((damage.docs.start, damage.docs.end), (DocNo(0), DocNo(300)));
            None
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_byte_turned_over_gives_an_error_or_the_same_answer() {
    let pages = build();
    let sound = answers(&open(&pages).unwrap()).unwrap();
    let file = pages.files()[0];
    for (page, length) in pages.page_lengths(file).into_iter().enumerate() {
        // Every byte of headers and short pages, and a sample of the bytes of long pages.
        for byte in (0..length).filter(|byte| *byte < 32 || length < 400 || byte % 37 == 0) {
            let damaged = pages.deep_clone();
            assert!(damaged.damage(file, page, byte, 1 << (byte % 8)));
            if let Some(found) = answers(&open(&damaged).unwrap()) {
                assert_eq!(found, sound, "page {page}, byte {byte}");
            }
        }
    }
}

#[test]
fn a_lost_segment_is_named_and_the_others_are_searched() {
    let pages = build();
    let index = open(&pages).unwrap();
    let value = Value { field: Field::Body, kind: ValueKind::Text, text: "alpha" };
    index.add(DocNo(500), &[value], &[], &Columns::default(), &SortKeys::default()).unwrap();
    index.flush(b"basis").unwrap();
    let first = pages.files()[0];
    pages.remove(first).unwrap();
    for _ in 0..2 {
        let index = open(&pages).unwrap();
        let snapshot = index.snapshot();
        assert_eq!(snapshot.lost().len(), 1);
        assert_eq!(snapshot.lost()[0].docs.end, DocNo(300));
        assert_eq!(snapshot.search(&parse("alpha").unwrap().without_filters().unwrap()).unwrap().iter().collect::<Vec<_>>(), [500]);
        // It is still reported when more is flushed.
        let next = index.watermark();
        index.add(next, &[], &[], &Columns::default(), &SortKeys::default()).unwrap();
        index.flush(b"basis").unwrap();
    }
}

#[test]
fn a_broken_manifest_is_an_error() {
    let pages = build();
    let manifest = pages.load_manifest().unwrap().unwrap();
    for at in 0..manifest.len() {
        let damaged = pages.deep_clone();
        let mut bytes = manifest.clone();
        bytes[at] ^= 1 << (at % 8);
        damaged.replace_manifest(&bytes).unwrap();
        let _ = open(&damaged).map(|index| answers(&index));
        damaged.replace_manifest(&manifest[..at]).unwrap();
        assert!(open(&damaged).is_err());
    }
}

/// Pages that cannot be written.
struct Full(MemPages);

impl PageStore for Full {
    fn create(&self, _file: FileId) -> Result<Box<dyn archive_index::PageWriter>, PageError> {
        Err(PageError::new(PageErrorKind::Io, "no room"))
    }
    fn highest(&self) -> Result<FileId, PageError> {
        self.0.highest()
    }
    fn open(&self, file: FileId) -> Result<Arc<dyn archive_index::PageReader>, PageError> {
        self.0.open(file)
    }
    fn remove(&self, file: FileId) -> Result<(), PageError> {
        self.0.remove(file)
    }
    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        self.0.load_manifest()
    }
    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        self.0.replace_manifest(bytes)
    }
}

#[test]
fn a_flush_that_fails_changes_nothing_and_what_was_added_stays_searchable() {
    let pages = build();
    let index = Index::open(Arc::new(Full(pages.clone())), Options::default()).unwrap();
    let value = Value { field: Field::Body, kind: ValueKind::Text, text: "omega" };
    index.add(DocNo(400), &[value], &[], &Columns::default(), &SortKeys::default()).unwrap();
    assert!(matches!(index.flush(b"later"), Err(IndexError::Pages(_))));
    assert_eq!((index.watermark(), index.basis()), (DocNo(300), b"basis".to_vec()));
    let found = index.snapshot().search(&parse("omega").unwrap().without_filters().unwrap()).unwrap();
    assert_eq!(found.iter().collect::<Vec<_>>(), [400]);
    assert_eq!(open(&pages).unwrap().watermark(), DocNo(300));
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

#[test]
fn a_directory_with_more_sort_keys_than_documents_is_damaged() {
    const DIRECTORY: u8 = 7;
    let pages = MemPages::new();
    let index = open(&pages).unwrap();
    index.add(DocNo(0), &[], &[], &Columns::default(), &SortKeys::default()).unwrap();
    index.flush(b"basis").unwrap();
    drop(index);
    let file = pages.files()[0];
    let reader = pages.open(file).unwrap();
    let mut all: Vec<Vec<u8>> = (0..=reader.last().unwrap().0).map(|at| reader.read(PageRef(at)).unwrap()).collect();
    let directory = all.iter_mut().find(|page| page[0] == DIRECTORY).unwrap();
    let length = u32::from_le_bytes(directory[4..8].try_into().unwrap()) as usize;
    let mut plain = if directory[2] == 1 { directory[12..].to_vec() } else { zstd::bulk::decompress(&directory[12..], length).unwrap() };
    // Each of the four sort keys has one page of one key, and one page of ranks.
    let keys = plain.len() - 4 * 6 + 1;
    assert_eq!((plain[keys - 1], plain[keys], plain[keys + 1], plain[keys + 3]), (1, 1, 1, 1));
    plain.splice(keys..=keys, [0xff, 0xff, 0xff, 0xff, 0x0f]);
    *directory = page(DIRECTORY, &plain);
    pages.remove(file).unwrap();
    let mut writer = pages.create(file).unwrap();
    for page in all {
        writer.append(&page).unwrap();
    }
    writer.finish().unwrap();
    let index = open(&pages).unwrap();
    assert_eq!(index.snapshot().lost()[0].what, "number of sort keys");
}
