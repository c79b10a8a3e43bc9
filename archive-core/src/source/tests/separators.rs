//! Line ends of old Macs, From_ lines without a date, patches of git.

use super::*;

const BODIES: [&str; 3] = ["Subject: 1\nFrom: a@b.c\n\nOne\n", "Subject: 2\nFrom: a@b.c\n\nTwo\n", "Subject: 3\nFrom: a@b.c\n\nThree\n"];

fn cr(text: &str) -> String {
    text.replace('\n', "\r")
}

#[test]
fn p12_a_mailbox_with_line_ends_of_cr_is_split() {
    let text = cr(&mbox(&BODIES));
    for name in ["", "x.mbox", "inbox"] {
        let got = stream(text.as_bytes(), name);
        assert_eq!(got.texts(), BODIES.map(cr), "{name}");
        assert_eq!((got.mails[1].from_line.as_deref(), got.mails[1].date), (Some(LINE), Some(820_631_134)));
        assert!(got.troubles.is_empty());
    }
    // Without a final line end.
    let got = stream(&text.as_bytes()[..text.len() - 2], "");
    assert_eq!(got.texts().last(), Some(&"Subject: 3\rFrom: a@b.c\r\rThree"));
}

#[test]
fn p12_a_mailbox_with_line_ends_of_two_kinds_gives_every_mail() {
    let kinds: [fn(&str) -> String; 3] = [str::to_owned, cr, |text| text.replace('\n', "\r\n")];
    for one in kinds {
        for other in kinds {
            let mails = [one(BODIES[0]), other(BODIES[1]), one(BODIES[2])];
            let text = one(&mbox(&BODIES[..1])) + &other(&mbox(&BODIES[1..2])) + &one(&mbox(&BODIES[2..]));
            let got = stream(text.as_bytes(), "");
            let joined: Vec<String> = got.texts().iter().map(|text| text.trim_end().to_owned()).collect();
            assert_eq!(joined, mails.each_ref().map(|mail| mail.trim_end().to_owned()), "{text:?}");
        }
    }
}

#[test]
fn a_cr_within_a_line_begins_no_mail() {
    let mail = format!("Subject: 1\n\nA\r{LINE}\rB\nC\r\rFrom here\rD\n");
    assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL]);
}

#[test]
fn a_length_of_a_mailbox_with_line_ends_of_cr_is_followed() {
    let inner = format!("A\n\n{LINE}\nSubject: inner\n\nB\n");
    let mail = format!("Subject: 1\nContent-Length: {}\n\n{inner}", inner.len());
    let got = stream(cr(&mbox(&[&mail, MAIL])).as_bytes(), "");
    assert_eq!(got.texts(), [cr(&mail), cr(MAIL)]);
}

#[test]
fn a_large_mail_with_line_ends_of_cr_is_streamed_and_the_next_one_found() {
    let large = cr(&format!("Subject: large\n\n{}", format!("{}\n", "x".repeat(70)).repeat(WHOLE_LIMIT / 71 + 20_000)));
    let got = stream((cr(&format!("{LINE}\n")) + &large + &cr(&format!("\n{}", mbox(&[MAIL])))).as_bytes(), "");
    assert_eq!(got.mails.iter().map(|got| got.streamed).collect::<Vec<_>>(), [true, false]);
    assert!(got.mails[0].mail == large.as_bytes());
    assert_eq!(got.mails[1].mail, cr(MAIL).as_bytes());
}

/// A file whose From_ lines are `line`, without blank lines between its mails.
fn lines_of(line: &str) -> String {
    BODIES.iter().map(|body| format!("{line}\n{body}")).collect()
}

#[test]
fn lines_without_date_begin_mails_where_the_first_one_has_none() {
    for line in ["From ", "From  ", "From -", "From a@b.c", "From \r"] {
        for name in ["", "x.mbox"] {
            let got = stream(lines_of(line).as_bytes(), name);
            assert_eq!(got.texts(), BODIES, "{line:?} {name}");
        }
        // In a file with other lines they are text.
        let mail = format!("Subject: 1\n\nText\n{line}\nSubject: quoted\n\nB\n").replace('\r', "");
        assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL], "{line:?}");
    }
    // Nor without a header field after them.
    let text = "From \nSubject: 1\n\nText\nFrom \nhere\n";
    assert_eq!(stream(text.as_bytes(), "").texts(), ["Subject: 1\n\nText\nFrom \nhere\n"]);
    let prose = "From \nSubject: 1\n\nText\nFrom the team\nSubject: is this\n";
    assert_eq!(stream(prose.as_bytes(), "").mails.len(), 1);
    assert_eq!(stream(cr(&lines_of("From ")).as_bytes(), "").texts(), BODIES.map(cr));
}

fn patch(digits: usize) -> String {
    format!("From {} Mon Sep 17 00:00:00 2001", "1a2b3c4d5e".repeat(7).get(..digits).unwrap())
}

#[test]
fn a_patch_of_git_in_a_mail_is_text() {
    for digits in [40, 64] {
        let line = patch(digits);
        for quoted in [
            format!("Subject: 1\n\nsee\n\n{line}\nFrom: a@b.c\nDate: x\nSubject: [PATCH] fix\n\n---\n"),
            format!("Subject: 1\n\nsee\n{line}\nFrom: a@b.c\nSubject: [PATCH] fix\n"),
            format!("Subject: 1\n\nsee\n\n{line}\n\n{line}\nSubject: [PATCH] fix\n"),
        ] {
            let text = mbox(&[&quoted, MAIL, &quoted]);
            assert_eq!(stream(text.as_bytes(), "").texts(), [quoted.as_str(), MAIL, &quoted], "{quoted}");
            assert_eq!(stream(text.replace('\n', "\r\n").as_bytes(), "").mails.len(), 3);
            // A mail that lost its From_ line.
            assert_eq!(stream(format!("{quoted}\n{}", mbox(&[MAIL])).as_bytes(), "x.mbox").mails.len(), 2);
        }
        // A length that leads to it does not end the mail there.
        let mail = format!("Subject: 1\nContent-Length: 4\n\nsee\n\n{line}\nSubject: [PATCH] fix\n");
        assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL]);
    }
    // Other digests are senders.
    let line = patch(39);
    assert_eq!(stream(mbox(&[&format!("Subject: 1\n\nA\n\n{line}\nSubject: 2\n\nB\n")]).as_bytes(), "").mails.len(), 2);
}

#[test]
fn a_file_of_patches_of_git_is_split_at_them() {
    for digits in [40, 64] {
        let text: String = BODIES.iter().map(|body| format!("{}\n{body}\n", patch(digits))).collect();
        assert_eq!(stream(text.as_bytes(), "series.patch").texts(), BODIES);
    }
    // And so is one of mails whose quoting is known.
    let text = format!("{LINE}\n{MAIL}\n{}\n{MAIL}\n", patch(40));
    for format in [Format::Mboxrd, Format::Mboxo] {
        let got = stream_as(text.as_bytes(), "", SourceOptions { format: Some(format), ..Default::default() });
        assert_eq!(got.texts(), [MAIL, MAIL]);
    }
}
