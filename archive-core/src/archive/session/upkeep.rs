//! What checks, repairs and measures an archive, and keeps its index.

use super::{AT_ONCE, Session, each};
use crate::archive::gate::Within;
use crate::archive::{
    CompactOptions, Depth, IndexConfiguration, NotSearchable, Page, RepairOptions, RepairReport, StatsReport, StoreIndex, VerifyReport,
};
use crate::error::Error;
use crate::progress::Progress;
use crate::store::CompactReport;

impl Session {
    /// The totals of the archive, and its disk usage.
    pub fn stats(&self, progress: &Progress) -> Result<StatsReport, Error> {
        self.call(|acting| acting.stats(progress))
    }

    /// Media types of attachments that are not searched, sorted by name, each with the number of contents that have
    /// such attachments.
    ///
    /// Types that the archive is configured to search are not among them; [`StatsReport::undecided`] counts their
    /// contents. This reads the row of every content, so it takes time in proportion to their number.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] for anyone but the system; [`Error::Damage`] if the catalog is damaged.
    pub fn types_not_read(&self, progress: &Progress) -> Result<Vec<(String, u64)>, Error> {
        self.call(|acting| acting.types_not_read(progress))
    }

    /// A page of the parts that searches cannot look into, in the order of the contents: those of one content are on one
    /// page, which may make it longer than `most`. Mails that have such parts are read again for it, which takes as long
    /// as exporting them. Mails that are not indexed yet are left out.
    pub fn not_searchable_page(&self, cursor: Option<&str>, most: usize) -> Result<Page<NotSearchable>, Error> {
        self.call(|acting| acting.not_searchable_page(cursor, most))
    }

    /// All parts that searches cannot look into, read page by page. See [`not_searchable_page`](Self::not_searchable_page).
    pub fn not_searchable(&self) -> impl Iterator<Item = Result<NotSearchable, Error>> + use<> {
        let session = self.clone();
        each(move |cursor| session.not_searchable_page(cursor, AT_ONCE))
    }

    /// Reads everything and checks everything. `progress` receives the bytes of contents checked so far.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::{Depth, Progress};
    ///
    /// session.import_one(b"From: ada@example.org\n\nText.\n", &"anna/inbox".parse()?)?;
    /// let report = session.verify(Depth::Everything, &Progress::new())?;
    /// assert!(report.findings.is_empty(), "{:?}", report.findings);
    /// assert_eq!(report.messages, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify(&self, depth: Depth, progress: &Progress) -> Result<VerifyReport, Error> {
        self.call(|acting| acting.verify(depth, progress))
    }

    /// Accepts what `report` found, except what can be rebuilt: it is recorded, and listed separately from now on. What
    /// is hit stays damaged, and reading it fails as before. At most 10,000 places are accepted.
    pub fn accept_damage(&self, report: &mut VerifyReport) -> Result<(), Error> {
        self.change(|acting| acting.accept_damage(report))
    }

    /// Makes an archive that refuses mail accept it again: lost commits are noted, what is known of them is recorded
    /// again, and a new records file continues. Afterwards close the archive and open it again.
    ///
    /// # Errors
    ///
    /// If something has to be accepted and `accept_state` is not set: [`Error::RolledBack`], [`Error::IdentityOlder`],
    /// [`Error::IdentityChanged`]. Also [`Error::TooNewToWrite`] and errors of the system, which a repair cannot fix.
    pub fn repair(&self, options: RepairOptions) -> Result<RepairReport, Error> {
        self.change(|acting| acting.repair(options))
    }

    /// Erases what was deleted: messages, the mails that only they had, and their words, from every file of the archive. What
    /// is erased cannot be brought back. Everything else keeps its id, its number, its proof, and can be read and archived
    /// meanwhile.
    ///
    /// The first commit decides what is erased. If `progress` ends the call after it, or the process dies, the rest is done by
    /// the next call. Beside the archive it needs space for one container (256 MiB), one file of records (64 MiB), and once
    /// more for catalog and index. Also removes what is in the `lost+found` of the store.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use std::sync::Arc;
    /// # use archive_core::{Actor, Archive, CreateOptions, vfs::MemVfs};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let new = Archive::create_on(Arc::new(MemVfs::new()), Path::new("/"), CreateOptions::new("anna"))?;
    /// # new.keys();
    /// # let session = new.commit()?.session(Actor::System);
    /// use archive_core::{CompactOptions, DeleteOptions, Progress};
    ///
    /// let id = session.import_one(b"From: ada@example.org\nSubject: Hello\n\nText.\n", &"anna/inbox".parse()?)?.id();
    /// session.delete(&[id], "asked to by Ada", DeleteOptions::default())?;
    /// let report = session.compact(CompactOptions::default(), &Progress::new())?;
    /// assert!(report.is_done());
    /// assert_eq!(report.erased.messages, 1);
    /// assert_eq!(session.undelete(&[id], "too late").map_err(|error| error.code()), Err("no_such_message"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] for anyone but the system; [`Error::Misuse`] while another compaction, or a rebuild of the index,
    /// is under way, and in a function that a call runs; [`Error::Io`] if the disk is full: what was done stays, and the next call goes on.
    pub fn compact(&self, options: CompactOptions, progress: &Progress) -> Result<CompactReport, Error> {
        match options.dry_run {
            true => self.call(|acting| acting.compact(options, progress)),
            // It would wait for the read whose function runs it.
            false if Within::is_noted() => {
                Err(Error::misuse("a compaction cannot run inside another call", "start it when that has returned"))
            }
            false => self.change(|acting| acting.compact(options, progress)),
        }
    }

    /// The indexes of all stores, or of one.
    pub fn store_indexes(&self, store: Option<u32>) -> Result<Vec<StoreIndex>, Error> {
        self.call(|acting| acting.store_indexes(store))
    }

    /// Rebuilds the index of a store from its mails, for all its user archives. Until it is done, searches use the old
    /// one, and new mail is accepted. If `progress` ends it, the old one stays.
    pub fn rebuild_store_index(&self, store: u32, progress: &Progress) -> Result<(), Error> {
        self.change(|acting| acting.rebuild_store_index(store, progress))
    }

    /// Marks the indexes of all stores for [`Self::rebuild_selected_store_indexes`]. The mark outlives the process.
    pub fn select_all_store_indexes_for_rebuild(&self) -> Result<(), Error> {
        self.change(|acting| acting.select_all_store_indexes_for_rebuild())
    }

    /// Rebuilds the indexes that are marked or need it; each is read completely to see whether it does. Returns the
    /// number rebuilt; fewer if `progress` ended it.
    pub fn rebuild_selected_store_indexes(&self, progress: &Progress) -> Result<usize, Error> {
        self.change(|acting| acting.rebuild_selected_store_indexes(progress))
    }

    /// What the index covers.
    pub fn index_configuration(&self) -> Result<IndexConfiguration, Error> {
        self.call(|acting| acting.index_configuration())
    }

    /// Sets what the index covers from now on.
    pub fn set_index_configuration(&self, configuration: &IndexConfiguration) -> Result<(), Error> {
        self.change(|acting| acting.set_index_configuration(configuration))
    }
}
