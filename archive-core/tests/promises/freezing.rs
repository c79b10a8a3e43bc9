//! A copy that is taken while the archive is frozen is a state that the archive had (P1, P13).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use archive_core::{Actor, OpenOptions};

use crate::fixture::{Files, folder, plain, verify};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

fn bytes(files: &Files) -> BTreeMap<PathBuf, Vec<u8>> {
    files.paths().into_iter().map(|path| (path.clone(), files.bytes(&path))).collect()
}

#[test]
fn p1_p13_a_copy_taken_under_freeze_has_every_receipt_from_before_it() {
    let (files, archive) = Files::create_with(OpenOptions::default().memory(16 << 20).container_limit(100 << 10));
    let mails = plain(3000, 60, 7);
    let (receipts, ended) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let session = archive.session(Actor::System);
            for mail in &mails {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let receipt = session.import_one(mail, &folder("anna/inbox")).expect("archived");
                receipts.lock().unwrap().push((receipt.id(), mail.clone()));
            }
        });
        for more in [10, 50, 200] {
            while receipts.lock().unwrap().len() < more {
                std::thread::yield_now();
            }
            let frozen = archive.freeze(LONG).expect("frozen");
            let before = receipts.lock().unwrap().clone();
            let (copy, then) = (files.copy(), bytes(&files));
            // Reading goes on.
            assert_eq!(archive.session(Actor::System).raw(before[0].0).expect("a mail"), before[0].1);
            assert_eq!(archive.freeze(LONG).map(drop).map_err(|error| error.code()), Err("misuse"));
            assert!(then == bytes(&files), "a file changed while the archive was frozen");
            assert!(frozen.thaw());
            let copied = copy.open();
            let session = copied.session(Actor::System);
            for (id, mail) in &before {
                assert_eq!(session.raw(*id).expect("a mail with a receipt"), *mail);
            }
            let report = verify(&copied);
            assert!(report.findings.is_empty(), "{:?}", report.findings);
            copied.close().expect("closed");
        }
        ended.store(true, Ordering::SeqCst);
    });
    archive.close().expect("closed");
    let archive = files.open();
    for (id, mail) in receipts.into_inner().unwrap() {
        assert_eq!(archive.session(Actor::System).raw(id).expect("a mail with a receipt"), mail);
    }
}

#[test]
fn p13_a_freeze_ends_with_its_time_when_it_is_dropped_and_when_it_is_thawed() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let put = |no: u32| session.import_one(format!("Subject: {no}\n\n").as_bytes(), &folder("anna/inbox")).expect("archived");
    let late = archive.freeze(Duration::ZERO).expect("frozen");
    put(1);
    assert!(!late.thaw(), "its time was over");
    drop(archive.freeze(LONG).expect("frozen"));
    put(2);
    assert!(archive.freeze(Duration::MAX).expect("frozen").thaw());
    put(3);
    archive.close().expect("closed");
    let reader = files.try_open_with(OpenOptions::default().read_only(true)).expect("opened");
    assert_eq!(reader.freeze(LONG).map(drop).map_err(|error| error.code()), Err("read_only"));
}

/// It used to wait for a commit that waited for the first freeze.
#[test]
fn p13_a_second_freeze_is_refused_at_once_while_mail_waits_to_be_archived() {
    let (_files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let frozen = archive.freeze(LONG).expect("frozen");
    let begun = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (session, begun) = (&session, &begun);
        let waits = scope.spawn(move || {
            begun.store(true, Ordering::SeqCst);
            session.import_one(b"Subject: late\n\n", &folder("anna/inbox")).expect("archived")
        });
        while !begun.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        // Sooner or later the import is in its commit.
        for _ in 0..2000 {
            assert_eq!(archive.freeze(LONG).map(drop).map_err(|error| error.code()), Err("misuse"));
            std::thread::yield_now();
        }
        assert!(!waits.is_finished());
        assert!(frozen.thaw());
        waits.join().expect("archived");
    });
}
