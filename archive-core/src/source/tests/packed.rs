//! Packed mailboxes.

use super::*;

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
