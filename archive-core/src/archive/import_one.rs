//! Single mails, durable when the call returns; callers that wait at the same time share a commit.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::prepare::prepare;
use super::{Acting, Outcome, Receipt, locked};
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::MessageId;
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

impl Acting<'_> {
    /// Archives one mail in `folder`, which is made where it is not there. Durable and searchable when this returns.
    pub fn import_one(&self, raw: &[u8], folder: &FolderPath) -> Result<Receipt, Error> {
        self.only_system("to import")?;
        let place = NewPlace {
            folder: folder.names().into(),
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
            let waiting = std::mem::take(&mut queue.waiting);
            queue.done = Arc::default();
            drop(queue);
            self.archive.commit_all(waiting);
            queue = locked(&singles.queue);
            queue.is_led = false;
            done.notify_all();
            queue.done.notify_one();
        }
        drop(queue);
        let outcome = locked(&slot).take().ok_or(Error::Bug("a mail waited for a commit that did not come"))??;
        self.archive.store.index_queued()?;
        Ok(receipt(self.archive.store.no(), outcome, digest, Arc::default(), 0))
    }
}

impl super::Archive {
    fn commit_all(&self, waiting: Vec<(Prepared, Slot)>) {
        let (mails, slots): (Vec<Prepared>, Vec<Slot>) = waiting.into_iter().unzip();
        match self.store.commit(mails, Duplicates::Folder, None, crate::clock::now()) {
            Ok(outcomes) => slots.iter().zip(outcomes).for_each(|(slot, outcome)| *locked(slot) = Some(Ok(outcome))),
            Err(error) => {
                let why = error.to_string();
                let mut slots = slots.iter();
                if let Some(first) = slots.next() {
                    *locked(first) = Some(Err(error));
                }
                slots.for_each(|slot| *locked(slot) = Some(Err(Error::Latched(why.clone()))));
            }
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
