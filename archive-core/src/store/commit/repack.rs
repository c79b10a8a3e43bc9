//! Moves what is in use of a container to the active one, so that the container can be removed: with the same fact and
//! the same tables as contents of small commits that are packed.

use roaring::RoaringBitmap;

use super::pack::{Bytes, Packing};
use super::place::{Laid, Placer};
use crate::catalog::{ContentRow, PartRow};
use crate::error::Error;
use crate::id::{ContentNo, PartNo};
use crate::records::{ContainersRemovedFact, FactValue, Run, Runs};
use crate::store::Store;
use crate::store::commit::Duplicates;

/// Stored bytes that are moved in one commit; a longer content or part is moved alone, block by block.
const AT_ONCE: u64 = 16 << 20;

/// What has bytes in a container.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Tenants {
    pub(in crate::store) contents: RoaringBitmap,
    pub(in crate::store) parts: RoaringBitmap,
}

/// A content or a part, with where its bytes are.
enum Tenant {
    Content(ContentNo, ContentRow),
    Part(PartNo, PartRow),
}

impl Tenant {
    fn runs(&self) -> &Runs {
        match self {
            Self::Content(_, row) => &row.runs,
            Self::Part(_, row) => &row.runs,
        }
    }

    fn is_in(&self, container: u32) -> bool {
        self.runs().0.iter().any(|run| run.container == container)
    }
}

impl Packing {
    fn take(&mut self, tenant: Tenant, laid: Laid) {
        match tenant {
            Tenant::Content(no, row) => self.contents.push((no, row, laid)),
            Tenant::Part(no, row) => self.parts.push((no, row, laid)),
        }
    }
}

impl Store {
    /// Moves `tenants` out of container `container`, several commits long. Returns whether nothing in use is left there:
    /// what is damaged, and stored nowhere else, stays.
    pub(in crate::store) fn move_out(
        &self,
        container: u32,
        tenants: &Tenants,
        between: &mut dyn FnMut(u64) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        // Parts first, as tables have them.
        let parts = tenants.parts.iter().map(|no| (PartNo(no), None));
        let contents = tenants.contents.iter().map(|no| (PartNo(0), Some(ContentNo(no))));
        let (mut packing, mut placer, mut is_left) = (Packing::default(), Placer::default(), true);
        for (part, content) in parts.chain(contents) {
            let tenant = match content {
                Some(no) => self.catalog().content_row(no)?.map(|row| Tenant::Content(no, row)),
                None => self.catalog().part_row(part)?.map(|row| Tenant::Part(part, row)),
            };
            let Some(tenant) = tenant.filter(|tenant| tenant.is_in(container)) else { continue };
            // Bytes in containers that stay are not moved: what was left there of a content would belong to nothing, and
            // nothing would erase it later.
            let going = self.catalog().containers_to_remove().clone();
            let is_moved = |run: &Run| going.contains(run.container);
            let bytes = tenant.runs().0.iter().filter(|run| is_moved(run)).map(|run| u64::from(run.len)).sum();
            if bytes > AT_ONCE {
                is_left &= self.move_long(tenant, &is_moved)?;
            } else if let Some(laid) = self.lay_again(&tenant.runs().0, &is_moved, &mut placer)? {
                packing.take(tenant, laid);
            } else {
                is_left &= self.is_elsewhere(&tenant)?;
            }
            if placer.stored() as u64 >= AT_ONCE {
                self.write_moved(std::mem::take(&mut packing), std::mem::take(&mut placer))?;
            }
            between(bytes)?;
        }
        self.write_moved(packing, placer)?;
        Ok(is_left)
    }

    /// Lays the bytes of the runs that are moved; `None` if they are damaged.
    fn lay_again(&self, runs: &[Run], is_moved: &dyn Fn(&Run) -> bool, placer: &mut Placer) -> Result<Option<Laid>, Error> {
        let mut stored = Vec::new();
        for run in runs.iter().filter(|run| is_moved(run)) {
            match self.stored(std::slice::from_ref(run), None)? {
                Some(bytes) => stored.push(bytes),
                None => return Ok(None),
            }
        }
        let (mut laid, mut stored) = (Laid::default(), stored.into_iter());
        for run in runs {
            match is_moved(run).then(|| stored.next()).flatten() {
                Some(bytes) => laid.append(placer.lay(&bytes)),
                None => laid.stays(*run),
            }
        }
        Ok(Some(laid))
    }

    fn write_moved(&self, mut packing: Packing, placer: Placer) -> Result<(), Error> {
        if packing.is_empty() {
            return Ok(());
        }
        packing.bytes = Bytes::Together(placer);
        self.write_packed(&mut self.writer()?, &packing)
    }

    fn move_long(&self, tenant: Tenant, is_moved: &dyn Fn(&Run) -> bool) -> Result<bool, Error> {
        let runs: Vec<Run> = tenant.runs().0.iter().copied().filter(is_moved).collect();
        // Read once before the commit begins, where damage would end all writing.
        match self.read_stored(&runs, None, &mut |_| Ok(())) {
            Err(Error::Damage(_)) => return self.is_elsewhere(&tenant),
            read => read?,
        }
        let (mut laid, mut block) = (Laid::default(), 0);
        for run in &tenant.runs().0 {
            if is_moved(run) {
                laid.alone(block, run.len);
                block += 1;
            } else {
                laid.stays(*run);
            }
        }
        let mut packing = Packing::default();
        packing.take(tenant, laid);
        packing.bytes = Bytes::Long(runs);
        self.write_packed(&mut self.writer()?, &packing)?;
        Ok(true)
    }

    /// Whether the bytes of something damaged are read from another content or part. Its own bytes do not count, even if
    /// they can be read this time.
    fn is_elsewhere(&self, tenant: &Tenant) -> Result<bool, Error> {
        match tenant {
            Tenant::Content(no, row) => {
                // Notes its damage too, so that an import stores the mail again.
                self.is_readable(*no)?;
                for (other, _) in self.whole_ones(*no, row)?.into_iter().filter(|(other, _)| other != no) {
                    if self.is_readable(other)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Tenant::Part(no, _) => Ok(match self.catalog().whole_part(*no)? {
                Some(other) => match self.catalog().part_row(other)? {
                    Some(row) => self.stored(&row.runs.0, row.section)?.is_some(),
                    None => false,
                },
                None => false,
            }),
        }
    }

    /// Records that containers are removed, and removes them.
    pub(in crate::store) fn remove_containers(&self, containers: Vec<u32>) -> Result<(), Error> {
        let fact = ContainersRemovedFact { containers: containers.clone() };
        self.commit_drafted(Duplicates::Folder, None, self.now(), |draft, _| {
            draft.changed.push(FactValue::ContainersRemoved(fact));
            Ok(((), Vec::new()))
        })?;
        // A read that began before finds out that they are gone, and looks where its bytes are now.
        for number in containers {
            self.containers.remove(number)?;
        }
        Ok(self.vfs.sync_dir(&self.dirs.content)?)
    }
}
