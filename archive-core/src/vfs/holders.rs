//! The locks of a file system in memory.

use super::LockKind;

/// The holders of the lock on a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holders {
    shared: usize,
    exclusive: bool,
}

impl Holders {
    /// Takes the lock; `false` if another holder is in the way.
    pub(super) fn take(&mut self, kind: LockKind) -> bool {
        match kind {
            LockKind::Shared if !self.exclusive => self.shared += 1,
            LockKind::Exclusive if !self.exclusive && self.shared == 0 => self.exclusive = true,
            _ => return false,
        }
        true
    }

    /// Releases a lock that [`Holders::take`] took.
    pub(super) fn give_back(&mut self, kind: LockKind) {
        match kind {
            LockKind::Shared => self.shared -= 1,
            LockKind::Exclusive => self.exclusive = false,
        }
    }
}
