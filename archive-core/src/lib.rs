//! An embeddable e-mail archive: encrypted, compressed, deduplicated, searchable, provably unchanged.

mod archive;
mod catalog;
mod clock;
mod container;
mod error;
mod export;
#[cfg(fuzzing)]
pub mod fuzzing;
mod id;
pub mod mail;
mod records;
mod seal;
pub mod source;
mod store;
pub mod vfs;
mod wire;

pub use archive::{
    Acting, Actor, AddressInfo, Archive, CheckReport, Coverage, CreateOptions, DateOrigin, Depth, ExportEvent, ExportOptions, ExportReport,
    Finding, FolderInfo, FolderPath, ImportEvents, ImportOptions, ImportPlan, ImportReport, ImportSource, KeyStatus, MessageInfo,
    MessageRecord, NoEvents, NotAFolderPath, OpenOptions, Outcome, Receipt, SearchRequest, SearchResult, StatsReport, Stop, VerifyReport,
};
pub use error::{Damage, DamageCause, Error};
pub use export::ExportFormat;
pub use id::{ContentNo, Digest, FolderNo, Identity, MessageId, MessageNo, NotAMessageId, PartNo, StoreNo, Uuid};
pub use seal::{ArchiveKeys, Key, RecoveryKey, SlotInfo, SlotKind};
pub use store::{Duplicates, StoreStats};
