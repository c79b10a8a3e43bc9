//! Deletes messages and brings them back: one commit for all of a call, or none.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use roaring::RoaringBitmap;

use super::Duplicates;
use super::draft::Draft;
use crate::catalog::{Catalog, FactPlace};
use crate::error::Error;
use crate::id::{FolderNo, MessageNo};
use crate::records::{DeletedFact, MOST_NUMBERS, Undeleted, UndeletedFact, ranges_of};
use crate::store::Store;

/// On whose behalf, and why.
#[derive(Clone, Copy)]
pub(crate) struct Note<'n> {
    pub(crate) actor: &'n str,
    pub(crate) reason: &'n str,
}

/// Messages of a call, by what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct Divided {
    pub(crate) changed: RoaringBitmap,
    /// Those that are already as they should be.
    pub(crate) unchanged: RoaringBitmap,
}

/// What may be done with a message.
enum May {
    Yes,
    /// It is done already.
    Done,
    /// The actor sees no such message.
    Unknown,
}

/// Whether an actor may delete a message: everything that decides it is here.
fn may_delete(catalog: &Catalog, sees: &dyn Fn(FolderNo) -> bool, no: MessageNo) -> Result<May, Error> {
    Ok(match catalog.message_row(no)? {
        Some(row) if sees(FolderNo(row.folder)) => match catalog.deleted().contains(no.0) {
            false => May::Yes,
            true => May::Done,
        },
        _ => May::Unknown,
    })
}

/// Whether an actor may bring a message back.
fn may_undelete(catalog: &Catalog, sees: &dyn Fn(FolderNo) -> bool, no: MessageNo) -> Result<May, Error> {
    Ok(match may_delete(catalog, sees, no)? {
        May::Yes => May::Done,
        May::Done => May::Yes,
        May::Unknown => May::Unknown,
    })
}

/// Asks for each message; all that the actor does not see are one error.
fn divide(store: &Store, asked: &RoaringBitmap, may: &dyn Fn(MessageNo) -> Result<May, Error>) -> Result<Divided, Error> {
    let (mut divided, mut unknown) = (Divided::default(), Vec::new());
    for no in asked {
        match may(MessageNo(no))? {
            May::Yes => divided.changed.insert(no),
            May::Done => divided.unchanged.insert(no),
            May::Unknown => {
                unknown.push(store.message_id(MessageNo(no)));
                false
            }
        };
    }
    if unknown.is_empty() { Ok(divided) } else { Err(Error::NoSuchMessages(unknown)) }
}

impl Store {
    /// Deletes the messages of `asked` that `sees` shows, in one commit: durable when this returns.
    pub(crate) fn delete(&self, asked: &RoaringBitmap, sees: &dyn Fn(FolderNo) -> bool, note: Note<'_>) -> Result<Divided, Error> {
        self.change(asked, |draft| {
            let divided = divide(self, asked, &|no| may_delete(draft.catalog, sees, no))?;
            draft.delete(&divided.changed, note);
            Ok(divided)
        })
    }

    /// What [`Store::delete`] would do.
    pub(crate) fn plan_delete(&self, asked: &RoaringBitmap, sees: &dyn Fn(FolderNo) -> bool) -> Result<Divided, Error> {
        drop(self.writer()?);
        let catalog = self.catalog();
        divide(self, asked, &|no| may_delete(&catalog, sees, no))
    }

    /// Brings back the messages of `asked`, each into its folder under the next number there.
    pub(crate) fn undelete(&self, asked: &RoaringBitmap, sees: &dyn Fn(FolderNo) -> bool, note: Note<'_>) -> Result<Divided, Error> {
        self.change(asked, |draft| {
            let divided = divide(self, asked, &|no| may_undelete(draft.catalog, sees, no))?;
            draft.undelete(&divided.changed, note)?;
            Ok(divided)
        })
    }

    fn change(&self, asked: &RoaringBitmap, fill: impl FnOnce(&mut Draft<'_>) -> Result<Divided, Error>) -> Result<Divided, Error> {
        if asked.len() > MOST_NUMBERS as u64 {
            return Err(Error::misuse(
                format!("{} messages are too many for one call", asked.len()),
                format!("give at most {MOST_NUMBERS}"),
            ));
        }
        self.tidy()?;
        self.commit_drafted(Duplicates::Folder, None, self.now(), |draft, _| Ok((fill(draft)?, Vec::new())))
    }

    /// Up to `most` deleted messages from `from` on whose folder `sees` shows, and whether more follow; each with the
    /// place of the fact that deleted it.
    pub(crate) fn deletions(
        &self,
        from: MessageNo,
        most: usize,
        sees: &dyn Fn(FolderNo) -> bool,
    ) -> Result<(VecDeque<(MessageNo, FactPlace)>, bool), Error> {
        let catalog = self.catalog();
        let (mut found, mut more) = (VecDeque::new(), false);
        catalog.deletions(from, &mut |no, place| {
            if catalog.message_row(no)?.is_none_or(|row| !sees(FolderNo(row.folder))) {
                return Ok(ControlFlow::Continue(()));
            }
            if found.len() == most {
                more = true;
                return Ok(ControlFlow::Break(()));
            }
            found.push_back((no, place));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((found, more))
    }
}

impl Draft<'_> {
    fn delete(&mut self, messages: &RoaringBitmap, note: Note<'_>) {
        if !messages.is_empty() {
            let Note { actor, reason } = note;
            self.deleted =
                Some(DeletedFact { messages: ranges_of(messages), actor: actor.to_owned(), time: self.now, reason: reason.to_owned() });
        }
    }

    fn undelete(&mut self, messages: &RoaringBitmap, note: Note<'_>) -> Result<(), Error> {
        let mut ranges: Vec<Undeleted> = Vec::new();
        for no in messages {
            let row = self.catalog.message_row(MessageNo(no))?.ok_or(Error::Bug("a deleted message has no row"))?;
            let number = self.next_number(FolderNo(row.folder))?;
            match ranges.last_mut() {
                Some(last)
                    if last.folder == row.folder
                        && last.first.checked_add(last.count) == Some(no)
                        && last.number.checked_add(last.count) == Some(number) =>
                {
                    last.count += 1;
                }
                _ => ranges.push(Undeleted { first: no, count: 1, folder: row.folder, number }),
            }
        }
        if !ranges.is_empty() {
            let Note { actor, reason } = note;
            self.undeleted = Some(UndeletedFact { messages: ranges, actor: actor.to_owned(), time: self.now, reason: reason.to_owned() });
        }
        Ok(())
    }
}
