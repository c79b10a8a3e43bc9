//! What a repair records again of deletions and erasures: where the records lost some, the catalog may still know which
//! messages are deleted, which are back, and what was erased.

use roaring::RoaringBitmap;

use super::Store;
use super::commit::Dead;
use crate::error::Error;
use crate::id::MessageNo;
use crate::records::{
    ContainersRemovedFact, DeletedFact, ErasureDoneFact, Fact, FactKind, FactValue, Listing, Scan, ScanItem, Undeleted, UndeletedFact,
};

/// In the place of an actor and a reason that are lost with their commit.
const LOST: &str = "recorded again by a repair";

impl Store {
    /// Facts after which the records in `listing` say what the catalog says.
    pub(super) fn deletions_again(&self, listing: Listing) -> Result<Vec<FactValue>, Error> {
        let (recorded, catalog) = (deleted_in(listing)?, self.catalog());
        let (actor, time, reason) = (String::new(), self.now(), LOST.to_owned());
        let mut facts = Vec::new();
        let lost = catalog.deleted() - &recorded;
        if !lost.is_empty() {
            let messages = lost.iter().map(|no| (no, 1)).collect();
            facts.push(FactValue::MessagesDeleted(DeletedFact { messages, actor: actor.clone(), time, reason: reason.clone() }));
        }
        let mut messages = Vec::new();
        for no in &recorded - catalog.deleted() {
            if let Some(row) = catalog.message_row(MessageNo(no))? {
                messages.push(Undeleted { first: no, count: 1, folder: row.folder, number: row.number });
            }
        }
        if !messages.is_empty() {
            facts.push(FactValue::MessagesUndeleted(UndeletedFact { messages, actor, time, reason }));
        }
        Ok(facts)
    }
}

impl Store {
    /// Facts that say once more what was erased. Applied twice, they change nothing.
    pub(super) fn erasures_again(&self) -> Result<Vec<FactValue>, Error> {
        let (catalog, time) = (self.catalog(), self.now());
        let erasures = Dead::of_erased(&catalog)?.facts("", time).into_iter();
        let mut facts: Vec<FactValue> = erasures.map(|fact| FactValue::Erasure(Box::new(fact))).collect();
        let containers: Vec<u32> = catalog.containers_removed().iter().collect();
        if !containers.is_empty() {
            facts.push(FactValue::ContainersRemoved(ContainersRemovedFact { containers }));
        }
        if !facts.is_empty() && !catalog.is_erasing() {
            facts.push(FactValue::ErasureDone(ErasureDoneFact { time }));
        }
        Ok(facts)
    }
}

/// The messages that are deleted after all commits that can be read.
fn deleted_in(listing: Listing) -> Result<RoaringBitmap, Error> {
    let mut deleted = RoaringBitmap::new();
    for file in listing.files {
        let mut scan = Scan::new(file, 0);
        while let Some(item) = scan.next()? {
            let ScanItem::Commit(commit) = item else { continue };
            for fact in &commit.commit.facts {
                let Fact::Known { kind, bytes } = fact else { continue };
                if ![FactKind::MessagesDeleted as u16, FactKind::MessagesUndeleted as u16].contains(kind) {
                    continue;
                }
                match FactValue::read(*kind, bytes, &mut None)? {
                    FactValue::MessagesDeleted(fact) => deleted.extend(fact.numbers()),
                    FactValue::MessagesUndeleted(fact) => fact.places().for_each(|(no, ..)| {
                        deleted.remove(no);
                    }),
                    _ => {}
                }
            }
        }
    }
    Ok(deleted)
}
