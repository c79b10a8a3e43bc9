//! `import --failed DIR`: what could not be archived of a source, each piece in a file, with the reason beside it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive_core::Archive;

use crate::failure::Failure;
use crate::out::escape;
use crate::place;

/// The folder, and the piece being written.
pub struct Failed {
    dir: PathBuf,
    count: u64,
    piece: Option<(fs::File, PathBuf)>,
}

impl Failed {
    /// Creates the folder if it is missing. It must not be inside the archive.
    pub fn new(dir: &Path, archive: &Archive) -> Result<Self, Failure> {
        place::outside(dir, archive)?;
        place::make_private_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), count: 0, piece: None })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes bytes that belong to no mail, before the reason is known.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let (file, path) = match &mut self.piece {
            Some(piece) => piece,
            None => {
                let path = self.next("bytes");
                let file = place::new_private(&path)?;
                self.piece.insert((file, path))
            }
        };
        file.write_all(bytes).map_err(Failure::file("write", path))
    }

    /// Writes why these bytes, or what cannot be read at all, were not archived.
    pub fn reason(&mut self, source: &str, offset: u64, reason: &str) -> Result<(), Failure> {
        let path = match self.piece.take() {
            Some((file, path)) => {
                file.sync_all().map_err(Failure::file("sync", &path))?;
                path.with_extension("reason")
            }
            None => self.next("reason"),
        };
        let (source, reason) = (escape::line(source), escape::line(reason));
        place::write_private(&path, &format!("source: {source}\noffset: {offset}\nreason: {reason}\n"))
    }

    /// The path of the next free number.
    fn next(&mut self, ending: &str) -> PathBuf {
        loop {
            self.count += 1;
            let path = self.dir.join(format!("{:06}.{ending}", self.count));
            if !path.with_extension("bytes").exists() && !path.with_extension("reason").exists() {
                return path;
            }
        }
    }
}
