//! Commands that find mail and give it back.

use std::path::PathBuf;

use archive_core::{FolderPath, MessageId};
use clap::ValueEnum;

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep search invoice from:ada after:2024 --sort size
  mailkeep search --phrase \"annual report\" --not draft --limit 5

Long options count anywhere, short ones only before the first word: after it, -word excludes. After -- all is query.")]
pub struct Search {
    /// Words, joined by blanks; or - to read the query from standard input
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
    /// These words one after the other; may be given more than once
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub phrase: Vec<String>,
    /// Nothing with this text; may be given more than once
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub not: Vec<String>,
    /// Show a mail that is in several folders once, with its other folders below it
    #[arg(long)]
    pub once: bool,
    /// Only mails in this folder and those below it
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<String>,
    /// With --folder: not in those below it
    #[arg(long, requires = "folder")]
    pub no_subfolders: bool,
    /// A query that the senders meet
    #[arg(long, value_name = "QUERY")]
    pub from: Option<String>,
    /// A query that receivers meet (To, Cc, Bcc)
    #[arg(long, value_name = "QUERY")]
    pub to: Option<String>,
    /// Dated from the start of this day, month or year on: 2024, 2024-03, 2024-03-01, 30.11.2020, 7d, 1y, yesterday
    #[arg(long, value_name = "DATE")]
    pub after: Option<String>,
    /// Dated up to the end of it
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// Archived from the start of it on
    #[arg(long, value_name = "DATE")]
    pub archived_after: Option<String>,
    /// Archived up to the end of it
    #[arg(long, value_name = "DATE")]
    pub archived_before: Option<String>,
    /// At least so many bytes: 500K, 1.5M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub larger: Option<u64>,
    /// At most so many bytes
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub smaller: Option<u64>,
    /// With attachments, or without
    #[arg(long, value_name = "YES|NO")]
    pub attachments: Option<YesNo>,
    /// The importance that the sender set
    #[arg(long, value_name = "LEVEL")]
    pub importance: Option<Importance>,
    /// Only this store
    #[arg(long, value_name = "NUMBER")]
    pub store: Option<u32>,
    /// The order of hits
    #[arg(long, value_name = "KEY", default_value = "date")]
    pub sort: HitOrder,
    /// The order the other way round
    #[arg(long)]
    pub reverse: bool,
    /// At most so many hits [default: 20 on a terminal, else all]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Go on after a page: the cursor that its summary gave with --json
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// Only say how many there are
    #[arg(long)]
    pub count: bool,
    /// Only count the hits by this; may be given more than once
    #[arg(long, value_name = "KEY")]
    pub by: Vec<CountKey>,
    /// Show of each hit the place that has the words
    #[arg(long)]
    pub snippets: bool,
    /// Say how the query is read, and what each clause finds alone
    #[arg(long, conflicts_with = "why")]
    pub explain: bool,
    /// Say which clauses this mail meets, and where
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
    /// Ids of mails, as `search` and `ls` print them
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<MessageId>,
    /// The exact bytes
    #[arg(long)]
    pub raw: bool,
    /// The header as it is
    #[arg(long)]
    pub headers: bool,
    /// The decoded bytes of part N
    #[arg(long, value_name = "N")]
    pub part: Option<u32>,
    /// What the archive knows of the mail
    #[arg(long)]
    pub record: bool,
    /// The mails that it answers and that answer it
    #[arg(long)]
    pub thread: bool,
    /// Save the attachments into DIR, never over a file that is there
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// With --raw, --headers or --part: write the bytes to FILE, which must not be there yet; - is standard output
    #[arg(short, long, value_name = "FILE", requires = "bytes")]
    pub output: Option<PathBuf>,
}

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep ls
  mailkeep ls anna/inbox --sort size

What lies in the folder itself: folders, with the sums of all below them, then mails, newest first.")]
pub struct Ls {
    /// A folder, as anna/inbox; without it the user archives
    pub folder: Option<FolderPath>,
    /// List folders of every depth, and no mails
    #[arg(short = 'R', long, conflicts_with = "messages")]
    pub recursive: bool,
    /// List the mails of the folder and of all below it
    #[arg(long)]
    pub messages: bool,
    /// At most so many mails [default: 20 of a folder on a terminal, else all]
    #[arg(long, value_name = "N")]
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
    /// An empty folder, or one to be made; - for one mbox on standard output
    #[arg(value_name = "DEST")]
    pub dest: PathBuf,
    /// A file for each mail, an mbox for each folder, or a Maildir for each folder [default: eml; mbox for -]
    #[arg(long)]
    pub format: Option<ExportKind>,
    /// Only this folder and those below it
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<FolderPath>,
    /// Only mails that meet this query
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,
    /// Write SHA256SUMS, a line a file, and MANIFEST.jsonl, a line a mail
    #[arg(long)]
    pub manifest: bool,
    /// DEST may have files; write only what is missing
    #[arg(long)]
    pub update: bool,
    /// Put header fields in front that name the archive and the folder it was in (eml only)
    #[arg(long)]
    pub origin: bool,
}

impl Export {
    /// Whether it goes to standard output.
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

/// Orders of `search`: date, archived and size the newest and largest first, all else by the alphabet.
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
pub enum ExportKind {
    /// A file for each mail.
    Eml,
    /// An mbox for each folder.
    Mbox,
    /// A Maildir for each folder.
    Maildir,
}

fn size(text: &str) -> Result<u64, String> {
    archive_core::read_size(text).ok_or_else(|| "sizes look like 5000, 500K, 5M or 1G".to_owned())
}
