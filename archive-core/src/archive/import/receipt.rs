//! What the caller receives when a mail is durable.

use std::sync::Arc;

use crate::id::{Digest, MessageId};

/// Proof that a mail is durable: power may fail at any later moment (P1). Made only after the sync of the records has
/// returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(in crate::archive) id: MessageId,
    pub(in crate::archive) digest: Digest,
    pub(in crate::archive) outcome: Outcome,
    pub(in crate::archive) source: Arc<str>,
    pub(in crate::archive) offset: u64,
}

impl Receipt {
    /// The message: the new one, or the existing one.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// SHA-256 of the bytes that were given.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What became of the mail.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Path of the file within the source; empty where the source is one file.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Offset of the mail's first byte in that file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is a new message.
    Stored,
    /// The archive had it already.
    Duplicate {
        /// Its bytes differ from the stored ones in headers that mail programs change.
        restated: bool,
    },
}
