//! Commands that make an archive and bring mail into it.

use std::path::PathBuf;

use archive_core::source::Format;
use archive_core::{Duplicates, FolderPath, LabelRule};
use clap::ValueEnum;

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep init ~/mail-archive --owner anna
  mailkeep init mail --owner anna --recovery-key-file recovery.txt

Without a terminal, give --recovery-key-file or --passphrase-file: otherwise losing one disk would lock you out for good.")]
pub struct Init {
    /// An empty or new folder
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Name of the first user archive, which receives mail by default
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
}

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep import ~/Mail
  mailkeep import takeout.zip --into anna/google --receipts receipts.jsonl
  mailkeep import users/* --each-into '{name}'

A mail with a receipt is durable, whatever happens later.")]
pub struct Import {
    /// mbox, Maildir, MH, .eml or .emlx, folders of these, or gz, zst, tgz, zip of these; - reads standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// The target folder, such as anna/inbox [default: a folder named after the source, in the owner's user archive]
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<FolderPath>,
    /// The target folder of each source, where {name} is the name of the source: '{name}' gives each its own user archive
    #[arg(long, value_name = "PATTERN", conflicts_with = "into", value_parser = with_name)]
    pub each_into: Option<String>,
    /// The format of the source [default: detected from name and content]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<SourceFormat>,
    /// Write a line to FILE for every mail that is durable
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,
    /// Write what could not be archived to DIR, each piece with its reason
    #[arg(long, value_name = "DIR")]
    pub failed: Option<PathBuf>,
    /// A mail is a duplicate if its folder has the same bytes apart from status headers (folder), exactly the same bytes (exact), or if its user archive has the same mail (archive)
    #[arg(long, value_name = "RULE", default_value = "folder")]
    pub duplicates: DuplicateRule,
    /// Gmail labels are kept in the record; with `folders` they also choose the folder: inbox, sent, drafts, spam, trash, or your first label
    #[arg(long, value_name = "RULE", default_value = "record")]
    pub labels: LabelsFor,
    /// Make each mail durable separately, which is slower, or many at a time
    #[arg(long, value_name = "HOW", default_value = "batch")]
    pub commit: CommitRule,
    /// Also import mails that their program had marked as deleted
    #[arg(long)]
    pub with_deleted: bool,
    /// Show how many mails would go into which folders, and archive nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep check ~/Mail/inbox.mbox
  mailkeep check ~/Mail && echo the source can go

Each mail is re-read from the archive and its digest compared. The exit code is 0 only if all are there.")]
pub struct Check {
    /// Sources as for `import`: mailboxes, folders of mailboxes, packed files; - reads standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// The format of the source [default: detected from name and content]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<SourceFormat>,
    /// Also check mails that their program had marked as deleted
    #[arg(long)]
    pub with_deleted: bool,
}

/// Arguments of `lost`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep lost
  mailkeep lost --export found && mailkeep lost --import

None of it had a receipt. It is kept until newer crashes need the space.")]
pub struct Lost {
    /// Write its mails to DIR as .eml files; existing files are never overwritten
    #[arg(long, value_name = "DIR", conflicts_with = "import")]
    pub export: Option<PathBuf>,
    /// Import those mails that the archive does not have, into their intended folders
    #[arg(long)]
    pub import: bool,
}

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep demo
  mailkeep demo my-demo")]
pub struct Demo {
    /// The folder to create; it must not exist yet
    #[arg(value_name = "DIR", default_value = "mailkeep-demo")]
    pub dir: PathBuf,
}

/// Formats of sources.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[allow(missing_docs, reason = "the names are those of archive_core::source::Format")]
pub enum SourceFormat {
    Mbox,
    Mboxo,
    Mboxrd,
    Mboxcl,
    Mboxcl2,
    Mmdf,
    Listserv,
    Maildir,
    Mh,
    Eml,
    Emlx,
}

impl From<SourceFormat> for Format {
    fn from(format: SourceFormat) -> Self {
        match format {
            SourceFormat::Mbox => Self::Mbox,
            SourceFormat::Mboxo => Self::Mboxo,
            SourceFormat::Mboxrd => Self::Mboxrd,
            SourceFormat::Mboxcl => Self::Mboxcl,
            SourceFormat::Mboxcl2 => Self::Mboxcl2,
            SourceFormat::Mmdf => Self::Mmdf,
            SourceFormat::Listserv => Self::Listserv,
            SourceFormat::Maildir => Self::Maildir,
            SourceFormat::Mh => Self::Mh,
            SourceFormat::Eml => Self::Eml,
            SourceFormat::Emlx => Self::Emlx,
        }
    }
}

/// When a mail is a duplicate.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[allow(missing_docs, reason = "the names are those of archive_core::Duplicates")]
pub enum DuplicateRule {
    Folder,
    Exact,
    Archive,
}

impl From<DuplicateRule> for Duplicates {
    fn from(rule: DuplicateRule) -> Self {
        match rule {
            DuplicateRule::Folder => Self::Folder,
            DuplicateRule::Exact => Self::Exact,
            DuplicateRule::Archive => Self::Archive,
        }
    }
}

/// What labels are taken for.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[allow(missing_docs, reason = "the names are those of archive_core::LabelRule")]
pub enum LabelsFor {
    Record,
    Folders,
}

impl From<LabelsFor> for LabelRule {
    fn from(rule: LabelsFor) -> Self {
        match rule {
            LabelsFor::Record => Self::Record,
            LabelsFor::Folders => Self::Folders,
        }
    }
}

/// When mails become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the option says what they are; their own help would make the help of all options long")]
pub enum CommitRule {
    Each,
    Batch,
}

fn with_name(text: &str) -> Result<String, String> {
    match text.contains("{name}") {
        true => Ok(text.to_owned()),
        false => Err("it has no {name}, so all sources would go into one folder; --into does that".to_owned()),
    }
}
