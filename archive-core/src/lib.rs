//! An embeddable e-mail archive: encrypted, compressed, deduplicated, searchable, provably unchanged.

mod catalog;
mod clock;
mod container;
mod error;
mod id;
pub mod mail;
mod records;
mod seal;
pub mod source;
mod store;
pub mod vfs;
mod wire;

pub use error::{Damage, DamageCause, Error};
pub use id::{ContentNo, Digest, FolderNo, Identity, MessageId, MessageNo, NotAMessageId, PartNo, StoreNo, Uuid};
