//! What cannot be searched, and why: nothing is left out silently (docs/SEARCH.md, S1.4).

use super::Page;
use super::actor::Acting;
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

/// The name of the list, for its cursors.
const LIST: &str = "not searchable";

impl Acting<'_> {
    pub(super) fn not_searchable_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<NotSearchable>, Error> {
        self.only_system("read totals of the archive")?;
        let store = &self.archive.store;
        let mut last = self.place_in(LIST, cursor)?;
        let mut incomplete = store.indexer().snapshot().incomplete().map_err(failed)?;
        if let Ok(after) = <[u8; 4]>::try_from(&*last) {
            incomplete.remove_range(0..=u32::from_be_bytes(after));
        }
        let mut items = Vec::new();
        for content in incomplete.iter().map(ContentNo) {
            if items.len() >= most {
                return Ok(Page { items, cursor: Some(self.cursor_in(LIST, &last)?) });
            }
            if let Some((no, _)) = store.catalog().placements(content)?.first().copied() {
                items.extend(not_searchable(store, MessageId { store: store.no(), no }, content)?);
            }
            last = content.0.to_be_bytes().to_vec();
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
