//! Writing a segment: terms in order with their lists, then backward keys, columns, order and sort keys, then the
//! directory and the footer.

use super::page::{Envelope, PageKind};
use crate::columns::{CHUNK, Columns, Dated, ORDER_CHUNK, put_chunk, put_order};
use crate::error::IndexError;
use crate::pages::{FileId, PageRef, PageStore, PageWriter};
use crate::postings::Shape;
use crate::sort::pages::SortWriter;
use crate::sort::{SORT_KEYS, SortKey};
use crate::terms::blocks::{BlocksBuilder, Built, Directory};
use crate::terms::{KeyPages, Parts, TermPages};
use crate::text::UNICODE;
use crate::wire::put_varint;

/// The format of segments that this code writes and reads.
pub(crate) const FORMAT: u64 = 2;
/// Plain bytes of a page of a stream; all but the last are full.
pub(crate) const STREAM_PAGE: usize = 64 << 10;

/// Keys of the footer: docs/FORMAT-INDEX.md, "Footer".
pub(crate) mod footer_key {
    pub(crate) const FORMAT: u64 = 1;
    pub(crate) const LO: u64 = 2;
    pub(crate) const HI: u64 = 3;
    pub(crate) const DOCS: u64 = 4;
    pub(crate) const TERMS: u64 = 5;
    pub(crate) const UNICODE: u64 = 6;
    pub(crate) const DIRECTORY: u64 = 7;
}

/// A byte stream that is cut into pages of equal length.
struct Stream {
    kind: PageKind,
    buffer: Vec<u8>,
    cut: u64,
    pages: Vec<PageRef>,
}

impl Stream {
    fn new(kind: PageKind) -> Self {
        Self { kind, buffer: Vec::with_capacity(STREAM_PAGE), cut: 0, pages: Vec::new() }
    }

    fn length(&self) -> u64 {
        self.cut + self.buffer.len() as u64
    }

    fn put(&mut self, mut bytes: &[u8], out: &mut Output) -> Result<(), IndexError> {
        while !bytes.is_empty() {
            let room = STREAM_PAGE - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == STREAM_PAGE {
                self.cut_page(out)?;
            }
        }
        Ok(())
    }

    fn cut_page(&mut self, out: &mut Output) -> Result<(), IndexError> {
        if !self.buffer.is_empty() {
            self.pages.push(out.page(self.kind, &self.buffer)?);
            self.cut += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    fn put_directory(&self, out: &mut Vec<u8>) {
        put_varint(out, self.length());
        put_refs(&self.pages, out);
    }
}

pub(crate) fn put_refs(pages: &[PageRef], out: &mut Vec<u8>) {
    put_varint(out, pages.len() as u64);
    let mut last = 0;
    for page in pages {
        put_varint(out, page.0.wrapping_sub(last));
        last = page.0;
    }
}

/// The pages of a dictionary, and the transducers that lead to them.
#[derive(Default)]
struct Dictionary {
    blocks: BlocksBuilder,
    directory: Directory,
}

impl Dictionary {
    fn page(&mut self, kind: PageKind, separators: &[Vec<u8>], plain: &[u8], out: &mut Output) -> Result<(), IndexError> {
        let page = out.page(kind, plain)?;
        if !self.blocks.add(separators, page) {
            return Err(IndexError::Bug("keys of the dictionary do not rise"));
        }
        if self.blocks.is_full() { self.cut_blocks(out) } else { Ok(()) }
    }

    fn cut_blocks(&mut self, out: &mut Output) -> Result<(), IndexError> {
        if let Some(Built { first, plain, pages }) = self.blocks.take() {
            let blocks = out.page(PageKind::Blocks, &plain.ok_or(IndexError::Bug("no transducer"))?)?;
            self.directory.push(first, blocks, pages);
        }
        Ok(())
    }
}

/// The file that is written.
pub(crate) struct Output {
    file: Box<dyn PageWriter>,
    envelope: Envelope,
}

impl Output {
    pub(crate) fn page(&mut self, kind: PageKind, plain: &[u8]) -> Result<PageRef, IndexError> {
        Ok(self.file.append(&self.envelope.seal(kind, plain)?)?)
    }
}

/// A segment that is being written. Terms come first, in the order of their keys; then backward keys, columns,
/// order and sort keys.
pub(crate) struct SegmentWriter {
    out: Output,
    lo: u32,
    hi: u32,
    docs_count: u64,
    terms_count: u64,
    terms: TermPages,
    forward: Dictionary,
    backward_keys: KeyPages,
    backward: Dictionary,
    docs: Stream,
    positions: Stream,
    /// Where the positions of the last term go.
    parts: Parts,
    rows: Vec<(u32, Columns)>,
    chunks: Vec<(u32, PageRef)>,
    dated: Vec<Dated>,
    order: Vec<PageRef>,
    sort: [SortWriter; SORT_KEYS],
}

impl SegmentWriter {
    /// Creates a segment of the documents from `lo` up to, but not including, `hi`, as `file`.
    pub(crate) fn create(store: &dyn PageStore, file: FileId, lo: u32, hi: u32) -> Result<Self, IndexError> {
        Ok(Self {
            out: Output { file: store.create(file)?, envelope: Envelope::new()? },
            lo,
            hi,
            docs_count: 0,
            terms_count: 0,
            terms: TermPages::default(),
            forward: Dictionary::default(),
            backward_keys: KeyPages::default(),
            backward: Dictionary::default(),
            docs: Stream::new(PageKind::Docs),
            positions: Stream::new(PageKind::Positions),
            parts: Parts { inline_docs: false, inline_positions: false },
            rows: Vec::new(),
            chunks: Vec::new(),
            dated: Vec::new(),
            order: Vec::new(),
            sort: Default::default(),
        })
    }

    /// Adds a term, whose key is above all before. Its positions follow through [`positions`](Self::positions): as many
    /// bytes as the shape says.
    pub(crate) fn term(&mut self, key: &[u8], shape: &Shape, docs: &[u8]) -> Result<(), IndexError> {
        if self.terms.is_full() {
            self.cut_terms()?;
        }
        self.parts = self.terms.add(key, shape, docs, (self.docs.length(), self.positions.length()));
        if !self.parts.inline_docs {
            self.docs.put(docs, &mut self.out)?;
        }
        self.terms_count += 1;
        Ok(())
    }

    pub(crate) fn positions(&mut self, bytes: &[u8]) -> Result<(), IndexError> {
        if self.parts.inline_positions {
            self.terms.positions(bytes);
            return Ok(());
        }
        self.positions.put(bytes, &mut self.out)
    }

    fn cut_terms(&mut self) -> Result<(), IndexError> {
        match self.terms.take() {
            Some((separators, page)) => self.forward.page(PageKind::Terms, &separators, &page, &mut self.out),
            None => Ok(()),
        }
    }

    /// Adds a backward key, which is above all before.
    pub(crate) fn backward(&mut self, key: &[u8]) -> Result<(), IndexError> {
        self.backward_keys.add(key);
        if self.backward_keys.is_full() { self.cut_backward() } else { Ok(()) }
    }

    fn cut_backward(&mut self) -> Result<(), IndexError> {
        match self.backward_keys.take() {
            Some((separators, page)) => self.backward.page(PageKind::Backward, &separators, &page, &mut self.out),
            None => Ok(()),
        }
    }

    /// Adds the columns of a document, which is above all before.
    pub(crate) fn columns(&mut self, doc: u32, columns: Columns) -> Result<(), IndexError> {
        self.rows.push((doc, columns));
        self.docs_count += 1;
        if self.rows.len() == CHUNK { self.cut_columns() } else { Ok(()) }
    }

    fn cut_columns(&mut self) -> Result<(), IndexError> {
        if let Some(&(first, _)) = self.rows.first() {
            let page = self.out.page(PageKind::Columns, &put_chunk(&self.rows))?;
            self.chunks.push((first, page));
            self.rows.clear();
        }
        Ok(())
    }

    /// Adds a document in the order of dates, which is after all before.
    pub(crate) fn dated(&mut self, dated: Dated) -> Result<(), IndexError> {
        self.dated.push(dated);
        if self.dated.len() == ORDER_CHUNK { self.cut_order() } else { Ok(()) }
    }

    fn cut_order(&mut self) -> Result<(), IndexError> {
        if !self.dated.is_empty() {
            self.order.push(self.out.page(PageKind::Order, &put_order(&self.dated))?);
            self.dated.clear();
        }
        Ok(())
    }

    /// Adds a sort key, which is above all before.
    pub(crate) fn sort_key(&mut self, of: SortKey, key: &[u8]) -> Result<(), IndexError> {
        self.sort.get_mut(of.at()).map_or(Ok(()), |writer| writer.key(key, &mut self.out))
    }

    /// Adds the rank of the next document among the sort keys.
    pub(crate) fn rank(&mut self, of: SortKey, rank: u32) -> Result<(), IndexError> {
        self.sort.get_mut(of.at()).map_or(Ok(()), |writer| writer.rank(rank, &mut self.out))
    }

    /// Finishes the file; after `Ok` it is durable.
    pub(crate) fn finish(mut self) -> Result<(), IndexError> {
        self.cut_terms()?;
        self.cut_backward()?;
        self.docs.cut_page(&mut self.out)?;
        self.positions.cut_page(&mut self.out)?;
        self.cut_columns()?;
        self.cut_order()?;
        self.forward.cut_blocks(&mut self.out)?;
        self.backward.cut_blocks(&mut self.out)?;
        let mut plain = Vec::new();
        self.forward.directory.put(&mut plain);
        self.backward.directory.put(&mut plain);
        self.docs.put_directory(&mut plain);
        self.positions.put_directory(&mut plain);
        put_varint(&mut plain, self.chunks.len() as u64);
        for &(first, page) in &self.chunks {
            put_varint(&mut plain, u64::from(first));
            put_varint(&mut plain, page.0);
        }
        put_refs(&self.order, &mut plain);
        for sort in &mut self.sort {
            sort.finish(&mut self.out, &mut plain)?;
        }
        let directory = self.out.page(PageKind::Directory, &plain)?;
        let footer = self.footer(directory).map_err(|_| IndexError::Bug("footer not encoded"))?;
        self.out.page(PageKind::Footer, &footer)?;
        Ok(self.out.file.finish()?)
    }

    fn footer(&self, directory: PageRef) -> Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>> {
        use footer_key as key;
        let mut footer = minicbor::Encoder::new(Vec::new());
        footer.map(7)?;
        footer.u64(key::FORMAT)?.u64(FORMAT)?;
        footer.u64(key::LO)?.u32(self.lo)?;
        footer.u64(key::HI)?.u32(self.hi)?;
        footer.u64(key::DOCS)?.u64(self.docs_count)?;
        footer.u64(key::TERMS)?.u64(self.terms_count)?;
        footer.u64(key::UNICODE)?.str(UNICODE)?;
        footer.u64(key::DIRECTORY)?.u64(directory.0)?;
        Ok(footer.into_writer())
    }
}
