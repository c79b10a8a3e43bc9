//! An archive that takes no mail is repaired: it takes mail again, no old id leads to other bytes, and nothing was
//! deleted.

use std::path::Path;

use archive_core::vfs::Vfs;
use archive_core::{Actor, Archive, ImportOptions, Progress, Receipt, RepairOptions, RepairReport};

use crate::fixture::{Files, ask, filled_archive, lose, mbox, plain, put, put_each, put_stream, verify};

struct Filled {
    files: Files,
    mails: Vec<(Vec<u8>, Receipt)>,
}

fn filled() -> Filled {
    let (files, mails) = filled_archive(81);
    Filled { files, mails }
}

fn zero(files: &Files, path: &Path, from: usize, len: usize) {
    let mut bytes = files.bytes(path);
    bytes[from..from + len].fill(0);
    files.write(path, &bytes);
}

fn repair(archive: &Archive, options: RepairOptions) -> RepairReport {
    archive.session(Actor::System).repair(options).expect("repaired")
}

/// Every mail by its old id: its own bytes, or none at all; how many are there.
fn old_ids(archive: &Archive, mails: &[(Vec<u8>, Receipt)]) -> usize {
    let session = archive.session(Actor::System);
    let mut there = 0;
    for (mail, receipt) in mails {
        if let Ok(raw) = session.raw(receipt.id()) {
            assert!(raw == *mail, "{} leads to other bytes", receipt.id());
            there += 1;
        }
    }
    there
}

fn count(archive: &Archive) -> usize {
    archive.session(Actor::System).messages().collect::<Result<Vec<_>, _>>().expect("listed").len()
}

/// Repairs what was hurt, and judges: mail is taken again, and old ids lead to what they did, now and after a rebuild
/// of all caches.
fn judge(what: &str, Filled { files, mails }: &Filled) -> RepairReport {
    let archive = files.open();
    assert!(archive.barred().is_some(), "{what}: nothing to repair");
    let there = old_ids(&archive, mails);
    let session = archive.session(Actor::System);
    assert_eq!(
        session.import_one(b"Subject: no\n\nno\n", &crate::fixture::folder("anna")).expect_err("barred").code(),
        "needs_repair",
        "{what}"
    );
    let before = files.paths();
    let plan = repair(&archive, RepairOptions { dry_run: true, ..RepairOptions::default() });
    assert_eq!(files.paths(), before, "{what}: a plan writes nothing");
    let report = repair(&archive, RepairOptions::default());
    assert_eq!(report, plan, "{what}: what was planned is done");
    drop((archive, session));
    assert!(before.iter().all(|path| files.paths().contains(path)), "{what}: nothing is deleted");

    let archive = files.open();
    assert!(archive.barred().is_none(), "{what}: {:?}", archive.barred());
    assert_eq!(old_ids(&archive, mails), there, "{what}");
    let new = plain(5, 120, 83);
    let receipts: Vec<(Vec<u8>, Receipt)> = new.iter().cloned().zip(put_each(&archive, &new)).collect();
    let known = |receipt: &Receipt| mails.iter().any(|(_, old)| old.id() == receipt.id());
    assert!(!receipts.iter().any(|(_, receipt)| known(receipt)), "{what}: a number was given twice");
    archive.close().expect("closed");

    for caches in [&[][..], &["/catalog/", "/index/"]] {
        let files = files.copy();
        lose(&files, caches);
        let archive = files.open();
        assert!(archive.barred().is_none(), "{what}, lost {caches:?}: {:?}", archive.barred());
        assert_eq!(old_ids(&archive, mails), there, "{what}, lost {caches:?}");
        let stats = archive.session(Actor::System).stats(&Progress::new()).expect("counted");
        let listed = count(&archive) as u64;
        assert_eq!(
            (stats.messages, stats.lost_messages),
            (listed, report.lost_messages),
            "{what}, lost {caches:?}: what is there is counted"
        );
        let verified = verify(&archive);
        assert_eq!((verified.messages, verified.lost_messages), (listed, report.lost_messages), "{what}, lost {caches:?}");
        assert_eq!(old_ids(&archive, &receipts), receipts.len(), "{what}, lost {caches:?}");
        ask(&archive).expect("every question is answered");
    }
    report
}

#[test]
fn p11_commits_lost_at_the_end_are_noted_and_their_mails_recorded_again() {
    let hurt = filled();
    let path = hurt.files.paths_with("/records/")[0].clone();
    let len = hurt.files.bytes(&path).len();
    zero(&hurt.files, &path, len - 512, 512);
    lose(&hurt.files, &["/catalog/", "/index/"]);
    let report = judge("the tail of the records zeroed", &hurt);
    assert!(!report.lost_commits.is_empty() && !report.new_tree, "head.mkm proves the tree: {report:?}");
    assert!(report.left_out, "and not that nothing came after it, where the end cannot be read");
}

#[test]
fn p11_commits_lost_in_the_middle_are_noted_and_their_mails_recorded_again() {
    let hurt = filled();
    let path = hurt.files.paths_with("/records/")[0].clone();
    // The facts of the first import.
    zero(&hurt.files, &path, 3000, 64);
    lose(&hurt.files, &["/catalog/", "/index/"]);
    let report = judge("a commit in the middle", &hurt);
    assert!(report.recorded_again >= 80, "{report:?}");
}

#[test]
fn p11_the_tree_of_lost_commits_goes_on_where_tables_have_the_salts_of_their_contents() {
    let hurt = filled();
    let path = hurt.files.paths_with("/records/")[0].clone();
    zero(&hurt.files, &path, 3000, 64);
    // Without `head.mkm` nothing but the leaves gives the tree whose head the last commit states.
    lose(&hurt.files, &["/stores/1/head.mkm", "/catalog/", "/index/"]);
    let report = judge("a commit in the middle, and no head", &hurt);
    assert!(!report.new_tree, "{report:?}");
}

#[test]
fn p11_records_that_are_gone_are_made_again_from_containers() {
    let hurt = filled();
    lose(&hurt.files, &["/records/", "/catalog/", "/index/"]);
    let report = judge("no records", &hurt);
    assert_eq!(report.recorded_again, 92, "{report:?}");
}

#[test]
fn p11_where_nothing_proves_the_highest_number_many_are_left_out() {
    let hurt = filled();
    lose(&hurt.files, &["/records/", "/catalog/", "/index/", "head.mkm"]);
    let report = judge("no records and no heads", &hurt);
    assert!(report.left_out && report.new_tree, "{report:?}");
}

#[test]
fn p11_damage_below_a_sound_catalog_keeps_all_that_the_catalog_knows() {
    let hurt = filled();
    let path = hurt.files.paths_with("/records/")[0].clone();
    let len = hurt.files.bytes(&path).len();
    zero(&hurt.files, &path, len - 512, 512);
    let report = judge("the tail of the records zeroed, the catalog sound", &hurt);
    assert!(!report.new_tree, "{report:?}");
}

#[test]
fn p11_records_that_are_gone_below_a_sound_catalog_are_made_again_under_another_number() {
    let hurt = filled();
    lose(&hurt.files, &["/records/"]);
    let report = judge("no records, the catalog sound", &hurt);
    assert_eq!((report.recorded_again, report.lost_messages), (92, 0), "{report:?}");
    let archive = hurt.files.open();
    let folder = archive.session(Actor::System).folders().expect("folders").into_iter().map(|folder| folder.messages).sum::<u64>();
    assert_eq!(folder, 92 + 5, "no message is counted twice");
}

#[test]
fn p11_an_id_that_had_a_receipt_is_never_given_again() {
    let (files, archive) = Files::create();
    let mut mails: Vec<(Vec<u8>, Receipt)> = Vec::new();
    let first = plain(4, 60, 86);
    mails.extend(first.iter().cloned().zip(put_each(&archive, &first)));
    archive.mark().expect("idle");
    // Then killed, after receipts of which only the records know.
    let second = plain(4, 60, 87);
    mails.extend(second.iter().cloned().zip(put_each(&archive, &second)));
    let killed = files.copy();
    drop(archive);
    let path = killed.paths_with("/records/")[0].clone();
    let hurts: [Hurt<'_>; 3] = [
        ("gone", &|files| files.remove(&path)),
        ("empty", &|files| files.write(&path, b"")),
        ("a header alone", &|files| files.write(&path, &files.bytes(&path)[..144])),
    ];
    for (what, hurt) in hurts {
        let files = killed.copy();
        hurt(&files);
        let archive = files.open();
        assert!(archive.barred().is_some(), "{what}");
        assert!(repair(&archive, RepairOptions { accept_state: true, ..RepairOptions::default() }).left_out, "{what}");
        drop(archive);
        let archive = files.open();
        assert!(archive.barred().is_none(), "{what}: {:?}", archive.barred());
        let new = plain(6, 60, 88);
        for receipt in put_each(&archive, &new) {
            assert!(!mails.iter().any(|(_, old)| old.id() == receipt.id()), "{what}: {} was given again", receipt.id());
        }
        old_ids(&archive, &mails);
    }
}

#[test]
fn p11_a_records_file_of_which_nothing_is_left_is_repaired_in_one_go() {
    let Filled { files: whole, mails } = filled();
    let archive = whole.open();
    // A second records file.
    put(&archive, "anna/Inbox", b"Subject: more\n\nmore\n");
    drop(archive);
    let archive = whole.open();
    put(&archive, "anna/Inbox", b"Subject: again\n\nagain\n");
    archive.close().expect("closed");
    let records = whole.paths_with("/records/");
    assert!(records.len() > 1, "{records:?}");
    for path in &records {
        let hurts: [Hurt<'_>; 3] = [
            ("empty", &|files| files.write(path, b"")),
            ("zeroed", &|files| files.write(path, &vec![0; files.bytes(path).len()])),
            ("gone", &|files| files.remove(path)),
        ];
        for (how, hurt) in hurts {
            let files = whole.copy();
            hurt(&files);
            let what = format!("{} {how}", path.display());
            let archive = files.open();
            let there = old_ids(&archive, &mails);
            assert!(archive.barred().is_some(), "{what}");
            repair(&archive, RepairOptions::default());
            drop(archive);
            let archive = files.open();
            assert!(archive.barred().is_none(), "{what}: {:?}", archive.barred());
            assert_eq!(old_ids(&archive, &mails), there, "{what}");
            put(&archive, "anna/Inbox", b"Subject: goes on\n\ngoes on\n");
            archive.close().expect("closed");
            assert!(files.open().barred().is_none(), "{what}");
        }
    }
}

#[test]
fn p11_folders_whose_making_is_lost_keep_their_place_in_the_tree() {
    let (files, archive) = Files::create();
    // The commit that makes the user archive, and one that makes a folder below it.
    for (seed, name) in [(84, "first"), (85, "second")] {
        let options = ImportOptions { into: Some(crate::fixture::folder(&format!("anna/{name}"))), ..ImportOptions::default() };
        put_stream(&archive, &mbox(&plain(80, 900, seed)), name, &options);
    }
    archive.close().expect("closed");
    let names = |archive: &Archive| -> Vec<(String, u64)> {
        archive.session(Actor::System).folders().expect("folders").iter().map(|folder| (folder.path.to_string(), folder.messages)).collect()
    };
    let before = names(&files.open());
    let path = files.paths_with("/records/")[0].clone();
    zero(&files, &path, 3000, 64);
    lose(&files, &["/catalog/", "/index/"]);
    let archive = files.open();
    assert!(archive.barred().is_some());
    assert_eq!(names(&archive), before, "and the count of their mails");
    repair(&archive, RepairOptions::default());
    drop(archive);
    assert_eq!(names(&files.open()), before);
}

#[test]
fn p11_a_lost_container_bars_mail_until_it_is_noted() {
    let hurt = filled();
    lose(&hurt.files, &["/content/000001.mkc"]);
    let report = judge("no container", &hurt);
    assert!(report.lost_commits.is_empty(), "{report:?}");
}

#[test]
fn an_archive_that_takes_mail_has_nothing_to_repair() {
    let Filled { files, .. } = filled();
    let before: Vec<Vec<u8>> = files.paths().iter().map(|path| files.bytes(path)).collect();
    let archive = files.open();
    let report = repair(&archive, RepairOptions::default());
    assert_eq!(report.reason, None);
    archive.close().expect("closed");
    let lock = |path: &&std::path::PathBuf| !path.ends_with("write.lock");
    let after: Vec<Vec<u8>> = files.paths().iter().map(|path| files.bytes(path)).collect();
    let (paths, changed) = (files.paths(), before.iter().zip(&after).map(|(a, b)| a != b).collect::<Vec<bool>>());
    let changed: Vec<_> = paths.iter().zip(changed).filter(|(path, changed)| *changed && lock(path)).collect();
    assert!(changed.is_empty(), "opening and closing without a change writes nothing: {changed:?}");
}

#[test]
fn p6_an_archive_that_was_rolled_back_is_read_and_takes_mail_when_that_is_accepted() {
    let Filled { files, mut mails } = filled();
    let older = files.copy();
    let archive = files.open();
    mails.push((b"Subject: newer\n\nnewer\n".to_vec(), put(&archive, "anna/Inbox", b"Subject: newer\n\nnewer\n")));
    archive.close().expect("closed");
    // The store of before, with the master of today.
    for path in files.paths_with("/stores/") {
        files.remove(&path);
    }
    for path in older.paths_with("/stores/") {
        files.vfs.create(&path).and_then(|file| file.append(&older.bytes(&path))).expect("put back");
    }
    let archive = files.open();
    assert_eq!(archive.barred().map(archive_core::Error::code), Some("rolled_back"));
    assert_eq!(old_ids(&archive, &mails), mails.len() - 1, "what is there is read");
    let session = archive.session(Actor::System);
    assert_eq!(session.repair(RepairOptions::default()).expect_err("not accepted").code(), "rolled_back");
    assert_eq!(archive.add_passphrase("open sesame").expect_err("nothing is written").code(), "rolled_back");
    archive.close().expect("closed");
    assert_eq!(files.open().barred().map(archive_core::Error::code), Some("rolled_back"), "closing hides nothing");
    repair(&files.open(), RepairOptions { accept_state: true, ..RepairOptions::default() });
    let archive = files.open();
    assert!(archive.barred().is_none(), "{:?}", archive.barred());
    put(&archive, "anna/Inbox", b"Subject: goes on\n\ngoes on\n");
    assert!(verify(&archive).findings.is_empty());
    archive.close().expect("closed");
    assert!(files.open().barred().is_none());
}

/// What is done to an archive, and how.
type Hurt<'h> = (&'h str, &'h dyn Fn(&Files));

#[test]
fn p11_a_master_that_is_damaged_or_gone_is_begun_again_with_its_stores_and_its_owner() {
    let hurts: [Hurt<'_>; 3] = [
        ("a byte", &|files| {
            let path = files.paths_with("/master/000001.mkr")[0].clone();
            files.flip(&path, 300);
        }),
        ("all records", &|files| lose(files, &["/master/000001.mkr"])),
        ("all records and the head", &|files| lose(files, &["/master/"])),
    ];
    for (what, hurt) in hurts {
        let Filled { files, mails } = filled();
        hurt(&files);
        let archive = files.open();
        assert_eq!(archive.barred().map(archive_core::Error::code), Some("needs_repair"), "{what}");
        assert_eq!(old_ids(&archive, &mails), mails.len(), "{what}");
        repair(&archive, RepairOptions::default());
        drop(archive);
        let archive = files.open();
        assert!(archive.barred().is_none(), "{what}: {:?}", archive.barred());
        assert_eq!(archive.owner(), "anna", "{what}");
        let verified = verify(&archive);
        assert!(verified.findings.is_empty(), "{what}: {:?}", verified.findings);
        assert!(verified.accepted.iter().all(|finding| finding.file.to_string_lossy().contains("/master/")), "{what}");
        put(&archive, "anna/Inbox", b"Subject: goes on\n\ngoes on\n");
        archive.close().expect("closed");
        let archive = files.open();
        assert!(archive.barred().is_none(), "{what}: {:?}", archive.barred());
        assert_eq!(old_ids(&archive, &mails), mails.len(), "{what}");
    }
}

#[test]
fn p11_damage_anywhere_in_records_whose_mails_are_not_packed_costs_no_more_after_a_repair() {
    let (files, archive) = Files::create();
    let mails: Vec<Vec<u8>> = crate::fixture::mixed().into_iter().filter(|mail| mail.len() < 60_000).collect();
    let mails: Vec<(Vec<u8>, Receipt)> = mails.iter().cloned().zip(put_each(&archive, &mails)).collect();
    archive.mark().expect("idle");
    let killed = files.copy();
    drop(archive);
    let path = killed.paths_with("/records/")[0].clone();
    // The catalog of a writer that went on: it knows what the records will have lost.
    let with_catalog = {
        let files = killed.copy();
        let archive = files.open();
        archive.session(Actor::System).stats(&Progress::new()).expect("known");
        drop(archive);
        files
    };
    let (mut repaired, mut lost) = (0, 0);
    for at in (200..killed.bytes(&path).len()).step_by(1777) {
        let hurt = with_catalog.copy();
        hurt.flip(&path, at);
        let archive = hurt.open();
        let there = old_ids(&archive, &mails);
        if archive.barred().is_none() {
            continue;
        }
        repair(&archive, RepairOptions::default());
        drop(archive);
        for caches in [&[][..], &["/catalog/", "/index/"]] {
            let files = hurt.copy();
            lose(&files, caches);
            let archive = files.open();
            assert!(archive.barred().is_none(), "byte {at}: {:?}", archive.barred());
            assert_eq!(old_ids(&archive, &mails), there, "byte {at}, lost {caches:?}");
            let stats = archive.session(Actor::System).stats(&Progress::new()).expect("counted");
            assert_eq!(stats.messages + stats.lost_messages, mails.len() as u64, "byte {at}, lost {caches:?}");
            lost += stats.lost_messages;
        }
        repaired += 1;
    }
    assert!(repaired > 5 && lost > 0, "{repaired} repairs, {lost} lost");
}

/// The store of `from` in the place of that of `files`.
fn put_store_back(files: &Files, from: &Files) {
    files.paths_with("/stores/").iter().for_each(|path| files.remove(path));
    for path in from.paths_with("/stores/") {
        files.vfs.create(&path).and_then(|file| file.append(&from.bytes(&path))).expect("put back");
    }
}

#[test]
fn p6_a_store_of_which_nothing_is_left_is_begun_again_by_a_person_alone_and_is_not_taken_for_the_one_that_was() {
    let Filled { files, .. } = filled();
    let backup = files.copy();
    files.paths_with("/stores/").iter().for_each(|path| files.remove(path));
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert_eq!(session.repair(RepairOptions::default()).expect_err("all mail is gone").code(), "rolled_back");
    let plan = repair(&archive, RepairOptions { dry_run: true, ..RepairOptions::default() });
    assert!(plan.needs_acceptance && plan.lost_commits.len() == 1 && plan.left_out, "{plan:?}");
    repair(&archive, RepairOptions { accept_state: true, ..RepairOptions::default() });
    drop((archive, session));
    let archive = files.open();
    assert!(archive.barred().is_none(), "{:?}", archive.barred());
    put(&archive, "anna/Inbox", b"Subject: goes on\n\ngoes on\n");
    archive.close().expect("closed");
    // The backup arrives after all: it lacks what was archived since.
    put_store_back(&files, &backup);
    assert_eq!(files.open().barred().map(archive_core::Error::code), Some("rolled_back"));
}

#[test]
fn p6_a_copy_of_a_store_that_went_on_further_than_what_was_noted_is_found() {
    let Filled { files, .. } = filled();
    let fork = files.copy();
    for (files, mails) in [(&files, 1), (&fork, 4)] {
        for no in 0..mails {
            let archive = files.open();
            put(&archive, "anna/Inbox", format!("Subject: {mails} {no}\n\ntext\n").as_bytes());
            archive.close().expect("closed");
        }
    }
    put_store_back(&files, &fork);
    for caches in [&[][..], &["/catalog/", "/index/"]] {
        let files = files.copy();
        lose(&files, caches);
        assert_eq!(files.open().barred().map(archive_core::Error::code), Some("rolled_back"), "lost {caches:?}");
    }
}

#[test]
fn a_store_whose_folder_is_missing_is_named_and_nothing_is_made_in_its_place() {
    let Filled { files, .. } = filled();
    let gone = Files { vfs: archive_core::vfs::MemVfs::new(), key: files.key.clone() };
    for dir in ["/archive", "/archive/stores", "/archive/master"] {
        gone.vfs.create_dir(Path::new(dir)).expect("a folder");
    }
    for path in files.paths().iter().filter(|path| !path.to_string_lossy().contains("/stores/")) {
        gone.vfs.create(path).and_then(|file| file.append(&files.bytes(path))).expect("a copy");
    }
    let error = gone.try_open().expect_err("no store");
    assert!(error.code() == "store_missing" && error.to_string().contains("put it back"), "{error}");
    assert!(gone.vfs.list(Path::new("/archive/stores")).expect("a folder").is_empty());
}

#[test]
fn what_mail_does_not_wait_for_is_repaired_too() {
    let Filled { files, mails } = filled();
    // So many that the catalog has pages which no open reads.
    let archive = files.open();
    put_stream(&archive, &mbox(&plain(400, 30, 89)), "more", &ImportOptions::default());
    archive.close().expect("closed");
    let run = files.paths_with(".mks").into_iter().max_by_key(|path| files.bytes(path).len()).expect("a run");
    let hurts: [Hurt<'_>; 3] = [
        ("a copy of store.mk gone", &|files| files.remove(&files.paths_with("store.mk")[0])),
        ("a copy of store.mk broken", &|files| files.flip(&files.paths_with("store.mk")[1], 160)),
        ("a page of the catalog", &|files| files.flip(&run, 200)),
    ];
    for (what, hurt) in hurts {
        let files = files.copy();
        hurt(&files);
        let archive = files.open();
        assert!(archive.barred().is_none() && !verify(&archive).findings.is_empty(), "{what}");
        let before: Vec<Vec<u8>> = files.paths().iter().map(|path| files.bytes(path)).collect();
        let plan = repair(&archive, RepairOptions { dry_run: true, ..RepairOptions::default() });
        assert_eq!(files.paths().iter().map(|path| files.bytes(path)).collect::<Vec<_>>(), before, "{what}: a plan writes nothing");
        assert_eq!(repair(&archive, RepairOptions::default()), plan, "{what}");
        assert!(plan.reason.is_some() && !plan.needs_acceptance, "{what}");
        archive.close().expect("closed");
        let archive = files.open();
        assert!(verify(&archive).findings.is_empty(), "{what}: {:?}", verify(&archive).findings);
        assert_eq!(repair(&archive, RepairOptions::default()).reason, None, "{what}");
        assert_eq!(old_ids(&archive, &mails), mails.len(), "{what}");
    }
}

#[test]
fn p6_an_older_master_is_named_and_not_the_keys_that_changed_since() {
    let Filled { files, .. } = filled();
    let older = files.copy();
    let archive = files.open();
    archive.add_passphrase("new").expect("added");
    archive.close().expect("closed");
    for path in files.paths_with("/master/") {
        files.remove(&path);
    }
    for path in older.paths_with("/master/") {
        files.vfs.create(&path).and_then(|file| file.append(&older.bytes(&path))).expect("put back");
    }
    let archive = files.open();
    assert_eq!(archive.barred().map(archive_core::Error::code), Some("rolled_back"));
    assert!(archive.notices().is_empty(), "{:?}", archive.notices());
    assert_eq!(archive.add_passphrase("another").expect_err("barred").code(), "rolled_back");
    repair(&archive, RepairOptions { accept_state: true, ..RepairOptions::default() });
    drop(archive);
    let archive = files.open();
    assert!(archive.barred().is_none() && archive.notices().is_empty(), "{:?} {:?}", archive.barred(), archive.notices());
    archive.add_passphrase("another").expect("keys can be changed");
}

/// Lets `files` go on with so many single mails, each in an open of its own.
fn go_on(files: &Files, mails: usize, seed: u64) -> Vec<(Vec<u8>, Receipt)> {
    let mut all = Vec::new();
    for mail in plain(mails, 50, seed) {
        let archive = files.open();
        let receipt = put(&archive, "anna/Inbox", &mail);
        archive.close().expect("closed");
        all.push((mail, receipt));
    }
    all
}

/// Files of `from` whose path has `part` in it, in the place of those of `files`.
fn exchange(files: &Files, from: &Files, part: &str) {
    files.paths_with(part).iter().for_each(|path| files.remove(path));
    for path in from.paths_with(part) {
        files.vfs.create(&path).and_then(|file| file.append(&from.bytes(&path))).expect("exchanged");
    }
}

#[test]
fn a_nothing_is_cut_for_parts_of_a_copy_that_went_on_apart() {
    let Filled { files, mut mails } = filled();
    let (fork, bulk) = (files.copy(), files.copy());
    mails.extend(go_on(&files, 2, 71));
    go_on(&fork, 6, 72);
    // One that went on by a single commit after the last common one.
    let archive = bulk.open();
    put_stream(&archive, &mbox(&plain(300, 200, 77)), "bulk", &ImportOptions::default());
    archive.close().expect("closed");
    let sets: [&[&str]; 5] = [
        &["/stores/1/records/", "/stores/1/catalog/", "/stores/1/index/"],
        &["/stores/1/records/", "/stores/1/catalog/"],
        &["/stores/1/records/", "/stores/1/content/", "/stores/1/catalog/"],
        &["/stores/1/content/"],
        &["/stores/1/records/"],
    ];
    for (parts, fork) in sets.iter().flat_map(|parts| [(parts, &fork), (parts, &bulk)]) {
        let files = files.copy();
        parts.iter().for_each(|part| exchange(&files, fork, part));
        let before: Vec<Vec<u8>> = files.paths_with("/content/").iter().map(|path| files.bytes(path)).collect();
        for _ in 0..2 {
            let archive = files.open();
            assert!(archive.barred().is_some(), "{parts:?}");
            archive.close().expect("closed");
            let after: Vec<Vec<u8>> = files.paths_with("/content/").iter().map(|path| files.bytes(path)).collect();
            assert!(before == after, "{parts:?}: a container was changed");
            assert!(files.paths_with("/lost+found/").is_empty(), "{parts:?}");
        }
    }
}

#[test]
fn p4_a_catalog_of_a_copy_that_went_on_apart_is_thrown_away() {
    let Filled { files, mut mails } = filled();
    let fork = files.copy();
    mails.extend(go_on(&files, 2, 73));
    go_on(&fork, 5, 74);
    exchange(&files, &fork, "/stores/1/catalog/");
    let archive = files.open();
    assert!(archive.barred().is_none(), "{:?}", archive.barred());
    assert_eq!(old_ids(&archive, &mails), mails.len());
    assert!(verify(&archive).findings.is_empty());
}

#[test]
fn p1_the_catalog_of_a_copy_that_went_on_apart_does_not_decide_where_records_are_cut() {
    let Filled { files, mut mails } = filled();
    let fork = files.copy();
    mails.extend(go_on(&files, 5, 73));
    go_on(&fork, 2, 74);
    exchange(&files, &fork, "/stores/1/catalog/");
    // A torn commit, so that the open has something to cut.
    let records = files.paths_with("/stores/1/records/").pop().expect("a records file");
    let mut bytes = files.bytes(&records);
    bytes.extend([0xA5; 500]);
    files.write(&records, &bytes);
    drop(files.open());
    lose(&files, &["/catalog/"]);
    let archive = files.open();
    assert!(archive.barred().is_none(), "{:?}", archive.barred());
    assert_eq!(old_ids(&archive, &mails), mails.len());
}

#[test]
fn p4_mails_that_came_again_after_a_repair_are_there_without_the_catalog_too() {
    let Filled { files, mails } = filled();
    let records = files.paths_with("/stores/1/records/")[0].clone();
    let len = files.bytes(&records).len();
    // The end of the records is gone, and a block of a container is hit: the catalog alone knows of some mails.
    zero(&files, &records, len - 8000, 8000);
    let container = files.paths_with("/content/")[0].clone();
    let len = files.bytes(&container).len();
    zero(&files, &container, len - len / 3, 200);
    let archive = files.open();
    repair(&archive, RepairOptions::default());
    drop(archive);
    let archive = files.open();
    assert!(old_ids(&archive, &mails) < mails.len(), "some bytes are hit");
    verify(&archive);
    let bytes: Vec<Vec<u8>> = mails.iter().map(|(mail, _)| mail.clone()).collect();
    let receipts: Vec<Receipt> = put_each(&archive, &bytes);
    archive.close().expect("closed");
    for caches in [&[][..], &["/catalog/", "/index/"]] {
        let files = files.copy();
        lose(&files, caches);
        let archive = files.open();
        let again: Vec<(Vec<u8>, Receipt)> = bytes.iter().cloned().zip(receipts.iter().cloned()).collect();
        assert_eq!(old_ids(&archive, &again), again.len(), "lost {caches:?}: what has a receipt is there");
        assert_eq!(old_ids(&archive, &mails), mails.len(), "lost {caches:?}: by its old id too");
        let exported = ask(&archive).expect("answers");
        assert!(!exported.bytes.is_empty());
    }
}

#[test]
fn p4_no_id_is_given_twice_after_a_rolled_back_store_was_accepted() {
    let Filled { files, .. } = filled();
    let older = files.copy();
    let newer = go_on(&files, 3, 75);
    put_store_back(&files, &older);
    let archive = files.open();
    assert_eq!(archive.barred().map(archive_core::Error::code), Some("rolled_back"));
    let report = repair(&archive, RepairOptions { accept_state: true, ..RepairOptions::default() });
    assert!(report.left_out && !report.lost_commits.is_empty(), "{report:?}");
    drop(archive);
    for (mail, receipt) in go_on(&files, 4, 76) {
        assert!(!newer.iter().any(|(_, old)| old.id() == receipt.id()), "{} was given again", receipt.id());
        assert_eq!(files.open().session(Actor::System).raw(receipt.id()).expect("there"), mail);
    }
}

#[test]
fn p11_a_records_file_of_another_name_is_read_and_named() {
    for part in ["/stores/1/records/", "/master/0"] {
        let Filled { files, mails } = filled();
        let path = files.paths_with(part)[0].clone();
        let bytes = files.bytes(&path);
        // Beside its file a copy means nothing.
        let copy = files.copy();
        copy.vfs.create(&path.with_file_name("000007.mkr")).and_then(|file| file.append(&bytes)).expect("a copy");
        lose(&copy, &["/catalog/"]);
        let archive = copy.open();
        assert!(archive.barred().is_none(), "{part}: {:?}", archive.barred());
        assert_eq!(old_ids(&archive, &mails), mails.len(), "{part}");

        files.remove(&path);
        files.vfs.create(&path.with_file_name("000003.mkr")).and_then(|file| file.append(&bytes)).expect("renamed");
        for caches in [&[][..], &["/catalog/", "/index/"]] {
            let files = files.copy();
            lose(&files, caches);
            let archive = files.open();
            assert!(archive.barred().is_some_and(|barred| barred.to_string().contains("000001")), "{part}: {:?}", archive.barred());
            assert_eq!(old_ids(&archive, &mails), mails.len(), "{part}, lost {caches:?}");
            repair(&archive, RepairOptions::default());
            drop(archive);
            assert!(files.paths().contains(&path), "{part}: it has its name again");
            let archive = files.open();
            assert!(archive.barred().is_none(), "{part}, lost {caches:?}: {:?}", archive.barred());
            assert_eq!(old_ids(&archive, &mails), mails.len(), "{part}, lost {caches:?}");
            assert!(verify(&archive).findings.is_empty(), "{part}, lost {caches:?}: {:?}", verify(&archive).findings);
        }
    }
}

#[test]
fn s4_3_what_the_index_knows_of_contents_that_are_gone_is_not_found() {
    let Filled { files, .. } = filled();
    lose(&files, &["/stores/1/catalog/", "/stores/1/content/", "/stores/1/records/"]);
    let archive = files.open();
    let found = archive.session(Actor::System).search(&archive_core::SearchRequest::new("from:a*")).expect("an answer");
    assert_eq!((found.total, found.hits.len()), (0, 0));
}

#[test]
fn p11_mails_of_a_lost_commit_that_the_catalog_never_had_come_from_tables() {
    let (files, archive) = Files::create();
    put(&archive, "anna/Inbox", b"Subject: first\n\nfirst\n");
    archive.close().expect("closed");
    // After the catalog was written: many mails at once, single ones, and no end.
    let archive = files.open();
    let begins = files.bytes(&files.paths_with("/stores/1/records/").last().expect("records").clone()).len();
    let many = plain(80, 900, 90);
    let ids = put_stream(&archive, &mbox(&many), "many", &ImportOptions::default());
    let path = files.paths_with("/stores/1/records/").last().expect("records").clone();
    let ends = files.bytes(&path).len();
    let single = plain(3, 30, 91);
    put_each(&archive, &single);
    let killed = files.copy();
    drop((archive, ids));
    assert!(begins < ends);
    killed.flip(&path, begins + (ends - begins) / 2);
    let archive = killed.open();
    assert!(archive.barred().is_some());
    assert_eq!(count(&archive), 1 + many.len() + single.len(), "what records lack, tables have");
    repair(&archive, RepairOptions::default());
    drop(archive);
    for caches in [&[][..], &["/catalog/", "/index/"]] {
        let files = killed.copy();
        lose(&files, caches);
        let archive = files.open();
        assert!(archive.barred().is_none(), "{:?}", archive.barred());
        assert_eq!(count(&archive), 1 + many.len() + single.len(), "lost {caches:?}");
    }
}

#[test]
fn p11_a_message_is_kept_whose_content_is_recorded_again_after_it() {
    let Filled { files, mails } = filled();
    // Mails of the first commit, once more in another folder.
    let archive = files.open();
    let again: Vec<Receipt> = mails.iter().take(10).map(|(mail, _)| put(&archive, "anna/Again", mail)).collect();
    archive.close().expect("closed");
    let path = files.paths_with("/stores/1/records/")[0].clone();
    zero(&files, &path, 3000, 64);
    lose(&files, &["/catalog/", "/index/"]);
    let archive = files.open();
    assert!(archive.barred().is_some());
    let all = mails.len() + again.len();
    assert_eq!(count(&archive), all);
    repair(&archive, RepairOptions::default());
    drop(archive);
    lose(&files, &["/catalog/", "/index/"]);
    let archive = files.open();
    assert_eq!(count(&archive), all);
    for receipt in &again {
        archive.session(Actor::System).raw(receipt.id()).expect("a message in its second folder");
    }
}

#[test]
fn p11_records_cut_short_beside_a_damaged_page_of_the_catalog_are_read() {
    let Filled { files, .. } = filled();
    let archive = files.open();
    put_stream(&archive, &mbox(&plain(400, 30, 92)), "more", &ImportOptions::default());
    archive.close().expect("closed");
    let records = files.paths_with("/stores/1/records/")[0].clone();
    let len = files.bytes(&records).len();
    let mut bytes = files.bytes(&records);
    bytes.truncate(len - 4000);
    files.write(&records, &bytes);
    let run = files.paths_with(".mks").into_iter().max_by_key(|path| files.bytes(path).len()).expect("a run");
    files.flip(&run, 200);
    let archive = files.open();
    assert!(archive.barred().is_some() && archive.owner() == "anna");
}
