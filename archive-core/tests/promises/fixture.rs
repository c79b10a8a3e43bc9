//! An archive in memory whose files can be looked at, changed and copied; mails to fill it; what it answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive_core::source::Trouble;
use archive_core::vfs::{EntryKind, MemVfs, Vfs};
use archive_core::{
    Actor, Archive, CreateOptions, Depth, Error, FolderInfo, FolderPath, FolderScope, ImportEvents, ImportOptions, ImportReport,
    ImportSource, Key, MessageId, MessageInfo, NewArchive, OpenOptions, Progress, Receipt, SearchRequest, User, VerifyReport,
};

pub const DIR: &str = "/archive";

/// The files of an archive, and the key that opens it.
#[derive(Clone)]
pub struct Files {
    pub vfs: MemVfs,
    pub key: String,
}

/// Receipts and troubles of an import.
#[derive(Default)]
pub struct Told {
    pub receipts: Vec<Receipt>,
    pub troubles: Vec<Trouble>,
}

impl ImportEvents for Told {
    fn receipt(&mut self, receipt: &Receipt) {
        self.receipts.push(receipt.clone());
    }

    fn trouble(&mut self, trouble: &Trouble) {
        self.troubles.push(trouble.clone());
    }
}

/// A new archive that was committed, and the text of its key file.
pub fn committed(new: Result<NewArchive, Error>) -> (Archive, String) {
    let new = new.expect("a new archive");
    let key = new.keys().key_file.as_ref().expect("a key file").text().to_owned();
    (new.commit().expect("created"), key)
}

impl Files {
    /// A new archive, open.
    pub fn create() -> (Self, Archive) {
        Self::create_with(OpenOptions::default())
    }

    pub fn create_with(options: OpenOptions) -> (Self, Archive) {
        let vfs = MemVfs::new();
        vfs.create_dir(Path::new(DIR)).expect("a folder");
        let options = CreateOptions::new("anna").open_options(options);
        let (archive, key) = committed(Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), options));
        (Self { vfs, key }, archive)
    }

    pub fn key(&self) -> Key {
        Key::File(self.key.clone().into())
    }

    pub fn try_open(&self) -> Result<Archive, Error> {
        self.try_open_with(OpenOptions::default())
    }

    pub fn try_open_with(&self, options: OpenOptions) -> Result<Archive, Error> {
        Archive::open_on(Arc::new(self.vfs.clone()), Path::new(DIR), &self.key(), options)
    }

    pub fn open(&self) -> Archive {
        self.try_open().expect("the archive opens")
    }

    /// All files, in order of their paths, but for the page on the format, which holds nothing of the archive.
    pub fn paths(&self) -> Vec<PathBuf> {
        let (mut found, mut dirs) = (Vec::new(), vec![PathBuf::from(DIR)]);
        while let Some(dir) = dirs.pop() {
            for entry in self.vfs.list(&dir).expect("a folder") {
                match entry.kind {
                    EntryKind::Dir => dirs.push(entry.path),
                    _ => found.push(entry.path),
                }
            }
        }
        found.retain(|path| !path.ends_with("FORMAT.md"));
        found.sort();
        found
    }

    /// The files whose path has `part` in it.
    pub fn paths_with(&self, part: &str) -> Vec<PathBuf> {
        self.paths().into_iter().filter(|path| path.to_string_lossy().contains(part)).collect()
    }

    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let file = self.vfs.open_read(path).expect("a file");
        let mut bytes = vec![0; usize::try_from(file.len().expect("a length")).expect("fits")];
        file.read_exact_at(0, &mut bytes).expect("its bytes");
        bytes
    }

    pub fn write(&self, path: &Path, bytes: &[u8]) {
        let file = self.vfs.open(path).expect("a file");
        file.truncate(0).expect("cut");
        file.append(bytes).expect("written");
    }

    pub fn flip(&self, path: &Path, offset: usize) {
        let mut bytes = self.bytes(path);
        bytes[offset] ^= 0x20;
        self.write(path, &bytes);
    }

    pub fn remove(&self, path: &Path) {
        self.vfs.remove(path).expect("removed");
    }

    /// The same files once more.
    pub fn copy(&self) -> Self {
        let copy = Self { vfs: MemVfs::new(), key: self.key.clone() };
        let mut dirs = vec![PathBuf::from(DIR)];
        while let Some(dir) = dirs.pop() {
            copy.vfs.create_dir(&dir).expect("a folder");
            for entry in self.vfs.list(&dir).expect("a folder") {
                match entry.kind {
                    EntryKind::Dir => dirs.push(entry.path),
                    _ => copy.vfs.create(&entry.path).and_then(|file| file.append(&self.bytes(&entry.path))).expect("a copy"),
                }
            }
        }
        copy
    }

    pub fn total(&self) -> u64 {
        self.paths().iter().map(|path| self.bytes(path).len() as u64).sum()
    }
}

/// Waits until the index has everything: a thread of the archive feeds it with what callers left (S4.7).
pub fn indexed(archive: &Archive) {
    let lacks = || archive.session(Actor::System).search(&SearchRequest::new("*").limit(0)).expect("an answer").coverage.not_indexed;
    while lacks() > 0 {
        std::thread::yield_now();
    }
}

pub fn folder(text: &str) -> FolderPath {
    text.parse().expect("a folder")
}

/// Archives one mail in a folder.
pub fn put(archive: &Archive, path: &str, mail: impl AsRef<[u8]>) -> Receipt {
    archive.session(Actor::System).import_one(mail.as_ref(), &folder(path)).expect("a receipt")
}

/// A person who sees these folders.
pub fn user(folders: &[FolderScope]) -> Actor {
    Actor::User(User { name: "u".to_owned(), administrator: false, folders: folders.to_vec() })
}

/// All that a search finds, in its order.
pub fn ids(archive: &Archive, actor: &Actor, request: &SearchRequest) -> Vec<MessageId> {
    let found = archive.session(actor.clone()).search(request).expect("an answer");
    assert_eq!(found.total, found.hits.len() as u64);
    found.hits.iter().map(|hit| hit.id).collect()
}

/// Archives each mail on its own.
pub fn put_each(archive: &Archive, mails: &[Vec<u8>]) -> Vec<Receipt> {
    let session = archive.session(Actor::System);
    mails.iter().map(|mail| session.import_one(mail, &folder("anna/Inbox")).expect("archived")).collect()
}

/// Imports a stream of the name given.
pub fn put_stream(archive: &Archive, bytes: &[u8], name: &str, options: &ImportOptions) -> (ImportReport, Told) {
    let mut told = Told::default();
    let source = ImportSource::Stream(&mut &*bytes, name);
    let report = archive.session(Actor::System).import(source, options, &mut told).expect("imported");
    assert_eq!(report.read, report.stored + report.duplicate + report.failed, "the sums add up: {report:?}");
    assert_eq!(told.receipts.len() as u64, report.stored + report.duplicate, "each mail has its receipt");
    (report, told)
}

/// A closed archive: 80 mails that came as one source, in a container with tables, and 12 that came one by one.
pub fn filled_archive(seed: u64) -> (Files, Vec<(Vec<u8>, Receipt)>) {
    let (files, archive) = Files::create();
    let bulk = plain(80, 900, seed);
    let mut mails: Vec<(Vec<u8>, Receipt)> = Vec::new();
    mails.extend(bulk.iter().cloned().zip(put_stream(&archive, &mbox(&bulk), "bulk.mbox", &ImportOptions::default()).1.receipts));
    let singles = plain(12, 200, seed + 1);
    mails.extend(singles.iter().cloned().zip(put_each(&archive, &singles)));
    archive.close().expect("closed");
    (files, mails)
}

/// Removes every file with one of these in its path.
pub fn lose(files: &Files, names: &[&str]) {
    for path in names.iter().flat_map(|name| files.paths_with(name)) {
        files.remove(&path);
    }
}

pub fn verify(archive: &Archive) -> VerifyReport {
    archive.session(Actor::System).verify(Depth::Everything, &Progress::new()).expect("verify looks at everything")
}

/// An mbox of these mails, which have no line beginning with "From ".
pub fn mbox(mails: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for mail in mails {
        out.extend_from_slice(b"From someone@example.org Thu Jan  2 03:04:05 2020\n");
        out.extend_from_slice(mail);
        if !mail.ends_with(b"\n") {
            out.push(b'\n');
        }
        out.push(b'\n');
    }
    out
}

const WORDS: [&str; 24] = [
    "harbour", "lantern", "granite", "meadow", "compass", "thunder", "orchard", "velvet", "whisper", "saffron", "glacier", "timber",
    "pottery", "caravan", "feather", "monsoon", "quarter", "rhubarb", "sparrow", "twilight", "unicorn", "vinegar", "walnut", "zephyr",
];

/// Numbers that look drawn and are the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).expect("fits")
    }

    pub fn word(&mut self) -> &'static str {
        WORDS[self.roll(WORDS.len())]
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| u8::try_from(self.roll(256)).expect("a byte")).collect()
    }
}

pub fn base64(bytes: &[u8], line: usize, end: &str) -> String {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) & 63;
            out.push(if at <= chunk.len() { char::from(CHARS[six as usize]) } else { '=' });
        }
    }
    let lines: Vec<&str> = out.as_bytes().chunks(line).map(|line| std::str::from_utf8(line).expect("ascii")).collect();
    lines.join(end) + end
}

/// Plain mails of drawn words; `words` in each body.
pub fn plain(count: usize, words: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut dice = Dice(seed);
    let mail = |no: usize| {
        let mut text = format!(
            "From: {} <{}@example.org>\nTo: {}@example.net\nSubject: {} {} {no}\nMessage-ID: <{seed}.{no}@example.org>\n\
             Date: {:02} Mar 20{:02} 10:{:02}:00 +0000\n\n",
            dice.word(),
            dice.word(),
            dice.word(),
            dice.word(),
            dice.word(),
            dice.roll(28) + 1,
            dice.roll(20),
            dice.roll(60)
        );
        for at in 0..words {
            text += dice.word();
            text += if at % 10 == 9 { "\n" } else { " " };
        }
        (text + "\n").into_bytes()
    };
    (0..count).map(mail).collect()
}

/// Mails of several kinds: plain, with attachments (one of them twice), HTML, old charsets, CRLF.
pub fn mixed() -> Vec<Vec<u8>> {
    let mut dice = Dice(7);
    let mut mails = plain(12, 60, 3);
    let shared = dice.bytes(9000);
    for (no, len) in [(0, 9000), (1, 40_000), (2, 9000), (3, 200_000)] {
        let body = if len == 9000 { shared.clone() } else { dice.bytes(len) };
        let text = format!(
            "From: Berta <berta@example.org>\r\nSubject: attached {no}\r\nDate: Fri, 0{} Mar 2019 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"sep{no}\"\r\n\r\n--sep{no}\r\nContent-Type: text/plain\r\n\r\n{} {}\r\n\
             --sep{no}\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"tapestry.bin\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}--sep{no}--\r\n",
            no + 1,
            dice.word(),
            dice.word(),
            base64(&body, 76, "\r\n")
        );
        mails.push(text.into_bytes());
    }
    mails.push(
        b"From: c@example.org\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nMIME-Version: 1.0\nContent-Type: text/html; charset=iso-8859-1\n\n\
          <p>Sch\xf6ne <b>Gr\xfc\xdfe</b> aus <i>Reutlingen</i></p>\n"
            .to_vec(),
    );
    mails.push(b"\0\xff\xfe no header at all".to_vec());
    mails
}

/// Everything that an archive answers: messages, folders, bytes, searches.
#[derive(Debug, PartialEq)]
pub struct Answers {
    pub messages: Vec<MessageInfo>,
    pub folders: Vec<FolderInfo>,
    pub bytes: Vec<Option<Vec<u8>>>,
    pub searches: Vec<(String, Vec<MessageId>, u64)>,
    pub sums: (u64, u64, u64, u64),
}

pub const QUERIES: [&str; 9] = [
    "harbour",
    "lantern granite",
    "saff*",
    "*light",
    "subject:velvet",
    "\"harbour lantern\"",
    "walnut -attached",
    "reutlingen",
    "tapestry",
];

pub fn ask(archive: &Archive) -> Result<Answers, Error> {
    let session = archive.session(Actor::System);
    let messages = session.messages().collect::<Result<Vec<_>, _>>()?;
    let bytes = messages.iter().map(|message| session.raw(message.id).ok()).collect();
    let mut searches = Vec::new();
    for query in QUERIES {
        let found = session.search(&SearchRequest::new(query))?;
        searches.push((query.to_owned(), found.hits.iter().map(|hit| hit.id).collect(), found.total));
    }
    let stats = session.stats(&Progress::new())?;
    let sums = (stats.messages, stats.contents, stats.parts, stats.bytes_raw);
    Ok(Answers { messages, folders: session.folders()?, bytes, searches, sums })
}

/// The folder of real mail, or a note that it is not there.
pub fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("MAILKEEP_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: MAILKEEP_CORPORA is not set");
    }
    folder
}
