//! The query language (docs/SEARCH.md, S2): text to a tree, and the tree to documents.

pub(crate) mod filter;
pub(crate) mod grammar;
pub(crate) mod leaf;
pub(crate) mod run;
mod terms;
pub(crate) mod tree;
