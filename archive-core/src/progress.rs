//! How long calls report how far they are, and how they are ended: one way for all of them.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use crate::error::Error;

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What is done, in `unit`. It never falls within one activity.
    pub done: u64,
    /// What there is to do, if that is known. It is an estimate: the end may come before or after it.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
    /// What the call is doing, in a few English words, such as `reading the source`.
    pub activity: &'static str,
}

/// What a [`Step`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Messages.
    Messages,
    /// Contents: different mails.
    Contents,
    /// Commits of the records.
    Commits,
    /// Steps of a call whose parts cannot be compared.
    Steps,
}

impl Unit {
    /// Its name: `bytes`, `messages`, `contents`, `commits`, `steps`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Messages => "messages",
            Self::Contents => "contents",
            Self::Commits => "commits",
            Self::Steps => "steps",
        }
    }
}

type Report = dyn FnMut(&Step) -> ControlFlow<()> + Send;

/// Follows a long call, and ends it. Clones share both.
///
/// A call that is ended returns [`Error::Stopped`], or says in its report that it was stopped. What has a receipt stays.
/// A cancelled value stays cancelled: make a new one for the next call.
///
/// ```
/// use std::ops::ControlFlow;
///
/// let progress = archive_core::Progress::reporting(|step| {
///     eprintln!("{}: {} {}", step.activity, step.done, step.unit.name());
///     ControlFlow::Continue(())
/// });
/// let from_another_thread = progress.clone();
/// from_another_thread.cancel();
/// assert!(progress.is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct Progress {
    cancelled: Arc<AtomicBool>,
    report: Option<Arc<Mutex<Report>>>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("cancelled", &self.is_cancelled()).field("reports", &self.report.is_some()).finish()
    }
}

impl Progress {
    /// Reports nothing. [`cancel`](Self::cancel) ends the call.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `report` now and then during the call, from any of its threads, one at a time, and while it holds no lock:
    /// it may use the archive. It ends the call by [`ControlFlow::Break`].
    #[must_use]
    pub fn reporting(report: impl FnMut(&Step) -> ControlFlow<()> + Send + 'static) -> Self {
        Self { cancelled: Arc::default(), report: Some(Arc::new(Mutex::new(report))) }
    }

    /// A value that reports, and is cancelled together with this one.
    #[must_use]
    pub fn with_report(&self, report: impl FnMut(&Step) -> ControlFlow<()> + Send + 'static) -> Self {
        Self { cancelled: self.flag(), ..Self::reporting(report) }
    }

    /// Ends the calls that use this value or a clone of it, at the next point where that is safe.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled, here or by the report.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Reports a step, unless the call was ended already. [`Error::Stopped`] if it is to end.
    pub(crate) fn step(&self, step: Step) -> Result<(), Error> {
        self.check()?;
        if let Some(report) = &self.report {
            // Where the report itself uses the archive with this value, or another thread reports, one report is enough.
            let mut report = match report.try_lock() {
                Ok(report) => report,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return self.check(),
            };
            if report(&step).is_break() {
                self.cancel();
            }
        }
        self.check()
    }

    /// [`Error::Stopped`] if the call is to end.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// The same end, without reports: for work under a lock.
    pub(crate) fn without_report(&self) -> Self {
        Self { cancelled: Arc::clone(&self.cancelled), report: None }
    }

    /// The flag, for the index.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Step = Step { done: 1, total: None, unit: Unit::Steps, activity: "testing" };

    #[test]
    fn a_report_ends_the_call_and_so_does_a_clone() {
        let mut left = 2;
        let progress = Progress::reporting(move |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(progress.step(STEP).is_ok());
        assert!(matches!(progress.step(STEP), Err(Error::Stopped)));
        assert!(progress.clone().is_cancelled());

        let silent = Progress::new();
        assert!(silent.step(STEP).is_ok());
        silent.clone().cancel();
        assert!(matches!(silent.check(), Err(Error::Stopped)));
    }

    #[test]
    fn a_report_that_reports_is_not_called_again() {
        let slot: Arc<Mutex<Option<Progress>>> = Arc::default();
        let own = Arc::clone(&slot);
        let progress = Progress::reporting(move |_| {
            let inner = own.lock().ok().and_then(|inner| inner.clone());
            assert!(inner.is_some_and(|inner| inner.step(STEP).is_ok()));
            ControlFlow::Continue(())
        });
        *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(progress.clone());
        assert!(progress.step(STEP).is_ok());
    }
}
