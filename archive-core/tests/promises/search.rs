//! Answers (docs/SEARCH.md, S3 and S4): messages and not contents, what an actor sees, orders and pages, counts, snippets, reasons,
//! threads, and an index that is damaged or built again.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archive_core::vfs::{Fault, SimVfs, Vfs};
use archive_core::{
    Actor, Archive, CountBy, CreateOptions, DateRange, Error, FolderScope, ImportOptions, ImportSource, IndexConfiguration, IndexStatus,
    Key, MessageId, OpenOptions, Order, OrderKey, Progress, SearchCriteria, SearchField, SearchRequest, User,
};

use crate::fixture::{DIR, Files, Told, committed, folder, ids, mbox, put, user};

fn mail(from: &str, date: &str, subject: &str, body: &str) -> String {
    format!("From: {from}\nDate: {date}\nSubject: {subject}\nTo: Team <team@x.example>\n\n{body}\n")
}

/// Mails in folders of two people, one of them in three places.
fn archive() -> (Files, Archive, Vec<MessageId>) {
    let (files, archive) = Files::create();
    let common = mail("Zoe <zoe@x.example>", "Wed, 3 Jan 2024 10:00:00 +0000", "Common", "apple pear");
    let placed = [
        ("anna/Inbox", common.clone()),
        ("anna/Inbox", mail("ada@x.example", "Tue, 2 Jan 2024 10:00:00 +0000", "beta", "apple")),
        ("anna/Inbox/Deep", mail("Bob <bob@x.example>", "Thu, 4 Jan 2024 10:00:00 +0000", "Alpha", &"apple ".repeat(50))),
        ("bob/Inbox", common.clone()),
        ("bob/Secret", mail("ada@x.example", "Fri, 5 Jan 2024 10:00:00 +0000", "gamma", "apple hidden")),
        ("bob/Sent", common),
    ];
    let found = placed.iter().map(|(path, mail)| put(&archive, path, mail).id()).collect();
    (files, archive, found)
}

#[test]
fn s4_1_a_content_in_three_folders_is_found_three_times() {
    let (_, archive, all) = archive();
    let system = Actor::System;
    let pick = |numbers: &[usize]| numbers.iter().map(|at| all[*at]).collect::<Vec<_>>();
    for (query, expected) in [
        ("pear", pick(&[5, 3, 0])),
        ("pear in:bob", pick(&[5, 3])),
        ("pear folder:bob", vec![]),
        ("apple in:anna/Inbox", pick(&[2, 0, 1])),
        ("apple folder:anna/Inbox", pick(&[0, 1])),
        ("apple -in:bob", pick(&[2, 0, 1])),
        ("(pear in:anna) OR hidden", pick(&[4, 0])),
        ("-(pear in:bob/Sent) -in:anna", pick(&[4, 3])),
        ("in:nowhere OR in:bob/Secret", pick(&[4])),
    ] {
        assert_eq!(ids(&archive, &system, &SearchRequest::new(query)), expected, "{query}");
    }
}

#[test]
fn s4_4_what_an_actor_does_not_see_is_not_there() {
    let (_, archive, all) = archive();
    let anna = user(&[FolderScope::below("anna")]);
    assert_eq!(ids(&archive, &anna, &SearchRequest::new("apple")), [all[2], all[0], all[1]]);
    assert_eq!(ids(&archive, &anna, &SearchRequest::new("hidden")), []);
    assert_eq!(ids(&archive, &anna, &SearchRequest::new("in:bob")), []);
    let exactly = user(&[FolderScope::exactly("anna/Inbox"), FolderScope::below("nowhere")]);
    assert_eq!(ids(&archive, &exactly, &SearchRequest::new("apple")), [all[0], all[1]]);
    let blocked = Actor::User(User { name: "admin".to_owned(), administrator: true, folders: Vec::new() });
    assert_eq!(ids(&archive, &blocked, &SearchRequest::new("*")), []);
    let session = archive.session(anna.clone());
    assert!(matches!(session.raw(all[4]), Err(Error::NoSuchMessage(_))), "as one that is not there");
    assert!(matches!(session.message(all[3]), Err(Error::NoSuchMessage(_))));
    assert!(matches!(session.messages_in(&folder("bob/Inbox")).next(), Some(Err(Error::NoSuchFolder(_)))));
    assert!(session.folders().expect("folders").iter().all(|folder| folder.path.names()[0] == "anna"));
    assert!(session.raw(all[0]).is_ok());
    for error in [
        session.stats(&Progress::new()).map(drop).expect_err("refused"),
        session.import_one(b"a: b\n\nc", &folder("anna/Inbox")).map(drop).expect_err("refused"),
        session.store_indexes(None).map(drop).expect_err("refused"),
    ] {
        assert_eq!(error.code(), "denied");
    }
    // Words of what is not seen are not named.
    let explained = session.explain(&SearchRequest::new("hid*")).expect("an answer");
    assert_eq!((explained[0].messages, explained[0].words.len(), explained[0].all_words), (0, 0, 0));
    let tips = session.search(&SearchRequest::new("hiden").with_suggestions()).expect("an answer").suggestions.expect("tips");
    assert_eq!((tips.clause.as_deref(), tips.words.len()), (Some("hiden"), 0));
    let tips = archive.session(Actor::System).search(&SearchRequest::new("apple hiden").with_suggestions()).expect("an answer");
    let tips = tips.suggestions.expect("tips");
    assert_eq!((tips.clause.as_deref(), tips.words), (Some("hiden"), vec!["hidden".to_owned()]));
    let tips = archive.session(Actor::System).search(&SearchRequest::new("hidden -hidden").with_suggestions()).expect("an answer");
    let tips = tips.suggestions.expect("tips");
    assert_eq!((tips.clause.as_deref(), tips.words.len()), (Some("-hidden"), 0), "a clause that is met alone needs no other words");
}

#[test]
fn o45_the_store_criterion_is_for_administrators() {
    let (_, archive, all) = archive();
    let mut criteria = SearchCriteria::of_text("hidden");
    criteria.store = Some(1);
    let request = SearchRequest::of(criteria.clone());
    assert_eq!(ids(&archive, &Actor::System, &request), [all[4]]);
    let error = archive.session(user(&[FolderScope::below("bob")])).search(&request).expect_err("refused");
    assert_eq!(error.code(), "denied");
    criteria.store = Some(7);
    let error = archive.session(Actor::System).search(&SearchRequest::of(criteria)).expect_err("no such store");
    assert_eq!(error.code(), "no_such_store");
}

#[test]
fn s4_5_every_order_gives_each_message_once_over_all_pages() {
    let (_, archive, all) = archive();
    let pick = |numbers: &[usize]| numbers.iter().map(|at| all[*at]).collect::<Vec<_>>();
    for (by, expected) in [
        (OrderKey::Date, pick(&[4, 2, 5, 3, 0, 1])),
        // Senders: ada@x.example, ada@x.example, bob, zoe.
        (OrderKey::Sender, pick(&[4, 1, 2, 5, 3, 0])),
        (OrderKey::Party, pick(&[4, 1, 2, 5, 3, 0])),
        (OrderKey::Subject, pick(&[2, 1, 5, 3, 0, 4])),
        (OrderKey::Folder, pick(&[0, 1, 2, 3, 4, 5])),
        (OrderKey::Size, pick(&[2, 5, 3, 0, 4, 1])),
    ] {
        for reverse in [false, true] {
            let mut criteria = SearchCriteria::of_text("apple");
            criteria.order = Order { by, reverse };
            let mut expected = expected.clone();
            if reverse {
                expected.reverse();
            }
            let request = SearchRequest::of(criteria);
            assert_eq!(ids(&archive, &Actor::System, &request), expected, "{by:?} {reverse}");
            for limit in [1, 2, 5, 6] {
                let session = archive.session(Actor::System);
                let mut page = session.search(&request.clone().limit(limit)).expect("a page");
                let mut seen: Vec<MessageId> = page.hits.iter().map(|hit| hit.id).collect();
                while let Some(cursor) = page.cursor {
                    page = session.search(&request.clone().limit(limit).after(&cursor)).expect("a page");
                    assert_eq!(page.total, 6);
                    seen.extend(page.hits.iter().map(|hit| hit.id));
                }
                assert_eq!(seen, expected, "{by:?} {reverse}, {limit} a page");
                let pages: Vec<_> = session.search_pages(&request.clone().limit(limit)).expect("pages").collect();
                let pages: Vec<_> = pages.into_iter().map(|page| page.expect("a page")).collect();
                let seen: Vec<MessageId> = pages.iter().flat_map(|page| &page.hits).map(|hit| hit.id).collect();
                assert_eq!(seen, expected, "{by:?} {reverse}, {limit} a page, read on");
                assert!(pages.iter().all(|page| page.total == 6));
            }
        }
    }
}

#[test]
fn s4_5_a_cursor_is_of_its_search_and_actor_alone() {
    let (_, archive, _) = archive();
    let session = archive.session(Actor::System);
    let request = SearchRequest::new("apple").limit(2);
    let cursor = session.search(&request).expect("a page").cursor.expect("more");
    assert!(session.search(&request.clone().after(&cursor)).is_ok());
    for refused in [
        session.search(&SearchRequest::new("pear").limit(2).after(&cursor)),
        session.search(&request.clone().after("00ff")),
        archive.session(user(&[FolderScope::below("bob")])).search(&request.after(&cursor)),
    ] {
        assert_eq!(refused.expect_err("refused").code(), "query");
    }
}

#[test]
fn s4_6_counts_and_snippets() {
    let (_, archive, _) = archive();
    let session = archive.session(Actor::System);
    let by = [CountBy::Year, CountBy::Month, CountBy::From, CountBy::Folder, CountBy::Type];
    let found = session.search(&SearchRequest::new("pear OR hidden").limit(1).count_by(&by).with_snippets()).expect("an answer");
    let rows: Vec<Vec<(&str, u64)>> =
        found.counts.iter().map(|counts| counts.rows.iter().map(|(key, sum)| (key.as_str(), *sum)).collect()).collect();
    assert_eq!(rows[0], [("2024", 4)]);
    assert_eq!(rows[1], [("2024-01", 4)]);
    assert_eq!(rows[2], [("zoe@x.example", 3), ("ada@x.example", 1)]);
    assert_eq!(rows[3], [("anna/Inbox", 1), ("bob/Inbox", 1), ("bob/Secret", 1), ("bob/Sent", 1)]);
    assert_eq!(rows[4], [("none", 4)]);
    let snippet = found.snippets[0].as_ref().expect("a snippet");
    assert_eq!((snippet.field, &snippet.text[snippet.ranges[0].clone()]), ("bcontent", "hidden"));
}

#[test]
fn s4_3_why_a_message_is_found_or_not() {
    let (_, archive, all) = archive();
    let session = archive.session(Actor::System);
    let request = SearchRequest::new("apple -hidden from:ada in:bob larger:1G");
    let verdicts = session.why(all[4], &request).expect("an answer");
    let met: Vec<(&str, Option<bool>, usize)> = verdicts.iter().map(|one| (one.clause.as_str(), one.met, one.fields.len())).collect();
    let expected = [
        ("apple", Some(true), 1),
        ("-hidden", Some(false), 1),
        ("from:ada", Some(true), 1),
        ("in:bob", Some(true), 0),
        ("larger:1G", Some(false), 0),
    ];
    assert_eq!(met, expected);
}

#[test]
fn a22_2_criteria_are_joined() {
    let (_, archive, all) = archive();
    let find = |change: &dyn Fn(&mut SearchCriteria)| {
        let mut criteria = SearchCriteria::default();
        change(&mut criteria);
        ids(&archive, &Actor::System, &SearchRequest::of(criteria))
    };
    assert_eq!(find(&|_| {}), [], "nothing asked");
    assert_eq!(find(&|c| c.folder = Some(FolderScope::exactly("bob/Secret"))), [all[4]]);
    assert_eq!(find(&|c| c.from = "zoe -bob".to_owned()), [all[5], all[3], all[0]]);
    assert_eq!(find(&|c| (c.recipients, c.text) = ("team".to_owned(), "alpha".to_owned())), [all[2]]);
    assert_eq!(find(&|c| (c.text, c.look_in) = ("alpha".to_owned(), vec![SearchField::Content])), []);
    let january_fourth = DateRange { from: Some("2024-01-04".to_owned()), to: Some("2024-01-04".to_owned()), ..DateRange::default() };
    assert_eq!(find(&|c| c.date = Some(january_fourth.clone())), [all[2]]);
    // In this zone the fourth begins fourteen hours earlier, and the mail of ten o'clock is of the fifth.
    assert_eq!(find(&|c| (c.date, c.zone) = (Some(january_fourth.clone()), "+14:00".to_owned())), [all[5], all[3], all[0]]);
    assert_eq!(find(&|c| (c.with_attachments, c.text) = (false, "hidden".to_owned())), [all[4]]);
    assert_eq!(find(&|c| (c.without_attachments, c.text) = (false, "hidden".to_owned())), []);
}

#[test]
fn o44_relative_dates_are_told_the_time_when_the_search_is_run() {
    let (_, archive, all) = archive();
    let archived = archive.session(Actor::System).message(all[0]).expect("a message").archived;
    let mut criteria = SearchCriteria::of_text("hidden");
    criteria.archived = Some(DateRange { period: Some("last-month".to_owned()), ..DateRange::default() });
    let saved = SearchCriteria::from_json(&criteria.to_json()).expect("criteria");
    const DAY: i64 = 86_400_000;
    let found_at = |moment| ids(&archive, &Actor::System, &SearchRequest::of(saved.clone()).at(moment)).len();
    assert_eq!(found_at(archived), 0, "this month is not the last");
    // Some day of the 31 to 59 that follow lies in the next month, and none of those two months later does.
    assert!((1..=59).any(|days| found_at(archived + days * DAY) == 1));
    assert_eq!(found_at(archived + 93 * DAY), 0);
}

#[test]
fn threads_are_held_together_by_references_that_the_actor_sees() {
    let (_, archive) = Files::create();
    let reply = |id: &str, fields: &str| format!("From: a@x.example\nMessage-ID: <{id}>\n{fields}Subject: s\n\nbody {id}\n");
    let first = put(&archive, "anna/Inbox", reply("1@x", "")).id();
    let second = put(&archive, "bob/Inbox", reply("2@x", "In-Reply-To: <1@x>\n")).id();
    let third = put(&archive, "anna/Inbox", reply("3@x", "References: <2@x>\n")).id();
    let sibling = put(&archive, "anna/Inbox", reply("4@x", "References: <0@x> <1@x>\n")).id();
    let other = put(&archive, "anna/Inbox", reply("5@x", "")).id();
    let thread = |actor: Actor, id| {
        let found = archive.session(actor).thread(id, &Progress::new()).expect("a thread");
        found.iter().map(|info| info.id).collect::<BTreeSet<_>>()
    };
    assert_eq!(thread(Actor::System, third), BTreeSet::from([first, second, third, sibling]));
    assert_eq!(thread(Actor::System, other), BTreeSet::from([other]));
    let anna = user(&[FolderScope::below("anna")]);
    assert_eq!(thread(anna.clone(), third), BTreeSet::from([third]), "the way leads over a mail that she does not see");
    assert_eq!(thread(anna, first), BTreeSet::from([first, sibling]));
    let found = ids(&archive, &Actor::System, &SearchRequest::new("msgid:<2@x>"));
    assert_eq!(found, [second]);
}

#[test]
fn s4_8_answers_stay_while_the_index_is_built_again_and_after() {
    let (files, archive, _) = archive();
    let queries = ["apple", "pear -hidden", "*pp*", "in:bob OR alpha", "\"apple pear\""];
    let answers = |archive: &Archive| queries.map(|query| ids(archive, &Actor::System, &SearchRequest::new(query)));
    let before = answers(&archive);
    let session = archive.session(Actor::System);
    session.select_all_store_indexes_for_rebuild().expect("marked");
    let indexes = session.store_indexes(None).expect("indexes");
    let shown: Vec<_> =
        indexes.iter().map(|index| (index.folder.as_str(), index.messages, index.status, index.selected_for_rebuild)).collect();
    assert_eq!(shown, [("anna", 3, IndexStatus::Ok, true), ("bob", 3, IndexStatus::Ok, true)]);
    let ends = Progress::reporting(|_| ControlFlow::Break(()));
    assert!(matches!(session.rebuild_selected_store_indexes(&ends), Err(Error::Stopped)));
    assert_eq!(answers(&archive), before, "the old one stays");
    let seen = Arc::new(AtomicU64::new(0));
    let (count, searched, as_before) = (Arc::clone(&seen), archive.clone(), before.clone());
    let built = session.rebuild_selected_store_indexes(&Progress::reporting(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let found = queries.map(|query| ids(&searched, &Actor::System, &SearchRequest::new(query)));
        assert_eq!(found, as_before, "searches go on");
        ControlFlow::Continue(())
    }));
    assert_eq!((built.expect("built"), seen.load(Ordering::Relaxed) > 0), (1, true));
    assert_eq!(answers(&archive), before);
    assert_eq!(session.rebuild_selected_store_indexes(&Progress::new()).expect("nothing to do"), 0);
    assert!(matches!(session.rebuild_store_index(9, &Progress::new()), Err(Error::NoSuchStore(9))));
    drop((archive, session));
    assert_eq!(answers(&files.open()), before);
}

#[test]
fn p11_a_damaged_segment_of_the_index_costs_its_messages_until_it_is_mended() {
    let (files, archive, _) = archive();
    let before = ids(&archive, &Actor::System, &SearchRequest::new("apple"));
    archive.close().expect("closed");
    // The first frame after the header of the segment: a page of terms.
    let segment = files.paths_with("/index/").into_iter().find(|path| path.to_string_lossy().ends_with(".mki")).expect("a segment");
    files.flip(&segment, 400);
    let archive = files.open();
    let session = archive.session(Actor::System);
    let found = session.search(&SearchRequest::new("apple")).expect("an answer");
    if found.total == 0 {
        assert_eq!(found.coverage.not_indexed, 6, "what was lost is counted");
        assert_eq!(session.store_indexes(Some(1)).expect("indexes")[0].status, IndexStatus::NeedsRebuild);
        assert_eq!(session.rebuild_selected_store_indexes(&Progress::new()).expect("built"), 1);
    }
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new("apple")), before);
    assert_eq!(session.search(&SearchRequest::new("apple")).expect("an answer").coverage.not_indexed, 0);
}

#[test]
fn p11_a_damaged_index_is_found_by_reading_it_and_built_again() {
    let (files, archive, _) = archive();
    let before = ids(&archive, &Actor::System, &SearchRequest::new("apple"));
    assert_eq!(archive.session(Actor::System).rebuild_selected_store_indexes(&Progress::new()).expect("whole"), 0);
    archive.close().expect("closed");
    let segment = files.paths_with("/index/").into_iter().find(|path| path.to_string_lossy().ends_with(".mki")).expect("a segment");
    for place in [400, files.bytes(&segment).len() / 2] {
        let changed = files.copy();
        changed.flip(&segment, place);
        let archive = changed.open();
        let session = archive.session(Actor::System);
        let rebuild = || session.rebuild_selected_store_indexes(&Progress::new()).expect("built");
        assert_eq!((rebuild(), rebuild()), (1, 0), "byte {place}");
        assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new("apple")), before);
    }
    // What a search gave up, the next open builds again.
    files.flip(&segment, 400);
    let archive = files.open();
    let missed = archive.session(Actor::System).search(&SearchRequest::new("apple")).expect("an answer").coverage.not_indexed;
    archive.close().expect("closed");
    let archive = files.open();
    let found = archive.session(Actor::System).search(&SearchRequest::new("apple")).expect("an answer");
    assert_eq!((missed, found.coverage.not_indexed), (6, 0));
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new("apple")), before);
}

#[test]
fn s1_5_types_that_are_off_are_not_counted_until_they_are_switched_on() {
    let (files, archive) = Files::create();
    let with_pdf = "From: a@x.example\nContent-Type: application/pdf; name=x.pdf\nContent-Disposition: attachment\n\n%PDF\n";
    put(&archive, "anna/Inbox", with_pdf);
    let session = archive.session(Actor::System);
    let undecided =
        |archive: &Archive| archive.session(Actor::System).search(&SearchRequest::new("nowhere")).expect("an answer").coverage.undecided;
    assert_eq!(undecided(&archive), 0);
    session.set_index_configuration(&IndexConfiguration { types: vec!["Application/PDF".to_owned()] }).expect("set");
    assert_eq!(undecided(&archive), 0, "it holds for mail archived from then on");
    session.rebuild_store_index(1, &Progress::new()).expect("built");
    assert_eq!(undecided(&archive), 1);
    archive.close().expect("closed");
    let archive = files.open();
    let configuration = archive.session(Actor::System).index_configuration().expect("known");
    assert_eq!((configuration.types, undecided(&archive)), (vec!["application/pdf".to_owned()], 1));
}

/// A write fails at each call of an import whose index takes more memory than it may. Where the archive still takes mail, nothing that another mail
/// overtook is missing from the answers without being counted.
#[test]
fn s4_3_a_failed_write_of_the_index_leaves_nothing_out() {
    let words = |no: usize| (0..500).map(|at| format!("w{no}x{at}")).collect::<Vec<_>>().join(" ");
    let mails: Vec<Vec<u8>> = (0..120).map(|no| format!("Subject: {no}\n\n{}\n", words(no)).into_bytes()).collect();
    let source = mbox(&mails);
    let dir = Path::new(DIR);
    let (mut overtaken, mut call) = (0, 0);
    loop {
        let vfs = SimVfs::new(7);
        vfs.create_dir(dir).expect("a folder");
        let options = CreateOptions::new("anna").open_options(OpenOptions::default().memory(0));
        let (archive, key) = committed(Archive::create_on(Arc::new(vfs.clone()), dir, options));
        let begin = vfs.calls();
        vfs.fail_at(begin + call, Fault::Enospc);
        let session = archive.session(Actor::System);
        let _failed_or_not = session.import(
            ImportSource::Stream(&mut &*source, "m"),
            &ImportOptions { into: Some(folder("anna")), ..ImportOptions::default() },
            &mut Told::default(),
        );
        if begin + call >= vfs.calls() {
            break;
        }
        let told = |archive: &Archive| {
            let session = archive.session(Actor::System);
            let found = session.search(&SearchRequest::new("*")).expect("an answer");
            (found.total + found.coverage.not_indexed, session.stats(&Progress::new()).expect("stats").messages)
        };
        if session.import_one(b"Subject: later\n\nlater\n", &folder("anna")).is_ok() {
            overtaken += 1;
            let (answered, messages) = told(&archive);
            assert_eq!(answered, messages, "call {call}");
        }
        drop((archive, session));
        let archive = Archive::open_on(Arc::new(vfs.process_death()), dir, &Key::File(key.into()), OpenOptions::default()).expect("opens");
        let (answered, messages) = told(&archive);
        assert_eq!(answered, messages, "call {call}, opened again");
        call += 1;
    }
    assert!(overtaken > 0, "after no failed write did the archive take mail");
}
