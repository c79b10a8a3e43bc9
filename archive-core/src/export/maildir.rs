//! A Maildir for each folder. The name has the flags as they came; the mail's date is the time of the file.

use super::manifest::{Entry, Laying};
use super::place::Destination;
use super::{NotLaid, Read};
use crate::message::MessageRecord;

pub(super) fn write(destination: &mut Destination, record: &MessageRecord, read: &mut Read<'_>) -> Result<Laying, NotLaid> {
    let folder = destination.folder(&record.info.folder);
    let cur = folder.join("cur");
    let place = cur.join(&name(record));
    if place.is_taken().map_err(NotLaid::at_place)? {
        return Ok(Laying::There(place));
    }
    if !cur.is_taken().map_err(NotLaid::at_place)? {
        for name in ["tmp", "new"] {
            destination.make(&folder.join(name)).map_err(NotLaid::at_place)?;
        }
    }
    destination.make(&cur).map_err(NotLaid::at_place)?;
    let mut file = destination.create(place).map_err(NotLaid::at_place)?;
    if let Err(why) = file.mail(read, &mut |bytes, write| write(bytes)) {
        file.give_up();
        return Err(why);
    }
    let (name, len) = (file.name().to_owned(), file.len());
    let digest = destination.keep(file, Some(record.info.date_in_record)).map_err(NotLaid::Destination)?;
    Ok(Laying::New(Entry { file: name, offset: 0, len, quoting: None, digest_of_file: Some(digest) }))
}

/// Time, id and archive make it unique; `S=` is the size; the flags follow `:2,`.
fn name(record: &MessageRecord) -> String {
    let info = &record.info;
    let flags: String = record.flags.as_deref().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let digest = record.digest.to_string();
    let digest = digest.get(..12).unwrap_or(&digest);
    let separator = if cfg!(windows) { ';' } else { ':' };
    format!("{}.{digest}_{}-{}.mailkeep,S={}{separator}2,{flags}", info.date_in_record.max(0), info.id.store.0, info.id.no.0, info.size)
}
