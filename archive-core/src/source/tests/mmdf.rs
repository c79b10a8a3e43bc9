//! MMDF: mails between lines of four ^A.

use super::*;

const CONTROLS: &str = "\u{1}\u{1}\u{1}\u{1}\n";

fn mmdf(mails: &[&str]) -> String {
    mails.iter().map(|mail| format!("{CONTROLS}{mail}{CONTROLS}")).collect()
}

#[test]
fn mails_between_lines_of_controls_are_read() {
    let second = "Subject: two\n\nFrom here on\n\nFrom a@b.c Sat Jan  3 01:05:34 1996\nSubject: inner\n\n>From there\n\n";
    for (text, name) in [
        (mmdf(&[MAIL, second]), ""),
        (mmdf(&[MAIL, second]), "inbox"),
        (mmdf(&[MAIL, second]), "x.mmdf"),
        (mmdf(&[MAIL, second]), "x.mbox"),
        // One line between, blank lines between and after, none at the end.
        (format!("{CONTROLS}{MAIL}{CONTROLS}{second}{CONTROLS}"), ""),
        (format!("{CONTROLS}{MAIL}{CONTROLS}\n\n{CONTROLS}{second}{CONTROLS}\n\n"), ""),
        (format!("{CONTROLS}{MAIL}{CONTROLS}{CONTROLS}{second}"), ""),
    ] {
        let got = stream(text.as_bytes(), name);
        assert_eq!(got.texts(), [MAIL, second], "{text:?}");
        assert!(got.troubles.is_empty() && got.mails.iter().all(|got| !got.unquoted && got.from_line.is_none()));
        let crlf = stream(text.replace('\n', "\r\n").as_bytes(), name);
        assert_eq!(crlf.texts(), [MAIL, second].map(|mail| mail.replace('\n', "\r\n")));
        assert_eq!(stream(text.replace('\n', "\r").as_bytes(), name).mails.len(), 2);
    }
    let demanded = stream_as(mmdf(&[MAIL]).as_bytes(), "x.eml", SourceOptions { format: Some(Format::Mmdf), ..Default::default() });
    assert_eq!(demanded.texts(), [MAIL]);
}

#[test]
fn a_from_line_after_the_controls_is_not_of_the_mail() {
    let got = stream(mmdf(&[&format!("{LINE}\n{MAIL}"), MAIL]).as_bytes(), "");
    assert_eq!(got.texts(), [MAIL, MAIL]);
    assert_eq!((got.mails[0].from_line.as_deref(), got.mails[0].date), (Some(LINE), Some(820_631_134)));
    assert_eq!(got.mails[1].from_line, None);
}

#[test]
fn a_large_mail_of_mmdf_is_streamed() {
    let large = format!("Subject: large\n\n{}", format!("{}\n", "x".repeat(70)).repeat(WHOLE_LIMIT / 71 + 20_000));
    let got = stream(mmdf(&[MAIL, &large, MAIL]).as_bytes(), "");
    assert_eq!(got.mails.iter().map(|got| got.streamed).collect::<Vec<_>>(), [false, true, false]);
    assert!(got.mails[1].mail == large.as_bytes() && got.mails[2].mail == MAIL.as_bytes());
}

#[test]
fn a_mailbox_of_mmdf_in_a_folder_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "mail/inbox", mmdf(&[MAIL]));
    put(folder.path(), "mail/old.mmdf", mmdf(&[MAIL]));
    let (_, got) = tree(folder.path());
    assert_eq!(got.mails.iter().map(|got| got.folder.as_str()).collect::<Vec<_>>(), ["mail/inbox", "mail/old"]);
}
