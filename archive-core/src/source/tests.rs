//! Small mailboxes of every kind and trouble. Real ones: `tests/source_corpora.rs`.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use super::mbox_quote::quote;
use super::*;

mod damaged;
mod lengths;
mod living;
mod mbox;
mod mmdf;
mod names;
mod packed;
mod quoting;
mod separators;
mod single;
mod tars;
mod trees;
mod unsupported;

/// A mail as it was returned.
#[derive(Debug, Default, Clone, PartialEq)]
struct Got {
    source: String,
    offset: u64,
    folder: String,
    from_line: Option<String>,
    unquoted: bool,
    flags: Option<String>,
    date: Option<i64>,
    streamed: bool,
    mail: Vec<u8>,
}

#[derive(Debug, Default)]
struct Collector {
    mails: Vec<Got>,
    troubles: Vec<Trouble>,
    folders: Vec<String>,
    lost: Vec<u8>,
    skip_rest: bool,
    limit: Option<usize>,
}

impl SourceVisitor for Collector {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let (mail, streamed) = match item.body {
            Body::Whole(mail) => (mail, false),
            Body::Stream { mut head, rest } => {
                if !self.skip_rest {
                    rest.read_to_end(&mut head).unwrap();
                }
                (head, true)
            }
        };
        self.mails.push(Got {
            source: item.source.to_owned(),
            offset: item.offset,
            folder: item.folder.join("/"),
            from_line: item.from_line.map(|line| String::from_utf8(line).unwrap()),
            unquoted: item.quoting == Quoting::Unquoted,
            flags: item.flags,
            date: item.date_hint.map(|hint| hint.seconds),
            streamed,
            mail,
        });
        if self.limit == Some(self.mails.len()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble);
    }

    fn lost(&mut self, bytes: &[u8]) {
        self.lost.extend_from_slice(bytes);
    }

    fn folder(&mut self, folder: &[String]) {
        self.folders.push(folder.join("/"));
    }
}

impl Collector {
    fn texts(&self) -> Vec<&str> {
        self.mails.iter().map(|got| std::str::from_utf8(&got.mail).unwrap()).collect()
    }

    fn kinds(&self) -> Vec<TroubleKind> {
        self.troubles.iter().map(|trouble| trouble.kind.clone()).collect()
    }
}

fn stream(bytes: &[u8], name: &str) -> Collector {
    stream_as(bytes, name, SourceOptions::default())
}

fn stream_as(bytes: &[u8], name: &str, options: SourceOptions) -> Collector {
    let mut collector = Collector::default();
    let summary = read_stream(bytes, name, options, &mut collector);
    assert_eq!(summary.mails, collector.mails.len() as u64);
    collector
}

fn tree(path: &Path) -> (Summary, Collector) {
    let mut collector = Collector::default();
    let summary = read_path(path, SourceOptions::default(), &mut collector).unwrap();
    (summary, collector)
}

fn put(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

const LINE: &str = "From a@b.c Sat Jan  3 01:05:34 1996";
const MAIL: &str = "Subject: one\nFrom: a@b.c\n\nText\n";

fn mbox(mails: &[&str]) -> String {
    mails.iter().map(|mail| format!("{LINE}\n{mail}\n")).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
