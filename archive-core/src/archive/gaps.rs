//! What cannot be searched, and why: nothing is left out silently (docs/SEARCH.md, S1.4).

use std::ops::ControlFlow;

use super::Acting;
use crate::error::Error;
use crate::id::{ContentNo, MessageId};
use crate::mail::Why;
use crate::store::{Store, failed};

/// A part of a message that is not in the index, or not completely.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSearchable {
    /// The message; the first one if several have the same content.
    pub message: MessageId,
    /// The number of the part in the order of the mail; 0 is the mail itself.
    pub part: u32,
    /// Why.
    pub why: Why,
}

impl Acting<'_> {
    /// Visits all parts that searches cannot look into, in the order of the contents, until the visitor breaks. Mails
    /// that have such parts are read again for it, which takes as long as exporting them. Mails that are not indexed
    /// yet are left out.
    pub fn not_searchable(&self, visit: &mut dyn FnMut(NotSearchable) -> Result<ControlFlow<()>, Error>) -> Result<(), Error> {
        self.only_system("read totals of the archive")?;
        let store = &self.archive.store;
        let incomplete = store.indexer().snapshot().incomplete().map_err(failed)?;
        for content in incomplete.iter().map(ContentNo) {
            let Some((no, _)) = store.catalog().placements(content)?.first().copied() else { continue };
            for part in not_searchable(store, MessageId { store: store.no(), no }, content)? {
                if visit(part)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The parts of one content that searches cannot look into. The mail is read again for it.
pub(super) fn not_searchable(store: &Store, message: MessageId, content: ContentNo) -> Result<Vec<NotSearchable>, Error> {
    let mut parts = store.indexed_text(content)?.text.unsearchable;
    parts.retain(|part| store.indexer().is_gap(part));
    Ok(parts.into_iter().map(|part| NotSearchable { message, part: part.entity, why: part.why }).collect())
}
