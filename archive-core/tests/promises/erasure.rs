//! What was deleted is gone from every file after a compaction, and nothing else goes (P9).

use std::collections::BTreeSet;

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
    OpenOptions::default().container_limit(100 << 10)
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
        let plan = session.compact(CompactOptions { dry_run: true }, &Progress::new()).expect("a plan");
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
