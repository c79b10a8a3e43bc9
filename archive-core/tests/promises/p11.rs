//! Damage stays local: it costs the contents whose bytes are hit, and everything else is read and searched.

use archive_core::{Actor, Error, ImportOptions};

use crate::fixture::{Files, ask, mbox, plain, put_each, put_stream, verify};

#[test]
fn a_damaged_block_costs_only_its_contents() {
    let (files, archive) = Files::create();
    // Some megabytes, so that there are several blocks.
    let mails = plain(120, 4000, 41);
    let (_, told) = put_stream(&archive, &mbox(&mails), "many.mbox", &ImportOptions::default());
    archive.close().expect("closed");
    let before = ask(&files.open()).expect("answers");
    let path = files.paths_with("/content/")[0].clone();
    let len = files.bytes(&path).len();
    for step in 1..8 {
        let changed = files.copy();
        changed.flip(&path, len * step / 8);
        let archive = changed.open();
        let findings = verify(&archive).findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        let costs = &findings[0].messages;
        assert_eq!(findings[0].file, path);
        assert!(findings[0].offset <= (len * step / 8) as u64, "{findings:?}");
        assert!(costs.len() < mails.len() / 2, "one block of many: {} of {}", costs.len(), mails.len());
        let acting = archive.acting_as(Actor::System);
        for (mail, receipt) in mails.iter().zip(&told.receipts) {
            match acting.raw(receipt.id()) {
                Ok(raw) => {
                    assert_eq!(raw, *mail);
                    assert!(!costs.contains(&receipt.id()), "{} is readable though named as lost", receipt.id());
                }
                Err(Error::Damage(_)) => assert!(costs.contains(&receipt.id()), "{} is lost and was not named", receipt.id()),
                Err(error) => panic!("{error}"),
            }
        }
        let now = ask(&archive).expect("answers");
        assert_eq!(now.searches, before.searches);
        assert_eq!(now.messages, before.messages);
        // What is new can be archived, unless opening found the damage.
        match acting.import_one(b"Subject: new\n\nnew\n", &crate::fixture::folder("anna")) {
            Ok(receipt) => assert_eq!(acting.raw(receipt.id()).expect("readable"), b"Subject: new\n\nnew\n"),
            Err(Error::NeedsRepair { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn importing_again_mends_what_was_damaged() {
    let (files, archive) = Files::create();
    let mails = plain(40, 2000, 42);
    put_each(&archive, &mails);
    archive.close().expect("closed");
    let path = files.paths_with("/content/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 3);
    let archive = files.open();
    assert!(!verify(&archive).findings.is_empty());
    let receipts = put_each(&archive, &mails);
    let acting = archive.acting_as(Actor::System);
    for (mail, receipt) in mails.iter().zip(&receipts) {
        assert_eq!(acting.raw(receipt.id()).expect("a receipt is for a mail that can be read"), *mail);
    }
}
