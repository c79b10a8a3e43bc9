//! S4 (docs/SEARCH.md) in whole archives: against a scan, up to the watermark, for one who sees a part, in every order, while mail comes.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

use archive_core::{
    Actor, AddressInfo, Archive, CountBy, FolderScope, ImportEvents, ImportOptions, ImportSource, MessageId, MessageInfo, OpenOptions,
    Order, OrderKey, Receipt, SearchCriteria, SearchRequest,
};

use crate::fixture::{Dice, Files, ask, folder, ids, mbox, plain, put, put_each, put_stream, user};

const COUNTS: [CountBy; 5] = [CountBy::Year, CountBy::Month, CountBy::From, CountBy::Folder, CountBy::Type];

fn in_order(by: OrderKey, reverse: bool) -> SearchRequest {
    let mut criteria = SearchCriteria::of_text("*");
    criteria.order = Order { by, reverse };
    SearchRequest::of(criteria)
}

/// A condition on the words of a mail, as a query and as a scan.
enum Clause {
    Word(&'static str),
    Begins(&'static str),
    Not(Box<Clause>),
    All(Vec<Clause>),
    Any(Vec<Clause>),
}

impl Clause {
    fn draw(dice: &mut Dice, depth: usize) -> Self {
        match dice.roll(if depth == 0 { 2 } else { 5 }) {
            0 => Self::Word(dice.word()),
            1 => Self::Begins(&dice.word()[..3]),
            2 => Self::Not(Box::new(Self::draw(dice, depth - 1))),
            at => {
                let clauses = (0..2 + dice.roll(2)).map(|_| Self::draw(dice, depth - 1)).collect();
                if at == 3 { Self::All(clauses) } else { Self::Any(clauses) }
            }
        }
    }

    fn text(&self) -> String {
        let joined = |clauses: &[Self], by: &str| clauses.iter().map(Self::text).collect::<Vec<_>>().join(by);
        match self {
            Self::Word(word) => (*word).to_owned(),
            Self::Begins(start) => format!("{start}*"),
            // In a group, so that an exclusion of an exclusion can be written.
            Self::Not(clause) => format!("(-({}))", clause.text()),
            Self::All(clauses) => format!("({})", joined(clauses, " ")),
            Self::Any(clauses) => format!("({})", joined(clauses, " OR ")),
        }
    }

    fn holds(&self, words: &BTreeSet<&str>) -> bool {
        match self {
            Self::Word(word) => words.contains(word),
            Self::Begins(start) => words.iter().any(|word| word.starts_with(start)),
            Self::Not(clause) => !clause.holds(words),
            Self::All(clauses) => clauses.iter().all(|clause| clause.holds(words)),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.holds(words)),
        }
    }
}

#[test]
fn s4_2_set_order_and_total_are_those_of_a_scan() {
    let (_, archive) = Files::create();
    // Words stand in the text alone: excluded addresses are compared in another way (S2.4).
    let mut dice = Dice(42);
    let texts: Vec<String> = (0..80).map(|_| (0..6).map(|_| dice.word()).collect::<Vec<_>>().join(" ")).collect();
    let dates: Vec<usize> = texts.iter().map(|_| 1 + dice.roll(9)).collect();
    let mail = |(text, day): (&String, &usize)| format!("Date: Wed, {day} Jan 2020 10:00:00 +0000\nSubject: x\n\n{text}\n");
    let folders = ["anna/Inbox", "bob/Inbox"];
    let all: Vec<MessageId> =
        texts.iter().zip(&dates).enumerate().map(|(at, one)| put(&archive, folders[at % 2], mail(one)).id()).collect();
    let (anna, mut nonempty) = (user(&[FolderScope::below("anna")]), 0);
    for _ in 0..200 {
        let clause = Clause::draw(&mut dice, 3);
        let mut expected: Vec<usize> = (0..all.len()).filter(|at| clause.holds(&texts[*at].split(' ').collect())).collect();
        // Newest first, of one date the highest number.
        expected.sort_by_key(|at| std::cmp::Reverse((dates[*at], *at)));
        nonempty += usize::from(!expected.is_empty());
        let request = SearchRequest::new(&clause.text());
        let found = ids(&archive, &Actor::System, &request);
        assert_eq!(found, expected.iter().map(|at| all[*at]).collect::<Vec<_>>(), "{}", clause.text());
        let of_anna: Vec<_> = expected.iter().filter(|at| *at % 2 == 0).map(|at| all[*at]).collect();
        assert_eq!(ids(&archive, &anna, &request), of_anna, "{}", clause.text());
    }
    assert!(nonempty > 100, "the queries ask something");
}

#[test]
fn s4_2_s4_3_what_lies_behind_the_watermark_is_counted_and_not_found() {
    let (files, archive) = Files::create();
    let mail = |word: &str| format!("Subject: common {word}\n\nx\n");
    let early = [put(&archive, "anna/Inbox", mail("first")).id(), put(&archive, "bob/Inbox", mail("second")).id()];
    archive.close().expect("closed");
    let archive = files.try_open_with(OpenOptions::default().index(false)).expect("open");
    let late = [put(&archive, "anna/Inbox", mail("third")).id(), put(&archive, "bob/Inbox", mail("fourth")).id()];
    let anna = user(&[FolderScope::below("anna")]);
    for (query, expected) in [("common", 2), ("*", 2), ("-first", 1), ("third", 0), ("in:anna", 1), ("larger:1", 2), ("common OR third", 2)]
    {
        let found = archive.session(Actor::System).search(&SearchRequest::new(query).count_by(&COUNTS)).expect("an answer");
        assert_eq!((found.total, found.coverage.not_indexed), (expected, 2), "{query}");
        assert!(found.hits.iter().all(|hit| early.contains(&hit.id)), "{query}");
        assert!(found.counts.iter().all(|counts| counts.rows.iter().map(|(_, sum)| sum).sum::<u64>() == expected), "{query}");
        let seen = archive.session(anna.clone()).search(&SearchRequest::new(query)).expect("an answer");
        assert_eq!(seen.coverage.not_indexed, 1, "of what she sees ({query})");
    }
    archive.close().expect("closed");
    let archive = files.open();
    let found = archive.session(Actor::System).search(&SearchRequest::new("third OR fourth")).expect("an answer");
    assert_eq!(found.coverage.not_indexed, 0);
    assert_eq!(found.hits.iter().map(|hit| hit.id).collect::<BTreeSet<_>>(), BTreeSet::from(late));
}

#[test]
fn s4_3_undecided_are_those_for_which_the_whole_query_is_unknown() {
    let (_, archive) = Files::create();
    put(&archive, "anna/Inbox", "Subject: open\n\nplain text\n");
    let encrypted = "Subject: sealed\nContent-Type: application/pkcs7-mime\n\nAAAA\n";
    let sealed = put(&archive, "bob/Inbox", encrypted).id();
    for (query, found, undecided) in [
        ("word", 0, 1),
        ("-word", 2, 1),
        ("sealed", 1, 0),
        ("-sealed", 1, 0),
        ("sealed word", 0, 1),
        ("sealed -word", 1, 1),
        ("sealed OR word", 1, 0),
        ("open word", 0, 1),
        ("-open -word", 1, 1),
        ("word in:anna", 0, 0),
        ("word OR in:bob", 1, 0),
        ("word OR other", 0, 1),
        ("subject:word", 0, 1),
        ("sealed -sealed", 0, 0),
        ("*", 2, 0),
    ] {
        let answer = archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer");
        assert_eq!((answer.total, answer.coverage.undecided), (found, undecided), "{query}");
        let seen = archive.session(user(&[FolderScope::below("anna")])).search(&SearchRequest::new(query)).expect("an answer");
        assert_eq!(seen.coverage.undecided, 0, "what is not seen is not counted ({query})");
    }
    let verdicts = archive.session(Actor::System).why(sealed, &SearchRequest::new("sealed word in:anna")).expect("an answer");
    assert_eq!(verdicts.iter().map(|verdict| verdict.met).collect::<Vec<_>>(), [Some(true), None, Some(false)]);
}

#[test]
fn s4_3_messages_of_a_damaged_segment_are_not_indexed() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(6, 10, 3));
    archive.close().expect("closed");
    let segment = files.paths_with("/index/").into_iter().find(|path| path.extension().is_some_and(|extension| extension == "mki"));
    let (segment, mut lost) = (segment.expect("a segment"), 0);
    for offset in (0..files.bytes(&segment).len()).step_by(61) {
        let damaged = files.copy();
        damaged.flip(&segment, offset);
        let archive = damaged.open();
        let found = archive.session(Actor::System).search(&SearchRequest::new("example")).expect("an answer");
        assert_eq!(found.total + found.coverage.not_indexed, 6, "found, or counted (a flip at {offset})");
        lost += usize::from(found.total == 0);
    }
    assert!(lost > 0, "some of it is read for an answer");
}

/// What an answer shows, without the numbers of messages.
fn shown(archive: &Archive, actor: &Actor, query: &str) -> impl PartialEq + std::fmt::Debug {
    let session = archive.session(actor.clone());
    let request = SearchRequest::new(query).count_by(&COUNTS).with_snippets().with_suggestions();
    let answer = session.search(&request).expect("an answer");
    let hits: Vec<_> = answer.hits.into_iter().map(|hit| (hit.subject, hit.date, hit.folder)).collect();
    let clauses = session.explain(&request).expect("an explanation");
    (hits, answer.total, answer.coverage, answer.counts, answer.snippets, answer.suggestions, answer.notices, clauses)
}

#[test]
fn s4_4_an_archive_of_what_is_seen_alone_answers_the_same() {
    let ((_, whole), (_, part)) = (Files::create(), Files::create());
    let mut mails = plain(30, 12, 8);
    mails.push(b"Subject: sealed\nDate: Wed, 3 Jan 2024 10:00:00 +0000\nContent-Type: application/pkcs7-mime\n\nAAAA\n".to_vec());
    mails
        .push(b"Subject: hidden wordsofbob\nDate: Wed, 3 Jan 2024 10:00:00 +0000\nContent-Type: application/pkcs7-mime\n\nAAAB\n".to_vec());
    for (at, mail) in mails.iter().enumerate() {
        // Each third mail lies in both folders, and of the sealed ones the first is seen.
        if at % 2 == 0 || at % 3 == 0 {
            put(&whole, "anna/Inbox", mail);
            put(&part, "anna/Inbox", mail);
        }
        if at % 2 == 1 || at % 3 == 0 {
            put(&whole, "bob/Inbox", mail);
        }
    }
    let anna = user(&[FolderScope::below("anna")]);
    for query in [
        "harbour",
        "saff* OR wal*",
        "*t*",
        "-lantern",
        "harbor",
        "wordsofbo",
        "wordsofbob",
        "words*",
        "-nowhere",
        "in:bob",
        "in:anna OR harbour",
        "from:granite",
        "form:granite",
        "after:2010",
        "\"velvet whisper\"",
        "*",
    ] {
        assert_eq!(shown(&whole, &anna, query), shown(&part, &anna, query), "{query}");
        assert_eq!(shown(&part, &anna, query), shown(&part, &Actor::System, query), "{query}: all of it is seen");
    }
    let refused = |archive: &Archive| archive.session(anna.clone()).search(&SearchRequest::new("in:bob larger:x")).map(drop);
    assert_eq!(refused(&whole).expect_err("refused").to_string(), refused(&part).expect_err("refused").to_string());
}

#[test]
fn s4_5_keys_are_names_else_addresses_mapped_and_missing_ones_come_first() {
    let (_, archive) = Files::create();
    let mail = |from: &str, subject: &str, day: u32| format!("{from}{subject}Date: Wed, {day} Jan 2020 10:00:00 +0000\n\n{day}\n");
    let all: Vec<_> = [
        mail("From: Zoe <aaa@x.example>\n", "Subject: banana\n", 1),
        mail("From: ZOE <bbb@x.example>\n", "Subject: Apple\n", 2),
        mail("From: adam@x.example, Zoe <c@x.example>\n", "Subject: APPLE\n", 3),
        mail("From: \u{c9}mile <d@x.example>\n", "Subject: \u{c4}pfel\n", 4),
        mail("", "", 5),
    ]
    .iter()
    .map(|mail| put(&archive, "anna/Inbox", mail).id())
    .collect();
    let pick = |places: &[usize]| places.iter().map(|at| all[*at]).collect::<Vec<_>>();
    for (by, expected) in [
        // Nobody, adam@x.example, zoe and zoe (the newest first), émile after all letters of ASCII.
        (OrderKey::Sender, pick(&[4, 2, 1, 0, 3])),
        (OrderKey::Party, pick(&[4, 2, 1, 0, 3])),
        (OrderKey::Subject, pick(&[4, 2, 1, 0, 3])),
        // Of one size and one folder the newest first.
        (OrderKey::Folder, pick(&[4, 3, 2, 1, 0])),
        // The last to come first, whatever its date.
        (OrderKey::Archived, pick(&[4, 3, 2, 1, 0])),
    ] {
        assert_eq!(ids(&archive, &Actor::System, &in_order(by, false)), expected, "{by:?}");
        let reversed: Vec<_> = expected.into_iter().rev().collect();
        assert_eq!(ids(&archive, &Actor::System, &in_order(by, true)), reversed, "{by:?} reversed");
    }
}

#[test]
fn s4_5_of_one_key_the_newest_comes_first_and_of_one_date_the_highest_number() {
    let (_, archive) = Files::create();
    let mail = |day: u32, text: &str| format!("From: a@x.example\nSubject: s\nDate: Wed, {day} Jan 2020 10:00:00 +0000\n\n{text}\n");
    // Of one size each; numbers do not rise with dates.
    let places = [(5, "a"), (2, "b"), (5, "c"), (9, "d"), (2, "e")];
    let all: Vec<_> = places.iter().map(|(day, text)| put(&archive, "anna/Inbox", mail(*day, text)).id()).collect();
    let expected: Vec<_> = [3, 2, 0, 4, 1].iter().map(|at| all[*at]).collect();
    for by in [OrderKey::Date, OrderKey::Sender, OrderKey::Party, OrderKey::Subject, OrderKey::Size, OrderKey::Folder] {
        assert_eq!(ids(&archive, &Actor::System, &in_order(by, false)), expected, "{by:?}");
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        assert_eq!(ids(&archive, &Actor::System, &in_order(by, true)), reversed, "{by:?} reversed");
    }
}

#[test]
fn s4_5_every_order_is_that_of_a_sort_wherever_a_mail_is_and_however_it_is_read() {
    let (files, mut archive) = Files::create();
    let people = ["Zoe <z@x.example>", "ZOE <a@x.example>", "b@x.example", "Carl <e@x.example>"];
    // Few different texts and dates, so that many keys are equal, and mails in up to four folders.
    for number in 0..60_usize {
        let (from, subject) = (people[number % 4], ["s", "S", "", "t g", "ta"][number % 5]);
        let (day, body) = (1 + number % 3, "x".repeat(1 + number % 7));
        let mail = format!("From: {from}\nSubject: {subject}\nDate: Wed, {day} Jan 2020 10:00:00 +0000\n\n{body}\n{number:03}\n");
        for (at, folder) in ["anna/Inbox", "anna/b", "bob/Inbox", "Anna/INBOX"].iter().enumerate() {
            if number % (at + 1) == 0 {
                put(&archive, folder, &mail);
            }
        }
        if number % 25 == 24 {
            // Closing writes a segment of the index.
            archive.close().expect("closed");
            archive = files.open();
        }
    }
    let session = archive.session(Actor::System);
    let all = session.search(&SearchRequest::new("*")).expect("an answer").hits;
    let fold = |text: &str| text.to_lowercase();
    let person = |of: Option<&AddressInfo>| of.map_or(String::new(), |of| fold(if of.name.is_empty() { &of.address } else { &of.name }));
    for by in [OrderKey::Date, OrderKey::Archived, OrderKey::Sender, OrderKey::Party, OrderKey::Subject, OrderKey::Size, OrderKey::Folder] {
        let key = |hit: &MessageInfo| match by {
            OrderKey::Archived => (String::new(), Reverse(hit.archived)),
            OrderKey::Size => (String::new(), Reverse(hit.size.cast_signed())),
            OrderKey::Sender | OrderKey::Party => (person(hit.from.first()), Reverse(0)),
            OrderKey::Subject => (fold(&hit.subject), Reverse(0)),
            OrderKey::Folder => (fold(&hit.folder.to_string()), Reverse(0)),
            _ => (String::new(), Reverse(0)),
        };
        for query in ["*", "subject:s", "in:anna", "-subject:s"] {
            let found: BTreeSet<MessageId> = ids(&archive, &Actor::System, &SearchRequest::new(query)).into_iter().collect();
            let mut expected: Vec<&MessageInfo> = all.iter().filter(|hit| found.contains(&hit.id)).collect();
            expected.sort_by_key(|hit| (key(hit), Reverse(hit.date), Reverse(hit.id)));
            for (reverse, limit) in [(false, 1), (true, 1), (false, 3), (true, 3), (false, 1000), (true, 1000)] {
                let expected: Vec<MessageId> = expected.iter().map(|hit| hit.id).collect();
                let expected = if reverse { expected.into_iter().rev().collect() } else { expected };
                let mut criteria = SearchCriteria::of_text(query);
                criteria.order = Order { by, reverse };
                let pages = session.search_pages(&SearchRequest::of(criteria).limit(limit)).expect("pages");
                let seen: Vec<MessageId> = pages.flat_map(|page| page.expect("a page").hits).map(|hit| hit.id).collect();
                assert_eq!(seen, expected, "{query} by {by:?}, reversed {reverse}, {limit} a page");
            }
        }
    }
}

#[test]
fn s4_5_the_order_by_archiving_is_that_of_the_records() {
    let (_, archive) = Files::create();
    put_each(&archive, &plain(12, 5, 4));
    let session = archive.session(Actor::System);
    let hits = session.search(&in_order(OrderKey::Archived, false)).expect("an answer").hits;
    let mut expected = hits.clone();
    expected.sort_by_key(|hit| std::cmp::Reverse((hit.archived, hit.date, hit.id)));
    assert_eq!(hits, expected);
    assert!(hits.first().expect("a hit").archived >= hits.last().expect("a hit").archived);
}

#[test]
fn s4_5_a_mail_without_a_date_field_has_that_which_its_record_names() {
    let (_, archive) = Files::create();
    let mut source = b"From someone@example.org Thu Jan  2 03:04:05 2020\nSubject: of the line\n\nx\n\n".to_vec();
    source.extend(b"From someone@example.org Thu Jan  2 03:04:05 2020\nSubject: older\nDate: Tue, 1 Jan 2019 10:00:00 +0000\n\nx\n\n");
    source.extend(b"From someone@example.org Thu Jan  2 03:04:05 2020\nSubject: newer\nDate: Fri, 1 Jan 2021 10:00:00 +0000\n\nx\n\n");
    put_stream(&archive, &source, "box.mbox", &ImportOptions::default());
    let last = put(&archive, "anna/Inbox", "Subject: of now\n\nx\n").id();
    let archived = archive.session(Actor::System).message(last).expect("a message").archived;
    let subjects = |query: &str| {
        let found = archive.session(Actor::System).search(&SearchRequest::new(query).at(archived)).expect("an answer");
        found.hits.into_iter().map(|hit| hit.subject).collect::<Vec<_>>()
    };
    assert_eq!(subjects("*"), ["newer", "of the line", "older", "of now"]);
    assert_eq!(subjects("date:2020"), ["of the line"]);
    assert_eq!(subjects("date:today"), [] as [&str; 0], "the time of archiving is no date");
}

#[test]
fn s4_5_a_message_whose_key_stays_is_delivered_once_while_mail_comes() {
    for by in [OrderKey::Date, OrderKey::Archived, OrderKey::Sender, OrderKey::Subject, OrderKey::Size, OrderKey::Folder] {
        for reverse in [false, true] {
            let (_, archive) = Files::create();
            let before: BTreeSet<MessageId> = put_each(&archive, &plain(11, 8, 21)).iter().map(Receipt::id).collect();
            let (session, request) = (archive.session(Actor::System), in_order(by, reverse).limit(2));
            let mut new = plain(30, 8, 22).into_iter();
            let mut page = session.search(&request).expect("a page");
            let mut seen: Vec<MessageId> = page.hits.iter().map(|hit| hit.id).collect();
            while let Some(cursor) = page.cursor {
                put_each(&archive, &new.by_ref().take(1).collect::<Vec<_>>());
                page = session.search(&request.clone().after(&cursor)).expect("a page");
                seen.extend(page.hits.iter().map(|hit| hit.id));
            }
            let once: BTreeSet<MessageId> = seen.iter().copied().collect();
            assert_eq!(once.len(), seen.len(), "none twice ({by:?}, {reverse})");
            assert!(once.is_superset(&before), "none is left out ({by:?}, {reverse})");
        }
    }
}

#[test]
fn s4_6_the_snippet_is_the_place_with_most_words_of_the_query() {
    let (_, archive) = Files::create();
    let filler = "nothing of note ".repeat(40);
    put(
        &archive,
        "anna/Inbox",
        format!("Subject: other\nDate: Mon, 8 Jan 2020 10:00:00 +0000\n\nharbour {filler} the lantern of the HARBOUR {filler} lantern\n"),
    );
    put(&archive, "anna/Inbox", "Subject: other\nDate: Mon, 1 Jan 1990 10:00:00 +0000\n\nno word of it\n");
    let session = archive.session(Actor::System);
    let found = session.search(&SearchRequest::new("harbour lantern -nowhere OR date:1990").with_snippets()).expect("an answer");
    let snippet = found.snippets[0].as_ref().expect("a snippet");
    let words: Vec<&str> = snippet.ranges.iter().map(|range| &snippet.text[range.clone()]).collect();
    assert_eq!((snippet.field, words), ("bcontent", vec!["lantern", "HARBOUR"]));
    assert_eq!(found.snippets[1], None, "a filter has no words to show");
    assert_eq!(session.search(&SearchRequest::new("harbour")).expect("an answer").snippets, [], "only on request");
}

#[test]
fn s4_6_counts_are_exact_over_all_hits_and_in_the_zone() {
    let (_, archive) = Files::create();
    let attached = |kind: &str| format!("--b\nContent-Type: {kind}\nContent-Disposition: attachment; filename=x\n\nx\n");
    let of = |from: &str, date: &str, parts: &str| {
        format!("From: {from}\nDate: {date}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n{parts}--b--\n")
    };
    let (new_year, summer) = ("Tue, 31 Dec 2019 23:30:00 +0000", "Wed, 1 Jul 2020 10:00:00 +0000");
    let both = attached("application/pdf") + &attached("text/plain") + &attached("application/pdf");
    put(&archive, "anna/Inbox", of("Ada <Ada@x.example>", new_year, &both));
    put(&archive, "anna/Inbox", of("Ada L. <ADA@x.example>", summer, &attached("application/pdf")));
    put(&archive, "bob/Inbox", of("bob@x.example", summer, ""));
    let rows = |zone: &str, actor: &Actor| {
        let mut criteria = SearchCriteria::of_text("body");
        criteria.zone = zone.to_owned();
        let found = archive.session(actor.clone()).search(&SearchRequest::of(criteria).limit(1).count_by(&COUNTS)).expect("an answer");
        let row = |(key, sum): &(String, u64)| format!("{key} {sum}");
        found.counts.iter().map(|counts| counts.rows.iter().map(row).collect::<Vec<_>>().join(", ")).collect::<Vec<_>>()
    };
    let expected = [
        "2020 2, 2019 1",
        "2020-07 2, 2019-12 1",
        "ada@x.example 2, bob@x.example 1",
        "anna/Inbox 2, bob/Inbox 1",
        "application/pdf 2, none 1, text/plain 1",
    ];
    assert_eq!(rows("UTC", &Actor::System), expected);
    assert_eq!(rows("Europe/Berlin", &Actor::System)[..2], ["2020 3", "2020-07 2, 2020-01 1"]);
    assert_eq!(rows("UTC", &user(&[FolderScope::below("bob")])), ["2020 1", "2020-07 1", "bob@x.example 1", "bob/Inbox 1", "none 1"]);
}

#[test]
fn s4_7_a_mail_imported_alone_is_found_when_the_call_returns() {
    let (_, archive) = Files::create();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let archive = &archive;
            scope.spawn(move || {
                for number in 0..12 {
                    let word = format!("thread{thread}mail{number}");
                    let id = put(archive, "anna/Inbox", format!("Subject: {word}\n\nx\n")).id();
                    let found = archive.session(Actor::System).search(&SearchRequest::new(&word)).expect("an answer");
                    assert_eq!(found.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [id], "{word}");
                }
            });
        }
    });
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new("thread*")).len(), 48);
}

/// A mailbox that gives its second half only when a mail of the first has been found.
struct Halves<'a> {
    archive: &'a Archive,
    halves: Vec<Vec<u8>>,
    receipts: Receiver<MessageId>,
    found: bool,
}

impl Read for Halves<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.halves[0].is_empty() && !self.found {
            let id = self.receipts.recv().expect("a receipt while the import goes on");
            // It says no time: another thread feeds the index, and is let run.
            self.found = (0..100_000).any(|_| {
                std::thread::yield_now();
                ids(self.archive, &Actor::System, &SearchRequest::new("firsthalf")).contains(&id)
            });
        }
        let half = if self.halves[0].is_empty() && self.found { 1 } else { 0 };
        let len = into.len().min(self.halves[half].len());
        into[..len].copy_from_slice(&self.halves[half][..len]);
        self.halves[half].drain(..len);
        Ok(len)
    }
}

struct Receipts(Sender<MessageId>);

impl ImportEvents for Receipts {
    fn receipt(&mut self, receipt: &Receipt) {
        // Nobody listens any more when the first was found.
        let _ended = self.0.send(receipt.id());
    }
}

#[test]
fn s4_7_a_mail_of_a_bulk_import_is_found_while_the_import_goes_on() {
    let (_, archive) = Files::create();
    // More than is read ahead, so that mails of the first half are known before its end.
    let mail = |word: &str, number: usize| format!("Subject: {word} {number}\n\n{}", "some more text\n".repeat(1000)).into_bytes();
    let half = |word: &str, count: usize| mbox(&(0..count).map(|number| mail(word, number)).collect::<Vec<_>>());
    let (tell, receipts) = channel();
    let mut source = Halves { archive: &archive, halves: vec![half("firsthalf", 200), half("secondhalf", 2)], receipts, found: false };
    let options = ImportOptions { into: Some(folder("anna/Inbox")), ..ImportOptions::default() };
    let report = archive.session(Actor::System).import(ImportSource::Stream(&mut source, "in.mbox"), &options, &mut Receipts(tell));
    assert_eq!(report.expect("imported").stored, 202, "the second half came, because the first was found");
    let found = archive.session(Actor::System).search(&SearchRequest::new("secondhalf")).expect("an answer");
    assert_eq!((found.total, found.coverage.not_indexed), (2, 0), "when the import returns, all of it is found");
}

#[test]
fn s4_8_answers_are_the_same_after_a_crash_and_without_the_old_index() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(40, 20, 12));
    let before = ask(&archive).expect("answers");
    // As after a crash: nothing was closed.
    let crashed = files.copy();
    assert_eq!(ask(&crashed.open()).expect("answers"), before, "after a crash");
    archive.close().expect("closed");
    assert_eq!(ask(&files.open()).expect("answers"), before, "reopened");
    let bare = files.copy();
    bare.paths_with("/index/").iter().for_each(|path| bare.remove(path));
    let archive = bare.open();
    assert_eq!(ask(&archive).expect("answers"), before, "indexed anew");
    put_each(&archive, &plain(1, 5, 13));
    assert_ne!(ask(&archive).expect("answers"), before, "answers are of what is there");
}
