//! One mail, as both read it, and where they differ.

use archive_core::mail::media::{LineEnd, fields};
use archive_core::mail::text::{Field, extract};
use archive_core::mail::{Part, View, examine, view};
use mail_parser::decoders::html::html_to_text;
use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};

/// Larger mails are not compared.
pub const MOST_BYTES: usize = 8 << 20;
/// Nor are those whose parts lie deeper in each other.
const MOST_DEPTH: usize = 12;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The subject.
    Subject,
    /// The name of the first sender.
    Name,
    /// The address of the first sender.
    Address,
    /// The date in seconds since 1970.
    Date,
    /// The file names of the outermost mail's parts, in their order.
    FileNames,
    /// The media types of those parts of the outermost mail that are attachments, in their order.
    Attachments,
    /// The words of plain text in the body, in their order.
    Text,
    /// Words of a body with HTML that mail-parser finds and we do not; ours are all of our words without blanks.
    Html,
}

/// Something that is read in two ways.
pub struct Difference<'m> {
    /// What.
    pub aspect: Aspect,
    /// As we read it.
    pub ours: String,
    /// As mail-parser reads it.
    pub theirs: String,
    /// The mail.
    pub raw: &'m [u8],
    /// As we show it.
    pub view: &'m View,
    /// The values of the fields that the aspect is read from, in their order, as they stand in the mail.
    pub fields: Vec<Vec<u8>>,
}

/// The outcome for a mail.
pub enum Compared {
    /// Where the two differ, handed to the visitor.
    Done,
    /// It was not compared, and why.
    Skipped(&'static str),
}

/// Compares how a mail is read.
pub fn compare(raw: &[u8], found: &mut dyn FnMut(&Difference<'_>)) -> Compared {
    if raw.len() > MOST_BYTES {
        return Compared::Skipped("above 8 MiB");
    }
    let view = view(raw, &[]);
    if view.parts.iter().any(|part| depth(&view, part) > MOST_DEPTH) {
        return Compared::Skipped("parts nested deeper than 12");
    }
    let Ok(message) = std::panic::catch_unwind(|| MessageParser::default().parse(raw)) else {
        return Compared::Skipped("mail-parser panics");
    };
    let Some(message) = message else {
        return Compared::Skipped("mail-parser takes it for no mail");
    };
    let facts = examine(raw).facts;
    let sender = facts.from.first().cloned().unwrap_or_default();
    let their_sender = message.from().and_then(|from| from.first());
    let their_date = message.date().filter(|date| date.is_valid());
    let mut check = |aspect, names: &[&str], ours: String, theirs: String| {
        if ours != theirs {
            found(&Difference { aspect, ours, theirs, raw, view: &view, fields: values(raw, names) });
        }
    };
    check(Aspect::Subject, &["Subject"], plain(&facts.subject), plain(message.subject().unwrap_or_default()));
    check(Aspect::Name, &["From"], plain(&sender.name), plain(their_sender.and_then(|sender| sender.name()).unwrap_or_default()));
    check(Aspect::Address, &["From"], plain(&sender.address), plain(their_sender.and_then(|sender| sender.address()).unwrap_or_default()));
    check(Aspect::Date, &["Date"], shown(facts.date), shown(their_date.map(|date| date.to_timestamp())));
    let ours: Vec<&Part> = view.parts.iter().filter(|part| part.within.is_none()).collect();
    let names = ours.iter().filter_map(|part| part.name.as_deref());
    let their_names = message.parts.iter().filter_map(MimeHeaders::attachment_name);
    check(Aspect::FileNames, &[], listed(names), listed(their_names));
    let attached = ours.iter().filter(|part| part.is_attachment).map(|part| part.media.as_str());
    let theirs_attached: Vec<_> = message.parts.iter().filter(is_attachment).map(media).collect();
    check(Aspect::Attachments, &[], listed(attached), listed(theirs_attached.iter().map(String::as_str)));

    let text = extract(raw, &[]);
    let body =
        text.values.iter().filter(|value| value.field == Field::Bcontent).map(|value| value.text.as_str()).collect::<Vec<_>>().join("\n");
    let is_html = ours.iter().any(|part| part.media == "text/html");
    let bodies = message.parts.iter().filter(|part| !is_attachment(part));
    let theirs: Vec<String> = bodies.filter_map(body_text).collect();
    let (body, theirs) = (words(&body), words(&theirs.join("\n")));
    if is_html {
        let known: std::collections::HashSet<_> = body.iter().collect();
        let missing: Vec<_> = theirs.iter().filter(|word| !known.contains(word)).cloned().collect();
        if !missing.is_empty() {
            check(Aspect::Html, &[], body.concat(), missing.join(" "));
        }
    } else {
        let (ours, theirs) = apart(&body, &theirs);
        check(Aspect::Text, &[], ours, theirs);
    }
    Compared::Done
}

/// A part that is no body: marked as an attachment, named, a mail, or no text.
fn is_attachment(part: &&MessagePart<'_>) -> bool {
    let marked = part.content_disposition().is_some_and(|disposition| disposition.is_attachment());
    match &part.body {
        PartType::Multipart(_) => false,
        PartType::Text(_) | PartType::Html(_) => marked || part.attachment_name().is_some_and(|name| !name.is_empty()),
        _ => true,
    }
}

/// `type/subtype`, where nothing is said that of what mail-parser takes the part for.
fn media(part: &MessagePart<'_>) -> String {
    let said = part.content_type().map(|content| format!("{}/{}", content.ctype(), content.subtype().unwrap_or_default()));
    let taken = if part.is_message() { "message/rfc822" } else { "text/plain" };
    said.map_or_else(|| taken.to_owned(), |said| said.to_ascii_lowercase())
}

fn body_text(part: &MessagePart<'_>) -> Option<String> {
    match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        PartType::Html(html) => Some(html_to_text(&without_style(html))),
        _ => None,
    }
}

/// HTML without what stands in `style`, which mail-parser takes for text.
fn without_style(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let (mut kept, mut at) = (String::new(), 0);
    while let Some(begin) = lower[at..].find("<style").map(|begin| at + begin) {
        kept.push_str(&html[at..begin]);
        at = lower[begin..].find("</style").map_or(html.len(), |end| begin + end);
    }
    kept + &html[at..]
}

fn depth(view: &View, part: &Part) -> usize {
    std::iter::successors(part.parent, |at| view.part(*at)?.parent).count()
}

/// The values of these fields of the outermost header.
pub fn values(raw: &[u8], names: &[&str]) -> Vec<Vec<u8>> {
    fields(header(raw), LineEnd::Lf)
        .filter(|field| names.iter().any(|name| field.is(name)))
        .map(|field| field.value().into_owned())
        .collect()
}

/// The outermost header block, or all.
pub fn header(raw: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\n" || line == b"\r\n" {
            break;
        }
        at += line.len();
    }
    &raw[..at]
}

/// White is one blank.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(date: Option<i64>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(plain).filter(|name| !name.is_empty()).collect::<Vec<_>>().join("\n")
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What is left of two lists of words when what both begin and end with is taken away.
fn apart(ours: &[String], theirs: &[String]) -> (String, String) {
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let (ours, theirs) = (&ours[same..], &theirs[same..]);
    let same = ours.iter().rev().zip(theirs.iter().rev()).take_while(|(a, b)| a == b).count();
    (ours[..ours.len() - same].join(" "), theirs[..theirs.len() - same].join(" "))
}
