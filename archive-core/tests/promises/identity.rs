//! Identity files that were changed, put back from older states, or lost: found, named, and put right where one copy holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::Vfs;
use archive_core::{Actor, Archive, CreateOptions, DamageCause, Error, IndexConfiguration, Key, OpenOptions, RepairOptions, SlotKind};
use minicbor::{Decoder, Encoder};

use crate::fixture::{DIR, Files, ask, committed, folder, plain, put_each, verify};

/// Bytes before the map.
const MAP_AT: usize = 148;
/// HMAC and CRC after it.
const BEHIND: usize = 36;

fn copies() -> [PathBuf; 2] {
    ["archive.mk", "archive.mk.2"].map(|name| Path::new(DIR).join(name))
}

/// A closed archive with some mail, and the recovery key.
fn filled() -> (Files, String) {
    let (mut files, archive) = Files::create();
    drop(archive);
    files.vfs = archive_core::vfs::MemVfs::new();
    files.vfs.create_dir(Path::new(DIR)).expect("a folder");
    let new = Archive::create_on(Arc::new(files.vfs.clone()), Path::new(DIR), CreateOptions::new("anna")).expect("begun");
    let recovery = new.keys().recovery.text().to_owned();
    let archive;
    (archive, files.key) = committed(Ok(new));
    put_each(&archive, &plain(10, 30, 91));
    archive.close().expect("closed");
    (files, recovery)
}

/// A file whose passphrase "secret" was removed, and `archive.mk` of before.
fn after_removal() -> (Files, Vec<u8>) {
    let (files, _) = filled();
    let archive = files.open();
    let slot = archive.add_passphrase("secret").expect("added");
    let before = files.bytes(&copies()[0]);
    archive.remove_passphrase(&slot.id).expect("removed");
    archive.close().expect("closed");
    (files, before)
}

fn passphrase(files: &Files, text: &str) -> Result<Archive, Error> {
    let key = Key::Passphrase(text.to_owned().into());
    Archive::open_on(Arc::new(files.vfs.clone()), Path::new(DIR), &key, OpenOptions::default())
}

/// The values of a map with their keys, as bytes.
fn entries(map: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut decoder = Decoder::new(map);
    let len = decoder.map().expect("a map").expect("a length");
    let mut entry = || {
        let key = decoder.u64().expect("a key");
        let start = decoder.position();
        decoder.skip().expect("a value");
        (key, map[start..decoder.position()].to_vec())
    };
    (0..len).map(|_| entry()).collect()
}

fn slots(map: &[u8]) -> Vec<Vec<u8>> {
    let (_, bytes) = entries(map).remove(0);
    let mut decoder = Decoder::new(&bytes);
    let len = decoder.array().expect("slots").expect("a length");
    let mut slot = || {
        let start = decoder.position();
        decoder.skip().expect("a slot");
        bytes[start..decoder.position()].to_vec()
    };
    (0..len).map(|_| slot()).collect()
}

fn kind_of(slot: &[u8]) -> u64 {
    let entries = entries(slot);
    let (_, kind) = entries.iter().find(|(key, _)| *key == 2).expect("a kind");
    Decoder::new(kind).u64().expect("a number")
}

fn with_slots(map: &[u8], slots: &[Vec<u8>]) -> Vec<u8> {
    let mut array = Vec::new();
    Encoder::new(&mut array).array(slots.len() as u64).expect("an array");
    slots.iter().for_each(|slot| array.extend_from_slice(slot));
    let mut entries = entries(map);
    entries[0].1 = array;
    let mut out = Vec::new();
    Encoder::new(&mut out).map(entries.len() as u64).expect("a map");
    for (key, value) in entries {
        Encoder::new(&mut out).u64(key).expect("a key");
        out.extend_from_slice(&value);
    }
    out
}

fn map_of(file: &[u8]) -> &[u8] {
    &file[MAP_AT..file.len() - BEHIND]
}

/// A file with another map and a right checksum, as one without the archive's keys can make it.
fn forged(file: &[u8], map: &[u8]) -> Vec<u8> {
    let mut out = file[..MAP_AT - 4].to_vec();
    out.extend_from_slice(&u32::try_from(map.len()).expect("small").to_le_bytes());
    out.extend_from_slice(map);
    out.extend_from_slice(&file[file.len() - BEHIND..file.len() - 4]);
    let crc = crc32fast::hash(&out[144..]);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// With `bytes` in the place of one copy the other holds: the archive opens as before, names the file once, keeps it apart, and is whole again.
fn one_copy_is_put_right(files: &Files, bytes: &[u8], cause: DamageCause, what: &str) {
    for path in copies() {
        let changed = files.copy();
        let good = changed.bytes(&path);
        changed.write(&path, bytes);
        let archive = changed.open();
        let [Error::Damage(damage)] = archive.notices() else { panic!("{what}: {:?}", archive.notices()) };
        assert!(damage.file == path && damage.cause == cause, "{what}: {damage:?}");
        assert!(archive.damage().is_none());
        let findings = verify(&archive).findings;
        assert!(findings.len() == 1 && findings[0].file == path && findings[0].cause == cause, "{what}: {findings:?}");
        assert_eq!(changed.bytes(&path), good, "{what}");
        let kept = changed.paths_with("/master/lost+found/");
        assert!(kept.len() == 1 && changed.bytes(&kept[0]) == bytes, "{what}: {kept:?}");
        archive.add_passphrase("another").expect("keys can be changed");
        archive.close().expect("closed");
        let archive = changed.open();
        assert!(archive.notices().is_empty() && verify(&archive).findings.is_empty(), "{what}");
    }
}

/// With `bytes` in the place of both copies everything is read and taken, no key is changed, and each copy is named.
fn both_copies_are_named(files: &Files, bytes: &[u8], code: &str, cause: DamageCause, what: &str) {
    let changed = files.copy();
    let before = ask(&files.copy().open()).expect("answers");
    copies().iter().for_each(|path| changed.write(path, bytes));
    for _ in 0..2 {
        let archive = changed.open();
        assert_eq!(archive.notices().iter().map(Error::code).collect::<Vec<_>>(), [code], "{what}");
        assert_eq!(archive.add_passphrase("another").expect_err("keys stay").code(), code, "{what}");
        assert_eq!(archive.remove_passphrase("00000000").expect_err("keys stay").code(), code, "{what}");
        assert!(ask(&archive).expect("answers") == before, "{what}");
        for path in copies() {
            let findings = verify(&archive).findings;
            assert!(findings.iter().any(|finding| finding.file == path && finding.cause == cause), "{what}: {findings:?}");
            assert_eq!(changed.bytes(&path), bytes, "{what}: untouched");
        }
        archive.close().expect("closed");
    }
}

#[test]
fn p6_a_slot_of_an_older_file_spliced_into_the_new_one_is_found() {
    let (files, before) = after_removal();
    let now = files.bytes(&copies()[0]);
    let mut all = slots(map_of(&now));
    all.push(slots(map_of(&before)).pop().expect("the removed slot"));
    let spliced = forged(&now, &with_slots(map_of(&now), &all));
    one_copy_is_put_right(&files, &spliced, DamageCause::Forged, "spliced");
    both_copies_are_named(&files, &spliced, "identity_changed", DamageCause::Forged, "spliced");
    for path in copies() {
        let changed = files.copy();
        changed.write(&path, &spliced);
        assert_eq!(passphrase(&changed, "secret").expect_err("removed").code(), "wrong_key");
    }
}

#[test]
fn p6_an_older_identity_file_put_back_is_found() {
    let (files, before) = after_removal();
    one_copy_is_put_right(&files, &before, DamageCause::Older, "older");
    both_copies_are_named(&files, &before, "identity_older", DamageCause::Older, "older");
    for path in copies() {
        let changed = files.copy();
        changed.write(&path, &before);
        assert_eq!(passphrase(&changed, "secret").expect_err("removed").code(), "wrong_key");
    }
    // Mail is taken all the same.
    copies().iter().for_each(|path| files.write(path, &before));
    let archive = files.open();
    archive.session(Actor::System).import_one(b"Subject: new\n\nnew\n", &folder("anna")).expect("a receipt");
}

#[test]
fn p6_a_dropped_recovery_slot_is_found() {
    let (files, recovery) = filled();
    let now = files.bytes(&copies()[0]);
    let rest: Vec<Vec<u8>> = slots(map_of(&now)).into_iter().filter(|slot| kind_of(slot) != 2).collect();
    let dropped = forged(&now, &with_slots(map_of(&now), &rest));
    one_copy_is_put_right(&files, &dropped, DamageCause::Forged, "dropped");
    both_copies_are_named(&files, &dropped, "identity_changed", DamageCause::Forged, "dropped");
    for path in copies() {
        let changed = files.copy();
        changed.write(&path, &dropped);
        let key = Key::Recovery(recovery.clone().into());
        let opened = Archive::open_on(Arc::new(changed.vfs.clone()), Path::new(DIR), &key, OpenOptions::default());
        assert_eq!(opened.expect("by the other copy").notices().len(), 1);
    }
}

#[test]
fn p6_a_changed_identity_file_is_accepted_by_a_person_alone_and_the_recovery_key_confirmed_again() {
    let (files, recovery) = filled();
    let archive = files.open();
    archive.confirm_recovery(&Key::Recovery(recovery.clone().into())).expect("confirmed");
    archive.close().expect("closed");
    let now = files.bytes(&copies()[0]);
    let rest: Vec<Vec<u8>> = slots(map_of(&now)).into_iter().filter(|slot| kind_of(slot) != 2).collect();
    let dropped = forged(&now, &with_slots(map_of(&now), &rest));
    copies().iter().for_each(|path| files.write(path, &dropped));
    let archive = files.open();
    let session = archive.session(Actor::System);
    let before = files.paths();
    assert_eq!(session.repair(RepairOptions::default()).expect_err("nobody accepted it").code(), "identity_changed");
    let plan = session.repair(RepairOptions { dry_run: true, ..RepairOptions::default() }).expect("a plan");
    assert!(plan.needs_acceptance && plan.reason.is_some());
    assert!(files.paths() == before && copies().iter().all(|path| files.bytes(path) == dropped), "nothing was written");
    session.repair(RepairOptions { accept_state: true, ..RepairOptions::default() }).expect("repaired");
    drop((archive, session));
    let archive = files.open();
    assert!(archive.notices().is_empty() && verify(&archive).findings.is_empty(), "{:?}", archive.notices());
    assert!(!archive.key_status().expect("the keys").recovery_confirmed, "nothing says that the recovery key still opens it");
    archive.add_passphrase("another").expect("keys can be changed");
}

#[test]
fn p6_broken_wraps_are_found_and_cost_no_mail() {
    let (files, _) = filled();
    let now = files.bytes(&copies()[0]);
    for wrap in 2..=5 {
        let mut map = Vec::new();
        Encoder::new(&mut map).map(6).expect("a map");
        for (key, mut value) in entries(map_of(&now)) {
            Encoder::new(&mut map).u64(key).expect("a key");
            if key == wrap {
                *value.last_mut().expect("a commitment") ^= 1;
            }
            map.extend_from_slice(&value);
        }
        let broken = forged(&now, &map);
        let what = format!("wrap {wrap}");
        one_copy_is_put_right(&files, &broken, DamageCause::Forged, &what);
        both_copies_are_named(&files, &broken, "identity_changed", DamageCause::Forged, &what);
    }
}

#[test]
fn p6_a_broken_copy_of_an_identity_file_is_named_once_and_written_again() {
    let (files, _) = filled();
    let mut bytes = files.bytes(&copies()[0]);
    bytes[200] ^= 1;
    one_copy_is_put_right(&files, &bytes, DamageCause::Decode, "one bit");
    let (changed, path) = (files.copy(), &copies()[1]);
    let good = changed.bytes(path);
    changed.remove(path);
    changed.open().close().expect("closed");
    assert_eq!(changed.bytes(path), good);
}

fn store_files(files: &Files) -> Vec<PathBuf> {
    files.paths_with("store.mk")
}

#[test]
fn p11_without_both_copies_of_a_store_identity_its_mails_are_read() {
    let (files, _) = filled();
    let before = ask(&files.copy().open()).expect("answers");
    type Break<'b> = &'b dyn Fn(&Files, &Path);
    let breaks: [Break<'_>; 2] = [&|files, path| files.remove(path), &|files, path| files.write(path, b"noise")];
    for (at, change) in breaks.iter().enumerate() {
        let changed = files.copy();
        store_files(&files).iter().for_each(|path| change(&changed, path));
        let all: Vec<_> = changed.paths().into_iter().map(|path| (path.clone(), changed.bytes(&path))).collect();
        let archive = changed.open();
        assert!(archive.damage().is_some_and(|damage| damage.file.to_string_lossy().contains("store.mk")), "{at}");
        assert!(ask(&archive).expect("answers") == before, "{at}");
        let refused = archive.session(Actor::System).import_one(b"Subject: new\n\nnew\n", &folder("anna"));
        assert_eq!(refused.expect_err("nothing is written").code(), "needs_repair");
        let findings = verify(&archive).findings;
        let named = |path: &PathBuf| findings.iter().any(|finding| finding.file == *path);
        assert!(store_files(&files).iter().all(named), "{at}: {findings:?}");
        archive.close().expect("closed");
        for (path, bytes) in all.iter().filter(|(path, _)| !path.ends_with("write.lock")) {
            assert!(changed.bytes(path) == *bytes, "{at}: {} was written", path.display());
        }
    }
}

#[test]
fn p6_a_changed_store_identity_is_found() {
    let (files, _) = filled();
    let now = files.bytes(&store_files(&files)[0]);
    let mut map = map_of(&now).to_vec();
    // The last text of the map is the name of the store.
    *map.last_mut().expect("a name") = b'7';
    let renamed = forged(&now, &map);
    for path in store_files(&files) {
        let changed = files.copy();
        changed.write(&path, &renamed);
        let findings = verify(&changed.open()).findings;
        assert!(findings.len() == 1 && findings[0].file == path && findings[0].cause == DamageCause::Forged, "{findings:?}");
    }
}

#[test]
fn p11_with_the_master_lost_a_store_is_found_whatever_its_folder_is_called() {
    let (files, _) = filled();
    let before = ask(&files.copy().open()).expect("answers");
    files.paths_with("/master/").iter().for_each(|path| files.remove(path));
    let renamed = Files { vfs: archive_core::vfs::MemVfs::new(), key: files.key.clone() };
    for path in files.paths() {
        let new = PathBuf::from(path.to_string_lossy().replace("/stores/1/", "/stores/mail/"));
        let mut dirs: Vec<&Path> = new.ancestors().skip(1).collect();
        dirs.reverse();
        dirs.iter().skip(1).for_each(|dir| renamed.vfs.create_dir(dir).expect("a folder"));
        renamed.vfs.create(&new).and_then(|file| file.append(&files.bytes(&path))).expect("a copy");
    }
    let archive = renamed.open();
    assert!(archive.damage().is_some());
    assert_eq!(ask(&archive).expect("answers").bytes, before.bytes);
}

#[test]
fn an_archive_has_at_most_eight_passphrases() {
    let (files, archive) = Files::create();
    let add = |no: usize| archive.add_passphrase(&format!("number {no}"));
    (0..8).for_each(|no| drop(add(no).expect("added")));
    assert_eq!(add(8).expect_err("refused").code(), "misuse");
    let status = archive.key_status().expect("the keys");
    let first = status.slots.iter().find(|slot| slot.kind == SlotKind::Passphrase).expect("a passphrase");
    archive.remove_passphrase(&first.id).expect("removed");
    add(8).expect("added");
    archive.close().expect("closed");
    passphrase(&files, "number 8").expect("opens");
    assert_eq!(passphrase(&files, "number 0").expect_err("removed").code(), "wrong_key");
}

fn types(no: u32) -> IndexConfiguration {
    IndexConfiguration { types: vec![format!("text/x-{no}")] }
}

#[test]
fn p13_an_open_reads_the_master_from_its_last_checkpoint() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(3, 20, 92));
    let session = archive.session(Actor::System);
    (0..9000).for_each(|no| session.set_index_configuration(&types(no)).expect("set"));
    archive.close().expect("closed");
    let masters = files.paths_with(".mkr").into_iter().filter(|path| path.to_string_lossy().contains("/master/")).collect::<Vec<_>>();
    assert_eq!(masters.len(), 3, "{masters:?}");
    let archive = files.open();
    assert_eq!(archive.session(Actor::System).index_configuration().expect("set"), types(8999));
    assert!(archive.owner() == "anna" && archive.notices().is_empty() && verify(&archive).findings.is_empty());
    drop(archive);
    // What lies before the checkpoint is not read, but by who verifies.
    files.flip(&masters[0], files.bytes(&masters[0]).len() / 2);
    let archive = files.open();
    assert!(archive.damage().is_none());
    assert_eq!(archive.session(Actor::System).index_configuration().expect("set"), types(8999));
    let findings = verify(&archive).findings;
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding.file == masters[0]), "{findings:?}");
    archive.add_passphrase("one more").expect("added");
}
