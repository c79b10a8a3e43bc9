//! The exact bytes of a mail: all of it, its header, or a part. They go to a file or to standard output as they are
//! read.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive_core::{Error, MessageId, Session};

use super::{Pieces, stream};
use crate::args::Show;
use crate::failure::{Exit, Failure};
use crate::out::{Out, escape, when};

/// The most of a header that is shown.
const MOST_HEADER: usize = 1 << 20;

/// Writes what `read` returns to the requested place.
pub fn give(args: &Show, out: &mut Out, read: impl FnOnce(&mut Pieces<'_>) -> Result<(), Error>) -> Result<Exit, Failure> {
    let output = args.output.as_deref();
    // A file is created once there is something to write, not for a mail or part that does not exist.
    let mut sink = Sink::Waiting(output, out);
    match stream(read, &mut |bytes| sink.write(bytes)) {
        Ok(()) => sink.finish().map(|()| Exit::Done),
        Err(failure) => {
            sink.give_up();
            Err(failure)
        }
    }
}

/// The header as it is: all of it into a file, up to a limit on a terminal.
pub fn headers(session: &Session, id: MessageId, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    if args.output.is_some() {
        return give(args, out, |sink| session.read_header(id, sink));
    }
    let (mut header, mut left_out) = (Vec::new(), 0);
    session.read_header(id, &mut |bytes| {
        let room = MOST_HEADER - header.len();
        header.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        left_out += bytes.len().saturating_sub(room) as u64;
        Ok(())
    })?;
    out.line(escape::text(&String::from_utf8_lossy(&header)).trim_end())?;
    if left_out > 0 {
        let size = when::size(left_out);
        out.note(&format!("{size} of the header left out; `mailkeep show {id} --headers -o FILE` has all of it"))?;
    }
    Ok(Exit::Done)
}

/// Receives bytes for a file, or for standard output if that is not a terminal or was requested.
enum Sink<'a> {
    /// Nothing has arrived yet.
    Waiting(Option<&'a Path>, &'a mut Out),
    Standard(&'a mut Out),
    File(fs::File, PathBuf),
    /// The place could not be opened.
    Closed,
}

impl Sink<'_> {
    fn open(&mut self) -> Result<(), Failure> {
        *self = match std::mem::replace(self, Self::Closed) {
            Self::Waiting(Some(path), _) if path != Path::new("-") => {
                let file = fs::File::create_new(path).map_err(Failure::file("create the file", path))?;
                Self::File(file, path.to_owned())
            }
            Self::Waiting(None, out) if out.is_terminal() => {
                return Err(Failure::Usage(
                    "these bytes may be anything, and standard output is a terminal; give -o FILE, or -o - for here".to_owned(),
                ));
            }
            Self::Waiting(_, out) => Self::Standard(out),
            open => open,
        };
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.open()?;
        match self {
            Self::Standard(out) => out.bytes(bytes),
            Self::File(file, path) => file.write_all(bytes).map_err(Failure::file("write", path)),
            Self::Waiting(..) | Self::Closed => Ok(()),
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.open()?;
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(file, path) => file.sync_all().map_err(Failure::file("sync", &path)),
            Self::Waiting(..) | Self::Closed => Ok(()),
        }
    }

    /// Removes an incomplete file.
    fn give_up(self) {
        if let Self::File(file, path) = self {
            drop(file);
            let _left = fs::remove_file(path);
        }
    }
}
