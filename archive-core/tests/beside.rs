//! Readers and a writer in processes of their own, on a real disk: each answer of a reader equals a committed state between its
//! beginning and its end, and killing any of them at any moment harms none of the others (P14).
//!
//! All processes are this test binary. The writer archives mails one by one and in bulk, moves folders, deletes, compacts, closes and
//! opens; the message of number N is always mail N, which both sides compute. It appends a byte to a file for each receipt, and to
//! another one what it is about to delete and has deleted; readers know nothing but these two. `MAILKEEP_READERS_SECONDS` says for how long (4 unless told), `MAILKEEP_SEED` which moments.

#![allow(missing_docs, reason = "a test binary")]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use archive_core::{
    Actor, Archive, CompactOptions, CreateOptions, DeleteOptions, Depth, Error, FolderOptions, ImportEvents, ImportOptions, ImportSource,
    Key, MessageId, MessageNo, NoEvents, OpenOptions, Progress, Receipt, SearchRequest, Session, StoreNo,
};

const ROLE: &str = "MAILKEEP_TEST_ROLE";
const NAME: &str = "p14_readers_in_other_processes_see_committed_states_whatever_is_killed";
const READERS: usize = 4;
/// The most mails in one commit of the writer.
const BULK: usize = 60;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).expect("fits")
    }
}

/// Mail `no`: a word that no other has, and words that many have.
fn mail(no: usize) -> Vec<u8> {
    let mut dice = Dice(no as u64);
    let mut text = format!("From: a{}@example.org\nSubject: only{no}\nMessage-ID: <{no}@example.org>\n\n", dice.roll(50));
    let lines = if no % 50 == 49 { 4000 } else { dice.roll(60) };
    for _ in 0..lines {
        writeln!(text, "word{} word{} word{}", dice.roll(300), dice.roll(3000), dice.roll(30)).expect("in memory");
    }
    text.into_bytes()
}

fn id(no: usize) -> MessageId {
    MessageId { store: StoreNo(1), no: MessageNo(u32::try_from(no).expect("a number")) }
}

/// The folder of the test.
struct Place(PathBuf);

impl Place {
    fn open(&self, read_only: bool) -> Archive {
        let key = Key::File(std::fs::read_to_string(self.0.join("key")).expect("the key").into());
        // Small, so that containers are closed, runs and segments written and merged, again and again.
        let options = OpenOptions::default().container_limit(1 << 20).memory(16 << 20).read_only(read_only);
        Archive::open(&self.0.join("archive"), &key, options).expect("opens")
    }

    fn receipts(&self) -> usize {
        std::fs::metadata(self.0.join("receipts")).map_or(0, |file| usize::try_from(file.len()).expect("fits"))
    }

    /// Messages whose deletion was begun, and those of them whose deletion returned.
    fn deletions(&self) -> Deletions {
        let log = std::fs::read_to_string(self.0.join("deletions")).unwrap_or_default();
        let mut deletions = Deletions::default();
        // The writer may be in the middle of the last line.
        for line in log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let numbers = line.split_whitespace().skip(1).map(|no| no.parse::<usize>().expect("a number"));
            if line.starts_with("begun") { deletions.begun.extend(numbers) } else { deletions.done.extend(numbers) }
        }
        deletions
    }

    fn note_deletion(&self, what: &str, numbers: &[usize]) {
        let line = numbers.iter().fold(what.to_owned(), |line, no| format!("{line} {no}"));
        let file = std::fs::File::options().create(true).append(true).open(self.0.join("deletions"));
        file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).expect("noted");
    }

    fn is_over(&self) -> bool {
        self.0.join("over").exists()
    }
}

#[derive(Default)]
struct Deletions {
    begun: BTreeSet<usize>,
    done: BTreeSet<usize>,
}

/// Deletes messages, and notes it before and after.
fn delete(place: &Place, session: &Session, numbers: &[usize]) {
    let ids: Vec<MessageId> = numbers.iter().map(|no| id(*no)).collect();
    session.delete(&ids, "a test", DeleteOptions::default()).expect("deleted");
    place.note_deletion("done", numbers);
}

fn messages(session: &Session) -> usize {
    usize::try_from(session.folders().expect("folders").iter().map(|folder| folder.messages).sum::<u64>()).expect("fits")
}

/// Notes receipts.
struct Noted(std::fs::File);

impl ImportEvents for Noted {
    fn receipt(&mut self, _receipt: &Receipt) {
        self.0.write_all(b".").expect("noted");
    }
}

fn write(place: &Place, seed: u64) {
    let mut dice = Dice(seed);
    let file = std::fs::File::options().create(true).append(true).open(place.0.join("receipts")).expect("a file for receipts");
    let mut noted = Noted(file);
    while !place.is_over() {
        let archive = place.open(false);
        let session = archive.session(Actor::System);
        // What a kill cut off is deleted now.
        let Deletions { begun, done } = place.deletions();
        let open: Vec<usize> = begun.difference(&done).copied().collect();
        let (open, erased): (Vec<usize>, Vec<usize>) = open.into_iter().partition(|no| !is_erased(&session, *no));
        delete(place, &session, &open);
        place.note_deletion("done", &erased);
        let mut next = next_number(&session, place.receipts());
        // A commit that a kill cut off before its receipts were noted counts all the same.
        (place.receipts()..next).for_each(|_| noted.0.write_all(b".").expect("noted"));
        for _ in 0..dice.roll(12) {
            if dice.roll(6) == 0 {
                let gone = place.deletions().begun;
                let some: BTreeSet<usize> =
                    (0..dice.roll(20)).map(|_| dice.roll(next.max(1))).filter(|no| *no < next && !gone.contains(no)).collect();
                let some: Vec<usize> = some.into_iter().collect();
                place.note_deletion("begun", &some);
                delete(place, &session, &some);
            } else if dice.roll(12) == 0 {
                let report = session.compact(CompactOptions::default(), &Progress::new()).expect("compacted");
                assert!(report.is_done(), "{report:?}");
            } else if dice.roll(12) == 0 {
                let name = format!("moved{}", dice.roll(1 << 30));
                match session.rename_folder(&"anna/bulk".parse().expect("a folder"), &name, FolderOptions::default()) {
                    Ok(_) | Err(Error::NoSuchFolder(_) | Error::FolderExists(_)) => {}
                    Err(error) => panic!("renaming: {error}"),
                }
            } else if dice.roll(3) > 0 {
                for _ in 0..dice.roll(10) {
                    let receipt = session.import_one(&mail(next), &"anna/single".parse().expect("a folder")).expect("archived");
                    assert_eq!(receipt.id(), id(next));
                    noted.receipt(&receipt);
                    next += 1;
                }
            } else {
                let mut bulk = Vec::new();
                let count = dice.roll(BULK);
                for no in next..next + count {
                    bulk.extend_from_slice(b"From a@example.org Thu Jan  2 03:04:05 2020\n");
                    bulk.extend_from_slice(&mail(no));
                    bulk.push(b'\n');
                }
                let options = ImportOptions { into: Some("anna/bulk".parse().expect("a folder")), ..ImportOptions::default() };
                let report = session.import(ImportSource::Stream(&mut &*bulk, "bulk.mbox"), &options, &mut noted).expect("imported");
                assert_eq!(report.stored, count as u64);
                next += count;
            }
        }
        if dice.roll(4) > 0 {
            archive.close().expect("closed");
        }
    }
}

fn is_erased(session: &Session, no: usize) -> bool {
    matches!(session.raw(id(no)), Err(Error::NoSuchMessage(_)))
}

/// The number after the last message, which is at or after `from`.
fn next_number(session: &Session, from: usize) -> usize {
    let is_there = |no: &usize| !is_erased(session, *no);
    (from..from + 2 * BULK).rev().find(is_there).map_or(from, |last| last + 1)
}

/// Compares a state that a reader shows with the mails that had receipts before and have them after, and with what was deleted.
/// A compaction may take away what an old state needs, which is an error of its own.
fn judge(place: &Place, archive: &Archive, before: &Before, dice: &mut Dice, deep: bool) -> Result<(), Error> {
    let session = archive.session(Actor::System);
    assert!(archive.damage().is_none() && archive.barred().is_none(), "{:?} {:?}", archive.damage(), archive.barred());
    let count = messages(&session);
    let everything = session.search(&SearchRequest::new("*").limit(5))?;
    assert_eq!(usize::try_from(everything.total + everything.coverage.not_indexed).expect("fits"), count);
    // 16 MiB of memory have room for the tail of this writer's index.
    assert_eq!(everything.coverage.not_indexed, 0);
    let mut shown = Vec::new();
    for _ in 0..10.min(before.receipts) {
        let no = dice.roll(before.receipts);
        let found = session.search(&SearchRequest::new(&format!("only{no}")))?;
        let hits: Vec<MessageId> = found.hits.iter().map(|hit| hit.id).collect();
        let raw = session.raw(id(no));
        shown.push((
            no,
            match raw {
                Ok(raw) => {
                    assert!(raw == mail(no), "mail {no}");
                    assert_eq!(hits, [id(no)], "only{no}");
                    true
                }
                Err(Error::Deleted { .. } | Error::NoSuchMessage(_)) => {
                    assert_eq!(hits, [], "only{no}");
                    false
                }
                Err(error) => return Err(error),
            },
        ));
    }
    let (after, deletions) = (place.receipts(), place.deletions());
    for (no, is_shown) in shown {
        assert!(!is_shown || !before.deleted.contains(&no), "{no} was deleted before");
        assert!(is_shown || deletions.begun.contains(&no), "{no} has a receipt and nobody deleted it");
    }
    let least = before.receipts.saturating_sub(deletions.begun.iter().filter(|no| **no < before.receipts).count());
    assert!(count >= least, "{} receipts before, {} deletions, {count} messages", before.receipts, deletions.begun.len());
    assert!(count <= after + BULK - before.deleted.len(), "{after} receipts after, {} deleted, {count} messages", before.deleted.len());
    if deep {
        let report = session.verify(Depth::Everything, &Progress::new())?;
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        assert_eq!(report.lost_messages, 0);
        let listed: Vec<MessageId> = session.messages().map(|info| info.map(|info| info.id)).collect::<Result<_, _>>()?;
        assert_eq!(listed.len(), count);
        let (mut out, mut failed) = (Vec::new(), None);
        let mut sink = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        let exported = session.export_mbox(&mut sink, &Default::default(), &mut |_, error| failed = Some(error.clone()))?;
        if let Some(error) = failed {
            return Err(error);
        }
        assert_eq!(exported.exported, count as u64);
        let checked = session.check(ImportSource::Stream(&mut &*out, "own.mbox"), &ImportOptions::default(), &mut NoEvents)?;
        assert_eq!((checked.present, checked.missing), (count as u64, 0));
    }
    Ok(())
}

/// What was promised before a state was opened.
struct Before {
    receipts: usize,
    deleted: BTreeSet<usize>,
}

impl Before {
    fn of(place: &Place) -> Self {
        // First what was deleted: a message is archived before.
        let deleted = place.deletions().done;
        Self { receipts: place.receipts(), deleted }
    }
}

/// Whether an answer is that of a state; `false` if a compaction took the state away.
fn stands(judged: Result<(), Error>) -> bool {
    match judged {
        Ok(()) => true,
        Err(Error::SnapshotGone { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

fn read(place: &Place, seed: u64) {
    let mut dice = Dice(seed);
    let (mut rounds, mut gone) = (0u64, 0u64);
    while !place.is_over() {
        let mut before = Before::of(place);
        let archive = place.open(true);
        gone += u64::from(!stands(judge(place, &archive, &before, &mut dice, rounds.is_multiple_of(8))));
        for _ in 0..dice.roll(6) {
            // An old state stays as it is, unless a compaction takes it away, and the next one has what came meanwhile.
            gone += u64::from(!stands(judge(place, &archive, &before, &mut dice, false)));
            before = Before::of(place);
            archive.refresh().expect("refreshed");
            gone += u64::from(!stands(judge(place, &archive, &before, &mut dice, false)));
        }
        archive.close().expect("closed");
        rounds += 1;
    }
    let mut log = std::fs::File::options().create(true).append(true).open(place.0.join("rounds")).expect("a log");
    writeln!(log, "{rounds}, states gone {gone}").expect("noted");
}

fn spawn(place: &Place, role: &str, seed: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", NAME, "--nocapture"]).env(ROLE, role).env("MAILKEEP_SEED", seed.to_string());
    command.env("MAILKEEP_PLACE", &place.0).stdout(Stdio::null()).spawn().expect("a process")
}

#[test]
fn p14_readers_in_other_processes_see_committed_states_whatever_is_killed() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = variable("MAILKEEP_SEED").unwrap_or(20);
    if let Ok(role) = std::env::var(ROLE) {
        let place = Place(std::env::var("MAILKEEP_PLACE").expect("a folder").into());
        return if role == "writer" { write(&place, seed) } else { read(&place, seed) };
    }
    let dir = tempfile::tempdir().expect("a folder");
    let place = Place(dir.path().to_owned());
    let new = Archive::create(&place.0.join("archive"), CreateOptions::new("anna")).expect("a new archive");
    std::fs::write(place.0.join("key"), new.keys().key_file.as_ref().expect("a key file").text()).expect("kept");
    new.commit().expect("created").close().expect("closed");
    let (mut dice, mut kills) = (Dice(seed), (0, 0));
    let end = Instant::now() + Duration::from_secs(variable("MAILKEEP_READERS_SECONDS").unwrap_or(4));
    let mut children: Vec<Child> = Vec::new();
    children.push(spawn(&place, "writer", seed));
    children.extend((0..READERS).map(|no| spawn(&place, "reader", seed + 1 + no as u64)));
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100 + dice.roll(900) as u64));
        for child in &mut children {
            assert!(child.try_wait().expect("a state").is_none(), "a process ended by itself: it found something wrong");
        }
        // Mostly a reader; the writer too, and the next one recovers beside the readers.
        let victim = dice.roll(READERS + 1);
        children[victim].kill().expect("killed");
        children[victim].wait().expect("gone");
        let (role, killed) = if victim == 0 { ("writer", &mut kills.0) } else { ("reader", &mut kills.1) };
        *killed += 1;
        children[victim] = spawn(&place, role, dice.0);
    }
    std::fs::write(place.0.join("over"), "").expect("over");
    for child in &mut children {
        assert!(child.wait().expect("its end").success(), "a process found something wrong");
    }
    let archive = place.open(false);
    assert!(stands(judge(&place, &archive, &Before::of(&place), &mut dice, true)));
    let rounds = std::fs::read_to_string(place.0.join("rounds")).unwrap_or_default();
    println!(
        "{} mails, {} deleted, {} kills of the writer, {} of readers, rounds of the last readers: {:?}",
        place.receipts(),
        place.deletions().done.len(),
        kills.0,
        kills.1,
        rounds.lines().collect::<Vec<_>>()
    );
    assert!(place.receipts() > 0);
}
