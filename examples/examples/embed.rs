//! The library embedded: make or open an archive, import a mailbox, search it, read a mail.

use std::error::Error;
use std::fs;
use std::path::Path;

use archive_core::{Actor, Archive, CreateOptions, ImportOptions, ImportSource, Key, NoEvents, OpenOptions, SearchRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(mailbox), Some(query)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: embed FOLDER MAILBOX QUERY".into());
    };
    let (dir, key_file) = (Path::new(&dir), format!("{dir}.key"));

    let archive = match fs::read_to_string(&key_file) {
        Ok(key) => Archive::open(dir, &Key::File(key.into()), OpenOptions::default())?,
        Err(_) => Archive::create(dir, CreateOptions::new("anna"), |_, keys| {
            println!("keep this safe: {}", keys.recovery.text());
            let key = keys.key_file.as_deref().map_or("", String::as_str);
            fs::write(&key_file, key).map_err(|error| archive_core::Error::Misuse(error.to_string()))
        })?,
    };

    let acting = archive.acting_as(Actor::System);
    let report = acting.import(ImportSource::Path(Path::new(&mailbox)), &ImportOptions::default(), &mut NoEvents)?;
    println!("read {} = stored {} + duplicate {} + failed {}", report.read, report.stored, report.duplicate, report.failed);

    let found = acting.search(&SearchRequest::new(&query).limit(5))?;
    println!("{} of {} hits", found.hits.len(), found.total);
    for hit in &found.hits {
        println!("{}  {}  ({} bytes)", hit.id, hit.subject, acting.raw(hit.id)?.len());
    }
    Ok(archive.close()?)
}
