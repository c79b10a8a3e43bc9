//! Mails on their way from the reader of a source to the workers, which take many at a time: waking a thread for every
//! mail takes longer than the mail itself.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::NewPlace;

/// Mails that a worker takes at a time, and their bytes.
const AT_ONCE: usize = 64;
const AT_ONCE_BYTES: usize = 256 << 10;
/// From a slow source, a worker takes what arrives within this time.
const WAIT: Duration = Duration::from_millis(20);

/// A mail on its way to a worker, with its place in the order of the source.
pub(super) struct Job {
    pub(super) at: u64,
    pub(super) raw: Vec<u8>,
    pub(super) place: NewPlace,
}

/// Mails that wait for a worker. The thread that fills it bounds their bytes.
#[derive(Default)]
pub(super) struct Jobs {
    queue: Mutex<Queue>,
    fed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
    ended: bool,
}

impl Queue {
    fn is_worth_taking(&self) -> bool {
        self.ended || self.jobs.len() >= AT_ONCE || self.bytes >= AT_ONCE_BYTES
    }
}

/// The filling end of the queue. When it is dropped, for whatever reason, no more mails come.
pub(super) struct Feed<'j>(&'j Jobs);

impl Feed<'_> {
    pub(super) fn push(&self, job: Job) {
        let mut queue = self.0.lock();
        queue.bytes += job.raw.len();
        queue.jobs.push_back(job);
        let wakes = queue.is_worth_taking();
        drop(queue);
        if wakes {
            self.0.fed.notify_one();
        }
    }
}

impl Drop for Feed<'_> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.fed.notify_all();
    }
}

impl Jobs {
    pub(super) fn feed(&self) -> Feed<'_> {
        Feed(self)
    }

    /// Consecutive mails; none at the end.
    pub(super) fn take(&self) -> Vec<Job> {
        let mut queue = self.lock();
        while !queue.is_worth_taking() {
            let (woken, waited) = self.fed.wait_timeout(queue, WAIT).unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            if waited.timed_out() && !queue.jobs.is_empty() {
                break;
            }
        }
        let (mut taken, mut bytes) = (Vec::with_capacity(AT_ONCE), 0);
        while taken.len() < AT_ONCE && bytes < AT_ONCE_BYTES {
            let Some(job) = queue.jobs.pop_front() else { break };
            bytes += job.raw.len();
            taken.push(job);
        }
        queue.bytes -= bytes;
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
