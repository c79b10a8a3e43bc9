//! Messages are deleted, listed as deleted, and brought back.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use super::Page;
use super::actor::{Acting, Actor, InStore};
use super::list::IdPlace;
use crate::catalog::{Catalog, FactPlace};
use crate::error::Error;
use crate::id::{MessageId, MessageNo};
use crate::message::MessageInfo;
use crate::records::DeletedFact;
use crate::store::{Divided, Note};

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
        let note = self.note(reason)?;
        let mut report = DeleteReport::default();
        let asked = self.asked(ids)?;
        // All of them can be deleted, or nothing is; one store alone sees to that itself.
        if options.dry_run || asked.len() > 1 {
            for (within, asked) in &asked {
                report.add(within, within.plan_delete(asked)?);
            }
        }
        if options.dry_run {
            return Ok(report);
        }
        report = DeleteReport::default();
        for (within, asked) in &asked {
            let sight = within.sight();
            report.add(within, within.store.delete(asked, &|folder| sight.sees(folder), note)?);
        }
        Ok(report)
    }

    pub(super) fn undelete(&self, ids: &[MessageId], reason: &str) -> Result<UndeleteReport, Error> {
        let note = self.note(reason)?;
        let mut report = UndeleteReport::default();
        for (within, asked) in self.asked(ids)? {
            let sight = within.sight();
            let divided = within.store.undelete(&asked, &|folder| sight.sees(folder), note)?;
            report.undeleted.extend(within.ids(&divided.changed));
            report.not_deleted.extend(within.ids(&divided.unchanged));
        }
        Ok(report)
    }

    pub(super) fn deleted_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<DeletedMessage>, Error> {
        let mut from = IdPlace::read(&self.place_in(LIST, cursor)?);
        let mut items = Vec::new();
        for within in self.each_store() {
            let Some(first) = from.in_store(within.store.no()) else { continue };
            if let Some(next) = within.deleted_from(first, most - items.len(), &mut items)? {
                from = IdPlace { store: within.store.no(), no: next };
                return Ok(Page { items, cursor: Some(self.cursor_in(LIST, &from.write())?) });
            }
        }
        Ok(Page { items, cursor: None })
    }

    fn note<'n>(&'n self, reason: &'n str) -> Result<Note<'n>, Error> {
        let expected = format!("give a reason of at most {MOST_REASON} bytes; it is kept in the archive");
        match reason.trim() {
            "" => Err(Error::misuse("a reason is missing", expected)),
            trimmed if trimmed.len() > MOST_REASON => Err(Error::misuse(format!("the reason has {} bytes", trimmed.len()), expected)),
            reason => Ok(Note { actor: self.actor.name(), reason }),
        }
    }

    /// The messages by their stores, which can all be changed; ids of no open store are an error.
    fn asked(&self, ids: &[MessageId]) -> Result<Vec<(InStore<'_>, RoaringBitmap)>, Error> {
        let unknown: BTreeSet<MessageId> = ids.iter().copied().filter(|id| self.in_store(id.store).is_none()).collect();
        if !unknown.is_empty() {
            return Err(Error::NoSuchMessages(unknown.into_iter().collect()));
        }
        let mut asked = Vec::new();
        for within in self.each_store() {
            let no = within.store.no();
            let numbers: RoaringBitmap = ids.iter().filter(|id| id.store == no).map(|id| id.no.0).collect();
            if !numbers.is_empty() {
                if let Err(refused) = self.archive.stores.check_changeable(no) {
                    // The actor learns nothing of messages that they do not see.
                    return Err(within
                        .plan_delete(&numbers)
                        .err()
                        .filter(|error| matches!(error, Error::NoSuchMessages(_)))
                        .unwrap_or(refused));
                }
                asked.push((within, numbers));
            }
        }
        Ok(asked)
    }
}

impl DeleteReport {
    fn add(&mut self, within: &InStore<'_>, divided: Divided) {
        self.deleted.extend(within.ids(&divided.changed));
        self.already_deleted.extend(within.ids(&divided.unchanged));
    }
}

impl InStore<'_> {
    fn plan_delete(&self, asked: &RoaringBitmap) -> Result<Divided, Error> {
        let sight = self.sight();
        self.store.plan_delete(asked, &|folder| sight.sees(folder))
    }

    /// Adds up to `most` deleted messages from number `from` on, and returns where more begin.
    fn deleted_from(&self, from: MessageNo, most: usize, items: &mut Vec<DeletedMessage>) -> Result<Option<MessageNo>, Error> {
        let (store, sight) = (self.store, self.sight());
        let (found, more) = store.deletions(from, most, &|folder| sight.sees(folder))?;
        let next = found.back().map_or(from, |(no, _)| MessageNo(no.0.saturating_add(1)));
        // Messages that were deleted together share a fact.
        let mut last: Option<(FactPlace, Option<DeletedFact>)> = None;
        for (no, place) in found {
            if last.as_ref().is_none_or(|(known, _)| *known != place) {
                last = Some((place, self.deletion_fact(place)?));
            }
            let id = store.message_id(no);
            let row = store.catalog().message_row(no)?.ok_or(Error::NoSuchMessage(id))?;
            let deletion = last.as_ref().and_then(|(_, fact)| fact.as_ref()).map(Deletion::of);
            items.push(DeletedMessage { info: self.info(id, &row)?, deletion });
        }
        Ok(more.then_some(next))
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
        match self.store.deletion_fact(place) {
            Err(Error::Damage(_)) => Ok(None),
            fact => fact.map(Some),
        }
    }

    fn ids(&self, numbers: &RoaringBitmap) -> impl Iterator<Item = MessageId> {
        numbers.iter().map(|no| self.store.message_id(MessageNo(no)))
    }
}

impl Deletion {
    fn of(fact: &DeletedFact) -> Self {
        Self { time: fact.time, actor: fact.actor.clone(), reason: fact.reason.clone() }
    }
}
