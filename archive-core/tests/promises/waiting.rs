//! Nobody waits for the index and the catalog: a flush, a merge or a search is held at the disk, and everything else
//! goes on. No test uses a clock: a call that waited would wait for ever.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use archive_core::{Actor, Archive, Digest, MessageId, OpenOptions, SearchRequest};

use crate::fixture::{DIR, Files, put, verify};
use crate::hooked::{Call, Hooked};

/// Where a file operation is held.
#[derive(Clone, Copy)]
enum At {
    /// The first write to the so manieth file whose path has both parts.
    Write(&'static str, &'static str, usize),
    /// The first read of a file whose path has the part.
    Read(&'static str),
}

/// Holds one file operation until it is released, once it is armed.
struct Gate {
    at: At,
    armed: Option<(Sender<()>, Receiver<()>)>,
    seen: BTreeSet<PathBuf>,
}

impl Gate {
    /// Is this the operation? Then the two ends by which it is held.
    fn take(&mut self, call: &Call<'_>) -> Option<(Sender<()>, Receiver<()>)> {
        self.armed.as_ref()?;
        // Where the thread of the store falls behind, whoever archives writes, and would be held for ever.
        if matches!(self.at, At::Write(..)) && std::thread::current().name() != Some("mailkeep-index") {
            return None;
        }
        let is_it = match (self.at, call) {
            (At::Write(dir, name, nth), Call::Write(path)) => {
                let text = path.to_string_lossy();
                text.contains(dir) && text.contains(name) && self.seen.insert(path.to_path_buf()) && self.seen.len() == nth
            }
            (At::Read(part), Call::Read(path, ..)) => path.to_string_lossy().contains(part),
            _ => false,
        };
        if is_it { self.armed.take() } else { None }
    }
}

/// An archive on a disk with a gate, whose memory is small.
struct Held {
    files: Files,
    archive: Option<Archive>,
    gate: Arc<Mutex<Gate>>,
    mails: Vec<(MessageId, Digest)>,
}

impl Held {
    /// With so many sessions before, each of which archived some mails and left a run and a segment.
    fn after(sessions: usize, mails_each: usize, at: At) -> Self {
        let (files, archive) = Files::create();
        archive.close().unwrap();
        let mut mails = Vec::new();
        for no in 0..sessions {
            let archive = files.open();
            mails.extend((0..mails_each).map(|at| one(&archive, 1_000_000 + no * mails_each + at)));
            archive.close().unwrap();
        }
        let gate = Arc::new(Mutex::new(Gate { at, armed: None, seen: BTreeSet::new() }));
        let hook = Arc::clone(&gate);
        let vfs = Hooked::new(&files.vfs, move |call| {
            let held = hook.lock().unwrap().take(&call);
            if let Some((reached, released)) = held {
                reached.send(()).unwrap();
                released.recv().unwrap();
            }
            Ok(())
        });
        let archive = Archive::open_on(Arc::new(vfs), Path::new(DIR), &files.key(), OpenOptions::default().memory(16 << 20));
        Self { archive: Some(archive.unwrap()), files, gate, mails }
    }

    fn archive(&self) -> &Archive {
        self.archive.as_ref().unwrap()
    }

    /// From now on the operation is held. The first end receives a message when it is reached, the second releases it.
    fn arm(&self) -> (Receiver<()>, Sender<()>) {
        let ((reached, is_reached), (release, released)) = (channel(), channel());
        self.gate.lock().unwrap().armed = Some((reached, released));
        (is_reached, release)
    }

    /// Archives mails one by one until the operation is held.
    fn fill_until(&mut self, reached: &Receiver<()>) {
        for no in 0..20_000 {
            self.mails.push(one(self.archive(), no));
            if reached.try_recv().is_ok() {
                return;
            }
        }
        panic!("nothing was written beside the mails");
    }

    /// What never waits.
    fn use_it(&mut self) {
        let mails = self.mails.len() as u64;
        let session = self.archive().session(Actor::System);
        let (id, digest) = self.mails[0];
        assert_eq!(Digest::of(&session.raw(id).unwrap()), digest);
        let answer = session.search(&SearchRequest::new("*").limit(50)).unwrap();
        assert_eq!((answer.total + answer.coverage.not_indexed, answer.hits.len()), (mails, 50));
        let no = 2_000_000 + self.mails.len();
        let new = one(self.archive(), no);
        assert_eq!(Digest::of(&session.raw(new.0).unwrap()), new.1);
        let answer = session.search(&SearchRequest::new(&word(no, 7))).unwrap();
        assert!(answer.total == 1 || answer.coverage.not_indexed > 0, "a mail that was archived is found or counted");
        self.mails.push(new);
    }

    /// Everything is there, nothing is left over, and nothing runs any more.
    fn end(mut self) {
        self.archive.take().unwrap().close().unwrap();
        assert_eq!(Arc::strong_count(&self.gate), 1, "a thread that lives on holds the disk");
        let archive = self.files.open();
        assert!(archive.recovered().is_none());
        assert_eq!(verify(&archive).findings, []);
        let session = archive.session(Actor::System);
        let answer = session.search(&SearchRequest::new("*").limit(0)).unwrap();
        assert_eq!((answer.total, answer.coverage.not_indexed), (self.mails.len() as u64, 0));
        for (id, digest) in &self.mails {
            assert_eq!(Digest::of(&session.raw(*id).unwrap()), *digest);
        }
    }
}

/// A word that only this mail has.
fn word(no: usize, at: usize) -> String {
    format!("w{no:x}y{at:x}z{:x}", no.wrapping_mul(2_654_435_761).wrapping_add(at) & 0xff_ffff)
}

fn one(archive: &Archive, no: usize) -> (MessageId, Digest) {
    let words: Vec<String> = (0..40).map(|at| word(no, at)).collect();
    let mail = format!("From: a@b.example\nSubject: mail {no}\n\n{}\n", words.join(" "));
    let receipt = put(archive, "anna/in", &mail);
    (receipt.id(), receipt.digest())
}

/// Holds the operation, uses the archive meanwhile, and goes on.
fn hold(sessions: usize, at: At) {
    let mut held = Held::after(sessions, 1, at);
    let (reached, release) = held.arm();
    held.fill_until(&reached);
    for _ in 0..8 {
        held.use_it();
    }
    release.send(()).unwrap();
    held.use_it();
    held.end();
}

#[test]
fn s4_7_nobody_waits_for_a_flush_of_the_index() {
    hold(0, At::Write("/index/", ".mki", 1));
}

#[test]
fn s4_7_nobody_waits_for_the_manifest_of_the_index() {
    hold(0, At::Write("/index/", "manifest", 1));
}

#[test]
fn s4_7_nobody_waits_for_a_merge_of_the_index() {
    hold(7, At::Write("/index/", ".mki", 2));
}

#[test]
fn s4_7_nobody_waits_for_a_flush_of_the_catalog() {
    hold(0, At::Write("/catalog/", ".mks", 1));
}

#[test]
fn s4_7_nobody_waits_for_the_manifest_of_the_catalog() {
    hold(0, At::Write("/catalog/", "manifest", 1));
}

#[test]
fn s4_7_nobody_waits_for_a_merge_of_the_catalog() {
    hold(7, At::Write("/catalog/", ".mks", 2));
}

#[test]
fn s4_7_nobody_waits_for_a_search_that_runs() {
    for part in [".mki", ".mks", ".mkc"] {
        let mut held = Held::after(2, 200, At::Read(part));
        let (reached, release) = held.arm();
        let archive = held.archive.take().unwrap();
        std::thread::scope(|scope| {
            let query = SearchRequest::new(&word(1_000_001, 7)).with_snippets();
            let archive = Arc::new(archive);
            let searching = Arc::clone(&archive);
            let gate = Arc::clone(&held.gate);
            let search = scope.spawn(move || {
                let answer = searching.session(Actor::System).search(&query);
                gate.lock().unwrap().armed = None;
                answer.unwrap().total
            });
            reached.recv().unwrap_or_else(|_| panic!("no {part} was read"));
            for no in 0..60 {
                held.mails.push(one(&archive, no));
                let found = archive.session(Actor::System).search(&SearchRequest::new(&word(no, 3)).limit(1)).unwrap();
                assert_eq!(found.total, 1, "{part}");
            }
            release.send(()).unwrap();
            assert_eq!(search.join().unwrap(), 1);
            held.archive = Arc::into_inner(archive);
        });
        held.use_it();
        held.end();
    }
}

/// What a merge has when the archive is closed is dropped or taken, and nothing of it is left.
#[test]
fn p2_closing_stops_a_merge_and_leaves_nothing_of_it() {
    for at in [At::Write("/index/", ".mki", 2), At::Write("/catalog/", ".mks", 2)] {
        let mut held = Held::after(7, 1, at);
        let (reached, release) = held.arm();
        held.fill_until(&reached);
        std::thread::scope(|scope| {
            let archive = held.archive.take().unwrap();
            let closed = scope.spawn(move || archive.close());
            release.send(()).unwrap();
            closed.join().unwrap().unwrap();
        });
        assert_eq!(Arc::strong_count(&held.gate), 1);
        let before = held.files.paths();
        let archive = held.files.open();
        assert_eq!(held.files.paths(), before, "the open found nothing to remove");
        held.archive = Some(archive);
        held.end();
    }
}
