//! Verification: everything is read and checked, and damage is reported with what it costs (P6, P11).

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::actor::Acting;
use super::identity_path;
use super::master::Master;
use crate::error::{Damage, DamageCause, Error, Remedy};
use crate::id::{MessageId, MessageNo};
use crate::progress::Progress;
use crate::records::{DamagedPlace, read_head};
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
    /// Messages whose bytes are whole and whose record is hit: where they came from, and everything else that no header
    /// says.
    pub records: Vec<MessageId>,
    /// How it is fixed, if what is damaged can be rebuilt.
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
    /// Messages that were archived and of which damage left nothing: no list shows them.
    pub lost_messages: u64,
    /// Bytes of contents whose digest was checked.
    pub content_bytes: u64,
    /// What is damaged.
    pub findings: Vec<Finding>,
    /// Damage that costs no mail: all mails that it hit were imported again, and are read from elsewhere.
    pub healed: Vec<Finding>,
    /// Damage that was accepted: by a repair that came after it, or by [`Session::accept_damage`](super::Session::accept_damage).
    pub accepted: Vec<Finding>,
    /// What is in the archive's folder and does not belong there. It is not damage, and is left as it is.
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
    pub(super) fn verify(&self, depth: Depth, progress: &Progress) -> Result<VerifyReport, Error> {
        self.only_system("verify")?;
        let archive = self.archive;
        let reach = match depth {
            Depth::Everything => Reach { contents: true, part: (1, 1) },
            Depth::Structure => Reach { contents: false, part: (1, 1) },
            Depth::Part { no, of } if (1..=of).contains(&no) => Reach { contents: true, part: (no, of) },
            Depth::Part { no, of } => return Err(Error::misuse(format!("there is no part {no} of {of}"), "parts are counted from 1")),
        };
        let mut report = VerifyReport {
            files: 4,
            bytes: 0,
            messages: 0,
            lost_messages: 0,
            content_bytes: 0,
            findings: Vec::new(),
            healed: Vec::new(),
            accepted: Vec::new(),
            foreign: archive.foreign()?,
        };
        let (mut own, mut repaired) = (archive.verify_identity()?, Vec::new());
        own.extend(archive.stores.damage_of_failed(&archive.dir));
        let mut found = Vec::new();
        for store in self.stores.iter() {
            let (of_store, checked) = store.verify(reach, progress)?;
            report.files += checked.files;
            report.bytes += checked.bytes;
            report.messages += checked.messages;
            report.lost_messages += checked.lost_messages;
            report.content_bytes += checked.content_bytes;
            found.extend(of_store.into_iter().map(|finding| (store.no(), finding)));
            own.extend(store.verify_identity(archive.archive_key())?);
        }
        match archive.master_key()? {
            Some(key) => {
                let read_to = archive.master().read_to();
                report.files += Master::verify(&*archive.vfs, &archive.dir, &key, archive.id, read_to, &mut |damage, accepted| {
                    if accepted { &mut repaired } else { &mut own }.push(damage);
                })?;
                match read_head(&*archive.vfs, &super::master::dir(&archive.dir), &key, archive.id) {
                    Ok(_) => report.files += 1,
                    Err(Error::Damage(damage)) => own.push(damage),
                    Err(error) => return Err(error),
                }
            }
            None => own.push(Damage::new(&identity_path(&archive.dir), 0, 0, DamageCause::Forged)),
        }
        // What the open found and fixed can no longer be seen.
        for notice in &archive.notices {
            if let Error::Damage(damage) = notice
                && !own.contains(damage)
            {
                own.push(damage.clone());
            }
        }
        // What the open found and cut can no longer be seen.
        if let Some(damage) = archive.master().damage().filter(|_| own.is_empty()) {
            own.push(damage.clone());
        }
        let mut accepted = BTreeSet::new();
        for store in self.stores.iter() {
            accepted.extend(store.accepted()?);
        }
        let mut put = |state: State, finding: Finding| match state {
            State::Healed => report.healed.push(finding),
            State::Repaired => report.accepted.push(finding),
            State::Damaged => match place_of(&archive.dir, &finding).is_some_and(|place| accepted.contains(&place)) {
                true => report.accepted.push(finding),
                false => report.findings.push(finding),
            },
        };
        let plain = |damage: Damage| {
            let (file, offset, len, cause) = (damage.file, damage.offset, damage.len, damage.cause);
            Finding { file, offset, len, cause, messages: Vec::new(), records: Vec::new(), remedy: None }
        };
        own.into_iter().for_each(|damage| put(State::Damaged, plain(damage)));
        repaired.into_iter().for_each(|damage| put(State::Repaired, plain(damage)));
        // Damage that the open found and that this pass does not show.
        let seen = archive.damage().filter(|damage| !found.iter().any(|(_, finding)| finding.damage.file == damage.file));
        for (store, finding) in found {
            let ids = |numbers: Vec<MessageNo>| numbers.into_iter().map(|no| MessageId { store, no }).collect();
            let (messages, records) = (ids(finding.messages), ids(finding.records));
            let state = match (finding.healed, finding.repaired) {
                (true, _) => State::Healed,
                (false, true) => State::Repaired,
                (false, false) => State::Damaged,
            };
            let remedy = finding.damage.remedy();
            put(state, Finding { messages, records, remedy, ..plain(finding.damage) });
        }
        if let Some(damage) = seen.filter(|damage| !report.findings.iter().any(|finding| finding.file == damage.file)) {
            report.findings.push(plain(damage));
        }
        Ok(report)
    }

    pub(super) fn accept_damage(&self, report: &mut VerifyReport) -> Result<(), Error> {
        self.only_system("accept damage")?;
        let archive = self.archive;
        let place = |finding: &Finding| place_of(&archive.dir, finding).filter(|_| finding.remedy.is_none());
        archive.current()?.accept(report.findings.iter().filter_map(place).collect())?;
        let (accepted, findings) = std::mem::take(&mut report.findings).into_iter().partition(|finding| place(finding).is_some());
        report.findings = findings;
        report.accepted.extend::<Vec<Finding>>(accepted);
        Ok(())
    }
}

/// How damage is listed.
enum State {
    Damaged,
    Healed,
    Repaired,
}

/// A finding as a place below the archive's folder; `None` if it is elsewhere.
fn place_of(dir: &Path, finding: &Finding) -> Option<DamagedPlace> {
    let below = finding.file.strip_prefix(dir).ok()?;
    let names = below.components().map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let names: Vec<&str> = names.collect::<Option<_>>()?;
    Some((names.join("/"), finding.offset, finding.len))
}
