//! The rules of docs/SEARCH.md, by number, each through the public API: in memory, flushed, merged and reopened.

use archive_index::{
    Bound, Columns, DocNo, Field, Index, IndexError, Label, LabelKind, LabelPattern, Leaf, MemPages, NoticeKind, Options, Priority, Probe,
    RoaringBitmap, SortKeys, Truth, Value, ValueKind, WordsOf, parse, parse_reduced,
};
use std::sync::Arc;

type Doc = Vec<(Field, ValueKind, &'static str)>;

fn body(text: &'static str) -> Doc {
    vec![(Field::Body, ValueKind::Text, text)]
}

/// The index in each of its states.
fn states(docs: &[Doc]) -> Vec<(&'static str, Index)> {
    let fill = |index: &Index, flush_each: bool| {
        for (number, doc) in docs.iter().enumerate() {
            let values: Vec<Value<'_>> = doc.iter().map(|&(field, kind, text)| Value { field, kind, text }).collect();
            index
                .add(DocNo(number as u32), &values, &[], &Columns { date: number as i64, ..Columns::default() }, &SortKeys::default())
                .unwrap();
            if flush_each {
                index.flush(b"basis").unwrap();
            }
        }
    };
    let open = |pages: &MemPages| Index::open(Arc::new(pages.clone()), Options::default()).unwrap();
    let memory = open(&MemPages::new());
    fill(&memory, false);
    let flushed = open(&MemPages::new());
    fill(&flushed, false);
    flushed.flush(b"basis").unwrap();
    let pages = MemPages::new();
    fill(&open(&pages), true);
    let reopened = open(&pages);
    let merged_pages = MemPages::new();
    fill(&open(&merged_pages), true);
    let merged = open(&merged_pages);
    merged.merge_all().unwrap();
    vec![("memory", memory), ("flushed", flushed), ("reopened", reopened), ("merged", merged)]
}

fn bound(query: &str) -> Bound {
    parse(query).unwrap_or_else(|error| panic!("{query}: {error}")).without_filters().unwrap()
}

fn search(index: &Index, query: &str) -> Vec<u32> {
    index.snapshot().search(&bound(query)).unwrap().iter().collect()
}

/// Checks queries against the documents that they should find.
fn check(docs: &[Doc], cases: &[(&str, &[u32])]) {
    for (state, index) in states(docs) {
        for (query, expected) in cases {
            assert_eq!(search(&index, query), *expected, "{query} ({state})");
        }
    }
}

fn bodies(docs: &[&'static str], cases: &[(&str, &[u32])]) {
    check(&docs.iter().map(|text| body(text)).collect::<Vec<_>>(), cases);
}

#[test]
fn s1_1_words_are_found_by_their_parts_and_in_any_case() {
    bodies(
        &["vorname.nachname@example.net", "So\u{ad}ftware STRASSE", "a_b-c/d\\e", "nothing"],
        &[
            ("vorname", &[0]),
            ("NACHNAME", &[0]),
            ("vorname.nachname", &[0]),
            ("nachname.vorname", &[]),
            ("software", &[1]),
            ("straße", &[1]),
            ("c", &[2]),
            ("\"a b c\"", &[2]),
            ("noth", &[]),
        ],
    );
}

#[test]
fn s1_1_text_is_mapped_before_it_is_split() {
    bodies(
        &["ＡＢＣ１２", "o\u{fb03}ce", "zero\u{200b}width", "a\0b;c,d/e@f", "x² ½", "ΣΊΣΥΦΟΣ"],
        &[
            ("abc12", &[0]),
            ("office", &[1]),
            ("OFFICE", &[1]),
            ("zerowidth", &[2]),
            ("\"a b c d e f\"", &[3]),
            ("x2", &[4]),
            ("σίσυφος", &[5]),
        ],
    );
}

#[test]
fn s1_1_positions_of_values_never_touch() {
    check(
        &[vec![(Field::From, ValueKind::DisplayName, "Anna"), (Field::From, ValueKind::Address, "berg@example.org")], body("anna berg")],
        &[("\"anna berg\"", &[1]), ("\"anna *\"", &[1]), ("\"* berg\"", &[1]), ("\"anna * example\"", &[]), ("\"* * *\"", &[0])],
    );
}

#[test]
fn s1_2_a_letter_without_mark_meets_any_a_marked_one_only_itself() {
    bodies(
        &["Müller", "Muller", "Mu\u{308}llér", "łódź", "ёлка елка", "йод", "שָׁלוֹם"],
        &[
            ("muller", &[0, 1, 2]),
            ("müller", &[0, 2]),
            ("mullér", &[2]),
            ("müllér", &[2]),
            ("mü*", &[0, 2]),
            ("mu*", &[0, 1, 2]),
            ("m*r", &[0, 1, 2]),
            ("*üller", &[0, 2]),
            ("*uller", &[0, 1, 2]),
            ("m?ller", &[0, 1, 2]),
            ("lodz", &[3]),
            ("łodz", &[3]),
            ("đodz", &[]),
            ("елка", &[4]),
            ("ёлка", &[4]),
            ("иод", &[]),
            ("שלום", &[6]),
        ],
    );
}

#[test]
fn s1_2_four_scripts_have_marks_that_may_be_left_out_and_nothing_is_stemmed() {
    bodies(
        &["άνθρωπος", "سُلام", "हिन्दी", "øre đat ħal ısı", "the invoices were running"],
        &[
            ("ανθρωπος", &[0]),
            ("ὰνθρωπος", &[]),
            ("سلام", &[1]),
            ("سِلام", &[]),
            ("हिन्दी", &[2]),
            ("हनद", &[]),
            ("ore dat hal isi", &[3]),
            ("øre", &[3]),
            ("öre", &[]),
            ("the", &[4]),
            ("invoice", &[]),
            ("run", &[]),
        ],
    );
}

#[test]
fn s1_3_scripts_without_blanks_are_found_as_substrings() {
    bodies(
        &["会议系统更新", "系 统", "Windows系统", "系统Windows", "한국어 문서", "統系"],
        &[
            ("系统", &[0, 1, 2, 3]),
            ("议系", &[0]),
            ("*系统*", &[0, 1, 2, 3]),
            ("Windows系统", &[2]),
            ("Win*系统", &[2]),
            ("系统win*", &[3]),
            ("会?系", &[0]),
            ("국어", &[4]),
            ("统系", &[]),
        ],
    );
    let error = parse("系*统").unwrap_err();
    assert_eq!(error.range, 0..7);
}

#[test]
fn s1_3_eight_scripts_are_written_without_blanks() {
    bodies(
        &["ひらがな", "カタカナー", "ภาษาไทย", "ພາສາລາວ", "ភាសាខ្មែរ", "မြန်မာ", "日本\r\n語", "日本12語"],
        &[
            ("らが", &[0]),
            ("タカ", &[1]),
            ("ナー", &[1]),
            ("ษาไท", &[2]),
            ("ສາລາ", &[3]),
            ("សាខ្មែ", &[4]),
            ("န်မာ", &[5]),
            ("本語", &[6]),
            ("本?語", &[]),
            ("12", &[7]),
            ("本12", &[7]),
        ],
    );
}

#[test]
fn s1_4_long_words_are_found_whole_and_by_their_ends() {
    let long: &'static str = Box::leak(format!("x{}y{}end", "a".repeat(63), "b".repeat(64)).into_boxed_str());
    let cut: &'static str = Box::leak(long[..64].to_owned().into_boxed_str());
    for (state, index) in states(&[body(long), body(cut), body("end")]) {
        let found = |query: &str| search(&index, query);
        assert_eq!(found(long), [0], "{state}");
        assert_eq!(found(cut), [1], "a piece is not the word ({state})");
        assert_eq!(found("end"), [2], "{state}");
        assert_eq!(found("xaaa*"), [0, 1], "{state}");
        assert_eq!(found(&format!("{cut}*")), [0, 1], "{state}");
        assert_eq!(found(&format!("{}*", &long[..100])), [0], "{state}");
        assert_eq!(found("*end"), [0, 2], "{state}");
        assert_eq!(found("*bend"), [0], "{state}");
        assert_eq!(found("yb*"), [] as [u32; 0], "the middle is no beginning ({state})");
        assert_eq!(found("*ybb*"), [0], "{state}");
    }
}

#[test]
fn s1_4_wildcards_run_over_the_pieces_of_a_long_word() {
    let long: &'static str = Box::leak(format!("x{}q{}äb{}z", "a".repeat(62), "c".repeat(64), "d".repeat(70)).into_boxed_str());
    let other: &'static str = Box::leak(format!("x{}", "e".repeat(100)).into_boxed_str());
    for (state, index) in states(&[body(long), body(other), vec![(Field::Subject, ValueKind::Text, long)], body("xz x qc z")]) {
        for (query, expected) in [
            ("x*z", vec![0, 2]),
            ("x*qc*z", vec![0, 2]),
            ("*aqc*", vec![0, 2]),
            ("*qcc*dz", vec![0, 2]),
            ("*äb*", vec![0, 2]),
            ("*ab*", vec![0, 2]),
            ("*âb*", vec![]),
            ("*qd*", vec![]),
            ("*eeeez", vec![]),
            ("x*e", vec![1]),
            ("bcontent:x*z", vec![0]),
            ("-x*z", vec![1, 3]),
            ("xa*z", vec![0, 2]),
            ("*z", vec![0, 2, 3]),
        ] {
            let mut expected = expected;
            if ["x*z", "bcontent:x*z"].contains(&query) {
                expected.push(3);
            } else if query == "-x*z" {
                expected = vec![1];
            }
            expected.sort_unstable();
            assert_eq!(search(&index, query), expected, "{query} ({state})");
        }
        let one = |text: &str| search(&index, &long.replacen('q', text, 1));
        assert_eq!(one("?"), [0, 2], "{state}");
        assert_eq!(one("??"), [] as [u32; 0], "{state}");
    }
}

/// To a wildcard of a phrase a long word is one word, as any other.
#[test]
fn s1_4_wildcards_of_a_phrase_run_over_the_pieces_of_a_long_word() {
    let long = format!("x{}q{}z", "a".repeat(62), "c".repeat(80));
    let text: &'static str = Box::leak(format!("one {long} two three").into_boxed_str());
    let subject = vec![(Field::Subject, ValueKind::Text, text), (Field::Body, ValueKind::Text, "one xz two")];
    for (state, index) in states(&[body(text), body("one xz two three"), subject, body("one two three")]) {
        let whole = |query: &str| query.replace("LONG", &long);
        for (query, expected) in [
            ("\"o* x* t*\"", vec![0, 1, 2]),
            ("\"one x*z two\"", vec![0, 1, 2]),
            ("\"x*c* two\"", vec![0, 2]),
            ("\"*z two\"", vec![0, 1, 2]),
            ("\"*cz two three\"", vec![0, 2]),
            ("\"*aqc* t*\"", vec![0, 2]),
            ("\"one * two\"", vec![0, 1, 2]),
            ("\"one * * two\"", vec![]),
            ("\"one * two three\"", vec![0, 1, 2]),
            ("\"one * t* three\"", vec![0, 1, 2]),
            ("\"LONG t*\"", vec![0, 2]),
            ("\"o* LONG two\"", vec![0, 2]),
            ("\"one x*y two\"", vec![]),
            ("\"x* three\"", vec![]),
            ("bcontent:\"x*c* two\"", vec![0]),
            ("subject:\"x*c* t*\"", vec![2]),
            ("\"* * * *\"", vec![0, 1, 2]),
            ("\"* * * * *\"", vec![]),
            ("one \"x*c* two\" -subject:three", vec![0]),
        ] {
            assert_eq!(search(&index, &whole(query)), expected, "{query} ({state})");
        }
    }
}

#[test]
fn s1_5_fields_limit_words_and_phrases() {
    check(
        &[
            vec![(Field::Subject, ValueKind::Text, "Invoice March"), (Field::Body, ValueKind::Text, "see attachment")],
            vec![(Field::Attachment, ValueKind::Text, "invoice_march.pdf"), (Field::AttachmentContent, ValueKind::Text, "total due")],
            vec![(Field::Body, ValueKind::Text, "invoice march"), (Field::Bcc, ValueKind::Address, "due@x.example")],
        ],
        &[
            ("invoice", &[0, 1, 2]),
            ("subject:invoice", &[0]),
            ("SUBJECT:\"invoice march\"", &[0]),
            ("attachment:\"invoice march\"", &[1]),
            ("bcontent:invoice", &[2]),
            ("acontent:due", &[1]),
            ("bcc:due@x.example", &[2]),
            ("subject:inv*", &[0]),
            ("bcc:*", &[2]),
            ("subject:(invoice -march)", &[]),
            ("subject:(invoice march)", &[0]),
        ],
    );
}

#[test]
fn s2_1_each_term_may_be_met_by_another_field() {
    check(
        &[vec![(Field::Subject, ValueKind::Text, "red"), (Field::Body, ValueKind::Text, "blue")], body("red")],
        &[("red blue", &[0]), ("red OR blue", &[0, 1]), ("(red blue) OR green", &[0]), ("red (blue OR green)", &[0])],
    );
}

#[test]
fn s2_1_field_prefixes_count_only_directly_before_a_term() {
    bodies(&["subject: x", "http x", "re 12 30 form anna"], &[("subject: x", &[0]), ("http://x", &[1]), ("Re:", &[2]), ("12:30", &[2])]);
    let query = parse("form:anna").unwrap();
    assert_eq!(query.notices()[0].kind, NoticeKind::UnknownPrefix { nearest: Some("from") });
    assert_eq!(query.notices()[0].range, 0..4);
    assert_eq!(parse("größer:5M").unwrap().notices().len(), 1, "a prefix in any script");
    assert_eq!(parse("http://x mailto:a@b.example?subject=x").unwrap().notices().len(), 0, "addresses of the web");
}

#[test]
fn s2_2_wildcards_stand_for_letters_of_one_word() {
    bodies(
        &["auto automat", "autoreparatur", "meier", "meyer", "maier meer", "a.b x", "ab cd", "abxx cdyy", "ab yy cd"],
        &[
            ("auto*", &[0, 1]),
            ("*parat*", &[1]),
            ("*atur", &[1]),
            ("au*at", &[0]),
            ("au*a*r", &[1]),
            ("me?er", &[2, 3]),
            ("m*er", &[2, 3, 4]),
            ("m**er", &[2, 3, 4]),
            ("a*.b*", &[5]),
            ("\"ab* cd*\"", &[6, 7]),
            ("\"ab * cd\"", &[8]),
            ("ab.*.cd", &[8]),
            ("*", &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
            ("-*", &[]),
        ],
    );
    for query in ["?eier", "Meie?", "\"?eier\""] {
        let error = parse(query).unwrap_err();
        assert!(error.expected.contains('*'), "{query}");
    }
    assert!(parse("\"who? me?\"").is_ok(), "punctuation");
}

/// A phrase that a complete address says is found by the address as a whole, but means the same as any phrase.
#[test]
fn s2_2_addresses_are_phrases_like_any_other() {
    const LONG: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn";
    let address = |text: String| vec![(Field::From, ValueKind::Address, &*text.leak())];
    let name = |text: &'static str| vec![(Field::From, ValueKind::DisplayName, text)];
    let docs = [
        address("anna@example.org".to_owned()),
        address("joanna@example.org".to_owned()),
        address("anna@example.org.example".to_owned()),
        name("Anna Example Org"),
        body("write to anna@example.org"),
        address("--@example.org".to_owned()),
        address("@example.org".to_owned()),
        address(format!("{LONG}@example.org")),
        address("Änna@example.org".to_owned()),
        address("jo.anna@example.org".to_owned()),
        address(format!("{}.{}@example.org", "anna".repeat(70), "x".repeat(40))),
        vec![(Field::To, ValueKind::Address, "anna@example.org")],
        body("example.org"),
    ];
    check(
        &docs,
        &[
            ("anna@example.org", &[0, 2, 3, 4, 8, 9, 11]),
            ("from:anna@example.org", &[0, 2, 3, 8, 9]),
            ("from:änna@example.org", &[8]),
            ("*@example.org", &[0, 1, 2, 3, 4, 7, 8, 9, 10, 11]),
            ("from:*anna@example.org", &[0, 1, 2, 3, 8, 9]),
            // S1.4: a wildcard runs over the pieces of a word; the last one is "mn".
            ("*klmn@example.org", &[7]),
            ("*n@example.org", &[7]),
            ("*.anna@example.org", &[4, 9]),
            ("to:*@example.org", &[11]),
        ],
    );
}

#[test]
fn s2_3_signs_act_only_where_a_clause_begins() {
    bodies(
        &["daily update", "update daily", "well-known", "known", "or", "a b"],
        &[
            ("\"daily update\"", &[0]),
            ("„daily update“", &[0]),
            ("\"daily update", &[0]),
            ("well-known", &[2]),
            ("known -well", &[3]),
            ("known \u{2013}well", &[3]),
            ("a\"b", &[5]),
            ("daily - update", &[0, 1]),
            ("(daily", &[0, 1]),
            ("daily)", &[0, 1]),
            ("OR", &[4]),
            ("or", &[4]),
            ("daily OR", &[]),
            ("+ ! daily", &[0, 1]),
        ],
    );
}

#[test]
fn s2_3_blanks_and_quotes_of_any_kind_and_words_that_are_no_operators() {
    bodies(
        &["daily update", "update daily", "a or b", "a and b", "a und b", "a not b", "a b"],
        &[
            ("daily\u{3000}update", &[0, 1]),
            ("daily\u{a0}update", &[0, 1]),
            ("daily\tupdate\n", &[0, 1]),
            ("“daily update”", &[0]),
            ("«daily update»", &[0]),
            ("daily \u{2212}update", &[]),
            ("a or b", &[2]),
            ("a and b", &[3]),
            ("a und b", &[4]),
            ("a not b", &[5]),
            ("a OR daily", &[0, 1, 2, 3, 4, 5, 6]),
            ("a (or OR and", &[2, 3]),
            ("a ... b", &[2, 3, 4, 5, 6]),
            ("a ()b", &[2, 3, 4, 5, 6]),
            ("bcontent:\"daily update", &[0]),
        ],
    );
}

#[test]
fn s2_3_an_or_beside_an_ignored_clause_is_ignored_like_it() {
    bodies(
        &["a", "b", "a or"],
        &[
            ("a OR \u{1f389}", &[0, 2]),
            ("\u{1f389} OR a", &[0, 2]),
            ("a OR \u{1f389} OR b", &[0, 1, 2]),
            ("a OR \u{1f389} b", &[0, 1, 2]),
            ("a OR \u{1f389} OR", &[0, 2]),
            ("\u{1f389} OR \u{1f389}", &[]),
            ("(\u{1f389}) OR a", &[0, 2]),
            ("a OR (\u{1f389})", &[0, 2]),
            ("(\u{1f389} OR b) OR a", &[0, 1, 2]),
            ("(a OR \u{1f389}) -b", &[0, 2]),
            ("a OR -", &[0, 2]),
            // One that has nothing on a side, not even an ignored clause, is a word.
            ("a \u{1f389} OR", &[2]),
            ("OR \u{1f389} a", &[2]),
        ],
    );
}

#[test]
fn s2_3_operators_of_other_languages_and_ignored_clauses_are_noticed() {
    for (text, notices) in [
        ("a AND b", vec![(2..5, NoticeKind::OperatorAsWord)]),
        ("NOT b -(x AND y)", vec![(0..3, NoticeKind::OperatorAsWord), (10..13, NoticeKind::OperatorAsWord)]),
        ("a \u{1f389} b", vec![(2..6, NoticeKind::Ignored)]),
        ("a - \"\" b", vec![]),
        ("a and not \"AND\" b", vec![]),
    ] {
        let query = parse(text).unwrap();
        let found: Vec<_> = query.notices().iter().map(|notice| (notice.range.clone(), notice.kind)).collect();
        assert_eq!(found, notices, "{text}");
    }
}

#[test]
fn s2_2_in_an_address_of_the_web_a_question_mark_separates() {
    bodies(
        &["see https://www.example.com/path/to_file-name.html?id=42&x=%C3%BC#frag there", "https www example com", "who? mee"],
        &[
            ("https://www.example.com/path/to_file-name.html?id=42&x=%C3%BC#frag", &[0]),
            ("https://www.example.com/?", &[0, 1]),
            ("www.example.com/?", &[0, 1]),
            ("WWW.example.com/path/to_file-name.html?id=42", &[0]),
            ("mailto:who?mee", &[]),
            ("\"https://www.example.com/path?\"", &[0]),
            ("https://www.exam*.com/path", &[0]),
            ("m?e", &[2]),
        ],
    );
}

#[test]
fn s1_1_the_letters_i_of_turkish_are_one() {
    bodies(
        &["ISPARTA", "\u{131}sparta", "\u{130}sparta", "i\u{307}sparta", "\u{ed}sparta"],
        &[
            ("\u{131}sparta", &[0, 1, 2, 3, 4]),
            ("isparta", &[0, 1, 2, 3, 4]),
            ("\u{130}SPARTA", &[0, 1, 2, 3, 4]),
            ("\u{131}sp*", &[0, 1, 2, 3, 4]),
            ("\u{ed}sparta", &[4]),
        ],
    );
}

#[test]
fn a_query_of_one_word_is_completed() {
    for (text, completed) in [
        ("torv", Some("torv*")),
        ("subject:\"annual repor\"", Some("subject:\"annual repor*\"")),
        ("jo@exam", Some("jo@exam*")),
        ("torv*", None),
        ("\u{6771}\u{4eac}", None),
        ("-torv", None),
        ("a OR b", None),
        ("larger:5M", None),
    ] {
        let query = parse(text).unwrap().completed();
        assert_eq!(query.as_ref().map(ToString::to_string).as_deref(), completed, "{text}");
        if let Some(query) = query {
            assert_eq!(query, parse(&query.to_string()).unwrap(), "{text}");
        }
    }
}

#[test]
fn s2_4_bare_exclusions_spare_parts_of_addresses() {
    check(
        &[
            vec![(Field::To, ValueKind::Address, "bewerbung@example.com"), (Field::Subject, ValueKind::Text, "Initiativ")],
            vec![(Field::To, ValueKind::Address, "bewerbung@example.com"), (Field::Subject, ValueKind::Text, "Bewerbung")],
            vec![(Field::To, ValueKind::DisplayName, "Bewerbung"), (Field::To, ValueKind::Address, "x@example.com")],
        ],
        &[
            ("to:example", &[0, 1, 2]),
            ("to:bewerbung@example.com", &[0, 1]),
            ("example -bewerbung", &[0]),
            ("example -bewerbung@example.com", &[2]),
            ("example -*@example.com", &[]),
            ("example -bew*", &[]),
            ("example -to:bewerbung", &[]),
            ("example -(x@example.com initiativ)", &[0, 1, 2]),
            ("example -(x@example.com OR initiativ)", &[1]),
        ],
    );
}

#[test]
fn s2_4_an_excluded_address_is_one_string_with_wildcards() {
    check(
        &[
            vec![(Field::From, ValueKind::Address, "letter@news.example"), (Field::Subject, ValueKind::Text, "first")],
            vec![(Field::From, ValueKind::DisplayName, "News Desk"), (Field::From, ValueKind::Address, "desk@other.example")],
            vec![(Field::From, ValueKind::Address, "editor@news.example"), (Field::Body, ValueKind::Text, "letter")],
        ],
        &[
            ("news", &[0, 1, 2]),
            ("news -*@news.example", &[1]),
            ("news -letter", &[0, 1]),
            ("news -letter@news.example", &[1, 2]),
            ("news -news", &[0, 2]),
            ("news -\"news desk\"", &[0, 2]),
            ("news -l*@*.example", &[1, 2]),
            ("news -from:letter", &[1, 2]),
            ("news -from:*@news.example", &[1]),
        ],
    );
}

#[test]
fn s2_5_only_exclusions_find_the_rest_and_nothing_finds_nothing() {
    bodies(&["a", "b", ""], &[("-a", &[1, 2]), ("-a -b", &[2]), ("", &[]), ("- ...", &[]), ("-(a OR b)", &[2])]);
}

#[test]
fn s2_9_errors_name_the_place_and_what_was_expected() {
    for (query, range) in [
        ("a after:2024-13", 8..15),
        ("larger:5.5X", 7..11),
        ("is:old", 3..6),
        ("id:5", 3..4),
        ("has:wings", 4..9),
        ("a (date:\"2024..x\")", 9..16),
        ("a thread:5", 9..10),
        ("Tag:x", 0..3),
    ] {
        let error = parse(query).unwrap_err();
        assert_eq!(error.range, range, "{query}");
        assert!(error.expected.contains("quotes"), "{query}: {error}");
    }
}

#[test]
fn s2_9_prefixes_of_a_later_language_are_errors_and_the_language_has_a_number() {
    assert_eq!(archive_index::LANGUAGE, 1);
    for prefix in ["tag", "link", "importance", "direction"] {
        for written in [prefix.to_owned(), prefix.to_uppercase()] {
            let error = parse(&format!("ab {written}:x")).unwrap_err();
            assert_eq!(error.range, 3..3 + written.len(), "{written}");
            assert!(error.expected.contains("quotes"), "{written}: {error}");
            assert!(parse(&format!("(-{written}:(a OR b))")).is_err(), "{written}");
            assert!(parse(&format!("\"{written}:x\"")).is_ok(), "text, in quotes");
            assert!(parse(&format!("{written}: x")).is_ok(), "text, before a blank");
        }
    }
}

#[test]
fn s2_6_filters_are_bound_by_who_asks_and_stand_wherever_clauses_do() {
    let index = Index::open(Arc::new(MemPages::new()), Options::default()).unwrap();
    for number in 0..40u32 {
        let text = if number % 2 == 0 { "even" } else { "odd" };
        let value = Value { field: Field::Body, kind: ValueKind::Text, text };
        let columns = Columns {
            date: i64::from(number),
            size: u64::from(number) * 1000,
            attachments: number % 3,
            priority: if number < 10 { Priority::High } else { Priority::Normal },
            unsearchable: false,
        };
        let id = Label { kind: LabelKind::Id, bytes: number.to_le_bytes().to_vec() };
        let list = Label { kind: LabelKind::List, bytes: format!("list{}.example", number % 4).into_bytes() };
        index.add(DocNo(number), &[value], &[id, list], &columns, &SortKeys::default()).unwrap();
        if number == 20 {
            index.flush(b"").unwrap();
        }
    }
    let ask = |query: &str, leaves: &[Leaf]| {
        let mut leaves = leaves.iter().cloned();
        let bound = parse(query).unwrap().bind(|_| leaves.next().ok_or(())).unwrap();
        index.snapshot().search(&bound).unwrap().iter().collect::<Vec<u32>>()
    };
    let list = |text: &str, wild| Leaf::Labels(vec![LabelPattern { kind: LabelKind::List, bytes: text.as_bytes().to_vec(), wild }]);
    for _ in 0..2 {
        assert_eq!(ask("date:2024 even", &[Leaf::Date(5..9)]), [6, 8]);
        assert_eq!(ask("-date:2024", &[Leaf::Date(2..40)]), [0, 1]);
        assert_eq!(ask("odd OR larger:1", &[Leaf::Size(0..=2000)]).len(), 22);
        assert_eq!(ask("(has:attachment) date:2024", &[Leaf::Attachments(true), Leaf::Date(0..6)]), [1, 2, 4, 5]);
        assert_eq!(ask("in:x even", &[Leaf::Docs([1, 2, 30].into_iter().collect())]), [2, 30]);
        assert_eq!(ask("larger:1", &[Leaf::Priority(Priority::High)]).len(), 10);
        assert_eq!(ask("msgid:x", &[Leaf::Labels(vec![Label { kind: LabelKind::Id, bytes: 7u32.to_le_bytes().to_vec() }.into()])]), [7]);
        assert_eq!(ask("list:x date:2024", &[list("list1.example", false), Leaf::Date(0..10)]), [1, 5, 9]);
        assert_eq!(ask("list:x", &[list("list*.example", true)]).len(), 40);
        assert_eq!(ask("list:x date:2024", &[list("*3.*", true), Leaf::Date(0..10)]), [3, 7]);
        assert_eq!(ask("list:x", &[list("list1*x", true)]), []);
        assert_eq!(ask("list0", &[]), [], "labels are no text");
        index.flush(b"").unwrap();
        index.merge_all().unwrap();
    }
}

#[test]
fn s2_7_a_search_can_be_stopped() {
    let (_, index) = states(&[body("a b"), body("b c")]).pop().unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let snapshot = index.snapshot().until(Arc::clone(&stop));
    assert_eq!(snapshot.search(&bound("b*")).unwrap().len(), 2);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(snapshot.search(&bound("b*")), Err(IndexError::Stopped)));
}

#[test]
fn s2_7_a_wildcard_of_very_many_words_is_answered_exactly() {
    const WORDS: u32 = 40_000;
    const DOCS: u32 = 400;
    // A memory budget for some of the words, and a cache of a few pages.
    let options = Options { memory_budget: 400 << 10, pages: archive_index::SharedPages::new(100 << 10) };
    let index = Index::open(Arc::new(MemPages::new()), options).unwrap();
    for doc in 0..DOCS {
        // Each word once; two documents without one.
        let words = (0..WORDS).filter(|word| word % DOCS == doc && doc % 200 != 7);
        let text = words.map(|word| format!("w{word:05}z ")).collect::<String>() + "other";
        let value = Value { field: Field::Body, kind: ValueKind::Text, text: &text };
        index.add(DocNo(doc), &[value], &[], &Columns::default(), &SortKeys::default()).unwrap();
    }
    let docs = |holds: &dyn Fn(u32) -> bool| -> Vec<u32> {
        (0..DOCS).filter(|doc| doc % 200 != 7 && (0..WORDS).any(|word| word % DOCS == *doc && holds(word))).collect()
    };
    for _ in 0..2 {
        assert_eq!(search(&index, "w*"), docs(&|_| true));
        assert_eq!(search(&index, "*z"), docs(&|_| true));
        assert_eq!(search(&index, "*0*"), docs(&|word| format!("{word:05}").contains('0')));
        assert_eq!(search(&index, "w0000*"), docs(&|word| word < 10));
        assert_eq!(search(&index, "w?00?2z"), docs(&|word| word / 10 % 1000 / 10 == 0 && word % 10 == 2));
        assert_eq!(search(&index, "other -w*"), [7, 207]);
        assert_eq!(search(&index, "\"w* w*\""), docs(&|_| true));
        index.flush(b"").unwrap();
        index.merge_all().unwrap();
    }
}

#[test]
fn s4_3_missing_text_leaves_open_what_it_would_decide() {
    let index = Index::open(Arc::new(MemPages::new()), Options::default()).unwrap();
    // 0: whole, without the word; 1: whole, with it; 2: with a gap, without it; 3: with a gap, with it.
    for (number, (text, unsearchable)) in [("a", false), ("a b", false), ("a", true), ("a b", true)].into_iter().enumerate() {
        let value = Value { field: Field::Body, kind: ValueKind::Text, text };
        index
            .add(
                DocNo(number as u32),
                &[value],
                &[],
                &Columns { unsearchable, size: number as u64, ..Columns::default() },
                &SortKeys::default(),
            )
            .unwrap();
    }
    for _ in 0..2 {
        let snapshot = index.snapshot();
        for (query, hits, open) in [
            ("b", vec![1, 3], vec![2]),
            ("-b", vec![0, 2], vec![2]),
            ("a b", vec![1, 3], vec![2]),
            ("zz -b", vec![], vec![2]),
            ("zz -a", vec![], vec![]),
            ("a OR zz", vec![0, 1, 2, 3], vec![]),
            ("-(zz OR b)", vec![0, 2], vec![2]),
            ("-(zz b)", vec![0, 1, 2, 3], vec![2, 3]),
            ("*", vec![0, 1, 2, 3], vec![]),
        ] {
            assert_eq!(snapshot.search(&bound(query)).unwrap().iter().collect::<Vec<_>>(), hits, "{query}");
            assert_eq!(snapshot.undecided(&bound(query)).unwrap().iter().collect::<Vec<_>>(), open, "{query}");
        }
        let filter = parse("larger:2 b").unwrap().bind(|_| Ok::<_, ()>(Leaf::Size(3..=9))).unwrap();
        assert!(snapshot.undecided(&filter).unwrap().is_empty(), "a filter is never open, and what it refuses is decided");
        index.flush(b"").unwrap();
    }
}

#[test]
fn s4_3_a_probe_says_what_a_search_would_and_where() {
    let values = [
        Value { field: Field::Subject, kind: ValueKind::Text, text: "Offer" },
        Value { field: Field::To, kind: ValueKind::Address, text: "offer@example.org" },
    ];
    let probe = Probe::new(&values, &[], &Columns { unsearchable: true, ..Columns::default() }).unwrap();
    for (query, truth, fields) in [
        ("offer", Truth::True, vec![Field::Subject, Field::To]),
        ("to:offer", Truth::True, vec![Field::To]),
        ("-offer", Truth::False, vec![Field::Subject]),
        ("-from:offer", Truth::Unknown, vec![]),
        ("demand", Truth::Unknown, vec![]),
        ("*", Truth::True, vec![]),
    ] {
        assert_eq!(probe.meets(&bound(query)).unwrap(), truth, "{query}");
        assert_eq!(probe.fields(&bound(query)).unwrap(), fields, "{query}");
    }
}

#[test]
fn s2_2_words_of_wildcards_and_words_that_are_near() {
    for (state, index) in states(&[body("Müller invoice"), body("muller invoices"), body("receipt")]) {
        let words = |query: &str, which| {
            let found = index.snapshot().words(&bound(query), which, None).unwrap();
            found.into_iter().map(|word| (word.text, word.docs.iter().collect::<Vec<u32>>())).collect::<Vec<_>>()
        };
        let one = |text: &str, docs: &[u32]| (text.to_owned(), docs.to_vec());
        assert_eq!(words("mul*", WordsOf::Wildcards), [one("muller", &[1]), one("müller", &[0])], "{state}");
        assert_eq!(words("invoice", WordsOf::Wildcards), [], "{state}");
        assert_eq!(words("invoic", WordsOf::Near), [one("invoice", &[0]), one("invoices", &[1])], "{state}");
        assert_eq!(words("reciept", WordsOf::Near), [one("receipt", &[2])], "{state}");
        assert_eq!(words("from:reciept", WordsOf::Near), [], "{state}");
        assert_eq!(words("od", WordsOf::Near), [], "{state}: so short a word is near to too many");
        assert_eq!(words("receipt", WordsOf::Near), [], "{state}: what was asked for is not near to itself");
        let seen = RoaringBitmap::from([1]);
        let found = index.snapshot().words(&bound("mul*"), WordsOf::Wildcards, Some(&seen)).unwrap();
        assert_eq!(found.into_iter().map(|word| word.text).collect::<Vec<_>>(), ["muller"], "{state}: of what is seen");
    }
}

#[test]
fn s2_8_the_reduced_language_has_words_and_phrases_only() {
    for query in ["from:john@mailstore.com", "-Mahnung", "a OR b", "before:2020", "(-a)"] {
        assert!(parse_reduced(query).is_err(), "{query}");
    }
    for query in ["Auto*", "\"Microsoft Windows\"", "a - b", "OR", "http://x"] {
        assert_eq!(parse_reduced(query), parse(query), "{query}");
    }
}

#[test]
fn s2_8_every_filter_and_field_is_refused_where_it_stands() {
    for prefix in
        ["after", "before", "date", "archived", "larger", "smaller", "has", "in", "folder", "msgid", "list", "label", "subject", "bcc"]
    {
        let error = parse_reduced(&format!("ab {prefix}:2024")).unwrap_err();
        assert_eq!(error.range, 3..3 + prefix.len(), "{prefix}");
        assert_eq!(parse_reduced(&format!("\"{prefix}:2024\"")), parse(&format!("\"{prefix}:2024\"")));
    }
    for query in ["*parat*", "me?er", "\"a* b*\"", "vorname.nachname*", "*"] {
        assert_eq!(parse_reduced(query), parse(query), "{query}");
    }
    assert!(parse_reduced("meie?").is_err(), "what is an error in the whole language is one here");
}

#[test]
fn s4_8_readers_and_the_writer_go_side_by_side() {
    let pages = MemPages::new();
    let index =
        Index::open(Arc::new(pages), Options { memory_budget: 60 << 10, pages: archive_index::SharedPages::new(16 << 10) }).unwrap();
    let query = bound("alpha -w3");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut before = 0;
                while before < 999 {
                    let snapshot = index.snapshot();
                    let found = snapshot.search(&query).unwrap().len();
                    assert!(found >= before, "what was found stays found");
                    assert_eq!(found, snapshot.search(&query).unwrap().len(), "a snapshot stays as it is");
                    before = found;
                }
            });
        }
        for number in 0..1000 {
            let text = format!("alpha w{number}");
            let value = Value { field: Field::Body, kind: ValueKind::Text, text: &text };
            index.add(DocNo(number), &[value], &[], &Columns::default(), &SortKeys::default()).unwrap();
            if number % 50 == 0 {
                index.flush(b"").unwrap();
            }
        }
    });
    index.flush(b"").unwrap();
    assert!(index.files().len() < 16, "levels are merged");
}

#[test]
fn an_index_and_its_snapshots_go_to_any_thread() {
    fn goes<T: Send + Sync>() {}
    goes::<Index>();
    goes::<archive_index::Snapshot>();
}

#[test]
fn s2_10_typing_errors_are_forgiven() {
    bodies(
        &[
            "the kernel",
            "a kernal panic",
            "colonel",
            "Müller",
            "muler",
            "ab abd",
            "internationalization",
            "東京",
            "kernels",
            "ernel x",
            "сиромашните",
        ],
        &[
            ("kernle~", &[]),
            ("kernle~2", &[0, 1, 8]),
            ("kernel~", &[0, 1, 8]),
            ("kernel~1", &[0, 1, 8, 9]),
            ("KERNEL~", &[0, 1, 8]),
            ("subject:kernel~", &[]),
            ("muller~", &[3, 4]),
            ("müller~", &[3, 4]),
            ("abc~", &[]),
            ("abc~1", &[5]),
            ("internatoinalization~", &[6]),
            ("internatoinalisation~", &[]),
            ("panic -kernel~", &[]),
            ("\"kernel~\"", &[0]),
            ("kernel.~", &[0]),
            ("kernel~x", &[]),
            ("kernal-panik~", &[1]),
            ("kernal~-panik~", &[1]),
            ("colnel~ OR muler~", &[2, 3, 4]),
            ("сиромашните~", &[10]),
            ("сирумашнит~", &[10]),
            ("зиромашните~", &[]),
            ("зиромашните~1", &[10]),
        ],
    );
}

#[test]
fn s2_10_what_typing_errors_cannot_be_forgiven_in_is_an_error() {
    let long = "a".repeat(65);
    for text in ["word~0", "word~3", "word~12", "wo*d~", "wo?d~", "word*~1", "東京~", &format!("{long}~")] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.range, 0..text.len(), "{text}: {error}");
    }
    let refused = parse_reduced("word~").expect_err("words and phrases only");
    assert!(refused.problem.contains("typing errors"), "{refused}");
    assert!(parse("abcdefghijklmnopqrstuvwxyz~2").is_ok());
    let above_32 = parse(&format!("{}~2", "abcdefgh".repeat(5))).expect("one error");
    assert!(above_32.notices().is_empty());
    let notices = parse("abc~ abcd~").expect("a query").notices().to_vec();
    assert_eq!(notices.len(), 1);
    assert_eq!((notices[0].range.clone(), notices[0].kind), (0..4, NoticeKind::ShortWord));
}

#[test]
fn s2_10_an_exclusion_with_typing_errors_is_compared_with_words_alone() {
    let mail = |address| vec![(Field::From, ValueKind::Address, address), (Field::Body, ValueKind::Text, "hello")];
    check(
        &[mail("smith@example.org"), mail("jones@example.org")],
        &[("-smith@example.org", &[1]), ("-smyth@example.org~", &[0, 1]), ("-from:smyth~", &[1])],
    );
}

#[test]
fn s2_10_suggested_words_are_those_of_the_automaton() {
    for (state, index) in states(&[body("the kernel of a colonel"), body("Kernal")]) {
        let words = index.snapshot().words(&bound("kernell"), WordsOf::Near, None).unwrap();
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words, ["kernal", "kernel"], "{state}");
        let words = index.snapshot().words(&bound("kernel~"), WordsOf::Wildcards, None).unwrap();
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["kernal", "kernel"], "{state}");
    }
}
