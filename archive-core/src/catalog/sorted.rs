//! Sorted entries in memory and runs: the newest value of a key wins, wherever it is.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::keys::Key;
use super::merge::{Stays, merge};
use super::page::Page;
use super::run::{PageCache, Run, RunName, RunWriter, SharedPages, file_path};
use crate::error::Error;
use crate::id::Uuid;
use crate::seal::SecretKey;
use crate::vfs::{EntryKind, Vfs};

/// Runs of a level are merged into one of the next when there are this many.
pub(super) const FANOUT: usize = 8;
/// What an entry in memory costs besides its bytes.
const ENTRY_COST: usize = 64;

/// Receives key and value of an entry.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Error> + 'a;

/// All entries of a catalog. A clone is a view that does not change: it shares what is there.
#[derive(Clone)]
pub(super) struct Sorted {
    home: Arc<Home>,
    /// Entries put since the last freeze, newest first; the first takes new entries, unless a view shares it.
    recent: Vec<Arc<Memory>>,
    /// Entries to be written, newest first; older than the recent ones. If writing fails they stay here.
    frozen: Vec<Arc<Memory>>,
    /// Newest first.
    runs: Vec<Arc<Run>>,
    /// Runs written by [`Self::spill`], which no manifest names yet.
    spilled: Arc<Spilled>,
}

/// What all views of a catalog share.
pub(super) struct Home {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) dir: PathBuf,
    pub(super) key: SecretKey,
    pub(super) owner: Uuid,
    /// Of the next file. No number is given twice, whatever becomes of the file: pages are cached by it.
    next_number: AtomicU64,
    /// Files from this number on are of this process.
    first_number: u64,
    cache: PageCache,
}

impl Home {
    /// The memory that its pages share.
    pub(super) fn pages(&self) -> &SharedPages {
        self.cache.shared()
    }

    /// The number of the next file.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number.load(Ordering::Relaxed)
    }

    fn take_number(&self) -> Result<u64, Error> {
        let taken = self.next_number.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| number.checked_add(1));
        taken.map_err(|_| Error::Bug("all numbers of runs are given"))
    }

    fn create(&self) -> Result<RunWriter, Error> {
        RunWriter::create(&*self.vfs, &self.dir, &self.key, self.owner, self.take_number()?)
    }

    fn open(&self, name: RunName) -> Result<Arc<Run>, Error> {
        Ok(Arc::new(Run::open(&*self.vfs, &self.dir, &self.key, self.owner, name)?))
    }
}

/// Entries in memory.
#[derive(Default, Clone)]
struct Memory {
    /// Where in `values` the value of each key lies; [`TOMBSTONE`] hides the key in what is older.
    entries: BTreeMap<Key, Range<usize>>,
    /// Values one after the other: most are small, and none is removed before all are written.
    values: Vec<u8>,
}

/// In the place of a value: the entry was removed.
const TOMBSTONE: Range<usize> = usize::MAX..usize::MAX;

impl Memory {
    /// Bytes that it takes, about.
    fn len(&self) -> usize {
        self.entries.len() * ENTRY_COST + self.values.len()
    }

    /// The value at a place; `None` for a tombstone.
    fn value(&self, at: &Range<usize>) -> Result<Option<&[u8]>, Error> {
        if *at == TOMBSTONE {
            return Ok(None);
        }
        self.values.get(at.clone()).map(Some).ok_or(Error::Bug("the value of an entry in memory is gone"))
    }

    /// Takes over the entries of a newer one.
    fn overlay(&mut self, newer: &Memory) {
        let start = self.values.len();
        self.values.extend_from_slice(&newer.values);
        let moved =
            newer.entries.iter().map(|(key, at)| (*key, if *at == TOMBSTONE { TOMBSTONE } else { at.start + start..at.end + start }));
        self.entries.extend(moved);
    }
}

/// Runs that no manifest names: they are removed with the last view of the catalog.
struct Spilled {
    vfs: Arc<dyn Vfs>,
    runs: Mutex<Vec<PathBuf>>,
}

impl Spilled {
    fn set(&self, runs: Vec<PathBuf>) {
        *self.runs.lock().unwrap_or_else(PoisonError::into_inner) = runs;
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        // Whatever stays is removed by the next open that writes.
        let runs = self.runs.get_mut().unwrap_or_else(PoisonError::into_inner);
        runs.iter().for_each(|run| drop(self.vfs.remove(run)));
    }
}

/// Runs to be merged into one.
pub(crate) struct Due {
    level: u32,
    runs: Vec<Arc<Run>>,
    /// There are no older runs.
    oldest: bool,
}

impl Due {
    /// Their pages.
    pub(crate) fn pages(&self) -> usize {
        self.runs.iter().map(|run| run.pages()).sum()
    }
}

impl Sorted {
    pub(super) fn open(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        key: SecretKey,
        owner: Uuid,
        names: &[RunName],
        next_number: u64,
        pages: &SharedPages,
    ) -> Result<Self, Error> {
        let mut runs = Vec::new();
        for name in names {
            runs.push(Arc::new(Run::open(&*vfs, dir, &key, owner, name.clone())?));
        }
        // A crash leaves runs that no manifest names.
        let there = runs_in(&*vfs, dir)?.into_iter().map(|(number, _)| number);
        let after = names.iter().map(|name| name.number).chain(there).max().map_or(1, |number| number.saturating_add(1));
        let first_number = next_number.max(after);
        let next_number = AtomicU64::new(first_number);
        let cache = PageCache::new(pages);
        let spilled = Arc::new(Spilled { vfs: Arc::clone(&vfs), runs: Mutex::default() });
        let home = Arc::new(Home { vfs, dir: dir.to_owned(), key, owner, next_number, first_number, cache });
        Ok(Self { home, recent: Vec::new(), frozen: Vec::new(), runs, spilled })
    }

    pub(super) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Puts an entry without a value.
    pub(super) fn put(&mut self, key: Key) {
        self.put_value(key, |_| {});
    }

    /// Puts an entry whose value `write` appends.
    pub(super) fn put_value(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(memory) = self.newest() else { return };
        let start = memory.values.len();
        write(&mut memory.values);
        memory.entries.insert(key, start..memory.values.len());
    }

    /// Removes an entry: a tombstone hides it in what is older.
    pub(super) fn remove(&mut self, key: Key) {
        if let Some(memory) = self.newest() {
            memory.entries.insert(key, TOMBSTONE);
        }
    }

    /// The memory that takes new entries.
    fn newest(&mut self) -> Option<&mut Memory> {
        if self.recent.first_mut().is_none_or(|newest| Arc::get_mut(newest).is_none()) {
            self.join_recent();
            self.recent.insert(0, Arc::default());
        }
        // No view shares it, so nothing is copied.
        self.recent.first_mut().map(Arc::make_mut)
    }

    /// Joins memories that views once shared: each entry is copied a few times at most, and few memories remain.
    fn join_recent(&mut self) {
        while let [newer, older, ..] = self.recent.as_slice()
            && older.len() <= 2 * newer.len()
        {
            let newer = self.recent.remove(0);
            let Some(older) = self.recent.first_mut() else { return };
            Arc::make_mut(older).overlay(&newer);
        }
    }

    /// All memories, newest first.
    fn memories(&self) -> impl Iterator<Item = &Arc<Memory>> {
        self.recent.iter().chain(&self.frozen)
    }

    pub(super) fn has_run(&self, number: u64) -> bool {
        self.runs.iter().any(|run| run.name.number == number)
    }

    pub(super) fn is_under_way(&self, number: u64) -> bool {
        let own = self.home.first_number..self.home.next_number();
        own.contains(&number) && !self.has_run(number)
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// About the bytes that the entries in memory take.
    pub(super) fn memory_len(&self) -> usize {
        self.memories().map(|memory| memory.len()).sum()
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        for memory in self.memories() {
            if let Some(at) = memory.entries.get(key) {
                return Ok(memory.value(at)?.map(<[u8]>::to_vec));
            }
        }
        for run in self.runs.iter().filter(|run| run.pages() > 0) {
            let page = run.page(&self.home.cache, run.page_of(key))?;
            if let Some((_, value)) = page.entry(page.lower_bound(key)).filter(|(found, _)| *found == key) {
                return Ok(value.map(<[u8]>::to_vec));
            }
        }
        Ok(None)
    }

    /// Visits the entries whose keys begin with `prefix`, from `from` on in order, until the visitor breaks.
    pub(super) fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut Visit<'_>) -> Result<(), Error> {
        let cache = &self.home.cache;
        let mut cursors = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            if run.may_hold(prefix)? {
                cursors.push(Cursor::seek(run, cache, from)?);
            }
        }
        let from = (std::ops::Bound::Included(from), std::ops::Bound::Unbounded);
        let mut memories: Vec<_> = self.memories().map(|memory| (memory, memory.entries.range::<[u8], _>(from).peekable())).collect();
        loop {
            let in_memory = memories.iter_mut().filter_map(|(_, entries)| entries.peek().map(|(key, _)| &***key)).min();
            let Some(key) = cursors.iter().filter_map(Cursor::key).chain(in_memory).min().map(<[u8]>::to_vec) else {
                return Ok(());
            };
            if !key.starts_with(prefix) {
                return Ok(());
            }
            let mut value = None;
            for (memory, entries) in &mut memories {
                if let Some((_, at)) = entries.next_if(|(found, _)| ***found == *key)
                    && value.is_none()
                {
                    value = Some(memory.value(at)?.map(<[u8]>::to_vec));
                }
            }
            for cursor in cursors.iter_mut().filter(|cursor| cursor.key().is_some_and(|found| found == key)) {
                value.get_or_insert_with(|| cursor.value().map(<[u8]>::to_vec));
            }
            for cursor in cursors.iter_mut() {
                if cursor.key().is_some_and(|found| found == key) {
                    cursor.advance(cache)?;
                }
            }
            if let Some(Some(value)) = value
                && visit(&key, &value)?.is_break()
            {
                return Ok(());
            }
        }
    }

    /// Sets what was put apart, to be written.
    pub(super) fn freeze(&mut self) {
        self.frozen.splice(0..0, std::mem::take(&mut self.recent));
    }

    /// Writes what is frozen as a new run, if there is anything. Nothing changes here before [`Self::adopt`].
    pub(super) fn write_frozen(&self) -> Result<Option<Arc<Run>>, Error> {
        // Of the entries of a key, the last one inserted counts.
        let entries: Vec<BTreeMap<&Key, Option<&[u8]>>> = match self.frozen.as_slice() {
            [] => return Ok(None),
            [_] => Vec::new(),
            several => {
                let mut all = BTreeMap::new();
                for memory in several.iter().rev() {
                    for (key, at) in &memory.entries {
                        all.insert(key, memory.value(at)?);
                    }
                }
                vec![all]
            }
        };
        let mut writer = self.home.create()?;
        for (key, value) in entries.iter().flatten() {
            writer.push(key, *value)?;
        }
        if let [one] = self.frozen.as_slice() {
            for (key, at) in &one.entries {
                writer.push(key, one.value(at)?)?;
            }
        }
        self.home.open(writer.finish(0)?).map(Some)
    }

    /// The runs as a manifest names them, with one just written.
    pub(super) fn names(&self, written: Option<&Arc<Run>>) -> Vec<RunName> {
        written.into_iter().chain(&self.runs).map(|run| run.name.clone()).collect()
    }

    /// A manifest is about to name the runs.
    pub(super) fn keep(&self) {
        self.spilled.set(Vec::new());
    }

    /// Adopts the run of what is frozen.
    pub(super) fn adopt(&mut self, written: Option<Arc<Run>>) {
        self.frozen.clear();
        self.runs.splice(0..0, written);
    }

    /// Neighbours of one level to be merged, if there are enough.
    pub(super) fn due(&self) -> Option<Due> {
        let (level, range) = full_level(&self.runs)?;
        Some(Due { level, oldest: range.end == self.runs.len(), runs: self.runs.get(range)?.to_vec() })
    }

    /// All runs, to be written anew; `None` if there is none.
    pub(super) fn all(&self) -> Option<Due> {
        let highest = self.runs.iter().map(|run| run.name.level).max()?;
        Some(Due { level: highest.saturating_sub(1), oldest: true, runs: self.runs.clone() })
    }

    /// Writes one run out of several, of the entries that `stays` accepts; [`Error::Stopped`], and no file, as soon as
    /// `between` returns false.
    pub(super) fn write_merged(&self, due: &Due, stays: Option<&Stays<'_>>, between: &dyn Fn() -> bool) -> Result<Arc<Run>, Error> {
        let mut writer = self.home.create()?;
        let path = file_path(&self.home.dir, writer.number());
        match merge(due.runs.iter().map(|run| &**run), due.oldest, &mut writer, stays, between) {
            Err(error) => {
                // Whatever stays is removed by the next open that writes.
                let _left = self.home.vfs.remove(&path);
                Err(error)
            }
            Ok(()) => self.home.open(writer.finish(due.level + 1)?),
        }
    }

    /// The runs with `merged` in place of those that it was made of.
    pub(super) fn with_merged(&self, due: &Due, merged: &Arc<Run>) -> Vec<Arc<Run>> {
        let is_merged = |run: &Arc<Run>| due.runs.iter().any(|old| old.name.number == run.name.number);
        let at = self.runs.iter().position(is_merged).unwrap_or(0);
        let mut runs: Vec<_> = self.runs.iter().filter(|run| !is_merged(run)).cloned().collect();
        runs.insert(at.min(runs.len()), Arc::clone(merged));
        runs
    }

    pub(super) fn set_runs(&mut self, runs: Vec<Arc<Run>>) {
        self.runs = runs;
    }

    /// Removes the files of merged runs, which no manifest names any more; open readers go on reading them.
    pub(super) fn remove_merged(&self, due: &Due) -> Result<(), Error> {
        due.runs.iter().try_for_each(|run| Ok(self.home.vfs.remove(run.path())?))
    }

    /// Writes what is in memory as a run that no manifest names: it is removed with this value, unless a flush comes
    /// first.
    pub(super) fn spill(&mut self) -> Result<(), Error> {
        self.freeze();
        let written = self.write_frozen()?;
        self.adopt(written);
        self.note_spilled();
        while let Some(due) = self.due() {
            let merged = match self.write_merged(&due, None, &|| true) {
                Err(Error::Damage(_)) => break,
                merged => merged?,
            };
            self.set_runs(self.with_merged(&due, &merged));
            self.note_spilled();
            self.remove_merged(&due)?;
        }
        Ok(())
    }

    fn note_spilled(&self) {
        self.spilled.set(self.runs.iter().map(|run| run.path().to_owned()).collect());
    }

    /// Reads and checks every page.
    pub(super) fn verify(&self, report: &mut dyn FnMut(crate::error::Damage)) -> Result<(), Error> {
        for run in &self.runs {
            for at in 0..run.pages() {
                match run.read_page(at) {
                    Ok(_) => {}
                    Err(Error::Damage(damage)) => report(damage),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Removes runs in the folder that do not belong to this value.
    pub(super) fn remove_leftovers(&self) -> Result<(), Error> {
        for (number, path) in runs_in(&*self.home.vfs, &self.home.dir)? {
            if !self.runs.iter().any(|run| run.name.number == number) {
                self.home.vfs.remove(&path)?;
            }
        }
        Ok(())
    }
}

/// The runs in a folder, named by a manifest or not; empty if there is no folder.
pub(super) fn runs_in(vfs: &dyn Vfs, dir: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let entries = match vfs.list(dir) {
        Err(error) if error.is_not_found() => Vec::new(),
        entries => entries?,
    };
    let files = entries.into_iter().filter(|entry| entry.kind != EntryKind::Dir);
    let runs = files.filter_map(|entry| Some((entry.path.file_stem()?.to_str()?.parse().ok()?, entry.path)));
    // No run of this library has a number that large.
    Ok(runs.filter(|(number, path)| *number < 1 << 53 && file_path(dir, *number) == *path).collect())
}

/// The first level with [`FANOUT`] neighbours, and where they are.
fn full_level(runs: &[Arc<Run>]) -> Option<(u32, Range<usize>)> {
    let mut start = 0;
    while let Some(first) = runs.get(start) {
        let level = first.name.level;
        let count = runs[start..].iter().take_while(|run| run.name.level == level).count();
        if count >= FANOUT {
            return Some((level, start..start + count));
        }
        start += count;
    }
    None
}

/// A place in a run.
struct Cursor<'r> {
    run: &'r Run,
    page_no: usize,
    page: Option<Arc<Page>>,
    at: usize,
}

impl<'r> Cursor<'r> {
    fn seek(run: &'r Run, cache: &PageCache, from: &[u8]) -> Result<Self, Error> {
        let mut cursor = Self { run, page_no: run.page_of(from), page: None, at: 0 };
        cursor.load(cache)?;
        cursor.at = cursor.page.as_ref().map_or(0, |page| page.lower_bound(from));
        cursor.settle(cache)?;
        Ok(cursor)
    }

    fn load(&mut self, cache: &PageCache) -> Result<(), Error> {
        self.page = match self.page_no < self.run.pages() {
            true => Some(self.run.page(cache, self.page_no)?),
            false => None,
        };
        Ok(())
    }

    fn settle(&mut self, cache: &PageCache) -> Result<(), Error> {
        while self.page.as_ref().is_some_and(|page| self.at >= page.len()) {
            self.page_no += 1;
            self.at = 0;
            self.load(cache)?;
        }
        Ok(())
    }

    fn key(&self) -> Option<&[u8]> {
        self.page.as_ref()?.entry(self.at).map(|(key, _)| key)
    }

    fn value(&self) -> Option<&[u8]> {
        self.page.as_ref()?.entry(self.at)?.1
    }

    fn advance(&mut self, cache: &PageCache) -> Result<(), Error> {
        self.at += 1;
        self.settle(cache)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::keys;
    use crate::id::{ContentNo, Digest, FolderNo, MessageNo};
    use crate::vfs::MemVfs;
    use std::collections::BTreeMap as Model;

    fn empty() -> Sorted {
        let vfs = Arc::new(MemVfs::new());
        vfs.create_dir(Path::new("/c")).unwrap();
        Sorted::open(vfs, Path::new("/c"), SecretKey::new([5; 32]), Uuid([6; 16]), &[], 1, &SharedPages::new(1 << 20)).unwrap()
    }

    /// Spread like a digest.
    fn spread(n: u32) -> Digest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        Digest(bytes)
    }

    #[test]
    fn a_file_never_gets_the_number_of_another() {
        let mut sorted = empty();
        sorted.put(keys::by_digest(spread(1)));
        sorted.freeze();
        let unnamed = sorted.write_frozen().unwrap().unwrap().name.number;
        // No manifest named what was written, so it is written once more.
        let written = sorted.write_frozen().unwrap();
        assert!(written.as_ref().unwrap().name.number > unnamed);
        sorted.adopt(written);
        let (vfs, names) = (Arc::clone(&sorted.home.vfs), [sorted.runs[0].name.clone()]);
        let reopened = |next| {
            Sorted::open(
                Arc::clone(&vfs),
                Path::new("/c"),
                SecretKey::new([5; 32]),
                Uuid([6; 16]),
                &names,
                next,
                &SharedPages::new(1 << 20),
            )
        };
        assert_eq!(reopened(9).unwrap().home.next_number(), 9);
        assert_eq!(reopened(1).unwrap().home.next_number(), names[0].number + 1);
    }

    #[test]
    fn what_was_spilled_is_there_and_goes_unless_a_manifest_names_it() {
        for named in [false, true] {
            let mut sorted = empty();
            let vfs = Arc::clone(&sorted.home.vfs);
            for n in 0..3 {
                sorted.put(keys::by_digest(spread(n)));
                sorted.spill().unwrap();
                assert_eq!(sorted.memory_len(), 0);
            }
            assert!((0..3).all(|n| sorted.get(&keys::by_digest(spread(n))).unwrap().is_some()));
            if named {
                sorted.keep();
            }
            drop(sorted);
            assert_eq!(runs_in(&*vfs, Path::new("/c")).unwrap().len(), if named { 3 } else { 0 });
        }
    }

    #[test]
    fn rows_that_come_in_order_and_digests_that_do_not_are_all_there_after_every_merge() {
        let mut sorted = empty();
        let mut model: Model<Vec<u8>, Vec<u8>> = Model::new();
        for flush in 0..70u32 {
            for no in flush * 150..(flush + 1) * 150 {
                let value = vec![flush as u8; no as usize % 400];
                // Every tenth row is replaced by a later flush.
                for row in [no, no.saturating_sub(1000) / 10 * 10] {
                    let key = keys::content(ContentNo(row));
                    sorted.put_value(key, |out| out.extend_from_slice(&value));
                    model.insert(key.to_vec(), value.clone());
                }
                // Of the rows of a flush, some are removed by a later one.
                if no % 7 == 3 && no >= 300 {
                    let key = keys::content(ContentNo(no - 300));
                    sorted.remove(key);
                    model.remove(&*key);
                }
                for key in [keys::by_digest(spread(no)).with(no), keys::dated(FolderNo(no % 3), i64::from(no % 977), MessageNo(no))] {
                    sorted.put(key);
                    model.insert(key.to_vec(), Vec::new());
                }
            }
            let view = sorted.clone();
            let later = keys::by_digest(spread(1_000_000 + flush));
            sorted.put(later);
            model.insert(later.to_vec(), Vec::new());
            assert!(sorted.recent.len() < 3 && view.get(&later).unwrap().is_none() && sorted.get(&later).unwrap().is_some());
            sorted.spill().unwrap();
            assert_eq!((sorted.memory_len(), view.memory_len() > 0), (0, true));
        }
        assert!(sorted.runs.len() < 16 && sorted.runs.iter().any(|run| run.name.level == 2));
        // The directory of the largest takes several frames: a page has five bytes there at least.
        assert!(sorted.runs.iter().any(|run| run.pages() * 5 > 2 * crate::catalog::run::DIRECTORY_LEN));
        let mut all = Model::new();
        for letter in *b"cdf" {
            sorted
                .scan(&[letter], &[letter], &mut |key, value| {
                    all.insert(key.to_vec(), value.to_vec());
                    Ok(ControlFlow::Continue(()))
                })
                .unwrap();
        }
        assert!(all == model);
        for no in 0..70 * 150u32 {
            let mut found = 0;
            let key = keys::by_digest(spread(no));
            sorted
                .scan(&key, &key, &mut |_, _| {
                    found += 1;
                    Ok(ControlFlow::Continue(()))
                })
                .unwrap();
            assert_eq!(found, 1);
            let key = keys::by_digest(spread(no + 100_000));
            sorted.scan(&key, &key, &mut |_, _| panic!("nobody put it there")).unwrap();
        }
    }
}
