//! Recognises the line that begins a mail in an mbox, and reads its date.
//!
//! `From sender date`, where the date is that of `asctime` (`Sat Jan 3 01:05:34 1996`), with a zone before or after the
//! year, without seconds, or a date of RFC 5322; the sender may be anything, also several words (`user at host`) or
//! none. The date must extend to the end of the line (except for `remote from host`), and have month, day, time and
//! year, which prose does not.

use crate::mail::date::{MONTHS, zone};

const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// Longer lines are not From_ lines.
pub(super) const MAX_FROM_LINE: usize = 1024;

#[derive(Default)]
struct Found {
    month: Option<i64>,
    day: Option<i64>,
    year: Option<i64>,
    time: Option<i64>,
    zone: Option<i64>,
}

/// Whether the line (without its end) is a From_ line with a date.
pub(super) fn is_from_line(line: &[u8]) -> bool {
    found(line).is_some()
}

/// The date of a From_ line, in seconds since 1970; a line without a zone is read as UTC.
pub(super) fn date(line: &[u8]) -> Option<i64> {
    let found = found(line)?;
    let (year, month, day) = (found.year?, found.month?, found.day?);
    let time = found.time?;
    if !(1..=31).contains(&day) || time >= 86_401 {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + time - found.zone.unwrap_or(0))
}

fn found(line: &[u8]) -> Option<Found> {
    let rest = line.strip_prefix(b"From ")?;
    if line.len() > MAX_FROM_LINE {
        return None;
    }
    // From the right.
    let words = rest.rsplit(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let mut behind_date = words.clone().skip(1);
    let from_host = behind_date.next() == Some(b"from") && behind_date.next() == Some(b"remote");
    let mut found = Found::default();
    for word in words.skip(if from_host { 3 } else { 0 }).take(9) {
        if !found.take(word) {
            break;
        }
    }
    let whole = found.month.is_some() && found.day.is_some() && found.year.is_some() && found.time.is_some();
    whole.then_some(found)
}

impl Found {
    /// Takes a word, read from the end of the line, as a part of the date; `false` if it is not one.
    fn take(&mut self, word: &[u8]) -> bool {
        let word = word.strip_suffix(b",").unwrap_or(word);
        if let Some(time) = clock(word) {
            return self.time.replace(time).is_none();
        }
        if let Some((year, month, day, time)) = iso(word) {
            if self.year.is_some() || self.month.is_some() || self.day.is_some() || (time.is_some() && self.time.is_some()) {
                return false;
            }
            (self.year, self.month, self.day) = (Some(year), Some(month), Some(day));
            self.time = self.time.or(time);
            return true;
        }
        if let Some(zone) = numeric_zone(word) {
            self.zone = Some(zone);
            return true;
        }
        if let Some(number) = number(word) {
            // From the right: `.. 3 10:00:00 1996` has its year first, `3 Jan 1996 10:00` too.
            return match (word.len(), self.year, self.day) {
                (4, None, _) if (1900..=2200).contains(&number) => self.year.replace(number).is_none(),
                (2, None, None) if self.month.is_none() && self.time.is_none() => {
                    self.year.replace(if number < 70 { 2000 + number } else { 1900 + number }).is_none()
                }
                (1 | 2, _, None) if (1..=31).contains(&number) => self.day.replace(number).is_none(),
                _ => false,
            };
        }
        if let Some(month) = MONTHS.iter().position(|month| word.eq_ignore_ascii_case(month.as_bytes())) {
            return self.month.replace(month as i64 + 1).is_none();
        }
        if word.len() <= 4 && word.get(..3).is_some_and(|word| DAYS.iter().any(|day| word.eq_ignore_ascii_case(day))) {
            return true;
        }
        self.take_named_zone(word)
    }

    fn take_named_zone(&mut self, word: &[u8]) -> bool {
        let bare = word.strip_prefix(b"(").and_then(|word| word.strip_suffix(b")")).unwrap_or(word);
        if self.month.is_some() || bare.is_empty() || bare.len() > 5 || !bare.iter().all(u8::is_ascii_uppercase) {
            return false;
        }
        let seconds = std::str::from_utf8(bare).ok().and_then(zone).unwrap_or(0);
        self.zone = self.zone.or(Some(seconds));
        true
    }
}

fn number(word: &[u8]) -> Option<i64> {
    if word.is_empty() || word.len() > 9 || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(word.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn clock(word: &[u8]) -> Option<i64> {
    let mut parts = word.split(|byte| *byte == b':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or(b"0");
    if parts.next().is_some() || hour.len() > 2 || minute.len() != 2 || second.len() > 2 {
        return None;
    }
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    (hour <= 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// `1996-01-03`, also with `T10:00:00` and `Z`.
fn iso(word: &[u8]) -> Option<(i64, i64, i64, Option<i64>)> {
    let (date, rest) = word.split_at_checked(10)?;
    if date.get(4) != Some(&b'-') || date.get(7) != Some(&b'-') {
        return None;
    }
    let (year, month, day) = (number(date.get(..4)?)?, number(date.get(5..7)?)?, number(date.get(8..)?)?);
    if !(1..=12).contains(&month) {
        return None;
    }
    let time = match rest.strip_prefix(b"T") {
        Some(time) => Some(clock(time.strip_suffix(b"Z").unwrap_or(time))?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some((year, month, day, time))
}

fn numeric_zone(word: &[u8]) -> Option<i64> {
    let (sign, digits) = word.split_first()?;
    let digits = number(digits).filter(|_| digits.len() == 4)?;
    let seconds = digits / 100 * 3600 + digits % 100 * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
