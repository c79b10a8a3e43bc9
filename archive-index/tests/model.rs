//! Searches against a naive scan: small documents of known words, queries of known parts, in every state of the index.
//!
//! The model shares no code with the index. It knows the words of a text because it built the text from them, and it
//! compares letters by its own table.

use archive_index::{Columns, DocNo, Field, Index, MemPages, Options, SortKeys, Value, ValueKind, parse};
use proptest::prelude::*;
use std::sync::Arc;

const WORDS: [&str; 14] = ["a", "ab", "abc", "abd", "b", "ba", "cab", "muller", "müller", "mullér", "müllér", "x1", "系", "统"];
const SEPARATORS: [&str; 6] = [" ", ".", "-", "@", ", ", "\n"];
const FIELDS: [Field; 8] = Field::ALL;

#[derive(Clone, Debug)]
struct ModelValue {
    field: Field,
    kind: ValueKind,
    words: Vec<&'static str>,
    text: String,
}

#[derive(Clone, Debug)]
struct ModelDoc {
    values: Vec<ModelValue>,
    date: i64,
    unsearchable: bool,
}

#[derive(Clone, Debug)]
struct Clause {
    negated: bool,
    field: Option<Field>,
    parts: Vec<String>,
    quoted: bool,
    /// Between its parts, where they are not quoted.
    joint: &'static str,
}

impl Clause {
    fn inner(&self) -> String {
        self.parts.join(if self.quoted { " " } else { self.joint })
    }

    fn text(&self) -> String {
        let minus = if self.negated { "-" } else { "" };
        let field = self.field.map_or(String::new(), |field| format!("{}:", field.name()));
        let quote = if self.quoted { "\"" } else { "" };
        format!("{minus}{field}{quote}{}{quote}", self.inner())
    }

    fn holds(&self, doc: &ModelDoc) -> bool {
        if self.field.is_none() && self.parts == ["*"] && !self.quoted {
            return !self.negated;
        }
        let bare = self.negated && self.field.is_none();
        let met = doc.values.iter().filter(|value| self.field.is_none_or(|field| field == value.field)).any(|value| {
            if bare && value.kind == ValueKind::Address {
                // An empty address is no address.
                return !value.text.is_empty() && like(&self.inner(), &value.text);
            }
            value.words.windows(self.parts.len()).any(|words| words.iter().zip(&self.parts).all(|(word, part)| like(part, word)))
        });
        met != self.negated
    }
}

fn bare(c: char) -> char {
    match c {
        'ü' => 'u',
        'é' => 'e',
        c => c,
    }
}

fn like(pattern: &str, word: &str) -> bool {
    fn go(pattern: &[char], word: &[char]) -> bool {
        match (pattern, word) {
            ([], []) => true,
            (['*', pattern_rest @ ..], _) => go(pattern_rest, word) || !word.is_empty() && go(pattern, &word[1..]),
            (['?', pattern @ ..], [_, word @ ..]) => go(pattern, word),
            ([p, pattern @ ..], [w, word @ ..]) => (p == w || *p == bare(*w)) && go(pattern, word),
            _ => false,
        }
    }
    go(&pattern.chars().collect::<Vec<_>>(), &word.chars().collect::<Vec<_>>())
}

fn value() -> impl Strategy<Value = ModelValue> {
    let words = prop::collection::vec((0..WORDS.len(), 0..SEPARATORS.len()), 0..8);
    (0..FIELDS.len(), 0..3usize, words).prop_map(|(field, kind, picks)| {
        let field = FIELDS[field];
        let addressed = matches!(field, Field::From | Field::To | Field::Cc | Field::Bcc);
        let kind = match kind {
            0 if addressed => ValueKind::Address,
            1 if addressed => ValueKind::DisplayName,
            _ => ValueKind::Text,
        };
        let words: Vec<&'static str> = picks.iter().map(|(word, _)| WORDS[*word]).collect();
        let mut text = String::new();
        if kind == ValueKind::Address && picks.len() % 4 == 3 {
            // A part before the `@` that has no word.
            text.push_str("-@");
        }
        for (at, (word, separator)) in picks.iter().enumerate() {
            if at > 0 {
                // Addresses are compared as one string: they have no white space.
                text.push_str(if kind == ValueKind::Address { ["@", ".", "-"][separator % 3] } else { SEPARATORS[*separator] });
            }
            text.push_str(WORDS[*word]);
        }
        ModelValue { field, kind, words, text }
    })
}

fn doc() -> impl Strategy<Value = ModelDoc> {
    (prop::collection::vec(value(), 0..6), 0..5i64, prop::bool::weighted(0.2)).prop_map(|(values, date, unsearchable)| ModelDoc {
        values,
        date,
        unsearchable,
    })
}

fn part() -> impl Strategy<Value = String> {
    (0..WORDS.len(), 0..9usize, 0..8usize).prop_map(|(word, shape, at)| {
        let letters: Vec<char> = WORDS[word].chars().collect();
        if "系统".contains(letters[0]) {
            return WORDS[word].to_owned();
        }
        let at = at % (letters.len() + 1);
        let (start, end): (String, String) = (letters[..at].iter().collect(), letters[at..].iter().collect());
        match shape {
            0 => format!("{start}*"),
            1 => format!("*{end}"),
            2 => format!("*{start}*"),
            3 => format!("{start}*{end}"),
            4 if at > 0 && at + 1 < letters.len() => format!("{start}?{}", letters[at + 1..].iter().collect::<String>()),
            5 => "*".to_owned(),
            _ => WORDS[word].to_owned(),
        }
        .replace("**", "*")
    })
}

fn clause() -> impl Strategy<Value = Clause> {
    let parts = prop::collection::vec(part(), 1..4);
    let joint = prop::sample::select(&["@", "."][..]);
    (prop::bool::weighted(0.3), prop::option::weighted(0.4, 0..FIELDS.len()), parts, any::<bool>(), joint)
        .prop_map(|(negated, field, parts, quoted, joint)| Clause { negated, field: field.map(|at| FIELDS[at]), parts, quoted, joint })
}

type ModelQuery = Vec<Vec<Clause>>;

fn query() -> impl Strategy<Value = ModelQuery> {
    prop::collection::vec(prop::collection::vec(clause(), 1..4), 1..3)
}

fn text(query: &ModelQuery) -> String {
    let alternative = |clauses: &Vec<Clause>| clauses.iter().map(Clause::text).collect::<Vec<_>>().join(" ");
    query.iter().map(alternative).collect::<Vec<_>>().join(" OR ")
}

fn check(index: &Index, numbers: &[u32], docs: &[ModelDoc], queries: &[ModelQuery]) -> Result<(), TestCaseError> {
    let snapshot = index.snapshot();
    for query in queries {
        let text = text(query);
        let parsed = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let found = snapshot.search(&parsed.without_filters().unwrap()).unwrap();
        let holds = |doc: &ModelDoc| query.iter().any(|clauses| clauses.iter().all(|clause| clause.holds(doc)));
        let mut expected: Vec<(i64, u32)> =
            numbers.iter().zip(docs).filter(|(_, doc)| holds(doc)).map(|(number, doc)| (doc.date, *number)).collect();
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected.iter().map(|(_, number)| *number).collect::<Vec<_>>(), "{}", text);
        expected.sort_unstable_by(|a, b| b.cmp(a));
        let newest: Vec<(i64, u32)> =
            snapshot.newest_first(&found, None).unwrap().map(|doc| doc.map(|(date, doc)| (date, doc.0)).unwrap()).collect();
        prop_assert_eq!(newest, expected, "{}", text);
    }
    let unsearchable: Vec<u32> = numbers.iter().zip(docs).filter(|(_, doc)| doc.unsearchable).map(|(number, _)| *number).collect();
    prop_assert_eq!(snapshot.incomplete().unwrap().iter().collect::<Vec<_>>(), unsearchable);
    prop_assert_eq!(snapshot.all().unwrap().len(), docs.len() as u64);
    Ok(())
}

fn add(index: &Index, number: u32, doc: &ModelDoc) {
    let values: Vec<Value<'_>> = doc.values.iter().map(|value| Value { field: value.field, kind: value.kind, text: &value.text }).collect();
    let columns = Columns { date: doc.date, unsearchable: doc.unsearchable, ..Columns::default() };
    index.add(DocNo(number), &values, &[], &columns, &SortKeys::default()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_search_equals_a_scan_in_every_state(
        docs in prop::collection::vec((doc(), 1..40u32, 0..6u8), 1..40),
        queries in prop::collection::vec(query(), 1..8),
        small_budget: bool,
    ) {
        let pages = MemPages::new();
        let options = Options { memory_budget: if small_budget { 30 << 10 } else { 1 << 20 }, pages: archive_index::SharedPages::new(4 << 10) };
        let mut index = Index::open(Arc::new(pages.clone()), options.clone()).unwrap();
        let (mut numbers, mut next) = (Vec::new(), 0);
        for (doc, gap, event) in &docs {
            next += gap;
            numbers.push(next);
            add(&index, next, doc);
            match event {
                0 | 1 => index.flush(&next.to_le_bytes()).unwrap(),
                2 => {
                    index.flush(&next.to_le_bytes()).unwrap();
                    index = Index::open(Arc::new(pages.clone()), options.clone()).unwrap();
                    prop_assert_eq!(index.basis(), next.to_le_bytes());
                    prop_assert_eq!(index.watermark(), DocNo(next + 1));
                }
                _ => {}
            }
        }
        let docs: Vec<ModelDoc> = docs.into_iter().map(|(doc, _, _)| doc).collect();
        let early = index.snapshot();
        check(&index, &numbers, &docs, &queries)?;
        index.flush(b"end").unwrap();
        check(&index, &numbers, &docs, &queries)?;
        index.merge_all().unwrap();
        check(&index, &numbers, &docs, &queries)?;
        let reopened = Index::open(Arc::new(pages), options).unwrap();
        check(&reopened, &numbers, &docs, &queries)?;
        // A snapshot outlives the files it sees.
        let query = parse("*").unwrap().without_filters().unwrap();
        prop_assert_eq!(early.search(&query).unwrap(), reopened.snapshot().search(&query).unwrap());
    }

    #[test]
    fn any_text_is_a_query_or_an_error(text: String) {
        let _ = parse(&text);
    }

    #[test]
    fn any_signs_are_a_query_or_an_error(text in "[a-c系ü *?\"()ORf:rom-]{0,24}") {
        if let Ok(query) = parse(&text) {
            let index = Index::open(Arc::new(MemPages::new()), Options::default()).unwrap();
            if let Some(query) = query.without_filters() {
                index.snapshot().search(&query).unwrap();
            }
        }
    }
}
