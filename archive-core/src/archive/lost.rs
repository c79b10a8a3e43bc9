//! `lost+found`: what opens cut after the last durable commit is listed, written out, and imported again. The files
//! stay until their space is needed.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::actor::Acting;
use super::import::{Committed, Destination, prepare, receipt};
use super::{ImportReport, ImportSource, Outcome, Receipt, master};
use crate::error::Error;
use crate::folder::{FolderPath, below};
use crate::id::{Digest, MessageId};
use crate::store::{Duplicates, LostContent, NewPlace, Prepared, RunInfo, lost_files};

/// The folder for mails whose folder is unknown, and the name of the source in import runs.
const NAME: &str = "lost+found";
/// Bytes of mails that are imported with one commit.
const BATCH: u64 = 8 << 20;

/// A file in `lost+found`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostFileInfo {
    /// Its path.
    pub path: PathBuf,
    /// Name of the store; `None` for the master, in which there are no mails.
    pub store: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// What can be read in it.
    pub found: LostReport,
}

/// What was found in `lost+found`. Nothing in it has a receipt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostReport {
    /// Mails that can be read.
    pub mails: u64,
    /// Mails above 16 MiB, which are not read.
    pub too_large: u64,
    /// Mails that are named there without all of their bytes.
    pub incomplete: u64,
}

/// A mail in `lost+found`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostMail {
    /// The file that names it.
    pub file: PathBuf,
    /// Its number, counted from 1 over all files.
    pub number: u64,
    /// The first folder that it was meant for, if that is known.
    pub folder: Option<FolderPath>,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// A message of the archive that has the same bytes.
    pub archived: Option<MessageId>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl LostReport {
    fn count(&mut self, found: &LostContent) {
        match found {
            LostContent::Mail { .. } => self.mails += 1,
            LostContent::TooLarge => self.too_large += 1,
            LostContent::Unreadable => self.incomplete += 1,
        }
    }
}

impl Acting<'_> {
    pub(super) fn lost_files(&self) -> Result<Vec<LostFileInfo>, Error> {
        self.only_system("read lost+found")?;
        let archive = self.archive;
        let of_master = lost_files(&*archive.vfs, &master::dir(&archive.dir))?.into_iter();
        let info = |path: &Path, store, bytes| LostFileInfo { path: path.to_owned(), store, bytes, found: LostReport::default() };
        let mut files: Vec<LostFileInfo> = of_master.map(|file| info(&file.path, None, file.len)).collect();
        for store in self.stores.iter() {
            let lost = store.lost_mails()?;
            for (at, file) in lost.files().enumerate() {
                let mut info = info(&file.path, Some(self.archive.stores.name(store.no())), file.len);
                let _to_the_end = lost.contents_of(at, &mut |found| {
                    info.found.count(&found);
                    Ok(ControlFlow::Continue(()))
                })?;
                files.push(info);
            }
        }
        Ok(files)
    }

    pub(super) fn lost_mails(&self, visit: &mut dyn FnMut(LostMail) -> Result<ControlFlow<()>, Error>) -> Result<LostReport, Error> {
        self.only_system("read lost+found")?;
        let (mut report, mut seen) = (LostReport::default(), BTreeSet::new());
        for store in self.stores.iter() {
            let lost = store.lost_mails()?;
            for (at, file) in lost.files().enumerate() {
                let flow = lost.contents_of(at, &mut |found| {
                    let (folder, bytes) = match found {
                        LostContent::Mail { folder, bytes } => (folder, bytes),
                        other => {
                            report.count(&other);
                            return Ok(ControlFlow::Continue(()));
                        }
                    };
                    let digest = Digest::of(&bytes);
                    if !seen.insert(digest) {
                        return Ok(ControlFlow::Continue(()));
                    }
                    report.mails += 1;
                    let folder = FolderPath::from_names(folder).ok();
                    let archived = self.with_bytes(digest)?;
                    visit(LostMail { file: file.path.clone(), number: report.mails, folder, digest, archived, bytes })
                })?;
                if flow.is_break() {
                    return Ok(report);
                }
            }
        }
        Ok(report)
    }

    pub(super) fn import_lost(&self, on_receipt: &mut dyn FnMut(&Receipt)) -> Result<ImportReport, Error> {
        self.only_system("import")?;
        let run = Some(self.run_info(&ImportSource::Stream(&mut std::io::empty(), NAME)));
        let destination = Destination::of(self.archive)?;
        let mut import =
            LostImport { acting: self, destination, run, on_receipt, waiting: Vec::new(), bytes: 0, report: ImportReport::default() };
        let found = self.lost_mails(&mut |mail| import.take(mail).map(ControlFlow::Continue))?;
        import.commit()?;
        let mut report = std::mem::take(&mut import.report);
        report.read += found.too_large;
        report.failed += found.too_large;
        self.archive.feed_index()?;
        Ok(report)
    }

    /// A readable message with exactly these bytes.
    fn with_bytes(&self, digest: Digest) -> Result<Option<MessageId>, Error> {
        for store in self.stores.iter() {
            for content in store.catalog().contents_by_digest(digest)? {
                // A look-up goes by the beginning of a digest.
                if store.catalog().content_row(content)?.is_some_and(|row| row.digest == digest.0)
                    && store.is_readable(content)?
                    && let Some((no, _)) = store.catalog().placements(content)?.first()
                {
                    return Ok(Some(store.message_id(*no)));
                }
            }
        }
        Ok(None)
    }
}

/// Takes lost mails and commits them in batches.
struct LostImport<'a, 't> {
    acting: &'a Acting<'a>,
    destination: Destination,
    /// `None` once it is recorded.
    run: Option<RunInfo>,
    on_receipt: &'t mut dyn FnMut(&Receipt),
    waiting: Vec<Prepared>,
    /// Bytes of the mails that wait.
    bytes: u64,
    report: ImportReport,
}

impl LostImport<'_, '_> {
    fn take(&mut self, mail: LostMail) -> Result<(), Error> {
        let name = mail.file.file_name().unwrap_or_default().to_string_lossy();
        let source: Arc<str> = format!("{NAME}/{name}").into();
        let len = mail.bytes.len() as u64;
        self.report.read += 1;
        self.report.bytes_in += len;
        if let Some(id) = mail.archived {
            self.report.duplicate += 1;
            let outcome = Outcome::Duplicate { restated: false };
            (self.on_receipt)(&Receipt { id, digest: mail.digest, outcome, source, offset: mail.number });
            return Ok(());
        }
        let archive = self.acting.archive;
        let folder = match mail.folder {
            Some(folder) => match self.acting.to_change(&folder) {
                Err(Error::AmbiguousFolder { .. }) => {
                    self.report.failed += 1;
                    return Ok(());
                }
                folder => folder?,
            },
            None => FolderPath::from_names(below(&[archive.owner()], &[NAME.to_owned()])).map_err(Error::folder)?,
        };
        let place = NewPlace {
            folder: folder.names().into(),
            path: source,
            offset: mail.number,
            from_line: None,
            unquoted: false,
            flags: None,
            date_hint: None,
        };
        self.waiting.push(prepare(mail.bytes, place, self.destination.current.indexer().is_enabled())?);
        self.bytes += len;
        if self.bytes >= BATCH { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let mails = std::mem::take(&mut self.waiting);
        if mails.is_empty() {
            return Ok(());
        }
        let of = |mail: &Prepared| (mail.header.digest, Arc::clone(&mail.place.path), mail.place.offset);
        let places: Vec<(Digest, Arc<str>, u64)> = mails.iter().map(of).collect();
        let Committed { outcomes, has_run } = self.destination.commit(mails, Duplicates::Folder, self.run.as_ref())?;
        self.run.take_if(|_| has_run);
        for ((id, outcome), (digest, source, offset)) in outcomes.into_iter().zip(places) {
            let receipt = receipt(id, outcome, digest, source, offset);
            match receipt.outcome() {
                Outcome::Stored => self.report.stored += 1,
                Outcome::Duplicate { restated } => {
                    self.report.duplicate += 1;
                    self.report.restated += u64::from(restated);
                }
            }
            (self.on_receipt)(&receipt);
        }
        self.acting.archive.feed_index()
    }
}
