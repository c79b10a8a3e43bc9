//! Catalog and index are caches: an error of the system throws none of them away, and one that cannot be written keeps nobody from reading
//! and archiving (P4, S4.3).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::{EntryKind, Fault, SimVfs, Vfs};
use archive_core::{Actor, Archive, CreateOptions, Error, IndexStatus, Key, OpenOptions, Progress, SearchRequest, SearchResult};

use crate::fixture::{DIR, Files, ask, committed, folder, indexed, plain, put_each};

/// An archive on a simulated disk.
struct Sim {
    vfs: SimVfs,
    key: String,
}

const CATALOG: &str = "/archive/stores/1/catalog";
const INDEX: &str = "/archive/stores/1/index";

impl Sim {
    /// A new archive with these mails, each with a commit and a segment of its own, closed.
    fn with(mails: &[Vec<u8>]) -> Self {
        let vfs = SimVfs::new(1);
        vfs.create_dir(Path::new(DIR)).expect("a folder");
        let (archive, key) = committed(Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), CreateOptions::new("anna")));
        archive.close().expect("closed");
        let sim = Self { vfs, key };
        for mail in mails {
            sim.add(mail);
        }
        sim
    }

    fn add(&self, mail: &[u8]) {
        let archive = self.open();
        archive.session(Actor::System).import_one(mail, &folder("anna/Inbox")).expect("archived");
        archive.close().expect("closed");
    }

    fn try_open(&self) -> Result<Archive, Error> {
        self.try_open_with(OpenOptions::default())
    }

    fn try_open_with(&self, options: OpenOptions) -> Result<Archive, Error> {
        Archive::open_on(Arc::new(self.vfs.clone()), Path::new(DIR), &Key::File(self.key.clone().into()), options)
    }

    fn open(&self) -> Archive {
        self.try_open().expect("opens")
    }

    /// The files of catalog and index with their bytes.
    fn caches(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        for dir in [CATALOG, INDEX] {
            for entry in self.vfs.list(Path::new(dir)).expect("a folder").into_iter().filter(|entry| entry.kind == EntryKind::File) {
                let file = self.vfs.open_read(&entry.path).expect("a file");
                let mut bytes = vec![0; usize::try_from(file.len().expect("a length")).expect("fits")];
                file.read_exact_at(0, &mut bytes).expect("its bytes");
                found.push((entry.path, bytes));
            }
        }
        found
    }
}

fn search(archive: &Archive, query: &str) -> SearchResult {
    archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer")
}

/// Everything works, and is found.
fn all_is_well(archive: &Archive, messages: u64) {
    let found = search(archive, "*");
    assert_eq!((found.total, found.coverage.not_indexed, found.notices.len()), (messages, 0, 0));
    assert_eq!(ask(archive).expect("answers").bytes.iter().flatten().count() as u64, messages);
}

#[test]
fn p4_no_error_of_the_system_at_an_open_throws_a_cache_away() {
    let mails = plain(4, 30, 11);
    let sim = Sim::with(&mails);
    let before = sim.caches();
    assert!(before.len() >= 6, "a segment each");
    let first = sim.vfs.reads();
    drop(sim.open());
    let reads = sim.vfs.reads() - first;
    let (mut failed, mut partial) = (0, 0);
    for fault in [Fault::OutOfFiles, Fault::Denied, Fault::Eio, Fault::ShortRead] {
        for read in 0..reads {
            sim.vfs.fail_read_at(sim.vfs.reads() + read, fault);
            if let Ok(archive) = sim.try_open() {
                let found = search(&archive, "*");
                assert_eq!(found.total + found.coverage.not_indexed, 4, "{fault:?} at read {read}");
                assert_eq!(found.coverage.not_indexed > 0, found.notices.len() == 1, "said, where it is not found");
                partial += u32::from(found.coverage.not_indexed > 0);
            } else {
                failed += 1;
            }
            let after = sim.caches();
            assert_eq!(before, after, "{fault:?} at read {read}");
        }
    }
    assert!(failed > 0 && partial > 0, "both are met: {failed} opens failed, {partial} found a part");
    all_is_well(&sim.open(), 4);
}

#[test]
fn p4_too_few_files_are_an_error_that_names_the_limit_and_costs_nothing() {
    let mails = plain(6, 30, 12);
    let sim = Sim::with(&mails);
    let before = sim.caches();
    let (mut refused, mut opened) = (0, 0);
    for limit in 1..40 {
        sim.vfs.limit_open_files(Some(limit));
        match sim.try_open() {
            Ok(archive) => {
                opened += 1;
                match archive.session(Actor::System).search(&SearchRequest::new("*")) {
                    Ok(found) => assert_eq!((found.total, found.coverage.not_indexed), (6, 0), "{limit} files"),
                    Err(error) => assert_eq!(error.code(), "too_many_open_files", "{limit} files: {error}"),
                }
                match archive.session(Actor::System).import_one(&mails[0], &folder("anna/Inbox")) {
                    Ok(receipt) => assert_eq!(receipt.outcome(), archive_core::Outcome::Duplicate { restated: false }),
                    Err(error) => assert_eq!(error.code(), "too_many_open_files", "{limit} files: {error}"),
                }
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.code(), "too_many_open_files", "{limit} files: {error}");
                assert!(cfg!(not(unix)) || error.to_string().contains("`ulimit -n`, which is now "), "{error}");
            }
        }
        sim.vfs.limit_open_files(None);
        assert_eq!(before, sim.caches(), "{limit} files");
    }
    assert!(refused > 5 && opened > 10, "{refused} refused, {opened} opened");
    all_is_well(&sim.open(), 6);
}

#[test]
fn s4_3_a_segment_that_cannot_be_read_is_counted_and_named_and_stays() {
    let mails = plain(3, 30, 13);
    let sim = Sim::with(&mails);
    let before = sim.caches();
    let segments: Vec<PathBuf> =
        before.iter().map(|(path, _)| path.clone()).filter(|path| path.extension().is_some_and(|end| end == "mki")).collect();
    assert_eq!(segments.len(), 3);
    for fault in [Fault::Denied, Fault::Eio] {
        sim.vfs.refuse_reads(&segments[1], Some(fault));
        let archive = sim.open();
        let found = search(&archive, "*");
        assert_eq!((found.total, found.coverage.not_indexed), (2, 1), "{fault:?}");
        assert!(found.notices[0].contains("000002.mki"), "{:?}", found.notices);
        let status = archive.session(Actor::System).store_indexes(None).expect("a list")[0].status;
        assert_eq!(status, IndexStatus::NeedsRebuild);
        archive.close().expect("closed");
        sim.vfs.refuse_reads(&segments[1], None);
        assert_eq!(before, sim.caches(), "{fault:?}");
    }
    // New mail is taken in beside it, and when it can be read again nothing is missing.
    sim.vfs.refuse_reads(&segments[1], Some(Fault::Eio));
    sim.add(&plain(1, 30, 99)[0]);
    sim.vfs.refuse_reads(&segments[1], None);
    all_is_well(&sim.open(), 4);
    assert!(before.iter().filter(|(path, _)| segments.contains(path)).all(|old| sim.caches().contains(old)), "nothing was built again");
}

#[test]
fn s4_3_an_index_whose_manifest_cannot_be_read_is_counted_and_stays_until_it_is_built_again() {
    let mails = plain(3, 30, 14);
    let sim = Sim::with(&mails);
    let before = sim.caches();
    let manifest = Path::new(INDEX).join("manifest.mkm");
    sim.vfs.refuse_reads(&manifest, Some(Fault::Eio));
    let archive = sim.open();
    let found = search(&archive, "*");
    assert_eq!((found.total, found.coverage.not_indexed), (0, 3));
    assert!(found.notices[0].contains("manifest.mkm"), "{:?}", found.notices);
    // Mail is archived all the same.
    archive.session(Actor::System).import_one(&plain(1, 30, 98)[0], &folder("anna/Inbox")).expect("a receipt");
    // Built again in part, it takes nobody's place.
    let ends = Progress::reporting(|_| std::ops::ControlFlow::Break(()));
    assert!(matches!(archive.session(Actor::System).rebuild_store_index(1, &ends), Err(Error::Stopped)));
    archive.close().expect("closed");
    sim.vfs.refuse_reads(&manifest, None);
    let index = |files: Vec<(PathBuf, Vec<u8>)>| files.into_iter().filter(|(path, _)| path.starts_with(INDEX)).collect::<Vec<_>>();
    assert_eq!(index(before), index(sim.caches()));
    sim.vfs.refuse_reads(&manifest, Some(Fault::Eio));
    let archive = sim.open();
    archive.session(Actor::System).rebuild_store_index(1, &Progress::new()).expect("built");
    all_is_well(&archive, 4);
    archive.close().expect("closed");
    sim.vfs.refuse_reads(&manifest, None);
    all_is_well(&sim.open(), 4);
}

#[test]
fn p4_a_catalog_that_cannot_be_read_is_an_error_and_stays() {
    let sim = Sim::with(&plain(3, 30, 15));
    let before = sim.caches();
    let catalog: Vec<_> = before.iter().map(|(path, _)| path).filter(|path| path.starts_with(CATALOG)).collect();
    assert!(catalog.len() >= 2, "a manifest and a run: {catalog:?}");
    for fault in [Fault::Denied, Fault::Eio, Fault::OutOfFiles] {
        for path in &catalog {
            sim.vfs.refuse_reads(path, Some(fault));
            let error = sim.try_open().expect_err("no catalog, no mails");
            assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
            sim.vfs.refuse_reads(path, None);
            assert_eq!(before, sim.caches());
        }
    }
    all_is_well(&sim.open(), 3);
}

/// How a write is refused.
const REFUSALS: [Fault; 4] = [Fault::Denied, Fault::ReadOnly, Fault::Enospc, Fault::Eio];

#[test]
fn p4_caches_that_cannot_be_written_keep_nobody_from_reading_and_archiving() {
    let mails = plain(8, 30, 16);
    for dirs in [&[CATALOG][..], &[INDEX], &[CATALOG, INDEX]] {
        for fault in REFUSALS {
            let sim = Sim::with(&mails[..2]);
            let before = sim.caches();
            dirs.iter().for_each(|dir| sim.vfs.refuse_changes(Path::new(dir), Some(fault)));
            // Twice: what the first lacked is made up for in memory.
            for (round, mail) in [(3, &mails[2]), (4, &mails[3])] {
                let archive = sim.open();
                archive.session(Actor::System).import_one(mail, &folder("anna/Inbox")).expect("a receipt");
                all_is_well(&archive, round);
                let error = archive.close().expect_err("something could not be written");
                assert_eq!(error.code(), "caches_lag", "{error}");
                assert!(dirs.iter().any(|dir| error.to_string().contains(dir)), "{error}");
            }
            let now = sim.caches();
            let kept = before.iter().filter(|(path, _)| dirs.iter().any(|dir| path.starts_with(dir)));
            assert!(kept.clone().count() > 0 && kept.clone().all(|old| now.contains(old)), "{fault:?} in {dirs:?}");
            dirs.iter().for_each(|dir| sim.vfs.refuse_changes(Path::new(dir), None));
            let archive = sim.open();
            all_is_well(&archive, 4);
            archive.close().expect("closed");
        }
    }
}

#[test]
fn p4_damaged_caches_that_cannot_be_removed_are_passed_over() {
    let sim = Sim::with(&plain(2, 30, 17));
    for name in [format!("{INDEX}/manifest.mkm"), format!("{CATALOG}/manifest.mkm")] {
        sim.vfs.open(Path::new(&name)).and_then(|file| file.truncate(100)).expect("cut");
    }
    for dir in [CATALOG, INDEX] {
        sim.vfs.refuse_changes(Path::new(dir), Some(Fault::Denied));
    }
    all_is_well(&sim.open(), 2);
    for dir in [CATALOG, INDEX] {
        sim.vfs.refuse_changes(Path::new(dir), None);
    }
    let archive = sim.open();
    all_is_well(&archive, 2);
    archive.close().expect("closed");
    all_is_well(&sim.open(), 2);
}

#[test]
fn p4_folders_of_caches_that_are_gone_and_cannot_be_made_hold_nothing() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(3, 30, 18));
    archive.close().expect("closed");
    // A disk with everything but these folders, below one in which none can be made.
    let vfs = SimVfs::new(2);
    let mut dirs = vec![PathBuf::from(DIR)];
    while let Some(dir) = dirs.pop() {
        vfs.create_dir(&dir).expect("a folder");
        for entry in files.vfs.list(&dir).expect("a folder") {
            match entry.kind {
                _ if [CATALOG, INDEX].iter().any(|cache| entry.path.starts_with(cache)) => {}
                EntryKind::Dir => dirs.push(entry.path),
                _ => vfs.create(&entry.path).and_then(|file| file.append(&files.bytes(&entry.path))).expect("a copy"),
            }
        }
    }
    let sim = Sim { vfs, key: files.key.clone() };
    for dir in [CATALOG, INDEX] {
        sim.vfs.refuse_changes(Path::new(dir), Some(Fault::Denied));
    }
    for messages in [4, 5] {
        let archive = sim.open();
        archive.session(Actor::System).import_one(&plain(1, 30, messages)[0], &folder("anna/Inbox")).expect("a receipt");
        all_is_well(&archive, messages);
        archive.session(Actor::System).verify(archive_core::Depth::Everything, &Progress::new()).expect("verified");
        assert_eq!(archive.close().expect_err("no folders").code(), "caches_lag");
    }
    for dir in [CATALOG, INDEX] {
        sim.vfs.refuse_changes(Path::new(dir), None);
    }
    sim.open().close().expect("closed");
    assert!(sim.caches().len() >= 4, "made, and filled");
    all_is_well(&sim.open(), 5);
}

/// The catalog keeps in memory what it cannot write, up to its share of the budget. Then mails are refused before they are archived.
#[test]
fn p15_a_catalog_that_cannot_be_written_refuses_mail_before_memory_is_full() {
    let sim = Sim::with(&[]);
    sim.vfs.refuse_changes(Path::new(CATALOG), Some(Fault::Denied));
    let archive = sim.try_open_with(OpenOptions::default().memory(0).index(false)).expect("opens");
    let session = archive.session(Actor::System);
    let people: String = (0..60).map(|no| format!("Somebody Of A Long Name {no} <someone{no}@department{no}.example>, ")).collect();
    let mail = |no: usize| format!("From: a@b.example\nTo: {people}\nSubject: mail {no} {}\n\nx\n", "s".repeat(900)).into_bytes();
    let (taken, error) = (0..20_000)
        .find_map(|no| session.import_one(&mail(no), &folder("anna")).err().map(|error| (no, error)))
        .expect("the bound is reached");
    assert!(taken > 100 && error.to_string().contains("/catalog/") && error.to_string().contains("permission to write there"), "{error}");
    assert_eq!(session.stats(&Progress::new()).expect("stats").messages, taken as u64, "the mail of the error is not there");
    assert_eq!(archive.close().expect_err("the catalog lags").code(), "caches_lag");
    sim.vfs.refuse_changes(Path::new(CATALOG), None);
    let archive = sim.open();
    let receipt = archive.session(Actor::System).import_one(&mail(taken), &folder("anna")).expect("room again");
    assert_eq!(receipt.outcome(), archive_core::Outcome::Stored);
    all_is_well(&archive, taken as u64 + 1);
}

/// What an open could not index for want of room is not left out when mail comes later.
#[test]
fn s4_3_contents_that_the_index_lacks_since_the_open_come_before_new_ones() {
    let sim = Sim::with(&[]);
    let words = |no: usize| (0..4000).map(|at| format!("w{no}x{at}")).collect::<Vec<_>>().join(" ");
    let mail = |no: usize| format!("Subject: {no}\n\n{}\n", words(no)).into_bytes();
    let archive = sim.try_open_with(OpenOptions::default().index(false)).expect("opens");
    let mails = 120;
    for no in 0..mails {
        archive.session(Actor::System).import_one(&mail(no), &folder("anna")).expect("archived");
    }
    archive.close().expect("closed");
    sim.vfs.refuse_changes(Path::new(INDEX), Some(Fault::Enospc));
    let archive = sim.try_open_with(OpenOptions::default().memory(0)).expect("opens");
    let lacks = search(&archive, "*").coverage.not_indexed;
    assert!(lacks > 0, "more than the memory of the index takes");
    sim.vfs.refuse_changes(Path::new(INDEX), None);
    archive.session(Actor::System).import_one(&mail(mails), &folder("anna")).expect("archived");
    indexed(&archive);
    let found = search(&archive, "*");
    assert_eq!((found.total, found.coverage.not_indexed), (mails as u64 + 1, 0));
}

/// A number given twice would show pages of the file that had it first.
#[test]
fn p8_a_segment_given_up_leaves_no_page_to_the_next_one() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(40, 300, 19));
    archive.close().expect("closed");
    let segment = files.paths_with(".mki").pop().expect("a segment");
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert_eq!(search(&archive, "harbour").coverage.not_indexed, 0);
    // Damage in the pages that this search did not read: the first ones have the lists.
    for offset in (200..files.bytes(&segment).len()).step_by(512) {
        files.flip(&segment, offset);
    }
    let whole = search(&archive, "\"lantern granite\" OR date:2000..2030 OR *");
    assert_eq!((whole.total, whole.coverage.not_indexed), (0, 40), "given up");
    assert!(files.paths_with(".mki").is_empty(), "gone");
    session.rebuild_store_index(1, &Progress::new()).expect("built");
    let new = files.paths_with(".mki").pop().expect("a segment");
    assert!(new > segment, "{} after {}", new.display(), segment.display());
    for query in ["harbour", "\"lantern granite\"", "*light"] {
        let (here, fresh) = (search(&archive, query), search(&files.copy().open(), query));
        assert_eq!(here.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), fresh.hits.iter().map(|hit| hit.id).collect::<Vec<_>>());
        assert!(here.total > 0 && here.coverage.not_indexed == 0, "{query}");
    }
}

#[test]
fn p15_a_catalog_is_made_again_within_the_budget_and_what_was_not_finished_goes() {
    let (files, archive) = Files::create();
    // Several commits, of more rows than the smallest budget lets memory hold.
    for seed in 0..6 {
        crate::fixture::put_stream(
            &archive,
            &crate::fixture::mbox(&plain(1600, 40, 300 + seed)),
            "many",
            &archive_core::ImportOptions::default(),
        );
    }
    let before = ask(&archive).expect("answers");
    archive.close().expect("closed");
    let small = || OpenOptions::default().memory(0);
    let runs = |files: &Files| files.paths_with(".mks").len();

    let made = files.copy();
    crate::fixture::lose(&made, &["/catalog/"]);
    let archive = made.try_open_with(small()).expect("opens");
    assert!(runs(&made) > 0, "rows were written while the records were read");
    assert!(ask(&archive).expect("answers") == before);
    archive.close().expect("closed");
    assert!(ask(&made.open()).expect("answers") == before);

    // Records that lack a commit: nothing names the runs, and nothing of them is left, so that the next open asks the tables too.
    let damaged = files.copy();
    crate::fixture::lose(&damaged, &["/catalog/"]);
    let path = damaged.paths_with("/records/")[0].clone();
    let len = damaged.bytes(&path).len();
    damaged.flip(&path, len - 300);
    for _ in 0..2 {
        let archive = damaged.try_open_with(small()).expect("opens");
        assert!(archive.barred().is_some() && runs(&damaged) > 0);
        assert_eq!(ask(&archive).expect("answers").bytes, before.bytes);
        drop(archive);
        assert_eq!(runs(&damaged), 0);
    }
}
