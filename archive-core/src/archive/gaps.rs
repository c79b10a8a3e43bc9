//! What cannot be searched, and why: nothing is left out silently (docs/SEARCH.md, S1.4).

use super::Page;
use super::actor::Acting;
use super::list::IdPlace;
use crate::error::Error;
use crate::id::{ContentNo, MessageId, MessageNo};
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

/// The name of the list, for its cursors.
const LIST: &str = "not searchable";

impl Acting<'_> {
    pub(super) fn not_searchable_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<NotSearchable>, Error> {
        self.only_system("read totals of the archive")?;
        let mut from = IdPlace::read(&self.place_in(LIST, cursor)?);
        let mut items = Vec::new();
        for store in self.stores.iter() {
            // Contents are counted from the next one on.
            let Some(first) = from.in_store(store.no()) else { continue };
            let mut incomplete = store.indexer().snapshot().incomplete().map_err(failed)?;
            incomplete.remove_range(..first.0);
            for content in incomplete.iter().map(ContentNo) {
                if items.len() >= most {
                    from = IdPlace { store: store.no(), no: MessageNo(content.0) };
                    return Ok(Page { items, cursor: Some(self.cursor_in(LIST, &from.write())?) });
                }
                if let Some((no, _)) = store.catalog().placements(content)?.first().copied() {
                    items.extend(not_searchable(store, store.message_id(no), content)?);
                }
            }
        }
        Ok(Page { items, cursor: None })
    }
}

/// The parts of one content that searches cannot look into. The mail is read again for it.
pub(super) fn not_searchable(store: &Store, message: MessageId, content: ContentNo) -> Result<Vec<NotSearchable>, Error> {
    let mut parts = store.indexed_text(content)?.text.unsearchable;
    parts.retain(|part| store.indexer().is_gap(part));
    Ok(parts.into_iter().map(|part| NotSearchable { message, part: part.entity, why: part.why }).collect())
}
