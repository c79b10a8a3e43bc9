//! What is asked of every engine.

use std::path::Path;

use benches::Result;
use benches::drawn::Query;

use crate::mails::Mails;

/// Bytes that each engine may gather in memory before it writes: what Mailkeep takes unless told.
pub const BUDGET: usize = 32 << 20;

/// How many of the newest mails are asked for.
pub const NEWEST: usize = 50;

/// An engine.
pub trait Engine {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its version.
    fn version(&self) -> String;
    /// What it is given and how, in a sentence.
    fn setting(&self) -> &'static str;
    /// Builds an index of `mails` in the empty folder `dir`, with one thread. All of it is measured; when it returns, the index is durable.
    fn build(&self, dir: &Path, mails: &Mails) -> Result<Box<dyn Built>>;
}

/// An index that is built.
pub trait Built {
    /// What is to be done before files are counted and queries asked, and is not measured.
    fn ready(&mut self) -> Result<()>;
    /// Makes the index as small as it gets.
    fn pack(&mut self) -> Result<()>;
    /// The total and the newest [`NEWEST`] by date; none where the engine cannot answer it.
    fn ask(&self, query: &Query) -> Result<Option<Answer>>;
}

/// What a query found.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// How many mails.
    pub total: u64,
    /// The dates of the newest ones, newest first.
    pub newest: Vec<i64>,
}

/// The words of a text as all engines split it where it is ASCII.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
