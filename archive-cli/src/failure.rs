//! The failures of commands, their messages, and the exit codes of docs/CLI.md.

use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use archive_core::Error;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::out::escape;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is done.
    Done,
    /// Done, but the report names something that is wrong.
    Wrong,
    /// Wrong usage, or an id that does not exist.
    Misuse,
    /// Input or output failed.
    Io,
    /// No archive that this version can read.
    NoArchive,
    /// Another process has the archive open.
    InUse,
    /// No key opens the archive.
    NoKey,
    /// The user stopped it.
    Stopped,
    /// The code of a command that was run.
    Command(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Wrong => 1,
            Exit::Misuse => 2,
            Exit::Io => 3,
            Exit::NoArchive => 10,
            Exit::InUse => 11,
            Exit::NoKey => 12,
            Exit::Stopped => 130,
            Exit::Command(code) => code,
        })
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The library's answer.
    #[error("{0}")]
    Archive(#[from] Error),
    /// A query that cannot be understood, with the place at fault below it.
    #[error("{message}\n{}", pointed(query, place))]
    Query {
        /// What is wrong, and what was expected.
        message: String,
        /// The query as it was given.
        query: String,
        /// The bytes at fault.
        place: Range<usize>,
    },
    /// The command cannot be carried out as given.
    #[error("{0}")]
    Usage(String),
    /// An error about a file outside the archive.
    #[error("{}: cannot {doing}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Standard output or standard input.
    #[error("{0}")]
    Pipe(#[from] io::Error),
    /// No archive was found in any of the places.
    #[error("{0}")]
    NoArchive(String),
    /// A file that was named or stored as a key cannot be read.
    #[error("{}: cannot read the key: {source}; give --key-file, --passphrase-file or --recovery-key-file", path.display())]
    NoKeyFile {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// No key was found in any of the places.
    #[error("no key for archive {archive}: it opens with {needed}; {hint}")]
    NoKey {
        /// The archive's id.
        archive: String,
        /// What would open it.
        needed: String,
        /// How to give it.
        hint: String,
    },
}

impl Failure {
    /// A failed operation on a file outside the archive.
    pub fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }

    /// The reader of the output went away, as `head` does.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Pipe(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Archive(error) => match error.code() {
                "not_an_archive" | "unfinished_creation" | "format_too_new" | "format_too_old" | "broken_identity" | "unknown_feature" => {
                    Exit::NoArchive
                }
                "in_use" => Exit::InUse,
                "wrong_key" | "bad_key" => Exit::NoKey,
                "no_such_message"
                | "deleted"
                | "no_such_part"
                | "no_such_folder"
                | "no_such_store"
                | "ambiguous_folder"
                | "denied"
                | "misuse"
                | "not_a_mail"
                | "query"
                | "exists"
                | "read_only"
                | "folder_exists"
                | "folder_not_empty"
                | "store_exists"
                | "store_write_protected"
                | "not_a_store" => Exit::Misuse,
                "stopped" => Exit::Stopped,
                _ => Exit::Io,
            },
            Self::Usage(_) | Self::Query { .. } => Exit::Misuse,
            Self::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => Exit::Misuse,
            Self::File { .. } | Self::Pipe(_) => Exit::Io,
            Self::NoArchive(_) => Exit::NoArchive,
            Self::NoKey { .. } | Self::NoKeyFile { .. } => Exit::NoKey,
        }
    }

    /// The stable name for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Usage(_) => "usage",
            Self::Query { .. } => "query",
            Self::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => "exists",
            Self::File { .. } | Self::Pipe(_) => "io",
            Self::NoArchive(_) => "not_an_archive",
            Self::NoKey { .. } | Self::NoKeyFile { .. } => "no_key",
        }
    }

    /// The error object of docs/CLI.md.
    pub fn json(&self) -> Value {
        let message = match self {
            Self::Query { message, .. } => message.clone(),
            failure => failure.to_string(),
        };
        error_json(self.code(), &message, &self.context())
    }

    fn context(&self) -> Value {
        let path = |path: &Path| json!({ "path": path.to_string_lossy() });
        match self {
            Self::Archive(error) => match error {
                Error::Damage(damage) => json!({ "file": damage.file.to_string_lossy(), "offset": damage.offset, "length": damage.len }),
                Error::WrongKey { archive, needed, .. } => json!({ "archive": archive, "needed": needed }),
                Error::InUse { path, holder } => json!({ "path": path.to_string_lossy(), "holder": holder }),
                Error::NoSuchMessage(id) | Error::Deleted { message: id, .. } => json!({ "id": id.to_string() }),
                Error::NoSuchMessages(ids) => json!({ "ids": ids }),
                Error::NoSuchPart { message, part } => json!({ "id": message.to_string(), "part": part }),
                Error::NoSuchFolder(folder) | Error::FolderExists(folder) => json!({ "folder": folder }),
                Error::StoreNotOpen { store, why } => json!({ "store": store, "why": why.code() }),
                Error::StoreWriteProtected { store } | Error::StoreBusy { store } | Error::StoreExists(store) => json!({ "store": store }),
                Error::FolderNotEmpty { path, messages } => json!({ "folder": path, "messages": messages }),
                Error::AmbiguousFolder { path, folders } => json!({ "folder": path, "folders": folders }),
                Error::Io(error) => path(&error.path),
                Error::NotAnArchive { path: at, .. }
                | Error::BrokenIdentity { path: at }
                | Error::Unfinished { path: at }
                | Error::LockLost { path: at }
                | Error::TooNew { path: at, .. }
                | Error::Exists { path: at, .. }
                | Error::NotAStore { path: at, .. }
                | Error::Source { path: at, .. } => path(at),
                _ => json!({}),
            },
            Self::File { path: at, .. } | Self::NoKeyFile { path: at, .. } => path(at),
            Self::Query { place, .. } => json!({ "start": place.start, "end": place.end }),
            Self::NoKey { archive, needed, .. } => json!({ "archive": archive, "needed": needed }),
            Self::Usage(_) | Self::Pipe(_) | Self::NoArchive(_) => json!({}),
        }
    }
}

/// Letters of a query that are shown on each side of a place.
const AROUND: usize = 30;

/// The query with carets below the place at fault; of a long query, only the letters around it.
fn pointed(query: &str, place: &Range<usize>) -> String {
    let part = |range: Range<usize>| query.get(range).unwrap_or_default();
    let (before, at, after) = (part(0..place.start), part(place.clone()), part(place.end..query.len()));
    let skipped = before.chars().count().saturating_sub(AROUND);
    let before: String = before.chars().skip(skipped).collect();
    let shown = |text: String| escape::line(&text);
    let (before, at) = (shown(before), shown(at.chars().take(AROUND).collect()));
    let after = shown(after.chars().take(AROUND).collect());
    let carets = "^".repeat(at.width().max(1));
    format!("  {before}{at}{after}\n  {}{carets}", " ".repeat(before.width()))
}

fn error_json(code: &str, message: &str, context: &Value) -> Value {
    json!({ "error": { "code": code, "message": message, "context": context } })
}

/// Prints what clap found wrong, or the requested help.
pub fn bad_arguments(error: &clap::Error, json: bool) -> ExitCode {
    use clap::error::ErrorKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _closed_pipe = error.print();
        return Exit::Done.into();
    }
    if json {
        let text = error.render().to_string();
        let said = text.lines().take_while(|line| !line.starts_with("Usage:")).map(str::trim).filter(|line| !line.is_empty());
        let message = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command given; --help lists the commands".to_owned(),
            _ => said.collect::<Vec<_>>().join(" "),
        };
        let message = message.trim_start_matches("error: ");
        let _closed_pipe = writeln!(io::stdout(), "{}", error_json("usage", message, &json!({})));
    } else {
        let _closed_pipe = error.print();
    }
    Exit::Misuse.into()
}
