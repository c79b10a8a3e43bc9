//! The identity on whose behalf a call is made, and what it may see.

use std::ops::Deref;
use std::sync::Arc;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::Opened;
use super::stores::OpenStores;
use crate::catalog::Folders;
use crate::error::Error;
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId, StoreNo};
use crate::store::{Store, View};

/// The identity on whose behalf a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The program that embeds the library: sees and does everything.
    System,
    /// A person who sees some folders. Folders outside their view behave as if they did not exist.
    User(User),
}

/// A person, with the folders that they may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Their name, for records.
    pub name: String,
    /// May restrict a search to one store. This gives no right to see mail: an administrator sees only the folders
    /// listed here.
    #[serde(default)]
    pub administrator: bool,
    /// The folders whose messages they see; those that do not exist are ignored.
    #[serde(default)]
    pub folders: Vec<FolderScope>,
}

/// A folder, with those below it or without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderScope {
    /// The path as it is printed: names joined by `/`, compared in NFC.
    pub path: String,
    /// Whether folders below it count.
    #[serde(default = "yes")]
    pub subfolders: bool,
}

pub(super) fn yes() -> bool {
    true
}

impl FolderScope {
    /// A folder and all below it.
    #[must_use]
    pub fn below(path: &str) -> Self {
        Self { path: path.to_owned(), subfolders: true }
    }

    /// A folder alone.
    #[must_use]
    pub fn exactly(path: &str) -> Self {
        Self { path: path.to_owned(), subfolders: false }
    }
}

/// The folders of `scopes` that exist.
pub(super) fn folders_of<'s>(folders: &Folders, scopes: impl IntoIterator<Item = &'s FolderScope>) -> RoaringBitmap {
    let (mut exact, mut roots) = (Vec::new(), Vec::new());
    for scope in scopes {
        let names = scope.path.parse::<FolderPath>().map(|path| folders.of_path(path.names())).unwrap_or_default();
        if scope.subfolders { &mut roots } else { &mut exact }.extend(names);
    }
    folders.spread(&exact, &roots)
}

/// The folders that an actor sees.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sight {
    All,
    Folders(RoaringBitmap),
}

impl Sight {
    pub(super) fn sees(&self, folder: FolderNo) -> bool {
        match self {
            Self::All => true,
            Self::Folders(folders) => folders.contains(folder.0),
        }
    }
}

impl Actor {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::System => "system",
            Self::User(user) => &user.name,
        }
    }

    pub(super) fn only_system(&self, what: &'static str) -> Result<(), Error> {
        match self {
            Self::System => Ok(()),
            Self::User(_) => Err(Error::Denied(what)),
        }
    }

    pub(super) fn sight(&self, folders: &Folders) -> Sight {
        match self {
            Self::System => Sight::All,
            Self::User(user) => Sight::Folders(folders_of(folders, &user.folders)),
        }
    }

    /// Whether a search may be restricted to a store (O45).
    pub(super) fn is_administrator(&self) -> bool {
        match self {
            Self::System => true,
            Self::User(user) => user.administrator,
        }
    }
}

/// A call of a [`Session`](super::Session): an open archive, used on behalf of an actor.
pub(super) struct Acting<'a> {
    pub(super) archive: &'a Opened,
    pub(super) actor: &'a Actor,
    /// The stores that are open, by number: the same for the whole call.
    pub(super) stores: OpenStores,
}

/// The same in one store.
pub(super) struct InStore<'a> {
    acting: &'a Acting<'a>,
    pub(super) store: &'a Arc<Store>,
}

impl<'a> Deref for InStore<'a> {
    type Target = Acting<'a>;

    fn deref(&self) -> &Acting<'a> {
        self.acting
    }
}

impl<'a> Acting<'a> {
    pub(super) fn new(archive: &'a Opened, actor: &'a Actor) -> Self {
        Self { archive, actor, stores: archive.stores.open() }
    }

    /// The call in each open store, by number.
    pub(super) fn each_store(&self) -> impl Iterator<Item = InStore<'_>> {
        self.stores.iter().map(|store| InStore { acting: self, store })
    }

    /// The call in store `no`, if that is open.
    pub(super) fn in_store(&self, no: StoreNo) -> Option<InStore<'_>> {
        self.each_store().find(|within| within.store.no() == no)
    }

    /// The call in the store of a message.
    pub(super) fn of(&self, id: MessageId) -> Result<InStore<'_>, Error> {
        self.in_store(id.store).ok_or(Error::NoSuchMessage(id))
    }

    /// An error unless the actor is the system: `what` concerns more than the messages of some folders.
    pub(super) fn only_system(&self, what: &'static str) -> Result<(), Error> {
        self.actor.only_system(what)
    }
}

impl InStore<'_> {
    pub(super) fn sight(&self) -> Sight {
        self.actor.sight(self.store.catalog().folders())
    }

    /// What is there now, and what of it the actor sees.
    pub(super) fn view(&self) -> (View, Sight) {
        let view = self.store.view();
        let sight = self.actor.sight(view.catalog().folders());
        (view, sight)
    }
}
