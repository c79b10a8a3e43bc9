//! The date of a mail: RFC 5322 section 3.3 with the obsolete forms of section 4.3, and what is often written instead.
//!
//! Read are `[word [,]] day month year clock [zone]`, also with `-` or `,` between day, month and year, and what asctime writes: `[word [,]]
//! month day clock [zone] year [zone]`. A clock is `hour:minute[:second]`. Months may be written in full, comments are white (section 3.2.2),
//! and case does not count. Behind the date stands its zone; a zone that cannot be read is UTC. Time is linear.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const MONTHS: [&[u8]; 12] = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
/// Section 4.3; all others are 0.
const ZONES: [(&[u8], i64); 8] =
    [(b"est", -5), (b"edt", -4), (b"cst", -6), (b"cdt", -5), (b"mst", -7), (b"mdt", -6), (b"pst", -8), (b"pdt", -7)];
/// Section 3.3: there was no mail before.
const FIRST_YEAR: i16 = 1900;

/// Seconds since 1970 UTC of the value of a Date field, if it is a date.
pub(super) fn date(value: &[u8]) -> Option<i64> {
    let reader = Reader { rest: value };
    reader.day_first().or_else(|| reader.asctime())
}

/// A date as written.
struct Written {
    year: i16,
    month: i8,
    day: i8,
    clock: [i8; 3],
    /// Seconds east of UTC.
    zone: i64,
}

impl Written {
    /// Seconds since 1970, if there is such a day and time. A leap second counts as the one before it, which is of the same day.
    fn timestamp(&self) -> Option<i64> {
        let [hour, minute, second] = self.clock;
        let second = if second == 60 { 59 } else { second };
        let local = DateTime::new(self.year, self.month, self.day, hour, minute, second, 0).ok().filter(|_| self.year >= FIRST_YEAR)?;
        let utc = Offset::UTC.to_timestamp(local).ok()?.checked_sub(SignedDuration::from_secs(self.zone)).ok()?;
        Some(utc.as_second())
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn day_first(mut self) -> Option<i64> {
        self.white(b"");
        if !self.word().is_empty() {
            self.white(b",");
        }
        let day = self.two_digits()?;
        self.some_white(b"-")?;
        let month = month(self.word())?;
        self.some_white(b",-")?;
        let year = match self.number()? {
            // Section 4.3.
            (year @ 0..50, 2) => year + 2000,
            (year, 2 | 3) => year + 1900,
            (year, 4) => year,
            _ => return None,
        };
        self.some_white(b",")?;
        let clock = self.clock()?;
        self.white(b"");
        Written { year, month, day, clock, zone: self.zone() }.timestamp()
    }

    fn asctime(mut self) -> Option<i64> {
        self.white(b"");
        let mut name = self.word();
        self.white(b",");
        let second = self.word();
        if !second.is_empty() {
            name = second;
            self.some_white(b"")?;
        }
        let month = month(name)?;
        let day = self.two_digits()?;
        self.some_white(b",")?;
        let clock = self.clock()?;
        self.some_white(b"")?;
        let mut zone = None;
        if !self.rest.first()?.is_ascii_digit() {
            zone = Some(self.zone());
            self.some_white(b"")?;
        }
        let (year, 4) = self.number()? else { return None };
        self.white(b"");
        Written { year, month, day, clock, zone: zone.unwrap_or_else(|| self.zone()) }.timestamp()
    }

    /// Hour, minute, second; what is smaller is passed over.
    fn clock(&mut self) -> Option<[i8; 3]> {
        let hour = self.two_digits()?;
        let minute = self.behind_colon()?;
        let second = self.behind_colon();
        let mut fraction = *self;
        if fraction.take(b".") && fraction.number().is_some() {
            *self = fraction;
        }
        Some([hour, minute, second.unwrap_or(0)])
    }

    fn behind_colon(&mut self) -> Option<i8> {
        let mut behind = *self;
        behind.white(b"");
        let number = behind.take(b":.").then(|| {
            behind.white(b"");
            behind.two_digits()
        })??;
        *self = behind;
        Some(number)
    }

    fn two_digits(&mut self) -> Option<i8> {
        let (number, 1 | 2) = self.number()? else { return None };
        i8::try_from(number).ok()
    }

    /// Seconds east of UTC: `+hhmm`, also with a `:` or behind `UTC` or `GMT`, or a name.
    fn zone(&mut self) -> i64 {
        let name = self.word();
        if name.is_empty() || name.eq_ignore_ascii_case(b"utc") || name.eq_ignore_ascii_case(b"gmt") {
            let mut offset = *self;
            offset.white(b"");
            if let Some(seconds) = offset.offset() {
                *self = offset;
                return seconds;
            }
        }
        ZONES.iter().find(|(zone, _)| name.eq_ignore_ascii_case(zone)).map_or(0, |(_, hours)| hours * 3600)
    }

    fn offset(&mut self) -> Option<i64> {
        let [sign @ (b'+' | b'-'), behind @ ..] = self.rest else { return None };
        self.rest = behind;
        let (hours, minutes) = match self.number()? {
            (both, 4) => (both / 100, both % 100),
            (hours, 2) if self.take(b":") => match self.number()? {
                (minutes, 2) => (hours, minutes),
                _ => return None,
            },
            _ => return None,
        };
        let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
        Some(if *sign == b'-' { -seconds } else { seconds })
    }

    /// Letters, and a full stop behind them.
    fn word(&mut self) -> &'a [u8] {
        let word = self.run(|byte| byte.is_ascii_alphabetic());
        if !word.is_empty() {
            self.take(b".");
        }
        word
    }

    /// A number and how many digits it has. More than four are none that a date has.
    fn number(&mut self) -> Option<(i16, usize)> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        let number = digits.iter().take(4).fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'));
        (!digits.is_empty()).then_some((number, digits.len()))
    }

    fn some_white(&mut self, also: &[u8]) -> Option<()> {
        let before = self.rest.len();
        self.white(also);
        (self.rest.len() < before).then_some(())
    }

    /// Passes over white, comments, and bytes of `also`.
    fn white(&mut self, also: &[u8]) {
        while let Some((&first, behind)) = self.rest.split_first() {
            if first == b'(' {
                self.comment();
            } else if first.is_ascii_whitespace() || also.contains(&first) {
                self.rest = behind;
            } else {
                return;
            }
        }
    }

    /// A comment up to its matching parenthesis, or to the end; a backslash hides the byte behind it.
    fn comment(&mut self) {
        let mut depth = 0usize;
        while let Some((&first, behind)) = self.rest.split_first() {
            self.rest = behind;
            match first {
                b'\\' => self.rest = behind.get(1..).unwrap_or_default(),
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn take(&mut self, any: &[u8]) -> bool {
        let Some((_, behind)) = self.rest.split_first().filter(|(first, _)| any.contains(first)) else { return false };
        self.rest = behind;
        true
    }

    fn run(&mut self, is: impl Fn(&u8) -> bool) -> &'a [u8] {
        let (run, behind) = self.rest.split_at(self.rest.iter().position(|byte| !is(byte)).unwrap_or(self.rest.len()));
        self.rest = behind;
        run
    }
}

/// The number of a month from its name, of which the first three letters count.
fn month(name: &[u8]) -> Option<i8> {
    let name = name.get(..3)?;
    (1..).zip(MONTHS).find(|(_, month)| name.eq_ignore_ascii_case(month)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is(text: &str, utc: &str) {
        let expected: jiff::Timestamp = utc.parse().unwrap();
        assert_eq!(date(text.as_bytes()), Some(expected.as_second()), "{text}");
    }

    #[test]
    fn dates_of_rfc_5322() {
        is("Mon, 2 Dec 2002 11:48:05 +0100", "2002-12-02T10:48:05Z");
        is("2 Dec 2002 11:48 -0000", "2002-12-02T11:48:00Z");
        is("Mon, 2 Dec 2002 11:48:05 -0830", "2002-12-02T20:18:05Z");
        is("Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z");
    }

    #[test]
    fn obsolete_forms() {
        is("2 Dec 02 11:48:05 EST", "2002-12-02T16:48:05Z");
        is("2 Dec 50 11:48:05 cst", "1950-12-02T17:48:05Z");
        is("2 Dec 102 11:48:05 z", "2002-12-02T11:48:05Z");
        is("Mon (a \\) (b)) , 2 (x) Dec(y)2002 11 : 48 (z) : 05 (PST) pDT (rest", "2002-12-02T18:48:05Z");
        is("2 Dec 2002 11:48:05 K", "2002-12-02T11:48:05Z");
    }

    #[test]
    fn what_is_often_written_instead() {
        is("Thursday, 12 June 2025 10:00:00 GMT+0200", "2025-06-12T08:00:00Z");
        is("12-Jun-2025 10.00.00.123 +02:00", "2025-06-12T08:00:00Z");
        is("2 Dec 2002 11:48:05", "2002-12-02T11:48:05Z");
        is("2 Dec 2002 11:48:05 +1", "2002-12-02T11:48:05Z");
        is("Mon Dec  2 11:48:05 2002", "2002-12-02T11:48:05Z");
        is("December 2, 11:48:05 EST 2002", "2002-12-02T16:48:05Z");
        is("Mon Dec 2 11:48:05 2002 -0100", "2002-12-02T12:48:05Z");
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "yesterday",
            "RANDOM_Wed, 2 Dec 2002 11:48:05 +0000",
            "30 Feb 2002 11:48:05 +0000",
            "2 Foo 2002 11:48:05 +0000",
            "2 Dec 2002 24:00:00 +0000",
            "2 Dec 2002 11:60:00 +0000",
            "2 Dec 2002 11:48:61 +0000",
            "2 Dec 12002 11:48:05 +0000",
            "2 Dec 1899 11:48:05 +0000",
            "2 Dec 2 11:48:05 +0000",
            "2 Dec 2002",
            "Mon Dec 2 11:48:05",
            "(2 Dec 2002 11:48:05",
            "31 Dec 9999 23:59:59 -9999",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            date(&bytes);
        }

        #[test]
        fn whatever_resembles_a_date_is_read(text in "([A-Za-z]{0,4}[,.]?[ (\\\\)]?)?[0-9]{0,6}[ -][a-zA-Z]{2,5}[ -][0-9]{1,6} [0-9:. ]{0,12}[ +()A-Z:0-9-]{0,12}") {
            date(text.as_bytes());
        }

        #[test]
        fn dates_are_found_as_written(at in -2_208_988_800i64..253_000_000_000, hours in -23i64..24, minutes in 0i64..60) {
            let zone = if hours < 0 { hours * 3600 - minutes * 60 } else { hours * 3600 + minutes * 60 };
            let local = jiff::Timestamp::from_second(at + zone).unwrap();
            prop_assume!(at + zone >= -2_208_988_800);
            let sign = if zone < 0 { '-' } else { '+' };
            let written = format!("{} {sign}{:02}{minutes:02}", local.strftime("%a, %d %b %Y %H:%M:%S"), hours.abs());
            prop_assert_eq!(date(written.as_bytes()), Some(at));
        }
    }
}
