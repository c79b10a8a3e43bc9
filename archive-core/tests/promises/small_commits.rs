//! Contents of small commits lie in the records until they are packed, and on disk once: not in the records and in containers (P3, P4, P5).

use archive_core::{Actor, Archive, MessageId, Progress};

use crate::fixture::{Dice, Files, ask, base64, put, put_each, verify};

/// Mails whose bytes cannot be compressed.
fn noise(count: usize, len: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut dice = Dice(seed);
    let head = format!("From: a@example.org\nSubject: noise {seed}\nContent-Transfer-Encoding: binary\n\n").into_bytes();
    (0..count).map(|_| [head.clone(), dice.bytes(len)].concat()).collect()
}

fn bytes(files: &Files, part: &str) -> u64 {
    files.paths_with(part).iter().map(|path| files.bytes(path).len() as u64).sum()
}

fn all_read(archive: &Archive, mails: &[Vec<u8>]) {
    let session = archive.session(Actor::System);
    for (no, mail) in mails.iter().enumerate() {
        let id: MessageId = format!("1:{no}").parse().expect("an id");
        assert!(session.raw(id).expect("its bytes") == *mail, "{id} is another mail");
        assert_eq!(session.record(id).expect("its record").info.size, mail.len() as u64, "the fact of {id} is found");
    }
}

#[test]
fn p3_p4_a_store_fed_by_single_mails_holds_them_once() {
    let (files, mut archive) = Files::create();
    let mut all = Vec::new();
    for round in 0..6 {
        let mails = noise(10 + round * 7, 9_000, round as u64);
        put_each(&archive, &mails);
        all.extend(mails);
        all_read(&archive, &all);
        archive.close().expect("closed");
        archive = files.open();
        all_read(&archive, &all);
    }
    archive.close().expect("closed");
    let raw: u64 = all.iter().map(|mail| mail.len() as u64).sum();
    let (containers, records) = (bytes(&files, "/content/"), bytes(&files, "/records/"));
    assert!(containers >= raw, "{containers} of {raw} bytes are packed");
    assert!(records < raw / 3, "records take {records} bytes beside {raw} of mail");
    let (archive, caches) = (files.open(), [files.paths_with("/catalog/"), files.paths_with("/index/")].concat());
    assert_eq!(verify(&archive).findings, []);
    let answers = ask(&archive).expect("answers");
    archive.close().expect("closed");
    let less = files.copy();
    caches.iter().for_each(|path| less.remove(path));
    let rebuilt = less.open();
    assert!(ask(&rebuilt).expect("answers") == answers, "the records alone give the same");
    all_read(&rebuilt, &all);
    put_each(&rebuilt, &noise(3, 9_000, 99));
    assert_eq!(verify(&rebuilt).findings, []);
}

/// Those who wait at the same time share a commit: mails of any size, with a part that all have, and one without a byte.
#[test]
fn p2_p3_single_mails_of_many_threads_are_all_there_and_once() {
    let (files, archive) = Files::create();
    let part = base64(&Dice(7).bytes(40_000), 76, "\n");
    let of_thread = |thread: usize| {
        let with_part = |no: usize| format!("Subject: {thread} {no}\nContent-Transfer-Encoding: base64\n\n{part}").into_bytes();
        let sizes = [1, 300, 4_000, 30_000, 300_000];
        let mut mails: Vec<Vec<u8>> = sizes.iter().flat_map(|size| noise(1, *size, thread as u64)).collect();
        mails.extend((0..3).map(with_part));
        mails.push(b"the same".to_vec());
        mails
    };
    let all: Vec<Vec<Vec<u8>>> = (0..8).map(of_thread).collect();
    let ids: Vec<Vec<MessageId>> = std::thread::scope(|scope| {
        let archive = &archive;
        let threads = all.iter().enumerate().map(|(thread, mails)| {
            scope.spawn(move || mails.iter().map(|mail| put(archive, &format!("anna/{thread}"), mail).id()).collect())
        });
        threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let stats = archive.session(Actor::System).stats(&Progress::new()).expect("stats");
    let count: usize = all.iter().map(Vec::len).sum();
    assert_eq!(
        (stats.messages, stats.contents, stats.parts),
        (count as u64, count as u64 - 7, 1 + 8),
        "the mail and the part that all have are stored once"
    );
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    for (mails, ids) in all.iter().zip(&ids) {
        mails.iter().zip(ids).for_each(|(mail, id)| assert!(session.raw(*id).expect("its bytes") == *mail, "{id} is another mail"));
    }
    assert_eq!(verify(&archive).findings, []);
}

#[test]
fn p3_sections_go_while_the_archive_is_open() {
    let (files, archive) = Files::create();
    let mails = noise(70, 150_000, 1);
    put_each(&archive, &mails);
    let raw: u64 = mails.iter().map(|mail| mail.len() as u64).sum();
    let disk = bytes(&files, "/content/") + bytes(&files, "/records/");
    assert!(disk < raw + (6 << 20), "{disk} bytes on disk for {raw}: more than those that wait to be packed lie twice");
    all_read(&archive, &mails);
    assert_eq!(verify(&archive).findings, []);
    // As after a crash: nothing was closed.
    let killed = files.copy();
    drop(archive);
    let archive = killed.open();
    all_read(&archive, &mails);
    assert_eq!(verify(&archive).findings, []);
}

/// An older catalog names commits where they were before their file was written anew.
#[test]
fn p4_a_catalog_from_before_a_file_was_written_anew_is_brought_up() {
    let (files, archive) = Files::create();
    let first = noise(30, 9_000, 5);
    put_each(&archive, &first);
    archive.close().expect("closed");
    let old = files.copy();
    let archive = files.open();
    let second = noise(60, 9_000, 6);
    put_each(&archive, &second);
    archive.close().expect("closed");
    let all = [first, second].concat();
    let answers = ask(&files.open()).expect("answers");
    for part in ["/catalog/", "/index/"] {
        let mixed = files.copy();
        mixed.paths_with(part).iter().for_each(|path| mixed.remove(path));
        for path in old.paths_with(part) {
            let file = archive_core::vfs::Vfs::create(&mixed.vfs, &path).expect("created");
            file.append(&old.bytes(&path)).expect("written");
        }
        let archive = mixed.open();
        assert!(ask(&archive).expect("answers") == answers, "{part}");
        all_read(&archive, &all);
    }
}

/// What cannot be read cannot be packed: its section stays, for whoever can mend it.
#[test]
fn p11_a_file_with_a_damaged_section_stays_as_it_is() {
    let (files, archive) = Files::create();
    put_each(&archive, &noise(20, 9_000, 3));
    let records = files.paths_with("/records/");
    let [path] = &records[..] else { panic!("one records file: {records:?}") };
    files.flip(path, 30_000);
    archive.close().expect("closed");
    assert!(files.bytes(path).len() > 150_000, "the file was written anew");
    let report = verify(&files.open());
    assert!(!report.findings.is_empty() && report.findings.iter().all(|finding| finding.file == *path), "{:?}", report.findings);
}

/// Also where the last frame of the records is the one that a copy of the header follows.
#[test]
fn p13_what_was_closed_opens_without_recovery() {
    let (files, mut archive) = Files::create();
    for round in 0..24 {
        put(&archive, "anna/in", format!("From: a@example.org\nSubject: {round}\n\nhello\n"));
        archive.close().expect("closed");
        archive = files.open();
        assert_eq!(archive.recovered(), None, "round {round}");
    }
}
