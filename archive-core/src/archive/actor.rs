//! In whose name a call is made, and what that one may see.

use super::Archive;

/// In whose name a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The program that embeds the library: sees and does everything.
    System,
}

impl Actor {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::System => "system",
        }
    }
}

/// An archive in the name of an actor. Reads, searches and changes are methods of it.
#[derive(Debug, Clone)]
pub struct Acting<'a> {
    pub(super) archive: &'a Archive,
    pub(super) actor: Actor,
}

impl<'a> Acting<'a> {
    pub(super) fn new(archive: &'a Archive, actor: Actor) -> Self {
        Self { archive, actor }
    }

    /// The archive itself.
    #[must_use]
    pub fn archive(&self) -> &'a Archive {
        self.archive
    }
}
