//! Text out of HTML, from the tokens alone (docs/TEXT.md, T9).
//!
//! Hostile nesting costs nothing, since no tree is built.

use std::convert::Infallible;

use html5gum::{Emitter, Error, State, Tokenizer};

/// What HTML says to a reader.
#[derive(Debug, Default)]
pub(super) struct HtmlText {
    /// All text, with line feeds where tags separate.
    pub(super) text: String,
    /// Values of `alt` and `title`, in order.
    pub(super) attributes: Vec<String>,
}

/// Takes the text out of `html`. Text and attributes each end soon behind `most` bytes, above which the caller cuts.
pub(super) fn text_of(html: &str, most: usize) -> HtmlText {
    let mut collector = Collector { most, ..Collector::default() };
    match Tokenizer::new_with_emitter(html, &mut collector).finish() {
        Ok(()) => {}
        Err(never) => match never {},
    }
    HtmlText { text: string(collector.text), attributes: collector.attributes }
}

/// Pieces of text may end inside a character, their sum does not.
fn string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

#[derive(Debug, Default)]
struct Collector {
    most: usize,
    text: Vec<u8>,
    attributes: Vec<String>,
    attribute_bytes: usize,
    tag: Tag,
    last_start_tag: Vec<u8>,
    dropping: Dropping,
    /// How many templates are open.
    templates: u64,
}

/// The tag that is being read.
#[derive(Debug, Default)]
struct Tag {
    name: Vec<u8>,
    is_end: bool,
    attribute: Vec<u8>,
    value: Vec<u8>,
    seen_alt: bool,
    seen_title: bool,
    values: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dropping {
    #[default]
    Nothing,
    Script,
    Style,
}

impl Tag {
    fn begin(&mut self, is_end: bool) {
        self.name.clear();
        self.attribute.clear();
        self.value.clear();
        self.values.clear();
        (self.seen_alt, self.seen_title) = (false, false);
        self.is_end = is_end;
    }

    fn is_wanted(&self) -> bool {
        !self.is_end && matches!(self.attribute.as_slice(), b"alt" | b"title")
    }

    fn end_attribute(&mut self) {
        let seen = match self.attribute.as_slice() {
            b"alt" => &mut self.seen_alt,
            b"title" => &mut self.seen_title,
            _ => return self.value.clear(),
        };
        if !*seen && !self.value.is_empty() {
            self.values.push(std::mem::take(&mut self.value));
        }
        *seen = true;
        self.value.clear();
    }
}

impl Collector {
    fn separate(&mut self) {
        if self.templates == 0 && self.text.last() != Some(&b'\n') && separates(&self.tag.name) {
            self.text.push(b'\n');
        }
    }

    fn start_tag(&mut self) -> Option<State> {
        self.separate();
        if self.templates == 0 {
            for value in self.tag.values.drain(..) {
                if self.attribute_bytes <= self.most {
                    self.attribute_bytes = self.attribute_bytes.saturating_add(value.len());
                    self.attributes.push(string(value));
                }
            }
        }
        match self.tag.name.as_slice() {
            b"script" => self.dropping = Dropping::Script,
            b"style" => self.dropping = Dropping::Style,
            b"template" => self.templates = self.templates.saturating_add(1),
            _ => {}
        }
        self.last_start_tag.clone_from(&self.tag.name);
        state_behind(&self.tag.name)
    }

    fn end_tag(&mut self) {
        match (self.tag.name.as_slice(), self.dropping) {
            (b"script", Dropping::Script) | (b"style", Dropping::Style) => self.dropping = Dropping::Nothing,
            (b"template", _) => self.templates = self.templates.saturating_sub(1),
            _ => {}
        }
        self.separate();
    }
}

impl Emitter for &mut Collector {
    type Token = Infallible;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start_tag = last_start_tag.unwrap_or_default().to_vec();
    }

    fn emit_eof(&mut self) {}

    fn emit_error(&mut self, _: Error) {}

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }

    fn emit_string(&mut self, text: &[u8]) {
        if self.templates == 0 && self.dropping == Dropping::Nothing && self.text.len() <= self.most {
            self.text.extend_from_slice(text);
        }
    }

    fn init_start_tag(&mut self) {
        self.tag.begin(false);
    }

    fn init_end_tag(&mut self) {
        self.tag.begin(true);
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.tag.end_attribute();
        if self.tag.is_end {
            self.end_tag();
            return None;
        }
        self.start_tag()
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        self.tag.name.extend_from_slice(name);
    }

    fn init_attribute(&mut self) {
        self.tag.end_attribute();
        self.tag.attribute.clear();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        self.tag.attribute.extend_from_slice(name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        if self.tag.is_wanted() {
            self.tag.value.extend_from_slice(value);
        }
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.is_end && !self.tag.name.is_empty() && self.tag.name == self.last_start_tag
    }

    fn set_self_closing(&mut self) {}

    // Comments and doctypes leave nothing (T9.4).
    fn init_comment(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn emit_current_comment(&mut self) {}
    fn init_doctype(&mut self) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn emit_current_doctype(&mut self) {}
    fn set_force_quirks(&mut self) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
}

/// The states that start tags switch to (T9.2).
fn state_behind(start_tag: &[u8]) -> Option<State> {
    match start_tag {
        b"title" | b"textarea" => Some(State::RcData),
        b"style" | b"xmp" => Some(State::RawText),
        b"script" => Some(State::ScriptData),
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}

/// Tags that separate words (T9.5).
fn separates(name: &[u8]) -> bool {
    SEPARATING.binary_search(&name).is_ok()
}

#[rustfmt::skip]
const SEPARATING: [&[u8]; 80] = [
    b"address", b"article", b"aside", b"audio", b"blockquote", b"body", b"br", b"button", b"canvas",
    b"caption", b"center", b"col", b"colgroup", b"dd", b"details", b"dialog", b"dir", b"div", b"dl", b"dt",
    b"embed", b"fieldset", b"figcaption", b"figure", b"footer", b"form", b"frame", b"frameset", b"h1", b"h2",
    b"h3", b"h4", b"h5", b"h6", b"head", b"header", b"hgroup", b"hr", b"html", b"iframe", b"img", b"input",
    b"legend", b"li", b"link", b"listing", b"main", b"map", b"math", b"menu", b"meta", b"nav", b"noembed",
    b"noframes", b"noscript", b"object", b"ol", b"optgroup", b"option", b"p", b"param", b"plaintext", b"pre",
    b"search", b"section", b"select", b"summary", b"svg", b"table", b"tbody", b"td", b"textarea", b"tfoot",
    b"th", b"thead", b"title", b"tr", b"ul", b"video", b"xmp",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(html: &str) -> Vec<String> {
        text_of(html, 1000).text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn t9_1_tokens_with_the_error_handling_of_the_standard() {
        assert_eq!(words("a &lt;b&gt; &amp &nbsp;c&#x41;&notit; <!-- x"), ["a", "<b>", "&", "cA\u{ac}it;"]);
        assert_eq!(words("a < b <3 </ x> c <b"), ["a", "<", "b", "<3", "c"]);
    }

    #[test]
    fn t9_2_only_some_start_tags_switch_states() {
        assert_eq!(
            words("<title>a <b> &amp;</title> <noscript><i>b</i></noscript> <iframe><p>c</p></iframe>"),
            ["a", "<b>", "&", "b", "c"]
        );
        assert_eq!(words("<xmp><b>&amp;</xmp> <plaintext></plaintext>"), ["<b>&amp;", "</plaintext>"]);
        assert_eq!(words("a<![CDATA[b]]>c"), ["ac"]);
    }

    #[test]
    fn t9_4_comments_scripts_styles_and_templates_are_dropped() {
        assert_eq!(words("a<!-- x -->b<!doctype x>c"), ["abc"]);
        assert_eq!(words("a<script>x</b><!-- <script> </script> --></script>b<style/>y</style>c"), ["abc"]);
        assert_eq!(words("a<template>x<template>y</template><p title=z>z</template>b</template>c"), ["abc"]);
        assert!(text_of("<template><p title=z></template>", 9).attributes.is_empty());
    }

    #[test]
    fn t9_5_block_tags_separate_inline_tags_do_not() {
        assert_eq!(words("a<b>b</b>c<wbr>d<br>e<td>f</P>g<foo>h"), ["abcd", "e", "f", "gh"]);
        assert!(SEPARATING.is_sorted());
    }

    #[test]
    fn t9_7_alt_and_title_are_values() {
        let html = text_of("<img alt='a &amp; b' title=c alt=d><a TITLE=\"\" title=e></a><p alt>x</p title=f><i alt=g", 1000);
        assert_eq!(html.attributes, ["a & b", "c"]);
    }

    #[test]
    fn characters_survive_in_every_state() {
        assert_eq!(text_of("ü<i title=ß>ä</i>&ö<!ü>€<textarea>é&ü</textarea>", 1000).text, "üä&ö€\né&ü\n");
        assert_eq!(text_of("<i title=ß€>", 1000).attributes, ["ß€"]);
    }
}
