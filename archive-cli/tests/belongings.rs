//! What belongs in an archive and what does not: outputs stay outside, foreign files are named, keys are closed to others, and of two that make
//! an archive in one folder one does.

mod fixture;

use std::path::Path;

use fixture::{Place, files};
use serde_json::json;

/// Files of the archive and their bytes, but for the note in the lock.
fn bytes_of(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = files(dir).into_iter().filter(|path| !path.ends_with("write.lock"));
    files.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

/// Runs a line of the shell in the folder of the test.
#[cfg(unix)]
fn sh(place: &Place, line: &str) -> bool {
    std::process::Command::new("sh").args(["-c", line]).current_dir(place.at("")).status().unwrap().success()
}

#[test]
fn nothing_in_clear_is_written_into_the_archive() {
    let place = Place::with_mails();
    std::fs::create_dir(place.at("out")).unwrap();
    let before = bytes_of(&place.at("arch"));
    let refused = |args: &[&str]| {
        let ran = place.run(args);
        assert!(ran.code == 2 && ran.err.contains("is inside the archive"), "{args:?}: {} {}{}", ran.code, ran.out, ran.err);
    };
    let into = |target: &str| {
        let below = format!("{target}/x");
        refused(&["show", "1:0", "--raw", "-o", &below]);
        refused(&["show", "1:0", "--headers", "-o", &below]);
        refused(&["show", "1:1", "--save", target]);
        refused(&["show", "1:1", "--save", &below]);
        refused(&["import", "in.mbox", "--receipts", &below]);
        refused(&["import", "in.mbox", "--failed", &below]);
        refused(&["man", &below]);
        let ran = place.run(&["export", &below]);
        assert_eq!(ran.code, 2, "{target}: {}", ran.err);
    };
    into("arch");
    into("arch/stores/1");
    into("out/../arch");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(place.at("arch/stores"), place.at("link")).unwrap();
        into("link");
        // Links to what is not there yet.
        symlink("arch/new", place.at("dangling")).unwrap();
        symlink(place.at("dangling"), place.at("out/twice")).unwrap();
        into("dangling");
        into("out/twice");
        for path in ["dangling", "out/twice"] {
            refused(&["show", "1:0", "--raw", "-o", path]);
            refused(&["import", "in.mbox", "--receipts", path]);
        }
        // A store that lies elsewhere is the archive's all the same.
        std::fs::rename(place.at("arch/stores/1"), place.at("store")).unwrap();
        symlink(place.at("store"), place.at("arch/stores/1")).unwrap();
        into("store");
        into("store/content");
        std::fs::remove_file(place.at("arch/stores/1")).unwrap();
        std::fs::rename(place.at("store"), place.at("arch/stores/1")).unwrap();
    }
    assert_eq!(bytes_of(&place.at("arch")), before);
    place.ok(&["show", "1:0", "--raw", "-o", "out/mail.eml"]);
    assert_eq!(std::fs::read(place.at("out/mail.eml")).unwrap(), place.ok(&["show", "1:0", "--raw", "-o", "-"]).bytes);
    place.ok(&["show", "1:1", "--save", "out/saved"]);
    place.ok(&["man", "out/man"]);
}

/// Only root may mount.
#[cfg(target_os = "linux")]
#[test]
fn nothing_in_clear_is_written_through_a_mount_of_the_archive() {
    let place = Place::with_mails();
    std::fs::create_dir(place.at("mount")).unwrap();
    let mount = |args: &[&str]| std::process::Command::new("mount").args(args).output().is_ok_and(|ran| ran.status.success());
    let (arch, at) = (place.at("arch/stores/1/content"), place.at("mount"));
    if !mount(&["--bind", arch.to_str().unwrap(), at.to_str().unwrap()]) {
        println!("skipped: nothing can be mounted here");
        return;
    }
    let refused = [&["show", "1:0", "--raw", "-o", "mount/x"][..], &["import", "in.mbox", "--receipts", "mount/x"], &["export", "mount/x"]]
        .map(|args| place.run(args));
    assert!(std::process::Command::new("umount").arg(&at).status().unwrap().success());
    for ran in refused {
        assert_eq!(ran.code, 2, "{}", ran.err);
    }
}

#[test]
fn verify_names_what_does_not_belong_and_calls_it_no_damage() {
    let place = Place::with_mails();
    assert_eq!(place.ok(&["--json", "verify"]).last()["foreign"], 0);
    place.write("arch/notes.txt", b"mine");
    place.write("arch/stores/1/content/letter.eml", b"mine");
    let said = place.ok(&["--json", "verify"]);
    let foreign: Vec<_> = said.json().into_iter().filter(|line| line["event"] == "foreign").collect();
    assert_eq!(foreign.len(), 2, "{foreign:?}");
    assert!(foreign[0]["file"].as_str().unwrap().ends_with("notes.txt") && foreign[1]["file"].as_str().unwrap().ends_with("letter.eml"));
    assert_eq!((&said.last()["foreign"], &said.last()["damaged"]), (&json!(2), &json!(0)));
    let said = place.ok(&["verify"]);
    assert!(said.out.contains("notes.txt: does not belong in the archive") && said.out.contains("all is well"), "{}{}", said.out, said.err);
}

#[test]
fn an_unfinished_archive_is_said_to_be_one_and_made_again() {
    let place = Place::with_archive();
    for name in ["archive.mk", "archive.mk.2"] {
        std::fs::remove_file(place.at("arch").join(name)).unwrap();
    }
    for name in ["catalog", "index"] {
        for path in files(&place.at("arch/stores/1").join(name)) {
            std::fs::remove_file(path).unwrap();
        }
    }
    // As it is before anything else was written: a header alone.
    let records = std::fs::OpenOptions::new().write(true).open(place.at("arch/stores/1/records/000001.mkr")).unwrap();
    records.set_len(144).unwrap();
    let ran = place.run(&["--json", "-a", "arch", "ls"]);
    assert_eq!((ran.code, &ran.last()["error"]["code"]), (10, &json!("unfinished_creation")), "{}", ran.out);
    place.ok(&["init", "arch", "--owner", "anna", "--recovery-key-file", "second.txt"]);
    place.ok(&["-a", "arch", "verify", "--recovery-key-file", "second.txt"]);
}

/// Both used to say "made", and neither's keys opened it.
#[test]
fn of_two_inits_of_one_folder_one_makes_it_and_the_other_leaves_no_keys() {
    let place = Place::new();
    for round in 0..5 {
        let dir = format!("arch{round}");
        let start = |name: &str| {
            let mut command = place.command(&["init", &dir, "--owner", name, "--recovery-key-file", &format!("{dir}.{name}")]);
            command.env("XDG_CONFIG_HOME", place.at(name)).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            command.spawn().unwrap()
        };
        let both = ["anna", "berta"].map(start).map(|mut child| child.wait().unwrap().code());
        let (winner, loser) = if both[0] == Some(0) { ("anna", "berta") } else { ("berta", "anna") };
        assert!(both.contains(&Some(0)) && (both.contains(&Some(2)) || both.contains(&Some(11))), "round {round}: {both:?}");
        assert!(!place.at(&format!("{dir}.{loser}")).exists(), "round {round}: a key that opens nothing");
        let said = place.ok(&["--json", "-a", &dir, "verify", "--recovery-key-file", &format!("{dir}.{winner}")]).last();
        assert_eq!((&said["damaged"], &said["foreign"]), (&json!(0), &json!(0)), "round {round}");
    }
}

#[cfg(unix)]
#[test]
fn an_archive_is_for_its_owner_alone_unless_its_folder_says_otherwise() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = Place::with_mails();
    assert_eq!((mode(&place.at("arch")), mode(&place.at("arch/archive.mk"))), (0o700, 0o600));
    // As docs/CLI.md gives a group access.
    assert!(sh(&place, "chmod -R g+rX arch && chmod g+s arch"));
    place.ok(&["import", "in.mbox", "--into", "anna/more"]);
    for path in files(&place.at("arch")) {
        assert_eq!(mode(&path) & 0o077, 0o040, "{}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_warned_of_with_the_command_that_mends_it() {
    let place = Place::with_mails();
    assert!(!place.ok(&["ls"]).err.contains("chmod"));
    let key = files(&place.at("config/mailkeep/keys")).remove(0);
    std::fs::copy(&key, place.at("a key's copy")).unwrap();
    assert!(sh(&place, "chmod 640 config/mailkeep/keys/* && chmod 604 \"a key's copy\""));
    let said = place.ok(&["--json", "ls"]);
    assert!(said.err.contains(&format!("chmod 600 '{}'", key.display())), "{}", said.err);
    let said = place.ok(&["ls", "--key-file", "a key's copy"]);
    let command = said.err.lines().find_map(|line| line.split("fix it with: ").nth(1)).unwrap().to_owned();
    assert!(sh(&place, &command), "{command}");
    assert!(!place.ok(&["ls", "--key-file", "a key's copy"]).err.contains("chmod"));
}
