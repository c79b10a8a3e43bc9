//! `show`: shows mails to people, or their bytes. Mails are read as streams.

mod bytes;
mod record;
mod save;
mod text;

use std::path::Path;

use archive_core::{Archive, Error, MessageId, Progress, Session};
use serde_json::json as object;

use super::rows::{message_row, message_table};
use super::system;
use crate::args::Show;
use crate::failure::{Exit, Failure};
use crate::out::{Out, counted, json};
use crate::place;

pub fn run(archive: &Archive, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    for path in [&args.output, &args.save].into_iter().flatten().filter(|path| *path != Path::new("-")) {
        place::outside(path, archive)?;
    }
    let session = &system(archive);
    let [id] = args.ids.as_slice() else { return several(session, args, out) };
    one(session, *id, args, out)
}

/// Shows each in turn. Errors about missing or damaged ones come after the others.
fn several(session: &Session, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    if args.raw || args.part.is_some() || args.output.is_some() {
        return Err(Failure::Usage("--raw, --part and -o take one id, since bytes of several mails would run together".to_owned()));
    }
    let mut exit = Exit::Done;
    let mut failures = Vec::new();
    let mut is_first = true;
    for id in &args.ids {
        match one_of_several(session, *id, std::mem::take(&mut is_first), args, out) {
            Ok(Exit::Done) => {}
            Ok(other) => exit = other,
            Err(failure @ Failure::Archive(Error::NoSuchMessage(_) | Error::Deleted { .. } | Error::Damage(_))) => failures.push(failure),
            Err(failure) => return Err(failure),
        }
    }
    for failure in &failures {
        out.failure(failure);
    }
    Ok(failures.iter().map(Failure::exit).find(|exit| *exit != Exit::Misuse).or(failures.first().map(Failure::exit)).unwrap_or(exit))
}

fn one_of_several(session: &Session, id: MessageId, is_first: bool, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    if !out.is_json() && args.save.is_none() && session.message(id).is_ok() {
        if !is_first {
            out.line("")?;
        }
        out.heading(&format!("Message: {id}"))?;
    }
    one(session, id, args, out)
}

fn one(session: &Session, id: MessageId, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    if args.record {
        return record::print(&session.record(id)?, out).map(|()| Exit::Done);
    }
    if args.thread {
        return thread(session, id, out);
    }
    if args.raw {
        return bytes::give(args, out, |sink| session.read(id, sink));
    }
    if args.headers {
        return bytes::headers(session, id, args, out);
    }
    if let Some(part) = args.part {
        return bytes::give(args, out, |sink| session.read_part(id, part, 0, sink));
    }
    let view = session.parts(id)?;
    let labels = match session.record(id) {
        Ok(record) => record.labels,
        // The mail is there, but its record is not.
        Err(Error::Damage(damage)) => {
            out.note(&format!("warning: the record of this mail is damaged: {damage}"))?;
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    if view.is_cut {
        out.note("warning: the mail has more parts or header fields than are looked through; --raw has them all")?;
    }
    match &args.save {
        Some(dir) => save::run(session, id, &view, dir, out),
        None => text::run(session, id, &view, &labels, out),
    }
}

fn thread(session: &Session, id: MessageId, out: &mut Out) -> Result<Exit, Failure> {
    let messages = session.thread(id, &Progress::new())?;
    let table = message_table();
    for info in &messages {
        match out.is_json() {
            true => out.json(&json::line("message", info))?,
            false => message_row(&table, info, out)?,
        }
    }
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "messages": messages.len() }))?,
        false => out.note(&counted(messages.len() as u64, "mail"))?,
    }
    Ok(Exit::Done)
}

/// What the library calls with each piece that it reads.
type Pieces<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// Reads into `take`, whose failures become those of the command.
fn stream(
    read: impl FnOnce(&mut Pieces<'_>) -> Result<(), Error>,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut failure = None;
    let done = read(&mut |bytes| {
        take(bytes).map_err(|error| {
            failure = Some(error);
            Error::Stopped
        })
    });
    failure.map_or(done.map_err(Failure::from), Err)
}
