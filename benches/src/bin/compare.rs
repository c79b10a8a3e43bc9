//! Mailkeep and its peers on the same mails in one run, interleaved; the lowest of several repetitions counts.
//!
//! ```text
//! compare --corpora FOLDER [--attach MBOX] [--many MBOX] [--large GIB] [--work FOLDER] [--runs 3] [--peer-runs 3] [--only list,attach,commits,many,large]
//!         [--mailkeep PROGRAM] [--no-peers] [--json FILE]
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benches::bars::{Samples, bar_table, bars};
use benches::corpora::{self, Corpus};
use benches::peers::Peer;
use benches::{Result, child, machine, tasks};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((first, rest)) if first == child::TASK => one_task(rest),
        _ => Options::read(args).and_then(|options| Compare::new(options)?.run()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn one_task(args: &[String]) -> Result<()> {
    let (task, args) = args.split_first().ok_or("no task")?;
    println!("{}", tasks::run(task, args)?);
    Ok(())
}

struct Options {
    corpora: PathBuf,
    attach: Option<PathBuf>,
    many: Option<PathBuf>,
    large: Option<f64>,
    work: PathBuf,
    runs: usize,
    /// How often the slow programs (mu, notmuch) import the mails; as often as all others by default.
    peer_runs: Option<usize>,
    only: Vec<String>,
    mailkeep: PathBuf,
    peers: bool,
    json: Option<PathBuf>,
}

impl Options {
    fn read(args: Vec<String>) -> Result<Self> {
        let mut options = Self {
            corpora: std::env::var_os("MAILKEEP_CORPORA").map(PathBuf::from).unwrap_or_default(),
            attach: None,
            many: None,
            large: None,
            work: std::env::temp_dir().join("mailkeep-compare"),
            runs: 3,
            peer_runs: None,
            only: Vec::new(),
            mailkeep: "target/release/mailkeep".into(),
            peers: true,
            json: None,
        };
        let mut args = args.into_iter();
        while let Some(name) = args.next() {
            if name == "--no-peers" {
                options.peers = false;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--corpora" => options.corpora = value.into(),
                "--attach" => options.attach = Some(value.into()),
                "--many" => options.many = Some(value.into()),
                "--large" => options.large = Some(value.parse()?),
                "--work" => options.work = std::path::absolute(value)?,
                "--runs" => options.runs = value.parse()?,
                "--peer-runs" => options.peer_runs = Some(value.parse()?),
                "--only" => options.only = value.split(',').map(str::to_owned).collect(),
                "--mailkeep" => options.mailkeep = value.into(),
                "--json" => options.json = Some(value.into()),
                _ => return Err(format!("no option {name}").into()),
            }
        }
        Ok(options)
    }

    fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == section)
    }
}

struct Compare {
    options: Options,
    home: PathBuf,
    peers: Vec<Peer>,
    samples: Samples,
}

impl Compare {
    fn new(options: Options) -> Result<Self> {
        let home = options.work.join("home");
        fs::create_dir_all(&home)?;
        let peers = Peer::ALL.into_iter().filter(|peer| options.peers && peer.is_installed()).collect();
        Ok(Self { options, home, peers, samples: Samples::default() })
    }

    fn run(mut self) -> Result<()> {
        let machine = machine::describe();
        println!("{machine:#}\n");
        if self.options.wants("list") || self.options.wants("commits") {
            let list = corpora::list(&self.options.corpora, &self.options.work)?;
            println!("LIST: {} mails, {} bytes, {} bytes of files", list.mails, list.bytes, list.file_bytes);
            if self.options.wants("list") {
                self.list(&list)?;
            }
            if self.options.wants("commits") {
                self.commits(&list)?;
            }
        }
        if let Some(mbox) = self.options.attach.clone().filter(|_| self.options.wants("attach")) {
            self.attach(&corpora::one(&mbox, "attach", &self.options.work)?)?;
        }
        if let Some(mbox) = self.options.many.clone().filter(|_| self.options.wants("many")) {
            self.many(&mbox)?;
        }
        if let Some(gib) = self.options.large.filter(|_| self.options.wants("large")) {
            let mail = self.options.work.join("large.eml");
            corpora::large_mail(&mail, (gib * f64::from(1 << 30)) as u64)?;
            let dir = self.fresh("large.archive")?;
            self.measure("large import", "import", &[text(&dir), text(&mail), "index"])?;
        }
        let bars = bars(&self.samples);
        println!("{}\n{}\n{}\n{}", self.samples.table(), self.samples.components(), self.samples.latencies(), bar_table(&bars));
        if let Some(path) = &self.options.json {
            let verdicts: Vec<Value> =
                bars.iter().map(|bar| json!({ "bar": bar.name, "value": bar.value, "floor": bar.floor, "target": bar.target })).collect();
            let all = json!({ "machine": machine, "bars": verdicts, "samples": self.samples.json() });
            fs::write(path, format!("{all:#}\n"))?;
        }
        Ok(())
    }

    fn list(&mut self, list: &Corpus) -> Result<()> {
        let (dir, bare) = (self.options.work.join("list.archive"), self.options.work.join("bare.archive"));
        let files = text(&list.files);
        let slow_runs = self.options.peer_runs.unwrap_or(self.options.runs);
        for run in 0..self.options.runs {
            self.fresh("list.archive")?;
            self.fresh("bare.archive")?;
            self.measure("list zstd -3", "zstd", &[files])?;
            self.measure("list examine", "examine", &[text(&list.maildir)])?;
            self.measure("list extract", "extract", &[text(&list.maildir)])?;
            self.measure("list import, no index", "import", &[text(&bare), files, "bare"])?;
            self.measure("list import", "import", &[text(&dir), files, "index"])?;
            self.measure("list import, again", "import", &[text(&dir), files, "index"])?;
            let skipped = |peer: &Peer| run >= slow_runs && matches!(peer, Peer::Mu | Peer::Notmuch);
            for peer in self.peers.clone().into_iter().filter(|peer| !skipped(peer)) {
                let mut sample = peer.take_in(list, &self.home)?;
                sample["raw"] = json!(list.bytes);
                sample["mails"] = json!(list.mails);
                eprintln!("list {}: {sample}", peer.name());
                self.samples.add(&format!("list {}", peer.name()), sample);
                let again = peer.again(list, &self.home)?;
                self.samples.add(&format!("list {}, again", peer.name()), again);
            }
        }
        let words = corpora::words(&list.maildir, 30)?;
        let mbox = self.options.work.join("back.mbox");
        for _ in 0..self.options.runs {
            self.measure("list open", "open", &[text(&dir)])?;
            self.measure("list read", "read", &[text(&dir)])?;
            self.measure("list export", "export", &[text(&dir), text(&mbox)])?;
            self.measure("list verify", "verify", &[text(&dir)])?;
            let mut args = vec![text(&dir)];
            args.extend(words.iter().map(String::as_str));
            self.measure("list search", "search", &args)?;
            self.measure("list newest", "newest", &[text(&dir)])?;
            let fresh = self.fresh("searchable.archive")?;
            self.measure("list receipt to searchable", "searchable", &[text(&fresh), files])?;
            for peer in self.peers.clone() {
                for word in words.iter().step_by(9) {
                    if let Some(sample) = peer.find(word, &self.home)? {
                        self.samples.add(&format!("{} find", peer.name()), sample);
                    }
                }
                for (what, sample) in [("give back", peer.give_back(&self.home)?), ("verify", peer.verify(&self.home)?)] {
                    if let Some(mut sample) = sample {
                        sample["raw"] = json!(list.bytes);
                        self.samples.add(&format!("list {} {what}", peer.name()), sample);
                    }
                }
            }
            self.whole_commands(&dir, &words)?;
        }
        fs::remove_file(mbox)?;
        Ok(())
    }

    /// The command `mailkeep`, if it is built.
    fn whole_commands(&mut self, dir: &Path, words: &[String]) -> Result<()> {
        let Ok(program) = self.options.mailkeep.canonicalize() else { return Ok(()) };
        let key = tasks::key_file(dir);
        let common = [text(&self.options.work), "", text(&program), "--archive", text(dir), "--key-file", text(&key)].map(str::to_owned);
        let mut measure = |name: &str, args: &[&str]| -> Result<()> {
            let mut all: Vec<&str> = common.iter().map(String::as_str).collect();
            all.extend_from_slice(args);
            self.samples.add(name, child::run(&self.home, "command", &all)?);
            Ok(())
        };
        for id in ["1:7", "1:7000", "1:20000"] {
            measure("mailkeep show", &["show", id, "--raw"])?;
        }
        for word in words.iter().step_by(9) {
            measure("mailkeep search", &["search", "--limit", "50", word])?;
        }
        Ok(())
    }

    fn commits(&mut self, list: &Corpus) -> Result<()> {
        let maildir = text(&list.maildir);
        for _ in 0..self.options.runs {
            for (threads, name) in [("1", "commits, 1 thread"), ("8", "commits, 8 threads")] {
                for (index, kind) in [("index", ""), ("bare", ", no index")] {
                    let dir = self.fresh("commits.archive")?;
                    self.measure(&format!("{name}{kind}"), "commits", &[text(&dir), maildir, "400", threads, index])?;
                }
            }
        }
        Ok(())
    }

    fn attach(&mut self, attach: &Corpus) -> Result<()> {
        println!("ATTACH: {} mails, {} bytes, {} bytes of files", attach.mails, attach.bytes, attach.file_bytes);
        let files = text(&attach.files);
        for _ in 0..self.options.runs {
            for (index, name) in [("bare", "attach import, no index"), ("index", "attach import")] {
                let dir = self.fresh("attach.archive")?;
                self.measure(name, "import", &[text(&dir), files, index])?;
            }
            self.measure("attach zstd -3", "zstd", &[files])?;
            for peer in self.peers.clone().into_iter().filter(|peer| matches!(peer, Peer::Borg | Peer::Restic)) {
                let mut sample = peer.take_in(attach, &self.home)?;
                sample["raw"] = json!(attach.bytes);
                sample["mails"] = json!(attach.mails);
                self.samples.add(&format!("attach {}", peer.name()), sample);
            }
        }
        Ok(())
    }

    fn many(&mut self, mbox: &Path) -> Result<()> {
        let part = self.options.work.join("many-100000.mbox");
        corpora::head_of(mbox, 100_000, &part)?;
        for _ in 0..self.options.runs {
            let dir = self.fresh("part.archive")?;
            self.measure("many 100000", "import", &[text(&dir), text(&part), "index"])?;
            self.measure("many newest", "newest", &[text(&dir)])?;
        }
        let dir = self.fresh("many.archive")?;
        self.measure("many 1000000", "import", &[text(&dir), text(mbox), "index"])?;
        for _ in 0..self.options.runs {
            self.measure("many open", "open", &[text(&dir)])?;
            self.measure("many read", "read", &[text(&dir)])?;
            self.measure("many newest of all", "newest", &[text(&dir)])?;
        }
        Ok(())
    }

    /// A place for a new archive.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let dir = self.options.work.join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        Ok(dir)
    }

    fn measure(&mut self, name: &str, task: &str, args: &[&str]) -> Result<()> {
        let sample = child::run(&self.home, task, args)?;
        eprintln!("{name}: {sample}");
        self.samples.add(name, sample);
        Ok(())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
