//! Filters on what is known of a message beside its words (docs/SEARCH.md S2.6), notices, what to try where nothing is found, and hits that are
//! shown once (S4.6).

use archive_core::{Actor, Archive, Error, FolderScope, ImportOptions, MessageId, Progress, SearchRequest};

use crate::fixture::{Files, folder, ids, mbox, put, put_stream, user};

fn found(archive: &Archive, actor: &Actor, query: &str) -> Vec<MessageId> {
    let mut found = ids(archive, actor, &SearchRequest::new(query));
    found.sort_unstable();
    found
}

fn notices(archive: &Archive, actor: &Actor, query: &str) -> Vec<String> {
    archive.session(actor.clone()).search(&SearchRequest::new(query)).expect("an answer").notices
}

#[test]
fn s2_6_marks_are_what_the_source_noted() {
    let (files, archive) = Files::create();
    let status = |status: u16, text: &str| format!("X-Mozilla-Status: {status:04x}\nSubject: {text}\n\n{text}\n").into_bytes();
    // Read, nothing, read and flagged, answered; and one mail of which nothing is noted.
    let mails = [status(1, "one"), status(0, "two"), status(5, "three"), status(2, "four"), b"Subject: five\n\nfive\n".to_vec()];
    let options = ImportOptions { into: Some(folder("anna/Inbox")), ..ImportOptions::default() };
    let (_, told) = put_stream(&archive, &mbox(&mails), "marks.mbox", &options);
    let all: Vec<MessageId> = told.receipts.iter().map(|receipt| receipt.id()).collect();
    // Another message with the mail that was read, of which nothing is noted.
    let again = put(&archive, "anna/Other", &mails[0]).id();
    archive.close().expect("closed");
    let archive = files.open();
    for (query, expected) in [
        ("is:read", &[all[0], all[2]][..]),
        ("is:unread", &[all[1], all[3]]),
        ("IS:Flagged", &[all[2]]),
        ("is:answered", &[all[3]]),
        ("one", &[all[0], again]),
        ("one is:read", &[all[0]]),
        ("one -is:read", &[again]),
        ("is:read OR is:answered", &[all[0], all[2], all[3]]),
    ] {
        assert_eq!(found(&archive, &Actor::System, query), expected, "{query}");
    }
    assert!(
        matches!(archive.session(Actor::System).search(&SearchRequest::new("is:new")), Err(Error::Query { range: Some(range), .. }) if range == (3..6))
    );
}

#[test]
fn s2_6_a_message_and_its_thread_are_found_by_its_id_by_whoever_sees_it() {
    let (_, archive) = Files::create();
    let first = put(&archive, "anna/Inbox", "Message-ID: <1@x>\nSubject: first\n\nx\n").id();
    let answer = put(&archive, "bob/Inbox", "Message-ID: <2@x>\nIn-Reply-To: <1@x>\nSubject: answer\n\nx\n").id();
    let other = put(&archive, "anna/Inbox", "Message-ID: <3@x>\nSubject: other\n\nx\n").id();
    let anna = user(&[FolderScope::below("anna")]);
    for (query, of_all, of_anna) in [
        (format!("id:{first}"), vec![first], vec![first]),
        (format!("id:{answer}"), vec![answer], vec![]),
        ("id:7:0 OR id:1:4000000000".to_owned(), vec![], vec![]),
        (format!("thread:{first}"), vec![first, answer], vec![first]),
        (format!("thread:{answer}"), vec![first, answer], vec![]),
        (format!("-thread:{first}"), vec![other], vec![other]),
    ] {
        assert_eq!(found(&archive, &Actor::System, &query), of_all, "{query}");
        assert_eq!(found(&archive, &anna, &query), of_anna, "{query} of anna");
    }
}

#[test]
fn s2_6_types_are_endings_and_media_types_of_attachments_also_after_a_rebuild() {
    let (_, archive) = Files::create();
    let with = |media: &str, name: &str| {
        put(
            &archive,
            "anna/Inbox",
            format!("Subject: x\nContent-Type: {media}\nContent-Disposition: attachment; filename=\"{name}\"\n\nx\n"),
        )
        .id()
    };
    let all = [
        with("application/pdf", "a"),
        with("application/octet-stream", "Plan.PDF"),
        with("image/png", "pdf.txt"),
        with("text/x-c", "a.b.c++"),
    ];
    let expected = [
        ("type:pdf", vec![all[0], all[1]]),
        ("type:.pdf", vec![all[0], all[1]]),
        ("type:application/pdf", vec![all[0]]),
        ("type:Image", vec![all[2]]),
        ("type:image/*", vec![all[2]]),
        ("type:txt", vec![all[2]]),
        ("type:p*", vec![all[0], all[1], all[2]]),
        ("type:c++", vec![]),
        ("filename:plan", vec![all[1]]),
    ];
    for (query, expected) in &expected {
        assert_eq!(found(&archive, &Actor::System, query), *expected, "{query}");
    }
    let session = archive.session(Actor::System);
    session.select_all_store_indexes_for_rebuild().expect("marked");
    session.rebuild_selected_store_indexes(&Progress::new()).expect("built again");
    for (query, expected) in &expected {
        assert_eq!(found(&archive, &Actor::System, query), *expected, "{query} after a rebuild");
    }
}

#[test]
fn s2_6_a_folder_that_is_not_there_is_noticed_with_those_near_that_the_actor_sees() {
    let (_, archive) = Files::create();
    put(&archive, "anna/Inbox", "Subject: one\n\none\n");
    put(&archive, "bob/Inboxes", "Subject: two\n\ntwo\n");
    let anna = user(&[FolderScope::below("anna")]);
    assert_eq!(notices(&archive, &Actor::System, "in:anna/inbx"), ["there is no folder `anna/inbx`; similar: `anna/Inbox`"]);
    assert_eq!(notices(&archive, &Actor::System, "folder:Inboxe"), ["there is no folder `Inboxe`; similar: `anna/Inbox`, `bob/Inboxes`"]);
    assert_eq!(notices(&archive, &anna, "folder:Inboxe"), ["there is no folder `Inboxe`; similar: `anna/Inbox`"]);
    assert_eq!(notices(&archive, &anna, "in:bob/Inboxes"), ["there is no folder `bob/Inboxes`; similar: `anna/Inbox`"]);
    assert_eq!(notices(&archive, &anna, "in:zzz"), ["there is no folder `zzz`"]);
    for query in ["in:anna", "folder:anna/Inbox", "folder:anna"] {
        assert_eq!(notices(&archive, &anna, query), [] as [&str; 0], "{query}");
    }
}

#[test]
fn where_nothing_is_found_the_word_left_open_is_suggested_with_its_number() {
    let (_, archive) = Files::create();
    put(&archive, "anna/Inbox", "Subject: torvalds\n\nx\n");
    put(&archive, "bob/Inbox", "Subject: torvald\n\nx\n");
    let anna = user(&[FolderScope::below("anna")]);
    let completion = |actor: &Actor, query: &str| {
        let found = archive.session(actor.clone()).search(&SearchRequest::new(query).with_suggestions()).expect("an answer");
        found.suggestions.and_then(|tips| tips.completion)
    };
    assert_eq!(completion(&Actor::System, "torv"), Some(("torv*".to_owned(), 2)));
    assert_eq!(completion(&anna, "x subject:torv"), Some(("subject:torv*".to_owned(), 1)));
    assert_eq!(completion(&Actor::System, "torx"), None);
    assert_eq!(completion(&Actor::System, "torvalds bob"), None);
}

#[test]
fn s4_6_hits_are_shown_once_with_their_other_messages() {
    let (_, archive) = Files::create();
    let mail = |day: u8| format!("Date: {day} Jan 2024 10:00:00 +0000\nSubject: word {day}\n\nx\n");
    let a1 = put(&archive, "anna/Inbox", mail(1)).id();
    let a2 = put(&archive, "anna/Sent", mail(1)).id();
    let b = put(&archive, "anna/Inbox", mail(2)).id();
    let a3 = put(&archive, "bob/Inbox", mail(1)).id();
    let ask = |actor: &Actor, request: &SearchRequest| {
        let found = archive.session(actor.clone()).search(&request.clone().once()).expect("an answer");
        let also: Vec<Vec<MessageId>> = found.also.iter().map(|also| also.iter().map(|info| info.id).collect()).collect();
        (found.total, found.contents, found.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), also, found.cursor)
    };
    let request = SearchRequest::new("word");
    assert_eq!(ask(&Actor::System, &request), (4, 2, vec![b, a3], vec![vec![], vec![a2, a1]], None));
    let anna = user(&[FolderScope::below("anna")]);
    assert_eq!(ask(&anna, &request), (3, 2, vec![b, a2], vec![vec![], vec![a1]], None));
    assert_eq!(ask(&Actor::System, &SearchRequest::new("word folder:anna/Inbox")), (2, 2, vec![b, a1], vec![vec![], vec![]], None));
    let (_, _, hits, _, cursor) = ask(&Actor::System, &request.clone().limit(1));
    assert_eq!(hits, [b]);
    let (_, _, hits, also, cursor) = ask(&Actor::System, &request.after(&cursor.expect("more follow")).limit(1));
    assert_eq!((hits, also, cursor), (vec![a3], vec![vec![a2, a1]], None));
}
