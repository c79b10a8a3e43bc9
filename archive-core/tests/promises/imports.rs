//! What an import does with mail that is there already, with containers that fill up, and with a caller who goes away.

use archive_core::source::TroubleKind;
use archive_core::{Actor, Depth, Duplicates, Error, ImportEvents, ImportOptions, ImportSource, OpenOptions, Outcome, Progress, Receipt};
use std::ops::ControlFlow;

use crate::fixture::{Files, Told, ask, folder, mbox, mixed, plain, put_stream, verify};

fn into(path: &str) -> ImportOptions {
    ImportOptions { into: Some(folder(path)), ..ImportOptions::default() }
}

#[test]
fn a_mailbox_imported_twice_is_kept_once() {
    let (files, archive) = Files::create();
    let mails = plain(400, 300, 71);
    let source = mbox(&mails);
    let (first, _) = put_stream(&archive, &source, "box.mbox", &into("anna/box"));
    assert_eq!((first.stored, first.duplicate), (400, 0));
    archive.close().expect("closed");
    let before = files.total();
    let archive = files.open();
    let (second, told) = put_stream(&archive, &source, "box.mbox", &into("anna/box"));
    assert_eq!((second.stored, second.duplicate, second.restated), (0, 400, 0));
    assert!(told.receipts.iter().all(|receipt| receipt.outcome() == Outcome::Duplicate { restated: false }));
    let session = archive.session(Actor::System);
    for (mail, receipt) in mails.iter().zip(&told.receipts) {
        assert_eq!(session.raw(receipt.id()).expect("readable"), *mail, "a duplicate's receipt names the message that is kept");
    }
    archive.close().expect("closed");
    let after = files.total();
    assert!(after < before + before / 100, "grew from {before} to {after} bytes");
}

#[test]
fn the_same_mail_in_another_folder_is_a_message_of_the_same_content() {
    let (files, archive) = Files::create();
    let source = mbox(&plain(400, 300, 72));
    put_stream(&archive, &source, "box.mbox", &into("anna/one"));
    archive.close().expect("closed");
    let content = |files: &Files| files.paths_with("/content/").iter().map(|path| files.bytes(path).len()).sum::<usize>();
    let before = content(&files);
    let archive = files.open();
    let (report, _) = put_stream(&archive, &source, "box.mbox", &into("anna/two"));
    assert_eq!((report.stored, report.duplicate), (400, 0));
    let stats = archive.session(Actor::System).stats(&Progress::new()).expect("stats");
    assert_eq!((stats.messages, stats.contents), (800, 400));
    archive.close().expect("closed");
    assert!(content(&files) < before + before / 100, "from {before} to {} bytes", content(&files));
}

#[test]
fn headers_that_mail_programs_change_make_no_new_mail() {
    let (_, archive) = Files::create();
    let mails = plain(30, 40, 73);
    let (first, _) = put_stream(&archive, &mbox(&mails), "box.mbox", &into("anna/box"));
    assert_eq!(first.stored, 30);
    let changed: Vec<Vec<u8>> = mails.iter().map(|mail| [b"Status: RO\nX-Keywords: seen\n", &mail[..]].concat()).collect();
    let (second, _) = put_stream(&archive, &mbox(&changed), "box.mbox", &into("anna/box"));
    assert_eq!((second.stored, second.duplicate, second.restated), (0, 30, 30));
    let exact = ImportOptions { duplicates: Duplicates::Exact, ..into("anna/box") };
    let (third, _) = put_stream(&archive, &mbox(&changed), "box.mbox", &exact);
    assert_eq!((third.stored, third.duplicate), (30, 0), "exact: these bytes are new");
    let (fourth, _) = put_stream(&archive, &mbox(&changed), "box.mbox", &exact);
    assert_eq!((fourth.stored, fourth.duplicate, fourth.restated), (0, 30, 0));
    let same = ImportOptions { duplicates: Duplicates::Archive, ..into("anna/elsewhere") };
    let received: Vec<Vec<u8>> = mails.iter().map(|mail| [b"Received: from x by y\n", &mail[..]].concat()).collect();
    let (fifth, _) = put_stream(&archive, &mbox(&received), "box.mbox", &same);
    assert_eq!((fifth.stored, fifth.duplicate), (0, 30), "archive: the same mail to a person");
}

#[test]
fn a_mail_twice_in_one_source_is_kept_once() {
    let (_, archive) = Files::create();
    let mails = plain(5, 40, 74);
    let twice = [mails.clone(), mails].concat();
    let (report, told) = put_stream(&archive, &mbox(&twice), "box.mbox", &into("anna/box"));
    assert_eq!((report.stored, report.duplicate), (5, 5));
    assert_eq!(told.receipts[0].id(), told.receipts[5].id());
}

#[test]
fn receipts_come_in_the_order_of_the_source() {
    for commit_each in [false, true] {
        let (files, archive) = Files::create();
        let options = ImportOptions { commit_each, ..into("anna/box") };
        let mails = plain(60, 100, 75);
        let (_, told) = put_stream(&archive, &mbox(&mails), "box.mbox", &options);
        assert!(told.receipts.is_sorted_by_key(Receipt::offset));
        assert!(told.receipts.is_sorted_by_key(Receipt::id));
        // Not closed: what has a receipt is there all the same.
        drop(archive);
        let archive = files.open();
        let session = archive.session(Actor::System);
        for (mail, receipt) in mails.iter().zip(&told.receipts) {
            assert_eq!(session.raw(receipt.id()).expect("readable"), *mail);
        }
    }
}

#[test]
fn full_containers_are_closed_and_new_ones_begun() {
    let options = OpenOptions::default().container_limit(100_000);
    let (files, archive) = Files::create_with(options);
    let mails = [mixed(), plain(300, 800, 76)].concat();
    for chunk in mails.chunks(60) {
        put_stream(&archive, &mbox(chunk), "box.mbox", &into("anna/box"));
    }
    archive.close().expect("closed");
    assert!(files.paths_with("/content/").len() >= 4, "{:?}", files.paths_with("/content/"));
    let archive = files.open();
    let report = verify(&archive);
    assert_eq!(report.findings, []);
    assert_eq!(report.messages, mails.len() as u64);
    assert!(ask(&archive).expect("answers").bytes.iter().all(Option::is_some));
}

#[test]
fn an_archive_that_was_dropped_opens_with_all_its_receipts() {
    let (files, archive) = Files::create();
    let (_, told) = put_stream(&archive, &mbox(&mixed()), "box.mbox", &into("anna/box"));
    let before = ask(&archive).expect("answers");
    drop(archive);
    for _ in 0..3 {
        let archive = files.open();
        assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages, told.receipts.len() as u64);
        assert!(ask(&archive).expect("answers") == before);
    }
    assert_eq!(verify(&files.open()).findings, []);
}

struct StopAt<'a>(&'a Progress, u64, Vec<Receipt>);

impl ImportEvents for StopAt<'_> {
    fn receipt(&mut self, receipt: &Receipt) {
        self.2.push(receipt.clone());
        if self.2.len() as u64 == self.1 {
            self.0.cancel();
        }
    }
}

#[test]
fn a_stopped_import_keeps_what_has_a_receipt_and_goes_on_later() {
    let (_, archive) = Files::create();
    let source = mbox(&plain(300, 50, 77));
    let options = ImportOptions { commit_each: true, ..into("anna/box") };
    let mut stop = StopAt(&options.progress, 20, Vec::new());
    let session = archive.session(Actor::System);
    let report = session.import(ImportSource::Stream(&mut &*source, "box.mbox"), &options, &mut stop).expect("stopped, not failed");
    assert!(report.stopped);
    assert_eq!(report.read, report.stored + report.duplicate + report.failed);
    // What was read ahead by then is not archived.
    assert_eq!((report.stored, stop.2.len()), (20, 20));
    assert_eq!(session.stats(&Progress::new()).expect("stats").messages, report.stored);
    let (rest, _) = put_stream(&archive, &source, "box.mbox", &into("anna/box"));
    assert_eq!((rest.read, rest.duplicate), (300, report.stored));
}

#[test]
fn a_source_is_checked_against_the_archive() {
    let (_, archive) = Files::create();
    let mails = plain(40, 50, 78);
    put_stream(&archive, &mbox(&mails[..30]), "box.mbox", &into("anna/box"));
    let source = mbox(&mails);
    let session = archive.session(Actor::System);
    let check = |bytes: &[u8]| {
        let source = ImportSource::Stream(&mut &*bytes, "box.mbox");
        session.check(source, &ImportOptions::default(), &mut archive_core::NoEvents).expect("checked")
    };
    let report = check(&source);
    assert_eq!((report.read, report.present, report.missing), (40, 30, 10));
    put_stream(&archive, &source, "box.mbox", &into("anna/box"));
    let report = check(&source);
    assert_eq!((report.read, report.present, report.missing), (40, 40, 0));
}

#[test]
fn the_structure_alone_can_be_verified() {
    let (_, archive) = Files::create();
    put_stream(&archive, &mbox(&plain(10, 50, 79)), "box.mbox", &into("anna/box"));
    let report = archive.session(Actor::System).verify(Depth::Structure, &Progress::new()).expect("verified");
    assert_eq!((report.findings.len(), report.content_bytes), (0, 0));
}

/// Events of a caller who panics, as soon as one comes.
struct Panics {
    in_receipt: bool,
}

impl ImportEvents for Panics {
    fn receipt(&mut self, _: &Receipt) {
        assert!(!self.in_receipt, "the caller's own panic");
    }
}

#[test]
fn a_caller_who_panics_ends_his_import_and_nothing_waits_for_ever() {
    let (files, archive) = Files::create();
    // More than may be in flight, so that whoever waits for room would wait for ever.
    let source = mbox(&plain(25_000, 200, 73));
    let import = |in_receipt: bool| {
        let session = archive.session(Actor::System);
        let mut stream: &[u8] = &source;
        let progress = Progress::reporting(move |_| {
            assert!(in_receipt, "the caller's own panic");
            ControlFlow::Continue(())
        });
        let options = ImportOptions { progress, ..into("anna/box") };
        session.import(ImportSource::Stream(&mut stream, "box.mbox"), &options, &mut Panics { in_receipt })
    };
    for in_receipt in [true, false] {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| import(in_receipt))).expect_err("the panic goes on");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the caller's own panic"));
    }
    let (report, _) = put_stream(&archive, &source, "box.mbox", &into("anna/box"));
    assert_eq!(report.read, report.stored + report.duplicate);
    drop(archive);
    assert_eq!(ask(&files.open()).expect("answers").messages.len() as u64, report.read);
}

#[test]
fn bytes_that_are_no_mail_are_refused_in_the_same_words_wherever_they_come_from() {
    let (_, archive) = Files::create();
    for (bytes, failed) in [(vec![], 0), (vec![0; 100], 1), (vec![0], 1)] {
        let (report, told) = put_stream(&archive, &bytes, "x.eml", &into("anna/box"));
        assert_eq!((report.stored, report.failed, told.troubles.len()), (0, failed, 1));
        let said = archive.session(Actor::System).import_one(&bytes, &folder("anna/box")).expect_err("refused");
        assert!(matches!(&said, Error::NotAMail { why } if *why == told.troubles[0].kind.to_string()), "{said}");
        assert_eq!((said.to_string(), said.code()), (format!("the mail {}", told.troubles[0].kind), "not_a_mail"));
    }
    assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages, 0);
    assert!(archive.session(Actor::System).import_one(b"\0x", &folder("anna/box")).is_ok());
}

/// A mail of more than is kept in memory, from a medium that fails.
struct Fails(u64);

impl std::io::Read for Fails {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.0).expect("fits").min(buf.len());
        self.0 -= left as u64;
        buf[..left].fill(b'x');
        if left == 0 { Err(std::io::Error::other("the medium fails")) } else { Ok(left) }
    }
}

#[test]
fn a_large_mail_that_the_source_cannot_give_counts_once() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let mut told = Told::default();
    let report = session.import(ImportSource::Stream(&mut Fails(20 << 20), "x.eml"), &into("anna/box"), &mut told).expect("imported");
    assert_eq!((report.read, report.stored, report.failed), (1, 0, 1));
    assert!(matches!(&told.troubles[..], [one] if matches!(&one.kind, TroubleKind::Unreadable(why) if why == "the medium fails")));
    let report = session.check(ImportSource::Stream(&mut Fails(20 << 20), "x.eml"), &ImportOptions::default(), &mut told).expect("checked");
    assert_eq!((report.read, report.missing, report.failed), (0, 0, 1));
}

/// Writes to the source as soon as something of it was read.
fn writes(path: &std::path::Path) -> Progress {
    let path = path.to_owned();
    Progress::reporting(move |_| {
        let mut bytes = std::fs::read(&path).expect("a file");
        bytes.extend_from_slice(b"From a@b.example Thu Jan  2 03:04:05 2020\nSubject: new\n\nText\n\n");
        std::fs::write(&path, bytes).expect("written");
        ControlFlow::Continue(())
    })
}

#[test]
fn a_source_that_is_written_while_it_is_read_is_told_by_import_and_check() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("box.mbox");
    std::fs::write(&path, mbox(&plain(3, 40, 81))).expect("written");
    let kinds = |told: &Told| told.troubles.iter().map(|trouble| trouble.kind.clone()).collect::<Vec<_>>();
    let options = ImportOptions { progress: writes(&path), ..into("anna/box") };
    let mut told = Told::default();
    let report = session.import(ImportSource::Path(&path), &options, &mut told).expect("imported");
    assert_eq!((report.failed, kinds(&told)), (1, vec![TroubleKind::Changed]));
    told.troubles.clear();
    let report = session.check(ImportSource::Path(&path), &options, &mut told).expect("checked");
    assert_eq!((report.failed, kinds(&told)), (1, vec![TroubleKind::Changed]));
    let report = session.check(ImportSource::Path(&path), &ImportOptions::default(), &mut archive_core::NoEvents).expect("checked");
    assert_eq!(report.failed, 0);
}
