//! What damage does to exit codes, and how it stops being an alarm.

#[allow(dead_code, reason = "shared with other tests")]
mod fixture;

use std::path::PathBuf;

use fixture::{Place, files};

fn file(place: &Place, extension: &str) -> PathBuf {
    let all = files(&place.at("arch/stores"));
    all.into_iter().find(|path| path.extension().is_some_and(|found| found == extension)).expect("a file")
}

/// An archive whose one block of mails is damaged.
fn damaged() -> Place {
    let place = Place::with_mails();
    let path = file(&place, "mkc");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    place
}

#[test]
fn damage_that_is_accepted_or_healed_is_listed_apart_with_exit_code_0() {
    let place = damaged();
    assert_eq!(place.run(&["verify"]).code, 1);
    assert_eq!(place.run(&["export", "out"]).code, 1, "what is lost is not exported");
    for args in [&["verify", "--accept", "--quick"][..], &["verify", "--accept", "--part", "1/2"]] {
        assert_eq!(place.run(args).code, 2, "what it costs is not known then");
    }
    let said = place.ok(&["--json", "verify", "--accept"]).last();
    assert_eq!((&said["damaged"], said["accepted"].as_u64() > Some(0)), (&0.into(), true), "{said}");
    let said = place.ok(&["verify"]);
    assert!(said.out.contains("(accepted)") && !said.out.contains("all is well"), "{}{}", said.out, said.err);

    place.ok(&["import", "in.mbox"]);
    let said = place.ok(&["--json", "verify"]);
    assert_eq!((&said.last()["damaged"], &said.last()["accepted"]), (&0.into(), &0.into()), "{}", said.out);
    assert!(said.json().iter().any(|line| line["event"] == "healed" && !line["messages"].as_array().unwrap().is_empty()), "{}", said.out);
    place.ok(&["export", "again"]);
}

#[test]
fn verify_and_export_exit_with_1_where_the_open_found_damage() {
    let place = Place::with_mails();
    let path = file(&place, "mkr");
    let mut bytes = std::fs::read(&path).unwrap();
    let len = bytes.len();
    bytes[len - 300..].fill(0);
    std::fs::write(&path, bytes).unwrap();
    std::fs::remove_dir_all(path.parent().unwrap().parent().unwrap().join("catalog")).unwrap();
    for args in [&["verify"][..], &["verify", "--quick"], &["export", "out"]] {
        let ran = place.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn recovery_from_a_crash_is_a_notice_with_exit_code_0() {
    let place = Place::with_mails();
    assert!(!place.ok(&["verify"]).err.contains("recovered"), "nothing happened");
    let path = file(&place, "mkc");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend([0x5a; 500]);
    std::fs::write(&path, &bytes).unwrap();
    let said = place.ok(&["--json", "verify"]);
    let event = said.json().into_iter().find(|line| line["event"] == "recovered").expect("an event");
    assert_eq!((&event["bytes_put_aside"], &event["commit_taken_over"]), (&500.into(), &false.into()));
    bytes.extend([0x5a; 100]);
    std::fs::write(&path, &bytes).unwrap();
    let said = place.ok(&["lost"]);
    assert!(said.err.contains("recovered from a crash"), "{}", said.err);
}

#[test]
fn a_compaction_that_leaves_a_damaged_file_exits_with_1_and_the_next_goes_on() {
    let place = damaged();
    place.ok(&["delete", "1:1", "--reason", "a test"]);
    let ran = place.run(&["compact"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("\nnot rewritten: ") && ran.err.contains("may still be in"), "{}{}", ran.out, ran.err);
    let again = place.run(&["--json", "compact"]);
    assert_eq!((again.code, &again.last()["resumed"]), (1, &true.into()), "{}", again.out);
    assert!(again.last()["left"][0]["path"].as_str().unwrap().ends_with(".mkc"), "{}", again.out);

    place.ok(&["import", "in.mbox"]);
    let said = place.ok(&["compact"]).out;
    assert!(said.starts_with("went on with an earlier compaction that was not finished\n"), "{said}");
    place.ok(&["verify"]);
    assert_eq!(place.ok(&["compact"]).out, "nothing to erase\n");
}
