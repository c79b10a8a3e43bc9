//! Text to terms: mapping, splitting, marks, fields (docs/SEARCH.md, S1).
//!
//! [`map`] is Unicode's toNFKC_Casefold, [`split`] cuts mapped text into words, [`fold`] separates letters from their
//! marks, [`key`] turns a word into its key in the dictionary, and [`field`] defines where in a mail a word may be.

pub(crate) mod class;
pub(crate) mod field;
pub(crate) mod fold;
pub(crate) mod key;
pub(crate) mod map;
pub(crate) mod split;

/// Version of Unicode whose mapping, categories and scripts the terms follow; stored in each segment.
pub(crate) const UNICODE: &str = "18.0.0";
