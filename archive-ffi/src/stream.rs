//! Mails and parts as streams that the caller reads piece by piece.
//!
//! The library passes bytes on as it reads them. Up to 16 MiB are held in memory; of more, a thread reads and waits for
//! the caller. It counts as a call under way, so closing an archive ends its streams first.

use std::any::Any;
use std::ffi::c_void;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

use archive_core::{Error, MessageId, Session};

use crate::argument::{id_of, mk_message_id, out};
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object};
use crate::session::{mk_session, with_archive};
use crate::status::{MK_BAD_ARGUMENT, MK_BUSY, MK_END, MK_OK, mk_status};

/// The bytes of a mail or part, read piece by piece. Opaque.
pub struct mk_stream(());

/// The bytes of the mail itself, not of a part.
pub const MK_WHOLE_MAIL: u32 = 0xffff_ffff;

/// What is held in memory.
const IN_MEMORY: u64 = 16 << 20;
/// Pieces that wait for the caller.
const AHEAD: usize = 4;

pub(crate) struct StreamObject(Mutex<Reading>);

impl Object for StreamObject {
    type Handle = mk_stream;
    const KIND: Kind = Kind::Stream;
}

struct Reading {
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

impl Reading {
    fn fill(&mut self) -> Result<(), Fault> {
        while self.at >= self.piece.len() {
            let (pieces, thread) = match &mut self.rest {
                Rest::Ended => return Ok(()),
                Rest::Failed(error) => return Err(error.clone().into()),
                Rest::Thread { pieces, thread } => (pieces, thread),
            };
            match pieces.recv() {
                Ok(Ok(piece)) => (self.piece, self.at) = (piece, 0),
                Ok(Err(error)) => self.rest = Rest::Failed(error),
                // A thread that panicked sends nothing either, and a cut mail must not look like a whole one.
                Err(_) => match thread.take().map(JoinHandle::join) {
                    Some(Err(_)) => self.rest = Rest::Failed(Error::Bug("reading a mail panicked")),
                    _ => self.rest = Rest::Ended,
                },
            }
        }
        Ok(())
    }
}

/// Passes the bytes of a mail or part to `sink`.
fn read(session: &Session, id: MessageId, part: u32, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    match part {
        MK_WHOLE_MAIL => session.read(id, sink),
        part => session.read_part(id, part, 0, sink),
    }
}

fn begin(session: Session, id: MessageId, part: u32) -> Result<Reading, Error> {
    let size = match part {
        MK_WHOLE_MAIL => session.message(id)?.size,
        part => session.parts(id)?.part(part).ok_or(Error::NoSuchPart { message: id, part })?.size,
    };
    if size <= IN_MEMORY {
        let mut piece = Vec::with_capacity(size as usize);
        read(&session, id, part, &mut |bytes| {
            piece.extend_from_slice(bytes);
            Ok(())
        })?;
        return Ok(Reading { piece, at: 0, rest: Rest::Ended });
    }
    let (sender, pieces) = sync_channel(AHEAD);
    let work = move || feed(&session, id, part, &sender);
    let thread = std::thread::Builder::new().name("mailkeep-stream".to_owned()).spawn(work);
    let thread = thread.map_err(|source| Error::NoThread { source: source.into() })?;
    Ok(Reading { piece: Vec::new(), at: 0, rest: Rest::Thread { pieces, thread: Some(thread) } })
}

fn feed(session: &Session, id: MessageId, part: u32, sender: &SyncSender<Result<Vec<u8>, Error>>) {
    let done = read(session, id, part, &mut |bytes| sender.send(Ok(bytes.to_owned())).map_err(|_| Error::Stopped));
    if let Err(error) = done {
        // Nobody receives it if the stream was freed.
        let _freed = sender.send(Err(error));
    }
}

/// Opens the bytes of a mail, or of one of its parts, as a stream. `part` is `MK_WHOLE_MAIL`, or the number of a part that
/// has bytes, which come decoded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_stream_open(
    stream: *mut *mut mk_stream,
    of: *const mk_session,
    id: mk_message_id,
    part: u32,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a pointer.
        let place = unsafe { out(stream) }?;
        let (session, archive) = with_archive(of)?;
        let reading = begin(session, id_of(id), part)?;
        place.write(handle::put(Arc::new(StreamObject(Mutex::new(reading))), archive)?);
        Ok(MK_OK)
    })
}

/// Reads at most `length` bytes into `data`; `read` gets how many. `MK_END` at the end. If it fails, what came before must
/// not be used: the mail is damaged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_stream_read(
    read: *mut usize,
    of: *const mk_stream,
    data: *mut c_void,
    length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a number.
        let place = unsafe { out(read) }?;
        if data.is_null() || length == 0 {
            return Err(Fault::new(MK_BAD_ARGUMENT, "the buffer is NULL or has no bytes"));
        }
        let object = handle::get::<StreamObject>(of)?;
        let mut reading = match object.0.try_lock() {
            Ok(reading) => reading,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Fault::new(MK_BUSY, "another call reads from this stream")),
        };
        reading.fill()?;
        let rest = reading.piece.get(reading.at..).unwrap_or_default();
        let taken = rest.len().min(length);
        if taken == 0 {
            return Ok(MK_END);
        }
        // SAFETY: C passes a buffer of `length` bytes, and the piece is not in it.
        unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), data.cast(), taken) };
        reading.at += taken;
        place.write(taken);
        Ok(MK_OK)
    })
}

/// Frees a stream, read or not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_stream_free(stream: *mut mk_stream) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<StreamObject>(stream)?);
        Ok(MK_OK)
    })
}

/// Ends the streams of an archive that is about to be closed, also those that another thread reads from.
pub(crate) fn end_all(children: &[Arc<dyn Any + Send + Sync>]) {
    for stream in children.iter().filter_map(|child| Arc::clone(child).downcast::<StreamObject>().ok()) {
        let mut reading = stream.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(reading.rest, Rest::Thread { .. }) {
            reading.rest = Rest::Failed(Error::Closed);
        }
    }
}
