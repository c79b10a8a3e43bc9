//! Text of mails made harmless for terminals: controls and bidirectional controls are printed as `\u{…}`.

/// Whether a terminal might interpret it: C0, DEL, C1, and characters that change the direction of text.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, keeps: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_control(c) && !keeps(c) {
            true => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// Text that stays on one line.
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Text of several lines: line ends and tabs stay.
pub fn text(text: &str) -> String {
    escaped(&text.replace("\r\n", "\n"), |c| matches!(c, '\n' | '\t'))
}

/// A JSON text in which such characters, which occur only in its strings, are written as JSON escapes.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_control(c) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_controls_reads_as_it_was() {
        let value = serde_json::json!({ "subject": "tab\u{9b}31m \u{202e}\u{7f} ü \u{1}" });
        let text = json(&value.to_string());
        assert!(!text.chars().any(is_control), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn controls_are_shown_and_letters_stay() {
        assert_eq!(line("a\u{1b}[31mb\n\u{202e}ü\u{9b}"), "a\\u{1b}[31mb\\u{a}\\u{202e}ü\\u{9b}");
        assert_eq!(text("a\r\nb\tc\rd"), "a\nb\tc\\u{d}d");
    }
}
