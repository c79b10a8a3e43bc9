//! Standard input, read by a separate thread, so that waiting for it can be stopped.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use archive_core::{Error, Progress};

/// Bytes read at a time; a few pieces of this size wait.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;
/// How often cancellation is looked for while nothing arrives.
const LOOK: Duration = Duration::from_millis(100);

/// Standard input, which ends with an error if it is cancelled and nothing more arrives.
pub struct Input {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    progress: Progress,
}

impl Input {
    /// Starts reading.
    pub fn standard(progress: &Progress) -> Result<Self, Error> {
        let (sender, pieces) = sync_channel(WAITING);
        let work = move || {
            let mut input = io::stdin().lock();
            loop {
                let mut piece = vec![0; PIECE];
                let read = input.read(&mut piece);
                let is_last = !matches!(read, Ok(len) if len > 0);
                let read = read.map(|len| {
                    piece.truncate(len);
                    piece
                });
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        };
        std::thread::Builder::new().spawn(work).map_err(|error| Error::NoThread { source: error.into() })?;
        Ok(Self { pieces, piece: Vec::new(), at: 0, progress: progress.clone() })
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.pieces.recv_timeout(LOOK) {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvTimeoutError::Timeout) if self.progress.is_cancelled() => return Err(io::Error::other("stopped")),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            if self.piece.is_empty() {
                return Ok(0);
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let len = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        self.at += len;
        Ok(len)
    }
}
