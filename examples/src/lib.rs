//! Real tasks done with the library; each example is a separate program below `examples/`.
//!
//! What they share is the opening of an archive: [`open_or_create`].

use std::fs;
use std::path::Path;

use archive_core::{Archive, CreateOptions, Error, Key, OpenOptions, Secret};

/// Opens the archive in `dir` with the key file beside it, `dir.key`; without a key file it creates the archive and writes that file.
///
/// # Errors
///
/// Those of the library, and [`Error::Caller`] where the key file cannot be written.
pub fn open_or_create(dir: &Path) -> Result<Archive, Error> {
    let key_file = dir.with_added_extension("key");
    if let Ok(key) = fs::read_to_string(&key_file) {
        return Archive::open(dir, &Key::File(key.into()), OpenOptions::default());
    }
    let new = Archive::create(dir, CreateOptions::new("anna"))?;
    // A real program shows it once, and has its user write it down.
    println!("keep this safe: {}", new.keys().recovery.text());
    fs::write(&key_file, new.keys().key_file.as_ref().map_or("", Secret::text)).map_err(Error::caller)?;
    new.commit()
}
