//! The JSON form of records, lists and reports: one for the command, the C ABI and its bindings.
//!
//! Every object is what [`serde::Serialize`] gives of the type. Names are stable; later versions add names, and a reader
//! passes over those that it does not know. Times are RFC 3339 in UTC, and null where there is none or the calendar has
//! no such time; ids, digests and folders are strings as they are printed.

use std::path::Path;

use jiff::Timestamp;
use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::archive::{
    CheckReport, ClauseReport, ClauseVerdict, CountBy, Counts, Coverage, DeleteReport, DeletedMessage, ExportReport, Finding, FolderInfo,
    FolderReport, ImportPlan, ImportReport, KeyStatus, LostFileInfo, LostMail, LostReport, MovedFolder, NotSearchable, Outcome, Page,
    Receipt, RepairReport, SearchResult, StatsReport, StoreIndex, StoreInfo, Suggestions, UndeleteReport, VerifyReport,
};
use crate::error::{Damage, Error, Remedy};
use crate::folder::FolderPath;
use crate::id::{Digest, Identity, MessageId, Uuid};
use crate::mail::{Part, PartKind, View};
use crate::message::{AddressInfo, DateOrigin, Direction, Importance, MessageInfo, MessageRecord};
use crate::seal::SlotInfo;
use crate::source::{Summary, Trouble};
use crate::store::{CompactReport, Erased, IndexStatus, NotRewritten, Recovery, StoreStats};

/// RFC 3339, UTC.
fn seconds(seconds: impl Into<Option<i64>>) -> Option<String> {
    Timestamp::from_second(seconds.into()?).ok().map(|time| time.to_string())
}

fn millis(millis: impl Into<Option<i64>>) -> Option<String> {
    Timestamp::from_millisecond(millis.into()?).ok().map(|time| time.to_string())
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// Serializes types as what they print.
macro_rules! as_printed {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

as_printed!(MessageId, Digest, Identity, Uuid, FolderPath);

/// Serializes types as JSON values.
macro_rules! as_value {
    ($(fn $type:ident($it:ident) $body:block)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $it = self;
                let value: Value = $body;
                value.serialize(serializer)
            }
        }
    )*};
}

as_value! {
    fn AddressInfo(one) {
        json!({ "name": one.name, "address": one.address })
    }

    fn DateOrigin(origin) {
        json!(match origin {
            DateOrigin::Mail => "mail",
            DateOrigin::MboxLine => "mbox_line",
            DateOrigin::MaildirName => "maildir_name",
            DateOrigin::Received => "received",
            DateOrigin::ReceivedField => "received_field",
            DateOrigin::Archiving => "archiving",
            DateOrigin::Unknown => "unknown",
        })
    }

    fn Direction(direction) {
        json!(direction.name())
    }

    fn Importance(importance) {
        json!(importance.level())
    }

    fn MessageInfo(info) {
        json!({
            "id": info.id,
            "date": seconds(info.date),
            "from": info.from,
            "to": info.to,
            "subject": info.subject,
            "folder": info.folder,
            "number_in_folder": info.number_in_folder,
            "size": info.size,
            "attachments": info.attachments,
            "archived": millis(info.archived),
            "date_source": info.date_origin,
            "direction": info.direction,
            "importance": info.importance,
        })
    }

    fn MessageRecord(record) {
        let mut all = json!(record.info);
        let guesses: Vec<Value> = record.charset_guesses.iter().map(|(place, name)| json!({ "place": place, "charset": name })).collect();
        let more = json!({
            "digest": record.digest,
            "identity": record.identity,
            "restated": record.restated,
            "cc": record.cc,
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
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
        all
    }

    fn FolderInfo(info) {
        json!({
            "folder": info.path,
            "messages": info.messages,
            "bytes": info.bytes,
            "total_messages": info.total_messages,
            "total_bytes": info.total_bytes,
            "folders_below": info.folders_below,
            "epoch": info.epoch,
            "last_number": info.last_number,
        })
    }

    fn MovedFolder(moved) {
        json!({ "from": moved.from, "to": moved.to })
    }

    fn FolderReport(report) {
        json!({ "made": report.made, "moved": report.moved, "removed": report.removed })
    }

    fn Receipt(receipt) {
        let (outcome, restated) = match receipt.outcome() {
            Outcome::Stored => ("stored", false),
            Outcome::Duplicate { restated } => ("duplicate", restated),
        };
        json!({
            "id": receipt.id(),
            "digest": receipt.digest(),
            "outcome": outcome,
            "restated": restated,
            "source": receipt.source(),
            "offset": receipt.offset(),
        })
    }

    fn Trouble(trouble) {
        json!({
            "source": trouble.source,
            "offset": trouble.offset,
            "message": trouble.kind.to_string(),
            "loss": trouble.kind.is_loss(),
        })
    }

    fn ImportReport(report) {
        json!({
            "read": report.read,
            "stored": report.stored,
            "duplicate": report.duplicate,
            "restated": report.restated,
            "failed": report.failed,
            "deleted": report.deleted,
            "incomplete": report.incomplete,
            "skipped_files": report.skipped_files,
            "unsupported_files": report.unsupported_files,
            "bytes_in": report.bytes_in,
            "folder": report.folder,
            "stopped": report.stopped,
        })
    }

    fn Summary(summary) {
        json!({
            "mails": summary.mails,
            "empty": summary.empty,
            "deleted": summary.deleted,
            "incomplete": summary.incomplete,
            "skipped_files": summary.skipped_files,
            "unsupported_files": summary.unsupported_files,
            "losses": summary.losses,
            "bytes": summary.bytes,
            "stopped": summary.stopped,
        })
    }

    fn ImportPlan(plan) {
        let folder = |(folder, messages, bytes): &(FolderPath, u64, u64)| json!({ "folder": folder, "messages": messages, "bytes": bytes });
        json!({ "folders": plan.folders.iter().map(folder).collect::<Vec<_>>(), "source": plan.source })
    }

    fn CheckReport(report) {
        json!({
            "read": report.read,
            "present": report.present,
            "missing": report.missing,
            "failed": report.failed,
            "skipped_files": report.skipped_files,
            "deleted": report.deleted,
            "incomplete": report.incomplete,
        })
    }

    fn ExportReport(report) {
        json!({
            "exported": report.exported,
            "present": report.present,
            "without_record": report.without_record,
            "failed": report.failed,
            "bytes": report.bytes,
            "stopped": report.stopped,
        })
    }

    fn Damage(damage) {
        json!({
            "file": path(&damage.file),
            "offset": damage.offset,
            "length": damage.len,
            "kind": damage.cause.to_string(),
            "contents": damage.costs.iter().map(|no| no.0).collect::<Vec<_>>(),
        })
    }

    fn Remedy(remedy) {
        json!(match remedy {
            Remedy::RebuildIndex => "rebuild_index",
            Remedy::RebuildCatalog => "repair",
        })
    }

    fn Finding(finding) {
        json!({
            "file": path(&finding.file),
            "offset": finding.offset,
            "length": finding.len,
            "kind": finding.cause.to_string(),
            "messages": finding.messages,
            "records": finding.records,
            "remedy": finding.remedy,
        })
    }

    fn VerifyReport(report) {
        json!({
            "files": report.files,
            "bytes": report.bytes,
            "messages": report.messages,
            "lost_messages": report.lost_messages,
            "content_bytes": report.content_bytes,
            "findings": report.findings,
            "healed": report.healed,
            "accepted": report.accepted,
            "foreign": report.foreign.iter().map(|name| path(name)).collect::<Vec<_>>(),
        })
    }

    fn DeleteReport(report) {
        json!({ "deleted": report.deleted, "already_deleted": report.already_deleted })
    }

    fn UndeleteReport(report) {
        json!({ "undeleted": report.undeleted, "not_deleted": report.not_deleted })
    }

    fn DeletedMessage(message) {
        let mut all = json!(message.info);
        let deletion = message.deletion.as_ref();
        let more = json!({
            "deleted": millis(deletion.map(|deletion| deletion.time)),
            "deleted_by": deletion.map(|deletion| &deletion.actor),
            "reason": deletion.map(|deletion| &deletion.reason),
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
        all
    }

    fn RepairReport(report) {
        json!({
            "reason": report.reason,
            "needs_acceptance": report.needs_acceptance,
            "lost_commits": report.lost_commits,
            "recorded_again": report.recorded_again,
            "lost_messages": report.lost_messages,
            "new_tree": report.new_tree,
            "left_out": report.left_out,
        })
    }

    fn Erased(erased) {
        json!({ "messages": erased.messages, "mails": erased.mails, "bytes": erased.bytes, "needed": erased.needed })
    }

    fn NotRewritten(one) {
        json!({ "path": path(&one.path), "why": one.why })
    }

    fn CompactReport(report) {
        json!({
            "erased": report.erased,
            "resumed": report.resumed,
            "containers": report.containers,
            "records": report.records,
            "lost_found": report.lost_found,
            "bytes_before": report.bytes_before,
            "bytes_after": report.bytes_after,
            "left": report.left,
        })
    }

    fn Recovery(recovery) {
        json!({ "bytes_put_aside": recovery.bytes_put_aside, "commit_taken_over": recovery.commit_taken_over })
    }

    fn StoreStats(store) {
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
            "head": store.head_text(),
            "damage": store.damage,
        })
    }

    fn StoreInfo(store) {
        json!({
            "number": store.no,
            "name": store.name,
            "id": store.id,
            "state": store.state.name(),
            "open": store.is_open(),
            "error": store.error,
            "error_code": store.error_code,
            "dir": path(&store.dir),
            "content_dir": path(&store.content_dir),
            "index_dir": path(&store.index_dir),
            "stats": store.stats,
        })
    }

    fn StatsReport(report) {
        let sum = |of: fn(&StoreStats) -> u64| report.stores.iter().map(of).sum::<u64>();
        let archives = report.user_archives.iter().map(|one| {
            json!({ "name": one.path, "messages": one.total_messages, "bytes": one.total_bytes, "folders": one.folders_below + 1 })
        });
        json!({
            "messages": report.messages,
            "lost_messages": report.lost_messages,
            "deleted_messages": report.deleted_messages,
            "contents": report.contents,
            "unreferenced_contents": report.unreferenced_contents,
            "unreferenced_bytes": report.unreferenced_bytes,
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
            "stores": report.stores,
            "user_archives": archives.collect::<Vec<_>>(),
            "last_archived": millis(report.last_archived),
            "undecided": report.undecided,
            "not_indexed": report.not_indexed,
        })
    }

    fn NotSearchable(gap) {
        json!({ "message": gap.message, "part": gap.part, "why": gap.why.to_string() })
    }

    fn LostReport(report) {
        json!({ "mails": report.mails, "too_large": report.too_large, "incomplete": report.incomplete })
    }

    fn LostFileInfo(file) {
        let LostReport { mails, too_large, incomplete } = file.found;
        json!({
            "file": path(&file.path),
            "store": file.store,
            "bytes": file.bytes,
            "mails": mails,
            "too_large": too_large,
            "incomplete": incomplete,
        })
    }

    fn LostMail(mail) {
        // Its bytes are not text.
        json!({
            "file": path(&mail.file),
            "number": mail.number,
            "folder": mail.folder,
            "digest": mail.digest,
            "size": mail.bytes.len(),
            "archived": mail.archived,
        })
    }

    fn SlotInfo(slot) {
        json!({ "slot": slot.id, "kind": slot.kind.name(), "made": seconds(slot.made) })
    }

    fn KeyStatus(status) {
        json!({
            "slots": status.slots,
            "recovery_identifier": status.recovery_identifier,
            "recovery_key": if status.recovery_confirmed { "confirmed" } else { "unconfirmed" },
        })
    }

    fn IndexStatus(status) {
        json!(status.name())
    }

    fn StoreIndex(index) {
        json!({
            "store": index.store,
            "folder": index.folder,
            "messages": index.messages,
            "size": index.size,
            "status": index.status,
            "selected_for_rebuild": index.selected_for_rebuild,
        })
    }

    fn Coverage(coverage) {
        json!({
            "not_indexed": coverage.not_indexed,
            "undecided": coverage.undecided,
            "unreachable_stores": coverage.unreachable_stores,
        })
    }

    fn CountBy(by) {
        json!(by.name())
    }

    fn Counts(counts) {
        json!({ "by": counts.by, "rows": counts.rows })
    }

    fn Suggestions(suggestions) {
        json!({ "clause": suggestions.clause, "completion": suggestions.completion, "words": suggestions.words })
    }

    fn SearchResult(found) {
        let ranges = |ranges: &[std::ops::Range<usize>]| ranges.iter().map(|range| [range.start, range.end]).collect::<Vec<_>>();
        let snippets = found.snippets.iter().map(|snippet| {
            snippet.as_ref().map(|snippet| json!({ "field": snippet.field, "text": snippet.text, "ranges": ranges(&snippet.ranges) }))
        });
        json!({
            "total": found.total,
            "contents": found.contents,
            "hits": found.hits,
            "also": found.also,
            "cursor": found.cursor,
            "coverage": found.coverage,
            "counts": found.counts,
            "snippets": snippets.collect::<Vec<_>>(),
            "subject_words": found.subject_words.iter().map(|words| ranges(words)).collect::<Vec<_>>(),
            "suggestions": found.suggestions,
            "notices": found.notices,
        })
    }

    fn ClauseReport(clause) {
        json!({ "clause": clause.clause, "messages": clause.messages, "words": clause.words, "all_words": clause.all_words })
    }

    fn ClauseVerdict(verdict) {
        json!({ "clause": verdict.clause, "met": verdict.met, "fields": verdict.fields })
    }

    fn Part(part) {
        json!({
            "number": part.number,
            "parent": part.parent,
            "within": part.within,
            "kind": match part.kind {
                PartKind::Multipart => "multipart",
                PartKind::Mail => "mail",
                PartKind::Leaf => "leaf",
            },
            "type": part.media,
            "name": part.name,
            "subject": part.subject,
            "size": part.size,
            "attachment": part.is_attachment,
            "text": part.text.as_ref().map(|text| &text.text),
            "text_left_out": part.text.as_ref().map(|text| text.left_out),
        })
    }

    fn View(view) {
        json!({ "header": view.header, "parts": view.parts, "cut": view.is_cut })
    }

    fn Error(error) {
        let mut form = json!({ "code": error.code(), "message": error.to_string(), "retryable": error.is_retryable() });
        let context = match error {
            Error::Io(io) | Error::CachesLag(io) => json!({ "file": path(&io.path), "system_error": io.source.raw_os_error() }),
            Error::Damage(damage) => json!({ "damage": damage }),
            Error::Misuse { what, expected } => json!({ "what": what, "expected": expected }),
            Error::Query { range: Some(range), .. } => json!({ "start": range.start, "end": range.end }),
            Error::NoSuchMessage(id) => json!({ "id": id }),
            Error::NoSuchPart { message, part } => json!({ "id": message, "part": part }),
            Error::AmbiguousFolder { path, folders } => json!({ "folder": path, "folders": folders }),
            Error::NoSuchFolder(folder) | Error::FolderExists(folder) => json!({ "folder": folder }),
            Error::StoreNotOpen { store, why } => json!({ "store": store, "why": why.code() }),
            Error::StoreWriteProtected { store } | Error::StoreBusy { store } | Error::StoreExists(store) => json!({ "store": store }),
            Error::FolderNotEmpty { path, messages } => json!({ "folder": path, "messages": messages }),
            Error::NotAnArchive { path: file, .. }
            | Error::BrokenIdentity { path: file }
            | Error::IdentityOlder { path: file, .. }
            | Error::IdentityChanged { path: file, .. }
            | Error::TooNew { path: file, .. }
            | Error::TooOld { path: file, .. }
            | Error::InUse { path: file, .. }
            | Error::LockLost { path: file }
            | Error::Unfinished { path: file }
            | Error::Exists { path: file, .. }
            | Error::StoreMissing { path: file, .. }
            | Error::NotAStore { path: file, .. }
            | Error::Source { path: file, .. } => json!({ "file": path(file) }),
            _ => json!({}),
        };
        if let (Value::Object(form), Value::Object(context)) = (&mut form, context) {
            form.extend(context);
        }
        form
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Form<'p, T> {
            items: &'p [T],
            cursor: Option<&'p str>,
        }
        Form { items: &self.items, cursor: self.cursor.as_deref() }.serialize(serializer)
    }
}
