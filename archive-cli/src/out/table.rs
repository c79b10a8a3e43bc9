//! Lists: aligned columns on a terminal, fields between tabs elsewhere. Nothing is cut but on a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Out, escape};
use crate::failure::Failure;

/// A list of rows with columns of these widths; the last one takes what it needs.
pub struct Table<const N: usize> {
    widths: [usize; N],
    right: [bool; N],
}

impl<const N: usize> Table<N> {
    /// Columns that are as wide as this on a terminal; a negative width sets to the right.
    pub fn new(widths: [i32; N]) -> Self {
        Self { widths: widths.map(|width| width.unsigned_abs() as usize), right: widths.map(|width| width < 0) }
    }

    /// Prints a row; its fields may be foreign text.
    pub fn row(&self, out: &mut Out, fields: [&str; N]) -> Result<(), Failure> {
        let fields = fields.map(escape::line);
        if !out.is_terminal() {
            return out.line(&fields.join("\t"));
        }
        let mut line = String::new();
        for (at, field) in fields.iter().enumerate() {
            let is_last = at + 1 == N;
            let width = self.widths.get(at).copied().unwrap_or_default();
            let cut = if is_last { field.clone() } else { cut(field, width) };
            let blanks = " ".repeat(width.saturating_sub(cut.width()));
            match (is_last, self.right.get(at)) {
                (true, _) => line.push_str(&cut),
                (false, Some(true)) => line.push_str(&format!("{blanks}{cut}  ")),
                (false, _) => line.push_str(&format!("{cut}{blanks}  ")),
            }
        }
        out.line(line.trim_end())
    }
}

/// As much as fits, with `…` where something is missing.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let mut fits = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        fits.push(c);
    }
    fits.push('…');
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_by_its_width() {
        assert_eq!(cut("Grüße", 5), "Grüße");
        assert_eq!(cut("Grüße aus", 6), "Grüße…");
        assert_eq!(cut("日本語です", 6), "日本…");
    }
}
