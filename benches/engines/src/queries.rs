//! Queries: latencies by kind, and whether all engines find the same.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::Result;
use benches::drawn::{Dice, KINDS, Query, Words};
use benches::table::{table, time};
use benches::usage::quantiles;

use crate::build::All;
use crate::engine::{Answer, Engine};

/// The answers of one engine to the queries of a kind, and its best times; nothing for what it cannot answer.
struct Asked {
    answers: Vec<Option<Answer>>,
    times: Vec<Duration>,
}

/// Draws `each` queries of a kind, runs them on every engine in turn, and returns the table.
pub fn measure(engines: &[&dyn Engine], all: &All, words: &Words, dice: &mut Dice, each: usize, runs: usize) -> Result<String> {
    let head = ["query", "n", "hits", "p50", "p95", "worst", "other totals", "other newest"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut summary = vec![["p50, ours / best other", "ratio", "other"].map(str::to_owned).to_vec()];
    for (kind, draw) in KINDS {
        let queries: Vec<Query> = (0..each).map(|at| draw(words, dice, at)).collect();
        let asked = ask(engines, all, &queries, runs)?;
        let ours = &asked[0].answers;
        summary.push(against(kind, engines, &asked));
        for (engine, asked) in engines.iter().zip(&asked) {
            rows.push(row(&format!("{kind}: {}", engine.name()), asked, ours));
            tell_difference(engine.name(), &queries, asked, ours);
        }
    }
    Ok(format!("{}\n{}", table(&rows), table(&summary)))
}

/// Our median of a kind against that of the fastest other engine that answers it.
fn against(kind: &str, engines: &[&dyn Engine], asked: &[Asked]) -> Vec<String> {
    let p50 = |asked: &Asked| if asked.times.is_empty() { None } else { quantiles(asked.times.clone())["p50"].as_f64() };
    let others = engines.iter().zip(asked).skip(1).filter_map(|(engine, asked)| Some((p50(asked)?, engine.name())));
    let best = others.min_by(|(a, _), (b, _)| a.total_cmp(b));
    match p50(&asked[0]).zip(best) {
        Some((ours, (other, name))) => vec![kind.to_owned(), format!("{:.2}", ours / other), name.to_owned()],
        None => vec![kind.to_owned(), "no other".to_owned(), String::new()],
    }
}

/// The first pass warms up; in the `runs` that follow, the lowest time of each query counts.
fn ask(engines: &[&dyn Engine], all: &All, queries: &[Query], runs: usize) -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for (engine, built) in engines.iter().zip(all) {
        let answers = queries.iter().map(|query| built.ask(query).map_err(|error| format!("{}: {query}: {error}", engine.name()).into()));
        let answers = answers.collect::<Result<Vec<_>>>()?;
        let times = answers.iter().filter(|answer| answer.is_some()).map(|_| Duration::MAX).collect();
        asked.push(Asked { answers, times });
    }
    for _ in 0..runs {
        for (built, Asked { answers, times }) in all.iter().zip(&mut asked) {
            let answered = queries.iter().zip(answers).filter(|(_, answer)| answer.is_some());
            for ((query, _), least) in answered.zip(times) {
                let start = Instant::now();
                black_box(built.ask(query)?);
                *least = start.elapsed().min(*least);
            }
        }
    }
    Ok(asked)
}

fn row(name: &str, asked: &Asked, ours: &[Option<Answer>]) -> Vec<String> {
    if asked.times.is_empty() {
        return [name, "cannot", "", "", "", "", "", ""].map(str::to_owned).to_vec();
    }
    let hits: u64 = asked.answers.iter().flatten().map(|answer| answer.total).sum();
    let quantiles = quantiles(asked.times.clone());
    let pairs = || asked.answers.iter().zip(ours).filter_map(|(answer, ours)| answer.as_ref().zip(ours.as_ref()));
    let totals = pairs().filter(|(answer, ours)| answer.total != ours.total).count();
    let newest = pairs().filter(|(answer, ours)| answer.newest != ours.newest).count();
    let mut row = vec![name.to_owned(), asked.times.len().to_string(), (hits / asked.times.len() as u64).to_string()];
    row.extend(["p50", "p95", "worst"].map(|name| time(quantiles[name].as_f64().unwrap_or_default())));
    row.extend([totals.to_string(), newest.to_string()]);
    row
}

/// Prints the first query of a kind for which the answer of an engine differs from ours.
fn tell_difference(name: &str, queries: &[Query], asked: &Asked, ours: &[Option<Answer>]) {
    let pairs = queries.iter().zip(&asked.answers).zip(ours);
    let mut pairs = pairs.filter_map(|((query, answer), ours)| Some((query, answer.as_ref()?, ours.as_ref()?)));
    if let Some((query, answer, ours)) = pairs.find(|(_, answer, ours)| answer != ours) {
        eprintln!("{query}: {name} finds {}, we find {}", answer.total, ours.total);
    }
}
