//! Facts read again from the records: what no list asks.

use std::sync::{Arc, PoisonError};

use super::Store;
use crate::catalog::FactPlace;
use crate::error::{DamageCause, Error};
use crate::id::{ContentNo, MessageNo};
use crate::records::{Commit, CommitPlace, ContentFact, Fact, MessageFact, RecordsFile, open_file, read_commit};
use crate::wire::{Keys, decode};

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

    /// The commit that holds a fact. The last one read is kept, since neighbours are mostly asked for together.
    pub(crate) fn commit_at(&self, place: FactPlace) -> Result<Arc<Commit>, Error> {
        let place = CommitPlace { file: place.file, offset: place.offset };
        let mut last = self.last_commit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, commit)) = &*last
            && *known == place
        {
            return Ok(Arc::clone(commit));
        }
        let commit = Arc::new(read_commit(&*self.records_file(place.file)?, place.offset)?);
        *last = Some((place, Arc::clone(&commit)));
        Ok(commit)
    }

    /// Records file `number`, for reading. The last one asked for is kept; its length is that of when it was opened.
    pub(super) fn records_file(&self, number: u64) -> Result<Arc<RecordsFile>, Error> {
        let mut last = self.last_file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = last.as_ref().filter(|file| file.number == number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(open_file(&*self.vfs, &self.dirs.records, &self.key, self.uuid, number)?);
        *last = Some(Arc::clone(&file));
        Ok(file)
    }

    fn fact<T: Keys + for<'b> minicbor::Decode<'b, ()>>(&self, place: FactPlace) -> Result<T, Error> {
        let path = self.dirs.records.join(format!("{:06}.mkr", place.file));
        let damage = || crate::error::Damage::new(&path, place.offset, 0, DamageCause::Disagreement);
        match self.commit_at(place)?.facts.get(place.index as usize) {
            Some(Fact::Known { bytes, .. }) => decode(bytes).map_err(|cause| cause.at(damage)),
            _ => Err(damage().into()),
        }
    }
}
