//! The full-text index: text in, numbers out. Knows no keys, no paths, no mail.
#![forbid(unsafe_code)]
mod error;
mod pages;
mod text;
mod wire;
pub use error::{DocNo, DocRange, IndexError, SegmentDamage};
pub use pages::{FileId, MemPages, PageError, PageErrorKind, PageReader, PageRef, PageStore, PageWriter};
pub use text::field::{Field, Value, ValueKind};
