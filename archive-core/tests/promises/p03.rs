//! What comes out is byte for byte what went in; every read checks it.

use archive_core::source::refused;
use archive_core::{Actor, Digest, Error, ImportOptions, ImportSource};
use proptest::prelude::*;

use crate::fixture::{Files, Told, corpora, folder, mixed, put_each};

/// Pieces of mails that parsers stumble over, in any order.
fn odd_mail() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"Content-Type: multipart/mixed; boundary=b\n".to_vec()),
        Just(b"Content-Type: message/rfc822\r\n".to_vec()),
        Just(b"Content-Transfer-Encoding: base64\n".to_vec()),
        Just(b"Content-Transfer-Encoding: quoted-printable\n".to_vec()),
        Just(b"Status: RO\n".to_vec()),
        Just(b"From someone Thu Jan  2 03:04:05 2020\n".to_vec()),
        Just(b"--b\n".to_vec()),
        Just(b"--b--\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\0\0".to_vec()),
        (1usize..400, 1usize..100).prop_map(|(lines, width)| (("QUJD".repeat(width) + "\n").repeat(lines)).into_bytes()),
        (1usize..60).prop_map(|lines| ("QUJDREVG".repeat(9) + "QUI=\r\n").repeat(lines).into_bytes()),
        "[ -~]{0,80}\n".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..200),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn odd_mails_come_back_as_they_were(mails in proptest::collection::vec(odd_mail().prop_filter("a mail", |mail| refused(mail).is_none()), 1..6)) {
        let (files, archive) = Files::create();
        let receipts = put_each(&archive, &mails);
        let all = |archive: &archive_core::Archive| -> Result<(), TestCaseError> {
            let session = archive.session(Actor::System);
            for (mail, receipt) in mails.iter().zip(&receipts) {
                prop_assert_eq!(receipt.digest(), Digest::of(mail));
                // A duplicate may differ in status headers, and then the first stays.
                let same = matches!(receipt.outcome(), archive_core::Outcome::Duplicate { restated: true });
                prop_assert!(same || session.raw(receipt.id()).expect("readable") == *mail);
            }
            Ok(())
        };
        all(&archive)?;
        archive.close().expect("closed");
        all(&files.open())?;
    }
}

#[test]
fn every_mail_of_the_torture_corpus_comes_back_as_it_was() {
    let Some(corpora) = corpora() else { return };
    let torture = corpora.join("torture");
    let (files, archive) = Files::create();
    let mut told = Told::default();
    let options = ImportOptions { into: Some(folder("anna/torture")), ..ImportOptions::default() };
    let report = archive.session(Actor::System).import(ImportSource::Path(&torture), &options, &mut told).expect("imported");
    assert_eq!(report.read, report.stored + report.duplicate + report.failed, "{report:?}");
    assert!(report.stored > 2000, "{report:?}");
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    let mut whole = 0;
    for receipt in &told.receipts {
        if matches!(receipt.outcome(), archive_core::Outcome::Duplicate { restated: true }) {
            continue;
        }
        let raw = session.raw(receipt.id()).expect("readable");
        assert_eq!(Digest::of(&raw), receipt.digest(), "{}", receipt.source());
        let file = std::fs::read(torture.join(receipt.source())).unwrap_or_default();
        whole += usize::from(file == raw);
    }
    println!("{whole} of {} mails are a file as it is", told.receipts.len());
    assert!(whole > 2000, "{whole} of {}", told.receipts.len());
}

#[test]
fn a_flipped_byte_is_never_given_back() {
    let (files, archive) = Files::create();
    let mails = mixed();
    let receipts = put_each(&archive, &mails);
    archive.close().expect("closed");
    let containers = files.paths_with("/content/");
    assert!(!containers.is_empty(), "closing packs small commits into containers");
    for path in containers {
        let len = files.bytes(&path).len();
        let mut hit = 0;
        for step in 1..12 {
            let changed = files.copy();
            changed.flip(&path, len * step / 12);
            let Ok(archive) = changed.try_open() else { continue };
            let session = archive.session(Actor::System);
            for (mail, receipt) in mails.iter().zip(&receipts) {
                match session.raw(receipt.id()) {
                    Ok(raw) => assert_eq!(raw, *mail),
                    Err(Error::Damage(damage)) => {
                        hit += 1;
                        assert_eq!(damage.file, path);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert!(hit > 0, "{}: no flip met a content", path.display());
    }
}
