//! What opening says where there is no archive, no right key, or a format of the future.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::{MemVfs, Vfs};
use archive_core::{Actor, Archive, CreateOptions, Key, OpenOptions};

use crate::fixture::{DIR, Files, ask, committed, folder, plain, put_each};

fn code(files: &Files, key: &Key) -> (&'static str, String) {
    let error = Archive::open_on(Arc::new(files.vfs.clone()), Path::new(DIR), key, OpenOptions::default()).expect_err("does not open");
    (error.code(), error.to_string())
}

#[test]
fn another_archives_key_is_refused() {
    let (files, archive) = Files::create();
    let id = archive.id().to_string();
    drop(archive);
    let (other, open) = Files::create();
    let (name, text) = code(&files, &other.key());
    assert_eq!(name, "bad_key");
    assert!(text.contains("belongs to another archive"), "{text}");
    // A key that says it is this archive's, and is not: the error names what opens it.
    let forged = other.key.replace(&open.id().to_string(), &id);
    let (name, text) = code(&files, &Key::File(forged.into()));
    assert_eq!(name, "wrong_key");
    assert!(text.contains(&id) && text.contains("key file (slot"), "{text}");
}

#[test]
fn a_key_that_is_none_is_told_from_a_wrong_one() {
    let (files, archive) = Files::create();
    drop(archive);
    for text in ["", "hello", "mailkeep-key-1", "mailkeep-key-1 AAAA"] {
        assert_eq!(code(&files, &Key::File(text.to_owned().into())).0, "bad_key", "{text:?}");
        assert_eq!(code(&files, &Key::Recovery(text.to_owned().into())).0, "bad_key", "{text:?}");
    }
    assert_eq!(code(&files, &Key::Passphrase("guess".to_owned().into())).0, "wrong_key");
}

#[test]
fn a_folder_without_an_archive_is_said_to_be_none() {
    let vfs = MemVfs::new();
    vfs.create_dir(Path::new(DIR)).expect("a folder");
    let files = Files { vfs, key: String::new() };
    assert_eq!(code(&files, &Key::File("x".to_owned().into())).0, "not_an_archive");
}

#[test]
fn nothing_is_made_in_a_folder_that_is_not_empty() {
    let (files, archive) = Files::create();
    drop(archive);
    let again = Archive::create_on(Arc::new(files.vfs.clone()), Path::new(DIR), CreateOptions::new("anna"));
    assert_eq!(again.expect_err("exists").code(), "exists");
    files.open();
}

#[test]
fn where_the_keys_cannot_be_kept_nothing_is_made() {
    let vfs = MemVfs::new();
    vfs.create_dir(Path::new(DIR)).expect("a folder");
    let begin = || Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), CreateOptions::new("anna")).expect("begun");
    let empty = |what: &str| assert_eq!(vfs.list(Path::new(DIR)).expect("a folder").len(), 0, "{what}");
    let new = begin();
    assert!(!new.keys().recovery.text().is_empty());
    drop(new);
    empty("dropped");
    let error = begin().commit().expect_err("nobody asked for its keys");
    assert_eq!((error.code(), error.to_string().contains("keys of the new archive")), ("misuse", true), "{error}");
    empty("not committed");
    // On a disk the folder goes too, if it was made for the archive.
    let kept = tempfile::tempdir().expect("a folder");
    let [made, there] = ["made", "there"].map(|name| kept.path().join(name));
    std::fs::create_dir(&there).expect("a folder");
    for (dir, stays) in [(&made, false), (&there, true)] {
        for asks in [true, false] {
            let new = Archive::create(dir, CreateOptions::new("anna")).expect("begun");
            if asks {
                let _kept = new.keys();
                drop(new);
            } else {
                new.commit().expect_err("nobody asked for its keys");
            }
            assert_eq!(dir.exists(), stays, "{}, asked for keys: {asks}", dir.display());
        }
    }
    assert_eq!(std::fs::read_dir(&there).expect("a folder").count(), 0);
}

/// Offset of the format version in a file header: after magic and kind.
const VERSION: usize = 10;

#[test]
fn a_newer_format_is_said_to_be_newer_and_nothing_is_changed() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(5, 20, 81));
    archive.close().expect("closed");
    for path in files.paths().into_iter().filter(|path| !path.ends_with("write.lock")) {
        let text = path.to_string_lossy().into_owned();
        if text.contains("/catalog/") || text.contains("/index/") {
            continue;
        }
        let newer = files.copy();
        let twins = if text.contains(".mk.2") || text.ends_with(".mk") {
            let one = std::path::PathBuf::from(text.trim_end_matches(".2"));
            vec![one.clone(), std::path::PathBuf::from(format!("{}.2", one.display()))]
        } else {
            vec![path.clone()]
        };
        let mut bytes = Vec::new();
        for twin in &twins {
            bytes = newer.bytes(twin);
            bytes[VERSION] = 99;
            // The checksum of the header is that of a sound header of a newer version.
            let crc = crc32fast::hash(&bytes[..HEADER_CRC]).to_le_bytes();
            bytes[HEADER_CRC..HEADER_CRC + 4].copy_from_slice(&crc);
            newer.write(twin, &bytes);
        }
        match newer.try_open() {
            Err(error) => assert_eq!(error.code(), "format_too_new", "{text}: {error}"),
            Ok(archive) => {
                let read = crate::fixture::ask(&archive).map(|answers| answers.bytes.iter().filter(|bytes| bytes.is_some()).count());
                panic!("{text}: opened, {read:?} mails read");
            }
        }
        assert_eq!(newer.bytes(&path), bytes, "{text}: untouched");
    }
}

/// Offset of the checksum in a file header.
const HEADER_CRC: usize = 140;

/// Bytes of the files that an open which takes over changes.
fn durable(files: &Files) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = ["/master/", "/records/", "/content/"].map(|part| files.paths_with(part)).concat();
    paths.into_iter().map(|path| (path.clone(), files.bytes(&path))).collect()
}

#[test]
fn p13_an_archive_killed_while_idle_has_nothing_to_take_over() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(3, 20, 1));
    let busy = files.copy();
    archive.mark().expect("marked");
    let idle = files.copy();
    archive.mark().expect("marked once");
    assert_eq!(durable(&files), durable(&idle), "a second mark says nothing new");
    let (before, opened) = (durable(&idle), idle.open());
    assert_eq!(durable(&idle), before, "the open writes nothing");
    assert_eq!(ask(&opened).expect("answers").messages.len(), 3);
    let (before, _opened) = (durable(&busy), busy.open());
    assert_ne!(durable(&busy), before, "without a mark the last commit is taken over");
}

#[test]
fn p13_an_idle_writer_on_a_real_disk_marks_by_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("archive");
    let archive = committed(Archive::create(&path, CreateOptions::new("anna"))).0;
    let mail = &plain(1, 20, 1)[0];
    archive.session(Actor::System).import_one(mail, &folder("anna/Inbox")).expect("archived");
    // A mark is a frame of 102 bytes and of kind 3.
    let ends_with_mark = || {
        let records = std::fs::read(path.join("stores/1/records/000001.mkr")).expect("records");
        records.len() > 102 && records[records.len() - 102..].starts_with(b"MKF\x01\x03\0")
    };
    while !ends_with_mark() {
        std::thread::yield_now();
    }
}
