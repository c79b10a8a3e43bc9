//! Decides when the writer is idle. It then notes on disk that its last commit is synced, so that a process killed
//! after that leaves nothing to recover.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Without a commit for this long the writer is idle; commits of an import come more often.
const IDLE_AFTER: Duration = Duration::from_millis(800);

/// What commits tell the idle marker.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// When the last commit without a mark was made.
    committed: Option<Instant>,
    ended: bool,
}

#[derive(Debug, PartialEq)]
enum Next {
    Wait,
    WaitFor(Duration),
    Mark,
    End,
}

impl State {
    fn next(self, now: Instant) -> Next {
        match self.committed {
            _ if self.ended => Next::End,
            None => Next::Wait,
            Some(at) => match (at + IDLE_AFTER).saturating_duration_since(now) {
                Duration::ZERO => Next::Mark,
                left => Next::WaitFor(left),
            },
        }
    }
}

impl Idle {
    /// Notes that a commit was made.
    pub(crate) fn committed(&self) {
        let mut state = self.state();
        let first = state.committed.replace(Instant::now()).is_none();
        drop(state);
        if first {
            self.changed.notify_all();
        }
    }

    /// Ends all waiting.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// Waits until a mark is due (`true`), or until there will be none any more (`false`).
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.state();
        loop {
            state = match state.next(Instant::now()) {
                Next::End => return false,
                Next::Mark => {
                    state.committed = None;
                    return true;
                }
                Next::Wait => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Next::WaitFor(time) => self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_a_mark_is_due_within_a_second_of_the_last_commit_and_once() {
        let now = Instant::now();
        let mut state = State::default();
        assert_eq!(state.next(now), Next::Wait);
        state.committed = Some(now);
        assert_eq!(state.next(now), Next::WaitFor(IDLE_AFTER));
        assert_eq!(state.next(now + IDLE_AFTER), Next::Mark);
        assert!(IDLE_AFTER < Duration::from_secs(1));
        state.ended = true;
        assert_eq!(state.next(now), Next::End);
    }

    #[test]
    fn who_waits_is_woken_by_a_commit_and_by_the_end() {
        let idle = Idle::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| (idle.wait(), idle.wait()));
            idle.committed();
            while idle.state().committed.is_some() {
                std::thread::yield_now();
            }
            idle.end();
            assert_eq!(waiting.join().unwrap(), (true, false));
        });
    }
}
