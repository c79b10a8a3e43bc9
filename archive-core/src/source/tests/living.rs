//! Files that are written while they are read, and what an unfinished export leaves.

use std::fs::{File, OpenOptions};
use std::time::{Duration, SystemTime};

use super::*;

/// Changes a file when the first mail of it comes.
struct Meddler<F: FnMut()> {
    change: F,
    mails: usize,
    troubles: Vec<TroubleKind>,
}

impl<F: FnMut()> SourceVisitor for Meddler<F> {
    fn item(&mut self, _: Item<'_>) -> ControlFlow<()> {
        if self.mails == 0 {
            (self.change)();
        }
        self.mails += 1;
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble.kind);
    }
}

fn read_changed(root: &Path, of: &Path, change: impl FnMut()) -> (Summary, Vec<TroubleKind>) {
    let mut meddler = Meddler { change, mails: 0, troubles: Vec::new() };
    let summary = read_path(root.join(of).as_path(), SourceOptions::default(), &mut meddler).unwrap();
    (summary, meddler.troubles)
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (root, path) = (folder.path(), folder.path().join("x.mbox"));
    // More than is read ahead.
    let long = format!("Subject: long\n\n{}", "word \n".repeat(400_000));
    let text = mbox(&[MAIL, &long, MAIL]);
    let begin = || {
        put(root, "x.mbox", &text);
        put(root, "y.mbox", mbox(&[MAIL]));
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    };
    let writing = || OpenOptions::new().write(true).open(&path).unwrap();
    let grows = || OpenOptions::new().append(true).open(&path).unwrap().write_all(mbox(&[MAIL]).as_bytes()).unwrap();
    let shrinks = || writing().set_len(1_000_000).unwrap();
    let is_written_over = || writing().write_all(b"From x").unwrap();
    let is_replaced = || {
        fs::rename(root.join("y.mbox"), &path).unwrap();
    };
    let changes: [&dyn Fn(); 4] = [&grows, &shrinks, &is_written_over, &is_replaced];
    for change in changes {
        for of in ["x.mbox", ""] {
            begin();
            let (summary, troubles) = read_changed(root, Path::new(of), change);
            assert_eq!(troubles.iter().filter(|kind| **kind == TroubleKind::Changed).count(), 1, "{troubles:?}");
            assert!(summary.losses >= 1);
        }
    }
    for change in [&(|| {}) as &dyn Fn(), &|| fs::remove_file(&path).unwrap()] {
        begin();
        let (summary, troubles) = read_changed(root, Path::new("x.mbox"), change);
        assert_eq!((summary.mails, summary.losses, troubles), (3, 0, vec![]));
    }
    put(root, "z.zip", zipped(&[("a.eml", MAIL.as_bytes()), ("b.eml", MAIL.as_bytes())]));
    let zip = root.join("z.zip");
    let (_, troubles) = read_changed(root, Path::new("z.zip"), || {
        OpenOptions::new().append(true).open(&zip).unwrap().write_all(b"x").unwrap();
    });
    assert_eq!(troubles, [TroubleKind::Changed]);
}

#[test]
fn what_a_broken_export_leaves_is_no_mail() {
    let folder = tempfile::tempdir().unwrap();
    for name in [".mailkeep-partial", "in/.mailkeep-partial", ".mailkeep-partial-SHA256SUMS"] {
        put(folder.path(), name, MAIL);
    }
    put(folder.path(), "in/1.eml", MAIL);
    let (summary, got) = tree(folder.path());
    assert_eq!((got.mails.len(), summary.skipped_files, summary.losses), (1, 3, 0));
    assert_eq!(tree(&folder.path().join(".mailkeep-partial")).1.kinds(), [TroubleKind::Skipped]);
}
