//! One thread for everything in this process that is to happen later, in however many archives. It is there as long as
//! something may be scheduled, and joined when the last that schedules has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// What happens later. It returns when it is to happen again; `None` until it is scheduled again.
type Work = dyn Fn() -> Option<Instant> + Send + Sync;

static TIMER: Timer = Timer { state: Mutex::new(State::new()), changed: Condvar::new() };

struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// By number.
    tasks: BTreeMap<u64, Task>,
    /// Which are due when.
    due: BTreeMap<(Instant, u64), ()>,
    next: u64,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl State {
    const fn new() -> Self {
        Self { tasks: BTreeMap::new(), due: BTreeMap::new(), next: 0, thread: None, process: 0 }
    }
}

struct Task {
    /// Held while it runs.
    work: Arc<Mutex<Option<Box<Work>>>>,
    due: Option<Instant>,
}

/// Something that can be scheduled. When this is dropped, it does not run, and never will.
pub(crate) struct Scheduled {
    number: u64,
}

impl Scheduled {
    pub(crate) fn new(work: impl Fn() -> Option<Instant> + Send + Sync + 'static) -> Self {
        let mut state = TIMER.state();
        let number = state.next;
        state.next += 1;
        state.tasks.insert(number, Task { work: Arc::new(Mutex::new(Some(Box::new(work)))), due: None });
        Self { number }
    }

    /// Its number, for [`schedule`].
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// Runs what has `number` at a time; if the system provides no thread, never. What is scheduled already keeps its time.
pub(crate) fn schedule(number: u64, at: Instant) {
    let mut state = TIMER.state();
    let Some(task) = state.tasks.get_mut(&number).filter(|task| task.due.is_none()) else { return };
    task.due = Some(at);
    state.due.insert((at, number), ());
    if state.thread.as_ref().is_none_or(JoinHandle::is_finished) {
        state.thread = std::thread::Builder::new().name("mailkeep-timer".to_owned()).spawn(|| TIMER.run()).ok();
    }
    drop(state);
    TIMER.changed.notify_all();
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        let (task, thread) = {
            let mut state = TIMER.state();
            let task = state.tasks.remove(&self.number);
            if let Some(at) = task.as_ref().and_then(|task| task.due) {
                state.due.remove(&(at, self.number));
            }
            (task, if state.tasks.is_empty() { state.thread.take() } else { None })
        };
        TIMER.changed.notify_all();
        // It may be running.
        if let Some(task) = task {
            let work = task.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(work);
        }
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _panicked = thread.join();
        }
    }
}

impl Timer {
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if state.process != process {
            // In a child of the process there is no such thread, and what its parent scheduled is not the child's.
            let next = state.next;
            std::mem::forget(std::mem::replace(&mut *state, State { next, process, ..State::new() }));
        }
        state
    }

    /// Runs what is due, until there is nothing that could be.
    fn run(&self) {
        let me = std::thread::current().id();
        let mut state = self.state();
        loop {
            // Another thread may have been begun since the last one ended this one.
            if state.tasks.is_empty() || state.thread.as_ref().is_none_or(|thread| thread.thread().id() != me) {
                return;
            }
            let now = Instant::now();
            state = match state.due.first_key_value().map(|((at, number), ())| (*at, *number)) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some((at, _)) if at > now => self.changed.wait_timeout(state, at - now).unwrap_or_else(PoisonError::into_inner).0,
                Some((at, number)) => {
                    state.due.remove(&(at, number));
                    let work = state.tasks.get_mut(&number).map(|task| {
                        task.due = None;
                        Arc::clone(&task.work)
                    });
                    drop(state);
                    let again = work.and_then(|work| {
                        let work = work.lock().unwrap_or_else(PoisonError::into_inner);
                        work.as_ref().and_then(|work| work())
                    });
                    again.into_iter().for_each(|at| schedule(number, at));
                    self.state()
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_scheduled_runs_again_until_it_is_dropped() {
        let (ran, runs) = channel();
        let scheduled = Scheduled::new(move || {
            ran.send(()).ok()?;
            Some(Instant::now())
        });
        schedule(scheduled.number(), Instant::now() + Duration::from_secs(3600));
        // The first time counts.
        schedule(scheduled.number(), Instant::now());
        assert!(runs.try_recv().is_err());
        drop(scheduled);
        assert!(runs.recv().is_err(), "it is gone with its work");
    }

    #[test]
    fn tasks_run_in_the_order_of_their_times() {
        let (ran, runs) = channel();
        let now = Instant::now();
        let task = |name: &'static str| {
            let ran = ran.clone();
            Scheduled::new(move || {
                ran.send(name).ok()?;
                None
            })
        };
        let (later, sooner) = (task("later"), task("sooner"));
        schedule(later.number(), now + Duration::from_millis(30));
        schedule(sooner.number(), now + Duration::from_millis(1));
        assert_eq!((runs.recv(), runs.recv()), (Ok("sooner"), Ok("later")));
        schedule(sooner.number(), Instant::now());
        assert_eq!(runs.recv(), Ok("sooner"));
    }
}
