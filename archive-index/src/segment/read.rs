//! Reading a segment from its pages.
//!
//! The directory stays in memory (a few bytes for each page of 32 or 64 KiB). Pages are read when they are needed, and
//! the cache keeps them.

use super::build::{FORMAT, STREAM_PAGE, footer_key};
use super::cache::{Held, PageCache};
use super::page::{PageKind, open};
use super::{Source, Visit};
use crate::columns::{CHUNK, Columns, Dated, read_chunk, read_order};
use crate::error::{DocNo, DocRange, IndexError, SegmentDamage};
use crate::pages::{FileId, PageError, PageErrorKind, PageReader, PageRef, PageStore};
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::postings::{DocList, Shape};
use crate::query::leaf::LabelPattern;
use crate::sort::SORT_KEYS;
use crate::sort::pages::SortColumn;
use crate::terms::blocks::{BlockAt, Blocks, Directory};
use crate::terms::pattern::{Pattern, Reach};
use crate::terms::typo::Typo;
use crate::terms::{Entry, Place, STRIDE, TermCursor, backward, key_cursor};
use crate::text::field::Zones;
use crate::text::key::{LONG, MARKED, label, parts};
use crate::wire::{Malformed, Reader};
use fst::Automaton;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An immutable part of the index.
pub(crate) struct Segment {
    store: Arc<dyn PageStore>,
    file: FileId,
    reader: Arc<dyn PageReader>,
    cache: Arc<PageCache>,
    lo: u32,
    hi: u32,
    pub(crate) forward: Directory,
    pub(crate) backward: Directory,
    docs: StreamPages,
    positions: StreamPages,
    chunks: Vec<(u32, PageRef)>,
    order: Vec<PageRef>,
    pub(crate) sort: [SortColumn; SORT_KEYS],
    /// Nothing refers to the file any more; it is removed with the last reader.
    doomed: AtomicBool,
}

/// A stream as the directory describes it.
#[derive(Default)]
pub(crate) struct StreamPages {
    length: u64,
    pages: Vec<PageRef>,
}

/// The rows of a page of columns, and the first document of the next page.
pub(crate) struct Chunk {
    pub(crate) rows: Arc<Vec<(u32, Columns)>>,
    pub(crate) next: Option<u32>,
}

/// Above the leads of all keys that are not beginnings of words.
const WORDS: u8 = LONG + 1;

/// Which stream.
#[derive(Clone, Copy)]
pub(crate) enum StreamKind {
    Docs,
    Positions,
}

/// Bytes of a page or of several, or of a term's entry.
pub(crate) enum Bytes<'a> {
    Entry(&'a [u8]),
    Page(Arc<Vec<u8>>, Range<usize>),
    Joined(Vec<u8>),
}

impl AsRef<[u8]> for Bytes<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Entry(bytes) => bytes,
            Bytes::Page(page, range) => page.get(range.clone()).unwrap_or_default(),
            Bytes::Joined(bytes) => bytes,
        }
    }
}

struct Footer {
    lo: u32,
    hi: u32,
    directory: PageRef,
}

impl Segment {
    /// Opens the segment of `file`, which should have the documents of `docs`.
    pub(crate) fn open(store: &Arc<dyn PageStore>, file: FileId, docs: DocRange, cache: &Arc<PageCache>) -> Result<Self, IndexError> {
        let damage = |page, what| IndexError::Damaged(Box::new(SegmentDamage { file, page, what, docs }));
        let failed = |page, error: PageError| match error.kind {
            PageErrorKind::Io => IndexError::Pages(error),
            _ => damage(page, "page"),
        };
        let reader = store.open(file).map_err(|error| failed(None, error))?;
        let last = reader.last().map_err(|error| failed(None, error))?;
        let page = reader.read(last).map_err(|error| failed(Some(last), error))?;
        let plain = open(PageKind::Footer, &page).map_err(|broken| damage(Some(last), broken.0))?;
        let footer = match read_footer(&plain) {
            Ok(Ok(footer)) => footer,
            Ok(Err(found)) => return Err(IndexError::FormatTooNew { found, known: FORMAT }),
            Err(_) => return Err(damage(Some(last), "footer")),
        };
        if (footer.lo, footer.hi) != (docs.start.0, docs.end.0) {
            return Err(damage(Some(last), "range of documents"));
        }
        let mut segment = Self {
            store: Arc::clone(store),
            file,
            reader,
            cache: Arc::clone(cache),
            lo: footer.lo,
            hi: footer.hi,
            forward: Directory::default(),
            backward: Directory::default(),
            docs: StreamPages::default(),
            positions: StreamPages::default(),
            chunks: Vec::new(),
            order: Vec::new(),
            sort: Default::default(),
            doomed: AtomicBool::new(false),
        };
        let plain = segment.read_page(PageKind::Directory, footer.directory)?;
        segment.read_directory(&plain).map_err(|broken| segment.damage(Some(footer.directory), broken))?;
        Ok(segment)
    }

    fn read_directory(&mut self, plain: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(plain);
        self.forward = Directory::read(&mut reader)?;
        self.backward = Directory::read(&mut reader)?;
        self.docs = StreamPages::read(&mut reader)?;
        self.positions = StreamPages::read(&mut reader)?;
        for _ in 0..reader.length()? {
            self.chunks.push((reader.varint_u32()?, PageRef(reader.varint()?)));
        }
        self.order = read_refs(&mut reader)?;
        let docs = self.hi.saturating_sub(self.lo);
        for column in &mut self.sort {
            *column = SortColumn::read(&mut reader)?;
            // Each key is that of a document. Readers allocate by this number.
            if column.count > docs {
                return Err(Malformed("number of sort keys"));
            }
        }
        reader.end()
    }

    pub(crate) fn file(&self) -> FileId {
        self.file
    }

    pub(crate) fn lo(&self) -> u32 {
        self.lo
    }

    pub(crate) fn hi(&self) -> u32 {
        self.hi
    }

    /// Has the file removed when the last reader releases it.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Release);
    }

    pub(crate) fn damage(&self, page: Option<PageRef>, broken: Malformed) -> IndexError {
        let docs = DocRange { start: DocNo(self.lo), end: DocNo(self.hi) };
        IndexError::Damaged(Box::new(SegmentDamage { file: self.file, page, what: broken.0, docs }))
    }

    /// Reads a page, bypassing the cache: for uses that read everything once.
    pub(crate) fn read_page(&self, kind: PageKind, page: PageRef) -> Result<Vec<u8>, IndexError> {
        let bytes = self.reader.read(page).map_err(|error| match error.kind {
            // The system refused: nothing is known of the page itself.
            PageErrorKind::Io => IndexError::Pages(error),
            _ => self.damage(Some(page), Malformed("page")),
        })?;
        open(kind, &bytes).map_err(|broken| self.damage(Some(page), broken))
    }

    /// A page, from the cache, or read and put there. `taken` extracts it from a cached entry, `held` makes the entry
    /// from the plain bytes.
    pub(crate) fn cached<T>(
        &self,
        kind: PageKind,
        page: PageRef,
        taken: impl Fn(Held) -> Option<Arc<T>>,
        held: impl FnOnce(Vec<u8>) -> Result<Held, Malformed>,
    ) -> Result<Arc<T>, IndexError> {
        let of_kind = |held| taken(held).ok_or(IndexError::Bug("a page of another kind in the cache"));
        if let Some(held) = self.cache.get(kind, (self.file, page)) {
            return of_kind(held);
        }
        let held = held(self.read_page(kind, page)?).map_err(|broken| self.damage(Some(page), broken))?;
        self.cache.put(kind, (self.file, page), held.clone());
        of_kind(held)
    }

    /// A page that is read in place.
    pub(crate) fn page(&self, kind: PageKind, page: PageRef) -> Result<Arc<Vec<u8>>, IndexError> {
        let taken = |held| if let Held::Plain(plain) = held { Some(plain) } else { None };
        self.cached(kind, page, taken, |plain| Ok(Held::Plain(Arc::new(plain))))
    }

    /// The transducer at `place`, which leads to `pages` pages.
    fn blocks(&self, place: PageRef, pages: usize) -> Result<Arc<Blocks>, IndexError> {
        let taken = |held| if let Held::Blocks(blocks) = held { Some(blocks) } else { None };
        self.cached(PageKind::Blocks, place, taken, |plain| {
            let blocks = Blocks::read(&plain)?;
            if blocks.pages() == pages { Ok(Held::Blocks(Arc::new(blocks))) } else { Err(Malformed("pages of a transducer")) }
        })
    }

    /// The page in which `key` is, if it exists, and its block there; `None` if there are no pages.
    fn block_of(&self, directory: &Directory, key: &[u8]) -> Result<Option<(usize, u32)>, IndexError> {
        let Some((place, first, pages)) = directory.blocks_of(key) else { return Ok(None) };
        let (page, block) = self.blocks(place, pages)?.floor(key);
        Ok(Some((first + page, block)))
    }

    fn stream(&self, kind: StreamKind) -> (&StreamPages, PageKind) {
        match kind {
            StreamKind::Docs => (&self.docs, PageKind::Docs),
            StreamKind::Positions => (&self.positions, PageKind::Positions),
        }
    }

    /// `length` bytes of a stream from `offset` on.
    pub(crate) fn stream_bytes(&self, kind: StreamKind, offset: u64, length: usize) -> Result<Bytes<'static>, IndexError> {
        let (stream, page_kind) = self.stream(kind);
        let end = offset.checked_add(length as u64).filter(|&end| end <= stream.length);
        if end.is_none() {
            return Err(self.damage(None, Malformed("place in a stream")));
        }
        let mut at = (offset / STREAM_PAGE as u64) as usize;
        let mut from = (offset % STREAM_PAGE as u64) as usize;
        if from + length <= STREAM_PAGE {
            let page = self.page(page_kind, self.stream_page(stream, at)?)?;
            return Ok(Bytes::Page(page, from..from + length));
        }
        let mut joined = Vec::with_capacity(length.min(16 * STREAM_PAGE));
        while joined.len() < length {
            let page = self.page(page_kind, self.stream_page(stream, at)?)?;
            let to = page.len().min(from + length - joined.len());
            let bytes = page.get(from..to).filter(|bytes| !bytes.is_empty());
            joined.extend_from_slice(bytes.ok_or_else(|| self.damage(None, Malformed("page of a stream")))?);
            (at, from) = (at + 1, 0);
        }
        Ok(Bytes::Joined(joined))
    }

    fn stream_page(&self, stream: &StreamPages, at: usize) -> Result<PageRef, IndexError> {
        stream.pages.get(at).copied().ok_or_else(|| self.damage(None, Malformed("place in a stream")))
    }

    pub(crate) fn stream_pages(&self, kind: StreamKind) -> &[PageRef] {
        &self.stream(kind).0.pages
    }

    fn doc_bytes<'a>(&self, entry: &Entry<'a>) -> Result<Bytes<'a>, IndexError> {
        match entry.docs {
            Place::Inline(bytes) => Ok(Bytes::Entry(bytes)),
            Place::Stream(offset) => self.stream_bytes(StreamKind::Docs, offset, entry.shape.docs_bytes()),
        }
    }

    fn list<'a>(&self, shape: Shape, bytes: &'a Bytes<'_>) -> DocList<'a> {
        DocList { lo: self.lo, shape, bytes: bytes.as_ref() }
    }

    /// Visits the terms from `start` on while `goes` accepts their keys.
    fn scan(
        &self,
        start: &[u8],
        goes: impl Fn(&[u8]) -> bool,
        matches: impl Fn(&[u8]) -> bool,
        visit: &mut Visit<'_, Self>,
    ) -> Result<(), IndexError> {
        let Some((first, block)) = self.block_of(&self.forward, start)? else { return Ok(()) };
        for at in first..self.forward.len() {
            let Some(page_ref) = self.forward.get(at) else { break };
            let page = self.page(PageKind::Terms, page_ref)?;
            let broken = |malformed| self.damage(Some(page_ref), malformed);
            let mut cursor = TermCursor::new(&page).map_err(broken)?;
            if at == first {
                cursor.enter(block).map_err(broken)?;
            }
            while let Some(entry) = cursor.advance().map_err(broken)? {
                let key = cursor.keys.key();
                if key < start {
                    continue;
                }
                if !goes(key) {
                    return Ok(());
                }
                if matches(key) {
                    visit(key, &entry)?;
                }
            }
        }
        Ok(())
    }

    /// Visits the terms that are near enough to a word: the automaton is run over the transducers, and then over the
    /// keys of the blocks that remain.
    fn near(&self, typo: &Typo, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        for at in 0.. {
            let Some((place, first, pages)) = self.forward.blocks(at) else { break };
            let reached = self.blocks(place, pages)?.of(typo);
            for of_page in reached.chunk_by(|(a, _), (b, _)| a == b) {
                let Some(page_ref) = of_page.first().and_then(|(page, _)| self.forward.get(first + page)) else { break };
                let page = self.page(PageKind::Terms, page_ref)?;
                let found = accepted(&page, of_page, typo).map_err(|broken| self.damage(Some(page_ref), broken))?;
                self.visit_keys(page_ref, &page, &found, visit)?;
            }
        }
        Ok(())
    }

    /// Visits the terms of some keys of a page, which are in order.
    fn visit_keys(&self, page_ref: PageRef, page: &[u8], keys: &[Vec<u8>], visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        let broken = |malformed| self.damage(Some(page_ref), malformed);
        let mut wanted = keys.iter();
        let Some(mut key) = wanted.next() else { return Ok(()) };
        let mut cursor = TermCursor::new(page).map_err(broken)?;
        cursor.seek(key).map_err(broken)?;
        while let Some(entry) = cursor.advance().map_err(broken)? {
            if cursor.keys.key() == key.as_slice() {
                visit(key, &entry)?;
                let Some(next) = wanted.next() else { break };
                key = next;
                cursor.seek(key).map_err(broken)?;
            }
        }
        Ok(())
    }

    /// Visits the terms that match, wherever they are. The keys alone are read first, which is most of the work.
    fn everywhere(&self, pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        for &lead in pattern.leads() {
            // Keys with other leads are skipped.
            let (start, end) = if lead == 0 { (WORDS, None) } else { (lead, Some(lead + 1)) };
            let Some((first, _)) = self.block_of(&self.forward, &[start])? else { return Ok(()) };
            let last = match end {
                Some(end) => self.block_of(&self.forward, &[end])?.map_or(first, |(page, _)| page),
                None => self.forward.len().saturating_sub(1),
            };
            self.matching(first..=last, lead, pattern, visit)?;
        }
        Ok(())
    }

    fn matching(&self, pages: RangeInclusive<usize>, lead: u8, pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        let matcher = pattern.matcher();
        let mut found: Vec<Vec<u8>> = Vec::new();
        for at in pages {
            let Some(page_ref) = self.forward.get(at) else { break };
            let page = self.page(PageKind::Terms, page_ref)?;
            let broken = |malformed| self.damage(Some(page_ref), malformed);
            found.clear();
            let mut cursor = TermCursor::new(&page).map_err(broken)?;
            let mut visit_key = |key: &[u8]| {
                let taken = parts(key);
                if taken.lead == lead && matcher.matches(&taken) {
                    found.push(key.to_vec());
                }
            };
            cursor.keys.holding(pattern.longest(), &mut visit_key).map_err(broken)?;
            self.visit_keys(page_ref, &page, &found, visit)?;
        }
        Ok(())
    }

    /// The forward keys whose folded forms end in `end`, which is reversed.
    fn backward_matches(&self, lead: u8, end: &[u8], pattern: &Pattern, found: &mut Vec<Vec<u8>>) -> Result<(), IndexError> {
        let mut start = Vec::with_capacity(end.len() + 1);
        if lead != 0 {
            start.push(lead);
        }
        start.extend_from_slice(end);
        let Some((first, _)) = self.block_of(&self.backward, &start)? else { return Ok(()) };
        for at in first..self.backward.len() {
            let Some(page_ref) = self.backward.get(at) else { break };
            let page = self.page(PageKind::Backward, page_ref)?;
            let broken = |malformed| self.damage(Some(page_ref), malformed);
            let mut cursor = key_cursor(&page).map_err(broken)?;
            while cursor.advance().map_err(broken)? {
                let key = cursor.key();
                if !key.starts_with(&start) {
                    if key > start.as_slice() {
                        return Ok(());
                    }
                    continue;
                }
                let mut forward = Vec::with_capacity(key.len());
                backward(key.get(usize::from(lead != 0)..).unwrap_or_default(), lead, &mut forward);
                if parts(&forward).lead == lead && pattern.may_have_folded(&parts(&forward)) {
                    found.push(forward);
                }
            }
        }
        Ok(())
    }

    /// Visits the forms of each of the folded `keys` that match, page by page.
    fn forms(&self, keys: &mut [Vec<u8>], pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        keys.sort_unstable();
        let mut wanted = keys.iter().peekable();
        let mut at = 0;
        while let Some(key) = wanted.peek() {
            let Some((page_at, _)) = self.block_of(&self.forward, key)? else { return Ok(()) };
            at = page_at.max(at);
            let Some(page_ref) = self.forward.get(at) else { return Ok(()) };
            let page = self.page(PageKind::Terms, page_ref)?;
            let broken = |malformed| self.damage(Some(page_ref), malformed);
            let mut cursor = TermCursor::new(&page).map_err(broken)?;
            cursor.seek(key).map_err(broken)?;
            while let Some(entry) = cursor.advance().map_err(broken)? {
                let found = cursor.keys.key();
                let mut passed = false;
                while wanted.peek().is_some_and(|key| key.as_slice() < found && !is_form(found, key)) {
                    wanted.next();
                    passed = true;
                }
                match wanted.peek() {
                    None => return Ok(()),
                    Some(key) if is_form(found, key) && pattern.matches(&parts(found)) => visit(found, &entry)?,
                    Some(key) if passed => cursor.seek(key).map_err(broken)?,
                    Some(_) => {}
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// The columns of a document.
    pub(crate) fn columns_of(&self, doc: u32) -> Result<Option<Columns>, IndexError> {
        let at = self.chunks.partition_point(|(first, _)| *first <= doc);
        let Some(Chunk { rows, .. }) = at.checked_sub(1).map(|at| self.chunk(at)).transpose()? else { return Ok(None) };
        Ok(rows.binary_search_by_key(&doc, |(doc, _)| *doc).ok().and_then(|at| rows.get(at)).map(|(_, columns)| *columns))
    }

    /// A page of columns.
    pub(crate) fn chunk(&self, at: usize) -> Result<Chunk, IndexError> {
        let Some(&(_, page_ref)) = self.chunks.get(at) else { return Ok(Chunk { rows: Arc::default(), next: None }) };
        let taken = |held| if let Held::Columns(rows) = held { Some(rows) } else { None };
        let rows = self.cached(PageKind::Columns, page_ref, taken, |plain| {
            let rows = read_chunk(&plain)?;
            if rows.len() <= CHUNK { Ok(Held::Columns(Arc::new(rows))) } else { Err(Malformed("columns")) }
        })?;
        Ok(Chunk { rows, next: self.chunks.get(at + 1).map(|(first, _)| *first) })
    }

    /// The number of the page of columns that would hold `doc`.
    pub(crate) fn chunk_of(&self, doc: u32) -> usize {
        self.chunks.partition_point(|(first, _)| *first <= doc).saturating_sub(1)
    }

    pub(crate) fn chunks_count(&self) -> usize {
        self.chunks.len()
    }

    pub(crate) fn order_pages(&self) -> usize {
        self.order.len()
    }

    /// A page of the documents, newest first; `None` after the last.
    pub(crate) fn order_page(&self, at: usize) -> Result<Option<Arc<Vec<Dated>>>, IndexError> {
        let Some(&page_ref) = self.order.get(at) else { return Ok(None) };
        let taken = |held| if let Held::Order(order) = held { Some(order) } else { None };
        self.cached(PageKind::Order, page_ref, taken, |plain| read_order(&plain).map(|order| Held::Order(Arc::new(order)))).map(Some)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::Acquire) {
            // If this fails, the file stays, but no manifest names it: the owner of the files removes it at the next
            // open.
            let _ = self.store.remove(self.file);
        }
    }
}

/// The keys of some blocks of a page that an automaton accepts. It continues from the bytes that a key shares with the
/// one before.
fn accepted(page: &[u8], blocks: &[BlockAt], typo: &Typo) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut found = Vec::new();
    let mut cursor = TermCursor::new(page)?;
    // The state after each byte of the key, up to the byte that excludes any match.
    let mut states = vec![typo.start()];
    for &(_, block) in blocks {
        cursor.enter(block)?;
        for _ in 0..STRIDE {
            if !cursor.keys.advance()? {
                break;
            }
            let (key, shared) = (cursor.keys.key(), cursor.keys.shared());
            states.truncate(shared + 1);
            if states.len() == shared + 1 {
                for &byte in key.get(shared..).unwrap_or_default() {
                    let Some(after) = states.last().map(|state| typo.accept(state, byte)).filter(|after| typo.can_match(after)) else {
                        break;
                    };
                    states.push(after);
                }
            }
            if states.len() == key.len() + 1 && states.last().is_some_and(|state| typo.is_match(state)) {
                found.push(key.to_vec());
            }
        }
    }
    Ok(found)
}

/// `key` is `folded` itself or one of its exact forms.
fn is_form(key: &[u8], folded: &[u8]) -> bool {
    key.strip_prefix(folded).is_some_and(|rest| rest.first().is_none_or(|&byte| byte == MARKED))
}

impl StreamPages {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = reader.varint()?;
        let pages = read_refs(reader)?;
        if length.div_ceil(STREAM_PAGE as u64) != pages.len() as u64 {
            return Err(Malformed("length of a stream"));
        }
        Ok(Self { length, pages })
    }
}

pub(crate) fn read_refs(reader: &mut Reader<'_>) -> Result<Vec<PageRef>, Malformed> {
    let mut refs = Vec::new();
    let mut last = 0u64;
    for _ in 0..reader.length()? {
        last = last.wrapping_add(reader.varint()?);
        refs.push(PageRef(last));
    }
    Ok(refs)
}

/// The footer, or the format number if it is another one.
fn read_footer(plain: &[u8]) -> Result<Result<Footer, u64>, minicbor::decode::Error> {
    use footer_key as key;
    let mut decoder = minicbor::Decoder::new(plain);
    let missing = || minicbor::decode::Error::message("key missing");
    let (mut format, mut lo, mut hi, mut directory) = (None, None, None, None);
    for _ in 0..decoder.map()?.ok_or_else(missing)? {
        match decoder.u64()? {
            key::FORMAT => format = Some(decoder.u64()?),
            key::LO => lo = Some(decoder.u32()?),
            key::HI => hi = Some(decoder.u32()?),
            key::DIRECTORY => directory = Some(PageRef(decoder.u64()?)),
            _ => decoder.skip()?,
        }
    }
    match format.ok_or_else(missing)? {
        FORMAT => {}
        found => return Ok(Err(found)),
    }
    let footer = Footer { lo: lo.ok_or_else(missing)?, hi: hi.ok_or_else(missing)?, directory: directory.ok_or_else(missing)? };
    Ok(Ok(footer))
}

impl Source for Segment {
    type Term<'a> = Entry<'a>;

    fn range(&self) -> (u32, u32) {
        (self.lo, self.hi)
    }

    fn special(&self, key: &[u8], visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        self.scan(key, |found| found == key, |_| true, visit)
    }

    fn labels(&self, pattern: &LabelPattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        let (kind, start) = (label(pattern.kind, &[]), label(pattern.kind, pattern.start()));
        let matches = |key: &[u8]| key.strip_prefix(kind.as_slice()).is_some_and(|bytes| pattern.matches(bytes));
        self.scan(&start, |key| key.starts_with(&start), matches, visit)
    }

    fn columns(&self, within: Option<&Bits>, visit: &mut dyn FnMut(u32, &Columns)) -> Result<(), IndexError> {
        for (at, &(first, _)) in self.chunks.iter().enumerate() {
            let next = self.chunks.get(at + 1).map_or(self.hi, |(next, _)| *next);
            if within.is_none_or(|within| within.any_in(first, next)) {
                self.chunk(at)?.rows.iter().for_each(|(doc, columns)| visit(*doc, columns));
            }
        }
        Ok(())
    }

    fn find(&self, pattern: &Pattern, visit: &mut Visit<'_, Self>) -> Result<(), IndexError> {
        match pattern.reach() {
            Reach::Forward(start) if pattern.is_whole() => {
                self.scan(start, |key| is_form(key, start), |key| pattern.matches(&parts(key)), visit)
            }
            Reach::Forward(start) => self.scan(start, |key| key.starts_with(start), |key| pattern.matches(&parts(key)), visit),
            Reach::Backward(end) => {
                let mut keys = Vec::new();
                for &lead in pattern.leads() {
                    self.backward_matches(lead, end, pattern, &mut keys)?;
                }
                self.forms(&mut keys, pattern, visit)
            }
            Reach::Near(typo) => self.near(typo, visit),
            Reach::Everywhere => self.everywhere(pattern, visit),
        }
    }

    fn docs(&self, term: &Entry<'_>, zones: Zones, out: &mut Bits) -> Result<(), IndexError> {
        let bytes = self.doc_bytes(term)?;
        self.list(term.shape, &bytes).add_to(zones, out).map_err(|broken| self.damage(None, broken))
    }

    fn weight(&self, term: &Entry<'_>) -> u64 {
        term.shape.positions
    }

    fn positions(&self, term: &Entry<'_>, zones: Zones, wanted: &Bits, out: &mut Places) -> Result<(), IndexError> {
        let bytes = self.doc_bytes(term)?;
        let list = self.list(term.shape, &bytes);
        let fetch = |offset: u64, length: usize| match term.positions {
            Place::Inline(bytes) => {
                let start = offset as usize;
                let found = bytes.get(start..start.saturating_add(length));
                found.map(Bytes::Entry).ok_or(Stop::Malformed(Malformed("positions")))
            }
            Place::Stream(start) => {
                let at = start.checked_add(offset).ok_or(Stop::Malformed(Malformed("positions")))?;
                self.stream_bytes(StreamKind::Positions, at, length).map_err(Stop::Index)
            }
        };
        list.positions(zones, wanted, fetch, out).map_err(|stop| stop.at(self))
    }
}

/// Why reading positions stopped.
pub(crate) enum Stop {
    Malformed(Malformed),
    Index(IndexError),
}

impl Stop {
    /// The error to report for `segment`.
    pub(crate) fn at(self, segment: &Segment) -> IndexError {
        match self {
            Stop::Malformed(broken) => segment.damage(None, broken),
            Stop::Index(error) => error,
        }
    }
}

impl From<IndexError> for Stop {
    fn from(error: IndexError) -> Self {
        Stop::Index(error)
    }
}

impl From<Malformed> for Stop {
    fn from(broken: Malformed) -> Self {
        Stop::Malformed(broken)
    }
}
