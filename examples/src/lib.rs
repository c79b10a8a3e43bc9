//! Real tasks done with the library; each example is a separate program below `examples/`.
//!
//! What they share is the opening of an archive: [`open_or_create`].

use std::fs;
use std::path::Path;

use archive_core::{Archive, CreateOptions, Error, Key, OpenOptions};

/// Opens the archive in `dir` with the key file beside it, `dir.key`; without a key file it creates the archive and writes that file.
///
/// # Errors
///
/// Those of the library, and [`Error::Misuse`] where the key file cannot be written.
pub fn open_or_create(dir: &Path) -> Result<Archive, Error> {
    let key_file = dir.with_added_extension("key");
    if let Ok(key) = fs::read_to_string(&key_file) {
        return Archive::open(dir, &Key::File(key.into()), OpenOptions::default());
    }
    Archive::create(dir, CreateOptions::new("anna"), |_, keys| {
        // A real program shows it once, and has its user write it down.
        println!("keep this safe: {}", keys.recovery.text());
        let key = keys.key_file.as_deref().map_or("", String::as_str);
        fs::write(&key_file, key).map_err(|error| Error::Misuse(error.to_string()))
    })
}
