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
    place.write("papers/in.mbox", MBOX);
    let ran = place.ok(&["check", "papers"]);
    assert!(ran.err.contains("1 file, named above"), "{}", ran.err);
}

#[test]
fn a_source_that_cannot_be_read_does_not_keep_the_others_out() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    let ran = place.run(&["--json", "import", "nothing.mbox", "in.mbox"]);
    let sums = ran.last();
    let counted = ["read", "stored", "failed", "unreadable_sources"].map(|name| sums[name].as_u64().unwrap());
    assert_eq!((ran.code, counted), (1, [2, 2, 0, 1]), "what cannot be read is no mail: {}", ran.out);
    assert_eq!(sums["sources_without_mail"], 0);
    assert_eq!(ran.json()[0]["source"], "nothing.mbox");
    let ran = place.run(&["import", "nothing.mbox", "in.mbox"]);
    assert!(ran.code == 1 && ran.err.contains("1 source could not be read"), "{}", ran.err);
    assert!(ran.err.contains("read 2 = stored 0 + duplicate 2 + failed 0"), "{}", ran.err);
    assert!(place.ok(&["show", "1:0", "--raw"]).bytes.starts_with(b"From: Anna"));
    let ran = place.run(&["--json", "check", "nothing.mbox", "in.mbox"]);
    assert_eq!((ran.code, &ran.last()["present"], &ran.last()["unreadable_sources"]), (1, &json!(2), &json!(1)), "{}", ran.out);
    let ran = place.run(&["check", "nothing.mbox", "in.mbox"]);
    assert!(ran.code == 1 && ran.out.contains("a source cannot be read"), "{}{}", ran.out, ran.err);
    for command in ["import", "check"] {
        let ran = place.run(&["--json", command, "nothing.mbox"]);
        assert_eq!((ran.code, &ran.last()["error"]["code"]), (3, &json!("source")));
    }
}

#[test]
fn no_source_that_gives_no_mail_is_all_there() {
    let place = Place::with_mails();
    place.write("line.mbox", b"From a@b.example Mon Mar  3 10:00:00 2014");
    place.write("line-end.mbox", b"From a@b.example Mon Mar  3 10:00:00 2014\n\n");
    place.write("empty.mbox", b"");
    place.write("blank.mbox", b"\n\n\n");
    place.write("zeros.eml", &[0; 100]);
    for folder in ["folder", "box", "box/cur", "box/new"] {
        std::fs::create_dir(place.at(folder)).unwrap();
    }
    place.write("folder/Empty", b"");
    for source in ["line.mbox", "line-end.mbox", "empty.mbox", "blank.mbox", "zeros.eml", "folder", "box"] {
        for sources in [&[source][..], &[source, "in.mbox"]] {
            for command in [&["import"][..], &["check"], &["import", "--dry-run"]] {
                let args = [command, sources].concat();
                let ran = place.run(&args);
                assert_eq!(ran.code, 1, "{args:?}: {}", ran.err);
                assert!(ran.err.contains(source), "{args:?}: {}", ran.err);
                assert!(!ran.out.contains("all are in the archive"), "{args:?}: {}", ran.out);
            }
        }
        let ran = place.run(&["--json", "check", source]);
        assert!(ran.json().iter().any(|line| line["source"] == source && line["loss"] == true), "{}", ran.out);
    }
    // An empty mailbox among others is none.
    place.write("folder/in.mbox", MBOX);
    place.ok(&["import", "folder"]);
    place.ok(&["check", "folder"]);
}

#[test]
fn incomplete_mails_are_archived_and_counted_in_one_line() {
    let place = Place::with_archive();
    let mail = "From: a@b.example\nSubject: part\n\nText\n";
    let plist = "<?xml version=\"1.0\"?><plist/>";
    std::fs::create_dir(place.at("mail")).unwrap();
    for number in 1..=3 {
        let mail = mail.replace("part", &format!("part {number}"));
        place.write(&format!("mail/{number}.partial.emlx"), format!("{}\n{mail}{plist}", mail.len()).as_bytes());
    }
    place.write("mail/4.emlx", format!("{}\n{mail}{plist}", mail.len()).as_bytes());
    for command in ["import", "check"] {
        let ran = place.ok(&[command, "mail"]);
        assert_eq!(ran.err.matches("incomplete").count(), 1, "{}", ran.err);
        assert!(ran.err.contains("3 incomplete in the source"), "{}", ran.err);
        let ran = place.ok(&["--json", command, "mail"]);
        let sums = ran.last();
        assert_eq!((&sums["read"], &sums["failed"], &sums["incomplete"]), (&json!(4), &json!(0), &json!(3)));
        assert_eq!(ran.json().iter().filter(|line| line["event"] == "trouble" && line["loss"] == false).count(), 3);
    }
    assert_eq!(place.ok(&["--json", "stats"]).last()["messages"], 4);
}

#[test]
fn deleted_mails_are_counted_and_taken_on_demand() {
    let place = Place::with_archive();
    std::fs::create_dir(place.at("mh")).unwrap();
    for (name, subject) in [("1", "kept"), (",2", "deleted"), ("#3", "deleted too")] {
        place.write(&format!("mh/{name}"), format!("From: a@b.example\nSubject: {subject}\n\nText\n").as_bytes());
    }
    for command in ["import", "check"] {
        let ran = place.ok(&[command, "mh"]);
        assert!(ran.err.contains("2 marked as deleted"), "{}", ran.err);
        assert_eq!(place.ok(&["--json", command, "mh"]).last()["deleted"], 2);
    }
    assert_eq!(place.run(&["check", "mh", "--with-deleted"]).code, 1);
    place.ok(&["import", "mh", "--with-deleted"]);
    assert_eq!(place.ok(&["--json", "check", "mh", "--with-deleted"]).last()["present"], 3);
}

#[test]
fn mail_of_kinds_that_are_not_supported_is_one_beside_other_mail_too() {
    let place = Place::with_archive();
    std::fs::create_dir(place.at("mail")).unwrap();
    place.write("mail/in.mbox", MBOX);
    place.ok(&["import", "mail"]);
    place.ok(&["check", "mail"]);
    place.write("mail/RMAIL", b"BABYL OPTIONS: -*- rmail -*-\nVersion: 5\n\x1f");
    for command in ["import", "check"] {
        let ran = place.run(&[command, "mail"]);
        assert!(ran.code == 1 && ran.err.contains("RMAIL") && ran.err.contains("Babyl"), "{}", ran.err);
        assert!(!ran.out.contains("all are in the archive"), "{}", ran.out);
    }
}

/// Names in sources are those of anybody.
#[cfg(unix)]
#[test]
fn what_a_source_is_called_forges_no_line() {
    let place = Place::with_archive();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Link);
    header.set_size(0);
    let name = "a\nsource: forged\u{1b}[31m";
    tar.append_link(&mut header, name, name).unwrap();
    std::fs::create_dir(place.at("in")).unwrap();
    place.write("in/x.tar", &tar.into_inner().unwrap());
    place.write("in/b\noffset: 7\u{9b}.pst", b"!BDN1234SM");
    let ran = place.run(&["import", "in", "--failed", "failed"]);
    assert_eq!(ran.code, 1);
    assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{9b}'), "{:?}", ran.err);
    assert!(ran.err.lines().all(|line| !line.starts_with("source:") && !line.starts_with("offset:")), "{}", ran.err);
    let reasons = files(&place.at("failed"));
    assert_eq!(reasons.len(), 2);
    for path in reasons {
        let text = std::fs::read_to_string(path).unwrap();
        let begins: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(begins, ["source:", "offset:", "reason:"], "{text}");
        assert!(!text.trim_end().replace('\n', "").chars().any(char::is_control), "{text:?}");
    }
    let ran = place.run(&["import", "no\nsuch: file"]);
    assert_eq!((ran.code, ran.err.lines().filter(|line| line.starts_with("such")).count()), (3, 0), "{}", ran.err);
}

#[test]
fn an_export_removes_what_a_broken_one_left() {
    let place = Place::with_mails();
    place.ok(&["export", "out"]);
    let whole = files(&place.at("out"));
    let leave = || {
        for name in ["out/.mailkeep-partial", "out/anna/.mailkeep-partial", "out/.mailkeep-partial-SHA256SUMS"] {
            place.write(name, b"From: a@b.example\n\nhalf a m");
        }
    };
    leave();
    let report = place.run(&["--json", "check", "out"]).last();
    assert_eq!((&report["read"], &report["skipped_files"]), (&json!(2), &json!(3)));
    place.ok(&["export", "out", "--update"]);
    assert_eq!(files(&place.at("out")), whole);
    std::fs::create_dir(place.at("new")).unwrap();
    place.write("new/.mailkeep-partial", b"half");
    place.ok(&["export", "new"]);
    assert_eq!(files(&place.at("new")).len(), 2);
}

#[test]
fn mailboxes_with_line_ends_of_cr_go_in_and_out() {
    let place = Place::with_archive();
    let text = String::from_utf8_lossy(MBOX).replace('\n', "\r");
    place.write("mac.mbox", text.as_bytes());
    assert_eq!(place.ok(&["--json", "import", "mac.mbox"]).last()["stored"], 2);
    assert_eq!(place.ok(&["--json", "search", "invoice"]).json()[0]["subject"], "Grüße");
    place.ok(&["check", "mac.mbox"]);
    place.ok(&["export", "eml"]);
    place.ok(&["check", "eml"]);
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
    assert!(message(&["--json", "key"]).contains("no command given"), "{}", message(&["--json", "key"]));
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

#[test]
fn a_lone_source_that_cannot_be_read_is_named_once() {
    let place = Place::with_archive();
    for command in ["import", "check"] {
        let ran = place.run(&[command, "missing.mbox"]);
        assert_eq!((ran.code, ran.err.matches("missing.mbox").count()), (3, 1), "{command}: {}", ran.err);
    }
}
