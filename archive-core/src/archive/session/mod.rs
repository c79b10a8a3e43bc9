//! The calls of an archive on behalf of an actor, as callers see them. What they do is in the modules beside this one.

mod archiving;
mod deleting;
mod folders;
mod reading;
mod searching;
mod stores;
mod upkeep;

use super::actor::{Acting, Actor};
use super::{Archive, Opened, Page};
use crate::error::Error;

/// An archive, used on behalf of an [`Actor`]: every call that reads, searches or changes. It is a handle: clone it, and
/// use it from any thread.
///
/// Every call blocks until it is done. After [`Archive::close`], through any handle, calls fail with [`Error::Closed`].
#[derive(Debug, Clone)]
pub struct Session {
    archive: Archive,
    actor: Actor,
}

impl Session {
    pub(super) fn new(archive: Archive, actor: Actor) -> Self {
        Self { archive, actor }
    }

    /// The archive.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// On whose behalf calls are made.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Runs one call.
    pub(super) fn call<T>(&self, work: impl FnOnce(&Acting<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let call = self.archive.enter()?;
        work(&Acting::new(&call, &self.actor))
    }

    /// Runs one call that changes the archive.
    pub(super) fn change<T>(&self, work: impl FnOnce(&Acting<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let call = self.archive.enter_to_change()?;
        work(&Acting::new(&call, &self.actor))
    }

    /// Runs one call that looks at the stores.
    fn with_stores<T>(&self, work: impl FnOnce(&Opened) -> Result<T, Error>) -> Result<T, Error> {
        let call = self.archive.enter()?;
        self.actor.only_system("list stores")?;
        work(&call)
    }

    /// Runs one call that changes the stores. It holds none of them: closing one waits for those who do.
    fn change_stores<T>(&self, work: impl FnOnce(&Opened) -> Result<T, Error>) -> Result<T, Error> {
        let call = self.archive.enter_to_change()?;
        self.actor.only_system("change stores")?;
        work(&call)
    }
}

/// How much of a list is read at once where a caller reads all of it.
const AT_ONCE: usize = 256;

/// All items of a list, read page by page. It ends after an error.
fn each<T>(mut page: impl FnMut(Option<&str>) -> Result<Page<T>, Error>) -> impl Iterator<Item = Result<T, Error>> {
    let (mut items, mut cursor, mut ended) = (Vec::new().into_iter(), None, false);
    std::iter::from_fn(move || {
        loop {
            if let Some(item) = items.next() {
                return Some(Ok(item));
            }
            if ended {
                return None;
            }
            match page(cursor.as_deref()) {
                Ok(next) => (items, ended, cursor) = (next.items.into_iter(), next.cursor.is_none(), next.cursor),
                Err(error) => {
                    ended = true;
                    return Some(Err(error));
                }
            }
        }
    })
}
