//! Everything that must be known of a mail before it is stored, in one pass: digests, facts, and what it is split into.

use sha2::{Digest as _, Sha256};

use crate::id::{Digest, Identity};

use super::facts::{Attachments, Facts};
use super::identity::Identifier;
use super::media::{Encoding, LineEnd};
use super::restated::Restated;
use super::split::{Extent, Split, SplitSink, Splitter};
use super::transfer::Decoder;
use super::walk::{Kind, Node, NodeNo, Visitor, WalkEnd, Walker};

/// Encoded bytes that are decoded at a time.
const WINDOW: usize = 64 << 10;

/// What is known of a mail, besides its extents' bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// Bytes of the mail.
    pub len: u64,
    /// Digest of its exact bytes.
    pub digest: Digest,
    /// What makes two copies the same mail to a person.
    pub identity: Identity,
    /// Digest without the header fields that mail programs restate, if there are any.
    pub restated: Option<Digest>,
    /// Facts of its header, and the number of attachments.
    pub facts: Facts,
    /// What it was split into.
    pub extents: Vec<Extent>,
}

/// What is known of a mail in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Digest of its exact bytes.
    pub digest: Digest,
    /// What makes two copies the same mail to a person.
    pub identity: Identity,
    /// Digest without the header fields that mail programs restate, if there are any.
    pub restated: Option<Digest>,
    /// Facts of its header, and the number of attachments.
    pub facts: Facts,
    /// The mail, split.
    pub split: Split,
}

/// Examines a mail in memory.
#[must_use]
pub fn examine(raw: &[u8]) -> Examined {
    let mut examiner = Examiner::new(Split::default());
    examiner.push(raw);
    let Ok((split, Examination { digest, identity, restated, facts, extents, .. })) = examiner.finish();
    Examined { digest, identity, restated, facts, split: Split { extents, ..split } }
}

/// Examines a mail that is pushed in chunks; what it is split into goes to a sink.
pub struct Examiner<S: SplitSink> {
    walker: Walker,
    pass: Pass<S>,
    hash: Sha256,
}

impl<S: SplitSink> Examiner<S> {
    /// At the beginning of a mail.
    pub fn new(sink: S) -> Self {
        let pass = Pass {
            splitter: Splitter::new(sink),
            restated: Restated::default(),
            identifier: Identifier::new(),
            facts: Facts::default(),
            attachments: Attachments::default(),
            decoder: Decoder::Identity,
            decoded: Vec::new(),
            in_body: false,
        };
        Self { walker: Walker::new(), pass, hash: Sha256::new() }
    }

    /// Takes the next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.walker.push(bytes, &mut self.pass);
    }

    /// Whether the sink failed: the mail cannot be examined, and [`Self::finish`] returns the reason.
    pub fn failed(&self) -> bool {
        self.pass.splitter.failed()
    }

    /// Ends the mail.
    ///
    /// # Errors
    ///
    /// The first error of the sink.
    pub fn finish(mut self) -> Result<(S, Examination), S::Error> {
        let WalkEnd { len, .. } = self.walker.finish(&mut self.pass);
        let pass = self.pass;
        let (sink, extents) = pass.splitter.finish()?;
        let (attachments, attachment_types) = pass.attachments.finish();
        let examination = Examination {
            len,
            digest: Digest(self.hash.finalize().into()),
            identity: pass.identifier.finish(),
            restated: pass.restated.finish(),
            facts: Facts { attachments, attachment_types, ..pass.facts },
            extents,
        };
        Ok((sink, examination))
    }
}

/// Passes one walk to all visitors.
struct Pass<S: SplitSink> {
    splitter: Splitter<S>,
    restated: Restated,
    identifier: Identifier,
    facts: Facts,
    attachments: Attachments,
    decoder: Decoder,
    decoded: Vec<u8>,
    /// Whether bytes of a body or preamble may come.
    in_body: bool,
}

impl<S: SplitSink> Pass<S> {
    fn begin(&mut self, encoding: Encoding, line_end: LineEnd) {
        self.identifier.begin(encoding, line_end);
        self.decoder = Decoder::new(encoding, line_end);
        self.in_body = true;
    }

    fn text(&mut self, bytes: &[u8]) {
        if matches!(self.decoder, Decoder::Identity) {
            self.identifier.body(bytes);
            self.attachments.body(bytes);
            return;
        }
        for window in bytes.chunks(WINDOW) {
            self.decoded.clear();
            self.decoder.push(window, &mut self.decoded);
            self.identifier.body(&self.decoded);
            self.attachments.body(&self.decoded);
        }
    }
}

impl<S: SplitSink> Visitor for Pass<S> {
    fn open(&mut self, node: &Node<'_>) {
        self.splitter.open(node);
        self.restated.open(node);
        self.identifier.node(node);
        self.attachments.node(node);
        if node.parent.is_none() {
            self.facts = Facts::of_header(node);
        }
        match node.kind {
            Kind::Leaf => self.begin(node.content.encoding, node.line_end),
            // Its preamble, which is text if no part follows.
            Kind::Multipart => self.begin(Encoding::Identity, node.line_end),
            Kind::NestedMessage => {}
        }
    }

    fn body(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        self.splitter.body(node, at, bytes);
        self.restated.body(node, at, bytes);
        self.text(bytes);
    }

    fn preamble(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        self.splitter.preamble(node, at, bytes);
        self.restated.preamble(node, at, bytes);
        self.text(bytes);
    }

    fn glue(&mut self, at: u64, bytes: &[u8]) {
        self.splitter.glue(at, bytes);
        self.restated.glue(at, bytes);
    }

    fn delimited(&mut self, _: NodeNo) {
        self.identifier.forget();
        self.in_body = false;
    }

    fn overflow(&mut self, node: NodeNo) {
        self.splitter.overflow(node);
        if !self.in_body {
            self.begin(Encoding::Identity, LineEnd::Lf);
        }
    }

    fn close(&mut self, node: NodeNo) {
        self.splitter.close(node);
        if std::mem::take(&mut self.in_body) {
            self.decoded.clear();
            self.decoder.finish(&mut self.decoded);
            self.identifier.body(&self.decoded);
            self.attachments.body(&self.decoded);
            self.attachments.end();
            self.identifier.end();
        }
    }
}

#[cfg(test)]
mod tests;
