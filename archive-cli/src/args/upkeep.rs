//! Commands that look after an archive.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use archive_core::MessageId;
use clap::Subcommand;
use jiff::SignedDuration;

/// Arguments of `delete`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep delete 1:42 1:43 --reason \"sent to the wrong list\"
  mailkeep delete 1:42 --reason \"a test\" --dry-run

All of them are deleted, or none. They are gone from lists and searches at once; `undelete` brings them back.")]
pub struct Delete {
    /// Ids of mails, as printed by `search` and `ls`
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<MessageId>,
    /// Why; it is kept in the archive, with the time
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `undelete`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep undelete 1:42 --reason \"still needed\"
  mailkeep ls --deleted")]
pub struct Undelete {
    /// Ids of deleted mails, as printed by `ls --deleted`
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<MessageId>,
    /// Why; it is kept in the archive, with the time
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Arguments of `compact`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep compact --dry-run
  mailkeep compact --store 2

What is erased cannot be brought back. If it is stopped, the next `compact` goes on with it.")]
pub struct Compact {
    /// Only this store, by number [default: all that are open and may change]
    #[arg(long, value_name = "NUMBER")]
    pub store: Option<u32>,
    /// Show what would be erased, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `freeze`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "mailkeep freeze [OPTIONS] -- COMMAND [ARGS]...")]
#[command(after_help = "Examples:
  mailkeep freeze -- cp -a ~/mail-archive /backup/
  mailkeep freeze --max 10m -- sh -c 'tar -cf /backup/mail.tar \"$MAILKEEP_ARCHIVE\"'

A copy made so has every mail that was archived before. The exit code is that of COMMAND; it is 1 if the time was over
before COMMAND ended, and then its copy is no backup.")]
pub struct Freeze {
    /// The longest time that nothing changes
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub max: Duration,
    /// The command to run, and its arguments; MAILKEEP_ARCHIVE is the archive's folder in it
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep verify
  mailkeep verify --part 3/7")]
pub struct Verify {
    /// Check the N-th of M parts of mails and containers, and all other files
    #[arg(long, value_name = "N/M", value_parser = part, conflicts_with = "quick")]
    pub part: Option<(u32, u32)>,
    /// Only this store, by name or number
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// Check the structure only: every frame, but no digests of mails
    #[arg(long)]
    pub quick: bool,
    /// Remember on this computer that everything was verified; `stats` shows when
    #[arg(long, conflicts_with_all = ["quick", "part", "store"])]
    pub note: bool,
    /// Accept the damage that is found: it is recorded, and listed separately from now on
    #[arg(long, conflicts_with_all = ["quick", "part"])]
    pub accept: bool,
}

/// Arguments of `repair`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep repair --dry-run
  mailkeep repair

Nothing is deleted. What is lost is noted, and what is known of it is recorded again. Make a copy of the archive first.")]
pub struct Repair {
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Accept an older state of the archive, or an `archive.mk` that differs from the recorded one
    #[arg(long)]
    pub accept_state: bool,
}

/// Arguments of `stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mailkeep stats
  mailkeep stats --json")]
pub struct Stats {}

/// Commands below `rebuild`.
#[derive(Debug, Subcommand)]
pub enum Rebuild {
    /// Rebuild the full-text index; searches use the old one until it is done
    #[command(after_help = "Examples:\n  mailkeep rebuild index\n  mailkeep rebuild index --dry-run --json")]
    Index {
        /// Only where it is damaged or marked
        #[arg(long)]
        if_needed: bool,
        /// Only report the state of the indexes
        #[arg(long)]
        dry_run: bool,
    },
}

/// Commands below `key`.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// List the keys that open the archive
    #[command(after_help = "Examples:\n  mailkeep key status\n  mailkeep key status --json")]
    Status,
    /// Test whether a single key opens the archive
    #[command(after_help = "Examples:\n  mailkeep key test\n  mailkeep key test --recovery-key-file recovery.txt")]
    Test,
    /// Enter the recovery key once, to prove that you have it
    #[command(after_help = "Examples:\n  mailkeep key confirm\n  mailkeep key confirm --recovery-key-file recovery.txt")]
    Confirm,
    /// Add a passphrase
    #[command(after_help = "Examples:\n  mailkeep key add-passphrase\n  mailkeep key add-passphrase --new-passphrase-file passphrase.txt")]
    AddPassphrase {
        /// The file with the new passphrase [default: asked for]
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Remove a passphrase
    #[command(after_help = "Examples:\n  mailkeep key remove-passphrase 1a2b3c4d\n  mailkeep key remove-passphrase 1a2b3c4d --json")]
    RemovePassphrase {
        /// Its slot, as printed by `key status`
        slot: String,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|given| Duration::try_from(given).ok());
    parsed.filter(|given| !given.is_zero()).ok_or_else(|| "durations look like 90s, 10m or 2h".to_owned())
}

fn part(text: &str) -> Result<(u32, u32), String> {
    let numbers = text.split_once('/').and_then(|(no, of)| Some((no.parse().ok()?, of.parse().ok()?)));
    numbers.filter(|(no, of)| (1..=*of).contains(no)).ok_or_else(|| "parts look like 3/7, the third of seven".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let seconds = |text| duration(text).map(|given| given.as_secs());
        assert_eq!((seconds("90s"), seconds("10m"), seconds("2h"), seconds("1h30m")), (Ok(90), Ok(600), Ok(7200), Ok(5400)));
        for wrong in ["", "90", "0s", "-1h", "h", "2 moons", "9999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn parts_are_one_of_several() {
        assert_eq!((part("1/1"), part("3/7")), (Ok((1, 1)), Ok((3, 7))));
        for wrong in ["0/3", "4/3", "1/0", "3", "a/b", "/", "-1/2"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
