//! One writing process at a time: a second one gets an error that names the first.

use crate::fixture::{Files, plain, put_each};

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(3, 10, 61));
    for _ in 0..2 {
        let error = files.try_open().expect_err("in use");
        assert_eq!(error.code(), "in_use");
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    }
    put_each(&archive, &plain(3, 10, 62));
    drop(archive);
    assert_eq!(files.open().acting_as(archive_core::Actor::System).stats().expect("stats").messages, 6);
}

#[test]
fn on_a_real_disk_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut key = String::new();
    let options = archive_core::CreateOptions::new("anna");
    let archive = archive_core::Archive::create(dir.path(), options, |_, keys| {
        key = keys.key_file.as_ref().expect("a key file").to_string();
        Ok(())
    })
    .expect("created");
    let key = archive_core::Key::File(key.into());
    let open = || archive_core::Archive::open(dir.path(), &key, archive_core::OpenOptions::default());
    let error = open().expect_err("in use");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    archive.close().expect("closed");
    open().expect("free again");
}
