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
fn eight_bit_headers_are_utf_8_or_else_windows_1252() {
    assert_eq!(examine(b"Subject: Gr\xfc\xdfe \x80\n\n").facts.subject, "Grüße €");
    assert_eq!(facts("Subject: Grüße\nFrom: Jürgen <a@b>\n\n").from, [mailbox("Jürgen", "a@b")]);
}

#[test]
fn dates_are_dates_or_none() {
    for (text, expected) in [
        ("1 Jan 2024 00:00:00 +0000", Some(1_704_067_200)),
        ("Mon, 1 Jan 2024 00:00:60 GMT", Some(1_704_067_259)),
        ("Mon, 1 Jan 2024 00:00:00", Some(1_704_067_200)),
        ("yesterday", None),
        ("99 Foo 2024 77:00:00 +0000", None),
        ("", None),
    ] {
        assert_eq!(facts(&format!("Date: {text}\n\n")).date, expected, "{text}");
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
}
