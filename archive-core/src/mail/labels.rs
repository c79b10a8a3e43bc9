//! Labels of a mail from a mail service, as its export writes them (docs/TEXT.md, T12): decoded, separated by commas.

use super::facts::{Facts, MAX_FACT, kept};
use super::walk::{MAX_HEADER, Node, Visitor, Walker};

mod places;

pub(crate) use places::folder;

/// The field that has them.
pub(super) const FIELD: &str = "X-Gmail-Labels";
/// Bytes of all labels of a mail together.
pub(crate) const MAX_LABELS: usize = 8 * MAX_FACT;

/// Adds the labels of a decoded field to `list`, each once, as many as there is room for.
pub(super) fn add(text: &str, list: &mut Vec<String>) {
    let text = unquoted(text);
    let mut room = MAX_LABELS.saturating_sub(list.iter().map(String::len).sum());
    let mut rest = Some(text.as_str());
    while let Some(text) = rest {
        let (label, behind) = first(text);
        rest = behind;
        let label = kept(label.trim_matches(WHITE));
        if label.is_empty() || list.iter().any(|known| known == label) {
            continue;
        }
        let Some(left) = room.checked_sub(label.len()) else { return };
        room = left;
        list.push(label.to_owned());
    }
}

/// The labels of a mail that begins with these bytes.
pub(crate) fn of_mail(begin: &[u8]) -> Vec<String> {
    let mut found = Found::default();
    let mut walker = Walker::new();
    walker.push(begin.get(..MAX_HEADER).unwrap_or(begin), &mut found);
    walker.finish(&mut found);
    found.labels
}

#[derive(Default)]
struct Found {
    labels: Vec<String>,
}

impl Visitor for Found {
    fn open(&mut self, node: &Node<'_>) {
        if node.parent.is_none() {
            self.labels = Facts::of_header(node).labels;
        }
    }
}

/// Decodes Q encoding without its frame, such as `=C3=B6`, if its bytes are above 0x7F and UTF-8.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let (before, encoded) = rest.split_at(at);
        out.push_str(before);
        let bytes: Vec<u8> = encoded.as_bytes().chunks(3).map_while(byte_of).collect();
        let (run, behind) = encoded.split_at((3 * bytes.len()).max(1));
        out.push_str(std::str::from_utf8(&bytes).ok().filter(|decoded| !decoded.is_empty()).unwrap_or(run));
        rest = behind;
    }
    out + rest
}

/// A byte above 0x7F, written as `=` and two hex digits.
fn byte_of(written: &[u8]) -> Option<u8> {
    let [b'=', high, low] = written else { return None };
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok().filter(|byte| *byte > 0x7f)
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The first label of a list, and what follows its comma. A comma in quotes belongs to the label.
fn first(text: &str) -> (String, Option<&str>) {
    let mut label = String::new();
    let mut text = text.trim_start_matches(WHITE);
    if let Some(quoted) = text.strip_prefix('"') {
        let mut chars = quoted.char_indices();
        text = "";
        while let Some((at, c)) = chars.next() {
            let next = quoted.get(at + c.len_utf8()..).unwrap_or_default();
            match c {
                '\\' if next.starts_with(['"', '\\']) => label.extend(chars.next().map(|(_, c)| c)),
                '"' if next.starts_with('"') => label.extend(chars.next().map(|(_, c)| c)),
                '"' => {
                    text = next;
                    break;
                }
                c => label.push(c),
            }
        }
    }
    let (end, behind) = text.split_once(',').map_or((text, None), |(end, behind)| (end, Some(behind)));
    label.push_str(end);
    (label, behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        let mut list = Vec::new();
        add(text, &mut list);
        list
    }

    #[test]
    fn t12_labels_are_separated_by_commas_outside_of_quotes() {
        for (text, expected) in [
            ("Inbox,Unread", &["Inbox", "Unread"][..]),
            (" Inbox , , My label,Inbox", &["Inbox", "My label"]),
            ("Sent,\"Kunden, alt\",Projekte/K\u{f6}ln", &["Sent", "Kunden, alt", "Projekte/K\u{f6}ln"]),
            (r#""a \"b\" \c","d""e""#, &[r#"a "b" \c"#, "d\"e"]),
            ("\"open, to the end", &["open, to the end"]),
            ("5\" disks,x", &["5\" disks", "x"]),
            ("\"a\" b,c", &["a b", "c"]),
            ("Projekte/K=C3=B6ln,=e4,a=b,=C3=A4=C3=B6=41", &["Projekte/K\u{f6}ln", "=e4", "a=b", "\u{e4}\u{f6}=41"]),
            ("=e4=C3=B6,=", &["=e4=C3=B6", "="]),
            ("", &[]),
            (",,\"\",", &[]),
        ] {
            assert_eq!(labels(text), expected, "{text}");
        }
    }

    #[test]
    fn t12_what_is_kept_is_bounded() {
        assert_eq!(labels(&"\u{e4}".repeat(2000)), ["\u{e4}".repeat(512)]);
        let many: Vec<String> = (0..9_000).map(|n| format!("label {n}")).collect();
        let kept = labels(&many.join(","));
        assert_eq!(kept, many[..kept.len()]);
        let sum: usize = kept.iter().map(String::len).sum();
        assert!(sum <= MAX_LABELS && sum + 10 > MAX_LABELS);
    }
}
