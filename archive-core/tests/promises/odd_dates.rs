//! Dates of odd mails in whole archives: whichever is found first, and none where nothing is known but the time of archiving (docs/TEXT.md T11,
//! docs/SEARCH.md S2.6, S4.5, S4.6).

use archive_core::{
    Actor, Archive, CountBy, DateOrigin, ImportOptions, MessageId, MessageInfo, Order, OrderKey, SearchCriteria, SearchRequest, Session,
};

use crate::fixture::{Files, ids, put, put_stream};

/// 28 October 2004, 17:00:38 UTC.
const AT: i64 = 1_098_982_838;

fn system(archive: &Archive) -> Session {
    archive.session(Actor::System)
}

fn info(archive: &Archive, id: MessageId) -> MessageInfo {
    system(archive).message(id).expect("a message")
}

fn put_head(archive: &Archive, head: &str) -> MessageId {
    put(archive, "anna/Inbox", format!("{head}Subject: s {}\n\nbody\n", head.len())).id()
}

fn of_head(head: &str) -> (Option<i64>, DateOrigin) {
    let (_, archive) = Files::create();
    let info = info(&archive, put_head(&archive, head));
    (info.date, info.date_origin)
}

/// The dates of an mbox, mail by mail.
fn of_mbox(mbox: &str) -> Vec<(Option<i64>, DateOrigin)> {
    let (_, archive) = Files::create();
    let (_, told) = put_stream(&archive, mbox.as_bytes(), "old.mbox", &ImportOptions::default());
    let infos = told.receipts.iter().map(|receipt| info(&archive, receipt.id()));
    infos.map(|info| (info.date, info.date_origin)).collect()
}

#[test]
fn t11_a_date_is_read_as_programs_of_all_kinds_and_languages_wrote_it() {
    for (text, after) in [
        ("Thu, 28 Oct 2004 19:00:38 +0200", 0),
        ("28 Oct 04 05:00:38 PM", 0),
        ("2004-10-28T19:00:38+02:00", 0),
        ("Thursday, October 28, 2004 5:00 PM", -38),
        ("28/10/2004 17:00", -38),
        ("10/28/2004 5:00 PM", -38),
        ("=?UTF-8?Q?Do,_28_Okt_2004_19:00:38_MESZ?=", 0),
        ("jeu., 28 oct. 2004 19:00:38 \"W. Europe Daylight Time\"", 0),
        ("28 pa\u{17a}dziernika 2004 19:00:38 --0200", 4 * 3600),
        ("Thu, 28 Oct 2004 17:00:38 +9999", 0),
        ("Thu, 28 Oct 2004 24:00:00 +0000", 6 * 3600 + 59 * 60 + 22),
        ("Thu, 28 Oct 2004", -(17 * 3600 + 38)),
    ] {
        assert_eq!(of_head(&format!("Date: {text}\n")), (Some(AT + after), DateOrigin::Mail), "{text}");
    }
    for text in ["Fri, 31 Feb 2004 10:00:00 +0000", "Thu, 28 Oct 20041 17:00:38 +0200", "5/6/2004 17:00", "soon"] {
        assert_eq!(of_head(&format!("Date: {text}\n")), (None, DateOrigin::Archiving), "{text}");
    }
}

#[test]
fn t11_1_without_a_date_field_the_topmost_received_field_with_a_date_counts() {
    let received = "Received: from a by b with SMTP; Thu, 28 Oct 2004 13:00:38 -0400\n";
    let older = "Received: from c by a; Thu, 28 Oct 2004 12:00:38 -0400\n";
    let expected = (Some(AT), DateOrigin::ReceivedField);
    assert_eq!(of_head(&format!("{received}{older}")), expected);
    assert_eq!(of_head(&format!("Received: from x by y\nReceived: from x (z; 1)\n by y; soon\n{received}{older}Date: soon\n")), expected);
    assert_eq!(of_head("Received: ; Thu Oct 28 17:00:38 2004\n"), expected);
    let date = "Date: Thu, 28 Oct 2004 18:00:38 +0000\n";
    assert_eq!(of_head(&format!("{received}{date}")), (Some(AT + 3600), DateOrigin::Mail));
    // One of a mail inside does not count.
    assert_eq!(of_head(&format!("Content-Type: message/rfc822\n\n{received}")), (None, DateOrigin::Archiving));
}

#[test]
fn a_received_field_comes_before_the_line_of_an_mbox() {
    let received = "Received: ; Thu Oct 28 13:00:38 2004 -0400\n";
    let lines = ["From - Wed Nov 01 11:33:16 2023\n", "From a@b.example Wed Nov 01 11:33:16 2023\n"];
    let mbox: String = lines.iter().map(|line| format!("{line}{received}Subject: {}\n\nx\n\n", line.len())).collect();
    assert_eq!(of_mbox(&mbox), [(Some(AT), DateOrigin::ReceivedField); 2]);
    let mbox: String = lines.iter().map(|line| format!("{line}Subject: {}\n\nx\n\n", line.len())).collect();
    assert_eq!(of_mbox(&mbox), [(Some(1_698_838_396), DateOrigin::MboxLine); 2]);
    assert_eq!(of_mbox("From \nSubject: x\n\nx\n"), [(None, DateOrigin::Archiving)]);
}

/// Mails of 2003 and 2005, and two without a date.
fn filled() -> (Files, Archive, [MessageId; 4]) {
    let (files, archive) = Files::create();
    let heads = ["Date: 1 Mar 2003 10:00 +0000\n", "X: 1\n", "Date: 1 Mar 2005 10:00:00 +0000\n", "X: none\nY: 2\n"];
    let all = heads.map(|head| put_head(&archive, head));
    (files, archive, all)
}

#[test]
fn s4_5_a_mail_without_a_date_comes_last_by_date_and_first_the_other_way_round() {
    let (files, archive, [old, first, new, second]) = filled();
    let newest_first = [new, old, second, first];
    let check = |archive: &Archive| {
        assert_eq!(ids(archive, &Actor::System, &SearchRequest::new("body")), newest_first);
        let mut criteria = SearchCriteria::of_text("body");
        criteria.order = Order { by: OrderKey::Date, reverse: true };
        let reversed = ids(archive, &Actor::System, &SearchRequest::of(criteria));
        assert_eq!(reversed, newest_first.into_iter().rev().collect::<Vec<_>>());
        let (mut paged, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut request = SearchRequest::new("body").limit(1);
            if let Some(cursor) = &cursor {
                request = request.after(cursor);
            }
            let page = system(archive).search(&request).expect("a page");
            paged.extend(page.hits.iter().map(|hit| hit.id));
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, newest_first);
        let all = system(archive).messages_in(&"anna/Inbox".parse().expect("a folder")).map(|info| info.expect("listed"));
        let listed: Vec<_> = all.map(|info| (info.id, info.date.is_some())).collect();
        assert_eq!(listed, [(new, true), (old, true), (second, false), (first, false)]);
    };
    check(&archive);
    archive.close().expect("closed");
    check(&files.open());
    for cache in ["/index/", "/catalog/"] {
        files.paths_with(cache).iter().for_each(|path| files.remove(path));
    }
    check(&files.open());
}

#[test]
fn s2_6_dates_do_not_find_a_mail_without_one_and_its_archiving_does() {
    let (_, archive, [old, first, new, second]) = filled();
    let find = |query: &str| {
        let mut found = ids(&archive, &Actor::System, &SearchRequest::new(query));
        found.sort_unstable();
        found
    };
    assert_eq!(find("after:1900"), [old, new]);
    assert_eq!(find("before:2200"), [old, new]);
    assert_eq!(find("date:1900..2200"), [old, new]);
    assert_eq!(find("date:today"), []);
    assert_eq!(find("body -after:1900"), [first, second]);
    assert_eq!(find("archived:2020..2999"), [old, first, new, second]);
    let mut criteria = SearchCriteria::of_text("body");
    criteria.date = Some(archive_core::DateRange::default());
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(criteria)), [new, old]);
}

#[test]
fn s4_6_mails_without_a_date_are_counted_as_such() {
    let (_, archive, _) = filled();
    let request = SearchRequest::new("body").count_by(&[CountBy::Year, CountBy::Month]);
    let counts = system(&archive).search(&request).expect("an answer").counts;
    let rows = |at: usize| counts[at].rows.iter().map(|(key, count)| (key.as_str(), *count)).collect::<Vec<_>>();
    assert_eq!(rows(0), [("no date", 2), ("2003", 1), ("2005", 1)]);
    assert_eq!(rows(1), [("no date", 2), ("2003-03", 1), ("2005-03", 1)]);
}

#[test]
fn what_nothing_tells_is_the_time_of_archiving_in_the_record_alone() {
    let (_, archive, [_, none, ..]) = filled();
    let record = system(&archive).record(none).expect("a record").info;
    assert_eq!((record.date, record.date_origin), (None, DateOrigin::Archiving));
    assert!(record.archived > 1_600_000_000_000);
}
