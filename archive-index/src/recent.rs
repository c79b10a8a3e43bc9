//! Documents in memory, which searches read while more are added.
//!
//! A running search blocks nobody for long. Adding waits a moment for the running searches, during which no new one
//! begins, and then reports that the memory is busy. So the next search waits that moment at most.

use crate::columns::Columns;
use crate::error::{DocNo, DocRange, IndexError};
use crate::pages::{FileId, PageStore};
use crate::query::leaf::Label;
use crate::segment::Source;
use crate::segment::memory::Memory;
use crate::sort::SortKeys;
use crate::text::field::Value;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

/// How long running searches may delay the adding of a document.
const PATIENCE: Duration = Duration::from_millis(10);

/// The segment in memory, shared.
pub(crate) struct Recent {
    memory: RwLock<Memory>,
    gate: Mutex<Gate>,
    changed: Condvar,
    /// All documents are below it.
    end: AtomicU32,
}

/// How many searches read, and whether someone waits to add.
#[derive(Default)]
struct Gate {
    readers: usize,
    closed: bool,
}

impl Recent {
    /// An empty one, for documents from `lo` on.
    pub(crate) fn new(lo: u32) -> Self {
        Self { memory: RwLock::new(Memory::new(lo)), gate: Mutex::default(), changed: Condvar::new(), end: AtomicU32::new(lo) }
    }

    /// All its documents are below it.
    pub(crate) fn end(&self) -> u32 {
        self.end.load(Ordering::Acquire)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.memory().rows().is_empty()
    }

    /// Bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.memory().size()
    }

    /// Writes it as a segment, once nothing is added any more. Returns the documents that it covers.
    pub(crate) fn write(&self, pages: &dyn PageStore, file: FileId) -> Result<DocRange, IndexError> {
        let memory = self.memory();
        memory.write(pages, file)?;
        Ok(DocRange { start: DocNo(memory.range().0), end: DocNo(self.end()) })
    }

    /// For uses that need no gate: they are short, or come when nothing is added any more.
    fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> Read<'_> {
        let gate = self.gate();
        let mut gate = self.changed.wait_while(gate, |gate| gate.closed).unwrap_or_else(PoisonError::into_inner);
        gate.readers += 1;
        Read { of: self, memory: self.memory() }
    }

    /// Adds a document, whose number is above all before. Returns `false` if running searches prevent it.
    pub(crate) fn add(
        &self,
        doc: u32,
        values: &[Value<'_>],
        labels: &[Label],
        columns: &Columns,
        sort: &SortKeys<'_>,
    ) -> Result<bool, IndexError> {
        let mut gate = self.gate();
        gate.closed = true;
        let waited = self.changed.wait_timeout_while(gate, PATIENCE, |gate| gate.readers > 0);
        let (mut gate, _) = waited.unwrap_or_else(PoisonError::into_inner);
        gate.closed = false;
        let added = match gate.readers {
            0 => {
                let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
                let added = memory.add(doc, values, labels, columns, sort);
                self.end.store(memory.range().1, Ordering::Release);
                added.map(|()| true)
            }
            _ => Ok(false),
        };
        drop(gate);
        self.changed.notify_all();
        added
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to read; see [`Recent::read`].
pub(crate) struct Read<'r> {
    of: &'r Recent,
    memory: RwLockReadGuard<'r, Memory>,
}

impl Deref for Read<'_> {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.memory
    }
}

impl Drop for Read<'_> {
    fn drop(&mut self) {
        self.of.gate().readers -= 1;
        self.of.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_runs_lets_others_begin_and_nothing_be_added() {
        let recent = Recent::new(0);
        let add = |doc| recent.add(doc, &[], &[], &Columns::default(), &SortKeys::default()).unwrap();
        assert!(add(3));
        let running = recent.read();
        assert!(!add(4) && recent.end() == 4);
        assert_eq!(recent.read().rows().len(), 1);
        drop(running);
        assert!(add(4) && recent.end() == 5);
    }
}
