//! Periods of the query language in a zone: when they begin and end (S2.6, A22.3, A22.4). Weeks begin on Monday.

use std::ops::Range;

use archive_index::{DateSpan, NamedPeriod, Period};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan as _};

use super::zone::Zone;

/// The lowest date: in the index, the value below it means no date.
const FIRST: i64 = i64::MIN + 1;

/// A zone, and the moment that relative dates count from.
pub(super) struct Calendar {
    zone: Zone,
    now: DateTime,
}

impl Calendar {
    /// In `zone`, at `now`: milliseconds since 1970 UTC.
    pub(super) fn new(zone: Zone, now: i64) -> Self {
        let now = Timestamp::from_millisecond(now).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.0.clone()).datetime();
        Self { zone, now }
    }

    /// Seconds since 1970 UTC from the start of a span to before its end. No span contains mails without a date.
    pub(super) fn seconds(&self, span: &DateSpan) -> Range<i64> {
        let from = span.from.map_or(FIRST, |period| self.seconds_of(self.start(period)));
        let to = span.to.map_or(i64::MAX, |period| self.seconds_of(self.end(period)));
        from..to.max(from)
    }

    /// The year and month of a time in the zone.
    pub(super) fn month(&self, seconds: i64) -> (i16, i8) {
        let time = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
        let date = self.zone.0.to_datetime(time).date();
        (date.year(), date.month())
    }

    /// The first moment of a local time; where a clock skips it, the moment of the skip.
    fn seconds_of(&self, time: DateTime) -> i64 {
        let moment = self.zone.0.to_ambiguous_timestamp(time).compatible();
        moment.map_or(if time.year() < 1970 { FIRST } else { i64::MAX }, Timestamp::as_second)
    }

    fn start(&self, period: Period) -> DateTime {
        let midnight = |date: Option<Date>| date.unwrap_or(Date::MIN).to_datetime(Time::midnight());
        let today = self.now.date();
        let ago = |days: u32| jiff::Span::new().try_days(days).and_then(|span| today.checked_sub(span)).unwrap_or(Date::MIN);
        let monday = ago(today.weekday().to_monday_zero_offset().unsigned_abs().into());
        match period {
            Period::Year(year) => midnight(Date::new(year, 1, 1).ok()),
            Period::Month(year, month) => midnight(Date::new(year, month, 1).ok()),
            Period::Day(year, month, day) => midnight(Date::new(year, month, day).ok()),
            Period::Minute(year, month, day, hour, minute) => {
                DateTime::new(year, month, day, hour, minute, 0, 0).unwrap_or_else(|_| midnight(None))
            }
            Period::MonthsAgo(months) => {
                let start = jiff::Span::new().try_months(months).and_then(|span| today.checked_sub(span));
                start.unwrap_or(Date::MIN).to_datetime(Time::midnight())
            }
            Period::DaysAgo(days) => ago(days).to_datetime(Time::midnight()),
            Period::Named(name) => midnight(Some(match name {
                NamedPeriod::Today => today,
                NamedPeriod::Yesterday => ago(1),
                NamedPeriod::ThisWeek => monday,
                NamedPeriod::LastWeek => monday.checked_sub(7.days()).unwrap_or(Date::MIN),
                NamedPeriod::ThisMonth => today.first_of_month(),
                NamedPeriod::LastMonth => today.first_of_month().checked_sub(1.month()).unwrap_or(Date::MIN),
                NamedPeriod::ThisYear => today.first_of_year(),
                NamedPeriod::LastYear => today.first_of_year().checked_sub(1.year()).unwrap_or(Date::MIN),
            })),
            // Periods of a later version of the language.
            _ => midnight(None),
        }
    }

    /// The first moment after a period.
    fn end(&self, period: Period) -> DateTime {
        let start = self.start(period);
        let length = match period {
            Period::Year(_) | Period::Named(NamedPeriod::ThisYear | NamedPeriod::LastYear) => 1.year(),
            Period::Month(..) | Period::Named(NamedPeriod::ThisMonth | NamedPeriod::LastMonth) => 1.month(),
            Period::Named(NamedPeriod::ThisWeek | NamedPeriod::LastWeek) => 7.days(),
            Period::Day(..) | Period::DaysAgo(_) | Period::MonthsAgo(_) | Period::Named(NamedPeriod::Today | NamedPeriod::Yesterday) => {
                1.day()
            }
            Period::Minute(..) => 1.minute(),
            _ => return start,
        };
        start.checked_add(length).unwrap_or(DateTime::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(zone_name: &str, now: &str, span: &str) -> (String, String) {
        let now: Timestamp = now.parse().unwrap();
        let calendar = Calendar::new(Zone::named(zone_name).unwrap(), now.as_millisecond());
        let range = calendar.seconds(&DateSpan::read(span).unwrap());
        let show = |seconds: i64| Timestamp::from_second(seconds).map_or_else(|_| "open".to_owned(), |time| time.to_string());
        (show(range.start), show(range.end))
    }

    #[test]
    fn s2_6_periods_have_their_bounds_in_the_callers_zone() {
        let now = "2024-05-08T10:00:00Z";
        for (zone, span, from, to) in [
            ("UTC", "2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("UTC", "2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"),
            ("+02:00", "2024-03-01T12:00", "2024-03-01T10:00:00Z", "2024-03-01T10:01:00Z"),
            ("UTC", "2024-01..2024-02", "2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("UTC", "7d", "2024-05-01T00:00:00Z", "open"),
            ("UTC", "2w", "2024-04-24T00:00:00Z", "open"),
            ("UTC", "3m", "2024-02-08T00:00:00Z", "open"),
            ("UTC", "1y", "2023-05-08T00:00:00Z", "open"),
            ("UTC", "99999y", "open", "open"),
            ("UTC", "1y..1m", "2023-05-08T00:00:00Z", "2024-04-09T00:00:00Z"),
            ("UTC", "last year..30.01.2024", "2023-01-01T00:00:00Z", "2024-01-31T00:00:00Z"),
            ("UTC", "2024..7d", "2024-01-01T00:00:00Z", "2024-05-02T00:00:00Z"),
            ("UTC", "today", "2024-05-08T00:00:00Z", "2024-05-09T00:00:00Z"),
            ("+14:00", "yesterday", "2024-05-07T10:00:00Z", "2024-05-08T10:00:00Z"),
            ("UTC", "this-week", "2024-05-06T00:00:00Z", "2024-05-13T00:00:00Z"),
            ("UTC", "last-week", "2024-04-29T00:00:00Z", "2024-05-06T00:00:00Z"),
            ("UTC", "last-month", "2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z"),
            ("UTC", "this-year", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("UTC", "last-year", "2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ] {
            assert_eq!(seconds(zone, now, span), (from.to_owned(), to.to_owned()), "{span} in {zone}");
        }
    }

    #[test]
    fn s2_6_a_range_that_ends_before_it_begins_is_empty() {
        let calendar = Calendar::new(Zone::utc(), 0);
        assert!(calendar.seconds(&DateSpan::read("2024..2023").unwrap()).is_empty());
    }

    #[test]
    fn zones_are_names_or_offsets() {
        let offset = |text| Zone::named(text).unwrap().offset_at(0);
        assert_eq!(offset("UTC"), 0);
        assert_eq!(offset("-03:30"), -(3 * 3600 + 1800));
        assert!(Zone::named("+99:00").is_none() && Zone::named("+x").is_none() && Zone::named("Nowhere/City").is_none());
    }
}
