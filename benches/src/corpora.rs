//! The mails that are measured, in the forms that each program wants.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use archive_core::source::{self, Body, DateHint, Item, SourceOptions, SourceVisitor, Trouble};

use crate::Result;

/// Folders below `lists` that are not part of LIST: their mails are not in mboxes.
const LEFT_OUT: [&str; 2] = ["20news", "3gpp-listserv"];

/// Mails as files and as Maildir.
pub struct Corpus {
    /// Mbox files in a tree.
    pub files: PathBuf,
    /// The same mails as Maildir.
    pub maildir: PathBuf,
    /// How many mails.
    pub mails: u64,
    /// Bytes of the mails.
    pub bytes: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
}

/// LIST: `lists` of the unpacked corpora, copied to `work`.
pub fn list(corpora: &Path, work: &Path) -> Result<Corpus> {
    let files = work.join("list");
    if !files.exists() {
        fs::create_dir_all(&files)?;
        for path in list_sources(corpora)? {
            copy(&path, &files.join(path.file_name().unwrap_or_default()))?;
        }
    }
    corpus(files, work.join("list.maildir"))
}

/// The files and folders that LIST consists of, in order of their names.
pub fn list_sources(corpora: &Path) -> Result<Vec<PathBuf>> {
    let paths = fs::read_dir(corpora.join("lists"))?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let is_left_out = |path: &PathBuf| LEFT_OUT.iter().any(|name| path.ends_with(name));
    let mut paths: Vec<PathBuf> = paths.into_iter().filter(|path| !is_left_out(path)).collect();
    paths.sort();
    Ok(paths)
}

/// One mbox, linked into a separate tree.
pub fn one(mbox: &Path, name: &str, work: &Path) -> Result<Corpus> {
    let files = work.join(name);
    if !files.exists() {
        fs::create_dir_all(&files)?;
        fs::copy(mbox, files.join("all.mbox"))?;
    }
    corpus(files, work.join(format!("{name}.maildir")))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn corpus(files: PathBuf, maildir: PathBuf) -> Result<Corpus> {
    let is_made = maildir.exists();
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(folder))?;
    }
    let (mut mails, mut bytes) = (0, 0);
    each_mail(&files, |raw, _| {
        mails += 1;
        bytes += raw.len() as u64;
        if !is_made {
            fs::write(maildir.join("cur").join(format!("{}.{mails}.bench:2,S", 1_400_000_000 + mails)), raw)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let file_bytes = bytes_below(&files);
    Ok(Corpus { files, maildir, mails, bytes, file_bytes })
}

/// Passes the mails of a file or tree to `visit`, each whole, with its date; what is not a mail is skipped.
///
/// # Errors
///
/// If the source cannot be opened, or the first error of `visit`, which ends the reading.
pub fn each_mail(source: &Path, visit: impl FnMut(Vec<u8>, Option<DateHint>) -> Result<ControlFlow<()>>) -> Result<()> {
    let mut visitor = Visitor { visit, done: Ok(()) };
    source::read_path(source, SourceOptions::default(), &mut visitor)?;
    visitor.done
}

struct Visitor<F> {
    visit: F,
    done: Result<()>,
}

impl<F: FnMut(Vec<u8>, Option<DateHint>) -> Result<ControlFlow<()>>> SourceVisitor for Visitor<F> {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let raw = match item.body {
            Body::Whole(raw) => Ok(raw),
            Body::Stream { mut head, rest } => rest.read_to_end(&mut head).map(|_| head).map_err(Into::into),
        };
        match raw.and_then(|raw| (self.visit)(raw, item.date_hint)) {
            Ok(flow) => flow,
            Err(error) => {
                self.done = Err(error);
                ControlFlow::Break(())
            }
        }
    }

    fn trouble(&mut self, _: Trouble) {}
}

/// Bytes of all files below `dir`.
#[must_use]
pub fn bytes_below(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return fs::metadata(dir).map_or(0, |data| data.len());
    };
    let size = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        _ => entry.metadata().map_or(0, |data| data.len()),
    };
    entries.flatten().map(size).sum()
}

/// Files below `dir`, in order of their paths.
pub fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Ok(vec![dir.to_owned()]);
    }
    let mut paths = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        files.extend(files_below(&path)?);
    }
    Ok(files)
}

/// Words to search for: a third each of words in one mail, in 10 to 1,000, in over 10 % of the mails. Drawn by a fixed
/// seed.
pub fn words(maildir: &Path, of_each: usize) -> Result<Vec<String>> {
    let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
    let files = files_below(maildir)?;
    let mails = files.len() as u64;
    for file in files {
        let raw = fs::read(file)?;
        let body = raw.windows(2).position(|two| two == b"\n\n").map_or(0, |at| at + 2);
        let words = raw[body..].split(|byte| !byte.is_ascii_alphanumeric());
        // Random capital and small letters are base64.
        let is_word =
            |word: &[u8]| word.get(1..).is_some_and(|rest| rest.iter().all(u8::is_ascii_lowercase)) && word[0].is_ascii_alphabetic();
        let words = words.filter(|word| (3..=12).contains(&word.len()) && is_word(word));
        for word in words.map(<[u8]>::to_ascii_lowercase).collect::<HashSet<_>>() {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut bands: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for (word, count) in counts {
        let band = match count {
            1 => 0,
            10..=1000 => 1,
            many if many * 10 > mails => 2,
            _ => continue,
        };
        bands.entry(band).or_default().push(String::from_utf8(word)?);
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut drawn = Vec::new();
    for band in bands.values_mut() {
        band.sort_unstable();
        for _ in 0..of_each.min(band.len()) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            drawn.push(band.swap_remove((state >> 33) as usize % band.len()));
        }
    }
    Ok(drawn)
}

/// The first `mails` mails of a correctly quoted mbox, as a separate file.
pub fn head_of(mbox: &Path, mails: u64, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    let mut from = std::io::BufReader::with_capacity(1 << 20, fs::File::open(mbox)?);
    let mut out = std::io::BufWriter::new(fs::File::create(to)?);
    let mut line = Vec::new();
    let mut seen = 0;
    loop {
        line.clear();
        if std::io::BufRead::read_until(&mut from, b'\n', &mut line)? == 0 {
            break;
        }
        seen += u64::from(line.starts_with(b"From "));
        if seen > mails {
            break;
        }
        out.write_all(&line)?;
    }
    out.flush()?;
    Ok(())
}

/// Writes one mail of about `bytes` bytes: text, and an attachment in base64 that does not compress.
pub fn large_mail(to: &Path, bytes: u64) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    let mut out = std::io::BufWriter::with_capacity(1 << 20, fs::File::create(to)?);
    out.write_all(b"From: a@b.example\nTo: c@d.example\nSubject: large\nDate: Mon, 2 Nov 2020 10:00:00 +0000\nMIME-Version: 1.0\n")?;
    out.write_all(b"Content-Type: multipart/mixed; boundary=xyz\n\n--xyz\nContent-Type: text/plain\n\nsee there\n--xyz\n")?;
    out.write_all(b"Content-Type: application/octet-stream; name=all.bin\nContent-Transfer-Encoding: base64\n\n")?;
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 1_u64;
    let mut line = [b'\n'; 77];
    for _ in 0..bytes / 77 {
        for byte in &mut line[..76] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = alphabet[(state >> 58) as usize];
        }
        out.write_all(&line)?;
    }
    out.write_all(b"--xyz--\n")?;
    out.flush()?;
    Ok(())
}

/// `count` mails of a Maildir, evenly drawn.
pub fn sample(maildir: &Path, count: usize) -> Result<Vec<Vec<u8>>> {
    let files = files_below(maildir)?;
    let step = (files.len() / count.max(1)).max(1);
    let mut mails = Vec::new();
    for file in files.iter().step_by(step).take(count) {
        let mut raw = Vec::new();
        fs::File::open(file)?.read_to_end(&mut raw)?;
        mails.push(raw);
    }
    Ok(mails)
}
