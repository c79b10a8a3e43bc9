//! Statistics of a store, and small look-ups.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::Store;
use super::lost::lost_files;
use crate::error::Error;
use crate::id::{ContentNo, Digest};
use crate::mail::{Unsearchable, Why, is_read};
use crate::progress::{Progress, Step, Unit};
use crate::vfs::{EntryKind, Vfs};

/// How many contents are read while the catalog is held.
const AT_ONCE: usize = 4096;
/// How many types are counted separately; all further types are counted together.
const MOST_TYPES: usize = 1000;

/// A store and its disk usage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Its number.
    pub no: u32,
    /// Its name.
    pub name: String,
    /// Messages.
    pub messages: u64,
    /// Messages that were archived and then lost completely to damage.
    pub lost_messages: u64,
    /// Bytes of containers.
    pub containers: u64,
    /// Bytes of records.
    pub records: u64,
    /// Bytes of the catalog.
    pub catalog: u64,
    /// Bytes of the index.
    pub index: u64,
    /// Bytes in `lost+found`: data after the last durable commit, moved there at opening.
    pub lost_found: u64,
    /// Sequence of the last commit.
    pub sequence: u64,
    /// The chain value after the last commit: the head of the store.
    pub head: [u8; 32],
    /// Damage found at opening, if the store accepts no mail because of it.
    pub damage: Option<String>,
}

impl StoreStats {
    /// The head as it is printed: the sequence, and the chain value in hex digits.
    #[must_use]
    pub fn head_text(&self) -> String {
        let chain: String = self.head.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}:{chain}", self.sequence)
    }
}

/// Bytes of the files directly in `dir`. A file that is removed meanwhile counts as 0.
pub(crate) fn bytes_in(vfs: &dyn Vfs, dir: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in vfs.list(dir)?.iter().filter(|entry| entry.kind == EntryKind::File) {
        bytes += match vfs.open_read(&entry.path) {
            Ok(file) => file.len()?,
            Err(error) if error.is_not_found() => 0,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(bytes)
}

/// Bytes in `lost+found` of `root`, the folder of a store or of the master.
pub(crate) fn lost_bytes(vfs: &dyn Vfs, root: &Path) -> Result<u64, Error> {
    Ok(lost_files(vfs, root)?.iter().map(|file| file.len).sum())
}

/// Bytes of a cache; 0 if its folder cannot be read.
fn of_cache(bytes: Result<u64, Error>) -> Result<u64, Error> {
    match bytes {
        Err(Error::Io(error)) if !error.is_shortage() => Ok(0),
        bytes => bytes,
    }
}

impl Store {
    /// Media types of attachments that are not searched, and are not configured to be, with the number of contents that
    /// have such attachments.
    pub(crate) fn types_not_read(&self, progress: &Progress) -> Result<BTreeMap<String, u64>, Error> {
        let mut found = BTreeMap::new();
        let mut next = Some(ContentNo(0));
        while let Some(from) = next.take() {
            let total = Some(self.catalog().basis().numbers.contents.into());
            progress.step(Step { done: from.0.into(), total, unit: Unit::Contents, activity: "reading media types" })?;
            let mut left = AT_ONCE;
            let catalog = self.catalog();
            let unplaced = catalog.unplaced();
            catalog.content_rows(from, &mut |no, row| {
                if left == 0 {
                    next = Some(no);
                    return ControlFlow::Break(());
                }
                left -= 1;
                // Of deleted messages nothing is searched.
                if unplaced.contains(no.0) {
                    return ControlFlow::Continue(());
                }
                for media in row.attachment_types.into_iter().flatten().filter(|media| !is_read(media)) {
                    let is_kept = found.len() < MOST_TYPES || found.contains_key(&media);
                    *found.entry(if is_kept { media } else { "others".to_owned() }).or_insert(0) += 1;
                }
                ControlFlow::Continue(())
            })?;
        }
        let is_gap = |media: &String| self.indexer.is_gap(&Unsearchable { entity: 0, why: Why::TypeOff(media.clone()) });
        found.retain(|media, _| !is_gap(media));
        Ok(found)
    }

    /// The disk usage of the store, and its head.
    pub(crate) fn stats(&self) -> Result<StoreStats, Error> {
        let bytes = |dir: &Path| bytes_in(&*self.vfs, dir);
        let (link, (messages, lost_messages)) = {
            let catalog = self.catalog();
            (catalog.basis().link, catalog.messages())
        };
        Ok(StoreStats {
            no: self.no.0,
            name: self.name.clone(),
            messages,
            lost_messages,
            containers: bytes(&self.dirs.content)?,
            records: bytes(&self.dirs.records)?,
            catalog: of_cache(bytes(&self.dirs.catalog))?,
            index: of_cache(bytes(&self.dirs.index))?,
            lost_found: lost_bytes(&*self.vfs, &self.dirs.root)?,
            sequence: link.sequence,
            head: link.chain,
            damage: self.damage.as_ref().map(ToString::to_string),
        })
    }

    /// Contents with these bytes, or with bytes that differ only in status headers.
    pub(crate) fn contents_like(&self, digest: Digest, restated: Option<Digest>) -> Result<Vec<ContentNo>, Error> {
        let catalog = self.catalog();
        let bare = restated.unwrap_or(digest);
        let mut found = Vec::new();
        for no in catalog.contents_by_digest(bare)? {
            let row = catalog.content_row(no)?;
            if row.is_some_and(|row| row.restated.unwrap_or(row.digest) == bare.0) {
                found.push(no);
            }
        }
        Ok(found)
    }
}
