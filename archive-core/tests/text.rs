//! The rules of docs/TEXT.md, through the public door. A test's name begins with the rule's number.
//!
//! With `MAILKEEP_CORPORA` set to a folder of real mail, all of it is read too.

use archive_core::mail::text::{AddressKind, Field, MailText, TextReader, Why, extract};
use proptest::prelude::*;

fn text(mail: &[u8]) -> MailText {
    let whole = extract(mail, &[]);
    for piece in [1, 7] {
        let mut reader = TextReader::new(&[]);
        mail.chunks(piece).for_each(|bytes| reader.push(bytes));
        assert_eq!(reader.finish(), whole, "pieces of {piece} change nothing");
    }
    whole
}

/// `field: words`, one string a value.
fn values(mail: &str) -> Vec<String> {
    shown(&text(mail.as_bytes()))
}

fn shown(text: &MailText) -> Vec<String> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = text.values.iter().map(|value| format!("{}: {}", value.field.name(), words(&value.text)));
    shown.filter(|shown| !shown.ends_with(": ")).collect()
}

fn why(mail: &[u8]) -> Vec<(u32, Why)> {
    text(mail).unsearchable.into_iter().map(|entry| (entry.entity, entry.why)).collect()
}

#[test]
fn t1_1_fields_have_stable_numbers() {
    let numbered: Vec<_> = Field::ALL.iter().map(|field| (field.number(), field.name())).collect();
    let expected = ["subject", "from", "to", "cc", "bcc", "attachment", "acontent", "bcontent"];
    assert_eq!(numbered, (1..).zip(expected).collect::<Vec<_>>());
}

#[test]
fn t1_2_values_come_in_the_order_of_the_fields() {
    let mail = "Bcc: b@x\nTo: A <a@x>\nSubject: one\nCc: c@x\nFrom: f@x\nsubject: two\nContent-Type: text/plain; name=n.txt\n\nbody";
    let expected =
        ["subject: one", "subject: two", "from: f@x", "to: A", "to: a@x", "cc: c@x", "bcc: b@x", "attachment: n.txt", "acontent: body"];
    assert_eq!(values(mail), expected);
}

#[test]
fn t1_3_names_and_addresses_are_marked() {
    let kinds: Vec<_> = text(b"From: A <a@x>\n\n").values.into_iter().map(|value| value.kind).collect();
    assert_eq!(kinds, [Some(AddressKind::Name), Some(AddressKind::Address)]);
}

#[test]
fn t1_4_below_a_nested_mail_all_is_acontent() {
    let mail = "Content-Type: message/rfc822; name=fwd.eml\n\nSubject: s\nFrom: f@x\n\
                Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: image/png; name=p.png\n\n\n--b--\n";
    assert_eq!(values(mail), ["attachment: fwd.eml", "acontent: s", "acontent: f@x", "acontent: hello", "acontent: p.png"]);
}

#[test]
fn t2_1_lines_end_with_lf_or_crlf() {
    assert_eq!(values("Subject: a\r\n\r\nb"), ["subject: a", "bcontent: b"]);
    assert_eq!(values("Subject: a\rTo: b\n\nc"), ["subject: a To: b", "bcontent: c"]);
}

#[test]
fn t2_2_a_mark_and_a_from_line_are_skipped() {
    assert_eq!(values("\u{feff}From x y\nSubject: a\n\nb"), ["subject: a", "bcontent: b"]);
    assert_eq!(values(">From x\nSubject: a\n\n"), ["subject: a"]);
    assert_eq!(values("Content-Type: message/rfc822\n\nFrom x\nSubject: a\n\n"), ["acontent: a"]);
    assert_eq!(values("Subject: a\nFrom x\nTo: b\n\n"), ["subject: a", "to: b"]);
}

#[test]
fn t2_2_blank_lines_before_a_header_are_passed_over() {
    for lead in ["\n", "\r\n\r\n", " \n\t\n\n", "From x y\n\n", "\n>From x y\n\n\n", "\u{feff}\nFrom x y\n"] {
        assert_eq!(values(&format!("{lead}Subject : a\nTo: b\n\nc")), ["subject: a", "to: b", "bcontent: c"], "{lead:?}");
        let nested = format!("Content-Type: message/rfc822\n\n{}>From: a\n\nb", lead.trim_start_matches('\u{feff}'));
        assert_eq!(values(&nested), ["acontent: a", "acontent: b"], "{lead:?}");
    }
    assert_eq!(values("\rSubject: a\r\rb"), ["subject: a", "bcontent: b"]);
    for text in ["Hi: all", "http://example.org/", "no field", " Subject: a", "--b"] {
        assert_eq!(values(&format!("\n{text}\n\nc")), [format!("bcontent: {} c", text.trim())], "{text}");
    }
    let blank = |lines: usize| values(&format!("{}Subject: a\n\nb", "\n".repeat(lines)));
    assert_eq!(blank(1024), ["subject: a", "bcontent: b"]);
    assert_eq!(blank(1025), ["bcontent: Subject: a b"]);
    assert_eq!(values("\n\n"), Vec::<String>::new());
}

#[test]
fn t2_5_a_name_that_was_quoted_is_that_name() {
    assert_eq!(values(">From: Ada <a@x>\nSubject: s\n\n"), ["subject: s", "from: Ada", "from: a@x"]);
    assert_eq!(values("To: b\n>>from : c\n>: d\n> To: e\n\n"), ["from: c", "to: b"]);
}

#[test]
fn t2_3_a_body_part_begins_with_its_header() {
    assert_eq!(values("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nc: d\n--b--"), ["bcontent: c: d"]);
}

#[test]
fn t2_4_header_blocks_end_at_empty_lines_delimiters_and_the_end() {
    let mail =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png; name=x\n--b\n\nc\n--b\nContent-Type: a/b; name=y";
    assert_eq!(values(mail), ["attachment: x", "bcontent: c", "attachment: y"]);
    let long = format!("Subject: a\nX: {}\nTo: lost\n\nbody", "x".repeat(262_144));
    assert_eq!(values(&long), ["subject: a", "bcontent: body"]);
    assert_eq!(why(long.as_bytes()), [(0, Why::HeaderTooLong)]);
}

#[test]
fn t2_6_the_first_content_field_counts_and_the_default_types() {
    assert_eq!(values("Content-Type: text/html\nContent-Type: text/plain\n\n<b>x"), ["bcontent: x"]);
    for default in ["", "Content-Type: nonsense\n", "Content-Type: /x\n", "Content-Type: x/\n"] {
        assert_eq!(values(&format!("{default}\n<b>x")), ["bcontent: <b>x"]);
    }
    let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--";
    assert_eq!(values(digest), ["acontent: s", "acontent: x", "bcontent: y"]);
}

#[test]
fn t2_7_delimiters() {
    let mail = "Content-Type: multipart/mixed; boundary=\"b \"\n\npreamble\n--bb\n--b \t\r\n\none\n --b\n--b-\n--b --\n--b--\n\nepilogue\n--b\n\nno\n";
    assert_eq!(values(mail), ["bcontent: one --b --b- --b --"]);
    let nested = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bc\n\n--bc\n\none\n--b\n\ntwo\n--bc\n--b--";
    assert_eq!(values(nested), ["bcontent: one", "bcontent: two --bc"]);
    let same =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\nx\n--b\n\ntwo";
    assert_eq!(values(same), ["bcontent: one", "bcontent: two"]);
}

#[test]
fn t2_7_multiparts_whose_parts_cannot_be_told_are_text() {
    assert_eq!(values("Content-Type: multipart/mixed\n\n--x\na"), ["bcontent: --x a"]);
    assert_eq!(values("Content-Type: multipart/mixed; boundary=y\nContent-Transfer-Encoding: base64\n\n--x\na"), ["bcontent: --x a"]);
    assert_eq!(values("Content-Type: multipart/mixed; boundary=y\n\nx\n--y--"), Vec::<String>::new());
}

#[test]
fn t2_8_nested_mails_in_an_encoding() {
    let outer = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n\
                 U3ViamVjdDogaGVsbG8KCi0tYgpib2R5Cg==\n--b\n\nafter\n--b--\n";
    assert_eq!(values(outer), ["acontent: hello", "acontent: --b body", "bcontent: after"]);
    assert_eq!(
        values("Content-Type: message/global\nContent-Transfer-Encoding: quoted-printable\n\nSubject: a=\nb\n\n=63"),
        ["acontent: ab", "acontent: c"]
    );
}

#[test]
fn t2_10_numbers_run_in_document_order_through_nested_mails() {
    let part = |what: &str| format!("--b\nContent-Type: {what}\n");
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}\n{}Content-Transfer-Encoding: base64\n\nQ29udGVudC1UeXBlOiB4L3kKCg==\n{}\n",
        part("x/a"),
        part("message/rfc822"),
        part("x/z"),
    );
    let off = |number, what: &str| (number, Why::TypeOff(what.to_owned()));
    assert_eq!(why(mail.as_bytes()), [off(1, "x/a"), off(3, "x/y"), off(4, "x/z")]);
}

#[test]
fn t2_11_depth_and_number_are_limited() {
    let mut deep = String::new();
    for _ in 0..100 {
        deep.push_str("Content-Type: message/rfc822\n\n");
    }
    deep.push_str("Subject: deepest\n\n");
    assert_eq!(why(deep.as_bytes()), [(64, Why::TooDeep)]);
    let mut many = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned();
    for number in 1..10_100 {
        many.push_str(&format!("--b\n\nx{number}\n"));
    }
    let text = extract(many.as_bytes(), &[]);
    assert_eq!(shown(&text).last().map(String::as_str), Some("bcontent: x9999"));
    assert_eq!(text.unsearchable.iter().map(|entry| (entry.entity, &entry.why)).collect::<Vec<_>>(), [(9999, &Why::TooManyParts)]);
}

#[test]
fn t3_1_raw_header_bytes() {
    assert_eq!(shown(&text("Subject: Grüße\n\n".as_bytes())), ["subject: Grüße"]);
    let found = text(b"Subject: Gr\xfc\xdfe aus K\xf6ln\nTo: J\xf6rg <j@x>\n\n");
    assert_eq!(shown(&found), ["subject: Grüße aus Köln", "to: Jörg", "to: j@x"]);
    assert_eq!(found.guesses.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0]);
}

#[test]
fn t3_1_a_tab_is_a_blank() {
    let found = text(b"Subject: one\n\ttwo\nContent-Disposition: attachment; filename=\"plan\n\t2014.pdf\"\n\n");
    assert_eq!(found.values.iter().map(|value| value.text.as_str()).collect::<Vec<_>>(), ["one two", "plan 2014.pdf"]);
}

#[test]
fn t3_2_words_that_no_rule_allows_are_read() {
    assert_eq!(values("Subject: =?utf-8?q?What?_Is_it?_ja?=\n\n"), ["subject: What? Is it? ja"]);
    assert_eq!(values("Subject: =?UTF-8?Q?Grü=C3=9Fe?=\n\n"), ["subject: Grüße"]);
    assert_eq!(values("Subject: =?utf-8?B?w5xidW5n\nFrom: =?utf-8?q?J=C3=BC <j@x>\n\n"), ["subject: Übung", "from: Jü", "from: j@x"]);
}

#[test]
fn t3_4_words_in_a_row_are_decoded_as_one_or_alone() {
    let split = "Subject: =?iso-2022-jp?B?GyRCMnE1RCROGyhC?=\n =?ISO-2022-JP?B?GyRCNUQ7dk8/GyhC?=\n\n";
    assert_eq!(values(split), ["subject: 会議の議事録"]);
}

#[test]
fn t4_1_only_five_fields_of_messages_are_used() {
    assert_eq!(values("Sender: a@x\nReply-To: b@x\nResent-To: c@x\nTO: d@x\nto: e@x\n\n"), ["to: d@x", "to: e@x"]);
    assert_eq!(values("Content-Type: multipart/mixed; boundary=b\n\n--b\nSubject: no\n\nx\n--b--"), ["bcontent: x"]);
}

#[test]
fn t4_2_subjects_are_decoded() {
    assert_eq!(values("Subject: =?utf-8?q?=C3?=\n =?utf-8?q?=BC?= x\n\n"), ["subject: ü x"]);
}

#[test]
fn t5_9_boundaries_and_charsets_in_the_forms_of_rfc_2231() {
    let parts = "--=a b\n\none\n--=a b\nContent-Type: text/plain; name=a.txt; charset*=us-ascii'en'utf-7\n\n+BEYlbA-\n--=a b--\n";
    let found = ["bcontent: one", "attachment: a.txt", "acontent: ц╬"];
    for good in [
        "boundary*=us-ascii''%3Da%20b",
        "boundary*0*=us-ascii'en'%3Da; boundary*1=\" b\"",
        "boundary*1*=%20b; boundary*0=\"=a\"; boundary*3=lost",
        "boundary*0=\"=a b\"; boundary*0=x",
        "boundary*=%3Da%20b; boundary*0=x",
        "boundary=\"=a b\"; boundary*=x",
    ] {
        assert_eq!(values(&format!("Content-Type: multipart/mixed; {good}\n\n{parts}")), found, "{good}");
    }
    for bad in ["boundary*1=b", "boundary*0=", "boundary**=b", "xboundary*=b"] {
        assert_eq!(values(&format!("Content-Type: multipart/mixed; {bad}\n\n--b\n\nx")), ["bcontent: --b x"], "{bad}");
    }
}

#[test]
fn t4_4_addresses_of_archives_of_lists() {
    assert_eq!(values("From: ada at x.example (Ada Bird)\nTo: <mailto:b@x>\n\n"), ["from: ada@x.example", "from: Ada Bird", "to: b@x"]);
}

#[test]
fn t4_7_an_address_inside_an_encoded_word() {
    assert_eq!(values("From: =?utf-8?Q?Ada_=3Ca=40x.example=3E?=\n\n"), ["from: Ada", "from: a@x.example"]);
}

#[test]
fn t4_8_only_of_a_sender_is_a_comma_in_the_name() {
    assert_eq!(
        values("From: Smith, Jo <a@x>\nTo: Smith, Jo <a@x>\n\n"),
        ["from: Smith, Jo", "from: a@x", "to: Smith", "to: Jo", "to: a@x"]
    );
}

#[test]
fn t5_5_names_with_the_escapes_of_urls() {
    assert_eq!(values("Content-Type: image/png; name=\"Gr%C3%BC.png\"\n\n"), ["attachment: Gr%C3%BC.png", "attachment: Grü.png"]);
}

#[test]
fn t5_7_segments_from_any_number_on() {
    assert_eq!(values("Content-Type: image/png; name*2=b.png; name*1=a\n\n"), ["attachment: ab.png"]);
    assert_eq!(values("Content-Type: image/png; name*4294967295=a; name*4294967296=b\n\n"), ["attachment: ab"]);
}

#[test]
fn t7_10_labels_that_lie_are_guessed_and_recorded() {
    let mail = "Content-Type: text/plain; charset=iso-8859-1\n\nÜberweisung Köln".as_bytes();
    assert_eq!(shown(&text(mail)), ["bcontent: Überweisung Köln"]);
    assert_eq!(text(mail).guesses, [(1, "UTF-8".to_owned())]);
    assert_eq!(shown(&extract(mail, &[(1, "windows-1252".to_owned())])), ["bcontent: Ãœberweisung KÃ¶ln"], "the record counts");
    let mail = b"Content-Type: text/plain; charset=utf-8\nSubject: =?utf-8?q?K=F6ln?=\n\n\xdcberweisung aus K\xf6ln";
    assert_eq!(shown(&text(mail)), ["subject: Köln", "bcontent: Überweisung aus Köln"]);
    assert_eq!(text(mail).guesses, [(1, "windows-1252".to_owned())]);
}

#[test]
fn t5_8_equal_names_count_once_and_multiparts_have_none() {
    let mail = "Content-Disposition: inline; filename=a.png; filename*=utf-8''a.png\nContent-Type: image/png; name=b.png\n\n";
    assert_eq!(values(mail), ["attachment: a.png", "attachment: b.png"]);
    assert_eq!(values("Content-Type: multipart/mixed; name=n; boundary=b\n\n--b--"), Vec::<String>::new());
}

#[test]
fn t7_5_a_recorded_guess_counts() {
    let mail = b"Subject: \xd0\xd2\n\n\xd0\xd2\xc9\xd7\xc5\xd4";
    let recorded = [(0, "windows-1252".to_owned()), (1, "KOI8-R".to_owned())];
    let found = extract(mail, &recorded);
    assert_eq!(shown(&found), ["subject: ÐÒ", "bcontent: привет"]);
    assert_eq!(found.guesses, recorded);
}

#[test]
fn t7_1_an_escape_that_another_follows_is_no_character() {
    let (first, second) = ("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "=?iso-2022-jp?B?GyRCOGwbKEI=?=");
    assert_eq!(values(&format!("Subject: {first}\n {second}\n\n")), ["subject: 日本語"]);
    for body in ["\x1b$BF|K\\\x1b(B\x1b$B8l\x1b(B", "\x1b(B\x1b$BF|K\\\x1b(J\x1b(B\x1b$B8l\x1b(B"] {
        assert_eq!(values(&format!("Content-Type: text/plain; charset=iso-2022-jp\n\n{body}")), ["bcontent: 日本語"]);
        assert_eq!(values(&format!("\n{body}")), ["bcontent: 日本語"]);
    }
}

#[test]
fn t7_2_a_charset_without_decoder_is_not_searchable() {
    assert_eq!(why(b"Content-Type: text/plain; charset=VISCII\n\nTi\xaang"), [(0, Why::Charset("VISCII".to_owned()))]);
    assert_eq!(why(b"Content-Type: text/plain; charset=iso-2022-cn\n\n\x1b$)A\x0e=;"), [(0, Why::Charset("iso-2022-cn".to_owned()))]);
    assert_eq!(values("Content-Type: text/plain; charset=viscii\n\nplain"), ["bcontent: plain"]);
}

#[test]
fn t8_1_types() {
    for plain in ["text/x-diff", "text/calendar", "message/delivery-status", "message/feedback-report", "text/rfc822-headers"] {
        assert_eq!(values(&format!("Content-Type: {plain}\n\nx <b>")), ["bcontent: x <b>"], "{plain}");
    }
    for silent in ["image/png", "audio/x", "video/x", "application/pgp-signature"] {
        assert_eq!(text(format!("Content-Type: {silent}\n\nx").as_bytes()), MailText::default(), "{silent}");
    }
    for off in ["text/rtf", "application/pdf", "message/partial", "x/y"] {
        assert_eq!(why(format!("Content-Type: {off}\n\nx").as_bytes()), [(0, Why::TypeOff(off.to_owned()))]);
    }
    let pgp = "Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\n\n--b\nContent-Type: application/octet-stream\n\n\n--b--";
    assert_eq!(why(pgp.as_bytes()), [(2, Why::Encrypted)]);
}

/// A part of a mail without text, so that its numbers are 0 and 1.
fn part(head: &str, body: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{head}\n\n{body}\n--b--\n")
}

#[test]
fn t5_2_t5_3_content_types_written_badly_are_read_all_the_same() {
    let bodies = "--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n\
                  --b\nContent-Type: application/pdf; name=a.pdf\n\n\n--b--\n";
    for good in [
        "multipart/mixed boundary=b",
        "multipart/mixed boundary=\"b\"",
        "multipart/multipart/mixed; boundary=b",
        "\"multipart/mixed\"; boundary=b",
        "\"multipart/mixed; boundary=b",
        "multipart/mixed/; boundary=b",
        "multipart; boundary=b",
        "multipart/mixed, boundary=b",
        "multipart/mixed\n\tboundary=b",
        "multipart/mixed; charset=utf-8 boundary=b",
        "multipart/mixed; boundary=b charset=utf-8",
        "multipart/mixed; type=\"text/html\" boundary=\"b\"",
        "multipart/mixed; boundary=b;; charset=us-ascii",
        "multipart/mixed (mixed; or not); boundary=b",
        "multipart/mixed; format flowed boundary=b",
    ] {
        let found = values(&format!("Content-Type: {good}\n\n{bodies}"));
        assert_eq!(found, ["bcontent: Gr\u{fc}\u{df}e", "attachment: a.pdf"], "{good}");
    }
    let named = "Content-Type: application/pdf name=\"a b.pdf\"\nContent-Disposition: attachment filename=a b.pdf\n\n";
    assert_eq!(values(named), ["attachment: a b.pdf"]);
    assert_eq!(values("Content-Type: text/html charset=utf-8\nContent-Transfer-Encoding: base64, x\n\nPGI+eA=="), ["bcontent: x"]);
}

#[test]
fn t6_3_base64_in_pieces_is_one_text() {
    let mail = "Content-Transfer-Encoding: base64\n\nMDEyMzQ1Njc4OQ==\nYWJjZGVmZ2hpag==\n";
    assert_eq!(values(mail), ["bcontent: 0123456789abcdefghij"]);
    let footer = "Content-Transfer-Encoding: base64\n\nMDEyMzQ1Njc4OQ==\n\n_____\nA list of words\n";
    assert_eq!(values(footer), ["bcontent: 0123456789"]);
    assert_eq!(values("Subject: =?utf-8?B?YQ==YmM=?=\n\n"), ["subject: abc"]);
}

#[test]
fn t8_7_types_that_say_nothing_are_read_by_the_ending_of_the_name() {
    for (head, expected) in [
        ("application/octet-stream; name=a.txt", &["attachment: a.txt", "acontent: <b>x</b>"][..]),
        ("application/octet-stream; name=\"a.b.CSV \"", &["attachment: a.b.CSV", "acontent: <b>x</b>"]),
        ("application/octet-stream; name=a.htm", &["attachment: a.htm", "acontent: x"]),
        ("application/x-download; name=\"=?utf-8?b?w7wubG9n?=\"", &["attachment: \u{fc}.log", "acontent: <b>x</b>"]),
        ("application/unknown; name*=utf-8''%c3%bc%2eics", &["attachment: \u{fc}.ics", "acontent: <b>x</b>"]),
        ("application/octet-stream\nContent-Disposition: attachment; filename=a.json", &["attachment: a.json", "acontent: <b>x</b>"]),
    ] {
        let mail = part(&format!("Content-Type: {head}"), "<b>x</b>");
        assert_eq!(values(&mail), expected, "{head}");
        assert_eq!(why(mail.as_bytes()), [], "{head}");
    }
    for name in ["", "; name=txt", "; name=a.bin", "; name=a.txt.gz", "; name=a.txt.", "; name=a.doc"] {
        let mail = part(&format!("Content-Type: application/octet-stream{name}"), "x");
        assert_eq!(why(mail.as_bytes()), [(1, Why::TypeOff("application/octet-stream".to_owned()))], "{name}");
    }
    assert_eq!(why(b"Content-Type: application/octet-stream; name=smime.p7s\n\nx"), []);
}

#[test]
fn t8_7_a_mail_sent_as_a_file_is_a_nested_mail() {
    for (encoding, body) in
        [("7bit", "Subject: in\n\ninner\n"), ("base64", "U3ViamVjdDogaW4KCmlubmVyCg=="), ("quoted-printable", "Subject: in\n\nin=\nner")]
    {
        let head = format!("Content-Type: application/octet-stream; name=a.eml\nContent-Transfer-Encoding: {encoding}");
        let mail = part(&head, body);
        assert_eq!(values(&mail), ["attachment: a.eml", "acontent: in", "acontent: inner"], "{encoding}");
    }
    // Its entities are numbered; boundaries of the outside end it, and do not count in it.
    let inner = "Content-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: x/y\n\n\n--i--\n";
    let mail = part("Content-Type: application/octet-stream; name=a.eml", inner).replace("--b--", "--b\nContent-Type: x/z\n\n\n--b--");
    let off = |number, what: &str| (number, Why::TypeOff(what.to_owned()));
    assert_eq!(why(mail.as_bytes()), [off(3, "x/y"), off(4, "x/z")]);
}

/// The beginning of what S/MIME wraps, with this content type.
fn cms(length: &[u8], oid: &[u8]) -> Vec<u8> {
    [b"\x30", length, b"\x06", &[oid.len() as u8], oid, b"\xa0\x80\x30\x80\x02\x01\x01"].concat()
}

#[test]
fn t8_8_signed_is_not_encrypted() {
    const SIGNED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    const ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    const AUTH_ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";
    const COMPRESSED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09";
    let said =
        |head: &str, body: &[u8]| why(&[head.as_bytes(), b"\n\n", body].concat()).into_iter().map(|(_, why)| why).collect::<Vec<_>>();
    for media in ["application/pkcs7-mime", "application/x-pkcs7-mime"] {
        let head = |more: &str| format!("Content-Type: {media}{more}");
        let off = Why::TypeOff(media.to_owned());
        assert_eq!(said(&head("; smime-type=Signed-Data; name=smime.p7m"), b"?"), [Why::Signed]);
        assert_eq!(said(&head(" smime-type=\"signed-data\""), b""), [Why::Signed]);
        assert_eq!(said(&head("; smime-type=enveloped-data"), b"?"), [Why::Encrypted]);
        assert_eq!(said(&head("; smime-type=compressed-data"), b"?"), std::slice::from_ref(&off));
        assert_eq!(said(&head("; smime-type=certs-only"), &cms(b"\x20", SIGNED)), []);
        assert_eq!(said(&head(""), b"?"), [Why::Encrypted]);
        for length in [&b"\x20"[..], b"\x80", b"\x81\x90", b"\x82\x06\x56", b"\x84\x00\x01\x00\x00"] {
            assert_eq!(said(&head("; name=smime.p7m"), &cms(length, SIGNED)), [Why::Signed], "{length:?}");
            assert_eq!(said(&head("; name=smime.p7m"), &cms(length, ENVELOPED)), [Why::Encrypted]);
            assert_eq!(said(&head(""), &cms(length, AUTH_ENVELOPED)), [Why::Encrypted]);
            assert_eq!(said(&head(""), &cms(length, COMPRESSED)), std::slice::from_ref(&off));
        }
    }
    let encoded = "Content-Type: application/octet-stream; name=smime.p7m\nContent-Transfer-Encoding: base64";
    assert_eq!(said(encoded, b"MIIGVgYJKoZIhvcNAQcCoIIGRzCC"), [Why::Signed]);
    assert_eq!(said(encoded, b"MIAGCSqGSIb3DQEHA6CAMIA="), [Why::Encrypted]);
    assert_eq!(Why::Signed.to_string(), "signed, content inside");
}

#[test]
fn t8_2_attachments() {
    assert_eq!(values("Content-Disposition: attachment\n\nx"), ["acontent: x"]);
    assert_eq!(values("Content-Disposition: inline; filename=n\n\nx"), ["attachment: n", "acontent: x"]);
    let both = "Content-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n--b--";
    assert_eq!(values(both), ["bcontent: one", "bcontent: two"]);
}

#[test]
fn t8_4_flowed_text_is_joined() {
    assert_eq!(values("Content-Type: text/plain; format=flowed; DelSp=Yes\n\nWo \nrt"), ["bcontent: Wort"]);
    assert_eq!(values("Content-Type: text/plain; format=flowed\n\nWo \nrt"), ["bcontent: Wo rt"]);
}

#[test]
fn t8_5_long_text_is_cut_behind_a_blank() {
    let mut mail = b"\n".to_vec();
    mail.extend(b"word ".repeat(4_000_000));
    let found = extract(&mail, &[]);
    assert_eq!(found.values[0].text.len(), 16_777_215);
    assert!(found.values[0].text.ends_with(' '));
    assert_eq!(found.unsearchable.iter().map(|entry| &entry.why).collect::<Vec<_>>(), [&Why::TooLong]);
    let mut unbroken = b"\n".to_vec();
    unbroken.extend("ü".repeat(20_000_000).bytes());
    assert_eq!(extract(&unbroken, &[]).values[0].text.len(), 16_777_216);
}

#[test]
fn t8_6_all_text_of_a_mail_is_bounded() {
    let mut mail = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    for _ in 0..6 {
        mail.extend(b"--b\n\n");
        mail.extend(b"word ".repeat(3_000_000));
        mail.push(b'\n');
    }
    let found = extract(&mail, &[]);
    assert_eq!(found.values.len(), 4);
    assert_eq!(found.unsearchable.iter().map(|entry| (entry.entity, &entry.why)).collect::<Vec<_>>(), [(5, &Why::TooLarge)]);
}

#[test]
fn t9_7_alt_and_title_are_values_of_their_own() {
    assert_eq!(values("Content-Type: text/html\n\n<p title=t>a<img alt='x y'>b"), ["bcontent: a b", "bcontent: t", "bcontent: x y"]);
}

#[test]
fn t10_2_what_cannot_be_searched_keeps_its_name() {
    let mail = "Content-Type: application/pdf; name=a.pdf\n\nx";
    assert_eq!(values(mail), ["attachment: a.pdf"]);
    assert_eq!(why(mail.as_bytes()), [(0, Why::TypeOff("application/pdf".to_owned()))]);
}

#[test]
fn t2_11_depth_counts_on_in_encoded_mails() {
    let mut mail = "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n".repeat(70).into_bytes();
    mail.extend(b"Subject: inmost\n\n");
    assert_eq!(why(&mail), [(64, Why::TooDeep)]);
}

/// Mail-like bytes: pieces that mean something to a reader of mail, in any order.
fn mail_like() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "\n",
        "\r\n",
        "\n\n",
        "--b",
        "--b--",
        "--",
        "=",
        "=?utf-8?q?",
        "?=",
        "Content-Type: ",
        "multipart/mixed; boundary=b",
        "multipart/digest;boundary=\"b\"",
        "message/rfc822",
        "text/html",
        "text/plain; charset=utf-7; format=flowed; delsp=yes",
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: quoted-printable\n",
        "Subject: ",
        "To: ",
        "<a@xn--bcher-kva.de>",
        "\"",
        "(",
        ")",
        ",",
        ":",
        ";",
        "From x\n",
        "<script>",
        "<!--",
        "<p title='",
        "&amp;",
        "+AGE-",
        "> ",
        "-- ",
        "U3ViamVjdDogaGk=",
        "filename*0*=utf-8''",
        "filename=",
        "name*1=",
        "\u{feff}",
        "ü",
        "\0",
        " ",
        "\t",
        "\\",
    ];
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic_and_pieces_change_nothing(mail in mail_like(), cuts in proptest::collection::vec(1usize..40, 1..10)) {
        let whole = extract(&mail, &[]);
        let mut reader = TextReader::new(&[]);
        let mut rest = mail.as_slice();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            reader.push(now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(reader.finish(), whole.clone());
        prop_assert_eq!(extract(&mail, &whole.guesses), whole);
    }
}

#[test]
fn real_mail_is_read() {
    let Some(folder) = std::env::var_os("MAILKEEP_CORPORA") else {
        println!("skipped: MAILKEEP_CORPORA is not set");
        return;
    };
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let (mut mails, mut bytes, mut characters, mut spent) = (0u64, 0usize, 0usize, std::time::Duration::ZERO);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = std::fs::read(&path).unwrap();
            let begin = std::time::Instant::now();
            let mut rest = file.as_slice();
            while !rest.is_empty() {
                let end = memchr::memmem::find(&rest[1..], b"\nFrom ").map_or(rest.len(), |at| at + 2);
                let text = extract(&rest[..end], &[]);
                characters += text.values.iter().map(|value| value.text.len()).sum::<usize>();
                mails += 1;
                rest = &rest[end..];
            }
            bytes += file.len();
            spent += begin.elapsed();
        }
    }
    assert!(mails > 0);
    println!("{mails} mails, {bytes} bytes, {characters} bytes of text, {spent:?}");
}
