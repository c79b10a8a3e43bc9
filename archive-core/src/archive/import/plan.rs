//! What an import would do, without doing it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::prepare::names;
use super::{ImportEvents, ImportOptions, ImportSource, read_source, reading, size};
use crate::archive::actor::Acting;
use crate::error::Error;
use crate::folder::{FolderPath, below};
use crate::source::{Body, Item, SourceVisitor, Summary, Trouble};

/// What an import would add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportPlan {
    /// Folders in order of their paths, with the mails that would go there and their bytes. Duplicates are counted too,
    /// and of a mail above 16 MiB only the bytes that were examined.
    pub folders: Vec<(FolderPath, u64, u64)>,
    /// Sums of the reading.
    pub source: Summary,
}

impl Acting<'_> {
    pub(in crate::archive) fn plan(
        &self,
        source: ImportSource<'_>,
        options: &ImportOptions,
        events: &mut dyn ImportEvents,
    ) -> Result<ImportPlan, Error> {
        self.only_system("import")?;
        let target = self.target(&source, options)?;
        let total = size(&source);
        let mut planner = Planner { total, target: target.names(), folders: BTreeMap::new(), options, events };
        let summary = read_source(source, options, &mut planner)?;
        options.progress.check()?;
        let folders = planner.folders.into_iter();
        let folders = folders.filter_map(|(names, (mails, bytes))| Some((FolderPath::from_names(names).ok()?, mails, bytes))).collect();
        Ok(ImportPlan { folders, source: summary })
    }
}

struct Planner<'a> {
    total: Option<u64>,
    target: &'a [String],
    folders: BTreeMap<Vec<String>, (u64, u64)>,
    options: &'a ImportOptions,
    events: &'a mut dyn ImportEvents,
}

impl SourceVisitor for Planner<'_> {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let names = below(self.target, &names(&item, self.options.labels));
        let (mails, bytes) = self.folders.entry(names).or_default();
        *mails += 1;
        *bytes += match &item.body {
            Body::Whole(raw) => raw.len() as u64,
            Body::Stream { head, .. } => head.len() as u64,
        };
        match self.options.progress.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        if self.options.progress.is_cancelled() {
            // The source was broken off.
            return;
        }
        self.events.trouble(&trouble);
    }

    fn progress(&mut self, bytes: u64) {
        // An end is seen at the next mail.
        let _ended = self.options.progress.step(reading(bytes, self.total));
    }
}
