//! Holds all changes for a while, so that the files can be copied.

use std::sync::Arc;
use std::time::Duration;

use super::Archive;
use crate::error::Error;
use crate::vfs::Freezer;

/// While this exists, and for no longer than the time given, no file of the archive changes. Dropping it ends that.
#[must_use = "the archive changes again once this is dropped"]
#[derive(Debug)]
pub struct Frozen {
    freezer: Arc<Freezer>,
    number: u64,
}

impl Frozen {
    /// Lets the archive change again. Returns whether nothing had changed until now: `false` if the time was over:
    /// a copy that was not complete by then must not be used.
    pub fn thaw(self) -> bool {
        self.freezer.thaw(self.number)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.freezer.thaw(self.number);
    }
}

impl Archive {
    /// Holds everything that changes a file of the archive, for at most `max`, so that its folder can be copied, or a
    /// snapshot of its volume taken: such a copy has all mail that had a receipt before. Notes on disk first that everything
    /// is synced. Reading and searching go on; archiving, and closing, wait until [`Frozen::thaw`].
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let archive = new.commit()?;
    /// let frozen = archive.freeze(Duration::from_secs(600))?;
    /// // ... copy the folder ...
    /// assert!(frozen.thaw(), "the copy took longer than ten minutes");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the archive is frozen already; [`Error::ReadOnly`] if it is open for reading only.
    pub fn freeze(&self, max: Duration) -> Result<Frozen, Error> {
        let call = self.enter_to_change()?;
        let freezer = Arc::clone(&call.freezer);
        let frozen = || Error::misuse("the archive is frozen already", "thaw it first, or wait until its time is over");
        // Marking would wait for a commit that waits for the other freeze.
        if freezer.is_shut() {
            return Err(frozen());
        }
        call.mark()?;
        let number = freezer.freeze(max).ok_or_else(frozen)?;
        Ok(Frozen { freezer, number })
    }
}
