//! Closed files read through memory maps, compared with positioned reads: the same tasks on the same archive, in turn,
//! each in a separate process.
//!
//! ```text
//! mapped MBOX [--work FOLDER] [--runs 7] [--cold]
//! ```
//!
//! Prints the least of the runs. A second table shows the processor time per piece of all containers, read in random order,
//! and then again.
//!
//! The archive is made once, with small containers, so that all but one are closed. With `--cold`, the system drops the
//! archive's files from its cache before each task.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use archive_core::vfs::{DiskVfs, Vfs};
use archive_core::{Actor, Archive, CreateOptions, ImportOptions, ImportSource, NoEvents, OpenOptions};
use benches::corpora::files_below;
use benches::drawn::Dice;
use benches::table::{short, table, time};
use benches::usage::Meter;
use benches::{Result, child, machine, tasks};
use serde_json::{Value, json};

/// A container is closed when it is larger.
const CONTAINER: u64 = 16 << 20;
const READS: [&str; 2] = ["pread", "map"];
/// Each task with its arguments after the archive's folder.
const TASKS: [(&str, &[&str]); 5] = [
    ("open", &[]),
    ("read", &[]),
    ("search", &["the", "of", "list", "mail", "error", "patch", "linux", "question"]),
    ("verify", &[]),
    ("export", &["/dev/null"]),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((first, rest)) if first == child::TASK => one_task(rest),
        _ => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mapped: {error}");
            ExitCode::FAILURE
        }
    }
}

fn one_task(args: &[String]) -> Result<()> {
    let (task, args) = args.split_first().ok_or("no task")?;
    let sample = match (task.as_str(), args) {
        ("make", [dir, mbox]) => make(Path::new(dir), Path::new(mbox))?,
        ("pieces", [dir, piece, mapped]) => pieces(Path::new(dir), piece.parse()?, mapped == "map")?,
        _ => tasks::run(task, args)?,
    };
    println!("{sample}");
    Ok(())
}

fn run(args: &[String]) -> Result<()> {
    let [mbox, options @ ..] = args else { return Err("mapped MBOX [--work FOLDER] [--runs 7] [--cold]".into()) };
    let option = |name: &str| options.iter().position(|arg| arg == name).and_then(|at| options.get(at + 1));
    let work = option("--work").map_or_else(|| std::env::temp_dir().join("mailkeep-mapped"), PathBuf::from);
    let runs: usize = option("--runs").map_or(Ok(7), |text| text.parse())?;
    let is_cold = options.iter().any(|arg| arg == "--cold");
    let dir = work.join("archive");
    let dir_text = dir.to_str().ok_or("the folder's name is not text")?;
    if !dir.exists() {
        fs::create_dir_all(&work)?;
        child::run(&work, "make", &[dir_text, mbox])?;
    }
    println!("{:#}\n", machine::describe());
    let mut rows = vec![["task", "reads", "wall", "processor", "p50", "p95", "page faults", "peak MiB"].map(str::to_owned).to_vec()];
    for (task, rest) in TASKS {
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..runs {
            for (reads, samples) in READS.into_iter().zip(&mut samples) {
                if is_cold {
                    forget(&dir)?;
                }
                let args: Vec<&str> = [task, dir_text].into_iter().chain(rest.iter().copied()).collect();
                samples.push(if reads == "map" { child::run(&work, "mapped", &args)? } else { child::run(&work, task, &args[1..])? });
            }
        }
        for (reads, samples) in READS.into_iter().zip(&samples) {
            rows.push(row(task, reads, samples));
        }
    }
    println!("{}", table(&rows));
    let mut rows =
        vec![["pieces of KiB", "reads", "first pass, each", "second pass", "page faults", "in the second"].map(str::to_owned).to_vec()];
    for kib in ["4", "64", "512"] {
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..runs {
            for (reads, samples) in READS.into_iter().zip(&mut samples) {
                if is_cold {
                    forget(&dir)?;
                }
                samples.push(child::run(&work, "pieces", &[dir_text, kib, reads])?);
            }
        }
        for (reads, samples) in READS.into_iter().zip(&samples) {
            let times = ["first", "second"].map(|field| least(samples, field).map_or_else(String::new, time));
            let faults = ["faults", "faults again"].map(|field| least(samples, field).map_or_else(String::new, short));
            rows.push([kib.to_owned(), reads.to_owned()].into_iter().chain(times).chain(faults).collect());
        }
    }
    println!("{}", table(&rows));
    Ok(())
}

/// Reads all containers in pieces of `kib`, twice, in an order that no read-ahead can guess.
fn pieces(dir: &Path, kib: usize, is_mapped: bool) -> Result<Value> {
    let disk = DiskVfs::new().mapped_reads(is_mapped);
    let mut buf = vec![0; kib << 10];
    let mut places = Vec::new();
    for path in files_below(dir)?.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "mkc")) {
        let file = disk.open_closed(&path)?;
        places.extend((0..file.len()? / buf.len() as u64).map(|at| (Arc::clone(&file), at * buf.len() as u64)));
    }
    let mut dice = Dice(1);
    for at in (1..places.len()).rev() {
        places.swap(at, dice.below(at as u64 + 1) as usize);
    }
    let mut pass = || -> Result<(f64, Value)> {
        let meter = Meter::own()?;
        for (file, offset) in &places {
            file.read_exact_at(*offset, &mut buf)?;
        }
        let sample = meter.read()?;
        Ok((sample["cpu"].as_f64().unwrap_or_default() / places.len() as f64, sample["faults"].clone()))
    };
    let ((first, faults), (second, faults_again)) = (pass()?, pass()?);
    Ok(json!({ "first": first, "second": second, "faults": faults, "faults again": faults_again }))
}

/// Makes a closed archive of `mbox`.
fn make(dir: &Path, mbox: &Path) -> Result<Value> {
    let options = CreateOptions::new("anna").open_options(OpenOptions::default().container_limit(CONTAINER));
    let new = Archive::create(dir, options)?;
    tasks::keep(&new, dir)?;
    let archive = new.commit()?;
    archive.session(Actor::System).import(ImportSource::Path(mbox), &ImportOptions::default(), &mut NoEvents)?;
    archive.close()?;
    Ok(Value::Null)
}

/// Makes the system drop the archive's files from its cache.
fn forget(dir: &Path) -> Result<()> {
    for path in files_below(dir)? {
        let file = File::open(path)?;
        file.sync_all()?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

fn row(task: &str, reads: &str, samples: &[Value]) -> Vec<String> {
    let least = |field: &str| least(samples, field);
    let times = ["wall", "cpu", "p50", "p95"].map(|field| least(field).map_or_else(String::new, time));
    let counts = [least("faults").map(|n| format!("{n}")), least("peak").map(|bytes| short(bytes / f64::from(1 << 20)))];
    [task.to_owned(), reads.to_owned()].into_iter().chain(times).chain(counts.map(Option::unwrap_or_default)).collect()
}

fn least(samples: &[Value], field: &str) -> Option<f64> {
    samples.iter().filter_map(|sample| sample[field].as_f64()).min_by(f64::total_cmp)
}
