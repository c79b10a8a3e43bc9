//! What opens is never discarded: whatever was zeroed or removed, alone or with the caches, an open lowers nothing.
//!
//! An archive of mails with receipts, closed; then each of its files is hurt in turn. The judge asks how many mails can be read, opens once
//! more and asks again; and each mail that cannot be read must be spoken of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use archive_core::vfs::Vfs;
use archive_core::{Actor, Archive, Error, Receipt};

use crate::fixture::{Files, filled_archive, lose, plain, put, put_each, verify};

pub(super) fn readable(archive: &Archive, mails: &[(Vec<u8>, Receipt)]) -> usize {
    let session = archive.session(Actor::System);
    let whole = |(mail, receipt): &&(Vec<u8>, Receipt)| session.raw(receipt.id()).is_ok_and(|raw| raw == *mail);
    mails.iter().filter(whole).count()
}

/// Bytes of everything that is no cache, put aside or not.
fn kept(files: &Files) -> BTreeMap<PathBuf, usize> {
    let of_truth =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "mkc" || extension == "mkr" || extension == "mkl");
    files.paths().into_iter().filter(of_truth).map(|path| (path.clone(), files.bytes(&path).len())).collect()
}

const CACHES: [&[&str]; 5] = [&[], &["/catalog/"], &["/index/"], &["/catalog/", "/index/"], &["/catalog/", "/index/", "head.mkm"]];

pub(super) fn zero_tail(files: &Files, path: &Path) {
    let mut bytes = files.bytes(path);
    let from = bytes.len().saturating_sub(512);
    bytes[from..].fill(0);
    files.write(path, &bytes);
}

/// What opening and verifying said, and how many mails were read.
pub(super) struct Judged {
    /// Code of the error of opening, or why no mail is taken.
    pub(super) open: Option<&'static str>,
    /// Did verifying find damage?
    pub(super) found: bool,
    /// Mails read at the first open; `None` where it failed.
    pub(super) first: Option<usize>,
    /// Mails read at the next one.
    pub(super) next: usize,
}

/// Opens what was hurt, and judges: nothing is lowered by opening, and nothing is missing in silence.
pub(super) fn judge(what: &str, files: &Files, mails: &[(Vec<u8>, Receipt)]) -> Judged {
    let before = kept(files);
    let first = match files.try_open() {
        Ok(archive) => archive,
        Err(error) => {
            assert!(!matches!(error, Error::Bug(_)), "{what}: {error}");
            assert_eq!(kept(files), before, "{what}: an open that fails changes nothing");
            return Judged { open: Some(error.code()), found: false, first: None, next: 0 };
        }
    };
    let count = readable(&first, mails);
    let report = verify(&first);
    if count < mails.len() {
        assert!(!report.findings.is_empty() || first.barred().is_some(), "{what}: {count} of {} and nothing is said", mails.len());
    }
    if !report.findings.is_empty() {
        let (was, is) = (before.values().sum::<usize>(), kept(files).values().sum::<usize>());
        assert!(is >= was, "{what}: {was} bytes of records and containers became {is}");
    }
    let open = first.barred().map(Error::code);
    let _closed = first.close();
    let next = readable(&files.open(), mails);
    assert!(next >= count, "{what}: the second open reads fewer than {count}");
    Judged { open, found: !report.findings.is_empty(), first: Some(count), next }
}

#[test]
fn p11_a_zeroed_tail_of_any_file_costs_what_it_hits_whatever_cache_is_lost_too() {
    let (whole, mails) = filled_archive(71);
    for path in whole.paths() {
        for lost in CACHES {
            let files = whole.copy();
            if !lost.iter().any(|name| path.to_string_lossy().contains(name)) {
                zero_tail(&files, &path);
            }
            lose(&files, lost);
            let what = format!("{} zeroed, lost {lost:?}", path.display());
            let count = judge(&what, &files, &mails).first;
            let is_container = path.to_string_lossy().contains("/content/");
            if !is_container && !path.ends_with("archive.mk") {
                assert_eq!(count, Some(mails.len()), "{what}");
            }
        }
    }
}

#[test]
fn p11_any_file_may_be_removed_alone_or_with_caches_and_opening_lowers_nothing() {
    let (whole, mails) = filled_archive(71);
    for path in whole.paths() {
        for lost in CACHES {
            let files = whole.copy();
            lose(&files, lost);
            if files.paths().contains(&path) {
                files.remove(&path);
            }
            let what = format!("{} removed, lost {lost:?}", path.display());
            let count = judge(&what, &files, &mails).first;
            if path.to_string_lossy().contains("/records/") {
                assert_eq!(count, Some(mails.len()), "{what}: tables have every packed mail");
            }
        }
    }
}

#[test]
fn p11_any_two_files_may_be_removed_and_opening_lowers_nothing() {
    let (whole, mails) = filled_archive(71);
    let paths = whole.paths();
    for (at, first) in paths.iter().enumerate() {
        for second in &paths[at + 1..] {
            let files = whole.copy();
            files.remove(first);
            files.remove(second);
            judge(&format!("{} and {} removed", first.display(), second.display()), &files, &mails);
        }
    }
}

#[test]
fn p1_p13_a_writer_killed_after_an_idle_pause_and_one_more_commit_loses_nothing() {
    let (files, archive) = Files::create();
    let mails = plain(6, 100, 73);
    let mut all: Vec<(Vec<u8>, Receipt)> = mails[..5].iter().cloned().zip(put_each(&archive, &mails[..5])).collect();
    archive.mark().expect("idle");
    all.push((mails[5].clone(), put(&archive, "anna/Inbox", &mails[5])));
    // Killed: nothing is closed.
    let killed = files.copy();
    drop(archive);
    for lost in CACHES {
        let files = killed.copy();
        lose(&files, lost);
        let archive = files.open();
        assert_eq!(readable(&archive, &all), all.len(), "lost {lost:?}");
        assert!(archive.damage().is_none(), "a crash is no damage: {:?}", archive.damage());
        put(&archive, "anna/Inbox", b"Subject: later\n\nit goes on\n");
    }
}

#[test]
fn p13_what_a_crash_left_is_put_aside_before_it_is_cut_and_once() {
    let (files, archive) = Files::create();
    let mails = plain(3, 100, 74);
    let all: Vec<(Vec<u8>, Receipt)> = mails.iter().cloned().zip(put_each(&archive, &mails)).collect();
    archive.close().expect("closed");
    // Half a commit that was in flight.
    let path = files.paths_with("/records/").pop().expect("a records file");
    let torn = b"MKF\x01 half of a frame that nobody has a receipt for".repeat(3);
    files.vfs.open(&path).and_then(|file| file.append(&torn)).expect("appended");
    let archive = files.open();
    assert!(archive.damage().is_none(), "{:?}", archive.damage());
    assert_eq!(readable(&archive, &all), all.len());
    drop(archive);
    let aside = files.paths_with("lost+found");
    let [tail] = aside.as_slice() else { panic!("one tail: {aside:?}") };
    let bytes = files.bytes(tail);
    assert!(bytes.starts_with(b"MAILKEEP") && bytes.ends_with(&torn), "the header of its file, and what was cut");
    let archive = files.open();
    assert!(verify(&archive).findings.is_empty(), "what was put aside is no damage");
    assert_eq!(files.paths_with("lost+found").len(), 1);
}
