//! What a program meets that embeds the library: file systems that fail or panic, its own callbacks that do, many threads at once.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Barrier};

use archive_core::source::Trouble;
use archive_core::vfs::{Operation, VfsError};
use archive_core::{
    Actor, Archive, Error, FolderPath, ImportEvents, ImportOptions, ImportSource, IndexStatus, OpenOptions, Outcome, Progress, Receipt,
    SearchRequest, Session, User,
};

use crate::fixture::{DIR, Files, Told, folder, indexed, mbox, plain, put_each};
use crate::hooked::{Call, Hooked};

const SOUND: u8 = 0;
/// The next write of records panics, once.
const PANICS: u8 = 1;
/// No catalog can be written.
const NO_CATALOG: u8 = 2;
/// No index can be written.
const NO_INDEX: u8 = 3;

/// The next write of the index panics, once.
const INDEX_PANICS: u8 = 4;

/// An archive on a file system that does at its writes what the switch says, and its files.
fn open_switched(options: OpenOptions) -> (Files, Archive, Arc<AtomicU8>) {
    let (files, archive) = Files::create();
    archive.close().expect("closed");
    let switch = Arc::new(AtomicU8::new(SOUND));
    let hook = Arc::clone(&switch);
    let vfs = Hooked::new(&files.vfs, move |call| if let Call::Write(path) = call { write(&hook, path) } else { Ok(()) });
    let archive = Archive::open_on(Arc::new(vfs), Path::new(DIR), &files.key(), options).expect("opens");
    (files, archive, switch)
}

fn write(switch: &AtomicU8, path: &Path) -> Result<(), VfsError> {
    let path_text = path.to_string_lossy();
    let is_in = |dir: &str| path_text.contains(&format!("/{dir}/"));
    match switch.load(Ordering::SeqCst) {
        PANICS if is_in("records") => {
            switch.store(SOUND, Ordering::SeqCst);
            panic!("a file system that panics");
        }
        INDEX_PANICS if is_in("index") => {
            switch.store(SOUND, Ordering::SeqCst);
            panic!("a file system that panics");
        }
        NO_CATALOG if is_in("catalog") => Err(VfsError::new(Operation::Write, path, std::io::ErrorKind::StorageFull.into())),
        NO_INDEX if is_in("index") => Err(VfsError::new(Operation::Write, path, std::io::ErrorKind::StorageFull.into())),
        _ => Ok(()),
    }
}

fn mail(no: usize) -> Vec<u8> {
    format!("From: a@b.example\nSubject: mail {no}\n\nword{no}\n").into_bytes()
}

fn found(session: &Session, query: &str) -> u64 {
    session.search(&SearchRequest::new(query)).expect("an answer").total
}

/// A mail that is kept as a stream, and its rest.
fn large() -> Vec<u8> {
    let mut mail = b"From: a@b.example\r\nSubject: large\r\n\r\n".to_vec();
    let line = b"a line of a mail above the length that is held in memory\r\n";
    mail.extend(line.iter().cycle().take(17 << 20));
    mail
}

#[test]
fn a_panic_in_a_commit_keeps_nobody_waiting_and_closes_the_store_for_writing() {
    let (files, archive, switch) = open_switched(OpenOptions::default());
    let session = archive.session(Actor::System);
    let before = session.import_one(&mail(0), &folder("anna")).expect("archived");
    switch.store(PANICS, Ordering::SeqCst);
    let start = Barrier::new(8);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let archive_one = |no: usize| {
            let (session, start) = (session.clone(), &start);
            move || {
                start.wait();
                catch_unwind(AssertUnwindSafe(|| session.import_one(&mail(no), &folder("anna"))))
            }
        };
        let threads: Vec<_> = (1..=8).map(|no| scope.spawn(archive_one(no))).collect();
        threads.into_iter().map(|thread| thread.join().expect("caught")).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1, "one committed, and panicked");
    for error in answers.into_iter().flatten().map(|answer| answer.expect_err("not durable")) {
        assert!(matches!(error, Error::Bug(_) | Error::Latched { .. }), "{error}");
    }
    assert!(matches!(session.import_one(&mail(9), &folder("anna")), Err(Error::Latched { .. })));
    assert_eq!(session.raw(before.id()).expect("readable"), mail(0));
    assert_eq!(found(&session, "word0"), 1);
    drop((archive, session));
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert_eq!(session.raw(before.id()).expect("readable"), mail(0));
    put_each(&archive, &(1..9).map(mail).collect::<Vec<_>>());
}

#[test]
fn a_panic_in_the_commit_of_an_import_ends_it() {
    // A large mail waits for all before it.
    let source = [mbox(&plain(200, 40, 91)), b"From a@b.example Thu Jan  1 00:00:00 2015\n".to_vec(), large()].concat();
    let (_, archive, switch) = open_switched(OpenOptions::default());
    let session = archive.session(Actor::System);
    switch.store(PANICS, Ordering::SeqCst);
    let error = session.import(ImportSource::Stream(&mut &*source, "m.mbox"), &ImportOptions::default(), &mut Told::default());
    assert!(matches!(error, Err(Error::Bug(_))), "{error:?}");
    assert!(matches!(session.import_one(&mail(9), &folder("anna")), Err(Error::Latched { .. })));
}

#[test]
fn a_panic_while_the_index_is_built_again_leaves_it_as_it_was() {
    let (_, archive) = Files::create();
    put_each(&archive, &plain(5, 20, 93));
    let session = archive.session(Actor::System);
    let store = session.store_indexes(None).expect("a list")[0].store;
    let rebuild = || session.rebuild_store_index(store, &Progress::reporting(|_| panic!("of the caller")));
    catch_unwind(AssertUnwindSafe(rebuild)).expect_err("the panic goes on");
    assert_eq!(session.store_indexes(None).expect("a list")[0].status, IndexStatus::Ok);
    assert_eq!(found(&session, "*"), 5);
}

/// A mail too large to be held, whose source breaks off: who is told of it archives a note.
#[test]
fn events_may_archive() {
    struct Breaks(Vec<u8>, usize);
    impl Read for Breaks {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let rest = self.0.get(self.1..).filter(|rest| !rest.is_empty()).ok_or_else(|| std::io::Error::other("connection reset"))?;
            let len = rest.len().min(buf.len());
            buf[..len].copy_from_slice(&rest[..len]);
            self.1 += len;
            Ok(len)
        }
    }
    struct Notes(Session, FolderPath, usize);
    impl ImportEvents for Notes {
        fn trouble(&mut self, _: &Trouble) {
            self.2 += 1;
            self.0.import_one(&mail(self.2), &self.1).expect("a note");
        }

        fn receipt(&mut self, _: &Receipt) {
            self.2 += 1;
            self.0.import_one(&mail(self.2), &self.1).expect("a note");
        }
    }
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let source = [mbox(&plain(3, 20, 94)), b"From a@b.example Thu Jan  1 00:00:00 2015\n".to_vec(), large()].concat();
    let mut notes = Notes(session.clone(), folder("notes"), 0);
    let report = session.import(ImportSource::Stream(&mut Breaks(source, 0), "m.mbox"), &ImportOptions::default(), &mut notes);
    let report = report.expect("an import");
    assert_eq!((report.stored, report.read - report.failed), (3, 3));
    assert_eq!(session.stats(&Progress::new()).expect("stats").messages, 3 + notes.2 as u64);
    assert!(notes.2 > 3, "a note for each mail, and for what broke off");
}

/// The catalog is written now and then. Where it cannot be, whoever is told so has nothing archived; and the mail is taken when it can.
#[test]
fn an_error_of_the_catalog_comes_before_a_mail_is_durable() {
    let (_, archive, switch) = open_switched(OpenOptions::default().memory(0).index(false));
    let session = archive.session(Actor::System);
    let people: String = (0..60).map(|no| format!("Somebody Of A Long Name {no} <someone{no}@department{no}.example>, ")).collect();
    let mail = |no: usize| format!("From: a@b.example\nTo: {people}\nSubject: mail {no} {}\n\nx\n", "s".repeat(900)).into_bytes();
    switch.store(NO_CATALOG, Ordering::SeqCst);
    let (stopped, error) = (0..20_000)
        .find_map(|no| session.import_one(&mail(no), &folder("anna")).err().map(|error| (no, error)))
        .expect("the catalog is written at some time");
    assert_eq!(error.code(), "disk_full");
    assert_eq!(session.stats(&Progress::new()).expect("stats").messages, stopped as u64, "the mail of the error is not there");
    switch.store(SOUND, Ordering::SeqCst);
    let receipt = session.import_one(&mail(stopped), &folder("anna")).expect("room again");
    assert_eq!(receipt.outcome(), Outcome::Stored);
}

/// What the index cannot take is archived all the same, and searches say that it is missing.
#[test]
fn s4_3_a_mail_that_the_index_cannot_take_has_its_receipt() {
    let (_, archive, switch) = open_switched(OpenOptions::default().memory(0));
    let session = archive.session(Actor::System);
    let words = |no: usize| (0..4000).map(|at| format!("w{no}x{at}")).collect::<Vec<_>>().join(" ");
    let mail = |no: usize| format!("Subject: {no}\n\n{}\n", words(no)).into_bytes();
    switch.store(NO_INDEX, Ordering::SeqCst);
    let mut no = 0;
    let missing = loop {
        let receipt = session.import_one(&mail(no), &folder("anna")).expect("a receipt");
        no += 1;
        let answer = session.search(&SearchRequest::new("*")).expect("an answer");
        assert_eq!(answer.total + answer.coverage.not_indexed, no as u64);
        if answer.coverage.not_indexed > 0 {
            break receipt;
        }
        assert!(no < 500, "the index is written at some time");
    };
    assert_eq!(session.raw(missing.id()).expect("readable"), mail(no - 1));
    switch.store(SOUND, Ordering::SeqCst);
    session.import_one(&mail(no), &folder("anna")).expect("archived");
    indexed(&archive);
    let answer = session.search(&SearchRequest::new("*")).expect("an answer");
    assert_eq!((answer.total, answer.coverage.not_indexed), (no as u64 + 1, 0), "after the next mail it is found");
}

#[test]
fn s4_3_a_panic_of_the_index_leaves_nothing_out() {
    let (_, archive, switch) = open_switched(OpenOptions::default().memory(0));
    let session = archive.session(Actor::System);
    let words = |no: usize| (0..4000).map(|at| format!("w{no}x{at}")).collect::<Vec<_>>().join(" ");
    let mail = |no: usize| format!("Subject: {no}\n\n{}\n", words(no)).into_bytes();
    switch.store(INDEX_PANICS, Ordering::SeqCst);
    let archive_one = |no| session.import_one(&mail(no), &folder("anna")).expect("archived");
    let panicked = |no: &usize| {
        archive_one(*no);
        switch.load(Ordering::SeqCst) == SOUND
    };
    let no = (0..2000).find(panicked).expect("the index is written at some time");
    for later in no + 1..no + 4 {
        archive_one(later);
    }
    indexed(&archive);
    let answer = session.search(&SearchRequest::new("*")).expect("an answer");
    assert_eq!((answer.total, answer.coverage.not_indexed), (no as u64 + 4, 0));
}

/// A store that may not be written any more writes no catalog either.
#[test]
fn p4_a_latched_store_leaves_its_catalog_as_it_is() {
    let (files, archive, switch) = open_switched(OpenOptions::default().memory(0).index(false));
    let session = archive.session(Actor::System);
    let people: String = (0..60).map(|no| format!("Somebody Of A Long Name {no} <someone{no}@department{no}.example>, ")).collect();
    let mail = |no: usize| format!("From: a@b.example\nTo: {people}\nSubject: mail {no} {}\n\nx\n", "s".repeat(900)).into_bytes();
    switch.store(NO_CATALOG, Ordering::SeqCst);
    (0..20_000).find(|no| session.import_one(&mail(*no), &folder("anna")).is_err()).expect("the catalog is due");
    switch.store(PANICS, Ordering::SeqCst);
    catch_unwind(AssertUnwindSafe(|| archive.mark())).expect_err("the panic goes on");
    // From here on it could be written.
    let before = files.paths_with("/catalog/");
    assert!(matches!(session.import_one(&mail(30_000), &folder("anna")), Err(Error::Latched { .. })));
    assert_eq!(files.paths_with("/catalog/"), before);
}

#[test]
fn users_learn_nothing_of_where_imports_go() {
    let (_, archive) = Files::create();
    let user = User { name: "bob".to_owned(), administrator: true, folders: Vec::new() };
    let session = archive.session(Actor::User(user));
    let source = ImportSource::Path(Path::new("/somewhere"));
    assert_eq!(session.target(&source, &ImportOptions::default()).expect_err("refused").code(), "denied");
    let planned = session.plan(source, &ImportOptions::default(), &mut Told::default());
    assert_eq!(planned.expect_err("refused").code(), "denied");
}
