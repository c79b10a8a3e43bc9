//! Times and sizes as people read them: local time with offset, IEC units; RFC 3339 UTC for machines.

use archive_core::Zone;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// `2024-03-01 12:30 +01:00`; a time outside the calendar as seconds.
pub fn local(seconds: i64, zone: &Zone) -> String {
    shown(seconds, zone, "%Y-%m-%d %H:%M %:z")
}

/// `2024-03-01 12:30`.
pub fn minute(seconds: i64, zone: &Zone) -> String {
    shown(seconds, zone, "%Y-%m-%d %H:%M")
}

/// `2024-03-01`.
pub fn day(seconds: i64, zone: &Zone) -> String {
    shown(seconds, zone, "%Y-%m-%d")
}

fn shown(seconds: i64, zone: &Zone, format: &str) -> String {
    match Timestamp::from_second(seconds) {
        Ok(time) => {
            let offset = Offset::from_seconds(zone.offset_at(seconds)).unwrap_or(Offset::UTC);
            time.to_zoned(TimeZone::fixed(offset)).strftime(format).to_string()
        }
        Err(_) => format!("{seconds} s"),
    }
}

/// `2024-03-01T11:30:00Z`, if the time is within the calendar.
pub fn utc(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// `1.4 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"KiB");
    for larger in units {
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_their_unit_at_1024() {
        let shown: Vec<String> = [0, 1023, 1024, 1536, 1 << 20, (1 << 30) - 1, u64::MAX].into_iter().map(size).collect();
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.0 GiB", "16384.0 PiB"]);
    }

    #[test]
    fn times_are_shown_with_their_offset() {
        let zone = Zone::named("+02:00").unwrap();
        assert_eq!(local(0, &zone), "1970-01-01 02:00 +02:00");
        assert_eq!((minute(0, &zone), day(0, &zone)), ("1970-01-01 02:00".to_owned(), "1970-01-01".to_owned()));
        assert_eq!(utc(0).unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(local(i64::MAX, &zone), format!("{} s", i64::MAX));
        assert_eq!(utc(i64::MIN), None);
    }
}
