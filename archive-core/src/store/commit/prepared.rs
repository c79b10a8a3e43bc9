//! A mail that was examined and waits to be committed: everything that can be computed without the store.

use std::sync::Arc;

use crate::container::encode_block;
use crate::id::{ContentNo, Digest, Identity};
use crate::mail::{Extent, Importance, MailText, Mailbox};
use crate::records::{ContentFact, DateSource, Runs, Shape};

/// Commits with fewer stored bytes carry them inside: one write, one sync.
pub(super) const SMALL: usize = 256 << 10;

/// A mail in memory, ready to be committed.
pub(crate) struct Prepared {
    pub(crate) header: PreparedHeader,
    /// How the content is joined; parts come in order from `parts`.
    pub(crate) extents: Vec<Extent>,
    /// Literal and decoded bytes, in order.
    pub(crate) stored: Stretch,
    pub(crate) parts: Vec<(Digest, Stretch)>,
    /// Text for the index, if it is to be indexed now.
    pub(crate) text: Option<MailText>,
    pub(crate) place: NewPlace,
}

/// Bytes that are stored together.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    pub(crate) bytes: Vec<u8>,
    /// The block with only these bytes, if it was already made.
    pub(crate) block: Option<Vec<u8>>,
}

impl Stretch {
    /// Its block.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.block.clone().unwrap_or_else(|| encode_block(&self.bytes))
    }
}

impl From<Vec<u8>> for Stretch {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, block: None }
    }
}

/// A received content that waits for its number and its place.
pub(super) struct ReceivedContent {
    pub(super) extents: Vec<Extent>,
    pub(super) runs: Runs,
    /// Parts in the order of their extents.
    pub(super) parts: Vec<(Digest, u64, Runs)>,
}

impl Prepared {
    /// Makes a block of each stretch, if a small commit may carry them. Many threads prepare single mails and one
    /// commits them, and would have to compress for all.
    pub(crate) fn make_blocks(&mut self) {
        if self.stored_len() < SMALL {
            let full = self.stretches().filter(|stretch| !stretch.bytes.is_empty());
            full.for_each(|stretch| stretch.block = Some(encode_block(&stretch.bytes)));
        }
    }

    /// Drops these blocks: the bytes go into blocks with those of other mails.
    pub(super) fn drop_blocks(&mut self) {
        self.stretches().for_each(|stretch| stretch.block = None);
    }

    fn stretches(&mut self) -> impl Iterator<Item = &mut Stretch> {
        std::iter::once(&mut self.stored).chain(self.parts.iter_mut().map(|(_, part)| part))
    }

    pub(super) fn stored_len(&self) -> usize {
        self.stored.bytes.len() + self.parts.iter().map(|(_, part)| part.bytes.len()).sum::<usize>()
    }
}

/// What is known of a mail without its bytes.
pub(crate) struct PreparedHeader {
    pub(crate) digest: Digest,
    pub(crate) identity: Identity,
    /// Digest without status headers, if there are any.
    pub(crate) restated: Option<Digest>,
    pub(crate) size: u64,
    pub(crate) facts: crate::mail::Facts,
    pub(crate) guesses: Vec<(u32, String)>,
}

impl PreparedHeader {
    /// The date that the mail itself has.
    pub(in crate::store) fn dated(&self) -> Option<(i64, DateSource)> {
        let date = self.facts.date.map(|date| (date, DateSource::Mail));
        date.or_else(|| self.facts.received.map(|date| (date, DateSource::ReceivedField)))
    }

    /// The fact of the content that the mail becomes.
    pub(in crate::store) fn fact(self, no: ContentNo, shape: Option<Shape>, runs: Runs, (date, date_source): (i64, u8)) -> ContentFact {
        let Self { digest, identity, restated, size, facts, guesses } = self;
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let list = |addresses: Vec<Mailbox>| addresses.into_iter().flat_map(|a| [a.name, a.address]).collect();
        ContentFact {
            no: no.0,
            digest: digest.0,
            identity: identity.0,
            size,
            shape,
            runs,
            date,
            date_source,
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
            labels: (!facts.labels.is_empty()).then_some(facts.labels),
        }
    }
}

/// Where a mail goes and where it came from. Many mails share folder and path.
#[derive(Debug, Clone)]
pub(crate) struct NewPlace {
    /// Names from the user archive down.
    pub(crate) folder: Arc<[String]>,
    /// Path within the source.
    pub(crate) path: Arc<str>,
    pub(crate) offset: u64,
    pub(crate) from_line: Option<Vec<u8>>,
    pub(crate) unquoted: bool,
    pub(crate) flags: Option<String>,
    /// A date for a mail that has none.
    pub(crate) date_hint: Option<(i64, DateSource)>,
}

/// An import run: the actor, the host and the source.
#[derive(Debug, Clone)]
pub(crate) struct RunInfo {
    pub(crate) actor: String,
    pub(crate) host: String,
    pub(crate) source: String,
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<i64>,
    pub(crate) start: i64,
    /// If the clock had jumped before `start`: the time of archiving of the last message.
    pub(crate) jumped_from: Option<i64>,
}
