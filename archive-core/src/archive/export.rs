//! Export: messages are written as files.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::actor::Acting;
use super::list::{Listed, messages_of};
use super::{Archive, SearchRequest};
use crate::error::Error;
use crate::export::{ExportFormat, Exporter, Laid, Layout, MboxStream, NotLaid, Target};
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId, StoreNo};
use crate::progress::{Progress, Step, Unit};

/// What is exported, and how.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// What is written.
    pub format: ExportFormat,
    /// Only this folder and those below it.
    pub folder: Option<FolderPath>,
    /// Only messages that meet this query.
    pub query: Option<String>,
    /// Write `SHA256SUMS` and `MANIFEST.jsonl`.
    pub manifest: bool,
    /// The destination may contain files, which stay; only what is missing is written. An existing mbox counts as
    /// complete, unless a manifest is requested that does not list it. A manifest is brought up to date with what is
    /// there, whatever became of the earlier export.
    pub update: bool,
    /// Writes `X-Archive-Origin-Archive` and `X-Archive-Origin-Folder` before all other fields (EML only).
    pub origin: bool,
    /// Receives the bytes of mails written so far, and ends the export, after the mbox that is being written.
    pub progress: Progress,
}

/// Receives each message of an export that could not be read, or whose name is too long for the file system, and why.
/// The export continues.
pub type FailedMails<'f> = dyn FnMut(MessageId, &Error) + 'f;

/// The sums of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportReport {
    /// Messages written.
    pub exported: u64,
    /// Messages that were there already.
    pub present: u64,
    /// Messages among those written whose record is damaged: they lack the From_ line and flags of their source.
    pub without_record: u64,
    /// Messages that could not be read, or whose names are too long for the file system.
    pub failed: u64,
    /// Bytes of the messages written.
    pub bytes: u64,
    /// The caller ended it.
    pub stopped: bool,
}

impl Acting<'_> {
    pub(super) fn export(&self, dest: &Path, options: &ExportOptions, failed: &mut FailedMails<'_>) -> Result<ExportReport, Error> {
        if Archive::lies_in(&self.archive.dir, dest) {
            return Err(Error::misuse(format!("{}: is inside the archive", dest.display()), "export to another folder"));
        }
        let ids = self.chosen(options)?;
        let ids = if options.format == ExportFormat::Mbox { ids } else { self.as_they_lie(ids) };
        let layout = Layout { format: options.format, manifest: options.manifest, update: options.update, origin: options.origin };
        let mut exporter = Exporter::new(dest, layout)?;
        let report = self.lay(ids, &mut exporter, options, failed)?;
        exporter.finish()?;
        Ok(report)
    }

    pub(super) fn export_mbox(
        &self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
        options: &ExportOptions,
        failed: &mut FailedMails<'_>,
    ) -> Result<ExportReport, Error> {
        let ids = self.chosen(options)?;
        self.lay(ids, &mut MboxStream::new(out), options, failed)
    }

    fn lay(
        &self,
        ids: Vec<MessageId>,
        target: &mut dyn Target,
        options: &ExportOptions,
        failed: &mut FailedMails<'_>,
    ) -> Result<ExportReport, Error> {
        let mut report = ExportReport::default();
        for id in ids {
            let known = self.known(id);
            let folder = known.as_ref().ok().map(|(record, _)| &record.info.folder);
            if options.progress.is_cancelled() && target.may_end_before(folder) {
                report.stopped = true;
                break;
            }
            let laid = match known {
                Ok((record, damage)) => {
                    let laid = target.add(&record, &mut |sink| self.read(id, sink));
                    laid.map(|laid| (laid, record.info.size, damage.is_some()))
                }
                Err(error) => Err(NotLaid::Mail(error)),
            };
            match laid {
                Ok((Laid::Written, size, without_record)) => {
                    report.exported += 1;
                    report.without_record += u64::from(without_record);
                    report.bytes += size;
                    // An end is seen before the next mail.
                    let _ended =
                        options.progress.step(Step { done: report.bytes, total: None, unit: Unit::Bytes, activity: "writing mails" });
                }
                Ok((Laid::Present, ..)) => report.present += 1,
                Err(NotLaid::Mail(error)) => {
                    report.failed += 1;
                    failed(id, &error);
                }
                Err(NotLaid::Destination(error)) => return Err(error),
            }
        }
        Ok(report)
    }

    /// Keeps the order of folders, and sorts the messages of each folder by their contents: neighbours share a block,
    /// which is then decompressed once. In another order each mail would decompress one.
    fn as_they_lie(&self, ids: Vec<MessageId>) -> Vec<MessageId> {
        let mut rank: HashMap<(StoreNo, u32), u32> = HashMap::new();
        let mut placed = Vec::with_capacity(ids.len());
        for id in ids {
            // A message without a row fails when its turn comes.
            let row = self.in_store(id.store).and_then(|within| within.store.catalog().message_row(id.no).ok().flatten());
            let (folder, content) = row.map_or((0, u32::MAX), |row| (row.folder, row.content));
            let next = rank.len() as u32;
            placed.push((*rank.entry((id.store, folder)).or_insert(next), content, id));
        }
        placed.sort_unstable();
        placed.into_iter().map(|(.., id)| id).collect()
    }

    /// What is to be exported, folder by folder.
    fn chosen(&self, options: &ExportOptions) -> Result<Vec<MessageId>, Error> {
        let is_below = |path: &FolderPath| options.folder.as_ref().is_none_or(|folder| path.is_within(folder));
        let mut folders = Vec::new();
        for within in self.each_store() {
            let seen = within.numbered_folders().into_iter().filter(|(_, info)| is_below(&info.path));
            folders.extend(seen.map(|(no, info)| (info.path.names().to_vec(), within.store.no(), no)));
        }
        if let Some(folder) = options.folder.as_ref().filter(|_| folders.is_empty()) {
            return Err(Error::NoSuchFolder(folder.to_string()));
        }
        // By path; those of one path in the order of their stores.
        folders.sort_unstable();
        if let Some(query) = &options.query {
            let ranks: HashMap<(StoreNo, FolderNo), u32> = folders.into_iter().map(|(_, store, no)| (store, no)).zip(0..).collect();
            let mut found: Vec<(u32, MessageId)> = Vec::new();
            self.each_found(&SearchRequest::new(query), |store, placed| {
                let id = MessageId { store, no: placed.message };
                found.extend(ranks.get(&(store, placed.folder)).map(|rank| (*rank, id)));
                Ok(())
            })?;
            found.sort_unstable();
            return Ok(found.into_iter().map(|(_, id)| id).collect());
        }
        let mut ids = Vec::new();
        for (_, store, folder) in folders {
            let Some(within) = self.in_store(store) else { continue };
            let first = ids.len();
            let _to_the_end = messages_of(vec![Listed::after(within.store, folder, &[])], &mut |id, _| {
                options.progress.check()?;
                ids.push(id);
                Ok(ControlFlow::Continue(()))
            })?;
            if let Some(of_folder) = ids.get_mut(first..) {
                of_folder.sort_unstable();
            }
        }
        Ok(ids)
    }
}
