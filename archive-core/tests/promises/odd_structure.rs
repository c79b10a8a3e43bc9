//! Mails whose structure is odd, in whole archives: what is found is what is shown, nothing is left out silently, and every byte stays.

use archive_core::mail::{PartKind, View, Why};
use archive_core::{Actor, Archive, Error, MessageId, SearchRequest};

use crate::fixture::{Files, put};

/// An archive of one mail, which comes back byte for byte.
fn with(mail: &str) -> (Archive, MessageId) {
    let (_, archive) = Files::create();
    let id = put(&archive, "anna/Inbox", mail).id();
    assert_eq!(archive.session(Actor::System).raw(id).expect("the mail"), mail.as_bytes());
    (archive, id)
}

fn hits(archive: &Archive, query: &str) -> u64 {
    archive.session(Actor::System).search(&SearchRequest::new(query)).expect("an answer").total
}

fn parts(archive: &Archive, id: MessageId) -> View {
    archive.session(Actor::System).parts(id).expect("its parts")
}

fn part(archive: &Archive, id: MessageId, number: u32) -> Result<Vec<u8>, Error> {
    let mut found = Vec::new();
    archive.session(Actor::System).read_part(id, number, 0, &mut |bytes| {
        found.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok(found)
}

fn shown(archive: &Archive, id: MessageId) -> String {
    parts(archive, id).parts.iter().filter_map(|part| part.text.as_ref()).map(|text| text.text.as_str()).collect()
}

fn gaps(archive: &Archive) -> Vec<(u32, String)> {
    let all = archive.session(Actor::System).not_searchable();
    all.map(|gap| gap.expect("a list")).map(|gap| (gap.part, gap.why.to_string())).collect()
}

#[test]
fn s1_5_a_text_whose_boundary_never_occurs_is_found_and_shown() {
    for head in [
        "Content-Type: multipart/alternative; boundary=\"==.ALT\"",
        "Content-Type: multipart/mixed; boundary=x; format=flowed",
        "Content-Type: multipart/mixed",
        "Content-Type: multipart/mixed; boundary=x\nContent-Disposition: attachment; filename=a.txt",
        "Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: base64",
    ] {
        let (archive, id) = with(&format!("Subject: odd\n{head}\n\n<x-html>\nHello <b>ostrich</b>\n</x-html>\n"));
        assert_eq!(hits(&archive, "bcontent:ostrich"), 1, "{head}");
        assert!(shown(&archive, id).contains("ostrich"), "{head}");
        assert!(String::from_utf8(part(&archive, id, 0).expect("its bytes")).expect("text").contains("ostrich"), "{head}");
    }
}

#[test]
fn p03_base64_in_pieces_stays_as_it_is_and_is_read_whole() {
    let short = "MDEyMzQ1Njc4OQ==\nYWJjZGVmZ2hpag==\n".to_owned();
    let long: String = (0..300).map(|_| format!("{}\n{}\n", "QUJD".repeat(19), "QUJDQQ==")).collect();
    for (body, decoded) in [(short, b"0123456789abcdefghij".to_vec()), (long, [b"ABC".repeat(19), b"ABCA".to_vec()].concat().repeat(300))] {
        let mail = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n{body}\n--b\n\
             Content-Type: application/zip; name=archive.bin\nContent-Transfer-Encoding: base64\n\n{body}--b--\n"
        );
        let (archive, id) = with(&mail);
        for number in [1, 2] {
            assert!(part(&archive, id, number).expect("its bytes") == decoded, "part {number}");
        }
        assert_eq!(shown(&archive, id).as_bytes(), decoded);
    }
}

#[test]
fn s1_5_a_content_type_written_badly_hides_neither_text_nor_attachment() {
    for head in ["multipart/multipart/mixed; boundary=\"b\"", "multipart/mixed boundary=\"b\"", "multipart/mixed, boundary=b"] {
        let mail = format!(
            "Content-Type: {head}\n\n--b\nContent-Type: text/plain charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
             Gr=C3=BC=C3=9Fe jaguar\n--b\nContent-Type: application/pdf name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg==\n--b--\n"
        );
        let (archive, id) = with(&mail);
        assert_eq!((hits(&archive, "gr\u{fc}\u{df}e jaguar"), hits(&archive, "attachment:a.pdf")), (1, 1), "{head}");
        assert_eq!(shown(&archive, id), "Gr\u{fc}\u{df}e jaguar", "{head}");
        let view = parts(&archive, id);
        assert_eq!(view.parts.iter().filter_map(|part| part.name.as_deref()).collect::<Vec<_>>(), ["a.pdf"], "{head}");
        assert_eq!(part(&archive, id, 2).expect("its bytes"), b"%PDF", "{head}");
        assert_eq!(archive.session(Actor::System).message(id).expect("a mail").attachments, 1, "{head}");
    }
}

#[test]
fn s1_4_signed_is_counted_and_is_not_called_encrypted() {
    let smime =
        |more: &str, body: &str| format!("Content-Type: application/pkcs7-mime{more}\nContent-Transfer-Encoding: base64\n\n{body}\n");
    for (mail, why) in [
        (smime("; smime-type=signed-data; name=smime.p7m", "MIIGVgYJKoZIhvcNAQcCoIIGRzCC"), Why::Signed),
        (smime("; name=smime.p7m", "MIAGCSqGSIb3DQEHAqCAMIA="), Why::Signed),
        (smime("; name=smime.p7m", "MIAGCSqGSIb3DQEHA6CAMIA="), Why::Encrypted),
    ] {
        let (archive, _) = with(&mail);
        assert_eq!(gaps(&archive), [(0, why.to_string())]);
    }
}

#[test]
fn s1_5_text_and_mail_sent_as_bytes_are_searched_by_the_ending_of_their_names() {
    let mail = |name: &str, body: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/octet-stream; name=\"{name}\"\n\
             Content-Disposition: attachment; filename=\"{name}\"\n\n{body}\n--b--\n"
        )
    };
    for name in ["notes.txt", "T.CSV", "log.log", "a.md", "page.html", "x.htm", "d.ics", "c.vcf", "a.xml", "a.json"] {
        let (archive, id) = with(&mail(name, "in the <i>toucan</i>"));
        assert_eq!(hits(&archive, "acontent:toucan"), 1, "{name}");
        assert!(!shown(&archive, id).contains("toucan"), "an attachment is listed: {name}");
    }
    let (archive, id) = with(&mail(
        "old.eml",
        "Subject: parrots\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nmacaw\n--i\nContent-Type: a/b; name=in.pdf\n\n--i--",
    ));
    assert_eq!(hits(&archive, "acontent:parrots acontent:macaw"), 1);
    let view = parts(&archive, id);
    assert_eq!(
        view.parts.iter().map(|part| (part.number, part.within)).collect::<Vec<_>>(),
        [(0, None), (1, None), (2, None), (3, Some(2)), (4, Some(2)), (5, Some(2))]
    );
    assert_eq!((view.parts[2].kind, view.parts[5].name.as_deref()), (PartKind::Mail, Some("in.pdf")));
}

#[test]
fn s1_5_a_forwarded_mail_is_listed_under_its_subject_with_its_parts_below_it() {
    let inner = "From: zoe@example.org\nSubject: =?utf-8?Q?Angebot_f=C3=BCr_Br=C3=BCcke?=\nContent-Type: multipart/mixed; boundary=i\n\n\
                 --i\n\nzebra\n--i\nContent-Type: application/pdf; name=plan.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg==\n--i--\n";
    let mail = format!("Content-Type: multipart/mixed; boundary=o\n\n--o\n\nhi\n--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n");
    let (archive, id) = with(&mail);
    let view = parts(&archive, id);
    let listed: Vec<(u32, Option<u32>, String, u64)> = view
        .parts
        .iter()
        .filter(|part| part.kind != PartKind::Multipart)
        .map(|part| (part.number, part.within, part.file_name(), part.size))
        .collect();
    let expected = [
        (1, None, "part-1.txt", 2),
        (2, None, "Angebot f\u{fc}r Br\u{fc}cke.eml", inner.len() as u64),
        (4, Some(2), "part-4.txt", 5),
        (5, Some(2), "plan.pdf", 4),
    ];
    assert_eq!(listed, expected.map(|(number, within, name, size)| (number, within, name.to_owned(), size)));
    assert_eq!(part(&archive, id, 2).expect("its bytes"), inner.as_bytes());
    assert_eq!(part(&archive, id, 4).expect("its bytes"), b"zebra");
    for number in [0, 3, 6, u32::MAX] {
        let error = part(&archive, id, number).expect_err("no bytes");
        assert!(matches!(error, Error::NoSuchPart { message, part } if message == id && part == number), "{error}");
    }
}

#[test]
fn a_mail_above_what_is_read_at_once_gives_its_parts() {
    let body = fixture_base64(18 << 20);
    let mail = format!(
        "Subject: large\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nword\n--b\nContent-Type: a/b; name=a.bin\n\
         Content-Transfer-Encoding: base64\n\n{body}--b\n\nlast\n--b--\n"
    );
    let (archive, id) = with(&mail);
    let view = parts(&archive, id);
    assert_eq!(view.parts.iter().map(|part| part.size).collect::<Vec<_>>(), [0, 4, 18 << 20, 4]);
    assert_eq!(part(&archive, id, 2).expect("its bytes").len(), 18 << 20);
    assert_eq!(part(&archive, id, 3).expect("its bytes"), b"last");
    let mut header = Vec::new();
    let sink = &mut |bytes: &[u8]| {
        header.extend_from_slice(bytes);
        Ok(())
    };
    archive.session(Actor::System).read_header(id, sink).expect("its header");
    assert_eq!(header, b"Subject: large\nContent-Type: multipart/mixed; boundary=b\n");
}

/// So many zeros, encoded.
fn fixture_base64(len: usize) -> String {
    let line = format!("{}\n", "A".repeat(76));
    let full = len / 57;
    let rest = crate::fixture::base64(&vec![0; len % 57], 76, "\n");
    format!("{}{rest}", line.repeat(full))
}
