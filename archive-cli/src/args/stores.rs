//! Commands that look after the stores of an archive.

use std::path::PathBuf;

use archive_core::{AttachOptions, StoreRule, StoreState};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Commands below `store`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// List the stores
    #[command(after_help = "Examples:\n  mailkeep store list\n  mailkeep store list --json")]
    List,
    /// Create a store
    #[command(after_help = "Examples:
  mailkeep store new 2027
  mailkeep store new 2027 --dir /mnt/fast/2027 --content-dir /mnt/slow/2027

New mail goes into it from then on, unless --state says otherwise; the store that took new mail until then becomes normal.")]
    New {
        /// Its name, which no other store has
        name: String,
        /// Its folder [default: one within the archive]
        #[arg(long)]
        dir: Option<PathBuf>,
        #[command(flatten)]
        parts: Parts,
        /// What it is to be used for
        #[arg(long, default_value = "current", value_parser = states())]
        state: StoreState,
    },
    /// Make a store that was detached part of the archive again
    #[command(after_help = "Examples:
  mailkeep store attach 2019 /mnt/old/2019
  mailkeep store attach 2019 /mnt/old/2019 --state writeProtected

It gets the number that it had, so its mails have the same ids. A store of another archive cannot be attached.")]
    Attach {
        /// Its name, which no other store has
        name: String,
        /// Its folder
        dir: PathBuf,
        #[command(flatten)]
        parts: Parts,
        /// What it is to be used for
        #[arg(long, default_value = "normal", value_parser = states())]
        state: StoreState,
    },
    /// Take a store out of the archive; its files stay as they are
    #[command(after_help = "Examples:
  mailkeep store detach 2019
  mailkeep store detach 3

Its mails are in no list and no search until it is attached again.")]
    Detach {
        /// Its number or name
        store: String,
    },
    /// Give a store another name; its files and folders keep theirs
    #[command(after_help = "Examples:\n  mailkeep store rename 1 2019\n  mailkeep store rename 2019 archive-of-2019")]
    Rename {
        /// Its number or name
        store: String,
        /// Its new name, which no other store has
        name: String,
    },
    /// Say what a store is to be used for
    #[command(after_help = "Examples:
  mailkeep store state 2019 writeProtected
  mailkeep store state 2 current

  current          new mail goes into it; the store that took it until then becomes normal
  normal           it is read and searched, and mails and folders in it can be changed
  writeProtected   it is read and searched, and nothing in it changes
  disabled         it is closed: its mails are in no list and no search, and no new mail is accepted")]
    State {
        /// Its number or name
        store: String,
        /// What it is to be used for
        #[arg(value_parser = states())]
        state: StoreState,
    },
    /// Record where the files of a disabled store are, after you moved them; this moves nothing
    #[command(after_help = "Examples:
  mailkeep store state 2019 disabled && mv ~/mail/stores/1 /mnt/slow/2019
  mailkeep store move 2019 /mnt/slow/2019 && mailkeep store state 2019 normal

No file is moved or copied: move them before, while the store is disabled.")]
    Move {
        /// Its number or name
        store: String,
        /// Where its folder is now
        dir: PathBuf,
        #[command(flatten)]
        parts: Parts,
    },
    /// Show or say when a new store is made by itself
    #[command(after_help = "Examples:
  mailkeep store rule
  mailkeep store rule messages:1000000

  never         never
  messages:N    when the current store has N messages (5,000,000 by default)
  bytes:N       when the mails of the current store have N bytes, each counted once
  monthly       when a month begins
  quarterly     when a quarter begins

The new store is named after the month, such as 2026-12, and takes new mail.")]
    Rule {
        /// When: never, messages:N, bytes:N, monthly or quarterly
        rule: Option<StoreRule>,
    },
    /// Try again to open the stores that could not be opened
    #[command(after_help = "Examples:\n  mailkeep store retry\n  mailkeep store retry --json")]
    Retry,
}

/// Parts of a store that are not in its folder.
#[derive(Debug, clap::Args)]
pub struct Parts {
    /// The folder of its containers [default: content in its folder]
    #[arg(long, value_name = "DIR")]
    pub content_dir: Option<PathBuf>,
    /// The folder of its index [default: index in its folder]
    #[arg(long, value_name = "DIR")]
    pub index_dir: Option<PathBuf>,
}

impl Parts {
    /// With the folder of the store.
    pub fn of(&self, dir: Option<&PathBuf>) -> AttachOptions {
        AttachOptions { dir: dir.cloned(), content_dir: self.content_dir.clone(), index_dir: self.index_dir.clone() }
    }
}

impl Store {
    /// Whether nothing is changed.
    pub fn only_reads(&self) -> bool {
        matches!(self, Self::List | Self::Rule { rule: None })
    }
}

fn states() -> impl TypedValueParser<Value = StoreState> {
    PossibleValuesParser::new(StoreState::ALL.map(StoreState::name)).try_map(|name| StoreState::named(&name).ok_or("no such state"))
}
