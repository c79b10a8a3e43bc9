//! Why mail-parser reads some mails in another way.

use archive_core::mail::examine;
use archive_core::mail::text::extract;

use super::read::Aspect::{Address, Attachments, Date, FileNames, Html, Name, Subject, Text};
use super::read::{Aspect, Difference, values};
use super::single::SINGLE;

/// A known difference of opinion.
pub struct Reason {
    /// In words.
    pub words: &'static str,
    /// Where it shows.
    pub aspects: &'static [Aspect],
    /// Whether it explains a difference.
    pub holds: fn(&Difference<'_>) -> bool,
}

/// The first that holds counts.
pub const REASONS: &[Reason] = &[
    Reason {
        words: "of several fields of a name we take the first, mail-parser the last",
        aspects: &[Subject, Name, Address, Date],
        holds: |d| d.fields.len() > 1 && d.fields.last().is_some_and(|last| of_field(d.aspect, last) == d.theirs),
    },
    Reason {
        words: "addresses as archives of lists write them, `anna at example.org`, are names to mail-parser",
        aspects: &[Name, Address],
        holds: |d| {
            holds(d, b" at ") && !holds(d, b">,") && (holds(d, b"(") || !holds(d, b"<")) && (d.aspect == Name || d.theirs.is_empty())
        },
    },
    Reason {
        words: "an encoded word that is cut off is read by us alone",
        aspects: &[Subject],
        holds: |d| d.theirs.contains("=?") && !d.ours.contains("=?"),
    },
    Reason {
        words: "a comma or semicolon in the name of a sender is not the end of a mailbox to us",
        aspects: &[Name, Address],
        holds: |d| (holds(d, b",") || holds(d, b";")) && holds(d, b"<") && (d.theirs.is_empty() || d.ours.starts_with(&d.theirs)),
    },
    Reason {
        words: "we guess the charset of bytes without a label, mail-parser reads them as UTF-8",
        aspects: &[Subject, Name, Address, FileNames, Text, Html],
        holds: |d| !extract(d.raw, &[]).guesses.is_empty(),
    },
    Reason {
        words: "we find ISO-2022-JP without a label",
        aspects: &[Subject, Name, FileNames, Text],
        holds: |d| has(d.raw, b"\x1b$B") && !d.ours.contains('\u{fffd}'),
    },
    Reason {
        words: "mail-parser decodes each encoded word and each segment of a name by itself, also where characters are cut",
        aspects: &[Subject, Name, FileNames],
        holds: |d| d.theirs.contains('\u{fffd}') && !d.ours.contains('\u{fffd}'),
    },
    Reason {
        words: "we keep 1 KiB of a subject",
        aspects: &[Subject],
        holds: |d| d.fields.iter().any(|value| value.len() > 1024) && without_white(&d.theirs).starts_with(&without_white(&d.ours)),
    },
    Reason {
        words: "mail-parser does not decode base64 that ends with other lines",
        aspects: &[Text, Html],
        holds: |d| {
            has(&d.raw.to_ascii_lowercase(), b"base64") && d.theirs.split(' ').any(|word| word.len() > 40) && !d.ours.contains(&d.theirs)
        },
    },
    Reason {
        words: "a From field that swallowed other fields: the names of groups in it are not the same",
        aspects: &[Name, Address],
        holds: |d| holds(d, b":") && !holds(d, b":;"),
    },
    Reason {
        words: "mail-parser knows no lines that end with CR",
        aspects: &[Subject, Name, Address, Date, FileNames, Attachments, Text],
        holds: |d| !d.raw.contains(&b'\n'),
    },
    Reason {
        words: "of several addresses in brackets in one entry we take the first, mail-parser joins them or reads them as one name",
        aspects: &[Name, Address],
        holds: |d| d.fields.iter().any(|value| value.iter().filter(|byte| **byte == b'<').count() > 1),
    },
    Reason {
        words: "a word without an @ beside a comment is a name to us, an address to mail-parser",
        aspects: &[Address],
        holds: |d| d.ours.is_empty() && !d.theirs.contains('@'),
    },
    Reason {
        words: "we keep comments in an address in brackets, mail-parser takes them for a name",
        aspects: &[Name, Address],
        holds: |d| holds(d, b"<") && holds(d, b"(") && (d.ours.contains('(') || d.ours.is_empty()),
    },
    Reason {
        words: "zones with a name, and halves of a day, that mail-parser does not know",
        aspects: &[Date],
        holds: |d| {
            let seconds = |date: &str| date.parse::<i64>().ok();
            let apart = seconds(&d.ours).zip(seconds(&d.theirs)).map_or(1, |(ours, theirs)| ours - theirs);
            let is_named = |value: &Vec<u8>| value.trim_ascii_end().last().is_some_and(u8::is_ascii_alphabetic) || has(value, b"GMT+");
            apart % 1800 == 0 && d.fields.first().is_some_and(is_named)
        },
    },
    Reason {
        words: "UTF-7 and other charsets that mail-parser has no decoder for",
        aspects: &[Subject, Name, Text],
        holds: |d| {
            let raw = d.raw.to_ascii_lowercase();
            [&b"utf-7"[..], b"unicodebig", b"cp932"].iter().any(|label| has(&raw, label))
        },
    },
    Reason {
        words: "in an address with blanks we take what has an @, mail-parser takes all",
        aspects: &[Address],
        holds: |d| d.theirs.split(' ').count() > 1 && d.theirs.split(' ').any(|word| word == d.ours),
    },
    Reason {
        words: "where an address has a comment, what stands beside it is our name, the comment that of mail-parser",
        aspects: &[Name],
        holds: |d| !holds(d, b"<") && (holds(d, format!("({})", d.theirs).as_bytes()) || holds(d, b"(=?")),
    },
    Reason {
        words: "where an address stands without brackets, mail-parser takes no words before it for a name",
        aspects: &[Name],
        holds: |d| !holds(d, b"<") && d.theirs.is_empty(),
    },
    Reason {
        words: "us-ascii is no label to us, so that text is UTF-8 where it can be; mail-parser takes it for windows-1252",
        aspects: &[Text, Html],
        holds: |d| has(&d.raw.to_ascii_lowercase(), b"ascii") && d.theirs.contains(['Ã', 'Â', 'â']),
    },
    Reason {
        words: "mail-parser puts a blank between an encoded word and what follows it directly",
        aspects: &[Subject, Name, FileNames],
        holds: |d| has(d.raw, b"=?") && without_white(&d.ours) == without_white(&d.theirs),
    },
    Reason {
        words: "mail-parser takes a comment into the name",
        aspects: &[Name],
        holds: |d| d.theirs.strip_prefix(&d.ours).is_some_and(|rest| rest.starts_with(" (")),
    },
    Reason {
        words: "mail-parser does not separate the words of all cells and lists",
        aspects: &[Html],
        holds: |d| d.theirs.split(' ').all(|word| d.ours.contains(word)),
    },
    Reason {
        words: "we take the text of reports for text, mail-parser takes them for files",
        aspects: &[Attachments],
        holds: |d| {
            let rest = without(&d.theirs, is_report);
            rest == d.ours && rest != d.theirs
        },
    },
    Reason {
        words: "the text of reports is searched, mail-parser does not decode it",
        aspects: &[Text],
        holds: |d| d.theirs.is_empty() && d.view.parts.iter().any(|part| is_report(&part.media)),
    },
    Reason {
        words: "text that is not read (richtext, enriched, rtf) is a file to us, text to mail-parser",
        aspects: &[Attachments, Text],
        holds: |d| {
            let is_rich = |media: &str| ["text/richtext", "text/enriched", "text/rtf"].contains(&media);
            match d.aspect {
                Attachments => without(&d.ours, is_rich) == d.theirs && d.ours != d.theirs,
                _ => d.ours.is_empty() && d.view.parts.iter().any(|part| is_rich(&part.media)),
            }
        },
    },
    Reason {
        words: "a multipart whose parts cannot be told, or a type without a subtype, is text to us and a file to mail-parser",
        aspects: &[Attachments, Text],
        holds: |d| match d.aspect {
            Text => {
                d.theirs.is_empty()
                    && d.view.parts.len() == 1
                    && values(d.raw, &["Content-Type"]).iter().any(|said| has(said, b"multipart"))
            }
            _ => without(&d.theirs, |media| media.starts_with("multipart/") || media.ends_with('/')) == d.ours,
        },
    },
    Reason {
        words: "mail-parser reads no date without a zone, before its year has come, or in words of its own; we do",
        aspects: &[Date],
        holds: |d| d.theirs.is_empty() && !d.ours.is_empty(),
    },
    Reason {
        words: "mail-parser drops every backslash of a quoted name, we only those that escape",
        aspects: &[FileNames],
        holds: |d| d.ours.replace('\\', "") == d.theirs && d.ours != d.theirs,
    },
];

/// Without the lines that are so.
fn without(lines: &str, so: impl Fn(&str) -> bool) -> String {
    lines.lines().filter(|line| !so(line)).collect::<Vec<_>>().join("\n")
}

fn is_report(media: &str) -> bool {
    let kind = media.strip_prefix("message/").map(|kind| kind.strip_prefix("global-").unwrap_or(kind));
    kind.is_some_and(|kind| ["delivery-status", "disposition-notification", "feedback-report", "headers"].contains(&kind))
}

/// Whether a difference that this mail alone has is known.
pub fn single(place: &str, aspect: Aspect) -> Option<usize> {
    let is_whole = |rest: &str| rest.is_empty() || rest.starts_with([' ', 'P']);
    let is_of = |mail: &str| place.split_once(mail).is_some_and(|(_, rest)| is_whole(rest));
    SINGLE.iter().position(|(mail, aspects, _)| is_of(mail) && aspects.contains(&aspect))
}

/// What we read from a mail that has nothing but this field.
fn of_field(aspect: Aspect, value: &[u8]) -> String {
    let name = match aspect {
        Subject => "Subject:",
        Date => "Date:",
        _ => "From:",
    };
    let facts = examine(&[name.as_bytes(), value, b"\n\n"].concat()).facts;
    let sender = facts.from.into_iter().next().unwrap_or_default();
    match aspect {
        Subject => facts.subject,
        Name => sender.name,
        Address => sender.address,
        _ => facts.date.map_or_else(String::new, |date| date.to_string()),
    }
}

fn without_white(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn holds(difference: &Difference<'_>, bytes: &[u8]) -> bool {
    difference.fields.iter().any(|value| has(value, bytes))
}

fn has(text: &[u8], bytes: &[u8]) -> bool {
    text.windows(bytes.len()).any(|window| window == bytes)
}
