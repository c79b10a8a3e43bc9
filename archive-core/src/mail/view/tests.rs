use super::super::PartReader;
use super::super::text::extract;
use super::*;

const MAIL: &[u8] = b"From: a@example.com\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\
    Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\
    Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nsch=F6n\n--i\n\
    Content-Type: text/html\n\n<b>sch&ouml;n</b>\n--i--\n--o\nContent-Type: application/pdf; name=\"a.pdf\"\n\
    Content-Transfer-Encoding: base64\n\nJVBERg==\n--o\nContent-Type: message/rfc822\n\nSubject: inner\n\ninside\n--o--\n";

/// The view, which is the same however the mail is cut into pieces.
fn seen(mail: &[u8]) -> View {
    let whole = view(mail, &[]);
    for piece in [1, 7] {
        let mut viewer = Viewer::new(&[]);
        mail.chunks(piece).for_each(|bytes| viewer.push(bytes));
        assert_eq!(viewer.finish(), whole, "pieces of {piece} change nothing");
    }
    whole
}

/// The bytes of a part, of which the view knows the length.
fn bytes_of(mail: &[u8], number: u32) -> Vec<u8> {
    let mut of_pieces = Vec::new();
    for piece in [mail.len(), 1, 7] {
        let mut found = Vec::new();
        let mut reader = PartReader::new(&[number], |_, bytes: &[u8]| {
            found.extend_from_slice(bytes);
            Ok::<(), ()>(())
        });
        mail.chunks(piece).for_each(|bytes| reader.push(bytes).unwrap());
        reader.finish().unwrap();
        of_pieces.push(found);
    }
    assert!(of_pieces.iter().all(|found| *found == of_pieces[0]), "pieces change nothing");
    assert_eq!(view(mail, &[]).part(number).unwrap().size, of_pieces[0].len() as u64);
    of_pieces.swap_remove(0)
}

fn shown(view: &View) -> Vec<&str> {
    view.parts.iter().filter_map(|part| part.text.as_ref()).map(|text| text.text.trim()).collect()
}

/// Number, part around it, mail around it, type, name.
type Listed<'v> = (u32, Option<u32>, Option<u32>, &'v str, Option<&'v str>);

fn listed(view: &View) -> Vec<Listed<'_>> {
    view.parts.iter().map(|part| (part.number, part.parent, part.within, part.media.as_str(), part.name.as_deref())).collect()
}

#[test]
fn text_is_shown_once_and_parts_have_their_bytes() {
    let view = seen(MAIL);
    assert_eq!(view.field("subject"), Some("Grüße"));
    assert_eq!(shown(&view), ["schön"]);
    assert_eq!(
        listed(&view),
        [
            (0, None, None, "multipart/mixed", None),
            (1, Some(0), None, "multipart/alternative", None),
            (2, Some(1), None, "text/plain", None),
            (3, Some(1), None, "text/html", None),
            (4, Some(0), None, "application/pdf", Some("a.pdf")),
            (5, Some(0), None, "message/rfc822", None),
            (6, Some(5), Some(5), "text/plain", None),
        ]
    );
    assert_eq!(view.parts[5].subject.as_deref(), Some("inner"));
    assert_eq!(bytes_of(MAIL, 2), b"sch\xf6n");
    assert_eq!(bytes_of(MAIL, 4), b"%PDF");
    assert_eq!(bytes_of(MAIL, 5), b"Subject: inner\n\ninside");
    assert_eq!(bytes_of(MAIL, 6), b"inside");
}

#[test]
fn a_mail_in_a_mail_has_all_its_bytes_and_its_parts_follow() {
    let inner = "Subject: in\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\npreamble\r\n--i\r\nContent-Type: message/rfc822\r\n\r\n\
                 Subject: inmost\r\n\r\ndeep\r\n--i\r\n\r\nlast\r\n--i--\r\nepilogue\r\n";
    let outer = format!("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--o--\r\n");
    let view = seen(outer.as_bytes());
    assert_eq!(view.parts.iter().map(|part| part.within).collect::<Vec<_>>(), [None, None, Some(1), Some(1), Some(3), Some(1)]);
    assert_eq!(bytes_of(outer.as_bytes(), 1), inner.as_bytes());
    assert_eq!(bytes_of(outer.as_bytes(), 3), b"Subject: inmost\r\n\r\ndeep");
    let ends = "Subject: in\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--i--";
    let closed = format!("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n{ends}\n--o--\n");
    assert_eq!(bytes_of(closed.as_bytes(), 1), ends.as_bytes(), "the line end before a delimiter line is no part of the mail");
    // The same in an encoding.
    let encoded: String = inner.bytes().map(|byte| format!("={byte:02X}")).collect();
    let outer =
        format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{}", encoded.replace("=0A", "=0A=\n"));
    let view = seen(outer.as_bytes());
    assert_eq!(view.parts.iter().map(|part| (part.parent, part.within)).collect::<Vec<_>>(), {
        [(None, None), (Some(0), Some(0)), (Some(1), Some(0)), (Some(2), Some(2)), (Some(1), Some(0))]
    });
    assert_eq!(bytes_of(outer.as_bytes(), 0), inner.as_bytes());
    assert_eq!(bytes_of(outer.as_bytes(), 2), b"Subject: inmost\r\n\r\ndeep");
    assert_eq!(bytes_of(outer.as_bytes(), 4), b"last");
}

#[test]
fn parts_are_taken_in_one_pass_also_those_without_bytes_and_within_others() {
    let mail = b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\nSubject: s\n\nx\n--o\nContent-Type: a/b\n\n\n--o--";
    let mut found: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut reader = PartReader::new(&[3, 1, 2], |number, bytes: &[u8]| {
        match found.iter_mut().find(|(at, _)| *at == number) {
            Some((_, all)) => all.extend_from_slice(bytes),
            None => found.push((number, bytes.to_vec())),
        }
        Ok::<(), ()>(())
    });
    reader.push(mail).unwrap();
    reader.finish().unwrap();
    assert_eq!(found, [(1, b"Subject: s\n\nx".to_vec()), (2, b"x".to_vec()), (3, Vec::new())]);
    let mut reader = PartReader::new(&[1], |_, _: &[u8]| Err("full"));
    assert_eq!(reader.push(mail), Err("full"));
}

#[test]
fn what_is_beyond_the_limits_is_told() {
    let part = "--o\nContent-Disposition: attachment\nContent-Type: text/plain\n\nabc\n";
    let mail = |parts: usize| format!("Content-Type: multipart/mixed; boundary=o\n\n{}--o--\n", part.repeat(parts));
    let whole = view(mail(9_999).as_bytes(), &[]);
    assert_eq!((whole.parts.len(), whole.is_cut), (10_000, false));
    let cut = view(mail(10_050).as_bytes(), &[]);
    assert!(cut.is_cut && cut.parts.len() == 10_000);
    assert!(cut.parts.iter().skip(1).all(|part| part.size == 3), "no part has the bytes of others");
    assert!(view(format!("{}\n", "X: y\n".repeat(100_000)).as_bytes(), &[]).is_cut);
}

#[test]
fn text_ends_at_a_bound_and_the_rest_is_counted() {
    let mut mail = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    for _ in 0..3 {
        mail.extend(b"--b\n\n");
        mail.extend(b"word ".repeat(200_000));
        mail.push(b'\n');
    }
    mail.extend(b"--b--\n");
    let view = view(&mail, &[]);
    let texts: Vec<&PartText> = view.parts.iter().filter_map(|part| part.text.as_ref()).collect();
    assert_eq!(texts.iter().map(|text| text.text.len() as u64 + text.left_out).collect::<Vec<_>>(), [1_000_000; 3]);
    assert_eq!((texts[0].left_out, texts[2].text.as_str()), (0, ""));
    let kept = texts.iter().map(|text| text.text.len()).sum::<usize>();
    assert!(kept <= MOST_SHOWN && kept > MOST_SHOWN - 10, "{kept}");
}

#[test]
fn html_alone_is_shown_as_text() {
    let view = seen(b"Content-Type: text/html; charset=utf-8\n\n<style>x</style><p>Hi <i>you</i></p>");
    assert_eq!(shown(&view), ["Hi you"]);
    let blank = seen(b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n\n--b\nContent-Type: text/html\n\n<p>only\n--b--");
    assert_eq!(shown(&blank), ["", "only"]);
    let html_first = seen(b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>a\n--b\n\na\n--b--");
    assert_eq!(shown(&html_first), ["a"]);
}

/// What a search finds in the text of the mail itself is shown, and the reverse; but of two parts with the same text
/// only one.
#[test]
fn t8_2_what_is_shown_is_what_is_found() {
    let part = |head: &str, body: &str| format!("--b\n{head}\n\n{body}\n");
    let all = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned()
        + &part("Content-Type: text/plain; charset='iso-8859-1'", "quoted")
        + &part("Content-Type: text/plain; format=flowed; delsp=yes", "wo \nrd")
        + &part("Content-Type: message/delivery-status", "Status: 5.1.1")
        + &part("Content-Type: text/rtf", "{\\rtf1}")
        + &part("Content-Type: text/plain; name=a.txt", "attached")
        + &part("Content-Type: application/octet-stream", "bytes")
        + &part("Content-Type: multipart/mixed; boundary=never", "text of none")
        + &part("Content-Type: multipart/mixed", "text without boundary")
        + "--b--\n";
    let mails = [
        all.as_str(),
        "Content-Type: multipart/alternative; boundary=\"never\"\n\n<x-html>\nHello <b>ostrich</b>\n</x-html>\n",
        "Content-Type: multipart/mixed; boundary=never\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\nnot encoded",
        "Content-Type: multipart/mixed; boundary=b\n\n--b--\nepilogue\n",
        "Content-Type: multipart/mixed; boundary=b\n\npreamble alone\n--b\n",
        "Content-Type: multipart/mixed; boundary=b; name=n.txt\n\nnamed",
        "Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=never\n\ninner",
        "Content-Type: text/plain; charset=hz-gb-2312\n\nx",
    ];
    for mail in mails {
        let found = extract(mail.as_bytes(), &[]).values.into_iter().filter(|value| value.field == Field::Bcontent);
        let found: Vec<String> = found.map(|value| value.text).collect();
        let view = seen(mail.as_bytes());
        let shown: Vec<&str> = view.parts.iter().filter_map(|part| part.text.as_ref()).map(|text| text.text.as_str()).collect();
        assert_eq!(shown.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>(), found, "{mail}");
    }
}

#[test]
fn t2_7_a_multipart_without_parts_is_a_part_with_bytes() {
    let mail = b"Content-Type: multipart/mixed; boundary=never\nContent-Transfer-Encoding: base64\n\n--other\ntext\n";
    let view = seen(mail);
    assert_eq!((view.parts[0].kind, view.parts[0].media.as_str()), (PartKind::Leaf, "text/plain"));
    assert_eq!(bytes_of(mail, 0), b"--other\ntext\n");
}
