//! The kinds of facts and what each contains. Numbers of kinds and keys are never reused for something else; 0 means
//! none.
//!
//! Docs: FORMAT.md, "Facts"; section 18 lists what is reserved.

use minicbor::decode::Error as CborError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::erasure::{MOST_NUMBERS, Ranges, numbers_of};
use super::{Frontier, HeadNumbers, SeenHead};
use crate::mail::{Eol, Extent, Wrap};
use crate::wire::Keys;

/// The kinds of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[expect(dead_code, reason = "numbers of the format that later operations write")]
pub(crate) enum FactKind {
    ImportRun = 1,
    ContainerOpened = 2,
    ContainerClosed = 3,
    ContainersRemoved = 4,
    Content = 5,
    Part = 6,
    Packed = 7,
    Message = 8,
    FolderMade = 9,
    FolderRenamed = 10,
    FolderMoved = 11,
    FolderRemoved = 12,
    MessagesMoved = 13,
    MessagesDeleted = 14,
    DirectionChanged = 15,
    Checkpoint = 16,
    DamageNoted = 17,
    Repaired = 18,
    Recovered = 19,
    DamageAccepted = 21,
    MessagesUndeleted = 22,
    Erasure = 23,
    ErasureDone = 24,
    /// Of the master: a store of the archive.
    Store = 64,
    /// Of the master: a setting.
    Setting = 65,
    /// Of the master: an identity file is changed.
    KeyChange = 66,
}

/// Where stored bytes are: a stretch of a block. Container 0 means the section of the commit that contains the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) container: u32,
    /// Offset of the block's frame in the container; in a section, the index of the frame.
    pub(crate) frame: u64,
    /// Where the stretch begins in the block's bytes.
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Runs in order, written as one flat array of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Runs(pub(crate) Vec<Run>);

impl Runs {
    /// Stored bytes in all runs.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(|run| u64::from(run.len)).sum()
    }
}

impl<C> Encode<C> for Runs {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(self.0.len() as u64 * 4)?;
        for run in &self.0 {
            e.u32(run.container)?.u64(run.frame)?.u32(run.start)?.u32(run.len)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Runs {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, CborError> {
        let len = d.array()?.filter(|len| len % 4 == 0).ok_or_else(|| CborError::message("runs come in fours"))?;
        let mut runs = Vec::new();
        for _ in 0..len / 4 {
            runs.push(Run { container: d.u32()?, frame: d.u64()?, start: d.u32()?, len: d.u32()? });
        }
        Ok(Self(runs))
    }
}

/// How a content is joined, as one flat array of numbers; absent for a content of one literal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shape(pub(crate) Vec<ShapeExtent>);

/// An extent, with its part if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShapeExtent {
    pub(crate) extent: Extent,
    pub(crate) part: u32,
}

impl<C> Encode<C> for Shape {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(self.0.len() as u64 * 4)?;
        for ShapeExtent { extent, part } in &self.0 {
            match extent {
                Extent::Literal { len } => e.u8(1)?.u64(*len)?.u8(0)?.u8(0)?,
                Extent::Decoded { len, wrap } => e.u8(2)?.u64(*len)?.u32(wrap_number(*wrap))?.u8(0)?,
                Extent::Part { len, wrap: None } => e.u8(3)?.u64(*len)?.u8(0)?.u32(*part)?,
                Extent::Part { len, wrap: Some(wrap) } => e.u8(4)?.u64(*len)?.u32(wrap_number(*wrap))?.u32(*part)?,
            };
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Shape {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, CborError> {
        let len = d.array()?.filter(|len| len % 4 == 0).ok_or_else(|| CborError::message("extents come in fours"))?;
        let mut extents = Vec::new();
        for _ in 0..len / 4 {
            let (form, len, wrap, part) = (d.u8()?, d.u64()?, d.u32()?, d.u32()?);
            let wrap = wrap_of(wrap);
            let extent = match (form, wrap) {
                (1, _) => Extent::Literal { len },
                (2, Some(wrap)) => Extent::Decoded { len, wrap },
                (3, _) => Extent::Part { len, wrap: None },
                (4, Some(wrap)) => Extent::Part { len, wrap: Some(wrap) },
                _ => return Err(CborError::message("no such extent")),
            };
            extents.push(ShapeExtent { extent, part });
        }
        Ok(Self(extents))
    }
}

/// Line length, then one bit for CR LF and one for a line end after the last line.
fn wrap_number(wrap: Wrap) -> u32 {
    u32::from(wrap.line_len) << 2 | u32::from(wrap.eol == Eol::CrLf) << 1 | u32::from(wrap.ends_with_eol)
}

fn wrap_of(number: u32) -> Option<Wrap> {
    let eol = if number & 2 == 0 { Eol::Lf } else { Eol::CrLf };
    let line_len = u16::try_from(number >> 2).ok()?;
    Some(Wrap { line_len, eol, ends_with_eol: number & 1 == 1 })
}

/// Display names and addresses in turn.
pub(crate) type AddressList = Vec<String>;

macro_rules! fact {
    ($type:ident, $what:literal, $last:literal) => {
        impl Keys for $type {
            const WHAT: &'static str = $what;
            const LAST: u64 = $last;
        }
    };
}

/// One import: who, when, from where.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ImportRunFact {
    #[n(1)]
    pub(crate) no: u32,
    #[n(2)]
    pub(crate) actor: String,
    #[n(3)]
    pub(crate) program: String,
    /// Milliseconds since 1970, UTC.
    #[n(4)]
    pub(crate) start: i64,
    #[n(5)]
    pub(crate) host: String,
    #[n(6)]
    pub(crate) source: String,
    #[n(7)]
    pub(crate) size: Option<u64>,
    #[n(8)]
    pub(crate) modified: Option<i64>,
    /// If the clock had jumped: the time of archiving of the last message before, milliseconds since 1970, UTC.
    #[n(9)]
    pub(crate) jumped_from: Option<i64>,
}
fact!(ImportRunFact, "key of an import run", 9);

/// A container was opened or closed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ContainerFact {
    #[n(1)]
    pub(crate) no: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) file_id: [u8; 16],
    /// Length in bytes when it was closed.
    #[n(3)]
    pub(crate) end: Option<u64>,
}
fact!(ContainerFact, "key of a container fact", 3);

/// Where the date of a mail is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateSource {
    /// Its first Date field.
    Mail = 1,
    /// The From_ line of an mbox.
    MboxLine = 2,
    /// The name in a Maildir.
    MaildirName = 3,
    /// It has none: the time of archiving.
    Archiving = 4,
    /// What Apple Mail noted as received.
    Received = 5,
    /// Its first Received field that has a date.
    ReceivedField = 6,
}

/// A content: the bytes of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ContentFact {
    #[n(1)]
    pub(crate) no: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) digest: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) identity: [u8; 16],
    #[n(4)]
    pub(crate) size: u64,
    #[n(5)]
    pub(crate) shape: Option<Shape>,
    #[n(6)]
    pub(crate) runs: Runs,
    /// Date of the mail, seconds since 1970, UTC.
    #[n(7)]
    pub(crate) date: i64,
    /// The source of the date: a [`DateSource`], or a value that only a later version knows.
    #[n(8)]
    pub(crate) date_source: u8,
    #[n(9)]
    pub(crate) from: AddressList,
    #[n(10)]
    pub(crate) to: AddressList,
    #[n(11)]
    pub(crate) cc: AddressList,
    #[n(12)]
    pub(crate) subject: String,
    /// The text of the Message-ID field: neither unique nor trusted.
    #[n(13)]
    pub(crate) header_message_id: Option<String>,
    /// First 8 bytes of the SHA-256 of each id of In-Reply-To.
    #[cbor(n(14), with = "minicbor::bytes")]
    pub(crate) in_reply_to: Vec<u8>,
    /// The same of References.
    #[cbor(n(15), with = "minicbor::bytes")]
    pub(crate) references: Vec<u8>,
    #[n(16)]
    pub(crate) list_id: Option<String>,
    #[n(17)]
    pub(crate) attachments: u32,
    /// 1 low, 2 normal, 3 high.
    #[n(18)]
    pub(crate) importance: u8,
    /// Digest without status headers, only where there are any.
    #[cbor(n(19), with = "minicbor::bytes")]
    pub(crate) restated: Option<[u8; 32]>,
    /// Charsets that were guessed for parts without a sound label: leaf number and name.
    #[n(20)]
    pub(crate) guesses: Option<Vec<(u32, String)>>,
    /// Media types of attachments, each once, where there are any.
    #[n(21)]
    pub(crate) attachment_types: Option<Vec<String>>,
    /// Labels of the mail, if there are any. Earlier readers pass over them.
    #[n(128)]
    pub(crate) labels: Option<Vec<String>>,
}
fact!(ContentFact, "key of a content", 21);

/// A part: the decoded body of a MIME leaf.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PartFact {
    #[n(1)]
    pub(crate) no: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) digest: [u8; 32],
    #[n(3)]
    pub(crate) len: u64,
    #[n(4)]
    pub(crate) runs: Runs,
}
fact!(PartFact, "key of a part", 4);

/// Contents and parts of small commits, and their present place in containers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PackedFact {
    #[n(1)]
    pub(crate) contents: Vec<(u32, Runs)>,
    #[n(2)]
    pub(crate) parts: Vec<(u32, Runs)>,
}
fact!(PackedFact, "key of a packed fact", 2);

/// A content at its place in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct MessageFact {
    #[n(1)]
    pub(crate) no: u32,
    #[n(2)]
    pub(crate) content: u32,
    #[n(3)]
    pub(crate) folder: u32,
    /// 1 received, 2 sent, 3 unknown.
    #[n(4)]
    pub(crate) direction: u8,
    /// Time of archiving: milliseconds since 1970, UTC.
    #[n(5)]
    pub(crate) archived: i64,
    #[n(6)]
    pub(crate) run: u32,
    /// Path within the source of the import.
    /// At most 64 KiB.
    #[n(7)]
    pub(crate) path: String,
    #[n(8)]
    pub(crate) offset: u64,
    #[cbor(n(9), with = "minicbor::bytes")]
    pub(crate) from_line: Option<Vec<u8>>,
    /// 1: quoted From lines were unquoted by one level.
    #[n(10)]
    pub(crate) quoting: Option<u8>,
    #[n(11)]
    pub(crate) flags: Option<String>,
    /// Its number in the folder, from 1: rises with each new message, and is never assigned again.
    #[n(12)]
    pub(crate) number: u32,
}
fact!(MessageFact, "key of a message", 12);

/// The direction, if it follows neither from the source nor from the owner.
pub(crate) const DIRECTION_UNKNOWN: u8 = 3;

impl MessageFact {
    /// A message whose import run, path and envelope are unknown, because the records that had them are lost.
    pub(crate) fn of_lost_origin(no: u32, content: u32, folder: u32, direction: u8, archived: i64, number: u32) -> Self {
        Self {
            no,
            content,
            folder,
            direction,
            archived,
            run: 0,
            path: String::new(),
            offset: 0,
            from_line: None,
            quoting: None,
            flags: None,
            number,
        }
    }
}

/// A folder was made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct FolderFact {
    #[n(1)]
    pub(crate) no: u32,
    /// 0 is the root.
    #[n(2)]
    pub(crate) parent: u32,
    #[n(3)]
    pub(crate) name: String,
    /// When it was made, seconds since 1970, never 0.
    #[n(4)]
    pub(crate) epoch: u32,
}
fact!(FolderFact, "key of a folder", 4);

/// A folder has another name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct FolderRenamedFact {
    #[n(1)]
    pub(crate) folder: u32,
    #[n(2)]
    pub(crate) name: String,
    #[n(3)]
    pub(crate) actor: String,
    /// Milliseconds since 1970, UTC.
    #[n(4)]
    pub(crate) time: i64,
}
fact!(FolderRenamedFact, "key of a renamed folder", 4);

/// A folder is in another one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct FolderMovedFact {
    #[n(1)]
    pub(crate) folder: u32,
    /// 0 is the root.
    #[n(2)]
    pub(crate) parent: u32,
    /// Its name there.
    #[n(3)]
    pub(crate) name: String,
    #[n(4)]
    pub(crate) actor: String,
    /// Milliseconds since 1970, UTC.
    #[n(5)]
    pub(crate) time: i64,
}
fact!(FolderMovedFact, "key of a moved folder", 5);

/// Folders were removed, with everything below them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct FolderRemovedFact {
    /// Those below a folder come before it.
    #[n(1)]
    pub(crate) folders: Vec<u32>,
    #[n(2)]
    pub(crate) actor: String,
    /// Milliseconds since 1970, UTC.
    #[n(3)]
    pub(crate) time: i64,
}
fact!(FolderRemovedFact, "key of removed folders", 3);

/// Messages were deleted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct DeletedFact {
    #[n(1)]
    pub(crate) messages: Ranges,
    /// Who deleted them.
    #[n(2)]
    pub(crate) actor: String,
    /// Milliseconds since 1970, UTC.
    #[n(3)]
    pub(crate) time: i64,
    /// Why: at most 1 KiB.
    #[n(4)]
    pub(crate) reason: String,
}
fact!(DeletedFact, "key of deleted messages", 4);

/// Messages that follow each other and are back in one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Undeleted {
    #[n(0)]
    pub(crate) first: u32,
    #[n(1)]
    pub(crate) count: u32,
    #[n(2)]
    pub(crate) folder: u32,
    /// The number in the folder that the first of them gets; the others get the next ones.
    #[n(3)]
    pub(crate) number: u32,
}

/// Deleted messages were brought back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct UndeletedFact {
    #[n(1)]
    pub(crate) messages: Vec<Undeleted>,
    /// Who brought them back.
    #[n(2)]
    pub(crate) actor: String,
    /// Milliseconds since 1970, UTC.
    #[n(3)]
    pub(crate) time: i64,
    /// Why: at most 1 KiB.
    #[n(4)]
    pub(crate) reason: String,
}
fact!(UndeletedFact, "key of undeleted messages", 4);

impl DeletedFact {
    /// The numbers of the messages; no more than a fact may name, whatever the records say.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        numbers_of(&self.messages)
    }
}

impl UndeletedFact {
    /// Message, folder, and number in the folder of each; no more than a fact may name, whatever the records say.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u32, u32, u32)> + use<> {
        let each = |range: Undeleted| {
            let Undeleted { first, count, folder, number } = range;
            (0..count).map_while(move |at| Some((first.checked_add(at)?, folder, number.checked_add(at)?)))
        };
        self.messages.clone().into_iter().flat_map(each).take(MOST_NUMBERS)
    }
}

/// Contents found damaged: nothing new may refer to them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct DamageFact {
    #[n(1)]
    pub(crate) contents: Vec<u32>,
}
fact!(DamageFact, "key of noted damage", 1);

/// A damaged place: the path below the archive's folder with `/`, offset, length.
pub(crate) type DamagedPlace = (String, u64, u64);

/// Damage that was accepted: it is listed separately from now on. What is hit stays damaged.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct AcceptedFact {
    #[n(1)]
    pub(crate) places: Vec<DamagedPlace>,
}
fact!(AcceptedFact, "key of accepted damage", 1);

/// The store was repaired: what the records before this file lost, and how the store continues.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RepairedFact {
    /// Sequences of commits that are lost, from and to.
    #[n(1)]
    pub(crate) lost: Vec<(u64, u64)>,
    /// The next numbers to assign.
    #[n(2)]
    pub(crate) numbers: HeadNumbers,
    /// The tree that continues, or a new one.
    #[n(3)]
    pub(crate) tree: Frontier,
    /// If an older state was accepted: the head that had been noted.
    #[n(4)]
    pub(crate) accepted: Option<SeenHead>,
    /// Message numbers that were skipped, since the highest one was not proven.
    #[n(5)]
    pub(crate) left_out: u32,
}
fact!(RepairedFact, "key of a repair", 5);

/// A fact of a lost commit, as far as it could be recovered. Its content is in the tree already, or was lost with the
/// tree.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RecoveredFact {
    /// Content, part, message or folder made.
    #[n(1)]
    pub(crate) kind: u16,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) bytes: Vec<u8>,
}
fact!(RecoveredFact, "key of a recovered fact", 2);

/// Of the master: a store of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoreFact {
    #[n(1)]
    pub(crate) no: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) uuid: [u8; 16],
    /// Name of its folder below `stores/`.
    #[n(3)]
    pub(crate) name: String,
    /// Whether this store receives new mail.
    #[n(4)]
    pub(crate) current: bool,
    /// The map of its `store.mk`, so that the store can be opened and the file rewritten if both copies are gone.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(crate) identity: Option<Vec<u8>>,
    /// What it is used for, unless it takes new mail or is read and changed: 1 write-protected, 2 disabled, 3 detached.
    #[n(6)]
    pub(crate) state: Option<u8>,
    /// Its name for people, if that is not the name of its folder.
    #[n(7)]
    pub(crate) label: Option<String>,
    /// Its folder, if that is not the one of its name below `stores/`: absolute, or relative to the archive's folder.
    #[n(8)]
    pub(crate) root: Option<String>,
    /// The folder of its containers, if that is not `content/` in its folder.
    #[n(9)]
    pub(crate) content: Option<String>,
    /// The folder of its index, if that is not `index/` in its folder.
    #[n(10)]
    pub(crate) index: Option<String>,
}
fact!(StoreFact, "key of a store", 10);

impl StoreFact {
    /// A store in the folder of its name.
    pub(crate) fn new(no: u32, uuid: [u8; 16], name: String, current: bool, identity: Option<Vec<u8>>) -> Self {
        Self { no, uuid, name, current, identity, state: None, label: None, root: None, content: None, index: None }
    }
}

/// Of the master: a setting, the last one of a number wins.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SettingFact {
    /// 1: the recovery key was confirmed; 2: the owner, the first user archive.
    #[n(1)]
    pub(crate) number: u32,
    #[n(2)]
    pub(crate) text: String,
}
fact!(SettingFact, "key of a setting", 2);

/// Of the master: an identity file is about to change, or has changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct KeyChangeFact {
    /// 1 begun, 2 done.
    #[n(1)]
    pub(crate) phase: u8,
    #[n(2)]
    pub(crate) generation: u64,
    /// SHA-256 of the file's map; begun only.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) digest: Option<[u8; 32]>,
    /// The archive, or a store.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(crate) owner: [u8; 16],
}
fact!(KeyChangeFact, "key of a key change", 4);

/// Of the master: the facts that make up its state, so that an open need not read what came before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct CheckpointFact {
    #[n(1)]
    pub(crate) facts: Vec<(u16, minicbor::bytes::ByteVec)>,
    /// A damaged master starts over with it: damage in files before it is known and accepted.
    #[n(2)]
    pub(crate) repairs: bool,
}
fact!(CheckpointFact, "key of a checkpoint", 2);
