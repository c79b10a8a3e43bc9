//! Many archives in one process: memory, open files, threads and times.
//!
//! many FOLDER [--archives 2000] [--mails 200] [--imports 20] [--memory MIB]
//!
//! Makes archives of small mails in FOLDER, which stay there for the next run; opens all, searches all in turn, imports into some at
//! once, and damages one. Nothing may fail but what the damaged one has lost. With `ulimit -n` low, this is what a server of many
//! archives does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use archive_core::{Actor, Archive, CreateOptions, ImportOptions, ImportSource, Key, NoEvents, OpenOptions, Runtime, SearchRequest};

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Options {
    folder: PathBuf,
    archives: usize,
    mails: usize,
    imports: usize,
    memory: u64,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut words = std::env::args().skip(1);
        let folder = words.next().ok_or("many FOLDER [--archives N] [--mails N] [--imports N] [--memory MIB]")?.into();
        let mut options = Self { folder, archives: 2000, mails: 200, imports: 20, memory: 768 };
        while let Some(name) = words.next() {
            let value: usize = words.next().ok_or("a value is missing")?.parse()?;
            match &*name {
                "--archives" => options.archives = value,
                "--mails" => options.mails = value,
                "--imports" => options.imports = value,
                "--memory" => options.memory = value as u64,
                name => return Err(format!("{name} is not an option").into()),
            }
        }
        Ok(options)
    }
}

fn mbox(archive: usize, mails: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for no in mails {
        let word = |salt: usize| (archive * 7919 + no * 104_729 + salt * 1_299_709) % 5000;
        let text: String = (0..60).map(|at| format!("word{} ", word(at))).collect();
        let head = format!("From a@example.org Mon Mar  2 10:00:00 2015\nFrom: a@example.org\nSubject: of {archive} number {no}\n\n");
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(b"\n\n");
    }
    bytes
}

fn import(archive: &Archive, bytes: &[u8]) -> Result<u64, Failure> {
    let session = archive.session(Actor::System);
    Ok(session.import(ImportSource::Stream(&mut &*bytes, "some.mbox"), &ImportOptions::default(), &mut NoEvents)?.stored)
}

fn make(dir: &Path, no: usize, mails: usize) -> Result<(), Failure> {
    if dir.join("archive.mk").exists() {
        return Ok(());
    }
    let new = Archive::create(dir, CreateOptions::new("anna").open_options(OpenOptions::default().memory(16 << 20)))?;
    fs::write(dir.with_extension("key"), new.keys().key_file.as_ref().ok_or("no key")?.text())?;
    let archive = new.commit()?;
    import(&archive, &mbox(no, 0..mails))?;
    Ok(archive.close()?)
}

/// Resident bytes, open files and threads of this process.
fn usage() -> Result<(u64, usize, usize), Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok((kib.ok_or("no VmRSS")? << 10, fs::read_dir("/proc/self/fd")?.count(), fs::read_dir("/proc/self/task")?.count()))
}

fn report(what: &str, begun: Instant) -> Result<(), Failure> {
    let (memory, files, threads) = usage()?;
    println!(
        "{what:28} {:8.2} s  {:7.1} MiB  {files:6} files  {threads:5} threads",
        begun.elapsed().as_secs_f64(),
        memory as f64 / 1_048_576.0
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    fs::create_dir_all(&options.folder)?;
    let dirs: Vec<PathBuf> = (0..options.archives).map(|no| options.folder.join(format!("{no:05}"))).collect();
    let begun = Instant::now();
    for (no, dir) in dirs.iter().enumerate() {
        make(dir, no, options.mails)?;
    }
    report("made", begun)?;
    // One of them is damaged: everything in its only container.
    let broken = dirs.last().ok_or("no archive")?.join("stores/1/content/000001.mkc");
    let whole = fs::read(&broken)?;
    let mut bytes = whole.clone();
    bytes.iter_mut().skip(200).for_each(|byte| *byte ^= 0x55);
    fs::write(&broken, bytes)?;
    let opened = run(&options, &dirs);
    fs::write(&broken, whole)?;
    opened
}

fn run(options: &Options, dirs: &[PathBuf]) -> Result<(), Failure> {
    let share = OpenOptions::default().memory(16 << 20).runtime(&Runtime::new(options.memory << 20));
    let begun = Instant::now();
    let mut archives = Vec::with_capacity(dirs.len());
    for dir in dirs {
        let key = Key::File(fs::read_to_string(dir.with_extension("key"))?.into());
        archives.push(Archive::open(dir, &key, share.clone())?);
    }
    report("all open", begun)?;
    let begun = Instant::now();
    for archive in &archives {
        let found = archive.session(Actor::System).search(&SearchRequest::new("subject:number").limit(20))?;
        if found.total < options.mails as u64 {
            return Err(format!("{}: {} of {} found", archive.dir().display(), found.total, options.mails).into());
        }
    }
    report("all searched", begun)?;
    let begun = Instant::now();
    let from = options.mails + std::process::id() as usize * 1000;
    let imported: Vec<Result<u64, Failure>> = std::thread::scope(|scope| {
        let some = archives.iter().enumerate().take(options.imports);
        let running: Vec<_> = some.map(|(no, archive)| scope.spawn(move || import(archive, &mbox(no, from..from + 1000)))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("an import panicked".into()))).collect()
    });
    for stored in imported {
        if stored? != 1000 {
            return Err("an import lacks mails".into());
        }
    }
    report("imported into some at once", begun)?;
    let begun = Instant::now();
    let mut lost = 0;
    for archive in &archives {
        let session = archive.session(Actor::System);
        let first = session.messages().next().ok_or("no message")??;
        lost += u64::from(session.raw(first.id).is_err());
    }
    if lost != 1 {
        return Err(format!("{lost} archives lost a mail, and one was damaged").into());
    }
    report("one read of each", begun)?;
    let begun = Instant::now();
    for archive in archives {
        archive.close()?;
    }
    report("all closed", begun)
}
