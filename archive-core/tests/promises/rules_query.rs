//! S2 (docs/SEARCH.md) in whole archives: filters of every kind, and what of the language only shows there.

use std::ops::Range;

use archive_core::{Actor, Archive, Error, FolderPath, FolderScope, MessageId, Progress, SearchCriteria, SearchRequest};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::fixture::{Files, folder, ids, put, user};

const DAY: i64 = 86_400_000;

fn timestamp(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// What a query finds, by place in `all`, lowest first.
fn places(archive: &Archive, all: &[MessageId], request: &SearchRequest) -> Vec<usize> {
    let found = ids(archive, &Actor::System, request);
    all.iter().enumerate().filter(|(_, id)| found.contains(id)).map(|(place, _)| place).collect()
}

fn check(archive: &Archive, all: &[MessageId], cases: &[(&str, &[usize])]) {
    for (query, expected) in cases {
        assert_eq!(places(archive, all, &SearchRequest::new(query)), *expected, "{query}");
    }
}

fn refused(archive: &Archive, query: &str) -> (String, Option<Range<usize>>) {
    match archive.session(Actor::System).search(&SearchRequest::new(query)) {
        Err(Error::Query { message, range }) => (message, range),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn s2_1_what_is_no_field_is_text_and_says_so() {
    let (_, archive) = Files::create();
    let subjects = ["form anna", "http x", "Re 12 30", "larger 5M", "other"];
    let all: Vec<_> = subjects.iter().map(|subject| put(&archive, "anna/Inbox", format!("Subject: {subject}\n\nbody\n")).id()).collect();
    check(
        &archive,
        &all,
        &[
            ("form:anna", &[0]),
            ("SuBject:form", &[0]),
            ("http://x", &[1]),
            ("Re:", &[2]),
            ("12:30", &[2]),
            ("subject:larger:5M", &[3]),
            ("subject:(form larger:1)", &[0]),
            ("subject:(form larger:1G)", &[]),
            ("subject:(form bcontent:body)", &[0]),
            ("subject: other", &[]),
        ],
    );
    let notices = |query: &str| archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer").notices;
    assert_eq!(notices("form:anna"), ["form: is not a field and was read as text; did you mean from:?"]);
    assert_eq!(notices("xyzzy:anna").len(), 1);
    for silent in ["http://x", "Re:", "12:30", "subject:form", "subject:larger:5M"] {
        assert_eq!(notices(silent), [] as [&str; 0], "{silent}");
    }
    assert!(refused(&archive, "larger:much").0.contains("quotes"), "it says how to search it as text");
    check(&archive, &all, &[("\"larger:5M\"", &[3])]);
}

#[test]
fn s2_5_only_exclusions_find_the_rest_of_what_the_actor_sees() {
    let (_, archive) = Files::create();
    let put_in = |path: &str, word: &str| put(&archive, path, format!("Subject: {word}\n\nx\n")).id();
    let (wanted, _, foreign) = (put_in("anna/Inbox", "wanted"), put_in("anna/Inbox", "draft"), put_in("bob/Inbox", "foreign"));
    let anna = user(&[FolderScope::below("anna")]);
    assert_eq!(ids(&archive, &anna, &SearchRequest::new("-draft")), [wanted]);
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new("-draft")), [foreign, wanted]);
    for nothing in ["", "  ", "-", "...", "()", "-()"] {
        assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new(nothing)), [], "{nothing:?}");
    }
}

/// A query about dates, who asks (zone and moment), and the bounds of what it finds: from the first on, before the second.
type Period = (&'static str, &'static str, &'static str, &'static str, &'static str);

const OPEN: &str = "";
const WEDNESDAY: &str = "2024-05-08T10:00:00Z";
const PERIODS: [Period; 41] = [
    ("date:2024", "UTC", WEDNESDAY, "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("date:2024-02", "UTC", WEDNESDAY, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    ("date:2023-02", "UTC", WEDNESDAY, "2023-02-01T00:00:00Z", "2023-03-01T00:00:00Z"),
    ("date:2024-02-29", "UTC", WEDNESDAY, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
    ("date:2024-03-01T12:00", "UTC", WEDNESDAY, "2024-03-01T12:00:00Z", "2024-03-01T12:01:00Z"),
    ("date:today", "UTC", WEDNESDAY, "2024-05-08T00:00:00Z", "2024-05-09T00:00:00Z"),
    ("date:yesterday", "UTC", WEDNESDAY, "2024-05-07T00:00:00Z", "2024-05-08T00:00:00Z"),
    ("date:this-week", "UTC", WEDNESDAY, "2024-05-06T00:00:00Z", "2024-05-13T00:00:00Z"),
    ("date:last-week", "UTC", WEDNESDAY, "2024-04-29T00:00:00Z", "2024-05-06T00:00:00Z"),
    ("date:this-month", "UTC", WEDNESDAY, "2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z"),
    ("date:last-month", "UTC", WEDNESDAY, "2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z"),
    ("date:Last-Month", "UTC", WEDNESDAY, "2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z"),
    ("date:this-year", "UTC", WEDNESDAY, "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("date:last-year", "UTC", WEDNESDAY, "2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    // Weeks begin on Monday, whatever the day.
    ("date:this-week", "UTC", "2024-05-12T23:59:59Z", "2024-05-06T00:00:00Z", "2024-05-13T00:00:00Z"),
    ("date:this-week", "UTC", "2024-05-13T00:00:00Z", "2024-05-13T00:00:00Z", "2024-05-20T00:00:00Z"),
    ("date:last-week", "UTC", "2024-01-03T00:00:00Z", "2023-12-25T00:00:00Z", "2024-01-01T00:00:00Z"),
    ("date:last-month", "UTC", "2024-01-31T00:00:00Z", "2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    // Days ago: from the start of that day on; as an end it is that day's.
    ("date:7d", "UTC", WEDNESDAY, "2024-05-01T00:00:00Z", OPEN),
    ("after:7d", "UTC", WEDNESDAY, "2024-05-01T00:00:00Z", OPEN),
    ("after:0d", "UTC", WEDNESDAY, "2024-05-08T00:00:00Z", OPEN),
    ("before:7d", "UTC", WEDNESDAY, OPEN, "2024-05-02T00:00:00Z"),
    ("date:2024..7d", "UTC", WEDNESDAY, "2024-01-01T00:00:00Z", "2024-05-02T00:00:00Z"),
    ("date:14d..7d", "UTC", WEDNESDAY, "2024-04-24T00:00:00Z", "2024-05-02T00:00:00Z"),
    // From a start on, up to an end, from one to another.
    ("after:2024", "UTC", WEDNESDAY, "2024-01-01T00:00:00Z", OPEN),
    ("after:2024-03-01T12:00", "UTC", WEDNESDAY, "2024-03-01T12:00:00Z", OPEN),
    ("after:last-week", "UTC", WEDNESDAY, "2024-04-29T00:00:00Z", OPEN),
    ("before:2024", "UTC", WEDNESDAY, OPEN, "2025-01-01T00:00:00Z"),
    ("before:2024-02", "UTC", WEDNESDAY, OPEN, "2024-03-01T00:00:00Z"),
    ("before:yesterday", "UTC", WEDNESDAY, OPEN, "2024-05-08T00:00:00Z"),
    ("after:2024-02 before:2024-03-01", "UTC", WEDNESDAY, "2024-02-01T00:00:00Z", "2024-03-02T00:00:00Z"),
    ("date:2023-12..2024-02", "UTC", WEDNESDAY, "2023-12-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    ("date:2024-02-29..2024", "UTC", WEDNESDAY, "2024-02-29T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("date:last-year..yesterday", "UTC", WEDNESDAY, "2023-01-01T00:00:00Z", "2024-05-08T00:00:00Z"),
    // The caller's zone, in which a day of that March has 23 hours.
    ("date:2024", "Europe/Berlin", WEDNESDAY, "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"),
    ("date:2024-03-31", "Europe/Berlin", WEDNESDAY, "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"),
    ("date:2024-03-01T12:00", "+02:00", WEDNESDAY, "2024-03-01T10:00:00Z", "2024-03-01T10:01:00Z"),
    ("date:today", "+14:00", "2024-05-08T10:00:00Z", "2024-05-08T10:00:00Z", "2024-05-09T10:00:00Z"),
    ("date:today", "-03:30", "2024-05-08T03:29:59Z", "2024-05-07T03:30:00Z", "2024-05-08T03:30:00Z"),
    ("date:this-week", "+14:00", "2024-05-12T10:00:00Z", "2024-05-12T10:00:00Z", "2024-05-19T10:00:00Z"),
    ("after:1d", "Asia/Kolkata", "2024-05-08T18:30:00Z", "2024-05-07T18:30:00Z", OPEN),
];

#[test]
fn s2_6_every_period_begins_and_ends_where_it_should() {
    let (_, archive) = Files::create();
    let mut moments: Vec<Timestamp> = Vec::new();
    for bound in PERIODS.iter().flat_map(|(_, _, _, from, to)| [*from, *to]).filter(|bound| *bound != OPEN) {
        moments.extend([timestamp(bound) - 1.second(), timestamp(bound)]);
    }
    moments.sort_unstable();
    moments.dedup();
    let put_at = |moment: &Timestamp| {
        let date = moment.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000");
        put(&archive, "anna/Inbox", format!("Date: {date}\nSubject: x\n\nx\n")).id()
    };
    let all: Vec<_> = moments.iter().map(put_at).collect();
    for (query, zone, now, from, to) in PERIODS {
        let mut criteria = SearchCriteria::of_text(query);
        criteria.zone = zone.to_owned();
        let is_in = |moment: &Timestamp| (from == OPEN || *moment >= timestamp(from)) && (to == OPEN || *moment < timestamp(to));
        let at = timestamp(now).as_millisecond();
        let expected: Vec<_> = moments.iter().enumerate().filter(|(_, moment)| is_in(moment)).map(|(place, _)| place).collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query} shows something");
        assert_eq!(places(&archive, &all, &SearchRequest::of(criteria.clone()).at(at)), expected, "{query} in {zone} at {now}");
        if !query.contains(' ') {
            criteria.text = format!("-{query}");
            let others = places(&archive, &all, &SearchRequest::of(criteria).at(at));
            assert_eq!(others.len() + expected.len(), all.len(), "{query} and its opposite");
        }
    }
    check(&archive, &all, &[("date:2024..2023", &[])]);
}

#[test]
fn s2_6_the_time_of_archiving_is_asked_alike() {
    let (_, archive) = Files::create();
    let all = [put(&archive, "anna/Inbox", "Date: Fri, 1 Jan 1999 10:00:00 +0000\n\nx\n").id()];
    let archived = archive.session(Actor::System).message(all[0]).expect("a message").archived;
    let at = |days: i64, query: &str| places(&archive, &all, &SearchRequest::new(query).at(archived + days * DAY)).len();
    for (days, query, found) in [
        (0, "archived:today", 1),
        (1, "archived:today", 0),
        (1, "archived:yesterday", 1),
        (0, "archived:yesterday", 0),
        (0, "archived:this-week", 1),
        (7, "archived:this-week", 0),
        (7, "archived:last-week", 1),
        (0, "archived:7d", 1),
        (7, "archived:7d", 1),
        (8, "archived:7d", 0),
        (0, "archived:1999", 0),
        (0, "archived:1999..today", 1),
        (0, "-archived:today", 0),
        (0, "date:1999 archived:today", 1),
    ] {
        assert_eq!(at(days, query), found, "{query}, {days} days later");
    }
    // The minute itself, and those beside it.
    let minute = |minutes: i64| {
        let moment = Timestamp::from_millisecond(archived + minutes * 60_000).expect("a moment").to_zoned(TimeZone::UTC);
        at(0, &format!("archived:{}", moment.strftime("%Y-%m-%dT%H:%M")))
    };
    assert_eq!([minute(-1), minute(0), minute(1)], [0, 1, 0]);
}

#[test]
fn s2_6_sizes_are_inclusive_and_units_powers_of_1024() {
    let (_, archive) = Files::create();
    let head = "Subject: x\n\n";
    let all: Vec<_> = [1023, 1024, 1025, (1 << 20) - 1, 1 << 20, (1 << 20) + 1]
        .map(|size| put(&archive, "anna/Inbox", format!("{head}{}\n", "x".repeat(size - head.len() - 1))).id())
        .to_vec();
    check(
        &archive,
        &all,
        &[
            ("larger:1024", &[1, 2, 3, 4, 5]),
            ("larger:1K", &[1, 2, 3, 4, 5]),
            ("larger:1kb", &[1, 2, 3, 4, 5]),
            ("larger:1KiB", &[1, 2, 3, 4, 5]),
            ("smaller:1K", &[0, 1]),
            ("larger:1K smaller:1K", &[1]),
            ("larger:1M", &[4, 5]),
            ("smaller:1M", &[0, 1, 2, 3, 4]),
            ("larger:1mb smaller:1MiB", &[4]),
            ("smaller:1G", &[0, 1, 2, 3, 4, 5]),
            ("larger:1G", &[]),
            ("-larger:1M", &[0, 1, 2, 3]),
        ],
    );
}

#[test]
fn s2_6_folders_with_those_below_or_without_and_attachments() {
    let (_, archive) = Files::create();
    let put_in = |path: &FolderPath, mail: &str| archive.session(Actor::System).import_one(mail.as_bytes(), path).expect("a receipt").id();
    let with_percent = folder("anna/in%2Fout");
    let attached = "Content-Disposition: attachment; filename=x.txt\n\nx\n";
    let all = [
        put_in(&folder("anna/Inbox"), "Subject: a\n\nx\n"),
        put_in(&folder("anna/Inbox/Old"), "Subject: b\n\nx\n"),
        put_in(&folder("anna/My mail"), "Subject: c\n\nx\n"),
        put_in(&folder("bob/\u{c4}rger"), attached),
        put_in(&with_percent, "Subject: d\n\nx\n"),
    ];
    check(
        &archive,
        &all,
        &[
            ("in:anna", &[0, 1, 2, 4]),
            ("in:anna/Inbox", &[0, 1]),
            ("folder:anna/Inbox", &[0]),
            ("folder:anna", &[]),
            ("in:\"anna/My mail\"", &[2]),
            ("folder:\"anna/My mail\"", &[2]),
            ("in:bob/A\u{308}rger", &[3]),
            ("folder:bob/\u{c4}rger", &[3]),
            ("in:Anna", &[]),
            ("in:ann", &[]),
            ("in:nowhere", &[]),
            ("-in:nowhere", &[0, 1, 2, 3, 4]),
            ("-in:anna", &[3]),
            ("folder:anna/in%2Fout", &[4]),
            ("in:anna/in", &[]),
            ("has:attachment", &[3]),
            ("HAS:Attachment", &[3]),
            ("-has:attachment", &[0, 1, 2, 4]),
        ],
    );
}

#[test]
fn s2_6_message_ids_are_whole_and_lists_have_wildcards() {
    let (_, archive) = Files::create();
    let all = [
        put(&archive, "anna/Inbox", "Message-ID: <One@x.example>\nList-Id: Talk of the town <talk.x.example>\n\nx\n").id(),
        put(&archive, "anna/Inbox", "Message-ID: <two@x.example>\nList-Id: <News.x.example>\nReferences: <One@x.example>\n\nx\n").id(),
    ];
    check(
        &archive,
        &all,
        &[
            ("msgid:One@x.example", &[0]),
            ("msgid:<One@x.example>", &[0]),
            ("msgid:\"<One@x.example>\"", &[0]),
            ("msgid:One", &[]),
            ("-msgid:One@x.example", &[1]),
            ("list:talk.x.example", &[0]),
            ("list:<TALK.x.example>", &[0]),
            ("LIST:news.X.example", &[1]),
            ("list:*.x.example", &[0, 1]),
            ("list:n*.example", &[1]),
            ("list:*", &[0, 1]),
            ("list:talk", &[0]),
            ("list:tal", &[]),
            ("list:x", &[]),
            ("list:town", &[]),
        ],
    );
}

#[test]
fn s2_6_filters_are_never_unknown() {
    let (_, archive) = Files::create();
    put(&archive, "anna/Inbox", "Date: Wed, 3 Jan 2024 10:00:00 +0000\nMessage-ID: <1@x>\nContent-Type: application/pkcs7-mime\n\nAAAA\n");
    let undecided = |query: &str| archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer").coverage.undecided;
    assert_eq!(undecided("word"), 1);
    for filter in [
        "date:2024",
        "date:2023",
        "archived:1999",
        "larger:1",
        "larger:1G",
        "has:attachment",
        "in:anna",
        "in:bob",
        "folder:anna",
        "msgid:1@x",
        "list:x",
        "type:pdf",
        "is:read",
        "id:1:1",
        "thread:1:1",
    ] {
        assert_eq!((undecided(filter), undecided(&format!("-{filter}"))), (0, 0), "{filter}");
    }
    assert_eq!((undecided("word date:2024"), undecided("word date:2023")), (1, 0), "what a filter refuses is decided");
}

#[test]
fn s2_7_a_search_that_is_told_to_stop_gives_no_answer() {
    let (_, archive) = Files::create();
    put(&archive, "anna/Inbox", "Subject: word\n\nx\n");
    let (session, stop) = (archive.session(Actor::System), Progress::new());
    stop.cancel();
    assert!(matches!(session.search(&SearchRequest::new("w*").progress(&stop)), Err(Error::Stopped)));
    assert_eq!(session.search(&SearchRequest::new("w*")).expect("an answer").total, 1);
    // Also between two pages.
    put(&archive, "anna/Inbox", "Subject: words\n\nx\n");
    let stop = Progress::new();
    let mut pages = session.search_pages(&SearchRequest::new("w*").limit(1).progress(&stop)).expect("pages");
    assert_eq!(pages.next().expect("a page").expect("an answer").total, 2);
    stop.cancel();
    assert!(matches!(pages.next(), Some(Err(Error::Stopped))));
    assert!(pages.next().is_none());
}

#[test]
fn s2_9_a_saved_query_keeps_the_number_of_its_language() {
    let saved = SearchCriteria::of_text("invoice -draft").to_json();
    assert!(saved.contains(r#""language":1"#), "{saved}");
    assert!(SearchCriteria::from_json(&saved).is_ok());
    let error = SearchCriteria::from_json(&saved.replace(r#""language":1"#, r#""language":2"#)).expect_err("refused");
    assert!(error.to_string().contains("language 2"), "{error}");
}

#[test]
fn s2_9_an_error_says_where_and_what_was_expected() {
    let (_, archive) = Files::create();
    for (query, part, expected) in [
        ("invoice after:2024-13", "2024-13", "2024-03"),
        ("invoice larger:5.5X", "5.5X", "1.5M"),
        ("invoice tag:red", "tag", "quotes"),
        ("invoice meie?", "meie?", "*"),
    ] {
        let ((text, range), start) = (refused(&archive, query), query.find(part).expect("a part of it"));
        assert!(text.contains(expected), "{query}: {text}");
        assert_eq!(range, Some(start..start + part.len()), "{query}");
    }
}

#[test]
fn s2_6_of_long_ids_the_first_kibibyte_counts() {
    let (_, archive) = Files::create();
    let long = |letter: &str, end: &str| format!("{}{end}", letter.repeat(1100));
    let mail = |end: &str| {
        let (id, list) = (long("m", &format!("{end}@h.example")), long("l", &format!(".{end}.example")));
        format!("Message-ID: <{id}>\nList-Id: <{list}>\n\n{end}\n")
    };
    let all: Vec<_> = ["one", "two"].map(|end| put(&archive, "anna/Inbox", mail(end).as_bytes()).id()).into();
    let cases = [
        (format!("msgid:{}", long("m", "one@h.example")), vec![0, 1]),
        (format!("msgid:{}", "m".repeat(1024)), vec![0, 1]),
        (format!("msgid:{}", "m".repeat(1023)), vec![]),
        (format!("list:{}", long("l", ".two.example")), vec![0, 1]),
        (format!("list:{}", "l".repeat(1000)), vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(places(&archive, &all, &SearchRequest::new(&query)), expected, "{query}");
    }
}
