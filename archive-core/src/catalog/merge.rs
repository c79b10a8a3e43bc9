//! Merges runs into one. A page whose keys do not overlap with those of the other runs is copied as it is: rows by
//! number come in the order of the runs, and are most of a catalog.

use super::page::{EntryRef, Page};
use super::run::{Run, RunWriter};
use crate::error::Error;

/// Whether the entry of a key stays.
pub(super) type Stays<'s> = dyn Fn(&[u8]) -> bool + 's;

/// Writes the entries of `runs` (newest first) to `writer`; if several runs have a key, the newest entry. With nothing
/// older after them (`oldest`), tombstones have nothing left to hide; those in copied pages stay, which does no harm.
/// With `stays`, entries go whose keys it refuses, and no page is copied as it is.
/// Ends with [`Error::Stopped`] as soon as `between` returns false.
pub(super) fn merge<'r>(
    runs: impl Iterator<Item = &'r Run>,
    oldest: bool,
    writer: &mut RunWriter,
    stays: Option<&Stays<'_>>,
    between: &dyn Fn() -> bool,
) -> Result<(), Error> {
    let mut cursors: Vec<Cursor<'r>> = runs.map(|run| Cursor { run, page_no: 0, page: None, at: 0 }).collect();
    loop {
        if !between() {
            return Err(Error::Stopped);
        }
        cursors.retain(|cursor| cursor.key().is_some());
        // Among those with the lowest key, the first is the newest.
        let Some(least) = (0..cursors.len()).min_by_key(|at| cursors[*at].key()) else { return Ok(()) };
        let others = cursors.iter().enumerate().filter(|(at, _)| *at != least);
        let bound = others.filter_map(|(_, cursor)| cursor.key()).min().map(<[u8]>::to_vec);
        let bound = bound.as_deref();
        if stays.is_none() && cursors[least].is_alone(bound) {
            let cursor = &mut cursors[least];
            writer.copy_page(cursor.run, cursor.page_no)?;
            cursor.page_no += 1;
            continue;
        }
        // A run that alone has the lowest key continues until another one reaches the same or a lower key, which may be
        // a newer run.
        let shared = cursors[least].key() == bound;
        while let Some((key, value)) = cursors[least].entry()? {
            if !shared && bound.is_some_and(|bound| key >= bound) {
                break;
            }
            if (value.is_some() || !oldest) && stays.is_none_or(|stays| stays(key)) {
                writer.push(key, value)?;
            }
            if cursors[least].advance() || shared {
                break;
            }
        }
        if shared {
            for cursor in cursors.iter_mut().enumerate().filter(|(at, _)| *at != least).map(|(_, cursor)| cursor) {
                if cursor.key() == bound {
                    cursor.entry()?;
                    cursor.advance();
                }
            }
        }
    }
}

/// A place in a run. A page is read only if its first entry is not enough.
struct Cursor<'r> {
    run: &'r Run,
    page_no: usize,
    page: Option<Page>,
    at: usize,
}

impl Cursor<'_> {
    fn key(&self) -> Option<&[u8]> {
        match &self.page {
            Some(page) => page.entry(self.at).map(|(key, _)| key),
            None => self.run.first_key(self.page_no),
        }
    }

    /// Whether all keys of the next page are below `bound`.
    fn is_alone(&self, bound: Option<&[u8]>) -> bool {
        self.page.is_none()
            && match (bound, self.run.first_key(self.page_no + 1)) {
                (None, _) => true,
                (Some(bound), Some(next)) => next <= bound,
                (Some(_), None) => false,
            }
    }

    fn entry(&mut self) -> Result<Option<EntryRef<'_>>, Error> {
        if self.page.is_none() && self.run.first_key(self.page_no).is_some() {
            self.page = Some(self.run.read_page(self.page_no)?);
            self.at = 0;
        }
        Ok(self.page.as_ref().and_then(|page| page.entry(self.at)))
    }

    /// Advances; `true` at the end of a page.
    fn advance(&mut self) -> bool {
        self.at += 1;
        let ended = self.page.as_ref().is_some_and(|page| self.at >= page.len());
        if ended {
            self.page = None;
            self.page_no += 1;
        }
        ended
    }
}
