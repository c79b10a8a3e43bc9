//! What cannot be searched, and why: nothing is left out silently (docs/SEARCH.md, S1.4).

use std::ops::ControlFlow;

use super::Acting;
use crate::error::Error;
use crate::id::{ContentNo, MessageId};
use crate::mail::Why;
use crate::store::{Store, failed};

/// A part of a message that was not taken into the index, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSearchable {
    /// The message; of several with the same content, the first.
    pub message: MessageId,
    /// The part by its number in the order of the mail, from 0: the mail itself.
    pub part: u32,
    /// Why.
    pub why: Why,
}

impl Acting<'_> {
    /// All parts that searches cannot look into, in the order of the contents, until the visitor breaks. The mails that have some are read again for
    /// it, which takes as long as exporting them. Mails that are not indexed yet are not among them.
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
