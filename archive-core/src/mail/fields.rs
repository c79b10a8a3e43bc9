//! The fields of a header block, as bytes (docs/TEXT.md, T2.4 and T2.5).

use std::borrow::Cow;

/// So much of a header block is read (T2.4).
pub(super) const MOST_HEADER_BYTES: usize = 256 * 1024;

/// One field of a header block.
#[derive(Debug)]
pub(super) struct Field<'a> {
    /// As written, without spaces before the colon.
    pub(super) name: &'a [u8],
    /// Unfolded: the line ends are gone, the spaces are not.
    pub(super) value: Cow<'a, [u8]>,
}

impl Field<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Reads a header block; lines that are none are left out.
pub(super) fn fields(block: &[u8]) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut last_was_dropped = true;
    for line in block.split_inclusive(|&b| b == b'\n') {
        let line = without_line_end(line);
        if line.first().is_some_and(|b| is_space(*b)) {
            if let Some(field) = fields.last_mut().filter(|_| !last_was_dropped) {
                field.value.to_mut().extend_from_slice(line);
            }
            continue;
        }
        let field = field(line);
        last_was_dropped = field.is_none();
        fields.extend(field);
    }
    fields
}

fn field(line: &[u8]) -> Option<Field<'_>> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let name_end = name.iter().rposition(|b| !is_space(*b))? + 1;
    let name = name.get(..name_end)?;
    name.iter().all(|b| (0x21..=0x7e).contains(b)).then_some(Field { name, value: Cow::Borrowed(value) })
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    };
    line
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn t2_5_fields_are_unfolded_and_strangers_dropped() {
        let block = b" lost\r\nA : x\r\n\ty\r\n z\nno field\r\n lost\nb c: lost\n: lost\n lost\nD:\re\r";
        let found: Vec<(String, String)> = fields(block)
            .iter()
            .map(|f| (String::from_utf8_lossy(f.name).into_owned(), String::from_utf8_lossy(&f.value).into_owned()))
            .collect();
        assert_eq!(found, [("A".to_owned(), " x\ty z".to_owned()), ("D".to_owned(), "\re\r".to_owned())]);
    }
}
