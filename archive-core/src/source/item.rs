//! What a reader returns: a mail with its place, and notes about what is not mail.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

/// Mails up to this many bytes are returned whole; larger ones are streamed, so that memory is bounded whatever their
/// size.
pub const WHOLE_LIMIT: usize = 16 << 20;

/// How to read a source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceOptions {
    /// The format of the source, if its name and content must not decide. Applies to the files, not to archives (gz,
    /// zip) around them.
    pub format: Option<Format>,
    /// Whether mails are returned that their program had marked as deleted (Mozilla, Apple, Maildir, MH); otherwise
    /// they are only counted.
    pub with_deleted: bool,
}

/// The formats that can be demanded by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Any mbox: `Content-Length` and quoting are judged mail by mail.
    Mbox,
    /// An mbox without lengths, in which `From ` is quoted: `Content-Length` is ignored.
    Mboxo,
    /// As `Mboxo`; quoted lines are quoted again.
    Mboxrd,
    /// An mbox with lengths, in which `From ` is quoted.
    Mboxcl,
    /// An mbox with lengths, in which nothing is quoted: no line is ever unquoted.
    Mboxcl2,
    /// Mails between lines of four ^A.
    Mmdf,
    /// A LISTSERV notebook: mails between lines of 73 `=`.
    Listserv,
    /// A folder with `cur` and `new`, or one file of it.
    Maildir,
    /// A folder in which every file with a number for a name is a mail.
    Mh,
    /// One file, one mail.
    Eml,
    /// One mail of Apple Mail: length, mail, property list.
    Emlx,
}

/// Whether lines were changed between the source and the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// The mail's bytes are in the source as they are.
    None,
    /// Each line `>+From ` lost one `>`; [`quote`](super::mbox_quote::quote) gives back the bytes of the source.
    Unquoted,
}

/// The origin of a date outside the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateKind {
    /// The From_ line of an mbox; without a zone it is read as UTC.
    MboxLine,
    /// The time in the name of a Maildir file.
    MaildirName,
    /// `date-received` of an Apple mail.
    Received,
}

/// A date that the source gives outside the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateHint {
    /// Seconds since 1970, UTC.
    pub seconds: i64,
    /// Where it was found.
    pub kind: DateKind,
}

/// One mail of a source.
pub struct Item<'a> {
    /// The file, relative to the source, parts joined by `/`, members of archives below their archive; empty if the
    /// source is one file. Bytes that are not UTF-8 are `%XX`, and a `%` that could be mistaken for that is `%25`.
    pub source: &'a str,
    /// Offset of the mail's first byte in that file (after decompression).
    pub offset: u64,
    /// The folder below the target; empty: the target itself.
    pub folder: &'a [String],
    /// The From_ line of an mbox, without its line end.
    pub from_line: Option<Vec<u8>>,
    /// Whether quoted lines were unquoted.
    pub quoting: Quoting,
    /// The flags, in the letters of Maildir, sorted; also those of Apple and Mozilla where they have the same meaning.
    pub flags: Option<String>,
    /// A date outside the mail.
    pub date_hint: Option<DateHint>,
    /// The mail.
    pub body: Body<'a>,
}

/// The bytes of a mail.
pub enum Body<'a> {
    /// All of them, at most [`WHOLE_LIMIT`] bytes.
    Whole(Vec<u8>),
    /// A mail above [`WHOLE_LIMIT`], or so near to it that its end had not been read yet.
    Stream {
        /// Its first bytes.
        head: Vec<u8>,
        /// What follows; an error means that the source could not give the rest. What is left unread is skipped.
        rest: &'a mut dyn Read,
    },
}

/// Something to report about a source that is not a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The file, as in [`Item::source`].
    pub source: String,
    /// Where in the file.
    pub offset: u64,
    /// What it is.
    pub kind: TroubleKind,
}

/// What can be reported about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TroubleKind {
    /// The file or folder could not be read from here on, with the system's words. What was read before was returned.
    Unreadable(String),
    /// Compressed or packed data ends or breaks here. A mail that it cuts is returned as far as it goes, unless it is
    /// streamed.
    Cut(String),
    /// Requested or named as an mbox, but without any From_ line.
    NotAnMbox,
    /// This many bytes before the first From_ line, which belong to no mail.
    TextBeforeFirst(u64),
    /// An mbox or mail of no bytes.
    EmptyFile,
    /// A mail of nothing but zero bytes, which file systems leave in place of a file that they lost.
    OnlyZeros,
    /// A From_ line without a mail.
    EmptyMail,
    /// A streamed mail has an unquoted `From ` line here (offset in the mail) after quoted ones: from here on it is as
    /// found.
    QuotingEnds,
    /// Apple Mail kept only a part of this mail; the part is returned, and counted as incomplete.
    Partial,
    /// The file was written while it was read: what was returned of it may mix two states, or be incomplete.
    Changed,
    /// This many bytes after an Apple mail are not a property list: its byte count ends the mail too early.
    BehindMail(u64),
    /// Mail in a form that cannot be read yet, by its name.
    Unsupported(&'static str),
    /// Not a mail, by name or by content.
    Skipped,
    /// A link to a folder, not followed.
    LinkNotFollowed,
    /// Packed inside packed files more than [`MAX_NESTING`](super::MAX_NESTING) deep.
    TooDeep,
    /// Decompresses to more than any mailbox does; reading it was stopped.
    Bomb,
}

impl TroubleKind {
    /// Whether something that may be mail was not returned.
    pub fn is_loss(&self) -> bool {
        !matches!(self, Self::EmptyFile | Self::EmptyMail | Self::QuotingEnds | Self::Partial | Self::Skipped | Self::LinkNotFollowed)
    }
}

impl fmt::Display for TroubleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Self::Cut(why) => write!(f, "is cut or damaged here: {why}"),
            Self::NotAnMbox => f.write_str("is not an mbox: no line begins with \"From \" as a separator does"),
            Self::TextBeforeFirst(bytes) => write!(f, "{bytes} bytes before the first From_ line belong to no mail"),
            Self::EmptyFile => f.write_str("is empty"),
            Self::OnlyZeros => f.write_str("is nothing but zero bytes"),
            Self::EmptyMail => f.write_str("a From_ line without a mail"),
            Self::QuotingEnds => f.write_str("has unquoted \"From \" lines after quoted ones: kept as found from here on"),
            Self::Partial => f.write_str("is a part of a mail only"),
            Self::Changed => f.write_str("changed while it was read; read it again when no program writes to it"),
            Self::BehindMail(bytes) => write!(f, "{bytes} bytes after the length in the first line belong to no property list"),
            Self::Unsupported(what) => write!(f, "is a file of a kind not supported: {what}; convert or unpack it first"),
            Self::Skipped => f.write_str("is not mail"),
            Self::LinkNotFollowed => f.write_str("is a link to a folder, not followed"),
            Self::TooDeep => f.write_str("is packed within packed files too many times"),
            Self::Bomb => f.write_str("decompresses to more than any mailbox does"),
        }
    }
}

/// Why these bytes are not a mail, whatever their file: there are none, or all are zero.
pub fn refused(mail: &[u8]) -> Option<TroubleKind> {
    if mail.is_empty() {
        return Some(TroubleKind::EmptyFile);
    }
    mail.iter().all(|&byte| byte == 0).then_some(TroubleKind::OnlyZeros)
}

/// Receives the contents of a source, in the order of the source.
pub trait SourceVisitor {
    /// A mail. `Break` ends the reading.
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()>;
    /// Something that is not a mail.
    fn trouble(&mut self, trouble: Trouble);
    /// Bytes of the source that belong to no mail, in pieces; the trouble that gives the reason follows the last piece.
    fn lost(&mut self, _bytes: &[u8]) {}
    /// A folder of the source, even an empty one; comes before its mails, perhaps more than once.
    fn folder(&mut self, _folder: &[String]) {}
    /// How many bytes of the source's files have been read so far (before decompression).
    fn progress(&mut self, _bytes: u64) {}
}

/// The totals of one reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Mails returned.
    pub mails: u64,
    /// From_ lines without a mail.
    pub empty: u64,
    /// Mails skipped because they were marked as deleted.
    pub deleted: u64,
    /// Mails returned of which the source itself has only a part.
    pub incomplete: u64,
    /// Files that are not mail.
    pub skipped_files: u64,
    /// Files of kinds not supported.
    pub unsupported_files: u64,
    /// Files, folders and pieces that could not be read.
    pub losses: u64,
    /// Bytes of the source's files read.
    pub bytes: u64,
    /// The visitor ended the reading.
    pub stopped: bool,
}

/// Why a source could not be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source itself cannot be opened.
    #[error("{path}: {error}")]
    Open {
        /// The path as given.
        path: String,
        /// The system's reason.
        #[source]
        error: std::io::Error,
    },
}
