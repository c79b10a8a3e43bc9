//! What the exit code says of sources that are no mail or cannot be read, and of files that a command might write over.

mod fixture;

use std::process::Stdio;

use fixture::{MBOX, Place, files};
use serde_json::json;

#[test]
fn receipts_are_written_over_nothing_but_receipts() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    place.write("notes.txt", b"mine");
    std::fs::create_dir(place.at("mails")).unwrap();
    place.write("mails/a.mbox", MBOX);
    for args in [
        &["import", "in.mbox", "--receipts", "in.mbox"][..],
        &["import", "--receipts", "in.mbox", "mails/a.mbox"],
        &["import", "mails", "--receipts", "mails/a.mbox"],
        &["import", "mails", "--receipts", "mails/new.jsonl"],
        &["import", "in.mbox", "--receipts", "notes.txt"],
        &["import", "in.mbox", "--receipts", "-"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
    }
    assert_eq!(std::fs::read(place.at("in.mbox")).unwrap(), MBOX);
    assert_eq!(std::fs::read(place.at("mails/a.mbox")).unwrap(), MBOX);
    assert_eq!(std::fs::read(place.at("notes.txt")).unwrap(), b"mine");
    for _ in 0..2 {
        place.ok(&["import", "in.mbox", "--receipts", "receipts.jsonl"]);
        assert_eq!(std::fs::read_to_string(place.at("receipts.jsonl")).unwrap().lines().count(), 2);
    }
}

#[test]
fn a_source_without_mail_is_one_and_not_all_there() {
    let place = Place::with_mails();
    place.write("old.7z", b"7z\xBC\xAF\x27\x1C\0\x04aaaaaaaaa");
    place.write("secret.gpg", b"\x85\x01\x0C\x03aaaaaaaaaaaaaaaaaaaaaaaaa");
    std::fs::create_dir(place.at("papers")).unwrap();
    place.write("papers/page.html", b"<html>");
    for source in ["old.7z", "secret.gpg", "papers"] {
        for command in ["check", "import"] {
            let ran = place.run(&[command, source]);
            assert_eq!(ran.code, 1, "{command} {source}: {}", ran.err);
            assert!(!ran.out.contains("all are in the archive"), "{}", ran.out);
        }
    }
    place.write("empty.mbox", b"");
    place.ok(&["check", "empty.mbox"]);
    place.write("papers/in.mbox", MBOX);
    let ran = place.ok(&["check", "papers"]);
    assert!(ran.err.contains("in no archive: 1"), "{}", ran.err);
}

#[test]
fn a_source_that_cannot_be_read_does_not_keep_the_others_out() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    let ran = place.run(&["--json", "import", "nothing.mbox", "in.mbox"]);
    let sums = ran.last();
    let counted = ["read", "stored", "failed", "unreadable_sources"].map(|name| sums[name].as_u64().unwrap());
    assert_eq!((ran.code, counted), (1, [2, 2, 0, 1]), "what cannot be read is no mail: {}", ran.out);
    assert_eq!(ran.json()[0]["source"], "nothing.mbox");
    assert!(place.ok(&["show", "1:0", "--raw"]).bytes.starts_with(b"From: Anna"));
    let ran = place.run(&["--json", "check", "nothing.mbox", "in.mbox"]);
    assert_eq!((ran.code, &ran.last()["present"], &ran.last()["unreadable_sources"]), (1, &json!(2), &json!(1)), "{}", ran.out);
    for command in ["import", "check"] {
        let ran = place.run(&["--json", command, "nothing.mbox"]);
        assert_eq!((ran.code, &ran.last()["error"]["code"]), (3, &json!("source")));
    }
}

/// The exit code of a command that answers by it does not hang on who reads its output.
#[test]
fn a_closed_pipe_changes_no_answer() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    for args in [&["--json", "check", "in.mbox"][..], &["check", "in.mbox"], &["--json", "import", "in.mbox", "nothing.mbox"]] {
        let mut command = place.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(1), "{args:?}");
    }
    assert_eq!(place.ok(&["--json", "stats"]).last()["messages"], 2);
}

#[test]
fn bad_use_is_told_in_one_object_of_json() {
    let place = Place::with_mails();
    let message = |args: &[&str]| {
        let ran = place.run(args);
        assert_eq!((ran.code, &ran.last()["error"]["code"]), (2, &json!("usage")), "{args:?}");
        ran.last()["error"]["message"].as_str().unwrap().to_owned()
    };
    assert!(message(&["--json", "import"]).contains("SOURCE"), "{}", message(&["--json", "import"]));
    assert!(message(&["--json", "key"]).contains("command is missing"), "{}", message(&["--json", "key"]));
    let mut child = place.command(&["--json", "nonsense"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn archives_and_keys_lie_apart() {
    let place = Place::with_archive();
    let keys = files(&place.at("config"));
    for args in [
        &["init", "arch/inner", "--owner", "bob", "--recovery-key-file", "second.txt"][..],
        &["init", "new", "--owner", "bob", "--recovery-key-file", "new/recovery.txt"],
        &["init", "new", "--owner", "bob", "--recovery-key-file", "second.txt", "--key-file", "new/key"],
        &["init", "recovery.txt", "--owner", "bob", "--recovery-key-file", "second.txt"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
    }
    let mut command = place.command(&["init", "new", "--owner", "bob", "--recovery-key-file", "second.txt"]);
    assert_eq!(command.env("XDG_CONFIG_HOME", place.at("new/config")).status().unwrap().code(), Some(2));
    assert!(!place.at("new").exists() && !place.at("arch/inner").exists() && !place.at("second.txt").exists());
    assert_eq!(files(&place.at("config")), keys);
}

#[test]
fn files_that_are_no_keys_are_twelve() {
    let place = Place::with_mails();
    place.write("bytes", b"\xFF\xFE\xFD");
    place.write("long", &vec![b'a'; 100_000]);
    let mut names = vec!["bytes", "long"];
    if cfg!(unix) {
        names.push("/dev/zero");
    }
    for name in names {
        let ran = place.run(&["--json", "ls", "--key-file", name]);
        assert_eq!((ran.code, &ran.last()["error"]["code"]), (12, &json!("bad_key")), "{name}");
    }
}
