//! Names and addresses of an address field (docs/TEXT.md, T4).
//!
//! It follows small rules instead of the grammar of RFC 5322: everything in the field must be findable, even if it is
//! not an address.

use std::mem::take;

use idna::punycode;

use super::header_text::{decode_words, encoded_word_at};

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

/// Whom a field names: one person or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// One person as a rule: a name may contain a comma (T4.8).
    Sender,
    /// Any number of people.
    Receivers,
}

/// Reads a field's text (its encoded words undecoded) and passes each name and address, decoded, to `found`, in order.
pub(super) fn each_name_and_address(text: &str, of: Of, found: &mut dyn FnMut(AddressKind, String)) {
    for entry in entries(text, of) {
        found(AddressKind::Name, entry.name);
        entry.addresses.into_iter().for_each(|text| address(text, found));
        entry.comments.into_iter().for_each(|comment| found(AddressKind::Name, comment));
    }
}

/// What is between two commas of an address field, decoded.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Whether it is the name of a group, ended by a `:`.
    pub(super) is_group: bool,
    /// Whether its address is in angle brackets.
    in_angles: bool,
    /// The display name.
    pub(super) name: String,
    /// The addresses; just one if the entry follows RFC 5322.
    pub(super) addresses: Vec<String>,
    /// Comments in parentheses.
    pub(super) comments: Vec<String>,
}

/// The entries of a field's text (T4.3 to T4.8).
pub(super) fn entries(text: &str, of: Of) -> impl Iterator<Item = Entry> {
    let each = Entries::new(text).flat_map(read_again);
    let (sender, receivers) = match of {
        Of::Sender => (Some(one_sender(each.collect())), None),
        Of::Receivers => (None, Some(each)),
    };
    sender.into_iter().flatten().chain(receivers.into_iter().flatten())
}

/// T4.7: an address, or several, inside encoded words.
fn read_again(entry: Entry) -> Vec<Entry> {
    if !entry.is_group && entry.addresses.is_empty() && entry.name.contains("=?") {
        let name = decode_words(entry.name.clone());
        let mut again: Vec<Entry> = if name.contains('@') { Entries::new(&name).collect() } else { Vec::new() };
        let is_address = |address: &String| address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if again.iter().flat_map(|entry| &entry.addresses).any(is_address) {
            if let Some(last) = again.last_mut() {
                last.comments.extend(entry.comments);
            }
            return again.into_iter().map(Entry::decoded).collect();
        }
    }
    vec![entry.decoded()]
}

/// T4.8: if only the last entry has an address, the commas before it belong to a name.
fn one_sender(mut entries: Vec<Entry>) -> Vec<Entry> {
    let Some((last, before)) = entries.split_last_mut() else { return entries };
    let is_name = |entry: &Entry| !entry.is_group && entry.addresses.is_empty() && !entry.name.is_empty();
    if !before.is_empty() && last.in_angles && !last.addresses.is_empty() && before.iter().all(is_name) {
        let names: Vec<String> = before.iter_mut().map(|entry| take(&mut entry.name)).chain([take(&mut last.name)]).collect();
        let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        last.name = names.join(", ");
        let after = take(&mut last.comments);
        last.comments = before.iter_mut().flat_map(|entry| take(&mut entry.comments)).chain(after).collect();
        entries.drain(..entries.len() - 1);
    }
    entries
}

/// The entries of a text, undecoded. None is completely empty.
struct Entries<'a> {
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
                ':' if self.entry.token.eq_ignore_ascii_case("mailto") || self.entry.token.eq_ignore_ascii_case("[mailto") => {
                    self.entry.token.clear();
                }
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
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, entry: Open::default() }
    }

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

    /// Takes ordinary characters, if some follow (T4.3.8).
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
        let in_angles = self.angle.is_some();
        if let Some(angle) = self.angle {
            addresses.extend(Some(in_angle(&angle)).filter(|angle| !angle.is_empty()));
        } else if let [(local, false), (at, false), (domain, false)] = self.tokens.as_slice()
            && let Some(address) = spoken(local, at, domain)
        {
            addresses.push(address);
            self.tokens.clear();
        } else {
            let marked = self.tokens.extract_if(.., |(_, marked)| *marked);
            addresses.extend(marked.map(|(token, _)| without_bracket(token)));
        }
        Entry { is_group: false, in_angles, name: join(self.tokens.into_iter()), addresses, comments: self.comments }.if_any()
    }

    /// T4.3.6.
    fn end_as_group(mut self) -> Option<Entry> {
        if self.angle.is_some() {
            // The entry was complete; the colon merely follows it.
            return self.end();
        }
        self.end_token();
        Entry { is_group: true, name: join(self.tokens.into_iter()), comments: self.comments, ..Entry::default() }.if_any()
    }
}

impl Entry {
    fn if_any(mut self) -> Option<Self> {
        self.comments.retain(|comment| !comment.is_empty());
        let is_any = !self.name.is_empty() || !self.addresses.is_empty() || !self.comments.is_empty();
        is_any.then_some(self)
    }

    fn decoded(self) -> Self {
        Self {
            name: decode_words(self.name),
            addresses: self.addresses.into_iter().map(decode_words).collect(),
            comments: self.comments.into_iter().map(decode_words).collect(),
            ..self
        }
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

/// The address between angle brackets.
fn in_angle(angle: &str) -> String {
    const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];
    let mut words = angle.split(WHITE).filter(|word| !word.is_empty());
    if let (Some(local), Some(at), Some(domain), None) = (words.next(), words.next(), words.next(), words.next())
        && let Some(address) = spoken(local, at, domain)
    {
        return address;
    }
    let angle = angle.replace(WHITE, "");
    match angle.split_at_checked(7) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address.split('?').next().unwrap_or_default().to_owned(),
        _ => without_route(&angle).to_owned(),
    }
}

/// The address that archives of mailing lists write as `local at domain.example`.
fn spoken(local: &str, at: &str, domain: &str) -> Option<String> {
    let is_domain = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    (at.eq_ignore_ascii_case("at") && is_domain).then(|| format!("{local}@{domain}"))
}

/// The address without the `]` of `[mailto:local@domain]`.
fn without_bracket(mut address: String) -> String {
    if address.ends_with(']') && !address.contains('[') {
        address.pop();
    }
    address
}

/// RFC 5322 section 4.4: `@first,@second:local@domain`.
fn without_route(angle: &str) -> &str {
    if !angle.starts_with('@') {
        return angle;
    }
    angle.split_once(':').map_or(angle, |(_, address)| address)
}

/// The address, and its domain's other forms (T4.6).
fn address(address: String, found: &mut dyn FnMut(AddressKind, String)) {
    let readable = with_labels(&address, |label| {
        let (prefix, rest) = label.split_at_checked(4)?;
        if !prefix.eq_ignore_ascii_case("xn--") {
            return None;
        }
        punycode::decode_to_string(&rest.to_ascii_lowercase())
    });
    let ascii = with_labels(&address, |label| {
        if label.is_ascii() {
            return None;
        }
        Some(format!("xn--{}", punycode::encode_str(&label.to_lowercase())?))
    });
    found(AddressKind::Address, address);
    for form in [readable, ascii].into_iter().flatten() {
        found(AddressKind::Address, form);
    }
}

/// The address after replacing each label of its domain that `replace` knows; `None` if there is no such label.
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
    fn read_of(of: Of, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_name_and_address(text, of, &mut |kind, text| {
            all.push(if kind == AddressKind::Address { format!("<{text}>") } else { text });
        });
        all.retain(|text| !text.is_empty());
        all
    }

    fn read(text: &str) -> Vec<String> {
        read_of(Of::Receivers, text)
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
        assert_eq!(read("me@x <a@b>"), ["me@x", "<a@b>"]);
        assert_eq!(read(" , ,;"), Vec::<String>::new());
    }

    #[test]
    fn t4_4_addresses_as_archives_of_lists_and_web_pages_write_them() {
        assert_eq!(read("jo at x.org (Jo)"), ["<jo@x.org>", "Jo"]);
        assert_eq!(read("Jo <jo AT x.org>, me at y.example"), ["Jo", "<jo@x.org>", "<me@y.example>"]);
        for name in ["jo at home", "jo at x.org today", "jo of x.org", "\"jo at x.org\"", "look at .x"] {
            assert_eq!(read(name), [name.trim_matches('"')]);
        }
        assert_eq!(read("Jo <mailto:jo@x.org>, <MAILTO:me@y?subject=hi>"), ["Jo", "<jo@x.org>", "<me@y>"]);
        assert_eq!(read("Jo [mailto:jo@x.org], mailto:me@y, a@[127.0.0.1]"), ["Jo", "<jo@x.org>", "<me@y>", "<a@[127.0.0.1]>"]);
    }

    #[test]
    fn t4_7_an_address_inside_encoded_words_is_read() {
        assert_eq!(read("=?utf-8?Q?J=C3=BC_Bird_=3Cju=40x=2Eorg=3E?= (c)"), ["Jü Bird", "<ju@x.org>", "c"]);
        assert_eq!(read("=?utf-8?Q?ju=40x.org?="), ["<ju@x.org>"]);
        assert_eq!(read("=?utf-8?Q?A_<a@x>=2C_B_<b@y>?=, c@z"), ["A", "<a@x>", "B", "<b@y>", "<c@z>"]);
        assert_eq!(read("=?utf-8?Q?A_=40_work?="), ["A @ work"]);
        assert_eq!(read("=?utf-8?Q?me=40x?= <a@b>"), ["me@x", "<a@b>"]);
    }

    #[test]
    fn t4_8_a_comma_in_the_name_of_a_sender() {
        for (field, expected) in [
            ("John Smith, Jr <j@x>", vec!["John Smith, Jr", "<j@x>"]),
            ("Bird, Ada [HR] <a@x>", vec!["Bird, Ada [HR]", "<a@x>"]),
            ("=?utf-8?q?M=C3=BCller?=, Jo, Dr. (HR) <a@x> (home)", vec!["Müller, Jo, Dr.", "<a@x>", "HR", "home"]),
            ("=?utf-8?q?Bird,_Ada_<a@x>?=", vec!["Bird, Ada", "<a@x>"]),
            ("Bird, a@x", vec!["Bird", "<a@x>"]),
            ("A <a@x>, Bird, B <b@x>", vec!["A", "<a@x>", "Bird", "B", "<b@x>"]),
            ("Crew: Bird, B <b@x>;", vec!["Crew", "Bird", "B", "<b@x>"]),
        ] {
            assert_eq!(read_of(Of::Sender, field), expected, "{field}");
        }
        assert_eq!(read("Ada, Ben <ben@x>"), ["Ada", "Ben", "<ben@x>"], "two receivers");
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
