//! The index of Mailkeep compared with tantivy and SQLite FTS5: the same texts of real mails, in one run, interleaved.
//!
//! ```text
//! engines [--corpora FOLDER | --mbox FILE]... [--each 60] [--seed 1] [--runs 3] [--mails N]
//! ```
//!
//! `--corpora` uses the mails of LIST. Mails are read and their texts extracted before anything is measured. Each index
//! is built `--runs` times, in turn, and the lowest time counts; its files are in a folder for temporary files, so
//! `TMPDIR` selects the disk. Each query runs in process, once to warm up and `--runs` times more, of which the lowest
//! counts; `--each` queries of a kind are drawn ([`benches::drawn`]).

mod build;
mod engine;
mod fts5;
mod mailkeep;
mod mails;
mod pages;
mod queries;
mod tantivy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benches::bars::{Bar, Wants, bar_table};
use benches::drawn::Dice;
use benches::{Result, corpora, machine};

use crate::engine::{BUDGET, Engine};
use crate::mails::Mails;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("engines: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    sources: Vec<PathBuf>,
    each: usize,
    seed: u64,
    runs: usize,
    mails: usize,
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { sources: Vec::new(), each: 60, seed: 1, runs: 3, mails: usize::MAX };
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--corpora" => options.sources.extend(corpora::list_sources(Path::new(&value))?),
                "--mbox" => options.sources.push(value.into()),
                "--each" => options.each = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--runs" => options.runs = value.parse()?,
                "--mails" => options.mails = value.parse()?,
                _ => return Err(format!("no option {name}").into()),
            }
        }
        if options.sources.is_empty() || options.runs == 0 || options.each == 0 {
            return Err("engines [--corpora FOLDER | --mbox FILE]... [--each 60] [--seed 1] [--runs 3] [--mails N]".into());
        }
        Ok(options)
    }
}

fn run(options: Options) -> Result<()> {
    let engines: [&dyn Engine; 3] = [&mailkeep::Mailkeep, &tantivy::Tantivy, &fts5::Fts5];
    println!("{:#}\n", machine::describe());
    for engine in engines {
        println!("{} ({}): {}", engine.name(), engine.version(), engine.setting());
    }
    let mails = Mails::read(&options.sources, options.mails)?;
    println!("{} MiB of memory before an engine writes, on plain files that are synced; one thread builds", BUDGET >> 20);
    println!("{} mails, {} bytes, {} bytes of text; runs: {}\n", mails.all.len(), mails.raw, mails.text, options.runs);

    let work = tempfile::tempdir()?;
    let (built, samples) = build::build(&engines, &mails, work.path(), options.runs)?;
    let mut dice = Dice(options.seed);
    let words = mails.words(&mut dice)?;
    let queries = queries::measure(&engines, &built, &words, &mut dice, options.each, options.runs)?;
    let samples = build::pack(&engines, built, work.path(), samples)?;

    let (ours, tantivy) = (engines[0].name(), engines[1].name());
    let raw = mails.raw as f64;
    let cpu = |name: &str| samples.least(name, "cpu");
    let bars = [
        Bar {
            name: "build from extracted text, per core (processor time): speed against tantivy",
            value: cpu(tantivy).zip(cpu(ours)).map(|(tantivy, ours)| tantivy / ours),
            wants: Wants::AtLeast,
            floor: 1.0,
            target: 1.5,
        },
        Bar {
            name: "index with positions, suffixes, columns, share of raw",
            value: samples.least(ours, "disk").map(|disk| disk / raw),
            wants: Wants::AtMost,
            floor: 0.22,
            target: 0.16,
        },
    ];
    println!("{}\n{queries}\n{}", build::report(&engines, &samples, &mails), bar_table(&bars));
    Ok(())
}
