//! What was done to the files of an archive, what it says of it, and how many mails are read: the table of docs/SECURITY.md, computed.
//!
//! Files of an older state are put back, and files of a fork: a copy of the archive that went on in another way. Nothing that opens lowers what
//! can be read, and nothing is missing in silence: [`judge`] sees to that in each case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use archive_core::vfs::Vfs;
use archive_core::{Actor, ImportOptions, IndexConfiguration, Receipt};

use crate::fixture::lose;
use crate::fixture::{Files, mbox, plain, put_each, put_stream};
use crate::loss::{Judged, judge, zero_tail};

const CACHES: [&str; 2] = ["/catalog/", "/index/"];
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/SECURITY.md");
const BEGIN: &str = "| what was done | to | `open` says | `verify` says | mails read | at the next open |";

/// An archive, how it was before its last mails, and a copy that got others in their place.
struct States {
    now: Files,
    older: Files,
    fork: Files,
    mails: Vec<(Vec<u8>, Receipt)>,
}

/// Archives as one import with tables, and one by one.
fn more(files: &Files, bulk: usize, seed: u64) -> Vec<(Vec<u8>, Receipt)> {
    let archive = files.open();
    let (bulk, singles) = (plain(bulk, 900, seed), plain(6, 100, seed + 1));
    let receipts = put_stream(&archive, &mbox(&bulk), "bulk.mbox", &ImportOptions::default()).1.receipts;
    let mut mails: Vec<(Vec<u8>, Receipt)> = bulk.into_iter().zip(receipts).collect();
    mails.extend(singles.iter().cloned().zip(put_each(&archive, &singles)));
    // The master and the identity of the archive change too.
    archive.add_passphrase(&format!("passphrase {seed}")).expect("added");
    let types = vec![format!("application/x-{seed}")];
    archive.session(Actor::System).set_index_configuration(&IndexConfiguration { types }).expect("set");
    archive.close().expect("closed");
    mails
}

fn states() -> States {
    let (now, archive) = Files::create();
    archive.close().expect("closed");
    let mut mails = more(&now, 48, 301);
    let (older, fork) = (now.copy(), now.copy());
    mails.extend(more(&now, 8, 303));
    more(&fork, 9, 305);
    States { now, older, fork, mails }
}

/// What a file is, as the table says it; `None` of those that only people read.
fn kind(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    let is = |part: &str| text.contains(part);
    Some(match path.extension()?.to_str()? {
        "lock" => return None,
        "mkc" => "container",
        "mkr" if is("/master/") => "records of the master",
        "mkr" => "records of a store",
        "mkm" if is("/master/") => "`head.mkm` of the master",
        "mkm" if is("/catalog/") => "manifest of the catalog",
        "mkm" if is("/index/") => "manifest of the index",
        "mkm" => "`head.mkm` of a store",
        "mks" => "run of the catalog",
        "mki" => "segment of the index",
        _ if is("archive.mk") => "a copy of `archive.mk`",
        _ => "a copy of `store.mk`",
    })
}

/// Puts the file of another state in the place of the one that is there; removes it where that state had none.
fn put_back(files: &Files, from: &Files, path: &Path) {
    if files.paths().iter().any(|there| there == path) {
        files.remove(path);
    }
    if from.paths().iter().any(|there| there == path) {
        files.vfs.create(path).and_then(|file| file.append(&from.bytes(path))).expect("put back");
    }
}

/// Files that are not the same in another state.
fn differing(now: &Files, other: &Files) -> Vec<PathBuf> {
    let all: BTreeSet<PathBuf> = now.paths().into_iter().chain(other.paths()).filter(|path| kind(path).is_some()).collect();
    let bytes = |files: &Files, path: &PathBuf| files.paths().contains(path).then(|| files.bytes(path));
    all.into_iter().filter(|path| bytes(now, path) != bytes(other, path)).collect()
}

fn pairs(paths: &[PathBuf]) -> Vec<Vec<PathBuf>> {
    let with_later =
        |(at, first): (usize, &PathBuf)| paths[at + 1..].iter().map(|second| vec![first.clone(), second.clone()]).collect::<Vec<_>>();
    paths.iter().enumerate().flat_map(with_later).collect()
}

const FRAMES: &str = "frames of a fork in the place of its own, from some frame on, or beside them";

/// One file's frames with those of another after them, from each place on where a frame of either begins, and both ones' own after all.
fn mixed(now: &[u8], fork: &[u8]) -> Vec<Vec<u8>> {
    let same = now.iter().zip(fork).take_while(|(a, b)| a == b).count();
    let mut all = vec![[now, &fork[same..]].concat()];
    for (one, other) in [(now, fork), (fork, now)] {
        for begin in memchr::memmem::find_iter(one, b"MKF\x01").filter(|at| *at > same && *at < other.len()) {
            all.push([&one[..begin], &other[begin..]].concat());
        }
    }
    all
}

type Deed<'s> = Box<dyn Fn(&Files, &Path) + Send + Sync + 's>;

/// One thing done to some files.
struct Case<'s> {
    what: &'static str,
    to: &'static str,
    paths: Vec<PathBuf>,
    deed: Arc<Deed<'s>>,
}

fn cases(states: &States) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    let all: Vec<PathBuf> = states.now.paths().into_iter().filter(|path| kind(path).is_some()).collect();
    let mut deeds: Vec<(&'static str, Option<&'static str>, Vec<PathBuf>, Deed<'_>)> = Vec::new();
    deeds.push(("last 512 bytes zeroed", None, all.clone(), Box::new(zero_tail)));
    deeds.push((
        "last 512 bytes zeroed, catalog and index gone",
        None,
        all.clone(),
        Box::new(|files, path| {
            zero_tail(files, path);
            lose(files, &CACHES);
        }),
    ));
    deeds.push(("removed", Some("two files removed"), all.clone(), Box::new(|files, path| files.remove(path))));
    deeds.push((
        "removed, catalog and index gone",
        None,
        all,
        Box::new(|files, path| {
            files.remove(path);
            lose(files, &CACHES);
        }),
    ));
    let (older, forked) = (differing(&states.now, &states.older), differing(&states.now, &states.fork));
    let from_older: Deed<'_> = Box::new(|files, path| put_back(files, &states.older, path));
    deeds.push(("put back as it was before", Some("two files put back as they were before"), older, from_older));
    let from_fork: Deed<'_> = Box::new(|files, path| put_back(files, &states.fork, path));
    deeds.push(("put in from a fork", Some("two files put in from a fork"), forked.clone(), from_fork));
    for (what, two, paths, deed) in deeds {
        let deed = Arc::new(deed);
        for path in &paths {
            let to = kind(path).expect("known");
            cases.push(Case { what, to, paths: vec![path.clone()], deed: Arc::clone(&deed) });
        }
        let two = two.map(|what| pairs(&paths).into_iter().map(move |paths| (what, paths)));
        for (what, paths) in two.into_iter().flatten() {
            cases.push(Case { what, to: "any two", paths, deed: Arc::clone(&deed) });
        }
    }
    for path in &forked {
        let Some(to @ ("container" | "records of a store" | "records of the master")) = kind(path) else { continue };
        let (now, fork) = (states.now.bytes(path), states.fork.bytes(path));
        for mixed in mixed(&now, &fork) {
            let deed: Deed<'_> = Box::new(move |files, path| files.write(path, &mixed));
            cases.push(Case { what: FRAMES, to, paths: vec![path.clone()], deed: Arc::new(deed) });
        }
    }
    cases
}

/// What all cases of a line gave.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Line {
    open: BTreeSet<String>,
    verify: BTreeSet<String>,
    first: BTreeSet<&'static str>,
    next: BTreeSet<&'static str>,
}

impl Line {
    fn add(&mut self, judged: &Judged, all: usize) {
        let count = |count: usize| match count {
            0 => "none",
            count if count < all => "some",
            _ => "all",
        };
        self.open.insert(judged.open.map_or("nothing".to_owned(), |code| format!("`{code}`")));
        self.verify.insert(match (judged.first, judged.found, judged.open) {
            (None, ..) => "-".to_owned(),
            (_, true, _) => "damage".to_owned(),
            (_, false, code) => code.map_or("nothing".to_owned(), |code| format!("`{code}`")),
        });
        self.first.insert(judged.first.map_or("none", count));
        self.next.insert(count(judged.next));
    }

    fn text(&self) -> String {
        let join = |texts: Vec<&str>| texts.join(" or ");
        let [open, verify] = [&self.open, &self.verify].map(|texts| join(texts.iter().map(String::as_str).collect()));
        let [first, next] = [&self.first, &self.next].map(|texts| join(texts.iter().copied().collect()));
        format!("{open} | {verify} | {first} | {next} |")
    }
}

#[test]
fn a_the_table_of_the_security_page_says_what_is_so() {
    let states = states();
    let cases = cases(&states);
    let next = AtomicUsize::new(0);
    let lines = Mutex::new(BTreeMap::<(usize, &str), Line>::new());
    let order: Vec<&str> = cases.iter().fold(Vec::new(), |mut order, case| {
        if !order.contains(&case.what) {
            order.push(case.what);
        }
        order
    });
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let files = states.now.copy();
                    for path in &case.paths {
                        // What the deed before took with it is gone.
                        (case.deed)(&files, path);
                    }
                    let judged = judge(&format!("{}: {:?}", case.what, case.paths), &files, &states.mails);
                    let at = order.iter().position(|what| *what == case.what).expect("in order");
                    lines.lock().expect("whole").entry((at, case.to)).or_default().add(&judged, states.mails.len());
                }
            });
        }
    });
    // Kinds of files with the same answers share a line.
    let mut shared: BTreeMap<(usize, Line), Vec<&str>> = BTreeMap::new();
    for ((at, to), line) in lines.into_inner().expect("whole") {
        shared.entry((at, line)).or_default().push(to);
    }
    let mut rows: Vec<String> =
        shared.iter().map(|((at, line), to)| format!("| {} | {} | {}", order[*at], to.join(", "), line.text())).collect();
    rows.insert(0, "|---|---|---|---|---|---|".to_owned());
    rows.insert(0, BEGIN.to_owned());
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let there: Vec<&str> = page.lines().skip_while(|line| *line != BEGIN).take_while(|line| line.starts_with('|')).collect();
    assert!(there == rows, "docs/SECURITY.md is to have:\n{}", rows.join("\n"));
}
