//! Export: messages are written as files.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::{Acting, SearchRequest, Stop};
use crate::error::Error;
use crate::export::{ExportFormat, Exporter, Laid, Layout, MboxStream, NotLaid, Target};
use crate::folder::FolderPath;
use crate::id::{FolderNo, MessageId, MessageNo};

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
    /// Ends the export when set, after the mbox that is being written.
    pub stop: Stop,
}

/// What happens during an export.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportEvent<'a> {
    /// Bytes of mails written so far.
    Progress(u64),
    /// A message could not be read, or its name is too long for the file system; the export continues.
    Failed {
        /// The message.
        id: MessageId,
        /// Why.
        error: &'a Error,
    },
}

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
    /// Writes messages into `dest`, which is created if missing, must be empty unless it is updated, and must not be
    /// inside the archive.
    pub fn export(&self, dest: &Path, options: &ExportOptions, events: &mut dyn FnMut(ExportEvent<'_>)) -> Result<ExportReport, Error> {
        if self.archive.holds(dest) {
            return Err(Error::Misuse(format!("{}: is inside the archive", dest.display())));
        }
        let ids = self.chosen(options)?;
        let ids = if options.format == ExportFormat::Mbox { ids } else { self.as_they_lie(ids) };
        let layout = Layout { format: options.format, manifest: options.manifest, update: options.update, origin: options.origin };
        let mut exporter = Exporter::new(dest, layout)?;
        let report = self.lay(ids, &mut exporter, options, events)?;
        exporter.finish()?;
        Ok(report)
    }

    /// Writes one mbox of all chosen messages to `out`, folder by folder, quoted as mboxrd. The options `format`,
    /// `manifest`, `update` and `origin` have no effect here. An error of `out` ends the export. A mail that cannot be
    /// read leaves nothing in the mbox, unless it is above 16 MiB and could be read once: then the export ends.
    pub fn export_mbox(
        &self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
        options: &ExportOptions,
        events: &mut dyn FnMut(ExportEvent<'_>),
    ) -> Result<ExportReport, Error> {
        let ids = self.chosen(options)?;
        self.lay(ids, &mut MboxStream::new(out), options, events)
    }

    fn lay(
        &self,
        ids: Vec<MessageId>,
        target: &mut dyn Target,
        options: &ExportOptions,
        events: &mut dyn FnMut(ExportEvent<'_>),
    ) -> Result<ExportReport, Error> {
        let mut report = ExportReport::default();
        for id in ids {
            let known = self.known(id);
            let folder = known.as_ref().ok().map(|(record, _)| &record.info.folder);
            if options.stop.load(Ordering::Relaxed) && target.may_end_before(folder) {
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
                    events(ExportEvent::Progress(report.bytes));
                }
                Ok((Laid::Present, ..)) => report.present += 1,
                Err(NotLaid::Mail(error)) => {
                    report.failed += 1;
                    events(ExportEvent::Failed { id, error: &error });
                }
                Err(NotLaid::Destination(error)) => return Err(error),
            }
        }
        Ok(report)
    }

    /// Keeps the order of folders, and sorts the messages of each folder by their contents: neighbours share a block,
    /// which is then decompressed once. In another order each mail would decompress one.
    fn as_they_lie(&self, ids: Vec<MessageId>) -> Vec<MessageId> {
        let catalog = self.archive.store.catalog();
        let mut rank: HashMap<u32, u32> = HashMap::new();
        let mut placed = Vec::with_capacity(ids.len());
        for id in ids {
            // A message without a row fails when its turn comes.
            let row = catalog.message_row(id.no).ok().flatten();
            let (folder, content) = row.map_or((0, u32::MAX), |row| (row.folder, row.content));
            let next = rank.len() as u32;
            placed.push((*rank.entry(folder).or_insert(next), content, id.no));
        }
        placed.sort_unstable();
        placed.into_iter().map(|(.., no)| MessageId { store: self.archive.store.no(), no }).collect()
    }

    /// What is to be exported, folder by folder.
    fn chosen(&self, options: &ExportOptions) -> Result<Vec<MessageId>, Error> {
        let is_below = |path: &FolderPath| options.folder.as_ref().is_none_or(|folder| path.is_within(folder));
        let folders: Vec<FolderNo> =
            self.numbered_folders().into_iter().filter(|(_, info)| is_below(&info.path)).map(|(no, _)| no).collect();
        if let Some(folder) = options.folder.as_ref().filter(|_| folders.is_empty()) {
            return Err(Error::NoSuchFolder(folder.to_string()));
        }
        if let Some(query) = &options.query {
            let ranks: HashMap<FolderNo, u32> = folders.into_iter().zip(0..).collect();
            let mut found: Vec<(u32, MessageNo)> = Vec::new();
            self.each_found(&SearchRequest::new(query), |placed| {
                found.extend(ranks.get(&placed.folder).map(|rank| (*rank, placed.message)));
                Ok(())
            })?;
            found.sort_unstable();
            return Ok(found.into_iter().map(|(_, no)| MessageId { store: self.archive.store.no(), no }).collect());
        }
        let mut ids = Vec::new();
        for folder in &folders {
            let first = ids.len();
            self.messages_of(&[*folder], &mut |info| {
                ids.push(info.id);
                Ok(ControlFlow::Continue(()))
            })?;
            if let Some(of_folder) = ids.get_mut(first..) {
                of_folder.sort_unstable();
            }
        }
        Ok(ids)
    }
}
