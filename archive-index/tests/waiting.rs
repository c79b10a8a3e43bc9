//! Nothing waits for a flush or a merge: each is paused between pages while documents are added and searched.

use archive_index::{
    BetweenPages, Columns, DocNo, Field, FileId, Index, IndexError, MemPages, Options, PageError, PageReader, PageRef, PageStore,
    PageWriter, SortKeys, Value, ValueKind, parse,
};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Pages whose next `finish` says that it was reached, and waits until it is released.
#[derive(Clone)]
struct Held {
    pages: MemPages,
    next: Arc<Mutex<Option<Gate>>>,
}

type Gate = (Sender<()>, Receiver<()>);

impl Held {
    fn new() -> Self {
        Self { pages: MemPages::new(), next: Arc::default() }
    }

    /// Pauses the next file. The first channel reports that it was reached, the second releases it.
    fn hold(&self) -> (Receiver<()>, Sender<()>) {
        let ((reached, is_reached), (release, released)) = (channel(), channel());
        *self.next.lock().unwrap() = Some((reached, released));
        (is_reached, release)
    }
}

impl PageStore for Held {
    fn create(&self, file: FileId) -> Result<Box<dyn PageWriter>, PageError> {
        let gate = self.next.lock().unwrap().take();
        Ok(Box::new(HeldWriter { pages: self.pages.create(file)?, gate }))
    }

    fn highest(&self) -> Result<FileId, PageError> {
        self.pages.highest()
    }

    fn open(&self, file: FileId) -> Result<Arc<dyn PageReader>, PageError> {
        self.pages.open(file)
    }

    fn remove(&self, file: FileId) -> Result<(), PageError> {
        self.pages.remove(file)
    }

    fn load_manifest(&self) -> Result<Option<Vec<u8>>, PageError> {
        self.pages.load_manifest()
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), PageError> {
        self.pages.replace_manifest(bytes)
    }
}

struct HeldWriter {
    pages: Box<dyn PageWriter>,
    gate: Option<Gate>,
}

impl PageWriter for HeldWriter {
    fn append(&mut self, page: &[u8]) -> Result<PageRef, PageError> {
        if let Some((reached, released)) = self.gate.take() {
            reached.send(()).unwrap();
            released.recv().unwrap();
        }
        self.pages.append(page)
    }

    fn finish(self: Box<Self>) -> Result<(), PageError> {
        self.pages.finish()
    }
}

fn add(index: &Index, no: u32) {
    let text = format!("common word{no}");
    index
        .add(DocNo(no), &[Value { field: Field::Body, kind: ValueKind::Text, text: &text }], &[], &Columns::default(), &SortKeys::default())
        .unwrap();
}

fn total(index: &Index, query: &str) -> u64 {
    index.snapshot().search(&parse(query).unwrap().without_filters().unwrap()).unwrap().len()
}

/// An index of eight segments, which are due to be merged.
fn eight(pages: &Held) -> Index {
    let index = Index::open(Arc::new(pages.clone()), Options::default()).unwrap();
    for no in 0..8 {
        add(&index, no);
        index.write(&Vec::new).unwrap();
    }
    index
}

fn unhurried() -> BetweenPages {
    Arc::new(|| true)
}

#[test]
fn s4_7_documents_are_added_and_found_while_a_flush_is_held() {
    let pages = Held::new();
    let index = eight(&pages);
    add(&index, 8);
    let (reached, release) = pages.hold();
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| index.write(&|| b"nine".to_vec()));
        reached.recv().unwrap();
        add(&index, 9);
        assert_eq!((total(&index, "common"), total(&index, "word8"), total(&index, "word9")), (10, 1, 1));
        assert_eq!((index.watermark(), index.next()), (DocNo(8), DocNo(10)));
        release.send(()).unwrap();
        flush.join().unwrap().unwrap();
    });
    assert_eq!((index.watermark(), index.basis(), total(&index, "common")), (DocNo(9), b"nine".to_vec(), 10));
    let reopened = Index::open(Arc::new(pages), Options::default()).unwrap();
    assert_eq!((reopened.next(), total(&reopened, "common")), (DocNo(9), 9));
}

#[test]
fn s4_7_documents_are_added_flushed_and_found_while_a_merge_is_held() {
    let pages = Held::new();
    let index = eight(&pages);
    let (reached, release) = pages.hold();
    std::thread::scope(|scope| {
        let merge = scope.spawn(|| index.merge_some(u32::MAX, &unhurried()));
        reached.recv().unwrap();
        add(&index, 8);
        index.write(&|| b"nine".to_vec()).unwrap();
        add(&index, 9);
        assert_eq!((total(&index, "common"), index.watermark(), index.segments()), (10, DocNo(9), 9));
        release.send(()).unwrap();
        assert!(merge.join().unwrap().unwrap());
    });
    assert_eq!((total(&index, "common"), index.watermark(), index.segments()), (10, DocNo(9), 2));
    let reopened = Index::open(Arc::new(pages), Options::default()).unwrap();
    assert_eq!((reopened.next(), total(&reopened, "common")), (DocNo(9), 9));
}

#[test]
fn a_merge_that_is_stopped_leaves_everything_as_it_was() {
    let pages = Held::new();
    let index = eight(&pages);
    let before = pages.pages.files();
    for page in 0..4 {
        let left = Mutex::new(page);
        let between: BetweenPages = Arc::new(move || {
            let mut left = left.lock().unwrap();
            *left -= 1;
            *left >= 0
        });
        assert!(matches!(index.merge_some(u32::MAX, &between), Err(IndexError::Stopped)), "after {page} pages");
        assert_eq!((pages.pages.files(), index.segments(), total(&index, "common")), (before.clone(), 8, 8));
    }
    assert!(!index.merge_some(7, &unhurried()).unwrap(), "eight documents are more than seven");
    assert!(index.merge_some(8, &unhurried()).unwrap() && !index.merge_some(8, &unhurried()).unwrap());
    assert_eq!((pages.pages.files().len(), total(&index, "common")), (1, 8));
}
