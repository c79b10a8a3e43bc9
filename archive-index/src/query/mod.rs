//! The query language (docs/SEARCH.md, S2): text to a tree, and the tree to documents.

pub(crate) mod filter;
pub(crate) mod grammar;
pub(crate) mod leaf;
mod long;
mod phrase;
pub(crate) mod probe;
pub(crate) mod run;
pub(crate) mod snippet;
mod terms;
pub(crate) mod tree;
pub(crate) mod words;
