//! Single mails, durable when the call returns; callers that wait at the same time share a commit.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::destination::{Committed, Destination};
use super::prepare::prepare;
use super::{Outcome, Receipt};
use crate::archive::actor::Acting;
use crate::archive::locked;
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::MessageId;
use crate::source;
use crate::store::{self, Duplicates, NewPlace, Prepared};

/// Mails that wait for the next commit. A caller that finds no commit under way commits for all that wait; the others
/// sleep until theirs is done.
#[derive(Default)]
pub(in crate::archive) struct Singles {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Prepared, Slot)>,
    /// Where waiting callers sleep. Each commit has a separate one, so that the commit of others wakes only the caller
    /// that leads the next.
    done: Arc<Condvar>,
    /// A caller is committing for all.
    is_led: bool,
}

type Slot = Arc<Mutex<Option<Result<(MessageId, store::Outcome), Error>>>>;

/// The right to commit for all that wait. However it ends, no caller keeps waiting: one without an answer by then
/// receives an error.
struct Lead<'s> {
    singles: &'s Singles,
    /// Where the callers sleep that it commits for.
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
    pub(in crate::archive) fn import_one(&self, raw: &[u8], folder: &FolderPath) -> Result<Receipt, Error> {
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
        let destination = Destination::of(self.archive)?;
        let mut prepared = prepare(raw.to_vec(), place, destination.current.indexer().is_enabled())?;
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
            commit_all(&destination, mails, &lead.slots);
            drop(lead);
            queue = locked(&singles.queue);
        }
        drop(queue);
        let (id, outcome) = locked(&slot).take().ok_or(Error::Bug("a mail waited for a commit that did not come"))??;
        // The mail is archived. What the index could not accept waits, and searches count it.
        destination.current.feed_one();
        Ok(receipt(id, outcome, digest, Arc::default(), 0))
    }
}

fn commit_all(destination: &Destination, mails: Vec<Prepared>, slots: &[Slot]) {
    match destination.commit(mails, Duplicates::Folder, None) {
        Ok(Committed { outcomes, .. }) => slots.iter().zip(outcomes).for_each(|(slot, outcome)| *locked(slot) = Some(Ok(outcome))),
        Err(error) => slots.iter().for_each(|slot| *locked(slot) = Some(Err(error.clone()))),
    }
}

pub(in crate::archive) fn receipt(
    id: MessageId,
    outcome: store::Outcome,
    digest: crate::id::Digest,
    source: Arc<str>,
    offset: u64,
) -> Receipt {
    let outcome = match outcome {
        store::Outcome::Stored(_) => Outcome::Stored,
        store::Outcome::Duplicate { restated, .. } => Outcome::Duplicate { restated },
    };
    Receipt { id, digest, outcome, source, offset }
}
