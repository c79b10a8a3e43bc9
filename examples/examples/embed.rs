//! The library embedded: open or create an archive, import a mailbox, search it, save an attachment.
//!
//! `cargo run -p examples --example embed -- ARCHIVE MBOX QUERY`; the examples in C, C++, C# and Python do the same.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use archive_core::{
    Actor, Archive, CreateOptions, ImportOptions, ImportSource, Key, NoEvents, OpenOptions, Progress, SearchRequest, Secret,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(mailbox), Some(query)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: embed ARCHIVE MBOX QUERY".into());
    };
    let (dir, key_file) = (Path::new(&dir), format!("{dir}.key"));

    let archive = match fs::read_to_string(&key_file) {
        Ok(key) => Archive::open(dir, &Key::File(key.into()), OpenOptions::default())?,
        Err(_) => {
            // Nothing is on disk before `commit`: first its keys are kept.
            let new = Archive::create(dir, CreateOptions::new("anna"))?;
            eprintln!("keep this safe: {}", new.keys().recovery.text());
            fs::write(&key_file, new.keys().key_file.as_ref().map_or("", Secret::text))?;
            new.commit()?
        }
    };
    let session = archive.session(Actor::System);

    let progress = Progress::reporting(|step| {
        eprint!("\r{}: {} of {} {}", step.activity, step.done, step.total.unwrap_or(0), step.unit.name());
        ControlFlow::Continue(())
    });
    let options = ImportOptions { progress, ..ImportOptions::default() };
    let report = session.import(ImportSource::Path(Path::new(&mailbox)), &options, &mut NoEvents)?;
    eprintln!();
    println!("read {} = stored {} + duplicate {} + failed {}", report.read, report.stored, report.duplicate, report.failed);

    let found = session.search(&SearchRequest::new(&query).limit(10))?;
    println!("{} of {} hits", found.hits.len(), found.total);
    let mut with_attachment = None;
    for hit in &found.hits {
        println!("{}\t{}\t{}\t{}", hit.id, hit.folder, hit.size, hit.subject);
        if with_attachment.is_none() && hit.attachments > 0 {
            with_attachment = Some(hit.id);
        }
    }

    if let Some(id) = with_attachment
        && let Some(part) = session.parts(id)?.parts.iter().find(|part| part.is_attachment)
    {
        let (mut file, mut bytes) = (File::create(format!("{}.attachment", dir.display()))?, 0);
        session.read_part(id, part.number, 0, &mut |piece| {
            bytes += piece.len();
            file.write_all(piece).map_err(archive_core::Error::caller)
        })?;
        println!("saved {} of {id}, {}, {bytes} bytes", part.name.as_deref().unwrap_or("an attachment"), part.media);
    }
    Ok(archive.close()?)
}
