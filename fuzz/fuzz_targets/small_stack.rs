//! No reader recurses in proportion to its input: highly repetitive mails, HTML and queries, in a thread with a stack
//! of 128 KiB.
//!
//! An input is a kind, a number of repetitions (16 bits), and a text in three pieces separated by 0xFF: what comes
//! before, what is repeated, and what comes after.
#![no_main]

use std::sync::{Arc, OnceLock};
use std::thread;

use archive_core::mail::text::extract;
use archive_core::mail::{examine, join::join, view};
use archive_index::{Columns, DocNo, Field, Index, Leaf, MemPages, Options, Snapshot, SortKeys, Value, ValueKind, parse, parse_reduced};

const STACK: usize = 128 << 10;
const MOST: usize = 1 << 20;

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let index = Index::open(Arc::new(MemPages::new()), Options::default()).expect("an index");
        let values = [Value { field: Field::Body, kind: ValueKind::Text, text: "alpha beta größe" }];
        index.add(DocNo(0), &values, &[], &Columns::default(), &SortKeys::default()).expect("added");
        index.flush(b"").expect("flushed");
        index.snapshot()
    })
}

fn mail(raw: &[u8]) {
    let examined = examine(raw);
    assert!(join(&examined.split).ok().as_deref() == Some(raw), "what was split does not join");
    drop(extract(raw, &[]));
    drop(view(raw, &[]));
}

fn query(text: &str) {
    let _ = parse_reduced(text);
    let Ok(query) = parse(text) else { return };
    let bound = query.bind(|_| Ok::<_, std::convert::Infallible>(Leaf::Docs((0..1).collect()))).expect("every filter is bound");
    snapshot().search(&bound).expect("an answer");
    drop((query.to_string(), query.clauses(), query.clone()));
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [kind, low, high, text @ ..] = bytes else { return };
    let mut pieces = text.splitn(3, |byte| *byte == 0xff);
    let mut piece = || pieces.next().unwrap_or_default();
    let (before, again, after) = (piece(), piece(), piece());
    let times = usize::from(u16::from_le_bytes([*low, *high])).min(MOST / again.len().max(1));
    let text = [before, &again.repeat(times), after].concat();
    let work: Box<dyn FnOnce() + Send> = match kind % 4 {
        0 => Box::new(move || mail(&text)),
        1 => Box::new(move || mail(&[b"Content-Type: text/html; charset=utf-8\n\n", &*text].concat())),
        2 => Box::new(move || mail(&[b"From: ", &*text, b"\n\n"].concat())),
        _ => Box::new(move || query(&String::from_utf8_lossy(&text))),
    };
    snapshot();
    thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread").join().expect("no panic");
});
