//! Facts that are read from the records: what no list needs.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Store;
use crate::catalog::FactPlace;
use crate::error::{DamageCause, Error};
use crate::id::{ContentNo, MessageNo};
use crate::records::{Commit, CommitPlace, ContentFact, DeletedFact, Fact, MessageFact, RecordsFile, file_path, open_file, read_commit};
use crate::wire::{Keys, decode};

/// Records files kept open.
const OPEN_FILES: usize = 4;
/// Bytes of commits that are kept: more than a commit of an import has, except for mails that are nothing but header.
const COMMIT_BYTES: u64 = 16 << 20;

/// What was read last of the records. A caller waits for another one only if both want the same.
pub(super) struct RecordsRead {
    commits: Cache<CommitPlace, Arc<Commit>, ByMemory>,
    files: Cache<u64, Arc<RecordsFile>>,
    /// Files that stay open, whatever becomes of their names.
    pinned: Vec<Arc<RecordsFile>>,
}

impl RecordsRead {
    pub(super) fn new(pinned: Vec<RecordsFile>) -> Self {
        let pinned = pinned.into_iter().map(Arc::new).collect();
        Self { commits: Cache::with_weighter(16, COMMIT_BYTES, ByMemory), files: Cache::new(OPEN_FILES), pinned }
    }

    /// Forgets the handle of a file that was replaced. A file being opened at the same time is not kept either.
    pub(super) fn forget_file(&self, number: u64) {
        self.files.remove(&number);
    }
}

/// A commit weighs as much as its facts.
#[derive(Debug, Clone)]
struct ByMemory;

impl Weighter<CommitPlace, Arc<Commit>> for ByMemory {
    fn weight(&self, _: &CommitPlace, commit: &Arc<Commit>) -> u64 {
        let bytes = |fact: &Fact| match fact {
            Fact::Known { bytes, .. } => bytes.len(),
            _ => 0,
        };
        commit.facts.iter().map(|fact| (size_of::<Fact>() + bytes(fact)) as u64).sum::<u64>() + 256
    }
}

impl Store {
    /// The fact of a content.
    pub(crate) fn content_fact(&self, no: ContentNo) -> Result<Option<ContentFact>, Error> {
        let row = self.catalog().content_row(no)?;
        row.map(|row| self.fact(row.fact)).transpose()
    }

    /// The fact of a message.
    pub(crate) fn message_fact(&self, no: MessageNo) -> Result<Option<MessageFact>, Error> {
        let row = self.catalog().message_row(no)?;
        row.map(|row| self.fact(row.fact)).transpose()
    }

    /// The fact that deleted messages, which is at `place`.
    pub(crate) fn deletion_fact(&self, place: FactPlace) -> Result<DeletedFact, Error> {
        self.fact(place)
    }

    /// The commit of a fact. Those read last are kept, since neighbours are mostly requested together.
    pub(crate) fn commit_at(&self, place: FactPlace) -> Result<Arc<Commit>, Error> {
        let place = CommitPlace { file: place.file, offset: place.offset };
        self.records_read.commits.get_or_insert_with(&place, || Ok(Arc::new(read_commit(&*self.records_file(place.file)?, place.offset)?)))
    }

    /// Records file `number`, for reading; its length is the one at the time of opening.
    pub(super) fn records_file(&self, number: u64) -> Result<Arc<RecordsFile>, Error> {
        if let Some(pinned) = self.records_read.pinned.iter().find(|file| file.number == number) {
            return Ok(Arc::clone(pinned));
        }
        let open = || Ok(Arc::new(open_file(&*self.vfs, &self.dirs.records, &self.key, self.uuid, number)?));
        self.records_read.files.get_or_insert_with(&number, open)
    }

    fn fact<T: Keys + for<'b> minicbor::Decode<'b, ()>>(&self, place: FactPlace) -> Result<T, Error> {
        let path = file_path(&self.dirs.records, place.file);
        let damage = || crate::error::Damage::new(&path, place.offset, 0, DamageCause::Disagreement);
        match self.commit_at(place)?.facts.get(place.index as usize).and_then(Fact::own_bytes) {
            Some(bytes) => decode(&bytes).map_err(|cause| cause.at(damage)),
            // A compaction by another process erased it.
            None if self.options.read_only => Err(Error::SnapshotGone { path }),
            None => Err(damage().into()),
        }
    }
}
