//! What packed and counted files hide or lose is reported, and what follows damage is read.

use super::*;

fn mail(word: &str) -> String {
    format!("Subject: {word}\n\n{word}\n")
}

#[test]
fn members_behind_a_broken_header_of_a_tar_are_read() {
    let mails = ["one", "two", "three"].map(mail);
    let mut tar = tarred(&[("1.eml", mails[0].as_bytes()), ("2.eml", mails[1].as_bytes()), ("3.eml", mails[2].as_bytes())]);
    // A member takes two blocks of 512: its header and its bytes.
    tar[1024] ^= 1;
    for bytes in [tar.clone(), gzipped(&tar)] {
        let got = stream(&bytes, "x.tar");
        assert_eq!(got.texts(), [mails[0].as_str(), &mails[2]]);
        assert!(matches!(got.kinds()[..], [TroubleKind::Cut(_)]), "{:?}", got.troubles);
        assert!(got.troubles[0].offset >= 1024);
    }
}

#[test]
fn a_cut_tar_is_told_once() {
    let long = mail(&"word ".repeat(2000));
    let tar = tarred(&[("1.eml", mail("one").as_bytes()), ("2.eml", long.as_bytes())]);
    for cut in [1024 + 200, 1024 + 512 + 700, tar.len() - 1024 - 600] {
        let got = stream(&tar[..cut], "x.tar");
        assert_eq!(got.mails[0].mail, mail("one").as_bytes());
        assert_eq!(got.troubles.iter().filter(|trouble| trouble.kind.is_loss()).count(), 1, "cut at {cut}: {:?}", got.troubles);
    }
    let packed = gzipped(&tar);
    let got = stream(&packed[..packed.len() - 20], "x.tgz");
    assert_eq!(got.troubles.iter().filter(|trouble| trouble.kind.is_loss()).count(), 1, "{:?}", got.troubles);
}

#[test]
fn links_and_devices_in_a_tar_are_told() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind, to: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, name, to).unwrap();
    };
    add("hard.eml", tar::EntryType::Link, "1.eml");
    add("soft.eml", tar::EntryType::Symlink, "1.eml");
    let got = stream(&builder.into_inner().unwrap(), "x.tar");
    assert!(
        matches!(&got.kinds()[..], [TroubleKind::Unreadable(why), TroubleKind::Skipped] if why.contains("1.eml")),
        "{:?}",
        got.troubles
    );
    assert_eq!(got.troubles[0].source, "hard.eml");
}

#[test]
fn members_of_a_zip_that_share_a_name_are_told() {
    let mut bytes = zipped(&[("a.eml", mail("first").as_bytes()), ("b.eml", mail("second").as_bytes())]);
    let dir = tempfile::tempdir().unwrap();
    for name in [&b"b.eml"[..]; 2] {
        let at = memchr::memmem::rfind(&bytes, name).unwrap();
        bytes[at] = b'a';
    }
    put(dir.path(), "x.zip", &bytes);
    let mut got = Collector::default();
    let summary = read_path(&dir.path().join("x.zip"), SourceOptions::default(), &mut got).unwrap();
    assert_eq!((summary.mails, summary.losses), (1, 1));
    assert!(matches!(&got.kinds()[..], [TroubleKind::Unreadable(why)] if why.starts_with("1 of its members cannot")), "{:?}", got.troubles);
}

#[test]
fn what_the_count_of_an_apple_mail_leaves_out_is_told() {
    let all = mail("short");
    let plist = "<?xml version=\"1.0\"?><plist/>";
    for count in [all.len() - 6, all.len()] {
        let got = stream(format!("{count}\n{all}{plist}").as_bytes(), "1.emlx");
        assert_eq!(got.texts(), [&all[..count]]);
        let left_out = if count < all.len() { vec![TroubleKind::BehindMail(6)] } else { Vec::new() };
        assert_eq!(got.kinds(), left_out);
        assert_eq!(got.lost, all.as_bytes()[count..]);
    }
    assert_eq!(stream(format!("{}\n{all}", all.len()).as_bytes(), "1.emlx").kinds(), []);
}

#[test]
fn packers_that_are_not_read_are_named() {
    let lost = |got: &Collector| got.kinds().iter().filter(|kind| matches!(kind, TroubleKind::Unsupported(_))).count();
    for (bytes, name) in [
        (&b"7z\xBC\xAF\x27\x1C\0\x04aaaa"[..], "old.7z"),
        (b"Rar!\x1A\x07\0aaaa", "old.rar"),
        (b"-----BEGIN PGP MESSAGE-----\n\nabc", "box.mbox.asc"),
        (b"BZh91AY", "box.bz2"),
    ] {
        assert_eq!(lost(&stream(bytes, name)), 1, "{name}");
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), name, bytes);
        put(dir.path(), &format!("inbox.mbox.{}", name.rsplit('.').next().unwrap()), bytes);
        let (summary, _) = tree(dir.path());
        let both_mailboxes = u64::from(name.contains(".mbox"));
        assert_eq!((summary.unsupported_files, summary.skipped_files), (1 + both_mailboxes, 1 - both_mailboxes), "{name}");
    }
}
