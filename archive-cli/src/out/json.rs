//! The JSON lines of docs/CLI.md. Their names are stable.

use std::collections::BTreeMap;

use archive_core::mail::Why;
use archive_core::{AddressInfo, Coverage, DateOrigin, FolderInfo, MessageId, MessageInfo, MessageRecord, Receipt, StatsReport};
use serde_json::{Value, json};

use super::when;
use crate::memory::Verified;

fn addresses(list: &[AddressInfo]) -> Vec<Value> {
    list.iter().map(|one| json!({ "name": one.name, "address": one.address })).collect()
}

/// The date of the mail; null if it has none.
fn date(info: &MessageInfo) -> Option<String> {
    info.date.and_then(when::utc)
}

/// Where the date is from.
fn date_source(info: &MessageInfo) -> &'static str {
    match info.date_origin {
        DateOrigin::Mail => "mail",
        DateOrigin::MboxLine => "mbox_line",
        DateOrigin::MaildirName => "maildir_name",
        DateOrigin::Received => "received",
        DateOrigin::ReceivedField => "received_field",
        DateOrigin::Archiving => "archiving",
        _ => "unknown",
    }
}

/// A message in a list, named by `event`.
pub fn message(event: &str, info: &MessageInfo) -> Value {
    json!({
        "event": event,
        "id": info.id.to_string(),
        "date": date(info),
        "from": addresses(&info.from),
        "to": addresses(&info.to),
        "subject": info.subject,
        "folder": info.folder.to_string(),
        "size": info.size,
        "attachments": info.attachments,
        "archived": when::utc_of_millis(info.archived),
        "date_source": date_source(info),
        "direction": info.direction,
        "importance": info.importance,
    })
}

/// What a search could not look at.
pub fn coverage(coverage: &Coverage) -> Value {
    // All stores of an archive are open, so none is out of reach.
    json!({ "not_indexed": coverage.not_indexed, "undecided": coverage.undecided, "unreachable_stores": [] })
}

/// A line of `import --receipts`.
pub fn receipt(receipt: &Receipt, source: &str) -> Value {
    let outcome = match receipt.outcome() {
        archive_core::Outcome::Stored => "stored",
        _ => "duplicate",
    };
    json!({
        "event": "receipt",
        "source": source,
        "offset": receipt.offset(),
        "id": receipt.id().to_string(),
        "digest": receipt.digest().to_string(),
        "outcome": outcome,
    })
}

/// Everything that the archive knows of a message.
pub fn record(record: &MessageRecord) -> Value {
    let info = &record.info;
    let guesses: Vec<Value> = record.charset_guesses.iter().map(|(place, name)| json!({ "place": place, "charset": name })).collect();
    json!({
        "id": info.id.to_string(),
        "digest": record.digest.to_string(),
        "identity": record.identity.to_string(),
        "restated": record.restated.map(|digest| digest.to_string()),
        "folder": info.folder.to_string(),
        "number_in_folder": info.number_in_folder,
        "direction": info.direction,
        "date": date(info),
        "date_source": date_source(info),
        "archived": when::utc_of_millis(info.archived),
        "size": info.size,
        "from": addresses(&info.from),
        "to": addresses(&info.to),
        "cc": addresses(&record.cc),
        "subject": info.subject,
        "attachments": info.attachments,
        "importance": info.importance,
        "header_message_id": record.header_message_id,
        "list_id": record.list_id,
        "labels": record.labels,
        "store": record.store,
        "content": record.content,
        "container": record.container,
        "offset": record.offset,
        "sequence": record.sequence,
        "source": record.source,
        "source_offset": record.source_offset,
        "from_line": record.from_line.as_deref().map(String::from_utf8_lossy),
        "unquoted": record.unquoted,
        "flags": record.flags,
        "charset_guesses": guesses,
    })
}

/// A folder with its counts.
pub fn folder(info: &FolderInfo) -> Value {
    json!({
        "event": "folder",
        "folder": info.path.to_string(),
        "messages": info.messages,
        "bytes": info.bytes,
        "total_messages": info.total_messages,
        "total_bytes": info.total_bytes,
    })
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
    let sum = |of: fn(&archive_core::StoreStats) -> u64| report.stores.iter().map(of).sum::<u64>();
    let stores: Vec<Value> = report.stores.iter().map(store).collect();
    let archives = report.user_archives.iter();
    let archives: Vec<Value> = archives
        .map(|one| json!({ "name": one.path.to_string(), "messages": one.total_messages, "bytes": one.total_bytes, "folders": one.folders_below + 1 }))
        .collect();
    let folders: Vec<Value> = around
        .folders
        .iter()
        .map(|folder| json!({ "folder": folder.path.to_string(), "messages": folder.messages, "bytes": folder.bytes }))
        .collect();
    let ids = |messages: &[MessageId]| messages.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut not_searchable: Vec<Value> =
        gaps.iter().map(|(why, messages)| json!({ "why": why, "contents": messages.len(), "messages": ids(messages) })).collect();
    let off = around.types_not_read.iter().map(|(media, contents)| (Why::TypeOff(media.clone()), contents));
    not_searchable.extend(off.map(|(why, contents)| json!({ "why": why.to_string(), "contents": contents, "messages": [] })));
    if report.not_indexed > 0 {
        not_searchable.push(json!({ "why": "not indexed yet", "contents": report.not_indexed, "messages": [] }));
    }
    json!({
        "messages": report.messages,
        "lost_messages": report.lost_messages,
        "contents": report.contents,
        "parts": report.parts,
        "bytes_raw": report.bytes_raw,
        "bytes_on_disk": {
            "containers": sum(|store| store.containers),
            "records": sum(|store| store.records),
            "catalog": sum(|store| store.catalog),
            "index": sum(|store| store.index),
            "lost_found": report.lost_found,
            "other": report.other,
        },
        "stores": stores,
        "user_archives": archives,
        "last_archived": report.last_archived.and_then(when::utc_of_millis),
        "last_verify": around.verified.map(|last| json!({ "at": when::utc(last.at), "messages": last.messages, "damaged": last.damaged })),
        "free_bytes": around.free,
        "folders": folders,
        "not_searchable": not_searchable,
    })
}

fn store(store: &archive_core::StoreStats) -> Value {
    json!({
        "number": store.no,
        "name": store.name,
        "messages": store.messages,
        "lost_messages": store.lost_messages,
        "bytes_on_disk": {
            "containers": store.containers,
            "records": store.records,
            "catalog": store.catalog,
            "index": store.index,
            "lost_found": store.lost_found,
        },
        "sequence": store.sequence,
        "head": head(store),
        "damage": store.damage,
    })
}

/// The head of a store: sequence and chain value.
pub fn head(store: &archive_core::StoreStats) -> String {
    let chain: String = store.head.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}:{chain}", store.sequence)
}
