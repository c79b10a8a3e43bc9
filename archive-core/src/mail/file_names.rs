//! File names from parameters (docs/TEXT.md, T5.5 to T5.7; RFC 2231, and RFC 2047 where it is used although it must not
//! be).

use std::collections::HashMap;

use super::header_text::{decode_escapes, decode_header_bytes, decode_words};
use super::media::{Content, Parameters};

/// Whether an entity has a file name (T5.8).
pub(super) fn has_file_name(content: &Content) -> bool {
    let mut fields = [(&content.disposition_parameters, "filename"), (&content.parameters, "name")].into_iter();
    let mut lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    content.file_names().next().is_some() && fields.any(|(of, name)| Named::new(of, name, &mut lossy).names(name).next().is_some())
}

/// The parameters of one field as characters, by name; the first one counts if several have the same name.
pub(super) struct Named(HashMap<Vec<u8>, String>);

impl Named {
    /// The `parameters` that may belong to a file name under `name`; `to_text` decodes a value to characters (T3.1).
    pub(super) fn new(parameters: &Parameters, name: &str, to_text: &mut dyn FnMut(&[u8]) -> String) -> Self {
        let mut values = HashMap::new();
        for (found, value) in &parameters.0 {
            if found.starts_with(name.as_bytes()) {
                values.entry(found.clone()).or_insert_with(|| to_text(value));
            }
        }
        Self(values)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.0.get(name.as_bytes()).map(String::as_str)
    }

    /// The decoded candidates for a file name under parameter `name` (T5.5 to T5.7), in order, not empty.
    pub(super) fn names(&self, name: &str) -> impl Iterator<Item = String> {
        let plain = self.parameter(name).map(|value| decode_words(value.to_owned()));
        let unescaped = plain.as_deref().and_then(without_escapes);
        let extended = self.parameter(&format!("{name}*")).map(|value| {
            let (label, text) = split_extended(value);
            let mut bytes = Vec::new();
            decode_escapes(text.as_bytes(), b'%', |byte| byte, &mut bytes);
            decode_header_bytes(&bytes, label)
        });
        [plain, unescaped, extended, self.segmented(name)].into_iter().flatten().filter(|name| !name.is_empty())
    }

    /// The lowest number of a segment.
    fn first_segment(&self, name: &str) -> Option<u64> {
        let numbers = self.0.keys().filter_map(|key| {
            let number = std::str::from_utf8(key).ok()?.strip_prefix(name)?.strip_prefix('*')?;
            let number = number.strip_suffix('*').unwrap_or(number);
            number.parse().ok().filter(|parsed: &u32| parsed.to_string() == number).map(u64::from)
        });
        numbers.min()
    }

    /// T5.7.
    fn segmented(&self, name: &str) -> Option<String> {
        let mut label = "";
        let mut bytes = Vec::new();
        let mut any_extended = false;
        let first = self.first_segment(name)?;
        for number in first.. {
            if let Some(value) = self.parameter(&format!("{name}*{number}*")) {
                let mut text = value;
                if number == first {
                    (label, text) = split_extended(value);
                }
                decode_escapes(text.as_bytes(), b'%', |byte| byte, &mut bytes);
                any_extended = true;
            } else if let Some(value) = self.parameter(&format!("{name}*{number}")) {
                bytes.extend_from_slice(value.as_bytes());
            } else {
                break;
            }
        }
        let text = decode_header_bytes(&bytes, label);
        Some(if any_extended { text } else { decode_words(text) })
    }
}

/// Decodes a name with URL escapes, if it is one: all of its `%` are escapes, some of them for a blank or beyond ASCII,
/// and they give UTF-8 without controls.
fn without_escapes(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    decode_escapes(name.as_bytes(), b'%', |byte| byte, &mut bytes);
    let escapes = (name.len() - bytes.len()) / 2;
    let text = String::from_utf8(bytes).ok()?;
    let is_telling = name.contains("%20") || text.chars().count() < name.chars().count() - 2 * escapes;
    let is_clean = !text.contains(char::is_control) && name.matches('%').count() == escapes;
    (escapes > 0 && is_telling && is_clean).then_some(text)
}

/// The part before the first `'`, and the part after the second.
fn split_extended(value: &str) -> (&str, &str) {
    let mut pieces = value.splitn(3, '\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(label), Some(_), Some(text)) => (label, text),
        _ => ("", value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::media::{Content, LineEnd, fields};
    use super::Named;

    fn names(disposition: &str) -> Vec<String> {
        let header = format!("Content-Disposition: {disposition}\n");
        let content = Content::read(&fields(header.as_bytes(), LineEnd::Lf).collect::<Vec<_>>(), "text/plain");
        let mut to_text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Named::new(&content.disposition_parameters, "filename", &mut to_text).names("filename").collect()
    }

    #[test]
    fn t5_5_plain_names_with_encoded_words() {
        assert_eq!(names("attachment; filename==?utf-8?q?=C3=BC.pdf?="), ["ü.pdf"]);
        assert_eq!(names("attachment; filename=\"\""), Vec::<String>::new());
    }

    #[test]
    fn t5_5_a_plain_name_may_have_the_escapes_of_urls() {
        assert_eq!(names("x; filename=\"Gr%C3%BC%c3%9Fe.pdf\""), ["Gr%C3%BC%c3%9Fe.pdf", "Grüße.pdf"]);
        assert_eq!(names("x; filename=My%20plan%2Bmore.pdf"), ["My%20plan%2Bmore.pdf", "My plan+more.pdf"]);
        for plain in ["100%25.pdf", "50%.pdf", "50% %20.pdf", "Gr%FC.pdf", "a%2Fb.pdf", "a%20%0Ab.pdf", "%c3%bc%zz"] {
            assert_eq!(names(&format!("x; filename=\"{plain}\"")), [plain]);
        }
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
        assert_eq!(names("x; filename*2=\"two.pdf\"; filename*1=\"one \""), ["one two.pdf"], "the first is lacking");
        assert_eq!(names("x; filename*1*=utf-8''%c3; filename*2*=%bc"), ["ü"]);
        assert_eq!(names("x; filename*01=a; filename*-1=b; filename*x=c; filename**=d"), Vec::<String>::new());
    }
}
