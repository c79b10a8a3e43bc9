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

Without a terminal, --recovery-key-file or --passphrase-file must be given: an archive that one lost disk closes for ever is none.")]
pub struct Init {
    /// An empty folder, or one to be made
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Name of the first user archive, into which mail goes
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
}

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep import ~/Mail
  mailkeep import takeout.zip --into anna/google --receipts receipts.jsonl
  mailkeep import users/* --each-into '{name}'

What has a receipt is durable, whatever happens later.")]
pub struct Import {
    /// mbox, Maildir, MH, .eml, .emlx, folders of these, gz, zst, tgz and zip of these; or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// The folder it goes into, as anna/inbox; without it a folder named like the source, below the owner's
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<FolderPath>,
    /// The folder for each source, with {name} for the name of the source: '{name}' makes a user archive of each
    #[arg(long, value_name = "PATTERN", conflicts_with = "into", value_parser = with_name)]
    pub each_into: Option<String>,
    /// What the source is, where name and content must not decide
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<SourceFormat>,
    /// Write a line into FILE for every mail that is durable
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,
    /// Put what could not be archived into DIR, each piece with the reason beside it
    #[arg(long, value_name = "DIR")]
    pub failed: Option<PathBuf>,
    /// When a mail is a duplicate: same bytes but for status headers in its folder; same bytes in its folder; same mail anywhere
    #[arg(long, value_name = "RULE", default_value = "folder")]
    pub duplicates: DuplicateRule,
    /// What labels of Gmail are for: kept in the record; or also the folder of the mail (inbox, sent, drafts, spam, trash, or your first label)
    #[arg(long, value_name = "RULE", default_value = "record")]
    pub labels: LabelsFor,
    /// Make mails durable one by one, or in batches
    #[arg(long, value_name = "HOW", default_value = "batch")]
    pub commit: CommitRule,
    /// Take mails too that their program had marked as deleted
    #[arg(long)]
    pub with_deleted: bool,
    /// Show the folders and how many mails would go there; store nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep check ~/Mail/inbox.mbox
  mailkeep check ~/Mail && echo the source can go

Each mail is read from the archive again and compared by its digest. Exit code 0 only if all are there.")]
pub struct Check {
    /// As for `import`
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// What the source is, where name and content must not decide
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<SourceFormat>,
    /// Look at mails too that their program had marked as deleted
    #[arg(long)]
    pub with_deleted: bool,
}

/// Arguments of `lost`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep lost
  mailkeep lost --export found && mailkeep lost --import

Nothing of it had a receipt. It stays where it is until newer crashes need its room.")]
pub struct Lost {
    /// Write its mails into DIR as .eml files, never over a file
    #[arg(long, value_name = "DIR", conflicts_with = "import")]
    pub export: Option<PathBuf>,
    /// Import its mails that the archive does not have into the folders they were meant for
    #[arg(long)]
    pub import: bool,
}

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep demo
  mailkeep demo my-demo")]
pub struct Demo {
    /// The folder it is made in, which must not be there yet
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
pub enum CommitRule {
    /// Each on its own.
    Each,
    /// Many at a time.
    Batch,
}

fn with_name(text: &str) -> Result<String, String> {
    match text.contains("{name}") {
        true => Ok(text.to_owned()),
        false => Err("it has no {name}, so all sources would go into one folder; --into does that".to_owned()),
    }
}
