//! The life of an archive with two stores on the simulated disk, cut at every write and sync, and faulted at every call (P1, P2, P5,
//! P13): stores that are created, disabled and detached, a folder that is renamed in both, deletions and a compaction in both.
//!
//! The judge reads receipts and sources only. `MAILKEEP_CRASH_STRIDE` is how many points are stepped over (default 11; 1 is all of
//! them) and `MAILKEEP_CRASH_SEED` where the walk begins. The count of points explored is printed.

use std::path::Path;
use std::sync::Arc;

use archive_core::vfs::{CrashMoment, CrashStyle, Fault, SimVfs, Vfs};
use archive_core::{
    Actor, Archive, CompactOptions, CreateOptions, DeleteOptions, Depth, Error, FolderOptions, Key, MessageId, NewStore, OpenOptions,
    Progress, SearchRequest, Session, StoreState,
};

const DIR: &str = "/archive";

fn mail(no: usize) -> Vec<u8> {
    format!("From: anna@example.org\nSubject: number {no}\n\n{}\n", format!("word{no} ").repeat(40)).into_bytes()
}

/// What was promised so far.
#[derive(Default, Clone)]
struct Promises {
    key: String,
    receipts: Vec<(MessageId, usize)>,
    /// The folder in which the mails are, and the one that they are perhaps in already.
    folder: (&'static str, &'static str),
    /// Messages that are deleted, and whether the call returned.
    deleted: Vec<(MessageId, bool)>,
    /// A compaction was begun.
    compacted: bool,
}

fn put(session: &Session, folder: &str, no: usize, promises: &mut Promises) -> Result<(), Error> {
    let receipt = session.import_one(&mail(no), &folder.parse().unwrap())?;
    promises.receipts.push((receipt.id(), no));
    Ok(())
}

/// Everything, in one order; it ends at the first error.
fn life(vfs: &SimVfs, promises: &mut Promises) -> Result<(), Error> {
    let options = CreateOptions::new("anna").open_options(OpenOptions::default().memory(16 << 20));
    let new = Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), options)?;
    promises.key = new.keys().key_file.as_ref().unwrap().text().to_owned();
    promises.folder = ("anna/inbox", "anna/inbox");
    let archive = new.commit()?;
    let session = archive.session(Actor::System);
    put(&session, "anna/inbox", 0, promises)?;
    put(&session, "anna/inbox", 1, promises)?;
    session.create_store(&NewStore::new("second"))?;
    put(&session, "anna/inbox", 2, promises)?;
    put(&session, "anna/inbox", 3, promises)?;
    promises.folder.1 = "anna/named";
    session.rename_folder(&"anna/inbox".parse().unwrap(), "named", FolderOptions::default())?;
    promises.folder.0 = "anna/named";
    archive.mark()?;
    let doomed: Vec<MessageId> = [0, 2].iter().map(|at| promises.receipts[*at].0).collect();
    promises.deleted = doomed.iter().map(|id| (*id, false)).collect();
    session.delete(&doomed, "a test", DeleteOptions::default())?;
    promises.deleted.iter_mut().for_each(|(_, done)| *done = true);
    session.set_store_requested_state(1, StoreState::Disabled, &Progress::new())?;
    session.set_store_requested_state(1, StoreState::Normal, &Progress::new())?;
    archive.close()?;
    let archive = open(vfs, promises)?;
    let session = archive.session(Actor::System);
    promises.compacted = true;
    session.compact(CompactOptions::default(), &Progress::new())?;
    let third = session.create_store(&NewStore::new("third"))?;
    session.set_store_requested_state(2, StoreState::Current, &Progress::new())?;
    session.detach_store(third, &Progress::new())?;
    put(&session, "anna/named", 4, promises)?;
    archive.close()
}

fn open(vfs: &SimVfs, promises: &Promises) -> Result<Archive, Error> {
    let key = Key::File(promises.key.clone().into());
    Archive::open_on(Arc::new(vfs.clone()), Path::new(DIR), &key, OpenOptions::default().memory(16 << 20))
}

/// Opens what a crash left and holds it against what was promised.
fn judge(vfs: &SimVfs, promises: &Promises, what: &str) {
    let archive = match open(vfs, promises) {
        Err(Error::NotAnArchive { .. } | Error::Unfinished { .. }) if promises.receipts.is_empty() => return,
        opened => opened.unwrap_or_else(|error| panic!("{what}: opening: {error}")),
    };
    let session = archive.session(Actor::System);
    assert!(archive.notices().is_empty(), "{what}: {:?}", archive.notices());
    let stores = session.stores(false).unwrap();
    // One that was being disabled is closed, and nothing else keeps one from being open.
    assert!(stores.iter().all(|store| store.error.is_none()), "{what}: {stores:?}");
    for store in stores.iter().filter(|store| store.state == StoreState::Disabled) {
        session.set_store_requested_state(store.no, StoreState::Normal, &Progress::new()).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let mut places: Vec<String> = Vec::new();
    for (id, no) in &promises.receipts {
        let deletion = promises.deleted.iter().find(|(deleted, _)| deleted == id);
        match session.raw(*id) {
            Ok(raw) => {
                assert!(deletion.is_none_or(|(_, done)| !done), "{what}: {id} was deleted");
                assert_eq!(raw, mail(*no), "{what}: {id}");
                places.push(session.message(*id).unwrap().folder.to_string());
            }
            Err(Error::Deleted { .. }) => assert!(deletion.is_some(), "{what}: {id} was not deleted"),
            Err(Error::NoSuchMessage(_)) => assert!(deletion.is_some() && promises.compacted, "{what}: {id} was not erased"),
            Err(error) => panic!("{what}: {id}: {error}"),
        }
    }
    // In both stores or in none.
    places.dedup();
    let (before, after) = promises.folder;
    assert!(places.len() <= 1 && places.iter().all(|place| place == before || place == after), "{what}: {places:?}");
    let mut numbers: Vec<u32> = session
        .messages()
        .map(|info| info.unwrap())
        .filter(|info| info.folder.to_string() == after)
        .map(|info| info.number_in_folder)
        .collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "{what}: a number was given twice");
    // It goes on: new mail goes to one store, and is found with all else.
    if let Some(at) = stores.iter().find(|store| store.state == StoreState::Current).map(|store| store.no) {
        let receipt =
            session.import_one(&mail(9), &"anna/new".parse().unwrap()).unwrap_or_else(|error| panic!("{what}: one more: {error}"));
        assert_eq!(receipt.id().store.0, at, "{what}");
    }
    assert!(stores.iter().filter(|store| store.state == StoreState::Current).count() <= 1, "{what}: {stores:?}");
    let (listed, found) = (session.messages().count() as u64, session.search(&SearchRequest::new("*").limit(0)).unwrap());
    assert_eq!(found.total, listed, "{what}");
    let report = session.verify(Depth::Everything, &Progress::new()).unwrap();
    assert!(report.findings.is_empty(), "{what}: verify: {:?}", report.findings);
    archive.close().unwrap_or_else(|error| panic!("{what}: closing: {error}"));
    let archive = open(vfs, promises).unwrap_or_else(|error| panic!("{what}: opening once more: {error}"));
    assert_eq!(archive.session(Actor::System).messages().count() as u64, listed, "{what}");
}

fn disk(seed: u64) -> SimVfs {
    let vfs = SimVfs::new(seed);
    vfs.create_dir(Path::new(DIR)).unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    vfs
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn judge_all(vfs: &SimVfs, point: u64, promises: &Promises, what: &str) -> u64 {
    judge(&vfs.power_loss(CrashStyle::KeepNothing), promises, &format!("{what}, all unsynced lost"));
    judge(&vfs.power_loss(CrashStyle::Seeded(point)), promises, &format!("{what}, some kept"));
    judge(&vfs.process_death(), promises, &format!("{what}, process killed"));
    3
}

fn calls_of_a_life(seed: u64) -> u64 {
    let (vfs, mut promises) = (disk(seed), Promises::default());
    life(&vfs, &mut promises).unwrap();
    assert_eq!(promises.receipts.iter().map(|(id, _)| id.store.0).collect::<Vec<_>>(), [1, 1, 2, 2, 2]);
    judge(&vfs.process_death(), &promises, "no crash");
    vfs.calls()
}

#[test]
fn p1_p2_p13_a_crash_at_every_write_of_a_life_with_two_stores_loses_nothing_that_was_promised() {
    let (stride, seed) = (from_env("MAILKEEP_CRASH_STRIDE", 11), from_env("MAILKEEP_CRASH_SEED", 0));
    let calls = calls_of_a_life(seed);
    let mut explored = 0;
    for call in (seed % stride..calls).step_by(stride as usize) {
        for moment in [CrashMoment::Before, CrashMoment::Within, CrashMoment::After] {
            let (vfs, mut promises) = (disk(seed), Promises::default());
            vfs.crash_at(call, moment);
            let ended = life(&vfs, &mut promises);
            assert!(ended.is_err() || !vfs.is_dead(), "call {call}: the crash was not noticed");
            explored += judge_all(&vfs, call, &promises, &format!("call {call} of {calls}, {moment:?}"));
        }
    }
    println!("crash points with two stores explored: {explored} (of {calls} calls, every {stride})");
}

#[test]
fn p1_p5_a_fault_at_every_call_of_a_life_with_two_stores_loses_nothing_that_was_promised() {
    let (stride, seed) = (from_env("MAILKEEP_CRASH_STRIDE", 11), from_env("MAILKEEP_CRASH_SEED", 0));
    let calls = calls_of_a_life(seed);
    let mut explored = 0;
    for call in (seed % stride..calls).step_by(stride as usize) {
        for fault in [Fault::Eio, Fault::Enospc, Fault::ShortWrite, Fault::SyncForgets] {
            let (vfs, mut promises) = (disk(seed), Promises::default());
            vfs.fail_at(call, fault);
            let _faulted = life(&vfs, &mut promises);
            explored += judge_all(&vfs, call, &promises, &format!("{fault:?} at call {call} of {calls}"));
        }
    }
    println!("faults with two stores explored: {explored} (of {calls} calls, every {stride})");
}
