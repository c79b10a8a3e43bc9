//! `show`: a mail for people, or its bytes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive_core::mail::{self, PartView, View};
use archive_core::vfs::{Operation, VfsError};
use archive_core::{Acting, Archive, Error};
use serde_json::json as object;

use super::search::{message_row, message_table};
use super::system;
use crate::args::Show;
use crate::failure::{Exit, Failure};
use crate::out::{Out, escape, json, when};
use crate::place;

/// Header fields that a reader wants to see, in this order.
const SHOWN: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];
/// Bytes of a file name that every file system takes.
const MAX_NAME: usize = 200;

pub fn run(archive: &Archive, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    for path in [&args.output, &args.save].into_iter().flatten().filter(|path| *path != Path::new("-")) {
        place::outside(path, archive)?;
    }
    let (acting, id) = (&system(archive), args.id);
    if args.record {
        let record = acting.record(id)?;
        print_record(&json::record(&record), out)?;
        return Ok(Exit::Done);
    }
    if args.thread {
        return thread(acting, args, out);
    }
    if args.raw {
        let mut sink = Sink::new(args.output.as_deref(), out)?;
        let mut failure = None;
        let read = acting.read(id, &mut |bytes| match sink.write(bytes) {
            Ok(()) => Ok(()),
            Err(error) => {
                failure = Some(error);
                Err(Error::Stopped)
            }
        });
        return match failure.map_or(read.map_err(Failure::from), Err) {
            Ok(()) => sink.finish().map(|()| Exit::Done),
            Err(failure) => {
                sink.give_up();
                Err(failure)
            }
        };
    }
    if args.headers {
        return headers(acting, args, out);
    }
    let raw = acting.raw(id)?;
    let (guesses, labels) = match acting.record(id) {
        Ok(record) => (record.charset_guesses, record.labels),
        // The mail is there; what the archive noted of it is not.
        Err(Error::Damage(damage)) => {
            out.note(&format!("warning: the record of this mail is damaged: {damage}"))?;
            (Vec::new(), Vec::new())
        }
        Err(error) => return Err(error.into()),
    };
    let view = mail::view(&raw, &guesses);
    if view.is_cut {
        out.note("warning: the mail has more parts or header fields than are looked through; --raw has them all")?;
    }
    if let Some(number) = args.part {
        let part = view.part(number).filter(|part| !part.is_multipart);
        let part = part.ok_or_else(|| Failure::Usage(format!("message {id} has no part {number} with bytes; `show {id}` lists them")))?;
        return whole(&part.bytes, args, out);
    }
    match &args.save {
        Some(dir) => save(&view, dir, out),
        None => readable(acting, args, &view, &labels, out),
    }
}

fn thread(acting: &Acting<'_>, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    let messages = acting.thread(args.id)?;
    let table = message_table();
    for info in &messages {
        match out.is_json() {
            true => out.json(&json::message("message", info))?,
            false => message_row(&table, info, out)?,
        }
    }
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "messages": messages.len() }))?,
        false => out.note(&format!("{} mails", messages.len()))?,
    }
    Ok(Exit::Done)
}

/// Of a large mail only its beginning is read, as it was sealed; its digest is that of the whole.
fn headers(acting: &Acting<'_>, args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    let mut begin = Vec::new();
    let is_over = |begin: &[u8], from: usize| {
        let new = begin.get(from.saturating_sub(3)..).unwrap_or_default();
        let ends_line = |three: &[u8]| three == b"\n\r\n" || (three.starts_with(b"\r\r") && !three.ends_with(b"\n"));
        new.windows(2).any(|two| two == b"\n\n") || new.windows(3).any(ends_line)
    };
    let read = acting.read(args.id, &mut |bytes| {
        let from = begin.len();
        begin.extend_from_slice(bytes);
        if is_over(&begin, from) { Err(Error::Stopped) } else { Ok(()) }
    });
    match read {
        Err(Error::Stopped) => {}
        read => read?,
    }
    let len = mail::view(&begin, &[]).header_len;
    let header = begin.get(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or(&begin);
    match &args.output {
        Some(_) => whole(header, args, out),
        None => out.line(escape::text(&String::from_utf8_lossy(header)).trim_end()).map(|()| Exit::Done),
    }
}

fn whole(bytes: &[u8], args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    let mut sink = Sink::new(args.output.as_deref(), out)?;
    match sink.write(bytes) {
        Ok(()) => sink.finish().map(|()| Exit::Done),
        Err(failure) => {
            sink.give_up();
            Err(failure)
        }
    }
}

/// Takes bytes for a file, or for standard output where that is no terminal or was asked for.
enum Sink<'a> {
    Standard(&'a mut Out),
    File(fs::File, PathBuf),
}

impl<'a> Sink<'a> {
    fn new(output: Option<&Path>, out: &'a mut Out) -> Result<Self, Failure> {
        match output {
            Some(path) if path != Path::new("-") => {
                let file = fs::File::create_new(path).map_err(Failure::file("make the file", path))?;
                Ok(Self::File(file, path.to_owned()))
            }
            None if out.is_terminal() => Err(Failure::Usage(
                "these bytes may be anything, and standard output is a terminal; give -o FILE, or -o - for here".to_owned(),
            )),
            _ => Ok(Self::Standard(out)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Standard(out) => out.bytes(bytes),
            Self::File(file, path) => file.write_all(bytes).map_err(Failure::file("write", path)),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(file, path) => file.sync_all().map_err(Failure::file("sync", &path)),
        }
    }

    /// Half a file is none.
    fn give_up(self) {
        if let Self::File(file, path) = self {
            drop(file);
            let _left = fs::remove_file(path);
        }
    }
}

fn print_record(record: &serde_json::Value, out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(record);
    }
    for (name, value) in record.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_null() {
            out.line(&format!("{name:18} {}", escape::line(&text)))?;
        }
    }
    Ok(())
}

fn attachments(view: &View) -> impl Iterator<Item = &PartView> {
    // What lies inside a nested mail comes with it.
    view.parts.iter().filter(|part| part.is_attachment && !part.is_nested && !part.is_multipart)
}

fn readable(acting: &Acting<'_>, args: &Show, view: &View, labels: &[String], out: &mut Out) -> Result<Exit, Failure> {
    let info = acting.message(args.id)?;
    let texts = || view.parts.iter().filter(|part| part.is_shown).filter_map(|part| part.text.as_deref());
    if out.is_json() {
        let parts: Vec<_> = attachments(view)
            .map(|part| object!({ "part": part.number, "type": part.media, "name": part.name, "size": part.bytes.len() }))
            .collect();
        let mut mail = json::message("mail", &info);
        let header: Vec<_> = view.header.iter().map(|(name, value)| object!({ "name": name, "value": value })).collect();
        if let Some(mail) = mail.as_object_mut() {
            mail.insert("labels".to_owned(), labels.into());
            mail.insert("header".to_owned(), header.into());
            mail.insert("text".to_owned(), texts().collect::<Vec<_>>().join("\n").into());
            mail.insert("parts".to_owned(), parts.into());
            mail.insert("is_cut".to_owned(), view.is_cut.into());
        }
        out.json(&mail)?;
        return Ok(Exit::Done);
    }
    for name in SHOWN {
        if let Some(value) = view.field(name) {
            out.heading(&format!("{name}: {}", escape::line(value)))?;
        }
    }
    out.line(&format!("Folder: {}", escape::line(&info.folder.to_string())))?;
    if !labels.is_empty() {
        let quoted = labels.iter().map(|label| if label.contains(',') { format!("\"{label}\"") } else { label.clone() });
        out.line(&format!("Labels: {}", escape::line(&quoted.collect::<Vec<_>>().join(", "))))?;
    }
    out.line("")?;
    for text in texts() {
        out.line(escape::text(text).trim_end())?;
    }
    let mut is_first = true;
    for part in attachments(view) {
        if std::mem::take(&mut is_first) {
            out.line("")?;
        }
        let name = part.name.as_deref().map(|name| format!(" {}", escape::line(name))).unwrap_or_default();
        let size = when::size(part.bytes.len() as u64);
        out.line(&format!("[part {}:{name}, {}, {size}]", part.number, escape::line(&part.media)))?;
    }
    Ok(Exit::Done)
}

fn save(view: &View, dir: &Path, out: &mut Out) -> Result<Exit, Failure> {
    fs::create_dir_all(dir).map_err(Failure::file("make the folder", dir))?;
    let mut saved = 0;
    for part in attachments(view) {
        let path = save_one(part, dir)?;
        saved += 1;
        match out.is_json() {
            true => {
                out.json(&object!({ "event": "saved", "part": part.number, "file": path.display().to_string(), "size": part.bytes.len() }))?
            }
            false => out.line(&escape::line(&path.display().to_string()))?,
        }
    }
    match out.is_json() {
        true => out.json(&object!({ "event": "summary", "saved": saved }))?,
        false => out.note(&format!("{saved} saved"))?,
    }
    Ok(if view.is_cut { Exit::Wrong } else { Exit::Done })
}

/// Under its own base name, or with a number behind it where that is taken.
fn save_one(part: &PartView, dir: &Path) -> Result<PathBuf, Failure> {
    let name = base_name(part.name.as_deref().unwrap_or_default(), part);
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name.as_str(), String::new()),
    };
    for number in 0..10_000 {
        let path = dir.join(if number == 0 { name.clone() } else { format!("{stem} ({number}){ending}") });
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
        let mut file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(VfsErrorOf(&path, error).into()),
        };
        file.write_all(&part.bytes).and_then(|()| file.sync_all()).map_err(Failure::file("write", &path))?;
        return Ok(path);
    }
    Err(Failure::Usage(format!("{}: too many files of this name", dir.join(name).display())))
}

struct VfsErrorOf<'p>(&'p Path, std::io::Error);

impl From<VfsErrorOf<'_>> for Failure {
    fn from(error: VfsErrorOf<'_>) -> Self {
        Self::Archive(VfsError::new(Operation::Create, error.0, error.1).into())
    }
}

/// The last part of a name from a mail, without anything that a file system or shell might obey.
fn base_name(name: &str, part: &PartView) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = base
        .chars()
        .map(|c| {
            if escape::line(c.encode_utf8(&mut [0; 4])).len() != c.len_utf8() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|') {
                '_'
            } else {
                c
            }
        })
        .collect();
    let kept = kept.trim_start_matches(['.', ' ', '-']).trim_end_matches(['.', ' ']);
    let cut = &kept[..kept.floor_char_boundary(MAX_NAME)];
    if !cut.is_empty() {
        return cut.to_owned();
    }
    let ending = match part.media.as_str() {
        "message/rfc822" => "eml",
        "text/plain" => "txt",
        "text/html" => "html",
        _ => "bin",
    };
    format!("part-{}.{ending}", part.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        let view = mail::view(b"Content-Type: application/x\n\nx", &[]);
        let part = &view.parts[0];
        let named = |name| base_name(name, part);
        assert_eq!(named("../../x"), "x");
        assert_eq!(named("..\\..\\b.exe"), "b.exe");
        assert_eq!(named(".."), "part-0.bin");
        assert_eq!(named(".bashrc"), "bashrc");
        assert_eq!(named("a\u{202e}\nb"), "a__b");
        assert_eq!(named("-rf"), "rf");
        assert!(named(&"ü".repeat(300)).len() <= MAX_NAME);
    }
}
