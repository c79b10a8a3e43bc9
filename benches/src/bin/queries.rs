//! How long searches take, by kind, in an archive that is there: total and newest 50, in process, warm.
//!
//! ```text
//! queries ARCHIVE KEYFILE [--each 60] [--seed 1] [--share 0.3] [--only KIND]
//! ```
//!
//! `--only` measures the kinds of queries whose names begin so.
//!
//! Words are drawn from the mails: a third each of words in one, in 10 to 1,000, and in over a tenth of the mails looked at. With `--share`, the same
//! is asked in the name of a user who sees that share of the folders.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use archive_core::{Acting, Actor, Archive, FolderScope, Key, MessageId, OpenOptions, SearchRequest, User, mail};
use benches::Result;
use benches::table::{table, time};
use benches::usage::quantiles;

/// Mails that words are drawn from.
const SAMPLE: usize = 20_000;

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
    let system = archive.acting_as(Actor::System);
    let folders = system.folders();
    let seen: Vec<FolderScope> = folders
        .iter()
        .filter(|_| (dice.below(1000) as f64) < share * 1000.0)
        .map(|folder| FolderScope::exactly(&folder.path.to_string()))
        .collect();
    println!("{} folders, {} of them seen by the user", folders.len(), seen.len());
    let user = archive.acting_as(Actor::User(User { name: "bench".to_owned(), administrator: false, folders: seen }));
    let words = Words::draw(&system, &mut dice)?;
    let mut rows = vec![["query", "n", "hits", "p50", "p95", "worst", "user p50", "user p95"].map(str::to_owned).to_vec()];
    let only = option("--only").map_or("", String::as_str);
    for (kind, draw) in KINDS.into_iter().filter(|(kind, _)| kind.starts_with(only)) {
        let queries: Vec<String> = (0..each).map(|at| draw(&words, &mut dice, at)).collect();
        let (all, hits) = measure(&system, &queries)?;
        let (some, _) = measure(&user, &queries)?;
        let quantile = |times: &[Duration], name: &str| time(quantiles(times.to_vec())[name].as_f64().unwrap_or_default());
        let of_all = ["p50", "p95", "worst"].map(|name| quantile(&all, name));
        let of_some = ["p50", "p95"].map(|name| quantile(&some, name));
        let mut row = vec![kind.to_owned(), queries.len().to_string(), (hits / queries.len().max(1) as u64).to_string()];
        row.extend(of_all.into_iter().chain(of_some));
        rows.push(row);
    }
    println!("{}", table(&rows));
    Ok(archive.close()?)
}

/// Times of the second of two passes, and hits in all.
fn measure(acting: &Acting<'_>, queries: &[String]) -> Result<(Vec<Duration>, u64)> {
    let (mut times, mut hits) = (Vec::new(), 0);
    for is_warm in [false, true] {
        for query in queries {
            let start = Instant::now();
            let found = acting.search(&SearchRequest::new(query).limit(50))?;
            if is_warm {
                times.push(start.elapsed());
                hits += found.total;
            }
        }
    }
    Ok((times, hits))
}

type Draw = fn(&Words, &mut Dice, usize) -> String;

const KINDS: [(&str, Draw); 11] = [
    ("word", |words, dice, at| words.any(dice, at).to_owned()),
    ("prefix of 2 to 4 letters", |words, dice, at| format!("{}*", head(words.any(dice, at), 2 + at % 3))),
    ("suffix *abcd", |words, dice, at| format!("*{}", tail(words.any(dice, at), 4))),
    ("infix *abcd*", |words, dice, at| format!("*{}*", head(tail(words.any(dice, at), 6), 4))),
    ("ab*yz", |words, dice, at| format!("{}*{}", head(words.any(dice, at), 2), tail(words.any(dice, at + 1), 2))),
    ("address in one field", |words, dice, _| format!("from:{}", dice.pick(&words.addresses))),
    ("*@domain", |words, dice, _| format!("*@{}", dice.pick(&words.addresses).rsplit('@').next().unwrap_or_default())),
    ("\"ab* cd*\"", |words, dice, _| {
        let (first, second) = dice.pick(&words.pairs);
        format!("\"{}* {}*\"", head(first, 2), head(second, 2))
    }),
    ("phrase of two words", |words, dice, _| {
        let (first, second) = dice.pick(&words.pairs);
        format!("\"{first} {second}\"")
    }),
    ("five words, one excluded, a field, a range", |words, dice, at| {
        let some = |words: &Words, dice: &mut Dice| dice.pick(&words.frequent).clone();
        let five: Vec<String> = (0..5).map(|_| some(words, dice)).collect();
        format!("{} -{} from:{}* date:2000..2020", five.join(" "), words.any(dice, at), head(dice.pick::<String>(&words.addresses), 3))
    }),
    ("*", |_, _, _| "*".to_owned()),
];

fn head(word: &str, letters: usize) -> &str {
    word.get(..letters.min(word.len())).unwrap_or(word)
}

fn tail(word: &str, letters: usize) -> &str {
    word.get(word.len().saturating_sub(letters)..).unwrap_or(word)
}

/// What queries are made of.
struct Words {
    rare: Vec<String>,
    middle: Vec<String>,
    frequent: Vec<String>,
    addresses: Vec<String>,
    pairs: Vec<(String, String)>,
}

impl Words {
    fn draw(acting: &Acting<'_>, dice: &mut Dice) -> Result<Self> {
        let mut ids: Vec<MessageId> = Vec::new();
        acting.messages(&mut |info| {
            ids.push(info.id);
            Ok(ControlFlow::Continue(()))
        })?;
        let step = (ids.len() / SAMPLE).max(1);
        let mut mails = 0usize;
        let mut counts: HashMap<String, usize> = HashMap::new();
        let (mut addresses, mut pairs) = (Vec::new(), Vec::new());
        for id in ids.iter().step_by(step) {
            mails += 1;
            let text = mail::text::extract(&acting.raw(*id)?, &[]);
            let mut here: Vec<String> = Vec::new();
            for value in &text.values {
                let is_letter = |c: char| c.is_ascii_lowercase();
                let lower = value.text.to_lowercase();
                here.extend(
                    lower
                        .split(|c: char| !c.is_alphanumeric())
                        .filter(|word| word.len() >= 4 && word.chars().all(is_letter))
                        .map(str::to_owned),
                );
            }
            if let Some(pair) = here.windows(2).nth(dice.below(20) as usize) {
                pairs.push((pair[0].clone(), pair[1].clone()));
            }
            here.sort_unstable();
            here.dedup();
            here.into_iter().for_each(|word| *counts.entry(word).or_default() += 1);
            addresses.extend(acting.message(*id)?.from.first().map(|from| from.address.clone()).filter(|address| address.contains('@')));
        }
        let of = |least: usize, most: usize| {
            let mut words: Vec<String> =
                counts.iter().filter(|(_, count)| (least..=most).contains(*count)).map(|(word, _)| word.clone()).collect();
            words.sort_unstable();
            words
        };
        let words = Self { rare: of(1, 1), middle: of(10, 1000), frequent: of(mails / 10, usize::MAX), addresses, pairs };
        if [words.rare.len(), words.middle.len(), words.frequent.len(), words.addresses.len(), words.pairs.len()].contains(&0) {
            return Err("too few mails to draw queries from".into());
        }
        Ok(words)
    }

    fn any(&self, dice: &mut Dice, at: usize) -> &str {
        let third: &[String] = [&self.rare, &self.middle, &self.frequent][at % 3];
        dice.pick(third).as_str()
    }
}

/// Numbers by a seed (SplitMix64, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end.max(1)
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len() as u64) as usize]
    }
}
