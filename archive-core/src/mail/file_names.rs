//! File names out of parameters (docs/TEXT.md, T5.5 to T5.7; RFC 2231, and RFC 2047 where it does not belong but stands).

use std::collections::HashMap;

use super::header_text::{decode_escapes, decode_header_bytes, decode_words};
use super::media::{Content, Parameters};

/// Whether an entity has a file name (T5.8).
pub(super) fn has_file_name(content: &Content) -> bool {
    let mut fields = [(&content.disposition_parameters, "filename"), (&content.parameters, "name")].into_iter();
    let mut lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    content.file_names().next().is_some() && fields.any(|(of, name)| Named::new(of, name, &mut lossy).names(name).next().is_some())
}

/// The parameters of one field as characters, by name; of several of one name the first.
pub(super) struct Named(HashMap<Vec<u8>, String>);

impl Named {
    /// Those of `parameters` that may belong to a file name under `name`; `to_text` makes characters of a value (T3.1).
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
