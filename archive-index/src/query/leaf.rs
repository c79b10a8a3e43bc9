//! What a filter means to the index: a column within bounds, a label, or documents that the caller knows.

use crate::columns::{Columns, Priority};
use roaring::RoaringBitmap;
use std::ops::{Range, RangeInclusive};

/// A bound filter. Which documents meet it never depends on text that could not be read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Leaf {
    /// The date is in the range: seconds since 1970-01-01 UTC.
    Date(Range<i64>),
    /// The size is in the range: bytes.
    Size(RangeInclusive<u64>),
    /// It has attachments, or has none.
    Attachments(bool),
    /// The sender gave it this importance.
    Priority(Priority),
    /// It has a label that one of the patterns matches.
    Labels(Vec<LabelPattern>),
    /// It is one of these documents, which the caller determined.
    Docs(RoaringBitmap),
}

impl Leaf {
    /// Whether a document with these columns meets it; `None` if columns do not decide it.
    pub(crate) fn of_columns(&self, columns: &Columns) -> Option<bool> {
        match self {
            Leaf::Date(range) => Some(range.contains(&columns.date)),
            Leaf::Size(range) => Some(range.contains(&columns.size)),
            Leaf::Attachments(with) => Some((columns.attachments > 0) == *with),
            Leaf::Priority(priority) => Some(columns.priority == *priority),
            Leaf::Labels(_) | Leaf::Docs(_) => None,
        }
    }
}

/// The kind of a label: a name by which documents are found as a whole, apart from their text. It is neither split nor
/// mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LabelKind {
    /// The document's own id.
    Id = b'i',
    /// An id that the document refers to.
    Reference = b'r',
    /// The mailing list that it came from.
    List = b'l',
    /// A label assigned to it.
    Given = b'g',
    /// A media type of an attachment, or a full stop and the ending of an attachment's file name.
    Type = b't',
}

/// A label of a document: at most 1,024 bytes; of a longer one only the beginning counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Its kind.
    pub kind: LabelKind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Labels of one kind: one, or all that a text with wildcards matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelPattern {
    /// Their kind.
    pub kind: LabelKind,
    /// Their bytes.
    pub bytes: Vec<u8>,
    /// Whether `*` in them stands for any bytes, or none.
    pub wild: bool,
}

impl LabelPattern {
    /// The bytes with which all matching labels begin.
    pub(crate) fn start(&self) -> &[u8] {
        match self.wild {
            true => self.bytes.split(|byte| *byte == b'*').next().unwrap_or_default(),
            false => &self.bytes,
        }
    }

    /// Whether the bytes of a label match.
    pub(crate) fn matches(&self, label: &[u8]) -> bool {
        if !self.wild {
            return self.bytes == label;
        }
        let mut pieces = self.bytes.split(|byte| *byte == b'*');
        let Some(mut rest) = label.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        for piece in pieces {
            let Some(at) = memchr::memmem::find(rest, piece) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        rest.ends_with(last)
    }
}

impl From<Label> for LabelPattern {
    fn from(label: Label) -> Self {
        Self { kind: label.kind, bytes: label.bytes, wild: false }
    }
}
