//! Single mails, durable when the call returns; callers that wait at the same time share a commit.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::prepare::prepare;
use super::{Acting, Outcome, Receipt, locked};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::MessageId;
use crate::source;
use crate::store::{self, Duplicates, NewPlace, Prepared};

/// Mails that wait for the next commit. Who finds nobody committing commits for all that wait; the others sleep until theirs is done.
#[derive(Default)]
pub(super) struct Singles {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Prepared, Slot)>,
    /// Where those that wait sleep: each commit has a place of its own, so that none wakes for the commit of others but who is to lead the next.
    done: Arc<Condvar>,
    /// Someone commits for all.
    is_led: bool,
}

type Slot = Arc<Mutex<Option<Result<store::Outcome, Error>>>>;

/// The right to commit for all that wait. However it ends, nobody waits on: who has no answer by then is told so.
struct Lead<'s> {
    singles: &'s Singles,
    /// Where those sleep that it commits for.
    done: Arc<Condvar>,
    slots: Vec<Slot>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        for slot in &self.slots {
            locked(slot).get_or_insert(Err(Error::Bug("the commit of a mail panicked")));
        }
        let mut queue = locked(&self.singles.queue);
        queue.is_led = false;
        self.done.notify_all();
        queue.done.notify_one();
    }
}

impl Acting<'_> {
    /// Archives one mail in `folder`, which is made where it is not there. Durable when this returns, and searchable, unless the index cannot
    /// be written: then searches count the mail as not indexed, until the next mail finds that it can, or the next open.
    ///
    /// What is no mail wherever it stands ([`source::refused`]) is an error, as it is a trouble of [`Acting::import`].
    ///
    /// Callers that come at the same time share a commit, and its error. After an error archive the mail again: should it be there, since a
    /// failed sync does not tell, it is kept once.
    pub fn import_one(&self, raw: &[u8], folder: &FolderPath) -> Result<Receipt, Error> {
        self.only_system("import")?;
        if let Some(kind) = source::refused(raw) {
            return Err(Error::NotAMail { why: kind.to_string() });
        }
        let place = NewPlace {
            folder: self.to_change(folder)?.names().into(),
            path: Arc::default(),
            offset: 0,
            from_line: None,
            unquoted: false,
            flags: None,
            date_hint: None,
        };
        let mut prepared = prepare(raw.to_vec(), place, self.archive.store.indexer().is_enabled())?;
        prepared.make_blocks();
        let digest = prepared.header.digest;
        let slot = Slot::default();
        let singles = &self.archive.singles;
        let mut queue = locked(&singles.queue);
        queue.waiting.push((prepared, Arc::clone(&slot)));
        let done = Arc::clone(&queue.done);
        while locked(&slot).is_none() {
            if queue.is_led {
                queue = done.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.is_led = true;
            queue.done = Arc::default();
            let (mails, slots) = std::mem::take(&mut queue.waiting).into_iter().unzip();
            drop(queue);
            let lead = Lead { singles, done: Arc::clone(&done), slots };
            self.archive.commit_all(mails, &lead.slots);
            drop(lead);
            queue = locked(&singles.queue);
        }
        drop(queue);
        let outcome = locked(&slot).take().ok_or(Error::Bug("a mail waited for a commit that did not come"))??;
        // The mail is archived; what the index could not take waits for it, and searches say so.
        let _waits = self.archive.store.feed_index();
        Ok(receipt(self.archive.store.no(), outcome, digest, Arc::default(), 0))
    }
}

impl super::Archive {
    fn commit_all(&self, mails: Vec<Prepared>, slots: &[Slot]) {
        match self.store.commit(mails, Duplicates::Folder, None, self.store.now()) {
            Ok(outcomes) => slots.iter().zip(outcomes).for_each(|(slot, outcome)| *locked(slot) = Some(Ok(outcome))),
            Err(error) => slots.iter().for_each(|slot| *locked(slot) = Some(Err(error.clone()))),
        }
    }
}

pub(super) fn receipt(
    store: crate::id::StoreNo,
    outcome: store::Outcome,
    digest: crate::id::Digest,
    source: Arc<str>,
    offset: u64,
) -> Receipt {
    let (no, outcome) = match outcome {
        store::Outcome::Stored(no) => (no, Outcome::Stored),
        store::Outcome::Duplicate { message, restated } => (message, Outcome::Duplicate { restated }),
    };
    Receipt { id: MessageId { store, no }, digest, outcome, source, offset }
}
