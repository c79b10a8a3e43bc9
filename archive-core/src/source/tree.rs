//! Folders of files: Maildir and Maildir++, MH, the trees of Thunderbird and Apple Mail, and any other.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::file::{self, Role};
use super::header;
use super::item::{Format, TroubleKind};
use super::names::{self, FolderPath};
use super::reading::{Place, Reading};

/// Bytes of a numbered file that are examined.
const PEEK: u64 = 8 << 10;

/// A folder that is read.
struct Folder {
    path: PathBuf,
    place: Place,
    folders: FolderPath,
    /// It is `cur` or `new` of a Maildir.
    role: Role,
    /// Its name says that it is a mailbox of Apple Mail.
    apple_mailbox: bool,
}

/// A folder that waits to be read. It takes hardly more memory than its name, since one folder may contain a hundred
/// thousand.
struct Waiting {
    above: Rc<Folder>,
    name: OsString,
    role: Role,
}

impl Waiting {
    fn begin(self) -> Folder {
        let Self { above, name, role } = self;
        let (path, bytes) = (above.path.join(&name), name.as_encoded_bytes());
        let mut folders = above.folders.clone();
        if role != Role::Maildir {
            folders.enter(bytes, path.join("cur").is_dir());
        }
        Folder { place: above.place.below(bytes), folders, role, apple_mailbox: names::has_ending(bytes, b".mbox"), path }
    }
}

/// The contents of a folder, in order.
struct Listing {
    files: Vec<OsString>,
    folders: Vec<OsString>,
}

/// Reads all mail below a folder: for each folder first its files, then the folders in it, those of a Maildir before
/// its subfolders. Only the paths that the system accepts limit the depth; links to folders are not followed.
pub(super) fn read(path: &Path, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let apple = path.file_name().is_some_and(|name| names::has_ending(name.as_encoded_bytes(), b".mbox"));
    let folders = FolderPath { apple, ..FolderPath::default() };
    let mut waiting = Vec::new();
    let mut next = Some(Folder { path: path.to_owned(), place: Place::default(), folders, role: Role::Any, apple_mailbox: apple });
    while let Some(folder) = next {
        if let Some(listing) = list(&folder, reading) {
            read_files(&folder, &listing, reading)?;
            inner(Rc::new(folder), listing, &mut waiting);
        }
        next = waiting.pop().map(Waiting::begin);
    }
    ControlFlow::Continue(())
}

fn list(folder: &Folder, reading: &mut Reading<'_>) -> Option<Listing> {
    let entries = match fs::read_dir(&folder.path) {
        Ok(entries) => entries,
        Err(error) => {
            reading.trouble(&folder.place, 0, TroubleKind::Unreadable(error.to_string()));
            return None;
        }
    };
    let mut listing = Listing { files: Vec::new(), folders: Vec::new() };
    for entry in entries {
        let entry = match entry.and_then(|entry| entry.file_type().map(|kind| (entry.file_name(), kind))) {
            Ok(entry) => entry,
            Err(error) => {
                reading.trouble(&folder.place, 0, TroubleKind::Unreadable(error.to_string()));
                continue;
            }
        };
        match entry {
            (name, kind) if kind.is_dir() => listing.folders.push(name),
            (name, _) => listing.files.push(name),
        }
    }
    for names in [&mut listing.files, &mut listing.folders] {
        names.sort_by(|one, other| names::order(one.as_encoded_bytes()).cmp(&names::order(other.as_encoded_bytes())));
    }
    Some(listing)
}

impl Listing {
    fn is_maildir(&self) -> bool {
        let has = |name: &str| self.folders.iter().any(|folder| folder == name);
        has("cur") && (has("new") || has("tmp"))
    }
}

/// Reads the files of a folder.
fn read_files(folder: &Folder, listing: &Listing, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let sequences = reading.options.format == Some(Format::Mh) || listing.files.iter().any(|name| name == ".mh_sequences");
    let numbered = !sequences && folder.role == Role::Any && is_numbered_mail(folder, &listing.files);
    if listing.is_maildir() || sequences || numbered || folder.apple_mailbox {
        reading.folder(folder.folders.folder.names());
    }
    for name in &listing.files {
        let bytes = name.as_encoded_bytes();
        let hidden_in_maildir = folder.role == Role::Maildir && bytes.starts_with(b".");
        if names::is_companion(bytes, &folder.place.name) || hidden_in_maildir {
            continue;
        }
        let mut place = folder.place.below(bytes);
        place.folder.clone_from(&folder.folders.folder);
        place.own_folder = !(folder.apple_mailbox && name == "mbox");
        let role = match folder.role {
            Role::Any if sequences && names::is_mh_mail(bytes) => Role::Mh,
            Role::Any if numbered && names::is_mh_mail(bytes) => Role::Numbered,
            role => role,
        };
        read_file(&folder.path.join(name), role, &place, reading)?;
    }
    ControlFlow::Continue(())
}

/// Adds the subfolders that are to be read to those that wait, the last one first.
fn inner(above: Rc<Folder>, listing: Listing, waiting: &mut Vec<Waiting>) {
    let maildir = listing.is_maildir();
    let first = waiting.len();
    for name in listing.folders {
        // Mail in `tmp` is not delivered; attachments of Apple Mail are not mails.
        if (maildir && name == "tmp") || (above.folders.apple && name == "Attachments") {
            continue;
        }
        let role = if maildir && (name == "cur" || name == "new") { Role::Maildir } else { Role::Any };
        waiting.push(Waiting { above: Rc::clone(&above), name, role });
    }
    if let Some(inner) = waiting.get_mut(first..) {
        inner.sort_by_key(|next| next.role != Role::Maildir);
        inner.reverse();
    }
}

/// Bytes of all files at or below a path, as far as they can be listed: what `progress` counts up to.
pub(super) fn size(path: &Path) -> u64 {
    let mut sum = 0;
    let mut waiting = vec![path.to_owned()];
    while let Some(next) = waiting.pop() {
        let Ok(data) = fs::metadata(&next) else { continue };
        if !data.is_dir() {
            sum += data.len();
            continue;
        }
        let entries = fs::read_dir(&next).into_iter().flatten().flatten();
        waiting.extend(entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink())).map(|entry| entry.path()));
    }
    sum
}

/// Whether all files of a folder have numbers for names, and one of the first looks like a mail: an MH folder without
/// `.mh_sequences`.
fn is_numbered_mail(folder: &Folder, files: &[OsString]) -> bool {
    let is_beside = |name: &[u8]| names::is_companion(name, &folder.place.name) || names::is_deleted_number(name);
    let mut names = files.iter().filter(|name| !is_beside(name.as_encoded_bytes()));
    if !names.clone().all(|name| names::is_number(name.as_encoded_bytes())) {
        return false;
    }
    names.by_ref().take(8).any(|name| {
        let path = folder.path.join(name);
        let mut start = Vec::new();
        let is_file = fs::metadata(&path).is_ok_and(|data| data.is_file());
        let mut read = || File::open(&path)?.take(PEEK).read_to_end(&mut start);
        is_file && read().is_ok() && header::looks_like_mail(&start)
    })
}

/// Reads a file of the file system.
pub(super) fn read_file(path: &Path, role: Role, place: &Place, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let trouble = |kind, reading: &mut Reading<'_>| {
        reading.trouble(place, 0, kind);
        ControlFlow::Continue(())
    };
    // Following links: a link to a file is read as the file. Opening a pipe could block forever.
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => return trouble(TroubleKind::LinkNotFollowed, reading),
        Ok(data) if !data.is_file() => return trouble(TroubleKind::Skipped, reading),
        Ok(_) => {}
        Err(error) => return trouble(TroubleKind::Unreadable(error.to_string()), reading),
    }
    match File::open(path) {
        Ok(file) => read_open(file, path, role, place, reading),
        Err(error) => trouble(TroubleKind::Unreadable(error.to_string()), reading),
    }
}

/// Reads a file that was opened; it must be the same at the end as at the beginning.
pub(super) fn read_open(file: File, path: &Path, role: Role, place: &Place, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let Some(begun) = State::of(file.metadata()) else {
        return file::read(&mut reading.counted(file), None, role, place, 0, reading);
    };
    file::read(&mut reading.counted(&file), File::open(path).ok(), role, place, 0, reading)?;
    // By now its path may lead to another file, or to none if a Maildir renamed it.
    let same = State::of(file.metadata()).is_some_and(|now| now == begun) && State::of(fs::metadata(path)).is_none_or(|now| now == begun);
    if !same {
        reading.trouble(place, 0, TroubleKind::Changed);
    }
    ControlFlow::Continue(())
}

/// What shows that a file was written.
#[derive(PartialEq)]
struct State {
    len: u64,
    modified: Option<SystemTime>,
}

impl State {
    /// The state of a file; `None` for anything else.
    fn of(data: std::io::Result<fs::Metadata>) -> Option<Self> {
        let data = data.ok().filter(fs::Metadata::is_file)?;
        Some(Self { len: data.len(), modified: data.modified().ok() })
    }
}
