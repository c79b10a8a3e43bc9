//! An embeddable e-mail archive: encrypted, compressed, deduplicated, searchable, provably unchanged.
//!
//! Create or open an archive, import a mailbox, search it, read a mail:
//!
//! ```no_run
//! use std::error::Error;
//! use std::fs;
//! use std::path::Path;
//!
//! use archive_core::{Actor, Archive, CreateOptions, ImportOptions, ImportSource, Key, NoEvents, OpenOptions, SearchRequest};
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let mut args = std::env::args().skip(1);
//!     let (Some(dir), Some(mailbox), Some(query)) = (args.next(), args.next(), args.next()) else {
//!         return Err("usage: embed FOLDER MAILBOX QUERY".into());
//!     };
//!     let (dir, key_file) = (Path::new(&dir), format!("{dir}.key"));
//!
//!     let archive = match fs::read_to_string(&key_file) {
//!         Ok(key) => Archive::open(dir, &Key::File(key.into()), OpenOptions::default())?,
//!         Err(_) => Archive::create(dir, CreateOptions::new("anna"), |_, keys| {
//!             println!("keep this safe: {}", keys.recovery.text());
//!             let key = keys.key_file.as_deref().map_or("", String::as_str);
//!             fs::write(&key_file, key).map_err(|error| archive_core::Error::Misuse(error.to_string()))
//!         })?,
//!     };
//!
//!     let acting = archive.acting_as(Actor::System);
//!     let report = acting.import(ImportSource::Path(Path::new(&mailbox)), &ImportOptions::default(), &mut NoEvents)?;
//!     println!("read {} = stored {} + duplicate {} + failed {}", report.read, report.stored, report.duplicate, report.failed);
//!
//!     let found = acting.search(&SearchRequest::new(&query).limit(5))?;
//!     println!("{} of {} hits", found.hits.len(), found.total);
//!     for hit in &found.hits {
//!         println!("{}  {}  ({} bytes)", hit.id, hit.subject, acting.raw(hit.id)?.len());
//!     }
//!     Ok(archive.close()?)
//! }
//! ```
//!
//! # Tour of types
//!
//! - [`Archive`] is a folder open for reading and writing: [`Archive::create`] with [`CreateOptions`], [`Archive::open`] with a
//!   [`Key`] and [`OpenOptions`], [`Archive::close`].
//!   A [`RecoveryKey`] is shown once, when the archive is created.
//! - [`Acting`] is an archive used on behalf of an [`Actor`]: [`Archive::acting_as`]. Every call that reads, searches or changes is a
//!   method of it.
//! - In: [`ImportSource`], [`ImportOptions`], [`ImportEvents`]; a [`Receipt`] says that a mail is durable, an [`ImportReport`] adds
//!   up. `import_one` takes a single mail.
//! - Names: a permanent [`MessageId`], a [`FolderPath`] from the user archive down, a [`Digest`] of the exact bytes.
//! - Out: a [`SearchRequest`] from a query or from [`SearchCriteria`] gives a [`SearchResult`] with [`MessageInfo`]s and [`Coverage`]; `explain`,
//!   `why` and `thread` say more; `raw` and `read` give bytes, `parts` and `read_part`
//!   those of its parts ([`mail::View`]), `record` all that is known ([`MessageRecord`]).
//! - Rights: an [`Actor`] is the system, or a [`User`] who sees some folders ([`FolderScope`]).
//! - The index: `store_indexes`, `rebuild_store_index` and the related calls of the administration.
//! - `export` with [`ExportOptions`] writes mails as files, mboxes or Maildirs, and gives an [`ExportReport`].
//! - What an open cut after the last durable commit is in `lost+found`: `lost_files`, `lost_mails` ([`LostMail`]), `import_lost`.
//! - Checks: `verify` gives a [`VerifyReport`], `check` a [`CheckReport`] about a source.
//! - [`Error`] has a stable code; [`Damage`] has file, offset, cause, and the contents that it costs.
//! - [`vfs`] stores an archive elsewhere than on the disk, [`source`] reads mailboxes, [`mail`] interprets mails; they need no archive.
//!
//! Documents: `docs/ARCHITECTURE.md` (terms, tour of the code), `docs/FORMAT.md`, `docs/DURABILITY.md`,
//! `docs/SECURITY.md`, `docs/SEARCH.md`.

mod archive;
mod catalog;
mod clock;
mod container;
mod error;
mod export;
mod folder;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod id;
pub mod mail;
mod message;
mod records;
mod seal;
pub mod source;
mod store;
pub mod vfs;
mod wire;

pub use archive_index::{MOST_WORDS, read_size};

pub use archive::{
    Acting, Actor, Archive, CheckReport, ClauseReport, ClauseVerdict, CountBy, Counts, Coverage, CreateOptions, DateRange, Depth,
    ExportEvent, ExportOptions, ExportReport, Finding, FolderInfo, FolderScope, HitSnippet, ImportEvents, ImportOptions, ImportPlan,
    ImportReport, ImportSource, IndexConfiguration, KeyStatus, LabelRule, Level, LostFileInfo, LostMail, LostReport, NoEvents,
    NotSearchable, OpenOptions, Order, OrderKey, Outcome, PartSink, RebuildProgress, Receipt, RepairOptions, RepairReport, SearchCriteria,
    SearchField, SearchPages, SearchRequest, SearchResult, SizeRange, StatsReport, Stop, StoreIndex, Suggestions, User, VerifyReport,
    read_zone,
};
pub use clock::Clock;
pub use error::{Damage, DamageCause, Error, Remedy};
pub use export::ExportFormat;
pub use folder::{FolderPath, NotAFolderPath};
pub use id::{ContentNo, Digest, FolderNo, Identity, MessageId, MessageNo, NotAMessageId, PartNo, StoreNo, Uuid};
pub use message::{AddressInfo, DateOrigin, MessageInfo, MessageRecord};
pub use seal::{ArchiveKeys, Key, RecoveryKey, SlotInfo, SlotKind};
pub use store::{Duplicates, IndexStatus, Recovery, StoreStats};
