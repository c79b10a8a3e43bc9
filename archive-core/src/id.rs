//! Numbers and digests with a meaning. Each type says how long its values live; none of them is an alias.

use std::fmt;
use std::str::FromStr;

/// Number of a store within its archive. Assigned once, never again, not even after the store was detached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreNo(pub u32);

/// Number of a content within its store: dense from 0, never reused, not even after compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentNo(pub u32);

/// Number of a part (the decoded body of a MIME leaf) within its store: dense from 0, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNo(pub u32);

/// Number of a message within its store: dense from 0, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNo(pub u32);

/// Number of a folder within its store: dense from 1, never reused; 0 is the root of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderNo(pub u32);

/// A message's permanent name: store number and message number, written `3:10251`.
///
/// Not the `Message-ID` header field of RFC 5322, which is neither unique nor trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The store of the message.
    pub store: StoreNo,
    /// Its number there.
    pub no: MessageNo,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.store.0, self.no.0)
    }
}

/// The text is not a message id. Fix: ids look like `1:42` and are printed by `search` and `ls`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a message id; ids look like 1:42")]
pub struct NotAMessageId(pub String);

impl FromStr for MessageId {
    type Err = NotAMessageId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAMessageId(text.to_owned());
        let (store, no) = text.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| {
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            digits.parse().map_err(|_| wrong())
        };
        Ok(Self { store: StoreNo(number(store)?), no: MessageNo(number(no)?) })
    }
}

/// SHA-256 (FIPS 180-4) of the exact bytes of a content or part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// What makes two copies the same mail to a person: first half of a SHA-256 over named headers and decoded parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u8; 16]);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A random identifier of an archive, a store or a file; written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_reads_back_what_it_prints() {
        let id = MessageId { store: StoreNo(3), no: MessageNo(10251) };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "3", "3:", ":1", "+3:1", "3:-1", "3:1:2", "3:99999999999"] {
            assert!(wrong.parse::<MessageId>().is_err(), "{wrong}");
        }
    }
}
