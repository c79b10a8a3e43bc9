//! What is written as an mbox is read back, whatever its lines are.

use proptest::prelude::*;

use super::super::mbox_quote::{LineQuoter, has_bare_line, quote, unquote};
use super::*;

/// Mails made of lines that tempt a splitter.
fn mails() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        Just("From here".to_owned()),
        Just(">From here".to_owned()),
        Just(">>From here".to_owned()),
        Just(LINE.to_owned()),
        Just(String::new()),
        Just("Subject: x".to_owned()),
        Just(">".to_owned()),
        "[ -~]{0,20}",
    ];
    let mail = proptest::collection::vec(line, 0..12)
        .prop_map(|lines| format!("Subject: s\nDate: d\n\n{}", lines.iter().map(|line| format!("{line}\n")).collect::<String>()));
    proptest::collection::vec(mail, 0..6)
}

fn read_back(text: &str, format: Format) -> Vec<Vec<u8>> {
    let got = stream_as(text.as_bytes(), "", SourceOptions { format: Some(format), ..Default::default() });
    got.mails.into_iter().map(|got| got.mail).collect()
}

fn bytes(mails: &[String]) -> Vec<Vec<u8>> {
    mails.iter().map(|mail| mail.as_bytes().to_vec()).collect()
}

fn plain_quote(mail: &str) -> String {
    let quoted = |line: &str| if line.trim_start_matches('>').starts_with("From ") { format!(">{line}") } else { line.to_owned() };
    mail.split_inclusive('\n').map(quoted).collect()
}

fn with_length(mail: &str, body: &str) -> String {
    let (header, _) = mail.split_once("\n\n").unwrap();
    format!("{header}\nContent-Length: {}\n\n{body}", body.len())
}

proptest! {
    #[test]
    fn what_is_written_as_mboxrd_is_read_back(mails in mails()) {
        let text: String = mails.iter().map(|mail| format!("{LINE}\n{}\n", plain_quote(mail))).collect();
        prop_assert_eq!(read_back(&text, Format::Mbox), bytes(&mails));
        prop_assert_eq!(read_back(&text, Format::Mboxrd), bytes(&mails));
    }

    #[test]
    fn what_is_written_as_mboxcl_is_read_back(mails in mails()) {
        let written: Vec<String> = mails.iter().map(|mail| with_length(mail, &plain_quote(mail.split_once("\n\n").unwrap().1))).collect();
        let wanted: Vec<Vec<u8>> = written.iter().map(|mail| unquote(mail.as_bytes())).collect();
        let text: String = written.iter().map(|mail| format!("{LINE}\n{mail}\n")).collect();
        prop_assert_eq!(read_back(&text, Format::Mboxcl), wanted);
    }

    #[test]
    fn what_is_written_as_mboxcl2_is_read_back(mails in mails()) {
        let mails: Vec<String> = mails.iter().map(|mail| with_length(mail, mail.split_once("\n\n").unwrap().1)).collect();
        let text: String = mails.iter().map(|mail| format!("{LINE}\n{mail}\n")).collect();
        prop_assert_eq!(read_back(&text, Format::Mboxcl2), bytes(&mails));
    }

    #[test]
    fn every_mail_gives_its_bytes_in_the_file_back(text in "([>F]|From |\n|\r\n|x|: ){0,60}") {
        let file = format!("{LINE}\nSubject: s\n\n{text}");
        for got in stream(file.as_bytes(), "").mails {
            let raw = if got.unquoted { quote(&got.mail) } else { got.mail };
            prop_assert_eq!(&raw[..], &file.as_bytes()[got.offset as usize..][..raw.len()]);
        }
    }

    #[test]
    fn quoting_is_undone_by_unquoting_in_any_pieces(text in "([>F]|From |\n|x){0,60}", cut in 0usize..60, room in 0usize..20) {
        let text = text.as_bytes();
        let quoted = quote(text);
        prop_assert_eq!(&quoted, &plain_quote(std::str::from_utf8(text).unwrap()).into_bytes());
        prop_assert!(!has_bare_line(&quoted));
        let (mut quoter, mut out) = (LineQuoter::unquoting(), Vec::new());
        let (one, other) = quoted.split_at(cut.min(quoted.len()));
        for mut piece in [one, other] {
            while !piece.is_empty() {
                let taken = quoter.feed(piece, room, &mut out);
                piece = &piece[taken..];
            }
        }
        while !quoter.finish(room, &mut out) {}
        prop_assert_eq!(out.as_slice(), text);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "(From |>|\n|\r|Content-Length: 9|Subject: |=|[0-9: ]){0,80}") {
        for name in ["", "x.mbox", "x.eml", "1.emlx", "x.gz", "x.zip", "x.tar"] {
            stream(&bytes, name);
            stream(text.as_bytes(), name);
        }
        for magic in [&b"\x1F\x8B\x08"[..], b"\x28\xB5\x2F\xFD", b"PK\x03\x04", b"From "] {
            stream(&[magic, &bytes].concat(), "");
        }
    }
}
