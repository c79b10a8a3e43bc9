//! HTML as tokens: the WHATWG standard's "Tokenization", as far as it leaves a trace in text (docs/TEXT.md, T9.1 and
//! T9.2).
//!
//! A loop over the text: there is no recursion for a tag, an attribute or a comment, only slices of them are kept, and
//! no byte is read twice. The contents of comments, doctypes and most attributes are skipped, so that many states of
//! the standard become one search for the byte that ends them.

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// What a piece of HTML is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'h> {
    /// Characters as written, and the state of the tokenizer.
    Text(&'h str, TextState),
    /// A start tag.
    Start(Tag<'h>),
    /// An end tag.
    End(Tag<'h>),
}

/// The states in which characters are text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextState {
    /// Character references are resolved, NUL stays.
    Data,
    /// Character references are resolved, NUL is replaced.
    RcData,
    /// RAWTEXT, script data and PLAINTEXT: NUL is replaced.
    Raw,
}

/// A tag, with what is needed of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tag<'h> {
    name: [u8; LONGEST_NAME],
    name_length: usize,
    /// The first `alt` and the first `title`, as written, in the order of the tag.
    pub(super) values: [Option<&'h str>; 2],
}

/// No name with a meaning here is longer.
const LONGEST_NAME: usize = 10;

impl<'h> Tag<'h> {
    fn new(name: &str) -> Self {
        let mut tag = Self::default();
        if let Some(room) = tag.name.get_mut(..name.len()) {
            room.copy_from_slice(name.as_bytes());
            room.make_ascii_lowercase();
            tag.name_length = name.len();
        }
        tag
    }

    /// The name in lower case; empty if it is too long to have a meaning here.
    pub(super) fn name(&self) -> &[u8] {
        self.name.get(..self.name_length).unwrap_or_default()
    }
}

/// The tokens of a text, in order. The first `None` is the end, even in the middle of a tag.
#[derive(Debug)]
pub(super) struct Tokens<'h> {
    html: &'h str,
    at: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    /// Up to the end tag of this name.
    Until(&'static str, TextState),
    Plaintext,
}

impl State {
    /// The state after a start tag (T9.2).
    fn after(start_tag: &[u8]) -> Self {
        match start_tag {
            b"title" => Self::Until("title", TextState::RcData),
            b"textarea" => Self::Until("textarea", TextState::RcData),
            b"style" => Self::Until("style", TextState::Raw),
            b"xmp" => Self::Until("xmp", TextState::Raw),
            b"script" => Self::Until("script", TextState::Raw),
            b"plaintext" => Self::Plaintext,
            _ => Self::Data,
        }
    }
}

impl<'h> Iterator for Tokens<'h> {
    type Item = Token<'h>;

    fn next(&mut self) -> Option<Token<'h>> {
        match self.state {
            State::Data => self.data(),
            State::Plaintext => self.text(self.rest().len(), TextState::Raw),
            State::Until(name, state) => {
                let rest = self.rest().as_bytes();
                let end = if name == "script" { script_end(rest) } else { end_tag(rest, name) };
                match end {
                    Some(0) => {
                        self.state = State::Data;
                        self.tag("</".len()).map(Token::End)
                    }
                    end => self.text(end.unwrap_or(rest.len()), state),
                }
            }
        }
    }
}

impl<'h> Tokens<'h> {
    pub(super) fn new(html: &'h str) -> Self {
        Self { html, at: 0, state: State::Data }
    }

    fn rest(&self) -> &'h str {
        self.html.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.html.as_bytes().get(self.at).copied()
    }

    /// The next `length` bytes.
    fn take(&mut self, length: usize) -> &'h str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'h str {
        let rest = self.rest();
        self.take(rest.bytes().position(|b| !wanted(b)).unwrap_or(rest.len()))
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn text(&mut self, length: usize, state: TextState) -> Option<Token<'h>> {
        let text = self.take(length);
        (!text.is_empty()).then_some(Token::Text(text, state))
    }

    /// The data state, and everything that begins with `<` in it.
    fn data(&mut self) -> Option<Token<'h>> {
        loop {
            let rest = self.rest().as_bytes();
            match (memchr(b'<', rest), rest) {
                (Some(0), [_, b'!', b'-', b'-', ..]) => self.comment(),
                (Some(0), [_, b'/', b'>', ..]) => self.at += "</>".len(),
                (Some(0), [_, b'/']) => return self.text(2, TextState::Data),
                (Some(0), [_, b'/', b, ..]) if b.is_ascii_alphabetic() => return self.tag("</".len()).map(Token::End),
                (Some(0), [_, b, ..]) if b.is_ascii_alphabetic() => {
                    let tag = self.tag("<".len())?;
                    self.state = State::after(tag.name());
                    return Some(Token::Start(tag));
                }
                // Doctypes and bogus comments: both end at the first `>`, whatever precedes it.
                (Some(0), [_, b'/' | b'!' | b'?', ..]) => self.at += memchr(b'>', rest).map_or(rest.len(), |end| end + 1),
                (Some(0), _) => return self.text(1, TextState::Data),
                (end, _) => return self.text(end.unwrap_or(rest.len()), TextState::Data),
            }
        }
    }

    /// Skips a comment.
    fn comment(&mut self) {
        self.at += "<!--".len();
        let rest = self.rest().as_bytes();
        self.at += match rest {
            [b'>', ..] => 1,
            [b'-', b'>', ..] => 2,
            _ => {
                let is_end = |at: &usize| rest.get(..*at).is_some_and(|text| text.ends_with(b"--") || text.ends_with(b"--!"));
                memchr_iter(b'>', rest).find(is_end).map_or(rest.len(), |at| at + 1)
            }
        };
    }

    /// A tag whose name begins after `before` bytes; `None` if the input ends in it, which drops the tag.
    fn tag(&mut self, before: usize) -> Option<Tag<'h>> {
        self.at += before;
        let mut tag = Tag::new(self.take_while(|b| !is_blank(b) && !matches!(b, b'/' | b'>')));
        let (mut seen_alt, mut seen_title) = (false, false);
        loop {
            self.take_while(|b| is_blank(b) || b == b'/');
            if self.eat(b'>') {
                return Some(tag);
            }
            let name = self.attribute_name()?;
            self.take_while(is_blank);
            let value = match self.eat(b'=') {
                true => self.attribute_value()?,
                false => "",
            };
            let seen = match name {
                name if name.eq_ignore_ascii_case("alt") => &mut seen_alt,
                name if name.eq_ignore_ascii_case("title") => &mut seen_title,
                _ => continue,
            };
            if !std::mem::replace(seen, true)
                && !value.is_empty()
                && let Some(free) = tag.values.iter_mut().find(|free| free.is_none())
            {
                *free = Some(value);
            }
        }
    }

    /// A `=` at the beginning is part of the name.
    fn attribute_name(&mut self) -> Option<&'h str> {
        let rest = self.rest().as_bytes();
        let ends = |b: &u8| is_blank(*b) || matches!(b, b'/' | b'>' | b'=');
        let length = rest.iter().skip(1).position(ends).map_or(rest.len(), |at| at + 1);
        Some(self.take(length)).filter(|name| !name.is_empty())
    }

    /// `None` if the input ends first.
    fn attribute_value(&mut self) -> Option<&'h str> {
        self.take_while(is_blank);
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                let length = memchr(quote, self.rest().as_bytes())?;
                let value = self.take(length);
                self.at += 1;
                Some(value)
            }
            _ => Some(self.take_while(|b| !is_blank(b) && b != b'>')),
        }
    }
}

/// The standard converts CR to LF beforehand.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b' ')
}

/// Whether `text` begins with this tag name, and the name ends there.
fn begins_with_name(text: &[u8], name: &str) -> bool {
    let (Some(found), Some(end)) = (text.get(..name.len()), text.get(name.len())) else { return false };
    found.eq_ignore_ascii_case(name.as_bytes()) && (is_blank(*end) || matches!(end, b'/' | b'>'))
}

/// Where the end tag `name` begins that ends raw text.
fn end_tag(text: &[u8], name: &str) -> Option<usize> {
    memmem::find_iter(text, b"</").find(|at| begins_with_name(text.get(at + 2..).unwrap_or_default(), name))
}

/// Script data: `<script` inside of `<!--` hides one `</script`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Data,
    Escaped,
    DoubleEscaped,
}

/// Where the end tag begins that ends a script.
fn script_end(text: &[u8]) -> Option<usize> {
    let mut state = Script::Data;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        at += match state {
            Script::Data => memchr(b'<', rest)?,
            Script::Escaped | Script::DoubleEscaped => memchr2(b'<', b'-', rest)?,
        };
        let (step, after) = match (text.get(at..)?, state) {
            // Its dashes are those of `-->` too.
            ([b'<', b'!', b'-', b'-', ..], Script::Data) => (2, Script::Escaped),
            ([b'-', b'-', b'>', ..], _) => (3, Script::Data),
            ([b'<', b'/', rest @ ..], Script::DoubleEscaped) if begins_with_name(rest, "script") => (2, Script::Escaped),
            ([b'<', b'/', rest @ ..], _) if begins_with_name(rest, "script") => return Some(at),
            ([b'<', rest @ ..], Script::Escaped) if begins_with_name(rest, "script") => (1, Script::DoubleEscaped),
            _ => (1, state),
        };
        (at, state) = (at + step, after);
    }
}
