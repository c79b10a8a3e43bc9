//! The catalog: a cache of the records, built for look-ups (P4). It is not a database: recent changes are in memory,
//! older ones in immutable sorted sealed files that are merged in levels; a manifest says up to which commit they are
//! valid.
//!
//! [`apply`] is the only place that turns facts into entries. Bytes: docs/FORMAT.md, "Catalog".

mod apply;
mod filter;
mod folders;
mod keys;
mod manifest;
mod merge;
mod page;
mod rows;
mod run;
mod sets;
mod sorted;

pub(crate) use apply::{Catalog, Dated, FactPlace, Merged};
pub(crate) use folders::{Folder, Folders, Subtree};
pub(crate) use manifest::{Numbers, read_manifest, replace_manifest};
pub(crate) use rows::{ContentRow, MessageRow, NOT_DATED, PartRow, StoredRows};
pub(crate) use run::SharedPages;

/// Decodes any bytes as a page with rows, and as a directory of pages.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_pages(bytes: &[u8]) {
    if let Some(page) = page::Page::decode(bytes) {
        for (key, value) in (0..page.len()).filter_map(|at| page.entry(at)) {
            let _ = page.lower_bound(key);
            let _ = rows::read_row::<ContentRow>(value.unwrap_or(key));
            let _ = rows::read_row::<MessageRow>(value.unwrap_or(key));
            let _ = rows::read_row::<PartRow>(value.unwrap_or(key));
            let _ = rows::read_row::<rows::FolderRow>(value.unwrap_or(key));
            let _ = sets::Sets::default().load(1, 0, value.unwrap_or(key));
        }
    }
    run::fuzz_directory(bytes);
}
