//! Reads the master's records: an open reads them from the last checkpoint on, verification reads all of them.

use std::path::Path;

use super::state::State;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::records::{
    CheckpointFact, Commit, Fact, FactKind, Link, Listing, RecordsFile, Scan, ScanItem, ScannedCommit, file_number, list_files,
};
use crate::seal::SecretKey;
use crate::vfs::Vfs;
use crate::wire::decode;

/// How far the master has come.
pub(super) struct Reached {
    pub(super) state: State,
    pub(super) link: Link,
    /// Commits since the last checkpoint, or since the beginning.
    pub(super) since_checkpoint: u64,
}

impl Reached {
    fn origin(id: Uuid) -> Self {
        Self { state: State::default(), link: Link::origin(id), since_checkpoint: 0 }
    }

    /// Adds `commit`, which must be the next one; otherwise returns damage at its place.
    pub(super) fn follow(&mut self, commit: &Commit, link: Link, damage: impl FnOnce() -> Damage) -> Result<(), Error> {
        if commit.link_after(&self.link)? != Some(link) {
            return Err(damage().into());
        }
        self.take(commit, link)
    }

    fn take(&mut self, commit: &Commit, link: Link) -> Result<(), Error> {
        self.since_checkpoint += 1;
        for fact in &commit.facts {
            let Fact::Known { kind, bytes } = fact else { continue };
            self.state.take(*kind, bytes)?;
            if *kind == FactKind::Checkpoint as u16 {
                self.since_checkpoint = 0;
            }
        }
        self.link = link;
        Ok(())
    }
}

/// What an open finds.
pub(super) struct Replayed {
    pub(super) reached: Reached,
    /// A commit above the clean mark that is whole.
    pub(super) in_flight: Option<ScannedCommit>,
    /// The records end with a mark that calls everything synced.
    pub(super) clean: bool,
}

/// Reads the files of `listing` from the last checkpoint on. `noted` is what `head.mkm` says was synced.
pub(super) fn replay(listing: &Listing, dir: &Path, id: Uuid, noted: Option<Link>) -> Result<Replayed, Error> {
    let files = from_last_checkpoint(&listing.files)?;
    let mut reached = Reached::origin(id);
    if let Some(first) = files.first() {
        let start = first.reader.header().start;
        reached.link = Link { sequence: start.first_sequence.saturating_sub(1), chain: start.chain };
    }
    let (mut pending, mut mark, mut clean, mut bad) = (None::<(ScannedCommit, Damage)>, reached.link, false, None);
    for file in files {
        let mut scan = Scan::new(file.clone(), 0);
        while let Some(item) = scan.next()? {
            clean = false;
            match item {
                ScanItem::Commit(commit) => {
                    let broken = broken_chain(file, &commit);
                    if let Some((before, broken)) = pending.replace((*commit, broken)) {
                        reached.follow(&before.commit, before.link, || broken)?;
                    }
                }
                ScanItem::Mark(end) => clean = end == file.len,
                ScanItem::Bad(damage) => bad = Some((pending.as_ref().map_or(reached.link.sequence, |(c, _)| c.link.sequence), damage)),
            }
        }
        mark = if scan.synced.sequence > mark.sequence { scan.synced } else { mark };
    }
    if let Some((_, damage)) = bad.filter(|(before, _)| *before < mark.sequence) {
        return Err(damage.into());
    }
    mark = noted.filter(|noted| noted.sequence > mark.sequence).unwrap_or(mark);
    let in_flight = match pending {
        Some((commit, broken)) if commit.link.sequence <= mark.sequence => {
            reached.follow(&commit.commit, commit.link, || broken)?;
            None
        }
        Some((commit, _)) => commit.commit.link_after(&reached.link)?.filter(|link| *link == commit.link).map(|_| commit),
        None => None,
    };
    if reached.link.sequence < mark.sequence {
        let path = listing.files.last().map_or_else(|| dir.to_owned(), |file| file.reader.path().to_owned());
        return Err(Damage::new(&path, 0, 0, DamageCause::Truncated).into());
    }
    Ok(Replayed { reached, in_flight, clean })
}

/// The first damage of headers or missing files, from the last checkpoint on.
pub(super) fn damage_that_counts(listing: &Listing) -> Result<Option<Damage>, Error> {
    let files = from_last_checkpoint(&listing.files)?;
    let first = files.first().filter(|_| files.len() < listing.files.len() || begins_with_checkpoint(files)).map_or(0, |file| file.number);
    let counts = |damage: &Damage| match damage.cause {
        DamageCause::Misnamed(_) => true,
        _ => file_number(&damage.file).is_none_or(|number| number >= first),
    };
    Ok(listing.damage.iter().find(|damage| counts(damage)).cloned())
}

/// What can be read of a damaged master, in order, and the highest link that any of it states.
pub(super) fn readable(listing: &Listing, id: Uuid) -> Result<(State, Link), Error> {
    let (mut state, mut last) = (State::default(), Link::origin(id));
    for file in &listing.files {
        let mut scan = Scan::new(file.clone(), 0);
        while let Some(item) = scan.next()? {
            if let ScanItem::Commit(commit) = item {
                for fact in &commit.commit.facts {
                    if let Fact::Known { kind, bytes } = fact {
                        state.take(*kind, bytes)?;
                    }
                }
                last = if commit.link.sequence > last.sequence { commit.link } else { last };
            }
        }
        last = if scan.synced.sequence > last.sequence { scan.synced } else { last };
    }
    Ok((state, last))
}

fn begins_with_checkpoint(files: &[RecordsFile]) -> bool {
    let first = files.first().map(|file| Scan::new(file.clone(), 0).next());
    matches!(first, Some(Ok(Some(ScanItem::Commit(commit)))) if commit.commit.facts.iter().any(is_checkpoint))
}

/// The files from the one on that begins with the last checkpoint; all if there is none.
fn from_last_checkpoint(files: &[RecordsFile]) -> Result<&[RecordsFile], Error> {
    for at in (0..files.len()).rev() {
        let Some(rest) = files.get(at..) else { continue };
        let Some(file) = rest.first() else { continue };
        if let Some(ScanItem::Commit(first)) = Scan::new(file.clone(), 0).next()?
            && first.commit.facts.iter().any(is_checkpoint)
        {
            return Ok(rest);
        }
    }
    Ok(files)
}

fn is_checkpoint(fact: &Fact) -> bool {
    matches!(fact, Fact::Known { kind, .. } if *kind == FactKind::Checkpoint as u16)
}

fn repairs(fact: &Fact) -> bool {
    match fact {
        Fact::Known { bytes, .. } if is_checkpoint(fact) => decode::<CheckpointFact>(bytes).is_ok_and(|checkpoint| checkpoint.repairs),
        _ => false,
    }
}

fn broken_chain(file: &RecordsFile, commit: &ScannedCommit) -> Damage {
    Damage::new(file.reader.path(), commit.begin, commit.end - commit.begin, DamageCause::Chain)
}

/// Reads and checks all of the master's records, each checkpoint against what came before it; `report` receives damage,
/// and whether it is before the last repair, which accepted it. Returns the number of files.
pub(super) fn verify(
    vfs: &dyn Vfs,
    dir: &Path,
    key: &SecretKey,
    id: Uuid,
    read_to: Option<Link>,
    report: &mut dyn FnMut(Damage, bool),
) -> Result<u64, Error> {
    let listing = list_files(vfs, dir, key, id)?;
    let repaired = last_repair(&listing.files)?;
    let mut report = |damage: Damage| {
        let is_misnamed = matches!(damage.cause, DamageCause::Misnamed(_));
        let accepted = !is_misnamed && file_number(&damage.file).is_some_and(|number| number < repaired);
        report(damage, accepted);
    };
    listing.damage.into_iter().for_each(&mut report);
    let (mut reached, count) = (Reached::origin(id), listing.files.len() as u64);
    // After damage the state is unknown until the next checkpoint.
    let mut is_known = true;
    'files: for file in listing.files {
        let mut scan = Scan::new(file.clone(), 0);
        while let Some(item) = scan.next()? {
            // What follows is not of the state that a reader shows: a writer has added it since, or is writing it.
            if read_to == Some(reached.link) {
                break 'files;
            }
            match item {
                ScanItem::Commit(commit) => {
                    // A repair continues after lost commits; its frames name the one that it follows.
                    if file.number == repaired && commit.commit.facts.iter().any(repairs) {
                        (reached.link, is_known) = (commit.stamp.synced, false);
                    }
                    if commit.commit.link_after(&reached.link)? != Some(commit.link) {
                        report(broken_chain(&file, &commit));
                        is_known = false;
                    }
                    let before = reached.state.clone();
                    reached.take(&commit.commit, commit.link)?;
                    if commit.commit.facts.iter().any(is_checkpoint) {
                        if is_known && before != reached.state {
                            report(Damage { cause: DamageCause::Disagreement, ..broken_chain(&file, &commit) });
                        }
                        is_known = true;
                    }
                }
                ScanItem::Mark(_) => {}
                ScanItem::Bad(damage) => report(damage),
            }
        }
    }
    Ok(count)
}

/// The number of the last file in which a repair started the master over; 0 without one.
fn last_repair(files: &[RecordsFile]) -> Result<u64, Error> {
    for file in files.iter().rev() {
        if let Some(ScanItem::Commit(first)) = Scan::new(file.clone(), 0).next()?
            && first.commit.facts.iter().any(repairs)
        {
            return Ok(file.number);
        }
    }
    Ok(0)
}
