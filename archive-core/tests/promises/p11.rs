//! Damage stays local: it costs the contents whose bytes are hit, and everything else is read and searched.

use std::collections::BTreeSet;

use archive_core::{Actor, DamageCause, Error, ExportFormat, ExportOptions, ImportOptions, MessageId, Remedy, SearchRequest};

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
        let session = archive.session(Actor::System);
        for (mail, receipt) in mails.iter().zip(&told.receipts) {
            match session.raw(receipt.id()) {
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
        match session.import_one(b"Subject: new\n\nnew\n", &crate::fixture::folder("anna")) {
            Ok(receipt) => assert_eq!(session.raw(receipt.id()).expect("readable"), b"Subject: new\n\nnew\n"),
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
    let session = archive.session(Actor::System);
    for (mail, receipt) in mails.iter().zip(&receipts) {
        assert_eq!(session.raw(receipt.id()).expect("a receipt is for a mail that can be read"), *mail);
    }
}

#[test]
fn of_a_mail_that_cannot_be_read_nothing_is_in_an_mbox_also_of_a_stream() {
    let (files, archive) = Files::create();
    put_stream(&archive, &mbox(&plain(110, 4000, 91)), "many.mbox", &ImportOptions::default());
    archive.close().expect("closed");
    let path = files.paths_with("/content/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 3);
    let archive = files.open();
    let session = archive.session(Actor::System);
    let (mut stream, mut failed) = (Vec::new(), Vec::new());
    let mut out = |bytes: &[u8]| {
        stream.extend_from_slice(bytes);
        Ok(())
    };
    let report = session.export_mbox(&mut out, &ExportOptions::default(), &mut |id, _| failed.push(id)).expect("exported");
    let costs: BTreeSet<MessageId> = verify(&archive).findings.iter().flat_map(|finding| finding.messages.clone()).collect();
    assert!(!costs.is_empty() && costs.len() < 110 && failed.into_iter().collect::<BTreeSet<_>>() == costs);
    assert_eq!((report.exported, report.failed), (110 - costs.len() as u64, costs.len() as u64));
    let dir = tempfile::tempdir().expect("a folder");
    let options = ExportOptions { format: ExportFormat::Mbox, ..ExportOptions::default() };
    session.export(&dir.path().join("out"), &options, &mut |_, _| {}).expect("exported");
    let folder = session.folders().expect("folders").into_iter().find(|folder| folder.messages > 0).expect("the folder").path;
    let file = std::fs::read(dir.path().join(format!("out/{folder}.mbox"))).expect("the mbox");
    assert!(stream == file, "the same mails, of which none is cut");
}

#[test]
fn damaged_records_cost_what_the_archive_noted_and_no_bytes() {
    let (files, archive) = Files::create();
    let mut mails = plain(60, 300, 43);
    let (_, mut told) = put_stream(&archive, &mbox(&mails), "first.mbox", &ImportOptions::default());
    let second = plain(20, 300, 44);
    told.receipts.extend(put_stream(&archive, &mbox(&second), "second.mbox", &ImportOptions::default()).1.receipts);
    mails.extend(second);
    archive.close().expect("closed");
    let path = files.paths_with("/records/")[0].clone();
    // In the facts of the first import.
    files.flip(&path, files.bytes(&path).len() / 3);
    let archive = files.open();
    let session = archive.session(Actor::System);
    let findings = verify(&archive).findings;
    let [finding, chain] = findings.as_slice() else { panic!("the frame, and the commit that follows it no more: {findings:?}") };
    assert!(chain.cause == DamageCause::Chain && chain.records.is_empty() && chain.messages.is_empty(), "{chain:?}");
    assert!(finding.file == path && finding.messages.is_empty() && finding.remedy.is_none(), "{finding:?}");
    let hit: BTreeSet<MessageId> = finding.records.iter().copied().collect();
    assert!(hit.len() >= 60 && hit.len() < mails.len(), "the first import: {}", hit.len());
    for (mail, receipt) in mails.iter().zip(&told.receipts) {
        assert_eq!(session.raw(receipt.id()).expect("its bytes are there"), *mail);
        match session.record(receipt.id()) {
            Ok(_) => assert!(!hit.contains(&receipt.id())),
            Err(Error::Damage(_)) => assert!(hit.contains(&receipt.id()), "{} was not named", receipt.id()),
            Err(error) => panic!("{error}"),
        }
    }
    let out = tempfile::tempdir().expect("a folder");
    let report = session.export(&out.path().join("out"), &ExportOptions::default(), &mut |_, _| {}).expect("exported");
    assert_eq!((report.exported, report.failed), (mails.len() as u64, 0));
    assert_eq!(report.without_record, hit.len() as u64);
}

#[test]
fn damaged_records_below_a_lost_catalog_are_named_with_the_contents_that_nobody_knows_any_more() {
    let (files, archive) = Files::create();
    put_stream(&archive, &mbox(&plain(60, 300, 45)), "first.mbox", &ImportOptions::default());
    put_stream(&archive, &mbox(&plain(20, 300, 46)), "second.mbox", &ImportOptions::default());
    archive.close().expect("closed");
    let path = files.paths_with("/records/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 3);
    files.paths_with("/catalog/").iter().for_each(|path| files.remove(path));
    let archive = files.open();
    let findings = verify(&archive).findings;
    assert!(findings.iter().any(|finding| finding.file == path), "{findings:?}");
    let session = archive.session(Actor::System);
    assert!(matches!(session.import_one(b"Subject: new\n\n", &crate::fixture::folder("anna")), Err(Error::NeedsRepair { .. })));
}

#[test]
fn a_damaged_catalog_stops_no_one_and_is_made_anew_when_it_is_removed() {
    let (files, archive) = Files::create();
    let many = mbox(&plain(1500, 8, 47));
    put_stream(&archive, &many, "many.mbox", &ImportOptions::default());
    archive.close().expect("closed");
    let path = files.paths_with("/catalog/")[0].clone();
    files.flip(&path, files.bytes(&path).len() / 4);
    // Each close writes a run, and some merge those before it.
    for no in 0..20 {
        let archive = files.open();
        put_each(&archive, &plain(1, 20, 100 + no));
        archive.close().expect("closed beside the damage");
    }
    let archive = files.open();
    let findings = verify(&archive).findings;
    assert!(!findings.is_empty());
    for finding in &findings {
        assert!(finding.file == path && finding.remedy == Some(Remedy::RebuildCatalog) && finding.messages.is_empty(), "{finding:?}");
    }
    // Not a mail is taken for damaged because of it.
    put_each(&archive, &plain(1, 20, 200));
    archive.close().expect("closed");
    files.paths_with("/catalog/").iter().for_each(|path| files.remove(path));
    let archive = files.open();
    assert!(verify(&archive).findings.is_empty());
    assert_eq!(ask(&archive).expect("answers").messages.len(), 1521);
    let (again, _) = put_stream(&archive, &many, "many.mbox", &ImportOptions::default());
    assert_eq!((again.stored, again.duplicate), (0, 1500));
}

#[test]
fn a_damaged_master_bars_new_mail_and_nothing_else() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(30, 40, 48));
    archive.close().expect("closed");
    let before = ask(&files.open()).expect("answers");
    let path = files.paths_with("/master/")[0].clone();
    let len = files.bytes(&path).len();
    let (mut barred, mut taken) = (0, 0);
    for place in (0..len).step_by(13).map(Some).chain([None]) {
        let changed = files.copy();
        match place {
            Some(place) => changed.flip(&path, place),
            None => changed.remove(&path),
        }
        let archive = changed.open();
        let now = ask(&archive).expect("answers");
        assert!(now == before, "byte {place:?}");
        match archive.session(Actor::System).import_one(b"Subject: new\n\nnew\n", &crate::fixture::folder("anna")) {
            Ok(_) => taken += 1,
            Err(Error::NeedsRepair { .. }) => {
                barred += 1;
                assert!(
                    archive.damage().is_some()
                        && verify(&archive).findings.iter().any(|finding| finding.file.starts_with("/archive/master"))
                );
            }
            Err(error) => panic!("{error}"),
        }
        archive.close().expect("closed");
    }
    // Where a byte of the last frames is hit, which call what is before them synced, nothing is lost.
    assert!(barred > 0, "{barred} {taken}");
}

#[test]
fn damage_in_several_places_is_named_in_one_go() {
    let (files, archive) = Files::create();
    put_stream(&archive, &mbox(&plain(1500, 8, 49)), "many.mbox", &ImportOptions::default());
    archive.close().expect("closed");
    let paths: Vec<_> = ["/records/", "/catalog/", "/content/", "/index/"].map(|part| files.paths_with(part)[0].clone()).to_vec();
    for path in &paths {
        files.flip(path, files.bytes(path).len() / 3);
    }
    let archive = files.open();
    let findings = verify(&archive).findings;
    // The index was given up by the open, which cannot build it again before the catalog is made anew.
    for path in &paths[..3] {
        assert!(findings.iter().any(|finding| finding.file == *path), "{}: {findings:?}", path.display());
    }
    let found = archive.session(Actor::System).search(&SearchRequest::new("*").limit(0)).expect("an answer");
    assert!(found.coverage.not_indexed > 0 && found.total + found.coverage.not_indexed == 1500, "{} {:?}", found.total, found.coverage);
}
