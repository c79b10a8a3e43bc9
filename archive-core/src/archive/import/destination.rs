//! Where mail goes: to the current store, after all others were asked whether they have it.

use std::sync::Arc;

use crate::archive::Opened;
use crate::archive::stores::Stores;
use crate::error::Error;
use crate::id::MessageId;
use crate::store::{Duplicates, Elsewhere, NewPlace, Outcome, Prepared, PreparedHeader, RunInfo, Store};

/// The stores that take part in archiving, as they are at a commit.
pub(in crate::archive) struct Destination {
    pub(in crate::archive) current: Arc<Store>,
    others: Vec<Other>,
}

/// A store that is asked, and may be changed to mend a mail.
struct Other {
    store: Arc<Store>,
    may_change: bool,
}

/// What became of mails, each with its message, and whether the run was recorded.
pub(in crate::archive) struct Committed {
    pub(in crate::archive) outcomes: Vec<(MessageId, Outcome)>,
    pub(in crate::archive) has_run: bool,
}

/// Where one mail goes.
enum Way {
    /// Nowhere: it is there.
    Known(MessageId, Outcome),
    /// To the store of this number among the others, where its bytes are damaged.
    Mend(usize),
    Current,
}

impl Destination {
    /// # Errors
    ///
    /// [`Error::StoreNotOpen`] if a store cannot be asked, and [`Error::NoCurrentStore`] if none takes new mail.
    pub(in crate::archive) fn of(archive: &Opened) -> Result<Self, Error> {
        let stores: &Stores = &archive.stores;
        archive.make_due_store();
        let current = stores.to_archive()?;
        let open = stores.open();
        let others = open.iter().filter(|store| store.no() != current.no());
        let others =
            others.map(|store| Other { store: Arc::clone(store), may_change: stores.check_changeable(store.no()).is_ok() }).collect();
        Ok(Self { current, others })
    }

    fn way(&self, header: &PreparedHeader, folder: &[String], duplicates: Duplicates) -> Result<Way, Error> {
        for (at, Other { store, may_change }) in self.others.iter().enumerate() {
            match store.has(header, folder, duplicates)? {
                Elsewhere::Duplicate(outcome) => return Ok(Way::Known(store.message_id(outcome.message()), outcome)),
                // Elsewhere it would be a second message, and this one stay damaged.
                Elsewhere::Damaged if *may_change && store.barred().is_none() => return Ok(Way::Mend(at)),
                Elsewhere::Damaged | Elsewhere::Nothing => {}
            }
        }
        Ok(Way::Current)
    }

    /// Commits mails; durable when this returns. Those that go to the current store share a commit.
    pub(in crate::archive) fn commit(
        &self,
        mails: Vec<Prepared>,
        duplicates: Duplicates,
        run: Option<&RunInfo>,
    ) -> Result<Committed, Error> {
        let now = self.current.now();
        if self.others.is_empty() {
            let outcomes = self.current.commit(mails, duplicates, run, now)?;
            let with_id = |outcome: Outcome| (self.current.message_id(outcome.message()), outcome);
            return Ok(Committed { outcomes: outcomes.into_iter().map(with_id).collect(), has_run: true });
        }
        let mut outcomes: Vec<Option<(MessageId, Outcome)>> = Vec::with_capacity(mails.len());
        let (mut here, mut places) = (Vec::new(), Vec::new());
        for mail in mails {
            outcomes.push(match self.way(&mail.header, &mail.place.folder, duplicates)? {
                Way::Known(id, outcome) => Some((id, outcome)),
                Way::Mend(at) => match self.others.get(at) {
                    Some(Other { store, .. }) => {
                        let mended = store.commit(vec![mail], duplicates, run, now)?;
                        mended.into_iter().next().map(|outcome| (store.message_id(outcome.message()), outcome))
                    }
                    None => None,
                },
                Way::Current => {
                    here.push(mail);
                    places.push(outcomes.len());
                    None
                }
            });
        }
        let has_run = !here.is_empty();
        if has_run {
            for (at, outcome) in places.into_iter().zip(self.current.commit(here, duplicates, run, now)?) {
                if let Some(place) = outcomes.get_mut(at) {
                    *place = Some((self.current.message_id(outcome.message()), outcome));
                }
            }
        }
        let outcomes = outcomes.into_iter().collect::<Option<_>>().ok_or(Error::Bug("a mail went nowhere"))?;
        Ok(Committed { outcomes, has_run })
    }

    /// The message of which a mail received as a stream is a duplicate, in a store other than the current one.
    pub(in crate::archive) fn known_elsewhere(
        &self,
        header: &PreparedHeader,
        place: &NewPlace,
        duplicates: Duplicates,
    ) -> Result<Option<(MessageId, Outcome)>, Error> {
        Ok(match self.way(header, &place.folder, duplicates)? {
            Way::Known(id, outcome) => Some((id, outcome)),
            Way::Mend(_) | Way::Current => None,
        })
    }
}

impl Opened {
    /// The text of what was committed goes into the indexes.
    pub(in crate::archive) fn feed_index(&self) -> Result<(), Error> {
        self.stores.open().iter().try_for_each(|store| store.feed_index())
    }
}
