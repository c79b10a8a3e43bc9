//! The attachments of a mail, saved into a folder while the mail is read.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive_core::mail::{Part, PartKind, View};
use archive_core::vfs::{Operation, VfsError};
use archive_core::{Error, MessageId, Session};
use serde_json::json as object;

use crate::failure::{Exit, Failure};
use crate::out::{Out, escape};

pub fn run(session: &Session, id: MessageId, view: &View, dir: &Path, out: &mut Out) -> Result<Exit, Failure> {
    fs::create_dir_all(dir).map_err(Failure::file("create the folder", dir))?;
    // The parts of a nested mail are saved with it.
    let parts = view.parts.iter().filter(|part| part.is_attachment && part.within.is_none() && part.kind != PartKind::Multipart);
    let parts: Vec<&Part> = parts.collect();
    let mut saving = Saving { dir, parts: &parts, file: None, saved: Vec::new() };
    if let Err(failure) = saving.all(session, id) {
        saving.give_up();
        return Err(failure);
    }
    for (part, path) in &saving.saved {
        match out.is_json() {
            true => out.json(&object!({ "event": "saved", "part": part.number, "file": path.display().to_string(), "size": part.size }))?,
            false => out.line(&escape::line(&path.display().to_string()))?,
        }
    }
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "saved": saving.saved.len() }))?,
        false => out.note(&format!("{} saved", saving.saved.len()))?,
    }
    Ok(if view.is_cut { Exit::Wrong } else { Exit::Done })
}

struct Saving<'a> {
    dir: &'a Path,
    parts: &'a [&'a Part],
    /// The file of the last part.
    file: Option<fs::File>,
    saved: Vec<(&'a Part, PathBuf)>,
}

impl Saving<'_> {
    /// Saves one part after the other, in one pass over the mail.
    fn all(&mut self, session: &Session, id: MessageId) -> Result<(), Failure> {
        let numbers: Vec<u32> = self.parts.iter().map(|part| part.number).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let mut failure = None;
        let read = session.read_parts(id, &numbers, &mut |number, bytes| {
            self.take(number, bytes).map_err(|error| {
                failure = Some(error);
                Error::Stopped
            })
        });
        failure.map_or(read.map_err(Failure::from), Err)?;
        self.end()
    }

    fn take(&mut self, number: u32, bytes: &[u8]) -> Result<(), Failure> {
        if self.saved.last().is_none_or(|(part, _)| part.number != number) {
            self.end()?;
            let Some(part) = self.parts.iter().find(|part| part.number == number) else { return Ok(()) };
            let (file, path) = create(self.dir, &part.file_name())?;
            self.file = Some(file);
            self.saved.push((part, path));
        }
        match (&mut self.file, self.saved.last()) {
            (Some(file), Some((_, path))) => file.write_all(bytes).map_err(Failure::file("write", path)),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        match (self.file.take(), self.saved.last()) {
            (Some(file), Some((_, path))) => file.sync_all().map_err(Failure::file("sync", path)),
            _ => Ok(()),
        }
    }

    /// A mail that cannot be read to its end may differ from the archived one: nothing of it stays.
    fn give_up(&mut self) {
        self.file = None;
        for (_, path) in &self.saved {
            let _left = fs::remove_file(path);
        }
    }
}

/// A new file of this name, or with a number before the extension if that name is taken.
fn create(dir: &Path, name: &str) -> Result<(fs::File, PathBuf), Failure> {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    for number in 0..10_000 {
        let path = dir.join(if number == 0 { name.to_owned() } else { format!("{stem} ({number}){ending}") });
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::Archive(VfsError::new(Operation::Create, &path, error).into())),
        }
    }
    Err(Failure::Usage(format!("{}: too many files of this name", dir.join(name).display())))
}
