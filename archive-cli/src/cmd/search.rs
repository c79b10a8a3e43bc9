//! `search`.

use std::io::Read;

use archive_core::{Acting, SearchRequest};
use serde_json::json as object;

use crate::args::Search;
use crate::failure::{Exit, Failure};
use crate::out::table::Table;
use crate::out::{Out, escape, json, when};

/// Hits on a terminal unless told otherwise.
const ON_TERMINAL: usize = 20;

pub fn run(acting: &Acting<'_>, args: Search, out: &mut Out) -> Result<Exit, Failure> {
    let query = query(&args)?;
    let unlimited = if out.is_terminal() && !out.is_json() { Some(ON_TERMINAL) } else { None };
    let limit = if args.count { Some(0) } else { args.limit.or(unlimited) };
    let mut request = SearchRequest::new(&query);
    if let Some(limit) = limit {
        request = request.limit(limit);
    }
    let found = acting.search(&request)?;
    if out.is_json() {
        for hit in &found.hits {
            out.json(&json::message("hit", hit))?;
        }
        out.json(&object!({
            "event": "summary",
            "total": found.total,
            "shown": found.hits.len(),
            "cursor": null,
            "coverage": json::coverage(&found.coverage),
            "notices": found.notices,
        }))?;
        return Ok(Exit::Done);
    }
    let table = message_table();
    for hit in &found.hits {
        message_row(&table, hit, out)?;
    }
    if args.count {
        out.line(&found.total.to_string())?;
    }
    for notice in &found.notices {
        out.note(&format!("note: {}", escape::line(notice)))?;
    }
    let shown = match (found.hits.len() as u64) < found.total && !args.count {
        true => format!(", {} shown (--limit shows more)", found.hits.len()),
        false => String::new(),
    };
    out.note(&format!("{} found{shown}", found.total))?;
    if found.coverage.not_indexed > 0 {
        out.note(&format!("{} mails are not indexed yet and were not looked at", found.coverage.not_indexed))?;
    }
    if found.coverage.undecided > 0 {
        out.note(&format!("{} mails have text that cannot be read; a word may stand there all the same", found.coverage.undecided))?;
    }
    Ok(Exit::Done)
}

fn query(args: &Search) -> Result<String, Failure> {
    let mut clauses = Vec::new();
    if args.query == ["-"] {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        clauses.push(text.trim_end_matches(['\r', '\n']).to_owned());
    } else if !args.query.is_empty() {
        clauses.push(args.query.join(" "));
    }
    // A quote inside would end the phrase; it separates words as a blank does.
    let quoted = |text: &String| format!("\"{}\"", text.replace('"', " "));
    if !(args.phrase.is_empty() && args.not.is_empty()) && clauses.iter().any(|clause| clause.contains("OR")) {
        clauses = clauses.into_iter().map(|clause| format!("({clause})")).collect();
    }
    clauses.extend(args.phrase.iter().map(quoted));
    clauses.extend(args.not.iter().map(|text| format!("-{}", quoted(text))));
    if clauses.is_empty() {
        return Err(Failure::Usage("nothing to search for: give words, --phrase, --not, or - for standard input".to_owned()));
    }
    Ok(clauses.join(" "))
}

/// Columns of lists of mails.
pub fn message_table() -> Table<5> {
    Table::new([10, 23, 24, 44, 0])
}

/// A mail in a list.
pub fn message_row(table: &Table<5>, info: &archive_core::MessageInfo, out: &mut Out) -> Result<(), Failure> {
    let from = info.from.first().map(|one| if one.name.is_empty() { one.address.clone() } else { one.name.clone() });
    let date = when::local(info.date, out.zone());
    table.row(out, [&info.id.to_string(), &date, &from.unwrap_or_default(), &info.subject, &info.folder.to_string()])
}
