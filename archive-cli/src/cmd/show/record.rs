//! What the archive knows of a mail, in labelled lines.

use archive_core::MessageRecord;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::out::{Out, escape, when};

/// Width of the labels.
const LABEL: usize = 18;
/// What people look for first, in this order; everything else follows.
const FIRST: [&str; 17] = [
    "id",
    "folder",
    "number_in_folder",
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "date_source",
    "archived",
    "size",
    "attachments",
    "importance",
    "labels",
    "source",
    "source_offset",
    "flags",
];

pub fn print(record: &MessageRecord, out: &mut Out) -> Result<(), Failure> {
    let value = json!(record);
    if out.is_json() {
        return out.json(&value);
    }
    let all = value.as_object();
    let first = FIRST.iter().filter_map(|name| all?.get_key_value(*name));
    let rest = all.into_iter().flatten().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    for (name, value) in first.chain(rest) {
        let text = match name.as_str() {
            "date" => record.info.date.map(|date| when::local(date, out.zone())),
            "archived" => Some(when::local(record.info.archived.div_euclid(1000), out.zone())),
            "size" => Some(size(record.info.size)),
            "date_source" => value.as_str().map(|source| source.replace('_', " ")),
            "importance" => Some(importance(value).to_owned()),
            "charset_guesses" => guesses(record),
            _ => readable(value),
        };
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            out.line(&format!("{:LABEL$} {}", name.replace('_', " "), escape::line(&text)))?;
        }
    }
    Ok(())
}

fn size(bytes: u64) -> String {
    if bytes < 1024 { when::size(bytes) } else { format!("{} ({bytes} bytes)", when::size(bytes)) }
}

fn importance(value: &Value) -> &'static str {
    match value.as_i64() {
        Some(..=-1) => "low",
        Some(1..) => "high",
        _ => "normal",
    }
}

/// Where a charset was guessed, and which.
fn guesses(record: &MessageRecord) -> Option<String> {
    let place = |at: u32| format!("{} of part {}", if at.is_multiple_of(2) { "header" } else { "text" }, at / 2);
    let guesses = record.charset_guesses.iter().map(|(at, name)| format!("{name} in the {}", place(*at)));
    Some(guesses.collect::<Vec<_>>().join("; "))
}

/// A value without the syntax of JSON; `None` if it is empty.
fn readable(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(is) => Some(if *is { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(list.iter().filter_map(readable).collect::<Vec<_>>().join(", ")),
        Value::Object(one) => {
            let said = |name: &str| one.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            match (said("name"), said("address")) {
                (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
                (name, address) => name.or(address).map(str::to_owned),
            }
        }
    }
}
