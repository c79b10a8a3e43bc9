//! The full-text index: text in, document numbers out. It knows nothing of encryption keys, paths or mail.
//!
//! An [`Index`] is stored in pages of a [`PageStore`]. [`Index::add`] adds a document as [`Value`]s of text in
//! [`Field`]s, with its [`Columns`] and [`Label`]s, and it can be searched at once; [`Index::flush`] makes it durable.
//! [`parse`] reads a [`Query`], and [`Query::bind`] makes it ready to run. A [`Snapshot`] answers it with the numbers
//! of the documents, and puts them in order.
//!
//! ```
//! use archive_index::{Columns, DocNo, Field, Index, MemPages, Options, SortKeys, Value, ValueKind, parse};
//! use std::sync::Arc;
//!
//! let index = Index::open(Arc::new(MemPages::new()), Options::default())?;
//! let subject = Value { field: Field::Subject, kind: ValueKind::Text, text: "Quarterly report" };
//! index.add(DocNo(0), &[subject], &[], &Columns::default(), &SortKeys::default())?;
//! let query = parse("report*")?.without_filters().ok_or("a filter")?;
//! let found = index.snapshot().search(&query)?;
//! assert_eq!(found.iter().collect::<Vec<_>>(), [0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The format of the pages is described in `docs/FORMAT-INDEX.md`.
#![forbid(unsafe_code)]

mod columns;
mod error;
mod index;
mod manifest;
mod pages;
mod postings;
mod query;
mod recent;
mod segment;
mod snapshot;
mod sort;
mod terms;
mod text;
mod wire;

pub use columns::{Columns, Priority};
pub use error::{DocNo, DocRange, IndexError, SegmentDamage, UnreadSegment};
pub use index::{BetweenPages, Index, Options};
pub use pages::{FileId, MemPages, PageError, PageErrorKind, PageReader, PageRef, PageStore, PageWriter};
pub use query::filter::{DateSpan, Filter, FilterKind, Mark, MessageRef, NamedPeriod, Period, read_size};
pub use query::grammar::{Scope, parse, parse_in, parse_reduced};
pub use query::leaf::{Label, LabelKind, LabelPattern, Leaf};
pub use query::probe::{Probe, Truth};
pub use query::snippet::{Snippet, found_words, snippet};
pub use query::tree::{Bound, LANGUAGE, Notice, NoticeKind, Query, QueryError};
pub use query::words::{MOST_WORDS, Word, WordsOf};
pub use roaring::RoaringBitmap;
pub use segment::cache::SharedPages;
pub use snapshot::{NewestFirst, Snapshot};
pub use sort::{Position, SortKey, SortKeys, SortPlace};
pub use text::field::{Field, Value, ValueKind};
pub use text::map::map as fold;
