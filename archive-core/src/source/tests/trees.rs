//! Folders of files.

use super::*;

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

fn with_deleted(path: &Path, with_deleted: bool) -> (Summary, Vec<(String, Option<String>)>) {
    let mut got = Collector::default();
    let summary = read_path(path, SourceOptions { with_deleted, ..Default::default() }, &mut got).unwrap();
    assert_eq!(got.kinds(), []);
    (summary, got.mails.into_iter().map(|got| (got.source, got.flags)).collect())
}

#[test]
fn deleted_mails_of_mh_and_maildir_are_counted_and_taken_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in [
        "mh/1",
        "mh/,3",
        "mh/#4",
        "plain/1",
        "plain/,2",
        "gone/,7",
        "md/cur/1030651659.a:2,ST",
        "md/cur/1030651660.b:2,S",
        "md/new/1030651661.c",
    ] {
        put(root, name, MAIL);
    }
    put(root, "mh/,5", format!("{LINE}\n{MAIL}"));
    put(root, "mh/.mh_sequences", "cur: 1\n");
    let (summary, mails) = with_deleted(root, false);
    let sources: Vec<_> = mails.iter().map(|(source, _)| source.as_str()).collect();
    assert_eq!(sources, ["md/cur/1030651660.b:2,S", "md/new/1030651661.c", "mh/1", "plain/1"]);
    assert_eq!((summary.deleted, summary.skipped_files), (6, 0));
    let (summary, mails) = with_deleted(root, true);
    assert_eq!((mails.len(), summary.deleted), (10, 0));
    let marked = |source: &str| mails.iter().find(|(name, _)| name == source).unwrap().1.as_deref();
    assert_eq!((marked("mh/,3"), marked("mh/1"), marked("md/cur/1030651659.a:2,ST")), (Some("T"), None, Some("ST")));
    assert_eq!(with_deleted(&root.join("md/cur/1030651659.a:2,ST"), false).0.deleted, 1);
    assert_eq!(with_deleted(&root.join("mh/,3"), false).0.deleted, 1);
    put(root, "x.tar", tarred(&[("md/cur/1030651659.a:2,T", MAIL.as_bytes()), ("mh/,3", MAIL.as_bytes()), ("mh/1", MAIL.as_bytes())]));
    let (summary, mails) = with_deleted(&root.join("x.tar"), false);
    assert_eq!((summary.deleted, mails.len()), (2, 1));
    // Names that do not mean a deleted mail.
    for name in ["other/,a", "other/#", "other/,3x"] {
        put(root, name, MAIL);
    }
    assert_eq!(with_deleted(&root.join("other"), false).1.len(), 3);
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
    put(root, &format!("{inner}/4.partial.emlx"), emlx.replace("8590195717", "3"));
    let (summary, got) = tree(root);
    let folders: Vec<_> = got.mails.iter().map(|got| got.folder.as_str()).collect();
    assert_eq!(folders, ["apple/Old", "apple/V/Sub", "apple/V/Sub", "tb/Inbox", "tb/Inbox/Work"]);
    assert!(got.mails.iter().all(|got| got.mail == MAIL.as_bytes()));
    assert_eq!((got.mails[1].flags.as_deref(), got.mails[1].date), (Some("RS"), Some(1_300_000_000)));
    assert_eq!((summary.deleted, got.kinds()), (2, vec![TroubleKind::Partial, TroubleKind::EmptyFile]));
    assert_eq!((summary.incomplete, summary.losses, TroubleKind::Partial.is_loss()), (1, 0, false));
    assert!(got.folders.contains(&"tb/Empty".to_owned()));
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
