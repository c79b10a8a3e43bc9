//! Type, disposition and parameters of content fields, and file names (docs/TEXT.md, T5; RFC 2045, 2183, 2231, read leniently).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::header_text::{decode_escapes, decode_header_bytes, decode_words};

/// The text of a content field, taken apart.
#[derive(Debug, Default)]
pub(super) struct ContentField {
    /// What stands before the parameters, ASCII lowercased.
    pub(super) main: String,
    parameters: HashMap<String, String>,
}

impl ContentField {
    /// T5.2, T5.3.
    pub(super) fn parse(text: &str) -> Self {
        let (before, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let before = before.split('(').next().unwrap_or_default().trim_matches(is_white);
        let main = before.split(is_white).next().unwrap_or_default().to_ascii_lowercase();
        let mut parameters = HashMap::new();
        loop {
            rest = rest.trim_start_matches(|c| is_white(c) || c == ';');
            if rest.is_empty() {
                return Self { main, parameters };
            }
            let name_end = rest.find(['=', ';']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(name_end);
            let Some(behind) = behind.strip_prefix('=') else {
                rest = behind;
                continue;
            };
            let name = name.trim_matches(is_white).to_ascii_lowercase();
            let behind = behind.trim_start_matches(is_white);
            let (value, behind) = match behind.strip_prefix('"') {
                Some(quoted) => quoted_value(quoted),
                None => {
                    let (value, behind) = behind.split_at(behind.find(';').unwrap_or(behind.len()));
                    let value = value.trim_end_matches(is_white);
                    (if is_cut(&name) { value.split(is_white).next().unwrap_or_default() } else { value }.to_owned(), behind)
                }
            };
            rest = behind;
            if let Entry::Vacant(place) = parameters.entry(name) {
                place.insert(value);
            }
        }
    }

    /// The value of a parameter, nothing of RFC 2231 done.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The value of `charset` (T5.4).
    pub(super) fn charset(&self) -> &str {
        let value = self.parameter("charset").unwrap_or_default();
        let value = value.split(is_white).next().unwrap_or_default();
        let value = value.split('(').next().unwrap_or_default();
        let value = value.strip_prefix('\'').unwrap_or(value);
        value.strip_suffix('\'').unwrap_or(value)
    }

    /// The value of `boundary` (T2.7); empty if there is none.
    pub(super) fn boundary(&self) -> &str {
        self.parameter("boundary").unwrap_or_default().trim_end_matches(is_white)
    }

    /// Whether a parameter, cut at the first white, has this value in any case.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        let found = self.parameter(name).and_then(|found| found.split(is_white).next());
        found.is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    /// The decoded candidates for a file name under parameter `name` (T5.5 to T5.7), in order, not empty.
    pub(super) fn names(&self, name: &str) -> impl Iterator<Item = String> {
        let plain = self.parameter(name).map(|value| decode_words(value.to_owned()));
        let extended = self.parameter(&format!("{name}*")).map(|value| {
            let (label, text) = split_extended(value);
            let mut bytes = Vec::new();
            decode_escapes(text.as_bytes(), b'%', |byte| byte, &mut bytes);
            decode_header_bytes(&bytes, label)
        });
        [plain, extended, self.segmented(name)].into_iter().flatten().filter(|name| !name.is_empty())
    }

    /// T5.7.
    fn segmented(&self, name: &str) -> Option<String> {
        let mut label = "";
        let mut bytes = Vec::new();
        let mut any_extended = false;
        for number in 0.. {
            if let Some(value) = self.parameter(&format!("{name}*{number}*")) {
                let mut text = value;
                if number == 0 {
                    (label, text) = split_extended(value);
                }
                decode_escapes(text.as_bytes(), b'%', |byte| byte, &mut bytes);
                any_extended = true;
            } else if let Some(value) = self.parameter(&format!("{name}*{number}")) {
                bytes.extend_from_slice(value.as_bytes());
            } else if number == 0 {
                return None;
            } else {
                break;
            }
        }
        let text = decode_header_bytes(&bytes, label);
        Some(if any_extended { text } else { decode_words(text) })
    }
}

/// The part before the first `'`, and the part behind the second.
fn split_extended(value: &str) -> (&str, &str) {
    let mut pieces = value.splitn(3, '\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(label), Some(_), Some(text)) => (label, text),
        _ => ("", value),
    }
}

/// The value behind an opening quote, and what follows its parameter.
fn quoted_value(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find(['"', '\\']).unwrap_or(rest.len());
        let (plain, behind) = rest.split_at(end);
        value.push_str(plain);
        let Some(backslash) = behind.strip_prefix('\\') else {
            let behind = behind.strip_prefix('"').unwrap_or_default();
            return (value, behind.find(';').and_then(|at| behind.get(at..)).unwrap_or_default());
        };
        rest = backslash;
        match backslash.strip_prefix(['"', '\\']) {
            Some(behind) => {
                value.push_str(backslash.get(..1).unwrap_or_default());
                rest = behind;
            }
            None => value.push('\\'),
        }
    }
}

/// Parameters whose unquoted value ends at the first white (T5.4).
fn is_cut(name: &str) -> bool {
    name == "boundary"
}

fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        ContentField::parse(text).names("filename").collect()
    }

    #[test]
    fn t5_2_the_type_before_comments_and_blanks() {
        for text in ["Text/HTML", " text/html (a; b)", "text/html charset=x; y=z", "text/html;", "text/html(c)"] {
            assert_eq!(ContentField::parse(text).main, "text/html", "{text}");
        }
        assert_eq!(ContentField::parse("text / html").main, "text");
    }

    #[test]
    fn t5_3_parameters() {
        let field = ContentField::parse(r#"a/b;; A = "x\"y\\z\w" junk; a=2; b= foo bar ; c; d="open"#);
        assert_eq!(field.parameter("a"), Some(r#"x"y\z\w"#));
        assert_eq!(field.parameter("b"), Some("foo bar"));
        assert_eq!(field.parameter("c"), None);
        assert_eq!(field.parameter("d"), Some("open"));
    }

    #[test]
    fn t5_4_some_values_are_cut() {
        assert_eq!(ContentField::parse("a/b; charset=us-ascii(plain) text").charset(), "us-ascii");
        assert_eq!(ContentField::parse("a/b; charset=\"'utf-8' x\"").charset(), "utf-8");
        assert_eq!(ContentField::parse("a/b; boundary=x y").parameter("boundary"), Some("x"));
        assert_eq!(ContentField::parse("a/b; boundary=\"x y\"").parameter("boundary"), Some("x y"));
        assert!(ContentField::parse("a/b; format=Flowed x").says("format", "flowed"));
    }

    #[test]
    fn t5_5_plain_names_with_encoded_words() {
        assert_eq!(names("attachment; filename==?utf-8?q?=C3=BC.pdf?="), ["ü.pdf"]);
        assert_eq!(names("attachment; filename=\"\""), Vec::<String>::new());
    }

    #[test]
    fn t5_6_extended_names() {
        assert_eq!(names("attachment; filename=a; filename*=iso-8859-1'de'%fcb%zz"), ["a", "üb%zz"]);
        assert_eq!(names("attachment; filename*=%c3%bc'x"), ["ü'x"]);
    }

    #[test]
    fn t5_7_segments() {
        assert_eq!(names("x; filename*1*=%c3; filename*0*=utf-8''a%20; filename*2*=%bc; filename*3=%41; filename*5=no"), ["a ü%41"]);
        assert_eq!(names("x; filename*0=\"=?utf-8?q?=C3\"; filename*1=\"=BC?=\""), ["ü"]);
        assert_eq!(names("x; filename*1=lost"), Vec::<String>::new());
    }
}
