//! A change of a folder that lies in several stores is made in all of them or in none.
//!
//! Before the first store changes, the master notes what is to be done in each, by the numbers of folders. What a crash
//! leaves undone is done by the next open. Source: the design of a redo log; here it has one entry.

use serde::{Deserialize, Serialize};

use super::{CHANGE, FolderOptions, FolderReport, Planned};
use crate::archive::actor::Acting;
use crate::archive::{Opened, master};
use crate::catalog::Folders;
use crate::error::Error;
use crate::id::{FolderNo, StoreNo};
use crate::store::FolderChange;

/// What is to be done in several stores.
#[derive(Debug, Serialize, Deserialize)]
struct Operation {
    actor: String,
    changes: Vec<(u32, Change)>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Change {
    Move { folder: u32, parent: Vec<String>, name: String },
    Remove { folders: Vec<u32> },
}

impl Change {
    fn of(change: FolderChange) -> Result<Self, Error> {
        Ok(match change {
            FolderChange::Move { folder, parent, name } => Self::Move { folder: folder.0, parent, name },
            FolderChange::Remove { folders } => Self::Remove { folders: folders.into_iter().map(|no| no.0).collect() },
            FolderChange::Make { .. } => return Err(Error::Bug("a folder is made in one store")),
        })
    }

    /// What of it is still to be done in a store.
    fn left(&self, folders: &Folders) -> Option<FolderChange> {
        let is_there = |no: FolderNo| folders.get(no).is_some() && !folders.is_removed(no);
        match self {
            Self::Move { folder, parent, name } => {
                let folder = FolderNo(*folder);
                let path = folders.path(folder);
                let is_moved = path.split_last() == Some((name, parent));
                // Made since: it stays where it is, since two folders of one path would be worse.
                let is_taken = folders.of_path(&parent.iter().chain([name]).cloned().collect::<Vec<_>>()).iter().any(|no| *no != folder);
                (is_there(folder) && !is_moved && !is_taken).then(|| FolderChange::Move {
                    folder,
                    parent: parent.clone(),
                    name: name.clone(),
                })
            }
            Self::Remove { folders: all } => {
                let has_mail = |no: FolderNo| {
                    folders.spread(&[], &[no]).iter().filter_map(|no| folders.get(FolderNo(no))).any(|folder| folder.messages > 0)
                };
                let left: Vec<FolderNo> = all.iter().map(|no| FolderNo(*no)).filter(|no| is_there(*no) && !has_mail(*no)).collect();
                (!left.is_empty()).then_some(FolderChange::Remove { folders: left })
            }
        }
    }
}

impl FolderReport {
    /// Adds what is done in another store.
    fn add(&mut self, other: Self) {
        self.made.extend(other.made);
        self.moved = self.moved.take().or(other.moved);
        self.removed.extend(other.removed);
    }

    fn settle(&mut self) {
        for list in [&mut self.made, &mut self.removed] {
            list.sort_unstable_by(|a, b| a.names().cmp(b.names()));
            list.dedup();
        }
    }
}

impl Acting<'_> {
    /// Changes folders in every store that has them.
    pub(super) fn change_folders(
        &self,
        options: FolderOptions,
        plan: &dyn Fn(&Folders) -> Result<Planned, Error>,
    ) -> Result<FolderReport, Error> {
        self.only_system(CHANGE)?;
        if let [store] = &*self.stores {
            return match options.dry_run {
                true => plan(store.catalog().folders()).map(|(_, report)| report),
                false => {
                    self.archive.stores.check_all_changeable()?;
                    self.archive.complete_folders()?;
                    store.change_folders(self.actor.name(), plan)
                }
            };
        }
        let mut messages = 0;
        let (mut report, mut unknown, mut is_known) = (FolderReport::default(), None, false);
        let (mut not_empty, mut changes) = (None, Vec::new());
        for store in self.stores.iter() {
            match plan(store.catalog().folders()) {
                Err(error @ Error::NoSuchFolder(_)) => unknown = Some(error),
                Err(Error::FolderNotEmpty { path, messages: here }) => {
                    messages += here;
                    not_empty = Some(path);
                }
                planned => {
                    let (change, of_store) = planned?;
                    is_known = true;
                    report.add(of_store);
                    if let Some(change) = change {
                        changes.push((store.no().0, Change::of(change)?));
                    }
                }
            }
        }
        if let Some(path) = not_empty {
            return Err(Error::FolderNotEmpty { path, messages });
        }
        if let Some(unknown) = unknown.filter(|_| !is_known) {
            return Err(unknown);
        }
        report.settle();
        // A store that only has the target has it for good.
        if let Some(moved) = &report.moved {
            for store in self.stores.iter() {
                let is_moved = changes.iter().any(|(no, _)| *no == store.no().0);
                if !is_moved && super::named(store.catalog().folders(), &moved.to)?.folder().is_some() {
                    return Err(Error::FolderExists(moved.to.to_string()));
                }
            }
        }
        if options.dry_run {
            return Ok(report);
        }
        self.archive.stores.check_all_changeable()?;
        self.archive.complete_folders()?;
        if changes.is_empty() {
            return Ok(report);
        }
        let operation = Operation { actor: self.actor.name().to_owned(), changes };
        let text = serde_json::to_string(&operation).map_err(|_| Error::Bug("a change of folders has no JSON"))?;
        self.archive.master().set(master::FOLDERS_BEGUN, &text)?;
        self.archive.complete_folders()?;
        Ok(report)
    }
}

impl Opened {
    /// Does what a change of folders left undone, if every store that it concerns is open.
    pub(in crate::archive) fn complete_folders(&self) -> Result<(), Error> {
        // Held throughout: one change at a time.
        let mut master = self.master();
        let Some(text) = master.setting(master::FOLDERS_BEGUN).filter(|text| !text.is_empty()) else { return Ok(()) };
        let operation: Operation = serde_json::from_str(&text).map_err(|_| Error::Bug("a change of folders cannot be read"))?;
        let stores = self.stores.open();
        for (no, change) in &operation.changes {
            let Some(store) = stores.iter().find(|store| store.no() == StoreNo(*no)) else {
                // One that was detached meanwhile comes back with the folders that it had.
                if self.stores.is_attached(StoreNo(*no)) {
                    return Err(Error::NoSuchStore(*no));
                }
                continue;
            };
            store.change_folders(&operation.actor, |folders| Ok((change.left(folders), ())))?;
        }
        master.set(master::FOLDERS_BEGUN, "")
    }
}
