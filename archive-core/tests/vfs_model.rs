//! Without crashes and faults the simulated disk and the real one behave like files in memory, whatever is done to them; and a
//! seed never brings up bytes that were not written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::vfs::{CrashStyle, DirEntry, DiskVfs, LockKind, MemVfs, SimVfs, Vfs, VfsFile, VfsLock};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Open(usize),
    OpenRead(usize),
    CreateDir(usize),
    Rename(usize, usize),
    RenameNew(usize, usize),
    Remove(usize),
    SyncDir(usize),
    Lock(usize, bool),
    Unlock,
    Append(usize, Vec<u8>),
    Rewrite(usize, u64, u64),
    Truncate(usize, u64),
    Sync(usize),
    Close(usize),
    Note(Vec<u8>),
}

const NAMES: [&str; 7] = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a"];

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    let file = || 0..4_usize;
    prop_oneof![
        3 => name().prop_map(Step::Create),
        1 => name().prop_map(Step::Open),
        1 => name().prop_map(Step::OpenRead),
        2 => name().prop_map(Step::CreateDir),
        2 => (name(), name()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (name(), name()).prop_map(|(from, to)| Step::RenameNew(from, to)),
        1 => name().prop_map(Step::Remove),
        1 => name().prop_map(Step::SyncDir),
        1 => (name(), any::<bool>()).prop_map(|(name, shared)| Step::Lock(name, shared)),
        1 => Just(Step::Unlock),
        4 => (file(), prop::collection::vec(1_u8.., 0..1500)).prop_map(|(file, bytes)| Step::Append(file, bytes)),
        1 => (file(), 0..2000_u64, 0..2000_u64).prop_map(|(file, at, len)| Step::Rewrite(file, at, len)),
        1 => (file(), 0..2000_u64).prop_map(|(file, len)| Step::Truncate(file, len)),
        1 => file().prop_map(Step::Sync),
        1 => file().prop_map(Step::Close),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Step::Note),
    ]
}

/// A file system with what a process holds of it.
struct Process {
    vfs: Arc<dyn Vfs>,
    root: PathBuf,
    /// Open files, with the names they were opened by.
    files: Vec<Arc<dyn VfsFile>>,
    locks: Vec<Box<dyn VfsLock>>,
}

impl Process {
    fn new(vfs: impl Vfs + 'static, root: &Path) -> Self {
        Self { vfs: Arc::new(vfs), root: root.to_owned(), files: Vec::new(), locks: Vec::new() }
    }

    /// `true` if the step worked.
    fn take(&mut self, step: &Step) -> bool {
        let at = |name: &usize| self.root.join(NAMES[*name]);
        let opened = match step {
            Step::Create(name) => self.vfs.create(&at(name)),
            Step::Open(name) => self.vfs.open(&at(name)),
            Step::OpenRead(name) => self.vfs.open_read(&at(name)),
            other => return self.take_another(other),
        };
        opened.map(|file| self.files.push(file)).is_ok()
    }

    fn take_another(&mut self, step: &Step) -> bool {
        let at = |name: &usize| self.root.join(NAMES[*name]);
        let on = |file: &usize, act: &dyn Fn(&dyn VfsFile) -> bool| self.files.get(*file).is_some_and(|file| act(&**file));
        match step {
            Step::Create(_) | Step::Open(_) | Step::OpenRead(_) => unreachable!(),
            Step::CreateDir(name) => self.vfs.create_dir(&at(name)).is_ok(),
            Step::Rename(from, to) => self.vfs.rename(&at(from), &at(to)).is_ok(),
            Step::RenameNew(from, to) => self.vfs.rename_new(&at(from), &at(to)).is_ok(),
            Step::Remove(name) => self.vfs.remove(&at(name)).is_ok(),
            Step::SyncDir(name) => self.vfs.sync_dir(&at(name)).is_ok(),
            Step::Lock(name, shared) => {
                let kind = if *shared { LockKind::Shared } else { LockKind::Exclusive };
                match self.vfs.try_lock(&at(name), kind) {
                    Ok(Some(lock)) => {
                        self.locks.push(lock);
                        true
                    }
                    Ok(None) | Err(_) => false,
                }
            }
            Step::Unlock => self.locks.pop().is_some(),
            Step::Append(file, bytes) => on(file, &|file| file.append(bytes).is_ok()),
            Step::Rewrite(file, offset, len) => on(file, &|file| file.rewrite(*offset, *len).is_ok()),
            Step::Truncate(file, len) => on(file, &|file| file.truncate(*len).is_ok()),
            Step::Sync(file) => on(file, &|file| file.sync().is_ok()),
            Step::Close(file) if *file < self.files.len() => {
                self.files.remove(*file);
                true
            }
            Step::Close(_) => false,
            Step::Note(bytes) => self.locks.last().is_some_and(|lock| lock.note(bytes).is_ok()),
        }
    }

    /// Everything that can be seen: names with kinds, and the bytes of named and of open files.
    fn view(&self) -> (Vec<DirEntry>, Vec<Vec<u8>>) {
        let mut entries = Vec::new();
        let mut contents: Vec<_> = self.files.iter().map(|file| bytes(&**file)).collect();
        for dir in ["", "d", "d/e"] {
            for mut entry in self.vfs.list(&self.root.join(dir)).unwrap_or_default() {
                contents.extend(self.vfs.open_read(&entry.path).map(|file| bytes(&*file)).ok());
                entry.path = entry.path.strip_prefix(&self.root).unwrap().to_owned();
                entries.push(entry);
            }
        }
        (entries, contents)
    }
}

fn bytes(file: &dyn VfsFile) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(0, &mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_simulated_disk_behaves_like_files_in_memory(steps in prop::collection::vec(step(), 1..60)) {
        let (mut simulated, mut memory) = (Process::new(SimVfs::new(0), Path::new("/")), Process::new(MemVfs::new(), Path::new("/")));
        for step in &steps {
            prop_assert_eq!(simulated.take(step), memory.take(step), "{:?}", step);
            prop_assert_eq!(simulated.view(), memory.view(), "{:?}", step);
        }
    }

    #[test]
    fn after_power_loss_a_file_holds_zeros_or_what_was_written(steps in prop::collection::vec(step(), 1..60), seed: u64) {
        let vfs = SimVfs::new(0);
        let mut process = Process::new(vfs.clone(), Path::new("/"));
        let mut written = std::collections::BTreeSet::from([0]);
        for step in &steps {
            process.take(step);
            if let Step::Append(_, bytes) | Step::Note(bytes) = step {
                written.extend(bytes.iter().copied());
            }
        }
        let after = Process::new(vfs.power_loss(CrashStyle::Seeded(seed)), Path::new("/"));
        let again = Process::new(vfs.power_loss(CrashStyle::Seeded(seed)), Path::new("/"));
        prop_assert_eq!(after.view(), again.view());
        let (_, contents) = after.view();
        prop_assert!(contents.iter().flatten().all(|byte| written.contains(byte)));
        let kept = Process::new(vfs.power_loss(CrashStyle::KeepAll), Path::new("/"));
        process.files.clear();
        prop_assert_eq!(kept.view(), process.view());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn files_in_memory_behave_like_those_of_the_real_disk(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let (mut disk, mut memory) = (Process::new(DiskVfs::new(), dir.path()), Process::new(MemVfs::new(), Path::new("/")));
        for step in &steps {
            // A file has one appender at a time, and directories are not renamed.
            if second_writer(step) || names_a_dir(step, &disk) {
                continue;
            }
            prop_assert_eq!(disk.take(step), memory.take(step), "{:?}", step);
            prop_assert_eq!(disk.view(), memory.view(), "{:?}", step);
        }
    }
}

fn second_writer(step: &Step) -> bool {
    matches!(step, Step::Open(_) | Step::Note(_))
}

fn names_a_dir(step: &Step, process: &Process) -> bool {
    match step {
        Step::Rename(from, _) | Step::RenameNew(from, _) => process.root.join(NAMES[*from]).is_dir(),
        _ => false,
    }
}
