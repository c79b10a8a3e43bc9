//! Other programs, given the same mails: mu and notmuch (index only), borg and restic (store only).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Result;
use crate::child;
use crate::corpora::{Corpus, bytes_below};
use crate::machine::first_line;

/// The programs to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Indexes Maildirs.
    Mu,
    /// Indexes Maildirs.
    Notmuch,
    /// Encrypted, deduplicated backup.
    Borg,
    /// Encrypted, deduplicated backup.
    Restic,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mu, Self::Notmuch, Self::Borg, Self::Restic];

    /// The command.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mu => "mu",
            Self::Notmuch => "notmuch",
            Self::Borg => "borg",
            Self::Restic => "restic",
        }
    }

    /// Whether it can be run here.
    #[must_use]
    pub fn is_installed(self) -> bool {
        let argument = if self == Self::Restic { "version" } else { "--version" };
        first_line(self.name(), &[argument]).is_some()
    }

    /// Imports the mails from scratch. `home` has its files.
    pub fn take_in(self, corpus: &Corpus, home: &Path) -> Result<Value> {
        let dir = self.dir(home);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        let (dir_text, maildir) = (text(&dir), text(&corpus.maildir));
        let files = text(&corpus.files);
        let mut sample = match self {
            Self::Mu => {
                self.run(home, &["init", "--quiet", "--muhome", dir_text, "--maildir", maildir])?;
                self.run(home, &["index", "--quiet", "--muhome", dir_text])?
            }
            Self::Notmuch => {
                let config = format!(
                    "[database]\npath={dir_text}\nmail_root={maildir}\n[user]\nname=a\nprimary_email=a@b.example\n[new]\ntags=new\n[maildir]\nsynchronize_flags=false\n"
                );
                fs::write(dir.join("config"), config)?;
                self.run(home, &["new", "--quiet"])?
            }
            Self::Borg => {
                self.run(home, &["init", "-e", "repokey-blake2", "repo"])?;
                self.run(home, &["create", "-C", "zstd,3", "repo::a", files])?
            }
            Self::Restic => {
                self.run(home, &["init", "-q", "-r", "repo"])?;
                self.run(home, &["backup", "-q", "-r", "repo", files])?
            }
        };
        sample["disk"] = json!(bytes_below(&dir));
        Ok(sample)
    }

    /// Imports the same mails again.
    pub fn again(self, corpus: &Corpus, home: &Path) -> Result<Value> {
        let dir = self.dir(home);
        match self {
            Self::Mu => self.run(home, &["index", "--quiet", "--muhome", text(&dir)]),
            Self::Notmuch => self.run(home, &["new", "--quiet"]),
            Self::Borg => self.run(home, &["create", "-C", "zstd,3", "repo::b", text(&corpus.files)]),
            Self::Restic => self.run(home, &["backup", "-q", "-r", "repo", text(&corpus.files)]),
        }
    }

    /// Finds a word, the newest 50, as a whole command; `None` if it has no search, or reports by its exit code that
    /// there is no hit.
    pub fn find(self, word: &str, home: &Path) -> Result<Option<Value>> {
        let dir = self.dir(home);
        match self {
            Self::Mu => self
                .run(home, &["find", "--muhome", text(&dir), "--maxnum=50", "--sortfield=date", "--reverse", word])
                .map(Some)
                .or(Ok(None)),
            Self::Notmuch => self.run(home, &["search", "--limit=50", "--output=messages", word]).map(Some),
            Self::Borg | Self::Restic => Ok(None),
        }
    }

    /// Restores everything, as files; `None` if it does not store mail.
    pub fn give_back(self, home: &Path) -> Result<Option<Value>> {
        let to = self.dir(home).join("back");
        fs::create_dir_all(&to)?;
        let sample = match self {
            Self::Mu | Self::Notmuch => return Ok(None),
            Self::Borg => self.run_in(&to, home, &["extract", "../repo::a"])?,
            Self::Restic => self.run(home, &["restore", "-q", "-r", "repo", "latest", "--target", "back"])?,
        };
        fs::remove_dir_all(&to)?;
        Ok(Some(sample))
    }

    /// Reads and checks everything; `None` if it does not store mail.
    pub fn verify(self, home: &Path) -> Result<Option<Value>> {
        match self {
            Self::Mu | Self::Notmuch => Ok(None),
            Self::Borg => self.run(home, &["check", "--verify-data", "repo"]).map(Some),
            Self::Restic => self.run(home, &["check", "-q", "--read-data", "-r", "repo"]).map(Some),
        }
    }

    fn dir(self, home: &Path) -> PathBuf {
        home.join(self.name())
    }

    fn run(self, home: &Path, args: &[&str]) -> Result<Value> {
        self.run_in(&self.dir(home), home, args)
    }

    fn run_in(self, folder: &Path, home: &Path, args: &[&str]) -> Result<Value> {
        let config = self.dir(home).join("config");
        let environment = format!(
            "BORG_PASSPHRASE=bench BORG_RELOCATED_REPO_ACCESS_IS_OK=yes RESTIC_PASSWORD=bench NOTMUCH_CONFIG={}",
            if self == Self::Notmuch { text(&config) } else { "" }
        );
        let mut all = vec![text(folder), environment.as_str(), self.name()];
        all.extend_from_slice(args);
        child::run(home, "command", &all)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
