//! What brings mail in, and checks whether it is there.

use std::ops::ControlFlow;

use super::Session;
use crate::archive::{
    CheckReport, ImportEvents, ImportOptions, ImportPlan, ImportReport, ImportSource, LostFileInfo, LostMail, LostReport, Receipt,
};
use crate::error::Error;
use crate::folder::FolderPath;

impl Session {
    /// Imports everything in `source`. What has a receipt is durable, whatever happens later. If the index cannot be
    /// written, searches count what it lacks, and it catches up once it can be written. If the catalog cannot be
    /// written, it keeps what is new in memory, up to its share of the budget; then the import ends with the error,
    /// before the mails that no longer fit are archived.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use std::ops::ControlFlow;
    ///
    /// use archive_core::{ImportOptions, ImportSource, NoEvents, Progress};
    ///
    /// let mut mbox = &b"From ada@example.org Mon Jan  1 00:00:00 2024\nFrom: ada@example.org\nSubject: Hello\n\nText.\n"[..];
    /// let progress = Progress::reporting(|step| {
    ///     println!("{}: {} {}", step.activity, step.done, step.unit.name());
    ///     // A break ends the import; `cancel` of a clone does it from another thread.
    ///     ControlFlow::Continue(())
    /// });
    /// let options = ImportOptions { into: Some("anna/lists".parse()?), progress, ..ImportOptions::default() };
    /// let report = session.import(ImportSource::Stream(&mut mbox, "lists.mbox"), &options, &mut NoEvents)?;
    /// assert_eq!((report.read, report.stored, report.stopped), (1, 1, false));
    /// # Ok(())
    /// # }
    /// ```
    pub fn import(&self, source: ImportSource<'_>, options: &ImportOptions, events: &mut dyn ImportEvents) -> Result<ImportReport, Error> {
        self.change(|acting| acting.import(source, options, events))
    }

    /// Archives one mail in `folder`, which is created if missing. The mail is durable when this returns. It is
    /// searchable too, unless another thread feeds the index or the index has no room: then it is found soon, and until
    /// then searches count it as not indexed. If the index cannot be written, that lasts until a later mail or open can
    /// write it.
    ///
    /// Bytes that are never a mail ([`source::refused`](crate::source::refused)) are an error here, as they are a trouble in
    /// [`Session::import`].
    ///
    /// Concurrent callers share a commit, and its error. After an error, archive the mail again: a failed sync leaves
    /// open whether it was stored, and if it was, it is kept once.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// let receipt = session.import_one(b"From: ada@example.org\n\nText.\n", &"anna/inbox".parse()?)?;
    /// // Only now may whoever sent it be told that it was received.
    /// println!("{} {}", receipt.id(), receipt.digest());
    /// # Ok(())
    /// # }
    /// ```
    pub fn import_one(&self, raw: &[u8], folder: &FolderPath) -> Result<Receipt, Error> {
        self.change(|acting| acting.import_one(raw, folder))
    }

    /// The folder that [`Session::import`] would put `source` into, or below.
    pub fn target(&self, source: &ImportSource<'_>, options: &ImportOptions) -> Result<FolderPath, Error> {
        self.call(|acting| acting.target(source, options))
    }

    /// Reads a source as [`Session::import`] does, and returns where its mails would go. If it is ended, that is
    /// [`Error::Stopped`].
    pub fn plan(&self, source: ImportSource<'_>, options: &ImportOptions, events: &mut dyn ImportEvents) -> Result<ImportPlan, Error> {
        self.call(|acting| acting.plan(source, options, events))
    }

    /// Checks whether every mail of `source` is in the archive with exactly the same bytes, or the same except for
    /// headers that mail programs change. Each is read from the archive and its digest checked.
    pub fn check(&self, source: ImportSource<'_>, options: &ImportOptions, events: &mut dyn ImportEvents) -> Result<CheckReport, Error> {
        self.call(|acting| acting.check(source, options, events))
    }

    /// The files in `lost+found`, the oldest of each store first, with the mails that can be read in them. Each mail is
    /// read for this.
    pub fn lost_files(&self) -> Result<Vec<LostFileInfo>, Error> {
        self.call(|acting| acting.lost_files())
    }

    /// Passes the mails in `lost+found` to `visit`, one at a time, until it breaks. Mails with the same bytes are
    /// passed once.
    pub fn lost_mails(&self, visit: &mut dyn FnMut(LostMail) -> Result<ControlFlow<()>, Error>) -> Result<LostReport, Error> {
        self.call(|acting| acting.lost_mails(visit))
    }

    /// Imports the mails of `lost+found` into the folders that they were meant for; those whose bytes the archive has
    /// already, in any folder, are duplicates. Mails above 16 MiB, and those whose folder is ambiguous, are counted as
    /// failed. The files stay where they are.
    pub fn import_lost(&self, on_receipt: &mut dyn FnMut(&Receipt)) -> Result<ImportReport, Error> {
        self.change(|acting| acting.import_lost(on_receipt))
    }
}
