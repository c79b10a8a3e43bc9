//! The digest of a mail without the header fields that mail programs restate: what a mailbox in use changes about a
//! mail that it keeps. Two copies that differ only in these fields share this digest.

use sha2::{Digest as _, Sha256};

use crate::id::Digest;

use super::media::Field;
use super::walk::{MAX_HEADER, Node, NodeNo, Visitor};

/// The longest lead of a mail (mark, From_ line) for which there is such a digest.
const MAX_LEAD: usize = MAX_HEADER;

/// Computes the digest during a walk.
#[derive(Debug)]
pub(super) struct Restated {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Possibly still before the header block.
    Lead(Vec<u8>),
    /// Bytes from `from` on count.
    Hashing { from: u64, hash: Sha256 },
    /// No field to leave out, or too much before the body to know.
    Nothing,
}

impl Default for Restated {
    fn default() -> Self {
        Self { state: State::Lead(Vec::new()) }
    }
}

impl Restated {
    /// The digest, if the mail has such fields and its header block is not longer than [`MAX_HEADER`].
    pub(super) fn finish(self) -> Option<Digest> {
        match self.state {
            State::Hashing { hash, .. } => Some(Digest(hash.finalize().into())),
            State::Lead(_) | State::Nothing => None,
        }
    }

    fn next_bytes(&mut self, at: u64, bytes: &[u8]) {
        match &mut self.state {
            State::Lead(lead) => lead.extend(bytes.iter().take(MAX_LEAD - lead.len())),
            State::Hashing { from, hash } => {
                let known = usize::try_from(from.saturating_sub(at)).unwrap_or(usize::MAX);
                hash.update(bytes.get(known..).unwrap_or_default());
            }
            State::Nothing => {}
        }
    }
}

impl Visitor for Restated {
    fn open(&mut self, node: &Node<'_>) {
        let State::Lead(lead) = &self.state else {
            return;
        };
        let lead = usize::try_from(node.header_at.start).ok().and_then(|len| lead.get(..len));
        let (Some(lead), false) = (lead, node.header_is_cut()) else {
            self.state = State::Nothing;
            return;
        };
        let mut hash = Sha256::new_with_prefix(lead);
        let mut kept = 0;
        for field in node.fields.iter().filter(|field| is_status(field)) {
            hash.update(node.header.get(kept..field.at).unwrap_or_default());
            kept = field.at + field.raw.len();
        }
        hash.update(node.header.get(kept..).unwrap_or_default());
        self.state = if kept == 0 { State::Nothing } else { State::Hashing { from: node.header_at.end, hash } };
    }

    fn body(&mut self, _: NodeNo, at: u64, bytes: &[u8]) {
        self.next_bytes(at, bytes);
    }

    fn preamble(&mut self, _: NodeNo, at: u64, bytes: &[u8]) {
        self.next_bytes(at, bytes);
    }

    fn glue(&mut self, at: u64, bytes: &[u8]) {
        self.next_bytes(at, bytes);
    }
}

fn is_status(field: &Field<'_>) -> bool {
    const NAMES: [&str; 7] = ["Status", "X-Status", "X-Keywords", "X-UID", "X-Gmail-Labels", "Content-Length", "Lines"];
    const MOZILLA: &[u8] = b"X-Mozilla-";
    NAMES.iter().any(|name| field.is(name)) || field.name.get(..MOZILLA.len()).is_some_and(|start| start.eq_ignore_ascii_case(MOZILLA))
}
