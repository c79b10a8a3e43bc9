//! Checks whether every mail of a source is in the archive: each is read from there and compared.

use std::ops::ControlFlow;

use super::Acting;
use super::import::{ImportEvents, ImportSource, read_source};
use crate::error::Error;
use crate::id::{Digest, MessageId};
use crate::mail::{Discard, Examiner};
use crate::source::{Body, Item, SourceOptions, SourceVisitor, Trouble};
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
    /// Checks whether every mail of `source` is in the archive with exactly the same bytes, or the same except for
    /// headers that mail programs change. Each is read from the archive and its digest checked.
    pub fn check(&self, source: ImportSource<'_>, options: &SourceOptions, events: &mut dyn ImportEvents) -> Result<CheckReport, Error> {
        self.only_system("check")?;
        let mut checker = Checker { store: &self.archive.store, report: CheckReport::default(), events, error: None };
        let summary = read_source(source, *options, &mut checker)?;
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
    store: &'a Store,
    report: CheckReport,
    events: &'e mut dyn ImportEvents,
    error: Option<Error>,
}

impl Checker<'_, '_> {
    fn present(&self, digest: Digest, restated: Option<Digest>) -> Result<Option<MessageId>, Error> {
        for content in self.store.contents_like(digest, restated)? {
            match self.store.read(content, &mut |_| Ok(())) {
                Ok(()) => {}
                Err(Error::Damage(_)) => continue,
                Err(error) => return Err(error),
            }
            if let Some((no, _)) = self.store.catalog().placements(content)?.first() {
                return Ok(Some(MessageId { store: self.store.no(), no: *no }));
            }
        }
        Ok(None)
    }

    /// Whether the mail is there; `None` if the source cannot give all of it, which its reader reports.
    fn look(&mut self, body: Body<'_>) -> Result<Option<bool>, Error> {
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
                        Ok(len) => examiner.push(window.get(..len).unwrap_or_default()),
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
        if trouble.kind.is_loss() {
            self.report.failed += 1;
        }
        self.events.trouble(&trouble);
    }

    fn progress(&mut self, bytes: u64) {
        self.events.progress(bytes);
    }
}
