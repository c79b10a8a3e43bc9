//! Puts together what one commit adds: mails become contents, parts and messages, or duplicates of what is there.

mod folders;
mod write;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

pub(super) use write::write_draft;

use super::elsewhere::folder_at;
use super::place::{Laid, Placer};
use super::prepared::{ReceivedContent, Stretch};
use super::{NewPlace, Prepared, PreparedHeader};
use crate::catalog::{Catalog, Numbers};
use crate::error::Error;
use crate::folder::{self, MAX_DEPTH};
use crate::id::{ContentNo, Digest, FolderNo, Identity, MessageNo, PartNo};
use crate::mail::Extent;
use crate::records::{DamagedPlace, DateSource, DeletedFact, FactValue, FolderFact, Run, Runs, Shape, ShapeExtent, UndeletedFact};

/// Which mail counts as a duplicate of an archived one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Duplicates {
    /// The folder already has the same bytes, apart from headers that mail programs change.
    #[default]
    Folder,
    /// The folder already has exactly the same bytes.
    Exact,
    /// The user archive already has a mail that a person would call the same (the same identity).
    Archive,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stored(MessageNo),
    /// The message that is there already; `restated` if its bytes differ in status headers.
    Duplicate {
        message: MessageNo,
        restated: bool,
    },
}

impl Outcome {
    pub(crate) fn message(self) -> MessageNo {
        match self {
            Self::Stored(message) | Self::Duplicate { message, .. } => message,
        }
    }
}

/// A content that this commit adds.
struct Added {
    no: ContentNo,
    header: PreparedHeader,
    date: i64,
    date_source: DateSource,
    shape: Option<Shape>,
    laid: Source,
}

/// Where stored bytes come from: blocks of this commit, or blocks received earlier, which [`Draft::copy_received`]
/// copies into containers.
enum Source {
    Laid(Laid),
    Received(Runs),
}

impl Source {
    fn runs(&self, places: &[(u32, u64)]) -> Result<Runs, Error> {
        match self {
            Self::Laid(laid) => laid.runs(places),
            Self::Received(runs) => Ok(runs.clone()),
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
    /// Its number in the folder.
    number: u32,
    place: NewPlace,
}

/// A content that replaces the damaged one of a message.
struct Healed {
    content: ContentNo,
    message: MessageNo,
    number: u32,
    archived: i64,
    folder: Vec<String>,
}

/// Contents whose digest begins like that of a mail.
struct Candidates {
    sound: Vec<ContentNo>,
    damaged: Vec<ContentNo>,
}

/// What the store already has of a mail.
pub(super) enum Known {
    /// A message, so that the mail is a duplicate.
    Message(Outcome),
    /// Its bytes, in another folder.
    Content(ContentNo),
    /// Its message, whose bytes are damaged and stored nowhere else.
    Damaged(MessageNo),
    Nothing,
}

/// Everything that one commit adds.
pub(in crate::store) struct Draft<'s> {
    pub(super) catalog: &'s Catalog,
    /// Those of the other stores of the archive.
    beside: &'s [Arc<Catalog>],
    numbers: Numbers,
    duplicates: Duplicates,
    pub(super) now: i64,
    contents: Vec<Added>,
    parts: Vec<AddedPart>,
    messages: Vec<AddedMessage>,
    folders: Vec<FolderFact>,
    /// The same folders by parent and name.
    made: HashMap<FolderNo, HashMap<String, FolderNo>>,
    /// The last number assigned in each folder that gets messages here.
    last_in: HashMap<FolderNo, u32>,
    /// The folder of the last mail: the next one mostly goes there too.
    last_folder: Option<(Arc<[String]>, FolderNo)>,
    part_of: HashMap<Digest, PartNo>,
    /// Digests (with and without status headers) of contents added here; their identities only where these decide what
    /// a duplicate is.
    by_digest: BTreeSet<(Digest, ContentNo)>,
    by_identity: BTreeSet<(Identity, ContentNo)>,
    /// Contents found damaged since the last commit; this one notes them.
    damaged: Vec<u32>,
    /// Damaged places that this commit accepts.
    accepted: Vec<DamagedPlace>,
    /// Other facts of the commit, after the folders that are made: changes of folders, erasures.
    pub(in crate::store) changed: Vec<FactValue>,
    /// Messages that this commit deletes, or brings back.
    pub(super) deleted: Option<DeletedFact>,
    pub(super) undeleted: Option<UndeletedFact>,
    healed: Vec<Healed>,
    placed: BTreeSet<(ContentNo, MessageNo, FolderNo)>,
    placer: Placer,
}

impl<'s> Draft<'s> {
    pub(super) fn new(catalog: &'s Catalog, beside: &'s [Arc<Catalog>], duplicates: Duplicates, damaged: Vec<u32>, now: i64) -> Self {
        Self {
            catalog,
            beside,
            numbers: catalog.basis().numbers,
            duplicates,
            now,
            contents: Vec::new(),
            parts: Vec::new(),
            messages: Vec::new(),
            folders: Vec::new(),
            made: HashMap::new(),
            last_in: HashMap::new(),
            last_folder: None,
            part_of: HashMap::new(),
            by_digest: BTreeSet::new(),
            by_identity: BTreeSet::new(),
            damaged,
            accepted: Vec::new(),
            changed: Vec::new(),
            deleted: None,
            undeleted: None,
            healed: Vec::new(),
            placed: BTreeSet::new(),
            placer: Placer::default(),
        }
    }

    /// Notes damaged places as accepted.
    pub(super) fn accept(&mut self, places: Vec<DamagedPlace>) {
        self.accepted = places;
    }

    /// Adds one mail. Returns its outcome, and its content if that is new.
    pub(super) fn add(&mut self, mail: Prepared) -> Result<(Outcome, Option<ContentNo>), Error> {
        // Before the lookup, which depends on the folder. So a folder may be made although all its mails are
        // duplicates.
        let folder = self.folder(&mail.place.folder)?;
        let hit = match self.known(&mail.header, folder)? {
            Known::Message(outcome) => return Ok((outcome, None)),
            // No new content: the index already has this text, and one content has one entry there.
            Known::Content(content) => return Ok((Outcome::Stored(self.message(content, folder, mail.place)?), None)),
            Known::Damaged(message) => Some(message),
            Known::Nothing => None,
        };
        // Only now: a duplicate must not put bytes into the blocks of this commit.
        let (shape, laid) = self.lay(&mail.extents, mail.stored, mail.parts)?;
        let content = self.content(mail.header, shape, Source::Laid(laid), &mail.place)?;
        Ok((Outcome::Stored(self.message_of(content, hit, folder, mail.place)?), Some(content)))
    }

    /// Adds a mail whose bytes were received as blocks.
    pub(super) fn add_received(
        &mut self,
        header: PreparedHeader,
        place: NewPlace,
        large: ReceivedContent,
    ) -> Result<(Outcome, Option<ContentNo>), Error> {
        let folder = self.folder(&place.folder)?;
        let hit = match self.known(&header, folder)? {
            Known::Message(outcome) => return Ok((outcome, None)),
            Known::Content(content) => return Ok((Outcome::Stored(self.message(content, folder, place)?), None)),
            Known::Damaged(message) => Some(message),
            Known::Nothing => None,
        };
        // The blocks stay where they were received. If a part is known, its blocks are never asked for, and not copied.
        let mut parts = large.parts.into_iter();
        let mut shape = Vec::new();
        for extent in large.extents {
            let part = match extent {
                Extent::Part { .. } => {
                    let (digest, len, runs) = parts.next().ok_or(Error::Bug("an extent takes a part that was not written"))?;
                    self.part(digest, len, |_| Ok(Source::Received(runs)))?.0
                }
                _ => 0,
            };
            shape.push(ShapeExtent { extent, part });
        }
        let content = self.content(header, Some(Shape(shape)), Source::Received(large.runs), &place)?;
        Ok((Outcome::Stored(self.message_of(content, hit, folder, place)?), Some(content)))
    }

    /// Calls `copy` for each received block that this commit needs, and keeps the run it returns. Blocks of what turned
    /// out to be known are not copied.
    pub(super) fn copy_received(&mut self, copy: &mut dyn FnMut(&Run) -> Result<Run, Error>) -> Result<(), Error> {
        // Parts first: a container has the blocks of new parts before those of the content (FORMAT.md, "Containers").
        let parts = self.parts.iter_mut().map(|part| &mut part.laid);
        for source in parts.chain(self.contents.iter_mut().map(|content| &mut content.laid)) {
            if let Source::Received(runs) = source {
                runs.0.iter_mut().try_for_each(|run| copy(run).map(|copied| *run = copied))?;
            }
        }
        Ok(())
    }

    fn lay(&mut self, extents: &[Extent], stored: Stretch, parts: Vec<(Digest, Stretch)>) -> Result<(Option<Shape>, Laid), Error> {
        let mut parts = parts.into_iter();
        let mut shape = Vec::with_capacity(extents.len());
        for extent in extents {
            let part = match extent {
                Extent::Part { .. } => {
                    let (digest, part) = parts.next().ok_or(Error::Bug("an extent takes a part that is not there"))?;
                    self.part(digest, part.bytes.len() as u64, |placer| Ok(Source::Laid(placer.lay_stretch(part))))?.0
                }
                _ => 0,
            };
            shape.push(ShapeExtent { extent: *extent, part });
        }
        // A content without a shape is one literal of all its stored bytes.
        let plain = matches!(extents, [] | [Extent::Literal { .. }]);
        Ok(((!plain).then_some(Shape(shape)), self.placer.lay_stretch(stored)))
    }

    fn part(&mut self, digest: Digest, len: u64, lay: impl FnOnce(&mut Placer) -> Result<Source, Error>) -> Result<PartNo, Error> {
        // Mails of one commit share parts too, and one mail may have a part twice: the catalog learns of them only
        // afterwards.
        if let Some(known) = self.part_of.get(&digest) {
            return Ok(*known);
        }
        // The catalog leaves out parts noted damaged, so such bytes are stored again and heal what takes the damaged
        // part.
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
        // The mail's own date wins over the mailbox's: a line `From - ` has the time at which a program copied the
        // mail.
        let (date, date_source) = header.dated().or(place.date_hint).unwrap_or_else(|| (self.now.div_euclid(1000), DateSource::Archiving));
        // For the next mails of this commit, which may be duplicates of this one.
        for digest in [Some(header.digest), header.restated].into_iter().flatten() {
            self.by_digest.insert((digest, no));
        }
        if self.duplicates == Duplicates::Archive {
            self.by_identity.insert((header.identity, no));
        }
        self.contents.push(Added { no, header, date, date_source, shape, laid });
        Ok(no)
    }

    /// The message of a new content: a new one, or the old one whose damaged bytes this content replaces.
    fn message_of(&mut self, content: ContentNo, hit: Option<MessageNo>, folder: FolderNo, place: NewPlace) -> Result<MessageNo, Error> {
        let Some(message) = hit else { return self.message(content, folder, place) };
        // For the table: it names the old message with the new content, so that containers alone give the mail back.
        if let Some(row) = self.catalog.message_row(message)? {
            let folder = self.catalog.folders().path(FolderNo(row.folder));
            self.healed.push(Healed { content, message, number: row.number, archived: row.archived, folder });
        }
        Ok(message)
    }

    fn message(&mut self, content: ContentNo, folder: FolderNo, place: NewPlace) -> Result<MessageNo, Error> {
        let no = MessageNo(take(&mut self.numbers.messages)?);
        let number = self.next_number(folder)?;
        self.placed.insert((content, no, folder));
        self.messages.push(AddedMessage { no, content, folder, number, place });
        Ok(no)
    }

    /// The next number in a folder.
    pub(super) fn next_number(&mut self, folder: FolderNo) -> Result<u32, Error> {
        // From the highest number ever assigned, not from a count: no number in a folder is ever assigned again.
        // Over all stores of the archive: to a person, their folders of one path are one folder.
        if !self.last_in.contains_key(&folder) {
            let mut last = self.catalog.folders().last_number(folder);
            if !self.beside.is_empty() {
                let path = self.path(folder);
                for folders in self.beside.iter().map(|catalog| catalog.folders()) {
                    last = last.max(folder_at(folders, &path).map_or(0, |no| folders.last_number(no)));
                }
            }
            self.last_in.insert(folder, last);
        }
        let last = self.last_in.get_mut(&folder).ok_or(Error::Bug("it was put there"))?;
        *last = last.checked_add(1).ok_or(Error::Bug("all numbers of a folder are given"))?;
        Ok(*last)
    }

    fn folder(&mut self, path: &Arc<[String]>) -> Result<FolderNo, Error> {
        // An import shares one `Arc` among the mails of a folder. Another `Arc` of the same path only costs a lookup.
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
        // Imports shorten paths by rule before they get here.
        if path.len() > MAX_DEPTH {
            return Err(Error::Bug("a path is deeper than folders are"));
        }
        let mut at = FolderNo(0);
        for name in path {
            // A folder that this commit makes is not in the catalog yet; making it twice would give one name two
            // numbers.
            let made = self.made.get(&at).and_then(|below| below.get(name)).copied();
            at = match made.or_else(|| self.catalog.folders().child(at, name)) {
                Some(known) => known,
                None => self.make_folder(at, name)?,
            };
        }
        Ok(at)
    }

    fn make_folder(&mut self, parent: FolderNo, name: &str) -> Result<FolderNo, Error> {
        if folder::refusal(name).is_some() {
            return Err(Error::Bug("a name is none of a folder"));
        }
        let no = self.numbers.folders.checked_add(1).ok_or(Error::Bug("all folder numbers are given"))?;
        self.numbers.folders = no;
        // An epoch is 32 bits and not 0 (FORMAT.md, fact 9), whatever the clock says.
        let epoch = u32::try_from(self.now.div_euclid(1000).clamp(1, i64::from(u32::MAX))).map_err(|_| Error::Bug("it was clamped"))?;
        let mut path = self.path(parent);
        path.push(name.to_owned());
        let known = self.beside.iter().map(|catalog| catalog.folders()).find_map(|folders| folders.get(folder_at(folders, &path)?));
        let epoch = known.map_or(epoch, |folder| folder.epoch);
        self.folders.push(FolderFact { no, parent: parent.0, name: name.to_owned(), epoch });
        self.made.entry(parent).or_default().insert(name.to_owned(), FolderNo(no));
        Ok(FolderNo(no))
    }

    /// The path of a folder, which this commit may make.
    fn path(&self, mut folder: FolderNo) -> Vec<String> {
        let first = self.catalog.basis().numbers.folders;
        let mut names = Vec::new();
        while let Some(made) = folder.0.checked_sub(first).and_then(|at| at.checked_sub(1)).and_then(|at| self.folders.get(at as usize)) {
            names.push(made.name.clone());
            folder = FolderNo(made.parent);
        }
        let mut path = self.catalog.folders().path(folder);
        path.extend(names.into_iter().rev());
        path
    }

    fn placements(&self, content: ContentNo) -> Result<Vec<(MessageNo, FolderNo)>, Error> {
        let mut placed = self.catalog.placements(content)?;
        placed.extend(self.placed_here(content));
        Ok(placed)
    }

    /// Whether a content has messages, or had some that are deleted.
    fn has_had_messages(&self, content: ContentNo) -> Result<bool, Error> {
        Ok(self.placed_here(content).next().is_some() || self.catalog.first_message(content)?.is_some())
    }

    /// Messages of a content that this commit adds.
    fn placed_here(&self, content: ContentNo) -> impl Iterator<Item = (MessageNo, FolderNo)> {
        let from = (content, MessageNo(0), FolderNo(0));
        self.placed.range(from..).take_while(move |(of, ..)| *of == content).map(|(_, message, folder)| (*message, *folder))
    }

    /// What the store has of a mail that goes to `folder`.
    pub(super) fn known(&self, header: &PreparedHeader, folder: FolderNo) -> Result<Known, Error> {
        let Candidates { sound, mut damaged } = self.candidates(header.digest)?;
        let mut hit = None;
        if !damaged.is_empty() {
            // Only exactly these bytes can replace damaged ones: a content equal but for status headers cannot.
            damaged = self.with_bytes(header.digest, damaged)?;
            hit = self.message_in(&damaged, folder)?;
            // Before the search for duplicates: a mail that differs only in status headers would make this one a
            // duplicate, and the damaged message would stay damaged. If a sound content has the bytes, the message is
            // read from that already.
            if let Some(message) = hit
                && self.same_bytes(header.digest, &sound)?.is_none()
            {
                return Ok(Known::Damaged(message));
            }
        }
        if let Some(found) = self.duplicate(header, &sound, folder)? {
            return Ok(Known::Message(found));
        }
        // The old message reads its bytes from the sound content: the mail is there.
        if let Some(message) = hit {
            return Ok(Known::Message(Outcome::Duplicate { message, restated: false }));
        }
        let Some(content) = self.same_bytes(header.digest, &sound)? else { return Ok(Known::Nothing) };
        // A content that replaced a damaged one never gets a message of its own, since first messages rise with
        // contents. A new message names the damaged content, and is read from this one by the digest.
        if !damaged.is_empty() && !self.has_had_messages(content)? {
            for no in damaged {
                if self.has_had_messages(no)? {
                    return Ok(Known::Content(no));
                }
            }
        }
        Ok(Known::Content(content))
    }

    /// A message of one of `contents`, placed where this mail would be a duplicate of it.
    fn message_in(&self, contents: &[ContentNo], folder: FolderNo) -> Result<Option<MessageNo>, Error> {
        let home = self.user_archive(folder);
        for &no in contents {
            let near =
                |at: FolderNo| at == folder || self.duplicates == Duplicates::Archive && home.is_some() && self.user_archive(at) == home;
            if let Some((message, _)) = self.placements(no)?.into_iter().find(|(_, at)| near(*at)) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Whether new messages may refer to the content. One noted damaged is never used again: its mail is stored again.
    fn is_sound(&self, no: ContentNo) -> bool {
        !self.catalog.is_damaged(no) && !self.damaged.contains(&no.0)
    }

    /// The content with exactly these bytes, among those whose digest begins alike.
    fn same_bytes(&self, digest: Digest, like: &[ContentNo]) -> Result<Option<ContentNo>, Error> {
        for &no in like {
            if self.digests(no)?.is_some_and(|(known, _)| known == digest) {
                return Ok(Some(no));
            }
        }
        Ok(None)
    }

    /// All contents with exactly these bytes.
    fn with_bytes(&self, digest: Digest, like: Vec<ContentNo>) -> Result<Vec<ContentNo>, Error> {
        let mut same = Vec::new();
        for no in like {
            same.extend(self.same_bytes(digest, &[no])?);
        }
        Ok(same)
    }

    fn candidates(&self, digest: Digest) -> Result<Candidates, Error> {
        // The catalog looks up by 6 bytes of a digest, with and without status headers: callers compare the whole
        // digest.
        let mut found = self.catalog.contents_by_digest(digest)?;
        found.extend(self.by_digest.range((digest, ContentNo(0))..).take_while(|(of, _)| *of == digest).map(|(_, no)| no));
        let (sound, damaged) = found.into_iter().partition(|no| self.is_sound(*no));
        Ok(Candidates { sound, damaged })
    }

    /// The digest of a content, and its digest without status headers.
    fn digests(&self, no: ContentNo) -> Result<Option<(Digest, Digest)>, Error> {
        // Contents of this commit have numbers from the catalog's next one on, and no row yet.
        let first = self.catalog.basis().numbers.contents;
        if let Some(added) = no.0.checked_sub(first).and_then(|at| self.contents.get(at as usize)) {
            return Ok(Some((added.header.digest, added.header.restated.unwrap_or(added.header.digest))));
        }
        let row = self.catalog.content_row(no)?;
        Ok(row.map(|row| (Digest(row.digest), Digest(row.restated.unwrap_or(row.digest)))))
    }

    /// The message that the mail is a duplicate of. `like` are the sound contents whose digest begins like the mail's.
    fn duplicate(&self, header: &PreparedHeader, like: &[ContentNo], folder: FolderNo) -> Result<Option<Outcome>, Error> {
        let bare = header.restated.unwrap_or(header.digest);
        let in_folder = |no| Ok::<_, Error>(self.placements(no)?.into_iter().find(|(_, at)| *at == folder).map(|(message, _)| message));
        match self.duplicates {
            Duplicates::Folder => {
                // A mail with status headers needs a second lookup: archived with other ones, it is found only without
                // them.
                let bare_like = header.restated.map(|bare| self.candidates(bare)).transpose()?;
                for &no in bare_like.as_ref().map_or(like, |candidates| &candidates.sound) {
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
                // A damaged copy must not make a sound one a duplicate: then nobody could read the mail.
                found.retain(|no| self.is_sound(*no));
                let home = self.user_archive(folder);
                for no in found {
                    for (message, at) in self.placements(no)? {
                        if home.is_some() && self.user_archive(at) == home {
                            return Ok(Some(Outcome::Duplicate { message, restated: false }));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn user_archive(&self, mut folder: FolderNo) -> Option<FolderNo> {
        // Folders made here are numbered after all others, and have no row in the catalog.
        let first = self.catalog.basis().numbers.folders;
        while let Some(made) = folder.0.checked_sub(first).and_then(|at| at.checked_sub(1)).and_then(|at| self.folders.get(at as usize)) {
            if made.parent == 0 {
                return Some(folder);
            }
            folder = FolderNo(made.parent);
        }
        self.catalog.folders().user_archive(folder)
    }

    fn is_empty(&self) -> bool {
        self.contents.is_empty()
            && self.messages.is_empty()
            && self.folders.is_empty()
            && self.changed.is_empty()
            && self.damaged.is_empty()
            && self.accepted.is_empty()
            && self.deleted.is_none()
            && self.undeleted.is_none()
    }
}

fn take(next: &mut u32) -> Result<u32, Error> {
    let number = *next;
    *next = next.checked_add(1).ok_or(Error::Bug("all numbers of a store are given"))?;
    Ok(number)
}
