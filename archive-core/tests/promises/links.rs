//! Links in the place of an archive's files: nothing is read or written through them, and what has other names keeps its bytes under these.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use archive_core::{Actor, Archive, CreateOptions, Error, Key, OpenOptions, Progress};

use crate::fixture::{committed, folder, plain, put_each, verify};

struct OnDisk {
    kept: tempfile::TempDir,
    key: Key,
}

impl OnDisk {
    fn create() -> (Self, Archive) {
        let kept = tempfile::tempdir().expect("a folder");
        let options = CreateOptions::new("anna").open_options(Self::options());
        let (archive, key) = committed(Archive::create(&kept.path().join("arch"), options));
        (Self { kept, key: Key::File(key.into()) }, archive)
    }

    /// Containers are closed soon.
    fn options() -> OpenOptions {
        OpenOptions::default().container_limit(200 << 10)
    }

    fn dir(&self) -> PathBuf {
        self.kept.path().join("arch")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn open(&self) -> Result<Archive, Error> {
        Archive::open(&self.dir(), &self.key, Self::options())
    }
}

/// All of a folder once more, file by file as `file` makes one.
fn copy(from: &Path, to: &Path, file: &dyn Fn(&Path, &Path) -> std::io::Result<()>) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy(&path, &target, file) } else { file(&path, &target).expect("a copy") }
    }
}

fn bytes(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to).map(drop)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { dirs.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = files(dir).into_iter().filter(|path| !path.ends_with("write.lock"));
    files.map(|path| (path.strip_prefix(dir).expect("below").to_owned(), fs::read(&path).expect("bytes"))).collect()
}

/// Mails whose bytes do not shrink much, so that they fill containers; and one alone.
fn fill(archive: &Archive, seed: u64) {
    let mails: Vec<Vec<u8>> = plain(12, 5000, seed);
    let source = crate::fixture::mbox(&mails);
    crate::fixture::put_stream(archive, &source, "list.mbox", &archive_core::ImportOptions::default());
    put_each(archive, &plain(1, 20, seed + 1));
}

#[test]
fn a5_a_link_in_the_place_of_each_file_is_named_or_replaced_and_never_written_through() {
    let (disk, archive) = OnDisk::create();
    fill(&archive, 1);
    archive.close().expect("closed");
    let all = files(&disk.dir());
    assert!(all.len() > 10, "{all:?}");
    let sound = disk.kept.path().join("sound");
    copy(&disk.dir(), &sound, &bytes);
    // The page on the format holds nothing of the archive.
    for path in all.into_iter().filter(|path| !path.ends_with("FORMAT.md")) {
        let name = path.strip_prefix(disk.dir()).expect("below").to_owned();
        let what = name.display().to_string();
        fs::remove_dir_all(disk.dir()).expect("removed");
        copy(&sound, &disk.dir(), &bytes);
        // What lies outside is the very file: whoever followed the link would find all in order.
        let outside = disk.kept.path().join("outside");
        fs::rename(&path, &outside).expect("moved");
        symlink(&outside, &path).expect("a link");
        let before = fs::read(&outside).expect("bytes");
        match disk.open() {
            Ok(archive) => {
                let report = verify(&archive);
                let named = report.findings.iter().any(|finding| finding.file == path && finding.cause.to_string().contains("link"));
                // What the next close writes again anyway.
                let is_replaced = ["catalog/", "index/", "head.mkm"].iter().any(|part| what.contains(part));
                assert!(named || is_replaced, "{what}: {:?}", report.findings);
                let _refused = archive.session(Actor::System).import_one(&plain(1, 20, 9)[0], &folder("anna/Inbox"));
                let _refused = archive.close();
            }
            Err(Error::Damage(damage)) => {
                assert_eq!(
                    (damage.file.as_path(), damage.cause.to_string().as_str()),
                    (path.as_path(), "a link is in its place"),
                    "{what}"
                );
            }
            Err(error) => panic!("{what}: {error}"),
        }
        assert_eq!(fs::read(&outside).expect("bytes"), before, "{what}: written through the link");
    }
}

#[test]
fn a5_a_link_in_the_place_of_a_folder_is_refused_but_the_archive_and_its_stores_may_lie_elsewhere() {
    let (disk, archive) = OnDisk::create();
    fill(&archive, 1);
    archive.close().expect("closed");
    for name in ["master", "stores", "stores/1/records", "stores/1/content", "stores/1/catalog", "stores/1/index"] {
        let outside = disk.kept.path().join("outside");
        fs::rename(disk.at(name), &outside).expect("moved");
        symlink(&outside, disk.at(name)).expect("a link");
        let before = contents(&outside);
        let damage = match disk.open() {
            Err(Error::Damage(damage)) => damage,
            // Its stores are found by their folders, and take no mail.
            Ok(archive) if name == "master" => archive.damage().expect("damage").clone(),
            opened => panic!("{name}: {:?}", opened.map(|archive| archive.id())),
        };
        assert_eq!((damage.file, damage.cause.to_string()), (disk.at(name), "a link is in its place".to_owned()));
        assert_eq!(contents(&outside), before, "{name}");
        fs::remove_file(disk.at(name)).expect("removed");
        fs::rename(&outside, disk.at(name)).expect("back");
    }
    fs::rename(disk.at("stores/1"), disk.kept.path().join("store")).expect("moved");
    symlink(disk.kept.path().join("store"), disk.at("stores/1")).expect("a link");
    fs::rename(disk.dir(), disk.kept.path().join("elsewhere")).expect("moved");
    symlink(disk.kept.path().join("elsewhere"), disk.dir()).expect("a link");
    let archive = disk.open().expect("opens");
    put_each(&archive, &plain(2, 20, 3));
    let report = verify(&archive);
    assert!(report.findings.is_empty() && report.foreign.is_empty(), "{report:?}");
    assert!(archive.holds(&disk.kept.path().join("store/new")) && archive.holds(&disk.kept.path().join("elsewhere/new")));
    // Whoever makes the folders of this path makes the first one too, and comes into the archive.
    assert!(archive.holds(&disk.kept.path().join("missing/../elsewhere/new")) && archive.holds(&disk.dir().join("new/a/../../b")));
    assert!(!archive.holds(&disk.kept.path().join("elsewhere/../beside")) && !archive.holds(&disk.kept.path().join("missing/../beside")));
}

/// It used to be emptied, and the note of the holder written into it.
#[test]
fn a5_a_foreign_file_is_not_written_through_the_lock() {
    let (disk, archive) = OnDisk::create();
    archive.close().expect("closed");
    let (lock, foreign) = (disk.at("write.lock"), disk.kept.path().join("foreign"));
    fs::write(&foreign, b"mine").expect("written");
    fs::remove_file(&lock).expect("removed");
    symlink(&foreign, &lock).expect("a link");
    let error = disk.open().expect_err("refused");
    assert!(error.code() == "damage" && error.to_string().contains("write.lock"), "{error}");
    fs::remove_file(&foreign).expect("removed");
    assert!(disk.open().is_err() && !foreign.exists(), "a link to nothing too");
    // A hard link: the archive gets a lock of its own.
    fs::write(&foreign, b"mine").expect("written");
    fs::remove_file(&lock).expect("removed");
    fs::hard_link(&foreign, &lock).expect("a link");
    drop(disk.open().expect("opens"));
    assert_eq!(fs::read(&foreign).expect("bytes"), b"mine");
    assert_eq!(fs::metadata(&lock).expect("a file").nlink(), 1);
}

#[test]
fn a5_a_snapshot_of_hard_links_stays_as_it_was_and_both_archives_go_on() {
    for closed in [true, false] {
        let (disk, archive) = OnDisk::create();
        fill(&archive, 1);
        // Without a close the last commit is taken over by the next open, and what is void is cut.
        let archive = if closed { archive.close().map(|()| None).expect("closed") } else { Some(archive) };
        let snapshot = disk.kept.path().join("snapshot");
        copy(&disk.dir(), &snapshot, &|from, to| fs::hard_link(from, to));
        drop(archive);
        let before = contents(&snapshot);
        for round in 0..3 {
            let archive = disk.open().expect("opens");
            fill(&archive, 10 + round);
            assert_eq!(verify(&archive).findings, [], "closed: {closed}, round {round}");
            archive.close().expect("closed");
            assert_eq!(contents(&snapshot), before, "closed: {closed}, round {round}: the snapshot");
        }
        let after = contents(&disk.dir());
        let mails = |archive: &Archive| archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages;
        let archive = Archive::open(&snapshot, &disk.key, OnDisk::options()).expect("the snapshot opens");
        assert_eq!((mails(&archive), verify(&archive).findings), (13, Vec::new()), "closed: {closed}");
        fill(&archive, 20);
        archive.close().expect("closed");
        assert_eq!(contents(&disk.dir()), after, "closed: {closed}: the archive");
        let archive = disk.open().expect("opens");
        assert_eq!((mails(&archive), verify(&archive).findings), (4 * 13, Vec::new()), "closed: {closed}");
    }
}
