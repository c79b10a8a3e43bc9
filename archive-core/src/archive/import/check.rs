//! Checks whether every mail of a source is in the archive: each is read from there and compared.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::{ImportEvents, ImportOptions, ImportSource, read_source, reading, size};
use crate::archive::actor::Acting;
use crate::error::Error;
use crate::id::{Digest, MessageId};
use crate::mail::{Discard, Examiner};
use crate::progress::Progress;
use crate::source::{Body, Item, SourceVisitor, Trouble};
use crate::store::Store;

/// The result of a check: what a source has that the archive does not.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Mails found in the source.
    pub read: u64,
    /// Mails whose bytes were read from the archive and are the same.
    pub present: u64,
    /// Mails that are not there, or are damaged; [`ImportEvents::missing`] names each.
    pub missing: u64,
    /// Pieces of the source that could not be read.
    pub failed: u64,
    /// Files that are not mail.
    pub skipped_files: u64,
    /// Mails skipped because their program had marked them as deleted.
    pub deleted: u64,
    /// Mails of which the source itself has only a part; they count as read too.
    pub incomplete: u64,
}

impl Acting<'_> {
    pub(in crate::archive) fn check(
        &self,
        source: ImportSource<'_>,
        options: &ImportOptions,
        events: &mut dyn ImportEvents,
    ) -> Result<CheckReport, Error> {
        self.only_system("check")?;
        let (total, progress) = (size(&source), &options.progress);
        let mut checker = Checker { stores: &self.stores, report: CheckReport::default(), progress, total, events, error: None };
        let summary = read_source(source, options, &mut checker)?;
        options.progress.check()?;
        checker.report.skipped_files = summary.skipped_files;
        checker.report.deleted = summary.deleted;
        checker.report.incomplete = summary.incomplete;
        match checker.error {
            Some(error) => Err(error),
            None => Ok(checker.report),
        }
    }
}

/// Looks up each mail of a source, and reads it from the archive.
struct Checker<'a, 'e> {
    stores: &'a [Arc<Store>],
    report: CheckReport,
    progress: &'a Progress,
    total: Option<u64>,
    events: &'e mut dyn ImportEvents,
    error: Option<Error>,
}

impl Checker<'_, '_> {
    fn present(&self, digest: Digest, restated: Option<Digest>) -> Result<Option<MessageId>, Error> {
        for store in self.stores {
            for content in store.contents_like(digest, restated)? {
                if store.is_readable(content)?
                    && let Some((no, _)) = store.catalog().placements(content)?.first()
                {
                    return Ok(Some(store.message_id(*no)));
                }
            }
        }
        Ok(None)
    }

    /// Whether the mail is there; `None` if the source cannot give all of it, which its reader reports.
    fn look(&mut self, body: Body<'_>) -> Result<Option<bool>, Error> {
        self.progress.check()?;
        let (digest, restated) = match body {
            Body::Whole(raw) => {
                let examined = crate::mail::examine(&raw);
                (examined.digest, examined.restated)
            }
            Body::Stream { head, rest } => {
                let mut examiner = Examiner::new(Discard);
                examiner.push(&head);
                let mut window = vec![0; 256 << 10];
                loop {
                    match rest.read(&mut window) {
                        Ok(0) => break,
                        Ok(len) => {
                            self.progress.check()?;
                            examiner.push(window.get(..len).unwrap_or_default());
                        }
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(_) => return Ok(None),
                    }
                }
                let Ok((_, examined)) = examiner.finish();
                (examined.digest, examined.restated)
            }
        };
        Ok(Some(self.present(digest, restated)?.is_some()))
    }
}

impl SourceVisitor for Checker<'_, '_> {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        self.report.read += 1;
        let (source, offset) = (item.source.to_owned(), item.offset);
        match self.look(item.body) {
            Ok(None) => self.report.read -= 1,
            Ok(Some(true)) => self.report.present += 1,
            Ok(Some(false)) => {
                self.report.missing += 1;
                self.events.missing(&source, offset);
            }
            Err(error) => {
                self.error = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        if self.progress.is_cancelled() {
            // The source was broken off.
            return;
        }
        if trouble.kind.is_loss() {
            self.report.failed += 1;
        }
        self.events.trouble(&trouble);
    }

    fn progress(&mut self, bytes: u64) {
        // An end is seen at the next mail.
        let _ended = self.progress.step(reading(bytes, self.total));
    }
}
