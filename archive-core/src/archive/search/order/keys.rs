//! What orders compare, besides what the index has.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use archive_index::{RoaringBitmap, SortKey};

use super::super::found::{Found, Searcher, path_text};
use super::walk::Hit;
use crate::error::Error;
use crate::id::{FolderNo, MessageNo};
use crate::store::{FoldersOf, Marked};

/// What the keys of an order are taken from, besides the index.
pub(super) enum Keys {
    Date,
    Size,
    Text(SortKey),
    /// Messages that were sent are under their recipient.
    Party(Marked),
    Folder(Box<ByFolder>),
    Archived(Box<ByArchived>),
}

/// The folder of each content, and the place of each folder among the texts of all paths.
pub(super) struct ByFolder {
    folders: FoldersOf,
    /// By folder.
    ranks: Vec<i64>,
    /// By rank.
    pub(super) texts: Vec<String>,
}

/// When the messages were archived: of contents with one, by content; of the others, by message.
pub(super) struct ByArchived {
    of_content: Vec<i64>,
    of_message: BTreeMap<u32, i64>,
}

impl ByFolder {
    pub(super) fn new(searcher: &Searcher<'_>, found: &Found) -> Result<Self, Error> {
        let catalog = searcher.catalog();
        let folders = searcher.folders_of(&found.singles)?;
        let last = catalog.basis().numbers.folders;
        let paths: Vec<String> = (0..=last).map(|no| archive_index::fold(&path_text(catalog, FolderNo(no))).into_owned()).collect();
        let mut texts = paths.clone();
        texts.sort_unstable();
        texts.dedup();
        let ranks = paths.iter().map(|path| texts.binary_search(path).map_or(0, |at| 2 * at as i64 + 1)).collect();
        Ok(Self { folders, ranks, texts })
    }

    pub(super) fn key(&self, hit: Hit<'_>) -> i64 {
        let folder = match hit {
            Hit::Only(content) => self.folders.of(content),
            Hit::Of(placed) => placed.folder,
        };
        self.ranks.get(folder.0 as usize).copied().unwrap_or(0)
    }
}

impl ByArchived {
    pub(super) fn new(searcher: &Searcher<'_>, found: &Found) -> Result<Self, Error> {
        let catalog = searcher.catalog();
        let wanted: RoaringBitmap = found.placed.iter().map(|placed| placed.message.0).collect();
        let mut times = Self { of_content: vec![0; catalog.basis().numbers.contents as usize], of_message: BTreeMap::new() };
        // One pass over all rows costs less than a look-up for each of many hits.
        catalog.message_rows(MessageNo(0), &mut |no, row| {
            if wanted.contains(no.0) {
                times.of_message.insert(no.0, row.archived);
            }
            if catalog.deleted().contains(no.0) {
                return Ok(ControlFlow::Continue(()));
            }
            times.of_content.get_mut(row.content as usize).into_iter().for_each(|time| *time = row.archived);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(times)
    }

    pub(super) fn key(&self, hit: Hit<'_>) -> i64 {
        let time = match hit {
            Hit::Only(content) => self.of_content.get(content.0 as usize),
            Hit::Of(placed) => self.of_message.get(&placed.message.0),
        };
        !time.copied().unwrap_or(0)
    }
}
