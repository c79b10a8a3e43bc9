//! `stats`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use archive_core::{Archive, MessageId};

use super::system;
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::out::table::Table;
use crate::out::{Out, escape, json, when};

/// Messages of a kind that are shown; `--json` has all.
const SHOWN: usize = 5;

pub fn run(archive: &Archive, out: &mut Out) -> Result<Exit, Failure> {
    let report = system(archive).stats()?;
    let mut gaps: BTreeMap<String, Vec<MessageId>> = BTreeMap::new();
    system(archive).not_searchable(&mut |gap| {
        let messages = gaps.entry(gap.why.to_string()).or_default();
        if messages.last() != Some(&gap.message) {
            messages.push(gap.message);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let value = json::stats(&report, &gaps);
    if out.is_json() {
        out.json(&value)?;
        return Ok(Exit::Done);
    }
    let on_disk = value.get("bytes_on_disk").and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    let total: u64 = on_disk.values().filter_map(serde_json::Value::as_u64).sum();
    out.line(&format!("messages   {}", report.messages))?;
    if report.lost_messages > 0 {
        out.line(&format!("lost       {} messages, to damage; nothing is left of them", report.lost_messages))?;
    }
    out.line(&format!("contents   {}", report.contents))?;
    out.line(&format!("parts      {}", report.parts))?;
    out.line(&format!("raw        {}", when::size(report.bytes_raw)))?;
    let ratio = match report.bytes_raw {
        0 => String::new(),
        raw => format!(", {:.1} % of raw", total as f64 * 100.0 / raw as f64),
    };
    out.line(&format!("on disk    {}{ratio}", when::size(total)))?;
    // What was put aside is named where there is any.
    for (name, bytes) in on_disk.iter().filter(|(name, _)| *name != "lost_found" || report.lost_found > 0) {
        out.line(&format!("  {name:10} {}", when::size(bytes.as_u64().unwrap_or_default())))?;
    }
    out.heading("stores")?;
    for store in &report.stores {
        out.line(&format!("  {}: {} messages, head {}", escape::line(&store.name), store.messages, json::head(store)))?;
        if let Some(damage) = &store.damage {
            out.line(&format!("    takes no mail: {}", escape::line(damage)))?;
        }
    }
    out.heading("folders")?;
    let table = Table::new([-8, -10, 0]);
    for folder in &report.folders {
        table.row(out, [&folder.messages.to_string(), &when::size(folder.bytes), &folder.path.to_string()])?;
    }
    if !gaps.is_empty() {
        out.heading("not searchable in full")?;
    }
    for (why, messages) in &gaps {
        let shown: Vec<String> = messages.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if messages.len() > SHOWN { " ..." } else { "" };
        out.line(&format!("  {} contents: {} ({}{more})", messages.len(), escape::line(why), shown.join(" ")))?;
    }
    if report.not_indexed > 0 {
        out.line(&format!("not searchable: {} contents are not indexed yet", report.not_indexed))?;
    }
    keys::warn_unconfirmed(archive, out)?;
    Ok(Exit::Done)
}
