//! Mboxes and notebooks: where mails begin and end.

use super::*;

#[test]
fn a_mail_lies_between_its_from_line_and_the_blank_line_before_the_next() {
    let got = stream(b"From a@b.c Sat Jan  3 01:05:34 1996\nSubject: 1\n\nA\n\n\nFrom x Sat Jan  3 01:05:35 1996\nSubject: 2\n\nB", "");
    assert_eq!(got.texts(), ["Subject: 1\n\nA\n\n", "Subject: 2\n\nB"]);
    assert_eq!(got.mails[0].from_line.as_deref(), Some(LINE));
    assert_eq!((got.mails[0].offset, got.mails[0].date), (36, Some(820_631_134)));
    assert!(got.troubles.is_empty());
}

#[test]
fn crlf_is_kept() {
    let text = mbox(&[MAIL, MAIL]).replace('\n', "\r\n");
    assert_eq!(stream(text.as_bytes(), "").texts(), [MAIL.replace('\n', "\r\n"), MAIL.replace('\n', "\r\n")]);
}

#[test]
fn prose_after_an_empty_line_is_no_separator() {
    for prose in
        ["From the output, it can be seen", "From 2003 on", "From Black's Law Dictionary:\n\nDemand", "From here: it is", "From May 3"]
    {
        let mail = format!("Subject: 1\n\nA\n\n{prose}\nfoo bar\n");
        assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL], "{prose}");
    }
}

#[test]
fn from_lines_of_many_programs_begin_mails() {
    let lines = [
        "From - Fri Aug 24 11:55:47 2018",
        "From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
        "From user at host.org  Wed Dec  1 08:26:40 2010",
        "From 1490@xxx Mon Jan 01 10:00:00 +0000 2018",
        "From a@b Thu Feb 28 10:00 MET 2002",
        "From a@b Fri Feb 22 23:00:00 2008 +0200",
        "From glyph@d.com Tue, 3 Aug 1999 22:57:51 -0400 (EDT)",
        "From a@b Sat Jan 3 01:05:34 1996 remote from host",
        "From a@b 2004-01-03 10:00:00",
        "From ???@??? Mon Jan 01 10:00:00 2018",
        "From nobody",
    ];
    for line in lines {
        let text = format!("{LINE}\n{MAIL}\n{line}\nSubject: 2\n\nB\n");
        let got = stream(text.as_bytes(), "");
        assert_eq!(got.texts(), [MAIL, "Subject: 2\n\nB\n"], "{line}");
        assert_eq!(got.mails[1].from_line.as_deref(), Some(line));
        assert_eq!(got.mails[1].date.is_some(), line != "From nobody", "{line}");
    }
    let dated = |line: &str| stream(format!("{line}\n{MAIL}").as_bytes(), "").mails[0].date;
    assert_eq!(dated("From g@d.com Tue, 3 Aug 1999 22:57:51 -0400 (EDT)"), Some(933_735_471));
    assert_eq!(dated("From g@d.com Fri Feb 22 23:00:00 2008 +0200"), Some(1_203_714_000));
}

#[test]
fn without_an_empty_line_a_separator_needs_date_and_header() {
    let text = format!("{LINE}\nSubject: 1\n\nA\n{LINE}\nSubject: 2\n\nB\n{LINE}\nno header\n");
    let second = format!("Subject: 2\n\nB\n{LINE}\nno header\n");
    assert_eq!(stream(text.as_bytes(), "").texts(), ["Subject: 1\n\nA\n", second.as_str()]);
}

#[test]
fn a_mail_is_unquoted_where_quoting_gives_its_bytes_back() {
    let quoted = "Subject: 1\n\n>From here\n>>From there\n> From no\n";
    let bare = "Subject: 1\n\n>From here\nFrom there\n";
    let got = stream(mbox(&[quoted, bare, MAIL]).as_bytes(), "");
    assert_eq!(got.texts(), ["Subject: 1\n\nFrom here\n>From there\n> From no\n", bare, MAIL]);
    assert_eq!(got.mails.iter().map(|got| got.unquoted).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn a_cut_mbox_gives_its_last_mail() {
    let text = mbox(&[MAIL, MAIL]);
    let got = stream(&text.as_bytes()[..text.len() - 4], "");
    assert_eq!(got.texts(), [MAIL, "Subject: one\nFrom: a@b.c\n\nTe"]);
    let no_end = stream(format!("{LINE}\n{MAIL}\n{LINE}").as_bytes(), "");
    assert_eq!((no_end.texts(), no_end.kinds()), (vec![MAIL], vec![TroubleKind::EmptyMail]));
}

#[test]
fn text_before_the_first_from_line_is_told_and_a_mail_there_is_kept() {
    let got = stream(format!("hello\nworld\n\n{}", mbox(&[MAIL])).as_bytes(), "x.mbox");
    assert_eq!((got.texts(), got.kinds()), (vec![MAIL], vec![TroubleKind::TextBeforeFirst(13)]));
    let got = stream(format!("{MAIL}\n{}", mbox(&[MAIL])).as_bytes(), "x.mbox");
    assert_eq!((got.texts(), got.kinds()), (vec![MAIL, MAIL], vec![]));
}

#[test]
fn mails_deleted_in_mozilla_are_counted_only() {
    let deleted = "X-Mozilla-Status: 0009\nSubject: 1\n\nA\n";
    let text = mbox(&[deleted, MAIL]);
    let mut collector = Collector::default();
    let summary = read_stream(text.as_bytes(), "", SourceOptions::default(), &mut collector);
    assert_eq!((collector.texts(), summary.deleted), (vec![MAIL], 1));
    let all = stream_as(text.as_bytes(), "", SourceOptions { with_deleted: true, ..Default::default() });
    assert_eq!((all.texts(), all.mails[0].flags.as_deref()), (vec![deleted, MAIL], Some("ST")));
}

#[test]
fn listserv_notebooks_are_split_at_lines_of_equal_signs() {
    let line = "=".repeat(73);
    let text = format!("{line}\nDate: 1\nSubject: 1\n\nA\n{line}\nno header\n{line}\nDate: 2\n\nB\n");
    let first = format!("Date: 1\nSubject: 1\n\nA\n{line}\nno header\n");
    assert_eq!(stream(text.as_bytes(), "X.LOG1302D").texts(), [first.as_str(), "Date: 2\n\nB\n"]);
}

#[test]
fn a_visitor_can_end_the_reading() {
    let mut collector = Collector { limit: Some(1), ..Default::default() };
    let summary = read_stream(mbox(&[MAIL, MAIL]).as_bytes(), "", SourceOptions::default(), &mut collector);
    assert_eq!((collector.mails.len(), summary.stopped), (1, true));
}

#[test]
fn a_large_mail_is_streamed_and_the_next_one_found() {
    let line = format!("{}\n>From here\n", "x".repeat(70));
    let large = format!("Subject: large\n\n{}", line.repeat(WHOLE_LIMIT / line.len() + 20_000));
    let text = mbox(&[MAIL, &large, MAIL]);
    let got = stream(text.as_bytes(), "");
    assert_eq!(got.mails.iter().map(|got| got.streamed).collect::<Vec<_>>(), [false, true, false]);
    assert!(got.mails[1].unquoted && quote(&got.mails[1].mail) == large.as_bytes());
    assert_eq!(got.mails[2].mail, MAIL.as_bytes());
    let mut skipping = Collector { skip_rest: true, ..Default::default() };
    read_stream(text.as_bytes(), "", SourceOptions::default(), &mut skipping);
    assert_eq!(skipping.mails.len(), 3);
    let eml = stream(large.as_bytes(), "x.eml");
    assert!(eml.mails[0].streamed && eml.mails[0].mail == large.as_bytes());

    let bare = format!("{large}\nFrom prose\n>From here\n");
    let got = stream(mbox(&[&bare, MAIL]).as_bytes(), "");
    let at = large.len() + 1;
    assert_eq!(got.mails[0].mail[got.mails[0].mail.len() - (bare.len() - at)..], bare.as_bytes()[at..]);
    assert_eq!((got.kinds(), got.mails.len()), (vec![TroubleKind::QuotingEnds], 2));
}

/// A mail a little above the limit used to swallow the next one where the file ended soon after.
#[test]
fn a_mail_around_the_limit_ends_where_it_ends() {
    for len in [WHOLE_LIMIT - 1, WHOLE_LIMIT, WHOLE_LIMIT + 1, WHOLE_LIMIT + 2, WHOLE_LIMIT + 3, WHOLE_LIMIT + 100] {
        let mail = format!("Subject: large\n\n{}\n", "x".repeat(len - 17));
        let got = stream(mbox(&[&mail, MAIL]).as_bytes(), "");
        assert_eq!(got.mails.iter().map(|got| got.mail.len()).collect::<Vec<_>>(), [len, MAIL.len()]);
        let eml = stream(mail.as_bytes(), "x.eml");
        assert_eq!((eml.mails[0].mail.len(), eml.mails[0].streamed), (len, len > WHOLE_LIMIT));
    }
}

#[test]
fn lines_of_old_transports_among_the_fields_do_not_hide_a_length() {
    let body = "A\n\nFrom x@y Sat Jan  3 01:05:34 1996\n\nB\n";
    let mail = format!("Subject: 1\n>From x Sat Jan  3 01:05:34 1996 remote from y\nContent-Length: {}\n\n{body}", body.len());
    assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL]);
}
