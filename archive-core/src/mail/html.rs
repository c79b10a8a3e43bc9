//! Extracts text from HTML, from the tokens alone (docs/TEXT.md, T9).
//!
//! Hostile nesting costs nothing, since no tree is built. The tokenizer is our own: existing ones recurse for each
//! attribute, compare each attribute with all before it, or keep whole comments. Ours is a loop, and linear.

mod characters;
mod tokens;

use characters::append;
use htmlize::Context;
use tokens::{Tag, TextState, Token, Tokens};

/// The text that a reader of the HTML sees.
#[derive(Debug, Default)]
pub(super) struct HtmlText {
    /// All text, with line feeds where tags separate words.
    pub(super) text: String,
    /// Values of `alt` and `title`, in order.
    pub(super) attributes: Vec<String>,
}

/// Extracts the text of `html`. Text and attributes each end soon after `most` bytes; the caller cuts the rest.
pub(super) fn text_of(html: &str, most: usize) -> HtmlText {
    let mut collector = Collector { most, ..Collector::default() };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text, state) => collector.text(text, state),
            Token::Start(tag) => collector.start_tag(&tag),
            Token::End(tag) => collector.end_tag(&tag),
        }
    }
    collector.found
}

#[derive(Debug, Default)]
struct Collector {
    most: usize,
    found: HtmlText,
    attribute_bytes: usize,
    dropping: Dropping,
    /// How many templates are open.
    templates: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dropping {
    #[default]
    Nothing,
    Script,
    Style,
}

impl Collector {
    fn text(&mut self, text: &str, state: TextState) {
        if self.templates == 0 && self.dropping == Dropping::Nothing {
            let references = (state != TextState::Raw).then_some(Context::General);
            append(&mut self.found.text, text, references, state != TextState::Data, self.most);
        }
    }

    fn separate(&mut self, tag: &Tag<'_>) {
        if self.templates == 0 && !self.found.text.ends_with('\n') && separates(tag.name()) {
            self.found.text.push('\n');
        }
    }

    fn start_tag(&mut self, tag: &Tag<'_>) {
        self.separate(tag);
        if self.templates == 0 {
            for value in tag.values.iter().flatten() {
                if self.attribute_bytes <= self.most {
                    let mut text = String::new();
                    append(&mut text, value, Some(Context::Attribute), true, self.most);
                    self.attribute_bytes = self.attribute_bytes.saturating_add(text.len());
                    self.found.attributes.push(text);
                }
            }
        }
        match tag.name() {
            b"script" => self.dropping = Dropping::Script,
            b"style" => self.dropping = Dropping::Style,
            b"template" => self.templates = self.templates.saturating_add(1),
            _ => {}
        }
    }

    fn end_tag(&mut self, tag: &Tag<'_>) {
        match (tag.name(), self.dropping) {
            (b"script", Dropping::Script) | (b"style", Dropping::Style) => self.dropping = Dropping::Nothing,
            (b"template", _) => self.templates = self.templates.saturating_sub(1),
            _ => {}
        }
        self.separate(tag);
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
    fn t9_1_comments_end_where_the_standard_ends_them() {
        assert_eq!(words("<!-->a<!--->b<!---->c<!-- -- - > x --!>d<!-- <!-->e<!-- > ->"), ["abcde"]);
        assert_eq!(words("a<!x>b<?x>c</ x>d</>e<!doctype x 'y>z'>f"), ["abcdez'>f"]);
    }

    #[test]
    fn t9_1_what_the_end_cuts() {
        for cut in ["<b title=x", "<b title='x", "<b title=", "<b ", "<b/", "</b", "<!-- x", "<!x", "<b title=x alt=\""] {
            let html = text_of(&format!("a {cut}"), 1000);
            assert_eq!((html.text.as_str(), html.attributes.len()), ("a ", 0), "{cut}");
        }
        assert_eq!(text_of("<title>a</title x", 1000).text, "\na");
        for text in ["a<", "a</", "<title>a</title"] {
            assert_eq!(words(text), [text.trim_start_matches("<title>")], "{text}");
        }
    }

    #[test]
    fn t9_1_attributes_in_any_form() {
        let html = text_of("<i a=b\"'c title = 'x' / alt=\ny/><i =alt=z/title=u><i title>v<i title=\"a\"alt=b>w", 1000);
        assert_eq!((html.text.as_str(), html.attributes), ("vw", ["x", "y/", "a", "b"].map(str::to_owned).into()));
        assert_eq!(text_of("<i alt='&lt&ltx&lt=&lt;&#65x\0\r\n&#13;'>", 1000).attributes, ["<&ltx&lt=<Ax\u{fffd}\n\r"]);
    }

    #[test]
    fn t9_1_t9_3_line_ends_and_nul() {
        assert_eq!(text_of("a\r\nb\rc\0<xmp>\0\r&lt;</xmp>", 1000).text, "a\nb\nc\0\n\u{fffd}\n&lt;\n");
    }

    #[test]
    fn t9_2_where_scripts_and_raw_text_end() {
        assert_eq!(words("<script><!-- <script> </script> x </script>a"), ["a"]);
        assert_eq!(words("<script><!-- <script> --> </script>a"), ["a"]);
        assert_eq!(words("<script><!--></script>a"), ["a"]);
        assert_eq!(words("<script></scripts></SCRIPT\r>a<style></sty></style/x>b<script>c"), ["ab"]);
    }

    #[test]
    fn text_ends_soon_after_the_limit() {
        for html in ["ä".repeat(50), "&auml;".repeat(50), "a\r".repeat(50), "<xmp>".to_owned() + &"\0".repeat(50), "a<b>".repeat(50)] {
            let length = text_of(&html, 10).text.len();
            assert!((11..20).contains(&length), "{html}: {length}");
        }
        let html = text_of(&"<i alt='1234567890'>".repeat(50), 15);
        assert_eq!(html.attributes.len(), 2);
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
