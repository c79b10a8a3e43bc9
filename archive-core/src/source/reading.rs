//! One reading of a source: the visitor, the totals, and the place in the source.

use std::cell::Cell;
use std::io::{ErrorKind, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::item::{Body, Item, SourceOptions, SourceVisitor, Summary, Trouble, TroubleKind, refused};
use super::names;
use super::window::Window;
use crate::folder::{Shortened, at_most};

/// The most bytes of a path within a source. A longer one becomes its beginning, `~`, and 16 hex digits of the SHA-256
/// of the whole.
const MAX_SOURCE: usize = 64 << 10;

/// A file in the source, and the folder to which its mails go.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// As in [`Item::source`].
    pub(super) source: String,
    /// The name of the file alone.
    pub(super) name: Vec<u8>,
    /// The folder of its parent.
    pub(super) folder: Shortened,
    /// Whether a mailbox file gets a folder of its own name there.
    pub(super) own_folder: bool,
}

impl Place {
    /// A place below this one.
    pub(super) fn below(&self, name: &[u8]) -> Self {
        self.far_below(&[name])
    }

    /// A place below this one, by all names on the way to it.
    pub(super) fn far_below(&self, path: &[&[u8]]) -> Self {
        let mut source = self.source.clone();
        for name in path {
            if !source.is_empty() {
                source.push('/');
            }
            source.push_str(&names::source_text(name));
        }
        let name = path.last().copied().unwrap_or_default().to_vec();
        Self { source: at_most(source, MAX_SOURCE), name, folder: self.folder.clone(), own_folder: true }
    }

    /// The same file, as a separate folder if it is one among others.
    pub(super) fn as_mailbox(&self) -> Self {
        let mut place = self.clone();
        if place.own_folder {
            place.folder.push(&names::mailbox_name(&place.name));
            place.own_folder = false;
        }
        place
    }
}

/// The state that all readers share.
pub(super) struct Reading<'v> {
    pub(super) options: SourceOptions,
    visitor: &'v mut dyn SourceVisitor,
    summary: Summary,
    read: Rc<Cell<u64>>,
    reported: u64,
}

impl<'v> Reading<'v> {
    pub(super) fn new(options: SourceOptions, visitor: &'v mut dyn SourceVisitor) -> Self {
        Self { options, visitor, summary: Summary::default(), read: Rc::default(), reported: 0 }
    }

    pub(super) fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let (Body::Whole(beginning) | Body::Stream { head: beginning, .. }) = &item.body;
        if let Some(kind) = refused(beginning) {
            self.visitor.lost(beginning);
            self.tell(Trouble { source: item.source.to_owned(), offset: item.offset, kind });
            return ControlFlow::Continue(());
        }
        self.summary.mails += 1;
        let result = self.visitor.item(item);
        self.summary.stopped |= result.is_break();
        result
    }

    pub(super) fn deleted(&mut self) {
        self.summary.deleted += 1;
    }

    pub(super) fn folder(&mut self, folder: &[String]) {
        self.visitor.folder(folder);
    }

    pub(super) fn lost(&mut self, bytes: &[u8]) {
        self.visitor.lost(bytes);
    }

    pub(super) fn trouble(&mut self, place: &Place, offset: u64, kind: TroubleKind) {
        self.tell(Trouble { source: place.source.clone(), offset, kind });
    }

    fn tell(&mut self, trouble: Trouble) {
        match trouble.kind {
            TroubleKind::EmptyMail => self.summary.empty += 1,
            TroubleKind::Partial => self.summary.incomplete += 1,
            TroubleKind::Skipped | TroubleKind::LinkNotFollowed => self.summary.skipped_files += 1,
            TroubleKind::Unsupported(_) => self.summary.unsupported_files += 1,
            ref other if other.is_loss() => self.summary.losses += 1,
            _ => {}
        }
        self.visitor.trouble(trouble);
    }

    /// Reports the error, if any, that ended the reading of a file.
    pub(super) fn end_of_file(&mut self, place: &Place, window: &mut Window<'_>) {
        if let Some(error) = window.take_error() {
            let kind = match error.kind() {
                ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => TroubleKind::Cut(error.to_string()),
                ErrorKind::FileTooLarge => TroubleKind::Bomb,
                _ => TroubleKind::Unreadable(error.to_string()),
            };
            self.trouble(place, window.offset() + window.data().len() as u64, kind);
        }
        self.progress();
    }

    /// Reports how much was read so far.
    pub(super) fn progress(&mut self) {
        let read = self.read.get();
        if read != self.reported {
            self.reported = read;
            self.visitor.progress(read);
        }
    }

    /// Counts bytes that were read by other means than [`Self::counted`].
    pub(super) fn count(&mut self, bytes: u64) {
        self.read.set(self.read.get().saturating_add(bytes));
    }

    /// A reader whose bytes count as read.
    pub(super) fn counted<R: Read>(&self, reader: R) -> Counted<R> {
        Counted { reader, read: Rc::clone(&self.read) }
    }

    pub(super) fn finish(mut self) -> Summary {
        self.progress();
        self.summary.bytes = self.read.get();
        self.summary
    }
}

/// Counts what is read.
pub(super) struct Counted<R> {
    reader: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.reader.read(out)?;
        self.read.set(self.read.get() + len as u64);
        Ok(len)
    }
}
