//! Labels of a mail service: kept in the record, and found by `label:` (docs/TEXT.md T12, docs/SEARCH.md S2.6).

use archive_core::{Actor, Archive, MessageId, SearchRequest};

use crate::fixture::{Files, ids, put};

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
    let acting = archive.acting_as(Actor::System);
    assert_eq!(acting.record(folded).expect("a record").labels, ["Entw\u{fc}rfe", "Reisen/\u{d6}sterreich", "Kunden, alt", "Starred"]);
    assert_eq!(acting.record(plain).expect("a record").labels, [] as [&str; 0]);
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
    let empty = archive.acting_as(Actor::System).search(&SearchRequest::new("label:\"\""));
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
