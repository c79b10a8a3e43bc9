//! One open archive and its handles (P14): clones used by many threads, closed once for all of them; a fork has none of it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};

use archive_core::vfs::{Operation, VfsError};
use archive_core::{
    Actor, Archive, Error, ImportEvents, ImportOptions, ImportSource, OpenOptions, Progress, Receipt, SearchRequest, Session,
};

use crate::fixture::{DIR, Files, folder, mbox, plain, put_each, verify};
use crate::hooked::{Call, Hooked};

#[test]
fn p14_clones_of_a_handle_are_used_from_many_threads() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (archive, session, start) = (archive.clone(), session.clone(), &start);
            scope.spawn(move || {
                start.wait();
                for mail in plain(6, 10, 500 + thread) {
                    let receipt = session.import_one(&mail, &folder("anna/Inbox")).expect("archived");
                    assert_eq!(archive.session(Actor::System).raw(receipt.id()).expect("readable"), mail);
                    assert!(session.search(&SearchRequest::new("*").limit(1)).expect("an answer").hits.len() == 1);
                }
            });
        }
    });
    assert_eq!(session.stats(&Progress::new()).expect("stats").messages, 48);
    session.archive().close().expect("closed by any of them");
    assert_eq!(files.open().session(Actor::System).messages().count(), 48);
}

/// Any call of a handle gives this error.
fn all_calls_give(archive: &Archive, session: &Session, code: &str) {
    let progress = Progress::new();
    let into = ImportSource::Stream(&mut &b"Subject: x\n\nx\n"[..], "x.eml");
    let errors = [
        archive.mark().err(),
        archive.close().err(),
        archive.key_status().err(),
        archive.recovery_confirmed().err(),
        archive.add_passphrase("open sesame").err(),
        archive.session(Actor::System).folders().err(),
        session.folders().err(),
        session.messages().next().and_then(Result::err),
        session.messages_in(&folder("anna/Inbox")).next().and_then(Result::err),
        session.not_searchable().next().and_then(Result::err),
        session.search(&SearchRequest::new("*")).err(),
        session.search_pages(&SearchRequest::new("*")).err(),
        session.stats(&progress).err(),
        session.import_one(b"Subject: x\n\nx\n", &folder("anna/Inbox")).err(),
        session.import(into, &ImportOptions::default(), &mut archive_core::NoEvents).err(),
    ];
    for (no, error) in errors.into_iter().enumerate() {
        assert_eq!(error.map(|error| error.code()), Some(code), "call {no}");
    }
}

/// Waits in its first receipt until others find the archive closed, which they do as soon as closing waits for the import.
struct Holds {
    session: Session,
    entered: Sender<()>,
    released: Arc<AtomicBool>,
    receipts: u64,
}

impl ImportEvents for Holds {
    fn receipt(&mut self, receipt: &Receipt) {
        self.receipts += 1;
        if self.receipts > 1 {
            return;
        }
        self.entered.send(()).expect("somebody waits");
        until_closed(&self.session, receipt);
        self.released.store(true, Ordering::SeqCst);
    }
}

fn until_closed(session: &Session, receipt: &Receipt) {
    while !matches!(session.message(receipt.id()), Err(Error::Closed)) {
        std::thread::yield_now();
    }
}

/// Closes once a call is under way. Returns the result, and whether that call had gone on by then.
fn close_after(archive: &Archive, told: Receiver<()>, released: &AtomicBool) -> (Result<(), Error>, bool) {
    told.recv().expect("a call is under way");
    let closed = archive.close();
    (closed, released.load(Ordering::SeqCst))
}

#[test]
fn p14_closing_waits_for_calls_under_way_and_ends_all_handles() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let mut pages = {
        put_each(&archive, &plain(3, 10, 520));
        session.search_pages(&SearchRequest::new("*").limit(1)).expect("pages")
    };
    pages.next().expect("a page").expect("an answer");
    let (entered, told) = channel();
    let released = Arc::new(AtomicBool::new(false));
    let mut events = Holds { session: session.clone(), entered, released: Arc::clone(&released), receipts: 0 };
    let source = mbox(&plain(30, 20, 521));
    let (report, (closed, after)) = std::thread::scope(|scope| {
        let closing = scope.spawn({
            let (archive, released) = (&archive, &released);
            move || close_after(archive, told, released)
        });
        let options = ImportOptions { commit_each: true, ..ImportOptions::default() };
        let report = session.import(ImportSource::Stream(&mut &*source, "box.mbox"), &options, &mut events);
        (report.expect("the import comes to its end"), closing.join().expect("no panic"))
    });
    closed.expect("closed");
    assert!(after, "closing returned before the call went on");
    assert_eq!((report.stored, events.receipts), (30, 30));
    all_calls_give(&archive, &session, "closed");
    assert_eq!(pages.next().expect("an error").expect_err("closed").code(), "closed");
    assert!(pages.next().is_none());
    assert_eq!(archive.owner(), "anna", "what needs no call is still known");
    // All handles are still there.
    let again = files.open();
    assert_eq!(again.session(Actor::System).stats(&Progress::new()).expect("stats").messages, 33);
    assert!(again.recovered().is_none() && verify(&again).findings.is_empty());
    all_calls_give(&archive, &session, "closed");
}

/// The calls of an archive itself are waited for like those of its sessions.
#[test]
fn p14_closing_waits_for_a_change_of_keys() {
    let (files, archive) = Files::create();
    archive.close().expect("closed");
    let (entered, told) = channel();
    let (slot, released) = (Arc::new(std::sync::Mutex::new(None::<Archive>)), Arc::new(AtomicBool::new(false)));
    let (held, done) = (Arc::clone(&slot), Arc::clone(&released));
    let vfs = Hooked::new(&files.vfs, move |call| {
        let is_key_file = matches!(call, Call::Write(path) if path.to_string_lossy().contains("archive.mk"));
        let taken = if is_key_file { held.lock().expect("no panic").take() } else { None };
        if let Some(archive) = taken {
            entered.send(()).expect("somebody waits");
            // A call that needs no lock of the change.
            while !matches!(archive.session(Actor::System).folders(), Err(Error::Closed)) {
                std::thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
        }
        Ok(())
    });
    let archive = Archive::open_on(Arc::new(vfs), Path::new(DIR), &files.key(), OpenOptions::default()).expect("opens");
    archive.mark().expect("nothing else is written meanwhile");
    *slot.lock().expect("no panic") = Some(archive.clone());
    let (added, (closed, after)) = std::thread::scope(|scope| {
        let closing = scope.spawn({
            let (archive, released) = (&archive, &released);
            move || close_after(archive, told, released)
        });
        let added = archive.add_passphrase("open sesame");
        (added, closing.join().expect("no panic"))
    });
    added.expect("the change comes to its end");
    closed.expect("closed");
    assert!(after, "closing returned before the change was made");
    assert_eq!(files.open().key_status().expect("the keys").slots.len(), 3);
}

#[test]
fn p14_a_function_that_a_call_runs_cannot_close_the_archive() {
    struct Closes(Archive, Vec<Error>);
    impl ImportEvents for Closes {
        fn receipt(&mut self, _: &Receipt) {
            self.1.extend(self.0.close().err());
        }
    }
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    // The last one is above what is held in memory: its receipt comes from another thread than the others.
    let large = [&b"From a@b.example Thu Jan  1 00:00:00 2015\nSubject: large\n\n"[..], &b"a line\n".repeat((17 << 20) / 7)].concat();
    let source = [mbox(&plain(10, 20, 530)), large].concat();
    let asked = archive.clone();
    let progress = Progress::reporting(move |_| {
        assert_eq!(asked.close().expect_err("refused").code(), "misuse");
        std::ops::ControlFlow::Continue(())
    });
    let options = ImportOptions { progress, ..ImportOptions::default() };
    let mut closes = Closes(archive.clone(), Vec::new());
    let report = session.import(ImportSource::Stream(&mut &*source, "box.mbox"), &options, &mut closes).expect("goes on");
    assert_eq!((report.stored, closes.1.len()), (11, 11));
    assert!(closes.1.iter().all(|error| matches!(error, Error::Misuse { .. })), "{:?}", closes.1);
    let id = session.messages().next().expect("a mail").expect("listed").id;
    let mut refused = None;
    let of_sink = session.read(id, &mut |_| {
        refused = archive.close().err();
        Err(Error::caller("enough"))
    });
    assert!(matches!(refused, Some(Error::Misuse { .. })));
    assert!(matches!(of_sink, Err(Error::Caller(_))));
    archive.close().expect("closed after the calls");
}

#[test]
fn errors_say_what_the_system_said_and_whether_to_try_again() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(1, 10, 540));
    archive.close().expect("closed");
    let full = |call: Call<'_>| match call {
        Call::Write(path) if path.to_string_lossy().contains("/records/") => {
            Err(VfsError::new(Operation::Write, path, std::io::ErrorKind::StorageFull.into()))
        }
        _ => Ok(()),
    };
    let vfs = Hooked::new(&files.vfs, full);
    let archive = Archive::open_on(Arc::new(vfs), Path::new(DIR), &files.key(), OpenOptions::default()).expect("opens");
    let session = archive.session(Actor::System);
    let error = session.import_one(&plain(1, 10, 541)[0], &folder("anna")).expect_err("full");
    let of_system = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>()).expect("the system's");
    assert_eq!((of_system.kind(), error.code(), error.is_retryable()), (std::io::ErrorKind::StorageFull, "disk_full", true));
    let latched = session.import_one(&plain(1, 10, 542)[0], &folder("anna")).expect_err("latched");
    let cause = std::error::Error::source(&latched).and_then(|cause| cause.downcast_ref::<Error>());
    assert!(matches!(cause, Some(Error::Io(_))), "{latched:?}");
    assert!(!latched.is_retryable(), "it is to be opened again");
    assert!(files.try_open().expect_err("in use").is_retryable());
    let of_caller = session.read(session.messages().next().expect("one").expect("listed").id, &mut |_| {
        Err(Error::caller(std::io::Error::other("the pipe broke")))
    });
    let of_caller = of_caller.expect_err("the caller's");
    assert!(std::error::Error::source(&of_caller).is_some_and(|source| source.is::<std::io::Error>()));
    assert_eq!((of_caller.code(), of_caller.to_string().as_str(), of_caller.is_retryable()), ("caller", "the pipe broke", false));
    let denied = VfsError::new(Operation::Open, Path::new("x"), std::io::ErrorKind::PermissionDenied.into());
    assert!(![Error::Io(denied), Error::Closed, Error::Stopped].iter().any(Error::is_retryable));
}

/// A child that the process forks has neither its threads nor its locks.
#[cfg(unix)]
#[test]
#[expect(unsafe_code, reason = "a fork")]
fn p14_a_forked_process_cannot_use_the_archive_and_does_it_no_harm() {
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};
    let dir = tempfile::tempdir().expect("a folder");
    let (archive, _) = crate::fixture::committed(Archive::create(dir.path(), archive_core::CreateOptions::new("anna")));
    let session = archive.session(Actor::System);
    let id = put_each(&archive, &plain(1, 10, 550))[0].id();
    // SAFETY: the child calls nothing but the library, which refuses before it takes a lock, and ends without returning.
    let child = match unsafe { fork() }.expect("a fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let refused = [
                matches!(session.message(id), Err(Error::Forked)),
                matches!(session.folders(), Err(Error::Forked)),
                matches!(archive.mark(), Err(Error::Forked)),
                matches!(archive.close(), Err(Error::Forked)),
            ];
            let failed = refused.iter().filter(|refused| !**refused).count();
            drop((archive, session));
            // SAFETY: ends the process at once.
            unsafe { nix::libc::_exit(i32::try_from(failed).unwrap_or(i32::MAX)) }
        }
    };
    assert_eq!(waitpid(child, None).expect("it ends"), WaitStatus::Exited(child, 0));
    put_each(&archive, &plain(2, 10, 551));
    assert_eq!(session.stats(&Progress::new()).expect("stats").messages, 3);
    archive.close().expect("closed");
}
