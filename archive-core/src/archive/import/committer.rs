//! The committer of an import: restores the order of mails, commits by weight and time, and gives receipts. What is in
//! flight is bounded by weight.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::destination::{Committed, Destination};
use super::{ImportEvents, ImportOptions, Outcome, receipt};
use crate::archive::{Opened, locked};
use crate::error::Error;
use crate::id::{Digest, StoreNo};
use crate::store::{NewPlace, Prepared, RunInfo};

/// A commit is made when mails of this weight wait.
const COMMIT_WEIGHT: u64 = 16 << 20;
/// No mail waits longer for its commit.
const COMMIT_AFTER: Duration = Duration::from_millis(700);
/// Weight of mails between source and commit.
const IN_FLIGHT: u64 = 40 << 20;
/// What a mail weighs besides its bytes: its facts and the words of its text take memory too, for small mails more than
/// their bytes.
const WEIGHT_OF_A_MAIL: u64 = 2 << 10;

pub(super) fn weight(bytes: u64, place: &NewPlace) -> u64 {
    bytes + place.path.len() as u64 + WEIGHT_OF_A_MAIL
}

/// What is on its way to the committer, with its place in the order of the source.
pub(super) enum Ready {
    /// Consecutive mails; for a failed one, its weight.
    Mails { at: u64, mails: Vec<Result<Prepared, (Error, u64)>> },
    /// A request to be notified when everything before it is durable.
    Barrier { at: u64, done: SyncSender<()> },
}

impl Ready {
    fn at(&self) -> u64 {
        match self {
            Self::Mails { at, .. } | Self::Barrier { at, .. } => *at,
        }
    }

    /// How many places it takes.
    fn len(&self) -> u64 {
        match self {
            Self::Mails { mails, .. } => mails.len() as u64,
            Self::Barrier { .. } => 1,
        }
    }
}

/// The weight of what is in flight. A thread that would exceed the bound waits.
#[derive(Default)]
pub(super) struct Budget {
    used: Mutex<u64>,
    freed: Condvar,
    /// No weight will be given back any more.
    is_void: AtomicBool,
}

impl Budget {
    pub(super) fn take(&self, weight: u64) {
        let mut used = locked(&self.used);
        while *used > 0 && *used + weight > IN_FLIGHT && !self.is_void.load(Ordering::Acquire) {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += weight;
    }

    fn give_back(&self, weight: u64) {
        *locked(&self.used) -= weight;
        self.freed.notify_all();
    }

    /// Ends all waiting.
    pub(super) fn void(&self) {
        let used = locked(&self.used);
        self.is_void.store(true, Ordering::Release);
        drop(used);
        self.freed.notify_all();
    }
}

/// The first error ends the import.
#[derive(Default)]
pub(super) struct Failure {
    error: Mutex<Option<Error>>,
    set: AtomicBool,
}

impl Failure {
    pub(super) fn set(&self, error: Error) {
        locked(&self.error).get_or_insert(error);
        self.set.store(true, Ordering::Release);
    }

    pub(super) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Option<Error> {
        locked(&self.error).take()
    }
}

#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) stored: u64,
    pub(super) duplicate: u64,
    pub(super) restated: u64,
}

impl Sums {
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Stored => self.stored += 1,
            Outcome::Duplicate { restated } => {
                self.duplicate += 1;
                self.restated += u64::from(restated);
            }
        }
    }
}

/// Restores the order of mails and commits them.
pub(super) struct Committer<'a, 'e> {
    pub(super) archive: &'a Opened,
    pub(super) options: &'a ImportOptions,
    pub(super) run: &'a RunInfo,
    pub(super) events: &'a Mutex<&'e mut dyn ImportEvents>,
    pub(super) budget: &'a Budget,
    pub(super) failure: &'a Failure,
    pub(super) fed: SyncSender<()>,
    /// The payload of a panic in an event of the caller.
    pub(super) panicked: &'a Mutex<Option<Panic>>,
}

/// The payload of a panic.
pub(super) type Panic = Box<dyn Any + Send>;

/// Held by each thread of an import. If one panics, the import ends instead of waiting for it.
pub(super) struct Alarm<'a> {
    pub(super) failure: &'a Failure,
    pub(super) budget: &'a Budget,
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.failure.set(Error::Bug("a thread of an import panicked"));
            self.budget.void();
        }
    }
}

impl Committer<'_, '_> {
    pub(super) fn run(self, ready: &Receiver<Ready>) -> Sums {
        let mut sums = Sums::default();
        let mut early = BTreeMap::new();
        let mut next = 0;
        let mut batch = Vec::new();
        let (mut batch_weight, mut since) = (0, Instant::now());
        let mut run_in = None;
        loop {
            let wait = if batch.is_empty() { COMMIT_AFTER } else { COMMIT_AFTER.saturating_sub(since.elapsed()) };
            let received = ready.recv_timeout(wait);
            let ended = matches!(received, Err(RecvTimeoutError::Disconnected));
            if let Ok(ready) = received {
                early.insert(ready.at(), ready);
            }
            if self.failure.is_set() {
                // What a thread that panicked was working on never arrives: nothing may wait for it, or for its weight.
                early.clear();
                self.budget.void();
            }
            while let Some(ready) = early.remove(&next) {
                next += ready.len();
                let mails = match ready {
                    Ready::Mails { mails, .. } => mails,
                    Ready::Barrier { done, .. } => {
                        self.commit(&mut batch, &mut batch_weight, &mut run_in, &mut sums);
                        // The thread that waits for the barrier may have given up.
                        let _gone = done.send(());
                        continue;
                    }
                };
                for mail in mails {
                    match mail {
                        Ok(prepared) => {
                            if batch.is_empty() {
                                since = Instant::now();
                            }
                            batch_weight += weight(prepared.header.size, &prepared.place);
                            batch.push(prepared);
                        }
                        Err((error, weight)) => {
                            self.budget.give_back(weight);
                            self.failure.set(error);
                        }
                    }
                    if batch_weight >= COMMIT_WEIGHT || (self.options.commit_each && !batch.is_empty()) {
                        self.commit(&mut batch, &mut batch_weight, &mut run_in, &mut sums);
                    }
                }
            }
            if ended || (!batch.is_empty() && since.elapsed() >= COMMIT_AFTER) {
                self.commit(&mut batch, &mut batch_weight, &mut run_in, &mut sums);
            }
            if ended {
                return sums;
            }
        }
    }

    fn commit(&self, batch: &mut Vec<Prepared>, weight: &mut u64, run_in: &mut Option<StoreNo>, sums: &mut Sums) {
        let mails = std::mem::take(batch);
        let weight = std::mem::take(weight);
        if mails.is_empty() {
            return;
        }
        // What was read ahead when the import was ended is not archived: with a commit for each mail it could take long.
        if !self.failure.is_set() && !self.options.progress.is_cancelled() {
            let origins: Vec<(Digest, Arc<str>, u64)> =
                mails.iter().map(|mail| (mail.header.digest, Arc::clone(&mail.place.path), mail.place.offset)).collect();
            // Others may have changed which store takes new mail, and this one may be full.
            let committed = Destination::of(self.archive).and_then(|to| {
                // Each store that mail goes to has the run once.
                let run = (*run_in != Some(to.current.no())).then_some(self.run);
                let committed = to.commit(mails, self.options.duplicates, run)?;
                *run_in = Some(to.current.no()).filter(|_| committed.has_run).or(*run_in);
                Ok(committed)
            });
            match committed {
                Ok(Committed { outcomes, .. }) => {
                    let receipts = origins.into_iter().zip(outcomes).map(|((digest, source, offset), (id, outcome))| {
                        let receipt = receipt(id, outcome, digest, source, offset);
                        sums.count(receipt.outcome());
                        receipt
                    });
                    let tell = || receipts.for_each(|receipt| locked(self.events).receipt(&receipt));
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(tell)) {
                        *locked(self.panicked) = Some(panic);
                        self.failure.set(Error::Bug("an event of the caller panicked"));
                    }
                    // The indexer ends first only if it failed, and then the import ends too.
                    let _ended = self.fed.send(());
                }
                Err(error) => self.failure.set(error),
            }
        }
        self.budget.give_back(weight);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::AtomicI64;

    use super::*;
    use crate::archive::{Actor, Archive, CreateOptions, ImportSource, NoEvents, OpenOptions};
    use crate::clock::Clock;
    use crate::id::MessageNo;
    use crate::records::{Fact, FactValue};
    use crate::vfs::MemVfs;

    const HOUR: i64 = 60 * 60 * 1000;

    /// What the last import run recorded about the clock.
    fn jumped_from(store: &crate::store::Store) -> Option<i64> {
        let last = MessageNo(store.catalog().basis().numbers.messages - 1);
        let place = store.catalog().message_row(last).unwrap().unwrap().fact;
        let commit = store.commit_at(place).unwrap();
        let mut runs = commit.facts.iter().filter_map(|fact| match fact {
            Fact::Known { kind, bytes } => match FactValue::read(*kind, bytes, &mut None).unwrap() {
                FactValue::ImportRun(run) => Some(run.jumped_from),
                _ => None,
            },
            Fact::Erased { .. } => None,
        });
        runs.next_back().expect("a run")
    }

    #[test]
    fn an_import_notes_that_the_clock_jumped_and_when_the_last_mail_was_archived() {
        let now = Arc::new(AtomicI64::new(1_000 * HOUR));
        let read = Arc::clone(&now);
        let open = OpenOptions::default().clock(Clock::new(move || read.load(Ordering::Relaxed)));
        let options = CreateOptions::new("anna").open_options(open);
        let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), options).unwrap();
        let _kept = new.keys();
        let archive = new.commit().unwrap();
        // The first mail, two hours later, two days later than what passed, back, and on from there.
        let steps = [(1_000, None), (1_002, None), (1_050, Some(1_002)), (1_001, Some(1_050)), (1_003, None)];
        for (no, (hours, expected)) in steps.into_iter().enumerate() {
            now.store(hours * HOUR, Ordering::Relaxed);
            let mbox = format!("From a@b.example Thu Jan  1 00:00:00 2015\nSubject: {no}\n\nx\n\n");
            let source = ImportSource::Stream(&mut mbox.as_bytes(), "one.mbox");
            archive.session(Actor::System).import(source, &ImportOptions::default(), &mut NoEvents).unwrap();
            assert_eq!(jumped_from(&archive.enter().unwrap().current().unwrap()), expected.map(|hours: i64| hours * HOUR), "{hours}");
        }
    }
}
