//! What every engine has to do.

use std::path::Path;

use benches::Result;
use benches::drawn::Query;

use crate::mails::Mails;

/// Bytes that each engine may gather in memory before it writes: Mailkeep's default.
pub const BUDGET: usize = 32 << 20;

/// How many of the newest mails are requested.
pub const NEWEST: usize = 50;

/// An engine.
pub trait Engine {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its version.
    fn version(&self) -> String;
    /// Its setup, in a sentence.
    fn setting(&self) -> &'static str;
    /// Builds an index of `mails` in the empty folder `dir`, with one thread. All of it is measured; when it returns,
    /// the index is durable.
    fn build(&self, dir: &Path, mails: &Mails) -> Result<Box<dyn Built>>;
}

/// An index that is built.
pub trait Built {
    /// Work before files are counted and queries are run, which is not measured.
    fn ready(&mut self) -> Result<()>;
    /// Makes the index as small as possible.
    fn pack(&mut self) -> Result<()>;
    /// The total and the newest [`NEWEST`] by date; `None` if the engine cannot answer the query.
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

/// The words of a text, as all engines split ASCII.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
