//! A mail above 16 MiB is received without the store being held: nobody waits for its source, and what does not become a mail leaves nothing.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use archive_core::source::Trouble;
use archive_core::vfs::Vfs;
use archive_core::{
    Actor, Archive, Error, ImportEvents, ImportOptions, ImportReport, ImportSource, MessageId, OpenOptions, Outcome, Progress, Receipt,
};

use crate::fixture::{DIR, Dice, Files, Told, base64, folder, mbox, plain, put, put_stream, verify};
use crate::hooked::{Call, Hooked};

/// So long a step may take before a test counts as hung; nothing is measured by it.
const HUNG: Duration = Duration::from_secs(120);

fn large_head(subject: &str) -> Vec<u8> {
    let head = "MIME-Version: 1.0\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n";
    format!("From: a@b.example\nSubject: {subject}\n{head}").into_bytes()
}

/// A mail of some 20 MiB with one attachment, which compresses to 10 MiB.
fn large(subject: &str) -> Vec<u8> {
    let mut dice = Dice(5);
    let noise: Vec<u8> = dice.bytes(1 << 20).into_iter().map(|byte| byte & 0x1f).collect();
    let encoded = base64(&noise.repeat(15), 76, "\n");
    [large_head(subject), encoded.into_bytes()].concat()
}

/// Files in `content/` that are no containers.
fn received(files: &Files) -> Vec<PathBuf> {
    files.paths_with("/content/").into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "tmp")).collect()
}

fn content(files: &Files) -> usize {
    files.paths_with("/content/").iter().map(|path| files.bytes(path).len()).sum()
}

fn import(archive: &Archive, source: &mut dyn Read, name: &str, events: &mut dyn ImportEvents) -> Result<ImportReport, Error> {
    let options = ImportOptions { into: Some(folder("anna/box")), ..ImportOptions::default() };
    archive.session(Actor::System).import(ImportSource::Stream(source, name), &options, events)
}

/// A source that gives what it is sent, and says when it waits for more. It ends when nobody sends any more.
struct Drips {
    pieces: Receiver<Vec<u8>>,
    waits: Sender<()>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Drips {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.piece.len() {
            let _gone = self.waits.send(());
            match self.pieces.recv_timeout(HUNG) {
                Ok(piece) => (self.piece, self.at) = (piece, 0),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(0),
                Err(_) => return Err(std::io::Error::other("somebody waits for this source")),
            }
        }
        let len = (&self.piece[self.at..]).read(buf)?;
        self.at += len;
        Ok(len)
    }
}

#[test]
fn a_thousand_mails_are_archived_while_a_source_drips_in_the_middle_of_a_large_mail() {
    let (files, archive) = Files::create();
    let mails = [plain(1, 30, 11), vec![large("slow")], plain(1, 30, 12)].concat();
    let source = mbox(&mails);
    let (mut begun, mut rest) = (source, Vec::new());
    rest.append(&mut begun.split_off(19 << 20));
    let singles = plain(1000, 20, 13);
    let (send, pieces) = channel();
    let (waits, is_waiting) = channel();
    let mut told = Told::default();
    let mut drips = Drips { pieces, waits, piece: Vec::new(), at: 0 };
    let (report, receipts) = std::thread::scope(|scope| {
        let importing = scope.spawn(|| import(&archive, &mut drips, "box.mbox", &mut told));
        is_waiting.recv_timeout(HUNG).expect("it asks for the first piece");
        send.send(begun).expect("taken");
        is_waiting.recv_timeout(HUNG).expect("it asks for more");
        assert_eq!(received(&files).len(), 1, "the mail is being received: {:?}", files.paths_with("/content/"));
        let mut receipts = Vec::new();
        for (no, single) in singles.iter().enumerate() {
            receipts.push(put(&archive, "anna/singles", single));
            if no % 100 == 99 {
                send.send(vec![rest[no / 100]]).expect("taken");
                is_waiting.recv_timeout(HUNG).expect("it asks for more");
            }
        }
        assert_eq!(verify(&archive).findings, [], "what is being received is no damage");
        assert!(archive.session(Actor::System).stats(&Progress::new()).is_ok());
        send.send(rest.split_off(10)).expect("taken");
        drop(send);
        (importing.join().expect("joined").expect("imported"), receipts)
    });
    assert_eq!((report.read, report.stored, report.failed), (3, 3, 0), "{:?}", told.troubles);
    assert_eq!(received(&files), [] as [PathBuf; 0]);
    drop(archive);
    let archive = files.open();
    let session = archive.session(Actor::System);
    for (mail, receipt) in mails.iter().zip(&told.receipts).chain(singles.iter().zip(&receipts)) {
        assert!(session.raw(receipt.id()).expect("readable") == *mail);
    }
    assert_eq!(verify(&archive).findings, []);
}

/// A source of `bytes` that then does something and fails, or ends.
struct Then<'a, F> {
    bytes: &'a [u8],
    then: F,
}

impl<F: FnMut() -> std::io::Result<()>> Read for Then<'_, F> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match self.bytes.read(buf)? {
            0 if !buf.is_empty() => (self.then)().map(|()| 0),
            len => Ok(len),
        }
    }
}

/// Looks for what is left at the moment when a failure is reported.
struct Looks<'a>(&'a Files, Vec<PathBuf>);

impl ImportEvents for Looks<'_> {
    fn trouble(&mut self, _: &Trouble) {
        self.1.extend(received(self.0));
    }
}

#[test]
fn p12_a_source_that_fails_within_a_large_mail_leaves_nothing_of_it() {
    let (files, archive) = Files::create();
    put(&archive, "anna/box", &plain(1, 30, 21)[0]);
    let before = content(&files);
    let mail = large("broken off");
    let mut begun = false;
    let mut source = Then {
        bytes: &mail[..19 << 20],
        then: || {
            begun = received(&files).len() == 1;
            Err(std::io::Error::other("connection reset"))
        },
    };
    let mut looks = Looks(&files, Vec::new());
    let report = import(&archive, &mut source, "large.eml", &mut looks).expect("an import with a failed mail");
    assert!(report.stored == 0 && report.failed > 0 && report.read == report.failed, "{report:?}");
    assert_eq!(looks.1, [] as [PathBuf; 0]);
    assert!(begun, "a part of the mail was received");
    assert_eq!(content(&files), before);
    let (report, told) = put_stream(&archive, &mail, "large.eml", &ImportOptions::default());
    assert_eq!(report.stored, 1);
    assert!(archive.session(Actor::System).raw(told.receipts[0].id()).expect("readable") == mail);
    assert_eq!(verify(&archive).findings, []);
}

#[test]
fn a_large_mail_that_is_there_already_is_not_copied_nor_is_an_attachment() {
    let (files, archive) = Files::create();
    let options = |path: &str| ImportOptions { into: Some(folder(path)), ..ImportOptions::default() };
    let mail = large("once");
    let (_, first) = put_stream(&archive, &mail, "large.eml", &options("anna/one"));
    let before = content(&files);
    assert!(before > 5 << 20, "{before}");
    let (report, again) = put_stream(&archive, &mail, "large.eml", &options("anna/one"));
    assert_eq!((report.duplicate, again.receipts[0].id()), (1, first.receipts[0].id()));
    let (report, _) = put_stream(&archive, &mail, "large.eml", &options("anna/two"));
    assert_eq!(report.stored, 1, "another folder, the same content");
    assert_eq!(content(&files), before);
    let other = large("the same attachment");
    let (report, told) = put_stream(&archive, &other, "large.eml", &options("anna/one"));
    assert_eq!((report.stored, told.receipts[0].outcome()), (1, Outcome::Stored));
    assert!(content(&files) < before + 10_000, "from {before} to {}", content(&files));
    archive.close().expect("closed");
    let archive = files.open();
    assert!(archive.session(Actor::System).raw(told.receipts[0].id()).expect("readable") == other);
    assert_eq!(verify(&archive).findings, []);
}

/// The bytes lie on disk between the source and the comparison: what changes there must not get a receipt.
#[test]
fn p7_a_large_mail_whose_bytes_change_before_they_are_compared_is_not_archived() {
    let (files, archive) = Files::create();
    let mail = large("changed");
    let flip = || {
        let path = &received(&files)[0];
        files.flip(path, files.bytes(path).len() / 2);
        Ok(())
    };
    let mut told = Told::default();
    let error = import(&archive, &mut Then { bytes: &mail, then: flip }, "large.eml", &mut told).expect_err("no receipt");
    assert_eq!((error.code(), told.receipts.len()), ("damage", 0), "{error}");
    assert_eq!(received(&files), [] as [PathBuf; 0]);
    let (report, told) = put_stream(&archive, &mail, "large.eml", &ImportOptions::default());
    assert_eq!(report.stored, 1, "the archive goes on");
    assert!(archive.session(Actor::System).raw(told.receipts[0].id()).expect("readable") == mail);
    assert_eq!(verify(&archive).findings, []);
}

/// The second read of a block is that of the copy: it must give what was compared.
#[test]
fn p7_a_large_mail_whose_bytes_change_between_comparing_and_copying_is_not_archived() {
    let (files, archive) = Files::create();
    archive.close().expect("closed");
    let seen = Mutex::new(Vec::new());
    let vfs = Hooked::new(&files.vfs, move |call| {
        let Call::Read(path, offset, bytes) = call else { return Ok(()) };
        let mut seen = seen.lock().expect("not poisoned");
        // Bodies of frames; the fifth is in the middle.
        if path.extension().is_some_and(|extension| extension == "tmp") && bytes.len() > 1000 {
            if seen.contains(&offset) && seen.iter().position(|known| *known == offset) == Some(5) {
                bytes[500] ^= 1;
            }
            seen.push(offset);
        }
        Ok(())
    });
    let archive = Archive::open_on(Arc::new(vfs), Path::new(DIR), &files.key(), OpenOptions::default()).expect("opens");
    let before = put(&archive, "anna/box", &plain(1, 30, 22)[0]);
    let mail = large("changed");
    let mut told = Told::default();
    let error = import(&archive, &mut &*mail, "large.eml", &mut told).expect_err("no receipt");
    assert_eq!((error.code(), told.receipts.len()), ("damage", 0), "{error}");
    assert_eq!(received(&files), [] as [PathBuf; 0]);
    let refused = archive.session(Actor::System).import_one(b"Subject: x\n\nx\n", &folder("anna/box")).expect_err("latched");
    assert_eq!(refused.code(), "latched");
    drop(archive);
    let archive = files.open();
    assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages, 1);
    assert!(archive.session(Actor::System).raw(before.id()).is_ok());
    let (report, told) = put_stream(&archive, &mail, "large.eml", &ImportOptions::default());
    assert_eq!(report.stored, 1);
    assert!(archive.session(Actor::System).raw(told.receipts[0].id()).expect("readable") == mail);
    assert_eq!(verify(&archive).findings, []);
}

#[test]
fn an_open_removes_what_was_being_received_and_no_other_file() {
    let (files, archive) = Files::create();
    put(&archive, "anna/box", &plain(1, 30, 23)[0]);
    archive.close().expect("closed");
    let dir = Path::new(DIR).join("stores/1/content");
    for name in ["00c0ffee00c0ffee.tmp", "notes.tmp", "00C0FFEE00C0FFEE.tmp", "00c0ffee00c0ffee.txt"] {
        files.vfs.create(&dir.join(name)).and_then(|file| file.append(b"half of something")).expect("a file");
    }
    let archive = files.open();
    assert_eq!(files.paths_with("00c0ffee00c0ffee.tmp"), [] as [PathBuf; 0]);
    assert_eq!(received(&files).len(), 2);
    assert_eq!(files.paths_with("00c0ffee00c0ffee.txt").len(), 1);
    assert_eq!(verify(&archive).findings, []);
}

/// Blocks the opening of one file until the test lets it go.
struct Gate {
    arrived: Receiver<()>,
    go_on: Sender<()>,
}

impl Gate {
    fn at(files: &Files, name: &'static str) -> (Self, Hooked) {
        let ((arrive, arrived), (go_on, may_go)) = (channel(), channel());
        let gate = Mutex::new((arrive, may_go));
        let vfs = Hooked::new(&files.vfs, move |call| {
            if let Call::Open(path) = call
                && path.ends_with(name)
            {
                let gate = gate.lock().expect("not poisoned");
                // Nobody listens while the archive is being opened.
                if gate.0.send(()).is_ok() {
                    let _gone = gate.1.recv_timeout(HUNG);
                }
            }
            Ok(())
        });
        (Self { arrived, go_on }, vfs)
    }
}

/// An archive of two containers and two records files, with a message in each.
fn two_files() -> (Files, Vec<MessageId>) {
    let (files, archive) = Files::create_with(OpenOptions::default().container_limit(1000));
    let mut ids = Vec::new();
    let mut add = |archive: &Archive, seed| {
        let (_, told) = put_stream(archive, &mbox(&plain(400, 200, seed)), "box.mbox", &ImportOptions::default());
        ids.push(told.receipts.first().map(Receipt::id).expect("a receipt"));
    };
    add(&archive, 31);
    // The last commit before a crash is copied into the next file.
    put(&archive, "anna/box", &plain(1, 30, 33)[0]);
    drop(archive);
    let archive = files.try_open_with(OpenOptions::default().container_limit(1000)).expect("opens");
    add(&archive, 32);
    archive.close().expect("closed");
    (files, ids)
}

/// One reads what lies in a file whose opening takes long, another one what lies in the file beside it.
fn read_beside(name: &'static str, read: impl Fn(&Archive, MessageId) + Send + Sync) {
    let (files, ids) = two_files();
    let (gate, vfs) = Gate::at(&files, name);
    // What is asked while the archive opens goes through.
    let opened = std::thread::scope(|scope| {
        let opening = scope.spawn(|| Archive::open_on(Arc::new(vfs), Path::new(DIR), &files.key(), OpenOptions::default()));
        while !opening.is_finished() {
            if gate.arrived.try_recv().is_ok() {
                gate.go_on.send(()).expect("it waits");
            }
            std::thread::yield_now();
        }
        opening.join().expect("joined")
    });
    let archive = opened.expect("opens");
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| read(&archive, ids[0]));
        gate.arrived.recv_timeout(HUNG).expect("the first is at the gate");
        read(&archive, ids[1]);
        assert!(!slow.is_finished(), "it still waits at the gate");
        gate.go_on.send(()).expect("it waits");
        slow.join().expect("read");
    });
}

#[test]
fn nobody_waits_for_the_opening_of_a_container_that_another_one_reads() {
    read_beside("content/000001.mkc", |archive, id| drop(archive.session(Actor::System).raw(id).expect("readable")));
}

#[test]
fn nobody_waits_for_the_opening_of_records_that_another_one_reads() {
    read_beside("records/000001.mkr", |archive, id| drop(archive.session(Actor::System).record(id).expect("readable")));
}
