//! Folders are made, renamed, moved and removed. Which folder a path names for a change is decided here, also for what
//! is archived.

mod several;

use std::collections::BTreeSet;

use super::actor::Acting;
use super::master;
use crate::catalog::Folders;
use crate::error::Error;
use crate::folder::{FolderPath, MAX_DEPTH};
use crate::id::FolderNo;
use crate::store::FolderChange;

/// What a change of folders may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FolderOptions {
    /// Reports what would be done, with the errors that there would be, and does nothing.
    pub dry_run: bool,
}

/// What a change of folders did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderReport {
    /// The folders that were made, each after the one that it is in.
    pub made: Vec<FolderPath>,
    /// The folder that was renamed or moved.
    pub moved: Option<MovedFolder>,
    /// The folders that were removed, sorted by path.
    pub removed: Vec<FolderPath>,
}

/// A folder that was renamed or moved, with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedFolder {
    /// Its path before.
    pub from: FolderPath,
    /// Its path since.
    pub to: FolderPath,
}

/// A path, as far as its folders exist.
struct Named {
    /// Existing folders with the names that they have, in whatever Unicode form; the rest as it was given.
    names: Vec<String>,
    known: Vec<FolderNo>,
}

impl Named {
    /// The folder of the whole path, if it exists.
    fn folder(&self) -> Option<FolderNo> {
        self.known.last().copied().filter(|_| self.known.len() == self.names.len())
    }
}

/// What a path names for a change. Several folders whose names differ only in their Unicode form are an error.
fn named(folders: &Folders, path: &FolderPath) -> Result<Named, Error> {
    let mut found = Named { names: Vec::with_capacity(path.names().len()), known: Vec::new() };
    for name in path.names() {
        let is_known = found.known.len() == found.names.len();
        let above = found.known.last().copied().unwrap_or(FolderNo(0));
        let like = if is_known { folders.children_like(above, name) } else { Vec::new() };
        if like.len() > 1 {
            let folders = like.into_iter().map(|no| folders.path(no).join("/").escape_default().to_string()).collect();
            return Err(Error::AmbiguousFolder { path: path.to_string(), folders });
        }
        match like.first().and_then(|no| folders.get(*no)) {
            Some(folder) => {
                found.names.push(folder.name.to_owned());
                found.known.push(FolderNo(folder.no));
            }
            None if matches!(name.as_str(), "." | "..") => {
                return Err(Error::misuse(
                    format!("{path}: no folder is named `{name}`"),
                    "a path begins with the user archive, like anna/inbox",
                ));
            }
            None => found.names.push(name.clone()),
        }
    }
    Ok(found)
}

/// The one folder that a path names.
fn existing(folders: &Folders, path: &FolderPath) -> Result<FolderNo, Error> {
    named(folders, path)?.folder().ok_or_else(|| Error::NoSuchFolder(path.to_string()))
}

fn path_of(folders: &Folders, no: FolderNo) -> Result<FolderPath, Error> {
    FolderPath::from_names(folders.path(no)).map_err(Error::folder)
}

/// The folders of a path that do not exist, each after the one that it is in.
fn missing(path: &Named) -> Result<Vec<FolderPath>, Error> {
    let ends = path.known.len() + 1..=path.names.len();
    ends.map(|end| FolderPath::from_names(path.names.iter().take(end).cloned().collect()).map_err(Error::folder)).collect()
}

/// A change, and what it does.
type Planned = (Option<FolderChange>, FolderReport);

fn plan_make(folders: &Folders, path: &FolderPath) -> Result<Planned, Error> {
    let named = named(folders, path)?;
    if named.folder().is_some() {
        return Err(Error::FolderExists(path.to_string()));
    }
    let report = FolderReport { made: missing(&named)?, ..FolderReport::default() };
    Ok((Some(FolderChange::Make { path: named.names }), report))
}

fn plan_move(folders: &Folders, from: &FolderPath, to: &FolderPath) -> Result<Planned, Error> {
    let folder = existing(folders, from)?;
    let from = path_of(folders, folder)?;
    let mut target = named(folders, to)?;
    let Some(name) = to.names().last() else { return Err(Error::NoSuchFolder(to.to_string())) };
    match target.folder() {
        // The same name in another Unicode form, and no other folder has it.
        Some(there) if there == folder && from.names().last() != Some(name) => drop(target.known.pop()),
        Some(_) => return Err(Error::FolderExists(to.to_string())),
        None => {}
    }
    if target.known.contains(&folder) {
        return Err(Error::misuse(format!("{from} cannot be moved to {to}, which is below it"), "choose another folder"));
    }
    target.names.pop();
    let depth = target.names.len() + folders.height(folder);
    if depth > MAX_DEPTH {
        return Err(Error::misuse(
            format!("{from} would have folders at depth {depth} in {to}: a path has at most {MAX_DEPTH} names"),
            "choose a folder further up",
        ));
    }
    let (made, parent) = (missing(&target)?, target.names);
    let path = parent.iter().chain([name]).cloned().collect();
    let moved = Some(MovedFolder { from, to: FolderPath::from_names(path).map_err(Error::folder)? });
    let change = FolderChange::Move { folder, parent, name: name.clone() };
    Ok((Some(change), FolderReport { made, moved, ..FolderReport::default() }))
}

fn plan_remove(folders: &Folders, path: &FolderPath) -> Result<Planned, Error> {
    let folder = existing(folders, path)?;
    let below: Vec<FolderNo> = folders.spread(&[], &[folder]).iter().map(FolderNo).filter(|no| !folders.is_removed(*no)).collect();
    let messages: u64 = below.iter().filter_map(|no| folders.get(*no)).map(|folder| u64::from(folder.messages)).sum();
    if messages > 0 {
        return Err(Error::FolderNotEmpty { path: path.to_string(), messages });
    }
    removal(folders, below)
}

/// Removes empty folders, but for those that are `used` in another store.
fn plan_prune(folders: &Folders, below: Option<&FolderPath>, used: &BTreeSet<Vec<String>>) -> Result<Planned, Error> {
    let within = below.map(|path| existing(folders, path)).transpose()?.map(|no| folders.spread(&[], &[no]));
    let is_within = |no: u32| within.as_ref().is_none_or(|within| within.contains(no));
    let all = folders.with_totals(|_| true);
    // User archives stay: the library does not know which of them a user still has.
    let is_used = |no: u32| !used.is_empty() && used.contains(&folders.path(FolderNo(no)));
    let empty =
        all.filter(|(folder, total)| total.messages == 0 && is_within(folder.no) && !folders.is_first(folder) && !is_used(folder.no));
    removal(folders, empty.map(|(folder, _)| FolderNo(folder.no)).collect())
}

/// Removes folders with nothing in them but each other.
fn removal(folders: &Folders, empty: Vec<FolderNo>) -> Result<Planned, Error> {
    let mut empty: Vec<(FolderPath, FolderNo)> =
        empty.into_iter().map(|no| Ok((path_of(folders, no)?, no))).collect::<Result<_, Error>>()?;
    empty.sort_unstable_by(|(a, _), (b, _)| a.names().cmp(b.names()));
    // From the end of this order, what is below a folder comes before it.
    let change = FolderChange::Remove { folders: empty.iter().rev().map(|(_, no)| *no).collect() };
    let removed: Vec<FolderPath> = empty.into_iter().map(|(path, _)| path).collect();
    let change = Some(change).filter(|_| !removed.is_empty());
    Ok((change, FolderReport { removed, ..FolderReport::default() }))
}

impl Acting<'_> {
    /// The folder that a path names for a change. A folder that exists in another Unicode form is meant; if there are
    /// several, this is an error.
    pub(super) fn to_change(&self, path: &FolderPath) -> Result<FolderPath, Error> {
        let mut found: Option<Named> = None;
        for store in self.stores.iter() {
            let named = named(store.catalog().folders(), path)?;
            if found.as_ref().is_none_or(|found| named.known.len() > found.known.len()) {
                found = Some(named);
            }
        }
        found.map_or_else(|| Ok(path.clone()), |named| FolderPath::from_names(named.names).map_err(Error::folder))
    }

    pub(super) fn make_folder(&self, path: &FolderPath, options: FolderOptions) -> Result<FolderReport, Error> {
        self.only_system(CHANGE)?;
        for store in self.stores.iter() {
            if named(store.catalog().folders(), path)?.folder().is_some() {
                return Err(Error::FolderExists(path.to_string()));
            }
        }
        let current = self.archive.current()?;
        match options.dry_run {
            true => plan_make(current.catalog().folders(), path).map(|(_, report)| report),
            false => current.change_folders(self.actor.name(), |folders| plan_make(folders, path)),
        }
    }

    pub(super) fn rename_folder(&self, path: &FolderPath, name: &str, options: FolderOptions) -> Result<FolderReport, Error> {
        let mut names = path.names().to_vec();
        if let Some(last) = names.last_mut() {
            name.clone_into(last);
        }
        self.move_folder(path, &FolderPath::from_names(names).map_err(Error::folder)?, options)
    }

    pub(super) fn move_folder(&self, from: &FolderPath, to: &FolderPath, options: FolderOptions) -> Result<FolderReport, Error> {
        if !options.dry_run {
            self.only_system(CHANGE)?;
            self.archive.follow_owner(from)?;
        }
        let report = self.change_folders(options, &|folders| plan_move(folders, from, to))?;
        if !options.dry_run {
            self.archive.note_owner()?;
        }
        Ok(report)
    }

    pub(super) fn remove_folder(&self, path: &FolderPath, options: FolderOptions) -> Result<FolderReport, Error> {
        self.change_folders(options, &|folders| plan_remove(folders, path))
    }

    pub(super) fn prune_folders(&self, below: Option<&FolderPath>, options: FolderOptions) -> Result<FolderReport, Error> {
        let mut used = BTreeSet::new();
        for store in self.stores.iter().filter(|_| self.stores.len() > 1) {
            let catalog = store.catalog();
            let folders = catalog.folders();
            used.extend(
                folders.with_totals(|_| true).filter(|(_, total)| total.messages > 0).map(|(one, _)| folders.path(FolderNo(one.no))),
            );
        }
        self.change_folders(options, &|folders| plan_prune(folders, below, &used))
    }
}

/// What only the system may do.
const CHANGE: &str = "change folders";

impl super::Opened {
    /// The name of the owner's user archive: that of the folder that was noted when it was renamed, as long as it is a
    /// user archive; else the one that the settings have.
    pub(super) fn owner(&self) -> String {
        let (name, folder) = {
            let master = self.master();
            (master.setting(master::OWNER), master.setting(master::OWNER_FOLDER))
        };
        let noted = folder.and_then(|folder| self.first_level_name(&folder));
        noted.unwrap_or_else(|| name.unwrap_or_default())
    }

    /// The name of the folder that a setting names, if it is a user archive.
    fn first_level_name(&self, setting: &str) -> Option<String> {
        let (store, folder) = setting.split_once(':')?;
        let (store, folder): (u32, _) = (store.parse().ok()?, FolderNo(folder.parse().ok()?));
        let stores = self.stores.open();
        let catalog = stores.iter().find(|open| open.no().0 == store)?.catalog();
        let folders = catalog.folders();
        let noted = folders.get(folder).filter(|of| of.parent == 0 && !folders.is_removed(folder))?;
        Some(noted.name.to_owned())
    }

    /// Before the owner's user archive is renamed, its number is noted. So whatever a crash leaves of the rename, the
    /// owner's archive is found.
    fn follow_owner(&self, folder: &FolderPath) -> Result<(), Error> {
        let mut unknown = None;
        for store in self.stores.open().iter() {
            let catalog = store.catalog();
            let folders = catalog.folders();
            let no = match existing(folders, folder) {
                Err(error @ Error::NoSuchFolder(_)) => {
                    unknown = Some(error);
                    continue;
                }
                no => no?,
            };
            let noted = format!("{}:{}", store.no().0, no.0);
            let is_owner = folder.names().len() == 1 && folders.get(no).is_some_and(|folder| folder.name == self.owner());
            if is_owner && self.master().setting(master::OWNER_FOLDER).as_ref() != Some(&noted) {
                self.master().set(master::OWNER_FOLDER, &noted)?;
            }
            return Ok(());
        }
        unknown.map_or(Ok(()), Err)
    }

    /// Notes the name of the owner's user archive, in case it ceases to be one.
    fn note_owner(&self) -> Result<(), Error> {
        let owner = self.owner();
        if self.master().setting(master::OWNER).as_ref() != Some(&owner) {
            self.master().set(master::OWNER, &owner)?;
        }
        owner.clone_into(&mut super::locked(&self.owner_known));
        Ok(())
    }
}
