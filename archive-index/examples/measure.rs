//! Builds an index of mbox files and measures size, speed and queries. Takes files or folders; reads mail crudely.
//!
//! `cargo run --release -p archive-index --example measure -- FOLDER...`

use archive_index::{Columns, DocNo, Field, Index, MemPages, Options, SortKeys, Value, ValueKind, parse};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

fn files(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut inner: Vec<PathBuf> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        inner.sort();
        inner.iter().for_each(|path| files(path, out));
    } else {
        out.push(path.to_owned());
    }
}

struct Mail {
    values: Vec<(Field, ValueKind, String)>,
    date: i64,
    size: u64,
}

fn header<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    head.lines()
        .find(|line| line.len() > name.len() && line.is_char_boundary(name.len()) && line[..name.len()].eq_ignore_ascii_case(name))
        .map(|line| line[name.len()..].trim())
}

fn addresses(field: Field, text: &str, values: &mut Vec<(Field, ValueKind, String)>) {
    for one in text.split(',') {
        match one.split_once('<') {
            Some((name, address)) => {
                values.push((field, ValueKind::DisplayName, name.trim().to_owned()));
                values.push((field, ValueKind::Address, address.trim_end_matches('>').to_owned()));
            }
            None => values.push((field, ValueKind::Address, one.trim().to_owned())),
        }
    }
}

/// The text of a mail without its base64: a crude stand-in for real extraction.
fn mail(raw: &str, date: i64) -> Mail {
    let (head, body) = raw.split_once("\n\n").unwrap_or((raw, ""));
    let mut values = vec![(Field::Subject, ValueKind::Text, header(head, "subject:").unwrap_or_default().to_owned())];
    for (name, field) in [("from:", Field::From), ("to:", Field::To), ("cc:", Field::Cc)] {
        if let Some(text) = header(head, name) {
            addresses(field, text, &mut values);
        }
    }
    let is_base64 = |line: &str| {
        line.len() >= 60 && line.len() <= 78 && line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    };
    let text: Vec<&str> = body.lines().filter(|line| !is_base64(line)).collect();
    values.push((Field::Body, ValueKind::Text, text.join("\n")));
    Mail { values, date, size: raw.len() as u64 }
}

fn main() {
    let mut paths = Vec::new();
    std::env::args().skip(1).for_each(|path| files(Path::new(&path), &mut paths));
    let copies: usize = std::env::var("COPIES").ok().and_then(|copies| copies.parse().ok()).unwrap_or(1);
    let budget: usize = std::env::var("BUDGET_MB").ok().and_then(|budget| budget.parse().ok()).unwrap_or(64);
    let (mut mails, mut raw_bytes) = (Vec::new(), 0usize);
    for path in &paths {
        let bytes = std::fs::read(path).unwrap_or_default();
        raw_bytes += bytes.len();
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        for raw in text.split("\nFrom ") {
            let number = mails.len() as i64;
            mails.push(mail(raw, number * 3600 + (number * 7919) % 100_000));
        }
    }
    let text_bytes: usize = mails.iter().flat_map(|mail| &mail.values).map(|(_, _, text)| text.len()).sum();
    println!("{} mails, {raw_bytes} bytes raw, {text_bytes} bytes of text, {copies} times", mails.len());

    let pages = MemPages::new();
    let index = Index::open(Arc::new(pages.clone()), Options { memory_budget: budget << 20, ..Options::default() }).unwrap();
    let start = Instant::now();
    let mut number = 0;
    for _ in 0..copies {
        for mail in &mails {
            let values: Vec<Value<'_>> = mail.values.iter().map(|(field, kind, text)| Value { field: *field, kind: *kind, text }).collect();
            index
                .add(DocNo(number), &values, &[], &Columns { date: mail.date, size: mail.size, ..Columns::default() }, &SortKeys::default())
                .unwrap();
            number += 1;
        }
    }
    let added = start.elapsed();
    index.flush(b"").unwrap();
    let built = start.elapsed();
    let total_text = (text_bytes * copies) as f64 / 1e6;
    println!("add {added:?}, with flush {built:?}: {:.1} MB text/s", total_text / built.as_secs_f64());
    let report = |name: &str| {
        let bytes = pages.total_bytes();
        println!("{name}: {bytes} bytes, {:.4} of raw, {} files", bytes as f64 / (raw_bytes * copies) as f64, index.files().len());
    };
    report("flushed");
    let start = Instant::now();
    index.merge_all().unwrap();
    println!("merge_all {:?}", start.elapsed());
    report("merged");
    by_kind(&pages, &index);

    let snapshot = index.snapshot();
    if let Ok(query) = std::env::var("QUERY") {
        let start = Instant::now();
        for _ in 0..1500 {
            snapshot.search(&parse(&query).unwrap().without_filters().unwrap()).unwrap();
        }
        println!("{query}: {:?}", start.elapsed() / 300);
        return;
    }
    for query in [
        "the",
        "patch",
        "segfault",
        "thank you",
        "pa*",
        "se*",
        "con*",
        "patc*",
        "*tion",
        "*abcd",
        "*ware",
        "*abc*",
        "se*al",
        "m?re",
        "\"thank you\"",
        "\"the following\"",
        "\"device not found\"",
        "\"ab* cd*\"",
        "\"th* co*\"",
        "from:corinna",
        "subject:patch",
        "corinna@redhat.com",
        "*@redhat.com",
        "the -patch",
        "raid disk error array -subject:re from:neil",
        "-*@redhat.com",
        "*",
        "*a*",
        "müller",
    ] {
        let query_tree = parse(query).unwrap().without_filters().unwrap();
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..15 {
            let start = Instant::now();
            let docs = snapshot.search(&query_tree).unwrap();
            found = docs.len();
            let searched = start.elapsed();
            let newest = snapshot.newest_first(&docs, None).unwrap().take(50).count();
            assert!(newest as u64 <= found);
            times.push((start.elapsed(), searched));
        }
        let first = times[0];
        times.sort();
        let (least, median) = (times[0], times[7].0);
        println!(
            "{query:32} {found:8} hits  least {:9.1?} (search {:9.1?})  median {median:9.1?}  first {:9.1?}",
            least.0, least.1, first.0
        );
    }
}

fn by_kind(pages: &MemPages, index: &Index) {
    let names = ["", "terms", "backward", "docs", "positions", "columns", "order", "directory", "footer", "blocks", "sort keys", "ranks"];
    let mut sums = [0usize; 12];
    for file in index.files() {
        use archive_index::PageStore;
        let reader = pages.open(file).unwrap();
        for at in 0..pages.page_lengths(file).len() {
            let page = reader.read(archive_index::PageRef(at as u64)).unwrap();
            sums[usize::from(page[0])] += page.len();
        }
    }
    for (name, sum) in names.iter().zip(sums) {
        if sum > 0 {
            println!("  {name:10} {sum}");
        }
    }
}
