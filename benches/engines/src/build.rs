//! Building: time, and bytes on disk.

use std::fs;
use std::path::{Path, PathBuf};

use benches::Result;
use benches::bars::Samples;
use benches::corpora::bytes_below;
use benches::table::{short, table, time};
use benches::usage::Meter;
use serde_json::json;

use crate::engine::{Built, Engine};
use crate::mails::Mails;

/// An index that is built, one for each engine.
pub type All = Vec<Box<dyn Built>>;

/// Builds with each engine `runs` times, each time with another engine first, and keeps what was built last. Samples
/// have the names of the engines.
pub fn build(engines: &[&dyn Engine], mails: &Mails, work: &Path, runs: usize) -> Result<(All, Samples)> {
    let mut samples = Samples::default();
    let mut all: Vec<Option<Box<dyn Built>>> = engines.iter().map(|_| None).collect();
    for run in 0..runs {
        for at in (0..engines.len()).map(|at| (at + run) % engines.len()) {
            let dir = dir(work, at);
            all[at] = None;
            if dir.exists() {
                fs::remove_dir_all(&dir)?;
            }
            fs::create_dir_all(&dir)?;
            let meter = Meter::own()?;
            let mut built = engines[at].build(&dir, mails)?;
            let mut sample = meter.read()?;
            built.ready()?;
            sample["disk"] = json!(bytes_below(&dir));
            eprintln!("{}: {sample}", engines[at].name());
            samples.add(engines[at].name(), sample);
            all[at] = Some(built);
        }
    }
    Ok((all.into_iter().flatten().collect(), samples))
}

fn dir(work: &Path, at: usize) -> PathBuf {
    work.join(at.to_string())
}

fn packed(engine: &dyn Engine) -> String {
    format!("{}, packed", engine.name())
}

/// Makes each index as small as possible, once.
pub fn pack(engines: &[&dyn Engine], all: All, work: &Path, mut samples: Samples) -> Result<Samples> {
    for (at, (engine, mut built)) in engines.iter().zip(all).enumerate() {
        let meter = Meter::own()?;
        built.pack()?;
        let mut sample = meter.read()?;
        built.ready()?;
        sample["disk"] = json!(bytes_below(&dir(work, at)));
        eprintln!("{}: {sample}", packed(*engine));
        samples.add(&packed(*engine), sample);
    }
    Ok(samples)
}

/// The table of what was built; speeds are by processor time, relative to the first engine.
pub fn report(engines: &[&dyn Engine], samples: &Samples, mails: &Mails) -> String {
    let head =
        ["build", "processor", "wall", "MB of text/s, processor", "MB of text/s, wall", "slower than ours", "disk bytes", "share of raw"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let (text, raw) = (mails.text as f64 / 1e6, mails.raw as f64);
    let ours = engines.first().and_then(|engine| samples.least(engine.name(), "cpu"));
    for (name, is_build) in
        engines.iter().map(|engine| (engine.name().to_owned(), true)).chain(engines.iter().map(|engine| (packed(*engine), false)))
    {
        let get = |field: &str| samples.least(&name, field);
        let (Some(cpu), Some(wall), Some(disk)) = (get("cpu"), get("wall"), get("disk")) else { continue };
        let speed = |seconds: f64| if is_build { short(text / seconds) } else { String::new() };
        let factor = ours.filter(|_| is_build).map(|ours| format!("{} x", short(cpu / ours))).unwrap_or_default();
        let share = format!("{:.4}", disk / raw);
        rows.push(vec![name.clone(), time(cpu), time(wall), speed(cpu), speed(wall), factor, format!("{disk:.0}"), share]);
    }
    table(&rows)
}
