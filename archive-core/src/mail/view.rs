//! A mail as a person reads it: header fields decoded, parts with their bytes, and which text is to be shown.
//!
//! Text and file names are made as docs/TEXT.md says for the index, so that what is found is what is seen. A mail inside an encoded
//! part is one part, not opened.

use super::charset::{self, Charset};
use super::file_names::Named;
use super::header_text::decode_words;
use super::html;
use super::media::fields;
use super::transfer::Decoder;
use super::walk::{Kind, Node, NodeNo, Visitor, Walker};

/// So much text is made of HTML.
const MOST_TEXT: usize = 16 << 20;

/// A mail as a person reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// The fields of the mail's own header, in its order: name and decoded value, unfolded.
    pub header: Vec<(String, String)>,
    /// Bytes of the header block with the empty line behind it.
    pub header_len: u64,
    /// All parts, in document order.
    pub parts: Vec<PartView>,
    /// There is more than this: a header above 256 KiB or more than 10,000 parts. The mail's bytes have it.
    pub is_cut: bool,
}

/// A part of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartView {
    /// Its number, which is that of docs/TEXT.md (T2.10).
    pub number: u32,
    /// The part it lies in.
    pub parent: Option<u32>,
    /// `type/subtype`.
    pub media: String,
    /// Its file name, decoded, if it has one.
    pub name: Option<String>,
    /// It is marked as an attachment, has a file name, or is a mail of its own.
    pub is_attachment: bool,
    /// It has parts of its own instead of bytes.
    pub is_multipart: bool,
    /// It belongs to a mail inside this one.
    pub is_nested: bool,
    /// Its bytes, transfer encoding undone; of a nested mail its very bytes; none of a multipart.
    pub bytes: Vec<u8>,
    /// Its text, if it is text.
    pub text: Option<String>,
    /// Its text is what a reader wants to see: no attachment, and no HTML beside the same in plain text.
    pub is_shown: bool,
}

impl View {
    /// The decoded value of the first header field of this name, in any case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.header.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The part with this number.
    #[must_use]
    pub fn part(&self, number: u32) -> Option<&PartView> {
        self.parts.iter().find(|part| part.number == number)
    }

    fn plain_text_below(&self, ancestor: u32) -> bool {
        self.parts.iter().any(|part| {
            let is_plain = part.media == "text/plain" && !part.is_attachment && !part.is_nested;
            is_plain && part.text.as_deref().is_some_and(|text| !text.trim().is_empty()) && self.ancestors(part).any(|at| at == ancestor)
        })
    }

    fn ancestors<'v>(&'v self, part: &'v PartView) -> impl Iterator<Item = u32> + 'v {
        std::iter::successors(part.parent, |at| self.part(*at)?.parent)
    }

    fn shows(&self, part: &PartView) -> bool {
        let is_text = part.text.is_some() && !part.is_attachment && !part.is_nested;
        let is_doubled = || {
            let alternatives = self.ancestors(part).filter(|at| self.part(*at).is_some_and(|at| at.media == "multipart/alternative"));
            part.media == "text/html" && alternatives.into_iter().any(|at| self.plain_text_below(at))
        };
        is_text && !is_doubled()
    }
}

/// Reads a mail. `recorded_guesses` are those kept with it (TEXT.md, T7.5).
#[must_use]
pub fn view(raw: &[u8], recorded_guesses: &[(u32, String)]) -> View {
    let mut reader = Reader { guesses: recorded_guesses, view: View::default(), open: Vec::new(), told: 0, raw };
    let mut walker = Walker::new();
    walker.push(raw, &mut reader);
    let end = walker.finish(&mut reader);
    let mut view = reader.view;
    if end.overflowed {
        // Where the last one ends is not known.
        view.parts.pop();
        view.is_cut = true;
    }
    let shown: Vec<bool> = view.parts.iter().map(|part| view.shows(part)).collect();
    view.parts.iter_mut().zip(shown).for_each(|(part, shown)| part.is_shown = shown);
    view
}

struct Reader<'a> {
    raw: &'a [u8],
    guesses: &'a [(u32, String)],
    view: View,
    open: Vec<Open>,
    /// Up to here the mail was told.
    told: u64,
}

struct Open {
    /// Its place among the parts; none if it is a mail, whose part is the one around it.
    part: Option<usize>,
    number: u32,
    decoder: Option<Decoder>,
    label: String,
    is_nested: bool,
    /// Where a nested mail begins.
    begins: Option<u64>,
}

impl Reader<'_> {
    fn decode(&self, bytes: &[u8], charset: Charset, place: u32) -> Option<String> {
        let recorded = self.guesses.iter().find(|(at, _)| *at == place);
        let guess = |bytes: &[u8]| recorded.map_or_else(|| charset::guess([bytes]), |(_, name)| charset::recorded(name));
        charset::decode(bytes, charset, guess).ok().map(std::borrow::Cow::into_owned)
    }

    fn header_text(&self, value: &[u8], number: u32) -> String {
        self.decode(value, Charset::Unlabelled, 2 * number).unwrap_or_default()
    }

    fn name(&self, node: &Node<'_>) -> Option<String> {
        [(&node.content.disposition_parameters, "filename"), (&node.content.parameters, "name")].into_iter().find_map(|(of, name)| {
            // The clearest form stands last: RFC 2231 segments, extended value, plain value.
            Named::new(of, name, &mut |value| self.header_text(value, node.no.0)).names(name).last()
        })
    }

    fn read_header(&mut self, node: &Node<'_>) {
        for field in fields(node.header, node.line_end) {
            let value = decode_words(self.header_text(&field.value(), node.no.0).trim().to_owned());
            self.view.header.push((String::from_utf8_lossy(field.name).into_owned(), value));
        }
        self.view.header_len = node.header_at.end;
        self.view.is_cut |= node.header_is_cut();
    }

    fn take(&mut self, at: u64, bytes: &[u8]) {
        self.told = self.told.max(at.saturating_add(bytes.len() as u64));
        let Some(open) = self.open.last_mut() else { return };
        let part = open.part.and_then(|part| self.view.parts.get_mut(part));
        if let (Some(decoder), Some(part)) = (&mut open.decoder, part) {
            decoder.push(bytes, &mut part.bytes);
        }
    }
}

impl Visitor for Reader<'_> {
    fn open(&mut self, node: &Node<'_>) {
        if node.no.0 == 0 {
            self.read_header(node);
        }
        self.told = self.told.max(node.header_at.end);
        let parent = self.open.last();
        let parent_is_nested = parent.is_some_and(|parent| parent.is_nested);
        let is_inner_mail = node.is_message && node.no.0 != 0;
        if is_inner_mail && let Some(parent) = self.open.last_mut() {
            parent.begins = Some(node.header_at.start);
        }
        let is_nested = parent_is_nested || is_inner_mail;
        let media = String::from_utf8_lossy(&node.content.media).into_owned();
        let is_mail = node.kind == Kind::NestedMessage || media == "message/rfc822";
        let name = self.name(node);
        let is_text = node.kind == Kind::Leaf && media.starts_with("text/");
        let part = PartView {
            number: node.no.0,
            parent: node.parent.map(|parent| parent.0),
            is_attachment: node.content.disposition == b"attachment" || name.is_some() || is_mail || (!is_text && node.kind == Kind::Leaf),
            is_multipart: node.kind == Kind::Multipart,
            media,
            name,
            is_nested,
            bytes: Vec::new(),
            text: None,
            is_shown: false,
        };
        self.view.parts.push(part);
        let decoder = (node.kind == Kind::Leaf).then(|| Decoder::new(node.content.encoding, node.line_end));
        let label = String::from_utf8_lossy(node.content.charset()).into_owned();
        self.open.push(Open { part: Some(self.view.parts.len() - 1), number: node.no.0, decoder, label, is_nested, begins: None });
    }

    fn body(&mut self, _: NodeNo, at: u64, bytes: &[u8]) {
        self.take(at, bytes);
    }

    fn preamble(&mut self, _: NodeNo, at: u64, bytes: &[u8]) {
        self.told = self.told.max(at.saturating_add(bytes.len() as u64));
    }

    fn glue(&mut self, at: u64, bytes: &[u8]) {
        self.told = self.told.max(at.saturating_add(bytes.len() as u64));
    }

    fn close(&mut self, _: NodeNo) {
        let Some(mut open) = self.open.pop() else { return };
        let Some(index) = open.part else { return };
        let Some(mut part) = self.view.parts.get_mut(index).map(|part| std::mem::take(&mut part.bytes)) else { return };
        if let Some(decoder) = &mut open.decoder {
            decoder.finish(&mut part);
        }
        if let Some(begins) = open.begins {
            let range = usize::try_from(begins).unwrap_or(usize::MAX)..usize::try_from(self.told).unwrap_or(usize::MAX);
            part = self.raw.get(range).unwrap_or_default().to_vec();
        }
        let media = self.view.parts.get(index).map(|part| part.media.clone()).unwrap_or_default();
        let text = match media.starts_with("text/") && open.decoder.is_some() {
            true => self.decode(&part, Charset::from_label(&open.label), 2 * open.number + 1),
            false => None,
        };
        let text = text.map(|text| if media == "text/html" { html::text_of(&text, MOST_TEXT).text } else { text });
        if let Some(view) = self.view.parts.get_mut(index) {
            view.bytes = part;
            view.text = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a@example.com\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\
        Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\
        Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nsch=F6n\n--i\n\
        Content-Type: text/html\n\n<b>sch&ouml;n</b>\n--i--\n--o\nContent-Type: application/pdf; name=\"a.pdf\"\n\
        Content-Transfer-Encoding: base64\n\nJVBERg==\n--o\nContent-Type: message/rfc822\n\nSubject: inner\n\ninside\n--o--\n";

    #[test]
    fn text_is_shown_once_and_parts_have_their_bytes() {
        let view = view(MAIL, &[]);
        assert_eq!(view.field("subject"), Some("Grüße"));
        let shown: Vec<&str> = view.parts.iter().filter(|part| part.is_shown).filter_map(|part| part.text.as_deref()).collect();
        assert_eq!(shown, ["schön"]);
        let pdf = view.parts.iter().find(|part| part.media == "application/pdf").unwrap();
        assert_eq!((pdf.name.as_deref(), pdf.bytes.as_slice(), pdf.is_attachment), (Some("a.pdf"), b"%PDF".as_slice(), true));
        let inner = view.parts.iter().find(|part| part.media == "message/rfc822").unwrap();
        assert_eq!(inner.bytes, b"Subject: inner\n\ninside");
        assert!(view.parts.iter().any(|part| part.is_nested && part.text.as_deref() == Some("inside") && !part.is_shown));
    }

    #[test]
    fn what_is_beyond_the_limits_is_told() {
        let part = "--o\nContent-Disposition: attachment\nContent-Type: text/plain\n\nabc\n";
        let mail = |parts: usize| format!("Content-Type: multipart/mixed; boundary=o\n\n{}--o--\n", part.repeat(parts));
        let whole = view(mail(9_999).as_bytes(), &[]);
        assert_eq!((whole.parts.len(), whole.is_cut), (10_000, false));
        let cut = view(mail(10_050).as_bytes(), &[]);
        assert!(cut.is_cut && cut.parts.len() > 9_990);
        assert!(cut.parts.iter().skip(1).all(|part| part.bytes == b"abc"), "no part has the bytes of others");
        assert!(view(format!("{}\n", "X: y\n".repeat(100_000)).as_bytes(), &[]).is_cut);
    }

    #[test]
    fn html_alone_is_shown_as_text() {
        let view = view(b"Content-Type: text/html; charset=utf-8\n\n<style>x</style><p>Hi <i>you</i></p>", &[]);
        assert_eq!(view.parts[0].text.as_deref().map(str::trim), Some("Hi you"));
        assert!(view.parts[0].is_shown);
    }
}
