//! A piece of text in which the found words are marked: in colour, or between `*`.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::escape;

/// Begins a found word.
pub const FOUND: &str = "\u{1b}[1;31m";
/// Ends it.
pub const PLAIN: &str = "\u{1b}[0m";

/// The text on one line. With a `width` it is at most that wide, and shows the part around the first found word.
pub fn marked(text: &str, ranges: &[Range<usize>], width: Option<usize>, in_colour: bool) -> String {
    let cells = cells(text, ranges, in_colour);
    let (cells, is_begun, is_ended) = match width {
        Some(width) => window(&cells, width),
        None => (cells.as_slice(), true, true),
    };
    let mut line = String::new();
    line.extend((!is_begun).then_some('…'));
    let mut was_found = false;
    for (c, is_found) in cells {
        if in_colour && *is_found != was_found {
            line.push_str(if *is_found { FOUND } else { PLAIN });
        }
        was_found = *is_found;
        line.push(*c);
    }
    if in_colour && was_found {
        line.push_str(PLAIN);
    }
    line.extend((!is_ended).then_some('…'));
    line
}

/// Characters as they are shown, and whether each belongs to a found word.
fn cells(text: &str, ranges: &[Range<usize>], in_colour: bool) -> Vec<(char, bool)> {
    let mut cells = Vec::new();
    let mut at = 0;
    let mut push = |piece: Option<&str>, is_found: bool| {
        let piece = escape::line(piece.unwrap_or_default());
        let sign = (is_found && !in_colour).then_some('*');
        cells.extend(sign.into_iter().chain(piece.chars()).chain(sign).map(|c| (c, is_found)));
    };
    for range in ranges {
        push(text.get(at..range.start), false);
        push(text.get(range.clone()), true);
        at = range.end;
    }
    push(text.get(at..), false);
    cells
}

/// The cells that fit, and whether the first and the last of all are among them.
fn window(cells: &[(char, bool)], width: usize) -> (&[(char, bool)], bool, bool) {
    let wide = |cells: &[(char, bool)]| cells.iter().map(|(c, _)| c.width().unwrap_or(0)).sum::<usize>();
    if wide(cells) <= width {
        return (cells, true, true);
    }
    let found = cells.iter().position(|(_, is_found)| *is_found).unwrap_or(0);
    let mut start = found;
    while start > 0 && cells.get(start - 1..found).is_some_and(|before| wide(before) <= width / 3) {
        start -= 1;
    }
    let room = width.saturating_sub(1 + usize::from(start > 0));
    let (mut end, mut used) = (start, 0);
    while let Some((c, _)) = cells.get(end) {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        end += 1;
    }
    (cells.get(start..end).unwrap_or_default(), start == 0, end == cells.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    const TEXT: &str = "Dear Ada,\nwith this letter comes the invoice of the last month, and the invoice of the month before.";

    fn found() -> Vec<Range<usize>> {
        TEXT.match_indices("invoice").map(|(at, word)| at..at + word.len()).collect()
    }

    #[test]
    fn found_words_are_marked_in_colour_or_between_stars() {
        let whole = marked(TEXT, &found(), None, false);
        assert!(whole.starts_with("Dear Ada,\\u{a}with") && whole.contains("the *invoice* of the last"), "{whole}");
        assert!(marked(TEXT, &found(), None, true).contains("the \u{1b}[1;31minvoice\u{1b}[0m of the last"));
        assert_eq!(marked("ab", std::slice::from_ref(&(0..2)), None, true), "\u{1b}[1;31mab\u{1b}[0m");
    }

    #[test]
    fn a_snippet_fits_the_line_and_shows_a_found_word() {
        for width in [20, 40, 76] {
            let line = marked(TEXT, &found(), Some(width), false);
            assert!(line.width() <= width && line.contains("*invoice*"), "{width}: {line}");
        }
        assert_eq!(marked("日本語です", std::slice::from_ref(&(0..9)), Some(7), false), "*日本…");
        assert_eq!(marked("short", &[], Some(5), false), "short");
        for width in 0..20 {
            assert!(marked(TEXT, &found(), Some(width), true).replace(FOUND, "").replace(PLAIN, "").width() <= width.max(2), "{width}");
        }
    }
}
