//! What is below folders. A folder may be below one with a higher number, since it may have been moved there.

use roaring::RoaringBitmap;

use super::{Folder, Folders, Node, find};
use crate::id::FolderNo;

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

/// Whether a folder is among those asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Unknown,
    Below,
    Elsewhere,
}

impl Folders {
    /// The folders in the order of their numbers, each with the totals of it and the folders below it, as far as
    /// `counts` accepts them.
    pub(crate) fn with_totals(&self, counts: impl Fn(FolderNo) -> bool) -> impl Iterator<Item = (Folder<'_>, Subtree)> {
        let sums = self.subtrees(counts);
        let there = self.nodes.iter().zip(sums).filter(|(node, _)| !self.removed.contains(node.no));
        there.map(|(node, sum)| (self.shown(node), sum))
    }

    fn subtrees(&self, counts: impl Fn(FolderNo) -> bool) -> Vec<Subtree> {
        let own = |node: &Node| match !self.removed.contains(node.no) && counts(FolderNo(node.no)) {
            true => Subtree { folders: 1, messages: node.messages.into(), bytes: node.bytes },
            false => Subtree::default(),
        };
        let mut sums: Vec<Subtree> = self.nodes.iter().map(own).collect();
        // How many folders of each are not added to it yet.
        let mut missing = vec![0u32; sums.len()];
        let parent_of = |at: usize| self.nodes.get(at).and_then(|node| find(&self.nodes, node.parent).ok());
        for parent in (0..sums.len()).filter_map(parent_of) {
            missing[parent] += 1;
        }
        // Most folders are made after the one that they are in: then each has its sum when its turn comes.
        for turn in (0..sums.len()).rev() {
            let mut at = turn;
            while missing[at] == 0
                && let Some(parent) = parent_of(at)
            {
                let below = sums[at];
                sums[parent].add(below);
                missing[parent] -= 1;
                if parent < turn {
                    break;
                }
                at = parent;
            }
        }
        sums
    }

    /// The folders `exact`, and `roots` with all folders below them.
    pub(crate) fn spread(&self, exact: &[FolderNo], roots: &[FolderNo]) -> RoaringBitmap {
        let mut found = if roots.is_empty() { RoaringBitmap::new() } else { self.below(roots) };
        found.extend(exact.iter().map(|no| no.0));
        found
    }

    /// How many names the longest path has from this folder on, itself included.
    pub(crate) fn height(&self, no: FolderNo) -> usize {
        let below = self.below(&[no]).into_iter().filter(|no| !self.removed.contains(*no));
        let depth = |from: u32| self.all_upward(FolderNo(from)).take_while(|above| above.no != no.0).count() + 1;
        below.map(depth).max().unwrap_or(1)
    }

    fn below(&self, roots: &[FolderNo]) -> RoaringBitmap {
        let mut places = vec![Place::Unknown; self.nodes.len()];
        for at in roots.iter().filter_map(|no| find(&self.nodes, no.0).ok()) {
            places[at] = Place::Below;
        }
        let mut way = Vec::new();
        for start in 0..places.len() {
            let (mut at, mut place) = (start, Place::Elsewhere);
            loop {
                if places[at] != Place::Unknown {
                    place = places[at];
                    break;
                }
                way.push(at);
                match find(&self.nodes, self.nodes[at].parent) {
                    Ok(parent) => at = parent,
                    Err(_) => break,
                }
            }
            for at in way.drain(..) {
                places[at] = place;
            }
        }
        let below = self.nodes.iter().zip(places).filter(|(_, place)| *place == Place::Below);
        // Numbers rise, so appending cannot fail.
        RoaringBitmap::from_sorted_iter(below.map(|(node, _)| node.no)).unwrap_or_default()
    }
}
