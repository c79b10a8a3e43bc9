//! What was deleted is gone from every file after a compaction, and nothing else goes (P9).

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use archive_core::{
    Actor, Archive, CompactOptions, CompactReport, DeleteOptions, MessageId, OpenOptions, Progress, SearchRequest, Session, VerifyReport,
};

use crate::fixture::{Files, folder, indexed, verify};

/// A mail with an attachment of random bytes, as no other.
fn mail(no: usize) -> Vec<u8> {
    let mut state = no as u64 * 7919 + 1;
    let mut noise = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        format!("{state:016x}")
    };
    let attachment: String = (0..200).map(|_| format!("{}\n", noise().repeat(4))).collect();
    format!(
        "From: ada{no}@example.org\nMessage-ID: <{no}@x>\nSubject: number {no} {}\nDate: Mon, 2 Mar 2015 10:00:{:02} +0000\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\nword text{no} {}\n--b\nContent-Type: application/octet-stream\nContent-Disposition: \
         attachment; filename=a{no}.bin\nContent-Transfer-Encoding: base64\n\n{attachment}\n--b--\n",
        noise(),
        no % 20,
        noise(),
    )
    .into_bytes()
}

fn small() -> OpenOptions {
    OpenOptions::default().container_limit(20 << 10)
}

fn put(session: &Session, no: usize, path: &str) -> MessageId {
    session.import_one(&mail(no), &folder(path)).expect("archived").id()
}

fn delete(session: &Session, ids: &[MessageId]) {
    session.delete(ids, "a test", DeleteOptions::default()).expect("deleted");
}

fn compact(archive: &Archive) -> CompactReport {
    archive.session(Actor::System).compact(CompactOptions::default(), &Progress::new()).expect("compacted")
}

fn holds(archive: &Archive, left: &[(usize, MessageId)]) {
    let session = archive.session(Actor::System);
    for (no, id) in left {
        assert_eq!(session.raw(*id).expect("a mail that nobody deleted"), mail(*no));
    }
    let there: BTreeSet<_> = session.messages().map(|info| info.expect("an entry").id).collect();
    assert_eq!(there, left.iter().map(|(_, id)| *id).collect());
    let found = session.search(&SearchRequest::new("word").limit(1000)).expect("an answer");
    assert_eq!((found.total as usize, found.coverage.not_indexed), (left.len(), 0));
    for (no, id) in left {
        let one = session.search(&SearchRequest::new(&format!("text{no}"))).expect("an answer");
        assert_eq!(one.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [*id]);
    }
}

fn is_sound(archive: &Archive) -> VerifyReport {
    let report = verify(archive);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    report
}

#[test]
fn p9_a_compaction_erases_what_was_deleted_and_nothing_else() {
    for packed in [false, true] {
        let (files, mut archive) = Files::create_with(small());
        let session = archive.session(Actor::System);
        let mut all: Vec<_> = (0..40).map(|no| (no, put(&session, no, if no % 3 == 0 { "anna/inbox" } else { "anna/other" }))).collect();
        if packed {
            archive.close().expect("closed");
            archive = files.try_open_with(small()).expect("opened");
        }
        indexed(&archive);
        let session = archive.session(Actor::System);
        let head = session.stats(&Progress::new()).unwrap().stores[0].head_text();
        let gone: Vec<_> = all.extract_if(.., |(no, _)| *no % 4 == 1).collect();
        delete(&session, &gone.iter().map(|(_, id)| *id).collect::<Vec<_>>());
        let plan = session.compact(CompactOptions { dry_run: true, ..CompactOptions::default() }, &Progress::new()).expect("a plan");
        assert_eq!((plan.erased.messages, plan.erased.mails), (10, 10));
        let report = compact(&archive);
        assert_eq!((&report.erased, report.left.as_slice(), report.resumed), (&plan.erased, &[][..], false));
        assert!(report.bytes_after < report.bytes_before, "{report:?}");
        holds(&archive, &all);
        is_sound(&archive);
        // Again there is nothing to do.
        assert_eq!(compact(&archive).erased.messages, 0);
        for rebuilt in [false, true] {
            archive.close().expect("closed");
            if rebuilt {
                for path in files.paths_with("/catalog/").into_iter().chain(files.paths_with("/index/")) {
                    files.remove(&path);
                }
            }
            archive = files.try_open_with(small()).expect("opened");
            assert!(archive.notices().is_empty(), "{:?}", archive.notices());
            indexed(&archive);
            holds(&archive, &all);
            let report = is_sound(&archive);
            assert_eq!((report.messages, report.lost_messages), (30, 0));
            let session = archive.session(Actor::System);
            for (_, id) in &gone {
                assert_eq!(session.raw(*id).map_err(|error| error.code()), Err("no_such_message"));
                assert_eq!(session.undelete(&[*id], "no").map_err(|error| error.code()), Err("no_such_message"));
            }
            assert_eq!(session.deleted().count(), 0);
        }
        // Ids and numbers of what was erased are not given again; the mail itself may come again.
        let session = archive.session(Actor::System);
        let again = put(&session, 1, "anna/other");
        assert!(again > all[all.len() - 1].1 && !gone.iter().any(|(_, id)| *id == again), "{again}");
        assert!(session.stats(&Progress::new()).unwrap().stores[0].head_text() != head);
        archive.close().expect("closed");
        let archive = files.open();
        all.push((1, again));
        holds(&archive, &all);
        is_sound(&archive);
    }
}

/// What is moved must not come into a container that goes too.
#[test]
fn p9_nothing_is_lost_when_all_containers_go() {
    let (files, archive) = Files::create_with(small());
    let session = archive.session(Actor::System);
    let (mut all, mut gone) = (Vec::new(), Vec::new());
    for import in 0..6 {
        let range = import * 40..(import + 1) * 40;
        let bulk = crate::fixture::mbox(&range.clone().map(mail).collect::<Vec<_>>());
        let (_, told) = crate::fixture::put_stream(&archive, &bulk, "list.mbox", &Default::default());
        let ids = told.receipts.iter().map(archive_core::Receipt::id);
        range.zip(ids).for_each(|(no, id)| if no % 10 == 3 { gone.push(id) } else { all.push((no, id)) });
    }
    assert!(files.paths_with("/content/").len() > 3);
    delete(&session, &gone);
    let report = compact(&archive);
    assert!(report.is_done() && report.containers > 3, "{report:?}");
    indexed(&archive);
    holds(&archive, &all);
    is_sound(&archive);
    archive.close().expect("closed");
    let archive = files.try_open_with(small()).expect("opened");
    holds(&archive, &all);
    is_sound(&archive);
}

#[test]
fn p8_p9_an_index_is_rebuilt_after_the_newest_mails_were_erased() {
    let (files, archive) = Files::create_with(small());
    let session = archive.session(Actor::System);
    let mut all: Vec<_> = (0..10).map(|no| (no, put(&session, no, "anna/inbox"))).collect();
    indexed(&archive);
    delete(&session, &all.split_off(7).into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    assert!(compact(&archive).is_done());
    session.rebuild_store_index(1, &Progress::new()).expect("built again");
    holds(&archive, &all);
    all.push((20, put(&session, 20, "anna/inbox")));
    indexed(&archive);
    holds(&archive, &all);
    archive.close().expect("closed");
    let archive = files.try_open_with(small()).expect("opened");
    holds(&archive, &all);
    is_sound(&archive);
}

#[test]
fn p9_mails_that_come_during_a_compaction_are_kept() {
    let (files, archive) = Files::create_with(small());
    let session = archive.session(Actor::System);
    let mut all: Vec<_> = (0..60).map(|no| (no, put(&session, no, "anna/inbox"))).collect();
    let gone: Vec<_> = all.extract_if(.., |(no, _)| *no % 5 == 1).map(|(_, id)| id).collect();
    delete(&session, &gone);
    // Each report of the compaction archives one more: before, between and after its steps.
    let (more, archiving) = (Arc::new(Mutex::new(Vec::new())), session.clone());
    let noted = Arc::clone(&more);
    let progress = Progress::reporting(move |_| {
        let mut noted = noted.lock().unwrap();
        let no = 1000 + noted.len();
        if noted.len() < 60 {
            noted.push((no, put(&archiving, no, "anna/other")));
        }
        ControlFlow::Continue(())
    });
    let report = session.compact(CompactOptions::default(), &progress).expect("compacted");
    assert!(report.is_done(), "{report:?}");
    all.extend(more.lock().unwrap().iter().copied());
    assert!(all.len() > 55, "{}", all.len());
    indexed(&archive);
    holds(&archive, &all);
    is_sound(&archive);
    archive.close().expect("closed");
    let archive = files.open();
    indexed(&archive);
    holds(&archive, &all);
}

#[test]
fn p9_p13_a_compaction_that_was_stopped_goes_on_where_it_was() {
    // Every step at first, then ever fewer of those that move mails.
    for stop in std::iter::successors(Some(0u32), |stop| Some(stop + 1 + stop / 8)).take(60) {
        let (files, archive) = Files::create_with(small());
        let session = archive.session(Actor::System);
        let mut all: Vec<_> = (0..30).map(|no| (no, put(&session, no, "anna/inbox"))).collect();
        let gone: Vec<_> = all.extract_if(.., |(no, _)| *no % 5 == 1).map(|(_, id)| id).collect();
        delete(&session, &gone);
        let left = AtomicU32::new(stop);
        let progress = Progress::reporting(move |_| match left.fetch_sub(1, Ordering::SeqCst) {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let stopped = session.compact(CompactOptions::default(), &progress);
        indexed(&archive);
        holds(&archive, &all);
        if stop % 2 == 0 {
            archive.close().expect("closed");
        } else {
            drop((session, archive));
        }
        let archive = files.try_open_with(small()).expect("opened");
        indexed(&archive);
        holds(&archive, &all);
        is_sound(&archive);
        let plan = archive
            .session(Actor::System)
            .compact(CompactOptions { dry_run: true, ..CompactOptions::default() }, &Progress::new())
            .expect("a plan");
        assert_eq!(plan.resumed, stopped.is_err());
        let report = compact(&archive);
        assert!(report.is_done() && report.resumed == stopped.is_err(), "{report:?}");
        holds(&archive, &all);
        if stopped.is_ok() {
            assert!(stop > 4);
            return;
        }
        assert_eq!(stopped.map_err(|error| error.code()), Err("stopped"));
    }
    panic!("no compaction came to its end");
}

/// A copy elsewhere keeps the bytes; only the deleted message goes.
#[test]
fn p9_a_mail_that_is_in_two_folders_stays_in_the_other() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let first: Vec<_> = (0..4).map(|no| put(&session, no, "anna/inbox")).collect();
    let second: Vec<_> = (0..4).map(|no| put(&session, no, "anna/copies")).collect();
    // The first of one, the second of another, both of a third.
    delete(&session, &[first[0], second[1], first[2], second[2]]);
    let report = compact(&archive);
    assert_eq!((report.erased.messages, report.erased.mails), (4, 1));
    let left = [(0, second[0]), (1, first[1]), (3, first[3]), (3, second[3])];
    let shows = |archive: &Archive| {
        let session = archive.session(Actor::System);
        for (no, id) in left {
            assert_eq!(session.raw(id).expect("a mail"), mail(no));
            let found = session.search(&SearchRequest::new(&format!("text{no}"))).expect("an answer");
            assert!(found.hits.iter().any(|hit| hit.id == id), "{no}");
        }
        assert_eq!(session.search(&SearchRequest::new("word")).expect("an answer").total, 4);
        assert_eq!(session.search(&SearchRequest::new("in:anna/copies")).expect("an answer").total, 2);
        assert_eq!(session.search(&SearchRequest::new("text2")).expect("an answer").total, 0);
        is_sound(archive);
    };
    indexed(&archive);
    shows(&archive);
    archive.close().expect("closed");
    for path in files.paths_with("/catalog/").into_iter().chain(files.paths_with("/index/")) {
        files.remove(&path);
    }
    let archive = files.open();
    indexed(&archive);
    shows(&archive);
    // The next message of a folder gets a number that none had.
    let session = archive.session(Actor::System);
    let new = put(&session, 9, "anna/copies");
    let numbers: BTreeSet<u32> = session
        .messages()
        .map(|info| info.unwrap())
        .filter(|info| info.folder == folder("anna/copies"))
        .map(|info| info.number_in_folder)
        .collect();
    assert_eq!(session.message(new).expect("a message").number_in_folder, 5);
    assert_eq!(numbers.len(), 3);
}

/// What damaged mails are read from is not erased.
#[test]
fn p3_p9_what_a_damaged_mail_is_read_from_stays() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..6).map(|no| put(&session, no, "anna/inbox")).collect();
    archive.close().expect("closed");
    let [container] = &*files.paths_with("/content/") else { panic!("one container") };
    let middle = files.bytes(container).len() / 2;
    files.flip(container, middle);
    let archive = files.open();
    let session = archive.session(Actor::System);
    let hit: Vec<_> = (0..6).filter(|no| session.raw(ids[*no]).is_err()).collect();
    assert!(!hit.is_empty());
    // Archived again elsewhere, which is a new message whose content heals the old one; and deleted there.
    let again: Vec<_> = hit.iter().map(|no| put(&session, *no, "anna/copies")).collect();
    hit.iter().for_each(|no| assert_eq!(session.raw(ids[*no]).expect("healed"), mail(*no)));
    let copies: Vec<_> = again.iter().copied().filter(|id| !ids.contains(id)).collect();
    if !copies.is_empty() {
        delete(&session, &copies);
    }
    compact(&archive);
    hit.iter().for_each(|no| assert_eq!(session.raw(ids[*no]).expect("still healed"), mail(*no)));
    archive.close().expect("closed");
    let archive = files.open();
    (0..6).for_each(|no| assert_eq!(archive.session(Actor::System).raw(ids[no]).expect("a mail"), mail(no)));
}

fn lose_caches(files: &Files) {
    for path in files.paths_with("/catalog/").into_iter().chain(files.paths_with("/index/")) {
        files.remove(&path);
    }
}

/// Two mails share a damaged attachment, and are read from the one that came again with the second: when that one is erased,
/// the first is read as before, and after the catalog was made anew too.
#[test]
fn p3_p9_a_damaged_attachment_is_read_from_the_one_that_came_again_whatever_is_erased() {
    let (files, archive) = Files::create();
    let attachment = crate::fixture::base64(&crate::fixture::Dice(17).bytes(900_000), 76, "\n");
    let with = |text: &str| {
        let head = format!("Subject: {text}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b\n");
        format!("{head}Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n{attachment}--b--\n").into_bytes()
    };
    let mails = [with("first"), with("second"), with("third")];
    let ids: Vec<_> = crate::fixture::put_each(&archive, &mails[..2]).iter().map(archive_core::Receipt::id).collect();
    archive.close().expect("closed");
    let path = files.paths_with("/content/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 2);
    let archive = files.open();
    verify(&archive);
    crate::fixture::put_each(&archive, &mails[1..2]);
    let third = crate::fixture::put_each(&archive, &mails[2..])[0].id();
    let session = archive.session(Actor::System);
    delete(&session, &[ids[1]]);
    assert!(compact(&archive).erased.messages <= 1);
    assert!(session.raw(ids[0]).expect("healed") == mails[0]);
    archive.close().expect("closed");
    lose_caches(&files);
    let archive = files.open();
    let session = archive.session(Actor::System);
    delete(&session, &[third]);
    compact(&archive);
    assert!(session.raw(ids[0]).expect("healed") == mails[0]);
    archive.close().expect("closed");
    lose_caches(&files);
    assert!(files.open().session(Actor::System).raw(ids[0]).expect("healed") == mails[0]);
}

/// A mail in several containers, of which only some go, leaves nothing behind when it goes itself.
#[test]
fn p9_a_mail_across_containers_goes_as_a_whole() {
    let (files, archive) = Files::create_with(small());
    let long = |no: usize| -> Vec<u8> {
        let noise = crate::fixture::base64(&crate::fixture::Dice(no as u64).bytes(3 << 20), 76, "\n");
        format!("Subject: long {no}\nContent-Type: text/plain; charset=x{no}\n\n{}", noise.replace('\n', " .\n")).into_bytes()
    };
    let all: Vec<_> = (0..3).map(|no| (no, crate::fixture::put(&archive, "anna/inbox", long(no)).id())).collect();
    assert!(files.paths_with("/content/").len() > 6);
    let session = archive.session(Actor::System);
    for (at, (_, id)) in all.iter().enumerate() {
        delete(&session, &[*id]);
        assert!(compact(&archive).is_done());
        for (no, id) in &all[at + 1..] {
            assert!(session.raw(*id).expect("a mail") == long(*no));
        }
        is_sound(&archive);
    }
    let left: usize = files.paths_with("/content/").iter().map(|path| files.bytes(path).len()).sum();
    assert!(left < 20_000, "{left} bytes");
}

#[test]
fn p9_pages_of_a_search_that_began_before_show_nothing_that_was_erased() {
    let (_files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..6).map(|no| put(&session, no, "anna/inbox")).collect();
    indexed(&archive);
    let mut pages = session.search_pages(&SearchRequest::new("word").limit(2).with_snippets()).expect("a search");
    let first = pages.next().expect("a page").expect("hits").hits;
    let gone: Vec<_> = ids.iter().copied().filter(|id| !first.iter().any(|hit| hit.id == *id)).collect();
    delete(&session, &gone);
    compact(&archive);
    for page in pages {
        assert_eq!(page.expect("a page").hits, []);
    }
    assert!(compact(&archive).is_done());
}

/// A folder that came back with a message stays when the message is erased.
#[test]
fn p4_p9_a_folder_is_there_after_an_erasure_as_before() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let id = put(&session, 1, "anna/other");
    delete(&session, &[id]);
    session.remove_folder(&folder("anna/other"), Default::default()).expect("removed");
    session.undelete(&[id], "a test").expect("back");
    delete(&session, &[id]);
    assert!(compact(&archive).is_done());
    let folders = |archive: &Archive| {
        archive.session(Actor::System).folders().expect("folders").iter().map(|one| one.path.to_string()).collect::<Vec<_>>()
    };
    let before = folders(&archive);
    archive.close().expect("closed");
    lose_caches(&files);
    assert_eq!(folders(&files.open()), before);
}
