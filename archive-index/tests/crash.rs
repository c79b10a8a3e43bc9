//! A crash at every write of a flush and of a merge: what the manifest names is whole, and with what comes again from the
//! watermark on, the index answers as one that never crashed.

use archive_index::{
    Columns, DocNo, Field, FileId, Index, IndexError, MemPages, Options, PageError, PageErrorKind, PageReader, PageRef, PageStore,
    PageWriter, Position, SortKey, SortKeys, Value, ValueKind, parse,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Pages that fail at a write, and at every one after it.
#[derive(Clone)]
struct Failing {
    pages: MemPages,
    left: Arc<AtomicU64>,
}

impl Failing {
    fn write(&self) -> Result<(), PageError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| PageError::new(PageErrorKind::Io, "the power fails"))
    }
}

struct Writer(Failing, Option<Box<dyn PageWriter>>);

impl PageWriter for Writer {
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError> {
        self.0.write()?;
        self.1.as_mut().expect("an open file").append(page)
    }
    fn finish(mut self: Box<Self>) -> Result<(), PageError> {
        self.0.write()?;
        self.1.take().expect("an open file").finish()
    }
}

impl PageStore for Failing {
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        self.write()?;
        Ok(Box::new(Writer(self.clone(), Some(self.pages.create(file)?))))
    }
    fn highest(&self) -> Result<FileId, PageError> {
        self.pages.highest()
    }
    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        self.pages.open(file)
    }
    fn remove(&self, file: FileId) -> Result<(), PageError> {
        self.write()?;
        self.pages.remove(file)
    }
    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        self.pages.load_manifest()
    }
    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        self.write()?;
        self.pages.replace_manifest(bytes)
    }
}

const DOCS: u32 = 60;

fn add(index: &Index, number: u32) -> Result<(), IndexError> {
    let text = format!("kernel patch w{number} größe{} {}", number % 7, "again ".repeat(number as usize % 5));
    let subject = ["", "anna", "berta"][number as usize % 3];
    let values = [
        Value { field: Field::Subject, kind: ValueKind::Text, text: subject },
        Value { field: Field::Body, kind: ValueKind::Text, text: &text },
    ];
    let sort = SortKeys { subject, address: "a@example.org", ..SortKeys::default() };
    index.add(DocNo(number), &values, &[], &Columns { date: i64::from(number % 11), ..Columns::default() }, &sort)
}

/// Adds what is not below the watermark, flushing now and then, and merges at the end.
fn work(index: &Index) -> Result<(), IndexError> {
    for number in index.next().0..DOCS {
        add(index, number)?;
        if number % 6 == 5 {
            index.flush(b"basis")?;
        }
    }
    index.flush(b"basis")?;
    index.merge_all()
}

fn answers(index: &Index) -> Vec<Vec<u32>> {
    let snapshot = index.snapshot();
    let mut answers = Vec::new();
    for query in ["kernel", "w1*", "*3", "\"patch w*\"", "grösse3~1", "größe3 -again", "subject:berta", "*"] {
        let docs = snapshot.search(&parse(query).unwrap().without_filters().unwrap()).unwrap();
        answers.push(snapshot.newest_first(&docs, None).unwrap().map(|dated| dated.unwrap().1.0).collect());
        for reverse in [false, true] {
            let first = snapshot.first_by(SortKey::Subject, &docs, reverse, None, 9).unwrap();
            let after = first.last().map(|last| Position::after(last, reverse));
            let next = snapshot.first_by(SortKey::Subject, &docs, reverse, after, 9).unwrap();
            answers.push(first.iter().chain(&next).map(|place| place.doc.0).collect());
        }
        answers.push(snapshot.counts(SortKey::Subject, &docs).unwrap().into_values().map(|count| count as u32).collect());
    }
    answers
}

#[test]
fn p13_a_crash_at_every_write_of_a_flush_or_a_merge_costs_no_document() {
    let open = |pages: &dyn Fn() -> Arc<dyn PageStore>| Index::open(pages(), Options::default()).unwrap();
    let whole = MemPages::new();
    let index = open(&|| Arc::new(whole.clone()));
    work(&index).unwrap();
    let expected = answers(&index);
    let mut crashes = 0;
    for write in 0.. {
        let failing = Failing { pages: MemPages::new(), left: Arc::new(AtomicU64::new(write)) };
        let index = open(&|| Arc::new(failing.clone()));
        if work(&index).is_ok() {
            assert_eq!(answers(&index), expected);
            break;
        }
        crashes += 1;
        // What a process in the middle of it still answers.
        let documents: Vec<u32> = (0..index.next().0).collect();
        let all = index.snapshot().all().unwrap();
        assert_eq!(all.iter().collect::<Vec<_>>(), documents, "write {write}, before the end of the process");
        drop(index);
        // Another process: what the manifest names is there, and the rest comes again.
        let index = open(&|| Arc::new(failing.pages.clone()));
        assert!(index.snapshot().lost().is_empty(), "write {write}");
        let documents: Vec<u32> = (0..index.watermark().0).collect();
        assert_eq!(index.snapshot().all().unwrap().iter().collect::<Vec<_>>(), documents, "write {write}, after it");
        work(&index).unwrap();
        assert_eq!(answers(&index), expected, "write {write}");
        let reopened = open(&|| Arc::new(failing.pages.clone()));
        assert_eq!(answers(&reopened), expected, "write {write}, opened again");
    }
    assert!(crashes > 200, "{crashes} writes");
}
