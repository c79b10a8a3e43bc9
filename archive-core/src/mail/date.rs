//! The date of a mail (docs/TEXT.md, T11): RFC 5322 section 3.3 with the obsolete forms of section 4.3, and what
//! programs write instead.
//!
//! A text is first made plain: without comments and marks, in lower case. Then the forms are tried in turn. Each reads
//! the text once from the left, so that time is linear.

use std::borrow::Cow;

use icu_normalizer::DecomposingNormalizerBorrowed;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, ToSpan as _};

mod names;
mod zones;

pub(crate) use names::ENGLISH as MONTHS;
use names::{is_between, month};
pub(crate) use zones::of_word as zone;

/// RFC 5322, section 3.3.
const FIRST_YEAR: i16 = 1900;
/// Words before a date that are passed over.
const WORDS_BEFORE: usize = 3;

/// Seconds since 1970 UTC of the value of a Date field, if it is a date.
pub(super) fn date(value: &str) -> Option<i64> {
    let plain = plain(value);
    let mut reader = Reader { rest: &plain };
    reader.separators();
    for _ in 0..=WORDS_BEFORE {
        if let Some(date) = reader.date() {
            return Some(date);
        }
        reader.word()?;
        reader.separators();
    }
    None
}

/// The date that a Received field notes: what follows its last `;`.
pub(super) fn received(value: &str) -> Option<i64> {
    value.rsplit_once(';').and_then(|(_, behind)| date(behind))
}

/// In lower case, without marks, comments and quotes (T11.2).
fn plain(value: &str) -> String {
    let value = match value.is_ascii() {
        true => Cow::Borrowed(value),
        false => DecomposingNormalizerBorrowed::new_nfkd().normalize(value),
    };
    let mut plain = String::with_capacity(value.len());
    let mut depth = 0usize;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            '\\' if depth > 0 => drop(chars.next()),
            _ if depth > 0 => continue,
            '"' | '\'' => {}
            '\u{300}'..='\u{36f}' => continue,
            'ł' | 'Ł' => {
                plain.push('l');
                continue;
            }
            'ı' => {
                plain.push('i');
                continue;
            }
            '\u{2212}' | '\u{2013}' => {
                plain.push('-');
                continue;
            }
            c => {
                plain.extend(c.to_lowercase().filter(|c| !('\u{300}'..='\u{36f}').contains(c)));
                continue;
            }
        }
        plain.push(' ');
    }
    plain
}

/// A day as written.
#[derive(Clone, Copy)]
struct Day {
    year: i16,
    month: i8,
    day: i8,
}

/// A time of day as written.
#[derive(Clone, Copy, Default)]
struct Clock {
    hour: i8,
    minute: i8,
    second: i8,
}

impl Clock {
    /// The time on a 12-hour clock; a 24-hour time needs no half.
    fn in_half(self, half: Option<Half>) -> Self {
        let hour = match half {
            Some(Half::First) if (1..=12).contains(&self.hour) => self.hour % 12,
            Some(Half::Second) if (1..=12).contains(&self.hour) => self.hour % 12 + 12,
            _ => self.hour,
        };
        Self { hour, ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// Seconds since 1970, if there is such a day and time; `zone` in seconds east of UTC. A leap second counts as the one
/// before it, which is of the same day; the hour 24 is midnight of the next.
fn timestamp(Day { year, month, day }: Day, Clock { hour, minute, second }: Clock, zone: i64) -> Option<i64> {
    let second = if second == 60 { 59 } else { second };
    let is_midnight = (hour, minute, second) == (24, 0, 0);
    let hour = if is_midnight { 0 } else { hour };
    let local = DateTime::new(year, month, day, hour, minute, second, 0).ok().filter(|_| year >= FIRST_YEAR)?;
    let local = if is_midnight { local.checked_add(1.day()).ok()? } else { local };
    let utc = Offset::UTC.to_timestamp(local).ok()?.checked_sub(SignedDuration::from_secs(zone)).ok()?;
    Some(utc.as_second())
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a str,
}

/// A number as written.
#[derive(Clone, Copy)]
struct Number {
    value: i16,
    digits: usize,
}

impl Number {
    fn of_two(self) -> Option<i8> {
        if self.digits <= 2 { i8::try_from(self.value).ok() } else { None }
    }

    /// RFC 5322, section 4.3.
    fn year(self) -> Option<i16> {
        match (self.value, self.digits) {
            (year @ 0..50, 2) => Some(year + 2000),
            (year, 2 | 3) => Some(year + 1900),
            (year, 4) => Some(year),
            _ => None,
        }
    }
}

impl<'a> Reader<'a> {
    /// A date that begins here.
    fn date(self) -> Option<i64> {
        let forms = [Self::day_first, Self::month_first, Self::year_first, Self::numbers, Self::joined];
        let dated = || forms.iter().find_map(|form| form(self).and_then(|(day, behind)| behind.at_time(day)));
        dated().or_else(|| self.asctime())
    }

    /// `28 oct 2004`.
    fn day_first(mut self) -> Option<(Day, Self)> {
        let day = self.day()?;
        self.separators();
        let month = month(self.word()?)?;
        self.separators();
        let year = self.number()?.year()?;
        Some((Day { year, month, day }, self))
    }

    /// `oct 28, 2004`.
    fn month_first(mut self) -> Option<(Day, Self)> {
        let month = month(self.word()?)?;
        self.separators();
        let day = self.day()?;
        self.separators();
        let year = self.full_year()?;
        Some((Day { year, month, day }, self))
    }

    /// `2004-10-28`.
    fn year_first(mut self) -> Option<(Day, Self)> {
        let year = self.full_year()?;
        self.separators();
        let month = match self.word() {
            Some(name) => month(name)?,
            None => self.number()?.of_two()?,
        };
        self.separators();
        let day = self.day()?;
        Some((Day { year, month, day }, self))
    }

    /// `28/10/2004`, `10/28/2004`, `10/28/04`, `28.10.04`: if the numbers do not show which is the day, only points
    /// decide it.
    fn numbers(mut self) -> Option<(Day, Self)> {
        let first = self.number()?.of_two()?;
        let sign = self.sign()?;
        let second = self.number()?.of_two()?;
        if self.sign()? != sign {
            return None;
        }
        let year = self.number()?;
        let is_no_day = year.digits == 4 || (year.digits == 2 && (second > 12 || !(1..=31).contains(&year.value)));
        let year = Some(year).filter(|_| sign == '.' || is_no_day)?.year()?;
        let (day, month) = match (first, second) {
            (day, month) if sign == '.' || day > 12 || day == month => (day, month),
            (month, day) if day > 12 => (day, month),
            _ => return None,
        };
        Some((Day { year, month, day }, self))
    }

    /// `20041028`.
    fn joined(mut self) -> Option<(Day, Self)> {
        let digits = self.digits()?;
        let of = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
        let two = |range: std::ops::Range<usize>| of(range).and_then(|two| i8::try_from(two).ok());
        let day = Day { year: of(0..4)?, month: two(4..6)?, day: two(6..8)? };
        (digits.len() == 8).then_some((day, self))
    }

    /// `oct 28 17:00:38 2004`, with a zone before or after the year.
    fn asctime(mut self) -> Option<i64> {
        let month = month(self.word()?)?;
        self.separators();
        let day = self.day()?;
        self.separators();
        let clock = self.clock()?;
        let clock = clock.in_half(self.half());
        let (zone, year) = match self.year_behind() {
            Some(year) => (None, year),
            None => (Some(self.zone()), self.year_behind()?),
        };
        timestamp(Day { year, month, day }, clock, zone.unwrap_or_else(|| self.zone()))
    }

    fn year_behind(&mut self) -> Option<i16> {
        let mut behind = *self;
        behind.white_or(&[',']);
        let year = behind.full_year()?;
        *self = behind;
        Some(year)
    }

    /// The time of day that follows; midnight if nothing follows.
    fn at_time(mut self, day: Day) -> Option<i64> {
        self.separators();
        if self.rest.is_empty() {
            return timestamp(day, Clock::default(), 0);
        }
        // Such as the day of the week, or `Time:`.
        if self.word().is_some() {
            self.separators();
        }
        self.take(&[':']);
        self.separators();
        let (clock, half) = (self.clock()?, self.half());
        let zone = self.zone();
        timestamp(day, clock.in_half(half.or_else(|| self.half())), zone)
    }

    /// Hour, minute, second; fractions of a second are ignored.
    fn clock(&mut self) -> Option<Clock> {
        let digits = self.digits()?;
        let two = |range: std::ops::Range<usize>| digits.get(range).and_then(|two| two.parse::<i8>().ok());
        let clock = match digits.len() {
            6 => Clock { hour: two(0..2)?, minute: two(2..4)?, second: two(4..6)? },
            1 | 2 => {
                Clock { hour: two(0..digits.len())?, minute: self.behind(&[':', '.', 'h'])?, second: self.behind(&[':', '.']).unwrap_or(0) }
            }
            _ => return None,
        };
        let mut fraction = *self;
        if fraction.take(&['.', ',']) && fraction.digits().is_some() {
            *self = fraction;
        }
        Some(clock)
    }

    /// Two digits after one of `signs`.
    fn behind(&mut self, signs: &[char]) -> Option<i8> {
        let mut behind = *self;
        behind.white();
        let number = behind.take(signs).then(|| {
            behind.white();
            behind.number()?.of_two()
        })??;
        *self = behind;
        Some(number)
    }

    /// `am` or `pm`, also with points.
    fn half(&mut self) -> Option<Half> {
        let mut behind = *self;
        behind.white();
        let (half, ends) = match behind.word()? {
            "am" => (Half::First, true),
            "pm" => (Half::Second, true),
            "a" => (Half::First, false),
            "p" => (Half::Second, false),
            _ => return None,
        };
        if !ends {
            behind.white();
            Some(behind.word()?).filter(|word| *word == "m")?;
        }
        *self = behind;
        Some(half)
    }

    /// Seconds east of UTC; one that cannot be read is UTC.
    fn zone(&mut self) -> i64 {
        self.separators_before_zone();
        if let Some(seconds) = self.offset() {
            return seconds;
        }
        let mut behind = *self;
        let mut phrase = String::new();
        let mut found = None;
        for words in 1..=zones::MOST_WORDS {
            let Some(word) = behind.word() else { break };
            phrase.push_str(word);
            let known = if words == 1 { zone(word) } else { zones::of_phrase(&phrase) };
            if let Some(seconds) = known {
                found = Some((words, seconds, behind));
            }
            behind.white_or(&['-']);
            phrase.push(' ');
        }
        let Some((words, seconds, behind)) = found else {
            // An unknown name before a number that is known.
            let mut offset = *self;
            offset.word();
            offset.white();
            return offset.offset().inspect(|_| *self = offset).unwrap_or(0);
        };
        let first = self.rest;
        *self = behind;
        if words == 1 && ["utc", "gmt", "ut"].iter().any(|name| first.starts_with(name)) {
            let mut offset = *self;
            offset.white();
            if let Some(seconds) = offset.offset() {
                *self = offset;
                return seconds;
            }
        }
        seconds
    }

    /// `+02`, `+200`, `+0200`, `+2:00`; `None` if it is a day or more.
    fn offset(&mut self) -> Option<i64> {
        let mut behind = *self;
        let sign = behind.rest.chars().next().filter(|sign| ['+', '-'].contains(sign))?;
        while behind.take(&[sign]) {}
        let Number { value, digits } = behind.number()?;
        let mut after_colon = behind;
        let (hours, minutes) = match digits {
            3 | 4 => (value / 100, value % 100),
            1 | 2
                if after_colon.take(&[':'])
                    && let Some(Number { value: minutes, digits: 2 }) = after_colon.number() =>
            {
                behind = after_colon;
                (value, minutes)
            }
            1 | 2 => (value, 0),
            _ => return None,
        };
        if hours > 23 || minutes > 59 {
            return None;
        }
        *self = behind;
        let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
        Some(if sign == '-' { -seconds } else { seconds })
    }

    /// The number of a day, with what makes it an ordinal.
    fn day(&mut self) -> Option<i8> {
        let day = self.number()?.of_two()?;
        let mut behind = *self;
        if behind.word().is_some_and(|word| ["st", "nd", "rd", "th", "er", "o", "a"].contains(&word)) {
            *self = behind;
        }
        Some(day)
    }

    /// A year of four digits that is not an hour.
    fn full_year(&mut self) -> Option<i16> {
        let year = self.number().filter(|year| year.digits == 4)?;
        (!self.rest.starts_with(':')).then_some(year.value)
    }

    /// Letters, and a full stop directly after them.
    fn word(&mut self) -> Option<&'a str> {
        let word = self.run(char::is_alphabetic)?;
        self.take(&['.']);
        Some(word)
    }

    fn number(&mut self) -> Option<Number> {
        let digits = self.digits()?;
        // No number of a date that gets here has more than four digits.
        let value = digits.get(..digits.len().min(4))?.parse().ok()?;
        Some(Number { value, digits: digits.len() })
    }

    fn digits(&mut self) -> Option<&'a str> {
        self.run(|c| c.is_ascii_digit())
    }

    /// The sign between numbers.
    fn sign(&mut self) -> Option<char> {
        self.white();
        let sign = self.rest.chars().next().filter(|sign| ['/', '-', '.'].contains(sign))?;
        self.take(&[sign]);
        self.white();
        Some(sign)
    }

    /// Skips what may be between the parts of a date.
    fn separators(&mut self) {
        loop {
            self.white_or(&[',', '.', '-', '/']);
            let mut behind = *self;
            match behind.word() {
                Some(word) if is_between(word) => *self = behind,
                _ => return,
            }
        }
    }

    /// Skips what may be between the time and its zone.
    fn separators_before_zone(&mut self) {
        loop {
            self.white_or(&[',']);
            let mut behind = *self;
            match behind.word() {
                Some("uhr" | "h" | "hrs" | "hours") => *self = behind,
                _ => return,
            }
        }
    }

    fn white(&mut self) {
        self.white_or(&[]);
    }

    fn white_or(&mut self, signs: &[char]) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || signs.contains(&c));
    }

    fn take(&mut self, any: &[char]) -> bool {
        let Some(behind) = self.rest.strip_prefix(any) else { return false };
        self.rest = behind;
        true
    }

    fn run(&mut self, is: impl Fn(char) -> bool) -> Option<&'a str> {
        let (run, behind) = self.rest.split_at(self.rest.find(|c| !is(c)).unwrap_or(self.rest.len()));
        self.rest = behind;
        (!run.is_empty()).then_some(run)
    }
}

#[cfg(test)]
mod tests;
