//! The tree of folders with its counters, in memory as a whole: it changes with every commit. On disk each folder is a
//! row, which is written again when the folder changed.
//!
//! A folder takes about 55 bytes and its name; one whose name is not in NFC takes as much again, and twice its name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use icu_normalizer::ComposingNormalizerBorrowed;
use roaring::RoaringBitmap;

use super::rows::FolderRow;
use crate::id::FolderNo;

/// A folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folder<'f> {
    pub(crate) no: u32,
    /// 0 is the root.
    pub(crate) parent: u32,
    pub(crate) name: &'f str,
    /// Messages in the folder itself.
    pub(crate) messages: u32,
    /// Bytes of these messages; a content counts once for each of its messages here.
    pub(crate) bytes: u64,
    /// The highest number that a message has had here; 0 if none had.
    pub(crate) last: u32,
    pub(crate) epoch: u32,
}

/// The totals of a folder and all folders below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Subtree {
    /// Folders, including the folder itself.
    pub(crate) folders: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Subtree {
    fn add(&mut self, other: Self) {
        self.folders += other.folders;
        self.messages += other.messages;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

fn normal(name: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(name)
}

/// A folder without its name, which is stored with all others.
#[derive(Debug, Clone)]
struct Node {
    /// Where the name begins in all names.
    name: usize,
    bytes: u64,
    no: u32,
    parent: u32,
    name_len: u32,
    messages: u32,
    last: u32,
    epoch: u32,
}

/// The tree.
#[derive(Debug, Default, Clone)]
pub(crate) struct Folders {
    /// In order of their numbers.
    nodes: Vec<Node>,
    names: String,
    /// Numbers by parent and name.
    by_name: HashTable<u32>,
    hasher: RandomState,
    /// Folders whose name is not in NFC, by parent and name in NFC.
    other_forms: HashMap<(u32, Box<str>), Vec<u32>>,
    /// Folders whose rows are out of date.
    changed: RoaringBitmap,
    /// Messages of folders that are not known yet, by folder: how many, their bytes, and the highest number. Damage may
    /// have taken the fact that made a folder; the folder then comes after its messages.
    waiting: HashMap<u32, (u32, u64, u32)>,
}

/// The index of folder `no` in `nodes`, or the index where it would be inserted.
fn find(nodes: &[Node], no: u32) -> Result<usize, usize> {
    // Numbers are dense from 1, unless damage took some.
    let dense = (no as usize).wrapping_sub(1);
    match nodes.get(dense) {
        Some(node) if node.no == no => Ok(dense),
        _ => nodes.binary_search_by_key(&no, |node| node.no),
    }
}

fn name_of<'n>(names: &'n str, node: &Node) -> &'n str {
    names.get(node.name..node.name + node.name_len as usize).unwrap_or_default()
}

impl Folders {
    /// Loads a row.
    pub(super) fn load(&mut self, no: u32, row: &FolderRow) {
        let FolderRow { parent, messages, bytes, last, epoch, .. } = *row;
        self.insert(Folder { no, parent, name: &row.name, messages, bytes, last, epoch });
    }

    /// Called once all rows are loaded.
    pub(super) fn loaded(&mut self) {
        self.nodes.shrink_to_fit();
        self.names.shrink_to_fit();
    }

    /// Adds a folder.
    pub(super) fn add(&mut self, no: u32, parent: u32, name: &str, epoch: u32) {
        let (messages, bytes, last) = self.waiting.remove(&no).unwrap_or_default();
        self.insert(Folder { no, parent, name, messages, bytes, last, epoch });
        self.changed.insert(no);
    }

    fn insert(&mut self, folder: Folder<'_>) {
        let Folder { no, parent, name, messages, bytes, last, epoch } = folder;
        let Err(at) = find(&self.nodes, no) else { return };
        let node = Node { name: self.names.len(), bytes, no, parent, name_len: name.len() as u32, messages, last, epoch };
        self.names.push_str(name);
        self.nodes.insert(at, node);
        let Self { nodes, names, by_name, hasher, .. } = self;
        let known = |no: u32| find(nodes, no).ok().and_then(|at| nodes.get(at)).map(|node| (node.parent, name_of(names, node)));
        let slot = by_name.entry(
            hasher.hash_one((parent, name)),
            |other| known(*other) == Some((parent, name)),
            |other| hasher.hash_one(known(*other).unwrap_or_default()),
        );
        match slot {
            Entry::Occupied(mut slot) => *slot.get_mut() = no,
            Entry::Vacant(slot) => drop(slot.insert(no)),
        }
        if let Cow::Owned(normal) = normal(name)
            && normal != name
        {
            self.other_forms.entry((parent, normal.into())).or_default().push(no);
        }
    }

    fn node_mut(&mut self, no: u32) -> Option<&mut Node> {
        let at = find(&self.nodes, no).ok()?;
        self.changed.insert(no);
        self.nodes.get_mut(at)
    }

    /// Counts a new message.
    pub(super) fn count(&mut self, folder: u32, size: u64) {
        let (messages, bytes) = match self.node_mut(folder) {
            Some(node) => (&mut node.messages, &mut node.bytes),
            None => {
                let (messages, bytes, _) = self.waiting.entry(folder).or_default();
                (messages, bytes)
            }
        };
        *messages = messages.saturating_add(1);
        *bytes = bytes.saturating_add(size);
    }

    /// Notes the number of a message, whatever became of the message.
    pub(super) fn number(&mut self, folder: u32, number: u32) {
        let last = match self.node_mut(folder) {
            Some(node) => &mut node.last,
            None => &mut self.waiting.entry(folder).or_default().2,
        };
        *last = (*last).max(number);
    }

    /// Takes the folders whose rows are out of date, and clears the set.
    pub(super) fn take_changed(&mut self) -> RoaringBitmap {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn changed(&self) -> u64 {
        self.changed.len()
    }

    fn shown(&self, node: &Node) -> Folder<'_> {
        let Node { no, parent, messages, bytes, last, epoch, .. } = *node;
        Folder { no, parent, name: name_of(&self.names, node), messages, bytes, last, epoch }
    }

    pub(crate) fn get(&self, no: FolderNo) -> Option<Folder<'_>> {
        let at = find(&self.nodes, no.0).ok()?;
        self.nodes.get(at).map(|node| self.shown(node))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Folder<'_>> {
        self.nodes.iter().map(|node| self.shown(node))
    }

    /// How many messages are in all folders.
    pub(super) fn messages(&self) -> u64 {
        let waiting = self.waiting.values().map(|(messages, ..)| *messages);
        self.nodes.iter().map(|node| node.messages).chain(waiting).map(u64::from).sum()
    }

    /// For each folder, in the order of [`Folders::iter`], the totals of it and the folders below it, as far as
    /// `counts` accepts them.
    pub(crate) fn subtrees(&self, counts: impl Fn(FolderNo) -> bool) -> Vec<Subtree> {
        let own = |node: &Node| match counts(FolderNo(node.no)) {
            true => Subtree { folders: 1, messages: node.messages.into(), bytes: node.bytes },
            false => Subtree::default(),
        };
        let mut sums: Vec<Subtree> = self.nodes.iter().map(own).collect();
        // A parent is always made before its child.
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let Some(parent) = find(&self.nodes, node.parent).ok().filter(|parent| *parent < at) else { continue };
            let below = sums.get(at).copied().unwrap_or_default();
            if let Some(sum) = sums.get_mut(parent) {
                sum.add(below);
            }
        }
        sums
    }

    /// Whether the folder is a user archive, or damage took its parent, so that its path begins with it.
    pub(crate) fn is_first(&self, folder: &Folder<'_>) -> bool {
        self.get(FolderNo(folder.parent)).is_none_or(|parent| parent.no >= folder.no)
    }

    /// The folder of this name below `parent`.
    pub(crate) fn child(&self, parent: FolderNo, name: &str) -> Option<FolderNo> {
        let is_it = |no: &u32| self.get(FolderNo(*no)).is_some_and(|folder| folder.parent == parent.0 && folder.name == name);
        self.by_name.find(self.hasher.hash_one((parent.0, name)), is_it).copied().map(FolderNo)
    }

    /// The folders below `parent` whose name is this one in NFC.
    pub(crate) fn children_like(&self, parent: FolderNo, name: &str) -> Vec<FolderNo> {
        let name = normal(name);
        let mut found: Vec<FolderNo> = self.child(parent, &name).into_iter().collect();
        if !self.other_forms.is_empty() {
            let others = self.other_forms.get(&(parent.0, Box::from(&*name)));
            found.extend(others.into_iter().flatten().copied().map(FolderNo));
        }
        found
    }

    /// The folders of this path. Names are compared in NFC, so that several folders may match.
    pub(crate) fn of_path(&self, names: &[String]) -> Vec<FolderNo> {
        let mut at = vec![FolderNo(0)];
        for name in names {
            at = at.into_iter().flat_map(|parent| self.children_like(parent, name)).collect();
        }
        if names.is_empty() { Vec::new() } else { at }
    }

    /// The folders `exact`, and `roots` with all folders below them.
    pub(crate) fn spread(&self, exact: &[FolderNo], roots: &[FolderNo]) -> RoaringBitmap {
        let mut below: RoaringBitmap = roots.iter().map(|no| no.0).collect();
        // A parent is always made before its child.
        for folder in self.nodes.iter().filter(|_| !roots.is_empty()) {
            if below.contains(folder.parent) {
                below.insert(folder.no);
            }
        }
        below.extend(exact.iter().map(|no| no.0));
        below
    }

    /// The folder, and those above it up to the first level.
    fn upward(&self, no: FolderNo) -> impl Iterator<Item = Folder<'_>> {
        // A parent is always made before its child, so numbers fall on the way up and the walk ends.
        std::iter::successors(self.get(no), |folder| self.get(FolderNo(folder.parent)).filter(|parent| parent.no < folder.no))
    }

    /// Names from the first level down to the folder.
    pub(crate) fn path(&self, no: FolderNo) -> Vec<String> {
        let mut names: Vec<String> = self.upward(no).map(|folder| folder.name.to_owned()).collect();
        names.reverse();
        names
    }

    /// The user archive that a folder is, or is in.
    pub(crate) fn user_archive(&self, no: FolderNo) -> Option<FolderNo> {
        self.upward(no).last().map(|folder| FolderNo(folder.no))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_a_folder_counts_in_it_also_where_damage_took_one() {
        let mut folders = Folders::default();
        // Number 3 is missing.
        for (no, parent, name) in [(1, 0, "anna"), (2, 1, "in"), (4, 2, "deep"), (5, 3, "lost"), (6, 5, "below")] {
            folders.add(no, parent, name, 1);
            folders.count(no, 10);
        }
        let sums = |sees: fn(FolderNo) -> bool| {
            let sums = folders.subtrees(sees);
            sums.iter().map(|sum| (sum.folders, sum.messages, sum.bytes)).collect::<Vec<_>>()
        };
        assert_eq!(sums(|_| true), [(3, 3, 30), (2, 2, 20), (1, 1, 10), (2, 2, 20), (1, 1, 10)]);
        assert_eq!(sums(|no| no.0 == 4), [(1, 1, 10), (1, 1, 10), (1, 1, 10), (0, 0, 0), (0, 0, 0)]);
        let first: Vec<u32> = folders.iter().filter(|folder| folders.is_first(folder)).map(|folder| folder.no).collect();
        assert_eq!(first, [1, 5]);
    }

    #[test]
    fn folders_are_found_by_parent_and_name_also_where_damage_took_some() {
        let mut folders = Folders::default();
        // Number 2 is missing, and 5 comes before 4.
        for (no, parent, name) in [(1, 0, "anna"), (3, 1, "in"), (5, 3, "in"), (4, 1, "Gr\u{fc}n"), (6, 1, "Gru\u{308}n"), (7, 0, "in")] {
            folders.add(no, parent, name, 9);
        }
        assert_eq!(folders.child(FolderNo(1), "in"), Some(FolderNo(3)));
        assert_eq!(folders.child(FolderNo(3), "in"), Some(FolderNo(5)));
        assert_eq!(folders.child(FolderNo(2), "in"), None);
        assert_eq!(folders.path(FolderNo(5)), ["anna", "in", "in"]);
        assert_eq!(folders.user_archive(FolderNo(5)), Some(FolderNo(1)));
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(folders.of_path(&path("anna/Gr\u{fc}n")), [FolderNo(4), FolderNo(6)]);
        assert_eq!(folders.of_path(&path("anna/Gru\u{308}n")), [FolderNo(4), FolderNo(6)]);
        assert_eq!(folders.child(FolderNo(1), "Gru\u{308}n"), Some(FolderNo(6)));
        assert_eq!(folders.of_path(&path("in")), [FolderNo(7)]);
        assert_eq!(folders.spread(&[FolderNo(7)], &[FolderNo(3)]).iter().collect::<Vec<_>>(), [3, 5, 7]);
    }

    #[test]
    fn a_folder_takes_little_more_memory_than_its_name() {
        let mut folders = Folders::default();
        for no in 1..=50_000 {
            let row = FolderRow { parent: no / 2, name: format!("{no:030}"), messages: 1, bytes: 1, last: 1, epoch: 1 };
            folders.load(no, &row);
        }
        folders.loaded();
        let nodes = folders.nodes.capacity() * size_of::<Node>();
        let each = (nodes + folders.names.capacity() + folders.by_name.allocation_size()) / 50_000;
        assert!(each <= 30 + 55, "{each} bytes");
        assert!(folders.other_forms.is_empty());
    }
}
