//! Names of files and folders: deterministic, valid on every common file system, and reversible for folders.

use sha2::{Digest as _, Sha256};

use crate::id::Digest;
use crate::message::MessageRecord;

/// Characters of a subject in a file name, and bytes.
const SUBJECT_CHARS: usize = 56;
const SUBJECT_BYTES: usize = 112;
/// Hex digits of the digest.
const DIGEST_DIGITS: usize = 12;
/// Bytes of a folder's name: with an extension, fewer than the 255 that file systems accept. A longer name ends in hex
/// digits of its digest.
const FOLDER_BYTES: usize = 220;
const FOLDER_DIGITS: usize = 16;
/// Names that mean something else to some file system, or within an export.
const RESERVED: [&str; 9] = ["con", "prn", "aux", "nul", "cur", "new", "tmp", "sha256sums", "manifest.jsonl"];

/// The file name of a message, at most 120 characters: UTC date and time, subject, digest, id. The id makes it unique,
/// and it stays.
pub(super) fn file_name(record: &MessageRecord) -> String {
    let info = &record.info;
    let at = Moment::of(info.date_in_record);
    let mut subject = String::new();
    for c in info.subject.chars() {
        let c = if c.is_alphanumeric() || matches!(c, '-' | '+' | '=') { c } else { '_' };
        if subject.chars().count() >= SUBJECT_CHARS || subject.len() + c.len_utf8() > SUBJECT_BYTES {
            break;
        }
        if c != '_' || !(subject.is_empty() || subject.ends_with('_')) {
            subject.push(c);
        }
    }
    let subject = subject.trim_matches('_');
    let digest = record.digest.to_string();
    let digest = digest.get(..DIGEST_DIGITS).unwrap_or(&digest);
    let Moment { year, month, day, hour, minute, second, .. } = at;
    let (store, no) = (info.id.store.0, info.id.no.0);
    let blank = if subject.is_empty() { "" } else { "_" };
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z{blank}{subject}_{digest}_{store}-{no}.eml")
}

/// A folder's name as a name in a file system. `%XX` means a byte, so that the name can be restored. A name that is too
/// long for file systems ends in `%~` and the first digits of its SHA-256; only the manifest has it in full.
pub(super) fn escape(name: &str) -> String {
    let mut escaped = escape_whole(name);
    if escaped.len() > FOLDER_BYTES {
        let mut end = FOLDER_BYTES - FOLDER_DIGITS - "%~".len();
        while !escaped.is_char_boundary(end) || escaped.as_bytes()[end - 2..end].contains(&b'%') {
            end -= 1;
        }
        escaped.truncate(end);
        let digest = Digest(Sha256::digest(name).into()).to_string();
        escaped.push_str("%~");
        escaped.push_str(digest.get(..FOLDER_DIGITS).unwrap_or(&digest));
    }
    escaped
}

fn escape_whole(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let last = name.chars().count().saturating_sub(1);
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    let is_port = stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem.ends_with(|c: char| c.is_ascii_digit());
    let is_reserved = is_port || RESERVED.contains(&lower.as_str()) || RESERVED.iter().take(4).any(|reserved| *reserved == stem);
    let ending = [".mbox", ".eml"].iter().find(|ending| lower.ends_with(**ending)).map(|ending| name.chars().count() - ending.len());
    for (at, c) in name.chars().enumerate() {
        let is_illegal = c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '%');
        let is_edge = (at == 0 && (c == '.' || is_reserved)) || (at == last && matches!(c, '.' | ' ')) || Some(at) == ending;
        if is_illegal || is_edge {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// A moment on the calendar, in UTC.
pub(super) struct Moment {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// Days since Sunday.
    pub(super) weekday: i64,
}

impl Moment {
    /// The proleptic Gregorian calendar, in cycles of 400 years with 146,097 days; the calculation uses years that
    /// begin in March.
    pub(super) fn of(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Day 0 is 0000-03-01.
        let shifted = days + 719_468;
        let (cycle, of_cycle) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
        let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self {
            year: cycle * 400 + year_of_cycle + i64::from(month <= 2),
            month,
            day: of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: of_day / 3600,
            minute: of_day % 3600 / 60,
            second: of_day % 60,
            weekday: (days + 4).rem_euclid(7),
        }
    }

    /// As in a From_ line: `Mon Mar  4 09:00:00 2024`.
    pub(super) fn asctime(&self) -> String {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let of = |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default();
        let Self { year, day, hour, minute, second, .. } = self;
        let (weekday, month) = (of(&DAYS, self.weekday), of(&MONTHS, self.month - 1));
        format!("{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year:04}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The inverse, as a user of an export would do it.
    fn unescape(name: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = name.as_bytes();
        while let Some((first, behind)) = rest.split_first() {
            if *first == b'%' {
                let digits = std::str::from_utf8(&behind[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &behind[2..];
            } else {
                bytes.push(*first);
                rest = behind;
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn folder_names_are_reversible_and_harmless(name in "[a-zA-Z./\\\\% :\u{1}üß日]{1,12}|con|NUL.txt|\\.\\.|\\.|com1|cur|x\\.mbox") {
            let escaped = escape(&name);
            prop_assert_eq!(unescape(&escaped), name);
            prop_assert!(!escaped.starts_with('.') && !escaped.contains(['/', '\\', ':']) && !escaped.ends_with(['.', ' ']));
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let names = ["ü".repeat(300), "ü".repeat(301), "/".repeat(100), format!("a{}", "/".repeat(100)), format!("{}/", "x".repeat(218))];
        let escaped = names.each_ref().map(|name| escape(name));
        for (at, cut) in escaped.iter().enumerate() {
            let (kept, digits) = cut.split_once("%~").unwrap();
            assert!(cut.len() <= 220 && digits.len() == 16, "{cut}");
            assert!(names[at].starts_with(&unescape(kept)), "{cut}");
            assert_eq!(escaped.iter().filter(|other| *other == cut).count(), 1);
        }
        assert_eq!(escape(&"x".repeat(220)), "x".repeat(220));
    }

    #[test]
    fn reserved_names_are_escaped() {
        let escaped = ["con", "Con.txt", "LPT1", "cur", "a.mbox", "..", "console", "a "].map(escape);
        assert_eq!(escaped, ["%63on", "%43on.txt", "%4CPT1", "%63ur", "a%2Embox", "%2E%2E", "console", "a%20"]);
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        let shown = |seconds| Moment::of(seconds).asctime();
        assert_eq!(shown(0), "Thu Jan  1 00:00:00 1970");
        assert_eq!(shown(1_709_542_800), "Mon Mar  4 09:00:00 2024");
        assert_eq!(shown(951_782_400), "Tue Feb 29 00:00:00 2000");
        assert_eq!(shown(-1), "Wed Dec 31 23:59:59 1969");
        assert_eq!(shown(4_107_542_399), "Sun Feb 28 23:59:59 2100");
    }
}
