//! Tests of what must be equal and what must differ between examined mails.

use std::path::Path;

use proptest::prelude::*;

use super::super::join::join;
use super::super::walk;
use super::*;

fn in_chunks(raw: &[u8], chunk: usize) -> Examined {
    let mut examiner = Examiner::new(Split::default());
    raw.chunks(chunk.max(1)).for_each(|bytes| examiner.push(bytes));
    let Ok((split, Examination { len, digest, identity, restated, facts, extents })) = examiner.finish();
    assert_eq!(len, raw.len() as u64);
    Examined { digest, identity, restated, facts, split: Split { extents, ..split } }
}

fn identity(mail: &str) -> Identity {
    examine(mail.as_bytes()).identity
}

const MAIL: &str = "Received: by x\nMessage-ID: <a@b>\nSubject: one\n two\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n\n--b\n\
    Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nYWJj\nZGVm\n--b--\n";

#[test]
fn identity_does_not_see_transport() {
    for other in [
        MAIL.replace("Received: by x\n", "Return-Path: <y>\nStatus: RO\n"),
        MAIL.replace('\n', "\r\n"),
        MAIL.replace("YWJj\nZGVm", "YWJjZGVm\n"),
        MAIL.replace("Subject: one\n two", "Subject:  one two "),
        MAIL.replace("text\n\n", "text\n\n\n\n"),
    ] {
        assert_eq!(identity(&other), identity(MAIL), "{other}");
    }
}

#[test]
fn identity_sees_headers_bodies_and_names() {
    for other in [
        MAIL.replace("<a@b>", "<a@c>"),
        MAIL.replace("one\n two", "one\n three"),
        MAIL.replace("text", "test"),
        MAIL.replace("text", "te\nxt"),
        MAIL.replace("YWJj", "YWJk"),
        MAIL.replace("a.png", "b.png"),
        MAIL.replace("--b--", "--b\n\nmore\n--b--"),
        MAIL.replace("boundary=b", "boundary=c"),
        MAIL.replace("boundary=b", "boundary=c").replace("text", "test"),
        MAIL.replace("Subject: ", "Sender: "),
    ] {
        assert_ne!(identity(&other), identity(MAIL), "{other}");
    }
    let undivided = MAIL.replace("boundary=b", "boundary=c");
    assert_ne!(identity(&undivided), identity(&undivided.replace("text", "test")));
    let nested = format!("Content-Type: message/rfc822\n\n{MAIL}");
    assert_ne!(identity(&nested), identity(&nested.replace("Subject: one", "Subject: two")));
}

#[test]
fn the_restated_digest_is_that_of_the_mail_without_its_status_fields() {
    let kept = "From a\nSubject: x\n\nStatus: body\n";
    let status = "From a\nStatus: RO\nX-Mozilla-Keys: a\n  b\nSubject: x\nlines: 3\n\nStatus: body\n";
    assert_eq!(examine(kept.as_bytes()).restated, None);
    assert_eq!(examine(status.as_bytes()).restated, Some(Digest::of(kept.as_bytes())));
    assert_eq!(examine(b"Status: O").restated, Some(Digest::of(b"")));
}

proptest! {
    #[test]
    fn any_mail_is_joined_again_and_chunks_change_nothing(mail in walk::tests::mails(), chunk in 1_usize..64) {
        let whole = examine(&mail);
        prop_assert_eq!(&join(&whole.split).unwrap(), &mail);
        prop_assert_eq!(whole.digest, Digest::of(&mail));
        prop_assert_eq!(in_chunks(&mail, chunk), whole);
    }

    #[test]
    fn any_header_has_facts(header in "[ -~\\r\\n\\t\u{80}-\u{ff}]{0,200}", name in prop::sample::select(vec!["From", "To", "Date", "Subject", "References"])) {
        for mail in [format!("{name}: {header}"), format!("{name}: =?utf-8?b?{header}?= <{header}")] {
            prop_assert_eq!(join(&examine(mail.as_bytes()).split).unwrap(), mail.into_bytes());
        }
    }
}

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
}

#[test]
fn mails_that_parsers_stumble_over_are_joined_again_and_chunks_change_nothing() {
    let Some(corpora) = std::env::var_os("MAILKEEP_CORPORA") else {
        println!("skipped: MAILKEEP_CORPORA names no folder");
        return;
    };
    let mut paths = Vec::new();
    for part in ["torture", "journal", "mbox/phishing-eml", "mbox/osst-users.maildir"] {
        files(&Path::new(&corpora).join(part), &mut paths);
    }
    assert!(paths.len() > 3_000);
    for path in paths {
        let raw = std::fs::read(&path).unwrap();
        let whole = examine(&raw);
        assert!(join(&whole.split).unwrap() == raw, "{}", path.display());
        assert_eq!(whole.digest, Digest::of(&raw), "{}", path.display());
        for chunk in [97, 4096] {
            assert!(in_chunks(&raw, chunk) == whole, "{} in chunks of {chunk}", path.display());
        }
    }
}
