//! The index as a whole: it catches up at open, is fixed where a segment is damaged, and is rebuilt while searches
//! continue.

use std::ops::Range;
use std::sync::PoisonError;

use archive_index::{DocNo, DocRange, Index};

use super::{decode_basis, encode_basis, failed, may_lag};
use crate::error::Error;
use crate::id::ContentNo;
use crate::progress::{Progress, Step, Unit};
use crate::records::{Scan, ScanItem, open_file};
use crate::store::Store;

/// The status of the index of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexStatus {
    /// Everything that was flushed can be searched.
    Ok,
    /// Some of it is damaged or cannot be read, and its messages cannot be searched: rebuild it.
    NeedsRebuild,
    /// It is being rebuilt; searches use the old one.
    Rebuilding {
        /// Contents done so far, and of how many.
        done: u32,
        /// Of how many.
        of: u32,
    },
}

impl IndexStatus {
    /// The administration's name: `ok`, `needsRebuild`, `rebuilding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NeedsRebuild => "needsRebuild",
            Self::Rebuilding { .. } => "rebuilding",
        }
    }
}

/// While this value lives, the index counts as being rebuilt.
struct Rebuilding<'s>(&'s Store);

impl<'s> Rebuilding<'s> {
    fn begin(store: &'s Store) -> Self {
        store.indexer.set_rebuilding(Some((0, store.catalog().basis().numbers.contents)));
        Self(store)
    }
}

/// Contents from one report to the next.
const STEP: u32 = 16;

impl Drop for Rebuilding<'_> {
    fn drop(&mut self) {
        self.0.indexer.set_rebuilding(None);
    }
}

impl Store {
    /// Brings the index up to the last commit, or starts an empty one if the records contradict it. Only a damaged
    /// segment is rebuilt. As far as the index cannot be written, it lags; a shortage is an error.
    pub(in crate::store) fn catch_up(&self, progress: &Progress) -> Result<(), Error> {
        if !self.indexer.is_enabled() {
            return Ok(());
        }
        if !self.index_fits()? {
            if self.barred.as_ref().is_some_and(|barred| !matches!(barred, Error::ReadOnly)) {
                // It may know what the records lost, so it is not discarded before they are repaired.
                return Ok(());
            }
            self.indexer.reset()?;
        }
        let index = self.indexer.index();
        if self.barred.is_none() {
            may_lag(self.indexer.remove_unused(&index))?;
            may_lag(self.mend_index(progress))?;
        }
        let contents = self.catalog().basis().numbers.contents;
        may_lag(self.fill(&index, index.next().0..contents, progress))
    }

    /// Rebuilds lost segments.
    fn mend_index(&self, progress: &Progress) -> Result<(), Error> {
        let index = self.indexer.index();
        for lost in index.snapshot().lost() {
            let DocRange { start, end } = lost.docs;
            let built = index.detached(start);
            self.fill(&built, start.0..end.0, progress)?;
            index.mend(lost.docs, &built).map_err(failed)?;
        }
        Ok(())
    }

    /// Indexes contents read from the store.
    fn fill(&self, index: &Index, contents: Range<u32>, progress: &Progress) -> Result<(), Error> {
        let mut no = contents.start;
        while no < contents.end {
            if no.is_multiple_of(STEP) {
                if self.indexer.rebuilding().is_some() {
                    self.indexer.set_rebuilding(Some((no, contents.end)));
                }
                let total = Some(contents.end.into());
                progress.step(Step { done: no.into(), total, unit: Unit::Contents, activity: "indexing mails" })?;
            }
            if !self.is_there(ContentNo(no))? {
                // If a repair skipped numbers, the next one is far.
                let next = self.catalog().next_content(ContentNo(no))?;
                no = next.map_or(contents.end, |next| next.0.max(no.saturating_add(1)));
                continue;
            }
            self.index_content(index, ContentNo(no), &self.indexable(ContentNo(no))?)?;
            no += 1;
        }
        Ok(())
    }

    /// Rebuilds the index from the mails, while searches use the old one, and then replaces that.
    pub(crate) fn rebuild_index(&self, progress: &Progress) -> Result<(), Error> {
        // Nothing may be erased while it is being indexed.
        let _compacting = self.compacting()?;
        let _rebuilding = Rebuilding::begin(self);
        let index = self.indexer.replaceable()?;
        let built = index.detached(DocNo(0));
        let contents = self.catalog().basis().numbers.contents;
        self.fill(&built, 0..contents, progress)?;
        // Mails that arrived during the rebuild; the old index is no longer fed.
        let _feeding = self.indexer.feeding.lock().unwrap_or_else(PoisonError::into_inner);
        let (basis, contents) = {
            let catalog = self.catalog();
            (encode_basis(catalog.basis().link, catalog.basis().records), catalog.basis().numbers.contents)
        };
        self.fill(&built, built.next().0..contents, &progress.without_report())?;
        // The last contents may have been erased.
        index.replace(&built, DocNo(contents), &basis).map_err(failed)?;
        self.indexer.put(index);
        Ok(())
    }

    /// The status of the index.
    pub(crate) fn index_status(&self) -> IndexStatus {
        match self.indexer.rebuilding() {
            Some((done, of)) => IndexStatus::Rebuilding { done, of },
            None if self.indexer.snapshot().lost().is_empty() && self.indexer.unread().is_none() => IndexStatus::Ok,
            None => IndexStatus::NeedsRebuild,
        }
    }

    /// Whether the records have the commit that the index is based on. If damage hides it, nothing is proven, and the
    /// index stays.
    fn index_fits(&self) -> Result<bool, Error> {
        let index = self.indexer.index();
        let basis = index.basis();
        if basis.is_empty() {
            return Ok(index.watermark().0 == 0);
        }
        let Some((link, place)) = decode_basis(&basis) else { return Ok(false) };
        let unseen = self.damage.is_some();
        let file = match open_file(&*self.vfs, &self.dirs.records, &self.key, self.uuid, place.file) {
            Ok(file) => file,
            Err(Error::Damage(_)) => return Ok(unseen),
            Err(error) => return Err(error),
        };
        Ok(match Scan::new(file, place.offset).next()? {
            Some(ScanItem::Commit(commit)) => commit.link == link,
            _ => unseen,
        })
    }
}
