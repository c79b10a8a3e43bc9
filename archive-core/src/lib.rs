//! An embeddable e-mail archive: encrypted, compressed, deduplicated, searchable, provably unchanged.
//!
//! Create or open an archive, import a mailbox, search it, save an attachment:
//!
//! ```no_run
//! use std::error::Error;
//! use std::fs::{self, File};
//! use std::io::Write;
//! use std::ops::ControlFlow;
//! use std::path::Path;
//!
//! use archive_core::{
//!     Actor, Archive, CreateOptions, ImportOptions, ImportSource, Key, NoEvents, OpenOptions, Progress, SearchRequest, Secret,
//! };
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let mut args = std::env::args().skip(1);
//!     let (Some(dir), Some(mailbox), Some(query)) = (args.next(), args.next(), args.next()) else {
//!         return Err("usage: embed ARCHIVE MBOX QUERY".into());
//!     };
//!     let (dir, key_file) = (Path::new(&dir), format!("{dir}.key"));
//!
//!     let archive = match fs::read_to_string(&key_file) {
//!         Ok(key) => Archive::open(dir, &Key::File(key.into()), OpenOptions::default())?,
//!         Err(_) => {
//!             // Nothing is on disk before `commit`: first its keys are kept.
//!             let new = Archive::create(dir, CreateOptions::new("anna"))?;
//!             eprintln!("keep this safe: {}", new.keys().recovery.text());
//!             fs::write(&key_file, new.keys().key_file.as_ref().map_or("", Secret::text))?;
//!             new.commit()?
//!         }
//!     };
//!     let session = archive.session(Actor::System);
//!
//!     let progress = Progress::reporting(|step| {
//!         eprint!("\r{}: {} of {} {}", step.activity, step.done, step.total.unwrap_or(0), step.unit.name());
//!         ControlFlow::Continue(())
//!     });
//!     let options = ImportOptions { progress, ..ImportOptions::default() };
//!     let report = session.import(ImportSource::Path(Path::new(&mailbox)), &options, &mut NoEvents)?;
//!     eprintln!();
//!     println!("read {} = stored {} + duplicate {} + failed {}", report.read, report.stored, report.duplicate, report.failed);
//!
//!     let found = session.search(&SearchRequest::new(&query).limit(10))?;
//!     println!("{} of {} hits", found.hits.len(), found.total);
//!     let mut with_attachment = None;
//!     for hit in &found.hits {
//!         println!("{}\t{}\t{}\t{}", hit.id, hit.folder, hit.size, hit.subject);
//!         if with_attachment.is_none() && hit.attachments > 0 {
//!             with_attachment = Some(hit.id);
//!         }
//!     }
//!
//!     if let Some(id) = with_attachment
//!         && let Some(part) = session.parts(id)?.parts.iter().find(|part| part.is_attachment)
//!     {
//!         let (mut file, mut bytes) = (File::create(format!("{}.attachment", dir.display()))?, 0);
//!         session.read_part(id, part.number, 0, &mut |piece| {
//!             bytes += piece.len();
//!             file.write_all(piece).map_err(archive_core::Error::caller)
//!         })?;
//!         println!("saved {} of {id}, {}, {bytes} bytes", part.name.as_deref().unwrap_or("an attachment"), part.media);
//!     }
//!     Ok(archive.close()?)
//! }
//! ```
//!
//! # Tour of types
//!
//! - [`Archive`] is a folder open for reading and writing: [`Archive::create`] with [`CreateOptions`] gives a [`NewArchive`],
//!   whose [`ArchiveKeys`] are kept before it is committed; [`Archive::open`] with a [`Key`] and [`OpenOptions`]; [`Archive::close`].
//! - [`Session`] is an archive used on behalf of an [`Actor`]: [`Archive::session`]. Every call that reads, searches or changes is a
//!   method of it. Archives and sessions are handles: clone them, use them from any thread.
//! - [`Progress`] follows a long call and ends it, from the call's own report or from another thread.
//! - In: [`ImportSource`], [`ImportOptions`], [`ImportEvents`]; a [`Receipt`] says that a mail is durable, an [`ImportReport`] adds
//!   up. `import_one` takes a single mail.
//! - Names: a permanent [`MessageId`], a [`FolderPath`] from the user archive down, a [`Digest`] of the exact bytes.
//! - Out: a [`SearchRequest`] from a query or from [`SearchCriteria`] gives a [`SearchResult`] with [`MessageInfo`]s and [`Coverage`],
//!   or [`SearchPages`]; `explain`, `why` and `thread` say more; lists come as a [`Page`] with a cursor, or as iterators; `raw`, `read`
//!   and `read_range` give bytes, `parts` and `read_part` those of its parts ([`mail::View`]), `record` all that is known
//!   ([`MessageRecord`]).
//! - Rights: an [`Actor`] is the system, or a [`User`] who sees some folders ([`FolderScope`]).
//! - The index: `store_indexes`, `rebuild_store_index` and the related calls of the administration.
//! - Folders: `make_folder`, `rename_folder`, `move_folder`, `remove_folder`, `prune_folders` give a [`FolderReport`], also
//!   without changing anything ([`FolderOptions`]).
//! - `export` with [`ExportOptions`] writes mails as files, mboxes or Maildirs, and gives an [`ExportReport`].
//! - What an open cut after the last durable commit is in `lost+found`: `lost_files`, `lost_mails` ([`LostMail`]), `import_lost`.
//! - Checks: `verify` gives a [`VerifyReport`], `check` a [`CheckReport`] about a source.
//! - [`Error`] has a stable code and says whether to try again; [`Damage`] has file, offset, cause, and the contents that it costs.
//! - Records, lists and reports are [`serde::Serialize`](https://docs.rs/serde): their JSON is one for all languages.
//! - [`vfs`] stores an archive elsewhere than on the disk, [`source`] reads mailboxes, [`mail`] interprets mails; they need no archive.
//!
//! Embedding, also in C, C++, C# and Python: `docs/EMBEDDING.md`.
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
mod json;
pub mod mail;
mod message;
mod progress;
mod records;
mod runtime;
mod seal;
pub mod source;
mod store;
mod timer;
pub mod vfs;
mod wire;

pub use archive_index::{MOST_WORDS, SegmentDamage, read_size};

pub use archive::{
    Actor, Archive, AttachOptions, CheckReport, ClauseReport, ClauseVerdict, CompactOptions, CountBy, Counts, Coverage, CreateOptions,
    DateRange, DeleteOptions, DeleteReport, DeletedMessage, Deletion, Depth, ExportOptions, ExportReport, FailedMails, Finding, FolderInfo,
    FolderOptions, FolderReport, FolderScope, Frozen, HitSnippet, ImportEvents, ImportOptions, ImportPlan, ImportReport, ImportSource,
    IndexConfiguration, KeyStatus, LabelRule, Level, LostFileInfo, LostMail, LostReport, MovedFolder, NewArchive, NewStore, NoEvents,
    NotSearchable, OpenOptions, Order, OrderKey, Outcome, Page, PartSink, Receipt, RepairOptions, RepairReport, SearchCriteria,
    SearchField, SearchPages, SearchRequest, SearchResult, Session, SizeRange, StatsReport, StoreIndex, StoreInfo, StoreRule, StoreState,
    Suggestions, UndeleteReport, User, VerifyReport, Zone,
};
pub use clock::Clock;
pub use error::{Cause, Damage, DamageCause, Error, Remedy};
pub use export::ExportFormat;
pub use folder::{FolderPath, NotAFolderPath};
pub use id::{ContentNo, Digest, FolderNo, Identity, MessageId, MessageNo, NotAMessageId, PartNo, StoreNo, Uuid};
pub use message::{AddressInfo, DateOrigin, Direction, Importance, MessageInfo, MessageRecord};
pub use progress::{Progress, Step, Unit};
pub use runtime::Runtime;
pub use seal::{ArchiveKeys, Key, Secret, SlotInfo, SlotKind};
pub use store::{CompactReport, Duplicates, Erased, IndexStatus, NotRewritten, Recovery, StoreStats};
