//! One commit: drafted, written, applied to the catalog; its text waits for the index.

mod accepted;
mod deletion;
mod draft;
mod elsewhere;
mod erasure;
mod folders;
mod large;
mod pack;
mod place;
mod prepared;
mod repack;

use std::sync::PoisonError;

pub(crate) use deletion::{Divided, Note};
pub use draft::Duplicates;
pub(crate) use draft::Outcome;
pub(crate) use elsewhere::Elsewhere;
pub(super) use erasure::Dead;
pub(crate) use folders::FolderChange;
pub(crate) use prepared::{NewPlace, Prepared, PreparedHeader, RunInfo};
pub(super) use repack::Tenants;

use super::index::{Indexable, labels_of};
use super::{Store, WriterGuard};
use crate::error::Error;
use crate::id::ContentNo;
use crate::records::Committed;
use draft::{Draft, write_draft};
use prepared::SMALL;

/// Contents of small commits are packed into blocks when there are this many bytes of them.
pub(super) const PACK_AT: u64 = 8 << 20;

/// New contents, and what of them is to be indexed.
type Texts = Vec<(ContentNo, Option<Indexable>)>;

impl Store {
    /// Commits `mails` together: durable when this returns. Returns the outcome of each mail, in order. Text of new
    /// contents waits for [`Store::feed_index`].
    pub(crate) fn commit(
        &self,
        mut mails: Vec<Prepared>,
        duplicates: Duplicates,
        run: Option<&RunInfo>,
        now: i64,
    ) -> Result<Vec<Outcome>, Error> {
        // Before anything of this commit is written: after an error here nothing is archived, and the caller can try
        // again.
        self.tidy()?;
        if !mails.is_empty() {
            // In a separate commit, so that nothing of this one refers to what is damaged.
            self.note_damage()?;
        }
        if mails.iter().map(Prepared::stored_len).sum::<usize>() >= SMALL {
            mails.iter_mut().for_each(Prepared::drop_blocks);
        }
        self.commit_drafted(duplicates, run, now, |draft, _| {
            let mut outcomes = Vec::with_capacity(mails.len());
            let mut texts = Vec::new();
            for mut mail in mails {
                let text = mail.text.take().map(|text| Indexable { text, labels: labels_of(&mail.header.facts) });
                let (outcome, new) = draft.add(mail)?;
                outcomes.push(outcome);
                texts.extend(new.map(|content| (content, text)));
            }
            Ok((outcomes, texts))
        })
    }

    /// Makes one commit of what `fill` puts into its draft: written, synced, applied to the catalog. `fill` also
    /// returns the texts of new contents.
    pub(super) fn commit_drafted<T>(
        &self,
        duplicates: Duplicates,
        run: Option<&RunInfo>,
        now: i64,
        fill: impl FnOnce(&mut Draft<'_>, &mut WriterGuard<'_>) -> Result<(T, Texts), Error>,
    ) -> Result<T, Error> {
        let (beside, _numbering) = self.beside();
        let mut writer = self.writer()?;
        let damaged = self.newly_damaged();
        let (committed, filled, texts) = {
            let catalog = self.catalog();
            let mut draft = Draft::new(&catalog, &beside, duplicates, damaged.clone(), now);
            let (filled, texts) = fill(&mut draft, &mut writer)?;
            (writer.latch(|writer| write_draft(writer, draft, run))?, filled, texts)
        };
        if let Some(committed) = committed {
            self.take_over(&mut writer, committed)?;
            self.damaged.lock().unwrap_or_else(PoisonError::into_inner).retain(|no| !damaged.contains(no));
        }
        self.indexer.queue(texts);
        Ok(filled)
    }

    /// Packs and flushes what earlier commits have left, once there is enough of it.
    pub(super) fn tidy(&self) -> Result<(), Error> {
        let (unpacked, in_memory) = {
            let catalog = self.catalog();
            (catalog.basis().unpacked_bytes, catalog.memory_len())
        };
        if unpacked >= PACK_AT {
            self.pack()?;
        }
        // Below that the thread of the store writes it, and nobody waits as long as there is room.
        if in_memory >= self.options.flush_bytes || in_memory >= self.catalog_due() && !self.wake() {
            self.flush_catalog()?;
        }
        Ok(())
    }

    /// Applies a durable commit to the catalog. If that fails, the store is latched: nothing may be built upon such a
    /// catalog.
    pub(super) fn take_over(&self, writer: &mut WriterGuard<'_>, committed: Committed) -> Result<(), Error> {
        self.containers.closed_before(committed.container_end.0);
        writer.latch(|_| self.catalog_mut().apply_new(committed))?;
        self.idle.committed();
        Ok(())
    }
}
