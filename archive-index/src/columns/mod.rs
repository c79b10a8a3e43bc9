//! Columns: date, size, attachments, priority by document, and the documents in order of date; docs/FORMAT-INDEX.md,
//! "Columns".

use crate::wire::{Malformed, Reader, put_block, put_varint, unzigzag, zigzag};
use std::cmp::Reverse;

/// Importance that the sender set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Below normal.
    Low,
    /// Normal, or not said.
    #[default]
    Normal,
    /// Above normal.
    High,
}

/// What a document is sorted and filtered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Date of the mail, in seconds since 1970-01-01 UTC.
    pub date: i64,
    /// Bytes of the mail.
    pub size: u64,
    /// Number of attachments.
    pub attachments: u32,
    /// Importance that the sender set.
    pub priority: Priority,
    /// Some of its text could not be indexed, so a search may miss it.
    pub unsearchable: bool,
}

/// Documents in a page of columns.
pub(crate) const CHUNK: usize = 1024;
/// Documents in a page of the order.
pub(crate) const ORDER_CHUNK: usize = 8192;

/// The plain bytes of a page of columns; documents rise.
pub(crate) fn put_chunk(rows: &[(u32, Columns)]) -> Vec<u8> {
    let mut page = Vec::new();
    put_varint(&mut page, rows.len() as u64);
    let (mut docs, mut dates, mut sizes, mut attachments, mut flags) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut last_doc, mut last_date) = (0u32, 0i64);
    for &(doc, row) in rows {
        put_varint(&mut docs, u64::from(doc.wrapping_sub(last_doc)));
        put_varint(&mut dates, zigzag(row.date.wrapping_sub(last_date)));
        put_varint(&mut sizes, row.size);
        put_varint(&mut attachments, u64::from(row.attachments));
        flags.push(row.priority as u8 | u8::from(row.unsearchable) << 2);
        (last_doc, last_date) = (doc, row.date);
    }
    for column in [docs, dates, sizes, attachments, flags] {
        put_block(&mut page, &column);
    }
    page
}

/// The rows of a page of columns.
pub(crate) fn read_chunk(page: &[u8]) -> Result<Vec<(u32, Columns)>, Malformed> {
    let mut reader = Reader::new(page);
    let count = reader.length()?;
    let mut docs = Reader::new(reader.block()?);
    let mut dates = Reader::new(reader.block()?);
    let mut sizes = Reader::new(reader.block()?);
    let mut attachments = Reader::new(reader.block()?);
    let mut flags = Reader::new(reader.block()?);
    reader.end()?;
    let (mut doc, mut date) = (0u32, 0i64);
    let mut rows = Vec::with_capacity(count.min(ORDER_CHUNK));
    for _ in 0..count {
        doc = doc.wrapping_add(docs.varint_u32()?);
        date = date.wrapping_add(unzigzag(dates.varint()?));
        let flags = flags.byte()?;
        let priority = match flags & 3 {
            0 => Priority::Low,
            1 => Priority::Normal,
            2 => Priority::High,
            _ => return Err(Malformed("priority")),
        };
        let row = Columns { date, size: sizes.varint()?, attachments: attachments.varint_u32()?, priority, unsearchable: flags & 4 != 0 };
        rows.push((doc, row));
    }
    Ok(rows)
}

/// A document in the order newest first; among equal dates, the highest number comes first. The least value is the
/// newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dated {
    pub(crate) date: Reverse<i64>,
    pub(crate) doc: Reverse<u32>,
}

impl Dated {
    pub(crate) fn new(date: i64, doc: u32) -> Self {
        Self { date: Reverse(date), doc: Reverse(doc) }
    }
}

/// The plain bytes of a page of the order.
pub(crate) fn put_order(rows: &[Dated]) -> Vec<u8> {
    let mut page = Vec::new();
    put_varint(&mut page, rows.len() as u64);
    let (mut dates, mut docs) = (Vec::new(), Vec::new());
    let (mut last_date, mut last_doc) = (0i64, 0i64);
    for row in rows {
        put_varint(&mut dates, zigzag(row.date.0.wrapping_sub(last_date)));
        put_varint(&mut docs, zigzag(i64::from(row.doc.0) - last_doc));
        (last_date, last_doc) = (row.date.0, i64::from(row.doc.0));
    }
    put_block(&mut page, &dates);
    put_block(&mut page, &docs);
    page
}

/// The rows of a page of the order.
pub(crate) fn read_order(page: &[u8]) -> Result<Vec<Dated>, Malformed> {
    let mut reader = Reader::new(page);
    let count = reader.length()?;
    let mut dates = Reader::new(reader.block()?);
    let mut docs = Reader::new(reader.block()?);
    reader.end()?;
    let (mut date, mut doc) = (0i64, 0i64);
    let mut rows = Vec::with_capacity(count.min(ORDER_CHUNK));
    for _ in 0..count {
        date = date.wrapping_add(unzigzag(dates.varint()?));
        doc = doc.wrapping_add(unzigzag(docs.varint()?));
        rows.push(Dated::new(date, u32::try_from(doc).map_err(|_| Malformed("document"))?));
    }
    Ok(rows)
}
