//! The index of Mailkeep, as an import builds it: all values in their order, labels, columns, suffixes.

use std::path::Path;
use std::sync::Arc;

use archive_index::{DocNo, FilterKind, Index, Leaf, Options, parse};
use benches::Result;
use benches::drawn::{DATES, Query};
use benches::machine::first_line;

use crate::engine::{Answer, BUDGET, Built, Engine, NEWEST};
use crate::mails::Mails;
use crate::pages::FilePages;

/// Mails after which an import asks whether a segment was written, and merges what is due.
const GROUP: usize = 64;

/// The engine.
pub struct Mailkeep;

impl Engine for Mailkeep {
    fn name(&self) -> &'static str {
        "mailkeep"
    }

    fn version(&self) -> String {
        first_line("git", &["describe", "--always", "--dirty"]).unwrap_or_default()
    }

    fn setting(&self) -> &'static str {
        "archive-index over plain files, nothing sealed; add, and flush after each segment and at the end, which merges 8 segments of a level as an \
         import does; with the labels of an import (ids, references, lists), columns, sort keys, suffixes"
    }

    fn build(&self, dir: &Path, mails: &Mails) -> Result<Box<dyn Built>> {
        let options = Options { memory_budget: BUDGET, ..Options::default() };
        let index = Index::open(Arc::new(FilePages::new(dir)), options)?;
        for (group, start) in mails.all.chunks(GROUP).zip((0..).step_by(GROUP)) {
            for (mail, number) in group.iter().zip(start..) {
                index.add(DocNo(number), &mail.values(), &mail.labels, &mail.columns, &mail.sort_keys())?;
            }
            if index.is_spilled() {
                index.flush(b"")?;
            }
        }
        index.flush(b"")?;
        Ok(Box::new(Ours(index)))
    }
}

struct Ours(Index);

impl Built for Ours {
    fn ready(&mut self) -> Result<()> {
        Ok(())
    }

    fn pack(&mut self) -> Result<()> {
        Ok(self.0.merge_all()?)
    }

    fn ask(&self, query: &Query) -> Result<Option<Answer>> {
        let bound = parse(&query.to_string())?.bind(|filter| match filter.kind {
            FilterKind::Date(_) => Ok(Leaf::Date(DATES)),
            _ => Err(format!("a filter that is not drawn: {}", filter.written)),
        })?;
        let snapshot = self.0.snapshot();
        let docs = snapshot.search(&bound)?;
        let newest = snapshot.newest_first(&docs, None)?.take(NEWEST);
        let newest = newest.map(|dated| Ok(dated?.0)).collect::<Result<Vec<_>>>()?;
        Ok(Some(Answer { total: docs.len(), newest }))
    }
}
