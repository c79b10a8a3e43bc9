//! Commands that look after an archive.

use std::path::PathBuf;

use clap::Subcommand;

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
    /// Note in the user's folder for state that everything was verified; `stats` shows it
    #[arg(long, conflicts_with_all = ["quick", "part", "store"])]
    pub note: bool,
    /// Accept the damage that is found: it is recorded, and listed apart from now on
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
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Accept an archive that is an older state of itself, or an `archive.mk` that is not the one recorded
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

fn part(text: &str) -> Result<(u32, u32), String> {
    let numbers = text.split_once('/').and_then(|(no, of)| Some((no.parse().ok()?, of.parse().ok()?)));
    numbers.filter(|(no, of)| (1..=*of).contains(no)).ok_or_else(|| "parts look like 3/7, the third of seven".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_one_of_several() {
        assert_eq!((part("1/1"), part("3/7")), (Ok((1, 1)), Ok((3, 7))));
        for wrong in ["0/3", "4/3", "1/0", "3", "a/b", "/", "-1/2"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
