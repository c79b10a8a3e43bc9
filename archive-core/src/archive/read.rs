//! Reads mails, and what the archive knows of them.

use super::actor::{Acting, InStore};
use crate::catalog::{ContentRow, MessageRow};
use crate::error::{Damage, Error};
use crate::folder::FolderPath;
use crate::id::{ContentNo, Digest, FolderNo, Identity, MessageId};
use crate::message::{MessageInfo, MessageRecord};
use crate::store::Placed;

impl Acting<'_> {
    pub(super) fn raw(&self, id: MessageId) -> Result<Vec<u8>, Error> {
        self.of(id)?.raw(id)
    }

    pub(super) fn read(&self, id: MessageId, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.of(id)?.read(id, sink)
    }

    pub(super) fn message(&self, id: MessageId) -> Result<MessageInfo, Error> {
        self.of(id)?.message(id)
    }

    pub(super) fn record(&self, id: MessageId) -> Result<MessageRecord, Error> {
        match self.known(id)? {
            (record, None) => Ok(record),
            (_, Some(damage)) => Err(damage.into()),
        }
    }

    /// The record of a message; where it is damaged, as much of it as the catalog repeats, and the damage.
    pub(super) fn known(&self, id: MessageId) -> Result<(MessageRecord, Option<Damage>), Error> {
        self.of(id)?.known(id)
    }
}

impl InStore<'_> {
    fn raw(&self, id: MessageId) -> Result<Vec<u8>, Error> {
        let mut raw = Vec::new();
        self.read(id, &mut |bytes| {
            raw.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(raw)
    }

    fn read(&self, id: MessageId, sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let row = self.row(id)?;
        let (store, content) = (self.store, ContentNo(row.content));
        match store.read(content, sink) {
            // Deleted and erased since its row was looked up.
            Err(Error::Bug(_)) if store.catalog().is_erased(content) => Err(Error::NoSuchMessage(id)),
            read => read,
        }
    }

    pub(super) fn message(&self, id: MessageId) -> Result<MessageInfo, Error> {
        let row = self.row(id)?;
        self.info(id, &row)
    }

    fn known(&self, id: MessageId) -> Result<(MessageRecord, Option<Damage>), Error> {
        let store = self.store;
        let mut info = self.message(id)?;
        let content = ContentNo(self.row(id)?.content);
        let row = store.catalog().content_row(content)?.ok_or(Error::NoSuchMessage(id))?;
        let mut damage = None;
        let fact = whole(store.content_fact(content), &mut damage)?;
        let message = whole(store.message_fact(id.no), &mut damage)?;
        if damage.is_none() && (fact.is_none() || message.is_none()) {
            return Err(Error::NoSuchMessage(id));
        }
        if let Some(fact) = &fact {
            (info.from, info.to) = (super::list::addresses(&fact.from), super::list::addresses(&fact.to));
        }
        let (container, offset) = match row.runs.0.first() {
            Some(run) if run.container != 0 => (Some(run.container), Some(run.frame)),
            _ => (None, None),
        };
        let record = MessageRecord {
            info,
            digest: Digest(row.digest),
            identity: Identity(fact.as_ref().map_or([0; 16], |fact| fact.identity)),
            restated: row.restated.map(Digest),
            header_message_id: fact.as_ref().and_then(|fact| fact.header_message_id.clone()),
            list_id: fact.as_ref().and_then(|fact| fact.list_id.clone()),
            labels: fact.as_ref().and_then(|fact| fact.labels.clone()).unwrap_or_default(),
            cc: fact.as_ref().map(|fact| super::list::addresses(&fact.cc)).unwrap_or_default(),
            store: self.archive.stores.name(store.no()),
            content: content.0,
            container,
            offset,
            sequence: row.sequence,
            source: message.as_ref().map(|message| message.path.clone()).unwrap_or_default(),
            source_offset: message.as_ref().map_or(0, |message| message.offset),
            from_line: message.as_ref().and_then(|message| message.from_line.clone()),
            unquoted: message.as_ref().is_some_and(|message| message.quoting == Some(1)),
            flags: message.and_then(|message| message.flags),
            charset_guesses: fact.and_then(|fact| fact.guesses).unwrap_or_default(),
        };
        Ok((record, damage))
    }

    /// The content of a message.
    pub(super) fn content_of(&self, id: MessageId) -> Result<ContentNo, Error> {
        Ok(ContentNo(self.row(id)?.content))
    }

    /// A message with its content and folder.
    pub(super) fn placed(&self, id: MessageId) -> Result<Placed, Error> {
        let row = self.row(id)?;
        Ok(Placed { content: ContentNo(row.content), message: id.no, folder: FolderNo(row.folder) })
    }

    fn row(&self, id: MessageId) -> Result<MessageRow, Error> {
        let catalog = self.store.catalog();
        if catalog.deleted().contains(id.no.0) {
            return Err(self.is_deleted(id, &catalog));
        }
        let row = catalog.message_row(id.no)?;
        let sight = self.actor.sight(catalog.folders());
        row.filter(|row| sight.sees(FolderNo(row.folder))).ok_or(Error::NoSuchMessage(id))
    }

    /// What lists show of a message; `None` if it is deleted, or was erased.
    pub(super) fn unless_deleted(&self, id: MessageId) -> Result<Option<MessageInfo>, Error> {
        match self.message(id) {
            Err(Error::Deleted { .. }) => Ok(None),
            Err(Error::NoSuchMessage(_)) if self.store.catalog().is_deleted_or_erased(id.no) => Ok(None),
            message => message.map(Some),
        }
    }

    pub(super) fn info(&self, id: MessageId, row: &MessageRow) -> Result<MessageInfo, Error> {
        let content = self.store.catalog().content_row(ContentNo(row.content))?;
        self.info_of(id, row, content.ok_or(Error::NoSuchMessage(id))?)
    }

    pub(super) fn info_of(&self, id: MessageId, row: &MessageRow, content: ContentRow) -> Result<MessageInfo, Error> {
        let catalog = self.store.catalog();
        let folder = FolderPath::from_names(catalog.folders().path(FolderNo(row.folder))).map_err(|_| Error::NoSuchMessage(id))?;
        Ok(MessageInfo::new(id, row, content, folder))
    }
}

/// What was read; `None` if it is damaged, which is kept in `damage`.
fn whole<T>(read: Result<Option<T>, Error>, damage: &mut Option<Damage>) -> Result<Option<T>, Error> {
    match read {
        Err(Error::Damage(found)) => {
            damage.get_or_insert(found);
            Ok(None)
        }
        read => read,
    }
}
