//! Places: which archive is meant, and the user's folders for configuration and state.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive_core::{Archive, Uuid};

use crate::args::Common;
use crate::failure::Failure;

/// The folder `mailkeep` in the user's configuration.
pub fn config() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = match given("XDG_CONFIG_HOME").filter(|path| path.is_absolute()) {
        Some(base) => Some(base),
        None if cfg!(windows) => given("APPDATA"),
        None if cfg!(target_os = "macos") => given("HOME").map(|home| home.join("Library/Application Support")),
        None => given("HOME").map(|home| home.join(".config")),
    };
    base.map(|base| base.join("mailkeep"))
}

/// The folder `mailkeep` in the user's state: nothing depends on what is noted there.
pub fn state() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = match given("XDG_STATE_HOME").filter(|path| path.is_absolute()) {
        Some(base) => Some(base),
        None if cfg!(windows) => given("LOCALAPPDATA"),
        None if cfg!(target_os = "macos") => given("HOME").map(|home| home.join("Library/Application Support")),
        None => given("HOME").map(|home| home.join(".local/state")),
    };
    base.map(|base| base.join("mailkeep"))
}

/// Bytes that are free for the user on the volume of `dir`, if the system reports it.
#[cfg(unix)]
pub fn free_space(dir: &Path) -> Option<u64> {
    let volume = rustix::fs::statvfs(dir).ok()?;
    Some(volume.f_bavail.saturating_mul(volume.f_frsize))
}

/// The system is not asked.
#[cfg(not(unix))]
pub fn free_space(_dir: &Path) -> Option<u64> {
    None
}

/// The default place of the key file of an archive.
pub fn key_file(archive: Uuid) -> Option<PathBuf> {
    config().map(|config| config.join("keys").join(format!("{archive}.key")))
}

/// What a command writes in the clear must not be inside the archive, or replace a file of it.
pub fn outside(path: &Path, archive: &Archive) -> Result<(), Failure> {
    refuse_inside(path, archive.dir())
}

/// The same for a command that opens no archive: not inside any archive.
pub fn outside_all(common: &Common, path: &Path) -> Result<(), Failure> {
    let around = Archive::leads_to(path).ancestors().map(Path::to_owned).collect::<Vec<_>>();
    around.into_iter().chain(archive(common)).filter(|dir| is_archive(dir)).try_for_each(|dir| refuse_inside(path, &dir))
}

fn refuse_inside(path: &Path, dir: &Path) -> Result<(), Failure> {
    match Archive::lies_in(dir, path) {
        true => Err(Failure::Usage(format!("{}: is inside the archive {}", path.display(), dir.display()))),
        false => Ok(()),
    }
}

fn first_file() -> Option<PathBuf> {
    config().map(|config| config.join("first"))
}

/// Whether there is an archive.
pub fn is_archive(dir: &Path) -> bool {
    dir.join("archive.mk").exists() || dir.join("archive.mk.2").exists()
}

/// The archive that is named by option or environment.
pub fn named(common: &Common) -> Option<PathBuf> {
    let from_environment = || std::env::var_os("MAILKEEP_ARCHIVE").filter(|value| !value.is_empty()).map(PathBuf::from);
    common.archive.clone().or_else(from_environment)
}

/// The archive that is meant.
pub fn archive(common: &Common) -> Result<PathBuf, Failure> {
    if let Some(dir) = named(common) {
        return Ok(dir);
    }
    let here = std::env::current_dir()?;
    if let Some(dir) = here.ancestors().find(|dir| is_archive(dir)) {
        return Ok(dir.to_owned());
    }
    let noted = first_file().and_then(|file| fs::read_to_string(file).ok());
    noted.map(|text| PathBuf::from(text.trim_end_matches('\n'))).ok_or_else(|| {
        Failure::NoArchive(
            "no archive: none was named with -a or MAILKEEP_ARCHIVE, none is this folder or one above it, and `init` has made none yet"
                .to_owned(),
        )
    })
}

/// Notes `dir` as this user's first archive, unless there is one.
pub fn note_first(dir: &Path) -> Result<(), Failure> {
    let Some(file) = first_file() else { return Ok(()) };
    let Some(dir) = fs::canonicalize(dir).ok().and_then(|dir| dir.to_str().map(str::to_owned)) else { return Ok(()) };
    if file.exists() {
        return Ok(());
    }
    make_private_dir(file.parent().unwrap_or(&file))?;
    write_private(&file, &format!("{dir}\n"))
}

/// Creates a folder that only the user may read.
pub fn make_private_dir(dir: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(Failure::file("create the folder", dir))
}

/// Creates a file that only the user may read; an error if the name exists.
pub fn new_private(path: &Path) -> Result<fs::File, Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(Failure::file("create the file", path))
}

/// Writes a new file that only the user may read, synced; an error if the name exists.
pub fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = new_private(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if let Err(source) = written {
        // Half a key is worse than none; a failure to remove it changes nothing.
        let _left = fs::remove_file(path);
        return Err(Failure::File { doing: "write", path: path.to_owned(), source });
    }
    sync_dir(path)
}

/// Makes the name of a new file durable too, if the system has a call for that.
pub fn sync_dir(path: &Path) -> Result<(), Failure> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(Failure::file("sync", dir))?;
    }
    Ok(())
}
