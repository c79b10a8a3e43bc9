//! The records are the truth: catalog and index can be deleted at any time and come back identical in meaning.

use archive_core::{Archive, ImportOptions};

use crate::fixture::{Answers, Files, ask, folder, mbox, mixed, plain, put_each, put_stream};

/// A closed archive with several commits, folders and duplicates, and what it answers.
fn filled() -> (Files, Answers) {
    let (files, archive) = Files::create();
    put_each(&archive, &mixed());
    let options = ImportOptions { into: Some(folder("anna/Lists/one")), ..ImportOptions::default() };
    put_stream(&archive, &mbox(&plain(40, 100, 9)), "one.mbox", &options);
    let options = ImportOptions { into: Some(folder("anna/Lists/two")), ..ImportOptions::default() };
    put_stream(&archive, &mbox(&plain(30, 100, 9)), "two.mbox", &options);
    archive.close().expect("closed");
    let archive = files.open();
    put_each(&archive, &plain(10, 50, 77));
    archive.close().expect("closed");
    let answers = ask(&files.open()).expect("answers");
    assert_eq!(answers.messages.len(), mixed().len() + 40 + 30 + 10);
    for (query, hits, _) in &answers.searches {
        assert!(!hits.is_empty(), "{query} has no hit");
    }
    (files, answers)
}

fn same_after(files: &Files, answers: &Answers, what: &str) -> Archive {
    let archive = files.try_open().unwrap_or_else(|error| panic!("{what}: {error}"));
    let now = ask(&archive).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(now.messages, answers.messages, "{what}: messages");
    assert_eq!(now.folders, answers.folders, "{what}: folders");
    assert!(now.bytes == answers.bytes, "{what}: bytes");
    assert_eq!(now.searches, answers.searches, "{what}: searches");
    assert_eq!(now.sums, answers.sums, "{what}: sums");
    archive
}

#[test]
fn without_catalog_and_index_all_is_as_it_was() {
    let (files, answers) = filled();
    for parts in [&["/catalog/"][..], &["/index/"], &["/catalog/", "/index/"]] {
        let less = files.copy();
        for path in less.paths_with("/stores/").into_iter().filter(|path| parts.iter().any(|part| path.to_string_lossy().contains(part))) {
            less.remove(&path);
        }
        same_after(&less, &answers, &parts.join(" and ")).close().expect("closed");
        same_after(&less, &answers, "once more");
    }
}

#[test]
fn without_any_one_file_of_catalog_and_index_all_is_as_it_was() {
    let (files, answers) = filled();
    let caches = [files.paths_with("/catalog/"), files.paths_with("/index/")].concat();
    assert!(caches.len() >= 4, "{caches:?}");
    for path in caches {
        let less = files.copy();
        less.remove(&path);
        same_after(&less, &answers, &path.display().to_string());
    }
}

#[test]
fn an_older_catalog_and_index_are_brought_up() {
    let (files, archive) = Files::create();
    put_each(&archive, &mixed());
    archive.close().expect("closed");
    let old = files.copy();
    let archive = files.open();
    put_each(&archive, &plain(20, 50, 5));
    archive.close().expect("closed");
    let answers = ask(&files.open()).expect("answers");
    for part in ["/catalog/", "/index/"] {
        let mixed = files.copy();
        mixed.paths_with(part).iter().for_each(|path| mixed.remove(path));
        for path in old.paths_with(part) {
            let file = archive_core::vfs::Vfs::create(&mixed.vfs, &path).expect("created");
            file.append(&old.bytes(&path)).expect("written");
        }
        same_after(&mixed, &answers, part);
    }
}
