//! The tree of folders with its counters, kept in memory as a whole: it changes with every commit.

use std::collections::{BTreeMap, HashMap};

use icu_normalizer::ComposingNormalizerBorrowed;
use minicbor::{Decode, Encode};
use roaring::RoaringBitmap;

use crate::id::FolderNo;

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Folder {
    #[n(1)]
    pub(crate) no: u32,
    /// 0 is the root.
    #[n(2)]
    pub(crate) parent: u32,
    #[n(3)]
    pub(crate) name: String,
    /// Messages in the folder itself.
    #[n(4)]
    pub(crate) messages: u64,
    /// Bytes of these messages, each counted as often as it lies here.
    #[n(5)]
    pub(crate) bytes: u64,
}

fn normal(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
}

/// The tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folders {
    by_no: BTreeMap<u32, Folder>,
    by_name: HashMap<(u32, String), u32>,
    /// By parent and name in NFC, in which names are compared when they are asked for.
    by_normal_name: HashMap<(u32, String), Vec<u32>>,
}

impl Folders {
    pub(super) fn load(folders: Vec<Folder>) -> Self {
        let mut tree = Self::default();
        folders.into_iter().for_each(|folder| tree.add(folder));
        tree
    }

    pub(super) fn all(&self) -> Vec<Folder> {
        self.by_no.values().cloned().collect()
    }

    pub(super) fn add(&mut self, folder: Folder) {
        self.by_name.insert((folder.parent, folder.name.clone()), folder.no);
        self.by_normal_name.entry((folder.parent, normal(&folder.name))).or_default().push(folder.no);
        self.by_no.insert(folder.no, folder);
    }

    pub(super) fn count(&mut self, folder: u32, messages: u64, bytes: u64) {
        if let Some(folder) = self.by_no.get_mut(&folder) {
            folder.messages = folder.messages.saturating_add(messages);
            folder.bytes = folder.bytes.saturating_add(bytes);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Folder> {
        self.by_no.values()
    }

    /// The folder of this name below `parent`.
    pub(crate) fn child(&self, parent: FolderNo, name: &str) -> Option<FolderNo> {
        self.by_name.get(&(parent.0, name.to_owned())).copied().map(FolderNo)
    }

    /// The folders of this path; names are compared in NFC, in which several may be the same.
    pub(crate) fn of_path(&self, names: &[String]) -> Vec<FolderNo> {
        let mut at = vec![0];
        for name in names {
            let name = normal(name);
            let below = |parent: u32| self.by_normal_name.get(&(parent, name.clone())).into_iter().flatten().copied();
            at = at.into_iter().flat_map(below).collect();
        }
        if names.is_empty() { Vec::new() } else { at.into_iter().map(FolderNo).collect() }
    }

    /// `exact` themselves, and `roots` with all folders below them.
    pub(crate) fn spread(&self, exact: &[FolderNo], roots: &[FolderNo]) -> RoaringBitmap {
        let mut below: RoaringBitmap = roots.iter().map(|no| no.0).collect();
        // A parent is always made before its child.
        for folder in self.by_no.values().filter(|_| !roots.is_empty()) {
            if below.contains(folder.parent) {
                below.insert(folder.no);
            }
        }
        below.extend(exact.iter().map(|no| no.0));
        below
    }

    /// Names from the first level down to the folder.
    pub(crate) fn path(&self, no: FolderNo) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = no.0;
        // A parent is always made before its child, so numbers fall on the way up and the walk ends.
        while let Some(folder) = self.by_no.get(&at) {
            names.push(folder.name.clone());
            at = if folder.parent < at { folder.parent } else { 0 };
        }
        names.reverse();
        names
    }
}
