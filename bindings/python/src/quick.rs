//! Calls that change nothing and are mostly over at once: they run on the thread that made them, without the interpreter's
//! lock. A helper on another processor would have to read anew what this one has in its cache, which costs more than a search.
//!
//! Nobody looks for signals meanwhile. So a call that is not over soon is ended, and begins again as `calling` runs it.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use archive_core::{Error, Progress};
use pyo3::prelude::*;

use crate::calling::{Cancel, Follow, run};
use crate::error::OrRaise;

/// How often the watch looks. A call may take one to two of these here.
const TICK: Duration = Duration::from_millis(50);

/// Runs a call that changes nothing. `work` may be begun twice.
pub(crate) fn run_quick<T: Send + 'static>(
    py: Python<'_>,
    cancel: Option<Py<Cancel>>,
    work: impl Fn(&Progress) -> Result<T, Error> + Send + Sync + 'static,
) -> PyResult<T> {
    let progress = Progress::new();
    let watched = cancel.as_ref().map(|cancel| cancel.get().watch(&progress));
    let tried = watch().map(|watch| {
        py.detach(|| {
            let _begun = watch.begin(&progress);
            work(&progress)
        })
    });
    drop(watched);
    match tried {
        // If the caller cancelled it, so is the other one.
        None | Some(Err(Error::Stopped)) => run(py, Follow::new(None, cancel), move |caller| work(&caller.progress)),
        Some(result) => result.or_raise(py),
    }
}

/// Ends calls that take too long: one thread for all.
struct Watch {
    process: u32,
    calls: Mutex<Calls>,
    begun: Condvar,
}

#[derive(Default)]
struct Calls {
    /// How many have begun.
    begun: u64,
    under_way: Vec<(u64, Progress)>,
    /// The thread waits until one begins.
    is_idle: bool,
}

/// `None` if there can be no thread. A fork has none, and the lock may have been held.
fn watch() -> Option<&'static Watch> {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    static STARTED: OnceLock<bool> = OnceLock::new();
    let watch = WATCH.get_or_init(|| Watch { process: std::process::id(), calls: Mutex::default(), begun: Condvar::new() });
    let start = || thread::Builder::new().name("mailkeep-watch".to_owned()).spawn(|| watch.look()).is_ok();
    (watch.process == std::process::id() && *STARTED.get_or_init(start)).then_some(watch)
}

impl Watch {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        let (mut calls, mut known) = (self.calls(), 0);
        loop {
            calls.under_way.iter().filter(|(number, _)| *number <= known).for_each(|(_, progress)| progress.cancel());
            calls.is_idle = calls.begun == known && calls.under_way.is_empty();
            known = calls.begun;
            // A thread that has looked in vain sleeps, so that a program that is done with searching is not woken any more.
            calls = match calls.is_idle {
                true => self.begun.wait(calls).unwrap_or_else(PoisonError::into_inner),
                false => self.begun.wait_timeout(calls, TICK).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn begin(&self, progress: &Progress) -> UnderWay<'_> {
        let mut calls = self.calls();
        calls.begun += 1;
        let number = calls.begun;
        calls.under_way.push((number, progress.clone()));
        if std::mem::take(&mut calls.is_idle) {
            self.begun.notify_one();
        }
        UnderWay { watch: self, number }
    }
}

/// A call, while this lives.
struct UnderWay<'w> {
    watch: &'w Watch,
    number: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.watch.calls().under_way.retain(|(number, _)| *number != self.number);
    }
}
