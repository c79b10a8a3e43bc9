//! S1 (docs/SEARCH.md) in whole archives: what of a mail's bytes becomes words, in which field, and what is said of the rest.

use archive_core::mail::Why;
use archive_core::{Actor, Archive, Progress, SearchRequest};
use encoding_rs::KOI8_R;

use crate::fixture::{Files, put};

/// The mails, in an archive of their own, that queries find, by their place in the list.
fn check(mails: &[&[u8]], cases: &[(&str, &[usize])]) -> Archive {
    let (_, archive) = Files::create();
    let all: Vec<_> = mails.iter().map(|mail| put(&archive, "anna/Inbox", mail).id()).collect();
    for (query, expected) in cases {
        let found = archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer");
        let mut found: Vec<_> = found.hits.iter().filter_map(|hit| all.iter().position(|id| *id == hit.id)).collect();
        found.sort_unstable();
        assert_eq!(found, *expected, "{query}");
    }
    archive
}

fn undecided(archive: &Archive, query: &str) -> u64 {
    archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer").coverage.undecided
}

#[test]
fn s1_3_a_run_without_blanks_is_found_across_line_ends() {
    check(
        &["\n日本\n語テスト\n".as_bytes(), "Subject: ประเทศไทย\n\nこんにちは世界\n".as_bytes()],
        &[("日本語", &[0]), ("語テ", &[0]), ("本語テス", &[0]), ("語日", &[]), ("เทศไทย", &[1]), ("にちは世", &[1])],
    );
}

#[test]
fn s1_4_text_behind_sixteen_mebibytes_is_counted_as_not_searchable() {
    let mut long = b"Subject: long\n\nfirstword ".to_vec();
    long.extend(b"filler ".repeat((17 << 20) / 7));
    long.extend(b"lastword\n");
    let archive = check(
        &[&long, b"Subject: short\n\nfirstword lastword\n"],
        &[("firstword", &[0, 1]), ("lastword", &[1]), ("firstword -lastword", &[0]), ("subject:long", &[0])],
    );
    for (query, expected) in [("firstword", 0), ("lastword", 1), ("-lastword", 1), ("lastword subject:short", 1), ("lastword OR filler", 0)]
    {
        assert_eq!(undecided(&archive, query), expected, "{query}");
    }
    let session = archive.session(Actor::System);
    assert_eq!(session.stats(&Progress::new()).expect("sums").undecided, 1, "counted");
    let listed: Vec<_> = session.not_searchable().map(|gap| gap.expect("a list")).collect();
    let [gap] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((gap.part, &gap.why), (0, &Why::TooLong), "listed, with the reason");
    assert_eq!(session.message(gap.message).expect("a mail").subject, "long");
    let long = session.search(&SearchRequest::new("filler")).expect("an answer").hits[0].id;
    let verdicts = session.why(long, &SearchRequest::new("firstword lastword")).expect("an answer");
    assert_eq!(verdicts.iter().map(|verdict| verdict.met).collect::<Vec<_>>(), [Some(true), None]);
}

#[test]
fn s1_5_addresses_are_decoded_in_groups_and_in_both_forms_of_a_domain() {
    let mail = "From: =?utf-8?q?J=C3=BCrgen?= <first@b\u{fc}cher.example>\n\
                To: Crew: Ada <ada@x.example>, bob@xn--mnchen-3ya.example;, \"Last, First\" <last@x.example>\n\
                Cc: first@x.example\nCc: second@x.example\nBcc: hidden@x.example\n\nbody\n";
    check(
        &[mail.as_bytes(), b"Sender: ada@x.example\nReply-To: bob@x.example\n\nno field of these\n"],
        &[
            ("from:j\u{fc}rgen", &[0]),
            ("from:b\u{fc}cher", &[0]),
            ("from:xn--bcher-kva", &[0]),
            ("to:ada", &[0]),
            ("to:crew", &[0]),
            ("to:m\u{fc}nchen.example", &[0]),
            ("to:xn--mnchen-3ya", &[0]),
            ("to:\"last first\"", &[0]),
            ("cc:first cc:second", &[0]),
            ("bcc:hidden", &[0]),
            ("to:hidden", &[]),
            ("ada", &[0]),
        ],
    );
}

#[test]
fn s1_5_every_leaf_has_one_field() {
    let part = |head: &str, body: &str| format!("--b\n{head}\n\n{body}\n");
    let mail = "Subject: outer\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned()
        + &part("Content-Type: text/plain", "plainword")
        + &part("Content-Type: text/html", "<p>htmlword</p>")
        + &part("Content-Type: message/delivery-status", "Status: 5.1.1 unknownuser")
        + &part("Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''gr%C3%BC%C3%9Fe.txt", "fileword")
        + &part("Content-Type: text/plain; name=\"=?utf-8?q?na=C3=AFve=2Etxt?=\"", "otherword")
        + &part("Content-Type: message/rfc822", "Subject: innersubject\nFrom: innersender@x.example\n\ninnerword")
        + &part("Content-Type: image/png; name=picture.png", "pngbytes")
        + "--b--\n";
    let cases = [
        ("bcontent", &["plainword", "htmlword", "unknownuser"][..]),
        ("acontent", &["fileword", "otherword", "innersubject", "innersender", "innerword"]),
        ("attachment", &["gr\u{fc}\u{df}e.txt", "na\u{ef}ve.txt", "picture.png"]),
        ("subject", &["outer"]),
    ];
    let mut expected: Vec<(String, &[usize])> = Vec::new();
    for (field, words) in cases {
        for word in words {
            expected.push((word.to_string(), &[0]));
            for named in ["subject", "from", "to", "cc", "bcc", "attachment", "acontent", "bcontent"] {
                expected.push((format!("{named}:{word}"), if named == field { &[0] } else { &[] }));
            }
        }
    }
    expected.push(("pngbytes".to_owned(), &[]));
    let expected: Vec<(&str, &[usize])> = expected.iter().map(|(query, found)| (query.as_str(), *found)).collect();
    let archive = check(&[mail.as_bytes()], &expected);
    assert_eq!(undecided(&archive, "nowhere"), 0, "pictures have no text that could be missed");
}

#[test]
fn s1_6_charsets_are_labels_then_utf8_then_a_guess_that_is_recorded() {
    let with = |label: &str, text: &[u8]| [format!("Content-Type: text/plain{label}\n\n").as_bytes(), text].concat();
    let (russian, _, _) = KOI8_R.encode("Добрый день, уважаемые коллеги! Высылаю вам привет и договор на следующий год.\n");
    let (false_label, _, _) = KOI8_R.encode("ложный\n");
    let mails = [
        // The label's encoding in the WHATWG standard is windows-1252, in which 9A is a letter.
        with("; charset=iso-8859-1", b"na\x9ave\n"),
        with("; charset=us-ascii", "Stra\u{df}e\n".as_bytes()),
        with("; charset=unknown-8bit", "M\u{fc}hle\n".as_bytes()),
        with("", "F\u{fc}\u{df}e\n".as_bytes()),
        with("", &russian),
        with("; charset=koi8_r", &false_label),
        with("; charset=utf-8", "Gr\u{f6}\u{df}e\n".as_bytes()),
    ];
    let mails: Vec<&[u8]> = mails.iter().map(Vec::as_slice).collect();
    let archive = check(
        &mails,
        &[("našve", &[0]), ("straße", &[1]), ("mühle", &[2]), ("füße", &[3]), ("привет", &[4]), ("ложный", &[5]), ("größe", &[6])],
    );
    let session = archive.session(Actor::System);
    let guesses = |query: &str| {
        let id = session.search(&SearchRequest::new(query)).expect("an answer").hits[0].id;
        session.record(id).expect("a record").charset_guesses
    };
    let [(1, guess)] = &guesses("привет")[..] else { panic!("one guess, for the body") };
    assert!(guess.starts_with("KOI8-"), "{guess}, in which the word was found");
    assert_eq!(guesses("füße"), [], "nothing was guessed");
}

#[test]
fn s1_6_html_is_what_a_reader_sees_and_flowed_text_is_joined() {
    let html = "Content-Type: text/html; charset=utf-8\n\n<!-- commentword --><script>var scriptword;</script>\
                <style>.styleword { color: red }</style><template>templateword</template>\
                <p>one</p><p>two</p>three<br>four<table><tr><td>five<td>six</table><ul><li>seven<li>eight</ul>\
                in<b>li</b>ne <span style=\"display:none\">hidden</span> &uuml;ber<img alt=\"alternative text\" title=\"titled\">behind\n";
    let flowed = |more: &str| format!("Content-Type: text/plain; format=flowed{more}\n\nto \ngether\n");
    check(
        &[html.as_bytes(), flowed("; delsp=yes").as_bytes(), flowed("").as_bytes()],
        &[
            ("commentword", &[]),
            ("scriptword", &[]),
            ("styleword", &[]),
            ("templateword", &[]),
            ("span", &[]),
            ("display", &[]),
            ("\"one two three four five six seven eight\"", &[0]),
            ("inline", &[0]),
            ("hidden", &[0]),
            ("über", &[0]),
            ("\"alternative text\"", &[0]),
            ("titled", &[0]),
            ("\"über alternative\"", &[]),
            ("\"text titled\"", &[]),
            ("\"text behind\"", &[]),
            ("together", &[1]),
            ("\"to gether\"", &[2]),
        ],
    );
}
