//! A file for each mail, with exactly its bytes, and the mail's date as the time of the file; optionally with fields in
//! front that say where it was (spec A31.2).

use super::manifest::{Entry, Laying};
use super::names::file_name;
use super::place::Destination;
use super::{Layout, NotLaid, Read};
use crate::message::MessageRecord;

/// Longest encoded word (RFC 2047 section 2), without `=?utf-8?q??=`.
const WORD: usize = 75 - 12;

pub(super) fn write(destination: &mut Destination, record: &MessageRecord, layout: Layout, read: &mut Read<'_>) -> Result<Laying, NotLaid> {
    let folder = destination.folder(&record.info.folder);
    let place = folder.join(&file_name(record));
    if layout.update && place.is_taken().map_err(NotLaid::at_place)? {
        return Ok(Laying::There(place));
    }
    destination.make(&folder).map_err(NotLaid::at_place)?;
    let mut file = destination.create(place).map_err(NotLaid::at_place)?;
    let mut fields = layout.origin.then(|| origin(record));
    let mut offset = 0;
    let written = file.mail(read, &mut |bytes, write| {
        if let Some(fields) = fields.take() {
            let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let fields = if line.ends_with(b"\r") { fields.replace('\n', "\r\n") } else { fields };
            offset = fields.len() as u64;
            write(fields.as_bytes())?;
        }
        write(bytes)
    });
    if let Err(why) = written {
        file.give_up();
        return Err(why);
    }
    let (name, len) = (file.name().to_owned(), file.len());
    let digest = destination.keep(file, Some(record.info.date_in_record)).map_err(NotLaid::Destination)?;
    Ok(Laying::New(Entry { file: name, offset, len: len - offset, quoting: None, digest_of_file: Some(digest) }))
}

/// The fields of spec A31.2, to be placed before all others.
fn origin(record: &MessageRecord) -> String {
    let names = record.info.folder.names();
    let archive = names.first().map(String::as_str).unwrap_or_default();
    format!("X-Archive-Origin-Archive:{}\nX-Archive-Origin-Folder:{}\n", words(archive), words(&record.info.folder.to_string()))
}

/// Encoded words (RFC 2047), each except the first on a separate line.
fn words(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        let mut encoded = String::new();
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => encoded.push(char::from(byte)),
                _ => encoded.push_str(&format!("={byte:02X}")),
            }
        }
        match words.last_mut() {
            Some(word) if word.len() + encoded.len() <= WORD => word.push_str(&encoded),
            _ => words.push(encoded),
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!(" =?utf-8?q?{word}?=")).collect();
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_encoded_in_words() {
        assert_eq!(words("anna/Eingänge"), " =?utf-8?q?anna=2FEing=C3=A4nge?=");
        let long = words(&"ä".repeat(30));
        assert!(long.lines().all(|line| line.len() <= 76 && line.starts_with(" =?utf-8?q?=C3=A4")), "{long}");
    }
}
