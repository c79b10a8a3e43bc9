//! `search`.

use std::io::Read;

use archive_core::{
    Archive, CountBy, Counts, Coverage, DateRange, Error, FolderScope, IndexStatus, Level, MOST_WORDS, MessageId, Order, OrderKey,
    SearchCriteria, SearchRequest, SearchResult, Session, SizeRange, StoreIndex, Suggestions,
};
use clap::ValueEnum as _;
use serde_json::json as object;

use super::rows::{MessageTable, field_name, hit_row, snippet_row};
use super::system;
use crate::args::{CountKey, HitOrder, Importance, Search, YesNo};
use crate::failure::{Exit, Failure};
use crate::memory::{self, Reminder};
use crate::out::table::Column::{Left, Right, Share};
use crate::out::table::{self, Table};
use crate::out::{Out, counted, escape, json};
use crate::stop;

/// Hits on a terminal by default.
const ON_TERMINAL: usize = 20;

/// Hits that are fetched at a time if all are wanted.
const PAGE: usize = 1000;

/// Where mails without a date are counted.
const NO_DATE: &str = "no date";

/// The most mails with unreadable text that are examined for the reasons.
const LOOKED_INTO: usize = 20;

pub fn run(archive: &Archive, args: &Search, out: &mut Out) -> Result<Exit, Failure> {
    let criteria = criteria(args, out)?;
    let query = criteria.text.clone();
    search(archive, args, criteria, out).map_err(|failure| match failure {
        Failure::Archive(Error::Query { message, range: Some(place) }) => Failure::Query { message, query, place },
        failure => failure,
    })
}

fn search(archive: &Archive, args: &Search, criteria: SearchCriteria, out: &mut Out) -> Result<Exit, Failure> {
    let session = &system(archive);
    let request = SearchRequest::of(criteria).progress(&stop::at_safe_points());
    let request = if args.once { request.once() } else { request };
    if args.explain {
        return explain(session, &request, out);
    }
    if let Some(id) = args.why {
        return why(session, id, &request, out);
    }
    let counts_only = args.count || !args.by.is_empty();
    let unlimited = if out.is_terminal() && !out.is_json() { ON_TERMINAL } else { usize::MAX };
    let mut left = if counts_only { 0 } else { args.limit.unwrap_or(unlimited) };
    let by: Vec<CountBy> = args.by.iter().map(|key| count_by(*key)).collect();
    let first = if args.snippets { request.clone().with_snippets() } else { request };
    let first = if out.has_colour() && !out.is_json() { first.with_subject_words() } else { first };
    let first = match &args.cursor {
        Some(cursor) => first.after(cursor),
        None => first,
    };
    let mut pages = session.search_pages(&first.clone().count_by(&by).with_suggestions().limit(left.min(PAGE)))?;
    let Some(found) = pages.next().transpose()? else { return Ok(Exit::Done) };
    for (key, counts) in args.by.iter().zip(&found.counts) {
        if args.by.len() > 1 && !out.is_json() {
            out.heading(&key_name(*key))?;
        }
        print_counts(*key, counts, out)?;
    }
    let table = MessageTable { with_size: args.sort == HitOrder::Size };
    let mut shown = 0;
    let (notices, suggestions) = (found.notices.clone(), found.suggestions.clone());
    let (total, contents, coverage) = (found.total, found.contents, found.coverage.clone());
    let mut page = found;
    loop {
        for at in 0..page.hits.len() {
            print_hit(&table, &page, at, out)?;
        }
        shown += page.hits.len();
        left -= page.hits.len().min(left);
        if left == 0 {
            break;
        }
        pages.set_limit(left.min(PAGE));
        let Some(next) = pages.next().transpose()? else { break };
        page = next;
    }
    let needs_rebuild = |index: &StoreIndex| index.status == IndexStatus::NeedsRebuild;
    let index_is_damaged = coverage.not_indexed > 0 && session.store_indexes(None)?.iter().any(needs_rebuild);
    let summary =
        Summary { total, contents, once: args.once, shown, cursor: page.cursor.filter(|_| !counts_only), coverage, index_is_damaged };
    summary.print(args, &notices, suggestions.as_ref(), out)?;
    if summary.coverage.undecided > 0 && memory::is_due(archive, Reminder::UnreadText, out) {
        remind_unread(session, &first, summary.coverage.undecided, out)?;
    }
    Ok(if summary.coverage.unreachable_stores.is_empty() { Exit::Done } else { Exit::Wrong })
}

/// Reminds once a day that unreadable text would decide, and says why it could not be read.
fn remind_unread(session: &Session, request: &SearchRequest, mails: u64, out: &mut Out) -> Result<(), Failure> {
    let mut reasons: Vec<String> = session.undecided(request, LOOKED_INTO)?.iter().map(|part| part.why.to_string()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let among = if mails > LOOKED_INTO as u64 { "among the reasons: " } else { "" };
    let reasons = escape::line(&reasons.join("; "));
    out.note(&format!("reminder: {} may match: text that cannot be searched would decide ({among}{reasons})", counted(mails, "more mail")))
}

/// The summary after the hits.
struct Summary {
    total: u64,
    contents: u64,
    once: bool,
    shown: usize,
    cursor: Option<String>,
    coverage: Coverage,
    index_is_damaged: bool,
}

impl Summary {
    fn print(&self, args: &Search, notices: &[String], tips: Option<&Suggestions>, out: &mut Out) -> Result<(), Failure> {
        if out.is_json() {
            return out.json(&object!({
                "event": "summary",
                "total": self.total,
                "contents": self.contents,
                "shown": self.shown,
                "cursor": self.cursor,
                "coverage": self.coverage,
                "notices": notices,
                "suggestions": tips.map(|tips| object!({
                    "clause": tips.clause,
                    "completion": tips.completion.as_ref().map(|(clause, messages)| object!({ "clause": clause, "messages": messages })),
                    "words": tips.words,
                })),
            }));
        }
        for notice in notices {
            out.note(&format!("note: {}", escape::line(notice)))?;
        }
        if args.count {
            out.line(&self.total.to_string())?;
        }
        let all = if self.once { self.contents } else { self.total };
        let shown = match (self.shown as u64) < all && args.by.is_empty() {
            true => format!(", {} shown (--limit shows more)", self.shown),
            false => String::new(),
        };
        let contents = if self.once { format!(", {}", counted(self.contents, "different mail")) } else { String::new() };
        if !args.count {
            out.note(&format!("{} found{contents}{shown}", self.total))?;
        }
        // Mails that were not searched may match the clause.
        if let Some(Suggestions { clause: Some(clause), completion, words, .. }) = tips.filter(|_| self.coverage.not_indexed == 0) {
            out.note(&format!("no mail matches `{}`", escape::line(clause)))?;
            if let Some((clause, messages)) = completion {
                out.note(&format!("`{}` finds {messages}", escape::line(clause)))?;
            }
            if !words.is_empty() {
                out.note(&format!("near words: {}", escape::line(&words.join(", "))))?;
            }
        }
        if self.coverage.not_indexed > 0 {
            let why = match self.index_is_damaged {
                true => "a part of the index is damaged: run `mailkeep rebuild index` to make searches complete again",
                false => "not indexed yet",
            };
            out.note(&format!("warning: {} not searched: {why}", counted(self.coverage.not_indexed, "mail")))?;
        }
        if !self.coverage.unreachable_stores.is_empty() {
            out.warn(&format!("warning: not searched, since not open: {}", self.coverage.unreachable_stores.join(", ")))?;
        }
        Ok(())
    }
}

/// A hit of a page, with what was asked for besides.
fn print_hit(table: &MessageTable, page: &SearchResult, at: usize, out: &mut Out) -> Result<(), Failure> {
    let Some(hit) = page.hits.get(at) else { return Ok(()) };
    let (also, snippet) = (page.also.get(at), page.snippets.get(at).and_then(Option::as_ref));
    if out.is_json() {
        let mut line = json::line("hit", hit);
        if let (Some(line), Some(also)) = (line.as_object_mut(), also) {
            let also: Vec<_> = also.iter().map(|info| object!({ "id": info.id.to_string(), "folder": info.folder.to_string() })).collect();
            line.insert("also".to_owned(), also.into());
        }
        if let (Some(line), Some(snippet)) = (line.as_object_mut(), snippet) {
            let ranges: Vec<[usize; 2]> = snippet.ranges.iter().map(|range| [range.start, range.end]).collect();
            line.insert("snippet".to_owned(), object!({ "field": snippet.field, "text": snippet.text, "ranges": ranges }));
        }
        return out.json(&line);
    }
    hit_row(table, hit, page.subject_words.get(at).map_or(&[], Vec::as_slice), out)?;
    for info in also.into_iter().flatten() {
        let (start, folder) = (format!("    also {}  ", info.id), escape::line(&info.folder.to_string()));
        let folder = out.width().map(|width| table::end(&folder, width.saturating_sub(start.len()))).unwrap_or(folder);
        out.line(&format!("{start}{folder}"))?;
    }
    match snippet {
        Some(snippet) => snippet_row(snippet, out),
        None => Ok(()),
    }
}

fn key_name(key: CountKey) -> String {
    key.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn print_counts(key: CountKey, counts: &Counts, out: &mut Out) -> Result<(), Failure> {
    let name = key_name(key);
    let table = Table([Right(8), Share(1)]);
    let mut rows: Vec<&(String, u64)> = counts.rows.iter().collect();
    if !out.is_json() && matches!(key, CountKey::Year | CountKey::Month) {
        // People look for a year in its place; what has no date has no place, and comes last.
        rows.sort_by(|(a, _), (b, _)| (b != NO_DATE, b).cmp(&(a != NO_DATE, a)));
    }
    for (text, messages) in rows {
        match out.is_json() {
            true => out.json(&object!({ "event": "count", "by": name, "key": text, "messages": messages }))?,
            false => table.row(out, [&messages.to_string(), text])?,
        }
    }
    Ok(())
}

fn explain(session: &Session, request: &SearchRequest, out: &mut Out) -> Result<Exit, Failure> {
    let table = Table([Right(8), Share(1)]);
    let clauses = session.explain(request)?;
    for report in &clauses {
        if out.is_json() {
            let words: Vec<_> = report.words.iter().map(|(word, messages)| object!({ "word": word, "messages": messages })).collect();
            let line = object!({
                "event": "clause",
                "clause": report.clause,
                "messages": report.messages,
                "words": words,
                "all_words": report.all_words,
            });
            out.json(&line)?;
            continue;
        }
        table.row(out, [&report.messages.to_string(), &report.clause])?;
        for (word, messages) in &report.words {
            table.row(out, ["", &format!("{word} ({messages})")])?;
        }
        if report.all_words > report.words.len() {
            let at_least = if report.all_words >= MOST_WORDS { "at least " } else { "" };
            table.row(out, ["", &format!("and {at_least}{}", counted((report.all_words - report.words.len()) as u64, "more word"))])?;
        }
    }
    clauses_ended(clauses.len(), out)
}

fn why(session: &Session, id: MessageId, request: &SearchRequest, out: &mut Out) -> Result<Exit, Failure> {
    let table = Table([Left(8), Share(1), Share(1)]);
    let clauses = session.why(id, request)?;
    for verdict in &clauses {
        let met = match verdict.met {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        match out.is_json() {
            true => out.json(&object!({ "event": "why", "clause": verdict.clause, "met": verdict.met, "fields": verdict.fields }))?,
            false => {
                let fields: Vec<&str> = verdict.fields.iter().map(|field| field_name(field)).collect();
                table.row(out, [met, &verdict.clause, &fields.join(", ")])?;
            }
        }
    }
    clauses_ended(clauses.len(), out)
}

fn clauses_ended(clauses: usize, out: &mut Out) -> Result<Exit, Failure> {
    match (out.is_json(), clauses) {
        (true, _) => out.json(&object!({ "event": "summary", "clauses": clauses }))?,
        (false, 0) => out.note("the query asks for nothing")?,
        (false, _) => {}
    }
    Ok(Exit::Done)
}

fn criteria(args: &Search, out: &Out) -> Result<SearchCriteria, Failure> {
    let range = |from: &Option<String>, to: &Option<String>| {
        let any = from.is_some() || to.is_some();
        any.then(|| DateRange { from: from.clone(), to: to.clone(), ..DateRange::default() })
    };
    let mut criteria = SearchCriteria::of_text(&query(args)?);
    criteria.folder = args.folder.as_deref().map(|path| match args.no_subfolders {
        true => FolderScope::exactly(path),
        false => FolderScope::below(path),
    });
    criteria.from = args.from.clone().unwrap_or_default();
    criteria.recipients = args.to.clone().unwrap_or_default();
    criteria.date = range(&args.after, &args.before);
    criteria.archived = range(&args.archived_after, &args.archived_before);
    if args.larger.is_some() || args.smaller.is_some() {
        criteria.size = Some(SizeRange { min: args.larger, max: args.smaller });
    }
    criteria.with_attachments = args.attachments != Some(YesNo::No);
    criteria.without_attachments = args.attachments != Some(YesNo::Yes);
    criteria.importance = args.importance.map(|level| match level {
        Importance::Low => Level::Low,
        Importance::Normal => Level::Normal,
        Importance::High => Level::High,
    });
    criteria.store = args.store;
    criteria.zone = out.zone().name();
    let by = match args.sort {
        HitOrder::Date => OrderKey::Date,
        HitOrder::Archived => OrderKey::Archived,
        HitOrder::Party => OrderKey::Party,
        HitOrder::Sender => OrderKey::Sender,
        HitOrder::Subject => OrderKey::Subject,
        HitOrder::Size => OrderKey::Size,
        HitOrder::Folder => OrderKey::Folder,
    };
    criteria.order = Order { by, reverse: args.reverse };
    Ok(criteria)
}

fn count_by(key: CountKey) -> CountBy {
    match key {
        CountKey::Year => CountBy::Year,
        CountKey::Month => CountBy::Month,
        CountKey::From => CountBy::From,
        CountKey::Folder => CountBy::Folder,
        CountKey::Type => CountBy::Type,
    }
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
    if clauses.is_empty() && !has_criteria(args) {
        return Err(Failure::Usage(
            "nothing to search for: give words or an option such as --phrase, --from or --folder; - reads the query from standard input"
                .to_owned(),
        ));
    }
    Ok(clauses.join(" "))
}

/// Whether there are criteria other than text.
fn has_criteria(args: &Search) -> bool {
    let texts = [&args.folder, &args.from, &args.to, &args.after, &args.before, &args.archived_after, &args.archived_before];
    let sizes = args.larger.is_some() || args.smaller.is_some();
    texts.into_iter().any(Option::is_some) || sizes || args.attachments.is_some() || args.importance.is_some() || args.store.is_some()
}
