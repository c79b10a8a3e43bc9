//! Damage that was accepted: recorded once, and listed separately by `verify` from then on. What is hit stays damaged.

use std::collections::BTreeSet;

use super::Duplicates;
use crate::error::Error;
use crate::records::DamagedPlace;
use crate::store::Store;

/// Places that a store keeps at most.
const MOST_ACCEPTED: usize = 10_000;

impl Store {
    /// The places that were accepted.
    pub(crate) fn accepted(&self) -> Result<BTreeSet<DamagedPlace>, Error> {
        match self.catalog().accepted() {
            Ok(places) => Ok(places.into_iter().collect()),
            // The damaged page of the catalog is reported separately.
            Err(Error::Damage(_)) => Ok(Default::default()),
            Err(error) => Err(error),
        }
    }

    /// Records `places` as accepted, durable when this returns.
    pub(crate) fn accept(&self, mut places: BTreeSet<DamagedPlace>) -> Result<(), Error> {
        let known = self.accepted()?;
        places.retain(|place| !known.contains(place));
        let all = known.len().saturating_add(places.len());
        if all > MOST_ACCEPTED {
            return Err(Error::misuse(
                format!("{all} damaged places would be accepted, and at most {MOST_ACCEPTED} are: nothing was accepted"),
                "export what is whole into a new archive",
            ));
        }
        if places.is_empty() {
            return Ok(());
        }
        self.commit_drafted(Duplicates::Folder, None, self.now(), |draft, _| {
            draft.accept(places.into_iter().collect());
            Ok(((), Vec::new()))
        })
    }
}
