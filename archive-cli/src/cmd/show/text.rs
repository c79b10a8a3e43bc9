//! A mail as a person reads it: headers that matter, text, and the list of its parts.

use archive_core::mail::{Part, PartKind, View};
use archive_core::{MessageId, Session};
use serde_json::{Value, json as object};
use unicode_width::UnicodeWidthStr;

use crate::failure::{Exit, Failure};
use crate::out::{Out, counted, escape, json, table, when};

/// With less room than this for the name of a part, its type is cut too.
const LEAST_OF_A_NAME: usize = 8;
/// Header fields that a reader wants to see, in this order.
const SHOWN: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];

pub fn run(session: &Session, id: MessageId, view: &View, labels: &[String], out: &mut Out) -> Result<Exit, Failure> {
    let info = session.message(id)?;
    if out.is_json() {
        return out.json(&mail(json::line("mail", &info), view, labels)).map(|()| Exit::Done);
    }
    for name in SHOWN {
        if let Some(value) = view.field(name) {
            out.heading(&format!("{name}: {}", escape::line(value)))?;
        }
    }
    out.line(&format!("Folder: {}", escape::line(&info.folder.to_string())))?;
    if !labels.is_empty() {
        let quoted = labels.iter().map(|label| if label.contains(',') { format!("\"{label}\"") } else { label.clone() });
        out.line(&format!("Labels: {}", escape::line(&quoted.collect::<Vec<_>>().join(", "))))?;
    }
    out.line("")?;
    texts(id, view, out)?;
    list(view, out)?;
    Ok(Exit::Done)
}

fn mail(mut mail: Value, view: &View, labels: &[String]) -> Value {
    let texts = || view.parts.iter().filter_map(|part| part.text.as_ref());
    let header: Vec<_> = view.header.iter().map(|(name, value)| object!({ "name": name, "value": value })).collect();
    let parts: Vec<_> = bodies(view)
        .map(|part| {
            object!({ "part": part.number, "within": part.within, "type": part.media, "name": name(part), "size": part.size,
                "attachment": part.is_attachment, "shown": part.text.is_some() })
        })
        .collect();
    if let Some(mail) = mail.as_object_mut() {
        let text: Vec<&str> = texts().map(|text| text.text.as_str()).filter(|text| !text.is_empty()).collect();
        mail.insert("labels".to_owned(), labels.into());
        mail.insert("header".to_owned(), header.into());
        mail.insert("text".to_owned(), text.join("\n").into());
        mail.insert("text_left_out".to_owned(), texts().map(|text| text.left_out).sum::<u64>().into());
        mail.insert("parts".to_owned(), parts.into());
        mail.insert("is_cut".to_owned(), view.is_cut.into());
    }
    mail
}

/// All parts that have bytes.
fn bodies(view: &View) -> impl Iterator<Item = &Part> {
    view.parts.iter().filter(|part| part.kind != PartKind::Multipart)
}

/// The name of a part; for a nested mail without one, the name under which it is saved.
fn name(part: &Part) -> Option<String> {
    let of_subject = || (part.kind == PartKind::Mail && part.subject.is_some()).then(|| part.file_name());
    part.name.clone().or_else(of_subject)
}

fn texts(id: MessageId, view: &View, out: &mut Out) -> Result<(), Failure> {
    let (mut parts_left, mut bytes_left) = (0, 0);
    for part in &view.parts {
        let Some(text) = &part.text else { continue };
        if text.text.is_empty() && text.left_out > 0 {
            parts_left += 1;
            bytes_left += text.left_out;
            continue;
        }
        out.line(escape::text(&text.text).trim_end())?;
        if text.left_out > 0 {
            let (number, left) = (part.number, when::size(text.left_out));
            out.line(&format!("[{left} of the text of part {number} left out; `mailkeep show {id} --part {number}` has all of it]"))?;
        }
    }
    if parts_left > 0 {
        let left = when::size(bytes_left);
        out.line(&format!("[the text of {} is left out, {left}; `mailkeep show {id} --part N` has it]", counted(parts_left, "more part")))?;
    }
    Ok(())
}

/// Lists the parts with their numbers, those of a nested mail below it. For a mail that is a single text, nothing is
/// listed.
fn list(view: &View, out: &mut Out) -> Result<(), Failure> {
    if bodies(view).all(|part| part.number == 0 && part.text.is_some()) {
        return Ok(());
    }
    if view.parts.iter().any(|part| part.text.is_some()) {
        out.line("")?;
    }
    // The mails around the current part.
    let mut around: Vec<u32> = Vec::new();
    for part in bodies(view) {
        let depth = part.within.and_then(|within| around.iter().position(|at| *at == within)).map_or(0, |at| at + 1);
        around.truncate(depth);
        around.push(part.number);
        let start = format!("{:indent$}[part {}:", "", part.number, indent = 2 * depth);
        let name = name(part).map(|name| escape::line(&name));
        let end = format!(", {}]", when::size(part.size));
        out.line(&part_line(&start, name, &escape::line(&part.media), &end, out.width()))?;
    }
    Ok(())
}

/// The line of a part, within `width`: the name is cut first, then the type, and never the number or the size.
fn part_line(start: &str, name: Option<String>, media: &str, end: &str, width: Option<usize>) -> String {
    let name = name.map(|name| format!("{name},"));
    let Some(width) = width else {
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        return format!("{start}{name} {media}{end}");
    };
    let room = width.saturating_sub(start.width() + end.width() + 1);
    let for_name = room.saturating_sub(media.width() + 1);
    let about = match name {
        Some(name) if for_name >= LEAST_OF_A_NAME || name.width() <= for_name => format!("{} {media}", table::cut(&name, for_name)),
        Some(name) => format!("{name} {media}"),
        None => media.to_owned(),
    };
    format!("{start} {}{end}", table::cut(&about, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_part_fits_the_terminal() {
        let line = |name: Option<&str>, width| part_line("  [part 12:", name.map(str::to_owned), "application/pdf", ", 4 B]", width);
        let long = "Angebot für die Brücke über den Fluss.pdf";
        assert_eq!(line(Some("a.pdf"), None), "  [part 12: a.pdf, application/pdf, 4 B]");
        assert_eq!(line(Some(long), None), format!("  [part 12: {long}, application/pdf, 4 B]"));
        assert_eq!(line(Some("a.pdf"), Some(40)), "  [part 12: a.pdf, application/pdf, 4 B]");
        assert_eq!(line(Some(long), Some(50)), "  [part 12: Angebot für die… application/pdf, 4 B]");
        assert_eq!(line(Some(long), Some(40)), "  [part 12: Angebot für die Brück…, 4 B]");
        for width in [20, 30, 40, 50, 60, 80] {
            for name in [None, Some("a.pdf"), Some(long), Some("会議の議事録.pdf")] {
                let line = line(name, Some(width));
                assert!(line.width() <= width && line.ends_with(", 4 B]"), "{width}: {line}");
            }
        }
    }
}
