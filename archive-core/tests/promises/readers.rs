//! Any number of readers beside one writer: they see what was committed, and change nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use archive_core::vfs::Vfs;
use archive_core::{
    Actor, Archive, Depth, ExportOptions, ImportOptions, ImportSource, Key, MessageId, NoEvents, OpenOptions, Progress, Receipt,
    RepairOptions, SearchRequest, Session,
};

use crate::fixture::{DIR, Files, filled_archive, folder, mbox, plain, put, put_each, put_stream, verify};
use crate::hooked::Hooked;

fn read_only() -> OpenOptions {
    OpenOptions::default().read_only(true)
}

fn reader(files: &Files) -> Archive {
    files.try_open_with(read_only()).expect("a reader")
}

fn session(archive: &Archive) -> Session {
    archive.session(Actor::System)
}

/// What a reader shows: each message with its bytes, by list, and what a search of everything finds.
fn shown(archive: &Archive) -> BTreeMap<MessageId, Vec<u8>> {
    assert!(archive.damage().is_none() && archive.barred().is_none(), "{:?} {:?}", archive.damage(), archive.barred());
    let session = session(archive);
    let mut mails = BTreeMap::new();
    for info in session.messages().map(|info| info.expect("a message")) {
        mails.insert(info.id, session.raw(info.id).expect("its bytes"));
    }
    let found = session.search(&SearchRequest::new("*").limit(0)).expect("an answer");
    assert_eq!(found.total + found.coverage.not_indexed, mails.len() as u64);
    mails
}

#[test]
fn p14_a_reader_sees_what_was_committed_at_its_open_and_later_commits_after_a_refresh() {
    let (files, writer) = Files::create();
    let first = put_each(&writer, &plain(5, 30, 1));
    let archive = reader(&files);
    assert!(archive.is_read_only() && !writer.is_read_only());
    let before = shown(&archive);
    assert_eq!(before.keys().copied().collect::<Vec<_>>(), first.iter().map(Receipt::id).collect::<Vec<_>>());
    let second = put_each(&writer, &plain(4, 30, 2));
    assert_eq!(shown(&archive), before, "a state does not change by itself");
    archive.refresh().expect("refreshed");
    assert!(second.iter().all(|receipt| shown(&archive).contains_key(&receipt.id())));
    // The writer goes away, and the next one comes.
    writer.close().expect("closed");
    let writer = files.open();
    put(&writer, "anna/later", "Subject: later\n\nText.\n");
    assert_eq!(shown(&archive).len(), 9);
    archive.refresh().expect("refreshed");
    assert_eq!(shown(&archive).len(), 10);
    assert_eq!(files.try_open().expect_err("in use").code(), "in_use");
    archive.close().expect("closed");
    assert_eq!(archive.refresh().expect_err("closed").code(), "closed");
}

/// Everything that reading can do.
fn read_everything(archive: &Archive, mails: usize) {
    assert_eq!(shown(archive).len(), mails);
    let session = session(archive);
    let progress = Progress::new();
    let id = *shown(archive).keys().next().expect("a mail");
    session.explain(&SearchRequest::new("text OR mail")).expect("an answer");
    session.thread(id, &progress).expect("a thread");
    session.parts(id).expect("parts");
    session.stats(&progress).expect("stats");
    session.store_indexes(None).expect("indexes");
    session.lost_files().expect("a list");
    archive.key_status().expect("the keys");
    let report = session.verify(Depth::Everything, &progress).expect("verified");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let mut out = Vec::new();
    let mut sink = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(())
    };
    session.export_mbox(&mut sink, &ExportOptions::default(), &mut |_, _| {}).expect("exported");
    assert!(out.len() > mails * 10);
    let checked = session.check(ImportSource::Stream(&mut &*out, "own.mbox"), &ImportOptions::default(), &mut NoEvents).expect("checked");
    assert_eq!((checked.present, checked.missing), (mails as u64, 0));
    archive.mark().expect("nothing to mark");
}

#[test]
fn p14_a_reader_changes_no_byte_and_creates_no_file() {
    let (files, mails) = filled_archive(7);
    let unclean = {
        // A writer that died: nothing is marked, packed or written of its caches.
        let writer = files.open();
        put_each(&writer, &plain(6, 40, 8));
        let copy = files.copy();
        drop(writer);
        copy
    };
    let without_caches = files.copy();
    for path in
        [without_caches.paths_with("/catalog/"), without_caches.paths_with("/index/"), without_caches.paths_with("write.lock")].concat()
    {
        without_caches.remove(&path);
    }
    for (files, count) in [(files.clone(), mails.len() + 6), (unclean, mails.len() + 6), (without_caches, mails.len() + 6)] {
        let all = |files: &Files| files.paths().into_iter().map(|path| (path.clone(), files.bytes(&path))).collect::<BTreeMap<_, _>>();
        let before = all(&files);
        let archive = reader(&files);
        read_everything(&archive, count);
        archive.refresh().expect("refreshed");
        archive.close().expect("closed");
        assert!(all(&files) == before, "{:?}", files.paths());
    }
}

#[test]
fn p14_what_would_change_an_archive_that_is_only_read_is_refused() {
    let (files, mails) = filled_archive(9);
    let archive = reader(&files);
    let session = session(&archive);
    let (progress, id) = (Progress::new(), mails[0].1.id());
    let source = b"From a\nSubject: x\n\ny\n".as_slice();
    let mut report = session.verify(Depth::Structure, &progress).expect("verified");
    let refused = [
        session.import(ImportSource::Stream(&mut &*source, "x.mbox"), &ImportOptions::default(), &mut NoEvents).err(),
        session.import_one(b"Subject: x\n\ny\n", &folder("anna/new")).err(),
        session.import_lost(&mut |_| {}).err(),
        session.accept_damage(&mut report).err(),
        session.repair(RepairOptions::default()).err(),
        session.rebuild_store_index(id.store.0, &progress).err(),
        session.rebuild_selected_store_indexes(&progress).err(),
        session.select_all_store_indexes_for_rebuild().err(),
        session.set_index_configuration(&session.index_configuration().expect("a configuration")).err(),
        session.delete(&[id], "no reason", Default::default()).err(),
        session.undelete(&[id], "no reason").err(),
        session.make_folder(&folder("anna/new"), Default::default()).err(),
        session.prune_folders(None, Default::default()).err(),
        archive.add_passphrase("a long passphrase").err(),
        archive.remove_passphrase("none").err(),
        archive.confirm_recovery(&Key::Recovery("x".to_owned().into())).err(),
    ];
    for (at, error) in refused.into_iter().enumerate() {
        assert_eq!(error.expect("refused").code(), "read_only", "{at}");
    }
    assert_eq!(shown(&archive).len(), mails.len());
}

/// A writer works between any two file operations of a reader's open: the reader must show every mail with a receipt from
/// before, whole commits only, and find no damage.
#[test]
fn p14_a_writer_may_work_between_any_two_operations_of_a_reader() {
    a_writer_works_between(|open, files| {
        // Single mails, a bulk, what closing packs, writes and merges, and a new writer.
        put_each(&open, &plain(3, 60, 5));
        put_stream(&open, &mbox(&plain(20, 60, 6)), "bulk.mbox", &ImportOptions::default());
        open.close().expect("closed");
        files.open()
    });
}

/// The writer dies between any two file operations of a reader's open, and the next one recovers: it moves the last commit to
/// a new records file, and cuts the old one.
#[test]
fn p14_a_writer_may_die_and_the_next_one_recover_between_any_two_operations_of_a_reader() {
    a_writer_works_between(|open, files| {
        drop(open);
        // What says that the last commit is durable is gone, as after a kill.
        let tail = files.paths_with("/records/").pop().expect("records");
        let bytes = files.bytes(&tail);
        files.write(&tail, &[bytes.as_slice(), &[0x5a; 300]].concat());
        files.open()
    });
}

fn a_writer_works_between(work: impl Fn(Archive, &Files) -> Archive + Send + Sync + 'static) {
    let work = Arc::new(work);
    let mut at = 0;
    loop {
        let (files, writer) = Files::create_with(OpenOptions::default().memory(16 << 20));
        let mut receipts = put_each(&writer, &plain(6, 60, 3));
        writer.close().expect("closed");
        let writer = Arc::new(Mutex::new(Some(files.open())));
        receipts.extend(put_each(writer.lock().unwrap().as_ref().unwrap(), &plain(4, 60, 4)));
        let calls = Arc::new(AtomicUsize::new(0));
        let (counted, held, again, work) = (Arc::clone(&calls), Arc::clone(&writer), files.clone(), Arc::clone(&work));
        let hooked = Hooked::new(&files.vfs, move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) == at {
                // Another thread: a writer is not inside the reader's call.
                let work = || {
                    let mut writer = held.lock().unwrap();
                    let open = work(writer.take().unwrap(), &again);
                    put_each(&open, &plain(2, 60, 7));
                    *writer = Some(open);
                };
                std::thread::scope(|scope| scope.spawn(work).join().expect("the writer works"));
            }
            Ok(())
        });
        let archive = Archive::open_on(Arc::new(hooked), Path::new(DIR), &files.key(), read_only()).expect("a reader");
        let mails = shown(&archive);
        assert!(receipts.iter().all(|receipt| mails.contains_key(&receipt.id())), "operation {at}");
        assert!(mails.len() <= 10 + 25, "operation {at}");
        assert_eq!(
            mails.len() as u64,
            mails.keys().map(|id| u64::from(id.no.0)).max().unwrap() + 1,
            "operation {at}: a state without gaps"
        );
        if calls.load(Ordering::SeqCst) <= at {
            assert!(at > 40, "{at} operations are too few to mean anything");
            break;
        }
        at += 1;
    }
}

/// Readers of every age keep their state while the writer packs, merges and rewrites what they read from.
#[test]
fn p14_old_readers_keep_their_state_whatever_the_writer_does() {
    let (files, writer) = Files::create_with(OpenOptions::default().memory(16 << 20));
    let mut writer = Some(writer);
    let mut readers: Vec<(Archive, BTreeMap<MessageId, Vec<u8>>)> = Vec::new();
    for round in 0..24 {
        let open = writer.take().unwrap();
        put_each(&open, &plain(3 + round as usize % 4, 40, 100 + round));
        if round % 3 == 0 {
            put_stream(&open, &mbox(&plain(30, 300, 200 + round)), "bulk.mbox", &ImportOptions::default());
        }
        let archive = reader(&files);
        readers.push((archive.clone(), shown(&archive)));
        writer = Some(if round % 2 == 0 {
            open.close().expect("closed");
            files.open()
        } else {
            open
        });
    }
    writer.take().unwrap().close().expect("closed");
    for (archive, state) in &readers {
        assert!(shown(archive) == *state);
        let report = verify(archive);
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
    let all = readers.last().unwrap().1.clone();
    for (archive, _) in &readers {
        archive.refresh().expect("refreshed");
        assert!(shown(archive) == all);
    }
}

/// An index of another state of the archive: a writer throws it away, and a reader does not search it.
#[test]
fn p8_a_reader_does_not_search_an_index_of_another_state() {
    let (files, writer) = Files::create();
    writer.close().expect("closed");
    let other = files.copy();
    for (files, seed) in [(&files, 1), (&other, 2)] {
        let writer = files.open();
        put_each(&writer, &plain(8, 40, seed));
        writer.close().expect("closed");
    }
    files.paths_with("/index/").iter().for_each(|path| files.remove(path));
    for path in other.paths_with("/index/") {
        files.vfs.create(&path).and_then(|file| file.append(&other.bytes(&path))).expect("put in its place");
    }
    let archive = reader(&files);
    let session = session(&archive);
    for (id, mail) in shown(&archive) {
        let subject = String::from_utf8(mail).unwrap().lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).unwrap();
        let found = session.search(&SearchRequest::new(&format!("subject:\"{subject}\""))).expect("an answer");
        assert!(found.hits.iter().any(|hit| hit.id == id), "{subject}");
    }
}

/// The index of a reader has a share of the memory; what does not fit is counted, and a writer brings it up to date.
#[test]
fn p15_a_reader_counts_what_its_index_has_no_room_for_and_says_that_it_lags() {
    let (files, writer) = Files::create_with(OpenOptions::default().index(false));
    let words = |no: usize| (0..200).map(|word| format!("only{no}x{word}\n")).collect::<String>();
    let mails: Vec<Vec<u8>> = (0..1500).map(|no| format!("Subject: {no}\n\n{}", words(no)).into_bytes()).collect();
    put_stream(&writer, &mbox(&mails), "many.mbox", &ImportOptions::default());
    writer.close().expect("closed");
    let archive = files.try_open_with(read_only().memory(16 << 20)).expect("a reader");
    assert!(archive.lags().expect("an answer"));
    let found = session(&archive).search(&SearchRequest::new("*").limit(0)).expect("an answer");
    assert!(found.coverage.not_indexed > 0 && found.total + found.coverage.not_indexed == 1500, "{found:?}");
    files.open().close().expect("closed");
    archive.refresh().expect("refreshed");
    assert!(!archive.lags().expect("an answer"));
    assert_eq!(session(&archive).search(&SearchRequest::new("*").limit(0)).expect("an answer").total, 1500);
}

#[test]
fn p6_a_reader_tells_damage_that_it_meets_and_a_head_alone_bars_nothing() {
    let (files, mails) = filled_archive(11);
    let archive = reader(&files);
    let broken = files.copy();
    for path in broken.paths_with("head.mkm") {
        broken.flip(&path, 300.min(broken.bytes(&path).len() - 1));
    }
    let of_head = reader(&broken);
    assert!(of_head.barred().is_none(), "{:?}", of_head.barred());
    assert_eq!(session(&of_head).messages().count(), mails.len());
    let before = shown(&archive);
    files.remove(&files.paths_with("/records/")[0]);
    assert_eq!(archive.refresh().expect_err("damage").code(), "damage");
    assert!(shown(&archive) == before, "it shows what it showed");
    assert!(reader(&files).damage().is_some());
}

/// A program that followed the open may be gone when the archive is refreshed.
#[test]
fn a_refresh_calls_no_function_of_the_open_and_is_not_ended_by_it() {
    let (files, writer) = Files::create();
    put_each(&writer, &plain(3, 30, 1));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let progress = Progress::reporting(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        std::ops::ControlFlow::Continue(())
    });
    let archive = files.try_open_with(read_only().progress(&progress)).expect("a reader");
    progress.cancel();
    let before = calls.load(Ordering::SeqCst);
    assert!(before > 0);
    put_each(&writer, &plain(40, 30, 2));
    archive.refresh().expect("refreshed");
    assert_eq!((shown(&archive).len(), calls.load(Ordering::SeqCst)), (43, before));
}

/// Many threads refresh one archive: it never goes back.
#[test]
fn p14_a_refresh_never_goes_back_to_an_earlier_state() {
    let (files, writer) = Files::create();
    put_each(&writer, &plain(3, 30, 1));
    let archive = reader(&files);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut most = 0;
                for _ in 0..15 {
                    archive.refresh().expect("refreshed");
                    let now = session(&archive).messages().count();
                    assert!(now >= most, "{now} after {most}");
                    most = now;
                }
            });
        }
        put_each(&writer, &plain(60, 30, 2));
    });
}
