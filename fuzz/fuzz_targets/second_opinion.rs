//! Mails that follow the standards are read alike by Mailkeep and mail-parser: subject, sender, date, and the words of
//! a plain body.
//!
//! Only mails without parts are compared, in plain ASCII and without folded lines; the differences in other mails are
//! known (archive-core/tests/second_opinion).
#![no_main]

use archive_core::mail::text::{Field, extract};
use archive_core::mail::{Facts, examine};
use mail_parser::{Message, MessageParser};

/// Longer facts are cut.
const LONGEST: usize = 500;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(header) = simple_header(bytes) else { return };
    let message = MessageParser::default().parse(bytes).expect("mail-parser reads a mail that has a header");
    let facts = examine(bytes).facts;
    for (name, value) in &header {
        let fields = header.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        if fields.count() == 1 && value.len() <= LONGEST {
            compare(name, value, &facts, &message);
        }
    }
    let text = extract(bytes, &[]);
    let body = text.values.iter().filter(|value| value.field == Field::Bcontent).map(|value| value.text.as_str());
    let theirs = message.body_text(0).unwrap_or_default();
    assert!(body.flat_map(words).eq(words(&theirs)), "the words of the body");
});

/// The fields of a mail that is ASCII, has no parts, and has each of its fields in one line.
fn simple_header(bytes: &[u8]) -> Option<Vec<(&str, &str)>> {
    let text = str::from_utf8(bytes).ok()?;
    let is_plain = |byte: &u8| matches!(byte, b'\n' | b' '..=b'~');
    let (header, _) = text.split_once("\n\n").filter(|_| bytes.iter().all(is_plain))?;
    header.split('\n').map(field).collect()
}

/// Names and values that both read alike: mail-parser reads what follows a wrongly written date as part of it.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ").filter(|(_, value)| !value.trim().is_empty())?;
    let is_alike = match name.to_ascii_lowercase().as_str() {
        "subject" => !value.contains("=?"),
        "date" => is_date(value),
        "from" => is_sender(value),
        name => name.strip_prefix("x-").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')),
    };
    is_alike.then_some((name, value))
}

fn compare(name: &str, value: &str, facts: &Facts, message: &Message<'_>) {
    if name.eq_ignore_ascii_case("subject") {
        assert!(words_of_line(&facts.subject).eq(words_of_line(message.subject().unwrap_or_default())), "the subject {value:?}");
    } else if name.eq_ignore_ascii_case("date") {
        let theirs = message.date().filter(|date| date.is_valid()).map(|date| date.to_timestamp());
        assert_eq!(facts.date, theirs, "the date {value:?}");
    } else if name.eq_ignore_ascii_case("from") {
        let theirs = message.from().and_then(|from| from.first()).expect("a sender");
        let ours = facts.from.first().expect("a sender");
        assert_eq!((Some(&*ours.name), Some(&*ours.address)), (theirs.name(), theirs.address()), "the sender {value:?}");
    }
}

fn words_of_line(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A date by RFC 5322, on a day that every month has: `Mon, 1 Jan 2024 10:00:00 +0100`.
fn is_date(value: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>, range: std::ops::RangeInclusive<u32>| {
        digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|it| range.contains(&it))
    };
    let [week, day, month, year, time, zone] = value.split(' ').collect::<Vec<_>>()[..] else { return false };
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else { return false };
    DAYS.contains(&week)
        && number(day, 1..=2, 1..=28)
        && MONTHS.contains(&month)
        && number(year, 4..=4, 1900..=2999)
        && number(hour, 2..=2, 0..=23)
        && number(minute, 2..=2, 0..=59)
        && number(second, 2..=2, 0..=59)
        && zone
            .strip_prefix(['+', '-'])
            .and_then(|zone| zone.split_at_checked(2))
            .is_some_and(|(hours, minutes)| number(hours, 2..=2, 0..=14) && number(minutes, 2..=2, 0..=59))
}

/// `Anna Example <anna@example.org>`
fn is_sender(value: &str) -> bool {
    let Some((name, address)) = value.strip_suffix('>').and_then(|value| value.split_once(" <")) else { return false };
    let Some((local, domain)) = address.split_once('@') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.split(' ').all(is_word) && local.split('.').all(is_word) && domain.split('.').all(is_word)
}
