//! Labels of a mail service: kept in the record, and found by `label:` (docs/TEXT.md T12, docs/SEARCH.md S2.6).

use archive_core::{Actor, Archive, ImportOptions, ImportSource, LabelRule, MessageId, NoEvents, SearchRequest};

use crate::fixture::{Files, folder, ids, put, put_stream};

fn labelled(archive: &Archive, labels: &str) -> MessageId {
    put(archive, "anna/All", format!("From: ada@example.org\nX-Gmail-Labels: {labels}\nSubject: labelled\n\nunder {labels:?}\n")).id()
}

fn found(archive: &Archive, query: &str) -> Vec<MessageId> {
    let mut found = ids(archive, &Actor::System, &SearchRequest::new(query));
    found.sort_unstable();
    found
}

#[test]
fn t12_1_labels_are_kept_in_the_record_and_not_in_the_text() {
    let (files, archive) = Files::create();
    let mail = "X-Gmail-Labels: =?UTF-8?Q?Entw=C3=BCrfe,Rei?=\n =?UTF-8?Q?sen/=C3=96sterreich?=,\"Kunden, alt\"\n\
                X-Gmail-Labels: Starred, Entw\u{fc}rfe\nSubject: folded\n\nbody\n";
    let folded = put(&archive, "anna/All", mail).id();
    let plain = put(&archive, "anna/All", "From: ada@example.org\nSubject: plain\n\nreisen\n").id();
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert_eq!(session.record(folded).expect("a record").labels, ["Entw\u{fc}rfe", "Reisen/\u{d6}sterreich", "Kunden, alt", "Starred"]);
    assert_eq!(session.record(plain).expect("a record").labels, [] as [&str; 0]);
    assert_eq!(found(&archive, "reisen"), [plain], "labels are no words");
    assert_eq!(found(&archive, "label:Reisen/*"), [folded]);
}

#[test]
fn s2_6_label_finds_a_whole_label_in_any_case_with_wildcards() {
    let (_, archive) = Files::create();
    let all = [
        labelled(&archive, "Inbox,My Work"),
        labelled(&archive, "Sent,My Work/Old"),
        labelled(&archive, "\u{dc}bersicht,Unread"),
        labelled(&archive, "\"A, b\",Sent"),
    ];
    for (query, expected) in [
        ("label:inbox", &[0][..]),
        ("LABEL:INBOX", &[0]),
        ("label:in", &[]),
        ("label:\"my work\"", &[0]),
        ("label:\"my work*\"", &[0, 1]),
        ("label:*work*", &[0, 1]),
        ("label:*/old", &[1]),
        ("label:sent -label:\"a, b\"", &[1]),
        ("label:\u{fc}bersicht", &[2]),
        ("label:U\u{308}BERSICHT", &[2]),
        ("label:ubersicht", &[]),
        ("label:inbox OR label:unread", &[0, 2]),
        ("-label:*", &[]),
        ("label:<inbox>", &[]),
        ("\"label:inbox\"", &[]),
    ] {
        assert_eq!(found(&archive, query), expected.iter().map(|at| all[*at]).collect::<Vec<_>>(), "{query}");
    }
    let empty = archive.session(Actor::System).search(&SearchRequest::new("label:\"\""));
    assert!(empty.unwrap_err().to_string().contains("a label"));
}

#[test]
fn s2_6_labels_are_found_after_the_index_is_built_again() {
    let (files, archive) = Files::create();
    let id = labelled(&archive, "=?UTF-8?B?w4RwZmVs?=");
    archive.close().expect("closed");
    files.paths_with("/index/").iter().for_each(|path| files.remove(path));
    files.paths_with("/catalog/").iter().for_each(|path| files.remove(path));
    let archive = files.open();
    assert_eq!(found(&archive, "label:\u{e4}pfel"), [id]);
}

/// An mbox of mails with these labels.
fn takeout(labels: &[&str]) -> String {
    let mail = |(no, labels): (usize, &&str)| {
        let labels = if labels.is_empty() { String::new() } else { format!("X-Gmail-Labels: {labels}\n") };
        format!("From {no}@xxx Mon Mar 03 10:00:00 +0000 2014\n{labels}Subject: mail {no}\n\nn{no}\n\n")
    };
    labels.iter().enumerate().map(mail).collect()
}

#[test]
fn mails_go_into_the_folders_that_their_labels_name() {
    let labels = [
        ("Inbox,Unread", "/Inbox"),
        ("=?UTF-8?Q?Ge=C3=B6ffnet,Posteingang,Kunden?=", "/Posteingang"),
        ("Sent,Projects/Old", "/Sent"),
        ("Sent,Inbox", "/Inbox"),
        ("=?UTF-8?Q?Papierkorb,Gesendet?=", "/Papierkorb"),
        ("Archived,Starred,Drafts", "/Drafts"),
        ("Archived,\"Clients, old\",Second", "/Clients, old"),
        ("Opened,Category Updates,Projects/2004/=?UTF-8?Q?K=C3=B6ln?=", "/Projects/2004/K\u{f6}ln"),
        ("Archived,Important,Category Promotions", ""),
        ("", ""),
    ];
    let source = takeout(&labels.map(|(labels, _)| labels));
    let options = ImportOptions { labels: LabelRule::Folders, into: Some(folder("anna/google")), ..ImportOptions::default() };
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let plan = session.plan(ImportSource::Stream(&mut source.as_bytes(), "all.mbox"), &options, &mut NoEvents).expect("a plan");
    let (report, told) = put_stream(&archive, source.as_bytes(), "all.mbox", &options);
    assert_eq!((report.stored, report.failed), (10, 0));
    for (receipt, (labels, expected)) in told.receipts.iter().zip(labels) {
        let path = session.message(receipt.id()).expect("a message").folder.to_string();
        assert_eq!(path, format!("anna/google{expected}"), "{labels}");
    }
    let filled = session.folders().expect("folders").into_iter().filter(|folder| folder.messages > 0);
    let filled: Vec<_> = filled.map(|folder| (folder.path, folder.messages)).collect();
    let planned: Vec<_> = plan.folders.into_iter().map(|(path, mails, _)| (path, mails)).collect();
    assert_eq!(planned, filled, "a dry run names the same folders");
    let (again, _) = put_stream(&archive, source.as_bytes(), "all.mbox", &options);
    assert_eq!((again.stored, again.duplicate), (0, 10));
}

#[test]
fn without_being_asked_labels_move_no_mail() {
    let (_, archive) = Files::create();
    let options = ImportOptions { into: Some(folder("anna/google")), ..ImportOptions::default() };
    let (_, told) = put_stream(&archive, takeout(&["Inbox", "Sent"]).as_bytes(), "all.mbox", &options);
    for receipt in &told.receipts {
        let message = archive.session(Actor::System).message(receipt.id()).expect("a message");
        assert_eq!(message.folder.to_string(), "anna/google");
    }
}

#[test]
fn labels_of_any_kind_name_folders_within_bounds() {
    let deep = format!("{}end", "a/".repeat(300));
    let long = "x".repeat(5000);
    let odd = ["../../etc".to_owned(), "/".to_owned(), "a//b/".to_owned(), deep, long, "..,Inbox/".to_owned()];
    let source = takeout(&odd.iter().map(String::as_str).collect::<Vec<_>>());
    let options = ImportOptions { labels: LabelRule::Folders, into: Some(folder("anna/google")), ..ImportOptions::default() };
    let (_, archive) = Files::create();
    let (report, told) = put_stream(&archive, source.as_bytes(), "all.mbox", &options);
    assert_eq!((report.stored, report.failed), (6, 0));
    let path = |at: usize| archive.session(Actor::System).message(told.receipts[at].id()).expect("a message").folder;
    assert_eq!(path(1).to_string(), "anna/google");
    assert_eq!(path(2).to_string(), "anna/google/a/b");
    assert_eq!(path(3).names().len(), 128);
    assert!((0..6).all(|at| path(at).is_within(&folder("anna/google"))));
}
