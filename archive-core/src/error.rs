//! What can go wrong in an archive: one umbrella with stable codes, damage with its place, and whose fault it is.

use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::id::{ContentNo, MessageId};
use crate::vfs::VfsError;

/// Anything that a call of the library can fail with. The text says what, where, and what to do; the code is stable.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed. What has a receipt stays; free some space or fix the medium, and try again. The source
    /// of this error is the [`std::io::Error`].
    #[error(transparent)]
    Io(VfsError),
    /// Bytes on disk are not what was written. Fix: `verify` reports all damage; everything else stays readable.
    #[error("{0}")]
    Damage(#[from] Damage),
    /// There is no archive in this folder. Fix: check the path, or create one.
    #[error("{}: no archive here ({why})", path.display())]
    NotAnArchive {
        /// The requested folder or file.
        path: PathBuf,
        /// What was found instead.
        why: &'static str,
    },
    /// Both copies of an identity file are damaged. Fix: restore `archive.mk` or `store.mk` from a backup.
    #[error("{}: the identity file and its second copy are broken; restore one of them from a backup", path.display())]
    BrokenIdentity {
        /// The identity file.
        path: PathBuf,
    },
    /// Both copies of an identity file were replaced by an older state: a key that was removed since may open it again.
    /// Everything can be read; keys cannot be changed. Fix: restore the newer file, or accept this one by `repair
    /// --accept-state`.
    #[error(
        "{}: this file has generation {found} of the keys, but generation {recorded} was recorded: an older file was put back, and a key that was \
         removed may open it again; mail is read and archived, keys cannot be changed; put back the newer file, or look at the slots with \
         `key status` and accept them with `repair --accept-state`",
        path.display()
    )]
    IdentityOlder {
        /// The identity file.
        path: PathBuf,
        /// The generation that it states.
        found: u64,
        /// The generation that the archive's records name.
        recorded: u64,
    },
    /// Neither copy of an identity file is the one that was recorded. Everything can be read; keys cannot be changed.
    /// Fix: restore a copy from a backup, or accept the present state by `repair --accept-state`.
    #[error(
        "{}: {cause}, in both copies; mail is read and archived, keys cannot be changed; put back a copy from a backup, or look at the slots \
         with `key status` and accept them with `repair --accept-state`",
        path.display()
    )]
    IdentityChanged {
        /// The identity file.
        path: PathBuf,
        /// What is wrong with it.
        cause: DamageCause,
    },
    /// Written in a newer format. Fix: a newer version of this library. Nothing has been changed.
    #[error("{}: format version {found} is newer than {known}, the newest that this version supports; upgrade", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version it names.
        found: u16,
        /// The newest version known here.
        known: u16,
    },
    /// Written in a format that is no longer read. Fix: export the mail with the version that wrote it, and import it
    /// again.
    #[error("{}: format version {found} is no longer read, only {known}; export the mail with the version that wrote it", path.display())]
    TooOld {
        /// The file.
        path: PathBuf,
        /// The version it names.
        found: u16,
        /// The version known here.
        known: u16,
    },
    /// Written by a newer version in a way that allows reading but not writing. Fix: a newer version of this library.
    #[error("{what} {number} is not supported by this version: mail can be read, but nothing is written; upgrade")]
    TooNewToWrite {
        /// What was being read.
        what: String,
        /// The number that is unknown.
        number: u64,
    },
    /// A kind or key that must be understood is unknown. Fix: a newer version of this library. Nothing has been
    /// changed.
    #[error("{what} {number} is not supported by this version; upgrade")]
    UnknownFeature {
        /// What was being read.
        what: &'static str,
        /// The number that is unknown.
        number: u64,
    },
    /// The given key opens none of the archive's slots. Fix: use one of the keys that the message lists.
    #[error("the {given} does not open archive {archive}; it opens with: {needed}")]
    WrongKey {
        /// What was tried.
        given: &'static str,
        /// The archive's id, 32 hex digits.
        archive: String,
        /// The slots that exist.
        needed: String,
    },
    /// The given key is malformed. Fix: the hint.
    #[error("{what}: {hint}")]
    BadKey {
        /// Which key.
        what: String,
        /// What is expected.
        hint: &'static str,
    },
    /// Another process has the archive open. Fix: wait for it, or stop it.
    #[error("{}: in use by another writer ({holder}); wait for it, or stop it", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// The holder, as far as it is known.
        holder: String,
    },
    /// The archive's folder, or the lock file where folders cannot be locked, was moved, removed or replaced while this
    /// process wrote: another process may write too, and nothing has had a receipt since. Fix: leave folder and
    /// `write.lock` alone while they are in use, and open the archive again; what has a receipt stays.
    #[error("{}: the lock was removed, or moved with the folder, while the archive was open for writing; what was written last has no receipt; open the archive again", path.display())]
    LockLost {
        /// The lock: the archive's folder, or the file.
        path: PathBuf,
    },
    /// The creation of an archive was cut short in this folder. Nothing was archived. Fix: create it again, which
    /// clears what was begun.
    #[error("{}: the creation of an archive was interrupted here, and nothing was archived; create it again in this folder", path.display())]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing with this id. Fix: ids are printed by `search` and `ls`.
    #[error("message {0} is not in this archive")]
    NoSuchMessage(MessageId),
    /// Nothing with these ids: nothing was changed. Fix: ids are printed by `search` and `ls`.
    #[error("{}, so nothing was changed", none_of(.0))]
    NoSuchMessages(Vec<MessageId>),
    /// The message was deleted. Fix: `undelete` brings it back, as long as no compaction has removed it.
    #[error("message {message} was deleted{}; `undelete {message}` brings it back", at(*.time))]
    Deleted {
        /// The message.
        message: MessageId,
        /// When: milliseconds since 1970, UTC; `None` where damage took the record of it.
        time: Option<i64>,
    },
    /// A message has no such part, or the part consists of other parts. Fix: `Session::parts` lists them.
    #[error("message {message} has no part {part} with bytes; `show {message}` lists them")]
    NoSuchPart {
        /// The message.
        message: MessageId,
        /// The requested number.
        part: u32,
    },
    /// No store of this number. Fix: `store list` shows them.
    #[error("store {0} is not in this archive")]
    NoSuchStore(u32),
    /// No store takes new mail. Fix: `store state` makes one of them `current`, or `store new` makes one.
    #[error("no store of the archive takes new mail; make one current, or create one")]
    NoCurrentStore,
    /// A store is not open, and what was asked for needs all of them: whether a mail is archived already can only be told
    /// if every store can be asked. Fix: what the reason says; or detach the store, if it is gone for good.
    #[error("store {store} is not open: {why}; open it, or detach it if it is gone for good")]
    StoreNotOpen {
        /// The store's name.
        store: String,
        /// Why.
        why: Box<Error>,
    },
    /// The store is disabled. Fix: give it another state.
    #[error("it is disabled")]
    StoreDisabled,
    /// Messages and folders of the store must not change. Fix: give it another state.
    #[error("store {store} is write-protected; make it `normal` to change it")]
    StoreWriteProtected {
        /// The store's name.
        store: String,
    },
    /// The store could not be closed, since calls still use it. Fix: try again after they have ended.
    #[error("store {store} is in use; try again when the calls that use it have ended")]
    StoreBusy {
        /// The store's name.
        store: String,
    },
    /// Another store has this name. Fix: choose another one.
    #[error("there is a store called {0} already; choose another name")]
    StoreExists(String),
    /// The folder has no store of this archive. Fix: check the path; a store of another archive cannot be attached, but
    /// its mails can be exported and imported.
    #[error("{}: no store of this archive here ({why}); check the path", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        why: &'static str,
    },
    /// The actor may not do this.
    #[error("permission denied: {0}")]
    Denied(&'static str),
    /// No folder of this path.
    #[error("folder `{0}` is not in this archive")]
    NoSuchFolder(String),
    /// The path names several folders, whose names differ only in their Unicode form. Reading uses all of them; nothing
    /// is changed.
    #[error("folder `{path}` could be any of {}, so nothing was changed; choose another folder", folders.join(", "))]
    AmbiguousFolder {
        /// The requested path.
        path: String,
        /// The folders, with everything that is not ASCII written as its code.
        folders: Vec<String>,
    },
    /// A folder of this path, or one whose name differs only in its Unicode form, exists. Nothing was changed. Fix: choose
    /// another name, or move the folder that is there.
    #[error("folder `{0}` exists already; choose another name, or move the one that is there")]
    FolderExists(String),
    /// The folder, or one below it, has messages. Nothing was removed.
    #[error(
        "folder `{path}` has {messages} messages in it and in the folders below, so nothing was removed; `folder prune {path}` removes the empty ones"
    )]
    FolderNotEmpty {
        /// The folder.
        path: String,
        /// How many messages are in it and in all folders below it.
        messages: u64,
    },
    /// A name that was to be created exists already. Fix: use another name, or remove it.
    #[error("{}: already exists{hint}", path.display())]
    Exists {
        /// What exists there.
        path: PathBuf,
        /// What to do.
        hint: &'static str,
    },
    /// The folder of a store is missing. Fix: restore it.
    #[error(
        "{}: the folder of store {store}, which holds its mails, is missing; put it back from a backup; if there is none, make an empty folder in \
         its place, and `repair --accept-state` begins the store again without them",
        path.display()
    )]
    StoreMissing {
        /// The store's name.
        store: String,
        /// The folder.
        path: PathBuf,
    },
    /// The store accepts no mail until it is repaired, since damage was found in what was already durable.
    #[error("store {store} takes no mail until it is repaired: {damage}")]
    NeedsRepair {
        /// The store's name.
        store: String,
        /// The first damage found.
        damage: String,
    },
    /// The store is an older state of itself, or another store: it lacks a commit that was noted elsewhere. It can be
    /// read. Fix: restore the newer files, or accept the present state by `repair --accept-state`.
    #[error(
        "{store} is an older state of itself, or a different one: head {noted:.14} was recorded, head {found:.14} was found; what came later is not in \
         it; put back the newer files, or accept this state with `repair --accept-state` and import the newer sources again"
    )]
    RolledBack {
        /// Which store, or `master/`.
        store: String,
        /// The head that was noted: sequence and chain value.
        noted: String,
        /// The head that was found.
        found: String,
    },
    /// The archive is open for reading only. Fix: open it for writing. Nothing has been changed.
    #[error("the archive is open for reading only, so nothing is changed; open it for writing")]
    ReadOnly,
    /// A compaction by another process has removed a file that this archive, opened for reading, knew. Fix: `Archive::refresh`,
    /// and call again; no mail is lost.
    #[error("{}: removed by a compaction since the archive was opened for reading; refresh it, and try again", path.display())]
    SnapshotGone {
        /// The file.
        path: PathBuf,
    },
    /// A failed sync or write closed the store for writing. Fix: open the archive again; what has a receipt stays.
    #[error("an earlier write failed, so nothing more is written; open the archive again ({cause})")]
    Latched {
        /// The failure.
        #[source]
        cause: Cause<Error>,
    },
    /// The caller asked for something impossible.
    #[error("{what}; {expected}")]
    Misuse {
        /// What is wrong.
        what: String,
        /// What to do instead.
        expected: String,
    },
    /// The archive was closed, through this handle or another one. Fix: open it again.
    #[error("the archive was closed; open it again")]
    Closed,
    /// The process is a fork of the one that opened the archive, and has neither its threads nor its locks. Fix: open the
    /// archive in one of them only, after the fork.
    #[error("the archive was opened by the process that this one was forked from; open archives after the fork")]
    Forked,
    /// A function that the caller passed failed, and ended the call. The source of this error is its error.
    #[error("{0}")]
    Caller(#[source] Cause<dyn std::error::Error + Send + Sync>),
    /// The bytes are never a mail, whatever their name: there are none, or all are zero. Nothing was archived.
    #[error("the mail {why}")]
    NotAMail {
        /// What is wrong with them.
        why: String,
    },
    /// The source of an import or check could not be read at all.
    #[error("{}: {why}", path.display())]
    Source {
        /// The source.
        path: PathBuf,
        /// What was wrong.
        why: String,
    },
    /// The query cannot be understood.
    #[error("{message}{}", .range.as_ref().map_or(String::new(), |range| format!(" (bytes {} to {} of the query)", range.start, range.end)))]
    Query {
        /// What is wrong, and what was expected.
        message: String,
        /// The bytes of the query text that are at fault, if the error is in that text.
        range: Option<Range<usize>>,
    },
    /// A segment of the index is damaged. Searches give it up and continue without it; rebuilding the index fixes it.
    #[error("index: segment of contents {start} to {end} is damaged ({what}); rebuild the index", start = .0.docs.start.0, end = .0.docs.end.0, what = .0.what)]
    IndexDamaged(Box<archive_index::SegmentDamage>),
    /// Catalog or index could not be written. All mail is archived, and the next open catches up. Fix: free space, or
    /// grant the right to write them.
    #[error("{0}; all mail is archived, and the next open brings catalog and index up to date")]
    CachesLag(#[source] VfsError),
    /// The index was written by an earlier version. It was thrown away, and all mails are indexed again. Nothing else is touched.
    #[error("the index is of format {0}, which an earlier version wrote; it was thrown away, and all mails are indexed again")]
    IndexOlder(u64),
    /// The index failed; it can be rebuilt from the store at any time.
    #[error("index: {what}; rebuild the index")]
    Index {
        /// What failed.
        what: String,
    },
    /// The system provided no thread. What has a receipt stays. Fix: a higher limit of processes and threads.
    #[error("no thread could be started ({source}); raise the limit of processes and threads")]
    NoThread {
        /// The system's answer.
        source: Cause<std::io::Error>,
    },
    /// The caller stopped the work; what has a receipt stays.
    #[error("stopped")]
    Stopped,
    /// A promise of this library to itself was broken. Please report it.
    #[error("internal error: {0}; please report it")]
    Bug(&'static str),
}

/// How many ids a message names.
const NAMED: usize = 10;

fn none_of(ids: &[MessageId]) -> String {
    let named: Vec<String> = ids.iter().take(NAMED).map(MessageId::to_string).collect();
    match (ids.len(), ids.len().saturating_sub(NAMED)) {
        (1, _) => format!("message {} is not in this archive", named.join("")),
        (_, 0) => format!("messages {} are not in this archive", named.join(", ")),
        (_, more) => format!("messages {} and {more} more are not in this archive", named.join(", ")),
    }
}

/// A time in an error, if it is known.
fn at(millis: Option<i64>) -> String {
    let time = millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    time.map_or(String::new(), |time| format!(" on {}", time.strftime("%Y-%m-%d at %H:%M UTC")))
}

/// The error behind another one, shared by its clones. It is no error itself: [`source`](std::error::Error::source) gives
/// the error in it, which can be downcast.
pub struct Cause<E: ?Sized>(Arc<E>);

impl<E> From<E> for Cause<E> {
    fn from(error: E) -> Self {
        Self(Arc::new(error))
    }
}

impl<E: ?Sized> Clone for Cause<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: ?Sized> Deref for Cause<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0
    }
}

impl<E: fmt::Debug + ?Sized> fmt::Debug for Cause<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: fmt::Display + ?Sized> fmt::Display for Cause<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<VfsError> for Error {
    fn from(error: VfsError) -> Self {
        match error.is_link() {
            true => Damage::new(&error.path, 0, 0, DamageCause::Link).into(),
            false => Self::Io(error),
        }
    }
}

impl Error {
    /// An error about a query, or about its other criteria.
    pub(crate) fn query(message: impl Into<String>) -> Self {
        Self::Query { message: message.into(), range: None }
    }

    /// The caller asked for something impossible: what is wrong, and what to do instead.
    pub(crate) fn misuse(what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Misuse { what: what.into(), expected: expected.into() }
    }

    /// A folder path that the library made of names is not one.
    pub(crate) fn folder(error: crate::folder::NotAFolderPath) -> Self {
        Self::misuse(error.to_string(), "use another name")
    }

    pub(crate) fn no_thread(source: std::io::Error) -> Self {
        Self::NoThread { source: source.into() }
    }

    /// The error of a function that the caller passed to the library, such as one that receives the bytes of a mail: the
    /// call ends, and returns it.
    #[must_use]
    pub fn caller(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Caller(Cause(error.into().into()))
    }

    /// Whether the same call may succeed later without a change of the archive or of the call: another process has it
    /// open, the disk is full, or a limit of files or threads is reached. Nothing that has a receipt is lost meanwhile;
    /// after [`Error::Latched`] open the archive again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Io(error) => error.is_full() || error.is_out_of_files(),
            Self::InUse { .. } | Self::NoThread { .. } | Self::SnapshotGone { .. } => true,
            _ => false,
        }
    }

    /// A stable name of the error for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(error) if error.is_full() => "disk_full",
            Self::Io(error) if error.is_out_of_files() => "too_many_open_files",
            Self::Io(_) => "io",
            Self::Damage(_) => "damage",
            Self::NotAnArchive { .. } => "not_an_archive",
            Self::BrokenIdentity { .. } => "broken_identity",
            Self::IdentityOlder { .. } => "identity_older",
            Self::IdentityChanged { .. } => "identity_changed",
            Self::TooNew { .. } => "format_too_new",
            Self::TooOld { .. } => "format_too_old",
            Self::TooNewToWrite { .. } => "too_new_to_write",
            Self::UnknownFeature { .. } => "unknown_feature",
            Self::WrongKey { .. } => "wrong_key",
            Self::BadKey { .. } => "bad_key",
            Self::InUse { .. } => "in_use",
            Self::LockLost { .. } => "lock_lost",
            Self::Unfinished { .. } => "unfinished_creation",
            Self::NoSuchMessage(_) | Self::NoSuchMessages(_) => "no_such_message",
            Self::Deleted { .. } => "deleted",
            Self::NoSuchPart { .. } => "no_such_part",
            Self::NoSuchFolder(_) => "no_such_folder",
            Self::FolderExists(_) => "folder_exists",
            Self::FolderNotEmpty { .. } => "folder_not_empty",
            Self::NoSuchStore(_) => "no_such_store",
            Self::NoCurrentStore => "no_current_store",
            Self::StoreNotOpen { .. } => "store_not_open",
            Self::StoreDisabled => "store_disabled",
            Self::StoreWriteProtected { .. } => "store_write_protected",
            Self::StoreBusy { .. } => "store_busy",
            Self::StoreExists(_) => "store_exists",
            Self::NotAStore { .. } => "not_a_store",
            Self::AmbiguousFolder { .. } => "ambiguous_folder",
            Self::Denied(_) => "denied",
            Self::Exists { .. } => "exists",
            Self::NeedsRepair { .. } => "needs_repair",
            Self::StoreMissing { .. } => "store_missing",
            Self::RolledBack { .. } => "rolled_back",
            Self::ReadOnly => "read_only",
            Self::SnapshotGone { .. } => "snapshot_gone",
            Self::Latched { .. } => "latched",
            Self::Misuse { .. } => "misuse",
            Self::Closed => "closed",
            Self::Forked => "forked",
            Self::Caller(_) => "caller",
            Self::NotAMail { .. } => "not_a_mail",
            Self::Source { .. } => "source",
            Self::Query { .. } => "query",
            Self::CachesLag(_) => "caches_lag",
            Self::IndexOlder(_) => "index_older",
            Self::Index { .. } | Self::IndexDamaged(_) => "index",
            Self::NoThread { .. } => "no_thread",
            Self::Stopped => "stopped",
            Self::Bug(_) => "bug",
        }
    }
}

/// Bytes on disk that are not what was written: in which file, where, why, and which contents they cost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: damage at offset {offset}, {len} bytes: {cause}{}", file.display(), self.fix())]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where the damage begins, in bytes from the start of the file.
    pub offset: u64,
    /// How many bytes cannot be trusted.
    pub len: u64,
    /// What is wrong.
    pub cause: DamageCause,
    /// The contents whose bytes are hit, as far as known.
    pub costs: Vec<ContentNo>,
}

/// What fixes damage in caches: all they contain is derived from the records and the mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Rebuilding the index.
    RebuildIndex,
    /// A repair, which rebuilds the catalog from the records. Only if these are whole: if they are damaged, the catalog
    /// may know more.
    RebuildCatalog,
}

impl Damage {
    /// What fixes it, if the file belongs to a cache.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        match (self.file.parent()?.file_name()?.to_str()?, self.file.extension()?.to_str()?) {
            ("index", "mki" | "mkm") => Some(Remedy::RebuildIndex),
            ("catalog", "mks" | "mkm") => Some(Remedy::RebuildCatalog),
            _ => None,
        }
    }

    fn fix(&self) -> &'static str {
        match self.remedy() {
            Some(Remedy::RebuildIndex) => "; rebuild the index",
            Some(Remedy::RebuildCatalog) => "; `repair` rebuilds the catalog from the records, where these are whole",
            None if self.file.extension().is_some_and(|extension| extension == "tmp") => {
                "; nothing of the mail was archived: import it again"
            }
            None => "",
        }
    }

    /// The error for a recorded file that cannot be opened: damage if it is missing.
    pub(crate) fn of_open(error: VfsError) -> Error {
        if error.is_not_found() { Self::new(&error.path, 0, 0, DamageCause::Missing).into() } else { error.into() }
    }

    pub(crate) fn new(file: &Path, offset: u64, len: u64, cause: DamageCause) -> Self {
        Self { file: file.to_owned(), offset, len, cause, costs: Vec::new() }
    }
}

/// What is wrong with bytes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DamageCause {
    /// Checksum mismatch in the fixed header of the file.
    #[error("file header checksum mismatch")]
    Header,
    /// Checksum or marker mismatch in the head of a frame.
    #[error("frame head broken")]
    FrameHead,
    /// Checksum mismatch in the body of a frame.
    #[error("frame checksum mismatch")]
    FrameBody,
    /// A frame's checksum matches but its tag does not: it was changed, or sealed with another key.
    #[error("authentication failed: the frame was changed, or sealed with another key")]
    Tag,
    /// The key of the file is not the one its header commits to.
    #[error("the file was sealed with another key")]
    KeyCommitment,
    /// The contents of a frame cannot be decoded.
    #[error("the contents of a frame cannot be decoded")]
    Decode,
    /// The file ends before what was recorded.
    #[error("the file is shorter than recorded")]
    Truncated,
    /// The file is not there.
    #[error("the file is missing")]
    Missing,
    /// A commit does not continue the chain.
    #[error("the record chain is broken")]
    Chain,
    /// Digest mismatch of a content or part.
    #[error("digest mismatch")]
    Digest,
    /// Two sources that must agree do not.
    #[error("the catalog does not agree with the records")]
    Disagreement,
    /// A link (to another place, or a further name of the same file) is in the place of a file or folder of the
    /// archive. Nothing is read or written through it.
    #[error("a link is in its place")]
    Link,
    /// The HMAC of an identity file does not match.
    #[error("the file was changed without the keys of the archive")]
    Forged,
    /// An identity file was replaced by an older state.
    #[error("an older state of the file was put in its place")]
    Older,
    /// A sound file that is not the one recorded in its place: an identity file of another state, a run of another
    /// catalog.
    #[error("it is not the file that was recorded")]
    Unrecorded,
    /// Bytes that belong to no frame.
    #[error("bytes that belong to no frame")]
    Stray,
    /// The name of a records file or container is not that of the number in its header.
    #[error("according to its header this is file number {0:06}; rename it")]
    Misnamed(u64),
}
