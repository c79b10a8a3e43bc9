//! Labels that a mail service gave a mail, as its export writes them (docs/TEXT.md, T12): decoded, separated by commas.

use super::facts::{MAX_FACT, kept};

/// The field that has them.
pub(super) const FIELD: &str = "X-Gmail-Labels";
/// Bytes of all labels of a mail together.
pub(crate) const MAX_LABELS: usize = 8 * MAX_FACT;

/// Adds those of a decoded field to `list`, each once, as many as there is room for.
pub(super) fn add(text: &str, list: &mut Vec<String>) {
    let mut room = MAX_LABELS.saturating_sub(list.iter().map(String::len).sum());
    let mut rest = Some(text);
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

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The first label of a list, and what follows its comma. In quotes a comma is one of the label.
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
