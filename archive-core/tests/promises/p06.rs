//! No silent damage: `verify` says which file; the archive opens or says which file is broken; nothing panics.

use std::path::Path;

use archive_core::{Error, ImportOptions};

use crate::fixture::{Answers, Files, ask, folder, mbox, mixed, plain, put_each, put_stream, verify};

/// A closed archive with a file of every kind, and what it answers.
fn filled() -> (Files, Answers) {
    let (files, archive) = Files::create();
    put_each(&archive, &mixed());
    let options = ImportOptions { into: Some(folder("anna/Lists")), ..ImportOptions::default() };
    put_stream(&archive, &mbox(&plain(300, 250, 9)), "one.mbox", &options);
    archive.close().expect("closed");
    let answers = ask(&files.open()).expect("answers");
    let report = verify(&files.open());
    assert_eq!(report.findings, [], "a sound archive has no damage");
    (files, answers)
}

/// What became of a changed file.
#[derive(Debug, PartialEq)]
enum Fate {
    /// Named by `verify`, or by the error of opening.
    Named,
    /// All answers are as before, and nothing is named: it was made anew, or nobody needs it.
    Healed,
    /// Something is lost or refused without the file being named.
    Silent(String),
}

fn names(text: &str, path: &Path) -> bool {
    let parent = path.parent().expect("a folder").display().to_string();
    text.contains(&path.display().to_string()) || text.starts_with(&format!("{parent}: "))
}

fn fate(files: &Files, path: &Path, answers: &Answers) -> Fate {
    let archive = match files.try_open() {
        Ok(archive) => archive,
        Err(Error::BrokenIdentity { path: named }) if path.starts_with(named.parent().expect("a folder")) => return Fate::Named,
        // An error of the file system says nothing of damage, nor what to do.
        Err(error @ Error::Io(_)) => return Fate::Silent(format!("refused: {error}")),
        Err(error) if names(&error.to_string(), path) => return Fate::Named,
        Err(error) => return Fate::Silent(format!("refused: {error}")),
    };
    let report = verify(&archive);
    if report.findings.iter().any(|finding| finding.file == path || Some(&*finding.file) == path.parent()) {
        return Fate::Named;
    }
    match ask(&archive) {
        Ok(now) if now == *answers && report.findings.is_empty() => Fate::Healed,
        Ok(now) if now == *answers => Fate::Silent(format!("other files are named: {:?}", report.findings)),
        Ok(_) => Fate::Silent(format!("other answers, findings {:?}", report.findings)),
        Err(error) => Fate::Silent(format!("{error}, findings {:?}", report.findings)),
    }
}

fn judge(files: &Files, answers: &Answers, change: &dyn Fn(&Files, &Path) -> Option<usize>, what: &str) {
    let mut wrong = Vec::new();
    for path in files.paths() {
        let text = path.to_string_lossy().into_owned();
        if text.ends_with("write.lock") {
            continue;
        }
        let changed = files.copy();
        let Some(behind) = change(&changed, &path) else { continue };
        match fate(&changed, &path, answers) {
            Fate::Named => {}
            Fate::Healed if cache_or_twin(&text) || in_last_mark(&text, behind) => {}
            fate => wrong.push(format!("{text}: {what}: {fate:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The last frame of records only says that the commits before it are synced. Without it they are taken over as after a crash.
fn in_last_mark(path: &str, behind: usize) -> bool {
    const MARK: usize = 102;
    path.ends_with(".mkr") && behind <= MARK
}

/// Caches are made anew, identities have a second copy.
fn cache_or_twin(path: &str) -> bool {
    path.contains("/catalog/") || path.contains("/index/") || path.contains(".mk") && !path.contains(".mkc") && !path.contains(".mkr")
}

#[test]
fn a_flipped_byte_anywhere_is_named() {
    let (files, answers) = filled();
    for eighth in 0..8 {
        let flip = |files: &Files, path: &Path| {
            let len = files.bytes(path).len();
            let offset = len * eighth / 8 + eighth.min(len / 9);
            (len > 0).then(|| {
                files.flip(path, offset);
                len - offset
            })
        };
        judge(&files, &answers, &flip, &format!("byte at {eighth}/8"));
    }
}

#[test]
fn a_flipped_byte_in_a_header_is_named() {
    let (files, answers) = filled();
    for offset in [0, 8, 10, 20, 40, 60, 90, 127] {
        let flip = |files: &Files, path: &Path| {
            let len = files.bytes(path).len();
            (len > offset).then(|| {
                files.flip(path, offset);
                len - offset
            })
        };
        judge(&files, &answers, &flip, &format!("byte {offset}"));
    }
}

#[test]
fn a_cut_file_is_named() {
    let (files, answers) = filled();
    for (num, den) in [(0, 1), (1, 3), (9, 10), (1, 1)] {
        let cut = |files: &Files, path: &Path| {
            let bytes = files.bytes(path);
            let len = (bytes.len() * num / den).min(bytes.len().saturating_sub(1));
            files.write(path, &bytes[..len]);
            (!bytes.is_empty()).then_some(bytes.len() - len)
        };
        judge(&files, &answers, &cut, &format!("cut to {num}/{den}"));
    }
}

#[test]
fn a_missing_file_is_named() {
    let (files, answers) = filled();
    let remove = |files: &Files, path: &Path| {
        let len = files.bytes(path).len();
        files.remove(path);
        Some(len)
    };
    judge(&files, &answers, &remove, "removed");
}

#[test]
fn a_file_of_noise_beside_the_others_harms_nothing() {
    let (files, answers) = filled();
    for name in ["content/000999.mkc", "records/999999.mkr", "catalog/x.tmp", "index/noise", "content/noise.txt"] {
        let more = files.copy();
        let store = more.paths_with("store.mk")[0].parent().expect("a folder").to_owned();
        let file = archive_core::vfs::Vfs::create(&more.vfs, &store.join(name)).expect("created");
        file.append(&[0x5a; 3000]).expect("written");
        let archive = more.try_open().unwrap_or_else(|error| panic!("{name}: {error}"));
        let now = ask(&archive).expect("answers");
        assert!(now == answers, "{name}");
    }
}
