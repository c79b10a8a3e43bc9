//! Sorted entries in memory and runs: the newest value of a key wins, wherever it is.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keys::Key;
use super::merge::merge;
use super::page::Page;
use super::run::{ByMemory, PageCache, Run, RunName, RunWriter, file_path};
use crate::error::Error;
use crate::id::Uuid;
use crate::seal::SecretKey;
use crate::vfs::{EntryKind, Vfs};

/// Runs of a level are merged into one of the next when there are this many.
pub(super) const FANOUT: usize = 8;
/// What an entry in memory costs besides its bytes.
const ENTRY_COST: usize = 64;
/// Capacity that memory keeps after it was written, since it will fill again.
const KEPT: usize = 16 << 20;

/// Receives key and value of an entry.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Error> + 'a;

/// All entries of a catalog.
pub(super) struct Sorted {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    key: SecretKey,
    owner: Uuid,
    /// The place in `values` of the value of each key.
    memory: BTreeMap<Key, Range<usize>>,
    /// Values one after the other: most are small, and none is freed before all are written.
    values: Vec<u8>,
    /// Newest first.
    runs: Vec<Arc<Run>>,
    /// The runs were written by [`Self::spill`], and no manifest names them yet.
    spilled: bool,
    /// The number of the next file. No number is assigned twice, whatever becomes of the file: pages are cached by it.
    next_number: u64,
    cache: PageCache,
}

/// Files written by a flush, to be named by the manifest; and those it replaced.
pub(super) struct Flushed {
    pub(super) runs: Vec<RunName>,
    replaced: Vec<Arc<Run>>,
    opened: Vec<Arc<Run>>,
}

impl Sorted {
    pub(super) fn open(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        key: SecretKey,
        owner: Uuid,
        names: &[RunName],
        next_number: u64,
        cache_bytes: u64,
    ) -> Result<Self, Error> {
        let mut runs = Vec::new();
        for name in names {
            runs.push(Arc::new(Run::open(&*vfs, dir, &key, owner, name.clone())?));
        }
        // A crash leaves runs that no manifest names.
        let there = runs_in(&*vfs, dir)?.into_iter().map(|(number, _)| number);
        let after = names.iter().map(|name| name.number).chain(there).max().map_or(1, |number| number.saturating_add(1));
        let next_number = next_number.max(after);
        let cache = PageCache::with_weighter((cache_bytes / (48 << 10)).max(16) as usize, cache_bytes, ByMemory);
        Ok(Self {
            vfs,
            dir: dir.to_owned(),
            key,
            owner,
            memory: BTreeMap::new(),
            values: Vec::new(),
            runs,
            spilled: false,
            next_number,
            cache,
        })
    }

    /// Puts an entry without a value.
    pub(super) fn put(&mut self, key: Key) {
        self.memory.insert(key, 0..0);
    }

    /// Puts an entry whose value `write` appends.
    pub(super) fn put_value(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        write(&mut self.values);
        self.memory.insert(key, start..self.values.len());
    }

    /// About the bytes that the entries in memory take.
    pub(super) fn memory_len(&self) -> usize {
        self.memory.len() * ENTRY_COST + self.values.len()
    }

    fn value(&self, at: &Range<usize>) -> Result<&[u8], Error> {
        self.values.get(at.clone()).ok_or(Error::Bug("the value of an entry in memory is gone"))
    }

    /// The number of the next file.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    fn take_number(&mut self) -> Result<u64, Error> {
        let number = self.next_number;
        self.next_number = number.checked_add(1).ok_or(Error::Bug("all numbers of runs are given"))?;
        Ok(number)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if let Some(at) = self.memory.get(key) {
            return Ok(Some(self.value(at)?.to_vec()));
        }
        for run in self.runs.iter().filter(|run| run.pages() > 0) {
            let page = run.page(&self.cache, run.page_of(key))?;
            if let Some((_, value)) = page.entry(page.lower_bound(key)).filter(|(found, _)| *found == key) {
                return Ok(value.map(<[u8]>::to_vec));
            }
        }
        Ok(None)
    }

    /// Visits the entries whose keys begin with `prefix`, from `from` on in order, until the visitor breaks.
    pub(super) fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut Visit<'_>) -> Result<(), Error> {
        let mut cursors = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            if run.may_hold(prefix)? {
                cursors.push(Cursor::seek(run, &self.cache, from)?);
            }
        }
        let mut memory = self.memory.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Unbounded)).peekable();
        loop {
            let in_runs = cursors.iter().filter_map(Cursor::key).min();
            let Some(key) = in_runs.into_iter().chain(memory.peek().map(|(key, _)| &***key)).min().map(<[u8]>::to_vec) else {
                return Ok(());
            };
            if !key.starts_with(prefix) {
                return Ok(());
            }
            let mut value = match memory.next_if(|(found, _)| ***found == *key) {
                Some((_, at)) => Some(Some(self.value(at)?.to_vec())),
                None => None,
            };
            for cursor in cursors.iter_mut().filter(|cursor| cursor.key().is_some_and(|found| found == key)) {
                value.get_or_insert_with(|| cursor.value().map(<[u8]>::to_vec));
            }
            for cursor in cursors.iter_mut() {
                if cursor.key().is_some_and(|found| found == key) {
                    cursor.advance(&self.cache)?;
                }
            }
            if let Some(Some(value)) = value
                && visit(&key, &value)?.is_break()
            {
                return Ok(());
            }
        }
    }

    /// Writes what is in memory as a new run, and merges levels that are full. Nothing changes here before
    /// [`Self::switch`].
    pub(super) fn flush(&mut self) -> Result<Flushed, Error> {
        // From here on a manifest may name them.
        self.spilled = false;
        let mut runs = self.runs.clone();
        let mut written = Vec::new();
        if !self.memory.is_empty() {
            let number = self.take_number()?;
            let mut writer = RunWriter::create(&*self.vfs, &self.dir, &self.key, self.owner, number)?;
            for (key, at) in &self.memory {
                writer.push(key, Some(self.value(at)?))?;
            }
            let run = self.reopen(writer.finish(0)?)?;
            written.push(Arc::clone(&run));
            runs.insert(0, run);
        }
        while let Some((level, range)) = full_level(&runs) {
            let number = self.take_number()?;
            let run = match self.merge(&runs[range.clone()], level + 1, number, range.end == runs.len()) {
                // The new run is kept beside runs that can no longer be read.
                Err(Error::Damage(_)) => break,
                run => run?,
            };
            written.push(Arc::clone(&run));
            runs.splice(range, [run]);
        }
        let kept = |run: &Arc<Run>| runs.iter().any(|kept| kept.name.number == run.name.number);
        let replaced = self.runs.iter().chain(&written).filter(|run| !kept(run)).cloned().collect();
        Ok(Flushed { runs: runs.iter().map(|run| run.name.clone()).collect(), replaced, opened: runs })
    }

    fn reopen(&self, name: RunName) -> Result<Arc<Run>, Error> {
        Ok(Arc::new(Run::open(&*self.vfs, &self.dir, &self.key, self.owner, name)?))
    }

    fn merge(&self, runs: &[Arc<Run>], level: u32, number: u64, oldest: bool) -> Result<Arc<Run>, Error> {
        let mut writer = RunWriter::create(&*self.vfs, &self.dir, &self.key, self.owner, number)?;
        merge(runs.iter().map(|run| &**run), oldest, &mut writer)?;
        self.reopen(writer.finish(level)?)
    }

    /// Writes what is in memory as a run that no manifest names: it is removed with this value, unless a flush comes
    /// first.
    pub(super) fn spill(&mut self) -> Result<(), Error> {
        let spilled = self.flush().and_then(|flushed| self.switch(flushed));
        self.spilled = !self.runs.is_empty();
        spilled
    }

    /// Adopts what a flush wrote, once the manifest names it; removes what it replaced.
    pub(super) fn switch(&mut self, flushed: Flushed) -> Result<(), Error> {
        self.memory.clear();
        self.values.clear();
        self.values.shrink_to(KEPT);
        self.runs = flushed.opened;
        for run in flushed.replaced {
            self.vfs.remove(run.path())?;
        }
        Ok(())
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
        for (number, path) in runs_in(&*self.vfs, &self.dir)? {
            if !self.runs.iter().any(|run| run.name.number == number) {
                self.vfs.remove(&path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Sorted {
    fn drop(&mut self) {
        if self.spilled {
            // Whatever stays is removed by the next open that writes.
            self.runs.iter().for_each(|run| drop(self.vfs.remove(run.path())));
        }
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
        Sorted::open(vfs, Path::new("/c"), SecretKey::new([5; 32]), Uuid([6; 16]), &[], 1, 1 << 20).unwrap()
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
        let unnamed = sorted.flush().unwrap().runs[0].number;
        // No manifest named what was written, so it is written once more.
        let flushed = sorted.flush().unwrap();
        assert!(flushed.runs[0].number > unnamed);
        sorted.switch(flushed).unwrap();
        let (vfs, names) = (Arc::clone(&sorted.vfs), [sorted.runs[0].name.clone()]);
        let reopened =
            |next| Sorted::open(Arc::clone(&vfs), Path::new("/c"), SecretKey::new([5; 32]), Uuid([6; 16]), &names, next, 1 << 20);
        assert_eq!(reopened(9).unwrap().next_number(), 9);
        assert_eq!(reopened(1).unwrap().next_number(), names[0].number + 1);
    }

    #[test]
    fn what_was_spilled_is_there_and_goes_unless_a_manifest_names_it() {
        for named in [false, true] {
            let mut sorted = empty();
            let vfs = Arc::clone(&sorted.vfs);
            for n in 0..3 {
                sorted.put(keys::by_digest(spread(n)));
                sorted.spill().unwrap();
                assert_eq!(sorted.memory_len(), 0);
            }
            assert!((0..3).all(|n| sorted.get(&keys::by_digest(spread(n))).unwrap().is_some()));
            if named {
                let flushed = sorted.flush().unwrap();
                sorted.switch(flushed).unwrap();
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
                for key in [keys::by_digest(spread(no)).with(no), keys::dated(FolderNo(no % 3), i64::from(no % 977), MessageNo(no))] {
                    sorted.put(key);
                    model.insert(key.to_vec(), Vec::new());
                }
            }
            let flushed = sorted.flush().unwrap();
            sorted.switch(flushed).unwrap();
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
