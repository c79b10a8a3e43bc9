//! What only Unix can do, or does differently.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Bits of a mode that say who may read, change and execute.
const ACCESS: u32 = 0o777;
/// Those of them that a file has.
const OF_FILES: u32 = 0o666;

/// A link is not followed, and a pipe in the place of a file does not block.
pub(super) fn no_follow(options: &mut OpenOptions) {
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
}

/// A new file with the mode of its directory.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mode = mode_around(path)? & OF_FILES;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    let file = options.open(path)?;
    // The process's mask removed bits. If they cannot be restored, fewer users have access.
    if file.metadata()?.mode() & ACCESS != mode {
        let _narrower = file.set_permissions(Permissions::from_mode(mode));
    }
    Ok(file)
}

/// A new directory with the mode of its parent.
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    let mode = mode_around(path)? & ACCESS;
    DirBuilder::new().mode(mode).create(path)?;
    let made = fs::symlink_metadata(path)?.mode();
    if made & ACCESS != mode {
        // Other bits than those of access come from the parent directory.
        let _narrower = fs::set_permissions(path, Permissions::from_mode((made & !ACCESS & 0o7777) | mode));
    }
    Ok(())
}

fn mode_around(path: &Path) -> io::Result<u32> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(fs::metadata(dir)?.mode())
}

/// In one step, if the file system has a rename that does not replace; otherwise a second name is made and the first
/// removed. Without second names either, the target is checked first; the lock of the archive keeps other processes
/// away.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    match rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, rustix::fs::RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        renamed => return Ok(renamed?),
    }
    match fs::hard_link(from, to) {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {}
        linked => return linked.and_then(|()| fs::remove_file(from)),
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

pub(super) fn open_dir(dir: &Path) -> io::Result<File> {
    File::open(dir)
}

/// `Unsupported`, if `error` means that the file system has no locks for directories.
pub(super) fn without_folder_locks(error: io::Error) -> io::Error {
    let says_so = [Errno::BADF, Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS, Errno::ISDIR];
    match Errno::from_io_error(&error) {
        Some(errno) if says_so.contains(&errno) => io::Error::new(ErrorKind::Unsupported, error),
        _ => error,
    }
}

pub(super) fn links(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.nlink())
}

/// Whether `path` is a name of `file`. Links are followed if it is a directory.
pub(super) fn stands_for(path: &Path, file: &File, is_dir: bool) -> io::Result<bool> {
    let there = match if is_dir { fs::metadata(path) } else { fs::symlink_metadata(path) } {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    let held = file.metadata()?;
    Ok((there.dev(), there.ino()) == (held.dev(), held.ino()))
}

pub(super) fn fill_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    file.read_exact_at(buf, offset)
}

pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

pub(super) fn sync_names(dir: &Path) -> io::Result<()> {
    let file = File::open(dir)?;
    if !file.metadata()?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    file.sync_all()
}
