//! An archive is there when `archive.mk` is, and then all of it is; what a creation left that was cut short is cleared by the next.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::{CrashMoment, CrashStyle, Fault, MemVfs, SimVfs, Vfs};
use archive_core::{Actor, Archive, CreateOptions, Error, Key, NewArchive, OpenOptions, Progress};

use crate::fixture::{DIR, Files, committed, plain, put_each, verify};

/// The keys that a creation gave, whether or not it came to its end.
#[derive(Default)]
struct Made {
    key_file: String,
    recovery: String,
}

impl Made {
    fn commit(&mut self, new: NewArchive) -> Result<Archive, Error> {
        self.key_file = new.keys().key_file.as_ref().expect("a key file").text().to_owned();
        self.recovery = new.keys().recovery.text().to_owned();
        new.commit()
    }
}

fn create(vfs: Arc<dyn Vfs>, dir: &Path, made: &mut Made) -> Result<Archive, Error> {
    made.commit(Archive::create_on(vfs, dir, CreateOptions::new("anna"))?)
}

fn open(vfs: &SimVfs, made: &Made) -> Result<Archive, Error> {
    Archive::open_on(Arc::new(vfs.clone()), Path::new(DIR), &Key::File(made.key_file.clone().into()), OpenOptions::default())
}

/// It has its owner and its store, takes mail, and nothing in it is damaged or foreign.
fn check_whole(archive: &Archive, what: &str) {
    assert_eq!(archive.owner(), "anna", "{what}");
    put_each(archive, &plain(2, 10, 5));
    let report = verify(archive);
    assert!(report.findings.is_empty() && report.foreign.is_empty(), "{what}: {report:?}");
    assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").stores.len(), 1, "{what}");
}

/// What is left is the archive, or nothing that keeps one from being made there with other keys.
fn judge(left: &SimVfs, made: &Made, what: &str) -> bool {
    match open(left, made) {
        Ok(archive) => {
            check_whole(&archive, what);
            true
        }
        Err(Error::NotAnArchive { .. } | Error::Unfinished { .. }) => {
            let mut again = Made::default();
            let archive =
                create(Arc::new(left.clone()), Path::new(DIR), &mut again).unwrap_or_else(|error| panic!("{what}: again: {error}"));
            check_whole(&archive, what);
            archive.close().expect("closed");
            assert!(open(left, made).is_err(), "{what}: keys of what was cleared open nothing");
            check_whole(&open(left, &again).unwrap_or_else(|error| panic!("{what}: opening: {error}")), what);
            false
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

fn disk() -> SimVfs {
    let vfs = SimVfs::new(0);
    vfs.create_dir(Path::new(DIR)).expect("a folder");
    vfs.sync_dir(Path::new("/")).expect("synced");
    vfs
}

/// How many calls a creation makes.
fn calls() -> u64 {
    let vfs = disk();
    create(Arc::new(vfs.clone()), Path::new(DIR), &mut Made::default()).expect("made");
    vfs.calls()
}

/// Calls that are stepped over, fewer than in `crash.rs`: this walk is short. All of them with `MAILKEEP_CRASH_STRIDE=1`.
fn stride() -> usize {
    let of_crashes = std::env::var("MAILKEEP_CRASH_STRIDE").ok().and_then(|text| text.parse().ok());
    of_crashes.unwrap_or(11_usize).div_ceil(3)
}

#[test]
fn d3_a_crash_at_every_call_of_a_creation_leaves_an_archive_or_none() {
    let (mut whole, mut unfinished) = (0, 0);
    for call in (0..calls()).step_by(stride()) {
        for moment in [CrashMoment::Before, CrashMoment::Within, CrashMoment::After] {
            let vfs = disk();
            vfs.crash_at(call, moment);
            let mut made = Made::default();
            let _crashed = create(Arc::new(vfs.clone()), Path::new(DIR), &mut made);
            let styles = [CrashStyle::KeepNothing, CrashStyle::KeepAll, CrashStyle::Seeded(2 * call), CrashStyle::Seeded(2 * call + 1)];
            for left in styles.map(|style| vfs.power_loss(style)).into_iter().chain([vfs.process_death()]) {
                match judge(&left, &made, &format!("call {call}, {moment:?}")) {
                    true => whole += 1,
                    false => unfinished += 1,
                }
            }
        }
    }
    assert!(whole > 4 && unfinished > 4, "both are met: {whole}, {unfinished}");
}

#[test]
fn d3_a_fault_at_every_call_of_a_creation_leaves_an_archive_or_none() {
    let mut failed = 0;
    for call in (0..calls()).step_by(stride()) {
        for fault in [Fault::Eio, Fault::Enospc, Fault::ShortWrite] {
            let vfs = disk();
            vfs.fail_at(call, fault);
            let mut made = Made::default();
            failed += u32::from(create(Arc::new(vfs.clone()), Path::new(DIR), &mut made).is_err());
            judge(&vfs.process_death(), &made, &format!("call {call}, {fault:?}"));
        }
    }
    assert!(failed > 4, "faults are met: {failed}");
}

/// Both used to say "made" in 9 of 40 rounds, and neither's keys opened what was there.
#[test]
fn d3_of_two_that_make_an_archive_in_one_folder_one_does_and_its_keys_open_it() {
    let kept = tempfile::tempdir().expect("a folder");
    for round in 0..40 {
        let dir = kept.path().join(round.to_string());
        let race = || {
            let mut made = Made::default();
            let archive = Archive::create(&dir, CreateOptions::new("anna")).and_then(|new| made.commit(new));
            (archive.map(|archive| archive.close().expect("closed")), made)
        };
        let (one, two) = std::thread::scope(|scope| {
            let other = scope.spawn(race);
            (race(), other.join().expect("no panic"))
        });
        let (winner, loser) = if one.0.is_ok() { (one, two) } else { (two, one) };
        winner.0.unwrap_or_else(|error| panic!("round {round}: none made it: {error}"));
        let refused = loser.0.expect_err("one is refused");
        assert!(matches!(refused.code(), "in_use" | "exists"), "round {round}: {refused}");
        for key in [Key::File(winner.1.key_file.into()), Key::Recovery(winner.1.recovery.into())] {
            let archive = Archive::open(&dir, &key, OpenOptions::default()).unwrap_or_else(|error| panic!("round {round}: {error}"));
            check_whole(&archive, &format!("round {round}"));
        }
    }
}

#[test]
fn d3_an_unfinished_creation_is_said_to_be_one() {
    let vfs = disk();
    vfs.crash_at(12, CrashMoment::Before);
    let mut made = Made::default();
    create(Arc::new(vfs.clone()), Path::new(DIR), &mut made).expect_err("crashed");
    let error = open(&vfs.process_death(), &made).expect_err("unfinished");
    assert_eq!(error.code(), "unfinished_creation");
    assert!(error.to_string().contains("create it again"), "{error}");
}

/// The paths of an archive that is made and never opened for mail.
fn begun() -> (MemVfs, Vec<PathBuf>) {
    let (files, archive) = Files::create();
    drop(archive);
    for path in files.paths_with("archive.mk").into_iter().chain(files.paths_with("/catalog/")).chain(files.paths_with("/index/")) {
        files.remove(&path);
    }
    let paths = files.paths();
    (files.vfs, paths)
}

#[test]
fn d3_nothing_is_cleared_that_is_not_known_to_be_unfinished() {
    let (vfs, paths) = begun();
    drop(create(Arc::new(vfs), Path::new(DIR), &mut Made::default()).expect("what was begun is cleared"));
    assert!(paths.len() >= 5, "{paths:?}");
    let foreign: [(&str, &[u8]); 5] = [
        ("notes.txt", b"mine"),
        ("master/000002.mkr", b"MAILKEEP and more"),
        ("stores/1/store.mk.2.tmp", b"no such magic"),
        ("stores/1/content/000001.mkc", b"MAILKEEP"),
        ("readers.2", b""),
    ];
    for (name, bytes) in foreign {
        let (vfs, paths) = begun();
        let path = Path::new(DIR).join(name);
        vfs.create(&path).expect("a file").append(bytes).expect("written");
        let error = create(Arc::new(vfs.clone()), Path::new(DIR), &mut Made::default()).expect_err("refused");
        assert_eq!(error.code(), "exists", "{name}: {error}");
        assert!(paths.iter().all(|path| vfs.kind(path).expect("a kind").is_some()), "{name}: all of it is there");
        assert!(vfs.kind(&path).expect("a kind").is_some(), "{name}");
    }
}

#[test]
fn d3_an_archive_with_mail_that_lost_its_identity_is_never_taken_for_an_unfinished_one() {
    let (files, archive) = Files::create();
    put_each(&archive, &[b"From: a@example.org\n\n".to_vec()]);
    drop(archive);
    for path in files.paths_with("archive.mk").into_iter().chain(files.paths_with("/catalog/")).chain(files.paths_with("/index/")) {
        files.remove(&path);
    }
    let before: Vec<(PathBuf, Vec<u8>)> = files.paths().into_iter().map(|path| (path.clone(), files.bytes(&path))).collect();
    let made = create(Arc::new(files.vfs.clone()), Path::new(DIR), &mut Made::default());
    assert_eq!(made.expect_err("refused").code(), "exists");
    assert_eq!(files.try_open().expect_err("no identity").code(), "not_an_archive");
    for (path, bytes) in before {
        assert_eq!(files.bytes(&path), bytes, "{}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn d6_an_archive_has_the_modes_of_its_folder_and_a_new_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let kept = tempfile::tempdir().expect("a folder");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    for (of_folder, of_files) in [(None, 0o600), (Some(0o750), 0o640), (Some(0o700), 0o600)] {
        let dir = kept.path().join(format!("above/{of_folder:?}"));
        if let Some(bits) = of_folder {
            std::fs::create_dir(&dir).expect("a folder");
            std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(bits)).expect("a mode");
        }
        let archive = committed(Archive::create(&dir, CreateOptions::new("anna"))).0;
        put_each(&archive, &plain(3, 10, 1));
        archive.close().expect("closed");
        let (mut dirs, mut files) = (vec![dir], 0);
        while let Some(dir) = dirs.pop() {
            assert_eq!(mode(&dir), of_folder.unwrap_or(0o700), "{}", dir.display());
            for entry in std::fs::read_dir(&dir).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    assert_eq!(mode(&path), of_files, "{}", path.display());
                    files += 1;
                }
            }
        }
        assert!(files > 8, "{files} files");
    }
}

#[test]
fn d5_verify_names_what_does_not_belong_and_nothing_else() {
    let (files, archive) = Files::create();
    put_each(&archive, &plain(3, 10, 1));
    assert_eq!(verify(&archive).foreign, Vec::<PathBuf>::new());
    let at = |name: &str| Path::new(DIR).join(name);
    let foreign = ["a.eml", "master/notes", "stores/1/1.mkr", "stores/1/content/x.mkc", "stores/1/index/letters", "stores/README"];
    let belong = [
        "readers.0",
        "archive.mk.tmp",
        "stores/1/lost+found/000001-00112233445566778899aabbccddeeff-4096.mkl",
        "stores/1/content/any.tmp",
        "stores/1/head.mkm",
    ];
    for dir in ["stores/1/lost+found", "mine", "stores/2"] {
        files.vfs.create_dir(&at(dir)).expect("a folder");
    }
    for name in foreign.iter().chain(&belong).chain(&["mine/letter"]) {
        files.vfs.create(&at(name)).expect("a file");
    }
    let report = verify(&archive);
    let mut expected: Vec<PathBuf> = foreign.iter().chain(&["mine", "stores/2"]).map(|name| at(name)).collect();
    expected.sort();
    assert_eq!(report.foreign, expected);
    assert!(report.findings.is_empty(), "it is no damage: {:?}", report.findings);
}
