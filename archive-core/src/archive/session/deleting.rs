//! What deletes messages, and brings them back.

use super::{AT_ONCE, Session, each};
use crate::archive::{DeleteOptions, DeleteReport, DeletedMessage, Page, UndeleteReport};
use crate::error::Error;
use crate::id::MessageId;

impl Session {
    /// Deletes messages, all of them or none: durable when this returns. They leave lists, counts, searches, threads and
    /// exports at once. Their bytes stay in the archive, and [`undelete`](Self::undelete) brings them back. The reason,
    /// of at most 1 KiB, is recorded with the time and the actor. The same mail can be imported again, as a new message.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::{DeleteOptions, SearchRequest};
    ///
    /// let id = session.import_one(b"From: ada@example.org\nSubject: Hello\n\nText.\n", &"anna/inbox".parse()?)?.id();
    /// let report = session.delete(&[id], "sent by mistake", DeleteOptions::default())?;
    /// assert_eq!(report.deleted, [id]);
    /// assert_eq!(session.search(&SearchRequest::new("hello"))?.total, 0);
    /// assert_eq!(session.raw(id).map_err(|error| error.code()), Err("deleted"));
    ///
    /// session.undelete(&[id], "it was none")?;
    /// assert_eq!(session.search(&SearchRequest::new("hello"))?.total, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchMessages`] names all ids that the actor does not see; [`Error::Misuse`] for a missing or too long
    /// reason, and for more than 4,194,304 ids. Nothing is changed then.
    pub fn delete(&self, ids: &[MessageId], reason: &str, options: DeleteOptions) -> Result<DeleteReport, Error> {
        self.change(|acting| acting.delete(ids, reason, options))
    }

    /// Brings deleted messages back, all of them or none: durable when this returns. They keep their ids, and get the
    /// next numbers of their folders. The reason is recorded as that of a deletion.
    ///
    /// # Errors
    ///
    /// As those of [`delete`](Self::delete).
    pub fn undelete(&self, ids: &[MessageId], reason: &str) -> Result<UndeleteReport, Error> {
        self.change(|acting| acting.undelete(ids, reason))
    }

    /// A page of at most `most` deleted messages, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for a cursor of another list.
    pub fn deleted_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<DeletedMessage>, Error> {
        self.call(|acting| acting.deleted_page(cursor, most))
    }

    /// All deleted messages, read page by page. See [`deleted_page`](Self::deleted_page).
    pub fn deleted(&self) -> impl Iterator<Item = Result<DeletedMessage, Error>> + use<> {
        let session = self.clone();
        each(move |cursor| session.deleted_page(cursor, AT_ONCE))
    }
}
