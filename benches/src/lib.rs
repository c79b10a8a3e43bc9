//! Code that the measurements share.
//!
//! The program `compare` measures Mailkeep and its peers on the same mails in one run. Everything is measured in a
//! separate process ([`child`]), so that processor time and memory are those of the measured work alone; [`tasks`] are
//! what such a process does.

pub mod bars;
pub mod child;
pub mod corpora;
pub mod drawn;
pub mod machine;
pub mod peers;
pub mod table;
pub mod tasks;
pub mod usage;

/// An error ends a measurement with a message.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
