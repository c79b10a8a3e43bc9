//! What all handles of an archive share: the open archive, until one of them closes it. Each call enters here, so that
//! closing waits for those under way and refuses later ones.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Opened, locked};
use crate::error::Error;

pub(super) struct Gate {
    /// The process that opened the archive. A fork copies neither threads nor the right to the locks.
    process: u32,
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    opened: Option<Arc<Opened>>,
    /// Calls under way.
    calls: usize,
}

/// A call under way. The archive stays open until it ends.
pub(super) struct Call<'g> {
    /// The first field, to be dropped first: who closes the archive is its only owner when no call is left.
    opened: Arc<Opened>,
    _leave: Leave<'g>,
    _within: Within,
}

impl Deref for Call<'_> {
    type Target = Opened;

    fn deref(&self) -> &Opened {
        &self.opened
    }
}

struct Leave<'g>(&'g Gate);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = locked(&self.0.state);
        state.calls = state.calls.saturating_sub(1);
        if state.calls == 0 {
            self.0.left.notify_all();
        }
    }
}

thread_local! {
    /// How many calls this thread is in, or works for.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// While it lives, this thread counts as being inside a call: closing, which waits for calls, would wait for itself.
pub(super) struct Within(PhantomData<*const ()>);

impl Within {
    pub(super) fn note() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self(PhantomData)
    }

    /// How many calls this thread is in.
    pub(super) fn depth() -> usize {
        DEPTH.get()
    }

    pub(super) fn is_noted() -> bool {
        DEPTH.get() > 0
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

impl Gate {
    pub(super) fn new(opened: Opened) -> Self {
        let state = State { opened: Some(Arc::new(opened)), calls: 0 };
        Self { process: std::process::id(), state: Mutex::new(state), left: Condvar::new() }
    }

    /// Begins a call.
    pub(super) fn enter(&self) -> Result<Call<'_>, Error> {
        let mut state = self.state()?;
        let opened = Arc::clone(state.opened.as_ref().ok_or(Error::Closed)?);
        state.calls += 1;
        Ok(Call { opened, _leave: Leave(self), _within: Within::note() })
    }

    /// Puts `opened` in the place of the archive. Calls under way keep the one that they entered.
    pub(super) fn replace(&self, opened: Opened) -> Result<(), Error> {
        let mut state = self.state()?;
        let old = state.opened.as_mut().ok_or(Error::Closed).map(|old| std::mem::replace(old, Arc::new(opened)))?;
        drop(state);
        drop(old);
        Ok(())
    }

    /// Takes the archive out, once all calls have ended.
    pub(super) fn shut(&self) -> Result<Opened, Error> {
        let mut state = self.state()?;
        if Within::is_noted() {
            return Err(Error::misuse("an archive cannot be closed by a function that a call runs", "close it after the call"));
        }
        let opened = state.opened.take().ok_or(Error::Closed)?;
        while state.calls > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        Arc::into_inner(opened).ok_or(Error::Bug("an archive outlives its calls"))
    }

    /// In a child of the process, another thread may have held the mutex at the fork, so it is not touched there.
    fn state(&self) -> Result<MutexGuard<'_, State>, Error> {
        if self.is_forked() { Err(Error::Forked) } else { Ok(locked(&self.state)) }
    }

    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if self.is_forked() {
            // The threads that dropping would join are not there, and the locks are those of the parent.
            std::mem::forget(self.state.get_mut().unwrap_or_else(PoisonError::into_inner).opened.take());
        }
    }
}
