//! Reads a content: joins its runs and parts, and checks its digest (P3).

use std::io::{self, Read, Write};
use std::ops::{ControlFlow, RangeInclusive};

use sha2::{Digest as _, Sha256};

use super::Store;
use crate::catalog::ContentRow;
use crate::error::{Damage, DamageCause, Error};
use crate::id::{ContentNo, Digest, PartNo};
use crate::mail::{Extent, JoinError, Joiner};
use crate::progress::Progress;
use crate::records::{Run, Shape, ShapeExtent};

/// Contents up to this size are checked before the first byte is passed on.
const IN_MEMORY: u64 = 16 << 20;

/// Where bytes go.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// What was passed on of a content, which may come from several places in turn.
struct Handed<'a, 's> {
    sink: &'a mut Sink<'s>,
    hasher: Sha256,
    len: u64,
    /// [`Containers::removals`](crate::container::Containers::removals) before rows were looked up.
    removals: u64,
}

impl Store {
    /// Passes the bytes of a content to `sink`. Up to 16 MiB they are checked first. If a larger content does not have
    /// its digest, the call ends with an error, and the bytes must not be used. If its own bytes are damaged, they are
    /// read from another content with the same digest, if a whole one exists.
    pub(crate) fn read(&self, no: ContentNo, sink: &mut Sink<'_>) -> Result<(), Error> {
        let _sections = self.sections.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut handed = Handed { sink, hasher: Sha256::new(), len: 0, removals: 0 };
        loop {
            handed.removals = self.containers.removals();
            match self.read_once(no, &mut handed) {
                // Its container was removed since the look-up, and its bytes are elsewhere.
                Err(Error::Damage(_)) if self.containers.removals() != handed.removals => {}
                done => return done,
            }
        }
    }

    fn read_once(&self, no: ContentNo, handed: &mut Handed<'_, '_>) -> Result<(), Error> {
        let row = self.catalog().content_row(no)?;
        let row = self.there(no, row)?;
        let mut own = None;
        if !self.is_noted(no) {
            match self.read_from(no, &row, handed) {
                Err(Error::Damage(damage)) if damage.remedy().is_none() => own = Some(damage),
                done => return done,
            }
        }
        // The bytes of a large content that turned out not to have its digest cannot be taken back.
        let is_spent = |handed: &Handed<'_, '_>| handed.len > 0 && handed.len >= row.size;
        for (other, twin) in self.whole_ones(no, &row)? {
            if is_spent(handed) {
                break;
            }
            match self.read_from(other, &twin, handed) {
                Err(Error::Damage(damage)) if damage.remedy().is_none() => {}
                done => return done,
            }
        }
        match own {
            Some(damage) => Err(damage.into()),
            None => self.read_from(no, &row, handed),
        }
    }

    /// Reads the contents of `numbers` one by one, each only from its own bytes, and passes the results to `take`. Numbers
    /// that a repair skipped have nothing to read.
    pub(super) fn read_own(
        &self,
        numbers: RangeInclusive<u32>,
        progress: &Progress,
        take: &mut dyn FnMut(ContentNo, Result<u64, Error>),
    ) -> Result<(), Error> {
        // Rows say where the bytes are: no section may be removed between the look-up and the read.
        let _sections = self.sections.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let removals = self.containers.removals();
        let mut rows = Vec::new();
        let scanned = self.catalog().content_rows(ContentNo(*numbers.start()), &mut |no, row| {
            if !numbers.contains(&no.0) {
                return ControlFlow::Break(());
            }
            rows.push((no.0, row));
            ControlFlow::Continue(())
        });
        match scanned {
            // What a damaged page hides is looked up one by one below.
            Ok(()) | Err(Error::Damage(_)) => {}
            Err(error) => return Err(error),
        }
        let mut rows = rows.into_iter().peekable();
        for no in numbers {
            let row = match rows.next_if(|(of, _)| *of == no) {
                Some((_, row)) => Ok(Some(row)),
                None => self.catalog().content_row(ContentNo(no)),
            };
            let no = ContentNo(no);
            let mut len = 0;
            let mut count = |bytes: &[u8]| {
                len += bytes.len() as u64;
                progress.check()
            };
            let read = match row {
                Ok(None) if self.damage.is_none() || self.catalog().is_erased(no) => continue,
                row => row.and_then(|row| self.there(no, row)).and_then(|row| {
                    let mut handed = Handed { sink: &mut count, hasher: Sha256::new(), len: 0, removals };
                    self.read_from(no, &row, &mut handed)
                }),
            };
            let read = match read {
                // Its container was removed since the look-up, and its bytes are elsewhere.
                Err(Error::Damage(_)) if self.containers.removals() != removals => {
                    len = 0;
                    let mut count = |bytes: &[u8]| {
                        len += bytes.len() as u64;
                        progress.check()
                    };
                    match self.catalog().is_erased(no) {
                        true => continue,
                        false => self.read(no, &mut count),
                    }
                }
                read => read,
            };
            progress.check()?;
            take(no, read.map(|()| len));
        }
        Ok(())
    }

    /// Whether the bytes of a content can be read from any place.
    pub(crate) fn is_readable(&self, no: ContentNo) -> Result<bool, Error> {
        match self.read(no, &mut |_| Ok(())) {
            Ok(()) => Ok(true),
            Err(Error::Damage(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn there(&self, no: ContentNo, row: Option<ContentRow>) -> Result<ContentRow, Error> {
        row.ok_or_else(|| match &self.damage {
            // Its fact is in records that cannot be read.
            Some(damage) => costs(damage.clone().into(), no),
            None => Error::Bug("a message names a content that is not there"),
        })
    }

    fn is_noted(&self, no: ContentNo) -> bool {
        self.catalog().is_damaged(no) || self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&no.0)
    }

    /// Other sources for the bytes of a content: undamaged contents with its digest, and itself with damaged parts
    /// replaced by whole ones.
    pub(super) fn whole_ones(&self, no: ContentNo, row: &ContentRow) -> Result<Vec<(ContentNo, ContentRow)>, Error> {
        let newly = self.newly_damaged();
        let catalog = self.catalog();
        let mut found = Vec::new();
        for other in catalog.contents_by_digest(Digest(row.digest))? {
            if other != no
                && !catalog.is_damaged(other)
                && !newly.contains(&other.0)
                && let Some(twin) = catalog.content_row(other)?.filter(|twin| twin.digest == row.digest)
            {
                found.push((other, twin));
            }
        }
        let (mut mended, mut differs) = (row.clone(), false);
        for extent in mended.shape.iter_mut().flat_map(|shape| &mut shape.0) {
            if let Extent::Part { .. } = extent.extent
                && let Some(whole) = catalog.whole_part(PartNo(extent.part))?
            {
                (extent.part, differs) = (whole.0, true);
            }
        }
        if differs {
            found.push((no, mended));
        }
        Ok(found)
    }

    /// Reads content `no` by `row`, and notes it if it is damaged. What was passed on before is not passed on again.
    fn read_from(&self, no: ContentNo, row: &ContentRow, handed: &mut Handed<'_, '_>) -> Result<(), Error> {
        let result = self.join_checked(no, row, handed);
        // Damage of a cache is not damage of the content.
        if let Err(Error::Damage(damage)) = &result
            && damage.remedy().is_none()
            && !self.catalog().is_damaged(no)
            && self.containers.removals() == handed.removals
        {
            self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(no.0);
        }
        result
    }

    fn join_checked(&self, no: ContentNo, row: &ContentRow, handed: &mut Handed<'_, '_>) -> Result<(), Error> {
        if row.size > IN_MEMORY {
            let mut at = 0;
            let both = &mut |bytes: &[u8]| {
                let known = handed.len.saturating_sub(at).min(bytes.len() as u64) as usize;
                at += bytes.len() as u64;
                match bytes.get(known..) {
                    None | Some([]) => Ok(()),
                    Some(new) => {
                        handed.hasher.update(new);
                        handed.len += new.len() as u64;
                        (handed.sink)(new)
                    }
                }
            };
            self.join_row(row, both).map_err(|error| costs(error, no))?;
            return self.check(no, row, handed.hasher.clone());
        }
        let mut content = Vec::with_capacity(row.size as usize);
        let all = &mut |bytes: &[u8]| {
            content.extend_from_slice(bytes);
            Ok(())
        };
        self.join_row(row, all).map_err(|error| costs(error, no))?;
        self.check(no, row, Sha256::new_with_prefix(&content))?;
        (handed.sink)(&content)
    }

    /// Contents found damaged that no commit has noted yet.
    pub(super) fn newly_damaged(&self) -> Vec<u32> {
        self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().copied().collect()
    }

    /// Notes what was found damaged, so that importing it again stores it again.
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
            // Damage took it, even if a repair has accepted that.
            let missing = || self.damage.clone().unwrap_or_else(|| Damage::new(&self.dirs.records, 0, 0, DamageCause::Missing));
            let part = part.ok_or_else(missing)?;
            rows.push((part.runs, part.section));
        }
        let parts = rows.iter().map(|(runs, section)| RunReader::new(self, &runs.0, *section));
        match join(shape.0.iter().map(|extent| extent.extent), RunReader::new(self, &row.runs.0, row.section), parts, sink) {
            // Damage took its stored bytes, and a repair has recorded what was left; or the row is of another catalog.
            Err(Error::Bug(UNFIT)) => Err(Damage::new(&self.dirs.records, 0, 0, DamageCause::Digest).into()),
            joined => joined,
        }
    }

    /// Passes the stored bytes of `runs` to `sink`, block by block.
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

const UNFIT: &str = "the extents of a content do not fit its stored bytes";

/// A reader of stored bytes. It keeps the original error, since an I/O error cannot carry it.
pub(super) trait StoredBytes: Read {
    fn error(&mut self) -> Option<Error>;
}

/// Joins the extents from a content's own stored bytes and from its parts, which are used in order.
pub(super) fn join<R: StoredBytes>(
    extents: impl Iterator<Item = Extent>,
    mut own: R,
    mut parts: impl Iterator<Item = R>,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    let mut joiner = Joiner::new(SinkWriter { sink, error: None });
    for extent in extents {
        let joined = match extent {
            Extent::Literal { .. } | Extent::Decoded { .. } => joiner.extent(&extent, &mut own).map_err(|error| (error, own.error())),
            Extent::Part { .. } => {
                let mut part = parts.next().ok_or(Error::Bug("a content has fewer parts than its extents"))?;
                joiner.extent(&extent, &mut part).map_err(|error| (error, part.error()))
            }
        };
        match joined {
            Ok(()) => {}
            Err((_, Some(error))) => return Err(error),
            Err((JoinError::Write(_), None)) => return Err(joiner.into_inner().error.unwrap_or(Error::Stopped)),
            Err((_, None)) => return Err(Error::Bug(UNFIT)),
        }
    }
    Ok(())
}

/// Reads runs one after the other.
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

impl StoredBytes for RunReader<'_> {
    fn error(&mut self) -> Option<Error> {
        self.error.take()
    }
}

/// Passes bytes to a sink and keeps its error.
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
