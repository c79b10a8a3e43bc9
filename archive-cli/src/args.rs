//! The command line as types. What is not declared here is unknown.

use std::ffi::OsString;
use std::path::PathBuf;

use archive_core::source::Format;
use archive_core::{Duplicates, FolderPath, MessageId};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

/// Keeps e-mail for decades: encrypted, compressed, deduplicated, searchable, provably unchanged.
#[derive(Debug, Parser)]
#[command(name = "mailkeep", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  mailkeep demo
  mailkeep import --help

Exit codes: 0 done; 1 done, but the report names something wrong; 2 bad use; 3 input or output failed; 10 no archive;
11 in use; 12 no key; 130 stopped.")]
pub struct Args {
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The archive's folder [env: MAILKEEP_ARCHIVE] [default: this folder or one above it, then your first archive]
    #[arg(short, long, global = true, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// Open with this key file [env: MAILKEEP_KEY_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Open with the passphrase in this file [env: MAILKEEP_PASSPHRASE, the passphrase itself]
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Open with the recovery key in this file (`init` writes it there)
    #[arg(long, global = true, value_name = "FILE")]
    pub recovery_key_file: Option<PathBuf>,
    /// One JSON object a line, for machines
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show times in this zone: a name like Europe/Berlin, or an offset like +02:00
    #[arg(long, global = true, value_name = "ZONE", value_parser = zone)]
    pub tz: Option<TimeZone>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an archive
    Init(Init),
    /// Archive mail from mailboxes, folders of them, or packed ones
    Import(Import),
    /// Is every mail of a mailbox in the archive?
    Check(Check),
    /// Find mails
    #[command(override_usage = "mailkeep search [OPTIONS] QUERY...\n       mailkeep search [OPTIONS] -- QUERY...")]
    Search(Box<Search>),
    /// Show a mail, or get its bytes
    Show(Show),
    /// List folders and mails
    Ls(Ls),
    /// Write mails out as files
    Export(Export),
    /// Read and check everything
    Verify(Verify),
    /// Make an archive that takes no mail ready for it again
    Repair(Repair),
    /// What a crash left half done and was put aside: list it, write it out, import it again
    Lost(Lost),
    /// What the archive holds and takes on disk
    Stats(Stats),
    /// Build again what can be built from the mails
    #[command(subcommand)]
    Rebuild(Rebuild),
    /// What opens the archive
    #[command(subcommand)]
    Key(Key),
    /// See all of it at work, in a folder of its own
    Demo(Demo),
    /// Print completions for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages into a folder
    #[command(hide = true)]
    Man {
        /// The folder
        dir: PathBuf,
    },
}

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

What has a receipt is durable, whatever happens later.")]
pub struct Import {
    /// mbox, Maildir, MH, .eml, .emlx, folders of these, gz, zst, tgz and zip of these; or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// The folder it goes into, as anna/inbox; without it a folder named like the source, below the owner's
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<FolderPath>,
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

/// Arguments of `repair`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep repair --dry-run
  mailkeep repair

Nothing is deleted. What is lost is noted, and what is known of it is recorded again. Make a copy of the archive first.")]
pub struct Repair {
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Accept an archive that is an older state of itself, or an `archive.mk` that is not the one recorded
    #[arg(long)]
    pub accept_state: bool,
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
    /// Dated from the start of this day, month or year on: 2024, 2024-03, 2024-03-01, 7d, yesterday, last-month
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
    /// At least so many bytes: 500K, 5M
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
    /// Go on behind a page: the cursor that its summary gave with --json
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
  mailkeep show 1:42 --raw -o mail.eml")]
pub struct Show {
    /// The id of a mail, as `search` and `ls` print it
    pub id: MessageId,
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
  mailkeep ls anna/inbox --messages --sort size")]
pub struct Ls {
    /// A folder, as anna/inbox; without it all folders
    pub folder: Option<FolderPath>,
    /// List the mails of the folders
    #[arg(long)]
    pub messages: bool,
    /// The order: folders by name, messages or size; mails by date (newest first), archived, from, subject or size
    #[arg(long, value_name = "KEY")]
    pub sort: Option<SortKey>,
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep export out --manifest && (cd out && sha256sum -c SHA256SUMS)
  mailkeep export out --format mbox --folder anna/inbox")]
pub struct Export {
    /// An empty folder, or one to be made
    #[arg(value_name = "DEST")]
    pub dest: PathBuf,
    /// A file for each mail, an mbox for each folder, or a Maildir for each folder
    #[arg(long, default_value = "eml")]
    pub format: ExportKind,
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

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep verify
  mailkeep verify --part 3/7")]
pub struct Verify {
    /// The N-th of M parts of mails and containers, and all other files
    #[arg(long, value_name = "N/M", value_parser = part, conflicts_with = "quick")]
    pub part: Option<(u32, u32)>,
    /// This store alone, by name or number
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// The structure alone: every frame, but no mail against its digest
    #[arg(long)]
    pub quick: bool,
    /// Accept the damage that is found: it is recorded, and listed apart from now on
    #[arg(long, conflicts_with_all = ["quick", "part"])]
    pub accept: bool,
}

/// Arguments of `stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep stats
  mailkeep stats --json")]
pub struct Stats {}

/// Commands below `key`.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// List what opens the archive
    #[command(after_help = "Examples:\n  mailkeep key status\n  mailkeep key status --json")]
    Status,
    /// Try one key alone
    #[command(after_help = "Examples:\n  mailkeep key test\n  mailkeep key test --recovery-key-file recovery.txt")]
    Test,
    /// Give the recovery key back once, to prove that it is at hand
    #[command(after_help = "Examples:\n  mailkeep key confirm\n  mailkeep key confirm --recovery-key-file recovery.txt")]
    Confirm,
    /// Add a passphrase that opens the archive too
    #[command(after_help = "Examples:\n  mailkeep key add-passphrase\n  mailkeep key add-passphrase --new-passphrase-file passphrase.txt")]
    AddPassphrase {
        /// The new passphrase; without it, it is asked for
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Remove a passphrase
    #[command(after_help = "Examples:\n  mailkeep key remove-passphrase 1a2b3c4d\n  mailkeep key remove-passphrase 1a2b3c4d --json")]
    RemovePassphrase {
        /// Its slot, as `key status` prints it
        slot: String,
    },
}

/// Commands below `rebuild`.
#[derive(Debug, Subcommand)]
pub enum Rebuild {
    /// Build the full-text index again; searches go on in the old one until it is done
    #[command(after_help = "Examples:\n  mailkeep rebuild index\n  mailkeep rebuild index --dry-run --json")]
    Index {
        /// Only if it needs it, or was marked
        #[arg(long)]
        if_needed: bool,
        /// Only say how the indexes are
        #[arg(long)]
        dry_run: bool,
    },
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

/// When mails become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CommitRule {
    /// Each on its own.
    Each,
    /// Many at a time.
    Batch,
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

fn part(text: &str) -> Result<(u32, u32), String> {
    let numbers = text.split_once('/').and_then(|(no, of)| Some((no.parse().ok()?, of.parse().ok()?)));
    numbers.filter(|(no, of)| (1..=*of).contains(no)).ok_or_else(|| "parts look like 3/7, the third of seven".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    archive_core::read_size(text).ok_or_else(|| "sizes look like 5000, 500K, 5M or 1G".to_owned())
}

fn zone(text: &str) -> Result<TimeZone, String> {
    archive_core::read_zone(text).ok_or_else(|| "zones look like Europe/Berlin, UTC or +02:00".to_owned())
}

/// Puts the words of a query behind `--`, so that `-word` there is an exclusion and long options count wherever they stand.
pub fn with_query_last(given: Vec<OsString>) -> Vec<OsString> {
    let command = Args::command();
    let search: Vec<_> = command.find_subcommand("search").into_iter().flat_map(clap::Command::get_arguments).collect();
    let takes_value = |word: &str| {
        let mut known = command.get_arguments().chain(search.iter().copied());
        known.any(|arg| {
            let is_it = match word.strip_prefix("--") {
                Some(long) => arg.get_long() == Some(long),
                None => arg.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))),
            };
            is_it && arg.get_action().takes_values()
        })
    };
    let (mut options, mut query) = (Vec::new(), Vec::new());
    let mut words = given.into_iter();
    options.extend(words.next());
    let mut in_search = false;
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        if text == "--" && in_search {
            query.extend(words.by_ref());
        } else if text.starts_with("--") || (text.starts_with('-') && text.len() > 1 && query.is_empty()) {
            let has_value = takes_value(&text);
            options.push(word);
            options.extend(has_value.then(|| words.next()).flatten());
        } else if in_search {
            query.push(word);
        } else {
            in_search = text == "search";
            options.push(word);
            if !in_search {
                options.extend(words.by_ref());
            }
        }
    }
    if !query.is_empty() {
        options.push("--".into());
        options.extend(query);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(line: &str) -> String {
        let given = line.split(' ').map(OsString::from).collect();
        let words: Vec<String> = with_query_last(given).into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }

    #[test]
    fn the_declarations_fit_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn words_of_a_query_go_behind_the_options() {
        assert_eq!(moved("mailkeep search a -b --limit 3 c"), "mailkeep search --limit 3 -- a -b c");
        assert_eq!(moved("mailkeep -a dir search -q a -q"), "mailkeep -a dir search -q -- a -q");
        assert_eq!(moved("mailkeep search a -- --limit 3"), "mailkeep search -- a --limit 3");
        assert_eq!(moved("mailkeep search --not -x -"), "mailkeep search --not -x -- -");
        assert_eq!(moved("mailkeep show 1:2 --raw -o -"), "mailkeep show 1:2 --raw -o -");
        assert_eq!(moved("mailkeep -a search ls -x"), "mailkeep -a search ls -x");
    }

    #[test]
    fn parts_are_one_of_several() {
        assert_eq!((part("1/1"), part("3/7")), (Ok((1, 1)), Ok((3, 7))));
        for wrong in ["0/3", "4/3", "1/0", "3", "a/b", "/", "-1/2"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
