//! Files that are compressed, or contain other files: gzip, Zstandard, tar, zip. They are read as streams; nothing is
//! unpacked to disk.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use super::file::{self, Role};
use super::item::TroubleKind;
use super::names::{self, FolderPath};
use super::reading::{Place, Reading};
use super::tar_members;
use super::window::Window;

/// How many times over a mailbox may be packed (a `.tar.gz` in a zip is three).
pub const MAX_NESTING: usize = 5;
/// A mailbox does not decompress to more than this many times its packed size, once it is above [`BOMB_SIZE`].
const BOMB_RATIO: u64 = 200;
const BOMB_SIZE: u64 = 1 << 30;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Tar,
    Zip,
}

/// How the file that begins with these bytes is packed. Many documents are zip archives: only files named as such, or
/// the source itself, are opened.
pub(super) fn packing(data: &[u8], place: &Place, depth: usize) -> Option<Packing> {
    if data.starts_with(b"\x1F\x8B\x08") {
        return Some(Packing::Gzip);
    }
    if data.starts_with(b"\x28\xB5\x2F\xFD") {
        return Some(Packing::Zstd);
    }
    if tar_members::begins(data, &place.name) {
        return Some(Packing::Tar);
    }
    let is_source = depth == 0 && place.source.is_empty();
    let zip = data.starts_with(b"PK\x03\x04") || data.starts_with(b"PK\x05\x06");
    (zip && (is_source || names::has_ending(&place.name, b".zip"))).then_some(Packing::Zip)
}

/// Reads the contents of a packed file.
pub(super) fn read(
    packing: Packing,
    role: Role,
    place: &Place,
    mut window: Window<'_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> ControlFlow<()> {
    if depth >= MAX_NESTING {
        reading.trouble(place, 0, TroubleKind::TooDeep);
        return ControlFlow::Continue(());
    }
    let packed = Cell::new(0);
    let far = window.take_far();
    match packing {
        Packing::Gzip => {
            let decoder = flate2::read::MultiGzDecoder::new(Counting { reader: &mut window, count: &packed });
            let mut guard = Guard { reader: decoder, packed: &packed, out: &Cell::new(0) };
            file::read(&mut guard, None, role, &unpacked(place), depth + 1, reading)
        }
        Packing::Zstd => match zstd::stream::read::Decoder::new(Counting { reader: &mut window, count: &packed }) {
            Ok(decoder) => {
                let mut guard = Guard { reader: decoder, packed: &packed, out: &Cell::new(0) };
                file::read(&mut guard, None, role, &unpacked(place), depth + 1, reading)
            }
            Err(error) => unreadable(place, 0, &error, reading),
        },
        Packing::Tar => tar_members::read(place, &mut window, depth, reading),
        Packing::Zip => match far {
            Some(file) => read_zip(place, file, window.data().len() as u64, depth, reading),
            None => read_zip_stream(place, &mut window, &packed, depth, reading),
        },
    }
}

fn unreadable(place: &Place, offset: u64, error: &dyn std::fmt::Display, reading: &mut Reading<'_>) -> ControlFlow<()> {
    reading.trouble(place, offset, TroubleKind::Unreadable(error.to_string()));
    ControlFlow::Continue(())
}

/// The place of a file after its compression.
fn unpacked(place: &Place) -> Place {
    let mut inner = place.clone();
    if names::has_ending(&place.name, b".tgz") || names::has_ending(&place.name, b".tzst") {
        inner.name = [names::without_packing(&place.name).unwrap_or(&place.name), b".tar"].concat();
    } else if let Some(bare) = names::without_packing(&place.name) {
        inner.name = bare.to_vec();
    }
    inner
}

/// Reads a zip archive by its directory; `counted` of its bytes were counted as read already.
fn read_zip(place: &Place, file: File, mut counted: u64, depth: usize, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let base = place.as_mailbox();
    let packed = Cell::new(file.metadata().map_or(0, |data| data.len()));
    let out = Cell::new(0);
    let listed = file.try_clone();
    let mut archive = match zip::ZipArchive::new(BufReader::new(file)) {
        Ok(archive) => archive,
        Err(error) => return unreadable(place, 0, &format!("{error}; repair it with `zip -FF`, or unpack what can be unpacked"), reading),
    };
    // Of members with the same name, only the last can be read.
    let hidden = listed.map_or(0, |file| directory_len(file, archive.central_directory_start())).saturating_sub(archive.len());
    if hidden > 0 {
        let why = format!(
            "{hidden} of its members cannot be asked for by their names, which others have too; unpack them apart and read the folder"
        );
        reading.trouble(place, 0, TroubleKind::Unreadable(why));
    }
    for number in 0..archive.len() {
        let name = archive.name_for_index(number).and_then(Result::ok).unwrap_or_default().into_owned();
        match archive.by_index(number) {
            Ok(entry) if !entry.is_file() => {}
            Ok(entry) => {
                let name = member_name(&entry);
                reading.count(entry.compressed_size().saturating_sub(counted));
                counted = counted.saturating_sub(entry.compressed_size());
                let mut guard = Guard { reader: entry, packed: &packed, out: &out };
                member(&base, &name, &mut guard, depth, reading)?;
            }
            Err(error) => {
                reading.trouble(&base.below(name.as_bytes()), 0, TroubleKind::Unreadable(error.to_string()));
            }
        }
    }
    ControlFlow::Continue(())
}

/// Members in the directory of a zip archive, which begins at `start` (APPNOTE 4.3.12).
fn directory_len(mut file: File, start: u64) -> usize {
    let mut directory = match file.seek(SeekFrom::Start(start)) {
        Ok(_) => BufReader::new(file),
        Err(_) => return 0,
    };
    let mut members = 0;
    let mut head = [0; 46];
    while directory.read_exact(&mut head).is_ok() && head.starts_with(b"PK\x01\x02") {
        let len = |at: usize| i64::from(u16::from_le_bytes([head[at], head[at + 1]]));
        if directory.seek_relative(len(28) + len(30) + len(32)).is_err() {
            break;
        }
        members += 1;
    }
    members
}

/// Reads a zip archive whose end is out of reach, by the headers before its members.
fn read_zip_stream(place: &Place, window: &mut Window<'_>, packed: &Cell<u64>, depth: usize, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let base = place.as_mailbox();
    let out = Cell::new(0);
    loop {
        let mut reader = Counting { reader: &mut *window, count: packed };
        match zip::read::read_zipfile_from_stream(&mut reader) {
            Ok(Some(entry)) if !entry.is_file() => {}
            Ok(Some(entry)) => {
                let name = member_name(&entry);
                let mut guard = Guard { reader: entry, packed, out: &out };
                member(&base, &name, &mut guard, depth, reading)?;
            }
            Ok(None) => return ControlFlow::Continue(()),
            Err(error) => return unreadable(place, packed.get(), &error, reading),
        }
    }
}

/// The name of a member of a zip archive: UTF-8 if the archive says so (by its flag, or in the field 0x7075 of
/// Info-ZIP, with which the library replaces the name) or if it is valid UTF-8; else CP437 (APPNOTE, appendix D).
fn member_name<R: Read>(entry: &zip::read::ZipFile<'_, R>) -> Vec<u8> {
    let raw = entry.name_raw();
    let read = if std::str::from_utf8(raw).is_ok() { None } else { entry.name().ok() };
    read.map_or_else(|| raw.to_vec(), |name| name.into_owned().into_bytes())
}

/// Reads a member of an archive; its folder comes from its path.
pub(super) fn member(base: &Place, path: &[u8], reader: &mut dyn Read, depth: usize, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let separator = |byte: &u8| *byte == b'/' || *byte == b'\\';
    let parts: Vec<&[u8]> = path.split(separator).filter(|part| !matches!(*part, b"" | b"." | b"..")).collect();
    let Some((name, mut above)) = parts.split_last() else { return ControlFlow::Continue(()) };
    let mut place = base.far_below(&parts);
    if names::is_companion(name, above.last().copied().unwrap_or_default()) || above.contains(&&b"__MACOSX"[..]) {
        return ControlFlow::Continue(());
    }
    let mut role = Role::Any;
    match above.split_last() {
        Some((&(b"cur" | b"new"), rest)) => (role, above) = (Role::Maildir, rest),
        // Not delivered yet.
        Some((&b"tmp", _)) if names::maildir_date(name).is_some() => return ControlFlow::Continue(()),
        _ => {}
    }
    let mut folders = FolderPath { folder: base.folder.clone(), apple: false };
    for (number, part) in above.iter().enumerate() {
        folders.enter(part, role == Role::Maildir && number + 1 == above.len());
    }
    place.folder = folders.folder;
    place.own_folder = !(folders.apple && *name == b"mbox");
    file::read(reader, None, role, &place, depth + 1, reading)
}

/// Counts what is read from the packed side.
struct Counting<'c, R> {
    reader: R,
    count: &'c Cell<u64>,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.reader.read(out)?;
        self.count.set(self.count.get() + len as u64);
        Ok(len)
    }
}

/// Stops data that decompresses to more than any mailbox does.
struct Guard<'c, R> {
    reader: R,
    packed: &'c Cell<u64>,
    out: &'c Cell<u64>,
}

impl<R: Read> Read for Guard<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.reader.read(out)?;
        self.out.set(self.out.get() + len as u64);
        if self.out.get() > BOMB_SIZE && self.out.get() / BOMB_RATIO > self.packed.get() {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
        Ok(len)
    }
}
