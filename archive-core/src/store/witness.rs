//! Witnesses of what was durable: `head.mkm`, the manifests of catalog and index, and the head that the master noted.
//!
//! The catalog's basis is where replay begins; the others are compared with what replay finds. Frames are witnesses
//! too: replay and the check of container tails read them. Docs: FORMAT.md, "Clean mark".

use crate::records::Link;

/// A witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// `head.mkm` of the store.
    Head,
    /// The manifest of the index.
    Index,
    /// The master's `head.mkm`.
    Master,
}

/// The result of comparing a witness with the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The records have this commit, or have it where replay did not look.
    Holds,
    /// The records have another commit in its place.
    Contradicted,
    /// The records do not reach it.
    NotReached,
}

/// Witnesses, each with its link and whether replay confirmed it.
#[derive(Debug, Clone, Default)]
pub(super) struct Witnesses(Vec<(Who, Link, Option<bool>)>);

impl Witnesses {
    /// Adds a witness, if it names a commit.
    pub(super) fn hear(&mut self, who: Who, link: Option<Link>) {
        self.0.extend(link.filter(|link| link.sequence > 0).map(|link| (who, link, None)));
    }

    /// Compares witnesses with a link that replay found.
    pub(super) fn see(&mut self, link: Link) {
        for (_, said, holds) in self.0.iter_mut().filter(|(_, said, _)| said.sequence == link.sequence) {
            *holds = Some(said.chain == link.chain);
        }
    }

    /// The link that `who` names, if it is up to `reached` and replay did not pass it.
    pub(super) fn unseen(&self, who: Who, reached: u64) -> Option<Link> {
        let (_, link, holds) = self.0.iter().find(|(speaker, ..)| *speaker == who)?;
        Some(*link).filter(|link| holds.is_none() && link.sequence <= reached)
    }

    /// The link that `who` names, and the verdict on it after replay up to `reached`.
    pub(super) fn verdict(&self, who: Who, reached: u64) -> Option<(Link, Verdict)> {
        let (_, link, holds) = self.0.iter().find(|(speaker, ..)| *speaker == who)?;
        let verdict = match holds {
            Some(true) => Verdict::Holds,
            Some(false) => Verdict::Contradicted,
            None if link.sequence > reached => Verdict::NotReached,
            None => Verdict::Holds,
        };
        Some((*link, verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_holds_unless_the_records_say_otherwise_or_end_before_it() {
        let link = |sequence, byte| Link { sequence, chain: [byte; 32] };
        let mut witnesses = Witnesses::default();
        witnesses.hear(Who::Head, Some(link(5, 1)));
        witnesses.hear(Who::Index, Some(link(0, 0)));
        witnesses.hear(Who::Master, Some(link(9, 9)));
        let head = |witnesses: &Witnesses, reached| witnesses.verdict(Who::Head, reached).map(|(_, verdict)| verdict);
        assert_eq!(head(&witnesses, 4), Some(Verdict::NotReached));
        assert_eq!(head(&witnesses, 7), Some(Verdict::Holds), "replay began after it");
        assert_eq!(witnesses.verdict(Who::Index, 7), None, "before all commits there is nothing to say");
        witnesses.see(link(5, 2));
        assert_eq!(head(&witnesses, 7), Some(Verdict::Contradicted));
        witnesses.see(link(5, 1));
        assert_eq!(head(&witnesses, 7), Some(Verdict::Holds));
        assert_eq!(witnesses.verdict(Who::Master, 7), Some((link(9, 9), Verdict::NotReached)));
    }
}
