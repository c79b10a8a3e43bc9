//! What names of files and folders mean: other encodings, other programs' trees.

use super::*;

/// A mail in a folder, which is a Maildir if the path leads to `cur`.
fn put_mail(root: &Path, path: &str) {
    put(root, path, MAIL);
    if let Some((maildir, _)) = path.split_once("/cur/") {
        fs::create_dir_all(root.join(maildir).join("new")).unwrap();
    }
}

fn folders_of(path: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    put_mail(folder.path(), path);
    let (_, got) = tree(folder.path());
    assert_eq!(got.mails.len(), 1, "{path}: {:?}", got.troubles);
    got.mails[0].folder.clone()
}

#[test]
fn names_in_modified_utf7_are_decoded_where_they_encode_back() {
    for (name, decoded) in [
        ("Entw&APw-rfe", "Entw\u{fc}rfe"),
        ("&ZeVnLIqe-", "\u{65e5}\u{672c}\u{8a9e}"),
        ("&2D3eAA-", "\u{1f600}"),
        ("Q&-A", "Q&A"),
        ("a&AOQA9gD8-b&AN8-", "a\u{e4}\u{f6}\u{fc}b\u{df}"),
        ("&BB8EPgRH-", "\u{41f}\u{43e}\u{447}"),
        // Not encoded.
        ("AT&T", "AT&T"),
        ("R&D-2014", "R&D-2014"),
        ("Tom & Ada - 2014", "Tom & Ada - 2014"),
        ("&AGE-", "&AGE-"),
        ("&APw-&APw-", "&APw-&APw-"),
        ("&APx-", "&APx-"),
        ("\u{fc}&APw-", "\u{fc}&APw-"),
        ("&AAo-", "&AAo-"),
        ("&2D0-", "&2D0-"),
        ("&AC8-", "&AC8-"),
    ] {
        assert_eq!(folders_of(&format!("{name}/cur/1030651659.a:2,S")), decoded, "a Maildir");
        assert_eq!(folders_of(&format!("x/{name}/1.eml")), format!("x/{decoded}"), "a folder");
        assert_eq!(folder_name(Path::new(name)), decoded, "the source itself");
        assert_eq!(folder_name(Path::new(&format!("{name}.mbox.gz"))), decoded, "a mailbox");
        let tar = stream(&tarred(&[(&format!("{name}/1.eml"), MAIL.as_bytes())]), "x.tar");
        assert_eq!((tar.mails[0].folder.as_str(), tar.mails[0].source.as_str()), (decoded, format!("{name}/1.eml").as_str()), "a tar");
    }
    assert_eq!(folders_of(".A&APw-b.C/cur/1030651659.a:2,S"), "A\u{fc}b/C");
    // Courier encodes what separates folders.
    assert_eq!(folders_of(".v1&AC4-0.&APwALg-x/cur/1030651659.a:2,S"), "v1.0/\u{fc}.x");
}

#[test]
fn folders_in_folders_of_kmail_lie_in_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put_mail(root, "Mail/inbox/cur/1393837300.M2.host:2,S");
    put(root, "Mail/.inbox.index", "x");
    put(root, "Mail/.inbox.index.ids", "x");
    put(root, "Mail/.inbox.index.sorted", "x");
    put(root, "Mail/.directory", "[Desktop Entry]");
    put_mail(root, "Mail/.inbox.directory/Sub/cur/1393837300.M3.host:2,S");
    put_mail(root, "Mail/.inbox.directory/.Sub.directory/Deep/cur/1393837300.M4.host:2,S");
    put(root, "Mail/.old.mails.directory/box", mbox(&[MAIL]));
    put(root, "Mail/.old.mails.directory/.box.index", "x");
    let (summary, got) = tree(root);
    let mut folders: Vec<_> = got.mails.iter().map(|got| got.folder.as_str()).collect();
    folders.sort_unstable();
    assert_eq!(folders, ["Mail/inbox", "Mail/inbox/Sub", "Mail/inbox/Sub/Deep", "Mail/old.mails/box"]);
    assert_eq!((summary.skipped_files, got.kinds()), (0, vec![]));
    assert_eq!(folder_name(Path::new("Mail/.inbox.directory")), "inbox");
    let tar = stream(&tarred(&[("Mail/.inbox.directory/Sub/cur/1393837300.M3.host:2,S", MAIL.as_bytes())]), "x.tar");
    assert_eq!(tar.mails[0].folder, "Mail/inbox/Sub");
    // A Maildir of that name is one of Maildir++.
    assert_eq!(folders_of(".inbox.directory/cur/1393837300.M3.host:2,S"), "inbox/directory");
}

#[test]
fn copies_that_thunderbird_makes_for_the_desktop_are_passed_over() {
    let files: [(&str, &[u8]); 4] = [
        ("tb/Inbox", &mbox(&[MAIL]).into_bytes()),
        ("tb/Inbox.mozmsgs/1.wdseml", MAIL.as_bytes()),
        ("tb/Inbox.mozmsgs/2.mozeml", MAIL.as_bytes()),
        ("tb/apart/3.wdseml", MAIL.as_bytes()),
    ];
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| put(folder.path(), name, bytes));
    put(folder.path(), "x.tar", tarred(&files));
    let (summary, got) = tree(folder.path());
    // A copy in another place may be the only one.
    assert_eq!(got.mails.iter().map(|got| got.folder.as_str()).collect::<Vec<_>>(), ["x/tb/Inbox", "x/tb/apart", "tb/Inbox", "tb/apart"]);
    assert_eq!((summary.skipped_files, got.kinds()), (0, vec![]));
}

/// A zip of one mail whose name is these bytes, with or without the flag of UTF-8, and with an extra field.
fn zip_of(name: &[u8], is_utf8: bool, extra: &[u8]) -> Vec<u8> {
    let flag: u16 = if is_utf8 { 0x0800 } else { 0 };
    let (crc, len) = (crc32fast::hash(MAIL.as_bytes()).to_le_bytes(), (MAIL.len() as u32).to_le_bytes());
    let (name_len, extra_len) = ((name.len() as u16).to_le_bytes(), (extra.len() as u16).to_le_bytes());
    let common = [&[20, 0][..], &flag.to_le_bytes(), &[0; 6], &crc, &len, &len, &name_len, &extra_len].concat();
    let local = [&b"PK\x03\x04"[..], &common, name, extra, MAIL.as_bytes()].concat();
    let central = [&b"PK\x01\x02\x14\x00"[..], &common, &[0; 14], name, extra].concat();
    let (size, start) = ((central.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes());
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &size, &start, &[0, 0]].concat();
    [local, central, end].concat()
}

#[test]
fn names_in_zips_without_the_flag_are_utf8_or_cp437() {
    let unicode = |name: &[u8], text: &str| {
        let field = [&[1][..], &crc32fast::hash(name).to_le_bytes(), text.as_bytes()].concat();
        [&[0x75, 0x70][..], &(field.len() as u16).to_le_bytes(), &field].concat()
    };
    let cases: [(&[u8], bool, Vec<u8>, &str); 7] = [
        (b"Gel\x94scht/1.eml", false, vec![], "Gel\u{f6}scht"),
        (b"\x8E\x99\x9A\x84\x94\x81\xE1/1.eml", false, vec![], "\u{c4}\u{d6}\u{dc}\u{e4}\u{f6}\u{fc}\u{df}"),
        (b"R\x82sum\x82/1.eml", false, vec![], "R\u{e9}sum\u{e9}"),
        ("Gel\u{f6}scht/1.eml".as_bytes(), false, vec![], "Gel\u{f6}scht"),
        ("\u{65e5}\u{672c}/1.eml".as_bytes(), true, vec![], "\u{65e5}\u{672c}"),
        (b"Gel?scht/1.eml", false, unicode(b"Gel?scht/1.eml", "Gel\u{f6}scht/1.eml"), "Gel\u{f6}scht"),
        (b"Gel\x94scht/1.eml", false, unicode(b"Gel\x94scht/1.eml", "Gel\u{151}scht/1.eml"), "Gel\u{151}scht"),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (name, is_utf8, extra, folder) in cases {
        let zip = zip_of(name, is_utf8, &extra);
        put(dir.path(), "x.zip", &zip);
        for got in [tree(&dir.path().join("x.zip")).1, stream(&zip, "x.zip")] {
            assert_eq!(got.mails.len(), 1, "{folder}: {:?}", got.troubles);
            assert_eq!((got.mails[0].folder.as_str(), got.mails[0].source.as_str()), (folder, format!("{folder}/1.eml").as_str()));
        }
    }
    // A field made for another name is ignored.
    put(dir.path(), "x.zip", zip_of(b"Gel\x94scht/1.eml", false, &unicode(b"other", "wrong/1.eml")));
    assert_eq!(tree(&dir.path().join("x.zip")).1.mails[0].folder, "Gel\u{f6}scht");
}
