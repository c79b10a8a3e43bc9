//! Small mailboxes of every kind and trouble. Real ones: `tests/source_corpora.rs`.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use proptest::prelude::*;

use super::mbox_quote::{LineQuoter, has_bare_line, quote, unquote};
use super::*;

mod damaged;
mod lengths;

/// A mail as it was handed out.
#[derive(Debug, Default, Clone, PartialEq)]
struct Got {
    source: String,
    offset: u64,
    folder: String,
    from_line: Option<String>,
    unquoted: bool,
    flags: Option<String>,
    date: Option<i64>,
    streamed: bool,
    mail: Vec<u8>,
}

#[derive(Debug, Default)]
struct Collector {
    mails: Vec<Got>,
    troubles: Vec<Trouble>,
    folders: Vec<String>,
    lost: Vec<u8>,
    skip_rest: bool,
    limit: Option<usize>,
}

impl SourceVisitor for Collector {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let (mail, streamed) = match item.body {
            Body::Whole(mail) => (mail, false),
            Body::Stream { mut head, rest } => {
                if !self.skip_rest {
                    rest.read_to_end(&mut head).unwrap();
                }
                (head, true)
            }
        };
        self.mails.push(Got {
            source: item.source.to_owned(),
            offset: item.offset,
            folder: item.folder.join("/"),
            from_line: item.from_line.map(|line| String::from_utf8(line).unwrap()),
            unquoted: item.quoting == Quoting::Unquoted,
            flags: item.flags,
            date: item.date_hint.map(|hint| hint.seconds),
            streamed,
            mail,
        });
        if self.limit == Some(self.mails.len()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble);
    }

    fn lost(&mut self, bytes: &[u8]) {
        self.lost.extend_from_slice(bytes);
    }

    fn folder(&mut self, folder: &[String]) {
        self.folders.push(folder.join("/"));
    }
}

impl Collector {
    fn texts(&self) -> Vec<&str> {
        self.mails.iter().map(|got| std::str::from_utf8(&got.mail).unwrap()).collect()
    }

    fn kinds(&self) -> Vec<TroubleKind> {
        self.troubles.iter().map(|trouble| trouble.kind.clone()).collect()
    }
}

fn stream(bytes: &[u8], name: &str) -> Collector {
    stream_as(bytes, name, SourceOptions::default())
}

fn stream_as(bytes: &[u8], name: &str, options: SourceOptions) -> Collector {
    let mut collector = Collector::default();
    let summary = read_stream(bytes, name, options, &mut collector);
    assert_eq!(summary.mails, collector.mails.len() as u64);
    collector
}

fn tree(path: &Path) -> (Summary, Collector) {
    let mut collector = Collector::default();
    let summary = read_path(path, SourceOptions::default(), &mut collector).unwrap();
    (summary, collector)
}

fn put(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

const LINE: &str = "From a@b.c Sat Jan  3 01:05:34 1996";
const MAIL: &str = "Subject: one\nFrom: a@b.c\n\nText\n";

fn mbox(mails: &[&str]) -> String {
    mails.iter().map(|mail| format!("{LINE}\n{mail}\n")).collect()
}

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
fn what_is_no_mail_is_told() {
    assert_eq!(stream(b"hello\nworld\n", "x.mbox").kinds(), [TroubleKind::NotAnMbox]);
    assert_eq!(stream(b"hello\nworld\n", "x.txt").kinds(), [TroubleKind::Skipped]);
    assert_eq!(stream(b"", "x.mbox").kinds(), [TroubleKind::EmptyFile]);
    assert_eq!(stream(b"!BDN1234SM", "x.pst").kinds(), [TroubleKind::Unsupported("Outlook PST")]);
    assert_eq!(stream(b"!BDN1234SO", "x.ost").kinds(), [TroubleKind::Unsupported("Outlook OST")]);
    assert_eq!(stream(b"\xCF\xAD\x12\xFE\xC5", "Inbox.dbx").kinds(), [TroubleKind::Unsupported("Outlook Express DBX")]);
    assert_eq!(stream(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 ..", "m.msg").kinds(), [TroubleKind::Unsupported("Outlook MSG")]);
    assert_eq!(stream(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 ..", "m.doc").kinds(), [TroubleKind::Skipped]);
}

#[test]
fn single_mails_are_verbatim() {
    let with_line = format!("{LINE}\n{MAIL}");
    for text in [with_line.as_str(), MAIL, "anything", "Subject: cr\rFrom: a@b\r\rText\r"] {
        assert_eq!(stream(text.as_bytes(), "x.eml").texts(), [text]);
    }
    assert_eq!(stream("Subject: cr\rFrom: a@b\r\rText\r".as_bytes(), "").texts(), ["Subject: cr\rFrom: a@b\r\rText\r"]);
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
fn a_file_named_mbox_with_bare_cr_is_one_mail() {
    let text = "From a@b Sat Jan  3 01:05:34 1996\rSubject: cr\rFrom: a@b\r\r".to_owned() + &"Text\r".repeat(300);
    assert_eq!(stream(text.as_bytes(), "x.mbox").texts(), [text]);
}

#[test]
fn maildirs_have_flags_dates_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let with_line = format!("{LINE}\n{MAIL}");
    put(root, "cur/1030651659.M1P1.host,S=12:2,SR", &with_line);
    put(root, "new/1030651660.M1P1.host", MAIL);
    put(root, "tmp/1030651661.M1P1.host", MAIL);
    put(root, "dovecot.index", "x");
    put(root, ".Lists.B&APw-cher/cur/1030651662.a!2,F", MAIL);
    fs::create_dir_all(root.join(".Empty/cur")).unwrap();
    fs::create_dir_all(root.join(".Empty/new")).unwrap();
    fs::create_dir_all(root.join(".Lists.B&APw-cher/new")).unwrap();
    let (summary, got) = tree(root);
    let seen: Vec<_> = got.mails.iter().map(|got| (got.folder.as_str(), got.flags.as_deref(), got.date)).collect();
    assert_eq!(
        seen,
        [("", Some("RS"), Some(1_030_651_659)), ("", None, Some(1_030_651_660)), ("Lists/B\u{fc}cher", Some("F"), Some(1_030_651_662)),]
    );
    assert_eq!(got.mails[0].mail, with_line.as_bytes());
    assert_eq!((summary.skipped_files, got.kinds()), (0, vec![]));
    assert!(got.folders.contains(&"Empty".to_owned()));
}

#[test]
fn mh_folders_are_read_by_number() {
    let folder = tempfile::tempdir().unwrap();
    for number in ["10", "9", "100"] {
        put(folder.path(), &format!("inbox/{number}"), format!("Subject: {number}\n\n"));
        put(folder.path(), &format!("plain/{number}"), format!("Subject: {number}\n\n"));
    }
    put(folder.path(), "inbox/.mh_sequences", "cur: 10\n");
    put(folder.path(), "inbox/11", format!("{LINE}\n{MAIL}"));
    put(folder.path(), "plain/12", " folded: without a first line\nFrom: a@b\n\n");
    put(folder.path(), "numbers/1", "no mail");
    let (_, got) = tree(folder.path());
    let sources: Vec<_> = got.mails.iter().map(|got| got.source.as_str()).collect();
    assert_eq!(sources, ["inbox/9", "inbox/10", "inbox/11", "inbox/100", "plain/9", "plain/10", "plain/12", "plain/100"]);
    assert_eq!(got.mails[2].from_line, None);
    assert_eq!(got.kinds(), [TroubleKind::Skipped]);
}

#[test]
fn trees_of_thunderbird_and_apple_mail_become_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "tb/Inbox", mbox(&[MAIL]));
    put(root, "tb/Inbox.msf", "index");
    put(root, "tb/Empty", "");
    put(root, "tb/Inbox.sbd/Work", mbox(&[MAIL]));
    put(root, "apple/Old.mbox/mbox", mbox(&[MAIL]));
    put(root, "apple/Old.mbox/table_of_contents", "x");
    let emlx = format!(
        "{}      \n{MAIL}<plist><dict><key>date-received</key>\n<integer>1300000000</integer><key>flags</key>\n\t<integer>8590195717</integer></dict></plist>",
        MAIL.len()
    );
    let inner = "apple/V.mbox/Sub.mbox/0A1B2C3D-0000-1111-2222-333344445555/Data/3/Messages";
    put(root, &format!("{inner}/1.emlx"), &emlx);
    put(root, &format!("{inner}/2.partial.emlx"), &emlx);
    put(root, &format!("{inner}/3.emlx"), emlx.replace("8590195717", "3"));
    let (summary, got) = tree(root);
    let folders: Vec<_> = got.mails.iter().map(|got| got.folder.as_str()).collect();
    assert_eq!(folders, ["apple/Old", "apple/V/Sub", "apple/V/Sub", "tb/Inbox", "tb/Inbox/Work"]);
    assert!(got.mails.iter().all(|got| got.mail == MAIL.as_bytes()));
    assert_eq!((got.mails[1].flags.as_deref(), got.mails[1].date), (Some("RS"), Some(1_300_000_000)));
    assert_eq!((summary.deleted, got.kinds()), (1, vec![TroubleKind::Partial, TroubleKind::EmptyFile]));
    assert!(got.folders.contains(&"tb/Empty".to_owned()));
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn packed_mailboxes_are_read_as_they_come() {
    let text = mbox(&[MAIL, MAIL]);
    assert_eq!(stream(&gzipped(text.as_bytes()), "x.mbox.gz").texts(), [MAIL, MAIL]);
    assert_eq!(stream(&zstd::encode_all(text.as_bytes(), 3).unwrap(), "").texts(), [MAIL, MAIL]);
    let long = format!("{}/cur/1030651659.a:2,S", "d".repeat(150));
    let files: [(&str, &[u8]); 4] = [
        ("Takeout/Mail/All mail.mbox", text.as_bytes()),
        ("md/.Sub/cur/1030651659.a:2,S", MAIL.as_bytes()),
        (&long, MAIL.as_bytes()),
        ("Takeout/index.html", b"<html>"),
    ];
    let deep = "d".repeat(150);
    let expected = ["Takeout/Mail/All mail", "Takeout/Mail/All mail", "md/Sub", deep.as_str()];
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("x.tgz", gzipped(&tarred(&files))), ("x.tar", tarred(&files)), ("x.zip", zipped(&files))] {
        let got = stream(&bytes, name);
        assert_eq!(got.mails.iter().map(|got| got.folder.as_str()).collect::<Vec<_>>(), expected, "{name}");
        assert_eq!((got.kinds(), got.mails[2].flags.as_deref()), (vec![TroubleKind::Skipped], Some("S")));
        assert_eq!(got.mails[0].source, "Takeout/Mail/All mail.mbox");
        put(folder.path(), name, bytes);
    }
    let (summary, got) = tree(folder.path());
    assert_eq!((got.mails.len(), summary.skipped_files), (12, 3));
    assert!(summary.bytes <= size(folder.path()) + 64, "{} read of {}", summary.bytes, size(folder.path()));
    assert!(got.mails.iter().all(|got| got.folder.starts_with("x/")), "{:?}", got.mails);
    assert_eq!(tree(&folder.path().join("x.zip")).1.mails.len(), 4);
}

#[test]
fn damaged_packed_files_give_what_comes_before_the_damage() {
    let text = mbox(&[MAIL, MAIL]);
    let gz = gzipped(text.as_bytes());
    let cut = stream(&gz[..gz.len() - 8], "x.gz");
    assert_eq!(cut.mails.len(), 2);
    assert!(matches!(cut.kinds().as_slice(), [TroubleKind::Cut(_)]), "{:?}", cut.troubles);
    let tar = tarred(&[("a.mbox", text.as_bytes())]);
    let cut = stream(&tar[..600], "x.tar");
    assert!(matches!(cut.kinds().first(), Some(TroubleKind::Cut(_))), "{:?}", cut.troubles);
    let mut nested = gzipped(text.as_bytes());
    for _ in 0..MAX_NESTING {
        nested = gzipped(&nested);
    }
    assert_eq!(stream(&nested, "").kinds(), [TroubleKind::TooDeep]);
}

#[test]
fn a_bomb_is_stopped() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(b"Subject: bomb\n\n").unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..1100 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    struct Failing(bool, Vec<TroubleKind>);
    impl SourceVisitor for Failing {
        fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
            let Body::Stream { rest, .. } = item.body else { panic!("streamed") };
            self.0 = std::io::copy(rest, &mut std::io::sink()).is_err();
            ControlFlow::Continue(())
        }
        fn trouble(&mut self, trouble: Trouble) {
            self.1.push(trouble.kind);
        }
    }
    let mut failing = Failing(false, Vec::new());
    read_stream(bomb.as_slice(), "x.eml.zst", SourceOptions::default(), &mut failing);
    assert_eq!((failing.0, failing.1), (true, vec![TroubleKind::Bomb]));
}

#[test]
fn lines_of_old_transports_among_the_fields_do_not_hide_a_length() {
    let body = "A\n\nFrom x@y Sat Jan  3 01:05:34 1996\n\nB\n";
    let mail = format!("Subject: 1\n>From x Sat Jan  3 01:05:34 1996 remote from y\nContent-Length: {}\n\n{body}", body.len());
    assert_eq!(stream(mbox(&[&mail, MAIL]).as_bytes(), "").texts(), [mail.as_str(), MAIL]);
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_and_links_are_read() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xE9 100%25.eml");
    fs::write(folder.path().join(name), MAIL).unwrap();
    std::os::unix::fs::symlink(folder.path().join(name), folder.path().join("link.eml")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    let (summary, got) = tree(folder.path());
    let sources: Vec<_> = got.mails.iter().map(|got| got.source.as_str()).collect();
    assert_eq!(sources, ["caf%E9 100%2525.eml", "link.eml"]);
    assert_eq!((got.kinds(), summary.skipped_files), (vec![TroubleKind::LinkNotFollowed], 1));
}

#[test]
fn names_of_mailboxes_lose_what_says_that_they_are() {
    for (name, folder) in
        [("a.mbox", "a"), ("b.mbox.gz", "b"), ("c.tar.gz", "c"), ("d.tgz", "d"), ("Inbox", "Inbox"), ("e.txt", "e.txt"), (".mbox", ".mbox")]
    {
        assert_eq!(folder_name(Path::new(name)), folder);
    }
}

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
