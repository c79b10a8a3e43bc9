//! Erases from the files what was deleted.

use super::actor::Acting;
use crate::error::Error;
use crate::progress::Progress;
use crate::store::CompactReport;

/// What a compaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompactOptions {
    /// Reports what would be erased, and does nothing.
    pub dry_run: bool,
}

impl Acting<'_> {
    pub(super) fn compact(&self, options: CompactOptions, progress: &Progress) -> Result<CompactReport, Error> {
        self.only_system("compact")?;
        match options.dry_run {
            true => self.archive.store.plan_compaction(),
            false => self.archive.store.compact(self.actor.name(), progress),
        }
    }
}
