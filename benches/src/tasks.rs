//! The tasks of a measuring process: it runs one, and prints its numbers on standard output.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use archive_core::{
    Actor, Archive, CreateOptions, Depth, FolderPath, ImportEvents, ImportOptions, ImportSource, Key, MessageId, NewArchive, NoEvents,
    OpenOptions, Outcome, Progress, Receipt, SearchRequest, Secret, Session, mail,
};
use serde_json::{Value, json};

use crate::Result;
use crate::corpora::{files_below, sample};
use crate::usage::{Meter, quantiles};

/// Consecutive raw bytes that the floor of imports compresses at a time.
const BLOCK: usize = 512 << 10;

/// Runs the task with this name; `mapped TASK ..` runs it with closed files mapped.
pub fn run(task: &str, args: &[String]) -> Result<Value> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match (task, args.as_slice()) {
        ("mapped", [task, args @ ..]) => run_with(&OpenOptions::default().mapped_reads(true), task, args),
        (task, args) => run_with(&OpenOptions::default(), task, args),
    }
}

fn run_with(options: &OpenOptions, task: &str, args: &[&str]) -> Result<Value> {
    match (task, args) {
        ("zstd", [source]) => zstd_blocks(Path::new(source)),
        ("import", [dir, source, index]) => import(Path::new(dir), Path::new(source), *index == "index"),
        ("open", [dir]) => open(Path::new(dir), options),
        ("read", [dir]) => read(Path::new(dir), options),
        ("export", [dir, to]) => export(Path::new(dir), Path::new(to), options),
        ("verify", [dir]) => verify(Path::new(dir), options),
        ("search", [dir, words @ ..]) => search(Path::new(dir), words, options),
        ("newest", [dir]) => newest(Path::new(dir)),
        ("searchable", [dir, source]) => searchable(Path::new(dir), Path::new(source)),
        ("commits", [dir, maildir, count, threads, index]) => {
            commits(Path::new(dir), Path::new(maildir), count.parse()?, threads.parse()?, *index == "index")
        }
        ("examine", [maildir]) => mail_layer(Path::new(maildir), |raw| drop(mail::examine(raw))),
        ("extract", [maildir]) => mail_layer(Path::new(maildir), |raw| drop(mail::text::extract(raw, &[]))),
        ("command", [folder, environment, program, args @ ..]) => command(Path::new(folder), environment, program, args),
        _ => Err(format!("no task {task} {args:?}").into()),
    }
}

fn zstd_blocks(source: &Path) -> Result<Value> {
    let mut raw = Vec::new();
    for file in files_below(source)? {
        raw.append(&mut fs::read(file)?);
    }
    let mut compressor = zstd::bulk::Compressor::new(3)?;
    let mut out = Vec::with_capacity(2 * BLOCK);
    let meter = Meter::own()?;
    let mut bytes = 0;
    for block in raw.chunks(BLOCK) {
        out.clear();
        bytes += compressor.compress_to_buffer(block, &mut out)?;
    }
    let mut sample = meter.read()?;
    sample["bytes"] = json!(bytes);
    sample["raw"] = json!(raw.len());
    Ok(sample)
}

/// The path of the key file of the archive in `dir`.
#[must_use]
pub fn key_file(dir: &Path) -> PathBuf {
    dir.with_extension("key")
}

fn opened(dir: &Path, options: OpenOptions) -> Result<Archive> {
    let key = Key::File(fs::read_to_string(key_file(dir))?.into());
    Ok(Archive::open(dir, &key, options)?)
}

fn opened_or_made(dir: &Path, options: OpenOptions) -> Result<Archive> {
    if dir.exists() {
        return opened(dir, options);
    }
    let new = Archive::create(dir, CreateOptions::new("anna").open_options(options))?;
    keep(&new, dir)?;
    Ok(new.commit()?)
}

/// Writes the key file of an archive beside it.
pub fn keep(new: &NewArchive, dir: &Path) -> Result<()> {
    let text = new.keys().key_file.as_ref().map_or("", Secret::text);
    Ok(fs::write(key_file(dir), text)?)
}

fn import(dir: &Path, source: &Path, index: bool) -> Result<Value> {
    let archive = opened_or_made(dir, OpenOptions::default().index(index))?;
    let meter = Meter::own()?;
    let report = archive.session(Actor::System).import(ImportSource::Path(source), &ImportOptions::default(), &mut NoEvents)?;
    let imported = meter.read()?;
    let disk = archive.session(Actor::System).stats(&Progress::new())?;
    archive.close()?;
    let mut sample = meter.read()?;
    sample["before_close"] = imported["wall"].clone();
    sample["mails"] = json!(report.read);
    sample["stored"] = json!(report.stored);
    sample["failed"] = json!(report.failed);
    sample["raw"] = json!(report.bytes_in);
    sample["contents"] = json!(disk.contents);
    sample["bytes_raw"] = json!(disk.bytes_raw);
    sample["disk"] = disk_of(dir)?;
    Ok(sample)
}

/// Bytes on disk of each component, after everything was closed.
fn disk_of(dir: &Path) -> Result<Value> {
    let mut disk = json!({ "containers": 0, "records": 0, "catalog": 0, "index": 0, "other": 0 });
    for file in files_below(dir)? {
        let path = file.strip_prefix(dir.join("stores")).unwrap_or(Path::new(""));
        let component = match path.components().nth(1).and_then(|name| name.as_os_str().to_str()) {
            Some("content") => "containers",
            Some(name @ ("records" | "catalog" | "index")) => name,
            _ => "other",
        };
        disk[component] = json!(disk[component].as_u64().unwrap_or(0) + fs::metadata(&file)?.len());
    }
    Ok(disk)
}

fn open(dir: &Path, options: &OpenOptions) -> Result<Value> {
    let meter = Meter::own()?;
    let archive = opened(dir, options.clone())?;
    let mut sample = meter.read()?;
    sample["messages"] = json!(archive.session(Actor::System).stats(&Progress::new())?.messages);
    drop(archive);
    Ok(sample)
}

fn read(dir: &Path, options: &OpenOptions) -> Result<Value> {
    let archive = opened(dir, options.clone())?;
    let session = archive.session(Actor::System);
    let mut ids = ids(&session)?;
    let mut state = 7_u64;
    for at in (1..ids.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ids.swap(at, (state >> 33) as usize % (at + 1));
    }
    ids.truncate(2000);
    for id in ids.iter().take(100) {
        session.raw(*id)?;
    }
    let mut times = Vec::new();
    let meter = Meter::own()?;
    for id in &ids {
        let start = Instant::now();
        session.raw(*id)?;
        times.push(start.elapsed());
    }
    let sample = both(meter.read()?, quantiles(times));
    archive.close()?;
    Ok(sample)
}

/// The fields of two samples as one.
fn both(mut one: Value, other: Value) -> Value {
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    one
}

fn ids(session: &Session) -> Result<Vec<MessageId>> {
    Ok(session.messages().map(|info| info.map(|info| info.id)).collect::<std::result::Result<_, _>>()?)
}

/// Everything as one mbox, quoted, in order of the messages.
fn export(dir: &Path, to: &Path, options: &OpenOptions) -> Result<Value> {
    let archive = opened(dir, options.clone())?;
    let session = archive.session(Actor::System);
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(to)?);
    let meter = Meter::own()?;
    let mut raw_bytes = 0;
    for info in session.messages() {
        let raw = session.raw(info?.id)?;
        raw_bytes += raw.len();
        let lines: [&[u8]; 3] = [b"From mailkeep Thu Jan  1 00:00:00 1970\n", &archive_core::source::mbox_quote::quote(&raw), b"\n"];
        for line in lines {
            out.write_all(line)?;
        }
    }
    out.flush()?;
    let mut sample = meter.read()?;
    sample["raw"] = json!(raw_bytes);
    archive.close()?;
    Ok(sample)
}

fn verify(dir: &Path, options: &OpenOptions) -> Result<Value> {
    let archive = opened(dir, options.clone())?;
    let meter = Meter::own()?;
    let report = archive.session(Actor::System).verify(Depth::Everything, &Progress::new())?;
    let mut sample = meter.read()?;
    sample["raw"] = json!(report.content_bytes);
    sample["findings"] = json!(report.findings.len());
    archive.close()?;
    Ok(sample)
}

fn search(dir: &Path, words: &[&str], options: &OpenOptions) -> Result<Value> {
    let archive = opened(dir, options.clone())?;
    let session = archive.session(Actor::System);
    let mut times = Vec::new();
    let mut hits = 0;
    let meter = Meter::own()?;
    for is_warm in [false, true] {
        for word in words {
            let start = Instant::now();
            let result = session.search(&SearchRequest::new(word).limit(50))?;
            if is_warm {
                times.push(start.elapsed());
                hits += result.total;
            }
        }
    }
    let mut sample = both(meter.read()?, quantiles(times));
    sample["hits"] = json!(hits);
    archive.close()?;
    Ok(sample)
}

/// The newest 50 of the largest folder.
fn newest(dir: &Path) -> Result<Value> {
    let archive = opened(dir, OpenOptions::default())?;
    let session = archive.session(Actor::System);
    let largest = session.folders()?.into_iter().max_by_key(|folder| folder.messages).ok_or("no folder")?;
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        session.messages_page(Some(&largest.path), None, 50)?;
        times.push(start.elapsed());
    }
    let mut sample = quantiles(times);
    sample["messages"] = json!(largest.messages);
    archive.close()?;
    Ok(sample)
}

/// When each mail got its receipt.
#[derive(Default)]
struct Receipts(Vec<Instant>);

impl ImportEvents for Receipts {
    fn receipt(&mut self, receipt: &Receipt) {
        if matches!(receipt.outcome(), Outcome::Stored) {
            self.0.push(Instant::now());
        }
    }
}

/// The time from the receipt of each mail of an import to the end of the first search that finds that many; another
/// thread searches every few milliseconds.
fn searchable(dir: &Path, source: &Path) -> Result<Value> {
    let archive = opened_or_made(dir, OpenOptions::default())?;
    let session = archive.session(Actor::System);
    let imported = AtomicBool::new(false);
    let mut receipts = Receipts::default();
    let mut found: Vec<(u64, Instant)> = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        let searches = scope.spawn(|| {
            let mut found = Vec::new();
            while !imported.load(Ordering::Acquire) {
                let total = session.search(&SearchRequest::new("*").limit(0))?.total;
                found.push((total, Instant::now()));
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok::<_, archive_core::Error>(found)
        });
        let done = session.import(ImportSource::Path(source), &ImportOptions::default(), &mut receipts);
        imported.store(true, Ordering::Release);
        found = searches.join().map_err(|_| "the searches panicked")??;
        done?;
        Ok(())
    })?;
    found.push((session.search(&SearchRequest::new("*").limit(0))?.total, Instant::now()));
    let mut lags = Vec::with_capacity(receipts.0.len());
    for (before, receipt) in (0u64..).zip(&receipts.0) {
        let first = found.get(found.partition_point(|(total, _)| *total <= before)).ok_or("a mail with a receipt was never found")?;
        lags.push(first.1.saturating_duration_since(*receipt));
    }
    archive.close()?;
    Ok(quantiles(lags))
}

/// Single mails, each durable when its call returns; between them, bare appends of the same bytes with one sync each.
fn commits(dir: &Path, maildir: &Path, count: usize, threads: usize, index: bool) -> Result<Value> {
    let mails = sample(maildir, count)?;
    let archive = opened_or_made(dir, OpenOptions::default().index(index))?;
    let session = archive.session(Actor::System);
    let folder = FolderPath::from_names(vec!["anna".to_owned(), "one by one".to_owned()])?;
    if threads > 1 {
        let start = Instant::now();
        std::thread::scope(|scope| {
            let shares = mails.chunks(mails.len().div_ceil(threads));
            let handles: Vec<_> =
                shares.map(|share| scope.spawn(|| share.iter().try_for_each(|raw| session.import_one(raw, &folder).map(drop)))).collect();
            handles.into_iter().try_for_each(|handle| handle.join().map_err(|_| "a thread panicked")?.map_err(|error| error.to_string()))
        })?;
        return Ok(json!({ "wall": start.elapsed().as_secs_f64(), "mails": mails.len() }));
    }
    let mut bare = fs::File::create(dir.with_extension("bare"))?;
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for raw in &mails {
        let start = Instant::now();
        session.import_one(raw, &folder)?;
        ours.push(start.elapsed());
        let start = Instant::now();
        bare.write_all(raw)?;
        bare.sync_data()?;
        bares.push(start.elapsed());
    }
    let wall: Duration = ours.iter().sum();
    Ok(json!({ "wall": wall.as_secs_f64(), "mails": mails.len(), "ours": quantiles(ours), "bare": quantiles(bares) }))
}

/// A pure function on all mails of a Maildir, in memory and on one thread: the lowest of five passes.
fn mail_layer(maildir: &Path, of: impl Fn(&[u8])) -> Result<Value> {
    let mails = files_below(maildir)?.into_iter().map(fs::read).collect::<std::io::Result<Vec<_>>>()?;
    let bytes: usize = mails.iter().map(Vec::len).sum();
    let mut samples = Vec::new();
    for _ in 0..5 {
        let meter = Meter::own()?;
        mails.iter().for_each(|raw| of(raw));
        samples.push(meter.read()?);
    }
    let least = |field: &str| samples.iter().filter_map(|sample| sample[field].as_f64()).min_by(f64::total_cmp);
    let mut sample = json!({ "raw": bytes, "mails": mails.len(), "wall": least("wall"), "cpu": least("cpu") });
    sample["ms_per_mb"] = json!(least("cpu").map(|seconds| seconds * 1e9 / bytes as f64));
    Ok(sample)
}

/// A whole command; `environment` is `NAME=VALUE` pairs separated by blanks.
fn command(folder: &Path, environment: &str, program: &str, args: &[&str]) -> Result<Value> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    command.envs(environment.split_whitespace().filter_map(|pair| pair.split_once('=')));
    let meter = Meter::children()?;
    let status = command.status()?;
    let sample = meter.read()?;
    if status.success() { Ok(sample) } else { Err(format!("{program} {args:?}: {status}").into()) }
}
