//! The JSON lines of docs/CLI.md: the forms of the library, and what only the command knows.

use std::collections::BTreeMap;

use archive_core::mail::Why;
use archive_core::{FolderInfo, MessageId, Receipt, StatsReport};
use serde::Serialize;
use serde_json::{Value, json};

use super::when;
use crate::memory::Verified;

/// A line of an `event`: the library's form of something, with that name.
pub fn line(event: &str, of: &impl Serialize) -> Value {
    let mut line = json!({ "event": event });
    if let (Value::Object(line), Ok(Value::Object(of))) = (&mut line, serde_json::to_value(of)) {
        line.extend(of);
    }
    line
}

/// A line of `import --receipts`. `source` is its full path.
pub fn receipt(receipt: &Receipt, source: &str) -> Value {
    let mut receipt = line("receipt", receipt);
    receipt["source"] = source.into();
    receipt
}

/// What `stats` reports besides the figures of the archive.
pub struct Around<'a> {
    /// All folders.
    pub folders: &'a [FolderInfo],
    /// The messages that cannot be searched in full, by the reason.
    pub gaps: &'a BTreeMap<String, Vec<MessageId>>,
    /// Media types that searches do not look into, and how many contents have them.
    pub types_not_read: &'a [(String, u64)],
    /// The last verification that was noted.
    pub verified: Option<Verified>,
    /// Bytes that are free on the volume.
    pub free: Option<u64>,
}

/// The answer of `stats`.
pub fn stats(report: &StatsReport, around: &Around<'_>) -> Value {
    let gaps = around.gaps;
    let folders = around.folders.iter();
    let folders: Vec<Value> =
        folders.map(|folder| json!({ "folder": folder.path, "messages": folder.messages, "bytes": folder.bytes })).collect();
    let mut not_searchable: Vec<Value> =
        gaps.iter().map(|(why, messages)| json!({ "why": why, "contents": messages.len(), "messages": messages })).collect();
    let off = around.types_not_read.iter().map(|(media, contents)| (Why::TypeOff(media.clone()), contents));
    not_searchable.extend(off.map(|(why, contents)| json!({ "why": why.to_string(), "contents": contents, "messages": [] })));
    if report.not_indexed > 0 {
        not_searchable.push(json!({ "why": "not indexed yet", "contents": report.not_indexed, "messages": [] }));
    }
    let mut all = json!(report);
    all["last_verify"] =
        json!(around.verified.map(|last| json!({ "at": when::utc(last.at), "messages": last.messages, "damaged": last.damaged })));
    all["free_bytes"] = json!(around.free);
    all["folders"] = folders.into();
    all["not_searchable"] = not_searchable.into();
    all
}
