//! Renames, moves and removals. A folder is never put below itself, so that every way up ends: where damage took a move,
//! a later one that would do so changes nothing.

use std::collections::HashMap;

use super::{Folders, find, name_of};

/// The epoch of a folder whose own is lost.
const UNKNOWN_EPOCH: u32 = 1;
/// Names that no folder has any more are dropped when they take this many bytes, and more than the others.
pub(super) const MOST_LEFT: usize = 64 << 10;

impl Folders {
    /// Gives a folder another name.
    pub(in crate::catalog) fn rename(&mut self, no: u32, name: &str) {
        let known = find(&self.nodes, no).ok().and_then(|at| self.nodes.get(at));
        if let Some(parent) = known.map(|node| node.parent) {
            self.put(no, parent, name);
        }
    }

    /// Puts a folder into `parent` under this name. A folder that is not known, since damage took the fact that made it,
    /// is made.
    pub(in crate::catalog) fn put(&mut self, no: u32, parent: u32, name: &str) {
        let Ok(at) = find(&self.nodes, no) else { return self.add(no, parent, name, UNKNOWN_EPOCH) };
        if self.is_within(parent, no) {
            return;
        }
        if !self.removed.remove(no) {
            self.hide(no);
        }
        let start = self.names.len();
        if let Some(node) = self.nodes.get_mut(at) {
            self.left += node.name_len as usize;
            (node.parent, node.name, node.name_len) = (parent, start, name.len() as u32);
            self.names.push_str(name);
        }
        self.drop_left_names();
        self.show(no);
        self.changed.insert(no);
        self.restore(parent);
    }

    /// Removes these folders, as far as nothing is in them: those below a folder come before it. They keep their
    /// numbers, and their place, for messages that were deleted there.
    pub(in crate::catalog) fn remove(&mut self, folders: &[u32]) {
        let mut below: HashMap<u32, u32> = folders.iter().map(|no| (*no, 0)).collect();
        for node in self.nodes.iter().filter(|node| !self.removed.contains(node.no)) {
            if let Some(count) = below.get_mut(&node.parent) {
                *count += 1;
            }
        }
        for no in folders {
            let Some(node) = find(&self.nodes, *no).ok().and_then(|at| self.nodes.get(at)) else { continue };
            let parent = node.parent;
            if node.messages > 0 || below.get(no).is_some_and(|count| *count > 0) || self.removed.contains(*no) {
                continue;
            }
            self.hide(*no);
            self.removed.insert(*no);
            self.changed.insert(*no);
            if let Some(count) = below.get_mut(&parent) {
                *count -= 1;
            }
        }
    }

    /// Makes a folder, and those above it, exist again if they were removed: something came into it.
    pub(in crate::catalog) fn restore(&mut self, mut no: u32) {
        while self.removed.remove(no) {
            self.show(no);
            self.changed.insert(no);
            let node = find(&self.nodes, no).ok().and_then(|at| self.nodes.get(at));
            no = node.map_or(0, |node| node.parent);
        }
    }

    /// Whether `no` is this folder, or above it.
    pub(super) fn is_within(&self, folder: u32, no: u32) -> bool {
        let mut at = folder;
        while at != no {
            match find(&self.nodes, at).ok().and_then(|at| self.nodes.get(at)) {
                Some(node) => at = node.parent,
                None => return false,
            }
        }
        true
    }

    fn drop_left_names(&mut self) {
        if self.left < MOST_LEFT || self.left < self.names.len() / 2 {
            return;
        }
        let mut names = String::with_capacity(self.names.len() - self.left);
        for node in &mut self.nodes {
            let start = names.len();
            names.push_str(name_of(&self.names, node));
            node.name = start;
        }
        (self.names, self.left) = (names, 0);
    }
}
