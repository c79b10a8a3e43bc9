//! `lost`: what a crash left half done.

mod fixture;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use archive_core::vfs::DiskVfs;
use archive_core::{Actor, Archive, Key, OpenOptions};
use fixture::{Place, files};

/// An archive whose writer was killed while it archived a mail of 300 KB, and that mail.
fn killed() -> (Place, Vec<u8>) {
    let place = Place::with_mails();
    let dir = place.at("arch");
    let records: PathBuf = files(&dir).into_iter().rfind(|path| path.to_string_lossy().contains("/records/")).unwrap();
    let before = fs::metadata(&records).unwrap().len();
    let key = files(&place.at("config")).into_iter().find(|path| path.extension().is_some_and(|end| end == "key")).unwrap();
    let key = Key::File(fs::read_to_string(key).unwrap().into());
    let mail = format!("From: c@example.com\nSubject: half done\n\n{}", "a line of a long mail\n".repeat(15_000)).into_bytes();
    let archive = Archive::open_on(Arc::new(DiskVfs::new()), &dir, &key, OpenOptions::default()).unwrap();
    archive.session(Actor::System).import_one(&mail, &"anna/Inbox".parse().unwrap()).unwrap();
    drop(archive);
    fs::OpenOptions::new().write(true).open(&records).unwrap().set_len(before).unwrap();
    (place, mail)
}

#[test]
fn p13_what_a_crash_left_is_listed_written_out_and_imported() {
    let (place, mail) = killed();
    let list = place.ok(&["--json", "lost"]);
    assert_eq!((list.last()["files"].as_u64(), list.last()["mails"].as_u64()), (Some(1), Some(1)), "{}", list.out);
    assert!(list.json()[0]["file"].as_str().unwrap().contains("lost+found"));
    assert!(place.ok(&["lost"]).err.contains("1 file, "));
    let stats = place.ok(&["--json", "stats"]).last();
    assert_eq!(stats["bytes_on_disk"]["lost_found"], list.last()["bytes"]);
    assert!(place.ok(&["stats"]).out.contains("lost_found"));
    assert_eq!(place.ok(&["--json", "verify"]).last()["damaged"], 0);

    assert_eq!(place.run(&["lost", "--export", "arch/out"]).code, 2, "nothing is written into the archive");
    place.ok(&["lost", "--export", "out"]);
    assert_eq!(fs::read(place.at("out/000001.eml")).unwrap(), mail);
    let said = place.ok(&["--json", "lost", "--export", "out"]);
    assert_eq!(said.json()[0]["folder"], "anna/Inbox");
    assert_eq!(said.json()[0]["archived"], serde_json::Value::Null);
    assert_eq!(files(&place.at("out")).len(), 2, "no file is written over");

    let said = place.ok(&["--json", "lost", "--import"]);
    assert_eq!((said.last()["stored"].as_u64(), said.last()["duplicate"].as_u64()), (Some(1), Some(0)));
    let id = said.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(place.ok(&["show", &id, "--raw"]).bytes, mail);
    assert!(place.ok(&["lost", "--import"]).err.contains("read 1 = stored 0 + duplicate 1 + failed 0"));
    assert_eq!(place.run(&["lost", "--import", "--export", "more"]).code, 2);
}

#[test]
fn an_archive_that_nothing_was_cut_from_has_nothing_put_aside() {
    let place = Place::with_mails();
    assert_eq!(place.ok(&["--json", "lost"]).last()["files"], 0);
    assert!(!place.ok(&["stats"]).out.contains("lost_found"));
    assert_eq!(place.ok(&["--json", "stats"]).last()["bytes_on_disk"]["lost_found"], 0);
}
