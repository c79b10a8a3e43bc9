//! One writing process at a time: a second one gets an error that names the first.

use std::path::Path;
use std::sync::Arc;

use archive_core::vfs::{DirEntry, EntryKind, LockKind, MemVfs, Operation, Vfs, VfsError, VfsFile, VfsLock};
use archive_core::{Actor, Archive, Error, OpenOptions, Progress};

use crate::fixture::{DIR, Files, committed, folder, plain, put_each, verify};

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
    assert_eq!(files.open().session(archive_core::Actor::System).stats(&Progress::new()).expect("stats").messages, 6);
}

#[test]
fn on_a_real_disk_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let options = archive_core::CreateOptions::new("anna");
    let (archive, key) = committed(archive_core::Archive::create(dir.path(), options));
    let key = archive_core::Key::File(key.into());
    let open = || archive_core::Archive::open(dir.path(), &key, archive_core::OpenOptions::default());
    let error = open().expect_err("in use");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    archive.close().expect("closed");
    open().expect("free again");
}

/// People remove locks that look stale. A second writer used to be let in then: 3 of 5 receipted mails were lost.
#[test]
fn p14_a_lock_removed_under_a_writer_lets_no_second_one_in() {
    let (files, archive) = Files::create();
    let first = put_each(&archive, &plain(2, 10, 1));
    let lock = Path::new(DIR).join("write.lock");
    files.remove(&lock);
    assert_eq!(files.try_open().expect_err("in use").code(), "in_use");
    files.vfs.create(&lock).expect("another one in its place");
    assert_eq!(files.try_open().expect_err("in use").code(), "in_use");
    let second = put_each(&archive, &plain(3, 10, 2));
    archive.close().expect("closed");
    let archive = files.open();
    for receipt in first.iter().chain(&second) {
        archive.session(Actor::System).raw(receipt.id()).expect("a mail with a receipt is there");
    }
}

#[test]
fn p14_on_a_real_disk_a_removed_lock_lets_no_second_writer_in() {
    let dir = tempfile::tempdir().expect("a folder");
    let (archive, key) = committed(Archive::create(dir.path(), archive_core::CreateOptions::new("anna")));
    std::fs::remove_file(dir.path().join("write.lock")).expect("removed");
    let open = || Archive::open(dir.path(), &archive_core::Key::File(key.clone().into()), OpenOptions::default());
    let error = open().expect_err("in use");
    assert_eq!(error.code(), "in_use");
    put_each(&archive, &plain(2, 10, 1));
    drop(archive);
    assert_eq!(open().expect("free again").session(Actor::System).stats(&Progress::new()).expect("stats").messages, 2);
}

/// Whoever moves an archive away and puts a backup in its place does not know that a server still writes: new files
/// of the one used to go into the folder of the other, and what they held was lost in spite of its receipt.
#[test]
fn p14_a_folder_replaced_under_a_writer_gives_no_receipt_and_leaves_the_other_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let (home, backup, moved) = (dir.path().join("mail"), dir.path().join("backup"), dir.path().join("moved"));
    let (archive, key) = committed(Archive::create(&home, archive_core::CreateOptions::new("anna")));
    let first = put_each(&archive, &plain(2, 10, 1));
    archive.close().expect("closed");
    let open = |path: &Path| Archive::open(path, &archive_core::Key::File(key.clone().into()), OpenOptions::default());
    copy_dir(&home, &backup);
    let archive = open(&home).expect("opens");
    let second = put_each(&archive, &plain(3, 10, 2));
    std::fs::rename(&home, &moved).expect("moved away");
    std::fs::rename(&backup, &home).expect("put back");
    let before = bytes_below(&home);
    let error = archive.session(Actor::System).import_one(&plain(1, 10, 3)[0], &folder("anna/Inbox")).expect_err("no receipt");
    assert_eq!(error.code(), "lock_lost", "{error}");
    let again = archive.session(Actor::System).import_one(&plain(1, 10, 4)[0], &folder("anna/Inbox")).expect_err("latched");
    assert_eq!(again.code(), "latched", "{again}");
    archive.close().expect_err("not closed");
    assert!(bytes_below(&home) == before, "nothing of the writer is in the folder that took the place of its own");
    for (place, receipts) in [(&home, first.clone()), (&moved, [first, second].concat())] {
        let archive = open(place).expect("opens");
        for receipt in &receipts {
            archive.session(Actor::System).raw(receipt.id()).expect("a mail with a receipt is there");
        }
        assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages, receipts.len() as u64);
        assert_eq!(verify(&archive).findings, []);
    }
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

fn bytes_below(dir: &Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for path in std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() { found.extend(bytes_below(&path)) } else { found.extend([(path.clone(), std::fs::read(&path).expect("read"))]) }
    }
    found
}

/// A file system on which folders have no locks, as over some networks.
#[derive(Debug, Clone)]
struct NoFolderLocks(MemVfs);

impl Vfs for NoFolderLocks {
    fn create(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.0.create(path)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.0.open(path)
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn VfsFile>, VfsError> {
        self.0.open_read(path)
    }

    fn create_dir(&self, path: &Path) -> Result<(), VfsError> {
        self.0.create_dir(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<DirEntry>, VfsError> {
        self.0.list(path)
    }

    fn kind(&self, path: &Path) -> Result<Option<EntryKind>, VfsError> {
        self.0.kind(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.0.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), VfsError> {
        self.0.rename_new(from, to)
    }

    fn remove(&self, path: &Path) -> Result<(), VfsError> {
        self.0.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<(), VfsError> {
        self.0.sync_dir(path)
    }

    fn try_lock(&self, path: &Path, kind: LockKind) -> Result<Option<Box<dyn VfsLock>>, VfsError> {
        match self.0.kind(path)? {
            Some(EntryKind::Dir) => Err(VfsError::new(Operation::Lock, path, std::io::ErrorKind::Unsupported.into())),
            _ => self.0.try_lock(path, kind),
        }
    }
}

impl NoFolderLocks {
    fn create() -> (Self, String, Archive) {
        let vfs = Self(MemVfs::new());
        vfs.create_dir(Path::new(DIR)).expect("a folder");
        let (archive, key) = committed(Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), archive_core::CreateOptions::new("anna")));
        (vfs, key, archive)
    }

    fn open(&self, key: &str) -> Result<Archive, Error> {
        Archive::open_on(Arc::new(self.clone()), Path::new(DIR), &archive_core::Key::File(key.to_owned().into()), OpenOptions::default())
    }
}

#[test]
fn p14_where_folders_have_no_locks_the_file_is_the_lock() {
    let (vfs, key, archive) = NoFolderLocks::create();
    put_each(&archive, &plain(2, 10, 1));
    let error = vfs.open(&key).expect_err("in use");
    assert!(error.code() == "in_use" && error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    archive.close().expect("closed");
    put_each(&vfs.open(&key).expect("opens"), &plain(2, 10, 2));
    // Nobody may write to a file of the name while another has the lock on it, whatever it is called now.
    let archive = vfs.open(&key).expect("opens");
    assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages, 4);
}

#[test]
fn p14_a_lost_lock_gives_no_receipt_and_both_writers_keep_what_had_one() {
    let (vfs, key, first) = NoFolderLocks::create();
    let mut receipts = put_each(&first, &plain(3, 10, 1));
    let files = |part: &str| {
        let dir = Path::new(DIR).join(part);
        let entries = vfs.list(&dir).expect("a folder").into_iter();
        entries.map(|entry| (entry.path.clone(), vfs.open_read(&entry.path).expect("a file").len().expect("a length"))).collect::<Vec<_>>()
    };
    vfs.remove(&Path::new(DIR).join("write.lock")).expect("removed");
    let before = [files("stores/1/records"), files("master")].concat();
    // The file is gone, so a second one comes in: the first may still write, and the second leaves its files alone.
    let second = vfs.open(&key).expect("opens");
    let error = first.session(Actor::System).import_one(&plain(1, 10, 7)[0], &folder("anna/Inbox")).expect_err("no receipt");
    assert_eq!(error.code(), "lock_lost", "{error}");
    let again = first.session(Actor::System).import_one(&plain(1, 10, 8)[0], &folder("anna/Inbox")).expect_err("latched");
    assert!(again.code() == "latched" && again.to_string().contains("lock was removed"), "{again}");
    // What the first wrote after it had lost its lock may stand there; nothing of the second comes after it.
    let known =
        [files("stores/1/records"), files("master")].concat().into_iter().filter(|(path, _)| before.iter().any(|one| one.0 == *path));
    let known = known.collect::<Vec<_>>();
    receipts.extend(put_each(&second, &plain(3, 10, 2)));
    let after = [files("stores/1/records"), files("master")].concat();
    for (path, len) in &known {
        let now = after.iter().find(|(now, _)| now == path).expect("no file went");
        assert_eq!(now.1, *len, "{}", path.display());
    }
    assert!(after.len() > before.len(), "the second writes to files of its own");
    drop(first);
    drop(second);
    let archive = vfs.open(&key).expect("opens");
    for receipt in &receipts {
        archive.session(Actor::System).raw(receipt.id()).expect("a mail with a receipt is there");
    }
    assert_eq!(archive.session(Actor::System).stats(&Progress::new()).expect("stats").messages, 6);
    assert_eq!(verify(&archive).findings, []);
}

#[test]
fn p14_a_lost_lock_is_noticed_by_an_import_too() {
    let (vfs, _, archive) = NoFolderLocks::create();
    vfs.remove(&Path::new(DIR).join("write.lock")).expect("removed");
    let source = crate::fixture::mbox(&plain(20, 50, 3));
    let mut told = crate::fixture::Told::default();
    let source = archive_core::ImportSource::Stream(&mut &*source, "list.mbox");
    let error = archive.session(Actor::System).import(source, &archive_core::ImportOptions::default(), &mut told).expect_err("lost");
    assert_eq!((error.code(), told.receipts.len()), ("lock_lost", 0));
}
