//! Messages are deleted, listed as deleted, and brought back.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use super::Page;
use super::actor::{Acting, Actor};
use crate::catalog::{Catalog, FactPlace};
use crate::error::Error;
use crate::id::{MessageId, MessageNo};
use crate::message::MessageInfo;
use crate::records::DeletedFact;
use crate::store::Note;

/// The longest reason, in bytes.
const MOST_REASON: usize = 1 << 10;

/// What a deletion may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeleteOptions {
    /// Reports what would be done, and does nothing.
    pub dry_run: bool,
}

/// What a deletion did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteReport {
    /// Messages that were deleted, in the order of their ids, each once.
    pub deleted: Vec<MessageId>,
    /// Messages that were deleted already: nothing was changed about them.
    pub already_deleted: Vec<MessageId>,
}

/// What was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndeleteReport {
    /// Messages that are back, in the order of their ids, each once.
    pub undeleted: Vec<MessageId>,
    /// Messages that were not deleted: nothing was changed about them.
    pub not_deleted: Vec<MessageId>,
}

/// A deleted message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedMessage {
    /// What lists showed of it. Its folder is the one that it comes back to.
    pub info: MessageInfo,
    /// Who deleted it, when and why; `None` where damage took the record of it.
    pub deletion: Option<Deletion>,
}

/// Who deleted a message, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// When: milliseconds since 1970, UTC.
    pub time: i64,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// The name of the list, for its cursors.
const LIST: &str = "deleted messages";

impl Acting<'_> {
    pub(super) fn delete(&self, ids: &[MessageId], reason: &str, options: DeleteOptions) -> Result<DeleteReport, Error> {
        let (store, sight) = (&self.archive.store, self.sight());
        let note = self.note(reason)?;
        let asked = self.asked(ids)?;
        let sees = |folder| sight.sees(folder);
        let divided = match options.dry_run {
            true => store.plan_delete(&asked, &sees)?,
            false => store.delete(&asked, &sees, note)?,
        };
        Ok(DeleteReport { deleted: self.ids(&divided.changed), already_deleted: self.ids(&divided.unchanged) })
    }

    pub(super) fn undelete(&self, ids: &[MessageId], reason: &str) -> Result<UndeleteReport, Error> {
        let sight = self.sight();
        let note = self.note(reason)?;
        let divided = self.archive.store.undelete(&self.asked(ids)?, &|folder| sight.sees(folder), note)?;
        Ok(UndeleteReport { undeleted: self.ids(&divided.changed), not_deleted: self.ids(&divided.unchanged) })
    }

    pub(super) fn deleted_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<DeletedMessage>, Error> {
        let (store, sight) = (&self.archive.store, self.sight());
        let from = MessageNo(<[u8; 4]>::try_from(&*self.place_in(LIST, cursor)?).map_or(0, u32::from_be_bytes));
        let (found, more) = store.deletions(from, most, &|folder| sight.sees(folder))?;
        let next = found.back().map_or(from, |(no, _)| MessageNo(no.0.saturating_add(1)));
        // Messages that were deleted together share a fact.
        let mut last: Option<(FactPlace, Option<DeletedFact>)> = None;
        let mut items = Vec::with_capacity(found.len());
        for (no, place) in found {
            if last.as_ref().is_none_or(|(known, _)| *known != place) {
                last = Some((place, self.deletion_fact(place)?));
            }
            let id = store.message_id(no);
            let row = store.catalog().message_row(no)?.ok_or(Error::NoSuchMessage(id))?;
            let deletion = last.as_ref().and_then(|(_, fact)| fact.as_ref()).map(Deletion::of);
            items.push(DeletedMessage { info: self.info(id, &row)?, deletion });
        }
        let cursor = more.then(|| self.cursor_in(LIST, &next.0.to_be_bytes())).transpose()?;
        Ok(Page { items, cursor })
    }

    /// The error for a message that is deleted. Only the system learns that there was one.
    pub(super) fn is_deleted(&self, id: MessageId, catalog: &Catalog) -> Error {
        match self.actor {
            Actor::User(_) => Error::NoSuchMessage(id),
            Actor::System => {
                let fact = catalog.deletion(id.no).and_then(|place| place.map_or(Ok(None), |place| self.deletion_fact(place)));
                match fact {
                    Ok(fact) => Error::Deleted { message: id, time: fact.map(|fact| fact.time) },
                    Err(error) => error,
                }
            }
        }
    }

    /// The fact at a place; `None` if it is damaged.
    fn deletion_fact(&self, place: FactPlace) -> Result<Option<DeletedFact>, Error> {
        match self.archive.store.deletion_fact(place) {
            Err(Error::Damage(_)) => Ok(None),
            fact => fact.map(Some),
        }
    }

    fn note<'n>(&'n self, reason: &'n str) -> Result<Note<'n>, Error> {
        let expected = format!("give a reason of at most {MOST_REASON} bytes; it is kept in the archive");
        match reason.trim() {
            "" => Err(Error::misuse("a reason is missing", expected)),
            trimmed if trimmed.len() > MOST_REASON => Err(Error::misuse(format!("the reason has {} bytes", trimmed.len()), expected)),
            reason => Ok(Note { actor: self.actor.name(), reason }),
        }
    }

    /// The numbers of messages in the store; ids of other stores are an error.
    fn asked(&self, ids: &[MessageId]) -> Result<RoaringBitmap, Error> {
        let own = self.archive.store.no();
        let unknown: BTreeSet<MessageId> = ids.iter().copied().filter(|id| id.store != own).collect();
        match unknown.is_empty() {
            true => Ok(ids.iter().map(|id| id.no.0).collect()),
            false => Err(Error::NoSuchMessages(unknown.into_iter().collect())),
        }
    }

    fn ids(&self, numbers: &RoaringBitmap) -> Vec<MessageId> {
        numbers.iter().map(|no| self.archive.store.message_id(MessageNo(no))).collect()
    }
}

impl Deletion {
    fn of(fact: &DeletedFact) -> Self {
        Self { time: fact.time, actor: fact.actor.clone(), reason: fact.reason.clone() }
    }
}
