//! A real disk, and `kill -9` at random moments of an import: every receipted mail is there byte for byte, none is partly visible, and
//! importing again completes (P1, P2, P13).
//!
//! The importing process is this test binary itself. It writes each receipt as a line to a file, flushed, and the judge knows nothing but
//! these lines and the source. Each line also says how far the receipt lagged behind the reading of its mail: never by more than 1 s and
//! 16 MiB. Half of the kills come after 1,000 receipts, and containers are small, so that imports fill several. `MAILKEEP_KILLS` says how many times (5 unless told, 200 for a long run), `MAILKEEP_SEED` which moments;
//! with `MAILKEEP_CORPORA` some of the sources are real mail.

#![allow(missing_docs, reason = "a test binary")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use archive_core::{
    Actor, Archive, CreateOptions, Depth, Digest, Error, ImportEvents, ImportOptions, ImportReport, ImportSource, Key, MessageId, NoEvents,
    OpenOptions, Outcome, Progress, Receipt,
};

const CHILD: &str = "MAILKEEP_TEST_KILLED";
/// Bytes of a receipt, about: id, digest, outcome, offset, lag in milliseconds and in bytes.
const LINE: u64 = 95;
/// A receipt may lag behind its mail by so much.
const LAG: (u64, u64) = (1000, 16 << 20);
const NAME: &str = "kills_at_random_moments_lose_nothing_receipted";

fn options() -> OpenOptions {
    // Small, so that containers are closed, runs and segments written, many times in an import.
    OpenOptions::default().container_limit(2 << 20).memory(16 << 20)
}

fn key(dir: &Path) -> Key {
    Key::File(std::fs::read_to_string(dir.join("key")).expect("the key").into())
}

fn open(dir: &Path) -> Result<Archive, Error> {
    Archive::open(&dir.join("archive"), &key(dir), options())
}

fn import_options(dir: &Path) -> ImportOptions {
    let commit_each = std::fs::read(dir.join("each")).is_ok();
    ImportOptions { into: Some("anna/box".parse().expect("a folder")), commit_each, ..ImportOptions::default() }
}

/// Writes receipts as they come.
struct ToFile {
    file: std::fs::File,
    read: Arc<Mutex<Read>>,
}

/// How much of the source was read.
#[derive(Default)]
struct Read {
    /// How many bytes at which time.
    read: VecDeque<(u64, Instant)>,
    now: u64,
}

impl Read {
    /// How long ago the mail at `offset` was read, in milliseconds, and how many bytes since.
    fn lag(&mut self, offset: u64) -> (u64, u64) {
        while self.read.front().is_some_and(|(bytes, _)| *bytes <= offset) {
            self.read.pop_front();
        }
        let ago = self.read.front().map_or(0, |(_, at)| at.elapsed().as_millis() as u64);
        (ago, self.now.saturating_sub(offset))
    }
}

impl ImportEvents for ToFile {
    fn receipt(&mut self, receipt: &Receipt) {
        let outcome = match receipt.outcome() {
            Outcome::Duplicate { restated: true } => "restated",
            Outcome::Duplicate { .. } => "duplicate",
            _ => "stored",
        };
        // One write: a killed process leaves whole lines but the last.
        // In a tree offsets begin anew in each file.
        let (ago, behind) = if receipt.source().is_empty() { self.read.lock().expect("no panic").lag(receipt.offset()) } else { (0, 0) };
        let line = format!("{}\t{}\t{outcome}\t{}\t{ago}\t{behind}\n", receipt.id(), receipt.digest(), receipt.offset());
        self.file.write_all(line.as_bytes()).expect("a receipt is written");
    }
}

/// What the killed process does.
fn child(dir: &Path) {
    let archive = open(dir).expect("opens after any kill");
    let receipts = std::fs::File::options().create(true).append(true).open(dir.join("receipts")).expect("a file for receipts");
    let source = std::fs::read_to_string(dir.join("source")).expect("the source");
    let session = archive.session(Actor::System);
    let mut events = ToFile { file: receipts, read: Arc::default() };
    let read = Arc::clone(&events.read);
    let progress = Progress::reporting(move |step| {
        let mut read = read.lock().expect("no panic");
        read.now = step.done;
        read.read.push_back((step.done, Instant::now()));
        ControlFlow::Continue(())
    });
    let options = ImportOptions { progress, ..import_options(dir) };
    session.import(ImportSource::Path(Path::new(&source)), &options, &mut events).expect("imported");
    archive.close().expect("closed");
}

/// Message, digest of what was given, whether the kept bytes may differ in status headers.
fn receipts(dir: &Path) -> Vec<(MessageId, String, bool)> {
    let Ok(file) = std::fs::File::open(dir.join("receipts")) else { return Vec::new() };
    let whole = BufReader::new(file).split(b'\n').map(|line| String::from_utf8(line.expect("a line")).expect("text"));
    let fields = whole.filter_map(|line| {
        let mut fields = line.split('\t').map(str::to_owned);
        let (id, digest, outcome, offset) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        offset.parse::<u64>().ok()?;
        Some((id.parse().ok()?, digest, outcome == "restated"))
    });
    fields.collect()
}

/// The greatest lags of receipts, in milliseconds and in bytes.
fn lags(dir: &Path, what: &str) -> (u64, u64) {
    let lines = std::fs::read(dir.join("receipts")).unwrap_or_default();
    let mut most = (0, 0);
    // The last line may be cut.
    let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &lines[..end]);
    for line in whole.split(|byte| *byte == b'\n') {
        let fields: Vec<u64> = String::from_utf8_lossy(line).split('\t').skip(4).filter_map(|field| field.parse().ok()).collect();
        let [ago, behind] = fields[..] else { continue };
        assert!(ago <= LAG.0 || behind <= LAG.1, "{what}: a receipt came {ago} ms and {behind} bytes after its mail");
        most = (ago.max(most.0), behind.max(most.1));
    }
    most
}

/// About how many receipts there are; each line has about as many bytes.
fn lines(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("receipts")).map_or(0, |data| data.len() / LINE)
}

/// Mails of the source by digest, as the archive reads them.
#[derive(Default)]
struct Source {
    digests: BTreeSet<String>,
    mails: u64,
}

impl archive_core::source::SourceVisitor for Source {
    fn item(&mut self, item: archive_core::source::Item<'_>) -> ControlFlow<()> {
        let archive_core::source::Body::Whole(mail) = item.body else { panic!("no mail here is streamed") };
        self.digests.insert(Digest::of(&mail).to_string());
        self.mails += 1;
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, _: archive_core::source::Trouble) {}
}

/// Opens the archive and judges it by the receipts and the source alone.
fn judge(dir: &Path, source: &Source, what: &str) -> BTreeMap<MessageId, String> {
    let archive = open(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    let session = archive.session(Actor::System);
    let mut visible = BTreeMap::new();
    for message in session.messages() {
        let read = message.and_then(|message| session.raw(message.id).map(|raw| (message, raw)));
        let (message, raw) = read.unwrap_or_else(|error| panic!("{what}: a visible mail cannot be read: {error}"));
        assert_eq!(raw.len() as u64, message.size, "{what}: {}", message.id);
        visible.insert(message.id, Digest::of(&raw).to_string());
    }
    for (id, digest) in &visible {
        assert!(source.digests.contains(digest), "{what}: {id} is no mail of the source");
    }
    for (id, digest, restated) in receipts(dir) {
        let kept = visible.get(&id);
        assert!(kept == Some(&digest) || restated && kept.is_some(), "{what}: {id} with digest {digest} has a receipt; kept is {kept:?}");
    }
    let report = session.verify(Depth::Everything, &Progress::new()).expect("verified");
    assert_eq!(report.findings, [], "{what}");
    let all = session.search(&archive_core::SearchRequest::new("*").limit(0)).expect("an answer");
    assert_eq!(all.total, visible.len() as u64, "{what}: every visible mail is found");
    // Half of the time the archive is closed, half of the time it is dropped as it is.
    if visible.len() % 2 == 0 {
        archive.close().expect("closed");
    }
    visible
}

fn complete(dir: &Path, path: &Path, source: &Source, what: &str) -> ImportReport {
    let archive = open(dir).expect("opens");
    let session = archive.session(Actor::System);
    let report = session.import(ImportSource::Path(path), &import_options(dir), &mut NoEvents).expect("imported");
    assert_eq!(report.read, source.mails, "{what}");
    assert_eq!(report.read, report.stored + report.duplicate, "{what}: {report:?}");
    let check = session.check(ImportSource::Path(path), &Default::default(), &mut NoEvents).expect("checked");
    assert_eq!((check.present, check.missing), (source.mails, 0), "{what}");
    archive.close().expect("closed");
    report
}

/// A mailbox of small mails, some with an attachment.
fn small_mailbox(path: &Path, mails: u32, chance: &mut Chance) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a mailbox"));
    for no in 0..mails {
        let body: String = (0..chance.below(60)).map(|_| format!("word{} ", chance.below(5000))).collect();
        writeln!(file, "From a@example.org Thu Jan  2 03:04:05 2020\nFrom: a@example.org\nSubject: number {no}\n\n{body}\n")
            .expect("written");
        if chance.below(40) == 0 {
            let noise: String = (0..chance.below(4000) + 20).map(|_| format!("{:019}\n", chance.next())).collect();
            writeln!(file, "From a@example.org Thu Jan  2 03:04:05 2020\nSubject: large {no}\n\n{noise}").expect("written");
        }
    }
}

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

fn sources(dir: &Path, chance: &mut Chance) -> Vec<PathBuf> {
    let small = dir.join("small.mbox");
    small_mailbox(&small, 6000, chance);
    let mut sources = vec![small];
    if let Some(corpora) = std::env::var_os("MAILKEEP_CORPORA").map(PathBuf::from) {
        sources.push(corpora.join("lists/linux-raid.mbox"));
        sources.push(corpora.join("lists/cygwin-patches.mbox"));
        sources.push(corpora.join("lists/r-help"));
    } else {
        println!("MAILKEEP_CORPORA is not set: made-up mail only");
    }
    sources
}

#[test]
fn kills_at_random_moments_lose_nothing_receipted() {
    if let Ok(dir) = std::env::var(CHILD) {
        return child(Path::new(&dir));
    }
    let base = tempfile::tempdir().expect("a folder");
    let seed = number("MAILKEEP_SEED", 1);
    let kills = number("MAILKEEP_KILLS", 5);
    let mut chance = Chance(seed);
    let sources: Vec<(PathBuf, Source)> = sources(base.path(), &mut chance)
        .into_iter()
        .map(|path| {
            let mut source = Source::default();
            archive_core::source::read_path(&path, Default::default(), &mut source).expect("the source");
            (path, source)
        })
        .collect();
    let (mut late, mut ended, mut most, mut lag, mut containers) = (0, 0, 0, (0, 0), 0);
    let mut round = 0;
    let mut done = 0;
    while done < kills || late < kills / 2 {
        let (path, source) = &sources[round % sources.len()];
        let dir = base.path().join(round.to_string());
        std::fs::create_dir(&dir).expect("a folder");
        let new = Archive::create(&dir.join("archive"), CreateOptions::new("anna").open_options(options())).expect("begun");
        std::fs::write(dir.join("key"), new.keys().key_file.as_ref().expect("a key file").text()).expect("kept");
        new.commit().expect("created").close().expect("closed");
        std::fs::write(dir.join("source"), path.to_str().expect("text")).expect("written");
        let each = round % 5 == 4;
        if each {
            std::fs::write(dir.join("each"), "").expect("written");
        }
        // Several kills in a row on the same archive, then it is completed.
        for again in 0..1 + chance.below(4) {
            let what = format!("seed {seed}, archive {round}, kill {again}");
            let before = receipts(&dir).len();
            let mut process = Command::new(std::env::current_exe().expect("this program"))
                .args([NAME, "--exact"])
                .env(CHILD, &dir)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a child");
            // A third of the kills come by the clock, the others some time after so many new receipts.
            let (receipts_first, wait) = match chance.below(3) {
                0 => (0, chance.below(400)),
                _ => (chance.below(if each { 200 } else { source.mails }), chance.below(60)),
            };
            let wait = Duration::from_millis(wait);
            let mut start = Instant::now();
            let mut over = None;
            while over.is_none() && start.elapsed() < wait {
                if lines(&dir) < before as u64 + receipts_first {
                    start = Instant::now();
                }
                over = process.try_wait().expect("its state");
                std::thread::sleep(Duration::from_millis(2));
            }
            match over {
                Some(status) => {
                    assert!(status.success(), "{what}: the import failed by itself");
                    ended += 1;
                }
                None => {
                    process.kill().expect("killed");
                    process.wait().expect("gone");
                    done += 1;
                    let since = receipts(&dir).len() - before;
                    late += u64::from(since > 1000);
                    most = most.max(since);
                }
            }
            judge(&dir, source, &what);
            let (ago, behind) = lags(&dir, &what);
            lag = (ago.max(lag.0), behind.max(lag.1));
            if over.is_some() || done >= kills && late >= kills / 2 {
                break;
            }
        }
        // Whoever completes commits many at once.
        let _none = std::fs::remove_file(dir.join("each"));
        complete(&dir, path, source, &format!("seed {seed}, archive {round}"));
        let kept = judge(&dir, source, &format!("seed {seed}, archive {round}, completed"));
        let content = std::fs::read_dir(dir.join("archive/stores/1/content")).expect("containers");
        containers = content.count().max(containers);
        println!("archive {round}: {} mails of {} kept; {done} kills so far", kept.len(), source.mails);
        std::fs::remove_dir_all(&dir).expect("removed");
        round += 1;
    }
    assert!(containers > 1, "no import was larger than a container");
    println!("receipts lagged by at most {} ms, {} bytes; at most {containers} containers in an archive", lag.0, lag.1);
    println!("{done} kills in {round} archives, {late} of them after 1,000 receipts (at most {most}); {ended} imports ended before");
}
