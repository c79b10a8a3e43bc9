//! Deleted messages: they leave folders, totals and searches at once, and their rows stay, so that they can be brought
//! back until a compaction. The last fact about a message wins.
//!
//! What a content still has decides how searches treat it. Of a message that was deleted, the entry of its content
//! stays without a value, so that it is known which message was the first.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use roaring::RoaringBitmap;

use super::{Catalog, FactPlace};
use crate::catalog::rows::{read_place, write_row};
use crate::catalog::sets::SetOf;
use crate::catalog::{MessageRow, keys};
use crate::error::Error;
use crate::id::{ContentNo, FolderNo, MessageNo};
use crate::records::{DeletedFact, UndeletedFact};

/// Contents whose messages change, with their bytes.
pub(super) type Touched = BTreeMap<u32, u64>;

impl Catalog {
    /// Messages that are deleted.
    pub(crate) fn deleted(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::Deleted)
    }

    /// How often messages were brought back since the catalog was opened, and which.
    pub(crate) fn brought_back(&self) -> (u64, &RoaringBitmap) {
        (self.brought_back.0, &self.brought_back.1)
    }

    /// How many contents no message refers to any more since theirs were deleted, and their bytes.
    pub(crate) fn unreferenced(&self) -> (u64, u64) {
        (self.sets.of(SetOf::Unreferenced).len(), self.basis.numbers.unreferenced_bytes)
    }

    /// The place of the fact that deleted a message; `None` if it is not deleted.
    pub(crate) fn deletion(&self, no: MessageNo) -> Result<Option<FactPlace>, Error> {
        self.sorted.get(&keys::deleted(no))?.map(|place| read_place(&place)).transpose()
    }

    /// Deleted messages from `from` on, in order, with the place of the fact that deleted each.
    pub(crate) fn deletions(
        &self,
        from: MessageNo,
        visit: &mut dyn FnMut(MessageNo, FactPlace) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        self.sorted.scan(keys::DELETED, &keys::deleted(from), &mut |key, place| match keys::last_number(key) {
            Some(no) => visit(MessageNo(no), read_place(place)?),
            None => Ok(ControlFlow::Continue(())),
        })
    }

    pub(super) fn delete(&mut self, fact: &DeletedFact, at: FactPlace) -> Result<(), Error> {
        let mut touched = Touched::new();
        for no in fact.numbers().map(MessageNo) {
            self.sorted.put_value(keys::deleted(no), |out| write_row(&at, out));
            if self.sets_mut().insert(SetOf::Deleted, no.0)
                && let Some(row) = self.message_row(no)?
            {
                self.take_out(no, &row, &mut touched)?;
            }
        }
        self.judge_all(touched)
    }

    pub(super) fn undelete(&mut self, fact: &UndeletedFact) -> Result<(), Error> {
        let mut touched = Touched::new();
        self.brought_back.0 += 1;
        for (no, folder, number) in fact.places() {
            let was_deleted = self.sets_mut().remove(SetOf::Deleted, no);
            self.folders_mut().number(folder, number);
            std::sync::Arc::make_mut(&mut self.brought_back.1).insert(no);
            let no = MessageNo(no);
            // Damage may have taken the message, or the fact that deleted it.
            if was_deleted {
                self.sorted.remove(keys::deleted(no));
            }
            let Some(row) = self.message_row(no)? else {
                // Erased since: the folder came back with it all the same.
                self.folders_mut().restore(folder);
                continue;
            };
            if !was_deleted {
                self.take_out(no, &row, &mut touched)?;
            }
            let Some(content) = self.content_row(ContentNo(row.content))? else { continue };
            touched.insert(row.content, content.size);
            let row = MessageRow { folder, number, ..row };
            self.sorted.put_value(keys::message(no), |out| write_row(&row, out));
            self.place(no, &row, content.date_in_order(), content.size);
        }
        self.judge_all(touched)
    }

    /// Puts a message into its folder.
    pub(super) fn place(&mut self, no: MessageNo, row: &MessageRow, date: i64, size: u64) {
        self.sorted.put(keys::dated(FolderNo(row.folder), date, no));
        let folder = row.folder.to_le_bytes();
        self.sorted.put_value(keys::placed(ContentNo(row.content)).with(no.0), |out| out.extend_from_slice(&folder));
        self.folders_mut().count(row.folder, size);
    }

    /// Notes that a content had a message which is deleted.
    pub(super) fn was_placed(&mut self, content: ContentNo, no: MessageNo) {
        self.sorted.put(keys::placed(content).with(no.0));
    }

    /// Takes a message out of its folder.
    pub(super) fn take_out(&mut self, no: MessageNo, row: &MessageRow, touched: &mut Touched) -> Result<(), Error> {
        let Some(content) = self.content_row(ContentNo(row.content))? else { return Ok(()) };
        self.sorted.remove(keys::dated(FolderNo(row.folder), content.date_in_order(), no));
        self.was_placed(ContentNo(row.content), no);
        self.folders_mut().uncount(row.folder, content.size);
        touched.insert(row.content, content.size);
        Ok(())
    }

    pub(super) fn judge_all(&mut self, touched: Touched) -> Result<(), Error> {
        touched.into_iter().try_for_each(|(content, size)| self.judge(ContentNo(content), size))
    }

    /// Puts a content of `size` bytes into the sets that its messages ask for.
    pub(super) fn judge(&mut self, content: ContentNo, size: u64) -> Result<(), Error> {
        let (mut first, mut live) = (None, Vec::new());
        self.each_placed(content, &mut |no, folder| {
            first.get_or_insert(no);
            live.extend(folder.map(|_| no));
            ControlFlow::Continue(())
        })?;
        let is_shared = match live.as_slice() {
            [] => false,
            // The index has contents in the order of their first messages: of another one it does not know the place.
            [only] => Some(*only) != first,
            _ => true,
        };
        let is_unplaced = live.is_empty();
        let sets = self.sets_mut();
        sets.change(SetOf::Unplaced, content.0, is_unplaced);
        sets.change(SetOf::Shared, content.0, is_shared);
        if sets.change(SetOf::Unreferenced, content.0, is_unplaced && first.is_some()) {
            let bytes = &mut self.basis.numbers.unreferenced_bytes;
            *bytes = if is_unplaced { bytes.saturating_add(size) } else { bytes.saturating_sub(size) };
        }
        Ok(())
    }
}
