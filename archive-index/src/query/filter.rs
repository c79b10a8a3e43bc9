//! Filters of the language (S2.6): what they ask, read from their values. The caller that binds the query decides what
//! a date means in a zone, and which folder a path names.

use crate::columns::Priority;
use crate::text::map::map;
use std::fmt;

/// A filter as it was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What it asks for.
    pub kind: FilterKind,
    /// Name and value as they were written.
    pub written: Box<str>,
}

/// What a filter asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterKind {
    /// `after:`, `before:`, `date:`: its date.
    Date(DateSpan),
    /// `archived:`: its time of archiving.
    Archived(DateSpan),
    /// `larger:`: at least so many bytes.
    Larger(u64),
    /// `smaller:`: at most so many bytes.
    Smaller(u64),
    /// `has:attachment`, or none.
    Attachments(bool),
    /// The importance that the sender set.
    Priority(Priority),
    /// `in:` with subfolders, `folder:` without: the folder it is in.
    Folder {
        /// The path as it was written.
        path: String,
        /// Whether folders below it count.
        subfolders: bool,
    },
    /// `msgid:`: its Message-ID, without angle brackets.
    MessageId(String),
    /// `list:`: its List-Id, without angle brackets, in lower case; `*` for anything.
    List(String),
    /// `label:`: a label assigned to it, mapped like text; `*` for anything.
    Label(String),
    /// `type:`: a media type of an attachment, or the ending of its file name, in lower case; `*` for anything.
    Type(String),
    /// `is:`: its state as the source noted it.
    Is(Mark),
    /// `id:`: the message of this number in this store.
    Message(MessageRef),
    /// `thread:`: the messages of its thread.
    Thread(MessageRef),
}

/// A message by its id, `store:number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRef {
    /// Number of the store.
    pub store: u32,
    /// Number of the message in the store.
    pub message: u32,
}

/// The state of a message, as the program that kept it noted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It was read.
    Read,
    /// It was not read.
    Unread,
    /// It was flagged.
    Flagged,
    /// It was answered.
    Answered,
}

impl Mark {
    const NAMES: [(&'static str, Mark); 4] =
        [("read", Mark::Read), ("unread", Mark::Unread), ("flagged", Mark::Flagged), ("answered", Mark::Answered)];

    fn named(name: &str) -> Option<Mark> {
        Self::NAMES.into_iter().find(|(mark, _)| mark.eq_ignore_ascii_case(name)).map(|(_, mark)| mark)
    }
}

impl MessageRef {
    fn read(text: &str) -> Option<MessageRef> {
        let (store, message) = text.trim().split_once(':')?;
        let number = |text| digits(text, 1..=10).and_then(|number| u32::try_from(number).ok());
        Some(MessageRef { store: number(store)?, message: number(message)? })
    }
}

/// From the start of one period to the end of another; an absent bound is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateSpan {
    /// From its start on.
    pub from: Option<Period>,
    /// Up to its end.
    pub to: Option<Period>,
}

/// A period of time in the caller's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// `2024`
    Year(i16),
    /// `2024-03`: year, month.
    Month(i16, i8),
    /// `2024-03-01`: year, month, day.
    Day(i16, i8, i8),
    /// `2024-03-01T12:00`: year, month, day, hour, minute.
    Minute(i16, i8, i8, i8, i8),
    /// `7d`, `2w`: from the start of the day that many days ago. As an end bound, the end of that day.
    DaysAgo(u32),
    /// `3m`, `1y`: from the start of the day that many months ago. As an end bound, the end of that day.
    MonthsAgo(u32),
    /// A named period, resolved when the query is run.
    Named(NamedPeriod),
}

/// Periods by name (A22.4); weeks begin on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum NamedPeriod {
    Today,
    Yesterday,
    ThisWeek,
    LastWeek,
    ThisMonth,
    LastMonth,
    ThisYear,
    LastYear,
}

impl NamedPeriod {
    const NAMES: [(&'static str, NamedPeriod); 8] = [
        ("today", NamedPeriod::Today),
        ("yesterday", NamedPeriod::Yesterday),
        ("this-week", NamedPeriod::ThisWeek),
        ("last-week", NamedPeriod::LastWeek),
        ("this-month", NamedPeriod::ThisMonth),
        ("last-month", NamedPeriod::LastMonth),
        ("this-year", NamedPeriod::ThisYear),
        ("last-year", NamedPeriod::LastYear),
    ];
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Period {
    /// Reads a period: `2024`, `2024-03`, `2024-03-01`, `2024-03-01T12:00`, `01.03.2024`, `7d`, or a name in any case.
    /// `None` if it is not a period.
    pub fn read(text: &str) -> Option<Period> {
        let name = text.trim().replace([' ', '_'], "-");
        if let Some((_, named)) = NamedPeriod::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return Some(Period::Named(*named));
        }
        if text.contains('.') {
            return Self::with_stops(text);
        }
        if let Some(unit) = text.chars().last().filter(char::is_ascii_alphabetic) {
            let count = digits(text.get(..text.len() - 1)?, 1..=5)? as u32;
            return Some(match unit.to_ascii_lowercase() {
                'd' => Period::DaysAgo(count),
                'w' => Period::DaysAgo(count * 7),
                'm' => Period::MonthsAgo(count),
                'y' => Period::MonthsAgo(count * 12),
                _ => return None,
            });
        }
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.split('-');
        let year = digits(parts.next()?, 4..=4)? as i16;
        let month = parts.next().map(|month| digits(month, 2..=2).filter(|month| (1..=12).contains(month)).map(|month| month as i8));
        let day = parts.next().map(|day| digits(day, 2..=2).map(|day| day as i8));
        if parts.next().is_some() {
            return None;
        }
        match (month, day, time) {
            (None, None, None) => Some(Period::Year(year)),
            (Some(month), None, None) => Some(Period::Month(year, month?)),
            (Some(month), Some(day), time) => {
                let (month, day) = (month?, day?);
                if !(1..=days_of(year, month)).contains(&day) {
                    return None;
                }
                let Some(time) = time else { return Some(Period::Day(year, month, day)) };
                let (hour, minute) = time.split_once(':')?;
                let hour = digits(hour, 2..=2).filter(|hour| *hour < 24)? as i8;
                let minute = digits(minute, 2..=2).filter(|minute| *minute < 60)? as i8;
                Some(Period::Minute(year, month, day, hour, minute))
            }
            _ => None,
        }
    }

    /// `30.11.2020`, `11.2020`: day, month, year.
    fn with_stops(text: &str) -> Option<Period> {
        let mut parts = text.rsplit('.');
        let year = digits(parts.next()?, 4..=4)? as i16;
        let month = digits(parts.next()?, 1..=2).filter(|month| (1..=12).contains(month))? as i8;
        let Some(day) = parts.next() else { return Some(Period::Month(year, month)) };
        let day = digits(day, 1..=2)? as i8;
        (parts.next().is_none() && (1..=days_of(year, month)).contains(&day)).then_some(Period::Day(year, month, day))
    }

    /// It counts back from now and is open at its end.
    fn is_ago(self) -> bool {
        matches!(self, Period::DaysAgo(_) | Period::MonthsAgo(_))
    }
}

fn days_of(year: i16, month: i8) -> i8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A number of ASCII digits only, as many as `count` allows.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<u64> {
    let is_number = count.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

impl DateSpan {
    /// Reads `P` or `P..Q`.
    pub fn read(text: &str) -> Option<DateSpan> {
        match text.split_once("..") {
            None => {
                let period = Period::read(text)?;
                let to = (!period.is_ago()).then_some(period);
                Some(DateSpan { from: Some(period), to })
            }
            Some((from, to)) => {
                let (from, to) = (Period::read(from)?, Period::read(to)?);
                Some(DateSpan { from: Some(from), to: Some(to) })
            }
        }
    }
}

/// The filters by name, and what each expects.
const FILTERS: [(&str, &str); 16] = [
    ("after", DATE),
    ("before", DATE),
    ("date", DATES),
    ("archived", DATES),
    ("larger", SIZE),
    ("smaller", SIZE),
    ("has", "use has:attachment; put the clause in quotes to search it as text"),
    ("in", PATH),
    ("folder", PATH),
    ("msgid", "use a Message-ID; put the clause in quotes to search it as text"),
    ("list", "use a List-Id; put the clause in quotes to search it as text"),
    ("label", "use a label; put the clause in quotes to search it as text"),
    ("type", "use an ending or a media type, such as pdf or image/*; put the clause in quotes to search it as text"),
    ("is", "use read, unread, flagged or answered; put the clause in quotes to search it as text"),
    ("id", MESSAGE),
    ("thread", MESSAGE),
];
const MESSAGE: &str = "use the id of a message, such as 1:42; put the clause in quotes to search it as text";
const DATE: &str = "use 2024, 2024-03, 2024-03-01, 30.11.2020, 2024-03-01T12:00, 7d, 1y, yesterday or last-month; put the clause in quotes to search it as text";
const DATES: &str = "use a date such as 2024-03, or two with .. between; put the clause in quotes to search it as text";
const SIZE: &str = "use a number, also with K, M or G, such as 1.5M; put the clause in quotes to search it as text";
const PATH: &str = "use the path of a folder; put the clause in quotes to search it as text";
/// Prefixes reserved for a later language.
const RESERVED: [&str; 4] = ["tag", "link", "importance", "direction"];

/// The filter with that name, in any case.
pub(super) fn named(name: &str) -> Option<&'static str> {
    names().find(|filter| filter.eq_ignore_ascii_case(name))
}

/// All names of filters.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.into_iter().map(|(name, _)| name)
}

/// Whether the prefix is reserved.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// What the filter `name` asks for with `value`; on error, what it expects.
pub(super) fn read(name: &'static str, value: &str) -> Result<FilterKind, &'static str> {
    let expected = FILTERS.into_iter().find(|(filter, _)| *filter == name).map_or("a filter", |(_, expected)| expected);
    let id = |value: &str| {
        let value = value.trim();
        value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value).trim().to_owned()
    };
    let kind = match name {
        "after" => Period::read(value).map(|period| FilterKind::Date(DateSpan { from: Some(period), to: None })),
        "before" => Period::read(value).map(|period| FilterKind::Date(DateSpan { from: None, to: Some(period) })),
        "date" => DateSpan::read(value).map(FilterKind::Date),
        "archived" => DateSpan::read(value).map(FilterKind::Archived),
        "larger" => read_size(value).map(FilterKind::Larger),
        "smaller" => read_size(value).map(FilterKind::Smaller),
        "has" => value.eq_ignore_ascii_case("attachment").then_some(FilterKind::Attachments(true)),
        "in" => Some(FilterKind::Folder { path: value.to_owned(), subfolders: true }),
        "folder" => Some(FilterKind::Folder { path: value.to_owned(), subfolders: false }),
        "msgid" => Some(id(value)).filter(|id| !id.is_empty()).map(FilterKind::MessageId),
        "list" => Some(id(value).to_ascii_lowercase()).filter(|id| !id.is_empty()).map(FilterKind::List),
        "label" => Some(map(value.trim()).into_owned()).filter(|label| !label.is_empty()).map(FilterKind::Label),
        "type" => {
            let value = value.trim().trim_start_matches('.').to_ascii_lowercase();
            Some(value).filter(|value| !value.is_empty()).map(FilterKind::Type)
        }
        "is" => Mark::named(value.trim()).map(FilterKind::Is),
        "id" => MessageRef::read(value).map(FilterKind::Message),
        "thread" => MessageRef::read(value).map(FilterKind::Thread),
        _ => None,
    };
    kind.ok_or(expected)
}

/// Bytes: a number, with K, KB or KiB for 1,024, and M and G likewise (A22.8), in any case. With a unit it may have up
/// to three decimals; a fraction of a byte is dropped. `None` if it is not a size.
pub fn read_size(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1u64 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    let Some((whole, decimals)) = number.split_once('.') else { return digits(number, 1..=18)?.checked_mul(factor) };
    if factor == 1 {
        return None;
    }
    // At most 999 thousandths of 2^30 bytes: no overflow.
    let thousandths = digits(decimals, 1..=3)? * 10u64.pow(3 - decimals.len() as u32);
    digits(whole, 1..=18)?.checked_mul(factor)?.checked_add(thousandths * factor / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_6_periods() {
        for (text, period) in [
            ("2024", Some(Period::Year(2024))),
            ("2024-03", Some(Period::Month(2024, 3))),
            ("2024-02-29", Some(Period::Day(2024, 2, 29))),
            ("2023-02-29", None),
            ("2024-13", None),
            ("2024-00", None),
            ("24-01-01", None),
            ("2024-3", None),
            ("2024-03-01T12:00", Some(Period::Minute(2024, 3, 1, 12, 0))),
            ("2024-03-01T24:00", None),
            ("2024-03-01T12", None),
            ("2024-03T12:00", None),
            ("2024-03-01-1", None),
            ("7d", Some(Period::DaysAgo(7))),
            ("2W", Some(Period::DaysAgo(14))),
            ("3m", Some(Period::MonthsAgo(3))),
            ("1y", Some(Period::MonthsAgo(12))),
            ("1é", None),
            ("30.11.2020", Some(Period::Day(2020, 11, 30))),
            ("1.3.2024", Some(Period::Day(2024, 3, 1))),
            ("03.2024", Some(Period::Month(2024, 3))),
            ("31.11.2020", None),
            ("11.30.2020", None),
            ("30.11.20", None),
            (".2020", None),
            ("1.1.1.2020", None),
            ("last year", Some(Period::Named(NamedPeriod::LastYear))),
            ("d", None),
            ("9999999d", None),
            ("Last-Month", Some(Period::Named(NamedPeriod::LastMonth))),
            ("tomorrow", None),
            ("+024", None),
            ("", None),
        ] {
            assert_eq!(Period::read(text), period, "{text}");
        }
    }

    #[test]
    fn s2_6_ranges_of_periods() {
        let (march, day) = (Period::Month(2024, 3), Period::Day(2024, 5, 7));
        assert_eq!(DateSpan::read("2024-03..2024-05-07"), Some(DateSpan { from: Some(march), to: Some(day) }));
        assert_eq!(DateSpan::read("2024-03.."), None);
        assert_eq!(DateSpan::read("..2024-03"), None);
        assert_eq!(DateSpan::read("7d"), Some(DateSpan { from: Some(Period::DaysAgo(7)), to: None }));
        assert_eq!(DateSpan::read(".."), None);
        assert_eq!(DateSpan::read("2024..x"), None);
    }

    #[test]
    fn s2_6_sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("5", Some(5)),
            ("5k", Some(5120)),
            ("5KB", Some(5120)),
            ("5KiB", Some(5120)),
            ("5M", Some(5 << 20)),
            ("1G", Some(1 << 30)),
            ("1.5M", Some(3 << 19)),
            ("0.001k", Some(1)),
            ("1.5", None),
            ("1.M", None),
            (".5M", None),
            ("1.5.5M", None),
            ("1.0005M", None),
            ("M", None),
            ("5T", None),
            ("-5", None),
            ("999999999999999999G", None),
        ] {
            assert_eq!(read_size(text), bytes, "{text}");
        }
    }
}
