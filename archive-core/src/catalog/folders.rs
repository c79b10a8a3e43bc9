//! The tree of folders with its counters, in memory as a whole: it changes with every commit. On disk each folder is a
//! row, which is written again when the folder changed.
//!
//! A folder takes about 55 bytes and its name; one whose name is not in NFC takes as much again, and twice its name.
//! No folder is below itself, and a way up is followed for 128 names. Removed folders stay, for the messages that were
//! deleted in them, and are found by number alone.

mod change;
mod totals;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use icu_normalizer::ComposingNormalizerBorrowed;
use roaring::RoaringBitmap;

pub(crate) use self::totals::Subtree;
use super::rows::FolderRow;
use crate::folder::MAX_DEPTH;
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
    /// Bytes in it that are the name of no folder any more.
    left: usize,
    removed: RoaringBitmap,
    /// Numbers by parent and name. After damage several folders may have the same.
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

/// Where a folder is noted whose name is not in NFC.
fn other_form(parent: u32, name: &str) -> Option<(u32, Box<str>)> {
    match normal(name) {
        Cow::Owned(normal) if normal != name => Some((parent, normal.into())),
        _ => None,
    }
}

fn name_of<'n>(names: &'n str, node: &Node) -> &'n str {
    names.get(node.name..node.name + node.name_len as usize).unwrap_or_default()
}

impl Folders {
    /// Loads a row.
    pub(super) fn load(&mut self, no: u32, row: &FolderRow) {
        let FolderRow { parent, messages, bytes, last, epoch, removed, .. } = *row;
        if removed == Some(true) {
            self.removed.insert(no);
        }
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
        self.restore(parent);
    }

    fn insert(&mut self, folder: Folder<'_>) {
        let Folder { no, parent, name, messages, bytes, last, epoch } = folder;
        let Some(at) = find(&self.nodes, no).err().filter(|_| no != 0) else { return };
        // Damage may have brought folders out of their order.
        let parent = if self.is_within(parent, no) { 0 } else { parent };
        let node = Node { name: self.names.len(), bytes, no, parent, name_len: name.len() as u32, messages, last, epoch };
        self.names.push_str(name);
        self.nodes.insert(at, node);
        if !self.removed.contains(no) {
            self.show(no);
        }
    }

    /// Lets a folder be found by its name.
    fn show(&mut self, no: u32) {
        let Self { nodes, names, by_name, hasher, .. } = self;
        let named = |no: u32| find(nodes, no).ok().and_then(|at| nodes.get(at)).map(|node| (node.parent, name_of(names, node)));
        let Some((parent, name)) = named(no) else { return };
        by_name.insert_unique(hasher.hash_one((parent, name)), no, |other| hasher.hash_one(named(*other).unwrap_or_default()));
        if let Some(key) = other_form(parent, name) {
            self.other_forms.entry(key).or_default().push(no);
        }
    }

    /// Lets a folder no longer be found by its name.
    fn hide(&mut self, no: u32) {
        let Some(folder) = self.get(FolderNo(no)) else { return };
        let (hash, other_form) = (self.hasher.hash_one((folder.parent, folder.name)), other_form(folder.parent, folder.name));
        if let Ok(found) = self.by_name.find_entry(hash, |other| *other == no) {
            found.remove();
        }
        if let Some(key) = other_form
            && let Some(others) = self.other_forms.get_mut(&key)
        {
            others.retain(|other| *other != no);
            if others.is_empty() {
                self.other_forms.remove(&key);
            }
        }
    }

    fn node_mut(&mut self, no: u32) -> Option<&mut Node> {
        let at = find(&self.nodes, no).ok()?;
        self.changed.insert(no);
        self.nodes.get_mut(at)
    }

    /// Counts a new message.
    pub(super) fn count(&mut self, folder: u32, size: u64) {
        self.restore(folder);
        let (messages, bytes) = self.counters(folder);
        *messages = messages.saturating_add(1);
        *bytes = bytes.saturating_add(size);
    }

    /// Counts a message no more.
    pub(super) fn uncount(&mut self, folder: u32, size: u64) {
        let (messages, bytes) = self.counters(folder);
        *messages = messages.saturating_sub(1);
        *bytes = bytes.saturating_sub(size);
    }

    fn counters(&mut self, folder: u32) -> (&mut u32, &mut u64) {
        match find(&self.nodes, folder).ok().and_then(|at| self.nodes.get_mut(at)) {
            Some(node) => {
                self.changed.insert(folder);
                (&mut node.messages, &mut node.bytes)
            }
            None => {
                let (messages, bytes, _) = self.waiting.entry(folder).or_default();
                (messages, bytes)
            }
        }
    }

    /// Notes the number of a message, whatever became of the message.
    pub(super) fn number(&mut self, folder: u32, number: u32) {
        let last = match self.node_mut(folder) {
            Some(node) => &mut node.last,
            None => &mut self.waiting.entry(folder).or_default().2,
        };
        *last = (*last).max(number);
    }

    /// The highest number that a message has had in a folder; 0 if none had.
    pub(crate) fn last_number(&self, folder: FolderNo) -> u32 {
        match find(&self.nodes, folder.0).ok().and_then(|at| self.nodes.get(at)) {
            // Removed or not: no number is given twice.
            Some(node) => node.last,
            None => self.waiting.get(&folder.0).map_or(0, |(.., last)| *last),
        }
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

    pub(crate) fn is_removed(&self, no: FolderNo) -> bool {
        self.removed.contains(no.0)
    }

    /// The folders in the order of their numbers, without the removed ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Folder<'_>> {
        self.nodes.iter().filter(|node| !self.removed.contains(node.no)).map(|node| self.shown(node))
    }

    /// All folders, removed ones too, each after the one that it is in.
    pub(crate) fn top_down(&self) -> Vec<Folder<'_>> {
        let mut all: Vec<(usize, Folder<'_>)> =
            self.nodes.iter().map(|node| (self.all_upward(FolderNo(node.no)).count(), self.shown(node))).collect();
        all.sort_by_key(|(depth, folder)| (*depth, folder.no));
        all.into_iter().map(|(_, folder)| folder).collect()
    }

    /// How many messages are in all folders.
    pub(super) fn messages(&self) -> u64 {
        let waiting = self.waiting.values().map(|(messages, ..)| *messages);
        self.nodes.iter().map(|node| node.messages).chain(waiting).map(u64::from).sum()
    }

    /// Whether the folder is a user archive, or damage took its parent, so that its path begins with it.
    pub(crate) fn is_first(&self, folder: &Folder<'_>) -> bool {
        self.get(FolderNo(folder.parent)).is_none()
    }

    /// The folder of this name below `parent`; the first one if damage left several.
    pub(crate) fn child(&self, parent: FolderNo, name: &str) -> Option<FolderNo> {
        self.children(parent, name).min()
    }

    fn children(&self, parent: FolderNo, name: &str) -> impl Iterator<Item = FolderNo> {
        let is_it = move |no: &FolderNo| self.get(*no).is_some_and(|folder| folder.parent == parent.0 && folder.name == name);
        self.by_name.iter_hash(self.hasher.hash_one((parent.0, name))).map(|no| FolderNo(*no)).filter(is_it)
    }

    /// The folders below `parent` whose name is this one in NFC.
    pub(crate) fn children_like(&self, parent: FolderNo, name: &str) -> Vec<FolderNo> {
        let name = normal(name);
        let mut found: Vec<FolderNo> = self.children(parent, &name).collect();
        found.sort_unstable();
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

    /// The folder, and those above it up to the first level.
    fn all_upward(&self, no: FolderNo) -> impl Iterator<Item = Folder<'_>> {
        std::iter::successors(self.get(no), |folder| self.get(FolderNo(folder.parent)))
    }

    /// As much of it as a path has names; only damage makes a longer way.
    fn upward(&self, no: FolderNo) -> impl Iterator<Item = Folder<'_>> {
        self.all_upward(no).take(MAX_DEPTH)
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
            let sums = folders.with_totals(sees);
            sums.map(|(_, sum)| (sum.folders, sum.messages, sum.bytes)).collect::<Vec<_>>()
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

    fn path(folders: &Folders, no: u32) -> String {
        folders.path(FolderNo(no)).join("/")
    }

    #[test]
    fn folders_that_were_moved_are_where_they_are_whatever_their_numbers() {
        let mut folders = Folders::default();
        for (no, parent, name) in [(1, 0, "a"), (2, 1, "b"), (3, 2, "c"), (4, 0, "d"), (5, 4, "e")] {
            folders.add(no, parent, name, 1);
            folders.count(no, 10);
        }
        // Numbers now fall on the way down: e, b, c, a.
        folders.put(2, 5, "b");
        folders.put(1, 3, "a");
        assert_eq!(path(&folders, 1), "d/e/b/c/a");
        let sums: Vec<u64> = folders.with_totals(|_| true).map(|(_, sum)| sum.messages).collect();
        assert_eq!(sums, [1, 3, 2, 5, 4]);
        assert_eq!(folders.spread(&[], &[FolderNo(2)]).iter().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((folders.height(FolderNo(2)), folders.user_archive(FolderNo(1))), (3, Some(FolderNo(4))));
        let order: Vec<u32> = folders.top_down().iter().map(|folder| folder.no).collect();
        assert_eq!(order, [4, 5, 2, 3, 1]);
        // None of these has a meaning.
        folders.put(5, 1, "e");
        folders.put(4, 4, "d");
        folders.rename(9, "x");
        folders.put(0, 1, "root");
        assert_eq!((path(&folders, 1), folders.iter().count()), ("d/e/b/c/a".to_owned(), 5));
    }

    #[test]
    fn no_order_of_facts_makes_a_folder_lie_below_itself() {
        let mut folders = Folders::default();
        for (no, parent) in [(1, 2), (2, 3), (3, 1), (4, 4)] {
            folders.add(no, parent, "x", 1);
        }
        assert_eq!([1, 2, 3, 4].map(|no| path(&folders, no)), ["x/x/x", "x/x", "x", "x"]);
        assert_eq!(folders.with_totals(|_| true).map(|(_, sum)| sum.folders).collect::<Vec<_>>(), [1, 2, 3, 1]);
        // A move of what damage took makes it again.
        folders.put(7, 1, "y");
        assert_eq!((path(&folders, 7), folders.get(FolderNo(7)).map(|folder| folder.epoch)), ("x/x/x/y".to_owned(), Some(1)));
        for no in 8..=300 {
            folders.add(no, no - 1, "deep", 1);
        }
        assert_eq!(folders.path(FolderNo(300)).len(), 128);
    }

    #[test]
    fn a_removed_folder_is_found_by_number_alone_until_something_comes_into_it() {
        let mut folders = Folders::default();
        for (no, parent, name) in [(1, 0, "a"), (2, 1, "Gru\u{308}n"), (3, 2, "c"), (4, 1, "full")] {
            folders.add(no, parent, name, 1);
        }
        folders.count(4, 10);
        // What has a message, or a folder that stays, stays.
        folders.remove(&[3, 2, 4, 1]);
        assert_eq!(folders.iter().map(|folder| folder.no).collect::<Vec<_>>(), [1, 4]);
        assert_eq!((folders.of_path(&["a".to_owned(), "Gr\u{fc}n".to_owned()]), path(&folders, 3)), (vec![], "a/Gru\u{308}n/c".to_owned()));
        let mut loaded = Folders::default();
        for no in 1..=4 {
            let removed = folders.is_removed(FolderNo(no)).then_some(true);
            let Folder { parent, name, messages, bytes, last, epoch, .. } = folders.get(FolderNo(no)).unwrap();
            loaded.load(no, &FolderRow { parent, name: name.to_owned(), messages, bytes, last, epoch, removed });
        }
        for mut folders in [folders, loaded] {
            assert_eq!(folders.with_totals(|_| true).map(|(_, sum)| sum.folders).collect::<Vec<_>>(), [2, 1]);
            folders.count(3, 10);
            assert_eq!(folders.of_path(&["a".to_owned(), "Gr\u{fc}n".to_owned(), "c".to_owned()]), [FolderNo(3)]);
            assert_eq!(folders.with_totals(|_| true).map(|(_, sum)| sum.messages).collect::<Vec<_>>(), [2, 1, 1, 1]);
        }
    }

    #[test]
    fn names_of_before_take_no_memory_for_ever() {
        let mut folders = Folders::default();
        folders.add(1, 0, "anna", 1);
        folders.add(2, 1, "in", 1);
        for no in 0..10_000 {
            folders.rename(2, &format!("{no:0100}"));
        }
        assert!(folders.names.len() < 2 * change::MOST_LEFT, "{}", folders.names.len());
        assert_eq!((path(&folders, 2), folders.child(FolderNo(1), "in")), (format!("anna/{:0100}", 9_999), None));
        assert_eq!(folders.by_name.len(), 2);
    }

    #[test]
    fn a_folder_takes_little_more_memory_than_its_name() {
        let mut folders = Folders::default();
        for no in 1..=50_000 {
            let row = FolderRow { parent: no / 2, name: format!("{no:030}"), messages: 1, bytes: 1, last: 1, epoch: 1, removed: None };
            folders.load(no, &row);
        }
        folders.loaded();
        let nodes = folders.nodes.capacity() * size_of::<Node>();
        let each = (nodes + folders.names.capacity() + folders.by_name.allocation_size()) / 50_000;
        assert!(each <= 30 + 55, "{each} bytes");
        assert!(folders.other_forms.is_empty());
    }
}
