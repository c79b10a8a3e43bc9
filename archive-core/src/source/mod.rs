//! Readers of mailboxes: bytes with a place and a date, one mail at a time.
//!
//! Sources belong to other programs, so they are read directly through the system, not through `vfs`. A source is a
//! file or a tree of files; the name and content of each file decide what it is (module `file`). Mails are passed to a
//! [`SourceVisitor`] in a fixed order. Nothing is changed in a source, nothing is written to disk, and memory does not
//! grow with a source: a mail above [`WHOLE_LIMIT`] is streamed. What cannot be read is reported as [`Trouble`], and
//! reading continues. So is a file whose size or modification time changed while it was read.
//!
//! Bytes that are never a mail: [`refused`].
//!
//! How an mbox is split, and when its quoting is undone: module `mbox`.

mod file;
mod from_line;
mod header;
mod item;
mod mbox;
pub mod mbox_quote;
mod names;
mod packed;
mod reading;
mod separator;
mod single;
mod tar_members;
#[cfg(test)]
mod tests;
mod tree;
mod unsupported;
mod utf7;
mod window;

use std::fs;
use std::io::Read;
use std::path::Path;

pub use item::{
    Body, DateHint, DateKind, Format, Item, Quoting, SourceError, SourceOptions, SourceVisitor, Summary, Trouble, TroubleKind, WHOLE_LIMIT,
    refused,
};
pub(crate) use names::PARTIAL_EXPORT;
pub use packed::MAX_NESTING;

use file::Role;
use reading::{Place, Reading};

/// Reads the file or tree at `path`. A tree's mails are in folders according to their paths; those of a single mailbox,
/// mail or Maildir are in none.
///
/// # Errors
///
/// [`SourceError::Open`] if there is nothing at `path` or it cannot be opened. Everything else is reported to the
/// visitor.
pub fn read_path(path: &Path, options: SourceOptions, visitor: &mut dyn SourceVisitor) -> Result<Summary, SourceError> {
    let open = |error| SourceError::Open { path: path.display().to_string(), error };
    let data = fs::metadata(path).map_err(open)?;
    let mut reading = Reading::new(options, visitor);
    if data.is_dir() {
        fs::read_dir(path).map_err(open)?;
        let _ = tree::read(path, &mut reading);
        return Ok(reading.finish());
    }
    let file = fs::File::open(path).map_err(open)?;
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let parent = path.parent().and_then(Path::file_name);
    let role = if parent.is_some_and(|name| name == "cur" || name == "new") { Role::Maildir } else { Role::Any };
    let place = Place { name: name.to_vec(), ..Place::default() };
    let _ = tree::read_open(file, path, role, &place, &mut reading);
    Ok(reading.finish())
}

/// Reads one file from a stream, in bounded memory; `name` is its name, as far as it tells the format, or empty.
pub fn read_stream(reader: impl Read, name: &str, options: SourceOptions, visitor: &mut dyn SourceVisitor) -> Summary {
    let mut reading = Reading::new(options, visitor);
    let place = Place { name: name.as_bytes().to_vec(), ..Place::default() };
    let mut counted = reading.counted(reader);
    let _ = file::read(&mut counted, None, Role::Any, &place, 0, &mut reading);
    reading.finish()
}

/// Bytes of the files of a source, to show progress; what cannot be listed is not counted.
pub fn size(path: &Path) -> u64 {
    tree::size(path)
}

/// The name of the folder for a source imported by itself: the name of the source without the part that says that it is
/// a mailbox.
pub fn folder_name(path: &Path) -> String {
    names::mailbox_name(path.file_name().unwrap_or_default().as_encoded_bytes())
}
