//! Answers searches in the name of users, one JSON object a line: criteria in, ids and totals out. What a server with its own rights does.
//!
//! ```text
//! ask FOLDER KEYFILE < requests.jsonl
//! {"as":{"name":"anna","folders":[{"path":"anna"}]},"criteria":{"version":1,"text":"invoice"},"limit":10}
//! {"total":2,"ids":["1:5","1:3"],"cursor":null,"coverage":{"not_indexed":0,"undecided":0,"unreachable_stores":0},"notices":[],"counts":{}}
//! ```

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::{env, fs, io};

use archive_core::{Actor, Archive, CountBy, Key, OpenOptions, SearchCriteria, SearchRequest, User};
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (Some(dir), Some(key_file)) = (args.next(), args.next()) else { return Err("usage: ask FOLDER KEYFILE".into()) };
    let key = Key::File(fs::read_to_string(key_file)?.into());
    let archive = Archive::open(Path::new(&dir), &key, OpenOptions::default())?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&archive, &serde_json::from_str(&line?)?)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(archive.close()?)
}

fn answer(archive: &Archive, asked: &Value) -> Result<Value, Box<dyn Error>> {
    let actor = match &asked["as"] {
        Value::Null => Actor::System,
        user => Actor::User(serde_json::from_value::<User>(user.clone())?),
    };
    let found = SearchCriteria::from_json(&asked["criteria"].to_string()).and_then(|criteria| {
        let mut request = SearchRequest::of(criteria).count_by(&counts(&asked["counts"]));
        if let Some(limit) = asked["limit"].as_u64() {
            request = request.limit(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        if let Some(cursor) = asked["cursor"].as_str() {
            request = request.after(cursor);
        }
        if let Some(now) = asked["now"].as_str().and_then(|now| now.parse::<jiff::Timestamp>().ok()) {
            request = request.at(now.as_millisecond());
        }
        archive.session(actor).search(&request)
    });
    Ok(match found {
        Err(error) => json!({ "error": { "code": error.code(), "message": error.to_string() } }),
        Ok(found) => {
            let rows = found.counts.iter().map(|counts| (name(counts.by).to_owned(), json!(counts.rows)));
            json!({
                "total": found.total,
                "ids": found.hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(),
                "cursor": found.cursor,
                "coverage": {
                    "not_indexed": found.coverage.not_indexed,
                    "undecided": found.coverage.undecided,
                    "unreachable_stores": found.coverage.unreachable_stores.len(),
                },
                "notices": found.notices,
                "counts": rows.collect::<Map<String, Value>>(),
            })
        }
    })
}

const COUNTS: [(&str, CountBy); 5] =
    [("year", CountBy::Year), ("month", CountBy::Month), ("from", CountBy::From), ("folder", CountBy::Folder), ("type", CountBy::Type)];

fn name(by: CountBy) -> &'static str {
    COUNTS.iter().find(|(_, known)| *known == by).map_or("", |(name, _)| name)
}

fn counts(names: &Value) -> Vec<CountBy> {
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|name| COUNTS.iter().find(|(known, _)| *known == name).map(|(_, by)| *by)).collect()
}
