//! Repair: an archive that refuses mail accepts it again. Nothing is deleted; what is lost is recorded and reported.

use super::actor::{Acting, InStore};
use super::master::Master;
use crate::error::Error;
use crate::records::give_names_back;

/// What a repair may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepairOptions {
    /// Accepts a state that is not what was recorded: an archive that is an older state of itself or was combined from
    /// several, or an `archive.mk` of which both copies were changed or replaced by older ones.
    pub accept_state: bool,
    /// Reports what would be done, and does nothing.
    pub dry_run: bool,
}

/// What a repair did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairReport {
    /// Why the archive refused mail, or its keys could not be changed; `None` if there was nothing to repair.
    pub reason: Option<String>,
    /// The repair is done only with [`RepairOptions::accept_state`].
    pub needs_acceptance: bool,
    /// Commits of the store that are lost: sequences, from and to.
    pub lost_commits: Vec<(u64, u64)>,
    /// Messages of lost commits that are recorded again from the catalog and the containers.
    pub recorded_again: u64,
    /// Messages that had a number and of which nothing is left.
    pub lost_messages: u64,
    /// The Merkle tree could not be continued: a new one begins whose first leaf is the last head known.
    pub new_tree: bool,
    /// The highest assigned number could not be proven, so numbers were skipped, to assign none twice.
    pub left_out: bool,
}

impl RepairReport {
    /// Adds what was done in another store.
    fn add(&mut self, of_store: Self) {
        let Self { reason, needs_acceptance, lost_commits, recorded_again, lost_messages, new_tree, left_out } = of_store;
        self.reason = match (self.reason.take(), reason) {
            (Some(known), Some(reason)) if known != reason => Some(format!("{known}; {reason}")),
            (known, reason) => known.or(reason),
        };
        self.needs_acceptance |= needs_acceptance;
        self.lost_commits.extend(lost_commits);
        self.recorded_again += recorded_again;
        self.lost_messages += lost_messages;
        self.new_tree |= new_tree;
        self.left_out |= left_out;
    }
}

impl Acting<'_> {
    pub(super) fn repair(&self, options: RepairOptions) -> Result<RepairReport, Error> {
        self.only_system("repair")?;
        let mut report = RepairReport::default();
        for within in self.each_store() {
            report.add(within.repair(options)?);
        }
        Ok(report)
    }
}

impl InStore<'_> {
    fn repair(&self, options: RepairOptions) -> Result<RepairReport, Error> {
        let (archive, store) = (self.archive, self.store);
        let barred_keys = archive.keyring().barred.clone();
        // Only here: an archive of a later version, or one that was rolled back, is not written yet.
        if matches!(store.barred(), Some(Error::NeedsRepair { .. })) && !options.dry_run && self.give_names_back()? {
            return Ok(RepairReport { reason: store.barred().map(ToString::to_string), ..RepairReport::default() });
        }
        let Some(mut reason) = store.barred().cloned().or_else(|| barred_keys.clone()) else {
            return self.repair_what_can_be_made_again(options);
        };
        let noted = archive.master().noted(store.uuid());
        // Nothing is left of a store that had commits: a repair may not assume that this is mere damage.
        if let (Error::NeedsRepair { .. }, Some(noted)) = (&reason, noted.filter(|noted| store.has_nothing_of(*noted))) {
            reason = store.rolled_back(noted);
        }
        let needs_acceptance = match reason {
            Error::NeedsRepair { .. } => false,
            Error::RolledBack { .. } | Error::IdentityOlder { .. } | Error::IdentityChanged { .. } => true,
            other => return Err(other),
        };
        if needs_acceptance && !options.accept_state && !options.dry_run {
            return Err(reason);
        }
        // The report names everything that is accepted.
        let keys = barred_keys.filter(|keys| keys.code() != reason.code()).map_or(String::new(), |keys| format!("; {keys}"));
        let mut report = RepairReport { reason: Some(format!("{reason}{keys}")), needs_acceptance, ..RepairReport::default() };
        if !options.dry_run {
            self.repair_master_and_keys(options.accept_state)?;
        }
        if store.has_sound_records() && !matches!(reason, Error::RolledBack { .. }) {
            return Ok(report);
        }
        let mut master = archive.master();
        let repair = match options.dry_run {
            true => store.plan_repair(noted)?,
            false => {
                let repair = store.repair(noted, master.seen_head(), matches!(reason, Error::RolledBack { .. }))?;
                if master.damage().is_none() {
                    master.mark(vec![repair.head.clone()])?;
                }
                repair
            }
        };
        report.lost_commits = repair.lost;
        report.recorded_again = repair.messages;
        report.lost_messages = repair.lost_messages;
        report.new_tree = repair.new_tree;
        report.left_out = repair.left_out;
        Ok(report)
    }

    /// Renames misnamed records files to their numbers, where the name is free: afterwards nothing else may be wrong.
    fn give_names_back(&self) -> Result<bool, Error> {
        let archive = self.archive;
        let of_store = self.store.give_names_back()?;
        let of_master = match archive.master_key()? {
            Some(key) => give_names_back(&*archive.vfs, &super::master::dir(&archive.dir), &key, archive.id)?,
            None => false,
        };
        Ok(of_store || of_master)
    }

    /// Repairs what does not keep the archive from accepting mail: a copy of `store.mk`, and a catalog whose records
    /// are whole.
    fn repair_what_can_be_made_again(&self, options: RepairOptions) -> Result<RepairReport, Error> {
        let (archive, store) = (self.archive, self.store);
        let identity = store.verify_identity(archive.archive_key())?;
        let catalog = store.damaged_catalog()?;
        let Some(reason) = identity.first().or(catalog.as_ref()) else { return Ok(RepairReport::default()) };
        let report = RepairReport { reason: Some(reason.to_string()), ..RepairReport::default() };
        if !options.dry_run {
            store.repair_identity(archive.archive_key())?;
            if catalog.is_some() {
                store.forget_catalog()?;
            }
        }
        Ok(report)
    }

    /// Starts a damaged master over with what is known of it. After that, keys are examined only once the archive has
    /// been opened again.
    fn repair_master_and_keys(&self, accept: bool) -> Result<(), Error> {
        let archive = self.archive;
        let (damaged, stores) = {
            let master = archive.master();
            (master.damage().is_some(), master.stores().to_vec())
        };
        if !damaged {
            return archive.repair_identities(accept);
        }
        let Some(key) = archive.master_key()? else { return Err(Error::BrokenIdentity { path: super::identity_path(&archive.dir) }) };
        let (owner, seen) = (self.store.first_user_archive(), self.store.seen_of(archive.id));
        Master::begin_again(&archive.vfs, &archive.dir, &key, archive.id, stores, owner, seen)
    }
}
