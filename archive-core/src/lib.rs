//! An embeddable e-mail archive: encrypted, compressed, deduplicated, searchable, provably unchanged.

mod id;
pub mod mail;
pub mod source;
// pub mod vfs;

pub use id::{ContentNo, Digest, FolderNo, Identity, MessageId, MessageNo, NotAMessageId, PartNo, StoreNo, Uuid};
