//! The command line as types, in a file for each group of commands. What is not declared here is unknown.

mod folders;
mod intake;
mod reading;
mod stores;
mod upkeep;

use std::ffi::OsString;
use std::path::PathBuf;

use archive_core::Zone;
use clap::{CommandFactory, Parser, Subcommand};

pub use folders::*;
pub use intake::*;
pub use reading::*;
pub use stores::*;
pub use upkeep::*;

/// Options that come last in every help.
const EVERYWHERE: &str = "Options of every command";

/// Keeps e-mail for decades: encrypted, compressed, deduplicated, searchable, provably unchanged.
#[derive(Debug, Parser)]
#[command(name = "mailkeep", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  mailkeep demo
  mailkeep import --help

Exit codes:
  0    success
  1    done, but the report names a problem
  2    wrong usage
  3    input or output failed
  10   no archive that this version can read
  11   the archive is in use
  12   no key opens it
  130  stopped")]
pub struct Args {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The archive's folder [env: MAILKEEP_ARCHIVE] [default: this folder or one above it, then your first archive]
    #[arg(short, long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// Open with this key file [env: MAILKEEP_KEY_FILE]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Open with the passphrase in this file [env: MAILKEEP_PASSPHRASE, the passphrase itself]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Open with the recovery key in this file (`init` writes it there)
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub recovery_key_file: Option<PathBuf>,
    /// Print one JSON object per line
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Print errors and results only: no progress, notices or summaries
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Show times in this zone, such as Europe/Berlin or +02:00
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "ZONE", value_parser = zone)]
    pub tz: Option<Zone>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an archive
    Init(Init),
    /// Archive mail from mailboxes, folders of mailboxes, or packed files
    Import(Import),
    /// Check that every mail of a mailbox is in the archive
    Check(Check),
    /// Find mails
    #[command(override_usage = "mailkeep search [OPTIONS] QUERY...\n       mailkeep search [OPTIONS] -- QUERY...")]
    Search(Box<Search>),
    /// Show a mail, or get its bytes
    Show(Show),
    /// List folders and mails
    Ls(Ls),
    /// Make, rename, move and remove folders
    #[command(subcommand)]
    Folder(Folder),
    /// Write mails to files
    Export(Export),
    /// Delete mails; `undelete` brings them back
    Delete(Delete),
    /// Bring deleted mails back
    Undelete(Undelete),
    /// Erase from all files what was deleted
    Compact(Compact),
    /// Run a command, such as a backup, while nothing in the archive changes
    Freeze(Freeze),
    /// List, create, attach, detach and change the stores of the archive
    #[command(subcommand)]
    Store(Store),
    /// Read and check everything
    Verify(Verify),
    /// Make an archive that refuses mail accept it again
    Repair(Repair),
    /// List, export or re-import what a crash left unfinished
    Lost(Lost),
    /// Show what the archive contains and its size on disk
    Stats(Stats),
    /// Rebuild what can be derived from the mails
    #[command(subcommand)]
    Rebuild(Rebuild),
    /// Show and change the keys of the archive
    #[command(subcommand)]
    Key(Key),
    /// Try everything in a separate folder
    Demo(Demo),
    /// Print completions for a shell
    #[command(after_help = "Examples:\n  mailkeep completions bash > mailkeep.bash")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages into a folder
    #[command(after_help = "Examples:\n  mailkeep man pages && man pages/mailkeep.1")]
    Man {
        /// The folder
        dir: PathBuf,
    },
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::named(text).ok_or_else(|| "zones look like Europe/Berlin, UTC or +02:00".to_owned())
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "give a whole number, such as 20".to_owned())
}

/// Moves the words of a query after `--`, so that `-word` there is an exclusion and long options count anywhere.
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
}
