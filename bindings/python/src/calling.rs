//! How long calls run: on a helper of the thread that made the call, which meanwhile waits without the interpreter's lock, runs
//! the caller's functions, and looks for signals.
//!
//! So a function of the caller always runs on the thread that made the call, its exception ends the call and comes out
//! of it unchanged, and Ctrl-C is noticed whatever the call does.

use std::cell::Cell;
use std::mem;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use archive_core::{Error, Progress};
use pyo3::prelude::*;

use crate::error::OrRaise;

/// A function of the caller; calls share it.
pub(crate) type Callback = Arc<Py<PyAny>>;

/// What the thread that made the call is to do, with the interpreter.
type Task = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// Tasks that wait; then the call waits too.
const WAITING: usize = 64;
/// How often signals are looked for while there are no tasks.
const TICK: Duration = Duration::from_millis(50);

thread_local! {
    /// How many calls this thread runs functions of.
    static SERVING: Cell<usize> = const { Cell::new(0) };
    /// The helper of this thread, while it has nothing to do. A page of a search costs less than to begin a thread.
    static IDLE: Cell<Option<Helper>> = const { Cell::new(None) };
}

/// Whether this thread runs a function of the caller, for a call that waits for it.
pub(crate) fn is_serving() -> bool {
    SERVING.get() > 0
}

struct Serving;

impl Serving {
    fn note() -> Self {
        SERVING.set(SERVING.get() + 1);
        Self
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        SERVING.set(SERVING.get().saturating_sub(1));
    }
}

/// The way from a call to the thread that made it.
#[derive(Clone)]
pub(crate) struct Caller {
    /// `None` says that the call has ended.
    tasks: SyncSender<Option<Task>>,
    /// Follows the call, and ends it.
    pub(crate) progress: Progress,
}

impl Caller {
    /// Has a task done, and does not wait for it. Tasks are done in order, and none after one has failed.
    pub(crate) fn post(&self, task: impl FnOnce(Python<'_>) -> PyResult<()> + Send + 'static) {
        let _ended = self.tasks.send(Some(Box::new(task)));
    }

    /// Has a task done, and waits for its result; `None` if this or an earlier task failed.
    pub(crate) fn ask<T: Send + 'static>(&self, task: impl FnOnce(Python<'_>) -> PyResult<T> + Send + 'static) -> Option<T> {
        let (reply, answer) = sync_channel(1);
        self.post(move |py| {
            let _gone = reply.send(task(py)?);
            Ok(())
        });
        answer.recv().ok()
    }
}

/// A thread that runs calls of another thread, and ends with it.
struct Helper {
    process: u32,
    jobs: SyncSender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Helper {
    /// That of this thread. A function of the caller may make a call while it is at work; that call gets a new one.
    fn take() -> Result<Self, Error> {
        match IDLE.take() {
            Some(idle) if idle.process == std::process::id() => return Ok(idle),
            // A fork has no such thread, which may have held a lock of the channel.
            stale => mem::forget(stale),
        }
        let (jobs, given) = sync_channel::<Job>(1);
        let thread = thread::Builder::new().name("mailkeep-call".to_owned());
        thread.spawn(move || given.iter().for_each(|job| job())).map_err(|source| Error::NoThread { source: source.into() })?;
        Ok(Self { process: std::process::id(), jobs })
    }
}

/// Who follows a call, and who may end it.
#[derive(Default)]
pub(crate) struct Follow {
    progress: Option<Callback>,
    cancel: Option<Py<Cancel>>,
}

impl Follow {
    pub(crate) fn new(progress: Option<Py<PyAny>>, cancel: Option<Py<Cancel>>) -> Self {
        Self { progress: progress.map(Arc::new), cancel }
    }
}

/// Runs a call.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    follow: Follow,
    work: impl FnOnce(&Caller) -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    run_with(py, follow, &Progress::new(), work)
}

/// Runs a call that `progress` ends.
pub(crate) fn run_with<T: Send + 'static>(
    py: Python<'_>,
    follow: Follow,
    progress: &Progress,
    work: impl FnOnce(&Caller) -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    let (tasks, waiting) = sync_channel(WAITING);
    let mut caller = Caller { tasks, progress: progress.clone() };
    if let Some(report) = follow.progress {
        let of_steps = caller.clone();
        caller.progress = progress.with_report(move |step| {
            let (report, step) = (Arc::clone(&report), *step);
            of_steps.post(move |py| report.call1(py, (step.done, step.total, step.unit.name(), step.activity)).map(drop));
            ControlFlow::Continue(())
        });
    }
    let _watched = follow.cancel.as_ref().map(|cancel| cancel.get().watch(progress));
    let (result, failed) = py.detach(move || serve(caller, &waiting, work));
    match failed {
        Some(failed) => Err(failed),
        None => result.or_raise(py),
    }
}

/// The result of the work, and what a task of it raised.
fn serve<T: Send + 'static>(
    caller: Caller,
    waiting: &Receiver<Option<Task>>,
    work: impl FnOnce(&Caller) -> Result<T, Error> + Send + 'static,
) -> (Result<T, Error>, Option<PyErr>) {
    let helper = match Helper::take() {
        Ok(helper) => helper,
        Err(error) => return (Err(error), None),
    };
    let (reply, result) = sync_channel(1);
    let of_call = caller.progress.clone();
    let job = move || {
        let _waits = reply.send(catch_unwind(AssertUnwindSafe(|| work(&caller))));
        // What the call had is given back before its end is told.
        let Caller { tasks, progress } = caller;
        drop(progress);
        let _waits = tasks.send(None);
    };
    // The thread receives as long as this has its other end.
    let _taken = helper.jobs.send(Box::new(job));
    let mut failed = None;
    loop {
        let mut next = waiting.recv_timeout(TICK);
        if matches!(next, Ok(None) | Err(RecvTimeoutError::Disconnected)) {
            break;
        }
        if failed.is_some() {
            continue;
        }
        let mut is_over = false;
        failed = Python::attach(|py| {
            let _serving = Serving::note();
            loop {
                match next {
                    Ok(Some(task)) => task(py)?,
                    Ok(None) => {
                        is_over = true;
                        return Ok(());
                    }
                    Err(_) => return py.check_signals(),
                }
                next = waiting.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
        })
        .err();
        if failed.is_some() {
            of_call.cancel();
        }
        if is_over {
            break;
        }
    }
    IDLE.set(Some(helper));
    match result.recv() {
        Ok(Ok(result)) => (result, failed),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => (Err(Error::Bug("a call has no result")), failed),
    }
}

/// Ends calls, from any thread.
///
/// Give it to a call as `cancel`. It ends the calls that use it, and those that begin with it later.
#[pyclass(frozen, module = "mailkeep")]
#[derive(Default)]
pub(crate) struct Cancel(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    cancelled: bool,
    next: u64,
    under_way: Vec<(u64, Progress)>,
}

/// A call that can be ended, while this lives.
pub(crate) struct Watched<'c> {
    cancel: &'c Cancel,
    number: u64,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.cancel.calls().under_way.retain(|(number, _)| *number != self.number);
    }
}

impl Cancel {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch(&self, progress: &Progress) -> Watched<'_> {
        let mut calls = self.calls();
        if calls.cancelled {
            progress.cancel();
        }
        calls.next += 1;
        let number = calls.next;
        calls.under_way.push((number, progress.clone()));
        Watched { cancel: self, number }
    }
}

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Ends the calls that use it, soon, and those that begin with it later.
    fn cancel(&self) {
        let mut calls = self.calls();
        calls.cancelled = true;
        calls.under_way.iter().for_each(|(_, progress)| progress.cancel());
    }

    /// Whether it was cancelled.
    #[getter]
    fn cancelled(&self) -> bool {
        self.calls().cancelled
    }

    fn __repr__(&self) -> &'static str {
        if self.cancelled() { "<Cancel: cancelled>" } else { "<Cancel>" }
    }
}
