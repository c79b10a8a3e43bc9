//! Writes the catalog to its files: recent changes as a run, several runs as one, and the manifest that names them.
//! Whatever takes long is done on a view, so that the catalog is read and changed meanwhile.

use std::sync::Arc;

use super::{Catalog, manifest_path};
use crate::catalog::keys;
use crate::catalog::manifest::{Basis, Manifest, encode_manifest, replace_manifest};
use crate::catalog::rows::{FolderRow, write_row};
use crate::catalog::run::{Run, RunName};
use crate::catalog::sorted::Due;
use crate::error::Error;
use crate::id::FolderNo;
use crate::seal::FileKind;

/// What was written of a catalog and is named by its manifest.
pub(crate) struct Written {
    run: Option<Arc<Run>>,
    basis: Basis,
}

/// A run that replaces several.
pub(crate) struct Merged {
    due: Due,
    run: Arc<Run>,
}

impl Catalog {
    /// Sets recent changes apart, to be written; `false` if there are none. Later changes are for the next time.
    pub(crate) fn freeze(&mut self) -> bool {
        if self.flushed.link == self.basis.link || self.forgotten {
            return false;
        }
        self.put_changed();
        self.sorted.freeze();
        true
    }

    /// Writes what is frozen in this view, and names it in a new manifest; one thread at a time. The current catalog
    /// learns of it by [`Self::adopt`].
    pub(crate) fn write_frozen(&self) -> Result<Written, Error> {
        // From here on a manifest may name them.
        self.sorted.keep();
        let run = self.sorted.write_frozen()?;
        self.name(&self.basis, self.sorted.names(run.as_ref()))?;
        Ok(Written { run, basis: self.basis.clone() })
    }

    /// Adopts what was written of its frozen changes.
    pub(crate) fn adopt(&mut self, written: Written) {
        self.sorted.adopt(written.run);
        self.flushed = Arc::new(written.basis);
    }

    fn name(&self, basis: &Basis, runs: Vec<RunName>) -> Result<(), Error> {
        let home = self.sorted.home();
        home.vfs.sync_dir(&home.dir)?;
        let bytes = encode_manifest(&Manifest::new(basis, runs, home.next_number()));
        replace_manifest(&*home.vfs, &manifest_path(&home.dir), &home.key, FileKind::CatalogManifest, home.owner, &bytes)
    }

    /// Runs to be merged, if there are enough of one level. Runs that no manifest names yet wait.
    pub(crate) fn due(&self) -> Option<Due> {
        if self.flushed.link.sequence == 0 || self.forgotten { None } else { self.sorted.due() }
    }

    /// Writes the run that replaces several; [`Error::Stopped`] as soon as `between` returns false.
    pub(crate) fn write_merged(&self, due: Due, between: &dyn Fn() -> bool) -> Result<Merged, Error> {
        let run = self.sorted.write_merged(&due, None, between)?;
        Ok(Merged { due, run })
    }

    /// Writes all runs anew, without what leads to something erased; `None` if there is no run.
    pub(crate) fn write_purged(&self, between: &dyn Fn() -> bool) -> Result<Option<Merged>, Error> {
        let Some(due) = self.sorted.all() else { return Ok(None) };
        let run = self.sorted.write_merged(&due, Some(&|key| self.stays(key)), between)?;
        Ok(Some(Merged { due, run }))
    }

    /// Names a merged run in a new manifest, which otherwise equals the last one; one thread at a time. The current
    /// catalog learns of it by [`Self::take_merged`].
    pub(crate) fn name_merged(&self, merged: &Merged) -> Result<(), Error> {
        let runs = self.sorted.with_merged(&merged.due, &merged.run);
        self.name(&self.flushed, runs.iter().map(|run| run.name.clone()).collect())
    }

    pub(crate) fn take_merged(&mut self, merged: &Merged) {
        self.sorted.set_runs(self.sorted.with_merged(&merged.due, &merged.run));
    }

    /// Removes the files that a merged run replaces.
    pub(crate) fn remove_merged(&self, merged: &Merged) -> Result<(), Error> {
        self.sorted.remove_merged(&merged.due)
    }

    /// Writes recent changes to files and names them in a new manifest.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        if self.freeze() {
            let written = self.write_frozen()?;
            self.adopt(written);
        }
        while let Some(due) = self.due() {
            let merged = self.write_merged(due, &|| true)?;
            self.name_merged(&merged)?;
            self.take_merged(&merged);
            self.remove_merged(&merged)?;
        }
        Ok(())
    }

    /// While a catalog is rebuilt from the beginning: writes what is in memory, if that is more than `bytes`, into runs
    /// that no manifest names before the catalog is complete. Until then the runs do not count: an incomplete catalog
    /// would pass for one that knows more than damaged records.
    pub(crate) fn spill(&mut self, bytes: usize) -> Result<(), Error> {
        if self.flushed.link.sequence != 0 || self.sorted.memory_len() < bytes {
            return Ok(());
        }
        self.sorted.spill()
    }

    /// Adds the changed rows of folders and sets to what is written next.
    fn put_changed(&mut self) {
        for no in self.folders_mut().take_changed() {
            let Some(folder) = self.folders.get(FolderNo(no)) else { continue };
            let crate::catalog::Folder { parent, name, messages, bytes, last, epoch, .. } = folder;
            let removed = self.folders.is_removed(FolderNo(no)).then_some(true);
            let row = FolderRow { parent, name: name.to_owned(), messages, bytes, last, epoch, removed };
            self.sorted.put_value(keys::folder(no), |out| write_row(&row, out));
        }
        let sorted = &mut self.sorted;
        Arc::make_mut(&mut self.sets)
            .take_changed(&mut |of, upper, row| sorted.put_value(keys::set(of, upper), |out| out.extend_from_slice(row)));
    }

    /// Removes the manifest: the next open starts over with the records, and removes the runs.
    pub(crate) fn forget(&mut self) -> Result<(), Error> {
        let home = self.sorted.home();
        let path = manifest_path(&home.dir);
        if home.vfs.kind(&path)?.is_some() {
            home.vfs.remove(&path)?;
            home.vfs.sync_dir(&home.dir)?;
        }
        self.forgotten = true;
        Ok(())
    }
}
