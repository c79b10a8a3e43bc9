//! Segments: pieces of the index, each over the documents of one range. What comes in goes to one in memory; a flush writes that out as
//! an immutable file; merging makes one file of several.
//!
//! Invariants: the ranges of the segments of an index rise and do not overlap; a file never changes.

pub(crate) mod build;
pub(crate) mod cache;
pub(crate) mod memory;
pub(crate) mod merge;
pub(crate) mod page;
pub(crate) mod read;

use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::terms::pattern::Pattern;
use crate::text::field::Zones;

/// What a search asks of a segment, in memory or on pages.
pub(crate) trait Source: Sized + 'static {
    /// A term that was found.
    type Term<'a>;

    /// The first document, and the first one behind.
    fn range(&self) -> (u32, u32);

    /// The term of exactly this key, if there is one.
    fn special(&self, key: &[u8], visit: &mut Visit<'_, Self>) -> Result<(), IndexError>;

    /// Every term that matches, in any order.
    fn find(&self, pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError>;

    /// Adds the documents that have the term in one of `zones`.
    fn docs(&self, term: &Self::Term<'_>, zones: Zones, out: &mut Bits) -> Result<(), IndexError>;

    /// Bytes that the positions of the term take, about.
    fn weight(&self, term: &Self::Term<'_>) -> u64;

    /// Gives each occurrence in `zones` of a document of `wanted` to `out`; documents rise.
    fn positions(&self, term: &Self::Term<'_>, zones: Zones, wanted: &Bits, out: &mut Places) -> Result<(), IndexError>;
}

/// Is given each term that was found.
pub(crate) type Visit<'v, S> = dyn for<'a> FnMut(&<S as Source>::Term<'a>) -> Result<(), IndexError> + 'v;
