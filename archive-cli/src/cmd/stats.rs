//! `stats`.

use std::collections::BTreeMap;

use archive_core::mail::Why;
use archive_core::{Archive, MessageId, Progress, StatsReport};

use super::rows::{count_row, folder_row};
use super::system;
use crate::failure::{Exit, Failure};
use crate::memory::Memory;
use crate::out::json::Around;
use crate::out::table::Column::{Right, Share};
use crate::out::table::Table;
use crate::out::{Out, counted, escape, json, when};
use crate::place;

/// Messages of a kind that are shown; `--json` has all.
const SHOWN: usize = 5;

pub fn run(archive: &Archive, out: &mut Out) -> Result<Exit, Failure> {
    let (session, progress) = (system(archive), Progress::new());
    let report = session.stats(&progress)?;
    let types_not_read = session.types_not_read(&progress)?;
    let mut gaps: BTreeMap<String, Vec<MessageId>> = BTreeMap::new();
    for gap in session.not_searchable() {
        let gap = gap?;
        let messages = gaps.entry(gap.why.to_string()).or_default();
        if messages.last() != Some(&gap.message) {
            messages.push(gap.message);
        }
    }
    let (verified, free) = (Memory::of(archive).verified(), place::free_space(archive.dir()));
    if out.is_json() {
        let folders = session.folders()?;
        out.json(&json::stats(&report, &Around { folders: &folders, gaps: &gaps, types_not_read: &types_not_read, verified, free }))?;
        return Ok(Exit::Done);
    }
    sizes(&report, free, out)?;
    let archived = report.last_archived.map_or_else(|| "never".to_owned(), |at| when::local(at.div_euclid(1000), out.zone()));
    out.line(&format!("last mail  {archived}"))?;
    let verified = match verified {
        Some(last) => {
            let damage = if last.damaged > 0 { format!(", {} damaged", counted(last.damaged, "place")) } else { String::new() };
            format!("{}, {}{damage}", when::local(last.at, out.zone()), counted(last.messages, "mail"))
        }
        None => "never noted here; `mailkeep verify --note` notes it".to_owned(),
    };
    out.line(&format!("verified   {verified}"))?;
    out.heading("stores")?;
    for store in &report.stores {
        out.line(&format!("  {}: {}", escape::line(&store.name), counted(store.messages, "message")))?;
        out.line(&format!("  head {}", store.head_text()))?;
        if let Some(damage) = &store.damage {
            out.line(&format!("    accepts no mail: {}", escape::line(damage)))?;
        }
    }
    if !report.user_archives.is_empty() {
        out.heading("user archives")?;
    }
    report.user_archives.iter().try_for_each(|one| folder_row(one, out))?;
    if !gaps.is_empty() || !types_not_read.is_empty() {
        out.heading("not searchable in full")?;
    }
    for (why, messages) in &gaps {
        let shown: Vec<String> = messages.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if messages.len() > SHOWN { " ..." } else { "" };
        let row = Table([Right(8), Share(1)]);
        row.row(out, [&messages.len().to_string(), why])?;
        row.row(out, ["", &format!("{}{more}", shown.join(" "))])?;
    }
    for (media, contents) in &types_not_read {
        Table([Right(8), Share(1)]).row(out, [&contents.to_string(), &Why::TypeOff(media.clone()).to_string()])?;
    }
    if report.not_indexed > 0 {
        out.line(&format!("not indexed yet: {}", counted(report.not_indexed, "content")))?;
    }
    let all = report.user_archives.iter();
    let (messages, bytes) = all.fold((0, 0), |(messages, bytes), one| (messages + one.total_messages, bytes + one.total_bytes));
    count_row(messages, bytes, "in all", out)?;
    Ok(Exit::Done)
}

fn sizes(report: &StatsReport, free: Option<u64>, out: &mut Out) -> Result<(), Failure> {
    let sum = |of: fn(&archive_core::StoreStats) -> u64| report.stores.iter().map(of).sum::<u64>();
    let parts = [
        ("catalog", sum(|store| store.catalog)),
        ("containers", sum(|store| store.containers)),
        ("index", sum(|store| store.index)),
        ("lost_found", report.lost_found),
        ("other", report.other),
        ("records", sum(|store| store.records)),
    ];
    let total: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    out.line(&format!("messages   {}", report.messages))?;
    if report.lost_messages > 0 {
        out.line(&format!("lost       {}, to damage; nothing is left", counted(report.lost_messages, "message")))?;
    }
    if report.deleted_messages > 0 {
        out.line(&format!("deleted    {}; `mailkeep ls --deleted` lists them", counted(report.deleted_messages, "message")))?;
    }
    out.line(&format!("contents   {}", report.contents))?;
    if report.unreferenced_contents > 0 {
        let size = when::size(report.unreferenced_bytes);
        out.line(&format!("  of deleted messages alone {}, {size}", report.unreferenced_contents))?;
    }
    out.line(&format!("parts      {}", report.parts))?;
    out.line(&format!("raw        {}", when::size(report.bytes_raw)))?;
    let ratio = match report.bytes_raw {
        0 => String::new(),
        raw => format!(", {:.1} % of raw", total as f64 * 100.0 / raw as f64),
    };
    out.line(&format!("on disk    {}{ratio}", when::size(total)))?;
    // Bytes put aside are shown only if there are any.
    for (name, bytes) in parts.iter().filter(|(name, bytes)| *name != "lost_found" || *bytes > 0) {
        out.line(&format!("  {name:10} {}", when::size(*bytes)))?;
    }
    match free {
        Some(free) => out.line(&format!("free       {}, on the volume of the archive", when::size(free))),
        None => Ok(()),
    }
}
