//! Very bytes of a mail: all of it, its header, a part. They pass to a file or to standard output as they come.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive_core::{Acting, Error, MessageId};

use super::{Pieces, stream};
use crate::args::Show;
use crate::failure::{Exit, Failure};
use crate::out::{Out, escape, when};

/// So much of a header is shown.
const MOST_HEADER: usize = 1 << 20;

/// Hands what `read` gives to the place that was asked for.
pub fn give(args: &Show, out: &mut Out, read: impl FnOnce(&mut Pieces<'_>) -> Result<(), Error>) -> Result<Exit, Failure> {
    let output = args.output.as_deref();
    // A file is made when there is something to be written, not for a mail or part that is not there.
    let mut sink = Sink::Waiting(output, out);
    match stream(read, &mut |bytes| sink.write(bytes)) {
        Ok(()) => sink.finish().map(|()| Exit::Done),
        Err(failure) => {
            sink.give_up();
            Err(failure)
        }
    }
}

/// The header as it is: into a file all of it, for a reader as much as can be read.
pub fn headers(acting: &Acting<'_>, id: MessageId, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    if args.output.is_some() {
        return give(args, out, |sink| acting.read_header(id, sink));
    }
    let (mut header, mut left_out) = (Vec::new(), 0);
    acting.read_header(id, &mut |bytes| {
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

/// Takes bytes for a file, or for standard output where that is no terminal or was asked for.
enum Sink<'a> {
    /// Nothing has come yet.
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
                let file = fs::File::create_new(path).map_err(Failure::file("make the file", path))?;
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

    /// Half a file is none.
    fn give_up(self) {
        if let Self::File(file, path) = self {
            drop(file);
            let _left = fs::remove_file(path);
        }
    }
}
