//! Facts of small mails.

use super::super::examine;
use super::*;

fn facts(mail: &str) -> Facts {
    examine(mail.as_bytes()).facts
}

fn mailbox(name: &str, address: &str) -> Mailbox {
    Mailbox { name: name.to_owned(), address: address.to_owned() }
}

#[test]
fn header_facts_are_decoded_and_found_in_any_case_and_folding() {
    let mail = "FROM: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>\nTo: a@b.example,\n \"B, C\" <bc@example.org>\nTo: third@example.org\n\
        Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\n aus Bonn \nDate: Mon, 1 Jan 2024 01:00:00 +0100\nMessage-Id: <x@y>\n\
        References: <a@b>\n <c@d>\nIn-Reply-To: <c@d>\nList-ID: A list <l.example.org>\nX-Priority: 2 (High)\n\nSubject: not this\n";
    let found = facts(mail);
    assert_eq!(found.from, [mailbox("Jürgen", "j@example.org")]);
    assert_eq!(found.to, [mailbox("", "a@b.example"), mailbox("B, C", "bc@example.org"), mailbox("", "third@example.org")]);
    assert_eq!(found.subject, "Grüße aus Bonn");
    assert_eq!(found.date, Some(1_704_067_200));
    assert_eq!(found.header_message_id, "x@y");
    assert_eq!(found.references, [id_hash(b"a@b"), id_hash(b"c@d")]);
    assert_eq!(found.in_reply_to, [id_hash(b"c@d")]);
    assert_eq!(found.list_id, "l.example.org");
    assert_eq!(found.importance, Importance::High);
}

#[test]
fn header_text_is_that_of_the_index() {
    assert_eq!(facts("Subject: Grüße\nFrom: Jürgen <a@b>\n\n").from, [mailbox("Jürgen", "a@b")]);
    assert_eq!(facts("Subject: =?utf-8?q?=C3?=\n =?utf-8?q?=BC?= \"=?utf-7?q?+JjM-?=\"\n\n").subject, "ü \"\u{2633}\"");
    // The charset of what is not UTF-8 is guessed from all fields together.
    let (koi8, _, _) = encoding_rs::KOI8_R.encode("Subject: Москва - столица России, большой город\nFrom: \"Москва\" <a@b>\n\n");
    let found = examine(&koi8).facts;
    assert_eq!(found.subject, "Москва - столица России, большой город");
    assert_eq!(found.from, [mailbox("Москва", "a@b")]);
}

#[test]
fn a_mailbox_is_an_entry_of_the_index() {
    for (field, expected) in [
        ("\"=?utf-8?q?J=C3=BCrgen?=\" <j@b>", vec![mailbox("Jürgen", "j@b")]),
        ("=?unicode-1-1-utf-7?Q?+MLcwuTDGMOA-?= <a@b>", vec![mailbox("システム", "a@b")]),
        ("\"xpt\"o <a@b>", vec![mailbox("xpto", "a@b")]),
        ("a@b (Jo)", vec![mailbox("Jo", "a@b")]),
        ("Jo (the Enforcer) <a@b>", vec![mailbox("Jo", "a@b")]),
        ("jo at x.org (Jo Doe)", vec![mailbox("Jo Doe", "jo@x.org")]),
        ("A team: a@b, C <c@d>; e@f", vec![mailbox("", "a@b"), mailbox("C", "c@d"), mailbox("", "e@f")]),
        ("undisclosed-recipients:;", vec![]),
        ("a@b c@d", vec![mailbox("", "a@b"), mailbox("", "c@d")]),
        ("a@xn--bcher-kva.example", vec![mailbox("", "a@xn--bcher-kva.example")]),
        ("<>, \"\" <>, ()", vec![]),
    ] {
        assert_eq!(facts(&format!("From: {field}\n\n")).from, expected, "{field}");
    }
}

#[test]
fn the_first_date_field_counts() {
    assert_eq!(facts("Date: Mon Jan  1 00:00:00 2024\nDate: 2 Jan 2024 00:00:00 +0000\n\n").date, Some(1_704_067_200));
    assert_eq!(facts("Date: yesterday\nDate: 2 Jan 2024 00:00:00 +0000\n\n").date, None);
}

#[test]
fn a_list_id_stands_in_the_last_angle_brackets() {
    for (field, expected) in [
        ("A <b> list <l.example.org> (x)", "l.example.org"),
        ("l.example.org ", "l.example.org"),
        ("<l", "<l"),
        (">", ">"),
        ("<>", ""),
        ("<a>>", "<a>>"),
    ] {
        assert_eq!(facts(&format!("List-Id: {field}\n\n")).list_id, expected, "{field}");
    }
}

#[test]
fn hostile_headers_are_read_in_linear_time() {
    for piece in
        ["a@b,", "(", "\"", "<", "<a", ":", ";", "=?", "=?a?q?", "=?a?q?x?=", "\\", "To: a\n", "To: a@b\n", "Date: (\n", "\u{fc}\n "]
    {
        let mail = format!("Date: {0}\nFrom: {0}\nSubject: {0}\nList-Id: {0}\nTo: {0}\n\n", piece.repeat(8_000));
        let found = facts(&mail);
        assert!(
            found.to.iter().chain(&found.from).map(|mailbox| mailbox.name.len() + mailbox.address.len()).sum::<usize>() <= 2 * MAX_FACT
        );
    }
}

#[test]
fn facts_are_cut_at_a_character_within_their_bound() {
    let long =
        format!("Subject: {}\nTo: {}\nReferences: {}\n\n", "ü".repeat(2_000), "a@b.example, ".repeat(10_000), "<a@b>\n ".repeat(10_000));
    let found = facts(&long);
    assert!(found.subject.len() <= MAX_FACT && found.subject.len() > MAX_FACT - 4);
    assert!((80..=100).contains(&found.to.len()), "{}", found.to.len());
    assert_eq!(found.references.len(), MAX_REFERENCES);
}

#[test]
fn importance_is_the_first_of_three_fields_that_says_something() {
    for (header, expected) in [
        ("", Importance::Normal),
        ("Importance: low\nX-Priority: 1\n", Importance::Low),
        ("X-Priority: 4\nPriority: urgent\n", Importance::Low),
        ("Priority: Non-Urgent\n", Importance::Low),
        ("Importance: what\nPriority: urgent\n", Importance::High),
    ] {
        assert_eq!(facts(&format!("{header}\n")).importance, expected, "{header}");
    }
}

#[test]
fn references_to_parts_are_found_in_any_case_and_in_utf_16_and_far_behind() {
    let image = |id: &str| format!("Content-Type: image/png; name=x.png\nContent-ID: {id}\n\nx");
    let parts = |html: Vec<u8>, ids: &[&str]| {
        let mut mail = b"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n".to_vec();
        mail.extend(html);
        ids.iter().for_each(|id| mail.extend(format!("\n--b\n{}", image(id)).bytes()));
        mail.extend(b"\n--b--\n");
        examine(&mail).facts.attachments
    };
    assert_eq!(parts(b"<img src='Cid:a'><img src=cId:b(1>".to_vec(), &["<a> (of it)", "<b(1>"]), 0);
    assert_eq!(parts("<img src=\"cid:a\">".encode_utf16().flat_map(u16::to_be_bytes).collect(), &["<a>"]), 0);
    let far = format!("{}<img src=cid:a>{}cid:b{0}", "x:cid".repeat(500_000), ":cid:b ".repeat(10_000));
    assert_eq!(parts(far.into_bytes(), &["<a>", "<b>", "<c>"]), 1);
}

#[test]
fn a_name_in_segments_is_one_whatever_their_first_number() {
    assert_eq!(facts("Content-Type: image/png\nContent-Disposition: inline; filename*x=lost\n\nx").attachments, 0);
    assert_eq!(facts("Content-Type: image/png\nContent-Disposition: inline; filename*1=x\n\nx").attachments, 1);
    assert_eq!(facts("Content-Type: image/png\nContent-Disposition: inline; filename*0=x\n\nx").attachments, 1);
}

#[test]
fn attachments_are_marked_or_named_and_not_shown_in_html_and_no_signatures() {
    let html = "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<img src=3D\"cid:a%40b\"><img src=3Dci=\nd:c>";
    let parts = [
        html,
        "Content-Type: image/png; name=shown.png\nContent-ID: <a@b>\n\nx",
        "Content-Type: image/png; name=shown.png\nContent-ID: <c>\nContent-Disposition: inline\n\nx",
        "Content-Type: image/png; name=other.png\nContent-ID: <d>\n\nx",
        "Content-Type: text/plain\nContent-Disposition: attachment\n\nx",
        "Content-Type: image/png\nContent-Disposition: inline; filename*=utf-8''x.png\n\nx",
        "Content-Type: application/pgp-signature; name=signature.asc\nContent-Disposition: attachment\n\nx",
        "Content-Type: text/plain\n\nx",
    ];
    let mail = format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{}\n--b--\n", parts.join("\n--b\n"));
    assert_eq!(facts(&mail).attachments, 3);
    assert_eq!(facts(&mail).attachment_types, ["image/png", "text/plain"]);
}
