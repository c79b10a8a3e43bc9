//! Where a mail ends by its `Content-Length`, and that no byte between two mails is lost (P12).

use super::*;

#[test]
fn content_length_wins_where_it_leads_to_a_boundary() {
    let inner = format!("A\n\n{LINE}\nSubject: inner\n\nB\n");
    let right = format!("Subject: 1\nContent-Length: {}\n\n{inner}", inner.len());
    let got = stream(mbox(&[&right, MAIL]).as_bytes(), "");
    assert_eq!(got.texts(), [right.as_str(), MAIL]);
    let last = stream(mbox(&[&right]).as_bytes(), "");
    assert_eq!(last.texts(), [right.as_str()]);
    for wrong in [0, 1, 7, 999_999, u64::MAX] {
        let mail = format!("Subject: 1\nContent-Length: {wrong}\n\nText\n");
        assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL], "{wrong}");
    }
    let ignored = stream_as(mbox(&[&right]).as_bytes(), "", SourceOptions { format: Some(Format::Mboxo), ..Default::default() });
    assert_eq!(ignored.mails.len(), 2);
}

#[test]
fn mboxcl_is_unquoted_and_mboxcl2_never() {
    let with_length = |body: &str| format!("Subject: 1\nContent-Length: {}\n\n{body}", body.len());
    let quoted = with_length(">From here\n");
    let bare = with_length("A\n\nFrom here\n");
    let before_any_sign = stream(mbox(&[&quoted, &bare, &quoted]).as_bytes(), "");
    assert_eq!(before_any_sign.mails.iter().map(|got| got.unquoted).collect::<Vec<_>>(), [true, false, false]);
    let demanded = stream_as(mbox(&[&quoted]).as_bytes(), "", SourceOptions { format: Some(Format::Mboxcl2), ..Default::default() });
    assert_eq!(demanded.texts(), [quoted.as_str()]);
}

#[test]
fn a_large_mail_with_a_length_is_whole_in_a_file() {
    let inner = format!("{}\n{LINE}\nSubject: inner\n\nB\n", format!("{}\n", "x".repeat(70)).repeat(WHOLE_LIMIT / 71 + 10_000));
    let large = format!("Subject: 1\nContent-Length: {}\n\n{inner}{inner}", 2 * inner.len());
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "x.mbox", mbox(&[&large, MAIL]));
    let (_, got) = tree(&folder.path().join("x.mbox"));
    assert_eq!(got.mails.len(), 2);
    assert!(got.mails[0].mail == large.as_bytes());
}

fn with_length(length: usize, body: &str) -> String {
    format!("Subject: 1\nContent-Length: {length}\n\n{body}")
}

/// The bytes of a mailbox, joined again from the mails and the From_ lines: each mail is followed by one blank line.
fn together(got: &Collector, line_end: &str) -> String {
    got.mails
        .iter()
        .zip(got.texts())
        .map(|(got, text)| format!("{}{line_end}{text}{line_end}", got.from_line.as_deref().unwrap()))
        .collect()
}

#[test]
fn p12_a_length_that_ends_within_a_line_end_is_not_honoured() {
    let mail = |length| with_length(length, "Text\n").replace('\n', "\r\n");
    for length in 0..8 {
        for rest in ["", MAIL] {
            let text = format!("{LINE}\r\n{}\r\n", mail(length))
                + &if rest.is_empty() { String::new() } else { mbox(&[rest]).replace('\n', "\r\n") };
            let got = stream(text.as_bytes(), "");
            assert_eq!(got.texts()[0], mail(length), "{length}");
            assert_eq!(together(&got, "\r\n"), text, "{length}");
        }
    }
}

#[test]
fn p12_blank_lines_beyond_the_one_between_two_mails_belong_to_the_mail() {
    for blanks in 0..3 {
        let body = format!("Text\n{}", "\n".repeat(blanks));
        // The length of the text without its line end, with it, and with blank lines.
        for length in 4..=body.len() + 1 {
            for end in ["\n", "\r\n"] {
                let length = length + if end.len() > 1 { length.saturating_sub(4) } else { 0 };
                let mail = with_length(length, &body);
                for mails in [vec![mail.as_str()], vec![mail.as_str(), MAIL]] {
                    let text = mbox(&mails).replace('\n', end);
                    let got = stream(text.as_bytes(), "");
                    let expected: Vec<String> = mails.iter().map(|mail| mail.replace('\n', end)).collect();
                    assert_eq!(got.texts(), expected, "{blanks} blank lines, length {length}, line end {end:?}");
                    assert_eq!(together(&got, end), text);
                }
            }
        }
    }
}

/// A From_ line within a mail of mboxcl2, after which blank lines follow before the next mail.
#[test]
fn p12_blank_lines_behind_a_mail_of_mboxcl2_belong_to_it() {
    let body = format!("A\n\n{LINE}\nSubject: inner\n\nB\n");
    let mail = with_length(body.len(), &format!("{body}\n"));
    let text = mbox(&[&mail, MAIL]);
    let got = stream(text.as_bytes(), "");
    assert_eq!(got.texts(), [mail.as_str(), MAIL]);
    assert_eq!(together(&got, "\n"), text);
}

#[test]
fn p12_blank_lines_behind_a_streamed_mail_with_a_length_belong_to_it() {
    let body = format!("{}\n", "x".repeat(70)).repeat(WHOLE_LIMIT / 71 + 10_000);
    let large = with_length(body.len(), &format!("{body}\n"));
    let got = stream(mbox(&[&large, MAIL]).as_bytes(), "");
    assert_eq!(got.mails.len(), 2);
    assert!(got.mails[0].streamed && got.mails[0].mail == large.as_bytes());
}
