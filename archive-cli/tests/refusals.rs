//! What is refused, and with which exit code and words.

mod fixture;

use std::io::Write;
use std::process::Stdio;

use fixture::{MBOX, Place, Ran, files};
use serde_json::json;

#[test]
fn bad_use_is_two() {
    let place = Place::with_mails();
    for args in [
        &["frobnicate"][..],
        &["search"],
        &["search", "a", "--sort", "colour"],
        &["search", "a", "--store", "9"],
        &["search", "a", "--after", "yesterdays"],
        &["search", "a", "--cursor", "00ff"],
        &["search", "a thread:1"],
        &["search", "a", "--why", "1:77"],
        &["show", "1:99"],
        &["show", "1"],
        &["show", "1:77", "--thread"],
        &["show", "1:0", "--part", "77"],
        &["ls", "anna/nothing"],
        &["export", "out", "--folder", "anna/nothing"],
        &["search", "a OR (("],
        &["import", "in.mbox", "--failed", "arch/x"],
        &["import", "in.mbox", "--failed", "arch/lost+found/deeper"],
        &["import", "in.mbox", "--receipts", "arch/stores/1/records/000001.mkr"],
        &["import", "in.mbox", "--receipts", "arch/receipts"],
        &["show", "1:0", "-o", "new.txt"],
        &["show", "1:0", "--thread", "-o", "new.txt"],
        &["export", "in.mbox"],
        &["verify", "--part", "4/3"],
        &["verify", "--part", "1/2", "--quick"],
        &["verify", "--store", "nothing"],
        &["key", "remove-passphrase", "00000000"],
        &["init", "second", "--owner", "x"],
        &["init", "arch", "--owner", "x", "--recovery-key-file", "new.txt"],
    ] {
        let ran = place.run(args);
        // An unclosed group is closed by the end of the query.
        let expected = if args == ["search", "a OR (("] { 0 } else { 2 };
        assert_eq!(ran.code, expected, "{args:?}: {}{}", ran.out, ran.err);
    }
    assert!(!place.at("second").exists() && !place.at("new.txt").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn results_that_cannot_be_printed_are_reported_on_standard_error() {
    let place = Place::with_mails();
    for args in [&["ls"][..], &["search", "*"], &["--json", "search", "*"], &["show", "1:0", "--raw", "-o", "-"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = place.command(args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.code() == Some(3) && err.contains("No space left"), "{args:?}: {err}");
    }
}

#[test]
fn no_archive_is_ten() {
    let place = Place::new();
    let ran = place.run(&["ls"]);
    assert_eq!(ran.code, 10, "{}", ran.err);
    assert!(ran.err.contains("MAILKEEP_ARCHIVE"));
    let ran = place.run(&["--json", "-a", "nothing", "ls"]);
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (10, &json!("not_an_archive")));
    assert!(ran.err.is_empty());
}

#[test]
fn p14_a_second_writer_is_eleven_and_readers_go_on() {
    let place = Place::with_mails();
    let mut first = place.command(&["import", "-"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = first.stdin.take().unwrap();
    // It has the archive when it takes more than a pipe holds.
    input.write_all(&b"From: a@example.com\n\nx\n".repeat(20_000)).unwrap();
    let ran = place.run(&["--json", "import", "-"]);
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (11, &json!("in_use")));
    assert!(ran.last()["error"]["context"]["holder"].as_str().unwrap().contains(&first.id().to_string()));
    let readers: [&[&str]; 9] = [
        &["ls"],
        &["search", "*"],
        &["show", "1:0"],
        &["export", "-", "--format", "mbox"],
        &["stats"],
        &["verify"],
        &["verify", "--quick"],
        &["lost"],
        &["key", "status"],
    ];
    for args in readers {
        place.ok(args);
    }
    let refused = place.run(&["verify", "--accept"]);
    assert_eq!(refused.code, 11, "{}", refused.err);
    drop(input);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    place.ok(&["ls"]);
}

#[test]
fn no_key_or_a_wrong_one_is_twelve() {
    let place = Place::with_mails();
    let other = Place::with_archive();
    let foreign = files(&other.at("config/mailkeep/keys")).remove(0);
    let foreign = foreign.to_str().unwrap();
    let ran = place.run(&["ls", "--key-file", foreign]);
    assert_eq!(ran.code, 12);
    assert!(ran.err.contains("belongs to another archive") && ran.err.contains("opens with recovery key"), "{}", ran.err);
    place.write("phrase", b"no such phrase\n");
    let ran = place.run(&["--json", "ls", "--passphrase-file", "phrase"]);
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (12, &json!("wrong_key")));
    std::fs::remove_dir_all(place.at("config")).unwrap();
    let ran = place.run(&["-a", "arch", "ls"]);
    assert_eq!(ran.code, 12);
    assert!(ran.err.contains("recovery key") && ran.err.contains("--key-file"), "{}", ran.err);
    place.ok(&["-a", "arch", "ls", "--recovery-key-file", "recovery.txt"]);
}

#[test]
fn keys_are_added_confirmed_and_removed() {
    let place = Place::with_archive();
    assert_eq!(place.ok(&["--json", "key", "status"]).last()["recovery_key"], "unconfirmed");
    place.ok(&["key", "confirm", "--recovery-key-file", "recovery.txt"]);
    assert_eq!(place.ok(&["--json", "key", "status"]).last()["recovery_key"], "confirmed");
    place.write("phrase", b"four words make one\n");
    let slot = place.ok(&["--json", "key", "add-passphrase", "--new-passphrase-file", "phrase"]).last();
    place.ok(&["key", "test", "--passphrase-file", "phrase"]);
    let mut command = place.command(&["ls"]);
    command.env("MAILKEEP_PASSPHRASE", "four words make one");
    assert_eq!(command.status().unwrap().code(), Some(0));
    place.ok(&["key", "remove-passphrase", slot["slot"].as_str().unwrap()]);
    assert_eq!(place.run(&["key", "test", "--passphrase-file", "phrase"]).code, 12);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with_archive();
    for path in [files(&place.at("config/mailkeep/keys")).remove(0), place.at("recovery.txt")] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn nothing_is_made_where_keys_cannot_be_kept() {
    let place = Place::new();
    place.write("recovery.txt", b"mine");
    let ran = place.run(&["init", "arch", "--owner", "anna", "--recovery-key-file", "recovery.txt"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(std::fs::read(place.at("recovery.txt")).unwrap(), b"mine");
    assert!(!place.at("arch").exists() && files(&place.at("config")).is_empty());
}

#[test]
fn controls_reach_a_reader_only_in_raw_bytes() {
    let place = Place::with_mails();
    for args in
        [&["search", "draft"][..], &["show", "1:1"], &["ls", "--messages"], &["show", "1:1", "--record"], &["show", "1:1", "--headers"]]
    {
        let ran = place.ok(args);
        assert!(!ran.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{args:?}: {}", ran.out);
    }
    assert!(place.ok(&["show", "1:1"]).out.contains("\\u{1b}]0;title\\u{7}"));
    assert!(place.ok(&["search", "draft"]).out.contains("\\u{1b}[31mred\\u{202e}"));
    assert!(place.ok(&["show", "1:1", "--raw"]).bytes.contains(&0x1b));
}

#[test]
fn attachments_stay_in_their_folder_and_write_over_nothing() {
    let place = Place::with_mails();
    place.ok(&["show", "1:1", "--save", "deep/er/out"]);
    place.ok(&["show", "1:1", "--save", "deep/er/out"]);
    let saved = files(&place.at("deep"));
    assert_eq!(saved, [place.at("deep/er/out/x"), place.at("deep/er/out/x (1)")]);
    assert_eq!(std::fs::read(&saved[0]).unwrap(), b"hello");
    assert_eq!(place.ok(&["show", "1:1", "--part", "2"]).bytes, b"hello");
    assert_eq!(place.run(&["show", "1:1", "--raw", "-o", "in.mbox"]).code, 2);
    assert_eq!(std::fs::read(place.at("in.mbox")).unwrap(), MBOX);
}

fn imported(name: &str, bytes: &[u8]) -> (Place, Ran) {
    let place = Place::with_archive();
    place.write(name, bytes);
    let ran = place.run(&["--json", "import", name]);
    let sums = ran.last();
    let sum = |name: &str| sums[name].as_u64().unwrap();
    assert_eq!(sum("read"), sum("stored") + sum("duplicate") + sum("failed"), "{}", ran.out);
    (place, ran)
}

#[test]
fn bad_inputs_are_named_and_the_sums_add_up() {
    let (_, ran) = imported("not.mbox", b"this is no mailbox\nat all\n");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("\"event\":\"trouble\""));
    let (_, ran) = imported("empty.mbox", b"");
    assert_eq!((ran.code, &ran.last()["read"]), (1, &json!(0)));
    let (_, ran) = imported("cut.mbox", &MBOX[..400]);
    assert_eq!((ran.code, &ran.last()["stored"]), (0, &json!(2)));
    let (place, ran) = imported("nul.eml", b"From: a@example.com\nSubject: nul\n\na\0b\0\n");
    assert_eq!((ran.code, &ran.last()["stored"]), (0, &json!(1)));
    assert_eq!(place.ok(&["show", "1:0", "--raw"]).bytes, b"From: a@example.com\nSubject: nul\n\na\0b\0\n");
}

#[test]
fn p12_what_could_not_be_archived_is_put_aside_with_the_reason() {
    let place = Place::with_archive();
    place.write("not.mbox", b"this is no mailbox\nat all\n");
    place.write("lead.mbox", &[b"lost words\n\n", MBOX].concat());
    let ran = place.run(&["--json", "import", "not.mbox", "lead.mbox", "--failed", "failed/here"]);
    assert_eq!((ran.code, &ran.last()["stored"], &ran.last()["failed"]), (1, &json!(2), &json!(2)), "{}", ran.out);
    let names: Vec<_> = files(&place.at("failed/here")).into_iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["000001.bytes", "000001.reason", "000002.bytes", "000002.reason"]);
    let read = |name: &str| std::fs::read_to_string(place.at("failed/here").join(name)).unwrap();
    assert_eq!((read("000001.bytes"), read("000002.bytes")), ("this is no mailbox\nat all\n".into(), "lost words\n\n".into()));
    assert!(read("000001.reason").starts_with("source: not.mbox\noffset: 0\nreason: is not an mbox"), "{}", read("000001.reason"));
    // A second import puts its own beside them, over nothing.
    place.run(&["import", "not.mbox", "--failed", "failed/here"]);
    assert_eq!(files(&place.at("failed/here")).len(), 6);
    assert_eq!(place.run(&["import", "lead.mbox", "--failed", "not.mbox"]).code, 2, "no folder, and in the way");
}

#[test]
fn p6_a_part_of_the_archive_is_verified_at_a_time() {
    let place = Place::with_mails();
    for part in ["1/3", "2/3", "3/3"] {
        assert_eq!(place.ok(&["--json", "verify", "--part", part]).last()["damaged"], 0, "{part}");
    }
    assert_eq!(place.ok(&["--json", "verify", "--store", "1"]).last()["damaged"], 0);
    let container = place.at("arch/stores/1/content/000001.mkc");
    let mut bytes = std::fs::read(&container).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&container, bytes).unwrap();
    let damaged: u64 =
        ["1/2", "2/2"].map(|part| place.run(&["--json", "verify", "--part", part]).last()["damaged"].as_u64().unwrap()).iter().sum();
    assert!(damaged > 0, "one of the parts has it");
}

#[test]
fn a_source_inside_the_archive_is_refused() {
    let place = Place::with_archive();
    assert_eq!(place.run(&["import", "arch/stores"]).code, 2);
    assert_eq!(place.run(&["import", "nothing.mbox"]).code, 3);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_unicode_are_taken() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::with_archive();
    let name = std::ffi::OsStr::from_bytes(b"b\xf6se.mbox");
    std::fs::write(place.at("").join(name), MBOX).unwrap();
    let ran = Ran::from(place.command(&["--json", "import", "--receipts", "r"]).arg(name).output().unwrap());
    assert_eq!((ran.code, &ran.last()["stored"]), (0, &json!(2)), "{}", ran.out);
    let folders = place.ok(&["--json", "ls"]).json();
    assert!(folders.iter().any(|folder| folder["messages"] == 2), "{folders:?}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::with_archive();
    let mails =
        (0..3000).map(|n| format!("From a@example.com Mon Mar  4 10:00:00 2024\nFrom: a@example.com\nSubject: number {n}\n\nword\n\n"));
    place.write("many.mbox", mails.collect::<String>().as_bytes());
    place.ok(&["import", "many.mbox"]);
    let mut child = place.command(&["search", "word"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn a_query_comes_from_standard_input_too() {
    let place = Place::with_mails();
    let mut child = place.command(&["--json", "search", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"invoice OR draft\n").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.last()["total"], 2);
    assert_eq!(place.ok(&["search", "hello", "-draft", "--count"]).out, "1\n");
    assert_eq!(place.ok(&["search", "--phrase", "here on", "--not", "draft", "--count"]).out, "1\n");
    assert_eq!(place.ok(&["--json", "search", "*", "--limit", "1"]).last()["total"], 2);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_an_import_and_what_has_a_receipt_stays() {
    let place = Place::with_archive();
    let mut child = place.command(&["--json", "import", "-", "--receipts", "receipts", "--commit", "each"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mail = b"From a@example.com Mon Mar  4 10:00:00 2024\nFrom: a@example.com\nSubject: s\n\nword\n\n";
    let mut sent = 0;
    // A source without end: only the signal ends it.
    while std::fs::read(place.at("receipts")).unwrap_or_default().is_empty() && sent < 1_000_000 {
        input.write_all(&[mail.as_slice(), format!("From: {sent}\n\n").as_bytes()].concat()).unwrap();
        sent += 1;
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    while input.write_all(mail).is_ok() {}
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (130, &json!("stopped")), "{}", ran.out);
    let receipts = std::fs::read_to_string(place.at("receipts")).unwrap();
    for line in receipts.lines().take(3) {
        let receipt: serde_json::Value = serde_json::from_str(line).unwrap();
        place.ok(&["show", receipt["id"].as_str().unwrap(), "--raw"]);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_an_import_that_waits_for_its_input() {
    let place = Place::with_archive();
    let mut child = place.command(&["--json", "import", "-", "--receipts", "receipts"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(MBOX).unwrap();
    // More than a pipe holds, so that it waits in the middle of a mail when this returns, or will.
    input
        .write_all(&[b"From a@example.com Mon Mar  4 10:00:00 2024\nSubject: cut\n\n".as_slice(), &b"words\n".repeat(100_000)].concat())
        .unwrap();
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (130, &json!("stopped")), "{}", ran.out);
    let summary = ran.json().into_iter().find(|line| line["event"] == "summary").expect("a summary");
    assert_eq!((&summary["failed"], &summary["read"]), (&json!(0), &summary["stored"]));
    let kept = place.ok(&["--json", "ls", "--messages"]);
    assert!(!kept.out.contains("cut"), "half a mail is none: {}", kept.out);
    drop(input);
}

/// An import that ends with an error used to say that nothing was read.
#[cfg(target_os = "linux")]
#[test]
fn p12_an_import_that_fails_says_what_has_a_receipt() {
    let place = Place::with_archive();
    let mails = (0..400).map(|n| format!("From a@example.com Mon Mar  4 10:00:00 2024\nSubject: {n}\n\n{}\n\n", "word ".repeat(n)));
    place.write("many.mbox", mails.collect::<String>().as_bytes());
    // No file of this process may be longer than 200 KiB, so a container cannot grow: the write fails, as on a full disk.
    let program = env!("CARGO_BIN_EXE_mailkeep");
    let line = format!("ulimit -f 200; exec {program} --json import many.mbox --commit each --receipts r");
    let mut shell = std::process::Command::new("bash");
    shell
        .arg("-c")
        .arg(line)
        .current_dir(place.at(""))
        .env("XDG_CONFIG_HOME", place.at("config"))
        .env("MAILKEEP_ARCHIVE", place.at("arch"));
    let ran = Ran::from(shell.output().unwrap());
    let receipts = std::fs::read_to_string(place.at("r")).unwrap_or_default().lines().count();
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (3, &json!("disk_full")), "{} {}", ran.out, ran.err);
    let lines = ran.json();
    let summary = lines.iter().find(|line| line["event"] == "summary").expect("a summary");
    assert!(receipts > 0, "{}", ran.out);
    assert_eq!((&summary["read"], &summary["stored"]), (&json!(receipts), &json!(receipts)));
}

#[test]
fn a_damaged_store_is_told_by_every_command_and_takes_no_mail() {
    let place = Place::with_mails();
    assert!(!place.ok(&["ls"]).err.contains("damaged"));
    let records = place.at("arch/stores/1/records/000001.mkr");
    let mut bytes = std::fs::read(&records).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&records, bytes).unwrap();
    std::fs::remove_dir_all(place.at("arch/stores/1/catalog")).unwrap();
    let ran = place.run(&["ls"]);
    assert!(ran.code == 0 && ran.err.contains("damaged and accepts no mail"), "{}", ran.err);
    let ran = place.run(&["--json", "import", "in.mbox"]);
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (3, &json!("needs_repair")), "{}", ran.out);
    let ran = place.run(&["verify"]);
    assert!(ran.code == 1 && ran.out.contains("000001.mkr") && ran.out.contains("not known"), "{}{}", ran.out, ran.err);
}
