//! The bytes of large mails and parts as streams that the caller reads piece by piece.
//!
//! The library passes bytes on as it reads them, so a thread reads and waits for the caller. It counts as a call under
//! way: closing an archive ends its streams first.

use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use archive_core::{Error, MessageId, Session};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::OrRaise;

/// Pieces that wait for the caller.
const AHEAD: usize = 4;

/// The streams of an archive.
pub(crate) struct Streams {
    process: u32,
    open: Mutex<Open>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { process: std::process::id(), open: Mutex::default() }
    }
}

#[derive(Default)]
struct Open {
    /// The archive is being closed: no stream begins.
    closing: bool,
    streams: Vec<Weak<Reading>>,
}

impl Streams {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, reading: &Arc<Reading>) -> Result<(), Error> {
        let mut open = self.open();
        if open.closing {
            return Err(Error::Closed);
        }
        open.streams.retain(|stream| stream.strong_count() > 0);
        open.streams.push(Arc::downgrade(reading));
        Ok(())
    }

    /// Ends all streams, also those that another thread reads from.
    pub(crate) fn end_all(&self) {
        if self.process != std::process::id() {
            // Neither the threads of streams nor whoever holds the lock are in this process.
            return;
        }
        let mut open = self.open();
        open.closing = true;
        let streams = mem::take(&mut open.streams);
        drop(open);
        streams.iter().filter_map(Weak::upgrade).for_each(|stream| stream.end(Error::Closed));
    }
}

/// A mail or part that is being read.
struct Reading {
    process: u32,
    state: Mutex<State>,
}

struct State {
    piece: Vec<u8>,
    at: usize,
    rest: Rest,
}

enum Rest {
    Ended,
    Failed(Error),
    Thread { pieces: Receiver<Result<Vec<u8>, Error>>, thread: Option<JoinHandle<()>> },
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Self::Thread { pieces, thread } = self {
            // The thread ends when nobody receives.
            *pieces = sync_channel(0).1;
            if let Some(thread) = thread.take() {
                let _panicked = thread.join();
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if self.is_forked() {
            // The thread is not in this process.
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            mem::forget(mem::replace(&mut state.rest, Rest::Ended));
        }
    }
}

impl Reading {
    fn begin(session: Session, id: MessageId, part: Option<u32>) -> Result<Self, Error> {
        let (sender, pieces) = sync_channel(AHEAD);
        let work = move || feed(&session, id, part, &sender);
        let thread = std::thread::Builder::new().name("mailkeep-stream".to_owned()).spawn(work);
        let thread = Some(thread.map_err(|source| Error::NoThread { source: source.into() })?);
        let state = State { piece: Vec::new(), at: 0, rest: Rest::Thread { pieces, thread } };
        Ok(Self { process: std::process::id(), state: Mutex::new(state) })
    }

    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next bytes, at most `most`; none at the end.
    fn read(&self, most: usize) -> Result<Vec<u8>, Error> {
        if self.is_forked() {
            return Err(Error::Forked);
        }
        let mut state = self.state();
        while state.at >= state.piece.len() {
            let next = match &state.rest {
                Rest::Ended => return Ok(Vec::new()),
                Rest::Failed(error) => return Err(error.clone()),
                Rest::Thread { pieces, .. } => pieces.recv(),
            };
            match next {
                Ok(Ok(piece)) => (state.piece, state.at) = (piece, 0),
                Ok(Err(error)) => state.rest = Rest::Failed(error),
                Err(_) => state.rest = Rest::Ended,
            }
        }
        let rest = state.piece.get(state.at..).unwrap_or_default();
        let taken = rest.get(..most.min(rest.len())).unwrap_or_default().to_vec();
        state.at += taken.len();
        Ok(taken)
    }

    /// Later reads fail with this error.
    fn end(&self, error: Error) {
        let mut state = self.state();
        if matches!(state.rest, Rest::Thread { .. }) {
            *state = State { piece: Vec::new(), at: 0, rest: Rest::Failed(error) };
        }
    }
}

/// Passes the bytes of a mail, or of a part of it, to a stream.
fn feed(session: &Session, id: MessageId, part: Option<u32>, sender: &SyncSender<Result<Vec<u8>, Error>>) {
    let sink = &mut |bytes: &[u8]| sender.send(Ok(bytes.to_owned())).map_err(|_| Error::Stopped);
    let read = match part {
        None => session.read(id, sink),
        Some(part) => session.read_part(id, part, 0, sink),
    };
    if let Err(error) = read {
        // Nobody receives it if the stream was closed.
        let _closed = sender.send(Err(error));
    }
}

/// The bytes of a large mail or part, read piece by piece.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct Stream(Arc<Reading>);

impl Stream {
    pub(crate) fn begin(session: &Session, streams: &Streams, id: MessageId, part: Option<u32>) -> Result<Self, Error> {
        let reading = Arc::new(Reading::begin(session.clone(), id, part)?);
        streams.add(&reading)?;
        Ok(Self(reading))
    }
}

#[pymethods]
impl Stream {
    /// The next bytes, at most so many; none at the end.
    #[pyo3(signature = (most, /))]
    fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.0.read(most)).or_raise(py)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn close(&self, py: Python<'_>) {
        if !self.0.is_forked() {
            py.detach(|| self.0.end(Error::Stopped));
        }
    }
}
