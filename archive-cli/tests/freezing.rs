//! `freeze`: a command runs while nothing changes.
#![cfg(unix)]

mod fixture;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use fixture::{Place, Ran, files};
use serde_json::json;

#[test]
fn a_copy_under_freeze_opens_with_the_recovery_key_alone_and_has_every_mail() {
    let place = Place::with_mails();
    let archive = place.at("arch");
    let ran = place.ok(&["-a", "arch", "freeze", "--", "cp", "-a", "arch", "copy"]);
    assert!(ran.out.is_empty() && ran.err.contains("nothing in the archive changed for "), "{}{}", ran.out, ran.err);
    let listed = place.ok(&["-a", "arch", "--json", "ls", "--messages"]).out;
    let raw = place.ok(&["-a", "arch", "show", "1:1", "--raw"]).bytes;
    // The copy must need nothing else.
    std::fs::remove_dir_all(archive).unwrap();
    std::fs::remove_dir_all(place.at("config")).unwrap();
    std::fs::remove_dir_all(place.at("state")).ok();
    let key = ["-a", "copy", "--recovery-key-file", "recovery.txt"];
    let with_key = |words: &[&str]| place.ok(&[key.as_slice(), words].concat());
    assert_eq!(with_key(&["--json", "ls", "--messages"]).out, listed);
    assert!(with_key(&["show", "1:1", "--raw"]).bytes == raw);
    let checked = with_key(&["check", "in.mbox"]);
    assert!(!checked.err.contains("recovered from a crash"), "{}", checked.err);
    with_key(&["verify"]);
    place.write("more.mbox", b"From a@example.com Mon Mar  4 10:00:00 2024\nSubject: more\n\nwords\n");
    with_key(&["import", "more.mbox"]);
    with_key(&["verify"]);
}

#[test]
fn the_command_gets_the_folder_and_its_arguments_and_its_exit_code_is_the_answer() {
    let place = Place::with_archive();
    let script = "echo \"$MAILKEEP_ARCHIVE|$1\"; read line; exit 7";
    let ran = place.run(&["-a", "arch", "--json", "freeze", "--max", "2h", "--", "sh", "-c", script, "sh", "--max"]);
    let (said, summary) = ran.out.split_once('\n').unwrap();
    assert_eq!(said, format!("{}|--max", place.at("arch").display()));
    let summary: serde_json::Value = serde_json::from_str(summary).unwrap();
    assert_eq!((ran.code, &summary["event"], &summary["held"], &summary["exit"]), (7, &json!("summary"), &json!(true), &json!(7)));
    assert!(summary["seconds"].as_f64().unwrap() >= 0.0);

    let killed = place.run(&["-a", "arch", "--json", "freeze", "--", "sh", "-c", "kill -KILL $$"]);
    assert_eq!((killed.code, &killed.last()["exit"]), (137, &json!(137)));
    assert_eq!(place.run(&["-a", "arch", "-q", "freeze", "--", "true"]).err, "");
}

#[test]
fn a_command_that_ends_after_the_time_is_warned_of_and_exits_with_1() {
    let place = Place::with_archive();
    // No command ends within a nanosecond.
    let late = ["-a", "arch", "--json", "freeze", "--max", "1ns", "--", "true"];
    let ran = place.run(&late);
    assert_eq!((ran.code, &ran.last()["held"], &ran.last()["exit"]), (1, &json!(false), &json!(0)));
    assert!(ran.err.contains("before true ended: what it copied is no backup"), "{}", ran.err);
}

#[test]
fn what_cannot_be_run_is_named_and_nothing_stays_frozen() {
    let place = Place::with_mails();
    let before = files(&place.at("arch"));
    let ran = place.run(&["--json", "-a", "arch", "freeze", "--", "no-such-command", "x"]);
    let error = &ran.last()["error"];
    assert_eq!((ran.code, &error["code"], &error["context"]["path"]), (3, &json!("io"), &json!("no-such-command")));
    assert_eq!(files(&place.at("arch")), before);
    for wrong in [["freeze", "--max", "5", "--", "true"].as_slice(), &["freeze", "--"], &["freeze"], &["freeze", "true"]] {
        assert_eq!(place.run(wrong).code, 2, "{wrong:?}");
    }
    place.ok(&["-a", "arch", "import", "in.mbox"]);
}

#[test]
fn p14_the_archive_is_in_use_meanwhile_and_a_signal_ends_the_command_and_thaws() {
    let place = Place::with_mails();
    let mut frozen = place.command(&["--json", "-a", "arch", "freeze", "--", "sh", "-c", "echo runs; exec sleep 600"]);
    let mut frozen = frozen.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(frozen.stdout.take().unwrap());
    let mut said = String::new();
    out.read_line(&mut said).unwrap();
    assert_eq!(said, "runs\n");
    for writes in [["import", "in.mbox"].as_slice(), &["freeze", "--", "true"]] {
        let ran = place.run(&[["--json", "-a", "arch"].as_slice(), writes].concat());
        assert_eq!((ran.code, &ran.last()["error"]["code"]), (11, &json!("in_use")));
    }
    place.ok(&["-a", "arch", "search", "invoice"]);
    assert!(std::process::Command::new("kill").args(["-TERM", &frozen.id().to_string()]).status().unwrap().success());
    said.clear();
    // Its end is that of the command too, which has the pipe open.
    std::io::Read::read_to_string(&mut out, &mut said).unwrap();
    let mut ran = Ran::from(frozen.wait_with_output().unwrap());
    ran.out = said;
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (130, &json!("stopped")), "{}", ran.out);
    let after = place.ok(&["-a", "arch", "import", "in.mbox"]);
    assert!(!after.err.contains("recovered from a crash"), "{}", after.err);
}
