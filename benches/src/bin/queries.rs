//! How long searches take, by kind, in an existing archive: total and newest 50, in process, warm.
//!
//! ```text
//! queries ARCHIVE KEYFILE [--each 60] [--seed 1] [--share 0.3] [--only KIND]
//! ```
//!
//! `--only` measures the kinds of queries whose names begin with KIND.
//!
//! Queries are drawn from the mails ([`benches::drawn`]). With `--share`, the same queries also run on behalf of a user
//! who sees that share of the folders.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use archive_core::{
    Actor, Archive, CountBy, FolderScope, Key, MessageId, OpenOptions, Order, OrderKey, SearchCriteria, SearchRequest, Session, User, mail,
};
use benches::Result;
use benches::drawn::{Dice, Drawing, KINDS, SAMPLE, Words};
use benches::table::{table, time};
use benches::usage::{forget_peak, peak_mib, quantiles};

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("queries: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let [dir, key_file, options @ ..] = args else {
        return Err("queries ARCHIVE KEYFILE [--each 60] [--seed 1] [--share 0.3] [--only KIND]".into());
    };
    let option = |name: &str| options.iter().position(|arg| arg == name).and_then(|at| options.get(at + 1));
    let each: usize = option("--each").map_or(Ok(60), |text| text.parse())?;
    let mut dice = Dice(option("--seed").map_or(Ok(1), |text| text.parse())?);
    let share: f64 = option("--share").map_or(Ok(0.3), |text| text.parse())?;
    let key = Key::File(std::fs::read_to_string(key_file)?.into());
    let archive = Archive::open(Path::new(dir), &key, OpenOptions::default())?;
    let system = archive.session(Actor::System);
    let folders = system.folders()?;
    let seen: Vec<FolderScope> = folders
        .iter()
        .filter(|_| (dice.below(1000) as f64) < share * 1000.0)
        .map(|folder| FolderScope::exactly(&folder.path.to_string()))
        .collect();
    println!("{} folders, {} of them seen by the user", folders.len(), seen.len());
    let user = archive.session(Actor::User(User { name: "bench".to_owned(), administrator: false, folders: seen }));
    let words = words(&system, &mut dice)?;
    forget_peak()?;
    let mut rows = vec![["query", "n", "hits", "p50", "p95", "worst", "user p50", "user p95"].map(str::to_owned).to_vec()];
    let only = option("--only").map_or("", String::as_str);
    for (kind, draw) in KINDS.into_iter().filter(|(kind, _)| kind.starts_with(only)) {
        let queries: Vec<String> = (0..each).map(|at| draw(&words, &mut dice, at).to_string()).collect();
        let (all, hits) = measure(&system, &queries)?;
        let (some, _) = measure(&user, &queries)?;
        rows.push(row(kind, &(hits / queries.len().max(1) as u64).to_string(), all, some));
    }
    if "snippet".starts_with(only) {
        let queries: Vec<String> = (0..each).map(|at| words.any(&mut dice, at).to_owned()).collect();
        rows.push(row("snippet, a hit", "", snippets(&system, &queries)?, snippets(&user, &queries)?));
    }
    for (name, request) in orders_and_counts() {
        if name.starts_with(only) {
            let (all, hits) = measure_requests(&system, &vec![request.clone(); (each / 6).max(3)])?;
            let (some, _) = measure_requests(&user, &vec![request; (each / 6).max(3)])?;
            rows.push(row(name, &(hits / all.len().max(1) as u64).to_string(), all, some));
        }
    }
    println!("{}", table(&rows));
    println!("peak memory while searching: {} MiB", peak_mib()?);
    Ok(archive.close()?)
}

/// The newest page of all mail in each order, and all mail counted.
fn orders_and_counts() -> Vec<(&'static str, SearchRequest)> {
    let by = |name, by| {
        let mut criteria = SearchCriteria::of_text("*");
        criteria.order = Order { by, reverse: false };
        (name, SearchRequest::of(criteria).limit(50))
    };
    let count = |name, by| (name, SearchRequest::new("*").limit(0).count_by(&[by]));
    vec![
        by("* by subject", OrderKey::Subject),
        by("* by sender", OrderKey::Sender),
        by("* by party", OrderKey::Party),
        by("* by folder", OrderKey::Folder),
        by("* by size", OrderKey::Size),
        by("* by time of archiving", OrderKey::Archived),
        count("* counted by sender", CountBy::From),
        count("* counted by folder", CountBy::Folder),
        count("* counted by year", CountBy::Year),
    ]
}

/// A row of the table: times as the system, and as the user.
fn row(kind: &str, hits: &str, all: Vec<Duration>, some: Vec<Duration>) -> Vec<String> {
    let n = all.len().to_string();
    let (all, some) = (quantiles(all), quantiles(some));
    let times = [&all["p50"], &all["p95"], &all["worst"], &some["p50"], &some["p95"]];
    let times = times.map(|seconds| time(seconds.as_f64().unwrap_or_default()));
    [kind.to_owned(), n, hits.to_owned()].into_iter().chain(times).collect()
}

/// What a snippet adds to a hit: from the second of two passes, the average time of a hit for each query.
fn snippets(session: &Session, queries: &[String]) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for is_warm in [false, true] {
        for query in queries {
            let request = SearchRequest::new(query).limit(50);
            let start = Instant::now();
            let shown = session.search(&request)?.hits.len();
            let plain = start.elapsed();
            let start = Instant::now();
            session.search(&request.with_snippets())?;
            if let (true, Ok(shown @ 1..)) = (is_warm, u32::try_from(shown)) {
                times.push(start.elapsed().saturating_sub(plain) / shown);
            }
        }
    }
    Ok(times)
}

/// Times of the second of two passes, and the total number of hits.
fn measure(session: &Session, queries: &[String]) -> Result<(Vec<Duration>, u64)> {
    measure_requests(session, &queries.iter().map(|query| SearchRequest::new(query).limit(50)).collect::<Vec<_>>())
}

fn measure_requests(session: &Session, requests: &[SearchRequest]) -> Result<(Vec<Duration>, u64)> {
    let (mut times, mut hits) = (Vec::new(), 0);
    for is_warm in [false, true] {
        for request in requests {
            let start = Instant::now();
            let found = session.search(request)?;
            if is_warm {
                times.push(start.elapsed());
                hits += found.total;
            }
        }
    }
    Ok((times, hits))
}

/// Words of the mails of an archive.
fn words(session: &Session, dice: &mut Dice) -> Result<Words> {
    let ids: Vec<MessageId> = session.messages().map(|info| info.map(|info| info.id)).collect::<std::result::Result<_, _>>()?;
    let mut drawing = Drawing::default();
    for id in ids.iter().step_by((ids.len() / SAMPLE).max(1)) {
        let text = mail::text::extract(&session.raw(*id)?, &[]);
        let info = session.message(*id)?;
        drawing.take(text.values.iter().map(|value| value.text.as_str()), info.from.first().map(|from| from.address.as_str()), dice);
    }
    drawing.words()
}
