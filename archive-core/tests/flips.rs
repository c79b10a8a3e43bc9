//! Each byte of each file flipped, each file cut at each length (P6, P11): what was done is reported, or harmless for a reason that stands here;
//! and every mail that no finding names is read, found and exported.
//!
//! An archive of 100 mails of at most 1 KiB in memory: most of them packed into a container, the last ones still in sections of the records.
//! Each 101st change by default; `MAILKEEP_FLIPS_STRIDE=1` makes all of them.

#![allow(missing_docs, reason = "a test binary")]

#[expect(dead_code, reason = "what the promises need too")]
#[path = "promises/fixture.rs"]
mod fixture;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use archive_core::{Actor, Archive, Depth, Error, ExportFormat, ExportOptions, ImportOptions, MessageId, Progress, SearchRequest};

use fixture::{DIR, Files, base64, mbox, plain, put_each, put_stream};

/// What every mail has in it.
const WORD: &str = "everywhere";
/// A prime, so that no row of equal frames is met at one place alone.
const STRIDE: usize = 101;
/// Bytes of the frame that only says that all before it is synced.
const MARK_LEN: usize = 102;

/// Does a byte of a file, at an offset of so many, count for nothing?
type IsHarmless = fn(&Path, usize, usize) -> bool;

/// What may be changed without a word, and why.
const HARMLESS: [(&str, IsHarmless); 3] = [
    ("write.lock: a note about the holder, for people", |path, _, _| path.ends_with("write.lock")),
    ("the last mark of records: what it says, head.mkm says too, and the commit before it is whole", |path, at, len| {
        path.extension().is_some_and(|extension| extension == "mkr") && at + MARK_LEN >= len
    }),
    ("a cache that was made again when the archive was opened", |path, _, _| {
        ["catalog", "index"].iter().any(|cache| path.parent().is_some_and(|dir| dir.ends_with(cache)))
    }),
];

struct Subject {
    files: Files,
    mails: Vec<(Vec<u8>, MessageId)>,
    /// Where the commits of mails that no container and no catalog has lie in the last records file.
    in_records: (PathBuf, BTreeMap<MessageId, Range<usize>>),
    /// The export of the sound archive.
    exported: BTreeMap<PathBuf, Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Flip(usize),
    Cut(usize),
}

fn subject() -> Subject {
    let (files, archive) = Files::create();
    let mut mails = plain(90, 60, 91);
    for (no, mail) in plain(10, 5, 92).into_iter().enumerate() {
        let head = String::from_utf8(mail).expect("text");
        let attached = base64(&fixture::Dice(no as u64 / 2).bytes(240), 76, "\n");
        let part =
            format!("MIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\nSubject: {WORD} {no}\n");
        mails.push(format!("{part}{}\n\n{attached}", head.lines().next().expect("a line")).into_bytes());
    }
    for mail in mails.iter_mut().take(90) {
        mail.extend_from_slice(WORD.as_bytes());
        mail.push(b'\n');
    }
    assert!(mails.iter().all(|mail| mail.len() <= 1024), "mails of at most 1 KiB");
    let mut ids: Vec<MessageId> = Vec::new();
    let bulk = put_stream(&archive, &mbox(&mails[..60]), "bulk.mbox", &ImportOptions::default()).1.receipts;
    ids.extend(bulk.iter().map(|receipt| receipt.id()));
    ids.extend(put_each(&archive, &mails[60..75]).iter().map(|receipt| receipt.id()));
    ids.extend(put_each(&archive, &mails[90..95]).iter().map(|receipt| receipt.id()));
    archive.close().expect("closed");
    let archive = files.open();
    let late: Vec<Vec<u8>> = mails[75..90].iter().chain(&mails[95..]).cloned().collect();
    let records = files.paths_with("/stores/1/records/").pop().expect("records");
    let mut ranges = BTreeMap::new();
    for mail in &late {
        let begin = files.bytes(&records).len();
        let id = put_each(&archive, std::slice::from_ref(mail))[0].id();
        ranges.insert(id, begin..files.bytes(&records).len());
        ids.push(id);
    }
    // Idle, and then killed: the last mails lie in the records.
    archive.mark().expect("marked");
    drop(archive);
    let in_order = mails[..75].iter().chain(&mails[90..95]).cloned().chain(late);
    let mails: Vec<(Vec<u8>, MessageId)> = in_order.zip(ids).collect();
    assert_eq!(mails.len(), 100);
    let sound = files.copy().open();
    let exported = export(&sound).expect("exported").0;
    assert!(mails.iter().all(|(mail, _)| exported.values().any(|file| memchr::memmem::find(file, mail).is_some())));
    Subject { files, mails, in_records: (records, ranges), exported }
}

/// Files of an export, and how many mails it wrote and failed at.
type Exported = (BTreeMap<PathBuf, Vec<u8>>, u64, u64);

fn export(archive: &Archive) -> Result<Exported, Error> {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
    let options = ExportOptions { format: ExportFormat::Mbox, ..ExportOptions::default() };
    let report = archive.session(Actor::System).export(&dir.path().join("out"), &options, &mut |_, _| {})?;
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.path().join("out")];
    while let Some(folder) = dirs.pop() {
        for entry in std::fs::read_dir(folder).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                files.insert(path.strip_prefix(dir.path()).expect("below").to_owned(), std::fs::read(&path).expect("read"));
            }
        }
    }
    Ok((files, report.exported, report.failed))
}

impl Subject {
    /// Does a change hit the only commit that knows of a mail?
    fn hits(&self, path: &Path, id: MessageId, change: Change) -> bool {
        let (records, ranges) = &self.in_records;
        path == records
            && ranges.get(&id).is_some_and(|range| match change {
                Change::Flip(at) => range.contains(&at),
                Change::Cut(len) => len < range.end,
            })
    }

    /// Makes one change, opens, and judges: `Ok(true)` where it was reported.
    fn judge(&self, path: &Path, bytes: &[u8], change: Change) -> Result<bool, String> {
        let files = self.files.copy();
        let mut changed = bytes.to_vec();
        match change {
            Change::Flip(at) => changed[at] ^= 1 << (at % 8),
            Change::Cut(len) => changed.truncate(len),
        }
        files.write(path, &changed);
        let archive = files.try_open().map_err(|error| format!("does not open: {error}"))?;
        let session = archive.session(Actor::System);
        let report = session.verify(Depth::Everything, &Progress::new()).map_err(|error| format!("verify: {error}"))?;
        let reported = archive.damage().is_some() || archive.barred().is_some() || !report.findings.is_empty();
        let hit: BTreeSet<MessageId> = report.findings.iter().flat_map(|finding| finding.messages.iter().copied()).collect();
        let mut gone = BTreeSet::new();
        for (mail, id) in &self.mails {
            match session.raw(*id) {
                Ok(raw) if raw != *mail => return Err(format!("{id} has other bytes")),
                Ok(_) if hit.contains(id) => return Err(format!("{id} is read though named as lost")),
                Err(Error::Damage(_)) if hit.contains(id) => {}
                Err(Error::NoSuchMessage(_)) if self.hits(path, *id, change) && reported => {
                    gone.insert(*id);
                }
                Err(error) => return Err(format!("{id} is not hit and not read: {error}")),
                Ok(_) => {}
            }
        }
        let costs = |id: &MessageId| hit.contains(id) || gone.contains(id);
        let found = session.search(&SearchRequest::new(WORD)).map_err(|error| format!("search: {error}"))?;
        let ids: BTreeSet<MessageId> = found.hits.iter().map(|hit| hit.id).collect();
        let missing = self.mails.iter().filter(|(_, id)| !ids.contains(id) && !costs(id)).count() as u64;
        if missing > found.coverage.not_indexed {
            return Err(format!("{missing} mails are not found, {} are said not to be searchable", found.coverage.not_indexed));
        }
        let (written, exported, failed) = export(&archive).map_err(|error| format!("export: {error}"))?;
        if (exported, failed) != ((self.mails.len() - hit.len() - gone.len()) as u64, hit.len() as u64) {
            return Err(format!("{exported} exported, {failed} failed, {} named as lost, {} gone", hit.len(), gone.len()));
        }
        let there = |mail: &[u8]| written.values().any(|file| memchr::memmem::find(file, mail).is_some());
        if written != self.exported && !self.mails.iter().all(|(mail, id)| costs(id) || there(mail)) {
            return Err("a mail is missing in the export".to_owned());
        }
        if !reported && !hit.is_empty() {
            return Err("nothing is reported".to_owned());
        }
        Ok(reported)
    }
}

#[test]
fn c_every_flipped_byte_and_every_cut_is_reported_or_harmless() {
    let stride = std::env::var("MAILKEEP_FLIPS_STRIDE").map_or(STRIDE, |stride| stride.parse().expect("a number"));
    let subject = subject();
    let files: Vec<(PathBuf, Vec<u8>)> = subject.files.paths().into_iter().map(|path| (path.clone(), subject.files.bytes(&path))).collect();
    let flips_and_cuts = |at: usize, len: usize| (0..len).flat_map(move |offset| [(at, Change::Flip(offset)), (at, Change::Cut(offset))]);
    let changes: Vec<(usize, Change)> = files.iter().enumerate().flat_map(|(at, (_, bytes))| flips_and_cuts(at, bytes.len())).collect();
    let all = changes.len();
    let changes: Vec<(usize, Change)> = changes.into_iter().step_by(stride).collect();
    let next = AtomicUsize::new(0);
    let (wrong, harmless) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<&str, u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, change)) = changes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (path, bytes) = &files[*at];
                    let offset = match change {
                        Change::Flip(offset) | Change::Cut(offset) => *offset,
                    };
                    let why = HARMLESS.iter().find(|(_, is)| is(path, offset, bytes.len())).map(|(why, _)| *why);
                    let name = path.strip_prefix(DIR).expect("below").display();
                    match (subject.judge(path, bytes, *change), why) {
                        (Ok(true), _) => {}
                        (Ok(false), Some(why)) => *harmless.lock().expect("whole").entry(why).or_default() += 1,
                        (Ok(false), None) => {
                            wrong.lock().expect("whole").push(format!("{name} of {}: {change:?}: nothing is reported", bytes.len()))
                        }
                        (Err(what), _) => wrong.lock().expect("whole").push(format!("{name} of {}: {change:?}: {what}", bytes.len())),
                    }
                }
            });
        }
    });
    let (wrong, harmless) = (wrong.into_inner().expect("whole"), harmless.into_inner().expect("whole"));
    println!("{} of {all} changes of {} files; harmless: {harmless:#?}", changes.len(), files.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), changes.len(), wrong.join("\n"));
}
