//! Commands that change folders.

use archive_core::FolderPath;
use clap::Subcommand;

/// Commands below `folder`.
#[derive(Debug, Subcommand)]
pub enum Folder {
    /// Make a folder, and the folders above it that do not exist
    #[command(after_help = "Examples:\n  mailkeep folder new anna/projects/bridge\n  mailkeep folder new anna/projects --dry-run")]
    New {
        /// Its path, such as anna/projects
        folder: FolderPath,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Give a folder another name
    #[command(after_help = "Examples:
  mailkeep folder rename anna/projects work
  mailkeep folder rename anna anna.smith

Searches, rights and imports that name the folder by its old path are not changed.")]
    Rename {
        /// The path of the folder
        folder: FolderPath,
        /// Its new name, without the folders above it
        name: String,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Move a folder, with everything in it, to another path
    #[command(after_help = "Examples:
  mailkeep folder move anna/bridge anna/done/bridge
  mailkeep folder move anna/bridge berta/bridge --dry-run

Searches, rights and imports that name the folder by its old path are not changed.")]
    Move {
        /// The path of the folder
        from: FolderPath,
        /// Its new path, with its name; folders above it are made
        to: FolderPath,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove a folder in which there is no mail, and the folders below it
    #[command(after_help = "Examples:\n  mailkeep folder remove anna/projects\n  mailkeep folder remove anna/projects --dry-run")]
    Remove {
        /// The path of the folder
        folder: FolderPath,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove all folders without mail; user archives stay
    #[command(after_help = "Examples:\n  mailkeep folder prune --dry-run\n  mailkeep folder prune anna/projects")]
    Prune {
        /// Only this folder and those below it
        folder: Option<FolderPath>,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl Folder {
    /// Whether nothing is changed.
    pub fn is_dry_run(&self) -> bool {
        let (Self::New { dry_run, .. }
        | Self::Rename { dry_run, .. }
        | Self::Move { dry_run, .. }
        | Self::Remove { dry_run, .. }
        | Self::Prune { dry_run, .. }) = self;
        *dry_run
    }
}
