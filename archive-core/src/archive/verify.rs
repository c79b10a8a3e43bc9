//! Everything is read and checked, and what is wrong is named with what it costs (P6, P11).

use std::path::PathBuf;

use super::master::Master;
use super::{Acting, identity_path};
use crate::error::{Damage, DamageCause, Error, Remedy};
use crate::id::{MessageId, MessageNo};
use crate::records::read_head;
use crate::store::Reach;

/// Damage and the messages that it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Where the damage begins, in bytes.
    pub offset: u64,
    /// How many bytes cannot be trusted; 0 if the whole file is meant.
    pub len: u64,
    /// What is wrong.
    pub cause: DamageCause,
    /// Messages whose bytes are hit.
    pub messages: Vec<MessageId>,
    /// Messages whose bytes are there, and whose record is hit: where they came from, and all else that no header says.
    pub records: Vec<MessageId>,
    /// How it is mended, where it is in what can be made anew.
    pub remedy: Option<Remedy>,
}

/// What was read and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Files read.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Messages in the archive.
    pub messages: u64,
    /// Bytes of contents whose digest was checked.
    pub content_bytes: u64,
    /// What is damaged.
    pub findings: Vec<Finding>,
    /// What lies in the archive's folder and does not belong to it. It is no damage, and left as it is.
    pub foreign: Vec<PathBuf>,
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Every frame of every file, and every content against its digest.
    #[default]
    Everything,
    /// Every frame of every file.
    Structure,
    /// Part `no`, from 1, of `of` parts of the contents and containers, and all other files.
    Part {
        /// Which.
        no: u32,
        /// Of how many.
        of: u32,
    },
}

impl Acting<'_> {
    /// Reads everything and checks everything. `progress` gets the bytes of contents checked so far and ends the work by an error.
    pub fn verify(&self, depth: Depth, progress: &mut dyn FnMut(u64) -> Result<(), Error>) -> Result<VerifyReport, Error> {
        self.only_system("to verify an archive")?;
        let archive = self.archive;
        let reach = match depth {
            Depth::Everything => Reach { contents: true, part: (1, 1) },
            Depth::Structure => Reach { contents: false, part: (1, 1) },
            Depth::Part { no, of } if (1..=of).contains(&no) => Reach { contents: true, part: (no, of) },
            Depth::Part { no, of } => return Err(Error::Misuse(format!("there is no part {no} of {of}"))),
        };
        let (found, checked) = archive.store.verify(reach, progress)?;
        let mut report = VerifyReport {
            files: checked.files + 4,
            bytes: checked.bytes,
            messages: checked.messages,
            content_bytes: checked.content_bytes,
            findings: Vec::new(),
            foreign: archive.foreign()?,
        };
        let mut own = archive.verify_identity()?;
        own.extend(archive.store.verify_identity(&archive.archive_key)?);
        match archive.master_key()? {
            Some(key) => {
                report.files += Master::verify(&*archive.vfs, &archive.dir, &key, archive.id, &mut |damage| own.push(damage))?;
                match read_head(&*archive.vfs, &super::master::dir(&archive.dir), &key, archive.id) {
                    Ok(_) => report.files += 1,
                    Err(Error::Damage(damage)) => own.push(damage),
                    Err(error) => return Err(error),
                }
            }
            None => own.push(Damage::new(&identity_path(&archive.dir), 0, 0, DamageCause::Forged)),
        }
        // What an open found and put right can no more be seen.
        for notice in archive.notices() {
            if let Error::Damage(damage) = notice
                && !own.contains(damage)
            {
                own.push(damage.clone());
            }
        }
        // What an open found and cut can no more be seen.
        if let Some(damage) = archive.master().damage().filter(|_| own.is_empty()) {
            own.push(damage.clone());
        }
        for damage in own {
            let (file, offset, len, cause) = (damage.file, damage.offset, damage.len, damage.cause);
            report.findings.push(Finding { file, offset, len, cause, messages: Vec::new(), records: Vec::new(), remedy: None });
        }
        let store = archive.store.no();
        for finding in found {
            let ids = |numbers: Vec<MessageNo>| numbers.into_iter().map(|no| MessageId { store, no }).collect();
            let (messages, records) = (ids(finding.messages), ids(finding.records));
            let damage = finding.damage;
            let remedy = damage.remedy();
            let (file, offset, len, cause) = (damage.file, damage.offset, damage.len, damage.cause);
            report.findings.push(Finding { file, offset, len, cause, messages, records, remedy });
        }
        Ok(report)
    }
}
