//! What the measurements share.
//!
//! The program `compare` measures Mailkeep and its peers on the same mails in one run. Everything is measured in a process of its own
//! ([`child`]), so that processor time and memory are those of the measured work alone; [`tasks`] are what such a process does.

pub mod bars;
pub mod child;
pub mod corpora;
pub mod drawn;
pub mod machine;
pub mod peers;
pub mod table;
pub mod tasks;
pub mod usage;

/// What goes wrong in a measurement ends it, with words.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
