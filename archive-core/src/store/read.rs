//! A content is read: its runs and parts joined, its digest checked (P3).

use sha2::{Digest as _, Sha256};

use super::Store;
use crate::catalog::ContentRow;
use crate::error::{Damage, DamageCause, Error};
use crate::id::{ContentNo, Digest, PartNo};
use crate::mail::{Extent, Joiner};
use crate::records::{Run, Runs, Shape, ShapeExtent, open_file};

/// Contents up to this size are checked before the first byte is handed out.
const IN_MEMORY: u64 = 16 << 20;

/// Where bytes go.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

impl Store {
    /// Hands the bytes of a content to `sink`. Up to 16 MiB they are checked first; a larger content whose end does not give its digest
    /// ends with the error, and what was handed out is not to be used.
    pub(crate) fn read(&self, no: ContentNo, sink: &mut Sink<'_>) -> Result<(), Error> {
        let row = self.catalog().content_row(no)?.ok_or(Error::Bug("a message names a content that is not there"))?;
        let mut hasher = Sha256::new();
        if row.size > IN_MEMORY {
            self.join(&row, &mut |bytes| {
                hasher.update(bytes);
                sink(bytes)
            })
            .map_err(|error| costs(error, no))?;
            return self.check(no, &row, hasher);
        }
        let mut content = Vec::with_capacity(row.size as usize);
        self.join(&row, &mut |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        })
        .map_err(|error| costs(error, no))?;
        hasher.update(&content);
        self.check(no, &row, hasher)?;
        sink(&content)
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

    fn join(&self, row: &ContentRow, sink: &mut Sink<'_>) -> Result<(), Error> {
        let whole = Shape(vec![ShapeExtent { extent: Extent::Literal { len: row.size }, part: 0 }]);
        self.join_runs(row.shape.as_ref().unwrap_or(&whole), &row.runs, row.section, sink)
    }

    /// Hands the stored bytes of `runs` to `sink`, as they lie in blocks.
    pub(super) fn read_stored(&self, runs: &[Run], section: Option<u64>, sink: &mut Sink<'_>) -> Result<(), Error> {
        let len = runs.iter().map(|run| u64::from(run.len)).sum();
        RunCursor::new(runs, section).take(self, len, sink)
    }

    /// Joins what `shape` says out of stored bytes in `runs` and parts.
    fn join_runs(&self, shape: &Shape, runs: &Runs, section: Option<u64>, sink: &mut Sink<'_>) -> Result<(), Error> {
        let mut own = RunCursor::new(&runs.0, section);
        let mut joiner = Joiner::new();
        for ShapeExtent { extent, part } in &shape.0 {
            joiner.begin(*extent);
            match extent {
                Extent::Literal { len } | Extent::Decoded { len, .. } => {
                    own.take(self, *len, &mut |bytes| joiner.push(bytes, sink))?;
                }
                Extent::Part { len, .. } => {
                    let part = PartNo(*part);
                    let row = self.catalog().part_row(part)?.ok_or(Error::Bug("a content takes a part that is not there"))?;
                    let mut cursor = RunCursor::new(&row.runs.0, row.section);
                    cursor.take(self, *len, &mut |bytes| joiner.push(bytes, sink))?;
                }
            }
            joiner.end(sink)?;
        }
        Ok(())
    }
}

/// Reads on through runs.
pub(super) struct RunCursor<'r> {
    runs: &'r [Run],
    /// Bytes of the first run that were taken already.
    at: u32,
    section: Option<u64>,
}

impl<'r> RunCursor<'r> {
    pub(super) fn new(runs: &'r [Run], section: Option<u64>) -> Self {
        Self { runs, at: 0, section }
    }

    pub(super) fn take(&mut self, store: &Store, mut len: u64, sink: &mut Sink<'_>) -> Result<(), Error> {
        while len > 0 {
            let run = self.runs.first().ok_or(Error::Bug("a content has fewer stored bytes than its extents"))?;
            let rest = run.len.saturating_sub(self.at);
            let now = u32::try_from(len).unwrap_or(u32::MAX).min(rest);
            let stretch = Run { start: run.start.saturating_add(self.at), len: now, ..*run };
            match self.section {
                Some(number) if run.container == 0 => {
                    let file = open_file(&store.vfs, &store.dirs.records, &store.key, store.uuid, number)?;
                    // Sections share the cache of blocks under numbers that no container has.
                    let cached_as = ((1 << 31) | number as u32, run.frame);
                    store.containers.read_run(&file, cached_as, &stretch, sink)?;
                }
                _ => store.containers.read(&[stretch], sink)?,
            }
            len -= u64::from(now);
            self.at += now;
            if now == rest {
                self.runs = &self.runs[1..];
                self.at = 0;
            }
        }
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
