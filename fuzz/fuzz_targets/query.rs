//! Any text is a query or an error that points into it; a query answers.
#![no_main]

use std::sync::{Arc, OnceLock};

use archive_index::{Columns, DocNo, Field, Index, Leaf, MemPages, Options, Snapshot, SortKeys, Value, ValueKind, parse, parse_reduced};

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let index = Index::open(Arc::new(MemPages::new()), Options::default()).expect("an index");
        for number in 0..40u32 {
            let text = format!("alpha beta w{number} größe a-b@example.org {}", "gamma ".repeat(number as usize % 3));
            let kind = if number % 2 == 0 { ValueKind::Text } else { ValueKind::Address };
            let field = [Field::Subject, Field::From, Field::To, Field::Body][number as usize % 4];
            index.add(DocNo(number), &[Value { field, kind, text: &text }], &[], &Columns::default(), &SortKeys::default()).expect("added");
        }
        index.flush(b"").expect("flushed");
        index.snapshot()
    })
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = parse_reduced(text);
    let Ok(query) = parse(text) else { return };
    for notice in query.notices() {
        assert!(text.get(notice.range.clone()).is_some());
    }
    let even = || Leaf::Docs((0..40).step_by(2).collect());
    let bound = query.bind(|_| Ok::<_, std::convert::Infallible>(even())).expect("every filter is bound");
    let found = snapshot().search(&bound).expect("an answer");
    assert!(found.max().is_none_or(|last| last < 40));
    // A query that is printed parses to the same query.
    let again = parse(&query.to_string()).expect("what was read can be read again");
    let again = again.bind(|_| Ok::<_, std::convert::Infallible>(even())).expect("every filter is bound");
    assert_eq!(snapshot().search(&again).expect("an answer"), found);
});
