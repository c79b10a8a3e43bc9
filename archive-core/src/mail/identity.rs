//! What makes two copies the same mail to a person: a digest over named headers and decoded bodies, without what
//! transport adds.
//!
//! The hash covers, each preceded by a tag and a length: the fields of [`FIELDS`] of the mail and of every nested mail,
//! unfolded and trimmed; for every leaf, the values that name it as a file, and the SHA-256 of its decoded body. In
//! bodies that are not base64 every line end counts as LF, and line ends at the very end do not count: transports
//! change both.

use memchr::memchr;
use sha2::{Digest as _, Sha256};

use crate::id::Identity;

use super::media::{Encoding, Field, LineEnd, is_white, trim};
use super::walk::Node;

/// The fields that count, in the order in which they are hashed; several fields of one name, in the order of the mail.
pub const FIELDS: [&str; 7] = ["Message-ID", "Date", "From", "Sender", "To", "Cc", "Subject"];

const SCHEME: &[u8] = b"mailkeep identity 1";
const FILE_NAME: u8 = 0x20;
const BODY: u8 = 0x21;

/// Computes the identity of a mail. Bodies come decoded.
#[derive(Debug)]
pub(super) struct Identifier {
    hash: Sha256,
    body: Option<Body>,
}

#[derive(Debug)]
struct Body {
    hash: Sha256,
    len: u64,
    /// `None`: the exact bytes count.
    lines: Option<Lines>,
}

/// Line ends so far that count only if something follows.
#[derive(Debug)]
struct Lines {
    line_end: LineEnd,
    pending: u64,
    after_cr: bool,
}

impl Identifier {
    pub(super) fn new() -> Self {
        Self { hash: Sha256::new_with_prefix(SCHEME), body: None }
    }

    /// A node begins.
    pub(super) fn node(&mut self, node: &Node<'_>) {
        if node.is_message {
            let tag = |field: &Field<'_>| (1..).zip(FIELDS).find(|(_, name)| field.name.len() == name.len() && field.is(name));
            let found = node.fields.iter().filter_map(|field| tag(field).map(|(tag, _)| (tag, field)));
            let mut found: Vec<(u8, &Field<'_>)> = found.collect();
            found.sort_by_key(|(tag, _)| *tag);
            for (tag, field) in found {
                self.add(tag, trim(&field.value(), is_white));
            }
        }
        for name in node.content.file_names() {
            self.add(FILE_NAME, name);
        }
    }

    /// A body begins.
    pub(super) fn begin(&mut self, encoding: Encoding, line_end: LineEnd) {
        let lines = (encoding != Encoding::Base64).then_some(Lines { line_end, pending: 0, after_cr: false });
        self.body = Some(Body { hash: Sha256::new(), len: 0, lines });
    }

    /// Decoded bytes of the body.
    pub(super) fn body(&mut self, bytes: &[u8]) {
        if let Some(body) = &mut self.body {
            body.push(bytes);
        }
    }

    /// The body ends.
    pub(super) fn end(&mut self) {
        if let Some(mut body) = self.body.take() {
            body.lone_cr();
            self.hash.update([BODY]);
            self.hash.update(body.len.to_le_bytes());
            self.hash.update(body.hash.finalize());
        }
    }

    /// It was not a body after all: nothing of it counts.
    pub(super) fn forget(&mut self) {
        self.body = None;
    }

    pub(super) fn finish(self) -> Identity {
        let mut identity = [0; 16];
        identity.iter_mut().zip(self.hash.finalize()).for_each(|(to, from)| *to = from);
        Identity(identity)
    }

    fn add(&mut self, tag: u8, bytes: &[u8]) {
        self.hash.update([tag]);
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }
}

impl Body {
    fn push(&mut self, bytes: &[u8]) {
        if self.lines.is_none() {
            self.add(bytes);
            return;
        }
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            // A run of bytes without CR; its LFs at the end are deferred.
            if first != b'\r' && !self.after_cr() {
                let run = rest.split_at(memchr(b'\r', rest).unwrap_or(rest.len()));
                rest = run.1;
                self.run(run.0);
                continue;
            }
            rest = rest.get(1..).unwrap_or_default();
            self.step(first);
        }
    }

    fn after_cr(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.after_cr)
    }

    fn run(&mut self, run: &[u8]) {
        let text = run.iter().rposition(|&byte| byte != b'\n').map_or(0, |at| at + 1);
        if text > 0 {
            self.line_ends();
            self.add(run.get(..text).unwrap_or_default());
        }
        if let Some(lines) = &mut self.lines {
            lines.pending += (run.len() - text) as u64;
        }
    }

    /// A CR, or what follows one.
    fn step(&mut self, byte: u8) {
        let Some(lines) = &mut self.lines else {
            return;
        };
        match (byte, lines.line_end) {
            (b'\r', LineEnd::Cr) => lines.pending += 1,
            (b'\n', LineEnd::Lf) if lines.after_cr => {
                lines.after_cr = false;
                lines.pending += 1;
            }
            (b'\r', LineEnd::Lf) if !lines.after_cr => lines.after_cr = true,
            _ => {
                self.lone_cr();
                match byte {
                    b'\r' => {
                        if let Some(lines) = &mut self.lines {
                            lines.after_cr = true;
                        }
                    }
                    _ => self.run(&[byte]),
                }
            }
        }
    }

    /// A CR that belongs to no line end is a byte like any other.
    fn lone_cr(&mut self) {
        if let Some(lines) = &mut self.lines
            && std::mem::take(&mut lines.after_cr)
        {
            self.line_ends();
            self.add(b"\r");
        }
    }

    fn line_ends(&mut self) {
        const ENDS: [u8; 64] = [b'\n'; 64];
        let mut left = self.lines.as_mut().map_or(0, |lines| std::mem::take(&mut lines.pending));
        while left > 0 {
            let now = left.min(ENDS.len() as u64);
            self.add(ENDS.get(..now as usize).unwrap_or_default());
            left -= now;
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
    }
}
