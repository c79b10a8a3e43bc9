//! Contents and parts in append-only files of sealed frames, closed at 256 MiB and immutable from then on.
//!
//! Each block is followed by its table, so that containers alone give every mail back. Records name what is in
//! containers, never the other way round. Bytes: docs/FORMAT.md, "Containers".

mod block;
mod reader;
mod received;
mod table;
mod writer;

pub(crate) use block::{BLOCK_LEN, encode_block, gives_back};
pub(crate) use reader::Containers;
pub(crate) use received::Received;
pub(crate) use table::{Table, TableContent, TableMessage, TablePart};
pub(crate) use writer::ContainerWriter;
