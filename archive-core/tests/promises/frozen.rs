//! Archives that are committed for good: every version of the library reads them. The test vectors beside the page on the format were written
//! from that page without this library; the golden archives by this library, as it was when the format was frozen.
//!
//! Each folder holds `archive/`, `archive.key` and `vectors.json`, which says what a reader gets, and what it says of broken copies.

use std::path::{Path, PathBuf};

use archive_core::vfs::{MemVfs, Vfs};
use archive_core::{Actor, Archive, Error, Key, MessageId, OpenOptions, Progress};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::fixture::{DIR, Files, verify};

struct Frozen {
    name: String,
    files: Files,
    says: Value,
}

/// Takes `dir` of the disk over into memory, as `to`.
fn take_over(vfs: &MemVfs, dir: &Path, to: &Path) {
    vfs.create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copy = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            take_over(vfs, &path, &copy);
        } else {
            vfs.create(&copy).and_then(|file| file.append(&std::fs::read(&path).expect("a file"))).expect("a copy");
        }
    }
}

fn load(dir: &Path) -> Frozen {
    let files = Files { vfs: MemVfs::new(), key: std::fs::read_to_string(dir.join("archive.key")).expect("a key") };
    take_over(&files.vfs, &dir.join("archive"), Path::new(DIR));
    let says = std::fs::read_to_string(dir.join("vectors.json")).expect("what it holds");
    Frozen { name: dir.display().to_string(), files, says: serde_json::from_str(&says).expect("JSON") }
}

fn all() -> Vec<Frozen> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_dir(root.join("tests/golden")).expect("golden archives").map(|entry| entry.expect("an entry").path());
    let mut dirs: Vec<PathBuf> = golden.chain([root.join("../docs/vectors")]).collect();
    dirs.sort();
    assert!(dirs.len() > 2, "{dirs:?}");
    dirs.iter().map(|dir| load(dir)).collect()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().expect("text")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().expect("a list")
}

/// The ids of mails that do not come back with their bytes.
fn lost(archive: &Archive, says: &Value) -> Vec<String> {
    let session = archive.session(Actor::System);
    let mut lost = Vec::new();
    for mail in list(says, "mails") {
        let id: MessageId = text(mail, "id").parse().expect("an id");
        match session.raw(id) {
            Ok(raw) => {
                let digest: String = Sha256::digest(&raw).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(digest, text(mail, "digest"), "{id} leads to other bytes");
            }
            Err(_) => lost.push(id.to_string()),
        }
    }
    lost
}

/// Is there a notice of anything but the index, which has a format of its own?
fn is_noticed(archive: &Archive) -> bool {
    archive.notices().iter().any(|notice| !matches!(notice, Error::IndexOlder(_)))
}

#[test]
fn p16_frozen_archives_open_and_give_every_mail_in_its_place() {
    for Frozen { name, files, says } in all() {
        let archive = files.open();
        assert!(archive.barred().is_none() && !is_noticed(&archive), "{name}: {:?} {:?}", archive.barred(), archive.notices());
        assert_eq!(lost(&archive, &says), [""; 0], "{name}");
        let session = archive.session(Actor::System);
        for mail in list(&says, "mails") {
            let info = session.message(text(mail, "id").parse().expect("an id")).expect("listed");
            assert_eq!(info.folder.to_string(), text(mail, "folder"), "{name}: {}", info.id);
            assert_eq!(u64::from(info.number_in_folder), mail["number"].as_u64().expect("a number"), "{name}: {}", info.id);
        }
        for id in list(&says, "erased") {
            let id: MessageId = id.as_str().expect("an id").parse().expect("an id");
            assert!(matches!(session.raw(id), Err(Error::NoSuchMessage(_))), "{name}: {id}");
        }
        let report = verify(&archive);
        assert!(report.findings.is_empty() && report.accepted.is_empty(), "{name}: {:?}", report.findings);
        assert_eq!((report.messages, report.lost_messages), (list(&says, "mails").len() as u64, 0), "{name}");
        // It goes on, and what was there stays.
        let receipt = session.import_one(b"Subject: new\n\nnew\n", &"anna/New".parse().expect("a folder")).expect("a receipt");
        assert!(!list(&says, "mails").iter().any(|mail| text(mail, "id") == receipt.id().to_string()), "{name}");
        archive.close().expect("closed");
        assert_eq!(lost(&files.open(), &says), [""; 0], "{name}");
    }
}

#[test]
fn p16_the_chain_of_the_test_vectors_is_that_of_the_page() {
    let Frozen { files, says, .. } = all().into_iter().find(|frozen| frozen.says.get("commits").is_some()).expect("the test vectors");
    let last = list(&says, "commits").last().expect("commits").clone();
    let stats = files.open().session(Actor::System).stats(&Progress::new()).expect("figures");
    let head: String = stats.stores[0].head.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((stats.stores[0].sequence, head.as_str()), (last["sequence"].as_u64().expect("a number"), text(&last, "chain")));
}

#[test]
fn p16_the_test_vectors_open_by_each_kind_of_key() {
    let Frozen { files, says, .. } = all().into_iter().find(|frozen| frozen.says.get("keys").is_some()).expect("the test vectors");
    let passphrase = text(&says["keys"], "passphrase").to_owned();
    let decomposed = passphrase.replace('\u{fc}', "u\u{308}");
    assert_ne!(decomposed, passphrase);
    let recovery = text(&says["keys"], "recovery_key").to_owned();
    for key in [files.key(), Key::Passphrase(passphrase.into()), Key::Passphrase(decomposed.into()), Key::Recovery(recovery.into())] {
        let files = files.copy();
        let archive = Archive::open_on(std::sync::Arc::new(files.vfs.clone()), Path::new(DIR), &key, OpenOptions::default());
        assert_eq!(lost(&archive.expect("opened"), &says), [""; 0]);
    }
}

/// Harms a copy as `case` says.
fn harm(files: &Files, case: &Value) {
    let path = Path::new(DIR).join(text(case, "file"));
    let at = |key: &str| usize::try_from(case[key].as_u64().expect("a number")).expect("small");
    if case.get("remove").is_some() {
        return files.remove(&path);
    }
    let mut bytes = files.bytes(&path);
    if case.get("cut").is_some() {
        bytes.truncate(at("cut"));
    } else if case.get("zero").is_some() {
        let end = bytes.len();
        bytes[end.saturating_sub(at("zero"))..].fill(0);
    } else {
        bytes[at("at")] ^= u8::try_from(at("xor")).expect("a byte");
    }
    files.write(&path, &bytes);
}

#[test]
fn p6_p11_of_broken_copies_of_frozen_archives_is_said_what_they_cost() {
    let mut cases = 0;
    for Frozen { name, files, says } in all() {
        for case in list(&says, "broken") {
            let what = format!("{name}: {}", text(case, "name"));
            let files = files.copy();
            harm(&files, case);
            let archive = files.open();
            let gone: Vec<&str> = list(case, "lost").iter().filter_map(Value::as_str).collect();
            assert_eq!(lost(&archive, &says), gone, "{what}");
            assert_eq!(archive.barred().map(Error::code), case["barred"].as_str(), "{what}: {:?}", archive.barred());
            // An index of an earlier format is thrown away, damage or not.
            let is_replaced =
                archive.notices().iter().any(|notice| matches!(notice, Error::IndexOlder(_))) && text(case, "file").contains("/index/");
            let found = !verify(&archive).findings.is_empty() || is_noticed(&archive);
            assert!(is_replaced || Some(found) == case["found"].as_bool(), "{what}");
            drop(archive);
            assert_eq!(lost(&files.open(), &says), gone, "{what}: at the next open");
            cases += 1;
        }
    }
    assert!(cases >= 12, "{cases} broken copies");
}

#[test]
fn p16_an_index_of_an_earlier_format_is_built_again_with_one_notice() {
    let mut older = 0;
    for Frozen { name, files, .. } in all() {
        let open = || files.open();
        let of_index = |archive: &Archive| archive.notices().iter().filter(|notice| matches!(notice, Error::IndexOlder(1))).count();
        let archive = open();
        older += of_index(&archive);
        let session = archive.session(Actor::System);
        let found = session.search(&archive_core::SearchRequest::new("*")).expect("an answer");
        assert_eq!((found.total, found.coverage.not_indexed), (session.stats(&Progress::new()).expect("figures").messages, 0), "{name}");
        archive.close().expect("closed");
        assert_eq!(of_index(&open()), 0, "{name}: once");
    }
    assert!(older > 0, "the golden archives of format 2 have an index of format 1");
}
