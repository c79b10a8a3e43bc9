//! Headers and charsets as mail has them and no standard allows (docs/TEXT.md, T2 to T7), in whole archives: what is shown is what a person
//! would read, it is found, and the bytes stay as they are.

use archive_core::{Actor, Archive, ImportOptions, MessageId, Progress, SearchRequest};

use crate::fixture::{Files, ids, lose, put, put_stream};

fn found(archive: &Archive, query: &str) -> Vec<MessageId> {
    ids(archive, &Actor::System, &SearchRequest::new(query))
}

fn sender(archive: &Archive, id: MessageId) -> (String, String) {
    let from = archive.session(Actor::System).message(id).expect("a message").from;
    from.into_iter().next().map(|from| (from.name, from.address)).unwrap_or_default()
}

fn subject(archive: &Archive, id: MessageId) -> String {
    archive.session(Actor::System).message(id).expect("a message").subject
}

#[test]
fn p12_a_record_has_all_senders_and_receivers_and_lists_have_the_first_three() {
    let (_, archive) = Files::create();
    let many: Vec<String> = (0..9).map(|no| format!("Ada {no} <ada{no}@one.example>")).collect();
    let all = many.join(", ");
    let id = put(&archive, "anna/Inbox", format!("From: {all}\nTo: {all}\nCc: {all}\nSubject: hello\n\nbody\n")).id();
    let session = archive.session(Actor::System);
    let (record, listed) = (session.record(id).expect("a record"), session.message(id).expect("a message"));
    assert_eq!((listed.from.len(), listed.to.len()), (3, 3));
    assert_eq!((record.info.from.len(), record.info.to.len(), record.cc.len()), (9, 9, 9));
    assert!(record.info.to.iter().zip(0..).all(|(to, no)| to.address == format!("ada{no}@one.example")), "{:?}", record.info.to);
}

#[test]
fn p12_senders_are_shown_and_found_however_they_are_written() {
    let (_, archive) = Files::create();
    for (lead, name, address, query) in [
        (">From: Ada Bird <ada@one.example>\n", "Ada Bird", "ada@one.example", "from:ada@one.example"),
        (">From ada@two.example Mon Mar  3 10:00:00 2014\nFrom: Ada <ada@two.example>\n", "Ada", "ada@two.example", "from:two.example"),
        ("\n\nFrom: Ada <ada@three.example>\n", "Ada", "ada@three.example", "from:three.example"),
        ("From: ada at four.example (Ada Bird)\n", "Ada Bird", "ada@four.example", "from:ada@four.example"),
        ("From: John Smith, Jr <john@five.example>\n", "John Smith, Jr", "john@five.example", "from:\"john smith jr\""),
        ("From: =?utf-8?Q?Ada_=3Cada=40six=2Eexample=3E?=\n", "Ada", "ada@six.example", "from:ada@six.example"),
        ("From: \"Ada\" <mailto:ada@seven.example>\n", "Ada", "ada@seven.example", "from:ada@seven.example -from:mailto"),
    ] {
        let mail = format!("{lead}Subject: hello\n\nbody\n");
        let id = put(&archive, "anna/Inbox", &mail).id();
        assert_eq!(sender(&archive, id), (name.to_owned(), address.to_owned()), "{lead}");
        assert_eq!(subject(&archive, id), "hello", "{lead}");
        assert_eq!(found(&archive, query), [id], "{query}");
        assert_eq!(archive.session(Actor::System).raw(id).expect("bytes"), mail.as_bytes(), "{lead}");
    }
}

#[test]
fn p12_a_mailbox_with_quoted_names_and_blank_lines_gives_all_mails() {
    let (_, archive) = Files::create();
    let mail = |lead: &str, no: u32| format!("From ada@example.org Mon Mar  3 10:00:00 2014\n{lead}Subject: mail {no}\n\nbody {no}\n\n");
    let mbox =
        [mail(">From: Ada <ada@example.org>\n", 1), mail(">From: Ada <ada@example.org>\n", 2), mail("\nFrom: Ada <ada@example.org>\n", 3)];
    let (report, told) = put_stream(&archive, mbox.concat().as_bytes(), "old.mbox", &ImportOptions::default());
    assert_eq!((report.stored, told.receipts.len()), (3, 3));
    for (receipt, no) in told.receipts.iter().zip(1..) {
        assert_eq!(subject(&archive, receipt.id()), format!("mail {no}"));
        assert_eq!(sender(&archive, receipt.id()), ("Ada".to_owned(), "ada@example.org".to_owned()));
    }
    assert_eq!(found(&archive, "from:ada").len(), 3);
}

#[test]
fn p12_subjects_are_shown_and_found_as_a_person_reads_them() {
    let (_, archive) = Files::create();
    for (written, shown, query) in [
        ("=?ISO-2022-JP?B?GyRCMnE1RCROGyhC?=\n =?ISO-2022-JP?B?GyRCNUQ7dk8/GyhC?=", "会議の議事録", "subject:会議の議事録"),
        ("=?utf-8?q?What?_Is_it?_ja?=", "What? Is it? ja", "subject:\"what is it ja\""),
        ("=?UTF-8?Q?Grü=C3=9Fe?= eins", "Grüße eins", "subject:\"grüße eins\""),
        ("=?utf-8?B?w5xidW5n", "Übung", "subject:übung"),
        ("=?cp437?q?=9Aberblick?=", "Überblick", "subject:überblick"),
        ("=?utf-8?q?Stra=DFe?=", "Straße", "subject:straße"),
        ("=?iso-8859-1?q?K=C3=B6ln?=", "Köln", "subject:köln"),
        ("folded\n\tonce", "folded once", "subject:\"folded once\""),
    ] {
        let id = put(&archive, "anna/Inbox", format!("From: a@example.org\nSubject: {written}\n\nbody\n")).id();
        assert_eq!(subject(&archive, id), shown, "{written}");
        assert_eq!(found(&archive, query), [id], "{query}");
    }
}

#[test]
fn p04_text_under_a_false_label_is_found_also_after_the_index_was_made_again() {
    let (files, archive) = Files::create();
    let mail = |label: &str, body: &[u8]| [format!("Content-Type: text/plain; charset={label}\n\n").as_bytes(), body].concat();
    let cases: [(&str, &[u8], &str); 8] = [
        ("iso-8859-1", "Überweisung Straße".as_bytes(), "überweisung"),
        ("utf-8", b"Vertrag f\xfcr M\xfcnchen und K\xf6ln", "münchen"),
        ("cp850", b"Gr\x94\xe1enordnung", "größenordnung"),
        ("dos-720", b"\xab\xe9\x9f\xea", "سلام"),
        ("x-mac-ce", b"\xeblu\xe9ou\x8bk\xf9", "žluťoučký"),
        ("iso-2022-kr", b"\x1b$)C\x0e>H3gGO<<?d\x0f", "안녕하세요"),
        ("hz-gb-2312", b"~{;aRi<MR*~}", "会议纪要"),
        ("iso-2022-jp", b"\x1b$B2q5D\x1b(B\x1b$B$N\x1b(B\x1b(B", "会議の"),
    ];
    let all: Vec<MessageId> = cases.iter().map(|(label, body, _)| put(&archive, "anna/Inbox", mail(label, body)).id()).collect();
    let check = |archive: &Archive| {
        for ((label, _, query), id) in cases.iter().zip(&all) {
            assert_eq!(found(archive, query), [*id], "{label}");
        }
    };
    check(&archive);
    let session = archive.session(Actor::System);
    assert_eq!(session.record(all[0]).expect("a record").charset_guesses, [(1, "UTF-8".to_owned())]);
    assert_eq!(session.record(all[1]).expect("a record").charset_guesses, [(1, "windows-1252".to_owned())]);
    assert_eq!(session.stats(&Progress::new()).expect("sums").undecided, 0);
    put(&archive, "anna/Inbox", mail("viscii", b"Ti\xaang"));
    assert_eq!(session.stats(&Progress::new()).expect("sums").undecided, 1, "a charset without decoder is counted");
    drop(session);
    archive.close().expect("closed");
    lose(&files, &["index"]);
    check(&files.open());
}

#[test]
fn p12_names_of_files_are_found_as_a_person_reads_them() {
    let (_, archive) = Files::create();
    for (parameters, query) in [
        ("filename=\"Gr%C3%BC%C3%9Fe.pdf\"", "attachment:grüße.pdf"),
        ("filename*1=\"part one \"; filename*2=\"two.pdf\"", "attachment:\"part one two.pdf\""),
        ("filename=\"=?UTF-8?Q?=C3=9Cbersicht.pdf\"", "attachment:übersicht.pdf"),
        ("filename=\"plan\n\t2014.pdf\"", "attachment:\"plan 2014.pdf\""),
        ("filename=\"=?iso-2022-jp?B?GyRCMnE1RCROGyhC?= =?iso-2022-jp?B?GyRCNUQ7dk8/GyhC?=\"", "attachment:会議の議事録"),
    ] {
        let mail = format!("Content-Type: application/pdf\nContent-Disposition: attachment; {parameters}\n\nx\n");
        let id = put(&archive, "anna/Inbox", mail).id();
        assert_eq!(found(&archive, query), [id], "{query}");
    }
}
