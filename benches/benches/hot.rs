//! The hot paths alone: what a mail passes through on its way in, and a search.
//!
//! `MAILKEEP_CORPORA=FOLDER cargo bench -p benches`; without the corpora the mails are generated.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use archive_core::vfs::MemVfs;
use archive_core::{Actor, Archive, CreateOptions, ImportOptions, ImportSource, NoEvents, OpenOptions, mail};
use archive_index::{Columns, DocNo, Field, Index, MemPages, Options, SortKeys, Value, ValueKind, parse};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Bytes of mail that are used.
const BYTES: usize = 16 << 20;

/// An mbox of about [`BYTES`] bytes.
fn mbox() -> Vec<u8> {
    let mut mbox = Vec::new();
    if let Some(corpora) = std::env::var_os("MAILKEEP_CORPORA") {
        for name in ["samba-technical.mbox", "cygwin-patches.mbox"] {
            mbox.append(&mut std::fs::read(Path::new(&corpora).join("lists").join(name)).unwrap_or_default());
        }
    }
    for number in 0.. {
        if mbox.len() >= BYTES {
            break;
        }
        let head = format!("From a@b.example Thu Jan  1 00:00:00 2015\nFrom: a{number}@b.example\nSubject: number {number}\n\n");
        mbox.extend_from_slice(head.as_bytes());
        (0..60).for_each(|line| mbox.extend_from_slice(format!("line {line} of mail {number} says {}\n", line * number % 977).as_bytes()));
        mbox.push(b'\n');
    }
    mbox
}

fn mails(mbox: &[u8]) -> Vec<&[u8]> {
    let mut ends: Vec<usize> = mbox.windows(6).enumerate().filter(|(_, six)| *six == b"\nFrom ").map(|(at, _)| at + 1).collect();
    ends.push(mbox.len());
    let mut start = 0;
    let cut = |end| {
        let mail = &mbox[start..end];
        start = end;
        mail
    };
    ends.into_iter().map(cut).collect()
}

fn pieces(c: &mut Criterion) {
    let mbox = mbox();
    let mails = mails(&mbox);
    let mut group = c.benchmark_group("mail");
    group.throughput(Throughput::Bytes(mbox.len() as u64)).sample_size(20);
    group.bench_function("examine", |b| b.iter(|| mails.iter().for_each(|raw| drop(black_box(mail::examine(raw))))));
    let peer = mail_parser::MessageParser::default();
    group.bench_function("mail-parser", |b| b.iter(|| mails.iter().for_each(|raw| drop(black_box(peer.parse(raw))))));
    group.bench_function("text", |b| b.iter(|| mails.iter().for_each(|raw| drop(black_box(mail::text::extract(raw, &[]))))));
    group.finish();

    let mut group = c.benchmark_group("import");
    group.throughput(Throughput::Bytes(mbox.len() as u64)).sample_size(10);
    for (name, index) in [("16 MiB in memory, no index", false), ("16 MiB in memory", true)] {
        group.bench_function(name, |b| b.iter_batched(|| (), |()| import(&mbox, index), BatchSize::PerIteration));
    }
    group.finish();
}

fn import(mut mbox: &[u8], index: bool) {
    let vfs = Arc::new(MemVfs::new());
    let options = CreateOptions::new("anna").open_options(OpenOptions::default().index(index));
    let new = Archive::create_on(vfs, Path::new("/"), options).expect("an archive is begun");
    new.keys();
    let archive = new.commit().expect("an archive is made");
    let source = ImportSource::Stream(&mut mbox, "all.mbox");
    archive.session(Actor::System).import(source, &ImportOptions::default(), &mut NoEvents).expect("mails are imported");
    archive.close().expect("the archive is closed");
}

fn index(c: &mut Criterion) {
    let mbox = mbox();
    let texts: Vec<_> = mails(&mbox).into_iter().map(|raw| mail::text::extract(raw, &[])).collect();
    let bytes: usize = texts.iter().flat_map(|text| &text.values).map(|value| value.text.len()).sum();
    let build = || {
        let index = Index::open(Arc::new(MemPages::new()), Options::default()).expect("an index is made");
        for (number, text) in (0..).zip(&texts) {
            let values = text.values.iter().map(|value| Value { field: Field::Body, kind: ValueKind::Text, text: &value.text });
            let columns = Columns { date: i64::from(number), ..Columns::default() };
            index.add(DocNo(number), &values.collect::<Vec<_>>(), &[], &columns, &SortKeys::default()).expect("a text is added");
        }
        index.flush(b"").expect("the index is written");
        index
    };
    let mut group = c.benchmark_group("index");
    group.throughput(Throughput::Bytes(bytes as u64)).sample_size(10);
    group.bench_function("add and flush", |b| b.iter(&build));
    group.finish();
    let snapshot = build().snapshot();
    let mut group = c.benchmark_group("search");
    for query in ["the", "patch", "con*", "*tion", "\"thank you\"", "the -patch"] {
        let tree = parse(query).expect("the query can be read").without_filters().expect("it has no filter");
        group.bench_function(query, |b| {
            b.iter(|| {
                let docs = snapshot.search(&tree).expect("the search is done");
                black_box(snapshot.newest_first(&docs, None).expect("hits are sorted").take(50).count())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pieces, index);
criterion_main!(benches);
