//! What an open cut beyond what was promised is listed, given out and imported again.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use archive_core::vfs::Vfs;
use archive_core::{Actor, Archive, Digest, Error, ImportOptions, ImportReport, LostMail, LostReport, Progress, Receipt};

use crate::fixture::{Dice, Files, base64, mbox, plain, put, put_stream, user, verify};

/// The last piece of a commit: marker, kind 5, no flags.
const COMMIT: &[u8] = b"MKF\x01\x05\0\0\0";

/// As if the writer had been killed before the last commit was whole: its record is cut.
fn cut_last_commit(files: &Files) {
    let path = files.paths_with("/records/").pop().expect("a records file");
    let mut bytes = files.bytes(&path);
    let at = bytes.windows(COMMIT.len()).rposition(|window| window == COMMIT).expect("a commit");
    bytes.truncate(at);
    files.write(&path, &bytes);
}

fn lost_mails(archive: &Archive) -> (Vec<LostMail>, LostReport) {
    let mut mails = Vec::new();
    let report = archive.session(Actor::System).lost_mails(&mut |mail| {
        mails.push(mail);
        Ok(ControlFlow::Continue(()))
    });
    (mails, report.expect("what was put aside can be read"))
}

fn import_lost(archive: &Archive) -> (ImportReport, Vec<Receipt>) {
    let mut receipts = Vec::new();
    let report = archive.session(Actor::System).import_lost(&mut |receipt| receipts.push(receipt.clone())).expect("imported");
    assert_eq!(report.read, report.stored + report.duplicate + report.failed);
    assert_eq!(receipts.len() as u64, report.stored + report.duplicate);
    (report, receipts)
}

fn bytes_of(mails: &[LostMail]) -> BTreeSet<Vec<u8>> {
    mails.iter().map(|mail| mail.bytes.clone()).collect()
}

/// A mail with attachments of these lengths and seeds.
fn attached(attachments: &[(usize, u64)], subject: &str) -> Vec<u8> {
    let mut text = format!("From: b@example.org\nSubject: {subject}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=sep\n\n");
    for (len, seed) in attachments {
        text += "--sep\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n";
        text += &base64(&Dice(*seed).bytes(*len), 76, "\n");
    }
    (text + "--sep--\n").into_bytes()
}

/// A killed import of mails so large that each goes into a container, and those of them whose commit was lost.
fn killed_import() -> (Files, Vec<Vec<u8>>) {
    let (files, archive) = Files::create();
    let mails = plain(3, 40_000, 91);
    assert!(mails.iter().all(|mail| mail.len() > 256 << 10));
    let (_, told) = put_stream(&archive, &mbox(&mails), "bulk.mbox", &ImportOptions::default());
    drop(archive);
    cut_last_commit(&files);
    let archive = files.open();
    assert!(archive.damage().is_none(), "a crash is no damage: {:?}", archive.damage());
    let session = archive.session(Actor::System);
    let is_lost = |(mail, receipt): &(Vec<u8>, Receipt)| session.raw(receipt.id()).map_or(true, |raw| raw != *mail);
    let lost: Vec<Vec<u8>> = mails.into_iter().zip(told.receipts).filter(is_lost).map(|(mail, _)| mail).collect();
    assert!(!lost.is_empty());
    archive.close().expect("closed");
    (files, lost)
}

#[test]
fn p13_mails_of_a_killed_import_are_listed_given_out_and_imported_again() {
    let (files, lost) = killed_import();
    let archive = files.open();
    let session = archive.session(Actor::System);
    let listed = session.lost_files().expect("a list");
    assert_eq!(listed.iter().map(|file| file.found.mails).sum::<u64>(), lost.len() as u64, "{listed:?}");
    assert_eq!(session.stats(&Progress::new()).expect("figures").lost_found, listed.iter().map(|file| file.bytes).sum::<u64>());
    let (found, _) = lost_mails(&archive);
    assert_eq!(bytes_of(&found), lost.iter().cloned().collect());
    assert!(found.iter().all(|mail| mail.archived.is_none() && mail.digest == Digest::of(&mail.bytes)));
    assert!(found.iter().all(|mail| mail.folder.as_ref().is_some_and(|folder| folder.to_string() == "anna/bulk")), "{found:?}");
    assert!(verify(&archive).findings.is_empty(), "what was put aside is no damage");

    let (report, receipts) = import_lost(&archive);
    assert_eq!((report.stored, report.duplicate), (lost.len() as u64, 0));
    for receipt in &receipts {
        let raw = session.raw(receipt.id()).expect("archived");
        assert!(lost.contains(&raw));
        assert_eq!(session.message(receipt.id()).expect("listed").folder.to_string(), "anna/bulk");
        assert!(receipt.source().starts_with("lost+found/"));
    }
    let (again, receipts_again) = import_lost(&archive);
    assert_eq!((again.stored, again.duplicate), (0, lost.len() as u64));
    let ids = |receipts: &[Receipt]| receipts.iter().map(Receipt::id).collect::<BTreeSet<_>>();
    assert_eq!(ids(&receipts), ids(&receipts_again));
    assert_eq!(session.lost_files().expect("a list").len(), listed.len(), "the files stay");
    archive.close().expect("closed");
    assert!(verify(&files.open()).findings.is_empty());
}

#[test]
fn p13_what_was_put_aside_is_for_the_system_alone() {
    let (files, _) = killed_import();
    let archive = files.open();
    let session = archive.session(user(&[]));
    assert!(matches!(session.lost_files(), Err(Error::Denied(_))));
    assert!(matches!(session.lost_mails(&mut |_| panic!("a mail is shown")), Err(Error::Denied(_))));
    assert!(matches!(session.import_lost(&mut |_| panic!("a mail is imported")), Err(Error::Denied(_))));
}

#[test]
fn p13_a_lost_mail_is_joined_from_its_own_parts_and_those_of_the_archive_whatever_got_their_numbers_later() {
    let (files, archive) = Files::create();
    put(&archive, "anna/Inbox", attached(&[(300_000, 1)], "kept"));
    let lost = attached(&[(300_000, 1), (310_000, 2)], "lost");
    put(&archive, "anna/New/Deep", &lost);
    drop(archive);
    cut_last_commit(&files);
    let archive = files.open();
    let tail = files.paths_with("lost+found").pop().expect("a tail");
    assert!(tail.to_string_lossy().ends_with(".mkl"), "{}", tail.display());
    // The numbers of the lost content and part are given to this one.
    put(&archive, "anna/Other", attached(&[(310_000, 3)], "came later"));
    let (found, _) = lost_mails(&archive);
    let [mail] = found.as_slice() else { panic!("one mail: {}", found.len()) };
    assert!(mail.bytes == lost);
    assert_eq!(mail.folder.as_ref().map(ToString::to_string).as_deref(), Some("anna/New/Deep"));
    assert_eq!(import_lost(&archive).0.stored, 1);
}

#[test]
fn p13_a_lost_commit_of_records_gives_its_mails_and_those_the_archive_has_are_duplicates() {
    let (files, archive) = Files::create();
    archive.close().expect("closed");
    let before = files.copy();
    let archive = files.open();
    let mail = plain(1, 50, 93).remove(0);
    let receipt = put(&archive, "anna/Inbox", &mail);
    drop(archive);
    // The open takes the commit over into a new file, and puts its first copy aside.
    let archive = files.open();
    let (found, _) = lost_mails(&archive);
    let [copy] = found.as_slice() else { panic!("one mail: {}", found.len()) };
    assert!(copy.bytes == mail && copy.archived == Some(receipt.id()));
    let (report, receipts) = import_lost(&archive);
    assert_eq!((report.stored, report.duplicate), (0, 1));
    assert_eq!(receipts[0].id(), receipt.id());

    let aside = files.paths_with("lost+found").pop().expect("put aside");
    before.vfs.create_dir(aside.parent().expect("a folder")).expect("made");
    before.vfs.create(&aside).and_then(|file| file.append(&files.bytes(&aside))).expect("a copy");
    let archive = before.open();
    let (found, _) = lost_mails(&archive);
    assert!(matches!(found.as_slice(), [copy] if copy.bytes == mail && copy.archived.is_none()));
    let (report, receipts) = import_lost(&archive);
    assert_eq!(report.stored, 1);
    assert_eq!(archive.session(Actor::System).raw(receipts[0].id()).expect("archived"), mail);
}

#[test]
fn p11_whatever_is_broken_in_lost_and_found_is_left_out_and_no_other_bytes_come_out() {
    let (whole, lost) = killed_import();
    let aside: PathBuf = whole.paths_with("lost+found").pop().expect("put aside");
    let bytes = whole.bytes(&aside);
    // A mail of the same length comes into a container of the same number, where the first lost one lay.
    let other = String::from_utf8(lost[0].clone()).expect("text").replace("harbour", "HARBOUR").into_bytes();
    assert!(other != lost[0] && other.len() == lost[0].len());
    let archive = whole.open();
    put(&archive, "anna/Other", &other);
    archive.close().expect("closed");
    let judge = |what: &str, path: &Path, bytes: &[u8]| {
        let files = whole.copy();
        files.remove(&aside);
        files.vfs.create(path).and_then(|file| file.append(bytes)).expect("written");
        let archive = files.open();
        let (found, _) = lost_mails(&archive);
        assert!(found.iter().all(|mail| lost.contains(&mail.bytes)), "{what}: other bytes");
        archive.session(Actor::System).lost_files().expect("a list");
        found.len()
    };
    assert_eq!(judge("whole", &aside, &bytes), lost.len());
    let step = bytes.len() / 11;
    for at in [0, 20, 100, 150, 160].into_iter().chain((200..bytes.len()).step_by(step)) {
        let mut broken = bytes.clone();
        broken[at] ^= 0x20;
        judge(&format!("byte {at} flipped"), &aside, &broken);
        judge(&format!("cut at {at}"), &aside, &bytes[..at]);
    }
    // A whole file under the name of a tail, with any offset; a name that says nothing.
    let tail = aside.with_extension("mkl");
    for offset in [0, 144, 5000, 1 << 40, u64::MAX] {
        let as_tail = [&bytes[..144], &u64::to_le_bytes(offset), &bytes[144..]].concat();
        judge(&format!("offset {offset}"), &tail, &as_tail);
    }
    assert_eq!(judge("junk", &aside.with_file_name("000009-junk"), b"junk"), 0);
}

/// The number of a container that no commit names is given again after a crash. The second file of that number was deleted as one that is kept.
#[test]
fn p13_two_torn_containers_of_one_number_are_both_kept() {
    let (files, _) = killed_import();
    let torn = files.paths_with("/records/")[0].ancestors().nth(2).expect("a store").join("content/000009.mkc");
    for bytes in [b"torn once", b"torn anew"] {
        let archive = files.open();
        put_stream(&archive, &mbox(&plain(1, 20, u64::from(bytes[5]))), "one.mbox", &ImportOptions::default());
        drop(archive);
        cut_last_commit(&files);
        files.vfs.create(&torn).and_then(|file| file.append(bytes)).expect("written");
        let archive = files.open();
        assert!(archive.damage().is_none(), "{:?}", archive.damage());
        assert!(!files.paths().contains(&torn), "it is put aside");
        archive.close().expect("closed");
    }
    let kept: Vec<_> = files.paths_with("lost+found").iter().map(|path| files.bytes(path)).collect();
    assert!(kept.contains(&b"torn once".to_vec()) && kept.contains(&b"torn anew".to_vec()));
}
