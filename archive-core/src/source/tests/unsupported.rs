//! Kinds that are not supported are reported.

use super::*;

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
fn mailboxes_of_kinds_that_are_not_read_are_named() {
    let dbox = b"2 M1e C53f5a0c2\n\x01\x02N      0000000000000096\nFrom: a@b.c\nSubject: x\n\n";
    let pegasus = [&b"WPM\0".repeat(32)[..], b"From: a@b.c\nSubject: x\n\n"].concat();
    let olm = zipped(&[("Local/com.microsoft.__Messages/Inbox/message_00000.xml", b"<xml/>")]);
    let cases: [(&str, &[u8], &str); 12] = [
        ("RMAIL", b"BABYL OPTIONS: -*- rmail -*-\nVersion: 5\n\x1f\x0c\n1,,\n*** EOOH ***\nFrom: a@b.c\n\n\x1f", "Babyl"),
        ("FOL00001.PMM", &pegasus, "Pegasus"),
        ("u.1", dbox, "dbox"),
        ("m.12", dbox, "dbox"),
        ("old.olm", &olm, "OLM"),
        ("renamed.zip", &olm, "OLM"),
        ("inbox", b"*mbx*\r\n12345678", "MBX"),
        ("x.mbx", b"*mbx*\r\n12345678", "MBX"),
        ("box.mbx", b"JMF9\0\0", "Outlook Express 4"),
        ("mail.nsf", b"\x1A\0\0\x04\0\0aaaa", "Notes"),
        ("x.pst", b"!BDN1234SM", "PST"),
        ("m.msg", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 ..", "MSG"),
    ];
    for (name, bytes, what) in cases {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), name, bytes);
        put(folder.path(), "in.mbox.gz", gzipped(mbox(&[MAIL]).as_bytes()));
        put(folder.path(), "all.tar", tarred(&[(name, bytes), ("1.eml", MAIL.as_bytes())]));
        for (path, times, mails) in [(folder.path().to_owned(), 2, 2), (folder.path().join(name), 1, 0)] {
            let (summary, got) = tree(&path);
            assert_eq!((summary.unsupported_files, summary.mails), (times, mails), "{name}: {:?}", got.troubles);
            assert!(got.kinds().iter().all(|kind| kind.is_loss() && kind.to_string().contains(what)), "{name}: {:?}", got.troubles);
        }
    }
}
