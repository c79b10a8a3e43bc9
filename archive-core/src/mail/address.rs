//! Names and addresses of an address field (docs/TEXT.md, T4).
//!
//! Small rules of its own instead of RFC 5322's grammar: whatever stands in the field must be findable, also where it is no address.

use std::mem::take;

use super::header_text::{decode_words, encoded_word_at};
use super::punycode;

/// Longer labels are left as they are (RFC 1035 allows 63 bytes), since Punycode takes quadratic time.
const LONGEST_LABEL: usize = 63;

/// What a value of an address field is; exclusions compare them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// A display name, the name of a group, or a comment.
    Name,
    /// A complete address, `local@domain`.
    Address,
}

/// Reads a field's text (its encoded words undecoded) and hands each name and address, decoded, to `found`, in order.
pub(super) fn each_name_and_address(text: &str, found: &mut dyn FnMut(AddressKind, String)) {
    for entry in entries(text) {
        name(entry.name, found);
        entry.addresses.into_iter().for_each(|text| address(text, found));
        entry.comments.into_iter().for_each(|comment| name(comment, found));
    }
}

/// What stands between two commas of an address field; its encoded words are undecoded. Something in it is not empty.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// It is the name of a group, which a `:` ended.
    pub(super) is_group: bool,
    /// The display name.
    pub(super) name: String,
    /// One, if it is as RFC 5322 wants it.
    pub(super) addresses: Vec<String>,
    /// Comments in parentheses.
    pub(super) comments: Vec<String>,
}

/// The entries of a field's text (T4.3, T4.4).
pub(super) fn entries(text: &str) -> Entries<'_> {
    Entries { text, at: 0, entry: Open::default() }
}

/// See [`entries`].
pub(super) struct Entries<'a> {
    text: &'a str,
    at: usize,
    entry: Open,
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while let Some(next) = self.peek() {
            if let Some(word) = self.encoded_word() {
                self.entry.token.push_str(word);
                continue;
            }
            if self.plain() {
                continue;
            }
            self.at += next.len_utf8();
            let mut ended = None;
            match next {
                '"' => self.quoted(),
                '(' => self.comment(),
                '<' => {
                    if self.entry.angle.is_some() {
                        ended = take(&mut self.entry).end();
                    }
                    self.angle();
                }
                ',' | ';' => ended = take(&mut self.entry).end(),
                ':' => ended = take(&mut self.entry).end_as_group(),
                ' ' | '\t' | '\r' | '\n' => self.entry.end_token(),
                other => {
                    self.entry.marked |= other == '@';
                    self.entry.token.push(other);
                }
            }
            if ended.is_some() {
                return ended;
            }
        }
        take(&mut self.entry).end()
    }
}

impl<'a> Entries<'a> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn encoded_word(&mut self) -> Option<&'a str> {
        let word = encoded_word_at(self.text, self.at)?;
        let whole = self.text.get(self.at..word.end)?;
        self.at = word.end;
        Some(whole)
    }

    /// Takes characters that mean nothing here, if some come (T4.3.8).
    fn plain(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = rest.bytes().position(|byte| b" \t\r\n\"(<,;:@=".contains(&byte)).unwrap_or(rest.len());
        self.entry.token.push_str(rest.get(..len).unwrap_or_default());
        self.at += len;
        len > 0
    }

    /// T4.3.2, after the opening quote.
    fn quoted(&mut self) {
        loop {
            if let Some(word) = self.encoded_word() {
                self.entry.token.push_str(word);
                continue;
            }
            match self.advance() {
                None | Some('"') => return,
                Some('\\') => {
                    let escaped = self.advance().unwrap_or('\\');
                    self.entry.token.push(escaped);
                }
                Some(other) => self.entry.token.push(other),
            }
        }
    }

    /// T4.3.3, after the opening parenthesis.
    fn comment(&mut self) {
        self.entry.end_token();
        let mut comment = String::new();
        let mut depth = 0u32;
        loop {
            if let Some(word) = self.encoded_word() {
                comment.push_str(word);
                continue;
            }
            let Some(next) = self.advance() else { break };
            match next {
                '\\' => {
                    comment.push(self.advance().unwrap_or('\\'));
                    continue;
                }
                '(' => depth = depth.saturating_add(1),
                ')' if depth == 0 => break,
                ')' => depth -= 1,
                _ => {}
            }
            comment.push(next);
        }
        self.entry.comments.push(comment);
    }

    /// T4.3.4, after the `<`.
    fn angle(&mut self) {
        self.entry.end_token();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find('>').unwrap_or(rest.len());
        self.entry.angle = rest.get(..end).map(str::to_owned);
        self.at += (end + 1).min(rest.len());
    }
}

/// What was read since the last comma.
#[derive(Default)]
struct Open {
    token: String,
    /// The current token has an `@` outside of quotes.
    marked: bool,
    tokens: Vec<(String, bool)>,
    comments: Vec<String>,
    angle: Option<String>,
}

impl Open {
    fn end_token(&mut self) {
        if !self.token.is_empty() {
            self.tokens.push((take(&mut self.token), self.marked));
        }
        self.marked = false;
    }

    /// T4.4.
    fn end(mut self) -> Option<Entry> {
        self.end_token();
        let mut addresses = Vec::new();
        let name = if let Some(angle) = self.angle {
            let angle = without_route(&angle.replace([' ', '\t', '\r', '\n'], "")).to_owned();
            addresses.extend(Some(angle).filter(|angle| !angle.is_empty()));
            join(self.tokens.into_iter())
        } else {
            let marked = self.tokens.extract_if(.., |(_, marked)| *marked);
            addresses.extend(marked.map(|(token, _)| token));
            join(self.tokens.into_iter())
        };
        Entry { is_group: false, name, addresses, comments: self.comments }.if_any()
    }

    /// T4.3.6.
    fn end_as_group(mut self) -> Option<Entry> {
        if self.angle.is_some() {
            // The entry was complete; the colon merely follows it.
            return self.end();
        }
        self.end_token();
        Entry { is_group: true, name: join(self.tokens.into_iter()), addresses: Vec::new(), comments: self.comments }.if_any()
    }
}

impl Entry {
    fn if_any(mut self) -> Option<Self> {
        self.comments.retain(|comment| !comment.is_empty());
        let is_any = !self.name.is_empty() || !self.addresses.is_empty() || !self.comments.is_empty();
        is_any.then_some(self)
    }
}

fn join(mut tokens: impl Iterator<Item = (String, bool)>) -> String {
    let (mut joined, _) = tokens.next().unwrap_or_default();
    for (token, _) in tokens {
        joined.push(' ');
        joined.push_str(&token);
    }
    joined
}

/// RFC 5322 section 4.4: `@first,@second:local@domain`.
fn without_route(angle: &str) -> &str {
    if !angle.starts_with('@') {
        return angle;
    }
    angle.split_once(':').map_or(angle, |(_, address)| address)
}

fn name(text: String, found: &mut dyn FnMut(AddressKind, String)) {
    if !text.is_empty() {
        found(AddressKind::Name, decode_words(text));
    }
}

/// The address, and its domain's other forms (T4.6).
fn address(text: String, found: &mut dyn FnMut(AddressKind, String)) {
    let address = decode_words(text);
    let readable = with_labels(&address, |label| {
        let (prefix, rest) = label.split_at_checked(4)?;
        if !prefix.eq_ignore_ascii_case("xn--") {
            return None;
        }
        punycode::decode(&rest.to_ascii_lowercase())
    });
    let ascii = with_labels(&address, |label| {
        if label.is_ascii() {
            return None;
        }
        Some(format!("xn--{}", punycode::encode(&label.to_lowercase())?))
    });
    found(AddressKind::Address, address);
    for form in [readable, ascii].into_iter().flatten() {
        found(AddressKind::Address, form);
    }
}

/// The address with each label of its domain that `replace` knows replaced; none where there is no such label.
fn with_labels(address: &str, replace: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let mut out = format!("{local}@");
    let mut replaced = false;
    for (number, label) in domain.split('.').enumerate() {
        if number > 0 {
            out.push('.');
        }
        match Some(label).filter(|label| label.chars().count() <= LONGEST_LABEL).and_then(&replace) {
            Some(other) => {
                replaced = true;
                out.push_str(&other);
            }
            None => out.push_str(label),
        }
    }
    replaced.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names as they are, addresses in angle brackets.
    fn read(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_name_and_address(text, &mut |kind, text| {
            all.push(if kind == AddressKind::Address { format!("<{text}>") } else { text });
        });
        all
    }

    #[test]
    fn t4_3_encoded_words_and_quotes_hide_what_is_special() {
        assert_eq!(read("=?utf-8?Q?Foo,_(<Bar@x?= <a@b>"), ["Foo, (<Bar@x", "<a@b>"]);
        assert_eq!(read(r#""Doe, \"J\" @ (x" <a@b>, c@d"#), ["Doe, \"J\" @ (x", "<a@b>", "<c@d>"]);
        assert_eq!(read("\"=?utf-8?q?a\"b?=\" x"), ["a\"b x"]);
        assert_eq!(read("\"john doe\"@x.org"), ["<john doe@x.org>"]);
    }

    #[test]
    fn t4_3_comments_groups_and_angles() {
        assert_eq!(read("a@b (Jo (the) \\(x)"), ["<a@b>", "Jo (the) (x"]);
        assert_eq!(read("undisclosed-recipients:;"), ["undisclosed-recipients"]);
        assert_eq!(read("The Team (all): a@b, C <c@d>; e@f"), ["The Team", "all", "<a@b>", "C", "<c@d>", "<e@f>"]);
        assert_eq!(read("A <a@b> <c@d>"), ["A", "<a@b>", "<c@d>"]);
        assert_eq!(read("A <a@b"), ["A", "<a@b>"]);
        assert_eq!(read("(a\\"), ["a\\"]);
        assert_eq!(read("\"a\\"), ["a\\"]);
    }

    #[test]
    fn t4_4_entries() {
        assert_eq!(read("A <>, <@x,@y:a@b>, <  c @ d >"), ["A", "<a@b>", "<c@d>"]);
        assert_eq!(read("Jo Doe jo@x.org jd@y.org"), ["Jo Doe", "<jo@x.org>", "<jd@y.org>"]);
        assert_eq!(read("jo at x.org (Jo)"), ["jo at x.org", "Jo"]);
        assert_eq!(read("me@x <a@b>"), ["me@x", "<a@b>"]);
        assert_eq!(read(" , ,;"), Vec::<String>::new());
    }

    #[test]
    fn t4_6_both_forms_of_a_domain() {
        assert_eq!(read("a@xn--bcher-kva.example"), ["<a@xn--bcher-kva.example>", "<a@bücher.example>"]);
        assert_eq!(read("a@BÜCHER.example"), ["<a@BÜCHER.example>", "<a@xn--bcher-kva.example>"]);
        assert_eq!(read("a@xn--!!ü"), ["<a@xn--!!ü>", "<a@xn--xn--!!-8ya>"]);
        let long = format!("a@{}", "ü".repeat(64));
        assert_eq!(read(&long), [format!("<{long}>")]);
    }
}
