//! What archives of one process share.

use crate::store::Caches;

/// Memory for pages that were read, which archives of one process share: a server of many archives is bounded by one
/// budget, whichever of them are busy. Clones are handles of the same; it lives as long as one of its archives.
///
/// Without one, an archive has such memory of its own, from its [`OpenOptions::memory`](crate::OpenOptions::memory).
///
/// ```
/// # use std::path::Path;
/// # use std::sync::Arc;
/// # use archive_core::{Archive, CreateOptions, vfs::MemVfs};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use archive_core::{OpenOptions, Runtime};
///
/// let runtime = Runtime::new(256 << 20);
/// let options = OpenOptions::default().runtime(&runtime).memory(16 << 20);
/// # let one = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna").open_options(options.clone()))?;
/// # one.keys();
/// # let archive = one.commit()?;
/// // Every archive that is opened with these options shares the 256 MiB, and has 16 MiB besides while it is written.
/// # archive.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Runtime {
    pub(crate) caches: Caches,
}

impl Runtime {
    /// One with about `memory` bytes, at least 16 MiB.
    #[must_use]
    pub fn new(memory: u64) -> Self {
        let memory = memory.max(16 << 20);
        // Most of it for the index: what a search reads is larger than the rows that it shows.
        let catalog = memory / 11 * 3;
        Self { caches: Caches::new(catalog, usize::try_from(memory - catalog).unwrap_or(usize::MAX)) }
    }
}
