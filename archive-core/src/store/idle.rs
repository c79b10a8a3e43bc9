//! Decides when the writer is idle. It then notes on disk that its last commit is synced, so that a process killed
//! after that leaves nothing to recover.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Without a commit for this long the writer is idle; commits of an import come more often.
const IDLE_AFTER: Duration = Duration::from_millis(800);

/// What the first commit after a mark runs.
type OnCommit = Box<dyn Fn() + Send + Sync>;

/// What commits tell the idle marker.
#[derive(Default)]
pub(crate) struct Idle {
    state: Mutex<State>,
    on_commit: Mutex<Option<OnCommit>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// When the last commit without a mark was made.
    committed: Option<Instant>,
}

/// What is due.
#[derive(Debug, PartialEq)]
pub(crate) enum Due {
    Nothing,
    /// A mark, at this time if no commit comes before.
    At(Instant),
    Now,
}

impl State {
    fn due(self, now: Instant) -> Due {
        match self.committed.map(|at| at + IDLE_AFTER) {
            None => Due::Nothing,
            Some(at) if at <= now => Due::Now,
            Some(at) => Due::At(at),
        }
    }
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("state", &*self.state()).finish_non_exhaustive()
    }
}

impl Idle {
    /// Notes that a commit was made.
    pub(crate) fn committed(&self) {
        let is_first = self.state().committed.replace(Instant::now()).is_none();
        if is_first && let Some(on_commit) = &*self.on_commit() {
            on_commit();
        }
    }

    /// Says what the first commit after a mark runs; nothing any more for `None`.
    pub(crate) fn set_on_commit(&self, on_commit: Option<OnCommit>) {
        *self.on_commit() = on_commit;
    }

    /// What is due. If it is a mark, the caller makes it.
    pub(crate) fn take_due(&self) -> Due {
        let mut state = self.state();
        let due = state.due(Instant::now());
        if due == Due::Now {
            state.committed = None;
        }
        due
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on_commit(&self) -> MutexGuard<'_, Option<OnCommit>> {
        self.on_commit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn p13_a_mark_is_due_within_a_second_of_the_last_commit_and_once() {
        let now = Instant::now();
        let mut state = State::default();
        assert_eq!(state.due(now), Due::Nothing);
        state.committed = Some(now);
        assert_eq!(state.due(now), Due::At(now + IDLE_AFTER));
        assert_eq!(state.due(now + IDLE_AFTER), Due::Now);
        assert!(IDLE_AFTER < Duration::from_secs(1));
    }

    #[test]
    fn only_the_first_commit_after_a_mark_tells() {
        let (idle, told) = (Idle::default(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&told);
        idle.set_on_commit(Some(Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        })));
        assert_eq!(idle.take_due(), Due::Nothing);
        idle.committed();
        idle.committed();
        assert!(matches!(idle.take_due(), Due::At(_)));
        assert_eq!(told.load(Ordering::SeqCst), 1);
        idle.state().committed = Instant::now().checked_sub(IDLE_AFTER);
        assert_eq!(idle.take_due(), Due::Now);
        idle.committed();
        assert_eq!(told.load(Ordering::SeqCst), 2);
    }
}
