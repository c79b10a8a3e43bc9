//! Replay: brings the catalog from its basis to the last commit that can be trusted, and prepares the store for
//! writing.
//!
//! The clean mark is the highest commit that any witness calls durable: `head.mkm`, the manifests of catalog and index,
//! valid frames. What is invalid at or below it is damage: it is reported, replay continues after it, and writing waits
//! for a repair. Above the mark at most one commit is in flight. If it is whole, it is adopted; otherwise it does not
//! count, and is kept in `lost+found` and cut, whatever valid frames follow. Docs: DURABILITY.md, "Opening".

use std::sync::Arc;

use super::index::may_lag;
use super::lost::{LostFound, Recovery};
use super::witness::{Verdict, Who, Witnesses};
use super::{StoreDirs, StoreOptions};
use crate::catalog::Catalog;
use crate::container::Containers;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::progress::{Progress, Step, Unit};
use crate::records::{
    Commit, Head, Link, Listing, Records, RecordsFile, Scan, ScanItem, ScannedCommit, TakenCommit, cut_tail, file_number, file_path,
    head_path, list_files, read_head,
};
use crate::seal::{HEADER_LEN, SecretKey, name_by_bytes};
use crate::vfs::{Vfs, cut_file};
use crate::wire::Unknown;

/// The state of a store's records after replay, with the catalog up to date.
pub(super) struct Recovered {
    /// The writer of records; `None` where damage forbids writing.
    pub(super) records: Option<Records>,
    /// The active container and its end, if it may be continued.
    pub(super) active: Option<(u32, u64)>,
    /// A container that was found unfinished and is now closed, and its end.
    pub(super) closed: Option<(u32, u64)>,
    pub(super) damage: Vec<Damage>,
    /// Why writing is forbidden although no byte is damaged.
    pub(super) barred: Option<Error>,
    /// The records lost commits that the catalog does not know.
    pub(super) incomplete: bool,
    /// What `head.mkm` says.
    pub(super) head: Option<Head>,
    /// The clean mark.
    pub(super) mark: Link,
    pub(super) recovery: Recovery,
    /// For a store that is only read: its records files with sections, and that of the last commit, as they were when they
    /// were scanned. A writer may replace them by files without.
    pub(super) pinned: Vec<RecordsFile>,
    /// A store that is only read could be written, as far as its records say.
    pub(super) is_sound: bool,
}

impl Recovered {
    /// The store can be read, and is not written.
    fn reading_only(damage: Vec<Damage>, barred: Option<Error>, mark: Link) -> Self {
        Self {
            records: None,
            active: None,
            closed: None,
            damage,
            barred,
            incomplete: false,
            head: None,
            mark,
            recovery: Recovery::default(),
            pinned: Vec::new(),
            is_sound: false,
        }
    }
}

/// Everything that replay needs.
pub(super) struct Replay<'a> {
    pub(super) vfs: &'a Arc<dyn Vfs>,
    pub(super) dirs: &'a StoreDirs,
    pub(super) key: &'a SecretKey,
    pub(super) owner: Uuid,
    pub(super) options: &'a StoreOptions,
    pub(super) containers: &'a Containers,
    /// Name of the store, for messages.
    pub(super) name: &'a str,
    /// The commit up to which the index claims to be valid.
    pub(super) index_basis: Option<Link>,
    /// The head of this store that the master noted.
    pub(super) noted: Option<Link>,
    pub(super) progress: &'a Progress,
}

/// How records and catalog fit together.
enum Scanned {
    Fits(Box<Found>),
    /// They end before its basis.
    Ahead,
    /// They have another commit in the place of its basis: the catalog belongs to other records.
    Contradicts,
}

/// The result of a scan of the records.
struct Found {
    /// The last commit read; above the mark it has yet to be proven.
    pending: Option<(ScannedCommit, RecordsFile)>,
    mark: Link,
    /// Whether the last file ends with a frame that calls the last commit synced.
    marked_end: bool,
    /// Stretches that could not be read, each with the sequence that replay had reached.
    bad: Vec<(u64, Damage)>,
    witnesses: Witnesses,
}

impl Replay<'_> {
    /// Brings `catalog` up to the records and makes them ready for writing.
    pub(super) fn run(&self, catalog: &mut Catalog) -> Result<Recovered, Error> {
        let mut damage = Vec::new();
        // Without its head a store has one witness less. That alone is no reason to refuse mail.
        let head = match read_head(&**self.vfs, &self.dirs.root, self.key, self.owner) {
            Ok(head) => head,
            Err(Error::Damage(of_head)) => {
                damage.push(of_head);
                None
            }
            Err(error) => return Err(error),
        };
        let broken_head = !damage.is_empty();
        // Before the scan, which compares what each of them says with the commits that it passes.
        let mut witnesses = Witnesses::default();
        witnesses.hear(Who::Head, head.as_ref().map(Head::link));
        witnesses.hear(Who::Index, self.index_basis);
        witnesses.hear(Who::Master, self.noted);

        // Beside a writer, what containers say is only comparable with records that are read after them.
        let in_containers = match self.options.read_only {
            true => Some(self.container_tail(catalog, catalog.basis().link)?.synced),
            false => None,
        };
        // A writer may put a container aside, and create another one of that number.
        self.containers.forget();
        let listing = list_files(&**self.vfs, &self.dirs.records, self.key, self.owner)?;
        let mut flushed = catalog.basis().records;
        let mut found = match self.scan(&listing, catalog, &witnesses)? {
            Scanned::Fits(found) => *found,
            // The catalog knows commits that the records lost: it is the best view that there is, unless it is that of
            // a fork.
            Scanned::Ahead if self.agrees(&listing, catalog)? => return Ok(Recovered { head, ..self.records_lost(&listing, catalog) }),
            Scanned::Ahead | Scanned::Contradicts => {
                catalog.reset()?;
                // The old catalog's place may lie within a commit of these records: a cut must not start from there.
                flushed = catalog.basis().records;
                match self.scan(&listing, catalog, &witnesses)? {
                    Scanned::Fits(found) => *found,
                    _ => return Err(Error::Bug("an empty catalog does not fit the records")),
                }
            }
        };
        // Damage before the last repair was accepted by it. The last commit, which may be that repair, is not in the
        // catalog yet.
        let accepted = match &found.pending {
            Some((commit, _)) if commit.commit.repairs() => (commit.span.place.file, commit.span.place.offset),
            _ => catalog.basis().repaired_at,
        };
        let unaccepted = |damage: &Damage| !is_before(damage, accepted, &listing.files);
        let listing_damage: Vec<Damage> = listing.damage.iter().filter(|damage| unaccepted(damage)).cloned().collect();
        damage.extend(listing_damage.clone());
        let mut mark = found.mark;
        let mut raise = |link: Link| mark = if link.sequence > mark.sequence { link } else { mark };
        let last = found.pending.as_ref().map_or(catalog.basis().link, |(commit, _)| commit.link);
        // Frames in containers are written before the record of their commit, so they may know of commits that the
        // records lost.
        raise(match in_containers {
            Some(synced) => synced,
            None => self.container_tail(catalog, last)?.synced,
        });
        let in_records = last.sequence;
        // A fork (a copy that was written to separately) may be further than what was noted, and its catalog too: then
        // replay began after the commit in question, and it has to be looked up.
        for who in [Who::Head, Who::Index, Who::Master] {
            if let Some(said) = found.witnesses.unseen(who, in_records)
                && let Some(there) = link_of(&listing, said.sequence)?
            {
                found.witnesses.see(there);
            }
        }
        for who in [Who::Head, Who::Index] {
            match found.witnesses.verdict(who, in_records) {
                // Even if the records do not reach it: what is between was durable, and is lost.
                Some((link, Verdict::Holds | Verdict::NotReached)) => raise(link),
                // An index of other records is discarded and rebuilt.
                Some((_, Verdict::Contradicted)) if who == Who::Head => {
                    damage.push(Damage::new(&head_path(&self.dirs.root), HEADER_LEN as u64, 0, DamageCause::Chain));
                }
                _ => {}
            }
        }
        // At or below the mark the commit counts whatever is missing of it: it may have receipts. Above, only if it is
        // whole.
        let mut taken = None;
        // A writer that comes after a crash may move the last commit to a new file and cut it off this one, also if what
        // calls it durable is cut before.
        let kept = match &found.pending {
            Some((commit, file)) if self.options.read_only => {
                Some(RecordsFile { reader: file.reader.clone().keeping(commit.begin..commit.end)?, ..file.clone() })
            }
            _ => None,
        };
        if let Some((commit, file)) = found.pending {
            if commit.link.sequence <= mark.sequence {
                self.accept(catalog, &commit, &mut damage)?;
            } else if self.is_whole(catalog, &commit)? {
                taken = Some((commit, file));
            }
        }
        // A bad stretch after the commit of the mark is the torn tail of the crash, not damage.
        let reached = catalog.basis().link.sequence;
        let bad: Vec<Damage> =
            found.bad.into_iter().filter(|(at, _)| *at < mark.sequence).map(|(_, damage)| damage).filter(unaccepted).collect();
        let mut commits_lost = !bad.is_empty() || !listing_damage.is_empty();
        damage.extend(bad);
        if reached < mark.sequence {
            commits_lost = true;
            // The records end cleanly but too early, as a file that was cut between two frames does.
            if damage.len() == usize::from(broken_head) {
                damage.push(self.records_end_early(&listing));
            }
        }
        // Once more: the recorded end moved if the last commit has been accepted.
        let tail = self.container_tail(catalog, last)?;
        damage.extend(tail.damage.clone());
        let clean = taken.is_none() && found.marked_end && listing.leftovers.is_empty() && !tail.unclean && reached == mark.sequence;
        let last = taken.as_ref().map_or(reached, |(commit, _)| commit.link.sequence);
        let is_damaged = damage.len() > usize::from(broken_head);
        let barred = self.barred(catalog, &found.witnesses, last, is_damaged);
        // Before anything is written: the commit in flight may have been written by a later version.
        let barred = match &taken {
            Some((commit, _)) => commit.commit.forbids_writing()?.map(too_new_to_write).or(barred),
            None => barred,
        };
        // Tables in containers supply what the records lost. Up to its basis an existing catalog knows more than they
        // do.
        let incomplete = commits_lost || matches!(barred, Some(Error::RolledBack { .. }));
        if self.options.read_only {
            // A whole commit is shown. A writer syncs it before its receipts, and what is not whole is a torn tail, or
            // one that is being written.
            if let Some((commit, _)) = taken {
                self.accept(catalog, &commit, &mut damage)?;
            }
            let is_last = |number| kept.as_ref().is_some_and(|kept| kept.number == number);
            let sections = &catalog.basis().sections;
            let pinned = listing.files.into_iter().filter(|file| sections.contains_key(&file.number) && !is_last(file.number));
            let pinned = pinned.collect::<Vec<_>>().into_iter().chain(kept).collect();
            let is_sound = !is_damaged;
            return Ok(Recovered { incomplete, head, pinned, is_sound, ..Recovered::reading_only(damage, barred, mark) });
        }
        // Without `head.mkm`, damage cannot be told from a commit in flight: nothing is cut.
        if is_damaged || barred.is_some() || broken_head && !clean {
            if let Some((commit, _)) = taken {
                // Its mails may have receipts.
                self.accept(catalog, &commit, &mut damage)?;
            }
            return Ok(Recovered { incomplete, head, ..Recovered::reading_only(damage, barred, mark) });
        }
        let in_flight = taken.as_ref().map(|(commit, _)| commit.clone());
        let recovered = match listing.files.last() {
            Some(last) if clean => self.go_on(catalog, last)?,
            _ => match self.take_over(catalog, &listing, taken, flushed) {
                // What cannot be kept is not cut. A whole commit is shown all the same: its mails may have receipts.
                Err(Error::Io(error)) if error.is_refused() => {
                    if let Some(commit) = in_flight.filter(|commit| commit.link.sequence > catalog.basis().link.sequence) {
                        self.accept(catalog, &commit, &mut damage)?;
                    }
                    Recovered::reading_only(damage.clone(), Some(error.into()), mark)
                }
                taken_over => taken_over?,
            },
        };
        Ok(Recovered { damage, head, ..recovered })
    }

    /// Continues in files that were found clean. Writes nothing.
    fn go_on(&self, catalog: &Catalog, last: &RecordsFile) -> Result<Recovered, Error> {
        let basis = catalog.basis();
        let records = Records::resume(
            Arc::clone(self.vfs),
            &self.dirs.records,
            self.key.duplicate(),
            self.owner,
            last.number,
            basis.link,
            basis.tree.clone(),
            self.options.new_files,
        )?;
        let active = (basis.container.0 != 0).then_some(basis.container);
        Ok(Recovered { records: Some(records), active, ..Recovered::reading_only(Vec::new(), None, catalog.basis().link) })
    }

    /// Why writing is forbidden although nothing is damaged.
    fn barred(&self, catalog: &Catalog, witnesses: &Witnesses, reached: u64, is_damaged: bool) -> Option<Error> {
        if let Some((what, number)) = catalog.basis().passed_over.clone() {
            return Some(Error::TooNewToWrite { what, number });
        }
        match witnesses.verdict(Who::Master, reached)? {
            (_, Verdict::Holds) => None,
            // Damaged records may well end before what was noted: that is damage, not a rollback.
            (_, Verdict::NotReached) if is_damaged => None,
            (noted, Verdict::Contradicted | Verdict::NotReached) => Some(rolled_back(self.name, noted, catalog.basis().link)),
        }
    }

    /// The damage of records that do not reach the clean mark.
    fn records_end_early(&self, listing: &Listing) -> Damage {
        match listing.files.last() {
            Some(file) => Damage::new(file.reader.path(), file.len, 0, DamageCause::Truncated),
            None => Damage::new(&self.dirs.records, 0, 0, DamageCause::Missing),
        }
    }

    /// A catalog names only commits that were synced: if the records end before its basis, commits were lost. The
    /// catalog stays as it is, since it is the best view of the store that there is, and nothing is written.
    fn records_lost(&self, listing: &Listing, catalog: &Catalog) -> Recovered {
        let mut damage = listing.damage.clone();
        if damage.is_empty() {
            let (number, offset) = catalog.basis().records;
            let file = listing.files.iter().find(|file| file.number == number);
            let path = file.map_or_else(|| file_path(&self.dirs.records, number), |file| file.reader.path().to_owned());
            let (at, cause) = file.map_or((0, DamageCause::Missing), |file| (file.len.min(offset), DamageCause::Truncated));
            damage.push(Damage::new(&path, at, 0, cause));
        }
        Recovered::reading_only(damage, None, catalog.basis().link)
    }

    /// Whether the catalog agrees with the records. The catalog of a fork has other contents and messages under the
    /// same numbers.
    fn agrees(&self, listing: &Listing, catalog: &Catalog) -> Result<bool, Error> {
        // The last commit is not compared: nothing proves it yet, and the catalog may have another one in its place.
        let mut before: Option<Box<ScannedCommit>> = None;
        for file in &listing.files {
            let mut scan = Scan::new(file.clone(), 0);
            while let Some(item) = scan.next()? {
                let ScanItem::Commit(commit) = item else { continue };
                for fact in before.replace(commit).iter().flat_map(|before| &before.commit.facts) {
                    match catalog.agrees(fact) {
                        Ok(true) => {}
                        Ok(false) => return Ok(false),
                        // An unreadable page contradicts nothing.
                        Err(Error::Damage(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(true)
    }

    /// Replays the records after the catalog's basis.
    fn scan(&self, listing: &Listing, catalog: &mut Catalog, witnesses: &Witnesses) -> Result<Scanned, Error> {
        // The catalog's basis moves with each commit; that of the beginning is what the records have to confirm.
        let basis = catalog.basis().clone();
        let witnesses = witnesses.clone();
        let mut found = Found { pending: None, mark: basis.link, marked_end: false, bad: Vec::new(), witnesses };
        found.witnesses.see(basis.link);
        let mut confirmed = basis.link.sequence == 0;
        let mut damage = Vec::new();
        let (mut repaired, mut spills) = (false, true);
        for file in listing.files.iter().filter(|file| file.number >= basis.records.0) {
            let offset = if file.number == basis.records.0 { basis.records.1 } else { 0 };
            let mut scan = Scan::new(file.clone(), offset);
            // A file of a header alone ends cleanly: it is begun only after the last commit was synced, and its header
            // names it.
            found.marked_end = scan.synced.sequence >= catalog.basis().link.sequence && file.len == HEADER_LEN as u64;
            while let Some(item) = scan.next()? {
                // Each frame names the last synced commit. The first one after the basis names the basis.
                if scan.synced.sequence == basis.link.sequence {
                    if scan.synced.chain != basis.link.chain {
                        return Ok(Scanned::Contradicts);
                    }
                    confirmed = true;
                }
                found.marked_end = false;
                match item {
                    ScanItem::Commit(commit) if commit.link.sequence <= basis.link.sequence => {
                        if commit.link.sequence == basis.link.sequence {
                            if commit.link.chain != basis.link.chain {
                                return Ok(Scanned::Contradicts);
                            }
                            confirmed = true;
                        }
                    }
                    ScanItem::Commit(commit) => {
                        found.witnesses.see(commit.link);
                        repaired |= commit.commit.repairs();
                        // One commit is held back. That another follows proves it durable, since none is appended
                        // before the one before it is synced.
                        if let Some((before, _)) = found.pending.take() {
                            let done = before.link.sequence.saturating_sub(basis.link.sequence);
                            self.progress.step(Step { done, total: None, unit: Unit::Commits, activity: "reading records" })?;
                            self.accept(catalog, &before, &mut damage)?;
                            // P15: a catalog rebuilt from the beginning may exceed the budget. If it cannot be written,
                            // it stays in memory.
                            if spills
                                && !self.options.read_only
                                && let Err(error) = catalog.spill(self.options.flush_bytes)
                            {
                                may_lag(Err(error))?;
                                spills = false;
                            }
                        }
                        found.pending = Some((*commit, file.clone()));
                    }
                    // Only a mark of the last commit, with nothing after it, allows an open without a write.
                    ScanItem::Mark(end) => {
                        let last = found.pending.as_ref().map_or(catalog.basis().link, |(commit, _)| commit.link);
                        found.marked_end = end == file.len && scan.synced == last;
                    }
                    // Damage or torn tail? The mark decides, and it is known only after all files and witnesses.
                    ScanItem::Bad(bad) => {
                        let reached = found.pending.as_ref().map_or(catalog.basis().link.sequence, |(commit, _)| commit.link.sequence);
                        found.bad.push((reached, bad));
                    }
                }
                if scan.synced.sequence > found.mark.sequence {
                    found.mark = scan.synced;
                }
            }
            if scan.synced.sequence > found.mark.sequence {
                found.mark = scan.synced;
            }
            // A file without frames confirms the basis by its header.
            if scan.synced == basis.link {
                confirmed = true;
            }
        }
        found.bad.extend(damage.into_iter().map(|damage| (0, damage)));
        // A repair has recorded again what a catalog knew of lost commits, so that a new catalog can be made from the
        // records.
        Ok(match (confirmed, repaired) {
            (true, _) => Scanned::Fits(Box::new(found)),
            (false, true) => Scanned::Contradicts,
            (false, false) => Scanned::Ahead,
        })
    }

    fn accept(&self, catalog: &mut Catalog, scanned: &ScannedCommit, damage: &mut Vec<Damage>) -> Result<(), Error> {
        // A repair's commit continues after lost commits; its frames name the one that it follows.
        let last = if scanned.commit.repairs() { scanned.stamp.synced } else { catalog.basis().link };
        if scanned.commit.link_after(&last)? != Some(scanned.link) {
            let path = file_path(&self.dirs.records, scanned.span.place.file);
            damage.push(Damage::new(&path, scanned.begin, scanned.end - scanned.begin, DamageCause::Chain));
        }
        // Applied in spite of a wrong chain value: its own frames are authentic, and its mails may have receipts.
        catalog.apply(&scanned.commit, scanned.link, &scanned.span)?;
        if catalog.basis().tree.head() != scanned.commit.tree() {
            let path = file_path(&self.dirs.records, scanned.span.place.file);
            damage.push(Damage::new(&path, scanned.begin, scanned.end - scanned.begin, DamageCause::Chain));
        }
        Ok(())
    }

    /// Whether the commit in flight is complete: its place in the chain, the blocks of its section, its frames in
    /// containers.
    fn is_whole(&self, catalog: &Catalog, scanned: &ScannedCommit) -> Result<bool, Error> {
        if scanned.commit.link_after(&catalog.basis().link)? != Some(scanned.link) {
            return Ok(false);
        }
        // A section is removed only after a later commit is synced. In the last commit a missing section was torn.
        if scanned.span.section.len() != scanned.commit.section_frames() as usize {
            return Ok(false);
        }
        let mut frames = 0;
        for (number, range) in self.container_ranges(catalog, &scanned.commit)? {
            let file = match self.containers.file(number) {
                Ok(file) if file.len()? >= range.end => file,
                // The record reached the medium and the container did not: a crash may keep writes in any order.
                Ok(_) | Err(Error::Damage(_)) => return Ok(false),
                Err(error) => return Err(error),
            };
            let mut good = true;
            Containers::walk(&file, range.start.max(HEADER_LEN as u64)..range.end, &mut |frame| {
                match frame {
                    Ok((stamp, _)) if stamp.sequence == scanned.link.sequence => frames += 1,
                    _ => good = false,
                }
                Ok(())
            })?;
            if !good {
                return Ok(false);
            }
        }
        Ok(scanned.container_frames() == Some(frames))
    }

    /// The stretches of containers that `commit` wrote, including the headers of new containers.
    fn container_ranges(&self, catalog: &Catalog, commit: &Commit) -> Result<Vec<(u32, std::ops::Range<u64>)>, Error> {
        let ((from_no, from), (to_no, to)) = (catalog.basis().container, commit.container_end());
        let mut ranges = Vec::new();
        let first = if from_no == 0 { catalog.basis().numbers.containers + 1 } else { from_no };
        let last = if to_no == 0 { from_no } else { to_no };
        for number in first..=last {
            let start = if number == from_no { from } else { 0 };
            let end = match self.containers.file(number).and_then(|file| file.len()) {
                _ if number == to_no => to,
                Ok(len) => len,
                // An empty stretch, so that the commit does not count as whole. An error of the system proves nothing,
                // and must not lead to a cut.
                Err(Error::Damage(_)) => start,
                Err(error) => return Err(error),
            };
            ranges.push((number, start..end));
        }
        Ok(ranges)
    }

    /// Examines containers after the last recorded end. `last` is the last commit in the records.
    fn container_tail(&self, catalog: &Catalog, last: Link) -> Result<Tail, Error> {
        let (active, end) = catalog.basis().container;
        let known = catalog.basis().numbers.containers;
        let mut tail = Tail { synced: Link { sequence: 0, chain: [0; 32] }, unclean: false, damage: None };
        for number in self.containers.list()? {
            let recorded = match number {
                number if number == active => end,
                number if number > known => 0,
                // Closed containers never change; `verify` reads them.
                _ => continue,
            };
            tail.unclean |= number > known;
            let file = match self.containers.file(number) {
                Ok(file) => file,
                // A crash during its creation leaves a container without a valid header. No commit can name it.
                Err(Error::Damage(_)) if number > known => continue,
                Err(Error::Damage(damage)) => {
                    tail.damage = Some(damage);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let len = file.len()?;
            if len < recorded {
                tail.damage = Some(Damage::new(file.path(), len, recorded - len, DamageCause::Truncated));
            }
            if len > recorded {
                tail.unclean = true;
                let (basis, mut foreign) = (catalog.basis().link, false);
                Containers::walk(&file, recorded.max(HEADER_LEN as u64)..len, &mut |frame| {
                    let Ok((stamp, _)) = frame else { return Ok(()) };
                    if stamp.synced.sequence > tail.synced.sequence {
                        tail.synced = stamp.synced;
                    }
                    // A commit in flight follows the commits of these records. Frames that do not are those of a fork,
                    // which may have given receipts for them: they must not be cut.
                    let differs = |link: Link| link.sequence == stamp.synced.sequence && link != stamp.synced;
                    foreign |= stamp.sequence <= basis.sequence || differs(basis) || differs(last);
                    Ok(())
                })?;
                if foreign {
                    let begin = recorded.max(HEADER_LEN as u64);
                    tail.damage = Some(Damage::new(file.path(), begin, len - begin, DamageCause::Stray));
                }
            }
        }
        if active != 0 && !self.containers.list()?.contains(&active) {
            tail.damage = Some(Damage::new(&self.containers.path(active), 0, end, DamageCause::Missing));
        }
        Ok(tail)
    }

    /// Adopts the commit in flight if it is whole, cuts everything else after the last durable commit, and begins a new
    /// records file. All of it is synced before the first read or receipt.
    fn take_over(
        &self,
        catalog: &mut Catalog,
        listing: &Listing,
        taken: Option<(ScannedCommit, RecordsFile)>,
        flushed: (u64, u64),
    ) -> Result<Recovered, Error> {
        let basis = catalog.basis().clone();
        let mut container = basis.container;
        let mut known = basis.numbers.containers;
        if let Some((scanned, _)) = &taken {
            for (number, range) in self.container_ranges(catalog, &scanned.commit)? {
                // A sync alone would promise nothing: after a failed sync the system no longer knows which pages are
                // dirty.
                let file = self.vfs.open(&self.containers.path(number))?;
                file.rewrite(range.start, range.end - range.start)?;
                file.sync()?;
                known = known.max(number);
            }
            container = scanned.commit.container_end();
        }
        let lost = LostFound::new(self.vfs, &self.dirs.root);
        if container.0 != 0 {
            let path = self.containers.path(container.0);
            let file = self.vfs.open(&path)?;
            if file.len()? > container.1 {
                // Kept and synced before the cut, or a second crash could take both.
                lost.keep_tail(&self.containers.file(container.0)?, container.1)?;
                cut_file(&**self.vfs, &path, container.1)?;
            } else {
                // An earlier open may have died between its cut and the sync. Numbers may be assigned again only after
                // it.
                file.sync()?;
            }
        }
        // Containers that no counting commit names. A later commit will create one of the same number.
        for number in self.containers.list()?.into_iter().filter(|number| *number > known) {
            let file_id = match self.containers.file(number) {
                Ok(file) => file.header().file_id,
                Err(Error::Damage(_)) => name_by_bytes(&**self.vfs, &self.containers.path(number))?,
                Err(error) => return Err(error),
            };
            lost.keep_file(&self.containers.path(number), file_id)?;
        }
        self.vfs.sync_dir(&self.dirs.content)?;
        self.containers.forget();

        // Read now: the cut below takes these blocks from the old file.
        let section = match &taken {
            Some((scanned, file)) => self.section_blocks(scanned, file)?,
            None => Vec::new(),
        };
        let first = taken.as_ref().map(|(scanned, _)| TakenCommit {
            commit: &scanned.commit,
            link: scanned.link,
            container_frames: scanned.container_frames().unwrap_or(0),
            section: &section,
        });
        // The new file comes before the cut of the old one, which until then has the only copy of the adopted commit.
        // Once the new file exists, its header makes the old tail void, so that a crash before the cut does no harm.
        let number = listing.files.last().map_or(1, |file| file.number + 1);
        let (mut records, span) = Records::take_over(
            Arc::clone(self.vfs),
            &self.dirs.records,
            self.key.duplicate(),
            self.owner,
            number,
            basis.link,
            first,
            basis.tree,
        )?;
        if let (Some(span), Some((scanned, _))) = (span, &taken) {
            // Only now is the commit durable, and a catalog names no other.
            catalog.apply(&scanned.commit, scanned.link, &span)?;
            records.set_tree(catalog.basis().tree.clone());
        }
        if let Some(old) = listing.files.last() {
            let from = if old.number == flushed.0 { flushed.1 } else { 0 };
            cut_tail(&**self.vfs, old, basis.link, from, &mut |file, from| lost.keep_tail(file, from))?;
        }
        // Writing the new file may have removed a leftover of the same name.
        for path in &listing.leftovers {
            if self.vfs.kind(path)?.is_some() {
                self.vfs.remove(path)?;
            }
        }
        self.vfs.sync_dir(&self.dirs.records)?;
        let closed = (container.0 != 0).then_some(container);
        let recovery = Recovery { bytes_put_aside: lost.put_aside(), commit_taken_over: taken.is_some() };
        let reading = Recovered::reading_only(Vec::new(), None, catalog.basis().link);
        Ok(Recovered { records: Some(records), closed, recovery, ..reading })
    }

    fn section_blocks(&self, scanned: &ScannedCommit, file: &RecordsFile) -> Result<Vec<Vec<u8>>, Error> {
        let mut blocks = Vec::with_capacity(scanned.span.section.len());
        for offset in &scanned.span.section {
            let frame = file.reader.frame(*offset, file.len)?;
            let (_, block) = crate::records::Stamp::split(frame.bytes()).map_err(|_| Error::Bug("a frame was read a moment ago"))?;
            blocks.push(block.to_vec());
        }
        Ok(blocks)
    }
}

fn too_new_to_write(unknown: Unknown) -> Error {
    Error::TooNewToWrite { what: unknown.what.to_owned(), number: unknown.number }
}

/// Whether damage of records is before this place, at which a commit was first written. The name of a misnamed file says
/// nothing about its place.
pub(super) fn is_before(damage: &Damage, (file, offset): (u64, u64), files: &[RecordsFile]) -> bool {
    let known = files.iter().find(|known| known.reader.path() == damage.file);
    let first = known.map_or(damage.offset, |known| known.moved.first(damage.offset));
    file > 0
        && !matches!(damage.cause, DamageCause::Misnamed(_))
        && file_number(&damage.file).is_some_and(|number| (number, first) < (file, offset))
}

struct Tail {
    synced: Link,
    unclean: bool,
    damage: Option<Damage>,
}

pub(super) fn rolled_back(name: &str, noted: Link, found: Link) -> Error {
    Error::RolledBack { store: format!("store {name}"), noted: noted.to_string(), found: found.to_string() }
}

/// The link of the commit of this sequence, if the commit can be read or a file begins directly after it.
fn link_of(listing: &Listing, sequence: u64) -> Result<Option<Link>, Error> {
    let begins = |file: &&RecordsFile| file.reader.header().start.first_sequence;
    if let Some(next) = listing.files.iter().find(|file| begins(file) == sequence + 1) {
        return Ok(Some(Link { sequence, chain: next.reader.header().start.chain }));
    }
    let Some(file) = listing.files.iter().rfind(|file| begins(file) <= sequence) else { return Ok(None) };
    let mut scan = Scan::new(file.clone(), 0);
    while let Some(item) = scan.next()? {
        match item {
            ScanItem::Commit(commit) if commit.link.sequence == sequence => return Ok(Some(commit.link)),
            ScanItem::Commit(commit) if commit.link.sequence > sequence => break,
            _ => {}
        }
    }
    Ok(None)
}
