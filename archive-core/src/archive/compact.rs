//! Erases from the files what was deleted.

use std::sync::Arc;

use super::actor::Acting;
use crate::error::Error;
use crate::id::StoreNo;
use crate::progress::Progress;
use crate::store::{CompactReport, Store};

/// What a compaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompactOptions {
    /// Reports what would be erased, and does nothing.
    pub dry_run: bool,
    /// Only the store of this number. By default all that are open and may change.
    pub store: Option<u32>,
}

impl Acting<'_> {
    pub(super) fn compact(&self, options: CompactOptions, progress: &Progress) -> Result<CompactReport, Error> {
        self.only_system("compact")?;
        let mut report = CompactReport::default();
        for store in self.to_compact(options.store)? {
            report.add(match options.dry_run {
                true => store.plan_compaction()?,
                false => store.compact(self.actor.name(), progress)?,
            });
        }
        Ok(report)
    }

    fn to_compact(&self, no: Option<u32>) -> Result<Vec<&Store>, Error> {
        let Some(no) = no else {
            let may_change = |store: &&Arc<Store>| self.archive.stores.check_changeable(store.no()).is_ok();
            return Ok(self.stores.iter().filter(may_change).map(|store| &**store).collect());
        };
        let within = self.in_store(StoreNo(no)).ok_or(Error::NoSuchStore(no))?;
        self.archive.stores.check_changeable(StoreNo(no))?;
        Ok(vec![within.store])
    }
}
