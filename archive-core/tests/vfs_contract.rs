//! One suite for every file system: what `Vfs` promises, tested through its public methods alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::{DiskVfs, EntryKind, LockKind, MemVfs, Operation, SimVfs, Vfs, VfsError, VfsFile};

/// A file system and a directory of it that is empty.
struct Place {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    _kept: Option<tempfile::TempDir>,
}

impl Place {
    fn disk() -> Self {
        Self::on(DiskVfs::new())
    }

    fn mapped() -> Self {
        Self::on(DiskVfs::new().mapped_reads(true))
    }

    fn on(disk: DiskVfs) -> Self {
        let kept = tempfile::tempdir().unwrap();
        Self { vfs: Arc::new(disk), dir: kept.path().join("d"), _kept: Some(kept) }.with_dir()
    }

    fn memory() -> Self {
        Self { vfs: Arc::new(MemVfs::new()), dir: PathBuf::from("/d"), _kept: None }.with_dir()
    }

    fn simulated() -> Self {
        Self { vfs: Arc::new(SimVfs::new(0)), dir: PathBuf::from("/d"), _kept: None }.with_dir()
    }

    fn with_dir(self) -> Self {
        self.vfs.create_dir(&self.dir).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Arc<dyn VfsFile> {
        let file = self.vfs.create(&self.path(name)).unwrap();
        file.append(bytes).unwrap();
        file
    }

    /// The file, opened in each of the ways of reading.
    fn readers(&self, name: &str) -> [Arc<dyn VfsFile>; 2] {
        [self.vfs.open_read(&self.path(name)).unwrap(), self.vfs.open_closed(&self.path(name)).unwrap()]
    }

    fn bytes_at(&self, name: &str) -> Vec<u8> {
        let [read, closed] = self.readers(name).map(|file| bytes(&*file));
        assert_eq!(read, closed);
        read
    }

    fn names(&self) -> Vec<PathBuf> {
        self.vfs.list(&self.dir).unwrap().into_iter().map(|entry| entry.path).collect()
    }
}

fn bytes(file: &dyn VfsFile) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(0, &mut bytes).unwrap();
    bytes
}

#[track_caller]
fn assert_names<T>(outcome: Result<T, VfsError>, operation: Operation, path: &Path) {
    let error = outcome.err().expect("the call fails");
    assert_eq!((error.operation, error.path.as_path()), (operation, path), "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

macro_rules! vfs_contract {
    ($($name:ident),* $(,)?) => {
        vfs_contract!(@each [$($name),*] [
            create_refuses_an_existing_name,
            create_needs_a_directory,
            opening_what_is_not_there_is_not_found,
            a_directory_cannot_be_opened_or_removed_as_a_file,
            appended_bytes_are_read_by_range,
            reading_past_the_end_names_the_range,
            reading_nothing_works_anywhere_in_the_file,
            opening_for_appending_goes_on_at_the_end,
            a_reader_sees_what_is_appended_later,
            a_closed_file_is_read_by_range,
            a_closed_file_that_grew_or_was_cut_gives_what_it_has,
            reading_alone_refuses_every_change,
            truncate_cuts_and_appends_go_on_there,
            truncate_does_not_lengthen,
            rewrite_keeps_the_bytes_and_the_end,
            rewrite_past_the_end_is_an_error,
            rename_replaces_what_was_there,
            rename_onto_itself_changes_nothing,
            rename_of_nothing_is_an_error_and_keeps_the_target,
            open_files_survive_rename,
            open_files_survive_being_replaced,
            open_files_survive_removal,
            removing_twice_is_not_found,
            list_is_sorted_and_not_deep,
            list_needs_a_directory,
            creating_a_directory_twice_is_fine,
            a_directory_needs_its_parent_and_a_free_name,
            kind_tells_files_from_directories_from_nothing,
            sync_and_sync_dir_work,
            sync_dir_needs_a_directory,
            an_exclusive_lock_excludes_all,
            shared_locks_exclude_an_exclusive_one,
            a_lock_needs_something,
            a_directory_is_locked_like_a_file,
            a_lock_knows_whether_its_path_stands_for_it,
            rename_new_replaces_nothing,
            a_file_has_one_name,
            a_note_replaces_the_bytes,
            a_note_needs_an_exclusive_lock,
            a_lock_follows_its_file_through_a_rename,
        ]);
    };
    (@each [$($name:ident),*] $tests:tt) => { $(vfs_contract!(@one $name $tests);)* };
    (@one $name:ident [$($test:ident),* $(,)?]) => {
        mod $name {
            $(#[test] fn $test() { super::$test(&super::Place::$name()); })*
        }
    };
}

vfs_contract!(disk, mapped, memory, simulated);

fn create_refuses_an_existing_name(at: &Place) {
    at.file("a", b"old");
    assert_names(at.vfs.create(&at.path("a")), Operation::Create, &at.path("a"));
    assert_eq!(at.bytes_at("a"), b"old");
    assert_names(at.vfs.create(&at.dir), Operation::Create, &at.dir);
}

fn create_needs_a_directory(at: &Place) {
    at.file("a", b"");
    assert!(at.vfs.create(&at.path("none/b")).unwrap_err().is_not_found());
    assert_names(at.vfs.create(&at.path("a/b")), Operation::Create, &at.path("a/b"));
}

fn opening_what_is_not_there_is_not_found(at: &Place) {
    let path = at.path("a");
    for outcome in [at.vfs.open(&path), at.vfs.open_read(&path), at.vfs.open_closed(&path)] {
        let error = outcome.unwrap_err();
        assert!(error.is_not_found() && !error.is_full(), "{error}");
        assert_names::<()>(Err(error), Operation::Open, &path);
    }
}

fn a_directory_cannot_be_opened_or_removed_as_a_file(at: &Place) {
    assert_names(at.vfs.open(&at.dir), Operation::Open, &at.dir);
    assert_names(at.vfs.open_read(&at.dir), Operation::Open, &at.dir);
    assert_names(at.vfs.open_closed(&at.dir), Operation::Open, &at.dir);
    assert_names(at.vfs.remove(&at.dir), Operation::Remove, &at.dir);
    assert_eq!(at.vfs.kind(&at.dir).unwrap(), Some(EntryKind::Dir));
}

fn appended_bytes_are_read_by_range(at: &Place) {
    let file = at.file("a", b"");
    assert!(file.is_empty().unwrap());
    file.append(b"hello ").unwrap();
    file.append(b"").unwrap();
    file.append(b"world").unwrap();
    assert_eq!(file.len().unwrap(), 11);
    let mut buf = [0; 5];
    file.read_exact_at(4, &mut buf).unwrap();
    assert_eq!(&buf, b"o wor");
    file.read_exact_at(6, &mut buf).unwrap();
    assert_eq!(&buf, b"world");
}

fn reading_past_the_end_names_the_range(at: &Place) {
    let appended = at.file("a", b"hello");
    for file in at.readers("a").into_iter().chain([appended]) {
        for (offset, range) in [(2, "2..6"), (5, "5..9"), (77, "77..81")] {
            let error = file.read_exact_at(offset, &mut [0; 4]).unwrap_err();
            assert!(error.to_string().contains(range), "{error}");
            assert_eq!(error.source.kind(), std::io::ErrorKind::UnexpectedEof);
            assert_names::<()>(Err(error), Operation::Read, &at.path("a"));
        }
        assert_names(file.read_exact_at(u64::MAX, &mut [0; 4]), Operation::Read, &at.path("a"));
    }
}

fn reading_nothing_works_anywhere_in_the_file(at: &Place) {
    for bytes in [&b"hello"[..], b""] {
        let appended = at.file("a", bytes);
        for file in at.readers("a").into_iter().chain([appended]) {
            file.read_exact_at(0, &mut []).unwrap();
            file.read_exact_at(bytes.len() as u64, &mut []).unwrap();
        }
        at.vfs.remove(&at.path("a")).unwrap();
    }
}

fn opening_for_appending_goes_on_at_the_end(at: &Place) {
    drop(at.file("a", b"one "));
    at.vfs.open(&at.path("a")).unwrap().append(b"two").unwrap();
    assert_eq!(at.bytes_at("a"), b"one two");
}

fn a_reader_sees_what_is_appended_later(at: &Place) {
    let file = at.file("a", b"one ");
    let reader = at.vfs.open_read(&at.path("a")).unwrap();
    file.append(b"two").unwrap();
    assert_eq!(bytes(&*reader), b"one two");
}

fn a_closed_file_is_read_by_range(at: &Place) {
    let whole: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    at.file("a", &whole);
    let file = at.vfs.open_closed(&at.path("a")).unwrap();
    assert_eq!((file.len().unwrap(), file.links().unwrap()), (100_000, 1));
    for range in [0..1, 0..100_000, 1..2, 4095..4097, 4096..8192, 12_345..99_999, 99_999..100_000] {
        let mut buf = vec![0; range.len()];
        file.read_exact_at(range.start as u64, &mut buf).unwrap();
        assert!(buf == whole[range]);
    }
}

fn a_closed_file_that_grew_or_was_cut_gives_what_it_has(at: &Place) {
    let file = at.file("a", &[7; 10_000]);
    let closed = at.vfs.open_closed(&at.path("a")).unwrap();
    file.append(&[8; 10_000]).unwrap();
    let mut buf = [0; 2];
    for (offset, expected) in [(9_998, [7, 7]), (9_999, [7, 8]), (19_998, [8, 8])] {
        closed.read_exact_at(offset, &mut buf).unwrap();
        assert_eq!(buf, expected);
    }
    file.truncate(9_000).unwrap();
    assert_eq!(closed.len().unwrap(), 9_000);
    for offset in [8_999, 9_000, 9_997, 9_999, 19_998] {
        assert_names(closed.read_exact_at(offset, &mut buf), Operation::Read, &at.path("a"));
    }
    closed.read_exact_at(8_998, &mut buf).unwrap();
    assert_eq!(buf, [7, 7]);
}

fn reading_alone_refuses_every_change(at: &Place) {
    at.file("a", b"hello");
    for reader in at.readers("a") {
        assert_names(reader.append(b"x"), Operation::Write, &at.path("a"));
        assert_names(reader.rewrite(0, 1), Operation::Write, &at.path("a"));
        assert_names(reader.truncate(1), Operation::Truncate, &at.path("a"));
        assert_names(reader.sync(), Operation::Sync, &at.path("a"));
    }
    assert_eq!(at.bytes_at("a"), b"hello");
}

fn truncate_cuts_and_appends_go_on_there(at: &Place) {
    let file = at.file("a", b"hello world");
    file.truncate(5).unwrap();
    assert_eq!(file.len().unwrap(), 5);
    assert!(file.read_exact_at(0, &mut [0; 6]).is_err());
    file.append(b"!").unwrap();
    assert_eq!(at.bytes_at("a"), b"hello!");
    file.truncate(6).unwrap();
    file.truncate(0).unwrap();
    assert!(file.is_empty().unwrap());
}

fn truncate_does_not_lengthen(at: &Place) {
    let file = at.file("a", b"hello");
    assert_names(file.truncate(6), Operation::Truncate, &at.path("a"));
    assert_eq!(at.bytes_at("a"), b"hello");
}

fn rewrite_keeps_the_bytes_and_the_end(at: &Place) {
    let long: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = at.file("a", &long);
    file.rewrite(0, 3_000_000).unwrap();
    file.rewrite(17, 1_234_567).unwrap();
    file.rewrite(3_000_000, 0).unwrap();
    file.append(b"end").unwrap();
    let now = at.bytes_at("a");
    assert!(now.starts_with(&long) && now.ends_with(b"end") && now.len() == long.len() + 3);
}

fn rewrite_past_the_end_is_an_error(at: &Place) {
    let file = at.file("a", b"hello");
    assert_eq!(file.rewrite(3, 3).unwrap_err().path, at.path("a"));
    assert!(file.rewrite(u64::MAX, 2).is_err());
    assert_eq!(at.bytes_at("a"), b"hello");
}

fn rename_replaces_what_was_there(at: &Place) {
    at.file("a", b"new");
    at.file("b", b"old");
    at.vfs.rename(&at.path("a"), &at.path("b")).unwrap();
    assert_eq!(at.bytes_at("b"), b"new");
    assert_eq!(at.names(), [at.path("b")]);
}

fn rename_onto_itself_changes_nothing(at: &Place) {
    at.file("a", b"same");
    at.vfs.rename(&at.path("a"), &at.path("a")).unwrap();
    assert_eq!(at.bytes_at("a"), b"same");
}

fn rename_of_nothing_is_an_error_and_keeps_the_target(at: &Place) {
    at.file("b", b"old");
    assert_names(at.vfs.rename(&at.path("a"), &at.path("b")), Operation::Rename, &at.path("a"));
    assert!(at.vfs.rename(&at.path("b"), &at.path("none/b")).is_err());
    assert!(at.vfs.rename(&at.path("b"), &at.dir).is_err());
    assert_eq!(at.bytes_at("b"), b"old");
}

fn open_files_survive_rename(at: &Place) {
    let file = at.file("a", b"one ");
    at.vfs.rename(&at.path("a"), &at.path("b")).unwrap();
    file.append(b"two").unwrap();
    file.sync().unwrap();
    assert_eq!(at.bytes_at("b"), b"one two");
}

fn open_files_survive_being_replaced(at: &Place) {
    at.file("a", b"new");
    at.file("b", b"old");
    let old = at.readers("b");
    at.vfs.rename(&at.path("a"), &at.path("b")).unwrap();
    assert_eq!(old.map(|file| bytes(&*file)), [b"old", b"old"]);
}

fn open_files_survive_removal(at: &Place) {
    let file = at.file("a", b"old");
    let readers = at.readers("a");
    at.vfs.remove(&at.path("a")).unwrap();
    at.file("a", b"another");
    assert_eq!(bytes(&*file), b"old");
    assert_eq!(readers.map(|file| bytes(&*file)), [b"old", b"old"]);
    assert_eq!(at.bytes_at("a"), b"another");
}

fn removing_twice_is_not_found(at: &Place) {
    at.file("a", b"");
    at.vfs.remove(&at.path("a")).unwrap();
    assert!(at.vfs.remove(&at.path("a")).unwrap_err().is_not_found());
    assert_names(at.vfs.remove(&at.path("a")), Operation::Remove, &at.path("a"));
}

fn list_is_sorted_and_not_deep(at: &Place) {
    at.vfs.create_dir(&at.path("b")).unwrap();
    for name in ["c", "a", "b/deep", "b.x", "B"] {
        at.file(name, b"");
    }
    let entries: Vec<_> = at.vfs.list(&at.dir).unwrap().into_iter().map(|entry| (entry.path, entry.kind)).collect();
    let file = |name: &str| (at.path(name), EntryKind::File);
    assert_eq!(entries, [file("B"), file("a"), (at.path("b"), EntryKind::Dir), file("b.x"), file("c")]);
}

fn list_needs_a_directory(at: &Place) {
    at.file("a", b"");
    assert!(at.vfs.list(&at.path("none")).unwrap_err().is_not_found());
    assert_names(at.vfs.list(&at.path("a")), Operation::List, &at.path("a"));
}

fn creating_a_directory_twice_is_fine(at: &Place) {
    at.vfs.create_dir(&at.path("sub")).unwrap();
    at.file("sub/a", b"kept");
    at.vfs.create_dir(&at.path("sub")).unwrap();
    assert_eq!(at.bytes_at("sub/a"), b"kept");
}

fn a_directory_needs_its_parent_and_a_free_name(at: &Place) {
    at.file("a", b"");
    assert!(at.vfs.create_dir(&at.path("none/sub")).unwrap_err().is_not_found());
    assert_names(at.vfs.create_dir(&at.path("a")), Operation::Create, &at.path("a"));
}

fn kind_tells_files_from_directories_from_nothing(at: &Place) {
    at.file("a", b"");
    assert_eq!(at.vfs.kind(&at.path("a")).unwrap(), Some(EntryKind::File));
    assert_eq!(at.vfs.kind(&at.dir).unwrap(), Some(EntryKind::Dir));
    assert_eq!(at.vfs.kind(Path::new("/")).unwrap(), Some(EntryKind::Dir));
    assert_eq!(at.vfs.kind(&at.path("none")).unwrap(), None);
    assert_eq!(at.vfs.kind(&at.path("none/b")).unwrap(), None);
    assert_eq!(at.vfs.kind(&at.path("a/b")).unwrap(), None);
}

fn sync_and_sync_dir_work(at: &Place) {
    at.file("a", b"hello").sync().unwrap();
    at.vfs.sync_dir(&at.dir).unwrap();
}

fn sync_dir_needs_a_directory(at: &Place) {
    at.file("a", b"");
    assert!(at.vfs.sync_dir(&at.path("none")).unwrap_err().is_not_found());
    assert_names(at.vfs.sync_dir(&at.path("a")), Operation::SyncDir, &at.path("a"));
}

fn an_exclusive_lock_excludes_all(at: &Place) {
    at.file("l", b"");
    let try_lock = |kind| at.vfs.try_lock(&at.path("l"), kind).unwrap();
    let held = try_lock(LockKind::Exclusive).unwrap();
    assert!(try_lock(LockKind::Exclusive).is_none());
    assert!(try_lock(LockKind::Shared).is_none());
    drop(held);
    assert!(try_lock(LockKind::Exclusive).is_some());
    assert!(try_lock(LockKind::Shared).is_some());
}

fn shared_locks_exclude_an_exclusive_one(at: &Place) {
    at.file("l", b"");
    let try_lock = |kind| at.vfs.try_lock(&at.path("l"), kind).unwrap();
    let one = try_lock(LockKind::Shared).unwrap();
    let two = try_lock(LockKind::Shared).unwrap();
    assert!(try_lock(LockKind::Exclusive).is_none());
    drop(one);
    assert!(try_lock(LockKind::Exclusive).is_none());
    drop(two);
    assert!(try_lock(LockKind::Exclusive).is_some());
}

fn a_lock_needs_something(at: &Place) {
    assert!(at.vfs.try_lock(&at.path("l"), LockKind::Exclusive).unwrap_err().is_not_found());
    assert_names(at.vfs.try_lock(&at.path("l"), LockKind::Shared), Operation::Lock, &at.path("l"));
}

fn a_directory_is_locked_like_a_file(at: &Place) {
    at.file("l", b"kept");
    let try_lock = |path: &Path, kind| at.vfs.try_lock(path, kind).unwrap();
    let held = try_lock(&at.dir, LockKind::Exclusive).unwrap();
    assert!(try_lock(&at.dir, LockKind::Exclusive).is_none());
    assert!(try_lock(&at.dir, LockKind::Shared).is_none());
    assert_names(held.note(b"x"), Operation::Write, &at.dir);
    assert_eq!((held.path(), held.is_in_place().unwrap()), (at.dir.as_path(), true));
    // What lies in it is locked, made and removed as ever.
    let file = try_lock(&at.path("l"), LockKind::Exclusive).unwrap();
    at.vfs.remove(&at.path("l")).unwrap();
    at.file("l", b"");
    assert!(held.is_in_place().unwrap());
    drop((held, file));
    let one = try_lock(&at.dir, LockKind::Shared).unwrap();
    let _two = try_lock(&at.dir, LockKind::Shared).unwrap();
    assert!(try_lock(&at.dir, LockKind::Exclusive).is_none());
    drop(one);
}

fn a_lock_knows_whether_its_path_stands_for_it(at: &Place) {
    at.file("l", b"");
    let held = at.vfs.try_lock(&at.path("l"), LockKind::Exclusive).unwrap().unwrap();
    assert_eq!((held.path(), held.is_in_place().unwrap()), (at.path("l").as_path(), true));
    held.note(b"someone").unwrap();
    assert!(held.is_in_place().unwrap());
    at.vfs.rename(&at.path("l"), &at.path("m")).unwrap();
    assert!(!held.is_in_place().unwrap());
    at.file("l", b"");
    assert!(!held.is_in_place().unwrap(), "another file");
    at.vfs.rename(&at.path("m"), &at.path("l")).unwrap();
    assert!(held.is_in_place().unwrap());
    at.vfs.remove(&at.path("l")).unwrap();
    assert!(!held.is_in_place().unwrap());
}

fn rename_new_replaces_nothing(at: &Place) {
    at.file("a", b"new");
    at.file("b", b"old");
    at.vfs.create_dir(&at.path("d")).unwrap();
    for to in [at.path("b"), at.path("d"), at.path("a")] {
        let error = at.vfs.rename_new(&at.path("a"), &to).unwrap_err();
        assert!(error.is_taken(), "{error}");
        assert_names::<()>(Err(error), Operation::Rename, &at.path("a"));
    }
    assert_eq!((at.bytes_at("a"), at.bytes_at("b")), (b"new".to_vec(), b"old".to_vec()));
    assert!(at.vfs.rename_new(&at.path("none"), &at.path("c")).unwrap_err().is_not_found());
    assert!(at.vfs.rename_new(&at.path("a"), &at.path("none/c")).unwrap_err().is_not_found());
    at.vfs.rename_new(&at.path("a"), &at.path("d/c")).unwrap();
    assert_eq!(at.bytes_at("d/c"), b"new");
    assert_eq!(at.names(), [at.path("b"), at.path("d")]);
}

fn a_file_has_one_name(at: &Place) {
    let file = at.file("a", b"");
    assert_eq!(file.links().unwrap(), 1);
    at.vfs.rename(&at.path("a"), &at.path("b")).unwrap();
    assert_eq!((file.links().unwrap(), at.vfs.open_read(&at.path("b")).unwrap().links().unwrap()), (1, 1));
}

fn a_note_replaces_the_bytes(at: &Place) {
    at.file("l", b"whoever it was before");
    let lock = at.vfs.try_lock(&at.path("l"), LockKind::Exclusive).unwrap().unwrap();
    lock.note(b"host 1, process 2").unwrap();
    assert_eq!(at.bytes_at("l"), b"host 1, process 2");
    lock.note(b"short").unwrap();
    assert_eq!(at.bytes_at("l"), b"short");
}

fn a_note_needs_an_exclusive_lock(at: &Place) {
    at.file("l", b"kept");
    let lock = at.vfs.try_lock(&at.path("l"), LockKind::Shared).unwrap().unwrap();
    assert_names(lock.note(b"x"), Operation::Write, &at.path("l"));
    assert_eq!(at.bytes_at("l"), b"kept");
}

fn a_lock_follows_its_file_through_a_rename(at: &Place) {
    at.file("l", b"");
    let _held = at.vfs.try_lock(&at.path("l"), LockKind::Exclusive).unwrap().unwrap();
    at.vfs.rename(&at.path("l"), &at.path("m")).unwrap();
    at.file("l", b"");
    assert!(at.vfs.try_lock(&at.path("m"), LockKind::Shared).unwrap().is_none());
    assert!(at.vfs.try_lock(&at.path("l"), LockKind::Shared).unwrap().is_some());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn what_is_created_on_disk_has_the_mode_of_the_folder_it_lies_in() {
        for (of_folder, of_files) in [(0o700, 0o600), (0o750, 0o640), (0o770, 0o660), (0o755, 0o644)] {
            let at = Place::disk();
            std::fs::set_permissions(&at.dir, std::fs::Permissions::from_mode(of_folder)).unwrap();
            at.file("a", b"");
            at.vfs.create_dir(&at.path("sub")).unwrap();
            at.file("sub/a", b"");
            let modes = ["a", "sub", "sub/a"].map(|name| mode(&at.path(name)) & 0o777);
            assert_eq!(modes, [of_files, of_folder, of_files], "{of_folder:o}");
        }
    }

    #[test]
    fn a_folder_on_disk_keeps_the_group_that_the_one_around_it_hands_down() {
        let at = Place::disk();
        std::fs::set_permissions(&at.dir, std::fs::Permissions::from_mode(0o2750)).unwrap();
        let handed_down = mode(&at.dir) & 0o2000;
        at.vfs.create_dir(&at.path("sub")).unwrap();
        assert_eq!(mode(&at.path("sub")), handed_down | 0o750);
    }

    #[test]
    fn a_link_on_disk_is_neither_file_nor_directory() {
        let at = Place::disk();
        at.file("a", b"");
        symlink(at.path("a"), at.path("link")).unwrap();
        assert_eq!(at.vfs.kind(&at.path("link")).unwrap(), Some(EntryKind::Other));
        assert_eq!(at.vfs.list(&at.dir).unwrap()[1].kind, EntryKind::Other);
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_not_followed() {
        let at = Place::disk();
        at.file("foreign", b"kept");
        for (target, name) in [("foreign", "link"), ("nothing", "dangling")] {
            symlink(at.path(target), at.path(name)).unwrap();
            let path = at.path(name);
            for opened in [at.vfs.open(&path), at.vfs.open_read(&path), at.vfs.open_closed(&path)] {
                let error = opened.unwrap_err();
                assert!(error.is_link() && !error.is_not_found() && error.to_string().contains("a link is in its place"), "{error}");
                assert_names::<()>(Err(error), Operation::Open, &path);
            }
            assert!(at.vfs.try_lock(&path, LockKind::Exclusive).unwrap_err().is_link());
            assert!(at.vfs.create(&path).is_err());
        }
        assert_eq!(at.bytes_at("foreign"), b"kept");
        assert_eq!(at.vfs.kind(&at.path("nothing")).unwrap(), None);
    }

    #[test]
    fn a_link_in_the_place_of_a_directory_is_not_one() {
        let at = Place::disk();
        at.vfs.create_dir(&at.path("d")).unwrap();
        symlink(at.path("d"), at.path("link")).unwrap();
        let error = at.vfs.create_dir(&at.path("link")).unwrap_err();
        assert!(error.is_link(), "{error}");
        at.vfs.create_dir(&at.path("d")).unwrap();
    }

    #[test]
    fn a_link_is_replaced_and_removed_itself() {
        let at = Place::disk();
        at.file("foreign", b"kept");
        at.file("new", b"new");
        symlink(at.path("foreign"), at.path("link")).unwrap();
        assert!(at.vfs.rename_new(&at.path("new"), &at.path("link")).unwrap_err().is_taken());
        at.vfs.rename(&at.path("new"), &at.path("link")).unwrap();
        assert_eq!((at.bytes_at("link"), at.bytes_at("foreign")), (b"new".to_vec(), b"kept".to_vec()));
        symlink(at.path("foreign"), at.path("other")).unwrap();
        at.vfs.remove(&at.path("other")).unwrap();
        assert_eq!(at.bytes_at("foreign"), b"kept");
    }

    #[test]
    fn a_file_knows_how_many_names_it_has_and_no_note_is_written_to_several() {
        let at = Place::disk();
        let file = at.file("a", b"kept");
        std::fs::hard_link(at.path("a"), at.path("b")).unwrap();
        let reader = at.vfs.open_read(&at.path("b")).unwrap();
        assert_eq!((file.links().unwrap(), reader.links().unwrap()), (2, 2));
        let lock = at.vfs.try_lock(&at.path("b"), LockKind::Exclusive).unwrap().unwrap();
        assert!(lock.note(b"someone").unwrap_err().is_link());
        assert_eq!(at.bytes_at("a"), b"kept");
        at.vfs.remove(&at.path("b")).unwrap();
        assert_eq!((file.links().unwrap(), reader.links().unwrap()), (1, 1));
        at.vfs.remove(&at.path("a")).unwrap();
        assert_eq!(file.links().unwrap(), 0);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
        let at = Place::disk();
        let path = at.path("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_names(at.vfs.open(&path), Operation::Open, &path);
        assert_names(at.vfs.open_read(&path), Operation::Open, &path);
        assert_names(at.vfs.try_lock(&path, LockKind::Shared), Operation::Lock, &path);
    }
}
