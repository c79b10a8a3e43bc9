//! Restores the exact bytes of a mail from what [`split`](super::split) made of it.

use std::io::{self, Read, Write};

use super::split::{Extent, Split, Wrap};

/// Why a content could not be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Stored bytes or a part could not be read.
    #[error("cannot read what the content is joined from")]
    Read(#[source] io::Error),
    /// What was joined could not be written.
    #[error("cannot write the joined content")]
    Write(#[source] io::Error),
    /// There are fewer bytes than an extent claims.
    #[error("a piece of the content ends {missing} bytes early")]
    Short {
        /// Bytes that are missing.
        missing: u64,
    },
    /// There are fewer parts than the extents name.
    #[error("part {at} of the content is not there")]
    NoPart {
        /// Which one, from 0.
        at: usize,
    },
    /// No base64 text has such a form.
    #[error("base64 lines of {line_len} characters")]
    LineLen {
        /// Characters of a line.
        line_len: u16,
    },
}

/// Writes a content extent by extent, with 64 KiB of memory.
#[derive(Debug)]
pub struct Joiner<W> {
    out: W,
    read: Vec<u8>,
    encoded: Vec<u8>,
}

impl<W: Write> Joiner<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, read: Vec::new(), encoded: Vec::new() }
    }

    /// Writes the next extent. `from` gives its stored bytes: for literal and decoded extents the content's stored
    /// body, which is advanced past them, otherwise the part.
    pub fn extent(&mut self, extent: &Extent, from: &mut (impl Read + ?Sized)) -> Result<(), JoinError> {
        match *extent {
            Extent::Literal { len } | Extent::Part { len, wrap: None } => self.copy(len, from),
            Extent::Decoded { len, wrap } | Extent::Part { len, wrap: Some(wrap) } => self.encode(len, wrap, from),
        }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn copy(&mut self, len: u64, from: &mut (impl Read + ?Sized)) -> Result<(), JoinError> {
        let mut left = len;
        while left > 0 {
            self.fill(left.min(WINDOW as u64) as usize, from).map_err(|error| short(error, left))?;
            self.out.write_all(&self.read).map_err(JoinError::Write)?;
            left -= self.read.len() as u64;
        }
        Ok(())
    }

    fn encode(&mut self, len: u64, wrap: Wrap, from: &mut (impl Read + ?Sized)) -> Result<(), JoinError> {
        if !wrap.line_len.is_multiple_of(4) {
            return Err(JoinError::LineLen { line_len: wrap.line_len });
        }
        let line = (usize::from(wrap.line_len) / 4 * 3).max(3);
        let window = WINDOW / line * line;
        let engine = wrap.engine();
        let mut left = len;
        while left > 0 {
            self.fill(left.min(window as u64) as usize, from).map_err(|error| short(error, left))?;
            left -= self.read.len() as u64;
            self.encoded.clear();
            engine.encode_append(&self.read, &mut self.encoded);
            if left == 0 && wrap.line_len > 0 && !wrap.ends_with_eol {
                self.encoded.truncate(self.encoded.len().saturating_sub(wrap.eol.bytes().len()));
            }
            if left == 0 && wrap.line_len == 0 && wrap.ends_with_eol {
                self.encoded.extend_from_slice(wrap.eol.bytes());
            }
            self.out.write_all(&self.encoded).map_err(JoinError::Write)?;
        }
        Ok(())
    }

    fn fill(&mut self, len: usize, from: &mut (impl Read + ?Sized)) -> io::Result<()> {
        self.read.resize(len, 0);
        from.read_exact(&mut self.read)
    }
}

/// At least one line of the longest form.
const WINDOW: usize = 64 << 10;

fn short(error: io::Error, missing: u64) -> JoinError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => JoinError::Short { missing },
        _ => JoinError::Read(error),
    }
}

/// Joins a content in memory.
///
/// # Errors
///
/// If `split` lacks what its extents claim. The result of [`split`](super::split::split) never does.
pub fn join(split: &Split) -> Result<Vec<u8>, JoinError> {
    let mut joiner = Joiner::new(Vec::new());
    let mut stored = split.stored.as_slice();
    let mut parts = split.parts.iter().enumerate();
    let mut next = 0;
    for extent in &split.extents {
        match extent {
            Extent::Literal { .. } | Extent::Decoded { .. } => joiner.extent(extent, &mut stored)?,
            Extent::Part { .. } => {
                let (at, part) = parts.next().ok_or(JoinError::NoPart { at: next })?;
                next = at + 1;
                joiner.extent(extent, &mut part.as_slice())?;
            }
        }
    }
    Ok(joiner.into_inner())
}
