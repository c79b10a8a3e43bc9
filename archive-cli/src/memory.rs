//! What the command remembers of an archive between runs, in a file of the user's state folder: when it last gave a
//! reminder, and the last full verification that was noted. Nothing depends on it: if it cannot be read, nothing is
//! remembered.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use archive_core::Archive;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::out::Out;
use crate::place;

/// Seconds between two reminders about the same thing.
const DAY: i64 = 86_400;
/// No file of this kind is larger.
const MOST: u64 = 64 << 10;

/// What the command reminds of.
#[derive(Debug, Clone, Copy)]
pub enum Reminder {
    /// The recovery key was never confirmed.
    RecoveryKey,
    /// Text that could not be read would decide whether mails belong to an answer.
    UnreadText,
}

impl Reminder {
    fn name(self) -> &'static str {
        match self {
            Self::RecoveryKey => "recovery_key",
            Self::UnreadText => "unread_text",
        }
    }
}

/// The last verification of everything that was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Seconds since 1970.
    pub at: i64,
    /// Mails that were read.
    pub messages: u64,
    /// Damaged places, except those accepted or healed.
    pub damaged: u64,
}

/// What is remembered of one archive.
pub struct Memory {
    path: Option<PathBuf>,
    known: Value,
}

impl Memory {
    /// The memory of this archive.
    pub fn of(archive: &Archive) -> Self {
        let path = place::state().map(|state| state.join(format!("{}.json", archive.id())));
        let mut text = String::new();
        let read = path.as_ref().map(|path| fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text)));
        let known = read.and_then(|read| read.ok()).and_then(|_| serde_json::from_str(&text).ok());
        Self { path, known: known.filter(Value::is_object).unwrap_or_else(|| json!({})) }
    }

    /// Whether it is time for a reminder, which then counts as given.
    pub fn is_due(&mut self, what: Reminder, now: i64) -> bool {
        let last = self.known["reminded"][what.name()].as_i64();
        // A clock that was set back does not suppress reminders for long.
        let is_due = last.is_none_or(|last| now < last || now - last >= DAY);
        if is_due {
            let mut reminded = self.known["reminded"].as_object().cloned().unwrap_or_default();
            reminded.insert(what.name().to_owned(), now.into());
            self.known["reminded"] = reminded.into();
            // Otherwise the reminder comes once more.
            let _not_noted = self.write();
        }
        is_due
    }

    /// The last verification of everything, if one was noted.
    pub fn verified(&self) -> Option<Verified> {
        let noted = &self.known["verified"];
        Some(Verified { at: noted["at"].as_i64()?, messages: noted["messages"].as_u64()?, damaged: noted["damaged"].as_u64()? })
    }

    /// Notes a verification of everything.
    pub fn note_verified(&mut self, verified: Verified) -> Result<(), Failure> {
        let Verified { at, messages, damaged } = verified;
        self.known["verified"] = json!({ "at": at, "messages": messages, "damaged": damaged });
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let Some(path) = &self.path else {
            return Err(Failure::Usage("there is no folder for state; set XDG_STATE_HOME".to_owned()));
        };
        if let Some(dir) = path.parent() {
            place::make_private_dir(dir)?;
        }
        let partial = path.with_extension(format!("{}.tmp", std::process::id()));
        let _left = fs::remove_file(&partial);
        let mut file = place::new_private(&partial)?;
        writeln!(file, "{}", self.known).map_err(Failure::file("write", &partial))?;
        fs::rename(&partial, path).map_err(Failure::file("write", path))
    }
}

/// Whether to remind of `what` now: once a day, and only people.
pub fn is_due(archive: &Archive, what: Reminder, out: &Out) -> bool {
    out.may_remind() && Memory::of(archive).is_due(what, now())
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_comes_once_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/of.json");
        let mut memory = Memory { path: Some(path.clone()), known: json!({}) };
        assert!(memory.is_due(Reminder::RecoveryKey, 1_000_000));
        assert!(!memory.is_due(Reminder::RecoveryKey, 1_000_000 + DAY - 1));
        assert!(memory.is_due(Reminder::UnreadText, 1_000_000), "each on its own");
        assert!(memory.is_due(Reminder::RecoveryKey, 1_000_000 + DAY));
        assert!(memory.is_due(Reminder::RecoveryKey, 5), "the clock was set back");
        let verified = Verified { at: 7, messages: 8, damaged: 0 };
        memory.note_verified(verified).unwrap();
        let known = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut again = Memory { path: Some(path), known };
        assert_eq!(again.verified(), Some(verified));
        assert!(!again.is_due(Reminder::RecoveryKey, 6), "it was written");
        assert_eq!(Memory { path: None, known: json!({ "verified": [1, "x"] }) }.verified(), None);
    }
}
