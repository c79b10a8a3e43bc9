//! A content is read: its runs and parts joined, its digest checked (P3).

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use super::Store;
use crate::catalog::ContentRow;
use crate::error::{Damage, DamageCause, Error};
use crate::id::{ContentNo, Digest, PartNo};
use crate::mail::{Extent, JoinError, Joiner};
use crate::records::{Run, Runs, Shape, ShapeExtent};

/// Contents up to this size are checked before the first byte is handed out.
const IN_MEMORY: u64 = 16 << 20;

/// Where bytes go.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

impl Store {
    /// Hands the bytes of a content to `sink`. Up to 16 MiB they are checked first; a larger content whose end does not give its digest
    /// ends with the error, and what was handed out is not to be used.
    pub(crate) fn read(&self, no: ContentNo, sink: &mut Sink<'_>) -> Result<(), Error> {
        let _sections = self.sections.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let result = self.read_content(no, sink);
        // Where a cache is damaged, the content is not.
        if let Err(Error::Damage(damage)) = &result
            && damage.remedy().is_none()
            && !self.catalog().is_damaged(no)
        {
            self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(no.0);
        }
        result
    }

    fn read_content(&self, no: ContentNo, sink: &mut Sink<'_>) -> Result<(), Error> {
        let row = self.catalog().content_row(no)?;
        let row = row.ok_or_else(|| match &self.damage {
            // Its fact lay in records that cannot be read.
            Some(damage) => costs(damage.clone().into(), no),
            None => Error::Bug("a message names a content that is not there"),
        })?;
        let mut hasher = Sha256::new();
        if row.size > IN_MEMORY {
            let both = &mut |bytes: &[u8]| {
                hasher.update(bytes);
                sink(bytes)
            };
            self.join_row(&row, both).map_err(|error| costs(error, no))?;
            return self.check(no, &row, hasher);
        }
        let mut content = Vec::with_capacity(row.size as usize);
        let all = &mut |bytes: &[u8]| {
            content.extend_from_slice(bytes);
            Ok(())
        };
        self.join_row(&row, all).map_err(|error| costs(error, no))?;
        hasher.update(&content);
        self.check(no, &row, hasher)?;
        sink(&content)
    }

    /// Contents found damaged that no commit has noted yet.
    pub(super) fn newly_damaged(&self) -> Vec<u32> {
        self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().copied().collect()
    }

    /// Notes what was found damaged, so that importing it again stores it anew.
    pub(super) fn note_damage(&self) -> Result<(), Error> {
        match self.newly_damaged().is_empty() {
            true => Ok(()),
            false => self.commit(Vec::new(), super::Duplicates::Folder, None, self.now()).map(drop),
        }
    }

    fn check(&self, no: ContentNo, row: &ContentRow, hasher: Sha256) -> Result<(), Error> {
        if Digest(hasher.finalize().into()).0 == row.digest {
            return Ok(());
        }
        let (path, offset) = match row.runs.0.first() {
            Some(run) if run.container != 0 => (self.containers.path(run.container), run.frame),
            _ => (self.dirs.records.clone(), row.fact.offset),
        };
        let damage = Damage::new(&path, offset, row.size, DamageCause::Digest);
        Err(costs(damage.into(), no))
    }

    pub(super) fn join_row(&self, row: &ContentRow, sink: &mut Sink<'_>) -> Result<(), Error> {
        let whole = Shape(vec![ShapeExtent { extent: Extent::Literal { len: row.size }, part: 0 }]);
        let shape = row.shape.as_ref().unwrap_or(&whole);
        let parts = shape.0.iter().filter(|extent| matches!(extent.extent, Extent::Part { .. }));
        let mut rows = Vec::new();
        for extent in parts {
            let part = self.catalog().part_row(PartNo(extent.part))?;
            let part = part.ok_or_else(|| match &self.damage {
                Some(damage) => Error::Damage(damage.clone()),
                None => Error::Bug("a content takes a part that is not there"),
            })?;
            rows.push((part.runs, part.section));
        }
        self.join(shape.0.iter().map(|extent| extent.extent), (&row.runs, row.section), &rows, sink)
    }

    /// Joins what the extents say out of stored bytes and of parts, which are taken in order.
    pub(super) fn join(
        &self,
        extents: impl Iterator<Item = Extent>,
        own: (&Runs, Option<u64>),
        parts: &[(Runs, Option<u64>)],
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut own = RunReader::new(self, &own.0.0, own.1);
        let mut parts = parts.iter();
        let mut joiner = Joiner::new(SinkWriter { sink, error: None });
        for extent in extents {
            let joined = match extent {
                Extent::Literal { .. } | Extent::Decoded { .. } => {
                    joiner.extent(&extent, &mut own).map_err(|error| (error, own.error.take()))
                }
                Extent::Part { .. } => {
                    let (runs, section) = parts.next().ok_or(Error::Bug("a content has fewer parts than its extents"))?;
                    let mut part = RunReader::new(self, &runs.0, *section);
                    joiner.extent(&extent, &mut part).map_err(|error| (error, part.error.take()))
                }
            };
            match joined {
                Ok(()) => {}
                Err((_, Some(error))) => return Err(error),
                Err((JoinError::Write(_), None)) => return Err(joiner.into_inner().error.unwrap_or(Error::Stopped)),
                Err((_, None)) => return Err(Error::Bug("the extents of a content do not fit its stored bytes")),
            }
        }
        Ok(())
    }

    /// Hands the stored bytes of `runs` to `sink`, as they lie in blocks.
    pub(super) fn read_stored(&self, runs: &[Run], section: Option<u64>, sink: &mut Sink<'_>) -> Result<(), Error> {
        for run in runs {
            self.read_run(run, 0, section, sink)?;
        }
        Ok(())
    }

    fn read_run(&self, run: &Run, ahead: u32, section: Option<u64>, sink: &mut Sink<'_>) -> Result<(), Error> {
        match section {
            Some(number) if run.container == 0 => {
                let file = self.records_file(number)?;
                // Sections share the cache of blocks under numbers that no container has.
                let cached_as = ((1 << 31) | number as u32, run.frame);
                self.containers.read_run(&file.reader, cached_as, run, ahead, sink)
            }
            // The section is gone, and the commit that says where its contents were packed was lost.
            _ if run.container == 0 => Err(Damage::new(&self.dirs.records, 0, 0, DamageCause::Missing).into()),
            _ => self.containers.read(run, ahead, sink),
        }
    }
}

/// Reads on through runs. An error of the store is kept, since that of a reader has no room for it.
struct RunReader<'s> {
    store: &'s Store,
    runs: &'s [Run],
    /// Bytes of the first run that were taken already.
    at: u32,
    section: Option<u64>,
    error: Option<Error>,
}

impl<'s> RunReader<'s> {
    fn new(store: &'s Store, runs: &'s [Run], section: Option<u64>) -> Self {
        Self { store, runs, at: 0, section, error: None }
    }
}

impl Read for RunReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(run) = self.runs.first() {
            let rest = run.len.saturating_sub(self.at);
            if rest == 0 {
                self.runs = &self.runs[1..];
                self.at = 0;
                continue;
            }
            let len = rest.min(u32::try_from(buf.len()).unwrap_or(u32::MAX));
            let stretch = Run { start: run.start.saturating_add(self.at), len, ..*run };
            let taken = buf.get_mut(..len as usize).unwrap_or_default();
            let read = self.store.read_run(&stretch, rest - len, self.section, &mut |bytes| {
                taken.copy_from_slice(bytes);
                Ok(())
            });
            if let Err(error) = read {
                self.error = Some(error);
                return Err(io::Error::other("a stored run cannot be read"));
            }
            self.at += len;
            return Ok(len as usize);
        }
        Ok(0)
    }
}

/// Hands bytes on to a sink and keeps its error.
struct SinkWriter<'a, 's> {
    sink: &'a mut Sink<'s>,
    error: Option<Error>,
}

impl Write for SinkWriter<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.sink)(bytes).map_err(|error| {
            self.error = Some(error);
            io::Error::other("the sink took no more")
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn costs(error: Error, no: ContentNo) -> Error {
    match error {
        Error::Damage(mut damage) => {
            damage.costs.push(no);
            Error::Damage(damage)
        }
        error => error,
    }
}
