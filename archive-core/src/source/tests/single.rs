//! Files of one mail.

use super::*;

#[test]
fn single_mails_are_verbatim() {
    let with_line = format!("{LINE}\n{MAIL}");
    for text in [with_line.as_str(), MAIL, "anything", "Subject: cr\rFrom: a@b\r\rText\r"] {
        assert_eq!(stream(text.as_bytes(), "x.eml").texts(), [text]);
    }
    assert_eq!(stream("Subject: cr\rFrom: a@b\r\rText\r".as_bytes(), "").texts(), ["Subject: cr\rFrom: a@b\r\rText\r"]);
}

#[test]
fn bytes_that_are_no_mail_are_refused_wherever_they_stand() {
    let zeros = "\0".repeat(100);
    assert_eq!((refused(b""), refused(zeros.as_bytes())), (Some(TroubleKind::EmptyFile), Some(TroubleKind::OnlyZeros)));
    assert_eq!((refused(b"x"), refused(b"\0\0x")), (None, None));
    for (text, name) in [
        (zeros.clone(), "x.eml"),
        (format!("100\n{zeros}"), "1.emlx"),
        (format!("{LINE}\n{zeros}"), "x.mbox"),
        ("\0".repeat(WHOLE_LIMIT + 10), "x.eml"),
    ] {
        let got = stream(text.as_bytes(), name);
        assert_eq!((got.mails.len(), got.kinds()), (0, vec![TroubleKind::OnlyZeros]), "{name}");
        assert!(got.lost.len() >= 100 && got.lost.iter().all(|&byte| byte == 0));
    }
    let mails = mbox(&[MAIL, &format!("{zeros}\n"), MAIL]);
    assert_eq!(stream(mails.as_bytes(), "").mails.len(), 3, "a line end is a byte of a mail");
}
