//! The same on Windows, where directories have no locks, no modes and no syncs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a link itself is opened, and recognised as one.
const THE_LINK_ITSELF: u32 = 0x0020_0000;

pub(super) fn no_follow(options: &mut OpenOptions) {
    options.custom_flags(THE_LINK_ITSELF);
}

pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Makes a second name, which fails if it exists, and removes the first.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

pub(super) fn open_dir(_dir: &Path) -> io::Result<File> {
    Err(ErrorKind::Unsupported.into())
}

pub(super) fn without_folder_locks(error: io::Error) -> io::Error {
    error
}

/// The standard library does not provide this.
pub(super) fn links(_file: &File) -> io::Result<u64> {
    Ok(1)
}

/// The standard library does not identify the file of a name, so only its removal is detected.
pub(super) fn stands_for(path: &Path, _file: &File, _is_dir: bool) -> io::Result<bool> {
    fs::exists(path)
}

pub(super) fn fill_at(file: &File, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        match file.seek_read(buf, offset) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buf = buf.split_at_mut(n).1;
                offset += n as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.seek_write(bytes, offset) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => {
                bytes = bytes.split_at(n).1;
                offset += n as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Directories cannot be synced there; the file system keeps a journal of names.
pub(super) fn sync_names(dir: &Path) -> io::Result<()> {
    if fs::metadata(dir)?.is_dir() { Ok(()) } else { Err(ErrorKind::NotADirectory.into()) }
}
