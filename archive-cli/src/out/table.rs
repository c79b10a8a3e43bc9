//! Lists: aligned columns within the width of a terminal, fields separated by tabs elsewhere. Only on a terminal is
//! anything cut.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::marked::{FOUND, PLAIN};
use super::{Out, escape};
use crate::failure::Failure;

/// Below this width columns are closer together.
pub const NARROW: usize = 60;

/// A column of a list on a terminal.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// At least this wide, left-aligned; never cut.
    Left(usize),
    /// The same, right-aligned.
    Right(usize),
    /// This many shares of what the others leave; longer text is cut at its end.
    Share(usize),
    /// The same, cut at its beginning, since the end of a path says more.
    Tail(usize),
}

/// A list of rows with these columns.
#[derive(Debug)]
pub struct Table<const N: usize>(pub [Column; N]);

impl<const N: usize> Table<N> {
    /// Prints a row; its fields may be foreign text.
    pub fn row(&self, out: &mut Out, fields: [&str; N]) -> Result<(), Failure> {
        self.row_with_found(out, fields, N, &[])
    }

    /// Prints a row in which `found`, bytes of the field `at`, are words that were found: in colour, where there is any.
    pub fn row_with_found(&self, out: &mut Out, fields: [&str; N], at: usize, found: &[Range<usize>]) -> Result<(), Failure> {
        let shown = fields.map(escape::line);
        let Some(width) = out.width() else { return out.line(&shown.join("\t")) };
        let (line, places) = aligned(&self.0, &shown, width);
        let place = places.get(at).cloned().unwrap_or_default();
        // Where controls had to be written otherwise, words have other places.
        let is_as_given = fields.get(at).zip(shown.get(at)).is_some_and(|(given, shown)| given == shown);
        match out.has_colour() && is_as_given {
            true => out.line(&coloured(&line, &place, found)),
            false => out.line(&line),
        }
    }
}

/// The line with `found` in colour, which counts from the beginning of `place`; what is not within `place` was cut.
fn coloured(line: &str, place: &Range<usize>, found: &[Range<usize>]) -> String {
    let (mut text, mut at) = (String::with_capacity(line.len()), 0);
    for range in found {
        let (start, end) = (place.start + range.start, (place.start + range.end).min(place.end));
        if let (true, Some(before), Some(word)) = (start < end, line.get(at..start), line.get(start..end)) {
            text.extend([before, FOUND, word, PLAIN]);
            at = end;
        }
    }
    text.push_str(line.get(at..).unwrap_or_default());
    text
}

/// A row of exactly these columns, at most `width` wide, and where in it the uncut beginning of each field stands.
fn aligned(columns: &[Column], fields: &[String], width: usize) -> (String, Vec<Range<usize>>) {
    let gap = if width < NARROW { 1 } else { 2 };
    let mut fixed = gap * columns.len().saturating_sub(1);
    let mut shares = 0;
    for (column, field) in columns.iter().zip(fields) {
        match column {
            Column::Left(least) | Column::Right(least) => fixed += field.width().max(*least),
            Column::Share(of) | Column::Tail(of) => shares += of,
        }
    }
    let rest = width.saturating_sub(fixed);
    let mut line = String::new();
    let mut places = Vec::new();
    let mut before = 0;
    for (at, (column, field)) in columns.iter().zip(fields).enumerate() {
        if at > 0 {
            line.push_str(&" ".repeat(gap));
        }
        let (text, room) = match column {
            Column::Left(least) | Column::Right(least) => (field.clone(), *least),
            Column::Share(of) | Column::Tail(of) => {
                // Shares are rounded so that together they fill the line.
                let room = rest * (before + of) / shares.max(1) - rest * before / shares.max(1);
                before += of;
                let is_tail = matches!(column, Column::Tail(_));
                (if is_tail { end(field, room) } else { cut(field, room) }, room)
            }
        };
        let blanks = " ".repeat(room.saturating_sub(text.width()));
        let start = line.len() + if matches!(column, Column::Right(_)) { blanks.len() } else { 0 };
        let whole = text.bytes().zip(field.bytes()).take_while(|(shown, given)| shown == given).count();
        places.push(start..start + whole);
        match column {
            Column::Right(_) => line.extend([blanks, text]),
            _ => line.extend([text, blanks]),
        }
    }
    (cut(line.trim_end(), width), places)
}

/// As much as fits, with `…` if something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fits = fitting(text.chars(), width);
    fits.extend((width > 0).then_some('…'));
    fits
}

/// As much of the end as fits, after `…`.
pub fn end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let fits = fitting(text.chars().rev(), width);
    (width > 0).then_some('…').into_iter().chain(fits.chars().rev()).collect()
}

/// Characters that leave room for one more.
fn fitting(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used < width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_by_its_width() {
        assert_eq!(cut("Grüße", 5), "Grüße");
        assert_eq!(cut("Grüße aus", 6), "Grüße…");
        assert_eq!(cut("日本語です", 6), "日本…");
        assert_eq!((cut("ab", 1), cut("ab", 0)), ("…".to_owned(), String::new()));
        assert_eq!((end("anna/inbox", 6), end("inbox", 5)), ("…inbox".to_owned(), "inbox".to_owned()));
    }

    #[test]
    fn no_row_is_wider_than_the_terminal_and_what_is_never_cut_stays_whole() {
        let columns = [Column::Left(8), Column::Right(10), Column::Share(3), Column::Tail(1)];
        for id in ["1:7", "1:4000000000"] {
            let subject = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, 日本語";
            let fields = [id, "1.5 KiB", subject, "anna/a/very/deep/folder/of/mails"].map(str::to_owned);
            for width in [40, 60, 80, 100, 132] {
                let (row, _) = aligned(&columns, &fields, width);
                assert!(row.width() <= width && row.starts_with(id) && row.contains("1.5 KiB"), "{width}: {row}");
                assert!(row.ends_with("s"), "{width}: {row}");
            }
            for width in 0..40 {
                assert!(aligned(&columns, &fields, width).0.width() <= width, "{width}");
            }
        }
        let fields = ["1:7", "9 B", "short", "anna/in"].map(str::to_owned);
        assert_eq!(aligned(&columns, &fields, 60).0, format!("1:7              9 B  short{}anna/in", " ".repeat(24)));
    }

    #[test]
    fn found_words_are_coloured_where_they_are_not_cut() {
        let columns = [Column::Left(4), Column::Share(1), Column::Left(3)];
        let fields = ["1:7", "Grüße, alle Grüße", "end"].map(str::to_owned);
        let found: Vec<Range<usize>> = fields[1].match_indices("Grüße").map(|(at, word)| at..at + word.len()).collect();
        let shown = |width| {
            let (line, places) = aligned(&columns, &fields, width);
            coloured(&line, &places[1], &found).replace(FOUND, "[").replace(PLAIN, "]")
        };
        assert_eq!(shown(40).split_whitespace().collect::<Vec<_>>(), ["1:7", "[Grüße],", "alle", "[Grüße]", "end"]);
        assert_eq!(shown(25), "1:7  [Grüße], alle [Grü]… end");
        assert_eq!(shown(12), "1:7  [Gr]… end");
    }
}
