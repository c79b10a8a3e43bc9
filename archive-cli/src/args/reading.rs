//! Commands that find mail and give it back.

use std::path::PathBuf;

use archive_core::{FolderPath, MessageId};
use clap::ValueEnum;

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep search invoice from:ada after:2024 --sort size
  mailkeep search --phrase \"annual report\" --not draft --limit 5

Put short options before the query; after it, -word excludes. Long options work anywhere. Everything after -- is query text.")]
pub struct Search {
    /// Words, fields and filters, such as: invoice from:ada -draft; - reads the query from standard input
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
    /// These words in this order; may be given more than once
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub phrase: Vec<String>,
    /// Exclude mails with this text; may be given more than once
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub not: Vec<String>,
    /// Show a mail that is in several folders once, with its other folders below it
    #[arg(long)]
    pub once: bool,
    /// Only mails in this folder and its subfolders
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<String>,
    /// With --folder: without its subfolders
    #[arg(long, requires = "folder")]
    pub no_subfolders: bool,
    /// A query that the sender must match
    #[arg(long, value_name = "QUERY")]
    pub from: Option<String>,
    /// A query that the recipients must match (To, Cc, Bcc)
    #[arg(long, value_name = "QUERY")]
    pub to: Option<String>,
    /// Dated at or after the start of this day, month or year: 2024, 2024-03, 2024-03-01, 30.11.2020, 7d, 1y, yesterday
    #[arg(long, value_name = "DATE")]
    pub after: Option<String>,
    /// Dated at or before the end of this day, month or year
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// Archived at or after the start of this day, month or year
    #[arg(long, value_name = "DATE")]
    pub archived_after: Option<String>,
    /// Archived at or before the end of this day, month or year
    #[arg(long, value_name = "DATE")]
    pub archived_before: Option<String>,
    /// At least this size: 500K, 1.5M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub larger: Option<u64>,
    /// At most this size
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub smaller: Option<u64>,
    /// Only mails with attachments, or only mails without
    #[arg(long, value_name = "YES|NO")]
    pub attachments: Option<YesNo>,
    /// The importance that the sender set
    #[arg(long, value_name = "LEVEL")]
    pub importance: Option<Importance>,
    /// Only this store, by number
    #[arg(long, value_name = "NUMBER")]
    pub store: Option<u32>,
    /// The order of hits; `party` is the recipient of sent mail, else the sender
    #[arg(long, value_name = "KEY", default_value = "date")]
    pub sort: HitOrder,
    /// Reverse the order
    #[arg(long)]
    pub reverse: bool,
    /// Show at most N hits [default: 20 on a terminal, else all]
    #[arg(long, value_name = "N", value_parser = super::count)]
    pub limit: Option<usize>,
    /// Continue after a page: the cursor from its --json summary
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// Print only the number of hits
    #[arg(long)]
    pub count: bool,
    /// Print only how many hits there are of each year, month, ...; may be given more than once
    #[arg(long, value_name = "KEY")]
    pub by: Vec<CountKey>,
    /// Show the matching text of each hit
    #[arg(long)]
    pub snippets: bool,
    /// Explain how the query is understood, and how many mails each clause matches alone
    #[arg(long, conflicts_with = "why")]
    pub explain: bool,
    /// Explain which clauses this mail matches, and in which fields
    #[arg(long, value_name = "ID")]
    pub why: Option<MessageId>,
}

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").args(["raw", "headers", "part", "record", "thread", "save"]))]
#[command(group = clap::ArgGroup::new("bytes").args(["raw", "headers", "part"]))]
#[command(after_help = "Examples:
  mailkeep show 1:42
  mailkeep show 1:42 --raw -o mail.eml
  mailkeep show 1:42 1:43 --save attachments")]
pub struct Show {
    /// Ids of mails, as printed by `search` and `ls`
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<MessageId>,
    /// Print the exact bytes
    #[arg(long)]
    pub raw: bool,
    /// Print the header unchanged
    #[arg(long)]
    pub headers: bool,
    /// Print the decoded bytes of part N
    #[arg(long, value_name = "N")]
    pub part: Option<u32>,
    /// Print what the archive has recorded about the mail
    #[arg(long)]
    pub record: bool,
    /// List the mails of its thread
    #[arg(long)]
    pub thread: bool,
    /// Save the attachments to DIR; existing files are never overwritten
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// With --raw, --headers or --part: write to FILE, which must not exist yet; - is standard output
    #[arg(short, long, value_name = "FILE", requires = "bytes")]
    pub output: Option<PathBuf>,
}

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep ls
  mailkeep ls anna/inbox --sort size

Lists the folders in a folder, with the totals of everything below them, then its mails, newest first.")]
pub struct Ls {
    /// A folder, such as anna/inbox [default: the user archives]
    pub folder: Option<FolderPath>,
    /// List folders at every depth, and no mails
    #[arg(short = 'R', long, conflicts_with = "messages")]
    pub recursive: bool,
    /// List the mails of the folder and of its subfolders
    #[arg(long)]
    pub messages: bool,
    /// List deleted mails: of the folder and its subfolders, or of all folders
    #[arg(long, conflicts_with_all = ["recursive", "messages", "sort"])]
    pub deleted: bool,
    /// Show at most N mails [default: 20 of a folder on a terminal, else all]
    #[arg(long, value_name = "N", value_parser = super::count)]
    pub limit: Option<usize>,
    /// The order: folders by name, messages or size; mails by date (newest first), archived, from, subject or size
    #[arg(long, value_name = "KEY")]
    pub sort: Option<SortKey>,
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep export out --manifest && (cd out && sha256sum -c SHA256SUMS)
  mailkeep export out --format mbox --folder anna/inbox
  mailkeep export - --query from:ada | zstd > ada.mbox.zst")]
pub struct Export {
    /// An empty or new folder; - writes one mbox to standard output
    #[arg(value_name = "DEST")]
    pub dest: PathBuf,
    /// A file for each mail, an mbox for each folder, or a Maildir for each folder [default: eml; mbox for -]
    #[arg(long)]
    pub format: Option<ExportKind>,
    /// Only this folder and its subfolders
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<FolderPath>,
    /// Only mails that match this query
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,
    /// Write SHA256SUMS (a line per file) and MANIFEST.jsonl (a line per mail)
    #[arg(long)]
    pub manifest: bool,
    /// Write only what is missing; DEST may contain files
    #[arg(long)]
    pub update: bool,
    /// Add header fields with the archive and folder of the mail (eml only)
    #[arg(long)]
    pub origin: bool,
}

impl Export {
    /// Whether the export goes to standard output.
    pub fn is_stream(&self) -> bool {
        self.dest.as_os_str() == "-"
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "they say what they are")]
pub enum YesNo {
    Yes,
    No,
}

/// Importance by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are those of archive_core::Level")]
pub enum Importance {
    Low,
    Normal,
    High,
}

/// Orders of `search`: date, archived and size with the newest and largest first, all others alphabetically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are those of archive_core::OrderKey")]
pub enum HitOrder {
    Date,
    Archived,
    Party,
    Sender,
    Subject,
    Size,
    Folder,
}

/// Counts of `search --by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are those of archive_core::CountBy")]
pub enum CountKey {
    Year,
    Month,
    From,
    Folder,
    Type,
}

/// Orders of `ls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "they say what they are")]
pub enum SortKey {
    Name,
    Messages,
    Size,
    Date,
    Archived,
    From,
    Subject,
}

/// What `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the option says what they are; their own help would make the help of all options long")]
pub enum ExportKind {
    Eml,
    Mbox,
    Maildir,
}

fn size(text: &str) -> Result<u64, String> {
    archive_core::read_size(text).ok_or_else(|| "sizes look like 5000, 500K, 5M or 1G".to_owned())
}
