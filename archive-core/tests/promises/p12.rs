//! No mail is refused for what it is; what the source cannot give is named; the numbers add up.

use archive_core::source::TroubleKind;
use archive_core::{Actor, Archive, Digest, ImportOptions, ImportReport, ImportSource, SearchRequest};

use crate::fixture::{Files, Told, corpora, folder, mbox, plain, put_stream};

/// Imports one mail as it is and reads it back.
fn comes_back(what: &str, mail: &[u8]) {
    let (files, archive) = Files::create();
    let (report, told) = put_stream(&archive, mail, "mail.eml", &ImportOptions::default());
    assert_eq!((report.read, report.stored, report.failed), (1, 1, 0), "{what}: {report:?}");
    assert_eq!(told.receipts[0].digest(), Digest::of(mail), "{what}");
    assert!(archive.session(Actor::System).raw(told.receipts[0].id()).expect("readable") == mail, "{what}");
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert!(session.raw(told.receipts[0].id()).expect("readable") == mail, "{what}");
    assert_eq!(session.search(&SearchRequest::new("*")).expect("an answer").total, 1, "{what}: found by everything");
}

#[test]
fn a_line_of_many_megabytes() {
    comes_back("a line", &[b"Subject: long\n\n".to_vec(), b"word ".repeat(5 << 20)].concat());
    comes_back("a line without a blank", &[b"Subject: long\n\n".to_vec(), vec![b'x'; 20 << 20]].concat());
}

#[test]
fn a_header_of_many_megabytes() {
    comes_back("a field", &[b"Subject: ".to_vec(), b"word ".repeat(4 << 20), b"\n\nbody\n".to_vec()].concat());
    comes_back("folded", &[b"To: a@example.org".to_vec(), b",\n b@example.org".repeat(1 << 20), b"\n\nbody\n".to_vec()].concat());
}

#[test]
fn a_million_headers() {
    comes_back("headers", &[b"A: b\n".repeat(1_000_000), b"\nbody\n".to_vec()].concat());
    comes_back("received", &[b"Subject: x\n".repeat(1_000_000), b"\nbody\n".to_vec()].concat());
}

#[test]
fn a_million_parts() {
    let head = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    comes_back("parts", &[head.clone(), b"--b\n\nx\n".repeat(1_000_000), b"--b--\n".to_vec()].concat());
    comes_back("empty parts", &[head, b"--b\n".repeat(1_000_000)].concat());
}

#[test]
fn a_hundred_thousand_mails_in_one_another() {
    comes_back("message/rfc822", &[b"Content-Type: message/rfc822\n\n".repeat(100_000), b"deep\n".to_vec()].concat());
    let multipart: Vec<u8> =
        (0..100_000).flat_map(|no| format!("Content-Type: multipart/mixed; boundary=b{no}\n\n--b{no}\n").into_bytes()).collect();
    comes_back("multipart", &multipart);
}

#[test]
fn charsets_and_dates_that_are_none() {
    for head in [
        "Content-Type: text/plain; charset=klingon\n",
        "Content-Type: text/plain; charset=\"\"\n",
        "Content-Type: text/plain; charset=utf-7\n",
        "Content-Type: ;;;===\n",
        "Content-Transfer-Encoding: rot13\n",
        "Date: yesterday\n",
        "Date: Mon, 99 Foo 99999 99:99:99 +9999\n",
        "Date: \n",
        "Date: 1 Jan 0000 00:00:00 -0000\n",
        "Subject: =?klingon?b?////?=\n",
        "Subject: =?utf-8?q?=ZZ?= =?utf-8?b?!!!?=\n",
        "From: @@@<>,,;;\"\n",
        "Message-ID: <<<>>>\n",
    ] {
        comes_back(head, format!("{head}\n\u{fffd}\u{0}words \u{1F600}\n").as_bytes());
        comes_back(head, &[head.as_bytes(), b"\n\xff\xfe\x80\x00\x1b$B words\n"].concat());
    }
}

#[test]
fn bytes_that_are_no_mail_demanded_as_one() {
    comes_back("NUL", &[&[0; 5000][..], b"x", &[0; 5000]].concat());
    comes_back("one byte", b"x");
    comes_back("line ends", b"\r\n\n\r\r\n");
    comes_back("colons", b":::::\n: :\n");
    comes_back("noise", &crate::fixture::Dice(5).bytes(100_000));
}

#[test]
fn what_is_no_mailbox_is_said() {
    let (_, archive) = Files::create();
    let (report, told) = put_stream(&archive, b"just some words\n", "not-a.mbox", &ImportOptions::default());
    assert_eq!((report.stored, report.failed), (0, 1), "{report:?}");
    assert!(matches!(told.troubles[0].kind, TroubleKind::NotAnMbox), "{:?}", told.troubles);
    let (report, told) = put_stream(&archive, b"", "empty.mbox", &ImportOptions::default());
    assert_eq!((report.read, report.stored, report.failed), (0, 0, 0), "{report:?}");
    assert!(matches!(told.troubles[0].kind, TroubleKind::EmptyFile), "{:?}", told.troubles);
}

#[test]
fn a_cut_file_gives_what_it_has() {
    let (_, archive) = Files::create();
    let whole = mbox(&plain(20, 100, 51));
    let cut = &whole[..whole.len() * 7 / 10];
    let (report, _) = put_stream(&archive, cut, "cut.mbox", &ImportOptions::default());
    assert!((13..=15).contains(&report.stored), "{report:?}");
    let (report, _) = put_stream(&archive, &whole, "cut.mbox", &ImportOptions::default());
    assert_eq!(report.read, 20);
    assert!(report.stored >= 6, "the cut mail and those behind it are new: {report:?}");
}

fn import_dir(archive: &Archive, dir: &std::path::Path) -> (ImportReport, Told) {
    let mut told = Told::default();
    let options = ImportOptions { into: Some(folder("anna/tree")), ..ImportOptions::default() };
    let report = archive.session(Actor::System).import(ImportSource::Path(dir), &options, &mut told).expect("imported");
    assert_eq!(report.read, report.stored + report.duplicate + report.failed, "{report:?}");
    (report, told)
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_and_files_that_cannot_be_read() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9 \x80.eml");
    std::fs::write(dir.path().join(name), b"Subject: one\n\none\n").expect("written");
    let below = dir.path().join(std::ffi::OsStr::from_bytes(b"\xfe\xff"));
    std::fs::create_dir(&below).expect("a folder");
    std::fs::write(below.join("two.eml"), b"Subject: two\n\ntwo\n").expect("written");
    std::os::unix::fs::symlink(dir.path(), dir.path().join("circle")).expect("a link");
    std::os::unix::fs::symlink("/nowhere/at/all.eml", dir.path().join("dangling.eml")).expect("a link");
    let closed = dir.path().join("closed.eml");
    std::fs::write(&closed, b"Subject: closed\n\nclosed\n").expect("written");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o0)).expect("closed");
    let readable = std::fs::read(&closed).is_ok();
    let (_, archive) = Files::create();
    let (report, told) = import_dir(&archive, dir.path());
    if readable {
        println!("skipped: the superuser reads every file");
        assert_eq!(report.stored, 3, "{report:?} {:?}", told.troubles);
    } else {
        assert_eq!(report.stored, 2, "{report:?} {:?}", told.troubles);
        let named = |trouble: &archive_core::source::Trouble| trouble.source == "closed.eml" && trouble.kind.is_loss();
        assert!(told.troubles.iter().any(named), "{:?}", told.troubles);
    }
    assert!(told.troubles.iter().any(|trouble| trouble.source == "dangling.eml"), "{:?}", told.troubles);
}

#[test]
fn a_source_that_breaks_off_keeps_what_came_before() {
    struct Breaking<'a>(&'a [u8]);
    impl std::io::Read for Breaking<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Err(std::io::Error::other("the cable was pulled"));
            }
            self.0.read(buf)
        }
    }
    let (_, archive) = Files::create();
    let bytes = mbox(&plain(20, 100, 52));
    let mut told = Told::default();
    let source = ImportSource::Stream(&mut Breaking(&bytes), "pulled.mbox");
    let report = archive.session(Actor::System).import(source, &ImportOptions::default(), &mut told).expect("it goes on as far as it can");
    assert_eq!(report.read, report.stored + report.duplicate + report.failed, "{report:?}");
    assert!(report.stored >= 19 && report.failed == 1, "{report:?}");
    assert!(told.troubles.iter().any(|trouble| trouble.kind.to_string().contains("the cable was pulled")), "{:?}", told.troubles);
}

#[test]
fn documents_are_passed_over_and_counted() {
    let Some(corpora) = corpora() else { return };
    let (_, archive) = Files::create();
    let (report, _) = import_dir(&archive, &corpora.join("documents"));
    assert!(report.skipped_files > 300, "{report:?}");
}
