//! Joining of format=flowed text (docs/TEXT.md, T8.4; RFC 3676 with DelSp).

/// The line that separates a signature; never flowed, never joined to.
const SIGNATURE: &str = "-- ";

/// Joins the lines of a text whose sender broke them at `SP LF`, with the SP to be dropped.
pub(super) fn join_deleting_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flowed_at: Option<usize> = None;
    let mut rest = Some(text);
    let mut first = true;
    while let Some(now) = rest {
        let (line, behind) = split_line(now);
        rest = behind;
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == SIGNATURE;
        if !std::mem::replace(&mut first, false) && (flowed_at != Some(depth) || signature) {
            out.push('\n');
        }
        match content.strip_suffix(' ').filter(|_| !signature) {
            Some(joined) => {
                out.push_str(joined);
                flowed_at = Some(depth);
            }
            None => {
                out.push_str(content);
                flowed_at = None;
            }
        }
    }
    out
}

/// The first line, and what follows its line end (LF, CR LF or CR).
fn split_line(text: &str) -> (&str, Option<&str>) {
    let Some(end) = memchr::memchr2(b'\n', b'\r', text.as_bytes()) else { return (text, None) };
    let (line, behind) = text.split_at(end);
    (line, behind.strip_prefix("\r\n").or_else(|| behind.get(1..)))
}

#[cfg(test)]
mod tests {
    use super::join_deleting_spaces;

    #[test]
    fn t8_4_lines_of_one_depth_are_joined() {
        assert_eq!(join_deleting_spaces("Wört \r\ner und \n>> q \n>>r\n> s \nt"), "Wörter und\nqr\ns\nt");
        assert_eq!(join_deleting_spaces("a \n-- \nb\n  c \n d"), "a\n-- \nb\n cd");
        assert_eq!(join_deleting_spaces("a \rb\r\rc"), "ab\n\nc");
    }
}
