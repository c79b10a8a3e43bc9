//! Mails become contents and messages: duplicates, known parts, numbers, blocks, one commit, receipts.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

use super::indexer::{Indexable, labels_of};
use super::place::{Laid, Placer};
use super::{DateSource, NewPlace, Prepared, PreparedHeader, RunInfo, Store, Writer};
use crate::catalog::{Catalog, Numbers};
use crate::container::{Table, TableContent, TableMessage, TablePart};
use crate::error::Error;
use crate::id::{ContentNo, Digest, FolderNo, Identity, MessageNo, PartNo};
use crate::mail::{Extent, Importance};
use crate::records::{
    Committed, ContentFact, DamageFact, FactValue, FolderFact, ImportRunFact, MessageFact, NewCommit, NewFact, PartFact, Runs, Shape,
    ShapeExtent,
};
use crate::seal::random;

/// Commits with fewer stored bytes carry them inside: one write, one sync.
const SMALL: usize = 256 << 10;
/// Contents of small commits are packed into blocks when there are this many bytes of them.
pub(super) const PACK_AT: u64 = 8 << 20;

/// When is a mail a duplicate of one that is there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Duplicates {
    /// The same folder already has the same bytes, apart from headers that mail programs change.
    #[default]
    Folder,
    /// The same folder already has the very same bytes.
    Exact,
    /// The same user archive already has the same mail to a person (the same identity).
    Archive,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stored(MessageNo),
    /// The message that was there; `restated` if its bytes differ in status headers.
    Duplicate {
        message: MessageNo,
        restated: bool,
    },
}

/// A content that the commit under way adds.
struct Added {
    no: ContentNo,
    header: PreparedHeader,
    date: i64,
    date_source: DateSource,
    shape: Option<Shape>,
    laid: Source,
}

/// Where stored bytes come from: laid into blocks of this commit, or appended to containers already.
enum Source {
    Laid(Laid),
    Placed(Runs),
}

impl Source {
    fn runs(&self, places: &[(u32, u64)]) -> Runs {
        match self {
            Self::Laid(laid) => laid.runs(places),
            Self::Placed(runs) => runs.clone(),
        }
    }
}

struct AddedPart {
    no: PartNo,
    digest: Digest,
    len: u64,
    laid: Source,
}

struct AddedMessage {
    no: MessageNo,
    content: ContentNo,
    folder: FolderNo,
    place: NewPlace,
}

/// Everything that one commit adds, while it is being put together.
pub(super) struct Draft<'s> {
    catalog: &'s Catalog,
    numbers: Numbers,
    duplicates: Duplicates,
    now: i64,
    contents: Vec<Added>,
    parts: Vec<AddedPart>,
    messages: Vec<AddedMessage>,
    folders: Vec<FolderFact>,
    folder_of: HashMap<Vec<String>, FolderNo>,
    /// Where the last mail went: most follow it.
    last_folder: Option<(Arc<[String]>, FolderNo)>,
    part_of: HashMap<Digest, PartNo>,
    /// Digests (with and without status headers) of contents added here, and identities where they make duplicates.
    by_digest: BTreeSet<(Digest, ContentNo)>,
    by_identity: BTreeSet<(Identity, ContentNo)>,
    /// Contents found damaged since the last commit, which this one notes.
    damaged: Vec<u32>,
    placed: BTreeSet<(ContentNo, MessageNo, FolderNo)>,
    placer: Placer,
}

impl<'s> Draft<'s> {
    pub(super) fn new(catalog: &'s Catalog, duplicates: Duplicates, damaged: Vec<u32>, now: i64) -> Result<Self, Error> {
        Ok(Self {
            catalog,
            numbers: catalog.basis().numbers,
            duplicates,
            // Times of archiving never fall, whatever the clock does: searches by it rely on that.
            now: now.max(catalog.last_archived()?),
            contents: Vec::new(),
            parts: Vec::new(),
            messages: Vec::new(),
            folders: Vec::new(),
            folder_of: HashMap::new(),
            last_folder: None,
            part_of: HashMap::new(),
            by_digest: BTreeSet::new(),
            by_identity: BTreeSet::new(),
            damaged,
            placed: BTreeSet::new(),
            placer: Placer::default(),
        })
    }

    /// Takes in one mail and says what became of it.
    pub(super) fn add(&mut self, mail: Prepared) -> Result<(Outcome, Option<ContentNo>), Error> {
        let folder = self.folder(&mail.place.folder)?;
        let like = self.candidates(mail.header.digest)?;
        if let Some(found) = self.duplicate(&mail.header, &like, folder, &mail.place.folder)? {
            return Ok((found, None));
        }
        if let Some(content) = self.same_bytes(mail.header.digest, like)? {
            return Ok((Outcome::Stored(self.message(content, folder, mail.place)?), None));
        }
        let (shape, laid) = self.lay(&mail.extents, &mail.stored, mail.parts)?;
        let content = self.content(mail.header, shape, Source::Laid(laid), &mail.place)?;
        Ok((Outcome::Stored(self.message(content, folder, mail.place)?), Some(content)))
    }

    /// Takes in a mail whose bytes lie in containers already.
    pub(super) fn add_placed(
        &mut self,
        header: PreparedHeader,
        place: NewPlace,
        large: super::large::PlacedContent,
    ) -> Result<(Outcome, Option<ContentNo>), Error> {
        let folder = self.folder(&place.folder)?;
        let like = self.candidates(header.digest)?;
        if let Some(found) = self.duplicate(&header, &like, folder, &place.folder)? {
            return Ok((found, None));
        }
        if let Some(content) = self.same_bytes(header.digest, like)? {
            return Ok((Outcome::Stored(self.message(content, folder, place)?), None));
        }
        let mut parts = large.parts.into_iter();
        let mut shape = Vec::new();
        for extent in large.extents {
            let part = match extent {
                Extent::Part { .. } => {
                    let (digest, len, runs) = parts.next().ok_or(Error::Bug("an extent takes a part that was not written"))?;
                    self.part(digest, len, |_| Ok(Source::Placed(runs)))?.0
                }
                _ => 0,
            };
            shape.push(ShapeExtent { extent, part });
        }
        let content = self.content(header, Some(Shape(shape)), Source::Placed(large.runs), &place)?;
        Ok((Outcome::Stored(self.message(content, folder, place)?), Some(content)))
    }

    fn lay(&mut self, extents: &[Extent], stored: &[u8], parts: Vec<(Digest, Vec<u8>)>) -> Result<(Option<Shape>, Laid), Error> {
        let mut parts = parts.into_iter();
        let mut shape = Vec::with_capacity(extents.len());
        for extent in extents {
            let part = match extent {
                Extent::Part { .. } => {
                    let (digest, bytes) = parts.next().ok_or(Error::Bug("an extent takes a part that is not there"))?;
                    self.part(digest, bytes.len() as u64, |placer| Ok(Source::Laid(placer.lay(&bytes))))?.0
                }
                _ => 0,
            };
            shape.push(ShapeExtent { extent: *extent, part });
        }
        let plain = matches!(extents, [] | [Extent::Literal { .. }]);
        Ok(((!plain).then_some(Shape(shape)), self.placer.lay(stored)))
    }

    fn part(&mut self, digest: Digest, len: u64, lay: impl FnOnce(&mut Placer) -> Result<Source, Error>) -> Result<PartNo, Error> {
        if let Some(known) = self.part_of.get(&digest) {
            return Ok(*known);
        }
        if let Some(known) = self.catalog.part_by_digest(digest)? {
            self.part_of.insert(digest, known);
            return Ok(known);
        }
        let no = PartNo(take(&mut self.numbers.parts)?);
        let laid = lay(&mut self.placer)?;
        self.parts.push(AddedPart { no, digest, len, laid });
        self.part_of.insert(digest, no);
        Ok(no)
    }

    fn content(&mut self, header: PreparedHeader, shape: Option<Shape>, laid: Source, place: &NewPlace) -> Result<ContentNo, Error> {
        let no = ContentNo(take(&mut self.numbers.contents)?);
        let (date, date_source) = match (header.facts.date, place.date_hint) {
            (Some(date), _) => (date, DateSource::Mail),
            (None, Some(hint)) => hint,
            (None, None) => (self.now.div_euclid(1000), DateSource::Archiving),
        };
        for digest in [Some(header.digest), header.restated].into_iter().flatten() {
            self.by_digest.insert((digest, no));
        }
        if self.duplicates == Duplicates::Archive {
            self.by_identity.insert((header.identity, no));
        }
        self.contents.push(Added { no, header, date, date_source, shape, laid });
        Ok(no)
    }

    fn message(&mut self, content: ContentNo, folder: FolderNo, place: NewPlace) -> Result<MessageNo, Error> {
        let no = MessageNo(take(&mut self.numbers.messages)?);
        self.placed.insert((content, no, folder));
        self.messages.push(AddedMessage { no, content, folder, place });
        Ok(no)
    }

    fn folder(&mut self, path: &Arc<[String]>) -> Result<FolderNo, Error> {
        match &self.last_folder {
            Some((last, no)) if Arc::ptr_eq(last, path) => Ok(*no),
            _ => {
                let no = self.folder_at(path)?;
                self.last_folder = Some((Arc::clone(path), no));
                Ok(no)
            }
        }
    }

    fn folder_at(&mut self, path: &[String]) -> Result<FolderNo, Error> {
        if let Some(known) = self.folder_of.get(path) {
            return Ok(*known);
        }
        let mut at = FolderNo(0);
        for depth in 1..=path.len() {
            let (path, name) = (&path[..depth], &path[depth - 1]);
            let known = self.folder_of.get(path).copied().or_else(|| self.catalog.folders().child(at, name));
            at = match known {
                Some(known) => known,
                None => {
                    self.numbers.folders = self.numbers.folders.checked_add(1).ok_or(Error::Bug("all folder numbers are given"))?;
                    let no = self.numbers.folders;
                    self.folders.push(FolderFact { no, parent: at.0, name: name.clone() });
                    FolderNo(no)
                }
            };
            self.folder_of.insert(path.to_vec(), at);
        }
        Ok(at)
    }

    fn placements(&self, content: ContentNo) -> Result<Vec<(MessageNo, FolderNo)>, Error> {
        let mut placed = self.catalog.placements(content)?;
        placed.extend(self.placed_here(content));
        Ok(placed)
    }

    /// Messages of a content that this commit adds.
    fn placed_here(&self, content: ContentNo) -> impl Iterator<Item = (MessageNo, FolderNo)> {
        let from = (content, MessageNo(0), FolderNo(0));
        self.placed.range(from..).take_while(move |(of, ..)| *of == content).map(|(_, message, folder)| (*message, *folder))
    }

    /// Nothing new refers to a damaged content: what is imported again is stored anew.
    fn is_sound(&self, no: ContentNo) -> bool {
        !self.catalog.is_damaged(no) && !self.damaged.contains(&no.0)
    }

    /// The content with the very bytes, among those whose digest is like it.
    fn same_bytes(&self, digest: Digest, like: Vec<ContentNo>) -> Result<Option<ContentNo>, Error> {
        for no in like {
            if self.digests(no)?.is_some_and(|(known, _)| known == digest) {
                return Ok(Some(no));
            }
        }
        Ok(None)
    }

    fn candidates(&self, digest: Digest) -> Result<Vec<ContentNo>, Error> {
        let mut found = self.catalog.contents_by_digest(digest)?;
        found.extend(self.by_digest.range((digest, ContentNo(0))..).take_while(|(of, _)| *of == digest).map(|(_, no)| no));
        found.retain(|no| self.is_sound(*no));
        Ok(found)
    }

    /// Digest of a content, and the one without its status headers.
    fn digests(&self, no: ContentNo) -> Result<Option<(Digest, Digest)>, Error> {
        let first = self.catalog.basis().numbers.contents;
        if let Some(added) = no.0.checked_sub(first).and_then(|at| self.contents.get(at as usize)) {
            return Ok(Some((added.header.digest, added.header.restated.unwrap_or(added.header.digest))));
        }
        let row = self.catalog.content_row(no)?;
        Ok(row.map(|row| (Digest(row.digest), Digest(row.restated.unwrap_or(row.digest)))))
    }

    /// `like` are the contents whose digest is like that of the mail.
    fn duplicate(&self, header: &PreparedHeader, like: &[ContentNo], folder: FolderNo, path: &[String]) -> Result<Option<Outcome>, Error> {
        let bare = header.restated.unwrap_or(header.digest);
        let in_folder = |no| Ok::<_, Error>(self.placements(no)?.into_iter().find(|(_, at)| *at == folder).map(|(message, _)| message));
        match self.duplicates {
            Duplicates::Folder => {
                let bare_like = header.restated.map(|bare| self.candidates(bare)).transpose()?;
                for &no in bare_like.as_deref().unwrap_or(like) {
                    let Some((known, known_bare)) = self.digests(no)?.filter(|(_, known_bare)| *known_bare == bare) else { continue };
                    if let Some(message) = in_folder(no)? {
                        debug_assert_eq!(known_bare, bare);
                        return Ok(Some(Outcome::Duplicate { message, restated: known != header.digest }));
                    }
                }
            }
            Duplicates::Exact => {
                for &no in like {
                    if self.digests(no)?.is_some_and(|(known, _)| known == header.digest)
                        && let Some(message) = in_folder(no)?
                    {
                        return Ok(Some(Outcome::Duplicate { message, restated: false }));
                    }
                }
            }
            Duplicates::Archive => {
                let mut found = self.catalog.contents_by_identity(header.identity)?;
                let here = self.by_identity.range((header.identity, ContentNo(0))..).take_while(|(of, _)| *of == header.identity);
                found.extend(here.map(|(_, no)| no));
                found.retain(|no| self.is_sound(*no));
                for no in found {
                    for (message, at) in self.placements(no)? {
                        if self.user_archive(at).is_some_and(|name| path.first().is_some_and(|first| *first == name)) {
                            return Ok(Some(Outcome::Duplicate { message, restated: false }));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn user_archive(&self, folder: FolderNo) -> Option<String> {
        if let Some(name) = self.catalog.folders().path(folder).into_iter().next() {
            return Some(name);
        }
        self.folder_of.iter().find(|(_, no)| **no == folder).and_then(|(path, _)| path.first().cloned())
    }

    /// Does the commit add a content?
    pub(super) fn adds_content(&self) -> bool {
        !self.contents.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.messages.is_empty() && self.folders.is_empty() && self.damaged.is_empty()
    }
}

fn take(next: &mut u32) -> Result<u32, Error> {
    let number = *next;
    *next = next.checked_add(1).ok_or(Error::Bug("all numbers of a store are given"))?;
    Ok(number)
}

impl Store {
    /// Commits `mails` as one: durable when this returns. The outcome of each mail, in order. Text of new contents waits for
    /// [`Store::index_queued`].
    pub(crate) fn commit(
        &self,
        mails: Vec<Prepared>,
        duplicates: Duplicates,
        run: Option<&RunInfo>,
        now: i64,
    ) -> Result<Vec<Outcome>, Error> {
        if !mails.is_empty() {
            // In a commit of its own, so that nothing of this one refers to what is damaged.
            self.note_damage()?;
        }
        let mut writer = self.writer()?;
        let mut outcomes = Vec::with_capacity(mails.len());
        let mut queued = Vec::new();
        let damaged = self.newly_damaged();
        let committed = {
            let catalog = self.catalog();
            let mut draft = Draft::new(&catalog, duplicates, damaged.clone(), now)?;
            for mut mail in mails {
                let text = mail.text.take().map(|text| Indexable { text, labels: labels_of(&mail.header.facts) });
                let (outcome, new) = draft.add(mail)?;
                outcomes.push(outcome);
                queued.extend(new.map(|content| (content, text)));
            }
            writer.latch(|writer| write_draft(writer, draft, run))?
        };
        let wrote = committed.is_some();
        if let Some(committed) = committed {
            self.take_over(committed)?;
        }
        if wrote {
            self.damaged.lock().unwrap_or_else(PoisonError::into_inner).retain(|no| !damaged.contains(no));
        }
        self.indexer.queue(queued);
        let packing = self.catalog().basis().unpacked_bytes >= PACK_AT;
        drop(writer);
        if packing {
            self.pack()?;
        }
        if self.catalog().memory_len() >= self.options.flush_bytes {
            self.catalog_mut().flush()?;
        }
        Ok(outcomes)
    }

    /// The catalog takes over a commit that is durable.
    pub(super) fn take_over(&self, committed: Committed) -> Result<(), Error> {
        self.catalog_mut().apply_new(committed)?;
        self.idle.committed();
        Ok(())
    }
}

/// Writes what `draft` adds: blocks and tables, then the commit. `None` if there is nothing to write.
pub(super) fn write_draft(writer: &mut Writer, draft: Draft<'_>, run: Option<&RunInfo>) -> Result<Option<Committed>, Error> {
    if draft.is_empty() && run.is_none() && !writer.containers.has_news() {
        return Ok(None);
    }
    let last = writer.records.last();
    let seed: [u8; 32] = random()?;
    let small = draft.placer.stored() < SMALL;
    let blocks = draft.placer.encode()?;
    let mut places = Vec::with_capacity(blocks.len());
    if small {
        places.extend((0..blocks.len()).map(|at| (0, at as u64)));
    } else {
        let tables = Tables::new(&draft, blocks.len());
        for (at, block) in blocks.iter().enumerate() {
            places.push(writer.containers.block(last, block)?);
            tables.write(&mut writer.containers, &places, at, last, seed)?;
        }
    }
    if draft.contents.iter().any(|content| matches!(content.laid, Source::Placed(_))) {
        let table = draft.table(draft.contents.iter().enumerate(), draft.parts.iter(), &[], last.sequence + 1, seed);
        writer.containers.table(last, &table)?;
    }
    let placed = writer.containers.finish_commit()?;
    let time = draft.now;
    let mut facts = draft.facts(&places, run);
    facts.extend(placed.facts);
    let new = NewCommit {
        time,
        seed,
        facts,
        container_end: placed.end,
        container_frames: placed.frames,
        section: if small { &blocks } else { &[] },
    };
    writer.records.commit(new).map(Some)
}

/// Tables of the blocks of one commit.
struct Tables<'d, 's> {
    draft: &'d Draft<'s>,
    /// Contents and parts by the block that holds their last byte.
    contents: Vec<Vec<usize>>,
    parts: Vec<Vec<usize>>,
}

impl<'d, 's> Tables<'d, 's> {
    fn new(draft: &'d Draft<'s>, blocks: usize) -> Self {
        let mut tables = Self { draft, contents: vec![Vec::new(); blocks], parts: vec![Vec::new(); blocks] };
        let file = |rows: &mut Vec<Vec<usize>>, at: usize, laid: &Source| {
            if let Source::Laid(laid) = laid
                && let Some(row) = rows.get_mut(laid.last_block())
            {
                row.push(at);
            }
        };
        draft.contents.iter().enumerate().for_each(|(at, content)| file(&mut tables.contents, at, &content.laid));
        draft.parts.iter().enumerate().for_each(|(at, part)| file(&mut tables.parts, at, &part.laid));
        tables
    }

    fn write(
        &self,
        containers: &mut crate::container::ContainerWriter,
        places: &[(u32, u64)],
        block: usize,
        last: crate::records::Link,
        seed: [u8; 32],
    ) -> Result<(), Error> {
        let contents = self.contents[block].iter().map(|at| (*at, &self.draft.contents[*at]));
        let parts = self.parts[block].iter().map(|at| &self.draft.parts[*at]);
        containers.table(last, &self.draft.table(contents, parts, places, last.sequence + 1, seed))
    }
}

impl Draft<'_> {
    fn table<'a>(
        &self,
        contents: impl Iterator<Item = (usize, &'a Added)>,
        parts: impl Iterator<Item = &'a AddedPart>,
        places: &[(u32, u64)],
        sequence: u64,
        seed: [u8; 32],
    ) -> Table {
        let mut table = Table {
            sequence,
            archived: self.now,
            seed: Some(seed),
            contents: Vec::new(),
            messages: Vec::new(),
            parts: Vec::new(),
            folders: Vec::new(),
        };
        let mut folders: HashMap<&[String], u32> = HashMap::new();
        for (at, content) in contents {
            table.contents.push(TableContent {
                no: content.no.0,
                size: content.header.size,
                fact: at as u32,
                runs: content.laid.runs(places),
                shape: content.shape.clone(),
                salt: None,
            });
            let Some((no, _)) = self.placed_here(content.no).next() else { continue };
            let first = self.catalog.basis().numbers.messages;
            let Some(message) = no.0.checked_sub(first).and_then(|at| self.messages.get(at as usize)) else { continue };
            let next = folders.len() as u32;
            let folder = *folders.entry(&message.place.folder).or_insert_with(|| {
                table.folders.push(message.place.folder.to_vec());
                next
            });
            table.messages.push(TableMessage { no: no.0, content: content.no.0, folder });
        }
        table.parts.extend(parts.map(|part| TablePart { no: part.no.0, len: part.len, runs: part.laid.runs(places) }));
        table
    }

    /// Facts of the commit: contents first, so that the index of each is known to its table.
    fn facts(self, places: &[(u32, u64)], run: Option<&RunInfo>) -> Vec<NewFact> {
        let mut facts = Vec::with_capacity(self.contents.len() + self.messages.len() + self.parts.len() + 2);
        for content in self.contents {
            facts.push(NewFact::new(FactValue::Content(Box::new(content.fact(places)))));
        }
        for part in &self.parts {
            let fact = PartFact { no: part.no.0, digest: part.digest.0, len: part.len, runs: part.laid.runs(places) };
            facts.push(NewFact::new(FactValue::Part(fact)));
        }
        facts.extend(self.folders.into_iter().map(|folder| NewFact::new(FactValue::FolderMade(folder))));
        if !self.damaged.is_empty() {
            facts.push(NewFact::new(FactValue::DamageNoted(DamageFact { contents: self.damaged })));
        }
        // A run's number is the next one while its fact is written, and the last one given after.
        let next_run = self.catalog.basis().numbers.runs;
        if let Some(run) = run {
            facts.push(NewFact::new(FactValue::ImportRun(run.fact(next_run))));
        }
        let run = if run.is_some() { next_run } else { next_run.saturating_sub(1) };
        let now = self.now;
        facts.extend(self.messages.into_iter().map(|message| NewFact::new(FactValue::Message(Box::new(message.fact(run, now))))));
        facts
    }
}

impl Added {
    fn fact(self, places: &[(u32, u64)]) -> ContentFact {
        let PreparedHeader { digest, identity, restated, size, facts, guesses } = self.header;
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let list = |addresses: Vec<crate::mail::Mailbox>| addresses.into_iter().flat_map(|a| [a.name, a.address]).collect();
        ContentFact {
            no: self.no.0,
            digest: digest.0,
            identity: identity.0,
            size,
            shape: self.shape,
            runs: self.laid.runs(places),
            date: self.date,
            date_source: self.date_source as u8,
            from: list(facts.from),
            to: list(facts.to),
            cc: list(facts.cc),
            subject: facts.subject,
            header_message_id: some(facts.header_message_id),
            in_reply_to: facts.in_reply_to.as_flattened().to_vec(),
            references: facts.references.as_flattened().to_vec(),
            list_id: some(facts.list_id),
            attachments: facts.attachments,
            importance: match facts.importance {
                Importance::Low => 1,
                Importance::Normal => 2,
                Importance::High => 3,
            },
            restated: restated.map(|digest| digest.0),
            guesses: (!guesses.is_empty()).then_some(guesses),
            attachment_types: (!facts.attachment_types.is_empty()).then_some(facts.attachment_types),
        }
    }
}

impl AddedMessage {
    fn fact(self, run: u32, now: i64) -> MessageFact {
        const DIRECTION_UNKNOWN: u8 = 3;
        MessageFact {
            no: self.no.0,
            content: self.content.0,
            folder: self.folder.0,
            direction: DIRECTION_UNKNOWN,
            archived: now,
            run,
            path: self.place.path.to_string(),
            offset: self.place.offset,
            from_line: self.place.from_line,
            quoting: self.place.unquoted.then_some(1),
            flags: self.place.flags,
        }
    }
}

impl RunInfo {
    fn fact(&self, no: u32) -> ImportRunFact {
        ImportRunFact {
            no,
            actor: self.actor.clone(),
            program: concat!("mailkeep ", env!("CARGO_PKG_VERSION")).to_owned(),
            start: self.start,
            host: self.host.clone(),
            source: self.source.clone(),
            size: self.size,
            modified: self.modified,
        }
    }
}
