//! The Merkle tree of a store whose records lost commits, rebuilt from all its leaves.

use std::collections::BTreeMap;

use super::Store;
use super::salvage::tables;
use crate::error::Error;
use crate::id::{ContentNo, Digest};
use crate::records::{ContentFact, Fact, FactKind, Frontier, Salt, SaltRange, Salts, Scan, ScanItem, TreeHead, leaf_hash, list_files};
use crate::wire::decode;

impl Store {
    /// The tree with this head: the leaves of recorded contents come from their facts, those of lost ones from salt and
    /// bytes, as tables in containers have them. `None` if a leaf is missing, or if they make another tree.
    pub(super) fn tree_of_all_leaves(&self, head: TreeHead) -> Result<Option<Frontier>, Error> {
        // The first leaf of a tree that a repair began is not a content.
        if !head.is_of_first_tree() {
            return Ok(None);
        }
        let mut leaves = self.recorded_leaves()?;
        self.leaves_of_tables(&mut leaves)?;
        let mut tree = Frontier::default();
        for no in 0..head.size {
            match u32::try_from(no).ok().and_then(|no| leaves.get(&no)) {
                Some(leaf) => tree.push_leaf(*leaf),
                None => return Ok(None),
            }
        }
        Ok(Some(tree).filter(|tree| tree.head() == head))
    }

    fn recorded_leaves(&self) -> Result<BTreeMap<u32, [u8; 32]>, Error> {
        let mut leaves = BTreeMap::new();
        for file in list_files(&*self.vfs, &self.dirs.records, &self.key, self.uuid)?.files {
            let mut scan = Scan::new(file, 0);
            while let Some(item) = scan.next()? {
                let ScanItem::Commit(commit) = item else { continue };
                let mut salts = commit.commit.salts();
                for (at, fact) in commit.commit.facts.iter().enumerate() {
                    match fact {
                        Fact::Known { kind, bytes } if *kind == FactKind::Content as u16 => {
                            let fact: ContentFact = decode(bytes).map_err(|_| Error::Bug("a fact has a valid seal and cannot be read"))?;
                            leaves.insert(fact.no, leaf_hash(&salts.of(at)?, Digest(fact.digest)));
                        }
                        // Its number is the one after the previous content.
                        Fact::Erased { leaf: Some(leaf), .. } => {
                            let no = leaves.last_key_value().map_or(0, |(no, _)| no.saturating_add(1));
                            leaves.insert(no, *leaf);
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(leaves)
    }

    fn leaves_of_tables(&self, leaves: &mut BTreeMap<u32, [u8; 32]>) -> Result<(), Error> {
        for number in self.containers.list()? {
            let file = match self.containers.file(number) {
                Ok(file) => file,
                Err(Error::Damage(_)) => continue,
                Err(error) => return Err(error),
            };
            tables(&file, &mut |table| {
                let seeded = table.seed.map(|seed| [SaltRange { first: 0, salt: Salt::Seed(seed) }]);
                let mut salts = seeded.as_ref().map(|ranges| Salts::new(ranges));
                for content in table.contents.iter().filter(|content| content.no < u32::MAX) {
                    let salt = match (content.salt, &mut salts) {
                        (Some(salt), _) => salt,
                        (None, Some(salts)) => salts.of(content.fact as usize)?,
                        (None, None) => continue,
                    };
                    // The digest of a content that the records lost is that of its bytes.
                    if !leaves.contains_key(&content.no)
                        && let Some(row) = self.catalog().content_row(ContentNo(content.no))?
                    {
                        leaves.insert(content.no, leaf_hash(&salt, Digest(row.digest)));
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
