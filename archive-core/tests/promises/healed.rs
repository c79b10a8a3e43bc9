//! Damage that is healed is no alarm any more: what came again whole is read in the place of what is damaged, and the rest can be accepted.

use archive_core::{Actor, Archive, Error, MessageId, Outcome, VerifyReport};

use crate::fixture::{Dice, Files, ask, base64, folder, lose, plain, put, put_each, verify};

/// An archive of mails in several blocks, one of which is damaged; and the ids that the damage costs.
fn damaged() -> (Files, Vec<Vec<u8>>, Vec<MessageId>) {
    let (files, archive) = Files::create();
    let mails = plain(110, 4000, 91);
    let receipts = put_each(&archive, &mails);
    archive.close().expect("closed");
    let path = files.paths_with("/content/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 3);
    (files, mails, receipts.iter().map(archive_core::Receipt::id).collect())
}

fn lose_caches(files: &Files) -> Files {
    let files = files.copy();
    lose(&files, &["/catalog/", "/index/"]);
    files
}

fn costs(report: &VerifyReport) -> Vec<MessageId> {
    report.findings.iter().flat_map(|finding| finding.messages.clone()).collect()
}

fn all_come_back(archive: &Archive, ids: &[MessageId], mails: &[Vec<u8>]) {
    for (id, mail) in ids.iter().zip(mails) {
        assert!(archive.session(Actor::System).raw(*id).expect("readable") == *mail, "{id}");
    }
}

#[test]
fn p11_a_mail_that_came_again_is_read_by_its_old_id_and_counted_once() {
    let (files, mails, ids) = damaged();
    let archive = files.open();
    let hit = costs(&verify(&archive));
    assert!(!hit.is_empty() && hit.len() < mails.len(), "{hit:?}");
    let before = ask(&archive).expect("answers");

    for (receipt, id) in put_each(&archive, &mails).iter().zip(&ids) {
        assert_eq!(receipt.id(), *id, "no second message");
        let stored = matches!(receipt.outcome(), Outcome::Stored);
        assert_eq!(stored, hit.contains(id), "{id}: what is damaged is stored again, and nothing else");
    }
    let judge = |archive: &Archive, what: &str| {
        all_come_back(archive, &ids, &mails);
        let report = verify(archive);
        assert_eq!(report.findings, [], "{what}");
        let mut healed: Vec<MessageId> = report.healed.iter().flat_map(|finding| finding.messages.clone()).collect();
        healed.sort_unstable();
        healed.dedup();
        assert_eq!(healed, hit, "{what}");
        let now = ask(archive).expect("answers");
        assert!(now.messages == before.messages && now.folders == before.folders, "{what}: nothing counts twice");
        assert!(now.sums == before.sums, "{what}: contents and bytes are those of before: {:?}, {:?}", now.sums, before.sums);
        assert!(now.searches == before.searches, "{what}: what is found is what was found");
    };
    judge(&archive, "at once");
    for receipt in put_each(&archive, &mails) {
        assert!(matches!(receipt.outcome(), Outcome::Duplicate { .. }), "a third time changes nothing: {receipt:?}");
    }
    archive.close().expect("closed");
    judge(&files.open(), "opened again");
    judge(&lose_caches(&files).open(), "all caches made anew");

    // In another folder it is a message of its own, and whole.
    let archive = files.open();
    let at = mails.iter().zip(&ids).position(|(_, id)| hit.contains(id)).expect("one is hit");
    let other = put(&archive, "anna/Other", &mails[at]);
    assert!(!ids.contains(&other.id()));
    all_come_back(&archive, &[other.id()], &mails[at..=at]);
    assert_eq!(verify(&archive).findings, []);
    archive.close().expect("closed");
    let archive = lose_caches(&files).open();
    all_come_back(&archive, &[other.id()], &mails[at..=at]);
    ask(&archive).expect("every question is answered");
}

#[test]
fn p11_a_mail_whose_attachment_came_again_with_another_mail_is_whole() {
    let (files, archive) = Files::create();
    let attachment = base64(&Dice(17).bytes(900_000), 76, "\n");
    let mail = |text: &str| {
        format!("Subject: {text}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n{attachment}--b--\n")
            .into_bytes()
    };
    let mails = [mail("first"), mail("second")];
    let ids: Vec<MessageId> = put_each(&archive, &mails).iter().map(archive_core::Receipt::id).collect();
    archive.close().expect("closed");
    let path = files.paths_with("/content/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 2);
    let archive = files.open();
    assert_eq!(costs(&verify(&archive)), ids, "both take the part that is hit");
    assert_eq!(put_each(&archive, &mails[1..])[0].id(), ids[1]);
    all_come_back(&archive, &ids, &mails);
    let report = verify(&archive);
    assert_eq!((report.findings, report.healed.is_empty()), (Vec::new(), false));
}

#[test]
fn p11_damage_is_accepted_once_and_listed_apart() {
    let (files, mails, ids) = damaged();
    let archive = files.open();
    let session = archive.session(Actor::System);
    let mut report = verify(&archive);
    let (hit, found) = (costs(&report), report.findings.clone());
    session.accept_damage(&mut report).expect("accepted");
    assert_eq!((report.findings.len(), &report.accepted), (0, &found));
    archive.close().expect("closed");
    for (files, what) in [(files.copy(), "opened again"), (lose_caches(&files), "all caches made anew")] {
        let archive = files.open();
        let report = verify(&archive);
        assert_eq!((report.findings.as_slice(), &report.accepted), (&[][..], &found), "{what}");
        for id in &hit {
            let error = archive.session(Actor::System).raw(*id).expect_err("what is hit stays damaged");
            assert!(matches!(error, Error::Damage(_)), "{error}");
        }
    }
    // Damage that comes later is found, and the mails come again as ever.
    let path = files.paths_with("/content/")[0].clone();
    files.flip(&path, files.bytes(&path).len() * 2 / 3);
    let archive = files.open();
    let report = verify(&archive);
    assert!(!report.findings.is_empty() && report.accepted == found, "{report:?}");
    put_each(&archive, &mails);
    all_come_back(&archive, &ids, &mails);
    let report = verify(&archive);
    assert_eq!((report.findings, report.accepted), (Vec::new(), Vec::new()), "all is healed");
}

#[test]
fn p11_damage_of_records_before_a_repair_is_accepted_by_it() {
    let (files, mails, _) = damaged();
    let files = files.copy();
    let path = files.paths_with("/records/")[0].clone();
    let len = files.bytes(&path).len();
    files.flip(&path, len / 3);
    lose(&files, &["/catalog/", "/index/"]);
    let archive = files.open();
    assert!(archive.barred().is_some());
    archive.session(Actor::System).repair(archive_core::RepairOptions::default()).expect("repaired");
    drop(archive);
    let archive = files.open();
    let report = verify(&archive);
    let of_records =
        |list: &[archive_core::Finding]| list.iter().filter(|finding| finding.file.starts_with(path.parent().expect("a folder"))).count();
    assert_eq!(of_records(&report.findings), 0, "{:?}", report.findings);
    assert!(of_records(&report.accepted) > 0);
    put_each(&archive, &mails);
    assert_eq!(verify(&archive).findings, []);
}

#[test]
fn p13_an_open_says_what_it_did_after_a_crash_and_calls_it_no_damage() {
    let (files, archive) = Files::create();
    assert!(archive.recovered().is_none());
    archive.close().expect("closed");
    let archive = files.open();
    assert!(archive.recovered().is_none(), "nothing to recover from");
    put_each(&archive, &plain(3, 100, 92));
    drop(archive);
    let archive = files.open();
    assert!(archive.recovered().expect("recovered").commit_taken_over);
    assert_eq!(verify(&archive).findings, []);
    archive.close().expect("closed");
    assert!(files.open().recovered().is_none());

    let path = files.paths_with("/content/")[0].clone();
    files.write(&path, &[files.bytes(&path), vec![0x5a; 3000]].concat());
    let archive = files.open();
    let recovery = archive.recovered().expect("recovered");
    assert_eq!((recovery.bytes_put_aside, recovery.commit_taken_over), (3000, false));
    assert_eq!(verify(&archive).findings, []);
    archive.session(Actor::System).import_one(b"Subject: new\n\nnew\n", &folder("anna")).expect("mail is taken");
}
