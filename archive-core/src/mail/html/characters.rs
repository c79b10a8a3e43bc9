//! Characters of HTML as text: line ends, NUL and character references (docs/TEXT.md, T9.1).

use htmlize::{Context, unescape_in};
use memchr::memchr3;

/// Appends `raw` to `text`, and stops soon after `most` bytes. Character references are resolved in the context
/// `references`, if any.
pub(super) fn append(text: &mut String, raw: &str, references: Option<Context>, replaces_nul: bool, most: usize) {
    let mut rest = raw;
    while !rest.is_empty() && text.len() <= most {
        let plain = memchr3(b'&', b'\r', b'\0', rest.as_bytes()).unwrap_or(rest.len());
        let (before, special) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        text.push_str(cut(before, most.saturating_sub(text.len())));
        let length = match (special.as_bytes(), references) {
            ([b'\r', after @ ..], _) => {
                text.push('\n');
                1 + usize::from(after.first() == Some(&b'\n'))
            }
            ([b'\0', ..], _) => {
                text.push(if replaces_nul { char::REPLACEMENT_CHARACTER } else { '\0' });
                1
            }
            ([b'&', ..], Some(context)) => {
                let length = reference_length(special.as_bytes());
                let reference = special.get(..length).unwrap_or_default();
                text.push_str(cut(&unescape_in(reference, context), most.saturating_sub(text.len())));
                length
            }
            ([b'&', ..], None) => {
                text.push('&');
                1
            }
            _ => 0,
        };
        rest = special.get(length..).unwrap_or_default();
    }
}

/// The first bytes of `text`, a few more than `most` if there are more.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most.saturating_add(char::MAX.len_utf8()))).unwrap_or(text)
}

/// How much of `text`, which begins with `&`, can be a reference; includes the `=` after which it is not one in an
/// attribute.
fn reference_length(text: &[u8]) -> usize {
    let hash = 1 + usize::from(text.get(1) == Some(&b'#'));
    let name = text.iter().skip(hash).take_while(|b| b.is_ascii_alphanumeric()).count();
    let end = hash + name;
    end + usize::from(matches!(text.get(end), Some(b';' | b'=')))
}
