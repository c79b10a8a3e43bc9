//! The passage of a document that best shows why it was found: words of the query in their text, marked.

use super::tree::{Part, Query, Term};
use crate::terms::pattern::Pattern;
use crate::text::class::class;
use crate::text::field::{Field, Value, zone};
use crate::text::key::{PIECE, parts, put_word};
use crate::text::map::map;
use crate::text::split::{cut, words};
use std::collections::VecDeque;
use std::ops::Range;

/// Bytes of a value that are searched first; the rest is searched if they contain nothing.
const FIRST: usize = 64 << 10;

/// A piece of a document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The field that it is from.
    pub field: Field,
    /// The text: white space of any length becomes one blank, and `…` marks a cut.
    pub text: String,
    /// The bytes of `text` that are words of the query, in order.
    pub ranges: Vec<Range<usize>>,
}

/// The best passage of `values` for `query`, of about `width` bytes. `None` if they have no word of it.
pub fn snippet(query: &Query, values: &[Value<'_>], width: usize) -> Option<Snippet> {
    let mut terms = Vec::new();
    query.root.positive_terms(&mut terms);
    let best_in = |most: usize| {
        let places = values.iter().filter_map(|value| {
            let text = value.text.get(..value.text.floor_char_boundary(most))?;
            let window = Window::best(&found_in(text, value, &terms), width)?;
            Some((window, text, value.field))
        });
        // Among equals, the first. Subject and addresses come first in a document, but show less than text does.
        places.min_by_key(|(window, _, field)| (usize::MAX - window.terms, !matches!(field, Field::Body | Field::AttachmentContent)))
    };
    let (window, text, field) = best_in(FIRST).or_else(|| best_in(usize::MAX))?;
    Some(window.cut(text, field, width))
}

/// The bytes of `value` that are words of `query`, in order and without overlaps.
pub fn found_words(query: &Query, value: &Value<'_>) -> Vec<Range<usize>> {
    let mut terms = Vec::new();
    query.root.positive_terms(&mut terms);
    let mut words: Vec<Range<usize>> = Vec::new();
    for (range, _) in found_in(value.text, value, &terms) {
        match words.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => words.push(range),
        }
    }
    words
}

/// A word in its text.
#[derive(Default)]
struct Token {
    key: Vec<u8>,
    range: Range<usize>,
}

/// The occurrences of terms in a text, in the order of their places: the range, and the number of the term.
fn found_in(text: &str, value: &Value<'_>, terms: &[&Term]) -> Vec<(Range<usize>, usize)> {
    let zone = zone(value.field, value.kind);
    let asked: Vec<(usize, &[Part])> =
        terms.iter().enumerate().filter(|(_, term)| term.zones.0 >> zone & 1 == 1).map(|(at, term)| (at, term.parts.as_slice())).collect();
    let longest = asked.iter().map(|(_, parts)| parts.len()).max().unwrap_or(0);
    if longest == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    // The last words, as many as the longest term has.
    let mut last: VecDeque<Token> = VecDeque::with_capacity(longest);
    each_token(text, &mut |key, range| {
        let mut token = if last.len() == longest { last.pop_front().unwrap_or_default() } else { Token::default() };
        token.key.clear();
        token.key.extend_from_slice(key);
        token.range = range;
        last.push_back(token);
        for (number, parts_asked) in &asked {
            let Some(start) = last.len().checked_sub(parts_asked.len()) else { continue };
            let met = |(token, part): (&Token, &Part)| match part {
                Part::AnyWord => true,
                Part::Word(pattern) => Pattern::matches(pattern, &parts(&token.key)),
            };
            if let (true, Some(first), Some(last)) = (last.range(start..).zip(*parts_asked).all(met), last.get(start), last.back()) {
                found.push((first.range.start..last.range.end, *number));
            }
        }
    });
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Gives each word of a text as it is in the index: its key and its place.
fn each_token(text: &str, give: &mut dyn FnMut(&[u8], Range<usize>)) {
    let mut run: Option<Range<usize>> = None;
    let mut key = Vec::new();
    let mut end_run = |run: &mut Option<Range<usize>>| {
        let Some(range) = run.take() else { return };
        let written = text.get(range.clone()).unwrap_or_default();
        if written.is_ascii() && written.len() <= PIECE {
            key.clear();
            key.extend(written.bytes().map(|byte| byte.to_ascii_lowercase()));
            return give(&key, range);
        }
        let mapped = map(written);
        for word in words(&mapped) {
            for (piece, continues, goes_on) in cut(word) {
                key.clear();
                put_word(&mut key, piece, continues, goes_on);
                give(&key, range.clone());
            }
        }
    };
    let mut next = 0;
    for (at, c) in text.char_indices() {
        let before = std::mem::replace(&mut next, at);
        let end = at + c.len_utf8();
        let mut buffer = [0; 4];
        let mapped = if c.is_ascii() { None } else { Some(map(c.encode_utf8(&mut buffer))) };
        if run.is_none() && mapped.as_deref() == Some("") {
            // An ignorable character outside a word is treated as absent.
            next = before;
            continue;
        }
        let (is_word, alone, mark) = match &mapped {
            None => (c.is_ascii_alphanumeric(), false, false),
            Some(mapped) => {
                let first = mapped.chars().next();
                let is_word = mapped.is_empty() || mapped.chars().any(|c| class(c).is_word());
                (is_word, first.is_some_and(|c| class(c).stands_alone()), mapped.is_empty() || first.is_some_and(|c| class(c).is_mark()))
            }
        };
        if !is_word || alone {
            end_run(&mut run);
        }
        if is_word {
            match &mut run {
                Some(range) => range.end = end,
                // A mark may turn the character before it into another one.
                None if mark && !alone => run = Some(before..end),
                None => run = Some(at..end),
            }
        }
        // A letter of a script without blanks goes with its marks, and with nothing else.
        let ignorable = |c: &char| !c.is_ascii() && map(c.encode_utf8(&mut [0; 4])).is_empty();
        let next_is_mark = || text.get(end..).and_then(|rest| rest.chars().find(|c| !ignorable(c))).is_some_and(|c| class(c).is_mark());
        if alone && !next_is_mark() {
            end_run(&mut run);
        }
    }
    end_run(&mut run);
}

/// A range of a text that has occurrences.
struct Window {
    /// How many different terms it shows.
    terms: usize,
    ranges: Vec<Range<usize>>,
}

impl Window {
    /// The first range of `width` bytes that shows the most terms. Occurrences come in the order of their places.
    fn best(found: &[(Range<usize>, usize)], width: usize) -> Option<Self> {
        let mut best: Option<Window> = None;
        for (at, (first, _)) in found.iter().enumerate() {
            let within = found.get(at..)?.iter().take_while(|(range, _)| range.end <= first.start + width);
            let within: Vec<&(Range<usize>, usize)> = within.take(64).collect();
            let mut numbers: Vec<usize> = within.iter().map(|(_, number)| *number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            if best.as_ref().is_none_or(|best| best.terms < numbers.len()) {
                let ranges = if within.is_empty() { vec![first.clone()] } else { within.iter().map(|(range, _)| range.clone()).collect() };
                best = Some(Window { terms: numbers.len(), ranges });
            }
        }
        best
    }

    fn cut(&self, text: &str, field: Field, width: usize) -> Snippet {
        let start = self.ranges.first().map_or(0, |range| range.start);
        let end = self.ranges.iter().map(|range| range.end).max().unwrap_or(start);
        // A word may be as long as the text.
        let end = end.min(text.floor_char_boundary(start.saturating_add(width)));
        let spare = width.saturating_sub(end - start);
        let from = word_edge(text, start.saturating_sub(spare / 3));
        let to = text.floor_char_boundary((end + (spare - spare / 3)).max(end));
        let mut snippet = Snippet { field, text: String::new(), ranges: Vec::new() };
        if from > 0 {
            snippet.text.push('…');
        }
        let mut at = from;
        let mut last = 0;
        for range in &self.ranges {
            if range.start < last || range.start >= end {
                continue;
            }
            let range = range.start..range.end.min(end);
            squeeze(text.get(at..range.start).unwrap_or_default(), &mut snippet.text);
            let begin = snippet.text.len();
            squeeze(text.get(range.clone()).unwrap_or_default(), &mut snippet.text);
            snippet.ranges.push(begin..snippet.text.len());
            (at, last) = (range.end, range.end);
        }
        squeeze(text.get(at..to).unwrap_or_default(), &mut snippet.text);
        if to < text.len() {
            snippet.text.push('…');
        }
        snippet
    }
}

/// The beginning of a word at `at` or soon after it.
fn word_edge(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    let behind = text.get(at..).unwrap_or_default();
    match at {
        0 => 0,
        at => behind.char_indices().take(24).find(|(_, c)| c.is_whitespace()).map_or(at, |(blank, _)| at + blank + 1).min(text.len()),
    }
}

/// Appends `text` with each run of white space and controls as one blank.
fn squeeze(text: &str, out: &mut String) {
    for c in text.chars() {
        let blank = c.is_whitespace() || c.is_control();
        if !blank {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with([' ', '…']) {
            out.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, DocNo, Index, MemPages, Options, ValueKind, parse};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn of(query: &str, text: &str, width: usize) -> Option<String> {
        let value = Value { field: Field::Body, kind: ValueKind::Text, text };
        let found = snippet(&parse(query).unwrap(), &[value], width)?;
        let mut marked = found.text.clone();
        for range in found.ranges.iter().rev() {
            marked.insert(range.end, ']');
            marked.insert(range.start, '[');
        }
        Some(marked)
    }

    #[test]
    fn s4_6_the_best_place_is_shown_with_its_words() {
        assert_eq!(of("fox", "The quick\n brown fox jumps", 60).unwrap(), "The quick brown [fox] jumps");
        assert_eq!(of("\"brown fox\" quick", "The quick brown fox", 60).unwrap(), "The [quick] [brown fox]");
        assert_eq!(of("mull* -fox", "Herr Müller kam", 60).unwrap(), "Herr [Müller] kam");
        assert_eq!(of("系统", "Windows系统2000", 60).unwrap(), "Windows[系统]2000");
        assert_eq!(of("absent", "The quick brown fox", 60), None);
        let long = format!("{}alpha {}alpha beta{}", "x ".repeat(400), "y ".repeat(400), " z".repeat(400));
        let shown = of("alpha beta", &long, 60).unwrap();
        assert!(shown.contains("[alpha] [beta]") && shown.len() < 120, "{shown}");
    }

    #[test]
    fn s4_6_of_a_word_without_end_the_beginning_is_shown() {
        for piece in ["\u{fdfa}", "\u{3316}", "x"] {
            let shown = of("word OR \u{639}\u{644}\u{64a}\u{647} OR x* OR \u{30ad}\u{30ed}", &piece.repeat(100_000), 60).unwrap();
            assert!(shown.starts_with('[') && shown.len() < 200, "{piece}: {}", shown.len());
        }
    }

    #[test]
    fn words_of_a_value_are_named_without_overlap() {
        let value = Value { field: Field::Subject, kind: ValueKind::Text, text: "Re: the brown Fox, a fox" };
        let found = |query: &str| -> Vec<&str> {
            found_words(&parse(query).unwrap(), &value).into_iter().filter_map(|range| value.text.get(range)).collect()
        };
        assert_eq!(found("fox"), ["Fox", "fox"]);
        assert_eq!(found("\"the brown\" \"brown fox\""), ["the brown Fox"]);
        assert_eq!(found("-fox from:fox"), [""; 0]);
    }

    #[test]
    fn signs_that_become_many_words_cost_what_these_cost() {
        for signs in [1, 10, 1_000] {
            let mut tokens = 0;
            each_token(&"\u{fdfa}".repeat(signs), &mut |key, range| {
                assert!(key.len() <= 64 && range.end <= 3 * signs);
                tokens += 1;
            });
            // The words of two adjacent signs join into one.
            assert_eq!(tokens, 3 * signs + 1);
        }
    }

    #[test]
    fn a_soft_hyphen_repeats_no_letter() {
        assert_eq!(of("가가", "가\u{ad}é", 20), None);
        assert_eq!(of("가e", "가\u{ad}é", 20).as_deref(), Some("[가\u{ad}é]"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What the index finds for a word of a text, the snippet shows; and it never shows what is not found.
        #[test]
        fn a_snippet_shows_what_the_index_finds(text in "[a-cÄß系ガ가ที่éﬁ½\u{ad}\u{308} .@-]{0,40}", word in "[a-cäß系ガ가ทéfi1]{1,3}") {
            let value = Value { field: Field::Body, kind: ValueKind::Text, text: &text };
            let index = Index::open(Arc::new(MemPages::new()), Options::default()).unwrap();
            index.add(DocNo(0), &[value], &[], &Columns::default(), &crate::SortKeys::default()).unwrap();
            let query = parse(&word).unwrap();
            let found = !index.snapshot().search(&query.without_filters().unwrap()).unwrap().is_empty();
            prop_assert_eq!(snippet(&query, &[value], 20).is_some(), found);
        }
    }
}
