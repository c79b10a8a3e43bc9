//! What can go wrong in an index, with the file and page at fault.

use crate::pages::{FileId, PageError, PageRef};
use std::sync::Arc;

/// Number of a document: the content number of the store, dense from 0 and rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocNo(pub u32);

/// The documents from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocRange {
    /// The first document.
    pub start: DocNo,
    /// The first document after the range.
    pub end: DocNo,
}

/// Why an index could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The system refused to read or write pages. Fix: resolve the cause; what was durable still is.
    #[error("pages: {0}")]
    Pages(#[from] PageError),
    /// A page is damaged. Fix: discard the segment and index its documents again.
    #[error("segment {file:?}, page at {page:?}: broken {what}; documents {docs:?} cannot be searched", file = .0.file, page = .0.page, what = .0.what, docs = .0.docs)]
    Damaged(Box<SegmentDamage>),
    /// The manifest is damaged. Fix: discard the index and rebuild it.
    #[error("manifest of the index: broken {what}")]
    Manifest {
        /// What was being read.
        what: &'static str,
    },
    /// Written by older code. Fix: discard the index and rebuild it.
    #[error("index of format {found}, this code knows {known}")]
    FormatTooOld {
        /// The format that was found.
        found: u64,
        /// The format that this code supports.
        known: u64,
    },
    /// Written by newer code. Fix: use a newer version; nothing was changed.
    #[error("index of format {found}, this code knows {known}")]
    FormatTooNew {
        /// The format that was found.
        found: u64,
        /// The newest format that this code supports.
        known: u64,
    },
    /// A document was added out of order: numbers must rise.
    #[error("document {given:?} given, {expected:?} or higher expected")]
    Order {
        /// The number given.
        given: DocNo,
        /// The lowest number that is still free.
        expected: DocNo,
    },
    /// The index has reached a limit of the format.
    #[error("too large for the index: {what}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
    },
    /// The caller stopped the search.
    #[error("the search was stopped")]
    Stopped,
    /// An invariant of this code was broken. Fix: reopen the index, and report the bug.
    #[error("broken promise in the index: {0}")]
    Bug(&'static str),
}

/// A segment that the system does not allow to be read. Nothing is known of its pages, so it is left unchanged; the
/// next open tries again.
#[derive(Clone, Debug)]
pub struct UnreadSegment {
    /// The file of the segment.
    pub file: FileId,
    /// The documents that cannot be searched for it.
    pub docs: DocRange,
    /// What the page store reports.
    pub cause: Arc<PageError>,
}

/// A page of a segment that cannot be used, and the documents that are lost with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentDamage {
    /// The file of the segment.
    pub file: FileId,
    /// The page; `None` if the file itself could not be opened.
    pub page: Option<PageRef>,
    /// What was being read.
    pub what: &'static str,
    /// The documents that cannot be searched for it.
    pub docs: DocRange,
}
