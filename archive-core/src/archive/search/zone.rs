//! Time zones by name, as criteria have them and as people see times.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// A time zone: `UTC`, `Europe/Berlin`, `+02:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(pub(super) TimeZone);

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// That of the system; UTC if it has none.
    #[must_use]
    pub fn system() -> Self {
        Self(TimeZone::system())
    }

    /// The zone of that name: that of a city in the time zone database, `UTC`, or an offset such as `+02:00`. `None` if
    /// there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() || name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") {
            return Some(Self::utc());
        }
        let Some(rest) = name.strip_prefix(['+', '-']) else { return TimeZone::get(name).ok().map(Self) };
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let number = |digits: &str, most| digits.parse::<i32>().ok().filter(|number| (0..=most).contains(number));
        let seconds = number(hours, 23)? * 3600 + number(minutes, 59)? * 60;
        let offset = Offset::from_seconds(if name.starts_with('-') { -seconds } else { seconds });
        offset.ok().map(|offset| Self(TimeZone::fixed(offset)))
    }

    /// Its name, as [`named`](Self::named) reads it.
    #[must_use]
    pub fn name(&self) -> String {
        if let Some(name) = self.0.iana_name() {
            return name.to_owned();
        }
        let seconds = self.0.to_fixed_offset().map_or(0, Offset::seconds);
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        format!("{}{hours:02}:{minutes:02}", if seconds < 0 { '-' } else { '+' })
    }

    /// How many seconds its clocks are ahead of UTC at a time: seconds since 1970 UTC.
    #[must_use]
    pub fn offset_at(&self, seconds: i64) -> i32 {
        let time = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
        self.0.to_offset(time).seconds()
    }
}
