//! A query on a single document: whether it meets the query, as far as its text is known, and where it has the words.

use super::leaf::{Label, Leaf};
use super::run::{How, Reading, run};
use super::tree::{Bound, Node};
use crate::columns::Columns;
use crate::error::IndexError;
use crate::segment::memory::Memory;
use crate::sort::SortKeys;
use crate::text::field::{Field, Value, Zones};
use std::sync::atomic::AtomicBool;

/// The value of a query for one document (S4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is met, whatever the unreadable text says.
    True,
    /// It is not met.
    False,
    /// Text that could not be read would decide.
    Unknown,
}

/// A document on which queries can be run. Its number is 0.
pub struct Probe {
    memory: Memory,
}

static GO_ON: AtomicBool = AtomicBool::new(false);

impl Probe {
    /// The document with these values, labels and columns, as an index would store it.
    pub fn new(values: &[Value<'_>], labels: &[Label], columns: &Columns) -> Result<Self, IndexError> {
        let mut memory = Memory::new(0);
        // It is neither ordered nor counted.
        memory.add(0, values, labels, columns, &SortKeys::default())?;
        Ok(Self { memory })
    }

    /// Whether it meets the query.
    pub fn meets(&self, query: &Bound) -> Result<Truth, IndexError> {
        Ok(match (self.holds(&query.root, Reading::Sure)?, self.holds(&query.root, Reading::Possible)?) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::False,
        })
    }

    /// The fields in which it has something that the query names, whether wanted or excluded.
    pub fn fields(&self, query: &Bound) -> Result<Vec<Field>, IndexError> {
        let mut found = Vec::new();
        for field in Field::ALL {
            let only = query.root.any_term_in(Zones::of(field));
            if self.holds(&only, Reading::Plain)? {
                found.push(field);
            }
        }
        Ok(found)
    }

    fn holds(&self, root: &Node<Leaf>, reading: Reading) -> Result<bool, IndexError> {
        Ok(run(&self.memory, root, None, How { reading, stop: &GO_ON })?.contains(0))
    }
}

impl Node<Leaf> {
    /// Any of the terms, within `zones`.
    fn any_term_in(&self, zones: Zones) -> Node<Leaf> {
        let any = |nodes: &[Node<Leaf>]| Node::Or(nodes.iter().map(|node| node.any_term_in(zones)).collect());
        match self {
            Node::All | Node::Nothing | Node::Filter(_) => Node::Nothing,
            Node::And(nodes) | Node::Or(nodes) => any(nodes),
            Node::Not(inner) => inner.any_term_in(zones),
            Node::Term(term) => {
                let mut term = term.clone();
                term.zones = Zones(term.zones.0 & zones.0);
                if let Some((_, of_address)) = term.address.as_deref_mut() {
                    *of_address = Zones(of_address.0 & zones.0);
                }
                Node::Term(term)
            }
        }
    }
}
