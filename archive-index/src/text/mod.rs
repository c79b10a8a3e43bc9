//! Text to terms: mapping, splitting, marks, fields (docs/SEARCH.md, S1).
//!
//! [`map`] is Unicode's toNFKC_Casefold, [`split`] cuts words out of it, [`fold`] takes marks off letters,
//! [`key`] makes of a word the key under which it stands in the dictionary, [`field`] says where a word may stand.

pub(crate) mod class;
pub(crate) mod field;
pub(crate) mod fold;
pub(crate) mod key;
pub(crate) mod map;
pub(crate) mod split;

/// Version of Unicode whose mapping, categories and scripts the terms follow; stored in each segment.
pub(crate) const UNICODE: &str = "18.0.0";
