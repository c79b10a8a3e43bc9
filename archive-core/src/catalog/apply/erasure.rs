//! What an erasure takes away. Its rows go when its fact is applied; look-ups by digest, identity and part go when all
//! runs are written anew, since their keys cannot be told from the rows. Until then they lead to rows that are not there.

use roaring::RoaringBitmap;

use super::deletion::Touched;
use super::{Catalog, SetOf};
use crate::catalog::keys;
use crate::error::Error;
use crate::id::{ContentNo, Digest, MessageNo, PartNo};
use crate::records::{ContainersRemovedFact, Doomed, ErasureFact, numbers_of};

impl Catalog {
    /// Everything that was erased.
    pub(crate) fn erased(&self) -> Doomed {
        let set = |of| self.sets.of(of).clone();
        Doomed { contents: set(SetOf::ErasedContents), parts: set(SetOf::ErasedParts), messages: set(SetOf::ErasedMessages) }
    }

    /// Whether a content was erased.
    pub(crate) fn is_erased(&self, no: ContentNo) -> bool {
        self.sets.of(SetOf::ErasedContents).contains(no.0)
    }

    /// Whether a message is deleted, or was erased.
    pub(crate) fn is_deleted_or_erased(&self, no: MessageNo) -> bool {
        self.deleted().contains(no.0) || self.is_erased_message(no)
    }

    /// Whether a message was erased.
    pub(crate) fn is_erased_message(&self, no: MessageNo) -> bool {
        self.sets.of(SetOf::ErasedMessages).contains(no.0)
    }

    /// Whether files may still have something of what was erased.
    pub(crate) fn is_erasing(&self) -> bool {
        !self.sets.of(SetOf::Erasing).is_empty()
    }

    /// Containers that have bytes of what was erased, and are to be removed.
    pub(crate) fn containers_to_remove(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::ContainersToRemove)
    }

    /// Containers that were removed.
    pub(crate) fn containers_removed(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::ContainersRemoved)
    }

    /// Contents all of whose messages are deleted.
    pub(crate) fn unreferenced_contents(&self) -> &RoaringBitmap {
        self.sets.of(SetOf::Unreferenced)
    }

    /// Contents that have a part.
    pub(crate) fn users_of(&self, part: PartNo) -> Result<Vec<ContentNo>, Error> {
        Ok(self.numbers_behind(&keys::used(part))?.into_iter().map(ContentNo).collect())
    }

    /// Whether a part is damaged.
    pub(crate) fn is_damaged_part(&self, part: PartNo) -> bool {
        self.sets.of(SetOf::DamagedParts).contains(part.0)
    }

    /// Whether another part of this digest is damaged, and so may be read from `part`.
    pub(crate) fn has_damaged_part(&self, part: PartNo, digest: Digest) -> Result<bool, Error> {
        let damaged = self.sets.of(SetOf::DamagedParts);
        let is_damaged = |no: &u32| *no != part.0 && damaged.contains(*no);
        Ok(!damaged.is_empty() && self.numbers_behind(&keys::by_part_digest(digest))?.iter().any(is_damaged))
    }

    pub(super) fn erase(&mut self, fact: &ErasureFact) -> Result<(), Error> {
        self.sets_mut().insert(SetOf::Erasing, 0);
        let mut touched = Touched::new();
        for no in numbers_of(&fact.messages).map(MessageNo) {
            self.erase_message(no, &mut touched)?;
        }
        for no in numbers_of(&fact.contents) {
            touched.remove(&no);
            self.erase_content(ContentNo(no))?;
        }
        for no in numbers_of(&fact.parts) {
            self.erase_part(PartNo(no))?;
        }
        for no in &fact.containers {
            self.sets_mut().insert(SetOf::ContainersToRemove, *no);
        }
        // The index knows contents by the order of their first messages, so those stay known.
        for (content, message) in &fact.first {
            if let Some(row) = self.content_row(ContentNo(*content))? {
                self.was_placed(ContentNo(*content), MessageNo(*message));
                touched.insert(*content, row.size);
            }
        }
        for (folder, number) in &fact.numbers {
            self.folders_mut().number(*folder, *number);
        }
        self.judge_all(touched)
    }

    fn erase_message(&mut self, no: MessageNo, touched: &mut Touched) -> Result<(), Error> {
        let was_deleted = self.sets_mut().remove(SetOf::Deleted, no.0);
        if was_deleted {
            self.sorted.remove(keys::deleted(no));
        }
        let row = self.message_row(no)?;
        if self.sets_mut().insert(SetOf::ErasedMessages, no.0) {
            // Its own fact was counted when it was passed over.
            match self.erased_unnamed.checked_sub(1).filter(|_| row.is_none()) {
                Some(left) => self.erased_unnamed = left,
                None => self.basis.left_out = self.basis.left_out.saturating_add(1),
            }
        }
        if let Some(row) = row {
            // Damage may have taken the fact that deleted it.
            if !was_deleted {
                self.take_out(no, &row, touched)?;
            }
            self.sorted.remove(keys::message(no));
        }
        self.basis.numbers.messages = self.basis.numbers.messages.max(no.0.saturating_add(1));
        Ok(())
    }

    fn erase_content(&mut self, no: ContentNo) -> Result<(), Error> {
        let row = self.content_row(no)?;
        let sets = self.sets_mut();
        let was_unreferenced = sets.remove(SetOf::Unreferenced, no.0);
        for of in [SetOf::Shared, SetOf::Damaged, SetOf::Unpacked] {
            sets.remove(of, no.0);
        }
        sets.insert(SetOf::Unplaced, no.0);
        sets.insert(SetOf::ErasedContents, no.0);
        let numbers = &mut self.basis.numbers;
        numbers.contents = numbers.contents.max(no.0.saturating_add(1));
        if let Some(row) = row {
            numbers.contents_there = numbers.contents_there.saturating_sub(1);
            numbers.content_bytes = numbers.content_bytes.saturating_sub(row.size);
            if was_unreferenced {
                numbers.unreferenced_bytes = numbers.unreferenced_bytes.saturating_sub(row.size);
            }
            if row.section.is_some() {
                self.basis.unpacked_bytes = self.basis.unpacked_bytes.saturating_sub(row.runs.bytes());
            }
            self.sorted.remove(keys::content(no));
        }
        Ok(())
    }

    fn erase_part(&mut self, no: PartNo) -> Result<(), Error> {
        let row = self.part_row(no)?;
        let sets = self.sets_mut();
        sets.remove(SetOf::DamagedParts, no.0);
        sets.remove(SetOf::UnpackedParts, no.0);
        sets.insert(SetOf::ErasedParts, no.0);
        let numbers = &mut self.basis.numbers;
        numbers.parts = numbers.parts.max(no.0.saturating_add(1));
        if let Some(row) = row {
            numbers.part_bytes = numbers.part_bytes.saturating_sub(row.len);
            if row.section.is_some() {
                self.basis.unpacked_bytes = self.basis.unpacked_bytes.saturating_sub(row.runs.bytes());
            }
            self.sorted.remove(keys::part(no));
        }
        Ok(())
    }

    pub(super) fn remove_containers(&mut self, fact: &ContainersRemovedFact) {
        let sets = self.sets_mut();
        for no in &fact.containers {
            sets.remove(SetOf::ContainersToRemove, *no);
            sets.insert(SetOf::ContainersRemoved, *no);
        }
    }

    pub(super) fn erasure_done(&mut self) {
        self.sets_mut().remove(SetOf::Erasing, 0);
    }

    /// Whether an entry of this key may stay when all runs are written anew: it leads to nothing that was erased.
    pub(super) fn stays(&self, key: &[u8]) -> bool {
        let erased = |of, no: Option<u32>| no.is_some_and(|no| self.sets.of(of).contains(no));
        let first = || key.get(1..5).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_be_bytes(*bytes));
        !match key.first() {
            Some(b'c' | b'd' | b'i' | b'u') => erased(SetOf::ErasedContents, keys::last_number(key)),
            Some(b'p' | b'q') => erased(SetOf::ErasedParts, keys::last_number(key)),
            Some(b'x') => erased(SetOf::ErasedContents, first()),
            _ => false,
        }
    }
}
